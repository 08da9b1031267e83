/* Tracks of the image that a device has in storage, a few of them, the least recently used goes
 * first. What other devices write to the volume goes when a channel program begins (eckd_claim). */
#include <stdlib.h>

#include "io/dasd/eckd_internal.h"
#include "mem/base/log.h"

static int write_back(struct eckd *d, struct cached_track *t, struct cause *cause)
{
    if (!t->valid || !t->dirty)
        return ST_OK;
    t->dirty = false;
    int rc = image_write_track(d->v->img, t->track, t->bytes, t->layout.len, cause);
    eckd_wrote(d, t->track);
    if (rc) {
        t->valid = false;
        log_line("disk %04X: %s", d->devno, cause->text);
    }
    return rc;
}

int eckd_flush(struct eckd *d, struct cause *cause)
{
    int rc = ST_OK;
    bool wrote = false;
    for (unsigned i = 0; i < ECKD_TRACKS_CACHED; i++) {
        if (!d->cache[i] || !d->cache[i]->dirty)
            continue;
        wrote = true;
        int one = write_back(d, d->cache[i], cause);
        rc = rc ? rc : one;
    }
    if (rc == ST_OK && wrote)
        rc = image_commit(d->v->img, cause);
    return rc;
}

void eckd_forget(struct eckd *d)
{
    for (unsigned i = 0; i < ECKD_TRACKS_CACHED; i++)
        if (d->cache[i])
            d->cache[i]->valid = d->cache[i]->dirty = false;
}

void eckd_forget_track(struct eckd *d, u32 track)
{
    for (unsigned i = 0; i < ECKD_TRACKS_CACHED; i++)
        if (d->cache[i] && d->cache[i]->track == track)
            d->cache[i]->valid = false;
}

void eckd_cache_free(struct eckd *d)
{
    for (unsigned i = 0; i < ECKD_TRACKS_CACHED; i++)
        free(d->cache[i]);
}

void eckd_changed(struct eckd *d, struct cached_track *t)
{
    (void)d;
    t->dirty = true;
}

/** An entry for another track: an unused one, else the one that was not used for longest. */
static struct cached_track *victim(struct eckd *d)
{
    struct cached_track *oldest = NULL;
    for (unsigned i = 0; i < ECKD_TRACKS_CACHED; i++) {
        if (!d->cache[i])
            d->cache[i] = calloc(1, sizeof *d->cache[i]);
        if (d->cache[i] && !d->cache[i]->valid)
            return d->cache[i];
        if (d->cache[i] && (!oldest || d->cache[i]->used < oldest->used))
            oldest = d->cache[i];
    }
    return oldest;
}

static int load(struct eckd *d, struct cached_track *t, u32 track, struct cause *cause)
{
    u32 len;
    int rc = write_back(d, t, cause);
    t->valid = false;
    if (rc == ST_OK)
        rc = image_read_track(d->v->img, track, t->bytes, &len, cause);
    if (rc == ST_OK)
        rc = track_scan(t->bytes, len, track, d->v->heads, &t->layout, cause);
    t->valid = rc == ST_OK;
    t->track = track;
    return rc;
}

struct cached_track *eckd_track(struct eckd *d, struct dev_io *io, int *us)
{
    struct cached_track *t = NULL;
    struct cause cause = {0};
    for (unsigned i = 0; i < ECKD_TRACKS_CACHED && !t; i++)
        if (d->cache[i] && d->cache[i]->valid && d->cache[i]->track == d->s.track)
            t = d->cache[i];
    if (!t) {
        t = victim(d);
        int rc = t ? load(d, t, d->s.track, &cause)
                   : cause_set(&cause, ST_NOMEM, "no memory for a track");
        if (rc) {
            log_line("disk %04X: %s", d->devno, cause.text);
            *us = eckd_check(d, io, SENSE_EQUIPMENT_CHECK, SENSE1_PERMANENT);
            return NULL;
        }
    }
    if (d->s.record >= t->layout.count && d->s.orient > ORIENT_HA) { /* [E2] others wrote it */
        *us = eckd_check(d, io, 0, SENSE1_NO_RECORD);
        return NULL;
    }
    t->used = ++d->uses;
    return t;
}
