/* What members tell each other of the spool: which file to look at again, and that one was sent to
 * a user who may be logged on there. A message names a file and says nothing of it: whoever gets it
 * reads the folder ([C1] of spool_share.c), so that one that is lost, doubled or made up harms
 * nothing. A member of an older level, which does not have this service, keeps its files in memory
 * as it knew them: they are shown, and not touched. */
#include "hyp/spool/spool_ssi.h"

#include <stdio.h>
#include <stdlib.h>

#include "mem/base/log.h"

enum { TYPE_CHANGED = 1, TYPE_SENT, TYPE_LOOK };
enum {
    ROW_MEMBER = CODEC_MANDATORY | 1, /* in whose folder */
    ROW_SERIAL = CODEC_MANDATORY | 2,
    ROW_FROM = CODEC_MANDATORY | 3, /* enum spool_queue */
    ROW_WAS = CODEC_MANDATORY | 4,  /* its id there */
    ROW_LEVEL = 5,                  /* of join data, as the next */
    ROW_TOKEN = 6,
};
#define LEVEL 1

/** Located by cp->spool_ssi; made by cp_attach_ssi, ends with CP. */
struct spool_ssi {
    struct ssi *ssi;
    struct spool *spool;
    struct spool_ssi_ports ports;
    struct spool_cluster cluster;
    bool speaks[SSI_SLOTS_MAX]; /* by slot: it has the service, */
    bool beside[SSI_SLOTS_MAX]; /* and the folder beside ours */
    bool missed[SSI_SLOTS_MAX]; /* by slot: a message did not go */
};

static unsigned slot_of(const struct ssi *ssi, const char *member)
{
    struct ssi_view view;
    ssi_query(ssi, &view);
    unsigned i = 0;
    while (i < SSI_SLOTS_MAX && strcmp(view.slots[i].name, member) != 0)
        i++;
    return i;
}

/* --- what the spool asks -------------------------------------------------------------------- */

static enum spool_reach reach(void *ctx, const char *member)
{
    const struct spool_ssi *s = ctx;
    struct ssi_view view;
    ssi_query(s->ssi, &view);
    unsigned i = slot_of(s->ssi, member);
    if (view.own_state != SSI_JOINED)
        return SPOOL_LOST;
    if (i == SSI_SLOTS_MAX) /* it is no member any more */
        return SPOOL_REACHED;
    const struct ssi_slot_view *slot = &view.slots[i];
    bool here = slot->state == SSI_JOINED && slot->connected && s->speaks[i] && s->beside[i];
    return here || slot->state == SSI_DOWN ? SPOOL_REACHED : SPOOL_LOST;
}

static bool per_member(void *ctx, const char *userid)
{
    const struct spool_ssi *s = ctx;
    return s->ports.per_member(s->ports.ctx, userid);
}

static void broadcast(struct spool_ssi *s, u16 type, struct codec_out *out)
{
    char names[SSI_SLOTS_MAX][SSI_NAME_BYTES];
    unsigned n = out->failed ? 0 : ssi_members(s->ssi, names);
    for (unsigned i = 0; i < n; i++)
        if (ssi_send(s->ssi, names[i], SPOOL_SSI_SERVICE, type, out->data, out->len) == ST_BUSY)
            s->missed[slot_of(s->ssi, names[i])] = true;
    codec_out_fini(out);
}

static void put_file(struct codec_out *out, const char *member, u64 serial)
{
    codec_out_init(out);
    codec_put_bytes(out, ROW_MEMBER, member, strlen(member));
    codec_put_u64(out, ROW_SERIAL, serial);
}

static void changed(void *ctx, const char *member, u64 serial)
{
    struct codec_out out;
    put_file(&out, member, serial);
    broadcast(ctx, TYPE_CHANGED, &out);
}

static void sent(void *ctx, const char *member, u64 serial, enum spool_queue from, u16 was)
{
    struct codec_out out;
    put_file(&out, member, serial);
    codec_put_u8(&out, ROW_FROM, (u8)from);
    codec_put_u32(&out, ROW_WAS, was);
    broadcast(ctx, TYPE_SENT, &out);
}

/* --- what other members say ----------------------------------------------------------------- */

struct wire {
    char member[SPOOL_WORD_BYTES];
    u64 serial;
    u32 was;
    u8 from;
};

static bool take_row(void *ctx, const struct codec_row *row)
{
    struct wire *w = ctx;
    switch (row->tag) {
    case ROW_MEMBER: return codec_get_text(row, w->member, sizeof w->member);
    case ROW_SERIAL: return codec_get_u64(row, &w->serial) && w->serial <= 0xffffffff;
    case ROW_FROM: return codec_get_u8(row, &w->from) && w->from < SPOOL_QUEUES;
    case ROW_WAS: return codec_get_u32(row, &w->was) && w->was <= SPOOL_ID_MAX;
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

static void receive(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    struct spool_ssi *s = ctx;
    struct wire w = {.serial = 0};
    (void)from;
    if (type == TYPE_LOOK) {
        spool_look_anew(s->spool);
        return;
    }
    if (!codec_take_all(data, len, take_row, &w) || !w.serial || !*w.member ||
        slot_of(s->ssi, w.member) == SSI_SLOTS_MAX)
        return;
    spool_notice(s->spool, w.member, w.serial);
    const struct spool_file *f = spool_by_serial(s->spool, w.member, w.serial);
    if (type == TYPE_SENT && f)
        s->ports.arrived(s->ports.ctx, spool_desc(f), (enum spool_queue)w.from, (u16)w.was);
}

static void export_join(void *ctx, struct codec_out *out)
{
    const struct spool_ssi *s = ctx;
    codec_put_u32(out, ROW_LEVEL, LEVEL);
    codec_put_u64(out, ROW_TOKEN, spool_token(s->spool));
}

static int check_join(void *ctx, const char *member, const void *data, size_t len,
                      struct cause *cause)
{
    struct spool_ssi *s = ctx;
    struct codec_in in;
    struct codec_row row;
    unsigned slot = slot_of(s->ssi, member);
    u32 level = 0;
    u64 token = 0;
    (void)cause;
    codec_in_init(&in, data, len);
    while (len && codec_next(&in, &row))
        if (row.tag == ROW_LEVEL)
            codec_get_u32(&row, &level);
        else if (row.tag == ROW_TOKEN)
            codec_get_u64(&row, &token);
    if (slot < SSI_SLOTS_MAX) {
        s->speaks[slot] = level >= LEVEL;
        s->beside[slot] = s->speaks[slot] && spool_beside(s->spool, member, token);
    }
    return ST_OK;
}

static void member_joined(void *ctx, const char *member)
{
    struct spool_ssi *s = ctx;
    unsigned slot = slot_of(s->ssi, member);
    if (slot < SSI_SLOTS_MAX) {
        s->missed[slot] = false;
        if (!s->beside[slot])
            s->ports.unseen(s->ports.ctx, member);
    }
    spool_look_anew(s->spool);
    spool_reach_changed(s->spool);
}

static void member_left(void *ctx, const char *member, enum ssi_left how)
{
    struct spool_ssi *s = ctx;
    (void)member;
    (void)how;
    spool_look_anew(s->spool);
    spool_reach_changed(s->spool);
}

static void writable(void *ctx, const char *member)
{
    struct spool_ssi *s = ctx;
    unsigned slot = slot_of(s->ssi, member);
    if (slot < SSI_SLOTS_MAX && s->missed[slot] &&
        ssi_send(s->ssi, member, SPOOL_SSI_SERVICE, TYPE_LOOK, NULL, 0) == ST_OK)
        s->missed[slot] = false;
}

static const struct ssi_service service = {.id = SPOOL_SSI_SERVICE,
                                           .name = "SPOOL",
                                           .export_join = export_join,
                                           .check_join = check_join,
                                           .member_joined = member_joined,
                                           .member_left = member_left,
                                           .receive = receive,
                                           .writable = writable};

struct spool_ssi *spool_ssi_create(struct ssi *ssi, struct spool *spool,
                                   const struct spool_ssi_ports *ports, struct cause *cause)
{
    struct spool_ssi *s = calloc(1, sizeof *s);
    int rc = s ? ssi_register_service(ssi, &service, s) : ST_NOMEM;
    if (rc) {
        free(s);
        cause_set(cause, rc, "service SPOOL: %s", status_name(rc));
        return NULL;
    }
    s->ssi = ssi;
    s->spool = spool;
    s->ports = *ports;
    s->cluster = (struct spool_cluster){s, reach, per_member, changed, sent};
    spool_set_cluster(spool, &s->cluster);
    return s;
}

void spool_ssi_destroy(struct spool_ssi *s)
{
    if (!s)
        return;
    spool_set_cluster(s->spool, NULL);
    free(s);
}
