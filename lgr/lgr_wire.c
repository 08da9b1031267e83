/* Encoding and decoding of LGR's messages. Which rows a type carries is one table here; a row
 * that does not belong, has a wrong length or comes out of range makes the message refused. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_wire.h"

#include <stdio.h>

#include "mem/base/ergo.h"

enum {
    ROW_PASS = CODEC_MANDATORY | 1,
    ROW_FLAGS = CODEC_MANDATORY | 2,
    ROW_FORCE = CODEC_MANDATORY | 3,
    ROW_GENERATION = CODEC_MANDATORY | 4,
    ROW_PAGES = CODEC_MANDATORY | 5,
    ROW_ZEROS = CODEC_MANDATORY | 6,
    ROW_MESSAGES = CODEC_MANDATORY | 7,
    ROW_DIGEST = CODEC_MANDATORY | 8,
    ROW_BYTES = CODEC_MANDATORY | 9,
    ROW_HASH = CODEC_MANDATORY | 10,
    ROW_RESUMED = 11,
    ROW_CODE = CODEC_MANDATORY | 12,
    ROW_TEXT = 13,
    ROW_BY = 14,
    ROW_INFO = CODEC_MANDATORY | 15,
    ROW_REASON = CODEC_MANDATORY | 16, /* number(4) text */
    ROW_FIT = CODEC_MANDATORY | 24,
    FIT_BYTES = 5 + 5 * 8,
    ROW_MAXTOTAL = 28,
    ROW_MAXQUIESCE = 29,
    ROW_CODECS = 17,
    ROW_KEYS = CODEC_MANDATORY | 18,
    ROW_VETO = 19,
    ROW_CLOCK_IN = 20, /* who does not know them goes by his own clock */
    ROW_CLOCK_OUT = 21,
    ROW_CROWD =
        22, /* others(2) own(2) processors(2); who does not know it spares nobody there */
    CROWD_BYTES = 6,
    ROW_USER = CODEC_MANDATORY | 32,
    ROW_DOMAIN = CODEC_MANDATORY | 33,
    ROW_STORAGE = CODEC_MANDATORY | 34,
    ROW_TOUCHED = CODEC_MANDATORY | 35,
    ROW_CPUS = CODEC_MANDATORY | 36,
    ROW_ENTRY = CODEC_MANDATORY | 37,
    ROW_FACILITIES = CODEC_MANDATORY | 38,
    ROW_DISK = CODEC_MANDATORY | 39,
    DISK_BYTES = 43,
    ROW_SEGMENT = CODEC_MANDATORY | 40,
    SEGMENT_BYTES = LGR_IDENTITY_BYTES + 8,
    ROW_NIC = CODEC_MANDATORY | 41,
    NIC_BYTES = 2 + 8 + LGR_NIC_NEED_BYTES,
    ROW_VDISK = CODEC_MANDATORY | 49,
    VDISK_BYTES = 6 + 8 + 8,
    ROW_ARCH = 48, /* of an older level: ROW_FACILITIES, and the rest is the destination's */
    ROW_TERMINAL = CODEC_MANDATORY | 44,
    ROW_LOCKED = 47, /* who does not know it takes all for pageable */
    INFO_VERSION = 1,
    FLAG_TEST = 1,
    FLAG_AGAIN = 2,
    FLAG_SYNCHRONOUS = 4,
    FLAG_IMMEDIATE = 8,
};

/* Row bit n = row tag n, for the 64-bit values that many messages share. */
static const struct shape {
    u16 type;
    u32 rows;
} shapes[] = {
    {LGR_MSG_OFFER, 1u << 2 | 1u << 3 | 1u << 4 | 1u << 14 | 1u << 15},
    {LGR_MSG_SKELETON, 1u << 28 | 1u << 29 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 14 | 1u << 15},
    {LGR_MSG_PASS_END, 1u << 1 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 9},
    {LGR_MSG_STATE_END, 1u << 9 | 1u << 10},
    {LGR_MSG_EARLY_END, 1u << 9 | 1u << 10},
    {LGR_MSG_FINISH, 1u << 1 | 1u << 8 | 1u << 18},
    {LGR_MSG_COMMIT, 1u << 4},
    {LGR_MSG_LIMITS, 1u << 28 | 1u << 29},
    {LGR_MSG_ABORT, 1u << 12 | 1u << 13},
    {LGR_MSG_VERDICT, 1u << 16 | 1u << 19 | 1u << 20 | 1u << 21 | 1u << 24},
    {LGR_MSG_SKELETON_OK, 1u << 17 | 1u << 20 | 1u << 21 | 1u << 22},
    {LGR_MSG_PASS_ACK, 1u << 1 | 1u << 22 | 1u << 24},
    {LGR_MSG_HOLD, 0},
    {LGR_MSG_GO_ON, 0},
    {LGR_MSG_READY, 1u << 8},
    {LGR_MSG_RESUMED, 1u << 11},
    {LGR_MSG_FAILED, 1u << 12 | 1u << 13},
    {LGR_MSG_ASK, 0},
};

static u32 shape_rows(u16 type, bool *found)
{
    for (unsigned i = 0; i < ARRAY_LEN(shapes); i++)
        if (shapes[i].type == type)
            return *found = true, shapes[i].rows;
    *found = false;
    return 0;
}

const char *lgr_msg_name(u16 type)
{
    switch (type) {
#define W(id, number, to, what)                                                                \
    case number:                                                                               \
        return #id;
#include "lgr/lgr_wire.def"
#undef W
    default: return NULL;
    }
}

bool lgr_msg_to_destination(u16 type)
{
    return type < 32;
}

void lgr_head_store(u8 out[LGR_HEAD_BYTES], const struct lgr_head *head)
{
    memset(out, 0, LGR_HEAD_BYTES);
    be64_store(out, head->id);
    out[8] = head->version;
    out[9] = head->stage;
    be32_store(out + 12, head->seq);
}

bool lgr_head_load(const void *data, size_t len, struct lgr_head *head)
{
    const u8 *p = data;
    if (len < LGR_HEAD_BYTES)
        return false;
    *head = (struct lgr_head){be64_load(p), p[8], p[9], be32_load(p + 12)};
    return head->version == LGR_WIRE_VERSION;
}

void lgr_reason_add(struct lgr_reasons *reasons, int number, const char *line)
{
    if (reasons->count == LGR_REASONS_MAX)
        return;
    if (!reasons->count)
        reasons->number = number;
    char *out = reasons->line[reasons->count++];
    snprintf(out, LGR_REASON_BYTES, "%s", line);
    for (; *out; out++) /* it may come from another member: one printable line */
        if ((u8)*out < 0x20 || *out == 0x7f)
            *out = ' ';
}

static void put_text(struct codec_out *out, u16 tag, const char *text)
{
    codec_put_bytes(out, tag, text, strlen(text));
}

static void put_disk(struct codec_out *out, const struct lgr_disk *d)
{
    u8 row[DISK_BYTES] = {0};
    be16_store(row, d->vdev);
    be16_store(row + 2, d->type);
    row[4] = d->write;
    memcpy(row + 5, d->volid, strlen(d->volid));
    be64_store(row + 11, d->units);
    be64_store(row + 19, d->identity);
    be64_store(row + 27, d->first);
    be64_store(row + 35, d->count);
    codec_put_bytes(out, ROW_DISK, row, sizeof row);
}

static void put_vdisk(struct codec_out *out, const struct lgr_vdisk *d)
{
    u8 row[VDISK_BYTES] = {0};
    be16_store(row, d->vdev);
    be16_store(row + 2, d->owner_vdev);
    row[4] = d->mode;
    row[5] = d->write;
    memcpy(row + 6, d->owner, strlen(d->owner));
    be64_store(row + 14, d->blocks);
    codec_put_bytes(out, ROW_VDISK, row, sizeof row);
}

static void put_segment(struct codec_out *out, const struct lgr_segment *s)
{
    u8 row[SEGMENT_BYTES] = {0};
    memcpy(row, s->identity, LGR_IDENTITY_BYTES);
    memcpy(row + LGR_IDENTITY_BYTES, s->name, strlen(s->name));
    codec_put_bytes(out, ROW_SEGMENT, row, sizeof row);
}

static void put_nic(struct codec_out *out, const struct lgr_nic *nic)
{
    u8 row[NIC_BYTES] = {0};
    be16_store(row, nic->vdev);
    memcpy(row + 2, nic->lan, strlen(nic->lan));
    memcpy(row + 10, nic->need, sizeof nic->need);
    codec_put_bytes(out, ROW_NIC, row, sizeof row);
}

static void put_info(struct codec_out *out, const struct lgr_guest_info *info)
{
    codec_begin(out, ROW_INFO, INFO_VERSION);
    put_text(out, ROW_USER, info->user);
    put_text(out, ROW_DOMAIN, info->domain);
    codec_put_u64(out, ROW_STORAGE, info->storage_bytes);
    codec_put_u64(out, ROW_TOUCHED, info->touched_bytes);
    codec_put_u64(out, ROW_LOCKED, info->locked_bytes);
    codec_put_u32(out, ROW_CPUS, info->cpus);
    codec_put_u64(out, ROW_ENTRY, info->entry_digest);
    codec_put_bytes(out, ROW_FACILITIES, info->arch.facilities, FACILITY_BYTES);
    if (info->arch.model)
        arch_put(out, ROW_ARCH, &info->arch);
    for (u32 i = 0; i < info->disks; i++)
        put_disk(out, &info->disk[i]);
    for (u32 i = 0; i < info->vdisks; i++)
        put_vdisk(out, &info->vdisk[i]);
    for (u32 i = 0; i < info->segments; i++)
        put_segment(out, &info->segment[i]);
    for (u32 i = 0; i < info->nics; i++)
        put_nic(out, &info->nic[i]);
    for (u32 i = 0; i < info->terminals; i++)
        put_text(out, ROW_TERMINAL, info->terminal[i]);
    codec_end(out);
}

/* Where the 64-bit values of a check are, in the order of the row. */
static const size_t fit_values[] = {
    offsetof(struct lgr_fit, now),      offsetof(struct lgr_fit, maximum),
    offsetof(struct lgr_fit, pageable), offsetof(struct lgr_fit, available),
    offsetof(struct lgr_fit, paging),
};
_Static_assert(FIT_BYTES == 5 + 8 * sizeof fit_values / sizeof *fit_values, "a check's row");

static void put_fit(struct codec_out *out, const struct lgr_fit *fit)
{
    u8 row[FIT_BYTES];
    be16_store(row, fit->pass);
    row[2] = fit->bits;
    row[3] = fit->forced;
    row[4] = fit->paged;
    for (unsigned i = 0; i < ARRAY_LEN(fit_values); i++)
        be64_store(row + 5 + 8 * i, *(const u64 *)((const u8 *)fit + fit_values[i]));
    codec_put_bytes(out, ROW_FIT, row, sizeof row);
}

static bool get_fit(const struct codec_row *row, struct lgr_fit *fit)
{
    if (row->len != FIT_BYTES || be16_load(row->p) > LGR_PASSES_MAX || row->p[4] > 1)
        return false;
    *fit = (struct lgr_fit){
        .pass = be16_load(row->p), .bits = row->p[2], .forced = row->p[3], .paged = row->p[4]};
    for (unsigned i = 0; i < ARRAY_LEN(fit_values); i++)
        *(u64 *)((u8 *)fit + fit_values[i]) = be64_load(row->p + 5 + 8 * i);
    return true;
}

static void put_crowd(struct codec_out *out, const struct lgr_crowd *c)
{
    u8 row[CROWD_BYTES];
    be16_store(row, (u16)c->others);
    be16_store(row + 2, (u16)c->own);
    be16_store(row + 4, (u16)c->processors);
    codec_put_bytes(out, ROW_CROWD, row, sizeof row);
}

static bool get_crowd(const struct codec_row *row, struct lgr_crowd *c)
{
    if (row->len != CROWD_BYTES)
        return false;
    *c = (struct lgr_crowd){be16_load(row->p), be16_load(row->p + 2), be16_load(row->p + 4)};
    return true;
}

static void put_reasons(struct codec_out *out, const struct lgr_reasons *reasons)
{
    u8 row[4 + LGR_REASON_BYTES];
    for (unsigned i = 0; reasons && i < reasons->count; i++) {
        size_t n = strlen(reasons->line[i]);
        be32_store(row, (u32)reasons->number);
        memcpy(row + 4, reasons->line[i], n);
        codec_put_bytes(out, ROW_REASON, row, 4 + n);
    }
}

/* Rows that are one 64-bit value. */
static const struct {
    u16 tag;
    size_t at;
} values64[] = {
    {ROW_GENERATION, offsetof(struct lgr_values, generation)},
    {ROW_PAGES, offsetof(struct lgr_values, pages)},
    {ROW_ZEROS, offsetof(struct lgr_values, zeros)},
    {ROW_MESSAGES, offsetof(struct lgr_values, messages)},
    {ROW_DIGEST, offsetof(struct lgr_values, digest)},
    {ROW_BYTES, offsetof(struct lgr_values, bytes)},
    {ROW_HASH, offsetof(struct lgr_values, hash)},
    {ROW_KEYS, offsetof(struct lgr_values, keys)},
    {ROW_RESUMED, offsetof(struct lgr_values, resumed_ns)},
    {ROW_CLOCK_IN, offsetof(struct lgr_values, clock_in)},
    {ROW_CLOCK_OUT, offsetof(struct lgr_values, clock_out)},
    {ROW_MAXTOTAL, offsetof(struct lgr_values, maxtotal_ms)},
    {ROW_MAXQUIESCE, offsetof(struct lgr_values, maxquiesce_ms)},
};

static bool has(u32 rows, u16 tag)
{
    return rows >> (tag & 31) & 1;
}

void lgr_values_put(struct codec_out *out, u16 type, const struct lgr_values *v)
{
    bool found;
    u32 rows = shape_rows(type, &found);
    PRE(found);
    for (unsigned i = 0; i < ARRAY_LEN(values64); i++)
        if (has(rows, values64[i].tag))
            codec_put_u64(out, values64[i].tag, *(const u64 *)((const u8 *)v + values64[i].at));
    if (has(rows, ROW_PASS))
        codec_put_u16(out, ROW_PASS, v->pass);
    if (has(rows, ROW_FLAGS))
        codec_put_u8(out, ROW_FLAGS,
                     (u8)((v->test ? FLAG_TEST : 0) | (v->again ? FLAG_AGAIN : 0) |
                          (v->synchronous ? FLAG_SYNCHRONOUS : 0) |
                          (v->immediate ? FLAG_IMMEDIATE : 0)));
    if (has(rows, ROW_FORCE))
        codec_put_u8(out, ROW_FORCE, (u8)v->force);
    if (has(rows, ROW_CODECS))
        codec_put_u8(out, ROW_CODECS, v->codecs);
    if (has(rows, ROW_CODE))
        codec_put_u8(out, ROW_CODE, v->code);
    if (has(rows, ROW_VETO) && v->veto)
        codec_put_u8(out, ROW_VETO, v->veto);
    if (has(rows, ROW_TEXT))
        put_text(out, ROW_TEXT, v->text);
    if (has(rows, ROW_BY))
        put_text(out, ROW_BY, v->by);
    if (has(rows, ROW_INFO))
        put_info(out, &v->info);
    if (has(rows, ROW_REASON))
        put_reasons(out, v->reasons);
    if (has(rows, ROW_CROWD))
        put_crowd(out, &v->crowd);
    if (has(rows, ROW_FIT) && v->has_fit)
        put_fit(out, &v->fit);
}

static bool get_text(const struct codec_row *row, char *out, size_t room, bool name)
{
    return codec_get_printable(row, out, room) && !(name && strchr(out, ' '));
}

static bool get_disk(const struct codec_row *row, struct lgr_guest_info *info)
{
    if (row->len != DISK_BYTES || info->disks == LGR_DISKS_MAX || row->p[4] > 1)
        return false;
    struct lgr_disk *d = &info->disk[info->disks++];
    *d = (struct lgr_disk){.vdev = be16_load(row->p),
                           .type = be16_load(row->p + 2),
                           .write = row->p[4],
                           .units = be64_load(row->p + 11),
                           .identity = be64_load(row->p + 19),
                           .first = be64_load(row->p + 27),
                           .count = be64_load(row->p + 35)};
    memcpy(d->volid, row->p + 5, 6);
    for (const char *c = d->volid; *c; c++)
        if (*c < 0x21 || *c > 0x7e)
            return false;
    return d->count && d->count <= d->units && d->first <= d->units - d->count;
}

/* A name of up to 8 printable characters, not empty. */
static bool get_name(const u8 *p, char out[LGR_NAME_BYTES])
{
    memcpy(out, p, LGR_NAME_BYTES - 1);
    out[LGR_NAME_BYTES - 1] = 0;
    for (const char *c = out; *c; c++)
        if (*c < 0x21 || *c > 0x7e)
            return false;
    return *out;
}

/* In order of device number. */
static bool get_vdisk(const struct codec_row *row, struct lgr_guest_info *info)
{
    u32 n = info->vdisks;
    if (row->len != VDISK_BYTES || n == LGR_VDISKS_MAX || row->p[5] > 1)
        return false;
    struct lgr_vdisk *d = &info->vdisk[info->vdisks++];
    *d = (struct lgr_vdisk){.vdev = be16_load(row->p),
                            .owner_vdev = be16_load(row->p + 2),
                            .mode = row->p[4],
                            .write = row->p[5],
                            .blocks = be64_load(row->p + 14)};
    return get_name(row->p + 6, d->owner) && d->blocks && d->blocks <= 0xffffffffu &&
           (!n || d->vdev > info->vdisk[n - 1].vdev);
}

static bool get_nic(const struct codec_row *row, struct lgr_guest_info *info)
{
    if (row->len != NIC_BYTES || info->nics == LGR_NICS_MAX)
        return false;
    struct lgr_nic *nic = &info->nic[info->nics++];
    nic->vdev = be16_load(row->p);
    memcpy(nic->need, row->p + 10, sizeof nic->need);
    return get_name(row->p + 2, nic->lan);
}

static bool get_segment(const struct codec_row *row, struct lgr_guest_info *info)
{
    if (row->len != SEGMENT_BYTES || info->segments == LGR_SEGMENTS_MAX)
        return false;
    struct lgr_segment *s = &info->segment[info->segments++];
    memcpy(s->identity, row->p, LGR_IDENTITY_BYTES);
    return get_name(row->p + LGR_IDENTITY_BYTES, s->name);
}

static bool get_info_row(void *ctx, const struct codec_row *row)
{
    struct lgr_guest_info *info = ctx;
    switch (row->tag) {
    case ROW_USER: return row->len && get_text(row, info->user, sizeof info->user, true);
    case ROW_DOMAIN: return get_text(row, info->domain, sizeof info->domain, true);
    case ROW_STORAGE:
        return codec_get_u64(row, &info->storage_bytes) && info->storage_bytes &&
               info->storage_bytes % (1u << 20) == 0 &&
               info->storage_bytes <= STORAGE_BYTES_MAX;
    case ROW_TOUCHED: return codec_get_u64(row, &info->touched_bytes);
    case ROW_LOCKED: return codec_get_u64(row, &info->locked_bytes);
    case ROW_CPUS:
        return codec_get_u32(row, &info->cpus) && info->cpus && info->cpus <= LGR_CPUS_MAX;
    case ROW_ENTRY: return codec_get_u64(row, &info->entry_digest);
    case ROW_FACILITIES: return codec_get_array(row, info->arch.facilities, 1, FACILITY_BYTES);
    case ROW_ARCH: return arch_get(row, cpu_model_find("max"), &info->arch);
    case ROW_DISK: return get_disk(row, info);
    case ROW_VDISK: return get_vdisk(row, info);
    case ROW_SEGMENT: return get_segment(row, info);
    case ROW_NIC: return get_nic(row, info);
    case ROW_TERMINAL:
        return info->terminals < LGR_TERMINALS_MAX && row->len &&
               get_text(row, info->terminal[info->terminals++], LGR_NAME_BYTES, true);
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

static bool get_info(const struct codec_row *outer, struct lgr_guest_info *info)
{
    struct codec_in in;
    return codec_open(outer, &in) && in.version == INFO_VERSION &&
           codec_take(&in, get_info_row, info) && info->user[0] && info->storage_bytes &&
           info->cpus;
}

static bool get_reason(const struct codec_row *row, struct lgr_reasons *reasons)
{
    struct codec_row text = *row;
    char line[LGR_REASON_BYTES];
    if (row->len < 4)
        return false;
    text.p += 4;
    text.len -= 4;
    if (!get_text(&text, line, sizeof line, false))
        return false;
    if (reasons)
        lgr_reason_add(reasons, (int)(be32_load(row->p) & 0xffff), line);
    return true;
}

static bool get_small(const struct codec_row *row, struct lgr_values *v)
{
    u8 byte = 0;
    if (row->tag == ROW_PASS)
        return codec_get_u16(row, &v->pass);
    if (!codec_get_u8(row, &byte))
        return false;
    if (row->tag == ROW_FLAGS) {
        v->test = byte & FLAG_TEST;
        v->again = byte & FLAG_AGAIN;
        v->synchronous = byte & FLAG_SYNCHRONOUS;
        v->immediate = byte & FLAG_IMMEDIATE;
    } else if (row->tag == ROW_FORCE) {
        v->force = byte & 7u;
    } else if (row->tag == ROW_CODECS) {
        v->codecs = byte;
    } else if (row->tag == ROW_VETO) {
        v->veto = byte;
        return byte == LGR_EXIT_REJECTED || byte == LGR_EXIT_INVALID;
    } else {
        v->code = byte;
    }
    return true;
}

static bool get_row(const struct codec_row *row, struct lgr_values *v,
                    struct lgr_reasons *reasons)
{
    for (unsigned i = 0; i < ARRAY_LEN(values64); i++)
        if (row->tag == values64[i].tag)
            return codec_get_u64(row, (u64 *)((u8 *)v + values64[i].at));
    switch (row->tag) {
    case ROW_PASS:
    case ROW_FLAGS:
    case ROW_FORCE:
    case ROW_CODECS:
    case ROW_VETO:
    case ROW_CODE: return get_small(row, v);
    case ROW_TEXT: return get_text(row, v->text, sizeof v->text, false);
    case ROW_BY: return get_text(row, v->by, sizeof v->by, true);
    case ROW_INFO: return v->has_info = get_info(row, &v->info);
    case ROW_REASON: return get_reason(row, reasons);
    case ROW_CROWD: return get_crowd(row, &v->crowd);
    case ROW_FIT: return v->has_fit = get_fit(row, &v->fit);
    default: return false;
    }
}

bool lgr_values_get(const void *data, size_t len, u16 type, struct lgr_values *v,
                    struct lgr_reasons *reasons)
{
    struct codec_in in;
    struct codec_row row;
    bool found;
    u32 rows = shape_rows(type, &found);
    memset(v, 0, sizeof *v);
    if (!found || len < LGR_HEAD_BYTES)
        return false;
    codec_in_init(&in, (const u8 *)data + LGR_HEAD_BYTES, len - LGR_HEAD_BYTES);
    while (codec_next(&in, &row)) {
        bool ours = (row.tag & 0x7fff) < 32 && has(rows, row.tag);
        if (!ours && row.tag & CODEC_MANDATORY)
            return false;
        if (ours && !get_row(&row, v, reasons))
            return false;
    }
    return !in.failed && (v->has_info || !has(rows, ROW_INFO));
}
