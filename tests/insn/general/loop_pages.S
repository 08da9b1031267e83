/* Addresses that move in a loop, by steps, along a list or at random, from page to page: operands that lie
 * across a page's end, pages that hold code, that are protected by key or by low-address protection, that are the
 * prefix area, or that are unmapped and mapped elsewhere in the loop itself. Each loop is long enough to be translated.
 * qemu: no, its accesses ask no key (check 5; PoP chapter 3, "Key-Controlled Protection")
 * reloc: no, step has relocations enough */
#include "insn.inc"

#define ARRAY 0x100004          /* its elements lie across pages' ends */
#define ELEMENT 24
#define ELEMENTS 1500
#define NODES 1021              /* a prime */
#define NODES_AT 0x110008
#define RANDOM_AT 0x120000
#define PREFIX 0x40000
#define SEG 0x50000
#define PAGES 0x51000
#define PAGE_A 0x210000
#define PAGE_B 0x211000
#define PGM_PROTECTION 4
#define PGM_PAGE_TRANSLATION 0x11
#define ROUNDS 400

/* Where a program interruption goes on, once. */
.macro ON_PGM to
    larl    %r1, \to
    stg     %r1, T_PGM_ADDR(%r0)
.endm

.macro CAUGHT code
    mvc     T_PGM_ADDR(8,%r0), T_FAIL_ADDR(%r0)
    clhhsi  0x8e(%r0), \code
    jgne    fail
.endm

    .balign 8
cr0_protected:
    .quad   0x00000000100400e0
cr0_open:
    .quad   0x00000000000400e0
asce:
    .quad   SEG
prefix_new:
    .long   PREFIX, 0
    .balign 8
piece:
    lghi    %r2, 0
    br      %r14
    nopr

tests:
    CHECK   1                   /* by steps: a structure's fields are fetched and stored */
    lgfi    %r10, ARRAY
    lghi    %r11, 1
    lgfi    %r13, ELEMENTS
1:  stg     %r11, 0(%r10)
    st      %r11, 8(%r10)
    sth     %r11, 12(%r10)
    mvghi   14(%r10), 5
    aghi    %r11, 1
    la      %r10, ELEMENT(%r10)
    brctg   %r13, 1b
    lghi    %r4, 3
2:  lgfi    %r10, ARRAY
    lgfi    %r13, ELEMENTS
    lghi    %r2, 0
    lghi    %r3, 0
3:  ag      %r2, 0(%r10)
    agf     %r2, 8(%r10)
    lh      %r5, 12(%r10)
    lgfr    %r5, %r5
    agr     %r3, %r5
    ag      %r3, 14(%r10)
    stg     %r3, 14(%r10)
    sg      %r3, 14(%r10)
    aghi    %r3, 5
    agr     %r3, %r5
    mvghi   14(%r10), 5
    aghi    %r10, ELEMENT
    brctg   %r13, 3b
    brctg   %r4, 2b
    EXPECT_REG %r2, ELEMENTS*(ELEMENTS+1)
    EXPECT_REG %r3, ELEMENTS+5  /* of the last element */

    CHECK   2                   /* along a list that jumps between pages */
    lgfi    %r10, NODES_AT
    lghi    %r11, 0
    lgfi    %r13, NODES
1:  lgr     %r2, %r11
    ahi     %r2, 300
    lgfi    %r3, NODES
    lghi    %r4, 0
    lgr     %r5, %r2
    dlgr    %r4, %r3            /* the remainder */
    lgr     %r2, %r4
    sllg    %r2, %r2, 4
    agfi    %r2, NODES_AT
    sllg    %r6, %r11, 4
    stg     %r2, 0(%r6,%r10)
    st      %r11, 8(%r6,%r10)
    lgr     %r11, %r4
    brctg   %r13, 1b
    lghi    %r7, 40
    lghi    %r2, 0
2:  lgfi    %r10, NODES_AT
    lgfi    %r13, NODES
3:  agf     %r2, 8(%r10)
    lg      %r10, 0(%r10)
    brctg   %r13, 3b
    brctg   %r7, 2b
    EXPECT_REG %r2, 40*NODES*(NODES-1)/2
    EXPECT_REG %r10, NODES_AT

    CHECK   3                   /* at random: every page of 16, by a base and an index */
    lgfi    %r10, RANDOM_AT
    lgfi    %r13, 20000
    lghi    %r11, 1
    lgfi    %r12, 0xfff8
1:  msfi    %r11, 1664525
    alfi    %r11, 1013904223
    llgfr   %r2, %r11
    srlg    %r2, %r2, 12
    ngr     %r2, %r12
    lg      %r3, 0(%r2,%r10)
    aghi    %r3, 1
    stg     %r3, 0(%r10,%r2)
    brctg   %r13, 1b
    lghi    %r2, 0
    lgfi    %r13, 8192
2:  ag      %r2, 0(%r10)
    la      %r10, 8(%r10)
    brctg   %r13, 2b
    EXPECT_REG %r2, 20000

    CHECK   4                   /* stores that come to a page of code */
    lghi    %r8, 3
1:  larl    %r6, before_code
    lgfi    %r13, 1000
    lgrl    %r5, piece
    lghi    %r7, 0
2:  stg     %r5, 0(%r6)
    basr    %r14, %r6
    cgr     %r2, %r7
    jne     fail
    aghi    %r7, 1
    lgrl    %r5, piece
    sllg    %r3, %r7, 32
    agr     %r5, %r3
    la      %r6, 8(%r6)
    brctg   %r13, 2b
    brctg   %r8, 1b

    CHECK   5                   /* a page whose key does not fit */
    lgfi    %r10, PAGE_B
    lghi    %r2, 0x28           /* key 2, fetch protection */
    sske    %r2, %r10
    lghi    %r8, 50
1:  lgfi    %r10, PAGE_A
    lghi    %r11, 0
    ON_PGM  3f
    spka    0x10(%r0)
2:  lg      %r2, 0(%r10)
    aghi    %r11, 1
    la      %r10, 8(%r10)
    j       2b
3:  CAUGHT  PGM_PROTECTION
    cghi    %r11, 512
    jne     fail
    brctg   %r8, 1b
    CHECK   6                   /* the same for stores */
    lghi    %r8, 50
1:  lgfi    %r10, PAGE_B - 0x800
    lghi    %r11, 0
    lghi    %r2, 0x18
    lgfi    %r3, PAGE_A
    sske    %r2, %r3
    ON_PGM  3f
    spka    0x10(%r0)
2:  stg     %r11, 0(%r10)
    aghi    %r11, 1
    la      %r10, 8(%r10)
    j       2b
3:  CAUGHT  PGM_PROTECTION
    cghi    %r11, 256
    jne     fail
    brctg   %r8, 1b
    lgfi    %r10, PAGE_A
    lghi    %r2, 0
    sske    %r2, %r10
    lgfi    %r10, PAGE_B
    sske    %r2, %r10

    CHECK   7                   /* low-address protection, from above: 4096 to 4607 */
    larl    %r2, cr0_protected
    lctlg   %c0, %c0, 0(%r2)
    lghi    %r8, 50
1:  lghi    %r10, 0x2000 - 8
    lghi    %r11, 0
    ON_PGM  3f
2:  stg     %r11, 0(%r10)
    aghi    %r11, 1
    aghi    %r10, -8
    j       2b
3:  CAUGHT  PGM_PROTECTION
    cghi    %r11, (0x1000 - 512) / 8
    jne     fail
    brctg   %r8, 1b
    larl    %r2, cr0_open
    lctlg   %c0, %c0, 0(%r2)

    CHECK   8                   /* into the prefix area and out of it */
    lgfi    %r2, PREFIX
    lghi    %r4, 0
    lghi    %r3, 0x2000
    lghi    %r5, 0x2000
    mvcl    %r2, %r4
    larl    %r2, prefix_new
    spx     0(%r2)
    lgfi    %r10, PREFIX + 0x1800
    lghi    %r13, 0x1000 / 8
1:  stg     %r10, 0(%r10)
    la      %r10, 8(%r10)
    brctg   %r13, 1b
    xc      T_SAVE(4,%r0), T_SAVE(%r0)
    spx     T_SAVE(%r0)
    lghi    %r2, 0x1800
    lghi    %r13, 0x800 / 8
    lgfi    %r10, PREFIX
2:  agrk    %r3, %r2, %r10
    cg      %r3, 0(%r2)
    jne     fail
    cg      %r3, 0(%r2,%r10)
    je      fail
    cg      %r3, 0x800(%r3)
    je      fail
    la      %r2, 8(%r2)
    brctg   %r13, 2b
    lgfi    %r3, PREFIX + 0x2000
    cg      %r3, 0(%r3)
    jne     fail

    CHECK   9                   /* a page that is mapped elsewhere in each round */
    MAP_MEGABYTE SEG, PAGES
    mvghi   8(%r2), 0x20
    larl    %r2, asce
    lctlg   %c1, %c1, 0(%r2)
    stosm   T_SAVE(%r0), 4
    lgfi    %r8, 0x30000
    lgfi    %r9, PAGES
    lgfi    %r7, 0x30000        /* its frame; then 0x31000 and back */
    lgfi    %r6, 0x31000
    mvghi   8(%r8), 1
    mvghi   8(%r6), 2
    lgfi    %r13, ROUNDS
    lghi    %r2, 0
2:  ag      %r2, 8(%r8)
    ag      %r2, 8(%r8)
    ipte    %r9, %r8
    xilf    %r7, 0x1000
    stg     %r7, 0x30*8(%r9)
    stg     %r13, 16(%r8)
    ag      %r2, 8(%r8)
    brctg   %r13, 2b
    EXPECT_REG %r2, ROUNDS/2*(1+1+2 + 2+2+1)
    CHECK   10                  /* and one that goes away: the loads before it are as many as they were */
    lghi    %r8, 50
1:  lgfi    %r10, 0x30000
    lgfi    %r7, 0x30000
    stg     %r7, 0x30*8(%r9)
    ON_PGM  4f
    lghi    %r11, 0
2:  lg      %r2, 0(%r10)
    aghi    %r11, 1
    cghi    %r11, 200
    jne     3f
    ipte    %r9, %r10
3:  la      %r10, 8(%r10)
    j       2b
4:  CAUGHT  PGM_PAGE_TRANSLATION
    stosm   T_SAVE(%r0), 4      /* the interruption turned DAT off */
    cghi    %r11, 200
    jne     fail
    brctg   %r8, 1b
    j       pass

    .balign 4096
before_code:
    .skip   4096
code:
    .skip   4096
