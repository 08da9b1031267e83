/* The FBA device: characteristics, extents, reads and writes with data chaining, writes that bring
 * less than announced, unit checks, relocation between locate and write. */
#include "tests/unit/io/disk_fixture.h"

#define DEVNO 0x0300
#define BLOCKS 1000u

static void setup(void)
{
    make_disk("fba", DEVNO, &(struct image_create){.format = IMAGE_FBA_RAW, .blocks = BLOCKS});
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
    bad(0x80, 0, 0);
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
    bad(0x80, 0, 0);
    extent(0xc0, BLOCKS - 1, 2);
    bad(0x80, 0, 0);
    extent(0xc0, 0, 4);
    locate(0x06, 2, 3);
    bad(0x80, 0x04, 0);
    extent(0xc0, 0, 4);
    ccw(0x42, 0, 512, AREA);
    bad(0x80, 0, 0);
    extent(0xc0, 0, 4);
    locate(0x06, 1, 0);
    ccw(0x41, 0, 512, AREA);
    bad(0x80, 0, 0);
    extent(0x40, 0, 4);
    locate(0x01, 1, 0);
    ccw(0x41, 0, 512, AREA);
    bad(0x80, 0x04, 0);
    close_disk();
    open_disk(DEVNO, IMAGE_READ_ONLY);
    extent(0xc0, 0, 4);
    locate(0x01, 1, 0);
    ccw(0x41, 0, 512, AREA);
    bad(0x80, 0x02, 0);
}
END_TEST

/* The host's disk is full in the middle of a write: equipment check; what was there is, and I/O
 * goes on when there is room. */
START_TEST(a_full_host_disk_is_an_equipment_check)
{
    fill(AREA, 0x11, 512);
    extent(0xc0, 100, 10);
    locate(0x01, 1, 3);
    ccw(0x41, 0, 512, AREA);
    good();
    for (u32 full = 1; full <= 2; full++) {
        host_is_full(full == 1 ? 40000 : 0); /* Check has files of its own */
        fill(AREA, 0x22, 512);
        extent(0xc0, 100, 10);
        locate(0x01, 1, 3);
        ccw(0x41, 0, 512, AREA);
        if (full == 1)
            bad(0x10, 0x80, 0);
        else
            good();
        fill(AREA, 0, 512);
        extent(0x40, 100, 10);
        locate(0x06, 1, 3);
        ccw(0x42, 0, 512, AREA);
        good();
        ck_assert_uint_eq(byte_at(AREA + 511), full == 1 ? 0x11 : 0x22);
    }
}
END_TEST

START_TEST(programs_go_on_elsewhere)
{
    static struct machine to;
    struct cause cause = {0};
    struct irb irb;
    u8 *program = storage_host(m.storage, PROGRAM, 32);
    fill(AREA, 0x66, 512);
    extent(0xc0, 500, 10);
    locate(0x01, 1, 9);
    ccw(0x41, 0, 512, AREA);
    program[17] |= CCW_SUSPEND;
    ck_assert_int_eq(start(&m, id, ORB_F | ORB_S | ORB_U, PROGRAM), 0);
    attach_to(&to, DEVNO);
    move_to(&to);
    *storage_host(m.storage, PROGRAM + 17, 1) &= (u8)~CCW_SUSPEND;
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
    tcase_add_test(tc, a_full_host_disk_is_an_equipment_check);
    tcase_add_test(tc, programs_go_on_elsewhere);
    return run_suite(suite);
}
