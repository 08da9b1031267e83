/* Loops that are busy while the FPC allows everything and has its inexact flag on: then without the flag, with another
 * rounding mode, with a mask, set before the loop and by an instruction in it.
 * reloc: no, step has relocations enough */
#include "insn.inc"

#define ROUNDS 200000
#define INEXACT 0x00080000
#define UPWARD 0x00080002
#define NEAREST_THIRD 0x3fd5555555555555
#define UPPER_THIRD 0x3fd5555555555556

    .data
    .balign 8
one:
    .double 1
three:
    .double 3
    .text

/* %f4 = %f0 / %f2, %r1 times. */
    .balign 64
divide:
    ldr     %f4, %f0
    ddbr    %f4, %f2
    brctg   %r1, divide
    br      %r14

/* The same with the FPC from %r10. */
    .balign 64
divide_by:
    sfpc    %r10
    ldr     %f4, %f0
    ddbr    %f4, %f2
    brctg   %r1, divide_by
    br      %r14

/* From an integer, and from long to short. */
    .balign 64
convert:
    cdgbr   %f4, %r3
    ledbr   %f6, %f4
    brctg   %r1, convert
    br      %r14

.macro CALL what, rounds, fpc
    lgfi    %r10, \fpc
    sfpc    %r10
    lgfi    %r1, \rounds
    brasl   %r14, \what
.endm

.macro EXPECT_FPC value
    efpc    %r4
    llgfr   %r4, %r4
    EXPECT_REG %r4, \value
.endm

.macro EXPECT_F4 value
    lgdr    %r5, %f4
    EXPECT_REG %r5, \value
.endm

tests:
    larl    %r2, one
    ld      %f0, 0(%r2)
    ld      %f2, 8(%r2)

    CHECK   1
    CALL    divide, ROUNDS, 0
    EXPECT_FPC INEXACT
    EXPECT_F4 NEAREST_THIRD
    CALL    divide, ROUNDS, INEXACT
    EXPECT_FPC INEXACT
    CALL    divide, 1, 0                /* the flag is set again */
    EXPECT_FPC INEXACT
    CALL    divide, 1, UPWARD
    EXPECT_F4 UPPER_THIRD
    EXPECT_FPC UPWARD
    CALL    divide, ROUNDS, INEXACT
    EXPECT_F4 NEAREST_THIRD

    CHECK   2                           /* ... as often as one likes */
    lgfi    %r9, 300
1:  CALL    divide, 1, 0
    EXPECT_FPC INEXACT
    CALL    divide, 2, UPWARD
    EXPECT_F4 UPPER_THIRD
    CALL    divide, 1, INEXACT
    EXPECT_F4 NEAREST_THIRD
    brctg   %r9, 1b

    CHECK   3                           /* a trap */
    CALL    divide, ROUNDS, INEXACT
    EXPECT_PGM 7, "CALL divide, 1, 0x08080000" /* the mask, too */
    lghi    %r10, 0
    sfpc    %r10

    CHECK   4                           /* by an instruction in the loop */
    lgfi    %r9, 3
2:  CALL    divide_by, ROUNDS, INEXACT
    EXPECT_F4 NEAREST_THIRD
    lgfi    %r10, UPWARD
    lghi    %r1, 1
    brasl   %r14, divide_by
    EXPECT_F4 UPPER_THIRD
    lghi    %r10, 0
    lghi    %r1, 1
    brasl   %r14, divide_by
    EXPECT_F4 NEAREST_THIRD
    EXPECT_FPC INEXACT
    brctg   %r9, 2b

    CHECK   5
    SETREG  %r3, 0x0020000000000001     /* between two long numbers */
    CALL    convert, ROUNDS, INEXACT
    EXPECT_F4 0x4340000000000000
    CALL    convert, 1, 0
    EXPECT_FPC INEXACT
    CALL    convert, 1, UPWARD
    EXPECT_F4 0x4340000000000001
    lgdr    %r5, %f6
    srlg    %r5, %r5, 32
    EXPECT_REG %r5, 0x5a000001
    j       pass
