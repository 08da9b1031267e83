/* Guest LANs: DEFINE, SET and DETACH LAN. They belong to a user, or to SYSTEM; who has not class B
 * has its own. Source: z/VM, CP Commands and Utilities Reference (DEFINE LAN). */
#include <stdio.h>
#include <string.h>

#include "hyp/config/config_scan.h"
#include "hyp/net/net_change.h"

static bool class_b(const struct cp_request *req)
{
    return req->classes & CP_CLASS('B');
}

/* [OWNERID userid] behind the name; without it the issuer's, or, in system.config, SYSTEM's. 0, or
 * the number of a message. */
static int owner_operand(struct cp_request *req, struct cp_net_words *w,
                         char owner[DIR_NAME_BYTES])
{
    snprintf(owner, DIR_NAME_BYTES, "%s", req->userid);
    if (w->at == w->n || !cp_abbrev(w->word[w->at], "OWNERid"))
        return 0;
    w->at++;
    const char *word = cp_net_next(w);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (strcmp(word, "*") && !cp_userid_ok(word))
        return cp_fail(req, MSG_LGA020E);
    if (strcmp(word, "*"))
        snprintf(owner, DIR_NAME_BYTES, "%s", word);
    if (strcmp(owner, req->userid) && !class_b(req))
        return cp_fail(req, MSG_CMD003E, word);
    return 0;
}

/* The guest LAN that name and owner are of; NULL with *rc set. */
static struct vswitch *which_lan(struct cp_request *req, struct cp_net_words *w, int *rc)
{
    char owner[DIR_NAME_BYTES], text[NET_NAME_TEXT_BYTES];
    const char *name = cp_net_next(w);
    if (!name || !cp_userid_ok(name)) {
        *rc = cp_fail(req, MSG_CMD026E);
        return NULL;
    }
    *rc = owner_operand(req, w, owner);
    if (*rc)
        return NULL;
    struct vswitches *all = cp_nets(req->cp);
    struct vswitch *sw = all ? vswitch_find(all, owner, name) : NULL;
    if (sw && sw->guest_lan)
        return sw;
    snprintf(text, sizeof text, "LAN %s %.8s", owner, name);
    *rc = cp_fail(req, MSG_SWU2782E, text);
    return NULL;
}

/* DEFINE LAN name [OWNERID userid] [attribute] ... */
int cp_define_lan(struct cp_request *req)
{
    struct cp_net_words w;
    struct net_change c;
    struct vswitch *sw;
    const char *word;
    char text[NET_NAME_TEXT_BYTES];
    int rc = net_define_begin(&c, req, &w, true);
    if (rc || (rc = owner_operand(req, &w, c.to.owner)))
        return rc;
    c.to.transient = strcmp(c.to.owner, NET_SYSTEM) != 0;
    c.to.hipersockets = true; /* unless it says something else */
    while (!rc && (word = cp_net_next(&w)))
        rc = net_attribute(&c, word);
    if (rc || (rc = net_define_end(&c, &sw)))
        return rc;
    cp_line(req, "%s is created", vswitch_text(sw, text));
    return 0;
}

/* DETACH LAN name [OWNERID userid]: adapters lose their network */
int cp_detach_lan(struct cp_request *req)
{
    struct cp_net_words w;
    char text[NET_NAME_TEXT_BYTES];
    int rc = cp_net_words(req, &w);
    struct vswitch *sw = rc ? NULL : which_lan(req, &w, &rc);
    if (!sw)
        return rc;
    if (w.at < w.n)
        return cp_fail(req, MSG_CMD003E, w.word[w.at]);
    vswitch_text(sw, text);
    cp_net_take_off(req->cp, sw, NULL);
    vswitch_remove(req->cp->nets, sw);
    cp_line(req, "%s is destroyed", text);
    return 0;
}

static int set_attributes(struct cp_request *req, struct cp_net_words *w, struct vswitch *sw)
{
    struct net_change c = {.req = req, .w = w, .to = *sw};
    char text[NET_NAME_TEXT_BYTES];
    const char *word;
    int rc = w->at < w->n ? 0 : cp_fail(req, MSG_CMD026E);
    while (!rc && (word = cp_net_next(w)))
        rc = net_attribute(&c, word);
    if (rc || (rc = net_change_check(&c)))
        return rc;
    const struct net_limits *limits = vswitches_limits(req->cp->nets);
    unsigned max = c.to.transient ? limits->transient_max : limits->persistent_max;
    if (c.to.transient != sw->transient &&
        vswitches_count(req->cp->nets, c.to.transient) >= max)
        return cp_fail(req, MSG_SWU2781E, vswitch_text(sw, text), "VMLAN LIMIT is reached");
    *sw = c.to;
    cp_net_refresh(req->cp, sw);
    cp_line(req, "Command complete");
    return 0;
}

/* SET LAN name [OWNERID userid] {GRANT userid [PROMISCUOUS] | REVOKE userid | attribute ...} */
int cp_set_lan(struct cp_request *req, void *ctx)
{
    struct cp_net_words w;
    int rc = cp_net_words(req, &w);
    (void)ctx;
    struct vswitch *sw = rc ? NULL : which_lan(req, &w, &rc);
    if (!sw)
        return rc;
    const char *word = w.at < w.n ? w.word[w.at] : "";
    bool grant = *word && scan_abbrev(word, "GRAnt");
    if (!grant && !(*word && scan_abbrev(word, "REVoke")))
        return set_attributes(req, &w, sw);
    w.at++;
    return grant ? net_grant(req, &w, sw) : net_revoke(req, &w, sw);
}
