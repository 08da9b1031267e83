/* Choosing what to translate, and what must be known before emission.
 * A region is what can be reached inside one page from a hot branch target, through instructions
 * that have been executed before: a slot that was never decoded is a path not taken so far, and
 * leads out of the region. That is the profile.
 * Blocks are in the order of addresses. */
#include "cpu/jit/emit_internal.h"

#include <stdlib.h>

#define LOOP_DEPTH_MAX 3

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

/* Slot of a relative branch target in this page, or -1. */
static int target_slot(const struct jit_insn *i)
{
    if (!i->lo || i->lo->op < OP_BC || (i->lo->b != S_REL && i->lo->op != OP_CMPJ))
        return -1;
    bool never =
        (i->lo->op == OP_BC && i->d.r1 == 0) || (i->lo->op == OP_CMPJ && (i->d.r3 & 14) == 0);
    return never || i->rel < 0 || i->rel >= FRAME_BYTES ? -1 : (int)(i->rel / 2);
}

struct todo {
    u16 slot[REGION_INSNS_MAX * 2];
    unsigned head, tail;
};

static void todo_add(struct jit_cx *x, struct todo *t, unsigned slot)
{
    x->leader[slot] = 1;
    if (x->slot_insn[slot] < 0 && t->tail < ARRAY_LEN(t->slot))
        t->slot[t->tail++] = (u16)slot;
}

/* Follow a run of instructions from `slot` to its end. */
static void walk(struct jit_cx *x, struct todo *t, unsigned slot)
{
    while (slot < CODE_SLOTS && x->slot_insn[slot] < 0) {
        struct jit_insn *i = &x->insn[x->insns];
        enum jit_refusal why = region_insn(x, slot, i);
        if (why) {
            x->refused = why;
            x->jit->stats.ends[why]++;
            return;
        }
        x->slot_insn[slot] = (s16)x->insns++;
        i->target = (s16)target_slot(i);
        if (i->lo && i->lo->op == OP_BAS)
            i->target = -1; /* a call leaves the region */
        slot += i->len / 2;
        if (i->target >= 0)
            todo_add(x, t, (unsigned)i->target);
        if (ends_block(i)) {
            if (falls_through(i) && slot < CODE_SLOTS)
                todo_add(x, t, slot);
            return;
        }
    }
}

/* ---- blocks ---- */

static int by_slot(const void *a, const void *b)
{
    return (int)((const struct jit_insn *)a)->slot - (int)((const struct jit_insn *)b)->slot;
}

static void blocks_cut(struct jit_cx *x)
{
    qsort(x->insn, x->insns, sizeof x->insn[0], by_slot);
    for (unsigned i = 0; i < x->insns; i++)
        x->slot_insn[x->insn[i].slot] = (s16)i;
    bool open = false;
    for (unsigned i = 0; i < x->insns; i++) {
        struct jit_insn *in = &x->insn[i];
        bool joined = i > 0 && x->insn[i - 1].slot + x->insn[i - 1].len / 2 == in->slot;
        if (!open || !joined || x->leader[in->slot]) {
            if (x->blocks == REGION_BLOCKS_MAX) {
                x->refused = JIT_BLOCKS_MAX;
                x->jit->stats.ends[JIT_BLOCKS_MAX]++;
                x->insns = i;
                return;
            }
            x->block[x->blocks++] =
                (struct jit_block){.first = (u16)i, .fall = -1, .taken = -1};
        }
        struct jit_block *b = &x->block[x->blocks - 1];
        b->count++;
        x->slot_block[in->slot] = b->first == i ? (s16)(x->blocks - 1) : (s16)-1;
        open = !ends_block(in);
    }
}

static int block_at(const struct jit_cx *x, int slot)
{
    if (slot < 0 || slot >= (int)CODE_SLOTS || x->slot_insn[slot] < 0 ||
        x->slot_insn[slot] >= (int)x->insns)
        return -1;
    return x->slot_block[slot];
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
            b->fall = (s16)block_at(x, last->slot + last->len / 2);
        b->taken = (s16)block_at(x, last->target);
        if (b->fall >= 0)
            x->block[b->fall].preds++;
        if (b->taken >= 0)
            x->block[b->taken].preds++;
    }
}

static void loops_find(struct jit_cx *x)
{
    for (unsigned k = 0; k < x->blocks; k++) {
        int to = x->block[k].taken;
        if (to < 0 || to > (int)k)
            continue;
        x->block[to].loop_head = true;
        for (unsigned j = (unsigned)to; j <= k; j++)
            if (x->block[j].depth < LOOP_DEPTH_MAX)
                x->block[j].depth++;
    }
}

bool region_find(struct jit_cx *x, unsigned slot)
{
    struct todo t = {.head = 0, .tail = 0};
    memset(x->slot_insn, 0xff, sizeof x->slot_insn);
    memset(x->slot_block, 0xff, sizeof x->slot_block);
    memset(x->leader, 0, sizeof x->leader);
    x->insns = x->blocks = x->stubs = 0;
    x->granules = 0;
    todo_add(x, &t, slot);
    while (t.head < t.tail)
        walk(x, &t, t.slot[t.head++]);
    if (x->insns == 0)
        return false;
    blocks_cut(x);
    if (block_at(x, (int)slot) < 0)
        return false;
    blocks_link(x);
    x->block[block_at(x, (int)slot)].preds++; /* the way in */
    x->entry_slot = slot;
    loops_find(x);
    for (unsigned i = 0; i < x->insns; i++) {
        unsigned from = x->insn[i].slot * 2u, last = from + x->insn[i].len - 1;
        x->granules |= 1ull << (from / 64) | 1ull << (last / 64);
    }
    if (x->insns > 1 || x->insn[0].lo)
        return true;
    x->refused = JIT_ONE_BODY;
    return false;
}
