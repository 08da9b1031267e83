/* Virtual disks in storage: blocks of 512 bytes that no file holds; gone with their last user. */
#ifndef ENDICOTT_IO_IMAGE_VDISK_H
#define ENDICOTT_IO_IMAGE_VDISK_H

#include "io/image/image.h"
#include "mem/area.h"

/** An image of so many blocks, zeros, to be written. ST_NOMEM. */
int vdisk_create(u64 blocks, struct image **out, struct cause *cause);
/** What such an image keeps its blocks in: the image's. */
struct area *vdisk_area(const struct image *img);

#endif
