/* Anchors: storage operands whose address stays in a page. The CPU keeps the page in which an
 * address was and what makes a host address of addresses there (cpu->jit_anchor), and an operand
 * compares the page. The host guesses that it is the same one, so that no load waits for a look-up
 * in the TLB; what is addressed by registers that have not changed since is not compared again.
 * Anchors take no host register, as windows do (window.c).
 * Some are for a base register that seldom changes (the stack, a structure), all over the region;
 * others for an address that moves in a loop (a pointer that is stepped or follows a list, an
 * index), in that loop, in busy regions where anchors are kept. Anchors are not used where nothing
 * loops: setting one is cold code, which costs more than some rounds save.
 * [A1] An address that is elsewhere too often (once in ANCHOR_RARE rounds of its loop) is better
 * looked up each time: the region is made again without that anchor.
 * [A2] An anchor covers all that is fetched, or all that is stored, near the address. When that
 * lies across a page's end, or in a frame that must be looked at with every store, the region is
 * left to the interpreter at that instruction. When it does again and again, the anchor becomes
 * narrow: each operand asks for itself, and only its own bytes must be in one page; or is given up.
 *   A fetch of bytes that are stored into next is served by the anchor for that store: nothing that
 * could end otherwise is between the two, and who may store may fetch.
 * [A4] Anchors of registers that do not change in a loop in which the region is entered are
 * compared once, where it is entered (way_in.c). What the TLB does not have is not brought there,
 * since nobody knows whether it will be used.
 * [A3] Anchors are void where the region is entered and behind bodies ([W1] in window.c), and all
 * regions share cells, which so stay in the host's cache. But those of a busy region outlive a run
 * of it when it is of a program, or runs without DAT (a kernel that uses DAT purges all the time):
 * the first of its cells has the epoch of the address space in which they were set; there it is
 * compared, and all are void when it is another. An epoch ends before a translation that may be in
 * use does (mem/tlb.c), and no two spaces have the same. */
#include "cpu/jit/emit_internal.h"

#define ANCHOR_BYTES_MAX 512
#define ANCHOR_IDS 64u
#define LOOP_ANY (-2) /* the anchor is for all of the region */
#define ANCHOR_CANDIDATES 128u
#define ANCHORS_COLD 8u  /* in a region that is not busy */
#define ANCHOR_SAVES 8   /* host instructions an operand */
#define ANCHOR_CHECK 4   /* and what it costs: a comparison, */
#define ANCHOR_CHANGE 25 /* setting it, */
#define ANCHOR_ENTRY 4   /* which costs so often as much where the code for it is cold, */
#define ANCHOR_LOOP 8    /* a loop saves more than is known of it */
#define ANCHOR_HOISTED 8 /* comparisons saved, by their blocks' units, for one at the entry */

/* ---- cells ---- */

static bool cells_there(const struct jit_cx *x)
{
    const struct jit *j = x->jit;
    unsigned anchors = x->anchors;
    return !x->keeps || j->cells_free[anchors] ||
           j->cells_used + anchors + 1 <= JIT_ANCHOR_CELLS;
}

bool anchor_cells_take(struct jit_cx *x)
{
    struct jit *j = x->jit;
    struct jit_anchor_now *cell = x->c->jit_anchor;
    unsigned n = x->anchors;
    x->cells = 0;
    if (!n || !x->keeps)
        return true;
    if (!cells_there(x))
        return false;
    x->cells = j->cells_free[n];
    if (x->cells) {
        j->cells_free[n] = (u16)cell[x->cells].host;
    } else {
        x->cells = j->cells_used;
        j->cells_used += n + 1;
    }
    cell[x->cells].base = 0; /* no epoch */
    return true;
}

void anchor_cells_give(struct cpu *c, unsigned cells, unsigned anchors)
{
    if (!cells)
        return;
    c->jit_anchor[cells].host = c->jit->cells_free[anchors];
    c->jit->cells_free[anchors] = (u16)cells;
}

void anchor_cells_forget(struct jit *j)
{
    memset(j->cells_free, 0, sizeof j->cells_free);
    j->cells_used = JIT_ANCHORS + 1; /* the first are for all; 0 ends lists */
}

/* ---- which operands ---- */

struct candidate {
    struct jit_anchor a;
    u64 saves, costs;
    unsigned block; /* of its last operand, + 1 */
};

struct loop {
    int head; /* its first block, or -1: there is none */
    unsigned insns;
};

/* The shortest loop with each block in it. */
static void loops_find(const struct jit_cx *x, struct loop *loop)
{
    for (unsigned k = 0; k < x->blocks; k++)
        loop[k] = (struct loop){-1, x->insns};
    for (unsigned k = 0; k < x->blocks; k++) {
        int to = x->block[k].taken;
        if (to < 0 || to > (int)k)
            continue;
        unsigned n = x->block[k].first + x->block[k].count - x->block[to].first;
        for (unsigned b = (unsigned)to; b <= k; b++)
            if (loop[b].head < 0 || n < loop[b].insns)
                loop[b] = (struct loop){to, n};
    }
}

/* The registers of a storage operand; the second may be ZERO_REG. */
static void address_of(const struct jit_insn *i, u8 *base, u8 *index)
{
    bool swap = i->base >= ZERO_REG;
    *base = swap ? i->index : i->base;
    *index = swap ? ZERO_REG : i->index;
}

static bool same_kind(const struct jit_anchor *a, const struct jit_insn *i, int loop)
{
    u8 base, index;
    address_of(i, &base, &index);
    return a->base == base && a->index == index && a->store == (i->stores || i->stored_next) &&
           (a->loop == LOOP_ANY || a->loop == loop);
}

static bool anchor_covers(const struct jit_anchor *a, const struct jit_insn *i, int loop)
{
    return same_kind(a, i, loop) && i->disp >= a->from && i->disp + (s32)i->served <= a->to;
}

static unsigned id_of(const struct jit_cx *x, const struct jit_anchor *a)
{
    unsigned head = a->loop < 0 ? 0 : x->insn[x->block[a->loop].first].slot;
    return (a->base + 3u * a->index + 5u * a->store + 7 * head + (a->loop == LOOP_ANY)) %
           ANCHOR_IDS;
}

/* The candidate that serves an operand, made wider or anew; or NULL. */
static struct candidate *candidate_for(const struct jit_cx *x, struct candidate *c, unsigned *n,
                                       const struct jit_insn *i, struct loop in, int loop)
{
    s32 bytes = (s32)i->served;
    for (unsigned k = 0; k < *n; k++) {
        struct jit_anchor *a = &c[k].a;
        if (!same_kind(a, i, loop))
            continue;
        s32 from = i->disp < a->from ? i->disp : a->from;
        s32 to = i->disp + bytes > a->to ? i->disp + bytes : a->to;
        if (to - from > ANCHOR_BYTES_MAX)
            continue;
        a->from = from;
        a->to = to;
        a->bytes = bytes > (s32)a->bytes ? (unsigned)bytes : a->bytes;
        a->round = in.insns < a->round ? in.insns : a->round;
        return &c[k];
    }
    if (*n == ANCHOR_CANDIDATES)
        return NULL;
    c[*n] = (struct candidate){.a = {.loop = (s16)loop,
                                     .store = i->stores || i->stored_next,
                                     .from = i->disp,
                                     .to = i->disp + bytes,
                                     .bytes = (unsigned)bytes,
                                     .round = in.insns}};
    address_of(i, &c[*n].a.base, &c[*n].a.index);
    c[*n].a.id = (u8)id_of(x, &c[*n].a);
    return &c[(*n)++];
}

static u64 unit_of(const struct jit_block *b)
{
    return block_unit(b) * (b->depth ? ANCHOR_LOOP : 1);
}

/* Base registers that seldom change. */
static unsigned candidates_of_region(const struct jit_cx *x, const struct loop *loops,
                                     struct candidate *c)
{
    unsigned n = 0;
    u64 changes[16] = {0}, bodies = ANCHOR_ENTRY;
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        struct loop loop = loops[k];
        u64 unit = unit_of(b);
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
            const struct jit_insn *in = &x->insn[i];
            for (unsigned w = in->writes; w; w &= w - 1)
                changes[__builtin_ctz(w)] += unit;
            bodies += in->lo ? 0 : unit;
            struct candidate *of =
                operand_bytes(in) ? candidate_for(x, c, &n, in, loop, LOOP_ANY) : NULL;
            if (!of)
                continue;
            of->saves += ANCHOR_SAVES * unit;
            of->costs += of->block == k + 1 ? 0 : ANCHOR_CHECK * unit;
            of->block = k + 1;
        }
    }
    for (unsigned k = 0; k < n; k++)
        c[k].costs += ANCHOR_CHANGE * (changes[c[k].a.base] + bodies);
    return n;
}

struct anchor_range anchor_range(const struct jit_anchor *a, const struct jit_insn *i)
{
    if (a->narrow)
        return (struct anchor_range){i->disp, i->disp + (s32)i->served};
    return (struct anchor_range){a->from, a->to};
}

s32 anchor_room(const struct jit_anchor *a)
{
    return (s32)FRAME_BYTES + 1 - (a->narrow ? (s32)a->bytes : a->to - a->from);
}

_Static_assert(JIT_ANCHORS <= 32, "sets of 32 bits");

static unsigned base_id(const struct jit_anchor *a)
{
    return a->base | (unsigned)a->store << 4;
}

static bool unfit(const struct jit_cx *x, const struct jit_anchor *a, enum jit_unfit_kind kind)
{
    const struct jit_unfit *u = jit_unfit(x->jit, &x->page->slot[x->entry_slot]);
    return u->of[kind] >> (kind == UNFIT_FRAME ? base_id(a) : a->id) & 1;
}

/* Are the bytes that f fetches among those that s stores? */
static bool same_bytes(const struct jit_insn *f, const struct jit_insn *s)
{
    u8 base, index, of, by;
    address_of(f, &base, &index);
    address_of(s, &of, &by);
    return of == base && by == index && f->disp >= s->disp &&
           f->disp + (s32)f->served <= s->disp + (s32)s->served;
}

/* Is what instruction i of block b fetches stored into behind it, with nothing between that could
 * end otherwise? */
static bool stored_next(const struct jit_cx *x, const struct jit_block *b, unsigned i)
{
    const struct jit_insn *fetch = &x->insn[i];
    u8 base, index;
    address_of(fetch, &base, &index);
    u32 regs = 1u << base | (index < ZERO_REG ? 1u << index : 0);
    for (; i + 1 < b->first + (unsigned)b->count; i++) {
        const struct jit_insn *next = &x->insn[i + 1];
        if ((x->insn[i].writes & regs) || !next->lo)
            return false;
        if (next->served && next->stores && same_bytes(fetch, next))
            return true;
        if (next->faults)
            return false;
    }
    return false;
}

/* Fetches that an anchor for stores serves, as long as there can be one. */
static void pairs_find(struct jit_cx *x, const struct loop *loops)
{
    const struct jit_unfit *u = jit_unfit(x->jit, &x->page->slot[x->entry_slot]);
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        int loop = loops[k].head;
        for (unsigned i = b->first; b->depth && i < b->first + (unsigned)b->count; i++) {
            struct jit_insn *in = &x->insn[i];
            if (!in->served || in->stores || !stored_next(x, b, i))
                continue;
            struct jit_anchor any = {.loop = LOOP_ANY, .store = true}, moves = any;
            address_of(in, &any.base, &any.index);
            address_of(in, &moves.base, &moves.index);
            moves.loop = (s16)loop;
            in->stored_next = !(u->of[UNFIT_FRAME] >> base_id(&any) & 1) &&
                              !(u->of[UNFIT_PAGE] >> id_of(x, &any) & 1) &&
                              !(u->of[UNFIT_PAGE] >> id_of(x, &moves) & 1);
        }
    }
}

/* Addresses that move, each in one loop, among what is not served yet. */
static unsigned candidates_of_loops(const struct jit_cx *x, const struct loop *loops,
                                    struct candidate *c)
{
    unsigned n = 0;
    u64 bodies = ANCHOR_ENTRY;
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        struct loop loop = loops[k];
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
            const struct jit_insn *in = &x->insn[i];
            bodies += in->lo ? 0 : unit_of(b);
            if (!b->depth || in->anchor || !in->served)
                continue;
            struct candidate *of = candidate_for(x, c, &n, in, loop, loop.head);
            if (!of)
                continue;
            of->saves += (ANCHOR_SAVES - ANCHOR_CHECK) * unit_of(b);
        }
    }
    for (unsigned k = 0; k < n; k++)
        c[k].costs = ANCHOR_CHANGE * bodies;
    return n;
}

static void choose(struct jit_cx *x, struct candidate *c, unsigned n)
{
    unsigned most = x->keeps ? JIT_ANCHORS : ANCHORS_COLD;
    while (x->anchors < most) {
        struct candidate *best = NULL;
        for (unsigned k = 0; k < n; k++)
            if (c[k].saves > c[k].costs && !unfit(x, &c[k].a, UNFIT_FRAME) &&
                !unfit(x, &c[k].a, UNFIT_PAGE) &&
                (!best || c[k].saves - c[k].costs > best->saves - best->costs))
                best = &c[k];
        if (!best)
            return;
        best->a.narrow = unfit(x, &best->a, UNFIT_SPAN);
        x->anchor[x->anchors++] = best->a;
        best->saves = 0;
    }
}

static unsigned anchor_of(const struct jit_cx *x, const struct jit_insn *i, int loop)
{
    if (!i->served)
        return 0;
    for (unsigned k = 0; k < x->anchors; k++)
        if (anchor_covers(&x->anchor[k], i, loop))
            return k + 1;
    return 0;
}

/* An anchor may serve more than what it was chosen for, and so what is longer. */
static void serve_insn(struct jit_cx *x, struct jit_insn *i, int loop)
{
    i->anchor = (u8)anchor_of(x, i, loop);
    if (!i->anchor)
        return;
    struct jit_anchor *a = &x->anchor[i->anchor - 1];
    unsigned bytes = i->served;
    if (bytes > a->bytes)
        a->bytes = bytes;
}

static void serve(struct jit_cx *x, const struct loop *loops)
{
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        int loop = loops[k].head;
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++)
            serve_insn(x, &x->insn[i], loop);
    }
}

/* ---- where an anchor must be compared ---- */

/* Anchors of addresses that each register is part of. */
static void anchors_by_register(const struct jit_cx *x, u32 *by)
{
    memset(by, 0, 16 * sizeof by[0]);
    for (unsigned k = 0; k < x->anchors; k++) {
        const struct jit_anchor *a = &x->anchor[k];
        by[a->base] |= 1u << k;
        if (a->index < ZERO_REG)
            by[a->index] |= 1u << k;
    }
}

/* Anchors that are set for certain behind an instruction, of those in `set` before it. */
static u32 anchors_behind(const struct jit_cx *x, const u32 *by, const struct jit_insn *i,
                          u32 set)
{
    if (!i->lo)
        return 0;
    if (i->anchor && !x->anchor[i->anchor - 1].narrow)
        set |= 1u << (i->anchor - 1);
    for (unsigned of = i->writes; of; of &= of - 1)
        set &= ~by[__builtin_ctz(of)];
    return set;
}

static u32 anchors_of_block(struct jit_cx *x, const u32 *by, const struct jit_block *b, u32 set)
{
    for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
        struct jit_insn *in = &x->insn[i];
        if (in->anchor) {
            in->anchor_check = !(set >> (in->anchor - 1) & 1);
            in->faults = in->anchor_check || operand_calls(in);
        }
        set = anchors_behind(x, by, in, set);
    }
    return set;
}

/* Anchors whose first use in a block is not compared; in *own, all that are used. */
static u32 anchors_taken(const struct jit_cx *x, const struct jit_block *b, u32 *own)
{
    u32 taken = 0;
    *own = 0;
    for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
        const struct jit_insn *in = &x->insn[i];
        u32 bit = in->anchor ? 1u << (in->anchor - 1) : 0;
        if (bit & ~*own && !in->anchor_check)
            taken |= bit;
        *own |= bit;
    }
    return taken;
}

/* Where blocks begin, anchors that will not be compared again before they are used. */
static void anchors_in_find(struct jit_cx *x)
{
    u32 own[REGION_BLOCKS_MAX];
    for (unsigned k = 0; k < x->blocks; k++)
        x->block[k].anchors_in = anchors_taken(x, &x->block[k], &own[k]);
    for (bool again = true; again;) {
        again = false;
        for (unsigned k = x->blocks; k-- > 0;) {
            struct jit_block *b = &x->block[k];
            u32 behind = 0;
            for (unsigned s = 0; s < region_ways(b); s++)
                if (region_way(b, s) >= 0)
                    behind |= x->block[region_way(b, s)].anchors_in;
            u32 in = b->anchors_in | (behind & ~own[k]);
            again |= in != b->anchors_in;
            b->anchors_in = in;
        }
    }
}

/* Those that stay compared. */
static u32 anchors_wide(const struct jit_cx *x)
{
    u32 wide = 0;
    for (unsigned k = 0; k < x->anchors; k++)
        if (!x->anchor[k].narrow)
            wide |= 1u << k;
    return wide;
}

/* Not where it has been compared on all ways. `entered`: those that have been where the region is
 * entered. */
static void anchors_flow(struct jit_cx *x, u32 entered)
{
    u32 set[REGION_BLOCKS_MAX], sets[REGION_BLOCKS_MAX], keeps[REGION_BLOCKS_MAX], by[16];
    anchors_by_register(x, by);
    for (unsigned k = 0; k < x->blocks; k++) /* what no way leads to is entered from outside */
        set[k] = x->block[k].preds ? anchors_wide(x) : 0;
    set[x->slot_block[x->entry_slot]] = entered;
    for (unsigned k = 0; k < x->blocks; k++) {
        sets[k] = anchors_of_block(x, by, &x->block[k], 0);
        keeps[k] = anchors_of_block(x, by, &x->block[k], ~0u);
    }
    for (bool again = true; again;) {
        again = false;
        for (unsigned k = 0; k < x->blocks; k++) {
            u32 out = sets[k] | (set[k] & keeps[k]);
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
        anchors_of_block(x, by, &x->block[k], set[k]);
}

/* How often each anchor is compared, as far as loops tell. */
static void compared(const struct jit_cx *x, u64 *often)
{
    memset(often, 0, JIT_ANCHORS * sizeof *often);
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++)
            if (x->insn[i].anchor && x->insn[i].anchor_check)
                often[x->insn[i].anchor - 1] += block_unit(b);
    }
}

/* Those that are compared where the region is entered [A4]; in a region that does not keep them
 * they are never set there. */
static u32 anchors_hoisted(struct jit_cx *x)
{
    u64 before[JIT_ANCHORS], after[JIT_ANCHORS];
    u32 hoisted = 0;
    if (!x->keeps)
        return 0;
    compared(x, before);
    anchors_flow(x, anchors_wide(x));
    compared(x, after);
    for (unsigned k = 0; k < x->anchors; k++)
        if (before[k] >= after[k] + ANCHOR_HOISTED && !unfit(x, &x->anchor[k], UNFIT_ENTRY) &&
            __builtin_popcount(hoisted) < ANCHORS_ASKED_MAX)
            hoisted |= 1u << k;
    return hoisted;
}

static void anchors_check(struct jit_cx *x)
{
    anchors_flow(x, 0);
    anchors_flow(x, anchors_hoisted(x));
    anchors_in_find(x);
}

bool anchors_keep(const struct cpu *c)
{
    bool purged = (c->psw.mask & (PSW_DAT | PSW_PROB)) == PSW_DAT;
    return c->jit->eager || !purged;
}

/* Would one anchor for all operands save more than it costs? Seldom, in a region without loops. */
static bool any_saves(const struct jit_cx *x)
{
    u64 saves = 0;
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        u64 unit = unit_of(b);
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++)
            saves += x->insn[i].served ? ANCHOR_SAVES * unit : 0;
    }
    return saves > ANCHOR_CHANGE * ANCHOR_ENTRY;
}

void anchors_find(struct jit_cx *x)
{
    struct candidate c[ANCHOR_CANDIDATES];
    struct loop loops[REGION_BLOCKS_MAX];
    x->anchors = 0;
    if (!any_saves(x))
        return;
    loops_find(x, loops);
    if (x->whole)
        pairs_find(x, loops);
    choose(x, c, candidates_of_region(x, loops, c));
    if (x->anchors)
        serve(x, loops);
    if (x->keeps)
        choose(x, c, candidates_of_loops(x, loops, c));
    if (!x->anchors)
        return;
    if (!cells_there(x))
        x->anchors = 0;
    serve(x, loops);
    anchors_check(x);
}

/* ---- called by translated code ---- */

/* What an anchor is asked for, in one word of translated code. */
struct asked {
    s32 from;
    unsigned span, cell, base, id;
    unsigned bytes; /* narrow: of the longest operand; else 0 */
    bool store;
};
_Static_assert(ANCHOR_BYTES_MAX < 1u << (ANCHOR_STORE_SHIFT - ANCHOR_SPAN_SHIFT) &&
                   ANCHOR_IDS <= 1u << (ANCHOR_CELL_SHIFT - ANCHOR_ID_SHIFT) &&
                   JIT_ANCHOR_CELLS <= 1u << (ANCHOR_BYTES_SHIFT - ANCHOR_CELL_SHIFT),
               "room for each field");

u64 anchor_packed(const struct jit_cx *x, const struct jit_insn *i)
{
    unsigned k = i->anchor - 1u, cell = x->cells + k + 1;
    const struct jit_anchor *a = &x->anchor[k];
    struct anchor_range r = anchor_range(a, i);
    return ((u64)r.from & ((1u << ANCHOR_FROM_BITS) - 1)) |
           (u64)(r.to - r.from) << ANCHOR_SPAN_SHIFT | (u64)a->store << ANCHOR_STORE_SHIFT |
           (u64)base_id(a) << ANCHOR_BASE_SHIFT | (u64)a->id << ANCHOR_ID_SHIFT |
           (u64)cell << ANCHOR_CELL_SHIFT |
           (u64)(a->narrow ? a->bytes : 0) << ANCHOR_BYTES_SHIFT;
}

static struct asked unpacked(u64 what)
{
    return (struct asked){.from = (s32)((u32)what << (32 - ANCHOR_FROM_BITS)) >>
                                  (32 - ANCHOR_FROM_BITS),
                          .span = what >> ANCHOR_SPAN_SHIFT & 0x3ff,
                          .store = what >> ANCHOR_STORE_SHIFT & 1,
                          .base = what >> ANCHOR_BASE_SHIFT & 31,
                          .id = what >> ANCHOR_ID_SHIFT & 63,
                          .cell = what >> ANCHOR_CELL_SHIFT & 0x3fff,
                          .bytes = (unsigned)(what >> ANCHOR_BYTES_SHIFT)};
}

u64 anchor_entry(const struct jit_cx *x, const struct jit_insn *i)
{
    unsigned round = x->keeps ? x->anchor[i->anchor - 1].round : 0;
    return (u64)(uintptr_t)&x->page->slot[x->entry_slot] | (u64)round << ANCHOR_ENTRY_BITS;
}

static const struct dinsn *entry_of(u64 where)
{
    return (const struct dinsn *)(uintptr_t)(where & ((1ull << ANCHOR_ENTRY_BITS) - 1));
}

/* How it fares: of the anchor that has this cell. */
static struct jit_site *site_of(struct jit *j, const struct dinsn *entry, unsigned cell)
{
    return &j->sites[((uintptr_t)entry / sizeof *entry * JIT_ANCHORS + cell) % JIT_SITES];
}

const struct jit_site *anchor_site(const struct jit_cx *x, const struct jit_insn *i)
{
    return site_of(x->jit, &x->page->slot[x->entry_slot], x->cells + i->anchor);
}

/* Note that it was found elsewhere: whether soon after the last time is told by what is left of
 * the budget. Is that so too often? */
static bool missed_often(struct jit_site *site, unsigned round, long n)
{
    u32 since = (u32)site->n - (u32)n;
    site->n = (s32)n;
    if (since <= ANCHOR_RARE * round)
        return ++site->misses >= ANCHOR_MISSES_MAX;
    site->misses = site->misses >= 2 ? site->misses - 2 : 0;
    return false;
}

int jit_anchor_look(struct cpu *c, u64 base, u64 what, u64 where, long n)
{
    struct asked q = unpacked(what);
    unsigned round = (unsigned)(where >> ANCHOR_ENTRY_BITS);
    u64 from = base + (u64)(s64)q.from, page = (from + q.span - 1) & ~(u64)(FRAME_BYTES - 1);
    const struct tlb_space *sp = c->space[0];
    const struct tlb_entry *e =
        q.store ? &sp->store[tlb_index(from)] : &sp->fetch[tlb_index(from)];
    bool often = round && missed_often(site_of(c->jit, entry_of(where), q.cell), round, n);
    if (often || e->tag != page) {
        c->jit_asked[0] = base;
        c->jit_asked[1] = what;
        c->jit_asked[2] = where;
        return 0;
    }
    struct jit_anchor_now *cell = &c->jit_anchor[q.cell];
    cell->base = page - (q.bytes ? 0 : (u64)(s64)q.from);
    cell->host = c->jit_mode & JIT_MODE_REAL ? (u64)(uintptr_t)c->storage : e->addend;
    cell->room = FRAME_BYTES + 1 - (q.bytes ? q.bytes : q.span);
    return 1;
}

/* Is the page one that can be addressed, but not behind the TLB's back? */
static bool never_entered(struct cpu *c, u64 addr, bool store)
{
    struct tlb_space *sp = c->space[0];
    return cpu_translate(c, sp, addr, store ? TLB_STORE : TLB_FETCH) == 0;
}

/* Why the anchor is to be given up, as far as addresses tell; or -1. */
static int given_up(const struct jit *j, struct jit_site *site, bool narrow, bool crosses)
{
    site->crosses += crosses;
    bool often = site->misses >= ANCHOR_MISSES_MAX;
    if (!often && site->crosses < (j->eager ? ANCHOR_CROSSES_EAGER : ANCHOR_CROSSES_MAX))
        return -1;
    *site = (struct jit_site){0};
    return often || narrow ? UNFIT_PAGE : UNFIT_SPAN;
}

int jit_way_missed(struct cpu *c, const struct dinsn *d, long n)
{
    struct asked q = unpacked(c->jit_asked[1]);
    const struct dinsn *entry = entry_of(c->jit_asked[2]);
    u64 from = c->jit_asked[0] + (u64)(s64)q.from, last = from + q.span - 1;
    bool crosses = ((from ^ last) & ~(u64)(FRAME_BYTES - 1)) != 0;
    int why = given_up(c->jit, site_of(c->jit, entry, q.cell), false, crosses);
    if (why >= 0)
        jit_anchor_unfit(c, entry, q.id, (enum jit_unfit_kind)why);
    else
        jit_way_count(c, d, n);
    return jit_interpret(c, d, n);
}

int jit_entry_missed(struct cpu *c, const struct dinsn *d, long n)
{
    struct asked q = unpacked(c->jit_asked[1]);
    const struct dinsn *entry = entry_of(c->jit_asked[2]);
    u64 from = c->jit_asked[0] + (u64)(s64)q.from, last = from + q.span - 1;
    bool one = ((from ^ last) & ~(u64)(FRAME_BYTES - 1)) == 0;
    int why = given_up(c->jit, site_of(c->jit, entry, q.cell), false, true);
    if (why >= 0)
        jit_anchor_unfit(c, entry, q.id,
                         why == UNFIT_SPAN && one ? UNFIT_ENTRY : (enum jit_unfit_kind)why);
    return jit_interpret(c, d, n);
}

int jit_anchor_fill(struct cpu *c)
{
    struct asked q = unpacked(c->jit_asked[1]);
    const struct dinsn *entry = entry_of(c->jit_asked[2]);
    u64 from = c->jit_asked[0] + (u64)(s64)q.from, last = from + q.span - 1;
    bool one = ((from ^ last) & ~(u64)(FRAME_BYTES - 1)) == 0;
    int why = given_up(c->jit, site_of(c->jit, entry, q.cell), q.bytes != 0, !one);
    if (why < 0 && one && page_fill(c, from, q.store))
        return 1;
    if (why < 0 && one && never_entered(c, from, q.store))
        why = UNFIT_FRAME;
    if (why >= 0)
        jit_anchor_unfit(c, entry, why == UNFIT_FRAME ? q.base : q.id,
                         (enum jit_unfit_kind)why);
    return 0;
}
