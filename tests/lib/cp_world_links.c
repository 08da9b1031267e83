/* The cluster of cp_world_links.h: a table in memory, and messages that arrive at once. */
#include "tests/lib/cp_world_links.h"
#include "tests/lib/cp_world.h"

#include <stdio.h>

struct fake_share fake_shares[FAKE_SHARES_MAX];
unsigned fake_share_calls;
bool links_deaf, links_of_old, links_slow, links_in_touch;
const char *links_why;

static int member_of(void *ctx)
{
    return (int)(intptr_t)ctx;
}

static struct fake_share *row(const char *name)
{
    struct fake_share *empty = NULL;
    for (unsigned i = 0; i < FAKE_SHARES_MAX; i++) {
        struct fake_share *s = &fake_shares[i];
        bool held = s->bits[0] || s->bits[1];
        if (held && !strcmp(s->name, name))
            return s;
        empty = held || empty ? empty : s;
    }
    ck_assert_ptr_nonnull(empty);
    snprintf(empty->name, sizeof empty->name, "%s", name);
    return empty;
}

static int set(int me, struct fake_share *s, u8 mode, u8 refuse, struct cause *cause)
{
    bool more = (mode & ~s->bits[me]) || (mode && refuse);
    fake_share_calls++;
    if (more && links_why)
        return cause_set(cause, ST_REFUSED, "%s", links_why);
    for (unsigned i = 0; more && i < FAKE_SHARES_MAX; i++) {
        const struct fake_share *k = &fake_shares[i];
        bool meets = !links_of_old && k->part.count && s->part.count &&
                     k->part.whole == s->part.whole &&
                     k->part.first < s->part.first + s->part.count &&
                     s->part.first < k->part.first + k->part.count;
        if ((k == s || meets) && k->bits[!me] & refuse)
            return cause_set(cause, ST_EXIST, "MEMBER%c", 'A' + !me);
    }
    s->bits[me] = mode;
    return ST_OK;
}

static int share_part(void *ctx, const struct ssi_part *part, u8 mode, u8 refuse,
                      struct cause *cause)
{
    char name[SSI_CLAIM_NAME_BYTES];
    ssi_part_name(part, name);
    struct fake_share *s = row(name);
    s->part = *part;
    s->part.label = NULL;
    return set(member_of(ctx), s, mode, refuse, cause);
}

static int share_volume(void *ctx, const char *name, u8 mode, u8 refuse, struct cause *cause)
{
    struct fake_share *s = row(name);
    s->part = (struct ssi_part){.count = 0};
    return set(member_of(ctx), s, mode, refuse, cause);
}

static bool changed(void *ctx, const struct vlink *l, bool gone)
{
    int me = member_of(ctx);
    struct rdevs *r = cp_rdevs(cps[!me]);
    const char *name = me ? "MEMBERB" : "MEMBERA";
    if (links_deaf)
        return links_slow;
    if (gone) {
        remote_link_gone(r, name, l->user, l->vdev);
        return false;
    }
    struct remote_link m = {.vdev = l->vdev,
                            .identity = l->rdev->identity,
                            .units = l->rdev->units,
                            .extent = l->extent,
                            .mode = l->mode,
                            .write = l->write};
    strcpy(m.member, name);
    strcpy(m.user, l->user);
    strcpy(m.volid, link_label(l));
    ck_assert(remote_link_put(r, &m));
    return links_slow;
}

static bool in_touch(void *ctx)
{
    (void)ctx;
    return links_in_touch;
}

void cp_world_links(void)
{
    memset(fake_shares, 0, sizeof fake_shares);
    fake_share_calls = 0;
    links_deaf = links_of_old = links_slow = false;
    links_in_touch = true;
    links_why = NULL;
    for (int i = 0; i < 2; i++) {
        const struct rdev_cluster cluster = {
            (void *)(intptr_t)i, share_part, share_volume, changed, in_touch, NULL};
        rdevs_set_cluster(cp_rdevs(cps[i]), &cluster);
    }
}

void cp_world_links_end(void)
{
    for (int i = 0; i < 2; i++)
        rdevs_set_cluster(cp_rdevs(cps[i]), NULL);
}

unsigned fake_shares_held(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < FAKE_SHARES_MAX; i++)
        n += !!fake_shares[i].bits[0] + !!fake_shares[i].bits[1];
    return n;
}
