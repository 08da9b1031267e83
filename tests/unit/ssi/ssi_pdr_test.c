/* The PDR: torn and damaged copies, wrong names, write errors at every kind of place.
 * One member in the simulator, whose PDR lives in memory and can be spoiled. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

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

static void spoil(unsigned copy)
{
    ssi_sim_pdr(sim)[PDR_COPY_AT + (size_t)copy * PDR_COPY_BYTES + 100] ^= 0x40;
}

static unsigned newest(void)
{
    const u8 *at = ssi_sim_pdr(sim) + PDR_COPY_AT + 24; /* sequence number */
    return be64_load(at + PDR_COPY_BYTES) > be64_load(at);
}

START_TEST(what_is_encoded_is_decoded)
{
    struct ssi_pdr *pdr = calloc(2, sizeof *pdr);
    u8 *bytes = malloc(PDR_COPY_BYTES);
    strcpy(pdr->cluster, "CLUSTER8");
    pdr->seq = 77;
    pdr->generation = 1ull << 40;
    strcpy(pdr->rows[7].name, "MEMBERH8");
    strcpy(pdr->rows[7].addr, "[fe80::1]:65535");
    pdr->rows[7].state = SSI_LEAVING;
    pdr->rows[7].incarnation = 0xfedcba9876543210;
    pdr->n_claims = SSI_CLAIMS_MAX;
    for (u32 i = 0; i < pdr->n_claims; i++) {
        snprintf(pdr->claims[i].name, SSI_CLAIM_NAME_BYTES, "%023u", i);
        pdr->claims[i].owner = i % 8;
        pdr->claims[i].kind = (u16)i;
        pdr->claims[i].generation = i;
    }
    ck_assert_uint_eq(ssi_pdr_encode(&pdr[0], bytes), PDR_COPY_BYTES);
    ck_assert_int_eq(ssi_pdr_decode_header(&pdr[1], bytes), PDR_HEADER_GOOD);
    ck_assert(ssi_pdr_decode_claims(&pdr[1], bytes + PDR_HEADER_BYTES));
    ck_assert_mem_eq(&pdr[0], &pdr[1], sizeof *pdr);
    for (unsigned at = 0; at < PDR_HEADER_BYTES; at += 7) {
        bytes[at] ^= 1;
        ck_assert_int_eq(ssi_pdr_decode_header(&pdr[1], bytes), PDR_HEADER_BAD);
        bytes[at] ^= 1;
    }
    bytes[PDR_HEADER_BYTES + 5] ^= 1;
    ck_assert(!ssi_pdr_decode_claims(&pdr[1], bytes + PDR_HEADER_BYTES));
    free(bytes);
    free(pdr);
}
END_TEST

START_TEST(a_torn_newest_copy_leaves_the_one_before)
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
    ck_assert_int_eq(ssi_member_state(ssi, "M0"), SSI_DOWN);
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

START_TEST(a_damaged_copy_is_passed_over_and_two_are_refused)
{
    u64 generation;
    struct cause cause;
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ck_assert_int_eq(claim("ONE", &generation, &cause), ST_OK);
    ssi_sim_crash(sim, 0);
    spoil(newest());
    ck_assert_int_eq(start("SIMSSI"), ST_OK);
    ssi_sim_crash(sim, 0);
    spoil(0);
    spoil(1);
    ck_assert_int_eq(start("SIMSSI"), ST_IO);
    ck_assert_ptr_nonnull(strstr(join_cause.text, "damaged"));
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

int main(void)
{
    Suite *suite = suite_create("ssi_pdr");
    TCase *tc = tcase_create("pdr");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_is_encoded_is_decoded);
    tcase_add_test(tc, a_torn_newest_copy_leaves_the_one_before);
    tcase_add_test(tc, an_error_after_the_write_is_seen_through);
    tcase_add_test(tc, a_write_in_doubt_does_not_leave_a_claim_behind);
    tcase_add_test(tc, a_full_disk_refuses_claims_and_heals);
    tcase_add_test(tc, a_full_disk_at_creation_refuses_the_join);
    tcase_add_test(tc, another_clusters_pdr_is_refused);
    tcase_add_test(tc, a_damaged_copy_is_passed_over_and_two_are_refused);
    tcase_add_test(tc, a_pdr_that_went_back_is_refused);
    tcase_add_test(tc, claims_of_a_former_life_are_dropped);
    tcase_add_test(tc, the_claim_table_has_a_limit);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
