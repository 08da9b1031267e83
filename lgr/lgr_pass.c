/* Memory passes at the source: which frames, in chunks of bounded size, at what pace. The worker
 * encodes (lgr_encoder.c), this thread sends. A pass of a stopped guest is on its way in one order
 * with the state; one of a guest that runs is acknowledged before the next begins, so that an older
 * version of a frame never comes behind a newer one. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#define RATE_SAMPLE_BYTES (1u << 20)
#define PACED_TURN_MS 10        /* what one turn sends when a pace was asked for */
#define PACED_AHEAD_MS 20       /* encoded earlier it would be stored into before it is sent */
#define STREAM_BYTES (1u << 20) /* that one stream may be behind */
#define INLINE_FRAMES 48        /* so few are encoded at once, without the worker */

u64 pass_collect(struct rlobk *r)
{
    r->lgr->guests->epoch(r->lgr->guests_ctx, r->guest, r->set);
    lgr_space_epoch_areas(&r->space, r->set);
    return r->set_count = lgr_space_count(&r->space, r->set);
}

/* A pass of a stopped guest goes over the stream of the state, others over all. */
static unsigned streams(const struct rlobk *r)
{
    return r->tally.quiesced ? 1 : ssi_streams(r->lgr->ssi, rlo_peer(r));
}

static u64 stream_backlog(const struct rlobk *r, unsigned stream)
{
    return ssi_stream_backlog(r->lgr->ssi, rlo_peer(r), LGR_SSI_SERVICE, stream);
}

static u64 backlog(const struct rlobk *r)
{
    u64 sum = 0;
    for (unsigned i = ssi_streams(r->lgr->ssi, rlo_peer(r)); i--;)
        sum += stream_backlog(r, i);
    return sum;
}

/* The stream that has least to carry; false: even that is far behind. */
static bool stream_open(const struct rlobk *r, unsigned *stream)
{
    u64 least = ~0ull;
    for (unsigned i = streams(r); i--;) {
        u64 waits = stream_backlog(r, i);
        if (waits > least)
            continue;
        least = waits;
        *stream = i;
    }
    return least <= STREAM_BYTES || least == ~0ull;
}

static u64 link_gone(const struct rlobk *r)
{
    u64 waits = backlog(r);
    return waits < r->link_sent ? r->link_sent - waits : 0;
}

void pass_begin(struct rlobk *r, bool quiesced)
{
    PRE(r->v.pass_count < LGR_PASSES_MAX && !r->slots.count);
    r->pass++;
    r->encoder.at = 0;
    r->encoder.pass = r->pass;
    r->passing = true;
    r->set_empty = r->blocked = false;
    r->pass_messages = 0;
    r->pass_start_ns = r->link_ns = lgr_now(r->lgr);
    r->link_gone = link_gone(r);
    r->tally = (struct lgr_pass){.quiesced = quiesced};
    spare_pass(r);
}

void pass_run(struct lgr_job *job)
{
    struct lgr_slot *s = (struct lgr_slot *)job;
    s->last = lgr_encode(&s->r->encoder, &s->chunk, s->link_ns, &s->tally);
}

/* --- pace --- */

#define SPARING_SLOTS 2 /* encoded ahead of what goes slowly */

/* Milliseconds by which the pass is ahead of the pace that was asked for. */
static u64 pace_ahead_ms(const struct rlobk *r)
{
    u64 due_ns = r->lgr->pace_mb_s ? r->tally.bytes * 1000 / r->lgr->pace_mb_s : 0;
    u64 gone_ns = lgr_now(r->lgr) - r->pass_start_ns;
    return due_ns > gone_ns ? (due_ns - gone_ns + 999999) / 1000000 : 0;
}

static u64 turn_bytes(const struct rlobk *r)
{
    u64 paced = (u64)r->lgr->pace_mb_s * 1000 * PACED_TURN_MS;
    return paced && paced < LGR_TURN_BYTES ? paced : LGR_TURN_BYTES;
}

/* What the link has taken since the last look, and whether it was what one waited for. */
static void link_look(struct rlobk *r)
{
    u64 now = lgr_now(r->lgr), gone = link_gone(r), ns = now - r->link_ns;
    lgr_link_note(&r->link, gone > r->link_gone ? gone - r->link_gone : 0, ns,
                  r->blocked ? ns : 0);
    r->link_ns = now;
    r->link_gone = gone;
}

/* --- chunks --- */

static unsigned slots_max(const struct rlobk *r)
{
    u64 ahead = 2 + (u64)r->lgr->pace_mb_s * 1000 * PACED_AHEAD_MS / LGR_CHUNK_DATA_BYTES;
    if (!r->lgr->ports->post)
        return 1;
    if (r->spare.on)
        return SPARING_SLOTS;
    return r->lgr->pace_mb_s && ahead < LGR_SLOTS ? (unsigned)ahead : LGR_SLOTS;
}

/* Give the worker what it may do ahead. */
static void feed(struct rlobk *r)
{
    struct lgr_slot *s;
    u64 pages = turn_bytes(r) / FRAME_BYTES;
    while (!r->set_empty && r->slots.count < slots_max(r) &&
           (s = lgr_slots_free(&r->slots)) != NULL) {
        lgr_chunk_begin(&s->chunk, s->buffer->bytes, pages ? (unsigned)pages : 1);
        s->tally = (struct lgr_tally){0};
        s->link_ns = lgr_link_ns(&r->link);
        if (r->set_count > INLINE_FRAMES) {
            lgr_slots_submit(&r->slots);
            continue;
        }
        lgr_slots_run(&r->slots);
        r->set_empty = s->last;
    }
}

/* False: the relocation has ended. */
static bool send_chunk(struct rlobk *r, struct lgr_slot *s, unsigned stream)
{
    lgr_pass_add(&r->tally, &s->tally.pass);
    r->digest += s->tally.digest;
    r->set_empty = r->set_empty || s->last;
    if (!s->chunk.entries)
        return true;
    size_t head_len = lgr_chunk_end(&s->chunk, r->pass);
    int rc = rlo_send_chunk(r, stream, s, head_len);
    if (rc) {
        source_stay(r, LGR_LINK_LOST, "storage cannot be sent to %s: %s", r->v.to,
                    status_name(rc));
        return false;
    }
    r->pass_messages++;
    r->tally.bytes += head_len + s->chunk.bytes;
    return true;
}

static enum pass_result pass_complete(struct rlobk *r)
{
    const struct lgr_values v = {.pass = r->pass,
                                 .pages = r->tally.pages,
                                 .zeros = r->tally.zeros,
                                 .messages = r->pass_messages,
                                 .bytes = lgr_space_touched_bytes(&r->space)};
    int rc = rlo_send(r, LGR_MSG_PASS_END, &v);
    if (rc) {
        source_stay(r, LGR_LINK_LOST, "%s: %s", r->v.to, status_name(rc));
        return PASS_ENDED;
    }
    r->passing = false;
    r->tally.ns = lgr_now(r->lgr) - r->pass_start_ns;
    r->v.passes[r->v.pass_count++] = r->tally;
    return PASS_SENT;
}

enum pass_result pass_turn(struct rlobk *r)
{
    u64 from = r->tally.bytes, most = turn_bytes(r);
    unsigned looked = 0, stream = 0;
    link_look(r);
    spare_look(r);
    r->blocked = false;
    for (struct lgr_slot *s; feed(r), (s = lgr_slots_ready(&r->slots)) != NULL; looked++) {
        r->blocked = pace_ahead_ms(r) || spare_waits(r) || !stream_open(r, &stream);
        if (r->blocked || r->tally.bytes - from >= most || looked == LGR_SLOTS)
            return PASS_MORE;
        if (!send_chunk(r, s, stream))
            return PASS_ENDED;
        lgr_slots_release(&r->slots);
    }
    if (r->set_empty && !r->slots.count)
        return pass_complete(r);
    r->blocked = !r->slots.count; /* the link has all of them */
    return PASS_MORE;
}

void pass_wake(void *arg)
{
    struct rlobk *r = arg;
    struct lgr *lgr = r->lgr;
    lgr_enter(lgr);
    if (r->passing)
        rlo_event(r, LGR_MSG_TURN, NULL, NULL, 0);
    lgr_leave(lgr);
}

/* The worker or the link wake us when they are done; else it is the pace, or others' turn. */
void rlo_turn_soon(struct rlobk *r)
{
    bool worker = r->passing && r->slots.count && !r->slots.ready && r->lgr->ports->post;
    u64 pace_ms = pace_ahead_ms(r), spare_ms = spare_ahead_ms(r);
    u64 ahead_ms = pace_ms > spare_ms ? pace_ms : spare_ms;
    bool link = r->passing && r->blocked && !ahead_ms;
    bool wait = worker || link || (!r->passing && !rlo_window_open(r));
    rlo_timer(r, TIMER_TURN, wait ? LGR_WINDOW_WAIT_MS : ahead_ms);
}

/* --- afterwards --- */

/* The rate the planner goes by is that of storage, before it was encoded. */
void pass_acknowledged(struct rlobk *r, u16 pass)
{
    if (!pass || pass > r->v.pass_count)
        return;
    struct lgr_pass *p = &r->v.passes[pass - 1];
    if (pass == r->pass || !p->quiesced)
        p->ns = lgr_now(r->lgr) - r->pass_start_ns;
    if (p->plain_bytes < RATE_SAMPLE_BYTES || p->ns <= p->spared_ns)
        return;
    double rate = (double)p->plain_bytes / (double)(p->ns - p->spared_ns);
    r->bytes_per_ns = r->bytes_per_ns > 0 ? (r->bytes_per_ns + rate) / 2 : rate;
}

u64 pass_verify(struct rlobk *r)
{
    u64 missed = 0;
    for (u64 f = storage_frame_next(r->st, 0); f < r->st->frames;
         f = storage_frame_next(r->st, f + 1))
        if ((storage_frame_touched(r->st, f) || r->hash[f]) &&
            (storage_usage_get(r->st, f << FRAME_SHIFT) & STORAGE_USAGE) != STORAGE_UNUSED)
            missed += lgr_frame_hash(f, r->st->base + (f << FRAME_SHIFT)) != r->hash[f];
    for (u64 f = r->st->frames; f < r->space.frames; f++)
        missed += lgr_frame_hash(f, lgr_space_bytes(&r->space, f)) != r->hash[f];
    return missed;
}
