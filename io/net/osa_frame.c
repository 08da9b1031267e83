/* Frames between the queues of an OSA adapter and its network. Each frame in a buffer has a header
 * of 32 bytes before it. Output: a processor thread that signals takes buffer after buffer, copies
 * it and hands its frames to the network, with no lock held; a second one that signals meanwhile
 * leaves its work to the first. Input: on the thread of the sender, into the program's buffers. */
#include <stdlib.h>

#include "io/net/osa_internal.h"

#define HEADER_BYTES 32u
#define HEADER_LAYER2 0x02
#define L2_FLAGS 3
#define L2_HEADER_LENGTH 5
#define L2_LENGTH 6
#define L2_MULTICAST 0x01
#define L2_BROADCAST 0x02
#define L2_UNICAST 0x03
#define REASON_FORMAT 0x02 /* ours: no frame of the program's layer */

enum osa_sending { SENDING_NOT, SENDING, SENDING_AGAIN };

bool osa_wants_locked(const struct osa *osa, const u8 mac[MAC_BYTES])
{
    const struct osa_state *s = &osa->s;
    if (s->promiscuous || mac_is_broadcast(mac))
        return true;
    const u8(*table)[MAC_BYTES] = mac_is_group(mac) ? s->group : s->mac;
    unsigned n = mac_is_group(mac) ? s->groups : s->macs;
    for (unsigned i = 0; i < n; i++)
        if (!memcmp(table[i], mac, MAC_BYTES))
            return true;
    return false;
}

/* --- to the program -------------------------------------------------------------------------- */

static enum qdio_put put_frame(struct osa *osa, const u8 *frame, u32 len)
{
    u8 header[HEADER_BYTES] = {HEADER_LAYER2};
    header[L2_FLAGS] = mac_is_broadcast(frame) ? L2_BROADCAST
                       : mac_is_group(frame)   ? L2_MULTICAST
                                               : L2_UNICAST;
    header[L2_HEADER_LENGTH] = ETHER_HEADER_BYTES;
    be16_store(header + L2_LENGTH, (u16)len);
    const struct qdio_piece piece[] = {{header, sizeof header}, {frame, len}};
    enum qdio_put put = qdio_put(&osa->q, 0, piece, ARRAY_LEN(piece));
    return put;
}

void osa_backlog_drop_locked(struct osa *osa)
{
    while (osa->backlog) {
        struct osa_frame *f = osa->backlog;
        osa->backlog = f->next;
        free(f);
    }
    osa->backlog_end = &osa->backlog;
    osa->backlog_frames = osa->backlog_bytes = 0;
}

bool osa_backlog_add_locked(struct osa *osa, const u8 *frame, u32 len)
{
    if (osa->backlog_frames == OSA_BACKLOG_FRAMES ||
        osa->backlog_bytes + len > OSA_BACKLOG_BYTES)
        return false;
    struct osa_frame *f = malloc(sizeof *f + len);
    if (!f)
        return false;
    f->next = NULL;
    f->len = len;
    memcpy(f->bytes, frame, len);
    *osa->backlog_end = f;
    osa->backlog_end = &f->next;
    osa->backlog_frames++;
    osa->backlog_bytes += len;
    return true;
}

bool osa_flush_locked(struct osa *osa)
{
    bool any = false;
    while (osa->backlog && !osa->held) {
        struct osa_frame *f = osa->backlog;
        enum qdio_put put = put_frame(osa, f->bytes, f->len);
        if (put == QDIO_FULL)
            break;
        any = true;
        osa->no_buffer += put == QDIO_MISFIT;
        osa->backlog = f->next;
        if (!osa->backlog)
            osa->backlog_end = &osa->backlog;
        osa->backlog_frames--;
        osa->backlog_bytes -= f->len;
        free(f);
    }
    return any && qdio_indicate(&osa->q);
}

/** Into a buffer now, or kept until the program gives one. */
static bool accept_locked(struct osa *osa, const u8 *frame, u32 len, bool *interrupt)
{
    *interrupt = osa_flush_locked(osa);
    enum qdio_put put = QDIO_FULL;
    if (!osa->held && !osa->backlog)
        put = put_frame(osa, frame, len);
    if (put != QDIO_FULL)
        *interrupt |= qdio_indicate(&osa->q);
    bool taken =
        put == QDIO_PUT || (put == QDIO_FULL && osa_backlog_add_locked(osa, frame, len));
    osa->no_buffer += !taken;
    return taken;
}

static bool deliver(void *arg, const u8 *frame, size_t len)
{
    struct osa *osa = arg;
    bool interrupt = false, taken = false;
    lock_take(&osa->lock);
    bool up = osa->s.lan && osa->q.s.phase == QDIO_ACTIVE && osa->s.layer == OSA_LAYER2;
    u8 isc = osa->q.s.isc;
    if (!up || !osa_wants_locked(osa, frame) || len > UINT16_MAX)
        osa->filtered++;
    else
        taken = accept_locked(osa, frame, (u32)len, &interrupt);
    lock_drop(&osa->lock);
    if (interrupt)
        css_adapter_interruption(osa->css, isc);
    return taken;
}

const struct lan_port_ops osa_port_ops = {.deliver = deliver};

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

/** Send the frames of a buffer: each begins with an element, and its header says how long it is.
 *  False: something in it is none. */
static bool send_frames(struct lan_port *port, const struct qdio_buffer *b)
{
    u32 end = b->at[b->elements];
    for (u32 i = 0, at = 0; at < end;) {
        const u8 *header = b->data + at;
        if (end - at < HEADER_BYTES || header[0] != HEADER_LAYER2)
            return false;
        u32 len = be16_load(header + L2_LENGTH);
        if (len < ETHER_HEADER_BYTES || len > end - at - HEADER_BYTES)
            return false;
        lan_send(port, header + HEADER_BYTES, len);
        at += HEADER_BYTES + len;
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
        bool up = osa->s.lan && osa->s.layer == OSA_LAYER2;
        struct lan_port *port = up && taken == QDIO_TAKEN ? osa_port_use_locked(osa) : NULL;
        lock_drop(&osa->lock);
        if (taken == QDIO_EMPTY)
            return true;
        if (taken == QDIO_BAD) {
            osa->bad_output++;
            *interrupt = true;
            continue;
        }
        bool good = !port || send_frames(port, &b); /* without a LAN they are lost */
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
