/* What is set for all virtual networks of a member: SET and QUERY VMLAN. */
#include <stdio.h>
#include <string.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_net.h"

static int no_value(struct cp_request *req)
{
    return cp_fail(req, MSG_CMD026E);
}

/* LIMIT {PERSISTENT | TRANSIENT} {INFINITE | n} */
static int set_limit(struct cp_request *req, struct cp_net_words *w, struct vswitches *all)
{
    const char *which = cp_net_next(w), *value = cp_net_next(w);
    u64 n = ~0u;
    if (!which || !value)
        return no_value(req);
    bool transient = cp_abbrev(which, "TRANSient");
    if (!transient && !cp_abbrev(which, "PERSistent"))
        return cp_fail(req, MSG_CMD003E, which);
    if (!cp_abbrev(value, "INFinite") && !scan_number(value, 0, VSWITCHES_MAX, &n))
        return cp_fail(req, MSG_CMD003E, value);
    *(transient ? &vswitches_limits(all)->transient_max
                : &vswitches_limits(all)->persistent_max) = (unsigned)n;
    return 0;
}

/* "000001-FFFFFF" */
static bool range_of(const char *word, struct mac_range *out)
{
    char first[8];
    u64 a, b;
    const char *dash = strchr(word, '-');
    size_t len = dash ? (size_t)(dash - word) : 0;
    if (!len || len > 6 || strlen(dash + 1) > 6)
        return false;
    memcpy(first, word, len);
    first[len] = 0;
    if (!scan_hex(first, MAC_ID_MAX, &a) || !scan_hex(dash + 1, MAC_ID_MAX, &b) || b < a)
        return false;
    *out = (struct mac_range){(u32)a, (u32)b};
    return true;
}

/* MACIDRANGE SYSTEM n-n [USER n-n] */
static int set_ranges(struct cp_request *req, struct cp_net_words *w, struct vswitches *all)
{
    struct mac_range system, user = {0};
    const char *word = cp_net_next(w), *value = cp_net_next(w);
    if (!word || !value)
        return no_value(req);
    if (cp_abbrev(word, "SYSTEM") ? !range_of(value, &system) || !system.last : true)
        return cp_fail(req, MSG_CMD003E, value);
    if (w->at < w->n && cp_abbrev(w->word[w->at], "USER")) {
        w->at++;
        value = cp_net_next(w);
        if (!value || !range_of(value, &user))
            return value ? cp_fail(req, MSG_CMD003E, value) : no_value(req);
    }
    return mac_pool_set_ranges(vswitches_macs(all), system, user)
               ? 0
               : cp_fail(req, MSG_CMD003E, value);
}

/* MACPREFIX, USERPREFIX hhhhhh */
static int set_prefix(struct cp_request *req, struct cp_net_words *w, struct mac_pool *macs,
                      bool user)
{
    const char *value = cp_net_next(w);
    u64 prefix;
    if (!value)
        return no_value(req);
    if (strlen(value) != 6 || !scan_hex(value, 0xffffff, &prefix) || prefix & 0x010000)
        return cp_fail(req, MSG_CMD003E, value);
    mac_pool_set_prefixes(macs, user ? mac_pool_prefix(macs) : (u32)prefix,
                          user ? (u32)prefix : mac_pool_user_prefix(macs));
    return 0;
}

/* "MACPROTECT ON", "DNA ENABLE" */
static int set_choice(struct cp_request *req, struct cp_net_words *w, const char *yes,
                      const char *no, bool *out)
{
    const char *value = cp_net_next(w);
    if (!value)
        return no_value(req);
    if (!cp_abbrev(value, yes) && !cp_abbrev(value, no))
        return cp_fail(req, MSG_CMD003E, value);
    *out = cp_abbrev(value, yes);
    return 0;
}

static int set_one(struct cp_request *req, struct cp_net_words *w, struct vswitches *all,
                   const char *word)
{
    struct net_limits *limits = vswitches_limits(all);
    bool ignored;
    if (!strcmp(word, "LIMIT"))
        return set_limit(req, w, all);
    if (cp_abbrev(word, "MACIDRange"))
        return set_ranges(req, w, all);
    if (!strcmp(word, "MACPREFIX") || !strcmp(word, "USERPREFIX"))
        return set_prefix(req, w, vswitches_macs(all), *word == 'U');
    if (cp_abbrev(word, "MACPROTect"))
        return set_choice(req, w, "ON", "OFF", &limits->mac_protect);
    if (!strcmp(word, "DNA"))
        return set_choice(req, w, "ENAble", "DISAble", &limits->directory_grants);
    if (!cp_abbrev(word, "ACCounting") && strcmp(word, "ACNT"))
        return cp_fail(req, MSG_CMD003E, word);
    if (w->at < w->n &&
        (cp_abbrev(w->word[w->at], "SYSTEM") || cp_abbrev(w->word[w->at], "USER")))
        w->at++;
    cp_line(req, "ACCOUNTING has no effect here");
    return set_choice(req, w, "ON", "OFF", &ignored);
}

/* SET VMLAN {LIMIT ... | MACIDRANGE ... | MACPREFIX ... | MACPROTECT ... | DNA ...} ...; the VMLAN
 * statement is the same */
int cp_set_vmlan(struct cp_request *req, void *ctx)
{
    struct cp_net_words w;
    const char *word;
    int rc = cp_net_words(req, &w);
    struct vswitches *all = cp_nets(req->cp);
    (void)ctx;
    if (rc || !all)
        return rc ? rc : cp_fail(req, MSG_SWU2781E, "VMLAN", "no memory");
    if (!w.n)
        return no_value(req);
    while (!rc && (word = cp_net_next(&w)))
        rc = set_one(req, &w, all, word);
    for (struct vswitch *sw = vswitch_next(all, NULL); sw; sw = vswitch_next(all, sw))
        cp_net_refresh(req->cp, sw);
    if (!rc)
        cp_line(req, "Command complete");
    return rc;
}

static const char *limit_text(unsigned max, char out[16])
{
    snprintf(out, 16, max == ~0u ? "INFINITE" : "%u", max);
    return out;
}

/* QUERY VMLAN */
int cp_query_vmlan(struct cp_request *req, void *ctx)
{
    struct vswitches *all = cp_nets(req->cp);
    struct mac_range system, user;
    char limit[16];
    int rc = cp_no_more(req);
    (void)ctx;
    if (rc || !all)
        return rc;
    const struct net_limits *limits = vswitches_limits(all);
    const struct mac_pool *macs = vswitches_macs(all);
    mac_pool_ranges(macs, &system, &user);
    cp_line(req, "VMLAN maintenance level:");
    cp_line(req, "  Latest Service: Base");
    cp_line(req, "VMLAN MAC address assignment:");
    cp_line(req, "  System MAC Protection: %s", limits->mac_protect ? "ON" : "OFF");
    cp_line(req, "  MACADDR Prefix: %06X USER Prefix: %06X", mac_pool_prefix(macs),
            mac_pool_user_prefix(macs));
    cp_line(req, "  MACIDRANGE SYSTEM: %06X-%06X", system.first, system.last);
    cp_line(req, "             USER:   %06X-%06X", user.first, user.last);
    cp_line(req, "VMLAN default accounting status:");
    cp_line(req, "  SYSTEM Accounting: OFF      USER Accounting: OFF");
    cp_line(req, "VMLAN general activity:");
    cp_line(req, "  PERSISTENT Limit: %-9s Current: %u",
            limit_text(limits->persistent_max, limit), vswitches_count(all, false));
    cp_line(req, "  TRANSIENT  Limit: %-9s Current: %u",
            limit_text(limits->transient_max, limit), vswitches_count(all, true));
    cp_line(req, "VMLAN Directory Network Authorization: %s",
            limits->directory_grants ? "ENABLED" : "DISABLED");
    return 0;
}
