/* One translation: a region of a page, its blocks, its instructions, and where everything is at
 * the point that is being emitted. For cpu/jit only. */
#ifndef ENDICOTT_CPU_JIT_INTERNAL_H
#define ENDICOTT_CPU_JIT_INTERNAL_H

#include <stddef.h>
#include <stdio.h>

#include "cpu/engine.h"
#include "cpu/jit/jit.h"
#include "cpu/jit/x64.h"

#define REGION_INSNS_MAX 320
#define REGION_BLOCKS_MAX 160
#define JIT_REGION_BYTES_MAX (256u << 10) /* room that must be there before a translation */
#define REGION_STUBS_MAX 1600
#define NO_REG 0xffu
#define ZERO_REG 16u /* gr[16] */

/* What a row is lowered to. */
enum jit_op {
    OP_MOV,
    OP_ADD,
    OP_SUB,
    OP_AND,
    OP_OR,
    OP_XOR,
    OP_MUL,
    OP_CMP,  /* A with B: only the condition code */
    OP_TEST, /* move B and compare it with zero */
    OP_NEG,  /* complement of B */
    OP_SHL,
    OP_SHR,
    OP_SAR,
    OP_ROL,
    OP_LA,     /* the address itself */
    OP_STORE,  /* A to storage */
    OP_INSERT, /* B replaces its field of A */
    OP_IC,     /* a byte replaces bits 56-63 */
    OP_FAND,   /* and, or with a field of A; the condition code comes from the field */
    OP_FOR,
    OP_TM, /* test A under mask B */
    OP_LM,
    OP_STM,
    OP_RISBG,
    OP_MVC,  /* storage to storage */
    OP_XC,   /* the same operand twice: zeros */
    OP_LOC,  /* B to the destination on condition */
    OP_FADD, /* first of the floating-point operations; these can have a zero for a result */
    OP_FSUB,
    OP_FMUL,
    OP_FDIV,
    OP_FSQRT,
    OP_FMA, /* third * second + first */
    OP_FMS,
    OP_FSHORT, /* long to short */
    OP_FLONG,  /* short to long */
    OP_FMULD,  /* short * short to long */
    OP_FCMP,
    OP_FTEST,
    OP_FCOMPL, /* signs */
    OP_FNEG,
    OP_FPOS,
    OP_FLOAD, /* moves */
    OP_FZERO,
    OP_FSTORE,
    OP_FTOGR,
    OP_FFROM,  /* integer to long */
    OP_FFROMS, /* integer to short */
    OP_FTO,    /* to an integer of `width` bits */
    OP_FINT,   /* last of them: to an integer in the same format */
    /* emit_more.c: the condition code of these does not come back from the operands */
    OP_ADC,
    OP_SBB,
    OP_ABS, /* load positive, negative */
    OP_NABS,
    OP_SLA, /* shift left single, signed */
    OP_SHLD,
    OP_SHRD, /* shifts of a pair of low halves */
    OP_SARD,
    OP_FLOGR,
    OP_POPC,
    OP_RSBG,  /* rotate then and, or, exclusive or */
    OP_RISBL, /* rotate then insert, low half */
    OP_FXOR,  /* exclusive or with a field of A */
    OP_ICM,
    OP_STCM,
    OP_CLM,
    OP_HMOV, /* high halves */
    OP_HADD,
    OP_HSUB,
    OP_HCMP,
    OP_HST,
    OP_RISBH,
    OP_STOC, /* A to storage on condition */
    OP_SEL,
    OP_IPM,
    OP_ARGET,
    OP_ARSET,
    OP_ARCPY,
    OP_LAM,
    OP_STAM,
    OP_NOP,
    OP_SYNC,
    OP_DEC, /* branch on count without a branch */
    OP_TRAP,
    OP_LAT,
    OP_WMUL, /* emit_wide.c: pairs */
    OP_WMULS,
    OP_WDIV,
    OP_WDIVS, /* of a pair of low halves */
    OP_DSG,
    OP_UPD, /* emit_update.c: interlocked */
    OP_UPADD,
    OP_LAADD,
    OP_LAAND,
    OP_LAOR,
    OP_LAXOR,
    OP_CS,
    OP_CDS,
    OP_CDSG,
    OP_CLC, /* emit_ss.c: as one number */
    OP_TS,
    OP_BC, /* first of the branches */
    OP_BCR,
    OP_BRCT,
    OP_CMPJ,
    OP_BAS,
    OP_BASR,
    OP_BRX,
    OP_BCT, /* the target is in a register or an address */
    OP_BX,
    OP_CMPB,
    OP_BRCTH,
};

/* Operands: where from. */
enum jit_src {
    S_NONE,
    S_R1,
    S_R2,
    S_R3,
    S_HR1, /* its high half */
    S_HR2,
    S_HR3,
    S_F1, /* floating-point registers */
    S_F2,
    S_F3,
    S_MEM,  /* storage operand of the format, by base, index and displacement */
    S_REL,  /* relative to the instruction */
    S_DISP, /* shift amount */
    S_IMM,  /* first of the constants: imm, signed */
    S_IMMU, /* imm, 32 bits */
    S_IMMH, /* imm << 32 */
    S_I48,  /* its low 16 bits, shifted left by so many bits */
    S_I32,
    S_I16,
    S_I0,
    S_SIL, /* ss.d2, signed */
    S_SILU,
    S_I8U,  /* r1 of SI */
    S_B2S8, /* b2 of RIE_C */
    S_B2U8,
    S_I8S,  /* r1 of SIY, signed */
    S_R2S8, /* r2 of RIS */
    S_R2U8,
};

/* How wide a register or storage operand is, and how it is extended. */
enum jit_ext {
    X_32,
    X_64,
    X_S8,
    X_U8,
    X_S16,
    X_U16,
    X_S32,
    X_U32,
    X_U31,
    X_REV16,
    X_REV32,
    X_REV64
};

/* How the condition code follows from flags or from a result. */
enum jit_cc {
    CCK_NONE,
    CCK_SIGNED, /* comparison, or result against zero */
    CCK_UNSIGNED,
    CCK_ARITH,   /* signed sum or difference with overflow */
    CCK_LOGIC,   /* zero or not */
    CCK_CARRY,   /* logical sum */
    CCK_BORROW,  /* logical difference */
    CCK_BORROW2, /* the same with a borrow going in: zero with a borrow can be */
    CCK_TM,
    CCK_FP,     /* host comparison of two numbers; unordered is 3 */
    CCK_MEMORY, /* the emitted code stores it itself */
};

struct lowering {
    u8 op;    /* enum jit_op */
    u8 width; /* of the operation and the result: 32 or 64 */
    u8 dst;   /* S_NONE or S_R1 */
    u8 a, b;  /* enum jit_src */
    u8 ext;   /* enum jit_ext, of the register or storage operand among a and b */
    u8 cc;    /* enum jit_cc */
};

/* -- lower.c -- */
/** The lowering of a row; NULL: its body is called. */
const struct lowering *jit_lowering(const struct isa_entry *row);
/** That of BRANCH ON COUNT to register 0, which only counts, and of BCR 15,0. */
const struct lowering *jit_lowering_count(bool w);
const struct lowering *jit_lowering_sync(void);
/** Is the operand a constant, and which; the bits of the register that it stands for. */
bool jit_src_const(u8 src);
s64 jit_const(const struct dinsn *d, u8 src);
u64 jit_field(u8 src);
/** General register of a register operand, or NO_REG. */
unsigned jit_reg(const struct dinsn *d, u8 src);

struct jit_insn {
    const struct isa_entry *row;
    const struct lowering *lo; /* NULL: OP_FN */
    struct dinsn d;
    u16 slot;
    u8 len;
    bool faults; /* may end in an exception or leave otherwise */
    bool cc_def, cc_use;
    bool amode64; /* addresses have 64 bits; else 31, or 24 */
    bool amode24;
    bool mode_check; /* FN row behind which the mode may be another */
    u16 reads;       /* general registers, bit n: register n */
    u16 reads64;     /* of them, those whose high halves matter */
    u16 writes;
    u16 writes64;
    s16 target;     /* slot branched to in this page, or -1 */
    s64 rel;        /* relative operand: bytes from the page's start */
    u8 base, index; /* storage operand */
    s32 disp;
    u8 window; /* 1.. : found by that window, which this instruction opens or has found open */
    bool window_opens, window_store;
    u16 window_bytes;
    s32 window_from; /* what it covers, from the base register on */
};

/* The condition code at the point of emission. */
struct cc_now {
    bool in_memory;            /* c->cc is valid */
    bool inverted;             /* TM: zero means that all bits are ones */
    bool fresh;                /* host flags still hold what `of` says */
    const struct jit_insn *of; /* the instruction that set it, when not in memory */
};

struct jit_block {
    u16 first, count;
    s16 fall, taken; /* blocks, or -1: leave the region */
    u16 preds;
    u16 dirty_in;
    bool cc_live_in;
    bool loop_head;
    bool fn; /* calls a body: all registers are in memory there */
    struct cc_now cc_out;
    s32 bear_out; /* as cx.bear, at its end */
    u8 depth;
    u8 *at; /* host code, when emitted */
};

struct jit_cx;

/* Out-of-line code, emitted behind the region. */
struct jit_stub {
    u8 kind;
    u8 *from;        /* displacement that leads here */
    u8 *back;        /* where to go on, or NULL */
    u16 insn, block; /* indices */
    u8 reg;          /* host register of a value or an address */
    u8 size, ext, width;
    u8 base;                 /* base register number, for the space */
    s32 to;                  /* block or slot */
    u16 lo, dirty, hi_dirty; /* registers then */
    u16 lo_after;            /* where `back` is */
    u16 fp_cached;           /* copies expected there */
    /* STUB_FP */
    u8 *inexact; /* a second displacement that leads here: the FPC is not as it should be */
    u8 *mid;     /* where to go on when the result is well after all */
    u8 *exact;   /* where to go on when the FPC is well after all */
    bool whole_fpc;
    struct cc_now cc;
    s32 bear;
    unsigned done; /* instructions of the block before this one */
    bool flags;    /* BODY: `back` expects the flags of the condition code */
};

struct jit_region {
    struct jit_region *next; /* of the page */
    struct code_page *page;
    u64 granules;          /* 64-byte pieces of the page it was made from */
    u16 entry;             /* slot */
    u8 mode;               /* jit_mode it was made for */
    u32 bytes, cold_bytes; /* of host code; of its stubs */
    const u8 *cold;
    insn_run *before, *code;
};

struct jit {
    u8 *rw, *rx;
    size_t bytes;
    size_t used, floor, hot_end; /* of the code that runs; floor: behind the common code */
    size_t cold_used;            /* stubs, from hot_end on */
    struct jit_region *regions;  /* of all pages; recycled with the code */
    unsigned region_count;
    struct jit_cx *cx;
    bool eager; /* translate what was never executed */
    bool lockstep;
    u8 heat; /* executions of a branch target before it is translated */
    unsigned insns_max;
    struct jit_bodies *bodies; /* NULL: calls are not counted */
    u8 *leave_page; /* common code, where it runs: the address to go on at in rax, n in r15 */
    struct cpu_engine_stats stats; /* of this CPU; lockstep's are elsewhere */
    FILE *trace;                   /* regions as text, or NULL */
    FILE *perf_map;                /* regions for `perf`, or NULL */
};

#define HOST_NONE (-1)
#define WINDOWS_MAX 2

struct jit_cx {
    struct cpu *c;
    struct jit *jit;
    struct code_page *page;
    struct x64 a, cold;                         /* what is emitted now; where stubs go */
    struct jit_insn insn[REGION_INSNS_MAX + 1]; /* the last is never part of the region */
    unsigned insns;
    struct jit_block block[REGION_BLOCKS_MAX];
    unsigned blocks;
    s16 slot_insn[CODE_SLOTS_ALL]; /* index of the instruction at a slot, or -1 */
    s16 slot_block[CODE_SLOTS_ALL];
    u8 leader[CODE_SLOTS_ALL];
    struct jit_stub stub[REGION_STUBS_MAX];
    unsigned stubs;
    u64 granules;
    u8 mode;
    enum jit_refusal refused; /* why the last path ended, or nothing is translated */
    unsigned entry_slot, entry_block;
    /* register assignment of the region */
    s8 host[17];
    u16 resident;  /* guest registers that have a host register */
    u16 low_class; /* of them, those with only their low half in it between blocks */
    u16 written, written64;
    u16 load;         /* must be loaded on entry */
    unsigned windows; /* used */
    /* at the point of emission */
    u16 lo;       /* resident with only its low half valid; the high half is in memory */
    u16 dirty;    /* memory's low half may be old */
    u16 hi_dirty; /* memory's high half may be old; the host register has all 64 bits */
    struct cc_now cc;
    s32 bear;     /* slot of the last taken branch, not noted yet; -1: it is noted */
    unsigned cur; /* instruction */
    unsigned cur_block;
    unsigned done;            /* instructions of the block finished */
    struct jit_stub *open[4]; /* of slow_if, until slow_done */
    unsigned opens;
    bool fpc_known; /* FPC: no mask is on, rounding to nearest; till the end of the block */
    u16 fp_cached;  /* long floating-point registers that emit_fp.c has copies of */
    struct {
        u8 *from;
        u16 block;
    } fix[REGION_BLOCKS_MAX * 3]; /* jumps to blocks not emitted yet */
    unsigned fixes;
};

/* Host registers with fixed meaning; RAX, RCX, RDX are scratch. */
#define H_CPU RBP
#define H_N R15

/* -- region.c -- */
/** Find the region that begins at `slot`; false when nothing worth translating starts there:
 *  x->refused says why. */
bool region_find(struct jit_cx *x, unsigned slot);
/** Liveness, dirtiness, host registers. */
void region_analyse(struct jit_cx *x);
/** Is the condition code asked for behind instruction `i`, by something that needs it in memory
 *  (or: flags), before it is set again? See region.c. */
enum cc_need { CC_DEAD, CC_STUBS, CC_MEMORY };
enum cc_need region_cc_need(const struct jit_cx *x, unsigned i);
/** Registers that tell the condition code of `i` later; *again: whether they do at all. */
u16 cc_operands(const struct jit_insn *i, bool *again);

/* -- window.c -- */
/** Which storage operands share a look-up; before registers are assigned. */
void windows_find(struct jit_cx *x);
/** Host register of a window: what is added to a displacement. */
unsigned window_host(unsigned window);
/** Called by translated code: bring the page into the TLB; false when the window cannot be. */
bool jit_window_fill(struct cpu *c, u64 from, u64 bytes, bool store);

/* -- emit.c -- */
/** Emit the region; its entry is at x->a.start. */
void emit_region(struct jit_cx *x, insn_run *before);
/** The second operand, made ready before the destination is touched. */
struct second {
    enum { SECOND_IMM, SECOND_GUEST, SECOND_HOST } kind;
    s32 imm;
    unsigned reg;
};
struct second emit_second(struct jit_cx *x, u8 src);
void emit_second_op(struct jit_cx *x, bool w, enum x64_group1 g, unsigned host,
                    struct second b);
/** The host register in which dst = a op b is made, holding a. */
unsigned emit_first(struct jit_cx *x, unsigned dst, unsigned ra, struct second b);
/** Register g, extended, into `to`. */
void emit_extended(struct jit_cx *x, u8 ext, bool w, unsigned g, unsigned to);
/** to &= mask; RDX is lost. */
void emit_and_mask(struct x64 *a, unsigned to, u64 mask);
/** Bits from..to, wrapping around. */
u64 emit_bit_range(unsigned from, unsigned to);

/** TEST UNDER MASK of several bits, when the condition code itself is asked for; `mask` is that
 *  of the branch behind it, or 0. */
void emit_tm_many(struct jit_cx *x, unsigned mask);

/* -- emit_more.c, emit_wide.c, emit_part.c, emit_update.c -- */
void emit_more(struct jit_cx *x);
void emit_wide(struct jit_cx *x);
void emit_part(struct jit_cx *x);
void emit_update(struct jit_cx *x);

/* -- emit_reg.c: guest registers -- */
struct x64_mem home(unsigned g);      /* of the register, all 64 bits or the low half */
struct x64_mem home_high(unsigned g); /* of the high half */
#define CPU_AT(member) x64_at(H_CPU, (s32)offsetof(struct cpu, member))
/** Host register with the 64 (32) bits of guest register g; `scratch` is used when it has none. */
unsigned reg_use64(struct jit_cx *x, unsigned g, unsigned scratch);
unsigned reg_use32(struct jit_cx *x, unsigned g, unsigned scratch);
/** Move into a host register of the caller's. */
void reg_get64(struct jit_cx *x, unsigned g, unsigned host);
void reg_get32(struct jit_cx *x, unsigned g, unsigned host);
/** Host register in which a new 64-bit (32-bit) value of g is to be made, then reg_done. The
 *  old value is still there. `scratch` when g has none. */
unsigned reg_def64(struct jit_cx *x, unsigned g, unsigned scratch);
unsigned reg_def32(struct jit_cx *x, unsigned g, unsigned scratch);
void reg_done64(struct jit_cx *x, unsigned g, unsigned host);
void reg_done32(struct jit_cx *x, unsigned g, unsigned host);
/** The same by width. */
unsigned reg_use(struct jit_cx *x, bool w, unsigned g, unsigned scratch);
void reg_get(struct jit_cx *x, bool w, unsigned g, unsigned host);
unsigned reg_def(struct jit_cx *x, bool w, unsigned g, unsigned scratch);
void reg_done(struct jit_cx *x, bool w, unsigned g, unsigned host);
/** op host, g (the register form of op). */
void reg_op(struct jit_cx *x, bool w, unsigned op, unsigned host, unsigned g);
/** Store what is dirty; the state is left as it is. */
void reg_write_back(struct jit_cx *x);
/** Load residents: all, or those a C function may have destroyed, or those of `which`. */
void reg_reload(struct jit_cx *x, bool all);
void reg_load(struct jit_cx *x, u16 which);
/** Bring registers into the state that block `b` expects. */
void reg_settle(struct jit_cx *x, unsigned b);
bool reg_settled(const struct jit_cx *x, unsigned b);
/** The state at the beginning of a block. */
void reg_enter_block(struct jit_cx *x, unsigned b);
/** Make all 64 bits of these registers valid in their host registers. Flags are lost. */
void reg_widen(struct jit_cx *x, u16 which);
void reg_widen_keep_flags(struct jit_cx *x, u16 which);

/* -- emit_mem.c -- */
/** Effective address of the instruction's storage operand; a host register (maybe a resident). */
unsigned mem_address(struct jit_cx *x, const struct jit_insn *i);
/** Load `ext` operand at the address in `ea` into host register `to`. */
void mem_load(struct jit_cx *x, unsigned ea, u8 ext, bool w, unsigned to);
/** Store `size` low bytes of host register `from` (not rcx, rdx). */
void mem_store(struct jit_cx *x, unsigned ea, unsigned size, unsigned from, bool reversed);
/** The storage operand of the current instruction, extended, into host register `to`: by its
 *  window or by a look-up. mem_begin comes first, and between the two nothing is emitted that
 *  destroys rax; it returns what mem_fetch takes. */
unsigned mem_begin(struct jit_cx *x);
void mem_fetch(struct jit_cx *x, unsigned begun, u8 ext, bool w, unsigned to);
/** rcx + ea = host address of [ea, ea + size) for kind; a miss executes the body instead. */
void mem_host(struct jit_cx *x, unsigned ea, unsigned size, bool store);
/** The instruction that called mem_host ends here: there its body leads back to. When it sets
 *  the condition code, cc_set comes before. */
void mem_done(struct jit_cx *x);
/** On this condition the body executes the instruction instead; until mem_done. */
void slow_if(struct jit_cx *x, enum x64_cond cond);
void mem_address_into(struct jit_cx *x, const struct jit_insn *i, unsigned to);
/** Make an address of the mode of what is in `to`: 24 or 31 bits remain. Flags are lost. */
void mem_amode(struct jit_cx *x, unsigned to);
void mem_address_relative(struct jit_cx *x, const struct jit_insn *i, unsigned to);
/** Base and displacement, whatever the operands of the lowering are. */
void mem_address_base(struct jit_cx *x, const struct jit_insn *i, unsigned to);
/** What a slow load left in rax becomes the operand in `to`. */
void mem_extend_slow(struct jit_cx *x, u8 ext, bool w, unsigned to);
void emit_store(struct jit_cx *x);
void emit_multiple(struct jit_cx *x);
/** base + disp into `to`; rax is scratch when base is not resident. */
void mem_base_disp(struct jit_cx *x, unsigned base, s32 disp, unsigned to);

/* -- emit_ss.c -- */
void emit_mvc(struct jit_cx *x);
void emit_clc(struct jit_cx *x);
void emit_clear(struct jit_cx *x);
bool ss_fits(const struct jit_insn *i);
unsigned ext_size(u8 ext);

/* -- emit_cc.c -- */
/** Flags have just been set by instruction x->cur: store or remember the condition code. */
void cc_set(struct jit_cx *x);
/** Will anybody ask for the condition code of the current instruction? */
bool cc_wanted(const struct jit_cx *x);
/** Host condition for mask & 14 of a comparison. */
enum x64_cond cc_compare_cond(unsigned mask, bool is_signed);
/** The same, without changing what is known (in stubs). */
void cc_store_now(struct jit_cx *x, const struct cc_now *cc);
/** Store it now, from fresh flags or from operands; RCX and RDX are lost. */
void cc_to_memory(struct jit_cx *x);
/** Is the next instruction of the block one that takes fresh flags? */
bool cc_next_uses(const struct jit_cx *x);
/** The flags of a kind of condition code, from c->cc. RAX, RCX and RDX are lost. */
void cc_flags(struct jit_cx *x, u8 kind);
/** The condition code has been stored in memory by what was just emitted. */
void cc_is_in_memory(struct jit_cx *x);
/**
 * Jump when the condition code is selected by `mask`: the places to patch for "taken" are put
 * into `taken`, for "not taken" into `not`; falls through when not taken. mask is 1 to 14.
 */
struct jumps {
    u8 *at[4];
    unsigned count;
};
void cc_branch(struct jit_cx *x, unsigned mask, struct jumps *taken, struct jumps * not );
/** Make flags of which one condition says that `mask` selects the condition code; false, and
 *  nothing done, when there is none. RCX and RDX are lost. */
bool cc_one_cond(struct jit_cx *x, unsigned mask, enum x64_cond *cond);

/* -- emit_fp.c -- */
void emit_fp(struct jit_cx *x);
/** Is the row's lowering right for these operands, in this mode? */
bool fp_fits(const struct jit_insn *i, u8 mode);
/** May it lead to the instruction's body? */
bool fp_may_call(const struct jit_insn *i);
/** Keep what the condition code can be made from; make the flags once more from it. */
void fp_cc_keep(struct jit_cx *x);
void fp_cc_again(struct jit_cx *x, const struct jit_insn *i);
/** Behind a call: load copies of floating-point registers again. */
void fp_reload(struct jit_cx *x, u16 cached);
void fp_stub(struct jit_cx *x, const struct jit_stub *s);

/* -- emit_branch.c -- */
void emit_branch(struct jit_cx *x);
/** Control goes on at the block behind the current one, or leaves. n has been counted. */
void emit_fall(struct jit_cx *x);
/** Leave for a slot of this page, with all in memory. n has been counted. */
void emit_leave_slot(struct jit_cx *x, unsigned slot);
/** host -= insns, flags are kept. */
void emit_count(struct jit_cx *x, unsigned host, unsigned insns);
/** host = address of a slot of this page. */
void emit_slot(struct jit_cx *x, unsigned host, unsigned slot);
/** Note the last taken branch, when that has not been done. */
void emit_bear(struct jit_cx *x);
/** Jump to a block, emitted or not. */
void emit_jump_block(struct jit_cx *x, unsigned block);
/** The code of jit->leave_page. */
void emit_leave_page(struct x64 *a);
/** Go on at the slot in rsi, with n in rdx and the CPU in rdi: the way out of translated code. */
void emit_go(struct x64 *a, const struct jit *j);

/* -- emit_stub.c -- */
void emit_fn(struct jit_cx *x);
enum stub_kind {
    STUB_LOAD,   /* load by the slow path, go on */
    STUB_BODY,   /* execute the whole instruction by its body, go on behind it */
    STUB_RESULT, /* a body's result is not 0; all is in memory */
    STUB_EDGE,   /* a taken branch to a block */
    STUB_LEAVE,  /* a taken branch to a slot of this page, or out of it (to < 0) */
    STUB_CC3,    /* overflow: condition code 3 */
    STUB_FP,     /* floating point: a second look, then as STUB_BODY */
    STUB_BROKEN, /* leave for the next instruction; all is in memory */
    STUB_WINDOW, /* a window's page is not in the TLB */
};
struct jit_stub *stub_new(struct jit_cx *x, enum stub_kind kind, u8 *from);
void stubs_emit(struct jit_cx *x);
/** Of a stub: execute the instruction by its body; then leave, or have all as it is expected. */
void stub_call_body(struct jit_cx *x, const struct jit_stub *s);
void stub_leave_next(struct jit_cx *x);
void stub_restore(struct jit_cx *x, const struct jit_stub *s);
/** A taken branch: note it, then go to its target: a block, or out of the region (-1). */
void emit_taken(struct jit_cx *x, const struct jit_insn *i, int block);

/* -- bodies.c -- */
/** Where calls of the row's body are counted. */
u64 *jit_bodies_count(struct jit *j, const struct isa_entry *row);
/* -- dump.c -- */
/** Guest code of the region in x, and host code of `r`, which was made of it. */
void jit_dump(FILE *out, const struct jit_cx *x, const struct jit_region *r);
/** What offsets and addresses in host code are, for tests/lib/jit_text.py. */
void jit_dump_legend(FILE *out);

/* -- jit.c: C functions that translated code calls -- */
int jit_body_result(struct cpu *c, const struct dinsn *d, long n, int rc, unsigned length);
int jit_broken(struct cpu *c, const struct dinsn *d, long n);
int jit_hot_go(struct cpu *c, const struct dinsn *d, long n);
int jit_interpret(struct cpu *c, const struct dinsn *d, long n);
/** Lockstep: instead of going on at `d`. */
int jit_stop(struct cpu *c, const struct dinsn *d, long n);

#endif
