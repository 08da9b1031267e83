/* Parallel access volumes: what the control unit tells of bases and aliases, I/O by an alias of one
 * base and by aliases of HyperPAV for the base that a prefix names, on the tracks that the base
 * sees; refusals; relocation. */
#include "tests/unit/io/disk_fixture.h"

#include "io/image/track.h"

#define BASE 0x0200
#define OTHER 0x0201
#define ALIAS 0x02f0
#define HYPER 0x02f1

static char other_path[80];
static struct image *other;

static void attach_rest(struct machine *to)
{
    struct cause cause;
    ck_assert_int_eq(dasd_create(to->css, OTHER, other, false, &cause), ST_OK);
    ck_assert_msg(eckd_alias_create(to->css, ALIAS, BASE, false, &cause) == ST_OK, "%s",
                  cause.text);
    ck_assert_msg(eckd_alias_create(to->css, HYPER, 0, false, &cause) == ST_OK, "%s",
                  cause.text);
}

static void setup(void)
{
    struct image_create what = {
        .format = IMAGE_CCKD, .cylinders = 2, .compress = true, .linux_tracks = true};
    struct cause cause;
    make_disk("pav", BASE, &what);
    snprintf(other_path, sizeof other_path, "%s.other", path);
    unlink(other_path);
    ck_assert_int_eq(image_create(other_path, &what, &cause), ST_OK);
    ck_assert_int_eq(image_open(other_path, 0, &other, &cause), ST_OK);
    attach_rest(&m);
    for (u32 devno = OTHER; devno <= HYPER; devno++)
        if (css_find_devno(m.css, devno))
            enable(&m, css_find_devno(m.css, devno), 3);
}

static void teardown_both(void)
{
    teardown();
    image_unref(other);
    unlink(other_path);
}

static u32 unit(u16 devno)
{
    return css_find_devno(m.css, devno);
}

static u8 *bytes(u32 where)
{
    return storage_host(m.storage, where, 4096);
}

/** Prefix with define extent and locate record for one record of track 1, then a read or write. */
static void program(u8 valid, u8 lss, u8 base, bool write)
{
    u8 p[64] = {1, valid, base, 0, lss};
    p[12] = write ? 0x80 : 0x40;
    p[13] = 0xc0;
    track_cchh(1, 15, p + 20);
    track_cchh(1, 15, p + 24);
    p[44] = write ? 0x01 : 0x06;
    p[47] = 1;
    track_cchh(1, 15, p + 48);
    track_cchh(1, 15, p + 52);
    p[56] = 5;
    storage_write(m.storage, EXTENT, p, sizeof p);
    ccw(0xe7, CC, 64, EXTENT);
    ccw(write ? 0x85 : 0x86, 0, 4096, AREA);
}

static void write_by(u16 devno, u8 valid, u8 base, u8 byte)
{
    fill(AREA, byte, 4096);
    program(valid, 0x02, base, true);
    expect_good(run_on(unit(devno)));
}

static void expect_by(u16 devno, u8 valid, u8 base, u8 byte)
{
    fill(AREA, 0xee, 4096);
    program(valid, 0x02, base, false);
    expect_good(run_on(unit(devno)));
    ck_assert_uint_eq(bytes(AREA)[0], byte);
    ck_assert_uint_eq(bytes(AREA)[4095], byte);
}

START_TEST(units_are_told_of)
{
    u8 p[12] = {0x18};
    p[6] = 0x0e;
    for (u32 i = 0; i < 2; i++) {
        storage_write(m.storage, AREA, p, sizeof p);
        ccw(0x27, CC, 12, AREA);
        ccw(0x3e, 0, 512, AREA + 256);
        expect_good(run_on(unit(i ? HYPER : OTHER)));
        ck_assert_mem_eq(bytes(AREA + 256), "\x01\x00\x01\x01\x00\x00", 6);
        ck_assert_mem_eq(bytes(AREA + 256 + 2 * 0xf0), "\x02\x00\x03\x00\x00\x00", 6);
    }
    ccw(0xfa, 0, 256, AREA);
    expect_good(run_on(unit(ALIAS)));
    ck_assert_mem_eq(bytes(AREA + 128), "\x40\x00\x00\x01\x00\x00\x00\x00\x02\x00", 10);
    ck_assert_uint_eq(bytes(AREA)[31], 0xf0);
    ccw(0xfa, 0, 256, AREA + 512);
    expect_good(run_on(unit(OTHER)));
    ck_assert_mem_eq(bytes(AREA) + 4, bytes(AREA + 512) + 4, 26); /* one control unit */
    ccw(0x64, 0, 64, AREA);
    expect_good(run_on(unit(ALIAS)));
    ck_assert_uint_eq(be16_load(bytes(AREA) + 12), 2);
}
END_TEST

START_TEST(aliases_see_what_the_base_sees)
{
    write_by(BASE, 0x80, 0, 0x11);
    expect_by(ALIAS, 0xa0, 0x00, 0x11);
    write_by(ALIAS, 0xa0, 0x00, 0x22);
    expect_by(BASE, 0x80, 0, 0x22);
    expect_by(HYPER, 0xb0, 0x00, 0x22);
    write_by(HYPER, 0xb0, 0x01, 0x33);
    expect_by(OTHER, 0x80, 0, 0x33);
    expect_by(BASE, 0x80, 0, 0x22);
    write_by(ALIAS, 0x80, 0, 0x44); /* of one base: it need not be named */
    expect_by(BASE, 0xa0, 0x00, 0x44);
    expect_by(HYPER, 0xb0, 0x00, 0x44);
}
END_TEST

START_TEST(programs_that_name_the_wrong_base)
{
    static const struct {
        u16 devno;
        u8 valid, lss, base, message;
    } wrong[] = {
        {ALIAS, 0xa0, 0x02, 0x01, 4}, {ALIAS, 0xb0, 0x02, 0x00, 4},
        {ALIAS, 0xa0, 0x03, 0x00, 4}, {BASE, 0xa0, 0x02, 0x01, 4},
        {HYPER, 0xb0, 0x02, 0xf0, 4}, {HYPER, 0xb0, 0x02, 0x77, 4},
        {HYPER, 0xa0, 0x02, 0x00, 4}, {HYPER, 0x80, 0x02, 0x00, 2},
        {HYPER, 0x90, 0x02, 0x00, 4},
    };
    for (u32 i = 0; i < ARRAY_LEN(wrong); i++) {
        program(wrong[i].valid, wrong[i].lss, wrong[i].base, true);
        expect_bad(run_on(unit(wrong[i].devno)), 0x80, 0, wrong[i].message);
    }
    ccw(0x86, 0, 4096, AREA); /* the binding is of one channel program */
    expect_bad(run_on(unit(HYPER)), 0x80, 0, 2);
}
END_TEST

START_TEST(bases_that_are_not_there)
{
    struct cause cause;
    ck_assert_int_eq(eckd_alias_create(m.css, 0x02f5, 0x0205, false, &cause), ST_CONFIG);
    ck_assert_int_eq(eckd_alias_create(m.css, 0x02f5, ALIAS, false, &cause), ST_CONFIG);
    ck_assert_int_eq(eckd_alias_create(m.css, 0x03f5, BASE, false, &cause), ST_CONFIG);
    ck_assert_int_eq(eckd_alias_create(m.css, HYPER, 0, false, &cause), ST_EXIST);
    ck_assert_int_eq(css_detach(m.css, BASE, false, &cause), ST_OK);
    program(0xa0, 0x02, 0x00, false);
    expect_bad(run_on(unit(ALIAS)), 0x80, 0, 4);
    program(0xb0, 0x02, 0x00, false);
    expect_bad(run_on(unit(HYPER)), 0x80, 0, 4);
    expect_by(HYPER, 0xb0, 0x01, 0x00);
}
END_TEST

/* Suspended behind the prefix, it goes on with the same base. */
START_TEST(programs_of_aliases_go_on_elsewhere)
{
    static struct machine to;
    struct irb irb;
    u16 devno = _i ? HYPER : ALIAS;
    attach_to(&to, BASE);
    attach_rest(&to);
    fill(AREA, 0x55, 4096);
    program(_i ? 0xb0 : 0xa0, 0x02, _i ? 0x01 : 0x00, true);
    *storage_host(m.storage, PROGRAM + 9, 1) |= CCW_SUSPEND;
    ck_assert_int_eq(start(&m, unit(devno), ORB_F | ORB_S | ORB_U, PROGRAM), 0);
    ck_assert_int_eq(tsch(&m, unit(devno), &irb), 1);
    move_to(&to);
    *storage_host(m.storage, PROGRAM + 9, 1) &= (u8)~CCW_SUSPEND;
    ck_assert_int_eq(css_rsch(m.css, unit(devno)), 0);
    ck_assert_int_eq(tsch(&m, unit(devno), &irb), 0);
    expect_good(irb);
    at = PROGRAM;
    expect_by(_i ? OTHER : BASE, 0x80, 0, 0x55);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("pav");
    tcase_add_checked_fixture(tc, setup, teardown_both);
    tcase_add_test(tc, units_are_told_of);
    tcase_add_test(tc, aliases_see_what_the_base_sees);
    tcase_add_test(tc, programs_that_name_the_wrong_base);
    tcase_add_test(tc, bases_that_are_not_there);
    tcase_add_loop_test(tc, programs_of_aliases_go_on_elsewhere, 0, 2);
    return run_suite(suite);
}
