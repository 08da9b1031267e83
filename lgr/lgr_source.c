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
    govern_end(r);
    if (r->told_early && r->guest)
        lgr->guests->early_end(lgr->guests_ctx, r->guest);
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

/* Are its virtual disks others than those that are being sent? */
static bool vdisks_changed(const struct rlobk *r)
{
    const struct lgr *lgr = r->lgr;
    bool same = r->info.vdisks == r->vdisks &&
                !memcmp(r->info.vdisk, r->vdisk, sizeof *r->vdisk * r->vdisks);
    for (unsigned i = 0; same && i < r->vdisks; i++)
        same = lgr->guests->area(lgr->guests_ctx, r->guest, i) == r->space.at[i].area;
    return !same;
}

static void fill_info(struct rlobk *r)
{
    struct lgr *lgr = r->lgr;
    memset(&r->info, 0, sizeof r->info);
    lgr->guests->info(lgr->guests_ctx, r->guest, r->v.to, &r->info);
    r->vdisks_changed = r->told_destination && vdisks_changed(r);
}

static void offer(struct rlobk *r, bool again, enum rlo_state state)
{
    struct lgr_values v = {.test = r->test, .again = again, .force = r->v.force};
    fill_info(r);
    v.info = r->info;
    v.generation = r->claim;
    memcpy(v.by, r->v.by, sizeof v.by);
    lgr_eligible_source(r, &r->reasons);
    r->asked_again = again;
    r->asked_pass = r->pass;
    ask(r, LGR_MSG_OFFER, &v, state);
    rlo_at(r, LGR_AT_S_OFFERED);
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

/* Stage 1. Nobody there to be asked is a reason too, beside those found here. */
void source_begin(struct rlobk *r)
{
    rlo_go(r, RLO_S_OFFERED);
    r->reachable = joined(r);
    r->plain = r->reachable && lgr_link_refused(r->lgr, r->v.to);
    if (r->reachable && lgr_told_version(r->lgr, r->v.to) < LGR_WIRE_VERSION) {
        source_stay(r, LGR_INTERNAL, "%s speaks version %d of relocations, %s version %d",
                    r->v.to, lgr_told_version(r->lgr, r->v.to), ssi_member_name(r->lgr->ssi),
                    LGR_WIRE_VERSION);
        return;
    }
    if (r->reachable) {
        offer(r, false, RLO_S_OFFERED);
        return;
    }
    fill_info(r);
    lgr_eligible_source(r, &r->reasons);
    source_stay(r, LGR_NOT_ELIGIBLE, "%s is not eligible", r->v.user);
}

/* What the destination has found, beside what was found here. */
static void take_verdict(struct rlobk *r, const struct lgr_values *v)
{
    if (v->has_fit)
        lgr_fit_note(&r->v, &v->fit);
    r->by_rule |= r->reasons.count || (v->reasons->count && !v->veto);
    r->exit_code = v->veto ? v->veto : r->exit_code;
    for (unsigned i = 0; i < v->reasons->count; i++)
        lgr_reason_add(&r->reasons, v->reasons->number, v->reasons->line[i]);
}

/* True: it has ended. */
static bool refused(struct rlobk *r)
{
    bool by_exit = !r->by_rule && r->exit_code;
    if (!r->reasons.count)
        return false;
    source_stay(r, by_exit ? (enum lgr_code)r->exit_code : LGR_NOT_ELIGIBLE,
                by_exit ? "CP exit 1230 has kept %s" : "%s is not eligible", r->v.user);
    return true;
}

/* Every side has said what it has against it. */
static void source_decide(struct rlobk *r)
{
    if (refused(r))
        return;
    if (r->test) {
        rlo_end(r, LGR_COMPLETED, "%s", "");
        return;
    }
    struct lgr_values skeleton = {.force = r->v.force,
                                  .generation = r->claim,
                                  .synchronous = r->v.synchronous,
                                  .immediate = r->v.immediate,
                                  .maxtotal_ms = r->v.maxtotal_ms,
                                  .maxquiesce_ms = r->v.maxquiesce_ms};
    skeleton.info = r->info;
    memcpy(r->vdisk, r->info.vdisk, sizeof r->vdisk);
    r->vdisks = r->info.vdisks;
    memcpy(skeleton.by, r->v.by, sizeof skeleton.by);
    if (!ask(r, LGR_MSG_SKELETON, &skeleton, RLO_S_SKELETON))
        return;
    r->told_destination = true;
    rlo_event_started(r);
    if (r->watch.started)
        r->watch.started(r->watch.ctx, &r->v);
}

void source_verdict(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)data;
    (void)len;
    take_verdict(r, v);
    if (!rlo_exit_asked(r, LGR_EXIT_ELIGIBLE, RLO_S_EXIT))
        source_decide(r);
}

/* The guest has run meanwhile: what it is now goes to the destination, which looks again. */
void source_exit(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)data;
    (void)len;
    if (v->code != LGR_COMPLETED) {
        r->exit_code = v->code;
        lgr_exit_reason(&r->reasons, r->v.user, LGR_EXIT_ELIGIBLE, r->v.from,
                        (enum lgr_code)v->code, v->text);
    }
    fill_info(r);
    source_decide(r);
}

void source_failed(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)data;
    (void)len;
    bool told = v->code == LGR_NOT_ELIGIBLE || v->code == LGR_EXIT_REJECTED ||
                v->code == LGR_EXIT_INVALID;
    r->told_destination = false; /* it has discarded already */
    source_stay(r, told ? (enum lgr_code)v->code : LGR_INTERNAL, "%s: %s", r->v.to, v->text);
}

/* On one host both sides share the processors, and that of the link is memory: who compresses is
 * slower, most of all when the host is busy and the link therefore looks slow. */
static bool worth_packing(const struct rlobk *r)
{
    return r->lgr->pace_mb_s || !ssi_same_host(r->lgr->ssi, r->v.to);
}

/* How long a page without its zeros may be. To take them out and put them in again costs what
 * encrypting, sending and decrypting of half a kilobyte cost; plain, it would be 1.5 and pays
 * nothing. */
#define SPARSE_MAX (FRAME_BYTES * 3 / 4)

/* Stage 3: everything ever touched; what changes from here on is in the next epoch. */
void source_skeleton_ok(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    struct lgr *lgr = r->lgr;
    (void)data;
    (void)len;
    if (rlo_prepare_storage(r, lgr->guests->storage(lgr->guests_ctx, r->guest))) {
        source_stay(r, LGR_INTERNAL,
                    "no memory for the relocation of %s, or its devices change", r->v.user);
        return;
    }
    rlo_at(r, LGR_AT_S_SKELETON);
    r->encoder.lz4 = v->codecs & LGR_CODEC_LZ4 && lgr_lz4_there() && worth_packing(r);
    bool sparse = v->codecs & LGR_CODEC_SPARSE && lgr_link_encrypted(lgr, r->v.to);
    r->encoder.sparse_max = sparse ? SPARSE_MAX : 0;
    r->spare.there = v->crowd;
    pass_collect(r);
    r->set_count = lgr_space_touched_set(&r->space, r->set);
    pass_begin(r, false);
    rlo_go(r, RLO_S_PASS);
    rlo_turn_soon(r);
}

/* A turn of the pass. False: it goes on in another turn, or the relocation has ended. */
static bool pass_sent(struct rlobk *r)
{
    enum pass_result result = pass_turn(r);
    if (result != PASS_ENDED)
        govern_sent(r);
    if (result == PASS_MORE)
        rlo_turn_soon(r);
    return result == PASS_SENT;
}

void source_pass_turn(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)v;
    (void)data;
    (void)len;
    if (source_held(r)) {
        rlo_timer(r, TIMER_REPLY, LGR_REPLY_MS);
        return;
    }
    if (!pass_sent(r))
        return;
    rlo_go(r, RLO_S_PASS_END);
    rlo_timer(r, TIMER_REPLY, LGR_REPLY_MS);
}

static u64 total_left_ns(const struct rlobk *r)
{
    u64 gone = lgr_now(r->lgr) - r->start_ns, all = r->v.maxtotal_ms * 1000000;
    if (r->v.maxtotal_ms == LGR_NOLIMIT)
        return ~0ull;
    return all > gone ? all - gone : 0;
}

/* Send a piece of r->out; false when that ended the relocation. */
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

/* All pieces of r->out have been sent. */
static bool send_state_end(struct rlobk *r, u16 type)
{
    const struct lgr_values end = {.bytes = r->out.len,
                                   .hash = lgr_bytes_hash(r->out.data, r->out.len)};
    int rc = rlo_send(r, type, &end);
    if (rc)
        source_stay(r, LGR_LINK_LOST, "%s: %s", r->v.to, status_name(rc));
    return rc == ST_OK;
}

/* What of the state can go while the guest runs; it is there before the last VERDICT comes. */
static bool send_early(struct rlobk *r)
{
    struct lgr *lgr = r->lgr;
    lgr->guests->save_early(lgr->guests_ctx, r->guest, &r->out);
    r->told_early = true;
    if (r->out.failed) {
        source_stay(r, LGR_INTERNAL, "the state of %s cannot be written", r->v.user);
        return false;
    }
    while (r->out_at < r->out.len)
        if (!send_state_piece(r))
            return false;
    bool sent = !r->out.len || send_state_end(r, LGR_MSG_EARLY_END);
    codec_out_fini(&r->out);
    codec_out_init(&r->out);
    r->out_at = 0;
    return sent;
}

static void next_pass(struct rlobk *r, bool governed)
{
    pass_begin(r, false);
    if (governed && !source_held(r))
        govern_pass(r);
}

static void stop_now(struct rlobk *r)
{
    rlo_at(r, LGR_AT_S_RECHECK);
    rlo_go(r, RLO_S_QUIESCE);
    source_quiesce(r, NULL, NULL, 0);
}

/* The planner wants the guest stopped. Before that both sides look again whether it may move, and
 * what of the state can go ahead does. That takes the destination some milliseconds, in which a
 * governed guest would have no tokens; so another pass goes with it, and one more when the guest is
 * governed, after which little has to be waited for. */
static void stop_wanted(struct rlobk *r, const struct lgr_plan *plan)
{
    bool time = lgr_plan_time_for_pass(plan), again = !r->asked_again;
    if (!again && r->good_again && (!time || !r->govern.on || r->pass != r->asked_pass)) {
        stop_now(r);
        return;
    }
    if (!again && r->good_again) {
        next_pass(r, true);
        rlo_go(r, RLO_S_PASS);
        rlo_turn_soon(r);
        return;
    }
    if (!again) { /* its VERDICT is not there yet */
        rlo_go(r, RLO_S_RECHECK);
        rlo_timer(r, TIMER_REPLY, LGR_REPLY_MS);
        return;
    }
    if (time)
        next_pass(r, r->govern.on);
    if (!send_early(r))
        return;
    offer(r, true, RLO_S_RECHECK);
    if (r->state == RLO_S_RECHECK && r->passing)
        rlo_turn_soon(r);
}

/* What the planner says. Giving up is not stopping the guest: it has run all the time. */
static void go_on(struct rlobk *r, const struct lgr_plan *plan)
{
    enum lgr_decision decision = lgr_decide(plan);
    double seconds = lgr_plan_quiesce_ns(plan) / 1e9;
    r->v.predicted_ns = (u64)lgr_plan_quiesce_ns(plan);
    if (decision == LGR_QUIESCE_NOW) {
        stop_wanted(r, plan);
    } else if (decision == LGR_OVER_MAXQUIESCE) {
        char limit[LGR_LIMIT_TEXT_BYTES];
        source_stay(r, LGR_MAXQUIESCE, "%s would stand still for %.3f s, MAXQUIESCE is %s",
                    r->v.user, seconds, lgr_limit_text(r->v.maxquiesce_ms, limit));
    } else if (decision == LGR_OVER_MAXTOTAL) {
        source_stay(r, LGR_MAXTOTAL, "%s would stand still for %.1f s, MAXTOTAL is near",
                    r->v.user, seconds);
    } else {
        next_pass(r, decision == LGR_GOVERN_PASS);
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
    if (v->has_fit)
        lgr_fit_note(&r->v, &v->fit);
    r->spare.there = v->crowd;
    const struct lgr_pass *pass = &r->v.passes[r->v.pass_count - 1];
    r->ns_per_frame = lgr_plan_pace(r->ns_per_frame, pass);
    govern_collect(r);
    u64 dirtied = pass_collect(r);
    govern_account(r, dirtied);
    struct lgr_plan plan = {.passes_done = r->v.pass_count,
                            .governed = r->govern.passes,
                            .governed_ns = r->v.governed.ns,
                            .previous = pass->pages + pass->zeros + pass->equals,
                            .remaining = dirtied,
                            .in_vain = spare_in_vain(r, pass, dirtied),
                            .ns_per_frame = r->ns_per_frame,
                            .fixed_ns = r->lgr->fixed_ns,
                            .total_left_ns = total_left_ns(r),
                            .maxquiesce_ms = r->v.maxquiesce_ms,
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
    take_verdict(r, v);
    if (refused(r))
        return;
    r->good_again = r->asked_again;
    if (r->state == RLO_S_RECHECK && !r->passing)
        stop_now(r);
}

void source_recheck_turn(struct rlobk *r, const struct lgr_values *v, const u8 *data,
                         size_t len)
{
    if (r->passing)
        source_pass_turn(r, v, data, len);
}

/* Once more, of a guest that cannot change any more. The verdict comes while storage moves, and
 * before READY, as messages keep their order. False: it has ended. */
static bool eligible_stopped(struct rlobk *r)
{
    struct lgr_values v = {.again = true, .force = r->v.force, .generation = r->claim};
    fill_info(r);
    v.info = r->info;
    memcpy(v.by, r->v.by, sizeof v.by);
    lgr_eligible_source(r, &r->reasons);
    if (r->reasons.count) {
        source_stay(r, LGR_NOT_ELIGIBLE, "%s is not eligible any more", r->v.user);
        return false;
    }
    int rc = rlo_send(r, LGR_MSG_OFFER, &v);
    if (rc)
        source_stay(r, LGR_LINK_LOST, "%s: %s", r->v.to, status_name(rc));
    return rc == ST_OK;
}

void source_verdict_stopped(struct rlobk *r, const struct lgr_values *v, const u8 *data,
                            size_t len)
{
    (void)data;
    (void)len;
    take_verdict(r, v);
    r->rechecked = !refused(r);
}

/* Stage 4 */
void source_quiesce(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    struct lgr *lgr = r->lgr;
    (void)v;
    (void)data;
    (void)len;
    u64 now = lgr_now(lgr);
    rlo_at(r, LGR_AT_S_STOPPING);
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
    govern_end(r);
    rlo_at(r, LGR_AT_S_STOPPED);
    if (r->v.maxquiesce_ms != LGR_NOLIMIT)
        rlo_timer(r, TIMER_QUIESCE, r->v.maxquiesce_ms);
    if (!eligible_stopped(r))
        return;
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
    rlo_at(r, LGR_AT_S_PAGES);
    struct cause cause = {0};
    if (lgr->guests->save(lgr->guests_ctx, r->guest, &r->clock.ahead_ns, &r->out, &cause)) {
        source_stay(r, LGR_INTERNAL, "the state of %s cannot be saved: %s", r->v.user,
                    cause.text);
        return;
    }
    if (r->out.failed || r->out.len > LGR_STATE_BYTES_MAX) {
        source_stay(r, LGR_INTERNAL, "the state of %s cannot be written", r->v.user);
        return;
    }
    r->v.state_bytes = r->out.len;
    rlo_at(r, LGR_AT_S_SAVED);
    rlo_go(r, RLO_S_STATE);
    source_state_turn(r, NULL, NULL, 0);
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
    if (!send_state_end(r, LGR_MSG_STATE_END))
        return;
    rlo_at(r, LGR_AT_S_STATE);
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
    const struct lgr_values finish = {
        .pass = r->pass, .digest = r->digest, .keys = lgr_keys_digest(r->st)};
    if (ask(r, LGR_MSG_FINISH, &finish, RLO_S_VERIFY))
        rlo_at(r, LGR_AT_S_FINISH);
}
