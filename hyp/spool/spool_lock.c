/* Who reads or changes a file of the cluster's spool: record locks of the host on SERIAL.data,
 * which go with the process that has them, on the shared folder as on a local one.
 * [L1] A description is changed or removed by who has the file's lock alone, or has the file open.
 * [L2] A file is opened by who has the lock alone; while it is open the lock is shared, so that a
 * relocation hands the file over without a moment in which nobody has it.
 * [L3] What is done under the lock is done to the version that was known: whoever finds another one
 * lets go and looks again. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "hyp/spool/spool_internal.h"
#include "mem/base/log.h"

#define CHANGING_TRIES_MAX 100 /* another member changes a file for some milliseconds */
#define CHANGING_WAIT_NS 1000000

/* Located by spool->holds. Created when a file is opened here, destroyed when it no longer is. */
struct spool_hold {
    struct spool_hold *next;
    unsigned home;
    u64 serial;
    int fd;
    u32 opened;
};

static int lock_now(int fd, short type)
{
    struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_len = 1};
    while (fcntl(fd, F_OFD_SETLK, &fl))
        if (errno != EINTR)
            return errno;
    return 0;
}

/* Has somebody the file open? Else somebody is changing it, who soon lets go. */
static bool being_read(int fd)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    return !fcntl(fd, F_OFD_GETLK, &fl) && fl.l_type == F_RDLCK;
}

/* 0, or errno: EAGAIN somebody reads it, or has changed it for long. */
static int lock_soon(int fd, short type)
{
    const struct timespec pause = {0, CHANGING_WAIT_NS};
    for (unsigned i = 0;; i++) {
        int rc = lock_now(fd, type);
        if (rc != EAGAIN && rc != EACCES)
            return rc;
        if (i == CHANGING_TRIES_MAX || being_read(fd))
            return EAGAIN;
        nanosleep(&pause, NULL);
    }
}

/* A program that is just being started may have the descriptor, too, for a moment: closing it would
 * leave the lock there. */
static void let_go(int fd)
{
    lock_now(fd, F_UNLCK);
    close(fd);
}

/* A descriptor with the lock, or -errno. */
static int open_locked(const struct spool *spool, unsigned home, u64 serial, short type)
{
    struct spool_path path = {""};
    int fd = open(spool_disk_path(spool, home, serial, "data", &path), O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = lock_soon(fd, type);
    if (!rc)
        return fd;
    close(fd);
    return -rc;
}

bool spool_in_use(const struct spool *spool, u64 serial)
{
    if (!spool->slot)
        return false;
    int fd = open_locked(spool, 0, serial, F_WRLCK);
    if (fd >= 0)
        let_go(fd);
    return fd == -EAGAIN;
}

/* ---- what is open here ---- */

static struct spool_hold **hold_at_locked(struct spool *spool, unsigned home, u64 serial)
{
    struct spool_hold **at = &spool->holds;
    while (*at && ((*at)->home != home || (*at)->serial != serial))
        at = &(*at)->next;
    return at;
}

static bool claim_locked(struct spool *spool, unsigned home, u64 serial, int fd)
{
    struct spool_hold *hold = fd < 0 ? NULL : calloc(1, sizeof *hold);
    if (!hold) {
        if (fd >= 0)
            let_go(fd);
        return false;
    }
    *hold = (struct spool_hold){spool->holds, home, serial, fd, 1};
    spool->holds = hold;
    return true;
}

/* [L2] [L3] */
static int claim_new(const struct spool *spool, unsigned home, u64 serial, u64 version)
{
    int fd = open_locked(spool, home, serial, F_WRLCK);
    if (fd < 0 && fd != -EAGAIN && fd != -ENOENT)
        log_line("spool: %s, %08llx: %s", spool->home[home].member, (unsigned long long)serial,
                 strerror(-fd));
    if (fd < 0)
        return fd;
    if (spool_disk_version(spool, home, serial) == version && !lock_now(fd, F_RDLCK))
        return fd;
    let_go(fd);
    return -ESTALE;
}

bool spool_claim(struct spool *spool, unsigned home, u64 serial, u64 version)
{
    bool good = true;
    lock_take(&spool->lock);
    struct spool_hold *hold = *hold_at_locked(spool, home, serial);
    if (hold)
        hold->opened++;
    else
        good = claim_locked(spool, home, serial, claim_new(spool, home, serial, version));
    lock_drop(&spool->lock);
    return good;
}

bool spool_claim_beside(struct spool *spool, const struct spool_file *f)
{
    lock_take(&spool->lock);
    bool good = *hold_at_locked(spool, f->home, f->serial) ||
                claim_locked(spool, f->home, f->serial,
                             open_locked(spool, f->home, f->serial, F_RDLCK));
    lock_drop(&spool->lock);
    return good;
}

u32 spool_opened(struct spool *spool, const struct spool_file *f)
{
    if (!spool->shared)
        return 0;
    lock_take(&spool->lock);
    const struct spool_hold *hold = *hold_at_locked(spool, f->home, f->serial);
    u32 opened = hold ? hold->opened : 0;
    lock_drop(&spool->lock);
    return opened;
}

void spool_release(struct spool *spool, const struct spool_file *f, u32 opened)
{
    if (!spool->shared)
        return;
    lock_take(&spool->lock);
    struct spool_hold **at = hold_at_locked(spool, f->home, f->serial), *hold = *at;
    if (hold && (!opened || hold->opened == opened)) {
        *at = hold->next;
        let_go(hold->fd);
        free(hold);
    }
    lock_drop(&spool->lock);
}

void spool_release_all(struct spool *spool)
{
    while (spool->holds) {
        struct spool_hold *hold = spool->holds;
        spool->holds = hold->next;
        let_go(hold->fd);
        free(hold);
    }
}

#define KEY_HOME_SHIFT 40
#define KEY_SHARED (1ull << 63)

u64 spool_key(const struct spool *spool, const struct spool_file *f)
{
    return spool->shared ? KEY_SHARED | (u64)f->home << KEY_HOME_SHIFT | f->serial : 0;
}

bool spool_reader_opens(void *arg, u64 key, u64 version)
{
    key &= ~KEY_SHARED;
    return spool_claim(arg, (unsigned)(key >> KEY_HOME_SHIFT),
                       key & ((1ull << KEY_HOME_SHIFT) - 1), version);
}

/* ---- changing ---- */

static int refuse(const struct spool_file *f, int why, struct cause *cause)
{
    if (why == EAGAIN)
        return cause_set(cause, ST_BUSY, "spool file %04u is being read on another member",
                         f->desc.id);
    if (why == ENOENT || why == ESTALE)
        return cause_set(cause, ST_BUSY, "spool file %04u has just been changed", f->desc.id);
    return cause_set(cause, ST_IO, "spool file %04u: %s", f->desc.id, strerror(why));
}

int spool_change_begin(struct spool *spool, const struct spool_file *f,
                       struct spool_change *change, struct cause *cause)
{
    *change = (struct spool_change){.fd = -1};
    if (!spool->shared || spool_opened(spool, f)) /* [L1] */
        return ST_OK;
    int rc = spool_reached(spool, f, cause);
    if (rc)
        return rc;
    int fd = open_locked(spool, f->home, f->serial, F_WRLCK);
    if (fd < 0)
        return refuse(f, -fd, cause);
    if (spool_disk_version(spool, f->home, f->serial) != f->version) { /* [L3] */
        let_go(fd);
        return refuse(f, ESTALE, cause);
    }
    change->fd = fd;
    return ST_OK;
}

/* Without spool->lock: a reader that opens the file may wait for us with it. */
void spool_change_end(const struct spool_change *change)
{
    if (change->fd >= 0)
        let_go(change->fd);
}
