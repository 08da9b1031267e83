/* Stores into the prefix area under low-address protection, often enough to be translated: what is protected stays so,
 * what is not is stored; code there that is stored into is seen to change. STNSM disables, and only in the supervisor
 * state. */
#include "insn.inc"

#define PGM_PRIVILEGED 2
#define PGM_PROTECTION 4
#define ROUNDS 200
#define AT 0x900
#define CODE 0xa00
#define LEAVE_PSW 0x8c0
    .set    KEPT, 0x1f0         /* protected */

    .balign 8
cr0_protected:
    .quad   0x00000000100400e0
cr0_open:
    .quad   0x00000000000400e0
code_seven:
    lghi    %r2, 7
    br      %r14
    .short  0
code_nine:
    lghi    %r2, 9
    br      %r14
    .short  0

tests:
    larl    %r10, _start
    mvghi   KEPT(%r0), 0x77
    lctlg   %c0, %c0, cr0_protected - _start(%r10)

    CHECK   1                   /* stores of every kind behind the protected bytes */
    lghi    %r11, ROUNDS
1:  stg     %r11, AT(%r0)
    st      %r11, AT+8(%r0)
    sth     %r11, AT+12(%r0)
    stc     %r11, AT+14(%r0)
    mvi     AT+15(%r0), 0x5a
    stmg    %r10, %r11, AT+16(%r0)
    mvc     AT+32(16, %r0), AT(%r0)
    xc      AT+8(4, %r0), AT+8(%r0)
    oc      AT(8, %r0), AT+40(%r0)
    stg     %r11, 512(%r0)
    stg     %r11, 4088(%r0)
    asi     AT+12(%r0), 1
    cg      %r11, AT+24(%r0)
    jne     fail
    cg      %r11, AT+32(%r0)
    jne     fail
    cg      %r11, 512(%r0)
    jne     fail
    cg      %r11, 4088(%r0)
    jne     fail
    c       %r11, AT+40(%r0)
    jne     fail
    cli     AT+47(%r0), 0x5a
    jne     fail
    chsi    AT+8(%r0), 0
    jne     fail
    brctg   %r11, 1b

    CHECK   2                   /* protected: before, across, and by address in a register */
    lghi    %r11, ROUNDS
    lghi    %r6, 0
1:  EXPECT_PGM PGM_PROTECTION, "stg %r11, KEPT(%r0)"
    EXPECT_ILC 6
    EXPECT_PGM PGM_PROTECTION, "mvi 511(%r0), 1"
    EXPECT_ILC 4
    EXPECT_PGM PGM_PROTECTION, "stg %r11, 508(%r0)"
    EXPECT_PGM PGM_PROTECTION, "stg %r11, KEPT(%r6)"
    EXPECT_PGM PGM_PROTECTION, "stnsm KEPT(%r0), 0xfc"
    lg      %r2, KEPT(%r0)
    EXPECT_REG %r2, 0x77
    stg     %r11, AT(%r6)
    cg      %r11, AT(%r0)
    jne     fail
    brctg   %r11, 1b

    CHECK   3                   /* code there, stored into between its executions */
    lghi    %r11, ROUNDS
    lghi    %r8, 0
1:  lg      %r3, code_seven - _start(%r10)
    tmll    %r11, 1
    jne     2f
    lg      %r3, code_nine - _start(%r10)
2:  stg     %r3, CODE(%r0)
    bras    %r14, 3f
3:  la      %r14, 4f - 3b(%r14)
    lghi    %r4, CODE
    br      %r4
4:  agr     %r8, %r2
    brctg   %r11, 1b
    EXPECT_REG %r8, ROUNDS / 2 * 7 + ROUNDS / 2 * 9

    CHECK   4                   /* protection goes and comes */
    lghi    %r11, ROUNDS
1:  lctlg   %c0, %c0, cr0_open - _start(%r10)
    bras    %r14, store_low
    lctlg   %c0, %c0, cr0_protected - _start(%r10)
    bras    %r14, store_low
    EXPECT_PGM PGM_PROTECTION, "stg %r11, KEPT(%r0)"
    lctlg   %c0, %c0, cr0_open - _start(%r10)
    stg     %r11, KEPT(%r0)
    cg      %r11, KEPT(%r0)
    jne     fail
    brctg   %r11, 1b

    CHECK   5                   /* STNSM: the old mask is stored, the new one is smaller; others than two bits too */
    lghi    %r11, ROUNDS
1:  stosm   AT(%r0), 3
    stnsm   AT+1(%r0), 0xfe
    stnsm   AT+2(%r0), 0xfd
    stnsm   AT+3(%r0), 0xff
    lgf     %r2, AT(%r0)
    EXPECT_REG %r2, 0x00030200
    brctg   %r11, 1b

    CHECK   6                   /* not in the problem state */
    lghi    %r11, ROUNDS
1:  larl    %r3, 2f
    stg     %r3, LEAVE_PSW+8(%r0)
    SETREG  %r2, 0x0001000180000000
    stg     %r2, LEAVE_PSW(%r0)
    mvi     AT(%r0), 0x33
    EXPECT_PGM PGM_PRIVILEGED, "brasl %r14, leave"
    EXPECT_ILC 4
    cli     AT(%r0), 0x33
    jne     fail
    brctg   %r11, 1b
    j       pass

leave:
    lpswe   LEAVE_PSW(%r0)
2:  brasl   %r14, disable
    j       fail
disable:
    stnsm   AT(%r0), 0xfc
    br      %r14
store_low:
    stg     %r11, AT(%r0)
    cg      %r11, AT(%r0)
    jne     fail
    br      %r14
