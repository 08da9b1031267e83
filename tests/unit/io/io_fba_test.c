/* The FBA device: characteristics, extents, reads and writes with data chaining, writes that bring
 * less than announced, unit checks, relocation between locate and write. */
#include "tests/unit/io/io_fixture.h"

#include <unistd.h>

#include "io/dasd/dasd.h"

#define DEVNO 0x0300
#define BLOCKS 1000u
#define PROGRAM 0x1000u
#define EXTENT 0x2000u
#define LOCATE 0x2040u
#define AREA 0x10000u

static struct machine m;
static char path[64];
static struct image *img;
static u32 id, at;

static void attach(struct machine *to)
{
    struct cause cause;
    machine_init(to);
    ck_assert_int_eq(dasd_create(to->css, DEVNO, img, false, &cause), ST_OK);
    id = css_find_devno(to->css, DEVNO);
}

static void open_image(unsigned flags)
{
    struct cause cause;
    ck_assert_msg(image_open(path, flags, &img, &cause) == ST_OK, "%s", cause.text);
}

static void setup(void)
{
    struct cause cause;
    struct image_create what = {.format = IMAGE_FBA_RAW, .blocks = BLOCKS};
    snprintf(path, sizeof path, "/tmp/io_fba_%d.img", getpid());
    unlink(path);
    ck_assert_msg(image_create(path, &what, &cause) == ST_OK, "%s", cause.text);
    open_image(0);
    attach(&m);
    enable(&m, id, 3);
    at = PROGRAM;
}

static void teardown(void)
{
    machine_fini(&m);
    image_unref(img);
    unlink(path);
}

static void ccw(u8 command, u8 flags, u16 count, u32 addr)
{
    ccw1(&m, at, command, flags, count, addr);
    at += 8;
}

static struct irb run(void)
{
    struct irb irb;
    at = PROGRAM;
    ck_assert_int_eq(start(&m, id, ORB_F, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    return irb;
}

static void good(void)
{
    struct irb irb = run();
    ck_assert_msg(irb.ds == 0x0c && irb.ss == 0, "ds %02x ss %02x sense %02x%02x", irb.ds,
                  irb.ss, irb.raw[32], irb.raw[33]);
}

static void bad(u8 sense0, u8 sense1)
{
    struct irb irb = run();
    ck_assert_uint_eq(irb.ds, 0x0e);
    ck_assert_uint_eq(irb.raw[32], sense0);
    ck_assert_uint_eq(irb.raw[33], sense1);
}

/** Blocks `first` on, which the program calls 0 to `count` - 1. */
static void extent(u8 mask, u32 first, u32 count)
{
    u8 p[16] = {mask, 0, 0x02, 0x00};
    be32_store(p + 4, first);
    be32_store(p + 12, count - 1);
    storage_write(m.storage, EXTENT, p, sizeof p);
    ccw(0x63, CCW_CC, 16, EXTENT);
}

static void locate(u8 operation, u16 count, u32 block)
{
    u8 p[8] = {operation};
    be16_store(p + 2, count);
    be32_store(p + 4, block);
    storage_write(m.storage, LOCATE, p, sizeof p);
    ccw(0x43, CCW_CC, 8, LOCATE);
}

static void fill(u32 where, u8 byte, u32 len)
{
    memset(storage_host(m.storage, where, len), byte, len);
}

static u8 byte_at(u32 where)
{
    return *(u8 *)storage_host(m.storage, where, 1);
}

START_TEST(characteristics)
{
    ccw(0x64, 0, 32, AREA);
    good();
    u8 *c = storage_host(m.storage, AREA, 32);
    ck_assert_uint_eq(c[0] & 0x10, 0x10); /* data chaining */
    ck_assert_uint_eq(be16_load(c + 4), 512);
    ck_assert_uint_eq(be32_load(c + 14), BLOCKS);
    ccw(0x06, 0, 32, AREA);
    bad(0x80, 0);
}
END_TEST

START_TEST(blocks_are_written_and_read)
{
    fill(AREA, 0x11, 512);
    fill(AREA + 0x1000, 0x22, 1024);
    extent(0xc0, 100, 10);
    locate(0x01, 3, 4);
    ccw(0x41, CCW_CD, 512, AREA);
    ccw(0x41, 0, 1024, AREA + 0x1000);
    good();
    extent(0x40, 103, 5);
    locate(0x06, 5, 0);
    ccw(0x42, 0, 5 * 512, AREA);
    good();
    const u8 want[5] = {0, 0x11, 0x22, 0x22, 0};
    for (u32 i = 0; i < 5; i++)
        ck_assert_uint_eq(byte_at(AREA + 512 * i), want[i]);
    extent(0xc0, 104, 2); /* a write of nothing clears, as Linux discards */
    locate(0x01, 2, 0);
    ccw(0x41, CCW_SLI, 0, 0);
    good();
    extent(0x40, 104, 3);
    locate(0x06, 3, 0);
    ccw(0x42, 0, 3 * 512, AREA);
    good();
    ck_assert_uint_eq(byte_at(AREA), 0);
    ck_assert_uint_eq(byte_at(AREA + 512), 0);
    ck_assert_uint_eq(byte_at(AREA + 1024), 0x22);
}
END_TEST

START_TEST(programs_that_are_wrong)
{
    locate(0x06, 1, 0);
    bad(0x80, 0);
    extent(0xc0, BLOCKS - 1, 2);
    bad(0x80, 0);
    extent(0xc0, 0, 4);
    locate(0x06, 2, 3);
    bad(0x80, 0x04);
    extent(0xc0, 0, 4);
    ccw(0x42, 0, 512, AREA);
    bad(0x80, 0);
    extent(0xc0, 0, 4);
    locate(0x06, 1, 0);
    ccw(0x41, 0, 512, AREA);
    bad(0x80, 0);
    extent(0x40, 0, 4);
    locate(0x01, 1, 0);
    ccw(0x41, 0, 512, AREA);
    bad(0x80, 0x04);
    machine_fini(&m);
    image_unref(img);
    open_image(IMAGE_READ_ONLY);
    attach(&m);
    enable(&m, id, 3);
    extent(0xc0, 0, 4);
    locate(0x01, 1, 0);
    ccw(0x41, 0, 512, AREA);
    bad(0x80, 0x02);
}
END_TEST

START_TEST(programs_go_on_elsewhere)
{
    static struct machine to;
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    struct cause cause = {0};
    struct irb irb;
    u8 *program = storage_host(m.storage, PROGRAM, 32);
    fill(AREA, 0x66, 512);
    extent(0xc0, 500, 10);
    locate(0x01, 1, 9);
    ccw(0x41, 0, 512, AREA);
    program[17] |= CCW_SUSPEND;
    ck_assert_int_eq(start(&m, id, ORB_F | ORB_S | ORB_U, PROGRAM), 0);
    attach(&to);
    css_quiesce(m.css);
    css_quiesce(to.css);
    codec_out_init(&out);
    css_save(m.css, 5, &out);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &in));
    ck_assert_msg(css_restore(to.css, &in, &cause) == ST_OK, "%s", cause.text);
    codec_out_fini(&out);
    program[17] &= (u8)~CCW_SUSPEND;
    memcpy(storage_host(to.storage, 0, STORAGE_BYTES),
           storage_host(m.storage, 0, STORAGE_BYTES), STORAGE_BYTES);
    machine_fini(&m);
    m = to;
    css_resume(m.css);
    ck_assert_int_eq(css_rsch(m.css, id), 0);
    ck_assert_int_eq(tsch(&m, id, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
    u8 block[512];
    ck_assert_int_eq(image_read_blocks(img, 509, 1, block, &cause), ST_OK);
    ck_assert_uint_eq(block[511], 0x66);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("fba");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, characteristics);
    tcase_add_test(tc, blocks_are_written_and_read);
    tcase_add_test(tc, programs_that_are_wrong);
    tcase_add_test(tc, programs_go_on_elsewhere);
    return run_suite(suite);
}
