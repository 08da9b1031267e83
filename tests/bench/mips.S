/* Instruction rates on bare metal, the same image for every machine: no operating system, no
 * devices. Assembled with -DKERNEL=name -DROUNDS=n (see tests/bench/mips); ends in a disabled wait at 0.
 * Each kernel is a loop of KERNEL_INSNS instructions (the loop's own branch included). As a raw
 * image it starts by the PSW at 0 in either architecture mode; as ELF at _start. */
/* Register arithmetic and logic. */
.macro alu
    .rept   8
    agr     %r3, %r4
    xgr     %r5, %r3
    sllg    %r6, %r5, 3
    ngr     %r6, %r4
    ahi     %r7, 5
    .endr
.endm
.set alu_insns, 8 * 5 + 1

/* Loads and stores of all widths. */
.macro storage
    .rept   8
    lg      %r6, 8(%r14)
    ag      %r6, 16(%r14)
    stg     %r6, 24(%r14)
    l       %r7, 32(%r14)
    st      %r7, 36(%r14)
    llgc    %r8, 40(%r14)
    stc     %r8, 41(%r14)
    .endr
.endm
.set storage_insns, 8 * 7 + 1

/* Compare, branch not taken, branch taken, call and return. */
.macro branch
    .rept   4
    chi     %r4, 5
    jl      9f
    cgr     %r4, %r5
    jne     8f
    nopr    %r0
8:  brasl   %r13, routine
9:  nopr    %r0
    .endr
.endm
.set branch_insns, 4 * 8 + 1    /* chi jl cgr jne brasl lgr br nopr */

/* Storage to storage, 16 to 64 bytes. */
.macro copies
    .rept   4
    mvc     64(16,%r14), 128(%r14)
    clc     64(16,%r14), 128(%r14)
    xc      200(32,%r14), 200(%r14)
    mvc     320(64,%r14), 448(%r14)
    .endr
.endm
.set copies_insns, 4 * 4 + 1

/* Calls of a supervisor and back: two exchanges of PSWs each. */
.macro calls
    .rept   8
    svc     0
    .endr
.endm
.set calls_insns, 8 * 2 + 1     /* svc, lpswe */

/* Two address spaces in turn, with a fetch and a store in each; both are real-space designations. */
.macro spaces
    lctlg   %c1, %c1, 16(%r11)
    stosm   0(%r14), 0x04       /* DAT on */
    .rept   4
    lctlg   %c1, %c1, 16(%r11)
    l       %r7, 32(%r14)
    st      %r7, 2084(%r14)
    lctlg   %c1, %c1, 24(%r11)
    l       %r7, 32(%r14)
    st      %r7, 2084(%r14)
    .endr
    stnsm   0(%r14), 0xfb
.endm
.set spaces_insns, 4 * 6 + 3 + 1

/* What a kernel does around its critical sections: masks, keys, its stack's timer. */
.macro masks
    .rept   4
    stnsm   0(%r14), 0xfc
    spka    0x10
    spka    0
    stpt    8(%r14)
    ssm     32(%r11)
    .endr
.endm
.set masks_insns, 4 * 5 + 1

    .machine "z10"
    .text
    .org    0
    .long   0x00080000, 0x80000000 + _start
    .org    0x1c0               /* supervisor-call new PSW */
    .quad   0x0000000180000000, supervisor
    .org    0x1d0               /* program new PSW: an error shows as a wait at 0xbad */
    .quad   0x0002000180000000, 0xbad
    .org    0x200
end_psw:
    .quad   0x0002000180000000, 0
    .org    0x2000
    .globl _start
_start:
    lhi     %r1, 1
    sigp    %r1, %r0, 0x12      /* set architecture: refused where it is set already */
    sam64
    larl    %r15, stack
    larl    %r14, area
    larl    %r11, system
    lgfi    %r2, ROUNDS
    lghi    %r3, 1
    lghi    %r4, 7
    lghi    %r5, 0
    .balign 256
loop:
    KERNEL
    brctg   %r2, loop
    lpswe   end_psw

routine:
    lgr     %r9, %r10
    br      %r13

supervisor:
    lpswe   0x140
    .balign 8
system:
    .quad   0, 0, 0x20, 0x1020  /* at 16 and 24: two real-space designations */
    .quad   0                   /* a system mask with everything off */
    .balign 4096
area:
    .fill   4096, 1, 3
stack:
    .fill   4096, 1, 0
