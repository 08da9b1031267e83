/* MVC, NC, OC, XC, CLC of many lengths, overlaps and places, by themselves and as targets of EX and EXRL, against loops
 * that go byte by byte. Operands that cross pages, a protected second page, targets that are stored into or that are
 * somewhere else from now on. Each is executed often enough to be translated.
 * reloc: no, a relocation each 997 of so many instructions takes a minute; `step` has 250 of them */
#include "insn.inc"

#define PGM_PROTECTION 4
#define AREA 0x400000
#define SHADOW 0x100000 /* the reference lies so far behind */
#define PATTERN 0x600000
#define AROUND 768      /* bytes that are compared, from 256 before the second operand on */
#define ROUNDS 40
#define BIG_PATTERN 0x700000
#define BIG_BYTES 0x28000

    .text
    .balign 8
shadow:
    .quad   SHADOW
cr0_protected:
    .quad   0x00000000100400e0
cr0_open:
    .quad   0x00000000000400e0
t_mvc: mvc  0(1, %r6), 0(%r7)
t_clc: clc  0(1, %r6), 0(%r7)
t_nc:  nc   0(1, %r6), 0(%r7)
t_oc:  oc   0(1, %r6), 0(%r7)
t_xc:  xc   0(1, %r6), 0(%r7)

/* Bytes that differ, around r7 and in the reference. Keeps what is not r0 to r5. */
prepare:
    lgr     %r2, %r7
    aghi    %r2, -256
    lghi    %r0, 2
2:  llilf   %r4, PATTERN
    lghi    %r3, AROUND
    lghi    %r5, AROUND
1:  mvcle   %r2, %r4, 0
    jo      1b
    aghi    %r2, -AROUND
    ag      %r2, shadow - _start(%r10)
    brct    %r0, 2b
    br      %r14

/* The same on both sides? */
same:
    lgr     %r2, %r7
    aghi    %r2, -256
    lgr     %r4, %r2
    ag      %r4, shadow - _start(%r10)
    lghi    %r3, AROUND
    lghi    %r5, AROUND
1:  clcle   %r2, %r4, 0
    jo      1b
    jne     fail
    br      %r14

/* r9 = condition code of what is done byte by byte in the reference: first operand r6, second r7, r8 + 1 bytes. */
.macro REFERENCE name, op
ref_\name:
    lgr     %r1, %r6
    ag      %r1, shadow - _start(%r10)
    lgr     %r2, %r7
    ag      %r2, shadow - _start(%r10)
    la      %r3, 1(%r8)
    lghi    %r9, 0
1:  llc     %r4, 0(%r1)
    llc     %r5, 0(%r2)
    \op     %r4, %r5
    stc     %r4, 0(%r1)
    or      %r9, %r4
    la      %r1, 1(%r1)
    la      %r2, 1(%r2)
    brct    %r3, 1b
    ltr     %r9, %r9
    ber     %r14
    lghi    %r9, 1
    br      %r14
.endm
    REFERENCE move, lr
    REFERENCE and, nr
    REFERENCE or, or
    REFERENCE xor, xr
ref_compare:
    lgr     %r1, %r6
    lgr     %r2, %r7
    la      %r3, 1(%r8)
    lghi    %r9, 0
1:  llc     %r4, 0(%r1)
    llc     %r5, 0(%r2)
    la      %r1, 1(%r1)
    la      %r2, 1(%r2)
    clr     %r4, %r5
    brc     7, 2f
    brct    %r3, 1b
    br      %r14
2:  lghi    %r9, 1
    blr     %r14
    lghi    %r9, 2
    br      %r14

/* r9 is the condition code. */
.macro SAME_CC
    ipm     %r1
    srl     %r1, 28
    cr      %r1, %r9
    jne     fail
.endm

/* Length codes, then distances of the first operand from the second. */
lengths:
    .short  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 22, 23, 24, 29, 30, 31, 32, 33, 47, 48, 62, 63
    .short  64, 65, 94, 95, 96, 126, 127, 128, 200, 247, 253, 254, 255, -1
distances:
    .short  -256, -64, -33, -32, -31, -17, -16, -9, -8, -7, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17
    .short  31, 32, 33, 64, 100, 255, 0x7fff

/* Every length and distance for r12 = instruction by EXRL, r11 = the reference; r7 = second operand. */
.macro EVERY name, target, reference, compared_cc
every_\name:
    stg     %r14, T_SAVE(%r0)
    larl    %r12, distances
2:  lgh     %r6, 0(%r12)
    cghi    %r6, 0x7fff
    je      9f
    agr     %r6, %r7
    larl    %r13, lengths
3:  lgh     %r8, 0(%r13)
    ltr     %r8, %r8
    jm      4f
    brasl   %r14, prepare
    brasl   %r14, \reference
    exrl    %r8, \target
    .if     \compared_cc
    SAME_CC
    .endif
    brasl   %r14, same
    brasl   %r14, prepare
    brasl   %r14, \reference
    larl    %r1, \target
    ex      %r8, 0(%r1)
    .if     \compared_cc
    SAME_CC
    .endif
    brasl   %r14, same
    la      %r13, 2(%r13)
    j       3b
4:  la      %r12, 2(%r12)
    j       2b
9:  lg      %r14, T_SAVE(%r0)
    br      %r14
.endm
    EVERY   move, t_mvc, ref_move, 0
    EVERY   and, t_nc, ref_and, 1
    EVERY   or, t_oc, ref_or, 1
    EVERY   xor, t_xc, ref_xor, 1

/* Comparisons: equal but for one byte at each place, or for none. */
every_compare:
    stg     %r14, T_SAVE(%r0)
    larl    %r13, lengths
3:  lgh     %r8, 0(%r13)
    ltr     %r8, %r8
    jm      9f
    brasl   %r14, prepare
    la      %r6, 256(%r7)
    lgr     %r1, %r6
    lgr     %r2, %r7
    lghi    %r3, 256
1:  llc     %r4, 0(%r2)
    stc     %r4, 0(%r1)
    la      %r1, 1(%r1)
    la      %r2, 1(%r2)
    brct    %r3, 1b
    lghi    %r12, -1
4:  lghi    %r5, 0x80
    la      %r11, 0(%r12, %r7)  /* before, at and behind each byte of the operand */
    llc     %r4, 0(%r11)
    xr      %r4, %r5
    stc     %r4, 0(%r11)
    brasl   %r14, ref_compare
    exrl    %r8, t_clc
    SAME_CC
    larl    %r1, t_clc
    ex      %r8, 0(%r1)
    SAME_CC
    llc     %r4, 0(%r11)
    lghi    %r5, 0x80
    xr      %r4, %r5
    stc     %r4, 0(%r11)
    la      %r12, 1(%r12)
    chi     %r12, 34
    jl      4b
    la      %r12, 30(%r12)
    crjnh   %r12, %r8, 4b
    la      %r13, 2(%r13)
    j       3b
9:  lg      %r14, T_SAVE(%r0)
    br      %r14

/* Fixed shapes: distance and length are those of the instruction. */
.macro SHAPE distance, length
    lghi    %r8, \length - 1
    la      %r6, \distance(%r7)
    brasl   %r14, prepare
    brasl   %r14, ref_move
    mvc     \distance(\length, %r7), 0(%r7)
    brasl   %r14, same
.endm
shapes_move:
    stg     %r14, T_SAVE(%r0)
    .irp    distance, 0, 1, 2, 3, 4, 5, 7, 8, 16, 31, 32, 33
    .irp    length, 1, 2, 3, 4, 7, 8, 9, 12, 15, 16, 24, 31, 32, 33, 40, 64, 96, 248, 254, 255, 256
    SHAPE   \distance, \length
    .endr
    .endr
    lg      %r14, T_SAVE(%r0)
    br      %r14

.macro COMBINED op, reference, length
    lghi    %r8, \length - 1
    .irp    distance, 0, 1, 4, 64
    la      %r6, \distance(%r7)
    brasl   %r14, prepare
    brasl   %r14, \reference
    \op     \distance(\length, %r7), 0(%r7)
    SAME_CC
    brasl   %r14, same
    .endr
    la      %r6, 5(%r7)
    brasl   %r14, prepare
    brasl   %r14, \reference
    \op     0(\length, %r6), 0(%r7)
    SAME_CC
    brasl   %r14, same
.endm
shapes_combine:
    stg     %r14, T_SAVE(%r0)
    .irp    length, 1, 2, 3, 4, 5, 8, 9, 16, 33, 256
    COMBINED nc, ref_and, \length
    COMBINED oc, ref_or, \length
    COMBINED xc, ref_xor, \length
    .endr
    lg      %r14, T_SAVE(%r0)
    br      %r14

.macro COMPARED length
    lghi    %r8, \length - 1
    brasl   %r14, ref_compare
    clc     0(\length, %r6), 0(%r7)
    SAME_CC
.endm
shapes_compare:
    stg     %r14, T_SAVE(%r0)
    brasl   %r14, prepare
    .irp    distance, 0, 1, 8, 232
    la      %r6, \distance(%r7)
    .irp    length, 1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 100, 256
    COMPARED \length
    .endr
    .endr
    lg      %r14, T_SAVE(%r0)
    br      %r14

/* ---- */

    .balign 4096                /* targets in the same page as what executes them */
t_mvc2: mvc 0(1, %r6), 0(%r7)
t_oc2: oc   0(1, %r6), 0(%r7)
t_xc2: xc   0(1, %r6), 0(%r7)
t_clear: xc 0(1, %r6), 0(%r6)
t_spread: mvc 1(1, %r6), 0(%r6)
tests:
    larl    %r10, _start
    llilf   %r1, PATTERN
    lghi    %r2, AROUND
    lghi    %r0, 7
1:  stc     %r0, 0(%r1)
    la      %r1, 1(%r1)
    mhi     %r0, 29
    ahi     %r0, 11
    brct    %r2, 1b
    CHECK   1                   /* every length and overlap inside a page and across its end */
    llilf   %r7, AREA + 0x500
    brasl   %r14, every_move
    llilf   %r7, AREA + 0x3000 - 20
    brasl   %r14, every_move
    CHECK   2
    llilf   %r7, AREA + 0x500
    brasl   %r14, every_and
    brasl   %r14, every_or
    brasl   %r14, every_xor
    llilf   %r7, AREA + 0x3000 - 100
    brasl   %r14, every_xor
    CHECK   3
    llilf   %r7, AREA + 0x500
    brasl   %r14, every_compare
    llilf   %r7, AREA + 0x3000 - 40
    brasl   %r14, every_compare

    CHECK   4                   /* fixed shapes; the second time across a page */
    llilf   %r7, AREA + 0x500
    brasl   %r14, shapes_move
    brasl   %r14, shapes_combine
    brasl   %r14, shapes_compare
    llilf   %r7, AREA + 0x3000 - 9
    brasl   %r14, shapes_move
    brasl   %r14, shapes_combine
    brasl   %r14, shapes_compare

    CHECK   5                   /* zeros and one byte spread, of every length */
    llilf   %r6, AREA + 0x500
    lghi    %r8, 0
1:  lgr     %r7, %r6
    brasl   %r14, prepare
    brasl   %r14, ref_xor
    exrl    %r8, t_clear
    SAME_CC
    brasl   %r14, same
    brasl   %r14, prepare
    la      %r6, 1(%r7)
    brasl   %r14, ref_move
    lgr     %r6, %r7
    exrl    %r8, t_spread
    brasl   %r14, same
    la      %r8, 1(%r8)
    chi     %r8, 256
    jl      1b

    CHECK   6                   /* only bits 56-63 of the length register count */
    lghi    %r11, ROUNDS
    llilf   %r7, AREA + 0x500
    la      %r6, 100(%r7)
1:  lghi    %r8, 17
    brasl   %r14, prepare
    brasl   %r14, ref_move
    SETREG  %r8, 0x123456789abcde11
    exrl    %r8, t_mvc2
    brasl   %r14, same
    brct    %r11, 1b

    CHECK   7                   /* a protected second page: nothing is stored */
    lctlg   %c0, %c0, cr0_protected - _start(%r10)
    lghi    %r11, ROUNDS
1:  llilf   %r7, AREA
    lghi    %r6, 4096 - 5       /* bytes 4096 to 4607 are protected */
    lghi    %r8, 4              /* one byte less than reaches them */
    exrl    %r8, t_mvc2
    clc     0(5, %r6), 0(%r7)
    EXPECT_CC 0
    mvhi    0(%r6), 0x4567
    mvi     4(%r6), 0x89
    lghi    %r8, 5
    EXPECT_PGM PGM_PROTECTION, "exrl %r8, t_mvc2"
    EXPECT_PGM PGM_PROTECTION, "oc 0(8, %r6), 0(%r7)"
    EXPECT_ILC 6
    EXPECT_PGM PGM_PROTECTION, "mvc 1(16, %r6), 0(%r6)"
    EXPECT_PGM PGM_PROTECTION, "mvc 0(16, %r6), 0(%r7)"
    EXPECT_PGM PGM_PROTECTION, "stg %r8, 0(%r6)"
    EXPECT_PGM PGM_PROTECTION, "stmg %r8, %r9, 0(%r6)"
    lgf     %r3, 0(%r6)
    EXPECT_REG %r3, 0x4567
    cli     4(%r6), 0x89
    EXPECT_CC 0
    brctg   %r11, 1b
    lctlg   %c0, %c0, cr0_open - _start(%r10)

    CHECK   8                   /* the target is stored into between executions */
    llilf   %r7, AREA + 0x500
    la      %r6, 64(%r7)
    lghi    %r11, 3 * ROUNDS
    larl    %r12, t_changed
1:  mvghi   0(%r7), 0x55
    mvghi   8(%r7), 0x77
    mvghi   0(%r6), 0x0f
    lghi    %r8, 7
    exrl    %r8, t_changed
    lg      %r3, 0(%r6)
    EXPECT_REG %r3, 0x55
    tmll    %r11, 31            /* seldom, so that it is translated between */
    jne     2f
    mvi     5(%r12), 8          /* from elsewhere */
    exrl    %r8, t_changed
    lg      %r3, 0(%r6)
    EXPECT_REG %r3, 0x77
    mvi     5(%r12), 0
    mvi     0(%r12), 0xd7       /* XC */
    ex      %r8, 0(%r12)
    EXPECT_CC 1
    lg      %r3, 0(%r6)
    EXPECT_REG %r3, 0x22
    mvi     0(%r12), 0xd5       /* CLC */
    ex      %r8, 0(%r12)
    EXPECT_CC 1
    mvi     0(%r12), 0xd2       /* MVC again */
2:  brctg   %r11, 1b

    CHECK   9                   /* EX has another target from now on */
    llilf   %r7, AREA + 0x500
    la      %r6, 64(%r7)
    lghi    %r11, 2 * ROUNDS
    mvghi   0(%r7), 0x55
    mvghi   0(%r6), 0x33
    larl    %r12, t_oc2
    larl    %r4, t_xc2
    lghi    %r8, 7
1:  ex      %r8, 0(%r12)
    cghi    %r11, ROUNDS
    jne     2f
    lg      %r3, 0(%r6)
    EXPECT_REG %r3, 0x77
    lgr     %r12, %r4
2:  brctg   %r11, 1b
    lg      %r3, 0(%r6)
    EXPECT_REG %r3, 0x22    /* 39 times: an odd number */
    CHECK   10                  /* loops of pieces of 256 bytes: overlaps, places, numbers */
    llilf   %r1, BIG_PATTERN
    llilf   %r2, BIG_BYTES
    lghi    %r0, 3
1:  stc     %r0, 0(%r1)
    la      %r1, 1(%r1)
    mhi     %r0, 29
    ahi     %r0, 13
    brctg   %r2, 1b
    larl    %r12, moves
    larl    %r13, moves_end
1:  lgf     %r6, 0(%r12)
    lgf     %r7, 4(%r12)
    lgf     %r8, 8(%r12)
    algfi   %r6, AREA
    algfi   %r7, AREA
    brasl   %r14, big_prepare
    brasl   %r14, big_reference
    lgr     %r1, %r6
    lgr     %r3, %r7
    lgr     %r5, %r8
    brasl   %r14, big_move
    lgr     %r2, %r6
    sllg    %r4, %r8, 8         /* registers have advanced */
    agr     %r2, %r4
    cgr     %r1, %r2
    jne     fail
    lgr     %r2, %r7
    agr     %r2, %r4
    cgr     %r3, %r2
    jne     fail
    EXPECT_REG %r5, 0
    brasl   %r14, big_same
    la      %r12, 12(%r12)
    cgr     %r12, %r13
    jl      1b

    CHECK   11                  /* a loop of pieces ends before a protected page: all pieces before are there */
    lctlg   %c0, %c0, cr0_protected - _start(%r10)
    lghi    %r11, ROUNDS
1:  llilf   %r3, AREA + 0x20100
    agr     %r3, %r11
    lgr     %r12, %r3
    lghi    %r1, 0x980
    lghi    %r5, 200
    larl    %r4, 2f
    stg     %r4, T_PGM_ADDR(%r0)
    brasl   %r14, big_move
    j       fail
2:  mvc     T_PGM_ADDR(8, %r0), T_FAIL_ADDR(%r0)
    clhhsi  0x8e(%r0), PGM_PROTECTION
    jne     fail
    EXPECT_REG %r1, 0x980 + 6 * 256
    EXPECT_REG %r5, 194
    lgr     %r4, %r12
    lghi    %r2, 0x980
    lghi    %r3, 6 * 256
    lghi    %r5, 6 * 256
3:  clcle   %r2, %r4, 0
    jo      3b
    jne     fail
    brctg   %r11, 1b
    lctlg   %c0, %c0, cr0_open - _start(%r10)

    CHECK   12                  /* a loop of pieces stores into code that has been executed */
    lghi    %r11, ROUNDS
    lghi    %r8, 0
1:  larl    %r1, code_stored
    larl    %r3, code_one
    tmll    %r11, 1
    jne     2f
    larl    %r3, code_two
2:  lghi    %r5, 6
    brasl   %r14, big_move
    lghi    %r2, 0
    brasl   %r14, code_stored + 5 * 256
    agr     %r8, %r2
    brctg   %r11, 1b
    EXPECT_REG %r8, 20 * 7 + 20 * 9
    j       pass

big_move:
    pfd     2, 512(%r1)
    mvc     0(256, %r1), 0(%r3)
    la      %r1, 256(%r1)
    la      %r3, 256(%r3)
    brctg   %r5, big_move
    br      %r14

/* Both areas as the pattern is. */
big_prepare:
    lghi    %r0, 2
    llilf   %r2, AREA
2:  llilf   %r4, BIG_PATTERN
    llilf   %r3, BIG_BYTES
    llilf   %r5, BIG_BYTES
1:  mvcle   %r2, %r4, 0
    jo      1b
    llilf   %r2, AREA + SHADOW
    brct    %r0, 2b
    br      %r14

big_same:
    llilf   %r2, AREA
    llilf   %r4, AREA + SHADOW
    llilf   %r3, BIG_BYTES
    llilf   %r5, BIG_BYTES
1:  clcle   %r2, %r4, 0
    jo      1b
    jne     fail
    br      %r14

/* r8 pieces from r7 to r6, byte by byte, in the reference. */
big_reference:
    lgr     %r1, %r6
    ag      %r1, shadow - _start(%r10)
    lgr     %r2, %r7
    ag      %r2, shadow - _start(%r10)
    sllg    %r3, %r8, 8
1:  llc     %r4, 0(%r2)
    stc     %r4, 0(%r1)
    la      %r1, 1(%r1)
    la      %r2, 1(%r2)
    brctg   %r3, 1b
    br      %r14

/* To, from, pieces. */
    .balign 4
moves:
    .long   0x1000, 0x8000, 1,  0x1000, 0x8000, 2,  0x1000, 0x8000, 5,  0x1000, 0x8000, 16,  0x1000, 0x8000, 40
    .long   0x10ff, 0x8000, 40,  0x1000, 0x80ff, 40,  0x1f80, 0x8f80, 20,  0x1f81, 0x8f10, 33,  0x1f01, 0x8eff, 20
    .long   0x1000, 0x1001, 40,  0x1000, 0x1100, 40,  0x1000, 0x10ff, 40,  0x1100, 0x1000, 40,  0x1101, 0x1000, 20
    .long   0x1001, 0x1000, 20,  0x1080, 0x1000, 20,  0x1500, 0x1000, 40,  0x1fff, 0x1000, 40,  0x3000, 0x1000, 60
    .long   0x1000, 0x1000, 30,  0x1f00, 0x1eff, 20
moves_end:

    .balign 256
t_changed:
    mvc     0(1, %r6), 0(%r7)

.macro CODE name, value
\name:
    .fill   5 * 256, 1, 0
    lghi    %r2, \value
    br      %r14
    .fill   250, 1, 0
.endm
    .balign 4096
    CODE    code_one, 7
    CODE    code_two, 9
    .balign 256
    CODE    code_stored, 0
