/* The program that runs fuzz images, the same on Endicott and on QEMU. A batch is this program and a
 * list of images behind it (image.py writes both layouts). For each image storage, keys, page tables and registers
 * are set anew; then step after step: instructions in the code frames, then as often as the step asks for: registers
 * of the image, patches, LPSWE. Whatever happens next is an interruption (the code frames are full of SVC); its
 * results are folded into the step's digest. One line per image comes out: the digest of storage at the end, then
 * those of its steps; for a step that asks for it a line before with all results. */

#define LC_INFO     0x080               /* interruption parameters, 64 bytes */
#define LC_BEAR     0x110               /* breaking-event address */
#define LC_OLD      0x120               /* old PSWs, 96 bytes */
#define LC_NEW      0x1a0               /* new PSWs, 96 bytes */
#define LC_STEP_PSW 0x220               /* the PSW of the step; below 4096, no register is left */
#define LC_GRS      0x1200              /* outside low-address protection */
#define SCRATCH     0x100000            /* FUZZ_FRAMES frames of operands */
#define SCRATCH_LEN 0x8000
#define CODE        0x110000            /* two frames of instructions */
#define CODE_LEN    0x2000
#define TABLES      0x120000            /* region, segment and page tables */
#define TABLES_LEN  0x21000
#define FIRMWARE    0x7e00000           /* QEMU puts its own at the end of storage, and images may fetch there */
#define FIRMWARE_LEN 0x200000
#define ST_GR       0                   /* offsets in `state` */
#define ST_FPR      128
#define ST_AR       256
#define ST_FPC      320
#define ST_CR       328                 /* as they were after the step */
#define ST_CLASS    456
#define ST_INFO     464
#define ST_OLD      528
#define ST_BEAR     624                 /* breaking-event address, if asked for */
#define ST_LEN      632
#define IM_STEPS    0                   /* image: steps, flags, fill, key, id, then registers */
#define IM_FLAGS    8
#define IM_FILL     16
#define IM_KEY      24
#define IM_ID       32
#define IM_REGS     40                  /* as the state up to ST_CR, then control registers */
#define IM_LEN      (IM_REGS + ST_CR + 128)
#define SP_LEN      0                   /* step: bytes, patches, code address, PSW, times, print results?, doublewords of code */
#define SP_PATCHES  2
#define SP_CODE     4
#define SP_PSW      8
#define SP_TIMES    24
#define SP_PRINT    26
#define SP_WORDS    28
#define SP_BYTES    32                  /* patches lie behind the code */
#define STEPS_MAX   470                 /* their digests fit into a line */
#define FLAG_LAST   1                   /* print storage at the end */
#define FLAG_EACH   2                   /* fold storage after each step */
#define FLAG_ALL    4                   /* both machines are one: nothing is left out of the results */

    .machine "z10"
    .text
    .globl  _start
_start:
    lghi    %r0, 0
    larl    %r1, safe_cr
    lctlg   %c0, %c15, 0(%r1)
    larl    %r1, new_psws
    mvc     LC_NEW(96,%r0), 0(%r1)
    llilh   %r2, FIRMWARE >> 16
    llilh   %r3, FIRMWARE_LEN >> 16
    lghi    %r5, 0
    mvcl    %r2, %r4
    larl    %r12, batch
    lg      %r11, 0(%r12)               /* number of images */
    la      %r12, 8(%r12)
next_image:
    larl    %r1, images_left
    stg     %r11, 0(%r1)
    ltgr    %r11, %r11
    jz      all_done
    larl    %r1, image
    stg     %r12, 0(%r1)
    brasl   %r14, prepare_image
    larl    %r1, image
    lg      %r12, 0(%r1)
    lg      %r10, IM_STEPS(%r12)
    larl    %r1, steps_left
    stg     %r10, 0(%r1)
    lghi    %r1, IM_LEN
    la      %r13, 0(%r1,%r12)
    j       next_step

    /* --- one step: %r13 -> step --- */
next_step:
    larl    %r1, steps_left
    lg      %r2, 0(%r1)
    ltgr    %r2, %r2
    jz      image_done
    aghi    %r2, -1
    stg     %r2, 0(%r1)
    larl    %r1, step
    stg     %r13, 0(%r1)
    llgf    %r4, SP_CODE(%r13)
    la      %r1, SP_BYTES(%r13)
    l       %r6, SP_WORDS(%r13)
    lghi    %r7, 8
    brasl   %r14, put_code
    larl    %r1, times_left
    mvc     0(2,%r1), SP_TIMES(%r13)
    larl    %r1, digest
    xc      0(8,%r1), 0(%r1)
once_more:
    larl    %r1, image
    lg      %r12, 0(%r1)
    larl    %r1, state
    mvc     0(256,%r1), IM_REGS(%r12)
    mvc     256(72,%r1), IM_REGS+256(%r12)
    mvc     set_cr-state(128,%r1), IM_REGS+ST_CR(%r12)
    llgh    %r2, SP_PATCHES(%r13)
    llgf    %r3, SP_WORDS(%r13)
    sllg    %r3, %r3, 3
    la      %r3, SP_BYTES(%r3,%r13)
0:  ltgr    %r2, %r2
    jz      1f
    lg      %r4, 0(%r3)
    lg      %r5, 8(%r3)
    stg     %r5, 0(%r4)
    la      %r3, 16(%r3)
    aghi    %r2, -1
    j       0b
1:  xc      LC_INFO(256,%r0), LC_INFO(%r0)
    mvc     LC_STEP_PSW(16,%r0), SP_PSW(%r13)
    larl    %r15, state
    lfpc    ST_FPC(%r15)
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    ld      %f\n, ST_FPR+8*\n(%r15)
    .endr
    lam     %a0, %a15, ST_AR(%r15)
    larl    %r1, set_cr
    lctlg   %c0, %c15, 0(%r1)
    lmg     %r0, %r15, ST_GR(%r15)
    lpswe   LC_STEP_PSW(%r0)

    /* %r6 doublewords from %r1, in steps of %r7, to %r4, by STG: QEMU 7.2 keeps translated code that MVC
     * has stored into. */
put_code:
    lg      %r5, 0(%r1)
    stg     %r5, 0(%r4)
    la      %r1, 0(%r7,%r1)
    la      %r4, 8(%r4)
    brct    %r6, put_code
    br      %r14

    /* --- an interruption ends it --- */
.macro ENTRY class
    stmg    %r0, %r15, LC_GRS(%r0)
    lghi    %r2, \class
    j       stepped
.endm
on_restart: ENTRY 0
on_ext:     ENTRY 1
on_svc:     ENTRY 2
on_pgm:     ENTRY 3
on_mck:     ENTRY 4
on_io:      ENTRY 5

stepped:
    larl    %r15, state
    stctg   %c0, %c15, ST_CR(%r15)
    larl    %r1, safe_cr
    lctlg   %c0, %c15, 0(%r1)
    stg     %r2, ST_CLASS(%r15)
    lghi    %r1, LC_GRS
    mvc     ST_GR(128,%r15), 0(%r1)
    mvc     ST_INFO(64,%r15), LC_INFO(%r0)
    mvc     ST_OLD(96,%r15), LC_OLD(%r0)
    larl    %r1, new_psws
    mvc     LC_NEW(96,%r0), 0(%r1)
    stam    %a0, %a15, ST_AR(%r15)
    stfpc   ST_FPC(%r15)
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    std     %f\n, ST_FPR+8*\n(%r15)
    .endr
    larl    %r1, image
    lg      %r12, 0(%r1)
    xc      ST_BEAR(8,%r15), ST_BEAR(%r15)
    tm      IM_FLAGS+7(%r12), FLAG_ALL
    jnz     1f
    brasl   %r14, mask_teid
    j       2f
1:  mvc     ST_BEAR(8,%r15), LC_BEAR(%r0)
2:  lgr     %r2, %r15
    lghi    %r3, ST_LEN/8
    brasl   %r14, fold
    larl    %r1, step
    lg      %r13, 0(%r1)
    larl    %r1, times_left
    lh      %r2, 0(%r1)
    ahi     %r2, -1
    sth     %r2, 0(%r1)
    jnz     once_more
    llgf    %r4, SP_CODE(%r13)          /* put the SVCs back */
    larl    %r1, filler
    l       %r6, SP_WORDS(%r13)
    lghi    %r7, 0
    brasl   %r14, put_code
    tm      IM_FLAGS+7(%r12), FLAG_EACH
    jz      3f
    brasl   %r14, fold_storage
    brasl   %r14, fold_keys
3:  larl    %r2, digests_at             /* the left half is kept for the image's line */
    lg      %r3, 0(%r2)
    larl    %r1, digest
    mvc     0(4,%r3), 0(%r1)
    la      %r3, 4(%r3)
    stg     %r3, 0(%r2)
    larl    %r1, step
    lg      %r13, 0(%r1)
    tm      SP_PRINT+1(%r13), 1
    jz      4f
    brasl   %r14, print_step
4:  larl    %r1, step
    lg      %r13, 0(%r1)
    llgh    %r2, SP_LEN(%r13)
    la      %r13, 0(%r2,%r13)
    j       next_step

    /* Translation-exception identification: what is unpredictable becomes zero. The address of a translation
     * exception is bits 0-51; of protection exceptions it is defined when bit 61 is one. */
mask_teid:
    lghi    %r3, 3
    cg      %r3, ST_CLASS(%r15)
    bner    %r14
    lg      %r3, ST_INFO+0x28(%r15)
    llgh    %r4, ST_INFO+0x0e(%r15)
    chi     %r4, 4
    jne     0f
    tmll    %r3, 0x0004
    jnz     0f
    lghi    %r3, 0
0:  nill    %r3, 0xf007
    stg     %r3, ST_INFO+0x28(%r15)
    br      %r14

    /* digest := digest folded with %r3 doublewords at %r2 */
fold:
    larl    %r1, digest
    lg      %r0, 0(%r1)
    lg      %r4, factor-digest(%r1)
0:  xg      %r0, 0(%r2)
    msgr    %r0, %r4
    rllg    %r0, %r0, 29
    la      %r2, 8(%r2)
    brctg   %r3, 0b
    stg     %r0, 0(%r1)
    br      %r14

    /* --- begin and end of an image --- */
prepare_image:
    larl    %r1, return
    stg     %r14, 0(%r1)
    larl    %r2, tables_image           /* page tables */
    lgfi    %r3, TABLES_LEN
    lgfi    %r4, TABLES
    lgr     %r5, %r3
    mvcl    %r4, %r2
    lgfi    %r4, SCRATCH + SCRATCH_LEN  /* what lies between; no image means to store there */
    lgfi    %r5, TABLES - SCRATCH - SCRATCH_LEN
    lghi    %r3, 0
    mvcl    %r4, %r2
    lgfi    %r2, CODE                   /* code frames */
    larl    %r3, filler
    lghi    %r4, CODE_LEN/8
    lg      %r5, 0(%r3)
0:  stg     %r5, 0(%r2)
    la      %r2, 8(%r2)
    brctg   %r4, 0b
    lgfi    %r2, SCRATCH                /* operands: numbers made from the seed, or zeros */
    lghi    %r4, SCRATCH_LEN/8
    lg      %r3, IM_FILL(%r12)
    larl    %r1, factor
    lg      %r5, 0(%r1)
1:  stg     %r3, 0(%r2)
    la      %r2, 8(%r2)
    msgr    %r3, %r5
    srlg    %r0, %r3, 29
    xgr     %r3, %r0
    brctg   %r4, 1b
    lgfi    %r2, SCRATCH                /* keys */
    lg      %r3, IM_KEY(%r12)
    lghi    %r4, (CODE + CODE_LEN - SCRATCH) / 4096
2:  sske    %r3, %r2
    aghi    %r2, 4096
    brctg   %r4, 2b
    ptlb
    larl    %r1, digests
    larl    %r2, digests_at
    stg     %r1, 0(%r2)
    xc      0(128,%r0), 0(%r0)
    lghi    %r2, 512                    /* real 512-8191; a step may have stored there */
    lghi    %r4, (8192 - 512) / 256
3:  xc      0(256,%r2), 0(%r2)
    la      %r2, 256(%r2)
    brctg   %r4, 3b
    larl    %r1, return
    lg      %r14, 0(%r1)
    br      %r14

image_done:
    larl    %r1, image
    lg      %r12, 0(%r1)
    larl    %r1, digest
    xc      0(8,%r1), 0(%r1)
    brasl   %r14, fold_storage
    brasl   %r14, fold_keys
    larl    %r1, image
    lg      %r12, 0(%r1)
    tm      IM_FLAGS+7(%r12), FLAG_LAST
    jz      0f
    brasl   %r14, print_storage
0:  larl    %r1, line_at
    larl    %r2, line
    stg     %r2, 0(%r1)
    lghi    %r2, 'I'
    brasl   %r14, put
    la      %r2, IM_ID(%r12)
    lghi    %r3, 8
    brasl   %r14, put_hex
    lghi    %r2, ' '
    brasl   %r14, put
    larl    %r2, digest
    lghi    %r3, 8
    brasl   %r14, put_hex
    lghi    %r2, ' '
    brasl   %r14, put
    larl    %r2, digests
    larl    %r3, digests_at
    lg      %r3, 0(%r3)
    sgr     %r3, %r2
    brasl   %r14, put_hex
    brasl   %r14, put_line
    larl    %r1, step                   /* the next image begins where the steps end */
    lgr     %r12, %r13
    larl    %r1, images_left
    lg      %r11, 0(%r1)
    aghi    %r11, -1
    j       next_image

fold_storage:
    larl    %r1, return
    stg     %r14, 0(%r1)
    lgfi    %r2, SCRATCH
    lgfi    %r3, SCRATCH_LEN/8
    brasl   %r14, fold
    lgfi    %r2, CODE
    lgfi    %r3, CODE_LEN/8
    brasl   %r14, fold
    lgfi    %r2, TABLES
    lgfi    %r3, 0x4000/8
    brasl   %r14, fold
    larl    %r1, return
    lg      %r14, 0(%r1)
    br      %r14

    /* Keys; without the reference bit, which hardware and emulators set at times of their own. */
fold_keys:
    larl    %r1, return
    stg     %r14, 0(%r1)
    lghi    %r8, 0x00fa
    tm      IM_FLAGS+7(%r12), FLAG_ALL
    jz      1f
    lghi    %r8, 0x00fe
1:  lgfi    %r6, SCRATCH
    larl    %r7, key_bytes
    lghi    %r4, (CODE + CODE_LEN - SCRATCH) / 4096
0:  lghi    %r5, 0
    iske    %r5, %r6
    nr      %r5, %r8
    stc     %r5, 0(%r7)
    la      %r7, 1(%r7)
    aghi    %r6, 4096
    brctg   %r4, 0b
    larl    %r2, key_bytes
    lghi    %r3, 3
    brasl   %r14, fold
    larl    %r1, return
    lg      %r14, 0(%r1)
    br      %r14

all_done:
    larl    %r1, line_at
    larl    %r2, line
    stg     %r2, 0(%r1)
    lghi    %r2, 'E'
    brasl   %r14, put
    brasl   %r14, put_line
    larl    %r1, wait_psw
    lpswe   0(%r1)

    /* --- printing: a line in ASCII through the VT220 event of SCLP --- */
print_step:
    larl    %r1, return
    stg     %r14, 0(%r1)
    larl    %r1, line_at
    larl    %r2, line
    stg     %r2, 0(%r1)
    lghi    %r2, 'S'
    brasl   %r14, put
    lghi    %r2, ' '
    brasl   %r14, put
    larl    %r2, state
    lghi    %r3, ST_LEN
    brasl   %r14, put_hex
    brasl   %r14, put_line
    larl    %r1, return
    lg      %r14, 0(%r1)
    br      %r14

    /* Pieces of 256 bytes: "M" address data. */
print_storage:
    larl    %r1, return
    stg     %r14, 0(%r1)
    larl    %r1, key_bytes
    lghi    %r3, 24
    brasl   %r14, print_piece
    lgfi    %r1, SCRATCH
    brasl   %r14, print_pieces
    lgfi    %r1, TABLES
    brasl   %r14, print_pieces
    larl    %r1, return
    lg      %r14, 0(%r1)
    br      %r14
print_pieces:                           /* 32 KiB from %r1 */
    larl    %r2, return2
    stg     %r14, 0(%r2)
    lghi    %r11, 128
0:  lghi    %r3, 256
    brasl   %r14, print_piece
    la      %r1, 256(%r1)
    brctg   %r11, 0b
    larl    %r1, return2
    lg      %r14, 0(%r1)
    br      %r14
print_piece:
    larl    %r2, piece_at
    stg     %r1, 0(%r2)
    stg     %r3, 8(%r2)
    stg     %r14, 16(%r2)
    larl    %r1, line_at
    larl    %r2, line
    stg     %r2, 0(%r1)
    lghi    %r2, 'M'
    brasl   %r14, put
    larl    %r2, piece_at
    lghi    %r3, 8
    brasl   %r14, put_hex
    lghi    %r2, ' '
    brasl   %r14, put
    larl    %r1, piece_at
    lg      %r2, 0(%r1)
    lg      %r3, 8(%r1)
    brasl   %r14, put_hex
    brasl   %r14, put_line
    larl    %r2, piece_at
    lg      %r1, 0(%r2)
    lg      %r14, 16(%r2)
    br      %r14

put:                                    /* character %r2 */
    larl    %r1, line_at
    lg      %r4, 0(%r1)
    stc     %r2, 0(%r4)
    la      %r4, 1(%r4)
    stg     %r4, 0(%r1)
    br      %r14

put_hex:                                /* %r3 bytes at %r2 */
    larl    %r1, line_at
    lg      %r4, 0(%r1)
    larl    %r5, digits
0:  llgc    %r6, 0(%r2)
    sllg    %r6, %r6, 1
    lh      %r6, 0(%r6,%r5)
    sth     %r6, 0(%r4)
    la      %r4, 2(%r4)
    la      %r2, 1(%r2)
    brctg   %r3, 0b
    stg     %r4, 0(%r1)
    br      %r14

put_line:                               /* SERVICE CALL, then its service signal */
    larl    %r1, line_at
    lg      %r4, 0(%r1)
    mvi     0(%r4), 10
    la      %r4, 1(%r4)
    larl    %r1, sccb
    sgr     %r4, %r1
    sth     %r4, 0(%r1)
    mvi     2(%r1), 0
    xc      3(5,%r1), 3(%r1)
    aghi    %r4, -8
    sth     %r4, 8(%r1)
    mvi     11(%r1), 0
    lgfi    %r2, 0x00760005
    .insn   rre,0xb2200000, %r2, %r1
    larl    %r1, console_psw
    mvc     LC_NEW-0x1a0+0x1b0(16,%r0), 0(%r1)
    larl    %r1, signal_psw
    lpswe   0(%r1)
signalled:
    larl    %r1, new_psws
    mvc     LC_NEW(96,%r0), 0(%r1)
    br      %r14

    .data
    .balign 4096
sccb:
    .short  0
    .byte   0, 0, 0, 0
    .short  0
    .short  0                           /* event buffer */
    .byte   0x1a, 0
    .short  0
line:
    .fill   4096 - (line - sccb), 1, 0
    .balign 8
digest:     .quad 0
factor:     .quad 0x9e3779b97f4a7c15
    .globl  state
    .globl  set_cr
state:      .fill ST_LEN, 1, 0
set_cr:     .fill 128, 1, 0
digests:    .fill 4 * STEPS_MAX, 1, 0
digests_at: .quad 0
image:      .quad 0
images_left: .quad 0
step:       .quad 0
steps_left: .quad 0
times_left: .short 0, 0, 0, 0
return:     .quad 0
return2:    .quad 0
line_at:    .quad 0
piece_at:   .quad 0, 0, 0
key_bytes:  .fill 24, 1, 0
filler:     .fill 16, 2, 0x0a77
digits:                                 /* of each byte */
    .irpc   h, 0123456789abcdef
    .irpc   l, 0123456789abcdef
    .ascii  "\h\l"
    .endr
    .endr
    .balign 8
safe_cr:                                /* AFP, service signal, no low-address protection */
    .quad   0x0000000000040200
    .fill   13, 8, 0
    .quad   0x00000000c2000000, 0
new_psws:
    .quad   0x0000000180000000, on_restart, 0x0000000180000000, on_ext
    .quad   0x0000000180000000, on_svc, 0x0000000180000000, on_pgm
    .quad   0x0000000180000000, on_mck, 0x0000000180000000, on_io
console_psw:
    .quad   0x0000000180000000, signalled
signal_psw:
    .quad   0x0102000180000000, 0
wait_psw:
    .quad   0x0002000180000000, 0

