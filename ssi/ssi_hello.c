/* Identification of a peer, exchange of the services' data, votes.
 * Guarantees: a peer that is not who it says, or whom a service does not want, changes nothing
 * but its own connection. The incarnation in HELLO must be the one in the PDR: only somebody
 * who may read the PDR can know it. */
#include "ssi/ssi_internal.h"

#include <stdio.h>

static u16 version_max(const struct ssi *ssi)
{
    return ssi->cfg.wire_max ? (u16)ssi->cfg.wire_max : SSI_WIRE_VERSION_MAX;
}

void ssi_hello_send(struct ssi *ssi, struct ssi_link *link)
{
    struct wire_hello hello = {.slot = (u8)ssi->cfg.slot,
                               .purpose = link->purpose,
                               .digest = ssi->digest,
                               .incarnation = ssi->incarnation,
                               .expected = link->peer_incarnation,
                               .version_min = SSI_WIRE_VERSION_MIN,
                               .version_max = version_max(ssi),
                               .link = link->number,
                               .streams = link->n_streams,
                               .stream = link->stream};
    memcpy(hello.cluster, ssi->cfg.cluster, sizeof hello.cluster);
    memcpy(hello.member, ssi->cfg.member, sizeof hello.member);
    memcpy(hello.binding, link->id.binding, sizeof hello.binding);
    struct codec_out out;
    codec_out_init(&out);
    ssi_hello_encode(&out, &hello);
    struct ssi_iov iov = {out.data, out.len};
    if (!out.failed)
        ssi_link_send(ssi, link, WIRE_HELLO, 0, 0, &iov, 1);
    codec_out_fini(&out);
}

void ssi_refuse(struct ssi *ssi, struct ssi_link *link, enum wire_reason reason,
                const char *detail)
{
    u8 code[2];
    be16_store(code, (u16)reason);
    struct ssi_iov iov[2] = {{code, sizeof code},
                             {detail, strnlen(detail, SSI_HELLO_BYTES_MAX / 2)}};
    if (link->state != LINK_CONNECTING)
        ssi_link_send(ssi, link, WIRE_REFUSE, 0, 0, iov, 2);
    if (!ssi_reason_again((u16)reason) && reason != REASON_VETO && ssi_may_complain(ssi))
        ssi_say(ssi, MSG_PLM1705W, link->peer, ssi_reason_text((u16)reason), detail);
    ssi_link_drop(ssi, link, true);
}

/* What can be said without the PDR. 0: nothing against it. */
static enum wire_reason hello_check_names(struct ssi *ssi, const struct wire_hello *hello)
{
    if (strcmp(hello->cluster, ssi->cfg.cluster) != 0)
        return REASON_CLUSTER;
    if (hello->slot >= SSI_SLOTS_MAX || hello->slot == ssi->cfg.slot ||
        strcmp(hello->member, ssi->members[hello->slot].name) != 0)
        return REASON_NAME;
    if (hello->digest != ssi->digest)
        return REASON_DIGEST;
    return ssi->members[hello->slot].inactive ? REASON_INACTIVE : 0;
}

/* Does TLS vouch for what HELLO says? */
static enum wire_reason hello_check_peer(const struct ssi *ssi, const struct ssi_link *link,
                                         const struct wire_hello *hello)
{
    const struct ssi_peer *id = &link->id;
    if (!ssi->cfg.keys_dir[0])
        return 0;
    if (!id->tls)
        return REASON_PLAIN;
    if (strcmp(id->cluster, hello->cluster) != 0 || strcmp(id->member, hello->member) != 0)
        return REASON_CERTIFICATE;
    return memcmp(id->binding, hello->binding, sizeof id->binding) ? REASON_BINDING : 0;
}

/* The greatest version that both speak, kept in the link. */
static enum wire_reason hello_check_version(const struct ssi *ssi, struct ssi_link *link,
                                            const struct wire_hello *hello)
{
    u16 low = hello->version_min ? hello->version_min : 1;
    u16 high = hello->version_max ? hello->version_max : 1, own = version_max(ssi);
    link->version = high < own ? high : own;
    if (low < SSI_WIRE_VERSION_MIN)
        low = SSI_WIRE_VERSION_MIN;
    return link->version < low ? REASON_VERSION : 0;
}

enum wire_reason ssi_hello_check(struct ssi *ssi, struct ssi_link *link,
                                 const struct wire_hello *hello)
{
    enum wire_reason reason = hello_check_peer(ssi, link, hello);
    if (!reason)
        reason = hello_check_version(ssi, link, hello);
    return reason ? reason : hello_check_names(ssi, hello);
}

void ssi_hello_refuse(struct ssi *ssi, struct ssi_link *link, enum wire_reason reason,
                      const struct wire_hello *hello)
{
    char who[CAUSE_TEXT_BYTES / 4];
    unsigned low = hello->version_min, high = hello->version_max, own = version_max(ssi);
    int n = snprintf(who, sizeof who, "(%s.%s", hello->cluster, hello->member);
    if (reason == REASON_CERTIFICATE)
        n += snprintf(who + n, sizeof who - (size_t)n, ", certificate of %s.%s",
                      link->id.cluster, link->id.member);
    else if (reason == REASON_VERSION)
        n += snprintf(who + n, sizeof who - (size_t)n, ": %u to %u there, %u to %u here",
                      low ? low : 1u, high ? high : 1u, (unsigned)SSI_WIRE_VERSION_MIN, own);
    snprintf(who + n, sizeof who - (size_t)n, ")");
    ssi_refuse(ssi, link, reason, ssi_reason_again((u16)reason) ? "" : who);
}

/* A slot may have become another's since this member has read the PDR. */
static bool slots_anew(struct ssi *ssi)
{
    if (!ssi_joined(ssi) || ssi_pdr_begin(ssi, ssi->cfg.pdr_lock_ms, NULL) != ST_OK)
        return false;
    ssi_pdr_end(ssi);
    ssi_slots_sync(ssi);
    return true;
}

static enum wire_reason hello_check_row(struct ssi *ssi, const struct wire_hello *hello)
{
    if (!ssi_joined(ssi) || ssi_pdr_begin(ssi, ssi->cfg.pdr_lock_ms, NULL) != ST_OK)
        return REASON_NOT_JOINED;
    struct pdr_row row = ssi->pdr->rows[hello->slot];
    ssi_pdr_end(ssi);
    u8 state = hello->purpose == PURPOSE_JOIN ? SSI_JOINING : SSI_JOINED;
    if (row.state == SSI_JOINED && row.incarnation != hello->incarnation)
        return REASON_DUPLICATE;
    if (row.state != state || row.incarnation != hello->incarnation ||
        strcmp(row.name, hello->member) != 0 || hello->expected != ssi->incarnation)
        return REASON_STALE;
    return 0;
}

/* Another link to the same member exists. A ready one, or one of an earlier life, is stale: its
 * peer would not call again. Of two attempts, that of the lower slot stays. */
static bool contest_won(struct ssi *ssi, struct ssi_link *link, unsigned slot)
{
    struct ssi_link *old = ssi->members[slot].link;
    if (!old || old == link)
        return true;
    bool attempt = old->state != LINK_READY && old->peer_incarnation == link->peer_incarnation;
    if (attempt && old->initiator && ssi->cfg.slot < slot)
        return false;
    ssi_link_drop(ssi, old, false);
    ssi_member_look(ssi, slot, "it has connected anew");
    return true;
}

static void exchange_start(struct ssi *ssi, struct ssi_link *link)
{
    ssi_link_state(ssi, link, LINK_EXCHANGE);
    for (unsigned i = 0; i < ssi->n_services && link->state == LINK_EXCHANGE; i++) {
        const struct ssi_service *svc = ssi->services[i].svc;
        struct codec_out out;
        if (!svc->export_join)
            continue;
        codec_out_init(&out);
        svc->export_join(ssi->services[i].ctx, &out);
        struct ssi_iov iov = {out.data, out.len};
        if (out.failed || out.len > SSI_PAYLOAD_BYTES_MAX)
            cause_set(&link->veto, ST_LIMIT, "service %s has too much data to exchange",
                      svc->name);
        else if (out.len)
            ssi_link_send(ssi, link, WIRE_DATA, svc->id, 0, &iov, 1);
        codec_out_fini(&out);
    }
    link->vetoed = link->veto.status != ST_OK;
    if (link->state == LINK_EXCHANGE)
        ssi_link_send(ssi, link, WIRE_DATA_END, 0, 0, NULL, 0);
}

/* How many streams the link is to have: as many as both want. */
static void streams_settle(const struct ssi *ssi, struct ssi_link *link,
                           const struct wire_hello *hello)
{
    unsigned n = hello->streams < ssi->cfg.streams ? hello->streams : ssi->cfg.streams;
    link->n_streams = link->version < SSI_WIRE_VERSION_STREAMS ? 0 : (u8)n;
    link->streams_up = link->n_streams == 0;
}

static void hello_accepted(struct ssi *ssi, struct ssi_link *link,
                           const struct wire_hello *hello)
{
    enum wire_reason reason = ssi_hello_check(ssi, link, hello);
    if (reason == REASON_NAME && slots_anew(ssi))
        reason = ssi_hello_check(ssi, link, hello);
    if (!reason)
        reason = hello_check_row(ssi, hello);
    link->peer_incarnation = hello->incarnation;
    link->purpose = hello->purpose;
    if (!reason && !contest_won(ssi, link, hello->slot))
        reason = REASON_CONTEST;
    if (!reason && ssi_link_grow(link) != ST_OK)
        reason = REASON_NOT_JOINED;
    if (reason) {
        ssi_hello_refuse(ssi, link, reason, hello);
        return;
    }
    link->number = hello->link;
    streams_settle(ssi, link, hello);
    link->slot = hello->slot;
    ssi->members[hello->slot].link = link;
    ssi_hello_send(ssi, link);
    if (link->purpose == PURPOSE_JOIN) { /* before data is exchanged: no new allocations */
        ssi_member_look(ssi, hello->slot, "");
        ssi_event(ssi, hello->slot, SSI_EV_HELLO, "");
    }
    if (link->state == LINK_ACCEPTED)
        exchange_start(ssi, link);
}

void ssi_on_HELLO(struct ssi *ssi, struct ssi_link *link, const struct wire_frame *frame)
{
    struct wire_hello hello;
    if (ssi_hello_decode(&hello, frame->payload, frame->length) != ST_OK) {
        ssi_link_fail(ssi, link, ST_PROTO, "its identification is malformed");
        return;
    }
    if (link->state == LINK_ACCEPTED) {
        ssi_link_identify(ssi, link);
        if (hello.purpose == PURPOSE_STREAM)
            ssi_stream_accepted(ssi, link, &hello);
        else
            hello_accepted(ssi, link, &hello);
        return;
    }
    enum wire_reason reason = ssi_hello_check(ssi, link, &hello);
    if (!reason && (hello.slot != link->slot || hello.incarnation != link->peer_incarnation ||
                    hello.expected != ssi->incarnation))
        reason = REASON_STALE;
    if (reason) {
        ssi_link_fail(ssi, link, ssi_reason_again((u16)reason) ? ST_LOST : ST_REFUSED,
                      ssi_reason_text((u16)reason));
    } else if (ssi_link_grow(link) != ST_OK) {
        ssi_link_fail(ssi, link, ST_NOMEM, "out of memory");
    } else if (link->owner) {
        ssi_stream_answered(ssi, link, &hello);
    } else {
        streams_settle(ssi, link, &hello);
        exchange_start(ssi, link);
        ssi_streams_open(ssi, link);
    }
}

void ssi_on_REFUSE(struct ssi *ssi, struct ssi_link *link, const struct wire_frame *frame)
{
    u16 reason = be16_load(frame->payload);
    char text[CAUSE_TEXT_BYTES / 2];
    int n = (int)(frame->length - 2);
    snprintf(text, sizeof text, "%s refuses the connection: %s%s%.*s",
             ssi->members[link->slot].name, ssi_reason_text(reason), n ? " " : "", n,
             frame->payload + 2);
    for (char *p = text; *p; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
    int status = ssi_reason_again(reason) ? ST_LOST : ST_REFUSED;
    if (!ssi_reason_again(reason) && ssi->own_state != SSI_JOINING && ssi_may_complain(ssi))
        ssi_say(ssi, MSG_PLM1706W, link->peer, text);
    ssi_link_fail(ssi, link, status, text);
}

static void check_service(struct ssi *ssi, struct ssi_link *link, unsigned i, const void *data,
                          size_t len)
{
    const struct ssi_service *svc = ssi->services[i].svc;
    struct cause cause = {0};
    if (link->vetoed || !svc->check_join)
        return;
    const char *name = ssi->members[link->slot].name;
    if (svc->check_join(ssi->services[i].ctx, name, data, len, &cause) == ST_OK)
        return;
    link->vetoed = true;
    cause_set(&link->veto, ST_REFUSED, "service %s: %s", svc->name, cause.text);
}

void ssi_on_DATA(struct ssi *ssi, struct ssi_link *link, const struct wire_frame *frame)
{
    u8 id = (u8)frame->service;
    if (frame->service > 255 || (link->data_seen[id / 64] >> (id % 64) & 1)) {
        ssi_link_fail(ssi, link, ST_PROTO, "the data of a service came twice");
        return;
    }
    link->data_seen[id / 64] |= 1ull << (id % 64);
    for (unsigned i = 0; i < ssi->n_services; i++)
        if (ssi->services[i].svc->id == id)
            check_service(ssi, link, i, frame->payload, frame->length);
}

void ssi_link_agree(struct ssi *ssi, struct ssi_link *link)
{
    if (link->state != LINK_EXCHANGE || !link->vote_in || !link->vote_out || !link->streams_up)
        return;
    ssi_link_state(ssi, link, LINK_AGREED);
    if (link->purpose == PURPOSE_HEAL) {
        ssi_link_state(ssi, link, LINK_READY);
        ssi_member_ready(ssi, (unsigned)link->slot);
        ssi_streams_go(ssi, link);
    }
}

/* All streams are there on the side that has opened them, so they are here. */
void ssi_on_STREAMS(struct ssi *ssi, struct ssi_link *link, const struct wire_frame *frame)
{
    (void)frame;
    if (link->initiator) {
        ssi_link_fail(ssi, link, ST_PROTO, "a message came out of turn");
        return;
    }
    for (unsigned i = 0; i < link->n_streams; i++)
        if (!link->streams[i]) {
            ssi_link_fail(ssi, link, ST_PROTO, "a bulk stream is missing");
            return;
        }
    link->streams_up = true;
    ssi_link_agree(ssi, link);
}

void ssi_on_DATA_END(struct ssi *ssi, struct ssi_link *link, const struct wire_frame *frame)
{
    (void)frame;
    for (unsigned i = 0; i < ssi->n_services; i++) {
        u8 id = ssi->services[i].svc->id;
        if (!(link->data_seen[id / 64] >> (id % 64) & 1))
            check_service(ssi, link, i, NULL, 0);
    }
    if (link->state != LINK_EXCHANGE || link->vote_out)
        return;
    u8 yes = !link->vetoed;
    struct ssi_iov iov[2] = {{&yes, 1}, {link->veto.text, strlen(link->veto.text)}};
    ssi_link_send(ssi, link, WIRE_VOTE, 0, 0, iov, yes ? 1 : 2);
    link->vote_out = yes;
    if (yes) {
        ssi_link_agree(ssi, link);
        return;
    }
    if (link->purpose == PURPOSE_JOIN && link->initiator) {
        ssi_link_drop(ssi, link, true);
        ssi_join_link_failed(ssi, ST_REFUSED, link->veto.text);
        return;
    }
    ssi_say(ssi, MSG_PLM1715W, ssi->members[link->slot].name, link->veto.text);
}

void ssi_on_VOTE(struct ssi *ssi, struct ssi_link *link, const struct wire_frame *frame)
{
    if (frame->payload[0] == 1) {
        link->vote_in = true;
        if (link->state == LINK_EXCHANGE)
            ssi_link_agree(ssi, link);
        return;
    }
    char text[CAUSE_TEXT_BYTES / 2];
    snprintf(text, sizeof text, "%s refuses this system: %.*s", ssi->members[link->slot].name,
             (int)frame->length - 1, frame->payload + 1);
    ssi->members[link->slot].next_heal_ms = ssi_now(ssi) + ssi->cfg.handshake_ms;
    ssi_link_fail(ssi, link, ST_REFUSED, text);
}

void ssi_on_JOINED(struct ssi *ssi, struct ssi_link *link, const struct wire_frame *frame)
{
    (void)frame;
    if (link->initiator || link->purpose != PURPOSE_JOIN) {
        ssi_link_fail(ssi, link, ST_PROTO, "a message came out of turn");
        return;
    }
    ssi_link_state(ssi, link, LINK_READY);
    ssi_member_ready(ssi, (unsigned)link->slot);
    ssi_streams_go(ssi, link);
}

void ssi_on_BEAT(struct ssi *ssi, struct ssi_link *link, const struct wire_frame *frame)
{
    ssi->members[link->slot].rx_beat_ms = be64_load(frame->payload);
    if (frame->length < 9 || link->state != LINK_READY)
        return;
    u8 state = frame->payload[8];
    if (state == SSI_SUSPENDED)
        ssi_event(ssi, (unsigned)link->slot, SSI_EV_SAYS_SUSPENDED, "");
    else if (state == SSI_JOINED)
        ssi_event(ssi, (unsigned)link->slot, SSI_EV_SAYS_JOINED, "");
}

void ssi_on_MESSAGE(struct ssi *ssi, struct ssi_link *link, const struct wire_frame *frame)
{
    const char *from = ssi->members[link->slot].name;
    for (unsigned i = 0; i < ssi->n_services; i++)
        if (ssi->services[i].svc->id == frame->service && ssi->services[i].svc->receive)
            ssi->services[i].svc->receive(ssi->services[i].ctx, from, frame->mtype,
                                          frame->payload, frame->length);
}

void ssi_on_LEAVING(struct ssi *ssi, struct ssi_link *link, const struct wire_frame *frame)
{
    (void)frame;
    ssi_event(ssi, (unsigned)link->slot, SSI_EV_SAYS_LEAVING, "");
    if (link->state == LINK_READY)
        ssi_link_send(ssi, link, WIRE_LEAVE_OK, 0, 0, NULL, 0);
}

void ssi_on_LEAVE_OK(struct ssi *ssi, struct ssi_link *link, const struct wire_frame *frame)
{
    (void)frame;
    ssi->leave_ok |= (u8)(1u << link->slot);
}

void ssi_on_LEFT(struct ssi *ssi, struct ssi_link *link, const struct wire_frame *frame)
{
    (void)frame;
    unsigned slot = (unsigned)link->slot;
    ssi_link_drop(ssi, link, true);
    ssi_event(ssi, slot, SSI_EV_SAYS_LEFT, "");
}
