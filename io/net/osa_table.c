/* The address table of an adapter, as QUERY OAT tells it: the port, the connection, and what its
 * program has set, in one answer; entries that it has no room for are left out.
 * Source: s390-tools, qethqoat (layout); Linux, drivers/s390/net/qeth_core_main.c. */
#include "io/net/osa_internal.h"

#define REPLY 8 /* where what the program gets begins: length first */
#define REPLY_LENGTH 8
#define SUBCOMMAND 24
#define SCOPES 32
#define DESCRIPTORS 36
#define TABLE_AT 40u
#define SCOPE_LEVEL 0
#define SCOPE_INTERFACE 1
#define ADP_RC_SCOPE 0x0008

#define HEADER_PHYSICAL 0x0004
#define HEADER_LOGICAL 0x0008
#define HEADER_DESCRIPTOR 0x0010
#define PART_HEADER 16u
#define PHYSICAL_BYTES 64u
#define LOGICAL_BYTES 80u
#define DESCRIPTOR_BYTES 32u
#define PORT_1000_FULL 0x06
#define PORT_COPPER 0x01
#define PORT_JUMBO 0x80

enum {
    OF_IP4 = 1,
    OF_IP4_GROUP = 2,
    OF_IP6 = 4,
    OF_IP6_GROUP = 8,
    OF_MAC = 0x100,
    OF_GROUP = 0x400
};

/** What is filled: bytes from `at` on, up to `end`. */
struct fill {
    u8 *data;
    u32 at, end;
};

/** A part of the table begins; NULL: no room. */
static u8 *part(struct fill *f, u16 type, u32 bytes)
{
    u8 *p = f->data + f->at;
    if (f->end - f->at < PART_HEADER + bytes)
        return NULL;
    memset(p, 0, PART_HEADER + bytes);
    be16_store(p, type);
    be16_store(p + 2, (u16)(PART_HEADER + bytes));
    be16_store(p + 4, 1);
    f->at += PART_HEADER + bytes;
    return p + PART_HEADER;
}

static void physical(const struct osa *osa, struct fill *f)
{
    u8 *p = part(f, HEADER_PHYSICAL, PHYSICAL_BYTES);
    if (!p)
        return;
    memcpy(p + 4, osa->config.mac, MAC_BYTES);
    memcpy(p + 10, osa->s.own, MAC_BYTES);
    be16_store(p + 16, (u16)(osa->config.devno + OSA_DATA));
    p[19] = (u8)(osa->config.devno + OSA_DATA);
    be16_store(p + 22, OSA_OUTPUTS);
    be16_store(p + 24, 1);
    be16_store(p + 26, osa->q.s.phase == QDIO_ACTIVE);
    p[33] = PORT_1000_FULL;
    p[34] = PORT_COPPER;
    p[35] = PORT_JUMBO;
}

static void logical(const struct osa *osa, struct fill *f, u16 descriptors)
{
    const struct osa_state *s = &osa->s;
    u8 *p = part(f, HEADER_LOGICAL, LOGICAL_BYTES);
    if (!p)
        return;
    p[0] = (u8)((s->routes[OSA_IPV4] ? 0x80 : 0) | (s->routes[OSA_IPV6] ? 0x10 : 0));
    p[2] = s->isolation ? 0x40 : 0;
    be32_store(p + 28, s->assists[OSA_IPV4]);
    be32_store(p + 32, s->assists[OSA_IPV6]);
    if (s->layer == OSA_LAYER2 && s->macs)
        memcpy(p + 58, s->mac[0], MAC_BYTES);
    be16_store(p + 64, descriptors);
}

/** Entries of one kind: how long each is, and how one is stored (false: not of this kind). */
struct kind {
    u32 type, bytes;
    u16 (*count)(const struct osa_state *s);
    bool (*store)(const struct osa_state *s, unsigned i, u8 *out);
};

static u16 ips(const struct osa_state *s)
{
    return s->ips;
}

static u16 ip_groups(const struct osa_state *s)
{
    return s->ip_groups;
}

static u16 macs(const struct osa_state *s)
{
    return s->macs;
}

static u16 groups(const struct osa_state *s)
{
    return s->groups;
}

static bool store4(const struct osa_state *s, unsigned i, u8 *out)
{
    memcpy(out, s->ip[i] + 12, 4);
    be32_store(out + 4, s->ip_flags[i]);
    return osa_ip_is4(s->ip[i]);
}

static bool store6(const struct osa_state *s, unsigned i, u8 *out)
{
    memcpy(out, s->ip[i], IP_BYTES);
    be32_store(out + 16, s->ip_flags[i]);
    return !osa_ip_is4(s->ip[i]);
}

static bool store_group4(const struct osa_state *s, unsigned i, u8 *out)
{
    const u8 *ip = s->ip_group[i] + 12;
    const u8 mac[MAC_BYTES] = {1, 0, 0x5e, ip[1] & 0x7f, ip[2], ip[3]};
    memcpy(out, ip, 4);
    memcpy(out + 4, mac, MAC_BYTES);
    return osa_ip_is4(s->ip_group[i]);
}

static bool store_group6(const struct osa_state *s, unsigned i, u8 *out)
{
    const u8 *ip = s->ip_group[i];
    const u8 mac[MAC_BYTES] = {0x33, 0x33, ip[12], ip[13], ip[14], ip[15]};
    memcpy(out, ip, IP_BYTES);
    memcpy(out + IP_BYTES, mac, MAC_BYTES);
    return !osa_ip_is4(ip);
}

static bool store_mac(const struct osa_state *s, unsigned i, u8 *out)
{
    memcpy(out, s->mac[i], MAC_BYTES);
    return true;
}

static bool store_group(const struct osa_state *s, unsigned i, u8 *out)
{
    memcpy(out, s->group[i], MAC_BYTES);
    return true;
}

static const struct kind kinds[] = {
    {OF_IP4, 8, ips, store4},     {OF_IP4_GROUP, 16, ip_groups, store_group4},
    {OF_IP6, 24, ips, store6},    {OF_IP6_GROUP, 24, ip_groups, store_group6},
    {OF_MAC, 8, macs, store_mac}, {OF_GROUP, 8, groups, store_group},
};

static bool kind_there(const struct osa_state *s, const struct kind *k)
{
    u8 scratch[64];
    for (unsigned i = 0; i < k->count(s); i++)
        if (k->store(s, i, scratch))
            return true;
    return false;
}

static void descriptor(const struct osa_state *s, const struct kind *k, struct fill *f)
{
    u8 *p = part(f, HEADER_DESCRIPTOR, DESCRIPTOR_BYTES);
    u16 entries = 0;
    if (!p)
        return;
    for (unsigned i = 0; i < k->count(s) && f->end - f->at >= k->bytes; i++) {
        memset(f->data + f->at, 0, k->bytes);
        if (!k->store(s, i, f->data + f->at))
            continue;
        f->at += k->bytes;
        entries++;
    }
    be32_store(p, k->type);
    be32_store(p + 12, k->bytes);
    be16_store(p + 16, 1);
    be16_store(p + 18, entries);
}

u16 osa_query_table(struct osa_ipa *p)
{
    const struct osa *osa = p->osa;
    struct fill f = {p->data, TABLE_AT, OSA_MESSAGE_MAX - MSG_PDU - IPA_HEADER_BYTES};
    u32 scope = be32_load(p->data + SUBCOMMAND), all = 0;
    u16 there = 0;
    if (scope > SCOPE_INTERFACE)
        return ADP_RC_SCOPE;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        all |= kinds[i].type;
        there += kind_there(&osa->s, &kinds[i]);
    }
    be32_store(p->data + SCOPES, 1u << SCOPE_LEVEL | 1u << SCOPE_INTERFACE);
    be32_store(p->data + DESCRIPTORS, all);
    if (scope == SCOPE_INTERFACE) {
        physical(osa, &f);
        logical(osa, &f, there);
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
            if (kind_there(&osa->s, &kinds[i]))
                descriptor(&osa->s, &kinds[i], &f);
    }
    be16_store(p->data + REPLY_LENGTH, (u16)(f.at - REPLY));
    p->need = f.at;
    return IPA_SUCCESS;
}
