/* Guests that compute beside a relocation: when they are spared, and what that does to it.
 * Members and guests as in tests/lib/lgr_world.h.
 * Run alone: tests/run unit/lgr_spare_test */
#include "tests/lib/lgr_world.h"

/* --- who is in whose way --- */

static const struct {
    const char *what;
    struct lgr_crowd here, there;
    bool one_host, crowded;
} crowds[] = {
    {"nobody computes", {0, 0, 2}, {0, 0, 2}, true, false},
    {"only the guest that moves", {0, 4, 2}, {0, 0, 2}, true, false},
    {"one, two processors, both sides here", {1, 0, 2}, {0, 0, 2}, true, true},
    {"the same, and it is there", {0, 0, 2}, {1, 0, 2}, true, true},
    {"one, three processors", {1, 0, 3}, {0, 0, 3}, true, false},
    {"one and the guest itself", {1, 1, 3}, {0, 0, 3}, true, true},
    {"one here, two processors, another host", {1, 0, 2}, {0, 0, 2}, false, false},
    {"two here", {2, 0, 2}, {0, 0, 2}, false, true},
    {"two there", {0, 0, 2}, {2, 0, 2}, false, true},
    {"there they have more processors", {0, 0, 2}, {2, 0, 8}, false, false},
    {"a release that tells nothing", {0, 0, 2}, {0, 0, 0}, false, false},
};

START_TEST(who_is_in_whose_way)
{
    ck_assert_msg(lgr_crowded(&crowds[_i].here, &crowds[_i].there, crowds[_i].one_host) ==
                      crowds[_i].crowded,
                  "%s", crowds[_i].what);
}
END_TEST

/* --- relocations --- */

#define STEP_NS 100000 /* every look at the processor's clock takes so much of it */

static struct world *crowded_members(unsigned busy)
{
    struct world *w = two_members(0, 4 * GUEST_BYTES);
    w->crowd[0] = (struct lgr_crowd){2, 0, 2};
    w->crowd[1] = (struct lgr_crowd){0, 0, 2};
    w->cpu_step_ns = STEP_NS;
    w->store_bytes = 4 * GUEST_BYTES; /* all of it is there */
    w->busy = 200;
    for (unsigned i = 0; i < 300; i++)
        world_step(w);
    w->busy = busy;
    return w;
}

static struct lgr_view move(struct world *w, const struct lgr_options *o)
{
    struct lgr_view v;
    CHECK(w, user_move(&w->actors[0], 0, 1, o) == ST_OK);
    while (w->actors[0].lgr->active)
        world_step(w);
    CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &v));
    ck_assert_msg(v.code == LGR_COMPLETED, "%s", v.text);
    CHECK(w, running(w, 1, 0));
    world_destroy(w);
    return v;
}

static u64 spared(const struct lgr_view *v)
{
    u64 ns = 0;
    for (unsigned i = 0; i < v->pass_count; i++)
        ns += v->passes[i].spared_ns;
    return ns;
}

static const struct lgr_options patient = {.maxquiesce_ms = 10000, .maxtotal_ms = LGR_NOLIMIT};

START_TEST(a_pass_waits_for_those_who_compute)
{
    struct lgr_view v = move(crowded_members(0), &patient);
    ck_assert_msg(spared(&v) > 5000000, "only %llu ns", (unsigned long long)spared(&v));
    for (unsigned i = 0; i < v.pass_count; i++)
        ck_assert(v.passes[i].spared_ns <= v.passes[i].ns &&
                  (!v.passes[i].quiesced || !v.passes[i].spared_ns));
}
END_TEST

/* Nobody there, SET RELOCATION SPARE OFF, no clock, IMMEDIATE, little of MAXTOTAL. */
START_TEST(others_are_not_waited_for)
{
    struct world *w = crowded_members(0);
    struct lgr_options o = patient;
    if (_i == 0)
        w->crowd[0].others = 0;
    if (_i == 1)
        w->actors[0].lgr->spare = false;
    if (_i == 2)
        w->actors[0].ports.cpu_ns = NULL;
    o.immediate = _i == 3;
    if (_i == 4)
        o.maxtotal_ms = 1;
    struct lgr_view v;
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    while (w->actors[0].lgr->active)
        world_step(w);
    CHECK(w, lgr_core_status(w->actors[0].lgr, 0, &v));
    ck_assert_msg(!spared(&v), "%d: %llu ns", _i, (unsigned long long)spared(&v));
    world_destroy(w);
}
END_TEST

/* What the destination tells counts as well. */
START_TEST(those_at_the_destination_are_spared)
{
    struct world *w = crowded_members(0);
    w->crowd[1] = w->crowd[0];
    w->crowd[0].others = 0;
    struct lgr_view v = move(w, &patient);
    ck_assert(spared(&v));
}
END_TEST

/* A guest that dirties all of it while a pass waits: the next one waits no more, and only when that
 * is in vain, too, the guest is governed. */
START_TEST(a_pass_that_waited_in_vain_is_not_repeated)
{
    struct lgr_view v = move(crowded_members(40), &patient);
    ck_assert(v.passes[0].spared_ns && v.pass_count > 2);
    ck_assert(!v.passes[1].governed && !v.passes[1].spared_ns);
    for (unsigned i = 1; i < v.pass_count; i++)
        ck_assert(!v.passes[i].spared_ns);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lgr_spare");
    TCase *tc = tcase_create("all");
    tcase_add_loop_test(tc, who_is_in_whose_way, 0, ARRAY_LEN(crowds));
    tcase_add_test(tc, a_pass_waits_for_those_who_compute);
    tcase_add_loop_test(tc, others_are_not_waited_for, 0, 5);
    tcase_add_test(tc, those_at_the_destination_are_spared);
    tcase_add_test(tc, a_pass_that_waited_in_vain_is_not_repeated);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
