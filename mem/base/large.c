/* Host memory in large pages: aligned mappings, and asking for the pages.
 * Mappings are aligned by reserving more addresses than are needed and giving back the rest. */
#include "mem/base/large.h"

#include <stdint.h>
#include <sys/mman.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1; others refuse it */
#endif
#ifndef MAP_32BIT
#define MAP_32BIT 0
#endif

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000 /* Linux 4.17; before, the address is a wish */
#endif

#define HOST_PAGE 4096u

static void *addresses(size_t bytes, int flags)
{
    void *p = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags,
                   -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* Aligned addresses with nothing behind them yet. */
static void *reserve(size_t bytes, bool low)
{
    const size_t extra = LARGE_PAGE_BYTES;
    bytes = (bytes + HOST_PAGE - 1) & ~(size_t)(HOST_PAGE - 1); /* munmap takes whole pages */
    char *p = low ? addresses(bytes + extra, MAP_32BIT) : NULL;
    if (!p)
        p = addresses(bytes + extra, 0);
    if (!p)
        return NULL;
    char *at = (char *)(((uintptr_t)p + extra - 1) & ~(uintptr_t)(extra - 1));
    if (at > p)
        munmap(p, (size_t)(at - p));
    if (at < p + extra)
        munmap(at + bytes, (size_t)(p + extra - at));
    return at;
}

static void *usable(void *p, size_t bytes)
{
    if (!p)
        return NULL;
    if (mprotect(p, bytes, PROT_READ | PROT_WRITE)) {
        large_unmap(p, bytes);
        return NULL;
    }
    madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

void *large_map(size_t bytes, bool low)
{
    return usable(reserve(bytes, low), bytes);
}

void *large_map_at(size_t bytes, uintptr_t at)
{
    void *p = mmap((void *)at, bytes, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (p == (void *)at)
        return usable(p, bytes);
    if (p != MAP_FAILED)
        munmap(p, bytes);
    return large_map(bytes, false);
}

/* calloc would clear the whole table once its memory had been another one's. */
void *large_map_sparse(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void large_unmap(void *p, size_t bytes)
{
    if (p)
        munmap(p, bytes);
}

void large_touch(void *p, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += HOST_PAGE) {
        volatile char *byte = (char *)p + at;
        char value = *byte;
        *byte = value;
    }
}

static void give_back(void *p, size_t bytes, int advice)
{
    const uintptr_t page = HOST_PAGE;
    uintptr_t from = ((uintptr_t)p + page - 1) & ~(page - 1);
    uintptr_t to = ((uintptr_t)p + bytes) & ~(page - 1);
    if (from < to)
        madvise((void *)from, to - from, advice);
}

void large_give_back(void *p, size_t bytes)
{
    give_back(p, bytes, MADV_DONTNEED);
}

void large_give_back_shared(void *p, size_t bytes)
{
    give_back(p, bytes, MADV_REMOVE);
}

/* Shared memory without a name: /proc and `perf` call it /dev/zero, where perf looks for names of
 * functions in /tmp/perf-PID.map, as it does not for a memfd. */
static void *first_view(size_t bytes)
{
    void *p = reserve(bytes, false);
    int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    if (p && mmap(p, bytes, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED)
        return p;
    large_unmap(p, bytes);
    return NULL;
}

/* No bytes of a shared mapping moved elsewhere: the same pages once more (mremap(2)). */
static void *second_view(void *first, size_t bytes)
{
    void *p = first ? reserve(bytes, true) : NULL;
    if (p && mremap(first, 0, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, p) != MAP_FAILED &&
        mprotect(p, bytes, PROT_READ | PROT_EXEC) == 0)
        return p;
    large_unmap(p, bytes);
    return NULL;
}

bool large_map_code(size_t bytes, void **write, void **execute)
{
    *write = first_view(bytes);
    *execute = second_view(*write, bytes);
    if (*execute)
        return true;
    large_unmap(*write, bytes);
    return false;
}

static bool collapse(void *p)
{
    return madvise(p, LARGE_PAGE_BYTES, MADV_COLLAPSE) == 0;
}

bool large_collapse(void *write, void *execute)
{
    volatile unsigned char *first = write;
    unsigned char byte = *first;
    *first = byte; /* Linux 6.18 refuses what has no page yet */
    return collapse(write) && collapse(execute);
}
