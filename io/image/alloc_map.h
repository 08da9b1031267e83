/* What space of a volume CP uses for what: its allocation map, as `endicott dasd alloc` writes it.
 * A CP volume has CPVOL in its label; the map is record 4 of track 0, of an FBA volume blocks
 * 3 and 4, and is the extent-based one (its first four bytes). What comes behind those is ours.
 * Source: z/VM control blocks ALOC and ALOCEXT; "Anatomy of a z/VM CP-owned Volume". */
#ifndef ENDICOTT_IO_IMAGE_ALLOC_MAP_H
#define ENDICOTT_IO_IMAGE_ALLOC_MAP_H

#include "io/image/image.h"

#define ALLOC_EXTENTS_MAX 64u
#define ALLOC_OWNER_BYTES 9
#define ALLOC_PAGE_BLOCKS 8u /* of an FBA volume: 4 KiB */

enum alloc_type {
    ALLOC_PERM, /* minidisks: what no extent says anything of, too */
    ALLOC_TDSK,
    ALLOC_SPOL,
    ALLOC_PAGE,
    ALLOC_DRCT,
    ALLOC_PARM,
    ALLOC_TYPES
};

/** Cylinders, or pages of an FBA volume; both ends are in it. */
struct alloc_extent {
    enum alloc_type type;
    u32 first, last;
};

struct alloc_map {
    bool cp_volume;                  /* else there is no map */
    char cluster[ALLOC_OWNER_BYTES]; /* who may allocate here; "" = any */
    char system[ALLOC_OWNER_BYTES];  /* "" = any */
    unsigned count;
    struct alloc_extent extent[ALLOC_EXTENTS_MAX]; /* in order, none overlaps */
};

/** "PERM", "TDSK" ... */
const char *alloc_type_name(enum alloc_type type);
bool alloc_type_find(const char *name, enum alloc_type *out);
/** How many units of a map the volume has. */
u64 alloc_units(const struct image_geometry *g);
/** The map of a volume; one without is no error. ST_PROTO: it is not of this layout. ST_IO. */
int alloc_map_read(struct image *img, struct alloc_map *out, struct cause *cause);
/** Make it a CP volume with this map, which is put in order. ST_INVAL with what is wrong: no
 *  label, data sets or partitions on it, extents that overlap or are not on the volume. `volume`:
 *  the label of an FBA volume that has none, else NULL. */
int alloc_map_write(struct image *img, struct alloc_map *map, const char *volume,
                    struct cause *cause);

#endif
