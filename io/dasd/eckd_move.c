/* Where the heads are: seeks, searches, the next record. */
#include "io/dasd/eckd_internal.h"

static int file_protected(struct eckd *d, struct dev_io *io)
{
    return eckd_check(d, io, 0, SENSE1_FILE_PROTECTED);
}

int eckd_seek_to(struct eckd *d, struct dev_io *io, u32 track)
{
    if (track >= d->v->tracks)
        return eckd_reject(d, io, MESSAGE_PARAMETER);
    if (d->s.extent && (track < d->s.extent_first || track > d->s.extent_last))
        return file_protected(d, io);
    d->s.track = track;
    d->s.orient = ORIENT_INDEX;
    d->s.record = 0;
    d->s.searched = 0;
    return 0;
}

int eckd_next_track(struct eckd *d, struct dev_io *io)
{
    bool last = d->s.track % d->v->heads == d->v->heads - 1;
    if (d->s.file_mask & MASK_SEEK && (d->s.file_mask & MASK_SEEK) == MASK_SEEK_NONE)
        return file_protected(d, io);
    if (last && !d->s.locate_count && !d->s.extent)
        return eckd_check(d, io, 0, SENSE1_END_OF_CYLINDER);
    if (d->s.track + 1 >= d->v->tracks)
        return eckd_check(d, io, 0, SENSE1_END_OF_CYLINDER);
    return eckd_seek_to(d, io, d->s.track + 1);
}

/** Behind the last record: the index, seen twice without anything between, ends the search. */
static int pass_index(struct eckd *d, struct dev_io *io, bool multi)
{
    if (multi)
        return eckd_next_track(d, io);
    d->s.orient = ORIENT_INDEX;
    d->s.record = 0;
    if (++d->s.index_seen >= 2)
        return eckd_check(d, io, 0, SENSE1_NO_RECORD);
    return 0;
}

int eckd_next_record(struct eckd *d, struct dev_io *io, bool multi, bool skip_r0)
{
    for (;;) {
        int us = 0;
        struct cached_track *t = eckd_counts(d, io, &us);
        if (!t)
            return us;
        bool start = d->s.orient <= ORIENT_HA;
        u32 next = start ? 0 : d->s.record + 1u;
        if (next == 0 && skip_r0)
            next = 1;
        if (next < t->layout.count) {
            d->s.record = (u16)next;
            d->s.orient = ORIENT_COUNT;
            return 0;
        }
        u32 was = d->s.track;
        us = pass_index(d, io, multi);
        if (us)
            return us;
        /* Whole tracks without records are passed only so often. */
        if (was != d->s.track && d->s.track % d->v->heads == 0 && ++d->s.index_seen >= 2)
            return eckd_check(d, io, 0, SENSE1_NO_RECORD);
    }
}

/* ---- commands ---- */

int eckd_seek(struct eckd *d, struct dev_io *io)
{
    u8 address[6] = {0}; /* BB CC HH */
    u8 command = dev_io_command(io);
    u32 track;
    bool inhibited = (d->s.file_mask & MASK_SEEK) == MASK_SEEK_NONE;
    if (command == ECKD_RECALIBRATE) {
        if (d->s.mask_set && inhibited)
            return file_protected(d, io);
        int us = eckd_seek_to(d, io, 0);
        return us ? us : DS_NORMAL;
    }
    if (dev_io_get(io, address, sizeof address) < sizeof address)
        return eckd_reject(d, io, MESSAGE_COUNT);
    if ((d->s.mask_set || d->s.extent) && inhibited)
        return file_protected(d, io);
    if (command == ECKD_SEEK_HEAD) {
        u8 now[4];
        track_cchh(d->s.track, d->v->heads, now);
        address[2] = now[0];
        address[3] = now[1];
    }
    if (be16_load(address) || !track_of_cchh(address + 2, d->v->heads, &track))
        return eckd_reject(d, io, MESSAGE_PARAMETER);
    d->s.index_seen = 0;
    d->s.locate_count = 0;
    int us = eckd_seek_to(d, io, track);
    return us ? us : DS_NORMAL;
}

int eckd_set_file_mask(struct eckd *d, struct dev_io *io)
{
    u8 mask;
    if (d->s.mask_set || d->s.extent)
        return eckd_reject(d, io, MESSAGE_SEQUENCE);
    if (dev_io_get(io, &mask, 1) < 1)
        return eckd_reject(d, io, MESSAGE_COUNT);
    if (mask & 0x20)
        return eckd_reject(d, io, MESSAGE_PARAMETER);
    d->s.file_mask = mask;
    d->s.mask_set = 1;
    return DS_NORMAL;
}

/** Does the field meet the search's condition? A short argument compares what there is of it. */
static bool meets(u8 command, const u8 *field, const u8 *argument, size_t len)
{
    int order = memcmp(field, argument, len);
    switch (command & 0x60) {
    case 0x20: return order == 0;
    case 0x40: return order > 0;
    default: return order >= 0;
    }
}

static int search_ha(struct eckd *d, struct dev_io *io)
{
    u8 argument[4] = {0}, ha[4];
    size_t len = dev_io_get(io, argument, sizeof argument);
    if (dev_io_command(io) & ECKD_MULTI_TRACK && d->s.orient > ORIENT_INDEX) {
        int us = eckd_next_track(d, io);
        if (us)
            return us;
    } else if (d->s.orient >= ORIENT_HA && ++d->s.index_seen >= 2) {
        return eckd_check(d, io, 0, SENSE1_NO_RECORD);
    }
    track_cchh(d->s.track, d->v->heads, ha);
    d->s.orient = ORIENT_HA;
    return DS_NORMAL | (meets(0x20, ha, argument, len) ? DS_STATUS_MODIFIER : 0);
}

static int search_key(struct eckd *d, struct dev_io *io)
{
    u8 argument[256] = {0};
    int us = 0;
    size_t len = dev_io_get(io, argument, sizeof argument);
    if (d->s.orient != ORIENT_COUNT || d->s.record == 0)
        us = eckd_next_record(d, io, dev_io_command(io) & ECKD_MULTI_TRACK, true);
    struct cached_track *t = us ? NULL : eckd_track(d, io, &us);
    if (!t)
        return us;
    const u8 *count = t->bytes + t->layout.offset[d->s.record];
    d->s.orient = count[5] ? ORIENT_KEY : ORIENT_COUNT;
    len = len < count[5] ? len : count[5];
    bool found =
        count[5] && meets(dev_io_command(io), count + TRACK_COUNT_BYTES, argument, len);
    if (found)
        d->s.index_seen = 0;
    return DS_NORMAL | (found ? DS_STATUS_MODIFIER : 0);
}

static int search_id(struct eckd *d, struct dev_io *io)
{
    u8 argument[5] = {0};
    size_t len = dev_io_get(io, argument, sizeof argument);
    int us = eckd_next_record(d, io, dev_io_command(io) & ECKD_MULTI_TRACK, false);
    struct cached_track *t = us ? NULL : eckd_counts(d, io, &us);
    if (!t)
        return us;
    bool found =
        meets(dev_io_command(io), t->bytes + t->layout.offset[d->s.record], argument, len);
    if (found)
        d->s.index_seen = 0;
    return DS_NORMAL | (found ? DS_STATUS_MODIFIER : 0);
}

int eckd_search(struct eckd *d, struct dev_io *io)
{
    u8 command = dev_io_command(io) & (u8)~ECKD_MULTI_TRACK;
    d->s.searched = 1;
    if (command == ECKD_SEARCH_HA_EQUAL)
        return search_ha(d, io);
    return (command & 0x1f) == 0x09 ? search_key(d, io) : search_id(d, io);
}
