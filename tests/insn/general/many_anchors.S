/* Twenty loops within one loop, each along an array of its own in four pages, from which it fetches and into which
 * it stores ahead: more addresses that move in one region than translated code keeps anchors for. An element of each
 * array lies near or across a page's end. At the second check every other array is the one of the loop before, so
 * that what one loop stores another fetches.
 * reloc: no, step has relocations enough */
#include "insn.inc"

#define ARRAYS 0x100000
#define APART 0x4000
#define STEP 600
#define FIRST (4092 - 6 * STEP)
#define ELEMENTS 24
#define LOOPS 20
#define ROUNDS 400

/* An element is the one before it and k + 1; the first is r4. The last is added to r2. */
.macro ALONG at, k
    lgfi    %r10, ARRAYS + \at * APART + FIRST + \at
    lghi    %r13, ELEMENTS
    stg     %r4, 0(%r10)
1:  lg      %r5, 0(%r10)
    aghi    %r5, \k + 1
    stg     %r5, STEP(%r10)
    la      %r10, STEP(%r10)
    brctg   %r13, 1b
    agr     %r2, %r5
.endm

tests:
    CHECK   1
    lghi    %r4, ROUNDS
    lghi    %r2, 0
    j       2f
    .balign 2048
2:
    .set    k, 0
    .rept   LOOPS
    ALONG   k, k
    .set    k, k + 1
    .endr
    brctg   %r4, 2b
    EXPECT_REG %r2, LOOPS * ROUNDS * (ROUNDS + 1) / 2 + ROUNDS * ELEMENTS * LOOPS * (LOOPS + 1) / 2

    CHECK   2
    lghi    %r4, ROUNDS
    lghi    %r2, 0
    j       2f
    .balign 2048
2:
    .set    k, 0
    .rept   LOOPS
    ALONG   k/2, k
    .set    k, k + 1
    .endr
    brctg   %r4, 2b
    EXPECT_REG %r2, LOOPS * ROUNDS * (ROUNDS + 1) / 2 + ROUNDS * ELEMENTS * LOOPS * (LOOPS + 1) / 2
    j       pass
