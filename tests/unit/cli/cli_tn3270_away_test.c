/* What a terminal shows, as it comes from another member: damaged and hostile rows are refused, and
 * whatever is taken can be shown. Run alone: tests/run unit/cli_tn3270_away_test */
#include <check.h>
#include <stdlib.h>

#include "cli/tn3270/tn3270_away_state.h"
#include "cli/tn3270/tn3270_internal.h"

#define ROUNDS 20000

static u32 seed = 1;

static u32 next_random(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* A terminal with a page of a console, two lines typed, MORE... */
static void make(struct codec_out *out)
{
    struct tn3270 *s = calloc(1, sizeof *s);
    struct tn_conn *c = calloc(1, sizeof *c);
    ck_assert(s && c);
    s->config.system = "MEMBERA";
    c->server = s;
    c->mode = TN_DISPLAY; /* without a machine */
    c->size = (struct tn_size){24, 80};
    c->screen.size = c->size;
    c->screen.more = c->screen.drawn = true;
    c->screen.top.line = 7;
    c->screen.end.line = 29;
    memset(c->screen.cells, 0xc1, 22 * 80);
    strcpy(c->screen.status, "MORE...   MEMBERA   ");
    strcpy(c->typed.line[0], "QUERY TIME");
    strcpy(c->typed.line[1], "QUERY NAMES");
    c->typed.count = 2;
    c->typed.back = 1;
    c->away.id = 12;
    c->away.typed = 9;
    c->away.out = 40;
    c->holding = true;
    codec_out_init(out);
    tn_away_save(c, 22, out);
    free(c);
    free(s);
}

/* The row's value: behind its tag and length. */
static bool decode(const u8 *bytes, size_t len, struct tn_away_state *state)
{
    return len > 6 && tn_away_decode(bytes + 6, len - 6, state);
}

START_TEST(comes_back_as_it_was)
{
    struct codec_out out;
    struct tn_away_state s;
    make(&out);
    ck_assert(!out.failed && decode(out.data, out.len, &s));
    ck_assert_str_eq(s.home, "MEMBERA");
    ck_assert_uint_eq(s.id, 12);
    ck_assert_uint_eq(s.done, 9);
    ck_assert_uint_eq(s.out, 40);
    ck_assert(s.holding && s.screen->more && s.screen->drawn && !s.full && !s.breakin);
    ck_assert_uint_eq(s.screen->top.line, 7);
    ck_assert_uint_eq(s.screen->end.line, 29);
    ck_assert_uint_eq(s.screen->cells[22 * 80 - 1], 0xc1);
    ck_assert_str_eq(s.screen->status, "MORE...   MEMBERA   ");
    ck_assert_uint_eq(s.typed->count, 2);
    ck_assert_uint_eq(s.typed->back, 1);
    ck_assert_str_eq(s.typed->line[1], "QUERY NAMES");
    tn_away_fini(&s);
    codec_out_fini(&out);
}
END_TEST

START_TEST(damage_is_refused_or_harmless)
{
    struct codec_out out;
    struct tn_away_state s;
    make(&out);
    u8 *bytes = malloc(out.len);
    ck_assert(bytes != NULL);
    for (unsigned i = 0; i < ROUNDS; i++) {
        size_t len = i % 3 ? out.len : next_random() % out.len;
        memcpy(bytes, out.data, out.len);
        for (unsigned k = 0; k < 1 + i % 4; k++)
            bytes[next_random() % (i % 2 ? 160 : out.len)] = (u8)next_random();
        if (!decode(bytes, len, &s))
            continue;
        ck_assert(*s.home && s.typed->count <= CP_RETRIEVE_LINES_MAX);
        ck_assert(s.dialed || s.screen->size.rows * s.screen->size.cols <= TN_CELLS_MAX);
        tn_away_fini(&s);
    }
    free(bytes);
    codec_out_fini(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_tn3270_away");
    TCase *tc = tcase_create("rows");
    tcase_add_test(tc, comes_back_as_it_was);
    tcase_add_test(tc, damage_is_refused_or_harmless);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
