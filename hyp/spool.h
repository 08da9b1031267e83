/* Reader spool files by user id: kept here until the user logs on, then in the virtual reader.
 * Loop thread only. */
#ifndef ENDICOTT_HYP_SPOOL_H
#define ENDICOTT_HYP_SPOOL_H

#include "hyp/vm.h"

struct spool;

struct spool *spool_create(void);
void spool_destroy(struct spool *spool);
/** A file for `userid`, whose machine is `vm` or NULL when not logged on. Copies. */
int spool_add(struct spool *spool, const char *userid, struct vm *vm, const char *origin,
              const char *name, const char *type, const void *bytes, size_t len, u16 *id,
              struct cause *cause);
/** The user has logged on: what waited goes into the reader. */
int spool_deliver(struct spool *spool, const char *userid, struct vm *vm, struct cause *cause);
/** Drop the descriptions of files that the reader has consumed. */
void spool_sync(struct spool *spool, const char *userid, unsigned files_left);
unsigned spool_count(struct spool *spool, const char *userid);
bool spool_file(struct spool *spool, const char *userid, unsigned i, struct vm_spool_file *out);
/** Purge file `id`, 0 = all; returns how many. Only files no reader holds, or all of them. */
int spool_purge(struct spool *spool, const char *userid, u16 id, struct vm *vm);

#endif
