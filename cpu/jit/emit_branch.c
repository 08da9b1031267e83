/* Branches: inside the region, to other slots of the page, and out of it.
 * A taken branch notes its slot for the breaking-event address. Backward branches inside the
 * region look at the budget, so that a stretch ends in time. */
#include "cpu/jit/emit_internal.h"

#define BACK_EDGE_ROUNDS 128 /* a budget spent in a loop counts so often for its heat */

static const struct jit_insn *current(const struct jit_cx *x)
{
    return &x->insn[x->cur];
}

void emit_count(struct jit_cx *x, unsigned host, unsigned insns)
{
    if (host != H_N || insns)
        x64_rm(&x->a, true, A_LEA, host, x64_at(H_N, -(s32)insns));
}

static const struct dinsn *place(const struct jit_cx *x, unsigned at)
{
    return &x->pages[at / CODE_SLOTS_ALL].page->slot[at % CODE_SLOTS_ALL];
}

void emit_slot(struct jit_cx *x, unsigned host, unsigned slot)
{
    x64_mov_i(&x->a, host, (u64)(uintptr_t)&x->pages[current(x)->page].page->slot[slot]);
}

static void jump_block(struct jit_cx *x, unsigned block, u8 *from)
{
    if (x->fixes == ARRAY_LEN(x->fix)) {
        x->a.full = true;
        return;
    }
    x->fix[x->fixes].from = from;
    x->fix[x->fixes++].block = (u16)block;
}

static void patch_all(struct jit_cx *x, const struct jumps *j)
{
    for (unsigned k = 0; k < j->count; k++)
        x64_patch(&x->a, j->at[k], x->a.at);
}

void emit_jump_block(struct jit_cx *x, unsigned block)
{
    jump_block(x, block, x64_jmp(&x->a));
}

/* Store the slot of a taken branch. */
static void note_slot(struct jit_cx *x, unsigned of)
{
    u64 slot = (u64)(uintptr_t)place(x, of);
    if (slot <= INT32_MAX) {
        x64_mov_mem_i(&x->a, true, CPU_AT(bear_slot), (s32)slot);
        return;
    }
    x64_mov_i(&x->a, RCX, slot);
    x64_rm(&x->a, true, A_MOV_STORE, RCX, CPU_AT(bear_slot));
}

void emit_bear(struct jit_cx *x)
{
    if (x->bear >= 0)
        note_slot(x, (unsigned)x->bear);
    x->bear = -1;
}

static void note_branch(struct jit_cx *x, const struct jit_insn *i)
{
    note_slot(x, i->at);
    x->bear = -1;
}

static void all_to_memory(struct jit_cx *x)
{
    emit_bear(x);
    cc_store_now(x, &x->cc);
    reg_write_back(x);
}

void emit_go(struct x64 *a, const struct jit *j)
{
    if (j->lockstep)
        x64_jmp_to(a, (const void *)(uintptr_t)jit_stop);
    else
        x64_jmp_mem(a, x64_at(RSI, 0));
}

/* A jump to the slot of the exit that is returned; who calls sets its `through`. */
static unsigned exit_new(struct jit_cx *x, const struct dinsn *to)
{
    u8 *jump = x64_jmp(&x->a);
    if (x->exits == REGION_EXITS_MAX) {
        x->a.full = true;
        x->exits--;
    }
    x->exit[x->exits] = (struct jit_exit){.to = to, .jump = jump, .through = jump + 4};
    return x->exits++;
}

static void go_operands(struct jit_cx *x, unsigned exit)
{
    x64_mov_i(&x->a, RSI, (u64)(uintptr_t)x->exit[exit].to);
    cpu_pointer(&x->a);
    x64_rr(&x->a, true, A_MOV, RDX, H_N);
}

void emit_exit(struct jit_cx *x, unsigned exit)
{
    x->exit[exit].through = x->a.at;
    go_operands(x, exit);
    emit_go(&x->a, x->jit);
}

void emit_exit_hot(struct jit_cx *x, unsigned exit)
{
    go_operands(x, exit);
    x64_jmp_to(&x->a, (const void *)(uintptr_t)jit_hot_go);
}

/* Leave for a place in the page that control is in, and count that it was branched to: `rounds`
 * times. */
static void leave_place(struct jit_cx *x, unsigned at, u8 rounds)
{
    struct x64 *a = &x->a;
    const struct dinsn *d = place(x, at);
    all_to_memory(x);
    x64_rm(a, false, 0x80, 5, cpu_at((size_t)((u8 *)jit_heat(x->c, d) - (u8 *)x->c)));
    x64_byte(a, rounds); /* sub byte */
    struct jit_stub *hot = stub_new(x, STUB_HOT, x64_jcc(a, CC_BE));
    unsigned exit = exit_new(x, d);
    hot->to = (s32)exit;
    stub_new(x, STUB_EXIT, x->exit[exit].jump)->to = (s32)exit;
}

void emit_leave_spent(struct jit_cx *x, unsigned at)
{
    leave_place(x, at, BACK_EDGE_ROUNDS);
}

void emit_leave_slot(struct jit_cx *x, unsigned slot)
{
    leave_place(x, current(x)->page * CODE_SLOTS_ALL + slot, 1);
}

/* Before leave_page: branch i, which is taken, is the last one. Registers are in memory, or are
 * going there. */
static void all_for_leaving(struct jit_cx *x)
{
    x->bear = -1;
    all_to_memory(x);
}

/* Leave by branch i for the address in rax: the common code finds the slot, and the jump stands
 * here, so that the host predicts it by where it comes from. */
static void leave_page(struct jit_cx *x, const struct jit_insn *i)
{
    x64_mov_i(&x->a, RSI, i->slot * 2u);
    x64_call_to(&x->a, x->jit->leave_page);
    emit_go(&x->a, x->jit);
}

/* The same; `d` is the slot that it finds most times. */
static void leave_page_for(struct jit_cx *x, const struct jit_insn *i, const struct dinsn *d)
{
    struct x64 *a = &x->a;
    x64_mov_i(a, RSI, i->slot * 2u);
    x64_call_to(a, x->jit->leave_page);
    if ((uintptr_t)d <= INT32_MAX) {
        x64_gi(a, true, G_CMP, RSI, (s32)(uintptr_t)d);
        u8 *other = x64_jcc(a, CC_NE);
        exit_new(x, d);
        x64_patch(a, other, a->at);
    }
    emit_go(a, x->jit);
}

/* cmp [m], value; rcx is scratch. */
static void cmp_const(struct x64 *a, struct x64_mem m, u64 value)
{
    if ((s64)value == (s32)value) {
        x64_gi_mem(a, true, G_CMP, m, (s32)value);
    } else {
        x64_mov_i(a, RCX, value);
        x64_rm(a, true, A_CMP, RCX, m);
    }
}

static void store_const(struct x64 *a, struct x64_mem m, u64 value)
{
    if ((s64)value == (s32)value) {
        x64_mov_mem_i(a, true, m, (s32)value);
    } else {
        x64_mov_i(a, RCX, value);
        x64_rm(a, true, A_MOV_STORE, RCX, m);
    }
}

/* Are this page and another where they were when this was translated? `other` jumps when not. In
 * pages behind the first it is known where they are. RCX and RDX are lost. */
static void page_check(struct jit_cx *x, const struct code_page *page, u64 addr,
                       struct jumps *other)
{
    struct x64 *a = &x->a;
    unsigned here = current(x)->page, k = (addr >> FRAME_SHIFT) & (TLB_CODE_ENTRIES - 1);
    s32 at = (s32)(offsetof(struct tlb_space, code) + k * sizeof(struct tlb_code_entry));
    x64_rm(a, true, A_MOV, RDX, CPU_AT(ispace));
    if (here == 0) {
        cmp_const(a, CPU_AT(ia_page), x->pages[0].addr);
        other->at[other->count++] = x64_jcc(a, CC_NE);
    }
    cmp_const(a, x64_at(RDX, at), addr);
    other->at[other->count++] = x64_jcc(a, CC_NE);
    cmp_const(a, x64_at(RDX, at + 8), (u64)(uintptr_t)page);
    other->at[other->count++] = x64_jcc(a, CC_NE);
}

/* Go into a page by the branch i: what cpu_bear_settle and cpu_set_code_page do. */
static void page_enter(struct jit_cx *x, const struct jit_insn *i, const struct code_page *page,
                       u64 addr)
{
    struct x64 *a = &x->a;
    store_const(a, CPU_AT(bear), x->pages[i->page].addr + i->slot * 2u);
    store_const(a, CPU_AT(bear_slot), 0);
    store_const(a, CPU_AT(code_base), (u64)(uintptr_t)page->slot);
    store_const(a, CPU_AT(ia_page), addr);
}

/* The slot of a relative target in another page, when that is known now; or NULL. */
static const struct dinsn *known_slot(const struct jit_cx *x, const struct jit_insn *i)
{
    u64 target = (x->pages[i->page].addr + (u64)i->rel) & x->c->amask;
    const struct tlb_code_entry *e = &x->c->ispace->code[tlb_code_index(target)];
    if (e->tag != (target & ~(u64)(FRAME_BYTES - 1)) || (target & 1))
        return NULL;
    return &((const struct code_page *)e->page)->slot[(target & (FRAME_BYTES - 1)) / 2];
}

/* rax = address of the relative target. */
static void away_target(struct jit_cx *x, const struct jit_insn *i)
{
    mem_address_relative(x, i, RAX);
}

/* rax = address in a register. */
static void register_target(struct jit_cx *x, unsigned r2)
{
    reg_get(x, current(x)->amode64, r2, RAX);
    mem_amode(x, RAX);
}

static bool near_target(const struct jit_insn *i)
{
    return i->rel >= 0 && i->rel < (s64)FRAME_BYTES && (i->rel & 1) == 0;
}

/* Backward: is the budget spent? Then leave for the target's slot. */
static void back_edge(struct jit_cx *x, unsigned block)
{
    struct x64 *a = &x->a;
    if (x->uncounted)
        x64_gi(a, true, G_SUB, H_N, (s32)x->uncounted);
    else
        x64_rr(a, true, A_TEST, H_N, H_N);
    jump_block(x, block, x64_jcc(a, CC_G));
    stub_new(x, STUB_LEAVE, x64_jmp(a))->to = x->insn[x->block[block].first].at;
}

/* Is the current block's branch the only way into `block`, which comes later? Then what is known
 * here is known there. */
static bool single_way(const struct jit_cx *x, unsigned block)
{
    return block > x->cur_block && x->block[block].preds == 1;
}

struct point {
    u8 zone;
    u16 lo, dirty, hi_dirty, zero_high, fp_cached, fp_dirty;
    struct cc_now cc;
    s32 bear;
};

static struct point point_save(const struct jit_cx *x)
{
    return (struct point){x->zone,      x->lo,       x->dirty, x->hi_dirty, x->zero_high,
                          x->fp_cached, x->fp_dirty, x->cc,    x->bear};
}

static void point_restore(struct jit_cx *x, struct point p)
{
    zone_enter(x, p.zone);
    x->lo = p.lo;
    x->dirty = p.dirty;
    x->hi_dirty = p.hi_dirty;
    x->zero_high = p.zero_high;
    x->fp_cached = p.fp_cached;
    x->fp_dirty = p.fp_dirty;
    x->cc = p.cc;
    x->bear = p.bear;
}

/* The branch is noted and the page is the block's: go there. */
static void go_block(struct jit_cx *x, unsigned block)
{
    if (block <= x->cur_block)
        back_edge(x, block);
    else
        emit_jump_block(x, block);
}

/* A taken branch to a block in another page; falls through when pages are not where they were. */
static void take_away(struct jit_cx *x, const struct jit_insn *i, unsigned block)
{
    const struct jit_page *to = &x->pages[x->insn[x->block[block].first].page];
    struct jumps other = {.count = 0};
    struct point p = point_save(x);
    page_check(x, to->page, to->addr, &other);
    page_enter(x, i, to->page, to->addr);
    x->bear = -1;
    reg_settle(x, block); /* not before: where pages are elsewhere registers stay as they are */
    go_block(x, block);
    point_restore(x, p);
    patch_all(x, &other);
}

/* The branch to the address in rax goes to a block, when that is the block's. rax is kept. */
static void take_known(struct jit_cx *x, const struct jit_insn *i, unsigned block)
{
    struct x64 *a = &x->a;
    const struct jit_insn *first = &x->insn[x->block[block].first];
    struct point p = point_save(x);
    if (first->page == i->page) {
        x64_rm(a, true, A_MOV, RCX, CPU_AT(ia_page));
        x64_gi(a, true, G_ADD, RCX, first->slot * 2);
    } else {
        x64_mov_i(a, RCX, x->pages[first->page].addr + first->slot * 2u);
    }
    x64_rr(a, true, A_CMP, RAX, RCX);
    u8 *elsewhere = x64_jcc(a, CC_NE);
    if (first->page == i->page) {
        note_branch(x, i);
        reg_settle(x, block);
        go_block(x, block);
    } else {
        take_away(x, i, block);
    }
    x64_patch(a, elsewhere, a->at);
    point_restore(x, p);
}

/* The same for all that the current block's branch may lead to besides. */
static void take_ways(struct jit_cx *x, const struct jit_insn *i)
{
    const struct jit_block *b = &x->block[x->cur_block];
    for (unsigned k = 0; k < REGION_RETURNS_MAX && b->ret[k] >= 0; k++)
        take_known(x, i, (unsigned)b->ret[k]);
}

void emit_taken(struct jit_cx *x, const struct jit_insn *i, int block)
{
    bool away = block >= 0 && x->insn[x->block[block].first].page != i->page;
    if (away) {
        take_away(x, i, (unsigned)block);
        block = -1;
    }
    bool here = block >= 0 || near_target(i);
    if (here && (block < 0 || !single_way(x, (unsigned)block)))
        note_branch(x, i);
    if (block >= 0) {
        reg_settle(x, (unsigned)block);
        go_block(x, (unsigned)block);
        return;
    }
    if (near_target(i)) {
        emit_leave_slot(x, (unsigned)i->rel / 2);
        return;
    }
    all_for_leaving(x);
    away_target(x, i);
    const struct dinsn *d = away ? NULL : known_slot(x, i);
    if (d)
        leave_page_for(x, i, d);
    else
        leave_page(x, i);
}

void emit_fall(struct jit_cx *x)
{
    const struct jit_block *b = &x->block[x->cur_block];
    const struct jit_insn *last = &x->insn[b->first + b->count - 1];
    if (b->fall < 0) {
        emit_leave_slot(x, last->slot + last->len / 2u);
        return;
    }
    if (!single_way(x, (unsigned)b->fall))
        emit_bear(x);
    struct cc_now cc = x->cc; /* stored on this way alone: where it branched it is as before */
    reg_settle(x, (unsigned)b->fall);
    if ((unsigned)b->fall != x->cur_block + 1 || x->no_windows) /* emit_rest is elsewhere */
        emit_jump_block(x, (unsigned)b->fall);
    x->cc = cc;
}

/* The condition has been made into jumps; what is taken is a jump to its block when nothing has
 * to be done on the way, else out of line. */
static void two_ways(struct jit_cx *x, struct jumps *taken)
{
    const struct jit_block *b = &x->block[x->cur_block];
    bool direct =
        b->taken >= 0 && reg_settled(x, (unsigned)b->taken) && !region_crosses(x, b, b->taken);
    for (unsigned k = 0; k < taken->count; k++) {
        if (direct) {
            jump_block(x, (unsigned)b->taken, taken->at[k]);
        } else {
            struct jit_stub *s = stub_new(x, STUB_EDGE, taken->at[k]);
            s->to = b->taken;
        }
    }
    emit_fall(x);
}

/* Is the taken path to be in line? So it is for loops, and where ways meet. */
static bool taken_in_line(const struct jit_cx *x)
{
    int to = x->block[x->cur_block].taken;
    return to >= 0 && !single_way(x, (unsigned)to);
}

/* Count the instructions of the block, before a condition of which flags are used. When the branch
 * leads back in line it counts by itself, which tells too whether the budget is spent. */
static void count_block(struct jit_cx *x)
{
    int to = x->block[x->cur_block].taken;
    if (to >= 0 && to <= (int)x->cur_block && !region_crosses(x, &x->block[x->cur_block], to))
        x->uncounted = x->done + 1;
    else
        emit_count(x, H_N, x->done + 1);
}

/* `holds` jumps when the branch is taken, `fails` when not; control comes here when not taken
 * (taken_here: when it is). */
static void finish_condition(struct jit_cx *x, struct jumps *holds, struct jumps *fails,
                             bool taken_here)
{
    if (!taken_here) {
        patch_all(x, fails);
        two_ways(x, holds);
        return;
    }
    struct point p = point_save(x);
    patch_all(x, holds);
    select_count(x, true);
    emit_taken(x, current(x), x->block[x->cur_block].taken);
    point_restore(x, p);
    patch_all(x, fails);
    emit_count(x, H_N, x->uncounted);
    x->uncounted = 0;
    select_count(x, false);
    emit_fall(x);
}

static void one_condition(struct jit_cx *x, enum x64_cond cond)
{
    struct jumps jumps = {.count = 0}, none = {.count = 0};
    bool back = taken_in_line(x);
    jumps.at[jumps.count++] = x64_jcc(&x->a, back ? cond ^ 1 : cond);
    if (back)
        finish_condition(x, &none, &jumps, true);
    else
        finish_condition(x, &jumps, &none, false);
}

/* ---- on condition ---- */

/* Branch to the address of the operand. */
static void branch_address(struct jit_cx *x, const struct jit_insn *i)
{
    if (x->block[x->cur_block].ret[0] >= 0) {
        mem_address_into(x, i, RAX);
        take_ways(x, i);
    }
    all_for_leaving(x);
    mem_address_into(x, i, RAX);
    leave_page(x, i);
}

static void emit_bc(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    unsigned mask = i->d.r1;
    bool relative = i->lo->b == S_REL;
    if (relative && mask != 0 && mask != 15)
        count_block(x);
    else
        emit_count(x, H_N, x->done + 1);
    if (mask == 0) {
        emit_fall(x);
        return;
    }
    struct jumps holds = {.count = 0}, fails = {.count = 0};
    if (mask == 15) {
        if (!relative) {
            branch_address(x, i);
            return;
        }
        emit_taken(x, i, x->block[x->cur_block].taken);
        return;
    }
    if (select_emit(x))
        return;
    bool here = !relative || taken_in_line(x);
    if (here)
        cc_branch(x, mask ^ 15, &fails, &holds);
    else
        cc_branch(x, mask, &holds, &fails);
    x->cc.fresh = false;
    if (relative) {
        finish_condition(x, &holds, &fails, here);
        return;
    }
    struct point p = point_save(x);
    patch_all(x, &holds);
    all_for_leaving(x);
    mem_address_into(x, i, RAX);
    leave_page(x, i);
    point_restore(x, p);
    patch_all(x, &fails);
    emit_fall(x);
}

static void emit_bcr(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    unsigned mask = i->d.r1;
    emit_count(x, H_N, x->done + 1);
    if (mask == 0 || i->d.r2 == 0) {
        emit_fall(x);
        return;
    }
    struct jumps holds = {.count = 0}, fails = {.count = 0};
    if (mask != 15)
        cc_branch(x, mask ^ 15, &fails, &holds);
    x->cc.fresh = false;
    struct point p = point_save(x);
    patch_all(x, &holds);
    const struct jit_block *b = &x->block[x->cur_block];
    if (b->ret[0] >= 0)
        register_target(x, i->d.r2);
    take_ways(x, i);
    all_for_leaving(x);
    register_target(x, i->d.r2);
    leave_page(x, i);
    point_restore(x, p);
    if (mask == 15)
        return;
    patch_all(x, &fails);
    emit_fall(x);
}

static void emit_brct(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = i->lo->width == 64;
    unsigned g = i->d.r1;
    count_block(x);
    reg_widen(x, i->reads64);
    unsigned to = w ? reg_def64(x, g, RAX) : reg_def32(x, g, RAX);
    if (to == RAX && w)
        reg_get64(x, g, RAX);
    else if (to == RAX)
        reg_get32(x, g, RAX);
    x64_gi(&x->a, w, G_SUB, to, 1);
    if (w)
        reg_done64(x, g, to);
    else
        reg_done32(x, g, to);
    one_condition(x, CC_NE);
}

static void emit_brcth(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    count_block(x);
    reg_widen(x, i->reads64);
    x64_mov_i(&x->a, RAX, ~0ull << 32); /* minus one in the high half */
    reg_op(x, true, A_ADD, RAX, i->d.r1);
    reg_done64(x, i->d.r1, RAX);
    x64_rorx(&x->a, true, RDX, RAX, 32);
    x64_rr(&x->a, false, A_TEST, RDX, RDX);
    one_condition(x, CC_NE);
}

static void emit_brx(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = i->lo->width == 64;
    bool high = i->row->op == 0x84 || (i->row->op == 0xec && i->row->sub == 0x44);
    unsigned g = i->d.r1;
    count_block(x);
    reg_widen(x, i->reads64);
    if (w)
        reg_get64(x, i->d.r3 | 1, RDX);
    else
        reg_get32(x, i->d.r3 | 1, RDX);
    if (w)
        reg_get64(x, g, RAX);
    else
        reg_get32(x, g, RAX);
    reg_op(x, w, A_ADD, RAX, i->d.r3);
    if (w)
        reg_done64(x, g, RAX);
    else
        reg_done32(x, g, RAX);
    x64_rr(&x->a, w, A_CMP, RAX, RDX);
    one_condition(x, high ? CC_G : CC_LE);
}

static void emit_cmpj(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    const struct lowering *lo = i->lo;
    bool w = lo->width == 64;
    unsigned mask = i->d.r3 & 14;
    if (mask == 0 || mask == 14)
        emit_count(x, H_N, x->done + 1);
    else
        count_block(x);
    if (mask == 0) {
        emit_fall(x);
        return;
    }
    if (mask == 14) {
        emit_taken(x, i, x->block[x->cur_block].taken);
        return;
    }
    reg_widen(x, i->reads64);
    unsigned host = w ? reg_use64(x, i->d.r1, RAX) : reg_use32(x, i->d.r1, RAX);
    if (!jit_src_const(lo->b))
        reg_op(x, w, A_CMP, host, i->d.r2);
    else if (jit_const(&i->d, lo->b) == 0)
        x64_rr(&x->a, w, A_TEST, host, host);
    else
        x64_gi(&x->a, w, G_CMP, host, (s32)jit_const(&i->d, lo->b));
    one_condition(x, cc_compare_cond(mask, lo->cc == CCK_SIGNED));
}

/* ---- with link ---- */

static void emit_link(struct jit_cx *x, const struct jit_insn *i)
{
    unsigned to = reg_def(x, i->amode64, i->d.r1, RCX);
    x64_rm(&x->a, true, A_MOV, to, CPU_AT(ia_page));
    x64_gi(&x->a, true, G_ADD, to, i->slot * 2 + i->len);
    mem_amode(x, to);
    if ((x->mode & JIT_MODE_AMODE) == JIT_MODE_31)
        x64_gi(&x->a, false, G_OR, to, INT32_MIN);
    reg_done(x, i->amode64, i->d.r1, to);
}

static void emit_bas(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool relative = i->lo->b == S_REL;
    int block = x->block[x->cur_block].taken;
    emit_count(x, H_N, x->done + 1);
    if (relative && block >= 0) {
        emit_link(x, i);
        emit_taken(x, i, block);
        return;
    }
    cc_store_now(x, &x->cc);
    cc_is_in_memory(x);
    if (!relative)
        mem_address_into(x, i, RAX);
    x->bear = -1; /* it will be noted for this one */
    emit_link(x, i);
    if (relative) {
        emit_taken(x, i, -1);
        return;
    }
    x->bear = -1;
    reg_write_back(x);
    leave_page(x, i);
}

static void emit_basr(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    emit_count(x, H_N, x->done + 1);
    if (i->d.r2 == 0) {
        emit_link(x, i);
        emit_fall(x);
        return;
    }
    int block = x->block[x->cur_block].taken;
    if (block < 0) {
        cc_store_now(x, &x->cc);
        cc_is_in_memory(x);
    }
    register_target(x, i->d.r2);
    emit_link(x, i);
    if (block >= 0) {
        take_known(x, i, (unsigned)block);
        take_ways(x, i);
        cc_store_now(x, &x->cc);
        cc_is_in_memory(x);
    }
    x->bear = -1;
    reg_write_back(x);
    leave_page(x, i);
}

/* ---- to a register or an address ---- */

/* Leave for the address in rax when `cond` holds. */
static void leave_if(struct jit_cx *x, enum x64_cond cond)
{
    u8 *not = x64_jcc(&x->a, cond ^ 1);
    struct point p = point_save(x);
    all_for_leaving(x);
    leave_page(x, current(x));
    point_restore(x, p);
    x64_patch(&x->a, not, x->a.at);
    emit_fall(x);
}

static void emit_bct(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = i->lo->width == 64;
    emit_count(x, H_N, x->done + 1);
    reg_widen(x, i->reads64);
    if (i->lo->b == S_R2)
        register_target(x, i->d.r2);
    else
        mem_address_into(x, i, RAX);
    unsigned to = reg_def(x, w, i->d.r1, RDX);
    if (to == RDX)
        reg_get(x, w, i->d.r1, RDX);
    x64_gi(&x->a, w, G_SUB, to, 1);
    reg_done(x, w, i->d.r1, to);
    leave_if(x, CC_NE);
}

static void emit_bx(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = i->lo->width == 64;
    bool high = i->row->op == 0x86 || (i->row->op == 0xeb && i->row->sub == 0x44);
    emit_count(x, H_N, x->done + 1);
    reg_widen(x, i->reads64);
    mem_address_into(x, i, RAX);
    reg_get(x, w, i->d.r1, RDX);
    reg_op(x, w, A_ADD, RDX, i->d.r3);
    reg_op(x, w, A_CMP, RDX, i->d.r3 | 1u); /* it may be r1, which still is what it was */
    reg_done(x, w, i->d.r1, RDX);
    leave_if(x, high ? CC_G : CC_LE);
}

static void emit_cmpb(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    const struct lowering *lo = i->lo;
    bool w = lo->width == 64;
    unsigned mask = i->d.r3 & 14;
    emit_count(x, H_N, x->done + 1);
    if (mask == 0) {
        emit_fall(x);
        return;
    }
    reg_widen(x, i->reads64);
    mem_address_base(x, i, RAX);
    unsigned host = reg_use(x, w, i->d.r1, RDX);
    if (mask == 14)
        x64_rr(&x->a, false, A_CMP, RAX, RAX);
    else if (jit_src_const(lo->b))
        x64_gi(&x->a, w, G_CMP, host, (s32)jit_const(&i->d, lo->b));
    else
        reg_op(x, w, A_CMP, host, i->d.r2);
    leave_if(x, mask == 14 ? CC_E : cc_compare_cond(mask, lo->cc == CCK_SIGNED));
}

void emit_branch(struct jit_cx *x)
{
    switch (current(x)->lo->op) {
    case OP_BC: emit_bc(x); break;
    case OP_BCR: emit_bcr(x); break;
    case OP_BRCT: emit_brct(x); break;
    case OP_BRX: emit_brx(x); break;
    case OP_CMPJ: emit_cmpj(x); break;
    case OP_BCT: emit_bct(x); break;
    case OP_BX: emit_bx(x); break;
    case OP_CMPB: emit_cmpb(x); break;
    case OP_BRCTH: emit_brcth(x); break;
    case OP_BAS: emit_bas(x); break;
    default: emit_basr(x); break;
    }
}

/* ---- out of the page ---- */

#define CODE_ENTRY_SHIFT (FRAME_SHIFT - 4)
_Static_assert(sizeof(struct tlb_code_entry) == 16 && sizeof(struct dinsn) == 16,
               "scaled by shifting");

/* jit_heat: counts the slot in rsi, and jumps when it is hot. rax is lost. */
static u8 *count_heat(struct x64 *a)
{
    x64_rr(a, false, A_MOV, RAX, RSI);
    x64_shift_i(a, false, S_SHR, RAX, 4);
    x64_gi(a, false, G_AND, RAX, JIT_HEAT_ENTRIES - 1);
    x64_rm(a, false, 0xfe, 1, x64_idx(H_CPU, RAX, 0, CPU_AT(heat).disp)); /* dec byte */
    return x64_jcc(a, CC_E);
}

/* Called, not jumped to, with the place of the branch in its page in rsi: rsi = slot of the
 * address in rax, rdi and rdx for it, when its page is in the TLB of decoded pages; else it does
 * not return but goes to cpu_branch_slow. What cpu_find_slot does, cpu_bear_settle and
 * cpu_set_code_page. */
void emit_leave_page(struct x64 *a)
{
    u8 *slow[2];
    x64_rm(a, true, A_ADD, RSI, CPU_AT(ia_page));
    x64_rm(a, true, A_MOV_STORE, RSI, CPU_AT(bear));
    x64_mov_mem_i(a, true, CPU_AT(bear_slot), 0);
    x64_rr(a, true, A_TEST, H_N, H_N);
    slow[0] = x64_jcc(a, CC_LE);
    x64_rr(a, true, A_MOV, RCX, RAX);
    x64_rorx(a, false, RDX, RAX, CODE_ENTRY_SHIFT);
    x64_gi(a, true, G_AND, RCX, 1 - (s32)FRAME_BYTES); /* no tag is odd, as an address may be */
    x64_gi(a, false, G_AND, RDX, (TLB_CODE_ENTRIES - 1) << 4);
    x64_rm(a, true, A_ADD, RDX, CPU_AT(ispace));
    x64_rm(a, true, A_CMP, RCX, x64_at(RDX, (s32)offsetof(struct tlb_space, code)));
    slow[1] = x64_jcc(a, CC_NE);
    x64_rm(a, true, A_MOV, RSI, x64_at(RDX, (s32)offsetof(struct tlb_space, code) + 8));
    x64_rm(a, true, A_MOV_STORE, RCX, CPU_AT(ia_page));
    x64_rm(a, true, A_MOV_STORE, RSI, CPU_AT(code_base));
    x64_gi(a, false, G_AND, RAX, FRAME_BYTES - 2);
    x64_rm(a, true, A_LEA, RSI, x64_idx(RSI, RAX, 3, 0));
    cpu_pointer(a);
    x64_rr(a, true, A_MOV, RDX, H_N);
    u8 *hot = count_heat(a);
    x64_ret(a);
    x64_patch(a, hot, a->at);
    x64_rm(a, true, A_LEA, RSP, x64_at(RSP, 8));
    x64_jmp_to(a, (const void *)(uintptr_t)jit_hot_go);
    for (unsigned i = 0; i < ARRAY_LEN(slow); i++)
        x64_patch(a, slow[i], a->at);
    x64_rm(a, true, A_MOV_STORE, RAX, CPU_AT(psw.addr));
    x64_rm(a, true, A_LEA, RSP, x64_at(RSP, 8));
    cpu_pointer(a);
    x64_rr(a, true, A_MOV, RSI, H_N);
    x64_jmp_to(a, (const void *)(uintptr_t)cpu_branch_slow);
}
