/* Storage of 4T, nearly all of it never touched: real addresses and DAT up to its last byte.
 * ipl: --memory 4T --model max
 * qemu: no, it has not that much storage
 * tsan: no, a host process under TSan has not that many addresses */
#include "insn.inc"

#define R3 0x200000
#define SEG 0x204000
#define PAGES 0x208000

tests:
    lgrl    %r2, top

    CHECK   1                       /* the last byte, and one behind it */
    mvi     0(%r2), 0x5a
    cli     0(%r2), 0x5a
    jne     fail
    EXPECT_PGM 5, "mvi 1(%r2), 0"
    EXPECT_ILC 4
    EXPECT_PGM 5, "mvc 0(2,%r2), 0(%r0)"
    cli     0(%r2), 0x5a            /* suppressed whole */
    jne     fail

    CHECK   2                       /* its key */
    lghi    %r3, 0x36
    sske    %r3, %r2
    lghi    %r4, 0
    iske    %r4, %r2
    EXPECT_REG %r4, 0x36
    rrbe    %r0, %r2
    EXPECT_CC 3

    CHECK   3                       /* never touched: zeros */
    lgrl    %r3, middle
    clc     0(256,%r3), 0xc00(%r0)
    jne     fail

    CHECK   4                       /* clear the last megabyte, key 0 */
    lgr     %r3, %r2
    nilh    %r3, 0xfff0
    nill    %r3, 0
    lgr     %r5, %r3
    llilf   %r4, 0x31000
    .insn   rre, 0xb9af0000, %r4, %r3
    cli     0(%r2), 0
    jne     fail
    clgrl   %r3, behind
    jne     fail
    EXPECT_PGM 5, ".insn rre,0xb9af0000,%r4,%r3"

    CHECK   5                       /* the top gigabytes by a region frame and a segment frame */
    llilh   %r6, R3 >> 16
    llilh   %r7, SEG >> 16
    iill    %r7, SEG & 0xffff
    llilh   %r8, PAGES >> 16
    iill    %r8, PAGES & 0xffff
    lgr     %r9, %r7
    oill    %r9, 7                  /* region third: segment table of full length */
    stg     %r9, 0(%r6)
    stg     %r8, 0(%r7)
    lghi    %r4, 0
    lghi    %r5, 256
1:  stg     %r4, 0(%r8)
    aghi    %r4, 0x1000
    aghi    %r8, 8
    brctg   %r5, 1b
    lgrl    %r9, top_region
    stg     %r9, 8(%r6)
    lgrl    %r9, top_segment
    stg     %r9, 8(%r7)
    larl    %r9, asce
    lctlg   %c1, %c1, 0(%r9)
    lctlg   %c0, %c0, cr0-asce(%r9)
    mvi     0(%r2), 0x77
    lgrl    %r10, va_region
    lrag    %r11, 0(%r10)
    EXPECT_CC 0
    EXPECT_REG %r11, 0x3ffffffffff
    lrag    %r11, 0x123(%r12)
    llilh   %r10, 0x1f
    iill    %r10, 0xffff
    lrag    %r11, 0(%r10)
    EXPECT_CC 0
    EXPECT_REG %r11, 0x3ffffffffff
    stosm   T_SAVE(%r0), 4
    cli     0(%r10), 0x77
    jne     fail
    lgrl    %r10, va_region
    cli     0(%r10), 0x77
    jne     fail
    mvi     0(%r10), 0x78
    llilh   %r10, 0x1f
    iill    %r10, 0xffff
    cli     0(%r10), 0x78
    jne     fail
    stnsm   T_SAVE(%r0), 0xfb

    CHECK   6                       /* tables up there as well */
    lgrl    %r3, high_table
    stg     %r8, 0(%r3)             /* not a table any more when it goes */
    stg     %r9, 8(%r3)
    lgr     %r4, %r3
    aghi    %r4, -0x4000
    lgrl    %r9, high_entry
    stg     %r9, 0(%r4)
    lgrl    %r9, top_segment
    stg     %r9, 8(%r3)
    stg     %r4, T_SAVE(%r0)
    lgr     %r9, %r4
    oill    %r9, 4
    stg     %r9, T_SAVE(%r0)
    lctlg   %c1, %c1, T_SAVE(%r0)
    lrag    %r11, 0(%r10)
    EXPECT_CC 0
    EXPECT_REG %r11, 0x3ffffffffff
    j       pass

    .balign 8
top:
    .quad   0x3ffffffffff
behind:
    .quad   0x40000000000
middle:
    .quad   0x2123456f000
top_region:
    .quad   0x3ff80000404           /* region third, format control: the last 2G */
top_segment:
    .quad   0x3fffff00400           /* format control: the last megabyte */
va_region:
    .quad   0xffffffff
high_table:
    .quad   0x3ffffe00000           /* a segment table 2M below the top */
high_entry:
    .quad   0x3ffffe00007
asce:
    .quad   R3 + 4
cr0:
    .quad   0x00000000008400e0      /* EDAT, AFP registers */
