/* Temporary disks on CP-owned volumes: which space is TDSK, which of it is in use, and what is
 * made empty behind a user. [T1] What a T-disk has is given to no other before its link has ended
 * and, with CLEAR_TDISK, its space has been overwritten. Its device sees none of what was there
 * before (window_fresh), so giving it out takes no time. Free space is what no link has: there is
 * no list of it that could be wrong. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/rdev/rdev_internal.h"
#include "mem/base/log.h"

/** Space that a thread of its own overwrites. Located by struct rdevs; loop thread, but `done` and
 *  `stop`. */
struct tdisk_clearing {
    struct tdisk_clearing *next;
    struct rdev *rdev;
    struct window_extent extent;
    struct image *img;
    pthread_t thread;
    atomic_bool done, stop;
};

/** Blocks or cylinders of a unit of the allocation map. */
static u64 unit_of(const struct rdev *d)
{
    return d->type == 0x3390 ? 1 : ALLOC_PAGE_BLOCKS;
}

/* --- clearing ------------------------------------------------------------------------------- */

static void *clear(void *arg)
{
    struct tdisk_clearing *c = arg;
    struct cause cause = {0};
    if (window_erase(c->img, &c->stop, &cause))
        log_line("T-disk space of device %04X was not cleared: %s", c->rdev->devno, cause.text);
    image_unref(c->img);
    atomic_store(&c->done, true);
    return NULL;
}

void tdisk_gone(struct rdevs *r, struct vlink *l)
{
    struct tdisk_clearing *c = NULL;
    if (!r->config->features.clear_tdisk || !l->rdev || !l->img || image_offline(l->img))
        return;
    c = calloc(1, sizeof *c);
    if (!c)
        return;
    c->rdev = l->rdev;
    c->extent = l->extent;
    c->img = image_ref(l->img);
    if (pthread_create(&c->thread, NULL, clear, c)) {
        image_unref(c->img);
        free(c);
        log_line("T-disk space of device %04X was not cleared: no thread", l->rdev->devno);
        return;
    }
    c->next = r->clearing;
    r->clearing = c;
}

/** What is clear by now is free; `all`: wait for the others. */
static void reap(struct rdevs *r, bool all)
{
    struct tdisk_clearing **at = &r->clearing;
    while (*at) {
        struct tdisk_clearing *c = *at;
        if (!all && !atomic_load(&c->done)) {
            at = &c->next;
            continue;
        }
        pthread_join(c->thread, NULL);
        *at = c->next;
        free(c);
    }
}

void tdisk_destroy(struct rdevs *r)
{
    reap(r, true);
}

unsigned tdisk_clearings(struct rdevs *r, const struct rdev *d)
{
    unsigned n = 0;
    reap(r, false);
    for (const struct tdisk_clearing *c = r->clearing; c; c = c->next)
        n += !d || c->rdev == d;
    return n;
}

/* --- space ---------------------------------------------------------------------------------- */

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

/** Does somebody have part of it? *end: behind that. A minidisk of the whole volume does not keep
 *  CP from giving out what is CP's. */
static bool taken(const struct rdevs *r, const struct rdev *d, struct window_extent x, u64 *end)
{
    for (const struct vlink *l = r->links; l; l = l->next) {
        bool whole = l->extent.count == d->units;
        if (l->rdev == d && !whole && (l->kind == VLINK_TEMP || l->write) && meet(l->extent, x))
            return *end = l->extent.first + l->extent.count, true;
    }
    for (const struct tdisk_clearing *c = r->clearing; c; c = c->next)
        if (c->rdev == d && meet(c->extent, x))
            return *end = c->extent.first + c->extent.count, true;
    return false;
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

static enum link_result take_of(struct rdevs *r, struct rdev *d, u64 count, struct vlink *l,
                                struct cause *cause)
{
    for (unsigned i = 0; i < d->alloc.count; i++) {
        const struct alloc_extent *a = &d->alloc.extent[i];
        u64 unit = unit_of(d), at = a->first * unit;
        struct window_extent x = {at, ((u64)a->last - a->first + 1) * unit};
        for (; a->type == ALLOC_TDSK && place(r, d, x, count, &at); at += up(count, unit)) {
            l->rdev = d;
            l->share = share_ref(d->share);
            l->extent = (struct window_extent){at, count};
            enum link_result rc = link_open(l, cause);
            if (rc == LINK_DONE)
                return rc;
            share_unref(l->share);
            l->share = NULL;
            l->rdev = NULL;
            if (rc != LINK_REFUSED) /* else another member has it */
                return rc;
        }
    }
    return LINK_NO_SPACE;
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

enum link_result tdisk_take(struct rdevs *r, u16 type, u64 count, struct vlink *l,
                            struct cause *cause)
{
    enum link_result rc = LINK_NO_SPACE;
    reap(r, false);
    l->kind = VLINK_TEMP;
    l->write = true;
    for (unsigned slot = 1; slot <= CPOWNED_SLOTS_MAX && rc == LINK_NO_SPACE; slot++) {
        const char *volid = r->owned[slot].volid;
        struct rdev *d = volid[0] ? rdev_volume(r, volid) : NULL;
        if (d && has_space(r, d, type) && !d->drains_tdisk)
            rc = take_of(r, d, count, l, cause);
    }
    return rc;
}

/** How much of an extent of the map is in use, in its units; *high: behind the last. */
u64 tdisk_used(struct rdevs *r, const struct rdev *d, const struct alloc_extent *a, u64 *high)
{
    u64 unit = unit_of(d), used = 0;
    struct window_extent x = {a->first * unit, ((u64)a->last - a->first + 1) * unit};
    *high = 0;
    reap(r, false);
    for (const struct vlink *l = r->links; l; l = l->next)
        if (l->kind == VLINK_TEMP && l->rdev == d && meet(l->extent, x)) {
            u64 end = up(l->extent.first + l->extent.count, unit) / unit;
            used += up(l->extent.count, unit) / unit;
            *high = end > *high ? end : *high;
        }
    for (const struct tdisk_clearing *c = r->clearing; c; c = c->next)
        if (c->rdev == d && meet(c->extent, x))
            used += up(c->extent.count, unit) / unit;
    return used;
}
