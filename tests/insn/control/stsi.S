/* STORE SYSTEM INFORMATION as a logical partition sees it: levels, SYSIBs, condition codes, exceptions.
 * qemu: no, its guest is a virtual machine of level 3
 * ipl: --model z196 --cpus 3 */
#include "insn.inc"

#define PGM_ADDRESSING 5
#define PGM_SPECIFICATION 6

    .macro SYSIB fc, s1, s2
    SETREG  %r0, (\fc) << 28 | (\s1)
    lghi    %r1, \s2
    stsi    0(%r6)
    .endm

    .bss
    .balign 4096
block:
    .fill   4096, 1, 0

    .text
tests:
    larl    %r6, block
    CHECK   1                   /* the level; bits 36-63 of GR0 stay */
    lghi    %r0, 0
    lghi    %r1, 0
    stsi    1(%r6)
    EXPECT_CC 0
    EXPECT_REG %r0, 0x20000000

    CHECK   2                   /* functions there are not: nothing else is looked at */
    SETREG  %r0, 0x40000302
    lghi    %r1, 2
    stsi    1(%r6)
    EXPECT_CC 3
    SETREG  %r0, 0x30000002
    stsi    0(%r6)
    EXPECT_CC 3
    SYSIB   1, 3, 1
    EXPECT_CC 3
    SYSIB   1, 1, 2
    EXPECT_CC 3
    SYSIB   2, 1, 1
    EXPECT_CC 3
    SYSIB   2, 2, 0
    EXPECT_CC 3

    CHECK   3                   /* reserved bits, alignment, storage */
    SETREG  %r0, 0x10000101
    lghi    %r1, 1
    EXPECT_PGM PGM_SPECIFICATION, "stsi 0(%r6)"
    EXPECT_ILC 4
    SETREG  %r0, 0x10000001
    SETREG  %r1, 0x10001
    EXPECT_PGM PGM_SPECIFICATION, "stsi 0(%r6)"
    lghi    %r1, 1
    EXPECT_PGM PGM_SPECIFICATION, "stsi 8(%r6)"
    SETREG  %r7, 0x20000000
    EXPECT_PGM PGM_ADDRESSING, "stsi 0(%r7)"

    CHECK   4                   /* 1.1.1: type 2817, model M15, capacity 715 */
    SYSIB   1, 1, 1
    EXPECT_CC 0
    llgf    %r2, 48(%r6)
    EXPECT_REG %r2, 0xf2f8f1f7
    llgf    %r2, 64(%r6)
    EXPECT_REG %r2, 0xf7f1f540
    llgf    %r2, 100(%r6)
    EXPECT_REG %r2, 0xd4f1f540
    llgf    %r2, 116(%r6)
    EXPECT_REG %r2, 0xf7f1f540

    CHECK   5                   /* 1.2.1: the CPU address */
    SYSIB   1, 2, 1
    EXPECT_CC 0
    llgf    %r2, 100(%r6)
    EXPECT_REG %r2, 0

    CHECK   6                   /* 1.2.2: capability; CPUs in total, configured, in standby, reserved */
    SYSIB   1, 2, 2
    EXPECT_CC 0
    lg      %r2, 32(%r6)
    EXPECT_REG %r2, 0x000003e800030003
    llgf    %r2, 40(%r6)
    EXPECT_REG %r2, 0

    CHECK   7                   /* 2.2.2: the same of the partition, dedicated */
    SYSIB   2, 2, 2
    EXPECT_CC 0
    lg      %r2, 32(%r6)
    EXPECT_REG %r2, 0x0001008000030003
    llgf    %r2, 40(%r6)
    EXPECT_REG %r2, 0
    llgf    %r2, 64(%r6)
    EXPECT_REG %r2, 0x00030000
    j       pass
