/* Host files behind punch, printer and reader: carriage control as text, ASA and machine
 * code, ASCII and EBCDIC, a full disk in the middle of a record, decks. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/ebcdic.h"
#include "io/unitrec/unitrec_file.h"

static char path[64];
static struct unitrec_file *file;

static void setup(void)
{
    strcpy(path, "/tmp/unitrec.XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void teardown(void)
{
    unlink(path);
}

static void begin(enum unitrec_carriage carriage, bool ebcdic, bool append)
{
    struct cause cause;
    const struct unitrec_format format = {carriage, ebcdic, append};
    ck_assert_int_eq(unitrec_file_open(path, &format, &file, &cause), ST_OK);
}

static int record(u8 command, const char *text)
{
    u8 bytes[132];
    size_t n = ebcdic_from_utf8(EBCDIC_037, text, strlen(text), bytes, sizeof bytes);
    return unitrec_file_sink(file, 0x000e, command, bytes, n);
}

static const char *content(size_t *len)
{
    static char text[8192];
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    *len = fread(text, 1, sizeof text - 1, f);
    text[*len] = 0;
    fclose(f);
    return text;
}

/* One report in each carriage control: title on channel 1, two lines with an overprinted
 * word, a gap, another page. */
static void report(void)
{
    static const struct {
        u8 command;
        const char *text;
    } records[] = {{0x8b, ""},         {0x11, "TITLE   "}, {0x01, "word"}, {0x09, "____"},
                   {0x19, "next"},     {0x13, ""},         {0x89, "low"},  {0x0b, ""},
                   {0x09, "page two"}, {0x91, "chan"},     {0x09, "two"}};
    for (unsigned i = 0; i < ARRAY_LEN(records); i++)
        ck_assert_int_eq(record(records[i].command, records[i].text), ST_OK);
    unitrec_file_close(file);
}

START_TEST(as_text)
{
    size_t n;
    begin(UNITREC_TEXT, false, false);
    report();
    ck_assert_str_eq(content(&n),
                     "TITLE\n\nword\r____\nnext\n\n\n\n\nlow\f\npage two\nchan\n\n\n\ntwo\n");
}
END_TEST

START_TEST(asa)
{
    size_t n;
    begin(UNITREC_ASA, false, false);
    report();
    ck_assert_str_eq(content(&n),
                     "1TITLE\n0word\n+____\n next\n-\n0low\n1\n page two\n chan\n2two\n");
}
END_TEST

START_TEST(asa_ebcdic)
{
    size_t n;
    begin(UNITREC_ASA, true, false);
    record(0x8b, "");
    record(0x09, "AB");
    record(0x89, "C");
    unitrec_file_close(file); /* the skip is still done */
    const char *p = content(&n);
    ck_assert_uint_eq(n, 3 * 133);
    ck_assert_mem_eq(p, "\xf1\xc1\xc2\x40", 4);
    ck_assert_mem_eq(p + 133, "\x40\xc3\x40", 3);
    ck_assert_mem_eq(p + 266, "\xf1\x40", 2);
}
END_TEST

START_TEST(machine)
{
    size_t n;
    begin(UNITREC_MACHINE, true, false);
    record(0x8b, "");
    record(0x09, "AB");
    unitrec_file_close(file);
    const char *p = content(&n);
    ck_assert_uint_eq(n, 2 * 133);
    ck_assert_mem_eq(p, "\x8b\x40", 2);
    ck_assert_mem_eq(p + 133, "\x09\xc1\xc2\x40", 4);
}
END_TEST

START_TEST(cards)
{
    size_t n;
    begin(UNITREC_CARDS, false, false);
    record(0x41, "one  ");
    record(0x41, "");
    unitrec_file_close(file);
    begin(UNITREC_CARDS, false, true);
    record(0x01, "thr\xc3\xa9"
                 "e");
    unitrec_file_close(file);
    ck_assert_str_eq(content(&n), "one\n\nthr\xc3\xa9"
                                  "e\n");
    begin(UNITREC_CARDS, true, false);
    record(0x41, "A");
    unitrec_file_close(file);
    const char *p = content(&n);
    ck_assert_uint_eq(n, 80);
    ck_assert_mem_eq(p, "\xc1\x40", 2);
}
END_TEST

static void limit(rlim_t bytes)
{
    struct rlimit r;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* A form of six lines with channel 1 at its top, 2 twice: the next line that has the channel. */
START_TEST(forms_of_a_buffer)
{
    static const u8 fcb[6] = {0x01, 0, 0x02, 0, 0x02, 0x10};
    begin(UNITREC_TEXT, false, false);
    ck_assert_int_eq(unitrec_file_sink(file, 0x000e, 0x63, fcb, sizeof fcb), ST_OK);
    record(0x8b, ""); /* channel 1: it is there */
    record(0x91, "one");
    record(0x09, "three");
    record(0x91, "four");
    record(0x89, "five");
    record(0x01, "top");
    unitrec_file_close(file);
    size_t len;
    ck_assert_str_eq(content(&len), "one\n\nthree\nfour\nfive\ftop\n");
}
END_TEST

/* No half record stays when the disk is full, and printing goes on where it was when there
 * is room. */
START_TEST(full_disk)
{
    size_t n;
    signal(SIGXFSZ, SIG_IGN);
    begin(UNITREC_ASA, false, false);
    ck_assert_int_eq(record(0x11, "one"), ST_OK);
    limit(8);
    ck_assert_int_eq(record(0x09, "two and more"), ST_LIMIT);
    ck_assert_int_eq(record(0x09, "two and more"), ST_LIMIT);
    content(&n);
    ck_assert_uint_eq(n, 5);
    limit(RLIM_INFINITY);
    ck_assert_int_eq(record(0x09, "two and more"), ST_OK);
    unitrec_file_close(file);
    ck_assert_str_eq(content(&n), "+one\n0two and more\n");
}
END_TEST

static void write_file(const char *text, size_t len)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text, 1, len, f), len);
    fclose(f);
}

START_TEST(decks)
{
    struct spool_data data;
    struct spool_place place = {0};
    struct spool_record r;
    struct cause cause;
    write_file("JOB\r\n\nlast", 10);
    ck_assert_int_eq(unitrec_deck_load(path, true, &data, &cause), ST_OK);
    ck_assert_uint_eq(data.records, 3);
    ck_assert(spool_data_next(&data, &place, &r) && r.len == 3);
    ck_assert_mem_eq(r.bytes, "\xd1\xd6\xc2", 3);
    ck_assert(spool_data_next(&data, &place, &r) && r.len == 1 && r.bytes[0] == 0x40);
    ck_assert(spool_data_next(&data, &place, &r) && r.len == 4);
    spool_data_fini(&data);
    char longer[100];
    memset(longer, 'x', sizeof longer);
    longer[1] = '\n';
    write_file(longer, 2 + 80);
    ck_assert_int_eq(unitrec_deck_load(path, true, &data, &cause), ST_OK);
    spool_data_fini(&data);
    write_file(longer, 2 + 81);
    ck_assert_int_eq(unitrec_deck_load(path, true, &data, &cause), ST_INVAL);
    ck_assert_ptr_nonnull(strstr(cause.text, "line 2 has more than 80"));
    ck_assert_int_eq(unitrec_deck_load(path, false, &data, &cause), ST_OK);
    ck_assert_uint_eq(data.records, 2);
    spool_data_fini(&data);
    write_file("", 0);
    ck_assert_int_eq(unitrec_deck_load(path, false, &data, &cause), ST_INVAL);
    ck_assert_int_eq(unitrec_deck_load("/nonexistent", false, &data, &cause), ST_NOENT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io_unitrec_file");
    TCase *tc = tcase_create("unitrec_file");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, as_text);
    tcase_add_test(tc, forms_of_a_buffer);
    tcase_add_test(tc, asa);
    tcase_add_test(tc, asa_ebcdic);
    tcase_add_test(tc, machine);
    tcase_add_test(tc, cards);
    tcase_add_test(tc, full_disk);
    tcase_add_test(tc, decks);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
