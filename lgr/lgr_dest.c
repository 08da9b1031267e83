/* The destination: answers offers, makes the skeleton, takes storage and state, verifies.
 * Nothing received is believed: frame numbers, counts and lengths are checked before use, and a
 * relocation that breaks a rule is given up here without harm to anybody else. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define STATE_ROOM_FIRST (1u << 20)

/* A message without a block. */
static void reply(struct lgr *lgr, const char *to, u64 id, u16 type, const struct lgr_values *v)
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
    const struct lgr_values verdict = {.reasons = &reasons};
    lgr_eligible_here(lgr, &v->info, head->id, from, v->force, v->again, &reasons);
    reply(lgr, from, head->id, LGR_MSG_VERDICT, &verdict);
}

static void refuse(struct lgr *lgr, const char *from, u64 id, enum lgr_code code,
                   const char *text)
{
    struct lgr_values v = {.code = (u8)code};
    snprintf(v.text, sizeof v.text, "%s", text);
    reply(lgr, from, id, LGR_MSG_FAILED, &v);
}

static void name_block(struct rlobk *r, const char *from, const struct lgr_head *head,
                       const struct lgr_values *v)
{
    snprintf(r->v.user, sizeof r->v.user, "%s", v->info.user);
    snprintf(r->v.from, sizeof r->v.from, "%s", from);
    snprintf(r->v.to, sizeof r->v.to, "%s", ssi_member_name(r->lgr->ssi));
    snprintf(r->v.by, sizeof r->v.by, "%s", v->by);
    r->v.force = v->force;
    r->info = v->info;
    r->claim = v->generation;
    r->seq_in = head->seq + 1;
    r->pass = 1;
}

/* Stage 2 */
void dest_skeleton(struct lgr *lgr, const char *from, const struct lgr_head *head,
                   const struct lgr_values *v)
{
    struct lgr_reasons reasons = {0};
    struct cause cause = {0};
    void *guest = NULL;
    lgr_eligible_here(lgr, &v->info, head->id, from, v->force, false, &reasons);
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
    rlo_go(r, RLO_D_MEMORY);
    r->v.stage = 2;
    if (lgr->guests->arrive(lgr->guests_ctx, &v->info, &guest, &cause)) {
        dest_fail(r, LGR_INTERNAL, "%s", cause.text);
        return;
    }
    r->guest = guest;
    r->pass_start_ns = lgr_now(lgr);
    struct storage *st = lgr->guests->storage(lgr->guests_ctx, guest);
    if (rlo_prepare_storage(r, st) || st->size != v->info.storage_bytes)
        dest_fail(r, LGR_INTERNAL, "no storage of the right size");
    else if (rlo_send(r, LGR_MSG_SKELETON_OK, NULL))
        dest_fail(r, LGR_INTERNAL, "no answer can be sent");
}

static void discard(struct rlobk *r, enum lgr_code code, const char *text)
{
    void *guest = r->guest;
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
    PRE(r->v.incoming && r->state == RLO_D_MEMORY); /* [I5] */
    va_start(ap, fmt);
    vsnprintf(v.text, sizeof v.text, fmt, ap);
    va_end(ap);
    rlo_send(r, LGR_MSG_FAILED, &v);
    discard(r, code, v.text);
}

void dest_stage(struct rlobk *r, unsigned stage)
{
    r->v.stage = stage;
    if (stage < 5 || r->quiesced)
        return;
    r->quiesced = true; /* our part of the quiesce time begins */
    r->quiesce_ns = lgr_now(r->lgr);
}

void dest_abort(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)data;
    (void)len;
    discard(r, v->code < LGR_ACTIVE ? (enum lgr_code)v->code : LGR_INTERNAL, v->text);
}

/* --- storage --- */

/* Frame numbers of a batch; NULL (and the relocation is given up) when it is not acceptable. */
static const u8 *batch_frames(struct rlobk *r, const u8 *data, size_t len, unsigned max,
                              size_t frame_bytes, unsigned *count)
{
    if (len >= LGR_BATCH_HEAD_BYTES) {
        *count = be16_load(data + LGR_HEAD_BYTES + 2);
        bool good = be16_load(data + LGR_HEAD_BYTES) == r->pass && *count && *count <= max &&
                    len == LGR_BATCH_HEAD_BYTES + *count * (4 + frame_bytes);
        for (unsigned i = 0; good && i < *count; i++)
            good = be32_load(data + LGR_BATCH_HEAD_BYTES + 4 * i) < r->st->frames;
        if (good)
            return data + LGR_BATCH_HEAD_BYTES;
    }
    dest_fail(r, LGR_INTERNAL, "a batch of frames is damaged");
    return NULL;
}

/* The key stays: it comes with the state, maybe before this frame. */
static u8 *frame_for_store(struct rlobk *r, u64 frame)
{
    u64 abs = frame << FRAME_SHIFT;
    u8 key = storage_key_get(r->st, abs);
    storage_mark_frame(r->st, abs);
    storage_key_set(r->st, abs, key);
    return r->st->base + abs;
}

static void note_hash(struct rlobk *r, u64 frame, u64 hash)
{
    r->digest += hash - r->hash[frame];
    r->hash[frame] = hash;
}

void dest_memory(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    unsigned count = 0;
    (void)v;
    const u8 *frames = batch_frames(r, data, len, LGR_BATCH_FRAMES, FRAME_BYTES, &count);
    if (!frames)
        return;
    const u8 *bytes = frames + 4 * (size_t)count;
    for (unsigned i = 0; i < count; i++, bytes += FRAME_BYTES) {
        u64 frame = be32_load(frames + 4 * i);
        u8 *to = frame_for_store(r, frame);
        if (storage_storable(r->st, frame << FRAME_SHIFT, FRAME_BYTES))
            memcpy(to, bytes, FRAME_BYTES); /* else it is mapped already, and compared */
        note_hash(r, frame, lgr_frame_hash(frame, to));
    }
    r->tally.pages += count;
    r->tally.bytes += len;
    r->pass_messages++;
}

void dest_zeros(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    unsigned count = 0;
    (void)v;
    const u8 *frames = batch_frames(r, data, len, LGR_ZERO_FRAMES, 0, &count);
    for (unsigned i = 0; frames && i < count; i++) {
        u64 frame = be32_load(frames + 4 * i);
        u64 abs = frame << FRAME_SHIFT;
        bool mapped = !storage_storable(r->st, abs, FRAME_BYTES); /* of a saved segment */
        if (!mapped && storage_frame_touched(r->st, frame)) /* otherwise it is zero already */
            memset(frame_for_store(r, frame), 0, FRAME_BYTES);
        note_hash(r, frame, mapped ? lgr_frame_hash(frame, r->st->base + abs) : 0);
    }
    if (!frames)
        return;
    r->tally.zeros += count;
    r->tally.bytes += len;
    r->pass_messages++;
}

void dest_pass_end(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    const struct lgr_values ack = {.pass = r->pass};
    (void)data;
    (void)len;
    if (v->pass != r->pass || v->pages != r->tally.pages || v->zeros != r->tally.zeros ||
        v->messages != r->pass_messages || r->v.pass_count == LGR_PASSES_MAX) {
        dest_fail(r, LGR_INTERNAL, "counts of pass %u do not match", v->pass);
        return;
    }
    r->tally.quiesced = r->quiesced;
    r->tally.ns = lgr_now(r->lgr) - r->pass_start_ns;
    r->v.passes[r->v.pass_count++] = r->tally;
    r->tally = (struct lgr_pass){0};
    r->pass_start_ns = lgr_now(r->lgr);
    r->pass_messages = 0;
    r->pass++;
    rlo_send(r, LGR_MSG_PASS_ACK, &ack);
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

void dest_state_end(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    struct lgr *lgr = r->lgr;
    struct codec_in in;
    struct cause cause = {0};
    (void)data;
    (void)len;
    if (r->restored || v->bytes != r->state_len ||
        v->hash != lgr_bytes_hash(r->state_bytes, r->state_len)) {
        dest_fail(r, LGR_INTERNAL, "the state is damaged");
        return;
    }
    codec_in_init(&in, r->state_bytes, r->state_len);
    int rc = lgr->guests->restore(lgr->guests_ctx, r->guest, &in, &cause);
    if (rc) {
        dest_fail(r, LGR_INTERNAL, "state: %s", cause.text[0] ? cause.text : status_name(rc));
        return;
    }
    r->v.state_bytes = r->state_len;
    r->restored = true;
}

/* Everything must be here: after READY there is no way back but through the PDR [I5]. */
void dest_finish(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    const struct lgr_values ready = {.digest = r->digest};
    (void)data;
    (void)len;
    if (!r->restored || v->digest != r->digest || v->pass + 1u != r->pass) {
        dest_fail(r, LGR_INTERNAL,
                  r->restored ? "storage is not complete" : "the state is missing");
        return;
    }
    rlo_go(r, RLO_D_READY);
    rlo_timer(r, TIMER_TURN, LGR_READY_POLL_MS);
    rlo_send(r, LGR_MSG_READY, &ready);
}
