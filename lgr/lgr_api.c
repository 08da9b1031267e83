/* What commands and observers ask of the engine: start, cancel, modify, and news of guests. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#include <stdio.h>

static struct rlobk *outgoing(struct lgr *lgr, const char *user)
{
    struct rlobk *r = lgr->active;
    while (r && (r->v.incoming || r->test || strcmp(r->v.user, user)))
        r = r->next;
    return r;
}

static struct rlobk *any_of(struct lgr *lgr, const char *user)
{
    struct rlobk *r = lgr->active;
    while (r && strcmp(r->v.user, user))
        r = r->next;
    return r;
}

static void fill(struct rlobk *r, const char *user, const char *to, const char *by,
                 const struct lgr_options *options, const struct lgr_watch *watch)
{
    struct lgr_view *v = &r->v;
    snprintf(v->user, sizeof v->user, "%s", user);
    snprintf(v->from, sizeof v->from, "%s", ssi_member_name(r->lgr->ssi));
    snprintf(v->to, sizeof v->to, "%s", to);
    snprintf(v->by, sizeof v->by, "%s", by);
    v->synchronous = options->synchronous;
    v->immediate = options->immediate;
    v->force = options->force;
    v->maxtotal_ms = options->maxtotal_ms;
    v->maxquiesce_ms = options->maxquiesce_ms;
    r->test = options->test;
    r->watch = *watch;
}

int lgr_start(struct lgr *lgr, const char *user, const char *to, const char *by,
              const struct lgr_options *options, const struct lgr_watch *watch,
              struct cause *cause)
{
    void *guest = lgr->guests->find(lgr->guests_ctx, user);
    if (lgr->stopped)
        return cause_set(cause, ST_REFUSED, "this system is ending");
    if (!guest)
        return cause_set(cause, ST_NOENT, "%s is not logged on", user);
    if (any_of(lgr, user))
        return cause_set(cause, ST_BUSY, "%s is being relocated", user);
    if (lgr->active_count >= LGR_ACTIVE_MAX)
        return cause_set(cause, ST_LIMIT, "%u relocations are in progress", LGR_ACTIVE_MAX);
    u64 id = lgr_now(lgr);
    lgr->last_id = id > lgr->last_id ? id : lgr->last_id + 1;
    struct rlobk *r = rlo_create(lgr, lgr->last_id, false);
    if (!r)
        return cause_set(cause, ST_NOMEM, "no memory");
    lgr_enter(lgr);
    fill(r, user, to, by, options, watch);
    r->guest = guest;
    r->claim = lgr->guests->claim(lgr->guests_ctx, guest);
    if (!r->test && options->maxtotal_ms != LGR_NOLIMIT)
        rlo_timer(r, TIMER_TOTAL, options->maxtotal_ms);
    source_begin(r);
    lgr_leave(lgr);
    return ST_OK;
}

int lgr_cancel(struct lgr *lgr, const char *user, enum lgr_code code, const char *text)
{
    struct rlobk *r = outgoing(lgr, user);
    if (!r)
        return ST_NOENT;
    if (!rlo_may_cancel(r))
        return ST_BUSY;
    lgr_enter(lgr);
    source_stay(r, code, "%s", text);
    lgr_leave(lgr);
    return ST_OK;
}

/* A limit counted from `since_ns`; past already: the timer fires in the next turn. */
static void limit(struct rlobk *r, enum rlo_timer_kind kind, u64 since_ns, u64 all_ms)
{
    u64 gone_ms = (lgr_now(r->lgr) - since_ns) / 1000000;
    if (all_ms == LGR_NOLIMIT)
        rlo_timer_stop(r, kind);
    else
        rlo_timer(r, kind, all_ms > gone_ms ? all_ms - gone_ms : 0);
}

const char *lgr_limit_text(u64 ms, char out[LGR_LIMIT_TEXT_BYTES])
{
    bool whole = ms % 1000 == 0;
    snprintf(out, LGR_LIMIT_TEXT_BYTES, "%llu %s", (unsigned long long)(whole ? ms / 1000 : ms),
             whole ? "SEC" : "MSEC");
    return ms == LGR_NOLIMIT ? "NOLIMIT" : out;
}

int lgr_modify(struct lgr *lgr, const char *user, u64 maxtotal_ms, u64 maxquiesce_ms)
{
    struct rlobk *r = outgoing(lgr, user);
    if (!r)
        return ST_NOENT;
    const struct lgr_values v = {.maxtotal_ms = maxtotal_ms, .maxquiesce_ms = maxquiesce_ms};
    r->v.maxtotal_ms = maxtotal_ms;
    r->v.maxquiesce_ms = maxquiesce_ms;
    if (!rlo_may_cancel(r))
        return ST_OK;
    if (r->told_destination) /* SKELETON tells it the limits; before that it will */
        rlo_send(r, LGR_MSG_LIMITS, &v);
    limit(r, TIMER_TOTAL, r->start_ns, maxtotal_ms);
    if (r->quiesced)
        limit(r, TIMER_QUIESCE, r->quiesce_ns, maxquiesce_ms);
    return ST_OK;
}

void lgr_guest_reset(struct lgr *lgr, const char *user)
{
    struct rlobk *r = any_of(lgr, user);
    lgr_enter(lgr);
    if (r && !r->v.incoming && rlo_may_cancel(r))
        source_stay(r, LGR_GUEST_GONE, "%s was reset", user);
    lgr_leave(lgr);
}

/* In doubt the claim decides: CP's release of it does nothing if it has moved. */
bool lgr_guest_gone(struct lgr *lgr, const char *user)
{
    struct rlobk *r = any_of(lgr, user);
    bool here = !r || r->v.incoming || rlo_may_cancel(r);
    lgr_enter(lgr);
    if (r && !r->v.incoming) {
        r->guest = NULL;
        if (rlo_may_cancel(r))
            source_stay(r, LGR_GUEST_GONE, "%s is logging off", user);
        else
            rlo_end(r, LGR_GUEST_GONE, "%s is logging off", user);
    } else if (r && r->state == RLO_D_DISKS) { /* it has moved, as the source tells, too */
        rlo_end(r, LGR_COMPLETED, "%s", "");
    }
    lgr_leave(lgr);
    return here;
}

void lgr_guest_runs(struct lgr *lgr, const char *user)
{
    struct rlobk *r = any_of(lgr, user);
    lgr_enter(lgr);
    if (r && r->state == RLO_D_DISKS)
        dest_runs(r);
    lgr_leave(lgr);
}

/* The claim was free, so it was not moved here and never will be in this relocation [I5]. */
void lgr_guest_logon(struct lgr *lgr, const char *user)
{
    struct rlobk *r = any_of(lgr, user);
    lgr_enter(lgr);
    if (r && r->v.incoming && r->state == RLO_D_READY)
        dest_discard(r, LGR_GUEST_GONE, "%s has logged on at %s", user,
                     ssi_member_name(lgr->ssi));
    else if (r && r->v.incoming && rlo_may_cancel(r))
        dest_fail(r, LGR_GUEST_GONE, "%s has logged on at %s", user, ssi_member_name(lgr->ssi));
    lgr_leave(lgr);
}
