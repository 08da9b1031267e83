/* A machine whose program is one DIAGNOSE, with two disks: for tests that include this once. */
#ifndef ENDICOTT_TESTS_LIB_DIAG_DISKS_H
#define ENDICOTT_TESTS_LIB_DIAG_DISKS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/lib/diag_machine.h"

#define ECKD 0x200
#define FBA 0x300
#define DISK_PATH_BYTES 64

static char disk_folder[] = "/tmp/diag_disks.XXXXXX";
static const char *const disk_names[2] = {"eckd", "fba"};

static inline char *disk_path(unsigned i, char out[DISK_PATH_BYTES])
{
    snprintf(out, DISK_PATH_BYTES, "%s/%s", disk_folder, disk_names[i]);
    return out;
}

static inline void disk_open(unsigned i, unsigned flags)
{
    char path[DISK_PATH_BYTES];
    struct cause cause = {0};
    ck_assert_int_eq(image_open(disk_path(i, path), flags, &disks[i], &cause), ST_OK);
}

/* Between teardown and setup: the disk can be read only from now on. */
static inline void reopen_read_only(unsigned i)
{
    image_unref(disks[i]);
    disk_open(i, IMAGE_READ_ONLY);
}

/* A 3390 of two cylinders as `dasdfmt -d ldl` makes it, and 1024 blocks of 512 bytes. */
static inline void setup_disks(void)
{
    static const struct image_create what[2] = {
        {.format = IMAGE_CKD, .cylinders = 2, .linux_tracks = true},
        {.format = IMAGE_FBA_RAW, .blocks = 1024}};
    char path[DISK_PATH_BYTES];
    struct cause cause = {0};
    ck_assert_ptr_nonnull(mkdtemp(disk_folder));
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(image_create(disk_path(i, path), &what[i], &cause), ST_OK);
        disk_open(i, 0);
    }
    setup();
}

static inline void teardown_disks(void)
{
    char path[DISK_PATH_BYTES];
    teardown();
    for (unsigned i = 0; i < 2; i++) {
        image_unref(disks[i]);
        disks[i] = NULL;
        unlink(disk_path(i, path));
    }
    rmdir(disk_folder);
}

#endif
