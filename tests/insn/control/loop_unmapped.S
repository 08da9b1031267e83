/* A loop loads from a page, or stores into one, until another CPU takes it away by IPTE. What that CPU
 * stores into the frame afterwards is never seen by the loop, and what the loop stores does not come
 * there any more (PoP chapter 3, "Translation-Lookaside Buffer": IPTE is complete when no CPU uses the entry).
 * ipl: --cpus 2
 * reloc: no, step has relocations enough
 */
#include "insn.inc"

#define OTHER_PREFIX 0x40000
#define SEG 0x50000
#define PAGES 0x51000
#define PAGE 0x30000            /* virtual; its frame is FRAME */
#define ENTRY 0x30*8
#define FRAME 0x61000
#define SHARED 0x62000
#define READY 0
#define DONE 8
#define LOADS 24                /* else it stores */
#define ROUNDS 24
#define DELAY 300000
#define ALIVE 1
#define DEAD 99

    .balign 8
psws:
    .quad   0x0000000180000000, other
asce:
    .quad   SEG

/* All doublewords of half the frame. */
.macro FILL value
    lgfi    %r4, FRAME
    lghi    %r5, 256
    lghi    %r6, \value
55: stg     %r6, 0(%r4)
    la      %r4, 8(%r4)
    brctg   %r5, 55b
.endm

tests:
    MAP_MEGABYTE SEG, PAGES
    larl    %r2, asce
    lctlg   %c1, %c1, 0(%r2)
    lgfi    %r9, SHARED
    xc      0(32,%r9), 0(%r9)

    CHECK   1
    lgfi    %r5, OTHER_PREFIX
    larl    %r6, psws
    mvc     0x1a0(16,%r5), 0(%r6)
    lghi    %r3, 1
1:  sigp    %r4, %r3, 0x0d      /* set prefix */
    brc     2, 1b
    EXPECT_CC 0
1:  sigp    %r4, %r3, 6         /* restart */
    brc     2, 1b
    EXPECT_CC 0

    CHECK   2
    lghi    %r7, 0
    lgfi    %r8, PAGES
2:  aghi    %r7, 1
    FILL    ALIVE
    lgfi    %r2, FRAME
    stg     %r2, ENTRY(%r8)
    lgr     %r2, %r7
    nill    %r2, 1
    stg     %r2, LOADS(%r9)
    larl    %r1, 5f
    stg     %r1, T_PGM_ADDR(%r0)
    lgfi    %r10, PAGE
    stosm   T_SAVE(%r0), 4
    cghi    %r2, 0
    lghi    %r2, ALIVE
    stg     %r7, READY(%r9)
    je      4f
3:  lg      %r2, 0(%r10)
    cghi    %r2, ALIVE
    jne     fail
    la      %r10, 8(%r10)
    nill    %r10, 0x07f8
    j       3b
4:  stg     %r2, 0(%r10)
    la      %r10, 8(%r10)
    nill    %r10, 0x07f8
    j       4b
5:  clhhsi  0x8e(%r0), 0x11
    jne     fail
6:  cg      %r7, DONE(%r9)
    jne     6b
    lgfi    %r4, FRAME          /* the interruption turned DAT off */
    lghi    %r5, 256
7:  lg      %r6, 0(%r4)
    cghi    %r6, DEAD
    jne     fail
    la      %r4, 8(%r4)
    brctg   %r5, 7b
    cghi    %r7, ROUNDS
    jl      2b
    j       pass

/* The other CPU: takes the page away when the loop has gone on for a while. */
other:
    lgfi    %r9, SHARED
    lgfi    %r8, PAGES
    lgfi    %r10, PAGE
    lghi    %r7, 0
1:  aghi    %r7, 1
2:  cg      %r7, READY(%r9)
    jne     2b
    lgfi    %r0, DELAY
3:  brctg   %r0, 3b
    ipte    %r8, %r10
    FILL    DEAD
    stg     %r7, DONE(%r9)
    cghi    %r7, ROUNDS
    jl      1b
4:  lghi    %r3, 1
    sigp    %r4, %r3, 5         /* stop */
    j       4b
