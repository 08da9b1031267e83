/* Files of the host behind an image: whole reads and writes, and the lock that keeps a second
 * writer away (an open-file-description lock, so it goes with the process). */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io/image/hold_file.h"
#include "io/image/image_internal.h"

#define RANGES_AT (1ll << 48) /* locks of extents lie behind every file's end */
#define HOLDS_AT (1ll << 49)  /* and those of reservations behind them */
#define WANTS_AT (1ll << 50)  /* and of who waits for one */
#define TAKES_AT (1ll << 51)  /* and of who takes one from another */

static int set_lock(int fd, const struct flock *lock, const char *path, struct cause *cause)
{
    if (fcntl(fd, F_OFD_SETLK, lock) == 0)
        return ST_OK;
    if (errno == EAGAIN || errno == EACCES)
        return cause_set(cause, ST_BUSY, "%s: in use%s", path,
                         lock->l_type == F_WRLCK ? "" : " by a writer");
    return cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
}

/** All that is or may be in the file and its extents, or its first byte when extents are locked one
 *  by one. */
static int file_lock(int fd, const struct image *img, const char *path, struct cause *cause)
{
    bool shared = img->flags & (IMAGE_READ_ONLY | IMAGE_RANGES);
    const struct flock lock = {.l_type = shared ? F_RDLCK : F_WRLCK,
                               .l_whence = SEEK_SET,
                               .l_len = img->flags & IMAGE_RANGES ? 1 : HOLDS_AT};
    return img->flags & IMAGE_NO_LOCK ? ST_OK : set_lock(fd, &lock, path, cause);
}

static struct flock extent_lock(off_t base, u64 first, u64 count, short type)
{
    return (struct flock){.l_type = type,
                          .l_whence = SEEK_SET,
                          .l_start = base + (off_t)first,
                          .l_len = (off_t)count};
}

int image_range_lock(struct image *img, u64 first, u64 count, enum image_range how,
                     struct cause *cause)
{
    static const short type[] = {[IMAGE_RANGE_FREE] = F_UNLCK,
                                 [IMAGE_RANGE_SHARED] = F_RDLCK,
                                 [IMAGE_RANGE_ALONE] = F_WRLCK};
    const struct flock lock = extent_lock(RANGES_AT, first, count, type[how]);
    if (img->file[0].remote)
        return ST_OK;
    return set_lock(img->file[0].fd, &lock, img->path, cause);
}

u64 image_range_behind(struct image *img, u64 first, u64 count)
{
    struct flock lock = extent_lock(RANGES_AT, first, count, F_WRLCK);
    if (img->file[0].remote || fcntl(img->file[0].fd, F_OFD_GETLK, &lock) ||
        lock.l_type == F_UNLCK)
        return first;
    off_t behind = lock.l_start + lock.l_len - RANGES_AT;
    return lock.l_len == 0 ? UINT64_MAX : behind > 0 ? (u64)behind : first;
}

int hold_file_open(const char *path)
{
    const char *last = path;
    for (const char *next; (next = strstr(last, IMAGE_LAYER_MARK)) != NULL;)
        last = next + sizeof IMAGE_LAYER_MARK - 1;
    if (remote_named(last))
        return -1;
    int fd = open(last, O_RDWR | O_CLOEXEC);
    return fd < 0 ? open(last, O_RDONLY | O_CLOEXEC) : fd;
}

void hold_file_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

bool hold_file_lock(int fd, u64 first, u64 count, enum hold_file how)
{
    static const short type[] = {
        [HOLD_FILE_FREE] = F_UNLCK, [HOLD_FILE_SHARED] = F_RDLCK, [HOLD_FILE_ALONE] = F_WRLCK};
    const struct flock lock = extent_lock(HOLDS_AT, first, count, type[how]);
    return fcntl(fd, F_OFD_SETLK, &lock) == 0 || errno == EBADF; /* read-only: shared at most */
}

static bool lock_is_free(int fd, struct flock lock)
{
    return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK;
}

bool hold_file_may(int fd, u64 first, u64 count, enum hold_file how)
{
    short type = how == HOLD_FILE_ALONE ? F_WRLCK : F_RDLCK;
    return lock_is_free(fd, extent_lock(HOLDS_AT, first, count, type));
}

/** Another one who says the same says it as well. */
static void say(int fd, off_t what, u64 first, u64 count, bool on)
{
    const struct flock lock = extent_lock(what, first, count, on ? F_WRLCK : F_UNLCK);
    (void)fcntl(fd, F_OFD_SETLK, &lock);
}

void hold_file_want(int fd, u64 first, u64 count, bool on)
{
    say(fd, WANTS_AT, first, count, on);
}

bool hold_file_wanted(int fd, u64 first, u64 count)
{
    return !lock_is_free(fd, extent_lock(WANTS_AT, first, count, F_RDLCK));
}

void hold_file_take(int fd, u64 first, u64 count, bool on)
{
    say(fd, TAKES_AT, first, count, on);
}

bool hold_file_taken(int fd, u64 first, u64 count)
{
    return !lock_is_free(fd, extent_lock(TAKES_AT, first, count, F_RDLCK));
}

static int open_remote(struct image *img, const char *path, struct cause *cause)
{
    struct image_file f = {.fd = -1};
    int rc = remote_open(path, !(img->flags & IMAGE_READ_ONLY), &f.remote, &f.size, cause);
    if (rc == ST_OK)
        img->file[img->files++] = f;
    return rc;
}

int image_file_open(struct image *img, const char *path, struct cause *cause)
{
    bool write = !(img->flags & IMAGE_READ_ONLY);
    struct stat sb;
    if (img->files == IMAGE_FILES_MAX)
        return cause_set(cause, ST_LIMIT, "%s: over %u files", path, IMAGE_FILES_MAX);
    if (remote_named(path))
        return open_remote(img, path, cause);
    int fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0)
        return cause_set(cause, errno == EACCES || errno == EROFS ? ST_PERM : ST_CONFIG,
                         "%s: %s", path, strerror(errno));
    int rc = ST_OK;
    if (fstat(fd, &sb))
        rc = cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(sb.st_mode) && !S_ISBLK(sb.st_mode))
        rc = cause_set(cause, ST_CONFIG, "%s: not a file", path);
    else
        rc = file_lock(fd, img, path, cause);
    if (rc) {
        close(fd);
        return rc;
    }
    u64 size = S_ISBLK(sb.st_mode) ? (u64)lseek(fd, 0, SEEK_END) : (u64)sb.st_size;
    img->file[img->files++] = (struct image_file){fd, size, NULL};
    return ST_OK;
}

int image_pread(struct image *img, u32 file, u64 at, void *buf, u32 len, struct cause *cause)
{
    u32 done = 0;
    if (img->file[file].remote)
        return remote_move(img->file[file].remote, false, at, buf, len, cause);
    while (done < len) {
        ssize_t n = pread(img->file[file].fd, (u8 *)buf + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cause_set(cause, ST_IO, "%s: %s", img->path, strerror(errno));
        if (n == 0)
            return cause_set(cause, ST_PROTO, "%s: ends at byte %llu, %u bytes too early",
                             img->path, (unsigned long long)(at + done), len - done);
        done += (u32)n;
    }
    return ST_OK;
}

bool image_try_pread(const struct image *img, u32 file, u64 at, void *buf, u32 len)
{
    const struct iovec to = {buf, len};
    const struct image_file *f = &img->file[file];
    return !f->remote && preadv2(f->fd, &to, 1, (off_t)at, RWF_NOWAIT) == (ssize_t)len;
}

static int write_all(const struct image *img, u32 file, u64 at, const u8 *buf, u32 len,
                     struct cause *cause)
{
    for (u32 done = 0; done < len;) {
        ssize_t n = pwrite(img->file[file].fd, buf + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return cause_set(cause, ST_IO, "%s: %s", img->path,
                             n ? strerror(errno) : "no room");
        done += (u32)n;
    }
    return ST_OK;
}

static int put(const struct image *img, u32 file, u64 at, const void *buf, u32 len,
               struct cause *cause)
{
    struct remote *remote = img->file[file].remote;
    return remote ? remote_move(remote, true, at, (void *)(uintptr_t)buf, len, cause)
                  : write_all(img, file, at, buf, len, cause);
}

/* Afterwards: a flush that began before has perhaps not had it. */
static int was_put(struct image *img, u32 file, u64 end, int rc)
{
    atomic_store(&img->unsynced, true);
    if (rc == ST_OK && !img->file[file].remote && end > img->file[file].size)
        img->file[file].size = end;
    return rc;
}

int image_pwrite(struct image *img, u32 file, u64 at, const void *buf, u32 len,
                 struct cause *cause)
{
    return was_put(img, file, at + len, put(img, file, at, buf, len, cause));
}

bool image_shares_files(const struct image *img)
{
    return !img->file[0].remote || img->file[0].remote->parallel;
}

void image_apart_begin(struct image *img)
{
    if (image_shares_files(img))
        lock_drop(&img->lock);
}

void image_apart_end(struct image *img)
{
    if (image_shares_files(img))
        lock_take(&img->lock);
}

int image_pwrite_apart(struct image *img, u32 file, u64 at, const void *buf, u32 len,
                       struct cause *cause)
{
    image_apart_begin(img);
    int rc = put(img, file, at, buf, len, cause);
    image_apart_end(img);
    return was_put(img, file, at + len, rc);
}

int image_truncate(struct image *img, u32 file, u64 size, struct cause *cause)
{
    if (img->file[file].remote && size <= img->file[file].size)
        return ST_OK; /* an export has the size that it has */
    if (ftruncate(img->file[file].fd, (off_t)size))
        return cause_set(cause, ST_IO, "%s: %s", img->path, strerror(errno));
    img->file[file].size = size;
    return ST_OK;
}

int image_file_sync(struct image *img, u32 file, struct cause *cause)
{
    if (img->file[file].remote)
        return remote_sync(img->file[file].remote, cause);
    if (fdatasync(img->file[file].fd) && errno != EINVAL)
        return cause_set(cause, ST_IO, "%s: %s", img->path, strerror(errno));
    return ST_OK;
}

void image_files_close(struct image *img)
{
    for (u32 i = 0; i < img->files; i++)
        if (img->file[i].remote)
            remote_finish(img->file[i].remote);
        else
            close(img->file[i].fd);
    img->files = 0;
}

int image_damage(struct image *img, u32 track, struct cause *cause, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!img->fault)
        return cause_set(cause, ST_PROTO, "%s: %s", img->path, text);
    img->fault(img->fault_arg, track, text);
    return ST_OK;
}
