/* What flows through a region in floating-point registers: which long ones are busy enough that
 * their copies go from block to block, which of these memory may not know, and which must be there
 * where a block begins. Every copy has its host register for good, so nothing is assigned; what
 * an edge lacks is loaded there, and what is not wanted behind it is stored (fp_settle). */
#include "cpu/jit/emit_internal.h"

#define RESIDENT_WEIGHT_MIN 4 /* fewer uses are as cheap in memory */
#define ALL_COPIES ((u16)((1u << FP_COPIES) - 1))

static void source_reads(struct jit_insn *i, u8 src)
{
    unsigned n = src == S_F1 ? i->d.r1 : src == S_F2 ? i->d.r2 : i->d.r3;
    if (src != S_F1 && src != S_F2 && src != S_F3)
        return;
    if (i->lo->ext == X_64)
        i->fp_reads |= (u16)(1u << n);
    else
        i->fp_voids |= (u16)(1u << n);
}

void fp_operands(struct jit_insn *i)
{
    const struct lowering *lo = i->lo;
    source_reads(i, lo->a);
    source_reads(i, lo->b);
    if (lo->op == OP_FMA || lo->op == OP_FMS)
        source_reads(i, S_F1);
    if (lo->dst != S_F1)
        return;
    if (lo->width == 64 && lo->op != OP_FFROMS)
        i->fp_writes |= (u16)(1u << i->d.r1);
    else
        i->fp_voids |= (u16)(1u << i->d.r1);
}

/* The long registers that are used often, loops counted. */
static u16 busy(const struct jit_cx *x)
{
    u64 weight[FP_COPIES] = {0};
    u16 of = 0;
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
            const struct jit_insn *in = &x->insn[i];
            for (unsigned r = (in->fp_reads | in->fp_writes) & ALL_COPIES; r; r &= r - 1)
                weight[__builtin_ctz(r)] += block_unit(b);
        }
    }
    for (unsigned n = 0; n < FP_COPIES; n++)
        if (weight[n] >= RESIDENT_WEIGHT_MIN)
            of |= (u16)(1u << n);
    return of;
}

/* What a block does to them. */
struct effect {
    u16 dirty; /* written, and memory does not know at its end */
    u16 kept;  /* as they were, memory too */
    u16 need;  /* read before anything else is done to them */
    u16 have;  /* whatever they were is gone, or memory knows it */
};

static struct effect effect_of(const struct jit_cx *x, const struct jit_block *b)
{
    struct effect e = {.kept = x->fp_resident};
    for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
        const struct jit_insn *in = &x->insn[i];
        if (!in->lo) { /* a body: all is in memory */
            e.dirty = e.kept = 0;
            e.have = x->fp_resident;
            continue;
        }
        u16 gone = in->fp_voids & x->fp_resident;
        e.need |= in->fp_reads & (u16)~e.have & x->fp_resident;
        e.dirty &= (u16)~gone;
        e.kept &= (u16)~gone;
        e.dirty |= in->fp_writes & x->fp_resident;
        e.have |= gone | (in->fp_writes & x->fp_resident);
    }
    return e;
}

static bool dirty_pass(struct jit_cx *x, const struct effect *e)
{
    bool more = false;
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        u16 out = e[k].dirty | (b->fp_dirty_in & e[k].kept);
        for (unsigned s = 0; s < REGION_WAYS; s++) {
            int to = region_way(b, s);
            if (to < 0 || (out & ~x->block[to].fp_dirty_in) == 0)
                continue;
            x->block[to].fp_dirty_in |= out;
            more = true;
        }
    }
    return more;
}

static bool need_pass(struct jit_cx *x, const struct effect *e)
{
    bool more = false;
    for (unsigned k = x->blocks; k-- > 0;) {
        struct jit_block *b = &x->block[k];
        u16 behind = 0;
        for (unsigned s = 0; s < REGION_WAYS; s++)
            if (region_way(b, s) >= 0)
                behind |= x->block[region_way(b, s)].fp_in;
        u16 in = e[k].need | b->fp_dirty_in | (behind & (u16)~e[k].have);
        more |= (in & ~b->fp_in) != 0;
        b->fp_in |= in;
    }
    return more;
}

void fp_flow_find(struct jit_cx *x)
{
    struct effect e[REGION_BLOCKS_MAX];
    x->fp_resident = busy(x);
    for (unsigned k = 0; k < x->blocks; k++)
        x->block[k].fp_in = x->block[k].fp_dirty_in = 0;
    if (!x->fp_resident)
        return;
    for (unsigned k = 0; k < x->blocks; k++)
        e[k] = effect_of(x, &x->block[k]);
    while (dirty_pass(x, e))
        continue;
    while (need_pass(x, e))
        continue;
}
