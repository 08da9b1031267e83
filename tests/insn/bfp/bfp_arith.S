/* Binary floating-point arithmetic, without traps: results, flags, condition codes, both the
 * register and the storage form. */
#include "bfp.inc"
    CASE    1, 0                            /* 1 + 2 */
    SETF    %f0, 0x3ff0000000000000
    SETM    0x4000000000000000
    DO      "adb %f0, 0(%r9)"
    WANTF   %f0, 0x4008000000000000
    WANTCC  2
    WANTFPC 0
    CASE    2, 0                            /* inexact, and the right half of short stays */
    SETF    %f1, 0x3f80000012345678
    SETM    0x3300000000000000
    DO      "aeb %f1, 0(%r9)"
    WANTF   %f1, 0x3f80000012345678
    WANTFPC 0x00080000
    CASE    3, 2                            /* the same, rounded up */
    DO      "aeb %f1, 0(%r9)"
    WANTF   %f1, 0x3f80000112345678
    CASE    4, 3                            /* exact zero downwards */
    SETF    %f2, 0x3ff0000000000000
    DO      "sdbr %f2, %f2"
    WANTF   %f2, 0x8000000000000000
    WANTCC  0
    CASE    5, 0                            /* infinity - infinity */
    SETF    %f2, 0x7ff0000000000000
    DO      "sdbr %f2, %f2"
    WANTF   %f2, 0x7ff8000000000000
    WANTCC  3
    WANTFPC 0x00800000
    CASE    6, 0                            /* overflow */
    SETF    %f3, 0x7fefffffffffffff
    DO      "mdbr %f3, %f3"
    WANTF   %f3, 0x7ff0000000000000
    WANTFPC 0x00280000
    CASE    7, 0                            /* tiny before rounding, although normal after */
    SETF    %f3, 0x001fffffffffffff
    SETM    0x3fe0000000000000
    DO      "mdb %f3, 0(%r9)"
    WANTF   %f3, 0x0010000000000000
    WANTFPC 0x00180000
    CASE    8, 0                            /* tiny but exact: no flag */
    SETF    %f3, 0x0010000000000000
    DO      "mdb %f3, 0(%r9)"
    WANTF   %f3, 0x0008000000000000
    WANTFPC 0
    CASE    9, 0                            /* division by zero */
    SETF    %f0, 0xbff0000000000000
    SETF    %f2, 0
    DO      "ddbr %f0, %f2"
    WANTF   %f0, 0xfff0000000000000
    WANTFPC 0x00400000
    CASE    10, 0                           /* 1 / 3 */
    SETF    %f0, 0x3f80000000000000
    SETM    0x4040000000000000
    DO      "deb %f0, 0(%r9)"
    WANTF   %f0, 0x3eaaaaab00000000
    CASE    11, 0                           /* square root */
    SETM    0x4000000000000000
    DO      "sqdb %f5, 0(%r9)"
    WANTF   %f5, 0x3ff6a09e667f3bcd
    WANTFPC 0x00080000
    CASE    12, 0                           /* fused: (1 + u) * (1 + u) - 1 - 2u is u * u */
    SETF    %f0, 0x3ff0000000000002
    SETF    %f1, 0x3ff0000000000001
    SETM    0x3ff0000000000001
    DO      "msdb %f0, %f1, 0(%r9)"
    WANTF   %f0, 0x3970000000000000
    WANTFPC 0
    CASE    13, 0                           /* fused add */
    SETF    %f0, 0x3f80000000000000
    SETF    %f1, 0x4000000000000000
    SETF    %f2, 0x4040000000000000
    DO      "maebr %f0, %f1, %f2"
    WANTF   %f0, 0x40e0000000000000
    CASE    14, 0                           /* extended: 1 + 2^-112 */
    SETF    %f0, 0x3fff000000000000
    SETF    %f2, 0
    SETF    %f4, 0x3f8f000000000000
    SETF    %f6, 0
    DO      "axbr %f0, %f4"
    WANTF   %f0, 0x3fff000000000000
    WANTF   %f2, 1
    WANTCC  2
    WANTFPC 0
    CASE    15, 0                           /* not a pair */
    DO      ".long 0xb34a0002"                /* axbr %f0, %f2 */
    WANTPGM 0x600
    CASE    16, 0                           /* compare: unordered */
    SETF    %f0, 0x7ff8000000000000
    SETM    0
    DO      "cdb %f0, 0(%r9)"
    WANTCC  3
    WANTFPC 0
    CASE    17, 0
    DO      "kdb %f0, 0(%r9)"
    WANTCC  3
    WANTFPC 0x00800000
    CASE    18, 0                           /* -0 is 0; less */
    SETF    %f0, 0x8000000000000000
    DO      "cdb %f0, 0(%r9)"
    WANTCC  0
    CASE    19, 0
    SETF    %f0, 0xbf80000000000000
    DO      "ceb %f0, 0(%r9)"
    WANTCC  1
    CASE    20, 0                           /* data class: negative normal */
    DO      "tceb %f0, 0x100"
    WANTCC  1
    CASE    21, 0
    DO      "tceb %f0, 0xeff"
    WANTCC  0
    CASE    22, 0                           /* signs */
    SETF    %f1, 0x7ff0000000000001
    DO      "lcdbr %f0, %f1"
    WANTF   %f0, 0xfff0000000000001
    WANTCC  3
    WANTFPC 0
    CASE    23, 0                           /* signalling NaN before quiet, first before second */
    SETF    %f0, 0x7ff8000000000002
    DO      "adbr %f0, %f1"
    WANTF   %f0, 0x7ff8000000000001
    WANTFPC 0x00800000
    j       pass
