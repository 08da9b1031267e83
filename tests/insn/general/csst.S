/* COMPARE AND SWAP AND STORE: each function code with each store characteristic, equal and unequal; registers,
 * condition codes and storage go into one sum, which Hercules 3.13 gives as well. Then the exceptions.
 * qemu: no, 7.2 ends itself with an assertion
 */
#include "insn.inc"

#define PGM_ADDRESSING 5
#define PGM_SPECIFICATION 6
#define AREA 0x20000            /* operand 1, operand 2, parameter list */
#define AREA_WORDS 8

    .data
    .balign 16
template:
    .quad   0x1112131415161718, 0x191a1b1c1d1e1f10
    .quad   0x3132333435363738, 0x393a3b3c3d3e3f30
    .quad   0x5152535455565758, 0x595a5b5c5d5e5f50      /* replacement */
    .quad   0x7172737475767778, 0x797a7b7c7d7e7f70      /* what is stored */
want:
    .quad   0x0af471810f542203

    .text
mix:
    rllg    %r12, %r12, 7
    algr    %r12, %r1
    br      %r14

/* Function code in r10, store characteristic in r9, r11 0: equal. */
one:
    lgr     %r13, %r14
    llilf   %r8, AREA
    larl    %r1, template
    mvc     0(AREA_WORDS * 8, %r8), 0(%r1)
    lmg     %r2, %r3, 0(%r8)
    chi     %r10, 0
    jne     1f
    srlg    %r2, %r2, 32        /* a word is compared in bits 32-63 */
    oihh    %r2, 0x7654
1:  ltr     %r11, %r11
    je      1f
    xilf    %r2, 0x10
    xilf    %r3, 0x10
1:  sllg    %r0, %r9, 8
    ogr     %r0, %r10
    la      %r1, 32(%r8)
    csst    0(%r8), 16(%r8), %r2
    lghi    %r1, 0
    ipm     %r1
    brasl   %r14, mix
    lgr     %r1, %r2
    brasl   %r14, mix
    lgr     %r1, %r3
    brasl   %r14, mix
    lghi    %r2, AREA_WORDS
1:  lg      %r1, 0(%r8)
    brasl   %r14, mix
    la      %r8, 8(%r8)
    brctg   %r2, 1b
    br      %r13

tests:
    CHECK   1
    lghi    %r12, 0
    lghi    %r10, 2
1:  lghi    %r9, 4
2:  lghi    %r11, 1
3:  brasl   %r14, one
    aghi    %r11, -1
    jnm     3b
    aghi    %r9, -1
    jnm     2b
    aghi    %r10, -1
    jnm     1b
    larl    %r1, want
    cg      %r12, 0(%r1)
    jgne    fail

    CHECK   2                   /* codes there are not, boundaries, an odd pair */
    llilf   %r8, AREA
    la      %r1, 32(%r8)
    lghi    %r0, 3
    EXPECT_PGM PGM_SPECIFICATION, "csst 0(%r8), 16(%r8), %r2"
    EXPECT_ILC 6
    lghi    %r0, 0x500
    EXPECT_PGM PGM_SPECIFICATION, "csst 0(%r8), 16(%r8), %r2"
    lghi    %r0, 0
    EXPECT_PGM PGM_SPECIFICATION, "csst 2(%r8), 16(%r8), %r2"
    lghi    %r0, 0x402
    EXPECT_PGM PGM_SPECIFICATION, "csst 8(%r8), 16(%r8), %r2"
    EXPECT_PGM PGM_SPECIFICATION, "csst 0(%r8), 24(%r8), %r2"
    lghi    %r0, 0x101
    EXPECT_PGM PGM_SPECIFICATION, "csst 0(%r8), 17(%r8), %r2"

    CHECK   3                   /* operand 2 is not there: operand 1 stays */
    larl    %r2, template
    mvc     0(AREA_WORDS * 8, %r8), 0(%r2)
    lg      %r2, 0(%r8)
    SETREG  %r7, 0x20000000
    lghi    %r0, 0x301
    EXPECT_PGM PGM_ADDRESSING, "csst 0(%r8), 0(%r7), %r2"
    EXPECT_ILC 6
    lg      %r3, 0(%r8)
    cgr     %r2, %r3
    jgne    fail
    j       pass
