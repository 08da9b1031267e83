/* The PDR's chunks on a disk without locks: each is a row of copies, one for each slot, of which
 * the one with the greatest ballot counts. Rules [B1] to [B7]: ssi_lease.c. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "mem/base/ergo.h"
#include "ssi/ssi_lease_internal.h"

#include <stdlib.h>

static u64 row_at(u64 chunk)
{
    PRE(chunk > 0 && chunk < LEASE_CHUNKS);
    return LEASE_CHUNKS_AT + chunk * LEASE_ROW_BYTES;
}

static u8 *copy_of(struct lease *l, unsigned slot)
{
    return l->copies + (size_t)slot * LEASE_COPY_BYTES;
}

/* Reads all copies; the slot of the one that counts, or -1: zeros. */
static int row_read(struct lease *l, u64 chunk, int *best, u64 *ballot, struct cause *cause)
{
    int rc = l->disk.read(l->disk.ctx, row_at(chunk), l->copies, sizeof l->copies, cause);
    *best = -1;
    *ballot = 0;
    for (unsigned i = 0; i < SSI_SLOTS_MAX && rc == ST_OK; i++) {
        u64 its = lease_copy_ballot(copy_of(l, i), l->format, chunk);
        if (its > *ballot) {
            *ballot = its;
            *best = (int)i;
        }
    }
    return rc;
}

static int copy_write(struct lease *l, u64 chunk, unsigned slot, u8 *copy, u64 ballot,
                      bool durable, struct cause *cause)
{
    lease_copy_seal(copy, l->format, chunk, ballot);
    return l->disk.write(l->disk.ctx, row_at(chunk) + (u64)slot * LEASE_COPY_BYTES, copy,
                         LEASE_COPY_BYTES, durable, cause);
}

/** [B6] */
static int sector_kept(struct lease *l, struct cause *cause)
{
    int rc = lease_keep(l, cause);
    if (rc == ST_OK && !l->durable) {
        rc = lease_own_write(l, true, cause);
        l->durable = rc == ST_OK;
    }
    return rc;
}

/* Which of those that are sealed a chunk is; 0: claims of a checkpoint. */
static u8 kind_of(u64 chunk)
{
    for (unsigned i = 0; i < 2; i++)
        if (chunk == PDR_HEADER_AT(i) / LEASE_CHUNK_BYTES)
            return (u8)(LEASE_READ_HEAD << i);
    return chunk >= PDR_BLOCK_AT(0) / LEASE_CHUNK_BYTES ? LEASE_READ_BLOCK : 0;
}

/** [B5]: `copy` is what counts so far. */
static int seal(struct lease *l, u64 chunk, u8 *copy, struct cause *cause)
{
    int rc = sector_kept(l, cause);
    if (rc == ST_OK)
        rc = copy_write(l, chunk, l->slot, copy, l->own.ballot, true, cause);
    return rc ? rc : lease_verify(l, cause);
}

static int session_read(struct lease *l, u64 chunk, bool alone, const u8 **bytes,
                        struct cause *cause)
{
    int best;
    u64 ballot;
    int rc = lease_keep(l, cause);
    if (rc == ST_OK)
        rc = row_read(l, chunk, &best, &ballot, cause);
    if (rc)
        return rc;
    u8 *copy = copy_of(l, best < 0 ? l->slot : (unsigned)best);
    if (best < 0)
        memset(copy, 0, LEASE_COPY_BYTES);
    *bytes = copy + LEASE_SECTOR_BYTES;
    if (ballot > l->own.ballot) { /* [B6] */
        l->top = ballot > l->top ? ballot : l->top;
        return lease_lost(l, cause);
    }
    if (l->seals && alone && kind_of(chunk) && ballot != l->own.ballot)
        rc = seal(l, chunk, copy, cause);
    if (rc == ST_OK && alone)
        l->read |= kind_of(chunk);
    return rc;
}

static int any_read(struct lease *l, u64 chunk, bool alone, const u8 **bytes,
                    struct cause *cause)
{
    int best;
    u64 ballot;
    (void)alone;
    int rc = row_read(l, chunk, &best, &ballot, cause);
    if (best < 0)
        memset(copy_of(l, 0), 0, LEASE_COPY_BYTES);
    *bytes = copy_of(l, best < 0 ? 0 : (unsigned)best) + LEASE_SECTOR_BYTES;
    return rc;
}

static int read_by(struct lease *l,
                   int (*chunk_read)(struct lease *, u64, bool, const u8 **, struct cause *),
                   u64 offset, u8 *out, size_t len, struct cause *cause)
{
    bool alone = offset / LEASE_CHUNK_BYTES == (offset + len - 1) / LEASE_CHUNK_BYTES;
    int rc = ST_OK;
    while (len && rc == ST_OK) {
        u64 chunk = offset / LEASE_CHUNK_BYTES, within = offset % LEASE_CHUNK_BYTES;
        size_t n = LEASE_CHUNK_BYTES - within < len ? LEASE_CHUNK_BYTES - within : len;
        const u8 *bytes = NULL;
        if (!chunk)
            rc = l->disk.read(l->disk.ctx, LEASE_BEATS_AT + within, out, n, cause);
        else
            rc = chunk_read(l, chunk, alone, &bytes, cause);
        if (rc == ST_OK && chunk)
            memcpy(out, bytes + within, n);
        offset += n;
        out += n;
        len -= n;
    }
    return rc;
}

int lease_read(struct lease *l, u64 offset, void *data, size_t len, struct cause *cause)
{
    PRE(l->locked && offset + len <= PDR_FILE_BYTES);
    return lease_failed(l, read_by(l, session_read, offset, data, len, cause));
}

int lease_peek(struct lease *l, u64 offset, void *data, size_t len, struct cause *cause)
{
    PRE(offset + len <= PDR_FILE_BYTES);
    return read_by(l, any_read, offset, data, len, cause);
}

static int chunks_write(struct lease *l, u64 offset, const u8 *data, size_t len, bool durable,
                        struct cause *cause)
{
    int rc = sector_kept(l, cause);
    u8 *copy = copy_of(l, l->slot);
    while (len && rc == ST_OK) {
        size_t n = len < LEASE_CHUNK_BYTES ? len : LEASE_CHUNK_BYTES;
        bool now = durable && n == len && !l->unflushed;
        memset(copy, 0, LEASE_COPY_BYTES);
        memcpy(copy + LEASE_SECTOR_BYTES, data, n);
        rc =
            copy_write(l, offset / LEASE_CHUNK_BYTES, l->slot, copy, l->own.ballot, now, cause);
        l->unflushed |= !now;
        offset += n;
        data += n;
        len -= n;
    }
    if (rc == ST_OK && durable && l->unflushed) {
        rc = l->disk.flush(l->disk.ctx, cause);
        l->unflushed = rc != ST_OK;
    }
    return rc ? rc : lease_verify(l, cause);
}

int lease_write(struct lease *l, u64 offset, const void *data, size_t len, bool durable,
                struct cause *cause)
{
    PRE(offset + len <= PDR_FILE_BYTES);
    if (offset + len <= LEASE_CHUNK_BYTES) {
        int rc = l->disk.write(l->disk.ctx, LEASE_BEATS_AT + offset, data, len, false, cause);
        return rc ? rc : lease_renew(l, cause);
    }
    PRE(l->locked && offset % LEASE_CHUNK_BYTES == 0);
    /* What a member knows is gone with the server's host, and not with its own: no block may be
     * less durable because all members are here ([P4] in ssi_pdr.c). */
    durable |= offset >= PDR_BLOCK_AT(0);
    return lease_failed(l, chunks_write(l, offset, data, len, durable, cause));
}

/* --- a new one --- */

static int sectors_form(struct lease *l, struct cause *cause)
{
    u8 sectors[SSI_SLOTS_MAX * LEASE_SECTOR_BYTES], beats[LEASE_CHUNK_BYTES] = {0};
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        lease_sector_encode(sectors + (size_t)i * LEASE_SECTOR_BYTES, l->format,
                            &(struct lease_sector){.nonce = i + 1});
    int rc = l->disk.write(l->disk.ctx, LEASE_SECTORS_AT, sectors, sizeof sectors, true, cause);
    return rc ? rc
              : l->disk.write(l->disk.ctx, LEASE_BEATS_AT, beats, sizeof beats, true, cause);
}

int lease_format(struct lease *l, struct cause *cause)
{
    u8 super[LEASE_SECTOR_BYTES];
    l->format = l->disk.random(l->disk.ctx) | 1;
    lease_super_encode(super, l->format);
    int rc = sectors_form(l, cause);
    return rc ? rc : l->disk.write(l->disk.ctx, 0, super, sizeof super, true, cause);
}

int lease_form_write(struct lease *l, u64 offset, const void *chunk, struct cause *cause)
{
    u8 *copy = copy_of(l, 0);
    memcpy(copy + LEASE_SECTOR_BYTES, chunk, LEASE_CHUNK_BYTES);
    return copy_write(l, offset / LEASE_CHUNK_BYTES, 0, copy, 1, true, cause);
}
