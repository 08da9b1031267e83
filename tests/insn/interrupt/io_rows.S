/* I/O instructions where there is nothing: subchannel X'1FFFF' is not provided, no interruption and no
 * channel report is pending; operand, privileged-operation and operation exceptions. Devices are
 * tested elsewhere. */
#include "insn.inc"

    .macro PROBLEM insn             /* privileged-operation exception in the problem state */
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
    clhhsi  0x8e(%r0), 2
    jgne    fail
    .endm

tests:
    larl    %r2, orb
    larl    %r3, area
    llilf   %r1, 0x0001ffff

    CHECK   1                       /* not operational */
    csch
    EXPECT_CC 3
    CHECK   2
    hsch
    EXPECT_CC 3
    CHECK   3
    rsch
    EXPECT_CC 3
    CHECK   4
    xsch
    EXPECT_CC 3
    CHECK   5
    ssch    0(%r2)
    EXPECT_CC 3
    CHECK   6
    msch    schib-orb(%r2)
    EXPECT_CC 3
    CHECK   7                       /* nothing is stored */
    stsch   0(%r3)
    EXPECT_CC 3
    EXPECT_MEM area, 0x5555555555555555
    CHECK   8
    tsch    0(%r3)
    EXPECT_CC 3
    EXPECT_MEM area, 0x5555555555555555
    CHECK   9                       /* nothing is pending */
    tpi     0(%r3)
    EXPECT_CC 0
    EXPECT_MEM area, 0x5555555555555555
    CHECK   10                      /* in the place of an interruption code in the lowcore */
    tpi     0(%r0)
    EXPECT_CC 0
    CHECK   11                      /* zeros, four bytes of them */
    stcrw   0(%r3)
    EXPECT_CC 1
    EXPECT_MEM area, 0x0000000055555555
    CHECK   12                      /* subchannel identification without its one */
    lghi    %r1, 0
    EXPECT_PGM 0x15, "csch"
    EXPECT_ILC 4
    CHECK   13
    EXPECT_PGM 0x15, "hsch"
    EXPECT_PGM 0x15, "rsch"
    EXPECT_PGM 0x15, "xsch"
    CHECK   14
    EXPECT_PGM 0x15, "stsch 0(%r3)"
    EXPECT_PGM 0x15, "tsch 0(%r3)"
    CHECK   15                      /* operands on a word */
    llilf   %r1, 0x0001ffff
    EXPECT_PGM 6, "ssch 2(%r2)"
    EXPECT_PGM 6, "msch 2(%r2)"
    EXPECT_PGM 6, "stsch 2(%r3)"
    EXPECT_PGM 6, "tsch 2(%r3)"
    EXPECT_PGM 6, "tpi 2(%r3)"
    EXPECT_PGM 6, "stcrw 2(%r3)"
    CHECK   16                      /* problem state */
    PROBLEM "csch"
    PROBLEM "hsch"
    PROBLEM "rsch"
    PROBLEM "xsch"
    CHECK   17
    PROBLEM "ssch 0(%r2)"
    PROBLEM "msch 0(%r2)"
    PROBLEM "stsch 0(%r3)"
    PROBLEM "tsch 0(%r3)"
    CHECK   18
    PROBLEM "tpi 0(%r3)"
    PROBLEM "stcrw 0(%r3)"
    PROBLEM "stcps 0(%r3)"
    PROBLEM "rchp"
    CHECK   19
    PROBLEM "sal"
    PROBLEM "schm"
    CHECK   20                      /* no such channel path */
    lghi    %r1, 0xfe
    rchp
    EXPECT_CC 3
    CHECK   21                      /* address limit on 64K and below 2G */
    llilh   %r1, 2
    sal
    lghi    %r1, 0x800
    EXPECT_PGM 0x15, "sal"
    CHECK   22                      /* EQBS and SQBS: there are no queues that they are for */
    EXPECT_PGM 1, ".insn rrf,0xb99c0000,%r4,%r6,%r8,0"
    EXPECT_ILC 4
    EXPECT_PGM 1, ".insn rsy,0xeb000000008a,%r4,%r6,0(%r0)"
    EXPECT_ILC 6
    j       pass

    .data
    .balign 16
problem:
    .quad   0x0001000180000000, 0
    .balign 8
orb:
    .long   0, 0x0080ff00, 0, 0, 0, 0, 0, 0
schib:
    .space  52
    .balign 8
area:
    .space  64, 0x55
