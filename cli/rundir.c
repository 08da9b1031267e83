/* The run-time folder. POSIX record locks are used because they name the holder's process;
 * a member opens its lock file once and never closes it. */
#include "cli/rundir.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int too_long(const char *path, struct cause *cause)
{
    return cause_set(cause, ST_CONFIG, "%.80s...: longer than a socket's path may be", path);
}

static int choose(char out[RUNDIR_PATH_BYTES], struct cause *cause)
{
    const char *own = getenv("ENDICOTT_RUN"), *xdg = getenv("XDG_RUNTIME_DIR");
    const char *tmp = getenv("TMPDIR");
    char path[CONFIG_PATH_BYTES];
    if (own && *own)
        snprintf(path, sizeof path, "%s", own);
    else if (xdg && *xdg)
        snprintf(path, sizeof path, "%s/endicott", xdg);
    else
        snprintf(path, sizeof path, "%s/endicott-%u", tmp && *tmp ? tmp : "/tmp",
                 (unsigned)getuid());
    if (strlen(path) + CONFIG_NAME_BYTES + 6 >= RUNDIR_PATH_BYTES)
        return too_long(path, cause);
    strcpy(out, path);
    return ST_OK;
}

int rundir_path(char out[RUNDIR_PATH_BYTES], struct cause *cause)
{
    struct stat st;
    int rc = choose(out, cause);
    if (rc)
        return rc;
    if (mkdir(out, 0700) && errno != EEXIST)
        return cause_set(cause, ST_PERM, "run-time folder %s: %s", out, strerror(errno));
    if (lstat(out, &st) || !S_ISDIR(st.st_mode))
        return cause_set(cause, ST_PERM, "run-time folder %s: not a folder", out);
    if (st.st_uid != geteuid())
        return cause_set(cause, ST_PERM, "run-time folder %s belongs to user %u", out,
                         (unsigned)st.st_uid);
    if ((st.st_mode & 077) && chmod(out, 0700))
        return cause_set(cause, ST_PERM, "run-time folder %s: %s", out, strerror(errno));
    return ST_OK;
}

int rundir_file(const char *member, const char *suffix, char out[RUNDIR_PATH_BYTES + 16],
                struct cause *cause)
{
    char dir[RUNDIR_PATH_BYTES];
    int rc = rundir_path(dir, cause);
    if (rc)
        return rc;
    snprintf(out, RUNDIR_PATH_BYTES + 16, "%s/%.8s.%s", dir, member, suffix);
    return ST_OK;
}

bool rundir_name(const char *text, char out[CONFIG_NAME_BYTES])
{
    size_t n = strlen(text);
    if (!n || n >= CONFIG_NAME_BYTES)
        return false;
    for (size_t i = 0; i <= n; i++) {
        out[i] = (char)toupper((unsigned char)text[i]);
        if (i < n && !isalnum((unsigned char)out[i]) && !strchr("@#$_+:-", out[i]))
            return false;
    }
    return true;
}

/* What the holder wrote: its cluster folder. */
static void read_dir(int fd, struct rundir_member *out)
{
    ssize_t n = pread(fd, out->dir, sizeof out->dir - 1, 0);
    out->dir[n > 0 ? n : 0] = 0;
    out->dir[strcspn(out->dir, "\n")] = 0;
}

static bool held(int fd, struct rundir_member *out)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_GETLK, &fl) || fl.l_type == F_UNLCK)
        return false;
    out->pid = fl.l_pid;
    read_dir(fd, out);
    return true;
}

#define PF_EXITING 0x4 /* of the flags in /proc/PID/stat; linux/sched.h */
#define LOOK_US 20000
#define LOOKS_ALIVE 5 /* so often it does not look like ending: it is running */
#define LOOKS_MAX 500

/* Is it gone, or about to be? Then what it holds comes free as soon as its storage is released. */
static bool ending(pid_t pid)
{
    char path[32], text[512], state = 0;
    unsigned flags = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    const char *behind = strrchr(text, ')'); /* of the program's name, which may have some */
    if (!behind || sscanf(behind + 1, " %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2)
        return true;
    return state == 'Z' || state == 'X' || flags & PF_EXITING;
}

/* The lock, also from somebody who has been killed and is still on his way. */
static bool lock(int fd)
{
    struct rundir_member other;
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    for (unsigned looks = 0, alive = 0; fcntl(fd, F_SETLK, &fl); looks++) {
        alive += held(fd, &other) && !ending(other.pid);
        if (alive == LOOKS_ALIVE || looks == LOOKS_MAX)
            return false;
        usleep(LOOK_US);
    }
    return true;
}

int rundir_take(const char *member, const char *dir, struct cause *cause)
{
    char path[RUNDIR_PATH_BYTES + 16];
    struct rundir_member other = {0};
    int rc = rundir_file(member, "lock", path, cause);
    if (rc)
        return rc;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return cause_set(cause, ST_PERM, "%s: %s", path, strerror(errno));
    if (!lock(fd)) {
        held(fd, &other);
        close(fd);
        return cause_set(cause, ST_EXIST, "%s is running already: process %ld, folder %s",
                         member, (long)other.pid, other.dir[0] ? other.dir : "not known");
    }
    if (ftruncate(fd, 0) || dprintf(fd, "%s\n", dir) < 0) {
        rc = cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
        close(fd);
    }
    return rc; /* the descriptor stays open: it is the lock */
}

static bool look(const char *path, const char *name, struct rundir_member *out)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    snprintf(out->name, sizeof out->name, "%.8s", name);
    bool yes = held(fd, out) && !ending(out->pid);
    close(fd);
    return yes;
}

bool rundir_find(const char *member, struct rundir_member *out)
{
    char path[RUNDIR_PATH_BYTES + 16];
    struct cause ignored;
    return !rundir_file(member, "lock", path, &ignored) && look(path, member, out);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct rundir_member *)a)->name,
                  ((const struct rundir_member *)b)->name);
}

unsigned rundir_list(struct rundir_member out[RUNDIR_MEMBERS_MAX], struct cause *cause)
{
    char dir[RUNDIR_PATH_BYTES];
    unsigned n = 0;
    cause->status = ST_OK;
    if (rundir_path(dir, cause))
        return 0;
    DIR *d = opendir(dir);
    const struct dirent *e;
    while (d && n < RUNDIR_MEMBERS_MAX && (e = readdir(d))) {
        char name[CONFIG_NAME_BYTES], path[RUNDIR_PATH_BYTES + 16];
        size_t len = strlen(e->d_name);
        if (len < 6 || len > 13 || strcmp(e->d_name + len - 5, ".lock"))
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(len - 5), e->d_name);
        snprintf(path, sizeof path, "%s/%.8s.lock", dir, name);
        n += look(path, name, &out[n]);
    }
    if (d)
        closedir(d);
    qsort(out, n, sizeof out[0], by_name);
    return n;
}
