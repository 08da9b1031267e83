/* Links of virtual machines to disks: which mode gets what, windows onto volumes, temporary and
 * virtual disks, whole devices. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/rdev/rdev_internal.h"
#include "mem/base/log.h"

/* --- the list ------------------------------------------------------------------------------- */

static int order(const struct vlink *l, const char *user, u16 vdev)
{
    int by_user = strcmp(l->user, user);
    return by_user ? by_user : (int)l->vdev - (int)vdev;
}

static void list_add(struct rdevs *r, struct vlink *l)
{
    struct vlink **at = &r->links;
    while (*at && order(*at, l->user, l->vdev) < 0)
        at = &(*at)->next;
    l->next = *at;
    *at = l;
}

struct vlink *link_find(struct rdevs *r, const char *user, u16 vdev)
{
    struct vlink *l = r ? r->links : NULL;
    while (l && order(l, user, vdev))
        l = l->next;
    return l;
}

struct vlink *link_next(struct rdevs *r, const char *user, const struct vlink *after)
{
    struct vlink *l = after ? after->next : r ? r->links : NULL;
    while (l && *user && strcmp(l->user, user) != 0)
        l = l->next;
    return l;
}

static bool overlap(struct window_extent a, struct window_extent b)
{
    return a.first < b.first + b.count && b.first < a.first + a.count;
}

bool link_same_disk(const struct vlink *a, const struct vlink *b)
{
    return a->share && a->share == b->share && overlap(a->extent, b->extent);
}

void link_renumber(struct rdevs *r, struct vlink *l, u16 vdev)
{
    struct vlink **at = &r->links;
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    link_tell(r, l, true);
    l->vdev = vdev;
    list_add(r, l);
    link_tell(r, l, false);
    if (l->rdev && l->rdev->state == RDEV_ATTACHED && !strcmp(l->rdev->user, l->user))
        l->rdev->vdev = vdev;
}

void link_drop(struct rdevs *r, struct vlink *l)
{
    struct vlink **at = &r->links;
    while (*at && *at != l)
        at = &(*at)->next;
    bool was_there = *at;
    if (*at)
        *at = l->next;
    if (l->kind == VLINK_TEMP)
        tdisk_gone(r, l);
    image_unref(l->img);
    link_release(r, l); /* not before its file is closed */
    if (was_there)
        link_tell(r, l, true);
    tape_loader_close(l->tape);
    share_unref(l->share);
    if (l->rdev && (l->kind == VLINK_DEDICATED || l->kind == VLINK_TAPE)) {
        l->rdev->state = RDEV_FREE;
        l->rdev->user[0] = 0;
    }
    free(l);
}

/* --- disks that are made for the user ------------------------------------------------------- */

/* A file without a name: it goes with its last user. */
static int temporary_image(const struct dir_mdisk *m, struct image **out, struct cause *cause)
{
    const char *folder = getenv("TMPDIR");
    char path[CONFIG_PATH_BYTES];
    const struct image_create what = {.format = m->type == 0x3390 ? IMAGE_CCKD : IMAGE_FBA_RAW,
                                      .cylinders = m->type == 0x3390 ? (u32)m->count : 0,
                                      .blocks = m->type == 0x3390 ? 0 : m->count,
                                      .compress = true};
    snprintf(path, sizeof path, "%.900s/endicott-tdisk-%ld-%04X", folder ? folder : "/tmp",
             (long)getpid(), m->vdev);
    unlink(path);
    int rc = image_create(path, &what, cause);
    if (rc)
        return rc;
    rc = image_open(path, 0, out, cause);
    unlink(path);
    return rc;
}

/* --- what a link is to ---------------------------------------------------------------------- */

static enum link_result made_share(struct rdevs *r, const struct link_request *q,
                                   struct vlink *l, struct cause *cause)
{
    const struct dir_mdisk *m = q->mdisk;
    struct image *img;
    if (m->kind == DIR_MDISK_VIRTUAL)
        return virtual_take(r, q, false, l, cause) ? LINK_FAILED : LINK_DONE;
    l->kind = VLINK_TEMP;
    l->extent = (struct window_extent){0, m->count};
    if (temporary_image(m, &img, cause))
        return LINK_FAILED;
    l->share = share_of_image(img);
    if (l->share)
        return LINK_DONE;
    image_unref(img);
    cause_set(cause, ST_NOMEM, "out of memory");
    return LINK_FAILED;
}

static enum link_result find_share(struct rdevs *r, const struct link_request *q,
                                   struct vlink *l, struct cause *cause)
{
    const struct dir_mdisk *m = q->mdisk;
    if (m->kind == DIR_MDISK_TEMP || m->kind == DIR_MDISK_VIRTUAL)
        return made_share(r, q, l, cause);
    struct rdev *d =
        m->kind == DIR_MDISK_DEVNO ? rdev_find(r, m->rdev) : rdev_volume(r, m->volid);
    if (!d || d->klass != RDEV_DASD || d->state == RDEV_OFFLINE || d->state == RDEV_ATTACHED)
        return LINK_NOT_MOUNTED;
    if (d->type != m->type) {
        cause_set(cause, ST_CONFIG, "volume %s is a %04X", d->volid, d->type);
        return LINK_BAD_EXTENT;
    }
    l->rdev = d;
    l->share = share_ref(d->share);
    l->extent = (struct window_extent){m->start, m->count};
    if (m->count == DIR_MDISK_END && m->start < d->units)
        l->extent.count = d->units - m->start;
    if (l->extent.count && l->extent.first < d->units &&
        l->extent.count <= d->units - l->extent.first)
        return LINK_DONE;
    cause_set(cause, ST_CONFIG, "the minidisk is not within the %llu %s of volume %s",
              (unsigned long long)d->units, d->type == 0x3390 ? "cylinders" : "blocks",
              d->volid);
    return LINK_BAD_EXTENT;
}

/* --- who has it ----------------------------------------------------------------------------- */

static void other(struct link_others *o, const char *who, bool write)
{
    o->readers += !write;
    o->writers += write;
    snprintf(write ? o->writer : o->reader, LINK_USER_BYTES, "%s", who);
}

/* One who arrives by relocation is on the member that it comes from, too. Of the same minidisk on
 * another member the share decides: what that has told may be late. */
static void others_of(struct rdevs *r, const struct vlink *l, struct link_others *o)
{
    char who[LINK_USER_BYTES];
    *o = (struct link_others){0};
    for (const struct vlink *k = r->links; k; k = k->next)
        if (k != l && link_same_disk(k, l)) {
            other(o, k->user, k->write);
            o->has |= link_mode_has(k->mode, k->write);
        }
    for (const struct remote_link *m = r->remote; m; m = m->next) {
        if (!remote_link_same_disk(l, m) || link_find(r, m->user, m->vdev))
            continue;
        snprintf(who, sizeof who, "%s AT %s", m->user, m->member);
        other(o, who, m->write);
        o->told = true;
        if (m->extent.first != l->extent.first || m->extent.count != l->extent.count)
            o->has |= link_mode_has(m->mode, m->write);
    }
}

static int create_window(struct vlink *l, struct cause *cause)
{
    int rc = window_create(l->share, l->extent, l->write, &l->img, cause);
    if (rc == ST_OK && l->kind == VLINK_TEMP && l->rdev)
        rc = window_fresh(l->img, cause);
    if (rc == ST_OK && link_mode_keeps(l->mode))
        window_guard(l->img);
    if (rc == ST_OK)
        link_apply_cache(l);
    return rc;
}

enum link_result link_open(struct vlink *l, struct cause *cause)
{
    int rc = create_window(l, cause);
    if (rc == ST_OK)
        rc = window_activate(l->img, cause);
    if (rc == ST_OK)
        return LINK_DONE;
    image_unref(l->img);
    l->img = NULL;
    return rc == ST_BUSY ? LINK_REFUSED : LINK_FAILED;
}

static enum link_result take_as(struct rdevs *r, const struct link_request *q, struct vlink *l,
                                enum link_access access, struct link_others *o,
                                struct cause *cause)
{
    l->write = access == LINK_WRITE;
    int status = link_consent(r, l, link_mode_refuses(q->mode, access), cause);
    if (status == ST_EXIST) {
        snprintf(o->member, sizeof o->member, "%.8s", cause->text);
        o->elsewhere |= !o->told;
        return LINK_REFUSED;
    }
    enum link_result rc = status ? LINK_FAILED : link_open(l, cause);
    o->elsewhere |= rc == LINK_REFUSED;
    return rc;
}

static enum link_access access_now(struct rdevs *r, const struct link_request *q,
                                   const struct vlink *l, struct link_others *o)
{
    others_of(r, l, o);
    enum link_access access = link_mode_decide(q->mode, o->has);
    if (access == LINK_WRITE && share_read_only(l->share))
        access = link_mode_read_only(q->mode);
    return access;
}

static enum link_result take(struct rdevs *r, const struct link_request *q, struct vlink *l,
                             struct link_others *o, struct cause *cause)
{
    enum link_access access = access_now(r, q, l, o);
    if (access == LINK_NONE)
        return LINK_REFUSED;
    enum link_result rc = take_as(r, q, l, access, o, cause);
    if (rc == LINK_REFUSED && access == LINK_WRITE && link_mode_read_only(q->mode) == LINK_READ)
        rc = take_as(r, q, l, LINK_READ, o, cause);
    return rc;
}

static struct vlink *link_new(const struct link_request *q, u16 owner_vdev, struct cause *cause)
{
    struct vlink *l = calloc(1, sizeof *l);
    if (!l) {
        cause_set(cause, ST_NOMEM, "out of memory");
        return NULL;
    }
    snprintf(l->user, sizeof l->user, "%s", q->user);
    snprintf(l->owner, sizeof l->owner, "%s", q->owner);
    l->vdev = q->vdev;
    l->owner_vdev = owner_vdev;
    l->mode = q->mode;
    l->cache = !q->mdisk->no_cache;
    return l;
}

enum link_result link_mdisk(struct rdevs *r, const struct link_request *q, struct vlink **out,
                            struct link_others *others, struct cause *cause)
{
    struct vlink *l = link_new(q, q->mdisk->vdev, cause);
    *others = (struct link_others){0};
    if (!l)
        return LINK_FAILED;
    bool tdisk = q->mdisk->kind == DIR_MDISK_TEMP && tdisk_here(r, q->mdisk->type);
    enum link_result rc = tdisk ? tdisk_take(r, q->mdisk->type, q->mdisk->count, l, cause)
                                : find_share(r, q, l, cause);
    if (rc == LINK_DONE && !tdisk)
        rc = take(r, q, l, others, cause);
    if (rc != LINK_DONE) {
        link_drop(r, l);
        return rc;
    }
    list_add(r, l);
    link_tell(r, l, false);
    *out = l;
    return LINK_DONE;
}

unsigned link_foresee(struct rdevs *r, const struct link_request *q,
                      struct ssi_want wants[LINK_WANTS_MAX])
{
    struct cause ignored;
    struct link_others others;
    unsigned n = 0;
    if (q->mdisk->kind == DIR_MDISK_TEMP || q->mdisk->kind == DIR_MDISK_VIRTUAL)
        return 0;
    struct vlink *l = link_new(q, q->mdisk->vdev, &ignored);
    if (!l)
        return 0;
    if (find_share(r, q, l, &ignored) == LINK_DONE) {
        enum link_access access = access_now(r, q, l, &others);
        l->write = access == LINK_WRITE;
        if (access != LINK_NONE)
            n = link_wants(r, l, link_mode_refuses(q->mode, access), wants);
    }
    share_unref(l->share);
    free(l);
    return n;
}

int link_arriving(struct rdevs *r, const struct link_request *q, struct rdev *rdev,
                  struct window_extent extent, bool write, struct vlink **out,
                  struct cause *cause)
{
    struct vlink *l = link_new(q, q->mdisk->vdev, cause);
    if (!l)
        return ST_NOMEM;
    l->rdev = rdev;
    l->share = rdev ? share_ref(rdev->share) : NULL;
    l->extent = extent;
    l->write = write;
    int rc = rdev ? ST_OK : virtual_take(r, q, true, l, cause);
    rc = rc ? rc : link_consent(r, l, 0, cause); /* as the member it comes from was granted */
    rc = rc ? rc : create_window(l, cause);
    if (rc) {
        link_drop(r, l);
        return rc;
    }
    list_add(r, l);
    link_tell(r, l, false);
    *out = l;
    return ST_OK;
}

const char *link_in_the_way(struct rdevs *r, const struct rdev *rdev, const char *user,
                            struct window_extent extent, bool write)
{
    for (const struct vlink *l = r->links; l; l = l->next) {
        if (l->rdev != rdev || !strcmp(l->user, user))
            continue;
        bool both = write && l->write && overlap(l->extent, extent);
        if (share_by_extent(rdev->share) ? both : write || l->write)
            return l->user;
    }
    return "";
}

/* --- whole devices -------------------------------------------------------------------------- */

/* It is known by name who has part of it, or by member. */
static int real_elsewhere(struct rdevs *r, const struct vlink *l, struct cause *cause)
{
    struct link_others o;
    char member[9];
    snprintf(member, sizeof member, "%.8s", cause->text);
    others_of(r, l, &o);
    if (!o.told)
        return cause_set(cause, ST_BUSY, "system %s has part of it", member);
    return cause_set(cause, ST_BUSY, "%s has it", o.writers ? o.writer : o.reader);
}

static int tape_elsewhere(struct cause *cause)
{
    char member[9];
    snprintf(member, sizeof member, "%.8s", cause->text);
    return cause_set(cause, ST_BUSY, "system %s has its volume", member);
}

static int open_real(struct rdevs *r, struct vlink *l, struct cause *cause)
{
    struct rdev *d = l->rdev;
    if (d->klass == RDEV_TAPE && !d->path[0])
        return ST_OK;
    if (d->klass == RDEV_TAPE) {
        l->mode = l->write ? LINK_EW : LINK_SR;
        d->identity = rdev_identity(r->config, d);
        enum link_access access = l->write ? LINK_WRITE : LINK_READ;
        int status = link_consent(r, l, link_mode_refuses(l->mode, access), cause);
        if (status)
            return status == ST_EXIST ? tape_elsewhere(cause) : status;
        return tape_loader_open(d->path, l->write ? 0 : TAPE_READ_ONLY, d->config->volume_bytes,
                                &l->tape, cause);
    }
    l->share = share_ref(d->share);
    l->extent = (struct window_extent){0, d->units};
    l->mode = link_real_mode(l);
    int rc = link_consent(r, l, link_mode_refuses(l->mode, l->write ? LINK_WRITE : LINK_READ),
                          cause);
    if (rc)
        return rc == ST_EXIST ? real_elsewhere(r, l, cause) : rc;
    switch (link_open(l, cause)) {
    case LINK_DONE: return ST_OK;
    case LINK_REFUSED: return ST_BUSY;
    default: return ST_IO;
    }
}

int link_real(struct rdevs *r, struct rdev *d, const char *user, u16 vdev, bool read_only,
              struct vlink **out, struct cause *cause)
{
    if (d->state != RDEV_FREE || rdev_links(r, d))
        return cause_set(cause, ST_BUSY, "device %04X is in use", d->devno);
    if (d->klass == RDEV_GRAF)
        return cause_set(cause, ST_REFUSED, "device %04X is a terminal", d->devno);
    if (d->klass == RDEV_OSA)
        return cause_set(cause, ST_REFUSED, "device %04X is of virtual switches only",
                         d->devno);
    struct vlink *l = calloc(1, sizeof *l);
    if (!l)
        return cause_set(cause, ST_NOMEM, "out of memory");
    snprintf(l->user, sizeof l->user, "%s", user);
    l->vdev = vdev;
    l->kind = d->klass == RDEV_TAPE ? VLINK_TAPE : VLINK_DEDICATED;
    l->write = !read_only && !d->read_only;
    l->rdev = d;
    int rc = open_real(r, l, cause);
    if (rc) {
        link_drop(r, l);
        return rc;
    }
    d->state = RDEV_ATTACHED;
    snprintf(d->user, sizeof d->user, "%s", user);
    d->vdev = vdev;
    list_add(r, l);
    link_tell(r, l, false);
    *out = l;
    return ST_OK;
}

int links_activate(struct rdevs *r, const char *user, struct cause *cause)
{
    int rc = ST_OK;
    for (struct vlink *l = link_next(r, user, NULL); l && rc == ST_OK;
         l = link_next(r, user, l))
        if (l->img)
            rc = window_activate(l->img, cause);
    if (rc == ST_OK)
        links_moving(r, user, false);
    return rc;
}

void links_let_go(struct rdevs *r, const char *user)
{
    for (struct vlink *l = link_next(r, user, NULL); l; l = link_next(r, user, l))
        if (l->img)
            window_let_go(l->img);
}

int links_sync(struct rdevs *r, const char *user, struct cause *cause)
{
    struct cause why = {0};
    for (struct vlink *l = link_next(r, user, NULL); l; l = link_next(r, user, l)) {
        int rc = l->img && l->write ? image_sync(l->img, &why) : ST_OK;
        if (rc)
            return cause_set(cause, rc, "disk %04X of %s: %s", l->vdev, user, why.text);
    }
    return ST_OK;
}

void links_flush_soon(struct rdevs *r, const char *user)
{
    for (struct vlink *l = link_next(r, user, NULL); l; l = link_next(r, user, l))
        if (l->img && l->write)
            window_flush_soon(l->img);
}
