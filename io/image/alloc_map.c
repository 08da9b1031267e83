/* Allocation maps (alloc_map.h): bytes to values and back, and where they are on a volume. */
#include "io/image/alloc_map.h"

#include <stdlib.h>

#include "io/ebcdic.h"
#include "io/image/track.h"
#include "io/image/vtoc.h"

#define MAP_RECORD 4u
#define VTOC_RECORD 5u
#define LABEL_RECORD 3u
#define LABEL_BYTES 80u
#define MAP_BYTES_CKD 4096u
#define MAP_BLOCK 3u
#define MAP_BLOCKS 2u
#define LABEL_BLOCK 1u
#define DSCB_KEY_BYTES 44u
#define DSCB_DATA_BYTES 96u

/* In the label. */
#define AT_VOLUME 4u
#define AT_VTOC 11u /* CC HH R */
#define AT_CPVOL 46u

/* In the map. */
#define AT_COUNT 2u /* the first bit: a map of extents */
#define COUNT_EXTENTS 0x8000u
#define AT_MARK 4u /* whose layout */
#define AT_CLUSTER 16u
#define AT_SYSTEM 24u
#define AT_ENTRIES 32u
#define ENTRY_BYTES 12u
#define OWNER_CHARS 8u

_Static_assert(AT_ENTRIES + ALLOC_EXTENTS_MAX * ENTRY_BYTES <= MAP_BLOCKS * IMAGE_BLOCK_BYTES,
               "a map fits in two blocks");

static const struct {
    const char *name;
    u8 flag;
} types[ALLOC_TYPES] = {
    [ALLOC_PERM] = {"PERM", 0x20}, [ALLOC_TDSK] = {"TDSK", 0x10}, [ALLOC_SPOL] = {"SPOL", 0x08},
    [ALLOC_PAGE] = {"PAGE", 0x04}, [ALLOC_DRCT] = {"DRCT", 0x40}, [ALLOC_PARM] = {"PARM", 0x02},
};

const char *alloc_type_name(enum alloc_type type)
{
    return types[type].name;
}

bool alloc_type_find(const char *name, enum alloc_type *out)
{
    for (unsigned i = 0; i < ALLOC_TYPES; i++)
        if (strcmp(name, types[i].name) == 0) {
            *out = (enum alloc_type)i;
            return true;
        }
    return false;
}

u64 alloc_units(const struct image_geometry *g)
{
    return g->tracks ? g->cylinders : g->blocks / ALLOC_PAGE_BLOCKS;
}

/* ---- values and bytes ---- */

static bool text_is(const u8 *bytes, const char *text)
{
    u8 want[16];
    size_t n = strlen(text);
    ebcdic_pad(text, n, want);
    return memcmp(bytes, want, n) == 0;
}

static void owner_get(const u8 *bytes, char out[ALLOC_OWNER_BYTES])
{
    char text[2 * OWNER_CHARS + 1] = "";
    size_t n = ebcdic_to_utf8(EBCDIC_037, bytes, OWNER_CHARS, text);
    while (n && text[n - 1] == ' ')
        n--;
    n = n < OWNER_CHARS ? n : OWNER_CHARS;
    memcpy(out, text, n);
    out[n] = 0;
}

static int by_first(const void *a, const void *b)
{
    u32 x = ((const struct alloc_extent *)a)->first,
        y = ((const struct alloc_extent *)b)->first;
    return (x > y) - (x < y);
}

/** Put in order, and look at: all on the volume, none over another. */
static int settle(struct alloc_map *map, const struct image_geometry *g, struct cause *cause)
{
    u64 units = alloc_units(g);
    qsort(map->extent, map->count, sizeof map->extent[0], by_first);
    for (unsigned i = 0; i < map->count; i++) {
        const struct alloc_extent *x = &map->extent[i];
        const char *name = types[x->type].name;
        if (x->first > x->last || x->last >= units)
            return cause_set(cause, ST_INVAL,
                             "%s %u-%u is not on the volume, which ends at %llu", name,
                             x->first, x->last, (unsigned long long)units - 1);
        if (x->type == ALLOC_TDSK && !x->first)
            return cause_set(cause, ST_INVAL, "%s %u-%u: the label is there", name, x->first,
                             x->last);
        if (i && map->extent[i - 1].last >= x->first)
            return cause_set(cause, ST_INVAL, "%s %u-%u overlaps %s %u-%u", name, x->first,
                             x->last, types[map->extent[i - 1].type].name,
                             map->extent[i - 1].first, map->extent[i - 1].last);
    }
    return ST_OK;
}

static int type_of(u8 flag)
{
    for (unsigned i = 0; i < ALLOC_TYPES; i++)
        if (types[i].flag == flag)
            return (int)i;
    return -1;
}

/** `bytes` has room for two blocks at least. */
static int map_load(const u8 *bytes, const struct image_geometry *g, struct alloc_map *out,
                    struct cause *cause)
{
    u32 count = be16_load(bytes + AT_COUNT);
    if (!(count & COUNT_EXTENTS) || (count &= ~COUNT_EXTENTS) > ALLOC_EXTENTS_MAX ||
        !text_is(bytes + AT_MARK, "ENDICOTT"))
        return cause_set(cause, ST_PROTO, "the allocation map is of another layout");
    owner_get(bytes + AT_CLUSTER, out->cluster);
    owner_get(bytes + AT_SYSTEM, out->system);
    for (out->count = 0; out->count < count; out->count++) {
        const u8 *at = bytes + AT_ENTRIES + out->count * ENTRY_BYTES;
        int type = type_of(at[0]);
        if (type < 0)
            return cause_set(cause, ST_PROTO, "extent %u of the allocation map is of no type",
                             out->count);
        out->extent[out->count] =
            (struct alloc_extent){(enum alloc_type)type, be32_load(at + 4), be32_load(at + 8)};
    }
    return settle(out, g, cause) ? ST_PROTO : ST_OK;
}

static void map_store(const struct alloc_map *map, u8 *bytes)
{
    for (unsigned i = 0; i < map->count; i++) {
        u8 *at = bytes + AT_ENTRIES + i * ENTRY_BYTES;
        bytes[0] |= types[map->extent[i].type].flag;
        at[0] = types[map->extent[i].type].flag;
        be32_store(at + 4, map->extent[i].first);
        be32_store(at + 8, map->extent[i].last);
    }
    be16_store(bytes + AT_COUNT, (u16)(COUNT_EXTENTS | map->count));
    ebcdic_pad("ENDICOTT", 8, bytes + AT_MARK);
    ebcdic_pad(map->cluster, OWNER_CHARS, bytes + AT_CLUSTER);
    ebcdic_pad(map->system, OWNER_CHARS, bytes + AT_SYSTEM);
}

/* ---- CKD volumes ---- */

struct track0 {
    u8 *bytes;
    struct track_layout layout;
};

static int track0_get(struct image *img, struct track0 *t, struct cause *cause)
{
    u32 len;
    t->bytes = malloc(IMAGE_TRACK_BYTES_MAX);
    if (!t->bytes)
        return cause_set(cause, ST_NOMEM, "no memory");
    int rc = image_read_track(img, 0, t->bytes, &len, cause);
    return rc ? rc
              : track_scan(t->bytes, len, 0, image_geometry(img)->heads, &t->layout, cause);
}

/** Data of a record with so many bytes at least, or NULL. */
static u8 *record_data(const struct track0 *t, u32 number, u32 bytes)
{
    for (u32 i = 1; i < t->layout.count; i++) {
        u8 *count = t->bytes + t->layout.offset[i];
        if (count[4] == number && be16_load(count + 6) >= bytes)
            return count + TRACK_COUNT_BYTES + count[5];
    }
    return NULL;
}

static u8 *label_data(const struct track0 *t)
{
    u8 *label = record_data(t, LABEL_RECORD, LABEL_BYTES);
    return label && text_is(label, "VOL1") ? label : NULL;
}

static int ckd_read(struct image *img, struct alloc_map *out, struct cause *cause)
{
    struct track0 t = {0};
    int rc = track0_get(img, &t, cause);
    const u8 *label = rc ? NULL : label_data(&t);
    out->cp_volume = label && text_is(label + AT_CPVOL, "CPVOL");
    const u8 *map = out->cp_volume ? record_data(&t, MAP_RECORD, MAP_BYTES_CKD) : NULL;
    if (map)
        rc = map_load(map, image_geometry(img), out, cause);
    free(t.bytes);
    return rc;
}

static void count_dataset(void *arg, const struct vtoc_dataset *d)
{
    (void)d;
    ++*(unsigned *)arg;
}

/** What other systems find where the label leads them: a table of contents without space. */
static void vtoc_dscb(u8 dscb[DSCB_KEY_BYTES + DSCB_DATA_BYTES])
{
    memset(dscb, 0, DSCB_KEY_BYTES + DSCB_DATA_BYTES);
    memset(dscb, 0x04, DSCB_KEY_BYTES);
    dscb[DSCB_KEY_BYTES] = 0xf4;
    dscb[105] = 0x01; /* one extent: track 0 */
}

/** Track 0 anew: IPL records and label as they are, then map and table of contents. */
static u32 track0_make(const struct track0 *t, const u8 *map, u8 *out)
{
    u8 dscb[DSCB_KEY_BYTES + DSCB_DATA_BYTES];
    u32 len = track_make_null(TRACK_NULL_EMPTY, 0, TRACK_HEADS_3390, out);
    for (u32 i = 1; i < t->layout.count; i++) {
        const u8 *count = t->bytes + t->layout.offset[i];
        const u8 *key = count + TRACK_COUNT_BYTES;
        if (count[4] <= LABEL_RECORD)
            len = track_append(out, len, count[4], count[5], be16_load(count + 6), key,
                               key + count[5]);
    }
    vtoc_dscb(dscb);
    len = track_append(out, len, MAP_RECORD, 0, MAP_BYTES_CKD, NULL, map);
    return track_append(out, len, VTOC_RECORD, DSCB_KEY_BYTES, DSCB_DATA_BYTES, dscb,
                        dscb + DSCB_KEY_BYTES);
}

static int ckd_write(struct image *img, const struct alloc_map *map, struct cause *cause)
{
    struct track0 t = {0};
    unsigned datasets = 0;
    u8 *out = calloc(1, IMAGE_TRACK_BYTES_MAX), bytes[MAP_BYTES_CKD] = {0};
    struct cause why;
    int rc = out ? track0_get(img, &t, cause) : cause_set(cause, ST_NOMEM, "no memory");
    u8 *label = rc ? NULL : label_data(&t);
    if (rc == ST_OK && !label)
        rc = cause_set(cause, ST_INVAL, "it has no label: make it with --volume");
    if (rc == ST_OK)
        (void)vtoc_each(img, count_dataset, &datasets, &why);
    if (rc == ST_OK && datasets)
        rc = cause_set(cause, ST_INVAL, "it has %u data sets or partitions", datasets);
    if (rc == ST_OK) {
        memcpy(label + AT_VTOC, (u8[5]){0, 0, 0, 0, VTOC_RECORD}, 5);
        ebcdic_pad("CPVOL", 5, label + AT_CPVOL);
        map_store(map, bytes);
        rc = image_write_track(img, 0, out, track0_make(&t, bytes, out), cause);
    }
    free(t.bytes);
    free(out);
    return rc;
}

/* ---- FBA volumes ---- */

#define FIRST_BLOCKS (MAP_BLOCK + MAP_BLOCKS)

static int fba_read(struct image *img, struct alloc_map *out, struct cause *cause)
{
    u8 b[FIRST_BLOCKS * IMAGE_BLOCK_BYTES];
    if (image_geometry(img)->blocks < FIRST_BLOCKS)
        return ST_OK;
    int rc = image_read_blocks(img, 0, FIRST_BLOCKS, b, cause);
    const u8 *label = b + LABEL_BLOCK * IMAGE_BLOCK_BYTES;
    out->cp_volume = !rc && text_is(label, "VOL1") && text_is(label + AT_CPVOL, "CPVOL");
    return out->cp_volume
               ? map_load(b + MAP_BLOCK * IMAGE_BLOCK_BYTES, image_geometry(img), out, cause)
               : rc;
}

static int fba_write(struct image *img, const struct alloc_map *map, const char *volume,
                     struct cause *cause)
{
    u8 b[FIRST_BLOCKS * IMAGE_BLOCK_BYTES] = {0};
    u8 *label = b + LABEL_BLOCK * IMAGE_BLOCK_BYTES, *bytes = b + MAP_BLOCK * IMAGE_BLOCK_BYTES;
    if (image_geometry(img)->blocks < FIRST_BLOCKS)
        return cause_set(cause, ST_INVAL, "it is too small");
    int rc = image_read_blocks(img, 0, FIRST_BLOCKS, b, cause);
    bool labelled = text_is(label, "VOL1");
    if (rc == ST_OK && !labelled && !volume)
        rc = cause_set(cause, ST_INVAL, "it has no label: give it one with --volume");
    if (rc)
        return rc;
    if (!labelled) {
        ebcdic_pad("VOL1", LABEL_BYTES, label);
        ebcdic_pad(volume, 6, label + AT_VOLUME);
    }
    ebcdic_pad("CPVOL", 5, label + AT_CPVOL);
    memset(bytes, 0, MAP_BLOCKS * IMAGE_BLOCK_BYTES);
    map_store(map, bytes);
    return image_write_blocks(img, 0, FIRST_BLOCKS, b, cause);
}

/* ---- either ---- */

int alloc_map_read(struct image *img, struct alloc_map *out, struct cause *cause)
{
    *out = (struct alloc_map){0};
    int rc =
        image_geometry(img)->tracks ? ckd_read(img, out, cause) : fba_read(img, out, cause);
    if (rc)
        *out = (struct alloc_map){0};
    return rc;
}

int alloc_map_write(struct image *img, struct alloc_map *map, const char *volume,
                    struct cause *cause)
{
    int rc = settle(map, image_geometry(img), cause);
    if (rc)
        return rc;
    map->cp_volume = true;
    return image_geometry(img)->tracks ? ckd_write(img, map, cause)
                                       : fba_write(img, map, volume, cause);
}
