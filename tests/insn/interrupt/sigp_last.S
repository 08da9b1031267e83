/* The machine has ended when no CPU runs any more, in whichever order they end: CPU 0 waits disabled
 * first, then CPU 1 stops itself (SIGP stop). The wait of CPU 0 says how it ended.
 * ipl: --cpus 2
 * qemu: no, it takes the late stop for a shutdown of the guest and looks at no PSW
 */
#include "insn.inc"

#define PREFIX 0x40000
#define ROUNDS 3000000          /* longer than CPU 0 needs, some milliseconds */

tests:
    CHECK   1
    llilh   %r5, PREFIX >> 16
    larl    %r6, psws
    mvc     0x1a0(16,%r5), 0(%r6)
    lghi    %r3, 1
1:  sigp    %r4, %r3, 0x0d      /* set prefix */
    brc     2, 1b
    EXPECT_CC 0
1:  sigp    %r4, %r3, 6         /* restart */
    brc     2, 1b
    EXPECT_CC 0
    j       pass

other:
    lgfi    %r0, ROUNDS
2:  brctg   %r0, 2b
    lghi    %r3, 1
3:  sigp    %r4, %r3, 5         /* stop */
    j       3b

    .balign 8
psws:
    .quad   0x0000000180000000, other
