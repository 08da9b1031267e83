/* May an adapter move? What its port may where it is goes to the other member, which compares it
 * with what it would let it. */
#include <stdio.h>
#include <string.h>

#include "hyp/cp/cp_net.h"

#define RANGES_MAX 8u /* of VLANs; sets with more are compared as a whole */
#define RANGES_DIGEST 0xff

/* Where what is. */
enum need_at {
    AT_FLAGS,
    AT_RANGES,
    AT_PORT,
    AT_RANGE = 4,
    AT_DIGEST = 4,
    AT_LAN_KIND = 4,
    AT_BRIDGE,
    AT_UPLINK = 4 /* device number of an uplink, which needs no VLANs by name */
};
#define BRIDGE_BYTES (DIR_NAME_BYTES - 1)
_Static_assert(AT_RANGE + 4 * RANGES_MAX <= CP_NIC_NEED_BYTES, "all ranges have room");

enum {
    NEED_IP = 1,
    NEED_VLANS = 2, /* the switch knows VLANs */
    NEED_TRUNK = 4,
    NEED_PROMISCUOUS = 8,
    NEED_AUTHORIZED = 16, /* by its NICDEF, which goes along */
    /* A LAN of HiperSockets, of a kind. With NEED_VLANS, which no LAN has, so that a member of an
     * older release, where it would be another network, refuses it. */
    NEED_LAN = 32,
    NEED_UPLINK = 64, /* it is the uplink of its switch */
};

static u64 digest(const struct vlan_set *set)
{
    u64 h = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < sizeof set->bits; i++)
        h = (h ^ set->bits[i]) * 0x100000001b3ull;
    return h;
}

static void vlans_put(const struct vlan_set *set, u8 *need)
{
    unsigned n = 0;
    for (u32 v = 1; v <= VLAN_ID_MAX; v++) {
        u32 last = v;
        if (!vlan_has(set, (u16)v))
            continue;
        while (vlan_has(set, (u16)(last + 1)))
            last++;
        if (n == RANGES_MAX) {
            need[AT_RANGES] = RANGES_DIGEST;
            be64_store(need + AT_DIGEST, digest(set));
            return;
        }
        be16_store(need + AT_RANGE + 4 * n, (u16)v);
        be16_store(need + AT_RANGE + 4 * n++ + 2, (u16)last);
        v = last;
    }
    need[AT_RANGES] = (u8)n;
}

bool cp_user_nic(struct cp_user *user, unsigned i, struct cp_nic_row *out)
{
    const struct cp_nic *nic = user->nics;
    while (nic && i--)
        nic = nic->next;
    if (!nic)
        return false;
    *out = (struct cp_nic_row){.vdev = nic->vdev};
    const struct vswitch *sw = nic->sw;
    if (!sw)
        return true;
    strcpy(out->lan, sw->name);
    const struct vswitch *over = vswitch_over(user->cp->nets, sw);
    out->guest_lan = sw->guest_lan && !over;
    out->need[AT_FLAGS] =
        (u8)((sw->ip ? NEED_IP : 0) | (sw->vlan_aware ? NEED_VLANS : 0) |
             (nic->rules.type == LAN_TRUNK ? NEED_TRUNK : 0) |
             (nic->rules.promiscuous ? NEED_PROMISCUOUS : 0) |
             (nic->authorized ? NEED_AUTHORIZED : 0) | (nic->rules.uplink ? NEED_UPLINK : 0) |
             (sw->guest_lan ? NEED_LAN | NEED_VLANS : 0));
    be16_store(out->need + AT_PORT, nic->port_wanted);
    if (sw->guest_lan)
        out->need[AT_LAN_KIND] = vswitch_ivl_kind(sw);
    if (over && over != sw)
        memcpy(out->need + AT_BRIDGE, over->name, strlen(over->name));
    if (nic->rules.uplink)
        be16_store(out->need + AT_UPLINK, nic->vdev);
    else if (sw->vlan_aware)
        vlans_put(&nic->rules.allowed, out->need);
    return true;
}

/* --- destination ------------------------------------------------------------------------------ */

/* A VLAN that is needed and not in `here`; 0: there is none, ~0: nobody can tell which. */
static u16 vlan_missing(const u8 *need, const struct vlan_set *here)
{
    if (need[AT_RANGES] == RANGES_DIGEST)
        return be64_load(need + AT_DIGEST) == digest(here) ? 0 : UINT16_MAX;
    for (unsigned i = 0; i < need[AT_RANGES] && i < RANGES_MAX; i++) {
        u32 last = be16_load(need + AT_RANGE + 4 * i + 2);
        for (u32 v = be16_load(need + AT_RANGE + 4 * i); v <= last; v++)
            if (!vlan_has(here, (u16)v))
                return v > VLAN_ID_MAX || !v ? UINT16_MAX : (u16)v;
    }
    return 0;
}

static bool port_used(struct cp *cp, const struct vswitch *sw, u16 port)
{
    for (struct cp_user *user = cp->users; user; user = user->next)
        for (const struct cp_nic *nic = user->nics; nic; nic = nic->next)
            if (nic->sw == sw && nic->port == port)
                return true;
    return false;
}

/* Are the LANs here and there one network over members, by themselves or by the same switch? */
static bool over_the_same(struct cp *cp, const struct vswitch *lan, const u8 *need)
{
    char bridge[DIR_NAME_BYTES] = "";
    const struct vswitch *over = vswitch_over(cp->nets, lan);
    memcpy(bridge, need + AT_BRIDGE, BRIDGE_BYTES);
    return over && (over == lan ? !*bridge : !strcmp(bridge, over->name));
}

/* What the switch, or LAN, lacks as a whole; NULL: nothing. */
static const char *switch_lacks(struct cp *cp, const struct vswitch *sw, const char *userid,
                                const u8 *need)
{
    u8 flags = need[AT_FLAGS];
    u16 port = be16_load(need + AT_PORT);
    unsigned max = sw->connections_max ? sw->connections_max : VSWITCH_CONNECTIONS_MAX;
    bool lan = flags & NEED_LAN;
    if (lan != sw->guest_lan || lan != sw->hipersockets)
        return lan ? ": type QDIO" : ": a guest LAN";
    if (sw->ip != !!(flags & NEED_IP))
        return sw->ip ? ": transport IP" : ": transport ETHERNET";
    if (lan && vswitch_ivl_kind(sw) != need[AT_LAN_KIND])
        return ": MFS";
    if (lan && !over_the_same(cp, sw, need))
        return vswitch_over(cp->nets, sw) ? ": BRIDGEPORT" : ": of one member";
    if (!lan && sw->vlan_aware != !!(flags & NEED_VLANS))
        return sw->vlan_aware ? ": VLAN aware" : ": VLAN unaware";
    if (flags & NEED_UPLINK && !vswitch_is_uplink(sw, userid, be16_load(need + AT_UPLINK)))
        return ": UPLINK NIC";
    if (sw->coupled >= max)
        return ": MAXCONN";
    return port && port_used(cp, sw, port) ? ": port in use" : NULL;
}

/* What the rules of its port there would lack; "": nothing. */
static void port_lacks(const struct vswitch *sw, const u8 *need, const struct lan_rules *here,
                       char *why, size_t room)
{
    u8 flags = need[AT_FLAGS];
    bool trunk = flags & NEED_TRUNK;
    u16 vlan = sw->vlan_aware ? vlan_missing(need, &here->allowed) : 0;
    *why = 0;
    if (flags & NEED_UPLINK) /* all of what the others are asked for it has */
        return;
    if (sw->vlan_aware && trunk != (here->type == LAN_TRUNK))
        snprintf(why, room, ": PORTTYPE %s", trunk ? "TRUNK" : "ACCESS");
    else if (vlan == UINT16_MAX)
        snprintf(why, room, ": VLANs");
    else if (vlan)
        snprintf(why, room, ": VLAN %04u", vlan);
    else if (flags & NEED_PROMISCUOUS && !here->promiscuous)
        snprintf(why, room, ": PROMISCUOUS");
}

bool cp_nic_here(struct cp *cp, const char *userid, const char *lan,
                 const u8 need[CP_NIC_NEED_BYTES], char *why, size_t room)
{
    struct vswitches *all = cp_nets(cp);
    const struct vswitch *sw = all ? vswitch_find(all, NET_SYSTEM, lan) : NULL;
    struct lan_rules here;
    struct cause ignored;
    char lacks[32] = "";
    bool authorized =
        all && need[AT_FLAGS] & NEED_AUTHORIZED && vswitches_limits(all)->directory_grants;
    const struct net_applicant who = {
        .userid = userid, .port = be16_load(need + AT_PORT), .authorized = authorized};
    const char *text = sw ? switch_lacks(cp, sw, userid, need) : "";
    if (!text && !authorized && vswitch_rules(sw, &who, &here, &ignored))
        text = "";
    if (!text && !authorized)
        port_lacks(sw, need, &here, lacks, sizeof lacks);
    if (!text && !*lacks)
        return true;
    snprintf(why, room, "%s SYSTEM %s%s", need[AT_FLAGS] & NEED_LAN ? "LAN" : "VSWITCH", lan,
             text ? text : lacks);
    return false;
}
