/* EXTRACT AND SET STORAGE ATTRIBUTES: the state of a block by order, of one with content and of one
 * that was never stored into; what it refuses.
 * qemu: no, it has ESSA under KVM only
 * ipl: --model z14 */
#include "insn.inc"

#define FULL 0x200000
#define EMPTY 0x300000

.macro ESSA order, block, before
    SETREG  %r2, \block
    lghi    %r1, -1
    .insn   rrf, 0xb9ab0000, %r1, %r2, \order, 0
    EXPECT_REG %r1, \before
.endm

tests:
    SETREG  %r2, FULL
    mvghi   0(%r2), 0x77
    CHECK   1                       /* stable, unused, volatile, potentially volatile */
    ESSA    0, FULL, 0
    ESSA    2, FULL, 0
    ESSA    3, FULL + 0xfff, 4
    ESSA    4, FULL, 12
    ESSA    6, FULL, 8
    ESSA    0, FULL, 0
    CHECK   2                       /* no content: logically zero */
    ESSA    0, EMPTY, 3
    ESSA    4, EMPTY, 3
    ESSA    6, EMPTY, 15
    ESSA    5, EMPTY, 15
    ESSA    0, EMPTY, 0
    CHECK   3                       /* no-translate */
    ESSA    7, FULL, 0
    ESSA    2, FULL, 0x20
    ESSA    1, FULL, 0x24
    ESSA    0, FULL, 0
    CHECK   4                       /* the content stays */
    SETREG  %r2, FULL
    lg      %r1, 0(%r2)
    EXPECT_REG %r1, 0x77
    CHECK   5
    EXPECT_PGM 6, ".insn rrf, 0xb9ab0000, %r1, %r2, 8, 0"
    EXPECT_ILC 4
    SETREG  %r2, 0x10000000000
    EXPECT_PGM 5, ".insn rrf, 0xb9ab0000, %r1, %r2, 1, 0"
    j       pass
