/* Saving a snapshot while the guest goes on. fork gives a child the guest's storage as it is,
 * page by page copied by the host when either stores into it; the storage of other guests is not
 * the child's (MADV_DONTFORK). Guarantees: the child takes no lock, allocates nothing, keeps no
 * file of the member open but the one it writes, and ends with the member; the file is whole when
 * it has its name. Assumes: nothing of the guest works while fork is under way. Source: fork(2),
 * prctl(2) PR_SET_PDEATHSIG, rename(2). */
#include "hyp/snapshot/snapshot_save.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem/base/ergo.h"

#define CHILD_NICE 10

/** What the child tells. */
struct report {
    int error; /* errno */
    u64 file_bytes, frames;
};

/** Created by snapshot_saving_create. Destroyed by snapshot_saving_destroy before it has begun,
 *  else behind `done`, on the loop. The thread that waits for the child has it from begin to the
 *  post. */
struct snapshot_saving {
    char *path, *part; /* what it becomes, what it is until then */
    bool replace, begun, dropped;
    int fd, pipe[2], pidfd;
    pid_t child;
    pthread_t thread;
    struct snapshot_writer *writer;
    struct snapshot_post post;
    void (*done)(void *ctx, const struct snapshot_saved *saved);
    void *ctx;
    struct snapshot_saved saved;
};

/* ---- the file ---- */

static int host_cause(struct cause *cause, const char *path, int err)
{
    int status = err == EACCES || err == EPERM || err == EROFS ? ST_PERM : ST_IO;
    return cause_set(cause, status, "%s: %s", path, strerror(err));
}

static int check_path(const struct snapshot_saving *s, struct cause *cause)
{
    struct stat stat;
    if (lstat(s->path, &stat))
        return errno == ENOENT ? ST_OK : host_cause(cause, s->path, errno);
    if (!s->replace)
        return cause_set(cause, ST_EXIST, "%s: it exists already", s->path);
    if (!S_ISREG(stat.st_mode) || !snapshot_is(s->path))
        return cause_set(cause, ST_EXIST, "%s: it is not a snapshot, and is not replaced",
                         s->path);
    return ST_OK;
}

static int part_lock(struct snapshot_saving *s, struct cause *cause)
{
    s->fd = open(s->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (s->fd < 0)
        return host_cause(cause, s->part, errno);
    if (flock(s->fd, LOCK_EX | LOCK_NB))
        return cause_set(cause, ST_BUSY, "%s: it is being written", s->path);
    return ST_OK;
}

/* One that a member left behind when it was killed is taken, but for one that has its name
 * already, in name_it: that is whole, and loses the other name only. */
static int part_open(struct snapshot_saving *s, struct cause *cause)
{
    struct stat stat;
    int rc = part_lock(s, cause);
    if (rc == ST_OK && !fstat(s->fd, &stat) && stat.st_nlink > 1 && !unlink(s->part)) {
        close(s->fd);
        rc = part_lock(s, cause);
    }
    if (rc)
        return rc;
    if (ftruncate(s->fd, 0))
        return host_cause(cause, s->part, errno);
    return ST_OK;
}

int snapshot_saving_create(const char *path, bool replace, struct snapshot_saving **out,
                           struct cause *cause)
{
    struct snapshot_saving *s = calloc(1, sizeof *s);
    if (s) {
        s->fd = s->pipe[0] = s->pipe[1] = s->pidfd = -1;
        s->replace = replace;
        s->path = strdup(path);
        if (asprintf(&s->part, "%s.part", path) < 0)
            s->part = NULL;
    }
    if (!s || !s->path || !s->part) {
        snapshot_saving_destroy(s);
        return cause_set(cause, ST_NOMEM, "%s: no memory", path);
    }
    int rc = check_path(s, cause);
    rc = rc ? rc : part_open(s, cause);
    if (rc && s->fd >= 0 && rc == ST_BUSY) {
        close(s->fd); /* another's */
        s->fd = -1;
    }
    if (rc)
        snapshot_saving_destroy(s);
    else
        *out = s;
    return rc;
}

/* It gets its name; whose name it was loses it only when this is whole. */
static int name_it(struct snapshot_saving *s, struct cause *cause)
{
    char folder[PATH_MAX];
    int rc = check_path(s, cause);
    if (rc)
        return rc;
    int err = s->replace ? rename(s->part, s->path) : link(s->part, s->path);
    if (err)
        return host_cause(cause, s->path, errno);
    if (!s->replace)
        unlink(s->part);
    const char *slash = strrchr(s->path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - s->path) + 1 : 1,
             slash ? s->path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    return ST_OK;
}

/* ---- the child ---- */

/* Files of the member, its locks and its sockets are not to outlive it here. */
static void close_but(int a, int b)
{
    int low = a < b ? a : b, high = a < b ? b : a;
    if (low > 3)
        close_range(3, (unsigned)low - 1, 0);
    if (high > low + 1)
        close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    close_range((unsigned)high + 1, ~0u, 0);
}

static void child(struct snapshot_saving *s, pid_t parent)
{
    struct report report = {0};
    signal(SIGXFSZ, SIG_IGN); /* EFBIG is told */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    setpriority(PRIO_PROCESS, 0, CHILD_NICE);
    close_but(s->fd, s->pipe[1]);
    report.error = snapshot_write(s->writer, s->fd);
    report.file_bytes = snapshot_written(s->writer, &report.frames);
    ssize_t n = write(s->pipe[1], &report, sizeof report);
    _exit(n != (ssize_t)sizeof report);
}

/* No signal of the member's is handled in the child: its handlers write to the member's pipes. */
static pid_t fork_quietly(struct snapshot_saving *s, struct storage *st)
{
    sigset_t all, before;
    pid_t parent = getpid();
    sigfillset(&all);
    storage_forks(st, true);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        child(s, parent);
    int err = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    storage_forks(st, false);
    errno = err;
    return pid;
}

/* ---- until it ends ---- */

static void ended(void *arg)
{
    struct snapshot_saving *s = arg;
    if (!s->dropped) {
        pthread_join(s->thread, NULL);
        s->done(s->ctx, &s->saved);
    }
    s->begun = false;
    snapshot_saving_destroy(s);
}

static void look_at(struct snapshot_saving *s, const struct report *report, ssize_t n,
                    int status)
{
    struct cause *cause = &s->saved.cause;
    if (n == (ssize_t)sizeof *report && report->error)
        host_cause(cause, s->path, report->error);
    else if (n != (ssize_t)sizeof *report && WIFSIGNALED(status))
        cause_set(cause, ST_REFUSED, "%s: its writing was ended (signal %d)", s->path,
                  WTERMSIG(status));
    else if (n != (ssize_t)sizeof *report)
        cause_set(cause, ST_REFUSED, "%s: its writing was ended", s->path);
    else
        name_it(s, cause);
    s->saved.file_bytes = report->file_bytes;
    s->saved.frames = report->frames;
}

static void *wait_thread(void *arg)
{
    struct snapshot_saving *s = arg;
    struct report report = {0};
    int status = 0;
    ssize_t n;
    while ((n = read(s->pipe[0], &report, sizeof report)) < 0 && errno == EINTR)
        ;
    while (waitpid(s->child, &status, 0) < 0 && errno == EINTR)
        ;
    look_at(s, &report, n, status);
    s->post.post(s->post.ctx, ended, s);
    return NULL;
}

int snapshot_saving_begin(struct snapshot_saving *s, struct storage *st,
                          const struct codec_out *head, bool compress,
                          const struct snapshot_post *post,
                          void (*done)(void *ctx, const struct snapshot_saved *saved),
                          void *ctx, struct cause *cause)
{
    PRE(!s->begun);
    int rc = snapshot_writer_create(st, head, compress, &s->writer, cause);
    if (rc)
        return rc;
    if (pipe2(s->pipe, O_CLOEXEC))
        return cause_set(cause, ST_NOMEM, "a pipe: %s", strerror(errno));
    s->post = *post;
    s->done = done;
    s->ctx = ctx;
    s->child = fork_quietly(s, st);
    if (s->child < 0)
        return cause_set(cause, ST_NOMEM, "a process: %s", strerror(errno));
    s->pidfd = pidfd_open(s->child, 0);
    close(s->pipe[1]);
    s->pipe[1] = -1;
    int err = pthread_create(&s->thread, NULL, wait_thread, s);
    if (!err) {
        s->begun = true;
        return ST_OK;
    }
    kill(s->child, SIGKILL);
    waitpid(s->child, NULL, 0);
    return cause_set(cause, ST_NOMEM, "a thread: %s", strerror(err));
}

void snapshot_saving_stop(struct snapshot_saving *s)
{
    if (s->pidfd >= 0)
        pidfd_send_signal(s->pidfd, SIGKILL, NULL, 0);
}

void snapshot_saving_destroy(struct snapshot_saving *s)
{
    if (!s)
        return;
    if (s->begun && !s->dropped) { /* it is destroyed when its note comes */
        snapshot_saving_stop(s);
        pthread_join(s->thread, NULL);
        s->dropped = true;
        return;
    }
    snapshot_writer_destroy(s->writer);
    if (s->fd >= 0) {
        struct stat mine, there; /* what has its name is not removed */
        if (s->part && !fstat(s->fd, &mine) && !lstat(s->part, &there) &&
            mine.st_ino == there.st_ino && mine.st_dev == there.st_dev)
            unlink(s->part);
        close(s->fd);
    }
    for (unsigned i = 0; i < 2; i++)
        if (s->pipe[i] >= 0)
            close(s->pipe[i]);
    if (s->pidfd >= 0)
        close(s->pidfd);
    free(s->path);
    free(s->part);
    free(s);
}
