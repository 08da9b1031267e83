/* Early exception recognition: LPSWE of an invalid PSW loads it, then a specification exception
 * with ILC 0. qemu: no, it does not look at PSW bit 12 */
#include "insn.inc"

tests:
    larl    %r2, bad
    CHECK   1
    EXPECT_PGM 6, "lpswe 0(%r2)"
    EXPECT_ILC 0
    lg      %r3, 0x158(%r0)
    EXPECT_REG %r3, 0x1234
    lg      %r3, 0x150(%r0)
    EXPECT_REG %r3, 0x0008000180000000
    CHECK   2                       /* EA without BA */
    EXPECT_PGM 6, "lpswe 16(%r2)"
    EXPECT_ILC 0
    j       pass

    .balign 8
bad:
    .quad   0x0008000180000000, 0x1234
    .quad   0x0000000100000000, 0x1234
