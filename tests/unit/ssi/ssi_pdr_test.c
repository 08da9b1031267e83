/* The PDR: torn and damaged copies, wrong names, write errors at every kind of place.
 * One member in the simulator, whose PDR lives in memory and can be spoiled. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "ssi/ssi_sim.h"

static struct ssi_sim *sim;
static struct ssi *ssi;
static int join_status;
static bool join_ended;
static struct cause join_cause;

static void joined(void *ctx, int status, const struct cause *cause)
{
    (void)ctx;
    join_status = status;
    join_cause = *cause;
    join_ended = true;
}

static int start(const char *cluster)
{
    struct ssi_config config;
    struct cause cause;
    ssi_sim_config(&config, 0, 2);
    strcpy(config.cluster, cluster);
    ssi = ssi_sim_start(sim, &config, 0, &cause);
    ck_assert_ptr_nonnull(ssi);
    join_ended = false;
    ssi_join(ssi, joined, NULL);
    while (!join_ended)
        ssi_sim_step(sim);
    return join_status;
}

static void setup(void)
{
    sim = ssi_sim_create(1);
    ck_assert_ptr_nonnull(sim);
}

static void teardown(void)
{
    ssi_sim_destroy(sim);
}

/* The PDR lock is busy now and then in the simulator. */
static int claim(const char *name, u64 *generation, struct cause *cause)
{
    int rc;
    do {
        rc = ssi_claim(ssi, 1, name, generation, cause);
    } while (rc == ST_BUSY);
    return rc;
}

static int find(const char *name, u64 *generation)
{
    char owner[SSI_NAME_BYTES];
    int rc;
    do {
        rc = ssi_claim_find(ssi, 1, name, owner, generation);
    } while (rc == ST_BUSY);
    return rc;
}

static u8 *head(unsigned copy)
{
    return ssi_sim_pdr(sim) + PDR_HEADER_AT(copy);
}

static void spoil(unsigned copy)
{
    head(copy)[200] ^= 0x40;
}

/* The PDR as it is now; ended by ssi_pdr_fini. */
static struct ssi_pdr look(void)
{
    struct ssi_pdr pdr = {0};
    ck_assert(ssi_sim_pdr_look(sim, &pdr));
    return pdr;
}

static void fill(struct ssi_pdr *pdr)
{
    strcpy(pdr->cluster, "CLUSTER8");
    pdr->seq = 77;
    pdr->id = 0x123456789abcdef1;
    pdr->generation = 1ull << 40;
    strcpy(pdr->rows[7].name, "MEMBERH8");
    strcpy(pdr->rows[7].addr, "[fe80::1]:65535");
    pdr->rows[7].state = SSI_LEAVING;
    pdr->rows[7].incarnation = 0xfedcba9876543210;
}

START_TEST(a_header_is_decoded_as_it_was_encoded)
{
    struct ssi_pdr pdr = {0}, back = {0};
    u8 bytes[PDR_HEADER_BYTES];
    u32 n, crc;
    fill(&pdr);
    pdr.n_claims = 4711;
    ssi_pdr_header_encode(&pdr, 0x98765432, bytes);
    ck_assert_int_eq(ssi_pdr_header_decode(&back, bytes, &n, &crc), PDR_HEADER_GOOD);
    ck_assert_uint_eq(n, 4711);
    ck_assert_uint_eq(crc, 0x98765432);
    ck_assert_uint_eq(back.seq, pdr.seq);
    ck_assert_uint_eq(back.id, pdr.id);
    ck_assert_uint_eq(back.generation, pdr.generation);
    ck_assert_str_eq(back.cluster, pdr.cluster);
    ck_assert_mem_eq(back.rows, pdr.rows, sizeof pdr.rows);
    for (unsigned at = 0; at < PDR_HEADER_BYTES; at += 7) {
        bytes[at] ^= 1;
        ck_assert_int_ne(ssi_pdr_header_decode(&back, bytes, &n, &crc), PDR_HEADER_GOOD);
        bytes[at] ^= 1;
    }
}
END_TEST

/* A block with all that may be in one: its bytes give back the same rows and names; none of them
 * may be another. */
START_TEST(a_block_is_applied_as_it_was_encoded)
{
    static u8 bytes[PDR_BLOCK_BYTES];
    struct ssi_pdr pdr = {0}, back = {0};
    bool rows = _i == 0; /* else more names in their place */
    for (unsigned i = 0; rows && i < SSI_SLOTS_MAX; i++)
        strcpy(pdr.rows[i].name, "ROW");
    fill(&pdr);
    for (unsigned i = 0; !rows && i < SSI_SLOTS_MAX; i++)
        ssi_pdr_row_encode(&pdr.rows[i], pdr.row_bytes[i]);
    for (unsigned i = 0; i < (rows ? PDR_OPS_ROWS_MAX : PDR_OPS_MAX); i++) {
        struct pdr_claim claim = {
            .kind = (u16)(i * 999), .owner = i % 8, .mode = i % 3, .generation = i};
        snprintf(claim.name, SSI_CLAIM_NAME_BYTES, "%023u", i);
        ck_assert_int_eq(ssi_claim_put(&pdr, &claim), ST_OK);
    }
    size_t len = ssi_pdr_block_encode(&pdr, 99, bytes);
    u64 seq, id, before;
    ck_assert(ssi_pdr_block_peek(bytes, &seq, &id, &before));
    ck_assert_uint_eq(before, 99);
    ck_assert(ssi_pdr_block_whole(bytes));
    ck_assert_int_eq(ssi_pdr_block_apply(&back, bytes), ST_OK);
    ck_assert_uint_eq(back.seq, 77);
    ck_assert(!rows || !memcmp(back.rows, pdr.rows, sizeof pdr.rows));
    ck_assert_uint_eq(back.n_claims, pdr.n_claims);
    ck_assert_mem_eq(back.claims, pdr.claims, pdr.n_claims * sizeof *pdr.claims);
    for (size_t at = 0; at < len; at += 5) {
        bytes[at] ^= 1;
        ck_assert(!ssi_pdr_block_peek(bytes, &seq, &id, &before) ||
                  !ssi_pdr_block_whole(bytes));
        bytes[at] ^= 1;
    }
    ssi_pdr_fini(&pdr);
    ssi_pdr_fini(&back);
}
END_TEST

/* A block whose last change of a name is none, under a right checksum: rows and names stay what
 * they were, all of them. */
START_TEST(a_block_that_makes_no_sense_changes_nothing)
{
    static u8 bytes[PDR_BLOCK_BYTES];
    struct ssi_pdr pdr = {0}, back = {0};
    fill(&pdr);
    ck_assert_int_eq(ssi_claim_put(&pdr, &(struct pdr_claim){.name = "ONE"}), ST_OK);
    ck_assert_int_eq(ssi_claim_put(&pdr, &(struct pdr_claim){.name = "TWO"}), ST_OK);
    if (_i == 0)
        pdr.ops[1].code = PDR_OP_DROP + 1;
    else
        pdr.ops[1].claim.owner = SSI_SLOTS_MAX;
    ssi_pdr_block_encode(&pdr, 99, bytes);
    ck_assert(ssi_pdr_block_whole(bytes));
    ck_assert_int_eq(ssi_pdr_block_apply(&back, bytes), ST_PROTO);
    ck_assert_str_eq(back.rows[7].name, "");
    ck_assert_uint_eq(back.n_claims, 0);
    ck_assert_uint_eq(back.seq, 0);
    ssi_pdr_fini(&pdr);
    ssi_pdr_fini(&back);
}
END_TEST

/* The index finds what a list would find, whatever is put in and taken out. */
START_TEST(names_are_found_by_their_keys)
{
    enum { NAMES = 300, SLOTS = 3 };
    static u8 model[NAMES][SLOTS]; /* mode of a share */
    struct ssi_pdr pdr = {0};
    unsigned n = 0;
    for (unsigned round = 0; round < 20000; round++) {
        struct pdr_claim share = {.kind = 7};
        u64 r = ssi_sim_random(sim);
        unsigned name = r % NAMES;
        share.owner = (u8)(r / NAMES % SLOTS);
        share.mode = (u8)(r >> 40) % 4;
        snprintf(share.name, sizeof share.name, "N%u", name);
        struct pdr_claim *there = ssi_share_row(&pdr, 7, share.name, share.owner);
        ck_assert_uint_eq(there ? there->mode : 0, model[name][share.owner]);
        if (there && !share.mode)
            ssi_claim_remove(&pdr, there);
        else if (share.mode)
            ck_assert_int_eq(ssi_claim_put(&pdr, &share), ST_OK);
        n += !!share.mode - !!there;
        model[name][share.owner] = share.mode;
        if (r >> 54 == 0) {
            n -= ssi_claims_drop(&pdr, share.owner);
            for (unsigned i = 0; i < NAMES; i++)
                model[i][share.owner] = 0;
        }
        pdr.n_ops = 0;
        ck_assert_uint_eq(pdr.n_claims, n);
        ck_assert_ptr_null(ssi_claim_row(&pdr, 7, share.name));
        ck_assert_ptr_null(ssi_share_row(&pdr, 8, share.name, share.owner));
    }
    ssi_pdr_fini(&pdr);
}
END_TEST

START_TEST(a_torn_change_leaves_the_one_before)
{
    u64 one, two, found;
    struct cause cause;
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ck_assert_int_eq(claim("ONE", &one, &cause), ST_OK);
    ck_assert_int_eq(claim("TWO", &two, &cause), ST_OK);
    ssi_sim_pdr_fault(sim, SIM_FAULT_TORN, 1);
    ck_assert_int_eq(claim("THREE", &found, &cause), ST_IO);
    ck_assert_int_eq(find("THREE", &found), ST_NOENT);
    ck_assert_int_eq(find("TWO", &found), ST_OK);
    ck_assert_uint_eq(found, two);
    ck_assert_int_eq(claim("THREE", &found, &cause), ST_OK);
}
END_TEST

START_TEST(an_error_after_the_write_is_seen_through)
{
    u64 one, found;
    struct cause cause;
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ssi_sim_pdr_fault(sim, SIM_FAULT_AFTER, 1);
    ck_assert_int_eq(claim("ONE", &one, &cause), ST_OK);
    ck_assert_int_eq(find("ONE", &found), ST_OK);
    ck_assert_uint_eq(one, found);
}
END_TEST

START_TEST(a_write_in_doubt_does_not_leave_a_claim_behind)
{
    u64 one, found;
    struct cause cause;
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ssi_sim_pdr_fault(sim, SIM_FAULT_DOUBT, 1);
    ck_assert_int_eq(claim("ONE", &one, &cause), ST_IO);
    u64 until = ssi_sim_now_ms(sim) + 2000;
    while (ssi_sim_now_ms(sim) < until)
        ssi_sim_step(sim);
    ck_assert_int_eq(find("ONE", &found), ST_NOENT);
    ck_assert_int_eq(claim("ONE", &one, &cause), ST_OK);
}
END_TEST

START_TEST(a_full_disk_refuses_claims_and_heals)
{
    u64 one, found;
    struct cause cause;
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ck_assert_int_eq(claim("ONE", &one, &cause), ST_OK);
    ssi_sim_pdr_fault(sim, SIM_FAULT_BEFORE, 1000);
    ck_assert_int_eq(claim("TWO", &found, &cause), ST_IO);
    ck_assert_ptr_nonnull(strstr(cause.text, "injected"));
    ck_assert_int_ne(ssi_release(ssi, 1, "ONE", one), ST_OK); /* remembered */
    u64 until = ssi_sim_now_ms(sim) + 5000;
    while (ssi_sim_now_ms(sim) < until)
        ssi_sim_step(sim);
    ck_assert_int_eq(ssi_member_state(ssi, "M0"), SSI_JOINED); /* goes on */
    ssi_sim_pdr_fault(sim, SIM_FAULT_NONE, 0);
    until = ssi_sim_now_ms(sim) + 2000;
    while (ssi_sim_now_ms(sim) < until)
        ssi_sim_step(sim);
    ck_assert_int_eq(find("ONE", &found), ST_NOENT); /* the release was repeated */
    ck_assert_int_eq(claim("TWO", &found, &cause), ST_OK);
}
END_TEST

START_TEST(a_full_disk_at_creation_refuses_the_join)
{
    ssi_sim_pdr_fault(sim, SIM_FAULT_TORN, 1);
    ck_assert_int_eq(start("SIMSSI"), ST_IO);
    ck_assert_int_eq(ssi_member_state(ssi, "M0"), SSI_ISOLATED);
    ssi_sim_crash(sim, 0);
    ck_assert_int_eq(start("SIMSSI"), ST_OK); /* the unfinished file is written anew */
}
END_TEST

START_TEST(another_clusters_pdr_is_refused)
{
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ssi_sim_crash(sim, 0);
    ck_assert_int_eq(start("OTHER"), ST_CONFIG);
    ck_assert_ptr_nonnull(strstr(join_cause.text, "SIMSSI"));
}
END_TEST

/* [P2] While one checkpoint is whole nothing is lost: the ring reaches back to the older one. */
START_TEST(a_damaged_checkpoint_is_passed_over_and_two_are_refused)
{
    u64 generation, found;
    struct cause cause;
    char name[SSI_CLAIM_NAME_BYTES];
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    for (unsigned i = 0; i < 3 * PDR_CHECKPOINT_BLOCKS - 40;
         i++) { /* far from the newest one */
        snprintf(name, sizeof name, "N%u", i);
        ck_assert_int_eq(claim(name, &generation, &cause), ST_OK);
    }
    struct ssi_pdr pdr = look();
    ck_assert_uint_gt(pdr.head_seq[0], PDR_CHECKPOINT_BLOCKS - 3);
    ck_assert_uint_gt(pdr.head_seq[1], 2 * PDR_CHECKPOINT_BLOCKS - 3);
    ck_assert_uint_gt(pdr.seq - pdr.head_seq[1], 20);
    ssi_pdr_fini(&pdr);
    for (unsigned copy = 0; copy < 2; copy++) {
        spoil(copy);
        ck_assert_int_eq(find("N0", &found), ST_OK);
        ck_assert_int_eq(find(name, &found), ST_OK);
        ck_assert_uint_eq(found, generation);
        pdr = look(); /* and it is written anew */
        ck_assert_int_eq(pdr.head[copy], PDR_HEADER_GOOD);
        ssi_pdr_fini(&pdr);
    }
    ssi_sim_crash(sim, 0);
    spoil(0);
    spoil(1);
    ck_assert_int_eq(start("SIMSSI"), ST_IO);
    ck_assert_ptr_nonnull(strstr(join_cause.text, "damaged"));
}
END_TEST

START_TEST(a_change_is_in_a_checkpoint_after_a_minute)
{
    u64 generation;
    struct cause cause;
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ck_assert_int_eq(claim("ONE", &generation, &cause), ST_OK);
    struct ssi_pdr pdr = look();
    u64 seq = pdr.seq;
    ck_assert(pdr.head_seq[0] < seq && pdr.head_seq[1] < seq);
    u64 until = ssi_sim_now_ms(sim) + PDR_CHECKPOINT_MS + 10000;
    while (ssi_sim_now_ms(sim) < until)
        ssi_sim_step(sim);
    ssi_pdr_fini(&pdr);
    pdr = look();
    ck_assert_uint_eq(pdr.seq, seq);
    ck_assert(pdr.head_seq[0] == seq || pdr.head_seq[1] == seq);
    ssi_pdr_fini(&pdr);
}
END_TEST

/* A backup put back under a running member would bring old claims to life. */
START_TEST(a_pdr_that_went_back_is_refused)
{
    u64 generation;
    struct cause cause;
    u8 *old = malloc(PDR_FILE_BYTES);
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    memcpy(old, ssi_sim_pdr(sim), PDR_FILE_BYTES);
    ck_assert_int_eq(claim("ONE", &generation, &cause), ST_OK);
    memcpy(ssi_sim_pdr(sim), old, PDR_FILE_BYTES);
    ck_assert_int_eq(claim("TWO", &generation, &cause), ST_IO);
    free(old);
}
END_TEST

START_TEST(claims_of_a_former_life_are_dropped)
{
    u64 generation, again;
    struct cause cause;
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ck_assert_int_eq(claim("ONE", &generation, &cause), ST_OK);
    ck_assert_int_eq(claim("ONE", &again, &cause), ST_EXIST);
    ck_assert_str_eq(cause.text, "M0");
    ssi_sim_crash(sim, 0);
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ck_assert_int_eq(claim("ONE", &again, &cause), ST_OK);
    ck_assert_uint_gt(again, generation);
    ck_assert_int_ne(ssi_release(ssi, 1, "ONE", generation), ST_OK);
}
END_TEST

START_TEST(the_claim_table_has_a_limit)
{
    u64 generation;
    struct cause cause;
    char name[SSI_CLAIM_NAME_BYTES];
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    for (unsigned i = 0; i < SSI_CLAIMS_MAX; i++) {
        snprintf(name, sizeof name, "N%u", i);
        ck_assert_int_eq(claim(name, &generation, &cause), ST_OK);
    }
    ck_assert_int_eq(claim("MORE", &generation, &cause), ST_LIMIT);
    ck_assert_int_eq(claim("", &generation, &cause), ST_INVAL);
    ck_assert_int_eq(claim("123456789012345678901234", &generation, &cause), ST_INVAL);
}
END_TEST

static int share(const char *name, u8 mode, u8 refuse, struct cause *cause)
{
    int rc;
    do {
        rc = ssi_share_set(ssi, 3, name, mode, refuse, cause);
    } while (rc == ST_BUSY);
    return rc;
}

static void run_ms(u64 ms)
{
    u64 until = ssi_sim_now_ms(sim) + ms;
    while (ssi_sim_now_ms(sim) < until)
        ssi_sim_step(sim);
}

static u8 mode_of(const char *name, unsigned slot)
{
    struct ssi_pdr pdr = look();
    const struct pdr_claim *row = ssi_share_row(&pdr, 3, name, slot);
    u8 mode = row ? row->mode : 0;
    ssi_pdr_fini(&pdr);
    return mode;
}

START_TEST(shares_are_raised_lowered_and_dropped)
{
    struct cause cause;
    u64 generation;
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ck_assert_int_eq(share("DISK", 5, 0, &cause), ST_OK);
    ck_assert_uint_eq(mode_of("DISK", 0), 5);
    ck_assert_int_eq(share("DISK", 5, 0xff, &cause), ST_OK); /* one's own is in nobody's way */
    ck_assert_int_eq(share("DISK", 6, 0xff, &cause), ST_OK);
    ck_assert_uint_eq(mode_of("DISK", 0), 6);
    ck_assert_int_eq(share("DISK", 2, 0, &cause), ST_OK);
    ck_assert_uint_eq(mode_of("DISK", 0), 2);
    u64 found;
    char owner[SSI_NAME_BYTES];
    ck_assert_int_eq(ssi_claim_find(ssi, 3, "DISK", owner, &found), ST_NOENT);
    ck_assert_int_eq(ssi_claim(ssi, 3, "DISK", &generation, &cause),
                     ST_OK); /* no claim of it */
    ck_assert_int_eq(share("DISK", 0, 0, &cause), ST_OK);
    ck_assert_int_eq(share("DISK", 0, 0, &cause), ST_OK);
    ck_assert_uint_eq(mode_of("DISK", 0), 0);
    ck_assert_int_eq(ssi_claim_find(ssi, 3, "DISK", owner, &found), ST_OK);
    ck_assert_int_eq(share("", 1, 0, &cause), ST_INVAL);
}
END_TEST

START_TEST(a_share_that_cannot_be_lowered_is_lowered_later)
{
    struct cause cause;
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ck_assert_int_eq(share("ONE", 7, 0, &cause), ST_OK);
    ck_assert_int_eq(share("TWO", 7, 0, &cause), ST_OK);
    ssi_sim_pdr_fault(sim, SIM_FAULT_BEFORE, 1000);
    ck_assert_int_eq(share("ONE", 1, 0, &cause), ST_IO);
    ck_assert_int_eq(share("TWO", 3, 0, &cause), ST_IO);
    ck_assert_int_eq(share("TWO", 0, 0, &cause), ST_IO);
    ck_assert_int_eq(share("ONE", 3, 0, &cause), ST_IO); /* refused: it stays at 1 */
    ck_assert_int_eq(share("THREE", 1, 0, &cause), ST_IO);
    ssi_sim_pdr_fault(sim, SIM_FAULT_NONE, 0);
    run_ms(2000);
    ck_assert_uint_eq(mode_of("ONE", 0), 1);
    ck_assert_uint_eq(mode_of("TWO", 0), 0);
    ck_assert_uint_eq(mode_of("THREE", 0), 0);
}
END_TEST

/* Taken again before the release that waits is written: it must not be lost then. */
START_TEST(a_share_raised_again_is_not_lowered_later)
{
    struct cause cause;
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ck_assert_int_eq(share("ONE", 3, 0, &cause), ST_OK);
    ssi_sim_pdr_fault(sim, SIM_FAULT_TORN, 1);
    ck_assert_int_eq(share("ONE", 0, 0, &cause), ST_IO);
    ck_assert_int_eq(share("ONE", 2, 0, &cause), ST_OK);
    run_ms(2000);
    ck_assert_uint_eq(mode_of("ONE", 0), 2);
}
END_TEST

START_TEST(a_raise_in_doubt_is_taken_back)
{
    struct cause cause;
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ck_assert_int_eq(share("ONE", 1, 0, &cause), ST_OK);
    ssi_sim_pdr_fault(sim, SIM_FAULT_DOUBT, 1);
    ck_assert_int_eq(share("ONE", 3, 0, &cause), ST_IO);
    run_ms(2000);
    ck_assert_uint_eq(mode_of("ONE", 0), 1);
}
END_TEST

/* Tens of thousands of links: each costs about one block, however many there are. */
START_TEST(many_shares_come_and_go)
{
    enum { MANY = 24000 };
    struct cause cause;
    char name[SSI_CLAIM_NAME_BYTES];
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "VOL%03u.%u", i % 400, i);
        ck_assert_int_eq(share(name, 1 + i % 3, 2, &cause), ST_OK);
    }
    struct ssi_pdr pdr = look();
    ck_assert_uint_eq(pdr.n_claims, MANY);
    ck_assert_uint_le(pdr.seq, MANY + 10);
    ssi_pdr_fini(&pdr);
    for (unsigned i = MANY; i-- > 0;) {
        snprintf(name, sizeof name, "VOL%03u.%u", i % 400, i);
        ck_assert_int_eq(share(name, 0, 0, &cause), ST_OK);
    }
    pdr = look();
    ck_assert_uint_eq(pdr.n_claims, 0);
    ssi_pdr_fini(&pdr);
}
END_TEST

/* --- versions --- */

/* A PDR of version 1 as its release wrote it: the older copy, then the newer one, with a claim. */
static void write_old(u8 state)
{
    struct ssi_pdr old = {0};
    u8 bytes[PDR_CLAIM_BYTES];
    struct pdr_claim claim = {.kind = 1, .owner = 1, .generation = 41, .name = "GUEST"};
    strcpy(old.cluster, "SIMSSI");
    old.generation = 41;
    strcpy(old.rows[1].name, "M1");
    old.rows[1].state = state;
    old.rows[1].incarnation = 5;
    old.rows[1].host_id = 999; /* another host */
    ssi_pdr_claim_encode(&claim, bytes);
    for (unsigned copy = 0; copy < 2; copy++) {
        u8 *p = head(copy);
        old.seq = 100 + copy;
        old.n_claims = copy;
        ssi_pdr_header_encode(&old, (u32)crc32(0, bytes, copy ? sizeof bytes : 0), p);
        be32_store(p + 8, PDR_VERSION_OLD);
        be32_store(p + PDR_HEADER_BYTES - 4, (u32)crc32(0, p, PDR_HEADER_BYTES - 4));
        memcpy(p + PDR_HEADER_BYTES, bytes, sizeof bytes);
    }
}

START_TEST(version_1_is_converted_with_what_is_in_it)
{
    write_old(SSI_DOWN);
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    struct ssi_pdr pdr = look();
    ck_assert_int_eq(pdr.head[0], PDR_HEADER_GOOD);
    ck_assert_int_eq(pdr.head[1], PDR_HEADER_GOOD);
    ck_assert_uint_gt(pdr.seq, 101);
    ck_assert_str_eq(pdr.rows[1].name, "M1");
    const struct pdr_claim *claim = ssi_claim_row(&pdr, 1, "GUEST");
    ck_assert_ptr_nonnull(claim);
    ck_assert_uint_eq(claim->generation, 41);
    ssi_pdr_fini(&pdr);
}
END_TEST

/* Torn in the middle, it is still one of version 1, or one of version 2 with all that was in it. */
START_TEST(a_conversion_that_ends_early_is_done_again)
{
    write_old(SSI_DOWN);
    for (unsigned i = 0; i < 40; i++) {
        ssi_sim_pdr_fault(sim, SIM_FAULT_CRASH, 1);
        struct ssi_config config;
        ssi_sim_config(&config, 0, 2);
        ssi = ssi_sim_start(sim, &config, 0, NULL);
        join_ended = false;
        ssi_join(ssi, joined, NULL);
        while (!join_ended && ssi_sim_member(sim, 0))
            ssi_sim_step(sim);
        ssi_sim_crash(sim, 0);
    }
    ssi_sim_pdr_fault(sim, SIM_FAULT_NONE, 0);
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    struct ssi_pdr pdr = look();
    ck_assert_ptr_nonnull(ssi_claim_row(&pdr, 1, "GUEST"));
    ssi_pdr_fini(&pdr);
}
END_TEST

START_TEST(version_1_is_left_alone_while_its_release_runs)
{
    u8 *before = malloc(PDR_FILE_BYTES);
    write_old(SSI_JOINED);
    ssi_pdr_beat_encode(ssi_sim_pdr(sim) + PDR_BEAT_BYTES, 1, 5,
                        1700000000000ull + ssi_sim_now_ms(sim));
    memcpy(before, ssi_sim_pdr(sim), PDR_FILE_BYTES);
    ck_assert_int_eq(start("SIMSSI"), ST_CONFIG);
    ck_assert_ptr_nonnull(
        strstr(join_cause.text, "M1 may run with a release that knows no other"));
    ck_assert_mem_eq(before, ssi_sim_pdr(sim), PDR_FILE_BYTES);
    free(before);
}
END_TEST

START_TEST(a_version_to_come_is_refused_with_what_to_do)
{
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ssi_sim_crash(sim, 0);
    u8 *p = head(1);
    be32_store(p + 8, PDR_VERSION + 1);
    be32_store(p + PDR_HEADER_BYTES - 4, (u32)crc32(0, p, PDR_HEADER_BYTES - 4));
    ck_assert_int_eq(start("SIMSSI"), ST_CONFIG);
    ck_assert_ptr_nonnull(strstr(join_cause.text, "start this system with the release"));
    ck_assert_uint_eq(be32_load(p + 8), PDR_VERSION + 1);
}
END_TEST

/* --- files that are something else --- */

START_TEST(a_file_that_is_no_pdr_is_left_alone)
{
    memset(head(0), 'x', PDR_HEADER_BYTES);
    ck_assert_int_eq(start("SIMSSI"), ST_CONFIG);
    ck_assert_ptr_nonnull(strstr(join_cause.text, "it is no PDR"));
    ck_assert_uint_eq(head(0)[100], 'x');
}
END_TEST

START_TEST(an_empty_file_with_heartbeats_is_no_new_pdr)
{
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ssi_sim_crash(sim, 0);
    memset(head(0), 0, PDR_FILE_BYTES - PDR_HEADER_AT(0));
    ck_assert_int_eq(start("SIMSSI"), ST_IO);
    ck_assert_ptr_nonnull(
        strstr(join_cause.text, "empty or cut off, and systems have used it"));
}
END_TEST

/* [P4] The host ended, and a change before the last has not come to the disk. */
START_TEST(a_missing_change_ends_the_history_when_nobody_runs)
{
    u64 generation, found;
    struct cause cause;
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ck_assert_int_eq(claim("ONE", &generation, &cause), ST_OK);
    ck_assert_int_eq(claim("TWO", &generation, &cause), ST_OK);
    ck_assert_int_eq(claim("THREE", &generation, &cause), ST_OK);
    struct ssi_pdr pdr = look();
    u64 seq = pdr.seq;
    memset(ssi_sim_pdr(sim) + PDR_BLOCK_AT(seq - 1), 0, PDR_BLOCK_BYTES);
    ck_assert_int_eq(find("ONE", &found), ST_OK); /* who knows more goes on */
    ssi_sim_crash(sim, 0);
    u8 *beat = ssi_sim_pdr(sim) + PDR_BEAT_BYTES;
    ssi_pdr_beat_encode(beat, 1, 77, 1700000000000ull + ssi_sim_now_ms(sim));
    ck_assert_int_eq(start("SIMSSI"), ST_IO); /* somebody writes heartbeats */
    ck_assert_ptr_nonnull(strstr(join_cause.text, "a change is missing"));
    ssi_sim_crash(sim, 0);
    memset(beat, 0, PDR_BEAT_BYTES);
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ck_assert_int_eq(claim("THREE", &generation, &cause), ST_OK);
    ssi_pdr_fini(&pdr);
    pdr = look();
    ck_assert_uint_gt(pdr.seq, seq + PDR_BLOCKS / 2);
    ssi_pdr_fini(&pdr);
}
END_TEST

/* --- blocks that are not what they should be --- */

/* [P1] Wherever the write of a block ended, it has not taken place, or all of it has. */
START_TEST(a_block_torn_anywhere_is_none)
{
    static u8 whole[PDR_BLOCK_BYTES], before[PDR_BLOCK_BYTES];
    struct cause cause;
    u64 generation;
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    struct ssi_pdr pdr = look();
    u64 seq = pdr.seq;
    u8 *block = ssi_sim_pdr(sim) + PDR_BLOCK_AT(seq + 1);
    memset(block, 0xa5, PDR_BLOCK_BYTES); /* what was there 1024 changes ago */
    memcpy(before, block, sizeof before);
    ck_assert_int_eq(claim("ONE", &generation, &cause), ST_OK);
    memcpy(whole, block, sizeof whole);
    size_t used = sizeof whole;
    while (whole[used - 1] == 0xa5)
        used--;
    ck_assert_uint_gt(used, 100);
    for (size_t n = 0; n <= used; n++) {
        memcpy(block, before, sizeof before);
        memcpy(block, whole, n);
        ssi_pdr_fini(&pdr);
        pdr = look();
        ck_assert_uint_eq(pdr.seq, n < used ? seq : seq + 1);
        ck_assert(!pdr.gap);
    }
    ssi_pdr_fini(&pdr);
}
END_TEST

/* [P1] A write that was given up comes late, over one of a history that went on without it: what
 * follows that does not follow it, so nobody takes the one for the other. */
START_TEST(a_block_that_comes_late_is_found_out)
{
    static u8 late[PDR_BLOCK_BYTES];
    struct cause cause;
    u64 generation, found;
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    struct ssi_pdr pdr = look();
    u64 seq = pdr.seq + 1;
    ssi_pdr_fini(&pdr);
    u8 *block = ssi_sim_pdr(sim) + PDR_BLOCK_AT(seq);
    ck_assert_int_eq(claim("LATE", &generation, &cause), ST_OK);
    memcpy(late, block, sizeof late);
    memset(block, 0, PDR_BLOCK_BYTES);
    ssi_sim_crash(sim, 0);
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ck_assert_int_eq(claim("ONE", &generation, &cause), ST_OK);
    memcpy(block, late, sizeof late);
    ck_assert_int_eq(find("ONE", &found), ST_OK); /* who knows what came later goes on */
    ck_assert_int_eq(find("LATE", &found), ST_NOENT);
    pdr = look();
    ck_assert_uint_eq(pdr.seq, seq);
    ck_assert(pdr.gap);
    ssi_pdr_fini(&pdr);
    struct ssi_config config;
    ssi_sim_config(&config, 1, 2);
    ck_assert_ptr_nonnull(ssi_sim_start(sim, &config, 0, &cause));
    join_ended = false;
    ssi_join(ssi_sim_member(sim, 1), joined, NULL);
    while (!join_ended)
        ssi_sim_step(sim);
    ck_assert_int_eq(join_status, ST_IO);
    ck_assert_ptr_nonnull(strstr(join_cause.text, "a change is missing"));
}
END_TEST

/* --- the end of the host --- */

enum { SECTOR_BYTES = 512, POWER_LOSSES = 60, CLAIMS_MAX = 1200 };

static struct ssi *other;
static bool other_ended;

static void other_joined(void *ctx, int status, const struct cause *cause)
{
    (void)ctx;
    (void)cause;
    ck_assert_int_eq(status, ST_OK);
    other_ended = true;
}

static void start_other(void)
{
    struct ssi_config config;
    ssi_sim_config(&config, 1, 2);
    other = ssi_sim_start(sim, &config, 0, NULL);
    other_ended = false;
    ssi_join(other, other_joined, NULL);
    while (!other_ended || ssi_mode(ssi) != SSI_MODE_STABLE)
        ssi_sim_step(sim);
}

/* Claims and shares of both members; `safe` becomes the file as it was when something last had to
 * be on stable storage. */
static void use(u8 *safe)
{
    struct ssi_pdr pdr = {0};
    u64 checkpoint = 0, n = 1 + ssi_sim_random(sim) % CLAIMS_MAX, generation;
    for (u64 i = 0; i < n; i++) {
        char name[SSI_CLAIM_NAME_BYTES];
        struct ssi *who = ssi_sim_random(sim) % 2 ? ssi : other;
        snprintf(name, sizeof name, "N%u", (unsigned)(ssi_sim_random(sim) % 300));
        if (ssi_sim_random(sim) % 2)
            ssi_claim(who, 1, name, &generation, NULL);
        else
            ssi_share_set(who, 2, name, (u8)(ssi_sim_random(sim) % 4), 2, NULL);
        ck_assert(ssi_sim_pdr_look(sim, &pdr));
        u64 newest = pdr.head_seq[pdr.head_seq[1] > pdr.head_seq[0]];
        if (newest != checkpoint)
            memcpy(safe, ssi_sim_pdr(sim), PDR_FILE_BYTES);
        checkpoint = newest;
    }
    ssi_pdr_fini(&pdr);
}

/* [P4] Of what was not on stable storage any sector may be there, and any may not. */
START_TEST(the_end_of_the_host_leaves_a_pdr_that_can_be_used)
{
    u8 *safe = malloc(PDR_FILE_BYTES);
    unsigned gaps = 0;
    for (unsigned i = 0; i < POWER_LOSSES; i++) {
        ck_assert_int_eq(start("SIMSSI"), ST_OK);
        start_other();
        use(safe);
        u8 *file = ssi_sim_pdr(sim);
        struct ssi_pdr pdr = look();
        ssi_sim_crash(sim, 0);
        ssi_sim_crash(sim, 1);
        unsigned of = 1 + (unsigned)(ssi_sim_random(sim) % 20);
        for (u64 at = 0; at < PDR_FILE_BYTES; at += SECTOR_BYTES)
            if (memcmp(file + at, safe + at, SECTOR_BYTES) && ssi_sim_random(sim) % of == 0)
                memcpy(file + at, safe + at, SECTOR_BYTES);
        struct ssi_pdr left = look();
        ck_assert_uint_le(left.seq, pdr.seq);
        gaps += left.gap;
        ssi_pdr_fini(&pdr);
        ssi_pdr_fini(&left);
        run_ms(30000);
        ck_assert_int_eq(start("SIMSSI"), ST_OK);
        pdr = look();
        ck_assert_uint_eq(pdr.n_claims, 0);
        ck_assert_int_eq(pdr.rows[1].state, SSI_DOWN);
        ssi_pdr_fini(&pdr);
        ssi_sim_crash(sim, 0);
    }
    ck_assert_uint_gt(gaps, POWER_LOSSES / 4); /* else it tests nothing */
    free(safe);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_pdr");
    TCase *tc = tcase_create("pdr");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_header_is_decoded_as_it_was_encoded);
    tcase_add_loop_test(tc, a_block_is_applied_as_it_was_encoded, 0, 2);
    tcase_add_loop_test(tc, a_block_that_makes_no_sense_changes_nothing, 0, 2);
    tcase_add_test(tc, names_are_found_by_their_keys);
    tcase_add_test(tc, a_torn_change_leaves_the_one_before);
    tcase_add_test(tc, an_error_after_the_write_is_seen_through);
    tcase_add_test(tc, a_write_in_doubt_does_not_leave_a_claim_behind);
    tcase_add_test(tc, a_full_disk_refuses_claims_and_heals);
    tcase_add_test(tc, a_full_disk_at_creation_refuses_the_join);
    tcase_add_test(tc, another_clusters_pdr_is_refused);
    tcase_add_test(tc, a_damaged_checkpoint_is_passed_over_and_two_are_refused);
    tcase_add_test(tc, a_pdr_that_went_back_is_refused);
    tcase_add_test(tc, a_change_is_in_a_checkpoint_after_a_minute);
    tcase_add_test(tc, claims_of_a_former_life_are_dropped);
    tcase_add_test(tc, the_claim_table_has_a_limit);
    tcase_add_test(tc, shares_are_raised_lowered_and_dropped);
    tcase_add_test(tc, a_share_that_cannot_be_lowered_is_lowered_later);
    tcase_add_test(tc, a_share_raised_again_is_not_lowered_later);
    tcase_add_test(tc, a_raise_in_doubt_is_taken_back);
    tcase_add_test(tc, many_shares_come_and_go);
    tcase_add_test(tc, version_1_is_converted_with_what_is_in_it);
    tcase_add_test(tc, a_conversion_that_ends_early_is_done_again);
    tcase_add_test(tc, version_1_is_left_alone_while_its_release_runs);
    tcase_add_test(tc, a_version_to_come_is_refused_with_what_to_do);
    tcase_add_test(tc, a_file_that_is_no_pdr_is_left_alone);
    tcase_add_test(tc, an_empty_file_with_heartbeats_is_no_new_pdr);
    tcase_add_test(tc, a_missing_change_ends_the_history_when_nobody_runs);
    tcase_add_test(tc, a_block_torn_anywhere_is_none);
    tcase_add_test(tc, a_block_that_comes_late_is_found_out);
    tcase_add_test(tc, the_end_of_the_host_leaves_a_pdr_that_can_be_used);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
