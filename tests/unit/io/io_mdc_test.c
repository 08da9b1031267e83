/* The minidisk cache: what it keeps and in which order it goes; what was written is never read as
 * it was before, by whomever; what other programs may write is not in it.
 * Run alone: tests/run unit/io_mdc_test */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/image/mdc.h"
#include "io/image/track.h"
#include "io/image/window.h"

#define CYLINDERS 20u
#define DATA_BYTES 4096u

static char path[64];
static struct mdc *mdc;
static struct share *share, *foreign; /* foreign: another program, without a cache */
static struct cause cause;
static u8 buf[IMAGE_TRACK_BYTES_MAX];

static void setup(void)
{
    mdc = mdc_create();
    ck_assert_ptr_nonnull(mdc);
}

static void volume(enum image_format format)
{
    const struct image_create what = {
        .format = format, .cylinders = CYLINDERS, .compress = true};
    snprintf(path, sizeof path, "/tmp/io_mdc_%d.img", getpid());
    unlink(path);
    ck_assert_int_eq(image_create(path, &what, &cause), ST_OK);
    ck_assert_int_eq(share_create(path, 0, &share, &cause), ST_OK);
    ck_assert_int_eq(share_create(path, 0, &foreign, &cause), ST_OK);
    share_cache(share, mdc);
}

static void teardown(void)
{
    share_unref(share);
    share_unref(foreign);
    share = foreign = NULL;
    mdc_destroy(mdc);
    unlink(path);
}

static struct image *active(struct share *s, u64 first, u64 count, bool write)
{
    struct image *img = NULL;
    ck_assert_int_eq(
        window_create(s, (struct window_extent){first, count}, write, &img, &cause), ST_OK);
    window_cache(img, true);
    ck_assert_msg(window_activate(img, &cause) == ST_OK, "%s", cause.text);
    return img;
}

static u32 track_with(u32 track, u32 value, u8 *out)
{
    u8 data[DATA_BYTES];
    for (u32 i = 0; i < DATA_BYTES; i += 4)
        be32_store(data + i, value);
    u32 len = track_make_null(TRACK_NULL_EMPTY, track, TRACK_HEADS_3390, out);
    return track_append(out, len, 1, 0, DATA_BYTES, NULL, data);
}

#define DATA_AT (TRACK_HA_BYTES + TRACK_R0_BYTES + TRACK_COUNT_BYTES)

static void put(struct image *img, u32 track, u32 value)
{
    u8 out[IMAGE_TRACK_BYTES_MAX];
    u32 len = track_with(track, value, out);
    struct cause why;
    ck_assert_msg(image_write_track(img, track, out, len, &why) == ST_OK, "%s", why.text);
}

/* What a track holds, all of it the same; ~0: no record. */
static u32 get(struct image *img, u32 track)
{
    u8 in[IMAGE_TRACK_BYTES_MAX];
    struct cause why;
    u32 len;
    ck_assert_msg(image_read_track(img, track, in, &len, &why) == ST_OK, "%s", why.text);
    if (len < DATA_AT + DATA_BYTES)
        return ~0u;
    for (u32 i = 0; i < DATA_BYTES; i += 4)
        ck_assert_mem_eq(in + DATA_AT + i, in + DATA_AT, 4);
    return be32_load(in + DATA_AT);
}

static struct mdc_figures figures(void)
{
    struct mdc_figures f;
    mdc_figures(mdc, &f);
    return f;
}

/* --- the cache alone --- */

static bool here(u32 track)
{
    u64 ticket;
    u32 len;
    return mdc_get(mdc, &mdc, track, buf, &len, &ticket);
}

static void fill(u32 track)
{
    u64 ticket;
    u32 len;
    if (!mdc_get(mdc, &mdc, track, buf, &len, &ticket))
        mdc_fill(mdc, &mdc, track, ticket, buf, 1000);
}

START_TEST(bounded_and_in_order_of_use)
{
    mdc_limit(mdc, 0, 10 * 1100);
    for (u32 t = 0; t < 10; t++)
        fill(t);
    ck_assert_uint_eq(figures().tracks, 10);
    ck_assert(here(0)); /* 1 is the oldest now */
    fill(10);
    ck_assert(figures().bytes <= 10 * 1100);
    ck_assert(!here(1));
    ck_assert(here(0) && here(10));
    for (u32 t = 0; t < 20000; t++)
        fill(t);
    ck_assert(figures().bytes <= 10 * 1100);
    mdc_limit(mdc, 0, 3 * 1100);
    ck_assert_uint_eq(figures().tracks, 3);
    ck_assert(here(19999) && !here(19990));
    mdc_limit(mdc, 0, 0);
    fill(5);
    ck_assert_uint_eq(figures().tracks, 0);
    ck_assert_uint_eq(figures().bytes, 0);
}
END_TEST

START_TEST(tickets)
{
    u64 ticket;
    u32 len;
    ck_assert(!mdc_get(mdc, &mdc, 7, buf, &len, &ticket));
    mdc_drop(mdc, &mdc, 7, true); /* somebody wrote it meanwhile */
    mdc_fill(mdc, &mdc, 7, ticket, buf, 100);
    ck_assert(!here(7));
    ck_assert(!mdc_get(mdc, &mdc, 7, buf, &len, &ticket));
    mdc_drop_range(mdc, &mdc, 100, 5);
    mdc_fill(mdc, &mdc, 7, ticket, buf, 100);
    ck_assert(!here(7));
    ck_assert(!mdc_get(mdc, &mdc, 7, buf, &len, &ticket));
    mdc_fill(mdc, &mdc, 7, ticket, buf, 100);
    ck_assert(here(7));
    ck_assert(!mdc_get(mdc, &cause, 7, buf, &len, &ticket)); /* of another volume */
    mdc_drop_range(mdc, &mdc, 0, 8);
    ck_assert(!here(7));
}
END_TEST

START_TEST(off)
{
    fill(1);
    mdc_switch(mdc, false);
    ck_assert_uint_eq(figures().tracks, 0);
    u64 reads = figures().reads;
    fill(1);
    ck_assert(!here(1));
    ck_assert_uint_eq(figures().reads, reads);
    mdc_switch(mdc, true);
    fill(1);
    ck_assert(here(1));
}
END_TEST

/* --- under minidisks --- */

START_TEST(read_once)
{
    volume(_i ? IMAGE_CKD : IMAGE_CCKD);
    struct image *one = active(share, 2, 5, true), *full = active(share, 0, CYLINDERS, true);
    ck_assert(window_is_cached(one));
    put(one, 3, 77);
    ck_assert_uint_eq(get(one, 3), 77);
    struct mdc_figures f = figures();
    ck_assert_uint_eq(f.reads, 1);
    ck_assert_uint_eq(f.hits, 0);
    ck_assert_uint_eq(f.writes, 1);
    ck_assert_uint_eq(get(one, 3), 77);
    ck_assert_uint_eq(get(full, 2 * 15 + 3), 77); /* the same track */
    ck_assert_uint_eq(figures().hits, 2);
    put(full, 2 * 15 + 3, 78);
    ck_assert_uint_eq(get(one, 3), 78);
    ck_assert_uint_eq(figures().hits, 2);
    window_cache(one, false);
    ck_assert(!window_is_cached(one));
    ck_assert_uint_eq(get(one, 3), 78);
    ck_assert_uint_eq(figures().reads, 4);
    put(one, 3, 79); /* not cached, but known to the cache */
    ck_assert_uint_eq(get(full, 2 * 15 + 3), 79);
    image_unref(one);
    image_unref(full);
    ck_assert_uint_eq(figures().tracks, 0);
}
END_TEST

START_TEST(parts_of_tracks)
{
    u8 data[DATA_BYTES];
    volume(IMAGE_CKD);
    struct image *one = active(share, 2, 5, true);
    put(one, 3, 77);
    ck_assert_uint_eq(get(one, 3), 77);
    ck_assert_int_eq(image_read_part(one, 3, DATA_AT, data, 100, &cause), ST_OK);
    ck_assert_uint_eq(be32_load(data), 77);
    ck_assert_uint_eq(figures().hits, 1);
    for (u32 i = 0; i < DATA_BYTES; i += 4)
        be32_store(data + i, 99);
    ck_assert_int_eq(image_write_part(one, 3, DATA_AT, data, DATA_BYTES, &cause), ST_OK);
    ck_assert_uint_eq(get(one, 3), 99);
    image_unref(one);
}
END_TEST

/* Whose records are read again without a write in between has the whole track, by the third. */
START_TEST(parts_that_are_read_again)
{
    u8 data[DATA_BYTES];
    volume(_i ? IMAGE_CKD : IMAGE_CCKD);
    struct image *one = active(share, 2, 5, true);
    put(one, 3, 77);
    for (u32 n = 0; n < 5; n++) {
        u64 hits = figures().hits;
        ck_assert_int_eq(image_read_part(one, 3, DATA_AT + 100, data, 100, &cause), ST_OK);
        ck_assert_uint_eq(be32_load(data), 77);
        ck_assert_uint_eq(figures().hits, n < 2 ? hits : hits + 1);
    }
    for (u32 i = 1; i < 50; i++) { /* read, written, read ... */
        be32_store(data, i);
        ck_assert_int_eq(image_write_part(one, 3, DATA_AT, data, 4, &cause), ST_OK);
        ck_assert_int_eq(image_read_part(one, 3, DATA_AT, data, 4, &cause), ST_OK);
        ck_assert_uint_eq(be32_load(data), i);
        ck_assert_uint_eq(figures().tracks, 0);
    }
    image_unref(one);
}
END_TEST

/* A raw volume that is only read here may be written by others: it is not cached, but where this
 * program has it locked. */
START_TEST(what_others_may_write)
{
    volume(IMAGE_CKD);
    struct image *theirs = active(foreign, 2, 5, true);
    struct image *mine = active(share, 2, 5, false);
    ck_assert(!window_is_cached(mine));
    put(theirs, 3, 1);
    ck_assert_uint_eq(get(mine, 3), 1);
    put(theirs, 3, 2);
    ck_assert_uint_eq(get(mine, 3), 2);
    image_unref(theirs);
    struct image *writer = active(share, 0, 10, true); /* it is locked by this program now */
    ck_assert(window_is_cached(mine) && window_is_cached(writer));
    ck_assert_uint_eq(get(mine, 3), 2);
    ck_assert_uint_eq(get(mine, 3), 2);
    ck_assert_uint_eq(figures().hits, 1);
    window_deactivate(writer); /* as before a relocation */
    ck_assert(!window_is_cached(mine));
    ck_assert_uint_eq(figures().tracks, 0);
    theirs = active(foreign, 2, 5, true);
    put(theirs, 3, 4);
    ck_assert_uint_eq(get(mine, 3), 4);
    image_unref(theirs);
    ck_assert_int_eq(window_activate(writer, &cause), ST_OK);
    ck_assert_uint_eq(get(mine, 3), 4);
    ck_assert_uint_eq(get(writer, 2 * 15 + 3), 4);
    image_unref(writer);
    image_unref(mine);
}
END_TEST

/* Of a packed volume there is one writer or readers; between two openings others may have it. */
START_TEST(packed_volumes_between_openings)
{
    volume(IMAGE_CCKD);
    struct image *mine = active(share, 2, 5, true);
    put(mine, 3, 1);
    ck_assert_uint_eq(get(mine, 3), 1);
    window_deactivate(mine);
    ck_assert_uint_eq(figures().tracks, 0);
    struct image *theirs = active(foreign, 2, 5, true);
    put(theirs, 3, 2);
    image_unref(theirs);
    ck_assert_int_eq(window_activate(mine, &cause), ST_OK);
    ck_assert_uint_eq(get(mine, 3), 2);
    image_unref(mine);
    mine = active(share, 2, 5, false); /* readers: others can only read, too */
    ck_assert(window_is_cached(mine));
    ck_assert_uint_eq(get(mine, 3), 2);
    ck_assert_uint_eq(get(mine, 3), 2);
    ck_assert_int_eq(
        window_create(foreign, (struct window_extent){2, 5}, true, &theirs, &cause), ST_OK);
    ck_assert_int_eq(window_activate(theirs, &cause), ST_BUSY);
    image_unref(theirs);
    image_unref(mine);
}
END_TEST

/* --- at the same time --- */

#define RACE_TRACKS 6u
#define RACE_WRITES 4000u
#define RACE_READS 100u /* each reader has so many behind it before the last write */

static _Atomic u32 written[RACE_TRACKS]; /* at least that is on the volume */
static _Atomic u32 reads[3];             /* of each reader, as yet */
static _Atomic bool over;
static struct image *race_one, *race_full;

struct race_reader {
    struct image *img;
    unsigned number;
};

/* [M1] Nobody reads less than was written before the read began. */
static void *reader(void *arg)
{
    const struct race_reader *me = arg;
    u32 skew = me->img == race_full ? 2 * 15 : 0;
    for (u32 n = 0; !atomic_load(&over); atomic_store(&reads[me->number], ++n)) {
        u32 t = n / 2 % RACE_TRACKS, least = atomic_load(&written[t]);
        u32 is = get(me->img, skew + t);
        ck_assert_msg(is == ~0u ? !least : is >= least, "track %u: %u, %u was written", t, is,
                      least);
    }
    return NULL;
}

static bool all_have_read(void)
{
    for (unsigned i = 0; i < 3; i++)
        if (atomic_load(&reads[i]) < RACE_READS)
            return false;
    return true;
}

START_TEST(races)
{
    pthread_t thread[3];
    struct race_reader by[3];
    volume(_i ? IMAGE_CKD : IMAGE_CCKD);
    mdc_limit(mdc, 0, 4 * (DATA_BYTES + 200));
    race_one = active(share, 2, 5, true);
    race_full = active(share, 0, CYLINDERS, false);
    for (unsigned i = 0; i < 3; i++) {
        by[i] = (struct race_reader){i < 2 ? race_one : race_full, i};
        pthread_create(&thread[i], NULL, reader, &by[i]);
    }
    for (u32 n = 1; n <= RACE_WRITES || !all_have_read(); n++) {
        put(race_one, n % RACE_TRACKS, n);
        atomic_store(&written[n % RACE_TRACKS], n);
    }
    atomic_store(&over, true);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    u64 before = figures().hits;
    get(race_one, 0);
    get(race_one, 0);
    ck_assert_uint_gt(figures().hits, before);
    image_unref(race_one);
    image_unref(race_full);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("mdc");
    TCase *t = tcase_create("mdc");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, bounded_and_in_order_of_use);
    tcase_add_test(t, tickets);
    tcase_add_test(t, off);
    tcase_add_loop_test(t, read_once, 0, 2);
    tcase_add_test(t, parts_of_tracks);
    tcase_add_loop_test(t, parts_that_are_read_again, 0, 2);
    tcase_add_test(t, what_others_may_write);
    tcase_add_test(t, packed_volumes_between_openings);
    tcase_add_loop_test(t, races, 0, 2);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
