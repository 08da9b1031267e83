/* COMPRESSION CALL: the dictionaries and strings of the example in z/OS's description of CSRCMPSC, there and
 * back; condition codes, registers, exceptions. Trees of all shapes: unit/cpu_cmpsc_test.
 * qemu: no, it has no CMPSC
 */
#include "insn.inc"

#define PGM_SPECIFICATION 6
#define PGM_DATA 7
#define A 0xc1

    .macro ENTRY table, index, value
    SETREG  %r11, \value
    larl    %r10, \table
    stg     %r11, 8 * (\index)(%r10)
    .endm

/* compress `len` bytes at `text` into 10-bit symbols; they are `want`, `bits` bits */
    .macro STRING text, len, want, bits
    larl    %r2, packed
    mvghi   0(%r2), 0
    lghi    %r3, 8
    larl    %r4, \text
    lghi    %r5, \len
    lgr     %r1, %r9
    lhi     %r0, 0x2000
1:  cmpsc   %r2, %r4
    jo      1b
    EXPECT_CC 0
    EXPECT_MEM packed, \want
    EXPECT_REG %r5, 0
    EXPECT_REG %r3, 8 - (\bits) / 8
    sgr     %r1, %r9
    EXPECT_REG %r1, (\bits) - (\bits) / 8 * 8
    larl    %r2, out            /* and back */
    mvghi   0(%r2), -1
    mvghi   8(%r2), -1
    lghi    %r3, 16
    larl    %r4, packed
    lghi    %r5, ((\bits) + 7) / 8
    la      %r1, 4095(%r9)
    la      %r1, 4095(%r1)
    la      %r1, 2(%r1)
    lhi     %r0, 0x2100
1:  cmpsc   %r2, %r4
    jo      1b
    EXPECT_CC 0
    EXPECT_REG %r3, 16 - \len
    larl    %r2, out
    lghi    %r3, \len
    larl    %r4, \text
    lgr     %r5, %r3
    clcl    %r2, %r4
    jgne    fail
    .endm

    .data
    .balign 8
packed: .quad   0
out:    .quad   0, 0
ad:     .byte   0xc1, 0xc4
        .balign 2
ab:     .byte   0xc1, 0xc2
        .balign 2
ac:     .byte   0xc1, 0xc3
        .balign 2
ac1:    .byte   0xc1, 0xc3, 0xf1
        .balign 2
ac1e:   .byte   0xc1, 0xc3, 0xf1, 0xc5, 0xf1, 0xf2, 0xf3, 0xf4
        .balign 2
ac1d:   .byte   0xc1, 0xc3, 0xf1, 0xc4, 0xf1, 0xf3
    .bss
    .balign 4096
dict:   .fill   8192, 1, 0
expand: .fill   8192, 1, 0

    .text
tests:
    ENTRY   dict, A, 0x480100c2c3000000         /* children B, a leaf, and C, to be examined */
    ENTRY   dict, 0x101, 0x582200f1c4c50000     /* 1; children D and E, to be examined */
    ENTRY   dict, 0x200, 0x004000f1f2000000     /* 12 */
    ENTRY   dict, 0x201, 0x008000f1f2f3f400     /* 1234 */
    ENTRY   expand, A, 0x01c1000000000000
    ENTRY   expand, 0x100, 0x02c1c20000000000   /* AB at once */
    ENTRY   expand, 0x101, 0x40c1c3f100000001   /* C1 at 1, behind A */
    ENTRY   expand, 0x201, 0xa101c5f1f2f3f403   /* E1234 at 3, behind X'101' */
    larl    %r9, dict

    CHECK   1
    STRING  ad, 2, 0x304c400000000000, 20
    CHECK   2
    STRING  ab, 2, 0x4000000000000000, 10
    CHECK   3
    STRING  ac, 2, 0x304c300000000000, 20
    CHECK   4
    STRING  ac1, 3, 0x4040000000000000, 10
    CHECK   5
    STRING  ac1e, 8, 0x8040000000000000, 10
    CHECK   6                   /* D12 does not fit: AC1, then D, 1, 3 */
    STRING  ac1d, 6, 0x404c43c4f3000000, 40

    CHECK   7                   /* no room for a second symbol, in either direction */
    larl    %r2, packed
    lghi    %r3, 2
    larl    %r4, ad
    lghi    %r5, 2
    lgr     %r1, %r9
    lhi     %r0, 0x2000
    cmpsc   %r2, %r4
    EXPECT_CC 1
    EXPECT_REG %r5, 1
    EXPECT_REG %r3, 1
    larl    %r2, packed
    SETREG  %r3, 0x304c400000000000
    stg     %r3, 0(%r2)
    larl    %r2, out
    lghi    %r3, 1
    larl    %r4, packed
    lghi    %r5, 3
    larl    %r1, expand
    lhi     %r0, 0x2100
    cmpsc   %r2, %r4
    EXPECT_CC 1
    EXPECT_REG %r3, 0
    EXPECT_REG %r5, 2
    larl    %r6, expand+2
    cgr     %r1, %r6
    jgne    fail

    CHECK   8                   /* odd registers, symbol sizes there are not */
    EXPECT_PGM PGM_SPECIFICATION, ".long 0xb2630034"
    EXPECT_ILC 4
    EXPECT_PGM PGM_SPECIFICATION, ".long 0xb2630025"
    lhi     %r0, 0
    EXPECT_PGM PGM_SPECIFICATION, "cmpsc %r2, %r4"
    lhi     %r0, 0x6000
    EXPECT_PGM PGM_SPECIFICATION, "cmpsc %r2, %r4"

    CHECK   9                   /* an entry that breaks the rules: data exception, code 0 */
    ENTRY   dict, A, 0xe000000000000000
    larl    %r2, packed
    lghi    %r3, 8
    larl    %r4, ad
    lghi    %r5, 2
    lgr     %r1, %r9
    lhi     %r0, 0x2000
    EXPECT_PGM PGM_DATA, "cmpsc %r2, %r4"
    EXPECT_ILC 4
    llgc    %r2, 0x93
    EXPECT_REG %r2, 0
    EXPECT_REG %r5, 2
    j       pass
