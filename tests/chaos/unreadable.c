/* LD_PRELOAD of tests/chaos/relocate: reading a PDR fails with EIO while the file is there that
 * UNREADABLE_WHILE names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_pdr(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path);
    return n > 4 && !memcmp(path + n - 4, ".pdr", 4);
}

ssize_t pread(int fd, void *to, size_t len, off_t at)
{
    static ssize_t (*real)(int, void *, size_t, off_t);
    const char *file = getenv("UNREADABLE_WHILE");
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "pread");
    if (file && access(file, F_OK) == 0 && is_pdr(fd)) {
        errno = EIO;
        return -1;
    }
    return real(fd, to, len, at);
}
