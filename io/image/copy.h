/* One disk onto another of the same type that is at least as large. */
#ifndef ENDICOTT_IO_IMAGE_COPY_H
#define ENDICOTT_IO_IMAGE_COPY_H

#include <stdatomic.h>

#include "io/image/image.h"

/** All tracks or blocks of `from`; what `to` has behind them is made empty, and the host's disk has
 *  it all on return. It takes its time; `stop` ends it (ST_REFUSED). The thread that has the
 *  images. ST_INVAL: another type, or smaller; ST_NOMEM, ST_IO, ST_PROTO. */
int image_copy(struct image *from, struct image *to, atomic_bool *stop, struct cause *cause);

/** Tracks or blocks of one image from `from` on, to another's from `to` on. */
struct image_part {
    u64 from, to, count;
};
/** The same with a part, which both have; of tracks `from` and `to` are one number. */
int image_copy_part(struct image *from, struct image *to, const struct image_part *part,
                    atomic_bool *stop, struct cause *cause);

#endif
