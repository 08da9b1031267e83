/* The planner: tables of what it is told and what it decides, and whole relocations of modelled
 * guests through it. No guests, no cluster.
 * Run alone: tests/run unit/lgr_plan_test */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <check.h>
#include <stdlib.h>

#include "lgr/lgr_internal.h"

#define GB_S 4096.0 /* ns per frame: 1 GB a second */
#define MB_100_S 40960.0
#define SECOND 1000000000ull

/* Two passes of a guest that dirties 64 MB (16384 frames) again and again. */
static const struct lgr_plan writer = {.passes_done = 2,
                                       .remaining = 16384,
                                       .previous = 16384,
                                       .ns_per_frame = GB_S,
                                       .fixed_ns = 1000000,
                                       .total_left_ns = ~0ull,
                                       .maxquiesce_ms = 10000};

static const struct row {
    const char *what;
    enum lgr_decision decision;
    struct lgr_plan p; /* 0: as of `writer` */
} rows[] = {
    {"nothing is left", LGR_QUIESCE_NOW, {.remaining = 1}},
    {"2 ms are left", LGR_QUIESCE_NOW, {.remaining = 480}},
    {"a little more is left", LGR_ANOTHER_PASS, {.remaining = 500}},
    {"it is left on a fast link", LGR_QUIESCE_NOW, {.remaining = 4000, .ns_per_frame = 400}},
    {"a third is left", LGR_ANOTHER_PASS, {.remaining = 4900}},
    {"more than a third is left", LGR_GOVERN_PASS, {.remaining = 4950}},
    {"all is dirty again", LGR_GOVERN_PASS, {.passes_done = 1}},
    {"all is dirty after a pass that spared others",
     LGR_ANOTHER_PASS,
     {.passes_done = 1, .in_vain = true}},
    {"governed once is governed on", LGR_GOVERN_PASS, {.governed = 1, .remaining = 1000}},
    {"governed, little is left", LGR_QUIESCE_NOW, {.governed = 2, .remaining = 400}},
    {"governed in vain, and it fits", LGR_QUIESCE_NOW, {.governed = 3}},
    {"governed in vain, and does not fit",
     LGR_OVER_MAXQUIESCE,
     {.governed = 3, .maxquiesce_ms = 60}},
    {"governed three times, it shrinks", LGR_GOVERN_PASS, {.governed = 3, .remaining = 14000}},
    {"the last pass, and it fits", LGR_QUIESCE_NOW, {.passes_done = 20}},
    {"the last pass, and does not fit",
     LGR_OVER_MAXQUIESCE,
     {.passes_done = 20, .maxquiesce_ms = 60}},
    {"the last pass, MAXTOTAL is near",
     LGR_OVER_MAXTOTAL,
     {.passes_done = 20, .total_left_ns = SECOND / 20}},
    {"governed for long, and it fits",
     LGR_QUIESCE_NOW,
     {.governed = 2, .governed_ns = 11 * SECOND, .remaining = 9000}},
    {"governed for long, without a margin",
     LGR_GOVERN_PASS,
     {.governed = 2, .governed_ns = 11 * SECOND, .remaining = 9000, .maxquiesce_ms = 40}},
    {"MAXTOTAL has time for one more quiesce", LGR_QUIESCE_NOW, {.total_left_ns = SECOND / 10}},
    {"MAXTOTAL has time for two", LGR_GOVERN_PASS, {.total_left_ns = SECOND / 5}},
    {"MAXTOTAL has time for none", LGR_GOVERN_PASS, {.total_left_ns = SECOND / 20}},
    {"little is left, but more than MAXQUIESCE",
     LGR_GOVERN_PASS,
     {.remaining = 400, .previous = 410, .maxquiesce_ms = 2}},
    {"IMMEDIATE", LGR_QUIESCE_NOW, {.passes_done = 1, .immediate = true}},
    {"IMMEDIATE and MAXQUIESCE",
     LGR_OVER_MAXQUIESCE,
     {.passes_done = 1, .immediate = true, .maxquiesce_ms = 50}},
    {"nothing is measured", LGR_GOVERN_PASS, {.passes_done = 1, .ns_per_frame = -1}},
};

#define OR(a, b) ((a) ? (a) : (b))

static struct lgr_plan plan_of(const struct lgr_plan *p)
{
    struct lgr_plan full = *p;
    full.passes_done = OR(p->passes_done, writer.passes_done);
    full.remaining = OR(p->remaining, writer.remaining);
    full.previous = OR(p->previous, writer.previous);
    full.ns_per_frame = p->ns_per_frame < 0 ? 0 : OR(p->ns_per_frame, writer.ns_per_frame);
    full.fixed_ns = OR(p->fixed_ns, writer.fixed_ns);
    full.total_left_ns = OR(p->total_left_ns, writer.total_left_ns);
    full.maxquiesce_ms = OR(p->maxquiesce_ms, writer.maxquiesce_ms);
    return full;
}

START_TEST(decides_by_the_table)
{
    const struct lgr_plan p = plan_of(&rows[_i].p);
    ck_assert_msg(lgr_decide(&p) == rows[_i].decision, "%s: decides %d, not %d", rows[_i].what,
                  lgr_decide(&p), rows[_i].decision);
}
END_TEST

/* NOLIMIT is no limit. */
START_TEST(without_limits_it_never_gives_up)
{
    struct lgr_plan p = writer;
    p.maxquiesce_ms = LGR_NOLIMIT;
    p.ns_per_frame = 1e9;
    p.passes_done = 20;
    ck_assert_int_eq(lgr_decide(&p), LGR_QUIESCE_NOW);
    p.passes_done = 1;
    p.immediate = true;
    ck_assert_int_eq(lgr_decide(&p), LGR_QUIESCE_NOW);
}
END_TEST

/* --- whole relocations --- */

/** A guest that rewrites `hot` frames at `frames_s` first stores a second, over a link. */
struct model {
    u64 touched, hot;
    double frames_s, ns_per_frame;
    u64 maxquiesce_ms;
};

struct result {
    enum lgr_decision end;
    unsigned passes;
    double total_ms, governed_ms, quiesce_ms;
};

static u64 dirtied_in(const struct model *m, double ns, bool governed, u64 sent)
{
    double stores = m->frames_s * ns / 1e9;
    u64 n = stores < (double)m->hot ? (u64)stores : m->hot;
    return governed && n > lgr_plan_tokens(sent) ? lgr_plan_tokens(sent) : n;
}

static struct result relocate(const struct model *m)
{
    struct result r = {.passes = 0};
    struct lgr_plan p = {.total_left_ns = ~0ull,
                         .maxquiesce_ms = m->maxquiesce_ms,
                         .ns_per_frame = m->ns_per_frame,
                         .previous = m->touched};
    bool governed = false;
    for (;;) {
        double ns = (double)p.previous * m->ns_per_frame + 3e5; /* and the answer */
        p.remaining = dirtied_in(m, ns, governed, p.previous);
        p.passes_done = ++r.passes;
        p.governed += governed;
        r.total_ms += ns / 1e6;
        r.governed_ms += governed ? ns / 1e6 : 0;
        p.governed_ns = (u64)(r.governed_ms * 1e6);
        r.end = lgr_decide(&p);
        if (r.end > LGR_GOVERN_PASS)
            break;
        governed = r.end == LGR_GOVERN_PASS;
        p.previous = p.remaining;
    }
    r.quiesce_ms = lgr_plan_quiesce_ns(&p) / 1e6;
    r.total_ms += r.quiesce_ms;
    return r;
}

static const struct whole {
    const char *what;
    struct model m;
    unsigned passes_max;
    double total_ms, governed_ms, quiesce_ms; /* at most */
} wholes[] = {
    {"idle", {15000, 300, 3000, GB_S, 10000}, 1, 80, 0, 4},
    {"64 MB at full speed", {36000, 16384, 1e7, GB_S, 10000}, 6, 400, 250, 5},
    {"64 MB, no limits", {36000, 16384, 1e7, GB_S, LGR_NOLIMIT}, 6, 400, 250, 5},
    {"256 MB at full speed", {90000, 65536, 1e7, GB_S, 10000}, 7, 3000, 1000, 5},
    {"all of 4 TB at full speed",
     {1ull << 30, 1ull << 30, 1e12, GB_S, 10000},
     20,
     1e8,
     1e8,
     6000},
    {"a moderate writer", {60000, 30000, 50000, GB_S, 10000}, 4, 400, 0, 5},
    {"64 MB over 10 MB a second", {36000, 16384, 1e7, 409600, 1000}, 14, 60000, 40000, 900},
};

START_TEST(always_converges)
{
    const struct whole *w = &wholes[_i];
    struct result r = relocate(&w->m);
    ck_assert_msg(r.end == LGR_QUIESCE_NOW && r.passes <= w->passes_max &&
                      r.total_ms <= w->total_ms && r.governed_ms <= w->governed_ms &&
                      r.quiesce_ms <= w->quiesce_ms,
                  "%s: ends %d after %u passes, %.1f ms, governed for %.1f, still for %.1f",
                  w->what, r.end, r.passes, r.total_ms, r.governed_ms, r.quiesce_ms);
}
END_TEST

/* --- what it learns --- */

START_TEST(learns_what_a_frame_takes)
{
    struct lgr_pass p = {.pages = 1000, .ns = 8000000};
    ck_assert_double_eq(lgr_plan_pace(0, &p), 8000);
    ck_assert_double_eq(lgr_plan_pace(4000, &p), 6000);
    p.pages = 100; /* too few to tell */
    ck_assert_double_eq(lgr_plan_pace(4000, &p), 4000);
    p.zeros = 16 * 900;
    ck_assert_double_eq(lgr_plan_pace(0, &p), 8000);
}
END_TEST

START_TEST(learns_what_a_quiesce_costs)
{
    struct lgr_view v = {.quiesce_ns = 5000000, .pass_count = 3};
    v.passes[1] = (struct lgr_pass){.quiesced = true, .pages = 500};
    v.passes[2] = (struct lgr_pass){.quiesced = true, .pages = 100};
    ck_assert_uint_eq(lgr_plan_fixed_ns(0, &v, 5000), 2000000);
    ck_assert_uint_eq(lgr_plan_fixed_ns(4000000, &v, 5000), 3000000);
    ck_assert_uint_eq(lgr_plan_fixed_ns(0, &v, 50000), 200000); /* not less */
    v.quiesce_ns = 60 * SECOND;
    ck_assert_uint_eq(lgr_plan_fixed_ns(0, &v, 5000), SECOND); /* something else was wrong */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lgr_plan");
    TCase *tc = tcase_create("plan");
    tcase_add_loop_test(tc, decides_by_the_table, 0, ARRAY_LEN(rows));
    tcase_add_test(tc, without_limits_it_never_gives_up);
    tcase_add_loop_test(tc, always_converges, 0, ARRAY_LEN(wholes));
    tcase_add_test(tc, learns_what_a_frame_takes);
    tcase_add_test(tc, learns_what_a_quiesce_costs);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
