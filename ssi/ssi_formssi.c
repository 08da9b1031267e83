/* FORMSSI: a PDR read and made without being a member. Who holds a lock is told by the kernel's
 * list of locks of each open file (/proc/PID/fdinfo), which names processes of this host only. On
 * an NBD export: ssi_formssi_nbd.c. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "ssi/ssi_formssi_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mem/base/ergo.h"
#include "mem/base/libnbd.h"
#include "ssi/ssi_nbd.h"

#define LOOK_WAIT_MS 500

static int file_cause(struct cause *cause, const char *what, const char *path)
{
    int status = errno == ENOENT                                       ? ST_NOENT
                 : errno == EACCES || errno == EPERM || errno == EROFS ? ST_PERM
                                                                       : ST_IO;
    return cause_set(cause, status, "%s %s: %s", what, path, strerror(errno));
}

/* --- who holds a lock --- */

/* Does a line of fdinfo tell of a lock at `at`? "lock: 1: OFDLCK ADVISORY WRITE -1 08:02:77 F L" */
static bool line_tells(const char *line, long long at)
{
    long long first;
    return strncmp(line, "lock:", 5) == 0 && strstr(line, "OFDLCK") &&
           sscanf(line, "lock: %*s %*s %*s %*s %*s %*s %lld", &first) == 1 && first == at;
}

static bool fd_holds(const char *pid, const char *fd, long long at)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%.16s/fdinfo/%.16s", pid, fd);
    FILE *file = fopen(path, "re");
    bool holds = false;
    while (file && !holds && fgets(line, sizeof line, file))
        holds = line_tells(line, at);
    if (file)
        fclose(file);
    return holds;
}

static bool process_holds(const char *pid, const struct stat *pdr, long long at)
{
    char path[64];
    struct dirent *fd;
    struct stat st;
    bool holds = false;
    snprintf(path, sizeof path, "/proc/%.16s/fd", pid);
    DIR *dir = opendir(path);
    while (dir && !holds && (fd = readdir(dir)))
        if (fd->d_name[0] != '.' && fstatat(dirfd(dir), fd->d_name, &st, 0) == 0 &&
            st.st_dev == pdr->st_dev && st.st_ino == pdr->st_ino)
            holds = fd_holds(pid, fd->d_name, at);
    if (dir)
        closedir(dir);
    return holds;
}

/* The process that holds the lock at `at`: 0 nobody, -1 none that can be seen here. */
static int holder(int fd, long long at)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
    struct stat pdr;
    if (fcntl(fd, F_OFD_GETLK, &fl) < 0 || fstat(fd, &pdr) < 0)
        return -1;
    if (fl.l_type == F_UNLCK)
        return 0;
    int pid = -1;
    struct dirent *process;
    DIR *proc = opendir("/proc");
    while (proc && pid < 0 && (process = readdir(proc)))
        if (process->d_name[0] >= '1' && process->d_name[0] <= '9' &&
            process_holds(process->d_name, &pdr, at))
            pid = atoi(process->d_name);
    if (proc)
        closedir(proc);
    return pid;
}

static int life_holder(void *ctx, unsigned slot)
{
    return holder(*(int *)ctx, PDR_LOCK_LIFE_AT + slot);
}

/* --- looking --- */

static int read_at(void *ctx, u64 offset, void *data, size_t len, struct cause *cause)
{
    int fd = *(int *)ctx;
    for (size_t got = 0; got < len;) {
        ssize_t n = pread(fd, (u8 *)data + got, len - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cause_set(cause, ST_IO, "reading: %s", strerror(errno));
        if (n == 0) {
            memset((u8 *)data + got, 0, len - got);
            break;
        }
        got += (size_t)n;
    }
    return ST_OK;
}

/* Shared or exclusive; false: not to be had in that time. */
static bool lock_for(int fd, short type, unsigned wait_ms)
{
    struct flock fl = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = PDR_LOCK_RECORD_AT, .l_len = 1};
    for (unsigned ms = 0;; ms++) {
        if (fcntl(fd, F_OFD_SETLK, &fl) == 0)
            return true;
        if (ms >= wait_ms || (errno != EAGAIN && errno != EACCES))
            return false;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void slot_view(struct formssi_slot *slot, const struct ssi_pdr *pdr, unsigned i,
                      const struct formssi_source *source, const u8 *beats)
{
    const struct pdr_row *row = &pdr->rows[i];
    memcpy(slot->name, row->name, sizeof slot->name);
    memcpy(slot->addr, row->addr, sizeof slot->addr);
    slot->state = row->state;
    slot->down_reason = row->down_reason;
    slot->pid = source->holder(source->file.ctx, i);
    slot->beat_ms =
        ssi_pdr_beat_decode(beats + (size_t)i * PDR_BEAT_BYTES, i, row->incarnation);
    slot->since_ms = row->since_ms;
}

static void view_fill(struct formssi_view *view, const struct ssi_pdr *pdr,
                      const struct formssi_source *source, const u8 *beats)
{
    memcpy(view->cluster, pdr->cluster, sizeof view->cluster);
    view->version = pdr->found == PDR_FOUND_OLD ? PDR_VERSION_OLD : PDR_VERSION;
    view->seq = pdr->seq;
    view->gap = pdr->gap;
    for (unsigned i = 0; i < 2; i++)
        view->checkpoint_seq[i] = pdr->head[i] >= PDR_HEADER_OLD ? pdr->head_seq[i] : 0;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        slot_view(&view->slots[i], pdr, i, source, beats);
    for (u32 i = 0; i < pdr->n_claims; i++) {
        struct formssi_slot *slot = &view->slots[pdr->claims[i].owner];
        unsigned *count = pdr->claims[i].mode ? &slot->shares : &slot->claims;
        ++*count;
    }
}

int formssi_view_read(const struct formssi_source *source, struct formssi_view *view,
                      unsigned tries, struct cause *cause)
{
    const struct pdr_file *file = &source->file;
    u8 beats[SSI_SLOTS_MAX * PDR_BEAT_BYTES];
    struct ssi_pdr *pdr = calloc(1, sizeof *pdr);
    int rc = pdr ? ST_PROTO : cause_set(cause, ST_NOMEM, "out of memory");
    for (unsigned i = 0; i < tries && rc == ST_PROTO; i++)
        rc = ssi_pdr_follow(pdr, file, cause);
    if (rc == ST_OK)
        rc = file->read(file->ctx, 0, beats, sizeof beats, cause);
    if (rc == ST_OK && pdr->found == PDR_FOUND_NOTHING)
        rc = cause_set(cause, ST_CONFIG, "it is empty");
    if (rc == ST_OK)
        view_fill(view, pdr, source, beats);
    if (pdr)
        ssi_pdr_fini(pdr);
    free(pdr);
    return rc;
}

static int look(int fd, struct formssi_view *view, struct cause *cause)
{
    memset(view, 0, sizeof *view);
    view->lock_pid = holder(fd, PDR_LOCK_RECORD_AT);
    view->consistent = lock_for(fd, F_RDLCK, LOOK_WAIT_MS);
    const struct formssi_source source = {{&fd, read_at}, life_holder};
    int rc = formssi_view_read(&source, view, view->consistent ? 1 : FORMSSI_LOOKS_MAX, cause);
    if (view->consistent)
        lock_for(fd, F_UNLCK, 0);
    return rc;
}

static int with_path(struct cause *cause, const char *path, int rc)
{
    if (rc == ST_OK)
        return ST_OK;
    struct cause what = *cause;
    return cause_set(cause, rc, "%s: %s", path, what.text);
}

int formssi_look(const char *path, struct formssi_view *view, struct cause *cause)
{
    if (libnbd_named(path))
        return with_path(cause, path, formssi_nbd_look(path, view, cause));
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return file_cause(cause, "opening", path);
    int rc = look(fd, view, cause);
    close(fd);
    return with_path(cause, path, rc);
}

/* --- making one --- */

static u64 wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (u64)now.tv_sec * 1000 + (u64)now.tv_nsec / 1000000;
}

int formssi_in_use(const struct formssi_source *source, u64 quiet_ms, struct cause *cause)
{
    u8 beats[SSI_SLOTS_MAX * PDR_BEAT_BYTES];
    int rc = source->file.read(source->file.ctx, 0, beats, sizeof beats, cause);
    if (rc)
        return rc;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        int pid = source->holder(source->file.ctx, i);
        u64 beat = ssi_pdr_beat_any(beats + (size_t)i * PDR_BEAT_BYTES, i), now = wall_ms();
        u64 age = now > beat ? now - beat : beat - now;
        if (pid > 0)
            return cause_set(cause, ST_BUSY, "the system in slot %u runs (process %d)", i + 1,
                             pid);
        if (pid < 0)
            return cause_set(cause, ST_BUSY, "the system in slot %u runs", i + 1);
        if (beat && age < quiet_ms)
            return cause_set(
                cause, ST_BUSY,
                "the system in slot %u wrote its heartbeat %llu ms ago; try again later", i + 1,
                (unsigned long long)age);
    }
    return ST_OK;
}

static bool write_at(int fd, u64 offset, const void *data, size_t len)
{
    return pwrite(fd, data, len, (off_t)offset) == (ssize_t)len;
}

int formssi_header(const char *cluster, u8 out[PDR_HEADER_BYTES], struct cause *cause)
{
    struct ssi_pdr *pdr = calloc(1, sizeof *pdr);
    if (!pdr)
        return cause_set(cause, ST_NOMEM, "out of memory");
    memcpy(pdr->cluster, cluster, strlen(cluster));
    pdr->seq = 1;
    bool good = getrandom(&pdr->id, sizeof pdr->id, 0) == sizeof pdr->id;
    pdr->id |= 1;
    ssi_pdr_header_encode(pdr, 0, out);
    free(pdr);
    return good ? ST_OK : cause_set(cause, ST_IO, "no random numbers: %s", strerror(errno));
}

static int form(int fd, const char *cluster, struct cause *cause)
{
    u8 header[PDR_HEADER_BYTES];
    int rc = formssi_header(cluster, header, cause);
    if (rc)
        return rc;
    bool good = ftruncate(fd, 0) == 0;
    errno = good ? posix_fallocate(fd, 0, PDR_FILE_BYTES) : errno;
    good = good && !errno && write_at(fd, PDR_HEADER_AT(0), header, sizeof header) &&
           write_at(fd, PDR_HEADER_AT(1), header, sizeof header) && fsync(fd) == 0;
    return good ? ST_OK : cause_set(cause, ST_IO, "writing: %s", strerror(errno));
}

int formssi_replaceable(const struct formssi_source *source, struct cause *cause)
{
    struct formssi_view *view = calloc(1, sizeof *view);
    int rc = view ? formssi_view_read(source, view, 1, cause)
                  : cause_set(cause, ST_NOMEM, "out of memory");
    if (rc == ST_OK)
        rc = cause_set(cause, ST_EXIST, "it is the PDR of SSI cluster %s; --force replaces it",
                       view->cluster);
    else if (rc == ST_CONFIG || rc == ST_PROTO)
        rc = cause_set(cause, ST_EXIST, "there is something in it; --force replaces it");
    free(view);
    return rc;
}

static int create(int fd, const char *cluster, bool force, u64 quiet_ms, struct cause *cause)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return cause_set(cause, ST_CONFIG, "it is no regular file");
    if (!lock_for(fd, F_WRLCK, LOOK_WAIT_MS))
        return cause_set(cause, ST_BUSY, "it is locked");
    const struct formssi_source source = {{&fd, read_at}, life_holder};
    int rc = formssi_in_use(&source, quiet_ms, cause);
    if (rc == ST_OK && !force && st.st_size)
        rc = formssi_replaceable(&source, cause);
    return rc ? rc : form(fd, cluster, cause);
}

int formssi_create(const char *path, const char *cluster, bool force, u64 quiet_ms,
                   struct cause *cause)
{
    PRE(strlen(cluster) < SSI_NAME_BYTES);
    if (libnbd_named(path))
        return with_path(cause, path,
                         formssi_nbd_create(path, cluster, force, quiet_ms, cause));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0660);
    if (fd < 0)
        return file_cause(cause, "opening", path);
    int rc = create(fd, cluster, force, quiet_ms, cause);
    close(fd);
    return with_path(cause, path, rc);
}
