/* RESUME PROGRAM: what it restores, in each form of the parameter list; what it refuses.
 * qemu: no, 7.2 has no RP */
#include "insn.inc"

    .set    PSW16, 0                 /* in save */
    .set    PSW8, 16
    .set    SAVED_GR, 24
    .set    SAVED_AR, 32
    .set    SAVED_HIGH, 36

.macro RP base, flags, psw, ar, gr, high=0
    .insn   s, 0xb2770000, 0(\base)
    .short  \flags, \psw, \ar, \gr, \high
.endm
.macro TO label, psw            /* the address of label into a PSW field */
    larl    %r1, \label
    larl    %r2, \psw
    stg     %r1, 8(%r2)
.endm

tests:
    larl    %r5, save
    CHECK   1                       /* 16-byte PSW, 64 bits of the register */
    TO      1f, psw16
    ltgr    %r1, %r1
    RP      %r5, 6, PSW16, SAVED_AR, SAVED_GR
    j       fail
1:  EXPECT_CC 1
    EXPECT_REG %r5, 0x0123456789abcdef
    ear     %r1, %a5
    clfi    %r1, 0x13572468
    jne     fail
    epsw    %r1, %r2
    nilf    %r1, 0xfff
    clfi    %r1, 0x501              /* program mask, bit 31 */
    jne     fail
    larl    %r5, save
    CHECK   2                       /* halves of the register apart */
    TO      2f, psw16
    RP      %r5, 7, PSW16, SAVED_AR, SAVED_GR, SAVED_HIGH
    j       fail
2:  EXPECT_REG %r5, 0xfedcba9801234567
    CHECK   3                       /* 8-byte PSW: to the 31-bit mode; bits 0-31 stay */
    larl    %r5, save
    oihf    %r5, 0x77777777
    larl    %r1, 3f
    oilf    %r1, 0x80000000
    larl    %r2, psw8
    st      %r1, 4(%r2)
    sam31
    RP      %r5, 0, PSW8, SAVED_AR, SAVED_GR
    j       fail
3:  tam
    EXPECT_CC 1
    sam64
    EXPECT_REG %r5, 0x7777777701234567
    CHECK   4                       /* a control bit that must be zero */
    larl    %r5, save
    EXPECT_PGM 6, "RP %r5, 0x86, PSW16, SAVED_AR, SAVED_GR"
    EXPECT_ILC 4
    CHECK   5                       /* an odd address: suppressed, nothing restored */
    larl    %r1, psw16
    mvghi   8(%r1), 0x701
    larl    %r5, save
    lgr     %r6, %r5
    EXPECT_PGM 6, "RP %r5, 6, PSW16, SAVED_AR, SAVED_GR"
    EXPECT_ILC 4
    clgr    %r5, %r6
    jne     fail
    CHECK   6                       /* the list is behind the target of EXECUTE */
    TO      6f, psw16
    larl    %r5, save
    larl    %r1, 7f
    ex      %r0, 0(%r1)
    j       fail
6:  EXPECT_REG %r5, 0x0123456789abcdef
    j       pass
7:  RP      %r5, 6, PSW16, SAVED_AR, SAVED_GR

    .data
    .balign 8
save:
psw16:
    .quad   0x0000150180000000, 0
psw8:
    .quad   0
    .quad   0x0123456789abcdef
    .long   0x13572468, 0xfedcba98
