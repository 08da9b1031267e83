/* A double of librados and librbd for tests/scenario/rbd.sh, whose images are files:
 * $RBD_DOUBLE/POOL, and in a namespace POOL.SPACE, has them. It has the functions that
 * io/image/rbd.c uses, and refuses what the real ones refuse: an unknown user, option, pool or
 * image, writes when opened for reading. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pool {
    char name[256];
};

struct image {
    int fd, writable;
};

int rados_create(void **cluster, const char *id)
{
    *cluster = strdup(id ? id : "admin");
    return *cluster ? 0 : -ENOMEM;
}

int rados_conf_read_file(void *cluster, const char *path)
{
    (void)cluster;
    return path && access(path, R_OK) ? -errno : 0;
}

int rados_conf_set(void *cluster, const char *name, const char *value)
{
    (void)cluster, (void)value;
    return strstr(name, "timeout") || strcmp(name, "mon_host") == 0 ? 0 : -ENOENT;
}

int rados_connect(void *cluster)
{
    return strcmp(cluster, "admin") ? -EACCES : 0;
}

void rados_shutdown(void *cluster)
{
    free(cluster);
}

static int path_of(char *out, size_t room, const struct pool *p, const char *image)
{
    const char *folder = getenv("RBD_DOUBLE");
    return snprintf(out, room, "%s/%s/%s", folder ? folder : ".", p->name, image ? image : "");
}

int rados_ioctx_create(void *cluster, const char *name, void **pool)
{
    char path[1024];
    struct pool *p = calloc(1, sizeof *p);
    (void)cluster;
    snprintf(p->name, sizeof p->name, "%s", name);
    path_of(path, sizeof path, p, NULL);
    *pool = p;
    return access(path, X_OK) ? -ENOENT : 0;
}

void rados_ioctx_set_namespace(void *pool, const char *name)
{
    struct pool *p = pool;
    size_t len = strlen(p->name);
    snprintf(p->name + len, sizeof p->name - len, ".%s", name);
}

void rados_ioctx_destroy(void *pool)
{
    free(pool);
}

static int open_as(void *pool, const char *name, void **image, const char *snapshot, int writable)
{
    char path[1024], full[256];
    struct image *i = calloc(1, sizeof *i);
    snprintf(full, sizeof full, "%s%s%s", name, snapshot ? "@" : "", snapshot ? snapshot : "");
    path_of(path, sizeof path, pool, full);
    i->writable = writable;
    i->fd = open(path, writable ? O_RDWR : O_RDONLY);
    *image = i;
    if (i->fd >= 0)
        return 0;
    free(i);
    return -errno;
}

int rbd_open(void *pool, const char *name, void **image, const char *snapshot)
{
    return open_as(pool, name, image, snapshot, 1);
}

int rbd_open_read_only(void *pool, const char *name, void **image, const char *snapshot)
{
    return open_as(pool, name, image, snapshot, 0);
}

int rbd_close(void *image)
{
    close(((struct image *)image)->fd);
    free(image);
    return 0;
}

int rbd_get_size(void *image, uint64_t *size)
{
    struct stat sb;
    if (fstat(((struct image *)image)->fd, &sb))
        return -errno;
    *size = (uint64_t)sb.st_size;
    return 0;
}

ssize_t rbd_read(void *image, uint64_t at, size_t len, char *buf)
{
    ssize_t n = pread(((struct image *)image)->fd, buf, len, (off_t)at);
    return n < 0 ? -errno : n;
}

ssize_t rbd_write(void *image, uint64_t at, size_t len, const char *buf)
{
    struct image *i = image;
    ssize_t n = i->writable ? pwrite(i->fd, buf, len, (off_t)at) : -1;
    return n < 0 ? (i->writable ? -errno : -EROFS) : n;
}

int rbd_flush(void *image)
{
    return fdatasync(((struct image *)image)->fd) ? -errno : 0;
}
