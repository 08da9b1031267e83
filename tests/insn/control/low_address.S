/* Low-address protection: 0-511 and 4096-4607 only, byte-exact beside what may be stored into
 * (PoP chapter 3, "Low-Address Protection"), each twice, so that a remembered translation shows. */
#include "insn.inc"

#define PGM_PROTECTION 4

    .data
    .balign 8
cr0_on:
    .quad   0x00000000100400e0
cr0_off:
    .quad   0x00000000000400e0
    .text

tests:
    larl    %r10, cr0_on
    larl    %r11, cr0_off
    lctlg   %c0, %c0, 0(%r10)

    CHECK   1                   /* outside: stores go through, also the second time */
    mvghi   0x300(%r0), 1
    mvghi   0x300(%r0), 2
    lg      %r2, 0x300(%r0)
    EXPECT_REG %r2, 2
    mvghi   0x200(%r0), 3
    lg      %r2, 0x200(%r0)
    EXPECT_REG %r2, 3
    lghi    %r3, 0x1200
    mvghi   0(%r3), 4
    mvghi   0(%r3), 5
    lg      %r2, 0(%r3)
    EXPECT_REG %r2, 5

    CHECK   2                   /* inside: refused after those, and between them */
    EXPECT_PGM PGM_PROTECTION, "mvghi 0x100(%r0), 7"
    mvghi   0x308(%r0), 6
    EXPECT_PGM PGM_PROTECTION, "mvghi 0x1f8(%r0), 7"
    lghi    %r3, 0x1000
    EXPECT_PGM PGM_PROTECTION, "mvghi 0(%r3), 7"
    EXPECT_PGM PGM_PROTECTION, "mvghi 0x1f8(%r3), 7"
    EXPECT_ILC 6

    CHECK   3                   /* from the protected part into the other: nothing is stored */
    lghi    %r5, -1
    EXPECT_PGM PGM_PROTECTION, "stg %r5, 0x1fc(%r0)"
    lg      %r2, 0x200(%r0)
    EXPECT_REG %r2, 3
    lghi    %r3, 0xffc          /* from page 0, which allows it, into page 1, which does not */
    l       %r4, 0xffc(%r0)
    EXPECT_PGM PGM_PROTECTION, "stg %r5, 0(%r3)"
    l       %r2, 0xffc(%r0)
    cr      %r2, %r4
    jne     fail

    CHECK   4                   /* off: allowed; on again: refused again */
    lg      %r6, 0x100(%r0)
    lctlg   %c0, %c0, 0(%r11)
    mvghi   0x100(%r0), 9
    lctlg   %c0, %c0, 0(%r10)
    EXPECT_PGM PGM_PROTECTION, "stg %r6, 0x100(%r0)"
    lctlg   %c0, %c0, 0(%r11)
    lg      %r2, 0x100(%r0)
    EXPECT_REG %r2, 9
    stg     %r6, 0x100(%r0)
    j       pass
