/* Storage that the host is not to page out (SET RESERVED): locked in its memory, page by page as it
 * is touched. The host cannot give locked pages back, so whoever gives many pauses the lock. What a
 * process may lock is the host's limit (RLIMIT_MEMLOCK). */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mem/base/ergo.h"
#include "mem/storage.h"

static bool lock(struct storage *st, u64 bytes)
{
    return bytes == 0 || mlock2(st->base, bytes, MLOCK_ONFAULT) == 0;
}

/* Not the library's munlock: under the sanitizers that one does nothing. */
static void unlock(struct storage *st, u64 bytes)
{
    if (bytes)
        syscall(SYS_munlock, st->base, bytes);
}

void storage_reserve_pause(struct storage *st)
{
    unlock(st, st->reserved);
}

void storage_reserve_again(struct storage *st)
{
    if (!lock(st, st->reserved))
        st->reserved = 0; /* the limit has been made smaller meanwhile */
}

int storage_reserve(struct storage *st, u64 bytes, struct cause *cause)
{
    struct rlimit limit = {0};
    PRE(bytes % FRAME_BYTES == 0 && bytes <= st->size);
    storage_reserve_pause(st);
    if (lock(st, bytes)) {
        st->reserved = bytes;
        return ST_OK;
    }
    int err = errno;
    unlock(st, bytes);
    storage_reserve_again(st);
    getrlimit(RLIMIT_MEMLOCK, &limit);
    return cause_set(cause, ST_LIMIT, "the host lets members lock %lluK each: %s",
                     (unsigned long long)limit.rlim_cur >> 10, strerror(err));
}
