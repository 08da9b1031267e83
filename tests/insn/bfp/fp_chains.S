/* Floating-point instructions that follow one another without a branch, so that a translator may
 * keep registers and what it knows of the FPC: short on long, instructions that it leaves to
 * their bodies, results that need a second look, the FPC changed in between. Often enough that
 * it is translated. */
#include "bfp.inc"

#define ONE 0x3ff0000000000000
#define ONE_AND_HALF 0x3ff8000000000000
#define TWO 0x4000000000000000
#define THREE 0x4008000000000000
#define FOUR 0x4010000000000000
#define LARGEST 0x7fefffffffffffff
#define INFINITE 0x7ff0000000000000

    .bss
    .balign 4096
data:
    .fill   4096, 1, 0

    .text
cases:
    larl    %r9, data           /* not in a page of code: that would end translated code */
    lghi    %r11, 100
again:
    CASE    1, 0x00080000       /* a zero in place of a result */
    SETF    %f0, ONE_AND_HALF
    SETF    %f2, TWO
    adbr    %f0, %f2
    lzdr    %f0
    adbr    %f2, %f0
    WANTF   %f2, TWO

    CASE    2, 0x00080000       /* the left half of a result is loaded, computed, zeroed */
    SETM    0x40c0000012345678
    SETF    %f0, ONE_AND_HALF
    SETF    %f2, TWO
    adbr    %f0, %f0
    le      %f0, 0(%r9)
    adbr    %f2, %f0            /* 8192 + 2 */
    WANTF   %f2, 0x40c0010000000000
    SETF    %f0, 0x3fc0000000000000
    SETF    %f2, 0x3f800000ffffffff
    SETF    %f4, TWO
    adbr    %f0, %f4            /* 2.125 */
    lzer    %f0
    adbr    %f0, %f0
    SETF    %f6, 0
    adbr    %f4, %f4
    aebr    %f4, %f2            /* 4 is 2.25 in short, and 1 */
    ldr     %f6, %f4
    adbr    %f6, %f4
    WANTF   %f4, 0x4050000000000000
    WANTF   %f6, 0x4060000000000000

    CASE    3, 0x00080000       /* rounding away from zero is seldom; all others remain */
    SETF    %f0, ONE_AND_HALF
    SETF    %f2, TWO
    mdbr    %f2, %f0
    fidbr   %f0, 1, %f0
    adbr    %f0, %f0
    adbr    %f2, %f2
    WANTF   %f0, FOUR
    WANTF   %f2, 0x4018000000000000

    CASE    4, 0                /* overflow in the midst of other results */
    SETF    %f0, LARGEST
    SETF    %f2, TWO
    SETF    %f12, THREE
    SETF    %f15, ONE
    adbr    %f12, %f15
    adbr    %f15, %f2
    mdbr    %f0, %f0
    ldr     %f8, %f0
    adbr    %f2, %f2
    adbr    %f12, %f15
    WANTF   %f0, INFINITE
    WANTF   %f8, INFINITE
    WANTF   %f2, FOUR
    WANTF   %f12, 0x401c000000000000
    WANTFPC 0x00280000

    CASE    5, 0x00080000       /* another rounding mode, and back */
    SETF    %f0, ONE
    SETF    %f2, THREE
    SETF    %f4, ONE
    SETF    %f6, ONE
    ddbr    %f0, %f2
    srnm    2
    ddbr    %f4, %f2
    srnm    0
    ddbr    %f6, %f2
    WANTF   %f0, 0x3fd5555555555555
    WANTF   %f4, 0x3fd5555555555556
    WANTF   %f6, 0x3fd5555555555555

    CASE    6, 0                /* exact, then inexact, then its flag is taken away, then exact */
    SETF    %f0, ONE
    SETF    %f2, TWO
    SETF    %f4, THREE
    ddbr    %f2, %f0
    efpc    %r5
    ddbr    %f0, %f4
    efpc    %r6
    lghi    %r7, 0
    sfpc    %r7
    adbr    %f2, %f2
    efpc    %r7
    ddbr    %f2, %f4
    WANTFPC 0x00080000
    llgfr   %r5, %r5
    WANTG   %r5, 0
    llgfr   %r6, %r6
    WANTG   %r6, 0x00080000
    llgfr   %r7, %r7
    WANTG   %r7, 0

    CASE    7, 0                /* a trap enabled between two divisions by zero */
    SETF    %f0, ONE
    SETF    %f2, 0
    SETF    %f4, ONE
    ddbr    %f0, %f2
    llilf   %r7, 0x40000000
    sfpc    %r7
    DO      "ddbr %f4, %f2"
    WANTPGM 0x740
    WANTF   %f0, INFINITE
    WANTF   %f4, ONE
    brctg   %r11, 9f
    j       pass
9:  jg      again
