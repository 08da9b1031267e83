/* Channel programs on a thread that may not wait for the host (css_attempt): what is in the host's
 * storage is read there, the rest is for another thread; who wants the thread, halts, clears or
 * moves the machine meanwhile finds the program between two commands. What it ends with is always
 * the same. Run alone: tests/run unit/io_attempt_test */
#include "tests/unit/io/disk_fixture.h"

#include <fcntl.h>
#include <sys/uio.h>

#include "io/image/track.h"
#include "io/image/window.h"

#define RECORDS 12u
#define RECORD_BYTES 4096u
#define TRACK 3u
#define COMMANDS (2u + RECORDS)
#define NEVER ~0u

static u32 asked, stop_at;

static bool go_on(void *arg)
{
    (void)arg;
    return asked++ < stop_at;
}

static const struct css_attempt how = {go_on, NULL};

/** Define extent, locate, and all records of the track. */
static void program(u8 mask, u8 operation, u8 command)
{
    u8 de[16] = {mask, 0xc0, 0x10, 0x00}, lr[16] = {operation, 0x80, 0, RECORDS};
    track_cchh(TRACK, 15, de + 8);
    track_cchh(TRACK, 15, de + 12);
    track_cchh(TRACK, 15, lr + 4);
    track_cchh(TRACK, 15, lr + 8);
    lr[12] = 1;
    be16_store(lr + 14, RECORD_BYTES);
    ck_assert(storage_write(m.storage, EXTENT, de, sizeof de));
    ck_assert(storage_write(m.storage, LOCATE, lr, sizeof lr));
    at = PROGRAM;
    ccw(0x63, CC, 16, EXTENT);
    ccw(0x47, CC, 16, LOCATE);
    for (u32 i = 0; i < RECORDS; i++)
        ccw(command, i + 1 < RECORDS ? CC : 0, RECORD_BYTES, AREA + i * RECORD_BYTES);
}

static void reads(void)
{
    program(0x40, 0x06, 0x86);
}

static void writes(void)
{
    program(0x80, 0x01, 0x85);
}

/** What SSCH leaves, with word 1 of the ORB as start has it; NULL: it is under way elsewhere. */
static struct subchannel *left_by_start(u32 flags)
{
    u8 orb[ORB_BYTES] = {0};
    struct subchannel *left;
    be32_store(orb + 4, flags | 0xff00u);
    be32_store(orb + 8, PROGRAM);
    ck_assert_int_eq(css_ssch_left(m.css, id, orb, &left), 0);
    asked = 0;
    return left;
}

static struct irb ends(void)
{
    struct irb irb;
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    return irb;
}

static void expect_data(u8 byte)
{
    const u8 *data = storage_host(m.storage, AREA, RECORDS * RECORD_BYTES);
    for (u32 i = 0; i < RECORDS * RECORD_BYTES; i++)
        ck_assert_uint_eq(data[i], byte);
}

/** Every program is left, whatever came of the one before. */
static void always(void)
{
    struct subchannel *sub = css_sub_locked(m.css, id);
    sub->skip_attempts = sub->failed_attempts = 0;
}

/** The track has records of `byte`, and the device has seen that Linux formatted it. */
static void prepare(u8 byte)
{
    fill(AREA, byte, RECORDS * RECORD_BYTES);
    writes();
    good();
    fill(AREA, 0, RECORDS * RECORD_BYTES);
    reads();
    good();
    fill(AREA, 0, RECORDS * RECORD_BYTES);
    m.defer = true;
    stop_at = NEVER;
    always();
}

/** So that a read is one of the file. */
static void forget_cache(void)
{
    const u8 was = (u8)(TRACK + 1);
    u8 de[16] = {0x40, 0xc0, 0x10, 0x00};
    m.defer = false;
    for (u32 t = was; t < was + 16u; t++) {
        reads();
        track_cchh(t, 15, de + 8);
        track_cchh(t, 15, de + 12);
        ck_assert(storage_write(m.storage, EXTENT, de, sizeof de));
        ck_assert(storage_write(m.storage, LOCATE + 4, de + 8, 4));
        ck_assert(storage_write(m.storage, LOCATE + 8, de + 8, 4));
        good();
    }
    fill(AREA, 0, RECORDS * RECORD_BYTES);
    reads();
    m.defer = true;
    always();
}

static void setup(void)
{
    make_disk(
        "attempt", 0x0200,
        &(struct image_create){.format = IMAGE_CKD_RAW, .cylinders = 4, .linux_tracks = true});
    prepare(0x5a);
}

START_TEST(a_read_ends_without_another_thread)
{
    forget_cache();
    struct subchannel *left = left_by_start(ORB_F);
    ck_assert_ptr_nonnull(left);
    ck_assert_uint_eq(m.isc_mask, 0); /* nothing has begun */
    ck_assert(css_attempt(left, &how));
    ck_assert_uint_eq(m.jobs, 0);
    ck_assert_uint_eq(asked, COMMANDS);
    expect_good(ends());
    expect_data(0x5a);
}
END_TEST

START_TEST(what_is_left_may_be_done_as_ever)
{
    struct subchannel *left = left_by_start(ORB_F);
    css_attempt_not(left);
    ck_assert_uint_eq(m.jobs, 1);
    machine_run(&m);
    expect_good(ends());
    expect_data(0x5a);
}
END_TEST

/* preadv2 with RWF_NOWAIT has EAGAIN, or on some file systems EOPNOTSUPP. */
START_TEST(what_the_host_does_not_have_is_read_elsewhere)
{
    forget_cache();
    int fd = open(path, O_RDWR);
    ck_assert_int_eq(fsync(fd), 0);
    ck_assert_int_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    u8 bytes[1];
    struct iovec to = {bytes, 1};
    bool gone = preadv2(fd, &to, 1, TRACK * 65536, RWF_NOWAIT) != 1;
    close(fd);
    bool all = css_attempt(left_by_start(ORB_F), &how);
    ck_assert_int_eq(all, !gone);
    ck_assert_uint_eq(m.jobs, gone);
    machine_run(&m);
    expect_good(ends());
    expect_data(0x5a);
}
END_TEST

/* It is not known what the track looks like: it is read whole, once. */
START_TEST(a_track_that_was_never_seen_is_read_elsewhere)
{
    close_disk();
    open_disk(0x0200, 0);
    reads();
    m.defer = true;
    ck_assert(!css_attempt(left_by_start(ORB_F), &how));
    ck_assert_uint_eq(m.jobs, 1);
    ck_assert_uint_eq(m.isc_mask, 0);
    machine_run(&m);
    expect_good(ends());
    expect_data(0x5a);
}
END_TEST

START_TEST(writes_are_done_elsewhere_and_soon_not_tried)
{
    fill(AREA, 0xa5, RECORDS * RECORD_BYTES);
    writes();
    u32 tried = 0;
    for (u32 i = 0; i < 20; i++) {
        struct subchannel *left = left_by_start(ORB_F);
        tried += left != NULL;
        ck_assert(!left || !css_attempt(left, &how));
        ck_assert_uint_eq(m.jobs, 1);
        machine_run(&m);
        expect_good(ends());
    }
    ck_assert_uint_eq(tried, 4); /* 1, 3 and 7 are not */
    u8 *bytes = malloc(IMAGE_TRACK_BYTES_MAX);
    u32 len;
    ck_assert_int_eq(image_read_track(img, TRACK, bytes, &len, NULL), ST_OK);
    ck_assert_uint_eq(bytes[len - 9], 0xa5);
    free(bytes);
}
END_TEST

/* An interruption becomes pending, or another CPU wants the thread, before command _i. */
START_TEST(who_wants_the_thread_has_it_between_two_commands)
{
    forget_cache();
    stop_at = (u32)_i;
    ck_assert(!css_attempt(left_by_start(ORB_F), &how));
    ck_assert_uint_eq(asked, stop_at + 1);
    ck_assert_uint_eq(m.jobs, 1);
    machine_run(&m);
    expect_good(ends());
    expect_data(0x5a);
}
END_TEST

START_TEST(clear_and_halt_end_it_at_each_point)
{
    for (u32 n = 0; n <= COMMANDS; n++) {
        bool clear = _i;
        struct subchannel *left = left_by_start(ORB_F);
        stop_at = n;
        if (n)
            ck_assert_int_eq(css_attempt(left, &how), n == COMMANDS);
        if (n == COMMANDS && !clear) { /* it has ended, and halt finds its status */
            ck_assert_int_eq(css_hsch(m.css, id), 1);
            expect_good(ends());
            continue;
        }
        ck_assert_int_eq(clear ? css_csch(m.css, id) : css_hsch(m.css, id), 0);
        if (!n)
            ck_assert(!css_attempt(left, &how));
        ck_assert_uint_ge(m.jobs, 1);
        machine_run(&m);
        u32 scsw0 = ends().scsw0;
        ck_assert_uint_eq(scsw0 & (FC_CLEAR | FC_HALT), clear ? FC_CLEAR : FC_HALT);
        always();
    }
    stop_at = NEVER;
    ck_assert(css_attempt(left_by_start(ORB_F), &how));
    expect_good(ends());
    expect_data(0x5a);
}
END_TEST

START_TEST(it_moves_at_each_point)
{
    struct machine other;
    stop_at = (u32)_i;
    struct subchannel *left = left_by_start(ORB_F);
    if (_i)
        ck_assert(!css_attempt(left, &how));
    else
        css_attempt_not(left);
    attach_to(&other, 0x0200);
    other.defer = true;
    ck_assert_uint_eq(m.jobs, 1);
    css_quiesce(m.css);
    machine_run(&m); /* what was handed on finds the machine quiesced */
    move_to(&other);
    ck_assert_uint_eq(other.jobs, 1); /* its channel subsystem knows it by that name */
    machine_run(&other);
    expect_good(ends());
    expect_data(0x5a);
}
END_TEST

/* PCIs and the zero condition code are told of once, though the command is done over. */
START_TEST(a_command_that_is_done_over_tells_once)
{
    writes();
    ccw1(&m, PROGRAM + 16, 0x85, CC | CCW_PCI, RECORD_BYTES, AREA);
    ck_assert(!css_attempt(left_by_start(ORB_F | ORB_I), &how));
    struct irb irb = ends(); /* the zero condition code and the PCI */
    ck_assert_uint_eq(irb.scsw0 & SCSW_Z, SCSW_Z);
    ck_assert_uint_eq(irb.ss, SS_PCI);
    machine_run(&m);
    irb = ends();
    ck_assert_uint_eq(irb.scsw0 & (SCSW_Z | SC_PRIMARY), SC_PRIMARY);
    ck_assert_uint_eq(irb.ss, 0);
}
END_TEST

START_TEST(aliases_make_none)
{
    struct cause cause;
    ck_assert_int_eq(eckd_alias_create(m.css, 0x02f0, 0x0200, false, &cause), ST_OK);
    id = css_find_devno(m.css, 0x02f0);
    enable(&m, id, 3);
    ck_assert_ptr_null(left_by_start(ORB_F));
    ck_assert_uint_eq(m.jobs, 1);
    machine_run(&m);
    expect_good(ends());
    expect_data(0x5a);
}
END_TEST

/* ---- blocks ---- */

#define BLOCKS 100u

static void block_program(u8 mask, u8 operation, u8 command, u32 count)
{
    u8 de[16] = {mask}, lo[8] = {operation};
    be32_store(de + 12, BLOCKS * 4 - 1);
    be16_store(lo + 2, (u16)count);
    be32_store(lo + 4, 7);
    ck_assert(storage_write(m.storage, EXTENT, de, sizeof de));
    ck_assert(storage_write(m.storage, LOCATE, lo, sizeof lo));
    at = PROGRAM;
    ccw(0x63, CC, 16, EXTENT);
    ccw(0x43, CC, 8, LOCATE);
    ccw(command, 0, (u16)(count * IMAGE_BLOCK_BYTES), AREA);
}

START_TEST(blocks_are_read_so_too)
{
    u32 count = _i ? 65 : 12; /* 33 KB; 6 KB */
    teardown();
    make_disk("attempt", 0x0300,
              &(struct image_create){.format = IMAGE_FBA_RAW, .blocks = 4 * BLOCKS});
    fill(AREA, 0x77, count * IMAGE_BLOCK_BYTES);
    block_program(0xc0, 0x01, 0x41, count);
    good();
    fill(AREA, 0, count * IMAGE_BLOCK_BYTES);
    m.defer = true;
    block_program(0x40, 0x06, 0x42, count);
    ck_assert(css_attempt(left_by_start(ORB_F), &how));
    ck_assert_uint_eq(m.jobs, 0);
    expect_good(ends());
    const u8 *data = storage_host(m.storage, AREA, count * IMAGE_BLOCK_BYTES);
    for (u32 i = 0; i < count * IMAGE_BLOCK_BYTES; i++)
        ck_assert_uint_eq(data[i], 0x77);
    block_program(0xc0, 0x01, 0x41, count);
    ck_assert(!css_attempt(left_by_start(ORB_F), &how));
    machine_run(&m);
    expect_good(ends());
}
END_TEST

/* ---- windows ---- */

/* With another window that writes the same tracks each command has a turn of its own, for which one
 * may have to wait. */
START_TEST(others_who_write_keep_it_off)
{
    struct image *window[2];
    struct share *share;
    struct cause cause;
    close_disk();
    ck_assert_int_eq(share_create(path, 0, &share, &cause), ST_OK);
    for (u32 i = 0; i < 2; i++)
        ck_assert_int_eq(
            window_create(share, (struct window_extent){0, 4}, true, &window[i], &cause),
            ST_OK);
    ck_assert_int_eq(window_activate(window[0], &cause), ST_OK);
    img = window[0];
    attach_to(&m, 0x0200);
    id = css_find_devno(m.css, 0x0200);
    enable(&m, id, 3);
    prepare(0x3c);
    ck_assert(css_attempt(left_by_start(ORB_F), &how));
    expect_good(ends());
    expect_data(0x3c);
    ck_assert_int_eq(window_activate(window[1], &cause), ST_OK);
    fill(AREA, 0, RECORDS * RECORD_BYTES);
    ck_assert(!css_attempt(left_by_start(ORB_F), &how));
    ck_assert_uint_eq(m.jobs, 1);
    machine_run(&m);
    expect_good(ends());
    expect_data(0x3c);
    image_unref(window[1]);
    share_unref(share);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("attempt");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_read_ends_without_another_thread);
    tcase_add_test(tc, what_is_left_may_be_done_as_ever);
    tcase_add_test(tc, what_the_host_does_not_have_is_read_elsewhere);
    tcase_add_test(tc, a_track_that_was_never_seen_is_read_elsewhere);
    tcase_add_test(tc, writes_are_done_elsewhere_and_soon_not_tried);
    tcase_add_loop_test(tc, who_wants_the_thread_has_it_between_two_commands, 0, COMMANDS);
    tcase_add_loop_test(tc, clear_and_halt_end_it_at_each_point, 0, 2);
    tcase_add_loop_test(tc, it_moves_at_each_point, 0, COMMANDS);
    tcase_add_test(tc, a_command_that_is_done_over_tells_once);
    tcase_add_test(tc, aliases_make_none);
    tcase_add_loop_test(tc, blocks_are_read_so_too, 0, 2);
    tcase_add_test(tc, others_who_write_keep_it_off);
    return run_suite(suite);
}
