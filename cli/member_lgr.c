/* Relocation in a member's process: its time, its life, and what it did as JSON.
 * Only members of a cluster have it. */
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/member_internal.h"
#include "hyp/vm_clock.h"
#include "lgr/lgr.h"
#include "mem/base/log.h"

static u64 now_ns(void *ctx)
{
    (void)ctx;
    return uv_hrtime();
}

static u64 wall_ns(void *ctx)
{
    const struct member *m = ctx;
    return m->host ? vm_host_wall_ns(m->host) : 0;
}

static u64 cpu_ns(void *ctx)
{
    struct timespec t;
    (void)ctx;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

static void post(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct member *m = ctx;
    post_uv(m->post, fn, arg);
}

static void ports(struct member *m)
{
    m->lgr_ports = (struct lgr_ports){
        m, now_ns, wall_ns, member_timer_start, member_timer_cancel, post, cpu_ns};
}

/* Without it relocations work as well; the operator is told. */
static void keep_history(struct member *m)
{
    char path[CONFIG_PATH_BYTES + 32];
    struct cause cause = {0};
    int n = snprintf(path, sizeof path, "%s/relocations", m->opt.dir);
    bool there = mkdir(path, 0755) == 0 || errno == EEXIST;
    if (!there)
        cause_set(&cause, ST_IO, "%s: %s", path, strerror(errno));
    snprintf(path + n, sizeof path - (size_t)n, "/%s", m->config->member);
    if (!there || lgr_keep_history(m->lgr, path, &cause))
        log_operator('E', "%s; relocations are not kept", cause.text);
}

int member_lgr_open(struct member *m, struct cause *cause)
{
    ports(m);
    int rc = lgr_create(m->cp, ssi_uv_ssi(m->ssi), &m->lgr_ports, &m->lgr, cause);
    if (rc == ST_OK)
        keep_history(m);
    return rc;
}

int member_snapshots_open(struct member *m, struct cause *cause)
{
    char folder[CONFIG_PATH_BYTES + 32];
    ports(m);
    snprintf(folder, sizeof folder, "%s/snapshots", m->opt.dir);
    return lgr_snapshots_create(m->cp, m->lgr, &m->lgr_ports, folder, &m->snapshots, cause);
}

void member_lgr_stop(struct member *m)
{
    if (m->snapshots)
        lgr_snapshots_stop(m->snapshots);
    if (m->lgr)
        lgr_stop(m->lgr);
}

void member_lgr_destroy(struct member *m)
{
    lgr_destroy(m->lgr);
    m->lgr = NULL;
    lgr_snapshots_destroy(m->snapshots);
    m->snapshots = NULL;
}

static json_t *passes(const struct lgr_view *v)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < v->pass_count && i < LGR_PASSES_MAX; i++) {
        const struct lgr_pass *p = &v->passes[i];
        json_array_append_new(
            list, json_pack("{s:I, s:I, s:I, s:f, s:f, s:b, s:b, s:I, s:I, s:I}", "pages",
                            (json_int_t)p->pages, "zeros", (json_int_t)p->zeros, "bytes",
                            (json_int_t)p->bytes, "ms", (double)p->ns / 1e6, "spared_ms",
                            (double)p->spared_ns / 1e6, "quiesced", p->quiesced, "governed",
                            p->governed, "allowed", (json_int_t)p->allowed, "dirtied",
                            (json_int_t)p->dirtied, "waits", (json_int_t)p->waits));
    }
    return list;
}

/* Microseconds of each step that was done, by its name. */
static json_t *steps(const struct lgr_view *v)
{
    static const char *const name[] = {
#define AT(id, what, json) json,
#include "lgr/lgr_stamps.def"
#undef AT
    };
    json_t *at = json_object();
    for (unsigned i = 0; i < LGR_STAMPS; i++)
        if (v->at_ns[i])
            json_object_set_new(at, name[i], json_real((double)v->at_ns[i] / 1e3));
    return at;
}

/* What convergence has cost the guest. */
static json_t *governed(const struct lgr_view *v)
{
    const struct lgr_governed *g = &v->governed;
    return json_pack("{s:f, s:I, s:f, s:I, s:f}", "ms", (double)g->ns / 1e6, "waits",
                     (json_int_t)g->waits, "waited_ms", (double)g->waited_ns / 1e6, "dirtied",
                     (json_int_t)g->dirtied, "predicted_ms", (double)v->predicted_ns / 1e6);
}

/* What the rules of capacity have found, the latest check first; bytes. */
static json_t *capacity(const struct lgr_view *v)
{
    json_t *checks = json_array();
    for (unsigned i = 0; i < v->fit_count && i < LGR_FITS_MAX; i++) {
        const struct lgr_fit *f = &v->fit[i];
        json_array_append_new(
            checks,
            json_pack("{s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I}", "pass", (int)f->pass, "bits",
                      (int)f->bits, "forced", (int)f->forced, "now", (json_int_t)f->now,
                      "maximum", (json_int_t)f->maximum, "available", (json_int_t)f->available,
                      "pageable", (json_int_t)f->pageable, "paging", (json_int_t)f->paging));
    }
    return json_pack("{s:i, s:i, s:o}", "bits", (int)v->fit_bits, "count", (int)v->fit_count,
                     "checks", checks);
}

static json_t *relocation(const struct lgr_view *v)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:f, s:f, s:I, s:I, s:o, s:o, "
                     "s:i, s:s, s:I, s:o}",
                     "id", (json_int_t)v->id, "user", v->user, "from", v->from, "to", v->to,
                     "by", v->by, "direction", v->incoming ? "in" : "out", "stage",
                     (int)v->stage, "status", v->status ? v->status : "", "total_ms",
                     (double)v->elapsed_ns / 1e6, "quiesce_ms", (double)v->quiesce_ns / 1e6,
                     "bytes", (json_int_t)v->bytes, "state_bytes", (json_int_t)v->state_bytes,
                     "passes", passes(v), "governed", governed(v), "code", (int)v->code,
                     "reason", v->text, "start_us", (json_int_t)((s64)v->start_ns / 1000),
                     "at_us", steps(v));
}

static void limit(json_t *row, const char *name, u64 ms)
{
    json_object_set_new(row, name, ms ? json_integer((json_int_t)ms) : json_null());
}

/* Options of MOVE and limits as they are now; null: none. */
static json_t *with_options(json_t *row, const struct lgr_view *v)
{
    static const char *const words[] = {"ARCHITECTURE", "DOMAIN", "STORAGE"};
    json_t *force = json_array();
    for (unsigned i = 0; i < 3; i++)
        if (v->force >> i & 1)
            json_array_append_new(force, json_string(words[i]));
    json_object_set_new(row, "synchronous", json_boolean(v->synchronous));
    json_object_set_new(row, "immediate", json_boolean(v->immediate));
    json_object_set_new(row, "force", force);
    json_object_set_new(row, "capacity", capacity(v));
    json_object_set_new(
        row, "held",
        json_pack("{s:i, s:f}", "count", (int)v->holds, "ms", (double)v->held_ns / 1e6));
    limit(row, "maxtotal_ms", v->maxtotal_ms);
    limit(row, "maxquiesce_ms", v->maxquiesce_ms);
    return row;
}

json_t *member_lgr_status(struct member *m, const char *userid)
{
    json_t *list = json_array();
    struct lgr_view v;
    for (unsigned i = 0; m->lgr && lgr_status(m->lgr, i, &v); i++)
        if (!userid || !strcasecmp(userid, v.user))
            json_array_append_new(list, with_options(relocation(&v), &v));
    return list;
}
