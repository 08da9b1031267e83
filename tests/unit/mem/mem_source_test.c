/* Storage whose bytes come when they are needed: who asks gets all of a chunk or learns that it is
 * not to be had; whoever asks at once, whatever else is done with storage meanwhile. */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "mem/storage_source.h"

#define CHUNKS 9
#define BYTES                                                                                  \
    ((u64)CHUNKS * STORAGE_CHUNK_BYTES - STORAGE_UNIT_BYTES) /* the last is half of one */
#define LOST_CHUNK 6u

static struct storage *st;
static _Atomic unsigned fills[CHUNKS], ends, losts;
static _Atomic bool lose;

/* Every word says where it is. */
static u64 word_at(u64 abs)
{
    return abs * 0x9e3779b97f4a7c15ull | 1;
}

static bool fill(void *ctx, u64 abs, u64 len, u8 *to)
{
    ck_assert_ptr_eq(ctx, &fills);
    ck_assert_uint_eq(abs % STORAGE_CHUNK_BYTES, 0);
    ck_assert(len == STORAGE_CHUNK_BYTES || abs + len == BYTES);
    atomic_fetch_add(&fills[abs / STORAGE_CHUNK_BYTES], 1);
    if (lose && abs / STORAGE_CHUNK_BYTES == LOST_CHUNK)
        return false;
    for (u64 i = 0; i < len; i += 8) {
        u64 v = word_at(abs + i);
        memcpy(to + i, &v, 8);
    }
    return true;
}

static void lost(void *ctx)
{
    (void)ctx;
    atomic_fetch_add(&losts, 1);
}

static void end(void *ctx)
{
    (void)ctx;
    atomic_fetch_add(&ends, 1);
}

static void setup(void)
{
    const struct storage_source from = {fill, lost, end, &fills};
    const u64 chunks = (1ull << CHUNKS) - 1 - 2; /* the second is zero */
    for (unsigned i = 0; i < CHUNKS; i++)
        fills[i] = 0;
    lose = false;
    ends = losts = 0;
    ck_assert_int_eq(storage_create(&st, BYTES, NULL), ST_OK);
    ck_assert_int_eq(storage_source_begin(st, &from, &chunks, NULL), ST_OK);
    ck_assert_int_eq(storage_source_state(st), STORAGE_COMING);
}

static void teardown(void)
{
    storage_destroy(st);
    ck_assert_uint_eq(ends, 1);
}

static bool right(u64 abs)
{
    u64 v = 0;
    bool zero = abs / STORAGE_CHUNK_BYTES == 1;
    return storage_read(st, abs, &v, 8) && v == (zero ? 0 : word_at(abs));
}

START_TEST(comes_when_asked_for)
{
    u64 across = 3ull * STORAGE_CHUNK_BYTES - 4, v;
    ck_assert(right(2ull * STORAGE_CHUNK_BYTES + 8));
    ck_assert_uint_eq(fills[2], 1);
    ck_assert_uint_eq(fills[0] + fills[3], 0);
    ck_assert(storage_read(st, across, &v, 8)); /* of two chunks */
    ck_assert_uint_eq(fills[2] + fills[3], 2);
    ck_assert_ptr_nonnull(storage_host(st, BYTES - 8, 8));
    ck_assert_uint_eq(fills[CHUNKS - 1], 1);
    ck_assert(!storage_frame_zero(st, 4 * STORAGE_CHUNK_BYTES / FRAME_BYTES));
    ck_assert(storage_frame_zero(st, STORAGE_CHUNK_BYTES / FRAME_BYTES));
    ck_assert(storage_source_all(st));
    ck_assert_int_eq(storage_source_state(st), STORAGE_WHOLE);
    ck_assert_uint_eq(ends, 1);
    for (u64 abs = 0; abs < BYTES; abs += FRAME_BYTES)
        ck_assert(right(abs));
    for (unsigned i = 0; i < CHUNKS; i++)
        ck_assert_uint_eq(fills[i], i != 1);
    ck_assert_uint_eq(atomic_load(&st->absent_count), 0); /* nobody asks any more */
}
END_TEST

START_TEST(stores_stay)
{
    u64 v = 42, at = 4ull * STORAGE_CHUNK_BYTES + 16;
    ck_assert(storage_write(st, at, &v, 8));
    storage_source_go(st, NULL, NULL);
    ck_assert(storage_source_all(st));
    ck_assert(storage_read(st, at, &v, 8));
    ck_assert_uint_eq(v, 42);
    ck_assert(right(at + 8) && right(at - 8));
}
END_TEST

START_TEST(released_and_cleared)
{
    u64 v = 1, at = 5ull * STORAGE_CHUNK_BYTES;
    storage_release(st, at + FRAME_BYTES, FRAME_BYTES); /* before it has come */
    ck_assert(storage_source_all(st));
    ck_assert(storage_read(st, at + FRAME_BYTES, &v, 8));
    ck_assert_uint_eq(v, 0);
    ck_assert(right(at) && right(at + 2 * FRAME_BYTES));
}
END_TEST

START_TEST(cleared_before_it_comes)
{
    u64 v = 1;
    storage_source_go(st, NULL, NULL);
    ck_assert(right(0));
    storage_clear(st);
    ck_assert_int_eq(storage_source_state(st), STORAGE_WHOLE);
    for (u64 abs = 0; abs < BYTES; abs += STORAGE_UNIT_BYTES) {
        ck_assert(storage_read(st, abs, &v, 8));
        ck_assert_uint_eq(v, 0);
    }
}
END_TEST

START_TEST(resized_before_it_comes)
{
    u64 v = 1;
    ck_assert_int_eq(storage_resize(st, 2 * BYTES, NULL), ST_OK);
    ck_assert(storage_read(st, 2ull * STORAGE_CHUNK_BYTES, &v, 8));
    ck_assert_uint_eq(v, 0);
}
END_TEST

START_TEST(what_is_lost_is_outside)
{
    u64 v = 7, at = (u64)LOST_CHUNK * STORAGE_CHUNK_BYTES;
    lose = true;
    ck_assert(!storage_read(st, at + 8, &v, 8));
    ck_assert_uint_eq(v, 7);
    ck_assert_uint_eq(losts, 1);
    ck_assert_int_eq(storage_source_state(st), STORAGE_LOST);
    ck_assert(!storage_write(st, at, &v, 8));
    ck_assert_ptr_null(storage_host(st, at + FRAME_BYTES, 1));
    ck_assert(!storage_source_all(st));
    ck_assert(right(at - 8) && right(at + STORAGE_CHUNK_BYTES));
    ck_assert_uint_eq(losts, 1);
    ck_assert_uint_eq(fills[LOST_CHUNK], 1);
}
END_TEST

static void *reads_all(void *arg)
{
    u64 from = (uintptr_t)arg, bad = 0;
    for (u64 i = 0; i < BYTES; i += FRAME_BYTES)
        bad += !right((from + i * 17) % BYTES & ~7ull);
    return (void *)(uintptr_t)bad;
}

/* A chunk is read once, whoever asks for it, and nobody sees it before it is there. */
START_TEST(several_ask)
{
    pthread_t thread[4];
    storage_source_go(st, NULL, NULL);
    for (uintptr_t i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, reads_all, (void *)(i * 0x345678)),
                         0);
    for (unsigned i = 0; i < 4; i++) {
        void *bad;
        pthread_join(thread[i], &bad);
        ck_assert_uint_eq((uintptr_t)bad, 0);
    }
    for (unsigned i = 0; i < CHUNKS; i++)
        ck_assert_uint_le(fills[i], 1);
}
END_TEST

static _Atomic unsigned came[CHUNKS];

static void note_came(void *ctx, u64 abs)
{
    ck_assert_ptr_eq(ctx, &came);
    ck_assert(right(abs));
    atomic_fetch_add(&came[abs / STORAGE_CHUNK_BYTES], 1);
}

/* Each want that is taken is answered, once a chunk at most for each; what is there is no want. */
START_TEST(wanted)
{
    unsigned taken[CHUNKS] = {0};
    for (unsigned i = 0; i < CHUNKS; i++)
        came[i] = 0;
    ck_assert(!storage_source_want(st, 0)); /* by a thread that is not there yet */
    storage_source_go(st, note_came, &came);
    for (unsigned i = CHUNKS; i-- > 0;)
        taken[i] = storage_source_want(st, (u64)i * STORAGE_CHUNK_BYTES + 4096);
    ck_assert_uint_eq(taken[1], 0);
    ck_assert(!storage_source_want(st, BYTES + STORAGE_CHUNK_BYTES));
    ck_assert(storage_source_all(st));
    for (unsigned i = 0; i < CHUNKS; i++) {
        while (taken[i] && !came[i])
            sched_yield();
        ck_assert(!storage_source_want(st, (u64)i * STORAGE_CHUNK_BYTES));
    }
    storage_source_end(st);
    for (unsigned i = 0; i < CHUNKS; i++)
        ck_assert_uint_eq(came[i], taken[i]);
}
END_TEST

/* Who ends a machine is told nothing any more; its devices still get what they need. */
START_TEST(alone)
{
    for (unsigned i = 0; i < CHUNKS; i++)
        came[i] = 0;
    storage_source_go(st, note_came, &came);
    storage_source_alone(st);
    unsigned told = 0;
    for (unsigned i = 0; i < CHUNKS; i++)
        told += came[i];
    ck_assert(!storage_source_want(st, (CHUNKS - 1ull) * STORAGE_CHUNK_BYTES));
    for (u64 abs = 0; abs < BYTES; abs += FRAME_BYTES)
        ck_assert(right(abs));
    ck_assert_int_eq(storage_source_state(st), STORAGE_WHOLE);
    for (unsigned i = 0; i < CHUNKS; i++)
        told -= came[i];
    ck_assert_uint_eq(told, 0);
}
END_TEST

/* Who does not ask is stopped by the host, not given zeros. */
START_TEST(not_asked_for)
{
    signal(SIGSEGV, SIG_DFL); /* sanitizers have a handler of their own */
    ck_assert_uint_ne(*(volatile u8 *)(st->base + 4ull * STORAGE_CHUNK_BYTES), 0xa5);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("storage that comes");
    TCase *tc = tcase_create("source");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, comes_when_asked_for);
    tcase_add_test(tc, stores_stay);
    tcase_add_test(tc, released_and_cleared);
    tcase_add_test(tc, cleared_before_it_comes);
    tcase_add_test(tc, resized_before_it_comes);
    tcase_add_test(tc, what_is_lost_is_outside);
    tcase_add_test(tc, several_ask);
    tcase_add_test(tc, wanted);
    tcase_add_test(tc, alone);
    tcase_add_test_raise_signal(tc, not_asked_for, SIGSEGV);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
