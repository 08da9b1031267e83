/* Copying a disk, track by track or some blocks at a time (copy.h). */
#include "io/image/copy.h"

#include <stdlib.h>

#include "io/image/track.h"

#define COPY_BLOCKS 128u /* at a time */

struct copying {
    struct image *from, *to;
    const struct image_geometry *has, *gets;
    u8 *buf;
};

static int copy_track(const struct copying *c, u32 track, struct cause *cause)
{
    u32 len;
    int rc = ST_OK;
    if (track < c->has->tracks)
        rc = image_read_track(c->from, track, c->buf, &len, cause);
    else
        len = track_make_null(TRACK_NULL_EMPTY, track, c->gets->heads, c->buf);
    return rc ? rc : image_write_track(c->to, track, c->buf, len, cause);
}

static int copy_blocks(const struct copying *c, u64 block, u32 count, struct cause *cause)
{
    u64 there = block < c->has->blocks ? c->has->blocks - block : 0;
    u32 n = there < count ? (u32)there : count;
    memset(c->buf, 0, (size_t)count * IMAGE_BLOCK_BYTES);
    int rc = n ? image_read_blocks(c->from, block, n, c->buf, cause) : ST_OK;
    return rc ? rc : image_write_blocks(c->to, block, count, c->buf, cause);
}

/* A step: a track, or some blocks. */
static int copy_step(const struct copying *c, const struct image_part *part, u64 at, u32 n,
                     struct cause *cause)
{
    if (c->gets->tracks)
        return copy_track(c, (u32)(part->from + at), cause);
    int rc = image_read_blocks(c->from, part->from + at, n, c->buf, cause);
    return rc ? rc : image_write_blocks(c->to, part->to + at, n, c->buf, cause);
}

int image_copy_part(struct image *from, struct image *to, const struct image_part *part,
                    atomic_bool *stop, struct cause *cause)
{
    struct copying c = {from, to, image_geometry(from), image_geometry(to), NULL};
    const bool tracks = c.gets->tracks;
    const u64 has = tracks ? c.has->tracks : c.has->blocks;
    const u64 gets = tracks ? c.gets->tracks : c.gets->blocks;
    if (c.has->type != c.gets->type || part->count > has || part->from > has - part->count ||
        part->count > gets || part->to > gets - part->count ||
        (tracks && part->from != part->to))
        return cause_set(cause, ST_INVAL, "one of the disks has no such part");
    c.buf = malloc(tracks ? IMAGE_TRACK_BYTES_MAX : COPY_BLOCKS * IMAGE_BLOCK_BYTES);
    int rc = c.buf ? ST_OK : cause_set(cause, ST_NOMEM, "no memory");
    u32 n = 0;
    for (u64 u = 0; rc == ST_OK && u < part->count; u += n) {
        n = tracks ? 1 : part->count - u < COPY_BLOCKS ? (u32)(part->count - u) : COPY_BLOCKS;
        rc = atomic_load(stop) ? cause_set(cause, ST_REFUSED, "it was ended")
                               : copy_step(&c, part, u, n, cause);
    }
    free(c.buf);
    return rc ? rc : image_sync(to, cause);
}

int image_copy(struct image *from, struct image *to, atomic_bool *stop, struct cause *cause)
{
    const struct image_geometry *has = image_geometry(from), *gets = image_geometry(to);
    bool tracks = gets->tracks;
    u64 units = tracks ? gets->tracks : gets->blocks, step = tracks ? 1 : COPY_BLOCKS;
    if (has->type != gets->type || has->tracks > gets->tracks || has->blocks > gets->blocks)
        return cause_set(cause, ST_INVAL, "the other disk is smaller, or of another type");
    struct copying c = {from, to, has, gets, NULL};
    c.buf = malloc(tracks ? IMAGE_TRACK_BYTES_MAX : COPY_BLOCKS * IMAGE_BLOCK_BYTES);
    int rc = c.buf ? ST_OK : cause_set(cause, ST_NOMEM, "no memory");
    for (u64 u = 0; rc == ST_OK && u < units; u += step) {
        u32 n = (u32)(units - u < step ? units - u : step);
        if (atomic_load(stop))
            rc = cause_set(cause, ST_REFUSED, "it was ended");
        else
            rc = tracks ? copy_track(&c, (u32)u, cause) : copy_blocks(&c, u, n, cause);
    }
    free(c.buf);
    return rc ? rc : image_sync(to, cause);
}
