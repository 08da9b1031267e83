/* Parts of tracks of a CCKD image. A track that a running machine has written lies in the file as
 * it is until it is packed: its records are read and written there, like those of a raw image.
 * [P1] Only tracks that were written whole since the image was opened are written so: then its
 * tables are others than when a shadow was made over it, which would not know of the change.
 * [P2] A track that changes while it is being packed is packed once more. */
#include <stdlib.h>

#include "io/image/cckd_internal.h"

bool cckd_parts(const struct image *img, u32 track)
{
    const struct cckd *c = img->format;
    return c->as_is && atomic_load(&c->as_is[track / 8]) >> track % 8 & 1;
}

void cckd_note_as_is(struct cckd *c, u32 track, bool as_is)
{
    u8 bit = (u8)(1 << track % 8);
    if (c->as_is && as_is)
        atomic_fetch_or(&c->as_is[track / 8], bit);
    else if (c->as_is)
        atomic_fetch_and(&c->as_is[track / 8], (u8)~bit);
}

static int in_place(struct image *img, bool write, u32 track, u32 from, u8 *buf, u32 len,
                    struct cause *cause)
{
    struct cckd *c = img->format;
    u64 at = (u64)cckd_entry_of(c, track)->at + from;
    if (!write)
        return image_pread(img, 0, at, buf, len, cause);
    cckd_changes_in_place(c, track);
    return image_pwrite(img, 0, at, buf, len, cause);
}

int cckd_part(struct image *img, bool write, u32 track, u32 from, u8 *buf, u32 len,
              struct cause *cause)
{
    u32 whole;
    if (cckd_parts(img, track) && from + len <= cckd_entry_of(img->format, track)->len)
        return in_place(img, write, track, from, buf, len, cause);
    u8 *bytes = malloc(IMAGE_TRACK_BYTES_MAX);
    if (!bytes)
        return cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
    int rc = img->ops->read(img, track, bytes, &whole, cause);
    if (rc == ST_OK && from + len > whole)
        rc =
            cause_set(cause, ST_INVAL, "%s: track %u ends at byte %u", img->path, track, whole);
    if (rc == ST_OK && write) {
        memcpy(bytes + from, buf, len);
        rc = img->ops->write(img, track, bytes, whole, cause);
    } else if (rc == ST_OK) {
        memcpy(buf, bytes + from, len);
    }
    free(bytes);
    return rc;
}
