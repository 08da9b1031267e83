/* What flows through a region: registers and their host registers, what is dirty and what must be
 * loaded. */
#include "cpu/jit/jit_internal.h"

#define ZONE_HOSTS 10u
#define RESIDENT_WEIGHT_MIN 4 /* fewer uses are as cheap in memory */
#define OWN_SHIFT 12          /* uses in the zone count so much more than those around it */

/* ---- zones ----
 * Which guest registers are in which host registers, loop by loop.
 * A loop has a zone of its own when it and what is around it need more registers than the host
 * has. A zone gives its host registers to the registers that are busiest in it, then to those of
 * the region; a register that is in the same place in both zones stays there when control goes
 * from one to the other, others go by way of memory (reg_settle). What is called from a loop
 * belongs to the loop's zone. */

/* Windows and the condition of select.c take host registers from the end. */
static const s8 pool[ZONE_HOSTS] = {RBX, R12, R8, R9, R10, R11, RSI, RDI, R13, R14};

/* The loop of a backward branch; one that begins at the same block is made longer. */
static void loop_add(struct jit_cx *x, unsigned head, unsigned last)
{
    for (unsigned z = 1; z < x->zone_count; z++)
        if (x->zones[z].head == (int)head) {
            if (x->zones[z].last < (int)last)
                x->zones[z].last = (s16)last;
            return;
        }
    if (x->zone_count < ZONES_MAX)
        x->zones[x->zone_count++] = (struct jit_zone){.head = (s16)head, .last = (s16)last};
}

static int length(const struct jit_zone *z)
{
    return z->last - z->head;
}

/* The shortest loop with the block in it that is longer than `than`. */
static unsigned loop_around(const struct jit_cx *x, int block, int than)
{
    unsigned best = ZONE_REGION;
    for (unsigned z = 1; z < x->zone_count; z++) {
        const struct jit_zone *now = &x->zones[z];
        if (block >= now->head && block <= now->last && length(now) > than &&
            (!best || length(now) < length(&x->zones[best])))
            best = z;
    }
    return best;
}

static u16 registers_of_zone(const struct jit_cx *x, const u16 *regs, unsigned zone)
{
    u16 of = 0;
    for (unsigned k = 0; k < x->blocks; k++)
        if (x->block[k].zone == zone)
            of |= regs[k];
    return of;
}

static void registers_of_blocks(const struct jit_cx *x, u16 *regs)
{
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        regs[k] = 0;
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++)
            regs[k] |= x->insn[i].reads | x->insn[i].writes;
    }
}

static void zone_join(struct jit_cx *x, unsigned zone, unsigned into)
{
    for (unsigned k = 0; k < x->blocks; k++)
        if (x->block[k].zone == zone)
            x->block[k].zone = (u8)into;
    for (unsigned z = 1; z < x->zone_count; z++)
        if (x->zones[z].parent == zone)
            x->zones[z].parent = (u8)into;
}

/* Loops from the shortest on join what is around them when registers suffice for both. */
static void zones_join(struct jit_cx *x)
{
    bool done[ZONES_MAX] = {false};
    u16 regs[REGION_BLOCKS_MAX];
    registers_of_blocks(x, regs);
    for (unsigned n = 1; n < x->zone_count; n++) {
        unsigned z = 0;
        for (unsigned k = 1; k < x->zone_count; k++)
            if (!done[k] && (!z || length(&x->zones[k]) < length(&x->zones[z])))
                z = k;
        done[z] = true;
        u16 both =
            registers_of_zone(x, regs, z) | registers_of_zone(x, regs, x->zones[z].parent);
        if ((unsigned)__builtin_popcount(both) + x->windows <= ZONE_HOSTS)
            zone_join(x, z, x->zones[z].parent);
    }
}

static void zones_find(struct jit_cx *x)
{
    x->zone_count = 1;
    x->zones[ZONE_REGION] = (struct jit_zone){.head = 0, .last = (s16)x->blocks};
    for (unsigned k = 0; k < x->blocks; k++) {
        int to = x->block[k].taken;
        if (to >= 0 && to <= (int)k && x->block[to].loop_head)
            loop_add(x, (unsigned)to, k);
    }
    for (unsigned z = 1; z < x->zone_count; z++)
        x->zones[z].parent = (u8)loop_around(x, x->zones[z].head, length(&x->zones[z]));
    for (unsigned k = 0; k < x->blocks; k++)
        x->block[k].zone = (u8)loop_around(x, (int)k, -1);
    for (unsigned k = 0; k < x->blocks; k++) {
        struct jit_block *b = &x->block[k];
        if (b->zone == ZONE_REGION && b->via >= 0)
            b->zone = (u8)loop_around(x, b->via, -1);
    }
    zones_join(x);
}

/* How busy registers are. */
struct weights {
    u64 all[16], write32[16], wide[16];
};

static void weigh_insn(struct weights *w, const struct jit_insn *in, u64 unit)
{
    for (unsigned r = in->reads; r; r &= r - 1)
        w->all[__builtin_ctz(r)] += unit;
    for (unsigned r = in->writes; r; r &= r - 1)
        w->all[__builtin_ctz(r)] += unit;
    for (unsigned r = in->writes & ~in->writes64; r; r &= r - 1)
        w->write32[__builtin_ctz(r)] += unit;
    for (unsigned r = in->reads64; r; r &= r - 1)
        w->wide[__builtin_ctz(r)] += unit;
    for (unsigned r = in->writes64; r; r &= r - 1)
        w->wide[__builtin_ctz(r)] += unit;
}

/* In the region, and in its zones (NULL: nobody asks). */
static void region_weigh(const struct jit_cx *x, struct weights *zones, struct weights *all)
{
    memset(all, 0, sizeof *all);
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
            weigh_insn(all, &x->insn[i], block_unit(b));
            if (zones)
                weigh_insn(&zones[b->zone], &x->insn[i], block_unit(b) << OWN_SHIFT);
        }
    }
}

/* What is around a zone counts too: a register may as well stay where it is. */
static void weights_add(struct weights *to, const struct weights *all)
{
    for (unsigned g = 0; g < 16; g++) {
        to->all[g] += all->all[g];
        to->write32[g] += all->write32[g];
        to->wide[g] += all->wide[g];
    }
}

/* Host registers that windows and conditions leave. */
static unsigned room_of(struct jit_cx *x, unsigned zone)
{
    unsigned windows = 0, temps = 0;
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        if (b->zone != zone)
            continue;
        temps |= b->selects;
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++)
            if (x->insn[i].window > windows)
                windows = x->insn[i].window;
    }
    x->zones[zone].temp = temps ? pool[ZONE_HOSTS - windows - 1] : HOST_NONE;
    return ZONE_HOSTS - windows - temps;
}

/* The busiest registers, as many as there is room for: fewer than there are must go, most times. */
static u16 choose(const struct weights *w, unsigned room)
{
    u16 busy = 0;
    unsigned count = 0;
    for (unsigned g = 0; g < 16; g++)
        if (w->all[g] >= RESIDENT_WEIGHT_MIN) {
            busy |= (u16)(1u << g);
            count++;
        }
    for (; count > room; count--) {
        unsigned least = (unsigned)__builtin_ctz(busy);
        for (unsigned g = least + 1; g < 16; g++)
            if ((busy >> g & 1) && w->all[g] <= w->all[least])
                least = g;
        busy &= (u16) ~(1u << least);
    }
    return busy;
}

/* Which one of the pool a host register is. */
static unsigned pool_index(s8 host)
{
    static const u8 of[16] = {[RBX] = 0, [R12] = 1, [R8] = 2,  [R9] = 3,  [R10] = 4,
                              [R11] = 5, [RSI] = 6, [RDI] = 7, [R13] = 8, [R14] = 9};
    return of[host];
}

static void host_give(struct jit_zone *z, unsigned g, unsigned k, u16 *rest)
{
    z->host[g] = pool[k];
    *rest &= (u16) ~(1u << k);
}

/* Where other zones have a register it goes here too, when that is free. */
static void hosts_give(struct jit_zone *z, unsigned room, const s8 *usual)
{
    u16 rest = (u16)((1u << room) - 1), left = z->resident;
    for (unsigned of = left; of; of &= of - 1) {
        unsigned g = (unsigned)__builtin_ctz(of);
        unsigned k = usual[g] == HOST_NONE ? room : pool_index(usual[g]);
        if (!(rest >> k & 1))
            continue;
        host_give(z, g, k, &rest);
        left &= (u16) ~(1u << g);
    }
    for (unsigned of = left; of; of &= of - 1)
        host_give(z, (unsigned)__builtin_ctz(of), (unsigned)__builtin_ctz(rest), &rest);
}

static void zone_assign(struct jit_cx *x, unsigned zone, const struct weights *w, s8 *usual)
{
    struct jit_zone *z = &x->zones[zone];
    unsigned room = room_of(x, zone);
    memset(z->host, HOST_NONE, sizeof z->host);
    z->resident = choose(w, room);
    z->low_class = 0;
    hosts_give(z, room, usual);
    for (unsigned of = z->resident; of; of &= of - 1) {
        unsigned g = (unsigned)__builtin_ctz(of);
        if (usual[g] == HOST_NONE)
            usual[g] = z->host[g];
        if (w->write32[g] > w->wide[g])
            z->low_class |= (u16)(1u << g);
    }
}

static u16 same_of(const struct jit_zone *a, const struct jit_zone *b)
{
    u16 same = 0;
    for (unsigned of = a->resident & b->resident; of; of &= of - 1) {
        unsigned g = (unsigned)__builtin_ctz(of);
        if (a->host[g] == b->host[g])
            same |= (u16)(1u << g);
    }
    return same;
}

static void zones_compare(struct jit_cx *x)
{
    for (unsigned a = 0; a < x->zone_count; a++)
        for (unsigned b = 0; b < a; b++)
            x->zones[a].same[b] = x->zones[b].same[a] = same_of(&x->zones[a], &x->zones[b]);
    for (unsigned e = 0; e < x->edges; e++) {
        struct jit_edge *edge = &x->edge[e];
        edge->same = zone_same(x, x->block[edge->from].zone, x->block[edge->to].zone);
    }
}

static void zones_assign(struct jit_cx *x)
{
    struct weights w[ZONES_MAX], all;
    s8 usual[16];
    memset(usual, HOST_NONE, sizeof usual);
    memset(w, 0, x->zone_count * sizeof w[0]);
    region_weigh(x, x->zone_count > 1 ? w : NULL, &all);
    for (unsigned zone = 0; zone < x->zone_count; zone++) {
        weights_add(&w[zone], &all);
        zone_assign(x, zone, &w[zone], usual);
    }
    zones_compare(x);
}

void zone_enter(struct jit_cx *x, unsigned zone)
{
    const struct jit_zone *z = &x->zones[zone];
    x->zone = (u8)zone;
    memcpy(x->host, z->host, sizeof x->host);
    x->resident = z->resident;
}

/* ---- what is dirty, what must be loaded ---- */

/* A window that saves less than the register it takes is given up. */
static void windows_limit(struct jit_cx *x)
{
    struct weights w;
    if (x->windows)
        region_weigh(x, NULL, &w);
    while (x->windows) {
        u64 all[16], last = 0;
        memcpy(all, w.all, sizeof all);
        for (unsigned k = 0; k + x->windows <= ZONE_HOSTS; k++) {
            unsigned best = 0;
            for (unsigned g = 1; g < 16; g++)
                if (all[g] > all[best])
                    best = g;
            last = all[best];
            all[best] = 0;
        }
        if (window_gain(x, x->windows) >= last)
            return;
        window_drop(x, x->windows--);
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
        out[k] = w & x->zones[b->zone].resident;
        x->block[k].dirty_in = 0;
        x->block[k].fn = fn;
    }
    for (bool again = true; again;) {
        again = false;
        for (unsigned e = 0; e < x->edges; e++) {
            const struct jit_edge *edge = &x->edge[e];
            const struct jit_block *b = &x->block[edge->from];
            u16 *in = &x->block[edge->to].dirty_in;
            u16 now = (out[edge->from] | (b->fn ? 0 : b->dirty_in)) & edge->same;
            again |= (now & ~*in) != 0;
            *in |= now;
        }
    }
}

/* Registers of the zone that must be valid where a block begins: read before they are written, or
 * stored on some way out without having been written on the way there; and what it makes valid. */
static u16 needed_of(const struct jit_cx *x, const struct jit_block *b, u16 *have)
{
    u16 need = b->dirty_in;
    *have = 0;
    for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++) {
        const struct jit_insn *in = &x->insn[i];
        need |= in->reads & (u16) ~*have;
        *have = in->lo ? (u16)(*have | in->writes) : (u16)0xffff;
    }
    return need & x->zones[b->zone].resident;
}

static void needed_find(struct jit_cx *x)
{
    u16 have[REGION_BLOCKS_MAX];
    for (unsigned k = 0; k < x->blocks; k++)
        x->block[k].needed = needed_of(x, &x->block[k], &have[k]);
    for (bool again = true; again;) {
        again = false;
        for (unsigned e = x->edges; e-- > 0;) {
            const struct jit_edge *edge = &x->edge[e];
            struct jit_block *b = &x->block[edge->from];
            u16 more = x->block[edge->to].needed & edge->same & (u16)~have[edge->from];
            more &= x->zones[b->zone].resident;
            again |= (more & ~b->needed) != 0;
            b->needed |= more;
        }
    }
}

void region_analyse(struct jit_cx *x)
{
    windows_find(x);
    windows_limit(x);
    cc_live_find(x);
    zones_find(x);
    select_find(x);
    zones_assign(x);
    select_check(x);
    halves_find(x);
    dirty_find(x);
    needed_find(x);
    fp_flow_find(x);
    cc_marks_find(x);
}
