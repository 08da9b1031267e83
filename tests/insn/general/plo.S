/* PERFORM LOCKED OPERATION: all 24 function codes with both comparisons equal, the first unequal, the second
 * unequal. Registers, condition codes and all of storage go into one sum, which Hercules 3.13 gives as well.
 * qemu: no, it has no PLO
 */
#include "insn.inc"

#define PGM_ADDRESSING 5
#define PGM_SPECIFICATION 6
#define AREA 0x20000            /* operands 2, 4, 6, 8 of 16 bytes each; behind them the list */
#define LIST (AREA + 64)
#define AREA_WORDS 28           /* doublewords of both */

    .data
    .balign 8
template:
    .fill   16, 1, 0x11
    .fill   16, 1, 0x33
    .fill   16, 1, 0x66
    .fill   16, 1, 0x88
    .fill   16, 1, 0x11         /* operand 1: to compare, to replace */
    .fill   16, 1, 0x22
    .fill   16, 1, 0x33         /* operand 3: the same */
    .fill   16, 1, 0x44
    .quad   0, AREA + 16        /* ALET and address of operand 4; operand 5; and so on */
    .fill   16, 1, 0x55
    .quad   0, AREA + 32
    .fill   16, 1, 0x77
    .quad   0, AREA + 48
    .fill   16, 1, 0
want:
    .quad   0x97756192df65c592

    .text
/* Add register 1 to the sum in register 12. */
mix:
    rllg    %r12, %r12, 7
    algr    %r12, %r1
    br      %r14

/* Code in r10, variant in r11; execute, then sum up. */
one:
    lgr     %r13, %r14
    llilf   %r8, AREA
    larl    %r1, template
    mvc     0(AREA_WORDS * 8, %r8), 0(%r1)
    chi     %r11, 1
    jne     1f
    mvi     3(%r8), 0x99        /* the last byte of the shortest */
1:  chi     %r11, 2
    jne     1f
    mvi     19(%r8), 0x98
1:  lg      %r2, 64(%r8)
    lg      %r3, 80(%r8)
    lg      %r4, 96(%r8)
    lg      %r5, 112(%r8)
    llilf   %r9, LIST
    tml     %r10, 1             /* odd codes and those above 15 have a list */
    jnz     1f
    chi     %r10, 16
    jhe     1f
    llilf   %r9, AREA + 16
1:  lgr     %r0, %r10
    plo     %r2, 0(%r8), %r4, 0(%r9)
    lghi    %r1, 0
    ipm     %r1
    brasl   %r14, mix
    lgr     %r1, %r2
    brasl   %r14, mix
    lgr     %r1, %r3
    brasl   %r14, mix
    lgr     %r1, %r4
    brasl   %r14, mix
    lgr     %r1, %r5
    brasl   %r14, mix
    lghi    %r2, AREA_WORDS
1:  lg      %r1, 0(%r8)
    brasl   %r14, mix
    la      %r8, 8(%r8)
    brctg   %r2, 1b
    br      %r13

tests:
    CHECK   1
    lghi    %r12, 0
    lghi    %r10, 0
1:  lghi    %r11, 0
2:  brasl   %r14, one
    aghi    %r11, 1
    chi     %r11, 3
    jl      2b
    aghi    %r10, 1
    chi     %r10, 24
    jl      1b
    larl    %r1, want
    cg      %r12, 0(%r1)
    jgne    fail

    CHECK   2                   /* odd registers, operands and lists off their boundaries */
    llilf   %r8, AREA
    llilf   %r9, LIST
    lghi    %r0, 4
    EXPECT_PGM PGM_SPECIFICATION, "plo %r3, 0(%r8), %r4, 0(%r9)"
    EXPECT_ILC 6
    EXPECT_PGM PGM_SPECIFICATION, "plo %r2, 2(%r8), %r4, 0(%r9)"
    lghi    %r0, 8
    EXPECT_PGM PGM_SPECIFICATION, "plo %r2, 0(%r8), %r5, 0(%r9)"
    EXPECT_PGM PGM_SPECIFICATION, "plo %r2, 0(%r8), %r4, 2(%r9)"
    lghi    %r0, 5
    EXPECT_PGM PGM_SPECIFICATION, "plo %r2, 0(%r8), %r4, 4(%r9)"
    EXPECT_PGM PGM_SPECIFICATION, "plo %r2, 4(%r8), %r4, 0(%r9)"
    lghi    %r0, 7
    EXPECT_PGM PGM_SPECIFICATION, "plo %r2, 8(%r8), %r4, 0(%r9)"
    lghi    %r0, 24
    EXPECT_PGM PGM_SPECIFICATION, "plo %r2, 0(%r8), %r4, 0(%r9)"

    CHECK   3                   /* operand 8 is not there: nothing is stored */
    larl    %r1, template
    mvc     0(AREA_WORDS * 8, %r8), 0(%r1)
    SETREG  %r1, 0x20000000
    stg     %r1, 136(%r9)
    lghi    %r0, 21
    EXPECT_PGM PGM_ADDRESSING, "plo %r2, 0(%r8), %r4, 0(%r9)"
    lg      %r1, 0(%r8)
    EXPECT_REG %r1, 0x1111111111111111
    lg      %r1, 16(%r8)
    EXPECT_REG %r1, 0x3333333333333333
    j       pass
