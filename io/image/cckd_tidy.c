/* Tracks of a running machine are written as they are, and packed when the image is quiet. Those
 * that still wait when it is closed are noted in its header; they, and what a writer that was
 * killed left, are looked for when it is written again.
 * Guarantee: an image that is written to and then left alone has no track that packing would make
 * shorter. */
#include <stdlib.h>

#include "io/image/cckd_internal.h"

#define NO_TRACK 0xffffffffu
#define LOOK_TRACKS 64u /* at once, with the image's lock */

/** Packing takes a millisecond, for which a running machine need not wait. */
bool cckd_packs_later(const struct image *img)
{
    struct cckd *c = img->format;
    if (!(img->flags & IMAGE_LIVE) || img->flags & IMAGE_SYNC ||
        c->header[CCKD_COMPRESSION] == CCKD_NONE || c->end > CCKD_UNPACKED_END)
        return false;
    if (!c->unpacked)
        c->unpacked = calloc(CCKD_UNPACKED_MAX, sizeof *c->unpacked);
    if (!c->queued)
        c->queued = calloc(img->geometry.tracks / 8 + 1, 1);
    return c->unpacked && c->queued && c->unpacked_count < CCKD_UNPACKED_MAX;
}

static void queue(struct cckd *c, u32 track)
{
    if (!c->unpacked || c->unpacked_count == CCKD_UNPACKED_MAX ||
        c->queued[track / 8] >> track % 8 & 1)
        return;
    c->queued[track / 8] |= (u8)(1 << track % 8);
    c->unpacked[(c->unpacked_first + c->unpacked_count++) % CCKD_UNPACKED_MAX] = track;
}

int cckd_write_unpacked(struct image *img, u32 track, const u8 *buf, u32 len,
                        struct cause *cause)
{
    struct cckd *c = img->format;
    int rc = cckd_put(img, track, buf, len, cause);
    if (rc)
        return rc;
    queue(c, track);
    cckd_note_as_is(c, track, true);
    return ST_OK;
}

void cckd_changes_in_place(struct cckd *c, u32 track)
{
    c->changed |= track == c->packing;
    queue(c, track);
}

void cckd_tidy_open(struct image *img)
{
    struct cckd *c = img->format;
    bool noted = be32_load(c->header + CCKD_UNPACKED_MARK) == CCKD_MARK || img->open_left;
    bool packs = c->header[CCKD_COMPRESSION] != CCKD_NONE;
    c->looked = noted && packs ? 0 : img->geometry.tracks;
    c->packing = NO_TRACK;
    if (img->flags & IMAGE_LIVE && packs)
        c->as_is = calloc(img->geometry.tracks / 8 + 1, 1); /* without it tracks move whole */
}

u32 cckd_backlog(const struct image *img)
{
    const struct cckd *c = img->format;
    return c->unpacked_count + (c->looked < img->geometry.tracks);
}

/** Its packed bytes go to new space; while they were made and written it may have changed. */
static void replace(struct image *img, u32 track, const struct cckd_entry *was, u32 syncs,
                    const u8 *packed, u32 len)
{
    struct cckd *c = img->format;
    struct cckd_entry e;
    struct cause cause;
    if (c->changed || !cckd_lies_at(img, track, was, syncs) ||
        cckd_place(img, packed, len, &e, &cause))
        return;
    if (!c->changed && cckd_lies_at(img, track, was, syncs))
        (void)cckd_point_to(img, track, &e, &cause);
    else
        cckd_give_up(c, &e);
}

/** Packs the track that lies at `was`; what fails is as it was, and can be read. */
static void repack(struct image *img, u32 track, const struct cckd_entry was, u8 *in, u8 *out)
{
    struct cckd *c = img->format;
    struct cause cause;
    u32 syncs = c->syncs;
    c->packing = track;
    c->changed = false;
    image_apart_begin(img);
    bool as_it_is =
        image_pread(img, 0, was.at, in, was.len, &cause) == ST_OK && in[0] == CCKD_NONE;
    image_apart_end(img);
    lock_drop(&img->lock);
    u32 packed = as_it_is ? cckd_pack(c, in, was.len, out) : was.len;
    lock_take(&img->lock);
    if (packed < was.len)
        replace(img, track, &was, syncs, out, packed);
    c->packing = NO_TRACK;
    const struct cckd_entry *e = cckd_entry_of(c, track);
    if (as_it_is && e && e->at == was.at && (c->changed || c->syncs != syncs))
        queue(c, track);
}

static const struct cckd_entry *somewhere(const struct cckd *c, u32 track)
{
    const struct cckd_entry *e = cckd_entry_of(c, track);
    return e && e->at && e->at != CCKD_NO_OFFSET ? e : NULL;
}

static void tidy_one(struct image *img, u32 track)
{
    const struct cckd_entry *e = somewhere(img->format, track);
    u8 *in = e ? malloc(2 * IMAGE_TRACK_BYTES_MAX) : NULL;
    if (in)
        repack(img, track, *e, in, in + IMAGE_TRACK_BYTES_MAX);
    free(in);
}

/** The next tracks of those that nobody has looked at, up to one that is not packed. */
static void look_on(struct image *img)
{
    struct cckd *c = img->format;
    for (u32 n = 0; n < LOOK_TRACKS && c->looked < img->geometry.tracks; n++) {
        u32 track = c->looked++;
        const struct cckd_entry *e = somewhere(c, track);
        u8 first = 0xff;
        if (!e || image_pread(img, 0, e->at, &first, 1, NULL) || first != CCKD_NONE)
            continue;
        tidy_one(img, track);
        return;
    }
}

void cckd_tidy(struct image *img)
{
    struct cckd *c = img->format;
    if (!c->unpacked_count) {
        look_on(img);
        return;
    }
    u32 track = c->unpacked[c->unpacked_first];
    c->unpacked_first = (c->unpacked_first + 1) % CCKD_UNPACKED_MAX;
    c->unpacked_count--;
    c->queued[track / 8] &= (u8) ~(1 << track % 8);
    tidy_one(img, track);
}

/** Somebody waits for the close: what is left then is noted. One that rests is left alone. */
int cckd_close_tidied(struct image *img, struct cause *cause)
{
    struct cckd *c = img->format;
    for (u32 i = 0; c->opened && c->unpacked_count && i < CCKD_CLOSE_PACKS_MAX; i++)
        cckd_tidy(img);
    return cckd_close(img, cause);
}
