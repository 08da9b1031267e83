/* Branching, linkage, addressing modes, EXECUTE, SUPERVISOR CALL, interruptions and their ILC,
 * operands across pages.
 * ipl: --model max */
#include "insn.inc"

#define PGM_OPERATION 1
#define PGM_EXECUTE 3
#define PGM_SPECIFICATION 6
#define PGM_DATA 7
#define PGM_FIXED_DIVIDE 9
#define PGM_MONITOR 0x40

    .data
    .balign 4096
    .fill   4092, 1, 0
crossing:
    .fill   128, 1, 0x11
    .balign 16
word:
    .quad   0
svc_psw:
    .quad   0x0000000180000000, svc_done
    .text

tests:
    CHECK   1                   /* EXECUTE: modified length, relative target, link */
    SETREG  %r1, crossing
    lghi    %r2, 3
    larl    %r4, ex_mvi
    ex      %r2, 0(%r4)
    cli     0(%r1), 3
    jgne    fail
    EXPECT_PGM PGM_EXECUTE, "exrl %r0, ex_ex"
    EXPECT_ILC 6
    EXPECT_PGM PGM_OPERATION, "exrl %r0, ex_none"
    EXPECT_ILC 6

    CHECK   2
    lghi    %r5, 0
    lghi    %r2, 0x50
    exrl    %r2, ex_lhi         /* the register comes from r2 */
    EXPECT_REG %r5, 0x77
    exrl    %r0, ex_larl
    EXPECT_REG %r6, ex_larl
    exrl    %r0, ex_basr
1:  EXPECT_REG %r7, 1b

    CHECK   3                   /* EXECUTE of a branch */
    exrl    %r0, ex_branch
    jg      fail
ex_taken:

    CHECK   4                   /* SUPERVISOR CALL, itself and executed */
    larl    %r1, svc_psw
    mvc     0x1c0(16,%r0), 0(%r1)
    svc     0x2b
1:  jg      fail
svc_done:
    clhhsi  0x8a(%r0), 0x2b
    jgne    fail
    lg      %r2, 0x148(%r0)
    EXPECT_REG %r2, 1b
    larl    %r2, svc_done2
    stg     %r2, 0x1c8(%r0)
    lghi    %r2, 0x0c
    exrl    %r2, ex_svc
1:  jg      fail
svc_done2:
    clhhsi  0x8a(%r0), 0x2c
    jgne    fail
    clhhsi  0x88(%r0), 6        /* ILC of the EXECUTE */
    jgne    fail
    lg      %r2, 0x148(%r0)
    EXPECT_REG %r2, 1b

    CHECK   5                   /* traps, divides, odd pairs; registers stay */
    lghi    %r1, 1
    EXPECT_PGM PGM_DATA, "cgite %r1, 1"
    EXPECT_ILC 6
    cli     0x93(%r0), 0xff
    jgne    fail
    lghi    %r2, 5
    lghi    %r3, 7
    lghi    %r4, 0
    EXPECT_PGM PGM_FIXED_DIVIDE, "dsgr %r2, %r4"
    EXPECT_ILC 4
    EXPECT_REG %r2, 5
    EXPECT_REG %r3, 7
    EXPECT_PGM PGM_SPECIFICATION, ".long 0xb90d0034"
    EXPECT_PGM PGM_SPECIFICATION, "cs %r2, %r3, 2(%r0)"

    CHECK   6                   /* monitor call */
    lghi    %r1, 0x100
    stg     %r1, T_SAVE+8(%r0)
    lctlg   %c8, %c8, T_SAVE+8(%r0)
    mc      0x77(%r0), 6
    EXPECT_PGM PGM_MONITOR, "mc 0x77(%r0), 7"
    clhhsi  0x94(%r0), 7
    jgne    fail
    lg      %r1, 0xb0(%r0)
    EXPECT_REG %r1, 0x77

    CHECK   7                   /* operands across a page */
    SETREG  %r1, crossing
    SETREG  %r2, 0x0102030405060708
    stg     %r2, 0(%r1)
    lg      %r3, 0(%r1)
    EXPECT_REG %r3, 0x0102030405060708
    stmg    %r14, %r2, 2(%r1)
    lmg     %r5, %r9, 2(%r1)
    EXPECT_REG %r9, 0x0102030405060708
    stcm    %r2, 7, 2(%r1)
    icm     %r4, 7, 2(%r1)
    EXPECT_CC 2
    nihf    %r4, 0
    nilf    %r4, 0xffffff
    EXPECT_REG %r4, 0x060708

    CHECK   8                   /* 31-bit mode: links */
    sam31
    basr    %r2, %r0
1:  sam64
    llgfr   %r2, %r2
    EXPECT_REG %r2, 1b + 0x80000000
    tam
    EXPECT_CC 3

    CHECK   9                   /* count and index branches */
    lghi    %r1, 1
    lghi    %r2, 2
    lghi    %r3, 9
    lghi    %r4, 0
1:  aghi    %r4, 1
    brxlg   %r1, %r2, 1b        /* 3 5 7 9 */
    EXPECT_REG %r4, 5
    EXPECT_REG %r1, 11
    lghi    %r4, 0
    lghi    %r5, 10
1:  aghi    %r4, 1
    brct    %r5, 1b
    EXPECT_REG %r4, 10
    jg      pass

    .balign 2
ex_mvi:
    mvi     0(%r1), 0
ex_ex:
    ex      %r0, 0
ex_none:
    .short  0
ex_lhi:
    lhi     %r0, 0x77
    .balign 8
ex_larl:
    larl    %r6, ex_larl
ex_basr:
    basr    %r7, %r0
ex_branch:
    j       ex_taken
ex_svc:
    svc     0x20
