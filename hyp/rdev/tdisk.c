/* Temporary disks on CP-owned volumes: which space is TDSK, which of it is in use. [T1] What a
 * T-disk has is given to no other before its link has ended and, with CLEAR_TDISK, its space has
 * been overwritten (tdisk_clear.c). Its device sees none of what was there before (window_fresh),
 * so giving it out takes no time. Free space is what no link has: there is no list of it that could
 * be wrong. What is TDSK the volume says each time: somebody may have changed its map. */
#include <stdio.h>

#include "hyp/rdev/rdev_internal.h"
#include "mem/base/log.h"

#define TDISK_TRIES_MAX 256u /* places that others have, for one T-disk */

/** Blocks or cylinders of a unit of the allocation map. */
static u64 unit_of(const struct rdev *d)
{
    return d->type == 0x3390 ? 1 : ALLOC_PAGE_BLOCKS;
}

bool rdev_may_allocate(const struct rdevs *r, const struct rdev *d)
{
    const struct alloc_map *m = &d->alloc;
    if (d->klass != RDEV_DASD || d->state != RDEV_SYSTEM || !d->cp_owned || !m->cp_volume)
        return false;
    if (m->cluster[0] && strcmp(m->cluster, r->config->ssi_name) != 0)
        return false;
    return !m->system[0] || !strcmp(m->system, r->config->member);
}

static bool meet(struct window_extent a, struct window_extent b)
{
    return a.first < b.first + b.count && b.first < a.first + a.count;
}

/** Does somebody have part of it, if only to read? *end: behind that. A minidisk of the whole
 *  volume does not keep CP from giving out what is CP's. */
static bool taken(const struct rdevs *r, const struct rdev *d, struct window_extent x, u64 *end)
{
    for (const struct vlink *l = r->links; l; l = l->next) {
        bool whole = l->extent.count == d->units;
        if (l->rdev == d && (!whole || l->kind == VLINK_TEMP) && meet(l->extent, x))
            return *end = l->extent.first + l->extent.count, true;
    }
    return tdisk_unclean(r, d, x, end);
}

static u64 up(u64 n, u64 unit)
{
    return (n + unit - 1) / unit * unit;
}

/** A place for `count` in extent x (of blocks or cylinders) from *at on. */
static bool place(const struct rdevs *r, const struct rdev *d, struct window_extent x,
                  u64 count, u64 *at)
{
    u64 behind = x.first + x.count, end;
    for (; *at + count <= behind; *at = up(end, unit_of(d)))
        if (!taken(r, d, (struct window_extent){*at, count}, &end))
            return true;
    return false;
}

static enum link_result take_at(struct rdevs *r, struct rdev *d, struct window_extent extent,
                                struct vlink *l, bool *elsewhere, struct cause *cause)
{
    l->rdev = d;
    l->share = share_ref(d->share);
    l->extent = extent;
    *elsewhere = false;
    int status = link_consent(r, l, link_mode_refuses(LINK_M, LINK_WRITE), cause);
    *elsewhere = status == ST_EXIST;
    enum link_result rc = *elsewhere ? LINK_REFUSED
                          : status   ? LINK_FAILED
                                     : link_open(l, cause);
    if (rc == LINK_DONE)
        return rc;
    link_release(r, l);
    share_unref(l->share);
    l->share = NULL;
    l->rdev = NULL;
    return rc;
}

/** A place in extent x. Where another member has something the search goes on behind that. */
static enum link_result take_in(struct rdevs *r, struct rdev *d, struct window_extent x,
                                u64 count, unsigned *tries, struct vlink *l,
                                struct cause *cause)
{
    enum link_result rc = LINK_NO_SPACE;
    u64 at = x.first, behind;
    bool elsewhere; /* a member has part of it, as the PDR says */
    while (*tries && place(r, d, x, count, &at)) {
        (*tries)--;
        rc = take_at(r, d, (struct window_extent){at, count}, l, &elsewhere, cause);
        if (rc != LINK_REFUSED)
            return rc;
        rc = LINK_NO_SPACE;
        behind = elsewhere                   ? at + count
                 : share_by_extent(d->share) ? share_blocked(d->share)
                                             : UINT64_MAX;
        if (behind >= x.first + x.count)
            break;
        at = behind > at ? up(behind, unit_of(d)) : at;
    }
    return rc;
}

static enum link_result take_of(struct rdevs *r, struct rdev *d, u64 count, unsigned *tries,
                                struct vlink *l, struct cause *cause)
{
    enum link_result rc = LINK_NO_SPACE;
    u64 unit = unit_of(d);
    for (unsigned i = 0; i < d->alloc.count && rc == LINK_NO_SPACE; i++) {
        const struct alloc_extent *a = &d->alloc.extent[i];
        struct window_extent x = {a->first * unit, ((u64)a->last - a->first + 1) * unit};
        if (a->type == ALLOC_TDSK)
            rc = take_in(r, d, x, count, tries, l, cause);
    }
    return rc;
}

static bool has_space(const struct rdevs *r, const struct rdev *d, u16 type)
{
    bool tdsk = false;
    for (unsigned i = 0; i < d->alloc.count; i++)
        tdsk |= d->alloc.extent[i].type == ALLOC_TDSK;
    return tdsk && d->type == type && !d->read_only && rdev_may_allocate(r, d);
}

bool tdisk_here(const struct rdevs *r, u16 type)
{
    bool any = false;
    for (unsigned i = 0; i < r->count; i++)
        any |= has_space(r, &r->rdev[i], type);
    return any;
}

/** A CP-owned volume of this type from which T-disks may come, as its map says now; else NULL. */
static struct rdev *volume_for(struct rdevs *r, unsigned slot, u16 type)
{
    const char *volid = r->owned[slot].volid;
    struct rdev *d = volid[0] ? rdev_volume(r, volid) : NULL;
    struct alloc_map map;
    struct cause why;
    if (!d || !has_space(r, d, type) || d->drains_tdisk)
        return NULL;
    if (share_alloc_map(d->share, &map, &why)) {
        log_line("no T-disk from device %04X: %s", d->devno, why.text);
        return NULL;
    }
    d->alloc = map;
    return has_space(r, d, type) ? d : NULL;
}

enum link_result tdisk_take(struct rdevs *r, u16 type, u64 count, struct vlink *l,
                            struct cause *cause)
{
    enum link_result rc = LINK_NO_SPACE, failed = LINK_NO_SPACE;
    unsigned tries = TDISK_TRIES_MAX;
    tdisk_reap(r);
    l->kind = VLINK_TEMP;
    l->write = true;
    for (unsigned slot = 1; slot <= CPOWNED_SLOTS_MAX && tries && rc != LINK_DONE; slot++) {
        struct rdev *d = volume_for(r, slot, type);
        rc = d ? take_of(r, d, count, &tries, l, cause) : LINK_NO_SPACE;
        if (rc == LINK_DONE || rc == LINK_NO_SPACE)
            continue;
        failed = rc; /* other volumes may be sound */
        log_line("no T-disk from device %04X: %s", d->devno, cause->text);
    }
    if (!tries && rc != LINK_DONE)
        log_line("no T-disk of %llu: others have the first %u places that were looked at",
                 (unsigned long long)count, TDISK_TRIES_MAX);
    return rc == LINK_NO_SPACE ? failed : rc;
}

/** How much of an extent of the map is in use, in its units; *high: behind the last. */
u64 tdisk_used(struct rdevs *r, const struct rdev *d, const struct alloc_extent *a, u64 *high)
{
    u64 unit = unit_of(d), used = 0;
    struct window_extent x = {a->first * unit, ((u64)a->last - a->first + 1) * unit};
    *high = 0;
    tdisk_reap(r);
    for (const struct vlink *l = r->links; l; l = l->next)
        if (l->kind == VLINK_TEMP && l->rdev == d && meet(l->extent, x)) {
            u64 end = up(l->extent.first + l->extent.count, unit) / unit;
            used += up(l->extent.count, unit) / unit;
            *high = end > *high ? end : *high;
        }
    return used + tdisk_unclean_units(r, d, x, unit);
}
