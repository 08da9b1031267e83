/* An export of an NBD server as the disk of a PDR: one connection, every request with an answer in
 * bounded time or the end of the connection. Causes do not name the export: the caller does.
 * Where there is no libnbd there is none. */
#ifndef ENDICOTT_SSI_SSI_NBD_H
#define ENDICOTT_SSI_SSI_NBD_H

#include "mem/base/bytes.h"
#include "mem/base/status.h"

#define SSI_NBD_CONNECT_MS 5000 /* one attempt, from the name to what the server offers */
#define SSI_NBD_REQUEST_MS 5000 /* then the connection is given up */

struct ssi_nbd;

/** Nothing is connected yet. `path` is copied. ST_NOMEM; ST_CONFIG: no libnbd, and *out is to
 * be closed all the same. */
int ssi_nbd_open(const char *path, bool write, struct ssi_nbd **out, struct cause *cause);
void ssi_nbd_close(struct ssi_nbd *nbd);
void ssi_nbd_drop(struct ssi_nbd *nbd); /**< the connection, if there is one */

/**
 * See to it that there is a connection, waiting at most wait_ms. ST_OK: there is; *fresh: it is
 * another one than before; *doubt: a write on the one before had no answer. ST_BUSY: not yet, call
 * again. ST_IO; ST_CONFIG: the export is not one for a PDR; ST_PERM: read-only.
 */
int ssi_nbd_connect(struct ssi_nbd *nbd, u64 bytes, unsigned wait_ms, bool *fresh, bool *doubt,
                    struct cause *cause);
bool ssi_nbd_connected(const struct ssi_nbd *nbd);

/** ST_IO, and then there may be no connection any more. */
int ssi_nbd_read(struct ssi_nbd *nbd, u64 at, void *data, size_t len, struct cause *cause);
/** On stable storage if `durable`. */
int ssi_nbd_write(struct ssi_nbd *nbd, u64 at, const void *data, size_t len, bool durable,
                  struct cause *cause);
int ssi_nbd_flush(struct ssi_nbd *nbd, struct cause *cause);

/** Monotonic clock, and a pause. */
u64 ssi_nbd_now_ms(void);
void ssi_nbd_pause(unsigned ms);

struct lease_disk;
/** What a lease asks of the world beside its disk: clock, random numbers, pauses, processes. */
void ssi_nbd_world(struct lease_disk *disk);

#endif
