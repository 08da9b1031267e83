/* Bytes of a PDR on a disk without locks (ssi_lease.c): its first sector, the sectors of slots, the
 * copies of chunks. Everything is big-endian; a crc32 covers each. What is of another format's
 * name is none: a disk that is made anew has nothing of before.
 *
 *   0        what the disk is: version, name of the format
 *   4096     8 sectors of 512: the lease of each slot
 *   8192     8 sectors of 512: the PDR's heartbeats
 *   16384    for each chunk of 4096 bytes of the PDR but the heartbeats' a row of 8 copies, one for
 *            each slot: 512 bytes that say whose and which it is, then the chunk */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "mem/base/ergo.h"
#include "ssi/ssi_lease.h"

#include <zlib.h>

static const u8 super_magic[8] = {'E', 'N', 'D', 'C', 'P', 'D', 'R', 'N'};
static const u8 sector_magic[8] = {'E', 'N', 'D', 'C', 'L', 'E', 'A', 'S'};
static const u8 copy_magic[8] = {'E', 'N', 'D', 'C', 'C', 'O', 'P', 'Y'};

enum {
    SUPER_VERSION = 8,
    SUPER_FORMAT = 16,
    AT_CRC = LEASE_SECTOR_BYTES - 4,
    SECTOR_FORMAT = 8,
    SECTOR_NONCE = 16,
    SECTOR_COUNT = 24,
    SECTOR_TICKET = 32,
    SECTOR_BALLOT = 40,
    SECTOR_OVER = 48,
    SECTOR_LIFE = SECTOR_OVER + 8 * SSI_SLOTS_MAX,
    SECTOR_FLAG = SECTOR_LIFE + 1,
    SECTOR_PROCESS = SECTOR_LIFE + 8,
    COPY_FORMAT = 8,
    COPY_CHUNK = 16,
    COPY_BALLOT = 24,
};
_Static_assert(SECTOR_PROCESS + 32 <= AT_CRC, "a lease fits into its sector");
_Static_assert(SSI_SLOTS_MAX *LEASE_SECTOR_BYTES <= LEASE_BEATS_AT - LEASE_SECTORS_AT &&
                   LEASE_BEATS_AT + LEASE_CHUNK_BYTES <= LEASE_CHUNKS_AT,
               "no two areas overlap");
_Static_assert(PDR_FILE_BYTES % LEASE_CHUNK_BYTES == 0 &&
                   PDR_HEADER_AT(0) % LEASE_CHUNK_BYTES == 0 &&
                   PDR_HEADER_AT(1) % LEASE_CHUNK_BYTES == 0 &&
                   PDR_CLAIMS_AT(0) % LEASE_CHUNK_BYTES == 0 &&
                   PDR_CLAIMS_AT(1) % LEASE_CHUNK_BYTES == 0 &&
                   PDR_BLOCK_AT(0) % LEASE_CHUNK_BYTES == 0 &&
                   PDR_BLOCK_BYTES == LEASE_CHUNK_BYTES &&
                   PDR_HEADER_BYTES == LEASE_CHUNK_BYTES,
               "what the PDR writes at once is whole chunks");

static void sealed(u8 *p, const u8 magic[8], u64 format)
{
    memcpy(p, magic, 8);
    be64_store(p + SECTOR_FORMAT, format);
    be32_store(p + AT_CRC, (u32)crc32(0, p, AT_CRC));
}

static bool whole(const u8 *p, const u8 magic[8], u64 format)
{
    return memcmp(p, magic, 8) == 0 && be64_load(p + SECTOR_FORMAT) == format &&
           be32_load(p + AT_CRC) == (u32)crc32(0, p, AT_CRC);
}

void lease_super_encode(u8 out[LEASE_SECTOR_BYTES], u64 format)
{
    memset(out, 0, LEASE_SECTOR_BYTES);
    memcpy(out, super_magic, sizeof super_magic);
    be32_store(out + SUPER_VERSION, LEASE_VERSION);
    be64_store(out + SUPER_FORMAT, format);
    be32_store(out + AT_CRC, (u32)crc32(0, out, AT_CRC));
}

u64 lease_super_decode(const u8 p[LEASE_SECTOR_BYTES], bool *newer)
{
    bool good = memcmp(p, super_magic, sizeof super_magic) == 0 &&
                be32_load(p + AT_CRC) == (u32)crc32(0, p, AT_CRC);
    *newer = good && be32_load(p + SUPER_VERSION) != LEASE_VERSION;
    return good && !*newer ? be64_load(p + SUPER_FORMAT) : 0;
}

void lease_sector_encode(u8 out[LEASE_SECTOR_BYTES], u64 format,
                         const struct lease_sector *sector)
{
    const struct ssi_process *process = &sector->process;
    const u64 about[] = {process->host_id, process->space, process->pid, process->start};
    memset(out, 0, LEASE_SECTOR_BYTES);
    be64_store(out + SECTOR_NONCE, sector->nonce);
    be64_store(out + SECTOR_COUNT, sector->count);
    be64_store(out + SECTOR_TICKET, sector->ticket);
    be64_store(out + SECTOR_BALLOT, sector->ballot);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        be64_store(out + SECTOR_OVER + 8 * (size_t)i, sector->over[i]);
    out[SECTOR_LIFE] = (u8)sector->life;
    out[SECTOR_FLAG] = (u8)sector->flag;
    for (unsigned i = 0; i < ARRAY_LEN(about); i++)
        be64_store(out + SECTOR_PROCESS + 8 * (size_t)i, about[i]);
    sealed(out, sector_magic, format);
}

bool lease_sector_decode(struct lease_sector *sector, u64 format,
                         const u8 p[LEASE_SECTOR_BYTES])
{
    if (!whole(p, sector_magic, format) || p[SECTOR_LIFE] > LEASE_HELD ||
        p[SECTOR_FLAG] > LEASE_LEFT)
        return false;
    *sector = (struct lease_sector){
        .nonce = be64_load(p + SECTOR_NONCE),
        .count = be64_load(p + SECTOR_COUNT),
        .ticket = be64_load(p + SECTOR_TICKET),
        .ballot = be64_load(p + SECTOR_BALLOT),
        .life = p[SECTOR_LIFE],
        .flag = p[SECTOR_FLAG],
        .process = {be64_load(p + SECTOR_PROCESS), be64_load(p + SECTOR_PROCESS + 8),
                    be64_load(p + SECTOR_PROCESS + 16), be64_load(p + SECTOR_PROCESS + 24)}};
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        sector->over[i] = be64_load(p + SECTOR_OVER + 8 * (size_t)i);
    return true;
}

static u32 copy_crc(const u8 copy[LEASE_COPY_BYTES])
{
    u32 crc = (u32)crc32(0, copy, AT_CRC);
    return (u32)crc32(crc, copy + LEASE_SECTOR_BYTES, LEASE_CHUNK_BYTES);
}

void lease_copy_seal(u8 copy[LEASE_COPY_BYTES], u64 format, u64 chunk, u64 ballot)
{
    memset(copy, 0, LEASE_SECTOR_BYTES);
    memcpy(copy, copy_magic, sizeof copy_magic);
    be64_store(copy + COPY_FORMAT, format);
    be64_store(copy + COPY_CHUNK, chunk);
    be64_store(copy + COPY_BALLOT, ballot);
    be32_store(copy + AT_CRC, copy_crc(copy));
}

u64 lease_copy_ballot(const u8 copy[LEASE_COPY_BYTES], u64 format, u64 chunk)
{
    bool good = memcmp(copy, copy_magic, sizeof copy_magic) == 0 &&
                be64_load(copy + COPY_FORMAT) == format &&
                be64_load(copy + COPY_CHUNK) == chunk &&
                be32_load(copy + AT_CRC) == copy_crc(copy);
    return good ? be64_load(copy + COPY_BALLOT) : 0;
}
