/* Carries and borrows that go on behind a constant: what ADD LOGICAL, SUBTRACT LOGICAL and COMPARE
 * LOGICAL leave is asked for by ADD LOGICAL WITH CARRY, SUBTRACT LOGICAL WITH BORROW, a branch and
 * a move, each with LOAD IMMEDIATE in between; INSERT PROGRAM MASK says what is right
 * (PoP chapter 7, "ADD LOGICAL WITH CARRY"). */
#include "insn.inc"

#define ROUNDS 4

    .data
    .balign 8
values:
    .quad   0, 1, -1, 0x8000000000000000, 0x7fffffffffffffff, 0x100000000, 0xffffffff, 0x80000000
values_end:
    .balign 4096
    .skip   4092                /* operands across a page's end: the slow way */
across:
    .quad   0
    .text

/* r2 and r3 are the operands, copied to r4 for each; r5 is the condition code. */
.macro TRY insn
    lgr     %r4, %r2
    \insn
    ipm     %r5
    srl     %r5, 28
    lgr     %r4, %r2
    \insn
    lghi    %r6, 0
    alcgr   %r6, %r6            /* bit 1 of the condition code */
    llgfr   %r7, %r5
    srlg    %r7, %r7, 1
    cgrjne  %r6, %r7, fail
    lgr     %r4, %r2
    \insn
    lhi     %r6, 5
    alcr    %r6, %r6
    ahi     %r7, 10
    crjne   %r6, %r7, fail
    lgr     %r4, %r2
    \insn
    lghi    %r6, 0
    slbgr   %r6, %r6            /* minus one without it */
    aghi    %r7, -11
    cgrjne  %r6, %r7, fail
    lgr     %r4, %r2
    \insn
    lghi    %r4, 1
    lghi    %r6, 2
    jnle    1f
    lghi    %r6, 0
1:  ngr     %r6, %r6
    jz      2f
    tmll    %r5, 2              /* some ways out of four: 2 or 3 */
    jz      fail
2:  lgr     %r4, %r2
    \insn
    lghi    %r6, 0
    lghi    %r8, 1
    locgre  %r6, %r8
    lghi    %r8, 0
    cghi    %r5, 0
    jne     3f
    lghi    %r8, 1
3:  cgrjne  %r6, %r8, fail
.endm

tests:
    larl    %r14, across
    lghi    %r15, ROUNDS
rounds:
    larl    %r9, values
first:
    lg      %r2, 0(%r9)
    larl    %r10, values
second:
    lg      %r3, 0(%r10)
    stg     %r3, 0(%r14)

    CHECK   1
    TRY     "algr %r4, %r3"
    CHECK   2
    TRY     "slgr %r4, %r3"
    CHECK   3
    TRY     "clgr %r4, %r3"
    CHECK   4
    TRY     "alr %r4, %r3"
    CHECK   5
    TRY     "slr %r4, %r3"
    CHECK   6
    TRY     "clr %r4, %r3"
    CHECK   7
    TRY     "alg %r4, 0(%r14)"
    CHECK   8
    TRY     "slg %r4, 0(%r14)"
    CHECK   9
    TRY     "clg %r4, 0(%r14)"
    CHECK   10
    TRY     "algfi %r4, 0x80000001"
    CHECK   11
    TRY     "clgfi %r4, 0xffffffff"
    CHECK   12
    TRY     "stg %r2, 0(%r14); algsi 0(%r14), 1"
    CHECK   13
    TRY     "stg %r2, 0(%r14); alsi 0(%r14), -1"

    aghi    %r10, 8
    larl    %r11, values_end
    cgrjl   %r10, %r11, second_far
    aghi    %r9, 8
    cgrjl   %r9, %r11, first_far
    brct    %r15, rounds_far
    j       pass
second_far:
    jg      second
first_far:
    jg      first
rounds_far:
    jg      rounds
