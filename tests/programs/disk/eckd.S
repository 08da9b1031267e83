/* Writes records to a 3390 (the first device of the machine) over tracks and cylinders, reads them back by another
 * program, compares: channel programs are in flight most of the time. For scenario/dasd_relocate.
 * With FOREVER it only writes, without end, and after each write notes the round in block 0 of a 9336, the second
 * device. For scenario/dasd_kill. */
#include "insn.inc"

#define ROUNDS 60
#define TRACKS 59 /* each round writes records 11 and 12 of one and record 1 of the next */
#define BYTES (3 * 4096)

tests:
    larl    %r12, de
    llilf   %r1, 0x00010000
    CHECK   1
    stsch   schib-de(%r12)
    EXPECT_CC 0
    oi      schib+5-de(%r12), 0x80
    CHECK   2
    msch    schib-de(%r12)
    EXPECT_CC 0
#ifdef FOREVER
    llilf   %r1, 0x00010001
    stsch   schib-de(%r12)
    EXPECT_CC 0
    oi      schib+5-de(%r12), 0x80
    msch    schib-de(%r12)
    EXPECT_CC 0
#endif
    lghi    %r10, 1
round:
    lgr     %r3, %r10               /* track: remainder of 7 times the round */
    mghi    %r3, 7
    lghi    %r5, TRACKS
    dsgr    %r2, %r5
    lgr     %r3, %r2
    lghi    %r5, 15
    dsgr    %r2, %r5                /* r3 cylinder, r2 head */
    sll     %r3, 16
    or      %r3, %r2
    st      %r3, de+8-de(%r12)
    st      %r3, lr+4-de(%r12)
    st      %r3, lr+8-de(%r12)
    larl    %r4, out                /* the round's number, and each 256 bytes their address */
    lghi    %r5, BYTES
    lgr     %r7, %r10
    sllg    %r7, %r7, 24
    xgr     %r6, %r6
    mvcl    %r4, %r6
    larl    %r4, out
    lghi    %r5, BYTES / 256
fill:
    stg     %r10, 0(%r4)
    stg     %r4, 128(%r4)
    aghi    %r4, 256
    brctg   %r5, fill

    CHECK   3
    mvi     de-de(%r12), 0x80       /* update writes */
    mvi     lr-de(%r12), 0x01
    mvi     data-de(%r12), 0x85
    mvi     data+8-de(%r12), 0x85
    mvi     data+16-de(%r12), 0x85
    larl    %r3, out
    llilf   %r1, 0x00010000
    brasl   %r14, go

#ifdef FOREVER
    stg     %r10, note-de(%r12)
    larl    %r3, note
    st      %r3, fba_ccws+20-de(%r12)
    larl    %r3, fba_de
    st      %r3, fba_ccws+4-de(%r12)
    larl    %r3, fba_locate
    st      %r3, fba_ccws+12-de(%r12)
    larl    %r3, fba_ccws
    llilf   %r1, 0x00010001
    brasl   %r14, start
    aghi    %r10, 1
    j       round
#endif
    larl    %r4, in
    lghi    %r5, BYTES
    xgr     %r7, %r7
    mvcl    %r4, %r6
    CHECK   4
    mvi     de-de(%r12), 0x40
    mvi     lr-de(%r12), 0x06
    mvi     data-de(%r12), 0x86
    mvi     data+8-de(%r12), 0x86
    mvi     data+16-de(%r12), 0x86
    larl    %r3, in
    brasl   %r14, go

    CHECK   5
    larl    %r4, out
    larl    %r6, in
    lghi    %r5, BYTES
    lghi    %r7, BYTES
    clcl    %r4, %r6
    EXPECT_CC 0
    aghi    %r10, 1
    cghi    %r10, ROUNDS
    jle     round
    j       pass

/* The program with its data at R3; comes back with channel end and device end alone. */
go:
    st      %r3, data+4-de(%r12)
    ahi     %r3, 4096
    st      %r3, data+12-de(%r12)
    ahi     %r3, 4096
    st      %r3, data+20-de(%r12)
    larl    %r3, de
    st      %r3, ccws+4-de(%r12)
    larl    %r3, lr
    st      %r3, ccws+12-de(%r12)
    larl    %r3, ccws
start:                              /* the program at R3 */
    st      %r3, orb+8-de(%r12)
    ssch    orb-de(%r12)
    jnz     fail
77: tsch    irb-de(%r12)
    brc     4, 77b
    jnz     fail
    clc     irb+8-de(2,%r12), ended-de(%r12)
    jne     fail
    br      %r14

    .data
    .balign 16
de: .byte   0x80, 0xc0
    .short  0, 0, 0
    .long   0, 0x0003000e           /* to cylinder 3, head 14 */
lr: .byte   0x01, 0, 0, 3
    .long   0, 0
    .byte   11, 0
    .short  0
    .balign 8
ccws:
    .byte   0x63, 0x40
    .short  16
    .long   0
    .byte   0x47, 0x40
    .short  16
    .long   0
data:
    .byte   0x85, 0x40
    .short  4096
    .long   0
    .byte   0x85, 0x40
    .short  4096
    .long   0
    .byte   0x85, 0
    .short  4096
    .long   0
orb:
    .long   0x12345678, 0x0080ff00, 0, 0, 0, 0, 0, 0
    .balign 8
fba_ccws:
    .byte   0x63, 0x40
    .short  16
    .long   0
    .byte   0x43, 0x40
    .short  8
    .long   0
    .byte   0x41, 0
    .short  512
    .long   0
fba_de:
    .long   0xc0000200, 0, 0, 0
fba_locate:
    .long   0x01000001, 0
ended:
    .short  0x0c00
    .balign 8
schib:
    .skip   64
irb:
    .skip   128
    .balign 8
note:
    .skip   512
    .bss
    .balign 4096
out:
    .skip   BYTES
in: .skip   BYTES
