/* Reservation among several systems: who may begin a channel program, who waits, who is told
 * when it can go on, and that two who wait for each other do not wait for ever. */
#include <check.h>
#include <stdlib.h>

#include "io/image/hold.h"
#include "mem/base/status.h"

static struct hold_group *g;
static struct hold *a, *b, *apart;
static unsigned told_a, told_b;

static void tell(void *arg)
{
    ++*(unsigned *)arg;
}

static void setup(void)
{
    g = hold_group_create();
    a = hold_join(g, 0, 100);
    b = hold_join(g, 50, 100);
    apart = hold_join(g, 200, 10);
    told_a = told_b = 0;
    hold_watch(a, tell, &told_a);
    hold_watch(b, tell, &told_b);
}

static void teardown(void)
{
    hold_leave(a);
    hold_leave(b);
    hold_leave(apart);
    hold_group_destroy(g);
}

START_TEST(nobody_else_is_there)
{
    ck_assert(hold_begin(NULL) && hold_reserve(NULL, true));
    hold_end(NULL);
    ck_assert_int_eq(hold_state(NULL), HOLD_NONE);
}
END_TEST

START_TEST(a_reserved_disk_keeps_others_away)
{
    ck_assert(hold_reserve(a, false));
    ck_assert(hold_reserve(a, false)); /* again: it has it */
    ck_assert_int_eq(hold_state(a), HOLD_HERE);
    ck_assert_int_eq(hold_state(b), HOLD_ELSEWHERE);
    ck_assert_int_eq(hold_state(apart), HOLD_NONE);
    ck_assert(hold_begin(a));
    ck_assert(!hold_begin(b));
    ck_assert(!hold_reserve(b, false));
    hold_forget(b);
    ck_assert(hold_begin(apart) && hold_reserve(apart, true)); /* another part of the volume */
    hold_end(a);
    ck_assert_uint_eq(told_b, 0); /* which would be refused again */
    ck_assert(!hold_begin(b));
    hold_release(a);
    ck_assert_uint_eq(told_b, 1);
    ck_assert(hold_begin(b));
    hold_end(b);
    hold_end(apart);
}
END_TEST

START_TEST(who_reserves_waits_for_programs_under_way)
{
    ck_assert(hold_begin(a));
    ck_assert(hold_begin(a)); /* of an alias */
    ck_assert(!hold_reserve(b, false));
    ck_assert(!hold_begin(a)); /* b is next */
    hold_end(a);
    ck_assert_uint_eq(told_b, 0);
    hold_end(a);
    ck_assert_uint_eq(told_b, 1);
    ck_assert(hold_reserve(b, false));
    hold_release(b);
    ck_assert_uint_eq(told_a, 1);
    ck_assert(hold_begin(a));
    ck_assert(!hold_reserve(b, false));
    hold_forget(b); /* halted */
    ck_assert(hold_begin(a));
    hold_end(a);
    hold_end(a);
}
END_TEST

/* Programs that reserve in their middle are both under way: the one that waits is not in the
 * way. */
START_TEST(two_who_want_it)
{
    ck_assert(hold_begin(a) && hold_begin(b));
    ck_assert(!hold_reserve(a, true));
    bool second = hold_reserve(b, true);
    ck_assert(second || told_a == 1);
    struct hold *winner = second ? b : a, *loser = second ? a : b;
    ck_assert(hold_reserve(winner, true));
    ck_assert(!hold_reserve(loser, true));
    hold_end(winner);
    hold_release(winner);
    ck_assert(hold_reserve(loser, true));
    hold_release(loser);
    hold_end(loser);
}
END_TEST

START_TEST(it_can_be_taken_away)
{
    ck_assert(hold_reserve(a, false));
    ck_assert(hold_begin(a)); /* in the middle of a program */
    hold_steal(b);
    ck_assert_int_eq(hold_state(a), HOLD_ELSEWHERE);
    ck_assert_int_eq(hold_state(b), HOLD_HERE);
    ck_assert(hold_begin(b));
    hold_end(a);
    ck_assert(!hold_begin(a));
    hold_release(a); /* it has nothing to give back */
    ck_assert_int_eq(hold_state(b), HOLD_HERE);
    hold_end(b);
    hold_release(b);
    ck_assert_uint_eq(told_a, 1);
    ck_assert_int_eq(hold_state(a), HOLD_NONE); /* nor does it get it back */
}
END_TEST

START_TEST(who_leaves_holds_nothing)
{
    ck_assert(hold_reserve(a, false) && hold_begin(a));
    ck_assert(!hold_begin(b));
    hold_leave(a);
    a = NULL;
    ck_assert_uint_eq(told_b, 1);
    ck_assert(hold_begin(b));
    hold_end(b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io_hold");
    TCase *tc = tcase_create("io_hold");
    suite_add_tcase(suite, tc);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, nobody_else_is_there);
    tcase_add_test(tc, a_reserved_disk_keeps_others_away);
    tcase_add_test(tc, who_reserves_waits_for_programs_under_way);
    tcase_add_test(tc, two_who_want_it);
    tcase_add_test(tc, it_can_be_taken_away);
    tcase_add_test(tc, who_leaves_holds_nothing);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
