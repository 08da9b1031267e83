/* DIAGNOSE X'308': a load clears storage and begins anew (the TOD clock, which no reset changes, tells
 * the second time from the first); the IPL parameter block; resets, and what of each CPU they leave.
 * ipl: --cpus 2
 * qemu: no, it has an IPL parameter block of its own making and loads by its firmware
 */
#include "insn.inc"

#define PREFIX 0x40000
#define AREA 0x50000
#define BLOCK 0x60000
#define COPY 0x61000
#define MARK 0x7f0000
#define COUNTER 0x900
#define BLOCK_BYTES 200

/* Order to CPU 1, again while it is busy. */
.macro ORDER order
77: sigp    %r4, %r3, \order
    brc     2, 77b
.endm

.macro AWAIT_COUNT
    lg      %r7, PREFIX+COUNTER-0x40000(%r8)
79: cg      %r7, PREFIX+COUNTER-0x40000(%r8)
    je      79b
.endm

/* With the operand at R4; R5 gets the answer, bits 0-31 stay. */
.macro FUNCTION subcode, answer
    lghi    %r7, \subcode
    SETREG  %r5, 0x1234567800000000
    diag    %r4, %r7, 0x308
    EXPECT_REG %r5, (0x1234567800000000 + \answer)
.endm

/* The PSW that a reset loads from absolute 0: 31-bit mode. */
.macro RESUME label
    larl    %r1, \label
    st      %r1, 4(%r0)
    oi      4(%r0), 0x80
    mvhi    0(%r0), 0
    mvi     1(%r0), 0x08
.endm

tests:
    stck    T_SAVE(%r0)
    lg      %r1, T_SAVE(%r0)
    srlg    %r1, %r1, 48
    ltgr    %r1, %r1
    jz      again

    CHECK   1                           /* load clear, without a block: from the same files */
    sck     early
    EXPECT_CC 0
    llilh   %r9, MARK >> 16
    mvghi   0(%r9), 1
    larl    %r9, changed
    mvi     0(%r9), 1
    lghi    %r4, 0
    FUNCTION 3, 0
    j       fail

again:
    CHECK   2
    llilh   %r9, MARK >> 16
    lg      %r1, 0(%r9)
    EXPECT_REG %r1, 0
    larl    %r9, changed
    cli     0(%r9), 0
    jne     fail
    lghi    %r3, 1

    CHECK   3                           /* no block; one that is none; one that is */
    llilh   %r4, COPY >> 16
    mvghi   0(%r4), -1
    FUNCTION 6, 0x102
    lg      %r1, 0(%r4)
    EXPECT_REG %r1, -1
    llilh   %r4, BLOCK >> 16
    FUNCTION 5, 0x402
    llilh   %r4, COPY >> 16
    FUNCTION 6, 0x102
    llilh   %r4, BLOCK >> 16
    larl    %r6, block
    mvc     0(BLOCK_BYTES,%r4), 0(%r6)
    FUNCTION 5, 1
    llilh   %r4, COPY >> 16
    FUNCTION 6, 1
    clc     0(BLOCK_BYTES,%r4), 0(%r6)
    jne     fail
    llilh   %r4, BLOCK >> 16
    mvi     12(%r4), 0                  /* of another type: the old one stays */
    FUNCTION 5, 0x402
    llilh   %r4, COPY >> 16
    xc      0(BLOCK_BYTES,%r4), 0(%r4)
    FUNCTION 6, 1
    clc     0(BLOCK_BYTES,%r4), 0(%r6)
    jne     fail

    CHECK   4                           /* a device that is not there: nothing happens */
    FUNCTION 3, 0x102
    FUNCTION 4, 0x102
    clc     0(BLOCK_BYTES,%r4), 0(%r6)
    jne     fail

    CHECK   5                           /* odd register, not on a page, no such subcode, no storage */
    lghi    %r7, 6
    lgr     %r9, %r4
    EXPECT_PGM 6, "diag %r9, %r7, 0x308"
    EXPECT_ILC 4
    lghi    %r7, 3
    EXPECT_PGM 6, "diag %r9, %r7, 0x308"
    la      %r4, 8(%r4)
    lghi    %r7, 5
    EXPECT_PGM 6, "diag %r4, %r7, 0x308"
    lghi    %r7, 6
    EXPECT_PGM 6, "diag %r4, %r7, 0x308"
    llilf   %r4, 0x7ffff000
    EXPECT_PGM 5, "diag %r4, %r7, 0x308"
    lghi    %r7, 5
    EXPECT_PGM 5, "diag %r4, %r7, 0x308"
    llilh   %r4, COPY >> 16
    lghi    %r7, 2
    EXPECT_PGM 6, "diag %r4, %r7, 0x308"
    lghi    %r7, 0x7f
    EXPECT_PGM 6, "diag %r4, %r7, 0x308"
    llihl   %r7, 1
    EXPECT_PGM 6, "diag %r4, %r7, 0x308"

    CHECK   6                           /* load-normal reset: initial for this CPU, CPU reset for CPU 1 */
    llilh   %r8, PREFIX >> 16
    larl    %r6, psws
    mvc     0x1a0(16,%r8), 0(%r6)
    lgr     %r5, %r8
    ORDER   0x0d
    EXPECT_CC 0
    ORDER   6
    EXPECT_CC 0
    AWAIT_COUNT
    RESUME  normal
    lghi    %r0, 0x77
    sckpf
    stck    T_SAVE(%r0)
    lg      %r12, T_SAVE(%r0)
    lghi    %r7, 1
    diag    %r0, %r7, 0x308
    j       fail
normal:
    sam64
    stctg   %c0, %c0, T_SAVE(%r0)
    lg      %r1, T_SAVE(%r0)
    EXPECT_REG %r1, 0xe0
    EXPECT_REG %r8, PREFIX              /* general registers stay */
    stcke   COUNTER(%r0)
    lg      %r1, COUNTER+1(%r0)         /* and the clock goes on, without the programmable field */
    clgr    %r1, %r12
    jle     fail
    srlg    %r1, %r1, 48
    ltgr    %r1, %r1
    jnz     fail
    clhhsi  COUNTER+14(%r0), 0
    jne     fail
    ORDER   1
    EXPECT_CC 1
    clfi    %r4, 0x40
    jne     fail
    llilh   %r5, AREA >> 16
    ORDER   0x0e
    EXPECT_CC 0
    llilh   %r9, AREA >> 16
    llgf    %r10, 0x118(%r9)
    EXPECT_REG %r10, PREFIX
    lg      %r10, 0x180+4*8(%r9)
    EXPECT_REG %r10, 5
    lg      %r10, 0x80+15*8(%r9)
    EXPECT_REG %r10, 0xf00f

    CHECK   7                           /* modified-clear reset: registers of all CPUs are zero */
    RESUME  clear
    lghi    %r8, 5
    lghi    %r7, 0
    diag    %r0, %r7, 0x308
    j       fail
clear:
    sam64
    ltgr    %r8, %r8
    jnz     fail
    lghi    %r3, 1
    llilh   %r5, AREA >> 16
    ORDER   0x0e
    EXPECT_CC 0
    llilh   %r9, AREA >> 16
    llgf    %r10, 0x118(%r9)
    EXPECT_REG %r10, 0
    lg      %r10, 0x180+4*8(%r9)
    EXPECT_REG %r10, 0
    lg      %r10, 0x80+15*8(%r9)
    EXPECT_REG %r10, 0
    llilh   %r4, COPY >> 16             /* the block is still there */
    FUNCTION 6, 1

    CHECK   8                           /* privileged */
    larl    %r6, psws
    lpswe   problem-psws(%r6)
85: EXPECT_PGM 2, "diag %r4, %r7, 0x308"
    j       pass

other:                                  /* CPU 1 */
    larl    %r1, psws
    lctlg   %c4, %c4, other_cr4-psws(%r1)
    lghi    %r15, 0
    iill    %r15, 0xf00f
count:
    agsi    COUNTER(%r0), 1
    j       count

    .balign 8
psws:
    .quad   0x0000000180000000, other
problem:
    .quad   0x0001000180000000, 85b
other_cr4:
    .quad   5
early:
    .quad   0x1000
changed:
    .quad   0
block:                                  /* device 000C, load parameter 1, PARM X */
    .long   BLOCK_BYTES, 0, BLOCK_BYTES - 8, 0x02800000
    .quad   0xf140404040404040
    .space  84
    .short  0, 0x000c
    .long   0x40000000, 1
    .space  8
    .byte   0xe7
    .space  71
