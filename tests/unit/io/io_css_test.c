/* The instructions of the channel subsystem: layouts, condition codes, interruptions, CHSC.
 * Rules from the Principles of Operation chapters 14 and 16. */
#include "tests/unit/io/io_fixture.h"

static struct machine m;
static struct con3215 *con;
static u32 con_id;

static void setup(void)
{
    machine_init(&m);
    con = con3215_create(m.css, 0x0009, false, NULL);
    ck_assert_ptr_nonnull(con);
    ck_assert_ptr_nonnull(reader_create(m.css, 0x000c, false, NULL));
    con_id = css_find_devno(m.css, 0x0009);
}

static void teardown(void)
{
    machine_fini(&m);
}

START_TEST(schib_layout)
{
    u8 schib[SCHIB_BYTES];
    ck_assert_uint_eq(con_id, 0x00010000);
    ck_assert_int_eq(css_stsch(m.css, con_id, schib), 0);
    ck_assert_uint_eq(schib[5], 0x01); /* V, not E */
    ck_assert_uint_eq(be16_load(schib + 6), 0x0009);
    ck_assert_uint_eq(schib[8], 0x80);  /* LPM */
    ck_assert_uint_eq(schib[11], 0x80); /* PIM */
    ck_assert_uint_eq(schib[14], 0xff); /* POM */
    ck_assert_uint_eq(schib[15], 0x80); /* PAM */
    ck_assert_uint_eq(schib[16], 0x10); /* CHPID of consoles */
    ck_assert_int_eq(css_stsch(m.css, 0x00010002, schib), 3);
    ck_assert_int_eq(css_stsch(m.css, 0x00000000, schib), CSS_PGM_OPERAND);
    ck_assert_int_eq(css_stsch(m.css, 0x00030000, schib), CSS_PGM_OPERAND);
}
END_TEST

START_TEST(msch_modifies_and_refuses)
{
    u8 schib[SCHIB_BYTES], after[SCHIB_BYTES];
    css_stsch(m.css, con_id, schib);
    be32_store(schib, 0x12345678);
    schib[4] = 5 << 3;
    schib[5] |= 0x80 | 0x04;
    schib[27] = 0x01;
    ck_assert_int_eq(css_msch(m.css, con_id, schib), 0);
    css_stsch(m.css, con_id, after);
    ck_assert_mem_eq(schib, after, 28);
    schib[4] |= 0x01;
    ck_assert_int_eq(css_msch(m.css, con_id, schib), CSS_PGM_OPERAND);
    schib[4] = 0;
    schib[5] |= 0x60; /* limit mode 11 */
    ck_assert_int_eq(css_msch(m.css, con_id, schib), CSS_PGM_OPERAND);
}
END_TEST

START_TEST(disabled_is_not_operational)
{
    struct irb irb;
    ck_assert_int_eq(start(&m, con_id, ORB_F, 0x1000), 3);
    ck_assert_int_eq(tsch(&m, con_id, &irb), 3);
    ck_assert_int_eq(css_hsch(m.css, con_id), 3);
    ck_assert_int_eq(css_csch(m.css, con_id), 3);
    ck_assert_int_eq(css_rsch(m.css, con_id), 3);
    ck_assert_int_eq(css_xsch(m.css, con_id), 3);
}
END_TEST

START_TEST(ssch_checks_the_orb)
{
    enable(&m, con_id, 3);
    ck_assert_int_eq(start(&m, con_id, ORB_F | 0x02, 0x1000), CSS_PGM_OPERAND);
    ck_assert_int_eq(start(&m, con_id, ORB_F | ORB_B, 0x1000), CSS_PGM_OPERAND);
    ck_assert_int_eq(start(&m, con_id, ORB_F, 0x80001000), CSS_PGM_OPERAND);
    u8 orb[ORB_BYTES] = {0};
    be32_store(orb + 4, 0x00804000); /* a path that is not installed */
    ck_assert_int_eq(css_ssch(m.css, con_id, orb), 3);
    be32_store(orb + 4, 0x00804001);
    be32_store(orb + 12, 0x11002200); /* extended: priorities, and nothing beside them */
    ck_assert_int_eq(css_ssch(m.css, con_id, orb), 3);
    orb[15] = 1;
    ck_assert_int_eq(css_ssch(m.css, con_id, orb), CSS_PGM_OPERAND);
    orb[15] = 0;
    orb[31] = 1;
    ck_assert_int_eq(css_ssch(m.css, con_id, orb), CSS_PGM_OPERAND);
}
END_TEST

START_TEST(start_interrupts_and_tsch_clears)
{
    struct io_interruption in;
    struct irb irb;
    enable(&m, con_id, 3);
    ccw1(&m, 0x1000, 0x03, 0, 1, 0);
    ck_assert_int_eq(start(&m, con_id, ORB_F | ORB_L, 0x1000), 0);
    ck_assert_uint_eq(m.isc_mask, 0x10);
    ck_assert(!css_take_interruption(m.css, 0xef, &in));
    ck_assert(css_take_interruption(m.css, 0x10, &in));
    ck_assert_uint_eq(in.schid, con_id);
    ck_assert_uint_eq(in.parm, 0xcafe0000);
    ck_assert_uint_eq(in.int_word, 3u << 27);
    ck_assert_uint_eq(m.isc_mask, 0);
    ck_assert_int_eq(start(&m, con_id, ORB_F, 0x1000), 1); /* still status-pending */
    ck_assert_int_eq(tsch(&m, con_id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0, 0x00804007); /* F, start, primary secondary pending */
    ck_assert_uint_eq(irb.ccw, 0x1008);
    ck_assert_uint_eq(irb.ds, 0x0c);
    ck_assert_uint_eq(irb.ss, 0);
    ck_assert_uint_eq(irb.raw[13], 0x80); /* LPUM in the ESW */
    ck_assert_int_eq(tsch(&m, con_id, &irb), 1);
    ck_assert_uint_eq(irb.scsw0 & 0x7fff, 0);
}
END_TEST

START_TEST(tsch_before_the_interruption_removes_it)
{
    struct irb irb;
    struct io_interruption in;
    enable(&m, con_id, 0);
    con3215_input(con, "x", 1);
    ck_assert_uint_eq(m.isc_mask, 0x80);
    ck_assert_int_eq(tsch(&m, con_id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0, 0x11); /* alert, pending */
    ck_assert_uint_eq(irb.ds, 0x80);
    ck_assert_uint_eq(m.isc_mask, 0);
    ck_assert_int_eq(css_tpi(m.css, 0xff, &in), 0);
}
END_TEST

START_TEST(lowest_isc_first_then_order)
{
    struct io_interruption in;
    struct con3215 *b = con3215_create(m.css, 0x20, false, NULL);
    struct con3215 *c = con3215_create(m.css, 0x21, false, NULL);
    u32 b_id = css_find_devno(m.css, 0x20), c_id = css_find_devno(m.css, 0x21);
    enable(&m, con_id, 6);
    enable(&m, b_id, 2);
    enable(&m, c_id, 2);
    con3215_attention(con);
    con3215_attention(c);
    con3215_attention(b);
    ck_assert_uint_eq(m.isc_mask, 0x22);
    ck_assert_int_eq(css_tpi(m.css, 0xff, &in), 1);
    ck_assert_uint_eq(in.schid, c_id);
    ck_assert_int_eq(css_tpi(m.css, 0xff, &in), 1);
    ck_assert_uint_eq(in.schid, b_id);
    ck_assert_int_eq(css_tpi(m.css, 0xff, &in), 1);
    ck_assert_uint_eq(in.schid, con_id);
    ck_assert_int_eq(css_tpi(m.css, 0xff, &in), 0);
}
END_TEST

START_TEST(clear_and_halt)
{
    struct irb irb;
    enable(&m, con_id, 3);
    ccw1(&m, 0x1000, 0x0a, CCW_SLI, 160, 0x2000);
    ck_assert_int_eq(start(&m, con_id, ORB_F, 0x1000), 0);
    ck_assert_int_eq(css_activity(m.css, con_id), CSS_WAITING);
    ck_assert(con3215_reading(con));
    ck_assert_int_eq(start(&m, con_id, ORB_F, 0x1000), 2);
    ck_assert_int_eq(css_xsch(m.css, con_id), 2);
    ck_assert_int_eq(tsch(&m, con_id, &irb), 1);
    ck_assert_uint_eq(irb.scsw0 & 0x7fff, 0x40c0); /* start; subchannel, device active */
    ck_assert_int_eq(css_csch(m.css, con_id), 0);
    ck_assert(!con3215_reading(con));
    ck_assert_int_eq(tsch(&m, con_id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0, 0x1001); /* clear function, pending */
    ck_assert_int_eq(start(&m, con_id, ORB_F, 0x1000), 0);
    ck_assert_int_eq(css_hsch(m.css, con_id), 0);
    ck_assert_int_eq(css_hsch(m.css, con_id), 1);
    ck_assert_int_eq(tsch(&m, con_id, &irb), 0);
    ck_assert_uint_eq(irb.scsw0 & 0x7fff, 0x6007); /* start and halt; primary secondary */
    ck_assert_uint_eq(irb.ds, 0x0c);
}
END_TEST

/* Lines that nobody reads fill the console; one that is read makes room for another. */
START_TEST(lines_find_room_again)
{
    struct irb irb;
    enable(&m, con_id, 3);
    for (unsigned i = 0; i < CON3215_LINES_QUEUED_MAX; i++) {
        ck_assert(con3215_room(con));
        ck_assert_int_eq(con3215_input(con, "x", 1), ST_OK);
    }
    ck_assert(!con3215_room(con));
    ck_assert_int_eq(con3215_input(con, "y", 1), ST_LIMIT);
    ck_assert_int_eq(tsch(&m, con_id, &irb), 0); /* attention */
    ck_assert_uint_eq(m.rooms, 0);
    ccw1(&m, 0x1000, 0x0a, CCW_SLI, 160, 0x2000);
    ck_assert_int_eq(start(&m, con_id, ORB_F, 0x1000), 0);
    ck_assert_uint_eq(m.rooms, 1);
    ck_assert(con3215_room(con));
}
END_TEST

/* A reset of one device: a waiting read ends without a word, what was to be told is not, the
 * subchannel stays enabled and works again; the others notice nothing. */
START_TEST(device_reset)
{
    struct irb irb;
    u8 before[SCHIB_BYTES], after[SCHIB_BYTES];
    enable(&m, con_id, 3);
    css_stsch(m.css, con_id, before);
    ccw1(&m, 0x1000, 0x0a, CCW_SLI, 160, 0x2000);
    ck_assert_int_eq(start(&m, con_id, ORB_F, 0x1000), 0);
    ck_assert(con3215_reading(con));
    ck_assert_int_eq(css_device_reset(m.css, 0x0009, NULL), ST_OK);
    ck_assert(!con3215_reading(con));
    ck_assert_int_eq(css_activity(m.css, con_id), CSS_IDLE);
    ck_assert_int_eq(tsch(&m, con_id, &irb), 1);
    css_attention(m.css, con_id, DS_ATTENTION);
    ck_assert_uint_ne(css_pending(m.css), 0);
    ck_assert_int_eq(css_device_reset(m.css, 0x0009, NULL), ST_OK);
    ck_assert_uint_eq(css_pending(m.css), 0);
    css_stsch(m.css, con_id, after);
    ck_assert_mem_eq(before + 4, after + 4, 4); /* ISC, enabled, device number */
    ck_assert_int_eq(start(&m, con_id, ORB_F, 0x1000), 0);
    ck_assert(con3215_reading(con));
    ck_assert_int_eq(css_device_reset(m.css, 0x0123, NULL), ST_NOENT);
}
END_TEST

START_TEST(xsch_takes_back_a_pending_start)
{
    struct irb irb;
    m.defer = true;
    enable(&m, con_id, 3);
    ccw1(&m, 0x1000, 0x0b, 0, 1, 0);
    ck_assert_int_eq(start(&m, con_id, ORB_F | ORB_L, 0x1000), 0);
    ck_assert_int_eq(tsch(&m, con_id, &irb), 1);
    ck_assert_uint_eq(irb.scsw0 & 0x7fff, 0x4400); /* start pending */
    ck_assert_int_eq(css_xsch(m.css, con_id), 0);
    ck_assert_int_eq(css_xsch(m.css, con_id), 2);
    machine_run(&m);
    ck_assert_uint_eq(m.isc_mask, 0);
    ck_assert_int_eq(tsch(&m, con_id, &irb), 1);
}
END_TEST

START_TEST(attach_detach_report)
{
    u8 crw[CRW_BYTES], schib[SCHIB_BYTES];
    ck_assert_int_eq(css_stcrw(m.css, crw), 1);
    ck_assert_uint_eq(be32_load(crw), 0);
    ck_assert_ptr_nonnull(con3215_create(m.css, 0x500, true, NULL));
    ck_assert(m.crw_pending);
    ck_assert_ptr_null(con3215_create(m.css, 0x500, true, NULL));
    ck_assert_int_eq(css_stcrw(m.css, crw), 0);
    ck_assert_uint_eq(be32_load(crw), 0x03040002);
    ck_assert(!m.crw_pending);
    ck_assert_int_eq(css_detach(m.css, 0x500, true, NULL), ST_OK);
    ck_assert_int_eq(css_detach(m.css, 0x500, true, NULL), ST_NOENT);
    ck_assert_int_eq(css_stcrw(m.css, crw), 0);
    ck_assert_int_eq(css_stsch(m.css, 0x00010002, schib), 0);
    ck_assert_uint_eq(schib[5] & 0x01, 0); /* device number no longer valid */
    for (unsigned i = 0; i < CRWS_MAX + 3; i++) {
        con3215_create(m.css, 0x500, true, NULL);
        css_detach(m.css, 0x500, false, NULL);
    }
    for (unsigned i = 0; i < CRWS_MAX; i++)
        ck_assert_int_eq(css_stcrw(m.css, crw), 0);
    ck_assert_uint_eq(be32_load(crw), 0x23040002); /* overflow */
    ck_assert_int_eq(css_stcrw(m.css, crw), 1);
}
END_TEST

START_TEST(chsc_as_linux_asks)
{
    static u8 page[CHSC_BYTES];
    be16_store(page, 16);
    be16_store(page + 2, 0x0004);
    be16_store(page + 6, 0);
    be16_store(page + 10, 1);
    ck_assert_int_eq(css_chsc(m.css, page), 0);
    ck_assert_uint_eq(be32_load(page + 16), 0x00480001); /* 8 + 2 * 32, ok */
    ck_assert_uint_eq(page[24], 0xc0);
    ck_assert_uint_eq(be16_load(page + 26), 0x0009);
    ck_assert_uint_eq(page[28], 0x80);
    ck_assert_uint_eq(page[32], 0x10);
    ck_assert_uint_eq(be16_load(page + 56 + 2), 0x000c);
    memset(page, 0, sizeof page);
    be16_store(page, 16);
    be16_store(page + 2, 0x0002);
    page[7] = page[11] = 0x10;
    ck_assert_int_eq(css_chsc(m.css, page), 0);
    ck_assert_uint_eq(be32_load(page + 16), 0x00100001);
    ck_assert_uint_eq(page[24], 0x80);
    ck_assert_uint_eq(page[27], 0x10);
    static const struct {
        u16 command, response;
    } others[] = {{0x000e, 0x0005}, {0x0010, 0x0001}, {0x0031, 0x0101}, {0x0099, 0x0004}};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        memset(page, 0, sizeof page);
        be16_store(page, 16);
        be16_store(page + 2, others[i].command);
        ck_assert_int_eq(css_chsc(m.css, page), 0);
        ck_assert_uint_eq(be16_load(page + 18), others[i].response);
    }
    be16_store(page, 4095);
    ck_assert_int_eq(css_chsc(m.css, page), CSS_PGM_OPERAND);
}
END_TEST

START_TEST(reset_disables_everything)
{
    u8 schib[SCHIB_BYTES];
    enable(&m, con_id, 3);
    con3215_attention(con);
    css_reset(m.css);
    ck_assert_uint_eq(m.isc_mask, 0);
    css_stsch(m.css, con_id, schib);
    ck_assert_uint_eq(schib[5], 0x01);
    ck_assert_uint_eq(be32_load(schib + 28), 0);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_css");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, schib_layout);
    tcase_add_test(tc, msch_modifies_and_refuses);
    tcase_add_test(tc, disabled_is_not_operational);
    tcase_add_test(tc, ssch_checks_the_orb);
    tcase_add_test(tc, start_interrupts_and_tsch_clears);
    tcase_add_test(tc, tsch_before_the_interruption_removes_it);
    tcase_add_test(tc, lowest_isc_first_then_order);
    tcase_add_test(tc, clear_and_halt);
    tcase_add_test(tc, device_reset);
    tcase_add_test(tc, lines_find_room_again);
    tcase_add_test(tc, xsch_takes_back_a_pending_start);
    tcase_add_test(tc, attach_detach_report);
    tcase_add_test(tc, chsc_as_linux_asks);
    tcase_add_test(tc, reset_disables_everything);
    return run_suite(suite);
}
