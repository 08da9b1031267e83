/* Calls of what a register points to and jumps by a table, so busy that translated code follows them to several places:
 * targets in this page and in another, targets that change what they are, a target that ends in an exception, another
 * addressing mode, targets met only at the end, and the breaking-event address behind each.
 * ipl: --model max */
#include "insn.inc"

#define BUSY 40000              /* more than the executions until that is done (cpu/jit/jit.c) */
#define PGM_DATA 7
#define PGM_OLD_ADDR 0x158
#define BREAKING_EVENT 0x110

    .balign 4096
/* r2 = what r3 rounds of calls add up to: by r3 modulo 4 what `callees` says. */
rounds:
    stg     %r14, T_SAVE(%r0)
    lghi    %r2, 0
    larl    %r5, callees
1:  lghi    %r1, 3
    ngr     %r1, %r3
    sllg    %r1, %r1, 3
    lg      %r1, 0(%r1,%r5)
call:
    basr    %r14, %r1
    brctg   %r3, 1b
    lg      %r14, T_SAVE(%r0)
    br      %r14
add_one:
    aghi    %r2, 1
    br      %r14

/* The same with a jump by a table. */
switches:
    lghi    %r2, 0
    larl    %r5, cases
1:  lghi    %r1, 3
    ngr     %r1, %r3
    sllg    %r1, %r1, 3
    b       0(%r1,%r5)
cases:
    aghi    %r2, 1
    j       2f
    aghi    %r2, 20
    j       2f
    aghi    %r2, 300
    j       2f
    jg      far_case
2:
switched:
    brctg   %r3, 1b
    br      %r14

/* In the last round to where it never led before, which asks for the condition code of the comparison
 * before the jump: 1. */
asking:
    lghi    %r2, 0
    larl    %r5, answers
1:  lghi    %r1, 3
    ngr     %r1, %r3
    sllg    %r1, %r1, 3
    cgijne  %r3, 1, 3f
    lghi    %r1, 32
3:  cghi    %r1, 100
    b       0(%r1,%r5)
answers:
    .rept   4
    aghi    %r2, 1
    j       2f
    .endr
    ipm     %r0
    srl     %r0, 28
    ar      %r2, %r0
2:  brctg   %r3, 1b
    br      %r14

/* And so does what is called. */
calling:
    stg     %r14, T_SAVE(%r0)
    lghi    %r2, 0
    larl    %r5, callees
1:  lghi    %r1, 3
    ngr     %r1, %r3
    sllg    %r1, %r1, 3
    lg      %r4, 0(%r1,%r5)
    cgijne  %r3, 1, 3f
    larl    %r4, add_cc
3:  cghi    %r1, 100
    basr    %r14, %r4
    brctg   %r3, 1b
    lg      %r14, T_SAVE(%r0)
    br      %r14

    .balign 4096
add_ten:
    aghi    %r2, 10
    br      %r14
add_hundred:
    aghi    %r2, 100
    br      %r14
twice:                          /* returns behind the next call of its own */
    lgr     %r12, %r14
    larl    %r1, add_ten
    basr    %r14, %r1
    larl    %r1, add_hundred
    basr    %r14, %r1
    br      %r12
trapping:                       /* at the last round but one */
    aghi    %r2, 1
    cgijne  %r3, 2, 1f
trap:
    cgite   %r3, 2
1:  br      %r14
narrow:                         /* comes back in 31-bit mode, and the caller goes on so */
    aghi    %r2, 1
    sam31
    br      %r14
wide:
    aghi    %r2, 1
    sam64
    llgtr   %r14, %r14
    br      %r14
far_case:
    aghi    %r2, 4000
    jg      switched
add_cc:
    ipm     %r0
    srl     %r0, 28
    ar      %r2, %r0
    br      %r14

    .data
    .balign 8
callees:
    .skip   32
    .text

.macro CALLEES a, b, c, d
    larl    %r1, callees
    .irp    of, \a, \b, \c, \d
    larl    %r0, \of
    stg     %r0, 0(%r1)
    la      %r1, 8(%r1)
    .endr
.endm

    .balign 4096
tests:
    CHECK   1                   /* two places, as of a sort that is told how to compare */
    CALLEES add_one, add_ten, add_one, add_ten
    SETREG  %r3, BUSY
    brasl   %r14, rounds
    EXPECT_REG %r2, BUSY / 2 * 11

    CHECK   2                   /* others, later; four of them */
    CALLEES add_hundred, add_one, twice, add_ten
    SETREG  %r3, BUSY
    brasl   %r14, rounds
    EXPECT_REG %r2, BUSY / 4 * (100 + 1 + 110 + 10)

    CHECK   3                   /* one of them is changed */
    larl    %r1, add_ten
    mvhhi   2(%r1), 7
    SETREG  %r3, BUSY
    brasl   %r14, rounds
    EXPECT_REG %r2, BUSY / 4 * (100 + 1 + 107 + 7)
    larl    %r1, add_ten
    mvhhi   2(%r1), 10

    CHECK   4                   /* and there the mode changes twice a round */
    CALLEES narrow, wide, narrow, wide
    SETREG  %r3, BUSY
    brasl   %r14, rounds
    EXPECT_REG %r2, BUSY

    CHECK   5                   /* an exception in what is called, and what has branched there */
    CALLEES trapping, add_one, trapping, add_one
    larl    %r1, caught
    stg     %r1, T_PGM_ADDR(%r0)
    SETREG  %r3, BUSY
    brasl   %r14, rounds
    jg      fail
caught:
    clhhsi  0x8e(%r0), PGM_DATA
    jgne    fail
    lg      %r1, PGM_OLD_ADDR(%r0)
    EXPECT_REG %r1, trap + 6
    lg      %r1, BREAKING_EVENT(%r0)
    EXPECT_REG %r1, call
    mvc     T_PGM_ADDR(8,%r0), T_FAIL_ADDR(%r0)
    EXPECT_REG %r2, BUSY - 1
    EXPECT_REG %r3, 2

    CHECK   6                   /* a table, with one case in another page */
    SETREG  %r3, BUSY
    brasl   %r14, switches
    EXPECT_REG %r2, BUSY / 4 * 4321
    SETREG  %r3, BUSY
    brasl   %r14, switches
    EXPECT_REG %r2, BUSY / 4 * 4321

    CHECK   7                   /* the condition code from before the jump, or the call */
    SETREG  %r3, BUSY
    brasl   %r14, asking
    EXPECT_REG %r2, BUSY - 1 + 1
    SETREG  %r3, BUSY
    brasl   %r14, asking
    EXPECT_REG %r2, BUSY - 1 + 1
    CHECK   8
    CALLEES add_one, add_ten, add_one, add_ten
    SETREG  %r3, BUSY
    brasl   %r14, calling
    EXPECT_REG %r2, BUSY / 2 * 11 - 10 + 1
    SETREG  %r3, BUSY
    brasl   %r14, calling
    EXPECT_REG %r2, BUSY / 2 * 11 - 10 + 1
    j       pass
