/* Calls and returns so busy that translated code follows them into other pages: returns to elsewhere,
 * code stored into on the way, stack frames across pages, exceptions in what was called.
 * ipl: --model max */
#include "insn.inc"

#define BUSY 11000              /* executions until that is done (cpu/jit/jit.c) */
#define PGM_DATA 7
#define PGM_OLD_ADDR 0x158
#define BREAKING_EVENT 0x110

    .data
    .balign 4096
    .fill   8192, 1, 0x11
stack:                          /* at a page's beginning; it grows towards lower addresses */
    .fill   4096, 1, 0x11
    .text

/* r2 = what the calls add up to in r3 rounds; r6, r7 must stay. */
    .balign 4096
rounds:
    stg     %r14, T_SAVE(%r0)
    lghi    %r2, 0
    lghi    %r6, 66
    lghi    %r7, 77
1:  brasl   %r14, outer
    brasl   %r14, leaf
    brasl   %r14, skipping
    aghi    %r2, 1000           /* left out when the count is odd */
    brctg   %r3, 1b
    clgfi   %r6, 66
    jgne    fail
    clgfi   %r7, 77
    jgne    fail
    lg      %r14, T_SAVE(%r0)
    br      %r14

    .balign 4096
outer:
    stmg    %r6, %r15, 48(%r15)
    lay     %r15, -160(%r15)
    lgr     %r6, %r2
    lghi    %r7, 2
    brasl   %r14, leaf
    agr     %r2, %r7
    clgfi   %r3, 50
    jne     1f
    brasl   %r14, change        /* stores into this page, or another that is in use */
1:  lg      %r4, 272(%r15)
    lmg     %r6, %r15, 208(%r15)
    br      %r4
change_leaf:
    larl    %r1, leaf
    mvhhi   2(%r1), 5
    br      %r14
change_outer:
    larl    %r1, outer
    mvhhi   18(%r1), 4          /* of LGHI r7 */
    br      %r14
change_nothing:
    br      %r14

    .balign 4096
leaf:
    aghi    %r2, 3
    br      %r14
skipping:
    tmll    %r3, 1
    je      1f
    la      %r14, 4(%r14)
1:  br      %r14
change:
    lgrl    %r1, changer
    br      %r1
trapping:                       /* at the last round */
    cgijne  %r3, 1, 1f
trap:
    cgite   %r3, 1
1:  br      %r14

    .balign 4096
depth:                          /* r2 = r3 + (r3 - 1) + ... */
    lghi    %r2, 0
    cgije   %r3, 0, 1f
    stmg    %r10, %r15, 80(%r15)
    lay     %r15, -168(%r15)
    lgr     %r10, %r3
    aghi    %r3, -1
    brasl   %r14, depth
    agr     %r2, %r10
    lmg     %r10, %r15, 248(%r15)
1:  br      %r14

    .data
    .balign 8
changer:
    .quad   change_nothing
    .text

/* A round adds 3 + 2 + 3, and 1000 when the count is even. */
#define SUM(rounds) ((rounds) * 8 + (rounds) / 2 * 1000)

    .balign 4096
tests:
    SETREG  %r15, stack - 1024
    CHECK   1
    SETREG  %r3, BUSY
    brasl   %r14, rounds
    EXPECT_REG %r2, SUM(BUSY)
    SETREG  %r3, BUSY
    brasl   %r14, rounds
    EXPECT_REG %r2, SUM(BUSY)

    CHECK   2                   /* what is called has changed between two calls */
    larl    %r1, leaf
    mvhhi   2(%r1), 4
    lghi    %r3, 100
    brasl   %r14, rounds
    EXPECT_REG %r2, SUM(100) + 200
    larl    %r1, leaf
    mvhhi   2(%r1), 3
    SETREG  %r3, BUSY
    brasl   %r14, rounds
    EXPECT_REG %r2, SUM(BUSY)

    CHECK   3                   /* it changes in the 50th round from the end, by a deeper call */
    larl    %r1, change_leaf
    stgrl   %r1, changer
    SETREG  %r3, BUSY
    brasl   %r14, rounds
    EXPECT_REG %r2, SUM(BUSY) + 49 * 4 + 2
    larl    %r1, leaf
    mvhhi   2(%r1), 3
    larl    %r1, change_nothing
    stgrl   %r1, changer
    SETREG  %r3, BUSY
    brasl   %r14, rounds
    EXPECT_REG %r2, SUM(BUSY)

    CHECK   4                   /* so does the page that is executing */
    larl    %r1, change_outer
    stgrl   %r1, changer
    SETREG  %r3, BUSY
    brasl   %r14, rounds
    EXPECT_REG %r2, SUM(BUSY) + 49 * 2
    larl    %r1, outer
    mvhhi   18(%r1), 2
    larl    %r1, change_nothing
    stgrl   %r1, changer

    CHECK   5                   /* frames at all places around a page's end */
    SETREG  %r8, stack
    lghi    %r9, 60
1:  lgr     %r15, %r8
    lghi    %r3, 20
    brasl   %r14, rounds
    EXPECT_REG %r2, SUM(20)
    clgr    %r15, %r8
    jgne    fail
    aghi    %r8, 8
    brctg   %r9, 1b
    SETREG  %r15, stack + 72
    SETREG  %r3, BUSY
    brasl   %r14, rounds
    EXPECT_REG %r2, SUM(BUSY)

    CHECK   6                   /* recursion over several pages of stack */
    lghi    %r9, 500
1:  SETREG  %r15, stack + 1000
    lghi    %r3, 40
    brasl   %r14, depth
    EXPECT_REG %r2, 820
    EXPECT_REG %r15, stack + 1000
    brctg   %r9, 1b

    CHECK   7                   /* an exception in another page: its address, the breaking event */
    larl    %r1, caught
    stg     %r1, T_PGM_ADDR(%r0)
    SETREG  %r3, BUSY
1:  brasl   %r14, trapping
    brctg   %r3, 1b
    jg      fail
caught:
    clhhsi  0x8e(%r0), PGM_DATA
    jgne    fail
    lg      %r1, PGM_OLD_ADDR(%r0)
    EXPECT_REG %r1, trap + 6
    lg      %r1, BREAKING_EVENT(%r0)
    EXPECT_REG %r1, 1b
    mvc     T_PGM_ADDR(8,%r0), T_FAIL_ADDR(%r0)
    j       pass
