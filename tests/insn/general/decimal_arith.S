/* AP, SP, ZAP, CP, MP, DP, SRP, UNPK, CVB, CVD, ED, EDMK and their interruptions.
 * qemu: no, 7.2 lacks most of these, and its UNPK loses the leftmost source byte */
#include "string.inc"
    .macro OPS a, b
    larl %r2, op1
    larl %r3, \a
    mvc 0(16,%r2), 0(%r3)
    larl %r3, \b
    .endm
    .macro EXPECT_OP1 want, len
    EXPECT_MEM op1, \want, \len
    .endm
    TEST_START
    OPS n123, m7
    ap 0(3,%r2), 0(1,%r3)
    EXPECT_CC 2
    EXPECT_OP1 n116, 3
    sp 0(3,%r2), 0(1,%r3)
    EXPECT_CC 2
    EXPECT_OP1 n123c, 3
    zap 0(3,%r2), 0(1,%r3)
    EXPECT_CC 1
    EXPECT_OP1 m7_3, 3
    cp 0(3,%r2), 0(1,%r3)
    EXPECT_CC 0
    ap 0(3,%r2), 0(3,%r2)
    EXPECT_OP1 m14_3, 3
    sp 0(3,%r2), 0(3,%r2)
    EXPECT_CC 0
    EXPECT_OP1 zero3, 3
    /* overflow: truncated, cc 3, sign kept */
    OPS n999, m7
    sp 0(2,%r2), 0(1,%r3)
    EXPECT_CC 3
    EXPECT_OP1 n006, 2
    /* MP, DP */
    OPS n123, m7
    mp 0(3,%r2), 0(1,%r3)
    EXPECT_OP1 m861, 3
    OPS n123, m7
    dp 0(3,%r2), 0(1,%r3)
    EXPECT_OP1 q123_7, 3
    /* minus zero product keeps its sign */
    OPS zero3, m7
    mp 0(3,%r2), 0(1,%r3)
    EXPECT_OP1 mzero3, 3
    /* SRP */
    OPS n12345, m7
    srp 0(3,%r2), 64-1, 5
    EXPECT_CC 2
    EXPECT_OP1 n1235, 3
    srp 0(3,%r2), 1, 0
    EXPECT_CC 2
    EXPECT_OP1 n12350, 3
    srp 0(3,%r2), 2, 0
    EXPECT_CC 3
    EXPECT_OP1 n35000, 3
    /* UNPK */
    OPS n123, n12345
    unpk 0(5,%r2), 0(3,%r3)
    EXPECT_OP1 zoned, 5
    /* CVB, CVD */
    larl %r2, op1
    lghi %r1, -12345
    cvd %r1, 0(%r2)
    EXPECT_OP1 cvd_want, 8
    lghi %r1, -1
    cvb %r1, 0(%r2)
    EXPECT_GR %r1, 0xffffffffffffcfc7
    llihf %r1, 0x80000000
    cvdg %r1, 0(%r2)
    EXPECT_OP1 cvdg_want, 16
    lghi %r1, 0
    cvbg %r1, 0(%r2)
    EXPECT_GR %r1, 0x8000000000000000
    /* EDMK */
    larl %r2, op1
    larl %r3, pattern
    larl %r4, edit_source
    mvc 0(13,%r2), 0(%r3)
    edmk 0(13,%r2), 0(%r4)
    EXPECT_CC 2
    EXPECT_OP1 edited, 13
    sgr %r1, %r2
    EXPECT_GR %r1, 2
    mvc 0(13,%r2), 0(%r3)
    larl %r4, zero3
    ed 0(13,%r2), 0(%r4)
    /* exceptions */
    OPS n123, n12a
    ON_PGM
    ap 0(3,%r2), 0(2,%r3)
    EXPECT_PGM 7
    EXPECT_OP1 n123, 3
    OPS n123, zero3
    ON_PGM
    dp 0(3,%r2), 2(1,%r3)
    EXPECT_PGM 11
    EXPECT_OP1 n123, 3
    ON_PGM
    mp 0(3,%r2), 0(3,%r3)
    EXPECT_PGM 6
    OPS n12345, m7
    ON_PGM
    mp 0(3,%r2), 0(1,%r3)
    EXPECT_PGM 7
    iilf %r5, 0x04000000
    spm %r5
    OPS n999, m7
    ON_PGM
    sp 0(2,%r2), 0(1,%r3)
    EXPECT_PGM 10
    EXPECT_OP1 n006, 2
    larl %r2, big
    iilf %r1, 5
    ON_PGM
    cvb %r1, 0(%r2)
    EXPECT_PGM 9
    lgfr %r1, %r1
    EXPECT_GR %r1, 0xffffffff80000000
    TEST_END
    .balign 16
op1: .fill 16, 1, 0
    BYTES n123, 0x00, 0x12, 0x3f
    BYTES n123c, 0x00, 0x12, 0x3c
    BYTES n116, 0x00, 0x11, 0x6c
    BYTES m7, 0x7d
    BYTES m7_3, 0x00, 0x00, 0x7d
    BYTES m14_3, 0x00, 0x01, 0x4d
    BYTES zero3, 0x00, 0x00, 0x0c
    BYTES mzero3, 0x00, 0x00, 0x0d
    BYTES n999, 0x99, 0x9c
    BYTES n006, 0x00, 0x6c
    BYTES m861, 0x00, 0x86, 0x1d
    BYTES q123_7, 0x01, 0x7d, 0x4c
    BYTES n12345, 0x12, 0x34, 0x5c
    BYTES n1235, 0x01, 0x23, 0x5c
    BYTES n12350, 0x12, 0x35, 0x0c
    BYTES n35000, 0x35, 0x00, 0x0c
    BYTES zoned, 0xf1, 0xf2, 0xf3, 0xf4, 0xc5
    BYTES mvo_want, 0x01, 0x23, 0x45, 0xc4
    BYTES ascii, 0x31, 0x32, 0x33, 0x34, 0x35
    BYTES pka_want, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0x5c
    BYTES unpka_want, 0x30, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35
    BYTES unpku_want, 0, 0x33, 0, 0x34, 0, 0x35
    BYTES cvd_want, 0, 0, 0, 0, 0, 0x12, 0x34, 0x5d
    BYTES cvdg_want, 0, 0, 0, 0, 0, 0, 0x92, 0x23, 0x37, 0x20, 0x36, 0x85, 0x47, 0x75, 0x80, 0x8d
    BYTES pattern, 0x40, 0x20, 0x20, 0x6b, 0x20, 0x20, 0x21, 0x4b, 0x20, 0x20, 0x40, 0xc3, 0xd9
    BYTES edit_source, 0x02, 0x57, 0x42, 0x6c
    BYTES edited, 0x40, 0x40, 0xf2, 0x6b, 0xf5, 0xf7, 0xf4, 0x4b, 0xf2, 0xf6, 0x40, 0x40, 0x40
    BYTES n12a, 0x1a, 0x2c
    BYTES big, 0x00, 0x00, 0x02, 0x14, 0x74, 0x83, 0x64, 0x8c
    .fill 16, 1, 0
