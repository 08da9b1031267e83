/* What QEMU 7.2 does not do right.
 * qemu: no, MDEBR and MDEB take the first operand as long */
#include "bfp.inc"
    CASE    1, 0                            /* 6 * 1.5, short operands, long product */
    SETF    %f0, 0x40c0000000001111
    SETF    %f2, 0x3fc0000000002222
    DO      "mdebr %f0, %f2"
    WANTF   %f0, 0x4022000000000000
    CASE    2, 0
    SETF    %f0, 0x40c0000000001111
    SETM    0x3fc0000000003333
    DO      "mdeb %f0, 0(%r9)"
    WANTF   %f0, 0x4022000000000000
    j       pass
