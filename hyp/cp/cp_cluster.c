/* The cluster to commands: QUERY SSI, SET SSI, and requests held while a member joins or leaves.
 * Guarantees: a held request goes on once (ssi_hold.c [H1]), or is completed with what dropped it:
 * CPHX, the end of its user's session, the end of this system.
 * Source: z/VM "CP Commands and Utilities Reference"; QUERY SSI HELD and messages 1602 to 1605 are
 * ours. */
#include "hyp/cp/cp_internal.h"

#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/rdev/rdev.h"

#define CP_HELD_BYTES 16 /* an operand of an RH row */

/* --- requests that are held --------------------------------------------------------------- */

static void go_on(void *ctx)
{
    cp_request_resume(ctx);
}

static const char *holder(const struct cp *cp, char out[CP_HOLDER_BYTES])
{
    out[0] = 0;
    if (cp->cluster->holder)
        cp->cluster->holder(cp->cluster_ctx, out);
    return out[0] ? out : "a system is joining or leaving";
}

/* Is the next operand one with which requests of this row are held? */
static bool is_held(struct cp_request *req, const char *held)
{
    char name[CP_HELD_BYTES];
    if (!*held || *held == '*')
        return *held;
    const char *word = cp_operand_peek(req);
    for (size_t n; word && *held; held += n + (held[n] == '|')) {
        n = strcspn(held, "|");
        snprintf(name, sizeof name, "%.*s", (int)n, held);
        if (cp_abbrev(word, name))
            return true;
    }
    return false;
}

int cp_hold_other(struct cp *cp, struct ssi_held *held)
{
    return cp->cluster && cp->cluster->hold ? cp->cluster->hold(cp->cluster_ctx, held)
                                            : ST_NOENT;
}

int cp_hold(struct cp_request *req, const struct cp_table_row *row)
{
    return is_held(req, row->held) ? cp_hold_again(req, row->handler, row->ctx) : 0;
}

int cp_hold_again(struct cp_request *req, cp_handler then, void *ctx)
{
    const struct cp *cp = req->cp;
    char why[CP_HOLDER_BYTES], line[MSG_LINE_BYTES];
    if (!cp->cluster || !cp->cluster->hold)
        return 0;
    req->hold = (struct ssi_held){.go = go_on, .ctx = req};
    req->hold_handler = then;
    req->hold_ctx = ctx;
    req->hold_at = req->at;
    int status = cp->cluster->hold(cp->cluster_ctx, &req->hold);
    if (status == ST_NOENT)
        return 0;
    if (status)
        return cp_fail(req, MSG_PLM1603E, req->command, holder(cp, why));
    msg_format(line, sizeof line, MSG_PLM1602I, req->command, holder(cp, why));
    struct cp_user *user = cp_request_user(req);
    if (user)
        cp_user_tell(user, "%s", line);
    return CP_LATER;
}

void cp_held_drop(struct cp *cp, const char *userid)
{
    struct cp_request *req = cp->requests;
    while (req) {
        if (!req->hold.held || req->remote || strcmp(req->userid, userid) != 0) {
            req = req->next;
            continue;
        }
        int rc = cp_fail(req, MSG_PLM1604E, req->command, userid);
        if (req->halt)
            req->halt(req, req->halt_ctx);
        else
            cp_complete(req, rc);
        req = cp->requests; /* who was told may have changed the list */
    }
}

/* --- QUERY SSI ----------------------------------------------------------------------------- */

bool cp_clustered(struct cp_request *req)
{
    const struct cp *cp = req->cp;
    if (cp->cluster && cp->config->in_ssi && cp->cluster->mode(cp->cluster_ctx))
        return true;
    cp_line(req, "This system is not a member of an SSI cluster.");
    return false;
}

static void ssi_row(struct cp_request *req, const struct cp_cluster_member *m)
{
    char pdr[CP_TIME_TEXT_BYTES] = "", received[CP_TIME_TEXT_BYTES] = "";
    if (!m->name[0]) {
        cp_line(req, "%4u -------- Available", m->slot);
        return;
    }
    if (strcasecmp(m->state, "Down") && m->pdr_heartbeat_ns)
        cp_stamp_text(VM_DATE_SHORT, m->pdr_heartbeat_ns, pdr);
    if (*pdr && m->received_heartbeat_ns)
        cp_stamp_text(VM_DATE_SHORT, m->received_heartbeat_ns, received);
    if (*pdr)
        cp_line(req, "%4u %-8s %-9s %-17s%s%s", m->slot, m->name, m->state, pdr,
                *received ? " " : "", received);
    else
        cp_line(req, "%4u %-8s %s", m->slot, m->name, m->state);
}

/* Requests that are held, the latest first; without operands, where passwords may be. */
static int query_held(struct cp_request *req)
{
    char why[CP_HOLDER_BYTES];
    unsigned n = 0;
    for (const struct cp_request *r = req->cp->requests; r; r = r->next) {
        if (!r->hold.held)
            continue;
        cp_line(req, "%-8s %s", r->userid[0] ? r->userid : "-", r->command);
        n++;
    }
    if (n)
        cp_line(req, "%u held: %s", n, holder(req->cp, why));
    else
        cp_line(req, "No requests are held");
    return 0;
}

/* The record is a file beside the volumes; that of a volume which is here is shown as on it. */
static void query_pdr(struct cp_request *req)
{
    const char *volid = req->cp->config->pdr_volid;
    const struct rdev *d = rdev_volume(cp_rdevs(req->cp), volid);
    char devno[8] = "----";
    if (d)
        snprintf(devno, sizeof devno, "%04X", d->devno);
    cp_line(req, "SSI Persistent Data Record (PDR) device: %s on %s", volid, devno);
}

/* QUERY SSI [HELD] */
int cp_query_ssi(struct cp_request *req, void *ctx)
{
    const struct cp *cp = req->cp;
    const char *word = cp_operand(req);
    struct cp_cluster_member m;
    (void)ctx;
    if (word && strcmp(word, "HELD") != 0)
        return cp_fail(req, MSG_CQV003E, word);
    int rc = cp_no_more(req);
    if (rc || !cp_clustered(req))
        return rc;
    if (word)
        return query_held(req);
    cp_line(req, "SSI Name: %s", cp->config->ssi_name);
    cp_line(req, "SSI Mode: %s", cp->cluster->mode(cp->cluster_ctx));
    cp_line(req, "Cross-System Timeouts: Enabled");
    query_pdr(req);
    cp_line(req, "SLOT SYSTEMID STATE     PDR HEARTBEAT     RECEIVED HEARTBEAT");
    for (unsigned i = 0; cp->cluster->member(cp->cluster_ctx, i, &m); i++)
        ssi_row(req, &m);
    return 0;
}

/* --- SET SSI ------------------------------------------------------------------------------- */

/* SLOT n {member | AVAILABLE} */
static int set_slot(struct cp_request *req)
{
    const struct cp *cp = req->cp;
    const char *number = cp_operand(req), *name = cp_operand(req);
    struct cause cause;
    u64 slot;
    if (!number || !name)
        return cp_fail(req, MSG_CMD026E);
    if (!scan_number(number, 1, CONFIG_SLOTS_MAX, &slot))
        return cp_fail(req, MSG_CSE003E, number);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    bool available = cp_abbrev(name, "AVAILable");
    if (!cp->cluster->slot)
        return cp_fail(req, MSG_PLM1601E, "not available");
    if (cp->cluster->slot(cp->cluster_ctx, (unsigned)slot, available ? "" : name, &cause))
        return cp_fail(req, MSG_PLM1601E, cause.text);
    char line[MSG_LINE_BYTES];
    msg_format(line, sizeof line, MSG_PLM1605I, (unsigned)slot, available ? "AVAILABLE" : name);
    cp_line_text(req, line);
    return 0;
}

static int set_down(struct cp_request *req, const char *member)
{
    const struct cp *cp = req->cp;
    const char *word = cp_operand(req);
    struct cause cause;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (strcmp(word, "DOWN") != 0)
        return cp_fail(req, MSG_CSE003E, word);
    if (!cp->cluster->declare_down)
        return cp_fail(req, MSG_PLM1601E, "not available");
    if (cp->cluster->declare_down(cp->cluster_ctx, member, &cause))
        return cp_fail(req, MSG_PLM1601E, cause.text);
    cp_line(req, "Command complete");
    return 0;
}

/* SET SSI {member DOWN | SLOT n {member | AVAILABLE}} */
int cp_set_ssi(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    (void)ctx;
    if (!word || !cp_operand_peek(req))
        return cp_fail(req, MSG_CMD026E);
    if (!cp_clustered(req))
        return msg_number(MSG_PLM1600I);
    return strcmp(word, "SLOT") != 0 ? set_down(req, word) : set_slot(req);
}
