/* Spans of a file: sorted, never touching one another. The free space of a CCKD image. */
#ifndef ENDICOTT_IO_IMAGE_SPANS_H
#define ENDICOTT_IO_IMAGE_SPANS_H

#include "mem/base/bytes.h"

struct span {
    u64 at, len;
};

struct spans {
    struct span *span;
    u32 count, room;
    u64 total;
};

void spans_fini(struct spans *s);
/** Add one, joined with its neighbours. False: no memory, or it overlaps another. */
bool spans_add(struct spans *s, u64 at, u64 len);
/** Take `len` bytes of the smallest span that has them; what would be left and is shorter than
 *  `rest_min` comes with it: *len grows. False: none is large enough. */
bool spans_take(struct spans *s, u64 *len, u64 rest_min, u64 *at);
/** Take `len` bytes, no more, of the smallest span that has just these or leaves `rest_min`. */
bool spans_take_exactly(struct spans *s, u64 len, u64 rest_min, u64 *at);
/** Forget spans of less than `min` bytes. */
void spans_drop_short(struct spans *s, u64 min);
/** Take the last span when it ends at `end`; its start, else `end`. */
u64 spans_cut(struct spans *s, u64 end);
u64 spans_largest(const struct spans *s);

#endif
