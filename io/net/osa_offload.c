/* What an adapter computes for its program: checksums of IP, TCP and UDP both ways, and the cutting
 * of large TCP segments. Functions of bytes only; what a packet says of its lengths is checked.
 * Source: RFC 1071, RFC 9293; Linux, drivers/s390/net (which fields it leaves to the adapter). */
#include "io/net/osa_internal.h"

#define IP4_HEADER_LEAST 20u
#define IP4_LENGTH 2
#define IP4_IDENTIFIER 4
#define IP4_FRAGMENT 6
#define IP4_PROTOCOL 9
#define IP4_SUM 10
#define IP4_ADDRESSES 12
#define IP6_HEADER_BYTES 40u
#define IP6_LENGTH 4
#define IP6_NEXT 6
#define IP6_ADDRESSES 8
#define TCP 6
#define UDP 17
#define ICMP6 58
#define TCP_HEADER_LEAST 20u
#define TCP_SEQUENCE 4
#define TCP_OFFSET 12
#define TCP_FLAGS 13
#define TCP_SUM 16
#define UDP_SUM 6
#define ICMP6_SUM 2
#define TCP_FIN_PUSH 0x09
#define TCP_REDUCED 0x80 /* congestion window: only in the first segment */

/** Where the parts of a packet are. */
struct packet {
    u8 *ip, *transport;
    u32 ip_bytes;        /* header and all */
    u32 transport_bytes; /* header and payload */
    bool v4;
    bool whole; /* not a fragment */
    u8 protocol;
    u32 sum_at; /* of the transport's checksum; 0: none that we know */
};

static u32 sum_of(const u8 *p, u32 len, u64 sum)
{
    for (; len >= 4; p += 4, len -= 4)
        sum += be32_load(p);
    if (len >= 2) {
        sum += (u32)be16_load(p) << 16;
        p += 2;
        len -= 2;
        if (len)
            sum += (u32)p[0] << 8;
    } else if (len) {
        sum += (u32)p[0] << 24;
    }
    while (sum >> 32)
        sum = (sum & 0xffffffff) + (sum >> 32);
    return (u32)sum;
}

static u16 fold(u32 sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (u16)~sum;
}

static u32 sum_place(u8 protocol, u32 bytes)
{
    if (protocol == TCP && bytes >= TCP_HEADER_LEAST)
        return TCP_SUM;
    if (protocol == UDP && bytes >= 8)
        return UDP_SUM;
    return protocol == ICMP6 && bytes >= 4 ? ICMP6_SUM : 0;
}

/** `left` bytes from p->ip on. A program that leaves lengths to us has zeros there: all of it. */
static bool packet_parse4(struct packet *p, u32 left)
{
    u32 header = (p->ip[0] & 15) * 4u, len = be16_load(p->ip + IP4_LENGTH);
    if (p->ip[0] >> 4 != 4 || header < IP4_HEADER_LEAST || header > left)
        return false;
    if (!len || len > left)
        len = left;
    if (len < header)
        return false;
    p->ip_bytes = len;
    p->transport = p->ip + header;
    p->transport_bytes = len - header;
    p->protocol = p->ip[IP4_PROTOCOL];
    p->whole = !(be16_load(p->ip + IP4_FRAGMENT) & 0x3fff);
    return true;
}

static bool packet_parse6(struct packet *p, u32 left)
{
    u32 len = left < IP6_HEADER_BYTES ? 0 : be16_load(p->ip + IP6_LENGTH) + IP6_HEADER_BYTES;
    if (left < IP6_HEADER_BYTES || p->ip[0] >> 4 != 6)
        return false;
    if (len == IP6_HEADER_BYTES || len > left)
        len = left;
    p->ip_bytes = len;
    p->transport = p->ip + IP6_HEADER_BYTES;
    p->transport_bytes = len - IP6_HEADER_BYTES;
    p->protocol = p->ip[IP6_NEXT]; /* extension headers: nothing is known of what is behind */
    p->whole = true;
    return true;
}

static bool packet_parse(u8 *frame, u32 len, struct packet *p)
{
    u16 type, vlan;
    u32 at = osa_packet_at(frame, len, &type, &vlan);
    *p = (struct packet){.ip = frame + at, .v4 = type == ETHER_TYPE_IPV4};
    if (len - at < IP4_HEADER_LEAST || (!p->v4 && type != ETHER_TYPE_IPV6) ||
        !(p->v4 ? packet_parse4(p, len - at) : packet_parse6(p, len - at)))
        return false;
    p->sum_at = p->whole ? sum_place(p->protocol, p->transport_bytes) : 0;
    return true;
}

/** The sum over a transport's bytes and what is taken from the header before it. */
static u16 transport_sum(const struct packet *p)
{
    u64 sum = p->protocol + (u64)p->transport_bytes;
    sum = sum_of(p->ip + (p->v4 ? IP4_ADDRESSES : IP6_ADDRESSES), p->v4 ? 8 : 32, sum);
    return fold(sum_of(p->transport, p->transport_bytes, sum));
}

static void transport_sum_set(const struct packet *p)
{
    be16_store(p->transport + p->sum_at, 0);
    u16 sum = transport_sum(p);
    be16_store(p->transport + p->sum_at, sum || p->protocol == TCP ? sum : 0xffff);
}

static void ip_sum_set(const struct packet *p)
{
    be16_store(p->ip + IP4_SUM, 0);
    be16_store(p->ip + IP4_SUM, fold(sum_of(p->ip, (u32)(p->transport - p->ip), 0)));
}

void osa_checksum_set(u8 *frame, u32 len, u8 which)
{
    struct packet p;
    if (!packet_parse(frame, len, &p))
        return;
    if (which & EXTENDED_SUM_TRANSPORT && p.sum_at)
        transport_sum_set(&p);
    if (which & EXTENDED_SUM_IP && p.v4)
        ip_sum_set(&p);
}

u8 osa_checksum_right(const u8 *frame, u32 len)
{
    struct packet p;
    u8 right = 0;
    if (!packet_parse((u8 *)frame, len, &p)) /* which is only read here */
        return 0;
    if (!p.v4 || !fold(sum_of(p.ip, (u32)(p.transport - p.ip), 0)))
        right |= EXTENDED_SUM_IP;
    bool none = p.protocol == UDP && p.sum_at && !be16_load(p.transport + UDP_SUM);
    if ((p.protocol == TCP || p.protocol == UDP) && p.sum_at && !none && !transport_sum(&p))
        right |= EXTENDED_SUM_TRANSPORT;
    return right;
}

/* --- cutting --------------------------------------------------------------------------------- */

/** A frame of TCP that is being cut. */
struct cut {
    const u8 *frame;
    u32 ip_at, tcp_at, payload_at, payload;
    u32 segment;
    bool v4;
};

static bool cut_begin(struct cut *c, const u8 *frame, u32 len, u32 segment)
{
    struct packet p;
    if (!packet_parse((u8 *)frame, len, &p) || p.protocol != TCP || !p.sum_at || !segment)
        return false;
    u32 header = (p.transport[TCP_OFFSET] >> 4) * 4u;
    if (header < TCP_HEADER_LEAST || header > p.transport_bytes)
        return false;
    u32 tcp_at = (u32)(p.transport - frame);
    *c = (struct cut){frame, (u32)(p.ip - frame), tcp_at, tcp_at + header, 0, segment, p.v4};
    c->payload = tcp_at + p.transport_bytes - c->payload_at;
    return true;
}

/** The headers of piece `n`, which has `bytes` from `done` of the payload on. */
static void cut_headers(const struct cut *c, u8 *out, u32 n, u32 done, u32 bytes)
{
    u8 *ip = out + c->ip_at, *tcp = out + c->tcp_at;
    u32 len = c->payload_at + bytes;
    memcpy(out, c->frame, c->payload_at);
    if (c->v4) {
        be16_store(ip + IP4_LENGTH, (u16)(len - c->ip_at));
        be16_store(ip + IP4_IDENTIFIER, (u16)(be16_load(ip + IP4_IDENTIFIER) + n));
    } else {
        be16_store(ip + IP6_LENGTH, (u16)(len - c->ip_at - IP6_HEADER_BYTES));
    }
    be32_store(tcp + TCP_SEQUENCE, be32_load(tcp + TCP_SEQUENCE) + done);
    if (done + bytes < c->payload)
        tcp[TCP_FLAGS] &= (u8)~TCP_FIN_PUSH;
    if (n)
        tcp[TCP_FLAGS] &= (u8)~TCP_REDUCED;
}

bool osa_segment(struct lan_port *port, const u8 *frame, u32 len, u32 segment)
{
    u8 out[LAN_FRAME_MAX];
    struct cut c;
    if (!cut_begin(&c, frame, len, segment))
        return false;
    for (u32 n = 0, done = 0; !n || done < c.payload; n++) {
        u32 bytes = c.payload - done < segment ? c.payload - done : segment;
        cut_headers(&c, out, n, done, bytes);
        memcpy(out + c.payload_at, frame + c.payload_at + done, bytes);
        osa_checksum_set(out, c.payload_at + bytes, EXTENDED_SUM_IP | EXTENDED_SUM_TRANSPORT);
        lan_send(port, out, c.payload_at + bytes);
        done += bytes;
    }
    return true;
}
