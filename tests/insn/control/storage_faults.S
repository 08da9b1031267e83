/* Access exceptions with old PSW, ILC and TEID, with DAT on; execution protection, also of the
 * target of EXECUTE; IDTE.
 * ipl: --model max */
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

/* The old PSW points `behind` bytes behind the instruction at the label. */
.macro EXPECT_OLD label, behind
    larl    %r1, \label
    aghi    %r1, \behind
    clg     %r1, 0x158(%r0)
    jne     fail
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
    mvghi   0x80*8(%r8), 0x400      /* page 80: invalid */
    oi      0x81*8+6(%r8), 2        /* page 81: protected */
    oi      0x82*8+6(%r8), 1        /* page 82: not to be executed from */
    larl    %r9, asce
    lctlg   %c1, %c1, 0(%r9)
    lctlg   %c0, %c0, cr0-asce(%r9)
    llilh   %r2, 8                  /* 80000, 81000, 82000 */
    llilf   %r3, 0x81000
    llilf   %r4, 0x82000

    CHECK   1                       /* a page: fetched, stored, and the operand that crosses */
    FAULT   0x11, 0x80800, "l1: lg %r5, 8(%r2)"
    EXPECT_ILC 6
    EXPECT_OLD l1, 0
    FAULT   0x11, 0x80400, "stg %r5, 8(%r2)"
    lgr     %r5, %r2
    aghi    %r5, -4
    mvhi    0(%r5), 0x55
    FAULT   0x11, 0x80400, "l2: stg %r6, 0(%r5)"
    EXPECT_OLD l2, 0
    llgf    %r1, 0(%r5)
    EXPECT_REG %r1, 0x55
    FAULT   0x11, 0x80800, "l3: mvc 0(8,%r4), 0(%r5)"
    EXPECT_OLD l3, 0

    CHECK   2                       /* a segment, a region, beyond the tables */
    llilh   %r5, 0x10
    FAULT   0x10, 0x100800, "lg %r6, 0x10(%r5)"
    SETREG  %r5, 0x10000000000
    FAULT   0x3b, 0x10000000400, "st %r6, 0x10(%r5)"
    SETREG  %r5, 0x40000000000
    FAULT   0x38, 0x40000000800, "l4: cli 0x10(%r5), 0"
    EXPECT_ILC 4
    EXPECT_OLD l4, 0

    CHECK   3                       /* a protected page: suppressed */
    FAULT   4, 0x81404, "l5: stg %r6, 8(%r3)"
    EXPECT_ILC 6
    EXPECT_OLD l5, 6
    FAULT   4, 0x81404, "l6: mvi 0(%r3), 1"
    EXPECT_ILC 4
    EXPECT_OLD l6, 4
    stosm   T_SAVE+8(%r0), 4
    lg      %r5, 8(%r3)             /* fetched it may be */
    stnsm   T_SAVE+8(%r0), 0xfb

    CHECK   4                       /* low addresses */
    larl    %r9, asce
    lctlg   %c0, %c0, cr0_lap-asce(%r9)
    lghi    %r5, 0x1000
    FAULT   4, 0x480, "l7: stg %r6, 0x1f8(%r0)"
    EXPECT_OLD l7, 6
    FAULT   4, 0x1480, "sty %r6, 0x1fc(%r5)"
    lctlg   %c0, %c0, cr0-asce(%r9)

    CHECK   5                       /* reserved bits: neither nullified nor told where */
    oi      0x83*8+6(%r8), 8
    llilf   %r5, 0x83000
    stosm   T_SAVE+8(%r0), 4
    EXPECT_PGM 0x12, "l8: lg %r6, 0(%r5)"
    EXPECT_OLD l8, 6
    mvghi   16(%r7), 4              /* a segment-table entry of another type */
    llilh   %r5, 0x20
    stosm   T_SAVE+8(%r0), 4
    EXPECT_PGM 0x12, "lg %r6, 0(%r5)"
    lgrl    %r9, outside
    stg     %r9, 16(%r7)            /* a page table outside storage */
    stosm   T_SAVE+8(%r0), 4
    EXPECT_PGM 5, "lg %r6, 0(%r5)"

    CHECK   6                       /* execution protection */
    mvhhi   0(%r4), 0x07fe          /* br %r14 */
    larl    %r9, asce
    lctlg   %c0, %c0, cr0_iep-asce(%r9)
    stosm   T_SAVE+8(%r0), 4
    lh      %r1, 0(%r4)
    FAULT   4, 0x82884, "basr %r14, %r4"
    FAULT   4, 0x82884, "ex %r0, 0(%r4)" /* QEMU gives another ILC: unit tests check it */
    lctlg   %c0, %c0, cr0-asce(%r9)
    stosm   T_SAVE+8(%r0), 4
    basr    %r14, %r4
    stnsm   T_SAVE+8(%r0), 0xfb

    CHECK   7                       /* IDTE of two entries, and what it refuses */
    lgr     %r9, %r6
    oill    %r9, 4
    mvghi   8(%r6), 0x404
    llilf   %r5, 0x80000001
    idte    %r9, %r0, %r5
    lg      %r1, 8(%r6)
    EXPECT_REG %r1, 0x424
    lg      %r1, 16(%r6)
    EXPECT_REG %r1, 0x20
    llilf   %r5, 0x80001000
    EXPECT_PGM 6, "idte %r9, %r0, %r5"
    EXPECT_ILC 4
    j       pass

    .balign 8
asce:
    .quad   R3 + 4
cr0:
    .quad   0x00000000008400e0      /* EDAT, AFP registers */
cr0_lap:
    .quad   0x00000000108400e0
cr0_iep:
    .quad   0x00000000009400e0
outside:
    .quad   0x10000000000
