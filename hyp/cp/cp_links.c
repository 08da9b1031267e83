/* DEFINE RELODOMAIN, ACTIVATE and DEACTIVATE ISLINK; ENABLE and DISABLE of terminals.
 * A domain is defined on every member that is joined, until it ends; one that joins later has
 * those of its system.config. Links to other members come up by themselves and stay.
 * Source: z/VM "CP Commands and Utilities Reference"; answers, and the numbers of HCPDFR, HCPLNK
 * and HCPENA, are ours. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"

/* --- relocation domains ---------------------------------------------------------------------- */

/* MEMBERS sysname ... */
static int domain_members(struct cp_request *req, struct config_domain *d)
{
    const char *word = cp_operand(req);
    if (!word || !cp_abbrev(word, "MEMBERs"))
        return word ? cp_fail(req, MSG_CMD003E, word) : cp_fail(req, MSG_CMD026E);
    while ((word = cp_operand(req))) {
        if (!config_slot_of(req->cp->config, word))
            return cp_fail(req, MSG_DFR601E, word);
        for (unsigned i = 0; i < d->member_count; i++)
            if (!strcmp(d->members[i], word))
                return cp_fail(req, MSG_CMD002E, word);
        strcpy(d->members[d->member_count++], word);
    }
    return d->member_count ? 0 : cp_fail(req, MSG_CMD026E);
}

static int domain_add(struct cp_request *req, const struct config_domain *d)
{
    struct config_domain_list *list = req->cp->config->defined_domains;
    if (!list || list->count == CONFIG_DOMAINS_MAX)
        return cp_fail(req, MSG_DFR602E, d->name);
    list->domain[list->count++] = *d;
    cp_line(req, "Relocation domain %s defined", d->name);
    return 0;
}

/* DEFINE RELODOMAIN name MEMBERS sysname ... */
int cp_define_relodomain(struct cp_request *req)
{
    const struct system_config *config = req->cp->config;
    struct config_domain d = {{0}, {{0}}, 0}, scratch;
    const char *name = cp_operand(req);
    const size_t operands = req->at;
    char command[CP_COMMAND_BYTES_MAX];
    if (!config->in_ssi)
        return cp_fail(req, MSG_PLM1600I);
    if (!name || !cp_userid_ok(name))
        return name ? cp_fail(req, MSG_CMD002E, name) : cp_fail(req, MSG_CMD026E);
    if (config_domain_find(config, name, &scratch))
        return cp_fail(req, MSG_DFR600E, name);
    strcpy(d.name, name);
    int rc = domain_members(req, &d);
    if (rc || req->remote)
        return rc ? rc : domain_add(req, &d);
    int n = snprintf(command, sizeof command, "DEFINE RELODOMAIN %s%s", d.name,
                     req->raw + operands);
    return n < (int)sizeof command
               ? cp_remote_all(req, &(struct cp_remote_text){.head = command},
                               CP_REMOTE_TIMEOUT_MS)
               : cp_fail(req, MSG_CMD026E);
}

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
    return *member ? 0 : cp_fail(req, MSG_LNK600E, word);
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
