/* A fuzzed file: libFuzzer's bytes under a path that the program can open and write to. */
#ifndef ENDICOTT_TESTS_FUZZ_FILE_H
#define ENDICOTT_TESTS_FUZZ_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem/base/bytes.h"

/** The path of a file in memory that holds `data`, until the next call. */
static inline const char *fuzz_file(const u8 *data, size_t size)
{
    static int fd = -1;
    static char path[32];
    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    return path;
}

#endif
