/* Making a disk empty, track by track or some blocks at a time (erase.h). */
#include "io/image/erase.h"

#include <stdlib.h>

#include "io/image/track.h"

#define ERASE_BLOCKS 128u /* at a time */

/** Is anything on a track but its home address and record 0? Also when it cannot be read. */
static bool has_records(struct image *img, u32 track, u8 *buf)
{
    struct cause ignored;
    struct track_layout t;
    u32 len;
    return image_read_track(img, track, buf, &len, &ignored) ||
           track_scan(buf, len, track, image_geometry(img)->heads, &t, &ignored) || t.count > 1;
}

static int erase_track(struct image *img, u32 track, u8 *buf, struct cause *cause)
{
    if (!has_records(img, track, buf))
        return ST_OK;
    u32 len = track_make_null(TRACK_NULL_EMPTY, track, image_geometry(img)->heads, buf);
    return image_write_track(img, track, buf, len, cause);
}

static int erase_blocks(struct image *img, u64 block, u32 count, u8 *buf, struct cause *cause)
{
    struct cause ignored;
    size_t len = (size_t)count * IMAGE_BLOCK_BYTES;
    bool any = image_read_blocks(img, block, count, buf, &ignored);
    for (size_t i = 0; i < len && !any; i++)
        any = buf[i];
    if (!any)
        return ST_OK;
    memset(buf, 0, len);
    return image_write_blocks(img, block, count, buf, cause);
}

int image_erase(struct image *img, atomic_bool *stop, struct cause *cause)
{
    const struct image_geometry *g = image_geometry(img);
    u64 units = g->tracks ? g->tracks : g->blocks, step = g->tracks ? 1 : ERASE_BLOCKS;
    u8 *buf = malloc(g->tracks ? IMAGE_TRACK_BYTES_MAX : ERASE_BLOCKS * IMAGE_BLOCK_BYTES);
    int rc = buf ? ST_OK : cause_set(cause, ST_NOMEM, "no memory");
    for (u64 u = 0; rc == ST_OK && u < units && !atomic_load(stop); u += step)
        rc = g->tracks
                 ? erase_track(img, (u32)u, buf, cause)
                 : erase_blocks(img, u, (u32)(units - u < step ? units - u : step), buf, cause);
    free(buf);
    return rc;
}
