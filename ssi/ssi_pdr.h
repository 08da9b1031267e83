/* The persistent data record (PDR): who is in the cluster and who owns which name, on disk.
 * Layout of the file and the rules that make a torn write harmless: ssi_pdr.c. */
#ifndef ENDICOTT_SSI_SSI_PDR_H
#define ENDICOTT_SSI_SSI_PDR_H

#include "ssi/ssi.h"

#define PDR_VERSION 1
#define PDR_BEAT_BYTES 512 /* one heartbeat sector for each slot, from offset 0 */
#define PDR_COPY_AT 4096   /* of copy 0 */
#define PDR_HEADER_BYTES 4096
#define PDR_CLAIM_BYTES 40
#define PDR_COPY_BYTES (PDR_HEADER_BYTES + SSI_CLAIMS_MAX * PDR_CLAIM_BYTES)
#define PDR_FILE_BYTES (PDR_COPY_AT + 2 * PDR_COPY_BYTES)

/** Why a member is down, as in z/VM's PMSBK. */
enum pdr_down { DOWN_UNDETERMINED, DOWN_LEFT, DOWN_WENT, DOWN_DECLARED };

struct pdr_row {
    char name[SSI_NAME_BYTES]; /* "": never used */
    char addr[SSI_ADDR_BYTES];
    u8 state, down_reason;
    u64 incarnation, host_id, since_ms;
};

struct pdr_claim {
    char name[SSI_CLAIM_NAME_BYTES];
    u16 kind;
    u8 owner; /* slot */
    u64 generation;
};

/** One copy, decoded. About 170 KB. */
struct ssi_pdr {
    char cluster[SSI_NAME_BYTES];
    u64 seq, generation; /* the last generation given out */
    struct pdr_row rows[SSI_SLOTS_MAX];
    u32 n_claims;
    u32 claims_crc, header_crc;
    struct pdr_claim claims[SSI_CLAIMS_MAX];
};

enum pdr_header { PDR_HEADER_BLANK, PDR_HEADER_BAD, PDR_HEADER_GOOD };

/** Encode into `out` (PDR_COPY_BYTES); returns the number of bytes used; sets claims_crc. */
size_t ssi_pdr_encode(struct ssi_pdr *pdr, u8 *out);
/** Decode a header block; claims are left alone. */
enum pdr_header ssi_pdr_decode_header(struct ssi_pdr *pdr, const u8 *p);
/** Decode pdr->n_claims claims; false when their crc or content is wrong. */
bool ssi_pdr_decode_claims(struct ssi_pdr *pdr, const u8 *p);

void ssi_pdr_beat_encode(u8 out[PDR_BEAT_BYTES], unsigned slot, u64 incarnation, u64 wall_ms);
/** Wall clock of a heartbeat sector of that slot and incarnation, or 0. */
u64 ssi_pdr_beat_decode(const u8 p[PDR_BEAT_BYTES], unsigned slot, u64 incarnation);

#endif
