/* Bulk streams: more connections of a link, so that control and heartbeats do not wait behind data.
 *
 *   side that calls    link in EXCHANGE: HELLO (PURPOSE_STREAM, number of the link) on each
 *   side called        number and both incarnations are those of a link in EXCHANGE: HELLO back
 *   side that calls    all answered: STREAMS on the link itself; then the link may be agreed
 *
 * A stream is authenticated as its link was, and belongs to that one link only: after a loss a new
 * number is drawn. Nothing is read from a stream before its link is READY here and services know
 * that: what the other side, ready a little earlier, has sent waits. With any connection the link
 * is lost as a whole (ssi_link_fail, ssi_link_drop). */
#include "ssi/ssi_internal.h"

#include <stdio.h>

static void stream_pause(struct ssi *ssi, struct ssi_link *stream, bool paused)
{
    stream->paused = paused;
    ssi->ports->pause(ssi->ports->ctx, stream->conn, paused);
}

void ssi_streams_open(struct ssi *ssi, struct ssi_link *link)
{
    for (unsigned i = 0; i < link->n_streams && link->state != LINK_CLOSED; i++) {
        struct ssi_link *stream = ssi_link_connect(ssi, (unsigned)link->slot, link->peer,
                                                   PURPOSE_STREAM, link->peer_incarnation);
        if (!stream) {
            ssi_link_fail(ssi, link, ST_LOST, "a bulk stream cannot be opened");
            return;
        }
        stream->number = link->number;
        stream->n_streams = link->n_streams;
        stream->stream = (u8)i;
        stream->owner = link;
        link->streams[i] = stream;
    }
}

/* The link that a stream says it belongs to, if it is to have that one. */
static struct ssi_link *link_of(struct ssi *ssi, const struct wire_hello *hello)
{
    struct ssi_link *link = ssi->members[hello->slot].link;
    bool fits = link && !link->initiator && link->state == LINK_EXCHANGE &&
                link->number == hello->link && link->peer_incarnation == hello->incarnation &&
                hello->expected == ssi->incarnation && hello->stream < link->n_streams &&
                !link->streams[hello->stream];
    return fits ? link : NULL;
}

void ssi_stream_accepted(struct ssi *ssi, struct ssi_link *stream,
                         const struct wire_hello *hello)
{
    enum wire_reason reason = ssi_hello_check(ssi, stream, hello);
    struct ssi_link *link = reason ? NULL : link_of(ssi, hello);
    if (!reason && (!link || link->version != stream->version))
        reason = REASON_STALE;
    if (!reason && ssi_link_grow(stream) != ST_OK)
        reason = REASON_NOT_JOINED;
    if (reason) {
        ssi_hello_refuse(ssi, stream, reason, hello);
        return;
    }
    stream->purpose = PURPOSE_STREAM;
    stream->slot = hello->slot;
    stream->peer_incarnation = hello->incarnation;
    stream->number = hello->link;
    stream->stream = hello->stream;
    stream->n_streams = link->n_streams;
    stream->owner = link;
    link->streams[stream->stream] = stream;
    ssi_hello_send(ssi, stream);
    ssi_link_state(ssi, stream, LINK_STREAM);
    stream_pause(ssi, stream, true);
}

void ssi_stream_answered(struct ssi *ssi, struct ssi_link *stream,
                         const struct wire_hello *hello)
{
    struct ssi_link *link = stream->owner;
    if (hello->link != link->number || hello->stream != stream->stream ||
        stream->version != link->version) {
        ssi_link_fail(ssi, stream, ST_PROTO, "a bulk stream is answered wrongly");
        return;
    }
    ssi_link_state(ssi, stream, LINK_STREAM);
    stream_pause(ssi, stream, true);
    for (unsigned i = 0; i < link->n_streams; i++)
        if (!link->streams[i] || link->streams[i]->state != LINK_STREAM)
            return;
    link->streams_up = true;
    ssi_link_send(ssi, link, WIRE_STREAMS, 0, 0, NULL, 0);
    ssi_link_agree(ssi, link);
}

void ssi_streams_go(struct ssi *ssi, struct ssi_link *link)
{
    for (unsigned i = 0; i < SSI_STREAMS_MAX && link->state == LINK_READY; i++) {
        struct ssi_link *stream = link->streams[i];
        if (!stream || !stream->paused)
            continue;
        stream->rx_ms = ssi_now(ssi);
        stream_pause(ssi, stream, false);
        if (ssi->ports->bulk)
            ssi->ports->bulk(ssi->ports->ctx, stream->conn);
        ssi_link_parse(ssi, stream);
    }
}

struct ssi_link *ssi_stream_nth(struct ssi *ssi, struct ssi_link *link, u8 service,
                                unsigned more)
{
    for (unsigned i = 0; link->n_streams && i < ssi->n_services; i++) {
        const struct ssi_service *svc = ssi->services[i].svc;
        if (svc->id == service && svc->bulk)
            return link->streams[(service + more) % link->n_streams];
    }
    return link;
}

struct ssi_link *ssi_stream_of(struct ssi *ssi, struct ssi_link *link, u8 service)
{
    return ssi_stream_nth(ssi, link, service, 0);
}

bool ssi_same_host(struct ssi *ssi, const char *member)
{
    int slot = ssi_slot_find(ssi, member);
    return slot >= 0 && ssi->rows_valid &&
           ssi->rows[slot].host_id == ssi->ports->host_id(ssi->ports->ctx);
}

static struct ssi_link *ready_link(struct ssi *ssi, const char *member)
{
    int slot = ssi_slot_find(ssi, member);
    struct ssi_link *link = slot < 0 ? NULL : ssi->members[slot].link;
    return link && link->state == LINK_READY ? link : NULL;
}

unsigned ssi_streams(struct ssi *ssi, const char *member)
{
    const struct ssi_link *link = ready_link(ssi, member);
    return !link ? 0 : link->n_streams ? link->n_streams : 1;
}

int ssi_stream_send(struct ssi *ssi, const char *member, u8 service, unsigned stream, u16 type,
                    const struct ssi_iov *iov, unsigned n, const struct ssi_sent *sent,
                    bool *kept)
{
    struct ssi_link *link = ready_link(ssi, member);
    *kept = false;
    return !link ? ST_LOST
                 : ssi_link_message(ssi, ssi_stream_nth(ssi, link, service, stream), service,
                                    type, iov, n, sent, kept);
}

size_t ssi_stream_backlog(struct ssi *ssi, const char *member, u8 service, unsigned stream)
{
    struct ssi_link *link = ready_link(ssi, member);
    link = link ? ssi_stream_nth(ssi, link, service, stream) : NULL;
    return link ? ssi->ports->backlog(ssi->ports->ctx, link->conn) : 0;
}

void ssi_link_beat(struct ssi *ssi, struct ssi_link *link, const struct ssi_iov *iov)
{
    ssi_link_send(ssi, link, WIRE_BEAT, 0, 0, iov, 1);
    for (unsigned i = 0; i < link->n_streams && link->state == LINK_READY; i++)
        if (link->streams[i] &&
            ssi->ports->backlog(ssi->ports->ctx, link->streams[i]->conn) == 0)
            ssi_link_send(ssi, link->streams[i], WIRE_BEAT, 0, 0, iov, 1);
}

static void stream_view(const struct ssi *ssi, const struct ssi_link *link,
                        struct ssi_stream_view *view)
{
    snprintf(view->peer, sizeof view->peer, "%s", link->peer);
    if (link->id.tls)
        snprintf(view->cipher, sizeof view->cipher, "%s", link->id.cipher);
    view->sent = link->tx_bytes;
    view->received = link->rx_bytes;
    view->waiting = ssi->ports->backlog(ssi->ports->ctx, link->conn);
    view->silent_ms = ssi_now(ssi) - link->rx_ms;
}

void ssi_link_query(const struct ssi *ssi, unsigned slot, struct ssi_link_view *view)
{
    const struct ssi_member *m = &ssi->members[slot];
    const struct ssi_link *link = m->link;
    memset(view, 0, sizeof *view);
    view->state = m->inactive ? "Inactive" : "Down";
    if (!link)
        return;
    view->state = link->state == LINK_READY ? "Up" : "Connecting";
    view->version = link->version;
    stream_view(ssi, link, &view->stream[view->streams++]);
    for (unsigned i = 0; i < SSI_STREAMS_MAX; i++)
        if (link->streams[i])
            stream_view(ssi, link->streams[i], &view->stream[view->streams++]);
}
