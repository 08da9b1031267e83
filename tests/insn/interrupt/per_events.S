/* Program-event recording: instruction fetching, successful branching and storage alteration,
 * their PER code, addressing-mode bits and PER address, alone and together with an exception.
 * Not here but in unit/cpu_per_test, as QEMU 7.2 is wrong about them: the old PSW of a branch (PoP
 * chapter 4: it holds the target), two events at once (each has its bit of the code),
 * the target of an EXECUTE (QEMU never ends). */
#include "insn.inc"

#define BRANCH 0x80000000
#define FETCH 0x40000000
#define STORE 0x20000000
#define TO_TARGET 0x00800000

/* The events of CR9 over [first, last], from PER_ON on. */
.macro WATCH events, first, last
    .pushsection .data
    .balign 8
77: .quad   \events, \first, \last
    .popsection
    larl    %r1, nothing
    lctlg   %c9, %c9, 0(%r1)
    larl    %r6, 77b
.endm

/* In this order, for QEMU's sake: it takes the area for stores over with LCTLG. */
.macro PER_ON
    stosm   T_SAVE+8(%r0), 0x40
    lctlg   %c9, %c11, 0(%r6)
.endm

/* \insn, labelled \label, runs with PER on and ends in program interruption \code, whose PER
 * address is that of the label. */
.macro EXPECT_PER label, code, insn
    larl    %r1, 78f
    stg     %r1, T_PGM_ADDR(%r0)
    mvhhi   0x96(%r0), 0
    PER_ON
\label:
    \insn
\label\()_end:
    nopr
    stnsm   T_SAVE+8(%r0), 0xbf
    jg      fail
78: mvc     T_PGM_ADDR(8,%r0), T_FAIL_ADDR(%r0)
    clhhsi  0x8e(%r0), \code
    jgne    fail
    larl    %r1, \label
    clg     %r1, 0x98(%r0)
    jgne    fail
.endm

/* PER code and ATMID of the 64-bit mode, DAT off. */
.macro EXPECT_EVENTS events
    clhhsi  0x96(%r0), (\events) << 8 | 0xe0
    jgne    fail
.endm

.macro EXPECT_OLD label
    larl    %r1, \label
    clg     %r1, 0x158(%r0)
    jgne    fail
.endm

tests:
    CHECK   1                       /* fetching; the instruction has been executed */
    WATCH   FETCH, p1, p1
    lghi    %r2, 0
    EXPECT_PER p1, 0x80, "lghi %r2, 5"
    EXPECT_ILC 4
    EXPECT_EVENTS 0x40
    EXPECT_OLD p1_end
    EXPECT_REG %r2, 5

    CHECK   2                       /* its first byte must lie in the area */
    WATCH   FETCH, p2_end, p2_end
    PER_ON
    lghi    %r2, 6
p2: stnsm   T_SAVE+8(%r0), 0xbf
p2_end:
    nopr
    WATCH   FETCH, p3 + 2, p3_end - 1
    PER_ON
p3: lgfi    %r2, 7
p3_end:
    stnsm   T_SAVE+8(%r0), 0xbf

    CHECK   4                       /* an area that wraps */
    WATCH   FETCH, 0x7fffffff00000000, p4
    EXPECT_PER p4, 0x80, "lgfi %r2, 8"
    EXPECT_ILC 6
    EXPECT_EVENTS 0x40

    CHECK   5                       /* together with an exception */
    WATCH   FETCH, p5, p5
    lghi    %r9, 0
    EXPECT_PER p5, 0x89, "dr %r2, %r9"
    EXPECT_ILC 2
    EXPECT_EVENTS 0x40
    EXPECT_OLD p5_end

    CHECK   7                       /* branching, to anywhere */
    WATCH   BRANCH, 0, 0
    EXPECT_PER p7, 0x80, "j p7_to"
    EXPECT_ILC 4
    EXPECT_EVENTS 0x80
    CHECK   8                       /* and to the area only */
    WATCH   BRANCH | TO_TARGET, p7_to, p7_to
    larl    %r4, p7_to
    EXPECT_PER p8, 0x80, "br %r4"
    EXPECT_EVENTS 0x80
    WATCH   BRANCH | TO_TARGET, p7_to, p7_to
    PER_ON
    j       p9
p9: cr      %r0, %r0
    jne     p7_to                   /* not taken */
    stnsm   T_SAVE+8(%r0), 0xbf
    CHECK   11                      /* storing: the last byte of the area */
    larl    %r4, area
    WATCH   STORE, area - 8, area
    EXPECT_PER p11, 0x80, "stg %r4, 0(%r4)"
    EXPECT_ILC 6
    EXPECT_EVENTS 0x20
    EXPECT_OLD p11_end
    CHECK   12
    WATCH   STORE, area, area
    EXPECT_PER p12, 0x80, "mvc 0(4,%r4), 8(%r4)"
    EXPECT_EVENTS 0x20
    CHECK   13                      /* beside it; and fetching is not storing */
    WATCH   STORE, area, area
    PER_ON
    stg     %r4, 8(%r4)
    lg      %r2, 0(%r4)
    mvc     16(8,%r4), 0(%r4)
    stnsm   T_SAVE+8(%r0), 0xbf
    j       pass

p7_to:
    stnsm   T_SAVE+8(%r0), 0xbf
    j       fail
    .balign 8
nothing:
    .quad   0
area:
    .quad   0, 0, 0
