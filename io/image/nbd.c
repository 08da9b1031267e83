/* Network block devices (remote.h). A server that says that its connections see one state of the
 * export (NBD_FLAG_CAN_MULTI_CONN: a flush on one of them is for what was answered on all) gets
 * several, each made when it is first needed; one that takes no more of them is used by the first.
 * Requests that overlap are the caller's to order, as with a file.
 * [N1] What was answered and not flushed is kept. When a connection ended and there is one again,
 * it is written again before anything else is asked: who is there may not have it. Who writes waits
 * for that, so nothing newer is overwritten; reads under way see the newest bytes. */
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "io/image/remote.h"
#include "io/image/unflushed.h"
#include "mem/base/libnbd.h"
#include "mem/base/lock.h"

#define CONNECTIONS_MAX 4u
#define FURTHER_MS 3000 /* for a further connection; some servers do not refuse, but leave it */

struct connection {
    const struct libnbd *lib;  /* that of its struct remote_nbd */
    struct lock lock;          /* held while a request is under way */
    atomic_uint users;         /* that have it or wait for it */
    struct nbd_handle *handle; /* NULL: not connected */
};

struct remote_nbd {
    struct remote remote;
    struct libnbd lib;
    atomic_uint usable; /* connections, from the first on */
    bool flushes;       /* the server has flushes; else what it answered is taken to be there */
    struct lock lock;   /* for what is below */
    struct unflushed unflushed;
    atomic_bool stale; /* a connection ended since they were sent: [N1] */
    bool lost;         /* a flush failed over there */
    struct connection conn[CONNECTIONS_MAX];
};

struct request {
    enum { NBD_READ, NBD_WRITE, NBD_FLUSH } kind;
    u64 at;
    void *buf;
    u32 len;
};

static int why(const struct remote_nbd *n, int status, struct cause *cause)
{
    const char *text = n->lib.nbd_get_error();
    return cause_set(cause, status, "%s: %s", n->remote.path, text ? text : "failed");
}

static void disconnect(struct connection *c)
{
    if (c->handle)
        c->lib->nbd_close(c->handle);
    c->handle = NULL;
}

static bool broke(const struct connection *c)
{
    return !c->handle || c->lib->nbd_aio_is_dead(c->handle) ||
           c->lib->nbd_aio_is_closed(c->handle);
}

static u64 now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * 1000 + (u64)now.tv_nsec / 1000000;
}

static int connect_in_time(const struct connection *c, const char *path)
{
    u64 end = now_ms() + FURTHER_MS;
    const struct libnbd *lib = c->lib;
    int rc = lib->nbd_aio_connect_uri(c->handle, path);
    while (rc == 0 && lib->nbd_aio_is_connecting(c->handle)) {
        u64 now = now_ms();
        rc = now < end && lib->nbd_poll(c->handle, (int)(end - now)) >= 0 ? 0 : -1;
    }
    return rc == 0 && lib->nbd_aio_is_ready(c->handle) ? 0 : -1;
}

static int write_again(void *arg, u64 at, const u8 *buf, u32 len)
{
    struct connection *c = arg;
    return c->lib->nbd_pwrite(c->handle, buf, len, at, 0);
}

/** [N1] */
static int catch_up(struct remote_nbd *n, struct connection *c, int status, struct cause *cause)
{
    lock_take(&n->lock);
    bool failed = atomic_load(&n->stale) && unflushed_each(&n->unflushed, write_again, c);
    if (!failed)
        atomic_store(&n->stale, false);
    lock_drop(&n->lock);
    return failed ? why(n, status, cause) : ST_OK;
}

/** A server in place of the other has to allow what that one did. */
static int suits(const struct remote_nbd *n, const struct connection *c, int status,
                 struct cause *cause)
{
    int64_t bytes = n->lib.nbd_get_size(c->handle);
    if (n->remote.parallel && n->lib.nbd_can_multi_conn(c->handle) != 1)
        return cause_set(cause, status, "%s: another server, not for several connections",
                         n->remote.path);
    if (bytes < 0 || (u64)bytes < n->remote.size)
        return cause_set(cause, status, "%s: another server, whose export is smaller",
                         n->remote.path);
    return ST_OK;
}

static int connect_anew(struct remote_nbd *n, struct connection *c, int status,
                        struct cause *cause)
{
    c->handle = libnbd_handle(&n->lib);
    int rc = !c->handle         ? -1
             : c == &n->conn[0] ? n->lib.nbd_connect_uri(c->handle, n->remote.path)
                                : connect_in_time(c, n->remote.path);
    rc = rc ? why(n, status, cause) : suits(n, c, status, cause);
    if (rc)
        disconnect(c);
    return rc;
}

/** `status` when it cannot be. */
static int connected(struct remote_nbd *n, struct connection *c, int status,
                     struct cause *cause)
{
    if (c->handle && broke(c)) {
        disconnect(c);
        atomic_store(&n->stale, true);
    }
    int rc = c->handle ? ST_OK : connect_anew(n, c, status, cause);
    if (rc == ST_OK && atomic_load(&n->stale))
        rc = catch_up(n, c, status, cause);
    return rc;
}

static struct connection *take_this(struct connection *c)
{
    atomic_fetch_add(&c->users, 1);
    lock_take(&c->lock);
    return c;
}

/** The connection that has the fewest users, locked. */
static struct connection *take(struct remote_nbd *n)
{
    struct connection *best = &n->conn[0];
    for (unsigned i = 1; i < atomic_load(&n->usable); i++)
        if (atomic_load(&n->conn[i].users) < atomic_load(&best->users))
            best = &n->conn[i];
    return take_this(best);
}

static void nbd_finish(struct remote *r)
{
    struct remote_nbd *n = (struct remote_nbd *)r;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *c = &n->conn[i];
        if (c->handle)
            (void)n->lib.nbd_shutdown(c->handle, 0); /* fails when the server went first */
        disconnect(c);
        lock_fini(&c->lock);
    }
    unflushed_free(&n->unflushed);
    lock_fini(&n->lock);
    remote_free(n);
}

static int nbd_open(const char *path, bool write, struct remote **out, struct cause *cause)
{
    struct remote_nbd *n = remote_alloc(sizeof *n, &remote_nbd, path, cause);
    if (!n)
        return ST_NOMEM;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        n->conn[i].lib = &n->lib;
        lock_init(&n->conn[i].lock, LOCK_CONNECTION);
    }
    lock_init(&n->lock, LOCK_UNFLUSHED);
    struct connection *first = &n->conn[0];
    struct cause what;
    int rc = libnbd_load(&n->lib, &what);
    if (rc)
        cause_set(cause, rc, "%s: %s", n->remote.path, what.text);
    else
        rc = connected(n, first, ST_CONFIG, cause);
    int64_t bytes = rc ? 0 : n->lib.nbd_get_size(first->handle);
    if (rc == ST_OK && bytes < 0)
        rc = why(n, ST_CONFIG, cause);
    if (rc == ST_OK && write && n->lib.nbd_is_read_only(first->handle) == 1)
        rc = cause_set(cause, ST_PERM, "%s: the export is read-only", path);
    if (rc) {
        nbd_finish(&n->remote);
        return rc;
    }
    n->remote.size = (u64)bytes;
    n->flushes = n->lib.nbd_can_flush(first->handle) == 1;
    n->remote.parallel = n->lib.nbd_can_multi_conn(first->handle) == 1;
    atomic_store(&n->usable, n->remote.parallel ? CONNECTIONS_MAX : 1);
    *out = &n->remote;
    return ST_OK;
}

static int once(struct remote_nbd *n, struct connection *c, const struct request *q,
                struct cause *cause)
{
    int rc = connected(n, c, q->kind == NBD_FLUSH ? ST_LOST : ST_IO, cause);
    if (rc)
        return rc;
    switch (q->kind) {
    case NBD_READ: rc = n->lib.nbd_pread(c->handle, q->buf, q->len, q->at, 0); break;
    case NBD_WRITE: rc = n->lib.nbd_pwrite(c->handle, q->buf, q->len, q->at, 0); break;
    case NBD_FLUSH: rc = n->lib.nbd_flush(c->handle, 0);
    }
    if (rc == 0)
        return ST_OK;
    return why(n, q->kind == NBD_FLUSH && broke(c) ? ST_LOST : ST_IO, cause);
}

/** A request that the end of its connection cut off is done again, behind what was not flushed.
 *  Gives `c` back. *made: there was a connection. */
static int perform(struct remote_nbd *n, struct connection *c, const struct request *q,
                   bool *made, struct cause *cause)
{
    int rc = once(n, c, q, cause);
    if (rc && broke(c))
        rc = once(n, c, q, cause);
    *made = c->handle != NULL;
    lock_drop(&c->lock);
    atomic_fetch_sub(&c->users, 1);
    return rc;
}

static int request(struct remote *r, const struct request *q, struct cause *cause)
{
    struct remote_nbd *n = (struct remote_nbd *)r;
    struct connection *c = take(n), *first = &n->conn[0];
    bool made, ignored;
    int rc = perform(n, c, q, &made, cause);
    if (rc == ST_OK || made || c == first)
        return rc;
    rc = perform(n, take_this(first), q, &ignored, cause);
    if (rc == ST_OK) /* it is there, and does not want as many */
        atomic_store(&n->usable, (unsigned)(c - first));
    return rc;
}

static int nbd_sync(struct remote *r, struct cause *cause)
{
    struct remote_nbd *n = (struct remote_nbd *)r;
    if (!n->flushes)
        return ST_OK;
    lock_take(&n->lock);
    u64 mark = n->unflushed.answered;
    bool lost = n->lost;
    lock_drop(&n->lock);
    if (lost)
        return cause_set(cause, ST_IO, "%s: a flush failed before", r->path);
    int rc = request(r, &(struct request){.kind = NBD_FLUSH}, cause);
    lock_take(&n->lock);
    n->lost |= rc == ST_IO;
    if (rc == ST_OK)
        unflushed_done(&n->unflushed, mark);
    lock_drop(&n->lock);
    return rc;
}

/** [N1] */
static int nbd_write(struct remote_nbd *n, const struct request *q, struct cause *cause)
{
    lock_take(&n->lock);
    u64 number = unflushed_put(&n->unflushed, q->at, q->buf, q->len);
    lock_drop(&n->lock);
    if (!number)
        return cause_set(cause, ST_IO, "%s: no memory", n->remote.path);
    int rc = request(&n->remote, q, cause);
    lock_take(&n->lock);
    unflushed_answered(&n->unflushed, q->at, q->len, number, rc == ST_OK);
    bool full = n->unflushed.bytes > UNFLUSHED_BYTES_MAX;
    lock_drop(&n->lock);
    return rc == ST_OK && full ? nbd_sync(&n->remote, cause) : rc;
}

static int nbd_move(struct remote *r, bool write, u64 at, void *buf, u32 len,
                    struct cause *cause)
{
    struct remote_nbd *n = (struct remote_nbd *)r;
    const struct request q = {write ? NBD_WRITE : NBD_READ, at, buf, len};
    return write && n->flushes ? nbd_write(n, &q, cause) : request(r, &q, cause);
}

const struct remote_ops remote_nbd = {libnbd_named, nbd_open, nbd_move, nbd_sync, nbd_finish};
