/* The ECKD device as channel programs see it: identification, extents and domains, formatting,
 * reading and writing, searches, unit checks with their sense, a full host disk, relocation in the
 * middle of a channel program. */
#include "tests/unit/io/disk_fixture.h"

#include "io/image/track.h"

#define DEVNO 0x0200
#define CYLINDERS 4u

static void setup(void)
{
    make_disk(
        "eckd", DEVNO,
        &(struct image_create){.format = IMAGE_CCKD, .cylinders = CYLINDERS, .compress = true});
}

/* ---- channel programs ---- */

static void extent(u8 mask, u32 first, u32 last)
{
    u8 p[16] = {mask, 0xc0};
    track_cchh(first, 15, p + 8);
    track_cchh(last, 15, p + 12);
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

static u32 count_field(u32 where, u32 track, u8 record, u8 key_len, u16 data_len)
{
    u8 p[8];
    track_cchh(track, 15, p);
    p[4] = record;
    p[5] = key_len;
    be16_store(p + 6, data_len);
    storage_write(m.storage, where, p, sizeof p);
    return where;
}

/** Tracks `first` to `last` with twelve records of 4096 zeros, as dasdfmt makes them. */
static void format(u32 first, u32 last)
{
    u32 n = 12 * (last - first + 1), where = AREA;
    extent(0x00, first, last);
    locate(0x03, (u8)n, first, 0);
    for (u32 i = 0; i < n; i++, where += 8) {
        u32 track = first + i / 12;
        u8 command = i % 12 || i == 0 ? 0x1d : 0x9d;
        count_field(where, track, (u8)(1 + i % 12), 0, 4096);
        ccw(command, (i + 1 < n ? CC : 0) | SLI, 8, where);
    }
    good();
}

static u8 *bytes(u32 where)
{
    return storage_host(m.storage, where, 4096);
}

static void write_block(u32 track, u8 record, u8 byte)
{
    fill(AREA, byte, 4096);
    extent(0x80, track, track);
    locate(0x01, 1, track, record);
    ccw(0x05, 0, 4096, AREA);
    good();
}

static void expect_block(u32 track, u8 record, u8 byte)
{
    fill(AREA, 0xee, 4096);
    extent(0x40, track, track);
    locate(0x06, 1, track, record);
    ccw(0x86, 0, 4096, AREA);
    good();
    ck_assert_uint_eq(bytes(AREA)[0], byte);
    ck_assert_uint_eq(bytes(AREA)[4095], byte);
}

/* ---- identification ---- */

START_TEST(identifies_itself)
{
    ccw(0xe4, 0, 20, AREA);
    good();
    ck_assert_mem_eq(bytes(AREA), "\xff\x39\x90\xe9\x33\x90\x0a\x00\x40\xfa\x01\x00", 12);
    ccw(0x64, 0, 64, AREA);
    good();
    ck_assert_mem_eq(bytes(AREA), "\x39\x90\xe9\x33\x90\x02", 6);
    ck_assert_uint_eq(be16_load(bytes(AREA) + 12), CYLINDERS);
    ck_assert_uint_eq(be16_load(bytes(AREA) + 14), 15);
    ck_assert_uint_eq(be32_load(bytes(AREA) + 60), CYLINDERS);
    ccw(0xfa, 0, 256, AREA);
    good();
    ck_assert_uint_eq(bytes(AREA)[0] >> 6, 3);
    ck_assert_uint_eq(bytes(AREA)[1], 1);
    ck_assert_uint_eq(be16_load(bytes(AREA) + 30), DEVNO);
    ck_assert_uint_eq(bytes(AREA)[224] >> 6, 2);
    ccw(0x54, 0, 44, AREA);
    good();
    ccw(0xff, 0, 1, AREA);
    bad(0x80, 0, 1);
    ccw(0x01, 0, 8, AREA); /* write special count, key and data: records over two tracks */
    bad(0x80, 0, 1);
}
END_TEST

START_TEST(subsystem_data_is_prepared_then_read)
{
    u8 p[12] = {0x18};
    p[6] = 0x41;
    storage_write(m.storage, AREA, p, sizeof p);
    ccw(0x27, CC | SLI, 12, AREA);
    ccw(0x3e, SLI, 256, AREA + 256);
    good();
    ck_assert_uint_eq(bytes(AREA + 256)[8], 0x01);
    ck_assert_uint_eq(bytes(AREA + 256)[9], 0x20);
    ck_assert_uint_eq(bytes(AREA + 256)[12], 0x40);
    p[6] = 0x03; /* messages: none */
    storage_write(m.storage, AREA, p, sizeof p);
    ccw(0x27, CC | SLI, 12, AREA);
    ccw(0x3e, SLI, 3000, AREA + 256);
    good();
    ck_assert_mem_eq(bytes(AREA + 256), "\0\x09\0\0", 4);
    p[6] = 0x0e;
    storage_write(m.storage, AREA, p, sizeof p);
    ccw(0x27, CC, 12, AREA);
    ccw(0x3e, 0, 512, AREA + 256);
    good();
    ck_assert_uint_eq(bytes(AREA + 256)[0], 0x01);
    ck_assert_uint_eq(bytes(AREA + 256)[2], 0x00);
    ccw(0x3e, 0, 512, AREA + 256);
    bad(0x80, 0, 2);
    p[6] = 0x77;
    storage_write(m.storage, AREA, p, sizeof p);
    ccw(0x27, 0, 12, AREA);
    bad(0x80, 0, 4);
}
END_TEST

START_TEST(path_groups_and_reserve)
{
    u8 p[12] = {0x80, 1, 2, 3};
    storage_write(m.storage, AREA, p, sizeof p);
    ccw(0x34, 0, 12, AREA + 64);
    good();
    ck_assert_uint_eq(bytes(AREA + 64)[0], 0);
    ccw(0xaf, 0, 12, AREA);
    good();
    ccw(0xb4, 0, 32, AREA + 128);
    good();
    ccw(0x34, 0, 12, AREA + 64);
    good();
    ck_assert_uint_eq(bytes(AREA + 64)[0], 0xf8);
    ck_assert_mem_eq(bytes(AREA + 65), p + 1, 11);
    p[1] = 9;
    storage_write(m.storage, AREA, p, sizeof p);
    ccw(0xaf, 0, 12, AREA);
    bad(0x80, 0, 4);
    css_reset(m.css);
    enable(&m, id, 3);
    ccw(0x34, 0, 12, AREA + 64);
    good();
    ck_assert_mem_eq(bytes(AREA + 64), (u8[12]){0}, 12);
}
END_TEST

/* ---- domains ---- */

START_TEST(unformatted_tracks_have_no_records)
{
    extent(0x40, 0, 1);
    locate(0x06, 4, 0, 0);
    ccw(0x12, CC, 8, AREA);
    ccw(0x12, 0, 8, AREA);
    bad(0, 0x08, 0);
}
END_TEST

START_TEST(formatted_tracks_are_read_and_written)
{
    format(0, 1);
    extent(0x40, 0, 1);
    locate(0x06, 13, 0, 0);
    for (u32 i = 0; i < 13; i++)
        ccw(0x12, i < 12 ? CC : 0, 8, AREA + 8 * i);
    good();
    for (u32 i = 0; i < 13; i++)
        ck_assert_uint_eq(bytes(AREA)[8 * i + 4], 1 + i % 12); /* around the track */
    ck_assert_uint_eq(be16_load(bytes(AREA) + 6), 4096);
    write_block(0, 3, 0x33);
    write_block(1, 12, 0x44);
    expect_block(0, 3, 0x33);
    expect_block(0, 4, 0x00);
    expect_block(1, 12, 0x44);
    fill(AREA, 0xee, 3 * 4096);
    extent(0x40, 0, 1);
    locate(0x06, 3, 0, 12);
    for (u32 i = 0; i < 3; i++)
        ccw(0x86, i < 2 ? CC : 0, 4096, AREA + 4096 * i);
    good();
    ck_assert_uint_eq(bytes(AREA + 4096)[0], 0);
    fill(AREA, 0x55, 100);
    extent(0x80, 0, 1);
    locate(0x01, 1, 0, 5);
    ccw(0x05, SLI, 100, AREA); /* short: the rest is zeros */
    good();
    extent(0x40, 0, 1);
    locate(0x06, 1, 0, 5);
    ccw(0x06, 0, 4096, AREA);
    good();
    ck_assert_uint_eq(bytes(AREA)[99], 0x55);
    ck_assert_uint_eq(bytes(AREA)[100], 0);
}
END_TEST

START_TEST(what_was_written_is_in_the_file)
{
    struct image *again;
    struct cause cause;
    u8 buf[IMAGE_TRACK_BYTES_MAX];
    u32 len;
    char copy[80], command[200];
    format(2, 2);
    write_block(2, 1, 0x77);
    snprintf(copy, sizeof copy, "%s.copy", path);
    snprintf(command, sizeof command, "cp %s %s", path, copy);
    ck_assert_int_eq(system(command), 0); /* the file is still open here */
    ck_assert_int_eq(image_open(copy, IMAGE_READ_ONLY, &again, &cause), ST_OK);
    ck_assert_int_eq(image_read_track(again, 2, buf, &len, &cause), ST_OK);
    ck_assert_uint_eq(buf[TRACK_HA_BYTES + TRACK_R0_BYTES + TRACK_COUNT_BYTES], 0x77);
    image_unref(again);
    unlink(copy);
}
END_TEST

START_TEST(keys_and_end_of_file)
{
    u8 record[8 + 44 + 96];
    extent(0x00, 3, 3);
    locate(0x03, 2, 3, 0);
    count_field(AREA, 3, 1, 44, 96);
    fill(AREA + 8, 0xaa, 44);
    fill(AREA + 52, 0xbb, 96);
    ccw(0x1d, CC, 148, AREA);
    ccw(0x1d, 0, 8, count_field(AREA + 256, 3, 2, 0, 0));
    good();
    memcpy(record, bytes(AREA), sizeof record);
    fill(AREA, 0, 4096);
    extent(0x40, 3, 3);
    locate(0x16, 1, 3, 0);
    ccw(0x1e, 0, 148, AREA);
    good();
    ck_assert_mem_eq(bytes(AREA), record, sizeof record);
    extent(0x40, 3, 3);
    locate(0x06, 2, 3, 1);
    ccw(0x8e, CC, 140, AREA);
    ccw(0x06, SLI, 10, AREA);
    struct irb irb = run();
    ck_assert_mem_eq(bytes(AREA), record + 8, 140);
    ck_assert_uint_eq(irb.ds, 0x0d); /* unit exception */
    extent(0x80, 3, 3);
    locate(0x01, 1, 3, 1);
    fill(AREA, 0xcc, 140);
    ccw(0x0d, 0, 140, AREA);
    good();
    extent(0x40, 3, 3);
    locate(0x06, 1, 3, 1);
    ccw(0x0e, 0, 140, AREA);
    good();
    ck_assert_uint_eq(bytes(AREA)[0], 0xcc);
}
END_TEST

START_TEST(programs_that_are_wrong)
{
    format(0, 0);
    locate(0x06, 1, 0, 1);
    bad(0x80, 0, 2); /* no extent */
    extent(0x40, 0, 60);
    bad(0x80, 0, 4); /* beyond the disk */
    extent(0x40, 1, 0);
    bad(0x80, 0, 4);
    extent(0x40, 0, 0);
    locate(0x06, 1, 1, 1);
    bad(0, 0x04, 0); /* outside the extent */
    extent(0x40, 0, 0);
    locate(0x06, 1, 0, 13);
    bad(0, 0x08, 0);
    extent(0x40, 0, 0);
    locate(0x01, 1, 0, 1);
    ccw(0x05, 0, 4096, AREA);
    bad(0x80, 0, 1); /* the mask inhibits writes */
    extent(0x80, 0, 0);
    locate(0x03, 1, 0, 1);
    ccw(0x1d, SLI, 8, count_field(AREA, 0, 2, 0, 10));
    bad(0x80, 0, 1); /* and here formatting */
    extent(0x00, 0, 0);
    locate(0x03, 1, 0, 0);
    ccw(0x15, SLI, 8, count_field(AREA, 0, 0, 0, 8));
    bad(0x80, 0, 1); /* and here R0 */
    extent(0x80, 0, 0);
    locate(0x06, 1, 0, 1);
    ccw(0x05, 0, 4096, AREA);
    bad(0x80, 0, 2); /* a write in a domain of reads */
    extent(0x00, 0, 0);
    locate(0x03, 2, 0, 0);
    ccw(0x1d, CC | SLI, 8, count_field(AREA, 0, 1, 0, 50000));
    ccw(0x1d, SLI, 8, count_field(AREA + 8, 0, 2, 0, 10000));
    bad(0, 0x40, 0); /* the track is full */
    ccw(0x63, 0, 8, EXTENT);
    bad(0x80, 0, 3);
    ccw(0x05, 0, 8, AREA);
    bad(0x80, 0, 2); /* nothing was searched for */
}
END_TEST

START_TEST(prefix_holds_both)
{
    u8 p[64] = {0x01, 0x80};
    format(1, 2);
    write_block(1, 7, 0x17);
    p[12] = 0x40;
    p[13] = 0xc0;
    track_cchh(1, 15, p + 20);
    track_cchh(2, 15, p + 24);
    p[44] = 0x06;
    p[47] = 2;
    track_cchh(1, 15, p + 48);
    track_cchh(1, 15, p + 52);
    p[56] = 7;
    storage_write(m.storage, EXTENT, p, sizeof p);
    ccw(0xe7, CC, 64, EXTENT);
    ccw(0x86, CC, 4096, AREA);
    ccw(0x86, 0, 4096, AREA + 4096);
    good();
    ck_assert_uint_eq(bytes(AREA)[0], 0x17);
    ck_assert_uint_eq(bytes(AREA + 4096)[0], 0);
    p[1] = 0x90; /* HyperPAV */
    storage_write(m.storage, EXTENT, p, sizeof p);
    ccw(0xe7, 0, 64, EXTENT);
    bad(0x80, 0, 4);
}
END_TEST

START_TEST(whole_tracks)
{
    u8 p[22] = {0x4c, 0, 0, 2}; /* read tracks, from the home address on */
    format(4, 5);
    write_block(5, 2, 0x52);
    track_cchh(4, 15, p + 4);
    extent(0xc0, 4, 6);
    storage_write(m.storage, LOCATE, p, 20);
    ccw(0x4b, CC, 20, LOCATE);
    ccw(0xde, CC | SLI, 60000, AREA);
    ccw(0xde, SLI, 60000, AREA + 0x10000);
    good();
    u32 len = 16 + 12 * 4104 + 8;
    ck_assert_mem_eq(bytes(AREA) + len - 8, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    ck_assert_uint_eq(bytes(AREA + 0x10000)[16 + 4104 + 8], 0x52);
    u8 *t = storage_host(m.storage, AREA + 0x10000, len);
    for (u32 i = 0; i < 13; i++)
        t[(i ? 16 + 4104 * (i - 1) : 0) + 3] = 6; /* it becomes track 6 */
    p[0] = 0x3f;                                  /* write full track */
    p[3] = 1;
    p[17] = 0x11;
    p[19] = 2;
    p[20] = 0x80;
    track_cchh(6, 15, p + 4);
    track_cchh(6, 15, p + 8);
    extent(0xc0, 4, 6);
    storage_write(m.storage, LOCATE, p, 22);
    ccw(0x4b, CC, 22, LOCATE);
    ccw(0x95, SLI, 57000, AREA + 0x10000);
    good();
    expect_block(6, 2, 0x52);
    expect_block(6, 12, 0);
}
END_TEST

/** A locate record extended for the data of `count` tracks, from a record of the first on. */
static void locate_data(u8 operation, u8 count, u32 track, u8 record, u16 length)
{
    u8 p[20] = {operation, 0x80, 0, count};
    track_cchh(track, 15, p + 4);
    track_cchh(track, 15, p + 8);
    p[12] = record;
    be16_store(p + 14, length);
    p[17] = operation == 0x3f ? 0x23 : 0;
    storage_write(m.storage, LOCATE, p, sizeof p);
    ccw(0x4b, CC, 20, LOCATE);
}

/* Read and write track data: each command is about the records of one track, without counts and
 * keys; it begins behind the locate record's search, and ends on the last track where its length
 * says. */
START_TEST(data_of_tracks)
{
    u32 first = 10 * 4096, all = 12 * 4096, last = 2 * 4096;
    format(4, 7);
    for (u32 i = 0; i < 24; i++)
        fill(AREA + 4096 * i, (u8)(i + 1), 4096);
    extent(0x80, 4, 6);
    locate_data(0x3f, 3, 4, 3, 4096); /* records 3 to 12, all of track 5, 1 and 2 of track 6 */
    ccw(0xa5, CC, (u16)first, AREA);
    ccw(0xa5, CC, (u16)all, AREA + first);
    ccw(0xa5, 0, (u16)last, AREA + first + all);
    good();
    expect_block(4, 2, 0);
    expect_block(4, 3, 1);
    expect_block(4, 12, 10);
    expect_block(5, 1, 11);
    expect_block(6, 2, 24);
    expect_block(6, 3, 0);
    fill(AREA + 0x20000, 0xee, 0x20000);
    extent(0x40, 4, 6);
    locate_data(0x0c, 3, 4, 3, (u16)last);
    ccw(0xa6, CC, (u16)first, AREA + 0x20000);
    ccw(0xa6, CC, (u16)all, AREA + 0x20000 + first);
    ccw(0xa6, 0, (u16)last, AREA + 0x20000 + first + all);
    good();
    for (u32 i = 0; i < 24; i++) {
        ck_assert_uint_eq(bytes(AREA + 0x20000 + 4096 * i)[0], (u8)(i == 0 ? 1 : i + 1));
        ck_assert_uint_eq(bytes(AREA + 0x20000 + 4096 * i)[4095], (u8)(i + 1));
    }
    fill(AREA, 0x77, 5000);
    extent(0x80, 4, 6);
    locate_data(0x3f, 1, 5, 4, 4096);
    ccw(0xa5, 0, 5000, AREA); /* a record and a piece: the rest of that one is zeros */
    good();
    expect_block(5, 4, 0x77);
    fill(AREA, 0xee, 4096);
    extent(0x40, 5, 5);
    locate(0x06, 1, 5, 5);
    ccw(0x86, 0, 4096, AREA);
    good();
    ck_assert_uint_eq(bytes(AREA)[903], 0x77);
    ck_assert_uint_eq(bytes(AREA)[904], 0);
    expect_block(5, 6, 16);
}
END_TEST

START_TEST(data_of_tracks_refused)
{
    format(4, 5);
    extent(0x80, 4, 5);
    locate_data(0x3f, 1, 4, 13, 4096); /* no such record */
    ccw(0xa5, 0, 4096, AREA);
    bad(0, 0x08, 0);
    extent(0x40, 4, 5); /* the mask lets nothing be written */
    locate_data(0x3f, 1, 4, 1, 4096);
    ccw(0xa5, 0, 4096, AREA);
    bad(0x80, 0, 1);
    extent(0x80, 4, 5);
    locate_data(0x3f, 1, 4, 1, 4096);
    ccw(0xa6, SLI, 4096, AREA); /* a read in a domain of writes */
    bad(0x80, 0, 2);
    extent(0x80, 4, 5);
    locate(0x06, 1, 4, 1);
    ccw(0xa6, SLI, 4096, AREA); /* and where records are read */
    bad(0x80, 0, 2);
    extent(0x80, 4, 4);
    locate_data(0x3f, 2, 4, 12, 4096);
    ccw(0xa5, CC, 4096, AREA);
    ccw(0xa5, 0, 4096, AREA); /* over the end of the extent */
    bad(0, 0x04, 0);
    fill(AREA, 1, 4096);
    extent(0x80, 4, 5);
    locate_data(0x3f, 1, 4, 12, 4096);
    ccw(0xa5, 0, 4097, AREA); /* more than the track has */
    struct irb irb = run();
    ck_assert_uint_eq(irb.ss, SS_INCORRECT_LENGTH);
    ck_assert_uint_eq(irb.count, 1);
}
END_TEST

/* ---- programs without a domain ---- */

START_TEST(searches_find_records)
{
    u8 seek[11] = {0, 0, 0, 0, 0, 7, 0, 0, 0, 7, 4}; /* BB CC HH, CC HH R */
    format(7, 7);
    write_block(7, 4, 0x74);
    storage_write(m.storage, LOCATE, seek, sizeof seek);
    ccw(0x07, CC, 6, LOCATE);
    ccw(0x31, CC, 5, LOCATE + 6);
    ccw(0x08, 0, 0, PROGRAM + 8);
    ccw(0x06, CC, 4096, AREA);
    ccw(0x16, 0, 16, AREA + 4096);
    good();
    ck_assert_uint_eq(bytes(AREA)[0], 0x74);
    ck_assert_uint_eq(bytes(AREA + 4096)[7], 8);
    seek[10] = 13;
    storage_write(m.storage, LOCATE, seek, sizeof seek);
    ccw(0x07, CC, 6, LOCATE);
    ccw(0x31, CC, 5, LOCATE + 6);
    ccw(0x08, 0, 0, PROGRAM + 8);
    bad(0, 0x08, 0);
    ccw(0x07, CC, 6, LOCATE);
    ccw(0x5e, SLI, 60000, AREA);
    struct irb irb = good();
    ck_assert_uint_eq(irb.count, 60000 - 12 * 4104);
    seek[3] = 9;
    storage_write(m.storage, LOCATE, seek, sizeof seek);
    ccw(0x07, 0, 6, LOCATE);
    bad(0x80, 0, 4); /* no such cylinder */
}
END_TEST

START_TEST(ipl_reads_record_1)
{
    u8 first[24] = {0, 0x0a, 0, 0, 0, 0, 0, 0x42, 0x03, 0, 0, 0, 0x20, 0, 0, 1};
    struct cause cause;
    extent(0x00, 0, 0);
    locate(0x03, 1, 0, 0);
    count_field(AREA, 0, 1, 0, 24);
    storage_write(m.storage, AREA + 8, first, sizeof first);
    ccw(0x1d, 0, 32, AREA);
    good();
    ck_assert_msg(css_ipl(m.css, DEVNO, &cause) == ST_OK, "%s", cause.text);
    ck_assert_mem_eq(bytes(0), first, 8);
}
END_TEST

/* ---- the host ---- */

START_TEST(read_only_disks_refuse_writes)
{
    format(0, 0);
    close_disk();
    open_disk(DEVNO, IMAGE_READ_ONLY);
    expect_block(0, 1, 0);
    extent(0x80, 0, 0);
    locate(0x01, 1, 0, 1);
    ccw(0x05, 0, 4096, AREA);
    bad(0x80, 0x02, 0);
}
END_TEST

/* The host's disk is full in the middle of a write: equipment check, and the track is as it was. */
START_TEST(a_full_host_disk_is_an_equipment_check)
{
    format(0, 2);
    write_block(0, 1, 0x01);
    host_is_full(1000);
    fill(AREA, 0x02, 4096);
    extent(0x80, 0, 0);
    locate(0x01, 1, 0, 1);
    ccw(0x05, 0, 4096, AREA);
    bad(0x10, 0x80, 0);
    expect_block(0, 1, 0x01);
    host_is_full(0);
    write_block(0, 1, 0x03);
    expect_block(0, 1, 0x03);
}
END_TEST

static void no_fault(void *arg, u32 track, const char *text)
{
    snprintf(arg, 200, "%u: %s", track, text);
}

/** Commands that go with an operation of locate record, and any others. */
static const struct family {
    u8 operation;
    u8 command[8];
} families[] = {
    {0x06, {0x06, 0x86, 0x0e, 0x8e, 0x12, 0x92, 0x1e, 0x9e}},
    {0x16, {0x16, 0x1a, 0x96, 0x5e, 0x1e, 0x06, 0x9a, 0x12}},
    {0x4c, {0xde, 0xde, 0x5e, 0xde, 0xde, 0xa6, 0xde, 0xde}},
    {0x0c, {0xa6, 0xa6, 0xde, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6}},
    {0x01, {0x05, 0x85, 0x0d, 0x8d, 0x05, 0x85, 0x05, 0x85}},
    {0x03, {0x1d, 0x1d, 0x9d, 0x1d, 0x15, 0x11, 0x1d, 0x9d}},
    {0x43, {0x15, 0x1d, 0x1d, 0x9d, 0x1d, 0x11, 0x05, 0x1d}},
    {0xd6, {0x31, 0x71, 0x29, 0x39, 0xb1, 0x07, 0x1f, 0xe7}},
};

static u8 any_command(const struct family *f)
{
    u8 command = rand() % 12 ? f->command[rand() % 8] : (u8)(1 + rand() % 255);
    return command == 0x08 ? 0x02 : command; /* no loops */
}

static void any_program(void)
{
    const struct family *f = &families[(u32)rand() % ARRAY_LEN(families)];
    u8 *p = storage_host(m.storage, AREA, 512);
    u32 ccws = 1 + (u32)rand() % 5, track = (u32)rand() % 20;
    memset(p, 0, 512);
    for (u32 i = 0; i < 512; i++)
        if (rand() % 8 == 0)
            p[i] = (u8)(rand() % 64);
    extent(rand() % 8 ? 0xc0 : (u8)(rand() & 0xdf), 0, 20 + (u32)rand() % 20);
    if (rand() % 8)
        locate(f->operation, (u8)(ccws + (u32)rand() % 2), track, (u8)(rand() % 4));
    for (u32 i = 0; i < ccws; i++) {
        u16 count = (u16)(1 + (rand() % 3 ? 8 + rand() % 64 : rand() % 60000));
        ccw(any_command(f), (i + 1 < ccws ? CC : 0) | (rand() % 16 ? SLI : 0), count,
            AREA + 8 * ((u32)rand() % 16));
    }
}

/* Any commands in any order with any data: they end, and the image stays sound. */
START_TEST(random_programs_end)
{
    struct image_check k = {0};
    struct cause cause;
    char text[200] = "";
    u32 normal = 0;
    format(0, 2);
    srand(17 + (unsigned)_i);
    for (u32 n = 0; n < 3000; n++) {
        any_program();
        struct irb irb = run();
        normal += irb.ds == 0x0c && !irb.ss;
        ck_assert_msg(irb.ds & 0x0c || irb.ss, "ds %02x", irb.ds);
    }
    ck_assert_uint_gt(normal, 300);
    extent(0xc0, 1, 1); /* a good program still runs */
    locate(0x43, 2, 1, 0);
    ccw(0x15, CC | SLI, 8, count_field(AREA, 1, 0, 0, 8));
    ccw(0x1d, SLI, 8, count_field(AREA + 8, 1, 1, 0, 4096));
    good();
    expect_block(1, 1, 0);
    machine_fini(&m);
    image_unref(img);
    ck_assert_int_eq(image_check(path, no_fault, text, &k, &cause), ST_OK);
    ck_assert_msg(k.faults == 0, "%s", text);
    ck_assert_int_eq(image_open(path, 0, &img, &cause), ST_OK);
    machine_init(&m);
}
END_TEST

/* ---- relocation ---- */

/** The program is suspended before CCW `k`, moves, and is resumed on the other machine. */
START_TEST(programs_go_on_elsewhere)
{
    static struct machine to;
    struct irb irb;
    attach_to(&to, DEVNO);
    format(8, 9);
    for (u32 i = 0; i < 3; i++)
        fill(AREA + 4096 * i, (u8)(0xa0 + i), 4096);
    extent(0x80, 8, 9);
    locate(0x01, 3, 8, 11);
    for (u32 i = 0; i < 3; i++)
        ccw(0x85, i < 2 ? CC : 0, 4096, AREA + 4096 * i);
    u8 *flags = storage_host(m.storage, PROGRAM + 8 * (u32)_i + 1, 1);
    *flags |= CCW_SUSPEND;
    at = PROGRAM;
    ck_assert_int_eq(start(&m, id, ORB_F | ORB_S | ORB_U, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 1);
    ck_assert(css_activity(m.css, id) == CSS_SUSPENDED);
    move_to(&to);
    *storage_host(m.storage, PROGRAM + 8 * (u32)_i + 1, 1) &= (u8)~CCW_SUSPEND;
    ck_assert_int_eq(css_rsch(m.css, id), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
    ck_assert_uint_eq(irb.ss, 0);
    expect_block(8, 10, 0);
    expect_block(8, 11, 0xa0);
    expect_block(8, 12, 0xa1);
    expect_block(9, 1, 0xa2);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("eckd");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, identifies_itself);
    tcase_add_test(tc, subsystem_data_is_prepared_then_read);
    tcase_add_test(tc, path_groups_and_reserve);
    tcase_add_test(tc, unformatted_tracks_have_no_records);
    tcase_add_test(tc, formatted_tracks_are_read_and_written);
    tcase_add_test(tc, what_was_written_is_in_the_file);
    tcase_add_test(tc, keys_and_end_of_file);
    tcase_add_test(tc, programs_that_are_wrong);
    tcase_add_test(tc, prefix_holds_both);
    tcase_add_test(tc, whole_tracks);
    tcase_add_test(tc, data_of_tracks);
    tcase_add_test(tc, data_of_tracks_refused);
    tcase_add_test(tc, searches_find_records);
    tcase_add_test(tc, ipl_reads_record_1);
    tcase_add_test(tc, read_only_disks_refuse_writes);
    tcase_add_test(tc, a_full_host_disk_is_an_equipment_check);
    tcase_add_loop_test(tc, random_programs_end, 0, 3);
    tcase_add_loop_test(tc, programs_go_on_elsewhere, 0, 5);
    return run_suite(suite);
}
