/* The space of a CCKD file: what the tables use, what is free, what a close writes back.
 * Guarantee: at any moment the file's tables point to whole tracks [S2], so a writer that is
 * killed loses nothing it was told to be written; the list of free space in the file is not read:
 * it is what the tables leave over. */
#include <stdlib.h>

#include "io/image/cckd_internal.h"
#include "mem/base/ergo.h"

/** Take a place for used; *ok false: it cannot be, and image_check was told. */
static int used(struct image *img, u64 at, u64 len, u32 track, const char *what, bool *ok,
                struct cause *cause)
{
    struct cckd *c = img->format;
    *ok = false;
    if (at < CCKD_L1_AT + 4ull * c->l1_count || at > img->file[0].size ||
        len > img->file[0].size - at)
        return image_damage(img, track, cause, "%s %u lies at %llu, outside the file", what,
                            track, (unsigned long long)at);
    if (!spans_add(&c->pending, at, len)) /* the spans in use, for now */
        return image_damage(img, track, cause, "%s %u at %llu overlaps something else", what,
                            track, (unsigned long long)at);
    *ok = true;
    return ST_OK;
}

static int scan_entry(struct image *img, u32 track, struct cckd_entry *e, struct cause *cause)
{
    struct cckd *c = img->format;
    if (!e->at) {
        if (e->len <= TRACK_NULL_LINUX)
            return ST_OK;
        *e = (struct cckd_entry){.at = CCKD_NO_OFFSET};
        return image_damage(img, track, cause,
                            "level-2 table: track %u is null in an unknown format", track);
    }
    if (c->shadow && e->at == CCKD_NO_OFFSET && e->len)
        return ST_OK;
    if (e->at == CCKD_NO_OFFSET || e->len <= TRACK_HA_BYTES || e->size < e->len) {
        int rc = image_damage(img, track, cause,
                              "level-2 table: track %u at %08X, length %u, size %u", track,
                              e->at, e->len, e->size);
        *e = (struct cckd_entry){.at = CCKD_NO_OFFSET};
        return rc;
    }
    bool ok;
    int rc = used(img, e->at, e->size, track, "track", &ok, cause);
    if (ok)
        c->imbed += e->size - e->len;
    else
        *e = (struct cckd_entry){.at = CCKD_NO_OFFSET};
    return rc;
}

/** FNV-1a, 64 bits. */
static u64 hash(u64 sum, const u8 *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ bytes[i]) * 0x100000001b3ull;
    return sum;
}

/** A table that cannot be is none: its tracks are null. A repair says so in the file. */
static int lose_l2(struct image *img, u32 i, struct cause *cause)
{
    struct cckd *c = img->format;
    static const u8 none[4];
    c->l1[i] = 0;
    if (!(img->flags & IMAGE_REPAIR))
        return ST_OK;
    int rc = cckd_begin_writing(img, cause);
    return rc ? rc : image_pwrite(img, 0, CCKD_L1_AT + 4ull * i, none, sizeof none, cause);
}

static int scan_l2(struct image *img, u32 i, struct cause *cause)
{
    struct cckd *c = img->format;
    u8 raw[CCKD_L2_BYTES] = {0};
    bool ok;
    int rc = used(img, c->l1[i], CCKD_L2_BYTES, i, "level-2 table", &ok, cause);
    if (rc == ST_OK && !ok)
        return lose_l2(img, i, cause);
    if (rc == ST_OK)
        rc = image_pread(img, 0, c->l1[i], raw, sizeof raw, cause);
    img->identity = hash(img->identity, raw, sizeof raw);
    if (rc == ST_OK && !(c->l2[i] = calloc(1, sizeof *c->l2[i])))
        rc = cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
    for (u32 k = 0; rc == ST_OK && k < CCKD_L2_ENTRIES; k++) {
        const u8 *p = raw + k * CCKD_L2_ENTRY_BYTES;
        c->l2[i]->entry[k] = (struct cckd_entry){cckd_load32(c, p), cckd_load16(c, p + 4),
                                                 cckd_load16(c, p + 6)};
        rc = scan_entry(img, i * CCKD_L2_ENTRIES + k, &c->l2[i]->entry[k], cause);
    }
    return rc;
}

/** [S1]: what lies between the spans in use is free; the file ends behind the last of them. */
static bool free_from_used(struct cckd *c)
{
    struct spans in_use = c->pending;
    u64 at = CCKD_L1_AT + 4ull * c->l1_count;
    bool ok = true;
    c->pending = (struct spans){0};
    for (u32 i = 0; ok && i < in_use.count; i++) {
        ok = spans_add(&c->free, at, in_use.span[i].at - at);
        at = in_use.span[i].at + in_use.span[i].len;
    }
    c->end = at;
    spans_fini(&in_use);
    return ok;
}

int cckd_scan(struct image *img, struct cause *cause)
{
    struct cckd *c = img->format;
    u8 *raw = malloc(4ull * c->l1_count);
    c->l1 = calloc(c->l1_count, sizeof *c->l1);
    c->l2 = calloc(c->l1_count, sizeof(*c->l2));
    int rc = raw && c->l1 && c->l2
                 ? image_pread(img, 0, CCKD_L1_AT, raw, 4 * c->l1_count, cause)
                 : cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
    for (u32 i = 0; rc == ST_OK && i < c->l1_count; i++) {
        c->l1[i] = cckd_load32(c, raw + 4ull * i);
        if (c->l1[i] == CCKD_NO_OFFSET && !c->shadow)
            c->l1[i] = 0;
        if (c->l1[i] && c->l1[i] != CCKD_NO_OFFSET)
            rc = scan_l2(img, i, cause);
    }
    if (raw)
        img->identity = hash(img->identity, raw, 4ull * c->l1_count);
    free(raw);
    if (rc == ST_OK && !free_from_used(c))
        rc = cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
    return rc;
}

/** Space that waits for the host's disk is to be free again: in a while, or at once where much does
 *  or the file is nearly as long as it can be. */
static int make_free(struct image *img, struct cause *cause)
{
    struct cckd *c = img->format;
    if (c->pending.total <= CCKD_PENDING_MAX)
        return ST_OK;
    bool few = c->pending.total <= CCKD_PENDING_LIVE_MAX || img->syncing;
    bool soon = few && c->end < CCKD_UNPACKED_END;
    if (soon && image_flush_soon_locked(img))
        return ST_OK;
    return image_sync_locked(img, cause);
}

static int take_end(struct image *img, u64 len, u64 *at, struct cause *cause)
{
    struct cckd *c = img->format;
    if (c->end + len > CCKD_SIZE_MAX)
        return cause_set(cause, ST_LIMIT, "%s: would grow over 4 GiB", img->path);
    *at = c->end;
    c->end += len;
    return ST_OK;
}

int cckd_take(struct image *img, u64 *len, u64 *at, struct cause *cause)
{
    struct cckd *c = img->format;
    int rc = make_free(img, cause);
    if (rc)
        return rc;
    u64 wanted = *len;
    if (!spans_take(&c->free, len, CCKD_REST_MIN, at))
        return take_end(img, *len, at, cause);
    c->imbed += *len - wanted;
    return ST_OK;
}

int cckd_take_table(struct image *img, u64 *at, struct cause *cause)
{
    struct cckd *c = img->format;
    int rc = make_free(img, cause);
    if (rc)
        return rc;
    if (spans_take_exactly(&c->free, CCKD_L2_BYTES, CCKD_REST_MIN, at))
        return ST_OK;
    return take_end(img, CCKD_L2_BYTES, at, cause);
}

void cckd_give(struct cckd *c, u64 at, u64 len)
{
    /* Without memory the space is lost until the next open. */
    (void)spans_add(&c->pending, at, len);
}

void cckd_sync_begin(struct image *img)
{
    struct cckd *c = img->format;
    c->syncing = c->pending;
    c->pending = (struct spans){0};
}

/** What the host's disk no longer points to is free; if that failed, it is as it was. */
void cckd_sync_end(struct image *img, bool well)
{
    struct cckd *c = img->format;
    for (u32 i = 0; i < c->syncing.count; i++)
        if (!spans_add(well ? &c->free : &c->pending, c->syncing.span[i].at,
                       c->syncing.span[i].len))
            break;
    spans_fini(&c->syncing);
    c->syncs++;
}

int cckd_begin_writing(struct image *img, struct cause *cause)
{
    struct cckd *c = img->format;
    if (c->opened)
        return ST_OK;
    c->header[CCKD_OPTIONS] |= CCKD_OPT_OPENED | CCKD_OPT_WRITTEN;
    int rc = image_pwrite(img, 0, CCKD_HEADER_AT, c->header, sizeof c->header, cause);
    c->opened = rc == ST_OK;
    return rc;
}

/** The chain of free space, each piece with the place of the next and its own length. A piece that
 *  has no room for that is not in it: what lies behind such a piece is in use. */
static int write_chain(struct image *img, struct cause *cause)
{
    struct cckd *c = img->format;
    int rc = ST_OK;
    spans_drop_short(&c->free, CCKD_LINK_BYTES);
    for (u32 i = 0; rc == ST_OK && i < c->free.count; i++) {
        u8 raw[CCKD_LINK_BYTES];
        bool last = i + 1 == c->free.count;
        cckd_store32(c, raw, last ? 0 : (u32)c->free.span[i + 1].at);
        cckd_store32(c, raw + 4, (u32)c->free.span[i].len);
        rc = image_pwrite(img, 0, c->free.span[i].at, raw, sizeof raw, cause);
    }
    return rc;
}

static int write_totals(struct image *img, struct cause *cause)
{
    struct cckd *c = img->format;
    u8 *h = c->header;
    cckd_store32(c, h + CCKD_SIZE, (u32)c->end);
    cckd_store32(c, h + CCKD_USED, (u32)(c->end - c->free.total - c->imbed));
    cckd_store32(c, h + CCKD_FREE, c->free.count ? (u32)c->free.span[0].at : 0);
    cckd_store32(c, h + CCKD_FREE_TOTAL, (u32)(c->free.total + c->imbed));
    cckd_store32(c, h + CCKD_FREE_LARGEST, (u32)spans_largest(&c->free));
    cckd_store32(c, h + CCKD_FREE_NUMBER, c->free.count);
    cckd_store32(c, h + CCKD_FREE_IMBED, (u32)c->imbed);
    h[CCKD_OPTIONS] &= (u8)~CCKD_OPT_OPENED;
    return image_pwrite(img, 0, CCKD_HEADER_AT, h, DEVHDR_BYTES, cause);
}

/** The file is as a writer leaves it that closes it; the next write begins anew. */
int cckd_rest(struct image *img, struct cause *cause)
{
    struct cckd *c = img->format;
    if (!c->opened || image_read_only(img))
        return ST_OK;
    be32_store(c->header + CCKD_UNPACKED_MARK, cckd_backlog(img) ? CCKD_MARK : 0);
    int rc = image_sync_locked(img, cause);
    c->end = spans_cut(&c->free, c->end);
    if (rc == ST_OK)
        rc = image_truncate(img, 0, c->end, cause);
    if (rc == ST_OK)
        rc = write_chain(img, cause);
    if (rc == ST_OK)
        rc = write_totals(img, cause);
    c->opened = rc != ST_OK;
    return rc;
}

int cckd_close(struct image *img, struct cause *cause)
{
    struct cckd *c = img->format;
    int rc = cckd_rest(img, cause);
    for (u32 i = 0; c->l2 && i < c->l1_count; i++)
        free(c->l2[i]);
    free(c->l2);
    free(c->l1);
    free(c->scratch);
    free(c->unpacked);
    free(c->queued);
    free((void *)c->as_is);
    spans_fini(&c->free);
    spans_fini(&c->pending);
    return rc;
}

void cckd_figures(struct image *img, struct image_figures *out)
{
    const struct cckd *c = img->format;
    out->free_bytes = c->free.total + c->pending.total + c->syncing.total + c->imbed;
    out->used_bytes = c->end - out->free_bytes;
    out->free_spans = c->free.count;
    out->compression = c->header[CCKD_COMPRESSION];
}
