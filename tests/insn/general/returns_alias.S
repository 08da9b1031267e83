/* A branch that often returns into another page of its region returns there from a second address of its own page: the
 * guess is right, the pages are not where they were when it was translated, and registers stay what they are. What is
 * called and what calls are loops, each with registers of its own in the host's.
 * qemu: yes
 * reloc: no, step has relocations enough */
#include "insn.inc"

#define SEG 0x50000
#define PAGES 0x51000
#define ALIAS 0x40000           /* of the page of `called` */
#define CALLER 0x860            /* where `calling` returns to */
#define FIRST 0x868             /* where the first call does */

    .balign 8
asce:
    .quad   SEG

    .balign 4096
called:
    cgijne  %r3, 0, 2f
1:  aghi    %r5, 1
    aghi    %r6, 1
    aghi    %r7, 1
    aghi    %r8, 1
    aghi    %r9, 1
    aghi    %r10, 1
    aghi    %r11, 1
    aghi    %r12, 1
    aghi    %r13, 1
    ahi     %r4, -1
    ber     %r14
    j       1b
2:  stg     %r14, FIRST(%r0)
    lghi    %r3, 0
    brasl   %r14, calling
    lg      %r14, FIRST(%r0)
    br      %r14

    .balign 4096
calling:
    stg     %r14, CALLER(%r0)
    lghi    %r1, 3
3:  lghi    %r4, 2
    brasl   %r14, called
behind:
    agr     %r0, %r1
    agr     %r2, %r0
    agr     %r15, %r2
    agr     %r0, %r3
    agr     %r2, %r15
    agr     %r15, %r1
    brctg   %r1, 3b
    lg      %r14, CALLER(%r0)
    br      %r14
known:                          /* so that what calls into this page finds it */
    br      %r14

    .balign 4096
start:
    .irp    reg, 5,6,7,8,9,10,11,12,13
    lghi    %r\reg, 50 + \reg
    .endr
    lghi    %r0, 0
    lghi    %r2, 0
    lghi    %r15, 0
    br      %r14

/* Each of the nine has grown by so much. */
.macro GROWN by
    .irp    reg, 5,6,7,8,9,10,11,12,13
    cghi    %r\reg, 50 + \reg + \by
    jne     fail
    .endr
.endm

tests:
    MAP_MEGABYTE SEG, PAGES
    lgfi    %r3, PAGES
    larl    %r4, called
    stg     %r4, ALIAS >> 9(%r3)
    larl    %r2, asce
    lctlg   %c1, %c1, 0(%r2)
    stosm   T_SAVE(%r0), 4

    CHECK   1                   /* as it is translated */
    brasl   %r14, known
    brasl   %r14, start
    lghi    %r3, 1
    brasl   %r14, called
    GROWN   6

    CHECK   2                   /* from the other address */
    brasl   %r14, start
    larl    %r3, 4f
    stg     %r3, CALLER(%r0)
    lghi    %r1, 1
    lghi    %r3, 0
    lghi    %r4, 1
    larl    %r14, behind
    lgfi    %r2, ALIAS
    lgr     %r15, %r2
    lghi    %r2, 0
    lay     %r15, 0(%r15)
    br      %r15
4:  GROWN   1
    j       pass
