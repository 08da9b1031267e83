/* Short branches around additions and shifts, which translated code makes into moves when they go
 * both ways: each is done once more around a load, which keeps it a branch, and both must agree.
 * All masks; condition codes of comparisons, sums, tests under mask; 64 and 32 bits.
 * ipl: --model max */
#include "insn.inc"

#define ROUNDS 2000

/* `set` sets the condition code from r2 and r3; then skip, or do not. */
.macro WIDE mask, set
    \set
    brc     \mask, 1f
    agr     %r4, %r2
    sllg    %r5, %r4, 3
1:  agr     %r4, %r3
    \set
    brc     \mask, 2f
    agr     %r6, %r2
    sllg    %r7, %r6, 3
    lg      %r0, T_SAVE(%r0)
2:  agr     %r6, %r3
    cgrjne  %r4, %r6, fail
    cgrjne  %r5, %r7, fail
.endm

.macro NARROW mask, set
    \set
    brc     \mask, 1f
    ar      %r8, %r2
    xr      %r9, %r8
1:  alr     %r8, %r3
    \set
    brc     \mask, 2f
    ar      %r10, %r2
    xr      %r11, %r10
    l       %r0, T_SAVE(%r0)
2:  alr     %r10, %r3
    cgrjne  %r8, %r10, fail
    cgrjne  %r9, %r11, fail
.endm

.macro ALL_MASKS macro, set
    .irp    mask, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
    \macro  \mask, "\set"
    .endr
.endm

/* Numbers from -2 to 1, and large ones; then all of a part's branches. */
.macro PART number, macro, set
    CHECK   \number
    lghi    %r12, ROUNDS
    .irp    reg, 4, 5, 6, 7, 8, 9, 10, 11
    lghi    %r\reg, 99
    .endr
9:  larl    %r1, factor
    msg     %r13, 0(%r1)
    aghi    %r13, 12345
    risbg   %r2, %r13, 62, 128 + 63, 20
    aghi    %r2, -2
    risbg   %r3, %r13, 62, 128 + 63, 40
    aghi    %r3, -2
    risbg   %r2, %r13, 0, 0, 3
    risbg   %r3, %r13, 32, 32, 9
    ALL_MASKS \macro, "\set"
    aghi    %r12, -1
    jgne    9b
.endm

    .data
    .balign 8
factor:
    .quad   6364136223846793005
    .text

    .balign 4096
tests:
    SETREG  %r13, 88172645463325252
    PART    1, WIDE, "cgr %r2, %r3"
    PART    2, WIDE, "clgr %r2, %r3"
    PART    3, NARROW, "cr %r2, %r3"
    PART    4, NARROW, "clr %r2, %r3"
    PART    5, WIDE, "tmll %r2, 1"
    PART    6, WIDE, "tmll %r3, 3"
    PART    7, NARROW, "tmlh %r2, 0x8001"
    PART    8, WIDE, "agrk %r0, %r2, %r3"
    PART    9, NARROW, "alrk %r0, %r2, %r3"
    PART    10, NARROW, "srk %r0, %r2, %r3"
    PART    11, WIDE, "ltgr %r0, %r2"
    PART    12, WIDE, "ngrk %r0, %r2, %r3"
    PART    13, NARROW, "slrk %r0, %r2, %r3"

    CHECK   14                  /* loops that are entered in what their branches skip */
    lghi    %r12, ROUNDS
    .irp    reg, 4, 5, 6, 7
    lghi    %r\reg, 1
    .endr
    lgr     %r2, %r13
    j       2f
1:  msg     %r2, 0(%r1)
    aghi    %r2, 12345
    tmhh    %r2, 0x40
    je      3f
2:  larl    %r1, factor
    agr     %r4, %r2
    sllg    %r5, %r4, 3
3:  agr     %r4, %r12
    brctg   %r12, 1b
    lghi    %r12, ROUNDS
    lgr     %r2, %r13
    j       5f
4:  msg     %r2, 0(%r1)
    aghi    %r2, 12345
    tmhh    %r2, 0x40
    je      6f
5:  larl    %r1, factor
    agr     %r6, %r2
    sllg    %r7, %r6, 3
    lg      %r0, T_SAVE(%r0)
6:  agr     %r6, %r12
    brctg   %r12, 4b
    cgrjne  %r4, %r6, fail
    cgrjne  %r5, %r7, fail
    j       pass
