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
    v->maxtotal_s = options->maxtotal_s;
    v->maxquiesce_s = options->maxquiesce_s;
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
    if (!r->test && options->maxtotal_s != LGR_NOLIMIT)
        rlo_timer(r, TIMER_TOTAL, options->maxtotal_s * 1000ull);
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
static void limit(struct rlobk *r, enum rlo_timer_kind kind, u64 since_ns, u32 seconds)
{
    u64 gone_ms = (lgr_now(r->lgr) - since_ns) / 1000000, all_ms = seconds * 1000ull;
    if (seconds == LGR_NOLIMIT)
        rlo_timer_stop(r, kind);
    else
        rlo_timer(r, kind, all_ms > gone_ms ? all_ms - gone_ms : 0);
}

int lgr_modify(struct lgr *lgr, const char *user, u32 maxtotal_s, u32 maxquiesce_s)
{
    struct rlobk *r = outgoing(lgr, user);
    if (!r)
        return ST_NOENT;
    r->v.maxtotal_s = maxtotal_s;
    r->v.maxquiesce_s = maxquiesce_s;
    if (!rlo_may_cancel(r))
        return ST_OK;
    limit(r, TIMER_TOTAL, r->start_ns, maxtotal_s);
    if (r->quiesced)
        limit(r, TIMER_QUIESCE, r->quiesce_ns, maxquiesce_s);
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
void lgr_guest_gone(struct lgr *lgr, const char *user)
{
    struct rlobk *r = any_of(lgr, user);
    lgr_enter(lgr);
    if (r && !r->v.incoming) {
        r->guest = NULL;
        if (rlo_may_cancel(r))
            source_stay(r, LGR_GUEST_GONE, "%s is logging off", user);
        else
            rlo_end(r, LGR_GUEST_GONE, "%s is logging off", user);
    }
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
    else if (r && r->v.incoming)
        dest_fail(r, LGR_GUEST_GONE, "%s has logged on at %s", user, ssi_member_name(lgr->ssi));
    lgr_leave(lgr);
}
