/* Tape drives 3480 and 3490, as Linux's tape_34xx drives them. docs/tape.md. */
#ifndef ENDICOTT_IO_TAPE_TAPE_H
#define ENDICOTT_IO_TAPE_TAPE_H

#include "io/css.h"
#include "io/tape/tape_file.h"

enum tape_type { TAPE_3480, TAPE_3490 };

struct tape;

/** Create and attach a drive with volume `t` loaded, or NULL for none; css owns the drive, which
 *  holds the volume until it is unloaded. NULL with cause. */
struct tape *tape_create(struct css *css, u16 devno, enum tape_type type, struct tape_file *t,
                         bool announce, struct cause *cause);
/** Load a volume into a drive that has none: ST_OK, the guest is told, the drive holds `t` too;
 *  ST_BUSY. Any thread. */
int tape_load(struct tape *tape, struct tape_file *t, struct cause *cause);
/** Is there a volume? */
bool tape_loaded(struct tape *tape);

#endif
