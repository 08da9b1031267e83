/* EXECUTE and EXECUTE RELATIVE LONG of all kinds of targets: interruptible ones, relative ones, links,
 * masks, targets across pages, targets that fail. What a target's address and length mean. */
#include "insn.inc"

#define PGM_EXECUTE 3
#define PGM_ADDRESSING 5
#define PGM_SPECIFICATION 6
#define BYTES 200000

    .bss
    .balign 4096
from:
    .fill   BYTES, 1, 0
to: .fill   BYTES, 1, 0

    .text
    .balign 2
t_mvcl: mvcl    %r2, %r4
t_clcl: clcl    %r2, %r4
t_larl: larl    %r2, t_larl
t_brc:  j       t_there
t_bras: bras    %r2, t_back
t_bct:  brct    %r3, t_there
t_mvi:  mvi     0(%r6), 0
t_lr:   lr      %r0, %r0
t_ahi:  ahi     %r2, 1
t_ltr:  bcr     0, %r7
t_icm:  icm     %r2, 0, 0(%r6)
t_cs:   cs      %r2, %r3, 0(%r6)
t_l:    l       %r2, 0(%r7)
t_ex:   ex      %r0, t_lr - _start(%r0)
t_exrl: exrl    %r0, t_lr
t_bad:  .short  0x0000, 0
t_there:
    lghi    %r8, 1
    br      %r9
t_back:
    br      %r2

tests:
    CHECK   1                   /* an interruptible target goes on until it is done */
    larl    %r2, to
    larl    %r4, from
    lgr     %r8, %r2
    llilf   %r3, BYTES
    llilf   %r5, 0x5a000000     /* nothing but padding */
    larl    %r6, t_mvcl
    ex      %r0, 0(%r6)
    EXPECT_CC 2
    EXPECT_REG %r3, 0
    sgr     %r2, %r8
    EXPECT_REG %r2, BYTES
    larl    %r2, to
    larl    %r4, from
    llilf   %r3, BYTES
    llilf   %r5, BYTES
    exrl    %r0, t_clcl
    EXPECT_CC 2
    llilf   %r3, BYTES
    larl    %r2, to
    llilf   %r5, 0x5a000000
    exrl    %r0, t_clcl
    EXPECT_CC 0
    EXPECT_REG %r3, 0

    CHECK   2                   /* relative operands count from the target, links from the EXECUTE */
    lghi    %r2, 0
    exrl    %r0, t_larl
    larl    %r3, t_larl
    cgr     %r2, %r3
    jgne    fail
    lghi    %r8, 0
    larl    %r9, 1f
    exrl    %r0, t_brc
    j       fail
1:  EXPECT_REG %r8, 1
    larl    %r6, t_bras
    lghi    %r1, 0x20
    ex      %r1, 0(%r6)
    larl    %r3, 1f
1:  aghi    %r3, -6             /* the link is here less the LARL */
    cgr     %r2, %r3
    jgne    fail
    lghi    %r3, 2
    lghi    %r8, 0
    larl    %r9, 1f
    exrl    %r0, t_bct
    j       fail
1:  exrl    %r0, t_bct          /* not taken */
    EXPECT_REG %r3, 0

    CHECK   3                   /* bits 56-63 of the register are ORed into bits 8-15; the target stays */
    larl    %r6, to
    lghi    %r1, 0x1ab
    exrl    %r1, t_mvi
    llgc    %r2, 0(%r6)
    EXPECT_REG %r2, 0xab
    lghi    %r2, 5
    lghi    %r3, 7
    lghi    %r1, 0x23
    exrl    %r1, t_lr
    EXPECT_REG %r2, 7
    lghi    %r2, -1
    lghi    %r1, 0x05
    exrl    %r1, t_icm
    EXPECT_CC 1
    EXPECT_REG %r2, 0xffffffffffabff5a

    CHECK   4                   /* register 0 of EXECUTE: nothing is ORed */
    lghi    %r0, 0xff
    lghi    %r2, 5
    exrl    %r0, t_ahi
    EXPECT_REG %r2, 6

    CHECK   5                   /* compare and swap; a failed one goes on */
    mvhi    0(%r6), 9
    lghi    %r2, 8
    lghi    %r3, 10
    exrl    %r0, t_cs
    EXPECT_CC 1
    EXPECT_REG %r2, 9
    exrl    %r0, t_cs
    EXPECT_CC 0

    CHECK   6                   /* not of EXECUTE; operation exceptions have the length of the EXECUTE */
    EXPECT_PGM PGM_EXECUTE, "exrl %r0, t_ex"
    EXPECT_ILC 6
    larl    %r6, t_exrl
    EXPECT_PGM PGM_EXECUTE, "ex %r0, 0(%r6)"
    EXPECT_ILC 4
    EXPECT_PGM 1, "exrl %r0, t_bad"
    EXPECT_ILC 6
    larl    %r6, t_bad
    EXPECT_PGM 1, "ex %r0, 0(%r6)"
    EXPECT_ILC 4

    CHECK   7                   /* an access exception of the target */
    SETREG  %r7, 0x20000000
    lghi    %r2, 3
    EXPECT_PGM PGM_ADDRESSING, "exrl %r0, t_l"
    EXPECT_ILC 6
    EXPECT_REG %r2, 3

    CHECK   8                   /* a target across a page */
    larl    %r6, to
    aghi    %r6, 4096
    nill    %r6, 0xf000
    mvhhi   -2+2(%r6), 1        /* AHI 2,1 : second half in the second page */
    lgr     %r7, %r6
    aghi    %r7, -2
    mvhhi   0(%r7), 0xa72a - 0x10000
    lghi    %r2, 41
    ex      %r0, 0(%r7)
    EXPECT_REG %r2, 42
    mvhhi   0(%r6), 2           /* the second half changes */
    ex      %r0, 0(%r7)
    EXPECT_REG %r2, 44

    CHECK   9                   /* one target with many lengths, then other targets in its place */
    larl    %r6, to
    larl    %r7, from
    mvhi    0(%r7), 0x1234
    mvhi    4(%r7), 0x5678
    lghi    %r3, 2
1:  mvghi   0(%r6), 0
    exrl    %r3, t_mvc
    brct    %r3, 1b             /* 3, then 2 bytes */
    lg      %r2, 0(%r6)
    EXPECT_REG %r2, 0
    lghi    %r3, 7
    exrl    %r3, t_mvc
    lg      %r2, 0(%r6)
    cg      %r2, 0(%r7)
    EXPECT_CC 0
    lghi    %r3, 3
    exrl    %r3, t_clc
    EXPECT_CC 0
    mvi     7(%r6), 0x79
    exrl    %r3, t_clc
    EXPECT_CC 0
    lghi    %r3, 7
    exrl    %r3, t_clc
    EXPECT_CC 2
    larl    %r8, to
    aghi    %r8, 4096
    mvc     0(6, %r8), 0(%r7)   /* in storage: MVC, CLC, XC, MVC with another displacement */
    larl    %r9, t_mvc
    mvc     0(6, %r8), 0(%r9)
    ex      %r3, 0(%r8)
    clc     0(8, %r6), 0(%r7)
    EXPECT_CC 0
    mvi     0(%r8), 0xd7
    ex      %r3, 0(%r8)
    EXPECT_CC 0
    lg      %r2, 0(%r6)
    EXPECT_REG %r2, 0
    mvi     0(%r8), 0xd2
    mvi     5(%r8), 4
    ex      %r3, 0(%r8)
    lgf     %r2, 0(%r6)
    EXPECT_REG %r2, 0x5678
    j       pass

    .balign 64
t_mvc:
    mvc     0(1, %r6), 0(%r7)
    .balign 64
t_clc:
    clc     0(1, %r6), 0(%r7)
