/* High halves of registers: whether a block begins with all of a register in its host register or
 * with its low half alone. What a 32-bit result leaves is the low half; putting the halves together
 * costs four host instructions, storing the high half two.
 * Where nobody reads the high half before it is replaced, one way that comes with the low half
 * alone decides for that; else one that comes with all of the register decides. What comes from
 * inside a loop goes before what comes from outside. This is an estimate: reg_settle makes each
 * way as the block expects it, whatever was supposed here. */
#include "cpu/jit/jit_internal.h"

#define HALVES_ROUNDS_MAX 8

struct halves {
    u16 replaced;  /* high halves that it replaces; ... */
    u16 live;      /* ... that are read, in it or behind it, before they are replaced */
    u16 wide, low; /* registers that it leaves whole; with their low halves alone */
    u16 known, low_in;
    struct {
        u16 low, wide;
    } seen[2]; /* by ways from inside of its loop; by others */
};

/* Is the high half of its result zero? Then it stays so with 32-bit results. */
static bool zeroes_high(const struct jit_insn *in)
{
    const struct lowering *lo = in->lo;
    if (lo->op == OP_RISBG)
        return (in->d.b2 & 0x80) && low_half(insn_selected(in));
    if (lo->op != OP_MOV || lo->width != 64)
        return false;
    return jit_src_const(lo->b) ? low_half((u64)jit_const(&in->d, lo->b)) : ext_zeroes(lo->ext);
}

static void halves_of(const struct jit_cx *x, const struct jit_block *b, struct halves *h)
{
    u16 zero = 0;
    *h = (struct halves){.replaced = 0};
    for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
        const struct jit_insn *in = &x->insn[i];
        u16 wide = in->reads64 | in->writes64, low = in->writes & (u16) ~(in->writes64 | zero);
        h->live |= in->reads64 & (u16)~h->replaced;
        h->replaced |= in->writes64;
        h->wide = (h->wide | wide) & (u16)~low;
        h->low = (h->low & (u16)~wide) | low;
        zero &= (u16)~in->writes64;
        if (in->writes64 && zeroes_high(in))
            zero |= in->writes64;
    }
}

static void live_find(const struct jit_cx *x, struct halves *h)
{
    for (bool again = true; again;) {
        again = false;
        for (unsigned e = x->edges; e-- > 0;) {
            struct halves *from = &h[x->edge[e].from];
            u16 more = h[x->edge[e].to].live & (u16) ~(from->replaced | from->live);
            again |= more != 0;
            from->live |= more;
        }
    }
}

/* How ways arrive, as far as that is known. */
static void ways_see(const struct jit_cx *x, struct halves *h)
{
    for (unsigned e = 0; e < x->edges; e++) {
        const struct jit_edge *edge = &x->edge[e];
        const struct halves *from = &h[edge->from];
        u16 low = (from->low_in & (u16)~from->wide) | from->low;
        u16 here = (from->known | from->wide | from->low) & edge->same;
        h[edge->to].seen[edge->outer].low |= here & low;
        h[edge->to].seen[edge->outer].wide |= here & (u16)~low;
    }
}

/* What a block begins with, by what has been seen; did that change? */
static bool decide(const struct jit_cx *x, unsigned k, struct halves *h)
{
    const struct jit_block *b = &x->block[k];
    u16 outer = (u16) ~(h->seen[0].low | h->seen[0].wide);
    u16 low = h->seen[0].low | (h->seen[1].low & outer);
    u16 wide = h->seen[0].wide | (h->seen[1].wide & outer);
    if ((int)k == x->slot_block[x->entry_slot])
        wide |= (u16)~low;
    u16 known = low | wide, low_in = low & (u16) ~(wide & h->live);
    if (b->skipped) { /* select_check relies on it */
        const struct jit_zone *z = &x->zones[b->zone];
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
            u16 writes = x->insn[i].writes;
            known |= writes;
            low_in = (low_in & (u16)~writes) | (writes & z->low_class);
        }
    }
    bool changed = known != h->known || low_in != h->low_in;
    h->known = known;
    h->low_in = low_in;
    return changed;
}

void halves_find(struct jit_cx *x)
{
    struct halves h[REGION_BLOCKS_MAX];
    for (unsigned k = 0; k < x->blocks; k++)
        halves_of(x, &x->block[k], &h[k]);
    live_find(x, h);
    bool again = true;
    for (unsigned n = 0; again && n < HALVES_ROUNDS_MAX; n++) {
        for (unsigned k = 0; k < x->blocks; k++)
            memset(h[k].seen, 0, sizeof h[k].seen);
        ways_see(x, h);
        again = false;
        for (unsigned k = 0; k < x->blocks; k++)
            again |= decide(x, k, &h[k]);
    }
    for (unsigned k = 0; k < x->blocks; k++)
        x->block[k].low_in = h[k].low_in & x->zones[x->block[k].zone].resident;
}
