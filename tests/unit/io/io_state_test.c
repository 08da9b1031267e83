/* Relocation of the channel subsystem: everything pending and in flight arrives, once.
 * And a hostile stream is refused without harm. */
#include "tests/unit/io/io_fixture.h"

static struct machine a, b;

static void build(struct machine *m, bool reversed)
{
    machine_init(m);
    if (reversed)
        ck_assert_ptr_nonnull(reader_create(m->css, 0x000c, false, NULL));
    ck_assert_ptr_nonnull(con3215_create(m->css, 0x0009, false, NULL));
    if (!reversed)
        ck_assert_ptr_nonnull(reader_create(m->css, 0x000c, false, NULL));
    ck_assert_ptr_nonnull(con3215_create(m->css, 0x0020, false, NULL));
}

static void setup(void)
{
    build(&a, false);
    build(&b, true);
}

static void teardown(void)
{
    machine_fini(&a);
    machine_fini(&b);
}

static void *device(struct machine *m, u16 devno)
{
    return css_find_device(m->css, devno, NULL);
}

static void save(struct machine *m, struct codec_out *out)
{
    css_quiesce(m->css);
    codec_out_init(out);
    ck_assert_int_eq(css_save(m->css, 5, out, NULL), ST_OK);
    ck_assert(!out->failed);
}

static int restore(struct machine *m, const struct codec_out *out, struct cause *cause)
{
    struct codec_in in;
    struct codec_row row;
    css_quiesce(m->css);
    codec_in_init(&in, out->data, out->len);
    if (!codec_next(&in, &row) || !codec_open(&row, &in))
        return ST_PROTO;
    int rc = css_restore(m->css, &in, cause);
    return rc;
}

/** A console read waits; a console has attention pending; the reader is in mid-file. */
static void busy(struct machine *m)
{
    struct irb irb;
    enable(m, css_find_devno(m->css, 0x0009), 3);
    enable(m, css_find_devno(m->css, 0x0020), 3);
    enable(m, css_find_devno(m->css, 0x000c), 5);
    ccw1(m, 0x1000, 0x0a, CCW_SLI, 160, 0x2000);
    ck_assert_int_eq(start(m, css_find_devno(m->css, 0x0009), ORB_F, 0x1000), 0);
    con3215_input(device(m, 0x0020), "one", 3);
    con3215_input(device(m, 0x0020), "two", 3);
    reader_add_file(device(m, 0x000c), "first", 5, NULL, NULL);
    reader_add_file(device(m, 0x000c), "second", 6, NULL, NULL);
    ck_assert_int_eq(tsch(m, css_find_devno(m->css, 0x000c), &irb), 0); /* became ready */
    ccw1(m, 0x1100, 0x02, CCW_SLI, 80, 0x3000);
    ck_assert_int_eq(start(m, css_find_devno(m->css, 0x000c), ORB_F, 0x1100), 0);
}

START_TEST(in_flight_work_arrives)
{
    struct codec_out out;
    struct cause cause = {0};
    struct irb irb;
    struct io_interruption in;
    busy(&a);
    save(&a, &out);
    ck_assert_msg(restore(&b, &out, &cause) == ST_OK, "%s", cause.text);
    ccw1(&b, 0x1000, 0x0a, CCW_SLI, 160, 0x2000); /* storage travels beside the css */
    ccw1(&b, 0x1100, 0x02, CCW_SLI, 80, 0x3000);
    css_resume(b.css);
    u32 con = css_find_devno(b.css, 0x0009), rdr = css_find_devno(b.css, 0x000c);
    u32 other = css_find_devno(b.css, 0x0020);
    ck_assert_uint_eq(con, css_find_devno(a.css, 0x0009));
    ck_assert_uint_eq(rdr, css_find_devno(a.css, 0x000c));
    ck_assert_uint_eq(b.isc_mask, 0x14);
    ck_assert_int_eq(css_activity(b.css, con), CSS_WAITING);
    ck_assert(con3215_reading(device(&b, 0x0009)));
    ck_assert_int_eq(css_tpi(b.css, 0xff, &in), 1);
    ck_assert_uint_eq(in.schid, other);
    ck_assert_int_eq(css_tpi(b.css, 0xff, &in), 1);
    ck_assert_uint_eq(in.schid, rdr);
    ck_assert_uint_eq(in.parm, 0xcafe0000);
    con3215_input(device(&b, 0x0009), "x", 1); /* the read that waited ends here */
    ck_assert_int_eq(tsch(&b, con, &irb), 0);
    ck_assert_uint_eq(irb.count, 159);
    ck_assert_int_eq(tsch(&b, rdr, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
    ck_assert_int_eq(start(&b, rdr, ORB_F, 0x1100), 0);
    ck_assert_int_eq(tsch(&b, rdr, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0d); /* the first file ended, the second is there */
    ck_assert_int_eq(start(&b, rdr, ORB_F, 0x1100), 0);
    ck_assert_int_eq(tsch(&b, rdr, &irb), 0);
    ck_assert_mem_eq(storage_host(b.storage, 0x3000, 7), "second", 7);
    ck_assert_int_eq(tsch(&b, other, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x80);
    ck_assert_int_eq(start(&b, other, ORB_F, 0x1000), 0);
    ck_assert_mem_eq(storage_host(b.storage, 0x2000, 3), "\x96\x95\x85", 3);
    codec_out_fini(&out);
}
END_TEST

START_TEST(quiesced_work_is_done_after_resume)
{
    struct irb irb;
    u32 con = css_find_devno(a.css, 0x0009);
    enable(&a, con, 3);
    css_quiesce(a.css);
    ccw1(&a, 0x1000, 0x0b, 0, 1, 0);
    ck_assert_int_eq(start(&a, con, ORB_F | ORB_L, 0x1000), 0);
    ck_assert_int_eq(tsch(&a, con, &irb), 1);
    ck_assert_uint_eq(irb.scsw0 & 0x7fff, 0x4400);
    css_resume(a.css);
    ck_assert_int_eq(tsch(&a, con, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
}
END_TEST

START_TEST(start_pending_relocates)
{
    struct codec_out out;
    struct cause cause = {0};
    struct irb irb;
    u32 con = css_find_devno(a.css, 0x0009);
    enable(&a, con, 3);
    css_quiesce(a.css);
    ck_assert_int_eq(start(&a, con, ORB_F | ORB_L, 0x1000), 0);
    save(&a, &out);
    ccw1(&b, 0x1000, 0x0b, 0, 1, 0);
    ck_assert_int_eq(restore(&b, &out, &cause), ST_OK);
    css_resume(b.css);
    ck_assert_int_eq(tsch(&b, con, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
    ck_assert_uint_eq(irb.scsw0, 0x00804007);
    codec_out_fini(&out);
}
END_TEST

START_TEST(other_devices_are_refused)
{
    struct codec_out out;
    struct cause cause;
    save(&a, &out);
    css_detach(b.css, 0x0020, false, NULL);
    ck_assert_int_eq(restore(&b, &out, &cause), ST_NOENT);
    css_reset(b.css);
    ck_assert_ptr_nonnull(reader_create(b.css, 0x0020, false, NULL));
    ck_assert_int_eq(restore(&b, &out, &cause), ST_PROTO); /* a reader, not a 3215 */
    css_reset(b.css);
    css_detach(b.css, 0x0020, false, NULL);
    con3215_create(b.css, 0x0020, false, NULL);
    con3215_create(b.css, 0x0021, false, NULL);
    ck_assert_int_eq(restore(&b, &out, &cause), ST_PROTO); /* one too many here */
    codec_out_fini(&out);
}
END_TEST

START_TEST(damaged_streams_do_no_harm)
{
    struct codec_out out;
    struct cause cause;
    struct codec_out cut;
    busy(&a);
    save(&a, &out);
    static const u8 flips[] = {0x01, 0x80, 0xff};
    for (size_t i = 0; i < out.len; i++) {
        u8 flip = flips[i % sizeof flips];
        out.data[i] ^= flip;
        int rc = restore(&b, &out, &cause);
        out.data[i] ^= flip;
        if (rc == ST_OK)
            css_resume(b.css);
        css_reset(b.css);
        if (rc == ST_OK) { /* it may have got 65,536 subchannels, each reset in every round */
            machine_fini(&b);
            build(&b, true);
        }
    }
    for (size_t len = 0; len < out.len; len += 3) {
        cut = out;
        cut.len = len;
        ck_assert_int_lt(restore(&b, &cut, &cause), 0);
        css_reset(b.css);
    }
    ck_assert_int_eq(restore(&b, &out, &cause), ST_OK);
    codec_out_fini(&out);
}
END_TEST

/* --- several readers of one queue ---------- */

static void read_card(struct machine *m, u16 devno, u8 status, char first)
{
    struct irb irb;
    u32 schid = css_find_devno(m->css, devno);
    enable(m, schid, 3);
    ccw1(m, 0x1100, 0x02, CCW_SLI, 80, 0x3000);
    while (tsch(m, schid, &irb) == 0) /* it became ready */
        ;
    ck_assert_int_eq(start(m, schid, ORB_F, 0x1100), 0);
    ck_assert_int_eq(tsch(m, schid, &irb), 0);
    ck_assert_uint_eq(irb.ds, status);
    if (first)
        ck_assert_uint_eq(*storage_host(m->storage, 0x3000, 1), (u8)first);
}

/* Readers 001C and 002C beside 000C; `devno`: in the order of creation. */
static void readers(struct machine *m, const u16 devno[3])
{
    struct reader *first = NULL;
    machine_init(m);
    for (unsigned i = 0; i < 3; i++) {
        struct reader *rdr = reader_create_beside(m->css, devno[i], first, false, NULL);
        ck_assert_ptr_nonnull(rdr);
        first = first ? first : rdr;
    }
}

/* Whatever the order of the subchannels there and here: the files arrive once, and each reader
 * is where it was. */
START_TEST(readers_of_one_queue_move)
{
    static const u16 order[][3] = {{0x0c, 0x1c, 0x2c}, {0x2c, 0x1c, 0x0c}, {0x1c, 0x0c, 0x2c}};
    struct cause cause = {0};
    for (unsigned i = 0; i < 9; i++) {
        struct codec_out out;
        char deck[160];
        machine_fini(&a);
        machine_fini(&b);
        readers(&a, order[i / 3]);
        readers(&b, order[i % 3]);
        for (char name = '1'; name <= '4'; name++) {
            memset(deck, name, sizeof deck);
            reader_add_file(device(&a, 0x1c), deck, sizeof deck, NULL, NULL);
        }
        read_card(&a, 0x2c, 0x0c, '1');
        read_card(&a, 0x0c, 0x0c, '2');
        read_card(&a, 0x0c, 0x0c, '2');
        save(&a, &out);
        ck_assert_msg(restore(&b, &out, &cause) == ST_OK, "%s", cause.text);
        css_resume(b.css);
        ck_assert_uint_eq(reader_files(device(&b, 0x1c)), 4);
        read_card(&b, 0x0c, 0x0d, 0); /* the end of the second file */
        read_card(&b, 0x1c, 0x0c, '3');
        read_card(&b, 0x2c, 0x0c, '1');
        read_card(&b, 0x2c, 0x0d, 0);
        read_card(&b, 0x2c, 0x0c, '4');
        ck_assert_uint_eq(reader_files(device(&b, 0x0c)), 2);
        u32 number; /* numbers go on where they were */
        reader_add_file(device(&b, 0x2c), "5", 1, &number, NULL);
        ck_assert_uint_eq(number, 5);
        codec_out_fini(&out);
    }
}
END_TEST

/* Where the bytes `from` are in the stream, `to` is put; how often. */
static unsigned patch(struct codec_out *out, const u8 *from, const u8 *to, size_t len)
{
    unsigned n = 0;
    for (size_t i = 0; i + len <= out->len; i++)
        if (!memcmp(out->data + i, from, len)) {
            memcpy(out->data + i, to, len);
            n++;
        }
    return n;
}

/* A state in which two readers read one file, or one reads a file that is not there, is refused;
 * then a good one is taken. */
START_TEST(readers_of_one_file_are_refused)
{
    static const u16 order[][3] = {{0x0c, 0x1c, 0x2c}, {0x2c, 0x1c, 0x0c}};
    /* the row of `current`, number 2 */
    static const u8 second[] = {0x80, 3, 0, 0, 0, 4, 0, 0, 0, 2};
    for (unsigned i = 0; i < 4; i++) {
        struct codec_out out;
        struct cause cause;
        u8 wrong[sizeof second];
        machine_fini(&a);
        machine_fini(&b);
        readers(&a, order[i / 2]);
        readers(&b, order[i / 2]);
        reader_add_file(device(&a, 0x1c), "one", 3, NULL, NULL);
        reader_add_file(device(&a, 0x1c), "two", 3, NULL, NULL);
        read_card(&a, 0x0c, 0x0c, 'o');
        read_card(&a, 0x2c, 0x0c, 't');
        save(&a, &out);
        memcpy(wrong, second, sizeof wrong);
        wrong[sizeof wrong - 1] = i % 2 ? 1 : 3;
        ck_assert_uint_eq(patch(&out, second, wrong, sizeof wrong), 1);
        ck_assert_int_eq(restore(&b, &out, &cause), ST_PROTO);
        css_reset(b.css);
        codec_out_fini(&out);
        save(&a, &out);
        ck_assert_int_eq(restore(&b, &out, &cause), ST_OK);
        codec_out_fini(&out);
    }
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_state");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 300); /* a limit for hangs, not a measure */
    tcase_add_test(tc, in_flight_work_arrives);
    tcase_add_test(tc, quiesced_work_is_done_after_resume);
    tcase_add_test(tc, start_pending_relocates);
    tcase_add_test(tc, other_devices_are_refused);
    tcase_add_test(tc, damaged_streams_do_no_harm);
    tcase_add_test(tc, readers_of_one_queue_move);
    tcase_add_test(tc, readers_of_one_file_are_refused);
    return run_suite(suite);
}
