/* Loops with base registers that do not change in them, which translated code may look at where it is entered: of
 * what a way that is not taken would store nothing shows, neither a change nor a program interruption; a structure
 * across a page's end; and the interruption comes in the very round that asks for what is not there.
 * reloc: no, step has relocations enough */
#include "insn.inc"

#define PAGE_A 0x210000
#define PAGE_B 0x212000
#define NOWHERE -4096
#define ROUNDS 3000
#define PGM_ADDRESSING 5
#define KEY_CHANGED 2

/* r2 counts at r10 and goes to r11 in round `at`. */
.macro COUNT_AND_STORE base, at
    lgfi    %r10, PAGE_A
    lgfi    %r11, \base
    mvghi   0(%r10), 0
    lgfi    %r13, ROUNDS
1:  lg      %r2, 0(%r10)
    la      %r2, 1(%r2)
    stg     %r2, 0(%r10)
    cghi    %r2, \at
    jne     2f
    stg     %r2, 8(%r11)
    stg     %r2, 16(%r11)
2:  brctg   %r13, 1b
.endm

/* No key, no reference, no change. */
.macro UNCHANGED_B
    lgfi    %r11, PAGE_B
    mvghi   8(%r11), 0
    lghi    %r0, 0
    sske    %r0, %r11
.endm

tests:
    CHECK   1                   /* never stored into */
    UNCHANGED_B
    COUNT_AND_STORE PAGE_B, ROUNDS + 1
    EXPECT_REG %r2, ROUNDS
    lghi    %r3, 0
    iske    %r3, %r11
    EXPECT_REG %r3, 0

    CHECK   2                   /* in the last round */
    UNCHANGED_B
    COUNT_AND_STORE PAGE_B, ROUNDS
    lghi    %r3, 0
    iske    %r3, %r11
    nill    %r3, KEY_CHANGED
    EXPECT_REG %r3, KEY_CHANGED
    lg      %r3, 8(%r11)
    EXPECT_REG %r3, ROUNDS

    CHECK   3                   /* what is not there is not asked for */
    COUNT_AND_STORE NOWHERE, ROUNDS + 1
    EXPECT_REG %r2, ROUNDS

    CHECK   4                   /* but in the end */
    larl    %r1, 3f
    stg     %r1, T_PGM_ADDR(%r0)
    COUNT_AND_STORE NOWHERE, ROUNDS - 7
    j       fail
3:  mvc     T_PGM_ADDR(8,%r0), T_FAIL_ADDR(%r0)
    clhhsi  0x8e(%r0), PGM_ADDRESSING
    jgne    fail
    EXPECT_REG %r2, ROUNDS - 7
    EXPECT_REG %r13, 8

    CHECK   5                   /* a structure across a page's end */
    COUNT_AND_STORE PAGE_B - 12, 9
    lg      %r3, 8(%r11)
    EXPECT_REG %r3, 9

    CHECK   6                   /* which moves from loop to loop */
    lghi    %r9, 64
    lghi    %r4, 0
    lgfi    %r11, PAGE_B - 64
4:  mvghi   8(%r11), 5
    lghi    %r13, 50
5:  ag      %r4, 8(%r11)
    brctg   %r13, 5b
    mvghi   8(%r11), 0
    la      %r11, 3(%r11)
    brctg   %r9, 4b
    EXPECT_REG %r4, 64 * 50 * 5
    j       pass
