/* DEFINE, SET, MODIFY and DETACH of virtual switches. UPLINK is ours. */
#include <stdio.h>
#include <string.h>

#include "hyp/config/config_scan.h"
#include "hyp/net/net_capture.h"
#include "hyp/net/net_change.h"

struct vswitch *net_switch_named(struct cp_request *req, const char *word, int *rc)
{
    char text[NET_NAME_TEXT_BYTES];
    if (!word || !cp_userid_ok(word)) {
        *rc = cp_fail(req, MSG_CMD026E);
        return NULL;
    }
    struct vswitches *all = cp_nets(req->cp);
    struct vswitch *sw = all ? vswitch_find(all, NET_SYSTEM, word) : NULL;
    if (sw && !sw->guest_lan)
        return sw;
    snprintf(text, sizeof text, "VSWITCH SYSTEM %s", word);
    *rc = cp_fail(req, MSG_SWU2782E, text);
    return NULL;
}

/* DEFINE VSWITCH name [attribute] ... */
int cp_define_vswitch(struct cp_request *req)
{
    struct cp_net_words w;
    struct net_change c;
    struct vswitch *sw;
    const char *word;
    int rc = net_define_begin(&c, req, &w, false);
    if (rc)
        return rc;
    strcpy(c.to.owner, NET_SYSTEM);
    while (!rc && (word = cp_net_next(&w)))
        rc = net_attribute(&c, word);
    if (rc || (rc = net_define_end(&c, &sw)))
        return rc;
    cp_line(req, "VSWITCH SYSTEM %s is created", sw->name);
    return 0;
}

/* DETACH VSWITCH name: adapters lose their network */
int cp_detach_vswitch(struct cp_request *req)
{
    int rc = 0;
    struct vswitch *sw = net_switch_named(req, cp_operand(req), &rc);
    if (!sw || (rc = cp_no_more(req)))
        return rc;
    cp_net_take_off(req->cp, sw, NULL);
    cp_line(req, "VSWITCH SYSTEM %s is destroyed", sw->name);
    vswitch_remove(req->cp->nets, sw);
    return 0;
}

/* --- port numbers ----------------------------------------------------------------------------- */

static int complete(struct cp_request *req, struct vswitch *sw)
{
    cp_net_refresh(req->cp, sw);
    cp_line(req, "Command complete");
    return 0;
}

static int port_number(struct cp_request *req, const char *word, u16 *port)
{
    u64 n;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!scan_number(word, 1, VSWITCH_PORT_MAX, &n))
        return cp_fail(req, MSG_CMD003E, word);
    *port = (u16)n;
    return 0;
}

static int no_port(struct cp_request *req, const struct vswitch *sw, u16 port)
{
    char text[NET_NAME_TEXT_BYTES], why[32];
    snprintf(why, sizeof why, "it has no port %u", port);
    return cp_fail(req, MSG_SWU2781E, vswitch_text(sw, text), why);
}

/* n USERID userid [option] ... */
static int port_grant(struct cp_request *req, struct cp_net_words *w, struct vswitch *sw,
                      u16 port)
{
    struct net_grant g = {.port = port};
    char text[NET_NAME_TEXT_BYTES];
    const char *word = cp_net_next(w);
    if (!word || !cp_abbrev(word, "USERid"))
        return word ? cp_fail(req, MSG_CMD003E, word) : cp_fail(req, MSG_CMD026E);
    word = cp_net_next(w);
    if (!word || !cp_userid_ok(word))
        return cp_fail(req, MSG_LGA020E);
    snprintf(g.userid, sizeof g.userid, "%s", word);
    int rc = net_port_options(req, w, sw, &g.option);
    if (rc)
        return rc;
    int status = vswitch_grant(sw, &g);
    return status ? cp_fail(req, MSG_SWU2781E, vswitch_text(sw, text),
                            status == ST_EXIST ? "the port is another user's"
                                               : "it has as many grants as are possible")
                  : complete(req, sw);
}

/* PORTNUMBER {n USERID userid [option] ... | MODIFY n option ... | REMOVE n} */
static int set_port_number(struct cp_request *req, struct cp_net_words *w, struct vswitch *sw)
{
    const char *word = cp_net_next(w);
    bool modify = word && cp_abbrev(word, "MODIFY"), remove = word && cp_abbrev(word, "REMOVE");
    u16 port = 0;
    int rc = port_number(req, modify || remove ? cp_net_next(w) : word, &port);
    if (rc)
        return rc;
    if (!modify && !remove)
        return port_grant(req, w, sw, port);
    struct net_grant *g = vswitch_grant_find(sw, NULL, port);
    if (!g)
        return no_port(req, sw, port);
    if (remove && w->at < w->n)
        return cp_fail(req, MSG_CMD003E, w->word[w->at]);
    if (remove) {
        vswitch_revoke(sw, NULL, port);
        return complete(req, sw);
    }
    struct port_option option = g->option;
    rc = net_port_options(req, w, sw, &option);
    if (rc)
        return rc;
    g->option = option;
    return complete(req, sw);
}

/* --- VLANs of ports --------------------------------------------------------------------------- */

static void vlan_of_port(struct net_grant *g, u16 vlan, bool on)
{
    g->option.has_vlans = true;
    vlan_put(&g->option.vlans, vlan, on);
}

/* A port number, or "3-7": all of them have to be there. */
static int vlan_ports(struct cp_request *req, struct vswitch *sw, const char *word, u16 vlan,
                      int change)
{
    unsigned first, last;
    char behind;
    int n = sscanf(word, "%4u-%4u%c", &first, &last, &behind);
    if (n == 1 && !strchr(word, '-'))
        last = first;
    else if (n != 2)
        return cp_fail(req, MSG_CMD003E, word);
    if (!first || last < first || last > VSWITCH_PORT_MAX)
        return cp_fail(req, MSG_CMD003E, word);
    for (unsigned port = first; port <= last; port++) {
        struct net_grant *g = vswitch_grant_find(sw, NULL, (u16)port);
        if (!g)
            return no_port(req, sw, (u16)port);
        if (change)
            vlan_of_port(g, vlan, change > 0);
    }
    return 0;
}

/* VLANID {vlan {ADD | REMOVE} port[-port] ... | DELETE vlan} */
static int set_vlan_id(struct cp_request *req, struct cp_net_words *w, struct vswitch *sw)
{
    const char *word = cp_net_next(w);
    bool gone = word && cp_abbrev(word, "DELETE");
    const char *number = gone ? cp_net_next(w) : word, *what = gone ? "REMOVE" : cp_net_next(w);
    char text[NET_NAME_TEXT_BYTES];
    u16 vlan;
    int rc = 0;
    if (!number || !what)
        return cp_fail(req, MSG_CMD026E);
    bool add = !strcmp(what, "ADD");
    if (!vlan_number(number, &vlan))
        return cp_fail(req, MSG_CMD003E, number);
    if (!add && strcmp(what, "REMOVE"))
        return cp_fail(req, MSG_CMD003E, what);
    if (!sw->vlan_aware)
        return cp_fail(req, MSG_SWU2781E, vswitch_text(sw, text), "it is VLAN unaware");
    for (unsigned i = 0; gone && i < sw->grants; i++)
        vlan_put(&sw->grant[i].option.vlans, vlan, false);
    if (!gone && w->at == w->n)
        return cp_fail(req, MSG_CMD026E);
    for (unsigned i = w->at; !rc && i < w->n; i++)
        rc = gone ? cp_fail(req, MSG_CMD003E, w->word[i])
                  : vlan_ports(req, sw, w->word[i], vlan, 0);
    for (unsigned i = w->at; !rc && i < w->n; i++)
        rc = vlan_ports(req, sw, w->word[i], vlan, add ? 1 : -1);
    return rc ? rc : complete(req, sw);
}

/* --- SET VSWITCH ------------------------------------------------------------------------------ */

/* Takes what was checked; what may fail is its uplink, without which it stays then. */
static int become(struct net_change *c, struct vswitch *sw)
{
    char text[NET_NAME_TEXT_BYTES];
    struct cause cause;
    struct vswitch *next = sw->next;
    struct uplink *uplink = sw->uplink;
    *sw = c->to;
    sw->next = next;
    sw->uplink = uplink;
    int status =
        c->reconnect ? vswitch_uplink(c->req->cp->nets, sw, !sw->disconnected, &cause) : ST_OK;
    if (c->reconnect)
        net_links_tell(c->req, sw);
    int bridged = c->rebridge ? vswitch_bridge(c->req->cp->nets, sw) : ST_OK;
    if (status == ST_OK && bridged)
        status = cause_set(&cause, bridged, "no memory for a bridge port");
    cp_net_refresh(c->req->cp, sw);
    if (status == ST_OK && c->switch_over && !vswitch_switch_over(sw))
        status = cause_set(&cause, ST_NOENT, "no other OSA of it leads anywhere");
    if (status)
        return cp_fail(c->req, MSG_SWU2781E, vswitch_text(sw, text), cause.text);
    cp_line(c->req, "Command complete");
    return 0;
}

static int set_attributes(struct cp_request *req, struct cp_net_words *w, struct vswitch *sw)
{
    struct net_change c = {.req = req, .w = w, .to = *sw};
    const char *word;
    int rc = w->at < w->n ? 0 : cp_fail(req, MSG_CMD026E);
    while (!rc && (word = cp_net_next(w)))
        rc = net_attribute(&c, word);
    if (!rc)
        rc = net_change_check(&c);
    return rc ? rc : become(&c, sw);
}

/* MACID nnnnnn: the second half of its own address, behind MACPREFIX */
static int set_mac_id(struct cp_request *req, struct cp_net_words *w, struct vswitch *sw)
{
    const char *word = cp_net_next(w);
    char text[NET_NAME_TEXT_BYTES];
    u64 id;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (strlen(word) > 6 || !scan_hex(word, MAC_ID_MAX, &id) || !id)
        return cp_fail(req, MSG_CMD003E, word);
    if (w->at < w->n)
        return cp_fail(req, MSG_CMD003E, w->word[w->at]);
    if (!vswitch_set_mac(req->cp->nets, sw, (u32)id))
        return cp_fail(req, MSG_SWU2781E, vswitch_text(sw, text), "the address is in use");
    cp_line(req, "Command complete");
    return 0;
}

static int set_refused(struct cp_request *req, struct cp_net_words *w, struct vswitch *sw)
{
    (void)sw;
    return cp_fail(req, MSG_CMD099E, w->word[w->at - 1]);
}

/* SET VSWITCH name ...; MODIFY VSWITCH of system.config is the same */
int cp_set_vswitch(struct cp_request *req, void *ctx)
{
    static const struct {
        const char *name;
        int (*set)(struct cp_request *req, struct cp_net_words *w, struct vswitch *sw);
    } actions[] = {
        {"GRAnt", net_grant},    {"REVoke", net_revoke},      {"PORTNUMber", set_port_number},
        {"VLANID", set_vlan_id}, {"COUNTERS", set_refused},   {"IVLPort", set_refused},
        {"MACID", set_mac_id},   {"CAPTURE", net_set_capture}};
    struct cp_net_words w;
    int rc = cp_net_words(req, &w);
    (void)ctx;
    if (rc)
        return rc;
    struct vswitch *sw = net_switch_named(req, cp_net_next(&w), &rc);
    if (!sw)
        return rc;
    const char *word = w.at < w.n ? w.word[w.at] : "";
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        if (*word && scan_abbrev(word, actions[i].name)) {
            w.at++;
            return actions[i].set(req, &w, sw);
        }
    return set_attributes(req, &w, sw);
}

/* MODIFY {VSWITCH | LAN} name ...: as SET */
int cp_cmd_modify(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!strcmp(word, "LAN"))
        return cp_set_lan(req, ctx);
    return cp_abbrev(word, "VSWitch") ? cp_set_vswitch(req, ctx)
                                      : cp_fail(req, MSG_CMD003E, word);
}
