/* DAT off, in loops that are translated: the storage key changes between two stores (PoP chapter 3,
 * "Key-Controlled Protection"), and an instruction of the loop is stored into.
 * qemu: no, its accesses ask no key, and check 2 gives another sum */
#include "insn.inc"

#define PGM_PROTECTION 4
#define ROUNDS 200
#define KEYED 0x200000

tests:
    CHECK   1                   /* keys change between two stores */
    llilh   %r3, KEYED >> 16
    mvghi   0(%r3), 0
    lghi    %r5, ROUNDS
1:  lghi    %r1, 0x10
    sske    %r1, %r3
    spka    0x10(%r0)
    lg      %r4, 0(%r3)
    aghi    %r4, 1
    stg     %r4, 0(%r3)
    spka    0(%r0)
    lghi    %r1, 0x28
    sske    %r1, %r3
    EXPECT_PGM PGM_PROTECTION, "spka 0x10(%r0); stg %r4, 0(%r3)"
    EXPECT_PGM PGM_PROTECTION, "spka 0x10(%r0); lg %r4, 0(%r3)"
    brct    %r5, 1b
    lg      %r1, 0(%r3)
    EXPECT_REG %r1, ROUNDS
    CHECK   2                   /* a constant of the loop's own code, by a register */
    larl    %r3, 6f
    lghi    %r4, 0
    lghi    %r5, ROUNDS
5:  sth     %r5, 2(%r3)
6:  lghi    %r1, 0
    agr     %r4, %r1
    brct    %r5, 5b
    EXPECT_REG %r4, ROUNDS * (ROUNDS + 1) / 2
    j       pass
