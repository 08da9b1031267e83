/* Network block devices (nbd.h); without libnbd at build time they are refused. */
#include "io/image/nbd.h"

#include <stdlib.h>

bool image_nbd_named(const char *path)
{
    return strncmp(path, "nbd://", 6) == 0 || strncmp(path, "nbd+unix://", 11) == 0;
}

#ifdef HAVE_LIBNBD
#include <libnbd.h>

struct image_nbd {
    char *path;
    u64 size;
    struct nbd_handle *handle; /* NULL: not connected */
};

static int why(const struct image_nbd *n, int status, struct cause *cause)
{
    const char *text = nbd_get_error();
    return cause_set(cause, status, "%s: %s", n->path, text ? text : "failed");
}

static void disconnect(struct image_nbd *n)
{
    nbd_close(n->handle);
    n->handle = NULL;
}

static bool connected(struct image_nbd *n)
{
    if (n->handle && (nbd_aio_is_dead(n->handle) || nbd_aio_is_closed(n->handle)))
        disconnect(n);
    if (n->handle)
        return true;
    n->handle = nbd_create();
    if (n->handle && nbd_connect_uri(n->handle, n->path) == 0)
        return true;
    disconnect(n);
    return false;
}

int image_nbd_open(const char *path, bool write, struct image_nbd **out, u64 *size,
                   struct cause *cause)
{
    struct image_nbd *n = calloc(1, sizeof *n);
    char *copy = strdup(path);
    if (!n || !copy) {
        free(n);
        free(copy);
        return cause_set(cause, ST_NOMEM, "%s: no memory", path);
    }
    n->path = copy;
    int rc = connected(n) ? ST_OK : why(n, ST_CONFIG, cause);
    int64_t bytes = rc ? 0 : nbd_get_size(n->handle);
    if (rc == ST_OK && bytes < 0)
        rc = why(n, ST_CONFIG, cause);
    if (rc == ST_OK && write && nbd_is_read_only(n->handle) == 1)
        rc = cause_set(cause, ST_PERM, "%s: the export is read-only", path);
    if (rc) {
        image_nbd_finish(n);
        return rc;
    }
    *size = n->size = (u64)bytes;
    *out = n;
    return ST_OK;
}

static int once(struct image_nbd *n, bool write, u64 at, void *buf, u32 len)
{
    if (!connected(n))
        return -1;
    return write ? nbd_pwrite(n->handle, buf, len, at, 0)
                 : nbd_pread(n->handle, buf, len, at, 0);
}

int image_nbd_move(struct image_nbd *n, bool write, u64 at, void *buf, u32 len,
                   struct cause *cause)
{
    if (at > n->size || len > n->size - at)
        return cause_set(cause, write ? ST_IO : ST_PROTO, "%s: ends at byte %llu", n->path,
                         (unsigned long long)n->size);
    if (once(n, write, at, buf, len) == 0)
        return ST_OK;
    bool broke = !n->handle || nbd_aio_is_dead(n->handle) || nbd_aio_is_closed(n->handle);
    if (broke && once(n, write, at, buf, len) == 0)
        return ST_OK;
    return why(n, ST_IO, cause);
}

int image_nbd_sync(struct image_nbd *n, struct cause *cause)
{
    if (!connected(n))
        return why(n, ST_IO, cause);
    if (nbd_can_flush(n->handle) != 1 || nbd_flush(n->handle, 0) == 0)
        return ST_OK;
    return why(n, ST_IO, cause);
}

void image_nbd_finish(struct image_nbd *n)
{
    if (n->handle)
        (void)nbd_shutdown(n->handle, 0); /* fails when the server went first */
    nbd_close(n->handle);
    free(n->path);
    free(n);
}

#else

int image_nbd_open(const char *path, bool write, struct image_nbd **out, u64 *size,
                   struct cause *cause)
{
    (void)write, (void)out, (void)size;
    return cause_set(cause, ST_CONFIG, "%s: built without libnbd", path);
}

int image_nbd_move(struct image_nbd *n, bool write, u64 at, void *buf, u32 len,
                   struct cause *cause)
{
    (void)n, (void)write, (void)at, (void)buf, (void)len;
    return cause_set(cause, ST_IO, "built without libnbd");
}

int image_nbd_sync(struct image_nbd *n, struct cause *cause)
{
    (void)n;
    return cause_set(cause, ST_IO, "built without libnbd");
}

void image_nbd_finish(struct image_nbd *n)
{
    (void)n;
}
#endif
