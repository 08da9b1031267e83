/* Anchors and windows: storage operands of one base register behind one look-up in the TLB.
 * A base register that seldom changes has an anchor: the CPU keeps its value and the host address
 * of what it points to (cpu->jit_anchor), and a block's first operand compares the value. It is
 * void where the region is entered and behind bodies. An anchor covers all that the region
 * fetches, or all that it stores, near the base register. When that lies across a page's end, or
 * in a frame that must be looked at with every store, the region is made again without.
 * Inside a block, operands whose base register keeps its value and which lie close together are
 * found with the first of them: their whole range must be in one page that the TLB has, then a
 * host register holds the host address of the base. When it is not so, the region is left to the
 * interpreter at that instruction, which has the exception by itself. Deep regions have the rest
 * of the block once more, without windows, for a range that crosses into another page which the
 * TLB has too: a stack frame may lie so in each round of a loop.
 * [W1] Translations in use stay valid until the block ends: purges of other CPUs are carried out
 * between stretches, own ones by bodies, and a body closes all windows.
 * [W2] A window made for storing serves fetches too (who may store may fetch; R comes with C). */
#include "cpu/jit/emit_internal.h"

#define WINDOW_BYTES_MAX 512 /* the wider, the more often it crosses a page */

static bool floating(const struct jit_insn *i)
{
    return i->lo->op >= OP_FADD && i->lo->op <= OP_FINT;
}

/* Bytes of the storage operand when a window may serve it, or 0. */
static unsigned operand_bytes(const struct jit_insn *i)
{
    if (!i->lo || i->base >= ZERO_REG || i->index != ZERO_REG)
        return 0;
    if (floating(i))
        return i->lo->b == S_MEM ? ext_size(i->lo->ext) : 0;
    switch (i->lo->op) {
    case OP_LM:
    case OP_STM: return ext_size(i->lo->ext) * (((i->d.r3 - i->d.r1) & 15u) + 1);
    case OP_MOV:
    case OP_ADD:
    case OP_SUB:
    case OP_AND:
    case OP_OR:
    case OP_XOR:
    case OP_MUL:
    case OP_CMP:
    case OP_TEST:
    case OP_TM:
    case OP_IC:
    case OP_STORE: return i->lo->a == S_MEM || i->lo->b == S_MEM ? ext_size(i->lo->ext) : 0;
    default: return 0;
    }
}

static bool stores(const struct jit_insn *i)
{
    return i->lo->op == OP_STORE || i->lo->op == OP_STM || i->lo->op == OP_FSTORE;
}

/* ---- anchors ---- */

#define ANCHOR_BYTES_MAX 512
#define ANCHOR_CANDIDATES 32u
#define ANCHOR_SAVES 8   /* host instructions an operand */
#define ANCHOR_CHECK 3   /* and what it costs: a comparison, */
#define ANCHOR_CHANGE 25 /* setting it, */
#define ANCHOR_ENTRY 4   /* which costs so often as much where the code for it is cold, */
#define ANCHOR_LOOP 8    /* a loop saves more than is known of it */

struct candidate {
    struct jit_anchor a;
    u64 saves, costs;
    unsigned block; /* of its last operand, + 1 */
};

static bool same_kind(const struct jit_anchor *a, const struct jit_insn *i)
{
    return a->base == i->base && a->store == stores(i);
}

static bool anchor_covers(const struct jit_anchor *a, const struct jit_insn *i, unsigned bytes)
{
    return same_kind(a, i) && i->disp >= a->from && i->disp + (s32)bytes <= a->to;
}

/* The candidate that serves an operand, made wider or anew; or NULL. */
static struct candidate *candidate_for(struct candidate *c, unsigned *n,
                                       const struct jit_insn *i)
{
    s32 bytes = (s32)operand_bytes(i);
    for (unsigned k = 0; k < *n; k++) {
        struct jit_anchor *a = &c[k].a;
        s32 from = i->disp < a->from ? i->disp : a->from;
        s32 to = i->disp + bytes > a->to ? i->disp + bytes : a->to;
        if (!same_kind(a, i) || to - from > ANCHOR_BYTES_MAX)
            continue;
        a->from = from;
        a->to = to;
        return &c[k];
    }
    if (*n == ANCHOR_CANDIDATES)
        return NULL;
    c[*n] = (struct candidate){
        .a = {i->base, stores(i), i->disp, i->disp + (bytes > 1 ? bytes : 2)}};
    return &c[(*n)++];
}

static unsigned candidates_find(const struct jit_cx *x, struct candidate *c)
{
    unsigned n = 0;
    u64 changes[16] = {0}, bodies = ANCHOR_ENTRY;
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
            const struct jit_insn *in = &x->insn[i];
            for (unsigned w = in->writes; w; w &= w - 1)
                changes[__builtin_ctz(w)] += block_unit(b) * (b->depth ? ANCHOR_LOOP : 1);
            bodies += in->lo ? 0 : block_unit(b) * (b->depth ? ANCHOR_LOOP : 1);
            struct candidate *of = operand_bytes(in) ? candidate_for(c, &n, in) : NULL;
            if (!of)
                continue;
            u64 unit = block_unit(b) * (b->depth ? ANCHOR_LOOP : 1);
            of->saves += ANCHOR_SAVES * unit;
            of->costs += of->block == k + 1 ? 0 : ANCHOR_CHECK * unit;
            of->block = k + 1;
        }
    }
    for (unsigned k = 0; k < n; k++)
        c[k].costs += ANCHOR_CHANGE * (changes[c[k].a.base] + bodies);
    return n;
}

static void anchors_choose(struct jit_cx *x, u16 unfit)
{
    struct candidate c[ANCHOR_CANDIDATES];
    unsigned n = candidates_find(x, c);
    while (x->anchors < JIT_ANCHORS) {
        struct candidate *best = NULL;
        for (unsigned k = 0; k < n; k++)
            if (c[k].saves > c[k].costs && !(unfit >> c[k].a.base & 1) &&
                (!best || c[k].saves - c[k].costs > best->saves - best->costs))
                best = &c[k];
        if (!best)
            return;
        x->anchor[x->anchors++] = best->a;
        best->saves = 0;
    }
}

static unsigned anchor_of(const struct jit_cx *x, const struct jit_insn *i)
{
    unsigned bytes = operand_bytes(i);
    for (unsigned k = 0; bytes && k < x->anchors; k++)
        if (anchor_covers(&x->anchor[k], i, bytes))
            return k + 1;
    return 0;
}

/* Anchors that are set for certain behind an instruction, of those in `set` before it. */
static u8 anchors_behind(const struct jit_cx *x, const struct jit_insn *i, u8 set)
{
    if (i->anchor)
        set |= (u8)(1u << (i->anchor - 1));
    for (unsigned k = 0; k < x->anchors; k++)
        if (!i->lo || (i->writes >> x->anchor[k].base & 1))
            set &= (u8) ~(1u << k);
    return set;
}

static u8 anchors_of_block(struct jit_cx *x, const struct jit_block *b, u8 set)
{
    for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
        struct jit_insn *in = &x->insn[i];
        if (in->anchor) {
            in->anchor_check = !(set >> (in->anchor - 1) & 1);
            in->faults = in->anchor_check || (floating(in) && fp_may_call(in));
        }
        set = anchors_behind(x, in, set);
    }
    return set;
}

/* Where an anchor must be compared: not where it has been on all ways. */
static void anchors_check(struct jit_cx *x)
{
    u8 set[REGION_BLOCKS_MAX], sets[REGION_BLOCKS_MAX], keeps[REGION_BLOCKS_MAX];
    memset(set, 0xff, sizeof set);
    set[x->slot_block[x->entry_slot]] = 0;
    for (unsigned k = 0; k < x->blocks; k++) {
        sets[k] = anchors_of_block(x, &x->block[k], 0);
        keeps[k] = anchors_of_block(x, &x->block[k], 0xff);
    }
    for (bool again = true; again;) {
        again = false;
        for (unsigned k = 0; k < x->blocks; k++) {
            u8 out = sets[k] | (set[k] & keeps[k]);
            for (unsigned s = 0; s < REGION_WAYS; s++) {
                int to = region_way(&x->block[k], s);
                if (to < 0 || (set[to] & out) == set[to])
                    continue;
                set[to] &= out;
                again = true;
            }
        }
    }
    for (unsigned k = 0; k < x->blocks; k++)
        anchors_of_block(x, &x->block[k], set[k]);
}

static void anchors_find(struct jit_cx *x)
{
    x->anchors = 0;
    anchors_choose(x, jit_unfit(x->jit, &x->page->slot[x->entry_slot])->bases);
    for (unsigned i = 0; i < x->insns && x->anchors; i++)
        x->insn[i].anchor = (u8)anchor_of(x, &x->insn[i]);
    if (x->anchors)
        anchors_check(x);
}

s32 anchor_none(const struct jit_anchor *a)
{
    return FRAME_BYTES - 1 - a->from;
}

/* ---- windows ---- */

struct plan {
    bool open;
    bool store;
    u8 base;
    s32 from, to;
    unsigned last; /* instruction that uses it */
};

/* What a window opened at instruction i would serve; false when nothing but i itself. */
static bool plan_at(const struct jit_cx *x, unsigned i, unsigned end, struct plan *p)
{
    const struct jit_insn *first = &x->insn[i];
    unsigned users = 1;
    *p = (struct plan){.open = true,
                       .store = stores(first),
                       .base = first->base,
                       .from = first->disp,
                       .to = first->disp + (s32)operand_bytes(first),
                       .last = i};
    for (unsigned k = i; k + 1 < end && !(x->insn[k].writes >> p->base & 1); k++) {
        const struct jit_insn *in = &x->insn[k + 1];
        unsigned bytes = operand_bytes(in);
        if (!in->lo)
            break;
        if (!bytes || in->anchor || in->base != p->base || (stores(in) && !p->store))
            continue;
        s32 from = in->disp < p->from ? in->disp : p->from;
        s32 to = in->disp + (s32)bytes > p->to ? in->disp + (s32)bytes : p->to;
        if (to - from > WINDOW_BYTES_MAX)
            continue;
        p->from = from;
        p->to = to;
        p->last = k + 1;
        users++;
    }
    return users > 1;
}

static bool serves(const struct plan *p, const struct jit_insn *i, unsigned bytes)
{
    return p->open && p->base == i->base && (p->store || !stores(i)) && i->disp >= p->from &&
           i->disp + (s32)bytes <= p->to;
}

static void window_open(struct jit_cx *x, struct jit_insn *in, const struct plan *p, unsigned w)
{
    in->window = (u8)(w + 1);
    in->window_opens = true;
    in->window_store = p->store;
    in->window_from = p->from;
    in->window_bytes = (u16)(p->to - p->from);
    if (x->windows < w + 1)
        x->windows = w + 1;
}

static void plan_operand(struct jit_cx *x, struct plan *plans, unsigned i, unsigned end)
{
    struct jit_insn *in = &x->insn[i];
    unsigned bytes = operand_bytes(in);
    struct plan p;
    if (!bytes || in->anchor)
        return;
    for (unsigned w = 0; w < WINDOWS_MAX; w++) {
        if (serves(&plans[w], in, bytes)) {
            in->window = (u8)(w + 1);
            in->faults = floating(in) && fp_may_call(in);
            return;
        }
    }
    if (!plan_at(x, i, end, &p))
        return;
    for (unsigned w = 0; w < WINDOWS_MAX; w++) {
        if (plans[w].open && plans[w].last > i)
            continue;
        plans[w] = p;
        window_open(x, in, &p, w);
        return;
    }
}

void windows_find(struct jit_cx *x)
{
    x->windows = x->anchors = 0;
    if ((x->mode & JIT_MODE_AMODE) != JIT_MODE_64)
        return; /* addresses wrap */
    anchors_find(x);
    for (unsigned k = 0; k < x->blocks; k++) {
        struct plan plans[WINDOWS_MAX] = {{0}};
        const struct jit_block *b = &x->block[k];
        unsigned end = b->first + (unsigned)b->count;
        for (unsigned i = b->first; i < end; i++) {
            const struct jit_insn *in = &x->insn[i];
            plan_operand(x, plans, i, end);
            for (unsigned w = 0; w < WINDOWS_MAX; w++)
                if (!in->lo || (in->writes >> plans[w].base & 1))
                    plans[w].open = false;
        }
    }
}

/* Each operand behind the first saves a look-up. */
u64 window_gain(const struct jit_cx *x, unsigned w)
{
    u64 gain = 0;
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++)
            if (x->insn[i].window == w && !x->insn[i].window_opens)
                gain += ANCHOR_SAVES * block_unit(b);
    }
    return gain;
}

void window_drop(struct jit_cx *x, unsigned w)
{
    for (unsigned i = 0; i < x->insns; i++)
        if (x->insn[i].window == w) {
            x->insn[i].window = 0;
            x->insn[i].window_opens = false;
            x->insn[i].faults = true;
        }
}

unsigned window_host(unsigned window)
{
    return window == 1 ? R14 : R13;
}

/* Is the page in the TLB now? */
static bool page_fill(struct cpu *c, u64 addr, bool store)
{
    struct tlb_space *sp = c->space[0];
    const struct tlb_entry *e =
        store ? &sp->store[tlb_index(addr)] : &sp->fetch[tlb_index(addr)];
    u64 page = addr & ~(u64)(FRAME_BYTES - 1);
    return e->tag == page ||
           (cpu_translate(c, sp, addr, store ? TLB_STORE : TLB_FETCH) == 0 && e->tag == page);
}

enum window_fill jit_window_fill(struct cpu *c, u64 from, u64 bytes, bool store)
{
    u64 last = from + bytes - 1;
    bool one = ((from ^ last) & ~(u64)(FRAME_BYTES - 1)) == 0;
    if (!page_fill(c, from, store) || (!one && !page_fill(c, last, store)))
        return WINDOW_NOT;
    return one ? WINDOW_FILLED : WINDOW_CROSSES;
}

/* ---- anchors, called by translated code ---- */

u64 anchor_packed(const struct jit_cx *x, unsigned k)
{
    const struct jit_anchor *a = &x->anchor[k];
    return (u32)a->from | (u64)(a->to - a->from) << 32 | (u64)a->store << 48 | (u64)k << 49 |
           (u64)a->base << 56;
}

/* Is the page one that can be addressed, but not behind the TLB's back? */
static bool never_entered(struct cpu *c, u64 addr, bool store)
{
    struct tlb_space *sp = c->space[0];
    return cpu_translate(c, sp, addr, store ? TLB_STORE : TLB_FETCH) == 0;
}

int jit_anchor_fill(struct cpu *c, u64 base, u64 what, const struct dinsn *entry)
{
    u64 from = base + (u64)(s64)(s32)what, last = from + (what >> 32 & 0xffff) - 1;
    bool store = what >> 48 & 1;
    unsigned k = what >> 49 & 0x7f;
    struct tlb_space *sp = c->space[0];
    bool one = ((from ^ last) & ~(u64)(FRAME_BYTES - 1)) == 0;
    if (one && page_fill(c, from, store)) {
        const struct tlb_entry *e =
            store ? &sp->store[tlb_index(from)] : &sp->fetch[tlb_index(from)];
        c->jit_anchor[k].base = base;
        c->jit_anchor[k].host = base + e->addend;
        return 1;
    }
    if (!one || never_entered(c, from, store))
        jit_anchor_unfit(c, entry, what >> 56);
    return 0;
}
