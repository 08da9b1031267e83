/* The FBA device: a 9336 on a 6310 control unit, blocks of 512 bytes. Define extent says which
 * blocks may be touched, locate which ones the next read or write is about; a write that brings
 * fewer bytes than it announced writes zeros for the rest. Source: Linux's dasd_fba as the user. */
#include <stdlib.h>

#include "io/dasd/dasd.h"
#include "io/dasd/reserve.h"
#include "io/dasd/trouble.h"
#include "io/image/hold.h"
#include "io/io_state.h"

#define CHARACTERISTICS_BYTES 32u
#define EXTENT_BYTES 16u
#define LOCATE_BYTES 8u
#define CHUNK_BLOCKS 128u
#define SENSE_BYTES 24u

enum fba_command {
    FBA_READ_IPL = 0x02,
    FBA_WRITE = 0x41,
    FBA_READ = 0x42,
    FBA_LOCATE = 0x43,
    FBA_DEFINE_EXTENT = 0x63,
    FBA_READ_CHARACTERISTICS = 0x64,
    FBA_RELEASE = RESERVE_RELEASE,
    FBA_READ_BUFFERED_LOG = 0xa4,
    FBA_RESERVE = RESERVE_RESERVE,
    FBA_UNCONDITIONAL_RESERVE = RESERVE_UNCONDITIONAL,
};

/** Operations of locate. */
enum fba_operation {
    LOCATE_WRITE = 0x01,
    LOCATE_READ_REPLICATED = 0x02,
    LOCATE_FORMAT = 0x04,
    LOCATE_WRITE_VERIFY = 0x05,
    LOCATE_READ = 0x06
};
#define MASK_WRITE 0xc0
#define MASK_WRITE_NONE 0x40
#define SENSE1_PERMANENT 0x80
#define SENSE1_WRITE_INHIBITED 0x02
#define SENSE1_FILE_PROTECTED 0x04

/** Located by css (devno); created by fba_create, destroyed by detach; the executor's thread. */
struct fba {
    struct css *css;
    struct image *img;
    struct trouble trouble;
    u64 blocks;
    u16 devno;
    bool wrote;   /* this channel program did */
    bool attempt; /* fba_attempt: nothing may wait for the host */
    struct reserve reserve;
    struct fba_state s;
    u8 chunk[CHUNK_BLOCKS * IMAGE_BLOCK_BYTES];
};

static int check(struct dev_io *io, u8 sense0, u8 sense1)
{
    u8 sense[SENSE_BYTES] = {sense0, sense1};
    dev_io_sense(io, sense, sizeof sense);
    return DS_NORMAL | DS_UNIT_CHECK;
}

static int reject(struct dev_io *io)
{
    return check(io, SENSE_COMMAND_REJECT, 0);
}

static int failed(struct fba *d, struct dev_io *io, bool write, const struct cause *cause)
{
    trouble_failed(&d->trouble, d->css, d->devno, write, cause);
    return check(io, SENSE_EQUIPMENT_CHECK, SENSE1_PERMANENT);
}

static int characteristics(struct fba *d, struct dev_io *io)
{
    u8 c[CHARACTERISTICS_BYTES] = {0x30, 0x08,      0x21,        0x11, 0x02,
                                   0x00, [9] = 111, [12] = 0x03, 0x09};
    be32_store(c + 14, (u32)d->blocks);
    dev_io_put(io, c, sizeof c);
    return DS_NORMAL;
}

static int define_extent(struct fba *d, struct dev_io *io)
{
    u8 p[EXTENT_BYTES];
    if (dev_io_get(io, p, sizeof p) < sizeof p || d->s.extent)
        return reject(io);
    u32 first = be32_load(p + 8), last = be32_load(p + 12), at = be32_load(p + 4);
    if (first > last || (u64)at + (last - first) >= d->blocks ||
        (be16_load(p + 2) && be16_load(p + 2) != IMAGE_BLOCK_BYTES))
        return reject(io);
    d->s.extent = 1;
    d->s.mask = p[0];
    d->s.extent_at = at;
    d->s.extent_first = first;
    d->s.extent_last = last;
    return DS_NORMAL;
}

static bool operation_known(u8 operation)
{
    return operation == LOCATE_WRITE || operation == LOCATE_WRITE_VERIFY ||
           operation == LOCATE_READ || operation == LOCATE_FORMAT ||
           operation == LOCATE_READ_REPLICATED;
}

static int locate(struct fba *d, struct dev_io *io)
{
    u8 p[LOCATE_BYTES];
    if (dev_io_get(io, p, sizeof p) < sizeof p || !d->s.extent || !operation_known(p[0] & 0x0f))
        return reject(io);
    u32 count = be16_load(p + 2), block = be32_load(p + 4);
    if (!count)
        return reject(io);
    if (block < d->s.extent_first || block > d->s.extent_last ||
        count - 1 > d->s.extent_last - block)
        return check(io, SENSE_COMMAND_REJECT, SENSE1_FILE_PROTECTED);
    d->s.operation = p[0] & 0x0f;
    d->s.block = d->s.extent_at + (block - d->s.extent_first);
    d->s.count = count;
    return DS_NORMAL;
}

static int read_blocks(struct fba *d, struct dev_io *io, u32 block, u32 count)
{
    struct cause cause;
    while (count) {
        u32 n = count < CHUNK_BLOCKS ? count : CHUNK_BLOCKS;
        if (d->attempt && !image_try_blocks(d->img, block, n, d->chunk))
            return DEV_ELSEWHERE;
        if (!d->attempt && image_read_blocks(d->img, block, n, d->chunk, &cause))
            return failed(d, io, false, &cause);
        trouble_well(&d->trouble, d->css, d->devno, false);
        if (dev_io_put(io, d->chunk, n * IMAGE_BLOCK_BYTES) < n * IMAGE_BLOCK_BYTES)
            break;
        block += n;
        count -= n;
    }
    return DS_NORMAL;
}

static int write_blocks(struct fba *d, struct dev_io *io)
{
    struct cause cause;
    u32 block = d->s.block, count = d->s.count;
    d->wrote = true;
    while (count) {
        u32 n = count < CHUNK_BLOCKS ? count : CHUNK_BLOCKS;
        size_t got = dev_io_get(io, d->chunk, n * IMAGE_BLOCK_BYTES);
        memset(d->chunk + got, 0, n * IMAGE_BLOCK_BYTES - got);
        if (image_write_blocks(d->img, block, n, d->chunk, &cause))
            return failed(d, io, true, &cause);
        trouble_well(&d->trouble, d->css, d->devno, true);
        block += n;
        count -= n;
    }
    d->s.count = 0;
    return DS_NORMAL;
}

static int write_command(struct fba *d, struct dev_io *io)
{
    bool writes = d->s.operation == LOCATE_WRITE || d->s.operation == LOCATE_WRITE_VERIFY ||
                  d->s.operation == LOCATE_FORMAT;
    if (!d->s.count || !writes)
        return reject(io);
    if (image_read_only(d->img))
        return check(io, SENSE_COMMAND_REJECT, SENSE1_WRITE_INHIBITED);
    if ((d->s.mask & MASK_WRITE) == MASK_WRITE_NONE)
        return check(io, SENSE_COMMAND_REJECT, SENSE1_FILE_PROTECTED);
    return write_blocks(d, io);
}

static int read_command(struct fba *d, struct dev_io *io)
{
    bool reads = d->s.operation == LOCATE_READ || d->s.operation == LOCATE_READ_REPLICATED;
    if (!d->s.count || !reads)
        return reject(io);
    u32 count = d->s.count;
    d->s.count = 0;
    return read_blocks(d, io, d->s.block, count);
}

static int give_sense(struct dev_io *io)
{
    u8 sense[SENSE_BYTES] = {0};
    dev_io_put(io, sense, sizeof sense);
    return DS_NORMAL;
}

/** Not behind a define extent: others of the volume may have to wait for this program. */
static int reserve(struct fba *d, struct dev_io *io)
{
    u8 command = dev_io_command(io);
    if (d->s.extent)
        return reject(io);
    if (!reserve_command(&d->reserve, d->img, command))
        return reserve_busy(io);
    d->s.reserved = command != FBA_RELEASE;
    return give_sense(io);
}

/** Commands that touch no block are answered whoever has the disk. */
static bool identifies(u8 command)
{
    return command == FBA_READ_CHARACTERISTICS || command == FBA_RELEASE ||
           command == FBA_RESERVE || command == FBA_UNCONDITIONAL_RESERVE ||
           command == FBA_READ_BUFFERED_LOG;
}

static int fba_start(void *dev, struct dev_io *io)
{
    struct fba *d = dev;
    if (!identifies(dev_io_command(io)) && !reserve_admitted(&d->reserve, d->img))
        return reserve_busy(io);
    switch (dev_io_command(io)) {
    case FBA_READ_IPL: return read_blocks(d, io, 0, 1);
    case FBA_WRITE: return write_command(d, io);
    case FBA_READ: return read_command(d, io);
    case FBA_LOCATE: return locate(d, io);
    case FBA_DEFINE_EXTENT: return define_extent(d, io);
    case FBA_READ_CHARACTERISTICS: return characteristics(d, io);
    case FBA_RELEASE:
    case FBA_RESERVE:
    case FBA_UNCONDITIONAL_RESERVE: return reserve(d, io);
    case FBA_READ_BUFFERED_LOG: return give_sense(io);
    default: return reject(io);
    }
}

/** A read of one piece, and what says what is to be read. */
static int fba_attempt(void *dev, struct dev_io *io)
{
    struct fba *d = dev;
    const struct fba_state before = d->s;
    u8 command = dev_io_command(io);
    bool read = command == FBA_READ && d->s.count <= CHUNK_BLOCKS;
    if ((!read && command != FBA_LOCATE && command != FBA_DEFINE_EXTENT) ||
        !image_may_try(d->img))
        return DEV_ELSEWHERE;
    d->attempt = true;
    int us = fba_start(d, io);
    d->attempt = false;
    if (us == DEV_ELSEWHERE)
        d->s = before;
    return us;
}

static void fba_begin(void *dev)
{
    struct fba *d = dev;
    reserve_admitted_end(&d->reserve);
    d->s = (struct fba_state){.reserved = d->s.reserved};
    d->wrote = false;
}

static int fba_end(void *dev, struct dev_io *io, int us)
{
    struct fba *d = dev;
    struct cause cause;
    if (d->wrote && image_commit(d->img, &cause) != ST_OK)
        us = failed(d, io, true, &cause);
    reserve_admitted_end(&d->reserve);
    return us;
}

static void fba_cancel(void *dev)
{
    struct fba *d = dev;
    struct cause cause;
    if (d->wrote && image_commit(d->img, &cause) != ST_OK)
        trouble_failed(&d->trouble, d->css, d->devno, true, &cause);
    d->wrote = false;
    reserve_cancel(&d->reserve, d->img);
}

static void fba_reset(void *dev)
{
    struct fba *d = dev;
    fba_cancel(d);
    hold_release(image_hold(d->img));
    d->s = (struct fba_state){0};
}

/** Another system let the disk go. */
static void wake(void *arg)
{
    struct fba *d = arg;
    css_device_ready(d->css, css_find_devno(d->css, d->devno));
}

static void fba_detach(void *dev)
{
    struct fba *d = dev;
    hold_watch(image_hold(d->img), NULL, NULL);
    fba_cancel(d);
    image_unref(d->img);
    free(d);
}

static void fba_save(void *dev, struct codec_out *out)
{
    struct fba *d = dev;
    struct hold *hold = image_hold(d->img);
    if (hold) /* it may have been taken away */
        d->s.reserved = hold_state(hold) == HOLD_HERE;
    d->s.admitted = d->reserve.admitted;
    io_rows_put(out, &fba_rows, &d->s);
}

static bool fba_state_valid(const struct fba *d, const struct fba_state *s)
{
    u64 extent_end = (u64)s->extent_at + (s->extent_last - s->extent_first);
    return s->extent <= 1 && s->reserved <= 1 && s->admitted <= 1 &&
           s->extent_first <= s->extent_last && extent_end < d->blocks &&
           (u64)s->block + s->count <= d->blocks;
}

static int fba_restore(void *dev, struct codec_in *in, struct cause *cause)
{
    struct fba *d = dev;
    struct fba_state s = {0};
    struct codec_row row;
    u64 seen = 0;
    bool ok = true;
    while (ok && codec_next(in, &row))
        ok = io_rows_get(&row, &fba_rows, &s, &seen);
    ok = ok && !in->failed && io_rows_complete(&fba_rows, seen) && fba_state_valid(d, &s);
    d->s = ok ? s : (struct fba_state){0};
    d->wrote = true; /* perhaps */
    reserve_admitted_end(&d->reserve);
    if (d->s.admitted)
        (void)reserve_admitted(&d->reserve, d->img); /* else it waits, as if it began */
    if (d->s.reserved)
        d->s.reserved = hold_keep(image_hold(d->img)); /* or somebody was faster */
    return ok ? ST_OK : cause_set(cause, ST_PROTO, "disk %04X: broken state", d->devno);
}

static const struct dev_ops fba_ops = {
    .name = "9336",
    .chpid = CHPID_DASD,
    .status_first = true,
    .sense_id = {0xff, 0x63, 0x10, 0x01, 0x93, 0x36, 0x10},
    .sense_id_bytes = 7,
    .start = fba_start,
    .attempt = fba_attempt,
    .cancel = fba_cancel,
    .begin = fba_begin,
    .end = fba_end,
    .reset = fba_reset,
    .save = fba_save,
    .restore = fba_restore,
    .detach = fba_detach,
};

bool fba_read_only(const struct dev_ops *ops, void *dev)
{
    return ops == &fba_ops && image_read_only(((struct fba *)dev)->img);
}

int fba_create(struct css *css, u16 devno, struct image *img, bool announce,
               struct cause *cause)
{
    struct fba *d = calloc(1, sizeof *d);
    if (!d)
        return cause_set(cause, ST_NOMEM, "no memory for device %04X", devno);
    d->css = css;
    d->devno = devno;
    d->img = image_ref(img);
    d->blocks = image_geometry(img)->blocks;
    int rc = css_attach(css, devno, &fba_ops, d, announce, NULL, cause);
    if (rc)
        fba_detach(d);
    else
        hold_watch(image_hold(d->img), wake, d);
    return rc;
}

const struct image_geometry *fba_geometry(const struct dev_ops *ops, void *dev)
{
    return ops == &fba_ops ? image_geometry(((struct fba *)dev)->img) : NULL;
}
