/* Rotate-then instructions, whose selected bits translated code shifts there when they are the left, the right or a
 * half of the source: each round must come to what the first, which is interpreted, has come to.
 * reloc: no, step has relocations enough */
#include "insn.inc"

#define ROUNDS 130

.macro ROTATE from, to, n
    risbg   %r4, %r2, \from, 128 + \to, \n
    agr     %r5, %r4
    rxsbg   %r5, %r2, \from, \to, \n
    ipm     %r6
    rosbg   %r7, %r2, \from, \to, \n
    risbg   %r8, %r5, \from, \to, \n
    agr     %r5, %r6
    xgr     %r7, %r8
.endm

.macro ALL_TO from, n
    .irp    to, 31, 46, 47, 63
    ROTATE  \from, \to, \n
    .endr
.endm

.macro ALL_FROM n
    .irp    from, 0, 16, 32, 47
    ALL_TO  \from, \n
    .endr
.endm

tests:
    CHECK   1
    lghi    %r13, ROUNDS
    SETREG  %r2, 0x8877665544332211
1:  .irp    reg, 4, 5, 6, 7, 8
    lghi    %r\reg, 99
    .endr
    .irp    n, 1, 16, 17, 31, 32, 47
    ALL_FROM \n
    .endr
    cghi    %r13, ROUNDS
    jne     2f
    lgr     %r10, %r5
    lgr     %r11, %r7
2:  cgrjne  %r5, %r10, fail
    cgrjne  %r7, %r11, fail
    aghi    %r13, -1
    jgne    1b

    CHECK   2                   /* the values of some */
    risbg   %r4, %r2, 31, 128 + 62, 1
    SETREG  %r6, 0x88664422
    cgrjne  %r4, %r6, fail
    risbg   %r4, %r2, 0, 128 + 31, 32
    SETREG  %r6, 0x4433221100000000
    cgrjne  %r4, %r6, fail
    risbg   %r4, %r2, 17, 128 + 63, 47
    SETREG  %r6, 0x443bb32aa219
    cgrjne  %r4, %r6, fail
    j       pass
