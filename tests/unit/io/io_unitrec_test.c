/* The 3215 console, the reader as Linux's loader uses it, CCW IPL, punch and printer.
 * The loader here does what arch/s390/boot/head.S does: 20 chained 80-byte reads at a time. */
#include "tests/unit/io/io_fixture.h"

#include "io/ebcdic.h"

static struct machine m;
static struct con3215 *con;
static struct reader *rdr;
static u32 con_id, rdr_id;
static char sunk[4096];

static void sink(void *arg, u16 devno, u8 cc, const u8 *bytes, size_t len)
{
    char text[512];
    (void)arg;
    size_t n = ebcdic_to_utf8(EBCDIC_037, bytes, len, text);
    text[n] = 0;
    size_t at = strlen(sunk);
    snprintf(sunk + at, sizeof sunk - at, "%04X %02X %s\n", devno, cc, text);
}

static void setup(void)
{
    machine_init(&m);
    sunk[0] = 0;
    con = con3215_create(m.css, 0x0009, false, NULL);
    rdr = reader_create(m.css, 0x000c, false, NULL);
    ck_assert_int_eq(punch_create(m.css, 0x000d, false, sink, NULL, NULL), ST_OK);
    ck_assert_int_eq(printer_create(m.css, 0x000e, false, sink, NULL, NULL), ST_OK);
    con_id = css_find_devno(m.css, 0x0009);
    rdr_id = css_find_devno(m.css, 0x000c);
    enable(&m, con_id, 3);
    enable(&m, rdr_id, 0);
}

static void teardown(void)
{
    machine_fini(&m);
}

static struct irb go(u32 schid)
{
    struct irb irb;
    ck_assert_int_eq(start(&m, schid, ORB_F, 0x1000), 0);
    ck_assert_int_eq(tsch(&m, schid, &irb), 0);
    return irb;
}

START_TEST(console_writes)
{
    u8 text[64];
    size_t n = ebcdic_from_utf8(EBCDIC_037, "hello [\xc3\xa4]\nlogin: ", 18, text, sizeof text);
    storage_write(m.storage, 0x2000, text, n);
    ccw1(&m, 0x1000, 0x01, CCW_SLI | CCW_CC, (u16)n, 0x2000);
    ccw1(&m, 0x1008, 0x03, 0, 1, 0); /* con3215 ends its programs with a NOP without SLI */
    struct irb irb;
    ck_assert_int_eq(start(&m, con_id, ORB_F | ORB_L, 0x1000), 0);
    ck_assert_int_eq(tsch(&m, con_id, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
    ck_assert_uint_eq(irb.ss, 0);
    ck_assert_str_eq(m.text, "hello [\xc3\xa4]\nlogin: ");
    ccw1(&m, 0x1000, 0x09, CCW_SLI, 5, 0x2000);
    go(con_id);
    ck_assert_str_eq(m.text, "hello [\xc3\xa4]\nlogin: hello\n");
    ccw1(&m, 0x1000, 0x1f, CCW_SLI, 5, 0x2000);
    irb = go(con_id);
    ck_assert_uint_eq(irb.ds, 0x0e);
    ck_assert_uint_eq(irb.raw[32], SENSE_COMMAND_REJECT);
}
END_TEST

START_TEST(console_read_waits_and_ends)
{
    struct irb irb;
    ccw1(&m, 0x1000, 0x0a, CCW_SLI, 160, 0x2000);
    ck_assert_int_eq(start(&m, con_id, ORB_F, 0x1000), 0);
    ck_assert_uint_eq(m.isc_mask, 0);
    ck_assert_int_eq(con3215_input(con, "root", 4), ST_OK);
    ck_assert_int_eq(tsch(&m, con_id, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
    ck_assert_uint_eq(irb.count, 156);
    ck_assert_mem_eq(storage_host(m.storage, 0x2000, 4), "\x99\x96\x96\xa3", 4);
    ck_assert_int_eq(tsch(&m, con_id, &irb), 1); /* no attention behind it */
    ck_assert_int_eq(start(&m, con_id, ORB_F, 0x1000), 0);
    con3215_attention(con); /* enter on an empty line */
    ck_assert_int_eq(tsch(&m, con_id, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x0c);
    ck_assert_uint_eq(irb.count, 160);
}
END_TEST

START_TEST(console_attention_for_each_line)
{
    struct irb irb;
    ccw1(&m, 0x1000, 0x0a, CCW_SLI, 160, 0x2000);
    for (int i = 0; i < 3; i++)
        con3215_input(con, &"abc"[i], 1);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(tsch(&m, con_id, &irb), 0);
        ck_assert_uint_eq(irb.ds, 0x80);
        irb = go(con_id);
        ck_assert_uint_eq(irb.ds, 0x0c);
        ck_assert_uint_eq(*storage_host(m.storage, 0x2000, 1), 0x81u + (unsigned)i);
    }
    ck_assert_int_eq(tsch(&m, con_id, &irb), 1); /* else Linux would sit in a read */
}
END_TEST

/** The loader: returns the bytes read of one reader file to `to`. */
static u32 load_file(u32 to)
{
    u32 total = 0;
    for (;;) {
        struct irb irb;
        for (u32 i = 0; i < 20; i++)
            ccw0(&m, 0x1000 + 8 * i, 0x02, i < 19 ? 0x60 : 0x20, 80, to + total + 80 * i);
        ck_assert_int_eq(start(&m, rdr_id, 0, 0x1000), 0);
        ck_assert_int_eq(tsch(&m, rdr_id, &irb), 0);
        if (irb.ds != 0x08 && irb.ds != 0x0c)
            return total + (irb.ccw - 0x1000) * 10 - irb.count;
        total += 1600;
    }
}

static u8 *pattern(size_t len, u8 seed)
{
    u8 *p = malloc(len);
    for (size_t i = 0; i < len; i++)
        p[i] = (u8)(i * 13 + (i >> 8) + seed);
    return p;
}

/** An image whose first cards are the IPL records of a Linux image. */
static u8 *ipl_image(size_t len)
{
    u8 *p = pattern(len, 3);
    be64_store(p, 0x0008000080000200ull);
    be64_store(p + 8, 0x0200001860000050ull);
    be64_store(p + 16, 0x0200006860000050ull);
    for (unsigned i = 0; i < 20; i++)
        be64_store(p + 80 + 8 * i, 0x0200000020000050ull | (u64)(0xf0 + 80 * i) << 32 |
                                       (i < 19 ? 0x40000000u : 0));
    return p;
}

START_TEST(linux_image_ipl_from_reader)
{
    u8 *image = ipl_image(10000), *initrd = pattern(4000, 9);
    ck_assert_int_eq(reader_add_file(rdr, "K", "IMAGE", image, 10000, NULL, NULL), ST_OK);
    ck_assert_int_eq(reader_add_file(rdr, "P", "PARM", "root=/dev/ram0", 14, NULL, NULL), 0);
    ck_assert_int_eq(reader_add_file(rdr, "I", "INITRD", initrd, 4000, NULL, NULL), ST_OK);
    struct cause cause;
    ck_assert_int_eq(css_ipl(m.css, 0x000c, &cause), ST_OK);
    ck_assert_uint_eq(m.isc_mask, 0);
    ck_assert_uint_eq(be64_load(storage_host(m.storage, 0, 8)), 0x0008000080000200ull);
    ck_assert_uint_eq(be32_load(storage_host(m.storage, 184, 4)), rdr_id);
    ck_assert_mem_eq(storage_host(m.storage, 0xf0, 1600), image + 240, 1600);
    ck_assert_uint_eq(load_file(0x20730), 10000 - 1840);
    ck_assert_mem_eq(storage_host(m.storage, 0x20730, 8160), image + 1840, 8160);
    ck_assert_uint_eq(load_file(0x40000), 80);
    ck_assert_str_eq((char *)storage_host(m.storage, 0x40000, 80), "root=/dev/ram0");
    ck_assert_uint_eq(load_file(0x50000), 4000);
    ck_assert_mem_eq(storage_host(m.storage, 0x50000, 4000), initrd, 4000);
    ck_assert_uint_eq(reader_files(rdr), 0);
    ck_assert_uint_eq(load_file(0x60000), 0); /* empty: the loader sees no file */
    ck_assert_int_eq(css_ipl(m.css, 0x000c, &cause), ST_IO);
    ck_assert_int_eq(css_ipl(m.css, 0x0999, &cause), ST_NOENT);
    free(image);
    free(initrd);
}
END_TEST

START_TEST(reader_end_of_file_and_hold)
{
    struct reader_file_info info;
    ccw1(&m, 0x1000, 0x02, CCW_SLI, 80, 0x2000);
    struct irb irb = go(rdr_id);
    ck_assert_uint_eq(irb.ds, 0x0e);
    ck_assert_uint_eq(irb.raw[32], SENSE_INTERVENTION);
    ck_assert_int_eq(reader_add_file(rdr, "A", "X", "1", 1, NULL, NULL), ST_OK);
    ck_assert_int_eq(tsch(&m, rdr_id, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x04); /* the reader became ready */
    reader_set_hold(rdr, true);
    ck_assert_uint_eq(go(rdr_id).ds, 0x0c);
    irb = go(rdr_id);
    ck_assert_uint_eq(irb.ds, 0x0d);
    ck_assert_uint_eq(irb.count, 80);
    ck_assert_uint_eq(go(rdr_id).ds, 0x0e); /* held: not eligible */
    ck_assert(reader_file_info(rdr, 0, &info));
    ck_assert(info.held && info.records == 1);
    reader_change_all(rdr, 1, 0); /* CHANGE RDR ALL KEEP NOHOLD */
    ck_assert_uint_eq(go(rdr_id).ds, 0x0c);
    reader_set_continuous(rdr, true);
    reader_purge(rdr);
    ck_assert_uint_eq(reader_files(rdr), 1); /* it is open */
    ck_assert_uint_eq(go(rdr_id).ds, 0x0d);
    reader_purge(rdr);
    reader_add_file(rdr, "B", "X", "2", 1, NULL, NULL);
    reader_add_file(rdr, "C", "X", "3", 1, NULL, NULL);
    tsch(&m, rdr_id, &irb);
    ck_assert_uint_eq(go(rdr_id).ds, 0x0c);
    ck_assert_uint_eq(go(rdr_id).ds, 0x0c); /* CONT: no end between files */
    ck_assert_uint_eq(go(rdr_id).ds, 0x0d);
    ck_assert_int_eq(reader_add_file(rdr, "E", "X", "", 0, NULL, NULL), ST_INVAL);
}
END_TEST

START_TEST(punch_and_printer_output)
{
    u32 punch = css_find_devno(m.css, 0x000d), printer = css_find_devno(m.css, 0x000e);
    enable(&m, punch, 3);
    enable(&m, printer, 3);
    storage_write(m.storage, 0x2000, "\xc1\xc2\xc3", 3);
    ccw1(&m, 0x1000, 0x01, CCW_SLI, 3, 0x2000);
    ck_assert_uint_eq(go(punch).ds, 0x0c);
    ccw1(&m, 0x1000, 0x09, CCW_SLI | CCW_CC, 2, 0x2000);
    ccw1(&m, 0x1008, 0x8b, CCW_SLI, 1, 0x2000);
    ck_assert_uint_eq(go(printer).ds, 0x0c);
    ck_assert_str_eq(sunk, "000D 01 ABC\n000E 09 AB\n000E 8B \n");
    ccw1(&m, 0x1000, 0xe4, CCW_SLI, 7, 0x2000);
    go(printer);
    ck_assert_mem_eq(storage_host(m.storage, 0x2000, 7), "\xff\x14\x03\0\x14\x03\0", 7);
}
END_TEST

START_TEST(ebcdic_round_trip)
{
    for (int page = EBCDIC_037; page <= EBCDIC_500; page++)
        for (unsigned c = 0; c < 256; c++) {
            char utf8[2];
            u8 in = (u8)c, back;
            size_t n = ebcdic_to_utf8((enum ebcdic_page)page, &in, 1, utf8);
            ck_assert_uint_eq(ebcdic_from_utf8((enum ebcdic_page)page, utf8, n, &back, 1), 1);
            ck_assert(back == in || in == 0x25 || in == 0x3f);
        }
    u8 out[8];
    ck_assert_uint_eq(ebcdic_from_utf8(EBCDIC_037, "\xe2\x82\xac|[", 5, out, 8), 3);
    ck_assert_mem_eq(out, "\x3f\x4f\xba", 3);
    ck_assert_uint_eq(ebcdic_from_utf8(EBCDIC_500, "|[\xff", 3, out, 8), 3);
    ck_assert_mem_eq(out, "\xbb\x4a\x3f", 3);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_unitrec");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, console_writes);
    tcase_add_test(tc, console_read_waits_and_ends);
    tcase_add_test(tc, console_attention_for_each_line);
    tcase_add_test(tc, linux_image_ipl_from_reader);
    tcase_add_test(tc, reader_end_of_file_and_hold);
    tcase_add_test(tc, punch_and_printer_output);
    tcase_add_test(tc, ebcdic_round_trip);
    return run_suite(suite);
}
