/* Reservation among several systems: who may begin a channel program, who waits, who is told
 * when it can go on, and that two who wait for each other do not wait for ever. */
#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/image/hold.h"
#include "mem/base/status.h"

static struct hold_group *g;
static struct hold *a, *b, *apart;
static atomic_uint told_a, told_b;

static void tell(void *arg)
{
    atomic_fetch_add((atomic_uint *)arg, 1);
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
    ck_assert_uint_eq(hold_losses(a), 1);
    ck_assert_uint_eq(hold_losses(b), 0);
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

/* ---- programs elsewhere: groups of their own, with the file of the volume ---- */

static char file[64];
static struct hold_group *there;
static struct hold *far_away;
static atomic_uint told_far;

static void setup_far(void)
{
    setup();
    snprintf(file, sizeof file, "/tmp/io_hold_%d.img", getpid());
    int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    there = hold_group_create();
    far_away = hold_join(there, 5, 10);
    told_far = 0;
    hold_watch(far_away, tell, &told_far);
    hold_open(a, file);
    hold_open(apart, file);
    hold_open(far_away, file);
}

static void teardown_far(void)
{
    hold_leave(far_away);
    hold_group_destroy(there);
    teardown();
    unlink(file);
}

static void wait_told(const atomic_uint *told, unsigned n)
{
    while (atomic_load(told) < n)
        sched_yield();
}

/* Reserved here: nobody begins there, and it is told of the release. And the other way round. */
START_TEST(a_reservation_counts_elsewhere)
{
    ck_assert(hold_reserve(a, false));
    ck_assert_int_eq(hold_state(far_away), HOLD_ELSEWHERE);
    ck_assert(hold_begin(a));
    ck_assert(hold_begin(apart));
    ck_assert(!hold_begin(far_away));
    ck_assert(!hold_reserve(far_away, false));
    hold_forget(far_away);
    hold_end(a);
    ck_assert(!hold_begin(far_away));
    hold_release(a);
    wait_told(&told_far, 1);
    ck_assert_int_eq(hold_state(far_away), HOLD_NONE);
    ck_assert(hold_begin(far_away) && hold_begin(a));
    hold_end(a);
    hold_end(far_away);
    ck_assert(hold_reserve(far_away, false));
    ck_assert(!hold_begin(a));
    hold_leave(far_away); /* or its member ends */
    far_away = NULL;
    wait_told(&told_a, 1);
    ck_assert(hold_begin(a));
    hold_end(a);
    hold_end(apart);
    far_away = hold_join(there, 5, 10);
}
END_TEST

/* Who wants to reserve waits for programs there, but no more of them begin. */
START_TEST(who_reserves_waits_for_programs_elsewhere)
{
    ck_assert(hold_begin(far_away) && hold_begin(far_away));
    ck_assert(!hold_reserve(a, false));
    hold_end(far_away);
    ck_assert_uint_eq(told_a, 0);
    hold_end(far_away);
    ck_assert(!hold_begin(far_away));
    wait_told(&told_a, 1);
    ck_assert(hold_reserve(a, false));
    hold_release(a);
    wait_told(&told_far, 1);
    ck_assert(hold_begin(far_away));
    ck_assert(!hold_reserve(a, false));
    hold_forget(a); /* halted */
    ck_assert(hold_begin(far_away));
    hold_end(far_away);
    hold_end(far_away);
}
END_TEST

/* Two programs that reserve in their middle are not in each other's way. */
START_TEST(two_elsewhere_who_want_it)
{
    ck_assert(hold_begin(a) && hold_begin(far_away));
    ck_assert(!hold_reserve(a, true));
    bool second = hold_reserve(far_away, true);
    ck_assert(second); /* a's program waits */
    hold_release(far_away);
    hold_end(far_away);
    wait_told(&told_a, 1);
    ck_assert(hold_reserve(a, true));
    hold_release(a);
    hold_end(a);
}
END_TEST

/* Who has it there sees that it is taken, and has lost it; a program of his that is under way ends
 * before it is had here, and none begins. */
START_TEST(it_is_taken_from_elsewhere)
{
    ck_assert(hold_reserve(far_away, false));
    ck_assert(hold_begin(far_away));
    ck_assert(!hold_steal(a));
    ck_assert(!hold_begin(a));
    while (hold_losses(far_away) == 0)
        sched_yield();
    ck_assert(!hold_begin(far_away)); /* as though it had it */
    ck_assert_uint_eq(told_a, 0);
    hold_end(far_away);
    wait_told(&told_a, 1);
    ck_assert(hold_steal(a)); /* the command begins again */
    ck_assert(hold_begin(a));
    ck_assert_int_eq(hold_state(a), HOLD_HERE);
    ck_assert_int_eq(hold_state(far_away), HOLD_ELSEWHERE);
    ck_assert_uint_eq(hold_losses(a), 0);
    ck_assert_uint_eq(hold_losses(far_away), 1);
    ck_assert(!hold_steal(far_away)); /* and back */
    hold_end(a);
    while (hold_losses(a) == 0)
        sched_yield();
    while (!hold_steal(far_away))
        sched_yield();
    ck_assert(!hold_begin(a));
    hold_release(far_away);
    wait_told(&told_a, 2);
    ck_assert(hold_begin(a));
    hold_end(a);
}
END_TEST

/* Two take it at the same time: one has it, then the other, whoever said so first. */
START_TEST(two_take_it_from_elsewhere)
{
    struct hold_group *third = hold_group_create();
    struct hold *c = hold_join(third, 0, 100);
    atomic_uint told_c = 0;
    hold_watch(c, tell, &told_c);
    hold_open(c, file);
    ck_assert(hold_reserve(far_away, false));
    ck_assert(!hold_steal(a));
    ck_assert(!hold_steal(c));
    for (bool had_a = false, had_c = false; !had_a || !had_c; sched_yield()) {
        had_a = had_a || hold_steal(a);
        had_c = had_c || hold_steal(c);
    }
    ck_assert_uint_eq(hold_losses(far_away), 1);
    ck_assert_uint_ge(hold_losses(a) + hold_losses(c), 1);
    hold_leave(c);
    hold_group_destroy(third);
    hold_release(a);
}
END_TEST

/* What moved here is kept, when programs there had let it go; what another one has there by then is
 * lost. */
START_TEST(what_moves_is_kept_or_lost)
{
    ck_assert(hold_begin(far_away));
    ck_assert(hold_keep(a));
    ck_assert(!hold_begin(a));
    hold_end(far_away);
    wait_told(&told_a, 1);
    ck_assert(hold_begin(a));
    ck_assert(!hold_begin(far_away));
    ck_assert_uint_eq(hold_losses(a), 0);
    hold_end(a);
    hold_release(a);
    while (!hold_reserve(far_away, false))
        sched_yield();
    ck_assert(hold_keep(a));
    while (hold_losses(a) == 0)
        sched_yield();
    ck_assert(!hold_begin(a));
    ck_assert_int_eq(hold_state(a), HOLD_ELSEWHERE);
    hold_release(far_away);
    wait_told(&told_a, 2);
    ck_assert(hold_begin(a));
    ck_assert_int_eq(hold_state(a), HOLD_NONE);
    hold_end(a);
}
END_TEST

/* Who takes it by force and gives up, because a program elsewhere has it, has reserved nothing. */
START_TEST(taking_it_is_given_up)
{
    ck_assert(hold_begin(far_away));
    ck_assert(!hold_steal(a));
    ck_assert(!hold_begin(b)); /* a is next */
    hold_forget(a);            /* halted */
    ck_assert_int_eq(hold_state(a), HOLD_NONE);
    ck_assert_uint_eq(told_b, 1);
    ck_assert(hold_begin(b));
    hold_end(b);
    hold_end(far_away);
    ck_assert(hold_reserve(far_away, false));
    hold_release(far_away);
    ck_assert(hold_steal(a));
    ck_assert(!hold_begin(far_away));
    hold_forget(a); /* of another program: what it has it keeps */
    ck_assert_int_eq(hold_state(a), HOLD_HERE);
    hold_release(a);
}
END_TEST

static atomic_uint told_twice;

/* It tries again at once, when somebody elsewhere has been faster. */
static void tries_again(void *arg)
{
    if (atomic_load(&told_twice) == 0) {
        ck_assert(hold_reserve(far_away, false));
        ck_assert(!hold_begin(arg));
    }
    atomic_fetch_add(&told_twice, 1);
}

START_TEST(refused_while_it_is_told)
{
    told_twice = 0;
    hold_watch(a, tries_again, a);
    ck_assert(hold_reserve(far_away, false));
    ck_assert(!hold_begin(a));
    hold_release(far_away);
    wait_told(&told_twice, 1);
    hold_release(far_away);
    wait_told(&told_twice, 2);
    hold_watch(a, tell, &told_a);
    ck_assert(hold_begin(a));
    hold_end(a);
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
    TCase *far_tc = tcase_create("elsewhere");
    suite_add_tcase(suite, far_tc);
    tcase_add_checked_fixture(far_tc, setup_far, teardown_far);
    tcase_add_test(far_tc, a_reservation_counts_elsewhere);
    tcase_add_test(far_tc, who_reserves_waits_for_programs_elsewhere);
    tcase_add_test(far_tc, two_elsewhere_who_want_it);
    tcase_add_test(far_tc, it_is_taken_from_elsewhere);
    tcase_add_test(far_tc, two_take_it_from_elsewhere);
    tcase_add_test(far_tc, what_moves_is_kept_or_lost);
    tcase_add_test(far_tc, taking_it_is_given_up);
    tcase_add_test(far_tc, refused_while_it_is_told);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
