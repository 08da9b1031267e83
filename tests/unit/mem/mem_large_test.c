/* Memory in large host pages: alignment, two views of the same bytes, what a large page keeps. */
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem/base/large.h"

#define BYTES (2 * LARGE_PAGE_BYTES)

static bool aligned(const void *p)
{
    return (uintptr_t)p % LARGE_PAGE_BYTES == 0;
}

static bool zero(const unsigned char *p, size_t bytes)
{
    return p[0] == 0 && memcmp(p, p + 1, bytes - 1) == 0;
}

START_TEST(demand_zero)
{
    for (int low = 0; low <= 1; low++) {
        unsigned char *p = large_map(BYTES + 4096, low);
        ck_assert_ptr_nonnull(p);
        ck_assert(aligned(p));
        ck_assert(zero(p, BYTES + 4096));
        p[BYTES + 4095] = 1;
        large_unmap(p, BYTES + 4096);
    }
    large_unmap(NULL, BYTES);
}
END_TEST

/* At the address asked for, while nothing is there. */
START_TEST(at_an_address)
{
    unsigned char *free_now = large_map(BYTES, false);
    ck_assert_ptr_nonnull(free_now);
    large_unmap(free_now, BYTES);
    unsigned char *first = large_map_at(BYTES, (uintptr_t)free_now);
    ck_assert_ptr_eq(first, free_now);
    ck_assert(zero(first, BYTES));
    first[0] = 7;
    unsigned char *second = large_map_at(BYTES, (uintptr_t)free_now);
    ck_assert_ptr_nonnull(second);
    ck_assert(aligned(second));
    ck_assert(second >= first + BYTES || second + BYTES <= first);
    second[0] = 8;
    ck_assert_uint_eq(first[0], 7);
    large_unmap(first, BYTES);
    large_unmap(second, BYTES);
}
END_TEST

/* How many mappings the process has; the kernel allows 65,530 (vm.max_map_count). */
static unsigned mappings(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned lines = 0;
    ck_assert_ptr_nonnull(maps);
    for (int c; (c = getc(maps)) != EOF;)
        lines += c == '\n';
    fclose(maps);
    return lines;
}

/* Sizes that are no whole pages, too: what was reserved for the alignment goes with the rest. */
START_TEST(nothing_stays_mapped)
{
    const size_t sizes[] = {BYTES, BYTES + 8, 4096, 360456};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned before = mappings();
        for (unsigned n = 0; n < 100; n++) {
            void *p = large_map(sizes[i], n & 1);
            ck_assert_ptr_nonnull(p);
            large_unmap(p, sizes[i]);
        }
        ck_assert_uint_lt(mappings(), before + 10);
    }
}
END_TEST

START_TEST(two_views)
{
    void *write, *execute;
    ck_assert(large_map_code(BYTES, &write, &execute));
    ck_assert(aligned(write) && aligned(execute));
    ck_assert_ptr_ne(write, execute);
    ck_assert(zero(execute, BYTES));
    memset(write, 0xc3, BYTES);
    ck_assert_mem_eq(write, execute, BYTES);
    large_unmap(write, BYTES);
    large_unmap(execute, BYTES);
}
END_TEST

/* Whole pages of what is given back are zeros, in both views; what lies beside them stays. */
START_TEST(given_back)
{
    unsigned char *p = large_map(BYTES, false);
    void *write, *execute;
    ck_assert(p && large_map_code(BYTES, &write, &execute));
    unsigned char *view[] = {p, write, execute};
    memset(p, 1, BYTES);
    memset(write, 1, BYTES);
    large_give_back(p + 100, 3 * 4096);
    large_give_back_shared(view[1] + 100, 3 * 4096);
    for (int i = 0; i < 3; i++) {
        ck_assert(view[i][4095] == 1 && zero(view[i] + 4096, 2 * 4096));
        ck_assert(view[i][3 * 4096] == 1 && view[i][BYTES - 1] == 1);
    }
    large_give_back(p + 1, 4096); /* no whole page */
    ck_assert(p[1] == 1);
    large_unmap(p, BYTES);
    large_unmap(write, BYTES);
    large_unmap(execute, BYTES);
}
END_TEST

/* What was there stays, and both views go on showing the same; whatever the host can. */
START_TEST(collapse)
{
    void *write, *execute;
    ck_assert(large_map_code(BYTES, &write, &execute));
    unsigned char *w = write, *x = execute;
    w[100] = 1;
    w[LARGE_PAGE_BYTES - 1] = 2;
    w[LARGE_PAGE_BYTES] = 3;
    large_collapse(w, x);
    ck_assert_uint_eq(x[100] + x[LARGE_PAGE_BYTES - 1] + x[LARGE_PAGE_BYTES], 6);
    w[101] = 4;
    ck_assert_uint_eq(x[101], 4);
    large_unmap(write, BYTES);
    large_unmap(execute, BYTES);
}
END_TEST

/* A page that nobody has touched becomes large where others do. */
START_TEST(collapse_untouched)
{
    void *write, *execute;
    ck_assert(large_map_code(BYTES, &write, &execute));
    unsigned char *w = write, *x = execute;
    w[0] = x[0];
    bool touched = large_collapse(w, x);
    ck_assert_int_eq(large_collapse(w + LARGE_PAGE_BYTES, x + LARGE_PAGE_BYTES), touched);
    ck_assert(zero(x, BYTES));
    large_unmap(write, BYTES);
    large_unmap(execute, BYTES);
}
END_TEST

static Suite *large_suite(void)
{
    Suite *s = suite_create("mem_large");
    TCase *t = tcase_create("large");
    tcase_add_test(t, demand_zero);
    tcase_add_test(t, at_an_address);
    tcase_add_test(t, nothing_stays_mapped);
    tcase_add_test(t, two_views);
    tcase_add_test(t, given_back);
    tcase_add_test(t, collapse);
    tcase_add_test(t, given_back);
    tcase_add_test(t, collapse_untouched);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    SRunner *r = srunner_create(large_suite());
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
