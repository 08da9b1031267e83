/* Calls and where they return to: deeper than translated code remembers, to somebody else than the caller, behind
 * the next instruction, in another addressing mode, and to what has been changed meanwhile. Callers and callees are
 * in different pages, so that each leaves a translation.
 * reloc: no, step has relocations enough
 * ipl: --model max */
#include "insn.inc"

#define DEPTH 140 /* more than hosts remember */
#define ROUNDS 400

.macro MODES number, first
    CHECK   \number
    lghi    %r10, ROUNDS
    lghi    %r3, 0
1:  lghi    %r2, -1
    lghi    %r4, 0
    la      %r11, \first(%r10)
    brasl   %r14, other_mode
    la      %r4, 0(%r2)     /* all ones, or 31 of them */
    sam64
    srlg    %r4, %r4, 31
    algr    %r3, %r4
    brctg   %r10, 1b
    EXPECT_REG %r3, 0x1ffffffff * ROUNDS / 2
.endm

    .data
    .balign 8
stack:
    .skip   8 * (DEPTH + 1)
    .text

    .balign 4096
tests:
    CHECK   1               /* each level adds its number behind its call */
    lghi    %r10, 36
1:  larl    %r15, stack
    lghi    %r2, DEPTH
    lghi    %r3, 0
    brasl   %r14, sum_down
    EXPECT_REG %r3, DEPTH * (DEPTH + 1) / 2
    brctg   %r10, 1b

    CHECK   2               /* two levels call, the innermost returns to the outermost's caller */
    lghi    %r10, ROUNDS
    lghi    %r3, 0
2:  brasl   %r13, call_leaver
    aghi    %r3, 1
    brasl   %r14, add_ten   /* a return that is one, above what never returned */
    brctg   %r10, 2b
    EXPECT_REG %r3, 11 * ROUNDS

    CHECK   3               /* every other time behind the next instruction */
    lghi    %r10, ROUNDS
    lghi    %r3, 0
3:  brasl   %r14, skip_odd
    aghi    %r3, 1
    aghi    %r3, 100
    brctg   %r10, 3b
    EXPECT_REG %r3, 100 * ROUNDS + ROUNDS / 2

    MODES   4, 0            /* in 31-bit mode every other time: what is translated there first */
    MODES   5, 1            /* is for the one mode or the other */

    CHECK   6               /* the callee changes what it returns to */
    lghi    %r10, ROUNDS
    lghi    %r3, 0
5:  larl    %r5, 6f
    brasl   %r14, change
6:  lhi     %r4, 0
    agfr    %r3, %r4
    brctg   %r10, 5b
    EXPECT_REG %r3, ROUNDS * (ROUNDS + 1) / 2

    CHECK   7               /* one branch to many places that no call was made from */
    lghi    %r10, ROUNDS
    lghi    %r3, 0
7:  lghi    %r5, 7
    ngr     %r5, %r10
    sllg    %r5, %r5, 3
    larl    %r1, places
    la      %r1, 0(%r5,%r1)
    brasl   %r14, add_ten
    br      %r1
    .balign 8
places:
    .irp    add, 1, 2, 3, 4, 5, 6, 7, 8
    aghi    %r3, \add
    j       8f
    .endr
8:  brctg   %r10, 7b
    EXPECT_REG %r3, ROUNDS * 10 + ROUNDS / 8 * 36
    j       pass

    .balign 4096
sum_down:
    ltgr    %r2, %r2
    bzr     %r14
    stg     %r14, 0(%r15)
    la      %r15, 8(%r15)
    aghi    %r2, -1
    brasl   %r14, sum_down
    aghi    %r2, 1
    agr     %r3, %r2
    aghi    %r15, -8
    lg      %r14, 0(%r15)
    br      %r14
call_leaver:
    brasl   %r14, leaver
    jg      fail
leaver:
    br      %r13
add_ten:
    aghi    %r3, 10
    br      %r14
skip_odd:
    tmll    %r10, 1
    bzr     %r14
    aghi    %r14, 4
    br      %r14
other_mode:
    tmll    %r11, 1
    bzr     %r14
    sam31
    br      %r14
change:
    sth     %r10, 2(%r5)
    br      %r14
