/* The condition code that a program interruption finds: set in one round of a loop, asked for by nobody until an
 * operand at the loop's head is not there in the next, or one behind it, when what it was made from is there no
 * more. Rounds are many, so that loops become busy. */
#include "insn.inc"
#define ROUNDS 70000

/* %r9: storage; %r2: rounds left; %r4: 0, and 1 << 40 when none is left. No condition code is set. */
.macro COUNT
    lay     %r2, -1(%r2)
    lay     %r4, -1(%r2)
    srlg    %r4, %r4, 63
    sllg    %r4, %r4, 40
.endm

.macro BEGIN number, end
    CHECK   \number
    larl    %r1, \end
    stg     %r1, T_PGM_ADDR(%r0)
    lgfi    %r2, ROUNDS
    lghi    %r4, 0
    larl    %r9, data
.endm

/* The loop ended with an addressing exception; this was the condition code. */
.macro ENDED cc
    mvc     T_PGM_ADDR(8,%r0), T_FAIL_ADDR(%r0)
    clhhsi  0x8e(%r0), 5
    jgne    fail
    llgc    %r1, 0x152(%r0)
    nilf    %r1, 0x30
    chi     %r1, \cc << 4
    jgne    fail
.endm

/* The end of a round behind 1: which is the last one where the operand is not there; then ENDED. */
.macro LEAVES cc
    lg      %r5, 0(%r4,%r9)
    j       1b
2:  ENDED   \cc
.endm

tests:
    BEGIN   1, 2f                       /* a sum that overflows in the last round */
    lgfi    %r3, 0x7fffffff - ROUNDS + 1
1:  lg      %r5, 0(%r4,%r9)
    COUNT
    ahi     %r3, 1
    j       1b
2:  ENDED   3

    BEGIN   2, 2f                       /* a difference without sign */
    lghi    %r3, 0
    lghi    %r6, 3
1:  lg      %r5, 0(%r4,%r9)
    COUNT
    lgr     %r3, %r2
    slgr    %r3, %r6
    j       1b
2:  ENDED   1

    BEGIN   3, 4f                       /* two ways; the last round took the first */
    lghi    %r3, 5
    lghi    %r7, 4
1:  lg      %r5, 0(%r4,%r9)
    COUNT
    tmll    %r2, 1
    jz      2f
    ltgr    %r6, %r7
    j       3f
2:  cgr     %r7, %r3
3:  l       %r5, 0(%r9)
    j       1b
4:  ENDED   1

    BEGIN   4, 4f                       /* the same; it took the second */
    lgfi    %r2, ROUNDS + 1
    lghi    %r3, 5
    lghi    %r7, 4
1:  lg      %r5, 0(%r4,%r9)
    COUNT
    tmll    %r2, 1
    jnz     2f
    ltgr    %r6, %r7
    j       3f
2:  cgr     %r7, %r3
3:  l       %r5, 0(%r9)
    j       1b
4:  ENDED   2

    BEGIN   5, 2f                       /* with storage that is another by then */
    lghi    %r3, 9
    lghi    %r6, 0
1:  lg      %r5, 0(%r4,%r9)
    COUNT
    stg     %r3, 8(%r9)
    cg      %r6, 8(%r9)
    stg     %r6, 8(%r9)
    j       1b
2:  ENDED   1

    BEGIN   6, 2f                       /* a byte of it */
    lghi    %r3, 5
1:  lg      %r5, 0(%r4,%r9)
    COUNT
    stc     %r3, 8(%r9)
    cli     8(%r9), 1
    mvi     8(%r9), 1
    j       1b
2:  ENDED   2

    BEGIN   7, 3f                       /* a list that ends: the register is lost on that way */
    larl    %r8, list
    lgr     %r3, %r8
1:  lg      %r5, 0(%r4,%r9)
    COUNT
    ltg     %r3, 0(%r3)
    jnz     1b
    lgr     %r3, %r8
2:  l       %r5, 0(%r4,%r9)
    j       1b
3:  ENDED   0

    BEGIN   8, 2f                       /* asked for at the head, too */
    lghi    %r3, 0
    lghi    %r6, 0
    lgfi    %r7, ROUNDS
1:  ipm     %r5
    lg      %r8, 0(%r4,%r9)
    srl     %r5, 28
    alr     %r6, %r5
    COUNT
    cgr     %r2, %r7
    j       1b
2:  ENDED   1
    EXPECT_REG %r6, ROUNDS - 1          /* 1 for each round but the first */

    BEGIN   9, 3f                       /* loops in loops, each with its own */
    lghi    %r3, 0
    lghi    %r7, 0
1:  lghi    %r6, 3
2:  lg      %r5, 0(%r4,%r9)
    COUNT
    aghi    %r7, 1
    brct    %r6, 2b
    l       %r5, 4(%r4,%r9)
    aghi    %r3, -1
    j       1b
3:  ENDED   2
    EXPECT_REG %r7, ROUNDS

    CHECK   10                          /* one way stores it for an instruction that looks; the other asks */
    lgfi    %r2, ROUNDS
    lghi    %r4, 0
    larl    %r9, data
1:  lghi    %r6, 3
    ngr     %r6, %r2
    cgije   %r6, 3, 2f
    cgr     %r6, %r4
    je      3f
2:  ipm     %r7
    j       4f
3:  ipm     %r8
    srl     %r8, 28
    cijne   %r8, 0, fail
4:  lg      %r5, 0(%r9)
    brctg   %r2, 1b

    BEGIN   11, 2f                      /* operands that are gone: of a sum */
1:  COUNT
    lhi     %r3, -1
    lhi     %r6, 1
    alr     %r3, %r6
    lhi     %r3, 7
    lhi     %r6, 9
    LEAVES  2

    BEGIN   12, 2f                      /* with storage */
1:  COUNT
    lhi     %r3, -1
    al      %r3, 4(%r9)
    lhi     %r3, 7
    LEAVES  2

    BEGIN   13, 2f                      /* of a difference */
1:  COUNT
    lghi    %r3, 2
    lghi    %r6, 3
    slgr    %r3, %r6
    lghi    %r3, 0
    lghi    %r6, 0
    LEAVES  1

    BEGIN   14, 2f                      /* the second only; it overflows */
1:  COUNT
    llilh   %r3, 0x8000
    lhi     %r6, 1
    sr      %r3, %r6
    lhi     %r6, -1
    LEAVES  3

    BEGIN   15, 2f                      /* of a comparison */
1:  COUNT
    lghi    %r3, 3
    lghi    %r6, 5
    cgr     %r3, %r6
    lghi    %r3, 8
    lghi    %r6, 8
    LEAVES  1

    BEGIN   16, 2f                      /* with storage that is another, too */
1:  COUNT
    lghi    %r6, 9
    stg     %r6, 8(%r9)
    lghi    %r6, 10
    cg      %r6, 8(%r9)
    lghi    %r6, 0
    stg     %r6, 8(%r9)
    LEAVES  2

    BEGIN   17, 2f                      /* with zero */
1:  COUNT
    lghi    %r7, -5
    ltgr    %r6, %r7
    lghi    %r6, 0
    LEAVES  1

    BEGIN   18, 2f                      /* bits */
1:  COUNT
    lhi     %r3, 12
    lhi     %r6, 10
    nr      %r3, %r6
    lhi     %r3, 0
    LEAVES  1

    BEGIN   19, 2f                      /* a constant */
1:  COUNT
    llilh   %r3, 0x7fff
    oill    %r3, 0xffff
    ahi     %r3, 1
    lhi     %r3, 0
    LEAVES  3

    BEGIN   20, 2f                      /* both the same, and the result */
1:  COUNT
    llilh   %r3, 0x4000
    ar      %r3, %r3
    LEAVES  3

    CHECK   21                          /* carries for one who is not next */
    lgfi    %r2, ROUNDS
    larl    %r9, data
    lghi    %r7, 0
    lghi    %r8, 0
    lghi    %r5, 0
1:  lghi    %r3, -1
    stg     %r2, 8(%r9)
    alg     %r3, 8(%r9)
    stg     %r3, 16(%r9)
    alcgr   %r7, %r5
    slgr    %r3, %r2
    stg     %r3, 16(%r9)
    lghi    %r3, 0
    slbgr   %r8, %r3
    clgr    %r2, %r5
    stg     %r3, 16(%r9)
    alcgr   %r7, %r5
    clgr    %r3, %r2
    lghi    %r3, 5
    alcgr   %r7, %r3
    slgr    %r3, %r5
    stg     %r3, 16(%r9)
    slbgr   %r8, %r5
    brctg   %r2, 1b
    EXPECT_REG %r7, 7 * ROUNDS
    lcgr    %r8, %r8
    EXPECT_REG %r8, ROUNDS

    CHECK   22                          /* and none, but for the first round */
    lgfi    %r2, ROUNDS
    lghi    %r7, 0
    lghi    %r8, 0
    lghi    %r6, -1
1:  lghi    %r3, 1
    stg     %r6, 8(%r9)
    alg     %r3, 8(%r9)
    stg     %r3, 16(%r9)
    alcgr   %r7, %r5
    slg     %r3, 8(%r9)
    stg     %r3, 16(%r9)
    slbgr   %r8, %r5
    lghi    %r6, 7
    brctg   %r2, 1b
    EXPECT_REG %r7, 1
    lcgr    %r8, %r8
    EXPECT_REG %r8, 1
    j       pass

    .data
    .balign 8
data:
    .quad   1, 0, 0
list:
    .quad   list + 8, list + 16, list + 24, 0
