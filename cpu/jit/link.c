/* Ways out of regions that lead straight into other regions.
 * A way out to a known slot ends in a jump of which the distance is written here: to the region
 * that begins at the slot, or to code that goes through the slot's handler.
 * [K1] A jump leads into a region only while that region's code is the slot's handler or could
 * be: entering a region links, dropping it unlinks, before anything else of it changes.
 * [K2] The region is of the mode that the jump's own region is for, so it need not ask.
 * [K3] A dropped region's own ways out go through slots, and are forgotten.
 * Nothing is linked in lockstep, where each region's way out ends the stretch.
 * Code is written while its own CPU executes nothing of it but a call or a jump to here. */
#include "cpu/jit/jit_internal.h"
#include "mem/base/large.h"

#define LINKS_MAX (1u << 20)
#define LINK_HEADS (1u << 16) /* a power of two */

struct jit_link {
    const struct dinsn *to; /* NULL: of a region that is gone */
    u32 jump, through;      /* in code memory: the distance, the way through the slot */
    u32 next;               /* with this hash; 0 ends */
    u8 mode;
};

struct jit_links {
    u32 head[LINK_HEADS];
    u32 count;
    struct jit_link link[LINKS_MAX]; /* [0] is none */
};

bool links_create(struct jit *j)
{
    j->links = large_map_sparse(sizeof *j->links);
    if (j->links)
        j->links->count = 1;
    return j->links != NULL;
}

void links_destroy(struct jit *j)
{
    large_unmap(j->links, sizeof *j->links);
}

void links_forget(struct jit *j)
{
    memset(j->links->head, 0, sizeof j->links->head);
    j->links->count = 1;
}

static u32 *head_of(struct jit_links *l, const struct dinsn *to)
{
    u64 h = (u64)((uintptr_t)to / sizeof *to) * 0x9e3779b97f4a7c15ull;
    return &l->head[h >> 48 & (LINK_HEADS - 1)];
}

/* The distance of a jump counts from behind itself. */
static void jump_set(struct jit *j, u32 jump, u32 target)
{
    u32 distance = target - (jump + 4);
    memcpy(j->rw + jump, &distance, sizeof distance);
}

static u32 way_in(const struct jit *j, const struct jit_region *r)
{
    return (u32)((const u8 *)(uintptr_t)r->code - j->rx) + r->linked;
}

static void link(struct jit *j, u32 jump, const struct jit_region *to)
{
    if (j->lockstep)
        return;
    jump_set(j, jump, way_in(j, to));
    j->stats.links++;
}

static bool jumps_to(const struct jit *j, u32 jump, u32 target)
{
    u32 distance;
    memcpy(&distance, j->rw + jump, sizeof distance);
    return distance == target - (jump + 4);
}

/* The next link to `to`, from *at on; those of regions that are gone are taken out on the way. */
static struct jit_link *next_to(struct jit_links *l, u32 **at, const struct dinsn *to)
{
    while (**at) {
        struct jit_link *k = &l->link[**at];
        if (!k->to) {
            **at = k->next;
            continue;
        }
        *at = &k->next;
        if (k->to == to)
            return k;
    }
    return NULL;
}

void links_into(struct jit *j, const struct dinsn *d, const struct jit_region *r)
{
    struct jit_link *k;
    u32 *at = head_of(j->links, d);
    while ((k = next_to(j->links, &at, d)))
        if (k->mode == r->mode)
            link(j, k->jump, r);
}

void links_out_of(struct jit *j, const struct dinsn *d, const struct jit_region *r)
{
    struct jit_link *k;
    u32 *at = head_of(j->links, d);
    while ((k = next_to(j->links, &at, d)))
        if (jumps_to(j, k->jump, way_in(j, r)))
            jump_set(j, k->jump, k->through);
}

static void link_enter(struct jit *j, const struct jit_exit *e, u8 mode)
{
    struct jit_links *l = j->links;
    u32 *head = head_of(l, e->to), n = l->count++;
    l->link[n] = (struct jit_link){.to = e->to,
                                   .jump = (u32)(e->jump - j->rw),
                                   .through = (u32)(e->through - j->rw),
                                   .next = *head,
                                   .mode = mode};
    *head = n;
}

void links_enter(struct jit_cx *x, struct jit_region *r)
{
    struct jit *j = x->jit;
    r->links = j->links->count;
    if (j->links->count + x->exits > LINKS_MAX)
        return; /* they go through slots for ever */
    r->link_count = (u16)x->exits;
    for (unsigned i = 0; i < x->exits; i++) {
        const struct jit_exit *e = &x->exit[i];
        link_enter(j, e, x->mode);
        if (!jit_is_code(x->c, e->to->run))
            continue;
        const struct jit_region *to = jit_region_of(j, e->to->run);
        if (to->mode == x->mode)
            link(j, (u32)(e->jump - j->rw), to);
    }
}

void links_leave(struct jit *j, struct jit_region *r)
{
    for (unsigned i = 0; i < r->link_count; i++) {
        struct jit_link *k = &j->links->link[r->links + i];
        jump_set(j, k->jump, k->through);
        k->to = NULL;
    }
    r->link_count = 0;
}
