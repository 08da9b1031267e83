/* A shadow is merged into the layer below it, in place. Its tracks are written there as any are: to
 * free space, then the table entry; so each is old or new at any moment.
 *
 *     made over it --mark--> being merged --tracks, host's sync, mark off--> merged, shadow removed
 *
 * [M1] While the mark is there the layer is opened below that shadow only, where its tracks do not
 * count or are the same: what is read is what it was before and will be afterwards. By itself it is
 * refused. [M2] The mark is on the host's disk before the first track, the tracks before it goes.
 * [M3] Beginning anew is going on: all tracks are written again. The mark tells which shadow it is
 * by the identity of its tables; of two with the same tables the other one's tracks would replace
 * them all, too. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/image/cckd_internal.h"

static bool being_merged(const struct image *img, u64 *with)
{
    const struct cckd *c = img->format;
    *with = be64_load(c->header + CCKD_MERGE_IDENTITY);
    return be32_load(c->header + CCKD_MERGE_MARK) == CCKD_MARK;
}

int cckd_states_check(struct image *img, struct cause *cause)
{
    const struct cckd *c = img->format;
    const struct image *below = img->below;
    u64 with;
    if (being_merged(img, &with) && !(img->flags & IMAGE_UNDER))
        return cause_set(cause, ST_PROTO,
                         "%s: a shadow is being merged into it: endicott dasd merge "
                         "%s,shadow=FILE ends that",
                         img->path, img->path);
    if (!below)
        return ST_OK;
    if (being_merged(below, &with)) /* [M1] */
        return with == img->identity && image_read_only(img)
                   ? ST_OK
                   : cause_set(cause, ST_PROTO, "%s: %s is being merged into it", below->path,
                               with == img->identity ? img->path : "another shadow");
    if (be32_load(c->header + CCKD_BELOW_MARK) == CCKD_MARK &&
        be64_load(c->header + CCKD_BELOW_IDENTITY) != below->identity)
        return cause_set(cause, ST_PROTO, "%s: %s is not what it was when this shadow was made",
                         img->path, below->path);
    return ST_OK;
}

static int mark(struct image *img, bool on, u64 with, struct cause *cause)
{
    struct cckd *c = img->format;
    int rc = image_sync(img, cause);
    if (rc == ST_OK)
        rc = cckd_begin_writing(img, cause);
    be32_store(c->header + CCKD_MERGE_MARK, on ? CCKD_MARK : 0);
    be64_store(c->header + CCKD_MERGE_IDENTITY, on ? with : 0);
    if (rc == ST_OK)
        rc = image_pwrite(img, 0, CCKD_HEADER_AT, c->header, sizeof c->header, cause);
    return rc ? rc : image_sync(img, cause);
}

/** Every track that the shadow has: read, and written below it if `write`. */
static int tracks(struct image *top, bool write, u8 *buf, struct image_merge *m,
                  struct cause *cause)
{
    u32 all = top->geometry.tracks, len;
    int rc = ST_OK;
    for (u32 t = 0; rc == ST_OK && t < all; t++) {
        if (cckd_holds(top, t)) {
            rc = image_read_track(top, t, buf, &len, cause);
            if (rc == ST_OK && write)
                rc = image_write_track(top->below, t, buf, len, cause);
            m->tracks += write;
        }
        if (m->progress)
            m->progress(write ? all + t + 1 : t + 1, 2 * all);
    }
    return rc;
}

/** What cannot be read is found before anything is written. */
static int merge(struct image *top, u8 *buf, struct image_merge *m, struct cause *cause)
{
    int rc = tracks(top, false, buf, m, cause);
    if (rc == ST_OK)
        rc = mark(top->below, true, top->identity, cause);
    if (rc == ST_OK)
        rc = tracks(top, true, buf, m, cause);
    if (rc == ST_OK)
        rc = mark(top->below, false, 0, cause);
    if (rc == ST_OK && !remote_named(top->path) && unlink(top->path))
        rc = cause_set(cause, ST_IO, "%s: is merged, and cannot be removed: %s", top->path,
                       strerror(errno));
    return rc;
}

int image_merge(const char *path, struct image_merge *m, struct cause *cause)
{
    struct image *top;
    int rc = image_open(path, IMAGE_READ_ONLY | IMAGE_MERGE, &top, cause);
    if (rc)
        return rc;
    u8 *buf = malloc(IMAGE_TRACK_BYTES_MAX);
    m->tracks = 0;
    if (!top->below)
        rc = cause_set(cause, ST_INVAL, "%s: no shadow: BASE,shadow=FILE", path);
    else if (!buf)
        rc = cause_set(cause, ST_NOMEM, "%s: no memory", path);
    else
        rc = merge(top, buf, m, cause);
    image_unref(top);
    free(buf);
    return rc;
}
