/* Ways into the middle of regions. A place inside a region that turns hot by itself (what a call
 * returns to, what another region leaves for) is not translated once more when the region can be
 * entered there: a few host instructions load what the block expects, and go to its code.
 * [I1] A block is open when its code asks for nothing that another block before it has found out:
 * the condition code is in memory or dead, the last taken branch is noted. Then all it expects is
 * registers, which memory knows, and anchors that have been compared (anchors_in), which the way
 * in compares.
 * [I2] A way in is a record of its own, whose `whole` is the region: it dies with the region, and
 * has its bytes in code memory where room was then.
 * [I3] Code in pages behind the region's first relies on where its page is: that is compared. */
#include "cpu/jit/emit_internal.h"

#define HOST_BITS 4u

static bool block_open(const struct jit_cx *x, const struct jit_block *b)
{
    return b->open && !b->skipped && b->at && b != &x->block[x->entry_block] &&
           __builtin_popcount(b->anchors_in) <= ANCHORS_ASKED_MAX;
}

/* Which record of the region stands for one of its pages: 0, the region's own, or a part and one
 * more. */
static unsigned record_of(const struct jit_cx *x, const struct jit_region *r, unsigned page)
{
    for (unsigned n = 0; page && n < ARRAY_LEN(r->part) && r->part[n]; n++)
        if (r->part[n]->page == x->pages[page].page)
            return n + 1;
    return 0;
}

static u64 hosts_pack(const struct jit_zone *z)
{
    u64 hosts = 0;
    for (unsigned g = 0; g < 16; g++)
        if (z->host[g] != HOST_NONE)
            hosts |= (u64)(u8)z->host[g] << HOST_BITS * g;
    return hosts;
}
_Static_assert(RAX == 0, "no guest register is there: it stands for none");

/* What is asked of anchor k where control comes in from outside. */
static struct jit_way_anchor asked_of(const struct jit_cx *x, unsigned k)
{
    const struct jit_insn served = {.anchor = (u8)(k + 1)};
    if (x->way_anchor)
        return x->way_anchor[k];
    return (struct jit_way_anchor){.what = anchor_packed(x, &served),
                                   .where = anchor_entry(x, &served),
                                   .base = x->anchor[k].base,
                                   .index = x->anchor[k].index};
}

static void anchors_note(const struct jit_cx *x, struct jit_region *r)
{
    struct jit *j = x->jit;
    r->asks = j->way_anchors;
    for (unsigned k = 0; k < x->anchors; k++)
        j->way_anchor[j->way_anchors++] = asked_of(x, k);
}

void ways_in_note(const struct jit_cx *x, struct jit_region *r)
{
    struct jit *j = x->jit;
    r->ways = j->way_count;
    if (j->way_count + x->blocks > JIT_WAYS_IN_MAX ||
        j->way_anchors + x->anchors > JIT_WAY_ANCHORS_MAX)
        return;
    anchors_note(x, r);
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        const struct jit_insn *first = &x->insn[b->first];
        const struct jit_zone *z = &x->zones[b->zone];
        if (!block_open(x, b))
            continue;
        j->way_in[j->way_count++] =
            (struct jit_way_in){.code = (u32)(b->at - j->rw),
                                .record = (u8)record_of(x, r, first->page),
                                .slot = first->slot,
                                .needed = b->needed,
                                .low = b->low_in,
                                .fp = b->fp_in,
                                .anchors = b->anchors_in,
                                .hosts = hosts_pack(z)};
        x->pages[first->page].page->open[first->slot / 64] |= 1ull << first->slot % 64;
    }
    r->way_count = (u16)(j->way_count - r->ways);
}

static struct jit_region *record_at(struct jit_region *r, unsigned n)
{
    return n ? r->part[n - 1] : r;
}

struct jit_region *way_in_find(const struct jit *j, const struct code_page *page, unsigned slot,
                               u8 mode, bool settled, const struct jit_way_in **way)
{
    struct jit_region *of = way_in_maybe(page, slot) ? page->jit : NULL;
    u64 granule = 1ull << slot / GRANULE_SLOTS;
    for (; of; of = of->next) {
        if (!(of->granules & granule)) /* no instruction of it is there */
            continue;
        struct jit_region *r = of->whole;
        if (r->mode != mode || (settled && !r->settled))
            continue;
        for (unsigned k = 0; k < r->way_count; k++) {
            *way = &j->way_in[r->ways + k];
            if ((*way)->slot == slot && record_at(r, (*way)->record) == of)
                return r;
        }
    }
    return NULL;
}

/* ---- emission ---- */

/* What emit_entry asks for, as if the region in x were that block alone. */
static void block_alone(struct jit_cx *x, const struct jit_region *r,
                        const struct jit_way_in *way)
{
    struct jit_zone *z = &x->zones[ZONE_REGION];
    *z = (struct jit_zone){.temp = HOST_NONE};
    memset(z->host, HOST_NONE, sizeof z->host);
    for (unsigned g = 0; g < 16; g++) {
        unsigned host = way->hosts >> HOST_BITS * g & 15;
        if (host) {
            z->host[g] = (s8)host;
            z->resident |= (u16)(1u << g);
        }
    }
    x->block[0] =
        (struct jit_block){.needed = way->needed, .low_in = way->low, .fp_in = way->fp};
    x->entry_block = 0;
    x->stubs = x->exits = x->fixes = 0;
    x->keeps = r->cells != 0;
    x->cells = r->cells;
    x->anchors = r->anchors;
    x->fpc_sure = r->fpc_sure;
    x->fpc_waits = r->fpc_waits;
    x->way_anchor = &x->jit->way_anchor[r->asks];
}

/* One that the block expects to have been compared. */
static void anchor_ask(struct jit_cx *x, unsigned k)
{
    struct jit_way_anchor asked = asked_of(x, k);
    struct x64 *a = &x->a;
    x64_rm(a, true, A_MOV, RAX, home(asked.base));
    if (asked.index < ZERO_REG)
        x64_rm(a, true, A_ADD, RAX, home(asked.index));
    struct jit_stub *s = stub_new(x, STUB_ASK, anchor_compare(x, k, RAX, 0));
    s->to = (s32)k;
    s->mid = a->at;
}

void way_in_ask(struct jit_cx *x, u32 anchors)
{
    for (u32 of = anchors; of; of &= of - 1)
        anchor_ask(x, (unsigned)__builtin_ctz(of));
}

/* As anchor_stub, but what the TLB does not have is not brought there: who knows whether it will be
 * used. */
void way_in_stub(struct jit_cx *x, const struct jit_stub *s)
{
    struct jit_way_anchor asked = asked_of(x, (unsigned)s->to);
    struct x64 *a = &x->a;
    x64_mov_i(a, RDX, asked.what);
    x64_mov_i(a, RCX, asked.where);
    x64_call_to(a, x->jit->common[COMMON_ANCHOR_LOOK]);
    u8 *well = x64_jcc(a, CC_NE);
    x64_patch(a, well, s->mid);
    stub_entry(x, x->way_anchor ? (const void *)(uintptr_t)jit_way_missed
                                : (const void *)(uintptr_t)jit_entry_missed);
}

void way_in_emit(struct jit_cx *x, struct jit_region *r, const struct jit_way_in *way,
                 unsigned slot)
{
    const struct dinsn *d = &x->page->slot[slot];
    block_alone(x, r, way);
    x->entry_slot = slot;
    x->before = d->run;
    emit_entry(x, way->record ? record_at(r, way->record)->addr : ADDR_ANY);
    way_in_ask(x, way->anchors);
    emit_entry_load(x);
    x64_jmp_to(&x->a, x->jit->rx + way->code);
    struct x64 hot = x->a;
    x->a = x->cold;
    stubs_emit(x);
    x->cold = x->a;
    x->a = hot;
    x->way_anchor = NULL;
}
