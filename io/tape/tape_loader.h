/* Where the volumes of a tape drive come from: one file of the host, or a folder as a library,
 * whose files in the order of their names are volumes. A volume is called as its file is,
 * without what follows the last dot. The loader knows which one is in the drive. One thread at a
 * time; held by the configuration and by the drive. */
#ifndef ENDICOTT_IO_TAPE_LOADER_H
#define ENDICOTT_IO_TAPE_LOADER_H

#include "io/tape/tape_file.h"

struct tape_loader;

#define TAPE_VOLUME_CHARS 6u

/** A file, which is loaded, or a folder, of which the first volume is that nobody has; there may be
 *  none. `flags` and `capacity` of each as for tape_file_open and tape_file_set_capacity. Errors as
 *  of tape_file_open. */
int tape_loader_open(const char *path, unsigned flags, u64 capacity, struct tape_loader **out,
                     struct cause *cause);
struct tape_loader *tape_loader_ref(struct tape_loader *loader);
void tape_loader_close(struct tape_loader *loader);
/** Load the first volume behind the one that was loaded last which is sound and which nobody has in
 *  use. ST_NOENT: there is none; the cause tells of the last that could not be. */
int tape_loader_next(struct tape_loader *loader, struct cause *cause);
/** Load the volume `name`; ST_NOENT, or as tape_file_open. */
int tape_loader_named(struct tape_loader *loader, const char *name, struct cause *cause);
/** The volume that is loaded, or NULL; the caller takes a reference of its own to keep it. */
struct tape_file *tape_loader_volume(struct tape_loader *loader);
/** It was unloaded. */
void tape_loader_clear(struct tape_loader *loader);

#endif
