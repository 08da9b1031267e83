/* Attributes of virtual networks, one row each. Those of z/VM that have no meaning here are checked
 * and told to be without effect, or refused by name.
 * Source: z/VM, CP Commands and Utilities Reference (DEFINE and SET VSWITCH, DEFINE LAN). */
#include "hyp/net/net_change.h"

#include <stdio.h>
#include <string.h>

#include "hyp/config/config_scan.h"

#define IP_TIMEOUT_MAX_MIN 240u
#define QUEUE_STORAGE_MAX_MB 256u

const char *net_raw(const struct cp_request *req, const char *word)
{
    return req->raw + (word - req->upper);
}

static int no_effect(struct net_change *c, const char *what)
{
    cp_line(c->req, "%s has no effect here", what);
    return 0;
}

static int refused(struct net_change *c, const char *what)
{
    return cp_fail(c->req, MSG_CMD099E, what);
}

/* The value behind an operand; NULL after a message. */
static const char *value_of(struct net_change *c, int *rc)
{
    const char *value = cp_net_next(c->w);
    if (!value)
        *rc = cp_fail(c->req, MSG_CMD026E);
    return value;
}

static int number_of(struct net_change *c, unsigned min, unsigned max, u16 *out)
{
    int rc = 0;
    u64 n;
    const char *value = value_of(c, &rc);
    if (!value)
        return rc;
    if (!scan_number(value, min, max, &n))
        return cp_fail(c->req, MSG_CMD003E, value);
    *out = (u16)n;
    return 0;
}

/* ON or OFF; UNSPECIFIED where `third`. */
static int switch_of(struct net_change *c, bool third, enum net_switchable *out)
{
    int rc = 0;
    const char *value = value_of(c, &rc);
    if (!value)
        return rc;
    bool untold = third && cp_abbrev(value, "UNSPECified");
    if (!untold && strcmp(value, "ON") && strcmp(value, "OFF"))
        return cp_fail(c->req, MSG_CMD003E, value);
    *out = untold ? NET_UNSPECIFIED : !strcmp(value, "ON") ? NET_ON : NET_OFF;
    return 0;
}

/* --- virtual switches ------------------------------------------------------------------------- */

static int set_type(struct net_change *c)
{
    int rc = 0;
    const char *value = value_of(c, &rc);
    if (!value)
        return rc;
    c->typed = true;
    c->to.hipersockets = c->to.guest_lan && cp_abbrev(value, "HIPERsockets");
    if (c->to.hipersockets || !strcmp(value, "QDIO"))
        return 0;
    return strcmp(value, "IVL") ? cp_fail(c->req, MSG_CMD003E, value)
                                : refused(c, "A virtual switch of type IVL");
}

static int set_ethernet(struct net_change *c)
{
    c->to.ip = false;
    c->to.hipersockets &=
        c->typed; /* a guest LAN of transport ETHERNET is QDIO unless it says */
    return 0;
}

static int set_ip(struct net_change *c)
{
    c->to.ip = true;
    return 0;
}

static int set_local(struct net_change *c)
{
    (void)c;
    return 0; /* all are */
}

static int set_global(struct net_change *c)
{
    return refused(c, "A global virtual switch");
}

static int set_connect(struct net_change *c)
{
    c->to.disconnected = false;
    c->reconnect = true;
    return 0;
}

static int set_disconnect(struct net_change *c)
{
    c->to.disconnected = true;
    c->reconnect = true;
    return 0;
}

static int outside(struct net_change *c, const struct vswitch_outside *is)
{
    c->to.outside = *is;
    c->reconnect = true;
    return 0;
}

static int set_nouplink(struct net_change *c)
{
    return outside(c, &(struct vswitch_outside){0});
}

/* "0A00" or "0A00.P00": the only port that an OSA has here. */
static bool rdev_word(const char *word, u16 *rdev)
{
    char number[8];
    u64 n;
    size_t len = strcspn(word, ".");
    snprintf(number, sizeof number, "%.*s", (int)(len < 5 ? len : 5), word);
    if (!len || len > 4 || !scan_hex(number, 0xffff, &n))
        return false;
    *rdev = (u16)n;
    return !word[len] || !strcmp(word + len, ".P00") || !strcmp(word + len, ".P0");
}

/* The next word, if it is one of them. */
static const char *next_rdev(struct net_change *c)
{
    u16 rdev;
    bool is = c->w->at < c->w->n && rdev_word(c->w->word[c->w->at], &rdev);
    return is ? cp_net_next(c->w) : NULL;
}

/* RDEV {NONE | rdev[.P00] ...}: up to three OSAs of the hardware file, for one after the other. */
static int set_rdev(struct net_change *c)
{
    struct vswitch_outside is = {0};
    int rc = 0;
    u16 rdev = 0;
    const char *value = value_of(c, &rc);
    if (!value || !strcmp(value, "NONE"))
        return value ? set_nouplink(c) : rc;
    for (; value; value = next_rdev(c)) {
        if (is.rdevs == VSWITCH_RDEVS_MAX || !rdev_word(value, &rdev))
            return cp_fail(c->req, MSG_CMD003E, value);
        for (unsigned i = 0; i < is.rdevs; i++)
            if (is.rdev[i] == rdev)
                return cp_fail(c->req, MSG_CMD003E, value);
        is.rdev[is.rdevs++] = rdev;
    }
    return outside(c, &is);
}

/* UPLINK NIC userid vdev: an adapter, coupled now or later. */
static int set_uplink_nic(struct net_change *c)
{
    struct vswitch_outside is = {0};
    int rc = 0;
    const char *userid = value_of(c, &rc), *vdev = userid ? value_of(c, &rc) : NULL;
    if (!vdev)
        return rc;
    if (!cp_userid_ok(userid))
        return cp_fail(c->req, MSG_LGA020E);
    if (!cp_nic_vdev(vdev, &is.nic_vdev))
        return cp_fail(c->req, MSG_CMD003E, vdev);
    snprintf(is.nic_user, sizeof is.nic_user, "%s", userid);
    return outside(c, &is);
}

static int set_switch_over(struct net_change *c)
{
    c->switch_over = true;
    return c->define ? cp_fail(c->req, MSG_CMD003E, "SWITCHOVER") : 0;
}

/* UPLINK specification, to the end; or in front of operands that are about it. */
static int set_uplink(struct net_change *c)
{
    static const char *const operands[] = {"RDEV", "CONnect", "DISCONnect", "NOGroup",
                                           "PRIQueuing"};
    static const char *const not_here[] = {"GROUP", "PATHMTUDiscovery", "TRACE"};
    struct vswitch_outside is = {0};
    int rc = 0;
    const char *value = value_of(c, &rc);
    if (!value)
        return rc;
    for (size_t i = 0; i < ARRAY_LEN(operands); i++)
        if (cp_abbrev(value, operands[i]))
            return net_attribute(c, value);
    for (size_t i = 0; i < ARRAY_LEN(not_here); i++)
        if (cp_abbrev(value, not_here[i]))
            return refused(c, not_here[i]);
    if (!strcmp(value, "NIC"))
        return set_uplink_nic(c);
    if (cp_abbrev(value, "SWITCHOVER"))
        return set_switch_over(c);
    const char *spec = strcmp(value, "NONE") ? net_raw(c->req, value) : "";
    if (strlen(spec) >= sizeof is.spec)
        return cp_fail(c->req, MSG_CMD003E, value);
    strcpy(is.spec, spec);
    c->w->at = c->w->n;
    return outside(c, &is);
}

static int set_priority_queuing(struct net_change *c)
{
    enum net_switchable ignored;
    int rc = switch_of(c, false, &ignored);
    return rc ? rc : no_effect(c, "PRIQUEUING");
}

static int set_queue_storage(struct net_change *c)
{
    int rc = 0;
    u64 n;
    char digits[8];
    const char *value = value_of(c, &rc);
    if (!value)
        return rc;
    size_t len = strcspn(value, "M");
    snprintf(digits, sizeof digits, "%.*s", (int)len, value);
    if (len >= sizeof digits || (value[len] && value[len + 1]) ||
        !scan_number(digits, 1, QUEUE_STORAGE_MAX_MB, &n))
        return cp_fail(c->req, MSG_CMD003E, value);
    c->to.queue_storage_mb = (u16)n;
    return no_effect(c, "QUEUESTORAGE");
}

static int set_controller(struct net_change *c)
{
    int rc = 0;
    const char *value = value_of(c, &rc);
    return value ? no_effect(c, "CONTROLLER") : rc;
}

static int set_router(struct net_change *c)
{
    return no_effect(c, "NONROUTER or PRIROUTER");
}

static int set_nogroup(struct net_change *c)
{
    (void)c;
    return 0;
}

static int set_group(struct net_change *c)
{
    return refused(c, "GROUP");
}

/* Is this word an operand of DEFINE or SET VSWITCH, and no name? */
static bool is_attribute(const char *word);

static int set_nic_distribution(struct net_change *c)
{
    enum net_switchable on;
    int rc = switch_of(c, false, &on);
    return rc || on == NET_OFF ? rc : refused(c, "NICDISTRIBUTION");
}

/* LAN [owner] name: a LAN of HiperSockets, which may come later. */
static int set_bridge_lan(struct net_change *c)
{
    struct vswitch *to = &c->to;
    char text[NET_NAME_TEXT_BYTES], why[80];
    const struct cp_net_words *w = c->w;
    const char *owner = NET_SYSTEM, *name = cp_net_next(c->w);
    struct vswitches *all = cp_nets(c->req->cp);
    if (name && w->at < w->n && (!strcmp(name, NET_SYSTEM) || !is_attribute(w->word[w->at]))) {
        owner = name;
        name = cp_net_next(c->w);
    }
    if (!name)
        return cp_fail(c->req, MSG_CMD026E);
    if (!cp_userid_ok(owner) || !cp_userid_ok(name))
        return cp_fail(c->req, MSG_CMD003E, name);
    const struct vswitch *lan = all ? vswitch_find(all, owner, name) : NULL;
    const struct vswitch *of = all ? vswitch_bridged(all, owner, name) : NULL;
    if (lan && !lan->hipersockets)
        snprintf(why, sizeof why, "LAN %s %s is not of HiperSockets", owner, name);
    else if (of && strcmp(of->name, c->to.name) != 0)
        snprintf(why, sizeof why, "LAN %s %s is at the bridge port of %s", owner, name,
                 of->name);
    else {
        snprintf(to->bridge_owner, sizeof to->bridge_owner, "%s", owner);
        snprintf(to->bridge_name, sizeof to->bridge_name, "%s", name);
        return 0;
    }
    return cp_fail(c->req, MSG_SWU2781E, vswitch_text(&c->to, text), why);
}

/* BRIDGEPORT {LAN [owner] name | NONE | CONNECT | DISCONNECT}. On z/VM its device is a real one of
 * HiperSockets; here it is a guest LAN. */
static int set_bridge(struct net_change *c)
{
    int rc = 0;
    const char *value = value_of(c, &rc);
    if (!value)
        return rc;
    c->rebridge = true;
    if (!strcmp(value, "LAN"))
        return set_bridge_lan(c);
    if (!strcmp(value, "RDEV"))
        return refused(c, "BRIDGEPORT RDEV (it is BRIDGEPORT LAN)");
    if (!strcmp(value, "NONE"))
        *c->to.bridge_owner = *c->to.bridge_name = 0;
    else if (cp_abbrev(value, "CONnect") || cp_abbrev(value, "DISCONnect"))
        c->to.bridge_off = *value == 'D';
    else
        return cp_fail(c->req, MSG_CMD003E, value);
    return 0;
}

static int set_ip_timeout(struct net_change *c)
{
    int rc = number_of(c, 1, IP_TIMEOUT_MAX_MIN, &c->to.ip_timeout_min);
    return rc ? rc : no_effect(c, "IPTIMEOUT");
}

static int set_port_name(struct net_change *c)
{
    int rc = 0;
    const char *value = value_of(c, &rc);
    return value ? no_effect(c, "PORTNAME") : rc;
}

static int set_user_based(struct net_change *c)
{
    c->to.port_based = false;
    return 0;
}

static int set_port_based(struct net_change *c)
{
    c->to.port_based = true;
    return 0;
}

/* --- VLANs ------------------------------------------------------------------------------------ */

static int set_vlan(struct net_change *c)
{
    int rc = 0;
    u16 vlan = 0;
    const char *value = value_of(c, &rc);
    if (!value)
        return rc;
    bool unaware = !strcmp(value, "UNAWARE");
    if (!unaware && strcmp(value, "AWARE") && !vlan_number(value, &vlan))
        return cp_fail(c->req, MSG_CMD003E, value);
    c->to.vlan_aware = !unaware;
    c->to.default_vlan = vlan;
    return 0;
}

static int set_native(struct net_change *c)
{
    int rc = 0;
    const char *value = value_of(c, &rc);
    if (!value)
        return rc;
    c->to.native_vlan = 0;
    return !strcmp(value, "NONE") || vlan_number(value, &c->to.native_vlan)
               ? 0
               : cp_fail(c->req, MSG_CMD003E, value);
}

static int set_port_type(struct net_change *c)
{
    int rc = 0;
    const char *value = value_of(c, &rc);
    if (!value)
        return rc;
    if (strcmp(value, "TRUNK") && strcmp(value, "ACCESS"))
        return cp_fail(c->req, MSG_CMD003E, value);
    c->to.default_type = !strcmp(value, "TRUNK") ? LAN_TRUNK : LAN_ACCESS;
    return 0;
}

static int set_gvrp(struct net_change *c)
{
    return no_effect(c, "GVRP");
}

static int set_nogvrp(struct net_change *c)
{
    (void)c;
    return 0;
}

static int set_vlan_counters(struct net_change *c)
{
    enum net_switchable ignored;
    int rc = switch_of(c, false, &ignored);
    return rc ? rc : no_effect(c, "VLAN_COUNTERS");
}

/* --- of all networks -------------------------------------------------------------------------- */

static int set_isolation(struct net_change *c)
{
    enum net_switchable on;
    int rc = switch_of(c, false, &on);
    if (!rc)
        c->to.isolated = on == NET_ON;
    return rc;
}

static int set_vepa(struct net_change *c)
{
    enum net_switchable on;
    int rc = switch_of(c, false, &on);
    if (!rc)
        c->to.vepa = on == NET_ON;
    return rc;
}

static int set_mac_protect(struct net_change *c)
{
    return switch_of(c, true, &c->to.mac_protect);
}

static int set_accounting(struct net_change *c)
{
    enum net_switchable on;
    int rc = switch_of(c, false, &on);
    return rc || on == NET_OFF ? rc : no_effect(c, "ACCOUNTING");
}

/* --- guest LANs ------------------------------------------------------------------------------- */

static int set_max_connections(struct net_change *c)
{
    u16 max = 0;
    int rc = 0;
    if (c->w->at < c->w->n && cp_abbrev(c->w->word[c->w->at], "INFinite"))
        c->w->at++;
    else
        rc = number_of(c, 1, VSWITCH_CONNECTIONS_MAX, &max);
    if (!rc)
        c->to.connections_max = max;
    return rc;
}

static int set_frame_size(struct net_change *c)
{
    static const u16 sizes[] = {16, 24, 40, 64};
    int rc = 0;
    const char *value = value_of(c, &rc);
    if (!value)
        return rc;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char with[8];
        snprintf(with, sizeof with, "%uK", sizes[i]);
        if (strcmp(value, with) && strncmp(value, with, strlen(value)))
            continue;
        c->to.frame_kib = sizes[i];
        return 0;
    }
    return cp_fail(c->req, MSG_CMD003E, value);
}

static int set_restricted(struct net_change *c)
{
    c->to.restricted = true;
    return 0;
}

static int set_unrestricted(struct net_change *c)
{
    c->to.restricted = false;
    return 0;
}

static int set_persistent(struct net_change *c)
{
    if (!(c->req->classes & CP_CLASS('B')))
        return cp_fail(c->req, MSG_CMD003E, "PERSISTENT");
    c->to.transient = false;
    return 0;
}

static int set_transient(struct net_change *c)
{
    c->to.transient = true;
    return 0;
}

/* --- the table -------------------------------------------------------------------------------- */

enum { OF_SWITCH = 1, OF_LAN = 2, OF_BOTH = 3, DEFINE_ONLY = 4 };

static const struct {
    const char *name;
    unsigned of;
    int (*take)(struct net_change *c);
} attributes[] = {
    {"TYPE", OF_BOTH | DEFINE_ONLY, set_type},
    {"ETHernet", OF_BOTH | DEFINE_ONLY, set_ethernet},
    {"IP", OF_BOTH | DEFINE_ONLY, set_ip},
    {"LOCal", OF_SWITCH | DEFINE_ONLY, set_local},
    {"GLObal", OF_SWITCH | DEFINE_ONLY, set_global},
    {"QDIO", OF_SWITCH | DEFINE_ONLY, set_local},
    {"UPLINK", OF_SWITCH, set_uplink},
    {"NOUPLINK", OF_SWITCH, set_nouplink},
    {"RDEV", OF_SWITCH, set_rdev},
    {"CONnect", OF_SWITCH, set_connect},
    {"DISCONnect", OF_SWITCH, set_disconnect},
    {"PRIQueuing", OF_SWITCH, set_priority_queuing},
    {"QUEuestorage", OF_SWITCH, set_queue_storage},
    {"CONTRoller", OF_SWITCH, set_controller},
    {"NONrouter", OF_SWITCH, set_router},
    {"PRIrouter", OF_SWITCH, set_router},
    {"NOGroup", OF_SWITCH, set_nogroup},
    {"GROUP", OF_SWITCH, set_group},
    {"BRIDGEport", OF_SWITCH, set_bridge},
    {"NICDistribution", OF_SWITCH, set_nic_distribution},
    {"PORTname", OF_SWITCH, set_port_name},
    {"USERBASED", OF_SWITCH | DEFINE_ONLY, set_user_based},
    {"PORTBASED", OF_SWITCH | DEFINE_ONLY, set_port_based},
    {"VLAN", OF_SWITCH, set_vlan},
    {"NATive", OF_SWITCH, set_native},
    {"PORTType", OF_SWITCH, set_port_type},
    {"GVRP", OF_SWITCH, set_gvrp},
    {"NOGVRP", OF_SWITCH, set_nogvrp},
    {"VLAN_counters", OF_SWITCH, set_vlan_counters},
    {"VEPA", OF_SWITCH, set_vepa},
    {"IPTimeout", OF_BOTH, set_ip_timeout},
    {"ISOLation", OF_BOTH, set_isolation},
    {"MACProtect", OF_BOTH, set_mac_protect},
    {"ACCOUNTing", OF_BOTH, set_accounting},
    {"MAXCONN", OF_LAN, set_max_connections},
    {"MFS", OF_LAN | DEFINE_ONLY, set_frame_size},
    {"RESTricted", OF_LAN | DEFINE_ONLY, set_restricted},
    {"UNRESTricted", OF_LAN | DEFINE_ONLY, set_unrestricted},
    {"PERSistent", OF_LAN, set_persistent},
    {"TRANSient", OF_LAN, set_transient},
};

static bool is_attribute(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
        if (attributes[i].of & OF_SWITCH && scan_abbrev(word, attributes[i].name))
            return true;
    return false;
}

int net_attribute(struct net_change *c, const char *word)
{
    unsigned kind = c->to.guest_lan ? OF_LAN : OF_SWITCH;
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
        if (attributes[i].of & kind && (c->define || !(attributes[i].of & DEFINE_ONLY)) &&
            scan_abbrev(word, attributes[i].name))
            return attributes[i].take(c);
    return cp_fail(c->req, MSG_CMD003E, word);
}

void net_links_tell(struct cp_request *req, const struct vswitch *sw)
{
    char line[MSG_LINE_BYTES], what[VSWITCH_WHY_BYTES + 16];
    for (unsigned i = 0; i < sw->outside.rdevs; i++) {
        if (!*sw->link[i].why)
            continue;
        snprintf(what, sizeof what, "OSA %04X: %s", sw->link[i].rdev, sw->link[i].why);
        msg_format(line, sizeof line, MSG_SWU2832E, sw->name, what);
        cp_line_text(req, line);
    }
}

int net_change_check(struct net_change *c)
{
    const struct vswitch *to = &c->to;
    char text[NET_NAME_TEXT_BYTES];
    vswitch_text(to, text);
    if (!to->vlan_aware && to->default_type == LAN_TRUNK)
        return cp_fail(c->req, MSG_SWU2781E, text, "PORTTYPE TRUNK needs a VLAN aware switch");
    if (*to->bridge_name && to->ip)
        return cp_fail(c->req, MSG_SWU2781E, text, "BRIDGEPORT needs transport ETHERNET");
    if (to->vepa && to->ip)
        return cp_fail(c->req, MSG_SWU2781E, text, "VEPA needs transport ETHERNET");
    if (to->vepa && to->isolated)
        return cp_fail(c->req, MSG_SWU2781E, text, "VEPA and ISOLATION exclude each other");
    return 0;
}

/* --- options of a port ------------------------------------------------------------------------ */

int net_port_options(struct cp_request *req, struct cp_net_words *w, const struct vswitch *sw,
                     struct port_option *out)
{
    char text[NET_NAME_TEXT_BYTES];
    while (w->at < w->n) {
        unsigned bad;
        const char *word = w->word[w->at];
        int taken = port_option_take(out, w->word, w->n, w->at, &bad);
        if (taken < 0)
            return bad < w->n ? cp_fail(req, MSG_CMD003E, w->word[bad])
                              : cp_fail(req, MSG_CMD026E);
        if (!taken)
            return cp_fail(req, MSG_CMD003E, word);
        w->at += (unsigned)taken;
    }
    vswitch_text(sw, text);
    if ((out->has_vlans || out->has_type) && !sw->vlan_aware)
        return cp_fail(req, MSG_SWU2781E, text, "it is VLAN unaware");
    enum lan_port_type type = out->has_type ? out->type : sw->default_type;
    if (type == LAN_ACCESS && out->has_vlans && vlan_count(&out->vlans) > 1)
        return cp_fail(req, MSG_SWU2781E, text, "an access port is in one VLAN");
    if (out->priority)
        cp_line(req, "PQUPLINKTX has no effect here");
    return 0;
}

int net_grant(struct cp_request *req, struct cp_net_words *w, struct vswitch *sw)
{
    struct net_grant g = {0};
    char text[NET_NAME_TEXT_BYTES];
    const char *userid = cp_net_next(w);
    if (!userid || !cp_userid_ok(userid))
        return cp_fail(req, MSG_LGA020E);
    snprintf(g.userid, sizeof g.userid, "%s", userid);
    int rc = net_port_options(req, w, sw, &g.option);
    if (rc)
        return rc;
    int status = vswitch_grant(sw, &g);
    if (status)
        return cp_fail(req, MSG_SWU2781E, vswitch_text(sw, text),
                       status == ST_NOMEM ? "no memory"
                                          : "it has as many grants as are possible");
    cp_net_refresh(req->cp, sw);
    cp_line(req, "Command complete");
    return 0;
}

int net_revoke(struct cp_request *req, struct cp_net_words *w, struct vswitch *sw)
{
    char text[NET_NAME_TEXT_BYTES], why[80];
    const char *userid = cp_net_next(w), *more = cp_net_next(w);
    if (!userid || !cp_userid_ok(userid))
        return cp_fail(req, MSG_LGA020E);
    if (more)
        return cp_fail(req, MSG_CMD003E, more);
    snprintf(why, sizeof why, "%s is not authorized for %s", userid, vswitch_text(sw, text));
    if (!vswitch_revoke(sw, userid, 0))
        return cp_fail(req, MSG_NIC6011E, why);
    cp_net_take_off(req->cp, sw, userid);
    cp_line(req, "Command complete");
    return 0;
}

int net_define_begin(struct net_change *c, struct cp_request *req, struct cp_net_words *w,
                     bool guest_lan)
{
    *c = (struct net_change){.req = req, .w = w, .define = true};
    int rc = cp_net_words(req, w);
    if (rc)
        return rc;
    const char *name = cp_net_next(w);
    if (!name || !cp_userid_ok(name))
        return cp_fail(req, MSG_CMD026E);
    vswitch_defaults(&c->to, guest_lan);
    snprintf(c->to.name, sizeof c->to.name, "%s", name);
    return 0;
}

int net_define_end(struct net_change *c, struct vswitch **sw)
{
    struct cp *cp = c->req->cp;
    struct cause cause;
    char text[NET_NAME_TEXT_BYTES];
    int rc = net_change_check(c);
    if (rc)
        return rc;
    vswitch_text(&c->to, text);
    if (!cp_nets(cp))
        return cp_fail(c->req, MSG_SWU2781E, text, "no memory");
    if (vswitch_define(cp->nets, &c->to, sw, &cause))
        return cp_fail(c->req, MSG_SWU2781E, text, cause.text);
    net_links_tell(c->req, *sw);
    return 0;
}
