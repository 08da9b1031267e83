/* Loaded before a program (LD_PRELOAD): calls for files whose names end with FAILING_FILE fail with
 * EIO while the file that FAILING_WHILE names is there: pread and pwrite, or with
 * FAILING_CALLS=sync fdatasync. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fails(int fd, int sync)
{
    char link[64], name[4096];
    const char *file = getenv("FAILING_FILE"), *flag = getenv("FAILING_WHILE");
    const char *calls = getenv("FAILING_CALLS");
    if ((calls && !strcmp(calls, "sync")) != sync || !file || !flag || access(flag, F_OK))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, sizeof name - 1);
    size_t len = strlen(file);
    return n >= (ssize_t)len && !memcmp(name + n - len, file, len);
}

ssize_t pread(int fd, void *buf, size_t n, off_t at)
{
    if (!fails(fd, 0))
        return syscall(SYS_pread64, fd, buf, n, at);
    errno = EIO;
    return -1;
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t at)
{
    if (!fails(fd, 0))
        return syscall(SYS_pwrite64, fd, buf, n, at);
    errno = EIO;
    return -1;
}

int fdatasync(int fd)
{
    if (!fails(fd, 1))
        return (int)syscall(SYS_fdatasync, fd);
    errno = EIO;
    return -1;
}
