/* Frames of networks over the SSI links. They share the links with CP's and relocation's
 * messages, and so that those need not wait for them, no more than IVL_IN_FLIGHT_BYTES are given
 * to a link before it has taken what went before; the rest waits in ivl.c, where it is bounded.
 * */
#include "hyp/net/ivl_ssi.h"

#include <stdlib.h>

/** Located by cp->ivls; made by cp_attach_ssi, ends with CP. */
struct ivl_ssi {
    struct ssi *ssi;
    struct ivls *ivls;
    u64 mark[IVL_SLOTS_MAX]; /* ssi_accepted behind the last frames to a slot */
};

/** "" when the slot is free. */
static void name_of(const struct ssi *ssi, unsigned slot, char out[SSI_NAME_BYTES])
{
    struct ssi_view view;
    ssi_query(ssi, &view);
    memcpy(out, view.slots[slot].name, SSI_NAME_BYTES);
}

static unsigned slot_of(const struct ssi *ssi, const char *member)
{
    struct ssi_view view;
    ssi_query(ssi, &view);
    unsigned i = 0;
    while (i < IVL_SLOTS_MAX && strcmp(view.slots[i].name, member) != 0)
        i++;
    return i;
}

static bool port_send(void *ctx, unsigned slot, enum ivl_message type, const void *data,
                      size_t len)
{
    struct ivl_ssi *s = ctx;
    char name[SSI_NAME_BYTES];
    name_of(s->ssi, slot, name);
    if (ssi_send(s->ssi, name, IVL_SSI_SERVICE, (u16)type, data, len) != ST_OK)
        return false;
    if (type == IVL_FRAMES)
        s->mark[slot] = ssi_accepted(s->ssi, name, IVL_SSI_SERVICE);
    return true;
}

/** The link has little to do, or has taken the last frames. */
static bool port_room(void *ctx, unsigned slot)
{
    struct ivl_ssi *s = ctx;
    char name[SSI_NAME_BYTES];
    name_of(s->ssi, slot, name);
    size_t backlog = ssi_backlog(s->ssi, name, IVL_SSI_SERVICE);
    return backlog < IVL_IN_FLIGHT_BYTES - IVL_BATCH_BYTES ||
           ssi_accepted(s->ssi, name, IVL_SSI_SERVICE) - backlog >= s->mark[slot];
}

static void member_joined(void *ctx, const char *member)
{
    struct ivl_ssi *s = ctx;
    unsigned slot = slot_of(s->ssi, member);
    s->mark[slot] = 0;
    ivls_member(s->ivls, slot, true);
}

static void member_left(void *ctx, const char *member, enum ssi_left how)
{
    struct ivl_ssi *s = ctx;
    (void)how;
    ivls_member(s->ivls, slot_of(s->ssi, member), false);
}

static void receive(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    struct ivl_ssi *s = ctx;
    ivls_receive(s->ivls, slot_of(s->ssi, from), type, data, len);
}

static void drained(void *ctx, const char *member)
{
    const struct ivl_ssi *s = ctx;
    (void)member;
    ivls_poll(s->ivls);
}

static const struct ssi_service service = {.id = IVL_SSI_SERVICE,
                                           .name = "LAN",
                                           .bulk = true,
                                           .member_joined = member_joined,
                                           .member_left = member_left,
                                           .receive = receive,
                                           .drained = drained};

struct ivl_ssi *ivl_ssi_create(struct ssi *ssi, void (*wakeup)(void *ctx), void *ctx,
                               struct cause *cause)
{
    struct ssi_view view;
    struct ivl_ssi *s = calloc(1, sizeof *s);
    ssi_query(ssi, &view);
    struct ivl_ports ports = {s, port_send, port_room, wakeup, ctx};
    if (s)
        s->ivls = ivls_create(view.own_slot, &ports);
    int rc = s && s->ivls ? ssi_register_service(ssi, &service, s)
                          : cause_set(cause, ST_NOMEM, "out of memory");
    if (rc == ST_OK) {
        s->ssi = ssi;
        return s;
    }
    ivl_ssi_destroy(s);
    cause_set(cause, rc, "service LAN: %s", status_name(rc));
    return NULL;
}

void ivl_ssi_destroy(struct ivl_ssi *s)
{
    if (!s)
        return;
    ivls_destroy(s->ivls);
    free(s);
}

struct ivls *ivl_ssi_ivls(struct ivl_ssi *s)
{
    return s->ivls;
}
