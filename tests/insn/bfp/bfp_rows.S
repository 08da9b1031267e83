/* Binary floating-point rows that need one case each: storage and extended forms of arithmetic,
 * comparison, data class, lengthening and rounding, logical conversions; NaNs of multiply and add. */
#include "bfp.inc"
    CASE    1, 0                            /* square roots */
    SETM    0x4080000000000000
    DO      "sqeb %f0, 0(%r9)"
    lgdr    %r2, %f0
    srlg    %r2, %r2, 32
    WANTG   %r2, 0x40000000
    CASE    2, 0
    SETF    %f1, 0x4001000000000000         /* 4, extended */
    lzdr    %f3
    DO      "sqxbr %f4, %f1"
    WANTF   %f4, 0x4000000000000000
    WANTF   %f6, 0
    WANTFPC 0
    CASE    3, 0                            /* comparisons */
    SETF    %f0, 0x3f80000000000000
    SETF    %f1, 0x4000000000000000
    DO      "cebr %f0, %f1"
    WANTCC  1
    CASE    4, 0
    DO      "cdbr %f1, %f0"
    WANTCC  2
    CASE    5, 0
    SETF    %f2, 0x7ff8000000000000
    DO      "cdbr %f1, %f2"
    WANTCC  3
    WANTFPC 0                               /* quiet */
    CASE    6, 0
    SETF    %f0, 0x3fff000000000000
    lzdr    %f2
    SETF    %f4, 0x3fff000000000000
    SETF    %f6, 1
    DO      "cxbr %f0, %f4"
    WANTCC  1
    CASE    7, 0
    lzdr    %f6
    DO      "cxbr %f0, %f4"
    WANTCC  0
    CASE    8, 0                            /* no pair */
    DO      ".long 0xb3490002"
    WANTPGM 0x600
    CASE    9, 0                            /* data classes: negative infinity, positive zero */
    SETF    %f0, 0xfff0000000000000
    DO      "tcdb %f0, 0x010"
    WANTCC  1
    CASE    10, 0
    DO      "tcdb %f0, 0xfef"
    WANTCC  0
    CASE    11, 0
    lzxr    %f0
    DO      "tcxb %f0, 0x800"
    WANTCC  1
    CASE    12, 0
    DO      "tcxb %f0, 0x7ff"
    WANTCC  0
    CASE    14, 0                           /* 2 * 3 + 1, 2 * 3 - 7; the right half stays */
    SETF    %f0, 0x3f80000012345678
    SETF    %f1, 0x4000000000000000
    SETM    0x4040000000000000
    DO      "maeb %f0, %f1, 0(%r9)"
    WANTF   %f0, 0x40e0000012345678
    CASE    15, 0
    DO      "mseb %f0, %f1, 0(%r9)"
    WANTF   %f0, 0xbf80000012345678
    CASE    16, 0                           /* NaNs: second operand, third, first */
    SETF    %f0, 0x7ff8000000000001
    SETF    %f1, 0x7ff8000000000003
    SETF    %f2, 0x7ff8000000000002
    DO      "madbr %f0, %f1, %f2"
    WANTF   %f0, 0x7ff8000000000002
    CASE    17, 0
    SETF    %f0, 0x7ff8000000000001
    SETF    %f2, 0x3ff0000000000000
    DO      "madbr %f0, %f1, %f2"
    WANTF   %f0, 0x7ff8000000000003
    CASE    19, 0                           /* lengthened to extended */
    SETM    0xbff8000000000001
    DO      "lxdb %f0, 0(%r9)"
    WANTF   %f0, 0xbfff800000000000
    WANTF   %f2, 0x1000000000000000
    CASE    20, 0
    SETF    %f1, 0x3fc0000000000000
    DO      "lxebr %f0, %f1"
    WANTF   %f0, 0x3fff800000000000
    WANTF   %f2, 0
    CASE    21, 0
    SETM    0x0000000100000000              /* the least subnormal */
    DO      "lxeb %f4, 0(%r9)"
    WANTF   %f4, 0x3f6a000000000000
    CASE    22, 0                           /* extended to short: right half stays, inexact */
    SETF    %f0, 0x3fff800000000000
    SETF    %f2, 1
    SETF    %f4, 0x0000000012345678
    DO      "lexbr %f4, %f0"
    WANTF   %f4, 0x3fc0000012345678
    WANTFPC 0x00080000
    CASE    23, 0                           /* from fixed and logical */
    lghi    %r3, -2
    DO      "cxfbr %f0, %r3"
    WANTF   %f0, 0xc000000000000000
    WANTF   %f2, 0
    CASE    24, 0
    lghi    %r3, -1
    lzdr    %f0
    DO      "celfbr %f0, 0, %r3, 0"
    WANTF   %f0, 0x4f80000000000000
    WANTFPC 0x00080000
    CASE    25, 0
    DO      "cdlfbr %f0, 0, %r3, 0"
    WANTF   %f0, 0x41efffffffe00000
    WANTFPC 0
    CASE    26, 0
    DO      "cxlfbr %f0, 0, %r3, 0"
    WANTF   %f0, 0x401efffffffe0000
    CASE    27, 0
    lzdr    %f0
    DO      "celgbr %f0, 5, %r3, 0"           /* towards zero */
    WANTF   %f0, 0x5f7fffff00000000
    WANTFPC 0x00080000
    CASE    28, 0
    DO      "cxlgbr %f0, 0, %r3, 0"
    WANTF   %f0, 0x403effffffffffff
    WANTF   %f2, 0xfffe000000000000
    WANTFPC 0
    CASE    29, 0                           /* to logical */
    SETF    %f1, 0x4060000000000000         /* 3.5 */
    lghi    %r4, -1
    DO      "clfebr %r4, 5, %f1, 0"
    WANTG   %r4, 0xffffffff00000003
    WANTCC  2
    WANTFPC 0x00080000
    CASE    30, 0
    SETF    %f1, 0xbff0000000000000         /* -1 cannot be */
    DO      "clfdbr %r4, 0, %f1, 4"
    WANTG   %r4, 0xffffffff00000000
    WANTCC  3
    WANTFPC 0x00800000
    CASE    31, 0
    SETF    %f0, 0x401efffffffe0000         /* 2^32 - 1, extended */
    lzdr    %f2
    DO      "clfxbr %r4, 0, %f0, 0"
    WANTG   %r4, 0xffffffffffffffff
    WANTCC  2
    CASE    32, 0
    SETF    %f1, 0x5f00000000000000         /* 2^63 */
    DO      "clgebr %r4, 0, %f1, 0"
    WANTG   %r4, 0x8000000000000000
    CASE    33, 0
    SETF    %f0, 0x3fff800000000000         /* 1.5 upwards */
    DO      "clgxbr %r4, 6, %f0, 4"
    WANTG   %r4, 2
    WANTFPC 0
    CASE    34, 0x00080000                  /* inexact flagged, then enabled: simulated */
    SETM    0x0800000100000000
    DO      "lfas 0(%r9)"
    WANTPGM 0x70b
    WANTFPC 0x08080b01
    CASE    35, 0x00800000                  /* flagged and not enabled */
    DO      "lfas 0(%r9)"
    WANTPGM 0
    WANTFPC 0x08800001
    CASE    36, 0                           /* no such rounding mode */
    mvi     0x93(%r0), 0                    /* the DXC of before */
    SETM    0x0000000400000000
    DO      "lfas 0(%r9)"
    WANTPGM 0x600
    WANTFPC 0
    j       pass
