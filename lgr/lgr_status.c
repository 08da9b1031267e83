/* VMRELOCATE STATUS [ALL | USER userid | INCOMING | OUTGOING] [DETAILS]: one line for each active
 * relocation; DETAILS adds options, limits and passes, and shows finished ones too. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <stdio.h>

#include "lgr/lgr_cmd.h"
#include "lgr/lgr_internal.h"

struct filter {
    char user[LGR_NAME_BYTES]; /* "" = all */
    bool incoming, outgoing, details;
};

static bool take_user(struct cp_request *req, char out[LGR_NAME_BYTES])
{
    const char *word = cp_operand(req);
    if (!word || strlen(word) >= LGR_NAME_BYTES)
        return false;
    strcpy(out, word);
    return true;
}

static int take_filter(struct cp_request *req, struct filter *f)
{
    for (const char *word; (word = cp_operand(req)) != NULL;) {
        char shown[64];
        snprintf(shown, sizeof shown, "%.60s", word);
        if (cp_abbrev(word, "DETails"))
            f->details = true;
        else if (cp_abbrev(word, "INcoming"))
            f->incoming = true;
        else if (cp_abbrev(word, "OUTgoing"))
            f->outgoing = true;
        else if (!strcmp(word, "USER") && take_user(req, f->user))
            continue;
        else if (!cp_abbrev(word, "ALL"))
            return cp_fail(req, MSG_CMD002E, shown);
    }
    return 0;
}

static bool wanted(const struct filter *f, const struct lgr_view *v)
{
    if (f->user[0] && strcmp(f->user, v->user))
        return false;
    if (v->code != LGR_ACTIVE && !f->details)
        return false;
    return f->incoming == f->outgoing || f->incoming == v->incoming;
}

static const char *limit_text(u32 seconds, char out[24])
{
    if (seconds == LGR_NOLIMIT)
        return "NOLIMIT";
    snprintf(out, 24, "%u SEC", seconds);
    return out;
}

static void details(struct cp_request *req, const struct lgr_view *v)
{
    char total[24], quiesce[24];
    if (!v->incoming)
        cp_line(req, "  %s%s MAXTOTAL %s MAXQUIESCE %s%s%s%s",
                v->synchronous ? "SYNCHRONOUS" : "ASYNCHRONOUS",
                v->immediate ? " IMMEDIATE" : "", limit_text(v->maxtotal_s, total),
                limit_text(v->maxquiesce_s, quiesce),
                v->force & LGR_FORCE_ARCHITECTURE ? " FORCE ARCHITECTURE" : "",
                v->force & LGR_FORCE_DOMAIN ? " FORCE DOMAIN" : "",
                v->force & LGR_FORCE_STORAGE ? " FORCE STORAGE" : "");
    if (v->throttle && !v->incoming)
        cp_line(req, "  Throttling: %s %u%% of its processor time",
                v->code == LGR_ACTIVE ? "the guest lacks" : "the guest lacked up to",
                v->throttle);
    if (v->code != LGR_ACTIVE)
        cp_line(req, "  Ended with code %02u%s%s", v->code, v->text[0] ? ": " : "", v->text);
    lgr_lines_passes(req, v);
}

static void line(struct cp_request *req, const struct lgr_view *v)
{
    u64 s = v->elapsed_ns / 1000000000u;
    cp_line(req, "%-8s %-8s %-8s %-8s %02llu:%02llu:%02llu %s", v->user, v->from, v->to, v->by,
            (unsigned long long)(s / 3600), (unsigned long long)(s / 60 % 60),
            (unsigned long long)(s % 60), v->status);
}

int lgr_cmd_status(struct cp_request *req, struct lgr_cmd *c)
{
    struct filter f = {0};
    struct lgr_view v;
    bool any = false;
    int rc = take_filter(req, &f);
    if (rc)
        return rc;
    for (unsigned i = 0; lgr_core_status(c->lgr, i, &v); i++) {
        if (!wanted(&f, &v))
            continue;
        if (!any)
            cp_line(req, "User     From     To       By       Elapsed  Status");
        any = true;
        line(req, &v);
        if (f.details)
            details(req, &v);
    }
    if (!any && f.user[0])
        return cp_fail(req, MSG_RLU1926E, f.user);
    if (!any)
        cp_line(req, "No relocation is in progress");
    return 0;
}
