/* Virtual disks in storage: each has the name of its MDISK (or of who has defined it), is made for
 * the first link to it and gone with the last. One that only one user has goes along with that
 * user's relocation. [V1] While it is on its way nobody else gets a link to it, on either member:
 * it is the one disk of that name, with one content. */
#include <stdio.h>

#include "hyp/rdev/rdev_internal.h"
#include "io/image/vdisk.h"

static struct vlink *one_of(struct rdevs *r, const struct link_request *q)
{
    struct vlink *l = r->links;
    while (l && (l->kind != VLINK_VIRTUAL || l->owner_vdev != q->mdisk->vdev ||
                 strcmp(l->owner, q->owner) != 0))
        l = l->next;
    return l;
}

static int make(const struct dir_mdisk *m, struct vlink *l, struct cause *cause)
{
    struct image *img;
    int rc = vdisk_create(m->count, &img, cause);
    if (rc)
        return rc;
    l->area = vdisk_area(img);
    l->share = share_of_image(img);
    if (l->share)
        return ST_OK;
    l->area = NULL;
    image_unref(img);
    return cause_set(cause, ST_NOMEM, "out of memory");
}

int virtual_take(struct rdevs *r, const struct link_request *q, bool arrives, struct vlink *l,
                 struct cause *cause)
{
    const struct vlink *one = one_of(r, q);
    l->kind = VLINK_VIRTUAL;
    l->extent = (struct window_extent){0, q->mdisk->count};
    l->moving = arrives;
    if (one && arrives)
        return cause_set(cause, ST_EXIST, "%s has a virtual disk %s %04X here", one->user,
                         q->owner, q->mdisk->vdev);
    if (one && one->moving)
        return cause_set(cause, ST_BUSY, "%s, who has it, is being relocated", one->user);
    if (!one)
        return make(q->mdisk, l, cause);
    l->area = one->area;
    l->share = share_ref(one->share);
    l->extent = one->extent;
    return ST_OK;
}

void links_moving(struct rdevs *r, const char *user, bool moving)
{
    for (struct vlink *l = link_next(r, user, NULL); l; l = link_next(r, user, l))
        l->moving = moving && l->kind == VLINK_VIRTUAL;
}

struct vlink *link_virtual(struct rdevs *r, const char *user, unsigned i)
{
    struct vlink *l = link_next(r, user, NULL);
    while (l && (l->kind != VLINK_VIRTUAL || i-- != 0))
        l = link_next(r, user, l);
    return l;
}

const char *link_virtual_other(struct rdevs *r, const struct vlink *l)
{
    for (const struct vlink *k = r->links; k; k = k->next)
        if (k != l && k->share == l->share)
            return k->user;
    return "";
}

const char *link_virtual_user(struct rdevs *r, const char *owner, u16 owner_vdev,
                              const char *but)
{
    const struct dir_mdisk m = {.vdev = owner_vdev};
    const struct link_request q = {.owner = owner, .mdisk = &m};
    const struct vlink *l = one_of(r, &q);
    return l && strcmp(l->user, but) != 0 ? l->user : "";
}
