/* The PDR's bytes. Two copies alternate: each write goes to the older one with the next
 * sequence number, so that a torn write leaves the newest good copy in place.
 *
 *   0     heartbeat sectors, 8 * 512: written by their owner alone, without the lock
 *   4096  copy 0: header block 4096 (cluster, sequence, rows, crcs), claims 4096 * 40
 *   ...   copy 1
 * A reader takes the good copy with the greater sequence number; crc32 covers all of it. */
#include "ssi/ssi_internal.h"

#include <zlib.h>

static const u8 pdr_magic[8] = {'E', 'N', 'D', 'C', 'P', 'D', 'R', '1'};
static const u8 beat_magic[4] = {'B', 'E', 'A', 'T'};

enum {
    AT_VERSION = 8,
    AT_CLUSTER = 16,
    AT_SEQ = 24,
    AT_GENERATION = 32,
    AT_CLAIMS = 40,
    AT_CLAIMS_CRC = 44,
    AT_ROWS = 128,
    ROW_BYTES = 128,
    ROW_STATE = 8,
    ROW_REASON = 9,
    ROW_INCARNATION = 16,
    ROW_HOST = 24,
    ROW_SINCE = 32,
    ROW_ADDR = 48,
    AT_CRC = PDR_HEADER_BYTES - 4,
    CLAIM_KIND = 24,
    CLAIM_OWNER = 26,
    CLAIM_GENERATION = 32,
};
_Static_assert(AT_ROWS + SSI_SLOTS_MAX * ROW_BYTES <= AT_CRC, "rows fit into the header");
_Static_assert(ROW_ADDR + SSI_ADDR_BYTES <= ROW_BYTES, "an address fits into a row");
_Static_assert(SSI_SLOTS_MAX *PDR_BEAT_BYTES <= PDR_COPY_AT, "heartbeats precede the copies");

static void text_load(char *out, const u8 *p, size_t room)
{
    memcpy(out, p, room - 1);
    out[room - 1] = 0;
}

static void row_encode(const struct pdr_row *row, u8 *p)
{
    memcpy(p, row->name, strlen(row->name));
    p[ROW_STATE] = row->state;
    p[ROW_REASON] = row->down_reason;
    be64_store(p + ROW_INCARNATION, row->incarnation);
    be64_store(p + ROW_HOST, row->host_id);
    be64_store(p + ROW_SINCE, row->since_ms);
    memcpy(p + ROW_ADDR, row->addr, strlen(row->addr));
}

static void row_decode(struct pdr_row *row, const u8 *p)
{
    text_load(row->name, p, SSI_NAME_BYTES);
    row->state = p[ROW_STATE];
    row->down_reason = p[ROW_REASON];
    row->incarnation = be64_load(p + ROW_INCARNATION);
    row->host_id = be64_load(p + ROW_HOST);
    row->since_ms = be64_load(p + ROW_SINCE);
    text_load(row->addr, p + ROW_ADDR, SSI_ADDR_BYTES);
}

size_t ssi_pdr_encode(struct ssi_pdr *pdr, u8 *out)
{
    size_t claims_bytes = (size_t)pdr->n_claims * PDR_CLAIM_BYTES;
    memset(out, 0, PDR_HEADER_BYTES + claims_bytes);
    u8 *p = out + PDR_HEADER_BYTES;
    for (u32 i = 0; i < pdr->n_claims; i++, p += PDR_CLAIM_BYTES) {
        const struct pdr_claim *claim = &pdr->claims[i];
        memcpy(p, claim->name, strlen(claim->name));
        be16_store(p + CLAIM_KIND, claim->kind);
        p[CLAIM_OWNER] = claim->owner;
        be64_store(p + CLAIM_GENERATION, claim->generation);
    }
    pdr->claims_crc = (u32)crc32(0, out + PDR_HEADER_BYTES, (uInt)claims_bytes);
    memcpy(out, pdr_magic, sizeof pdr_magic);
    be32_store(out + AT_VERSION, PDR_VERSION);
    memcpy(out + AT_CLUSTER, pdr->cluster, strlen(pdr->cluster));
    be64_store(out + AT_SEQ, pdr->seq);
    be64_store(out + AT_GENERATION, pdr->generation);
    be32_store(out + AT_CLAIMS, pdr->n_claims);
    be32_store(out + AT_CLAIMS_CRC, pdr->claims_crc);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        row_encode(&pdr->rows[i], out + AT_ROWS + (size_t)i * ROW_BYTES);
    pdr->header_crc = (u32)crc32(0, out, AT_CRC);
    be32_store(out + AT_CRC, pdr->header_crc);
    return PDR_HEADER_BYTES + claims_bytes;
}

enum pdr_header ssi_pdr_decode_header(struct ssi_pdr *pdr, const u8 *p)
{
    if (p[0] == 0 && memcmp(p, p + 1, PDR_HEADER_BYTES - 1) == 0)
        return PDR_HEADER_BLANK;
    if (memcmp(p, pdr_magic, sizeof pdr_magic) != 0 ||
        be32_load(p + AT_CRC) != (u32)crc32(0, p, AT_CRC) ||
        be32_load(p + AT_VERSION) != PDR_VERSION || be32_load(p + AT_CLAIMS) > SSI_CLAIMS_MAX)
        return PDR_HEADER_BAD;
    text_load(pdr->cluster, p + AT_CLUSTER, SSI_NAME_BYTES);
    pdr->seq = be64_load(p + AT_SEQ);
    pdr->generation = be64_load(p + AT_GENERATION);
    pdr->n_claims = be32_load(p + AT_CLAIMS);
    pdr->claims_crc = be32_load(p + AT_CLAIMS_CRC);
    pdr->header_crc = be32_load(p + AT_CRC);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        row_decode(&pdr->rows[i], p + AT_ROWS + (size_t)i * ROW_BYTES);
    return PDR_HEADER_GOOD;
}

bool ssi_pdr_decode_claims(struct ssi_pdr *pdr, const u8 *p)
{
    size_t bytes = (size_t)pdr->n_claims * PDR_CLAIM_BYTES;
    if ((u32)crc32(0, p, (uInt)bytes) != pdr->claims_crc)
        return false;
    for (u32 i = 0; i < pdr->n_claims; i++, p += PDR_CLAIM_BYTES) {
        struct pdr_claim *claim = &pdr->claims[i];
        text_load(claim->name, p, SSI_CLAIM_NAME_BYTES);
        claim->kind = be16_load(p + CLAIM_KIND);
        claim->owner = p[CLAIM_OWNER];
        claim->generation = be64_load(p + CLAIM_GENERATION);
        if (claim->owner >= SSI_SLOTS_MAX)
            return false;
    }
    return true;
}

void ssi_pdr_beat_encode(u8 out[PDR_BEAT_BYTES], unsigned slot, u64 incarnation, u64 wall_ms)
{
    memset(out, 0, PDR_BEAT_BYTES);
    memcpy(out, beat_magic, sizeof beat_magic);
    be32_store(out + 4, slot);
    be64_store(out + 8, incarnation);
    be64_store(out + 16, wall_ms);
    be32_store(out + 24, (u32)crc32(0, out, 24));
}

u64 ssi_pdr_beat_decode(const u8 p[PDR_BEAT_BYTES], unsigned slot, u64 incarnation)
{
    if (memcmp(p, beat_magic, sizeof beat_magic) != 0 || be32_load(p + 4) != slot ||
        be64_load(p + 8) != incarnation || be32_load(p + 24) != (u32)crc32(0, p, 24))
        return 0;
    return be64_load(p + 16);
}
