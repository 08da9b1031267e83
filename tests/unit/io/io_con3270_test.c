/* The 3270 display: orders, reads, queries, keys, attention, what a terminal is sent,
 * relocation; and streams of garbage. Rules: 3270 Data Stream Programmer's Reference
 * (GA23-0059). */
#include "io/con3270.h"

#include "io/ebcdic.h"
#include "tests/unit/io/io_fixture.h"

#define DEVNO 0x0009
#define AT_DATA 0x4000
#define AT_CCW 0x1000

static struct machine m, other;
static struct con3270 *con;
static u32 schid;
static u8 room[CON3270_RECORD_BYTES_MAX];
static struct screen one, two;

static void setup(void)
{
    machine_init(&m);
    con = con3270_create(m.css, DEVNO, false, NULL);
    ck_assert_ptr_nonnull(con);
    schid = css_find_devno(m.css, DEVNO);
    enable(&m, schid, 3);
}

static void teardown(void)
{
    machine_fini(&m);
}

/* One command with `len` bytes of data; returns the unit status. */
static u8 command(u8 code, const void *data, size_t len, struct irb *irb)
{
    if (data)
        storage_write(m.storage, AT_DATA, data, len);
    ccw1(&m, AT_CCW, code, CCW_SLI, (u16)len, AT_DATA);
    ck_assert_int_eq(start(&m, schid, ORB_F, AT_CCW), 0);
    ck_assert_int_eq(tsch(&m, schid, irb), 0);
    return irb->ds;
}

static u8 do_write(u8 code, const void *data, size_t len)
{
    struct irb irb;
    return command(code, data, len, &irb);
}

/* Read into AT_DATA; returns how many bytes came. */
static unsigned do_read(u8 code, const u8 **out)
{
    struct irb irb;
    storage_write(m.storage, AT_DATA, (u8[8]){0}, 8);
    ck_assert_uint_eq(command(code, NULL, 8000, &irb), DS_NORMAL);
    *out = storage_host(m.storage, AT_DATA, 8000);
    return 8000u - irb.count;
}

static bool attention_pending(void)
{
    struct irb irb;
    return tsch(&m, schid, &irb) == 0 && irb.ds == DS_ATTENTION;
}

static void expect_row(unsigned row, const char *text)
{
    u8 cells[SCREEN_LINE_MAX];
    char utf8[2 * SCREEN_LINE_MAX + 1];
    size_t n = ebcdic_to_utf8(EBCDIC_037, cells, con3270_row(con, row, cells), utf8);
    while (n && utf8[n - 1] == ' ')
        n--;
    utf8[n] = 0;
    ck_assert_str_eq(utf8, text);
}

/* A form as programs draw them: "ab" in a protected field, an input field at 4, a protected end. */
static const u8 form[] = {0xc3, 0x11, 0x40, 0x40, 0x1d, 0x60, 0x81, 0x82, 0x1d,
                          0x40, 0x13, 0x11, 0x40, 0x4a, 0x1d, 0x60, 0x83};

START_TEST(a_form_is_written_and_a_key_is_read)
{
    const u8 *in;
    static const u8 key[] = {0x7d, 0x40, 0xc6, 0x11, 0x40, 0xc4, 0x88, 0x89};
    ck_assert_uint_eq(do_write(SCREEN_ERASE_WRITE, form, sizeof form), DS_NORMAL);
    expect_row(0, " ab        c");
    ck_assert(con3270_key(con, key, sizeof key));
    ck_assert(attention_pending());
    expect_row(0, " ab hi     c");
    ck_assert_uint_eq(do_read(SCREEN_READ_MODIFIED, &in), sizeof key);
    ck_assert_mem_eq(in, key, sizeof key);
    /* until the keyboard is restored the AID stays, then there is none; what was modified stays */
    ck_assert_uint_eq(do_read(SCREEN_READ_MODIFIED, &in), sizeof key);
    ck_assert_uint_eq(do_write(SCREEN_WRITE, "\xc2", 1), DS_NORMAL);
    ck_assert_uint_eq(do_read(SCREEN_READ_MODIFIED, &in), sizeof key);
    ck_assert_uint_eq(in[0], AID_NONE);
    ck_assert_uint_eq(do_write(SCREEN_WRITE, "\xc3", 1), DS_NORMAL); /* reset MDT */
    ck_assert_uint_eq(do_read(SCREEN_READ_MODIFIED, &in), 3);
}
END_TEST

START_TEST(keys_without_fields)
{
    const u8 *in;
    do_write(SCREEN_ERASE_WRITE, form, sizeof form);
    ck_assert(con3270_key(con, (const u8 *)"\x6c", 1));
    ck_assert(attention_pending());
    ck_assert_uint_eq(do_read(SCREEN_READ_MODIFIED, &in), 1);
    ck_assert_uint_eq(in[0], 0x6c);
    ck_assert_uint_eq(do_read(SCREEN_READ_MODIFIED_ALL, &in), 3);
    ck_assert(con3270_key(con, (const u8 *)"\x6d", 1)); /* Clear */
    expect_row(0, "");
    ck_assert(!con3270_key(con, (const u8 *)"\x6d", 0));
    ck_assert(!con3270_key(con, (const u8 *)"\x01", 1));
    ck_assert(!con3270_key(con, (const u8 *)"\x7d\x40", 2));
    ck_assert(!con3270_key(con, (const u8 *)"\x7d\x5d\x7f\x11\x5e\x40", 6)); /* cell 1920 */
}
END_TEST

START_TEST(unread_keys_keep_the_keyboard_locked)
{
    struct con3270_record r;
    const u8 *in;
    u64 cursor = 0;
    ck_assert_int_eq(con3270_take(con, &cursor, room, &r), CON3270_REDRAW);
    con3270_redraw(con, &cursor, true, 24, 80, room, &r);
    ck_assert(!r.unread);
    ck_assert_int_eq(con3270_take(con, &cursor, room, &r), CON3270_NOTHING);
    ck_assert(con3270_key(con, (const u8 *)"\x6e", 1));
    ck_assert(attention_pending());
    do_write(SCREEN_WRITE, "\xc2\x81", 2);
    ck_assert_int_eq(con3270_take(con, &cursor, room, &r), CON3270_RECORD);
    ck_assert(r.unread);
    ck_assert_uint_eq(r.len, 2);
    ck_assert_uint_eq(do_read(SCREEN_READ_MODIFIED, &in), 1); /* its AID was not lost */
    ck_assert_uint_eq(in[0], 0x6e);
    do_write(SCREEN_WRITE, "\xc2", 1);
    ck_assert_int_eq(con3270_take(con, &cursor, room, &r), CON3270_RECORD);
    ck_assert(!r.unread);
}
END_TEST

START_TEST(linux_asks_for_the_size)
{
    static const u8 query[] = {0x00, 0x07, 0x01, 0xff, 0x03, 0x00, 0x81};
    const u8 *in;
    con3270_connect(con, 43, 80);
    ck_assert_uint_eq(do_write(SCREEN_WRITE_STRUCTURED_FIELD, query, sizeof query), DS_NORMAL);
    ck_assert(attention_pending());
    ck_assert_uint_eq(do_read(SCREEN_READ_MODIFIED, &in), 24);
    ck_assert_uint_eq(in[0], 0x88);
    ck_assert_mem_eq(in + 1, "\x00\x17\x81\x81\x01\x00\x00\x50\x00\x2b", 10);
    ck_assert_uint_eq(do_read(SCREEN_READ_MODIFIED, &in), 3); /* once */
    /* row 24 is there with the alternate size only */
    static const u8 below[] = {0xc2, 0x11, 0x5e, 0x40, 0xc1};
    ck_assert_uint_eq(do_write(SCREEN_ERASE_WRITE, below, sizeof below), 0x0e);
    ck_assert_uint_eq(do_write(SCREEN_ERASE_WRITE_ALTERNATE, below, sizeof below), DS_NORMAL);
    expect_row(24, "A");
}
END_TEST

START_TEST(all_queries_have_their_reply)
{
    static const u8 query[] = {0x00, 0x05, 0x01, 0xff, 0x02};
    const u8 *in;
    ck_assert_uint_eq(do_write(SCREEN_WRITE_STRUCTURED_FIELD, query, sizeof query), DS_NORMAL);
    ck_assert(attention_pending());
    unsigned len = do_read(SCREEN_READ_MODIFIED, &in), at = 1, n = 0;
    ck_assert_mem_eq(in + 3, "\x81\x80", 2);
    u8 summary[16], codes = (u8)(be16_load(in + 1) - 4);
    memcpy(summary, in + 5, codes);
    for (; at + 4 <= len; at += be16_load(in + at))
        ck_assert_uint_eq(in[at + 3], summary[n++]);
    ck_assert_uint_eq(at, len);
    ck_assert_uint_eq(n, codes);
}
END_TEST

START_TEST(structured_fields_write_and_are_refused)
{
    static const u8 write_a[] = {0x00, 0x07, 0x40, 0x00, 0xf5, 0xc2, 0xc1};
    static const u8 to_the_end[] = {0x00, 0x00, 0x40, 0x00, 0xf1, 0xc2, 0xc2};
    ck_assert_uint_eq(do_write(0x11, write_a, sizeof write_a), DS_NORMAL);
    expect_row(0, "A");
    ck_assert_uint_eq(do_write(0x11, to_the_end, sizeof to_the_end), DS_NORMAL);
    expect_row(0, "B");
    ck_assert_uint_eq(do_write(0x11, "\x00\x04\x03\x80", 4), DS_NORMAL);
    expect_row(0, "");
    ck_assert_uint_eq(do_write(0x11, "\x00\x04\x0c\x80", 4), 0x0e); /* create partition */
    ck_assert_uint_eq(do_write(0x11, "\x00\x14\x03\x80", 4), 0x0e); /* too long */
    ck_assert_uint_eq(do_write(0x11, "\x00\x02", 2), 0x0e);
}
END_TEST

START_TEST(bad_streams_are_operation_checks)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {{"\xc2\x11\x5d\x7f\x11\xff\xff", 7},
               {"\xc2\x11\x40", 3},
               {"\xc2\x1d", 2},
               {"\xc2\x3c\x40\x40", 4},
               {"\xc2\x28\x41", 3},
               {"\xc2\x29\x02\xc0\x40", 5},
               {"\xc2\x02", 2},
               {"\xc2\x08", 2},
               {"\xc2\x12\xff\xff", 4}};
    struct irb irb;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        ck_assert_uint_eq(command(SCREEN_ERASE_WRITE, bad[i].bytes, bad[i].len, &irb), 0x0e);
        ck_assert_uint_eq(irb.raw[32], 0x01); /* concurrent sense */
    }
    ck_assert_uint_eq(command(0x13, "", 1, &irb), 0x0e);
    ck_assert_uint_eq(irb.raw[32], SENSE_COMMAND_REJECT);
}
END_TEST

START_TEST(orders)
{
    static const u8 repeat[] = {0xc2, 0x3c, 0x40, 0xc5, 0x5c, 0x13}; /* five times * */
    static const u8 erased[] = {0xc2, 0x11, 0x40, 0x40, 0x12, 0x40, 0x40};
    static const u8 modified[] = {0xc2, 0x11, 0x40, 0xc3, 0x2c, 0x01, 0xc0, 0x60};
    const u8 *in;
    do_write(SCREEN_ERASE_WRITE, repeat, sizeof repeat);
    expect_row(0, "*****");
    ck_assert_uint_eq(do_read(SCREEN_READ_BUFFER, &in), 3 + 24 * 80);
    ck_assert_mem_eq(in, "\x60\x40\xc5\x5c\x5c\x5c\x5c\x5c\x00", 9);
    do_write(SCREEN_ERASE_WRITE, form, sizeof form);
    do_write(SCREEN_WRITE, "\xc2\x11\x40\x40", 4);
    static const u8 from_zero[] = {0xc2, 0x11, 0x40, 0x40, 0x05, 0xa7};
    do_write(SCREEN_WRITE, from_zero, sizeof from_zero);
    expect_row(0, " ab x      c");
    ck_assert_uint_eq(do_read(SCREEN_READ_BUFFER, &in), 3 + 24 * 80 + 3);
    ck_assert_mem_eq(in + 3, "\x1d\x60\x81\x82\x1d\x40\xa7", 7);
    do_write(SCREEN_WRITE, erased, sizeof erased);
    expect_row(0, " ab        c");
    do_write(SCREEN_WRITE, from_zero, sizeof from_zero);
    do_write(SCREEN_ERASE_UNPROTECTED, NULL, 0);
    expect_row(0, " ab        c");
    do_write(SCREEN_WRITE, modified, sizeof modified);   /* now it is protected */
    do_write(SCREEN_WRITE, from_zero, sizeof from_zero); /* no field to tab to: 0 */
    expect_row(0, "xab        c");
}
END_TEST

START_TEST(a_slow_terminal_gets_the_whole_screen)
{
    struct con3270_record r;
    u64 cursor = 0;
    con3270_redraw(con, &cursor, true, 24, 80, room, &r);
    for (unsigned i = 0; i < 100; i++) {
        u8 data[1024] = {0xc2};
        memset(data + 1, 0xc1 + (int)(i % 9), sizeof data - 1);
        do_write(SCREEN_ERASE_WRITE, data, sizeof data);
    }
    ck_assert_int_eq(con3270_take(con, &cursor, room, &r), CON3270_REDRAW);
    con3270_redraw(con, &cursor, true, 24, 80, room, &r);
    ck_assert_int_eq(con3270_take(con, &cursor, room, &r), CON3270_NOTHING);
    do_write(SCREEN_WRITE, "\xc2", 1);
    ck_assert_int_eq(con3270_take(con, &cursor, room, &r), CON3270_RECORD);
}
END_TEST

/* A screen with everything in it, drawn from its redraw, is the same screen. */
START_TEST(redraw_is_the_screen)
{
    static const u8 colored[] = {0xc3, 0x29, 0x03, 0xc0, 0x60, 0x41, 0xf4, 0x42,
                                 0xf2, 0xc1, 0x28, 0x42, 0xf6, 0xc2, 0x28, 0x41,
                                 0xf2, 0xc3, 0x28, 0x00, 0x00, 0x08, 0x85, 0x11,
                                 0x5d, 0x7f, 0x1d, 0x40, 0x11, 0x4a, 0x50, 0x13};
    struct screen_out out = {room, sizeof room, 0};
    screen_reset(&one, 43, 80);
    screen_reset(&two, 43, 80);
    ck_assert(screen_write(&one, SCREEN_ERASE_WRITE, colored, sizeof colored));
    screen_out_put(&out, "\xc2", 1);
    screen_redraw(&one, true, 24, 80, &out);
    ck_assert(screen_write(&two, SCREEN_ERASE_WRITE, room, out.len));
    ck_assert_mem_eq(one.cell, two.cell, sizeof one.cell);
    ck_assert_uint_eq(one.s.cursor, two.s.cursor);
}
END_TEST

START_TEST(the_screen_relocates)
{
    static const u8 key[] = {0x7d, 0x40, 0xc6, 0x11, 0x40, 0xc4, 0x88, 0x89};
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    struct cause cause = {0};
    do_write(SCREEN_ERASE_WRITE, form, sizeof form);
    con3270_key(con, key, sizeof key);
    css_quiesce(m.css);
    codec_out_init(&out);
    ck_assert_int_eq(css_save(m.css, 5, &out, NULL), ST_OK);
    machine_init(&other);
    ck_assert_ptr_nonnull(con3270_create(other.css, DEVNO, false, NULL));
    css_quiesce(other.css);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &in));
    ck_assert_msg(css_restore(other.css, &in, &cause) == ST_OK, "%s", cause.text);
    css_resume(other.css);
    css_resume(m.css);
    struct machine *source = &m;
    struct machine kept = *source;
    m = other;
    con = css_find_device(m.css, DEVNO, NULL);
    expect_row(0, " ab hi     c");
    struct irb irb;
    ck_assert_int_eq(css_tsch(other.css, schid, irb.raw, &(size_t){0}), 0);
    ck_assert_uint_eq(irb.raw[8], DS_ATTENTION);
    m = kept;
    codec_out_fini(&out);
    machine_fini(&other);
}
END_TEST

static bool write_both(void *ctx, u8 code, const u8 *data, size_t len)
{
    return screen_write(ctx, code, data, len);
}

/* Whatever comes, from either side, the screen stays a screen. */
START_TEST(garbage)
{
    static const u8 codes[] = {0x01, 0x05, 0x0d, 0x0f, 0x11};
    static const u8 likely[] = {0x11, 0x12, 0x13, 0x1d, 0x28, 0x29, 0x2c, 0x3c, 0x05,
                                0x08, 0x40, 0x00, 0x7d, 0x5d, 0xc0, 0x41, 0xff, 0x01};
    u64 x = 88172645463325252ull;
    screen_reset(&one, 62, 160);
    for (unsigned round = 0; round < 20000; round++) {
        u8 data[64];
        struct screen_out out = {room, sizeof room, 0};
        for (unsigned i = 0; i < sizeof data; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            data[i] = x & 0x100 ? (u8)(x >> 16) : likely[(x >> 16) % sizeof likely];
        }
        size_t len = data[0] % sizeof data;
        u8 code = codes[data[1] % sizeof codes];
        if (data[2] % 4 == 0)
            screen_key(&one, data + 3, len > 3 ? len - 3 : 0);
        else if (code == SCREEN_WRITE_STRUCTURED_FIELD)
            screen_structured_fields(&one, data + 3, len > 3 ? len - 3 : 0, write_both, &one);
        else
            screen_write(&one, code, data + 3, len > 3 ? len - 3 : 0);
        ck_assert(screen_valid(&one));
        if (round % 64 == 0) {
            screen_read(&one, data[4] & 1 ? SCREEN_READ_BUFFER : SCREEN_READ_MODIFIED, 0, &out);
            screen_redraw(&one, data[4] & 2, 24, 80, &out);
        }
    }
}
END_TEST

int main(void)
{
    SUITE_BEGIN("con3270");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_form_is_written_and_a_key_is_read);
    tcase_add_test(tc, keys_without_fields);
    tcase_add_test(tc, unread_keys_keep_the_keyboard_locked);
    tcase_add_test(tc, linux_asks_for_the_size);
    tcase_add_test(tc, all_queries_have_their_reply);
    tcase_add_test(tc, structured_fields_write_and_are_refused);
    tcase_add_test(tc, bad_streams_are_operation_checks);
    tcase_add_test(tc, orders);
    tcase_add_test(tc, a_slow_terminal_gets_the_whole_screen);
    tcase_add_test(tc, redraw_is_the_screen);
    tcase_add_test(tc, the_screen_relocates);
    tcase_add_test(tc, garbage);
    return run_suite(suite);
}
