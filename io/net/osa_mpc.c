/* Control messages of an OSA adapter: IDX ACTIVATE on either control device, then CM and ULP
 * enable and setup and DM activate, which only exchange tokens, and IP assist commands.
 * Answers have the form of the message with the adapter's fields in it. No manual describes them;
 * source: what Linux sends and reads (drivers/s390/net/qeth_core_mpc.[ch], qeth_core_main.c). */
#include <stdlib.h>

#include "io/net/osa_internal.h"

#define IDX_BYTES 0x22u
#define IDX_MARK 0x80 /* in byte 2 */
#define IDX_KIND 0x08 /* read 19, write 15; the last two bits: 1 asked, 2 granted */
#define IDX_PORT 0x0b
#define IDX_PORT_NO_NAME 0x80
#define IDX_TOKEN 0x0c
#define IDX_LEVEL 0x10
#define IDX_MICROCODE 0x12
#define IDX_GRANTED 2
#define IDX_TERMINATE 0xc0 /* in byte 2; byte 4 has the cause */
#define IDX_BAD_TRANSPORT_VM 0xf6

#define TOKEN_BYTES 4u
#define COMMAND (MSG_PDU + 2) /* of connection and protocol management */
#define CMD_ENABLE 0x4102
#define CMD_SETUP 0x4104
#define CMD_ACTIVATE 0x4360
#define ENABLE_TOKEN (MSG_PDU + 0x13)
#define SETUP_TOKEN (MSG_PDU + 0x1a)
#define ENABLE_PROTOCOL 0x50
#define ENABLE_LAN_INFO (MSG_PDU + 0x17) /* 2 bytes: length of this part */
#define ENABLE_FRAME (MSG_PDU + 0x1f)    /* 2 bytes: largest frame */
#define ENABLE_LINK_TYPE (MSG_PDU + 0x2b)
#define ENABLE_REPLY_BYTES (ENABLE_LINK_TYPE + 1)
#define ENABLE_PARAMETERS 0x44 /* 2 bytes: length of the parameters */
#define LAN_INFO_WITH_TYPE 0x18
#define LINK_GIGABIT 0x03
#define KIND_ULP 0x41
#define PROTOCOL_LAYER2 0x08
#define HEADER_AT 0x14 /* MSG_HEADER_AT of all messages */
#define IPA_STARTLAN 0x01
#define IPA_STOPLAN 0x02
#define IPA_FROM_ADAPTER 0x01

/** Tokens that the adapter gives; which numbers they are is its own affair. */
enum { TOKEN_ISSUER = 0x45000001, TOKEN_FILTER, TOKEN_CONNECTION, TOKEN_ULP_FILTER, TOKEN_ULP };

bool osa_answer_locked(struct osa *osa, const struct osa_reply *reply)
{
    if (osa->replies == OSA_REPLIES_MAX)
        return false;
    struct osa_reply *copy = malloc(sizeof *copy);
    if (!copy)
        return false;
    copy->len = reply->len;
    memcpy(copy->bytes, reply->bytes, reply->len);
    osa->reply[osa->replies++] = copy;
    return true;
}

void osa_session_end_locked(struct osa *osa)
{
    while (osa->replies)
        free(osa->reply[--osa->replies]);
    for (unsigned i = 0; i < ARRAY_LEN(osa->idx); i++) {
        free(osa->idx[i]);
        osa->idx[i] = NULL;
    }
    u8 own[MAC_BYTES];
    memcpy(own, osa->s.own, MAC_BYTES);
    osa->s = (struct osa_state){0};
    memcpy(osa->s.own, own, MAC_BYTES);
    osa_backlog_drop_locked(osa);
    osa_frames_drop(&osa->waiting);
    if (!osa->port)
        return;
    lan_port_promiscuous(osa->port, false);
    lan_port_isolate(osa->port, LAN_OPEN);
    lan_port_traits(osa->port, &(struct lan_traits){0});
    lan_port_bridge(osa->port, LAN_BRIDGE_NONE);
    lan_mac_clear(osa->port);
}

bool osa_layer_fits(const struct osa *osa)
{
    return !osa->layer || !osa->s.layer || osa->s.layer == osa->layer;
}

/** The level that an adapter answers to a program of this level. */
static u16 peer_level(u16 level)
{
    if ((level & 0xff) == 8)
        return (u16)((level & 0xff) + 0x400);
    if ((level >> 8 & 3) == 1)
        return (u16)((level & 0xff) + 0x200);
    return level;
}

static bool is_idx(const u8 *msg, u32 len)
{
    return len >= IDX_BYTES && !msg[0] && !msg[1] && msg[2] & IDX_MARK &&
           (msg[IDX_KIND] & 3) == 1;
}

/** A control session begins on one of the devices; on read, a new one altogether. */
static bool idx_activate(struct osa *osa, enum osa_role role, const u8 *msg)
{
    static const u8 microcode[4] = {0xc5, 0xf0, 0xf0, 0xf1}; /* E001 */
    struct osa_reply *r = malloc(sizeof *r);
    if (!r)
        return false;
    r->len = IDX_BYTES;
    memcpy(r->bytes, msg, IDX_BYTES);
    r->bytes[IDX_KIND] = (u8)((msg[IDX_KIND] & ~3) | IDX_GRANTED);
    r->bytes[IDX_PORT] = IDX_PORT_NO_NAME;
    be32_store(r->bytes + IDX_TOKEN, TOKEN_ISSUER);
    be16_store(r->bytes + IDX_LEVEL, peer_level(be16_load(msg + IDX_LEVEL)));
    memcpy(r->bytes + IDX_MICROCODE, microcode, sizeof microcode);
    lock_take(&osa->lock);
    if (role == OSA_READ)
        osa_session_end_locked(osa);
    free(osa->idx[role]);
    osa->idx[role] = r;
    osa->s.active[role] = 1;
    lock_drop(&osa->lock);
    osa_bridge_tell(osa);
    return true;
}

static void lengths_set(struct osa_reply *r)
{
    u32 pdu = r->len - MSG_PDU;
    be16_store(r->bytes + MSG_LENGTH, (u16)r->len);
    be16_store(r->bytes + MSG_PDU_LENGTH, (u16)pdu);
    be16_store(r->bytes + MSG_PDU_LENGTH2, (u16)pdu);
    be16_store(r->bytes + MSG_PDU_LENGTH3, (u16)pdu);
}

/** The network takes programs of the other layer: what ends a control session says so, not an
 *  answer. Source: Linux, qeth_core_main.c (qeth_check_idx_response). */
static void terminate(struct osa_reply *r)
{
    memset(r->bytes, 0, IDX_BYTES);
    r->len = IDX_BYTES;
    r->bytes[2] = IDX_TERMINATE;
    r->bytes[4] = IDX_BAD_TRANSPORT_VM;
}

/** ULP enable: which layer the program is on; the answer is longer by the type of the link. */
static void ulp_enable_locked(struct osa *osa, struct osa_reply *r)
{
    u8 *b = r->bytes;
    osa->s.layer = b[ENABLE_PROTOCOL] == PROTOCOL_LAYER2 ? OSA_LAYER2 : OSA_LAYER3;
    u32 more = r->len < ENABLE_REPLY_BYTES ? ENABLE_REPLY_BYTES - r->len : 0;
    r->len += more;
    be16_store(b + ENABLE_PARAMETERS, (u16)(be16_load(b + ENABLE_PARAMETERS) + more));
    be16_store(b + ENABLE_LAN_INFO, LAN_INFO_WITH_TYPE);
    be16_store(b + ENABLE_FRAME,
               osa->config.kind == OSA_HIPERSOCKETS ? iqd_frame(osa) : 0xffff);
    b[ENABLE_LINK_TYPE] = LINK_GIGABIT;
    be32_store(b + ENABLE_TOKEN, TOKEN_ULP_FILTER);
}

/** Connection and protocol management; false: not one of its commands. */
static bool manage_locked(struct osa *osa, struct osa_reply *r, bool ulp)
{
    u8 *b = r->bytes;
    switch (be16_load(b + COMMAND)) {
    case CMD_ENABLE:
        if (r->len < ENABLE_TOKEN + TOKEN_BYTES + 8)
            return false;
        if (ulp)
            ulp_enable_locked(osa, r);
        else
            be32_store(b + ENABLE_TOKEN, TOKEN_FILTER);
        return true;
    case CMD_SETUP:
        if (r->len < SETUP_TOKEN + TOKEN_BYTES)
            return false;
        be32_store(b + SETUP_TOKEN, ulp ? TOKEN_ULP : TOKEN_CONNECTION);
        return true;
    case CMD_ACTIVATE: return ulp;
    default: return false;
    }
}

bool osa_answer_part_locked(struct osa *osa, struct osa_reply *r, u32 theirs)
{
    lengths_set(r);
    be32_store(r->bytes + MSG_SEQUENCE, osa->s.sequence++);
    be32_store(r->bytes + MSG_PDU_SEQUENCE, osa->s.pdu_sequence++);
    be32_store(r->bytes + MSG_PDU_ACK, theirs);
    return osa_answer_locked(osa, r);
}

/** Of a message on the write device, the answer. */
static bool control_locked(struct osa *osa, struct osa_reply *r)
{
    u32 theirs = be32_load(r->bytes + MSG_PDU_SEQUENCE);
    u8 kind = r->bytes[r->bytes[MSG_HEADER_AT] + MSG_KIND];
    if (kind == MSG_KIND_IPA)
        osa_ipa_locked(osa, r);
    else if (!manage_locked(osa, r, kind == KIND_ULP))
        return false;
    if (kind == KIND_ULP && !osa_layer_fits(osa)) {
        terminate(r);
        return osa_answer_locked(osa, r);
    }
    return osa_answer_part_locked(osa, r, theirs);
}

/** An IP assist command of the adapter's own: its headers as the program's have them. */
bool osa_event_locked(struct osa *osa, u8 command, const u8 *operands, u32 len)
{
    if (!osa->s.active[OSA_WRITE] || osa->s.layer == OSA_LAYER_NONE)
        return false; /* it asks when it starts the LAN */
    struct osa_reply *r = calloc(1, sizeof *r);
    if (!r)
        return false;
    u8 *b = r->bytes, *cmd = b + MSG_PDU;
    r->len = MSG_PDU + IPA_HEADER_BYTES + len;
    b[1] = 0xe0;
    b[MSG_HEADER_AT] = HEADER_AT;
    b[HEADER_AT] = 0x10;
    b[HEADER_AT + MSG_KIND] = MSG_KIND_IPA;
    b[HEADER_AT + 0x11] = 0x24;
    b[MSG_PDU - 1] = MSG_PDU;
    cmd[0] = command;
    cmd[1] = IPA_FROM_ADAPTER;
    if (len)
        memcpy(cmd + IPA_HEADER_BYTES, operands, len);
    lengths_set(r);
    be32_store(b + MSG_SEQUENCE, osa->s.sequence++);
    be32_store(b + MSG_PDU_SEQUENCE, osa->s.pdu_sequence++);
    bool told = osa_answer_locked(osa, r);
    free(r);
    return told;
}

bool osa_lan_event_locked(struct osa *osa, bool started)
{
    return osa_event_locked(osa, started ? IPA_STARTLAN : IPA_STOPLAN, NULL, 0);
}

/** A message and what the network hears because of it: whether an address is there, that it is. */
static bool control(struct osa *osa, struct osa_reply *r)
{
    struct osa_frames out;
    osa_frames_init(&out);
    osa_ip_probe(osa, r);
    lock_take(&osa->lock);
    bool good = osa->s.active[OSA_READ] && osa->s.active[OSA_WRITE] && control_locked(osa, r);
    if (osa->announce && osa->s.ips)
        osa_near_announce_locked(osa, osa->s.ip[osa->s.ips - 1], &out);
    osa->announce = false;
    lock_drop(&osa->lock);
    osa_frames_send(osa, &out);
    osa_bridge_tell(osa);
    return good;
}

bool osa_message(struct osa *osa, enum osa_role role, const u8 *msg, u32 len)
{
    if (is_idx(msg, len))
        return idx_activate(osa, role, msg);
    if (role != OSA_WRITE || len < MSG_PDU + 4 || len > OSA_MESSAGE_MAX ||
        msg[MSG_HEADER_AT] != HEADER_AT)
        return false;
    struct osa_reply *r = calloc(1, sizeof *r);
    if (!r)
        return false;
    r->len = len;
    memcpy(r->bytes, msg, len);
    bool good = control(osa, r);
    free(r);
    return good;
}
