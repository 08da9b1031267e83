/* Shares of two members: who stands in whose way, Safe mode, a member that ends. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/sim_until.h"

enum { A, B, MEMBERS };
enum { READ = 1, WRITE = 2, KIND = 9 };
#define STORY_MS 200000

static struct ssi_sim *sim;
static struct ssi *member[MEMBERS];
static bool ended[MEMBERS];
static struct cause cause;

static void done(void *ctx, int rc, const struct cause *why)
{
    (void)why;
    ck_assert_int_eq(rc, ST_OK);
    *(bool *)ctx = true;
}

#define RUN_UNTIL(cond) SIM_UNTIL(sim, STORY_MS, cond)

static void start(unsigned slot)
{
    struct ssi_config config;
    ssi_sim_config(&config, slot, MEMBERS);
    member[slot] = ssi_sim_start(sim, &config, 0, &cause);
    ck_assert_ptr_nonnull(member[slot]);
    ended[slot] = false;
    ssi_join(member[slot], done, &ended[slot]);
    RUN_UNTIL(ended[slot]);
}

static void setup(void)
{
    sim = ssi_sim_create(3);
    start(A);
    start(B);
    RUN_UNTIL(ssi_mode(member[A]) == SSI_MODE_STABLE);
}

static void teardown(void)
{
    ssi_sim_destroy(sim);
}

static int set(unsigned slot, u8 mode, u8 refuse)
{
    int rc;
    do { /* the PDR lock is busy now and then in the simulator */
        rc = ssi_share_set(member[slot], KIND, "COM001.100", mode, refuse, &cause);
    } while (rc == ST_BUSY);
    return rc;
}

static int part(unsigned slot, struct ssi_part p, u8 mode, u8 refuse)
{
    int rc;
    do {
        rc = ssi_share_part(member[slot], KIND, &p, mode, refuse, &cause);
    } while (rc == ST_BUSY);
    return rc;
}

struct list {
    unsigned n;
    u8 mode[MEMBERS];
};

static void listed(void *ctx, const char *name, const char *owner, u8 mode)
{
    struct list *list = ctx;
    ck_assert_str_eq(name, "COM001.100");
    list->mode[owner[1] - '0'] = mode;
    list->n++;
}

static void expect_modes(u8 a, u8 b)
{
    struct list list = {0};
    int rc;
    do {
        rc = ssi_share_each(member[B], KIND, listed, &list);
    } while (rc == ST_BUSY);
    ck_assert_int_eq(rc, ST_OK);
    ck_assert_uint_eq(list.mode[A], a);
    ck_assert_uint_eq(list.mode[B], b);
    ck_assert_uint_eq(list.n, !!a + !!b);
}

START_TEST(a_refused_bit_of_another_is_in_the_way)
{
    ck_assert_int_eq(set(A, READ | WRITE, WRITE), ST_OK);
    ck_assert_int_eq(set(B, WRITE, WRITE), ST_EXIST);
    ck_assert_str_eq(cause.text, "M0");
    expect_modes(READ | WRITE, 0);
    ck_assert_int_eq(set(B, READ, 0), ST_OK);
    ck_assert_int_eq(set(B, READ, WRITE), ST_EXIST); /* kept on condition only */
    expect_modes(READ | WRITE, READ);
    ck_assert_int_eq(set(A, READ, 0), ST_OK);
    ck_assert_int_eq(set(B, READ | WRITE, WRITE), ST_OK);
    ck_assert_int_eq(set(A, 0, 0), ST_OK);
    expect_modes(0, READ | WRITE);
}
END_TEST

START_TEST(in_safe_mode_shares_are_lowered_and_never_raised)
{
    ck_assert_int_eq(set(A, READ | WRITE, WRITE), ST_OK);
    ssi_sim_stall(sim, A, B, true);
    ssi_sim_cut(sim, A, B);
    RUN_UNTIL(ssi_mode(member[A]) == SSI_MODE_SAFE && ssi_mode(member[B]) == SSI_MODE_SAFE);
    ck_assert_int_eq(set(B, READ, 0), ST_REFUSED);
    ck_assert_ptr_nonnull(strstr(cause.text, "Safe mode"));
    ck_assert_int_eq(set(A, READ, 0), ST_OK);
    ck_assert_int_eq(set(A, READ, WRITE), ST_REFUSED);
    ck_assert_int_eq(set(A, READ | WRITE, 0), ST_REFUSED);
    expect_modes(READ, 0);
    ck_assert_int_eq(set(A, 0, 0), ST_OK);
    expect_modes(0, 0);
    ssi_sim_stall(sim, A, B, false);
    RUN_UNTIL(ssi_mode(member[B]) == SSI_MODE_STABLE);
    ck_assert_int_eq(set(B, READ, WRITE), ST_OK);
}
END_TEST

START_TEST(the_shares_of_a_member_go_with_it)
{
    ck_assert_int_eq(set(A, WRITE, WRITE), ST_OK);
    ck_assert_int_eq(set(B, READ, 0), ST_OK);
    ssi_sim_crash(sim, A);
    RUN_UNTIL(ssi_member_state(member[B], "M0") == SSI_DOWN);
    expect_modes(0, READ);
    ck_assert_int_eq(set(B, WRITE, WRITE), ST_OK);
    start(A);
    ck_assert_int_eq(set(A, WRITE, WRITE), ST_EXIST);
}
END_TEST

/* Parts of one whole that have a unit in common are in each other's way, as the same part is. */
START_TEST(parts_that_overlap)
{
    const struct ssi_part held = {"COM001", 77, 10, 10};
    const struct {
        struct ssi_part p;
        int rc;
    } rows[] = {
        {{"COM001", 77, 10, 10}, ST_EXIST},
        {{"COM001", 77, 0, 10}, ST_OK},
        {{"COM001", 77, 0, 11}, ST_EXIST},
        {{"COM001", 77, 20, 5}, ST_OK},
        {{"COM001", 77, 19, 1}, ST_EXIST},
        {{"COM001", 77, 12, 3}, ST_EXIST},
        {{"COM001", 77, 0, 1u << 31}, ST_EXIST},
        {{"COM001", 77, 0, 1ull << 40}, ST_EXIST}, /* it cannot be told of, but is looked at */
        {{"COM001", 78, 10, 10}, ST_OK},           /* of another whole */
        {{"COM002", 77, 10, 11}, ST_OK},           /* another label: not the same */
        {{"", 77, 10, 11}, ST_EXIST},              /* no label: it may be */
    };
    ck_assert_int_eq(part(A, held, WRITE, WRITE), ST_OK);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        int rc = part(B, rows[i].p, WRITE, WRITE);
        ck_assert_msg(rc == rows[i].rc, "row %u: %d", i, rc);
        ck_assert_int_eq(part(B, rows[i].p, READ, 0), ST_OK);
        ck_assert_int_eq(part(B, rows[i].p, 0, 0), ST_OK);
    }
    ck_assert_int_eq(part(A, held, 0, 0), ST_OK);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        ck_assert_int_eq(part(B, rows[i].p, WRITE, WRITE), ST_OK);
        bool untold = rows[i].p.count >> 32; /* beyond the units that the PDR has room for */
        ck_assert_int_eq(part(A, held, WRITE, WRITE), untold ? ST_OK : rows[i].rc);
        ck_assert_int_eq(part(A, held, 0, 0), ST_OK);
        ck_assert_int_eq(part(B, rows[i].p, 0, 0), ST_OK);
    }
    ck_assert_int_eq(part(A, (struct ssi_part){"COM001", 77, 5, 0}, READ, 0), ST_INVAL);
    ck_assert_int_eq(part(A, (struct ssi_part){"COM001", 77, 5, UINT64_MAX}, READ, 0),
                     ST_INVAL);
}
END_TEST

/* A member of a release that knows no parts has the name alone: the same part is its business. */
START_TEST(parts_of_an_older_release)
{
    const struct ssi_part p = {"COM001", 77, 10, 10};
    char name[SSI_CLAIM_NAME_BYTES];
    int rc;
    ssi_part_name(&p, name);
    do {
        rc = ssi_share_set(member[A], KIND, name, WRITE, WRITE, &cause);
    } while (rc == ST_BUSY);
    ck_assert_int_eq(rc, ST_OK);
    ck_assert_int_eq(part(B, p, WRITE, WRITE), ST_EXIST);
    ck_assert_int_eq(part(B, (struct ssi_part){"COM001", 77, 10, 11}, WRITE, WRITE), ST_OK);
}
END_TEST

/* Which units it has comes with the share to who reads the PDR later, also from a checkpoint. */
START_TEST(parts_are_read_by_who_comes_later)
{
    ck_assert_int_eq(part(A, (struct ssi_part){"COM001", 77, 10, 10}, WRITE, WRITE), ST_OK);
    ssi_sim_crash(sim, B);
    RUN_UNTIL(ssi_member_state(member[A], "M1") == SSI_DOWN);
    for (unsigned i = 0; i < 1100; i++) /* over two checkpoints */
        ck_assert_int_eq(set(A, i % 2 ? READ : READ | WRITE, 0), ST_OK);
    start(B);
    ck_assert_int_eq(part(B, (struct ssi_part){"COM001", 77, 19, 10}, WRITE, WRITE), ST_EXIST);
    ck_assert_str_eq(cause.text, "M0");
    ck_assert_int_eq(part(B, (struct ssi_part){"COM001", 77, 20, 10}, WRITE, WRITE), ST_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_share");
    TCase *tc = tcase_create("shares");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_refused_bit_of_another_is_in_the_way);
    tcase_add_test(tc, in_safe_mode_shares_are_lowered_and_never_raised);
    tcase_add_test(tc, the_shares_of_a_member_go_with_it);
    tcase_add_test(tc, parts_that_overlap);
    tcase_add_test(tc, parts_of_an_older_release);
    tcase_add_test(tc, parts_are_read_by_who_comes_later);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
