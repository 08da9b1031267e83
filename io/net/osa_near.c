/* Where the neighbours of a program in layer 3 are: it names addresses, the adapter finds the
 * stations that have them. ARP (RFC 826) for IPv4; neighbour discovery (RFC 4861) for IPv6, unless
 * the program does that itself (the passthru assist). There is no timer: what is known ages, and is
 * asked for again when it is used. The table is ordered by when an entry came in; a full one loses
 * its oldest. */
#include <stdlib.h>

#include "io/net/osa_internal.h"

#define TOD_SECOND (4096ull * 1000000)
#define ASK_AGAIN (1 * TOD_SECOND)     /* of one that has not answered */
#define RENEW_AFTER (240 * TOD_SECOND) /* asked for while it is in use */
#define FORGET_AFTER (300 * TOD_SECOND)

#define ARP_BYTES 28u
#define ARP_OPERATION 6
#define ARP_REQUEST 1
#define ARP_REPLY 2
#define ARP_SENDER_MAC 8
#define ARP_SENDER_IP 14
#define ARP_TARGET_MAC 18
#define ARP_TARGET_IP 24
#define FRAME_LEAST 60u

#define IP6_HEADER_BYTES 40u
#define IP6_NEXT 6
#define IP6_HOPS 7
#define IP6_FROM 8
#define IP6_TO 24
#define NEXT_ICMP6 58
#define SOLICITATION 135
#define ADVERTISEMENT 136
#define ND_TARGET 8
#define ND_OPTION 24
#define ND_BYTES 32u /* with one option: a link-layer address */
#define OPTION_SOURCE 1
#define OPTION_TARGET 2
#define ND_ROUTER 0x80
#define ND_SOLICITED 0x40
#define ND_OVERRIDE 0x20

static const u8 no_ip[IP_BYTES];

void osa_ip_from4(u8 ip[IP_BYTES], const u8 v4[4])
{
    memset(ip, 0, 10);
    ip[10] = ip[11] = 0xff;
    memcpy(ip + 12, v4, 4);
}

bool osa_ip_is4(const u8 ip[IP_BYTES])
{
    return !be64_load(ip) && be32_load(ip + 8) == 0xffff;
}

unsigned osa_ip_find(const u8 (*table)[IP_BYTES], unsigned n, const u8 *ip)
{
    unsigned i = 0;
    while (i < n && memcmp(table[i], ip, IP_BYTES) != 0)
        i++;
    return i;
}

/* --- the table ------------------------------------------------------------------------------- */

static unsigned near_find(const struct osa_state *s, const u8 *ip, u16 vlan)
{
    unsigned i = 0;
    while (i < s->nears &&
           (s->near_vlan[i] != vlan || memcmp(s->near_ip[i], ip, IP_BYTES) != 0))
        i++;
    return i;
}

static void near_remove(struct osa_state *s, unsigned i)
{
    unsigned n = --s->nears - i;
    memmove(s->near_tod + i, s->near_tod + i + 1, n * sizeof s->near_tod[0]);
    memmove(s->near_vlan + i, s->near_vlan + i + 1, n * sizeof s->near_vlan[0]);
    memmove(s->near_ip + i, s->near_ip + i + 1, n * sizeof s->near_ip[0]);
    memmove(s->near_mac + i, s->near_mac + i + 1, n * sizeof s->near_mac[0]);
    memmove(s->near_kind + i, s->near_kind + i + 1, n * sizeof s->near_kind[0]);
}

/** The oldest that the program has not entered makes room; all are: the oldest of them. */
static void near_make_room(struct osa_state *s)
{
    unsigned i = 0;
    while (i < s->nears && s->near_kind[i] == NEIGHBOUR_ENTERED)
        i++;
    near_remove(s, i < s->nears ? i : 0);
}

static void near_put(struct osa *osa, const u8 *ip, u16 vlan, const u8 *mac,
                     enum osa_neighbour kind)
{
    struct osa_state *s = &osa->s;
    unsigned i = near_find(s, ip, vlan);
    if (i < s->nears)
        near_remove(s, i);
    else if (s->nears == OSA_NEIGHBOURS_MAX)
        near_make_room(s);
    i = s->nears++;
    s->near_tod[i] = css_tod(osa->css);
    s->near_vlan[i] = vlan;
    s->near_kind[i] = kind;
    memcpy(s->near_ip[i], ip, IP_BYTES);
    memcpy(s->near_mac[i], mac, MAC_BYTES);
}

bool osa_near_enter_locked(struct osa *osa, const u8 ip[IP_BYTES], const u8 *mac)
{
    if (mac_is_group(mac))
        return false;
    near_put(osa, ip, 0, mac, NEIGHBOUR_ENTERED);
    return true;
}

void osa_near_forget_locked(struct osa *osa, const u8 ip[IP_BYTES])
{
    unsigned i = near_find(&osa->s, ip, 0);
    if (i < osa->s.nears)
        near_remove(&osa->s, i);
}

void osa_near_clear_locked(struct osa *osa)
{
    osa->s.nears = 0;
    osa_frames_drop(&osa->waiting);
}

/* --- what is sent ---------------------------------------------------------------------------- */

/** A frame of our own begins; returns where its packet does. */
static u32 frame_begin(const struct osa *osa, u8 *frame, const u8 *to, u16 vlan, u16 type)
{
    u32 at = ETHER_HEADER_BYTES;
    memcpy(frame, to, MAC_BYTES);
    memcpy(frame + MAC_BYTES, osa->s.own, MAC_BYTES);
    if (vlan) {
        be16_store(frame + ETHER_TYPE_AT, ETHER_TYPE_VLAN);
        be16_store(frame + ETHER_TYPE_AT + 2, vlan);
        at += VLAN_TAG_BYTES;
    }
    be16_store(frame + at - 2, type);
    return at;
}

/** What an ARP packet says; `mac` NULL: it asks. */
static void arp_add(const struct osa *osa, struct osa_frames *out, u16 vlan, const u8 *from4,
                    const u8 *to4, const u8 *mac)
{
    static const u8 all[MAC_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    u8 frame[FRAME_LEAST + VLAN_TAG_BYTES] = {0};
    u8 *arp = frame + frame_begin(osa, frame, mac ? mac : all, vlan, ETHER_TYPE_ARP);
    be16_store(arp, 1);
    be16_store(arp + 2, ETHER_TYPE_IPV4);
    arp[4] = MAC_BYTES;
    arp[5] = 4;
    be16_store(arp + ARP_OPERATION, mac ? ARP_REPLY : ARP_REQUEST);
    memcpy(arp + ARP_SENDER_MAC, osa->s.own, MAC_BYTES);
    memcpy(arp + ARP_SENDER_IP, from4, 4);
    if (mac)
        memcpy(arp + ARP_TARGET_MAC, mac, MAC_BYTES);
    memcpy(arp + ARP_TARGET_IP, to4, 4);
    osa_frames_add(out, frame, FRAME_LEAST);
}

/** One of neighbour discovery about `target`. */
struct nd {
    u8 kind, flags;
    u16 vlan;
    const u8 *to_mac, *from, *to, *target;
};

static void nd_add(const struct osa *osa, struct osa_frames *out, const struct nd *nd)
{
    u8 frame[ETHER_HEADER_BYTES + VLAN_TAG_BYTES + IP6_HEADER_BYTES + ND_BYTES] = {0};
    u32 at = frame_begin(osa, frame, nd->to_mac, nd->vlan, ETHER_TYPE_IPV6);
    u8 *ip = frame + at, *icmp = ip + IP6_HEADER_BYTES;
    ip[0] = 0x60;
    be16_store(ip + 4, ND_BYTES);
    ip[IP6_NEXT] = NEXT_ICMP6;
    ip[IP6_HOPS] = 255;
    memcpy(ip + IP6_FROM, nd->from, IP_BYTES);
    memcpy(ip + IP6_TO, nd->to, IP_BYTES);
    icmp[0] = nd->kind;
    icmp[4] = nd->flags;
    memcpy(icmp + ND_TARGET, nd->target, IP_BYTES);
    icmp[ND_OPTION] = nd->kind == SOLICITATION ? OPTION_SOURCE : OPTION_TARGET;
    icmp[ND_OPTION + 1] = 1;
    memcpy(icmp + ND_OPTION + 2, osa->s.own, MAC_BYTES);
    u32 len = at + IP6_HEADER_BYTES + ND_BYTES;
    osa_checksum_set(frame, len, EXTENDED_SUM_TRANSPORT);
    osa_frames_add(out, frame, len);
}

/** An address of the program's of this family, to ask with; NULL: it has none. */
static const u8 *own_ip(const struct osa *osa, bool v4)
{
    for (unsigned i = 0; i < osa->s.ips; i++)
        if (osa_ip_is4(osa->s.ip[i]) == v4)
            return osa->s.ip[i];
    return NULL;
}

static void ask(const struct osa *osa, const u8 *ip, u16 vlan, struct osa_frames *out)
{
    const u8 *own = own_ip(osa, osa_ip_is4(ip));
    if (!own)
        own = no_ip;
    if (osa_ip_is4(ip)) {
        arp_add(osa, out, vlan, own + 12, ip + 12, NULL);
        return;
    }
    u8 group[IP_BYTES] = {0xff, 2, [11] = 1, [12] = 0xff, ip[13], ip[14], ip[15]};
    u8 mac[MAC_BYTES] = {0x33, 0x33, 0xff, ip[13], ip[14], ip[15]};
    nd_add(osa, out, &(struct nd){SOLICITATION, 0, vlan, mac, own, group, ip});
}

void osa_near_ask_locked(struct osa *osa, const u8 ip[IP_BYTES], struct osa_frames *out)
{
    if (osa_ip_is4(ip)) /* a probe: nobody learns from it */
        arp_add(osa, out, 0, no_ip, ip + 12, NULL);
}

void osa_near_announce_locked(struct osa *osa, const u8 ip[IP_BYTES], struct osa_frames *out)
{
    static const u8 everybody[IP_BYTES] = {0xff, 2, [15] = 1};
    static const u8 mac[MAC_BYTES] = {0x33, 0x33, 0, 0, 0, 1};
    if (osa_ip_is4(ip))
        arp_add(osa, out, 0, ip + 12, ip + 12, NULL);
    else
        nd_add(osa, out, &(struct nd){ADVERTISEMENT, ND_OVERRIDE, 0, mac, ip, everybody, ip});
}

/* --- what comes ------------------------------------------------------------------------------ */

/** Is a neighbour's address to be answered for? */
static bool answers_for(const struct osa *osa, const u8 *ip)
{
    unsigned i = osa_ip_find(osa->s.ip, osa->s.ips, ip);
    return i < osa->s.ips && !(osa->s.ip_flags[i] & IP_FLAG_VIRTUAL);
}

/** A neighbour has been heard of: frames that waited for it go. `new_too`: enter it if it is not
 *  known yet. */
static void learn(struct osa *osa, const u8 *ip, u16 vlan, const u8 *mac, bool new_too,
                  struct osa_frames *out)
{
    struct osa_state *s = &osa->s;
    unsigned i = near_find(s, ip, vlan);
    if (mac_is_group(mac) || (i == s->nears && !new_too) ||
        (i < s->nears && s->near_kind[i] == NEIGHBOUR_ENTERED))
        return;
    near_put(osa, ip, vlan, mac, NEIGHBOUR_LEARNT);
    struct osa_frames kept;
    osa_frames_init(&kept);
    for (struct osa_frame *f; (f = osa_frames_take(&osa->waiting)) != NULL; free(f)) {
        bool goes = f->vlan == vlan && !memcmp(f->ip, ip, IP_BYTES);
        struct osa_frame *copy = osa_frames_add(goes ? out : &kept, f->bytes, f->len);
        if (!copy)
            continue;
        memcpy(copy->ip, f->ip, IP_BYTES);
        copy->vlan = f->vlan;
        if (goes)
            memcpy(copy->bytes, mac, MAC_BYTES);
    }
    osa->waiting = kept;
    if (!kept.first)
        osa_frames_init(&osa->waiting);
}

static void arp_input(struct osa *osa, const u8 *arp, u16 vlan, struct osa_frames *out)
{
    const u8 *mac = arp + ARP_SENDER_MAC;
    u8 sender[IP_BYTES], target[IP_BYTES];
    if (be16_load(arp) != 1 || be16_load(arp + 2) != ETHER_TYPE_IPV4 || arp[4] != MAC_BYTES ||
        arp[5] != 4)
        return;
    osa_ip_from4(sender, arp + ARP_SENDER_IP);
    osa_ip_from4(target, arp + ARP_TARGET_IP);
    bool for_us = answers_for(osa, target), known = be32_load(arp + ARP_SENDER_IP) != 0;
    if (!memcmp(sender, osa->probed, IP_BYTES))
        osa->probe_answered = true;
    if (known && osa_ip_find(osa->s.ip, osa->s.ips, sender) == osa->s.ips)
        learn(osa, sender, vlan, mac, for_us, out);
    if (for_us && be16_load(arp + ARP_OPERATION) == ARP_REQUEST && !mac_is_group(mac))
        arp_add(osa, out, vlan, target + 12, arp + ARP_SENDER_IP, mac);
}

/** The link-layer address in an option; NULL: it is not there. */
static const u8 *nd_option(const u8 *icmp, u32 len, u8 kind)
{
    for (u32 at = ND_OPTION; at + 8 <= len; at += icmp[at + 1] * 8u) {
        if (!icmp[at + 1])
            return NULL;
        if (icmp[at] == kind)
            return icmp + at + 2;
    }
    return NULL;
}

static void nd_input(struct osa *osa, const u8 *ip, u32 icmp_len, u16 vlan,
                     struct osa_frames *out)
{
    const u8 *icmp = ip + IP6_HEADER_BYTES, *from = ip + IP6_FROM;
    bool asks = icmp[0] == SOLICITATION;
    const u8 *mac = nd_option(icmp, icmp_len, asks ? OPTION_SOURCE : OPTION_TARGET);
    if (!asks) {
        if (mac)
            learn(osa, icmp + ND_TARGET, vlan, mac, false, out);
        return;
    }
    if (!mac || !answers_for(osa, icmp + ND_TARGET) || !memcmp(from, no_ip, IP_BYTES))
        return;
    learn(osa, from, vlan, mac, true, out);
    if (!mac_is_group(mac))
        nd_add(osa, out,
               &(struct nd){ADVERTISEMENT, ND_SOLICITED | ND_OVERRIDE, vlan, mac,
                            icmp + ND_TARGET, from, icmp + ND_TARGET});
}

static bool is_discovery(const u8 *ip, u32 len)
{
    u32 bytes = be16_load(ip + 4);
    const u8 *icmp = ip + IP6_HEADER_BYTES;
    return ip[IP6_NEXT] == NEXT_ICMP6 && ip[IP6_HOPS] == 255 && bytes >= ND_OPTION &&
           bytes <= len - IP6_HEADER_BYTES &&
           (icmp[0] == SOLICITATION || icmp[0] == ADVERTISEMENT);
}

bool osa_near_input_locked(struct osa *osa, const u8 *frame, u32 len, struct osa_frames *out)
{
    u16 type, vlan;
    u32 at = osa_packet_at(frame, len, &type, &vlan);
    if (type == ETHER_TYPE_ARP) {
        if (len - at >= ARP_BYTES)
            arp_input(osa, frame + at, vlan & 0xfff, out);
        return true;
    }
    if (type != ETHER_TYPE_IPV6 || osa->s.assists[OSA_IPV6] & ASSIST_PASSTHRU ||
        len - at < IP6_HEADER_BYTES + ND_OPTION || !is_discovery(frame + at, len - at))
        return false;
    nd_input(osa, frame + at, be16_load(frame + at + 4), vlan & 0xfff, out);
    return true;
}

/* --- resolving ------------------------------------------------------------------------------- */

static void wait_for(struct osa *osa, const u8 *frame, u32 len, const u8 *ip, u16 vlan)
{
    struct osa_frames *w = &osa->waiting;
    while (w->first && (w->count >= OSA_WAITING_FRAMES || w->bytes + len > OSA_WAITING_BYTES))
        free(osa_frames_take(w));
    struct osa_frame *f = osa_frames_add(w, frame, len);
    if (!f)
        return;
    memcpy(f->ip, ip, IP_BYTES);
    f->vlan = vlan;
}

bool osa_near_resolve_locked(struct osa *osa, u8 *frame, u32 len, const u8 ip[IP_BYTES],
                             bool waits, struct osa_frames *out)
{
    static const u8 nowhere[MAC_BYTES];
    struct osa_state *s = &osa->s;
    u16 type, vlan;
    osa_packet_at(frame, len, &type, &vlan);
    vlan &= 0xfff;
    unsigned i = near_find(s, ip, vlan);
    u64 age = i < s->nears ? css_tod(osa->css) - s->near_tod[i] : 0;
    bool known = i < s->nears && s->near_kind[i] != NEIGHBOUR_ASKED;
    if (known && (s->near_kind[i] == NEIGHBOUR_ENTERED || age < FORGET_AFTER)) {
        memcpy(frame, s->near_mac[i], MAC_BYTES);
        if (s->near_kind[i] == NEIGHBOUR_LEARNT && age > RENEW_AFTER)
            ask(osa, ip, vlan, out);
        return true;
    }
    if (waits)
        wait_for(osa, frame, len, ip, vlan);
    if (i < s->nears && !known && age < ASK_AGAIN)
        return false;
    near_put(osa, ip, vlan, nowhere, NEIGHBOUR_ASKED);
    ask(osa, ip, vlan, out);
    return false;
}
