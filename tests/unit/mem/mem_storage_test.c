/* Absolute storage of the largest size: what a frame costs, and going through what is in use. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mem/storage.h"
#include "mem/storage_lock.h"

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

/* Pages that the host may not page out, in KB. */
static u64 locked_kb(void)
{
    char line[128];
    unsigned long long kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmLck: %llu", &kb) == 1)
            break;
    fclose(file);
    return kb;
}

/* Locked storage is cleared, released and made anew like any other. */
START_TEST(reserved)
{
    struct storage *small;
    struct cause cause = {0};
    u64 before = locked_kb();
    ck_assert_int_eq(storage_create(&small, 4 << 20, &cause), ST_OK);
    ck_assert(storage_write(small, 0x1000, "x", 1));
    ck_assert_msg(storage_reserve(small, 1 << 20, &cause) == ST_OK, "%s", cause.text);
    ck_assert_uint_eq(locked_kb() - before, 1024);
    ck_assert(storage_write(small, 0x2000, "y", 1));
    storage_release(small, 0x2000, FRAME_BYTES);
    ck_assert_uint_eq(small->base[0x2000], 0);
    ck_assert(storage_write(small, 0x200000, "z", 1));
    storage_clear(small);
    ck_assert_uint_eq(small->base[0x1000], 0);
    ck_assert_uint_eq(small->base[0x200000], 0);
    ck_assert_uint_eq(locked_kb() - before, 1024);
    ck_assert_int_eq(storage_resize(small, 2 << 20, &cause), ST_OK);
    ck_assert_uint_eq(locked_kb() - before, 1024);
    const struct storage_segment segment = {64 << 10, 64 << 10, true, false};
    ck_assert_int_eq(storage_segment_load(small, &segment, -1, 0, &cause), ST_OK);
    ck_assert_uint_eq(locked_kb() - before, 1024);
    storage_segment_purge(small, segment.start);
    ck_assert_uint_eq(locked_kb() - before, 1024);
    ck_assert_int_eq(storage_reserve(small, 0, &cause), ST_OK);
    ck_assert_uint_eq(locked_kb(), before);
    storage_destroy(small);
}
END_TEST

/* LOCK: single frames, once however often, beside what is reserved. */
START_TEST(locked_frames)
{
    struct storage *small;
    struct storage_locks locks = {0};
    struct cause cause = {0};
    u64 before = locked_kb();
    ck_assert_int_eq(storage_create(&small, 4 << 20, &cause), ST_OK);
    ck_assert_int_eq(storage_lock(small, &locks, 100, 10, &cause), ST_OK);
    ck_assert_int_eq(storage_lock(small, &locks, 105, 10, &cause), ST_OK);
    ck_assert_int_eq(storage_lock(small, &locks, 1023, 1, &cause), ST_OK);
    ck_assert_uint_eq(locks.count, 16);
    ck_assert_uint_eq(locked_kb() - before, 64);
    storage_unlock(small, &locks, 0, 105);
    ck_assert_uint_eq(locks.count, 11);
    ck_assert_uint_eq(locked_kb() - before, 44);
    ck_assert_int_eq(storage_reserve(small, 110 * FRAME_BYTES, &cause), ST_OK);
    storage_lock_again(small, &locks);
    ck_assert_uint_eq(locked_kb() - before, 116 * 4); /* 0 to 114, and 1023 */
    storage_unlock(small, &locks, 105, 10);
    ck_assert_uint_eq(locked_kb() - before, 111 * 4);
    ck_assert_int_eq(storage_reserve(small, 0, &cause), ST_OK);
    storage_lock_again(small, &locks);
    ck_assert_uint_eq(locked_kb() - before, 4);
    storage_unlock_all(small, &locks);
    ck_assert_uint_eq(locked_kb(), before);
    ck_assert_uint_eq(locks.count, 0);
    storage_destroy(small);
}
END_TEST

/* Pages that are locked by somebody else are cleared all the same. */
START_TEST(cleared_though_locked)
{
    struct storage *small;
    struct cause cause = {0};
    ck_assert_int_eq(storage_create(&small, 4 << 20, &cause), ST_OK);
    ck_assert_int_eq(mlock2(small->base, 64 << 10, MLOCK_ONFAULT), 0);
    ck_assert(storage_write(small, 0x1000, "x", 1));
    ck_assert(storage_write(small, 0x200000, "y", 1));
    storage_clear(small);
    ck_assert_uint_eq(small->base[0x1000], 0);
    ck_assert_uint_eq(small->base[0x200000], 0);
    storage_destroy(small);
}
END_TEST

/* What the host's limit does not allow is refused, and what was locked stays so. */
START_TEST(reserved_refused)
{
    struct storage *small;
    struct cause cause = {0};
    u64 before = locked_kb();
    struct rlimit limit = {.rlim_cur = (before + 64) << 10, .rlim_max = RLIM_INFINITY};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    limit.rlim_cur = (before + 64) << 10;
    ck_assert_int_eq(storage_create(&small, 4 << 20, &cause), ST_OK);
    ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    bool bound = mlock(small->base + (2 << 20), 1 << 20) != 0; /* not for the privileged */
    munlock(small->base + (2 << 20), 1 << 20);
    ck_assert_int_eq(storage_reserve(small, 16 << 10, &cause), ST_OK);
    int rc = storage_reserve(small, 1 << 20, &cause);
    ck_assert_int_eq(rc, bound ? ST_LIMIT : ST_OK);
    if (bound) {
        ck_assert_ptr_nonnull(strstr(cause.text, "the host lets members lock"));
        ck_assert_uint_eq(locked_kb() - before, 16);
    }
    storage_destroy(small);
}
END_TEST

/* A host that merges identical pages, and is told to, may do so with guest storage. */
START_TEST(mergeable)
{
    char line[512], at[32];
    bool here = false, told = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    ck_assert_ptr_nonnull(maps);
    snprintf(at, sizeof at, "%llx-", (unsigned long long)(uintptr_t)st->base);
    while (!told && fgets(line, sizeof line, maps)) {
        here |= !strncmp(line, at, strlen(at));
        told = here && !strncmp(line, "VmFlags:", 8);
    }
    fclose(maps);
    ck_assert(told);
    ck_assert_int_eq(strstr(line, " mg") != NULL, access("/sys/kernel/mm/ksm", F_OK) == 0);
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
    tcase_add_test(t, reserved);
    tcase_add_test(t, locked_frames);
    tcase_add_test(t, cleared_though_locked);
    tcase_add_test(t, reserved_refused);
    tcase_add_test(t, mergeable);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
