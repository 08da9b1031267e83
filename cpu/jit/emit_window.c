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
    x64_rr(a, true, A_MOV, RDI, H_CPU);
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

static struct x64_mem anchor_base(unsigned k)
{
    return x64_at(H_CPU, (s32)offsetof(struct cpu, jit_anchor[0].base) + 16 * (s32)k);
}

static struct x64_mem anchor_host(unsigned k)
{
    return x64_at(H_CPU, (s32)offsetof(struct cpu, jit_anchor[0].host) + 16 * (s32)k);
}

void anchors_void(struct jit_cx *x)
{
    for (unsigned k = 0; k < x->anchors; k++)
        x64_mov_mem_i(&x->a, true, anchor_base(k), anchor_none(&x->anchor[k]));
}

/* Is the anchor set for what the base register holds now? */
static void anchor_compare(struct jit_cx *x, const struct jit_insn *i)
{
    struct x64 *a = &x->a;
    unsigned host = reg_use64(x, i->base, RAX);
    x64_rm(a, true, A_CMP, host, anchor_base(i->anchor - 1u));
    struct jit_stub *s = stub_new(x, STUB_ANCHOR, x64_jcc(a, CC_NE));
    s->reg = (u8)host;
    s->back = a->at;
    s->fp_cached = x->fp_cached;
}

/* The anchor by the TLB; the stub goes on behind the jump that is returned when that fails. */
static u8 *anchor_look(struct jit_cx *x, const struct jit_stub *s, unsigned k)
{
    const struct jit_anchor *an = &x->anchor[k];
    struct x64 *a = &x->a;
    u8 *miss = range_look(x, s->reg, an->from, an->to, an->store);
    x64_rr(a, true, A_ADD, RCX, s->reg);
    x64_rm(a, true, A_MOV_STORE, s->reg, anchor_base(k));
    x64_rm(a, true, A_MOV_STORE, RCX, anchor_host(k));
    u8 *jump = x64_jmp(a);
    x64_patch(a, jump, s->back);
    return miss;
}

void anchor_stub(struct jit_cx *x, const struct jit_stub *s)
{
    const struct jit_insn *i = &x->insn[x->cur];
    struct x64 *a = &x->a;
    u16 lo = x->lo;
    unsigned k = i->anchor - 1u;
    u8 *miss = anchor_look(x, s, k);
    x64_patch(a, miss, a->at);
    emit_bear(x);
    cc_store_now(x, &s->cc);
    reg_write_back(x);
    if (s->reg != RSI)
        x64_rr(a, true, A_MOV, RSI, s->reg);
    x64_rr(a, true, A_MOV, RDI, H_CPU);
    x64_mov_i(a, RDX, anchor_packed(x, k));
    x64_mov_i(a, RCX, (u64)(uintptr_t)&x->page->slot[x->entry_slot]);
    x64_call_c(a, ADDRESS(jit_anchor_fill));
    x64_rr(a, false, A_TEST, RAX, RAX);
    u8 *well = x64_jcc(a, CC_NE);
    stub_interpret(x, i, s->done);
    stub_well(x, s, well, lo);
}

/* ---- operands ---- */

bool mem_is_open(const struct jit_cx *x, const struct jit_insn *i)
{
    return i->anchor || window_of(x, i);
}

struct x64_mem mem_open(struct jit_cx *x, const struct jit_insn *i)
{
    if (!i->anchor)
        return x64_at(window_host(i->window), i->disp);
    x64_rm(&x->a, true, A_MOV, RCX, anchor_host(i->anchor - 1u));
    return x64_at(RCX, i->disp);
}

unsigned mem_begin(struct jit_cx *x)
{
    const struct jit_insn *i = &x->insn[x->cur];
    if (i->anchor) {
        if (i->anchor_check)
            anchor_compare(x, i);
        return RCX;
    }
    if (!window_of(x, i))
        return mem_address(x, i);
    if (i->window_opens)
        window_open(x, i);
    return window_host(i->window);
}
