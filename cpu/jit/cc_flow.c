/* The condition code in a region: where it may be asked for, and in what form it is kept there.
 * An instruction whose condition code nobody asks for before it is set again keeps none. When only
 * out-of-line code may ask, or somebody in line who is not next, they make it again from what it
 * was made from: that stays where it is, or is kept (c->jit_kept), which is one store instead of
 * four or five instructions. Only one condition code counts at a time, so all keep it in the same
 * two cells. Else it is stored.
 * Where ways meet it would have to be stored, in loops once in each round, though most times a
 * fault alone can ask. There c->cc is a mark instead, one store without computing: that the
 * condition code is that of a certain instruction, from operands that are still what they were.
 * [C1] c->cc is a mark only inside a region, where a block's cc_maybe tells so: whatever leaves
 * the region or calls C looks at it first (cc_store_now). A block with several ways in is told
 * what may be there, a condition code or one of these marks.
 * [C2] From where ways meet to where a mark may be asked for all blocks have their registers in
 * the same places, and none writes its operands before it is asked for the last time.
 * A comparison with storage keeps the operand that it has fetched (c->jit_kept), so that it can be
 * made again. */
#include "cpu/jit/jit_internal.h"

#define CC_SCAN_DEPTH 6
#define FIELD_REGS 16u
#define MARKS_HERE 2 /* at most, where ways meet: out-of-line code asks for each */

static u16 bit(unsigned g)
{
    return g < FIELD_REGS ? (u16)(1u << g) : 0;
}

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

/* ... and is that what usually happens? Then what is asked for there is made in line. */
static bool leaves_mostly(const struct jit_cx *x, const struct jit_block *b)
{
    const struct jit_insn *last = region_last(x, b);
    return !last->lo || (b->fall < 0 && b->taken < 0) ||
           (last->lo->op >= OP_BC && last->target < 0);
}

void cc_live_find(struct jit_cx *x)
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
            for (unsigned s = 0; s < region_ways(b) && i == end; s++)
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
    if ((lo->a == S_MEM || lo->b == S_MEM || lo->b == S_REL) && !i->cc_kept)
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

/* Can what an instruction makes its condition code from be kept? See cc_keep_first (emit_cc.c). */
static bool keepable(const struct jit_insn *i)
{
    const struct lowering *lo = i->lo;
    if (!lo || lo->cc == CCK_FP)
        return false;
    switch (lo->op) {
    case OP_ADD:
    case OP_SUB:
    case OP_AND:
    case OP_OR:
    case OP_XOR:
    case OP_TEST: return lo->dst == S_R1;
    case OP_CMP: return true;
    default: return false;
    }
}

struct cc_scan {
    const struct jit_insn *of;
    u16 operands;
    u16 written; /* of these, on the way to here; by the last place that asks */
    u16 gone;
    bool again; /* it can be made again, of operands that are there, ... */
    bool keeps; /* ... or when they are kept */
    enum cc_need need;
};

/* Somebody asks; `keeps`: it pays to keep what it is made from. */
static bool scan_ask(struct cc_scan *s, bool keeps)
{
    bool again = keeps || (s->again && !s->written);
    s->need = again ? CC_STUBS : CC_MEMORY;
    s->gone |= s->written;
    return !again;
}

/* One block from instruction i on. True when the answer is final along this path. */
static bool scan_block(const struct jit_cx *x, struct cc_scan *s, const struct jit_block *b,
                       unsigned i, bool fresh)
{
    for (; i < b->first + (unsigned)b->count; i++) {
        const struct jit_insn *in = &x->insn[i];
        if (in->cc_use && !in->lo) {
            s->need = CC_MEMORY;
            return true;
        }
        if ((in->faults || (in->cc_use && !fresh)) && scan_ask(s, s->keeps))
            return true;
        if (in->cc_def)
            return true;
        s->written |= in->writes & s->operands;
        fresh &= cc_keeps_flags(in);
    }
    return false;
}

/* Is `t` not told what is known behind `b`? See block_known (emit.c). */
static bool merges(const struct jit_block *b, const struct jit_block *t)
{
    return t->preds != 1 || t <= b;
}

static void scan_path(const struct jit_cx *x, struct cc_scan *s, const struct jit_block *b,
                      unsigned i, bool fresh, unsigned depth)
{
    if (scan_block(x, s, b, i, fresh))
        return;
    if (leaves(x, b) && scan_ask(s, s->keeps && !leaves_mostly(x, b)))
        return;
    for (unsigned k = 0; k < REGION_WAYS && s->need != CC_MEMORY; k++) {
        int to = region_way(b, k);
        const struct jit_block *t = to < 0 ? NULL : &x->block[to];
        if (!t || !t->cc_live_in)
            continue;
        if (merges(b, t) || depth == 0) {
            s->need = CC_MEMORY;
            return;
        }
        struct cc_scan sub = *s;
        scan_path(x, &sub, t, t->first, false, depth - 1);
        s->gone |= sub.gone;
        if (sub.need > s->need)
            s->need = sub.need;
    }
}

/* In *gone, the operands that will not be there any more where somebody asks. */
static enum cc_need need_in(const struct jit_cx *x, const struct jit_block *b, unsigned i,
                            u16 *gone)
{
    struct cc_scan s = {.of = &x->insn[i], .need = CC_DEAD};
    s.operands = cc_operands(s.of, &s.again);
    s.keeps = keepable(s.of);
    scan_path(x, &s, b, i + 1, true, CC_SCAN_DEPTH);
    *gone = s.gone;
    return s.need;
}

enum cc_need region_cc_need(const struct jit_cx *x, unsigned i)
{
    u16 gone;
    return x->insn[i].cc_mark ? CC_MARK : need_in(x, &x->block[x->cur_block], i, &gone);
}

u8 region_cc_keeps(const struct jit_cx *x, unsigned i)
{
    const struct jit_insn *in = &x->insn[i];
    const struct lowering *lo = in->lo;
    u16 gone, result = bit(in->d.r1), b = bit(jit_reg(&in->d, lo->b));
    if (in->cc_mark || !in->cc_def || !keepable(in) ||
        need_in(x, &x->block[x->cur_block], i, &gone) != CC_STUBS)
        return 0;
    bool memory = (lo->b == S_MEM || lo->b == S_REL) && !in->cc_kept;
    if (lo->op == OP_CMP) {
        bool first = (gone & bit(jit_reg(&in->d, lo->a))) || (lo->a == S_MEM && !in->cc_kept);
        return (first ? CC_KEEPS_FIRST : 0) | ((gone & b) || memory ? CC_KEEPS_SECOND : 0);
    }
    u8 first = gone & result ? CC_KEEPS_FIRST : 0;
    if (lo->cc == CCK_LOGIC || lo->cc == CCK_SIGNED)
        return first;
    return first | ((b & (gone | result)) || memory ? CC_KEEPS_SECOND : 0);
}

/* ---- marks ---- */

/* From where ways meet: every place where a mark may be asked for. */
struct mark_walk {
    const struct jit_cx *x;
    u16 operands;
    u8 zone;
    u16 todo[2 * REGION_BLOCKS_MAX];
    unsigned tail;
    u8 seen[REGION_BLOCKS_MAX]; /* 1: with its operands as they were, 2: without */
    bool met[REGION_BLOCKS_MAX];
};
#define TODO_GONE 0x4000u

enum walk_end { WALK_ON, WALK_DONE, WALK_BAD };

/* Instructions from i on to the end of a block, until the condition code is set again. `told`: the
 * block knows whose it is; else it may not be used in line. `there`: operands are as they were. */
static enum walk_end walk_insns(const struct jit_cx *x, u16 operands, const struct jit_block *b,
                                unsigned i, bool told, bool *there)
{
    bool fresh = i != b->first;
    for (; i < b->first + (unsigned)b->count; i++) {
        const struct jit_insn *in = &x->insn[i];
        if (!in->lo || (in->cc_use && !told))
            return WALK_BAD;
        if ((in->faults || (in->cc_use && !fresh)) && !*there)
            return WALK_BAD;
        if (in->cc_def)
            return WALK_DONE;
        if (in->writes & operands)
            *there = false;
        fresh &= cc_keeps_flags(in);
    }
    return leaves(x, b) && !*there ? WALK_BAD : WALK_ON;
}

static bool walk_to(struct mark_walk *w, unsigned to, bool there)
{
    const struct jit_block *t = &w->x->block[to];
    w->met[to] = true;
    if (t->zone != w->zone)
        return false;
    if (w->seen[to] & (there ? 1 : 2))
        return true;
    w->seen[to] |= there ? 1 : 2;
    w->todo[w->tail++] = (u16)(to | (there ? 0 : TODO_GONE));
    return true;
}

static bool walk_on(struct mark_walk *w, const struct jit_block *b, bool there)
{
    for (unsigned k = 0; k < region_ways(b); k++) {
        int to = region_way(b, k);
        if (to >= 0 && w->x->block[to].cc_live_in && !walk_to(w, (unsigned)to, there))
            return false;
    }
    return true;
}

/* May the mark be there where ways meet in block `at`? */
static bool mark_walk(struct mark_walk *w, unsigned at)
{
    w->tail = 0;
    memset(w->seen, 0, sizeof w->seen);
    memset(w->met, 0, sizeof w->met);
    if (!walk_to(w, at, true))
        return false;
    for (unsigned head = 0; head < w->tail; head++) {
        const struct jit_block *b = &w->x->block[w->todo[head] & (TODO_GONE - 1)];
        bool there = !(w->todo[head] & TODO_GONE);
        enum walk_end end = walk_insns(w->x, w->operands, b, b->first, false, &there);
        if (end == WALK_BAD || (end == WALK_ON && !walk_on(w, b, there)))
            return false;
    }
    for (unsigned k = 0; k < w->x->blocks; k++)
        if (w->met[k] && __builtin_popcount(w->x->block[k].cc_maybe) == MARKS_HERE)
            return false;
    return true;
}

/* Where what an instruction has set is told no more. */
struct told {
    u16 meets[REGION_BLOCKS_MAX];
    unsigned count;
};

/* Follow the ways from instruction i of block b on that are told; false: it must be in memory. */
static bool told_follow(const struct jit_cx *x, u16 operands, const struct jit_block *b,
                        unsigned i, struct told *t, unsigned depth)
{
    bool there = true;
    enum walk_end end = walk_insns(x, operands, b, i, true, &there);
    if (end != WALK_ON)
        return end == WALK_DONE;
    for (unsigned k = 0; k < region_ways(b); k++) {
        int to = region_way(b, k);
        const struct jit_block *next = to < 0 ? NULL : &x->block[to];
        if (!next || !next->cc_live_in)
            continue;
        if (!there || depth == 0)
            return false;
        if (!merges(b, next)) {
            if (!told_follow(x, operands, next, next->first, t, depth - 1))
                return false;
        } else if (t->count < ARRAY_LEN(t->meets)) {
            t->meets[t->count++] = (u16)to;
        }
    }
    return true;
}

/* Of the places where ways meet those that may hold the mark get it; others have the condition
 * code stored on the way there (cc_settle). */
static void mark_try(struct jit_cx *x, const struct jit_block *b, unsigned i, u16 operands)
{
    struct mark_walk w = {.x = x, .operands = operands, .zone = b->zone};
    struct told t = {.count = 0};
    u16 mark = (u16)(1u << x->marks);
    int well = -1, ill = -1; /* depth of the deepest */
    if (!told_follow(x, operands, b, i + 1, &t, CC_SCAN_DEPTH))
        return;
    for (unsigned k = 0; k < t.count; k++) {
        struct jit_block *to = &x->block[t.meets[k]];
        bool may = (to->cc_maybe & mark) || mark_walk(&w, t.meets[k]);
        int *deepest = may ? &well : &ill;
        if (to->depth > *deepest)
            *deepest = to->depth;
        for (unsigned m = 0; may && m < x->blocks; m++)
            if (w.met[m])
                x->block[m].cc_maybe |= mark;
    }
    if (well >= ill && well >= 0) {
        x->marked[x->marks++] = (u16)i;
        x->insn[i].cc_mark = (u8)x->marks;
        return;
    }
    for (unsigned m = 0; m < x->blocks; m++)
        x->block[m].cc_maybe &= (u16)~mark;
}

/* A comparison with storage can be made again when the operand is kept. */
static bool can_keep(const struct jit_insn *i)
{
    return i->lo->op == OP_CMP && (i->lo->a == S_MEM || i->lo->b == S_MEM);
}

/* Instruction i, the last of its block to set the condition code. */
static void mark_find(struct jit_cx *x, const struct jit_block *b, unsigned i)
{
    struct jit_insn *in = &x->insn[i];
    bool again;
    u16 gone;
    if (!in->lo || in->lo->cc == CCK_FP)
        return;
    if (can_keep(in) && x->kept < CC_MARKS_MAX)
        in->cc_kept = (u8)(x->kept + 1);
    u16 operands = cc_operands(in, &again);
    enum cc_need need = need_in(x, b, i, &gone);
    if (again && need == CC_MEMORY)
        mark_try(x, b, i, operands);
    if (need != CC_STUBS && !in->cc_mark)
        in->cc_kept = 0;
    x->kept += in->cc_kept != 0;
}

void cc_marks_find(struct jit_cx *x)
{
    x->marks = x->kept = 0;
    if (!x->whole)
        return; /* it is not busy: more code than it saves */
    for (unsigned k = 0; k < x->blocks && x->marks < CC_MARKS_MAX; k++) {
        const struct jit_block *b = &x->block[k];
        if (!b->depth || b->skipped)
            continue;
        for (unsigned i = b->first + (unsigned)b->count; i-- > b->first;)
            if (x->insn[i].cc_def) {
                mark_find(x, b, i);
                break;
            }
    }
}

bool cc_settled(const struct jit_cx *x, unsigned b)
{
    const struct jit_block *t = &x->block[b];
    if (x->cc.in_memory || !t->cc_live_in || !merges(&x->block[x->cur_block], t))
        return true;
    u8 mark = x->cc.of->cc_mark;
    return mark && (t->cc_maybe >> (mark - 1) & 1) && t->zone == x->block[x->cur_block].zone;
}
