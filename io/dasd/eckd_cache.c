/* Tracks of the image that a device has in storage, a few of them, the least recently used goes
 * first. What other devices write to the volume goes when a channel program begins (eckd_claim).
 * [C1] Of a track that is not `whole` the count fields are here, and the data of the records in
 * `here`: it is a plain one (twelve records of 4096, as Linux formats them), which the volume knows
 * since it was read or written whole, and nobody else can have changed. */
#include <stdlib.h>

#include "io/dasd/eckd_internal.h"

#define PLAIN_RECORDS 12u /* and R0 */
#define PLAIN_DATA_BYTES 4096u
#define PLAIN_RECORD_BYTES (TRACK_COUNT_BYTES + PLAIN_DATA_BYTES)
#define PLAIN_FIRST_AT (TRACK_HA_BYTES + TRACK_R0_BYTES)
#define PLAIN_BYTES (PLAIN_FIRST_AT + PLAIN_RECORDS * PLAIN_RECORD_BYTES + TRACK_END_BYTES)

/* ---- plain tracks ---- */

/** The count field of record `r` of a plain track. */
static void plain_count(const struct eckd *d, u32 track, u32 r, u8 count[TRACK_COUNT_BYTES])
{
    track_cchh(track, d->v->heads, count);
    count[4] = (u8)r;
    count[5] = 0;
    be16_store(count + 6, r ? PLAIN_DATA_BYTES : 8);
}

static u32 plain_at(u32 r)
{
    return r ? PLAIN_FIRST_AT + (r - 1) * PLAIN_RECORD_BYTES : TRACK_HA_BYTES;
}

/** Are the count fields of records `first` to `last` those of a plain track? */
static bool plain_counts(const struct eckd *d, const struct cached_track *t, u32 first,
                         u32 last)
{
    u8 count[TRACK_COUNT_BYTES];
    for (u32 r = first; r <= last; r++) {
        plain_count(d, t->track, r, count);
        if (memcmp(t->bytes + plain_at(r), count, sizeof count) != 0)
            return false;
    }
    return true;
}

static bool is_plain(const struct eckd *d, const struct cached_track *t)
{
    static const u8 zeros[8];
    return t->layout.len == PLAIN_BYTES && t->layout.count == PLAIN_RECORDS + 1 &&
           plain_counts(d, t, 0, PLAIN_RECORDS) &&
           memcmp(t->bytes + TRACK_HA_BYTES + TRACK_COUNT_BYTES, zeros, sizeof zeros) == 0;
}

/** The whole track is as it is in the file: the volume notes whether it is plain. */
static void note(struct eckd *d, const struct cached_track *t, bool plain)
{
    _Atomic u8 *bits = d->v->plain;
    u8 bit = (u8)(1 << t->track % 8);
    if (bits && plain)
        atomic_fetch_or(&bits[t->track / 8], bit);
    else if (bits)
        atomic_fetch_and(&bits[t->track / 8], (u8)~bit);
}

/** Nobody else can change it, and has not since the device looked. */
static bool known_plain(const struct eckd *d, u32 track)
{
    return d->v->plain && image_has_parts(d->v->img, track) &&
           image_changes(d->v->img) == d->changes &&
           atomic_load(&d->v->plain[track / 8]) >> track % 8 & 1;
}

/** [C1] without the data of any record but R0. */
static void make_plain(struct eckd *d, struct cached_track *t, u32 track)
{
    t->track = track;
    t->bytes[0] = 0;
    track_cchh(track, d->v->heads, t->bytes + 1);
    memset(t->bytes + TRACK_HA_BYTES + TRACK_COUNT_BYTES, 0, 8);
    for (u32 r = 0; r <= PLAIN_RECORDS; r++) {
        plain_count(d, track, r, t->bytes + plain_at(r));
        t->layout.offset[r] = plain_at(r);
    }
    memset(t->bytes + PLAIN_BYTES - TRACK_END_BYTES, 0xff, TRACK_END_BYTES);
    t->layout.count = PLAIN_RECORDS + 1;
    t->layout.len = PLAIN_BYTES;
    t->here = 1;
    t->whole = false;
    t->valid = true;
}

static u32 mask_of(u32 first, u32 last)
{
    return (2u << last) - (1u << first);
}

/** Read records of a track that is not whole; *as_known false: it is not plain any more. */
static int read_records(struct eckd *d, struct cached_track *t, u32 first, u32 last,
                        bool *as_known, struct cause *cause)
{
    u32 from = plain_at(first), to = plain_at(last) + PLAIN_RECORD_BYTES;
    u8 *at = t->bytes + from;
    if (d->attempt && !image_try_part(d->v->img, t->track, from, at, to - from))
        return ST_BUSY;
    int rc =
        d->attempt ? ST_OK : image_read_part(d->v->img, t->track, from, at, to - from, cause);
    *as_known = rc || plain_counts(d, t, first, last);
    if (rc)
        return rc;
    t->here |= mask_of(first, last);
    trouble_well(&d->trouble, d->css, d->devno, false);
    return ST_OK;
}

/* ---- writing ---- */

/** Between the first and the last byte that changed all must be here. */
static int fill_gaps(struct eckd *d, struct cached_track *t, struct cause *cause)
{
    bool as_known = true;
    int rc = ST_OK;
    for (u32 r = 1; rc == ST_OK && as_known && r <= PLAIN_RECORDS && !t->whole; r++)
        if (!(t->here >> r & 1) && plain_at(r) > t->dirty_from && plain_at(r) < t->dirty_to)
            rc = read_records(d, t, r, r, &as_known, cause);
    return as_known ? rc
                    : cause_set(cause, ST_PROTO, "track %u: others have written it", t->track);
}

static int write_dirty(struct eckd *d, struct cached_track *t, struct cause *cause)
{
    if (t->dirty_all) {
        int rc = image_write_track(d->v->img, t->track, t->bytes, t->layout.len, cause);
        note(d, t, rc == ST_OK && is_plain(d, t));
        return rc;
    }
    int rc = fill_gaps(d, t, cause);
    return rc ? rc
              : image_write_part(d->v->img, t->track, t->dirty_from, t->bytes + t->dirty_from,
                                 t->dirty_to - t->dirty_from, cause);
}

static bool dirty(const struct cached_track *t)
{
    return t->valid && (t->dirty_all || t->dirty_from < t->dirty_to);
}

static void clean(struct cached_track *t)
{
    t->dirty_all = false;
    t->dirty_from = t->dirty_to = 0;
}

static int write_back(struct eckd *d, struct cached_track *t, struct cause *cause)
{
    if (!dirty(t))
        return ST_OK;
    int rc = write_dirty(d, t, cause);
    clean(t);
    eckd_wrote(d, t->track);
    if (rc) {
        t->valid = false;
        trouble_failed(&d->trouble, d->css, d->devno, true, cause);
    } else {
        trouble_well(&d->trouble, d->css, d->devno, true);
    }
    return rc;
}

int eckd_flush(struct eckd *d, struct cause *cause)
{
    int rc = ST_OK;
    bool wrote = false;
    for (unsigned i = 0; i < ECKD_TRACKS_CACHED; i++) {
        if (!d->cache[i] || !dirty(d->cache[i]))
            continue;
        wrote = true;
        int one = write_back(d, d->cache[i], cause);
        rc = rc ? rc : one;
    }
    if (rc == ST_OK && wrote) {
        rc = image_commit(d->v->img, cause);
        if (rc)
            trouble_failed(&d->trouble, d->css, d->devno, true, cause);
    }
    return rc;
}

void eckd_forget(struct eckd *d)
{
    for (unsigned i = 0; i < ECKD_TRACKS_CACHED; i++)
        if (d->cache[i]) {
            d->cache[i]->valid = false;
            clean(d->cache[i]);
        }
}

void eckd_forget_plain(struct eckd_volume *v)
{
    for (u32 i = 0; v->plain && i <= v->tracks / 8; i++)
        atomic_store(&v->plain[i], 0);
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
    t->dirty_all = true;
}

void eckd_changed_data(struct eckd *d, struct cached_track *t, u32 from, u32 to)
{
    if (d->s.record == 0)
        note(d, t, false); /* a plain one's has zeros */
    else if (d->s.record <= PLAIN_RECORDS)
        t->here |= 1u << d->s.record;
    if (t->whole && !image_has_parts(d->v->img, t->track)) {
        t->dirty_all = true;
        return;
    }
    bool none = t->dirty_from == t->dirty_to;
    t->dirty_from = none || from < t->dirty_from ? from : t->dirty_from;
    t->dirty_to = none || to > t->dirty_to ? to : t->dirty_to;
}

/* ---- reading ---- */

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
    if (d->attempt)
        return ST_BUSY;
    int rc = write_back(d, t, cause);
    t->valid = false;
    clean(t);
    if (rc == ST_OK)
        rc = image_read_track(d->v->img, track, t->bytes, &len, cause);
    if (rc == ST_OK)
        rc = track_scan(t->bytes, len, track, d->v->heads, &t->layout, cause);
    t->valid = t->whole = rc == ST_OK;
    t->track = track;
    note(d, t, t->valid && is_plain(d, t));
    if (rc == ST_OK)
        trouble_well(&d->trouble, d->css, d->devno, false);
    return rc;
}

/** The track, what is known of it without reading, if that is enough. */
static int get(struct eckd *d, struct cached_track *t, u32 track, bool whole,
               struct cause *cause)
{
    if (whole || !known_plain(d, track))
        return load(d, t, track, cause);
    int rc = write_back(d, t, cause);
    clean(t);
    if (rc == ST_OK)
        make_plain(d, t, track);
    return rc;
}

static struct cached_track *failed(struct eckd *d, struct dev_io *io, const struct cause *cause,
                                   int *us)
{
    *us = DEV_ELSEWHERE;
    if (d->attempt)
        return NULL;
    trouble_failed(&d->trouble, d->css, d->devno, false, cause);
    *us = eckd_check(d, io, SENSE_EQUIPMENT_CHECK, SENSE1_PERMANENT);
    return NULL;
}

static bool holds(const struct cached_track *t, u32 track)
{
    return t && t->valid && t->track == track;
}

/** The track as far as it is in storage; the one of the command before first, since what tells of
 *  each lies 64 KiB from the next and the host's cache has few places for such. */
static struct cached_track *cached(const struct eckd *d, u32 track)
{
    if (holds(d->last, track))
        return d->last;
    for (unsigned i = 0; i < ECKD_TRACKS_CACHED; i++)
        if (holds(d->cache[i], track))
            return d->cache[i];
    return NULL;
}

static struct cached_track *look_up(struct eckd *d, struct dev_io *io, bool whole, int *us)
{
    struct cached_track *t = cached(d, d->s.track);
    struct cause cause = {0};
    int rc = ST_OK;
    if (!t) {
        t = victim(d);
        rc = t ? get(d, t, d->s.track, whole, &cause)
               : cause_set(&cause, ST_NOMEM, "no memory for a track");
    } else if (whole && !t->whole) {
        rc = load(d, t, d->s.track, &cause);
    }
    if (rc)
        return failed(d, io, &cause, us);
    if (d->s.record >= t->layout.count && d->s.orient > ORIENT_HA) { /* [E2] others wrote it */
        *us = eckd_check(d, io, 0, SENSE1_NO_RECORD);
        return NULL;
    }
    t->used = ++d->uses;
    d->last = t;
    return t;
}

struct cached_track *eckd_track(struct eckd *d, struct dev_io *io, int *us)
{
    return look_up(d, io, true, us);
}

struct cached_track *eckd_counts(struct eckd *d, struct dev_io *io, int *us)
{
    return look_up(d, io, false, us);
}

/** Records `first` to `last`, as far as they are not here: what is dirty is not to be lost. */
static int read_missing(struct eckd *d, struct cached_track *t, u32 first, u32 last,
                        bool *as_known, struct cause *cause)
{
    int rc = ST_OK;
    for (u32 r = first, end; rc == ST_OK && *as_known && r <= last; r = end + 1) {
        end = r;
        if (t->here >> r & 1)
            continue;
        while (end < last && !(t->here >> (end + 1) & 1))
            end++;
        rc = read_records(d, t, r, end, as_known, cause);
    }
    return rc;
}

struct cached_track *eckd_records(struct eckd *d, struct dev_io *io, u32 bytes, int *us)
{
    struct cached_track *t = look_up(d, io, false, us);
    struct cause cause = {0};
    bool as_known = true;
    u32 first = d->s.record, more = (bytes + PLAIN_DATA_BYTES - 1) / PLAIN_DATA_BYTES;
    if (!t || t->whole || !more)
        return t;
    u32 last = first + more <= PLAIN_RECORDS ? first + more - (first > 0) : PLAIN_RECORDS;
    int rc = read_missing(d, t, first, last, &as_known, &cause);
    if (rc == ST_OK && !as_known)
        return look_up(d, io, true, us);
    return rc ? failed(d, io, &cause, us) : t;
}

struct cached_track *eckd_record(struct eckd *d, struct dev_io *io, int *us)
{
    u32 n = d->s.locate_count ? d->s.locate_count : 1;
    return d->s.record ? eckd_records(d, io, n * PLAIN_DATA_BYTES, us) : eckd_counts(d, io, us);
}
