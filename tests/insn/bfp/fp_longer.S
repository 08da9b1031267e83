/* LOAD LENGTHENED of hexadecimal floating point: extended results have a second part with a
 * characteristic less by 14. MULTIPLY from storage, long to extended.
 * qemu: no, 7.2 has no LXD, LXER and LXE, its MXDB gives a wrong product, and a signalling addend
 * does not come before a quiet NaN there */
#include "bfp.inc"
    CASE    1, 0
    SETF    %f1, 0x4110000012345678
    DO      "lder %f0, %f1"
    WANTF   %f0, 0x4110000000000000
    CASE    2, 0
    SETM    0xc210000087654321
    DO      "lde %f0, 0(%r9)"
    WANTF   %f0, 0xc210000000000000
    CASE    3, 0
    SETM    0x4110000000000001
    DO      "lxd %f0, 0(%r9)"
    WANTF   %f0, 0x4110000000000001
    WANTF   %f2, 0x3300000000000000
    CASE    4, 0
    SETF    %f1, 0xc110000012345678
    DO      "lxer %f4, %f1"
    WANTF   %f4, 0xc110000000000000
    WANTF   %f6, 0xb300000000000000
    CASE    5, 0                            /* characteristic below zero wraps */
    SETM    0x0510000000000000
    DO      "lxe %f0, 0(%r9)"
    WANTF   %f0, 0x0510000000000000
    WANTF   %f2, 0x7700000000000000
    CASE    6, 0                            /* a fraction of zero: true zero */
    SETM    0xc100000000000000
    DO      "lxe %f0, 0(%r9)"
    WANTF   %f0, 0x8000000000000000
    WANTF   %f2, 0x8000000000000000
    CASE    7, 0                            /* no pair */
    DO      ".long 0xb3260021"
    WANTPGM 0x600
    mvi     0x93(%r0), 0
    CASE    8, 0                            /* 3 * 2 */
    SETF    %f0, 0x4008000000000000
    SETM    0x4000000000000000
    DO      "mxdb %f0, 0(%r9)"
    WANTF   %f0, 0x4001800000000000
    WANTF   %f2, 0
    CASE    9, 0                            /* a signalling NaN before quiet ones; no sign changes */
    SETF    %f1, 0x7ff8000000000003
    SETF    %f2, 0x3ff0000000000000
    SETF    %f0, 0x7ff0000000000001
    DO      "msdbr %f0, %f1, %f2"
    WANTF   %f0, 0x7ff8000000000001
    WANTFPC 0x00800000
    j       pass
