/* Order of storage references between two CPUs (PoP chapter 5, "Sequence of Storage References"):
 * store buffering with serialization (BCR 15,0), message passing, load buffering; interlocked
 * updates (LAAG, CSG) that count together. -DROUNDS=n, at most 10000, makes it longer.
 * ipl: --cpus 2
 * qemu: no, one thread runs both CPUs there, and each hand-over waits for the end of a time slice
 */
#include "insn.inc"

#ifndef ROUNDS
#define ROUNDS 1000
#endif
#define PREFIX 0x40000
#define SHARED 0x60000
#define X 0                     /* each in a cache line of its own */
#define Y 0x100
#define GO 0x200                /* round, set by CPU 0 */
#define DONE 0x300              /* round, set by CPU 1, behind its results */
#define RESULT1 0x400
#define RESULT2 0x500
#define COUNT1 0x600
#define COUNT2 0x700

/* CPU 0 begins round R10; X and Y are zero. */
.macro BEGIN_ROUND
    mvghi   X(%r9), 0
    mvghi   Y(%r9), 0
    bcr     15, %r0
    stg     %r10, GO(%r9)
.endm

/* Until the doubleword at `where` is the round. */
.macro AWAIT where
77: cg      %r10, \where(%r9)
    je      78f
    j       77b
78:
.endm

.macro NEXT_ROUND again
    aghi    %r10, 1
    cghi    %r10, \again
.endm

tests:
    llilh   %r9, SHARED >> 16
    llilh   %r5, PREFIX >> 16
    larl    %r6, psws
    mvc     0x1a0(16,%r5), 0(%r6)
    lghi    %r3, 1
1:  sigp    %r4, %r3, 0x0d
    brc     2, 1b
    EXPECT_CC 0
1:  sigp    %r4, %r3, 6
    brc     2, 1b
    EXPECT_CC 0
    lghi    %r10, 1

    CHECK   1                   /* store buffering: not both see the old value */
2:  BEGIN_ROUND
    mvghi   X(%r9), 1
    bcr     15, %r0
    lg      %r7, Y(%r9)
    AWAIT   DONE
    og      %r7, RESULT1(%r9)
    cghi    %r7, 1
    jne     fail
    NEXT_ROUND ROUNDS
    jne     2b

    CHECK   2                   /* message passing: who sees the flag sees the message */
3:  BEGIN_ROUND
    mvghi   X(%r9), 1
    mvghi   Y(%r9), 1
    AWAIT   DONE
    lg      %r7, RESULT1(%r9)   /* the flag; then the message may not be older */
    cg      %r7, RESULT2(%r9)
    jh      fail
    NEXT_ROUND 2*ROUNDS
    jne     3b

    CHECK   3                   /* load buffering: no value out of the future */
4:  BEGIN_ROUND
    lg      %r7, X(%r9)
    mvghi   Y(%r9), 1
    AWAIT   DONE
    ng      %r7, RESULT1(%r9)
    jnz     fail
    NEXT_ROUND 3*ROUNDS
    jne     4b

    CHECK   4                   /* no update is lost */
    BEGIN_ROUND
    brasl   %r14, count
    AWAIT   DONE
    lg      %r7, COUNT1(%r9)
    EXPECT_REG %r7, 6*ROUNDS
    lg      %r7, COUNT2(%r9)
    EXPECT_REG %r7, 4*ROUNDS
1:  sigp    %r4, %r3, 5         /* the end is when no CPU runs */
    brc     2, 1b
    j       pass

count:                          /* 3 and 2 for each round */
    lgfi    %r0, ROUNDS
5:  lghi    %r1, 3
    laag    %r2, %r1, COUNT1(%r9)
    lg      %r2, COUNT2(%r9)
6:  lgr     %r1, %r2
    aghi    %r1, 2
    csg     %r2, %r1, COUNT2(%r9)
    jne     6b
    brctg   %r0, 5b
    br      %r14

other:                          /* CPU 1 */
    llilh   %r9, SHARED >> 16
    lghi    %r10, 1
7:  AWAIT   GO
    mvghi   Y(%r9), 1
    bcr     15, %r0
    lg      %r7, X(%r9)
    stg     %r7, RESULT1(%r9)
    stg     %r10, DONE(%r9)
    NEXT_ROUND ROUNDS
    jne     7b
8:  AWAIT   GO
    lg      %r7, Y(%r9)
    lg      %r8, X(%r9)
    stg     %r7, RESULT1(%r9)
    stg     %r8, RESULT2(%r9)
    stg     %r10, DONE(%r9)
    NEXT_ROUND 2*ROUNDS
    jne     8b
9:  AWAIT   GO
    lg      %r7, Y(%r9)
    mvghi   X(%r9), 1
    stg     %r7, RESULT1(%r9)
    stg     %r10, DONE(%r9)
    NEXT_ROUND 3*ROUNDS
    jne     9b
    AWAIT   GO
    brasl   %r14, count
    stg     %r10, DONE(%r9)
10: j       10b

    .balign 8
psws:
    .quad   0x0000000180000000, other
