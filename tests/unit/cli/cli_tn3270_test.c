/* Telnet negotiation, the classic one and TN3270E, 3270 records in and out, rows of the console
 * screen; hostile bytes into all. Rules: RFC 854, RFC 1091, RFC 1576, RFC 2355, GA23-0059. Run
 * alone: build/tests/unit/cli/cli_tn3270_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/tn3270/tn3270_screen.h"
#include "cli/tn3270/tn3270_stream.h"
#include "cli/tn3270/tn3270_telnet.h"
#include "io/ebcdic.h"

/* ---- telnet ---- */

static struct telnet tel;
static u8 sent[65536], record[TELNET_RECORD_BYTES_MAX];
static size_t sent_len, record_len;
static unsigned ready_count, record_count, refuse_count, attention_count;
static struct tn_size ready_size;

static void on_send(void *ctx, const u8 *bytes, size_t len)
{
    (void)ctx;
    if (sent_len + len > sizeof sent)
        sent_len = 0;
    memcpy(sent + sent_len, bytes, len);
    sent_len += len;
}

static void on_ready(void *ctx, struct tn_size size)
{
    (void)ctx;
    ready_count++;
    ready_size = size;
}

static void on_record(void *ctx, const u8 *bytes, size_t len)
{
    (void)ctx;
    ck_assert_uint_le(len, sizeof record);
    memcpy(record, bytes, len);
    record_len = len;
    record_count++;
}

static void on_attention(void *ctx)
{
    (void)ctx;
    attention_count++;
}

static void on_refuse(void *ctx, const char *why)
{
    (void)ctx;
    ck_assert(*why);
    refuse_count++;
}

static u8 on_device(void *ctx, char lu[TELNET_LU_BYTES])
{
    (void)ctx;
    if (!strcmp(lu, "BUSY"))
        return 1;
    if (!*lu)
        strcpy(lu, "ANY");
    return 0;
}

static const struct telnet_ports ports = {NULL,         on_send,   on_ready, on_record,
                                          on_attention, on_device, on_refuse};

static void setup(void)
{
    sent_len = record_len = ready_count = record_count = refuse_count = attention_count = 0;
    telnet_begin(&tel, &ports);
}

static void sent_is(const u8 *bytes, size_t len)
{
    ck_assert_uint_eq(sent_len, len);
    ck_assert_mem_eq(sent, bytes, len);
    sent_len = 0;
}

#define BYTES(...) ((const u8[]){__VA_ARGS__}), sizeof((const u8[]){__VA_ARGS__})
#define FEED(...) telnet_feed(&tel, BYTES(__VA_ARGS__))
#define SENT(...) sent_is(BYTES(__VA_ARGS__))

static void feed_type(const char *type)
{
    FEED(255, 250, 24, 0);
    telnet_feed(&tel, (const u8 *)type, strlen(type));
    FEED(255, 240);
}

static void negotiate(const char *type)
{
    FEED(255, 251, 24);
    feed_type(type);
    FEED(255, 251, 25, 255, 253, 25, 255, 251, 0, 255, 253, 0);
    ck_assert_uint_eq(ready_count, 1);
    sent_len = 0;
}

START_TEST(negotiation)
{
    SENT(255, 253, 40);
    FEED(255, 252, 40);
    SENT(255, 253, 24);
    FEED(255, 251, 24);
    SENT(255, 250, 24, 1, 255, 240);
    feed_type("ibm-3278-5-E");
    SENT(255, 253, 25, 255, 251, 25, 255, 253, 0, 255, 251, 0);
    FEED(255, 251, 25, 255, 253, 25, 255, 251);
    ck_assert_uint_eq(ready_count, 0);
    FEED(0, 255, 253, 0); /* a command in two pieces */
    ck_assert_uint_eq(ready_count, 1);
    ck_assert_uint_eq(ready_size.rows, 27);
    ck_assert_uint_eq(ready_size.cols, 132);
    ck_assert_uint_eq(sent_len, 0); /* what we asked for is not acknowledged */
    FEED(255, 251, 25, 255, 253, 0);
    ck_assert_uint_eq(sent_len, 0); /* and what is on, not answered: no loops */
}
END_TEST

START_TEST(client_speaks_first)
{
    sent_len = 0;
    FEED(255, 251, 25, 255, 253, 25, 255, 251, 0, 255, 253, 0);
    SENT(255, 253, 25, 255, 251, 25, 255, 253, 0, 255, 251, 0);
    FEED(255, 251, 24); /* without a word about TN3270E: the classic way */
    SENT(255, 253, 24, 255, 250, 24, 1, 255, 240);
    feed_type("IBM-3277-2");
    ck_assert_uint_eq(sent_len, 0);
    ck_assert_uint_eq(ready_count, 1);
}
END_TEST

/* TN3270E up to the device type. */
static void e_device(const char *type, const char *lu)
{
    FEED(255, 251, 40);
    SENT(255, 250, 40, 8, 2, 255, 240);
    FEED(255, 250, 40, 2, 7);
    telnet_feed(&tel, (const u8 *)type, strlen(type));
    if (lu)
        FEED(1);
    telnet_feed(&tel, (const u8 *)(lu ? lu : ""), lu ? strlen(lu) : 0);
    FEED(255, 240);
}

START_TEST(tn3270e)
{
    sent_len = 0;
    e_device("IBM-3278-4-E", "TERM1");
    static const u8 is[] = "\xff\xfa\x28\x02\x04IBM-3278-4-E\x01TERM1\xff\xf0";
    sent_is(is, sizeof is - 1);
    ck_assert_str_eq(tel.lu, "TERM1");
    FEED(255, 250, 40, 3, 7, 0, 2, 4, 255, 240); /* BIND-IMAGE, RESPONSES, SYSREQ */
    SENT(255, 250, 40, 3, 7, 4, 255, 240);
    ck_assert_uint_eq(ready_count, 0);
    FEED(255, 250, 40, 3, 4, 4, 255, 240);
    ck_assert_uint_eq(sent_len, 0);
    ck_assert_uint_eq(ready_count, 1);
    ck_assert_uint_eq(ready_size.rows, 43);
    ck_assert(tel.extended);
    telnet_send_record(&tel, BYTES(0xf5, 0xff, 0xc1));
    SENT(0, 0, 0, 0, 0, 0xf5, 255, 255, 0xc1, 255, 239);
    FEED(0, 0, 0, 0, 1, 0x7d, 0x40, 0x40, 255, 239);
    ck_assert_uint_eq(record_len, 3);
    ck_assert_uint_eq(record[0], 0x7d);
    FEED(2, 0, 0, 0, 1, 0, 255, 239, 5, 0, 0, 0, 2, 65, 255, 239, 0, 0, 255, 239);
    ck_assert_uint_eq(record_count,
                      1); /* a response, NVT data, a header cut off: no 3270 data */
    FEED(255, 245, 255, 244);
    ck_assert_uint_eq(attention_count, 2);
}
END_TEST

START_TEST(tn3270e_refuses)
{
    sent_len = 0;
    e_device("IBM-3278-2", "BUSY");
    SENT(255, 250, 40, 2, 6, 5, 1, 255, 240);
    FEED(255, 250, 40, 3, 7, 255, 240); /* functions before the device */
    ck_assert_uint_eq(ready_count, 0);
    setup();
    sent_len = 0;
    e_device("IBM-3287-1", NULL);
    SENT(255, 250, 40, 2, 6, 5, 4, 255, 240);
    FEED(255, 250, 40, 2, 7, 'I', 'B', 'M', '-', '3', '2', '7', '8', '-', '2', 255, 240);
    static const u8 is[] = "\xff\xfa\x28\x02\x04IBM-3278-2\x01"
                           "ANY\xff\xf0";
    sent_is(is, sizeof is - 1);
    FEED(255, 250, 40, 3, 7, 255, 240);
    SENT(255, 250, 40, 3, 4, 255, 240);
    ck_assert_uint_eq(ready_count, 1);
    ck_assert_uint_eq(refuse_count, 0);
}
END_TEST

/* IBM-DYNAMIC is asked for its usable area before anybody sees it. */
START_TEST(dynamic_size)
{
    FEED(255, 252, 40, 255, 251, 24);
    feed_type("IBM-DYNAMIC@LU7");
    sent_len = 0;
    FEED(255, 251, 25, 255, 253, 25, 255, 251, 0, 255, 253, 0);
    SENT(0xf3, 0, 5, 1, 255, 255, 2, 255, 239);
    ck_assert_uint_eq(ready_count, 0);
    ck_assert_str_eq(tel.lu, "LU7");
    FEED(0x88, 0, 5, 0x81, 0x80, 0x81, 0, 23, 0x81, 0x81, 1, 0, 0, 132, 0, 60, 1, 0, 10, 2,
         0xe5, 0, 2, 0, 0x6f, 9, 12, 0, 0, 255, 239);
    ck_assert_uint_eq(ready_count, 1);
    ck_assert_uint_eq(ready_size.rows, 60);
    ck_assert_uint_eq(ready_size.cols, 132);
    ck_assert_uint_eq(record_count, 0);
    setup();
    FEED(255, 252, 40, 255, 251, 24);
    feed_type("IBM-DYNAMIC");
    FEED(255, 251, 25, 255, 253, 25, 255, 251, 0, 255, 253, 0, 0x88, 0, 2, 255, 239);
    ck_assert_uint_eq(ready_size.rows, 24); /* no sense in it: model 2 */
}
END_TEST

START_TEST(other_options_are_refused)
{
    FEED(255, 252, 40);
    sent_len = 0;
    FEED(255, 251, 40, 255, 253, 40, 255, 251, 1, 255, 253, 3, 255, 253, 24);
    SENT(255, 254, 40, 255, 252, 40, 255, 254, 1, 255, 252, 3, 255, 252, 24);
    FEED(255, 252, 40, 255, 254, 1); /* agreement is not answered */
    ck_assert_uint_eq(sent_len, 0);
    ck_assert_uint_eq(refuse_count, 0);
}
END_TEST

START_TEST(not_a_3270)
{
    FEED(255, 251, 24);
    feed_type("XTERM");
    feed_type("VT100");
    ck_assert_uint_eq(refuse_count, 0); /* each time the next one was asked for */
    feed_type("vt100");
    ck_assert_uint_eq(refuse_count, 1);
    feed_type("IBM-3278-2");
    FEED(255, 252, 24);
    ck_assert_uint_eq(refuse_count, 1); /* nothing is called after it */
}
END_TEST

START_TEST(a_mode_is_denied)
{
    static const u8 denials[][3] = {
        {255, 252, 24}, {255, 252, 25}, {255, 254, 25}, {255, 252, 0}, {255, 254, 0}};
    telnet_feed(&tel, denials[_i], 3);
    ck_assert_uint_eq(refuse_count, 1);
}
END_TEST

START_TEST(records)
{
    negotiate("IBM-3279-2-E");
    FEED('a', 255, 255, 'b');
    FEED(255);
    FEED(239, 'c', 255, 239);
    ck_assert_uint_eq(record_count, 2);
    ck_assert_uint_eq(record_len, 1);
    FEED(255, 239, 255, 244, 255, 243, 255, 241);
    ck_assert_uint_eq(record_count, 2); /* an empty one is none */
    ck_assert_uint_eq(attention_count, 2);
    telnet_send_record(&tel, (const u8[]){1, 255, 2}, 3);
    SENT(1, 255, 255, 2, 255, 239);
}
END_TEST

START_TEST(record_limit)
{
    negotiate("IBM-3279-2-E");
    for (unsigned i = 0; i < TELNET_RECORD_BYTES_MAX; i++)
        FEED('x');
    ck_assert_uint_eq(refuse_count, 0);
    FEED('x');
    ck_assert_uint_eq(refuse_count, 1);
}
END_TEST

START_TEST(long_suboption)
{
    char type[5000];
    memset(type, 'A', sizeof type - 1);
    type[sizeof type - 1] = 0;
    FEED(255, 251, 24);
    feed_type(type);
    feed_type(type + sizeof type - 63); /* with its two bytes just as long as there is room */
    FEED(255, 250, 255, 240, 255, 250, 24, 255, 240, 255, 250, 24, 0, 255, 240, 255, 250, 1,
         255);
    ck_assert_uint_eq(ready_count, 0);
}
END_TEST

START_TEST(device_types)
{
    static const struct {
        const char *type;
        unsigned rows, cols;
    } types[] = {{"IBM-3278-2", 24, 80},   {"IBM-3278-3-E", 32, 80},
                 {"ibm-3279-4-e", 43, 80}, {"IBM-3279-5-E", 27, 132},
                 {"IBM-DYNAMIC", 24, 80},  {"IBM-3277-2", 24, 80},
                 {"IBM-3278", 0, 0},       {"IBM-3278-", 0, 0},
                 {"IBM-3278-1", 0, 0},     {"IBM-3278-6", 0, 0},
                 {"IBM-3278-2-EE", 0, 0},  {"IBM-3277-3", 0, 0},
                 {"IBM-3287-1", 0, 0},     {"", 0, 0}};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct tn_size size = {0, 0};
        bool known = telnet_device_size(types[i].type, &size);
        ck_assert_msg(known == (types[i].rows > 0), "%s", types[i].type);
        ck_assert_uint_eq(size.rows, types[i].rows);
        ck_assert_uint_eq(size.cols, types[i].cols);
    }
}
END_TEST

/* ---- the data stream ---- */

static const struct tn_size model2 = {24, 80}, model5 = {27, 132};

START_TEST(orders)
{
    struct tn_out out;
    tn_out_begin(&out, model2, TN_ERASE_WRITE, TN_ALARM | TN_RESTORE);
    tn_out_at(&out, 0);
    tn_out_field(&out, TN_TEXT);
    tn_out_text(&out, "Ab");
    tn_out_cursor(&out);
    tn_out_clear_to(&out, 1919);
    static const u8 want[] = {0xf5, 0xc7, 0x11, 0x40, 0x40, 0x1d, 0x60,
                              0xc1, 0x82, 0x13, 0x3c, 0x5d, 0x7f, 0x00};
    ck_assert_uint_eq(out.len, sizeof want);
    ck_assert_mem_eq(out.bytes, want, sizeof want);
    tn_out_begin(&out, model5, TN_ERASE_WRITE, 0);
    ck_assert_uint_eq(out.bytes[0], 0x7e);
    tn_out_begin(&out, model5, TN_WRITE, TN_RESTORE);
    ck_assert_uint_eq(out.bytes[0], 0xf1);
    ck_assert_uint_eq(out.bytes[1], 0xc2);
    tn_out_begin(&out, model5, TN_WRITE, 0);
    ck_assert_uint_eq(out.bytes[1], 0x40);
}
END_TEST

/* Every address that is sent reads back as itself. */
START_TEST(addresses)
{
    const struct tn_size size = _i ? (struct tn_size){60, 132} : model5;
    for (unsigned cell = 0; cell < size.rows * size.cols; cell++) {
        struct tn_out out;
        struct tn_in in;
        tn_out_begin(&out, size, TN_WRITE, 0);
        tn_out_at(&out, cell);
        u8 key[3] = {TN_AID_ENTER, out.bytes[3], out.bytes[4]};
        ck_assert(tn_in_parse(key, 3, size, &in));
        ck_assert_uint_eq(in.cursor, cell);
        u8 wide[3] = {TN_AID_ENTER, (u8)(cell >> 8), (u8)cell}; /* 14 bits */
        ck_assert(tn_in_parse(wide, 3, size, &in));
        ck_assert_uint_eq(in.cursor, cell);
    }
}
END_TEST

START_TEST(output_never_overflows)
{
    struct tn_out out;
    u8 cells[1000];
    memset(cells, 0x81, sizeof cells);
    tn_out_begin(&out, model5, TN_WRITE, 0);
    for (unsigned i = 0; i < 100; i++) {
        tn_out_cells(&out, cells, sizeof cells - i);
        tn_out_at(&out, i * 1000);
        ck_assert_uint_le(out.len, sizeof out.bytes);
    }
}
END_TEST

static void cells_are(const char *text, const char *want)
{
    u8 cells[64];
    char back[129];
    size_t n = tn_cells(text, strlen(text), cells, sizeof cells);
    back[ebcdic_to_utf8(EBCDIC_037, cells, n, back)] = 0;
    ck_assert_str_eq(back, want);
}

START_TEST(text)
{
    cells_are("(ok) {x|y}", "(ok) {x|y}");
    cells_are("a\tb", "a       b");
    cells_are("\x1b[1;31mred\x1b[0m\x1b[6n", "red");
    cells_are("12\b3\x01", "13");
    cells_are("10%\r20%", "20%");
    cells_are("done\r", "done");
    cells_are("\xc3\xa4 \xe2\x82\xac", "\xc3\xa4 ?");
    cells_are("\x1b[", "");
    cells_are("\x1b", "");
    u8 cells[4];
    ck_assert_uint_eq(tn_cells("\t\t\t", 3, cells, 4), 4);
    for (unsigned c = 1; c < 256; c++) { /* no order, no IAC ever comes out of text */
        char one[2] = {(char)c, 0};
        if (tn_cells(one, 1, cells, 4) == 1)
            ck_assert(cells[0] >= 0x40 && cells[0] != 0xff);
    }
}
END_TEST

START_TEST(keys)
{
    struct tn_in in;
    char out[8];
    static const u8 enter[] = {0x7d, 0x40, 0x40, 0x11, 0x40, 0x40, 0x81, 0x82,
                               0x40, 0x11, 0x40, 0xc1, 0x11, 0x40, 0xc2, 0x83};
    ck_assert(tn_in_parse(enter, sizeof enter, model2, &in));
    ck_assert_uint_eq(in.count, 3);
    tn_in_text(&in, 0, out, sizeof out);
    ck_assert_str_eq(out, "ab");
    tn_in_text(&in, 1, out, sizeof out);
    ck_assert_str_eq(out, "");
    tn_in_text(&in, 2, out, 1);
    ck_assert_str_eq(out, "");
    ck_assert(tn_in_parse((const u8[]){TN_AID_CLEAR}, 1, model2, &in));
    ck_assert_uint_eq(tn_aid_pf(0xf1), 1);
    ck_assert_uint_eq(tn_aid_pf(0x7c), 12);
    ck_assert_uint_eq(tn_aid_pf(0xc1), 13);
    ck_assert_uint_eq(tn_aid_pf(0x4c), 24);
    ck_assert_uint_eq(tn_aid_pf(TN_AID_ENTER), 0);
}
END_TEST

/* Code page "bracket" of x3270: 037 with the brackets at X'AD', X'BD'; both ways, one to one. */
START_TEST(brackets)
{
    static const u8 typed[] = {TN_AID_ENTER, 0x40, 0x40, 0x11, 0x40, 0x40,
                               0xad,         0xbd, 0xba, 0xbb, 0xb0, 0x5f};
    struct tn_in in;
    char out[32];
    u8 cells[8];
    ck_assert_uint_eq(tn_cells("[]Ý¨^¬", strlen("[]Ý¨^¬"), cells, sizeof cells), 6);
    ck_assert_mem_eq(cells, typed + 6, 6);
    ck_assert(tn_in_parse(typed, sizeof typed, model2, &in));
    tn_in_text(&in, 0, out, sizeof out);
    ck_assert_str_eq(out, "[]Ý¨^¬");
}
END_TEST

START_TEST(bad_records)
{
    static const struct {
        u8 bytes[8];
        size_t len;
    } bad[] = {
        {{0}, 0},
        {{0x7d}, 1},                               /* no cursor */
        {{0x7d, 0x40}, 2},                         /* half of it */
        {{0x7d, 0x7f, 0x7f}, 3},                   /* outside */
        {{0x7d, 0x3f, 0xff}, 3},                   /* 14 bits, outside */
        {{0x7d, 0x40, 0x40, 0x81}, 4},             /* data of no field */
        {{0x7d, 0x40, 0x40, 0x11}, 4},             /* half an order */
        {{0x7d, 0x40, 0x40, 0x11, 0x40}, 5},       /* half an address */
        {{0x7d, 0x40, 0x40, 0x11, 0x7f, 0x7f}, 6}, /* outside */
        {{0x88, 0x40, 0x40}, 3},                   /* structured field */
        {{0xf0, 0x61, 0x40, 0x40}, 4},             /* test request */
    };
    struct tn_in in;
    ck_assert(!tn_in_parse(bad[_i].bytes, bad[_i].len, model2, &in));
}
END_TEST

/* ---- the console screen ---- */

static const char *state(void *ctx, bool more)
{
    (void)ctx;
    return more ? "MORE..." : "RUNNING";
}

static struct console *con;
static struct tn_screen screen;
static struct tn_out out_record;

static void screen_setup(void)
{
    const struct console_ports none = {0};
    con = console_create(&none);
    tn_screen_begin(&screen, model2, con, 12);
}

static void screen_teardown(void)
{
    console_destroy(con);
}

static bool draw(enum tn_draw how)
{
    return tn_screen_draw(&screen, con, how, state, NULL, "MEMBERA", "", &out_record);
}

static void row_is(unsigned row, const char *want)
{
    u8 cells[80];
    size_t n = tn_cells(want, strlen(want), cells, sizeof cells);
    ck_assert_msg(!memcmp(screen.cells + row * 80, cells, n) &&
                      (n == 80 || !screen.cells[row * 80 + n]),
                  "row %u is not %s", row, want);
}

static void lines(unsigned from, unsigned to)
{
    char line[16];
    for (unsigned i = from; i <= to; i++) {
        snprintf(line, sizeof line, "line %u", i);
        console_write_line(con, line);
    }
}

START_TEST(pages)
{
    ck_assert(draw(TN_DRAW_ALL));
    ck_assert(!draw(TN_DRAW_CHANGES));
    lines(1, 22);
    ck_assert(draw(TN_DRAW_CHANGES));
    ck_assert(!screen.more); /* exactly full: nothing waits */
    ck_assert_str_eq(screen.status, "RUNNING   MEMBERA   ");
    lines(23, 30);
    ck_assert(draw(TN_DRAW_CHANGES)); /* only the status */
    ck_assert_uint_lt(out_record.len, 32);
    ck_assert_str_eq(screen.status, "MORE...   MEMBERA   ");
    row_is(21, "line 22");
    tn_screen_next(&screen);
    ck_assert(draw(TN_DRAW_CHANGES));
    row_is(0, "line 23");
    row_is(7, "line 30");
    row_is(8, "");
    ck_assert(!screen.more);
}
END_TEST

/* An alarm sounds once, with the next record. */
START_TEST(alarm_once)
{
    const u8 alarm = 0x04; /* of the write control character */
    draw(TN_DRAW_ALL);
    ck_assert(!(out_record.bytes[1] & alarm));
    screen.alarm = true;
    ck_assert(draw(TN_DRAW_INPUT));
    ck_assert(out_record.bytes[1] & alarm);
    ck_assert(draw(TN_DRAW_INPUT));
    ck_assert(!(out_record.bytes[1] & alarm));
}
END_TEST

/* The keyboard is unlocked together with a new input area: what CP or the guest writes while a key
 * is on its way leaves it locked over the line that was typed. */
START_TEST(unlocked_with_the_input_area)
{
    draw(TN_DRAW_ALL);
    ck_assert(out_record.bytes[1] & TN_RESTORE);
    lines(1, 1);
    ck_assert(draw(TN_DRAW_CHANGES));
    ck_assert(!(out_record.bytes[1] & TN_RESTORE));
    ck_assert(draw(TN_DRAW_INPUT));
    ck_assert(out_record.bytes[1] & TN_RESTORE);
    screen.key_waits = true; /* another one */
    ck_assert(draw(TN_DRAW_INPUT) && !(out_record.bytes[1] & TN_RESTORE));
    ck_assert(draw(TN_DRAW_ALL) && !(out_record.bytes[1] & TN_RESTORE));
    screen.key_waits = screen.drawn = false; /* it could not be sent before */
    ck_assert(draw(TN_DRAW_CHANGES) && out_record.bytes[1] & TN_RESTORE);
}
END_TEST

START_TEST(unfinished_line)
{
    char wide[201];
    memset(wide, 'w', 200);
    wide[200] = 0;
    console_write(con, "/ # ", 4);
    draw(TN_DRAW_ALL);
    row_is(0, "/ # ");
    console_write(con, "ls\n", 3);
    draw(TN_DRAW_CHANGES);
    row_is(0, "/ # ls");
    console_write(con, "/ # ", 4);
    draw(TN_DRAW_CHANGES);
    tn_screen_next(&screen);
    draw(TN_DRAW_ALL);
    row_is(0, "/ # "); /* the prompt stays */
    console_write_line(con, wide);
    draw(TN_DRAW_CHANGES);
    row_is(3, "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww");
    ck_assert(!screen.more);
}
END_TEST

/* A line that is broken by the end of the screen goes on at the top of the next. */
START_TEST(line_over_two_pages)
{
    char wide[241];
    memset(wide, 'a', 80);
    memset(wide + 80, 'b', 80);
    memset(wide + 160, 'c', 80);
    wide[240] = 0;
    lines(1, 20);
    console_write_line(con, wide);
    screen.top = (struct tn_place){1, 0};
    draw(TN_DRAW_ALL);
    ck_assert(screen.more);
    ck_assert_uint_eq(screen.cells[20 * 80], 0x81);
    ck_assert_uint_eq(screen.cells[21 * 80], 0x82);
    tn_screen_next(&screen);
    draw(TN_DRAW_CHANGES);
    ck_assert_uint_eq(screen.cells[0], 0x83);
    ck_assert_uint_eq(screen.cells[80], 0);
}
END_TEST

START_TEST(history)
{
    lines(1, 40);
    tn_screen_begin(&screen, model2, con, 12);
    draw(TN_DRAW_ALL);
    row_is(0, "line 29");
    row_is(11, "line 40");
}
END_TEST

/* Lines that the console no longer holds are skipped. */
START_TEST(lost_lines)
{
    draw(TN_DRAW_ALL);
    lines(1, CONSOLE_LINES_MAX + 100);
    draw(TN_DRAW_CHANGES);
    row_is(0, "line 101");
    ck_assert(screen.more);
}
END_TEST

START_TEST(largest_screens)
{
    static const struct tn_size sizes[] = {{24, 80},  {32, 80},  {43, 80}, {27, 132},
                                           {60, 132}, {255, 64}, {64, 255}};
    char wide[1001], message[300];
    memset(wide, 'w', sizeof wide - 1);
    wide[1000] = 0;
    memset(message, 'm', sizeof message - 1);
    message[299] = 0;
    for (unsigned i = 0; i < 60; i++)
        console_write_line(con, wide);
    tn_screen_begin(&screen, sizes[_i], con, sizes[_i].rows < 60 ? 60 : sizes[_i].rows);
    ck_assert(draw(TN_DRAW_ALL));
    ck_assert_uint_gt(out_record.len, (sizes[_i].rows - 2) * (sizes[_i].cols - 22));
    ck_assert_uint_lt(out_record.len, sizeof out_record.bytes);
    tn_logo_draw(sizes[_i], "MEMBERA", message, "LINUX1", true, &out_record);
    ck_assert_uint_lt(out_record.len, 2000);
    tn_notice_draw(sizes[_i], "MEMBERA", message, &out_record);
}
END_TEST

/* ---- hostile bytes ---- */

static u32 seed;

static u8 any_byte(void)
{
    static const u8 likely_ones[] = {255, 250, 240, 239,  251,  252,  253,  254,
                                     24,  25,  0,   0x7d, 0x11, 0x40, 0x6d, 0xf1};
    seed = seed * 1664525 + 1013904223;
    u8 r = (u8)(seed >> 24);
    return r & 1 ? likely_ones[r >> 4] : (u8)(seed >> 16);
}

START_TEST(noise)
{
    seed = (u32)_i * 7919 + 1;
    for (unsigned round = 0; round < 300; round++) {
        u8 bytes[512];
        struct tn_in in;
        char out[TN_INPUT_BYTES];
        setup();
        if (round % 2)
            negotiate("IBM-3278-2");
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = any_byte();
        telnet_feed(&tel, bytes, sizeof bytes);
        ck_assert_uint_le(refuse_count, 1);
        bytes[0] = TN_AID_ENTER;
        for (size_t len = 0; len < sizeof bytes; len += 7)
            if (tn_in_parse(bytes, len, model2, &in) && in.count)
                tn_in_text(&in, in.fields[0].cell, out, sizeof out);
        console_write(con, (const char *)bytes, sizeof bytes);
        draw(round % 3 ? TN_DRAW_CHANGES : TN_DRAW_ALL);
        tn_screen_next(&screen);
    }
}
END_TEST

static TCase *fixture(Suite *s, const char *name, void (*begin)(void), void (*end)(void))
{
    TCase *t = tcase_create(name);
    tcase_add_checked_fixture(t, begin, end);
    suite_add_tcase(s, t);
    return t;
}

static Suite *suite(void)
{
    Suite *s = suite_create("cli_tn3270");
    TCase *t = fixture(s, "telnet", setup, NULL);
    tcase_add_test(t, negotiation);
    tcase_add_test(t, client_speaks_first);
    tcase_add_test(t, tn3270e);
    tcase_add_test(t, tn3270e_refuses);
    tcase_add_test(t, dynamic_size);
    tcase_add_test(t, other_options_are_refused);
    tcase_add_test(t, not_a_3270);
    tcase_add_loop_test(t, a_mode_is_denied, 0, 5);
    tcase_add_test(t, records);
    tcase_add_test(t, record_limit);
    tcase_add_test(t, long_suboption);
    tcase_add_test(t, device_types);
    t = fixture(s, "stream", setup, NULL);
    tcase_add_test(t, orders);
    tcase_add_loop_test(t, addresses, 0, 2);
    tcase_add_test(t, output_never_overflows);
    tcase_add_test(t, text);
    tcase_add_test(t, brackets);
    tcase_add_test(t, keys);
    tcase_add_loop_test(t, bad_records, 0, 11);
    t = fixture(s, "screen", screen_setup, screen_teardown);
    tcase_add_test(t, pages);
    tcase_add_test(t, alarm_once);
    tcase_add_test(t, unlocked_with_the_input_area);
    tcase_add_test(t, unfinished_line);
    tcase_add_test(t, line_over_two_pages);
    tcase_add_test(t, history);
    tcase_add_test(t, lost_lines);
    tcase_add_loop_test(t, largest_screens, 0, 7);
    tcase_add_loop_test(t, noise, 0, 20);
    return s;
}

int main(void)
{
    SRunner *r = srunner_create(suite());
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
