/* VNIC characteristics of a program in layer 2: which frames it gets besides those for its
 * addresses, and who may take these. The network does most of it (struct lan_traits).
 * A characteristic is a bit; commands are about one. What CP does not let a port see or send it
 * does not get by them either: see lan_rules.
 * Source: Linux, drivers/s390/net/qeth_core_mpc.h, qeth_l2_main.c; "Device Drivers, Features, and
 * Commands", advanced packet handling. Bounds of the timeout are ours. */
#include "io/net/osa_internal.h"

/* The command, behind the header of all. */
#define SUPPORTED 0
#define ENABLED 4
#define SUB_COMMAND 12
#define WHICH 16u
#define COMMANDS (WHICH + 4u)
#define TIMEOUT (WHICH + 4u)
#define DATA_MAX (WHICH + 8u)

#define QUERY_CHARACTERISTICS 0x00u
#define QUERY_COMMANDS 0x01u
#define ENABLE 0x02u
#define DISABLE 0x04u
#define SET_TIMEOUT 0x08u
#define GET_TIMEOUT 0x10u

#define RC_OUT_OF_SEQUENCE 0x0005
#define RC_IS_BRIDGE_PORT 0x20b0

#define LEARNING_S 600u /* unless the program says something else */
#define LEARNING_S_MIN 60u
#define LEARNING_S_MAX 86400u

bool osa_has_traits(const struct osa *osa)
{
    return osa->s.layer == OSA_LAYER2;
}

u32 osa_vnicc(const struct osa *osa)
{
    return ((u32)osa->s.layer2[OSA_L2_CHANGED] << 24 & VNICC_ALL) ^ VNICC_DEFAULT;
}

static u32 learning_s(const struct osa *osa)
{
    u32 s = be32_load(osa->s.layer2 + OSA_L2_LEARNING);
    return s ? s : LEARNING_S;
}

bool osa_vnicc_valid(const struct osa_state *s)
{
    u32 learning = be32_load(s->layer2 + OSA_L2_LEARNING);
    return !learning || (learning >= LEARNING_S_MIN && learning <= LEARNING_S_MAX);
}

void osa_vnicc_apply_locked(struct osa *osa)
{
    u32 on = osa_vnicc(osa);
    const struct lan_traits traits = {
        .flooding = on & VNICC_FLOODING,
        .flooding_from_outside = osa->config.kind == OSA_QDIO,
        .learning = on & VNICC_LEARNING,
        .learning_s = learning_s(osa),
        .yields_set = on & VNICC_TAKEOVER_SETVMAC,
        .yields_learning = on & VNICC_TAKEOVER_LEARNING,
        .bridge_invisible = on & VNICC_BRIDGE_INVISIBLE,
    };
    if (osa->port)
        lan_port_traits(osa->port, &traits);
}

/** One that there is. */
static bool is_one(u32 which)
{
    return which & VNICC_ALL && !(which & (which - 1));
}

static u16 enable(struct osa *osa, u32 which, bool on)
{
    if (osa->s.layer2[OSA_L2_BRIDGE] != LAN_BRIDGE_NONE)
        return RC_IS_BRIDGE_PORT;
    if (!(osa_vnicc(osa) & which) == !on)
        return RC_OUT_OF_SEQUENCE;
    osa->s.layer2[OSA_L2_CHANGED] ^= (u8)(which >> 24);
    osa_vnicc_apply_locked(osa);
    return IPA_SUCCESS;
}

static u16 set_timeout(struct osa *osa, u32 seconds)
{
    if (osa->s.layer2[OSA_L2_BRIDGE] != LAN_BRIDGE_NONE)
        return RC_IS_BRIDGE_PORT;
    if (seconds < LEARNING_S_MIN || seconds > LEARNING_S_MAX)
        return IPA_INVALID_FORMAT;
    be32_store(osa->s.layer2 + OSA_L2_LEARNING, seconds);
    osa_vnicc_apply_locked(osa);
    return IPA_SUCCESS;
}

static u16 about_one(struct osa_ipa *p, u32 command, u32 which)
{
    switch (command) {
    case QUERY_COMMANDS:
        be32_store(p->data + COMMANDS,
                   QUERY_COMMANDS | ENABLE | DISABLE |
                       (which == VNICC_LEARNING ? SET_TIMEOUT | GET_TIMEOUT : 0));
        return IPA_SUCCESS;
    case ENABLE:
    case DISABLE: return enable(p->osa, which, command == ENABLE);
    case SET_TIMEOUT:
        return which == VNICC_LEARNING ? set_timeout(p->osa, be32_load(p->data + TIMEOUT))
                                       : IPA_UNSUPPORTED_COMMAND;
    case GET_TIMEOUT:
        be32_store(p->data + TIMEOUT, learning_s(p->osa));
        return which == VNICC_LEARNING ? IPA_SUCCESS : IPA_UNSUPPORTED_COMMAND;
    default: return IPA_UNSUPPORTED_COMMAND;
    }
}

u16 osa_ipa_characteristics(struct osa_ipa *p)
{
    u32 command = be32_load(p->data + SUB_COMMAND);
    u32 which = p->len >= WHICH + 4 ? be32_load(p->data + WHICH) : 0;
    u16 rc = IPA_SUCCESS;
    if (!osa_has_traits(p->osa))
        return osa_ipa_unsupported(p->osa);
    if (p->len < DATA_MAX && command == SET_TIMEOUT)
        return IPA_INVALID_FORMAT;
    if (command != QUERY_CHARACTERISTICS) {
        p->need = DATA_MAX;
        rc = is_one(which) ? about_one(p, command, which) : IPA_INVALID_FORMAT;
    }
    be32_store(p->data + SUPPORTED, VNICC_ALL);
    be32_store(p->data + ENABLED, osa_vnicc(p->osa));
    return rc;
}
