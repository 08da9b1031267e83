/* Common code that sets an anchor from the TLB: most of what jit_anchor_look (anchor.c) does, in a
 * third of its instructions. What is narrow, not in the TLB, or found elsewhere soon after the
 * last time goes to that function, which then does all of it once more: it finds the site's budget
 * as it is, so the round counts as too early there, too.
 * In: rax = address, rdx and rcx as anchor_packed and anchor_entry made them. Out: zero flag when
 * nothing was set; all registers as they were. */
#include "cpu/jit/emit_internal.h"

static const u8 used[] = {RSI, RDI, R8, R9};

static void push_used(struct x64 *a)
{
    for (unsigned k = 0; k < ARRAY_LEN(used); k++)
        x64_push(a, used[k]);
}

static void pop_used(struct x64 *a)
{
    for (unsigned k = ARRAY_LEN(used); k-- > 0;)
        x64_pop(a, used[k]);
}

/* to = a field of `bits` bits of what is in `from`. */
static void field(struct x64 *a, unsigned to, unsigned from, unsigned shift, unsigned bits)
{
    x64_rr(a, true, A_MOV, to, from);
    x64_shift_i(a, true, S_SHL, to, 64 - shift - bits);
    x64_shift_i(a, true, S_SHR, to, 64 - bits);
}

/* rsi = what is to be covered from the address on, in bytes; rdi = page of its last byte; r8 =
 * entry of the TLB, which is compared: the jump is taken when it is another. */
static u8 *look(struct x64 *a)
{
    s32 fetch = (s32)offsetof(struct tlb_space, fetch);
    _Static_assert(offsetof(struct tlb_space, store) - offsetof(struct tlb_space, fetch) ==
                       1u << TLB_KIND_SHIFT,
                   "the bit that says `store`, shifted");
    x64_rr(a, true, A_MOV, RSI, RDX);
    x64_shift_i(a, true, S_SHL, RSI, 64 - ANCHOR_FROM_BITS);
    x64_shift_i(a, true, S_SAR, RSI, 64 - ANCHOR_FROM_BITS);
    field(a, RDI, RDX, ANCHOR_SPAN_SHIFT, ANCHOR_STORE_SHIFT - ANCHOR_SPAN_SHIFT);
    x64_rr(a, true, A_ADD, RDI, RSI);
    x64_rm(a, true, A_LEA, RDI, x64_idx(RDI, RAX, 0, -1));
    x64_rm(a, true, A_LEA, R8, x64_idx(RSI, RAX, 0, 0));
    x64_rorx(a, false, R8, R8, TLB_INDEX_SHIFT);
    x64_gi(a, false, G_AND, R8, TLB_INDEX_MASK);
    x64_rr(a, false, A_MOV, R9, RDX);
    x64_gi(a, false, G_AND, R9, 1 << ANCHOR_STORE_SHIFT);
    x64_shift_i(a, false, S_SHR, R9, ANCHOR_STORE_SHIFT - TLB_KIND_SHIFT);
    x64_rr(a, true, A_ADD, R8, R9);
    x64_rm(a, true, A_ADD, R8, CPU_AT(space[0]));
    x64_gi(a, true, G_AND, RDI, -(s32)FRAME_BYTES);
    x64_rm(a, true, A_CMP, RDI, x64_at(R8, fetch));
    return x64_jcc(a, CC_NE);
}

/* The anchor's cell: base, host address, room. r8 and r9 are lost, and rsi and rdi. */
static void cell_set(struct x64 *a)
{
    struct x64_mem cell = CPU_AT(jit_anchor);
    _Static_assert(offsetof(struct jit_anchor_now, base) == 0 &&
                       offsetof(struct jit_anchor_now, host) == 8 &&
                       offsetof(struct jit_anchor_now, room) == 16,
                   "in this order");
    x64_rr(a, true, A_SUB, RDI, RSI);
    x64_rm(a, true, A_MOV, RSI, x64_at(R8, (s32)offsetof(struct tlb_entry, addend)));
    x64_test8_mem(a, CPU_AT(jit_mode), JIT_MODE_REAL);
    x64_rm(a, true, A_CMOVO + CC_NE, RSI, CPU_AT(storage));
    field(a, R8, RDX, ANCHOR_CELL_SHIFT, ANCHOR_BYTES_SHIFT - ANCHOR_CELL_SHIFT);
    x64_imul_i(a, true, R8, R8, sizeof(struct jit_anchor_now));
    x64_rr(a, true, A_ADD, R8, H_CPU);
    x64_rm(a, true, A_MOV_STORE, RDI, x64_at(R8, cell.disp));
    x64_rm(a, true, A_MOV_STORE, RSI, x64_at(R8, cell.disp + 8));
    field(a, RDI, RDX, ANCHOR_SPAN_SHIFT, ANCHOR_STORE_SHIFT - ANCHOR_SPAN_SHIFT);
    x64_mov_i(a, RSI, FRAME_BYTES + 1);
    x64_rr(a, true, A_SUB, RSI, RDI);
    x64_rm(a, true, A_MOV_STORE, RSI, x64_at(R8, cell.disp + 16));
}

/* rdi = the anchor's site less their place in struct jit; rsi = rounds within which it must not be
 * found elsewhere again. */
static void site_find(struct x64 *a)
{
    _Static_assert(sizeof(struct dinsn) == 16, "shifted");
    field(a, RDI, RCX, 4, ANCHOR_ENTRY_BITS - 4);
    x64_imul_i(a, true, RDI, RDI, JIT_ANCHORS);
    field(a, RSI, RDX, ANCHOR_CELL_SHIFT, ANCHOR_BYTES_SHIFT - ANCHOR_CELL_SHIFT);
    x64_rr(a, true, A_ADD, RDI, RSI);
    x64_gi(a, false, G_AND, RDI, JIT_SITES - 1);
    x64_imul_i(a, true, RDI, RDI, sizeof(struct jit_site));
    x64_rm(a, true, A_ADD, RDI, CPU_AT(jit));
    x64_rr(a, true, A_MOV, RSI, RCX);
    x64_shift_i(a, true, S_SHR, RSI, ANCHOR_ENTRY_BITS);
    x64_imul_i(a, false, RSI, RSI, ANCHOR_RARE);
}

void emit_common_anchor_look(struct x64 *a)
{
    s32 n = (s32)(offsetof(struct jit, sites) + offsetof(struct jit_site, n));
    s32 misses = (s32)(offsetof(struct jit, sites) + offsetof(struct jit_site, misses));
    u8 *slow[3];
    push_used(a);
    x64_rr(a, true, A_MOV, RSI, RDX);
    x64_shift_i(a, true, S_SHR, RSI, ANCHOR_BYTES_SHIFT);
    slow[0] = x64_jcc(a, CC_NE); /* narrow */
    slow[1] = look(a);
    cell_set(a);
    site_find(a);
    x64_rr(a, false, A_TEST, RSI, RSI);
    u8 *unasked = x64_jcc(a, CC_E);
    x64_rm(a, false, A_MOV, R8, x64_at(RDI, n));
    x64_rr(a, false, A_SUB, R8, H_N);
    x64_rm(a, false, A_MOV_STORE, H_N, x64_at(RDI, n));
    x64_rr(a, false, A_CMP, R8, RSI);
    slow[2] = x64_jcc(a, CC_BE);
    x64_gi_mem(a, false, G_SUB, x64_at(RDI, misses), 2);
    u8 *positive = x64_jcc(a, CC_NS);
    x64_mov_mem_i(a, false, x64_at(RDI, misses), 0);
    x64_patch(a, positive, a->at);
    x64_patch(a, unasked, a->at);
    pop_used(a);
    x64_rr(a, true, A_TEST, RSP, RSP); /* not zero */
    x64_ret(a);
    for (unsigned k = 0; k < ARRAY_LEN(slow); k++)
        x64_patch(a, slow[k], a->at);
    pop_used(a);
}
