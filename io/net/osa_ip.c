/* Addresses of a program in layer 3: SETIP and DELIP, groups, routing, unique identifiers.
 * Source: Linux, drivers/s390/net/qeth_core_mpc.h, qeth_l3_main.c. */
#include "io/net/osa_internal.h"

#define RC_DUPLICATE 0xe005
#define RC_TABLE_FULL 0xe006
#define RC_NO_LAN 0xe008
#define RC_ALREADY_USED 0xe00a
#define RC_GROUP_NOT_FOUND 0xe00b
#define RC_NOT_DEFINED 0xe010
#define RC_INVALID_ROUTING 0xe012
#define RC_GROUP_DEFINED 0xe013

#define SET_IP 0xb1
#define GROUP_IP 8 /* behind the station address; IPv4 in the last 4 bytes */
#define UNIQUE_MAC 0
#define UNIQUE_ID 6
#define ROUTING_MAX 5u
#define ROUTING_PRIMARY 1
#define ROUTING_SECONDARY 2

/** The address and the flags of SETIP and DELIP, which have a mask between them. False: too short.
 */
static bool operand_ip(const struct osa_ipa *p, u8 ip[IP_BYTES], u32 *flags)
{
    bool v4 = osa_ipa_family(p) == OSA_IPV4;
    u32 bytes = v4 ? 4 : IP_BYTES;
    if (p->len < 2 * bytes + 4)
        return false;
    if (v4)
        osa_ip_from4(ip, p->data);
    else
        memcpy(ip, p->data, IP_BYTES);
    *flags = be32_load(p->data + 2 * bytes);
    return true;
}

void osa_ip_probe(struct osa *osa, const struct osa_reply *r)
{
    struct osa_ipa p = {
        .osa = osa,
        .cmd = (u8 *)r->bytes + MSG_PDU,
        .data = (u8 *)r->bytes + MSG_PDU + IPA_HEADER_BYTES,
        .len = r->len < MSG_PDU + IPA_HEADER_BYTES ? 0 : r->len - MSG_PDU - IPA_HEADER_BYTES};
    struct osa_frames out;
    u8 ip[IP_BYTES];
    u32 flags;
    osa_frames_init(&out);
    lock_take(&osa->lock);
    osa->probe_answered = false;
    bool asks = osa->s.layer == OSA_LAYER3 && osa->s.lan && p.cmd[0] == SET_IP &&
                operand_ip(&p, ip, &flags) && !(flags & (IP_FLAG_VIRTUAL | IP_FLAG_TAKEOVER));
    if (asks) {
        memcpy(osa->probed, ip, IP_BYTES);
        osa_near_ask_locked(osa, ip, &out);
    }
    lock_drop(&osa->lock);
    osa_frames_send(osa, &out); /* adapters of layer 3 answer before this returns */
}

u16 osa_ipa_set_ip(struct osa_ipa *p)
{
    struct osa_state *s = &p->osa->s;
    u8 ip[IP_BYTES];
    u32 flags;
    if (!operand_ip(p, ip, &flags))
        return IPA_INVALID_FORMAT;
    if (!s->lan)
        return RC_NO_LAN;
    if (osa_ip_find(s->ip, s->ips, ip) < s->ips)
        return RC_DUPLICATE;
    if (p->osa->probe_answered)
        return RC_ALREADY_USED;
    if (s->ips == OSA_IPS_MAX)
        return RC_TABLE_FULL;
    memcpy(s->ip[s->ips], ip, IP_BYTES);
    s->ip_flags[s->ips++] = (u8)(flags & (IP_FLAG_VIRTUAL | IP_FLAG_TAKEOVER));
    osa_near_forget_locked(p->osa, ip);
    p->osa->announce = !(flags & IP_FLAG_VIRTUAL);
    return IPA_SUCCESS;
}

u16 osa_ipa_delete_ip(struct osa_ipa *p)
{
    struct osa_state *s = &p->osa->s;
    u8 ip[IP_BYTES];
    u32 flags;
    if (!operand_ip(p, ip, &flags))
        return IPA_INVALID_FORMAT;
    unsigned i = osa_ip_find(s->ip, s->ips, ip);
    if (i == s->ips)
        return RC_NOT_DEFINED;
    unsigned n = --s->ips - i;
    memmove(s->ip[i], s->ip[i + 1], n * sizeof s->ip[0]);
    memmove(s->ip_flags + i, s->ip_flags + i + 1, n * sizeof s->ip_flags[0]);
    return IPA_SUCCESS;
}

static void operand_group(const struct osa_ipa *p, u8 ip[IP_BYTES])
{
    if (osa_ipa_family(p) == OSA_IPV4)
        osa_ip_from4(ip, p->data + GROUP_IP + 12);
    else
        memcpy(ip, p->data + GROUP_IP, IP_BYTES);
}

u16 osa_ipa_set_ip_group(struct osa_ipa *p)
{
    struct osa_state *s = &p->osa->s;
    u8 ip[IP_BYTES];
    operand_group(p, ip);
    if (osa_ip_find(s->ip_group, s->ip_groups, ip) < s->ip_groups)
        return RC_GROUP_DEFINED;
    if (s->ip_groups == OSA_IP_GROUPS_MAX)
        return RC_TABLE_FULL;
    memcpy(s->ip_group[s->ip_groups++], ip, IP_BYTES);
    return IPA_SUCCESS;
}

u16 osa_ipa_delete_ip_group(struct osa_ipa *p)
{
    struct osa_state *s = &p->osa->s;
    u8 ip[IP_BYTES];
    operand_group(p, ip);
    unsigned i = osa_ip_find(s->ip_group, s->ip_groups, ip);
    if (i == s->ip_groups)
        return RC_GROUP_NOT_FOUND;
    memmove(s->ip_group[i], s->ip_group[i + 1], (--s->ip_groups - i) * sizeof s->ip_group[0]);
    return IPA_SUCCESS;
}

/** A primary or secondary router gets what is for its station and none of its addresses. */
u16 osa_ipa_set_routing(struct osa_ipa *p)
{
    u8 type = p->data[0] & 0x0f;
    if (type > ROUTING_MAX)
        return RC_INVALID_ROUTING;
    p->osa->s.routes[osa_ipa_family(p)] = type == ROUTING_PRIMARY || type == ROUTING_SECONDARY;
    return IPA_SUCCESS;
}

/** The adapter's station address, and a number that makes interface identifiers of adapters that
 *  share one unique: here none does. */
u16 osa_ipa_create_address(struct osa_ipa *p)
{
    memcpy(p->data + UNIQUE_MAC, p->osa->s.own, MAC_BYTES);
    be16_store(p->data + UNIQUE_ID, p->osa->config.devno);
    return IPA_SUCCESS;
}

u16 osa_ipa_destroy_address(struct osa_ipa *p)
{
    (void)p;
    return IPA_SUCCESS;
}
