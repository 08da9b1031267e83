/* Reading a PDR: the newest whole checkpoint, then the changes behind it; later the changes only.
 * Reads, and never writes; the rules [P1] to [P4] stand in ssi_pdr.c. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "mem/base/ergo.h"
#include "ssi/ssi_pdr.h"

#include <stdlib.h>
#include <zlib.h>

#define CHUNK_CLAIMS 1024
#define GAP_BLOCKS 8u
_Static_assert(PDR_BLOCKS % GAP_BLOCKS == 0, "the ring is whole groups");

static int damaged(struct cause *cause, const char *what)
{
    return cause_set(cause, ST_PROTO, "the PDR is damaged: %s", what);
}

/* The changes behind the one that `pdr` knows, as far as they go. */
static int changes_read(struct ssi_pdr *pdr, const struct pdr_file *file, struct cause *cause)
{
    u8 block[PDR_BLOCK_BYTES];
    for (unsigned i = 0; i <= PDR_BLOCKS; i++) {
        u64 seq, id, before;
        int rc = file->read(file->ctx, PDR_BLOCK_AT(pdr->seq + 1), block, sizeof block, cause);
        if (rc)
            return rc;
        if (!ssi_pdr_block_peek(block, &seq, &id, &before) || seq != pdr->seq + 1 ||
            before != pdr->id || !ssi_pdr_block_whole(block))
            return ST_OK;
        rc = ssi_pdr_block_apply(pdr, block);
        if (rc)
            return cause_set(cause, rc, "change %llu of the PDR makes no sense",
                             (unsigned long long)seq);
    }
    return damaged(cause, "its changes have no end");
}

/* Is there a change that follows nothing? The rest of a lost history, or a block is damaged.
 * Several at a time, which a medium without locks does not take for the end of the changes. */
static int gap_look(struct ssi_pdr *pdr, const struct pdr_file *file, struct cause *cause)
{
    u8 blocks[GAP_BLOCKS][PDR_BLOCK_BYTES];
    pdr->gap = false;
    for (u64 i = 1; i <= PDR_CHECKPOINT_BLOCKS && !pdr->gap; i += GAP_BLOCKS) {
        u64 first = (pdr->seq + i) / GAP_BLOCKS * GAP_BLOCKS;
        int rc = file->read(file->ctx, PDR_BLOCK_AT(first), blocks, sizeof blocks, cause);
        if (rc)
            return rc;
        for (unsigned k = 0; k < GAP_BLOCKS; k++) {
            u64 seq, id, before;
            pdr->gap |= ssi_pdr_block_peek(blocks[k], &seq, &id, &before) && seq == first + k &&
                        seq > pdr->seq && before != pdr->id && ssi_pdr_block_whole(blocks[k]);
        }
    }
    return ST_OK;
}

static int claims_read(struct ssi_pdr *pdr, const struct pdr_file *file, u64 at, u32 n, u32 crc,
                       struct cause *cause)
{
    u8 *chunk = malloc((size_t)CHUNK_CLAIMS * PDR_CLAIM_BYTES);
    uLong sum = crc32(0, NULL, 0);
    int rc = chunk ? ST_OK : cause_set(cause, ST_NOMEM, "out of memory");
    while (n && rc == ST_OK) {
        u32 part = n < CHUNK_CLAIMS ? n : CHUNK_CLAIMS;
        size_t len = (size_t)part * PDR_CLAIM_BYTES;
        rc = file->read(file->ctx, at, chunk, len, cause);
        sum = crc32(sum, chunk, (uInt)len);
        for (u32 i = 0; i < part && rc == ST_OK; i++) {
            struct pdr_op op = {.code = PDR_OP_PUT};
            bool good = ssi_pdr_claim_decode(&op.claim, chunk + (size_t)i * PDR_CLAIM_BYTES);
            rc = good ? ssi_pdr_op_apply(pdr, &op) : damaged(cause, "a name has no owner");
        }
        n -= part;
        at += len;
    }
    free(chunk);
    if (rc == ST_OK && (u32)sum != crc)
        rc = damaged(cause, "its claims do not add up");
    return rc;
}

/* Checkpoint `copy` and the changes behind it, as `fresh`. */
static int checkpoint_read(struct ssi_pdr *fresh, const struct pdr_file *file, unsigned copy,
                           struct cause *cause)
{
    u32 n = 0, crc = 0;
    bool old = fresh->head[copy] == PDR_HEADER_OLD;
    ssi_pdr_header_decode(fresh, fresh->heads[copy], &n, &crc);
    ssi_claims_clear(fresh);
    u64 at = old ? PDR_OLD_CLAIMS_AT(copy) : PDR_CLAIMS_AT(copy);
    int rc = claims_read(fresh, file, at, n, crc, cause);
    if (rc || old)
        return rc;
    rc = changes_read(fresh, file, cause);
    return rc ? rc : gap_look(fresh, file, cause);
}

/* What the headers are; the rest of `pdr` is decoded again by checkpoint_read. */
static void heads_judge(struct ssi_pdr *pdr)
{
    for (unsigned i = 0; i < 2; i++) {
        u32 n, crc;
        pdr->head[i] = ssi_pdr_header_decode(pdr, pdr->heads[i], &n, &crc);
        bool known = pdr->head[i] >= PDR_HEADER_OLD;
        pdr->head_seq[i] = known ? pdr->seq : 0;
        pdr->head_id[i] = known ? pdr->id : 0;
    }
}

/* Nothing there that can be read: may it be (re)written, or what else is it? */
static int nothing_there(struct ssi_pdr *pdr, struct cause *cause)
{
    if (pdr->head[0] == PDR_HEADER_FOREIGN || pdr->head[1] == PDR_HEADER_FOREIGN)
        return cause_set(cause, ST_CONFIG, "it is no PDR, and it is not empty");
    /* A PDR is made from its start on: header 1 is written last. */
    if (pdr->head[1] != PDR_HEADER_BLANK)
        return damaged(cause, "neither checkpoint is whole");
    pdr->found = PDR_FOUND_NOTHING;
    return ST_OK;
}

static int read_all(struct ssi_pdr *fresh, const struct pdr_file *file, struct cause *cause)
{
    heads_judge(fresh);
    if (fresh->head[0] == PDR_HEADER_NEWER || fresh->head[1] == PDR_HEADER_NEWER)
        return cause_set(
            cause, ST_CONFIG,
            "it is of a version that this release does not know; start this system "
            "with the release that the other members run");
    enum pdr_header best = fresh->head[0] > fresh->head[1] ? fresh->head[0] : fresh->head[1];
    if (best < PDR_HEADER_OLD)
        return nothing_there(fresh, cause);
    fresh->found = best == PDR_HEADER_OLD ? PDR_FOUND_OLD : PDR_FOUND_GOOD;
    unsigned newest = fresh->head_seq[1] > fresh->head_seq[0];
    if (fresh->head[newest] != best)
        newest ^= 1;
    int rc = ST_PROTO;
    for (unsigned i = 0; i < 2 && rc == ST_PROTO; i++) {
        unsigned copy = newest ^ i;
        if (fresh->head[copy] != best)
            continue;
        rc = checkpoint_read(fresh, file, copy, cause);
        if (rc == ST_PROTO)
            fresh->head[copy] = PDR_HEADER_BAD;
    }
    return rc;
}

static int follow_anew(struct ssi_pdr *pdr, const struct pdr_file *file, const u8 *heads,
                       struct cause *cause)
{
    struct ssi_pdr *fresh = calloc(1, sizeof *fresh);
    if (!fresh)
        return cause_set(cause, ST_NOMEM, "out of memory");
    memcpy(fresh->heads, heads, sizeof fresh->heads);
    int rc = read_all(fresh, file, cause);
    if (rc == ST_OK) {
        ssi_pdr_fini(pdr);
        *pdr = *fresh;
        pdr->valid = pdr->found == PDR_FOUND_GOOD;
    } else {
        ssi_pdr_fini(fresh);
    }
    free(fresh);
    return rc;
}

/* Is the change that we know one of the file's history? */
static int anchored(const struct ssi_pdr *pdr, const struct ssi_pdr *heads,
                    const struct pdr_file *file, bool *same, struct cause *cause)
{
    u8 start[64];
    u64 seq, id, before;
    for (unsigned i = 0; i < 2; i++) {
        *same = pdr->seq == heads->head_seq[i] && pdr->id == heads->head_id[i];
        if (*same)
            return ST_OK;
    }
    int rc = file->read(file->ctx, PDR_BLOCK_AT(pdr->seq), start, sizeof start, cause);
    *same = rc == ST_OK && ssi_pdr_block_peek(start, &seq, &id, &before) && seq == pdr->seq &&
            id == pdr->id;
    return rc;
}

/* Another has written a checkpoint: do the changes that we miss still lead to it? */
static int follow_checkpoint(struct ssi_pdr *pdr, const struct pdr_file *file, const u8 *heads,
                             bool *done, struct cause *cause)
{
    struct ssi_pdr *one = calloc(1, sizeof *one);
    if (!one)
        return cause_set(cause, ST_NOMEM, "out of memory");
    memcpy(one->heads, heads, sizeof one->heads);
    heads_judge(one);
    bool good = one->head[0] == PDR_HEADER_GOOD && one->head[1] == PDR_HEADER_GOOD;
    int rc = good ? anchored(pdr, one, file, &good, cause) : ST_OK;
    if (rc == ST_OK && good)
        rc = changes_read(pdr, file, cause);
    u64 newest = one->head_seq[one->head_seq[1] > one->head_seq[0]];
    *done = rc == ST_OK && good && pdr->seq >= newest;
    if (*done) {
        memcpy(pdr->heads, heads, sizeof pdr->heads);
        memcpy(pdr->head, one->head, sizeof pdr->head);
        memcpy(pdr->head_seq, one->head_seq, sizeof pdr->head_seq);
        memcpy(pdr->head_id, one->head_id, sizeof pdr->head_id);
    }
    free(one);
    return rc;
}

int ssi_pdr_follow(struct ssi_pdr *pdr, const struct pdr_file *file, struct cause *cause)
{
    u8 heads[2][PDR_HEADER_BYTES];
    bool done = false;
    int rc = ST_OK;
    PRE(!pdr->n_ops || !pdr->valid);
    for (unsigned i = 0; i < 2 && rc == ST_OK; i++)
        rc = file->read(file->ctx, PDR_HEADER_AT(i), heads[i], PDR_HEADER_BYTES, cause);
    bool known = memcmp(heads, pdr->heads, sizeof heads) == 0;
    if (rc == ST_OK && pdr->valid && known) {
        rc = anchored(pdr, pdr, file, &done, cause);
        if (rc == ST_OK && done)
            rc = changes_read(pdr, file, cause);
    } else if (rc == ST_OK && pdr->valid) {
        rc = follow_checkpoint(pdr, file, &heads[0][0], &done, cause);
    }
    if (rc == ST_OK && !done)
        rc = follow_anew(pdr, file, &heads[0][0], cause);
    if (rc)
        pdr->valid = false;
    return rc;
}
