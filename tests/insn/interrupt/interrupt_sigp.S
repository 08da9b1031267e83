/* SIGNAL PROCESSOR between two CPUs: prefix, restart, emergency signal, stop. Any order may find the
 * access path busy (cc 2) while the other CPU's SIGP is under way, and is then made again.
 * ipl: --cpus 2 */
#include "insn.inc"

#define PREFIX 0x40000

tests:
    CHECK   1                       /* the other CPU is stopped, a third does not exist */
    lghi    %r3, 1
    lghi    %r4, 0
1:  sigp    %r4, %r3, 1
    brc     2, 1b
    EXPECT_CC 1
    EXPECT_REG %r4, 0x40
    lghi    %r3, 9
    sigp    %r4, %r3, 1
    EXPECT_CC 3

    CHECK   2                       /* set prefix and restart */
    lghi    %r3, 1
    llilh   %r5, PREFIX >> 16
    larl    %r6, psws
    mvc     0x1a0(16,%r5), 0(%r6)
    mvc     0x1b0(16,%r0), 16(%r6)
    lghi    %r4, 0
1:  sigp    %r4, %r3, 0x0d
    brc     2, 1b
    EXPECT_CC 0
1:  sigp    %r4, %r3, 6
    brc     2, 1b
    EXPECT_CC 0

    CHECK   3                       /* it sends an emergency signal to us */
    larl    %r13, 2f
    lctlg   %c0, %c0, cr0-psws(%r6)
    lpswe   wait-psws(%r6)
2:  clhhsi  0x86(%r0), 0x1201
    jne     fail
    clhhsi  0x84(%r0), 1
    jne     fail
    stpx    T_SAVE(%r0)
    chsi    T_SAVE(%r0), 0
    jne     fail

    CHECK   4                       /* stop it */
3:  sigp    %r4, %r3, 5
    brc     2, 3b
    EXPECT_CC 0
4:  lghi    %r4, 0
    sigp    %r4, %r3, 1
    jnz     5f
    j       4b
5:  brc     2, 4b
    EXPECT_REG %r4, 0x40
    j       pass

other:                              /* CPU 1 */
    stap    0x800(%r0)
    lghi    %r3, 0
5:  sigp    %r4, %r3, 3
    brc     2, 5b
6:  j       6b

handler:
    br      %r13
    .balign 8
psws:
    .quad   0x0000000180000000, other
    .quad   0x0000000180000000, handler
wait:
    .quad   0x0102000180000000, fail
cr0:
    .quad   0x00000000000440e0      /* emergency signal, AFP registers */
