/* Relocation after each step of channel programs: track data, reserve and release, programs of a
 * base and its aliases that overlap, tapes forward and backward. One machine moves at no time,
 * others after one step or after every one; what the programs end with, what they read and what is
 * in the files is always the same. */
#include "tests/unit/io/io_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include "io/dasd/dasd.h"
#include "io/image/track.h"
#include "io/image/window.h"
#include "io/tape/tape.h"

#define UNITS_MAX 3u
#define PROGRAMS_MAX 6u
#define CCWS_MAX 24u
#define STEPS_MAX 400u
#define NEVER ~0u
#define EVERY (~0u - 1)
#define CC CCW_CC
#define SLI CCW_SLI
#define HEADS 15u
#define BLOCKS 200u

/* A unit's storage: its programs, their parameters, their data. */
#define PLACE(unit) (0x100000u * ((unit) + 1))
#define PROGRAM(unit, n) (PLACE(unit) + 0x100 * (n))
#define PARAMETERS(unit) (PLACE(unit) + 0x1000)
#define DATA(unit) (PLACE(unit) + 0x10000)
#define STORAGE_USED (PLACE(UNITS_MAX))

struct machine_kind {
    const char *name;
    u32 units;
    u32 extent; /* of windows: cylinders or blocks */
    void (*file_make)(void);
    void (*attach)(struct machine *to);
    void (*programs)(void);
};

static struct machine m;
static const struct machine_kind *kind;
static u32 id[UNITS_MAX];
static u32 written[UNITS_MAX]; /* programs */
static u32 begun[UNITS_MAX];   /* of them */
static bool under_way[UNITS_MAX];
static u32 ccw_at, parameters_at;
static char path[64];
static struct image *img[UNITS_MAX];
static struct share *share;
static struct cause cause;

struct outcome {
    u8 irb[UNITS_MAX][PROGRAMS_MAX][64];
    u64 storage, file;
};

/* ---- programs ---- */

static u32 new_program(u32 unit)
{
    ck_assert_uint_lt(written[unit], PROGRAMS_MAX);
    if (!written[unit])
        parameters_at = PARAMETERS(unit);
    ccw_at = PROGRAM(unit, written[unit]++);
    return ccw_at;
}

static void ccw(u8 command, u8 flags, u16 count, u32 addr)
{
    ccw1(&m, ccw_at, command, flags, count, addr);
    ccw_at += 8;
}

static void with_parameters(u8 command, u8 flags, const u8 *p, u16 len)
{
    ck_assert(storage_write(m.storage, parameters_at, p, len));
    ccw(command, flags, len, parameters_at);
    parameters_at += 64;
}

static void fill(u32 at, u8 byte, u32 len)
{
    memset(storage_host(m.storage, at, len), byte, len);
}

/* ---- disks ---- */

static void volume_make(enum image_format format)
{
    const struct image_create what = {
        .format = format, .cylinders = 1, .compress = true, .linux_tracks = true};
    unlink(path);
    ck_assert_msg(image_create(path, &what, &cause) == ST_OK, "%s", cause.text);
}

static void raw_volume_make(void)
{
    volume_make(IMAGE_CKD_RAW);
}

static void cckd_volume_make(void)
{
    volume_make(IMAGE_CCKD);
}

static void blocks_make(void)
{
    const struct image_create what = {.format = IMAGE_FBA_RAW, .blocks = BLOCKS};
    unlink(path);
    ck_assert_msg(image_create(path, &what, &cause) == ST_OK, "%s", cause.text);
}

static void base_attach(struct machine *to)
{
    ck_assert_msg(image_open(path, 0, &img[0], &cause) == ST_OK, "%s", cause.text);
    ck_assert_int_eq(dasd_create(to->css, 0x200, img[0], false, &cause), ST_OK);
    id[0] = css_find_devno(to->css, 0x200);
}

static void aliases_attach(struct machine *to)
{
    base_attach(to);
    for (u32 n = 1; n < UNITS_MAX; n++) {
        ck_assert_int_eq(eckd_alias_create(to->css, (u16)(0x2f0 + n), 0x200, false, &cause),
                         ST_OK);
        id[n] = css_find_devno(to->css, 0x2f0 + n);
    }
}

static void windows_attach(struct machine *to)
{
    ck_assert_msg(share_create(path, 0, &share, &cause) == ST_OK, "%s", cause.text);
    for (u32 n = 0; n < 2; n++) {
        ck_assert_int_eq(window_create(share, (struct window_extent){0, kind->extent}, true,
                                       &img[n], &cause),
                         ST_OK);
        ck_assert_int_eq(window_activate(img[n], &cause), ST_OK);
        ck_assert_int_eq(dasd_create(to->css, (u16)(0x200 + n), img[n], false, &cause), ST_OK);
        id[n] = css_find_devno(to->css, 0x200 + n);
    }
}

static void extent(u8 mask, u32 first, u32 last)
{
    u8 p[16] = {mask, 0xc0};
    track_cchh(first, HEADS, p + 8);
    track_cchh(last, HEADS, p + 12);
    with_parameters(0x63, CC, p, sizeof p);
}

static void locate(u8 operation, u8 count, u32 track, u8 record)
{
    u8 p[16] = {operation, 0, 0, count};
    track_cchh(track, HEADS, p + 4);
    track_cchh(track, HEADS, p + 8);
    p[12] = record;
    with_parameters(0x47, CC, p, sizeof p);
}

static void locate_data(u8 operation, u8 count, u32 track, u8 record, u16 length)
{
    u8 p[20] = {operation, 0x80, 0, count};
    track_cchh(track, HEADS, p + 4);
    track_cchh(track, HEADS, p + 8);
    p[12] = record;
    be16_store(p + 14, length);
    p[17] = operation == 0x3f ? 0x23 : 0;
    with_parameters(0x4b, CC, p, sizeof p);
}

/* Records 3 to 12 of track 4, all of 5, 1 and 2 of 6 are written, and read back. */
static void track_data(void)
{
    u32 first = 10 * 4096, all = 12 * 4096, last = 2 * 4096, back = DATA(0) + 0x40000;
    for (u32 i = 0; i < 24; i++)
        fill(DATA(0) + 4096 * i, (u8)(i + 1), 4096);
    new_program(0);
    extent(0x80, 4, 6);
    locate_data(0x3f, 3, 4, 3, 4096);
    ccw(0xa5, CC, (u16)first, DATA(0));
    ccw(0xa5, CC, (u16)all, DATA(0) + first);
    ccw(0xa5, 0, (u16)last, DATA(0) + first + all);
    new_program(0);
    extent(0x40, 4, 6);
    locate_data(0x0c, 3, 4, 3, (u16)last);
    ccw(0xa6, CC, (u16)first, back);
    ccw(0xa6, CC, (u16)all, back + first);
    ccw(0xa6, 0, (u16)last, back + first + all);
}

/* One record by define extent and locate record. */
static void record(u32 unit, bool write, u32 track, u8 number)
{
    extent(write ? 0x80 : 0x40, track, track);
    locate(write ? 0x01 : 0x06, 1, track, number);
    ccw(write ? 0x85 : 0x86, 0, 4096, DATA(unit) + 4096 * written[unit]);
}

/* The first guest reserves before the second one begins; that one reads what was written before the
 * release, reserves in its turn, and the first one has to wait. */
static void reserve_and_release(void)
{
    for (u32 unit = 0; unit < 2; unit++)
        fill(DATA(unit), (u8)(0x31 + unit), 0x10000);
    new_program(0);
    ccw(0xb4, 0, 32, DATA(0));
    new_program(0);
    record(0, true, 3, 7);
    new_program(0);
    ccw(0x94, 0, 32, DATA(0));
    new_program(0);
    record(0, false, 3, 8);
    new_program(1);
    record(1, false, 3, 7);
    new_program(1);
    ccw(0xb4, 0, 32, DATA(1));
    new_program(1);
    record(1, true, 3, 8);
    new_program(1);
    ccw(0x94, 0, 32, DATA(1));
}

static void blocks(u32 unit, bool write, u32 first, u16 count)
{
    u8 extent_of[16] = {write ? 0xc0 : 0x40, 0, 0x02, 0}, locate_of[8] = {write ? 0x01 : 0x06};
    u32 data = DATA(unit) + 0x4000 * written[unit];
    be32_store(extent_of + 4, first);
    be32_store(extent_of + 12, count - 1u);
    be16_store(locate_of + 2, count);
    with_parameters(0x63, CC, extent_of, sizeof extent_of);
    with_parameters(0x43, CC, locate_of, sizeof locate_of);
    ccw(write ? 0x41 : 0x42, CCW_CD, 512, data);
    ccw(0, 0, (u16)(count * 512 - 512), data + 0x1000);
}

/* As with records: written while reserved, read by the other guest before and behind it. */
static void blocks_reserved(void)
{
    for (u32 unit = 0; unit < 2; unit++)
        fill(DATA(unit), (u8)(0x21 + unit), 0x20000);
    new_program(0);
    ccw(0xb4, 0, 24, DATA(0));
    new_program(0);
    blocks(0, true, 10, 8);
    new_program(0);
    ccw(0x94, 0, 24, DATA(0));
    new_program(0);
    blocks(0, false, 40, 5);
    for (u32 n = 0; n < 2; n++) {
        new_program(1);
        blocks(1, false, 8, 12);
    }
    new_program(1);
    ccw(0xb4, 0, 24, DATA(1));
    new_program(1);
    blocks(1, true, 40, 5);
    new_program(1);
    ccw(0x94, 0, 24, DATA(1));
}

/* A prefix for twelve records, and they; aliases name their base in it. */
static void whole_track(u32 unit, u32 track, bool write)
{
    u8 p[64] = {1, unit && kind->units == UNITS_MAX ? 0xa0 : 0x80, 0, 0, 0x02};
    u32 n = new_program(unit) ? written[unit] : 0;
    p[12] = write ? 0x80 : 0x40;
    p[13] = 0xc0;
    track_cchh(track, HEADS, p + 20);
    track_cchh(track, HEADS, p + 24);
    p[44] = write ? 0x01 : 0x06;
    p[47] = 12;
    track_cchh(track, HEADS, p + 48);
    track_cchh(track, HEADS, p + 52);
    p[56] = 1;
    parameters_at = PARAMETERS(unit) + 64 * n;
    with_parameters(0xe7, CC, p, sizeof p);
    for (u32 i = 0; i < 12; i++)
        ccw(write ? 0x85 : 0x86, i < 11 ? CC : 0, 4096, DATA(unit) + 0x10000 * n + 4096 * i);
}

/* A program is under way when another guest reserves: that one waits until it is over, wherever
 * they are by then. */
static void reserve_under_way(void)
{
    fill(DATA(0), 0x31, 0x40000);
    new_program(0);
    ccw(0x64, 0, 64, DATA(0) + 0x80000);
    new_program(0);
    ccw(0xb4, 0, 32, DATA(0) + 0x80100);
    whole_track(0, 3, true);
    new_program(0);
    ccw(0x94, 0, 32, DATA(0) + 0x80200);
    whole_track(1, 3, false);
    whole_track(1, 3, false);
}

/* The base writes a track that an alias reads, another alias writes elsewhere; then by turns. */
static void overlapping(void)
{
    for (u32 unit = 0; unit < UNITS_MAX; unit++)
        fill(DATA(unit), (u8)(0x51 + unit), 0x50000);
    whole_track(0, 1, true);
    whole_track(1, 1, false);
    whole_track(2, 2, true);
    whole_track(0, 2, false);
    whole_track(1, 1, true);
}

/* ---- tapes ---- */

static void tape_make(void)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fclose(f);
}

static void tape_attach(struct machine *to)
{
    struct tape_loader *loader;
    ck_assert_msg(tape_loader_open(path, 0, 0, &loader, &cause) == ST_OK, "%s", cause.text);
    ck_assert_ptr_nonnull(tape_create(to->css, 0x590, TAPE_3590, loader, false, &cause));
    tape_loader_close(loader);
    id[0] = css_find_devno(to->css, 0x590);
}

static void forward_and_backward(void)
{
    static const u8 block_three[4] = {0, 0, 0, 3};
    u32 data = DATA(0), back = DATA(0) + 0x40000;
    for (u32 i = 0; i < 4; i++)
        fill(data + 0x4000 * i, (u8)(0x71 + i), 0x4000);
    new_program(0);
    ccw(0xc3, CC | SLI, 1, data); /* write immediate */
    ccw(0x01, CC, 1000, data);
    ccw(0x01, CC | CCW_CD, 0x1000, data + 0x4000);
    ccw(0x00, CC, 0x1234, data + 0x8000); /* the rest of a block */
    ccw(0x1f, CC | SLI, 1, data);         /* mark */
    ccw(0x01, CC, 333, data + 0xc000);
    ccw(0x0c, CC, 333, back + 332); /* read backward */
    ccw(0x27, SLI, 1, data);        /* over the mark: unit exception */
    new_program(0);
    ccw(0x0c, CC | CCW_CD, 0x1234, back + 0x1fff);
    ccw(0x00, CC, 0x1000, back + 0x3fff);
    ccw(0x0c, CC, 1000, back + 0x5000);
    ccw(0x02, CC, 1000, back + 0x6000);
    ccw(0x0a, CC, 1000, back + 0x7000); /* read previous */
    ccw(0x22, CC, 8, back + 0x8000);    /* block id */
    ccw(0x3f, CC | SLI, 1, data);       /* forward over a file */
    ccw(0x2f, CC | SLI, 1, data);       /* and back: before the mark */
    ccw(0x22, 0, 8, back + 0x8010);
    new_program(0);
    with_parameters(0x4f, CC, block_three, sizeof block_three); /* locate */
    ccw(0x02, CC, 333, back + 0x9000);
    ccw(0x01, CC, 77, data);
    ccw(0x07, CC | SLI, 1, data); /* rewind */
    ccw(0x02, 0, 1000, back + 0xa000);
}

/* ---- running ---- */

static const struct machine_kind kinds[] = {
    {"track data", 1, 0, raw_volume_make, base_attach, track_data},
    {"track data, compressed", 1, 0, cckd_volume_make, base_attach, track_data},
    {"reserve and release", 2, 1, raw_volume_make, windows_attach, reserve_and_release},
    {"reserve with a program under way", 2, 1, raw_volume_make, windows_attach,
     reserve_under_way},
    {"blocks reserved", 2, BLOCKS, blocks_make, windows_attach, blocks_reserved},
    {"overlapping programs", 3, 0, raw_volume_make, aliases_attach, overlapping},
    {"overlapping programs, compressed", 3, 0, cckd_volume_make, aliases_attach, overlapping},
    {"tape", 1, 0, tape_make, tape_attach, forward_and_backward},
};

static void build(struct machine *to)
{
    machine_init(to);
    kind->attach(to);
    to->defer = true;
    for (u32 n = 0; n < kind->units; n++)
        enable(to, id[n], 3);
}

static void demolish(void)
{
    machine_run(&m); /* jobs that find nothing to do */
    machine_fini(&m);
    for (u32 n = 0; n < UNITS_MAX; n++) {
        image_unref(img[n]);
        img[n] = NULL;
    }
    share_unref(share);
    share = NULL;
}

static void move(void)
{
    static u8 kept[STORAGE_USED];
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    css_quiesce(m.css);
    machine_run(&m); /* finds that nothing may begin */
    codec_out_init(&out);
    ck_assert_int_eq(css_save(m.css, 7, &out, NULL), ST_OK);
    memcpy(kept, storage_host(m.storage, 0, sizeof kept), sizeof kept);
    demolish();
    build(&m);
    memcpy(storage_host(m.storage, 0, sizeof kept), kept, sizeof kept);
    css_quiesce(m.css);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &in));
    ck_assert_msg(css_restore(m.css, &in, &cause) == ST_OK, "%s", cause.text);
    codec_out_fini(&out);
    css_resume(m.css);
}

static struct subchannel *sub(u32 unit)
{
    lock_take(&m.css->lock);
    struct subchannel *s = css_sub_locked(m.css, id[unit]);
    lock_drop(&m.css->lock);
    return s;
}

/* A unit begins its next program, performs a command of it, or takes its status. */
static bool unit_step(u32 unit, struct outcome *o)
{
    struct irb irb;
    if (!under_way[unit]) {
        if (begun[unit] == written[unit])
            return false;
        ck_assert_int_eq(start(&m, id[unit], ORB_F, PROGRAM(unit, begun[unit])), 0);
        under_way[unit] = true;
    } else if (tsch(&m, id[unit], &irb) == 0) {
        memcpy(o->irb[unit][begun[unit]++], irb.raw, 64);
        under_way[unit] = false;
    } else {
        chan_execute(sub(unit), 1);
    }
    return true;
}

static u64 digest(u64 sum, const u8 *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ p[i]) * 0x100000001b3ull;
    return sum;
}

/* What is on the disk or tape; of a disk by its tracks, which may lie anywhere in the file. */
static u64 file_digest(void)
{
    static u8 bytes[1 << 20];
    u64 sum = 1;
    u32 len;
    struct image *image = NULL;
    bool disk = image_open(path, IMAGE_READ_ONLY, &image, NULL) == ST_OK;
    for (u32 t = 0; disk && t < image_geometry(image)->tracks; t++) {
        ck_assert_int_eq(image_read_track(image, t, bytes, &len, &cause), ST_OK);
        sum = digest(sum, bytes, len);
    }
    bool tracks = disk && image_geometry(image)->tracks;
    image_unref(image);
    if (tracks)
        return sum;
    FILE *f = fopen(path, "r");
    size_t got = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return digest(sum, bytes, got);
}

/* All programs to their ends; moves after step `when`. How many steps that were. */
static u32 run(u32 when, struct outcome *o)
{
    bool more = true;
    u32 steps = 0;
    memset(o, 0, sizeof *o);
    memset(written, 0, sizeof written);
    memset(begun, 0, sizeof begun);
    memset(under_way, 0, sizeof under_way);
    kind->file_make();
    build(&m);
    kind->programs();
    while (more) {
        more = false;
        for (u32 unit = 0; unit < kind->units; unit++) {
            more |= unit_step(unit, o);
            if (when == EVERY || when == steps)
                move();
            ck_assert_uint_lt(++steps, STEPS_MAX);
        }
    }
    o->storage = digest(1, storage_host(m.storage, PLACE(0), STORAGE_USED - PLACE(0)),
                        STORAGE_USED - PLACE(0));
    demolish();
    o->file = file_digest();
    return steps;
}

static void all_ended(const struct outcome *o)
{
    for (u32 unit = 0; unit < kind->units; unit++)
        for (u32 n = 0; n < written[unit]; n++) {
            const u8 *irb = o->irb[unit][n];
            ck_assert_uint_eq(begun[unit], written[unit]);
            ck_assert_msg((irb[8] & ~DS_UNIT_EXCEPTION) == DS_NORMAL && irb[9] == 0,
                          "%s, unit %u, program %u: status %02x%02x sense %02x%02x%02x",
                          kind->name, unit, n, irb[8], irb[9], irb[32], irb[33], irb[39]);
        }
}

static void same(const struct outcome *a, const struct outcome *b, u32 when)
{
    for (u32 unit = 0; unit < kind->units; unit++)
        for (u32 n = 0; n < written[unit]; n++)
            ck_assert_msg(memcmp(a->irb[unit][n], b->irb[unit][n], 64) == 0,
                          "%s: unit %u, program %u ends otherwise, moved after step %d",
                          kind->name, unit, n, (int)when);
    ck_assert_msg(a->storage == b->storage, "%s: read otherwise, moved after step %d",
                  kind->name, (int)when);
    ck_assert_msg(a->file == b->file, "%s: written otherwise, moved after step %d", kind->name,
                  (int)when);
}

START_TEST(moved_after_each_step)
{
    static struct outcome there, here;
    kind = &kinds[_i];
    snprintf(path, sizeof path, "/tmp/io_steps_%d.img", getpid());
    u32 steps = run(NEVER, &here);
    all_ended(&here);
    for (u32 when = 0; when < steps; when++) {
        run(when, &there);
        same(&here, &there, when);
    }
    run(EVERY, &there);
    same(&here, &there, EVERY);
    unlink(path);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_steps");
    tcase_set_timeout(tc, 300); /* a limit for hangs, not a measure */
    tcase_add_loop_test(tc, moved_after_each_step, 0, ARRAY_LEN(kinds));
    return run_suite(suite);
}
