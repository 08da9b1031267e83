/* Data areas of CCWs: direct, IDAW formats 1 and 2, MIDAW; data chaining, skip, protection.
 * Implements dev_io_* of io/device.h. Principles of Operation chapter 15. READ BACKWARD fills an
 * area from its highest address down: there io->block is that of the next byte too, and a piece
 * ends, instead of begins, with it. */
#include "io/css_internal.h"

#define IDAW1_BLOCK 2048u
#define MIDAW_LAST 0x80
#define MIDAW_SKIP 0x40
#define MIDAW_BYTES 16u
#define MIDAW_LIST_BYTES 4096u /* a list lies between two multiples of it */

static bool check(struct dev_io *io, u8 ss)
{
    io->ss |= ss;
    return false;
}

/** Storage-key check of one frame with the ORB's key. */
static bool key_allows(struct dev_io *io, u64 abs, bool store)
{
    u8 key = (u8)((io->sub->s.orb_flags & ORB_KEY) >> 24);
    u8 skey = storage_key_get(io->storage, abs);
    return !key || (skey & SKEY_ACC) == key || (!store && !(skey & SKEY_F));
}

bool ccw_fetch_bytes(struct dev_io *io, u64 abs, void *p, u32 len)
{
    if (!storage_host(io->storage, abs, len))
        return check(io, SS_PROGRAM_CHECK);
    if (!key_allows(io, abs, false))
        return check(io, SS_PROTECTION_CHECK);
    storage_read(io->storage, abs, p, len);
    return true;
}

void ccw_data_begin(struct dev_io *io)
{
    io->first = true;
    io->block_left = 0;
    io->block_skip = false;
    io->midaw_last = false;
    io->list = io->data_addr;
    if (!(io->flags & (CCW_IDA | CCW_MIDA))) {
        io->block = io->data_addr;
        io->block_left = io->residual;
    }
}

/** Bytes of a block of `size` from `addr` on in the direction of the transfer. */
static u32 left_in_block(const struct dev_io *io, u64 addr, u32 size)
{
    u32 at = (u32)(addr % size);
    return io->backward ? at + 1 : size - at;
}

/** The next IDAW: only the first may point into the middle of a block. */
static bool next_idaw(struct dev_io *io)
{
    u32 orb = io->sub->s.orb_flags;
    bool wide = orb & ORB_H;
    u32 size = wide ? 8 : 4;
    u32 block = wide && !(orb & ORB_T) ? 4096 : IDAW1_BLOCK;
    u8 raw[8];
    if (io->list % size)
        return check(io, SS_PROGRAM_CHECK);
    if (!ccw_fetch_bytes(io, io->list, raw, size))
        return false;
    io->list += size;
    io->block = wide ? be64_load(raw) : be32_load(raw);
    io->block_left = left_in_block(io, io->block, block);
    if ((!wide && io->block >> 31) || (!io->first && io->block_left != block))
        return check(io, SS_PROGRAM_CHECK);
    io->first = false;
    return true;
}

static bool next_midaw(struct dev_io *io)
{
    u8 raw[MIDAW_BYTES];
    if (io->list % MIDAW_BYTES || io->midaw_last ||
        (io->list != io->data_addr && !(io->list % MIDAW_LIST_BYTES)))
        return check(io, SS_PROGRAM_CHECK);
    if (!ccw_fetch_bytes(io, io->list, raw, sizeof raw))
        return false;
    u32 count = be16_load(raw + 6);
    io->list += MIDAW_BYTES;
    io->block = be64_load(raw + 8);
    bool skip = raw[5] & MIDAW_SKIP;
    if (!count || count > io->residual || be32_load(raw) || raw[4] || raw[5] & 0x1f ||
        (!skip && count > left_in_block(io, io->block, 4096)))
        return check(io, SS_PROGRAM_CHECK);
    io->midaw_last = raw[5] & MIDAW_LAST;
    if (io->midaw_last && count != io->residual)
        return check(io, SS_PROGRAM_CHECK);
    io->block_skip = skip;
    io->block_left = count;
    return true;
}

/** Make sure that at least one byte can move; false: end of the area or a check. */
static bool area_ready(struct dev_io *io)
{
    while (!io->residual) {
        if (!(io->flags & CCW_CD) || io->ss & SS_CHECKS)
            return false;
        if (!ccw_fetch(io, io->next_ccw, true))
            return false;
        ccw_chain_pci(io);
    }
    if (io->block_left)
        return true;
    return io->flags & CCW_MIDA ? next_midaw(io) : next_idaw(io);
}

static bool skips(const struct dev_io *io)
{
    return io->flags & CCW_SKIP || io->block_skip;
}

/** The lowest address of the next `n` bytes. */
static u64 piece_addr(const struct dev_io *io, u32 n)
{
    return io->backward ? io->block - n + 1 : io->block;
}

/** Address-limit checking of data areas, by the subchannel's limit mode. */
static bool limit_allows(const struct dev_io *io, u64 addr, u32 n)
{
    const struct sub_state *s = &io->sub->s;
    u64 limit = io->css->s.limit;
    if (!(s->orb_flags & ORB_A))
        return true;
    switch (s->pmcw_mode & PMCW_LM) {
    case PMCW_LM_ABOVE: return addr >= limit;
    case PMCW_LM_BELOW: return addr + n <= limit;
    default: return true;
    }
}

/** A CCW with a direct address reaches as far as its format's addresses. */
static bool addressable(const struct dev_io *io, u64 addr, u32 n)
{
    if (io->flags & (CCW_IDA | CCW_MIDA))
        return true;
    return addr + n <= (io->sub->s.orb_flags & ORB_F ? 0x80000000u : 0x01000000u);
}

/** The next piece within one frame: its length, or 0. */
static u32 piece(struct dev_io *io, size_t want, bool store)
{
    if (io->ss & SS_CHECKS || !area_ready(io))
        return 0;
    u32 n = io->block_left < io->residual ? io->block_left : io->residual;
    u32 in_frame = left_in_block(io, io->block, FRAME_BYTES);
    n = n < in_frame ? n : in_frame;
    n = n < want ? n : (u32)want;
    if (store && skips(io))
        return n;
    u64 addr = piece_addr(io, n);
    if (!limit_allows(io, addr, n) || !addressable(io, addr, n) ||
        !storage_host(io->storage, addr, n)) {
        check(io, SS_PROGRAM_CHECK);
        return 0;
    }
    if (!key_allows(io, io->block, store) ||
        (store && !storage_storable(io->storage, addr, n))) {
        check(io, SS_PROTECTION_CHECK);
        return 0;
    }
    return n;
}

static void advance(struct dev_io *io, u32 n)
{
    io->block = io->backward ? io->block - n : io->block + n;
    io->block_left -= n;
    io->residual -= n;
}

size_t dev_io_put(struct dev_io *io, const void *p, size_t len)
{
    size_t done = 0;
    io->transferred = true;
    while (done < len) {
        u32 n = piece(io, len - done, true);
        if (!n)
            break;
        size_t from = io->backward ? len - done - n : done;
        if (!skips(io))
            storage_write(io->storage, piece_addr(io, n), (const u8 *)p + from, n);
        advance(io, n);
        done += n;
    }
    io->more |= done < len;
    return done;
}

size_t dev_io_get(struct dev_io *io, void *p, size_t len)
{
    size_t done = 0;
    io->transferred = true;
    while (done < len) {
        u32 n = piece(io, len - done, false);
        if (!n)
            break;
        storage_read(io->storage, io->block, (u8 *)p + done, n);
        advance(io, n);
        done += n;
    }
    return done;
}

u8 dev_io_command(const struct dev_io *io)
{
    return io->command;
}

u8 dev_io_flags(const struct dev_io *io)
{
    return io->flags;
}

u32 dev_io_count(const struct dev_io *io)
{
    return io->count;
}

bool dev_io_chained(const struct dev_io *io)
{
    return io->sub->s.chained;
}

u8 dev_io_path(const struct dev_io *io)
{
    return io->sub->s.lpum;
}

u8 dev_io_previous(const struct dev_io *io)
{
    return io->sub->s.previous;
}

void dev_io_sense(struct dev_io *io, const u8 *sense, size_t len)
{
    struct sub_state *s = &io->sub->s;
    if (len > SENSE_BYTES_MAX)
        len = SENSE_BYTES_MAX;
    memset(s->sense, 0, sizeof s->sense);
    memcpy(s->sense, sense, len);
    s->sense_bytes = (u8)len;
}

int dev_io_unit_check(struct dev_io *io, u8 byte0)
{
    dev_io_sense(io, &byte0, 1);
    return DS_NORMAL | DS_UNIT_CHECK;
}
