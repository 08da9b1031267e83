/* Links in the cluster: what the users of this member have of a minidisk, or of a volume that one
 * of them has as a whole, is a share of a part of the volume (ssi_share_part), which is changed
 * before a link is given, and after it has gone. So [L1] no two members give what one mode of
 * link_mode.def keeps from the other, wherever the volume's file is and whoever can lock it; parts
 * that overlap are one another's business as the same part is. A member of a release before this
 * one knows only the same part: of its others what it tells counts (remote_link), and the locks on
 * the file. Temporary disks on CP's volumes and volumes of tape drives are claimed likewise, and no
 * other member is told of them; virtual disks are no other member's business. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/rdev/rdev_internal.h"

static u64 mix(u64 h, u64 v)
{
    for (unsigned i = 0; i < 8; i++, v >>= 8)
        h = (h ^ (v & 0xff)) * 0x100000001b3u; /* FNV-1a */
    return h;
}

/* A minidisk, or a real disk as a whole. */
static bool is_real(const struct vlink *l)
{
    return l->rdev && (l->kind == VLINK_MDISK || l->kind == VLINK_DEDICATED);
}

static bool shared(const struct rdevs *r, const struct vlink *l)
{
    return r->cluster.share && is_real(l) && l->rdev->identity;
}

/* Has it a share? What other members are told of is less: shared. */
static bool claimed(const struct rdevs *r, const struct vlink *l)
{
    bool kind = is_real(l) || l->kind == VLINK_TEMP || l->kind == VLINK_TAPE;
    return r->cluster.share && kind && l->rdev && l->rdev->identity;
}

const char *link_label(const struct vlink *l)
{
    return l->kind == VLINK_DEDICATED ? "" : l->rdev->volid;
}

static struct ssi_part part_of(const struct vlink *l)
{
    if (l->kind == VLINK_TAPE) /* its number says nothing of disks */
        return (struct ssi_part){"", mix(l->rdev->identity, RDEV_TAPE), 0, 1};
    return (struct ssi_part){link_label(l), l->rdev->identity, l->extent.first,
                             l->extent.count};
}

/* Of files that one program writes or several read (CCKD) minidisks share the volume, too. */
static bool has_volume(const struct vlink *l)
{
    return l->kind == VLINK_MDISK && !share_by_extent(l->rdev->share);
}

static void volume_name(const struct vlink *l, char out[SSI_CLAIM_NAME_BYTES])
{
    snprintf(out, SSI_CLAIM_NAME_BYTES, "%.6s*%016llx", l->rdev->volid,
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

static void volume_want(const struct rdevs *r, const struct vlink *l, bool arrives,
                        struct ssi_want *want)
{
    u8 refuse = l->write ? LINK_HAS_READ | LINK_HAS_WRITE : LINK_HAS_WRITE;
    volume_name(l, want->name);
    want->mode = volume_here(r, l) | (l->write ? LINK_HAS_WRITE : LINK_HAS_READ);
    want->refuse = arrives ? 0 : refuse;
}

static int volume_consent(struct rdevs *r, const struct vlink *l, bool arrives,
                          struct cause *cause)
{
    struct ssi_want want = {0};
    if (!has_volume(l))
        return ST_OK;
    volume_want(r, l, arrives, &want);
    return r->cluster.share_volume(r->cluster.ctx, want.name, want.mode, want.refuse, cause);
}

static bool same_extent(const struct vlink *a, const struct vlink *b)
{
    if (a->kind == VLINK_TAPE && b->kind == VLINK_TAPE) /* two drives */
        return a->rdev->identity == b->rdev->identity;
    return (is_real(a) || a->kind == VLINK_TEMP) && a->rdev == b->rdev &&
           a->extent.first == b->extent.first && a->extent.count == b->extent.count;
}

/* What all but `l` have of it here. */
static u8 others_here(const struct rdevs *r, const struct vlink *l)
{
    u8 bits = 0;
    for (const struct vlink *k = r->links; k; k = k->next)
        if (k != l && same_extent(k, l))
            bits |= link_mode_has(k->mode, k->write);
    u64 end; /* what is being cleared is not free */
    if (l->kind == VLINK_TEMP && tdisk_unclean(r, l->rdev, l->extent, &end))
        bits |= LINK_HAS_WRITE;
    return bits;
}

static struct ssi_want part_want(const struct rdevs *r, const struct vlink *l, u8 refuse)
{
    u8 bits = others_here(r, l) | link_mode_has(l->mode, l->write);
    return (struct ssi_want){.part = part_of(l), .mode = bits, .refuse = refuse};
}

unsigned link_wants(struct rdevs *r, const struct vlink *l, u8 refuse,
                    struct ssi_want wants[LINK_WANTS_MAX])
{
    if (!claimed(r, l))
        return 0;
    wants[0] = part_want(r, l, refuse);
    if (!has_volume(l))
        return 1;
    wants[1] = (struct ssi_want){0};
    volume_want(r, l, !refuse, &wants[1]);
    return 2;
}

int link_consent(struct rdevs *r, const struct vlink *l, u8 refuse, struct cause *cause)
{
    if (!claimed(r, l))
        return ST_OK;
    struct ssi_want want = part_want(r, l, refuse);
    int rc = r->cluster.share(r->cluster.ctx, &want.part, want.mode, refuse, cause);
    return rc ? rc : volume_consent(r, l, !refuse, cause); /* if not: link_release, or less */
}

enum link_mode link_real_mode(const struct vlink *l)
{
    if (share_by_extent(l->rdev->share))
        return l->write ? LINK_M : LINK_RR;
    return l->write ? LINK_EW : LINK_SR;
}

int link_join(struct rdevs *r, const struct vlink *l, struct cause *cause)
{
    return link_consent(r, l, link_mode_refuses(l->mode, l->write ? LINK_WRITE : LINK_READ),
                        cause);
}

void link_release(struct rdevs *r, const struct vlink *l)
{
    char name[SSI_CLAIM_NAME_BYTES];
    struct cause ignored;
    if (!claimed(r, l))
        return;
    struct ssi_part part = part_of(l);
    if (r->cluster.lower)
        r->cluster.lower(r->cluster.ctx, &part, NULL, others_here(r, l));
    else
        (void)r->cluster.share(r->cluster.ctx, &part, others_here(r, l), 0, &ignored);
    if (!has_volume(l))
        return;
    volume_name(l, name);
    if (r->cluster.lower)
        r->cluster.lower(r->cluster.ctx, NULL, name, volume_here(r, l));
    else
        (void)r->cluster.share_volume(r->cluster.ctx, name, volume_here(r, l), 0, &ignored);
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
    if (!is_real(l))
        return false;
    const char *label = link_label(l);
    return l->rdev->identity && m->identity == l->rdev->identity &&
           (!*label || !*m->volid || !strcmp(m->volid, label)) &&
           m->extent.first < l->extent.first + l->extent.count &&
           l->extent.first < m->extent.first + m->extent.count;
}
