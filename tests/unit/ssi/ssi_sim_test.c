/* Simulated clusters (tests/lib/ssi_world.h): histories from seeds; and that the checks find faults
 * that are planted, and that a seed replays. `make sim` runs more of them.
 * SSI_SIM_RUNS=n how many, SSI_SIM_SEED=n the first, SSI_SIM_VERBOSE=1 with operators' messages.
 * tsan: no, one thread does it all: quarter hours in which there is nothing to race */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/ssi_world.h"

#define RUNS_DEFAULT 2000
#define PLANTED_MAX 200 /* histories until a planted fault has to be found */

static u64 number(const char *name, u64 otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static void say(const struct ssi_world_sum *s)
{
    static const char *const names[] = {
        "histories",     "events",     "joins",   "refused",  "leaves",     "crashes",
        "expelled",      "partitions", "one-way", "slow",     "PDR faults", "PDR cuts",
        "claims",        "not given",  "moves",   "in doubt", "held",       "dropped",
        "declared down", "REPAIR",     "slots",   "frozen",   "links",      "links not given",
        "links moved",   "asked"};
    const u64 *counts = (const u64 *)s;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        fprintf(stderr, "%s%llu %s", i ? ", " : "", (unsigned long long)counts[i], names[i]);
    fprintf(stderr, "\n");
}

START_TEST(clusters_survive_everything)
{
    struct ssi_world_sum sum = {0};
    char fault[256];
    u64 first = number("SSI_SIM_SEED", 1), n = number("SSI_SIM_RUNS", RUNS_DEFAULT);
    bool verbose = number("SSI_SIM_VERBOSE", 0);
    for (u64 seed = first; seed < first + n; seed++)
        if (!ssi_world_run(seed, PLANT_NOTHING, verbose, &sum, fault))
            ck_abort_msg("%s (again: make sim N=1 SEED=%llu VERBOSE=1)", fault,
                         (unsigned long long)seed);
    say(&sum);
    ck_assert(n < RUNS_DEFAULT ||
              (sum.held && sum.moves && sum.doubts && sum.one_way && sum.declared &&
               sum.links_refused && sum.links_moved && sum.asked));
}
END_TEST

/* The checks can fail: each kind of fault that is planted is found, by the check that is meant. */
START_TEST(planted_faults_are_found)
{
    static const struct {
        enum ssi_world_plant plant;
        const char *found;
    } plants[] = {{PLANT_LYING_DISK, "[W1]"}, {PLANT_HELD_TWICE, "[W2]"},
                  {PLANT_HELD_LOST, "[W2]"},  {PLANT_NO_HEAL, "[W5]"},
                  {PLANT_LINK_DEAF, "[W8]"},  {PLANT_LINK_LEFT, "[W5]"}};
    struct ssi_world_sum sum = {0};
    char fault[256] = "";
    u64 seed = 1;
    while (seed < PLANTED_MAX && (ssi_world_run(seed, plants[_i].plant, false, &sum, fault) ||
                                  !strstr(fault, plants[_i].found)))
        seed++;
    ck_assert_msg(seed < PLANTED_MAX, "%s: not found, but: %s", plants[_i].found, fault);
}
END_TEST

START_TEST(a_seed_replays)
{
    struct ssi_world_sum a = {0}, b = {0};
    char fault[256], again[256];
    for (u64 seed = 1; seed < 20; seed++) {
        bool held = ssi_world_run(seed, PLANT_LYING_DISK, false, &a, fault);
        ck_assert(ssi_world_run(seed, PLANT_LYING_DISK, false, &b, again) == held);
        ck_assert_str_eq(fault, again);
        ck_assert_mem_eq(&a, &b, sizeof a);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_sim");
    TCase *tc = tcase_create("histories");
    tcase_set_timeout(tc, 1800);
    tcase_add_test(tc, clusters_survive_everything);
    suite_add_tcase(suite, tc);
    tc = tcase_create("checks");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, planted_faults_are_found, 0, 6);
    tcase_add_test(tc, a_seed_replays);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
