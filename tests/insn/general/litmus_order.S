/* Order of storage references between four CPUs (PoP chapter 5, "Sequence of
 * Storage References"): store buffering with serialization (BCR 15,0 and 14,0), message passing, load buffering, IRIW
 * (two readers agree on the order of two writers' stores), interlocked updates that count (CS, CSG,
 * LAA family) and that share words bit by bit (LAO, LAN, LAX).
 * No hand-over for each round: every CPU runs a whole batch, storing 8, 16, ... and keeping
 * what it fetches; CPU 0 compares afterwards. Values only grow, so a value seen says which rounds
 * had been carried out, and each round is held against every round of the other CPU.
 * -DBATCHES=n repeats all (`make litmus`); '-DSERIALIZE(n)=' leaves serialization out.
 * ipl: --cpus 4
 * qemu: no, one thread runs all CPUs there, which shows no order
 * reloc: no, neither does it show one, and CPUs that wait for one another take long
 * step: no, the same
 * lockstep: no, CPUs take turns there, which shows no order
 */
#include "insn.inc"

#ifndef BATCHES
#define BATCHES 1
#endif
#ifndef SERIALIZE
#define SERIALIZE(n) bcr n, %r0
#endif
#define CPUS 4
#define ROUNDS 65536            /* of one batch */
#define LAST 8*ROUNDS           /* the value its last round stores */
#define PREFIX 0x40000          /* X'2000' for each CPU */
#define SHARED 0x60000
#define X 0                     /* each in a cache line of its own */
#define Y 0x100
#define ARRIVED 0x200
#define COUNT1 0x300
#define COUNT2 0x400
#define COUNT3 0x500
#define COUNT4 0x600            /* of LAA, LAAL and LAALG: words 0, 4, doubleword 8 */
#define BITS 0x700              /* of LAO, LAN, LAX: words 0, 4; of LAOG, LANG, LAXG: 8, 16 */
#define RESULTS 0x100000        /* two arrays for each CPU, indexed by value: A and B */
#define ARRAY 0x100000

/* R9 shared storage; R10, R11 arrays A and B of this CPU; R12 its address; R13 arrivals to wait
 * for. In a body: R1 the value of the round, R0 rounds to go. */
.macro ROUND
    lghi    %r1, 0
    lgfi    %r0, ROUNDS
77: aghi    %r1, 8
.endm

.macro NEXT_ROUND
    brctg   %r0, 77b
    br      %r14
.endm

.macro KEEP reg, array
    stg     \reg, 0(%r1,\array)
.endm

/* Addresses of another CPU's arrays, for comparing. */
.macro ARRAYS a, b, cpu
    llilh   \a, (RESULTS + 2 * \cpu * ARRAY) >> 16
    llilh   \b, (RESULTS + (2 * \cpu + 1) * ARRAY) >> 16
.endm

tests:
    llilh   %r5, PREFIX >> 16
    larl    %r6, psws
    lghi    %r3, 1
1:  mvc     0x1a0(16,%r5), 0(%r6)
    mvc     0x1d0(16,%r5), 16(%r6)
2:  sigp    %r4, %r3, 0x0d      /* set prefix */
    brc     2, 2b
    EXPECT_CC 0
2:  sigp    %r4, %r3, 6         /* restart */
    brc     2, 2b
    EXPECT_CC 0
    aghi    %r5, 0x2000
    aghi    %r3, 1
    cghi    %r3, CPUS
    jl      1b

every_cpu:
    stap    T_SAVE(%r0)
    llgh    %r12, T_SAVE(%r0)
    llilh   %r9, SHARED >> 16
    lghi    %r13, 0
    sllg    %r10, %r12, 21      /* 2 * ARRAY */
    llilh   %r1, RESULTS >> 16
    agr     %r10, %r1
    lgr     %r11, %r10
    agfi    %r11, ARRAY
    lgfi    %r8, BATCHES
batch:
    larl    %r6, table
next_test:
    brasl   %r14, meet
    sllg    %r1, %r12, 3
    lg      %r1, 0(%r1,%r6)
    basr    %r14, %r1
    brasl   %r14, meet
    ltgr    %r12, %r12
    jnz     3f
    mvc     T_NUMBER(8,%r0), 40(%r6)
    lg      %r1, 32(%r6)
    basr    %r14, %r1
    xc      X(8,%r9), X(%r9)
    xc      Y(8,%r9), Y(%r9)
3:  aghi    %r6, 48
    larl    %r1, table_end
    cgr     %r6, %r1
    jl      next_test
    brctg   %r8, batch
    ltgr    %r12, %r12
4:  jnz     4b
    brasl   %r14, stop_others
    j       pass

/* Until all CPUs are here; one that waits gives up its turn. */
meet:
    aghi    %r13, CPUS
    lghi    %r1, 1
    laag    %r2, %r1, ARRIVED(%r9)
5:  clg     %r13, ARRIVED(%r9)
    bler    %r14
    diag    %r0, %r0, 0x44
    j       5b

/* The end is when no CPU runs. */
stop_others:
    lghi    %r3, CPUS - 1
6:  sigp    %r4, %r3, 5
    brc     2, 6b
    brctg   %r3, 6b
    br      %r14

forbidden:
    brasl   %r14, stop_others
    j       fail

idle:
    br      %r14

/* ---- bodies ---- */

.macro STORE_BUFFERING mine, other, serialize:vararg
    ROUND
    stg     %r1, \mine(%r9)
    \serialize
    lg      %r2, \other(%r9)
    KEEP    %r2, %r10
    NEXT_ROUND
.endm

sb15_0:
    STORE_BUFFERING X, Y, SERIALIZE(15)
sb15_1:
    STORE_BUFFERING Y, X, SERIALIZE(15)
sb14_0:
    STORE_BUFFERING X, Y, SERIALIZE(14)
sb14_1:
    STORE_BUFFERING Y, X, SERIALIZE(14)
sb_0:
    STORE_BUFFERING X, Y
sb_1:
    STORE_BUFFERING Y, X

/* A of CPU 1 is the flag, B the message fetched behind it; CPU 0 keeps its own store. */
mp_0:
    ROUND
    stg     %r1, X(%r9)
    stg     %r1, Y(%r9)
    lg      %r2, X(%r9)
    KEEP    %r2, %r10
    NEXT_ROUND
mp_1:
read_y_x:
    ROUND
    lg      %r2, Y(%r9)
    lg      %r3, X(%r9)
    KEEP    %r2, %r10
    KEEP    %r3, %r11
    NEXT_ROUND
read_x_y:
    ROUND
    lg      %r2, X(%r9)
    lg      %r3, Y(%r9)
    KEEP    %r2, %r10
    KEEP    %r3, %r11
    NEXT_ROUND

lb_0:
    ROUND
    lg      %r2, Y(%r9)
    stg     %r1, X(%r9)
    KEEP    %r2, %r10
    NEXT_ROUND
lb_1:
    ROUND
    lg      %r2, X(%r9)
    stg     %r1, Y(%r9)
    KEEP    %r2, %r10
    NEXT_ROUND

write_x:
    ROUND
    stg     %r1, X(%r9)
    lg      %r2, X(%r9)
    KEEP    %r2, %r10
    NEXT_ROUND
write_y:
    ROUND
    stg     %r1, Y(%r9)
    lg      %r2, Y(%r9)
    KEEP    %r2, %r10
    NEXT_ROUND

count:
    ROUND
    lghi    %r3, 3
    laag    %r2, %r3, COUNT1(%r9)
    lg      %r2, COUNT2(%r9)
7:  lgr     %r3, %r2
    aghi    %r3, 2
    csg     %r2, %r3, COUNT2(%r9)
    jne     7b
    l       %r2, COUNT3(%r9)
8:  lr      %r3, %r2
    ahi     %r3, 1
    cs      %r2, %r3, COUNT3(%r9)
    jne     8b
    NEXT_ROUND

/* LAA, LAAL and LAALG count in words and a doubleword that lie side by side. */
count_add:
    ROUND
    lghi    %r3, 1
    laa     %r2, %r3, COUNT4(%r9)
    laal    %r2, %r3, COUNT4+4(%r9)
    laalg   %r2, %r3, COUNT4+8(%r9)
    NEXT_ROUND

/* Each CPU has a bit of its own in words that all share: LAO sets it, LAN clears it, LAX turns it
 * over. What each fetched says whether another CPU's update took this CPU's away. */
.macro OWN_BIT or, and, exclusive, at, shared
    \or     %r2, %r4, \at(%r9)
    ngr     %r2, %r4
    jnz     12f                 /* it was zero */
    \and    %r2, %r5, \at(%r9)
    ngr     %r2, %r4
    jz      12f
    \exclusive %r2, %r4, \shared(%r9)
    xgr     %r2, %r7
    ngr     %r2, %r4
    jnz     12f                 /* it was as this CPU left it */
.endm
own_bits:
    lghi    %r4, 1
    sllg    %r4, %r4, 0(%r12)
    lghi    %r5, -1
    xgr     %r5, %r4
    lghi    %r7, 0
    ROUND
    OWN_BIT lao, lan, lax, BITS, BITS+4
    OWN_BIT laog, lang, laxg, BITS+8, BITS+16
    xgr     %r7, %r4
    NEXT_ROUND
12: oi      ARRIVED+8(%r9), 1   /* for compare_bits */
    br      %r14

/* ---- what CPU 0 compares; R1 the round of CPU 0, its arrays R10 and R11 ---- */

/* R2: what a CPU saw in this round, never older than what it saw in the round before. */
.macro GROWS array
    lg      %r2, 0(%r1,\array)
    lgr     %r3, %r1
    aghi    %r3, -8
    clg     %r2, 0(%r3,\array)
    jl      forbidden
.endm

/* It saw stores up to R2 of the other CPU; the next of those came with a fetch that saw R1. */
compare_sb:
    ARRAYS  %r4, %r5, 1
    ROUND
    GROWS   %r4
    GROWS   %r10
    clgfi   %r2, LAST
    je      9f
    aghi    %r2, 8
    clg     %r1, 0(%r2,%r4)
    jh      forbidden
9:  NEXT_ROUND

/* Without serialization each may miss the other's store, but no fetch gets older. */
compare_free:
    ARRAYS  %r4, %r5, 1
    ROUND
    GROWS   %r4
    GROWS   %r10
    NEXT_ROUND

compare_mp:
    ARRAYS  %r4, %r5, 1
    ROUND
    clg     %r1, 0(%r1,%r10)    /* its own store */
    jne     forbidden
    GROWS   %r5
    GROWS   %r4
    clg     %r2, 0(%r1,%r5)
    jh      forbidden
    NEXT_ROUND

/* It saw store R2, whose round had fetched before; that may not have seen round R1. */
compare_lb:
    ARRAYS  %r4, %r5, 1
    ROUND
    GROWS   %r4
    GROWS   %r10
    ltgr    %r2, %r2
    jz      9f
    clg     %r1, 0(%r2,%r4)
    jle     forbidden
9:  NEXT_ROUND

/* CPU 2 saw X in A, then Y in B; CPU 3 Y in A, then X in B. The last round of CPU 3 that saw an
 * older X than CPU 2 (R15) may not have seen a younger Y. */
compare_iriw:
    ARRAYS  %r4, %r5, 2
    ARRAYS  %r2, %r7, 3
    lghi    %r15, 0
    ROUND
    clg     %r1, 0(%r1,%r10)
    jne     forbidden
10: clgfi   %r15, LAST
    je      11f
    lg      %r3, 8(%r15,%r7)
    clg     %r3, 0(%r1,%r4)
    jnl     11f
    aghi    %r15, 8
    j       10b
11: lg      %r3, 0(%r15,%r2)
    clg     %r3, 0(%r1,%r5)
    jh      forbidden
    NEXT_ROUND

compare_count:
    lg      %r2, COUNT1(%r9)
    clgfi   %r2, 3*CPUS*ROUNDS
    jne     forbidden
    lg      %r2, COUNT2(%r9)
    clgfi   %r2, 2*CPUS*ROUNDS
    jne     forbidden
    l       %r2, COUNT3(%r9)
    clfi    %r2, CPUS*ROUNDS
    jne     forbidden
    xc      COUNT1(8,%r9), COUNT1(%r9)
    xc      COUNT2(8,%r9), COUNT2(%r9)
    xc      COUNT3(4,%r9), COUNT3(%r9)
    br      %r14

compare_add:
    l       %r2, COUNT4(%r9)
    clfi    %r2, CPUS*ROUNDS
    jne     forbidden
    cl      %r2, COUNT4+4(%r9)
    jne     forbidden
    lg      %r2, COUNT4+8(%r9)
    clgfi   %r2, CPUS*ROUNDS
    jne     forbidden
    xc      COUNT4(16,%r9), COUNT4(%r9)
    br      %r14

/* ROUNDS is even: everything is zero again. */
compare_bits:
    cli     ARRIVED+8(%r9), 0
    jne     forbidden
    oc      BITS(24,%r9), BITS(%r9)
    jnz     forbidden
    br      %r14

    .balign 8
psws:
    .quad   0x0000000180000000, every_cpu
    .quad   0x0002000180000000, 99
table:                          /* a body for each CPU, what compares, number of the check */
    .quad   sb15_0, sb15_1, idle, idle, compare_sb, 1
    .quad   sb14_0, sb14_1, idle, idle, compare_sb, 2
    .quad   sb_0, sb_1, idle, idle, compare_free, 3
    .quad   mp_0, mp_1, idle, idle, compare_mp, 4
    .quad   lb_0, lb_1, idle, idle, compare_lb, 5
    .quad   write_x, write_y, read_x_y, read_y_x, compare_iriw, 6
    .quad   count, count, count, count, compare_count, 7
    .quad   count_add, count_add, count_add, count_add, compare_add, 8
    .quad   own_bits, own_bits, own_bits, own_bits, compare_bits, 9
table_end:
