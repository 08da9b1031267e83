/* The order of locks (docs/locking.md): what may be taken when is accepted, everything else
 * aborts, in the very thread that does it. */
#define ENDICOTT_LOCK_ORDER 1
#include <check.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "mem/base/lock.h"

static struct lock locks[LOCK_KINDS];

static void setup(void)
{
    for (unsigned i = 0; i < LOCK_KINDS; i++)
        lock_init(&locks[i], (enum lock_kind)i);
}

static void teardown(void)
{
    for (unsigned i = 0; i < LOCK_KINDS; i++)
        lock_fini(&locks[i]);
}

/* The picture of docs/locking.md, said once more. */
static bool follows(unsigned first, unsigned then)
{
    switch (then) {
    case LOCK_DEVICE: return first == LOCK_CSS;
    case LOCK_HOLD: return first == LOCK_CSS;
    case LOCK_NIC: return first == LOCK_CSS;
    case LOCK_LAN: return first == LOCK_CSS || first == LOCK_NIC || first == LOCK_IVL;
    case LOCK_CTC: return first == LOCK_CSS;
    case LOCK_WATCHING: return first == LOCK_CSS || first == LOCK_NIC;
    case LOCK_CAPTURE: return first == LOCK_CSS || first == LOCK_NIC || first == LOCK_WATCHING;
    case LOCK_MDC: return first == LOCK_CSS || first == LOCK_TURN || first == LOCK_VOLUME;
    case LOCK_SPACE: return first == LOCK_DEVICE || first == LOCK_CSS;
    case LOCK_SPOOL: return first == LOCK_DEVICE || first == LOCK_CSS;
    case LOCK_HOST: return first == LOCK_CSS || first == LOCK_SCLP;
    case LOCK_MAIL:
        return first == LOCK_CPU_SET || first == LOCK_CSS || first == LOCK_NIC ||
               first == LOCK_TURN;
    case LOCK_POST:
        return first == LOCK_DEVICE || first == LOCK_CSS || first == LOCK_IMAGE ||
               first == LOCK_VOLUME || first == LOCK_TURN || first == LOCK_DUPLEX ||
               first == LOCK_NIC || first == LOCK_WATCHING || first == LOCK_IVL ||
               first == LOCK_HOST;
    case LOCK_EXTENTS: return first == LOCK_CSS || first == LOCK_TURN;
    case LOCK_VOLUME: return first == LOCK_CSS || first == LOCK_TURN;
    case LOCK_DUPLEX: return first == LOCK_CSS || first == LOCK_TURN || first == LOCK_VOLUME;
    case LOCK_IMAGE:
        return first == LOCK_CSS || first == LOCK_TURN || first == LOCK_VOLUME ||
               first == LOCK_DUPLEX;
    case LOCK_FLUSH:
        return first == LOCK_CSS || first == LOCK_IMAGE || first == LOCK_VOLUME ||
               first == LOCK_TURN || first == LOCK_DUPLEX;
    case LOCK_UNFLUSHED:
        return first == LOCK_CONNECTION || first == LOCK_FLUSH || first == LOCK_CSS ||
               first == LOCK_IMAGE || first == LOCK_VOLUME || first == LOCK_TURN ||
               first == LOCK_DUPLEX;
    case LOCK_CONNECTION:
        return first == LOCK_CSS || first == LOCK_IMAGE || first == LOCK_VOLUME ||
               first == LOCK_TURN || first == LOCK_DUPLEX || first == LOCK_FLUSH;
    default: return false;
    }
}

START_TEST(right_order)
{
    for (unsigned i = 0; i < LOCK_KINDS; i++)
        for (unsigned j = 0; j < LOCK_KINDS; j++) {
            if (!follows(i, j))
                continue;
            lock_take(&locks[i]);
            lock_take(&locks[j]);
            lock_drop(&locks[j]);
            lock_drop(&locks[i]);
        }
    lock_take(&locks[LOCK_CSS]); /* given back in any order */
    lock_take(&locks[LOCK_HOST]);
    lock_drop(&locks[LOCK_CSS]);
    lock_drop(&locks[LOCK_HOST]);
    lock_take(&locks[LOCK_CSS]);
    lock_drop(&locks[LOCK_CSS]);
}
END_TEST

/* Each pair that does not follow, the same lock twice among them: that would hang for ever. */
START_TEST(wrong_order)
{
    unsigned i = (unsigned)_i / LOCK_KINDS, j = (unsigned)_i % LOCK_KINDS;
    if (follows(i, j))
        abort();
    lock_take(&locks[i]);
    lock_take(&locks[j]);
}
END_TEST

START_TEST(not_held)
{
    lock_take(&locks[LOCK_CSS]);
    lock_drop(&locks[LOCK_HOST]);
}
END_TEST

START_TEST(waits_with_two)
{
    pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
    lock_take(&locks[LOCK_CSS]);
    lock_take(&locks[LOCK_HOST]);
    lock_wait(&cond, &locks[LOCK_HOST]);
}
END_TEST

static void *other_thread(void *arg)
{
    (void)arg;
    lock_take(&locks[LOCK_CONSOLE]);
    lock_drop(&locks[LOCK_CONSOLE]);
    return NULL;
}

/* What one thread holds is nothing to another. */
START_TEST(threads_apart)
{
    pthread_t thread;
    lock_take(&locks[LOCK_HOST]);
    ck_assert_int_eq(pthread_create(&thread, NULL, other_thread, NULL), 0);
    pthread_join(thread, NULL);
    lock_drop(&locks[LOCK_HOST]);
}
END_TEST

struct wakened {
    struct lock lock;
    pthread_cond_t cond;
    bool asleep, called, awake;
};

static void *sleeper(void *arg)
{
    struct wakened *w = arg;
    lock_take(&w->lock);
    w->asleep = true;
    while (!w->called)
        lock_wait(&w->cond, &w->lock);
    w->awake = true;
    lock_drop(&w->lock);
    return NULL;
}

/* Who is to be woken is woken with the last lock, or with the next one when the thread goes on. */
START_TEST(woken_without_locks)
{
    struct wakened w = {.cond = PTHREAD_COND_INITIALIZER};
    pthread_t thread;
    lock_init(&w.lock, LOCK_HOST);
    ck_assert_int_eq(pthread_create(&thread, NULL, sleeper, &w), 0);
    for (bool asleep = false; !asleep;) {
        lock_take(&w.lock);
        asleep = w.asleep;
        lock_drop(&w.lock);
    }
    lock_take(&locks[LOCK_CSS]);
    lock_take(&w.lock);
    w.called = true;
    lock_signal(&w.cond);
    ck_assert_uint_eq(lock_signals.count, 1);
    lock_drop(&w.lock);
    ck_assert_uint_eq(lock_signals.count, 1);
    lock_drop_and_go_on(&locks[LOCK_CSS]);
    ck_assert_uint_eq(lock_signals.count, 1);
    lock_take(&locks[LOCK_WORKER]);
    lock_drop(&locks[LOCK_WORKER]);
    ck_assert_uint_eq(lock_signals.count, 0);
    pthread_join(thread, NULL);
    ck_assert(w.awake);
    lock_signal(&w.cond); /* at once */
    ck_assert_uint_eq(lock_signals.count, 0);
    lock_fini(&w.lock);
}
END_TEST

/* More than a thread keeps are woken at once. */
START_TEST(many_to_wake)
{
    pthread_cond_t cond[LOCK_SIGNALS_MAX + 2];
    for (unsigned i = 0; i < LOCK_SIGNALS_MAX + 2; i++)
        pthread_cond_init(&cond[i], NULL);
    lock_take(&locks[LOCK_CSS]);
    for (unsigned i = 0; i < LOCK_SIGNALS_MAX + 2; i++)
        lock_signal(&cond[i]);
    ck_assert_uint_eq(lock_signals.count, LOCK_SIGNALS_MAX);
    lock_drop(&locks[LOCK_CSS]);
    ck_assert_uint_eq(lock_signals.count, 0);
    for (unsigned i = 0; i < LOCK_SIGNALS_MAX + 2; i++)
        pthread_cond_destroy(&cond[i]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lock");
    TCase *t = tcase_create("order");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, right_order);
    tcase_add_loop_test_raise_signal(t, wrong_order, SIGABRT, 0, LOCK_KINDS * LOCK_KINDS);
    tcase_add_test_raise_signal(t, not_held, SIGABRT);
    tcase_add_test_raise_signal(t, waits_with_two, SIGABRT);
    tcase_add_test(t, threads_apart);
    tcase_add_test(t, woken_without_locks);
    tcase_add_test(t, many_to_wake);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
