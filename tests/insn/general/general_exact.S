/* What QEMU 7.2 does not do, or does not do right.
 * qemu: no, overflow interruptions, odd EXECUTE targets, the test bit of RxSBG, STMH and LMD,
 * LA and BASSM outside the 64-bit mode,
 * a store into the instruction that is branched to, boundaries of relative operands,
 * CPYA, which copies something else there
 * ipl: --model max */
#include "insn.inc"

#define PGM_SPECIFICATION 6
#define PGM_FIXED_OVERFLOW 8

    .data
    .balign 8
pair:
    .quad   0x0000000500000006, 0

    .text
tests:
    CHECK   1                   /* fixed-point overflow under the program mask */
    SETREG  %r1, 0x08000000
    spm     %r1
    SETREG  %r2, 0x7fffffff
    lghi    %r3, 1
    EXPECT_PGM PGM_FIXED_OVERFLOW, "ar %r2, %r3"
    EXPECT_ILC 2
    EXPECT_REG %r2, 0x80000000
    lghi    %r1, 0
    spm     %r1
    SETREG  %r2, 0x7fffffff
    ar      %r2, %r3
    EXPECT_CC 3

    CHECK   2
    EXPECT_PGM PGM_SPECIFICATION, "ex %r0, 1(%r0)"
    EXPECT_ILC 4

    CHECK   3                   /* the test bit: nothing changes but the condition code */
    lghi    %r2, 0xff
    lghi    %r4, 0x0f
    rosbg   %r2, %r4, 128+56, 63, 0
    EXPECT_CC 1
    rnsbg   %r2, %r4, 128+56, 59, 0
    EXPECT_CC 0
    rxsbg   %r2, %r2, 128+0, 63, 0
    EXPECT_CC 0
    EXPECT_REG %r2, 0xff

    CHECK   4
    larl    %r1, pair
    SETREG  %r2, 0x0000000300000001
    SETREG  %r3, 0x0000000400000001
    stmh    %r2, %r3, 8(%r1)
    lg      %r4, 8(%r1)
    EXPECT_REG %r4, 0x0000000300000004
    lmd     %r4, %r5, 0(%r1), 8(%r1)
    EXPECT_REG %r4, 0x0000000500000003
    EXPECT_REG %r5, 0x0000000600000004
    CHECK   5                   /* addresses leave bits 0-31 alone outside the 64-bit mode */
    SETREG  %r1, 0xffffffffffffffff
    sam31
    la      %r1, 1(%r1)
    sam64
    EXPECT_REG %r1, 0xffffffff00000000
    CHECK   6                   /* into the 24-bit mode and back */
    SETREG  %r3, mode24
    bassm   %r2, %r3
2:  EXPECT_REG %r2, 2b + 1
    j       1f
mode24:                         /* in the 24-bit mode */
    SETREG  %r4, 0x12345678
    la      %r4, 0(%r4)
    bsm     %r0, %r2
1:  llgfr   %r4, %r4
    EXPECT_REG %r4, 0x345678
    /* Chapter 5, "Conceptual Sequence": an instruction fetched after a store by this CPU at the
     * same logical address is the one that was stored, whether or not it was fetched before. */
    CHECK   7                   /* an instruction stored into, branched to and in a loop */
    lghi    %r4, 0
    lghi    %r5, 3
1:  larl    %r1, stored
    mvhhi   2(%r1), 7
    j       stored
stored:
    aghi    %r4, 1
    mvhhi   2(%r1), 1
    brctg   %r5, 1b
    EXPECT_REG %r4, 21
    CHECK   8                   /* the very next instruction, and the target of EXECUTE */
    lghi    %r4, 0
    lghi    %r5, 3
    larl    %r1, following
1:  mvhhi   2(%r1), 5
following:
    aghi    %r4, 1
    mvhhi   2(%r1), 2
    ex      %r0, 0(%r1)
    brctg   %r5, 1b
    EXPECT_REG %r4, 21
    CHECK   9                   /* relative operands on their boundaries */
    EXPECT_PGM PGM_SPECIFICATION, "lrl %r2, pair + 2"
    EXPECT_ILC 6
    EXPECT_PGM PGM_SPECIFICATION, "lgrl %r2, pair + 4"
    EXPECT_PGM PGM_SPECIFICATION, "clrl %r2, pair + 2"
    EXPECT_PGM PGM_SPECIFICATION, "stgrl %r2, pair + 4"
    CHECK   10
    lghi    %r2, 77
    sar     %a3, %r2
    cpya    %a6, %a3
    lghi    %r2, 0
    ear     %r2, %a6
    EXPECT_REG %r2, 77

    jg      pass
