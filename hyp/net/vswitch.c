/* Virtual switches and guest LANs: their list, what is set, grants, and the rules that follow for a
 * port. */
#include "hyp/net/vswitch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem/base/ergo.h"

#define NATIVE_VLAN_DEFAULT 1u
#define GRANTS_AT_ONCE 16u

/* Kinds of networks over members, but for switches. */
#define KIND_LAN 0x80u
#define KIND_IP 0x40u
#define KIND_FRAME_KIB 8u /* the frame size is in the rest, in this unit */

/** Located by cp->nets; made and ended with CP. */
struct vswitches {
    struct vswitch *first;
    struct uplink_events events;
    struct ivls *ivls; /* NULL: no cluster */
    struct rdevs *rdevs;
    unsigned count;
    struct mac_pool *macs;
    struct net_limits limits;
};

struct vswitches *vswitches_create(u32 prefix, u32 user_prefix,
                                   const struct uplink_events *events)
{
    struct vswitches *all = calloc(1, sizeof *all);
    if (!all)
        return NULL;
    all->events = *events;
    all->macs = mac_pool_create(prefix, user_prefix);
    all->limits = (struct net_limits){~0u, ~0u, .directory_grants = true};
    if (all->macs)
        return all;
    free(all);
    return NULL;
}

void vswitches_cluster(struct vswitches *all, struct ivls *ivls)
{
    all->ivls = ivls;
}

void vswitches_rdevs(struct vswitches *all, struct rdevs *rdevs)
{
    all->rdevs = rdevs;
}

struct rdevs *vswitches_real(const struct vswitches *all)
{
    return all->rdevs;
}

static void switch_free(struct vswitches *all, struct vswitch *sw)
{
    for (unsigned i = 0; i < VSWITCH_CAPTURES_MAX; i++)
        capture_close(sw->capture[i].capture);
    lan_part(sw->bridge);
    ivl_remove(sw->ivl);
    vswitch_uplinks_close(all, sw);
    lan_destroy(sw->lan);
    free(sw->grant);
    free(sw);
}

void vswitches_destroy(struct vswitches *all)
{
    if (!all)
        return;
    all->ivls = NULL; /* LANs do not look for members when their switch goes */
    while (all->first)
        vswitch_remove(all, all->first);
    mac_pool_destroy(all->macs);
    free(all);
}

const struct uplink_events *vswitches_events(const struct vswitches *all)
{
    return &all->events;
}

struct mac_pool *vswitches_macs(struct vswitches *all)
{
    return all->macs;
}

struct net_limits *vswitches_limits(struct vswitches *all)
{
    return &all->limits;
}

unsigned vswitches_count(const struct vswitches *all, bool transient)
{
    unsigned n = 0;
    for (const struct vswitch *sw = all->first; sw; sw = sw->next)
        n += sw->guest_lan && sw->transient == transient;
    return n;
}

static int order(const struct vswitch *sw, const char *owner, const char *name)
{
    int by_owner = strcmp(sw->owner, owner);
    return by_owner ? by_owner : strcmp(sw->name, name);
}

struct vswitch *vswitch_find(const struct vswitches *all, const char *owner, const char *name)
{
    struct vswitch *sw = all->first;
    while (sw && order(sw, owner, name))
        sw = sw->next;
    return sw;
}

struct vswitch *vswitch_next(const struct vswitches *all, const struct vswitch *sw)
{
    return sw ? sw->next : all->first;
}

const char *vswitch_text(const struct vswitch *sw, char out[NET_NAME_TEXT_BYTES])
{
    snprintf(out, NET_NAME_TEXT_BYTES, "%s %s %s", sw->guest_lan ? "LAN" : "VSWITCH", sw->owner,
             sw->name);
    return out;
}

void vswitch_defaults(struct vswitch *sw, bool guest_lan)
{
    *sw = (struct vswitch){.guest_lan = guest_lan,
                           .ip = guest_lan,
                           .restricted = !guest_lan,
                           .native_vlan = NATIVE_VLAN_DEFAULT,
                           .ip_timeout_min = 5,
                           .queue_storage_mb = 8,
                           .frame_kib = 16};
}

/* --- LANs over members and bridge ports ------------------------------------------------------- */

u8 vswitch_ivl_kind(const struct vswitch *sw)
{
    if (!sw->guest_lan)
        return 0;
    return (u8)(KIND_LAN | (sw->ip ? KIND_IP : 0) | sw->frame_kib / KIND_FRAME_KIB);
}

const struct vswitch *vswitch_over(const struct vswitches *all, const struct vswitch *sw)
{
    if (sw->ivl)
        return sw;
    const struct vswitch *of = vswitch_bridged(all, sw->owner, sw->name);
    bool open = of && of->bridge && of->ivl && !of->isolated && !of->vepa;
    return open && !strcmp(sw->owner, NET_SYSTEM) ? of : NULL;
}

/* LANs that are at bridge ports, connected or not, have other members behind the switch, and only
 * there: with both ways the network would be a ring. */
static void lans_settle(const struct vswitches *all)
{
    for (struct vswitch *sw = all->first; sw; sw = sw->next) {
        bool spans = sw->hipersockets && !strcmp(sw->owner, NET_SYSTEM) &&
                     !vswitch_bridged(all, sw->owner, sw->name);
        if (!sw->guest_lan || (sw->ivl && spans))
            continue;
        ivl_remove(sw->ivl);
        sw->ivl = spans && all->ivls
                      ? ivl_add(all->ivls, sw->name, vswitch_ivl_kind(sw), sw->lan)
                      : NULL;
    }
}

struct vswitch *vswitch_bridged(const struct vswitches *all, const char *owner,
                                const char *name)
{
    struct vswitch *sw = all->first;
    while (sw && (strcmp(sw->bridge_owner, owner) || strcmp(sw->bridge_name, name)))
        sw = sw->next;
    return sw;
}

int vswitch_bridge(struct vswitches *all, struct vswitch *sw)
{
    struct vswitch *lan =
        *sw->bridge_name ? vswitch_find(all, sw->bridge_owner, sw->bridge_name) : NULL;
    lan_part(sw->bridge);
    sw->bridge = NULL;
    lans_settle(all);
    if (!lan || !lan->hipersockets || sw->bridge_off)
        return ST_OK;
    sw->bridge = lan_join(sw->lan, lan->lan);
    return sw->bridge ? ST_OK : ST_NOMEM;
}

/* A network is new: its own bridge port, or the one that waits for it. Without memory that is not
 * connected, which QUERY tells. */
static void bridges_settle(struct vswitches *all, struct vswitch *sw)
{
    struct vswitch *of = sw->guest_lan ? vswitch_bridged(all, sw->owner, sw->name) : sw;
    if (of)
        (void)vswitch_bridge(all, of);
    else
        lans_settle(all);
}

/* --- life ------------------------------------------------------------------------------------- */

static int switch_open(struct vswitches *all, struct vswitch *sw, struct cause *cause)
{
    sw->lan = lan_create();
    if (!sw->lan)
        return cause_set(cause, ST_NOMEM, "no memory for a virtual network");
    vswitch_apply(sw);
    int rc = vswitch_uplink(all, sw, !sw->disconnected, cause);
    if (rc)
        return rc;
    return mac_pool_take(all->macs, sw->mac) ? ST_OK
                                             : cause_set(cause, ST_LIMIT, "no address is left");
}

static int limits_check(const struct vswitches *all, const struct vswitch *like,
                        struct cause *cause)
{
    char text[NET_NAME_TEXT_BYTES];
    const struct vswitch *sw = vswitch_find(all, like->owner, like->name);
    unsigned max = like->transient ? all->limits.transient_max : all->limits.persistent_max;
    if (sw)
        return cause_set(cause, ST_EXIST, "%s exists", vswitch_text(sw, text));
    if (all->count == VSWITCHES_MAX)
        return cause_set(cause, ST_LIMIT, "%u virtual networks are possible", VSWITCHES_MAX);
    if (like->guest_lan && vswitches_count(all, like->transient) >= max)
        return cause_set(cause, ST_LIMIT, "VMLAN LIMIT %s is %u",
                         like->transient ? "TRANSIENT" : "PERSISTENT", max);
    return ST_OK;
}

int vswitch_define(struct vswitches *all, const struct vswitch *like, struct vswitch **out,
                   struct cause *cause)
{
    int rc = limits_check(all, like, cause);
    if (rc)
        return rc;
    struct vswitch *sw = malloc(sizeof *sw);
    if (!sw)
        return cause_set(cause, ST_NOMEM, "no memory for a virtual network");
    *sw = *like;
    rc = switch_open(all, sw, cause);
    if (rc) {
        switch_free(all, sw);
        return rc;
    }
    if (all->ivls && !sw->guest_lan)
        sw->ivl = ivl_add(all->ivls, sw->name, vswitch_ivl_kind(sw), sw->lan);
    vswitch_apply(sw);
    vswitch_uplink_changed(sw);
    struct vswitch **at = &all->first;
    while (*at && order(*at, sw->owner, sw->name) < 0)
        at = &(*at)->next;
    sw->next = *at;
    *at = sw;
    all->count++;
    *out = sw;
    bridges_settle(all, sw);
    return ST_OK;
}

void vswitch_remove(struct vswitches *all, struct vswitch *sw)
{
    struct vswitch **at = &all->first;
    PRE(!sw->coupled);
    while (*at != sw)
        at = &(*at)->next;
    *at = sw->next;
    all->count--;
    struct vswitch *of = sw->guest_lan ? vswitch_bridged(all, sw->owner, sw->name) : NULL;
    if (of) {
        lan_part(of->bridge);
        of->bridge = NULL;
    }
    mac_pool_give(all->macs, sw->mac);
    switch_free(all, sw);
    lans_settle(all);
}

bool vswitch_set_mac(struct vswitches *all, struct vswitch *sw, u32 id)
{
    u8 mac[MAC_BYTES];
    mac_pool_numbered(all->macs, id, mac);
    if (!memcmp(mac, sw->mac, MAC_BYTES))
        return true;
    if (!mac_pool_take_this(all->macs, mac))
        return false;
    mac_pool_give(all->macs, sw->mac);
    memcpy(sw->mac, mac, MAC_BYTES);
    return true;
}

void vswitch_apply(struct vswitch *sw)
{
    const struct lan_options o = {.vlan_aware = sw->vlan_aware,
                                  .native = sw->native_vlan,
                                  .isolated = sw->isolated,
                                  .vepa = sw->vepa};
    lan_set_options(sw->lan, &o);
    if (sw->ivl)
        ivl_vepa(sw->ivl, sw->vepa);
}

/* --- who may -------------------------------------------------------------------------------- */

struct net_grant *vswitch_grant_find(const struct vswitch *sw, const char *userid, u16 port)
{
    for (unsigned i = 0; i < sw->grants; i++)
        if (sw->grant[i].port == port && (!userid || !strcmp(sw->grant[i].userid, userid)))
            return &sw->grant[i];
    return NULL;
}

static int grants_grow(struct vswitch *sw)
{
    if (sw->grants == VSWITCH_GRANTS_MAX)
        return ST_LIMIT;
    if (sw->grants % GRANTS_AT_ONCE)
        return ST_OK;
    void *more = realloc(sw->grant, (sw->grants + GRANTS_AT_ONCE) * sizeof *sw->grant);
    if (!more)
        return ST_NOMEM;
    sw->grant = more;
    return ST_OK;
}

static bool grant_before(const struct net_grant *a, const struct net_grant *b)
{
    int by_user = strcmp(a->userid, b->userid);
    return by_user ? by_user < 0 : a->port < b->port;
}

int vswitch_grant(struct vswitch *sw, const struct net_grant *grant)
{
    struct net_grant *g =
        vswitch_grant_find(sw, grant->port ? NULL : grant->userid, grant->port);
    if (g && strcmp(g->userid, grant->userid) != 0)
        return ST_EXIST;
    if (g) {
        g->option = grant->option;
        return ST_OK;
    }
    int rc = grants_grow(sw);
    if (rc)
        return rc;
    unsigned i = sw->grants++;
    for (; i && grant_before(grant, &sw->grant[i - 1]); i--)
        sw->grant[i] = sw->grant[i - 1];
    sw->grant[i] = *grant;
    return ST_OK;
}

bool vswitch_revoke(struct vswitch *sw, const char *userid, u16 port)
{
    struct net_grant *g = vswitch_grant_find(sw, userid, port);
    if (!g)
        return false;
    unsigned i = (unsigned)(g - sw->grant);
    memmove(g, g + 1, (--sw->grants - i) * sizeof *g);
    return true;
}

bool vswitch_granted(const struct vswitch *sw, const char *userid)
{
    for (unsigned i = 0; i < sw->grants; i++)
        if (!strcmp(sw->grant[i].userid, userid))
            return true;
    return !sw->restricted || !strcmp(sw->owner, userid);
}

/* --- what a port may -------------------------------------------------------------------------- */

/** The grant that lets it couple; NULL: none. A switch that is based on ports knows their numbers
 *  only, one that is based on users takes any number. */
static const struct net_grant *grant_for(const struct vswitch *sw,
                                         const struct net_applicant *who)
{
    const struct net_grant *by_user = vswitch_grant_find(sw, who->userid, 0);
    if (who->port) {
        const struct net_grant *by_port = vswitch_grant_find(sw, who->userid, who->port);
        return by_port || sw->port_based ? by_port : by_user;
    }
    return sw->port_based ? NULL : by_user;
}

static void merge(struct port_option *to, const struct port_option *from)
{
    if (!from)
        return;
    if (from->has_type) {
        to->has_type = true;
        to->type = from->type;
    }
    if (from->has_vlans) {
        to->has_vlans = true;
        to->vlans = from->vlans;
    }
    if (from->has_promiscuous)
        to->promiscuous = from->promiscuous;
}

static int vlan_rules(const struct vswitch *sw, const struct net_applicant *who,
                      const struct port_option *o, struct lan_rules *out, struct cause *cause)
{
    char text[NET_NAME_TEXT_BYTES];
    out->type = o->has_type ? o->type : sw->default_type;
    out->allowed = o->vlans;
    if (!o->has_vlans)
        vlan_put(&out->allowed, sw->default_vlan, true);
    unsigned n = vlan_count(&out->allowed);
    if (!n)
        return cause_set(cause, ST_REFUSED, "%s has no VLAN of %s", who->userid,
                         vswitch_text(sw, text));
    if (out->type == LAN_ACCESS && n > 1)
        return cause_set(cause, ST_REFUSED, "an access port of %s is in one VLAN",
                         vswitch_text(sw, text));
    if (out->type == LAN_ACCESS)
        out->vlan = vlan_first(&out->allowed);
    return ST_OK;
}

int vswitch_rules(const struct vswitch *sw, const struct net_applicant *who,
                  struct lan_rules *out, struct cause *cause)
{
    char text[NET_NAME_TEXT_BYTES];
    struct port_option o = {0};
    const struct net_grant *g = grant_for(sw, who);
    *out = (struct lan_rules){.type = LAN_ACCESS};
    if (!g && sw->restricted && !who->authorized && strcmp(sw->owner, who->userid) != 0)
        return cause_set(cause, ST_REFUSED, "%s is not authorized for %s%s", who->userid,
                         vswitch_text(sw, text), who->port ? " with this port" : "");
    merge(&o, g ? &g->option : NULL);
    merge(&o, who->option);
    out->promiscuous = o.promiscuous;
    out->layer = sw->ip ? 3 : 2;
    if (sw->hipersockets)
        out->frame_kib = (u16)sw->frame_kib;
    return sw->vlan_aware ? vlan_rules(sw, who, &o, out, cause) : ST_OK;
}
