/* Volume labels and tables of contents of CKD images: what is on a disk, for tools. */
#ifndef ENDICOTT_IO_IMAGE_VTOC_H
#define ENDICOTT_IO_IMAGE_VTOC_H

#include "io/image/image.h"

#define VTOC_VOLUME_BYTES 7
#define VTOC_NAME_BYTES 45
#define VTOC_EXTENTS_MAX                                                                       \
    3u /* of one DSCB; further ones are in format 3, which is not followed */

struct vtoc_dataset {
    char name[VTOC_NAME_BYTES];
    u32 extents;
    struct {
        u32 first, last; /* tracks */
    } extent[VTOC_EXTENTS_MAX];
};

/** The volume name, or "" when the disk has no label. ST_PROTO when track 0 is damaged. */
int vtoc_volume(struct image *img, char out[VTOC_VOLUME_BYTES], struct cause *cause);
/** Every data set (or partition of Linux). ST_NOENT when there is no label or no VTOC. */
int vtoc_each(struct image *img, void (*visit)(void *arg, const struct vtoc_dataset *d),
              void *arg, struct cause *cause);

#endif
