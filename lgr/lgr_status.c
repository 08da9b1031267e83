/* VMRELOCATE STATUS [ALL | USER userid | INCOMING | OUTGOING] [DETAILS]: one line for each active
 * relocation; DETAILS adds options, limits and passes, and shows finished ones too. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <stdio.h>

#include "lgr/lgr_cmd.h"
#include "lgr/lgr_internal.h"

/* ALL, INCOMING, OUTGOING or USER userid: one of them. 0, or the number of a message. */
static int take_target(struct cp_request *req, const char *word, struct lgr_filter *f)
{
    char shown[64];
    snprintf(shown, sizeof shown, "%.60s", word);
    bool in = cp_abbrev(word, "INcoming"), out = cp_abbrev(word, "OUTgoing");
    bool user = !strcmp(word, "USER");
    if (!in && !out && !user && strcmp(word, "ALL") != 0)
        return cp_fail(req, MSG_CMD002E, shown);
    if (f->given)
        return cp_fail(req, MSG_CMD013E, shown);
    f->given = true;
    f->incoming = in;
    f->outgoing = out;
    if (!user)
        return 0;
    if (!(word = cp_operand(req)))
        return cp_fail(req, MSG_CMD026E);
    snprintf(shown, sizeof shown, "%.60s", word);
    if (strlen(word) >= sizeof f->user)
        return cp_fail(req, MSG_CMD002E, shown);
    strcpy(f->user, word);
    return 0;
}

int lgr_take_filter(struct cp_request *req, struct lgr_filter *f)
{
    int rc = 0;
    for (const char *word; !rc && (word = cp_operand(req)) != NULL;) {
        if (cp_abbrev(word, "DETails"))
            f->details = true;
        else
            rc = take_target(req, word, f);
    }
    return rc;
}

bool lgr_filtered(const struct lgr_filter *f, const struct lgr_view *v)
{
    if (f->user[0] && strcmp(f->user, v->user))
        return false;
    return f->incoming == f->outgoing || f->incoming == v->incoming;
}

void lgr_lines_details(struct cp_request *req, const struct lgr_view *v)
{
    char total[LGR_LIMIT_TEXT_BYTES], quiesce[LGR_LIMIT_TEXT_BYTES];
    cp_line(req, "  %s%s MAXTOTAL %s MAXQUIESCE %s",
            v->synchronous ? "SYNCHRONOUS" : "ASYNCHRONOUS", v->immediate ? " IMMEDIATE" : "",
            lgr_limit_text(v->maxtotal_ms, total), lgr_limit_text(v->maxquiesce_ms, quiesce));
    if (v->force)
        cp_line(req, "  FORCE%s%s%s", v->force & LGR_FORCE_ARCHITECTURE ? " ARCHITECTURE" : "",
                v->force & LGR_FORCE_DOMAIN ? " DOMAIN" : "",
                v->force & LGR_FORCE_STORAGE ? " STORAGE" : "");
    if (v->governed.ns && !v->incoming)
        cp_line(req, "  Governed for %.1f ms: %llu stores waited for %.1f ms in all",
                (double)v->governed.ns / 1e6, (unsigned long long)v->governed.waits,
                (double)v->governed.waited_ns / 1e6);
    if (v->code != LGR_ACTIVE)
        cp_line(req, "  Ended with code %02u%s%s", v->code, v->text[0] ? ": " : "", v->text);
    lgr_lines_passes(req, v);
    lgr_lines_more(req, v);
}

static void line(struct cp_request *req, const struct lgr_view *v)
{
    u64 s = v->elapsed_ns / 1000000000u;
    cp_line(req, "%-8s %-8s %-8s %-8s %02llu:%02llu:%02llu %s", v->user, v->from, v->to, v->by,
            (unsigned long long)(s / 3600), (unsigned long long)(s / 60 % 60),
            (unsigned long long)(s % 60), v->status);
}

/* Is this member one side of a relocation of the user? */
static bool under_way(const struct lgr_cmd *c, const char *user)
{
    struct lgr_view v;
    for (unsigned i = 0; lgr_core_status(c->lgr, i, &v); i++)
        if (v.code == LGR_ACTIVE && !strcmp(v.user, user))
            return true;
    return false;
}

int lgr_cmd_status(struct cp_request *req, struct lgr_cmd *c, const char *all)
{
    char member[LGR_NAME_BYTES];
    struct lgr_filter f = {0};
    struct lgr_view v;
    bool any = false;
    int rc = lgr_take_filter(req, &f);
    if (rc)
        return rc;
    if (f.user[0] && !under_way(c, f.user) && lgr_elsewhere(c, f.user, member))
        return lgr_forward(req, member, all);
    for (unsigned i = 0; lgr_core_status(c->lgr, i, &v); i++) {
        if (!lgr_filtered(&f, &v) || (v.code != LGR_ACTIVE && !f.details))
            continue;
        if (!any)
            cp_line(req, "User     From     To       By       Elapsed  Status");
        any = true;
        line(req, &v);
        if (f.details)
            lgr_lines_details(req, &v);
    }
    if (!any && f.user[0])
        return cp_fail(req, MSG_RLU1926E, f.user);
    if (!any)
        cp_line(req, "No relocation is in progress");
    return 0;
}
