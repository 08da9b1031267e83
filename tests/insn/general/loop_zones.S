/* A way back into a loop that has its registers elsewhere: the translated code leaves there when its budget is spent, and has
 * to make the condition code again of registers that nobody else needs in that loop. Seen by lockstep, whose stretches
 * end there; rounds are many, so that the loops become busy. */
#include "insn.inc"
#define ROUNDS 30000

tests:
    CHECK   1
    larl    %r9, data
    lgfi    %r0, ROUNDS
    lghi    %r4, 5
1:  chi     %r4, 8                      /* the inner loop: it makes %r7 and %r8 anew */
    je      2f
    ahi     %r4, 1
    lgr     %r7, %r1
    lgr     %r8, %r14
    ogr     %r6, %r1
    ogr     %r14, %r13
    sgr     %r2, %r1
    sgr     %r15, %r8
    ogr     %r6, %r13
    cvd     %r2, 24(%r9)
    j       1b
2:  lghi    %r4, 5
    brctg   %r0, 6f
    j       pass
6:  lghi    %r5, 4
    j       7f
7:  agr     %r10, %r2                   /* a loop with registers of its own */
    agr     %r6, %r15
    xgr     %r1, %r12
    sgr     %r2, %r13
    sgr     %r14, %r3
    lgr     %r2, %r1
    sgr     %r14, %r3
    ogr     %r13, %r15
    lgr     %r15, %r12
    sgr     %r3, %r15
    brctg   %r5, 7b
    j       3f
3:  lghi    %r7, 0                      /* this part's condition code is made of %r7 and %r8, */
    lghi    %r8, 2
    lghi    %r3, 7
    xgr     %r12, %r2
    lgr     %r12, %r13
    ogr     %r12, %r6
    xgr     %r2, %r6
    clr     %r7, %r8
    jhe     5f
4:  ahi     %r7, 1
    clfi    %r3, 9
    jh      fail
    xgr     %r6, %r13
    xgr     %r2, %r13
    agr     %r15, %r12
    clr     %r7, %r8
    jl      4b
5:  stg     %r13, 8(%r9)                /* ... and nobody here asks for it before CHI sets it again */
    stg     %r15, 16(%r9)
    j       1b

    .data
    .balign 8
data:
    .quad   1, 0, 0, 0, 0, 0
