/* Whatever is on a disk is made empty. */
#ifndef ENDICOTT_IO_IMAGE_ERASE_H
#define ENDICOTT_IO_IMAGE_ERASE_H

#include <stdatomic.h>

#include "io/image/image.h"

/** Tracks are without records then, blocks zeros; those that are so already are not written. It
 *  takes its time; `stop` ends it. The thread that has the image. ST_NOMEM, ST_IO. */
int image_erase(struct image *img, atomic_bool *stop, struct cause *cause);

#endif
