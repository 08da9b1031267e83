/* The 3215 console, the reader as Linux's loader uses it, CCW IPL, punch and printer.
 * The loader here does what arch/s390/boot/head.S does: 20 chained 80-byte reads at a time. */
#include "tests/unit/io/io_fixture.h"

#include "io/ebcdic.h"

static struct machine m;
static struct con3215 *con;
static struct reader *rdr;
static u32 con_id, rdr_id;
static char sunk[4096];

static int sink_answer;

static int sink(void *arg, u16 devno, u8 cc, const u8 *bytes, size_t len)
{
    if (sink_answer)
        return sink_answer;
    char text[512];
    (void)arg;
    size_t n = ebcdic_to_utf8(EBCDIC_037, bytes, len, text);
    text[n] = 0;
    size_t at = strlen(sunk);
    snprintf(sunk + at, sizeof sunk - at, "%04X %02X %s\n", devno, cc, text);
    return ST_OK;
}

static void setup(void)
{
    machine_init(&m);
    sunk[0] = 0;
    sink_answer = ST_OK;
    con = con3215_create(m.css, 0x0009, false, NULL);
    rdr = reader_create(m.css, 0x000c, false, NULL);
    ck_assert_int_eq(punch_create(m.css, 0x000d, false, sink, NULL, NULL), ST_OK);
    ck_assert_int_eq(printer_create(m.css, 0x000e, PRINTER_1403, false, sink, NULL, NULL),
                     ST_OK);
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

/* TERMINAL AUTOCR: what is written without a carrier return ends its line all the same, once. */
START_TEST(console_carrier_return_by_itself)
{
    u8 text[64];
    size_t n = ebcdic_from_utf8(EBCDIC_037, "one\ntwo\n", 8, text, sizeof text);
    storage_write(m.storage, 0x2000, text, n);
    con3215_autocr(con, true);
    ccw1(&m, 0x1000, 0x01, CCW_SLI, 3, 0x2000);
    go(con_id);
    ck_assert_str_eq(m.text, "one\n");
    ccw1(&m, 0x1000, 0x01, CCW_SLI, 4, 0x2000);
    go(con_id);
    ck_assert_str_eq(m.text, "one\none\n");
    con3215_autocr(con, false);
    ccw1(&m, 0x1000, 0x01, CCW_SLI, 3, 0x2000);
    go(con_id);
    ck_assert_str_eq(m.text, "one\none\none");
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
    ck_assert_int_eq(reader_add_file(rdr, image, 10000, NULL, NULL), ST_OK);
    ck_assert_int_eq(reader_add_file(rdr, "root=/dev/ram0", 14, NULL, NULL), 0);
    ck_assert_int_eq(reader_add_file(rdr, initrd, 4000, NULL, NULL), ST_OK);
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
    struct reader_file info;
    ccw1(&m, 0x1000, 0x02, CCW_SLI, 80, 0x2000);
    struct irb irb = go(rdr_id);
    ck_assert_uint_eq(irb.ds, 0x0e);
    ck_assert_uint_eq(irb.raw[32], SENSE_INTERVENTION);
    ck_assert_int_eq(reader_add_file(rdr, "1", 1, NULL, NULL), ST_OK);
    ck_assert_int_eq(tsch(&m, rdr_id, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x04); /* the reader became ready */
    reader_set_options(rdr, false, true, false, 0);
    ck_assert_uint_eq(go(rdr_id).ds, 0x0c);
    irb = go(rdr_id);
    ck_assert_uint_eq(irb.ds, 0x0d);
    ck_assert_uint_eq(irb.count, 80);
    ck_assert_uint_eq(go(rdr_id).ds, 0x0e); /* held: not eligible */
    ck_assert(reader_file_info(rdr, 0, &info));
    ck_assert(info.held && info.records == 1);
    info.keep = true; /* CHANGE RDR ALL KEEP NOHOLD */
    info.held = false;
    ck_assert(reader_change(rdr, &info));
    ck_assert_uint_eq(go(rdr_id).ds, 0x0c);
    reader_set_options(rdr, true, true, false, 0);
    ck_assert(!reader_remove(rdr, info.number)); /* it is open */
    ck_assert_uint_eq(go(rdr_id).ds, 0x0d);
    ck_assert(reader_remove(rdr, info.number));
    ck_assert_uint_eq(reader_files(rdr), 0);
    reader_add_file(rdr, "2", 1, NULL, NULL);
    reader_add_file(rdr, "3", 1, NULL, NULL);
    tsch(&m, rdr_id, &irb);
    ck_assert_uint_eq(go(rdr_id).ds, 0x0c);
    ck_assert_uint_eq(go(rdr_id).ds, 0x0c); /* CONT: no end between files */
    ck_assert_uint_eq(go(rdr_id).ds, 0x0d);
    ck_assert_int_eq(reader_add_file(rdr, "", 0, NULL, NULL), ST_INVAL);
}
END_TEST

/* SPOOL RDR NOEOF: the end of a file is an empty reader. Cards and pages are counted. */
START_TEST(reader_no_eof_and_counts)
{
    struct reader_counts counts = {0};
    struct irb irb;
    static u8 cards[80 * 60];
    ccw1(&m, 0x1000, 0x02, CCW_SLI, 80, 0x2000);
    reader_set_eof(rdr, false);
    reader_set_counts(rdr, &counts);
    reader_add_file(rdr, "1", 1, NULL, NULL);
    reader_add_file(rdr, cards, sizeof cards, NULL, NULL);
    tsch(&m, rdr_id, &irb);
    ck_assert_uint_eq(go(rdr_id).ds, 0x0c);
    irb = go(rdr_id);
    ck_assert_uint_eq(irb.ds, 0x0e);
    ck_assert_uint_eq(irb.raw[32], SENSE_INTERVENTION);
    ck_assert_uint_eq(reader_files(rdr), 1);
    for (unsigned i = 0; i < 60; i++)
        ck_assert_uint_eq(go(rdr_id).ds, 0x0c);
    ck_assert_uint_eq(counts.cards, 61);
    ck_assert_uint_eq(counts.pages, 3); /* sixty cards are on two pages */
    reader_set_eof(rdr, true);
    ck_assert_uint_eq(go(rdr_id).ds, 0x0d);
    ck_assert_uint_eq(counts.cards, 61);
    reader_set_counts(rdr, NULL);
}
END_TEST

/* SPOOL RDR CLASS, ORDER, and what CLOSE does with the file being read. */
START_TEST(reader_class_order_close)
{
    struct reader_file info = {.class_ = 'B'};
    struct spool_data data;
    struct irb irb;
    u32 first, second;
    ccw1(&m, 0x1000, 0x02, CCW_SLI, 80, 0x2000);
    reader_set_options(rdr, false, false, false, 'B');
    ck_assert_int_eq(reader_add_file(rdr, "A", 1, &first, NULL), ST_OK);
    ck_assert_int_eq(tsch(&m, rdr_id, &irb), 1); /* class A: nothing became ready */
    ck_assert_uint_eq(go(rdr_id).ds, 0x0e);
    spool_data_init(&data);
    ck_assert(spool_data_add(&data, 0x41, (const u8 *)"\xc2\x40\x40", 3));
    ck_assert_int_eq(reader_add(rdr, &info, &data, &second, NULL), ST_OK);
    ck_assert_int_eq(tsch(&m, rdr_id, &irb), 0);
    ck_assert_uint_eq(go(rdr_id).ds, 0x0c);
    ck_assert_mem_eq(storage_host(m.storage, 0x2000, 4), "\xc2\x40\x40\x40", 4);
    reader_close(rdr, READER_CLOSE_HOLD);
    ck_assert_uint_eq(go(rdr_id).ds, 0x0e);
    reader_set_options(rdr, false, false, false, 0);
    ck_assert(reader_file_info(rdr, 1, &info) && info.number == second && info.held);
    info.held = false;
    ck_assert(reader_change(rdr, &info) && reader_order(rdr, second));
    go(rdr_id);
    ck_assert_uint_eq(*storage_host(m.storage, 0x2000, 1), 0xc2);
    reader_close(rdr, READER_CLOSE_AGAIN);
    go(rdr_id);
    ck_assert_uint_eq(*storage_host(m.storage, 0x2000, 1), 0xc2);
    reader_close(rdr, READER_CLOSE_GONE);
    go(rdr_id);
    ck_assert_uint_eq(*storage_host(m.storage, 0x2000, 1), 'A');
    ck_assert_uint_eq(reader_files(rdr), 1);
}
END_TEST

static u8 read_by(u32 schid, u8 *first)
{
    ccw1(&m, 0x1000, 0x02, CCW_SLI, 80, 0x2000);
    *storage_host(m.storage, 0x2000, 1) = 0;
    struct irb irb = go(schid);
    *first = *storage_host(m.storage, 0x2000, 1);
    return (u8)irb.ds;
}

/* Two readers, one queue: each takes files of its class that the other is not reading; what one
 * closes the other may read; what waits is left with the last. */
START_TEST(two_readers_one_queue)
{
    struct reader *other = reader_create_beside(m.css, 0x001c, rdr, false, NULL);
    u32 other_id = css_find_devno(m.css, 0x001c), first, second;
    struct reader_file info = {.class_ = 'B'};
    struct spool_data data;
    struct irb irb;
    u8 card;
    ck_assert_ptr_nonnull(other);
    enable(&m, other_id, 0);
    reader_set_options(other, false, false, false, 'B');
    ck_assert_int_eq(reader_add_file(other, "A", 1, &first, NULL), ST_OK);
    ck_assert_int_eq(tsch(&m, rdr_id, &irb), 0); /* ready; the other has nothing to read */
    ck_assert_int_eq(tsch(&m, other_id, &irb), 1);
    ck_assert_uint_eq(read_by(other_id, &card), 0x0e);
    spool_data_init(&data);
    ck_assert(spool_data_add(&data, 0x41, (const u8 *)"B", 1));
    ck_assert_int_eq(reader_add(rdr, &info, &data, &second, NULL), ST_OK);
    ck_assert_int_eq(tsch(&m, rdr_id, &irb), 1); /* it had something */
    ck_assert_int_eq(tsch(&m, other_id, &irb), 0);
    ck_assert_uint_eq(irb.ds, 0x04);
    ck_assert(read_by(rdr_id, &card) == 0x0c && card == 'A');
    ck_assert(!reader_remove(other, first)); /* it is open, by whichever */
    ck_assert(read_by(other_id, &card) == 0x0c && card == 'B');
    ck_assert_uint_eq(read_by(rdr_id, &card), 0x0d);
    ck_assert_uint_eq(read_by(rdr_id, &card), 0x0e); /* B is the other's */
    ck_assert(reader_file_info(rdr, 0, &info) && info.number == second && info.reading);
    reader_close(rdr, READER_CLOSE_GONE); /* of what itself reads: nothing */
    reader_close(other, READER_CLOSE_AGAIN);
    ck_assert(read_by(rdr_id, &card) == 0x0c && card == 'B');
    ck_assert_uint_eq(read_by(other_id, &card), 0x0e);
    ck_assert_int_eq(css_detach(m.css, 0x000c, false, NULL), ST_OK); /* in mid-file */
    ck_assert_uint_eq(reader_files(other), 1);
    ck_assert(read_by(other_id, &card) == 0x0c && card == 'B');
    ck_assert_uint_eq(read_by(other_id, &card), 0x0d);
    ck_assert_uint_eq(reader_files(other), 0);
}
END_TEST

/* DIAGNOSE X'14' reads whole pages: records are found in them as they were punched. */
START_TEST(reader_pages)
{
    enum { CARDS = 100 };
    u8 deck[CARDS * CARD_BYTES], page[SPOOL_PAGE_BYTES];
    u32 number, records = 0, pages = 0;
    memset(deck, 0x40, sizeof deck);
    for (unsigned i = 0; i < CARDS; i++)
        memset(deck + i * CARD_BYTES, (int)(0x80 + i), i % 80);
    ck_assert(reader_next_page(rdr, page, &number) == READER_PAGE_NO_FILE);
    ck_assert_int_eq(reader_add_file(rdr, deck, sizeof deck, NULL, NULL), ST_OK);
    while (reader_next_page(rdr, page, &number) == READER_PAGE_OK) {
        const u8 *p = page + 16;
        pages++;
        ck_assert_uint_eq(be16_load(page + SPOOL_PAGE_RECORD_LENGTH), 80);
        for (u32 i = be32_load(page + 12); i; i--, records++) {
            u32 len = be16_load(p + 6), want = records % 80;
            ck_assert_uint_eq(len, want ? want : 1); /* blanks are cut off, but for one */
            ck_assert_mem_eq(p + 12, deck + records * CARD_BYTES, len);
            p += be16_load(p + 10);
        }
    }
    ck_assert_uint_eq(records, CARDS);
    ck_assert(reader_next_page(rdr, page, &number) == READER_PAGE_END);
    ck_assert(reader_set_page(rdr, pages) == READER_PAGE_END);
    ck_assert(reader_set_page(rdr, 1) == READER_PAGE_OK);
    ck_assert(reader_next_page(rdr, page, &number) == READER_PAGE_OK);
    ck_assert_uint_eq(reader_page_number(rdr), 2);
}
END_TEST

START_TEST(damaged_pages_are_refused)
{
    struct spool_data good, bad;
    struct spool_place place = {0};
    struct spool_record record;
    spool_data_init(&good);
    ck_assert(spool_data_add(&good, 0x09, (const u8 *)"\xc1\xc2", 2));
    ck_assert(spool_data_add(&good, 0x8b, NULL, 0));
    size_t len = spool_data_bytes(&good);
    ck_assert(spool_data_load(&bad, good.page, len));
    ck_assert(spool_data_next(&bad, &place, &record) && record.command == 9 && record.len == 2);
    ck_assert(spool_data_next(&bad, &place, &record) && record.immediate);
    ck_assert(!spool_data_next(&bad, &place, &record));
    spool_data_fini(&bad);
    ck_assert(!spool_data_load(&bad, good.page, 0));
    ck_assert(!spool_data_load(&bad, good.page, len - 1));
    for (unsigned at = 12; at < 32; at++) {
        u8 before = good.page[at];
        for (unsigned v = 0; v < 256; v++) {
            good.page[at] = (u8)v;
            if (!spool_data_load(&bad, good.page, len))
                continue;
            place = (struct spool_place){0}; /* taken: then it can be walked to its end */
            for (u32 n = 0; spool_data_next(&bad, &place, &record); n++)
                ck_assert_uint_lt(n, bad.records);
            spool_data_fini(&bad);
        }
        good.page[at] = before;
    }
    be32_store(good.page + 12, 0);
    ck_assert(!spool_data_load(&bad, good.page, len));
    be32_store(good.page + 12, 0x7fffffff);
    ck_assert(!spool_data_load(&bad, good.page, len));
    spool_data_fini(&good);
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
    struct irb irb;
    sink_answer = ST_LIMIT; /* the host's disk is full */
    ccw1(&m, 0x1000, 0x01, CCW_SLI, 3, 0x2000);
    irb = go(punch);
    ck_assert_uint_eq(irb.ds, 0x0e);
    ck_assert_uint_eq(irb.raw[32], SENSE_INTERVENTION);
    sink_answer = ST_IO;
    irb = go(printer);
    ck_assert_uint_eq(irb.raw[32], SENSE_EQUIPMENT_CHECK);
    sink_answer = ST_OK;
    ck_assert_uint_eq(go(punch).ds, 0x0c);
    ccw1(&m, 0x1000, 0xe4, CCW_SLI, 7, 0x2000);
    go(printer);
    ck_assert_mem_eq(storage_host(m.storage, 0x2000, 7), "\xff\x14\x03\0\x14\x03\0", 7);
}
END_TEST

static u32 printer(enum printer_type type, u16 devno)
{
    ck_assert_int_eq(printer_create(m.css, devno, type, false, sink, NULL, NULL), ST_OK);
    u32 schid = css_find_devno(m.css, devno);
    enable(&m, schid, 3);
    sunk[0] = 0;
    return schid;
}

/* "abCDX1" by a program of one or two commands; sense byte 0, or 0. */
static u8 print_after(u32 schid, u8 command, u16 count, u8 code)
{
    storage_write(m.storage, 0x3000, "\x81\x82\xc3\xc4\xe7\xf1", 6);
    ccw1(&m, 0x1000, command, CCW_SLI | CCW_CC, count, 0x2000);
    ccw1(&m, 0x1008, code, CCW_SLI, 6, 0x3000);
    struct irb irb = go(schid);
    ck_assert_uint_eq(irb.ds & ~DS_UNIT_CHECK, DS_NORMAL);
    return irb.ds & DS_UNIT_CHECK ? irb.raw[32] : 0;
}

/* The character set: behind a gate only; what it does not have is a blank, and a data check when
 * that is allowed; folded, small letters are capitals. */
START_TEST(a_1403_and_its_characters)
{
    u32 id = printer(PRINTER_1403, 0x001e);
    u8 *set = storage_host(m.storage, 0x2000, 240);
    memset(set, 0xf1, 240);
    memcpy(set, "\xc1\xc2\xc3\xc4\x81", 5);               /* ABCDa1 */
    ck_assert_uint_eq(print_after(id, 0x7b, 1, 0x09), 0); /* none was loaded: all is printed */
    ck_assert_str_eq(sunk, "001E 09 abCDX1\n");
    ck_assert_uint_eq(print_after(id, 0xfb, 240, 0x09), SENSE_COMMAND_REJECT);
    ck_assert_uint_eq(print_after(id, 0xeb, 1, 0x63), SENSE_COMMAND_REJECT); /* it has no FCB */
    sunk[0] = 0;
    ccw1(&m, 0x1000, 0xeb, CCW_SLI | CCW_CC, 1, 0x2000);
    ccw1(&m, 0x1008, 0xfb, CCW_CC, 240, 0x2000);
    ccw1(&m, 0x1010, 0x09, CCW_SLI, 6, 0x3000);
    ck_assert_uint_eq(go(id).raw[32], SENSE_DATA_CHECK);
    ck_assert_str_eq(sunk, "001E 09 a CD 1\n"); /* the line was printed */
    ck_assert_uint_eq(print_after(id, 0x73, 1, 0x09), 0);
    sunk[0] = 0;
    ccw1(&m, 0x1000, 0xeb, CCW_SLI | CCW_CC, 1, 0x2000);
    ccw1(&m, 0x1008, 0xf3, CCW_CC, 240, 0x2000);
    ck_assert_uint_eq(go(id).ds, DS_NORMAL);
    ck_assert_str_eq(sunk, "001E 09 ABCD 1\n");
    static const u8 none[] = {0x23, 0x43, 0x12, 0x0a, 0x6b, 0x05, 0x29};
    for (size_t i = 0; i < sizeof none; i++) {
        ccw1(&m, 0x1000, none[i], CCW_SLI, 6, 0x3000);
        ck_assert_uint_eq(go(id).raw[32], SENSE_COMMAND_REJECT);
    }
}
END_TEST

/* The forms control buffer, read back; what is none is a load check and changes nothing. It moves
 * with the machine, and where it comes to is told to the sink there. */
START_TEST(a_printer_and_its_form)
{
    struct machine there;
    struct codec_out out;
    struct codec_in in;
    struct codec_row row;
    struct cause cause;
    enum printer_type type = _i ? PRINTER_3203 : PRINTER_3211; /* but for the lines the same */
    u32 id = printer(type, 0x001e);
    storage_write(m.storage, 0x2000, "\x11\0\x02\x1c", 4); /* 4 lines, channels 1, 2, 12 */
    ck_assert_int_eq(printer_type_of(_i ? 0x3203 : 0x3211), type);
    ck_assert_int_eq(printer_type_of(0x4248), PRINTER_1403);
    ck_assert_uint_eq(print_after(id, 0x63, 4, 0x91), 0); /* skip to channel 2 */
    ck_assert_int_eq(strncmp(sunk, "001E 63 ", 8), 0);
    ck_assert_uint_eq(print_after(id, 0x63, 3, 0x91), 0x02);                  /* no last line */
    ck_assert_uint_eq(print_after(id, 0x63, 4, 0xa1), SENSE_EQUIPMENT_CHECK); /* no channel 4 */
    storage_write(m.storage, 0x2000, "\x11\x1d", 2);
    ck_assert_uint_eq(print_after(id, 0x63, 2, 0x91), 0x02); /* channel 13 */
    ccw1(&m, 0x1000, 0x12, CCW_SLI, 180, 0x4000);
    ck_assert_uint_eq(go(id).ds, DS_NORMAL);
    ck_assert_mem_eq(storage_host(m.storage, 0x4000, 5), "\x11\0\x02\x1c\0", 5);
    css_quiesce(m.css);
    codec_out_init(&out);
    ck_assert_int_eq(css_save(m.css, 7, &out, &cause), ST_OK);
    there = m;
    setup();
    printer(type, 0x001e);
    css_quiesce(m.css);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && codec_open(&row, &in));
    ck_assert_msg(css_restore(m.css, &in, &cause) == ST_OK, "%s", cause.text);
    codec_out_fini(&out);
    css_resume(m.css);
    ck_assert_int_eq(strncmp(sunk, "001E 63 ", 8), 0);
    ccw1(&m, 0x1000, 0x12, CCW_SLI, 180, 0x4000);
    ck_assert_uint_eq(go(id).ds, DS_NORMAL);
    ck_assert_mem_eq(storage_host(m.storage, 0x4000, 5), "\x11\0\x02\x1c\0", 5);
    machine_fini(&there);
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
    tcase_add_test(tc, console_carrier_return_by_itself);
    tcase_add_test(tc, console_read_waits_and_ends);
    tcase_add_test(tc, console_attention_for_each_line);
    tcase_add_test(tc, linux_image_ipl_from_reader);
    tcase_add_test(tc, reader_end_of_file_and_hold);
    tcase_add_test(tc, reader_no_eof_and_counts);
    tcase_add_test(tc, reader_class_order_close);
    tcase_add_test(tc, two_readers_one_queue);
    tcase_add_test(tc, reader_pages);
    tcase_add_test(tc, damaged_pages_are_refused);
    tcase_add_test(tc, punch_and_printer_output);
    tcase_add_test(tc, a_1403_and_its_characters);
    tcase_add_loop_test(tc, a_printer_and_its_form, 0, 2);
    tcase_add_test(tc, ebcdic_round_trip);
    return run_suite(suite);
}
