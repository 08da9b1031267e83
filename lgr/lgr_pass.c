/* Memory passes at the source: which frames, in batches of bounded size, at what pace.
 * Assumes that a frame stored into after its copy was taken shows up in a later epoch
 * (hyp/vm.h, vm_epoch); so the last copy sent of every frame is its content at quiesce [I3]. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#define RATE_SAMPLE_BYTES (1u << 20)
#define PACED_TURN_MS 10 /* what one turn sends when a pace was asked for */

u64 pass_collect(struct rlobk *r)
{
    r->lgr->guests->epoch(r->lgr->guests_ctx, r->guest, r->set);
    return r->set_count = storage_set_count(r->st, r->set);
}

void pass_begin(struct rlobk *r, bool quiesced)
{
    PRE(r->v.pass_count < LGR_PASSES_MAX);
    r->pass++;
    r->set_word = 0;
    r->pass_messages = 0;
    r->pass_start_ns = lgr_now(r->lgr);
    r->tally =
        (struct lgr_pass){.quiesced = quiesced, .throttle = quiesced ? 0 : (u8)r->throttle};
}

static enum pass_result send_batch(struct rlobk *r, u16 type, u8 *head, unsigned count,
                                   const void *data, size_t len)
{
    size_t head_len = LGR_BATCH_HEAD_BYTES + 4 * (size_t)count;
    be16_store(head + LGR_HEAD_BYTES, r->pass);
    be16_store(head + LGR_HEAD_BYTES + 2, (u16)count);
    be32_store(head + LGR_HEAD_BYTES + 4, 0);
    int rc = rlo_send_raw(r, type, head, head_len, data, len);
    if (rc) {
        source_stay(r, LGR_LINK_LOST, "storage cannot be sent to %s: %s", r->v.to,
                    status_name(rc));
        return PASS_ENDED;
    }
    r->pass_messages++;
    r->tally.bytes += head_len + len;
    return PASS_MORE;
}

static enum pass_result flush_pages(struct rlobk *r)
{
    unsigned n = r->batch_count;
    r->batch_count = 0;
    return n ? send_batch(r, LGR_MSG_MEMORY, r->batch, n,
                          r->batch + LGR_BATCH_HEAD_BYTES + 4 * LGR_BATCH_FRAMES,
                          (size_t)n * FRAME_BYTES)
             : PASS_MORE;
}

static enum pass_result flush_zeros(struct rlobk *r)
{
    unsigned n = r->zero_count;
    r->zero_count = 0;
    return n ? send_batch(r, LGR_MSG_ZEROS, r->zeros, n, NULL, 0) : PASS_MORE;
}

/* Into the batch: hash and zero test are of the copy, which nobody changes. */
static enum pass_result take_frame(struct rlobk *r, u64 frame)
{
    u8 *copy = r->batch + LGR_BATCH_HEAD_BYTES + 4 * LGR_BATCH_FRAMES +
               (size_t)r->batch_count * FRAME_BYTES;
    memcpy(copy, r->st->base + (frame << FRAME_SHIFT), FRAME_BYTES);
    u64 hash = lgr_frame_hash(frame, copy);
    r->digest += hash - r->hash[frame];
    r->hash[frame] = hash;
    if (!hash) {
        be32_store(r->zeros + LGR_BATCH_HEAD_BYTES + 4 * r->zero_count++, (u32)frame);
        r->tally.zeros++;
        return r->zero_count == LGR_ZERO_FRAMES ? flush_zeros(r) : PASS_MORE;
    }
    be32_store(r->batch + LGR_BATCH_HEAD_BYTES + 4 * r->batch_count++, (u32)frame);
    r->tally.pages++;
    return r->batch_count == LGR_BATCH_FRAMES ? flush_pages(r) : PASS_MORE;
}

static enum pass_result pass_complete(struct rlobk *r)
{
    if (flush_pages(r) == PASS_ENDED || flush_zeros(r) == PASS_ENDED)
        return PASS_ENDED;
    const struct lgr_values v = {.pass = r->pass,
                                 .pages = r->tally.pages,
                                 .zeros = r->tally.zeros,
                                 .messages = r->pass_messages};
    int rc = rlo_send(r, LGR_MSG_PASS_END, &v);
    if (rc) {
        source_stay(r, LGR_LINK_LOST, "%s: %s", r->v.to, status_name(rc));
        return PASS_ENDED;
    }
    r->tally.ns = lgr_now(r->lgr) - r->pass_start_ns;
    r->v.passes[r->v.pass_count++] = r->tally;
    return PASS_SENT;
}

/* The next word of the set that may hold a frame: storage never used is passed over whole. */
static u64 set_word_next(const struct rlobk *r)
{
    u64 next = storage_frame_next(r->st, r->set_word * 64) / 64;
    return next > r->set_word ? next : r->set_word;
}

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

enum pass_result pass_turn(struct rlobk *r)
{
    u64 words = (r->st->frames + 63) / 64, work = 0, looked = 0, bytes = turn_bytes(r);
    if (pace_ahead_ms(r))
        return PASS_MORE; /* woken by the link */
    while (r->set_word < words && work < bytes && looked < LGR_TURN_WORDS) {
        r->set_word = set_word_next(r);
        if (r->set_word >= words)
            break;
        u64 *bits = &r->set[r->set_word];
        if (!*bits) {
            r->set_word++;
            looked++;
            continue;
        }
        u64 frame = r->set_word * 64 + (unsigned)__builtin_ctzll(*bits);
        *bits &= *bits - 1;
        work += FRAME_BYTES;
        if (take_frame(r, frame) == PASS_ENDED)
            return PASS_ENDED;
    }
    return r->set_word < words ? PASS_MORE : pass_complete(r);
}

void pass_acknowledged(struct rlobk *r, u16 pass)
{
    if (!pass || pass > r->v.pass_count)
        return;
    struct lgr_pass *p = &r->v.passes[pass - 1];
    if (pass == r->pass || !p->quiesced)
        p->ns = lgr_now(r->lgr) - r->pass_start_ns;
    if (p->bytes < RATE_SAMPLE_BYTES || !p->ns)
        return;
    double rate = (double)p->bytes / (double)p->ns;
    r->bytes_per_ns = r->bytes_per_ns > 0 ? (r->bytes_per_ns + rate) / 2 : rate;
}

u64 pass_verify(struct rlobk *r)
{
    u64 missed = 0;
    for (u64 f = storage_frame_next(r->st, 0); f < r->st->frames;
         f = storage_frame_next(r->st, f + 1))
        if (storage_frame_touched(r->st, f) || r->hash[f])
            missed += lgr_frame_hash(f, r->st->base + (f << FRAME_SHIFT)) != r->hash[f];
    return missed;
}

void rlo_turn_soon(struct rlobk *r)
{
    rlo_timer(r, TIMER_TURN, rlo_window_open(r) ? pace_ahead_ms(r) : LGR_WINDOW_WAIT_MS);
}
