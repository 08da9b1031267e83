/* Program linkage and access registers as a control program sets them up: two spaces with ASTEs, an
 * access list, a linkage table, a linkage stack of two sections in the home space.
 * qemu: no, 7.2 has no PC, PT, PR, BAKR, EREG, ESTA, MSTA, TAR, BSG, LASP and no access lists */
#include "insn.inc"

#define SEG_A 0x200000
#define PAGES_A 0x201000
#define SEG_B 0x202000
#define PAGES_B 0x203000
#define DATA 0x50000            /* FRAME_B in space B */
#define FRAME_B 0x210000
#define DUCT 0x204000
#define LIST 0x205000
#define FIRST_TABLE 0x206000
#define SECOND_TABLE 0x207000   /* ASN 1 is A, ASN 2 is B, 3 a subspace of A */
#define ASTE_A 0x207040
#define ASTE_B 0x207080
#define ASTE_C 0x2070c0
#define LINKAGE_TABLE 0x208000
#define ENTRY_TABLE 0x209000
#define AUTHORITY 0x20a000
#define STACK 0x40000
#define STACK2 0x41f00          /* its first entry crosses a page */
#define ALET_B 0x00030002
#define ALET_C 0x00010003

.macro PUT at, value
    SETREG  %r1, \value
    SETREG  %r2, \at
    stg     %r1, 0(%r2)
.endm
.macro SWITCH psw               /* to the address-space control of an SAC operand, with DAT */
    stosm   T_SAVE(%r0), 4
    sac     \psw
.endm

tests:
    SETREG  %r2, PAGES_A
    SETREG  %r3, PAGES_B
    lghi    %r4, 0
    lghi    %r5, 256
1:  stg     %r4, 0(%r2)
    stg     %r4, 0(%r3)
    aghi    %r4, 0x1000
    aghi    %r2, 8
    aghi    %r3, 8
    brctg   %r5, 1b
    PUT     SEG_A, PAGES_A
    PUT     SEG_B, PAGES_B
    PUT     PAGES_B + (DATA >> 9), FRAME_B
    PUT     DATA, 0xaaaa
    PUT     FRAME_B, 0xbbbb
    PUT     FIRST_TABLE, (SECOND_TABLE << 32) | 0x80000000
    PUT     SECOND_TABLE, 0x8000000000000000
    PUT     ASTE_A, (AUTHORITY | 1) << 32 | 0x00010010
    PUT     ASTE_A + 8, SEG_A | 0x200
    PUT     ASTE_A + 16, 0x11111111
    PUT     ASTE_A + 24, (0x80000000 | LINKAGE_TABLE) << 32
    PUT     ASTE_B, AUTHORITY << 32 | 0x00020010
    PUT     ASTE_B + 8, SEG_B
    PUT     ASTE_B + 16, 0x22222222
    PUT     ASTE_B + 24, (0x80000000 | LINKAGE_TABLE) << 32
    PUT     ASTE_C, AUTHORITY << 32
    PUT     ASTE_C + 8, SEG_B | 0x200
    PUT     ASTE_C + 16, 0x33333333
    PUT     AUTHORITY, 0x0800000000000000   /* AX 2: primary */
    PUT     LINKAGE_TABLE, ENTRY_TABLE << 32 | 0x80000000
    PUT     ENTRY_TABLE, called_basic
    PUT     ENTRY_TABLE + 8, 0x8000000000010000
    PUT     ENTRY_TABLE + 16, 0x40000000 << 32
    PUT     ENTRY_TABLE + 24, 0x1234567800000001
    PUT     ENTRY_TABLE + 32, called_stacking
    PUT     ENTRY_TABLE + 40, 0x8000000200040000
    PUT     ENTRY_TABLE + 48, 0xda905555 << 32 | ASTE_B
    PUT     ENTRY_TABLE + 56, 0x1234567800000002
    PUT     DUCT, ASTE_A << 32
    PUT     DUCT + 16, LIST << 32
    PUT     LIST, 0x8000000000000000
    PUT     LIST + 16, 0x8000000000000000
    PUT     LIST + 32, 0x0003000000000000
    PUT     LIST + 40, ASTE_B << 32 | 0x22222222
    PUT     LIST + 48, 0x0201000000000000   /* fetch only */
    PUT     LIST + 56, ASTE_C << 32 | 0x33333333
    PUT     STACK, 0
    PUT     STACK + 8, 0x0901012800000000   /* room for one entry */
    PUT     STACK + 16 + 296, STACK2 + 8 + 1
    PUT     STACK2 + 8, 0x0902025000000000  /* for two */
    PUT     STACK2 + 16 + 592, 0
    larl    %r1, crs
    lctlg   %c0, %c15, 0(%r1)

    CHECK   1                       /* access registers */
    SWITCH  0x200
    SETREG  %r5, DATA
    SETREG  %r1, ALET_B
    sar     %a5, %r1
    lg      %r3, 0(%r5)
    EXPECT_REG %r3, 0xbbbb
    sar     %a5, %r0
    lghi    %r1, 0
    sar     %a5, %r1
    lg      %r3, 0(%r5)
    EXPECT_REG %r3, 0xaaaa
    CHECK   2                       /* ALE sequence: nullified, names the register */
    SETREG  %r1, ALET_B + 0x10000
    sar     %a5, %r1
    EXPECT_PGM 0x2a, "stg %r3,0(%r5)"
    EXPECT_ILC 6
    cli     0xa0(%r0), 5
    EXPECT_CC 0
    CHECK   3                       /* fetch only */
    SWITCH  0x200
    SETREG  %r1, ALET_C
    sar     %a5, %r1
    lg      %r3, 0(%r5)
    EXPECT_REG %r3, 0xbbbb
    EXPECT_PGM 4, "stg %r3,0(%r5)"
    CHECK   4                       /* TAR */
    SETREG  %r1, 0
    tar     %a5, %r1
    EXPECT_CC 1
    SETREG  %r2, ALET_B + 0x10000
    sar     %a5, %r2
    tar     %a5, %r1
    EXPECT_CC 3
    tar     %a6, %r1
    EXPECT_CC 0
    sar     %a5, %r1

    CHECK   5                       /* BAKR and PR */
    SWITCH  0
    SETREG  %r3, 0x3333
    SETREG  %r15, 0x1515
    larl    %r4, 1f
    bakr    %r0, %r4
    j       2f
1:  lghi    %r3, 0
    lghi    %r15, 0
    lghi    %r1, 4
    esta    %r6, %r1
    EXPECT_CC 0
    larl    %r1, 1b
    aghi    %r1, -4
    clgr    %r7, %r1
    jne     fail
    pr
    j       fail
2:  EXPECT_REG %r3, 0x3333
    EXPECT_REG %r15, 0

    CHECK   6                       /* the second section; what was left of the first is kept */
    bakr    %r0, %r0
    SETREG  %r8, 0x8888
    bakr    %r0, %r0
    bakr    %r0, %r0
    EXPECT_PGM 0x30, "bakr %r0,%r0"
    EXPECT_ILC 4
    SWITCH  0
    lghi    %r8, 0
    ereg    %r8, %r8
    EXPECT_REG %r8, 0x8888
    SETREG  %r8, 0x7777777799999999
    SETREG  %r9, 0x6666666655555555
    msta    %r8
    lghi    %r1, 3
    lghi    %r8, 0
    lghi    %r9, 0
    esta    %r8, %r1
    EXPECT_REG %r8, 0x99999999
    EXPECT_REG %r9, 0x55555555

    CHECK   7                       /* a page of the stack is missing: nothing happens */
    SETREG  %r1, 0x42400
    SETREG  %r2, PAGES_A + (0x42 << 3)
    stnsm   T_SAVE(%r0), 0xfb
    stg     %r1, 0(%r2)
    ptlb
    stctg   %c15, %c15, T_SAVE(%r0)
    lg      %r7, T_SAVE(%r0)
    SWITCH  0
    EXPECT_PGM 0x11, "pr"
    stctg   %c15, %c15, T_SAVE(%r0)
    cg      %r7, T_SAVE(%r0)
    jne     fail
    SETREG  %r1, 0x42000
    stg     %r1, 0(%r2)
    larl    %r1, crs
    lctlg   %c15, %c15, 120(%r1)
    PUT     STACK + 8, 0x0901012800000000

    CHECK   8                       /* PC, basic, and PT back */
    SWITCH  0
    lghi    %r2, 0
    pc      0(%r2)
back_basic:
    EXPECT_REG %r5, 0x55
    CHECK   9                       /* PC, stacking, to space B; PR back */
    SETREG  %r9, 0x9999
    SETREG  %r5, DATA
    lghi    %r2, 1
    pc      0(%r2)
back_stacking:
    EXPECT_REG %r9, 0x9999
    lg      %r3, 0(%r5)
    EXPECT_REG %r3, 0xaaaa
    epar    %r3
    clfi    %r3, 1
    jne     fail
    iac     %r3
    EXPECT_CC 0

    CHECK   10                      /* SSAR: AX 1 has no secondary authority over B */
    lghi    %r3, 2
    EXPECT_PGM 0x25, "ssar %r3"
    clfhsi  0xac(%r0), 2
    jne     fail
    CHECK   11                      /* branch into the subspace and back to the base space */
    SWITCH  0
    SETREG  %r5, DATA
    larl    %r6, 3f
    SETREG  %r1, ALET_C
    sar     %a6, %r1
    bsg     %r7, %r6
    j       fail
3:  lg      %r3, 0(%r5)
    EXPECT_REG %r3, 0xbbbb
    larl    %r6, 4f
    lghi    %r1, 0
    sar     %a6, %r1
    bsg     %r7, %r6
    j       fail
4:  lg      %r3, 0(%r5)
    EXPECT_REG %r3, 0xaaaa
    stnsm   T_SAVE(%r0), 0xfb
    j       pass

called_basic:
    EXPECT_REG %r4, 0x1234567800000001
    clfi    %r3, 0x80000001         /* PKM, PASN */
    jne     fail
    larl    %r1, back_basic
    clgr    %r1, %r14
    jne     fail
    lghi    %r5, 0x55
    pt      %r3, %r14
    j       fail

called_stacking:                    /* in the access-register mode, key 9, EAX 5555 */
    EXPECT_REG %r4, 0x1234567800000002
    lg      %r3, 0(%r5)
    EXPECT_REG %r3, 0xbbbb
    lghi    %r1, 1
    sar     %a5, %r1
    lg      %r3, 0(%r5)
    EXPECT_REG %r3, 0xaaaa
    ipk
    lgr     %r3, %r2
    nill    %r3, 0xff
    clfi    %r3, 0x90
    jne     fail
    epar    %r3
    clfi    %r3, 2
    jne     fail
    esar    %r3
    clfi    %r3, 1
    jne     fail
    lghi    %r1, 2
    esta    %r6, %r1
    EXPECT_CC 1
    clfi    %r6, 0x00022222
    jne     fail
    clfi    %r7, 0x80000001
    jne     fail
    lghi    %r9, 0
    pr
    j       fail

    .balign 8
crs:
    .quad   0x040500e0, SEG_A | 0x200, DUCT, 0x80000001, 0x00010001, ASTE_A, 0, SEG_A | 0x200
    .quad   0, 0, 0, 0, 0, SEG_A, 0x80000 | (FIRST_TABLE >> 12), STACK + 8
