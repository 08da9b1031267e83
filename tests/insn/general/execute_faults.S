/* Exceptions of EX and EXRL of MVC, CLC and XC, often enough to be translated: the length of the EXECUTE, an odd
 * target, and nothing stored.
 * qemu: no, an odd target is executed there, and a fault of the target has the target's length */
#include "insn.inc"

#define PGM_PROTECTION 4
#define PGM_ADDRESSING 5
#define PGM_SPECIFICATION 6
#define ROUNDS 60

    .balign 8
cr0_protected:
    .quad   0x00000000100400e0
t_mvc: mvc  0(1, %r6), 0(%r7)
t_clc: clc  0(1, %r6), 0(%r7)
t_xc:  xc   0(1, %r6), 0(%r6)
from:
    .quad   0x1122334455667788, 0x99aabbccddeeff00

tests:
    larl    %r1, cr0_protected
    lctlg   %c0, %c0, 0(%r1)
    larl    %r7, from
    larl    %r9, t_mvc
    SETREG  %r12, 0x20000000    /* beyond storage */
    lghi    %r8, 5
    lghi    %r11, ROUNDS
1:  CHECK   1                   /* bytes 4096 to 4607 are protected */
    lghi    %r6, 4096 - 5
    mvhi    0(%r6), 0x4567
    mvi     4(%r6), 0x89
    EXPECT_PGM PGM_PROTECTION, "exrl %r8, t_mvc"
    EXPECT_ILC 6
    EXPECT_PGM PGM_PROTECTION, "ex %r8, 0(%r9)"
    EXPECT_ILC 4
    EXPECT_PGM PGM_PROTECTION, "exrl %r8, t_xc"
    EXPECT_ILC 6
    lgf     %r3, 0(%r6)
    EXPECT_REG %r3, 0x4567
    cli     4(%r6), 0x89
    EXPECT_CC 0
    CHECK   2                   /* no storage there */
    lgr     %r6, %r12
    EXPECT_PGM PGM_ADDRESSING, "exrl %r8, t_clc"
    EXPECT_ILC 6
    EXPECT_PGM PGM_ADDRESSING, "ex %r8, 0(%r9)"
    EXPECT_ILC 4
    CHECK   3                   /* an odd target now and then */
    lghi    %r6, 0xa00
    lgr     %r10, %r9
    tmll    %r11, 7
    jne     2f
    EXPECT_PGM PGM_SPECIFICATION, "ex %r8, 1(%r10)"
    EXPECT_ILC 4
    aghi    %r10, 1
    EXPECT_PGM PGM_SPECIFICATION, "bras %r14, odd"
    EXPECT_ILC 4
    aghi    %r10, -1
2:  mvghi   0(%r6), 0
    bras    %r14, odd
    lg      %r3, 0(%r6)
    EXPECT_REG %r3, 0x1122334455660000
    brctg   %r11, 1b
    j       pass
odd:
    ex      %r8, 0(%r10)
    br      %r14
