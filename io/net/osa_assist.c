/* SETASSPARMS: IP assists are started and stopped, and told what they are to do. One row of
 * osa_ipa.def each. Source: Linux, drivers/s390/net/qeth_core_mpc.h, qeth_core_main.c,
 * qeth_l3_main.c; arch/s390/include/uapi/asm/qeth.h for what a query of ARP gives. */
#include "io/net/osa_internal.h"

#define HEADER_LENGTH 4
#define HEADER_COMMAND 6
#define HEADER_RETURN_CODE 8
#define HEADER_REPLIES 10
#define HEADER_NUMBER 11
#define HEADER 12u
#define LENGTH_BEFORE_DATA 8u /* of the header, as its length counts */

#define START 0x0001
#define STOP 0x0002
#define CONFIGURE 0x0003
#define ENABLE 0x0004
#define ARP_SET_ENTRIES 0x0003
#define ARP_ADD 0x0005
#define ARP_REMOVE 0x0006
#define ARP_FLUSH 0x0007
#define ARP_QUERY 0x0104

#define ARP_RC_RANGE 0x0003
#define ARP_RC_QUERY_UNSUPPORTED 0x0004
#define ARP_RC_NO_DATA 0x0008

#define SUM_IP 0x0002u
#define SUM_UDP 0x0008u
#define SUM_TCP 0x0010u
#define SUM_SAME_ADAPTER 0x0020u
#define SUM_ALL (SUM_IP | SUM_UDP | SUM_TCP | SUM_SAME_ADAPTER)
#define SEND_TCP 0x0001u
#define SEGMENT_MAX 65000u

/* What a query gives: request and reply bits, how many, entries. */
#define QUERY_REPLY_BITS 2
#define QUERY_COUNT 4
#define QUERY_ENTRIES 8u
#define REPLY_WITH_MAC 7
#define REPLY_WITHOUT_MAC 5
#define ENTRY_TYPES 32u /* behind what is the medium's */
#define ENTRY_MAC_TYPE 1
#define ENTRY_IP_TYPE 33
#define ENTRY_DATA 34u

enum { V4 = 1, V6 = 2, L2 = 1, L3 = 2 };

struct assist {
    u32 bit;
    u8 families, layers;
    bool not_iqd;
    u16 (*fn)(struct osa_ipa *p, u32 bit, u16 command);
};

/** The four bytes of operand, or 0. */
static u32 flags_of(const struct osa_ipa *p)
{
    return p->len >= HEADER + 4 ? be32_load(p->data + HEADER) : 0;
}

static u8 *answer_data(struct osa_ipa *p, u32 bytes)
{
    if (p->need < HEADER + bytes)
        p->need = HEADER + bytes;
    be16_store(p->data + HEADER_LENGTH, (u16)(LENGTH_BEFORE_DATA + bytes));
    return p->data + HEADER;
}

static u16 switched(struct osa_ipa *p, u32 bit, u16 command)
{
    u32 *on = &p->osa->s.assists[osa_ipa_family(p)];
    switch (command) {
    case START: *on |= bit; return IPA_SUCCESS;
    case STOP: *on &= ~bit; return IPA_SUCCESS;
    case CONFIGURE:
    case ENABLE: return IPA_SUCCESS;
    default: return IPA_UNSUPPORTED_COMMAND;
    }
}

/** Started, it says what it could do; it does it once that was enabled. */
static u16 assist_checksum(struct osa_ipa *p, u32 bit, u16 command)
{
    u32 wanted = flags_of(p), *on = &p->osa->s.assists[osa_ipa_family(p)];
    if (command == STOP)
        *on &= ~bit;
    if (command != START && command != ENABLE)
        return command == STOP ? IPA_SUCCESS : IPA_UNSUPPORTED_COMMAND;
    u8 *d = answer_data(p, 8);
    if (command == ENABLE)
        *on |= bit;
    be32_store(d, SUM_ALL);
    be32_store(d + 4, command == ENABLE ? wanted & SUM_ALL : 0);
    return IPA_SUCCESS;
}

static u16 assist_tso(struct osa_ipa *p, u32 bit, u16 command)
{
    u32 *on = &p->osa->s.assists[osa_ipa_family(p)];
    if (command == STOP)
        *on &= ~bit;
    if (command != START && command != ENABLE)
        return command == STOP ? IPA_SUCCESS : IPA_UNSUPPORTED_COMMAND;
    u8 *d = answer_data(p, 8);
    if (command == ENABLE)
        *on |= bit;
    be32_store(d, command == START ? SEGMENT_MAX : SEND_TCP);
    be32_store(d + 4, SEND_TCP);
    return IPA_SUCCESS;
}

/* --- ARP ------------------------------------------------------------------------------------- */

/** One neighbour; returns its bytes, 0: it is not told of. */
static u32 query_entry(const struct osa *osa, unsigned i, bool v4, u8 *out)
{
    const struct osa_state *s = &osa->s;
    bool mac = osa->config.kind != OSA_HIPERSOCKETS;
    u32 at = ENTRY_DATA, ip_bytes = v4 ? 4 : IP_BYTES;
    if (osa_ip_is4(s->near_ip[i]) != v4 || s->near_kind[i] == NEIGHBOUR_ASKED)
        return 0;
    memset(out, 0, ENTRY_TYPES);
    out[ENTRY_TYPES] = ENTRY_MAC_TYPE;
    out[ENTRY_IP_TYPE] = v4 ? 1 : 2;
    if (mac) {
        memcpy(out + at, s->near_mac[i], MAC_BYTES);
        at += MAC_BYTES;
    }
    memcpy(out + at, s->near_ip[i] + (v4 ? 12 : 0), ip_bytes);
    return at + ip_bytes;
}

/** Entries from *from on, as many as an answer holds; returns how many bytes. */
static u32 query_part(const struct osa *osa, bool v4, u8 *data, u32 room, unsigned *from)
{
    u8 entry[ENTRY_DATA + MAC_BYTES + IP_BYTES];
    u32 at = QUERY_ENTRIES, count = 0;
    for (; *from < osa->s.nears; ++*from) {
        u32 bytes = query_entry(osa, *from, v4, entry);
        if (bytes > room - at)
            break;
        memcpy(data + at, entry, bytes);
        at += bytes;
        count += bytes != 0;
    }
    bool iqd = osa->config.kind == OSA_HIPERSOCKETS;
    be16_store(data + QUERY_REPLY_BITS, iqd ? REPLY_WITHOUT_MAC : REPLY_WITH_MAC);
    be32_store(data + QUERY_COUNT, count);
    return at;
}

/** How many answers a query has. */
static u8 query_parts(const struct osa *osa, bool v4, u8 *scratch, u32 room)
{
    unsigned from = 0;
    u8 parts = 0;
    do {
        query_part(osa, v4, scratch, room, &from);
        parts++;
    } while (from < osa->s.nears);
    return parts;
}

static u16 query(struct osa_ipa *p)
{
    struct osa *osa = p->osa;
    bool v4 = osa_ipa_family(p) == OSA_IPV4;
    u32 room = OSA_MESSAGE_MAX - MSG_PDU - IPA_HEADER_BYTES - HEADER;
    u32 theirs = be32_load(p->r->bytes + MSG_PDU_SEQUENCE);
    u8 parts = query_parts(osa, v4, p->data + HEADER, room);
    unsigned from = 0;
    for (u8 n = 1;; n++) {
        u32 bytes = query_part(osa, v4, p->data + HEADER, room, &from);
        answer_data(p, bytes);
        be16_store(p->cmd + 4, IPA_SUCCESS);
        be16_store(p->data + HEADER_RETURN_CODE, IPA_SUCCESS);
        p->data[HEADER_REPLIES] = parts;
        p->data[HEADER_NUMBER] = n;
        p->r->len = MSG_PDU + IPA_HEADER_BYTES + HEADER + bytes;
        p->len = p->need = HEADER + bytes;
        if (n == parts)
            return IPA_SUCCESS;
        if (!osa_answer_part_locked(osa, p->r, theirs))
            return IPA_UNSUPPORTED_COMMAND;
    }
}

/** An entry of the program's: station address (6 bytes and 2 reserved), then that of IP. */
static u16 arp_change(struct osa_ipa *p, bool add)
{
    u8 ip[IP_BYTES];
    if (p->len < HEADER + 12)
        return IPA_INVALID_FORMAT;
    const u8 *entry = p->data + HEADER;
    osa_ip_from4(ip, entry + 8);
    if (!add)
        osa_near_forget_locked(p->osa, ip);
    else if (!osa_near_enter_locked(p->osa, ip, entry))
        return ARP_RC_RANGE;
    return IPA_SUCCESS;
}

static u16 assist_arp(struct osa_ipa *p, u32 bit, u16 command)
{
    switch (command) {
    case ARP_QUERY: return query(p);
    case ARP_ADD: return arp_change(p, true);
    case ARP_REMOVE: return arp_change(p, false);
    case ARP_FLUSH: osa_near_clear_locked(p->osa); return IPA_SUCCESS;
    case ARP_SET_ENTRIES: return flags_of(p) <= OSA_NEIGHBOURS_MAX ? IPA_SUCCESS : ARP_RC_RANGE;
    case START:
    case STOP: return switched(p, bit, command);
    default: return ARP_RC_QUERY_UNSUPPORTED;
    }
}

/* --- the command ----------------------------------------------------------------------------- */

static const struct assist table[] = {
#define assist_NULL switched
#define ASSIST(bit, families, layers, not_iqd, name)                                           \
    {bit, families, layers, not_iqd, assist_##name},
#include "io/net/osa_ipa.def"
};

static bool offered(const struct osa *osa, const struct assist *a, enum osa_family family)
{
    u8 layer = osa->s.layer == OSA_LAYER3 ? L3 : L2;
    return a->families & (family == OSA_IPV6 ? V6 : V4) && a->layers & layer &&
           !(a->not_iqd && osa->config.kind == OSA_HIPERSOCKETS);
}

u32 osa_assists(const struct osa *osa, enum osa_family family)
{
    u32 all = 0;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (offered(osa, &table[i], family))
            all |= table[i].bit;
    return all;
}

/** The return code of an assist is in its own header. */
u16 osa_ipa_assist(struct osa_ipa *p)
{
    u32 bit = be32_load(p->data);
    u16 rc = IPA_UNSUPPORTED_COMMAND;
    p->data[HEADER_REPLIES] = p->data[HEADER_NUMBER] = 1;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].bit == bit && offered(p->osa, &table[i], osa_ipa_family(p)))
            rc = table[i].fn(p, bit, be16_load(p->data + HEADER_COMMAND));
    be16_store(p->data + HEADER_RETURN_CODE, rc);
    be32_store(p->cmd + 12, osa_assists(p->osa, osa_ipa_family(p)));
    be32_store(p->cmd + 16, p->osa->s.assists[osa_ipa_family(p)] | ASSIST_ADAPTER_PARMS);
    return IPA_SUCCESS;
}
