/* Storage and areas as one sequence of frames (lgr_space.h). */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_space.h"

#include "mem/base/ergo.h"

void lgr_space_init(struct lgr_space *s, struct storage *st)
{
    *s = (struct lgr_space){.st = st, .frames = st->frames};
}

bool lgr_space_add(struct lgr_space *s, struct area *a)
{
    u64 first = (s->frames + AREA_FRAMES_UNIT - 1) / AREA_FRAMES_UNIT * AREA_FRAMES_UNIT;
    if (s->areas == LGR_AREAS_MAX || first + a->frames > 1ull << 32) /* numbers in chunks */
        return false;
    s->at[s->areas].first = first;
    s->at[s->areas++].area = area_ref(a);
    s->frames = first + a->frames;
    return true;
}

void lgr_space_fini(struct lgr_space *s)
{
    while (s->areas)
        area_unref(s->at[--s->areas].area);
}

bool lgr_space_in_storage(const struct lgr_space *s, u64 frame)
{
    return frame < s->st->frames;
}

static unsigned area_of(const struct lgr_space *s, u64 frame)
{
    unsigned i = s->areas;
    PRE(frame >= s->st->frames && frame < s->frames && i);
    while (frame < s->at[--i].first)
        ;
    return i;
}

u8 *lgr_space_bytes(const struct lgr_space *s, u64 frame)
{
    if (lgr_space_in_storage(s, frame))
        return s->st->base + (frame << FRAME_SHIFT);
    unsigned i = area_of(s, frame);
    return s->at[i].area->base + ((frame - s->at[i].first) << FRAME_SHIFT);
}

void lgr_space_mark(const struct lgr_space *s, u64 frame)
{
    unsigned i = area_of(s, frame);
    area_mark(s->at[i].area, (frame - s->at[i].first) << FRAME_SHIFT, FRAME_BYTES);
}

void lgr_space_epoch_areas(const struct lgr_space *s, u64 *set)
{
    for (unsigned i = 0; i < s->areas; i++)
        area_epoch(s->at[i].area, set + s->at[i].first / 64);
}

u64 lgr_space_touched_set(const struct lgr_space *s, u64 *set)
{
    storage_touched_set(s->st, set);
    for (unsigned i = 0; i < s->areas; i++)
        area_touched_set(s->at[i].area, set + s->at[i].first / 64);
    return lgr_space_count(s, set);
}

u64 lgr_space_count(const struct lgr_space *s, const u64 *set)
{
    u64 n = storage_set_count(s->st, set);
    for (u64 i = s->areas ? s->at[0].first / 64 : s->frames; i < s->frames / 64; i++)
        n += (u64)__builtin_popcountll(set[i]);
    return n;
}

u64 lgr_space_touched_bytes(const struct lgr_space *s)
{
    u64 n = storage_set_count(s->st, NULL) * FRAME_BYTES;
    for (unsigned i = 0; i < s->areas; i++)
        n += area_touched_bytes(s->at[i].area);
    return n;
}
