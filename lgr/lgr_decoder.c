/* Chunks into storage and areas, at the destination, off the loop thread. The numbers have been
 * checked; what bytes decode to is bounded by the decoders. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_pages.h"
#include "lgr/lgr_wire.h"

/* The key stays: it comes with the state, maybe before this frame. Nobody else uses an area yet. */
static u8 *frame_for_store(const struct lgr_space *space, u64 frame)
{
    u64 abs = frame << FRAME_SHIFT;
    if (!lgr_space_in_storage(space, frame)) {
        lgr_space_mark(space, frame);
        return lgr_space_bytes(space, frame);
    }
    u8 key = storage_key_get(space->st, abs);
    storage_mark_frame(space->st, abs);
    storage_key_set(space->st, abs, key);
    return space->st->base + abs;
}

static void note_hash(u64 *hash, u64 frame, u64 now, struct lgr_tally *t)
{
    t->digest += now - hash[frame];
    hash[frame] = now;
}

/* What cannot be stored into is mapped already (a saved segment), and compared by its hash. */
static bool storable(const struct lgr_space *space, u64 frame)
{
    return !lgr_space_in_storage(space, frame) ||
           storage_storable(space->st, frame << FRAME_SHIFT, FRAME_BYTES);
}

/* May it hold something else than zeros? */
static bool touched(const struct lgr_space *space, u64 frame, u64 hash)
{
    return lgr_space_in_storage(space, frame) ? storage_frame_touched(space->st, frame) : hash;
}

static bool page(const struct lgr_space *space, u64 *hash, const struct lgr_entry *e,
                 const u8 *bytes, struct lgr_tally *t)
{
    u8 made[FRAME_BYTES];
    u8 *to = frame_for_store(space, e->frame);
    const u8 *from = e->kind == LGR_RAW ? bytes : made;
    if (e->kind == LGR_DELTA)
        memcpy(made, to, FRAME_BYTES);
    if (e->kind == LGR_DELTA && !lgr_delta_apply(made, bytes, e->len))
        return false;
    if (e->kind == LGR_SPARSE && !lgr_sparse_unpack(bytes, e->len, made))
        return false;
    if (e->kind == LGR_LZ4 && !lgr_lz4_decode(bytes, e->len, made))
        return false;
    if (storable(space, e->frame))
        memcpy(to, from, FRAME_BYTES);
    note_hash(hash, e->frame, lgr_frame_hash(e->frame, to), t);
    t->pass.pages++;
    t->pass.plain_bytes += FRAME_BYTES;
    t->pass.raws += e->kind == LGR_RAW || e->kind == LGR_SPARSE;
    t->pass.deltas += e->kind == LGR_DELTA;
    t->pass.lz4s += e->kind == LGR_LZ4;
    return true;
}

static void zeros(const struct lgr_space *space, u64 *hash, const struct lgr_entry *e,
                  struct lgr_tally *t)
{
    for (u64 f = e->frame; f < e->frame + e->len; f++) {
        bool mapped = !storable(space, f);
        if (!mapped && touched(space, f, hash[f])) /* otherwise it is zero already */
            memset(frame_for_store(space, f), 0, FRAME_BYTES);
        note_hash(hash, f, mapped ? lgr_frame_hash(f, lgr_space_bytes(space, f)) : 0, t);
    }
    t->pass.zeros += e->len;
}

bool lgr_decode(const struct lgr_space *space, u64 *hash, const struct lgr_chunk_view *c,
                struct lgr_tally *tally)
{
    const u8 *bytes = c->data;
    for (unsigned i = 0; i < c->entries; i++) {
        const struct lgr_entry e = lgr_chunk_entry(c, i);
        if (e.kind == LGR_ZERO) {
            zeros(space, hash, &e, tally);
            continue;
        }
        if (!page(space, hash, &e, bytes, tally))
            return false;
        bytes += e.len;
    }
    return true;
}
