/* A shadow is merged into what is below it, in place: killed at any call that changes a file, the
 * two still read as one, the lower one by itself is either whole or refused, and doing it again
 * ends it. This program's own calls stand between the library and the host. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/image/cckd_internal.h"

#define CYLINDERS 40u
#define TRACKS (CYLINDERS * TRACK_HEADS_3390)
#define SPARSE 7u /* every so many tracks are used */

static char dir[64], base[100], top[100], both[256], saved[100];
static struct cause cause;
static u8 buf[IMAGE_TRACK_BYTES_MAX], other[IMAGE_TRACK_BYTES_MAX];
static u32 calls_left; /* 0: no limit */

static bool last_call(void)
{
    return calls_left && --calls_left == 0;
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    pause();
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t where)
{
    if (last_call())
        die();
    return syscall(SYS_pwrite64, fd, bytes, n, where);
}

int fdatasync(int fd)
{
    if (last_call())
        die();
    return (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t size)
{
    if (last_call())
        die();
    return (int)syscall(SYS_ftruncate, fd, size);
}

int unlink(const char *path)
{
    if (last_call())
        die();
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

/* ---- the images ---- */

static void shell(const char *fmt, const char *a, const char *b)
{
    char command[400];
    snprintf(command, sizeof command, fmt, a, b);
    ck_assert_int_eq(system(command), 0);
}

static struct image *open_image(const char *path, unsigned flags)
{
    struct image *img = NULL;
    ck_assert_msg(image_open(path, flags, &img, &cause) == ST_OK, "%s", cause.text);
    return img;
}

/** A track with two records of data that is made from `seed`; 0: no records. */
static u32 make_track(u32 track, u32 seed, u8 *out)
{
    u8 data[4096];
    u32 len = track_make_null(TRACK_NULL_EMPTY, track, TRACK_HEADS_3390, out);
    for (u32 i = 0; i < sizeof data; i++)
        data[i] = (u8)((i * (seed | 1)) >> 3);
    for (u8 r = 1; seed && r <= 2; r++)
        len = track_append(out, len, r, 0, sizeof data, NULL, data);
    return len;
}

static void write_track(struct image *img, u32 track, u32 seed)
{
    u32 len = make_track(track, seed, buf);
    ck_assert_msg(image_write_track(img, track, buf, len, &cause) == ST_OK, "%s", cause.text);
}

/** What the base has by itself; and what the shadow makes of it: some tracks are others, some are
 *  new and some have no records any more. */
static u32 old_seed(u32 track)
{
    return track % SPARSE == 0 && track < TRACKS / 2 ? 1 + track : 0;
}

static u32 new_seed(u32 track)
{
    if (track % SPARSE)
        return 0;
    return track % 3 == 0 ? 5000 + track : track % 3 == 1 ? 0 : old_seed(track);
}

static void setup(void)
{
    struct image_create what = {.format = IMAGE_CCKD, .cylinders = CYLINDERS, .compress = true};
    snprintf(dir, sizeof dir, "%s", "/tmp/io_merge_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(base, sizeof base, "%s/base", dir);
    snprintf(top, sizeof top, "%s/top", dir);
    snprintf(saved, sizeof saved, "%s/saved", dir);
    snprintf(both, sizeof both, "%s,shadow=%s", base, top);
    ck_assert_int_eq(image_create(base, &what, &cause), ST_OK);
    struct image *img = open_image(base, 0);
    for (u32 t = 0; t < TRACKS; t += SPARSE)
        write_track(img, t, old_seed(t));
    image_unref(img);
    what.below = base;
    ck_assert_int_eq(image_create(top, &what, &cause), ST_OK);
    img = open_image(both, 0);
    for (u32 t = 0; t < TRACKS; t += SPARSE)
        if (new_seed(t) != old_seed(t))
            write_track(img, t, new_seed(t));
    image_unref(img);
    ck_assert_int_eq(mkdir(saved, 0700), 0);
}

static void teardown(void)
{
    shell("rm -rf %s%s", dir, "");
}

static void expect_tracks(const char *path, u32 seed(u32 track))
{
    struct image *img = open_image(path, IMAGE_READ_ONLY);
    for (u32 t = 0; t < TRACKS; t++) {
        u32 len = 0, want = make_track(t, seed(t), other);
        ck_assert_msg(image_read_track(img, t, buf, &len, &cause) == ST_OK, "%s", cause.text);
        ck_assert_msg(len == want && memcmp(buf, other, len) == 0, "%s: track %u", path, t);
    }
    image_unref(img);
}

static void no_fault(void *arg, u32 track, const char *text)
{
    (void)arg;
    ck_abort_msg("track %u: %s", track, text);
}

static void expect_sound(const char *path)
{
    struct image_check found = {0};
    ck_assert_msg(image_check(path, no_fault, NULL, &found, &cause) == ST_OK, "%s", cause.text);
}

static void expect_merged(void)
{
    expect_sound(base);
    expect_tracks(base, new_seed);
    ck_assert_int_eq(access(top, F_OK), -1);
}

/* ---- tests ---- */

/** Merge in a process of its own, which is killed at call `n` that changes something; true: it was
 *  not, and ended well. */
static bool merge_killed_at(u32 n)
{
    int status;
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (!pid) {
        struct image_merge m = {0};
        calls_left = n;
        _exit(image_merge(both, &m, &cause) ? 1 : 0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    return !WIFSIGNALED(status);
}

/** What is there after a kill; true: the base has everything by itself. */
static bool whole_after_kill(u32 n)
{
    struct image *img;
    int alone = image_open(base, IMAGE_READ_ONLY, &img, &cause);
    bool merging = alone == ST_PROTO;
    if (merging)
        ck_assert_msg(strstr(cause.text, "is being merged into it"), "%u: %s", n, cause.text);
    else
        ck_assert_msg(alone == ST_OK, "%u: %s", n, cause.text);
    if (!merging)
        image_unref(img);
    bool there = access(top, F_OK) == 0;
    int together = there ? image_open(both, IMAGE_READ_ONLY, &img, &cause) : ST_CONFIG;
    if (together == ST_OK) {
        image_unref(img);
        expect_tracks(both, new_seed);
        expect_sound(both);
        if (!merging)
            expect_tracks(base, old_seed);
        else
            ck_assert_int_eq(image_open(both, 0, &img, &cause), ST_PROTO); /* not written */
        return false;
    }
    ck_assert(!merging);
    ck_assert(!there || strstr(cause.text, "is not what it was"));
    expect_tracks(base, new_seed);
    return true;
}

static void put_back(void)
{
    shell("cp %s/base %s", saved, base);
    shell("cp %s/top %s", saved, top);
}

/* Also twice: what had begun to go on is killed at another call. */
START_TEST(killed_at_each_call)
{
    u32 unfinished = 0, finished = 0;
    shell("cp %s %s/base", base, saved);
    shell("cp %s %s/top", top, saved);
    for (u32 n = 1;; n++) {
        put_back();
        if (merge_killed_at(n))
            break;
        if (whole_after_kill(n)) {
            finished++;
            continue;
        }
        unfinished++;
        if (!merge_killed_at(1 + n * 7 % 90) && whole_after_kill(n))
            continue;
        if (access(top, F_OK) == 0)
            ck_assert(merge_killed_at(0));
        expect_merged();
    }
    ck_assert_uint_gt(unfinished, 60);
    ck_assert_uint_gt(finished, 0);
    expect_merged();
}
END_TEST

START_TEST(merged_and_used_again)
{
    struct image_merge m = {0};
    ck_assert_msg(image_merge(both, &m, &cause) == ST_OK, "%s", cause.text);
    ck_assert_uint_gt(m.tracks, 10);
    expect_merged();
    struct image *img = open_image(base, 0); /* it is an image like any */
    write_track(img, 1, 77);
    image_unref(img);
    expect_sound(base);
}
END_TEST

/* Of three layers the last goes into the second, which still shadows the first. */
START_TEST(a_layer_between)
{
    char third[100], all[400];
    struct image_create what = {.format = IMAGE_CCKD, .compress = true, .below = both};
    struct image_merge m = {0};
    snprintf(third, sizeof third, "%s/third", dir);
    snprintf(all, sizeof all, "%s,shadow=%s", both, third);
    ck_assert_int_eq(image_create(third, &what, &cause), ST_OK);
    struct image *img = open_image(all, 0);
    write_track(img, 7, 707);
    image_unref(img);
    ck_assert_msg(image_merge(all, &m, &cause) == ST_OK, "%s", cause.text);
    ck_assert_uint_eq(m.tracks, 1);
    ck_assert_int_eq(access(third, F_OK), -1);
    expect_tracks(base, old_seed);
    img = open_image(both, IMAGE_READ_ONLY);
    u32 len = 0, want = make_track(7, 707, other);
    ck_assert_int_eq(image_read_track(img, 7, buf, &len, &cause), ST_OK);
    ck_assert(len == want && memcmp(buf, other, len) == 0);
    image_unref(img);
    ck_assert_int_eq(image_merge(both, &m, &cause), ST_OK);
    expect_sound(base);
}
END_TEST

static void expect_refused(const char *path, int status, const char *why)
{
    struct image_merge m = {0};
    ck_assert_int_eq(image_merge(path, &m, &cause), status);
    ck_assert_msg(strstr(cause.text, why), "%s", cause.text);
}

/* What is damaged, in use or does not belong to the base is refused before anything is written. */
START_TEST(refused)
{
    char strange[256], mine[100];
    struct image_create what = {.format = IMAGE_CCKD, .compress = true, .below = base};
    expect_refused(base, ST_INVAL, "no shadow");
    struct image *img = open_image(base, IMAGE_READ_ONLY);
    expect_refused(both, ST_BUSY, "in use");
    image_unref(img);
    snprintf(mine, sizeof mine, "%s/mine", dir);
    snprintf(strange, sizeof strange, "%s,shadow=%s", base, mine);
    ck_assert_int_eq(image_create(mine, &what, &cause), ST_OK);
    ck_assert(!merge_killed_at(8)); /* with another one */
    expect_refused(strange, ST_PROTO, "another shadow is being merged");
    ck_assert_int_eq(image_create("/tmp/io_merge_none", &what, &cause), ST_PROTO);
    ck_assert(merge_killed_at(0));
    expect_refused(strange, ST_PROTO, "is not what it was");
    expect_merged();
}
END_TEST

START_TEST(a_damaged_shadow)
{
    u8 word[4];
    int fd = open(top, O_RDWR);
    ck_assert_int_eq(pread(fd, word, 4, CCKD_L1_AT), 4);
    ck_assert_int_eq(pread(fd, word, 4, le32_load(word)), 4); /* where track 0 is */
    ck_assert_int_eq(pwrite(fd, "damage", 6, le32_load(word) + 20), 6);
    close(fd);
    expect_refused(both, ST_PROTO, "track 0");
    expect_tracks(base, old_seed);
    expect_sound(base);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("merge");
    TCase *tc = tcase_create("merge");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, killed_at_each_call);
    tcase_add_test(tc, merged_and_used_again);
    tcase_add_test(tc, a_layer_between);
    tcase_add_test(tc, refused);
    tcase_add_test(tc, a_damaged_shadow);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
