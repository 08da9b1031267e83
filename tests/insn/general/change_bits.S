/* The change bit of a frame is one when something was stored there, and not because something near
 * it was: operands of one base register, fetched from one frame and stored in the next, in a loop. */
#include "insn.inc"
#define ROUNDS 3000
tests:
    larl    %r10, frames
    lghi    %r0, 0
    sske    %r0, %r10
    lgr     %r11, %r10
    aghi    %r11, 4096
    sske    %r0, %r11
    lgr     %r8, %r10
    aghi    %r8, 4096-64
    lghi    %r2, ROUNDS
    CHECK   1
1:  lgr     %r9, %r8
    st      %r2, 64(%r9)
    st      %r2, 72(%r9)
    l       %r3, 0(%r9)
    a       %r3, 8(%r9)
    brctg   %r2, 1b
    iske    %r5, %r11
    tmll    %r5, 2
    jz      fail
    CHECK   2
    iske    %r5, %r10
    tmll    %r5, 2
    jnz     fail
    CHECK   3                           /* the other way round */
    sske    %r0, %r10
    sske    %r0, %r11
    lghi    %r2, ROUNDS
1:  lgr     %r9, %r8
    st      %r2, 0(%r9)
    l       %r3, 64(%r9)
    st      %r3, 48(%r9)
    a       %r3, 72(%r9)
    brctg   %r2, 1b
    iske    %r5, %r10
    tmll    %r5, 2
    jz      fail
    CHECK   4
    iske    %r5, %r11
    tmll    %r5, 2
    jnz     fail
    j       pass

    .data
    .balign 4096
frames:
    .space  8192
