/* Whole tracks of a 3390, the first device of the machine, written or read by one channel program each: twelve records
 * of 4096 bytes, or one of them in a track, as -DJOB says; ROUNDS of them over the first TRACKS tracks. With -DENDS it
 * ends at once, with -DWAITS as well it waits. Ends with a disabled wait, address 0; at address 1 when something is wrong. Starts at 0 on Hercules. */
#ifndef ROUNDS
#define ROUNDS 1
#endif
#define TRACKS 600
#if defined(WRITES)
#define MASK 0x80
#define OPERATION 0x01
#define COMMAND 0x85
#else
#define MASK 0x40
#define OPERATION 0x06
#define COMMAND 0x86
#endif
#ifndef RECORDS
#define RECORDS 12
#endif

    .machine "z10"
    .text
    .org    0
    .long   0x00080000, 0x80000000 + _start
    .org    0x1f0
    .quad   0x0000000180000000, ended         /* I/O new PSW */
    .org    0x1000
    .globl  _start
_start:
    lhi     %r1, 1
    sigp    %r1, %r0, 0x12                  /* set architecture: refused where it is set already */
    sam64
#ifdef ENDS
#ifdef WAITS
    larl    %r1, wait
    lpswe   0(%r1)
#endif
    j       done
ended:
#else
    larl    %r12, de
    lctlg   %c6, %c6, classes-de(%r12)
    llilf   %r1, 0x00010000
    stsch   schib-de(%r12)
    jnz     bad
    oi      schib+5-de(%r12), 0x80
    msch    schib-de(%r12)
    jnz     bad
    larl    %r4, ccws                       /* the addresses that the programs need */
    larl    %r3, de
    st      %r3, 4(%r4)
    larl    %r3, lr
    st      %r3, 12(%r4)
    larl    %r5, area
    lghi    %r6, RECORDS
    aghi    %r4, 16
next:
    mvc     0(8,%r4), one-de(%r12)
    st      %r5, 4(%r4)
    aghi    %r4, 8
    aghi    %r5, 4096
    brctg   %r6, next
    aghi    %r4, -8
    ni      1(%r4), 0x3f                    /* the last is not chained */
    larl    %r3, ccws
    st      %r3, orb+8-de(%r12)
    llilf   %r10, ROUNDS
    xgr     %r9, %r9                        /* the track */
round:
    lgr     %r3, %r9
    lghi    %r5, 15
    dsgr    %r2, %r5
    sll     %r3, 16
    or      %r3, %r2
    st      %r3, de+8-de(%r12)
    st      %r3, de+12-de(%r12)
    st      %r3, lr+4-de(%r12)
    st      %r3, lr+8-de(%r12)
    larl    %r5, area
    stg     %r10, 0(%r5)
    ssch    orb-de(%r12)
    jnz     bad
    lpswe   wait-de(%r12)                   /* until the interruption */
ended:
    tsch    irb-de(%r12)
    jnz     bad
    clc     irb+8-de(2,%r12), normal-de(%r12)
    jne     bad
    aghi    %r9, 7
    lghi    %r5, TRACKS
    cgr     %r9, %r5
    jl      on
    sgr     %r9, %r5
on: brctg   %r10, round
#endif
done:
    larl    %r1, well
    lpswe   0(%r1)
bad:
    larl    %r1, ill
    lpswe   0(%r1)

    .balign 16
de: .byte   MASK, 0xc0
    .short  4096, 0, 0
    .long   0, 0
lr: .byte   OPERATION, 0x80, 0, RECORDS
    .long   0, 0
    .byte   1, 0
    .short  4096
    .balign 8
well: .quad 0x0002000180000000, 0
ill: .quad  0x0002000180000000, 1
classes: .quad 0x00000000ff000000
wait: .quad 0x0202000180000000, 0
normal: .byte 0x0c, 0
    .balign 8
one: .byte  COMMAND, 0x40
    .short  4096
    .long   0
    .balign 8
ccws:
    .byte   0x63, 0x40
    .short  16
    .long   0
    .byte   0x47, 0x40
    .short  16
    .long   0
    .skip   8 * RECORDS
    .balign 4
orb: .long  0x3390, 0x0080ff00, 0, 0, 0, 0, 0, 0
schib: .skip 56
irb: .skip  96
    .balign 4096
area: .skip 4096 * RECORDS
