/* What of an OSA adapter moves: its rows, those of its queues, answers not read yet, frames that
 * wait for a buffer. All of it goes with the data device. The adapter that goes on, here or there,
 * takes the addresses when it is resumed, and tells the network where they are now. */
#include <stdlib.h>

#include "io/io_state.h"
#include "io/net/osa_internal.h"

#define RARP_REQUEST 3

void osa_save(void *arg, struct codec_out *out)
{
    struct osa *osa = ((struct osa_dev *)arg)->osa;
    lock_take(&osa->lock);
    io_rows_put(out, &osa_rows, &osa->s);
    codec_begin(out, IO_TAG_QUEUES, 1);
    io_rows_put(out, &qdio_rows, &osa->q.s);
    codec_end(out);
    for (unsigned i = 0; i < ARRAY_LEN(osa->idx); i++)
        if (osa->idx[i])
            codec_put_bytes(out, (u16)(IO_TAG_IDX + i), osa->idx[i]->bytes, osa->idx[i]->len);
    for (unsigned i = 0; i < osa->replies; i++)
        codec_put_bytes(out, IO_TAG_REPLY, osa->reply[i]->bytes, osa->reply[i]->len);
    for (const struct osa_frame *f = osa->backlog.first; f; f = f->next)
        codec_put_bytes(out, IO_TAG_FRAME, f->bytes, f->len);
    lock_drop(&osa->lock);
}

/** What is read of a block before any of it counts. */
struct osa_in {
    struct osa_state s;
    struct qdio_state q;
    u64 seen, queues_seen;
};

static bool read_queues(const struct codec_row *block, struct osa_in *in)
{
    struct codec_in queues;
    struct codec_row row;
    if (in->queues_seen || !codec_open(block, &queues) || queues.version != 1)
        return false;
    while (codec_next(&queues, &row))
        if (!io_rows_get(&row, &qdio_rows, &in->q, &in->queues_seen))
            return false;
    return !queues.failed;
}

static struct osa_reply *reply_of(const struct codec_row *row)
{
    struct osa_reply *r = row->len <= OSA_MESSAGE_MAX ? calloc(1, sizeof *r) : NULL;
    if (r) {
        r->len = (u32)row->len;
        memcpy(r->bytes, row->p, row->len);
    }
    return r;
}

static bool read_reply(struct osa *osa, const struct codec_row *row)
{
    unsigned role = row->tag - (unsigned)IO_TAG_IDX;
    struct osa_reply *r = reply_of(row);
    bool room = row->tag == IO_TAG_REPLY ? osa->replies < OSA_REPLIES_MAX
                                         : role < ARRAY_LEN(osa->idx) && !osa->idx[role];
    if (!r || !room) {
        free(r);
        return false;
    }
    if (row->tag == IO_TAG_REPLY)
        osa->reply[osa->replies++] = r;
    else
        osa->idx[role] = r;
    return true;
}

static bool state_valid(const struct osa_in *in)
{
    return in->s.groups <= OSA_GROUPS_MAX && in->s.macs <= OSA_MACS_MAX &&
           in->s.layer <= OSA_LAYER3 && in->s.lan <= 1 && in->s.promiscuous <= 1 &&
           in->s.ips <= OSA_IPS_MAX && in->s.ip_groups <= OSA_IP_GROUPS_MAX &&
           osa_vnicc_valid(&in->s) && in->s.layer2[OSA_L2_BRIDGE] <= LAN_BRIDGE_SECONDARY &&
           in->s.layer2[OSA_L2_TRAP] <= 1 && in->s.nears <= OSA_NEIGHBOURS_MAX &&
           in->s.isolation <= LAN_ISOLATED && qdio_state_valid(&in->q);
}

static int restore_locked(struct osa *osa, struct codec_in *block, struct cause *cause)
{
    struct osa_in in = {0};
    struct codec_row row;
    bool ok = true;
    osa_session_end_locked(osa);
    osa_backlog_drop_locked(osa);
    while (ok && codec_next(block, &row)) {
        if (row.tag == IO_TAG_QUEUES)
            ok = read_queues(&row, &in);
        else if (row.tag == IO_TAG_FRAME)
            ok = row.len >= ETHER_HEADER_BYTES && row.len <= UINT16_MAX &&
                 osa_backlog_add_locked(osa, row.p, (u32)row.len);
        else if (row.tag >= IO_TAG_IDX && row.tag <= IO_TAG_REPLY)
            ok = read_reply(osa, &row);
        else
            ok = io_rows_get(&row, &osa_rows, &in.s, &in.seen);
    }
    if (!ok || block->failed || !io_rows_complete(&osa_rows, in.seen) ||
        !io_rows_complete(&qdio_rows, in.queues_seen) || !state_valid(&in))
        return cause_set(cause, ST_PROTO, "device %04X: broken state of a network adapter",
                         osa->config.devno);
    osa->s = in.s;
    osa->q.s = in.q;
    osa->moved = true;
    return ST_OK;
}

int osa_restore(void *arg, struct codec_in *in, struct cause *cause)
{
    struct osa *osa = ((struct osa_dev *)arg)->osa;
    lock_take(&osa->lock);
    int rc = restore_locked(osa, in, cause);
    lock_drop(&osa->lock);
    return rc;
}

/** A reverse ARP request: whoever learns where addresses are learns it from its sender. Layout:
 *  RFC 903. */
static void announce(struct lan_port *port, const u8 *mac)
{
    u8 frame[60] = {0}, *arp = frame + ETHER_HEADER_BYTES;
    memset(frame, 0xff, MAC_BYTES);
    memcpy(frame + MAC_BYTES, mac, MAC_BYTES);
    be16_store(frame + 12, ETHER_TYPE_RARP);
    be16_store(arp, 1);
    be16_store(arp + 2, 0x0800);
    arp[4] = MAC_BYTES;
    arp[5] = 4;
    be16_store(arp + 6, RARP_REQUEST);
    memcpy(arp + 8, mac, MAC_BYTES);
    memcpy(arp + 18, mac, MAC_BYTES);
    lan_send(port, frame, sizeof frame);
}

void osa_take_addresses(struct osa *osa)
{
    u8 mac[OSA_MACS_MAX][MAC_BYTES];
    lock_take(&osa->lock);
    unsigned n = osa->s.macs;
    bool moved = osa->moved, told = false;
    struct lan_port *port = osa_port_use_locked(osa);
    osa->moved = false;
    memcpy(mac, osa->s.mac, sizeof mac);
    struct osa_frames out;
    osa_frames_init(&out);
    if (port) {
        lan_port_promiscuous(port, osa->s.promiscuous);
        lan_port_isolate(port, osa->s.isolation);
        osa_vnicc_apply_locked(osa);
        /* Another one that is primary there stays so: then this one is none, and told. */
        if (lan_port_bridge(port, osa->s.layer2[OSA_L2_BRIDGE]) != ST_OK) {
            osa->s.layer2[OSA_L2_BRIDGE] = LAN_BRIDGE_NONE;
            told = osa_bridge_event_locked(osa);
        }
    }
    for (unsigned i = 0; moved && i < osa->s.ips; i++)
        if (!(osa->s.ip_flags[i] & IP_FLAG_VIRTUAL))
            osa_near_announce_locked(osa, osa->s.ip[i], &out);
    lock_drop(&osa->lock);
    for (unsigned i = 0; port && i < n; i++) {
        /* Without memory, or when another adapter has it: frames for it go elsewhere. */
        int rc = moved ? lan_mac_take(port, mac[i]) : lan_mac_add(port, mac[i]);
        if (rc == ST_OK && moved)
            announce(port, mac[i]);
    }
    osa_frames_send(osa, &out);
    if (told)
        css_device_ready(osa->css, osa_read_schid(osa));
    osa_bridge_tell(osa);
    lock_take(&osa->lock);
    if (port)
        osa_port_done_locked(osa);
    lock_drop(&osa->lock);
}
