/* Blocks of a disk, moved by channel programs in storage of CP's own: define extent, locate, reads
 * or writes. So reservations, claims on minidisks and errors of the host's disk are those of any
 * channel program. A 3390 is one that CMS or Linux (LDL) has formatted: records 1 to n of
 * `block_bytes` on every track; a track of another format is told as a block size that is wrong. */
#include "hyp/diag/diag_block_internal.h"
#include "io/dasd/dasd.h"
#include "io/image/track.h"

#define EXTENT_AT 0x1000u
#define LOCATE_AT 0x1100u
#define PROGRAM_AT 0x2000u
#define DATA_AT 0x10000u
#define RUN_BYTES_MAX 0x8000u
#define SCRATCH_BYTES (1u << 20)
#define ORB_FORMAT_1 0x00800000u

enum { CMD_DEFINE_EXTENT = 0x63, EXTENT_BYTES = 16 };
enum { CMD_LOCATE_RECORD = 0x47, CMD_WRITE_MT = 0x85, CMD_READ_MT = 0x86, LOCATE_BYTES = 16 };
enum { CMD_LOCATE = 0x43, CMD_WRITE = 0x41, CMD_READ = 0x42, FBA_LOCATE_BYTES = 8 };
enum { ORDER_WRITE = 0x01, ORDER_READ = 0x06, AUX_LENGTH = 0x80 };
enum { MASK_NO_WRITES = 0x40, MASK_UPDATES = 0x80, ATTRIBUTES_ECKD = 0xc0 };
#define SENSE1_NO_RECORD 0x08
#define STATUS_LENGTH 0x40

struct scratch {
    struct storage *st;
    u32 ccws;
};

static void ccw(struct scratch *s, u8 command, u8 flags, u32 count, u32 at)
{
    u8 *p = s->st->base + PROGRAM_AT + 8 * s->ccws++;
    p[0] = command;
    p[1] = flags;
    be16_store(p + 2, (u16)count);
    be32_store(p + 4, at);
}

static u32 track_of(const struct block_disk *d, u64 block)
{
    return (u32)(block / d->per_track);
}

static void eckd_program(const struct block_disk *d, struct scratch *s, u64 first, u32 count,
                         bool write)
{
    u8 *e = s->st->base + EXTENT_AT, *l = s->st->base + LOCATE_AT;
    e[0] = write ? MASK_UPDATES : MASK_NO_WRITES;
    e[1] = ATTRIBUTES_ECKD;
    be16_store(e + 2, (u16)d->block_bytes);
    track_cchh(track_of(d, first), d->heads, e + 8);
    track_cchh(track_of(d, first + count - 1), d->heads, e + 12);
    l[0] = write ? ORDER_WRITE : ORDER_READ;
    l[1] = AUX_LENGTH;
    l[3] = (u8)count;
    track_cchh(track_of(d, first), d->heads, l + 4);
    memcpy(l + 8, l + 4, 4);
    l[12] = (u8)(first % d->per_track + 1);
    be16_store(l + 14, (u16)d->block_bytes);
    ccw(s, CMD_DEFINE_EXTENT, CCW_CC, EXTENT_BYTES, EXTENT_AT);
    ccw(s, CMD_LOCATE_RECORD, CCW_CC, LOCATE_BYTES, LOCATE_AT);
    for (u32 i = 0; i < count; i++)
        ccw(s, write ? CMD_WRITE_MT : CMD_READ_MT, i + 1 < count ? CCW_CC : 0, d->block_bytes,
            DATA_AT + i * d->block_bytes);
}

static void fba_program(const struct block_disk *d, struct scratch *s, u64 first, u32 count,
                        bool write)
{
    u8 *e = s->st->base + EXTENT_AT, *l = s->st->base + LOCATE_AT;
    u32 sectors = count * d->block_bytes / IMAGE_BLOCK_BYTES;
    e[0] = write ? 0 : MASK_NO_WRITES;
    be16_store(e + 2, IMAGE_BLOCK_BYTES);
    be32_store(e + 4, (u32)(first * d->block_bytes / IMAGE_BLOCK_BYTES));
    be32_store(e + 12, sectors - 1);
    l[0] = write ? ORDER_WRITE : ORDER_READ;
    be16_store(l + 2, (u16)sectors);
    ccw(s, CMD_DEFINE_EXTENT, CCW_CC, EXTENT_BYTES, EXTENT_AT);
    ccw(s, CMD_LOCATE, CCW_CC, FBA_LOCATE_BYTES, LOCATE_AT);
    ccw(s, write ? CMD_WRITE : CMD_READ, 0, count * d->block_bytes, DATA_AT);
}

static enum block_status status_of(const struct block_disk *d, enum css_run how,
                                   const struct css_program *p)
{
    if (how != CSS_RUN_DONE)
        return BLOCK_IO_ERROR;
    if (p->unit_status == DS_NORMAL && !p->channel_status)
        return BLOCK_OK;
    bool format = (p->channel_status & STATUS_LENGTH) ||
                  (p->sense_bytes > 1 && p->sense[1] & SENSE1_NO_RECORD);
    return d->eckd && format ? BLOCK_SIZE_WRONG : BLOCK_IO_ERROR;
}

static enum block_status run(const struct block_disk *d, struct storage *st, u64 first,
                             u32 count, bool write, u8 *data, struct css_program *p)
{
    struct scratch s = {.st = st};
    u32 len = count * d->block_bytes;
    if (write)
        memcpy(st->base + DATA_AT, data, len);
    (d->eckd ? eckd_program : fba_program)(d, &s, first, count, write);
    *p = (struct css_program){.storage = st, .orb_flags = ORB_FORMAT_1, .ccw = PROGRAM_AT};
    enum block_status status = status_of(d, css_run(d->css, d->devno, p), p);
    p->storage = NULL;
    if (!write && status == BLOCK_OK)
        memcpy(data, st->base + DATA_AT, len);
    return status;
}

enum block_status block_disk_move(const struct block_disk *d, u64 first, u32 count, bool write,
                                  u8 *data, struct css_program *how)
{
    struct storage *st;
    enum block_status status = BLOCK_OK;
    u32 at_a_time = RUN_BYTES_MAX / d->block_bytes;
    if (storage_create(&st, SCRATCH_BYTES, NULL))
        return BLOCK_IO_ERROR;
    for (u32 done = 0, n; done < count && status == BLOCK_OK; done += n) {
        n = count - done < at_a_time ? count - done : at_a_time;
        memset(st->base + EXTENT_AT, 0, EXTENT_BYTES);
        memset(st->base + LOCATE_AT, 0, LOCATE_BYTES);
        status = run(d, st, first + done, n, write, data + (size_t)done * d->block_bytes, how);
    }
    storage_destroy(st);
    return status;
}

bool block_disk_look(struct css *css, u16 devno, u32 block_bytes, struct block_disk *out)
{
    const struct dev_ops *ops;
    void *dev = css_find_device(css, devno, &ops);
    const struct image_geometry *g = dev ? dasd_geometry(ops, dev) : NULL;
    if (!g)
        return false;
    *out = (struct block_disk){.css = css,
                               .devno = devno,
                               .eckd = g->tracks,
                               .read_only = dasd_read_only(ops, dev),
                               .block_bytes = block_bytes,
                               .heads = g->heads};
    if (g->tracks) {
        out->per_track = TRACK_SEGMENTS_3390 / track_segments(0, block_bytes);
        out->blocks = (u64)g->tracks * out->per_track;
    } else {
        out->blocks = g->blocks / (block_bytes / IMAGE_BLOCK_BYTES);
    }
    return true;
}
