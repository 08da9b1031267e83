/* Instructions of the general chapters that ordinary programs seldom use: hints, LAE, LPDG, MVCRL,
 * STCKF, PPA. What QEMU 7.2 has of them; the others are in general_later.S.
 * ipl: --model max */
#include "insn.inc"

#define PGM_ADDRESSING 5
#define PGM_SPECIFICATION 6

    .data
    .balign 16
pair:   .quad   0x0123456789abcdef, 0xfedcba9876543210
buf:    .quad   0x0102030405060708, 0x090a0b0c0d0e0f10
copy:   .quad   0, 0
home_psw: .quad 0x0000c00180000000, home_mode
end_psw: .quad  0x0000000180000000, primary
clock1: .quad   0
clock2: .quad   0

    .text
tests:
    CHECK   1                   /* hints change nothing, whatever their operands */
    lghi    %r1, -1
    lghi    %r2, 2
    cr      %r1, %r2            /* cc 1 */
    pfd     1, 0(%r1)
    pfd     15, 0x7ffff(%r1)
    pfdrl   2, buf
    bpp     5, 1f, 0(%r1)
    bprp    5, 1f, 1f
    niai    1, 4
1:  ppa     %r1, %r2, 1
    EXPECT_CC 1
    EXPECT_REG %r1, -1
    EXPECT_REG %r2, 2

    CHECK   2                   /* LAE: zero in the primary-space mode */
    larl    %r1, buf
    lghi    %r9, 7
    sar     %a3, %r9
    sar     %a1, %r9
    lae     %r3, 4(%r9,%r1)
    la      %r4, 11(%r1)
    cgr     %r3, %r4
    jgne    fail
    ear     %r5, %a3
    cfi     %r5, 0
    jgne    fail
    sar     %a3, %r9
    laey    %r3, -4(%r1)
    aghi    %r3, 4
    cgr     %r3, %r1
    jgne    fail
    ear     %r5, %a3
    cfi     %r5, 0
    jgne    fail

    CHECK   3                   /* 2 in the home-space mode */
    larl    %r2, home_psw
    lpswe   0(%r2)
home_mode:
    lae     %r3, 4(%r1)
    ear     %r5, %a3
    larl    %r2, end_psw
    lpswe   0(%r2)
primary:
    cfi     %r5, 2
    jgne    fail
    lghi    %r9, 0
    sar     %a1, %r9

    CHECK   4                   /* LPDG: both doublewords */
    larl    %r1, pair
    lpdg    %r4, 0(%r1), 8(%r1)
    EXPECT_CC 0
    EXPECT_REG %r4, 0x0123456789abcdef
    EXPECT_REG %r5, 0xfedcba9876543210
    lpd     %r4, 4(%r1), 8(%r1)
    EXPECT_CC 0
    EXPECT_REG %r4, 0x0123456789abcdef
    EXPECT_REG %r5, 0xfedcba98fedcba98
    EXPECT_PGM PGM_SPECIFICATION, ".insn ssf,0xc80500000000,0(%r1),8(%r1),%r5"
    EXPECT_ILC 6
    EXPECT_PGM PGM_SPECIFICATION, "lpdg %r4, 4(%r1), 8(%r1)"
    EXPECT_PGM PGM_SPECIFICATION, "lpdg %r4, 0(%r1), 4(%r1)"

    CHECK   5                   /* MVCRL: from right to left, length in GR0 */
    larl    %r1, buf
    lghi    %r0, 7
    mvcrl   1(%r1), 0(%r1)
    EXPECT_MEM buf, 0x0101020304050607
    EXPECT_MEM buf+8, 0x080a0b0c0d0e0f10
    lghi    %r0, 3              /* to the left by one: the last byte spreads */
    mvcrl   8(%r1), 9(%r1)
    EXPECT_MEM buf+8, 0x0d0d0d0d0d0e0f10
    lghi    %r0, 0x100          /* bits 0-55 are ignored: one byte */
    mvcrl   0(%r1), 15(%r1)
    EXPECT_MEM buf, 0x1001020304050607

    CHECK   6                   /* STCKF goes on */
    larl    %r1, clock1
    stckf   0(%r1)
    EXPECT_CC 0
    stckf   8(%r1)
    EXPECT_CC 0
    lg      %r2, 0(%r1)
    clg     %r2, 8(%r1)
    jgh     fail
    stck    0(%r1)
    clg     %r2, 0(%r1)
    jgh     fail

    j       pass
