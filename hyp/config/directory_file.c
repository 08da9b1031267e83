/* The file of a directory while it is changed.
 *
 * Guarantees: one at a time changes it, members and editors of all hosts that see the lock file
 * (user.direct.lock, an open-file-description lock). The new text is written beside the old one
 * and renamed over it: a reader sees the one or the other. The history gets its line before
 * that, with the inode, size and time of the file to come, so that a change without a line
 * cannot be; a line whose file never came, because the process ended between, is told by the
 * file that is there. A member takes a file as online only when it is that of the last line: not
 * while somebody writes to it by hand. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "hyp/config/directory_edit.h"

#define HISTORY_LINE_BYTES 512
#define HISTORY_TAIL_BYTES (256u << 10) /* the end of the history that is looked at */

static bool beside(const char *path, const char *suffix, char out[1100])
{
    return snprintf(out, 1100, "%s%s", path, suffix) < 1100;
}

static struct dir_stamp stamp_of(const struct stat *st)
{
    return (struct dir_stamp){st->st_ino, (u64)st->st_size,
                              (u64)st->st_mtim.tv_sec * 1000000000u + (u64)st->st_mtim.tv_nsec};
}

bool dir_file_stamp(const char *path, struct dir_stamp *out)
{
    struct stat st;
    if (stat(path, &st))
        return false;
    *out = stamp_of(&st);
    return true;
}

int dir_file_open(const char *path, struct dir_file *f, struct cause *cause)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char name[1100];
    *f = (struct dir_file){.lock = -1};
    if (!beside(path, ".lock", name) || strlen(path) >= sizeof f->path)
        return cause_set(cause, ST_LIMIT, "%.64s...: path too long", path);
    strcpy(f->path, path);
    f->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (f->lock < 0)
        return cause_set(cause, ST_PERM, "%s: %s", name, strerror(errno));
    if (fcntl(f->lock, F_OFD_SETLK, &fl)) {
        int error = errno;
        dir_file_close(f);
        return error == EAGAIN || error == EACCES
                   ? cause_set(cause, ST_BUSY, "it is being changed by somebody else")
                   : cause_set(cause, ST_IO, "%s: %s", name, strerror(error));
    }
    f->text = scan_file(path, cause);
    if (f->text)
        return ST_OK;
    int status = cause->status;
    dir_file_close(f);
    return status;
}

void dir_file_close(struct dir_file *f)
{
    if (f->lock >= 0)
        close(f->lock);
    if (f->text)
        explicit_bzero(f->text, strlen(f->text));
    free(f->text);
    *f = (struct dir_file){.lock = -1};
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* --- history --------------------------------------------------------------------------------- */

u64 dir_text_digest(const char *text)
{
    u64 h = 0xcbf29ce484222325u;
    for (; *text; text++)
        h = (h ^ (u8)*text) * 0x100000001b3u;
    return h;
}

/* The number of the change that is being made. */
static u64 next_generation(const struct dir_file *f)
{
    struct dir_versions versions;
    dir_file_versions(f->path, &versions);
    u64 last = versions.now.generation;
    return (last > f->online.generation ? last : f->online.generation) + 1;
}

/* when, who, what, which version it is and of which it was made, and which file. */
static int add_line(const struct dir_file *f, const struct dir_stamp *stamp, const char *text,
                    const char *who, const char *what, struct cause *cause)
{
    char name[1100], line[HISTORY_LINE_BYTES], when[32];
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    int n = snprintf(
        line, sizeof line, "%s %.40s %.*s #%llu:%llx:%llx =%llu,%llu,%llu\n", when, who,
        DIR_WHAT_BYTES, what, (unsigned long long)next_generation(f),
        (unsigned long long)dir_text_digest(text),
        (unsigned long long)(f->online.digest ? f->online.digest : dir_text_digest(f->text)),
        (unsigned long long)stamp->inode, (unsigned long long)stamp->size,
        (unsigned long long)stamp->mtime_ns);
    if (!beside(f->path, ".history", name))
        return cause_set(cause, ST_LIMIT, "path too long");
    int fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write_all(fd, line, (size_t)n) && !fsync(fd);
    int error = errno;
    if (fd >= 0)
        close(fd);
    return good ? ST_OK : cause_set(cause, ST_IO, "%s: %s", name, strerror(error));
}

/* The end of the history, from the beginning of a line on; NULL: none. The caller frees. */
static char *history_tail(const char *path)
{
    char name[1100];
    struct stat st;
    int fd = beside(path, ".history", name) ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    char *text = fd >= 0 && !fstat(fd, &st) ? calloc(1, HISTORY_TAIL_BYTES + 1) : NULL;
    if (text) {
        off_t from = st.st_size > HISTORY_TAIL_BYTES ? st.st_size - HISTORY_TAIL_BYTES : 0;
        ssize_t n = pread(fd, text, HISTORY_TAIL_BYTES, from);
        char *end = from && n > 0 ? memchr(text, '\n', (size_t)n) : NULL;
        if (end)
            memmove(text, end + 1, strlen(end + 1) + 1);
    }
    if (fd >= 0)
        close(fd);
    return text;
}

bool dir_file_online(const char *path, const struct dir_stamp *stamp)
{
    char want[96], *text = history_tail(path);
    size_t len = text ? strlen(text) : 0;
    int n = snprintf(want, sizeof want, " =%llu,%llu,%llu\n", (unsigned long long)stamp->inode,
                     (unsigned long long)stamp->size, (unsigned long long)stamp->mtime_ns);
    bool same = len >= (size_t)n && !strcmp(text + len - (size_t)n, want);
    free(text);
    return same;
}

static void add_past(struct dir_versions *out, u64 generation, u64 digest)
{
    const struct dir_version *last = out->past + out->past_count - 1;
    if (out->past_count && last->generation == generation && last->digest == digest)
        return;
    if (out->past_count == DIR_PAST_MAX)
        memmove(out->past, out->past + 1, --out->past_count * sizeof out->past[0]);
    out->past[out->past_count++] = (struct dir_version){generation, digest};
}

/* The last " c" of a line; NULL: there is none. */
static char *last_mark(char *line, const char *mark)
{
    char *found = strstr(line, mark);
    for (char *next = found; next; next = strstr(next + 1, mark))
        found = next;
    return found;
}

void dir_file_versions(const char *path, struct dir_versions *out)
{
    char *text = history_tail(path), *line, *rest = text;
    *out = (struct dir_versions){0};
    while (rest && (line = strsep(&rest, "\n")) && *line) {
        unsigned long long generation, digest, parent;
        const char *mark = last_mark(line, " #");
        if (!mark || sscanf(mark, " #%llu:%llx:%llx", &generation, &digest, &parent) != 3 ||
            !generation)
            continue;
        add_past(out, generation - 1, parent);
        add_past(out, generation, digest);
        out->now = (struct dir_version){generation, digest};
    }
    free(text);
}

void dir_file_history(const char *path, unsigned count,
                      void (*tell)(void *arg, const char *line), void *arg)
{
    char *text = history_tail(path), *line, *rest = text;
    unsigned lines = 0;
    for (const char *p = text; p && (p = strchr(p, '\n')); p++)
        lines++;
    while (rest && (line = strsep(&rest, "\n")) && *line) {
        char *version = last_mark(line, " #"), *stamp = last_mark(line, " =");
        if (version)
            version[2 + strspn(version + 2, "0123456789")] = 0;
        else if (stamp)
            *stamp = 0;
        if (lines-- <= count)
            tell(arg, line);
    }
    free(text);
}

/* --- replacing -------------------------------------------------------------------------------- */

/* The text as a file beside the old one, with its mode; its stamp. */
static int write_beside(const struct dir_file *f, const char *name, const char *text,
                        struct dir_stamp *stamp, struct cause *cause)
{
    struct stat old, st;
    unlink(name); /* of a process that ended here */
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0 && !stat(f->path, &old) && !fchmod(fd, old.st_mode & 07777) &&
                write_all(fd, text, strlen(text)) && !fsync(fd) && !fstat(fd, &st);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (good) {
        *stamp = stamp_of(&st);
        return ST_OK;
    }
    unlink(name);
    return cause_set(cause, ST_IO, "%s: %s", name, strerror(error));
}

static bool sync_folder(const char *path)
{
    char folder[1100];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && !fsync(fd);
    if (fd >= 0)
        close(fd);
    return good;
}

/* Nobody has written to it without the lock. */
static int unchanged(const struct dir_file *f, struct cause *cause)
{
    char *text = scan_file(f->path, cause);
    if (!text)
        return cause->status;
    bool same = !strcmp(text, f->text);
    free(text);
    return same ? ST_OK : cause_set(cause, ST_BUSY, "it was changed by hand meanwhile");
}

int dir_file_replace(struct dir_file *f, const char *text, const char *who, const char *what,
                     struct cause *cause)
{
    char name[1100];
    struct dir_stamp stamp;
    if (!beside(f->path, ".new", name))
        return cause_set(cause, ST_LIMIT, "path too long");
    int status = write_beside(f, name, text, &stamp, cause);
    if (!status)
        status = unchanged(f, cause);
    if (!status)
        status = add_line(f, &stamp, text, who, what, cause);
    if (!status && rename(name, f->path))
        status = cause_set(cause, ST_IO, "%s: %s", f->path, strerror(errno));
    if (status)
        unlink(name);
    else if (!sync_folder(f->path)) /* it is there; whether it stays the host cannot say */
        status = cause_set(cause, ST_IO, "%s: its folder cannot be synchronised", f->path);
    return status;
}

int dir_file_mark(struct dir_file *f, const char *who, const char *what, struct cause *cause)
{
    struct dir_stamp stamp;
    if (!dir_file_stamp(f->path, &stamp))
        return cause_set(cause, ST_IO, "%s: %s", f->path, strerror(errno));
    return add_line(f, &stamp, f->text, who, what, cause);
}
