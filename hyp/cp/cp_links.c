/* ACTIVATE and DEACTIVATE ISLINK; ENABLE and DISABLE of terminals.
 * Links to other members come up by themselves and stay.
 * Source: z/VM "CP Commands and Utilities Reference"; answers, and the numbers of HCPLNK and
 * HCPENA, are ours. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"

/* --- links ----------------------------------------------------------------------------------- */

/* The member at the other end of a link of system.config, or the name itself; NULL: none. */
static const char *link_member(struct cp_request *req, const char *word)
{
    const struct system_config *config = req->cp->config;
    u64 rdev;
    bool number = strlen(word) <= 4 && scan_hex(word, 0xffff, &rdev);
    for (unsigned i = 0; number && i < config->islink_count; i++)
        if (config->islinks[i].rdev == rdev && *config->islinks[i].node)
            return config->islinks[i].node;
    return config_slot_of(config, word) && strcmp(word, config->member) ? word : NULL;
}

/* Is it a device of an ACTIVATE ISLINK statement, with NODE or without? */
static bool configured(const struct system_config *config, const char *word)
{
    u64 rdev;
    bool found = false;
    if (strlen(word) > 4 || !scan_hex(word, 0xffff, &rdev))
        return false;
    for (unsigned i = 0; i < config->islink_count; i++)
        found |= config->islinks[i].rdev == rdev;
    return found;
}

/* [ISLINK] {rdev | NODE name} */
static int link_operand(struct cp_request *req, const char **member)
{
    const char *word = cp_operand(req);
    if (word && cp_abbrev(word, "ISLink"))
        word = cp_operand(req);
    if (word && !strcmp(word, "NODE"))
        word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    *member = link_member(req, word);
    if (*member)
        return 0;
    return cp_fail(req, configured(req->cp->config, word) ? MSG_LNK603E : MSG_LNK600E, word);
}

static int set_link(struct cp_request *req, const char *member, bool active)
{
    const struct cp *cp = req->cp;
    struct cause cause = {0};
    if (!cp->cluster || !cp->cluster->link)
        return cp_fail(req, MSG_LNK600E, member);
    int status = cp->cluster->link(cp->cluster_ctx, member, active, &cause);
    return status && !(active && status == ST_EXIST)
               ? cp_fail(req, MSG_LNK602E, member, cause.text)
               : 0;
}

/* ACTIVATE ISLINK {rdev | NODE name}: a link that is lost heals by itself, one that was deactivated
 * does from now on. */
int cp_cmd_activate(struct cp_request *req, void *ctx)
{
    const char *member;
    bool local;
    (void)ctx;
    int rc = link_operand(req, &member);
    if (!rc && cp_member_reachable(req->cp, member, &local))
        rc = cp_fail(req, MSG_LNK601E, member);
    if (!rc)
        rc = set_link(req, member, true);
    if (!rc)
        cp_line(req, "Link to %s: activation is under way", member);
    return rc;
}

/* DEACTIVATE ISLINK {rdev | NODE name}: the members lose each other, and nobody can log on in the
 * cluster, until it is activated. */
int cp_cmd_deactivate(struct cp_request *req, void *ctx)
{
    const char *member;
    (void)ctx;
    int rc = link_operand(req, &member);
    if (!rc)
        rc = set_link(req, member, false);
    if (!rc)
        cp_line(req, "Link to %s: deactivated", member);
    return rc;
}

/* --- terminals ------------------------------------------------------------------------------- */

bool cp_terminals_enabled(const struct cp *cp)
{
    return !cp->terminals_disabled;
}

/* {ENABLE | DISABLE} {ALL | TERMINALS}: new connections get the logo, or are turned away */
static int terminals(struct cp_request *req, bool on)
{
    const char *word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (cp_abbrev(word, "EXits") && req->classes & CP_CLASS('A'))
        return cp_exits_switch(req, on);
    if (strcmp(word, "ALL") && !cp_abbrev(word, "TERMinals"))
        return cp_fail(req, MSG_ATR040E, word);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    req->cp->terminals_disabled = !on;
    cp_line(req, "COMMAND COMPLETE");
    return 0;
}

int cp_cmd_enable(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return terminals(req, true);
}

int cp_cmd_disable(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return terminals(req, false);
}
