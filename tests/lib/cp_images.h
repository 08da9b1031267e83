/* Disks of the world of cp_world.h: images in a folder that goes with it, and what is on them. */
#ifndef ENDICOTT_TESTS_LIB_CP_IMAGES_H
#define ENDICOTT_TESTS_LIB_CP_IMAGES_H

#include "io/image/image.h"
#include "tests/lib/cp_world.h"

extern char images_dir[64];

/** Makes the folder; before cp_world_setup. */
void images_begin(void);
/** Ends the world, what it was made of, and the folder. */
void images_end(void);
/** An image in the folder, of so many cylinders, or blocks without a volume label. */
void image_make(const char *name, enum image_format format, u32 units, const char *volume);
/** That of a user's link. */
struct image *image_of(int member, const char *user, u16 vdev);
/** One record with nothing but this byte on a track, or a block of it. */
void image_fill(struct image *img, u32 at, u8 byte);
/** The first data byte of a track's record 1, or of a block; 0: there is none. */
u8 image_byte(struct image *img, u32 at);

#endif
