/* Enhanced DAT: frames of 1M and 2G with their protection, keys of many frames at once, and
 * instructions on table entries.
 * ipl: --model max
 * qemu: no, it has no enhanced DAT */
#include "insn.inc"

#define R3 0x200000
#define SEG 0x204000
#define PAGES 0x208000

/* The TEID; bits 52-53 tell fetch (2) from store (1). */
.macro EXPECT_TEID value
    lg      %r1, 0xa8(%r0)
    EXPECT_REG %r1, \value
.endm

/* Turn DAT on, execute, and be here again without it. */
.macro FAULT code, teid, insn
    stosm   T_SAVE+8(%r0), 4
    EXPECT_PGM \code, "\insn"
    EXPECT_TEID \teid
.endm

tests:
    llilh   %r6, R3 >> 16
    llilh   %r7, SEG >> 16
    iill    %r7, SEG & 0xffff
    llilh   %r8, PAGES >> 16
    iill    %r8, PAGES & 0xffff
    lgr     %r9, %r7
    oill    %r9, 7
    stg     %r9, 0(%r6)
    stg     %r8, 0(%r7)
    mvghi   8(%r7), 0x20            /* invalid */
    lghi    %r4, 0
    lghi    %r5, 256
    lgr     %r9, %r8
1:  stg     %r4, 0(%r9)
    aghi    %r4, 0x1000
    aghi    %r9, 8
    brctg   %r5, 1b
    larl    %r9, asce
    lctlg   %c1, %c1, 0(%r9)
    lctlg   %c0, %c0, cr0-asce(%r9)
    llilh   %r5, 0x20

    CHECK   1                       /* the fourth megabyte seen at the third; and by a region */
    llilh   %r9, 0x30
    oill    %r9, 0x400
    stg     %r9, 16(%r7)
    mvghi   8(%r6), 0x404
    llilh   %r9, 0x30
    mvghi   0x120(%r9), 0x1234
    llilh   %r10, 0x8030
    ptlb
    stosm   T_SAVE+8(%r0), 4
    lg      %r1, 0x120(%r5)
    EXPECT_REG %r1, 0x1234
    lg      %r1, 0x120(%r10)
    EXPECT_REG %r1, 0x1234
    mvghi   0x120(%r10), 0x4321
    lg      %r1, 0x120(%r5)
    EXPECT_REG %r1, 0x4321
    stnsm   T_SAVE+8(%r0), 0xfb
    lrag    %r1, 0x123(%r5)
    EXPECT_CC 0
    EXPECT_REG %r1, 0x300123
    oi      16+6(%r7), 2            /* the segment protected */
    ptlb
    FAULT   4, 0x200404, "mvghi 0x120(%r5), 1"
    oi      8+6(%r6), 2             /* the region as well */
    ptlb
    FAULT   4, 0x80300404, "mvghi 0x120(%r10), 1"


    CHECK   2                       /* the entry's access-control bits count when valid */
    lgrl    %r9, keyed_segment      /* ACC 5, fetch protection */
    stg     %r9, 16(%r7)
    ptlb
    lghi    %r1, 0x30               /* the macros store into page 0 */
    sske    %r1, %r0
    spka    0x30
    FAULT   4, 0x200808, "lg %r1, 0x120(%r5)"
    spka    0x30
    FAULT   4, 0x200408, "stg %r1, 0x120(%r5)"
    stosm   T_SAVE+8(%r0), 4
    spka    0x50
    lg      %r1, 0x120(%r5)
    spka    0
    tprot   0x120(%r5), 0x30
    EXPECT_CC 2
    tprot   0x120(%r5), 0x50
    EXPECT_CC 0
    stnsm   T_SAVE+8(%r0), 0xfb

    CHECK   3                       /* keys to the end of the megabyte; reference bits of 64 */
    lghi    %r1, 0x36
    llilf   %r2, 0x3fe123
    sske    %r1, %r2, 1
    EXPECT_REG %r2, 0x400123
    llilf   %r2, 0x3ff000
    iske    %r3, %r2
    nilf    %r3, 0xff
    EXPECT_REG %r3, 0x36
    .insn   rre, 0xb9ac0000, %r3, %r2
    nilf    %r3, 3
    EXPECT_REG %r3, 3
    .insn   rre, 0xb9ae0000, %r3, %r2
    .insn   rre, 0xb9ac0000, %r3, %r2
    EXPECT_REG %r3, 0

    CHECK   4                       /* IPTE of three entries */
    lgr     %r2, %r8
    llilf   %r3, 0x90abc
    lghi    %r4, 2
    ipte    %r2, %r3, %r4
    EXPECT_REG %r3, 0x93abc
    EXPECT_REG %r4, 0xff
    lg      %r1, 0x92*8(%r8)
    EXPECT_REG %r1, 0x92400
    lg      %r1, 0x93*8(%r8)
    EXPECT_REG %r1, 0x93000
    llilf   %r2, 0x92000
    FAULT   0x11, 0x92800, "lg %r1, 0(%r2)"

    CHECK   5                       /* CRDTE takes the right to store away */
    llilf   %r2, 0x94000
    stosm   T_SAVE+8(%r0), 4
    mvghi   0(%r2), 1
    stnsm   T_SAVE+8(%r0), 0xfb
    lgr     %r10, %r2
    lgr     %r11, %r2
    oill    %r11, 0x200
    lgr     %r12, %r8
    lgr     %r13, %r2
    .insn   rrf, 0xb98f0000, %r10, %r12, %r0, 0
    EXPECT_CC 0
    FAULT   4, 0x94404, "mvghi 0(%r2), 1"
    .insn   rrf, 0xb98f0000, %r10, %r12, %r0, 0
    EXPECT_CC 1
    EXPECT_REG %r10, 0x94200

    CHECK   6                       /* LPTEA: of a page, of a frame, of nothing */
    lptea   %r1, %r0, %r2, 0
    EXPECT_CC 0
    aghi    %r1, -0x94*8
    clgr    %r1, %r8
    jne     fail
    lptea   %r1, %r0, %r5, 0
    EXPECT_CC 2
    aghi    %r1, -16
    clgr    %r1, %r7
    jne     fail
    llilh   %r2, 0x10
    lptea   %r1, %r0, %r2, 0
    EXPECT_CC 2
    SETREG  %r2, 0x40000000000
    lptea   %r1, %r0, %r2, 0
    EXPECT_CC 3
    EXPECT_REG %r1, 0x38

    CHECK   7                       /* TEST BLOCK */
    llilf   %r2, 0x96010
    mvghi   0(%r2), 7
    lghi    %r0, 5
    tb      %r0, %r2
    EXPECT_CC 0
    EXPECT_REG %r0, 0
    lg      %r1, 0(%r2)
    EXPECT_REG %r1, 0
    j       pass

    .balign 8
asce:
    .quad   R3 + 4
cr0:
    .quad   0x00000000008400e0      /* EDAT, AFP registers */
keyed_segment:
    .quad   0x0000000000315c00
