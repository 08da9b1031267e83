/* Storage operands behind windows and anchors (window.c says which), and their stubs.
 * A range of bytes is looked up as a whole: it must lie in one page that the TLB has.
 * RAX, RCX, RDX: scratch; RCX is an anchor's host address. */
#include "cpu/jit/emit_internal.h"

#define ADDRESS(f) ((const void *)(uintptr_t)(f))

unsigned window_of(const struct jit_cx *x, const struct jit_insn *i)
{
    return x->no_windows ? 0 : i->window;
}

/* rcx = what is to be added to the addresses of [host + from, host + to), all in one page of the
 * TLB; the displacement of the jump taken when they are not is returned. */
static u8 *range_look(struct jit_cx *x, unsigned host, s32 from, s32 to, bool store)
{
    struct x64 *a = &x->a;
    s32 at =
        store ? (s32)offsetof(struct tlb_space, store) : (s32)offsetof(struct tlb_space, fetch);
    x64_rm(a, true, A_LEA, RCX, x64_at(host, from));
    x64_rm(a, true, A_LEA, RDX, x64_at(host, to - 1));
    x64_rorx(a, false, RCX, RCX, TLB_INDEX_SHIFT);
    x64_gi(a, false, G_AND, RCX, TLB_INDEX_MASK);
    x64_rm(a, true, A_ADD, RCX, CPU_AT(space[0]));
    x64_gi(a, true, G_AND, RDX, -(s32)FRAME_BYTES);
    x64_rm(a, true, A_CMP, RDX, x64_at(RCX, at));
    u8 *miss = x64_jcc(a, CC_NE);
    x64_rm(a, true, A_MOV, RCX, mem_addend(x, at));
    return miss;
}

/* ---- windows ---- */

static void window_open(struct jit_cx *x, const struct jit_insn *i)
{
    unsigned host = window_host(i->window);
    reg_widen(x, (u16)(1u << i->base));
    u8 *again = x->a.at;
    reg_get64(x, i->base, host);
    u8 *miss =
        range_look(x, host, i->window_from, i->window_from + i->window_bytes, i->window_store);
    struct jit_stub *s = stub_new(x, STUB_WINDOW, miss);
    s->back = again;
    s->fp_cached = x->fp_cached;
    x64_rr(&x->a, true, A_ADD, host, RCX);
}

/* The window's range is in two pages: go on without windows till the end of the block. */
static void window_crosses(struct jit_cx *x, const struct jit_stub *s, u8 *from)
{
    const struct jit_insn *i = &x->insn[x->cur];
    x64_patch(&x->a, from, x->a.at);
    x->cc = s->cc;
    x->cc.fresh = false;
    reg_reload(x, false);
    if (emit_rest(x))
        return;
    stub_interpret(x, i, s->done);
}

/* Look again when the page can be had; else the interpreter goes on with this instruction. */
void window_stub(struct jit_cx *x, const struct jit_stub *s)
{
    const struct jit_insn *i = &x->insn[x->cur];
    struct x64 *a = &x->a;
    u16 lo = x->lo;
    emit_bear(x);
    cc_store_now(x, &s->cc);
    reg_write_back(x);
    x64_rm(a, true, A_LEA, RSI, x64_at(window_host(i->window), i->window_from));
    cpu_pointer(a);
    x64_mov_i(a, RDX, i->window_bytes);
    x64_mov_i(a, RCX, i->window_store);
    x64_call_c(a, ADDRESS(jit_window_fill));
    x64_gi(a, false, G_CMP, RAX, WINDOW_FILLED);
    u8 *well = x64_jcc(a, CC_E);
    u8 *crosses = x->deep ? x64_jcc(a, CC_A) : NULL;
    stub_interpret(x, i, s->done);
    stub_well(x, s, well, lo);
    if (crosses)
        window_crosses(x, s, crosses);
}

/* ---- anchors ---- */

/* Cell c of the region's: the first has the epoch, anchor k is in cell k + 1. */
#define CELL_AT(member, c)                                                                     \
    cpu_at(offsetof(struct cpu, jit_anchor[0].member) +                                        \
           sizeof(struct jit_anchor_now) * (x->cells + (c)))
#define ANCHOR_AT(member, k) CELL_AT(member, (k) + 1)

void anchors_begin(struct jit_cx *x)
{
    struct x64 *a = &x->a;
    if (!x->anchors)
        return;
    if (!x->keeps) {
        x64_mov_i(a, RAX, 0);
        for (unsigned k = 0; k < x->anchors; k++)
            x64_rm(a, true, A_MOV_STORE, RAX, ANCHOR_AT(room, k));
        return;
    }
    x64_rm(a, true, A_MOV, RAX, CPU_AT(space[0]));
    x64_rm(a, true, A_MOV, RAX, x64_at(RAX, (s32)offsetof(struct tlb_space, epoch)));
    x64_rm(a, true, A_CMP, RAX, CELL_AT(base, 0));
    struct jit_stub *s = stub_new(x, STUB_EPOCH, x64_jcc(a, CC_NE));
    s->back = a->at;
}

/* Anchors were set in another epoch: none is from now on. */
void epoch_stub(struct jit_cx *x, const struct jit_stub *s)
{
    struct x64 *a = &x->a;
    x64_rm(a, true, A_MOV_STORE, RAX, CELL_AT(base, 0));
    for (unsigned k = 0; k < x->anchors; k++)
        x64_mov_mem_i(a, true, ANCHOR_AT(room, k), 0);
    u8 *jump = x64_jmp(a);
    x64_patch(a, jump, s->back);
}

/* The host register with the sum of base and index. */
static unsigned anchor_address(struct jit_cx *x, const struct jit_anchor *an)
{
    if (an->index >= ZERO_REG)
        return reg_use64(x, an->base, RAX);
    unsigned base = reg_use64(x, an->base, RAX), index = reg_use64(x, an->index, RDX);
    x64_rm(&x->a, true, A_LEA, RAX, x64_idx(base, index, 0, 0));
    return RAX;
}

u8 *anchor_compare(struct jit_cx *x, unsigned k, unsigned host, s32 disp)
{
    struct x64 *a = &x->a;
    if (disp)
        x64_rm(a, true, A_LEA, RCX, x64_at(host, disp));
    else
        x64_rr(a, true, A_MOV, RCX, host);
    x64_rm(a, true, A_SUB, RCX, ANCHOR_AT(base, k));
    x64_rm(a, true, A_CMP, RCX, ANCHOR_AT(room, k));
    return x64_jcc(a, CC_AE);
}

/* The address, and that what the anchor covers is in the anchor's page. The page is kept as the
 * address for which that begins there, with how many addresses from there on fit. */
static unsigned anchor_begin(struct jit_cx *x, const struct jit_insn *i)
{
    const struct jit_anchor *an = &x->anchor[i->anchor - 1];
    struct x64 *a = &x->a;
    unsigned k = i->anchor - 1u;
    reg_widen(x, (u16)(1u << an->base | (an->index < ZERO_REG ? 1u << an->index : 0)));
    u8 *again = a->at;
    unsigned host = anchor_address(x, an);
    if (!i->anchor_check)
        return host;
    struct jit_stub *s =
        stub_new(x, STUB_ANCHOR, anchor_compare(x, k, host, an->narrow ? i->disp : 0));
    s->reg = (u8)host;
    s->back = again;
    s->mid = a->at;
    s->fp_cached = x->fp_cached;
    return host;
}

/* In a region that keeps its anchors, whose stubs are few: what jit_anchor_look does when the TLB
 * has the page and the anchor was not found elsewhere just before, without a call. Both other ways
 * come out behind it; the function then finds the site's budget as it is, so the round counts as
 * too early there, too. */
static void anchor_set(struct jit_cx *x, const struct jit_stub *s, const struct jit_insn *i)
{
    s32 n = (s32)offsetof(struct jit_site, n), misses = (s32)offsetof(struct jit_site, misses);
    unsigned k = i->anchor - 1u;
    const struct jit_anchor *an = &x->anchor[k];
    struct anchor_range r = anchor_range(an, i);
    struct x64 *a = &x->a;
    u8 *none = range_look(x, s->reg, r.from, r.to, an->store);
    x64_rm(a, true, A_MOV_STORE, RCX, ANCHOR_AT(host, k));
    if (!an->narrow && r.from)
        x64_gi(a, true, G_SUB, RDX, r.from);
    x64_rm(a, true, A_MOV_STORE, RDX, ANCHOR_AT(base, k));
    x64_mov_mem_i(a, true, ANCHOR_AT(room, k), anchor_room(an));
    x64_mov_i(a, RDX, (u64)(uintptr_t)anchor_site(x, i));
    x64_rm(a, false, A_MOV, RCX, x64_at(RDX, n));
    x64_rr(a, false, A_SUB, RCX, H_N);
    x64_rm(a, false, A_MOV_STORE, H_N, x64_at(RDX, n));
    x64_gi(a, false, G_CMP, RCX, (s32)(ANCHOR_RARE * an->round));
    u8 *often = x64_jcc(a, CC_BE);
    x64_gi_mem(a, false, G_SUB, x64_at(RDX, misses), 2);
    x64_patch(a, x64_jcc(a, CC_NS), s->mid);
    x64_mov_mem_i(a, false, x64_at(RDX, misses), 0);
    x64_patch(a, x64_jmp(a), s->mid);
    x64_patch(a, none, a->at);
    x64_patch(a, often, a->at);
}

/* Look for it (jit_anchor_look); what is not found may be left to the interpreter. */
void anchor_stub(struct jit_cx *x, const struct jit_stub *s)
{
    const struct jit_insn *i = &x->insn[x->cur];
    struct x64 *a = &x->a;
    if (x->keeps)
        anchor_set(x, s, i);
    fp_write_back_common(x, x->fp_dirty);
    if (s->reg != RAX)
        x64_rr(a, true, A_MOV, RAX, s->reg);
    x64_mov_i(a, RDX, anchor_packed(x, i));
    x64_mov_i(a, RCX, anchor_entry(x, i));
    x64_call_to(a, x->jit->common[COMMON_ANCHOR_LOOK]);
    u8 *fails = x64_jcc(a, CC_E);
    fp_reload_common(x, s->fp_cached);
    u8 *jump = x64_jmp(a);
    x64_patch(a, jump, s->mid);
    x64_patch(a, fails, a->at);
    emit_bear(x);
    cc_store_now(x, &s->cc);
    reg_write_back(x);
    stub_call_slow(x, COMMON_ANCHOR_FILL, s->done);
    fp_reload_common(x, s->fp_cached);
    jump = x64_jmp(a);
    x64_patch(a, jump, s->back);
}

/* ---- operands ---- */

bool mem_is_open(const struct jit_cx *x, const struct jit_insn *i)
{
    return i->anchor || window_of(x, i);
}

struct x64_mem mem_open(struct jit_cx *x, const struct jit_insn *i, unsigned begun)
{
    if (!i->anchor)
        return x64_at(window_host(i->window), i->disp);
    s32 storage;
    if (mem_near(x, &storage))
        return x64_at(begun, storage + i->disp);
    x64_rm(&x->a, true, A_MOV, RCX, ANCHOR_AT(host, i->anchor - 1u));
    return x64_idx(RCX, begun, 0, i->disp);
}

unsigned mem_begin(struct jit_cx *x)
{
    const struct jit_insn *i = &x->insn[x->cur];
    if (i->anchor)
        return anchor_begin(x, i);
    if (!window_of(x, i))
        return mem_address(x, i);
    if (i->window_opens)
        window_open(x, i);
    return window_host(i->window);
}
