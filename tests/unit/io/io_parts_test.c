/* Parts of tracks: on a raw image, and on a packed one of a running machine where tracks are not
 * packed yet, only the records that a channel program asks for are read and written; on any other
 * always whole tracks. The same random programs on both, those of the first by its base and by an
 * alias, end alike, read alike, and leave the same tracks. So they do where it is a minidisk,
 * which somebody else reads at times, and where it is packed now and then. */
#include "tests/unit/io/disk_fixture.h"

#include <dlfcn.h>
#include <zlib.h>

#include "io/image/track.h"
#include "io/image/window.h"

#define RAW 0x0200
#define ALIAS 0x02f0
#define PACKED 0x0300
#define TRACKS 5u
#define ROUNDS 600u
#define RECORDS 12u
#define DATA_BYTES 4096u
#define AREA_BYTES (13u * 4104u)

static char packed_path[80];
static struct image *packed;
static bool packs; /* the first one is packed, too, by a thread of its own */
static unsigned seed;

static u32 any(u32 below)
{
    return (u32)rand_r(&seed) % below;
}

static struct image *reader; /* another one of the same minidisk */

static void make_minidisk(const struct image_create *what)
{
    const struct window_extent extent = {2, 1};
    struct share *share;
    struct cause cause;
    make_disk("parts", RAW, what);
    close_disk();
    ck_assert_int_eq(share_create(path, 0, &share, &cause), ST_OK);
    ck_assert_int_eq(window_create(share, extent, true, &img, &cause), ST_OK);
    ck_assert_int_eq(window_create(share, extent, false, &reader, &cause), ST_OK);
    share_unref(share);
    ck_assert_int_eq(window_activate(img, &cause), ST_OK);
    for (u32 t = 0; t < 15; t++) { /* count fields are those of the minidisk */
        static u8 track[IMAGE_TRACK_BYTES_MAX];
        u32 len = track_make_null(TRACK_NULL_LINUX, t, 15, track);
        ck_assert_int_eq(image_write_track(img, t, track, len, &cause), ST_OK);
    }
    attach_to(&m, RAW);
    id = css_find_devno(m.css, RAW);
    enable(&m, id, 3);
}

static void setup_both(enum image_format format, bool minidisk)
{
    struct image_create what = {.format = format,
                                .cylinders = minidisk ? 4 : 1,
                                .linux_tracks = true,
                                .compress = format == IMAGE_CCKD};
    struct cause cause;
    packs = format == IMAGE_CCKD;
    if (minidisk)
        make_minidisk(&what);
    else
        make_disk("parts", RAW, &what);
    if (format == IMAGE_CCKD && !minidisk) {
        close_disk();
        open_disk(RAW, IMAGE_LIVE);
    }
    what.cylinders = 1;
    snprintf(packed_path, sizeof packed_path, "%s.packed", path);
    unlink(packed_path);
    what.format = IMAGE_CCKD;
    ck_assert_int_eq(image_create(packed_path, &what, &cause), ST_OK);
    ck_assert_int_eq(image_open(packed_path, 0, &packed, &cause), ST_OK);
    ck_assert_int_eq(dasd_create(m.css, PACKED, packed, false, &cause), ST_OK);
    ck_assert_int_eq(eckd_alias_create(m.css, ALIAS, RAW, false, &cause), ST_OK);
    enable(&m, css_find_devno(m.css, ALIAS), 3);
    enable(&m, css_find_devno(m.css, PACKED), 3);
}

static void teardown_both(void)
{
    image_unref(reader);
    reader = NULL;
    teardown();
    image_unref(packed);
    unlink(packed_path);
}

/* ---- programs ---- */

static void extent(u8 mask)
{
    u8 p[16] = {mask, 0xc0};
    track_cchh(TRACKS - 1, 15, p + 12);
    storage_write(m.storage, EXTENT, p, sizeof p);
    ccw(0x63, CC, 16, EXTENT);
}

static void locate(u8 operation, u8 count, u32 track, u8 record)
{
    u8 p[16] = {operation, 0, 0, count};
    track_cchh(track, 15, p + 4);
    track_cchh(track, 15, p + 8);
    p[12] = record;
    storage_write(m.storage, LOCATE, p, sizeof p);
    ccw(0x47, CC, 16, LOCATE);
}

static void records(u8 command, u32 n, u16 bytes)
{
    for (u32 i = 0; i < n; i++)
        ccw(command, (u8)((i + 1 < n ? CC : 0) | SLI), bytes, AREA + i * DATA_BYTES);
}

static void data(bool write)
{
    u32 n = 1 + any(RECORDS);
    extent(write ? 0x80 : 0x40);
    locate(write ? 0x01 : 0x06, (u8)n, any(TRACKS), (u8)(1 + any(RECORDS)));
    records(write ? 0x85 : 0x86, n, write && any(3) == 0 ? 100 : DATA_BYTES);
}

/** The records of one to three tracks, each by one command; of the last some. */
static void track_data(bool write)
{
    u32 n = 1 + any(3), length = (1 + any(RECORDS)) * DATA_BYTES - (any(4) ? 0 : 100);
    u32 track = any(TRACKS);
    u8 p[20] = {write ? 0x3f : 0x0c, write || any(3) ? 0x80 : 0, 0, (u8)n};
    extent(write ? 0x80 : 0x40);
    track_cchh(track, 15, p + 4);
    track_cchh(track, 15, p + 8);
    p[12] = (u8)(1 + any(RECORDS));
    be16_store(p + 14, (u16)length);
    p[17] = write ? 0x23 : 0;
    storage_write(m.storage, LOCATE, p, sizeof p);
    ccw(0x4b, CC, 20, LOCATE);
    for (u32 i = 0; i < n; i++)
        ccw(write ? 0xa5 : 0xa6, (u8)((i + 1 < n ? CC : 0) | SLI),
            (u16)(i + 1 < n && any(3) ? RECORDS * DATA_BYTES : length), AREA);
}

/** Seek, search for a record, and then what follows. */
static void find(u32 track, u8 record)
{
    u8 p[16] = {0};
    track_cchh(track, 15, p + 2);
    track_cchh(track, 15, p + 8);
    p[12] = record;
    storage_write(m.storage, LOCATE, p, sizeof p);
    ccw(0x07, CC, 6, LOCATE);
    ccw(0x31, CC, 5, LOCATE + 8);
    ccw(0x08, 0, 0, at - 8);
}

/** A record behind another: as Linux has it, or of another length, or none. */
static void format(void)
{
    u32 track = any(TRACKS);
    u8 record = (u8)any(RECORDS), p[8];
    u32 n = any(4) ? RECORDS - record : 1;
    find(track, record);
    for (u32 i = 0; i < n; i++) {
        u8 which = (u8)(record + 1 + i);
        track_cchh(track, 15, p);
        p[4] = which;
        p[5] = any(9) ? 0 : 8;
        be16_store(p + 6, any(9) ? DATA_BYTES : 700);
        storage_write(m.storage, AREA + i * 8, p, sizeof p);
        ccw(0x1d, (u8)((i + 1 < n ? CC : 0) | SLI), 8, AREA + i * 8);
    }
}

/** All that is on a track, as dasdfmt leaves it: so that it is plain again at times. */
static void format_all(void)
{
    u32 track = any(TRACKS);
    u8 p[8];
    find(track, 0);
    for (u32 i = 0; i < RECORDS; i++) {
        track_cchh(track, 15, p);
        p[4] = (u8)(1 + i);
        p[5] = 0;
        be16_store(p + 6, DATA_BYTES);
        storage_write(m.storage, AREA + i * 8, p, sizeof p);
        ccw(0x1d, (u8)((i + 1 < RECORDS ? CC : 0) | SLI), 8, AREA + i * 8);
    }
}

static void other(void)
{
    u32 track = any(TRACKS);
    u8 record = (u8)any(RECORDS + 1);
    static const u8 commands[] = {0x06, 0x1e, 0x12, 0x16, 0x1a, 0x5e, 0x0e, 0x05};
    u8 command = commands[any(ARRAY_LEN(commands))];
    find(track, record);
    ccw(command, SLI, 53000, AREA);
}

static void whole(void)
{
    extent(0x40);
    locate(0x0c, 1, any(TRACKS), 0);
    ccw(0xde, SLI, 53000, AREA);
}

static void make_program(void)
{
    at = PROGRAM;
    switch (any(20)) {
    case 0: format(); break;
    case 1: format_all(); break;
    case 2: whole(); break;
    case 3:
    case 4:
    case 5: other(); break;
    case 6:
    case 7:
    case 8:
    case 9: track_data(any(2)); break;
    default: data(any(2)); break;
    }
}

static void fill_area(unsigned from)
{
    u8 *bytes = storage_host(m.storage, AREA, AREA_BYTES);
    for (u32 i = 0; i < AREA_BYTES; i++)
        bytes[i] = (u8)rand_r(&from);
}

/** The program that begins with this seed, on a disk; what it read goes to `area`. */
static struct irb run_program(unsigned program, u16 devno, u8 *area)
{
    fill_area(program);
    seed = program;
    make_program();
    struct irb irb = run_on(css_find_devno(m.css, devno));
    memcpy(area, storage_host(m.storage, AREA, AREA_BYTES), AREA_BYTES);
    return irb;
}

static void expect_same_tracks(void)
{
    static u8 a[IMAGE_TRACK_BYTES_MAX], b[IMAGE_TRACK_BYTES_MAX];
    struct cause cause;
    u32 a_len, b_len;
    for (u32 t = 0; t < TRACKS; t++) {
        ck_assert_int_eq(image_read_track(img, t, a, &a_len, &cause), ST_OK);
        ck_assert_int_eq(image_read_track(packed, t, b, &b_len, &cause), ST_OK);
        ck_assert_uint_eq(a_len, b_len);
        ck_assert_mem_eq(a, b, a_len);
    }
}

/** The other one comes and goes; while it is there tracks move as a whole. */
static void somebody_reads(bool on)
{
    static u8 track[IMAGE_TRACK_BYTES_MAX];
    struct cause cause;
    u32 len;
    if (on && image_offline(reader)) {
        ck_assert_int_eq(window_activate(reader, &cause), ST_OK);
        ck_assert_int_eq(image_read_track(reader, any(TRACKS), track, &len, &cause), ST_OK);
    } else if (!on) {
        window_deactivate(reader);
    }
    ck_assert(packs || image_has_parts(img, 0) == !on);
}

START_TEST(the_same_as_whole_tracks)
{
    static const enum image_format formats[] = {IMAGE_CKD_RAW, IMAGE_CKD, IMAGE_CCKD};
    static u8 here[AREA_BYTES], there[AREA_BYTES];
    u32 good_ones = 0;
    enum image_format format = formats[_i % 3];
    setup_both(format, _i >= 6);
    ck_assert(packs || image_has_parts(img, 0));
    ck_assert(!image_has_parts(packed, 0));
    for (u32 round = 0; round < ROUNDS; round++) {
        unsigned program = 1 + (unsigned)_i * ROUNDS + round;
        if (reader)
            somebody_reads(round % 37 > 25);
        if (round % 23 == 7)
            image_tidy(img);
        if (round % 29 == 11)
            ck_assert_int_eq(image_rest(img, NULL), ST_OK);
        struct irb raw = run_program(program, round % 5 == 4 ? ALIAS : RAW, here);
        struct irb whole_one = run_program(program, PACKED, there);
        ck_assert_msg(raw.scsw0 == whole_one.scsw0 && raw.ds == whole_one.ds &&
                          raw.ss == whole_one.ss && raw.count == whole_one.count &&
                          memcmp(raw.raw + 32, whole_one.raw + 32, 4) == 0,
                      "program %u: ds %02x and %02x", program, raw.ds, whole_one.ds);
        ck_assert_msg(memcmp(here, there, AREA_BYTES) == 0, "program %u read", program);
        good_ones += raw.ds == DS_NORMAL;
        if (round % 50 == 0)
            expect_same_tracks();
    }
    expect_same_tracks();
    ck_assert_uint_gt(good_ones, ROUNDS / 3);
    teardown_both();
}
END_TEST

/** By write data, or by write track data, as Linux does. */
static void write_record_3_of_2(bool as_track)
{
    u8 p[20] = {0x3f, 0x80, 0, 1};
    if (!as_track) {
        locate(0x01, 1, 2, 3);
        records(0x85, 1, DATA_BYTES);
        return;
    }
    track_cchh(2, 15, p + 4);
    track_cchh(2, 15, p + 8);
    p[12] = 3;
    be16_store(p + 14, DATA_BYTES);
    p[17] = 0x23;
    storage_write(m.storage, LOCATE, p, sizeof p);
    ccw(0x4b, CC, 20, LOCATE);
    ccw(0xa5, 0, DATA_BYTES, AREA);
}

/** What a program does to the file is what it asked for, no more: others write elsewhere in it. */
START_TEST(only_what_changed_is_written)
{
    static u8 track[IMAGE_TRACK_BYTES_MAX];
    struct cause cause;
    setup_both(IMAGE_CKD_RAW, false);
    for (u32 round = 0; round < 2; round++) { /* the first reads the track as a whole */
        at = PROGRAM;
        fill(AREA, (u8)(0x11 + round), DATA_BYTES);
        extent(0x80);
        write_record_3_of_2(_i);
        good();
        if (round == 0) /* behind the device's back, in record 7 */
            ck_assert_int_eq(image_write_part(img, 2, TRACK_HA_BYTES + 16 + 6 * 4104 + 8,
                                              (const u8[]){0x77}, 1, &cause),
                             ST_OK);
    }
    u32 len;
    ck_assert_int_eq(image_read_track(img, 2, track, &len, &cause), ST_OK);
    ck_assert_uint_eq(track[TRACK_HA_BYTES + 16 + 6 * 4104 + 8], 0x77);
    ck_assert_uint_eq(track[TRACK_HA_BYTES + 16 + 2 * 4104 + 8], 0x12);
    ck_assert_int_eq(image_read_part(img, 2, 0, track, 8, &cause), ST_INVAL);
    ck_assert_int_eq(image_read_part(img, 15, 5, track, 8, &cause), ST_INVAL);
    ck_assert_int_eq(image_write_part(packed, 2, 0, track, 8, &cause), ST_INVAL);
    teardown_both();
}
END_TEST

/* ---- parts of packed images ---- */

#define RECORD_AT(r) (TRACK_HA_BYTES + 16 + ((r)-1) * 4104 + 8)

static void (*while_packing)(void);

int compress2(Bytef *to, uLongf *len, const Bytef *from, uLong from_len, int level)
{
    int (*real)(Bytef *, uLongf *, const Bytef *, uLong, int);
    void *found = dlsym(RTLD_NEXT, "compress2");
    memcpy(&real, &found, sizeof real);
    if (while_packing)
        while_packing();
    return real(to, len, from, from_len, level);
}

static void write_part(u8 byte)
{
    ck_assert_int_eq(image_write_part(img, 2, RECORD_AT(3), &byte, 1, NULL), ST_OK);
}

static u8 read_part(void)
{
    u8 byte = 0xee;
    ck_assert_int_eq(image_read_part(img, 2, RECORD_AT(3), &byte, 1, NULL), ST_OK);
    return byte;
}

static void write_whole(void)
{
    static u8 track[IMAGE_TRACK_BYTES_MAX];
    u32 len = track_make_null(TRACK_NULL_LINUX, 2, 15, track);
    memset(track + RECORD_AT(12), 0x5a, DATA_BYTES);
    ck_assert_int_eq(image_write_track(img, 2, track, len, NULL), ST_OK);
}

static void change_it(void)
{
    while_packing = NULL;
    write_part(0x22);
}

/* It is packed, unpacked and read; what was written in between is there. */
START_TEST(a_change_while_it_is_packed_is_not_lost)
{
    setup_both(IMAGE_CCKD, false);
    write_part(0x10); /* of a track without a place in the file */
    ck_assert_uint_eq(read_part(), 0x10);
    write_whole();
    ck_assert(!image_has_parts(img, 1));
    ck_assert_uint_eq(read_part(), 0);
    write_part(0x11);
    ck_assert_uint_eq(read_part(), 0x11);
    while_packing = change_it;
    image_tidy(img);
    ck_assert_ptr_null((void *)(uintptr_t)while_packing);
    ck_assert_uint_eq(read_part(), 0x22);
    ck_assert(!image_has_parts(img, 2)); /* it was packed once more */
    write_part(0x33);
    ck_assert_uint_eq(read_part(), 0x33);
    teardown_both();
}
END_TEST

/* [P1]: the image below changes in a way that the shadow's mark tells. */
START_TEST(a_shadow_hears_of_parts)
{
    char layers[160], shadow[80];
    struct image *top = NULL;
    setup_both(IMAGE_CCKD, false);
    write_whole();
    image_tidy(img);
    close_disk();
    snprintf(shadow, sizeof shadow, "%s.shadow", path);
    snprintf(layers, sizeof layers, "%s,shadow=%s", path, shadow);
    unlink(shadow);
    const struct image_create what = {.format = IMAGE_CCKD, .below = path};
    ck_assert_int_eq(image_create(shadow, &what, NULL), ST_OK);
    ck_assert_int_eq(image_open(layers, IMAGE_READ_ONLY, &top, NULL), ST_OK);
    image_unref(top);
    open_disk(RAW, IMAGE_LIVE);
    ck_assert(!image_has_parts(img, 2));
    write_part(0x44);
    ck_assert_uint_eq(read_part(), 0x44);
    close_disk();
    ck_assert_int_eq(image_open(layers, IMAGE_READ_ONLY, &top, NULL), ST_PROTO);
    unlink(shadow);
    unlink(path);
    image_unref(packed);
    unlink(packed_path);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("parts");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, the_same_as_whole_tracks, 0, 12);
    tcase_add_loop_test(tc, only_what_changed_is_written, 0, 2);
    tcase_add_test(tc, a_change_while_it_is_packed_is_not_lost);
    tcase_add_test(tc, a_shadow_hears_of_parts);
    return run_suite(suite);
}
