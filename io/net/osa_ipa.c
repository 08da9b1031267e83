/* IP assist commands: what the program asks of the adapter once the control session is up. A
 * command and its answer have one layout; the adapter fills in return code and results.
 * Source: Linux, drivers/s390/net/qeth_core_mpc.h, qeth_l2_main.c. */
#include "io/net/osa_internal.h"
#include "mem/base/log.h"

/* The header of every command. */
#define IPA_COMMAND 0
#define IPA_RETURN_CODE 4
#define IPA_SUPPORTED 12
#define IPA_ENABLED 16

#define RC_L2_UNSUPPORTED 0x2003
#define RC_L2_DUPLICATE_MAC 0x2005
#define RC_L2_TABLE_FULL 0x2006
#define RC_L2_GROUP_NOT_FOUND 0x200b
#define RC_L2_MAC_NOT_AUTHORIZED 0x200c
#define RC_L2_MAC_NOT_FOUND 0x2010
#define RC_L2_INVALID_VLAN 0x2015
#define RC_L2_DUPLICATE_VLAN 0x2016
#define RC_L2_VLAN_NOT_FOUND 0x2017
#define RC_LAN_OFFLINE 0xe080
#define RC_NO_MEMORY 0xfffe

/* SETADAPTERPARMS, behind the header of all. */
#define ADP_SUPPORTED 0
#define ADP_COMMAND 12
#define ADP_RETURN_CODE 16
#define ADP_FLAGS 20
#define ADP_DATA 24u
#define ADP_VIRTUAL_MAC 0x80
#define ADP_PROMISCUOUS 0x00000800u
#define ADP_DIAGNOSE 0x00002000u    /* there is SET DIAGNOSTIC ASSIST, a command of its own */
#define SWITCH_FORWARDS 0x00000001u /* as a bridge of 802.1 does */
#define ADP_RC_UNSUPPORTED 0x0004
#define MAC_READ 0
#define LAN_GIGABIT 0x03
#define CARD_GIGABIT_COPPER 0xb1
#define PORT_FULL_DUPLEX 3
#define SPEED_GIGABIT 7
#define ISOLATION_NOT_SUPPORTED 0x0004
#define CARD_10_GIGABIT_FIBRE 0xc1
#define SPEED_10_GIGABIT 8

enum osa_family osa_ipa_family(const struct osa_ipa *p)
{
    return be16_load(p->cmd + IPA_PROTOCOL) == 6 ? OSA_IPV6 : OSA_IPV4;
}

static void supported(struct osa_ipa *p)
{
    enum osa_family family = osa_ipa_family(p);
    u32 all = osa_assists(p->osa, family);
    be32_store(p->cmd + IPA_SUPPORTED, all);
    be32_store(p->cmd + IPA_ENABLED,
               (p->osa->s.assists[family] & all) | (all & ASSIST_ADAPTER_PARMS));
}

/** In layer 3 the adapter's own address is the program's, too. */
static u16 start_layer3(struct osa *osa)
{
    if (osa->s.macs)
        return IPA_SUCCESS;
    int rc = lan_mac_add(osa->port, osa->s.own);
    if (rc)
        return rc == ST_EXIST ? RC_L2_DUPLICATE_MAC : RC_NO_MEMORY;
    memcpy(osa->s.mac[osa->s.macs++], osa->s.own, MAC_BYTES);
    return IPA_SUCCESS;
}

static u16 ipa_startlan(struct osa_ipa *p)
{
    struct osa *osa = p->osa;
    if (!osa->port || !osa_layer_fits(osa))
        return RC_LAN_OFFLINE;
    u16 rc = osa->s.layer == OSA_LAYER3 ? start_layer3(osa) : IPA_SUCCESS;
    if (rc == IPA_SUCCESS)
        osa->s.lan = 1;
    return rc;
}

static u16 ipa_stoplan(struct osa_ipa *p)
{
    p->osa->s.lan = 0;
    osa_backlog_drop_locked(p->osa);
    return IPA_SUCCESS;
}

static u16 ipa_query_assists(struct osa_ipa *p)
{
    supported(p);
    return IPA_SUCCESS;
}

/* --- addresses ------------------------------------------------------------------------------- */

/** The entry of an address in a table of `n`; n: it is not there. */
static unsigned table_find(const u8 (*table)[MAC_BYTES], unsigned n, const u8 *mac)
{
    unsigned i = 0;
    while (i < n && memcmp(table[i], mac, MAC_BYTES) != 0)
        i++;
    return i;
}

static void table_remove(u8 (*table)[MAC_BYTES], u16 *n, unsigned i)
{
    --*n;
    memmove(table[i], table[i + 1], (*n - i) * sizeof table[0]);
    memset(table[*n], 0, sizeof table[0]);
}

/** The address behind its length; NULL: another length. */
static const u8 *operand_mac(const struct osa_ipa *p)
{
    return be32_load(p->data) == MAC_BYTES ? p->data + 4 : NULL;
}

static u16 ipa_set_mac(struct osa_ipa *p)
{
    struct osa_state *s = &p->osa->s;
    const u8 *mac = operand_mac(p);
    if (!mac || mac_is_group(mac))
        return IPA_INVALID_FORMAT;
    if (table_find(s->mac, s->macs, mac) < s->macs)
        return RC_L2_DUPLICATE_MAC;
    if (s->macs == OSA_MACS_MAX)
        return RC_L2_TABLE_FULL;
    int rc = p->osa->port ? lan_mac_add(p->osa->port, mac) : ST_OK;
    if (rc == ST_REFUSED)
        return RC_L2_MAC_NOT_AUTHORIZED;
    if (rc)
        return rc == ST_EXIST ? RC_L2_DUPLICATE_MAC : RC_NO_MEMORY;
    memcpy(s->mac[s->macs++], mac, MAC_BYTES);
    return IPA_SUCCESS;
}

static u16 ipa_delete_mac(struct osa_ipa *p)
{
    struct osa_state *s = &p->osa->s;
    const u8 *mac = operand_mac(p);
    unsigned i = mac ? table_find(s->mac, s->macs, mac) : 0;
    if (!mac)
        return IPA_INVALID_FORMAT;
    if (i == s->macs)
        return RC_L2_MAC_NOT_FOUND;
    if (p->osa->port)
        lan_mac_remove(p->osa->port, mac);
    table_remove(s->mac, &s->macs, i);
    return IPA_SUCCESS;
}

static u16 ipa_set_group(struct osa_ipa *p)
{
    struct osa_state *s = &p->osa->s;
    const u8 *mac = operand_mac(p);
    if (!mac || !mac_is_group(mac))
        return IPA_INVALID_FORMAT;
    if (table_find(s->group, s->groups, mac) < s->groups)
        return RC_L2_DUPLICATE_MAC;
    if (s->groups == OSA_GROUPS_MAX)
        return RC_L2_TABLE_FULL;
    memcpy(s->group[s->groups++], mac, MAC_BYTES);
    return IPA_SUCCESS;
}

static u16 ipa_delete_group(struct osa_ipa *p)
{
    struct osa_state *s = &p->osa->s;
    const u8 *mac = operand_mac(p);
    unsigned i = mac ? table_find(s->group, s->groups, mac) : 0;
    if (!mac)
        return IPA_INVALID_FORMAT;
    if (i == s->groups)
        return RC_L2_GROUP_NOT_FOUND;
    table_remove(s->group, &s->groups, i);
    return IPA_SUCCESS;
}

/* --- VLANs ----------------------------------------------------------------------------------- */

static u16 vlan_change(struct osa_ipa *p, bool on)
{
    u16 id = be16_load(p->data);
    u8 *byte = &p->osa->s.vlan[id / 8 % sizeof p->osa->s.vlan], bit = (u8)(0x80 >> id % 8);
    if (!id || id > 4094)
        return RC_L2_INVALID_VLAN;
    if (!!(*byte & bit) == on)
        return on ? RC_L2_DUPLICATE_VLAN : RC_L2_VLAN_NOT_FOUND;
    *byte ^= bit;
    return IPA_SUCCESS;
}

static u16 ipa_set_vlan(struct osa_ipa *p)
{
    return vlan_change(p, true);
}

static u16 ipa_delete_vlan(struct osa_ipa *p)
{
    return vlan_change(p, false);
}

/* --- adapter parameters ---------------------------------------------------------------------- */

/** What an adapter function gets: the data behind its header. */
static u8 *adp_data(struct osa_ipa *p, u32 need)
{
    if (p->need < ADP_DATA + need)
        p->need = ADP_DATA + need;
    return p->data + ADP_DATA;
}

static u32 adp_all(const struct osa *osa);

static u16 adp_query_commands(struct osa_ipa *p)
{
    u8 *d = adp_data(p, 20);
    be32_store(d, 1); /* types of LAN */
    d[4] = LAN_GIGABIT;
    be32_store(d + 8, adp_all(p->osa));
    return IPA_SUCCESS;
}

/** Only to read it: a program that wants another one names it by SETVMAC. */
static u16 adp_alter_mac(struct osa_ipa *p)
{
    u8 *d = adp_data(p, 18);
    if (be32_load(d) != MAC_READ)
        return ADP_RC_UNSUPPORTED;
    be32_store(d + 4, MAC_BYTES);
    be32_store(d + 8, 1);
    memcpy(d + 12, p->osa->s.own, MAC_BYTES);
    p->data[ADP_FLAGS] |= ADP_VIRTUAL_MAC;
    return IPA_SUCCESS;
}

static u16 adp_card_info(struct osa_ipa *p)
{
    u8 *d = adp_data(p, 12);
    bool fast = p->osa->config.kind == OSA_HIPERSOCKETS;
    d[0] = fast ? CARD_10_GIGABIT_FIBRE : CARD_GIGABIT_COPPER;
    be16_store(d + 2, PORT_FULL_DUPLEX);
    be32_store(d + 4, fast ? SPEED_10_GIGABIT : SPEED_GIGABIT);
    return IPA_SUCCESS;
}

static u16 adp_promiscuous(struct osa_ipa *p)
{
    u32 mode = be32_load(adp_data(p, 4));
    if (mode > 1)
        return IPA_INVALID_FORMAT;
    p->osa->s.promiscuous = (u8)mode;
    if (p->osa->port)
        lan_port_promiscuous(p->osa->port, mode);
    return IPA_SUCCESS;
}

static u16 adp_access_control(struct osa_ipa *p)
{
    u32 mode = be32_load(adp_data(p, 12));
    if (mode > LAN_ISOLATED || p->osa->config.kind == OSA_HIPERSOCKETS)
        return ISOLATION_NOT_SUPPORTED;
    p->osa->s.isolation = (u8)mode;
    if (p->osa->port)
        lan_port_isolate(p->osa->port, mode);
    return IPA_SUCCESS;
}

static u16 adp_query_table(struct osa_ipa *p)
{
    return osa_query_table(p);
}

/** What the adapter is plugged into can do and does. */
static u16 adp_switch_attributes(struct osa_ipa *p)
{
    u8 *d = adp_data(p, 20);
    d[0] = 1; /* version */
    be32_store(d + 4, SWITCH_FORWARDS);
    be32_store(d + 8, SWITCH_FORWARDS);
    return IPA_SUCCESS;
}

static const struct {
    u32 bit;
    u32 least;
    osa_ipa_fn *fn;
} adp_table[] = {
#define ADP(bit, least, name) {bit, least, adp_##name},
#include "io/net/osa_ipa.def"
};

/** HiperSockets show a program everything by bridge ports and characteristics. */
static u32 adp_all(const struct osa *osa)
{
    u32 all = ADP_DIAGNOSE;
    for (size_t i = 0; i < ARRAY_LEN(adp_table); i++)
        all |= adp_table[i].bit;
    bool bridges = osa->config.kind == OSA_HIPERSOCKETS && osa_has_traits(osa);
    return bridges ? all & ~ADP_PROMISCUOUS : all;
}

/** SETADAPTERPARMS: the function's return code is in its own header. */
static u16 ipa_adapter(struct osa_ipa *p)
{
    u32 which = be32_load(p->data + ADP_COMMAND);
    u32 all = adp_all(p->osa);
    u16 rc = ADP_RC_UNSUPPORTED;
    for (size_t i = 0; i < ARRAY_LEN(adp_table); i++)
        if (adp_table[i].bit == which && which & all)
            rc = p->len < ADP_DATA + adp_table[i].least ? IPA_INVALID_FORMAT
                                                        : adp_table[i].fn(p);
    be32_store(p->data + ADP_SUPPORTED, all);
    be16_store(p->data + ADP_RETURN_CODE, rc);
    return IPA_SUCCESS;
}

/* --- diagnosis ------------------------------------------------------------------------------- */

#define DIAG_SUBCOMMAND 12
#define DIAG_ACTION 17
#define DIAG_EXTENSION 20
#define DIAG_QUERY 0x01u
#define DIAG_TRAP 0x02u
#define TRAP_ARM 0x01
#define TRAP_DISARM 0x02
#define TRAP_CAPTURE 0x04
#define RC_INVALID_SUBCOMMAND 0x0002
#define RC_NOT_ARMED 0x0003

/** What is known of the adapter when its program says that something is wrong. */
static void capture(const struct osa *osa)
{
    const struct osa_state *s = &osa->s;
    log_line(
        "%s%snetwork adapter %04X: trap of its program: layer %u, LAN %s, queues %s, %u "
        "addresses, %u groups, %u answers wait, %u frames wait; frames filtered %llu, without "
        "a buffer %llu, output buffers in error %llu",
        osa->config.owner, osa->config.owner[0] ? ": " : "", osa->config.devno, s->layer,
        s->lan ? "started" : "stopped", osa->q.s.phase == QDIO_ACTIVE ? "active" : "inactive",
        s->macs, s->groups, osa->replies, osa->backlog.count, (unsigned long long)osa->filtered,
        (unsigned long long)osa->no_buffer, (unsigned long long)osa->bad_output);
}

static u16 trap(struct osa *osa, u8 action)
{
    u8 *armed = &osa->s.layer2[OSA_L2_TRAP];
    if (action == TRAP_CAPTURE && !*armed)
        return RC_NOT_ARMED;
    if (action == TRAP_CAPTURE)
        capture(osa);
    else if (action == TRAP_ARM || action == TRAP_DISARM)
        *armed = action == TRAP_ARM;
    else
        return RC_INVALID_SUBCOMMAND;
    return IPA_SUCCESS;
}

/** A program arms a trap; when it finds something wrong it springs it, and the log has what the
 *  adapter knows. Traces are not offered. */
static u16 ipa_diagnose(struct osa_ipa *p)
{
    switch (be32_load(p->data + DIAG_SUBCOMMAND)) {
    case DIAG_QUERY: be32_store(p->data + DIAG_EXTENSION, DIAG_TRAP); return IPA_SUCCESS;
    case DIAG_TRAP: return trap(p->osa, p->data[DIAG_ACTION]);
    default: return RC_INVALID_SUBCOMMAND;
    }
}

/* --- the command ----------------------------------------------------------------------------- */

static const struct {
    u8 code;
    enum osa_layer layer; /* OSA_LAYER_NONE: in both */
    u32 least;
    osa_ipa_fn *fn;
} ipa_table[] = {
#define IPA(code, least, name) {code, OSA_LAYER_NONE, least, ipa_##name},
#define IPA2(code, least, name) {code, OSA_LAYER2, least, ipa_##name},
#define IPA3(code, least, name) {code, OSA_LAYER3, least, osa_ipa_##name},
#define IPA_SHARED(code, least, name) {code, OSA_LAYER_NONE, least, osa_ipa_##name},
#include "io/net/osa_ipa.def"
};

u16 osa_ipa_unsupported(const struct osa *osa)
{
    return osa->s.layer == OSA_LAYER2 ? RC_L2_UNSUPPORTED : IPA_NOT_SUPPORTED;
}

static u16 perform(struct osa_ipa *p)
{
    for (size_t i = 0; i < ARRAY_LEN(ipa_table); i++) {
        if (ipa_table[i].code != p->cmd[IPA_COMMAND])
            continue;
        if (ipa_table[i].layer && p->osa->s.layer != ipa_table[i].layer)
            break;
        return p->len < ipa_table[i].least ? IPA_INVALID_FORMAT : ipa_table[i].fn(p);
    }
    return osa_ipa_unsupported(p->osa);
}

void osa_ipa_locked(struct osa *osa, struct osa_reply *r)
{
    u32 head = MSG_PDU + IPA_HEADER_BYTES;
    struct osa_ipa p = {.osa = osa, .r = r, .cmd = r->bytes + MSG_PDU, .data = r->bytes + head};
    if (r->len < head) { /* not even a header: it gets one */
        r->len = head;
        be16_store(p.cmd + IPA_RETURN_CODE, IPA_INVALID_FORMAT);
        return;
    }
    p.len = r->len - head;
    be16_store(p.cmd + IPA_RETURN_CODE, perform(&p));
    if (p.need > p.len)
        r->len = head + p.need;
}
