/* Sorting: the library's, a heap, a merge, strings; and a search in the result. */
#include <stdlib.h>
#include <string.h>

#include "programs.h"

#define COUNT 3000u

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sift(int64_t *v, size_t root, size_t n)
{
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && v[child] < v[child + 1])
            child++;
        if (v[root] >= v[child])
            return;
        int64_t t = v[root];
        v[root] = v[child];
        v[child] = t;
    }
}

static void heap_sort(int64_t *v, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift(v, i, n);
    for (size_t i = n; i-- > 1;) {
        int64_t t = v[0];
        v[0] = v[i];
        v[i] = t;
        sift(v, 0, i);
    }
}

static void merge_sort(int64_t *v, int64_t *spare, size_t n)
{
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t at = 0; at < n; at += 2 * width) {
            size_t mid = at + width < n ? at + width : n;
            size_t end = at + 2 * width < n ? at + 2 * width : n;
            size_t a = at, b = mid;
            for (size_t i = at; i < end; i++)
                spare[i] = b >= end || (a < mid && v[a] <= v[b]) ? v[a++] : v[b++];
        }
        memcpy(v, spare, n * sizeof *v);
    }
}

static uint64_t checksum(const int64_t *v, size_t n)
{
    uint64_t sum = SUM_START;
    for (size_t i = 0; i < n; i++)
        mix(&sum, (uint64_t)v[i]);
    return sum;
}

static void sort_text(uint64_t *seed)
{
    static char text[COUNT][24];
    static char *order[COUNT];
    uint64_t sum = SUM_START;
    for (size_t i = 0; i < COUNT; i++) {
        unsigned long n = (unsigned long)next_random(seed);
        snprintf(text[i], sizeof text[i], "%s%lx", n & 1 ? "a" : "", n >> (n & 31));
        order[i] = text[i];
    }
    qsort(order, COUNT, sizeof *order, by_text);
    for (size_t i = 0; i < COUNT; i++)
        for (const char *p = order[i]; *p; p++)
            mix(&sum, (uint64_t)*p);
    printf("text %s %s %016llx\n", order[0], order[COUNT - 1], (unsigned long long)sum);
}

void program_sorting(void)
{
    static int64_t v[COUNT], w[COUNT], spare[COUNT];
    uint64_t seed = 12345;
    for (size_t i = 0; i < COUNT; i++)
        v[i] = (int64_t)next_random(&seed) >> (seed & 63);
    memcpy(w, v, sizeof v);
    qsort(w, COUNT, sizeof *w, by_value);
    printf("qsort %016llx\n", (unsigned long long)checksum(w, COUNT));
    memcpy(w, v, sizeof v);
    heap_sort(w, COUNT);
    printf("heap  %016llx\n", (unsigned long long)checksum(w, COUNT));
    memcpy(w, v, sizeof v);
    merge_sort(w, spare, COUNT);
    printf("merge %016llx\n", (unsigned long long)checksum(w, COUNT));
    int64_t *found = bsearch(&v[COUNT / 3], w, COUNT, sizeof *w, by_value);
    printf("found %d, least %lld, greatest %lld\n", found && *found == v[COUNT / 3],
           (long long)w[0], (long long)w[COUNT - 1]);
    sort_text(&seed);
}
