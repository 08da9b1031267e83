/* SIGNAL PROCESSOR: each order, its condition codes and status bits (PoP chapter 4, "CPU Signaling
 * and Response"), addressed to a stopped, a running and a reset CPU, and to the own one.
 * ipl: --cpus 2 */
#include "insn.inc"

#define PREFIX 0x40000
#define AREA 0x50000
#define COUNTER 0x900

/* Order to CPU 1, again while it is busy. R4 status, R5 parameter. */
.macro ORDER order
    lgr     %r4, %r12
77: sigp    %r4, %r3, \order
    brc     2, 77b
.endm

.macro EXPECT_STATUS status
    EXPECT_CC 1
    EXPECT_REG %r4, (0xabcd << 32 | \status)
.endm

/* Until CPU 1 shows this status to SENSE. */
.macro AWAIT status
78: ORDER   1
    lr      %r7, %r4
    chi     %r7, \status
    jne     78b
.endm

/* Until CPU 1 has counted on. */
.macro AWAIT_COUNT
    lg      %r7, PREFIX+COUNTER-0x40000(%r8)
79: cg      %r7, PREFIX+COUNTER-0x40000(%r8)
    je      79b
.endm

tests:
    lghi    %r3, 1
    SETREG  %r12, (0xabcd << 32)        /* bits 0-31 of the status register stay */
    llilh   %r8, PREFIX >> 16
    larl    %r6, psws

    CHECK   1                           /* stopped; nobody there; the own CPU */
    ORDER   1
    EXPECT_STATUS 0x40
    lghi    %r3, 9
    ORDER   1
    EXPECT_CC 3
    EXPECT_REG %r4, (0xabcd << 32)
    lghi    %r3, 0
    ORDER   1
    EXPECT_CC 0
    EXPECT_REG %r4, (0xabcd << 32)
    lgr     %r5, %r8
    ORDER   0x0d                        /* we are not stopped */
    EXPECT_STATUS 0x200
    ORDER   0x0e
    EXPECT_STATUS 0x200
    lghi    %r3, 1

    CHECK   2                           /* one external call is kept, a reset clears it */
    ORDER   2
    EXPECT_CC 0
    ORDER   2
    EXPECT_STATUS 0x80
    ORDER   1
    EXPECT_STATUS 0xc0
    ORDER   0x0c
    EXPECT_CC 0
    AWAIT   0x40

    CHECK   3                           /* what is no order */
    ORDER   0
    EXPECT_STATUS 0x02
    ORDER   0x7f
    EXPECT_STATUS 0x02
    ORDER   0x16                        /* set multithreading: not installed */
    EXPECT_STATUS 0x02
    lghi    %r5, 1
    ORDER   0x12                        /* set architecture: in this mode already */
    EXPECT_STATUS 0x100
    lghi    %r5, 0
    ORDER   0x12                        /* and it is not left */
    EXPECT_STATUS 0x100

    CHECK   4                           /* outside storage (QEMU does not look at 0E's address) */
    llilf   %r5, 0x7fffe000
    ORDER   0x0d
    EXPECT_STATUS 0x100
    lgr     %r9, %r5                    /* an odd R1 is status and parameter */
80: lgr     %r5, %r9
    sigp    %r5, %r3, 0x0d
    brc     2, 80b
    EXPECT_CC 1
    EXPECT_REG %r5, 0x100

    CHECK   5                           /* set prefix: bits 0-32 and 51-63 do not count */
    SETREG  %r5, (0xffffffff80001fff + PREFIX)
    ORDER   0x0d
    EXPECT_CC 0
    lghi    %r5, 0
    SETREG  %r5, (0xffffffff800001ff + AREA)
    ORDER   0x0e                        /* store status; nor do 0-32 and 55-63 */
    EXPECT_CC 0
    llilh   %r9, AREA >> 16
    llgf    %r10, 0x118(%r9)
    EXPECT_REG %r10, PREFIX
    lg      %r10, 0x180(%r9)            /* control registers as a reset leaves them */
    EXPECT_REG %r10, 0xe0
    lg      %r10, 0x1f0(%r9)
    EXPECT_REG %r10, 0xc2000000

    CHECK   6                           /* restart: it runs, and counts */
    mvc     0x1a0(16,%r8), 0(%r6)
    mvc     0x1b0(16,%r8), handler_psw-psws(%r6)
    ORDER   6
    EXPECT_CC 0
    AWAIT_COUNT
    ORDER   1
    EXPECT_CC 0
    EXPECT_REG %r4, (0xabcd << 32)
    ORDER   4                           /* start: it runs already */
    EXPECT_CC 0
    AWAIT_COUNT

    CHECK   7                           /* orders for stopped CPUs only */
    lgr     %r5, %r8
    ORDER   0x0d
    EXPECT_STATUS 0x200
    llilh   %r5, AREA >> 16
    ORDER   0x0e
    EXPECT_STATUS 0x200

    CHECK   8                           /* conditional emergency signal: its primary ASN */
    lghi    %r5, 5                      /* (QEMU takes any) */
    ORDER   0x13
    EXPECT_CC 0
81: clhhsi  0x86(%r8), 0x1201
    jne     81b
    clhhsi  0x84(%r8), 0
    jne     fail

    CHECK   9                           /* stop and store status, at absolute X'1200' whatever the prefix */
    ORDER   9
    EXPECT_CC 0
    AWAIT   0x40
    lg      %r10, 0x1280+15*8(%r0)
    EXPECT_REG %r10, 0xf00f
    lg      %r10, 0x1300(%r0)           /* its PSW */
    srlg    %r10, %r10, 52
    EXPECT_REG %r10, 0x030
    lg      %r10, 0x1308(%r0)
    larl    %r11, count
    slgr    %r10, %r11
    clgfi   %r10, count_end-count
    jgh     fail
    llgf    %r10, 0x1318(%r0)
    EXPECT_REG %r10, PREFIX
    llgf    %r10, 0x131c(%r0)
    EXPECT_REG %r10, 0x00080300
    llgf    %r10, 0x1324(%r0)
    EXPECT_REG %r10, 0x1234
    lg      %r10, 0x1330(%r0)           /* clock comparator without its last byte */
    EXPECT_REG %r10, 0x00ffeeddccbbaa99
    llgf    %r10, 0x1340+4*4(%r0)
    EXPECT_REG %r10, 0x44444444
    lg      %r10, 0x1380+4*8(%r0)
    EXPECT_REG %r10, 5
    cli     0xa3(%r0), 1
    jne     fail

    CHECK   10                          /* it keeps what comes while it is stopped */
    xc      0x84(4,%r8), 0x84(%r8)
    ORDER   3
    EXPECT_CC 0
    ORDER   4                           /* start: it takes it and goes on */
    EXPECT_CC 0
82: clhhsi  0x86(%r8), 0x1201
    jne     82b
    AWAIT_COUNT
    ORDER   5                           /* stop, and once more */
    EXPECT_CC 0
    AWAIT   0x40
    ORDER   5
    EXPECT_CC 0
    AWAIT   0x40

    CHECK   11                          /* initial CPU reset: general registers stay */
    ORDER   0x0b
    EXPECT_CC 0
    AWAIT   0x40
    llilh   %r5, AREA >> 16
    ORDER   0x0e
    EXPECT_CC 0
    llgf    %r10, 0x118(%r9)
    EXPECT_REG %r10, 0
    lg      %r10, 0x180(%r9)
    EXPECT_REG %r10, 0xe0
    lg      %r10, 0x100(%r9)
    EXPECT_REG %r10, 0
    lg      %r10, 0x80+15*8(%r9)
    EXPECT_REG %r10, 0xf00f
    llgf    %r10, 0x124(%r9)
    EXPECT_REG %r10, 0

    CHECK   12                          /* to itself: pending until enabled */
    lghi    %r3, 0
    ORDER   2
    EXPECT_CC 0
    ORDER   2
    EXPECT_STATUS 0x80
    ORDER   3
    EXPECT_CC 0
    mvc     0x1b0(16,%r0), self_psw-psws(%r6)
    larl    %r13, 83f
    lctlg   %c0, %c0, self_cr0-psws(%r6)
    stosm   T_SAVE(%r0), 1
    j       fail
83: clhhsi  0x86(%r0), 0x1201           /* the emergency signal goes first */
    jne     fail
    larl    %r13, 84f
    stosm   T_SAVE(%r0), 1
    j       fail
84: clhhsi  0x86(%r0), 0x1202
    jne     fail
    clhhsi  0x84(%r0), 0
    jne     fail

    CHECK   13                          /* privileged */
    lpswe   problem-psws(%r6)
85: EXPECT_PGM 2, "sigp %r4, %r3, 1"
    EXPECT_ILC 4
    j       pass

other:                                  /* CPU 1 */
    larl    %r1, psws
    lctlg   %c0, %c0, other_cr0-psws(%r1)
    lctlg   %c3, %c4, other_cr34-psws(%r1)
    lghi    %r15, 0
    iill    %r15, 0xf00f
    lghi    %r0, 0x1234
    sckpf
    sckc    other_ckc-psws(%r1)
    lfpc    other_fpc-psws(%r1)
    iilf    %r2, 0x44444444
    sar     %a4, %r2
    stosm   T_SAVE(%r0), 3
count:
    agsi    COUNTER(%r0), 1
    j       count
count_end:

handler:                                /* of CPU 1: go on counting */
    lpswe   0x130(%r0)

self:
    br      %r13
    .balign 8
psws:
    .quad   0x0000000180000000, other
handler_psw:
    .quad   0x0000000180000000, handler
self_psw:
    .quad   0x0000000180000000, self
problem:
    .quad   0x0001000180000000, 85b
other_cr0:
    .quad   0x00000000000440e0          /* emergency signal, AFP registers */
self_cr0:
    .quad   0x00000000000460e0          /* and external call */
other_cr34:
    .quad   0x0000000000000006, 5       /* secondary and primary ASN */
other_ckc:
    .quad   0xffeeddccbbaa9988
other_fpc:
    .long   0x00080300
