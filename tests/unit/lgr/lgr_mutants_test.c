/* The hand-over with one of its rules broken: each such mutant is found by the histories of
 * tests/lib/lgr_history.h within MUTANT_MAX of them. lgr/lgr_handover.c and lgr_exit.c are compiled
 * here once more, what they call going through the functions below, which one mutant at a time
 * spoils.
 * tsan: no, one thread does it all */
#include "tests/lib/lgr_history.h"

#define MUTANT_MAX 200 /* histories until one has to be found */

enum mutant {
    FAITHFUL,
    KEEPS_WHAT_MOVED,    /* the source goes on although the PDR has given the guest away */
    DOUBT_IS_NO,         /* a write in doubt counts as "not moved" */
    DOUBT_IS_YES,        /* and as "moved" */
    NEVER_WRITES,        /* the source believes that it has moved the claim, and never tried */
    WRITES_TWICE,        /* it writes once more, and goes by that answer */
    RUNS_UNASKED,        /* the destination runs as soon as it is asked to look */
    UNREADABLE_IS_KEPT,  /* it takes a PDR that cannot be read for "the source has kept it" */
    READY_GIVES_UP,      /* it discards while the source may still give it the guest */
    DOUBT_READS_AS_MINE, /* the source in doubt takes a PDR that cannot be read for "mine" */
    DOUBT_READS_AS_GONE, /* and for "nobody's" */
    STAYS_QUIESCED,      /* the source keeps the guest, and does not let it go on */
    LINK_ENDS_DOUBT,     /* a lost link ends what only the PDR may end */
    NEVER_ASKS,          /* the destination does not ask when the link is back */
    DEAF_TO_EXITS,       /* whatever a CP exit answers is "go on" */
    HASTY_EXITS,         /* nobody waits for the answer */
    LEFT_IS_NOT_MINE,    /* a member that leaves does not look at what it was given */
    LOCKED_IS_MOVED,     /* the source takes a PDR that is locked for written */
    MUTANTS
};

static enum mutant mutant;

static bool of_destination(const char *function)
{
    return !strncmp(function, "dest", 4);
}

static int spoilt_move(struct ssi *ssi, u16 kind, const char *name, u64 expected,
                       const char *to, u64 *generation, struct cause *cause)
{
    if (mutant == NEVER_WRITES) {
        *generation = expected + 1000;
        return ST_OK;
    }
    if (mutant == WRITES_TWICE) {
        char owner[SSI_NAME_BYTES];
        ssi_claim_find(ssi, kind, name, owner, &expected);
        ssi_move_claim(ssi, kind, name, expected, to, generation, cause);
    }
    int rc = ssi_move_claim(ssi, kind, name, expected, to, generation, cause);
    if (mutant == KEEPS_WHAT_MOVED && rc == ST_OK)
        return cause_set(cause, ST_IO, "as if it had not");
    if (mutant == LOCKED_IS_MOVED && rc == ST_BUSY)
        return ST_OK;
    if (mutant == DOUBT_IS_NO && rc == ST_LOST)
        return ST_IO;
    if (mutant == DOUBT_IS_YES && rc == ST_LOST)
        return ST_OK;
    return rc;
}

static int spoilt_find(const char *function, struct ssi *ssi, u16 kind, const char *name,
                       char owner[SSI_NAME_BYTES], u64 *generation)
{
    int rc = ssi_claim_find(ssi, kind, name, owner, generation);
    bool unreadable = rc != ST_OK && rc != ST_NOENT, dest = of_destination(function);
    bool mine = !strcmp(owner, ssi_member_name(ssi));
    if ((dest && mutant == RUNS_UNASKED && !mine) ||
        (!dest && mutant == DOUBT_READS_AS_MINE && unreadable)) {
        snprintf(owner, SSI_NAME_BYTES, "%s", ssi_member_name(ssi));
        *generation += 1000;
        return ST_OK;
    }
    if ((dest && mutant == UNREADABLE_IS_KEPT && unreadable) ||
        (!dest && mutant == DOUBT_READS_AS_GONE && unreadable) ||
        (dest && mutant == READY_GIVES_UP && !mine))
        return ST_NOENT;
    return rc;
}

static void spoilt_stay(struct rlobk *r)
{
    if (mutant == STAYS_QUIESCED)
        r->quiesced = false;
}

static bool spoilt_may_cancel(const struct rlobk *r)
{
    return rlo_may_cancel(r) || (mutant == LINK_ENDS_DOUBT && r->state == RLO_S_DOUBT);
}

static int spoilt_send(struct rlobk *r, u16 type, const struct lgr_values *v)
{
    return mutant == NEVER_ASKS && type == LGR_MSG_ASK ? ST_OK : rlo_send(r, type, v);
}

static void spoilt_event(struct rlobk *r, u16 event, const struct lgr_values *v, const u8 *data,
                         size_t len)
{
    struct lgr_values heard = *v;
    if (mutant == DEAF_TO_EXITS)
        heard.code = LGR_COMPLETED;
    if (mutant != HASTY_EXITS)
        rlo_event(r, event, &heard, data, len);
}

/* The answer comes when it is too late. */
static void spoilt_go(struct rlobk *r, enum rlo_state state)
{
    rlo_go(r, state);
    if (mutant == HASTY_EXITS && state == RLO_D_EXIT)
        dest_ready(r);
    else if (mutant == HASTY_EXITS)
        rlo_timer(r, TIMER_REPLY, LGR_REPLY_MS);
}

bool faithful_settle_all(struct lgr *lgr);

bool dest_settle_all(struct lgr *lgr)
{
    if (mutant != LEFT_IS_NOT_MINE)
        return faithful_settle_all(lgr);
    return lgr->leaving = lgr->settled = true;
}

#define dest_settle_all faithful_settle_all
#define ssi_move_claim spoilt_move
#define ssi_claim_find(...) spoilt_find(__func__, __VA_ARGS__)
#define source_stay(r, ...) (spoilt_stay(r), source_stay(r, __VA_ARGS__))
#define rlo_may_cancel spoilt_may_cancel
#define rlo_send spoilt_send
#include "lgr/lgr_handover.c"
#undef ssi_move_claim
#undef ssi_claim_find
#undef source_stay
#undef rlo_may_cancel
#undef rlo_send
#undef dest_settle_all
#define rlo_event spoilt_event
#define rlo_go spoilt_go
#include "lgr/lgr_exit.c"
#undef rlo_event
#undef rlo_go

START_TEST(a_mutant_is_found)
{
    char fault[256] = "";
    u64 seed = 1;
    mutant = (enum mutant)_i;
    while (seed <= MUTANT_MAX && lgr_history_holds(seed, PLANT_NOTHING, fault))
        seed++;
    ck_assert_msg(seed <= MUTANT_MAX, "mutant %d is not found", _i);
    fprintf(stderr, "mutant %d: found with seed %llu: %s\n", _i, (unsigned long long)seed,
            fault);
}
END_TEST

/* The file as compiled here, unspoilt, holds. */
START_TEST(the_faithful_one_is_not)
{
    char fault[256] = "";
    mutant = FAITHFUL;
    for (u64 seed = 1; seed <= 20; seed++)
        ck_assert_msg(lgr_history_holds(seed, PLANT_NOTHING, fault), "%s", fault);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lgr_mutants");
    TCase *tc = tcase_create("mutants");
    tcase_set_timeout(tc, 170);
    tcase_add_test(tc, the_faithful_one_is_not);
    tcase_add_loop_test(tc, a_mutant_is_found, FAITHFUL + 1, MUTANTS);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
