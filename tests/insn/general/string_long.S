/* MVCL, MVCLE, CLCL, CLCLE, CLST, MVST, SRST, CKSM, TRT, TRE, Unicode: registers, condition codes. */
#include "string.inc"
    TEST_START
    /* MVCL: pad, cc 2, registers */
    larl %r2, buf
    lghi %r3, 24
    larl %r4, abc
    iihf %r5, 0x55667788
    iilf %r5, 0x40000008
    lgr %r8, %r2
    mvcl %r2, %r4
    EXPECT_CC 2
    sgr %r2, %r8
    EXPECT_GR %r2, 24
    EXPECT_GR %r3, 0
    EXPECT_GR %r5, 0x5566778840000000
    EXPECT_MEM buf, abc_pad, 24
    /* destructive overlap: nothing moves */
    larl %r2, buf+4
    lghi %r3, 16
    larl %r4, buf
    lghi %r5, 16
    mvcl %r2, %r4
    EXPECT_CC 3
    EXPECT_GR %r3, 16
    EXPECT_MEM buf, abc_pad, 24
    /* first operand shorter */
    larl %r2, buf
    lghi %r3, 4
    larl %r4, digits
    lghi %r5, 10
    mvcl %r2, %r4
    EXPECT_CC 1
    EXPECT_GR %r5, 6
    /* CLCL: unequal in the padding */
    larl %r2, abc
    lghi %r3, 8
    larl %r4, abc_pad
    llilf %r5, 0x41000000 | 10
    lgr %r8, %r2
    clcl %r2, %r4
    EXPECT_CC 2
    EXPECT_GR %r3, 0
    EXPECT_GR %r5, 0x41000002
    sgr %r2, %r8
    EXPECT_GR %r2, 8
    /* MVCLE with pad */
    larl %r2, buf
    lghi %r3, 20
    larl %r4, abc
    lghi %r5, 8
1:  mvcle %r2, %r4, 0x40
    jo 1b
    EXPECT_CC 2
    EXPECT_MEM buf, abc_pad, 20
    /* CLCLE */
    larl %r2, buf
    lghi %r3, 20
    larl %r4, abc
    lghi %r5, 8
1:  clcle %r2, %r4, 0x40
    jo 1b
    EXPECT_CC 0
    EXPECT_GR %r3, 0
    EXPECT_GR %r5, 0
    /* MVCLU, CLCLU */
    larl %r2, buf
    lghi %r3, 10
    larl %r4, digits
    lghi %r5, 4
1:  mvclu %r2, %r4, 0x102
    jo 1b
    EXPECT_CC 2
    EXPECT_MEM buf, mvclu_want, 10
    larl %r2, buf
    lghi %r3, 10
    larl %r4, digits
    lghi %r5, 4
1:  clclu %r2, %r4, 0x103
    jo 1b
    EXPECT_CC 1
    EXPECT_GR %r3, 6
    EXPECT_GR %r5, 0
    /* SRST, MVST, CLST */
    lghi %r0, 0
    larl %r2, text_end
    larl %r4, text
    lgr %r8, %r4
1:  srst %r2, %r4
    jo 1b
    EXPECT_CC 1
    sgr %r2, %r8
    EXPECT_GR %r2, 5
    lghi %r0, 0x7f
    larl %r2, text_end
    lgr %r9, %r2
1:  srst %r2, %r8
    jo 1b
    EXPECT_CC 2
    cgr %r2, %r9
    EXPECT_CC 0
    lghi %r0, 0
    larl %r2, buf
    lgr %r9, %r2
    larl %r4, text
1:  mvst %r2, %r4
    jo 1b
    EXPECT_CC 1
    sgr %r2, %r9
    EXPECT_GR %r2, 5
    larl %r2, buf
    larl %r4, text
1:  clst %r2, %r4
    jo 1b
    EXPECT_CC 0
    larl %r2, text
    larl %r4, text2
    lgr %r8, %r2
1:  clst %r2, %r4
    jo 1b
    EXPECT_CC 1
    sgr %r2, %r8
    EXPECT_GR %r2, 5
    /* CKSM */
    iihf %r1, 0x12345678
    iilf %r1, 0xffffffff
    larl %r4, digits
    lghi %r5, 10
1:  cksm %r1, %r4
    jo 1b
    EXPECT_CC 0
    EXPECT_GR %r1, 0x123456789c9f686a
    EXPECT_GR %r5, 0
    /* TRT */
    larl %r3, trt_table
    larl %r4, digits
    lgr %r8, %r4
    iihf %r2, 0x01020304
    iilf %r2, 0x05060708
    trt 0(10,%r4), 0(%r3)
    EXPECT_CC 1
    sgr %r1, %r8
    EXPECT_GR %r1, 7
    EXPECT_GR %r2, 0x010203040506079a
    trt 0(8,%r4), 0(%r3)
    EXPECT_CC 2
    trt 0(7,%r4), 0(%r3)
    EXPECT_CC 0
    trtr 9(10,%r4), 0(%r3)
    EXPECT_CC 1
    sgr %r1, %r8
    EXPECT_GR %r1, 7
    trtr 9(2,%r4), 0(%r3)
    EXPECT_CC 0
    /* TRE stops at the test byte */
    lghi %r0, '5'
    larl %r2, buf
    larl %r4, digits
    mvc 0(10,%r2), 0(%r4)
    lgr %r8, %r2
    lghi %r3, 10
    larl %r4, trt_table
1:  tre %r2, %r4
    jo 1b
    EXPECT_CC 1
    EXPECT_GR %r3, 5
    sgr %r2, %r8
    EXPECT_GR %r2, 5
    EXPECT_MEM buf, tre_want, 10
    /* TROO with test, table low bits ignored */
    larl %r1, trt_table
    aghi %r1, 5
    lghi %r0, 0x9a
    larl %r2, buf
    lgr %r8, %r2
    lghi %r3, 10
    larl %r4, digits
1:  troo %r2, %r4
    jo 1b
    EXPECT_CC 1
    EXPECT_GR %r3, 3
    sgr %r2, %r8
    EXPECT_GR %r2, 7
    larl %r2, buf
    lghi %r3, 10
    larl %r4, digits
1:  troo %r2, %r4, 1
    jo 1b
    EXPECT_CC 0
    /* Unicode */
    .macro CU insn, dst_len, src, src_len, m3, cc, left1, left2
    larl %r2, buf
    lghi %r3, \dst_len
    larl %r4, \src
    lghi %r5, \src_len
1:
    .if \m3
    \insn %r2, %r4, \m3
    .else
    \insn %r2, %r4
    .endif
    jo 1b
    EXPECT_CC \cc
    EXPECT_GR %r3, \left1
    EXPECT_GR %r5, \left2
    .endm
    CU cu12, 100, utf8, 10, 1, 0, 90, 0
    EXPECT_MEM buf, utf16, 10
    CU cu14, 100, utf8, 10, 1, 0, 84, 0
    EXPECT_MEM buf, utf32, 16
    CU cu21, 100, utf16, 10, 1, 0, 90, 0
    EXPECT_MEM buf, utf8, 10
    CU cu24, 100, utf16, 10, 0, 0, 84, 0
    EXPECT_MEM buf, utf32, 16
    CU cu41, 100, utf32, 16, 0, 0, 90, 0
    EXPECT_MEM buf, utf8, 10
    CU cu42, 100, utf32, 16, 0, 0, 90, 0
    EXPECT_MEM buf, utf16, 10
    CU cu12, 100, utf8, 9, 1, 0, 94, 4-1
    CU cu12, 7, utf8, 10, 1, 1, 1, 4
    CU cu14, 100, bad8, 4, 1, 2, 96, 3
    CU cu14, 100, bad8, 4, 0, 2, 92, 1
    CU cu14, 100, bad8_2, 3, 1, 2, 100, 3
    CU cu14, 100, bad8_2, 3, 0, 0, 96, 0
    CU cu14, 100, bad8_3, 2, 1, 0, 100, 2
    CU cu24, 100, bad16, 4, 1, 2, 100, 4
    CU cu24, 100, bad16, 4, 0, 0, 96, 0
    CU cu24, 100, low16, 2, 1, 0, 96, 0
    CU cu41, 100, bad32, 4, 0, 2, 100, 4
    TEST_END
    .align 8
abc: .ascii "abcdefgh"
abc_pad: .ascii "abcdefgh@@@@@@@@@@@@@@@@"
    .balign 2
digits: .ascii "0123456789"
    .balign 2
mvclu_want: .ascii "0123\1\2\1\2\1\2"
text: .asciz "hello"
    .ascii "abcd"
    .balign 2
text_end:
    .balign 2
text2: .asciz "hello world"
    .align 8
trt_table:
    .fill '7', 1, 0
    .byte 0x9a
    .fill 256 - '7' - 1, 1, 0
    .balign 2
tre_want: .byte 0, 0, 0, 0, 0
    .ascii "56789"
    .balign 2
utf8: .byte 0x41, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80
    .balign 2
utf16: .byte 0x00, 0x41, 0x00, 0xe9, 0x20, 0xac, 0xd8, 0x3d, 0xde, 0x00
    .balign 2
utf32: .byte 0, 0, 0, 0x41, 0, 0, 0, 0xe9, 0, 0, 0x20, 0xac, 0, 1, 0xf6, 0
    .balign 2
bad8: .byte 0x41, 0xc0, 0x80, 0xff
    .balign 2
bad8_2: .byte 0xe0, 0x80, 0x80
    .balign 2
bad8_3: .byte 0xe2, 0x41
    .balign 2
bad16: .byte 0xd8, 0x00, 0x00, 0x41
    .balign 2
low16: .byte 0xdc, 0x00
    .balign 2
bad32: .byte 0, 0, 0xd8, 0
    .align 8
buf: .fill 256, 1, 0
