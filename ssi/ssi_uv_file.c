/* The PDR as a file: OFD locks (one for the record, one life lock for each slot), positioned
 * reads and writes, fdatasync. OFD locks belong to the open file, so that several members in
 * one process lock each other out, and vanish with the process however it ends. */
#include "ssi/ssi_uv_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LOCK_RECORD_AT (1ll << 40) /* far behind the data: locks need no bytes */
#define LOCK_LIFE_AT (LOCK_RECORD_AT + 16)
#define LOCK_RETRY_NS 2000000

static int file_cause(struct ssi_uv *uv, struct cause *cause, const char *what)
{
    int status = errno == EACCES || errno == EPERM || errno == EROFS ? ST_PERM : ST_IO;
    return cause_set(cause, status, "%s %s: %s", what, uv->pdr_path, strerror(errno));
}

static int file_open(struct ssi_uv *uv, struct cause *cause)
{
    if (uv->pdr_fd >= 0)
        return ST_OK;
    uv->pdr_fd = open(uv->pdr_path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
    return uv->pdr_fd < 0 ? file_cause(uv, cause, "opening") : ST_OK;
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

static int port_pdr_lock(void *ctx, unsigned wait_ms, struct cause *cause)
{
    struct ssi_uv *uv = ctx;
    PRE(!uv->pdr_locked);
    u64 until = uv_hrtime() + (u64)wait_ms * 1000000;
    int rc = file_open(uv, cause);
    if (rc)
        return rc;
    while (file_lock(uv, F_OFD_SETLK, F_WRLCK, LOCK_RECORD_AT, NULL) < 0) {
        if (errno != EAGAIN && errno != EACCES)
            return file_cause(uv, cause, "locking");
        if (uv_hrtime() >= until)
            return cause_set(cause, ST_BUSY, "%s is locked by another system", uv->pdr_path);
        nanosleep(&(struct timespec){.tv_nsec = LOCK_RETRY_NS}, NULL);
    }
    uv->pdr_locked = true;
    return ST_OK;
}

static void port_pdr_unlock(void *ctx)
{
    struct ssi_uv *uv = ctx;
    PRE(uv->pdr_locked);
    uv->pdr_locked = false;
    file_lock(uv, F_OFD_SETLK, F_UNLCK, LOCK_RECORD_AT, NULL);
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
    if (file_lock(uv, F_OFD_SETLK, F_WRLCK, LOCK_LIFE_AT + slot, NULL) == 0)
        return ST_OK;
    if (errno != EAGAIN && errno != EACCES)
        return file_cause(uv, cause, "locking");
    return cause_set(cause, ST_EXIST, "a system in slot %u runs already", slot + 1);
}

static void port_life_drop(void *ctx, unsigned slot)
{
    (void)slot;
    ssi_uv_file_close(ctx);
}

static bool port_life_held(void *ctx, unsigned slot)
{
    struct ssi_uv *uv = ctx;
    short found = F_WRLCK;
    if (uv->pdr_fd < 0 || file_lock(uv, F_OFD_GETLK, F_WRLCK, LOCK_LIFE_AT + slot, &found) < 0)
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
    ports->life_drop = port_life_drop;
    ports->life_held = port_life_held;
}

void ssi_uv_file_close(struct ssi_uv *uv)
{
    if (uv->pdr_fd >= 0)
        close(uv->pdr_fd);
    uv->pdr_fd = -1;
    uv->pdr_locked = false;
}

u64 ssi_uv_host_id(void)
{
    char id[64] = "";
    u64 hash = 0xcbf29ce484222325ull; /* FNV-1a */
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    bool got = file && fgets(id, sizeof id, file);
    if (file)
        fclose(file);
    if (!got) /* not to be told from other hosts: nobody is ever buried on our word */
        uv_random(NULL, NULL, id, sizeof id, 0, NULL);
    const char *test =
        getenv("ENDICOTT_TEST_HOST"); /* tests/chaos: one host stands for several */
    for (; test && *test; test++)
        hash = (hash ^ (u8)*test) * 0x100000001b3ull;
    for (size_t i = 0; i < sizeof id; i++)
        hash = (hash ^ (u8)id[i]) * 0x100000001b3ull;
    return hash;
}
