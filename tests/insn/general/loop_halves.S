/* Registers written in 32 bits and in 64 by turns, in a loop whose ways differ in what is read of them: high halves
 * that nobody reads before they are replaced, that are read on one way only, that wait outside of an inner loop. So
 * blocks begin with all of a register here and with its low half there. What is expected follows from a model.
 * reloc: no, step has relocations enough */
#include "insn.inc"

#define ROUNDS 1501

    .balign 4096
tests:
    CHECK   1
    SETREG  %r2, 0x1111111122222222
    SETREG  %r4, 0x0123456789abcdef
    SETREG  %r5, 0xfedcba9876543210
    SETREG  %r7, 0x5555555566666666
    SETREG  %r8, 0x7777777700000000
    SETREG  %r10, 0x8888888899999999
    SETREG  %r11, 0xaaaaaaaafffffff0
    larl    %r9, whole
    lghi    %r13, ROUNDS
0:  lg      %r3, 0(%r9)
    tmll    %r13, 1
    jz      1f
    ar      %r3, %r13           /* its high half: replaced next time */
    sr      %r2, %r3
    j       2f
1:  agr     %r4, %r3            /* here it is read */
    ahi     %r2, 3
2:  ahi     %r5, 7
    tmll    %r13, 2
    jz      3f
    agr     %r4, %r5
3:  llgfr   %r6, %r5
    ahi     %r6, -9             /* zeros stay in its high half */
    agr     %r4, %r6
    xr      %r7, %r5
    tmll    %r13, 4
    jz      4f
    lgr     %r7, %r4
4:  lhi     %r8, 3
5:  agr     %r10, %r5
    ahi     %r11, 1
    brct    %r8, 5b
    xgr     %r10, %r11
    tmll    %r13, 8
    jz      6f
    sll     %r11, 1
    xgr     %r5, %r8
6:  brctg   %r13, 0b
    CHECK   2
    EXPECT_REG %r2, 0x11111111a2198cdc
    CHECK   3
    EXPECT_REG %r3, 0xcafebabe80000002
    CHECK   4
    EXPECT_REG %r4, 0xc7582d7000b469ac
    CHECK   5
    EXPECT_REG %r5, 0xfedcba9876545b1b
    CHECK   6
    EXPECT_REG %r6, 0x0000000076545b12
    CHECK   7
    EXPECT_REG %r7, 0xfe9ffd7f475af96b
    CHECK   8
    EXPECT_REG %r8, 0x7777777700000000
    CHECK   9
    EXPECT_REG %r10, 0x805e4d9458976c98
    CHECK   10
    EXPECT_REG %r11, 0xaaaaaaaa1818180f
    j       pass

    .data
    .balign 8
whole:
    .quad   0xcafebabe80000001
