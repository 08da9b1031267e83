/* Which tracks or blocks of a part of a volume were written since somebody got it: the others are
 * not to be seen as a former user left them. Any thread. */
#ifndef ENDICOTT_IO_IMAGE_FRESH_H
#define ENDICOTT_IO_IMAGE_FRESH_H

#include <stdatomic.h>
#include <stdlib.h>

#include "mem/base/bytes.h"

struct fresh {
    u64 units;
    _Atomic u8 written[]; /* a bit for each */
};

/** Nothing was written; NULL: no memory. Freed with free(). */
static inline struct fresh *fresh_create(u64 units)
{
    struct fresh *f = calloc(1, sizeof *f + (size_t)(units / 8 + 1));
    if (f)
        f->units = units;
    return f;
}

static inline bool fresh_is_written(const struct fresh *f, u64 unit)
{
    return !f || atomic_load(&f->written[unit / 8]) >> unit % 8 & 1;
}

/** They are on the volume now. */
static inline void fresh_written(struct fresh *f, u64 first, u64 count)
{
    for (u64 u = first; f && u < first + count; u++)
        if (!fresh_is_written(f, u))
            atomic_fetch_or(&f->written[u / 8], (u8)(1 << u % 8));
}

#endif
