/* Forms of the binary floating-point instructions that the other tests do not name: short and
 * extended, register and storage. Exact operands: what is tested is which bits are taken. */
#include "bfp.inc"

    /* \insn on 6 (f0) and 1.5 (f2, and in storage); short values carry a mark in bits 32-63 */
    .macro SHORT num, insn, result
    CASE    \num, 0
    SETF    %f0, 0x40c0000000001111
    SETF    %f2, 0x3fc0000000002222
    SETM    0x3fc0000000003333
    DO      "\insn"
    WANTF   %f0, \result
    .endm
    .macro LONG num, insn, result
    CASE    \num, 0
    SETF    %f0, 0x4018000000000000
    SETF    %f2, 0x3ff8000000000000
    SETM    0x3ff8000000000000
    DO      "\insn"
    WANTF   %f0, \result
    .endm
    /* extended: f0-f2 and f1-f3 */
    .macro EXTENDED num, insn, high, low=0
    CASE    \num, 0
    SETF    %f0, 0x4001800000000000
    SETF    %f2, 0
    SETF    %f1, 0x3fff800000000000
    SETF    %f3, 0
    DO      "\insn"
    WANTF   %f0, \high
    WANTF   %f2, \low
    .endm

    SHORT   1, "sebr %f0, %f2", 0x4090000000001111
    SHORT   2, "seb %f0, 0(%r9)", 0x4090000000001111
    SHORT   3, "meebr %f0, %f2", 0x4110000000001111
    SHORT   4, "meeb %f0, 0(%r9)", 0x4110000000001111
    SHORT   5, "debr %f0, %f2", 0x4080000000001111
    SHORT   8, "sqebr %f0, %f0", 0x401cc47100001111
    SHORT   9, "lcebr %f0, %f2", 0xbfc0000000001111
    SHORT   10, "lnebr %f0, %f2", 0xbfc0000000001111
    SHORT   11, "lpebr %f0, %f2", 0x3fc0000000001111
    SHORT   12, "ltebr %f0, %f2", 0x3fc0000000001111
    WANTCC  2
    SHORT   13, "ler %f0, %f2", 0x3fc0000000001111
    SHORT   14, "ldebr %f0, %f2", 0x3ff8000000000000
    SHORT   15, "ldeb %f0, 0(%r9)", 0x3ff8000000000000
    SHORT   16, "lzer %f0", 0x0000000000001111
    SHORT   17, "fiebr %f0, 5, %f2", 0x3f80000000001111
    SHORT   18, "ley %f0, 0(%r9)", 0x3fc0000000001111
    SHORT   19, "maebr %f0, %f2, %f2", 0x4104000000001111
    SHORT   20, "msebr %f0, %f2, %f2", 0xc070000000001111
    SHORT   21, "kebr %f0, %f2", 0x40c0000000001111
    WANTCC  2
    SHORT   22, "keb %f0, 0(%r9)", 0x40c0000000001111
    WANTCC  2
    LONG    30, "sdb %f0, 0(%r9)", 0x4012000000000000
    LONG    31, "ddb %f0, 0(%r9)", 0x4010000000000000
    LONG    32, "madbr %f0, %f2, %f2", 0x4020800000000000
    LONG    33, "madb %f0, %f2, 0(%r9)", 0x4020800000000000
    LONG    34, "msdbr %f0, %f2, %f2", 0xc00e000000000000
    LONG    35, "sqdbr %f0, %f0", 0x4003988e1409212e
    LONG    36, "lpdbr %f0, %f2", 0x3ff8000000000000
    LONG    37, "ldy %f0, 0(%r9)", 0x3ff8000000000000
    LONG    38, "lcdfr %f0, %f2", 0xbff8000000000000
    LONG    39, "lndfr %f0, %f2", 0xbff8000000000000
    LONG    40, "lpdfr %f0, %f2", 0x3ff8000000000000
    LONG    41, "lzdr %f0", 0
    LONG    42, "ld %f0, 0(%r9)", 0x3ff8000000000000
    EXTENDED 50, "sxbr %f0, %f1", 0x4001200000000000
    EXTENDED 51, "mxbr %f0, %f1", 0x4002200000000000
    EXTENDED 52, "dxbr %f0, %f1", 0x4001000000000000
    EXTENDED 53, "lcxbr %f0, %f1", 0xbfff800000000000
    EXTENDED 54, "lnxbr %f0, %f1", 0xbfff800000000000
    EXTENDED 55, "lpxbr %f0, %f1", 0x3fff800000000000
    EXTENDED 56, "ltxbr %f0, %f1", 0x3fff800000000000
    WANTCC  2
    EXTENDED 57, "lxr %f0, %f1", 0x3fff800000000000
    EXTENDED 58, "lzxr %f0", 0
    EXTENDED 59, "fixbr %f0, 5, %f1", 0x3fff000000000000
    EXTENDED 60, "kxbr %f0, %f1", 0x4001800000000000
    WANTCC  2
    /* from and to integers */
    CASE    70, 0
    lghi    %r5, -7
    DO      "cefbr %f0, %r5"
    DO      "cdfbr %f2, %r5"
    DO      "cxgbr %f4, %r5"
    DO      "lxdbr %f1, %f2"
    WANTF   %f2, 0xc01c000000000000
    WANTF   %f4, 0xc001c00000000000
    WANTF   %f6, 0
    WANTF   %f1, 0xc001c00000000000
    CASE    71, 0
    DO      "cfxbr %r5, 5, %f4"
    DO      "cgxbr %r6, 5, %f4"
    DO      "cgebr %r7, 5, %f0"
    DO      "cfebr %r8, 5, %f0"
    ar      %r5, %r8
    agr     %r6, %r7
    ldgr    %f2, %r6
    WANTF   %f2, -14
    lgfr    %r5, %r5
    ldgr    %f2, %r5
    WANTF   %f2, -14
    CASE    72, 0
    SETF    %f0, 0x40c0000000001111
    DO      "ste %f0, 0(%r9)"
    DO      "stdy %f0, 8(%r9)"
    DO      "stey %f0, 8(%r9)"
    lg      %r1, 8(%r9)
    ldgr    %f2, %r1
    WANTF   %f2, 0x40c0000000001111
    CASE    73, 0
    llilf   %r1, 0x00880000
    st      %r1, 0(%r9)
    DO      "lfpc 0(%r9)"
    DO      "stfpc 4(%r9)"
    DO      "efpc %r5"
    l       %r1, 4(%r9)
    xr      %r1, %r5
    llgfr   %r1, %r1
    ldgr    %f2, %r1
    WANTF   %f2, 0
    j       pass
