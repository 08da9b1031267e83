/* DAT off, in loops that are translated: prefixing (page 0, page 1, and the area they change places
 * with) while the prefix changes, and low-address protection that changes between two stores
 * (PoP chapter 3, "Prefixing", "Low-Address Protection"). More: real_keys. */
#include "insn.inc"

#define PGM_PROTECTION 4
#define A 0x100000
#define B 0x102000
#define ROUNDS 200

    .data
    .balign 8
prefixes:
    .long   A, B, 0, 0
cr0_on:
    .quad   0x00000000100400e0
cr0_off:
    .quad   0x00000000000400e0
    .text

/* Add to what is at 0x1800, A + 0x1800 and B + 0x1800; and, without a register, at 0x700. */
.macro ROUND prefix, first, second, third, low
    spx     \prefix*4(%r13)
    lghi    %r2, 0x1800
    lghi    %r4, \first
    brasl   %r14, add
    lgr     %r2, %r11
    lghi    %r4, \second
    brasl   %r14, add
    lgr     %r2, %r12
    lghi    %r4, \third
    brasl   %r14, add
    lg      %r1, 0x700(%r0)
    aghi    %r1, \low
    stg     %r1, 0x700(%r0)
    mvc     0x710(8,%r0), 0x700(%r0)
    lmg     %r6, %r7, 0x708(%r0)
    stmg    %r6, %r7, 0x718(%r0)
.endm

tests:
    larl    %r13, prefixes
    llilh   %r11, A >> 16
    llilh   %r12, B >> 16
    iill    %r12, B & 0xffff
    lghi    %r9, 0              /* three copies of the prefix area */
1:  lg      %r1, 0(%r9)
    stg     %r1, 0(%r9,%r11)
    stg     %r1, 0(%r9,%r12)
    aghi    %r9, 8
    tmll    %r9, 0x2000
    jz      1b
    aghi    %r11, 0x1800
    aghi    %r12, 0x1800
    lghi    %r2, 0x1800
    mvghi   0(%r2), 0
    mvghi   0(%r11), 0
    mvghi   0(%r12), 0
    mvghi   0x700(%r0), 0
    lgr     %r3, %r11
    aghi    %r3, -0x1100
    mvghi   0(%r3), 0
    lgr     %r3, %r12
    aghi    %r3, -0x1100
    mvghi   0(%r3), 0

    CHECK   1                   /* the prefix changes in a loop */
    lghi    %r5, ROUNDS
2:  ROUND   0, 1, 2, 4, 1
    ROUND   1, 8, 16, 32, 3
    ROUND   2, 64, 128, 256, 5
    brct    %r5, 2b
    lghi    %r2, 0x1800
    lg      %r1, 0(%r2)
    EXPECT_REG %r1, ROUNDS * (2 + 32 + 64)
    lg      %r1, 0(%r11)
    EXPECT_REG %r1, ROUNDS * (1 + 16 + 128)
    lg      %r1, 0(%r12)
    EXPECT_REG %r1, ROUNDS * (4 + 8 + 256)

    CHECK   2                   /* page 0 without a register */
    lg      %r1, 0x700(%r0)
    EXPECT_REG %r1, ROUNDS * 5
    lg      %r1, 0x720(%r0)
    EXPECT_REG %r1, ROUNDS * 5
    lg      %r1, -0x1100(%r11)
    EXPECT_REG %r1, ROUNDS
    lg      %r1, -0x10e0(%r11)
    EXPECT_REG %r1, ROUNDS
    lg      %r1, -0x1100(%r12)
    EXPECT_REG %r1, ROUNDS * 3
    lg      %r1, -0x10e0(%r12)
    EXPECT_REG %r1, ROUNDS * 3

    CHECK   3                   /* so does low-address protection */
    lghi    %r3, 0x1000
    mvghi   0x108(%r3), 0
    lghi    %r5, ROUNDS
4:  lctlg   %c0, %c0, cr0_off-prefixes(%r13)
    lg      %r4, 0x108(%r3)
    aghi    %r4, 1
    stg     %r4, 0x108(%r3)
    stg     %r4, 0x208(%r3)
    lctlg   %c0, %c0, cr0_on-prefixes(%r13)
    EXPECT_PGM PGM_PROTECTION, "stg %r5, 0x108(%r3)"
    agsi    0x208(%r3), 1
    brct    %r5, 4b
    lctlg   %c0, %c0, cr0_off-prefixes(%r13)
    lg      %r1, 0x108(%r3)
    EXPECT_REG %r1, ROUNDS
    lg      %r1, 0x208(%r3)
    EXPECT_REG %r1, ROUNDS + 1

    j       pass

add:
    lg      %r1, 0(%r2)
    agr     %r1, %r4
    stg     %r1, 0(%r2)
    br      %r14
