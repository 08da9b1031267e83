/* Images that are no files of this host: what image_file.c reads and writes when a path names one.
 * Each kind has a table of functions: nbd.c (nbd://HOST/EXPORT, nbd+unix:///EXPORT?socket=PATH, by
 * libnbd), rbd.c (rbd:POOL/IMAGE, by librbd). Locks are the other side's matter: it has to keep a
 * second writer away. Threads: one at a time for a `struct remote`, unless it is `parallel`. */
#ifndef ENDICOTT_IO_IMAGE_REMOTE_H
#define ENDICOTT_IO_IMAGE_REMOTE_H

#include "mem/base/bytes.h"
#include "mem/base/status.h"

struct remote;

/** What a kind can do. A connection that broke is made anew by the next request. */
struct remote_ops {
    bool (*named)(const char *path);
    /** ST_CONFIG with cause: no connection, or built without the library; ST_PERM: read-only. */
    int (*open)(const char *path, bool write, struct remote **out, struct cause *cause);
    int (*move)(struct remote *r, bool write, u64 at, void *buf, u32 len, struct cause *cause);
    /** ST_IO: it failed over there, writes may be lost. ST_LOST: nobody answers. */
    int (*sync)(struct remote *r, struct cause *cause);
    void (*finish)(struct remote *r);
};

/** The beginning of each kind's own. */
struct remote {
    const struct remote_ops *ops;
    char *path;
    u64 size;
    bool parallel; /* several threads at a time; `sync` is for what was done when it began */
};

extern const struct remote_ops remote_nbd, remote_rbd;

bool remote_named(const char *path);
/** As the kind's open; *size gets the size, which does not change. */
int remote_open(const char *path, bool write, struct remote **out, u64 *size,
                struct cause *cause);
/** ST_PROTO or ST_IO behind the end. */
int remote_move(struct remote *r, bool write, u64 at, void *buf, u32 len, struct cause *cause);
int remote_sync(struct remote *r, struct cause *cause);
void remote_finish(struct remote *r);

/** For the kinds: `bytes` zeroed, with ops and path; NULL with cause. */
void *remote_alloc(size_t bytes, const struct remote_ops *ops, const char *path,
                   struct cause *cause);
void remote_free(void *r);

#endif
