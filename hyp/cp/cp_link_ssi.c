/* Service LINK: each member tells the others of its links to minidisks, all of them when two have
 * met, then what comes and goes, in order. What they know is told to users (who has it, QUERY
 * LINKS) and keeps overlapping minidisks apart; what decides between two members is the share of
 * the name (hyp/rdev/link_share.c). While a member is Unknown its links stand, as its shares do.
 * A link that writes is used when all have answered that they know of it, so that they cache none
 * of it any more. A member that is lost meanwhile may not know: it caches nothing more when it has
 * noticed, for which it is given DEAF_MS. What arrives is decoded as hostile. */
#include "hyp/cp/cp_link_ssi.h"

#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"

#define ROWS_MAX 8192u /* in one message */
#define NAME_CHARS 8u
#define VOLID_CHARS 6u
#define LINK_BYTES 60u
#define GONE_BYTES (2u + NAME_CHARS)
#define REAP_MS 200
#define DEAF_MS 15000u /* more than a lost link is noticed in (silence_ms) */

/* ALL: those that were known are not there any more; LINKS follow, and TOLD. LINKS with a number
 * are answered by HEARD. */
enum { TYPE_ALL = 1, TYPE_LINKS = 2, TYPE_GONE = 3, TYPE_TOLD = 4, TYPE_HEARD = 5 };
enum { ROW_LINK = 1, ROW_GONE = 2, ROW_NUMBER = 3 };

/* Where what is in ROW_LINK; ROW_GONE has the first two. */
enum link_at {
    AT_VDEV = 0,
    AT_USER = 2,
    AT_MODE = AT_USER + NAME_CHARS,
    AT_WRITE,
    AT_FIRST,
    AT_COUNT = AT_FIRST + 8,
    AT_UNITS = AT_COUNT + 8,
    AT_IDENTITY = AT_UNITS + 8,
    AT_VOLID = AT_IDENTITY + 8,
};
_Static_assert(AT_VOLID + VOLID_CHARS <= LINK_BYTES, "all of a link fits into its row");

/* A link that waits for answers. In s->waiting until then. */
struct waiting {
    struct waiting *next;
    struct cp_link_ssi *s;
    u32 number;
    char user[DIR_NAME_BYTES];
    u16 vdev;
    u32 members; /* by slot */
    u64 timer;
};

/** Located by cp->link_ssi; made and ended with the cluster. */
struct cp_link_ssi {
    struct cp *cp;
    struct ssi *ssi;
    struct waiting *waiting;
    u64 reap;        /* timer: space of T-disks is being cleared */
    u32 number;      /* the last one */
    u32 told;        /* members that have told all, by slot */
    u32 there, lost; /* members whose link is ready; who may be up without one */
};

static u32 slot_bit(const struct cp_link_ssi *s, const char *member)
{
    struct ssi_view view;
    ssi_query(s->ssi, &view);
    u32 bit = 0;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        bit |= strcmp(view.slots[i].name, member) ? 0 : 1u << i;
    return bit;
}

/* --- waiting for the others ------------------------------------------------------------------- */

static void waiting_end(struct waiting *w)
{
    struct cp_link_ssi *s = w->s;
    struct waiting **at = &s->waiting;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    if (w->timer)
        s->cp->ports.timer_cancel(s->cp->ports.ctx, w->timer);
    link_heard(cp_rdevs(s->cp), w->user, w->vdev);
    free(w);
}

static void waited(void *arg)
{
    struct waiting *w = arg;
    w->timer = 0;
    waiting_end(w);
}

/* These need not be waited for; `number` 0: for nothing. */
static void waiting_less(struct cp_link_ssi *s, u32 number, u32 members)
{
    for (struct waiting *w = s->waiting, *next; w; w = next) {
        next = w->next;
        if (number && w->number != number)
            continue;
        w->members &= ~members;
        if (!w->members)
            waiting_end(w);
    }
}

static bool waiting_add(struct cp_link_ssi *s, const struct vlink *l, u32 number, u32 members)
{
    struct waiting *w = members ? calloc(1, sizeof *w) : NULL;
    if (!w)
        return false;
    *w = (struct waiting){
        .next = s->waiting, .s = s, .number = number, .vdev = l->vdev, .members = members};
    strcpy(w->user, l->user);
    w->timer = s->cp->ports.timer_start(s->cp->ports.ctx, DEAF_MS, waited, w);
    s->waiting = w;
    return true;
}

/* --- to the others --------------------------------------------------------------------------- */

static void put_link(struct codec_out *out, const struct vlink *l)
{
    u8 p[LINK_BYTES] = {0};
    be16_store(p + AT_VDEV, l->vdev);
    memcpy(p + AT_USER, l->user, strlen(l->user));
    p[AT_MODE] = (u8)l->mode;
    p[AT_WRITE] = l->write;
    be64_store(p + AT_FIRST, l->extent.first);
    be64_store(p + AT_COUNT, l->extent.count);
    be64_store(p + AT_UNITS, l->rdev->units);
    be64_store(p + AT_IDENTITY, l->rdev->identity);
    memcpy(p + AT_VOLID, link_label(l), strlen(link_label(l)));
    codec_put_bytes(out, ROW_LINK, p, sizeof p);
}

static void put_gone(struct codec_out *out, const struct vlink *l)
{
    u8 p[GONE_BYTES] = {0};
    be16_store(p + AT_VDEV, l->vdev);
    memcpy(p + AT_USER, l->user, strlen(l->user));
    codec_put_bytes(out, ROW_GONE, p, sizeof p);
}

static bool port_changed(void *ctx, const struct vlink *l, bool gone)
{
    struct cp_link_ssi *s = ctx;
    char names[SSI_SLOTS_MAX][SSI_NAME_BYTES];
    unsigned n = ssi_members(s->ssi, names);
    bool asks = l->write && !gone;
    struct codec_out out;
    if (!n)
        return false;
    codec_out_init(&out);
    if (gone)
        put_gone(&out, l);
    else
        put_link(&out, l);
    if (asks)
        codec_put_u32(&out, ROW_NUMBER,
                      s->number = s->number == UINT32_MAX ? 1 : s->number + 1);
    for (unsigned i = 0; i < n && !out.failed; i++)
        ssi_send(s->ssi, names[i], LINK_SSI_SERVICE, gone ? TYPE_GONE : TYPE_LINKS, out.data,
                 out.len);
    codec_out_fini(&out);
    return asks && waiting_add(s, l, s->number, s->there);
}

/* Outside of a cluster nobody else has disks: then none is lost. */
static bool port_in_touch(void *ctx)
{
    const struct cp_link_ssi *s = ctx;
    enum ssi_state state = ssi_member_state(s->ssi, ssi_member_name(s->ssi));
    bool up = state != SSI_DOWN && state != SSI_JOINING;
    return up && !s->lost && (s->told & s->there) == s->there;
}

static void send_all(const struct cp_link_ssi *s, const char *member)
{
    struct rdevs *r = cp_rdevs(s->cp);
    const struct vlink *l = link_next(r, "", NULL);
    ssi_send(s->ssi, member, LINK_SSI_SERVICE, TYPE_ALL, "", 0);
    while (l) {
        struct codec_out out;
        codec_out_init(&out);
        for (unsigned n = 0; l && n < ROWS_MAX; l = link_next(r, "", l))
            if (link_is_shared(r, l)) {
                put_link(&out, l);
                n++;
            }
        if (!out.failed && out.len)
            ssi_send(s->ssi, member, LINK_SSI_SERVICE, TYPE_LINKS, out.data, out.len);
        codec_out_fini(&out);
    }
    ssi_send(s->ssi, member, LINK_SSI_SERVICE, TYPE_TOLD, "", 0);
}

static int port_share(void *ctx, const struct ssi_part *part, u8 mode, u8 refuse,
                      struct cause *cause)
{
    const struct cp_link_ssi *s = ctx;
    return ssi_share_part(s->ssi, CP_CLAIM_LINK, part, mode, refuse, cause);
}

static int port_share_volume(void *ctx, const char *name, u8 mode, u8 refuse,
                             struct cause *cause)
{
    const struct cp_link_ssi *s = ctx;
    return ssi_share_set(s->ssi, CP_CLAIM_LINK, name, mode, refuse, cause);
}

static void reap_later(struct cp_link_ssi *s);

/* What has been cleared is given back then, not when somebody asks for space. */
static void reap(void *arg)
{
    struct cp_link_ssi *s = arg;
    s->reap = 0;
    if (tdisk_clearings(cp_rdevs(s->cp), NULL))
        reap_later(s);
}

static void reap_later(struct cp_link_ssi *s)
{
    if (!s->reap)
        s->reap = s->cp->ports.timer_start(s->cp->ports.ctx, REAP_MS, reap, s);
}

static int port_lower(void *ctx, const struct ssi_part *part, const char *name, u8 mode)
{
    struct cp_link_ssi *s = ctx;
    reap_later(s);
    return ssi_share_lower(s->ssi, CP_CLAIM_LINK, name, part, mode);
}

/* --- from the others -------------------------------------------------------------------------- */

static bool take_name(const u8 *p, size_t len, char *out)
{
    char text[NAME_CHARS + 1] = "";
    memcpy(text, p, len);
    return scan_name(text, out, len);
}

static void take_link(const struct cp_link_ssi *s, const char *member, const u8 *p)
{
    struct remote_link l = {.vdev = be16_load(p + AT_VDEV),
                            .mode = (enum link_mode)p[AT_MODE],
                            .write = p[AT_WRITE],
                            .extent = {be64_load(p + AT_FIRST), be64_load(p + AT_COUNT)},
                            .units = be64_load(p + AT_UNITS),
                            .identity = be64_load(p + AT_IDENTITY)};
    u64 end;
    snprintf(l.member, sizeof l.member, "%.8s", member);
    if (p[AT_MODE] >= LINK_MODES || p[AT_WRITE] > 1 ||
        __builtin_add_overflow(l.extent.first, l.extent.count, &end) ||
        !take_name(p + AT_USER, NAME_CHARS, l.user) ||
        (p[AT_VOLID] && !take_name(p + AT_VOLID, VOLID_CHARS, l.volid)))
        return;
    remote_link_put(cp_rdevs(s->cp), &l);
}

static void take_gone(const struct cp_link_ssi *s, const char *member, const u8 *p)
{
    char user[NAME_CHARS + 1];
    if (take_name(p + AT_USER, NAME_CHARS, user))
        remote_link_gone(cp_rdevs(s->cp), member, user, be16_load(p + AT_VDEV));
}

static void take_rows(const struct cp_link_ssi *s, const char *from, u16 type, const void *data,
                      size_t len, u32 *number)
{
    struct codec_in in;
    struct codec_row row;
    codec_in_init(&in, data, len);
    while (len && codec_next(&in, &row))
        if (type == TYPE_LINKS && row.tag == ROW_LINK && row.len == LINK_BYTES)
            take_link(s, from, row.p);
        else if (type == TYPE_GONE && row.tag == ROW_GONE && row.len == GONE_BYTES)
            take_gone(s, from, row.p);
        else if (row.tag == ROW_NUMBER)
            codec_get_u32(&row, number);
}

static void answer(const struct cp_link_ssi *s, const char *to, u32 number)
{
    struct codec_out out;
    codec_out_init(&out);
    codec_put_u32(&out, ROW_NUMBER, number);
    if (!out.failed)
        ssi_send(s->ssi, to, LINK_SSI_SERVICE, TYPE_HEARD, out.data, out.len);
    codec_out_fini(&out);
}

static void receive(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    struct cp_link_ssi *s = ctx;
    struct rdevs *r = cp_rdevs(s->cp);
    u32 number = 0, bit = slot_bit(s, from);
    take_rows(s, from, type, data, len, &number);
    switch (type) {
    case TYPE_ALL:
        s->told &= ~bit;
        links_look(r);
        remote_links_forget(r, from);
        break;
    case TYPE_TOLD:
        s->told |= bit;
        links_look(r);
        break;
    case TYPE_LINKS:
        if (number)
            answer(s, from, number);
        break;
    case TYPE_HEARD:
        if (number)
            waiting_less(s, number, bit);
        break;
    default: break;
    }
}

static void member_joined(void *ctx, const char *member)
{
    struct cp_link_ssi *s = ctx;
    u32 bit = slot_bit(s, member);
    s->there |= bit;
    s->lost &= ~bit;
    s->told &= ~bit;
    links_look(cp_rdevs(s->cp));
    send_all(s, member);
}

static void member_left(void *ctx, const char *member, enum ssi_left how)
{
    struct cp_link_ssi *s = ctx;
    u32 bit = slot_bit(s, member);
    s->there &= ~bit;
    s->told &= ~bit;
    s->lost = how == SSI_LEFT_LOST ? s->lost | bit : s->lost & ~bit;
    if (how != SSI_LEFT_LOST) {
        waiting_less(s, 0, bit);
        remote_links_forget(cp_rdevs(s->cp), member);
    }
    links_look(cp_rdevs(s->cp));
}

static const struct ssi_service service = {.id = LINK_SSI_SERVICE,
                                           .name = "LINK",
                                           .member_joined = member_joined,
                                           .member_left = member_left,
                                           .receive = receive};

struct cp_link_ssi *cp_link_ssi_create(struct cp *cp, struct ssi *ssi, struct cause *cause)
{
    struct cp_link_ssi *s = calloc(1, sizeof *s);
    int rc = s ? ssi_register_service(ssi, &service, s) : ST_NOMEM;
    if (rc) {
        cause_set(cause, rc, "service LINK: %s", status_name(rc));
        free(s);
        return NULL;
    }
    *s = (struct cp_link_ssi){.cp = cp, .ssi = ssi};
    const struct rdev_cluster cluster = {.ctx = s,
                                         .share = port_share,
                                         .share_volume = port_share_volume,
                                         .lower = port_lower,
                                         .changed = port_changed,
                                         .in_touch = port_in_touch};
    rdevs_set_cluster(cp_rdevs(cp), &cluster);
    return s;
}

void cp_link_ssi_destroy(struct cp_link_ssi *s)
{
    if (!s)
        return;
    while (s->waiting)
        waiting_end(s->waiting);
    if (s->reap)
        s->cp->ports.timer_cancel(s->cp->ports.ctx, s->reap);
    rdevs_set_cluster(cp_rdevs(s->cp), NULL);
    free(s);
}
