/* Disk devices: 3390 volumes on a 3990-6 storage control (ECKD), 9336 volumes on a 6310 (FBA).
 * The channel subsystem owns the device, the device holds a reference to its image. */
#ifndef ENDICOTT_IO_DASD_DASD_H
#define ENDICOTT_IO_DASD_DASD_H

#include "io/css.h"
#include "io/image/image.h"

/**
 * A device of the image's type at `devno`. css owns it (destroyed by css_detach or css_destroy);
 * it takes a reference to `img`, which other devices may have too as long as only one of them is
 * used at a time (source and destination of a relocation within the host). ST_EXIST, ST_NOMEM,
 * ST_LIMIT with cause.
 */
int dasd_create(struct css *css, u16 devno, struct image *img, bool announce,
                struct cause *cause);

/** Is it a disk, and does it refuse writes? Its css keeps it for that long. */
bool dasd_read_only(const struct dev_ops *ops, void *dev);
/** What its image is; NULL: it is no disk. Likewise. */
const struct image_geometry *dasd_geometry(const struct dev_ops *ops, void *dev);
const struct image_geometry *eckd_geometry(const struct dev_ops *ops, void *dev);
const struct image_geometry *fba_geometry(const struct dev_ops *ops, void *dev);

int eckd_create(struct css *css, u16 devno, struct image *img, bool announce,
                struct cause *cause);
/** An alias (parallel access volume) at `devno`: of the 3390 at `base`, which is there already;
 *  0: of any on its control unit, as channel programs name it (HyperPAV). ST_CONFIG: no base. */
int eckd_alias_create(struct css *css, u16 devno, u16 base, bool announce, struct cause *cause);
int fba_create(struct css *css, u16 devno, struct image *img, bool announce,
               struct cause *cause);

bool eckd_read_only(const struct dev_ops *ops, void *dev);
bool fba_read_only(const struct dev_ops *ops, void *dev);

#endif
