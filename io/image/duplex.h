/* A volume on two files: `first,mirror=second` (either may have shadows). All is written to both
 * and read from the first; when one fails it is severed, which is noted beside the other before the
 * guest hears that its write was done, and the other goes on alone. A severed one is copied anew
 * while the volume is in use. One program writes such a volume, or several read. */
#ifndef ENDICOTT_IO_IMAGE_DUPLEX_H
#define ENDICOTT_IO_IMAGE_DUPLEX_H

#include "io/image/image.h"

#define IMAGE_MIRROR_MARK ",mirror="

struct duplex_status {
    bool good[2];   /* has all that was written */
    bool copying;   /* the one that has not gets it */
    bool suspended; /* the operator severed it: it is not copied by itself */
    u64 done, total;
};
/** False: it is no such volume. */
bool duplex_status(struct image *img, struct duplex_status *out);
/** Sever a half (0, 1), or copy it anew. ST_INVAL: nothing to sever, or to copy; ST_IO. Of a volume
 *  that is open for writing. */
int duplex_suspend(struct image *img, unsigned half, struct cause *cause);
int duplex_resume(struct image *img, struct cause *cause);

#endif
