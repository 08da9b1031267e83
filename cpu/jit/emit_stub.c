/* Out-of-line code of a region, and calls of the interpreter's bodies.
 * A stub knows where every register was when it was made; it must leave them as the code it leads
 * back to expects them. Before a C function may see the CPU, all is in memory. */
#include "cpu/insn/insn_general.h"
#include "cpu/jit/emit_internal.h"

#define ADDRESS(f) ((const void *)(uintptr_t)(f))

struct jit_stub *stub_new(struct jit_cx *x, enum stub_kind kind, u8 *from)
{
    if (x->stubs == REGION_STUBS_MAX) {
        x->a.full = true;
        x->stubs--;
    }
    struct jit_stub *s = &x->stub[x->stubs++];
    *s = (struct jit_stub){.kind = (u8)kind,
                           .from = from,
                           .insn = (u16)x->cur,
                           .block = (u16)x->cur_block,
                           .zone = x->zone,
                           .lo = x->lo,
                           .dirty = x->dirty,
                           .hi_dirty = x->hi_dirty,
                           .zero_high = x->zero_high,
                           .lo_after = x->lo,
                           .fp_then = x->fp_cached,
                           .fp_dirty = x->fp_dirty,
                           .cc = x->cc,
                           .bear = x->bear,
                           .done = x->done};
    return s;
}

static void stub_enter(struct jit_cx *x, const struct jit_stub *s)
{
    zone_enter(x, s->zone);
    x->lo = s->lo;
    x->dirty = s->dirty;
    x->hi_dirty = s->hi_dirty;
    x->zero_high = s->zero_high;
    x->fp_cached = s->fp_then;
    x->fp_dirty = s->fp_dirty;
    x->cc = s->cc;
    x->cc.fresh = false;
    x->bear = s->bear;
    x->done = s->done;
    x->cur = s->insn;
    x->cur_block = s->block;
}

static const struct jit_insn *current(const struct jit_cx *x)
{
    return &x->insn[x->cur];
}

/* A C function's result in eax is not 0: end the threaded code with it. */
static void emit_result(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    x64_rr(a, false, A_MOV, RCX, RAX);
    cpu_pointer(a);
    emit_slot(x, RSI, i->slot);
    emit_count(x, RDX, x->done + 1);
    x64_mov_i(a, R8, i->len);
    x64_jmp_to(a, ADDRESS(jit_body_result));
}

static void jump_if_result(struct jit_cx *x)
{
    x64_rr(&x->a, false, A_TEST, RAX, RAX);
    u8 *well = x64_jcc(&x->a, CC_E);
    emit_result(x);
    x64_patch(&x->a, well, x->a.at);
}

static void emit_broken(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    cpu_pointer(&x->a);
    emit_slot(x, RSI, i->slot + i->len / 2u);
    emit_count(x, RDX, x->done + 1);
    x64_jmp_to(&x->a, ADDRESS(jit_broken));
}

static void go_back(struct jit_cx *x, const struct jit_stub *s)
{
    u8 *jump = x64_jmp(&x->a);
    x64_patch(&x->a, jump, s->back);
}

static void count_body(struct jit_cx *x)
{
    if (!x->jit->bodies)
        return;
    x64_mov_i(&x->a, RCX, (u64)(uintptr_t)jit_bodies_count(x->jit, current(x)->row));
    x64_gi_mem(&x->a, true, G_ADD, x64_at(RCX, 0), 1);
}

static void call_body(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    count_body(x);
    cpu_pointer(&x->a);
    emit_slot(x, RSI, i->slot);
    x64_call_c(&x->a, ADDRESS(i->row->body));
}

/* Bodies leave it to the one who calls them. */
static void check_privileged(struct jit_cx *x)
{
    struct x64 *a = &x->a;
    if (!(current(x)->row->flags & IF_PRIV))
        return;
    _Static_assert(PSW_PROB == 1ull << 48, "bit 0 of byte 6");
    x64_test8_mem(a, cpu_at(offsetof(struct cpu, psw.mask) + 6), 1);
    u8 *supervisor = x64_jcc(a, CC_E);
    x64_mov_i(a, RAX, PGM_PRIVILEGED);
    emit_result(x);
    x64_patch(a, supervisor, a->at);
}

/* ---- the stubs ---- */

/* Call common code that executes the instruction, or a part of it; when that does not end well it
 * leaves the region. */
static void call_slow(struct jit_cx *x, enum jit_common kind, unsigned done, unsigned operand)
{
    const struct jit_insn *i = current(x);
    emit_slot(x, RCX, i->slot);
    x64_mov_i(&x->a, RDX,
              operand | i->len / 2u << STUB_HALFWORDS_SHIFT | done << STUB_DONE_SHIFT);
    x64_call_to(&x->a, x->jit->common[kind]);
}

void stub_call_slow(struct jit_cx *x, enum jit_common kind, unsigned done)
{
    call_slow(x, kind, done, 0);
}

static void stub_load(struct jit_cx *x, const struct jit_stub *s)
{
    bool relative = current(x)->lo->b == S_REL;
    emit_bear(x);
    cc_store_now(x, &s->cc);
    reg_write_back(x);
    if (s->reg != RAX)
        x64_rr(&x->a, true, A_MOV, RAX, s->reg);
    unsigned base = relative ? 0 : s->base;
    call_slow(x, relative ? COMMON_LOAD_RELATIVE : COMMON_LOAD, x->done + 1,
              s->size | base << STUB_BASE_SHIFT);
    fp_reload_common(x, s->fp_cached);
    mem_extend_slow(x, s->ext, s->width == 64, (unsigned)s->to);
    go_back(x, s);
}

void stub_call_body(struct jit_cx *x, const struct jit_stub *s)
{
    struct x64 *a = &x->a;
    emit_bear(x);
    cc_store_now(x, &s->cc);
    reg_write_back(x);
    check_privileged(x);
    call_body(x);
    jump_if_result(x);
    x64_cmp8_mem(a, CPU_AT(jit_broken), 0);
    u8 *whole = x64_jcc(a, CC_E);
    emit_broken(x);
    x64_patch(a, whole, a->at);
}

void stub_leave_next(struct jit_cx *x)
{
    emit_broken(x);
}

/* All residents are loaded again as the code behind the instruction expects them. */
void stub_restore(struct jit_cx *x, const struct jit_stub *s)
{
    x->lo = s->lo_after;
    reg_reload(x, true);
    fp_reload_common(x, s->fp_cached);
}

/* The body changes no registers but what the instruction writes; of others more may be expected
 * behind it than was there before. */
static void stub_body(struct jit_cx *x, const struct jit_stub *s)
{
    const struct jit_insn *i = current(x);
    emit_bear(x);
    cc_store_now(x, &s->cc);
    reg_write_back(x);
    check_privileged(x);
    count_body(x);
    x64_mov_i(&x->a, RAX, (u64)(uintptr_t)i->row->body);
    call_slow(x, COMMON_BODY, x->done + 1, 0);
    if (s->other) {
        emit_broken(x);
        return;
    }
    x->lo = s->lo_after;
    reg_load(x, (u16)(i->writes | (s->lo & ~s->lo_after)));
    fp_reload_common(x, s->fp_cached);
    if (s->flags)
        cc_flags(x, i->lo->cc);
    go_back(x, s);
}

void stub_interpret(struct jit_cx *x, const struct jit_insn *i, unsigned done)
{
    cpu_pointer(&x->a);
    emit_slot(x, RSI, i->slot);
    emit_count(x, RDX, done);
    x64_jmp_to(&x->a, ADDRESS(jit_interpret));
}

void stub_well(struct jit_cx *x, const struct jit_stub *s, u8 *well, u16 lo)
{
    x64_patch(&x->a, well, x->a.at);
    x->lo = lo;
    reg_reload(x, false);
    fp_reload_common(x, s->fp_cached);
    go_back(x, s);
}

void stub_entry(struct jit_cx *x, const void *handler)
{
    struct x64 *a = &x->a;
    cpu_pointer(a);
    x64_mov_i(a, RSI, (u64)(uintptr_t)&x->page->slot[x->entry_slot]);
    x64_rr(a, true, A_MOV, RDX, H_N);
    x64_jmp_to(a, handler);
}

static void stub_emit(struct jit_cx *x, const struct jit_stub *s)
{
    if (s->kind == STUB_EMITTED)
        return;
    stub_enter(x, s);
    if (s->from)
        x64_patch(&x->a, s->from, x->a.at);
    switch (s->kind) {
    case STUB_LOAD: stub_load(x, s); break;
    case STUB_BODY: stub_body(x, s); break;
    case STUB_WINDOW: window_stub(x, s); break;
    case STUB_EPOCH: epoch_stub(x, s); break;
    case STUB_ANCHOR: anchor_stub(x, s); break;
    case STUB_ASK: way_in_stub(x, s); break;
    case STUB_FP:
        fp_stub(x, s);
        go_back(x, s);
        break;
    case STUB_RESULT: emit_result(x); break;
    case STUB_EDGE: emit_taken(x, current(x), s->to); break;
    case STUB_CC3:
        x64_mov8_mem(&x->a, CPU_AT(cc), 3);
        go_back(x, s);
        break;
    case STUB_LEAVE: emit_leave_spent(x, (unsigned)s->to); break;
    case STUB_MODE: x64_jmp_to(&x->a, ADDRESS(x->before)); break;
    case STUB_MOVED: stub_entry(x, ADDRESS(x->before)); break;
    case STUB_SPENT: stub_entry(x, ADDRESS(jit_spent)); break;
    case STUB_FPC: stub_entry(x, ADDRESS(jit_fpc_missed)); break;
    case STUB_EXIT: emit_exit(x, (unsigned)s->to); break;
    case STUB_HOT: emit_exit_hot(x, (unsigned)s->to); break;
    default: emit_broken(x); break;
    }
}

/* Taken branches are as often executed as the region itself: they stand right behind it. */
static bool is_warm(const struct jit_stub *s)
{
    return s->kind == STUB_EDGE;
}

void stubs_emit_warm(struct jit_cx *x)
{
    unsigned stubs = x->stubs;
    for (unsigned k = 0; k < stubs && !x->a.full; k++) {
        struct jit_stub *s = &x->stub[k];
        if (!is_warm(s))
            continue;
        stub_emit(x, s);
        s->kind = STUB_EMITTED;
    }
}

void stubs_emit(struct jit_cx *x)
{
    x->in_stubs = true;
    for (unsigned k = 0; k < x->stubs && !x->a.full; k++)
        stub_emit(x, &x->stub[k]);
    x->in_stubs = false;
}

/* ---- instructions executed by their bodies ---- */

void emit_fn(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    u16 lo = x->lo;
    emit_bear(x);
    cc_store_now(x, &x->cc);
    reg_write_back(x);
    cc_is_in_memory(x);
    x->fpc_known = false;
    x->fp_cached = x->fp_dirty = 0;
    x->dirty = x->hi_dirty = x->zero_high = 0;
    check_privileged(x);
    call_body(x);
    x64_rr(a, false, A_TEST, RAX, RAX);
    stub_new(x, STUB_RESULT, x64_jcc(a, CC_NE));
    x64_cmp8_mem(a, CPU_AT(jit_broken), 0);
    stub_new(x, STUB_BROKEN, x64_jcc(a, CC_NE));
    if (i->mode_check) {
        x64_cmp8_mem(a, CPU_AT(jit_mode), x->mode);
        stub_new(x, STUB_BROKEN, x64_jcc(a, CC_NE));
    }
    if (x->fpc_sure)
        stub_new(x, STUB_BROKEN, fpc_compare(x));
    anchors_begin(x);
    x->lo = lo;
    reg_reload(x, true);
}
