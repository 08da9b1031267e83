/* The PDR as a file: OFD locks (one for the record, one life lock for each slot), positioned
 * reads and writes, fdatasync. OFD locks belong to the open file, so that several members in
 * one process lock each other out, and vanish with the process however it ends.
 * Only a regular file is taken: a lock on a block device, a disk of an NBD server say, keeps out
 * processes of this host and nobody else. An NBD export by its address: ssi_uv_nbd.c. */
#include "ssi/ssi_pdr.h"
#include "ssi/ssi_uv_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_RETRY_NS_MIN 50000
#define LOCK_RETRY_NS_MAX 2000000

static int file_cause(struct ssi_uv *uv, struct cause *cause, const char *what)
{
    int status = errno == EACCES || errno == EPERM || errno == EROFS ? ST_PERM : ST_IO;
    return cause_set(cause, status, "%s %s: %s", what, uv->pdr_path, strerror(errno));
}

static int file_open(struct ssi_uv *uv, struct cause *cause)
{
    if (uv->pdr_fd >= 0)
        return ST_OK;
    uv->pdr_fd = open(uv->pdr_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0660);
    if (uv->pdr_fd < 0)
        return file_cause(uv, cause, "opening");
    struct stat st;
    if (fstat(uv->pdr_fd, &st) == 0 && S_ISREG(st.st_mode))
        return ST_OK;
    ssi_uv_file_close(uv);
    return cause_set(
        cause, ST_CONFIG,
        "%s is no regular file: locks on it would hold on this host only, so it cannot "
        "hold a PDR; an NBD export is named by its address, nbd://...",
        uv->pdr_path);
}

/* The file must be the one that others find under its name: with another they would not meet us. */
static int file_same(struct ssi_uv *uv, struct cause *cause)
{
    struct stat here, there;
    if (fstat(uv->pdr_fd, &here) < 0 || (stat(uv->pdr_path, &there) < 0 && errno != ENOENT))
        return file_cause(uv, cause, "looking at");
    if (here.st_nlink && here.st_dev == there.st_dev && here.st_ino == there.st_ino)
        return ST_OK;
    return cause_set(cause, ST_IO, "%s was deleted or replaced while this system uses it",
                     uv->pdr_path);
}

static int lock_cause(struct ssi_uv *uv, struct cause *cause)
{
    if (errno != ENOLCK && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
        return file_cause(uv, cause, "locking");
    return cause_set(
        cause, ST_IO,
        "locking %s: %s; the PDR needs a file system with locks that all hosts honour",
        uv->pdr_path, strerror(errno));
}

static int file_lock(struct ssi_uv *uv, int cmd, short type, long long at, short *found)
{
    struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
    int rc;
    do {
        rc = fcntl(uv->pdr_fd, cmd, &fl);
    } while (rc < 0 && errno == EINTR);
    if (found)
        *found = fl.l_type;
    return rc;
}

static void port_pdr_unlock(void *ctx)
{
    struct ssi_uv *uv = ctx;
    PRE(uv->pdr_locked);
    uv->pdr_locked = false;
    file_lock(uv, F_OFD_SETLK, F_UNLCK, PDR_LOCK_RECORD_AT, NULL);
}

static int port_pdr_lock(void *ctx, unsigned wait_ms, struct cause *cause)
{
    struct ssi_uv *uv = ctx;
    PRE(!uv->pdr_locked);
    u64 until = uv_hrtime() + (u64)wait_ms * 1000000;
    long pause_ns = LOCK_RETRY_NS_MIN;
    int rc = file_open(uv, cause);
    if (rc)
        return rc;
    while (file_lock(uv, F_OFD_SETLK, F_WRLCK, PDR_LOCK_RECORD_AT, NULL) < 0) {
        if (errno != EAGAIN && errno != EACCES)
            return lock_cause(uv, cause);
        if (uv_hrtime() >= until)
            return cause_set(cause, ST_BUSY, "%s is locked by another system", uv->pdr_path);
        nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
        pause_ns = pause_ns < LOCK_RETRY_NS_MAX ? pause_ns * 2 : pause_ns;
    }
    uv->pdr_locked = true;
    rc = file_same(uv, cause);
    if (rc)
        port_pdr_unlock(uv);
    return rc;
}

static int port_pdr_read(void *ctx, u64 offset, void *data, size_t len, size_t *got,
                         struct cause *cause)
{
    struct ssi_uv *uv = ctx;
    for (*got = 0; *got < len;) {
        ssize_t n = pread(uv->pdr_fd, (u8 *)data + *got, len - *got, (off_t)(offset + *got));
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_cause(uv, cause, "reading");
        *got += (size_t)n;
    }
    return ST_OK;
}

static int port_pdr_write(void *ctx, u64 offset, const void *data, size_t len, bool durable,
                          struct cause *cause)
{
    struct ssi_uv *uv = ctx;
    for (size_t done = 0; done < len;) {
        ssize_t n =
            pwrite(uv->pdr_fd, (const u8 *)data + done, len - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_cause(uv, cause, "writing");
        done += (size_t)n;
    }
    if (durable && fdatasync(uv->pdr_fd) < 0)
        return file_cause(uv, cause, "writing");
    return ST_OK;
}

static int port_pdr_reserve(void *ctx, u64 bytes, struct cause *cause)
{
    struct ssi_uv *uv = ctx;
    do {
        errno = posix_fallocate(uv->pdr_fd, 0, (off_t)bytes);
    } while (errno == EINTR);
    return errno ? file_cause(uv, cause, "writing") : ST_OK;
}

static int port_life_hold(void *ctx, unsigned slot, struct cause *cause)
{
    struct ssi_uv *uv = ctx;
    int rc = file_open(uv, cause);
    if (rc)
        return rc;
    if (file_lock(uv, F_OFD_SETLK, F_WRLCK, PDR_LOCK_LIFE_AT + slot, NULL) == 0)
        return ST_OK;
    if (errno != EAGAIN && errno != EACCES)
        return lock_cause(uv, cause);
    return cause_set(cause, ST_EXIST, "a system in slot %u runs already", slot + 1);
}

static bool port_life_held(void *ctx, unsigned slot)
{
    struct ssi_uv *uv = ctx;
    short found = F_WRLCK;
    if (uv->pdr_fd < 0 ||
        file_lock(uv, F_OFD_GETLK, F_WRLCK, PDR_LOCK_LIFE_AT + slot, &found) < 0)
        return true;
    return found != F_UNLCK;
}

void ssi_uv_file_ports(struct ssi_ports *ports)
{
    ports->pdr_lock = port_pdr_lock;
    ports->pdr_unlock = port_pdr_unlock;
    ports->pdr_reserve = port_pdr_reserve;
    ports->pdr_read = port_pdr_read;
    ports->pdr_write = port_pdr_write;
    ports->life_hold = port_life_hold;
    ports->life_drop = ssi_uv_life_drop;
    ports->life_held = port_life_held;
}

void ssi_uv_file_close(struct ssi_uv *uv)
{
    if (uv->pdr_fd >= 0)
        close(uv->pdr_fd);
    uv->pdr_fd = -1;
    uv->pdr_locked = false;
}
