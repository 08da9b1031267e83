/* Frames between the queues of an OSA adapter and its network. Each frame in a buffer has a header
 * of 32 bytes before it. Output: a processor thread that signals takes buffer after buffer, copies
 * it and hands its frames to the network, with no lock held; a second one that signals meanwhile
 * leaves its work to the first. Input: on the thread of the sender, into the program's buffers. */
#include <stdlib.h>

#include "io/net/osa_internal.h"

#define L2_FLAGS 3
#define L2_HEADER_LENGTH 5
#define L2_LENGTH 6
#define L2_MULTICAST 0x01
#define L2_BROADCAST 0x02
#define L2_UNICAST 0x04
#define REASON_FORMAT 0x02 /* ours: no frame of the program's layer */

enum osa_sending { SENDING_NOT, SENDING, SENDING_AGAIN };

/** Is the network the judge of which frames to single stations it gets? */
static bool gets_strangers(const struct osa *osa)
{
    return osa_vnicc(osa) & (VNICC_FLOODING | VNICC_LEARNING) ||
           osa->s.layer2[OSA_L2_BRIDGE] != LAN_BRIDGE_NONE;
}

bool osa_wants_locked(const struct osa *osa, const u8 mac[MAC_BYTES])
{
    const struct osa_state *s = &osa->s;
    if (s->promiscuous)
        return true;
    if (mac_is_broadcast(mac))
        return osa_vnicc(osa) & VNICC_RX_BCAST;
    if (mac_is_group(mac) ? osa_vnicc(osa) & VNICC_MCAST_FLOODING : gets_strangers(osa))
        return true;
    const u8(*table)[MAC_BYTES] = mac_is_group(mac) ? s->group : s->mac;
    unsigned n = mac_is_group(mac) ? s->groups : s->macs;
    for (unsigned i = 0; i < n; i++)
        if (!memcmp(table[i], mac, MAC_BYTES))
            return true;
    return false;
}

/** A frame with a tag is for programs that have named its VLAN, or have others behind them. */
static bool vlan_wanted(const struct osa *osa, const u8 *frame, u32 len)
{
    u16 type, tag;
    osa_packet_at(frame, len, &type, &tag);
    u16 id = tag & 0xfff;
    return !id || osa->s.promiscuous || gets_strangers(osa) ||
           osa->s.vlan[id / 8] & 0x80 >> id % 8;
}

/* --- lists ----------------------------------------------------------------------------------- */

void osa_frames_init(struct osa_frames *list)
{
    *list = (struct osa_frames){.end = &list->first};
}

struct osa_frame *osa_frames_add(struct osa_frames *list, const u8 *frame, u32 len)
{
    struct osa_frame *f = malloc(sizeof *f + len);
    if (!f)
        return NULL;
    *f = (struct osa_frame){.len = len};
    memcpy(f->bytes, frame, len);
    *list->end = f;
    list->end = &f->next;
    list->count++;
    list->bytes += len;
    return f;
}

struct osa_frame *osa_frames_take(struct osa_frames *list)
{
    struct osa_frame *f = list->first;
    if (!f)
        return NULL;
    list->first = f->next;
    if (!list->first)
        list->end = &list->first;
    list->count--;
    list->bytes -= f->len;
    return f;
}

void osa_frames_drop(struct osa_frames *list)
{
    for (struct osa_frame *f; (f = osa_frames_take(list)) != NULL;)
        free(f);
}

void osa_frames_send(struct osa *osa, struct osa_frames *list)
{
    if (!list->first)
        return;
    lock_take(&osa->lock);
    struct lan_port *port = osa_port_use_locked(osa);
    lock_drop(&osa->lock);
    for (struct osa_frame *f; (f = osa_frames_take(list)) != NULL; free(f))
        if (port)
            lan_send(port, f->bytes, f->len);
    lock_take(&osa->lock);
    if (port)
        osa_port_done_locked(osa);
    lock_drop(&osa->lock);
}

/* --- to the program -------------------------------------------------------------------------- */

static u32 layer2_header(const struct osa *osa, const u8 *frame, u32 len, u8 *header)
{
    (void)osa;
    header[0] = HEADER_LAYER2;
    header[L2_FLAGS] = mac_is_broadcast(frame) ? L2_BROADCAST
                       : mac_is_group(frame)   ? L2_MULTICAST
                                               : L2_UNICAST;
    header[L2_HEADER_LENGTH] = ETHER_HEADER_BYTES;
    be16_store(header + L2_LENGTH, (u16)len);
    return 0;
}

/** What the program is told of checksums, if it asked. */
static u8 checksums(const struct osa *osa, const u8 *frame, u32 len)
{
    u16 type, vlan;
    osa_packet_at(frame, len, &type, &vlan);
    bool wanted = type == ETHER_TYPE_IPV4 ? osa->s.assists[OSA_IPV4] & ASSIST_IN_CHECKSUM
                                          : osa->s.assists[OSA_IPV6] & ASSIST_IN_CHECKSUM_V6;
    return wanted ? osa_checksum_right(frame, len) : 0;
}

static enum qdio_put put_frame(struct osa *osa, const u8 *frame, u32 len)
{
    u8 header[HEADER_BYTES] = {0}, sums = checksums(osa, frame, len);
    bool l3 = osa->s.layer == OSA_LAYER3;
    u32 skip = l3 ? osa_l3_header_locked(osa, frame, len, header)
                  : layer2_header(osa, frame, len, header);
    header[l3 ? L3_EXTENDED : L2_EXTENDED] |= sums;
    const struct qdio_piece piece[] = {{header, sizeof header}, {frame + skip, len - skip}};
    return qdio_put(&osa->q, 0, piece, ARRAY_LEN(piece));
}

void osa_backlog_drop_locked(struct osa *osa)
{
    osa_frames_drop(&osa->backlog);
}

bool osa_backlog_add_locked(struct osa *osa, const u8 *frame, u32 len)
{
    return osa->backlog.count < OSA_BACKLOG_FRAMES &&
           osa->backlog.bytes + len <= OSA_BACKLOG_BYTES &&
           osa_frames_add(&osa->backlog, frame, len);
}

bool osa_flush_locked(struct osa *osa)
{
    bool any = false;
    while (osa->backlog.first && !osa->held) {
        struct osa_frame *f = osa->backlog.first;
        enum qdio_put put = put_frame(osa, f->bytes, f->len);
        if (put == QDIO_FULL)
            break;
        any = true;
        osa->no_buffer += put == QDIO_MISFIT;
        free(osa_frames_take(&osa->backlog));
    }
    return any && qdio_indicate(&osa->q);
}

/** Into a buffer now, or kept until the program gives one. */
static bool accept_locked(struct osa *osa, const u8 *frame, u32 len, bool *interrupt)
{
    *interrupt = osa_flush_locked(osa);
    enum qdio_put put = QDIO_FULL;
    if (!osa->held && !osa->backlog.first)
        put = put_frame(osa, frame, len);
    if (put != QDIO_FULL)
        *interrupt |= qdio_indicate(&osa->q);
    bool taken =
        put == QDIO_PUT || (put == QDIO_FULL && osa_backlog_add_locked(osa, frame, len));
    osa->no_buffer += !taken;
    return taken;
}

/** A frame for the program; in layer 3 some are the adapter's own affair, and `out` is sent. */
static bool take_locked(struct osa *osa, const u8 *frame, u32 len, bool *interrupt,
                        struct osa_frames *out)
{
    bool l3 = osa->s.layer == OSA_LAYER3;
    if (!osa->s.lan || osa->q.s.phase != QDIO_ACTIVE || len > UINT16_MAX) {
        osa->filtered++;
        return false;
    }
    if (l3 && osa_near_input_locked(osa, frame, len, out) && !osa->s.promiscuous)
        return true;
    if (l3 ? osa_l3_wants_locked(osa, frame, len)
           : osa_wants_locked(osa, frame) && vlan_wanted(osa, frame, len))
        return accept_locked(osa, frame, len, interrupt);
    osa->filtered++;
    return false;
}

static bool deliver(void *arg, const u8 *frame, size_t len)
{
    struct osa *osa = arg;
    struct osa_frames out;
    bool interrupt = false;
    osa_frames_init(&out);
    lock_take(&osa->lock);
    u8 isc = osa->q.s.isc;
    bool taken = take_locked(osa, frame, (u32)len, &interrupt, &out);
    lock_drop(&osa->lock);
    osa_frames_send(osa, &out);
    if (interrupt)
        css_adapter_interruption(osa->css, isc);
    return taken;
}

static void bridge_changed(void *arg)
{
    struct osa *osa = arg;
    lock_take(&osa->lock);
    bool told = osa_bridge_event_locked(osa);
    lock_drop(&osa->lock);
    if (told)
        css_device_ready(osa->css, osa_read_schid(osa));
}

const struct lan_port_ops osa_port_ops = {.deliver = deliver, .bridge_changed = bridge_changed};

void osa_bridge_tell(struct osa *osa)
{
    lock_take(&osa->lock);
    struct lan_port *port = osa_port_use_locked(osa);
    lock_drop(&osa->lock);
    if (!port)
        return;
    lan_port_bridge_tell(port);
    lock_take(&osa->lock);
    osa_port_done_locked(osa);
    lock_drop(&osa->lock);
}

struct lan_port *osa_port_use_locked(struct osa *osa)
{
    osa->port_users += osa->port != NULL;
    return osa->port;
}

void osa_port_done_locked(struct osa *osa)
{
    if (--osa->port_users == 0)
        pthread_cond_broadcast(&osa->unused);
}

/* --- from the program ------------------------------------------------------------------------ */

/** Bytes of the header before a frame; 0: none of the program's layer. */
static u32 header_bytes(const struct osa *osa, u8 id)
{
    bool l3 = osa->s.layer == OSA_LAYER3;
    if (id == (l3 ? HEADER_LAYER3 : HEADER_LAYER2))
        return HEADER_BYTES;
    return id == (l3 ? HEADER_LAYER3_TSO : HEADER_LAYER2_TSO) ? HEADER_TSO_BYTES : 0;
}

static void send_layer2(struct osa *osa, struct lan_port *port, const u8 *header,
                        const u8 *frame, u32 len)
{
    u8 sums = header[L2_EXTENDED] & (EXTENDED_SUM_IP | EXTENDED_SUM_TRANSPORT);
    if (header[0] == HEADER_LAYER2_TSO) {
        osa->bad_output += !osa_segment(port, frame, len, be16_load(header + TSO_SEGMENT));
    } else if (!sums) {
        lan_send(port, frame, len);
    } else {
        memcpy(osa->frame, frame, len);
        osa_checksum_set(osa->frame, len, sums);
        lan_send(port, osa->frame, len);
    }
}

/** Send a frame with its header; returns the bytes of both, 0: it is none. */
static u32 send_frame(struct osa *osa, struct lan_port *port, const u8 *header, u32 room)
{
    u32 before = room < HEADER_BYTES ? 0 : header_bytes(osa, header[0]);
    if (!before || room < before)
        return 0;
    if (osa->s.layer == OSA_LAYER3)
        return osa_l3_send(osa, port, header, room) ? before + be16_load(header + L3_LENGTH)
                                                    : 0;
    u32 len = be16_load(header + L2_LENGTH);
    if (len < ETHER_HEADER_BYTES || len > room - before || len > osa_frame_max(osa))
        return 0;
    send_layer2(osa, port, header, header + before, len);
    return before + len;
}

/** Send the frames of a buffer: each begins with an element, and its header says how long it is.
 *  False: something in it is none. */
static bool send_frames(struct osa *osa, struct lan_port *port, const struct qdio_buffer *b)
{
    u32 end = b->at[b->elements];
    for (u32 i = 0, at = 0; at < end;) {
        u32 bytes = send_frame(osa, port, b->data + at, end - at);
        if (!bytes)
            return false;
        at += bytes;
        while (i < b->elements && b->at[i] < at)
            i++;
        at = b->at[i];
    }
    return true;
}

/** Send what is in one queue; `interrupt`: the program is to hear of a buffer of it. False: it was
 *  given more than a queue has meanwhile, and there may be more. */
static bool send_queue(struct osa *osa, unsigned queue, bool *interrupt)
{
    struct qdio_buffer b = {.data = osa->out, .room = OSA_BUFFER_ROOM};
    for (unsigned i = 0; i < QDIO_BUFFERS; i++) {
        lock_take(&osa->lock);
        enum qdio_taken taken = qdio_take(&osa->q, queue, &b);
        bool up = osa->s.lan && osa->s.layer != OSA_LAYER_NONE;
        struct lan_port *port = up && taken == QDIO_TAKEN ? osa_port_use_locked(osa) : NULL;
        lock_drop(&osa->lock);
        if (taken == QDIO_EMPTY)
            return true;
        if (taken == QDIO_BAD) {
            osa->bad_output++;
            *interrupt = true;
            continue;
        }
        bool good = !port || send_frames(osa, port, &b); /* without a LAN they are lost */
        osa->bad_output += !good;
        *interrupt |= b.interrupt || !good;
        lock_take(&osa->lock);
        if (port)
            osa_port_done_locked(osa);
        qdio_give(&osa->q, queue, &b, good ? 0 : REASON_FORMAT);
        lock_drop(&osa->lock);
    }
    return false;
}

/** Returns the queues that may have more. */
static u32 send_queues(struct osa *osa, u32 queues)
{
    bool interrupt = false;
    u32 more = 0;
    for (unsigned i = 0; i < OSA_OUTPUTS; i++)
        if (queues & 0x80000000u >> i && !send_queue(osa, i, &interrupt))
            more |= 0x80000000u >> i;
    if (!interrupt)
        return more;
    lock_take(&osa->lock);
    u8 isc = osa->q.s.isc;
    bool due = !osa->held && qdio_indicate(&osa->q);
    lock_drop(&osa->lock);
    if (due)
        css_adapter_interruption(osa->css, isc);
    return more;
}

void osa_send(struct osa *osa, u32 queues)
{
    u32 was = SENDING_NOT;
    while (!atomic_compare_exchange_weak(&osa->sending, &was,
                                         was == SENDING_NOT ? SENDING : SENDING_AGAIN))
        ;
    if (was != SENDING_NOT)
        return; /* whoever is at it looks again, at all queues */
    for (;;) {
        u32 more = send_queues(osa, queues), now = SENDING;
        /* A program does not signal for a buffer behind one that has not been taken yet. */
        if (!more && atomic_compare_exchange_strong(&osa->sending, &now, SENDING_NOT))
            return;
        if (atomic_exchange(&osa->sending, SENDING) == SENDING_AGAIN)
            more = ~0u;
        queues = more;
    }
}
