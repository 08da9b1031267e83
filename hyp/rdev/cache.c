/* Which minidisks the cache is for: what the directory says (MINIOPT NOCACHE) and SET MDCACHE.
 * T-disks, virtual disks and dedicated ones are not cached. */
#include "hyp/rdev/rdev_internal.h"

void link_apply_cache(struct vlink *l)
{
    if (l->img && l->rdev && l->kind == VLINK_MDISK)
        window_cache(l->img, l->cache && !l->rdev->no_cache);
}

void link_set_cache(struct vlink *l, bool on)
{
    l->cache = on;
    link_apply_cache(l);
}

bool link_is_cached(const struct vlink *l)
{
    return l->img && l->rdev && l->kind == VLINK_MDISK && window_is_cached(l->img);
}

void link_flush_cache(struct vlink *l)
{
    if (l->img && l->rdev)
        share_flush_cache(l->share, l->extent.first, l->extent.count);
}

void rdev_set_cache(struct rdevs *r, struct rdev *d, bool on)
{
    d->no_cache = !on;
    for (struct vlink *l = r->links; l; l = l->next)
        if (l->rdev == d)
            link_apply_cache(l);
}

void rdev_flush_cache(struct rdev *d)
{
    if (d->share)
        share_flush_cache(d->share, 0, d->units);
}

struct mdc *rdevs_mdc(struct rdevs *r)
{
    return r->mdc;
}
