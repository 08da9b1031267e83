/* Network block devices (remote.h); without libnbd at build time they are refused. */
#include <stdlib.h>

#include "io/image/remote.h"

static bool nbd_named(const char *path)
{
    return strncmp(path, "nbd://", 6) == 0 || strncmp(path, "nbd+unix://", 11) == 0;
}

#ifdef HAVE_LIBNBD
#include <libnbd.h>

struct remote_nbd {
    struct remote remote;
    struct nbd_handle *handle; /* NULL: not connected */
};

static int why(const struct remote_nbd *n, int status, struct cause *cause)
{
    const char *text = nbd_get_error();
    return cause_set(cause, status, "%s: %s", n->remote.path, text ? text : "failed");
}

static void disconnect(struct remote_nbd *n)
{
    nbd_close(n->handle);
    n->handle = NULL;
}

static bool broke(const struct remote_nbd *n)
{
    return !n->handle || nbd_aio_is_dead(n->handle) || nbd_aio_is_closed(n->handle);
}

static bool connected(struct remote_nbd *n)
{
    if (n->handle && broke(n))
        disconnect(n);
    if (n->handle)
        return true;
    n->handle = nbd_create();
    if (n->handle && nbd_connect_uri(n->handle, n->remote.path) == 0)
        return true;
    disconnect(n);
    return false;
}

static void nbd_finish(struct remote *r)
{
    struct remote_nbd *n = (struct remote_nbd *)r;
    if (n->handle)
        (void)nbd_shutdown(n->handle, 0); /* fails when the server went first */
    nbd_close(n->handle);
    remote_free(n);
}

static int nbd_open(const char *path, bool write, struct remote **out, struct cause *cause)
{
    struct remote_nbd *n = remote_alloc(sizeof *n, &remote_nbd, path, cause);
    if (!n)
        return ST_NOMEM;
    int rc = connected(n) ? ST_OK : why(n, ST_CONFIG, cause);
    int64_t bytes = rc ? 0 : nbd_get_size(n->handle);
    if (rc == ST_OK && bytes < 0)
        rc = why(n, ST_CONFIG, cause);
    if (rc == ST_OK && write && nbd_is_read_only(n->handle) == 1)
        rc = cause_set(cause, ST_PERM, "%s: the export is read-only", path);
    if (rc) {
        nbd_finish(&n->remote);
        return rc;
    }
    n->remote.size = (u64)bytes;
    *out = &n->remote;
    return ST_OK;
}

static int once(struct remote_nbd *n, bool write, u64 at, void *buf, u32 len)
{
    if (!connected(n))
        return -1;
    return write ? nbd_pwrite(n->handle, buf, len, at, 0)
                 : nbd_pread(n->handle, buf, len, at, 0);
}

static int nbd_move(struct remote *r, bool write, u64 at, void *buf, u32 len,
                    struct cause *cause)
{
    struct remote_nbd *n = (struct remote_nbd *)r;
    if (once(n, write, at, buf, len) == 0)
        return ST_OK;
    if (broke(n) && once(n, write, at, buf, len) == 0)
        return ST_OK;
    return why(n, ST_IO, cause);
}

static int nbd_sync(struct remote *r, struct cause *cause)
{
    struct remote_nbd *n = (struct remote_nbd *)r;
    if (!connected(n))
        return why(n, ST_LOST, cause);
    if (nbd_can_flush(n->handle) != 1 || nbd_flush(n->handle, 0) == 0)
        return ST_OK;
    return why(n, broke(n) ? ST_LOST : ST_IO, cause);
}

const struct remote_ops remote_nbd = {nbd_named, nbd_open, nbd_move, nbd_sync, nbd_finish};

#else

static int nbd_open(const char *path, bool write, struct remote **out, struct cause *cause)
{
    (void)write, (void)out;
    return cause_set(cause, ST_CONFIG, "%s: built without libnbd", path);
}

const struct remote_ops remote_nbd = {.named = nbd_named, .open = nbd_open};
#endif
