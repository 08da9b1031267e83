/* CLC and XC of a field with itself in loops that step through storage, whose pages are in frames that do not follow one
 * another, beside fetches by the same registers: equal and unequal, across pages, at last where the second operand is
 * not there.
 * reloc: no, step has relocations enough */
#include "insn.inc"

#define SEG 0x50000
#define PAGES 0x51000
#define P 0x30000               /* two pages each; word k is k ... */
#define Q 0x38000               /* ... but k + 1 when k modulo 16 is 5 */
#define S 0x3c000
#define WORDS 2048
#define STEPS 2000
#define ROUNDS 12

    .balign 8
asce:
    .quad   SEG

.macro MAP page, frame
    lgfi    %r4, \frame
    stg     %r4, \page >> 9(%r3)
    lgfi    %r4, \frame + 0x2000
    stg     %r4, (\page >> 9) + 8(%r3)
.endm

    .balign 4096
/* %r5, %r6: what is compared; %r8: what is cleared; %r1 times. %r7: how many words are equal; %r10: condition codes of
 * three bytes; %r11: of 80 bytes; %r12: words further on. */
compare:
    clc     0(4,%r5), 0(%r6)
    jne     1f
    aghi    %r7, 1
1:  l       %r9, 8(%r5)
    ar      %r12, %r9
    clc     5(3,%r5), 5(%r6)
    ipm     %r9
    srl     %r9, 28
    ar      %r10, %r9
    xc      0(4,%r8), 0(%r8)
    clc     0(80,%r5), 0(%r6)
    ipm     %r9
    srl     %r9, 28
    ar      %r11, %r9
    c       %r0, 0(%r8)
    jgne    fail
    la      %r5, 4(%r5)
    la      %r6, 4(%r6)
    la      %r8, 4(%r8)
    brctg   %r1, compare
    br      %r14

tests:
    MAP_MEGABYTE SEG, PAGES
    lgfi    %r3, PAGES
    MAP     P, 0x61000
    MAP     Q, 0x66000
    MAP     S, 0x6b000
    mvghi   (Q >> 9) + 16(%r3), 0x400 /* invalid */
    larl    %r2, asce
    lctlg   %c1, %c1, 0(%r2)
    stosm   T_SAVE(%r0), 4
    lgfi    %r5, P
    lgfi    %r6, Q
    lghi    %r2, 0
2:  st      %r2, 0(%r5)
    lr      %r4, %r2
    nill    %r4, 15
    lr      %r3, %r2
    cijne   %r4, 5, 3f
    ahi     %r3, 1
3:  st      %r3, 0(%r6)
    ahi     %r2, 1
    la      %r5, 4(%r5)
    la      %r6, 4(%r6)
    cfi     %r2, WORDS
    jne     2b
    lghi    %r0, 0

    CHECK   1
    lgfi    %r13, ROUNDS
4:  lgfi    %r8, S
    lgfi    %r1, WORDS
    lghi    %r2, -1
5:  st      %r2, 0(%r8)
    la      %r8, 4(%r8)
    brctg   %r1, 5b
    lgfi    %r5, P
    lgfi    %r6, Q
    lgfi    %r8, S
    lgfi    %r1, STEPS
    lghi    %r7, 0
    lghi    %r10, 0
    lghi    %r11, 0
    lghi    %r12, 0
    brasl   %r14, compare
    EXPECT_REG %r7, STEPS - STEPS / 16
    EXPECT_REG %r10, STEPS / 16
    EXPECT_REG %r11, STEPS
    EXPECT_REG %r12, STEPS * (STEPS - 1) / 2 + 2 * STEPS
    l       %r9, 0(%r8)                 /* not cleared any more */
    cijne   %r9, -1, bad
    brctg   %r13, 4b

    CHECK   2                           /* equal to the end of the second operand's page; the next is not there */
    lghi    %r13, ROUNDS
6:  lgfi    %r5, P + 4 * 1500
    lgfi    %r6, Q + 4 * 1500
    lgfi    %r8, S
    lgfi    %r1, STEPS
    EXPECT_PGM 0x11, "brasl %r14, compare"
    EXPECT_ILC 6
    EXPECT_REG %r1, STEPS - (WORDS - 1500 - 10)
    EXPECT_REG %r5, P + 4 * (WORDS - 10)
    lg      %r9, 0xa8(%r0)
    nill    %r9, 0xf000
    EXPECT_REG %r9, Q + 0x2000
    larl    %r2, asce
    stosm   T_SAVE(%r0), 4
    brctg   %r13, 6b
    j       pass
bad:
    jg      fail
