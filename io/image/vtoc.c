/* The label in record 3 of track 0, and the DSCBs it leads to. Lengths and places of the fields:
 * z/OS DFSMSdfp Advanced Services (DSCB formats 1, 4 and 8), as Linux's vtoc.h has them, too. */
#include "io/image/vtoc.h"

#include <stdlib.h>

#include "io/ebcdic.h"
#include "io/image/track.h"

#define LABEL_RECORD 3
#define KEY_BYTES 44u
#define DSCB_BYTES 140u
#define ID_DATASET 0xf1     /* format 1 */
#define ID_DATASET_EAV 0xf8 /* format 8 */
#define ID_VTOC 0xf4        /* format 4 */
#define VTOC_TRACKS_MAX 10000u

/* Offsets in the 140 bytes of key and data. */
enum dscb_at { AT_ID = 44, AT_VTOC_EXTENT = 105, AT_EXTENTS = 59, AT_EXTENT = 105 };
#define EXTENT_BYTES 10u

struct reading {
    u8 *bytes;
    struct track_layout layout;
};

static int track_get(struct image *img, u32 track, struct reading *r, struct cause *cause)
{
    u32 len;
    const struct image_geometry *g = image_geometry(img);
    if (track >= g->tracks)
        return cause_set(cause, ST_NOENT, "%s: no track %u", image_path(img), track);
    int rc = image_read_track(img, track, r->bytes, &len, cause);
    return rc ? rc : track_scan(r->bytes, len, track, g->heads, &r->layout, cause);
}

static void text_get(const u8 *from, size_t len, char *out)
{
    char text[2 * KEY_BYTES + 1];
    size_t n = ebcdic_to_utf8(EBCDIC_037, from, len, text);
    while (n && text[n - 1] == ' ')
        n--;
    text[n] = 0;
    for (size_t i = 0; i <= len; i++)
        out[i] = i <= n ? text[i] : 0;
    out[len] = 0;
}

/** The label's 80 bytes, or NULL. Track 0 is in r. */
static const u8 *label_of(const struct reading *r)
{
    static const u8 vol1[4] = {0xe5, 0xd6, 0xd3, 0xf1};
    for (u32 i = 1; i < r->layout.count; i++) {
        const u8 *count = r->bytes + r->layout.offset[i];
        const u8 *data = count + TRACK_COUNT_BYTES + count[5];
        if (count[4] == LABEL_RECORD && be16_load(count + 6) >= 80 &&
            memcmp(data, vol1, sizeof vol1) == 0)
            return data;
    }
    return NULL;
}

int vtoc_volume(struct image *img, char out[VTOC_VOLUME_BYTES], struct cause *cause)
{
    struct reading r = {.bytes = malloc(IMAGE_TRACK_BYTES_MAX)};
    out[0] = 0;
    int rc = r.bytes ? track_get(img, 0, &r, cause) : cause_set(cause, ST_NOMEM, "no memory");
    const u8 *label = rc ? NULL : label_of(&r);
    if (label)
        text_get(label + 4, 6, out);
    free(r.bytes);
    return rc;
}

static void dataset(const u8 *dscb, u32 heads,
                    void (*visit)(void *arg, const struct vtoc_dataset *d), void *arg)
{
    struct vtoc_dataset d = {0};
    text_get(dscb, KEY_BYTES, d.name);
    for (u32 i = 0; i < VTOC_EXTENTS_MAX && i < dscb[AT_EXTENTS]; i++) {
        const u8 *x = dscb + AT_EXTENT + i * EXTENT_BYTES;
        if (!x[0] || !track_of_cchh(x + 2, heads, &d.extent[i].first) ||
            !track_of_cchh(x + 6, heads, &d.extent[i].last))
            break;
        d.extents++;
    }
    visit(arg, &d);
}

/** The DSCBs of one track; format 4 tells where the VTOC ends. */
static void dscbs(const struct reading *r, u32 heads, u32 *last,
                  void (*visit)(void *arg, const struct vtoc_dataset *d), void *arg)
{
    for (u32 i = 1; i < r->layout.count; i++) {
        const u8 *count = r->bytes + r->layout.offset[i];
        const u8 *dscb = count + TRACK_COUNT_BYTES;
        u32 end;
        if (count[5] != KEY_BYTES || be16_load(count + 6) != DSCB_BYTES - KEY_BYTES)
            continue;
        if (dscb[AT_ID] == ID_DATASET || dscb[AT_ID] == ID_DATASET_EAV)
            dataset(dscb, heads, visit, arg);
        else if (dscb[AT_ID] == ID_VTOC &&
                 track_of_cchh(dscb + AT_VTOC_EXTENT + 6, heads, &end))
            *last = end;
    }
}

int vtoc_each(struct image *img, void (*visit)(void *arg, const struct vtoc_dataset *d),
              void *arg, struct cause *cause)
{
    struct reading r = {.bytes = malloc(IMAGE_TRACK_BYTES_MAX)};
    u32 heads = image_geometry(img)->heads, first = 0;
    if (!r.bytes)
        return cause_set(cause, ST_NOMEM, "no memory");
    int rc = image_geometry(img)->tracks
                 ? track_get(img, 0, &r, cause)
                 : cause_set(cause, ST_NOENT, "%s: no CKD volume", image_path(img));
    const u8 *label = rc ? NULL : label_of(&r);
    if (rc == ST_OK && (!label || !track_of_cchh(label + 11, heads, &first) || !first))
        rc = cause_set(cause, ST_NOENT, "%s: no volume label that leads to a VTOC",
                       image_path(img));
    u32 last = first;
    for (u32 t = first; rc == ST_OK && t <= last && t - first < VTOC_TRACKS_MAX; t++) {
        rc = track_get(img, t, &r, cause);
        if (rc == ST_OK)
            dscbs(&r, heads, &last, visit, arg);
    }
    free(r.bytes);
    return rc;
}
