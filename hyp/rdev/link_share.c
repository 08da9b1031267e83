/* Links in the cluster: what the users of this member have of a minidisk together is a share of its
 * name (ssi_share_set), which is changed before a link is given, and after it has gone. So [L1] no
 * two members give what one mode of link_mode.def keeps from the other, wherever the volume's
 * file is and whoever can lock it. A name is a volume and an extent; minidisks that overlap and
 * are not the same are seen by the links that members tell each other of (remote_link), and by
 * the locks on the file. Temporary, virtual and dedicated disks are no other member's business. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/rdev/rdev_internal.h"

static u64 mix(u64 h, u64 v)
{
    for (unsigned i = 0; i < 8; i++, v >>= 8)
        h = (h ^ (v & 0xff)) * 0x100000001b3u; /* FNV-1a */
    return h;
}

static bool shared(const struct rdevs *r, const struct vlink *l)
{
    return r->cluster.share && l->kind == VLINK_MDISK && l->rdev && l->rdev->identity;
}

static void name_of(const struct vlink *l, char out[LINK_NAME_BYTES])
{
    u64 h =
        mix(mix(mix(0xcbf29ce484222325u, l->rdev->identity), l->extent.first), l->extent.count);
    snprintf(out, LINK_NAME_BYTES, "%.6s.%016llx", l->rdev->volid, (unsigned long long)h);
}

/* The volume as a whole: of files that one program writes or several read (CCKD). */
static void volume_name(const struct vlink *l, char out[LINK_NAME_BYTES])
{
    snprintf(out, LINK_NAME_BYTES, "%.6s*%016llx", l->rdev->volid,
             (unsigned long long)mix(0xcbf29ce484222325u, l->rdev->identity));
}

/* What all but `l` have of the volume here. */
static u8 volume_here(const struct rdevs *r, const struct vlink *l)
{
    u8 bits = 0;
    for (const struct vlink *k = r->links; k; k = k->next)
        if (k != l && k->kind == VLINK_MDISK && k->rdev == l->rdev)
            bits |= k->write ? LINK_HAS_WRITE : LINK_HAS_READ;
    return bits;
}

static int volume_consent(struct rdevs *r, const struct vlink *l, bool arrives,
                          struct cause *cause)
{
    char name[LINK_NAME_BYTES];
    u8 refuse = l->write ? LINK_HAS_READ | LINK_HAS_WRITE : LINK_HAS_WRITE;
    if (share_by_extent(l->rdev->share))
        return ST_OK;
    volume_name(l, name);
    return r->cluster.share(r->cluster.ctx, name,
                            volume_here(r, l) | (l->write ? LINK_HAS_WRITE : LINK_HAS_READ),
                            arrives ? 0 : refuse, cause);
}

static bool same_extent(const struct vlink *a, const struct vlink *b)
{
    return a->kind == VLINK_MDISK && a->rdev == b->rdev && a->extent.first == b->extent.first &&
           a->extent.count == b->extent.count;
}

/* What all but `l` have of it here. */
static u8 others_here(const struct rdevs *r, const struct vlink *l)
{
    u8 bits = 0;
    for (const struct vlink *k = r->links; k; k = k->next)
        if (k != l && same_extent(k, l))
            bits |= link_mode_has(k->mode, k->write);
    return bits;
}

int link_consent(struct rdevs *r, const struct vlink *l, u8 refuse, struct cause *cause)
{
    char name[LINK_NAME_BYTES];
    if (!shared(r, l))
        return ST_OK;
    name_of(l, name);
    int rc =
        r->cluster.share(r->cluster.ctx, name,
                         others_here(r, l) | link_mode_has(l->mode, l->write), refuse, cause);
    return rc ? rc : volume_consent(r, l, !refuse, cause); /* if not: link_release, or less */
}

int link_join(struct rdevs *r, const struct vlink *l, struct cause *cause)
{
    return link_consent(r, l, link_mode_refuses(l->mode, l->write ? LINK_WRITE : LINK_READ),
                        cause);
}

void link_release(struct rdevs *r, const struct vlink *l)
{
    char name[LINK_NAME_BYTES];
    struct cause ignored;
    if (!shared(r, l))
        return;
    name_of(l, name);
    (void)r->cluster.share(r->cluster.ctx, name, others_here(r, l), 0, &ignored);
    if (share_by_extent(l->rdev->share))
        return;
    volume_name(l, name);
    (void)r->cluster.share(r->cluster.ctx, name, volume_here(r, l), 0, &ignored);
}

/* --- the minidisk cache ----------------------------------------------------------------------- */

/* [L2] Tracks of a minidisk are cached here only while no other member has a link that writes part
 * of it: who gets one has told it, and waits for the answer, before its first write; and while a
 * member is out of touch nothing is cached but what is locked here. */
static void look(struct rdevs *r, struct vlink *l)
{
    enum window_others others = WINDOW_LOCKS_TELL;
    if (!l->img || l->kind != VLINK_MDISK)
        return;
    if (shared(r, l) && r->cluster.in_touch(r->cluster.ctx))
        others = WINDOW_NOBODY_WRITES;
    for (const struct remote_link *m = r->remote; m; m = m->next)
        if (m->write && remote_link_same_disk(l, m))
            others = WINDOW_SOMEBODY_WRITES;
    window_others(l->img, others);
}

void links_look(struct rdevs *r)
{
    for (struct vlink *l = r->links; l; l = l->next)
        look(r, l);
}

/* A link elsewhere that writes has come or is gone. */
static void look_at(struct rdevs *r, const struct remote_link *m)
{
    for (struct vlink *l = r->links; m->write && l; l = l->next)
        if (remote_link_same_disk(l, m))
            look(r, l);
}

/* --- telling ---------------------------------------------------------------------------------- */

void link_tell(struct rdevs *r, struct vlink *l, bool gone)
{
    if (!shared(r, l))
        return;
    bool waits = r->cluster.changed(r->cluster.ctx, l, gone) && l->write && !gone;
    if (gone)
        return;
    look(r, l);
    l->gated = waits;
    window_gate(l->img, waits);
}

void link_heard(struct rdevs *r, const char *user, u16 vdev)
{
    struct vlink *l = link_find(r, user, vdev);
    if (!l || !l->gated)
        return;
    l->gated = false;
    window_gate(l->img, false);
}

void rdevs_set_cluster(struct rdevs *r, const struct rdev_cluster *cluster)
{
    r->cluster = cluster ? *cluster : (struct rdev_cluster){0};
    if (!cluster)
        remote_links_forget(r, "");
    links_look(r);
}

bool link_is_shared(const struct rdevs *r, const struct vlink *l)
{
    return shared(r, l);
}

/* --- links of other members ------------------------------------------------------------------- */

static struct remote_link **remote_at(struct rdevs *r, const char *member, const char *user,
                                      u16 vdev)
{
    struct remote_link **at = &r->remote;
    while (*at && ((*at)->vdev != vdev || strcmp((*at)->user, user) != 0 ||
                   strcmp((*at)->member, member) != 0))
        at = &(*at)->next;
    return at;
}

void remote_link_gone(struct rdevs *r, const char *member, const char *user, u16 vdev)
{
    struct remote_link **at = remote_at(r, member, user, vdev), *l = *at;
    if (!l)
        return;
    *at = l->next;
    look_at(r, l);
    free(l);
    r->remotes--;
}

bool remote_link_put(struct rdevs *r, const struct remote_link *like)
{
    struct remote_link **at = remote_at(r, like->member, like->user, like->vdev), *l = *at;
    if (!l) {
        l = r->remotes < REMOTE_LINKS_MAX ? malloc(sizeof *l) : NULL;
        if (!l)
            return false;
        *l = (struct remote_link){.next = r->remote};
        r->remote = l;
        r->remotes++;
    }
    struct remote_link was = *l;
    *l = *like;
    l->next = was.next;
    look_at(r, &was);
    look_at(r, l);
    return true;
}

void remote_links_forget(struct rdevs *r, const char *member)
{
    for (struct remote_link **at = &r->remote, *l; (l = *at);) {
        if (*member && strcmp(l->member, member) != 0) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        look_at(r, l);
        free(l);
        r->remotes--;
    }
}

const struct remote_link *remote_link_next(const struct rdevs *r,
                                           const struct remote_link *after)
{
    return after ? after->next : r->remote;
}

bool remote_link_same_disk(const struct vlink *l, const struct remote_link *m)
{
    return l->kind == VLINK_MDISK && l->rdev && l->rdev->identity &&
           m->identity == l->rdev->identity && !strcmp(m->volid, l->rdev->volid) &&
           m->extent.first < l->extent.first + l->extent.count &&
           l->extent.first < m->extent.first + m->extent.count;
}
