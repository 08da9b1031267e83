/* Storage arrives: chunks go to the worker, and are counted when it has stored them. What is to
 * come after them waits for that: the end of a pass, state (with its keys), the last word.
 * Chunks of a pass may come in any order, also behind its PASS_END; of another pass none may. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#define INLINE_BYTES (64u << 10) /* so little is stored at once, without the worker */

void recv_run(struct lgr_job *job)
{
    struct lgr_slot *s = (struct lgr_slot *)job;
    struct rlobk *r = s->r;
    const struct lgr_ports *ports = r->lgr->ports;
    struct lgr_chunk_view view;
    u64 from = ports->cpu_ns ? ports->cpu_ns(ports->ctx) : 0;
    s->tally = (struct lgr_tally){.pass.bytes = s->len};
    s->bad = !lgr_chunk_check(s->buffer->bytes, s->len, s->pass, r->space.frames, &view) ||
             !lgr_decode(&r->space, r->hash, &view, &s->tally);
    if (ports->cpu_ns)
        s->tally.pass.cpu_ns = ports->cpu_ns(ports->ctx) - from;
}

void lgr_pass_add(struct lgr_pass *sum, const struct lgr_pass *p)
{
    sum->pages += p->pages;
    sum->zeros += p->zeros;
    sum->equals += p->equals;
    sum->raws += p->raws;
    sum->deltas += p->deltas;
    sum->lz4s += p->lz4s;
    sum->plain_bytes += p->plain_bytes;
    sum->bytes += p->bytes;
    sum->cpu_ns += p->cpu_ns;
}

/* After a pass: does it still fit? False: given up. A guest that stands still is not asked. */
static bool still_fits(struct rlobk *r, struct lgr_values *ack)
{
    struct lgr_reasons reasons = {0};
    if (r->quiesced)
        return true;
    lgr_fit_here(r->lgr, &r->info, r, r->v.force, &ack->fit);
    lgr_fit_note(&r->v, &ack->fit);
    ack->has_fit = true;
    lgr_eligible_fit(r->lgr, &r->info, r->v.force, &ack->fit, &reasons);
    if (reasons.count)
        dest_fail(r, LGR_NOT_ELIGIBLE, "%s", reasons.line[0]);
    return !reasons.count;
}

/* All chunks that PASS_END has counted are there. */
static bool pass_settled(struct rlobk *r)
{
    struct lgr_values ack = {.pass = r->pass};
    if (r->pass_messages != r->end_messages || r->end_pages != r->tally.pages ||
        r->end_zeros != r->tally.zeros) {
        dest_fail(r, LGR_INTERNAL, "counts of pass %u do not match", r->pass);
        return false;
    }
    r->ending = false;
    r->tally.quiesced = r->quiesced;
    r->tally.ns = lgr_now(r->lgr) - r->pass_start_ns;
    r->v.passes[r->v.pass_count++] = r->tally;
    r->tally = (struct lgr_pass){0};
    r->pass_start_ns = lgr_now(r->lgr);
    r->pass_messages = r->received = 0;
    r->pass++;
    if (!still_fits(r, &ack))
        return false;
    lgr_crowd_here(r->lgr, r->guest, &ack.crowd);
    rlo_send(r, LGR_MSG_PASS_ACK, &ack);
    return true;
}

bool recv_collect(struct rlobk *r)
{
    for (struct lgr_slot *s; (s = lgr_slots_ready(&r->slots)) != NULL;) {
        if (s->bad) {
            dest_fail(r, LGR_INTERNAL, "a chunk of storage is damaged");
            return false;
        }
        lgr_pass_add(&r->tally, &s->tally.pass);
        r->digest += s->tally.digest;
        r->pass_messages++;
        lgr_slots_release(&r->slots);
    }
    return !r->ending || r->pass_messages < r->end_messages || pass_settled(r);
}

bool recv_drain(struct rlobk *r)
{
    bool going = recv_collect(r);
    while (going && r->slots.count) {
        lgr_worker_wait(r->slots.worker);
        going = recv_collect(r);
    }
    return going;
}

void recv_wake(void *arg)
{
    struct rlobk *r = arg;
    struct lgr *lgr = r->lgr;
    lgr_enter(lgr);
    if (r->slots.count)
        recv_collect(r);
    lgr_leave(lgr);
}

void dest_memory(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    struct lgr_slot *s;
    (void)v;
    if (len > LGR_CHUNK_BYTES_MAX) {
        dest_fail(r, LGR_INTERNAL, "a chunk of storage is damaged");
        return;
    }
    if (!recv_collect(r))
        return;
    while (!(s = lgr_slots_free(&r->slots))) {
        lgr_worker_wait(r->slots.worker);
        if (!recv_collect(r))
            return;
    }
    memcpy(s->buffer->bytes, data, len);
    s->len = len;
    s->pass = r->pass;
    r->received++;
    if (len <= INLINE_BYTES && !r->slots.count)
        lgr_slots_run(&r->slots);
    else
        lgr_slots_submit(&r->slots);
    if (recv_collect(r))
        dest_hold_look(r, len);
}

void dest_pass_end(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)data;
    (void)len;
    if (v->pass != r->pass || r->ending || r->v.pass_count == LGR_PASSES_MAX ||
        (r->quiesced && r->received != v->messages)) {
        dest_fail(r, LGR_INTERNAL, "pass %u ends out of order", v->pass);
        return;
    }
    r->ending = true;
    r->end_pages = v->pages;
    r->end_zeros = v->zeros;
    r->end_messages = v->messages;
    if (v->bytes > r->info.touched_bytes)
        r->info.touched_bytes = v->bytes;
    if (r->received >= v->messages)
        recv_drain(r);
}
