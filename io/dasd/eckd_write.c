/* Writing: data into records that are there, and records (the rest of the track goes). */
#include "io/dasd/eckd_internal.h"

static int done(struct eckd *d, int us)
{
    d->s.index_seen = 0;
    d->s.locate_first = 0;
    if (d->s.locate_count)
        d->s.locate_count--;
    return us;
}

static int may_write(struct eckd *d, struct dev_io *io, enum eckd_kind kind, bool r0)
{
    u8 mask = d->s.file_mask & MASK_WRITE;
    if (image_read_only(d->v->img))
        return eckd_check(d, io, SENSE_COMMAND_REJECT, SENSE1_WRITE_INHIBITED);
    bool allowed = mask != MASK_WRITE_NONE &&
                   (kind == ECKD_KIND_UPDATE || mask != MASK_WRITE_UPDATE) &&
                   (!r0 || mask != MASK_WRITE_NO_R0);
    return allowed ? eckd_in_domain(d, io, kind) : eckd_reject(d, io, MESSAGE_COMMAND);
}

/** In a domain the next record is written; else a search must just have found one. */
static bool oriented(const struct eckd *d)
{
    return d->s.locate_count || d->s.searched;
}

/* ---- update writes ---- */

static int write_record(struct eckd *d, struct dev_io *io)
{
    bool key = (dev_io_command(io) & (u8)~ECKD_MULTI_TRACK) == ECKD_WRITE_KD;
    bool here = d->s.orient == ORIENT_COUNT || (!key && d->s.orient == ORIENT_KEY);
    int us = may_write(d, io, ECKD_KIND_UPDATE, false);
    if (us == 0 && !oriented(d))
        us = eckd_reject(d, io, MESSAGE_SEQUENCE);
    if (us == 0 && !here && !d->s.locate_count)
        us = eckd_reject(d, io, MESSAGE_SEQUENCE);
    if (us == 0 && !here)
        us = eckd_next_record(d, io, dev_io_command(io) & ECKD_MULTI_TRACK, true);
    struct cached_track *t = us ? NULL : eckd_counts(d, io, &us);
    if (!t)
        return us;
    u8 *count = t->bytes + t->layout.offset[d->s.record];
    u8 *to = count + TRACK_COUNT_BYTES + (key ? 0 : count[5]);
    size_t len = (size_t)(count + track_record_bytes(count) - to);
    size_t got = dev_io_get(io, to, len);
    memset(to + got, 0, len - got);
    eckd_changed_data(d, t, (u32)(to - t->bytes), (u32)(to - t->bytes + len));
    d->s.orient = ORIENT_DATA;
    return done(d, be16_load(count + 6) ? DS_NORMAL : DS_NORMAL | DS_UNIT_EXCEPTION);
}

/* ---- format writes ---- */

/** Segments of the track that its records use, up to `records` of them; R0 has its own place. */
static u32 segments_used(const u8 *bytes, const struct track_layout *layout, u32 records)
{
    u32 sum = 0;
    for (u32 i = 1; i < records; i++) {
        const u8 *count = bytes + layout->offset[i];
        sum += track_segments(count[5], be16_load(count + 6));
    }
    return sum;
}

/** Where the record after the first `records` begins. */
static u32 end_of_records(const struct cached_track *t, u32 records)
{
    if (!records)
        return TRACK_HA_BYTES;
    u32 last = t->layout.offset[records - 1];
    return last + track_record_bytes(t->bytes + last);
}

/** Let the track end behind `records` records. */
static void cut(struct cached_track *t, u32 records)
{
    u32 at = end_of_records(t, records);
    memset(t->bytes + at, 0xff, TRACK_END_BYTES);
    t->layout.count = records;
    t->layout.len = at + TRACK_END_BYTES;
}

/** Take a record from the program and put it behind the first `records`; the rest goes. */
static int append(struct eckd *d, struct dev_io *io, struct cached_track *t, u32 records)
{
    u8 count[TRACK_COUNT_BYTES];
    if (dev_io_get(io, count, sizeof count) < sizeof count)
        return eckd_reject(d, io, MESSAGE_COUNT);
    if (!records && count[4])
        return eckd_reject(d, io, MESSAGE_PARAMETER); /* a track begins with record 0 */
    u32 len = track_record_bytes(count);
    u32 segments = records ? track_segments(count[5], be16_load(count + 6)) : 0;
    u32 at = end_of_records(t, records);
    if (records >= TRACK_RECORDS_MAX ||
        at + len + TRACK_END_BYTES > image_geometry(d->v->img)->track_bytes ||
        segments_used(t->bytes, &t->layout, records) + segments > TRACK_SEGMENTS_3390)
        return eckd_check(d, io, 0, SENSE1_TRACK_FORMAT);
    memcpy(t->bytes + at, count, sizeof count);
    size_t rest = len - sizeof count;
    size_t got = dev_io_get(io, t->bytes + at + sizeof count, rest);
    memset(t->bytes + at + sizeof count + got, 0, rest - got);
    t->layout.offset[records] = at;
    cut(t, records + 1);
    eckd_changed(d, t);
    d->s.record = (u16)records;
    d->s.orient = ORIENT_DATA;
    return 0;
}

static int write_r0(struct eckd *d, struct dev_io *io)
{
    int us = may_write(d, io, ECKD_KIND_FORMAT, true);
    if (us == 0 && !oriented(d))
        us = eckd_reject(d, io, MESSAGE_SEQUENCE);
    struct cached_track *t = us ? NULL : eckd_track(d, io, &us);
    if (!t)
        return us;
    us = append(d, io, t, 0);
    return us ? us : done(d, DS_NORMAL);
}

/** Behind the record the heads are at, or behind R0 of the next track. */
static int write_ckd(struct eckd *d, struct dev_io *io)
{
    bool next_track = dev_io_command(io) & ECKD_MULTI_TRACK;
    int us = may_write(d, io, ECKD_KIND_FORMAT, false);
    if (us == 0 && (!oriented(d) || (next_track && !d->s.locate_count)))
        us = eckd_reject(d, io, MESSAGE_SEQUENCE);
    if (us == 0 && next_track)
        us = eckd_next_track(d, io);
    struct cached_track *t = us ? NULL : eckd_track(d, io, &us);
    if (!t)
        return us;
    bool start = next_track || d->s.orient <= ORIENT_HA;
    us = append(d, io, t, start ? 1 : d->s.record + 1u);
    return us ? us : done(d, DS_NORMAL);
}

/** As write CKD, but the record is not written: the track ends here. */
static int erase(struct eckd *d, struct dev_io *io)
{
    u8 count[TRACK_COUNT_BYTES];
    int us = may_write(d, io, ECKD_KIND_FORMAT, false);
    if (us == 0 && !oriented(d))
        us = eckd_reject(d, io, MESSAGE_SEQUENCE);
    struct cached_track *t = us ? NULL : eckd_track(d, io, &us);
    if (!t)
        return us;
    dev_io_get(io, count, sizeof count);
    cut(t, d->s.orient <= ORIENT_HA ? 1 : d->s.record + 1u);
    eckd_changed(d, t);
    d->s.orient = ORIENT_DATA;
    d->s.record = (u16)(t->layout.count - 1);
    return done(d, DS_NORMAL);
}

/** Records from R0 to the end mark, as read track gives them; each command the next track. */
static int write_full_track(struct eckd *d, struct dev_io *io)
{
    u8 bytes[IMAGE_TRACK_BYTES_MAX];
    struct track_layout layout;
    struct cause why;
    int us = may_write(d, io, ECKD_KIND_FORMAT, true);
    if (us == 0 && (!d->s.locate_count || d->s.locate_extended != LOCATE_EXT_FULL_TRACK))
        us = eckd_reject(d, io, MESSAGE_SEQUENCE);
    if (us == 0 && !d->s.locate_first)
        us = eckd_next_track(d, io);
    struct cached_track *t = us ? NULL : eckd_track(d, io, &us);
    if (!t)
        return us;
    u32 room = image_geometry(d->v->img)->track_bytes;
    memcpy(bytes, t->bytes, TRACK_HA_BYTES);
    u32 len = TRACK_HA_BYTES;
    len += (u32)dev_io_get(io, bytes + len, room - len);
    if (track_scan(bytes, len, d->s.track, d->v->heads, &layout, &why) ||
        segments_used(bytes, &layout, layout.count) > TRACK_SEGMENTS_3390)
        return eckd_check(d, io, 0, SENSE1_TRACK_FORMAT);
    memcpy(t->bytes, bytes, layout.len);
    t->layout = layout;
    eckd_changed(d, t);
    d->s.record = (u16)(layout.count - 1);
    d->s.orient = ORIENT_DATA;
    return done(d, DS_NORMAL);
}

/** The data of one record after another, as read track data gives it, until the program has no
 *  more; a record that it has not all of ends in zeros. */
static int write_track_data(struct eckd *d, struct dev_io *io)
{
    int us = may_write(d, io, ECKD_KIND_UPDATE, false);
    if (us == 0 && (!d->s.locate_count || d->s.locate_extended != LOCATE_EXT_TRACK_DATA))
        us = eckd_reject(d, io, MESSAGE_SEQUENCE);
    if (us == 0 && !d->s.locate_first)
        us = eckd_next_track(d, io);
    if (us == 0 && d->s.orient != ORIENT_COUNT)
        us = eckd_next_record(d, io, false, true);
    struct cached_track *t = us ? NULL : eckd_counts(d, io, &us);
    if (!t)
        return us;
    for (u32 i = d->s.record; i < t->layout.count; i++) {
        u8 *count = t->bytes + t->layout.offset[i];
        u8 *to = count + TRACK_COUNT_BYTES + count[5];
        size_t len = be16_load(count + 6);
        size_t got = dev_io_get(io, to, len);
        if (len && !got)
            break;
        memset(to + got, 0, len - got);
        d->s.record = (u16)i;
        eckd_changed_data(d, t, (u32)(to - t->bytes), (u32)(to - t->bytes + len));
    }
    d->s.orient = ORIENT_DATA;
    return done(d, DS_NORMAL);
}

int eckd_write(struct eckd *d, struct dev_io *io)
{
    u8 command = dev_io_command(io);
    if (d->attempt)
        return DEV_ELSEWHERE; /* the host's page cache may let a write wait for the disk */
    if (command == ECKD_WRITE_FULL_TRACK)
        return write_full_track(d, io);
    if (command == ECKD_WRITE_TRACK_DATA)
        return write_track_data(d, io);
    switch (command & (u8)~ECKD_MULTI_TRACK) {
    case ECKD_WRITE_R0: return write_r0(d, io);
    case ECKD_WRITE_CKD: return write_ckd(d, io);
    case ECKD_ERASE: return erase(d, io);
    default: return write_record(d, io);
    }
}
