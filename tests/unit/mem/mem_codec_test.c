/* The codec of relocations, snapshots and messages between members: rows there and back, blocks in
 * rows, every cut of a stream, lengths that lie, texts that are none, a taker that refuses.
 * Run alone: tests/run unit/mem_codec_test */
#include <check.h>
#include <stdlib.h>

#include "mem/base/codec.h"

enum { NUMBER = 1, TEXT = 2, BLOCK = 3, INNER = 4, VERSION = 7 };

struct seen {
    unsigned rows, most;
    u64 number;
    char text[8];
};

static struct codec_out out;
static struct seen seen;

static void setup(void)
{
    codec_out_init(&out);
    seen = (struct seen){.most = 9};
}

static void teardown(void)
{
    codec_out_fini(&out);
}

static bool take(void *ctx, const struct codec_row *row)
{
    struct seen *s = ctx;
    s->rows++;
    switch (row->tag) {
    case NUMBER: return codec_get_u64(row, &s->number);
    case TEXT: return codec_get_printable(row, s->text, sizeof s->text);
    default: return s->rows <= s->most;
    }
}

START_TEST(there_and_back)
{
    struct codec_in in, block;
    struct codec_row row;
    u32 inner = 0;
    codec_put_u64(&out, NUMBER, 0x0123456789abcdefull);
    codec_put_bytes(&out, TEXT, "LINUX1", 6);
    codec_begin(&out, BLOCK, VERSION);
    codec_put_u32(&out, INNER, 42);
    codec_end(&out);
    ck_assert(codec_take_all(out.data, out.len, take, &seen));
    ck_assert_uint_eq(seen.rows, 3);
    ck_assert(seen.number == 0x0123456789abcdefull);
    ck_assert_str_eq(seen.text, "LINUX1");
    codec_in_init(&in, out.data, out.len);
    for (int i = 0; i < 3; i++)
        ck_assert(codec_next(&in, &row));
    ck_assert(codec_open(&row, &block));
    ck_assert_uint_eq(block.version, VERSION);
    ck_assert(codec_next(&block, &row) && row.tag == INNER && codec_get_u32(&row, &inner));
    ck_assert_uint_eq(inner, 42);
    ck_assert(!codec_next(&block, &row) && !block.failed);
    ck_assert(!codec_next(&in, &row) && !in.failed);
}
END_TEST

START_TEST(cut_anywhere)
{
    codec_put_u64(&out, NUMBER, 1);
    size_t first = out.len;
    codec_put_bytes(&out, TEXT, "AB", 2);
    for (size_t len = 0; len < out.len; len++) {
        seen = (struct seen){.most = 9};
        ck_assert_int_eq(codec_take_all(out.data, len, take, &seen), len == 0 || len == first);
        ck_assert_uint_eq(seen.rows, len >= first);
    }
}
END_TEST

START_TEST(lengths_that_lie)
{
    u8 row[] = {0, TEXT, 0xff, 0xff, 0xff, 0xff, 'A'};
    ck_assert(!codec_take_all(row, sizeof row, take, &seen));
    ck_assert_uint_eq(seen.rows, 0);
    codec_put_u32(&out, NUMBER, 1); /* where eight bytes are wanted */
    ck_assert(!codec_take_all(out.data, out.len, take, &seen));
    const struct codec_row shorter = {.p = row, .len = 1};
    struct codec_in block;
    ck_assert(!codec_open(&shorter, &block));
}
END_TEST

START_TEST(texts)
{
    static const struct {
        const char *bytes;
        u32 len;
        bool text, printable;
    } rows[] = {{"", 0, true, true},           {"SEVEN77", 7, true, true},
                {"EIGHT888", 8, false, false}, {"A\0B", 3, false, false},
                {"A\n", 2, true, false},       {"\xc3\xa4", 2, true, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct codec_row row = {.p = (const u8 *)rows[i].bytes, .len = rows[i].len};
        char text[8] = "before", line[8] = "before";
        ck_assert_int_eq(codec_get_text(&row, text, sizeof text), rows[i].text);
        ck_assert_int_eq(codec_get_printable(&row, line, sizeof line), rows[i].printable);
        ck_assert_str_eq(text, rows[i].text ? rows[i].bytes : "before");
        ck_assert_str_eq(line, rows[i].printable ? rows[i].bytes : "before");
    }
}
END_TEST

START_TEST(a_taker_refuses)
{
    for (u8 i = 0; i < 4; i++)
        codec_put_u8(&out, BLOCK, i);
    seen.most = 1;
    ck_assert(!codec_take_all(out.data, out.len, take, &seen));
    ck_assert_uint_eq(seen.rows, 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("mem_codec");
    TCase *c = tcase_create("codec");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, there_and_back);
    tcase_add_test(c, cut_anywhere);
    tcase_add_test(c, lengths_that_lie);
    tcase_add_test(c, texts);
    tcase_add_test(c, a_taker_refuses);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
