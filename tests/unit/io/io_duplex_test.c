/* A volume on two files: both have what was written; one that fails is severed and the other goes
 * on, whatever fails first; who lacks something is never read, also after kills; it is copied
 * anew beside the guest's own writes. Run alone: tests/run unit/io_duplex_test */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/image/duplex.h"
#include "io/image/image_internal.h"
#include "mem/base/log.h"

#define TRACKS 60u /* four cylinders */

static char dir[64], both[256], path[2][96];
static struct image *img;
static struct cause cause;
static atomic_int failing = -1; /* this half's writes fail, */
static atomic_bool reads_too;
static atomic_bool flushes_only; /* instead of its writes: flushes of it fail */
static unsigned names_unsynced;  /* renames that the host's disk need not have */
static atomic_uint errors, notes;

static bool fails(int fd)
{
    char link[64], target[256];
    if (failing < 0)
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, target, sizeof target - 1);
    target[n < 0 ? 0 : n] = 0;
    errno = EIO;
    return strstr(target, failing ? "/second" : "/first") != NULL;
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t where)
{
    return !flushes_only && fails(fd) ? -1 : syscall(SYS_pwrite64, fd, buf, n, where);
}

int fdatasync(int fd)
{
    return flushes_only && fails(fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int rename(const char *from, const char *to)
{
    names_unsynced++;
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int fsync(int fd)
{
    struct stat sb;
    if (fstat(fd, &sb) == 0 && S_ISDIR(sb.st_mode))
        names_unsynced = 0;
    return (int)syscall(SYS_fsync, fd);
}

ssize_t pread(int fd, void *buf, size_t n, off_t where)
{
    return reads_too && fails(fd) ? -1 : syscall(SYS_pread64, fd, buf, n, where);
}

static void hears(void *ctx, char severity, const char *text)
{
    (void)ctx;
    (void)text;
    atomic_fetch_add(severity == 'E' ? &errors : &notes, 1);
}

static void open_both(void)
{
    ck_assert_msg(image_open(both, IMAGE_LIVE, &img, &cause) == ST_OK, "%s", cause.text);
}

static void close_both(void)
{
    ck_assert(image_unref(img));
    img = NULL;
}

static struct duplex_status status(void)
{
    struct duplex_status s;
    ck_assert(duplex_status(img, &s));
    return s;
}

static void until_both(void)
{
    while (status().copying)
        sched_yield();
    ck_assert(status().good[0] && status().good[1]);
}

static const enum image_format formats[] = {IMAGE_CKD, IMAGE_CCKD};

static void begin(void)
{
    strcpy(dir, "/tmp/io_duplex.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    for (unsigned i = 0; i < 2; i++) {
        const struct image_create what = {
            .format = formats[i], .cylinders = TRACKS / 15, .compress = true};
        snprintf(path[i], sizeof path[i], "%s/%s", dir, i ? "second" : "first");
        ck_assert_msg(image_create(path[i], &what, &cause) == ST_OK, "%s", cause.text);
    }
    snprintf(both, sizeof both, "%s,mirror=%s", path[0], path[1]);
    failing = -1;
    reads_too = flushes_only = false;
    log_set_operator(hears, NULL);
}

static void end(void)
{
    char command[128];
    failing = -1;
    image_unref(img);
    img = NULL;
    log_set_operator(NULL, NULL);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* A track with one record that says `value`. */
static int put(struct image *to, u32 track, u32 value)
{
    u8 buf[IMAGE_TRACK_BYTES_MAX];
    u32 len;
    int rc = image_read_track(to, track, buf, &len, &cause);
    if (rc)
        return rc;
    u8 *r = buf + TRACK_HA_BYTES + 16; /* behind record 0 */
    memset(r, 0, 8);
    be16_store(r, (u16)(track / 15));
    be16_store(r + 2, (u16)(track % 15));
    r[4] = 1;
    be16_store(r + 6, 4);
    be32_store(r + 8, value);
    memset(r + 12, 0xff, 8);
    return image_write_track(to, track, buf, (u32)(r + 20 - buf), &cause);
}

static u32 get(struct image *from, u32 track)
{
    u8 buf[IMAGE_TRACK_BYTES_MAX];
    u32 len;
    ck_assert_msg(image_read_track(from, track, buf, &len, &cause) == ST_OK, "%s", cause.text);
    return be32_load(buf + TRACK_HA_BYTES + 16 + 8);
}

static u32 alone(unsigned half, u32 track)
{
    struct image *one;
    ck_assert_msg(image_open(path[half], IMAGE_READ_ONLY, &one, &cause) == ST_OK, "%s",
                  cause.text);
    u32 value = get(one, track);
    image_unref(one);
    return value;
}

static void fill(u32 value)
{
    for (u32 t = 0; t < TRACKS; t++)
        ck_assert_msg(put(img, t, value + t) == ST_OK, "%s", cause.text);
}

static void check(u32 value)
{
    for (u32 t = 0; t < TRACKS; t++)
        ck_assert_uint_eq(get(img, t), value + t);
}

static void check_halves(u32 value)
{
    for (u32 t = 0; t < TRACKS; t++)
        for (unsigned i = 0; i < 2; i++)
            ck_assert_uint_eq(alone(i, t), value + t);
}

START_TEST(both_have_it)
{
    open_both();
    ck_assert(status().good[0]); /* new: the second is copied */
    until_both();
    fill(100);
    ck_assert_int_eq(image_sync(img, &cause), ST_OK);
    check(100);
    close_both();
    check_halves(100);
    open_both();
    ck_assert(status().good[0] && status().good[1] && !status().copying);
    check(100);
}
END_TEST

/* One fails in a write, a read: the other goes on, and nobody reads the failed one from then on,
 * though it works again; then it is copied while others write. */
START_TEST(one_fails)
{
    int half = _i % 2;
    open_both();
    until_both();
    fill(100);
    failing = half;
    reads_too = _i >= 2;
    atomic_store(&errors, 0);
    fill(200);
    check(200);
    ck_assert(!status().good[half] && status().good[!half]);
    ck_assert_uint_ge(atomic_load(&errors), 1);
    ck_assert_uint_eq(names_unsynced, 0); /* the note about it is there after a power failure */
    failing = -1;
    check(200);
    close_both();
    ck_assert_uint_eq(alone(!half, 7), 207);
    open_both(); /* it is copied by itself */
    for (u32 t = 0; t < TRACKS; t++)
        ck_assert_int_eq(put(img, t, 300 + t), ST_OK);
    until_both();
    close_both();
    check_halves(300);
}
END_TEST

/* The host has lost what was written to the first, and may give what was there before. */
START_TEST(lost_writes_are_not_read)
{
    open_both();
    until_both();
    atomic_store(&errors, 0);
    flushes_only = true;
    failing = 0;
    fill(100);
    while (atomic_load(&errors) == 0) /* nobody waits for the flush */
        sched_yield();
    failing = -1;
    check(100);
    while (status().good[0]) /* the operator hears first */
        sched_yield();
    check(100);
    ck_assert(status().good[1]);
    close_both();
    open_both();
    check(100);
    until_both();
    close_both();
    check_halves(100);
}
END_TEST

/* A flush that nobody waits for severs the half that it fails for, though nobody reads or writes;
 * the operator hears of the loss and of the severing. */
START_TEST(a_flush_severs)
{
    open_both();
    until_both();
    atomic_store(&errors, 0);
    flushes_only = true;
    failing = _i;
    fill(100);
    while (status().good[_i])
        sched_yield();
    ck_assert(status().good[!_i]);
    ck_assert_uint_eq(errors, 2);
    ck_assert_uint_eq(names_unsynced, 0); /* the note about it is there after a power failure */
    failing = -1;
    check(100);
    close_both();
    open_both();
    ck_assert(status().copying || status().good[_i]);
    until_both();
    close_both();
    check_halves(100);
}
END_TEST

/* The last one is not severed, and gives what it can. */
START_TEST(the_last_one_stays)
{
    open_both();
    until_both();
    ck_assert_int_eq(duplex_suspend(img, !_i, &cause), ST_OK);
    atomic_store(&errors, 0);
    flushes_only = true;
    failing = _i;
    fill(100);
    while (atomic_load(&errors) == 0)
        sched_yield();
    ck_assert_int_ne(put(img, 1, 200), ST_OK);
    ck_assert(status().good[_i] && !status().good[!_i]);
    failing = -1;
    ck_assert(!image_unref(img)); /* it says that not all is there */
    img = NULL;
}
END_TEST

/* Without the one that is good nothing is read; without the other it goes on. */
START_TEST(stale_is_not_read)
{
    char away[128];
    open_both();
    until_both();
    fill(100);
    failing = 0;
    fill(200);
    failing = -1;
    close_both();
    snprintf(away, sizeof away, "%s.away", path[1]);
    ck_assert_int_eq(rename(path[1], away), 0);
    ck_assert_int_ne(image_open(both, 0, &img, &cause), ST_OK);
    ck_assert_int_eq(rename(away, path[1]), 0);
    snprintf(away, sizeof away, "%s.away", path[0]);
    ck_assert_int_eq(rename(path[0], away), 0);
    open_both();
    check(200);
    close_both();
    ck_assert_int_eq(rename(away, path[0]), 0);
    open_both();
    check(200);
    until_both();
    close_both();
    check_halves(200);
    ck_assert_int_eq(rename(path[0], away), 0); /* now neither is alone */
    ck_assert_int_ne(image_open(both, 0, &img, &cause), ST_OK);
    ck_assert_int_eq(rename(away, path[0]), 0);
}
END_TEST

START_TEST(by_the_operator)
{
    open_both();
    until_both();
    ck_assert_int_eq(duplex_resume(img, &cause), ST_INVAL);
    ck_assert_int_eq(duplex_suspend(img, 0, &cause), ST_OK);
    ck_assert_int_eq(duplex_suspend(img, 1, &cause), ST_INVAL);
    fill(100);
    close_both();
    open_both();
    ck_assert(status().suspended && !status().copying && !status().good[0]);
    check(100);
    ck_assert_int_eq(duplex_resume(img, &cause), ST_OK);
    until_both();
    close_both();
    check_halves(100);
}
END_TEST

/* Killed while one half fails now and then: what was answered is there, from whichever is good. */
START_TEST(killed)
{
    for (unsigned round = 0; round < 24; round++) {
        int fds[2];
        u32 told = 0, next;
        ck_assert_int_eq(pipe(fds), 0);
        pid_t child = fork();
        if (!child) {
            if (image_open(both, 0, &img, &cause))
                _exit(1);
            for (u32 n = 1;; n++) {
                failing = n % 97 == 50 ? (int)(n / 97 + round) % 2 : -1;
                if (n % 97 == 90)
                    duplex_resume(img, &cause);
                for (u32 t = 0; t < 3; t++)
                    if (put(img, t, n))
                        _exit(1);
                if (write(fds[1], &n, sizeof n) != sizeof n)
                    _exit(1);
            }
        }
        close(fds[1]);
        while (told < 1 + round * 9 && read(fds[0], &next, sizeof next) == sizeof next)
            told = next;
        ck_assert_uint_gt(told, 0);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(fds[0], &next, sizeof next) == sizeof next)
            told = next;
        close(fds[0]);
        open_both();
        for (u32 t = 0; t < 3; t++)
            ck_assert_msg(get(img, t) == told || get(img, t) == told + 1,
                          "round %u: %u, not %u", round, get(img, t), told);
        until_both();
        close_both();
        for (u32 t = 0; t < 3; t++)
            ck_assert_uint_eq(alone(0, t), alone(1, t));
    }
}
END_TEST

/* One that is used by itself is right from then on; where both were nobody says which is. */
START_TEST(used_alone)
{
    open_both();
    until_both();
    fill(100);
    close_both();
    ck_assert_int_eq(image_open(path[1], 0, &img, &cause), ST_OK);
    fill(200);
    close_both();
    open_both();
    check(200);
    until_both();
    close_both();
    check_halves(200);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(image_open(path[i], 0, &img, &cause), ST_OK);
        close_both();
    }
    ck_assert_int_eq(image_open(both, 0, &img, &cause), ST_CONFIG);
    ck_assert_ptr_nonnull(strstr(cause.text, "both written by themselves"));
}
END_TEST

static void no_fault(void *arg, u32 track, const char *text)
{
    (void)arg;
    ck_abort_msg("track %u: %s", track, text);
}

/* What cannot be read in one file is in the other, and not to become empty. */
START_TEST(not_repaired_by_itself)
{
    struct image_check found = {0};
    open_both();
    until_both();
    close_both();
    for (unsigned i = 0; i < 2; i++)
        ck_assert_int_eq(image_repair(path[i], no_fault, NULL, &found, &cause), ST_INVAL);
    ck_assert_int_eq(image_open(path[1], 0, &img, &cause), ST_OK);
    close_both();
    ck_assert_int_eq(image_repair(path[1], no_fault, NULL, &found, &cause), ST_OK);
}
END_TEST

START_TEST(refused)
{
    const struct image_create small = {.format = IMAGE_CKD, .cylinders = 2};
    struct image *second;
    char odd[400];
    snprintf(odd, sizeof odd, "%s/small", dir);
    ck_assert_int_eq(image_create(odd, &small, &cause), ST_OK);
    snprintf(odd, sizeof odd, "%s,mirror=%s/small", path[0], dir);
    ck_assert_int_eq(image_open(odd, 0, &img, &cause), ST_CONFIG);
    snprintf(odd, sizeof odd, "%s,mirror=%s", both, path[0]);
    ck_assert_int_eq(image_open(odd, 0, &img, &cause), ST_INVAL);
    snprintf(odd, sizeof odd, "%s/third.duplex", dir);
    FILE *f = fopen(odd, "w"); /* of another pair */
    fprintf(f, "duplex 1234 7 closed 1 alone 0 suspended 0 end\n");
    fclose(f);
    snprintf(odd, sizeof odd, "%s/third", dir);
    const struct image_create same = {.format = IMAGE_CKD, .cylinders = TRACKS / 15};
    ck_assert_int_eq(image_create(odd, &same, &cause), ST_OK);
    open_both();
    close_both();
    snprintf(odd, sizeof odd, "%s,mirror=%s/third", path[0], dir);
    ck_assert_int_eq(image_open(odd, 0, &img, &cause), ST_CONFIG);
    ck_assert_ptr_nonnull(strstr(cause.text, "mirror of another file"));
    open_both();
    ck_assert_int_eq(image_open(both, 0, &second, &cause), ST_BUSY);
    ck_assert_int_eq(image_open(path[1], 0, &second, &cause), ST_BUSY);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io_duplex");
    TCase *tc = tcase_create("duplex");
    tcase_add_checked_fixture(tc, begin, end);
    tcase_set_timeout(tc, 120); /* a limit for hangs, not a measure */
    tcase_add_test(tc, both_have_it);
    tcase_add_loop_test(tc, one_fails, 0, 4);
    tcase_add_loop_test(tc, a_flush_severs, 0, 2);
    tcase_add_loop_test(tc, the_last_one_stays, 0, 2);
    tcase_add_test(tc, lost_writes_are_not_read);
    tcase_add_test(tc, stale_is_not_read);
    tcase_add_test(tc, by_the_operator);
    tcase_add_test(tc, killed);
    tcase_add_test(tc, used_alone);
    tcase_add_test(tc, not_repaired_by_itself);
    tcase_add_test(tc, refused);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
