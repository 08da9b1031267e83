/* Links of the simulated cluster: users of its members have minidisks of one volume, of which some
 * overlap, in all modes of link_mode.def, by the rules of hyp/rdev/link.c and link_share.c: what
 * one has here decides first, then the share of the part. Guests move with their links, which are
 * on both members until the hand-over.
 *
 * [W8] No link is given that a link of another user, wherever, refuses or that refuses it; who has
 *      one has its bits in the PDR; who is refused one is refused because of somebody; and when all
 *      has healed, nothing is in the PDR that nobody has. */
#include "tests/lib/ssi_world_internal.h"

#define KIND_LINK 9
#define VOLUME 77

static const struct ssi_part disks[] = {
    {"COM001", VOLUME, 0, 10}, {"COM001", VOLUME, 10, 10},
    {"COM001", VOLUME, 5, 10}, {"COM001", VOLUME, 0, 30}, /* a full-pack minidisk */
    {"", VOLUME, 0, 30},                                  /* the volume, attached */
};

static bool overlap(const struct ssi_part *a, const struct ssi_part *b)
{
    return a->first < b->first + b->count && b->first < a->first + a->count;
}

static u8 has(const struct link *l)
{
    return link_mode_has(l->mode, l->write);
}

static u8 refuses(const struct link *l)
{
    return link_mode_refuses(l->mode, l->write ? LINK_WRITE : LINK_READ);
}

/* What the users of a member have of a part, without `but`. */
static u8 here(const struct actor *a, unsigned disk, const struct link *but)
{
    u8 bits = 0;
    for (const struct link *l = a->links; l < a->links + LINKS_MAX; l++)
        if (l != but && l->serial && l->disk == disk)
            bits |= has(l);
    return bits;
}

/* What stands in the way on the member itself. */
static u8 others_here(const struct actor *a, unsigned disk)
{
    u8 bits = 0;
    for (const struct link *l = a->links; l < a->links + LINKS_MAX; l++)
        if (l->serial && overlap(&disks[l->disk], &disks[disk]))
            bits |= has(l);
    return bits;
}

static struct link *free_link(struct actor *a)
{
    struct link *l = a->links;
    while (l < a->links + LINKS_MAX && l->serial)
        l++;
    return l < a->links + LINKS_MAX ? l : NULL;
}

/* Has that member a share, as the PDR says it, that is refused? */
static bool in_the_way(struct world *w, const char *member, unsigned disk, u8 refuse)
{
    ssi_world_look(w);
    for (u32 i = 0; i < w->pdr.n_claims; i++) {
        const struct pdr_claim *share = &w->pdr.claims[i];
        const struct ssi_part part = {.first = share->generation >> 32,
                                      .count = (u32)share->generation};
        if (share->kind == KIND_LINK && (share->mode & refuse) &&
            !strcmp(w->pdr.rows[share->owner].name, member) && overlap(&part, &disks[disk]))
            return true;
    }
    return false;
}

static int set(struct ssi *ssi, unsigned disk, u8 bits, u8 refuse, struct cause *cause)
{
    return ssi_share_part(ssi, KIND_LINK, &disks[disk], bits, refuse, cause);
}

static int take_as(struct actor *a, struct ssi *ssi, struct link *l, enum link_access access)
{
    struct world *w = a->world;
    struct cause cause = {0};
    l->write = access == LINK_WRITE;
    u8 refuse = w->plant == PLANT_LINK_DEAF ? 0 : refuses(l);
    bool safe = ssi_mode(ssi) == SSI_MODE_SAFE;
    int rc = set(ssi, l->disk, here(a, l->disk, l) | has(l), refuse, &cause);
    CHECK(w, rc != ST_OK || !safe || !refuse || a->answered,
          "[W8] M%u is given a link in Safe mode", a->slot);
    CHECK(w, rc != ST_EXIST || a->answered || in_the_way(w, cause.text, l->disk, refuse),
          "[W8] M%u is refused disk %u because of %s, who has none", a->slot, l->disk,
          cause.text);
    return rc;
}

/* As a caller would who does not want to be told later: again, if the disk does not answer now. */
static void lower_now(const struct actor *a, struct ssi *ssi, const struct link *l)
{
    if (set(ssi, l->disk, here(a, l->disk, l), 0, NULL) == ST_BUSY)
        ssi_share_lower(ssi, KIND_LINK, NULL, &disks[l->disk], here(a, l->disk, l));
}

/* It is not there any more, or has not come about. */
static void drop(struct actor *a, struct ssi *ssi, struct link *l)
{
    l->serial = 0;
    l->arriving = false;
    if (a->world->plant == PLANT_LINK_LEFT)
        return;
    if (ssi_world_pick(a->world, 2))
        ssi_share_lower(ssi, KIND_LINK, NULL, &disks[l->disk], here(a, l->disk, l));
    else
        lower_now(a, ssi, l);
}

/* `what`: disk and mode. */
static void link_now(struct actor *a, struct ssi *ssi, unsigned what)
{
    struct world *w = a->world;
    unsigned disk = what % ARRAY_LEN(disks);
    struct link *l = free_link(a);
    if (!l)
        return;
    *l = (struct link){.disk = disk, .mode = (enum link_mode)(what / ARRAY_LEN(disks))};
    enum link_access access = link_mode_decide(l->mode, others_here(a, disk));
    if (access == LINK_NONE)
        return;
    int rc = take_as(a, ssi, l, access);
    if (rc == ST_EXIST && access == LINK_WRITE && link_mode_read_only(l->mode) == LINK_READ)
        rc = take_as(a, ssi, l, LINK_READ);
    ssi_world_note(w, a->slot, "links disk %u %s: %s%s", disk, link_mode_name(l->mode),
                   status_name(rc),
                   rc         ? ""
                   : l->write ? " R/W"
                              : " R/O");
    w->sum.links += rc == ST_OK;
    w->sum.links_refused += rc == ST_EXIST;
    if (rc)
        drop(a, ssi, l);
    else
        *l = (struct link){.serial = ++w->last_serial,
                           .disk = disk,
                           .mode = l->mode,
                           .write = l->write,
                           .foreseen = a->answered};
}

/* The same, its first wish being asked for first. */
static void link_ask(struct actor *a, struct ssi *ssi, unsigned what)
{
    unsigned disk = what % ARRAY_LEN(disks);
    struct link l = {.disk = disk, .mode = (enum link_mode)(what / ARRAY_LEN(disks))};
    enum link_access access = link_mode_decide(l.mode, others_here(a, disk));
    l.write = access == LINK_WRITE;
    struct ssi_want want = {.kind = KIND_LINK,
                            .part = disks[disk],
                            .mode = here(a, disk, NULL) | (access == LINK_NONE ? 0 : has(&l)),
                            .refuse = a->world->plant == PLANT_LINK_DEAF ? 0 : refuses(&l)};
    if (access == LINK_NONE)
        return;
    ssi_world_foresee(a, ssi, &want, link_now, what);
}

/* At random, of those that do not arrive. */
static struct link *any_link(struct actor *a)
{
    unsigned at = (unsigned)ssi_world_pick(a->world, LINKS_MAX);
    for (unsigned i = 0; i < LINKS_MAX; i++) {
        struct link *l = &a->links[(at + i) % LINKS_MAX];
        if (l->serial && !l->arriving)
            return l;
    }
    return NULL;
}

static void act_unlink(struct actor *a, struct ssi *ssi)
{
    struct link *l = any_link(a);
    if (!l)
        return;
    drop(a, ssi, l);
    ssi_world_note(a->world, a->slot, "detaches disk %u", l->disk);
}

/* --- users who are relocated --- */

static struct link *source_of(struct world *w, const struct link *l, struct actor **source)
{
    for (struct actor *a = w->actors; a < w->actors + w->n; a++)
        for (struct link *k = a->links; k < a->links + LINKS_MAX; k++)
            if (k->serial == l->serial && !k->arriving) {
                *source = a;
                return k;
            }
    return NULL;
}

static bool has_copy(const struct world *w, u64 serial)
{
    for (unsigned s = 0; s < w->n; s++)
        for (unsigned i = 0; i < LINKS_MAX; i++)
            if (w->actors[s].links[i].arriving && w->actors[s].links[i].serial == serial)
                return true;
    return false;
}

/* The destination asks for the same, whatever others have: the source has had it granted. */
static void act_move(struct actor *a)
{
    struct world *w = a->world;
    struct actor *to = &w->actors[ssi_world_pick(w, w->n)];
    const struct link *l = any_link(a);
    struct ssi *ssi = ssi_sim_is_frozen(w->sim, to->slot) ? NULL : ssi_world_ssi(to);
    struct link *copy = free_link(to);
    if (!l || to == a || !ssi || !to->joined || to->leaving || !copy || !a->linked[to->slot] ||
        !to->linked[a->slot] || has_copy(w, l->serial))
        return;
    *copy = *l;
    copy->arriving = true;
    int rc = set(ssi, copy->disk, here(to, copy->disk, copy) | has(copy), 0, NULL);
    if (rc)
        drop(to, ssi, copy);
}

/* The point of no return, or the end before it. */
static void act_settle(struct actor *a, struct ssi *ssi)
{
    struct world *w = a->world;
    struct actor *source = NULL;
    struct link *l = a->links;
    while (l < a->links + LINKS_MAX && !(l->serial && l->arriving))
        l++;
    if (l == a->links + LINKS_MAX)
        return;
    struct link *from = source_of(w, l, &source);
    struct ssi *theirs =
        from && !ssi_sim_is_frozen(w->sim, source->slot) ? ssi_world_ssi(source) : NULL;
    bool well = theirs && source->linked[a->slot] && a->linked[source->slot];
    if (from && (!well || ssi_world_pick(w, 4) == 0)) {
        if (ssi_world_pick(w, 2) == 0) /* it has been given up */
            drop(a, ssi, l);
        return;
    }
    if (!from) { /* its user has logged off, or ended with the source */
        drop(a, ssi, l);
        return;
    }
    l->arriving = false;
    drop(source, theirs, from);
    w->sum.links_moved++;
}

void links_act(struct actor *a, struct ssi *ssi)
{
    switch (ssi_world_pick(a->world, 10)) {
    case 0 ... 4:
        ssi_world_ask(a, ssi, link_ask,
                      (unsigned)ssi_world_pick(a->world, ARRAY_LEN(disks) * LINK_MODES));
        break;
    case 5: act_unlink(a, ssi); break;
    case 6 ... 7:
        if (!a->world->calm)
            act_move(a);
        break;
    default: act_settle(a, ssi); break;
    }
}

void links_end(struct actor *a, struct ssi *ssi)
{
    for (struct link *l = a->links; l < a->links + LINKS_MAX; l++)
        if (l->serial)
            drop(a, ssi, l);
}

/* --- what must hold --- */

static void check_pair(struct world *w, const struct link *x, unsigned xs, const struct link *y,
                       unsigned ys)
{
    if (!overlap(&disks[x->disk], &disks[y->disk]))
        return;
    const struct link *later = x->serial > y->serial ? x : y;
    const struct link *earlier = later == x ? y : x;
    bool unsure = x->foreseen || y->foreseen; /* which of them was granted first */
    CHECK(w, !(has(earlier) & refuses(later)) || (unsure && !(has(later) & refuses(earlier))),
          "[W8] disk %u is linked %s%s on M%u, and disk %u %s%s on M%u", x->disk,
          link_mode_name(x->mode), x->write ? " R/W" : "", xs, y->disk, link_mode_name(y->mode),
          y->write ? " R/W" : "", ys);
}

static void check_share(struct world *w, unsigned slot, const struct link *l)
{
    char name[SSI_CLAIM_NAME_BYTES];
    ssi_part_name(&disks[l->disk], name);
    const struct pdr_claim *share = ssi_share_row(&w->pdr, KIND_LINK, name, slot);
    u8 bits = share ? share->mode : 0;
    CHECK(w, !(has(l) & ~bits), "[W8] M%u has disk %u, and the PDR does not know it", slot,
          l->disk);
}

/* Not those that arrive: nobody uses them yet. */
void links_check(struct world *w)
{
    const struct link *open[MEMBERS_MAX * LINKS_MAX];
    unsigned n = 0, slot[MEMBERS_MAX * LINKS_MAX];
    ssi_world_look(w);
    for (unsigned s = 0; s < w->n; s++)
        for (unsigned i = 0; i < LINKS_MAX; i++) {
            const struct link *l = &w->actors[s].links[i];
            if (!l->serial || l->arriving)
                continue;
            check_share(w, s, l);
            for (unsigned k = 0; k < n; k++)
                check_pair(w, open[k], slot[k], l, s);
            open[n] = l;
            slot[n++] = s;
        }
}

const char *links_unrest(struct world *w)
{
    char name[SSI_CLAIM_NAME_BYTES];
    for (unsigned s = 0; s < w->n; s++)
        for (unsigned i = 0; i < LINKS_MAX; i++)
            if (w->actors[s].links[i].arriving)
                return "a user has not arrived";
    for (unsigned disk = 0; disk < ARRAY_LEN(disks); disk++) {
        ssi_part_name(&disks[disk], name);
        for (unsigned s = 0; s < w->n; s++) {
            const struct pdr_claim *share = ssi_share_row(&w->pdr, KIND_LINK, name, s);
            if ((share ? share->mode : 0) != here(&w->actors[s], disk, NULL))
                return "the PDR says of a link what is not so";
        }
    }
    return NULL;
}
