/* What a member sends during a relocation, altered in every way: the destination may give it
 * up, nothing else. `make fuzz-lgr` looks for inputs that go deeper; what it has found is run
 * here, too. tsan: no, one thread does it all */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/lgr_exec.h"

#define ALTERED 1500
#define CASES "tests/fuzz/corpus/lgr" /* text: hexadecimal digits, # comments */

static u8 good[LGR_EXEC_BYTES_MAX], bytes[LGR_EXEC_BYTES_MAX];
static u64 random_state = 1;

static size_t any(size_t n)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (size_t)(random_state >> 33) % n;
}

START_TEST(what_is_recorded_comes_about_again)
{
    size_t len = lgr_exec_record(good);
    ck_assert_uint_gt(len, 1000);
    for (unsigned i = 0; i < 3; i++) {
        struct lgr_exec_result r = lgr_exec_run(good, len);
        ck_assert_uint_gt(r.messages, 6);
        ck_assert_uint_ge(r.ready, 1);
        ck_assert_uint_eq(r.resumed, 1);
    }
}
END_TEST

/* The same stream, and CP exits at the destination: it says READY when they let it, or never. */
START_TEST(exits_are_asked_before_it_is_ready)
{
    static const struct {
        u8 event;
        unsigned resumed;
    } with[] = {{0x95, 1}, {0xd5, 1}, {0xb5, 0}, {0xf5, 0}, {0x85, 1}};
    size_t len = lgr_exec_record(good);
    for (unsigned i = 0; i < ARRAY_LEN(with); i++) {
        bytes[0] = with[i].event;
        memcpy(bytes + 1, good, len);
        struct lgr_exec_result r = lgr_exec_run(bytes, len + 1);
        ck_assert_msg(r.resumed == with[i].resumed, "%02x: %u", with[i].event, r.resumed);
    }
}
END_TEST

/* Where a piece begins that is not before `at`. */
static size_t piece(size_t len, size_t at)
{
    size_t p = 0;
    while (p < at && p < len)
        p += good[p] >= 128 ? 1 : 4 + (size_t)(good[p + 2] << 8 | good[p + 3]);
    return p < len ? p : len;
}

/* Bytes changed, pieces left out, said twice, cut short, put elsewhere. */
static size_t alter(size_t len)
{
    size_t from = piece(len, any(len)), to = piece(len, from + 1), n = 0;
    size_t how = any(5), at = piece(len, any(len));
    const u8 *part[3] = {good, good + from, good + to};
    size_t size[3] = {from, how == 1 ? 0 : to - from, len - to};
    for (unsigned i = 0; i < 3; i++) {
        memcpy(bytes + n, part[i], size[i]);
        n += size[i];
        if (how == 2 && i == 1 && n + size[1] + size[2] <= sizeof bytes) {
            memcpy(bytes + n, part[1], size[1]);
            n += size[1];
        }
    }
    if (how == 3)
        n = at;
    for (size_t k = how ? any(2) : 1 + any(4); k && n; k--)
        bytes[any(n)] ^= (u8)(1u << any(8));
    if (how == 4 && at < n)
        bytes[at] = (u8)any(256);
    return n;
}

START_TEST(altered_streams_do_no_harm)
{
    size_t len = lgr_exec_record(good);
    unsigned resumed = 0, ready = 0;
    for (unsigned i = 0; i < ALTERED; i++) {
        size_t n = alter(len);
        if (i % 4 == 3 && n < sizeof bytes) { /* an exit is enabled first */
            memmove(bytes + 1, bytes, n++);
            bytes[0] = (u8)(0x85 | any(8) << 4);
        }
        struct lgr_exec_result r = lgr_exec_run(bytes, n);
        resumed += r.resumed;
        ready += r.ready != 0;
    }
    ck_assert_msg(resumed > 0 && ready >= resumed && ready < ALTERED,
                  "%u of %u ready, %u resumed", ready, ALTERED, resumed);
}
END_TEST

/* A stream that ends early, behind each of its messages: what is ready does not run until it is
 * told to, and there is such a place. */
START_TEST(what_is_ready_waits_to_be_told)
{
    size_t len = lgr_exec_record(good);
    unsigned waits = 0, runs = 0;
    for (size_t at = 0; at < len; at = piece(len, at + 1)) {
        struct lgr_exec_result r = lgr_exec_run(good, at);
        ck_assert(r.ready || !r.resumed);
        ck_assert_msg(r.resumed || !runs, "it runs no more with %zu bytes", at);
        waits += r.ready && !r.resumed;
        runs += r.resumed;
    }
    ck_assert_uint_gt(waits, 0);
}
END_TEST

static void run_case(const char *name)
{
    char path[512];
    size_t n = 0;
    int c, high = -1;
    snprintf(path, sizeof path, "%s/%s", CASES, name);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s", path);
    while ((c = getc(file)) != EOF) {
        if (c == '#')
            while (c != '\n' && c != EOF)
                c = getc(file);
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            continue;
        if (high >= 0 && n < sizeof bytes)
            bytes[n++] = (u8)(high << 4 | digit);
        high = high >= 0 ? -1 : digit;
    }
    fclose(file);
    lgr_exec_run(bytes, n);
}

START_TEST(cases_that_were_found_do_no_harm)
{
    const struct dirent *entry;
    DIR *dir = opendir(CASES);
    ck_assert(dir != NULL);
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            run_case(entry->d_name);
    closedir(dir);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lgr_fuzz");
    TCase *tc = tcase_create("fuzz");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, what_is_recorded_comes_about_again);
    tcase_add_test(tc, exits_are_asked_before_it_is_ready);
    tcase_add_test(tc, what_is_ready_waits_to_be_told);
    tcase_add_test(tc, altered_streams_do_no_harm);
    tcase_add_test(tc, cases_that_were_found_do_no_harm);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
