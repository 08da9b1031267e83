/* Changes that do not wait (ssi_job.c, ssi_change.c): one write for all that came meanwhile, in
 * order, told when they are written, taken once, given back when nobody takes them; and a disk
 * that does not answer stalls nobody. In the simulator, whose work beside the loop takes its
 * time. */
#include <check.h>
#include <stdio.h>

#include "ssi/ssi_pdr.h"
#include "tests/lib/sim_until.h"

enum { A, B, MEMBERS };
#define KIND 5
#define READ 1
#define WRITE 2

static struct ssi_sim *sim;
static struct ssi *member[MEMBERS];
static bool joined[MEMBERS];
static unsigned told;

static void on_joined(void *ctx, int status, const struct cause *cause)
{
    (void)cause;
    *(bool *)ctx = status == ST_OK;
}

static void on_told(void *ctx)
{
    (void)ctx;
    told++;
}

#define RUN_UNTIL(cond) SIM_UNTIL(sim, 30000, cond)

/* `hosts`: every member has its own. */
static void up(unsigned work_ms)
{
    sim = ssi_sim_create(4);
    told = 0;
    ssi_sim_work(sim, work_ms);
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct ssi_config config;
        struct cause cause;
        ssi_sim_config(&config, i, MEMBERS);
        joined[i] = false;
        member[i] = ssi_sim_start(sim, &config, i, &cause);
        ck_assert_ptr_nonnull(member[i]);
        ssi_join(member[i], on_joined, &joined[i]);
    }
    RUN_UNTIL(joined[A] && joined[B] && ssi_mode(member[A]) == SSI_MODE_STABLE &&
              ssi_mode(member[B]) == SSI_MODE_STABLE);
}

static void down(void)
{
    ssi_sim_destroy(sim);
}

static struct ssi_want want(const char *name, u8 mode, u8 refuse)
{
    struct ssi_want w = {.kind = KIND, .mode = mode, .refuse = refuse};
    snprintf(w.name, sizeof w.name, "%s", name);
    return w;
}

static int claim(unsigned slot, const char *name, u64 *generation)
{
    int rc;
    do {
        rc = ssi_claim(member[slot], KIND, name, generation, NULL);
    } while (rc == ST_BUSY);
    return rc;
}

static int share(unsigned slot, const char *name, u8 mode, u8 refuse)
{
    int rc;
    do {
        rc = ssi_share_set(member[slot], KIND, name, mode, refuse, NULL);
    } while (rc == ST_BUSY);
    return rc;
}

/* Fifty claims that were asked for one by one cost a few writes, and each is told once. */
START_TEST(many_changes_are_one_write)
{
    struct ssi_asked *asked[50];
    up(40);
    u64 writes = ssi_sim_pdr_writes(sim);
    for (unsigned i = 0; i < 50; i++) {
        char name[16];
        snprintf(name, sizeof name, "USER%u", i);
        struct ssi_want w = want(name, 0, 0);
        asked[i] = ssi_ask(member[A], &w, 1, on_told, NULL);
    }
    ck_assert_uint_eq(told, 0); /* from the loop only */
    RUN_UNTIL(told == 50);
    ck_assert_uint_le(ssi_sim_pdr_writes(sim) - writes, 4);
    writes = ssi_sim_pdr_writes(sim);
    for (unsigned i = 0; i < 50; i++) {
        char name[16];
        u64 generation, other;
        snprintf(name, sizeof name, "USER%u", i);
        ck_assert_int_eq(ssi_claim(member[A], KIND, name, &generation, NULL), ST_OK);
        ssi_asked_end(member[A], asked[i]);
        ck_assert_int_eq(claim(B, name, &other), ST_EXIST);
    }
    ck_assert_uint_eq(ssi_sim_pdr_writes(sim), writes); /* they were there already */
    ck_assert_uint_eq(told, 50);
    down();
}
END_TEST

/* Two members ask for one name at the same time: one gets it. */
START_TEST(one_of_two_who_ask_gets_it)
{
    struct ssi_want w = want("LINUX1", 0, 0);
    struct ssi_asked *asked[MEMBERS];
    int rc[MEMBERS];
    u64 generation;
    up(30);
    for (unsigned i = 0; i < MEMBERS; i++)
        asked[i] = ssi_ask(member[i], &w, 1, on_told, NULL);
    RUN_UNTIL(told == 2);
    for (unsigned i = 0; i < MEMBERS; i++)
        rc[i] = ssi_claim(member[i], KIND, "LINUX1", &generation, NULL);
    ck_assert((rc[A] == ST_OK && rc[B] == ST_EXIST) || (rc[B] == ST_OK && rc[A] == ST_EXIST));
    for (unsigned i = 0; i < MEMBERS; i++)
        ssi_asked_end(member[i], asked[i]);
    down();
}
END_TEST

/* What nobody takes goes back, also when it was given up before it was answered. */
START_TEST(what_is_not_taken_goes_back)
{
    struct ssi_want wants[] = {want("LINUX1", 0, 0), want("DISK", READ | WRITE, READ | WRITE)};
    struct ssi_asked *asked = NULL;
    u64 generation;
    up(30);
    asked = ssi_ask(member[A], wants, 2, on_told, NULL);
    if (_i)
        RUN_UNTIL(told == 1);
    ssi_asked_end(member[A], asked);
    int rc = ST_EXIST;
    RUN_UNTIL(rc == ST_OK || (rc = claim(B, "LINUX1", &generation)) == ST_OK);
    RUN_UNTIL(share(B, "DISK", WRITE, READ | WRITE) == ST_OK);
    ck_assert_uint_eq(told, (unsigned)_i);
    down();
}
END_TEST

/* Order: what is given back is gone before what is asked for later is looked at; and who waits for
 * the end of all that is told then, and not before. */
START_TEST(changes_keep_their_order)
{
    struct ssi_want w = want("LINUX1", 0, 0);
    u64 first = 0, second = 0;
    up(30);
    ck_assert_int_eq(claim(A, "LINUX1", &first), ST_OK);
    ck_assert_int_eq(ssi_release_soon(member[A], KIND, "LINUX1", first), ST_OK);
    ck_assert(ssi_owes(member[A]));
    struct ssi_asked *asked = ssi_ask(member[A], &w, 1, on_told, NULL);
    struct ssi_asked *behind = ssi_ask(member[A], NULL, 0, on_told, NULL);
    RUN_UNTIL(told == 2);
    ck_assert(!ssi_owes(member[A]));
    ck_assert_int_eq(ssi_claim(member[A], KIND, "LINUX1", &second, NULL), ST_OK);
    ck_assert_uint_gt(second, first);
    ssi_asked_end(member[A], asked);
    ssi_asked_end(member[A], behind);
    ck_assert_int_eq(ssi_release_soon(member[A], KIND, "LINUX1", second), ST_OK);
    ck_assert_int_eq(claim(A, "LINUX1", &first), ST_OK); /* carries out what waits first */
    ck_assert_uint_gt(first, second);
    down();
}
END_TEST

/* [A1] Two of one member ask for a disk, and the first lets go before the second takes it: then it
 * asks anew, as another member may have got it meanwhile. */
START_TEST(what_was_lowered_is_asked_for_anew)
{
    struct ssi_want w = want("DISK", WRITE, READ | WRITE);
    up(30);
    struct ssi_asked *one = ssi_ask(member[A], &w, 1, on_told, NULL);
    struct ssi_asked *two = ssi_ask(member[A], &w, 1, on_told, NULL);
    RUN_UNTIL(told == 2);
    ck_assert_int_eq(ssi_share_set(member[A], KIND, "DISK", WRITE, READ | WRITE, NULL), ST_OK);
    ssi_asked_end(member[A], one);
    ck_assert_int_eq(ssi_share_lower(member[A], KIND, "DISK", NULL, 0), ST_OK);
    /* the lock may not be had just now: then it is given back with the next job */
    RUN_UNTIL(share(B, "DISK", WRITE, READ | WRITE) == ST_OK);
    ck_assert_int_eq(share(A, "DISK", WRITE, READ | WRITE), ST_EXIST);
    ssi_asked_end(member[A], two);
    RUN_UNTIL(!ssi_owes(member[A]));
    ck_assert_int_eq(share(B, "DISK", WRITE, READ | WRITE), ST_OK);
    down();
}
END_TEST

/* A disk that takes ten seconds for everything: links stay, nobody is Unknown, no call blocks. */
START_TEST(a_slow_disk_stalls_nobody)
{
    struct ssi_want w = want("LINUX1", 0, 0);
    up(0);
    down();
    up(1);
    ssi_sim_work(sim, 10000);
    struct ssi_asked *asked = ssi_ask(member[A], &w, 1, on_told, NULL);
    for (u64 until = ssi_sim_now_ms(sim) + 60000; ssi_sim_now_ms(sim) < until;) {
        ssi_sim_step(sim);
        for (unsigned i = 0; i < MEMBERS; i++) {
            ck_assert_int_eq(ssi_mode(member[i]), SSI_MODE_STABLE);
            ck_assert_int_eq(ssi_member_state(member[i], "M0"), SSI_JOINED);
            ck_assert_int_eq(ssi_member_state(member[i], "M1"), SSI_JOINED);
        }
    }
    ck_assert_uint_eq(told, 1);
    ssi_asked_end(member[A], asked);
    down();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_job");
    TCase *tc = tcase_create("job");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, many_changes_are_one_write);
    tcase_add_test(tc, one_of_two_who_ask_gets_it);
    tcase_add_loop_test(tc, what_is_not_taken_goes_back, 0, 2);
    tcase_add_test(tc, changes_keep_their_order);
    tcase_add_test(tc, what_was_lowered_is_asked_for_anew);
    tcase_add_test(tc, a_slow_disk_stalls_nobody);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
