/* Moves of bytes: any length, alignment and distance give what a move byte by byte to a copy of the
 * source gives, overlapping ones too; nothing around the destination changes. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mem/base/copy.h"

#define ROOM 16384
#define ROUNDS 20000

static u64 next(u64 *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void copy(unsigned how, u8 *dst, const u8 *src, size_t len)
{
    if (how == 0)
        copy_bytes(dst, src, len);
    else
        copy_bytes_by(how == 1 && copy_has_vectors(), dst, src, len);
}

static void compare(unsigned how, u8 *room, u8 *want, size_t to, size_t from, size_t len)
{
    u8 *source = malloc(len + 1);
    ck_assert_ptr_nonnull(source);
    memcpy(source, want + from, len);
    for (size_t i = 0; i < len; i++)
        want[to + i] = source[i];
    free(source);
    copy(how, room + to, room + from, len);
    ck_assert_msg(memcmp(room, want, ROOM) == 0, "%zu bytes from %zu to %zu", len, from, to);
}

START_TEST(as_byte_by_byte)
{
    u8 *room = malloc(ROOM), *want = malloc(ROOM);
    u64 seed = 88172645463325252ull;
    ck_assert(room && want);
    for (size_t i = 0; i < ROOM; i++)
        room[i] = want[i] = (u8)next(&seed);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t len = next(&seed) % (ROOM / 2), from = next(&seed) % (ROOM - len);
        size_t far = next(&seed) % (ROOM - len), near = from + next(&seed) % 160;
        near = near < 80 ? 0 : near - 80;
        compare((unsigned)_i, room, want, round % 2 && near <= ROOM - len ? near : far, from,
                len);
    }
    free(room);
    free(want);
}
END_TEST

START_TEST(every_length)
{
    u8 *room = malloc(ROOM), *want = malloc(ROOM);
    u64 seed = 1;
    ck_assert(room && want);
    for (size_t i = 0; i < ROOM; i++)
        room[i] = want[i] = (u8)next(&seed);
    for (size_t len = 0; len < 1400; len++) {
        compare((unsigned)_i, room, want, 8192 + len % 67, len % 31, len);
        compare((unsigned)_i, room, want, 100, 103, len);
        compare((unsigned)_i, room, want, 103, 100, len);
    }
    free(room);
    free(want);
}
END_TEST

static Suite *copy_suite(void)
{
    Suite *s = suite_create("mem_copy");
    TCase *t = tcase_create("copy");
    tcase_add_loop_test(t, as_byte_by_byte, 0, 3); /* as it is chosen, vectors, none */
    tcase_add_loop_test(t, every_length, 0, 3);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    SRunner *r = srunner_create(copy_suite());
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
