/* Control rows that need a case each: LRAY, IVSK, MVCSK, PALB, LPP; IUCV where it is not
 * provided, SIGA of no subchannel. The real-space designation makes every virtual address its own real one.
 * qemu: no, 7.2 differs in IVSK and MVCSK, and its LRAY changes bits 0-31 in the 31-bit mode */
#include "insn.inc"

    .macro PROBLEM code, insn       /* in the problem state, key 0 */
    stg     %r1, T_SAVE(%r0)
    larl    %r1, 78f
    stg     %r1, T_PGM_ADDR(%r0)
    larl    %r1, problem
    larl    %r14, 77f
    stg     %r14, 8(%r1)
    lpswe   0(%r1)
77: \insn
    jg      fail
78: mvc     T_PGM_ADDR(8,%r0), T_FAIL_ADDR(%r0)
    lg      %r1, T_SAVE(%r0)
    clhhsi  0x8e(%r0), \code
    jgne    fail
    .endm

    .macro iucv                     /* the assembler has no name for it */
    .long   0xb2f00000
    .endm

tests:
    larl    %r1, asce
    lctlg   %c1, %c1, 0(%r1)
    lctlg   %c7, %c7, 0(%r1)

    CHECK   1                       /* long displacement, negative; all of the register */
    lghi    %r3, -1
    llilf   %r2, 0x20200
    lray    %r3, -0x100(%r2)
    EXPECT_CC 0
    EXPECT_REG %r3, 0x20100
    CHECK   2                       /* bits 0-31 stay in the 31-bit mode */
    lghi    %r3, -1
    sam31
    lray    %r3, -0x100(%r2)
    sam64
    EXPECT_CC 0
    EXPECT_REG %r3, 0xffffffff00020100
    PROBLEM 2, "lray %r3, 0(%r2)"

    CHECK   3                       /* IVSK needs DAT */
    lghi    %r3, -1
    EXPECT_PGM 0x13, "ivsk %r3, %r2"
    EXPECT_REG %r3, -1
    CHECK   4                       /* access-control bits and fetch protection, not R and C */
    lghi    %r4, 0x3e
    sske    %r4, %r2
    stosm   T_SAVE(%r0), 4
    ivsk    %r3, %r2
    EXPECT_REG %r3, 0xffffffffffffff38
    CHECK   5
    lghi    %r4, 0x10
    sske    %r4, %r2
    ivsk    %r3, %r2
    EXPECT_REG %r3, 0xffffffffffffff10

    CHECK   6                       /* nine bytes, fetched with key 3 from a page that wants it */
    lghi    %r4, 0x38
    sske    %r4, %r2
    larl    %r5, source
    mvc     0(16,%r2), 0(%r5)
    larl    %r6, target
    lghi    %r0, 8
    lghi    %r1, 0x30
    mvcsk   0(%r6), 0(%r2)
    EXPECT_MEM target, 0x0102030405060708
    lgrl    %r3, target+8
    EXPECT_REG %r3, 0x0955555555555555
    CHECK   7                       /* key 2 may not fetch there: nothing is stored */
    mvghi   0(%r6), 0x77
    lghi    %r1, 0x20
    EXPECT_PGM 4, "mvcsk 0(%r6), 0(%r2)"
    EXPECT_MEM target, 0x77
    CHECK   8                       /* bits 0-55 of the length and of the key are not looked at */
    lghi    %r0, 0x100
    lghi    %r1, 0x730
    stosm   T_SAVE(%r0), 4
    mvcsk   0(%r6), 0(%r2)
    EXPECT_MEM target, 0x0100000000000077

    CHECK   9
    palb
    PROBLEM 2, "palb"
    CHECK   10
    larl    %r2, source
    lpp     0(%r2)
    PROBLEM 2, "lpp 0(%r2)"
    CHECK   11                      /* no CP above, no QDIO device below: not provided */
    EXPECT_PGM 1, "iucv"
    EXPECT_ILC 4
    PROBLEM 2, "iucv"
    CHECK   12
    lghi    %r0, 0
    lghi    %r1, 0
    EXPECT_PGM 0x15, "siga 0(%r2)"  /* general register 1 names none */
    llilf   %r1, 0x0001fffe
    siga    0(%r2)                  /* nor does a subchannel that is not there */
    EXPECT_CC 3
    PROBLEM 2, "siga 0(%r2)"
    j       pass

    .data
    .balign 16
problem:
    .quad   0x0001000180000000, 0
asce:
    .quad   0x20
source:
    .quad   0x0102030405060708, 0x090a0b0c0d0e0f10
target:
    .space  32, 0x55
