/* An export of an NBD server by libnbd, which is loaded when it is needed, and whose requests are
 * made and then waited for with a limit: a server that hangs costs its connection, and nobody more
 * than SSI_NBD_REQUEST_MS. What a request without an answer leaves in doubt is told with the next
 * connection. */
#include "ssi/ssi_nbd.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "mem/base/libnbd.h"
#include "ssi/ssi_lease.h"

u64 ssi_nbd_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * 1000 + (u64)now.tv_nsec / 1000000;
}

void ssi_nbd_pause(unsigned ms)
{
    nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000}, NULL);
}

#define BLOCK_BYTES 512 /* what is written at once, at least */

static const struct nbd_completion no_completion;

struct ssi_nbd {
    struct nbd_handle *handle; /* NULL: not connected, nor on the way */
    struct libnbd lib;
    bool write, ready, doubt;
    bool fua;
    u64 give_up_ms; /* when the attempt that is under way has had its time */
    char path[];
};

int ssi_nbd_open(const char *path, bool write, struct ssi_nbd **out, struct cause *cause)
{
    size_t len = strlen(path) + 1;
    struct ssi_nbd *n = calloc(1, sizeof *n + len);
    if (!n)
        return cause_set(cause, ST_NOMEM, "out of memory");
    n->write = write;
    memcpy(n->path, path, len);
    *out = n;
    return libnbd_load(&n->lib, cause);
}

static void disconnect(struct ssi_nbd *n)
{
    if (n->handle)
        n->lib.nbd_close(n->handle);
    n->handle = NULL;
    n->ready = false;
}

void ssi_nbd_close(struct ssi_nbd *n)
{
    if (n)
        ssi_nbd_drop(n);
    free(n);
}

void ssi_nbd_drop(struct ssi_nbd *n)
{
    if (n->ready) /* a server that went first does not matter */
        (void)n->lib.nbd_aio_disconnect(n->handle, 0);
    disconnect(n);
}

bool ssi_nbd_connected(const struct ssi_nbd *n)
{
    return n->ready;
}

static int why(const struct ssi_nbd *n, int status, struct cause *cause)
{
    const char *text = n->lib.nbd_get_error();
    return cause_set(cause, status, "%s", text ? text : "failed");
}

static bool broke(const struct ssi_nbd *n)
{
    return n->lib.nbd_aio_is_dead(n->handle) || n->lib.nbd_aio_is_closed(n->handle);
}

/* Is it an export that several members can use at a time? */
static int suits(const struct ssi_nbd *n, u64 bytes, struct cause *cause)
{
    struct nbd_handle *h = n->handle;
    int64_t size = n->lib.nbd_get_size(h);
    int64_t block = n->lib.nbd_get_block_size(h, LIBNBD_SIZE_MINIMUM);
    if (size < 0)
        return why(n, ST_IO, cause);
    if (n->write && n->lib.nbd_is_read_only(h) == 1)
        return cause_set(cause, ST_PERM, "the export is read-only");
    if ((u64)size < bytes)
        return cause_set(cause, ST_CONFIG,
                         "the export has %llu bytes, and a PDR there needs %llu",
                         (unsigned long long)size, (unsigned long long)bytes);
    if (n->write && n->lib.nbd_can_multi_conn(h) != 1)
        return cause_set(cause, ST_CONFIG,
                         "the server does not say that its connections see one state of the "
                         "export (multi-conn: nbdkit's file and memory, qemu-nbd --shared), so "
                         "it cannot hold a PDR");
    if (n->write && n->lib.nbd_can_flush(h) != 1)
        return cause_set(cause, ST_CONFIG,
                         "the server does not offer to flush, so it cannot hold a PDR");
    if (block > BLOCK_BYTES)
        return cause_set(cause, ST_CONFIG,
                         "the server wants blocks of %lld bytes, and a PDR has smaller ones",
                         (long long)block);
    return ST_OK;
}

static int begin(struct ssi_nbd *n, struct cause *cause)
{
    if (n->handle)
        return ST_OK;
    n->handle = libnbd_handle(&n->lib);
    n->give_up_ms = ssi_nbd_now_ms() + SSI_NBD_CONNECT_MS;
    if (n->handle && n->lib.nbd_aio_connect_uri(n->handle, n->path) == 0)
        return ST_OK;
    int rc = why(n, ST_IO, cause);
    disconnect(n);
    return rc;
}

/* ST_BUSY: under way. */
static int greet(struct ssi_nbd *n, unsigned wait_ms, struct cause *cause)
{
    u64 until = ssi_nbd_now_ms() + wait_ms;
    int rc = 0;
    for (u64 now; rc == 0 && n->lib.nbd_aio_is_connecting(n->handle);) {
        now = ssi_nbd_now_ms();
        rc = n->lib.nbd_poll(n->handle, now < until ? (int)(until - now) : 0) < 0 ? -1 : 0;
        if (rc == 0 && now >= until)
            break;
    }
    if (rc == 0 && n->lib.nbd_aio_is_ready(n->handle))
        return ST_OK;
    if (rc == 0 && n->lib.nbd_aio_is_connecting(n->handle) && ssi_nbd_now_ms() < n->give_up_ms)
        return cause_set(cause, ST_BUSY, "connecting");
    rc = rc ? why(n, ST_IO, cause) : cause_set(cause, ST_IO, "the server does not answer");
    disconnect(n);
    return rc;
}

int ssi_nbd_connect(struct ssi_nbd *n, u64 bytes, unsigned wait_ms, bool *fresh, bool *doubt,
                    struct cause *cause)
{
    *fresh = *doubt = false;
    if (n->ready && broke(n))
        disconnect(n);
    if (n->ready)
        return ST_OK;
    int rc = begin(n, cause);
    if (rc == ST_OK)
        rc = greet(n, wait_ms, cause);
    if (rc)
        return rc;
    rc = suits(n, bytes, cause);
    if (rc) {
        disconnect(n);
        return rc;
    }
    n->fua = n->lib.nbd_can_fua(n->handle) == 1;
    n->ready = *fresh = true;
    *doubt = n->doubt;
    n->doubt = false;
    return ST_OK;
}

/* Wait for the answer to a request. No answer is the end of the connection. */
static int answer(struct ssi_nbd *n, int64_t cookie, bool write, struct cause *cause)
{
    u64 until = ssi_nbd_now_ms() + SSI_NBD_REQUEST_MS;
    bool polled = true;
    int done = cookie < 0 ? -1 : 0;
    while (!done && polled) {
        u64 now = ssi_nbd_now_ms();
        done = n->lib.nbd_aio_command_completed(n->handle, (u64)cookie);
        if (done || now >= until)
            break;
        polled = n->lib.nbd_poll(n->handle, (int)(until - now)) >= 0 ||
                 n->lib.nbd_get_errno() == EINTR;
    }
    if (done > 0)
        return ST_OK;
    int rc = done || !polled
                 ? why(n, ST_IO, cause)
                 : cause_set(cause, ST_IO, "no answer for %u s", SSI_NBD_REQUEST_MS / 1000);
    if (done && !broke(n)) /* the server's word */
        return rc;
    n->doubt |= write;
    disconnect(n);
    return rc;
}

static int gone(struct cause *cause)
{
    return cause_set(cause, ST_IO, "not connected");
}

int ssi_nbd_read(struct ssi_nbd *n, u64 at, void *data, size_t len, struct cause *cause)
{
    if (!n->ready)
        return gone(cause);
    return answer(n, n->lib.nbd_aio_pread(n->handle, data, len, at, no_completion, 0), false,
                  cause);
}

int ssi_nbd_flush(struct ssi_nbd *n, struct cause *cause)
{
    if (!n->ready)
        return gone(cause);
    return answer(n, n->lib.nbd_aio_flush(n->handle, no_completion, 0), false, cause);
}

int ssi_nbd_write(struct ssi_nbd *n, u64 at, const void *data, size_t len, bool durable,
                  struct cause *cause)
{
    if (!n->ready)
        return gone(cause);
    u32 flags = durable && n->fua ? LIBNBD_CMD_FLAG_FUA : 0;
    int rc = answer(n, n->lib.nbd_aio_pwrite(n->handle, data, len, at, no_completion, flags),
                    true, cause);
    return rc == ST_OK && durable && !flags ? ssi_nbd_flush(n, cause) : rc;
}

/* --- beside the disk --- */

static u64 world_now_ms(void *ctx)
{
    (void)ctx;
    return ssi_nbd_now_ms();
}

static u64 world_random(void *ctx)
{
    u64 v = 0;
    if (getrandom(&v, sizeof v, 0) != sizeof v)
        v = ssi_nbd_now_ms() ^ (u64)(uintptr_t)ctx;
    return v;
}

static void world_pause(void *ctx, unsigned ms)
{
    (void)ctx;
    ssi_nbd_pause(ms);
}

static bool world_gone(void *ctx, const struct ssi_process *process)
{
    (void)ctx;
    return ssi_process_gone(process);
}

void ssi_nbd_world(struct lease_disk *disk)
{
    disk->now_ms = world_now_ms;
    disk->random = world_random;
    disk->pause = world_pause;
    disk->gone = world_gone;
}
