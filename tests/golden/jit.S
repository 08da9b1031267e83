/* Guest code whose translation is kept in jit.txt: each sequence ends in a return and is called once.
 * tests/scenario/jit_golden.sh compares, with --update it writes the file anew. */
#include "tests/insn/insn.inc"
    .globl  golden_start, golden_end

.macro SEQ
    br      %r14
    .balign 16
    .pushsection .rodata
    .quad   77f
    .popsection
77:
.endm

    .section .rodata
    .balign 8
table:
    .text
tests:
    larl    %r12, table
    larl    %r11, table_end
    larl    %r10, area
    lghi    %r2, 3
    lghi    %r3, 5
    lghi    %r4, 64
1:  cgr     %r12, %r11
    je      pass
    lg      %r1, 0(%r12)
    aghi    %r12, 8
    lghi    %r5, 2
    basr    %r14, %r1
    j       1b

    .balign 4096
golden_start:
    nopr
    SEQ                                 # moves
    lr      %r2, %r3
    SEQ
    lgr     %r2, %r3
    SEQ
    lgfr    %r2, %r3
    SEQ
    llgfr   %r2, %r3
    SEQ
    lhi     %r2, -1
    SEQ
    lghi    %r2, -1
    SEQ
    llihf   %r2, 0x12345678
    SEQ
    iilf    %r2, 0x12345678
    SEQ
    iihh    %r2, 0x1234
    SEQ
    lbr     %r2, %r3
    SEQ
    llghr   %r2, %r3
    SEQ                                 # loads
    l       %r2, 0(%r10)
    SEQ
    lg      %r2, 8(%r4,%r10)
    SEQ
    lh      %r2, 2(%r10)
    SEQ
    lgf     %r2, 4(%r10)
    SEQ
    llgc    %r2, 1(%r10)
    SEQ
    lb      %r2, 1(%r10)
    SEQ
    lrvg    %r2, 8(%r10)
    SEQ
    ic      %r2, 1(%r10)
    SEQ
    la      %r2, 100(%r3,%r10)
    SEQ
    larl    %r2, area
    SEQ
    lgrl    %r2, area
    SEQ
    lmg     %r6, %r9, 16(%r10)
    SEQ                                 # stores
    st      %r2, 0(%r10)
    SEQ
    stg     %r2, 8(%r4,%r10)
    SEQ
    sth     %r2, 2(%r10)
    SEQ
    stc     %r2, 1(%r10)
    SEQ
    mvi     1(%r10), 0x5a
    SEQ
    mvghi   8(%r10), -1
    SEQ
    strvg   %r2, 8(%r10)
    SEQ
    stmg    %r6, %r9, 16(%r10)
    SEQ                                 # arithmetic
    ar      %r2, %r3
    SEQ
    agr     %r2, %r3
    SEQ
    aghi    %r2, 7
    SEQ
    alr     %r2, %r3
    SEQ
    a       %r2, 0(%r10)
    SEQ
    sgr     %r2, %r3
    SEQ
    slgf    %r2, 4(%r10)
    SEQ
    msgr    %r2, %r3
    SEQ
    mghi    %r2, 10
    SEQ
    lcgr    %r2, %r3
    SEQ
    ltgr    %r2, %r3
    SEQ                                 # logic, shifts
    nr      %r2, %r3
    SEQ
    xgr     %r2, %r2
    SEQ
    oill    %r2, 0x1234
    SEQ
    nihf    %r2, 0x12345678
    SEQ
    sllg    %r2, %r3, 5
    SEQ
    srl     %r2, 0(%r3)
    SEQ
    sra     %r2, 3
    SEQ
    rllg    %r2, %r3, 7
    SEQ
    risbg   %r2, %r3, 48, 63, 8
    SEQ                                 # condition code and its consumer
    cgr     %r2, %r3
    jh      2f
    lgr     %r2, %r3
2:  SEQ
    chi     %r2, 10
    jnl     2f
    ahi     %r2, 1
2:  SEQ
    clg     %r2, 8(%r10)
    locgrl  %r2, %r3
    SEQ
    tmll    %r2, 1
    jz      2f
    xr      %r2, %r2
2:  SEQ
    tm      1(%r10), 0x81
    jo      2f
    lr      %r2, %r3
2:  SEQ
    ar      %r2, %r3
    ipm     %r6
    SEQ
    cgrje   %r2, %r3, 2f
    aghi    %r2, 1
2:  SEQ
    clij    %r2, 9, 4, 2f
    aghi    %r2, 1
2:  SEQ                                 # loops, branches, bodies
2:  a       %r2, 0(%r10)
    brct    %r5, 2b
    SEQ
2:  la      %r6, 8(%r6)
    st      %r6, 0(%r10)
    brctg   %r5, 2b
    SEQ
    bras    %r6, 2f
2:  SEQ
    mvc     0(8,%r10), 16(%r10)
    SEQ
    clc     0(8,%r10), 16(%r10)
    jne     2f
    xc      0(8,%r10), 0(%r10)
2:  SEQ                                 # storage to storage: EXECUTE, repeated patterns, many bytes
    exrl    %r5, t_mvc
    j       2f
t_mvc:
    mvc     0(1,%r10), 16(%r10)
2:  SEQ
    mvc     8(56,%r10), 0(%r10)
    SEQ
    oc      0(8,%r10), 16(%r10)
    jne     2f
    clc     0(20,%r10), 32(%r10)
2:  SEQ
    lghi    %r5, 1                      # a loop of moves
    lgr     %r6, %r10
    lgr     %r7, %r10
2:  mvc     0(256,%r6), 0(%r7)
    la      %r6, 256(%r6)
    la      %r7, 256(%r7)
    brctg   %r5, 2b
    SEQ
    lghi    %r6, 0
    dlgr    %r6, %r3
    SEQ
    cdgbr   %f2, %r3
    adbr    %f2, %f2
    SEQ                                 # a carry for one who is not next; what it is made from is kept
    alg     %r3, 0(%r10)
    stg     %r3, 8(%r10)
    alcgr   %r4, %r5
    SEQ
    ahi     %r3, 1
    lr      %r3, %r4
    l       %r5, 0(%r10)
    chi     %r5, 7
    SEQ                                 # a register in memory is compared before it is loaded again
    ltg     %r3, 0(%r10)
    jne     2f
    lcgr    %r4, %r5
2:  SEQ                                 # floating-point registers in a loop
    cdfbr   %f4, %r3
2:  adbr    %f2, %f4
    ld      %f6, 0(%r10)
    brctg   %r5, 2b
    br      %r14
golden_end:
    .section .rodata
table_end:
    .data
    .balign 4096
area:
    .fill   256, 1, 1
