/* Branches behind which control never goes on, in loops that are translated; then it does: with a condition code from
 * before, low halves of registers, the number of rounds, and the last taken branch. The place behind the loop's last
 * branch is no instruction.
 * qemu: yes */
#include "insn.inc"

#define BREAKING_EVENT 0x110
#define ROUNDS 40000
#define FIRST_LEAVES 12
#define SECOND_LEAVES 8
#define THIRD_LEAVES 4
#define HIGH 0x0123456700000000

    .balign 4096
loop:                           /* r1: rounds, r3: return, r6: low half, r7: all of it */
    aghi    %r7, 3
    ahi     %r6, -5
    chi     %r1, FIRST_LEAVES
    jne     1f                  /* the only way to what follows what was left out */
    ipm     %r8
    lgr     %r9, %r6
    lgr     %r10, %r7
1:  sllg    %r2, %r7, 1
    cgijne  %r1, SECOND_LEAVES, 2f
    lgr     %r11, %r6
    lgr     %r12, %r2
2:  ahi     %r6, 1
    clgfi   %r1, THIRD_LEAVES
taken:
    jlh     3f                  /* over more than one block; the code of this is asked for */
    ipm     %r13
    cghi    %r1, 0
    je      fail
3:  brctg   %r1, loop
behind:
    .short  0

.macro FAILS_BEHIND
    larl    %r2, 8f
    stg     %r2, T_PGM_ADDR(%r0)
    lgfi    %r1, ROUNDS
    j       loop
8:  clhhsi  0x8e(%r0), 1        /* operation exception */
    jgne    fail
    larl    %r2, behind + 2
    lg      %r4, 0x158(%r0)
    clgr    %r4, %r2
    jgne    fail
    larl    %r2, taken
    lg      %r4, BREAKING_EVENT(%r0)
    clgr    %r4, %r2
    jgne    fail
.endm

tests:
    SETREG  %r6, HIGH
    lghi    %r7, 0
    CHECK   1
    FAILS_BEHIND
    CHECK   2
    EXPECT_REG %r1, 0
    EXPECT_REG %r7, 3 * ROUNDS
    EXPECT_REG %r6, HIGH + ((-4 * ROUNDS) & 0xffffffff)
    CHECK   3
    EXPECT_REG %r9, HIGH + ((-4 * (ROUNDS - FIRST_LEAVES) - 5) & 0xffffffff)
    EXPECT_REG %r10, 3 * (ROUNDS - FIRST_LEAVES + 1)
    EXPECT_REG %r11, HIGH + ((-4 * (ROUNDS - SECOND_LEAVES) - 5) & 0xffffffff)
    EXPECT_REG %r12, 6 * (ROUNDS - SECOND_LEAVES + 1)
    CHECK   4
    srlg    %r8, %r8, 28
    nilf    %r8, 3
    EXPECT_REG %r8, 0           /* equal */
    srlg    %r13, %r13, 28
    nilf    %r13, 3
    EXPECT_REG %r13, 0
    CHECK   5                   /* once more: all ways are known now */
    SETREG  %r6, HIGH
    FAILS_BEHIND
    EXPECT_REG %r7, 6 * ROUNDS
    EXPECT_REG %r10, 3 * ROUNDS + 3 * (ROUNDS - FIRST_LEAVES + 1)
    EXPECT_REG %r12, 6 * ROUNDS + 6 * (ROUNDS - SECOND_LEAVES + 1)
    j       pass
