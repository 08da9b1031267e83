/* Consoles: numbering, partial lines, waits, observers, input, and the move to another member.
 * Run alone: tests/run unit/hyp_console_test */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/console.h"

static struct console *con;
static int wakeups;
static u64 clock_ns;
static char seen[8192];
static int matches;

static u64 wall(void *ctx)
{
    (void)ctx;
    return ++clock_ns;
}

static void wakeup(void *ctx, struct console *c)
{
    (void)ctx;
    (void)c;
    wakeups++;
}

static void setup(void)
{
    const struct console_ports ports = {.wall_ns = wall, .wakeup = wakeup};
    wakeups = matches = 0;
    clock_ns = 1000;
    seen[0] = 0;
    con = console_create(&ports);
}

static void teardown(void)
{
    console_destroy(con);
}

static void put(const char *text)
{
    console_write(con, text, strlen(text));
}

static void on_match(void *ctx, const struct console_line *line)
{
    (void)ctx;
    matches += line ? 1 : 100;
    if (line)
        snprintf(seen, sizeof seen, "%llu%s%s", (unsigned long long)line->number,
                 line->partial ? "~" : ":", line->text);
}

static void on_text(void *ctx, const char *text, size_t len)
{
    (void)ctx;
    if (!len)
        strcat(seen, "<gone>");
    else
        strncat(seen, text, len);
}

START_TEST(lines_are_numbered)
{
    struct console_line l;
    u64 cursor = 0;
    put("one\r\ntwo\npar");
    put("tial");
    ck_assert_uint_eq(console_next_number(con), 3);
    ck_assert(console_read(con, &cursor, &l));
    ck_assert_uint_eq(l.number, 1);
    ck_assert_str_eq(l.text, "one");
    u64 first = l.wall_ns;
    ck_assert(console_read(con, &cursor, &l));
    ck_assert_str_eq(l.text, "two");
    ck_assert(l.wall_ns > first);
    ck_assert(!console_read(con, &cursor, &l));
    ck_assert(console_partial(con, &l));
    ck_assert_str_eq(l.text, "partial");
    console_write_line(con, "CP says");
    ck_assert(console_read(con, &cursor, &l));
    ck_assert_str_eq(l.text, "partial");
    ck_assert(console_read(con, &cursor, &l));
    ck_assert_str_eq(l.text, "CP says");
    ck_assert(!console_partial(con, &l));
    ck_assert_int_eq(wakeups, 1); /* one until the next poll */
}
END_TEST

START_TEST(ring_forgets_the_oldest)
{
    struct console_line l;
    char text[32];
    for (int i = 1; i <= CONSOLE_LINES_MAX + 10; i++) {
        snprintf(text, sizeof text, "line %d\n", i);
        put(text);
    }
    u64 cursor = 0;
    ck_assert_uint_eq(console_first_number(con), 11);
    ck_assert(console_read(con, &cursor, &l));
    ck_assert_uint_eq(l.number, 11);
    ck_assert_str_eq(l.text, "line 11");
}
END_TEST

START_TEST(long_lines_break_between_characters)
{
    struct console_line l;
    u64 cursor = 0;
    char text[CONSOLE_LINE_BYTES_MAX + 2];
    memset(text, 'x', sizeof text);
    console_write(con, text, CONSOLE_LINE_BYTES_MAX - 1);
    put("\xc3\xa4"
        "end\n");
    ck_assert(console_read(con, &cursor, &l));
    ck_assert_uint_eq(l.len, CONSOLE_LINE_BYTES_MAX - 1);
    ck_assert(console_read(con, &cursor, &l));
    ck_assert_str_eq(l.text, "\xc3\xa4"
                             "end");
}
END_TEST

START_TEST(wait_matches_lines_and_prompts)
{
    u64 id;
    struct cause cause;
    put("booting\n");
    ck_assert_int_eq(console_wait_start(con, "^guest# $", console_next_number(con), on_match,
                                        NULL, &id, &cause),
                     ST_OK);
    ck_assert(id != 0);
    put("gues");
    console_poll(con);
    ck_assert_int_eq(matches, 0);
    put("t# ");
    console_poll(con);
    ck_assert_int_eq(matches, 1);
    ck_assert_str_eq(seen, "2~guest# ");
    put("\n");
    console_poll(con);
    ck_assert_int_eq(matches, 1);
    /* since the start: at once */
    ck_assert_int_eq(console_wait_start(con, "boot(ing|ed)", 0, on_match, NULL, &id, &cause),
                     0);
    ck_assert_uint_eq(id, 0);
    ck_assert_str_eq(seen, "1:booting");
    /* only new ones */
    ck_assert_int_eq(
        console_wait_start(con, "boot", console_next_number(con), on_match, NULL, &id, &cause),
        0);
    console_poll(con);
    ck_assert_int_eq(matches, 2);
    console_wait_cancel(con, id);
    put("boot\n");
    console_poll(con);
    ck_assert_int_eq(matches, 2);
    ck_assert_int_eq(console_wait_start(con, "(", 0, on_match, NULL, &id, &cause), ST_INVAL);
}
END_TEST

START_TEST(wait_ends_with_the_console)
{
    const struct console_ports ports = {.wall_ns = wall};
    struct console *c = console_create(&ports);
    console_wait_start(c, "never", 0, on_match, NULL, NULL, NULL);
    ck_assert(console_observe(c, 0, on_text, NULL) != 0);
    console_destroy(c);
    ck_assert_int_eq(matches, 100);
    ck_assert_str_eq(seen, "<gone>");
}
END_TEST

START_TEST(observer_gets_every_byte_once)
{
    put("a\nb");
    u64 id = console_observe(con, 0, on_text, NULL);
    ck_assert(console_attached(con));
    console_poll(con);
    put("c");
    console_poll(con);
    put("d\ne\n");
    console_poll(con);
    console_poll(con);
    put("f\n");
    console_unobserve(con, id);
    console_poll(con);
    ck_assert_str_eq(seen, "a\nbcd\ne\n");
    ck_assert(!console_attached(con));
}
END_TEST

START_TEST(input_is_queued_and_echoed)
{
    char text[16];
    struct console_line l;
    u64 cursor = 0;
    put("guest# ");
    ck_assert_int_eq(console_input_put(con, "ls -l", 5), ST_OK);
    ck_assert(console_read(con, &cursor, &l));
    ck_assert_str_eq(l.text, "guest# ls -l");
    console_set_echo(con, false);
    for (int i = 1; i < CONSOLE_INPUTS_MAX; i++)
        ck_assert_int_eq(console_input_put(con, "x", 1), ST_OK);
    ck_assert_int_eq(console_input_put(con, "y", 1), ST_LIMIT);
    ck_assert_int_eq(console_input_take(con, text, sizeof text), 5);
    ck_assert_str_eq(text, "ls -l");
    ck_assert_uint_eq(console_input_count(con), CONSOLE_INPUTS_MAX - 1);
    ck_assert(!console_read(con, &cursor, &l));
}
END_TEST

START_TEST(history_moves_with_the_guest)
{
    struct codec_out out;
    struct codec_in in;
    struct console_line l;
    struct cause cause;
    u64 cursor = 0;
    const struct console_ports ports = {.wall_ns = wall};
    struct console *there = console_create(&ports);
    for (int i = 0; i < CONSOLE_LINES_MAX + 5; i++)
        put("old\n");
    put("last\nguest# ");
    console_set_echo(con, false);
    console_input_put(con, "typed", 5);
    codec_out_init(&out);
    console_save(con, &out);
    codec_in_init(&in, out.data, out.len);
    console_write(there, "to be replaced\n", 15);
    ck_assert_int_eq(console_restore(there, &in, &cause), ST_OK);
    ck_assert_uint_eq(console_next_number(there), console_next_number(con));
    ck_assert_uint_eq(console_first_number(there), console_first_number(con));
    cursor = CONSOLE_LINES_MAX + 6;
    ck_assert(console_read(there, &cursor, &l));
    ck_assert_str_eq(l.text, "last");
    ck_assert(console_partial(there, &l));
    ck_assert_str_eq(l.text, "guest# ");
    ck_assert_uint_eq(console_input_count(there), 1);
    console_write(there, "x\n", 2);
    ck_assert(console_read(there, &cursor, &l));
    ck_assert_str_eq(l.text, "guest# x");
    /* damaged anywhere: refused, or accepted as something well-formed; never a crash */
    for (size_t cut = 1; cut < 200; cut++) {
        codec_in_init(&in, out.data, out.len - cut);
        console_restore(there, &in, &cause);
    }
    out.data[4] ^= 0xff;
    codec_in_init(&in, out.data, out.len);
    ck_assert_int_eq(console_restore(there, &in, &cause), ST_PROTO);
    codec_out_fini(&out);
    console_destroy(there);
}
END_TEST

static void *writer(void *arg)
{
    for (int i = 0; i < 2000; i++)
        console_write(con, arg, strlen(arg));
    return NULL;
}

START_TEST(threads_write_whole_lines)
{
    pthread_t a, b;
    struct console_line l;
    u64 cursor = 0, n = 0;
    char one[] = "aaaa\n", two[] = "bb\n";
    pthread_create(&a, NULL, writer, one);
    pthread_create(&b, NULL, writer, two);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    for (; console_read(con, &cursor, &l); n++)
        ck_assert(!strcmp(l.text, "aaaa") || !strcmp(l.text, "bb"));
    ck_assert_uint_eq(n, 4000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hyp_console");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, lines_are_numbered);
    tcase_add_test(t, ring_forgets_the_oldest);
    tcase_add_test(t, long_lines_break_between_characters);
    tcase_add_test(t, wait_matches_lines_and_prompts);
    tcase_add_test(t, wait_ends_with_the_console);
    tcase_add_test(t, observer_gets_every_byte_once);
    tcase_add_test(t, input_is_queued_and_echoed);
    tcase_add_test(t, history_moves_with_the_guest);
    tcase_add_test(t, threads_write_whole_lines);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
