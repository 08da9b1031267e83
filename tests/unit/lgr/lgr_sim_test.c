/* Relocations in simulated clusters: histories from seeds (tests/lib/lgr_history.h), faults that
 * are planted and have to be found, one relocation hurt at every step. `make sim` runs more.
 * LGR_SIM_RUNS=n how many, LGR_SIM_SEED=n the first, LGR_SIM_VERBOSE=1 with operators' messages.
 * tsan: no, one thread does it all: quarter hours in which there is nothing to race */
#include <malloc.h>

#include "tests/lib/lgr_history.h"

#define RUNS_DEFAULT 2000
#define PLANTED_MAX 200       /* histories until a planted fault has to be found */
#define KEPT_BYTES (32 << 20) /* blocks up to this size are not given back to the host */

static u64 number(const char *name, u64 otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

START_TEST(guests_survive_everything)
{
    struct lgr_history_sum sum = {0};
    u64 first = number("LGR_SIM_SEED", 1), n = number("LGR_SIM_RUNS", RUNS_DEFAULT);
    for (u64 seed = first; seed < first + n; seed++)
        lgr_history_run(seed, PLANT_NOTHING, number("LGR_SIM_VERBOSE", 0), 0, &sum);
    lgr_history_say(&sum);
    ck_assert(n < RUNS_DEFAULT ||
              (sum.resumed > n && sum.code[LGR_CANCELLED] && sum.code[LGR_LINK_LOST] &&
               sum.code[LGR_MAXTOTAL] && sum.code[LGR_MAXQUIESCE] && sum.doubts &&
               sum.code[LGR_INTERNAL] && sum.code[LGR_NOT_ELIGIBLE] &&
               sum.code[LGR_GUEST_GONE] && sum.code[LGR_EXIT_REJECTED] &&
               sum.code[LGR_EXIT_INVALID] && sum.asked && sum.leaves));
}
END_TEST

START_TEST(planted_faults_are_found)
{
    static const struct {
        enum world_plant plant;
        const char *found, *before; /* by that, or, in the next relocation, by this */
    } plants[] = {
        {PLANT_LYING_DISK, "", NULL},       {PLANT_LOST_STORE, "then.storage", NULL},
        {PLANT_NO_QUIESCE, "then", NULL},   {PLANT_NO_UNQUIESCE, "[I2]", "!g->quiesced"},
        {PLANT_BAD_RESTORE, "then.", NULL}, {PLANT_LOST_KEY, "then.", NULL}};
    char fault[256] = "";
    u64 seed = 1;
    while (seed < PLANTED_MAX && lgr_history_holds(seed, plants[_i].plant, fault))
        seed++;
    const char *before = plants[_i].before;
    ck_assert_msg(seed < PLANTED_MAX &&
                      (strstr(fault, plants[_i].found) || (before && strstr(fault, before))),
                  "plant %d: not found, but: %s", (int)plants[_i].plant, fault);
    fprintf(stderr, "plant %d: seed %llu: %s\n", (int)plants[_i].plant,
            (unsigned long long)seed, fault);
}
END_TEST

/* --- one relocation, hurt after every step --- */

enum hurt {
    HURT_NOTHING,
    HURT_SOURCE,
    HURT_DESTINATION,
    HURT_CUT,
    HURT_STALL,
    HURT_CANCEL,
    HURT_RESET,
    HURT_LOGOFF,
    HURT_PDR_BEFORE,
    HURT_PDR_TORN,
    HURT_PDR_AFTER,
    HURT_PDR_DOUBT,
    HURT_PDR_CRASH,
    HURT_PDR_LOCKED,  /* for 2 s: it is waited for */
    HURT_PDR_HELD,    /* for longer than that */
    HURT_LEAVE,       /* the destination leaves */
    HURT_LEAVE_BLIND, /* the same, and the PDR is out of its reach for a while */
    HURT_KINDS
};

static void apply(struct world *w, enum hurt hurt)
{
    struct actor *a = &w->actors[0];
    switch (hurt) {
    case HURT_SOURCE: ssi_sim_crash(w->sim, 0); break;
    case HURT_DESTINATION: ssi_sim_crash(w->sim, 1); break;
    case HURT_CUT: ssi_sim_cut(w->sim, 0, 1); break;
    case HURT_STALL: ssi_sim_stall(w->sim, 0, 1, true); break;
    case HURT_CANCEL: lgr_cancel(a->lgr, users[0], LGR_CANCELLED, "canceled"); break;
    case HURT_RESET: lgr_guest_reset(a->lgr, users[0]); break;
    case HURT_LOGOFF: user_logoff(a, 0); break;
    case HURT_PDR_BEFORE: ssi_sim_pdr_fault(w->sim, SIM_FAULT_BEFORE, 1); break;
    case HURT_PDR_TORN: ssi_sim_pdr_fault(w->sim, SIM_FAULT_TORN, 1); break;
    case HURT_PDR_AFTER: ssi_sim_pdr_fault(w->sim, SIM_FAULT_AFTER, 1); break;
    case HURT_PDR_DOUBT: ssi_sim_pdr_fault(w->sim, SIM_FAULT_DOUBT, 1); break;
    case HURT_PDR_CRASH: ssi_sim_pdr_fault(w->sim, SIM_FAULT_CRASH, 1); break;
    case HURT_PDR_LOCKED: ssi_sim_pdr_hold(w->sim, 2000); break;
    case HURT_PDR_HELD: ssi_sim_pdr_hold(w->sim, 15000); break;
    case HURT_LEAVE_BLIND: ssi_sim_pdr_cut(w->sim, 1, true); break;
    case HURT_LEAVE: actor_leave(&w->actors[1]); break;
    default: break;
    }
    bury_dead(w);
    check_runners(w);
}

static bool busy(struct world *w)
{
    for (unsigned s = 0; s < 2; s++)
        if (w->actors[s].lgr && w->actors[s].lgr->active)
            return true;
    return false;
}

/* Some steps later. */
static void apply_more(struct world *w, enum hurt hurt, unsigned later)
{
    if (hurt == HURT_STALL && later == 1500)
        ssi_sim_stall(w->sim, 0, 1, false);
    if (hurt == HURT_LEAVE_BLIND && later == 40 && w->actors[1].joined)
        actor_leave(&w->actors[1]);
    if (hurt == HURT_LEAVE_BLIND && later == 80)
        ssi_sim_pdr_cut(w->sim, 1, false);
}

/* The destination has left, and has seen the PDR before it did: it knows. */
static void leaver_told(void *ctx)
{
    struct world *w = ctx;
    const struct lgr *lgr = w->actors[1].lgr;
    if (lgr && lgr->history_count)
        w->told = lgr->history[0];
}

static void check_leaver(struct world *w)
{
    const struct lgr *lgr = w->actors[0].lgr;
    CHECK(w, lgr && lgr->history_count == 1);
    CHECK(w, !w->told.id || !strstr(w->told.text, LGR_NOT_KNOWN));
    CHECK(w, !w->told.id ||
                 (w->told.code == LGR_COMPLETED) == (lgr->history[0].code == LGR_COMPLETED));
}

/* Returns the number of steps from the command to the end. */
static unsigned one_move(enum hurt hurt, unsigned after)
{
    struct world *w = world_create(4711, 2);
    struct lgr_options o = {.maxquiesce_ms = 10000};
    unsigned steps = 0;
    w->smooth = true;
    w->last_words = leaver_told;
    w->last_ctx = w;
    for (unsigned i = 0; i < 4; i++) /* exits let it through, and take a while */
        w->actors[i / 2].exit[i % 2] = (struct fake_answer){.active = true, .ms = 30};
    actor_start(&w->actors[0]);
    while (!w->actors[0].joined)
        world_step(w);
    actor_start(&w->actors[1]);
    while (!w->actors[1].joined)
        world_step(w);
    user_logon(&w->actors[0], 0);
    for (unsigned i = 0; i < 200; i++)
        world_step(w);
    CHECK(w, user_move(&w->actors[0], 0, 1, &o) == ST_OK);
    while (busy(w) && steps < 100000) {
        if (steps++ == after)
            apply(w, hurt);
        apply_more(w, hurt, steps - 1 - after);
        world_step(w);
    }
    if (hurt == HURT_PDR_HELD)
        CHECK(w, running(w, 0, 0) || running(w, 1, 0));
    if (hurt == HURT_LEAVE || hurt == HURT_LEAVE_BLIND)
        check_leaver(w);
    if (hurt == HURT_NOTHING || hurt == HURT_PDR_LOCKED)
        CHECK(w, running(w, 1, 0) && w->outcomes[LGR_COMPLETED] == 1);
    world_calm_down(w, 15000);
    world_check_calm(w);
    bool may_lose = hurt == HURT_SOURCE || hurt == HURT_DESTINATION || hurt == HURT_LOGOFF ||
                    hurt == HURT_PDR_CRASH || hurt == HURT_LEAVE || hurt == HURT_LEAVE_BLIND;
    CHECK(w, w->alive[0] || may_lose);
    world_destroy(w);
    return steps;
}

START_TEST(every_step_may_be_the_last)
{
    unsigned steps = one_move(HURT_NOTHING, 0);
    ck_assert(steps > 20 && steps < 2000);
    unsigned stride = steps / 60 + 1;
    for (unsigned after = (unsigned)_i % stride; after < steps + 2; after += stride)
        one_move((enum hurt)_i, after);
}
END_TEST

int main(void)
{
    /* Each of thousands of worlds has the same buffers again: the host's part of them, pages that
     * are mapped, cleared and unmapped, took half of the time. */
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
    Suite *suite = suite_create("lgr_sim");
    TCase *tc = tcase_create("histories");
    tcase_set_timeout(tc, 1800);
    tcase_add_test(tc, guests_survive_everything);
    suite_add_tcase(suite, tc);
    tc = tcase_create("checks");
    tcase_set_timeout(tc, 170);
    tcase_add_loop_test(tc, planted_faults_are_found, 0, 6);
    tcase_add_loop_test(tc, every_step_may_be_the_last, HURT_SOURCE, HURT_KINDS);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
