/* One EXECUTE in a loop, of what a register says: most times of an MVC, which translated code has in line, else of
 * instructions that change general registers, the condition code, a floating-point register, the FPC.
 * reloc: no, step has relocations enough */
#include "insn.inc"

#define ROUNDS 600

    .data
    .balign 8
from:
    .quad   0x0123456789abcdef
to: .quad   0
    .text
    .balign 8
targets:
    mvc     0(8,%r7), 0(%r8)
    .balign 8
    lgr     %r2, %r3
    .balign 8
    ahi     %r4, 1
    .balign 8
    ltgr    %r5, %r3
    .balign 8
    ldgr    %f2, %r3
    .balign 8
    la      %r7, 0(%r7)
    .balign 8
    sfpc    %r10
    .balign 8

tests:
    CHECK   1
    larl    %r7, to
    larl    %r8, from
    larl    %r6, targets
    lghi    %r1, ROUNDS
    lghi    %r0, 0
    lghi    %r4, 0
    lghi    %r10, 0
1:  lghi    %r2, 5
    lghi    %r3, 77
    lghi    %r5, -1
    ldgr    %f2, %r5
    lghi    %r9, 0
    tmll    %r1, 7
    jnz     2f                  /* seven times of eight: MVC */
    srlg    %r9, %r1, 3
    nill    %r9, 7
    cghi    %r9, 5
    jnh     2f
    lghi    %r9, 0
2:  sllg    %r11, %r9, 3
    la      %r11, 0(%r11,%r6)
    cgr     %r9, %r9            /* condition code 0 */
    ex      %r0, 0(%r11)
    ipm     %r12
    srl     %r12, 28
    chi     %r9, 1
    jne     3f
    cghi    %r2, 77
    jgne    fail
3:  chi     %r9, 2
    jne     4f
    cije    %r12, 2, 6f         /* a sum above zero */
    jg      fail
4:  chi     %r9, 3
    jne     5f
    cghi    %r5, 77
    jgne    fail
    cije    %r12, 2, 6f
    jg      fail
5:  cijne   %r12, 0, bad
    lgdr    %r13, %f2
    chi     %r9, 4
    jne     6f
    cghi    %r13, 77
    jgne    fail
6:  brctg   %r1, 1b
    EXPECT_REG %r4, 10
    EXPECT_MEM to, 0x0123456789abcdef
    j       pass
bad:
    jg      fail
