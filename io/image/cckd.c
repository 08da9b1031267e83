/* Hercules' compressed CKD images (CCKD, CKD_C370): tracks of any length found through tables of
 * two levels. A track is written to new space, then its table entry is changed. A shadow file
 * (CKD_S370) has the tracks that were written since; the others are read from the layer below it.
 * [O1] Tracks are read, written and packed without the image's lock, several at the same time: what
 * was read counts only if the track lies where it lay and no space became free meanwhile, to which
 * another may have been written. No two use one track at the same time (but the one that packs).
 * Source: Hercules' cckddasd.html, and files made by its dasdinit. */
#include <stdlib.h>

#include "io/image/cckd_internal.h"

struct cckd_entry *cckd_entry_of(const struct cckd *c, u32 track)
{
    struct cckd_l2 *l2 = c->l2[track / CCKD_L2_ENTRIES];
    return l2 ? &l2->entry[track % CCKD_L2_ENTRIES] : NULL;
}

static int unpack_from(struct image *img, u32 track, const struct cckd_entry *e, u8 *buf,
                       u32 *len, struct cause *cause)
{
    struct track_layout layout;
    int rc = image_pread(img, 0, e->at, buf, e->len, cause);
    u8 *in = rc == ST_OK && buf[0] != CCKD_NONE ? malloc(e->len) : NULL;
    *len = e->len;
    if (rc == ST_OK && in) {
        memcpy(in, buf, e->len);
        rc = cckd_unpack(in, e->len, track, buf, len, cause);
    } else if (rc == ST_OK && buf[0] != CCKD_NONE) {
        rc = cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
    }
    free(in);
    if (rc == ST_OK)
        rc = track_scan(buf, *len, track, img->geometry.heads, &layout, cause);
    if (rc == ST_OK)
        *len = layout.len;
    return rc;
}

bool cckd_lies_at(const struct image *img, u32 track, const struct cckd_entry *e, u32 syncs)
{
    const struct cckd *c = img->format;
    const struct cckd_entry *now = cckd_entry_of(c, track);
    return now && now->at == e->at && now->len == e->len && c->syncs == syncs;
}

/** [O1]. False: the track was moved meanwhile. */
static bool read_apart(struct image *img, u32 track, u8 *buf, u32 *len, int *rc,
                       struct cause *cause)
{
    struct cckd *c = img->format;
    const struct cckd_entry e = *cckd_entry_of(c, track);
    u32 syncs = c->syncs;
    if (e.at == CCKD_NO_OFFSET) {
        *rc = cause_set(cause, ST_LOST, "track %u: its level-2 entry is damaged", track);
        return true;
    }
    image_apart_begin(img);
    *rc = unpack_from(img, track, &e, buf, len, cause);
    image_apart_end(img);
    return cckd_lies_at(img, track, &e, syncs);
}

bool cckd_holds(const struct image *img, u32 track)
{
    const struct cckd *c = img->format;
    const struct cckd_entry *e = cckd_entry_of(c, track);
    bool below = e ? e->at == CCKD_NO_OFFSET && e->len
                   : c->l1[track / CCKD_L2_ENTRIES] == CCKD_NO_OFFSET;
    return !(c->shadow && below);
}

/** The layer below has a lock of its own, and is not held together with this one's. */
static int read_below(struct image *img, u32 track, u8 *buf, u32 *len, struct cause *cause)
{
    lock_drop(&img->lock);
    int rc = image_read_track(img->below, track, buf, len, cause);
    lock_take(&img->lock);
    return rc;
}

static int cckd_read(struct image *img, u32 track, u8 *buf, u32 *len, struct cause *cause)
{
    struct cckd *c = img->format;
    int rc;
    if (!cckd_holds(img, track))
        return read_below(img, track, buf, len, cause);
    for (const struct cckd_entry *e; (e = cckd_entry_of(c, track)) != NULL && e->at;)
        if (read_apart(img, track, buf, len, &rc, cause))
            return rc;
    const struct cckd_entry *e = cckd_entry_of(c, track);
    enum track_null format = e ? e->len : c->header[CCKD_NULL_FORMAT];
    *len = track_make_null(format, track, img->geometry.heads, buf);
    return ST_OK;
}

#define LINUX_TRACK_BYTES                                                                      \
    (TRACK_HA_BYTES + TRACK_COUNT_BYTES + 8 + 12 * (TRACK_COUNT_BYTES + 4096) + TRACK_END_BYTES)

/** Can the track be in the format? Most tracks that are written end here. */
static bool may_be_null(enum track_null format, const u8 *buf, u32 len)
{
    static const u8 zeros[4096];
    if (format != TRACK_NULL_LINUX)
        return len < 64;
    return len == LINUX_TRACK_BYTES &&
           memcmp(buf + len - TRACK_END_BYTES - 4096, zeros, 4096) == 0;
}

/** The null format that a track is in, or -1; `scratch` is used. */
static int null_format(const struct image *img, u32 track, const u8 *buf, u32 len, u8 *scratch)
{
    for (int f = TRACK_NULL_EOF; f <= TRACK_NULL_LINUX; f++)
        if (may_be_null((enum track_null)f, buf, len) &&
            track_make_null((enum track_null)f, track, img->geometry.heads, scratch) == len &&
            memcmp(scratch, buf, len) == 0)
            return f;
    return -1;
}

void cckd_give_up(struct cckd *c, const struct cckd_entry *e)
{
    c->imbed -= e->size - e->len;
    cckd_give(c, e->at, e->size);
}

int cckd_place(struct image *img, const u8 *bytes, u32 len, struct cckd_entry *e,
               struct cause *cause)
{
    u64 size = len, at;
    int rc = cckd_take(img, &size, &at, cause);
    if (rc)
        return rc;
    *e = (struct cckd_entry){(u32)at, (u16)len, (u16)size};
    rc = image_pwrite_apart(img, 0, at, bytes, len, cause);
    if (rc == ST_OK && img->flags & IMAGE_SYNC)
        rc = image_sync_locked(img, cause); /* the data before what points to it */
    if (rc)
        cckd_give_up(img->format, e);
    return rc;
}

static void store_entry(const struct cckd *c, const struct cckd_entry *e, u8 *p)
{
    cckd_store32(c, p, e->at);
    cckd_store16(c, p + 4, e->len);
    cckd_store16(c, p + 6, e->size);
}

/** A table of level 2 where there was none, with one entry that is not null. */
static int new_table(struct image *img, u32 track, const struct cckd_entry *e,
                     struct cause *cause)
{
    struct cckd *c = img->format;
    u32 i = track / CCKD_L2_ENTRIES;
    u8 raw[CCKD_L2_BYTES], word[4];
    struct cckd_l2 *l2 = calloc(1, sizeof *l2);
    u64 at = 0;
    if (!l2)
        return cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
    struct cckd_entry none = {0, c->header[CCKD_NULL_FORMAT], c->header[CCKD_NULL_FORMAT]};
    if (c->shadow && c->l1[i] == CCKD_NO_OFFSET)
        none = (struct cckd_entry){CCKD_NO_OFFSET, 0xffff, 0xffff};
    for (u32 k = 0; k < CCKD_L2_ENTRIES; k++)
        l2->entry[k] = none;
    l2->entry[track % CCKD_L2_ENTRIES] = *e;
    for (u32 k = 0; k < CCKD_L2_ENTRIES; k++)
        store_entry(c, &l2->entry[k], raw + k * CCKD_L2_ENTRY_BYTES);
    int rc = cckd_take_table(img, &at, cause);
    if (rc == ST_OK)
        rc = image_pwrite(img, 0, at, raw, sizeof raw, cause);
    cckd_store32(c, word, (u32)at);
    if (rc == ST_OK)
        rc = image_pwrite(img, 0, CCKD_L1_AT + 4ull * i, word, sizeof word, cause);
    if (rc) {
        if (at)
            cckd_give(c, at, CCKD_L2_BYTES);
        free(l2);
        return rc;
    }
    c->l1[i] = (u32)at;
    c->l2[i] = l2;
    return ST_OK;
}

static int point_to(struct image *img, u32 track, const struct cckd_entry *e,
                    struct cause *cause)
{
    struct cckd *c = img->format;
    struct cckd_entry *now = cckd_entry_of(c, track);
    u8 raw[CCKD_L2_ENTRY_BYTES];
    if (!now)
        return new_table(img, track, e, cause);
    store_entry(c, e, raw);
    u64 at =
        c->l1[track / CCKD_L2_ENTRIES] + (u64)(track % CCKD_L2_ENTRIES) * CCKD_L2_ENTRY_BYTES;
    int rc = image_pwrite(img, 0, at, raw, sizeof raw, cause);
    if (rc)
        return rc;
    if (now->at && now->at != CCKD_NO_OFFSET) {
        c->imbed -= now->size - now->len;
        cckd_give(c, now->at, now->size);
    }
    *now = *e;
    cckd_note_as_is(c, track, false);
    return ST_OK;
}

int cckd_point_to(struct image *img, u32 track, const struct cckd_entry *e, struct cause *cause)
{
    int rc = point_to(img, track, e, cause);
    if (rc)
        cckd_give_up(img->format, e);
    return rc;
}

int cckd_put(struct image *img, u32 track, const u8 *bytes, u32 len, struct cause *cause)
{
    struct cckd_entry e;
    int rc = cckd_place(img, bytes, len, &e, cause);
    return rc ? rc : cckd_point_to(img, track, &e, cause);
}

static int write_packed(struct image *img, u32 track, const u8 *buf, u32 len,
                        struct cause *cause)
{
    u8 *packed = malloc(len);
    if (!packed)
        return cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
    lock_drop(&img->lock);
    u32 packed_len = cckd_pack(img->format, buf, len, packed);
    lock_take(&img->lock);
    int rc = cckd_put(img, track, packed, packed_len, cause);
    free(packed);
    return rc;
}

static int cckd_write(struct image *img, u32 track, const u8 *buf, u32 len, struct cause *cause)
{
    struct cckd *c = img->format;
    struct cckd_entry e = {0};
    int rc = cckd_begin_writing(img, cause);
    if (rc)
        return rc;
    int null = null_format(img, track, buf, len, c->scratch);
    if (null >= 0) {
        e.len = e.size = (u16)null;
        return point_to(img, track, &e, cause);
    }
    if (cckd_packs_later(img))
        return cckd_write_unpacked(img, track, buf, len, cause);
    return write_packed(img, track, buf, len, cause);
}

static const struct image_ops cckd_ops = {
    .format = IMAGE_CCKD,
    .read = cckd_read,
    .write = cckd_write,
    .part = cckd_part,
    .parts = cckd_parts,
    .sync_begin = cckd_sync_begin,
    .sync_end = cckd_sync_end,
    .backlog = cckd_backlog,
    .tidy = cckd_tidy,
    .rest = cckd_rest,
    .close = cckd_close_tidied,
    .figures = cckd_figures,
};

static int header_damage(struct image *img, struct cause *cause, const char *what, u32 value)
{
    return cause_set(cause, ST_PROTO, "%s: damaged compressed header: %s %u", img->path, what,
                     value);
}

static int header_check(struct image *img, struct cause *cause)
{
    struct cckd *c = img->format;
    const u8 *h = c->header;
    u32 cylinders = le32_load(h + CCKD_CYLINDERS);
    c->big_endian = h[CCKD_OPTIONS] & CCKD_OPT_BIG_ENDIAN;
    c->l1_count = cckd_load32(c, h + CCKD_L1_COUNT);
    if (!cylinders || cylinders > TRACK_CYLINDERS_MAX)
        return header_damage(img, cause, "cylinders", cylinders);
    img->geometry.cylinders = cylinders;
    img->geometry.tracks = cylinders * img->geometry.heads;
    u32 tables = (img->geometry.tracks + CCKD_L2_ENTRIES - 1) / CCKD_L2_ENTRIES;
    if (c->l1_count < tables || c->l1_count > tables + 1) /* some writers add one */
        return header_damage(img, cause, "entries of the level-1 table", c->l1_count);
    if (cckd_load32(c, h + CCKD_L2_COUNT) != CCKD_L2_ENTRIES)
        return header_damage(img, cause, "entries of a level-2 table",
                             cckd_load32(c, h + CCKD_L2_COUNT));
    if (h[CCKD_NULL_FORMAT] > TRACK_NULL_LINUX)
        return header_damage(img, cause, "null track format", h[CCKD_NULL_FORMAT]);
    if (h[CCKD_COMPRESSION] > CCKD_BZIP2)
        return header_damage(img, cause, "compression", h[CCKD_COMPRESSION]);
    return ST_OK;
}

/** A shadow file needs the layer it was made over. */
static int layers_check(struct image *img, struct cause *cause)
{
    struct cckd *c = img->format;
    if (!c->shadow)
        return img->below ? cause_set(cause, ST_PROTO, "%s: not a shadow file", img->path)
                          : ST_OK;
    if (!img->below)
        return cause_set(cause, ST_PROTO,
                         "%s: a shadow file; name what it shadows: BASE,shadow=%s", img->path,
                         img->path);
    if (img->below->geometry.cylinders != img->geometry.cylinders)
        return cause_set(cause, ST_PROTO, "%s: has %u cylinders, %s below it %u", img->path,
                         img->geometry.cylinders, img->below->path,
                         img->below->geometry.cylinders);
    return ST_OK;
}

int cckd_open(struct image *img, const u8 head[DEVHDR_BYTES], struct cause *cause)
{
    struct cckd *c = calloc(1, sizeof *c);
    img->format = c;
    if (c)
        c->scratch = malloc(IMAGE_TRACK_BYTES_MAX);
    int rc = c && c->scratch ? ckd_header(img, head, cause)
                             : cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
    if (rc == ST_OK)
        rc = image_pread(img, 0, CCKD_HEADER_AT, c->header, sizeof c->header, cause);
    if (rc == ST_OK)
        rc = header_check(img, cause);
    if (rc == ST_OK) {
        c->shadow = memcmp(head, "CKD_S370", DEVID_BYTES) == 0;
        rc = layers_check(img, cause);
    }
    if (rc == ST_OK) {
        img->open_left = c->header[CCKD_OPTIONS] & CCKD_OPT_OPENED;
        rc = cckd_scan(img, cause);
    }
    if (rc == ST_OK)
        rc = cckd_states_check(img, cause);
    if (rc != ST_OK) {
        if (c)
            cckd_close(img, NULL); /* c->opened is not set: it only frees */
        return rc;
    }
    c->opened = img->open_left;
    cckd_tidy_open(img);
    img->ops = &cckd_ops;
    return rc;
}

int cckd_format(struct image *img, const struct image_create *what, struct cause *cause)
{
    u8 head[CCKD_L1_AT], entries[4096];
    const struct image *below = img->below;
    u8 *h = head + CCKD_HEADER_AT;
    u32 tracks = what->cylinders * TRACK_HEADS_3390;
    u32 tables = (tracks + CCKD_L2_ENTRIES - 1) / CCKD_L2_ENTRIES;
    u32 size = CCKD_L1_AT + 4 * tables;
    memset(entries, below ? 0xff : 0, sizeof entries);
    ckd_header_make(head, below ? "CKD_S370" : "CKD_C370");
    memset(h, 0, DEVHDR_BYTES);
    h[CCKD_VERSION + 1] = 3;
    h[CCKD_VERSION + 2] = 1;
    h[CCKD_OPTIONS] = CCKD_OPT_NOFUDGE;
    le32_store(h + CCKD_L1_COUNT, tables);
    le32_store(h + CCKD_L2_COUNT, CCKD_L2_ENTRIES);
    le32_store(h + CCKD_SIZE, size);
    le32_store(h + CCKD_USED, size);
    le32_store(h + CCKD_CYLINDERS, what->cylinders);
    h[CCKD_NULL_FORMAT] = what->linux_tracks ? TRACK_NULL_LINUX : TRACK_NULL_EMPTY;
    h[CCKD_COMPRESSION] = what->compress ? CCKD_ZLIB : CCKD_NONE;
    le16_store(h + CCKD_COMPRESSION_PARM, 0xffff);
    if (below) {
        be32_store(h + CCKD_BELOW_MARK, CCKD_MARK);
        be64_store(h + CCKD_BELOW_IDENTITY, below->identity);
    }
    int rc = image_pwrite(img, 0, 0, head, sizeof head, cause);
    for (u32 at = CCKD_L1_AT; rc == ST_OK && at < size; at += sizeof entries)
        rc = image_pwrite(img, 0, at, entries,
                          size - at < sizeof entries ? size - at : sizeof entries, cause);
    return rc;
}
