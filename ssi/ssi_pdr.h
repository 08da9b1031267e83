/* The persistent data record (PDR): who is in the cluster and who holds which name, on disk.
 * Layout of the file and the rules that make a torn write harmless: ssi_pdr.c. */
#ifndef ENDICOTT_SSI_SSI_PDR_H
#define ENDICOTT_SSI_SSI_PDR_H

#include "ssi/ssi.h"

#define PDR_VERSION 2
#define PDR_VERSION_OLD 1       /* is converted */
#define PDR_BEAT_BYTES 512      /* one heartbeat sector for each slot, from offset 0 */
#define PDR_HEADER_BYTES 4096   /* of a checkpoint */
#define PDR_OLD_CLAIMS_MAX 4096 /* version 1 has, twice, a header and its claims */
#define PDR_OLD_COPY_BYTES (PDR_HEADER_BYTES + PDR_OLD_CLAIMS_MAX * PDR_CLAIM_BYTES)
#define PDR_CLAIM_BYTES 40
#define PDR_ROW_BYTES 128
#define PDR_BLOCK_BYTES 4096
#define PDR_BLOCKS 1024           /* of the ring of changes */
#define PDR_CHECKPOINT_BLOCKS 512 /* a checkpoint is written after so many */
#define PDR_CHECKPOINT_MS 60000   /* ... or so long after the first */
#define PDR_HEADER_AT(copy) (4096 + (u64)(copy)*PDR_OLD_COPY_BYTES)
#define PDR_OLD_CLAIMS_AT(copy) (PDR_HEADER_AT(copy) + PDR_HEADER_BYTES)
#define PDR_CLAIMS_AT(copy) (PDR_HEADER_AT(2) + (u64)(copy)*SSI_CLAIMS_MAX * PDR_CLAIM_BYTES)
#define PDR_BLOCK_AT(seq) (PDR_CLAIMS_AT(2) + (seq) % PDR_BLOCKS * PDR_BLOCK_BYTES)
#define PDR_FILE_BYTES (PDR_CLAIMS_AT(2) + (u64)PDR_BLOCKS * PDR_BLOCK_BYTES)
#define PDR_LOCK_RECORD_AT (1ll << 40) /* bytes that are locked, far behind the data */
#define PDR_LOCK_LIFE_AT (PDR_LOCK_RECORD_AT + 16) /* of slot 0; those of the others follow */
#define PDR_OPS_MAX 100                            /* changes of names in one block, */
#define PDR_OPS_ROWS_MAX 64                        /* ... and in one with rows */
#define PDR_BUCKETS 16384u                         /* of the index by name; a power of 2 */

/** Why a member is down, as in z/VM's PMSBK. */
enum pdr_down { DOWN_UNDETERMINED, DOWN_LEFT, DOWN_WENT, DOWN_DECLARED };

struct pdr_row {
    char name[SSI_NAME_BYTES]; /* "": never used */
    char addr[SSI_ADDR_BYTES];
    u8 state, down_reason;
    u64 incarnation, host_id, since_ms;
};

/** A claim (mode 0, one for each kind and name) or a share (one for each kind, name, owner). */
struct pdr_claim {
    char name[SSI_CLAIM_NAME_BYTES];
    u16 kind;
    u8 owner;       /* slot */
    u8 mode;        /* of a share; 0: a claim */
    u64 generation; /* of a share: which part (ssi_part.c), 0: none */
};

/** One change of a name: of all that `claim.owner` holds, or of one key. */
struct pdr_op {
    enum pdr_op_code { PDR_OP_PUT = 1, PDR_OP_REMOVE = 2, PDR_OP_DROP = 3 } code;
    struct pdr_claim claim;
};

/** What a header is: zeros, torn or damaged, not ours at all, of a version to come, of version 1,
 * or as it should be. */
enum pdr_header {
    PDR_HEADER_BLANK,
    PDR_HEADER_BAD,
    PDR_HEADER_FOREIGN,
    PDR_HEADER_NEWER,
    PDR_HEADER_OLD,
    PDR_HEADER_GOOD,
};

/** What a file turned out to be. */
enum pdr_found { PDR_FOUND_NOTHING, PDR_FOUND_OLD, PDR_FOUND_GOOD };

/**
 * The record in memory, as it was at `seq`, with what has been changed since and not written.
 * All zero is empty. Created by whoever reads or writes a PDR, emptied by ssi_pdr_fini;
 * serialised by its owner.
 */
struct ssi_pdr {
    char cluster[SSI_NAME_BYTES];
    u64 seq, id;    /* of the last change; `id` is random and names it */
    u64 generation; /* the last one given out */
    struct pdr_row rows[SSI_SLOTS_MAX];
    u32 n_claims, room; /* claims and shares */
    struct pdr_claim *claims;
    u32 *next;                      /* of the same bucket: index + 1 */
    u32 bucket[PDR_BUCKETS];        /* index + 1 of the first */
    struct pdr_op ops[PDR_OPS_MAX]; /* changes not written yet */
    unsigned n_ops;
    bool valid; /* follows the file */
    bool gap;   /* behind `seq` are blocks, but not the next one */
    enum pdr_found found;
    enum pdr_header head[2]; /* of the checkpoints */
    u64 head_seq[2], head_id[2];
    u8 heads[2][PDR_HEADER_BYTES];              /* as read or written last */
    u8 row_bytes[SSI_SLOTS_MAX][PDR_ROW_BYTES]; /* the rows as they are in the file */
};

/** Where a PDR is read from: `len` bytes at `offset`, zeros behind the end of the file. */
struct pdr_file {
    void *ctx;
    int (*read)(void *ctx, u64 offset, void *data, size_t len, struct cause *cause);
};

void ssi_pdr_fini(struct ssi_pdr *pdr);

/**
 * Bring `pdr` in line with the file: changes behind `seq`, or all of it. `pdr->found` tells what is
 * there. ST_PROTO damaged, ST_CONFIG no PDR or one of a newer version, ST_IO, ST_NOMEM: `pdr` keeps
 * what it knew, and is no longer `valid`.
 */
int ssi_pdr_follow(struct ssi_pdr *pdr, const struct pdr_file *file, struct cause *cause);

/* --- bytes (ssi_pdr.c) --- */

/** Does a member that is not Down, or was not before the changes, run on another host? */
bool ssi_pdr_abroad(const struct ssi_pdr *pdr, u64 host_id);
/** Header of a checkpoint of `pdr`, whose claims have that crc. */
void ssi_pdr_header_encode(const struct ssi_pdr *pdr, u32 claims_crc, u8 out[PDR_HEADER_BYTES]);
/** Decode all but the claims; *n_claims and *claims_crc say what is to be read. */
enum pdr_header ssi_pdr_header_decode(struct ssi_pdr *pdr, const u8 *p, u32 *n_claims,
                                      u32 *claims_crc);
void ssi_pdr_claim_encode(const struct pdr_claim *claim, u8 out[PDR_CLAIM_BYTES]);
bool ssi_pdr_claim_decode(struct pdr_claim *claim, const u8 p[PDR_CLAIM_BYTES]);
void ssi_pdr_row_encode(const struct pdr_row *row, u8 out[PDR_ROW_BYTES]);
/** The block of the change that leads to `pdr`, behind the one named `before`; returns how much of
 * it is to be written. */
size_t ssi_pdr_block_encode(const struct ssi_pdr *pdr, u64 before, u8 out[PDR_BLOCK_BYTES]);
/** Number and name of a block, without looking at the rest; false: it is none. */
bool ssi_pdr_block_peek(const u8 *p, u64 *seq, u64 *id, u64 *before);
bool ssi_pdr_block_whole(const u8 p[PDR_BLOCK_BYTES]);
/** Apply a whole block. ST_PROTO: it makes no sense, and nothing is changed; ST_LIMIT, ST_NOMEM. */
int ssi_pdr_block_apply(struct ssi_pdr *pdr, const u8 p[PDR_BLOCK_BYTES]);

void ssi_pdr_beat_encode(u8 out[PDR_BEAT_BYTES], unsigned slot, u64 incarnation, u64 wall_ms);
/** Wall clock of a heartbeat sector of that slot and incarnation, or 0. */
u64 ssi_pdr_beat_decode(const u8 p[PDR_BEAT_BYTES], unsigned slot, u64 incarnation);
/** The same of any incarnation. */
u64 ssi_pdr_beat_any(const u8 p[PDR_BEAT_BYTES], unsigned slot);

/* --- names (ssi_pdr_table.c); changes are kept in `ops` until they are written --- */

struct pdr_claim *ssi_claim_row(const struct ssi_pdr *pdr, u16 kind, const char *name);
struct pdr_claim *ssi_share_row(const struct ssi_pdr *pdr, u16 kind, const char *name,
                                unsigned owner);
/** Another's share of the name whose mode has a bit of `refuse`, or NULL. */
const struct pdr_claim *ssi_share_against(const struct ssi_pdr *pdr, u16 kind, const char *name,
                                          unsigned owner, u8 refuse);
/** Put in, or in place of what has the same key. ST_LIMIT, ST_NOMEM. */
int ssi_claim_put(struct ssi_pdr *pdr, const struct pdr_claim *claim);
/** Take out what has that key; `claim` may point into the table. */
void ssi_claim_remove(struct ssi_pdr *pdr, const struct pdr_claim *claim);
/** Take out all that a slot holds; returns how many. */
unsigned ssi_claims_drop(struct ssi_pdr *pdr, unsigned slot);
/** Carry out a change without keeping it. */
int ssi_pdr_op_apply(struct ssi_pdr *pdr, const struct pdr_op *op);
/** Empty the table. */
void ssi_claims_clear(struct ssi_pdr *pdr);

#endif
