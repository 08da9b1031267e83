/* Allocation maps of CP volumes: what is written is read, on disks of both kinds; what is wrong is
 * refused by name and leaves the volume as it was; a damaged map, or one of another layout, is
 * none. Run alone: tests/run unit/io_alloc_map_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/ebcdic.h"
#include "io/image/alloc_map.h"
#include "io/image/track.h"
#include "io/image/vtoc.h"

#define CYLINDERS 100u
#define BLOCKS 800u

static char path[64];
static struct image *img;
static struct cause cause;
static u8 buf[IMAGE_TRACK_BYTES_MAX], before[IMAGE_TRACK_BYTES_MAX];

static void open_volume(enum image_format format, const char *volume)
{
    const struct image_create what = {.format = format,
                                      .cylinders = format == IMAGE_FBA_RAW ? 0 : CYLINDERS,
                                      .blocks = format == IMAGE_FBA_RAW ? BLOCKS : 0,
                                      .compress = true,
                                      .volume = volume};
    snprintf(path, sizeof path, "/tmp/io_alloc_map_%d.img", getpid());
    unlink(path);
    ck_assert_msg(image_create(path, &what, &cause) == ST_OK, "%s", cause.text);
    ck_assert_int_eq(image_open(path, 0, &img, &cause), ST_OK);
}

static void teardown(void)
{
    image_unref(img);
    img = NULL;
    unlink(path);
}

static const struct alloc_map some = {
    .cluster = "CLUSTER",
    .system = "MEMBERA",
    .count = 3,
    .extent = {{ALLOC_TDSK, 50, 99}, {ALLOC_SPOL, 1, 10}, {ALLOC_PAGE, 11, 11}}};

static void is_some(void)
{
    struct alloc_map map;
    ck_assert_msg(alloc_map_read(img, &map, &cause) == ST_OK, "%s", cause.text);
    ck_assert(map.cp_volume);
    ck_assert_str_eq(map.cluster, "CLUSTER");
    ck_assert_str_eq(map.system, "MEMBERA");
    ck_assert_uint_eq(map.count, 3);
    ck_assert_int_eq(map.extent[0].type, ALLOC_SPOL); /* in order */
    ck_assert_uint_eq(map.extent[0].first, 1);
    ck_assert_uint_eq(map.extent[0].last, 10);
    ck_assert_int_eq(map.extent[1].type, ALLOC_PAGE);
    ck_assert_int_eq(map.extent[2].type, ALLOC_TDSK);
    ck_assert_uint_eq(map.extent[2].last, 99);
}

static void no_map(void)
{
    struct alloc_map map;
    ck_assert_int_eq(alloc_map_read(img, &map, &cause), ST_OK);
    ck_assert(!map.cp_volume);
    ck_assert_uint_eq(map.count, 0);
}

START_TEST(of_a_ckd_volume)
{
    struct alloc_map map = some;
    char volume[VTOC_VOLUME_BYTES];
    u32 len;
    open_volume(_i ? IMAGE_CKD : IMAGE_CCKD, "CPV001");
    no_map();
    ck_assert_msg(alloc_map_write(img, &map, NULL, &cause) == ST_OK, "%s", cause.text);
    is_some();
    ck_assert_int_eq(vtoc_volume(img, volume, &cause), ST_OK);
    ck_assert_str_eq(volume, "CPV001");
    ck_assert_int_eq(image_read_track(img, 0, buf, &len, &cause), ST_OK);
    map =
        (struct alloc_map){.count = 1, .extent = {{ALLOC_TDSK, 1, 5}}}; /* again: another one */
    ck_assert_int_eq(alloc_map_write(img, &map, NULL, &cause), ST_OK);
    ck_assert_int_eq(alloc_map_read(img, &map, &cause), ST_OK);
    ck_assert_uint_eq(map.count, 1);
    ck_assert_str_eq(map.system, "");
}
END_TEST

START_TEST(of_an_fba_volume)
{
    struct alloc_map map = some;
    open_volume(IMAGE_FBA_RAW, NULL);
    no_map();
    ck_assert_int_eq(alloc_map_write(img, &map, NULL, &cause), ST_INVAL);
    ck_assert_msg(strstr(cause.text, "label"), "%s", cause.text);
    ck_assert_msg(alloc_map_write(img, &map, "CPF001", &cause) == ST_OK, "%s", cause.text);
    is_some(); /* 800 blocks are 100 pages */
    map.extent[2].last = 100;
    ck_assert_int_eq(alloc_map_write(img, &map, NULL, &cause), ST_INVAL);
    is_some();
}
END_TEST

static const struct {
    unsigned count;
    struct alloc_extent extent[2];
    const char *why;
} wrong[] = {
    {1, {{ALLOC_TDSK, 1, CYLINDERS}}, "TDSK 1-100 is not on the volume, which ends at 99"},
    {1, {{ALLOC_PAGE, 7, 6}}, "PAGE 7-6 is not on the volume"},
    {1, {{ALLOC_TDSK, 0, 6}}, "TDSK 0-6: the label is there"},
    {2, {{ALLOC_SPOL, 10, 20}, {ALLOC_TDSK, 5, 10}}, "SPOL 10-20 overlaps TDSK 5-10"},
};

START_TEST(that_is_wrong)
{
    struct alloc_map map = {.count = wrong[_i].count,
                            .extent = {wrong[_i].extent[0], wrong[_i].extent[1]}};
    u32 len, was;
    open_volume(IMAGE_CCKD, "CPV001");
    ck_assert_int_eq(image_read_track(img, 0, before, &was, &cause), ST_OK);
    ck_assert_int_eq(alloc_map_write(img, &map, NULL, &cause), ST_INVAL);
    ck_assert_msg(strstr(cause.text, wrong[_i].why), "%s", cause.text);
    ck_assert_int_eq(image_read_track(img, 0, buf, &len, &cause), ST_OK);
    ck_assert_uint_eq(len, was);
    ck_assert_mem_eq(buf, before, len);
}
END_TEST

START_TEST(without_a_label)
{
    struct alloc_map map = some;
    open_volume(IMAGE_CCKD, NULL);
    no_map();
    ck_assert_int_eq(alloc_map_write(img, &map, NULL, &cause), ST_INVAL);
    ck_assert_msg(strstr(cause.text, "no label"), "%s", cause.text);
}
END_TEST

/* A partition of Linux is not written over. */
START_TEST(over_data_sets)
{
    struct alloc_map map = some;
    u8 dscb[140] = {0};
    open_volume(IMAGE_CCKD, "LINUX1");
    ebcdic_pad("LINUX.V0X0200.PART0001.NATIVE", 44, dscb);
    dscb[44] = 0xf1;
    u32 len = track_make_null(TRACK_NULL_EMPTY, 1, TRACK_HEADS_3390, buf);
    len = track_append(buf, len, 1, 44, 96, dscb, dscb + 44);
    ck_assert_int_eq(image_write_track(img, 1, buf, len, &cause), ST_OK);
    ck_assert_int_eq(alloc_map_write(img, &map, NULL, &cause), ST_INVAL);
    ck_assert_msg(strstr(cause.text, "1 data sets or partitions"), "%s", cause.text);
    no_map();
}
END_TEST

/* Each byte of the map changed: refused, or another map that is in order; never out of bounds. */
START_TEST(that_is_damaged)
{
    struct alloc_map map = some;
    u32 len, refused = 0;
    struct track_layout t;
    open_volume(IMAGE_CKD, "CPV001");
    ck_assert_int_eq(alloc_map_write(img, &map, NULL, &cause), ST_OK);
    ck_assert_int_eq(image_read_track(img, 0, before, &len, &cause), ST_OK);
    ck_assert_int_eq(track_scan(before, len, 0, TRACK_HEADS_3390, &t, &cause), ST_OK);
    for (u32 i = 0; i < 80; i++) {
        memcpy(buf, before, len);
        buf[t.offset[4] + TRACK_COUNT_BYTES + i] ^= 0xff;
        ck_assert_int_eq(image_write_track(img, 0, buf, len, &cause), ST_OK);
        int rc = alloc_map_read(img, &map, &cause);
        ck_assert(rc == ST_OK || rc == ST_PROTO);
        refused += rc == ST_PROTO;
        for (unsigned k = 0; k < map.count; k++)
            ck_assert_uint_lt(map.extent[k].last, CYLINDERS);
    }
    ck_assert_uint_gt(refused, 20);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("allocation maps");
    TCase *t = tcase_create("maps");
    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_loop_test(t, of_a_ckd_volume, 0, 2);
    tcase_add_test(t, of_an_fba_volume);
    tcase_add_loop_test(t, that_is_wrong, 0, (int)ARRAY_LEN(wrong));
    tcase_add_test(t, without_a_label);
    tcase_add_test(t, over_data_sets);
    tcase_add_test(t, that_is_damaged);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
