/* Choosing what to translate, and what must be known before emission.
 * A region is what can be reached from a hot branch target through instructions that have been
 * executed before: a slot that was never decoded is a path not taken so far, and leads out of the
 * region. That is the profile.
 * At first a region stays inside its page and ends at calls. When it has turned out to be busy it
 * is made again, deep: calls are followed, and so are branches to other pages; those to an address,
 * to where they were seen to lead (guess.c), calls before that by what the register holds now; a
 * branch to a register that ends what was called may return behind the call.
 * Blocks are in the order of pages, then addresses. */
#include "cpu/jit/emit_internal.h"

#define LOOP_DEPTH_MAX 3
#define OWN_INSNS 4 /* instructions before a path ends where another translation begins */
#define CALLS_MAX 64
#define CALL_INSNS_MAX 160 /* in a region of so many instructions no more calls are followed */

static void region_page(struct jit_cx *x, struct code_page *page, u64 addr)
{
    memset(x->leader[x->page_count], 0, sizeof x->leader[0]);
    x->pages[x->page_count++] = (struct jit_page){.page = page, .addr = addr};
}

/* ---- reachability ---- */

static bool ends_block(const struct jit_insn *i)
{
    return i->lo ? i->lo->op >= OP_BC : (i->row->flags & IF_BRANCH) || !row_goes_on(i->row);
}

/* May control go on behind it, inside the region? */
static bool falls_through(const struct jit_insn *i)
{
    if (!i->lo)
        return row_goes_on(i->row);
    switch (i->lo->op) {
    case OP_BC:
    case OP_BCR: return i->d.r1 != 15 || (i->lo->op == OP_BCR && i->d.r2 == 0);
    case OP_BAS: return false;
    case OP_BASR: return i->d.r2 == 0;
    default: return true;
    }
}

struct todo {
    u16 at[REGION_INSNS_MAX * 2];
    unsigned head, tail;
    struct {
        u16 at, target, behind;
    } call[CALLS_MAX];
    unsigned calls, followed;
};

/* The region's page at a logical address; a new one when it is known now, decoded at `slot`, and
 * there is room. Or -1. */
static int page_at(struct jit_cx *x, u64 addr, unsigned slot)
{
    for (unsigned p = 0; p < x->page_count; p++)
        if (x->pages[p].addr == addr)
            return (int)p;
    const struct tlb_code_entry *e =
        &x->c->ispace->code[(addr >> FRAME_SHIFT) & (TLB_CODE_ENTRIES - 1)];
    struct code_page *page = e->page;
    if (x->page_count == REGION_PAGES_MAX || e->tag != addr || page->abs == CODE_ABS_NONE)
        return -1;
    if (page->slot[slot].run == code_run_decode && !x->jit->eager)
        return -1;
    for (unsigned p = 0; p < x->page_count; p++)
        if (x->pages[p].page == page)
            return -1; /* one frame at two addresses */
    region_page(x, page, addr);
    return (int)x->page_count - 1;
}

/* Place that a relative branch leads to, or -1. */
static int target_place(struct jit_cx *x, const struct jit_insn *i)
{
    if (!i->lo || i->lo->op < OP_BC || (i->lo->b != S_REL && i->lo->op != OP_CMPJ))
        return -1;
    bool never =
        (i->lo->op == OP_BC && i->d.r1 == 0) || (i->lo->op == OP_CMPJ && (i->d.r3 & 14) == 0);
    bool near = i->rel >= 0 && i->rel < FRAME_BYTES;
    if (never || (!x->deep && (!near || i->lo->op == OP_BAS)))
        return -1;
    u64 to = (x->pages[i->page].addr + (u64)i->rel) & x->c->amask;
    unsigned slot = (to & (FRAME_BYTES - 1)) / 2;
    int p = near ? i->page : page_at(x, to & ~(u64)(FRAME_BYTES - 1), slot);
    return p < 0 ? -1 : p * (int)CODE_SLOTS_ALL + (int)(near ? i->rel / 2 : slot);
}

/* Place of a logical address, which may be in another page; or -1. */
static int place_of(struct jit_cx *x, u64 to)
{
    unsigned slot = (to & (FRAME_BYTES - 1)) / 2;
    int p = to & 1 ? -1 : page_at(x, to & ~(u64)(FRAME_BYTES - 1), slot);
    return p < 0 ? -1 : p * (int)CODE_SLOTS_ALL + (int)slot;
}

/* Place that a call by address leads to if the register holds now what it will hold then; or -1.
 * That is a guess: the code compares. */
static int guessed_place(struct jit_cx *x, const struct jit_insn *i)
{
    return place_of(x, x->c->gr[i->d.r2] & x->c->amask);
}

static void todo_add(struct jit_cx *x, struct todo *t, unsigned at)
{
    unsigned slot = at % CODE_SLOTS_ALL;
    x->leader[at / CODE_SLOTS_ALL][slot / 64] |= 1ull << slot % 64;
    if (region_insn_at(x, at) < 0 && t->tail < ARRAY_LEN(t->at))
        t->at[t->tail++] = (u16)at;
}

static void call_add(struct todo *t, const struct jit_insn *i, int target)
{
    if (target < 0 || t->calls == CALLS_MAX)
        return;
    t->call[t->calls].at = i->at;
    t->call[t->calls].target = (u16)target;
    t->call[t->calls++].behind = (u16)(i->at + i->len / 2);
}

/* A call of what a register points to, or an unconditional branch to the address of an operand. */
static bool by_address(const struct jit_insn *i)
{
    if (!i->lo)
        return false;
    return i->lo->op == OP_BASR ? i->d.r2 != 0
                                : i->lo->op == OP_BC && i->lo->b != S_REL && i->d.r1 == 15;
}

/* Where it has led is part of a deep region. */
static void guesses_add(struct jit_cx *x, struct todo *t, const struct jit_insn *i)
{
    u64 to[JIT_GUESS_TARGETS];
    if (!x->deep || !by_address(i))
        return;
    const struct dinsn *branch = &x->pages[i->page].page->slot[i->slot];
    unsigned n = jit_guesses(x->jit, branch, to);
    for (unsigned k = 0; k < n; k++)
        call_add(t, i, place_of(x, to[k]));
    if (n == 0 && i->lo->op == OP_BASR)
        call_add(t, i, guessed_place(x, i));
}

/* Does another translation go on from here, or can it? Most code is executed a few times, and would
 * else be translated once for each way into it. */
static bool joins_other(const struct jit_cx *x, unsigned at)
{
    const struct code_page *page = x->pages[at / CODE_SLOTS_ALL].page;
    unsigned slot = at % CODE_SLOTS_ALL;
    return !x->whole && x->insns >= OWN_INSNS &&
           (jit_is_code(x->c, page->slot[slot].run) || way_in_maybe(page, slot));
}

/* Follow a run of instructions from a place to its end. */
static void walk(struct jit_cx *x, struct todo *t, unsigned at)
{
    while (at % CODE_SLOTS_ALL < CODE_SLOTS && region_insn_at(x, at) < 0) {
        if (joins_other(x, at)) {
            x->jit->stats.ends[JIT_TRANSLATED]++;
            return;
        }
        struct jit_insn *i = &x->insn[x->insns];
        enum jit_refusal why = region_insn(x, at, i);
        if (why) {
            x->refused = why;
            x->jit->stats.ends[why]++;
            return;
        }
        x->slot_insn[at] = (u16)x->insns++;
        at += i->len / 2;
        int target = target_place(x, i);
        if (i->lo && i->lo->op == OP_BAS) {
            call_add(t, i, target);
        } else if (by_address(i)) {
            guesses_add(x, t, i);
        } else if (target >= 0) {
            i->target = (s16)target;
            todo_add(x, t, (unsigned)target);
        }
        if (ends_block(i)) {
            if (falls_through(i) && at % CODE_SLOTS_ALL < CODE_SLOTS)
                todo_add(x, t, at);
            return;
        }
    }
}

/* The next call becomes part of the region: what is called, and what lies behind it. What cannot
 * be translated now is left as it is. False: no call is left. */
static bool call_follow(struct jit_cx *x, struct todo *t)
{
    if (t->followed == t->calls || x->insns >= CALL_INSNS_MAX)
        return false;
    unsigned k = t->followed++, target = t->call[k].target;
    struct jit_insn *i = &x->insn[x->insns];
    if (region_insn_at(x, target) < 0 && region_insn(x, target, i) != JIT_WELL)
        return true;
    struct jit_insn *of = &x->insn[x->slot_insn[t->call[k].at]];
    bool call = of->lo->op == OP_BAS || of->lo->op == OP_BASR;
    if (call && of->target < 0) {
        of->target = (s16)target;
    } else {
        if (x->guesses == REGION_GUESSES_MAX)
            return true;
        x->guess[x->guesses].at = of->at;
        x->guess[x->guesses++].target = (u16)target;
    }
    x->calls_followed++;
    todo_add(x, t, target);
    if (call && t->call[k].behind % CODE_SLOTS_ALL < CODE_SLOTS)
        todo_add(x, t, t->call[k].behind);
    return true;
}

/* ---- blocks ---- */

/* Where keys that ascend from `at` on end. */
static unsigned run_end(const u32 *key, unsigned at, unsigned n)
{
    while (++at < n && key[at - 1] < key[at]) {}
    return at;
}

/* Runs that ascend are merged, two by two, till one is left. */
static void keys_sort(u32 *key, unsigned n)
{
    u32 merged[REGION_INSNS_MAX + 1];
    while (run_end(key, 0, n) < n) {
        for (unsigned from = 0, at = 0; at < n; from = at) {
            unsigned a = from, mid = run_end(key, from, n), b = mid;
            unsigned end = mid < n ? run_end(key, mid, n) : n;
            for (; at < end; at++)
                merged[at] = b == end || (a < mid && key[a] < key[b]) ? key[a++] : key[b++];
        }
        memcpy(key, merged, n * sizeof key[0]);
    }
}

/* Instructions in the order of their places: keys are sorted, place above index, since the
 * instructions themselves are large. They were found in runs, most often in order. */
static void insns_sort(struct jit_cx *x)
{
    u32 key[REGION_INSNS_MAX + 1];
    for (unsigned i = 0; i < x->insns; i++)
        key[i] = (u32)x->insn[i].at << 16 | i;
    keys_sort(key, x->insns);
    unsigned moved = 0; /* the first that is not where it was */
    while (moved < x->insns && (key[moved] & 0xffff) == moved)
        moved++;
    for (unsigned i = moved; i < x->insns; i++) {
        x->sorted[i] = x->insn[key[i] & 0xffff];
        x->slot_insn[x->sorted[i].at] = (u16)i;
    }
    memcpy(&x->insn[moved], &x->sorted[moved], (x->insns - moved) * sizeof x->insn[0]);
}

static bool leads(const struct jit_cx *x, const struct jit_insn *i)
{
    return x->leader[i->page][i->slot / 64] >> i->slot % 64 & 1;
}

static void blocks_cut(struct jit_cx *x)
{
    insns_sort(x);
    bool open = false;
    for (unsigned i = 0; i < x->insns; i++) {
        struct jit_insn *in = &x->insn[i];
        bool joined = i > 0 && x->insn[i - 1].at + x->insn[i - 1].len / 2 == in->at;
        if (!open || !joined || leads(x, in)) {
            if (x->blocks == REGION_BLOCKS_MAX) {
                x->refused = JIT_BLOCKS_MAX;
                x->jit->stats.ends[JIT_BLOCKS_MAX]++;
                x->insns = i;
                return;
            }
            struct jit_block *b = &x->block[x->blocks++];
            *b = (struct jit_block){
                .first = (u16)i, .fall = -1, .taken = -1, .behind = -1, .via = -1};
            memset(b->ret, 0xff, sizeof b->ret);
        }
        struct jit_block *b = &x->block[x->blocks - 1];
        b->count++;
        x->slot_block[in->at] = b->first == i ? (s16)(x->blocks - 1) : (s16)-1;
        open = !ends_block(in);
    }
}

static int block_at(const struct jit_cx *x, int at)
{
    if (at < 0 || at % (int)CODE_SLOTS_ALL >= (int)CODE_SLOTS ||
        region_insn_at(x, (unsigned)at) < 0)
        return -1;
    return x->slot_block[at];
}

const struct jit_insn *region_last(const struct jit_cx *x, const struct jit_block *b)
{
    return &x->insn[b->first + b->count - 1];
}

static void blocks_link(struct jit_cx *x)
{
    for (unsigned k = 0; k < x->blocks; k++) {
        struct jit_block *b = &x->block[k];
        const struct jit_insn *last = region_last(x, b);
        if (falls_through(last))
            b->fall = (s16)block_at(x, last->at + last->len / 2);
        b->taken = (s16)block_at(x, last->target);
        if (b->fall >= 0)
            x->block[b->fall].preds++;
        if (b->taken >= 0)
            x->block[b->taken].preds++;
    }
}

bool region_crosses(const struct jit_cx *x, const struct jit_block *b, int to)
{
    return to >= 0 && x->insn[x->block[to].first].page != x->insn[b->first].page;
}

/* Its branch may lead to block `to` too. */
static void way_add(struct jit_cx *x, struct jit_block *b, int to)
{
    for (unsigned k = 0; k < REGION_RETURNS_MAX; k++) {
        if (b->ret[k] == to)
            return;
        if (b->ret[k] < 0) {
            b->ret[k] = (s16)to;
            x->block[to].preds += 2; /* never the only way */
            return;
        }
    }
}

static void guesses_link(struct jit_cx *x)
{
    for (unsigned k = 0; x->guesses && k < x->blocks; k++) {
        struct jit_block *b = &x->block[k];
        for (unsigned g = 0; g < x->guesses; g++) {
            int to = block_at(x, x->guess[g].target);
            if (x->guess[g].at == region_last(x, b)->at && to >= 0)
                way_add(x, b, to);
        }
        while (b->guesses < REGION_RETURNS_MAX && b->ret[b->guesses] >= 0)
            b->guesses++;
    }
}

static bool calls(const struct jit_insn *i)
{
    return i->lo && (i->lo->op == OP_BAS || i->lo->op == OP_BASR) && i->target >= 0;
}

/* A branch to a register that ends what is called may return behind the call. */
static void return_add(struct jit_cx *x, struct jit_block *b, int behind)
{
    const struct jit_insn *last = region_last(x, b);
    if (last->lo && last->lo->op == OP_BCR && last->d.r1 != 0 && last->d.r2 != 0)
        way_add(x, b, behind);
}

/* Blocks to be looked at, each once. */
struct block_list {
    u16 at[REGION_BLOCKS_MAX];
    bool seen[REGION_BLOCKS_MAX];
    unsigned head, tail;
};

static void list_add(struct block_list *l, int block)
{
    if (block < 0 || l->seen[block])
        return;
    l->seen[block] = true;
    l->at[l->tail++] = (u16)block;
}

static void list_guesses(struct block_list *l, const struct jit_block *b)
{
    for (unsigned k = 0; k < b->guesses; k++)
        list_add(l, b->ret[k]);
}

/* From the block called to wherever it may return, other calls being stepped over. */
static void returns_of_call(struct jit_cx *x, const struct jit_block *call)
{
    struct block_list l;
    l.head = l.tail = 0;
    memset(l.seen, 0, x->blocks);
    list_add(&l, call->taken);
    list_guesses(&l, call);
    while (l.head < l.tail) {
        struct jit_block *b = &x->block[l.at[l.head++]];
        if (b->depth < call->depth) {
            b->depth = call->depth;
            b->via = (s16)(call - x->block);
        }
        return_add(x, b, call->behind);
        bool calling = calls(region_last(x, b));
        list_add(&l, calling ? b->behind : b->taken);
        list_add(&l, b->fall);
        if (!calling)
            list_guesses(&l, b);
    }
}

static void returns_find(struct jit_cx *x)
{
    for (unsigned k = 0; k < x->blocks; k++) {
        struct jit_block *b = &x->block[k];
        const struct jit_insn *last = region_last(x, b);
        if (calls(last))
            b->behind = (s16)block_at(x, last->at + last->len / 2);
        if (last->lo && last->lo->op == OP_BASR && b->taken >= 0)
            x->block[b->taken].preds++; /* never the only way */
    }
    for (unsigned k = 0; k < x->blocks; k++)
        if (x->block[k].behind >= 0 && x->block[k].taken >= 0)
            returns_of_call(x, &x->block[k]);
}

static void loops_find(struct jit_cx *x)
{
    for (unsigned k = 0; k < x->blocks; k++) {
        int to = x->block[k].taken;
        if (to < 0 || to > (int)k || calls(region_last(x, &x->block[k])))
            continue;
        x->block[to].loop_head = true;
        for (unsigned j = (unsigned)to; j <= k; j++)
            if (x->block[j].depth < LOOP_DEPTH_MAX)
                x->block[j].depth++;
    }
}

/* When depths are known. */
static void edges_find(struct jit_cx *x)
{
    x->edges = 0;
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        for (unsigned w = 0; w < region_ways(b); w++) {
            int to = region_way(b, w);
            if (to >= 0)
                x->edge[x->edges++] = (struct jit_edge){
                    .from = (u16)k, .to = (u16)to, .outer = b->depth < x->block[to].depth};
        }
    }
}

static void granules_find(struct jit_cx *x)
{
    for (unsigned i = 0; i < x->insns; i++) {
        unsigned from = x->insn[i].slot * 2u, last = from + x->insn[i].len - 1;
        u64 *granules = &x->pages[x->insn[i].page].granules;
        *granules |= 1ull << (from / 64) | 1ull << (last / 64);
        if (x->insn[i].ex_at != NOT_EXECUTED)
            *granules |= 1ull << x->insn[i].ex_at / 64 | 1ull << (x->insn[i].ex_at + 5) / 64;
    }
}

bool region_find(struct jit_cx *x, unsigned slot)
{
    struct todo t;
    t.head = t.tail = t.calls = t.followed = 0;
    x->insns = x->blocks = x->stubs = x->page_count = x->calls_followed = x->guesses = 0;
    region_page(x, x->page, x->c->ia_page);
    todo_add(x, &t, slot);
    do
        while (t.head < t.tail)
            walk(x, &t, t.at[t.head++]);
    while (call_follow(x, &t));
    if (x->insns == 0)
        return false;
    blocks_cut(x);
    if (block_at(x, (int)slot) < 0)
        return false;
    blocks_link(x);
    guesses_link(x);
    x->block[block_at(x, (int)slot)].preds++; /* the way in */
    x->entry_slot = slot;
    loops_find(x);
    returns_find(x);
    edges_find(x);
    granules_find(x);
    if (x->insns > 1 || x->insn[0].lo)
        return true;
    x->refused = JIT_ONE_BODY;
    return false;
}
