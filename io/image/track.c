/* Track images: scanning, making, and how much a 3390 track holds. Source: GA32-0274 (3990
 * Storage Control Reference) for the layout and the formula of the 3390's capacity. */
#include "io/image/track.h"

#define EAV_HEAD_BITS 4u
#define LINUX_RECORDS 12
#define LINUX_RECORD_BYTES 4096

void track_cchh(u32 track, u32 heads, u8 cchh[4])
{
    u32 cyl = track / heads, head = track % heads;
    be16_store(cchh, (u16)cyl);
    be16_store(cchh + 2, (u16)((cyl >> 16) << EAV_HEAD_BITS | head));
}

bool track_of_cchh(const u8 cchh[4], u32 heads, u32 *track)
{
    u32 hh = be16_load(cchh + 2);
    u32 head = hh & ((1u << EAV_HEAD_BITS) - 1);
    u32 cyl = (hh >> EAV_HEAD_BITS) << 16 | be16_load(cchh);
    *track = cyl * heads + head;
    return head < heads && cyl <= TRACK_CYLINDERS_MAX;
}

static bool is_end(const u8 *count)
{
    static const u8 ones[TRACK_END_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    return memcmp(count, ones, sizeof ones) == 0;
}

int track_scan(const u8 *bytes, u32 room, u32 track, u32 heads, struct track_layout *out,
               struct cause *cause)
{
    u8 cchh[4];
    track_cchh(track, heads, cchh);
    if (room < TRACK_HA_BYTES + TRACK_COUNT_BYTES + TRACK_END_BYTES)
        return cause_set(cause, ST_PROTO, "track %u: only %u bytes", track, room);
    if (bytes[0] || memcmp(bytes + 1, cchh, sizeof cchh) != 0)
        return cause_set(cause, ST_PROTO, "track %u: home address %02X %02X%02X %02X%02X",
                         track, bytes[0], bytes[1], bytes[2], bytes[3], bytes[4]);
    u32 at = TRACK_HA_BYTES;
    out->count = 0;
    for (;;) {
        if (room - at < TRACK_END_BYTES)
            return cause_set(cause, ST_PROTO, "track %u: no end mark", track);
        if (is_end(bytes + at))
            break;
        if (out->count == TRACK_RECORDS_MAX)
            return cause_set(cause, ST_PROTO, "track %u: over %u records", track,
                             TRACK_RECORDS_MAX);
        u32 n = track_record_bytes(bytes + at);
        if (n > room - at)
            return cause_set(cause, ST_PROTO, "track %u: record %u ends behind the track",
                             track, bytes[at + 4]);
        out->offset[out->count++] = at;
        at += n;
    }
    if (!out->count || bytes[TRACK_HA_BYTES + 4] != 0)
        return cause_set(cause, ST_PROTO, "track %u: does not begin with record 0", track);
    out->len = at + TRACK_END_BYTES;
    return ST_OK;
}

static u32 put_end(u8 *bytes, u32 at)
{
    memset(bytes + at, 0xff, TRACK_END_BYTES);
    return at + TRACK_END_BYTES;
}

u32 track_append(u8 *bytes, u32 len, u8 record, u8 key_len, u16 data_len, const void *key,
                 const void *data)
{
    u32 at = len - TRACK_END_BYTES;
    memcpy(bytes + at, bytes + 1, 4);
    bytes[at + 4] = record;
    bytes[at + 5] = key_len;
    be16_store(bytes + at + 6, data_len);
    at += TRACK_COUNT_BYTES;
    if (key)
        memcpy(bytes + at, key, key_len);
    else
        memset(bytes + at, 0, key_len);
    at += key_len;
    if (data)
        memcpy(bytes + at, data, data_len);
    else
        memset(bytes + at, 0, data_len);
    return put_end(bytes, at + data_len);
}

u32 track_make_null(enum track_null format, u32 track, u32 heads, u8 *bytes)
{
    bytes[0] = 0;
    track_cchh(track, heads, bytes + 1);
    u32 len = put_end(bytes, TRACK_HA_BYTES);
    len = track_append(bytes, len, 0, 0, 8, NULL, NULL);
    if (format == TRACK_NULL_EOF)
        len = track_append(bytes, len, 1, 0, 0, NULL, NULL);
    for (u8 r = 1; format == TRACK_NULL_LINUX && r <= LINUX_RECORDS; r++)
        len = track_append(bytes, len, r, 0, LINUX_RECORD_BYTES, NULL, NULL);
    return len;
}

static u32 ceil_div(u32 a, u32 b)
{
    return (a + b - 1) / b;
}

static u32 field_segments(u32 len)
{
    u32 chunks = ceil_div(len + 6, 232) + 1;
    return 9 + ceil_div(len + 6 * chunks, 34);
}

u32 track_segments(u32 key_len, u32 data_len)
{
    return 10 + field_segments(data_len) + (key_len ? field_segments(key_len) : 0);
}

static const struct model {
    const char *name;
    u32 cylinders;
} models[] = {
    {"3390-1", 1113},  {"3390-2", 2226},   {"3390-3", 3339},
    {"3390-9", 10017}, {"3390-27", 32760}, {"3390-54", 65520},
};

long track_model_cylinders(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(models); i++)
        if (strcmp(models[i].name, name) == 0)
            return (long)models[i].cylinders;
    return strcmp(name, "3390-A") == 0 || strcmp(name, "3390") == 0 ? 0 : -1;
}

const char *track_model_name(u32 cylinders)
{
    for (unsigned i = 0; i < ARRAY_LEN(models); i++)
        if (cylinders <= models[i].cylinders)
            return models[i].name;
    return "3390-A";
}
