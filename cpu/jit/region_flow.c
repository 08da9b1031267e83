/* What flows through a region: registers and their host registers, what is dirty and what must be
 * loaded, and the condition code. */
#include "cpu/jit/jit_internal.h"

#define CC_SCAN_DEPTH 6
#define FIELD_REGS 16u
#define RESIDENT_WEIGHT_MIN 4 /* fewer uses are as cheap in memory */

static u16 bit(unsigned g)
{
    return g < FIELD_REGS ? (u16)(1u << g) : 0;
}

/* ---- registers ---- */

struct weights {
    u64 all[16], write32[16], wide[16];
};

static void weigh(const struct jit_cx *x, struct weights *w)
{
    memset(w, 0, sizeof *w);
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        u64 unit = 1ull << (3 * b->depth);
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
            const struct jit_insn *in = &x->insn[i];
            for (unsigned g = 0; g < 16; g++) {
                w->all[g] += unit * (in->reads >> g & 1u) + unit * (in->writes >> g & 1u);
                w->write32[g] += unit * ((in->writes & ~in->writes64) >> g & 1u);
                w->wide[g] += unit * (in->reads64 >> g & 1u) + unit * (in->writes64 >> g & 1u);
            }
        }
    }
}

static void hosts_assign(struct jit_cx *x)
{
    static const s8 pool[] = {RBX, R12, R8, R9, R10, R11, RSI, RDI, R13, R14};
    struct weights w;
    weigh(x, &w);
    for (unsigned g = 0; g < 17; g++)
        x->host[g] = HOST_NONE;
    x->resident = x->low_class = 0;
    unsigned room = ARRAY_LEN(pool) - x->windows - x->select_temps;
    for (unsigned k = 0; k < x->select_temps; k++)
        x->temp[k] = pool[room + k];
    for (unsigned k = 0; k < room; k++) {
        unsigned best = 0;
        for (unsigned g = 1; g < 16; g++)
            if (w.all[g] > w.all[best])
                best = g;
        if (w.all[best] < RESIDENT_WEIGHT_MIN)
            break;
        w.all[best] = 0;
        x->host[best] = pool[k];
        x->resident |= bit(best);
        if (w.write32[best] > w.wide[best])
            x->low_class |= bit(best);
    }
}

static void dirty_find(struct jit_cx *x)
{
    u16 out[REGION_BLOCKS_MAX];
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        u16 w = 0;
        bool fn = false;
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
            if (!x->insn[i].lo)
                w = 0, fn = true;
            w |= x->insn[i].writes;
        }
        out[k] = w & x->resident;
        x->block[k].dirty_in = 0;
        x->block[k].fn = fn;
        x->written |= out[k];
    }
    for (bool again = true; again;) {
        again = false;
        for (unsigned k = 0; k < x->blocks; k++) {
            struct jit_block *b = &x->block[k];
            u16 now = out[k] | (b->fn ? 0 : b->dirty_in);
            for (unsigned s = 0; s < REGION_WAYS; s++) {
                int to = region_way(b, s);
                if (to < 0 || (x->block[to].dirty_in | now) == x->block[to].dirty_in)
                    continue;
                x->block[to].dirty_in |= now;
                again = true;
            }
        }
    }
}

/* Registers that must be loaded where the region is entered: read before they are written, or
 * stored on some way out without having been written on the way there. */
static u16 loads_of_block(struct jit_cx *x, const struct jit_block *b, u16 have)
{
    x->load |= b->dirty_in & (u16)~have;
    have |= x->load;
    for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
        const struct jit_insn *in = &x->insn[i];
        x->load |= in->reads & (u16)~have;
        have = in->lo ? (u16)(have | in->writes | x->load) : (u16)0xffff;
    }
    return have;
}

static void loads_find(struct jit_cx *x)
{
    u16 have[REGION_BLOCKS_MAX]; /* valid for certain where a block begins */
    memset(have, 0xff, sizeof have);
    have[x->slot_block[x->entry_slot]] = 0;
    x->load = 0;
    for (bool again = true; again;) {
        again = false;
        for (unsigned k = 0; k < x->blocks; k++) {
            const struct jit_block *b = &x->block[k];
            u16 before = x->load, out = loads_of_block(x, b, have[k] | x->load);
            again |= x->load != before;
            for (unsigned s = 0; s < REGION_WAYS; s++) {
                int to = region_way(b, s);
                if (to < 0 || (have[to] & out) == have[to])
                    continue;
                have[to] &= out;
                again = true;
            }
        }
    }
    x->load &= x->resident;
}

/* ---- the condition code ---- */

/* May control leave the region behind this block? A branch backward does when the budget is spent:
 * what nobody in the region asks for is asked for there. */
static bool leaves(const struct jit_cx *x, const struct jit_block *b)
{
    const struct jit_insn *last = region_last(x, b);
    bool branch_out =
        !last->lo || (last->lo->op >= OP_BC && (b->taken < 0 || last->lo->op == OP_BASR));
    bool backward = b->taken >= 0 && &x->block[b->taken] <= b;
    return b->fall < 0 || branch_out || backward || region_crosses(x, b, b->taken);
}

static void cc_live_find(struct jit_cx *x)
{
    for (bool again = true; again;) {
        again = false;
        for (unsigned k = x->blocks; k-- > 0;) {
            struct jit_block *b = &x->block[k];
            if (b->cc_live_in)
                continue;
            unsigned i = b->first, end = i + b->count;
            while (i < end && !x->insn[i].faults && !x->insn[i].cc_use && !x->insn[i].cc_def)
                i++;
            bool live = i < end ? x->insn[i].faults || x->insn[i].cc_use : leaves(x, b);
            for (unsigned s = 0; s < REGION_WAYS && i == end; s++)
                live |= region_way(b, s) >= 0 && x->block[region_way(b, s)].cc_live_in;
            if (live)
                b->cc_live_in = again = true;
        }
    }
}

u16 cc_operands(const struct jit_insn *i, bool *again)
{
    const struct lowering *lo = i->lo;
    *again = false;
    if (lo->op >= OP_ADC && lo->op < OP_BC)
        return 0;
    *again = true;
    if (lo->cc == CCK_FP) /* kept apart */
        return 0;
    if (lo->a == S_MEM || lo->b == S_MEM || lo->b == S_REL)
        *again = lo->op != OP_CMP && lo->op != OP_TM && lo->cc != CCK_ARITH &&
                 lo->cc != CCK_CARRY && lo->cc != CCK_BORROW;
    u16 result = lo->dst == S_R1 ? bit(i->d.r1) : 0;
    u16 a = bit(jit_reg(&i->d, lo->a)), b = bit(jit_reg(&i->d, lo->b));
    if (lo->op == OP_CMP || lo->op == OP_TM)
        return a | b;
    if (lo->cc == CCK_LOGIC || lo->cc == CCK_SIGNED)
        return result;
    if (lo->op == OP_NEG || (result & b))
        *again = false; /* the second operand is gone */
    return result | b;
}

struct cc_scan {
    const struct jit_insn *of;
    u16 operands;
    bool again; /* what it was made from is still there */
    enum cc_need need;
};

static bool scan_ask(struct cc_scan *s)
{
    s->need = s->again ? CC_STUBS : CC_MEMORY;
    return !s->again;
}

/* One block from instruction i on. True when the answer is final along this path. */
static bool scan_block(const struct jit_cx *x, struct cc_scan *s, const struct jit_block *b,
                       unsigned i, bool fresh)
{
    for (; i < b->first + (unsigned)b->count; i++, fresh = false) {
        const struct jit_insn *in = &x->insn[i];
        if (in->cc_use && !in->lo) {
            s->need = CC_MEMORY;
            return true;
        }
        if ((in->faults || (in->cc_use && !fresh)) && scan_ask(s))
            return true;
        if (in->cc_def)
            return true;
        if (in->writes & s->operands)
            s->again = false;
    }
    return false;
}

static void scan_path(const struct jit_cx *x, struct cc_scan *s, const struct jit_block *b,
                      unsigned i, bool fresh, unsigned depth)
{
    if (scan_block(x, s, b, i, fresh))
        return;
    if (leaves(x, b) && scan_ask(s))
        return;
    for (unsigned k = 0; k < REGION_WAYS && s->need != CC_MEMORY; k++) {
        int to = region_way(b, k);
        const struct jit_block *t = to < 0 ? NULL : &x->block[to];
        if (!t || !t->cc_live_in)
            continue;
        if (t->preds != 1 || t <= b || depth == 0) {
            s->need = CC_MEMORY;
            return;
        }
        struct cc_scan sub = *s;
        scan_path(x, &sub, t, t->first, false, depth - 1);
        if (sub.need > s->need)
            s->need = sub.need;
    }
}

enum cc_need region_cc_need(const struct jit_cx *x, unsigned i)
{
    struct cc_scan s = {.of = &x->insn[i], .need = CC_DEAD};
    s.operands = cc_operands(s.of, &s.again);
    scan_path(x, &s, &x->block[x->cur_block], i + 1, true, CC_SCAN_DEPTH);
    return s.need;
}

void region_analyse(struct jit_cx *x)
{
    x->written = 0;
    windows_find(x);
    cc_live_find(x);
    select_find(x);
    hosts_assign(x);
    select_check(x);
    dirty_find(x);
    loads_find(x);
}
