/* Relocation in a member's process: its time, its life, and what it did as JSON.
 * Only members of a cluster have it. */
#include "cli/member_internal.h"
#include "lgr/lgr.h"

static u64 now_ns(void *ctx)
{
    (void)ctx;
    return uv_hrtime();
}

int member_lgr_open(struct member *m, struct cause *cause)
{
    m->lgr_ports = (struct lgr_ports){m, now_ns, member_timer_start, member_timer_cancel};
    return lgr_create(m->cp, ssi_uv_ssi(m->ssi), &m->lgr_ports, &m->lgr, cause);
}

void member_lgr_stop(struct member *m)
{
    if (m->lgr)
        lgr_stop(m->lgr);
}

void member_lgr_destroy(struct member *m)
{
    lgr_destroy(m->lgr);
    m->lgr = NULL;
}

static json_t *passes(const struct lgr_view *v)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < v->pass_count && i < LGR_PASSES_MAX; i++) {
        const struct lgr_pass *p = &v->passes[i];
        json_array_append_new(
            list, json_pack("{s:I, s:I, s:I, s:f, s:b, s:i}", "pages", (json_int_t)p->pages,
                            "zeros", (json_int_t)p->zeros, "bytes", (json_int_t)p->bytes, "ms",
                            (double)p->ns / 1e6, "quiesced", p->quiesced, "throttle",
                            (int)p->throttle));
    }
    return list;
}

static json_t *relocation(const struct lgr_view *v)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:f, s:f, s:I, s:I, s:o, s:i, "
                     "s:i, s:s}",
                     "id", (json_int_t)v->id, "user", v->user, "from", v->from, "to", v->to,
                     "by", v->by, "direction", v->incoming ? "in" : "out", "stage",
                     (int)v->stage, "status", v->status ? v->status : "", "total_ms",
                     (double)v->elapsed_ns / 1e6, "quiesce_ms", (double)v->quiesce_ns / 1e6,
                     "bytes", (json_int_t)v->bytes, "state_bytes", (json_int_t)v->state_bytes,
                     "passes", passes(v), "throttle", (int)v->throttle, "code", (int)v->code,
                     "reason", v->text);
}

json_t *member_lgr_status(struct member *m, const char *userid)
{
    json_t *list = json_array();
    struct lgr_view v;
    for (unsigned i = 0; m->lgr && lgr_status(m->lgr, i, &v); i++)
        if (!userid || !strcasecmp(userid, v.user))
            json_array_append_new(list, relocation(&v));
    return list;
}
