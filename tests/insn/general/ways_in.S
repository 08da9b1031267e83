/* Places inside translated code that control comes to from outside alone: what a branch that nobody takes for a return
 * goes back to. Operands there lie in the second of two pages, and the one before them in the first; the frame behind
 * that of the first page is another's.
 * qemu: yes
 * reloc: no, step has relocations enough */
#include "insn.inc"

#define SEG 0x50000
#define PAGES 0x51000
#define PAGE 0x30000
#define FIRST 0x61000           /* frames of two pages, with one between them */
#define SECOND 0x63000
#define BASE PAGE + 0x1000 - 280
#define ROUNDS 200
#define SEEN 0x1122334455667788
#define FIRST_SEEN 0x99aabbccddeeff00

    .balign 8
asce:
    .quad   SEG

    .balign 4096
loop:
    lg      %r0, 288(%r5)       /* of the second page */
    lg      %r6, 200(%r5)       /* of the first */
    la      %r5, 0(%r5)
    brasl   %r14, leaves
    lg      %r7, 288(%r5)
    clgr    %r7, %r0
    jgne    fail
    brctg   %r1, loop
    br      %r3
leaves:
    lghi    %r8, 2
    bctgr   %r8, %r14
    jg      fail

tests:
    MAP_MEGABYTE SEG, PAGES
    lgfi    %r3, PAGES
    lgfi    %r4, FIRST
    stg     %r4, PAGE >> 9(%r3)
    SETREG  %r6, FIRST_SEEN
    stg     %r6, 0xfb0(%r4)
    lgfi    %r4, SECOND
    stg     %r4, (PAGE >> 9) + 8(%r3)
    SETREG  %r6, SEEN
    stg     %r6, 8(%r4)
    larl    %r2, asce
    lctlg   %c1, %c1, 0(%r2)
    stosm   T_SAVE(%r0), 4

    CHECK   1
    lgfi    %r5, BASE
    lghi    %r1, ROUNDS
    larl    %r3, 2f
    larl    %r2, loop
    br      %r2                 /* so it is no part of what comes now */
2:  EXPECT_REG %r0, SEEN
    EXPECT_REG %r6, FIRST_SEEN
    EXPECT_REG %r7, SEEN
    j       pass
