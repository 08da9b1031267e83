/* Floating-point registers in loops. The translator keeps long ones in host registers from block to
 * block and stores them only where somebody may look: here everybody does. Loops go on past the
 * counts at which they are translated, and translated anew. */
#include "insn.inc"
#define ROUNDS 3000
/* offsets in data */
#define one 8
#define half 16
#define tiny 24
#define pattern 32
#define short 40
#define nan 48
#define third 56
tests:
    larl    %r9, data
    larl    %r10, room

    /* Sums and what they are made from, read behind the loop only. */
    CHECK   1
    lzdr    %f0
    ld      %f2, one(%r9)
    lghi    %r2, ROUNDS
1:  ld      %f4, half(%r9)
    madbr   %f0, %f2, %f4               /* f0 += 0.5 */
    brctg   %r2, 1b
    std     %f0, 0(%r10)
    std     %f4, 8(%r10)
    EXPECT_MEM room, 0x4097700000000000 /* 1500 */
    EXPECT_MEM room+8, 0x3fe0000000000000

    /* Two paths; what each writes is known behind both. */
    CHECK   2
    lzdr    %f0
    lzdr    %f6
    lghi    %r2, ROUNDS
1:  tmll    %r2, 1
    jz      2f
    adb     %f0, one(%r9)
    lcdbr   %f8, %f0
    j       3f
2:  adb     %f6, half(%r9)
    ldr     %f8, %f6
3:  adbr    %f0, %f8                    /* odd: becomes 0; even: grows by the sum of halves */
    sdbr    %f0, %f0
    brctg   %r2, 1b
    lgdr    %r3, %f6
    EXPECT_REG %r3, 0x4087700000000000  /* 750 */
    lgdr    %r3, %f8
    EXPECT_REG %r3, 0xbff0000000000000  /* the last is odd */

    /* Results that the short cut does not take, while others wait. */
    CHECK   3
    lzdr    %f0
    lzdr    %f5
    ld      %f1, tiny(%r9)
    ld      %f3, one(%r9)
    lghi    %r2, ROUNDS
1:  adbr    %f0, %f3
    ldr     %f7, %f1
    mdb     %f7, half(%r9)              /* subnormal, exact */
    adbr    %f7, %f7                    /* the smallest normal number */
    sdbr    %f5, %f7
    adbr    %f5, %f1                    /* zero */
    brctg   %r2, 1b
    lgdr    %r3, %f0
    EXPECT_REG %r3, 0x40a7700000000000  /* 3000 */
    lgdr    %r3, %f5
    EXPECT_REG %r3, 0
    lgdr    %r3, %f7
    EXPECT_REG %r3, 0x0010000000000000

    /* Short operands in registers that are long otherwise: the right half stays. */
    CHECK   4
    ld      %f2, one(%r9)
    lghi    %r2, ROUNDS
1:  ld      %f0, pattern(%r9)
    adbr    %f2, %f2
    ldr     %f4, %f0
    le      %f4, short(%r9)             /* 1.5, then the rest of the pattern */
    aebr    %f4, %f4
    ldr     %f6, %f4
    meebr   %f4, %f0
    ldr     %f2, %f6
    ldebr   %f8, %f2                    /* 3 */
    adbr    %f8, %f8
    ledbr   %f8, %f8
    brctg   %r2, 1b
    lgdr    %r3, %f6
    EXPECT_REG %r3, 0x4040000055555555
    lgdr    %r3, %f8
    EXPECT_REG %r3, 0x40c0000000000000
    lgdr    %r3, %f2
    EXPECT_REG %r3, 0x4040000055555555

    /* A program interruption in the loop sees every register, and the loop goes on. */
    CHECK   5
    lzdr    %f0
    lzdr    %f2
    lzdr    %f12
    lghi    %r2, ROUNDS
    larl    %r1, handler
    stg     %r1, T_PGM_ADDR(%r0)
    llilh   %r7, 0x7fff                 /* outside the configuration */
1:  adb     %f0, one(%r9)
    ldr     %f2, %f0
    adbr    %f12, %f2
    lghi    %r8, 0
    cghi    %r2, 5
    locgrl  %r8, %r7
    ld      %f4, 0(%r8)                 /* the last four times an addressing exception */
back:
    ldr     %f4, %f12
    brctg   %r2, 1b
    mvc     T_PGM_ADDR(8,%r0), T_FAIL_ADDR(%r0)
    EXPECT_MEM seen, 0x40a7700000000000 /* 3000 */
    EXPECT_MEM seen+8, 0x40a7700000000000
    EXPECT_MEM seen+16, 0x41512bff00000000 /* 4501500 */
    lgdr    %r3, %f4
    EXPECT_REG %r3, 0x41512bff00000000
    j       on

handler:
    larl    %r1, seen
    std     %f0, 0(%r1)
    std     %f2, 8(%r1)
    std     %f12, 16(%r1)
    j       back

    /* Registers without a host register of their own, and a function that uses all. */
on: CHECK   6
    ld      %f11, one(%r9)
    ld      %f12, one(%r9)
    ld      %f13, one(%r9)
    ld      %f15, one(%r9)
    lghi    %r2, ROUNDS
1:  brasl   %r14, function
    adbr    %f12, %f13
    sdbr    %f11, %f11
    lpdfr   %f15, %f15
    brctg   %r2, 1b
    lgdr    %r3, %f12
    EXPECT_REG %r3, 0x40a7720000000000  /* 3001 */
    lgdr    %r3, %f15
    EXPECT_REG %r3, 0x3ff0000000000000
    lgdr    %r3, %f13
    EXPECT_REG %r3, 0x3ff0000000000000
    lgdr    %r3, %f11
    EXPECT_REG %r3, 0
    j       bodies

function:
    adbr    %f11, %f12
    lcdfr   %f15, %f15
    ldr     %f14, %f13
    adbr    %f13, %f14
    mdb     %f13, half(%r9)
    br      %r14

    /* Bodies of the interpreter read and write registers in the loop. */
bodies:
    CHECK   7
    lzdr    %f0
    lzdr    %f1
    ld      %f3, one(%r9)
    lghi    %r2, ROUNDS
1:  adbr    %f0, %f3
    tcdb    %f0, 0xff0(%r0)
    jz      fail
    lxdbr   %f4, %f0                    /* f4 and f6 */
    adbr    %f1, %f4
    ldr     %f1, %f0
    brctg   %r2, 1b
    lgdr    %r3, %f1
    EXPECT_REG %r3, 0x40a7700000000000
    lgdr    %r3, %f4
    EXPECT_REG %r3, 0x400a770000000000

    /* Comparisons whose condition code is asked for later; NaNs among them. */
    CHECK   8
    ld      %f0, nan(%r9)
    lzdr    %f2
    lghi    %r4, 0
    lghi    %r2, ROUNDS
1:  adb     %f2, one(%r9)
    ldr     %f6, %f2
    cdbr    %f0, %f6
    ldr     %f8, %f6
    jo      2f
    j       fail
2:  cdbr    %f8, %f6
    jne     fail
    aghi    %r4, 1
    brctg   %r2, 1b
    EXPECT_REG %r4, ROUNDS
    lgdr    %r3, %f8
    EXPECT_REG %r3, 0x40a7700000000000

    /* A move of many pieces in a loop, with registers that wait. */
    CHECK   9
    lzdr    %f0
    lghi    %r2, 40
1:  adb     %f0, one(%r9)
    ldr     %f2, %f0
    lgr     %r5, %r10
    lghi    %r6, 8
    larl    %r7, from
2:  mvc     0(256,%r5), 0(%r7)
    la      %r5, 256(%r5)
    la      %r7, 256(%r7)
    brctg   %r6, 2b
    adbr    %f2, %f0
    brctg   %r2, 1b
    lgdr    %r3, %f2
    EXPECT_REG %r3, 0x4054000000000000  /* 80 */
    EXPECT_MEM room+2040, 0x123456789abcdef0

    /* Inexact from one round on: the FPC's flag is set once, and what came before was exact. */
    CHECK   10
    lghi    %r1, 0
    sfpc    %r1
    ld      %f2, one(%r9)
    ld      %f4, third(%r9)
    lzdr    %f0
    lghi    %r2, ROUNDS
1:  adbr    %f0, %f2
    cghi    %r2, 100
    jne     2f
    efpc    %r3
    ltr     %r3, %r3
    jnz     fail
    ldr     %f6, %f2
    ddbr    %f6, %f4                    /* 1/3 */
2:  brctg   %r2, 1b
    efpc    %r3
    llgfr   %r3, %r3
    EXPECT_REG %r3, 0x00080000
    lgdr    %r3, %f6
    EXPECT_REG %r3, 0x3fd5555555555555
    lgdr    %r3, %f0
    EXPECT_REG %r3, 0x40a7700000000000
    j       pass

    .data
    .balign 16
data:
    .quad   0
    .quad   0x3ff0000000000000  /* one */
    .quad   0x3fe0000000000000  /* half */
    .quad   0x0010000000000000  /* tiny */
    .quad   0x3f80000055555555  /* pattern */
    .quad   0x3fc0000000000000  /* short */
    .quad   0x7ff8000000000000  /* nan */
    .quad   0x4008000000000000  /* third */
seen:
    .quad   0, 0, 0
    .balign 256
from:
    .fill   255, 8, 0
    .quad   0x123456789abcdef0
room:
    .space  2304
