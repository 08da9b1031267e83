/* A track image in storage: home address (flag, CC, HH), record 0, records, eight bytes of ones.
 * A record is a count field (CC HH R, key length, data length), its key, its data. This is what
 * Hercules' files hold, and what devices work on. */
#ifndef ENDICOTT_IO_IMAGE_TRACK_H
#define ENDICOTT_IO_IMAGE_TRACK_H

#include "mem/base/bytes.h"
#include "mem/base/status.h"

#define TRACK_HA_BYTES 5u
#define TRACK_COUNT_BYTES 8u
#define TRACK_END_BYTES 8u
#define TRACK_R0_BYTES 16u
#define TRACK_RECORDS_MAX 256u /* R0 included */
#define TRACK_HEADS_3390 15u

/** Formats of a track that was never written (CCKD gives them these numbers). */
enum track_null {
    TRACK_NULL_EOF = 0,   /* R0, an end-of-file record */
    TRACK_NULL_EMPTY = 1, /* R0 */
    TRACK_NULL_LINUX = 2, /* R0, twelve records of 4096 zeros */
};

struct track_layout {
    u32 offset[TRACK_RECORDS_MAX]; /* of each record's count field */
    u32 count;                     /* records, R0 included */
    u32 len;                       /* all of it, end mark included */
};

/** CC HH of a track; beyond cylinder 65535 the upper bits go into HH, as on EAVs. */
void track_cchh(u32 track, u32 heads, u8 cchh[4]);
/** The track of CC HH; false when the head does not exist. */
bool track_of_cchh(const u8 cchh[4], u32 heads, u32 *track);

static inline u32 track_record_bytes(const u8 *count)
{
    return TRACK_COUNT_BYTES + count[5] + be16_load(count + 6);
}

/** Find the records; `room` bytes may be looked at. ST_PROTO with what is wrong. */
int track_scan(const u8 *bytes, u32 room, u32 track, u32 heads, struct track_layout *out,
               struct cause *cause);
/** Make a track of a null format at `bytes`; returns its length. */
u32 track_make_null(enum track_null format, u32 track, u32 heads, u8 *bytes);
/** Append a record; returns the new length (the end mark is behind it). */
u32 track_append(u8 *bytes, u32 len, u8 record, u8 key_len, u16 data_len, const void *key,
                 const void *data);

/** Segments of a 3390 track that a record takes, of TRACK_SEGMENTS_3390. */
#define TRACK_SEGMENTS_3390 1729u
u32 track_segments(u32 key_len, u32 data_len);

/** Cylinders of a model name: "3390-3", or of "3390-A"/"3390" 0 (any number); -1: no such. */
long track_model_cylinders(const char *name);
/** The smallest 3390 with so many cylinders: "3390-9", and "3390-A" above those. */
const char *track_model_name(u32 cylinders);
#define TRACK_CYLINDERS_MAX 262668u

#endif
