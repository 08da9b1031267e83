/* The kinds of images that are no files of this host (remote.h), and what they have in common. */
#include "io/image/remote.h"

#include <stdlib.h>

static const struct remote_ops *const kinds[] = {&remote_nbd, &remote_rbd};

static const struct remote_ops *kind_of(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i]->named(path))
            return kinds[i];
    return NULL;
}

bool remote_named(const char *path)
{
    return kind_of(path) != NULL;
}

int remote_open(const char *path, bool write, struct remote **out, u64 *size,
                struct cause *cause)
{
    int rc = kind_of(path)->open(path, write, out, cause);
    if (rc == ST_OK)
        *size = (*out)->size;
    return rc;
}

int remote_move(struct remote *r, bool write, u64 at, void *buf, u32 len, struct cause *cause)
{
    if (at > r->size || len > r->size - at)
        return cause_set(cause, write ? ST_IO : ST_PROTO, "%s: ends at byte %llu", r->path,
                         (unsigned long long)r->size);
    return r->ops->move(r, write, at, buf, len, cause);
}

int remote_sync(struct remote *r, struct cause *cause)
{
    return r->ops->sync(r, cause);
}

void remote_finish(struct remote *r)
{
    r->ops->finish(r);
}

void *remote_alloc(size_t bytes, const struct remote_ops *ops, const char *path,
                   struct cause *cause)
{
    struct remote *r = calloc(1, bytes);
    char *copy = strdup(path);
    if (!r || !copy) {
        free(r);
        free(copy);
        cause_set(cause, ST_NOMEM, "%s: no memory", path);
        return NULL;
    }
    r->ops = ops;
    r->path = copy;
    return r;
}

void remote_free(void *r)
{
    if (r)
        free(((struct remote *)r)->path);
    free(r);
}
