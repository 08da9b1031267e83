/* Parts of a volume as images of their own: which tracks and blocks they are, that nothing
 * else can be reached, what other programs are kept from, and what two devices that write one
 * track leave there. */
#include "tests/unit/io/io_fixture.h"

#include <sched.h>
#include <unistd.h>

#include "io/dasd/dasd.h"
#include "io/image/hold.h"
#include "io/image/track.h"
#include "io/image/window.h"

#define CYLINDERS 20u
#define TRACK_BYTES 4096u
#define PROGRAM 0x1000u
#define EXTENT 0x2000u
#define LOCATE 0x2040u
#define AREA 0x10000u

static char path[64];
static struct share *share, *foreign; /* two programs */
static struct cause cause;
static u8 buf[IMAGE_TRACK_BYTES_MAX], other[IMAGE_TRACK_BYTES_MAX];

static void volume(enum image_format format)
{
    const struct image_create what = {.format = format,
                                      .cylinders = format == IMAGE_FBA_RAW ? 0 : CYLINDERS,
                                      .blocks = format == IMAGE_FBA_RAW ? 1000 : 0,
                                      .compress = true};
    snprintf(path, sizeof path, "/tmp/io_window_%d.img", getpid());
    unlink(path);
    ck_assert_msg(image_create(path, &what, &cause) == ST_OK, "%s", cause.text);
    ck_assert_msg(share_create(path, 0, &share, &cause) == ST_OK, "%s", cause.text);
    ck_assert_int_eq(share_create(path, 0, &foreign, &cause), ST_OK);
}

static void teardown(void)
{
    share_unref(share);
    share_unref(foreign);
    share = foreign = NULL;
    unlink(path);
}

static struct image *window(struct share *s, u64 first, u64 count, bool write)
{
    struct image *img = NULL;
    ck_assert_msg(window_create(s, (struct window_extent){first, count}, write, &img, &cause) ==
                      ST_OK,
                  "%s", cause.text);
    return img;
}

static struct image *active(struct share *s, u64 first, u64 count, bool write)
{
    struct image *img = window(s, first, count, write);
    ck_assert_msg(window_activate(img, &cause) == ST_OK, "%s", cause.text);
    return img;
}

static u32 track_with(u32 track, u8 byte, u8 *out)
{
    u8 data[TRACK_BYTES];
    memset(data, byte, sizeof data);
    u32 len = track_make_null(TRACK_NULL_EMPTY, track, TRACK_HEADS_3390, out);
    return track_append(out, len, 1, 0, TRACK_BYTES, NULL, data);
}

/* ---- what a window is ---- */

static void writes_first(struct image *img)
{
    ck_assert_int_eq(image_write_track(img, 1, buf, track_with(1, 0, buf), &cause), ST_OK);
}

static bool all_over; /* atomic */
static u64 moves[4];

/** A track is written whole, each time with another byte. */
static void *writes(void *arg)
{
    static u8 track[IMAGE_TRACK_BYTES_MAX];
    for (u32 n = 0; !__atomic_load_n(&all_over, __ATOMIC_RELAXED); n++) {
        sched_yield();
        u32 len = track_with(1, (u8)n, track);
        ck_assert_int_eq(image_write_track(arg, 1, track, len, NULL), ST_OK);
        __atomic_fetch_add(&moves[0], 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/** Who reads it sees one of them; of a minidisk beside it, nothing. */
static void *reads(void *arg)
{
    struct image *img = arg;
    static u8 tracks[2][IMAGE_TRACK_BYTES_MAX];
    u32 which = image_geometry(img)->cylinders == 2, len;
    while (!__atomic_load_n(&all_over, __ATOMIC_RELAXED)) {
        u8 *track = tracks[which];
        sched_yield();
        if (image_read_track(img, 1, track, &len, NULL)) /* not active */
            continue;
        const u8 *data = track + len - TRACK_END_BYTES - TRACK_BYTES;
        if (which)
            for (u32 i = 1; i < TRACK_BYTES; i++)
                ck_assert_uint_eq(data[i], data[0]);
        else
            ck_assert_uint_eq(len, TRACK_HA_BYTES + TRACK_R0_BYTES + TRACK_END_BYTES);
        __atomic_fetch_add(&moves[1 + which], 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* [W2] One writes a track over and over, another one that comes and goes reads it, a third one has
 * another minidisk: nobody sees a track that is half old and half new. */
START_TEST(tracks_are_never_torn)
{
    pthread_t thread[3];
    volume((enum image_format)_i);
    struct image *writer = active(share, 2, 2, true), *beside = active(share, 10, 3, true);
    struct image *reader = window(share, 2, 2, false);
    writes_first(writer);
    all_over = false;
    memset(moves, 0, sizeof moves);
    ck_assert_int_eq(pthread_create(&thread[0], NULL, writes, writer), 0);
    ck_assert_int_eq(pthread_create(&thread[1], NULL, reads, reader), 0);
    ck_assert_int_eq(pthread_create(&thread[2], NULL, reads, beside), 0);
    for (u32 n = 0; n < 40; n++) {
        u64 was = __atomic_load_n(&moves[2], __ATOMIC_RELAXED);
        ck_assert_int_eq(window_activate(reader, &cause), ST_OK);
        while (__atomic_load_n(&moves[2], __ATOMIC_RELAXED) < was + 2)
            usleep(50);
        window_deactivate(reader);
    }
    __atomic_store_n(&all_over, true, __ATOMIC_RELAXED);
    for (u32 i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    ck_assert(moves[0] && moves[1] && moves[2] >= 80);
    image_unref(writer);
    image_unref(reader);
    image_unref(beside);
}
END_TEST

START_TEST(tracks_of_a_window)
{
    u32 len;
    u8 cchh[4];
    volume(_i ? IMAGE_CKD : IMAGE_CCKD);
    struct image *img = active(share, 7, 3, true), *whole = active(share, 0, CYLINDERS, false);
    ck_assert_uint_eq(image_geometry(img)->cylinders, 3);
    ck_assert_uint_eq(image_geometry(img)->tracks, 45);
    len = track_with(16, 0x5a, buf);
    ck_assert_msg(image_write_track(img, 16, buf, len, &cause) == ST_OK, "%s", cause.text);
    ck_assert_int_eq(image_read_track(img, 16, other, &len, &cause), ST_OK);
    ck_assert_mem_eq(buf, other, TRACK_HA_BYTES + TRACK_R0_BYTES + 8 + TRACK_BYTES);

    /* on the volume: its own address in home address and record 0, records as written */
    u32 there = 7 * TRACK_HEADS_3390 + 16;
    ck_assert_int_eq(image_read_track(whole, there, other, &len, &cause), ST_OK);
    track_cchh(there, TRACK_HEADS_3390, cchh);
    ck_assert_mem_eq(other + 1, cchh, 4);
    ck_assert_mem_eq(other + TRACK_HA_BYTES, cchh, 4);
    track_cchh(16, TRACK_HEADS_3390, cchh);
    ck_assert_mem_eq(other + TRACK_HA_BYTES + TRACK_R0_BYTES, cchh, 4);
    ck_assert_uint_eq(other[TRACK_HA_BYTES + TRACK_R0_BYTES + 8], 0x5a);

    /* nothing beside it, and nothing by a window that reads */
    ck_assert_int_eq(image_read_track(img, 45, other, &len, &cause), ST_INVAL);
    ck_assert_int_eq(image_write_track(img, 45, buf, len, &cause), ST_INVAL);
    len = track_with(there, 0x11, buf);
    ck_assert_int_eq(image_write_track(whole, there, buf, len, &cause), ST_PERM);
    image_unref(img);
    image_unref(whole);
}
END_TEST

START_TEST(blocks_of_a_window)
{
    u8 block[IMAGE_BLOCK_BYTES], back[IMAGE_BLOCK_BYTES];
    volume(IMAGE_FBA_RAW);
    struct image *img = active(share, 100, 50, true), *whole = active(share, 0, 1000, false);
    memset(block, 0x77, sizeof block);
    ck_assert_int_eq(image_write_blocks(img, 49, 1, block, &cause), ST_OK);
    ck_assert_int_eq(image_read_blocks(whole, 149, 1, back, &cause), ST_OK);
    ck_assert_mem_eq(block, back, sizeof block);
    ck_assert_int_eq(image_read_blocks(whole, 150, 1, back, &cause), ST_OK);
    ck_assert_uint_eq(back[0], 0);
    ck_assert_int_eq(image_write_blocks(img, 49, 2, block, &cause), ST_INVAL);
    ck_assert_int_eq(image_write_blocks(whole, 0, 1, block, &cause), ST_PERM);
    image_unref(img);
    image_unref(whole);
}
END_TEST

START_TEST(windows_that_cannot_be)
{
    static const struct window_extent bad[] = {{0, 0}, {0, 21}, {20, 1}, {19, 2}, {~0ull, 2}};
    struct image *img;
    u32 len;
    volume(IMAGE_CCKD);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_int_eq(window_create(share, bad[i], true, &img, &cause), ST_LIMIT);
    img = window(share, 0, 1, true);
    ck_assert(image_offline(img));
    ck_assert_int_eq(image_read_track(img, 0, buf, &len, &cause), ST_BUSY);
    ck_assert_int_eq(window_activate(img, &cause), ST_OK);
    ck_assert(!image_offline(img));
    ck_assert_int_eq(image_read_track(img, 0, buf, &len, &cause), ST_OK);
    window_deactivate(img);
    ck_assert_int_eq(image_read_track(img, 0, buf, &len, &cause), ST_BUSY);
    image_unref(img);
}
END_TEST

/* ---- what others are kept from ---- */

/* Files with a place for each track: programs may write different parts, never the same [W1]. */
START_TEST(extents_are_locked)
{
    struct image *img;
    volume(IMAGE_CKD);
    struct image *mine = active(share, 0, 5, true), *theirs = active(foreign, 5, 5, true);
    struct image *both = window(foreign, 4, 2, true), *reads = active(foreign, 0, 10, false);
    ck_assert_int_eq(window_activate(both, &cause), ST_BUSY);
    ck_assert_int_eq(image_open(path, 0, &img, &cause), ST_BUSY);
    ck_assert_int_eq(image_open(path, IMAGE_READ_ONLY, &img, &cause), ST_BUSY);

    /* two of one program may; when one goes, the other's extent stays locked, and only that */
    struct image *more = active(share, 3, 2, true);
    window_deactivate(mine);
    ck_assert_int_eq(window_activate(both, &cause), ST_BUSY);
    struct image *free_part = active(foreign, 0, 3, true);
    ck_assert_int_eq(window_activate(mine, &cause), ST_BUSY);
    window_deactivate(more);
    ck_assert_int_eq(window_activate(both, &cause), ST_OK);
    struct image *all[] = {mine, theirs, both, reads, more, free_part};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        image_unref(all[i]);
    ck_assert_int_eq(image_open(path, 0, &img, &cause), ST_OK);
    image_unref(img);
}
END_TEST

/* A CCKD file moves its tracks: one program that writes, or several that read. */
START_TEST(one_writer_of_a_packed_file)
{
    u32 len;
    volume(IMAGE_CCKD);
    struct image *mine = active(share, 0, 5, false), *theirs = active(foreign, 10, 5, false);
    struct image *write = window(share, 0, 5, true);
    ck_assert_int_eq(window_activate(write, &cause), ST_BUSY);
    ck_assert_int_eq(image_read_track(mine, 0, buf, &len, &cause), ST_OK); /* goes on */
    window_deactivate(theirs);
    ck_assert_int_eq(window_activate(write, &cause), ST_OK);
    ck_assert_int_eq(image_read_track(mine, 0, buf, &len, &cause), ST_OK);
    len = track_with(3, 0x33, buf);
    ck_assert_int_eq(image_write_track(write, 3, buf, len, &cause), ST_OK);
    ck_assert_int_eq(window_activate(theirs, &cause), ST_BUSY);
    window_deactivate(write); /* back to reading */
    ck_assert_int_eq(window_activate(theirs, &cause), ST_OK);
    ck_assert_int_eq(image_read_track(mine, 3, other, &len, &cause), ST_OK);
    ck_assert_mem_eq(buf, other, len);
    image_unref(mine);
    image_unref(theirs);
    image_unref(write);
}
END_TEST

START_TEST(labels)
{
    static const u8 label[10] = {0xe5, 0xd6, 0xd3, 0xf1, 0xc6, 0xc2, 0xc1, 0xf0, 0xf1, 0x40};
    u8 block[IMAGE_BLOCK_BYTES] = {0};
    char volid[7];
    volume(IMAGE_FBA_RAW);
    ck_assert_int_eq(share_label(share, volid, &cause), ST_OK);
    ck_assert_str_eq(volid, "");
    struct image *img = active(share, 0, 10, true);
    memcpy(block, label, sizeof label);
    ck_assert_int_eq(image_write_blocks(img, 1, 1, block, &cause), ST_OK);
    ck_assert_int_eq(share_label(foreign, volid, &cause), ST_OK); /* though it is locked */
    ck_assert_str_eq(volid, "FBA01");
    image_unref(img);
}
END_TEST

/* ---- two devices ---- */

static struct machine m;
static u32 at;

static void ccw(u8 command, u8 flags, u16 count, u32 addr)
{
    ccw1(&m, at, command, flags, count, addr);
    at += 8;
}

/* One record of a track, by a device: read (0x86) or written (0x85). */
static void record_io(u16 devno, u8 record, u8 command, u8 byte)
{
    u32 id = css_find_devno(m.css, devno);
    u8 extent[16] = {command == 0x86 ? 0x40 : 0x80, 0xc0};
    u8 locate[16] = {command == 0x86 ? 0x06 : 0x01, 0, 0, 1, [12] = record};
    struct irb irb;
    storage_write(m.storage, EXTENT, extent, sizeof extent);
    storage_write(m.storage, LOCATE, locate, sizeof locate);
    memset(storage_host(m.storage, AREA, TRACK_BYTES), byte, TRACK_BYTES);
    at = PROGRAM;
    ccw(0x63, CCW_CC, 16, EXTENT);
    ccw(0x47, CCW_CC, 16, LOCATE);
    ccw(command, 0, TRACK_BYTES, AREA);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_msg(irb.ds == 0x0c, "ds %02x sense %02x%02x", irb.ds, irb.raw[32], irb.raw[33]);
}

static u8 record_byte(u16 devno, u8 record)
{
    record_io(devno, record, 0x86, 0xee);
    return *(u8 *)storage_host(m.storage, AREA + TRACK_BYTES - 1, 1);
}

/* What one device writes the other reads, though it had the track; and when both write one track,
 * each changes its own record only. */
START_TEST(devices_that_share_a_track)
{
    volume(_i ? IMAGE_CKD : IMAGE_CCKD);
    struct image *one = active(share, 2, 2, true), *two = active(share, 2, 2, true);
    u32 len = track_with(0, 1, buf);
    u8 data[TRACK_BYTES] = {0};
    len = track_append(buf, len, 2, 0, TRACK_BYTES, NULL, data);
    ck_assert_int_eq(image_write_track(one, 0, buf, len, &cause), ST_OK);
    machine_init(&m);
    ck_assert_int_eq(dasd_create(m.css, 0x200, one, false, &cause), ST_OK);
    ck_assert_int_eq(dasd_create(m.css, 0x201, two, false, &cause), ST_OK);
    enable(&m, css_find_devno(m.css, 0x200), 3);
    enable(&m, css_find_devno(m.css, 0x201), 3);
    ck_assert_uint_eq(record_byte(0x200, 1), 1);
    ck_assert_uint_eq(record_byte(0x201, 1), 1);
    for (u8 n = 10; n < 20; n++) {
        record_io(0x200, 1, 0x85, n);
        record_io(0x201, 2, 0x85, (u8)(n + 100));
        ck_assert_uint_eq(record_byte(0x200, 2), n + 100);
        ck_assert_uint_eq(record_byte(0x201, 1), n);
    }
    machine_holds_code(&m, AREA); /* told of while the track is held */
    ck_assert_uint_eq(record_byte(0x201, 1), 19);
    ck_assert_uint_ge(m.code_stored, 1);
    machine_fini(&m);
    image_unref(one);
    image_unref(two);
}
END_TEST

static int simple(u16 devno, u8 command, u16 count, struct irb *irb)
{
    u32 id = css_find_devno(m.css, devno), program = PROGRAM + 64 * (devno & 1);
    at = program; /* each its own: a command that waited is fetched again */
    ccw(command, CCW_SLI, count, AREA);
    ck_assert_int_eq(start(&m, id, ORB_F, program), 0);
    return tsch(&m, id, irb);
}

static u8 group_state(u16 devno)
{
    struct irb irb;
    ck_assert_int_eq(simple(devno, 0x34, 12, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
    return *(u8 *)storage_host(m.storage, AREA, 1) & 0x30;
}

/* The reservation was taken away: the next program gets a unit check for it, once. */
static void reset_notification(u16 devno)
{
    struct irb irb;
    ck_assert_int_eq(simple(devno, 0x64, 64, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0e);
    const u8 *sense = irb.raw + 32;
    ck_assert_uint_eq(sense[0] | sense[1], 0);
    ck_assert_uint_eq(sense[7], 0x3f);
    ck_assert_uint_eq(sense[27], 0x80);
    ck_assert_int_eq(simple(devno, 0x64, 64, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
}

/* Reserve keeps another guest's programs off until the release, a reset, or until it is taken away;
 * who waits can be cleared, and goes on by itself. */
START_TEST(reserve_keeps_others_out)
{
    struct irb irb;
    u32 len = track_with(0, 9, buf);
    volume(IMAGE_CKD);
    struct image *one = active(share, 2, 2, true), *two = active(share, 3, 4, true);
    ck_assert_int_eq(image_write_track(two, 0, buf, len, &cause), ST_OK);
    machine_init(&m);
    ck_assert_int_eq(dasd_create(m.css, 0x200, one, false, &cause), ST_OK);
    ck_assert_int_eq(dasd_create(m.css, 0x201, two, false, &cause), ST_OK);
    u32 id = css_find_devno(m.css, 0x201);
    enable(&m, css_find_devno(m.css, 0x200), 3);
    enable(&m, id, 3);
    ck_assert_int_eq(simple(0x200, 0xb4, 32, &irb), 0); /* reserve */
    ck_assert_uint_eq(irb.ds, 0x0c);
    ck_assert_uint_eq(group_state(0x200), 0x30);
    ck_assert_uint_eq(group_state(0x201), 0x20);
    ck_assert_int_eq(simple(0x201, 0x64, 64, &irb), 0); /* what identifies it is answered */
    ck_assert_int_eq(simple(0x201, 0x02, 24, &irb), 1); /* read IPL waits */
    ck_assert_uint_eq(irb.scsw0 & (FC_ANY | AC_ANY), FC_START | AC_START); /* busy */
    ck_assert_int_eq(css_xsch(m.css, id), 0);
    ck_assert_int_eq(simple(0x201, 0x02, 24, &irb), 1);
    ck_assert_int_eq(css_csch(m.css, id), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_int_eq(simple(0x201, 0xb4, 32, &irb), 1); /* reserve waits, too */
    ck_assert_int_eq(simple(0x200, 0x94, 32, &irb), 0); /* release */
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
    ck_assert_uint_eq(group_state(0x200), 0x20);
    ck_assert_int_eq(simple(0x201, 0xb4, 32, &irb), 0);
    ck_assert_int_eq(simple(0x200, 0x14, 32, &irb), 0); /* unconditional reserve */
    ck_assert_uint_eq(group_state(0x200), 0x30);
    reset_notification(0x201); /* whatever it does next */
    ck_assert_int_eq(simple(0x201, 0x02, 24, &irb), 1);
    ck_assert_int_eq(css_device_reset(m.css, 0x200, &cause), ST_OK);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
    ck_assert_uint_eq(group_state(0x201), 0);
    struct image *three = active(share, 3, 1, true);
    ck_assert(hold_reserve(image_hold(three), false));
    ck_assert_int_eq(css_ipl(m.css, 0x201, &cause), ST_BUSY);
    ck_assert_ptr_nonnull(strstr(cause.text, "busy with another system"));
    hold_release(image_hold(three));
    image_unref(three);
    machine_fini(&m);
    image_unref(one);
    image_unref(two);
}
END_TEST

/* It is state that moves: the device made anew has it, and the old one's goes with its window. */
START_TEST(reservations_move)
{
    struct irb irb;
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    volume(IMAGE_CKD);
    struct image *one = active(share, 2, 2, true), *two = active(share, 2, 2, true);
    machine_init(&m);
    ck_assert_int_eq(dasd_create(m.css, 0x200, one, false, &cause), ST_OK);
    enable(&m, css_find_devno(m.css, 0x200), 3);
    ck_assert_int_eq(simple(0x200, 0xb4, 32, &irb), 0);
    css_quiesce(m.css);
    codec_out_init(&out);
    ck_assert_int_eq(css_save(m.css, 7, &out, NULL), ST_OK);
    machine_fini(&m);
    image_unref(one);
    machine_init(&m);
    one = active(share, 2, 2, true);
    ck_assert_int_eq(dasd_create(m.css, 0x200, one, false, &cause), ST_OK);
    css_quiesce(m.css);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &in));
    ck_assert_msg(css_restore(m.css, &in, &cause) == ST_OK, "%s", cause.text);
    css_resume(m.css);
    codec_out_fini(&out);
    ck_assert_int_eq(dasd_create(m.css, 0x201, two, false, &cause), ST_OK);
    enable(&m, css_find_devno(m.css, 0x201), 3);
    ck_assert_uint_eq(group_state(0x200), 0x30);
    ck_assert_uint_eq(group_state(0x201), 0x20);
    machine_fini(&m);
    image_unref(one);
    image_unref(two);
}
END_TEST

/* Another one was faster than the guest that moves, or had taken it before: it is told. */
START_TEST(losses_move)
{
    struct irb irb;
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    for (int before = 0; before <= 1; before++) {
        volume(IMAGE_CKD);
        struct image *one = active(share, 2, 2, true), *two = active(share, 2, 2, true);
        machine_init(&m);
        ck_assert_int_eq(dasd_create(m.css, 0x200, one, false, &cause), ST_OK);
        enable(&m, css_find_devno(m.css, 0x200), 3);
        ck_assert_int_eq(simple(0x200, 0xb4, 32, &irb), 0);
        if (before)
            ck_assert(hold_steal(image_hold(two)));
        css_quiesce(m.css);
        codec_out_init(&out);
        ck_assert_int_eq(css_save(m.css, 7, &out, NULL), ST_OK);
        machine_fini(&m);
        image_unref(one);
        machine_init(&m);
        one = active(share, 2, 2, true);
        ck_assert_int_eq(dasd_create(m.css, 0x200, one, false, &cause), ST_OK);
        css_quiesce(m.css);
        ck_assert(hold_reserve(image_hold(two), false));
        codec_in_init(&in, out.data, out.len);
        ck_assert(codec_next(&in, &row) && codec_open(&row, &in));
        ck_assert_msg(css_restore(m.css, &in, &cause) == ST_OK, "%s", cause.text);
        css_resume(m.css);
        codec_out_fini(&out);
        reset_notification(0x200);
        ck_assert_uint_eq(group_state(0x200), 0x20);
        machine_fini(&m);
        image_unref(one);
        image_unref(two);
        teardown();
    }
}
END_TEST

/* The same of a 9336, and what moves of it. */
START_TEST(blocks_reserved)
{
    struct irb irb;
    volume(IMAGE_FBA_RAW);
    struct image *one = active(share, 0, 500, true), *two = active(share, 400, 100, true);
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    machine_init(&m);
    ck_assert_int_eq(dasd_create(m.css, 0x200, one, false, &cause), ST_OK);
    ck_assert_int_eq(dasd_create(m.css, 0x201, two, false, &cause), ST_OK);
    u32 id = css_find_devno(m.css, 0x201);
    enable(&m, css_find_devno(m.css, 0x200), 3);
    enable(&m, id, 3);
    ck_assert_int_eq(simple(0x200, 0xb4, 24, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
    ck_assert_int_eq(simple(0x200, 0x02, 24, &irb), 0);
    ck_assert_int_eq(simple(0x201, 0x64, 32, &irb), 0); /* what identifies it is answered */
    ck_assert_int_eq(simple(0x201, 0x02, 24, &irb), 1);
    ck_assert_uint_eq(irb.scsw0 & (FC_ANY | AC_ANY), FC_START | AC_START);
    ck_assert_int_eq(css_xsch(m.css, id), 0);
    css_quiesce(m.css); /* to a machine that has nothing yet */
    codec_out_init(&out);
    ck_assert_int_eq(css_save(m.css, 7, &out, NULL), ST_OK);
    machine_fini(&m);
    machine_init(&m);
    ck_assert_int_eq(dasd_create(m.css, 0x200, one, false, &cause), ST_OK);
    ck_assert_int_eq(dasd_create(m.css, 0x201, two, false, &cause), ST_OK);
    css_quiesce(m.css);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &in));
    ck_assert_msg(css_restore(m.css, &in, &cause) == ST_OK, "%s", cause.text);
    css_resume(m.css);
    codec_out_fini(&out);
    ck_assert_int_eq(simple(0x201, 0xb4, 24, &irb), 1); /* wants it, and has to wait */
    ck_assert_int_eq(simple(0x200, 0x94, 24, &irb), 0); /* until the release */
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
    ck_assert_int_eq(simple(0x200, 0x02, 24, &irb), 1);
    ck_assert_int_eq(css_device_reset(m.css, 0x201, &cause), ST_OK); /* or a reset */
    ck_assert_int_eq(tsch(&m, css_find_devno(m.css, 0x200), &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
    ck_assert_int_eq(simple(0x200, 0xb4, 24, &irb), 0);
    ck_assert_int_eq(simple(0x201, 0x14, 24, &irb), 0); /* taken away */
    ck_assert_int_eq(simple(0x200, 0x02, 24, &irb), 1);
    ck_assert_int_eq(css_detach(m.css, 0x201, false, &cause), ST_OK);
    image_unref(two); /* with its window goes what it held */
    ck_assert_int_eq(tsch(&m, css_find_devno(m.css, 0x200), &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
    machine_fini(&m);
    image_unref(one);
}
END_TEST

/* A link that only reads: command reject, write inhibited, and nothing was written. */
START_TEST(device_that_only_reads)
{
    struct irb irb;
    u32 len = track_with(0, 9, buf);
    volume(IMAGE_CCKD);
    struct image *one = active(share, 2, 2, true), *two = active(share, 2, 2, false);
    ck_assert_int_eq(image_write_track(one, 0, buf, len, &cause), ST_OK);
    machine_init(&m);
    ck_assert_int_eq(dasd_create(m.css, 0x201, two, false, &cause), ST_OK);
    u32 id = css_find_devno(m.css, 0x201);
    enable(&m, id, 3);
    ck_assert_uint_eq(record_byte(0x201, 1), 9);
    at = PROGRAM;
    u8 extent[16] = {0x80, 0xc0}, locate[16] = {0x01, 0, 0, 1, [12] = 1};
    storage_write(m.storage, EXTENT, extent, sizeof extent);
    storage_write(m.storage, LOCATE, locate, sizeof locate);
    ccw(0x63, CCW_CC, 16, EXTENT);
    ccw(0x47, CCW_CC, 16, LOCATE);
    ccw(0x85, 0, TRACK_BYTES, AREA);
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0e);
    ck_assert_uint_eq(irb.raw[32], 0x80);
    ck_assert_uint_eq(irb.raw[33], 0x02);
    ck_assert_uint_eq(record_byte(0x201, 1), 9);
    machine_fini(&m);
    image_unref(one);
    image_unref(two);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("windows");
    tcase_add_checked_fixture(tc, NULL, teardown);
    tcase_add_loop_test(tc, tracks_of_a_window, 0, 2);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, tracks_are_never_torn, IMAGE_CKD, IMAGE_CKD_RAW + 1);
    tcase_add_test(tc, blocks_of_a_window);
    tcase_add_test(tc, windows_that_cannot_be);
    tcase_add_test(tc, extents_are_locked);
    tcase_add_test(tc, one_writer_of_a_packed_file);
    tcase_add_test(tc, labels);
    tcase_add_loop_test(tc, devices_that_share_a_track, 0, 2);
    tcase_add_test(tc, device_that_only_reads);
    tcase_add_test(tc, reserve_keeps_others_out);
    tcase_add_test(tc, reservations_move);
    tcase_add_test(tc, losses_move);
    tcase_add_test(tc, blocks_reserved);
    Suite *s = suite_create("io_window");
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
