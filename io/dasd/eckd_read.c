/* Reading records and tracks. */
#include "io/dasd/eckd_internal.h"

/** A command of the domain is over. */
static int done(struct eckd *d, int us)
{
    d->s.index_seen = 0;
    d->s.locate_first = 0;
    if (d->s.locate_count)
        d->s.locate_count--;
    return us;
}

/** A record of no data is an end of file: unit exception. */
static int end_of(const u8 *count)
{
    return be16_load(count + 6) ? DS_NORMAL : DS_NORMAL | DS_UNIT_EXCEPTION;
}

/** On the count of the record that Read Data or Read Key and Data is about. */
static int to_record(struct eckd *d, struct dev_io *io, bool key)
{
    bool here = d->s.orient == ORIENT_COUNT || (!key && d->s.orient == ORIENT_KEY);
    if (here)
        return 0;
    return eckd_next_record(d, io, dev_io_command(io) & ECKD_MULTI_TRACK, true);
}

static int read_record(struct eckd *d, struct dev_io *io)
{
    u8 command = dev_io_command(io) & (u8)~ECKD_MULTI_TRACK;
    bool ckd = command == ECKD_READ_CKD, key = command != ECKD_READ;
    bool multi = dev_io_command(io) & ECKD_MULTI_TRACK;
    int us = ckd ? eckd_next_record(d, io, multi, true) : to_record(d, io, key);
    struct cached_track *t = us ? NULL : eckd_record(d, io, &us);
    if (!t)
        return us;
    const u8 *count = t->bytes + t->layout.offset[d->s.record];
    const u8 *from = count + (ckd ? 0 : TRACK_COUNT_BYTES + (key ? 0 : count[5]));
    dev_io_put(io, from, (size_t)(count + track_record_bytes(count) - from));
    d->s.orient = ORIENT_DATA;
    return done(d, end_of(count));
}

static int read_count(struct eckd *d, struct dev_io *io)
{
    int us = eckd_next_record(d, io, dev_io_command(io) & ECKD_MULTI_TRACK, true);
    struct cached_track *t = us ? NULL : eckd_track(d, io, &us);
    if (!t)
        return us;
    dev_io_put(io, t->bytes + t->layout.offset[d->s.record], TRACK_COUNT_BYTES);
    /* Counts alone do not end a search for a record: the index may be passed once. */
    u8 seen = d->s.index_seen;
    us = done(d, DS_NORMAL);
    d->s.index_seen = d->s.extent ? 0 : seen;
    return us;
}

/** Home address or record 0: from the index on, of the next track if it is multi-track. */
static int read_start(struct eckd *d, struct dev_io *io, bool ha)
{
    int us = 0;
    if (dev_io_command(io) & ECKD_MULTI_TRACK)
        us = eckd_next_track(d, io);
    struct cached_track *t = us ? NULL : eckd_track(d, io, &us);
    if (!t)
        return us;
    const u8 *r0 = t->bytes + t->layout.offset[0];
    d->s.record = 0;
    d->s.orient = ha ? ORIENT_HA : ORIENT_DATA;
    if (ha)
        dev_io_put(io, t->bytes, TRACK_HA_BYTES);
    else
        dev_io_put(io, r0, track_record_bytes(r0));
    return done(d, DS_NORMAL);
}

static int read_ipl(struct eckd *d, struct dev_io *io)
{
    if (dev_io_chained(io) && d->s.extent)
        return eckd_reject(d, io, MESSAGE_SEQUENCE);
    int us = eckd_seek_to(d, io, 0);
    if (us == 0)
        us = eckd_next_record(d, io, false, true);
    struct cached_track *t = us ? NULL : eckd_track(d, io, &us);
    if (!t)
        return us;
    const u8 *count = t->bytes + t->layout.offset[d->s.record];
    dev_io_put(io, count + TRACK_COUNT_BYTES + count[5], be16_load(count + 6));
    d->s.orient = ORIENT_DATA;
    d->s.index_seen = 0;
    return end_of(count);
}

/** The rest of the track, count, key and data of one record after another. */
static int read_multiple(struct eckd *d, struct dev_io *io)
{
    int us = eckd_next_record(d, io, false, true);
    struct cached_track *t = us ? NULL : eckd_track(d, io, &us);
    if (!t)
        return us;
    u32 from = t->layout.offset[d->s.record];
    dev_io_put(io, t->bytes + from, t->layout.len - TRACK_END_BYTES - from);
    d->s.record = (u16)(t->layout.count - 1);
    d->s.orient = ORIENT_DATA;
    return done(d, DS_NORMAL);
}

/** A whole track from record 0 to the end mark; each command of a domain the next track. */
static int read_track(struct eckd *d, struct dev_io *io)
{
    if (!d->s.locate_count || d->s.locate_operation != LOCATE_READ_TRACKS)
        return eckd_reject(d, io, MESSAGE_SEQUENCE);
    int us = d->s.locate_first ? 0 : eckd_next_track(d, io);
    struct cached_track *t = us ? NULL : eckd_track(d, io, &us);
    if (!t)
        return us;
    dev_io_put(io, t->bytes + TRACK_HA_BYTES, t->layout.len - TRACK_HA_BYTES);
    d->s.record = (u16)(t->layout.count - 1);
    d->s.orient = ORIENT_DATA;
    return done(d, DS_NORMAL);
}

/** The data of one record after another: from the one located, on further tracks from the first, to
 *  the end of the track; of the last track as many bytes as the transfer length says. */
static int read_track_data(struct eckd *d, struct dev_io *io)
{
    if (!d->s.locate_count || d->s.locate_operation != LOCATE_READ_TRACKS)
        return eckd_reject(d, io, MESSAGE_SEQUENCE);
    int us = d->s.locate_first ? 0 : eckd_next_track(d, io);
    if (us == 0 && d->s.orient != ORIENT_COUNT)
        us = eckd_next_record(d, io, false, true);
    bool limited = d->s.locate_count == 1 && d->s.locate_auxiliary & LOCATE_AUX_LENGTH;
    size_t left = limited ? d->s.locate_length : IMAGE_TRACK_BYTES_MAX;
    struct cached_track *t = us ? NULL : eckd_records(d, io, (u32)left, &us);
    if (!t)
        return us;
    for (u32 i = d->s.record; i < t->layout.count && left; i++) {
        const u8 *count = t->bytes + t->layout.offset[i];
        size_t len = be16_load(count + 6) < left ? be16_load(count + 6) : left;
        d->s.record = (u16)i;
        left -= len;
        if (dev_io_put(io, count + TRACK_COUNT_BYTES + count[5], len) < len)
            break;
    }
    d->s.orient = ORIENT_DATA;
    return done(d, DS_NORMAL);
}

int eckd_read(struct eckd *d, struct dev_io *io)
{
    u8 command = dev_io_command(io);
    int us = eckd_in_domain(d, io, ECKD_KIND_READ);
    if (us)
        return us;
    if (command == ECKD_READ_TRACK)
        return read_track(d, io);
    if (command == ECKD_READ_TRACK_DATA)
        return read_track_data(d, io);
    switch (command & (u8)~ECKD_MULTI_TRACK) {
    case ECKD_READ_IPL: return read_ipl(d, io);
    case ECKD_READ_COUNT: return read_count(d, io);
    case ECKD_READ_R0: return read_start(d, io, false);
    case ECKD_READ_HA: return read_start(d, io, true);
    case ECKD_READ_MULTIPLE: return read_multiple(d, io);
    default: return read_record(d, io);
    }
}
