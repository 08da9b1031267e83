/* A file behind a network block device server, by libnbd: what image_file.c reads and writes when
 * a path is a URI (nbd://HOST/EXPORT, nbd+unix:///EXPORT?socket=PATH). A connection that broke is
 * made anew by the next request. Threads: one at a time for a `struct image_nbd`. */
#ifndef ENDICOTT_IO_IMAGE_NBD_H
#define ENDICOTT_IO_IMAGE_NBD_H

#include "mem/base/bytes.h"
#include "mem/base/status.h"

struct image_nbd;

bool image_nbd_named(const char *path);
/** ST_CONFIG with cause: no connection, or built without libnbd; ST_PERM: a read-only export. */
int image_nbd_open(const char *path, bool write, struct image_nbd **out, u64 *size,
                   struct cause *cause);
/** Locks are the server's matter: it, or its exports, have to keep a second writer away. */
int image_nbd_move(struct image_nbd *n, bool write, u64 at, void *buf, u32 len,
                   struct cause *cause);
int image_nbd_sync(struct image_nbd *n, struct cause *cause);
void image_nbd_finish(struct image_nbd *n);

#endif
