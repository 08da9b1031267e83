/* Hercules' compressed FBA images (FBA_C370), read only: groups of 120 blocks, found through the
 * tables of two levels of CCKD and packed as its tracks are, behind five bytes: how, and the
 * group's number. Sources: files made by Hercules' fba2cfba and dasdinit. */
#include <stdlib.h>

#include "io/image/cckd_internal.h"

#define GROUP_BLOCKS 120u
#define GROUP_BYTES (GROUP_BLOCKS * IMAGE_BLOCK_BYTES)
#define GROUP_FILE_BYTES (TRACK_HA_BYTES + GROUP_BYTES)
#define CFBA_BLOCKS CCKD_CYLINDERS /* of the header: little-endian as that */

/** Of img->format; the image's lock. */
struct cfba {
    struct cckd tables; /* its header, byte order, level-1 and level-2 tables */
    u32 groups;
    u32 group; /* in `bytes`, or ~0 */
    u8 packed[IMAGE_TRACK_BYTES_MAX];
    u8 bytes[IMAGE_TRACK_BYTES_MAX];
};

static struct cckd_entry entry_of(const struct cfba *c, u32 group)
{
    const struct cckd_l2 *l2 = c->tables.l2[group / CCKD_L2_ENTRIES];
    return l2 ? l2->entry[group % CCKD_L2_ENTRIES] : (struct cckd_entry){0};
}

static int group_damage(const struct image *img, u32 group, struct cause *cause,
                        const char *what)
{
    return cause_set(cause, ST_PROTO, "%s: blocks %llu to %llu: %s", img->path,
                     (unsigned long long)group * GROUP_BLOCKS,
                     (unsigned long long)group * GROUP_BLOCKS + GROUP_BLOCKS - 1, what);
}

static int group_unpack(struct image *img, u32 group, struct cckd_entry e, struct cause *cause)
{
    struct cfba *c = img->format;
    struct cause why = {0};
    u32 len = 0;
    int rc = image_pread(img, 0, e.at, c->packed, e.len, cause);
    if (rc)
        return rc;
    if (be32_load(c->packed + 1) != group)
        return group_damage(img, group, cause, "others are there");
    if (cckd_unpack(c->packed, e.len, group, c->bytes, &len, &why) != ST_OK)
        return group_damage(img, group, cause, why.text);
    return len == GROUP_FILE_BYTES ? ST_OK
                                   : group_damage(img, group, cause, "of a wrong length");
}

/** Have the group in `bytes`. */
static int group_load(struct image *img, u32 group, struct cause *cause)
{
    struct cfba *c = img->format;
    struct cckd_entry e = entry_of(c, group);
    if (c->group == group)
        return ST_OK;
    c->group = ~0u;
    int rc = ST_OK;
    if (e.at)
        rc = group_unpack(img, group, e, cause);
    else
        memset(c->bytes, 0, sizeof c->bytes);
    if (rc == ST_OK)
        c->group = group;
    return rc;
}

static int cfba_blocks(struct image *img, bool write, u64 block, u32 count, u8 *buf,
                       struct cause *cause)
{
    struct cfba *c = img->format;
    (void)write; /* such an image is read-only */
    for (; count; count--, block++, buf += IMAGE_BLOCK_BYTES) {
        int rc = group_load(img, (u32)(block / GROUP_BLOCKS), cause);
        if (rc)
            return rc;
        u32 at = (u32)(block % GROUP_BLOCKS) * IMAGE_BLOCK_BYTES;
        memcpy(buf, c->bytes + TRACK_HA_BYTES + at, IMAGE_BLOCK_BYTES);
    }
    return ST_OK;
}

static int cfba_close(struct image *img, struct cause *cause)
{
    struct cfba *c = img->format;
    (void)cause;
    for (u32 i = 0; c->tables.l2 && i < c->tables.l1_count; i++)
        free(c->tables.l2[i]);
    free(c->tables.l2);
    c->tables.l2 = NULL;
    return ST_OK; /* img->format is freed with the image */
}

static const struct image_ops cfba_ops = {
    .format = IMAGE_CFBA, .blocks = cfba_blocks, .close = cfba_close};

/* ---- opening ---- */

static int header_damage(struct image *img, struct cause *cause, const char *what, u32 value)
{
    return cause_set(cause, ST_PROTO, "%s: damaged compressed header: %s %u", img->path, what,
                     value);
}

static int header_check(struct image *img, struct cause *cause)
{
    struct cfba *c = img->format;
    struct cckd *t = &c->tables;
    u32 blocks = le32_load(t->header + CFBA_BLOCKS);
    t->big_endian = t->header[CCKD_OPTIONS] & CCKD_OPT_BIG_ENDIAN;
    t->l1_count = cckd_load32(t, t->header + CCKD_L1_COUNT);
    c->groups = (u32)(((u64)blocks + GROUP_BLOCKS - 1) / GROUP_BLOCKS);
    u32 tables = (c->groups + CCKD_L2_ENTRIES - 1) / CCKD_L2_ENTRIES;
    if (!blocks)
        return header_damage(img, cause, "blocks", blocks);
    if (t->l1_count < tables || t->l1_count > tables + 1 ||
        CCKD_L1_AT + 4ull * t->l1_count > img->file[0].size)
        return header_damage(img, cause, "entries of the level-1 table", t->l1_count);
    if (cckd_load32(t, t->header + CCKD_L2_COUNT) != CCKD_L2_ENTRIES)
        return header_damage(img, cause, "entries of a level-2 table",
                             cckd_load32(t, t->header + CCKD_L2_COUNT));
    img->geometry = (struct image_geometry){.type = 0x9336, .blocks = blocks};
    return ST_OK;
}

static int entry_check(struct image *img, u32 group, const struct cckd_entry *e,
                       struct cause *cause)
{
    const struct cfba *c = img->format;
    u64 tables_end = CCKD_L1_AT + 4ull * c->tables.l1_count;
    if (!e->at || group >= c->groups)
        return ST_OK;
    if (e->at < tables_end || (u64)e->at + e->len > img->file[0].size ||
        e->len <= TRACK_HA_BYTES || e->len > GROUP_FILE_BYTES)
        return group_damage(img, group, cause, "the level-2 entry is damaged");
    return ST_OK;
}

static int table_load(struct image *img, u32 i, u32 at, struct cause *cause)
{
    struct cfba *c = img->format;
    u8 raw[CCKD_L2_BYTES];
    struct cckd_l2 *l2 = calloc(1, sizeof *l2);
    if (!l2)
        return cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
    c->tables.l2[i] = l2;
    int rc = image_pread(img, 0, at, raw, sizeof raw, cause);
    for (u32 k = 0; rc == ST_OK && k < CCKD_L2_ENTRIES; k++) {
        const u8 *p = raw + k * CCKD_L2_ENTRY_BYTES;
        l2->entry[k] =
            (struct cckd_entry){cckd_load32(&c->tables, p), cckd_load16(&c->tables, p + 4),
                                cckd_load16(&c->tables, p + 6)};
        rc = entry_check(img, i * CCKD_L2_ENTRIES + k, &l2->entry[k], cause);
    }
    return rc;
}

static int tables_load(struct image *img, struct cause *cause)
{
    struct cfba *c = img->format;
    int rc = ST_OK;
    c->tables.l2 = calloc(c->tables.l1_count, sizeof *c->tables.l2);
    if (!c->tables.l2)
        return cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
    for (u32 i = 0; rc == ST_OK && i < c->tables.l1_count; i++) {
        u8 word[4];
        rc = image_pread(img, 0, CCKD_L1_AT + 4ull * i, word, sizeof word, cause);
        u32 at = rc ? 0 : cckd_load32(&c->tables, word);
        if (at)
            rc = table_load(img, i, at, cause);
    }
    return rc;
}

int cfba_open(struct image *img, struct cause *cause)
{
    struct cfba *c = calloc(1, sizeof *c);
    if (!c)
        return cause_set(cause, ST_NOMEM, "%s: no memory", img->path);
    img->format = c;
    c->group = ~0u;
    if (!(img->flags & IMAGE_READ_ONLY))
        return cause_set(
            cause, ST_PERM,
            "%s: compressed FBA images are only read; open it read-only, or make a "
            "raw one with dasd convert",
            img->path);
    int rc =
        image_pread(img, 0, CCKD_HEADER_AT, c->tables.header, sizeof c->tables.header, cause);
    if (rc == ST_OK)
        rc = header_check(img, cause);
    if (rc == ST_OK)
        rc = tables_load(img, cause);
    if (rc)
        (void)cfba_close(img, NULL);
    else
        img->ops = &cfba_ops;
    return rc;
}
