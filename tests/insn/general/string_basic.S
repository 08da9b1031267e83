/* MVC, MVN, MVZ, NC, OC, XC, CLC, TR, MVCIN, MVPG: overlaps, condition codes, exceptions. */
#include "string.inc"
    .macro EXPECT_BUF want, len
    EXPECT_MEM buf, \want, \len
    .endm
    TEST_START
    larl %r2, buf
    larl %r3, abc
    mvc 0(16,%r2), 0(%r3)
    EXPECT_BUF abc, 16
    mvc 1(7,%r2), 0(%r2) /* propagates */
    EXPECT_BUF aaa, 16
    mvc 0(16,%r2), 0(%r3)
    mvc 3(9,%r2), 0(%r2)
    EXPECT_BUF abcabc, 16
    mvc 0(16,%r2), 0(%r3)
    mvc 0(8,%r2), 2(%r2)
    EXPECT_BUF cdef, 16
    mvcin 0(16,%r2), 15(%r3)
    EXPECT_BUF pon, 16
    larl %r4, digits
    mvc 0(16,%r2), 0(%r3)
    mvn 0(4,%r2), 0(%r4)
    mvz 4(4,%r2), 4(%r4)
    EXPECT_BUF mvnz, 16
    xc 0(16,%r2), 0(%r2)
    EXPECT_CC 0
    EXPECT_BUF zero, 16
    oc 0(4,%r2), 0(%r4)
    EXPECT_CC 1
    nc 0(2,%r2), 8(%r2)
    EXPECT_CC 0
    clc 0(16,%r3), 0(%r3)
    EXPECT_CC 0
    clc 0(16,%r3), 1(%r3)
    EXPECT_CC 1
    clc 1(15,%r3), 0(%r3)
    EXPECT_CC 2
    /* through EXECUTE, length from the register */
    lghi %r1, 7
    xc 0(16,%r2), 0(%r2)
    exrl %r1, ex_mvc
    EXPECT_BUF abc_zero, 16
    mvc 0(16,%r2), 0(%r4)
    larl %r5, table
    tr 0(10,%r2), 0(%r5)
    EXPECT_BUF tr_want, 10
    /* 256 bytes across a page */
    larl %r6, page+4096-100
    lgr %r7, %r6
    mvi 0(%r6), 0x5a
    mvc 1(256,%r6), 0(%r6)
    aghi %r7, 256
    cli 0(%r7), 0x5a
    EXPECT_CC 0
    clc 0(255,%r6), 1(%r6)
    EXPECT_CC 0
    /* a page */
    lghi %r0, 0
    larl %r8, page
    larl %r9, page+8192
    mvpg %r9, %r8
    larl %r9, page+8192+4096-100
    clc 0(100,%r9), 0(%r6)
    EXPECT_CC 0
    lghi %r0, 0xc00
    ON_PGM
    mvpg %r9, %r8
    EXPECT_PGM 6
    /* beyond storage: nothing moves although the first bytes could */
    llilh %r10, 0x7fff
    ON_PGM
    mvc 0(4,%r10), 0(%r3)
    EXPECT_PGM 5
    lghi %r1, 3
    ON_PGM
    mvcl %r1, %r2
    EXPECT_PGM 6
    lghi %r0, 0x100
    ON_PGM
    srst %r2, %r3
    EXPECT_PGM 6
    TEST_END
ex_mvc: mvc 0(1,%r2), 0(%r3)
    BYTES abc, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70
    .balign 16
aaa: .ascii "aaaaaaaaijklmnop"
abcabc: .ascii "abcabcabcabcmnop"
cdef: .ascii "cdefghijijklmnop"
pon: .ascii "ponmlkjihgfedcba"
digits: .ascii "0123456789012345"
mvnz: .ascii "`abc5678ijklmnop"
zero: .fill 16, 1, 0
abc_zero: .ascii "abcdefgh"
    .fill 8, 1, 0
tr_want: .byte 0x0f, 0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 9, 8, 7, 6
    .balign 16
table: .fill 48, 1, 0xff
    .byte 0x0f, 0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 9, 8, 7, 6
    .fill 198, 1, 0xff
buf: .fill 256, 1, 0
    .balign 4096
page: .fill 16384, 1, 0
