/* What the pages of a guest are: its storage, and behind it, as further frames, areas that go along
 * (mem/area.h), as virtual disks in storage are. Bitmaps, hashes, chunks and the digest count all
 * of them. Internal to lgr/ and its tests. */
#ifndef ENDICOTT_LGR_LGR_SPACE_H
#define ENDICOTT_LGR_LGR_SPACE_H

#include "mem/area.h"
#include "mem/storage.h"

#define LGR_AREAS_MAX 32

struct lgr_space {
    struct storage *st;
    u64 frames; /* all */
    unsigned areas;
    struct {
        u64 first; /* frame, a multiple of 64 */
        struct area *area;
    } at[LGR_AREAS_MAX];
};

/** Storage alone; then areas one by one, of which it keeps references. False: too many. */
void lgr_space_init(struct lgr_space *s, struct storage *st);
bool lgr_space_add(struct lgr_space *s, struct area *a);
/** Give the references back: nobody uses it any more. */
void lgr_space_fini(struct lgr_space *s);

static inline u64 lgr_space_bitmap_bytes(const struct lgr_space *s)
{
    return (s->frames + 63) / 64 * sizeof(u64);
}

/** Is the frame storage? Else it is of an area. */
bool lgr_space_in_storage(const struct lgr_space *s, u64 frame);
u8 *lgr_space_bytes(const struct lgr_space *s, u64 frame);
/** It has been stored into, in an area. */
void lgr_space_mark(const struct lgr_space *s, u64 frame);
/** As storage_epoch, of areas only: who stops CPUs does that of storage. */
void lgr_space_epoch_areas(const struct lgr_space *s, u64 *set);
/** Replace `set` by the touched frames; their number. */
u64 lgr_space_touched_set(const struct lgr_space *s, u64 *set);
/** Number of frames in such a set. */
u64 lgr_space_count(const struct lgr_space *s, const u64 *set);
u64 lgr_space_touched_bytes(const struct lgr_space *s);

#endif
