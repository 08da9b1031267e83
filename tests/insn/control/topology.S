/* PERFORM TOPOLOGY FUNCTION and SYSIBs 15.1.x of three CPUs of a logical partition, which are dedicated
 * to it (PoP chapter 10).
 * ipl: --cpus 3
 * qemu: no, its TCG has no configuration topology
 */
#include "insn.inc"

#define BLOCK 0x50000

.macro TOPOLOGY nesting, selector=1
    SETREG  %r0, 0xf0000000 + \selector
    lghi    %r1, \nesting
    stsi    0(%r6)
.endm

.macro EXPECT_AT offset, value
    lg      %r2, \offset(%r6)
    EXPECT_REG %r2, \value
.endm

tests:
    llilh   %r6, BLOCK >> 16
    CHECK   1                           /* horizontal, nothing to report, as after each reset */
    lghi    %r5, 2
    ptf     %r5
    EXPECT_CC 0
    lghi    %r5, 0
    ptf     %r5
    EXPECT_CC 2
    EXPECT_REG %r5, 0x100               /* reason code: it is so already */

    CHECK   2
    TOPOLOGY 2
    EXPECT_CC 0
    EXPECT_AT 0, 0x0000002800000000     /* 40 bytes */
    EXPECT_AT 8, 0x0808000200000000     /* eight sockets of eight CPUs, two levels */
    EXPECT_AT 16, 0x0100000000000001
    EXPECT_AT 24, 0x0000000004000000    /* dedicated, CP, from CPU 0 on */
    EXPECT_AT 32, 0xe000000000000000
    EXPECT_AT 40, 0

    CHECK   3                           /* vertical; the change is reported once */
    lghi    %r5, 1
    ptf     %r5
    EXPECT_CC 0
    EXPECT_REG %r5, 1
    ptf     %r5
    EXPECT_CC 2
    EXPECT_REG %r5, 0x101
    lghi    %r5, 2
    ptf     %r5
    EXPECT_CC 1
    ptf     %r5
    EXPECT_CC 0
    EXPECT_REG %r5, 2
    TOPOLOGY 3
    EXPECT_CC 0
    EXPECT_AT 0, 0x0000003000000002     /* two books of four sockets */
    EXPECT_AT 8, 0x0408000300000000
    EXPECT_AT 16, 0x0200000000000001
    EXPECT_AT 24, 0x0100000000000001
    EXPECT_AT 32, 0x0000000007000000    /* high entitlement */
    EXPECT_AT 40, 0xe000000000000000
    lghi    %r5, 0
    ptf     %r5
    EXPECT_CC 0

    CHECK   4                           /* what there is not */
    TOPOLOGY 1
    EXPECT_CC 3
    TOPOLOGY 4
    EXPECT_CC 3
    TOPOLOGY 2, 2
    EXPECT_CC 3
    lghi    %r1, 2
    SETREG  %r0, 0xf0000001
    EXPECT_PGM 6, "stsi 8(%r6)"
    lghi    %r5, 3
    EXPECT_PGM 6, "ptf %r5"
    EXPECT_ILC 4
    SETREG  %r5, 0x100
    EXPECT_PGM 6, "ptf %r5"
    SETREG  %r5, 0x100000000
    EXPECT_PGM 6, "ptf %r5"

    CHECK   5                           /* privileged */
    larl    %r7, problem
    lpswe   0(%r7)
1:  EXPECT_PGM 2, "ptf %r5"
    j       pass

    .balign 8
problem:
    .quad   0x0001000180000000, 1b
