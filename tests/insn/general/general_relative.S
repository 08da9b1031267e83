/* Operands relative to the instruction: loads, stores and compares of the general-instructions-
 * extension facility, and the access-register moves. The operand of a compare is the second. */
#include "insn.inc"

    .data
    .balign 8
word:
    .long   0x89abcdef
half:
    .short  0x8123, 0x7fff
double:
    .quad   0x8000000000000001
stored:
    .quad   0
ars:
    .long   1, 2, 3, 4

    .macro COMPARE number, insn, reg, label, less, equal, greater
    CHECK   \number
    lgrl    %r1, \reg
    \insn   %r1, \label
    EXPECT_CC \equal
    aghi    %r1, -1
    \insn   %r1, \label
    EXPECT_CC \less
    aghi    %r1, 2
    \insn   %r1, \label
    EXPECT_CC \greater
    .endm

    .balign 8
as_s32:
    .quad   0xffffffff89abcdef
as_u32:
    .quad   0x0000000089abcdef
as_s16:
    .quad   0xffffffffffff8123
as_u16:
    .quad   0x0000000000008123

    .text
tests:
    CHECK   1
    lghi    %r2, -1
    lrl     %r2, word
    EXPECT_REG %r2, 0xffffffff89abcdef
    lgfrl   %r2, word
    EXPECT_REG %r2, 0xffffffff89abcdef
    llgfrl  %r2, word
    EXPECT_REG %r2, 0x89abcdef
    CHECK   2
    lghi    %r2, 0
    lhrl    %r2, half
    EXPECT_REG %r2, 0xffff8123
    lghrl   %r2, half
    EXPECT_REG %r2, 0xffffffffffff8123
    llghrl  %r2, half
    EXPECT_REG %r2, 0x8123
    lghi    %r2, -1
    llhrl   %r2, half
    EXPECT_REG %r2, 0xffffffff00008123
    lghrl   %r2, half + 2
    EXPECT_REG %r2, 0x7fff
    CHECK   3
    SETREG  %r2, 0x1122334455667788
    stgrl   %r2, stored
    EXPECT_MEM stored, 0x1122334455667788
    lghi    %r2, 0x99
    strl    %r2, stored
    EXPECT_MEM stored, 0x0000009955667788
    lghi    %r2, 0x4321
    sthrl   %r2, stored + 6
    EXPECT_MEM stored, 0x0000009955664321

    COMPARE 10, crl, as_u32, word, 1, 0, 2
    COMPARE 11, cgfrl, as_s32, word, 1, 0, 2
    COMPARE 12, cgrl, double_plus, double_plus, 1, 0, 2
    COMPARE 13, chrl, as_s16, half, 1, 0, 2
    COMPARE 14, cghrl, as_s16, half, 1, 0, 2
    COMPARE 15, clrl, as_u32, word, 1, 0, 2
    COMPARE 16, clgfrl, as_u32, word, 1, 0, 2
    COMPARE 17, clgrl, double, double, 1, 0, 2
    COMPARE 18, clhrl, as_u16, half, 1, 0, 2
    COMPARE 19, clghrl, as_u16, half, 1, 0, 2

    CHECK   20                      /* signed and unsigned part ways */
    lgrl    %r1, double
    cghrl   %r1, half
    EXPECT_CC 1
    clghrl  %r1, half
    EXPECT_CC 2
    lghi    %r1, 0
    clgfrl  %r1, word
    EXPECT_CC 1
    cgfrl   %r1, word
    EXPECT_CC 2

    CHECK   40                      /* access registers */
    larl    %r1, ars
    lam     %a2, %a5, 0(%r1)
    ear     %r2, %a3
    llgfr   %r2, %r2
    EXPECT_REG %r2, 2
    CHECK   41
    lamy    %a15, %a0, 4(%r1)       /* wraps from 15 to 0 */
    ear     %r2, %a0
    llgfr   %r2, %r2
    EXPECT_REG %r2, 3
    CHECK   42
    stamy   %a4, %a5, 0(%r1)
    lg      %r2, 0(%r1)
    EXPECT_REG %r2, 0x0000000300000004
    lghi    %r2, 0
    sar     %a2, %r2

    CHECK   50                      /* link addresses; a branch on no condition changes nothing */
    lghi    %r2, 0
    balr    %r2, %r0
1:  EXPECT_REG %r2, 1b
    larl    %r3, 2f
    bas     %r2, 0(%r3)
    j       fail
2:  larl    %r4, 2b
    aghi    %r4, -4
    cgr     %r2, %r4
    jne     fail
    CHECK   60
    SETREG  %r1, 0x0102030405060708
    mvghi   T_SAVE(%r0), -1
    cvdy    %r1, T_SAVE(%r0)
    lg      %r2, T_SAVE(%r0)
    EXPECT_REG %r2, 0x000000084281096c
    jg      pass

    .data
    .balign 8
double_plus:
    .quad   0x0123456789abcdef
