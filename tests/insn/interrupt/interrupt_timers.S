/* External interruptions by clock comparator and CPU timer, and supervisor call. */
#include "insn.inc"

tests:
    larl    %r2, psws
    mvc     0x1b0(16,%r0), 0(%r2)
    mvc     0x1c0(16,%r0), 16(%r2)
    lctlg   %c0, %c0, cr0-psws(%r2)
    lghi    %r3, -1
    stg     %r3, T_SAVE(%r0)
    sckc    T_SAVE(%r0)

    CHECK   1                       /* a clock comparator in the past */
    larl    %r13, 1f
    stck    T_SAVE(%r0)
    sckc    T_SAVE(%r0)
    stosm   T_SAVE+8(%r0), 1
0:  j       0b
1:  clhhsi  0x86(%r0), 0x1004
    jne     fail
    lghi    %r3, -1
    stg     %r3, T_SAVE(%r0)
    sckc    T_SAVE(%r0)

    CHECK   2                       /* the CPU timer: wait until it is spent */
    larl    %r13, 2f
    llilh   %r3, 0x10
    stg     %r3, T_SAVE(%r0)
    spt     T_SAVE(%r0)
    lpswe   wait-psws(%r2)
2:  clhhsi  0x86(%r0), 0x1005
    jne     fail
    tm      0x131(%r0), 2           /* the old PSW waits */
    jno     fail
    llihh   %r3, 0x7000
    stg     %r3, T_SAVE(%r0)
    spt     T_SAVE(%r0)

    CHECK   3                       /* STCK: always greater */
    stck    T_SAVE(%r0)
    stck    T_SAVE+8(%r0)
    clc     T_SAVE(8,%r0), T_SAVE+8(%r0)
    jnl     fail

    CHECK   4                       /* SVC */
    larl    %r13, 4f
    svc     42
    j       fail
4:  clhhsi  0x8a(%r0), 42
    jne     fail
    clhhsi  0x88(%r0), 2
    jne     fail

    j       pass

handler:
    br      %r13
    .balign 8
psws:
    .quad   0x0000000180000000, handler
    .quad   0x0000000180000000, handler
wait:
    .quad   0x0102000180000000, fail
cr0:
    .quad   0x0000000000040ce0      /* clock comparator, CPU timer, AFP registers */
