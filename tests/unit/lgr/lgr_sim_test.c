/* Relocations in simulated clusters: chaos from a seed, and one relocation hurt at every step.
 * Replay: LGR_SIM_SEED=n (one seed), LGR_SIM_RUNS=n (how many), LGR_SIM_VERBOSE=1.
 * tsan: no, one thread does it all: quarter hours in which there is nothing to race */
#include "tests/lib/lgr_world.h"

#define CHAOS_MS 60000
#define CALM_MS 40000
#define RUNS_DEFAULT 4

static void act(struct world *w)
{
    struct actor *a = &w->actors[pick(w, w->n)];
    unsigned u = (unsigned)pick(w, USERS);
    struct lgr_options o = {.immediate = pick(w, 4) == 0,
                            .maxtotal_s = (u32)(pick(w, 3) ? 0 : 1 + pick(w, 3)),
                            .maxquiesce_s = (u32)(pick(w, 3) ? 10 : 1)};
    if (!ssi_sim_member(w->sim, a->slot)) {
        if (pick(w, 5) == 0)
            actor_start(a);
        return;
    }
    if (!a->joined)
        return;
    switch (pick(w, 24)) {
    case 0 ... 5: user_logon(a, u); break;
    case 6 ... 17: user_move(a, u, (unsigned)pick(w, w->n), &o); break;
    case 18: lgr_cancel(a->lgr, users[u], LGR_CANCELLED, "canceled"); break;
    case 19: lgr_modify(a->lgr, users[u], LGR_NOLIMIT, 1 + (u32)pick(w, 5)); break;
    case 20: lgr_guest_reset(a->lgr, users[u]); break;
    case 21:
        if (pick(w, 4) == 0)
            user_logoff(a, u);
        break;
    default: break;
    }
}

static void calamity(struct world *w)
{
    unsigned a = (unsigned)pick(w, w->n), b = (unsigned)pick(w, w->n);
    switch (pick(w, 100)) {
    case 0: ssi_sim_crash(w->sim, a); break;
    case 1 ... 2:
        if (a != b)
            ssi_sim_cut(w->sim, a, b);
        break;
    case 3:
        if (a != b)
            ssi_sim_stall(w->sim, a, b, true);
        break;
    case 4 ... 8: ssi_sim_stall(w->sim, a, b, false); break;
    case 9 ... 12:
        ssi_sim_pdr_fault(w->sim, (enum ssi_sim_fault)(1 + pick(w, 5)),
                          1 + (unsigned)pick(w, 2));
        break;
    default: break;
    }
}

static void chaos(u64 seed, struct world *sum)
{
    struct world *w = world_create(seed, 2 + (unsigned)(seed % (MEMBERS_MAX - 1)));
    while (ssi_sim_now_ms(w->sim) < CHAOS_MS) {
        world_step(w);
        if (ssi_sim_now_ms(w->sim) < w->next_op_ms)
            continue;
        w->next_op_ms = ssi_sim_now_ms(w->sim) + pick(w, 60);
        act(w);
        bury_dead(w);
        calamity(w);
        bury_dead(w);
        check_runners(w);
    }
    world_calm_down(w, CALM_MS);
    world_check_calm(w);
    for (unsigned i = 0; i < ARRAY_LEN(sum->outcomes); i++)
        sum->outcomes[i] += w->outcomes[i];
    sum->moves += w->moves;
    sum->crashes += w->crashes;
    sum->resumed += w->resumed;
    world_destroy(w);
}

START_TEST(guests_survive_chaos)
{
    struct world sum = {0};
    const char *one = getenv("LGR_SIM_SEED"), *runs = getenv("LGR_SIM_RUNS");
    u64 first = one ? strtoull(one, NULL, 0) : 1;
    u64 n = one ? 1 : runs ? strtoull(runs, NULL, 0) : RUNS_DEFAULT;
    for (u64 seed = first; seed < first + n; seed++)
        chaos(seed, &sum);
    fprintf(stderr, "%llu runs: %u moves, %u resumed, %u crashes; ended with",
            (unsigned long long)n, sum.moves, sum.resumed, sum.crashes);
    for (unsigned i = 0; i < 9; i++)
        fprintf(stderr, " %02u:%u", i, sum.outcomes[i]);
    fprintf(stderr, "\n");
    ck_assert(one || (sum.outcomes[LGR_COMPLETED] > n && sum.outcomes[LGR_CANCELLED] &&
                      sum.outcomes[LGR_LINK_LOST] && sum.outcomes[LGR_INTERNAL] &&
                      sum.outcomes[LGR_NOT_ELIGIBLE] && sum.outcomes[LGR_GUEST_GONE]));
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

/* Returns the number of steps from the command to the end. */
static unsigned one_move(enum hurt hurt, unsigned after)
{
    struct world *w = world_create(4711, 2);
    struct lgr_options o = {.maxquiesce_s = 10};
    unsigned steps = 0;
    w->smooth = true;
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
        if (hurt == HURT_STALL && steps == after + 1500)
            ssi_sim_stall(w->sim, 0, 1, false);
        world_step(w);
    }
    if (hurt == HURT_NOTHING)
        CHECK(w, running(w, 1, 0) && w->outcomes[LGR_COMPLETED] == 1);
    world_calm_down(w, 15000);
    world_check_calm(w);
    bool may_lose = hurt == HURT_SOURCE || hurt == HURT_DESTINATION || hurt == HURT_LOGOFF ||
                    hurt == HURT_PDR_CRASH;
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
    Suite *suite = suite_create("lgr_sim");
    TCase *tc = tcase_create("sim");
    tcase_set_timeout(tc, 170);
    tcase_add_test(tc, guests_survive_chaos);
    tcase_add_loop_test(tc, every_step_may_be_the_last, HURT_SOURCE, HURT_KINDS);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
