/* DAT as a kernel uses it: tables, LRA, faults with ILC, nullification and TEID, IPTE, MVCOS
 * between two spaces, storage keys. */
#include "insn.inc"

#define SEG 0x200000
#define PAGES 0x201000
#define SEG2 0x203000
#define PAGES2 0x204000
#define FRAME 0x210000

tests:
    /* a segment table and one page table: the first megabyte 1:1 */
    llilh   %r2, SEG >> 16
    llilh   %r3, PAGES >> 16
    iill    %r3, PAGES & 0xffff
    stg     %r3, 0(%r2)
    mvghi   8(%r2), 0x20
    lghi    %r4, 0
    lghi    %r5, 256
1:  stg     %r4, 0(%r3)
    aghi    %r4, 0x1000
    aghi    %r3, 8
    brctg   %r5, 1b
    /* the second space: page 0x21 is FRAME, nothing else */
    llilh   %r2, SEG2 >> 16
    iill    %r2, SEG2 & 0xffff
    llilh   %r3, PAGES2 >> 16
    iill    %r3, PAGES2 & 0xffff
    stg     %r3, 0(%r2)
    lghi    %r5, 256
2:  mvghi   0(%r3), 0x400
    aghi    %r3, 8
    brctg   %r5, 2b
    llilh   %r4, FRAME >> 16
    stg     %r4, 0x21*8-0x800(%r3)
    larl    %r6, asce1
    stg     %r2, asce2-asce1(%r6)
    lctlg   %c1, %c1, 0(%r6)
    lctlg   %c7, %c7, asce2-asce1(%r6)
    lctlg   %c0, %c0, cr0-asce1(%r6)

    CHECK   1                       /* LRA does not need DAT */
    llilh   %r2, 2
    lrag    %r3, 0x123(%r2)
    EXPECT_CC 0
    EXPECT_REG %r3, 0x20123

    CHECK   2                       /* DAT on: the same code goes on running */
    stosm   T_SAVE(%r0), 4
    llilh   %r2, 2
    mvghi   0(%r2), 0x77
    lg      %r3, 0(%r2)
    EXPECT_REG %r3, 0x77

    CHECK   3                       /* IPTE takes the page away at once */
    llilh   %r4, PAGES >> 16
    iill    %r4, PAGES & 0xffff
    llilh   %r5, 2
    ipte    %r4, %r5
    stosm   T_SAVE(%r0), 4          /* here QEMU carries out purges it has queued */
    EXPECT_PGM 0x11, "lg %r3, 0x18(%r2)"
    EXPECT_ILC 6
    lg      %r3, 0xa8(%r0)
    nill    %r3, 0xf000
    EXPECT_REG %r3, 0x20000
    CHECK   4
    larl    %r6, 3f                 /* nullified: the old PSW points at the instruction */
    larl    %r1, 4f
    stg     %r1, T_PGM_ADDR(%r0)
    stosm   T_SAVE(%r0), 4
3:  lg      %r3, 0x18(%r2)
    j       fail
4:  mvc     T_PGM_ADDR(8,%r0), T_FAIL_ADDR(%r0)
    clg     %r6, 0x158(%r0)
    jne     fail
    CHECK   5                       /* beyond what the segment table can hold */
    stosm   T_SAVE(%r0), 4
    llihl   %r6, 1
    EXPECT_PGM 0x38, "lg %r3, 0(%r6)"

    CHECK   6                       /* MVCOS from the secondary space and back */
    llilh   %r4, FRAME >> 16
    mvghi   0xff0(%r4), 0x4321
    stosm   T_SAVE(%r0), 4
    lghi    %r0, 0x81
    llilh   %r2, 2
    iill    %r2, 0x1ff0
    llilh   %r4, 3
    lghi    %r5, 8
    mvcos   0(%r4), 0(%r2), %r5
    EXPECT_CC 0
    lg      %r3, 0(%r4)
    EXPECT_REG %r3, 0x4321
    CHECK   7
    llilh   %r0, 0x81
    lghi    %r5, 17
    EXPECT_PGM 0x11, "mvcos 0(%r2), 0(%r4), %r5"
    lghi    %r0, 0

    CHECK   8                       /* keys */
    llilh   %r2, 5
    lghi    %r3, 0x38
    sske    %r3, %r2
    lghi    %r4, 0
    iske    %r4, %r2
    EXPECT_REG %r4, 0x38
    j       pass

    .balign 8
asce1:
    .quad   SEG
asce2:
    .quad   0
cr0:
    .quad   0x00000000040400e0      /* secondary-space control, AFP registers */
