/* Images of a Ceph cluster (remote.h): rbd:POOL/IMAGE, rbd:POOL/NAMESPACE/IMAGE, with @SNAPSHOT
 * behind them, and then options as QEMU writes them: :id=USER, :conf=FILE, or any of Ceph's own,
 * :NAME=VALUE. librbd and librados are loaded when a path is of this kind: they are large, most
 * machines have no use for them, and where they are not such paths are refused. */
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

#include "io/image/remote.h"

#define NAME_BYTES 128u

/* Every function that is used: the library that has it, what it returns, its name and arguments, as
 * rados/librados.h and rbd/librbd.h declare them (a cluster, a pool and an image are pointers). */
#define FUNCTIONS(F)                                                                           \
    F(rados, int, rados_create, (void **cluster, const char *id))                              \
    F(rados, int, rados_conf_read_file, (void *cluster, const char *path))                     \
    F(rados, int, rados_conf_set, (void *cluster, const char *name, const char *value))        \
    F(rados, int, rados_connect, (void *cluster))                                              \
    F(rados, void, rados_shutdown, (void *cluster))                                            \
    F(rados, int, rados_ioctx_create, (void *cluster, const char *name, void **pool))          \
    F(rados, void, rados_ioctx_set_namespace, (void *pool, const char *name))                  \
    F(rados, void, rados_ioctx_destroy, (void *pool))                                          \
    F(rbd, int, rbd_open, (void *pool, const char *name, void **image, const char *snapshot))  \
    F(rbd, int, rbd_open_read_only,                                                            \
      (void *pool, const char *name, void **image, const char *snapshot))                      \
    F(rbd, int, rbd_close, (void *image))                                                      \
    F(rbd, int, rbd_get_size, (void *image, uint64_t *size))                                   \
    F(rbd, ssize_t, rbd_read, (void *image, uint64_t at, size_t len, char *buf))               \
    F(rbd, ssize_t, rbd_write, (void *image, uint64_t at, size_t len, const char *buf))        \
    F(rbd, int, rbd_flush, (void *image))

struct library {
    void *rados, *rbd;
#define MEMBER(from, type, name, arguments) type(*name) arguments;
    FUNCTIONS(MEMBER)
#undef MEMBER
};

/** What a path names. */
struct place {
    char pool[NAME_BYTES], space[NAME_BYTES], image[NAME_BYTES], snapshot[NAME_BYTES];
    char user[NAME_BYTES], conf[4096];
};

struct remote_rbd {
    struct remote remote;
    struct library lib;
    struct place place;
    void *cluster, *pool, *image;
    bool connected, pooled, opened;
};

static bool rbd_named(const char *path)
{
    return strncmp(path, "rbd:", 4) == 0;
}

/* ---- paths ---- */

/* The text up to one of `ends`, at most `room` - 1 bytes; behind it. NULL: empty or too long. */
static const char *field(const char *from, const char *ends, char *out, size_t room)
{
    size_t len = strcspn(from, ends);
    if (!len || len >= room)
        return NULL;
    memcpy(out, from, len);
    out[len] = 0;
    return from + len;
}

static const char *place_parse(const char *path, struct place *p)
{
    const char *at = field(path + 4, "/:@", p->pool, sizeof p->pool);
    if (!at || *at != '/')
        return NULL;
    at = field(at + 1, "/:@", p->image, sizeof p->image);
    if (at && *at == '/') {
        memcpy(p->space, p->image, sizeof p->space);
        at = field(at + 1, "/:@", p->image, sizeof p->image);
    }
    if (at && *at == '@')
        at = field(at + 1, ":", p->snapshot, sizeof p->snapshot);
    return at && (!*at || *at == ':') ? at : NULL;
}

/* The options behind it: ours go into `p`, all others to the cluster's configuration. */
static int options(struct remote_rbd *n, const char *at, bool ours, struct cause *cause)
{
    while (*at == ':') {
        char name[NAME_BYTES], value[sizeof n->place.conf];
        at = field(at + 1, "=:", name, sizeof name);
        if (!at || *at != '=' || !(at = field(at + 1, ":", value, sizeof value)))
            return cause_set(cause, ST_CONFIG, "%s: an option is not NAME=VALUE",
                             n->remote.path);
        bool id = !strcmp(name, "id"), conf = !strcmp(name, "conf");
        if (ours && id && strlen(value) < sizeof n->place.user)
            strcpy(n->place.user, value);
        if (ours && conf)
            strcpy(n->place.conf, value);
        if (!ours && !id && !conf && n->lib.rados_conf_set(n->cluster, name, value) < 0)
            return cause_set(cause, ST_CONFIG, "%s: the cluster has no option %s=%s",
                             n->remote.path, name, value);
    }
    return ST_OK;
}

/* ---- the libraries ---- */

static int library_load(struct remote_rbd *n, struct cause *cause)
{
    struct library *lib = &n->lib;
    lib->rados = dlopen("librados.so.2", RTLD_NOW);
    lib->rbd = lib->rados ? dlopen("librbd.so.1", RTLD_NOW) : NULL;
    if (!lib->rbd)
        return cause_set(cause, ST_CONFIG, "%s: %s", n->remote.path, dlerror());
#define LOAD(from, type, name, arguments)                                                      \
    if (!(lib->name = (type(*) arguments)dlsym(lib->from, #name)))                             \
        return cause_set(cause, ST_CONFIG, "%s: %s", n->remote.path, dlerror());
    FUNCTIONS(LOAD)
#undef LOAD
    return ST_OK;
}

static int failed(const struct remote_rbd *n, int status, const char *what, int rc,
                  struct cause *cause)
{
    return cause_set(cause, status, "%s: %s: %s", n->remote.path, what, strerror(-rc));
}

/* ---- connections ---- */

static void rbd_finish(struct remote *r)
{
    struct remote_rbd *n = (struct remote_rbd *)r;
    if (n->opened)
        n->lib.rbd_close(n->image);
    if (n->pooled)
        n->lib.rados_ioctx_destroy(n->pool);
    if (n->connected)
        n->lib.rados_shutdown(n->cluster);
    if (n->lib.rbd)
        dlclose(n->lib.rbd);
    if (n->lib.rados)
        dlclose(n->lib.rados);
    remote_free(n);
}

/* Nothing waits for ever: a cluster that does not answer is an error. */
static const char *const limits[][2] = {{"client_mount_timeout", "10"},
                                        {"rados_mon_op_timeout", "10"},
                                        {"rados_osd_op_timeout", "30"}};

static int cluster_connect(struct remote_rbd *n, const char *given, struct cause *cause)
{
    const struct place *p = &n->place;
    int rc = n->lib.rados_create(&n->cluster, p->user[0] ? p->user : NULL);
    if (rc < 0)
        return failed(n, ST_CONFIG, "the cluster", rc, cause);
    n->connected = true; /* to be shut down */
    rc = n->lib.rados_conf_read_file(n->cluster, p->conf[0] ? p->conf : NULL);
    if (rc < 0)
        return failed(n, ST_CONFIG, "the configuration of the cluster", rc, cause);
    for (size_t i = 0; i < ARRAY_LEN(limits); i++)
        n->lib.rados_conf_set(n->cluster, limits[i][0], limits[i][1]);
    rc = options(n, given, false, cause);
    if (rc)
        return rc;
    rc = n->lib.rados_connect(n->cluster);
    return rc < 0 ? failed(n, ST_CONFIG, "the cluster cannot be reached", rc, cause) : ST_OK;
}

static int image_open_in(struct remote_rbd *n, bool write, struct cause *cause)
{
    const struct place *p = &n->place;
    const char *snapshot = p->snapshot[0] ? p->snapshot : NULL;
    int rc = n->lib.rados_ioctx_create(n->cluster, p->pool, &n->pool);
    if (rc < 0)
        return failed(n, ST_CONFIG, "the pool", rc, cause);
    n->pooled = true;
    if (p->space[0])
        n->lib.rados_ioctx_set_namespace(n->pool, p->space);
    if (write && snapshot)
        return cause_set(cause, ST_PERM, "%s: a snapshot is read-only", n->remote.path);
    rc = write ? n->lib.rbd_open(n->pool, p->image, &n->image, NULL)
               : n->lib.rbd_open_read_only(n->pool, p->image, &n->image, snapshot);
    if (rc < 0)
        return failed(n, rc == -EROFS ? ST_PERM : ST_CONFIG, "the image", rc, cause);
    n->opened = true;
    uint64_t size = 0;
    rc = n->lib.rbd_get_size(n->image, &size);
    n->remote.size = size;
    return rc < 0 ? failed(n, ST_CONFIG, "the size", rc, cause) : ST_OK;
}

static int rbd_open_path(const char *path, bool write, struct remote **out, struct cause *cause)
{
    struct remote_rbd *n = remote_alloc(sizeof *n, &remote_rbd, path, cause);
    if (!n)
        return ST_NOMEM;
    const char *given = place_parse(path, &n->place);
    int rc = given ? options(n, given, true, cause)
                   : cause_set(cause, ST_CONFIG, "%s: not rbd:POOL/IMAGE", path);
    if (rc == ST_OK)
        rc = library_load(n, cause);
    if (rc == ST_OK)
        rc = cluster_connect(n, given, cause);
    if (rc == ST_OK)
        rc = image_open_in(n, write, cause);
    if (rc) {
        rbd_finish(&n->remote);
        return rc;
    }
    *out = &n->remote;
    return ST_OK;
}

static int rbd_move(struct remote *r, bool write, u64 at, void *buf, u32 len,
                    struct cause *cause)
{
    struct remote_rbd *n = (struct remote_rbd *)r;
    ssize_t done = write ? n->lib.rbd_write(n->image, at, len, buf)
                         : n->lib.rbd_read(n->image, at, len, buf);
    if (done == (ssize_t)len)
        return ST_OK;
    return failed(n, ST_IO, write ? "writing" : "reading", done < 0 ? (int)done : -EIO, cause);
}

static int rbd_sync(struct remote *r, struct cause *cause)
{
    struct remote_rbd *n = (struct remote_rbd *)r;
    int rc = n->lib.rbd_flush(n->image);
    int status = rc == -ETIMEDOUT ? ST_LOST : ST_IO;
    return rc < 0 && rc != -EROFS ? failed(n, status, "flushing", rc, cause) : ST_OK;
}

const struct remote_ops remote_rbd = {rbd_named, rbd_open_path, rbd_move, rbd_sync, rbd_finish};
