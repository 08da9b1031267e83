/* Bridge ports: a program in layer 2 has its adapter get what is for stations that the network does
 * not know, because it has a bridge behind it. SETBRIDGEPORT gives and takes the role, says which
 * the adapter has and whether it is the active one; the adapter tells when that changes.
 * Not with VNIC characteristics; only where the port may be promiscuous (lan_rules). Whose
 * addresses there are is not told (PERFORM NETWORK SUBCHANNEL OPERATION of CHSC).
 * Source: Linux, drivers/s390/net/qeth_core_mpc.h, qeth_l2_main.c; "Device Drivers, Features, and
 * Commands", bridge ports. */
#include "io/net/osa_internal.h"

/* The command, behind the header of all. */
#define SUPPORTED 0
#define ENABLED 4
#define COMMAND 12
#define RETURN_CODE 16
#define PARTS 18 /* and which it is */
#define DATA 24u

#define QUERY_COMMANDS 0x00u
#define RESET_ROLE 0x01u
#define SET_PRIMARY 0x02u
#define SET_SECONDARY 0x04u
#define QUERY_PORTS 0x08u
#define STATE_CHANGE 0x10u
#define ALL (RESET_ROLE | SET_PRIMARY | SET_SECONDARY | QUERY_PORTS)

/* Return codes; an OSA adapter has them with 2B in front, in both headers. */
#define RC_UNSUPPORTED 0x04
#define RC_NOT_CONFIGURED 0x0c
#define RC_OTHER_IS_PRIMARY 0x14
#define RC_IS_SECONDARY 0x18
#define RC_SECONDARIES_FULL 0x1c
#define RC_NOT_AUTHORIZED 0x20
#define RC_IS_PRIMARY 0x24
#define RC_OSA 0x2b00

/* What is told of ports: can there be either, how many, bytes of each; then each. */
#define PORT_PRIMARY 0
#define PORT_SECONDARY 1
#define PORT_COUNT 2
#define PORT_ENTRY_BYTES 3
#define PORTS_HEADER 4u
#define ENTRY_ROLE 0
#define ENTRY_STATE 1
#define ENTRY_DEVNO 4
#define ENTRY_BYTES 12u

enum state { INACTIVE, STANDBY, ACTIVE };

static u8 role_of(const struct osa *osa)
{
    return osa->s.layer2[OSA_L2_BRIDGE];
}

/** The adapter's own port, which is the only one that is told of. */
static void ports_put(struct osa *osa, u8 *d)
{
    u8 *e = d + PORTS_HEADER;
    bool active = osa->port && lan_port_bridge_active(osa->port);
    memset(d, 0, PORTS_HEADER + ENTRY_BYTES);
    d[PORT_PRIMARY] = d[PORT_SECONDARY] = d[PORT_COUNT] = 1;
    d[PORT_ENTRY_BYTES] = ENTRY_BYTES;
    e[ENTRY_ROLE] = role_of(osa);
    e[ENTRY_STATE] = role_of(osa) == LAN_BRIDGE_NONE ? INACTIVE : active ? ACTIVE : STANDBY;
    be16_store(e + ENTRY_DEVNO, osa->config.devno);
}

static u16 set_role(struct osa *osa, enum lan_bridge role)
{
    if (role_of(osa) == LAN_BRIDGE_PRIMARY)
        return RC_IS_PRIMARY;
    if (role_of(osa) == LAN_BRIDGE_SECONDARY)
        return RC_IS_SECONDARY;
    if (!osa->port || osa_vnicc(osa) != VNICC_DEFAULT)
        return RC_NOT_AUTHORIZED;
    int rc = lan_port_bridge(osa->port, role);
    if (rc)
        return rc == ST_REFUSED ? RC_NOT_AUTHORIZED
               : rc == ST_EXIST ? RC_OTHER_IS_PRIMARY
                                : RC_SECONDARIES_FULL;
    osa->s.layer2[OSA_L2_BRIDGE] = (u8)role;
    return 0;
}

static u16 reset_role(struct osa *osa)
{
    if (role_of(osa) == LAN_BRIDGE_NONE)
        return RC_NOT_CONFIGURED;
    osa->s.layer2[OSA_L2_BRIDGE] = LAN_BRIDGE_NONE;
    if (osa->port)
        lan_port_bridge(osa->port, LAN_BRIDGE_NONE);
    return 0;
}

static u16 perform(struct osa_ipa *p)
{
    switch (be32_load(p->data + COMMAND)) {
    case QUERY_COMMANDS:
        p->need = DATA + 8;
        be32_store(p->data + DATA, ALL);
        return 0;
    case QUERY_PORTS:
        p->need = DATA + PORTS_HEADER + ENTRY_BYTES;
        ports_put(p->osa, p->data + DATA);
        return 0;
    case RESET_ROLE: return reset_role(p->osa);
    case SET_PRIMARY: return set_role(p->osa, LAN_BRIDGE_PRIMARY);
    case SET_SECONDARY: return set_role(p->osa, LAN_BRIDGE_SECONDARY);
    default: return RC_UNSUPPORTED;
    }
}

static u16 bridge_port(struct osa_ipa *p, enum osa_kind kind)
{
    if (!osa_has_traits(p->osa) || p->osa->config.kind != kind)
        return osa_ipa_unsupported(p->osa);
    u16 rc = perform(p);
    if (rc > RC_UNSUPPORTED && kind == OSA_QDIO)
        rc |= RC_OSA;
    be32_store(p->data + SUPPORTED, ALL);
    be32_store(p->data + ENABLED, ALL);
    be16_store(p->data + RETURN_CODE, rc);
    p->data[PARTS] = p->data[PARTS + 1] = 1;
    return kind == OSA_QDIO ? rc : IPA_SUCCESS;
}

u16 osa_ipa_bridge_port_osa(struct osa_ipa *p)
{
    return bridge_port(p, OSA_QDIO);
}

u16 osa_ipa_bridge_port_iqd(struct osa_ipa *p)
{
    return bridge_port(p, OSA_HIPERSOCKETS);
}

bool osa_bridge_event_locked(struct osa *osa)
{
    u8 data[DATA + PORTS_HEADER + ENTRY_BYTES] = {0};
    be32_store(data + SUPPORTED, ALL);
    be32_store(data + ENABLED, ALL);
    be16_store(data + 8, sizeof data - 8);
    be32_store(data + COMMAND, STATE_CHANGE);
    data[PARTS] = data[PARTS + 1] = 1;
    ports_put(osa, data + DATA);
    return osa_has_traits(osa) &&
           osa_event_locked(
               osa, osa->config.kind == OSA_QDIO ? IPA_BRIDGE_PORT_OSA : IPA_BRIDGE_PORT_IQD,
               data, sizeof data);
}
