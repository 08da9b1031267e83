/* The record in a file and who reads it: twelve changes of a cluster, the checkpoints of the
 * fourth and the eighth (or nothing at all), then changed by the input. One who reads it for the
 * first time, one who knew it before, and one who looks from outside come to an end, with a table
 * that is sound; it is what the record was after one of the changes, unless a checksum was forged;
 * read again it is the same; a checkpoint of what was read gives it back, and the change that is
 * made next is read by all. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <stdlib.h>
#include <zlib.h>

#include "mem/base/ergo.h"
#include "ssi/ssi_formssi_internal.h"
#include "tests/fuzz/pdr_exec.h"

#define CHANGES 12u
#define OPERATIONS_MAX 24u

static struct medium medium;
static struct ssi_pdr
    history[CHANGES + 1]; /* after each change, from the first checkpoint on */

static int read_medium(void *ctx, u64 offset, void *data, size_t len, struct cause *cause)
{
    (void)ctx, (void)cause;
    PRE(offset + len <= PDR_FILE_BYTES);
    memcpy(data, medium.bytes + offset, len);
    return ST_OK;
}

static const struct pdr_file file = {NULL, read_medium};

static int nobody(void *ctx, unsigned slot)
{
    (void)ctx, (void)slot;
    return 0;
}

static void checkpoint(struct ssi_pdr *pdr, unsigned copy)
{
    u8 bytes[PDR_HEADER_BYTES], *claims = calloc(pdr->n_claims + 1, PDR_CLAIM_BYTES);
    size_t len = (size_t)pdr->n_claims * PDR_CLAIM_BYTES;
    POST(claims);
    for (u32 i = 0; i < pdr->n_claims; i++)
        ssi_pdr_claim_encode(&pdr->claims[i], claims + (size_t)i * PDR_CLAIM_BYTES);
    if (len)
        medium_write(&medium, PDR_CLAIMS_AT(copy), claims, len);
    ssi_pdr_header_encode(pdr, (u32)crc32(0, claims, (uInt)len), bytes);
    medium_write(&medium, PDR_HEADER_AT(copy), bytes, sizeof bytes);
    free(claims);
}

/* One more change, of a name and perhaps of a row. */
static void change(struct ssi_pdr *pdr, const char *name, bool row)
{
    u8 block[PDR_BLOCK_BYTES];
    u64 before = pdr->id;
    struct pdr_claim claim = {
        .kind = 1, .owner = pdr->seq & 1, .generation = ++pdr->generation};
    memcpy(claim.name, name, strlen(name));
    pdr->rows[1].since_ms += row;
    (void)ssi_claim_put(pdr, &claim); /* ST_LIMIT: a change of nothing */
    pdr->seq++;
    pdr->id = pdr->seq * 0x9e3779b97f4a7c15ull | 1;
    size_t len = ssi_pdr_block_encode(pdr, before, block);
    medium_write(&medium, PDR_BLOCK_AT(pdr->seq), block, len);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        ssi_pdr_row_encode(&pdr->rows[i], pdr->row_bytes[i]);
    pdr->n_ops = 0;
}

static void base(void)
{
    static struct ssi_pdr pdr;
    ssi_pdr_fini(&pdr);
    memcpy(pdr.cluster, "SIMSSI", 7);
    for (unsigned i = 0; i < 2; i++) {
        u8 beat[PDR_BEAT_BYTES];
        pdr.rows[i] = (struct pdr_row){
            .name = {'M', (char)('0' + i)}, .state = SSI_JOINED, .incarnation = 5 + i};
        ssi_pdr_beat_encode(beat, i, 5 + i, 1000);
        medium_write(&medium, (u64)i * PDR_BEAT_BYTES, beat, sizeof beat);
    }
    for (unsigned i = 1; i <= CHANGES; i++) {
        change(&pdr, (char[]){'U', (char)('A' + i % 7), 0}, i % 3 == 0);
        if (i == 4 || i == 8)
            checkpoint(&pdr, i == 4);
        if (i >= 4 && !history[i].valid)
            POST(ssi_pdr_follow(&history[i], &file, NULL) == ST_OK);
    }
}

/* Every entry is found by its key and is the only one that has it; texts end, owners are slots. */
static void table_sound(const struct ssi_pdr *pdr)
{
    POST(pdr->n_claims <= SSI_CLAIMS_MAX && pdr->n_claims <= pdr->room);
    POST(memchr(pdr->cluster, 0, sizeof pdr->cluster));
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        POST(memchr(pdr->rows[i].name, 0, SSI_NAME_BYTES) &&
             memchr(pdr->rows[i].addr, 0, SSI_ADDR_BYTES));
    for (u32 i = 0; i < pdr->n_claims; i++) {
        const struct pdr_claim *c = &pdr->claims[i];
        POST(memchr(c->name, 0, SSI_CLAIM_NAME_BYTES) && c->owner < SSI_SLOTS_MAX);
        const struct pdr_claim *found = c->mode ? ssi_share_row(pdr, c->kind, c->name, c->owner)
                                                : ssi_claim_row(pdr, c->kind, c->name);
        POST(found == c);
    }
}

/* What both say, whatever stood behind the ends of texts. */
static bool same(const struct ssi_pdr *a, const struct ssi_pdr *b)
{
    u8 x[PDR_ROW_BYTES], y[PDR_ROW_BYTES];
    bool equal = a->seq == b->seq && a->id == b->id && a->generation == b->generation &&
                 a->n_claims == b->n_claims && strcmp(a->cluster, b->cluster) == 0;
    for (unsigned i = 0; i < SSI_SLOTS_MAX && equal; i++) {
        ssi_pdr_row_encode(&a->rows[i], x);
        ssi_pdr_row_encode(&b->rows[i], y);
        equal = memcmp(x, y, PDR_ROW_BYTES) == 0;
    }
    for (u32 i = 0; i < a->n_claims && equal; i++) {
        ssi_pdr_claim_encode(&a->claims[i], x);
        ssi_pdr_claim_encode(&b->claims[i], y);
        equal = memcmp(x, y, PDR_CLAIM_BYTES) == 0;
    }
    return equal;
}

static int follow(struct ssi_pdr *pdr)
{
    struct cause cause = {0};
    int rc = ssi_pdr_follow(pdr, &file, &cause);
    POST(rc == ST_OK || ((rc == ST_PROTO || rc == ST_CONFIG) && cause.text[0]));
    POST(pdr->valid == (rc == ST_OK && pdr->found == PDR_FOUND_GOOD));
    table_sound(pdr);
    return rc;
}

/* Whoever has read it goes on with it, as a member does that closes a gap and commits. */
static void go_on(struct ssi_pdr *pdr, struct ssi_pdr *other)
{
    if (pdr->gap)
        pdr->seq += PDR_BLOCKS;
    checkpoint(pdr, 0);
    checkpoint(pdr, 1);
    POST(follow(other) == ST_OK && same(pdr, other));
    if (other->gap)
        return; /* blocks of numbers that none has reached yet */
    POST(follow(pdr) == ST_OK && same(pdr, other));
    change(pdr, "NEXT", true);
    POST(follow(other) == ST_OK && same(pdr, other));
    ssi_pdr_fini(other);
    POST(follow(other) == ST_OK && same(pdr, other));
}

/* Two that knew it before; the one that looks keeps what it knew where that fails. */
static void known_follows(struct ssi_pdr known[2])
{
    if (follow(&known[0]) != ST_OK && known[0].seq == known[1].seq)
        POST(same(&known[0], &known[1]));
}

static void judge(struct ssi_pdr known[2], bool honest)
{
    static struct ssi_pdr a, b;
    static struct formssi_view view;
    const struct formssi_source source = {file, nobody};
    ssi_pdr_fini(&a);
    ssi_pdr_fini(&b);
    int rc = follow(&a);
    POST(follow(&b) == rc && same(&a, &b) && a.gap == b.gap && a.found == b.found);
    POST(follow(&b) == rc && same(&a, &b));
    POST(!honest || !a.valid || (a.seq <= CHANGES && same(&a, &history[a.seq])));
    known_follows(known);
    memset(&view, 0, sizeof view);
    int looked = formssi_view_read(&source, &view, 1, NULL);
    POST((looked == ST_OK) == (rc == ST_OK && a.found != PDR_FOUND_NOTHING));
    if (a.valid)
        go_on(&a, &b);
    ssi_pdr_fini(&a);
    ssi_pdr_fini(&b);
}

void pdr_record_exec(struct input *in)
{
    static struct ssi_pdr known[2];
    bool blank = pdr_take(in) == 0xff, honest = !blank;
    medium_begin(&medium, PDR_FILE_BYTES);
    for (unsigned i = 0; i < 2; i++)
        ssi_pdr_fini(&known[i]);
    if (!blank)
        base();
    for (unsigned i = 0; i < 2 && !blank; i++)
        POST(follow(&known[i]) == ST_OK && known[i].seq == CHANGES && !known[i].gap);
    for (unsigned i = 0; i < OPERATIONS_MAX && in->p < in->end; i++) {
        u8 op = pdr_take(in);
        size_t size;
        u64 at = pdr_area_at(op & 3, op >> 2 & 15, &size);
        u8 *page = medium.bytes + at; /* noted as changed: what is spoiled stays within it */
        medium_write(&medium, at, page, size);
        pdr_spoil(medium.bytes, at, size, op & 0x80,
                  op & 0x40 ? KEEP_NOTHING : pdr_area_crc(op & 3), in, NULL);
        honest &= !(op & 0x40);
        if (op & 0x40)
            pdr_area_seal(medium.bytes, op & 3, op >> 2 & 15);
        if (op & 0x40 && (op & 3) == AREA_CLAIMS)
            medium_write(&medium, PDR_HEADER_AT(op >> 2 & 1),
                         medium.bytes + PDR_HEADER_AT(op >> 2 & 1), PDR_HEADER_BYTES);
    }
    judge(known, honest);
}
