/* LOCK: a map of frames, and the host's memory locks. What is unlocked and lies in the reserved
 * part of storage is locked again by that. */
#include "mem/storage_lock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mem/base/ergo.h"

static bool has(const struct storage_locks *l, u64 frame)
{
    return l->map && l->map[frame / 64] & 1ull << frame % 64;
}

static void mark(struct storage_locks *l, u64 first, u64 frames, bool on)
{
    for (u64 f = first; f < first + frames; f++) {
        if (has(l, f) == on)
            continue;
        l->map[f / 64] ^= 1ull << f % 64;
        l->count = on ? l->count + 1 : l->count - 1;
    }
}

static bool host_lock(struct storage *st, u64 first, u64 frames)
{
    return mlock2(st->base + (first << FRAME_SHIFT), frames << FRAME_SHIFT, MLOCK_ONFAULT) == 0;
}

/* Not the library's munlock: under the sanitizers that one does nothing. */
static void host_unlock(struct storage *st, u64 first, u64 frames)
{
    syscall(SYS_munlock, st->base + (first << FRAME_SHIFT), frames << FRAME_SHIFT);
}

/* Lock each run of frames of the map within a part of storage; true: all could be. */
static bool runs_lock(struct storage *st, const struct storage_locks *l, u64 first, u64 frames)
{
    bool good = true;
    for (u64 f = first, end; f < first + frames; f = end + 1) {
        for (end = f; end < first + frames && has(l, end); end++)
            ;
        good &= end == f || host_lock(st, f, end - f);
    }
    return good;
}

int storage_lock(struct storage *st, struct storage_locks *l, u64 first, u64 frames,
                 struct cause *cause)
{
    PRE(frames && first < st->frames && frames <= st->frames - first);
    if (!l->map) {
        l->words = (st->frames + 63) / 64;
        l->map = calloc(l->words, sizeof *l->map);
    }
    if (!l->map)
        return cause_set(cause, ST_NOMEM, "no memory");
    if (host_lock(st, first, frames)) {
        mark(l, first, frames, true);
        return ST_OK;
    }
    int err = errno;
    host_unlock(st, first, frames);
    storage_reserve_again(st);
    runs_lock(st, l, first, frames);
    return cause_set(cause, ST_LIMIT, "the host does not let this member lock so much: %s",
                     strerror(err));
}

void storage_unlock(struct storage *st, struct storage_locks *l, u64 first, u64 frames)
{
    if (!l->map)
        return;
    host_unlock(st, first, frames);
    mark(l, first, frames, false);
    storage_reserve_again(st);
}

void storage_unlock_all(struct storage *st, struct storage_locks *l)
{
    if (l->count) {
        host_unlock(st, 0, st->frames);
        storage_reserve_again(st);
    }
    free(l->map);
    *l = (struct storage_locks){0};
}

void storage_lock_again(struct storage *st, struct storage_locks *l)
{
    if (l->count && !runs_lock(st, l, 0, st->frames))
        storage_unlock_all(st, l); /* the limit has been made smaller meanwhile */
}
