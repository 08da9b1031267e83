/* TRTE, TRTRE, ECTG, ECAG, BIC, reserved bits of PLO, LAE in AR and secondary modes.
 * qemu: no, 7.2 has no TRTE, TRTRE, ECTG, PLO; ECAG gives nothing, BIC goes elsewhere, LAE mixes up
 * two modes, SRSTU finds nothing, and EX or MVCRL of a page that is not there end in another way
 * ipl: --model max */
#include "insn.inc"

#define PGM_ADDRESSING 5
#define PGM_SPECIFICATION 6

    .data
    .balign 8
odd:    .quad   tests+1
target: .quad   bic_taken
timer:  .quad   0
value2: .quad   0x2222
value3: .quad   0x3333
text:   .ascii  "abcdefgh"
wide:   .short  1, 2, 0x105, 3
        .balign 8
table:  .fill   'e', 1, 0
        .byte   9
        .fill   255 - 'e', 1, 0
table2: .short  0, 0, 0, 0x1234
        .fill   0x101, 2, 0
        .short  0x7777
words:  .short  0x0041, 0x0042, 0x0100, 0x0043
        .balign 16
plist:  .fill   32, 8, 0
ar_psw: .quad   0x0000400180000000, ar_mode
second_psw: .quad 0x0000800180000000, second_mode
end_psw: .quad  0x0000000180000000, primary

    .text
tests:
    CHECK   1                   /* TRTE: bytes, function code of one byte */
    larl    %r1, table
    larl    %r2, text
    lgr     %r8, %r2
    lghi    %r3, 8
    lghi    %r4, -1
1:  trte    %r2, %r4, 0
    jo      1b
    EXPECT_CC 1
    EXPECT_REG %r4, 9
    EXPECT_REG %r3, 4
    sgr     %r2, %r8
    EXPECT_REG %r2, 4

    CHECK   2                   /* nothing found: the function code is zero */
    lgr     %r2, %r8
    lghi    %r3, 4
    lghi    %r4, -1
1:  trte    %r2, %r4, 0
    jo      1b
    EXPECT_CC 0
    EXPECT_REG %r4, 0
    EXPECT_REG %r3, 0
    sgr     %r2, %r8
    EXPECT_REG %r2, 4

    CHECK   3                   /* TRTRE: from right to left */
    la      %r2, 7(%r8)
    lghi    %r3, 8
1:  trtre   %r2, %r4, 0
    jo      1b
    EXPECT_CC 1
    EXPECT_REG %r4, 9
    EXPECT_REG %r3, 5
    sgr     %r2, %r8
    EXPECT_REG %r2, 4

    CHECK   4                   /* two-byte characters, two-byte function codes */
    larl    %r1, table2
    larl    %r2, wide
    lgr     %r9, %r2
    lghi    %r3, 8
1:  trte    %r2, %r4, 12
    jo      1b
    EXPECT_CC 1
    EXPECT_REG %r4, 0x7777
    EXPECT_REG %r3, 4
    lgr     %r2, %r9            /* arguments above 255 are skipped when limited */
    lghi    %r3, 8
1:  trte    %r2, %r4, 14
    jo      1b
    EXPECT_CC 1
    EXPECT_REG %r4, 0x1234
    EXPECT_REG %r3, 2
    lghi    %r3, 7              /* half a character */
    EXPECT_PGM PGM_SPECIFICATION, "trte %r2, %r4, 8"
    EXPECT_ILC 4
    EXPECT_PGM PGM_SPECIFICATION, ".long 0xb9bf0034"

    CHECK   5                   /* storage ends: the registers stand before the byte that is missing */
    larl    %r1, table
    SETREG  %r2, 0x1ffffffe
    mvc     0(2,%r2), 0(%r8)
    lghi    %r3, 9
    EXPECT_PGM PGM_ADDRESSING, "trte %r2, %r4, 0"
    EXPECT_REG %r2, 0x20000000
    EXPECT_REG %r3, 7

    CHECK   6                   /* ECTG: how much the CPU timer has run down; two more doublewords */
    larl    %r6, timer
    stpt    0(%r6)
    la      %r7, 16(%r6)
    ectg    0(%r6), 8(%r6), %r7
    EXPECT_REG %r1, 0x2222
    EXPECT_REG %r7, 0x3333
    ltgr    %r0, %r0
    jgm     fail
    srlg    %r0, %r0, 44        /* less than 256 s */
    EXPECT_REG %r0, 0
    SETREG  %r7, 0x20000000
    lghi    %r0, 5
    EXPECT_PGM PGM_ADDRESSING, "ectg 0(%r6), 8(%r6), %r7"
    EXPECT_ILC 6
    EXPECT_REG %r0, 5

    CHECK   7                   /* ECAG: line size of the first level; what is not there is all ones */
    ecag    %r2, %r0, 0x10
    EXPECT_REG %r2, 256
    ecag    %r2, %r0, 0x1f0
    EXPECT_REG %r2, -1

    CHECK   8                   /* BIC with an odd target: the exception comes at the target */
    larl    %r1, odd
    larl    %r2, tests
    aghi    %r2, 1
    EXPECT_PGM PGM_SPECIFICATION, "bi 0(%r1)"
    lg      %r3, 0x158          /* stepped on by the length code, whatever that is */
    llgh    %r4, 0x8c
    sgr     %r3, %r4
    cgr     %r3, %r2
    jgne    fail

    CHECK   9                   /* PLO: bits 32-54 of GR0 must be zero, also for the test bit */
    larl    %r4, plist
    lghi    %r0, 0x200
    EXPECT_PGM PGM_SPECIFICATION, "plo %r2, 0(%r4), %r6, 0(%r4)"
    lghi    %r0, 0x300
    EXPECT_PGM PGM_SPECIFICATION, "plo %r2, 0(%r4), %r6, 0(%r4)"
    EXPECT_ILC 6
    lghi    %r0, 0x117
    plo     %r2, 0(%r4), %r6, 0(%r4)
    EXPECT_CC 0
    lghi    %r0, 0x118
    plo     %r2, 0(%r4), %r6, 0(%r4)
    EXPECT_CC 3

    CHECK   10                  /* LAE: the base's access register in the AR mode, 1 in the secondary mode */
    lghi    %r9, 7
    sar     %a1, %r9
    larl    %r2, ar_psw
    lpswe   0(%r2)
ar_mode:
    lae     %r4, 8(%r1)
    lae     %r6, 8(%r0)
    larl    %r2, second_psw
    lpswe   0(%r2)
second_mode:
    lae     %r7, 8(%r1)
    larl    %r2, end_psw
    lpswe   0(%r2)
primary:
    ear     %r5, %a4
    cfi     %r5, 7
    jgne    fail
    ear     %r5, %a6
    cfi     %r5, 0
    jgne    fail
    ear     %r5, %a7
    cfi     %r5, 1
    jgne    fail

    CHECK   11                  /* a destination that is not all there: nothing moves */
    SETREG  %r2, 0x1ffffffc
    larl    %r1, value2
    mvc     0(4,%r2), 4(%r1)
    lghi    %r0, 7
    EXPECT_PGM PGM_ADDRESSING, "mvcrl 0(%r2), 8(%r1)"
    EXPECT_ILC 6
    llgf    %r3, 0(%r2)
    EXPECT_REG %r3, 0x2222

    CHECK   12                  /* SRSTU */
    larl    %r2, words
    lgr     %r8, %r2
    la      %r3, 8(%r2)
    lghi    %r0, 0x100
1:  srstu   %r3, %r2
    jo      1b
    EXPECT_CC 1
    sgr     %r3, %r8
    EXPECT_REG %r3, 4
    cgr     %r2, %r8
    jgne    fail
    la      %r3, 8(%r2)
    lghi    %r0, 0x44
1:  srstu   %r3, %r2
    jo      1b
    EXPECT_CC 2
    SETREG  %r0, 0x10041        /* bits 32-47 must be zero */
    EXPECT_PGM PGM_SPECIFICATION, "srstu %r3, %r2"
    EXPECT_ILC 4

    CHECK   13                  /* BIC: branch to the address in storage */
    larl    %r1, target
    lghi    %r2, 0
    cghi    %r2, 0
    bic     7, 0(%r1)           /* not taken: cc is 0 */
    lghi    %r2, 1
    bi      0(%r1)
    j       fail
bic_taken:
    EXPECT_REG %r2, 1

    CHECK   14                  /* a target of EXECUTE that is not there */
    SETREG  %r7, 0x20000000
    EXPECT_PGM PGM_ADDRESSING, "ex %r0, 0(%r7)"
    EXPECT_ILC 4
    j       pass
