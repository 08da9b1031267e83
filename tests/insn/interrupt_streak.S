/* Program interruptions one after another are no loop while their handler gets on: page faults on
 * the way back to a program arrive like this, each on the first instruction behind LPSWE. */
#include "insn.inc"

#define ROUNDS 100

tests:
    CHECK   1
    larl    %r2, psws
    mvc     0x1d0(16,%r0), 0(%r2)   /* program new PSW: the handler below */
    lghi    %r3, ROUNDS
    lpswe   16(%r2)
handler:
    brctg   %r3, 1f
    larl    %r1, t_psws
    mvc     0x1d0(16,%r0), 0(%r1)
    clhhsi  0x8e(%r0), 1
    jne     fail
    j       pass
1:  lpswe   16(%r2)
operation:
    .short  0                       /* operation exception */
    j       fail

    .balign 8
psws:
    .quad   0x0000000180000000, handler
    .quad   0x0000000180000000, operation
