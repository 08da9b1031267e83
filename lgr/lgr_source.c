/* The source: stages 1 to 6, in the order of lgr_steps.def. Every function is one transition.
 * Until lgr_handover.c has moved the claim, source_stay ends any stage and the guest runs on. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void source_stay(struct rlobk *r, enum lgr_code code, const char *fmt, ...)
{
    struct lgr *lgr = r->lgr;
    struct lgr_values v = {.code = (u8)code};
    va_list ap;
    PRE(!r->v.incoming && rlo_may_cancel(r));
    va_start(ap, fmt);
    vsnprintf(v.text, sizeof v.text, fmt, ap);
    va_end(ap);
    if (r->throttle && r->guest)
        lgr->guests->throttle(lgr->guests_ctx, r->guest, 0);
    if (r->quiesced) {
        r->v.quiesce_ns = lgr_now(lgr) - r->quiesce_ns;
        r->quiesced = false;
        if (r->guest)
            lgr->guests->unquiesce(lgr->guests_ctx, r->guest);
    }
    if (r->told_destination && !r->link_lost)
        rlo_send(r, LGR_MSG_ABORT, &v);
    rlo_end(r, code, "%s", v.text);
}

/* Send a control message and wait for its answer; false when that ended the relocation. */
static bool ask(struct rlobk *r, u16 type, const struct lgr_values *v, enum rlo_state state)
{
    int rc = rlo_send(r, type, v);
    if (rc) {
        source_stay(r, LGR_LINK_LOST, "%s: %s", r->v.to, status_name(rc));
        return false;
    }
    rlo_go(r, state);
    rlo_timer(r, TIMER_REPLY, LGR_REPLY_MS);
    return true;
}

static void fill_info(struct rlobk *r)
{
    struct lgr *lgr = r->lgr;
    memset(&r->info, 0, sizeof r->info);
    lgr->guests->info(lgr->guests_ctx, r->guest, r->v.to, &r->info);
}

static void offer(struct rlobk *r, bool again, enum rlo_state state)
{
    struct lgr_values v = {.test = r->test, .again = again, .force = r->v.force};
    fill_info(r);
    v.info = r->info;
    v.generation = r->claim;
    memcpy(v.by, r->v.by, sizeof v.by);
    lgr_eligible_source(r, &r->reasons);
    ask(r, LGR_MSG_OFFER, &v, state);
}

static bool joined(struct rlobk *r)
{
    char names[SSI_SLOTS_MAX][SSI_NAME_BYTES];
    unsigned n = ssi_members(r->lgr->ssi, names);
    while (n)
        if (!strcmp(names[--n], r->v.to))
            return true;
    return false;
}

/* Stage 1: who cannot be asked is a reason too, beside those found here. */
void source_begin(struct rlobk *r)
{
    rlo_go(r, RLO_S_OFFERED);
    if (joined(r)) {
        offer(r, false, RLO_S_OFFERED);
        return;
    }
    char line[MSG_LINE_BYTES];
    int number = msg_format(line, sizeof line, MSG_RLE1951E, r->v.user, r->v.to);
    lgr_reason_add(&r->reasons, number, line);
    fill_info(r);
    lgr_eligible_source(r, &r->reasons);
    source_stay(r, LGR_NOT_ELIGIBLE, "%s is not eligible", r->v.user);
}

static bool refused(struct rlobk *r, const struct lgr_values *v)
{
    for (unsigned i = 0; i < v->reasons->count; i++)
        lgr_reason_add(&r->reasons, v->reasons->number, v->reasons->line[i]);
    if (!r->reasons.count)
        return false;
    source_stay(r, LGR_NOT_ELIGIBLE, "%s is not eligible", r->v.user);
    return true;
}

void source_verdict(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)data;
    (void)len;
    if (refused(r, v))
        return;
    if (r->test) {
        rlo_end(r, LGR_COMPLETED, "%s", "");
        return;
    }
    struct lgr_values skeleton = {.force = r->v.force, .generation = r->claim};
    skeleton.info = r->info;
    memcpy(skeleton.by, r->v.by, sizeof skeleton.by);
    if (!ask(r, LGR_MSG_SKELETON, &skeleton, RLO_S_SKELETON))
        return;
    r->told_destination = true;
    if (r->watch.started)
        r->watch.started(r->watch.ctx, &r->v);
}

void source_failed(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)data;
    (void)len;
    r->told_destination = false; /* it has discarded already */
    source_stay(r, v->code == LGR_NOT_ELIGIBLE ? LGR_NOT_ELIGIBLE : LGR_INTERNAL, "%s: %s",
                r->v.to, v->text);
}

/* Stage 3: everything ever touched; what changes from here on is in the next epoch. */
void source_skeleton_ok(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    struct lgr *lgr = r->lgr;
    (void)v;
    (void)data;
    (void)len;
    if (rlo_prepare_storage(r, lgr->guests->storage(lgr->guests_ctx, r->guest))) {
        source_stay(r, LGR_INTERNAL, "no memory for the relocation of %s", r->v.user);
        return;
    }
    pass_collect(r);
    r->set_count = storage_touched_set(r->st, r->set);
    pass_begin(r, false);
    rlo_go(r, RLO_S_PASS);
    rlo_turn_soon(r);
}

/* A turn of the pass. False: it goes on in another turn, or the relocation has ended. */
static bool pass_sent(struct rlobk *r)
{
    enum pass_result result = pass_turn(r);
    if (result == PASS_MORE)
        rlo_turn_soon(r);
    return result == PASS_SENT;
}

void source_pass_turn(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)v;
    (void)data;
    (void)len;
    if (!pass_sent(r))
        return;
    rlo_go(r, RLO_S_PASS_END);
    rlo_timer(r, TIMER_REPLY, LGR_REPLY_MS);
}

static u64 total_left_ns(const struct rlobk *r)
{
    u64 gone = lgr_now(r->lgr) - r->start_ns, all = r->v.maxtotal_s * 1000000000ull;
    if (r->v.maxtotal_s == LGR_NOLIMIT)
        return ~0ull;
    return all > gone ? all - gone : 0;
}

/* The guest gets it back in source_stay, or starts anew at the destination. */
static void slow_down(struct rlobk *r)
{
    r->throttle = r->v.throttle = lgr_throttle_next(r->throttle);
    r->lgr->guests->throttle(r->lgr->guests_ctx, r->guest, r->throttle);
}

/* What the planner says. Giving up is not stopping the guest: it has run all the time. */
static void go_on(struct rlobk *r, const struct lgr_plan *plan)
{
    enum lgr_decision decision = lgr_decide(plan);
    double seconds = lgr_plan_quiesce_ns(plan) / 1e9;
    if (decision == LGR_QUIESCE_NOW) {
        offer(r, true, RLO_S_RECHECK);
    } else if (decision == LGR_OVER_MAXQUIESCE) {
        source_stay(r, LGR_MAXQUIESCE, "%s would stand still for %.1f s, MAXQUIESCE is %u s",
                    r->v.user, seconds, r->v.maxquiesce_s);
    } else if (decision == LGR_OVER_MAXTOTAL) {
        source_stay(r, LGR_MAXTOTAL, "%s would stand still for %.1f s, MAXTOTAL is near",
                    r->v.user, seconds);
    } else {
        if (decision == LGR_SLOW_DOWN)
            slow_down(r);
        pass_begin(r, false);
        rlo_go(r, RLO_S_PASS);
        rlo_turn_soon(r);
    }
}

void source_pass_ack(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)data;
    (void)len;
    if (v->pass != r->pass) {
        source_stay(r, LGR_INTERNAL, "%s acknowledges pass %u instead of %u", r->v.to, v->pass,
                    r->pass);
        return;
    }
    pass_acknowledged(r, v->pass);
    struct lgr_plan plan = {.passes_done = r->v.pass_count,
                            .previous = r->tally.pages + r->tally.zeros,
                            .remaining = pass_collect(r),
                            .bytes_per_ns = r->bytes_per_ns,
                            .total_left_ns = total_left_ns(r),
                            .throttle = r->throttle,
                            .maxquiesce_s = r->v.maxquiesce_s,
                            .immediate = r->v.immediate};
    go_on(r, &plan);
}

void source_late_ack(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)data;
    (void)len;
    pass_acknowledged(r, v->pass);
}

void source_recheck(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)data;
    (void)len;
    if (refused(r, v))
        return;
    rlo_go(r, RLO_S_QUIESCE);
    source_quiesce(r, NULL, NULL, 0);
}

/* Stage 4 */
void source_quiesce(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    struct lgr *lgr = r->lgr;
    (void)v;
    (void)data;
    (void)len;
    u64 now = lgr_now(lgr);
    if (!lgr->guests->quiesce(lgr->guests_ctx, r->guest)) {
        if (++r->quiesce_tries > LGR_QUIESCE_TRIES_MAX)
            source_stay(r, LGR_INTERNAL, "%s waits for a CP command and cannot be stopped",
                        r->v.user);
        else
            rlo_timer(r, TIMER_TURN, LGR_QUIESCE_RETRY_MS);
        return;
    }
    r->quiesced = true;
    r->quiesce_ns = now;
    if (r->v.maxquiesce_s != LGR_NOLIMIT)
        rlo_timer(r, TIMER_QUIESCE, r->v.maxquiesce_s * 1000ull);
    pass_collect(r);
    pass_begin(r, true);
    rlo_go(r, RLO_S_PENULTIMATE);
    source_penultimate_turn(r, NULL, NULL, 0);
}

/* Stage 5: storage, then state. */
void source_penultimate_turn(struct rlobk *r, const struct lgr_values *v, const u8 *data,
                             size_t len)
{
    struct lgr *lgr = r->lgr;
    (void)v;
    (void)data;
    (void)len;
    if (!pass_sent(r))
        return;
    struct cause cause = {0};
    if (lgr->guests->save(lgr->guests_ctx, r->guest, &r->out, &cause)) {
        source_stay(r, LGR_INTERNAL, "the state of %s cannot be saved: %s", r->v.user,
                    cause.text);
        return;
    }
    if (r->out.failed || r->out.len > LGR_STATE_BYTES_MAX) {
        source_stay(r, LGR_INTERNAL, "the state of %s cannot be written", r->v.user);
        return;
    }
    r->v.state_bytes = r->out.len;
    rlo_go(r, RLO_S_STATE);
    source_state_turn(r, NULL, NULL, 0);
}

static bool send_state_piece(struct rlobk *r)
{
    u8 head[LGR_HEAD_BYTES];
    size_t n = r->out.len - r->out_at;
    n = n < LGR_STATE_PIECE_BYTES ? n : LGR_STATE_PIECE_BYTES;
    int rc = rlo_send_raw(r, LGR_MSG_STATE, head, sizeof head, r->out.data + r->out_at, n);
    if (rc)
        source_stay(r, LGR_LINK_LOST, "%s: %s", r->v.to, status_name(rc));
    r->out_at += n;
    return rc == ST_OK;
}

void source_state_turn(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)v;
    (void)data;
    (void)len;
    for (size_t sent = 0; r->out_at < r->out.len; sent += LGR_STATE_PIECE_BYTES) {
        if (sent >= LGR_TURN_BYTES) {
            rlo_turn_soon(r);
            return;
        }
        if (!send_state_piece(r))
            return;
    }
    const struct lgr_values end = {.bytes = r->out.len,
                                   .hash = lgr_bytes_hash(r->out.data, r->out.len)};
    int rc = rlo_send(r, LGR_MSG_STATE_END, &end);
    if (rc) {
        source_stay(r, LGR_LINK_LOST, "%s: %s", r->v.to, status_name(rc));
        return;
    }
    pass_collect(r);
    pass_begin(r, true);
    rlo_go(r, RLO_S_FINAL);
    source_final_turn(r, NULL, NULL, 0);
}

/* Stage 6: what stopping the devices and writing the state stored into. */
void source_final_turn(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)v;
    (void)data;
    (void)len;
    if (!pass_sent(r))
        return;
    u64 missed = r->lgr->verify ? pass_verify(r) : 0;
    if (missed) {
        source_stay(r, LGR_INTERNAL, "change recording missed %llu frames of %s",
                    (unsigned long long)missed, r->v.user);
        return;
    }
    const struct lgr_values finish = {.pass = r->pass, .digest = r->digest};
    ask(r, LGR_MSG_FINISH, &finish, RLO_S_VERIFY);
}
