/* Linked to an instruction test in the mode "pair": starts CPU 1, which disturbs CPU 0 for a
 * quarter of a second, then goes to the test's own _start. CPU 1 stores into the frame that the test
 * executes from (nothing new, but decoded instructions go), broadcasts purges by COMPARE AND SWAP AND
 * PURGE and SET STORAGE KEY EXTENDED, senses CPU 0, and stops itself. It has a prefix area of its
 * own, takes no interruptions, and changes nothing that the test may look at. */
#define SENSE 1
#define STOP 5
#define RESTART 6
#define SET_PREFIX 13
#define BURST 200               /* rounds without a broadcast */
#define PAUSE 400               /* empty rounds between two bursts */
#define TIME 150                /* rounds end after: units of 1.024 ms */

    .machine "z10"
    .section .second, "ax"
    .globl second_cpu
second_cpu:
    larl    %r3, prefix
    lhi     %r5, 1
1:  sigp    %r3, %r5, SET_PREFIX
    brc     2, 1b
    larl    %r2, loop
    larl    %r4, prefix
    mvc     0x1a0(16, %r4), psw-prefix(%r4)
    stg     %r2, 0x1a8(%r4)
2:  sigp    %r3, %r5, RESTART
    brc     2, 2b
    xgr     %r2, %r2
    xgr     %r3, %r3
    xgr     %r4, %r4
    xgr     %r5, %r5
    jg      _start

loop:
    larl    %r10, _start
    larl    %r11, word
    larl    %r12, page
    larl    %r9, clock
    stck    0(%r9)
    lg      %r8, 0(%r9)
    srlg    %r8, %r8, 22
3:  lhi     %r7, BURST
4:  oi      0(%r10), 0          /* a store into the frame that CPU 0 executes from */
    brct    %r7, 4b
    l       %r4, 0(%r11)
    lr      %r5, %r4
    lgr     %r6, %r11
    oill    %r6, 3              /* purge the TLBs and ALBs of all */
    csp     %r4, %r6
    lhi     %r4, 0x60
    sske    %r4, %r12
    lhi     %r5, 0
    sigp    %r2, %r5, SENSE
    lhi     %r7, PAUSE
5:  brct    %r7, 5b
    stck    0(%r9)
    lg      %r7, 0(%r9)
    srlg    %r7, %r7, 22
    sgr     %r7, %r8
    cghi    %r7, TIME
    jl      3b
    lhi     %r5, 1
6:  sigp    %r2, %r5, STOP
    j       6b

    .balign 0x2000
prefix:
    .fill   0x200, 1, 0
psw:
    .quad   0x0000000180000000, 0
    .balign 0x2000
page:
    .fill   0x1000, 1, 0
word:
    .long   0x12345678
    .balign 8
clock:
    .quad   0
    .balign 0x1000
