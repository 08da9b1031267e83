/* Disk images: what is written is read, in every format, before and after closing; a CCKD file is
 * whole at any moment; damage is refused with what is wrong; a second writer is kept away.
 * waits: for images that flush when they are quiet */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/image/cckd_internal.h"
#include "io/image/spans.h"

#define CYLINDERS 40u
#define TRACKS (CYLINDERS * TRACK_HEADS_3390)

static char dir[64], path[128], copy[400];
static u8 buf[IMAGE_TRACK_BYTES_MAX], other[IMAGE_TRACK_BYTES_MAX];
static struct cause cause;

static void setup(void)
{
    snprintf(dir, sizeof dir, "%s", "/tmp/io_image_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/v_1.img", dir);
    snprintf(copy, sizeof copy, "%s/copy.img", dir);
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static void create(enum image_format format)
{
    struct image_create what = {.format = format, .cylinders = CYLINDERS, .compress = true};
    ck_assert_msg(image_create(path, &what, &cause) == ST_OK, "%s", cause.text);
}

static struct image *open_image(const char *name, unsigned flags)
{
    struct image *img = NULL;
    ck_assert_msg(image_open(name, flags, &img, &cause) == ST_OK, "%s", cause.text);
    return img;
}

/** A track made from `seed`: some records, some with keys, data that packs or not. */
static u32 make_track(u32 track, u32 seed, u8 *out)
{
    u32 state = seed * 2654435761u + track;
    u8 data[4096];
    u32 len = track_make_null(TRACK_NULL_EMPTY, track, TRACK_HEADS_3390, out);
    for (u8 r = 1; r <= 1 + seed % 12; r++) {
        for (u32 i = 0; i < sizeof data; i++) {
            state = state * 1103515245u + 12345;
            data[i] = seed % 3 ? (u8)(state >> 16) : (u8)(i / 64);
        }
        len = track_append(out, len, r, seed % 5 ? 0 : 8, 4096, data, data);
    }
    return len;
}

static void expect_track(struct image *img, u32 track, u32 seed)
{
    u32 len = 0, want = make_track(track, seed, other);
    ck_assert_msg(image_read_track(img, track, buf, &len, &cause) == ST_OK, "%s", cause.text);
    ck_assert_uint_eq(len, want);
    ck_assert_mem_eq(buf, other, len);
}

static void write_track(struct image *img, u32 track, u32 seed)
{
    u32 len = make_track(track, seed, buf);
    ck_assert_msg(image_write_track(img, track, buf, len, &cause) == ST_OK, "%s", cause.text);
}

static void fault(void *arg, u32 track, const char *text)
{
    snprintf(arg, 200, "%u: %s", track, text);
}

static void expect_clean(const char *name, bool open_left)
{
    struct image_check k = {0};
    char text[200] = "";
    ck_assert_msg(image_check(name, fault, text, &k, &cause) == ST_OK, "%s", cause.text);
    ck_assert_msg(k.faults == 0, "%s", text);
    ck_assert_uint_eq(k.tracks_read, TRACKS);
    ck_assert_int_eq(k.open_left, open_left);
}

static void copy_file(void)
{
    char command[600];
    snprintf(command, sizeof command, "cp %s %s", path, copy);
    ck_assert_int_eq(system(command), 0);
}

/* Random tracks, overwritten many times; the file is closed and opened in between. */
START_TEST(tracks_come_back)
{
    static u32 seed[TRACKS];
    create((enum image_format)_i);
    srand(7);
    memset(seed, 0, sizeof seed);
    for (u32 round = 0; round < 3; round++) {
        struct image *img = open_image(path, 0);
        ck_assert_uint_eq(image_geometry(img)->tracks, TRACKS);
        ck_assert_int_eq(image_format(img), _i);
        for (u32 n = 0; n < 300; n++) {
            u32 t = (u32)rand() % TRACKS;
            seed[t] = 1 + (u32)rand() % 1000;
            write_track(img, t, seed[t]);
        }
        for (u32 t = 0; t < TRACKS; t++)
            if (seed[t])
                expect_track(img, t, seed[t]);
        image_unref(img);
        expect_clean(path, false);
    }
}
END_TEST

/* What a killed writer leaves: every track as it was written last, and nothing damaged. */
START_TEST(cckd_is_whole_at_any_moment)
{
    static u32 seed[TRACKS];
    create(IMAGE_CCKD);
    memset(seed, 0, sizeof seed);
    static const unsigned flags[] = {0, IMAGE_SYNC, IMAGE_LIVE};
    struct image *img = open_image(path, flags[_i]);
    srand(3);
    for (u32 n = 0; n < (_i == 1 ? 25 : 120); n++) {
        u32 t = (u32)rand() % 64;
        seed[t] = n + 1;
        write_track(img, t, seed[t]);
        if (n % 3 == 0)
            ck_assert_int_eq(image_commit(img, &cause), ST_OK);
        if (n % 10)
            continue;
        copy_file();
        expect_clean(copy, true);
        struct image *now = open_image(copy, IMAGE_READ_ONLY);
        for (u32 k = 0; k < 64; k++)
            if (seed[k])
                expect_track(now, k, seed[k]);
        image_unref(now);
    }
    image_unref(img);
}
END_TEST

START_TEST(cckd_reuses_space_after_a_sync)
{
    create(IMAGE_CCKD);
    struct image *img = open_image(path, 0);
    struct image_figures before, after;
    for (u32 n = 0; n < 12; n++)
        write_track(img, 5, 11);
    image_figures(img, &before);
    for (u32 n = 0; n < 8; n++) {
        write_track(img, 5, 11);
        ck_assert_int_eq(image_sync(img, &cause), ST_OK);
    }
    image_figures(img, &after);
    ck_assert_uint_le(after.file_bytes, before.file_bytes + 2 * IMAGE_TRACK_BYTES_MAX);
    image_unref(img);
    expect_clean(path, false);
}
END_TEST

/** A track that takes `len` bytes of a file without compression. */
static u32 track_of_length(u32 track, u32 len, u8 *out)
{
    static u8 data[IMAGE_TRACK_BYTES_MAX];
    u32 empty = track_make_null(TRACK_NULL_EMPTY, track, TRACK_HEADS_3390, out);
    memset(data, (int)(track + 1), sizeof data);
    return track_append(out, empty, 1, 0, (u16)(len - empty - TRACK_COUNT_BYTES), NULL, data);
}

static void write_length(struct image *img, u32 track, u32 len)
{
    u32 got = track_of_length(track, len, buf);
    ck_assert_uint_eq(got, len);
    ck_assert_msg(image_write_track(img, track, buf, len, &cause) == ST_OK, "%s", cause.text);
}

static void expect_length(u32 track, u32 want)
{
    struct image *img = open_image(path, IMAGE_READ_ONLY);
    u32 len = 0;
    track_of_length(track, want, other);
    ck_assert_msg(image_read_track(img, track, buf, &len, &cause) == ST_OK, "%s", cause.text);
    ck_assert_uint_eq(len, want);
    ck_assert_mem_eq(buf, other, len);
    image_unref(img);
}

/** Tracks 5, 0 and 1 behind one another in a file without compression; then 0 is free space. */
static struct image *hole_between(u32 len)
{
    struct image_create what = {.format = IMAGE_CCKD, .cylinders = CYLINDERS};
    ck_assert_int_eq(image_create(path, &what, &cause), ST_OK);
    struct image *img = open_image(path, 0);
    write_length(img, 5, 5000);
    write_length(img, 0, len);
    write_length(img, 1, 6000);
    u32 null = track_make_null(TRACK_NULL_EMPTY, 0, TRACK_HEADS_3390, buf);
    ck_assert_int_eq(image_write_track(img, 0, buf, null, &cause), ST_OK);
    ck_assert_int_eq(image_sync(img, &cause), ST_OK);
    return img;
}

/* A table of level 2 goes where there is little more room than it needs: a link of the chain of
 * free space is longer than the rest, and what lies behind it stays whole. */
START_TEST(cckd_tables_leave_no_splinters)
{
    struct image *img = hole_between(CCKD_L2_BYTES + (u32)_i);
    write_length(img, CCKD_L2_ENTRIES, 7000);
    image_unref(img);
    expect_clean(path, false);
    expect_length(1, 6000);
    expect_length(CCKD_L2_ENTRIES, 7000);
}
END_TEST

/** The file says that the track takes no more than its length: behind it are bytes of nothing. */
static void shorten(u32 track)
{
    u8 word[4], entry[CCKD_L2_ENTRY_BYTES];
    FILE *f = fopen(path, "r+b");
    ck_assert_ptr_nonnull(f);
    fseek(f, CCKD_L1_AT, SEEK_SET);
    ck_assert_uint_eq(fread(word, sizeof word, 1, f), 1);
    fseek(f, (long)le32_load(word) + (long)(track * sizeof entry), SEEK_SET);
    ck_assert_uint_eq(fread(entry, sizeof entry, 1, f), 1);
    ck_assert_uint_gt(le16_load(entry + 6), le16_load(entry + 4));
    memcpy(entry + 6, entry + 4, 2);
    fseek(f, -(long)sizeof entry, SEEK_CUR);
    ck_assert_uint_eq(fwrite(entry, sizeof entry, 1, f), 1);
    fclose(f);
}

/* A file may come with pieces of free space that have no room for a link of the chain. */
START_TEST(cckd_splinters_are_not_chained)
{
    struct image *img = hole_between(4000 + (u32)_i);
    write_length(img, 2, 4000);
    image_unref(img);
    shorten(2);
    img = open_image(path, 0);
    write_length(img, 3, 9000);
    image_unref(img);
    expect_clean(path, false);
    expect_length(1, 6000);
    expect_length(2, 4000);
}
END_TEST

/** Until the image's own thread has packed and flushed everything. */
static void await_quiet(struct image *img)
{
    for (u32 n = 0; n < 300000; n++) {
        lock_take(&img->lock);
        bool quiet =
            !img->unsynced && !img->syncing && !(img->ops->backlog && img->ops->backlog(img));
        lock_drop(&img->lock);
        if (quiet)
            return;
        usleep(1000);
    }
    ck_abort_msg("not flushed after five minutes");
}

/* An image of a running machine is written unpacked, packed and flushed when it is quiet, and can
 * be read all the while. */
START_TEST(live_images_are_packed_and_flushed)
{
    struct image_figures wrote, quiet;
    create((enum image_format)_i);
    struct image *img = open_image(path, IMAGE_LIVE);
    for (u32 t = 0; t < 100; t++)
        write_track(img, t, 3 * (t + 5)); /* of data that packs */
    image_figures(img, &wrote);
    await_quiet(img);
    image_figures(img, &quiet);
    if (_i == IMAGE_CCKD) {
        ck_assert_uint_gt(quiet.free_spans, wrote.free_spans);
        ck_assert_uint_lt(quiet.used_bytes, wrote.used_bytes / 2);
    }
    for (u32 t = 0; t < 100; t++)
        expect_track(img, t, 3 * (t + 5));
    for (u32 n = 0; n < 2000; n++) {
        write_track(img, n % 7, 3 * n);
        if (n % 400 == 0)
            await_quiet(img);
        expect_track(img, n % 7, 3 * n);
    }
    image_unref(img);
    expect_clean(path, false);
    img = open_image(path, IMAGE_READ_ONLY);
    for (u32 n = 1993; n < 2000; n++)
        expect_track(img, n % 7, 3 * n);
    image_figures(img, &quiet);
    if (_i == IMAGE_CCKD)
        ck_assert_uint_lt(quiet.used_bytes, wrote.used_bytes / 2);
    image_unref(img);
}
END_TEST

/* Packing writes, too: when the tracks that it packs have been flushed before, by somebody or
 * because it takes long, what it wrote is flushed all the same. */
START_TEST(packed_tracks_are_flushed)
{
    create(IMAGE_CCKD);
    struct image *img = open_image(path, IMAGE_LIVE);
    for (u32 t = 0; t < 100; t++)
        write_track(img, t, 3 * (t + 5));
    ck_assert_int_eq(image_sync(img, &cause), ST_OK);
    if (_i)
        image_tidy(img);
    await_quiet(img);
    image_unref(img);
    expect_clean(path, false);
}
END_TEST

static u64 used_bytes(void)
{
    struct image_figures f;
    struct image *img = open_image(path, IMAGE_READ_ONLY);
    image_figures(img, &f);
    image_unref(img);
    return f.used_bytes;
}

/** Tracks that pack well, more than a close packs, in an image that a machine has. */
static struct image *many_unpacked(void)
{
    struct image *img = open_image(path, IMAGE_LIVE);
    for (u32 t = 0; t < TRACKS; t++)
        write_track(img, t, 3 * (t + 5));
    return img;
}

#define TRACKS_BYTES (TRACKS * 6ull * 4096) /* written by it, about */

/* A close that does not wait leaves some unpacked; the next machine that writes the image packs
 * them when it is quiet, whoever had it meanwhile. So it does after a writer that was killed. */
START_TEST(unpacked_tracks_are_packed_later)
{
    create(IMAGE_CCKD);
    struct image *img = many_unpacked();
    if (_i) { /* as a kill leaves it */
        lock_take(&img->lock);
        copy_file();
        lock_drop(&img->lock);
    }
    image_unref(img);
    if (_i)
        ck_assert_int_eq(rename(copy, path), 0);
    ck_assert_uint_gt(used_bytes(), TRACKS_BYTES / 2);
    img = open_image(path, 0);
    write_track(img, 1, 3);
    image_unref(img);
    ck_assert_uint_gt(used_bytes(), TRACKS_BYTES / 2);
    img = open_image(path, IMAGE_LIVE);
    write_track(img, 0, 3);
    await_quiet(img);
    for (u32 t = 2; t < TRACKS; t++)
        expect_track(img, t, 3 * (t + 5));
    image_unref(img);
    expect_clean(path, false);
    ck_assert_uint_lt(used_bytes(), TRACKS_BYTES / 8);
    img = open_image(path, IMAGE_LIVE); /* there is nothing to do any more */
    ck_assert_uint_eq(img->ops->backlog(img), 0);
    image_unref(img);
}
END_TEST

/* Who has the time at the end has them packed. */
START_TEST(an_image_is_tidied_before_its_close)
{
    create(IMAGE_CCKD);
    struct image *img = many_unpacked();
    image_tidy(img);
    ck_assert_uint_eq(img->ops->backlog(img), 0);
    image_unref(img);
    expect_clean(path, false);
    ck_assert_uint_lt(used_bytes(), TRACKS_BYTES / 8);
}
END_TEST

/* Until something is written nobody changes the file: neither the program nor its end. Who writes
 * then begins anew. */
START_TEST(an_image_that_rests_is_left_alone)
{
    struct stat before, after;
    create((enum image_format)_i);
    struct image *img = many_unpacked();
    for (u32 round = 0; round < 2; round++) {
        ck_assert_int_eq(image_rest(img, &cause), ST_OK);
        ck_assert_int_eq(stat(path, &before), 0);
        image_unref(img);
        ck_assert_int_eq(stat(path, &after), 0);
        ck_assert_int_eq(before.st_size, after.st_size);
        ck_assert_int_eq(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
        ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
        expect_clean(path, false);
        img = open_image(path, IMAGE_LIVE);
        for (u32 t = 0; t < TRACKS; t++)
            expect_track(img, t, 3 * (t + 5 + round));
        for (u32 t = 0; t < TRACKS; t++)
            write_track(img, t, 3 * (t + 6 + round));
    }
    ck_assert_int_eq(image_rest(img, &cause), ST_OK);
    write_track(img, 0, 3); /* with the mark of a writer, which a kill would leave */
    struct image *another = open_image(path, IMAGE_READ_ONLY | IMAGE_NO_LOCK);
    ck_assert(another->open_left == (_i == IMAGE_CCKD));
    image_unref(another);
    await_quiet(img);
    image_unref(img);
    expect_clean(path, false);
}
END_TEST

/* Formatted tracks take no space: they are null in a format of their own. */
START_TEST(cckd_null_tracks_take_no_space)
{
    create(IMAGE_CCKD);
    struct image *img = open_image(path, 0);
    for (u32 t = 256; t < 512; t++) {
        write_track(img, t, t % 8);
        u32 len = track_make_null(t % 3, t, TRACK_HEADS_3390, buf);
        ck_assert_int_eq(image_write_track(img, t, buf, len, &cause), ST_OK);
    }
    image_unref(img);
    struct stat sb;
    ck_assert_int_eq(stat(path, &sb), 0);
    ck_assert_int_lt(sb.st_size, 8192);
    expect_clean(path, false);
    img = open_image(path, IMAGE_READ_ONLY);
    for (u32 t = 256; t < 512; t++) {
        u32 len = 0, want = track_make_null(t % 3, t, TRACK_HEADS_3390, other);
        ck_assert_int_eq(image_read_track(img, t, buf, &len, &cause), ST_OK);
        ck_assert_uint_eq(len, want);
        ck_assert_mem_eq(buf, other, len);
    }
    image_unref(img);
}
END_TEST

static void patch(u64 at, const void *bytes, size_t len)
{
    int fd = open(path, O_RDWR);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, bytes, len, (off_t)at), (ssize_t)len);
    close(fd);
}

static void expect_refused(const char *why)
{
    struct image *img = NULL;
    ck_assert_int_eq(image_open(path, 0, &img, &cause), ST_PROTO);
    ck_assert_msg(strstr(cause.text, why), "%s", cause.text);
}

static const struct damage {
    enum image_format format;
    u32 at;
    u8 byte;
    const char *why;
} damages[] = {
    {IMAGE_CKD, 8, 14, "14 heads"},
    {IMAGE_CKD, 13, 3, "track size"},
    {IMAGE_CKD, 16, 0x80, "device type 3380"},
    {IMAGE_CKD, 17, 3, "file 3 of several"},
    {IMAGE_CKD, 18, 7, "damaged header: file 1 ends"},
    {IMAGE_CKD, 4, 'X', "not supported"},
    {IMAGE_CCKD, 512 + 4, 1, "level-1 table"},
    {IMAGE_CCKD, 512 + 8, 1, "level-2 table"},
    {IMAGE_CCKD, 512 + 43, 0x7f, "cylinders"},
    {IMAGE_CCKD, 512 + 44, 3, "null track format"},
    {IMAGE_CCKD, 512 + 45, 3, "compression"},
    {IMAGE_CCKD, 1024 + 3, 0x70, "outside the file"},
    {IMAGE_CCKD, 1024 + 4, 1, "outside the file"},
};

START_TEST(damaged_headers_are_refused)
{
    const struct damage *d = &damages[_i];
    create(d->format);
    patch(d->at, &d->byte, 1);
    expect_refused(d->why);
}
END_TEST

static u32 l2_place(u32 table)
{
    u8 word[4];
    int fd = open(path, O_RDONLY);
    ck_assert_int_eq(pread(fd, word, 4, 1024 + 4 * (off_t)table), 4);
    close(fd);
    return le32_load(word);
}

START_TEST(damaged_tables_and_tracks_are_refused)
{
    char text[200] = "";
    struct image_check k = {0};
    u8 entry[8], word[8];
    create(IMAGE_CCKD);
    struct image *img = open_image(path, 0);
    write_track(img, 0, 3);
    write_track(img, 1, 2);
    image_unref(img);
    u32 at = l2_place(0);
    int fd = open(path, O_RDONLY);
    ck_assert_int_eq(pread(fd, entry, 8, at), 8);
    close(fd);
    patch(at + 8, entry, 8);
    expect_refused("track 1 at");
    memcpy(word, entry, 8);
    le16_store(word + 4, 0xffff);
    patch(at, word, 8);
    expect_refused("track 0 at");
    memset(word, 0, 8);
    word[4] = 9;
    patch(at, entry, 8);
    patch(at + 8, word, 8);
    expect_refused("null in an unknown format");
    ck_assert_int_eq(image_check(path, fault, text, &k, &cause), ST_OK);
    ck_assert_uint_eq(k.faults, 1);
    ck_assert_ptr_nonnull(strstr(text, "1: level-2 table"));
    memset(word, 0, 8);
    patch(at + 8, word, 8);
    patch(le32_load(entry) + 40, "damage", 6); /* in the middle of packed data */
    ck_assert_int_eq(image_check(path, fault, text, &k, &cause), ST_OK);
    ck_assert_uint_eq(k.faults, 1);
    ck_assert_ptr_nonnull(strstr(text, "0: track 0"));
    img = open_image(path, 0); /* one track is lost, the others are there */
    u32 len;
    ck_assert_int_eq(image_read_track(img, 0, buf, &len, &cause), ST_PROTO);
    write_track(img, 0, 4);
    expect_track(img, 0, 4);
    image_unref(img);
    expect_clean(path, false);
}
END_TEST

/* Bytes anywhere in a file are made something else: it is refused, or read, or a track is; nothing
 * else happens, and what can be opened can be written and checked. */
START_TEST(random_damage_does_no_harm)
{
    struct image_create what = {.format = IMAGE_CCKD, .cylinders = 20, .compress = true};
    struct image *img;
    struct image_check k = {0};
    char text[200];
    u32 len, refused = 0;
    ck_assert_int_eq(image_create(path, &what, &cause), ST_OK);
    img = open_image(path, 0);
    for (u32 t = 0; t < 300; t += 9)
        write_track(img, t, 3 * t + 3);
    image_unref(img);
    copy_file();
    struct stat sb;
    ck_assert_int_eq(stat(path, &sb), 0);
    srand(5 + (unsigned)_i);
    for (u32 n = 0; n < 300; n++) {
        u32 changes = 1 + (u32)rand() % 4;
        for (u32 c = 0; c < changes; c++) {
            /* mostly headers and tables, which come first */
            u32 at = (u32)rand() % (u32)(rand() % 3 ? 4096 : sb.st_size);
            u8 byte = (u8)(rand() % 2 ? rand() : 0xff * (rand() % 2));
            patch(at, &byte, 1);
        }
        if (image_open(path, 0, &img, &cause) == ST_OK) {
            if (image_geometry(img)->tracks) {
                image_read_track(img, (u32)rand() % 300, buf, &len, &cause);
                u32 t = (u32)rand() % image_geometry(img)->tracks;
                len = make_track(t, n, buf);
                image_write_track(img, t, buf, len, &cause);
            }
            image_unref(img);
        } else {
            refused++;
        }
        image_check(path, fault, text, &k, &cause);
        FILE *from = fopen(copy, "r"), *to = fopen(path, "w");
        while ((len = (u32)fread(buf, 1, sizeof buf, from)) > 0)
            fwrite(buf, 1, len, to);
        fclose(from);
        fclose(to);
    }
    ck_assert_uint_gt(refused, 20);
}
END_TEST

static void expect_repaired(u32 faults)
{
    struct image_check k = {0};
    char text[200] = "";
    ck_assert_msg(image_repair(path, fault, text, &k, &cause) == ST_OK, "%s", cause.text);
    ck_assert_msg(k.faults == faults, "%u faults, the last %s", k.faults, text);
    expect_clean(path, false);
}

/* A track, an entry, a table go; what is beside them stays, and the file is sound again. */
START_TEST(repairs)
{
    u8 entry[8];
    u32 len;
    create(IMAGE_CCKD);
    struct image *img = open_image(path, 0);
    for (u32 t = 0; t < 600; t += 3)
        write_track(img, t, 3 * t + 3);
    image_unref(img);
    expect_repaired(0);
    u32 at = l2_place(0);
    int fd = open(path, O_RDONLY);
    ck_assert_int_eq(pread(fd, entry, 8, at + 3 * 8), 8);
    close(fd);
    patch(at + 6 * 8, entry, 8);                   /* track 6 where track 3 is */
    patch(at + 9 * 8, "\xf0\xff\xff\x7f", 4);      /* track 9 nowhere */
    patch(le32_load(entry) + 40, "damage", 6);     /* track 3 cannot be unpacked */
    patch(at + 13 * 8, "\0\0\0\0\x09\0\x09\0", 8); /* track 13 null, but how */
    patch(1024 + 4, "\xf0\xff\xff\x7f", 4);        /* tracks 256 to 511 nowhere */
    expect_repaired(5);
    img = open_image(path, 0);
    for (u32 t = 0; t < 600; t += 3)
        if (t != 3 && t != 6 && t != 9 && t / 256 != 1)
            expect_track(img, t, 3 * t + 3);
    ck_assert_int_eq(image_read_track(img, 9, buf, &len, &cause), ST_OK);
    ck_assert_uint_eq(len, track_make_null(TRACK_NULL_EMPTY, 9, TRACK_HEADS_3390, other));
    write_track(img, 300, 1);
    expect_track(img, 300, 1);
    image_unref(img);
    expect_clean(path, false);
}
END_TEST

START_TEST(tracks_are_scanned)
{
    struct track_layout layout;
    u32 len = make_track(3, 5, buf);
    ck_assert_int_eq(track_scan(buf, len, 3, 15, &layout, &cause), ST_OK);
    ck_assert_uint_eq(layout.len, len);
    ck_assert_uint_eq(layout.count, 2 + 5);
    ck_assert_int_eq(track_scan(buf, len, 4, 15, &layout, &cause), ST_PROTO);
    for (u32 n = 0; n < len; n++)
        ck_assert_int_eq(track_scan(buf, n, 3, 15, &layout, &cause), ST_PROTO);
    buf[9] = 1; /* record 0 is gone */
    ck_assert_int_eq(track_scan(buf, len, 3, 15, &layout, &cause), ST_PROTO);
}
END_TEST

START_TEST(capacity_of_a_3390)
{
    ck_assert_uint_eq(track_segments(0, 56664), TRACK_SEGMENTS_3390);
    ck_assert_uint_eq(TRACK_SEGMENTS_3390 / track_segments(0, 4096), 12);
    ck_assert_uint_eq(TRACK_SEGMENTS_3390 / track_segments(0, 512), 49);
    ck_assert_uint_eq(TRACK_SEGMENTS_3390 / track_segments(44, 96), 50);
    u8 cchh[4];
    u32 t;
    track_cchh(70000 * 15 + 7, 15, cchh);
    ck_assert_mem_eq(cchh, ((u8[4]){0x11, 0x70, 0x00, 0x17}), 4);
    ck_assert(track_of_cchh(cchh, 15, &t));
    ck_assert_uint_eq(t, 70000 * 15 + 7);
    cchh[3] = 0x1f;
    ck_assert(!track_of_cchh(cchh, 15, &t));
    ck_assert_int_eq(track_model_cylinders("3390-9"), 10017);
    ck_assert_str_eq(track_model_name(70000), "3390-A");
}
END_TEST

START_TEST(one_writer_or_many_readers)
{
    struct image *second = NULL;
    create(IMAGE_CCKD);
    struct image *img = open_image(path, 0);
    ck_assert_int_eq(image_open(path, 0, &second, &cause), ST_BUSY);
    ck_assert_int_eq(image_open(path, IMAGE_READ_ONLY, &second, &cause), ST_BUSY);
    image_unref(image_ref(img));
    ck_assert_int_eq(image_open(path, 0, &second, &cause), ST_BUSY);
    image_unref(img);
    img = open_image(path, IMAGE_READ_ONLY);
    second = open_image(path, IMAGE_READ_ONLY);
    u32 len = make_track(0, 1, buf);
    ck_assert_int_eq(image_write_track(img, 0, buf, len, &cause), ST_PERM);
    image_unref(img);
    image_unref(second);
}
END_TEST

/* A volume cut into two files, as dasdinit cuts large ones. */
START_TEST(several_files)
{
    char next[128];
    u8 head[DEVHDR_BYTES];
    u64 cyl = 56832ull * TRACK_HEADS_3390;
    create(IMAGE_CKD);
    struct image *img = open_image(path, 0);
    for (u32 t = 0; t < TRACKS; t += 7)
        write_track(img, t, t + 1);
    image_unref(img);
    snprintf(next, sizeof next, "%s/v_2.img", dir);
    snprintf(copy, sizeof copy,
             "dd status=none bs=512 if=%s of=%s skip=%llu oflag=append conv=notrunc", path,
             next, 1 + 25 * (unsigned long long)cyl / 512);
    ckd_header_make(head, "CKD_P370");
    head[17] = 2;
    int fd = open(next, O_RDWR | O_CREAT, 0600);
    ck_assert_int_eq(write(fd, head, sizeof head), sizeof head);
    close(fd);
    ck_assert_int_eq(system(copy), 0);
    ck_assert_int_eq(truncate(path, (off_t)(DEVHDR_BYTES + 25 * cyl)), 0);
    patch(17, "\x01\x18", 2);
    img = open_image(path, 0);
    ck_assert_uint_eq(image_geometry(img)->tracks, TRACKS);
    for (u32 t = 0; t < TRACKS; t += 7)
        expect_track(img, t, t + 1);
    write_track(img, TRACKS - 1, 77);
    expect_track(img, TRACKS - 1, 77);
    image_unref(img);
    ck_assert_int_eq(unlink(next), 0);
    ck_assert_int_eq(image_open(path, 0, &img, &cause), ST_CONFIG);
}
END_TEST

static void make_shadow(const char *file, const char *below)
{
    struct image_create what = {.format = IMAGE_CCKD, .compress = true, .below = below};
    ck_assert_msg(image_create(file, &what, &cause) == ST_OK, "%s", cause.text);
}

/* Two layers over a base: each has what was written into it, none below it changes. */
START_TEST(shadows_are_read_through)
{
    char one[128], two[128], layers[500];
    struct image *img;
    create(IMAGE_CCKD);
    img = open_image(path, 0);
    for (u32 t = 0; t < 300; t += 10)
        write_track(img, t, 1 + t);
    image_unref(img);
    copy_file();
    snprintf(one, sizeof one, "%s/one", dir);
    snprintf(two, sizeof two, "%s/two", dir);
    make_shadow(one, path);
    snprintf(layers, sizeof layers, "%s,shadow=%s", path, one);
    img = open_image(layers, 0);
    for (u32 t = 0; t < 300; t += 20)
        write_track(img, t, 2 + t);
    u32 len = track_make_null(TRACK_NULL_LINUX, 10, TRACK_HEADS_3390, buf);
    ck_assert_int_eq(image_write_track(img, 10, buf, len, &cause), ST_OK);
    image_unref(img);
    make_shadow(two, layers);
    snprintf(layers, sizeof layers, "%s,shadow=%s,shadow=%s", path, one, two);
    for (u32 round = 0; round < 2; round++) {
        img = open_image(layers, 0);
        for (u32 t = 0; t < 300; t += 40)
            write_track(img, t, 3 + t + round);
        for (u32 t = 0; t < 300; t += 10)
            if (t != 10)
                expect_track(img, t, t % 40 == 0 ? 3 + t + round : t % 20 == 0 ? 2 + t : 1 + t);
        ck_assert_int_eq(image_read_track(img, 10, buf, &len, &cause), ST_OK);
        ck_assert_uint_eq(len, track_make_null(TRACK_NULL_LINUX, 10, TRACK_HEADS_3390, other));
        ck_assert_int_eq(image_read_track(img, 599, buf, &len, &cause), ST_OK);
        image_unref(img);
        expect_clean(layers, false);
    }
    char command[600];
    snprintf(command, sizeof command, "cmp %s %s", path, copy);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(layers_that_do_not_belong_together)
{
    char one[128], layers[500];
    struct image *img;
    struct image_create what = {.format = IMAGE_CKD, .below = path};
    create(IMAGE_CCKD);
    snprintf(one, sizeof one, "%s/one", dir);
    ck_assert_int_eq(image_create(one, &what, &cause), ST_INVAL);
    make_shadow(one, path);
    snprintf(layers, sizeof layers, "%s,shadow=%s", path, one);
    image_unref(open_image(layers, 0));
    ck_assert_int_eq(image_open(one, 0, &img, &cause), ST_PROTO);
    ck_assert_ptr_nonnull(strstr(cause.text, "name what it shadows"));
    img = open_image(path, 0);
    write_track(img, 1, 1);
    image_unref(img);
    ck_assert_int_eq(image_open(layers, 0, &img, &cause), ST_PROTO);
    ck_assert_ptr_nonnull(strstr(cause.text, "is not what it was"));
    snprintf(layers, sizeof layers, "%s,shadow=%s", path, path);
    ck_assert_int_eq(image_open(layers, IMAGE_READ_ONLY, &img, &cause), ST_PROTO);
    ck_assert_ptr_nonnull(strstr(cause.text, "not a shadow file"));
    snprintf(layers, sizeof layers, "%s,shadow=%s/none", path, dir);
    ck_assert_int_eq(image_open(layers, 0, &img, &cause), ST_CONFIG);
}
END_TEST

START_TEST(raw_blocks)
{
    struct image_create what = {.format = IMAGE_FBA_RAW, .blocks = 1000};
    ck_assert_int_eq(image_create(path, &what, &cause), ST_OK);
    ck_assert_int_eq(image_create(path, &what, &cause), ST_EXIST);
    struct image *img = open_image(path, 0);
    ck_assert_uint_eq(image_geometry(img)->blocks, 1000);
    memset(buf, 0x5a, 4096);
    ck_assert_int_eq(image_write_blocks(img, 992, 8, buf, &cause), ST_OK);
    ck_assert_int_eq(image_read_blocks(img, 991, 2, other, &cause), ST_OK);
    ck_assert_uint_eq(other[511], 0);
    ck_assert_uint_eq(other[512], 0x5a);
    ck_assert_int_eq(image_write_blocks(img, 993, 8, buf, &cause), ST_INVAL);
    ck_assert_int_eq(image_read_blocks(img, ~0ull, 2, buf, &cause), ST_INVAL);
    image_unref(img);
    ck_assert_int_eq(truncate(path, 1000), 0);
    expect_refused("are not blocks of 512");
}
END_TEST

START_TEST(spans_model)
{
    enum { BYTES = 4000 };
    static u8 model[BYTES];
    struct spans s = {0};
    u64 total = 0;
    memset(model, 0, sizeof model);
    srand(11);
    for (u32 n = 0; n < 3000; n++) {
        u64 at = (u64)rand() % BYTES, len = 1 + (u64)rand() % 60;
        bool clear = at + len <= BYTES && !memchr(model + at, 1, len);
        if (n % 2 && at + len <= BYTES) {
            ck_assert_int_eq(spans_add(&s, at, len), clear);
            if (clear)
                memset(model + at, 1, len), total += len;
        } else if (n % 4 ? spans_take(&s, &len, 10, &at)
                         : spans_take_exactly(&s, len, 10, &at)) {
            ck_assert(n % 4 || at + len == BYTES || !model[at + len] ||
                      (at + len + 10 <= BYTES && !memchr(model + at + len, 0, 10)));
            ck_assert_ptr_null(memchr(model + at, 0, len));
            memset(model + at, 0, len);
            total -= len;
        }
        ck_assert_uint_eq(s.total, total);
        for (u32 i = 1; i < s.count; i++)
            ck_assert_uint_lt(s.span[i - 1].at + s.span[i - 1].len, s.span[i].at);
    }
    spans_drop_short(&s, 20);
    for (u32 i = 0; i < s.count; i++) {
        ck_assert_uint_ge(s.span[i].len, 20);
        s.total -= s.span[i].len;
    }
    ck_assert_uint_eq(s.total, 0);
    spans_fini(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("image");
    TCase *tc = tcase_create("image");
    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, tracks_come_back, IMAGE_CKD, IMAGE_CKD_RAW + 1);
    tcase_add_loop_test(tc, cckd_is_whole_at_any_moment, 0, 3);
    tcase_add_loop_test(tc, live_images_are_packed_and_flushed, IMAGE_CKD, IMAGE_CKD_RAW + 1);
    tcase_add_loop_test(tc, packed_tracks_are_flushed, 0, 2);
    tcase_add_test(tc, cckd_reuses_space_after_a_sync);
    tcase_add_loop_test(tc, cckd_tables_leave_no_splinters, 0, 10);
    tcase_add_loop_test(tc, cckd_splinters_are_not_chained, 1, 10);
    tcase_add_loop_test(tc, unpacked_tracks_are_packed_later, 0, 2);
    tcase_add_test(tc, an_image_is_tidied_before_its_close);
    tcase_add_loop_test(tc, an_image_that_rests_is_left_alone, IMAGE_CCKD, IMAGE_CCKD + 1);
    tcase_add_loop_test(tc, an_image_that_rests_is_left_alone, IMAGE_CKD, IMAGE_CKD + 1);
    tcase_add_test(tc, cckd_null_tracks_take_no_space);
    tcase_add_loop_test(tc, damaged_headers_are_refused, 0, ARRAY_LEN(damages));
    tcase_add_test(tc, damaged_tables_and_tracks_are_refused);
    tcase_add_loop_test(tc, random_damage_does_no_harm, 0, 3);
    tcase_add_test(tc, repairs);
    tcase_add_test(tc, tracks_are_scanned);
    tcase_add_test(tc, capacity_of_a_3390);
    tcase_add_test(tc, one_writer_or_many_readers);
    tcase_add_test(tc, several_files);
    tcase_add_test(tc, shadows_are_read_through);
    tcase_add_test(tc, layers_that_do_not_belong_together);
    tcase_add_test(tc, raw_blocks);
    tcase_add_test(tc, spans_model);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
