/* The network adapters of users: they come and go, are coupled with virtual networks, and keep to
 * the rules of those. The address of one is the cluster's: while it is there, the member has a
 * claim on it, which goes along with a relocation. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_net.h"

#define MAC_PREFIX_DEFAULT 0x020000u /* behind it the member's slot */
#define MAC_TRIES_MAX 256u           /* addresses that other members have */

static u32 prefix_of(const char *hex, u32 otherwise)
{
    u64 v;
    return *hex && scan_hex(hex, 0xffffff, &v) ? (u32)v : otherwise;
}

void cp_net_news(void *ctx)
{
    const struct cp *cp = ctx;
    if (cp->ports.net_wakeup)
        cp->ports.net_wakeup(cp->ports.ctx);
}

struct vswitches *cp_nets(struct cp *cp)
{
    const struct uplink_events events = {cp, cp_net_news};
    const struct system_config *c = cp->config;
    u32 own = MAC_PREFIX_DEFAULT + c->slot;
    if (cp->nets)
        return cp->nets;
    cp->nets = vswitches_create(prefix_of(c->mac_prefix, own),
                                prefix_of(c->user_prefix, MAC_PREFIX_DEFAULT), &events);
    if (cp->nets)
        vswitches_rdevs(cp->nets, cp->ports.rdevs);
    if (cp->nets && cp->ivls)
        vswitches_cluster(cp->nets, ivl_ssi_ivls(cp->ivls));
    return cp->nets;
}

void cp_net_fini(struct cp *cp)
{
    if (cp->nics_timer)
        cp->ports.timer_cancel(cp->ports.ctx, cp->nics_timer);
    vswitches_destroy(cp->nets);
    cp->nets = NULL;
}

struct cp_nic *cp_nic_at(struct cp_user *user, u16 vdev)
{
    struct cp_nic *nic = user->nics;
    while (nic && (vdev < nic->vdev || vdev >= nic->vdev + CP_NIC_DEVICES))
        nic = nic->next;
    return nic;
}

/* --- addresses ------------------------------------------------------------------------------ */

/* The name of a claim on it. */
static void claim_name(const u8 *mac, char out[2 * MAC_BYTES + 1])
{
    for (unsigned i = 0; i < MAC_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02X", mac[i]);
}

static int claim(struct cp *cp, const u8 *mac, struct cause *cause)
{
    char name[2 * MAC_BYTES + 1], text[MAC_TEXT_BYTES], owner[CONFIG_NAME_BYTES] = "";
    if (!cp->cluster || !cp->cluster->mac_claim)
        return ST_OK;
    claim_name(mac, name);
    int rc = cp->cluster->mac_claim(cp->cluster_ctx, name, owner, cause);
    return rc == ST_EXIST
               ? cause_set(cause, rc, "%s is in use on %s", mac_text(mac, text), owner)
               : rc;
}

/* A certain address, which nobody else of the cluster has. The claim on that of a user who arrives
 * is still where it comes from. */
static int take_mac(struct cp_user *user, const u8 *mac, struct cause *cause)
{
    char text[MAC_TEXT_BYTES];
    struct mac_pool *macs = vswitches_macs(user->cp->nets);
    if (!mac_pool_take_this(macs, mac))
        return cause_set(cause, ST_EXIST, "%s is in use", mac_text(mac, text));
    int rc = user->incoming ? ST_OK : claim(user->cp, mac, cause);
    if (rc)
        mac_pool_give(macs, mac);
    return rc;
}

/* The next address; those that other members have are passed over. */
static int take_any_mac(struct cp *cp, u8 *mac, struct cause *cause)
{
    struct mac_pool *macs = vswitches_macs(cp->nets);
    int rc = ST_EXIST;
    for (unsigned i = 0; rc == ST_EXIST && i < MAC_TRIES_MAX; i++) {
        if (!mac_pool_take(macs, mac))
            return cause_set(cause, ST_LIMIT, "no network address is left");
        rc = claim(cp, mac, cause);
        if (rc)
            mac_pool_give(macs, mac);
    }
    return rc;
}

/* Nobody has it any more, or the member has that the user is on now. */
static void give_mac(struct cp_user *user, const u8 *mac, bool moved)
{
    struct cp *cp = user->cp;
    char name[2 * MAC_BYTES + 1];
    claim_name(mac, name);
    mac_pool_give(vswitches_macs(cp->nets), mac);
    if (!cp->cluster || !cp->cluster->mac_claim)
        return;
    if (moved)
        cp->cluster->mac_follow(cp->cluster_ctx, name, user->userid);
    else
        cp->cluster->mac_release(cp->cluster_ctx, name);
}

int cp_nics_claim(struct cp_user *user, struct cause *cause)
{
    const struct cp_nic *nic = user->nics;
    int rc = ST_OK;
    while (nic && (rc = claim(user->cp, nic->mac, cause)) == ST_OK)
        nic = nic->next;
    for (const struct cp_nic *had = user->nics; rc && had != nic; had = had->next) {
        char name[2 * MAC_BYTES + 1];
        claim_name(had->mac, name);
        user->cp->cluster->mac_release(user->cp->cluster_ctx, name);
    }
    return rc;
}

#define RECLAIM_MS 2000

static bool reclaim_user(struct cp_user *user)
{
    struct cause cause;
    bool all = true;
    for (const struct cp_nic *nic = user->nics; nic && !user->incoming; nic = nic->next) {
        int rc = claim(user->cp, nic->mac, &cause);
        all &= rc == ST_OK || rc == ST_EXIST;
        if (rc == ST_EXIST)
            cp_operator_tell(user->cp, "NIC %04X of %s: %s", nic->vdev, user->userid,
                             cause.text);
    }
    return all;
}

static void reclaim(void *arg)
{
    struct cp *cp = arg;
    bool all = true;
    cp->nics_timer = 0;
    for (struct cp_user *user = cp->users; user; user = user->next)
        all &= reclaim_user(user);
    if (!all)
        cp_nics_reclaim(cp);
}

void cp_nics_reclaim(struct cp *cp)
{
    if (!cp->nics_timer)
        cp->nics_timer = cp->ports.timer_start(cp->ports.ctx, RECLAIM_MS, reclaim, cp);
}

/* --- come and go ---------------------------------------------------------------------------- */

static int attach(struct cp_user *user, const struct cp_nic *nic, bool announce,
                  struct cause *cause)
{
    const struct vm_nic_kind kind = {.hipersockets = nic->hipersockets};
    return user->cp->ports.vm->nic_attach(user->vm, nic->vdev, nic->mac, &kind, announce,
                                          cause);
}

int cp_nic_create(struct cp_user *user, const struct cp_nic *like, bool has_mac, bool announce,
                  struct cp_nic **out, struct cause *cause)
{
    struct vswitches *all = cp_nets(user->cp);
    struct cp_nic *nic = all ? malloc(sizeof *nic) : NULL;
    if (!nic)
        return cause_set(cause, ST_NOMEM, "no memory for an adapter");
    *nic = *like;
    nic->sw = NULL;
    int rc =
        has_mac ? take_mac(user, nic->mac, cause) : take_any_mac(user->cp, nic->mac, cause);
    if (rc == ST_OK && (rc = attach(user, nic, announce, cause)))
        give_mac(user, nic->mac, user->incoming);
    if (rc) {
        free(nic);
        return rc;
    }
    nic->next = user->nics;
    user->nics = *out = nic;
    return ST_OK;
}

static void detach(struct cp_user *user, const struct cp_nic *nic)
{
    struct cause ignored;
    for (unsigned i = 0; i < CP_NIC_DEVICES; i++)
        user->cp->ports.vm->device_detach(user->vm, (u16)(nic->vdev + i), true, &ignored);
}

static void take_out(struct cp_user *user, struct cp_nic *nic)
{
    struct cp_nic **at = &user->nics;
    while (*at != nic)
        at = &(*at)->next;
    *at = nic->next;
    free(nic);
}

void cp_nic_destroy(struct cp_user *user, struct cp_nic *nic, bool machine)
{
    cp_nic_uncouple(user, nic);
    if (machine)
        detach(user, nic);
    give_mac(user, nic->mac, false);
    take_out(user, nic);
}

int cp_nic_set_mac(struct cp_user *user, struct cp_nic *nic, const u8 mac[MAC_BYTES],
                   struct cause *cause)
{
    int rc = take_mac(user, mac, cause);
    if (rc)
        return rc;
    detach(user, nic);
    give_mac(user, nic->mac, false);
    memcpy(nic->mac, mac, MAC_BYTES);
    rc = attach(user, nic, true, cause);
    if (rc) {
        give_mac(user, nic->mac, false);
        take_out(user, nic);
    }
    return rc;
}

/* Is the adapter that a switch has as its uplink there? The operator hears of it. */
static void uplink_settle(struct cp *cp, struct vswitch *sw)
{
    bool there = false;
    for (struct cp_user *user = cp->users; user; user = user->next)
        for (const struct cp_nic *nic = user->nics; nic; nic = nic->next)
            there |= nic->sw == sw && nic->rules.uplink;
    if (!*sw->outside.nic_user || there == sw->uplink_up)
        return;
    vswitch_nic_uplink(sw, there);
    cp_net_tell_uplink(cp, sw);
}

/* A transient guest LAN lives as long as its owner is logged on or something is coupled. */
static void settle(struct cp *cp, struct vswitch *sw)
{
    if (sw->guest_lan && sw->transient && !sw->coupled && !cp_user_find(cp, sw->owner))
        vswitch_remove(cp->nets, sw);
}

void cp_nics_end(struct cp_user *user, bool moved)
{
    struct cp *cp = user->cp;
    struct vswitch *sw, *next;
    while (user->nics) {
        struct cp_nic *nic = user->nics;
        sw = nic->sw;
        if (sw)
            sw->coupled--; /* its port went with the machine */
        give_mac(user, nic->mac, moved);
        take_out(user, nic);
        if (!sw)
            continue;
        uplink_settle(cp, sw);
        settle(cp, sw);
    }
    for (sw = cp->nets ? vswitch_next(cp->nets, NULL) : NULL; sw; sw = next) {
        next = vswitch_next(cp->nets, sw);
        if (!strcmp(sw->owner, user->userid))
            settle(cp, sw);
    }
}

/* --- coupling ------------------------------------------------------------------------------- */

/* The port numbers of a network that are in use. */
static void ports_used(struct cp *cp, const struct vswitch *sw, bool used[VSWITCH_PORT_MAX + 1])
{
    memset(used, 0, VSWITCH_PORT_MAX + 1);
    for (struct cp_user *user = cp->users; user; user = user->next)
        for (struct cp_nic *nic = user->nics; nic; nic = nic->next)
            if (nic->sw == sw)
                used[nic->port] = true;
}

/* The port number that it gets: that which is wanted, else the lowest that is free: one of the
 * user's on a switch that is based on ports, unless its NICDEF is the grant. */
static int choose_port(struct cp_user *user, const struct cp_nic *nic, const struct vswitch *sw,
                       u16 *port, struct cause *cause)
{
    char text[NET_NAME_TEXT_BYTES];
    bool used[VSWITCH_PORT_MAX + 1];
    ports_used(user->cp, sw, used);
    *port = nic->port_wanted;
    if (*port)
        return !used[*port] ? ST_OK
                            : cause_set(cause, ST_EXIST, "port %u of %s is in use", *port,
                                        vswitch_text(sw, text));
    bool needs = sw->port_based && !nic->authorized;
    for (u16 n = 1; n <= VSWITCH_PORT_MAX; n++) {
        bool other = needs ? !vswitch_grant_find(sw, user->userid, n)
                           : vswitch_grant_find(sw, NULL, n) != NULL;
        if (used[n] || other)
            continue;
        *port = n;
        return ST_OK;
    }
    if (needs) /* vswitch_rules says that it is not authorized */
        return ST_OK;
    return cause_set(cause, ST_LIMIT, "%s has no port left", vswitch_text(sw, text));
}

static bool protects(const struct cp_user *user, const struct cp_nic *nic,
                     const struct vswitch *sw)
{
    enum net_switchable said = nic->protect ? nic->protect : sw->mac_protect;
    return said ? said == NET_ON : vswitches_limits(user->cp->nets)->mac_protect;
}

static int rules_of(struct cp_user *user, const struct cp_nic *nic, const struct vswitch *sw,
                    u16 port, struct lan_rules *out, struct cause *cause)
{
    bool authorized = nic->authorized && vswitches_limits(user->cp->nets)->directory_grants;
    const struct net_applicant who = {
        .userid = user->userid,
        .port = sw->port_based || nic->port_wanted ? port : 0,
        .option = authorized ? &nic->option : NULL,
        .authorized = authorized,
    };
    int rc = vswitch_rules(sw, &who, out, cause);
    out->protect = protects(user, nic, sw);
    memcpy(out->own, nic->mac, MAC_BYTES);
    out->uplink = vswitch_is_uplink(sw, user->userid, nic->vdev);
    if (out->uplink) { /* as uplinks are */
        out->protect = out->promiscuous = false;
        out->type = LAN_TRUNK;
        memset(&out->allowed, 0xff, sizeof out->allowed);
    }
    return rc;
}

/* Has the network room for it, and is it of its kind? */
static int check_couple(const struct cp_nic *nic, const struct vswitch *sw, struct cause *cause)
{
    char text[NET_NAME_TEXT_BYTES];
    unsigned max = sw->connections_max ? sw->connections_max : VSWITCH_CONNECTIONS_MAX;
    if (nic->hipersockets != sw->hipersockets)
        return cause_set(cause, ST_INVAL, "%s is of type %s", vswitch_text(sw, text),
                         sw->hipersockets ? "HIPERS" : "QDIO");
    if (sw->coupled >= max)
        return cause_set(cause, ST_LIMIT, "%s has %u connections, which is its MAXCONN",
                         vswitch_text(sw, text), max);
    return ST_OK;
}

int cp_nic_couple(struct cp_user *user, struct cp_nic *nic, struct vswitch *sw,
                  struct cause *cause)
{
    struct lan_rules rules;
    u16 port = 0;
    int rc = check_couple(nic, sw, cause);
    if (rc == ST_OK)
        rc = choose_port(user, nic, sw, &port, cause);
    if (rc == ST_OK)
        rc = rules_of(user, nic, sw, port, &rules, cause);
    if (rc == ST_OK)
        rc = user->cp->ports.vm->nic_couple(user->vm, nic->vdev, sw->lan, &rules, cause);
    if (rc)
        return rc;
    nic->sw = sw;
    nic->port = port;
    nic->rules = rules;
    sw->coupled++;
    uplink_settle(user->cp, sw);
    return ST_OK;
}

void cp_nic_uncouple(struct cp_user *user, struct cp_nic *nic)
{
    struct vswitch *sw = nic->sw;
    if (!sw)
        return;
    user->cp->ports.vm->nic_couple(user->vm, nic->vdev, NULL, NULL, NULL);
    sw->coupled--;
    nic->sw = NULL;
    uplink_settle(user->cp, sw);
    settle(user->cp, sw);
}

static void take_off(struct cp_user *user, struct cp_nic *nic)
{
    char text[NET_NAME_TEXT_BYTES];
    vswitch_text(nic->sw, text);
    cp_nic_uncouple(user, nic);
    cp_user_tell(user, "NIC %04X is disconnected from %s", nic->vdev, text);
}

void cp_net_take_off(struct cp *cp, struct vswitch *sw, const char *userid)
{
    sw->coupled++; /* it does not go with the last of them */
    for (struct cp_user *user = cp->users; user; user = user->next)
        for (struct cp_nic *nic = user->nics; nic; nic = nic->next)
            if (nic->sw == sw && (!userid || !strcmp(userid, user->userid)))
                take_off(user, nic);
    sw->coupled--;
}

void cp_net_refresh(struct cp *cp, struct vswitch *sw)
{
    struct cause ignored;
    vswitch_apply(sw);
    sw->coupled++;
    for (struct cp_user *user = cp->users; user; user = user->next)
        for (struct cp_nic *nic = user->nics; nic; nic = nic->next) {
            if (nic->sw != sw)
                continue;
            if (rules_of(user, nic, sw, nic->port, &nic->rules, &ignored))
                take_off(user, nic);
            else
                cp->ports.vm->nic_rules(user->vm, nic->vdev, &nic->rules);
        }
    sw->coupled--;
    uplink_settle(cp, sw);
}
