/* Loops within a loop that need more than ten registers together, so that translated code keeps other
 * ones in host registers inside than outside. Each ends in a comparison, the second one on its way back to the
 * outer loop, whose condition code is wanted only when the budget is spent there, which lockstep compares.
 * All results are made twice and must agree.
 * reloc: no, step has relocations enough
 * ipl: --model max */
#include "insn.inc"

#define ROUNDS 700
#define INNER 37

/* The sums r2-r5 by r6-r9 in one loop, then r8-r12 in another; all are used outside. */
.macro LOOPS compare, count, step
    SETREG  %r2, 3
    SETREG  %r3, 5
    SETREG  %r4, 7
    SETREG  %r5, 11
    SETREG  %r6, 0x123456789
    SETREG  %r7, 0x0fedcba98
    SETREG  %r8, 0x111111111
    SETREG  %r9, 0x222222222
    SETREG  %r10, 1
    SETREG  %r11, 2
    SETREG  %r12, 4
    lghi    %r13, ROUNDS
0:  aghi    %r13, -1
    jm      9f
    .irp    reg, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
    aghi    %r\reg, 77
    xgr     %r\reg, %r13
    agr     %r\reg, %r\reg
    .endr
    lghi    %r0, 0
    lghi    %r1, \count
1:  agr     %r2, %r6
    xgr     %r3, %r2
    agr     %r4, %r3
    xgr     %r5, %r4
    agr     %r6, %r5
    \step  %r0, 1
    c\compare   %r0, %r1
    jl      1b
    agr     %r7, %r6
    agr     %r8, %r7
    lghi    %r0, 0
2:  agr     %r8, %r9
    xgr     %r9, %r10
    agr     %r10, %r11
    xgr     %r11, %r12
    agr     %r12, %r8
    \step  %r0, 1
    c\compare   %r1, %r0
    jnh     0b
    sgr     %r8, %r10
    j       2b
9:
.endm

.macro TWICE number, compare, step
    CHECK   \number
    LOOPS   \compare, INNER, \step
    larl    %r1, results
    stmg    %r2, %r12, 0(%r1)
    LOOPS   \compare, INNER, \step
    larl    %r1, results
    .irp    reg, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
    clg     %r\reg, 8 * (\reg - 2)(%r1)
    jne     fail
    .endr
.endm

    .data
    .balign 8
results:
    .skip   88
    .text

    .balign 4096
tests:
    TWICE   1, r, ahi
    TWICE   2, gr, aghi
    TWICE   3, lr, ahi
    TWICE   4, lgr, aghi
    j       pass
