/* COMPARE AND FORM CODEWORD and UPDATE TREE: each condition code, both orders, both sizes.
 * qemu: no, it has neither
 */
#include "insn.inc"

#define PGM_ADDRESSING 5
#define PGM_SPECIFICATION 6

    .data
    .balign 16
rec_a:  .byte   0x00,0x01,0x02,0x03,0x04,0x05, 0x10,0x20,0x30,0x40,0x50,0x60, 0,0,0,0,0,0
        .balign 2
rec_b:  .byte   0x00,0x01,0x02,0x03,0x04,0x05, 0x10,0x20,0x30,0x40,0x51,0x00, 0,0,0,0,0,0
    .balign 16
/* nodes 1 to 7 of 16 bytes; node 0 is not used */
tree:
    .quad   -1, -1
    .quad   0x70, 0x7001
    .quad   0x30, 0x3002
    .quad   0x90, 0x9003
    .quad   0x50, 0x5004
    .quad   0x20, 0x2005
    .quad   0x10, 0x1006
    .quad   0x60, 0x6007
    .balign 8
tree31:
    .long   -1, -1, 0x70, 0x71, 0x30, 0x32, 0x90, 0x93

    .text
tests:
    CHECK   1                   /* ascending, in order: the complement of the higher record */
    larl    %r1, rec_a
    larl    %r3, rec_b
    lgr     %r8, %r1
    lgr     %r9, %r3
    lghi    %r2, 0
    cfc     16(%r0)
    EXPECT_CC 1
    EXPECT_REG %r2, 0x000cefdfcfbfaeff
    cgr     %r1, %r8
    jgne    fail
    cgr     %r3, %r9
    jgne    fail

    CHECK   2                   /* ascending, out of order: the records change places */
    lgr     %r1, %r9
    lgr     %r3, %r8
    lghi    %r2, 6
    cfc     16(%r0)
    EXPECT_CC 2
    EXPECT_REG %r2, 0x000cefdfcfbfaeff
    cgr     %r1, %r8
    jgne    fail
    cgr     %r3, %r9
    jgne    fail

    CHECK   3                   /* descending: the lower record as it is */
    lgr     %r1, %r9
    lgr     %r3, %r8
    lghi    %r2, 0
    cfc     17(%r0)
    EXPECT_CC 1
    EXPECT_REG %r2, 0x000c102030405060
    lgr     %r1, %r8
    lgr     %r3, %r9
    lghi    %r2, 0
    cfc     17(%r0)
    EXPECT_CC 2
    EXPECT_REG %r2, 0x000c102030405060
    cgr     %r1, %r9
    jgne    fail

    CHECK   4                   /* equal up to the limit: GR2 is GR3 with bit 0 */
    lgr     %r1, %r8
    lgr     %r3, %r9
    lghi    %r2, 0
    cfc     4(%r0)
    EXPECT_CC 0
    cgr     %r3, %r9
    jgne    fail
    nihh    %r2, 0x7fff
    cgr     %r2, %r9
    jgne    fail
    lgr     %r1, %r8
    lghi    %r2, 6
    cfc     4(%r0)
    EXPECT_CC 0

    CHECK   5                   /* odd addresses and index */
    lgr     %r1, %r8
    lghi    %r2, 1
    EXPECT_PGM PGM_SPECIFICATION, "cfc 16(%r0)"
    EXPECT_ILC 4
    lghi    %r2, 0
    la      %r3, 1(%r9)
    EXPECT_PGM PGM_SPECIFICATION, "cfc 16(%r0)"
    lgr     %r3, %r9
    la      %r1, 1(%r8)
    EXPECT_PGM PGM_SPECIFICATION, "cfc 16(%r0)"

    CHECK   6                   /* the first unit is done, the second is not there: nullified behind it */
    SETREG  %r1, 0x1ffffffa
    mvc     0(6,%r1), 0(%r8)
    lgr     %r3, %r9
    lghi    %r2, 0
    EXPECT_PGM PGM_ADDRESSING, "cfc 16(%r0)"
    EXPECT_REG %r2, 6

    CHECK   7                   /* 31-bit mode: units of 2 bytes; bits 0-31 stay */
    lgr     %r1, %r8
    lgr     %r3, %r9
    SETREG  %r2, 0x1234567800000000
    sam31
    cfc     16(%r0)
    sam64
    EXPECT_CC 1
    EXPECT_REG %r2, 0x12345678000caeff
    SETREG  %r2, 0x1234567800000000
    sam31
    cfc     8(%r0)
    sam64
    EXPECT_CC 0
    oilh    %r9, 0x8000
    clr     %r2, %r9
    jgne    fail
    srlg    %r2, %r2, 32
    EXPECT_REG %r2, 0x12345678

    CHECK   8                   /* up the tree from node 7: 3 is higher and is exchanged, 1 is not */
    lghi    %r0, 0x80
    lghi    %r1, 0x7ff0
    larl    %r4, tree
    lghi    %r5, 0x70
    upt
    EXPECT_CC 1
    EXPECT_REG %r0, 0x90
    EXPECT_REG %r1, 0x9003
    EXPECT_REG %r5, 0
    EXPECT_MEM tree+0x30, 0x80
    EXPECT_MEM tree+0x38, 0x7ff0
    EXPECT_MEM tree+0x10, 0x70

    CHECK   9                   /* an equal codeword ends it */
    lghi    %r0, 0x30
    lghi    %r1, 1
    lghi    %r5, 0x50           /* node 5: its parent is 2 */
    upt
    EXPECT_CC 0
    EXPECT_REG %r0, 0x30
    EXPECT_REG %r1, 1
    EXPECT_REG %r2, 0x30
    EXPECT_REG %r3, 0x3002
    EXPECT_REG %r5, 0x20

    CHECK   10                  /* a negative codeword ends it at once */
    SETREG  %r0, 0x8000000000000001
    lghi    %r5, 0x70
    upt
    EXPECT_CC 3
    EXPECT_REG %r5, 0x30
    lghi    %r5, 0x10           /* the root comes first */
    upt
    EXPECT_CC 1
    EXPECT_REG %r5, 0

    CHECK   11                  /* an exchange with a negative codeword, then condition code 3 */
    SETREG  %r1, 0x8000000000000000
    stg     %r1, 0x60(%r4)
    lghi    %r0, 5
    lghi    %r1, 6
    lghi    %r5, 0xd0
    upt
    EXPECT_CC 3
    EXPECT_REG %r0, 0x8000000000000000
    EXPECT_REG %r1, 0x1006
    EXPECT_REG %r5, 0x30
    EXPECT_MEM tree+0x60, 5
    EXPECT_MEM tree+0x68, 6

    CHECK   12                  /* alignment */
    lghi    %r0, 5
    lghi    %r5, 8
    EXPECT_PGM PGM_SPECIFICATION, upt
    EXPECT_ILC 2
    lghi    %r5, 0x20
    la      %r4, 8(%r4)
    EXPECT_PGM PGM_SPECIFICATION, upt

    CHECK   13                  /* a node that is not there: GR5 designates the one below */
    SETREG  %r4, 0x20000000
    EXPECT_PGM PGM_ADDRESSING, upt
    EXPECT_REG %r5, 0x20

    CHECK   14                  /* 31-bit mode: nodes of 8 bytes */
    SETREG  %r0, 0x1111111100000080
    SETREG  %r1, 0x2222222200000081
    larl    %r4, tree31
    lghi    %r5, 0x38
    sam31
    upt
    sam64
    EXPECT_CC 1
    EXPECT_REG %r0, 0x1111111100000090
    EXPECT_REG %r1, 0x2222222200000093
    EXPECT_MEM tree31+0x18, 0x0000008000000081
    j       pass
