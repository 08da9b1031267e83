/* QUERY VSWITCH and QUERY LAN. Forms of answers: tools read them (lszdev and znetconf look for
 * ETHERNET, xCAT takes names from the first line, Feilong the grants of ACCESSLIST); the rest is
 * from memory of z/VM. Who has not class B sees what it may couple with, and its own adapters. */
#include <stdio.h>
#include <string.h>

#include "hyp/config/config_scan.h"
#include "hyp/net/net_capture.h"

/** What an answer is to have; of networks without something to show none when `active`. */
struct net_view {
    struct cp_request *req;
    bool details, access, active, promiscuous, all_users;
    bool lans, switches;
    const char *owner, *name; /* NULL: any */
    const char *userid;       /* USERID: those that it is coupled with; NULL: any */
    u16 port, vlan;           /* PORTNUMBER, VLANID: grants of these only; 0: of any */
};

static const char *on_off(bool on)
{
    return on ? "ON" : "OFF";
}

static const char *protection(enum net_switchable said)
{
    return said == NET_ON ? "ON" : said == NET_OFF ? "OFF" : "Unspecified";
}

/* --- what it is ------------------------------------------------------------------------------- */

static void first_rows(struct cp_request *req, const struct vswitch *sw)
{
    char max[16] = "INFINITE", transport[32];
    if (sw->connections_max)
        snprintf(max, sizeof max, "%u", sw->connections_max);
    cp_line(req, "%s %s %-8s  Type: %-7s Connected: %-4u Maxconn: %s",
            sw->guest_lan ? "LAN" : "VSWITCH", sw->owner, sw->name,
            sw->hipersockets ? "HIPERS" : "QDIO", sw->coupled, max);
    if (sw->hipersockets)
        snprintf(transport, sizeof transport, "%sMFS: %uK", sw->ip ? "" : "ETHERNET ",
                 sw->frame_kib);
    else
        snprintf(transport, sizeof transport, "%s", sw->ip ? "IP" : "ETHERNET");
    cp_line(req, "  %-11s %-13s %-26s Accounting: OFF",
            sw->transient ? "TRANSIENT" : "PERSISTENT",
            sw->restricted ? "RESTRICTED" : "UNRESTRICTED", transport);
}

static void vlan_rows(struct cp_request *req, const struct vswitch *sw)
{
    char vlan[8] = "NONE", native[8] = "NONE";
    if (!sw->vlan_aware) {
        cp_line(req, "  VLAN Unaware");
        return;
    }
    if (sw->default_vlan)
        snprintf(vlan, sizeof vlan, "%04u", sw->default_vlan);
    if (sw->native_vlan)
        snprintf(native, sizeof native, "%04u", sw->native_vlan);
    cp_line(req, "  VLAN Aware  Default VLAN: %s    Default Porttype: %s", vlan,
            sw->default_type == LAN_TRUNK ? "Trunk" : "Access");
    cp_line(req, "              Native  VLAN: %s    VLAN Counters: OFF  GVRP: Disabled",
            native);
}

/* The same network on other members, and whose uplink is used; a LAN has none. */
static void ivl_rows(struct cp_request *req, const struct vswitch *sw)
{
    struct ivl_info info;
    const struct config_slot *slots = req->cp->config->slots;
    if (!sw->ivl)
        return;
    ivl_info(sw->ivl, &info);
    const char *whose = info.in_use < CONFIG_SLOTS_MAX ? slots[info.in_use].member : "none";
    cp_line(req, "  SSI: with %u other member%s%s%s", info.members,
            info.members == 1 ? "" : "s",
            sw->guest_lan ? "" : "; uplink in use: ", sw->guest_lan ? "" : whose);
    cp_line(req, "    Frames to members: %llu  from: %llu  dropped: %llu",
            (unsigned long long)info.sent, (unsigned long long)info.received,
            (unsigned long long)info.dropped);
}

/* OSAs in the order in which they are taken; there are no controllers of them. */
static void rdev_rows(struct cp_request *req, const struct vswitch *sw)
{
    char words[UPLINK_WORDS_MAX];
    for (unsigned i = 0; i < sw->outside.rdevs; i++) {
        const struct vswitch_link *link = &sw->link[i];
        bool up = link->uplink && uplink_is_up(link->uplink);
        cp_line(req, "    RDEV: %04X.P00 VDEV: NONE Controller: NONE     %s", link->rdev,
                !up                          ? "NOT ACTIVE"
                : link->uplink == sw->uplink ? "ACTIVE"
                                             : "BACKUP");
        if (link->uplink)
            uplink_words(link->uplink, words);
        if (link->uplink || *link->why)
            cp_line(req, "      %s%s",
                    link->uplink ? "" : "Error: ", link->uplink ? words : link->why);
    }
}

static const char *uplink_state(const struct vswitch *sw)
{
    const struct vswitch_outside *o = &sw->outside;
    if (sw->disconnected)
        return "Disconnected";
    if (!sw->uplink && !o->rdevs && !*o->nic_user)
        return "Defined; no uplink";
    bool up = *o->nic_user ? sw->uplink_up : sw->uplink && uplink_is_up(sw->uplink);
    return up ? "Ready" : "Not connected";
}

static void uplink_rows(struct cp_request *req, const struct vswitch *sw, bool details)
{
    const struct vswitch_outside *o = &sw->outside;
    char words[UPLINK_WORDS_MAX];
    struct lan_counts c;
    cp_line(req, "  Uplink Port:");
    cp_line(req, "    State: %s", uplink_state(sw));
    rdev_rows(req, sw);
    if (*o->nic_user || (sw->uplink && !o->rdevs))
        cp_line(req, "    %s", vswitch_uplink_words(sw, words));
    if (!details || !(sw->uplink || *o->nic_user))
        return;
    /* The switch receives what the uplink sends. */
    lan_uplink_counts(sw->lan, &c);
    cp_line(req, "    Uplink Port Connection:");
    cp_line(req, "      RX Packets: %-10llu Discarded: %-10llu Errors: %llu",
            (unsigned long long)c.frames, (unsigned long long)c.discarded,
            (unsigned long long)c.malformed);
    cp_line(req, "      TX Packets: %-10llu Discarded: %-10llu Errors: 0",
            (unsigned long long)c.received, (unsigned long long)c.dropped);
    cp_line(req, "      RX Bytes: %-20llu TX Bytes: %llu", (unsigned long long)c.bytes,
            (unsigned long long)c.received_bytes);
}

static void bridge_rows(struct cp_request *req, const struct vswitch *sw)
{
    if (*sw->bridge_name)
        cp_line(req, "  Bridge Port: LAN %s %s  State: %s", sw->bridge_owner, sw->bridge_name,
                sw->bridge       ? "Connected"
                : sw->bridge_off ? "Disconnected"
                                 : "Not connected");
}

static void common_rows(struct cp_request *req, const struct vswitch *sw)
{
    char mac[MAC_TEXT_BYTES];
    if (sw->guest_lan) {
        cp_line(req, "  IPTimeout: %-9u MAC Protection: %s", sw->ip_timeout_min,
                protection(sw->mac_protect));
        cp_line(req, "  Isolation Status: %s", on_off(sw->isolated));
        return;
    }
    cp_line(req, "  %s LOCAL", sw->port_based ? "PORTBASED" : "USERBASED");
    vlan_rows(req, sw);
    cp_line(req, "  MAC address: %s    MAC Protection: %s", mac_text(sw->mac, mac),
            protection(sw->mac_protect));
    cp_line(req, "  IPTimeout: %-9u QueueStorage: %u", sw->ip_timeout_min,
            sw->queue_storage_mb);
    cp_line(req, "  Isolation Status: %-10s VEPA Status: %s", on_off(sw->isolated),
            on_off(sw->vepa));
}

/* --- who may ---------------------------------------------------------------------------------- */

static bool trunk(const struct vswitch *sw, const struct port_option *o)
{
    return (o->has_type ? o->type : sw->default_type) == LAN_TRUNK;
}

/* "User: LINUX1   Porttype: Access  VLAN: 0010": what Feilong reads is the last three. */
static void grant_row(struct cp_request *req, const struct vswitch *sw,
                      const struct net_grant *g)
{
    char vlans[VLAN_TEXT_BYTES], port[24] = "";
    struct vlan_set set = g->option.vlans;
    u16 at = 0;
    if (!g->option.has_vlans)
        vlan_put(&set, sw->default_vlan, true);
    if (g->port)
        snprintf(port, sizeof port, "Port: %04u ", g->port);
    const char *sees = g->option.promiscuous ? "  Promiscuous" : "";
    if (sw->vlan_aware)
        cp_line(req, "    %sUser: %-8s%s  Porttype: %-6s  VLAN: %s", port, g->userid, sees,
                trunk(sw, &g->option) ? "Trunk" : "Access", vlan_line(&set, &at, vlans));
    else if (g->port)
        cp_line(req, "    %sUser: %-8s%s", port, g->userid, sees);
    else
        cp_line(req, "    %-8s%s", g->userid, sees);
    while (at)
        cp_line(req, "      VLAN: %s", vlan_line(&set, &at, vlans));
}

static bool grant_shown(const struct net_view *v, const struct vswitch *sw,
                        const struct net_grant *g)
{
    const struct port_option *o = &g->option;
    if (v->promiscuous && !v->access && !v->details && !o->promiscuous)
        return false;
    if (v->port && g->port != v->port)
        return false;
    return !v->vlan ||
           (o->has_vlans ? vlan_has(&o->vlans, v->vlan) : sw->default_vlan == v->vlan);
}

static void grant_rows(const struct net_view *v, const struct vswitch *sw)
{
    bool any = false;
    for (unsigned i = 0; i < sw->grants; i++) {
        const struct net_grant *g = &sw->grant[i];
        if (!grant_shown(v, sw, g))
            continue;
        if (!any)
            cp_line(v->req, "  Authorized userids:");
        any = true;
        grant_row(v->req, sw, g);
    }
}

/* --- what is coupled -------------------------------------------------------------------------- */

static bool shown(const struct net_view *v, const struct cp_user *user)
{
    return v->all_users || !strcmp(user->userid, v->req->userid);
}

static void port_rows(const struct net_view *v, const struct vswitch *sw)
{
    char mac[MAC_TEXT_BYTES];
    struct cp_request *req = v->req;
    cp_line(req, "  Adapter Connections:        Connected: %u", sw->coupled);
    for (struct cp_user *user = req->cp->users; user; user = user->next)
        for (struct cp_nic *nic = user->nics; nic; nic = nic->next) {
            if (nic->sw != sw || !shown(v, user))
                continue;
            cp_line(req, "    Adapter Owner: %-8s NIC: %04X.P00 Name: any      Type: %s",
                    user->userid, nic->vdev, nic->hipersockets ? "HIPERS" : "QDIO");
            cp_line(req, "      MAC: %s", mac_text(nic->mac, mac));
            cp_nic_details(req, user, nic, "      ");
        }
}

static bool coupled_here(struct cp *cp, const struct vswitch *sw, const char *userid)
{
    for (struct cp_user *user = cp->users; user; user = user->next)
        for (struct cp_nic *nic = user->nics; nic; nic = nic->next)
            if (nic->sw == sw && !strcmp(user->userid, userid))
                return true;
    return false;
}

static bool matches(const struct net_view *v, const struct vswitch *sw)
{
    if (!(sw->guest_lan ? v->lans : v->switches))
        return false;
    if ((v->owner && strcmp(v->owner, sw->owner)) || (v->name && strcmp(v->name, sw->name)))
        return false;
    if (!v->all_users && !vswitch_granted(sw, v->req->userid) &&
        !coupled_here(v->req->cp, sw, v->req->userid))
        return false;
    if (v->active && !sw->coupled)
        return false;
    return !v->userid || coupled_here(v->req->cp, sw, v->userid);
}

static unsigned networks(const struct net_view *v)
{
    struct vswitches *all = cp_nets(v->req->cp);
    unsigned n = 0;
    for (struct vswitch *sw = all ? vswitch_next(all, NULL) : NULL; sw;
         sw = vswitch_next(all, sw)) {
        if (!matches(v, sw))
            continue;
        n++;
        first_rows(v->req, sw);
        common_rows(v->req, sw);
        if ((v->access || v->details || v->promiscuous || v->port || v->vlan) && v->all_users)
            grant_rows(v, sw);
        if (!sw->guest_lan)
            uplink_rows(v->req, sw, v->details);
        bridge_rows(v->req, sw);
        ivl_rows(v->req, sw);
        net_capture_rows(v->req, sw);
        if (v->details || v->active)
            port_rows(v, sw);
    }
    return n;
}

/* --- commands --------------------------------------------------------------------------------- */

/* A word that says how much the answer has. */
static bool view_word(struct net_view *v, const char *word)
{
    if (cp_abbrev(word, "DETails"))
        v->details = true;
    else if (cp_abbrev(word, "ACCesslist"))
        v->access = true;
    else if (cp_abbrev(word, "ACTive"))
        v->active = true;
    else if (cp_abbrev(word, "PROmiscuous"))
        v->promiscuous = true;
    else
        return !strcmp(word, "ALL") || cp_abbrev(word, "CONTRoller");
    return true;
}

/* PORTNUMBER n, VLANID n. 0, or the number of a message. */
static int view_number(struct net_view *v, const char *value, bool vlan)
{
    u64 n = 0;
    if (!value)
        return cp_fail(v->req, MSG_CMD026E);
    if (!scan_number(value, 1, vlan ? VLAN_ID_MAX : VSWITCH_PORT_MAX, &n))
        return cp_fail(v->req, MSG_CMD003E, value);
    *(vlan ? &v->vlan : &v->port) = (u16)n;
    return 0;
}

/* Operands of both; a word that is none of them is a name. 0, or the number of a message. */
static int view_operands(struct net_view *v, struct cp_net_words *w)
{
    const char *word;
    while ((word = cp_net_next(w))) {
        bool user = !strcmp(word, "USERID"), owner = v->lans && cp_abbrev(word, "OWNERid");
        bool named = cp_abbrev(word, "NAMe");
        bool vlan = !strcmp(word, "VLANID");
        if (!v->lans && (vlan || cp_abbrev(word, "PORTNUMber"))) {
            int rc = view_number(v, cp_net_next(w), vlan);
            if (rc)
                return rc;
            continue;
        }
        const char *value = user || owner || named ? cp_net_next(w) : NULL;
        if ((user || owner || named) && !value)
            return cp_fail(v->req, MSG_CMD026E);
        if (user)
            v->userid = value;
        else if (owner)
            v->owner = strcmp(value, "*") ? value : v->req->userid;
        else if (named)
            v->name = value;
        else if (!strcmp(word, NET_SYSTEM) && !v->owner)
            v->owner = NET_SYSTEM;
        else if (!view_word(v, word) && v->name)
            return cp_fail(v->req, MSG_CMD003E, word);
        else if (!view_word(v, word))
            v->name = word;
    }
    return 0;
}

static int query(struct cp_request *req, struct net_view *v, const char *none)
{
    struct cp_net_words w;
    char text[NET_NAME_TEXT_BYTES];
    int rc = cp_net_words(req, &w);
    v->req = req;
    v->all_users = req->classes & CP_CLASS('B');
    if (rc || (rc = view_operands(v, &w)))
        return rc;
    if (networks(v))
        return 0;
    if (!v->name) {
        cp_line_text(req, none);
        return 0;
    }
    snprintf(text, sizeof text, "%s %.8s %.8s", v->switches && !v->lans ? "VSWITCH" : "LAN",
             v->owner ? v->owner : NET_SYSTEM, v->name);
    return cp_fail(req, MSG_SWU2782E, text);
}

/* QUERY VSWITCH [[SYSTEM | NAME] name | ALL | USERID userid] [DETAILS | ACCESSLIST | ACTIVE |
 * PROMISCUOUS | PORTNUMBER n | VLANID n] */
int cp_query_vswitch(struct cp_request *req, void *ctx)
{
    struct net_view v = {.switches = true};
    (void)ctx;
    return query(req, &v, "No virtual switches are defined.");
}

/* QUERY LAN [[NAME] name | ALL] [OWNERID userid] [DETAILS | ACCESSLIST | ACTIVE | PROMISCUOUS]:
 * virtual switches, too */
int cp_query_lan(struct cp_request *req, void *ctx)
{
    struct net_view v = {.switches = true, .lans = true};
    (void)ctx;
    return query(req, &v, "No guest LANs are defined.");
}
