/* IEEE exceptions that are enabled: suppression, completion with the scaled result, DXC; and
 * other things that QEMU 7.2 has wrong.
 * qemu: no, its traps leave the register alone and never say "incremented" */
#include "bfp.inc"
    CASE    1, 0x80000000                   /* invalid: suppressed, no flag */
    SETF    %f0, 0x7ff0000000000001
    SETF    %f2, 0x3ff0000000000000
    DO      "adbr %f0, %f2"
    WANTF   %f0, 0x7ff0000000000001
    WANTPGM 0x780
    WANTFPC 0x80008000
    CASE    2, 0x40000000                   /* division by zero: suppressed */
    SETF    %f0, 0
    DO      "ddbr %f2, %f0"
    WANTF   %f2, 0x3ff0000000000000
    WANTPGM 0x740
    CASE    3, 0x20000000                   /* overflow: exponent less by 1536 */
    SETF    %f0, 0x7fefffffffffffff
    DO      "adbr %f0, %f0"
    WANTF   %f0, 0x1fffffffffffffff
    WANTPGM 0x720
    WANTFPC 0x20002000
    CASE    4, 0x20000002                   /* incremented */
    SETF    %f0, 0x7fe0000000000001
    DO      "mdbr %f0, %f0"
    WANTF   %f0, 0x5fd0000000000003
    WANTPGM 0x72c
    CASE    5, 0x10000000                   /* underflow, exact */
    SETF    %f0, 0x0010000000000000
    SETM    0x3fe0000000000000
    DO      "mdb %f0, 0(%r9)"
    WANTF   %f0, 0x6000000000000000
    WANTPGM 0x710
    CASE    6, 0x08000000                   /* inexact, truncated */
    SETF    %f0, 0x3ff0000000000000
    SETM    0x3c90000000000000
    DO      "adb %f0, 0(%r9)"
    WANTF   %f0, 0x3ff0000000000000
    WANTPGM 0x708
    WANTFPC 0x08000800
    CASE    7, 0x08000002                   /* incremented */
    DO      "adb %f0, 0(%r9)"
    WANTF   %f0, 0x3ff0000000000001
    WANTPGM 0x70c
    CASE    8, 0x20000000                   /* LOAD ROUNDED: long, exponent less by 512 */
    SETF    %f1, 0x4c70000000000001
    DO      "ledbr %f0, %f1"
    WANTF   %f0, 0x2c70000000000000
    WANTPGM 0x728
    CASE    9, 0                            /* DIVIDE TO INTEGER: 7 by 2, to nearest: 4, -1 */
    SETF    %f0, 0x401c000000000000
    SETF    %f2, 0x4000000000000000
    DO      "didbr %f0, %f4, %f2, 4"
    WANTF   %f0, 0xbff0000000000000
    WANTF   %f4, 0x4010000000000000
    WANTCC  0
    CASE    10, 0                           /* 2^100 by 3: partial */
    SETF    %f0, 0x4630000000000000
    SETF    %f2, 0x4008000000000000
    DO      "didbr %f0, %f4, %f2, 0"
    WANTF   %f4, 0x4615555555555555
    WANTF   %f0, 0x42d0000000000000
    WANTCC  2
    CASE    11, 0                           /* SNaN is quieted by LOAD AND TEST */
    SETF    %f0, 0x7ff0000000000001
    DO      "ltdbr %f0, %f0"
    WANTF   %f0, 0x7ff8000000000001
    WANTFPC 0x00800000
    WANTCC  3
    CASE    12, 0                           /* lengthening, exact (QEMU takes short) */
    SETF    %f8, 0x3ff0000000000001
    DO      "mxdbr %f8, %f8"
    WANTF   %f8, 0x3fff000000000000
    WANTF   %f10, 0x2000000000000100
    j       pass
