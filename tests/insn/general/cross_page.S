/* Instructions that go on in the next page, called hundreds of times: what stands behind the page's end changes, what
 * stands before it does, another frame is mapped there, the same page is executed at another address with another page
 * behind it, or none is there at all. Of all these each execution sees what is there then.
 * qemu: yes
 * reloc: no, step has relocations enough */
#include "insn.inc"

#define SEG 0x50000
#define PAGES 0x51000
#define ALIAS 0x70000           /* of the page of `two`; another frame is behind it */
#define OTHER 0x62000           /* that frame */
#define MISSING 0x80000         /* a page that is not mapped */
#define ROUNDS 300

    .balign 8
asce:
    .quad   SEG

/* lgfi %r2, with two bytes in its first page */
    .balign 4096
    .skip   4094
two:
    .byte   0xc0, 0x21
two_behind:
    .long   0x12345678
    br      %r14

/* lgfi %r2, with four; aghi %r2 in the next page's end */
    .balign 4096
    .skip   4092
four:
    .byte   0xc0, 0x21, 0x76, 0x54
four_behind:
    .short  0x3210
    br      %r14

/* A loop whose branch lies across. */
    .balign 4096
    .skip   4076
loop:
    lghi    %r2, 0
    lghi    %r3, ROUNDS
1:  aghi    %r2, 3
    nopr
    nopr
    nopr
    brctg   %r3, 1b
    br      %r14

/* One that may fail. */
    .balign 4096
    .skip   4094
load:
    lg      %r2, 0(%r3)
    br      %r14

/* Two places of one page's end, entered by turns. */
    .balign 4096
    .skip   4092
both:
    .byte   0xc0, 0x21, 0xa7, 0x2b /* lgfi %r2, or aghi %r2 from its middle on */
    .short  0x0005
    br      %r14

    .balign 4096
.macro MAP address, frame, flags=0
    lgfi    %r3, PAGES + (\address) / 512
    lgfi    %r4, \frame + \flags
    stg     %r4, 0(%r3)
.endm

tests:
    CHECK   1                   /* nothing changes */
    lghi    %r9, ROUNDS
1:  brasl   %r14, two
    EXPECT_REG %r2, 0x12345678
    brasl   %r14, four
    EXPECT_REG %r2, 0x76543210
    brasl   %r14, both
    EXPECT_REG %r2, 0xffffffffa72b0005
    lghi    %r2, 7
    brasl   %r14, both + 2
    EXPECT_REG %r2, 12
    brasl   %r14, loop
    EXPECT_REG %r2, 3 * ROUNDS
    larl    %r3, asce
    brasl   %r14, load
    EXPECT_REG %r2, SEG
    brctg   %r9, 1b

    CHECK   2                   /* what is behind changes */
    lghi    %r9, ROUNDS
    larl    %r8, two_behind
    larl    %r7, four_behind
2:  st      %r9, 0(%r8)
    sth     %r9, 0(%r7)
    brasl   %r14, two
    cgr     %r2, %r9
    jne     fail
    brasl   %r14, four
    lgfi    %r3, 0x76540000
    ogr     %r3, %r9
    cgr     %r2, %r3
    jne     fail
    brctg   %r9, 2b

    CHECK   3                   /* what is before does: LGFI or LLILF */
    lghi    %r9, ROUNDS
    larl    %r7, two
    lgfi    %r3, -5
    st      %r3, 0(%r8)
3:  mvi     1(%r7), 0x2f
    brasl   %r14, two
    EXPECT_REG %r2, 0xfffffffb
    mvi     1(%r7), 0x21
    brasl   %r14, two
    EXPECT_REG %r2, 0xfffffffffffffffb
    brctg   %r9, 3b

    CHECK   4                   /* it becomes one that does not cross */
    lghi    %r9, ROUNDS
4:  mvhhi   0(%r7), 0x07fe
    lghi    %r2, 9
    brasl   %r14, two
    EXPECT_REG %r2, 9
    mvhhi   0(%r7), -0x3fdf
    brasl   %r14, two
    EXPECT_REG %r2, -5
    brctg   %r9, 4b

    CHECK   5                   /* at another address another page is behind it */
    MAP_MEGABYTE SEG, PAGES
    larl    %r4, two
    nill    %r4, 0xf000
    lgfi    %r3, PAGES + ALIAS / 512
    stg     %r4, 0(%r3)
    MAP     ALIAS + 0x1000, OTHER
    MAP     MISSING, MISSING, 0x400
    lgfi    %r3, OTHER
    mvhi    0(%r3), 77
    mvhhi   4(%r3), 0x07fe
    larl    %r2, asce
    lctlg   %c1, %c1, 0(%r2)
    stosm   T_SAVE(%r0), 4
    lghi    %r9, ROUNDS
    lgfi    %r7, ALIAS + 0xffe
5:  brasl   %r14, two
    EXPECT_REG %r2, -5
    basr    %r14, %r7
    EXPECT_REG %r2, 77
    brctg   %r9, 5b

    CHECK   6                   /* the page behind comes and goes */
    lghi    %r9, ROUNDS
    lgfi    %r5, PAGES
    lgfi    %r6, ALIAS + 0x1000
    lgfi    %r8, OTHER
6:  st      %r9, 0(%r8)
    basr    %r14, %r7
    cgr     %r2, %r9
    jne     fail
    ipte    %r5, %r6
    larl    %r1, 7f
    stg     %r1, T_PGM_ADDR(%r0)
    basr    %r14, %r7
    j       fail
7:  mvc     T_PGM_ADDR(8,%r0), T_FAIL_ADDR(%r0)
    clhhsi  0x8e(%r0), 0x11
    jne     fail
    clg     %r7, 0x158(%r0)     /* nullified */
    jne     fail
    MAP     ALIAS + 0x1000, OTHER
    stosm   T_SAVE(%r0), 4      /* the interruption turned DAT off */
    brctg   %r9, 6b

    CHECK   7                   /* an operand is missing */
    lghi    %r9, ROUNDS
    larl    %r7, load
8:  lgfi    %r3, MISSING
    larl    %r1, 9f
    stg     %r1, T_PGM_ADDR(%r0)
    brasl   %r14, load
    j       fail
9:  mvc     T_PGM_ADDR(8,%r0), T_FAIL_ADDR(%r0)
    clhhsi  0x8e(%r0), 0x11
    jne     fail
    EXPECT_ILC 6
    clg     %r7, 0x158(%r0)
    jne     fail
    stosm   T_SAVE(%r0), 4
    larl    %r3, asce
    brasl   %r14, load
    EXPECT_REG %r2, SEG
    brctg   %r9, 8b
    j       pass
