/* Reader spool files by user id: kept here until the user logs on, then in the virtual reader.
 * Loop thread only. */
#ifndef ENDICOTT_HYP_SPOOL_H
#define ENDICOTT_HYP_SPOOL_H

#include "hyp/vm.h"
#include "io/unitrec/unitrec.h"
#include "mem/base/codec.h"

struct spool;

struct spool *spool_create(void);
void spool_destroy(struct spool *spool);
/** A file for `userid`, whose machine is `vm` or NULL when not logged on. Copies. */
int spool_add(struct spool *spool, const char *userid, struct vm *vm, const char *origin,
              const char *name, const char *type, const void *bytes, size_t len, u16 *id,
              struct cause *cause);
/** The user is here: what waited goes into the reader, as far as there is room. */
void spool_deliver(struct spool *spool, const char *userid, struct vm *vm);
/** As the reader has them: descriptions of files it has consumed are dropped, hold is noted. */
void spool_sync(struct spool *spool, const char *userid, struct reader *reader);
/** The reader is gone, and its files with it. */
void spool_forget(struct spool *spool, const char *userid);
/** Descriptions of the files in the reader: they move with it. restore: false = damaged. */
void spool_save(const struct spool *spool, const char *userid, struct codec_out *out);
bool spool_restore(struct spool *spool, const char *userid, struct codec_in *in);
unsigned spool_count(struct spool *spool, const char *userid);
bool spool_file(struct spool *spool, const char *userid, unsigned i, struct vm_spool_file *out);
/** Purge file `id`, 0 = all; returns how many. Only files no reader holds, or all of them. */
int spool_purge(struct spool *spool, const char *userid, u16 id, struct vm *vm);

#endif
