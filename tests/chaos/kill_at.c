/* LD_PRELOAD of tests/scenario/snapshot_kill.sh: a member dies (SIGKILL) just before a step of
 * saving a snapshot. The file that KILL_AT names has: WHO N. WHO is `child`, which writes, or
 * `member`; N counts calls about a file *.part that would change something. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int calls;

static int is_part(const char *path, size_t n)
{
    return n > 5 && !memcmp(path + n - 5, ".part", 5);
}

static int fd_is_part(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path);
    return n > 0 && is_part(path, (size_t)n);
}

/* The child ends with its parent, and has asked for that. */
static void step(int is)
{
    int dies_with = 0, at = 0;
    char who[16] = "";
    const char *file = getenv("KILL_AT");
    FILE *f = is && file ? fopen(file, "r") : NULL;
    if (!f)
        return;
    int got = fscanf(f, "%15s %d", who, &at);
    fclose(f);
    prctl(PR_GET_PDEATHSIG, &dies_with);
    int child = dies_with == SIGKILL;
    static int in_child;
    if (child && !in_child)
        in_child = 1, calls = 0;
    if (got != 2 || strcmp(who, child ? "child" : "member") != 0 || ++calls != at)
        return;
    unlink(file);
    kill(child ? getppid() : getpid(), SIGKILL);
    for (;;)
        pause();
}

#define REAL(name) *(void **)&real = dlsym(RTLD_NEXT, name)

ssize_t pwrite(int fd, const void *p, size_t len, off_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real)
        REAL("pwrite");
    step(fd_is_part(fd));
    return real(fd, p, len, at);
}

int fsync(int fd)
{
    static int (*real)(int);
    if (!real)
        REAL("fsync");
    step(fd_is_part(fd));
    return real(fd);
}

int ftruncate(int fd, off_t len)
{
    static int (*real)(int, off_t);
    if (!real)
        REAL("ftruncate");
    step(fd_is_part(fd));
    return real(fd, len);
}

#define NAMES(call)                                                                            \
    int call(const char *from, const char *to)                                                 \
    {                                                                                          \
        static int (*real)(const char *, const char *);                                        \
        if (!real)                                                                             \
            REAL(#call);                                                                       \
        step(is_part(from, strlen(from)));                                                     \
        return real(from, to);                                                                 \
    }
NAMES(link)
NAMES(rename)

int unlink(const char *path)
{
    static int (*real)(const char *);
    if (!real)
        REAL("unlink");
    step(is_part(path, strlen(path)));
    return real(path);
}
