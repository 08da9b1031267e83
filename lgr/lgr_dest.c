/* The destination: answers offers, makes the skeleton, takes storage and state, verifies.
 * Nothing received is believed: frame numbers, counts and lengths are checked before use, and a
 * relocation that breaks a rule is given up here without harm to anybody else. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define STATE_ROOM_FIRST (1u << 20)

void dest_reply(struct lgr *lgr, const char *to, u64 id, u16 type, const struct lgr_values *v)
{
    u8 head[LGR_HEAD_BYTES];
    struct codec_out out;
    const struct lgr_head h = {id, LGR_WIRE_VERSION, 1, 0};
    lgr_head_store(head, &h);
    codec_out_init(&out);
    lgr_values_put(&out, type, v);
    const struct ssi_iov iov[2] = {{head, sizeof head}, {out.data, out.len}};
    ssi_send_vec(lgr->ssi, to, LGR_SSI_SERVICE, type, iov, out.len ? 2 : 1);
    codec_out_fini(&out);
}

void dest_offer(struct lgr *lgr, const char *from, const struct lgr_head *head,
                const struct lgr_values *v)
{
    struct lgr_reasons reasons = {0};
    struct lgr_values verdict = {.reasons = &reasons, .has_fit = true};
    lgr_eligible_here(lgr, &v->info, head->id, from, v->force, v->again, &verdict.fit,
                      &reasons);
    if (!v->again && dest_exit_asked(lgr, from, head->id, v, &verdict))
        return;
    verdict.clock_in = lgr->heard_ns;
    verdict.clock_out = lgr_wall(lgr);
    dest_reply(lgr, from, head->id, LGR_MSG_VERDICT, &verdict);
}

/* The claim decides in D_READY whose guest it is: that of SKELETON is looked at once more. */
void dest_offer_again(struct rlobk *r, const struct lgr_head *head, const struct lgr_values *v)
{
    if (r->state == RLO_D_MEMORY && v->generation != r->claim)
        dest_fail(r, LGR_INTERNAL, "the claim on %s is not as it was", r->v.user);
    else
        dest_offer(r->lgr, r->v.from, head, v);
}

static void refuse(struct lgr *lgr, const char *from, u64 id, enum lgr_code code,
                   const char *text)
{
    struct lgr_values v = {.code = (u8)code};
    snprintf(v.text, sizeof v.text, "%s", text);
    dest_reply(lgr, from, id, LGR_MSG_FAILED, &v);
}

static void name_block(struct rlobk *r, const char *from, const struct lgr_head *head,
                       const struct lgr_values *v)
{
    snprintf(r->v.user, sizeof r->v.user, "%s", v->info.user);
    snprintf(r->v.from, sizeof r->v.from, "%s", from);
    snprintf(r->v.to, sizeof r->v.to, "%s", ssi_member_name(r->lgr->ssi));
    snprintf(r->v.by, sizeof r->v.by, "%s", v->by);
    r->v.force = v->force;
    r->v.synchronous = v->synchronous;
    r->v.immediate = v->immediate;
    r->v.maxtotal_ms = v->maxtotal_ms;
    r->v.maxquiesce_ms = v->maxquiesce_ms;
    r->info = v->info;
    r->claim = v->generation;
    r->seq_in = head->seq + 1;
    r->pass = 1;
}

static void dest_watch(struct rlobk *r)
{
    r->seen_bytes = r->v.bytes;
    rlo_timer(r, TIMER_REPLY, LGR_REPLY_MS / 2);
}

/* It may know nothing of it any more, and its ABORT have been lost: then it says so again. */
void dest_silent(struct rlobk *r)
{
    if (r->v.bytes == r->seen_bytes)
        rlo_send(r, LGR_MSG_ASK, NULL);
    dest_watch(r);
}

/* Stage 2 */
void dest_skeleton(struct lgr *lgr, const char *from, const struct lgr_head *head,
                   const struct lgr_values *v)
{
    struct lgr_reasons reasons = {0};
    struct cause cause = {0};
    struct lgr_fit fit;
    struct lgr_values understood = {
        .clock_in = lgr->heard_ns,
        .codecs = (u8)(LGR_CODEC_SPARSE | (lgr_lz4_there() ? LGR_CODEC_LZ4 : 0))};
    void *guest = NULL;
    lgr_eligible_here(lgr, &v->info, head->id, from, v->force, false, &fit, &reasons);
    if (reasons.count) {
        refuse(lgr, from, head->id, LGR_NOT_ELIGIBLE, reasons.line[0]);
        return;
    }
    struct rlobk *r = rlo_create(lgr, head->id, true);
    if (!r) {
        refuse(lgr, from, head->id, LGR_INTERNAL, "no memory");
        return;
    }
    name_block(r, from, head, v);
    lgr_fit_note(&r->v, &fit);
    rlo_go(r, RLO_D_MEMORY);
    r->v.stage = 2;
    if (lgr->guests->arrive(lgr->guests_ctx, &v->info, &guest, &cause)) {
        dest_fail(r, LGR_INTERNAL, "%s", cause.text);
        return;
    }
    r->guest = guest;
    rlo_event_started(r);
    r->pass_start_ns = lgr_now(lgr);
    struct storage *st = lgr->guests->storage(lgr->guests_ctx, guest);
    understood.clock_out = lgr_wall(lgr);
    lgr_crowd_here(lgr, guest, &understood.crowd);
    if (rlo_prepare_storage(r, st) || st->size != v->info.storage_bytes)
        dest_fail(r, LGR_INTERNAL, "no storage of the right size");
    else if (rlo_send(r, LGR_MSG_SKELETON_OK, &understood))
        dest_fail(r, LGR_INTERNAL, "no answer can be sent");
    else {
        rlo_at(r, LGR_AT_D_SKELETON);
        dest_watch(r);
    }
}

static void discard(struct rlobk *r, enum lgr_code code, const char *text)
{
    void *guest = r->guest;
    rlo_pages_stop(r);
    r->guest = NULL;
    if (guest)
        r->lgr->guests->depart(r->lgr->guests_ctx, guest);
    rlo_end(r, code, "%s", text);
}

void dest_discard(struct rlobk *r, enum lgr_code code, const char *fmt, ...)
{
    char text[LGR_TEXT_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    discard(r, code, text);
}

void dest_fail(struct rlobk *r, enum lgr_code code, const char *fmt, ...)
{
    struct lgr_values v = {.code = (u8)code};
    va_list ap;
    PRE(r->v.incoming && rlo_may_cancel(r)); /* [I5] */
    va_start(ap, fmt);
    vsnprintf(v.text, sizeof v.text, fmt, ap);
    va_end(ap);
    rlo_send(r, LGR_MSG_FAILED, &v);
    discard(r, code, v.text);
}

/* They are shown here; the source minds them. */
void dest_limits(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)data;
    (void)len;
    r->v.maxtotal_ms = v->maxtotal_ms;
    r->v.maxquiesce_ms = v->maxquiesce_ms;
}

void dest_stage(struct rlobk *r, unsigned stage)
{
    r->v.stage = stage;
    if (stage < 5 || r->quiesced)
        return;
    r->quiesced = true; /* our part of the quiesce time begins */
    r->quiesce_ns = lgr_now(r->lgr);
    rlo_at(r, LGR_AT_D_STOPPED);
}

void dest_abort(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)data;
    (void)len;
    discard(r, v->code < LGR_ACTIVE ? (enum lgr_code)v->code : LGR_INTERNAL, v->text);
}

/* --- state --- */

static bool state_room(struct rlobk *r, size_t more)
{
    size_t need = r->state_len + more, room = r->state_room ? r->state_room : STATE_ROOM_FIRST;
    if (need > LGR_STATE_BYTES_MAX || r->restored)
        return false;
    while (room < need)
        room *= 2;
    if (room == r->state_room)
        return true;
    u8 *bytes = realloc(r->state_bytes, room);
    if (!bytes)
        return false;
    r->state_bytes = bytes;
    r->state_room = room;
    return true;
}

void dest_state(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)v;
    if (!state_room(r, len - LGR_HEAD_BYTES)) {
        dest_fail(r, LGR_INTERNAL, "the state is too long");
        return;
    }
    memcpy(r->state_bytes + r->state_len, data + LGR_HEAD_BYTES, len - LGR_HEAD_BYTES);
    r->state_len += len - LGR_HEAD_BYTES;
}

/* All of the pieces have come, in their turn; if not the relocation has failed. */
static bool state_whole(struct rlobk *r, const struct lgr_values *v, bool in_turn,
                        const char *damaged)
{
    if (!recv_drain(r)) /* it stores keys: not beside us */
        return false;
    if (in_turn && v->bytes == r->state_len &&
        v->hash == lgr_bytes_hash(r->state_bytes, r->state_len))
        return true;
    dest_fail(r, LGR_INTERNAL, "%s", damaged);
    return false;
}

/* What of the state has come ahead: the guest runs at the source still. */
void dest_early_end(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    struct lgr *lgr = r->lgr;
    struct codec_in in;
    struct cause cause = {0};
    (void)data;
    (void)len;
    if (!state_whole(r, v, !r->quiesced, "the early state is damaged"))
        return;
    codec_in_init(&in, r->state_bytes, r->state_len);
    r->state_len = 0;
    int rc = lgr->guests->restore_early(lgr->guests_ctx, r->guest, &in, &cause);
    if (rc)
        dest_fail(r, LGR_INTERNAL, "early state: %s",
                  cause.text[0] ? cause.text : status_name(rc));
}

void dest_state_end(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    struct lgr *lgr = r->lgr;
    struct codec_in in;
    struct cause cause = {0};
    (void)data;
    (void)len;
    if (!state_whole(r, v, !r->restored, "the state is damaged"))
        return;
    rlo_at(r, LGR_AT_D_STATE);
    codec_in_init(&in, r->state_bytes, r->state_len);
    int rc = lgr->guests->restore(lgr->guests_ctx, r->guest, &in, &cause);
    if (rc) {
        dest_fail(r, LGR_INTERNAL, "state: %s", cause.text[0] ? cause.text : status_name(rc));
        return;
    }
    r->v.state_bytes = r->state_len;
    r->restored = true;
    rlo_at(r, LGR_AT_D_RESTORED);
}

void dest_ready(struct rlobk *r)
{
    const struct lgr_values ready = {.digest = r->digest};
    rlo_go(r, RLO_D_READY);
    rlo_timer(r, TIMER_TURN, LGR_READY_POLL_MS);
    rlo_send(r, LGR_MSG_READY, &ready);
    rlo_at(r, LGR_AT_D_READY);
}

/* Everything must be here: after READY there is no way back but through the PDR [I5]. */
void dest_finish(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)data;
    (void)len;
    if (!recv_drain(r))
        return;
    if (r->restored && v->keys != lgr_keys_digest(r->st)) {
        dest_fail(r, LGR_INTERNAL, "storage keys are not as they were");
        return;
    }
    if (!r->restored || v->digest != r->digest || v->pass + 1u != r->pass) {
        dest_fail(r, LGR_INTERNAL,
                  r->restored ? "storage is not complete" : "the state is missing");
        return;
    }
    if (!rlo_exit_asked(r, LGR_EXIT_RESTART, RLO_D_EXIT))
        dest_ready(r);
}

void dest_exit(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)data;
    (void)len;
    if (v->code == LGR_COMPLETED)
        dest_ready(r);
    else
        dest_fail(r, (enum lgr_code)v->code, "CP exit 1231: %s", v->text);
}
