/* Conversions between binary floating-point formats and integers, rounding modes and their
 * suppression, and the floating-point control register. */
#include "bfp.inc"
    CASE    1, 0
    lghi    %r3, -5
    DO      "cdgbr %f0, %r3"
    WANTF   %f0, 0xc014000000000000
    CASE    2, 0                            /* 2^24 + 1 upwards */
    llilf   %r3, 0x01000001
    DO      "cefbra %f0, 6, %r3, 0"
    WANTF   %f0, 0x4b80000100000000
    WANTFPC 0x00080000
    CASE    3, 0                            /* the same, inexact suppressed */
    DO      "cefbra %f0, 6, %r3, 4"
    WANTFPC 0
    CASE    4, 0                            /* 2.5 by every rounding mode */
    SETF    %f1, 0x4004000000000000
    DO      "cgdbr %r4, 4, %f1"
    WANTG   %r4, 2
    WANTCC  2
    WANTFPC 0x00080000
    CASE    5, 0
    DO      "cgdbr %r4, 1, %f1"
    WANTG   %r4, 3
    CASE    6, 0
    DO      "cgdbr %r4, 3, %f1"
    WANTG   %r4, 3
    CASE    7, 0
    DO      "cgdbr %r4, 5, %f1"
    WANTG   %r4, 2
    CASE    8, 0
    DO      "cgdbr %r4, 6, %f1"
    WANTG   %r4, 3
    CASE    9, 0
    DO      "fidbra %f2, 7, %f1, 4"
    WANTF   %f2, 0x4000000000000000
    WANTFPC 0
    CASE    10, 0                           /* no such mode */
    DO      ".long 0xb3a92041"                /* cgdbr %r4, 2, %f1 */
    WANTPGM 0x600
    CASE    11, 0                           /* bits 0-31 stay */
    SETF    %f1, 0xc1e0000000000000
    lghi    %r4, -1
    DO      "cfdbr %r4, 0, %f1"
    WANTG   %r4, 0xffffffff80000000
    WANTCC  1
    CASE    12, 0                           /* too large: invalid, condition code 3 */
    SETF    %f1, 0x7ff0000000000000
    DO      "cgdbr %r4, 5, %f1"
    WANTG   %r4, 0x7fffffffffffffff
    WANTCC  3
    CASE    13, 0                           /* logical */
    SETF    %f1, 0x43e0000000000000
    DO      "clgdbr %r4, 5, %f1, 0"
    WANTG   %r4, 0x8000000000000000
    WANTCC  2
    CASE    14, 0
    lghi    %r3, -1
    DO      "cdlgbr %f0, 0, %r3, 0"
    WANTF   %f0, 0x43f0000000000000
    WANTFPC 0x00080000
    CASE    15, 0                           /* NaN lengthened: payload to the left */
    SETF    %f1, 0xff80000100000000
    DO      "ldebr %f0, %f1"
    WANTF   %f0, 0xfff8000020000000
    WANTFPC 0x00800000
    CASE    16, 7                           /* to prepare for shorter precision, then to short */
    SETF    %f4, 0x3fff000001000000
    SETF    %f6, 1
    DO      "ldxbr %f4, %f4"
    WANTF   %f4, 0x3ff0000010000001
    CASE    17, 0
    DO      "ledbr %f0, %f4"
    WANTF   %f0, 0x3f80000120000000
    CASE    18, 0                           /* the FPC */
    DO      "srnm 3"
    WANTFPC 3
    CASE    19, 0
    DO      "srnmb 7"
    WANTFPC 7
    CASE    20, 0
    DO      "srnmb 4"
    WANTPGM 0x600
    CASE    21, 0
    llilf   %r3, 5
    DO      "sfpc %r3"
    WANTPGM 0x600
    CASE    22, 0x00080000                  /* set and signal: flags are kept */
    llilf   %r3, 0x20000001
    DO      "sfasr %r3"
    WANTPGM 0
    WANTFPC 0x20080001
    CASE    23, 0x00080000                  /* and the one now enabled is simulated */
    llilf   %r3, 0x08000000
    DO      "sfasr %r3"
    WANTPGM 0x70b
    WANTFPC 0x08080b00
    CASE    24, 0                           /* moves */
    SETF    %f1, 0x0123456789abcdef
    SETF    %f2, 0x8000000000000000
    DO      "cpsdr %f0, %f2, %f1"
    WANTF   %f0, 0x8123456789abcdef
    CASE    25, 0
    std     %f0, 0(%r9)
    DO      "le %f1, 4(%r9)"
    WANTF   %f1, 0x89abcdef89abcdef
    j       pass
