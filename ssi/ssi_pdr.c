/* The PDR's bytes, version 2: two checkpoints, and a ring of the changes made since.
 *
 *   0        heartbeat sectors, 8 * 512: written by their owner alone, without the lock
 *   4096     header of checkpoint 0: cluster, number of the last change in it, rows, crcs
 *   172032   header of checkpoint 1 (both where version 1 has its headers, so that a release
 *            which knows version 1 only finds two damaged copies, and touches nothing)
 *   339968   claims and shares of checkpoint 0: 65536 * 40; then those of checkpoint 1
 *   ...      ring: 1024 blocks of 4096; change number s is in block s % 1024
 *
 * [P1] A change is one block and one write: rows and names that it changes, its number, a random
 *      name, the name of the change before it, a crc. A reader takes block s + 1 when it is whole
 *      and follows the change it knows; a torn block is none, and is written over by the next.
 *      The names tell the changes of two histories apart: a block of a write that was lost, or
 *      that comes late, follows nothing.
 * [P2] A checkpoint holds the state after some change; it is written after 512 changes or a
 *      minute, to the older of the two, and is on stable storage before block s - 1024 is written
 *      over. While one of the two is whole nothing is lost, as the ring reaches back to the older
 *      one.
 * [P3] A reader that follows the file looks at both headers first: whoever has missed so many
 *      changes that blocks it needs may be gone finds a checkpoint that it does not know.
 * [P4] A change is on stable storage before the lock is given back, unless all members that are
 *      not Down are on one host. There, what a process has written survives its end however it
 *      ends, and the end of the host ends all members and what they hold. Then a part of the
 *      changes may be missing: [P1] finds those that follow nothing, and an older state says
 *      Joined of members of which none runs.
 * Everything is big-endian; crc32 covers each block, header, and the claims of a checkpoint. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "mem/base/ergo.h"
#include "ssi/ssi_pdr.h"

#include <zlib.h>

static const u8 pdr_magic[8] = {'E', 'N', 'D', 'C', 'P', 'D', 'R', '1'};
static const u8 block_magic[8] = {'E', 'N', 'D', 'C', 'P', 'D', 'R', 'B'};
static const u8 beat_magic[4] = {'B', 'E', 'A', 'T'};

enum {
    AT_VERSION = 8,
    AT_CLUSTER = 16,
    AT_SEQ = 24,
    AT_GENERATION = 32,
    AT_CLAIMS = 40,
    AT_CLAIMS_CRC = 44,
    AT_ID = 48,
    AT_ROWS = 128,
    AT_CRC = PDR_HEADER_BYTES - 4,
    ROW_STATE = 8,
    ROW_REASON = 9,
    ROW_INCARNATION = 16,
    ROW_HOST = 24,
    ROW_SINCE = 32,
    ROW_ADDR = 48,
    CLAIM_KIND = 24,
    CLAIM_OWNER = 26,
    CLAIM_MODE = 27,
    CLAIM_OP = 28, /* in a block */
    CLAIM_GENERATION = 32,
    BLOCK_SEQ = 8,
    BLOCK_ID = 16,
    BLOCK_BEFORE = 24,
    BLOCK_GENERATION = 32,
    BLOCK_ROWS = 40, /* mask of slots */
    BLOCK_OPS = 41,
    BLOCK_CRC = 60, /* of what is before it and what is behind it */
    BLOCK_DATA = 64,
};
_Static_assert(AT_ROWS + SSI_SLOTS_MAX * PDR_ROW_BYTES <= AT_CRC, "rows fit into the header");
_Static_assert(ROW_ADDR + SSI_ADDR_BYTES <= PDR_ROW_BYTES, "an address fits into a row");
_Static_assert(SSI_SLOTS_MAX *PDR_BEAT_BYTES <= 4096, "heartbeats precede the headers");
_Static_assert(BLOCK_DATA + PDR_OPS_MAX * PDR_CLAIM_BYTES <= PDR_BLOCK_BYTES &&
                   BLOCK_DATA + SSI_SLOTS_MAX * PDR_ROW_BYTES +
                           PDR_OPS_ROWS_MAX * PDR_CLAIM_BYTES <=
                       PDR_BLOCK_BYTES,
               "every change fits into a block");
_Static_assert(PDR_CHECKPOINT_BLOCKS * 2 <= PDR_BLOCKS,
               "the ring reaches the older checkpoint");

static void text_load(char *out, const u8 *p, size_t room)
{
    memcpy(out, p, room - 1);
    out[room - 1] = 0;
}

void ssi_pdr_row_encode(const struct pdr_row *row, u8 out[PDR_ROW_BYTES])
{
    memset(out, 0, PDR_ROW_BYTES);
    memcpy(out, row->name, strlen(row->name));
    out[ROW_STATE] = row->state;
    out[ROW_REASON] = row->down_reason;
    be64_store(out + ROW_INCARNATION, row->incarnation);
    be64_store(out + ROW_HOST, row->host_id);
    be64_store(out + ROW_SINCE, row->since_ms);
    memcpy(out + ROW_ADDR, row->addr, strlen(row->addr));
}

static void row_decode(struct ssi_pdr *pdr, unsigned slot, const u8 *p)
{
    struct pdr_row *row = &pdr->rows[slot];
    memcpy(pdr->row_bytes[slot], p, PDR_ROW_BYTES);
    memset(row, 0, sizeof *row);
    text_load(row->name, p, SSI_NAME_BYTES);
    row->state = p[ROW_STATE];
    row->down_reason = p[ROW_REASON];
    row->incarnation = be64_load(p + ROW_INCARNATION);
    row->host_id = be64_load(p + ROW_HOST);
    row->since_ms = be64_load(p + ROW_SINCE);
    text_load(row->addr, p + ROW_ADDR, SSI_ADDR_BYTES);
}

bool ssi_pdr_abroad(const struct ssi_pdr *pdr, u64 host_id)
{
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        const struct pdr_row *row = &pdr->rows[i];
        const u8 *was = pdr->row_bytes[i];
        if ((row->state != SSI_DOWN && row->host_id != host_id) ||
            (was[ROW_STATE] != SSI_DOWN && be64_load(was + ROW_HOST) != host_id))
            return true;
    }
    return false;
}

void ssi_pdr_claim_encode(const struct pdr_claim *claim, u8 out[PDR_CLAIM_BYTES])
{
    memset(out, 0, PDR_CLAIM_BYTES);
    memcpy(out, claim->name, strlen(claim->name));
    be16_store(out + CLAIM_KIND, claim->kind);
    out[CLAIM_OWNER] = claim->owner;
    out[CLAIM_MODE] = claim->mode;
    be64_store(out + CLAIM_GENERATION, claim->generation);
}

bool ssi_pdr_claim_decode(struct pdr_claim *claim, const u8 p[PDR_CLAIM_BYTES])
{
    memset(claim, 0, sizeof *claim);
    text_load(claim->name, p, SSI_CLAIM_NAME_BYTES);
    claim->kind = be16_load(p + CLAIM_KIND);
    claim->owner = p[CLAIM_OWNER];
    claim->mode = p[CLAIM_MODE];
    claim->generation = be64_load(p + CLAIM_GENERATION);
    return claim->owner < SSI_SLOTS_MAX;
}

static u32 crc_of(const void *p, size_t len)
{
    return (u32)crc32(0, p, (uInt)len);
}

void ssi_pdr_header_encode(const struct ssi_pdr *pdr, u32 claims_crc, u8 out[PDR_HEADER_BYTES])
{
    memset(out, 0, PDR_HEADER_BYTES);
    memcpy(out, pdr_magic, sizeof pdr_magic);
    be32_store(out + AT_VERSION, PDR_VERSION);
    memcpy(out + AT_CLUSTER, pdr->cluster, strlen(pdr->cluster));
    be64_store(out + AT_SEQ, pdr->seq);
    be64_store(out + AT_GENERATION, pdr->generation);
    be32_store(out + AT_CLAIMS, pdr->n_claims);
    be32_store(out + AT_CLAIMS_CRC, claims_crc);
    be64_store(out + AT_ID, pdr->id);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        ssi_pdr_row_encode(&pdr->rows[i], out + AT_ROWS + (size_t)i * PDR_ROW_BYTES);
    be32_store(out + AT_CRC, crc_of(out, AT_CRC));
}

/* Not a byte of another's: zeros, or what a first write of a header has left when it was torn. */
static bool header_unwritten(const u8 *p)
{
    size_t n = 0;
    while (n < sizeof pdr_magic && p[n] == pdr_magic[n])
        n++;
    return n == sizeof pdr_magic ||
           (p[n] == 0 && memcmp(p + n, p + n + 1, PDR_HEADER_BYTES - n - 1) == 0);
}

enum pdr_header ssi_pdr_header_decode(struct ssi_pdr *pdr, const u8 *p, u32 *n_claims,
                                      u32 *claims_crc)
{
    if (p[0] == 0 && memcmp(p, p + 1, PDR_HEADER_BYTES - 1) == 0)
        return PDR_HEADER_BLANK;
    if (memcmp(p, pdr_magic, sizeof pdr_magic) != 0)
        return header_unwritten(p) ? PDR_HEADER_BAD : PDR_HEADER_FOREIGN;
    u32 version = be32_load(p + AT_VERSION);
    if (be32_load(p + AT_CRC) != crc_of(p, AT_CRC))
        return PDR_HEADER_BAD;
    if (version > PDR_VERSION)
        return PDR_HEADER_NEWER;
    *n_claims = be32_load(p + AT_CLAIMS);
    *claims_crc = be32_load(p + AT_CLAIMS_CRC);
    u32 limit = version == PDR_VERSION ? SSI_CLAIMS_MAX : PDR_OLD_CLAIMS_MAX;
    if (!version || *n_claims > limit)
        return PDR_HEADER_BAD;
    text_load(pdr->cluster, p + AT_CLUSTER, SSI_NAME_BYTES);
    pdr->seq = be64_load(p + AT_SEQ);
    pdr->id = be64_load(p + AT_ID);
    pdr->generation = be64_load(p + AT_GENERATION);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        row_decode(pdr, i, p + AT_ROWS + (size_t)i * PDR_ROW_BYTES);
    return version == PDR_VERSION ? PDR_HEADER_GOOD : PDR_HEADER_OLD;
}

/* Bytes of a block that are used; 0: its counts make no sense. */
static size_t block_used(const u8 *p)
{
    size_t rows = (size_t)__builtin_popcount(p[BLOCK_ROWS]) * PDR_ROW_BYTES;
    size_t used = BLOCK_DATA + rows + (size_t)p[BLOCK_OPS] * PDR_CLAIM_BYTES;
    return used <= PDR_BLOCK_BYTES ? used : 0;
}

static u32 block_crc(const u8 *p, size_t used)
{
    u32 crc = crc_of(p, BLOCK_CRC);
    return (u32)crc32(crc, p + BLOCK_DATA, (uInt)(used - BLOCK_DATA));
}

size_t ssi_pdr_block_encode(const struct ssi_pdr *pdr, u64 before, u8 out[PDR_BLOCK_BYTES])
{
    u8 *p = out + BLOCK_DATA;
    memset(out, 0, PDR_BLOCK_BYTES);
    memcpy(out, block_magic, sizeof block_magic);
    be64_store(out + BLOCK_SEQ, pdr->seq);
    be64_store(out + BLOCK_ID, pdr->id);
    be64_store(out + BLOCK_BEFORE, before);
    be64_store(out + BLOCK_GENERATION, pdr->generation);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        ssi_pdr_row_encode(&pdr->rows[i], p);
        if (memcmp(p, pdr->row_bytes[i], PDR_ROW_BYTES) == 0)
            continue;
        out[BLOCK_ROWS] |= (u8)(1u << i);
        p += PDR_ROW_BYTES;
    }
    out[BLOCK_OPS] = (u8)pdr->n_ops;
    for (unsigned i = 0; i < pdr->n_ops; i++, p += PDR_CLAIM_BYTES) {
        ssi_pdr_claim_encode(&pdr->ops[i].claim, p);
        p[CLAIM_OP] = (u8)pdr->ops[i].code;
    }
    size_t used = (size_t)(p - out);
    be32_store(out + BLOCK_CRC, block_crc(out, used));
    return used;
}

bool ssi_pdr_block_peek(const u8 *p, u64 *seq, u64 *id, u64 *before)
{
    *seq = be64_load(p + BLOCK_SEQ);
    *id = be64_load(p + BLOCK_ID);
    *before = be64_load(p + BLOCK_BEFORE);
    return memcmp(p, block_magic, sizeof block_magic) == 0;
}

bool ssi_pdr_block_whole(const u8 p[PDR_BLOCK_BYTES])
{
    size_t used = block_used(p);
    return used && be32_load(p + BLOCK_CRC) == block_crc(p, used);
}

/* The change of a name at `q`; false: it is none. */
static bool op_decode(struct pdr_op *op, const u8 *q)
{
    bool owned = ssi_pdr_claim_decode(&op->claim, q);
    op->code = q[CLAIM_OP];
    return owned && op->code >= PDR_OP_PUT && op->code <= PDR_OP_DROP;
}

static bool ops_sound(const u8 *p)
{
    const u8 *q = p + BLOCK_DATA + __builtin_popcount(p[BLOCK_ROWS]) * PDR_ROW_BYTES;
    struct pdr_op op;
    unsigned i = 0;
    while (i < p[BLOCK_OPS] && op_decode(&op, q + (size_t)i * PDR_CLAIM_BYTES))
        i++;
    return i == p[BLOCK_OPS];
}

int ssi_pdr_block_apply(struct ssi_pdr *pdr, const u8 p[PDR_BLOCK_BYTES])
{
    const u8 *q = p + BLOCK_DATA;
    PRE(block_used(p));
    if (!ops_sound(p))
        return ST_PROTO;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        if (!(p[BLOCK_ROWS] >> i & 1))
            continue;
        row_decode(pdr, i, q);
        q += PDR_ROW_BYTES;
    }
    for (unsigned i = 0; i < p[BLOCK_OPS]; i++, q += PDR_CLAIM_BYTES) {
        struct pdr_op op;
        int rc = op_decode(&op, q) ? ssi_pdr_op_apply(pdr, &op) : ST_PROTO;
        if (rc)
            return rc;
    }
    pdr->seq = be64_load(p + BLOCK_SEQ);
    pdr->id = be64_load(p + BLOCK_ID);
    pdr->generation = be64_load(p + BLOCK_GENERATION);
    return ST_OK;
}

void ssi_pdr_beat_encode(u8 out[PDR_BEAT_BYTES], unsigned slot, u64 incarnation, u64 wall_ms)
{
    memset(out, 0, PDR_BEAT_BYTES);
    memcpy(out, beat_magic, sizeof beat_magic);
    be32_store(out + 4, slot);
    be64_store(out + 8, incarnation);
    be64_store(out + 16, wall_ms);
    be32_store(out + 24, crc_of(out, 24));
}

u64 ssi_pdr_beat_decode(const u8 p[PDR_BEAT_BYTES], unsigned slot, u64 incarnation)
{
    if (memcmp(p, beat_magic, sizeof beat_magic) != 0 || be32_load(p + 4) != slot ||
        be64_load(p + 8) != incarnation || be32_load(p + 24) != crc_of(p, 24))
        return 0;
    return be64_load(p + 16);
}

u64 ssi_pdr_beat_any(const u8 p[PDR_BEAT_BYTES], unsigned slot)
{
    return ssi_pdr_beat_decode(p, slot, be64_load(p + 8));
}
