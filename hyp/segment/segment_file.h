/* The file of a saved segment or system: a page of description, which has the state of a CPU for a
 * system, then the pages from the first range's start to the last one's end, then the storage key
 * of each. Internal to hyp/segment. */
#ifndef ENDICOTT_HYP_SEGMENT_SEGMENT_FILE_H
#define ENDICOTT_HYP_SEGMENT_SEGMENT_FILE_H

#include "hyp/segment/segment.h"

/** Where the page of an address is. */
u64 segment_file_at(const struct vm_segment *seg, u64 abs);
/** From the first to the last address. */
u64 segment_bytes(const struct vm_segment *seg);
bool segment_ranges_valid(const struct vm_segment *seg);
/** Members of a segment space do not overlap, and in a megabyte all are shared or all exclusive. */
bool segment_members_conflict(const struct vm_segment *a, const struct vm_segment *b);

/** Write a new file, which is not there yet: pages and keys out of storage, with the CPU's state
 *  for a system. `out`: it is open and locked for its writer alone; the caller closes it. ST_IO,
 *  ST_REFUSED (`stop` is set): it is not there. */
int segment_file_make(const char *path, const struct vm_segment *seg, const u8 *status,
                      struct storage *st, const _Atomic bool *stop, int *out,
                      struct cause *cause);
/** The description of an open file; false: it is none, or not whole. */
bool segment_file_read(int fd, struct vm_segment *out);
/** The CPU's state, the keys of so many pages from an address on; false: the host fails. */
bool segment_file_status(int fd, u8 out[VM_STATUS_BYTES]);
bool segment_file_keys(int fd, const struct vm_segment *seg, u64 abs, u8 *out, size_t pages);
bool segment_write_all(int fd, const u8 *p, u64 len, u64 at);

#endif
