/* Emission: guest registers, storage operands, condition codes, branches, stubs. For cpu/jit
 * only. */
#ifndef ENDICOTT_CPU_EMIT_INTERNAL_H
#define ENDICOTT_CPU_EMIT_INTERNAL_H

#include "cpu/jit/jit_internal.h"

/* Host registers with fixed meaning; RAX, RCX, RDX are scratch. H_CPU points CPU_BIAS bytes into
 * the CPU, so that what is used most is within a displacement of one byte. */
#define H_CPU RBP
#define CPU_BIAS 128
#define H_N R15

/* Where an entry of the TLB is, from the bits of an address. */
#define TLB_INDEX_SHIFT (FRAME_SHIFT - 4)
#define TLB_INDEX_MASK ((TLB_ENTRIES - 1) << 4)
#define TLB_KIND_SHIFT                                                                         \
    16 /* bytes from entries for fetches to those for stores: a power of two */

/* -- select.c -- */
/** The current block's branch as moves; false, and nothing emitted: as a branch. */
bool select_emit(struct jit_cx *x);
/** Count, where the branch has gone this way. RCX and flags are lost. */
void select_count(struct jit_cx *x, bool taken);

/* -- emit.c -- */
/** The instructions of a block, here. */
void emit_instructions(struct jit_cx *x, unsigned block);
/** The rest of the block once more, from the current instruction on, without windows. False, and
 *  nothing emitted, when what follows the block would not know it. */
bool emit_rest(struct jit_cx *x);
/** What stands before a region's block x->entry_block. `addr`: where its page must be, or ADDR_ANY.
 */
#define ADDR_ANY (~0ull)
void emit_entry(struct jit_cx *x, u64 addr);
/** Then what the block expects in registers. */
void emit_entry_load(struct jit_cx *x);
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
/** to = src rotated left by n, without what `mask` does not select. RDX and flags are lost. */
void emit_rotate_and(struct x64 *a, unsigned to, unsigned src, unsigned n, u64 mask);
/** The zero flag: is nothing there of what `mask` selects? Other flags and RDX are lost. */
void emit_test_mask(struct x64 *a, bool w, unsigned host, u64 mask);
/** Bits from..to, wrapping around. */
u64 emit_bit_range(unsigned from, unsigned to);

/** TEST UNDER MASK of several bits, when the condition code itself is asked for; `mask` is that
 *  of the branch behind it, or 0. */
void emit_tm_many(struct jit_cx *x, unsigned mask);

/* -- emit_more.c, emit_part.c, emit_update.c -- */
void emit_more(struct jit_cx *x);
void emit_part(struct jit_cx *x);
void emit_update(struct jit_cx *x);

/* -- emit_reg.c: guest registers -- */
struct x64_mem home(unsigned g);      /* of the register, all 64 bits or the low half */
struct x64_mem home_high(unsigned g); /* of the high half */
/** What is so many bytes into the CPU; a member of it; the CPU as a C function's first argument. */
static inline struct x64_mem cpu_at(size_t offset)
{
    return x64_at(H_CPU, (s32)offset - CPU_BIAS);
}
_Static_assert(offsetof(struct cpu, space) - CPU_BIAS <= 127, "what is used most is near");
#define CPU_AT(member) cpu_at(offsetof(struct cpu, member))
static inline void cpu_pointer(struct x64 *a)
{
    x64_rm(a, true, A_LEA, RDI, cpu_at(0));
}
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
/** What reg_done64 has put there is zero in its high half. */
void reg_zero_high(struct jit_cx *x, unsigned g);
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
/** What is to be added to an address whose entry, at rcx + at, has just been compared: with DAT off
 *  it is known, so that no load stands between the address and the operand. */
struct x64_mem mem_addend(const struct jit_cx *x, s32 at);
/** With DAT off, may the address of guest storage be part of a displacement? It is that. */
bool mem_near(const struct jit_cx *x, s32 *storage);
/** Load `ext` operand at the address in `ea` into host register `to`. */
void mem_load(struct jit_cx *x, unsigned ea, u8 ext, bool w, unsigned to);
/** Store `size` low bytes of host register `from` (not rcx, rdx). */
void mem_store(struct jit_cx *x, unsigned ea, unsigned size, unsigned from, bool reversed);
/** The storage operand of the current instruction, extended, into host register `to`: by its
 *  window or by a look-up. mem_begin comes first, and between the two nothing is emitted that
 *  destroys rax; it returns what mem_fetch takes. */
void mem_fetch(struct jit_cx *x, unsigned begun, u8 ext, bool w, unsigned to);
/** rcx + ea = host address of [ea, ea + size) for kind; a miss executes the body instead. Size 0:
 *  as the register of the length code says, and one more. */
void mem_host(struct jit_cx *x, unsigned ea, unsigned size, bool store);
/** The same, for one access that follows; RCX is not for the caller. */
struct x64_mem mem_operand(struct jit_cx *x, unsigned ea, unsigned size, bool store);
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
/** base + index + disp; rax and rdx are scratch. */
void mem_base_index(struct jit_cx *x, unsigned base, unsigned index, s32 disp, unsigned to);
/** The length code of the current instruction, from its register. */
void mem_length(struct jit_cx *x, unsigned to);

/* -- emit_window.c -- */
/** The window that serves the instruction at this point of emission, or 0. */
unsigned window_of(const struct jit_cx *x, const struct jit_insn *i);
/** Is the operand behind a window or an anchor; where it is then, until RCX or what mem_begin
 *  returned is lost. */
bool mem_is_open(const struct jit_cx *x, const struct jit_insn *i);
struct x64_mem mem_open(struct jit_cx *x, const struct jit_insn *i, unsigned begun);
/** See mem_fetch. */
unsigned mem_begin(struct jit_cx *x);
/** Anchors are void from here on, at least when the space or its translations may have changed. */
void anchors_begin(struct jit_cx *x);
void epoch_stub(struct jit_cx *x, const struct jit_stub *s);
/** Compare anchor k with the address in a host register and a displacement; the jump that is taken
 *  when it is elsewhere. RCX is lost. */
u8 *anchor_compare(struct jit_cx *x, unsigned k, unsigned host, s32 disp);
/* -- way_in.c -- */
/** Compare these anchors where control comes in from outside; else the interpreter goes on. */
void way_in_ask(struct jit_cx *x, u32 anchors);
void way_in_stub(struct jit_cx *x, const struct jit_stub *s);
/* -- emit_window.c -- */
void window_stub(struct jit_cx *x, const struct jit_stub *s);
void anchor_stub(struct jit_cx *x, const struct jit_stub *s);

/* -- emit_ss.c -- */
void emit_ss(struct jit_cx *x);
/** Bytes of the first operand when a window or an anchor may serve it; or 0. */
unsigned ss_bytes(const struct jit_insn *i);
/** An EXECUTE becomes what it executes, when that is one of emit_ss's and is in the same page. */
void ss_execute(const struct jit_cx *x, struct jit_insn *i);
unsigned ext_size(u8 ext);

/* -- common.c, common_slow.c -- */
void emit_common(struct x64 *a, enum jit_common kind);
void emit_common_slow(struct x64 *a, enum jit_common kind);
/** In common_anchor.c: returns when the anchor is set, else goes on behind itself. */
void emit_common_anchor_look(struct x64 *a);
/** What a stub tells common_slow.c, in edx: bytes of a load, its base register, halfwords of the
 *  instruction, instructions of the block with this one. */
#define STUB_BASE_SHIFT 8
#define STUB_HALFWORDS_SHIFT 13
#define STUB_DONE_SHIFT 16
/** 1, 2, 4 or 8 bytes between storage and a register. */
void emit_load_unit(struct x64 *a, unsigned unit, struct x64_mem m, unsigned to);
void emit_store_unit(struct x64 *a, unsigned unit, struct x64_mem m, unsigned from);

/* -- emit_cc.c -- */
/** Flags have just been set by instruction x->cur: store or remember the condition code. */
void cc_set(struct jit_cx *x);
/** Will anybody ask for the condition code of the current instruction? */
bool cc_wanted(const struct jit_cx *x);
/** Host condition for mask & 14 of a comparison. */
enum x64_cond cc_compare_cond(unsigned mask, bool is_signed);
/** The same, without changing what is known (in stubs). */
void cc_store_now(struct jit_cx *x, const struct cc_now *cc);
/** Bring it into the form that block `b` expects. */
void cc_settle(struct jit_cx *x, unsigned b);
/** The current comparison's operand in storage is in `host`: keep it when that is asked for. */
void cc_keep(struct jit_cx *x, unsigned host);
/** The same of what else is asked for (cc_keeps): the first operand, or what is compared with zero;
 *  the second one, when its register is not written yet. Flags are kept. RDX is lost. */
void cc_keep_first(struct jit_cx *x, unsigned host);
void cc_keep_second(struct jit_cx *x, struct second b);
/** The flags of what has set the condition code, which is not in memory. RCX, RDX are lost. */
void cc_again(struct jit_cx *x, const struct jit_insn *i);
/** The carry flag is carry or borrow as that had them; other flags are lost. */
void cc_carry_again(struct jit_cx *x, const struct jit_insn *i);
/** Store it now, from fresh flags or from operands; RCX and RDX are lost. */
void cc_to_memory(struct jit_cx *x);
/** The instruction that takes the fresh flags of the current one, behind nothing but constants; or
 *  NULL. */
const struct jit_insn *cc_next_user(const struct jit_cx *x);
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
/** Can the flags of what has set the condition code right before the current branch be made again
 *  when only registers in `writes` have changed since (cc_again); the condition then. */
bool cc_cond_again(const struct jit_cx *x, unsigned mask, u16 writes, enum x64_cond *cond);

/* -- emit_fp.c -- */
void emit_fp(struct jit_cx *x);
/** Is the row's lowering right for these operands, in this mode? */
bool fp_fits(const struct jit_insn *i, u8 mode);
/** Is the FPC what computing on the host asks for, with its inexact flag on? */
bool fpc_well(const struct cpu *c);
/** Whether the region in x relies on that all along. */
void fpc_decide(struct jit_cx *x);
/** A jump that is taken when it is not so. RAX and flags are lost. */
u8 *fpc_compare(struct jit_cx *x);
/** May it lead to the instruction's body? */
bool fp_may_call(const struct jit_insn *i);
/** Keep what the condition code can be made from; make the flags once more from it. */
void fp_cc_keep(struct jit_cx *x);
void fp_cc_again(struct jit_cx *x, const struct jit_insn *i);
/** Numbers whose comparison with zero gives each condition code. */
extern const u64 fp_cc_wide[4], fp_cc_narrow[4];
/** Load copies of floating-point registers, behind a call again; put them into memory. What is
 *  known of them stays as it is. */
void fp_reload(struct jit_cx *x, u16 cached);
void fp_write_back(struct jit_cx *x, u16 dirty);
/** The same in stubs, where many are moved by common code: RCX and flags are lost. */
void fp_reload_common(struct jit_cx *x, u16 cached);
void fp_write_back_common(struct jit_cx *x, u16 dirty);
void fp_common(struct x64 *a, bool load);
/** Bring them into the state that block `b` expects; are they in it? Flags are kept. */
void fp_settle(struct jit_cx *x, unsigned b);
bool fp_settled(const struct jit_cx *x, unsigned b);
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
/** The rest of a way out, in stubs (STUB_LEAVE, STUB_EXIT, STUB_HOT). */
void emit_leave_spent(struct jit_cx *x, unsigned at);
void emit_exit(struct jit_cx *x, unsigned exit);
void emit_exit_hot(struct jit_cx *x, unsigned exit);
/** Jump to a block, emitted or not. */
void emit_jump_block(struct jit_cx *x, unsigned block);
/** The code of jit->leave_page. */
void emit_leave_page(struct x64 *a);
/** Go on at the slot in rsi, with n in rdx and the CPU in rdi: the way out of translated code. */
void emit_go(struct x64 *a, const struct jit *j);

/* -- emit_stub.c -- */
void emit_fn(struct jit_cx *x);
enum stub_kind {
    STUB_LOAD,    /* load by the slow path, go on */
    STUB_BODY,    /* execute the whole instruction by its body, go on behind it */
    STUB_RESULT,  /* a body's result is not 0; all is in memory */
    STUB_EDGE,    /* a taken branch to a block */
    STUB_LEAVE,   /* the budget is spent in a loop: leave for place `to` */
    STUB_CC3,     /* overflow: condition code 3 */
    STUB_FP,      /* floating point: a second look, then as STUB_BODY */
    STUB_BROKEN,  /* leave for the next instruction; all is in memory */
    STUB_WINDOW,  /* a window's page is not in the TLB */
    STUB_MODE,    /* entered in another mode: the slot's own handler */
    STUB_MOVED,   /* its page is elsewhere: the slot's own handler */
    STUB_SPENT,   /* entered with nothing left of the budget: stop there */
    STUB_FPC,     /* entered with an FPC that it does not expect */
    STUB_EXIT,    /* exit `to`, through the slot's handler */
    STUB_HOT,     /* exit `to`, to a slot that has been branched to often */
    STUB_ANCHOR,  /* a base register is not what its anchor was set for */
    STUB_EPOCH,   /* no anchor is set */
    STUB_ASK,     /* an anchor is not what a way in needs */
    STUB_EMITTED, /* is there already */
};
struct jit_stub *stub_new(struct jit_cx *x, enum stub_kind kind, u8 *from);
/** Those that stand with the region's own code; then all others, wherever x->a is. */
void stubs_emit_warm(struct jit_cx *x);
void stubs_emit(struct jit_cx *x);
/** Of a stub: execute the instruction by its body; then leave, or have all as it is expected. */
void stub_call_body(struct jit_cx *x, const struct jit_stub *s);
void stub_leave_next(struct jit_cx *x);
/** To a handler of the entry's slot, with all that it is called with. */
void stub_entry(struct jit_cx *x, const void *handler);
/** Call common code that leaves the region when it does not end well, `done` instructions of the
 *  block being counted then; all is in memory. */
void stub_call_slow(struct jit_cx *x, enum jit_common kind, unsigned done);
/** Of a stub: the interpreter goes on with this instruction. */
void stub_interpret(struct jit_cx *x, const struct jit_insn *i, unsigned done);
/** From the jump `well` on: registers as the region has them, and back to where the stub was left
 *  for. */
void stub_well(struct jit_cx *x, const struct jit_stub *s, u8 *well, u16 lo);
void stub_restore(struct jit_cx *x, const struct jit_stub *s);
/** A taken branch: note it, then go to its target: a block, or out of the region (-1). */
void emit_taken(struct jit_cx *x, const struct jit_insn *i, int block);

#endif
