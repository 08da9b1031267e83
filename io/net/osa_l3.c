/* Frames of layer 3: on the network they are Ethernet frames, in the program's buffers packets of
 * IP (or, with the passthru flag, frames), with a header that names the next hop or the sender.
 * Source: Linux, drivers/s390/net/qeth_core.h, qeth_l3_main.c, qeth_core_main.c. */
#include "io/net/osa_internal.h"

#define L3_FLAGS 1
#define L3_VLAN 12
#define L3_NEXT_HOP 16   /* to the network: 16 bytes, IPv4 in the last 4 */
#define L3_SOURCE_MAC 18 /* to the program */
#define L3_TAG 28
#define FLAG_PASSTHRU 0x10
#define FLAG_IPV6 0x80
#define CAST_MASK 0x07
#define CAST_MULTICAST 0x04
#define CAST_BROADCAST 0x05
#define CAST_UNICAST 0x06

#define IP4_HEADER_BYTES 20u
#define IP4_TO 16
#define IP6_HEADER_BYTES 40u
#define IP6_TO 24

u32 osa_packet_at(const u8 *frame, u32 len, u16 *type, u16 *vlan)
{
    *vlan = 0;
    *type = be16_load(frame + ETHER_TYPE_AT);
    if (*type != ETHER_TYPE_VLAN || len < ETHER_HEADER_BYTES + VLAN_TAG_BYTES)
        return ETHER_HEADER_BYTES;
    *vlan = be16_load(frame + ETHER_TYPE_AT + 2);
    *type = be16_load(frame + ETHER_TYPE_AT + 4);
    return ETHER_HEADER_BYTES + VLAN_TAG_BYTES;
}

/* --- to the program -------------------------------------------------------------------------- */

/** The receiver of a packet; false: it is none. */
static bool receiver_of(const u8 *packet, u32 len, u16 type, u8 ip[IP_BYTES])
{
    if (type == ETHER_TYPE_IPV4 && len >= IP4_HEADER_BYTES)
        osa_ip_from4(ip, packet + IP4_TO);
    else if (type == ETHER_TYPE_IPV6 && len >= IP6_HEADER_BYTES)
        memcpy(ip, packet + IP6_TO, IP_BYTES);
    else
        return false;
    return true;
}

/** A packet whose frame is for its station, a group of it or all. */
static bool wants_packet(const struct osa *osa, const u8 *frame, u32 len)
{
    const struct osa_state *s = &osa->s;
    u16 type, vlan;
    u8 ip[IP_BYTES];
    u32 at = osa_packet_at(frame, len, &type, &vlan);
    if (!receiver_of(frame + at, len - at, type, ip))
        return false;
    if (mac_is_broadcast(frame))
        return s->assists[OSA_IPV4] & ASSIST_FILTERING && type == ETHER_TYPE_IPV4;
    if (mac_is_group(frame))
        return osa_ip_find(s->ip_group, s->ip_groups, ip) < s->ip_groups;
    if (memcmp(frame, s->own, MAC_BYTES) != 0)
        return false;
    return s->routes[type == ETHER_TYPE_IPV6 ? OSA_IPV6 : OSA_IPV4] ||
           osa_ip_find(s->ip, s->ips, ip) < s->ips;
}

bool osa_l3_wants_locked(const struct osa *osa, const u8 *frame, u32 len)
{
    return osa->s.promiscuous || wants_packet(osa, frame, len);
}

static u8 cast_of(const u8 *mac)
{
    return mac_is_broadcast(mac) ? CAST_BROADCAST
           : mac_is_group(mac)   ? CAST_MULTICAST
                                 : CAST_UNICAST;
}

/** IPv6 goes as frames when the program asked for that; so does what only one that looks at
 *  everything sees. */
static bool passes_thru(const struct osa *osa, const u8 *frame, u32 len, u16 type)
{
    return (type == ETHER_TYPE_IPV6 && osa->s.assists[OSA_IPV6] & ASSIST_PASSTHRU) ||
           !wants_packet(osa, frame, len);
}

u32 osa_l3_header_locked(const struct osa *osa, const u8 *frame, u32 len, u8 *header)
{
    u16 type, vlan;
    u32 at = osa_packet_at(frame, len, &type, &vlan);
    bool thru = passes_thru(osa, frame, len, type);
    u32 skip = thru ? 0 : at;
    header[0] = HEADER_LAYER3;
    header[L3_FLAGS] = (u8)(cast_of(frame) | (thru ? FLAG_PASSTHRU : 0) |
                            (type == ETHER_TYPE_IPV6 ? FLAG_IPV6 : 0));
    be16_store(header + L3_LENGTH, (u16)(len - skip));
    if (thru)
        return 0; /* a tag stays in the frame */
    if (vlan) {
        header[L3_EXTENDED] |= EXTENDED_VLAN;
        be16_store(header + L3_VLAN, vlan);
    }
    if (osa->s.assists[OSA_IPV4] & ASSIST_SOURCE_MAC) {
        header[L3_EXTENDED] |= EXTENDED_SOURCE;
        memcpy(header + L3_SOURCE_MAC, frame + MAC_BYTES, MAC_BYTES);
    }
    return skip;
}

/* --- to the network -------------------------------------------------------------------------- */

/** The station address of a group or of all; false: one station, which has to be found. */
static bool receiver_mac(u8 cast, const u8 *ip, u8 mac[MAC_BYTES])
{
    static const u8 all[MAC_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    bool v4 = osa_ip_is4(ip);
    if (cast == CAST_BROADCAST || (v4 && be32_load(ip + 12) == 0xffffffff)) {
        memcpy(mac, all, MAC_BYTES);
        return true;
    }
    if (v4 ? (ip[12] & 0xf0) != 0xe0 : ip[0] != 0xff)
        return false;
    const u8 group[MAC_BYTES] = {
        v4 ? 0x01 : 0x33, v4 ? 0 : 0x33, v4 ? 0x5e : ip[12], v4 ? ip[13] & 0x7f : ip[13],
        ip[14],           ip[15]};
    memcpy(mac, group, MAC_BYTES);
    return true;
}

/** Where the frame of a packet begins; returns its length without the packet. */
static u32 frame_begin(const struct osa *osa, const u8 *header, u8 *frame)
{
    u32 at = ETHER_HEADER_BYTES;
    memset(frame, 0, MAC_BYTES);
    memcpy(frame + MAC_BYTES, osa->s.own, MAC_BYTES);
    if (header[L3_EXTENDED] & (EXTENDED_VLAN | EXTENDED_TAG)) {
        be16_store(frame + ETHER_TYPE_AT, ETHER_TYPE_VLAN);
        memcpy(frame + ETHER_TYPE_AT + 2, header + L3_VLAN, 2);
        at += VLAN_TAG_BYTES;
    }
    be16_store(frame + at - 2,
               header[L3_FLAGS] & FLAG_IPV6 ? ETHER_TYPE_IPV6 : ETHER_TYPE_IPV4);
    return at;
}

/** Find the receiver. False: the frame waits for it, if it can (one that is to be cut is lost), or
 *  nobody is told of. */
static bool find_receiver(struct osa *osa, const u8 *header, u8 *frame, u32 len)
{
    u8 ip[IP_BYTES];
    struct osa_frames out;
    if (header[L3_FLAGS] & FLAG_IPV6)
        memcpy(ip, header + L3_NEXT_HOP, IP_BYTES);
    else
        osa_ip_from4(ip, header + L3_NEXT_HOP + 12);
    if (receiver_mac(header[L3_FLAGS] & CAST_MASK, ip, frame))
        return true;
    osa_frames_init(&out);
    lock_take(&osa->lock);
    bool found = osa_near_resolve_locked(osa, frame, len, ip, header[0] == HEADER_LAYER3, &out);
    lock_drop(&osa->lock);
    osa_frames_send(osa, &out);
    return found;
}

bool osa_l3_send(struct osa *osa, struct lan_port *port, const u8 *header, u32 bytes)
{
    bool tso = header[0] == HEADER_LAYER3_TSO;
    u32 skip = tso ? HEADER_TSO_BYTES : HEADER_BYTES, len = be16_load(header + L3_LENGTH);
    bool thru = header[L3_FLAGS] & FLAG_PASSTHRU;
    u32 at = thru ? 0 : frame_begin(osa, header, osa->frame);
    if (len > bytes - skip || len < (thru ? ETHER_HEADER_BYTES : IP4_HEADER_BYTES) ||
        at + len > (tso ? LAN_FRAME_MAX : osa_frame_max(osa)))
        return false;
    u8 *frame = osa->frame;
    memcpy(frame + at, header + skip, len);
    len += at;
    if (!tso)
        osa_checksum_set(frame, len,
                         header[L3_EXTENDED] & (EXTENDED_SUM_IP | EXTENDED_SUM_TRANSPORT));
    if (!thru && !find_receiver(osa, header, frame, len))
        return true;
    if (tso)
        return osa_segment(port, frame, len, be16_load(header + TSO_SEGMENT));
    lan_send(port, frame, len);
    return true;
}
