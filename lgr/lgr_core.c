/* The list of relocations, their timers, messages in and out, the executed state table, and the
 * history. One relocation is one rlobk on each side, found by its id and the peer's name. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem/base/log.h"

static const struct {
    unsigned stage;
    const char *status;
    bool cancel;
} states[] = {
#define ST(id, stage, status, cancel) [RLO_##id] = {stage, status, cancel},
#include "lgr/lgr_states.def"
#undef ST
};

static const struct {
    enum rlo_state state;
    u16 event;
    rlo_step *step;
} steps[] = {
#define T(state, event, function) {RLO_##state, LGR_MSG_##event, function},
#include "lgr/lgr_steps.def"
#undef T
};

static const struct {
    enum rlo_state from, to;
} changes[] = {
#define N(from, to, when) {RLO_##from, RLO_##to},
#include "lgr/lgr_next.def"
};

/* Is that a change of lgr_next.def, or none? */
static bool may_go(enum rlo_state from, enum rlo_state to)
{
    bool known = to == from || (to == RLO_ENDED && states[from].cancel);
    for (unsigned i = 0; !known && i < ARRAY_LEN(changes); i++)
        known = changes[i].from == from && changes[i].to == to;
    return known;
}

void lgr_enter(struct lgr *lgr)
{
    lgr->depth++;
}

void rlo_pages_stop(struct rlobk *r)
{
    lgr_slots_fini(&r->slots);
}

static void rlo_free(struct rlobk *r)
{
    rlo_pages_stop(r);
    lgr_encoder_fini(&r->encoder);
    lgr_space_fini(&r->space);
    storage_lazy_free(r->hash, r->hash_bytes);
    free(r->set);
    free(r->state_bytes);
    codec_out_fini(&r->out);
    free(r);
}

void lgr_leave(struct lgr *lgr)
{
    PRE(lgr->depth);
    if (--lgr->depth)
        return;
    while (lgr->dead) {
        struct rlobk *r = lgr->dead;
        lgr->dead = r->next;
        rlo_free(r);
    }
}

u64 lgr_now(struct lgr *lgr)
{
    return lgr->ports->now_ns(lgr->ports->ctx);
}

/* --- blocks --- */

struct rlobk *rlo_create(struct lgr *lgr, u64 id, bool incoming)
{
    struct rlobk *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->lgr = lgr;
    r->v.id = id;
    r->v.incoming = incoming;
    r->v.code = LGR_ACTIVE;
    r->start_ns = r->v.start_ns = lgr_now(lgr);
    for (unsigned i = 0; i < TIMER_KINDS; i++)
        r->timer[i] = (struct rlo_timer){r, 0, (enum rlo_timer_kind)i};
    codec_out_init(&r->out);
    r->next = lgr->active;
    lgr->active = r;
    lgr->active_count++;
    return r;
}

/* Its virtual disks are those that the destination is told of, or was. */
static bool areas_add(struct rlobk *r)
{
    const struct lgr_guests *guests = r->lgr->guests;
    struct area *a;
    for (unsigned i = 0; guests->area && (a = guests->area(r->lgr->guests_ctx, r->guest, i));
         i++)
        if (i == r->info.vdisks || a->bytes != r->info.vdisk[i].blocks * LGR_BLOCK_BYTES ||
            !lgr_space_add(&r->space, a))
            return false;
    return r->space.areas == r->info.vdisks;
}

int rlo_prepare_storage(struct rlobk *r, struct storage *st)
{
    r->st = st;
    lgr_space_init(&r->space, st);
    if (!areas_add(r))
        return ST_INVAL;
    r->hash_bytes = r->space.frames * sizeof *r->hash;
    r->hash = storage_lazy_alloc(r->hash_bytes);
    if (r->v.incoming)
        return r->hash && lgr_slots_init(&r->slots, r->lgr->ports, r, recv_run, recv_wake)
                   ? ST_OK
                   : ST_NOMEM;
    r->set = calloc(1, lgr_space_bitmap_bytes(&r->space));
    if (!r->hash || !r->set)
        return ST_NOMEM;
    lgr_encoder_init(&r->encoder, r->lgr->ports, &r->space, r->set, r->hash);
    return lgr_slots_init(&r->slots, r->lgr->ports, r, pass_run, pass_wake) ? ST_OK : ST_NOMEM;
}

void rlo_at(struct rlobk *r, enum lgr_stamp step)
{
    if (!r->v.at_ns[step])
        r->v.at_ns[step] = lgr_now(r->lgr) - r->start_ns;
}

const char *rlo_peer(const struct rlobk *r)
{
    return r->v.incoming ? r->v.from : r->v.to;
}

void rlo_go(struct rlobk *r, enum rlo_state state)
{
    ERGO(may_go(r->state, state));
    r->state = state;
    r->v.stage = states[state].stage;
    r->v.status = states[state].status;
    rlo_timer_stop(r, TIMER_REPLY);
    if (r->lgr->hold)
        lgr_hold(state);
}

bool rlo_may_cancel(const struct rlobk *r)
{
    return states[r->state].cancel;
}

void rlo_event(struct rlobk *r, u16 event, const struct lgr_values *v, const u8 *data,
               size_t len)
{
    for (unsigned i = 0; i < ARRAY_LEN(steps); i++)
        if (steps[i].state == r->state && steps[i].event == event) {
            steps[i].step(r, v, data, len);
            return;
        }
    if (event == LGR_MSG_TURN || !rlo_may_cancel(r))
        return;
    if (r->v.incoming)
        dest_fail(r, LGR_INTERNAL, "message %s is out of order", lgr_msg_name(event));
    else
        source_stay(r, LGR_INTERNAL, "message %s is out of order", lgr_msg_name(event));
}

static void copy_outcome(struct rlobk *r, enum lgr_code code, const char *text)
{
    struct lgr_view *v = &r->v;
    v->code = (u8)code;
    v->elapsed_ns = lgr_now(r->lgr) - r->start_ns;
    v->status = code == LGR_COMPLETED ? "Completed" : "Failed";
    snprintf(v->text, sizeof v->text, "%s", text);
}

void lgr_history_add(struct lgr *lgr, const struct lgr_view *v)
{
    lgr->history[lgr->history_next] = *v;
    lgr->history_next = (lgr->history_next + 1) % LGR_HISTORY_MAX;
    if (lgr->history_count < LGR_HISTORY_MAX)
        lgr->history_count++;
}

void rlo_end(struct rlobk *r, enum lgr_code code, const char *fmt, ...)
{
    struct lgr *lgr = r->lgr;
    char text[LGR_TEXT_BYTES];
    va_list ap;
    PRE(r->state != RLO_ENDED && may_go(r->state, RLO_ENDED) && lgr->depth);
    rlo_pages_stop(r);
    rlo_exit_forget(r);
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    copy_outcome(r, code, text);
    for (unsigned i = 0; i < TIMER_KINDS; i++)
        rlo_timer_stop(r, (enum rlo_timer_kind)i);
    r->state = RLO_ENDED;
    struct rlobk **link = &lgr->active;
    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
    lgr->active_count--;
    r->next = lgr->dead;
    lgr->dead = r;
    if (!r->test) {
        lgr_history_add(lgr, &r->v);
        lgr_keep_add(lgr, &r->v);
    }
    rlo_event_ended(r);
    if (r->watch.ended)
        r->watch.ended(r->watch.ctx, &r->v, &r->reasons);
}

/* --- timers --- */

static void timer_fired(struct rlobk *r, enum rlo_timer_kind kind)
{
    char limit[LGR_LIMIT_TEXT_BYTES];
    if (kind == TIMER_TURN)
        rlo_event(r, LGR_MSG_TURN, NULL, NULL, 0);
    else if (kind == TIMER_GOVERN)
        govern_tick(r);
    else if (kind == TIMER_HOLD)
        dest_hold_tick(r);
    else if (kind == TIMER_TOTAL && rlo_may_cancel(r))
        source_stay(r, LGR_MAXTOTAL, "MAXTOTAL of %s is exceeded",
                    lgr_limit_text(r->v.maxtotal_ms, limit));
    else if (kind == TIMER_QUIESCE && rlo_may_cancel(r))
        source_stay(r, LGR_MAXQUIESCE, "MAXQUIESCE of %s is exceeded",
                    lgr_limit_text(r->v.maxquiesce_ms, limit));
    else if (kind == TIMER_REPLY && r->v.incoming)
        dest_silent(r);
    else if (kind == TIMER_REPLY && r->state == RLO_S_MOVED)
        rlo_end(r, LGR_COMPLETED, "%s", "");
    else if (kind == TIMER_REPLY && rlo_may_cancel(r))
        source_stay(r, LGR_INTERNAL, "no answer from %s in %u seconds", rlo_peer(r),
                    LGR_REPLY_MS / 1000);
}

static void timer_fire(void *arg)
{
    struct rlo_timer *t = arg;
    struct lgr *lgr = t->r->lgr;
    lgr_enter(lgr);
    t->id = 0;
    timer_fired(t->r, t->kind);
    lgr_leave(lgr);
}

void rlo_timer_stop(struct rlobk *r, enum rlo_timer_kind kind)
{
    struct rlo_timer *t = &r->timer[kind];
    if (t->id)
        r->lgr->ports->timer_cancel(r->lgr->ports->ctx, t->id);
    t->id = 0;
}

void rlo_timer(struct rlobk *r, enum rlo_timer_kind kind, u64 delay_ms)
{
    struct rlo_timer *t = &r->timer[kind];
    rlo_timer_stop(r, kind);
    t->id = r->lgr->ports->timer_start(r->lgr->ports->ctx, delay_ms, timer_fire, t);
}

/* --- sending --- */

int rlo_send_raw(struct rlobk *r, u16 type, u8 *head, size_t head_len, const void *data,
                 size_t len)
{
    const struct lgr_head h = {r->v.id, LGR_WIRE_VERSION, (u8)r->v.stage, r->seq_out};
    const struct ssi_iov iov[2] = {{head, head_len}, {data, len}};
    lgr_head_store(head, &h);
    int rc = ssi_send_vec(r->lgr->ssi, rlo_peer(r), LGR_SSI_SERVICE, type, iov, len ? 2 : 1);
    if (rc)
        return rc;
    r->seq_out++;
    r->v.bytes += head_len + len;
    lgr_clock_asked(r, type);
    return ST_OK;
}

int rlo_send_chunk(struct rlobk *r, unsigned stream, struct lgr_slot *s, size_t head_len)
{
    const struct lgr_head h = {r->v.id, LGR_WIRE_VERSION, (u8)r->v.stage, 0};
    const struct ssi_iov iov[2] = {{s->chunk.table, head_len}, {s->chunk.data, s->chunk.bytes}};
    const struct ssi_sent sent = {lgr_buffer_back, s->buffer};
    bool kept;
    lgr_head_store(s->chunk.table, &h);
    int rc = ssi_stream_send(r->lgr->ssi, rlo_peer(r), LGR_SSI_SERVICE, stream, LGR_MSG_MEMORY,
                             iov, s->chunk.bytes ? 2 : 1, &sent, &kept);
    if (kept)
        lgr_buffer_lend(s->buffer);
    if (rc)
        return rc;
    r->v.bytes += head_len + s->chunk.bytes;
    r->link_sent += head_len + s->chunk.bytes;
    return ST_OK;
}

int rlo_send(struct rlobk *r, u16 type, const struct lgr_values *v)
{
    struct codec_out out;
    u8 head[LGR_HEAD_BYTES];
    codec_out_init(&out);
    if (v)
        lgr_values_put(&out, type, v);
    int rc =
        out.failed ? ST_NOMEM : rlo_send_raw(r, type, head, sizeof head, out.data, out.len);
    codec_out_fini(&out);
    return rc;
}

bool rlo_window_open(struct rlobk *r)
{
    return ssi_backlog(r->lgr->ssi, rlo_peer(r), LGR_SSI_SERVICE) <= SSI_BACKLOG_HIGH_BYTES;
}

/* --- receiving --- */

static struct rlobk *rlo_find(struct lgr *lgr, u64 id, const char *peer, bool incoming)
{
    struct rlobk *r = lgr->active;
    while (r && (r->v.id != id || r->v.incoming != incoming || strcmp(rlo_peer(r), peer)))
        r = r->next;
    return r;
}

static bool is_batch(u16 type)
{
    return type == LGR_MSG_MEMORY || type == LGR_MSG_STATE;
}

/* A message for a block that is there. */
static void take_known(struct rlobk *r, u16 type, const struct lgr_head *head,
                       const struct lgr_values *v, const u8 *data, size_t len)
{
    if (r->v.incoming) {
        bool verdict = type == LGR_MSG_ABORT || type == LGR_MSG_COMMIT; /* after a lost link */
        bool chunk = type == LGR_MSG_MEMORY;                            /* its pass counts it */
        if (head->seq != r->seq_in && !verdict && !chunk) {
            if (rlo_may_cancel(r))
                dest_fail(r, LGR_INTERNAL, "message %s: number %u, expected %u",
                          lgr_msg_name(type), head->seq, r->seq_in);
            return;
        }
        r->seq_in = chunk ? r->seq_in : head->seq + 1;
        r->v.bytes += len;
        if (head->stage >= 1 && head->stage <= 7 && r->state == RLO_D_MEMORY)
            dest_stage(r, head->stage);
        if (type == LGR_MSG_OFFER) {
            dest_offer_again(r, head, v);
            return;
        }
    } else {
        lgr_clock_told(r, v);
    }
    rlo_event(r, type, v, data, len);
}

/* A member that speaks another version is told so, in its own: FAILED is the same in all. */
static void refuse_version(struct lgr *lgr, const char *from, u16 type, const u8 *data,
                           size_t len)
{
    u8 bytes[LGR_HEAD_BYTES];
    struct codec_out out;
    struct lgr_values v = {.code = LGR_INTERNAL};
    if (len < LGR_HEAD_BYTES || data[8] == LGR_WIRE_VERSION ||
        (type != LGR_MSG_OFFER && type != LGR_MSG_SKELETON))
        return;
    snprintf(v.text, sizeof v.text, "it speaks version %d of relocations, %s version %d",
             LGR_WIRE_VERSION, from, data[8]);
    memcpy(bytes, data, sizeof bytes);
    codec_out_init(&out);
    lgr_values_put(&out, LGR_MSG_FAILED, &v);
    const struct ssi_iov iov[2] = {{bytes, sizeof bytes}, {out.data, out.len}};
    ssi_send_vec(lgr->ssi, from, LGR_SSI_SERVICE, LGR_MSG_FAILED, iov, 2);
    codec_out_fini(&out);
}

static void take_message(struct lgr *lgr, const char *from, u16 type, const u8 *data,
                         size_t len)
{
    struct lgr_head head;
    struct lgr_values v;
    struct lgr_reasons reasons = {0};
    if (!lgr_head_load(data, len, &head) || !lgr_msg_name(type)) {
        log_line("LGR message type %u of %zu bytes from %s is not acceptable", type, len, from);
        refuse_version(lgr, from, type, data, len);
        return;
    }
    bool to_destination = lgr_msg_to_destination(type);
    struct rlobk *r = rlo_find(lgr, head.id, from, to_destination);
    if (!is_batch(type) && !lgr_values_get(data, len, type, &v, &reasons)) {
        log_line("LGR message %s from %s is damaged", lgr_msg_name(type), from);
        type = LGR_MSG_TURN; /* no message: a block that waits for one gives up */
        if (r && rlo_may_cancel(r) && r->v.incoming)
            dest_fail(r, LGR_INTERNAL, "damaged message");
        else if (r && rlo_may_cancel(r))
            source_stay(r, LGR_INTERNAL, "damaged message");
        return;
    }
    v.reasons = &reasons;
    if (r && type != LGR_MSG_ASK)
        take_known(r, type, &head, &v, data, len);
    else if (type == LGR_MSG_OFFER)
        dest_offer(lgr, from, &head, &v);
    else if (type == LGR_MSG_SKELETON)
        dest_skeleton(lgr, from, &head, &v);
    else if (!to_destination && !r)
        source_answer_unknown(lgr, from, &head, type);
}

static void service_receive(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    struct lgr *lgr = ctx;
    if (lgr->stopped)
        return;
    lgr_enter(lgr);
    lgr->heard_ns = lgr_wall(lgr);
    take_message(lgr, from, type, data, len);
    lgr_leave(lgr);
}

/* Who waits for room has a long TURN timer running; a turn too many does no harm. */
static void service_writable(void *ctx, const char *member)
{
    struct lgr *lgr = ctx;
    for (struct rlobk *r = lgr->active; r; r = r->next)
        if (!r->v.incoming && !strcmp(rlo_peer(r), member) && r->timer[TIMER_TURN].id)
            rlo_timer(r, TIMER_TURN, 0);
}

static void service_drained(void *ctx, const char *member)
{
    struct lgr *lgr = ctx;
    for (struct rlobk *r = lgr->active; r; r = r->next)
        if (r->blocked && !strcmp(rlo_peer(r), member) && r->timer[TIMER_TURN].id)
            rlo_timer(r, TIMER_TURN, 0);
}

/* Steps may end blocks, never others than their own: the next one stays good. */
static void service_joined(void *ctx, const char *member)
{
    struct lgr *lgr = ctx;
    lgr_enter(lgr);
    for (struct rlobk *r = lgr->active, *next; r; r = next) {
        next = r->next;
        if (r->state != RLO_ENDED && r->v.incoming && !strcmp(rlo_peer(r), member))
            dest_link_back(r);
    }
    lgr_leave(lgr);
}

static void service_left(void *ctx, const char *member, enum ssi_left how)
{
    struct lgr *lgr = ctx;
    lgr_enter(lgr);
    dest_exits_forget(lgr, member);
    for (struct rlobk *r = lgr->active, *next; r; r = next) {
        next = r->next;
        if (r->state == RLO_ENDED || strcmp(rlo_peer(r), member))
            continue;
        if (r->v.incoming)
            dest_link_lost(r, how != SSI_LEFT_LOST);
        else
            source_link_lost(r);
    }
    lgr_leave(lgr);
}

static bool service_leaving(void *ctx)
{
    struct lgr *lgr = ctx;
    lgr_enter(lgr);
    bool settled = dest_settle_all(lgr);
    lgr_leave(lgr);
    return settled;
}

static const struct ssi_service service = {
    .id = LGR_SSI_SERVICE,
    .name = "LGR",
    .bulk = true,
    .spread = true, /* chunks of a guest that runs; all others rely on their order */
    .export_join = lgr_told_export,
    .check_join = lgr_told_check,
    .member_joined = service_joined,
    .member_left = service_left,
    .leaving = service_leaving,
    .receive = service_receive,
    .writable = service_writable,
    .drained = service_drained,
};

/* --- life --- */

int lgr_core_create(struct ssi *ssi, const struct lgr_ports *ports,
                    const struct lgr_guests *guests, void *guests_ctx, bool verify,
                    struct lgr **out, struct cause *cause)
{
    struct lgr *lgr = calloc(1, sizeof *lgr);
    if (!lgr)
        return cause_set(cause, ST_NOMEM, "no memory for relocations");
    *lgr = (struct lgr){.ssi = ssi,
                        .version = LGR_WIRE_VERSION,
                        .ports = ports,
                        .guests = guests,
                        .guests_ctx = guests_ctx,
                        .verify = verify,
                        .spare = true};
    int rc = ssi_register_service(ssi, &service, lgr);
    if (rc) {
        free(lgr);
        return cause_set(cause, rc, "service LGR: %s", status_name(rc));
    }
    *out = lgr;
    return ST_OK;
}

/* The member has left the cluster, or ends as by a crash. */
void lgr_core_stop(struct lgr *lgr)
{
    lgr_enter(lgr);
    dest_exits_forget(lgr, NULL);
    for (struct rlobk *r = lgr->active, *next; r; r = next) {
        next = r->next;
        if (r->state == RLO_ENDED)
            continue;
        if (r->v.incoming)
            dest_ends(r);
        else if (rlo_may_cancel(r))
            source_stay(r, LGR_INTERNAL, "%s is ending", ssi_member_name(lgr->ssi));
        else
            rlo_end(r, r->state == RLO_S_MOVED ? LGR_COMPLETED : LGR_INTERNAL, "%s",
                    r->state == RLO_S_MOVED ? "" : LGR_NOT_KNOWN);
    }
    lgr->stopped = true;
    lgr_leave(lgr);
}

void lgr_core_destroy(struct lgr *lgr)
{
    if (!lgr)
        return;
    lgr_core_stop(lgr);
    ERGO(!lgr->active && !lgr->dead);
    lgr_keep_close(lgr);
    free(lgr);
}

bool lgr_core_status(const struct lgr *lgr, unsigned i, struct lgr_view *out)
{
    for (const struct rlobk *r = lgr->active; r; r = r->next) {
        if (r->test || i--)
            continue;
        u64 now = lgr->ports->now_ns(lgr->ports->ctx);
        *out = r->v;
        out->elapsed_ns = now - r->start_ns;
        if (r->quiesced)
            out->quiesce_ns = now - r->quiesce_ns;
        if (r->hold.on)
            out->held_ns += now - r->hold.since_ns;
        return true;
    }
    if (i >= lgr->history_count)
        return false;
    *out = lgr->history[(lgr->history_next + 2 * LGR_HISTORY_MAX - 1 - i) % LGR_HISTORY_MAX];
    return true;
}
