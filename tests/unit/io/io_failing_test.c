/* A disk of the host that fails, with EIO, in reads or in writes: the guest gets an equipment
 * check, the operator one message and another when I/O goes on, what was written is there. This
 * program's own pread and pwrite stand between the library and the host. */
#include "tests/unit/io/disk_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include "io/image/image_internal.h"
#include "io/image/track.h"
#include "io/image/window.h"
#include "mem/base/log.h"

#define CKD_DEVNO 0x0200
#define FBA_DEVNO 0x0300
#define BYTES 4096u

static bool reads_fail, writes_fail, syncs_fail;
static atomic_bool loses;        /* the next flush tells of lost writes, as Linux does: once */
static atomic_ullong *asked_for; /* that flush takes until two have been asked for */
static atomic_uint errors, notes;
static char last[512];

ssize_t pread(int fd, void *buf, size_t n, off_t where)
{
    if (reads_fail) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_pread64, fd, buf, n, where);
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t where)
{
    if (writes_fail) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, buf, n, where);
}

int fdatasync(int fd)
{
    bool lost = atomic_exchange(&loses, false);
    while (lost && asked_for && atomic_load(asked_for) < 2)
        sched_yield();
    if (syncs_fail || lost) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

static void operator_hears(void *ctx, char severity, const char *text)
{
    (void)ctx;
    snprintf(last, sizeof last, "%s", text);
    atomic_fetch_add(severity == 'E' ? &errors : &notes, 1);
}

static const enum image_format formats[] = {IMAGE_CKD_RAW, IMAGE_CKD, IMAGE_CCKD,
                                            IMAGE_FBA_RAW};

static void setup(int which)
{
    struct image_create what = {.format = formats[which],
                                .cylinders = 2,
                                .blocks = 1000,
                                .compress = true,
                                .linux_tracks = true};
    if (formats[which] == IMAGE_FBA_RAW)
        what.cylinders = 0;
    make_disk("failing", formats[which] == IMAGE_FBA_RAW ? FBA_DEVNO : CKD_DEVNO, &what);
    log_set_operator(operator_hears, NULL);
}

static void ckd_program(u32 track, bool write)
{
    u8 p[16] = {write ? 0x80 : 0x40, 0xc0};
    track_cchh(track, 15, p + 8);
    track_cchh(track, 15, p + 12);
    storage_write(m.storage, EXTENT, p, sizeof p);
    u8 l[16] = {write ? 0x01 : 0x06, 0, 0, 1};
    track_cchh(track, 15, l + 4);
    track_cchh(track, 15, l + 8);
    l[12] = 3;
    storage_write(m.storage, LOCATE, l, sizeof l);
    ccw(0x63, CC, 16, EXTENT);
    ccw(0x47, CC, 16, LOCATE);
    ccw(write ? 0x85 : 0x86, 0, BYTES, AREA);
}

static void fba_program(u32 place, bool write)
{
    u8 p[16] = {write ? 0x00 : 0x40};
    be32_store(p + 12, 999);
    storage_write(m.storage, EXTENT, p, sizeof p);
    u8 l[8] = {write ? 0x01 : 0x06, 0, 0, BYTES / 512};
    be32_store(l + 4, place * 8);
    storage_write(m.storage, LOCATE, l, sizeof l);
    ccw(0x63, CC, 16, EXTENT);
    ccw(0x43, CC, 8, LOCATE);
    ccw(write ? 0x41 : 0x42, 0, BYTES, AREA);
}

static void program(u32 place, bool write, u8 byte)
{
    fill(AREA, byte, BYTES);
    if (image_geometry(img)->tracks)
        ckd_program(place, write);
    else
        fba_program(place, write);
}

static void expect_read(u32 place, u8 byte)
{
    program(place, false, 0xee);
    good();
    const u8 *bytes = storage_host(m.storage, AREA, BYTES);
    ck_assert_uint_eq(bytes[0], byte);
    ck_assert_uint_eq(bytes[BYTES - 1], byte);
}

static void expect_failure(u32 place, bool write)
{
    program(place, write, 0x55);
    bad(0x10, 0x80, 0);
}

START_TEST(failing_writes)
{
    setup(_i);
    program(1, true, 0x11);
    good();
    writes_fail = true;
    for (u32 i = 0; i < 3; i++)
        expect_failure(1 + i, true);
    ck_assert_uint_eq(errors, 1);
    ck_assert_uint_eq(notes, 0);
    ck_assert_ptr_nonnull(strstr(last, "writing"));
    ck_assert_ptr_nonnull(strstr(last, path));
    ck_assert_ptr_nonnull(strstr(last, strerror(EIO)));
    expect_read(1, 0x11); /* it is as it was */
    writes_fail = false;
    program(2, true, 0x22);
    good();
    ck_assert_uint_eq(errors, 1);
    ck_assert_uint_eq(notes, 1);
    ck_assert_ptr_nonnull(strstr(last, "goes on"));
    expect_read(1, 0x11);
    expect_read(2, 0x22);
    writes_fail = true; /* again: the operator hears of it again */
    expect_failure(2, true);
    ck_assert_uint_eq(errors, 2);
    writes_fail = false;
    expect_read(2, 0x22);
    teardown();
}
END_TEST

START_TEST(failing_reads)
{
    setup(_i);
    program(1, true, 0x11);
    good();
    program(2, true, 0x22);
    good();
    close_disk(); /* nothing is in storage any more */
    open_disk(formats[_i] == IMAGE_FBA_RAW ? FBA_DEVNO : CKD_DEVNO, 0);
    reads_fail = true;
    for (u32 i = 0; i < 3; i++)
        expect_failure(1 + i % 2, false);
    ck_assert_uint_eq(errors, 1);
    ck_assert_ptr_nonnull(strstr(last, "reading"));
    reads_fail = false;
    expect_read(1, 0x11);
    ck_assert_uint_eq(notes, 1);
    expect_read(2, 0x22);
    ck_assert_uint_eq(errors, 1);
    teardown();
}
END_TEST

/** A program that writes record 3 of track 1 and is suspended before it writes record 4. */
static void write_and_suspend(u8 byte)
{
    struct irb irb;
    fill(AREA, byte, BYTES);
    ckd_program(1, true);
    at -= 8;
    storage_write(m.storage, LOCATE + 3, (u8[]){2}, 1);
    ccw(0x85, CC, BYTES, AREA);
    ccw(0x85, CCW_SUSPEND, BYTES, AREA);
    at = PROGRAM;
    ck_assert_int_eq(start(&m, id, ORB_F | ORB_S | ORB_U, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 1);
    ck_assert(css_activity(m.css, id) == CSS_SUSPENDED);
}

static struct irb resume(void)
{
    struct irb irb;
    storage_host(m.storage, PROGRAM + 3 * 8 + 1, 1)[0] = 0; /* no suspension */
    ck_assert_int_eq(css_rsch(m.css, id), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    return irb;
}

/** State is not saved without what the program under way has written; the guest goes on here, and
 *  writes when the host does, unless it has `lost` something. */
static void refused(bool *what_fails, unsigned flags, bool lost)
{
    const struct image_create what = {
        .format = IMAGE_CKD_RAW, .cylinders = 2, .linux_tracks = true};
    struct codec_out out;
    struct cause cause = {0};
    make_disk("failing", CKD_DEVNO, &what);
    close_disk();
    open_disk(CKD_DEVNO, flags);
    log_set_operator(operator_hears, NULL);
    program(1, true, 0x11);
    good();
    write_and_suspend(0x22);
    css_quiesce(m.css);
    codec_out_init(&out);
    *what_fails = true;
    ck_assert_int_eq(css_save(m.css, 5, &out, &cause), ST_IO);
    *what_fails = false;
    codec_out_fini(&out);
    ck_assert_ptr_nonnull(strstr(cause.text, "disk 0200 of "));
    ck_assert_ptr_nonnull(strstr(cause.text, path));
    ck_assert_ptr_nonnull(strstr(cause.text, strerror(EIO)));
    css_resume(m.css);
    expect_bad(resume(), 0x10, 0x80, 0); /* it is not told that all was written */
    program(1, true, 0x33);
    if (lost) {
        bad(0x10, 0x80, 0);
        close_disk();
        open_disk(CKD_DEVNO, flags);
        program(1, true, 0x33);
    }
    good();
    expect_read(1, 0x33);
    teardown();
}

START_TEST(state_is_not_saved_when_writes_fail)
{
    refused(&writes_fail, 0, false);
}
END_TEST

START_TEST(state_is_not_saved_when_the_sync_fails)
{
    refused(&syncs_fail, IMAGE_SYNC, true);
}
END_TEST

/* ---- a flush that fails ---- */

static u16 devno(void)
{
    return image_geometry(img)->tracks ? CKD_DEVNO : FBA_DEVNO;
}

static void sync_is(int want)
{
    struct cause cause = {0};
    ck_assert_int_eq(image_sync(img, &cause), want);
    if (want)
        ck_assert_ptr_nonnull(strstr(cause.text, path));
}

/* The thread that flushes hears from the host, once, that writes were lost. Flushes go well again
 * afterwards; but no write is taken and no sync goes well until the image is opened anew, and the
 * operator knows. Reads do. */
START_TEST(a_lost_write_is_not_forgotten)
{
    setup(_i);
    u16 at_devno = devno();
    close_disk();
    open_disk(at_devno, IMAGE_LIVE);
    atomic_store(&loses, true);
    program(1, true, 0x11);
    good();
    while (!atomic_load(&errors))
        sched_yield();
    ck_assert_ptr_nonnull(strstr(last, path));
    ck_assert_ptr_nonnull(strstr(last, strerror(EIO)));
    ck_assert_ptr_nonnull(strstr(last, "lost"));
    sync_is(ST_IO);
    for (u32 i = 0; i < 2; i++)
        expect_failure(1 + i, true);
    ck_assert_ptr_nonnull(strstr(last, "lost"));
    expect_read(1, 0x11);
    sync_is(ST_IO);
    ck_assert_uint_eq(errors, 2); /* of the flush, and of the device's writes */
    ck_assert_uint_eq(notes, 0);
    close_disk();
    open_disk(at_devno, IMAGE_LIVE);
    program(2, true, 0x22);
    good();
    sync_is(ST_OK);
    expect_read(2, 0x22);
    teardown();
}
END_TEST

static void *syncs(void *arg)
{
    *(int *)arg = image_sync(img, NULL);
    return NULL;
}

/* Two ask at once, and the host tells one of them only. */
START_TEST(a_lost_write_is_told_to_all_who_ask)
{
    pthread_t thread[2];
    int rc[2];
    setup(_i);
    program(1, true, 0x11);
    good();
    asked_for = &img->flushes_asked;
    atomic_store(&loses, true);
    for (u32 i = 0; i < 2; i++)
        pthread_create(&thread[i], NULL, syncs, &rc[i]);
    for (u32 i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    asked_for = NULL;
    ck_assert_int_eq(rc[0], ST_IO);
    ck_assert_int_eq(rc[1], ST_IO);
    teardown();
}
END_TEST

/* A volume of CP's is closed when its last user goes, which helps nothing: it is varied offline
 * and online, which makes another share. */
START_TEST(a_volume_that_lost_writes_stays_so)
{
    static u8 track[IMAGE_TRACK_BYTES_MAX];
    struct share *share;
    struct image *volume = NULL;
    u32 len;
    setup(_i);
    close_disk();
    for (u32 round = 0; round < 2; round++) {
        ck_assert_int_eq(share_create(path, 0, &share, NULL), ST_OK);
        ck_assert_int_eq(
            window_create(share, (struct window_extent){0, 2}, true, &volume, NULL), ST_OK);
        ck_assert_int_eq(window_activate(volume, NULL), ST_OK);
        ck_assert_int_eq(image_read_track(volume, 1, track, &len, NULL), ST_OK);
        ck_assert_int_eq(image_write_track(volume, 1, track, len, NULL), ST_OK);
        atomic_store(&loses, round == 0);
        window_deactivate(volume);
        ck_assert_int_eq(window_activate(volume, NULL), ST_OK);
        ck_assert_int_eq(image_read_track(volume, 1, track, &len, NULL), ST_OK);
        ck_assert_int_eq(image_write_track(volume, 1, track, len, NULL), round ? ST_OK : ST_IO);
        ck_assert_int_eq(image_sync(volume, NULL), round ? ST_OK : ST_IO);
        image_unref(volume);
        share_unref(share);
    }
    unlink(path);
}
END_TEST

/** And when nothing fails the program goes on as if it had not been looked at. */
START_TEST(state_is_saved_and_the_program_goes_on)
{
    const struct image_create what = {
        .format = IMAGE_CKD_RAW, .cylinders = 2, .linux_tracks = true};
    struct codec_out out;
    make_disk("failing", CKD_DEVNO, &what);
    write_and_suspend(0x22);
    css_quiesce(m.css);
    codec_out_init(&out);
    ck_assert_int_eq(css_save(m.css, 5, &out, NULL), ST_OK);
    codec_out_fini(&out);
    css_resume(m.css);
    expect_good(resume());
    expect_read(1, 0x22);
    teardown();
}
END_TEST

int main(void)
{
    SUITE_BEGIN("failing");
    tcase_add_loop_test(tc, failing_writes, 0, ARRAY_LEN(formats));
    tcase_add_loop_test(tc, failing_reads, 0, ARRAY_LEN(formats));
    tcase_add_test(tc, state_is_not_saved_when_writes_fail);
    tcase_add_test(tc, state_is_not_saved_when_the_sync_fails);
    tcase_add_loop_test(tc, a_lost_write_is_not_forgotten, 0, ARRAY_LEN(formats));
    tcase_add_loop_test(tc, a_lost_write_is_told_to_all_who_ask, 0, ARRAY_LEN(formats));
    tcase_add_loop_test(tc, a_volume_that_lost_writes_stays_so, 0, ARRAY_LEN(formats) - 1);
    tcase_add_test(tc, state_is_saved_and_the_program_goes_on);
    return run_suite(suite);
}
