/* Operands of several lengths behind one anchor that asks for each by itself: the longest lies across a page's end, and
 * the page behind it is elsewhere in storage. It is served by the anchor of a loop that it is not in, but called from.
 * qemu: yes
 * reloc: no, step has relocations enough */
#include "insn.inc"

#define SEG 0x50000
#define PAGES 0x51000
#define PAGE 0x30000
#define FIRST 0x61000           /* frames of two pages, with one between them */
#define SECOND 0x63000
#define BASE PAGE + 0x1000 - 280
#define ROUNDS 100
#define SEEN 0x1122334455667788

    .balign 8
asce:
    .quad   SEG

    .balign 4096
inner:
    lg      %r0, 288(%r5)       /* of the second page */
    lmg     %r6, %r14, 200(%r5) /* 72 bytes, of the first */
    la      %r5, 0(%r5)
    brctg   %r1, inner
    br      %r2
outer:
    lghi    %r1, 3
    brasl   %r2, inner
    lmg     %r6, %r15, 208(%r5) /* 80 bytes, of both */
    lghi    %r1, 3
    brasl   %r2, inner
    br      %r3

tests:
    MAP_MEGABYTE SEG, PAGES
    lgfi    %r3, PAGES
    lgfi    %r4, FIRST
    stg     %r4, PAGE >> 9(%r3)
    lgfi    %r4, SECOND
    stg     %r4, (PAGE >> 9) + 8(%r3)
    SETREG  %r6, SEEN
    stg     %r6, 0(%r4)
    larl    %r2, asce
    lctlg   %c1, %c1, 0(%r2)
    stosm   T_SAVE(%r0), 4

    CHECK   1
    lgfi    %r5, BASE
    lghi    %r4, ROUNDS
2:  lghi    %r15, 0
    larl    %r3, 3f
    larl    %r1, outer
    br      %r1                 /* so it is no part of this loop */
3:  EXPECT_REG %r15, SEEN
    brctg   %r4, 2b
    j       pass
