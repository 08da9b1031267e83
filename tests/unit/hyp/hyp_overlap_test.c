/* Channel programs of a base and its aliases at the same time: where one may write, another waits
 * until it is over; elsewhere none does. Written and read by several threads a track is always one
 * program's. For make tsan, too. Run alone: tests/run unit/hyp_overlap_test */
#include <sched.h>

#include "tests/unit/io/disk_fixture.h"

#include "hyp/io_worker.h"
#include "io/image/track.h"

#define BASE 0x0200
#define UNITS 4u /* the base, two aliases of it, one of HyperPAV */
#define RECORDS 12u
#define RECORD_BYTES 4096u
#define ROUNDS 250u
#define TRACKS 3u

static const u16 devno[UNITS] = {BASE, 0x02f0, 0x02f1, 0x02f2};
static struct io_worker *worker;

static u32 unit(u32 n)
{
    return css_find_devno(m.css, devno[n]);
}

static void attach_aliases(struct machine *to)
{
    struct cause cause;
    for (u32 i = 1; i < UNITS; i++)
        ck_assert_int_eq(
            eckd_alias_create(to->css, devno[i], i < UNITS - 1 ? BASE : 0, false, &cause),
            ST_OK);
}

static void make_volume(enum image_format format)
{
    struct image_create what = {
        .format = format, .cylinders = 1, .compress = true, .linux_tracks = true};
    make_disk("overlap", BASE, &what);
    attach_aliases(&m);
    for (u32 i = 0; i < UNITS; i++)
        enable(&m, unit(i), 3);
}

/** The twelve records of a track by unit n, at `where` with its data behind; `flags` are those of
 *  the first read or write. */
static void program(u32 n, u32 where, u32 track, bool write, u8 flags)
{
    bool alias = n > 0;
    u8 p[64] = {1, alias ? 0xa0 : 0x80, 0, 0, 0x02};
    if (n == UNITS - 1)
        p[1] = 0xb0;
    p[12] = write ? 0x80 : 0x40;
    p[13] = 0xc0;
    track_cchh(track, 15, p + 20);
    track_cchh(track, 15, p + 24);
    p[44] = write ? 0x01 : 0x06;
    p[47] = RECORDS;
    track_cchh(track, 15, p + 48);
    track_cchh(track, 15, p + 52);
    p[56] = 1;
    storage_write(m.storage, where + 0x800, p, sizeof p);
    ccw1(&m, where, 0xe7, CC, 64, where + 0x800);
    for (u32 i = 0; i < RECORDS; i++)
        ccw1(&m, where + 8 + 8 * i, write ? 0x85 : 0x86,
             (u8)((i + 1 < RECORDS ? CC : 0) | (i == 6 ? flags : 0)), RECORD_BYTES,
             where + 0x1000 + i * RECORD_BYTES);
}

static u32 place(u32 n)
{
    return 0x100000 + 0x20000 * n;
}

static void set(u32 n, u8 byte)
{
    memset(storage_host(m.storage, place(n) + 0x1000, RECORDS * RECORD_BYTES), byte,
           RECORDS * RECORD_BYTES);
}

static const u8 *data(u32 n)
{
    return storage_host(m.storage, place(n) + 0x1000, RECORDS * RECORD_BYTES);
}

static void begin(u32 n, u32 track, bool write, u8 flags)
{
    program(n, place(n), track, write, flags);
    ck_assert_int_eq(start(&m, unit(n), ORB_F | ORB_S | ORB_U, place(n)), 0);
}

static void expect_end(u32 n)
{
    struct irb irb;
    ck_assert_int_eq(tsch(&m, unit(n), &irb), 0);
    expect_good(irb);
}

static void resume(u32 n)
{
    *storage_host(m.storage, place(n) + 8 + 8 * 6 + 1, 1) &= (u8)~CCW_SUSPEND;
    ck_assert_int_eq(css_rsch(m.css, unit(n)), 0);
}

static void setup_here(void)
{
    make_volume(IMAGE_CKD_RAW);
    set(0, 0x11);
    begin(0, 1, true, CCW_SUSPEND); /* six of twelve records are written */
    ck_assert_int_eq(css_activity(m.css, unit(0)), CSS_SUSPENDED);
}

START_TEST(a_conflict_waits_others_do_not)
{
    begin(1, 1, false, 0);
    ck_assert_int_eq(css_activity(m.css, unit(1)), CSS_WAITING);
    begin(2, 2, false, 0);
    expect_end(2);
    begin(3, 1, false, 0);
    ck_assert_int_eq(css_activity(m.css, unit(3)), CSS_WAITING);
    resume(0);
    for (u32 n = 0; n < UNITS; n++)
        if (n != 2)
            expect_end(n);
    for (u32 i = 0; i < RECORDS; i++) {
        ck_assert_uint_eq(data(1)[i * RECORD_BYTES], 0x11);
        ck_assert_uint_eq(data(3)[i * RECORD_BYTES], 0x11);
    }
}
END_TEST

/* A writer that waits is before the readers that come after it. */
START_TEST(who_comes_first_goes_first)
{
    set(1, 0x22);
    begin(1, 1, true, CCW_SUSPEND);
    begin(2, 1, false, 0);
    resume(0);
    expect_end(0);
    ck_assert_int_eq(css_activity(m.css, unit(1)), CSS_SUSPENDED);
    ck_assert_int_eq(css_activity(m.css, unit(2)), CSS_WAITING);
    resume(1);
    expect_end(1);
    expect_end(2);
    ck_assert_uint_eq(data(2)[11 * RECORD_BYTES], 0x22);
}
END_TEST

START_TEST(halt_clear_and_reset_end_a_wait)
{
    struct irb irb;
    begin(1, 1, false, 0);
    ck_assert_int_eq(css_hsch(m.css, unit(1)), 0); /* one that waits */
    ck_assert_int_eq(tsch(&m, unit(1), &irb), 0);
    begin(2, 1, false, 0);
    ck_assert_int_eq(css_csch(m.css, unit(0)), 0); /* the one waited for */
    ck_assert_int_eq(tsch(&m, unit(0), &irb), 0);
    expect_end(2);
    ck_assert_uint_eq(data(2)[0], 0x11);
    ck_assert_uint_eq(data(2)[11 * RECORD_BYTES], 0);
    begin(0, 1, true, CCW_SUSPEND);
    begin(1, 1, false, 0);
    css_reset(m.css);
    for (u32 i = 0; i < UNITS; i++)
        enable(&m, unit(i), 3);
    begin(1, 1, false, 0);
    expect_end(1);
}
END_TEST

/* The one under way is so on the other machine, too, and who waits for it waits there. */
START_TEST(claims_move)
{
    static struct machine to;
    begin(1, 1, false, 0);
    attach_to(&to, BASE);
    attach_aliases(&to);
    move_to(&to);
    ck_assert_int_eq(css_activity(m.css, unit(1)), CSS_WAITING);
    begin(2, 1, false, 0);
    ck_assert_int_eq(css_activity(m.css, unit(2)), CSS_WAITING);
    resume(0);
    expect_end(0);
    expect_end(1);
    expect_end(2);
    ck_assert_uint_eq(data(1)[11 * RECORD_BYTES], 0x11);
}
END_TEST

static void run_job(void *ctx, void (*fn)(void *), void *arg)
{
    (void)ctx;
    io_worker_add(worker, fn, arg);
}

/* Every unit at once, reads and writes of whole tracks by turns: what is read was one write. */
START_TEST(tracks_are_one_programs)
{
    static const struct io_ports ports = {.run = run_job};
    static const enum image_format formats[] = {IMAGE_CKD_RAW, IMAGE_CCKD};
    struct irb irb;
    make_volume(formats[_i]);
    machine_fini(&m);
    worker = io_worker_create(UNITS);
    struct cause cause;
    ck_assert_int_eq(storage_create(&m.storage, STORAGE_BYTES, &cause), ST_OK);
    m.css = css_create(m.storage, &ports, &m);
    ck_assert_int_eq(dasd_create(m.css, BASE, img, false, &cause), ST_OK);
    attach_aliases(&m);
    for (u32 i = 0; i < UNITS; i++)
        enable(&m, unit(i), 3);
    u32 round[UNITS] = {0};
    bool busy[UNITS] = {false};
    for (u32 ended = 0; ended < UNITS * ROUNDS;) {
        for (u32 n = 0; n < UNITS; n++) {
            bool write = (round[n] + n) % 2;
            if (!busy[n] && round[n] < ROUNDS) {
                if (write)
                    set(n, (u8)(1 + round[n] * UNITS + n));
                begin(n, (round[n] * 5 + n) % TRACKS, write, 0);
                busy[n] = true;
            } else if (busy[n] && tsch(&m, unit(n), &irb) == 0) {
                expect_good(irb);
                for (u32 i = 1; i < RECORDS && !write; i++)
                    ck_assert_uint_eq(data(n)[i * RECORD_BYTES], data(n)[0]);
                busy[n] = false;
                round[n]++;
                ended++;
            }
        }
        sched_yield();
    }
    machine_fini(&m);
    io_worker_destroy(worker);
    image_unref(img);
    unlink(path);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("overlap");
    tcase_add_checked_fixture(tc, setup_here, teardown);
    tcase_add_test(tc, a_conflict_waits_others_do_not);
    tcase_add_test(tc, who_comes_first_goes_first);
    tcase_add_test(tc, halt_clear_and_reset_end_a_wait);
    tcase_add_test(tc, claims_move);
    TCase *threads = tcase_create("threads");
    tcase_set_timeout(threads, 120);
    tcase_add_loop_test(threads, tracks_are_one_programs, 0, 2);
    suite_add_tcase(suite, threads);
    return run_suite(suite);
}
