/* Tape drives 3480, 3490 and 3590, as Linux's tape_34xx and tape_3590 drive them. docs/tape.md. */
#ifndef ENDICOTT_IO_TAPE_TAPE_H
#define ENDICOTT_IO_TAPE_TAPE_H

#include "io/css.h"
#include "io/tape/tape_file.h"
#include "io/tape/tape_loader.h"

enum tape_type { TAPE_3480, TAPE_3490, TAPE_3590 };

/** "3590": true, and its type. */
bool tape_type_named(const char *name, enum tape_type *type);
/** Its seven bytes of sense id. */
const u8 *tape_type_sense_id(enum tape_type type);

struct tape;

/** Create and attach a drive with what `loader` has loaded, NULL: an empty one that nothing is
 *  asked of; css owns the drive, which holds the loader. NULL with cause. */
struct tape *tape_create(struct css *css, u16 devno, enum tape_type type,
                         struct tape_loader *loader, bool announce, struct cause *cause);
/** Load a volume from elsewhere into a drive that has none: ST_OK, the guest is told, the drive
 *  holds `t` too; ST_BUSY. Any thread. */
int tape_load(struct tape *tape, struct tape_file *t, struct cause *cause);
/** The drive at `devno`, or NULL. */
struct tape *tape_find(struct css *css, u16 devno);
/** To the beginning of its volume, as the program's own command; not while a channel program runs.
 *  ST_REFUSED: it has no volume. */
int tape_rewind(struct tape *tape, struct cause *cause);
/** Is there a volume? */
bool tape_loaded(struct tape *tape);

#endif
