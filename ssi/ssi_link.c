/* Links: connections to other members, from TCP to READY, and what comes over them. A link's bulk
 * streams (ssi_stream.c) are connections like it, from CONNECTING or ACCEPTED to STREAM.
 *
 *   CONNECTING --up, HELLO out--> GREETING --HELLO in--> EXCHANGE --both voted yes--> AGREED
 *   ACCEPTED ------HELLO in, HELLO out------------------^          heal: READY at once
 *                                          AGREED --JOINED out (joiner) or in (member)--> READY
 *   any --error, silence, deadline, refusal--> CLOSED, freed by ssi_link_reap
 *
 * Every received byte is a sign of life. A stranger gets a small buffer and a deadline. */
#include "ssi/ssi_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "mem/base/crc32c.h"

#define LINK_IOV_MAX 8

u64 ssi_link_step_deadline(struct ssi *ssi)
{
    return ssi_now(ssi) + ssi->cfg.handshake_ms;
}

static struct ssi_link *link_find(struct ssi *ssi, ssi_conn conn)
{
    for (unsigned i = 0; i < SSI_LINKS_MAX; i++)
        if (ssi->links[i] && ssi->links[i]->conn == conn && conn)
            return ssi->links[i];
    return NULL;
}

static unsigned strangers(const struct ssi *ssi)
{
    unsigned n = 0;
    for (unsigned i = 0; i < SSI_LINKS_MAX; i++)
        n += ssi->links[i] && ssi->links[i]->slot < 0;
    return n;
}

static struct ssi_link *link_new(struct ssi *ssi, ssi_conn conn, enum link_state state)
{
    for (unsigned i = 0; i < SSI_LINKS_MAX; i++) {
        if (ssi->links[i])
            continue;
        struct ssi_link *link = calloc(1, sizeof *link);
        u8 *rx = malloc(SSI_RX_STRANGER_BYTES);
        if (!link || !rx) {
            free(link);
            free(rx);
            return NULL;
        }
        link->conn = conn;
        link->state = state;
        link->slot = -1;
        link->rx = rx;
        link->rx_room = SSI_RX_STRANGER_BYTES;
        link->rx_ms = ssi_now(ssi);
        link->deadline_ms = ssi_link_step_deadline(ssi);
        return ssi->links[i] = link;
    }
    return NULL;
}

int ssi_link_grow(struct ssi_link *link)
{
    if (link->rx_room == SSI_RX_BYTES)
        return ST_OK;
    u8 *rx = realloc(link->rx, SSI_RX_BYTES);
    if (!rx)
        return ST_NOMEM;
    link->rx = rx;
    link->rx_room = SSI_RX_BYTES;
    return ST_OK;
}

void ssi_link_state(struct ssi *ssi, struct ssi_link *link, enum link_state state)
{
    ERGO(link->state != LINK_CLOSED && state > link->state);
    link->state = state;
    if (link->slot >= 0)
        ssi->members[link->slot].events++;
    link->deadline_ms = ssi_link_step_deadline(ssi);
    if (state == LINK_AGREED)
        link->deadline_ms += ssi->cfg.join_ms;
}

struct ssi_link *ssi_link_connect(struct ssi *ssi, unsigned slot, const char *addr, u8 purpose,
                                  u64 peer_incarnation)
{
    struct cause cause;
    PRE(!ssi->members[slot].link || purpose == PURPOSE_STREAM);
    ssi_conn conn = ssi->ports->connect(ssi->ports->ctx, addr, &cause);
    if (!conn)
        return NULL;
    struct ssi_link *link = link_new(ssi, conn, LINK_CONNECTING);
    if (!link) {
        ssi->ports->close(ssi->ports->ctx, conn, false);
        return NULL;
    }
    link->initiator = true;
    link->slot = (int)slot;
    link->purpose = purpose;
    link->peer_incarnation = peer_incarnation;
    link->n_streams = (u8)ssi->cfg.streams;
    link->number = ssi->ports->random(ssi->ports->ctx);
    snprintf(link->peer, sizeof link->peer, "%s", addr);
    if (purpose != PURPOSE_STREAM)
        ssi->members[slot].link = link;
    return link;
}

/* Bytes that are kept are a service's bulk, which it checks by itself. */
static bool link_send(struct ssi *ssi, struct ssi_link *link, struct wire_frame frame,
                      const struct ssi_iov *iov, unsigned n, const struct ssi_sent *sent)
{
    PRE(n <= LINK_IOV_MAX && link->state != LINK_CLOSED);
    u8 header[SSI_WIRE_HEAD_BYTES_MAX];
    struct ssi_iov all[LINK_IOV_MAX + 1] = {{header, 0}};
    bool base = frame.type == WIRE_HELLO || frame.type == WIRE_REFUSE;
    frame.version = base ? SSI_WIRE_BASE : link->version;
    frame.checked = frame.version >= SSI_WIRE_VERSION_CHECKS && !link->id.tls && !sent;
    for (unsigned i = 0; i < n; i++) {
        all[i + 1] = iov[i];
        frame.length += (u32)iov[i].len;
        if (frame.checked)
            frame.check = crc32c(frame.check, iov[i].p, iov[i].len);
    }
    frame.seq = link->tx_seq++;
    all[0].len = ssi_wire_header(header, &frame);
    link->tx_bytes += all[0].len + frame.length;
    const struct ssi_ports *ports = ssi->ports;
    if (sent && ports->send_kept)
        return ports->send_kept(ports->ctx, link->conn, all, n + 1, sent);
    ports->send(ports->ctx, link->conn, all, n + 1);
    return false;
}

void ssi_link_send(struct ssi *ssi, struct ssi_link *link, enum wire_type type, u8 service,
                   u16 mtype, const struct ssi_iov *iov, unsigned n)
{
    const struct wire_frame frame = {.type = (u16)type, .service = service, .mtype = mtype};
    link_send(ssi, link, frame, iov, n, NULL);
}

void ssi_link_identify(struct ssi *ssi, struct ssi_link *link)
{
    if (ssi->ports->peer)
        ssi->ports->peer(ssi->ports->ctx, link->conn, &link->id);
}

void ssi_link_drop(struct ssi *ssi, struct ssi_link *link, bool flush)
{
    if (link->state == LINK_CLOSED)
        return;
    link->state = LINK_CLOSED;
    for (unsigned i = 0; i < SSI_STREAMS_MAX; i++)
        if (link->streams[i])
            ssi_link_drop(ssi, link->streams[i], flush);
    if (link->owner)
        link->owner->streams[link->stream] = NULL;
    link->owner = NULL;
    if (link->slot >= 0 && ssi->members[link->slot].link == link) {
        ssi->members[link->slot].link = NULL;
        ssi->members[link->slot].events++;
    }
    if (link->conn)
        ssi->ports->close(ssi->ports->ctx, link->conn, flush);
    link->conn = 0;
}

void ssi_link_fail(struct ssi *ssi, struct ssi_link *link, int status, const char *why)
{
    if (link->state == LINK_CLOSED)
        return;
    if (link->owner) { /* with one of its connections a link is lost as a whole */
        ssi_link_fail(ssi, link->owner, status, why);
        return;
    }
    int slot = link->slot;
    bool current = slot >= 0 && ssi->members[slot].link == link;
    ssi_link_drop(ssi, link, false);
    if (slot < 0 && status != ST_LOST && ssi_may_complain(ssi))
        ssi_say(ssi, MSG_PLM1706W, link->peer, why);
    if (!current)
        return;
    if (ssi->own_state == SSI_JOINING)
        ssi_join_link_failed(ssi, status, why);
    else if (ssi_active(ssi))
        ssi_member_look(ssi, (unsigned)slot, why);
}

void ssi_link_reap(struct ssi *ssi)
{
    for (unsigned i = 0; i < SSI_LINKS_MAX; i++) {
        struct ssi_link *link = ssi->links[i];
        if (!link || link->state != LINK_CLOSED)
            continue;
        free(link->rx);
        free(link);
        ssi->links[i] = NULL;
    }
}

void ssi_link_timeouts(struct ssi *ssi, u64 now)
{
    for (unsigned i = 0; i < SSI_LINKS_MAX; i++) {
        struct ssi_link *link = ssi->links[i];
        if (!link || link->state == LINK_CLOSED)
            continue;
        if (link->state == LINK_READY)
            ssi_streams_go(ssi, link);
        if (link->state >= LINK_READY && !link->paused &&
            now > link->rx_ms + ssi->cfg.silence_ms)
            ssi_link_fail(ssi, link, ST_LOST, "it has been silent for too long");
        else if (link->state < LINK_READY && now > link->deadline_ms)
            ssi_link_fail(ssi, link, ST_TIMEOUT, "it does not answer in time");
    }
}

bool ssi_conn_accepted(struct ssi *ssi, ssi_conn conn, const char *peer)
{
    bool room = strangers(ssi) < SSI_STRANGERS_MAX;
    struct ssi_link *link = room ? link_new(ssi, conn, LINK_ACCEPTED) : NULL;
    if (!link) {
        if (ssi_may_complain(ssi))
            ssi_say(ssi, MSG_PLM1706W, peer, "too many connections");
        return false;
    }
    snprintf(link->peer, sizeof link->peer, "%s", peer);
    return true;
}

void ssi_conn_opened(struct ssi *ssi, ssi_conn conn)
{
    struct ssi_link *link = link_find(ssi, conn);
    if (!link || link->state != LINK_CONNECTING)
        return;
    link->rx_ms = ssi_now(ssi);
    ssi_link_identify(ssi, link);
    if (ssi->cfg.keys_dir[0] && (strcmp(link->id.cluster, ssi->cfg.cluster) != 0 ||
                                 strcmp(link->id.member, ssi->members[link->slot].name) != 0)) {
        char why[CAUSE_TEXT_BYTES / 2];
        snprintf(why, sizeof why, "%s (%s.%s)", ssi_reason_text(REASON_CERTIFICATE),
                 link->id.cluster, link->id.member);
        ssi_conn_refused(ssi, conn, why);
        return;
    }
    ssi_link_state(ssi, link, LINK_GREETING);
    ssi_hello_send(ssi, link);
}

void ssi_conn_refused(struct ssi *ssi, ssi_conn conn, const char *why)
{
    struct ssi_link *link = link_find(ssi, conn);
    char text[CAUSE_TEXT_BYTES / 2];
    if (!link)
        return;
    int slot = link->slot;
    snprintf(text, sizeof text, "%s%s%s", slot < 0 ? "" : ssi->members[slot].name,
             slot < 0 ? "" : ": ", why);
    if (slot >= 0 && ssi->own_state != SSI_JOINING && ssi_may_complain(ssi))
        ssi_say(ssi, MSG_PLM1706W, link->peer, text);
    ssi_link_fail(ssi, link, ST_REFUSED, text);
}

void ssi_conn_closed(struct ssi *ssi, ssi_conn conn, const char *why)
{
    struct ssi_link *link = link_find(ssi, conn);
    if (!link)
        return;
    link->conn = 0; /* the port has forgotten it */
    ssi_link_fail(ssi, link, ST_LOST, why);
}

u8 *ssi_conn_space(struct ssi *ssi, ssi_conn conn, size_t *room)
{
    struct ssi_link *link = link_find(ssi, conn);
    if (!link)
        return NULL;
    ERGO(link->rx_len < link->rx_room);
    *room = link->rx_room - link->rx_len;
    return link->rx + link->rx_len;
}

static bool version_fits(const struct ssi_link *link, const struct wire_frame *frame)
{
    if (frame->type == WIRE_HELLO || frame->type == WIRE_REFUSE)
        return frame->version == SSI_WIRE_BASE;
    return !link->version || frame->version == link->version; /* 0: it is out of turn */
}

static void dispatch(struct ssi *ssi, struct ssi_link *link, const struct wire_frame *frame)
{
    const char *bad = NULL;
    if (link->state == LINK_ACCEPTED && !version_fits(link, frame)) {
        ssi_refuse(ssi, link, REASON_VERSION, "");
        return;
    }
    if (!version_fits(link, frame))
        bad = "a message is in another version than was agreed";
    if (!bad && frame->seq != link->rx_seq++)
        bad = "a message is missing";
    if (!bad)
        bad = ssi_wire_check(frame, link->state);
    if (bad) {
        ssi_link_fail(ssi, link, ST_PROTO, bad);
        return;
    }
    switch (frame->type) {
#define W(id, code, min, max, states)                                                          \
    case code:                                                                                 \
        ssi_on_##id(ssi, link, frame);                                                         \
        break;
#include "ssi/ssi_wire.def"
    }
}

/* Make room for a frame of `need` bytes; the frame's length has been bounded already. */
static void rx_compact(struct ssi_link *link, size_t need)
{
    if (link->rx_off == link->rx_len) {
        link->rx_off = link->rx_len = 0;
    } else if (link->rx_off + need > link->rx_room) {
        link->rx_len -= link->rx_off;
        memmove(link->rx, link->rx + link->rx_off, link->rx_len);
        link->rx_off = 0;
    }
}

void ssi_conn_received(struct ssi *ssi, ssi_conn conn, size_t len)
{
    struct ssi_link *link = link_find(ssi, conn);
    if (!link)
        return;
    ERGO(len <= link->rx_room - link->rx_len);
    link->rx_len += len;
    link->rx_bytes += len;
    link->rx_ms = ssi_now(ssi);
    ssi_link_parse(ssi, link);
}

/* Handle the message at `bytes`, of which `*need` are done with then, or needed before more can be.
 * False: it is not whole, or the link is lost. */
static bool handle(struct ssi *ssi, struct ssi_link *link, const u8 *bytes, size_t len,
                   size_t *need)
{
    struct wire_frame frame;
    const char *why = NULL;
    u32 max = link->rx_room == SSI_RX_BYTES ? SSI_PAYLOAD_BYTES_MAX : SSI_HELLO_BYTES_MAX;
    enum wire_parse got = ssi_wire_parse(bytes, len, max, &frame, need, &why);
    if (got == WIRE_BAD && link->state == LINK_ACCEPTED && bytes[0] == TLS_FIRST_BYTE)
        ssi_refuse(ssi, link, REASON_NO_KEYS, "");
    else if (got == WIRE_BAD)
        ssi_link_fail(ssi, link, ST_PROTO, why);
    if (got == WIRE_MORE || got == WIRE_BAD)
        return false;
    if (bytes == link->rx + link->rx_off)
        link->rx_off += *need; /* what it does may give the link another buffer */
    dispatch(ssi, link, &frame);
    return true;
}

static bool reads(const struct ssi_link *link)
{
    return link->state != LINK_CLOSED && !link->paused;
}

void ssi_link_parse(struct ssi *ssi, struct ssi_link *link)
{
    size_t need = SSI_WIRE_HEADER_BYTES;
    while (reads(link) && link->rx_off < link->rx_len &&
           handle(ssi, link, link->rx + link->rx_off, link->rx_len - link->rx_off, &need))
        need = SSI_WIRE_HEADER_BYTES;
    rx_compact(link, need);
}

/* What has begun in the link's own buffer, before the port took over, ends there. */
static size_t take_copied(struct ssi *ssi, struct ssi_link *link, const u8 *bytes, size_t len)
{
    size_t room = link->rx_room - link->rx_len, n = len < room ? len : room;
    memcpy(link->rx + link->rx_len, bytes, n);
    ssi_conn_received(ssi, link->conn, n);
    return n;
}

size_t ssi_conn_take(struct ssi *ssi, ssi_conn conn, const u8 *bytes, size_t len)
{
    struct ssi_link *link = link_find(ssi, conn);
    size_t at = 0, need;
    if (!link)
        return len;
    if (link->rx_len)
        return take_copied(ssi, link, bytes, len);
    link->rx_ms = ssi_now(ssi);
    while (reads(link) && at < len && handle(ssi, link, bytes + at, len - at, &need)) {
        at += need;
        link->rx_bytes += need;
    }
    return link->state == LINK_CLOSED ? len : at;
}

static bool ready(const struct ssi_link *link)
{
    const struct ssi_link *first = link->owner ? link->owner : link;
    return first->state == LINK_READY;
}

/* A service whose messages go over this connection. */
static const struct ssi_service *user_of(struct ssi *ssi, struct ssi_link *link, unsigned i)
{
    struct ssi_link *first = link->owner ? link->owner : link;
    const struct ssi_service *svc = ssi->services[i].svc;
    bool uses = ssi_stream_of(ssi, first, svc->id) == link || (svc->spread && link->owner);
    return ready(link) && uses ? svc : NULL;
}

static void tell_drained(struct ssi *ssi, struct ssi_link *link)
{
    const char *name = ssi->members[link->slot].name;
    for (unsigned i = 0; i < ssi->n_services; i++) {
        const struct ssi_service *svc = user_of(ssi, link, i);
        if (svc && svc->drained)
            svc->drained(ssi->services[i].ctx, name);
    }
}

void ssi_conn_drained(struct ssi *ssi, ssi_conn conn)
{
    struct ssi_link *link = link_find(ssi, conn);
    if (link && ready(link))
        tell_drained(ssi, link);
    if (!link || !ready(link) || !link->above_high ||
        ssi->ports->backlog(ssi->ports->ctx, conn) > SSI_BACKLOG_LOW_BYTES)
        return;
    link->above_high = false;
    const char *name = ssi->members[link->slot].name;
    for (unsigned i = 0; i < ssi->n_services; i++) {
        const struct ssi_service *svc = user_of(ssi, link, i);
        if (svc && svc->writable)
            svc->writable(ssi->services[i].ctx, name);
    }
}

int ssi_link_message(struct ssi *ssi, struct ssi_link *link, u8 service, u16 mtype,
                     const struct ssi_iov *iov, unsigned n, const struct ssi_sent *sent,
                     bool *kept)
{
    const struct wire_frame frame = {.type = WIRE_MESSAGE, .service = service, .mtype = mtype};
    size_t len = 0;
    if (n > LINK_IOV_MAX)
        return ST_INVAL;
    for (unsigned i = 0; i < n; i++) {
        if (iov[i].len > SSI_PAYLOAD_BYTES_MAX - len)
            return ST_INVAL;
        len += iov[i].len;
    }
    size_t backlog = ssi->ports->backlog(ssi->ports->ctx, link->conn);
    if (backlog + len > SSI_BACKLOG_LIMIT_BYTES)
        return ST_BUSY;
    *kept = link_send(ssi, link, frame, iov, n, sent);
    if (ssi->ports->backlog(ssi->ports->ctx, link->conn) > SSI_BACKLOG_HIGH_BYTES)
        link->above_high = true;
    return ST_OK;
}

int ssi_send_vec(struct ssi *ssi, const char *member, u8 service, u16 type,
                 const struct ssi_iov *iov, unsigned n)
{
    int slot = ssi_slot_find(ssi, member);
    bool kept;
    if (slot < 0)
        return ST_NOENT;
    if (n > LINK_IOV_MAX)
        return ST_INVAL;
    struct ssi_link *link = ssi->members[slot].link;
    for (unsigned i = 0; i < n; i++)
        if (iov[i].len > SSI_PAYLOAD_BYTES_MAX)
            return ST_INVAL;
    return !link || link->state != LINK_READY
               ? ST_LOST
               : ssi_link_message(ssi, ssi_stream_of(ssi, link, service), service, type, iov, n,
                                  NULL, &kept);
}

int ssi_send(struct ssi *ssi, const char *member, u8 service, u16 type, const void *data,
             size_t len)
{
    struct ssi_iov iov = {data, len};
    return ssi_send_vec(ssi, member, service, type, &iov, len ? 1 : 0);
}

/* The connection of a ready link that a service uses; NULL when there is none. */
static struct ssi_link *ready_stream(struct ssi *ssi, const char *member, u8 service)
{
    int slot = ssi_slot_find(ssi, member);
    struct ssi_link *link = slot < 0 ? NULL : ssi->members[slot].link;
    return link && link->state == LINK_READY ? ssi_stream_of(ssi, link, service) : NULL;
}

size_t ssi_backlog(struct ssi *ssi, const char *member, u8 service)
{
    struct ssi_link *link = ready_stream(ssi, member, service);
    return link ? ssi->ports->backlog(ssi->ports->ctx, link->conn) : 0;
}

u64 ssi_accepted(struct ssi *ssi, const char *member, u8 service)
{
    const struct ssi_link *link = ready_stream(ssi, member, service);
    return link ? link->tx_bytes : 0;
}
