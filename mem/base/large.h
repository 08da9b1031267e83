/* Host memory in large pages where the host has them: what is touched sparsely costs the host few
 * faults and few of its own translations. */
#ifndef ENDICOTT_MEM_BASE_LARGE_H
#define ENDICOTT_MEM_BASE_LARGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LARGE_PAGE_BYTES ((size_t)2 << 20)

/** Demand-zero memory, aligned to a large page; below 2 GiB when `low` and there is room. NULL: no
 *  memory. Freed by large_unmap. Any thread. */
void *large_map(size_t bytes, bool low);
/** The same at that address when nothing is in its way, else anywhere. `at` is aligned likewise. */
void *large_map_at(size_t bytes, uintptr_t at);
/** Demand-zero memory in the host's usual pages, for tables that are used from their beginning and
 *  seldom to their end: only that is paid for, each time anew. NULL: no memory. Freed by
 *  large_unmap. Any thread. */
void *large_map_sparse(size_t bytes);
/** Two views of the same demand-zero memory, aligned likewise: one to write, one to execute, that
 *  one below 2 GiB when there is room. False: no memory. Each is freed by large_unmap. */
bool large_map_code(size_t bytes, void **write, void **execute);
void large_unmap(void *p, size_t bytes);
/** Have the host give its memory now; the contents stay. Nobody else writes there meanwhile. */
void large_touch(void *p, size_t bytes);
/** What lies in [p, p + bytes) is of no use any more, but for parts of pages at its ends: it may
 *  become zeros, and takes no memory then. `shared`: of memory with two views, in both. */
void large_give_back(void *p, size_t bytes);
void large_give_back_shared(void *p, size_t bytes);
/** Make one large page of those at both views' addresses, which are aligned to one; the contents
 *  stay. False: not now, or this host cannot. */
bool large_collapse(void *write, void *execute);

#endif
