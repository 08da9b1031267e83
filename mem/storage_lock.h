/* Frames of storage that stay in the host's memory, one by one (CP's LOCK): beside what SET
 * RESERVED keeps there (mem/storage.h). Which they are belongs to the caller. One thread at a
 * time. */
#ifndef ENDICOTT_MEM_STORAGE_LOCK_H
#define ENDICOTT_MEM_STORAGE_LOCK_H

#include "mem/storage.h"

/** Begins as zeros. Ended with storage_unlock_all before storage is resized or destroyed. */
struct storage_locks {
    u64 *map; /* a bit for each frame; NULL: none */
    u64 words;
    u64 count; /* frames that are locked */
};

/** Lock `frames` frames from number `first` on, all within storage; those that are locked already
 *  stay so. Frames that were never touched are locked when they are. ST_NOMEM; ST_LIMIT: more than
 *  the host allows, nothing has changed then. */
int storage_lock(struct storage *st, struct storage_locks *l, u64 first, u64 frames,
                 struct cause *cause);
void storage_unlock(struct storage *st, struct storage_locks *l, u64 first, u64 frames);
void storage_unlock_all(struct storage *st, struct storage_locks *l);
/** What SET RESERVED, which unlocks, has taken the lock from. */
void storage_lock_again(struct storage *st, struct storage_locks *l);

#endif
