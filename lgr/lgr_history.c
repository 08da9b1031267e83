/* QUERY RELOCATION HISTORY [ALL | USER userid | INCOMING | OUTGOING] [DETAILS]: relocations that
 * have ended and had this member as one of their sides, the latest first; LGR_HISTORY_MAX are kept,
 * also when the member ends (lgr_keep.c). The command is ours: z/VM keeps them for dumps only. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <stdio.h>

#include "lgr/lgr_cmd.h"
#include "lgr/lgr_internal.h"

#define ULL(x) ((unsigned long long)(x))

/* Passes whose pages did not all go as they are, that waited, or in which stores were rationed. */
static void line_pass(struct cp_request *req, unsigned number, const struct lgr_pass *p)
{
    if (p->deltas + p->lz4s + p->equals)
        cp_line(req, "  Pass %u: raw %llu, delta %llu, lz4 %llu, equal %llu; %.1f ms of CPU",
                number, ULL(p->raws), ULL(p->deltas), ULL(p->lz4s), ULL(p->equals),
                (double)p->cpu_ns / 1e6);
    if (p->spared_ns)
        cp_line(req, "  Pass %u: waited %.1f ms of %.1f for guests that compute", number,
                (double)p->spared_ns / 1e6, (double)p->ns / 1e6);
    if (p->governed)
        cp_line(req, "  Pass %u: %llu frames allowed, %llu dirtied, %llu stores waited", number,
                ULL(p->allowed), ULL(p->dirtied), ULL(p->waits));
}

static void line_fit(struct cp_request *req, const struct lgr_fit *f)
{
    cp_line(req,
            "  Fit %u: now %lluM, maximum %lluM of %lluM; pageable %lluM of %lluM; X'%02X'%s",
            f->pass, ULL(f->now >> 20), ULL(f->maximum >> 20), ULL(f->available >> 20),
            ULL(f->pageable >> 20), ULL(f->paging >> 20), f->bits, f->forced ? " forced" : "");
}

static void lines_steps(struct cp_request *req, const struct lgr_view *v)
{
    static const char *const what[] = {
#define AT(id, text, json) text,
#include "lgr/lgr_stamps.def"
#undef AT
    };
    for (unsigned i = 0; i < LGR_STAMPS; i++)
        if (v->at_ns[i])
            cp_line(req, "  %10.3f ms  %s", (double)v->at_ns[i] / 1e6, what[i]);
}

void lgr_lines_more(struct cp_request *req, const struct lgr_view *v)
{
    for (unsigned i = 0; i < v->pass_count; i++)
        line_pass(req, i + 1, &v->passes[i]);
    if (v->predicted_ns)
        cp_line(req, "  Quiesce was predicted to take %.1f ms", (double)v->predicted_ns / 1e6);
    if (v->holds)
        cp_line(req, "  The destination had no memory %u times, %.1f ms", v->holds,
                (double)v->held_ns / 1e6);
    for (unsigned i = 0; i < v->fit_count && i < LGR_FITS_MAX; i++)
        line_fit(req, &v->fit[i]);
    lines_steps(req, v);
}

static void line_ended(struct cp_request *req, const struct lgr_cmd *c,
                       const struct lgr_view *v)
{
    u64 s = (lgr_now(c->lgr) - v->start_ns - v->elapsed_ns) / 1000000000u;
    cp_line(req, "%-8s %-8s %-8s %-8s %-3s %02llu:%02llu:%02llu %9.1f %9.1f %6u   %02u",
            v->user, v->from, v->to, v->by, v->incoming ? "In" : "Out", ULL(s / 3600),
            ULL(s / 60 % 60), ULL(s % 60), (double)v->elapsed_ns / 1e6,
            (double)v->quiesce_ns / 1e6, v->pass_count, v->code);
}

int lgr_query_relocation(struct cp_request *req, void *ctx)
{
    const struct lgr_cmd *c = ctx;
    const char *word = cp_operand_peek(req);
    struct lgr_filter f = {0};
    struct lgr_view v;
    char shown[64];
    bool any = false;
    snprintf(shown, sizeof shown, "%.60s", word ? word : "");
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (lgr_is_option(word))
        return lgr_query_option(req, ctx);
    if (!cp_abbrev(word, "HISTory"))
        return cp_fail(req, MSG_CMD002E, shown);
    cp_operand(req);
    int rc = lgr_take_filter(req, &f);
    if (rc)
        return rc;
    for (unsigned i = 0; lgr_core_status(c->lgr, i, &v); i++) {
        if (v.code == LGR_ACTIVE || !lgr_filtered(&f, &v))
            continue;
        if (!any)
            cp_line(req, "User     From     To       By       Dir Ago       Total ms   Quiesce "
                         "Passes Code");
        any = true;
        line_ended(req, c, &v);
        if (f.details)
            lgr_lines_details(req, &v);
    }
    if (!any)
        cp_line(req, "No relocation has ended");
    return 0;
}
