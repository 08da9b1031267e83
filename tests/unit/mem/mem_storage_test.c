/* Absolute storage of the largest size: what a frame costs, and going through what is in use. */
#include <check.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "mem/storage.h"

#define TERABYTES_4 (4ull << 40)
#define HOST_BYTES_MAX (64ull << 20) /* far below one byte per frame, 1 GiB */

static struct storage *st;
static u64 *set;

static void setup(void)
{
    ck_assert_int_eq(storage_create(&st, TERABYTES_4, NULL), ST_OK);
    set = storage_lazy_alloc(storage_bitmap_bytes(st));
    ck_assert_ptr_nonnull(set);
}

static void teardown(void)
{
    storage_lazy_free(set, storage_bitmap_bytes(st));
    storage_destroy(st);
}

static u64 host_bytes_most(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (u64)usage.ru_maxrss << 10;
}

static bool in_set(u64 frame)
{
    return set[frame / 64] >> frame % 64 & 1;
}

START_TEST(top_of_storage)
{
    u8 byte = 0x5a;
    u64 before = host_bytes_most(), last = st->frames - 1;
    ck_assert(storage_write(st, TERABYTES_4 - 1, &byte, 1));
    ck_assert(!storage_write(st, TERABYTES_4, &byte, 1));
    ck_assert(!storage_write(st, TERABYTES_4 - 1, "ab", 2));
    ck_assert_uint_eq(storage_key_get(st, TERABYTES_4 - 1), SKEY_R | SKEY_C);
    ck_assert_uint_eq(storage_epoch(st, set), 1);
    ck_assert(in_set(last));
    ck_assert_uint_eq(storage_epoch(st, set), 0);
    ck_assert_uint_eq(storage_touched_set(st, set), 1);
    ck_assert_uint_eq(storage_set_count(st, NULL), 1);
    storage_clear(st);
    ck_assert(storage_read(st, TERABYTES_4 - 1, &byte, 1));
    ck_assert_uint_eq(byte, 0);
    ck_assert_uint_eq(storage_set_count(st, NULL), 0);
    ck_assert_uint_eq(storage_epoch(st, set), 1); /* it was cleared: a change */
    ck_assert_uint_lt(host_bytes_most() - before, HOST_BYTES_MAX);
}
END_TEST

/* Blocks come into use by a store, a key or a reference; all others are passed over. */
START_TEST(blocks_in_use)
{
    u64 block = (u64)STORAGE_BLOCK_FRAMES * FRAME_BYTES, seen = 0;
    ck_assert_uint_eq(storage_frame_next(st, 0), st->frames);
    storage_key_set(st, 7 * block, 0x30);
    storage_mark_frame(st, 9 * block + 5 * FRAME_BYTES);
    storage_key_reference(st, 3ull << 40);
    storage_key_set(st, 11 * block, 0); /* sets nothing */
    for (u64 f = storage_frame_next(st, 0); f < st->frames; f = storage_frame_next(st, f + 1))
        seen++;
    ck_assert_uint_eq(seen, 3 * STORAGE_BLOCK_FRAMES);
    ck_assert_uint_eq(storage_frame_next(st, 0), 7 * STORAGE_BLOCK_FRAMES);
    ck_assert_uint_eq(storage_frame_next(st, 9 * STORAGE_BLOCK_FRAMES + 1),
                      9 * STORAGE_BLOCK_FRAMES + 1);
    ck_assert_uint_eq(storage_key_unreference(st, 3ull << 40), SKEY_R);
    ck_assert_uint_eq(storage_key_get(st, 3ull << 40), 0);
}
END_TEST

/* A clear reset tells of every frame that held something, and of no other. */
START_TEST(clear_is_a_change)
{
    storage_mark_frame(st, 5 * FRAME_BYTES);
    storage_mark_frame(st, 2ull << 40);
    ck_assert_uint_eq(storage_epoch(st, set), 2);
    set[0] = 0;
    storage_clear(st);
    storage_mark_frame(st, 6 * FRAME_BYTES);
    ck_assert_uint_eq(storage_epoch(st, set), 3);
    ck_assert(in_set(5) && in_set(6) && in_set((2ull << 40) / FRAME_BYTES));
    ck_assert_uint_eq(storage_touched_set(st, set), 1);
    ck_assert(!in_set(5) && in_set(6));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("mem_storage");
    TCase *t = tcase_create("4T");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, top_of_storage);
    tcase_add_test(t, blocks_in_use);
    tcase_add_test(t, clear_is_a_change);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
