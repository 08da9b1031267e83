/* Members in simulated trouble, one story each: silence, healing, SET SSI DOWN, expulsion,
 * REPAIR, a join whose peers are gone, an orderly leave that others see. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/sim_until.h"

#define A 0
#define B 1
#define C 2
#define STORY_MS 200000

static struct ssi_sim *sim;
static struct ssi *member[3];
static int ended[3], status[3]; /* of the last join or leave */
static enum ssi_left last_left;
static unsigned joined_calls, left_calls, expelled_calls;
static bool repair, veto, leaves_ready;
static unsigned leaving_calls;

static void done(void *ctx, int rc, const struct cause *cause)
{
    unsigned slot = (unsigned)(uintptr_t)ctx;
    (void)cause;
    ended[slot]++;
    status[slot] = rc;
}

static void on_joined(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    joined_calls++;
}

static void on_left(void *ctx, const char *name, enum ssi_left how)
{
    (void)ctx;
    (void)name;
    last_left = how;
    left_calls++;
}

static void on_expelled(void *ctx, const struct cause *cause)
{
    (void)ctx;
    (void)cause;
    expelled_calls++;
}

/* What is left of the member in the PDR is looked at when it is told that it may go. */
static bool on_leaving(void *ctx)
{
    (void)ctx;
    leaving_calls++;
    return leaves_ready;
}

static int on_check(void *ctx, const char *name, const void *data, size_t len,
                    struct cause *cause)
{
    (void)ctx;
    (void)name;
    (void)data;
    (void)len;
    return veto ? cause_set(cause, ST_REFUSED, "its spool volumes differ") : ST_OK;
}

static const struct ssi_service service = {.id = 1,
                                           .name = "STORY",
                                           .check_join = on_check,
                                           .member_joined = on_joined,
                                           .member_left = on_left,
                                           .leaving = on_leaving};
static const struct ssi_events events = {.expelled = on_expelled};

#define RUN_UNTIL(cond) SIM_UNTIL(sim, STORY_MS, cond)

static void start(unsigned slot, unsigned host)
{
    struct ssi_config config;
    struct cause cause;
    ssi_sim_config(&config, slot, 3);
    config.repair = repair;
    member[slot] = ssi_sim_start(sim, &config, host, &cause);
    ck_assert_ptr_nonnull(member[slot]);
    ssi_register_service(member[slot], &service, NULL);
    ssi_set_events(member[slot], &events, NULL);
    ended[slot] = 0;
    ssi_join(member[slot], done, (void *)(uintptr_t)slot);
    RUN_UNTIL(ended[slot]);
}

/* A and B on different hosts, joined. */
static void setup(void)
{
    sim = ssi_sim_create(7);
    ssi_sim_verbose(sim, getenv("SSI_SIM_VERBOSE") != NULL);
    repair = veto = false;
    leaves_ready = true;
    leaving_calls = 0;
    joined_calls = left_calls = expelled_calls = 0;
    start(A, 0);
    start(B, 1);
    RUN_UNTIL(joined_calls == 2 && ssi_mode(member[A]) == SSI_MODE_STABLE);
}

static void teardown(void)
{
    ssi_sim_destroy(sim);
}

static int claim(unsigned slot, const char *name, u64 *generation)
{
    int rc;
    do {
        rc = ssi_claim(member[slot], 1, name, generation, NULL);
    } while (rc == ST_BUSY);
    return rc;
}

static int set_down(unsigned slot, const char *name)
{
    int rc;
    do {
        rc = ssi_set_down(member[slot], name, NULL);
    } while (rc == ST_BUSY);
    return rc;
}

/* [S4] Silence: Unknown, Safe, no new claims; then all is well again. */
START_TEST(silence_makes_safe_and_heals)
{
    u64 generation;
    ssi_sim_stall(sim, A, B, true);
    RUN_UNTIL(ssi_mode(member[A]) == SSI_MODE_SAFE && ssi_mode(member[B]) == SSI_MODE_SAFE);
    ck_assert_int_eq(ssi_member_state(member[A], "M1"), SSI_UNKNOWN);
    ck_assert_int_eq(last_left, SSI_LEFT_LOST);
    ck_assert_int_eq(claim(A, "X", &generation), ST_REFUSED);
    ck_assert_int_eq(ssi_send(member[A], "M1", 1, 1, "x", 1), ST_LOST);
    ssi_sim_stall(sim, A, B, false);
    RUN_UNTIL(ssi_mode(member[A]) == SSI_MODE_STABLE && ssi_mode(member[B]) == SSI_MODE_STABLE);
    ck_assert_uint_eq(joined_calls, 4);
    ck_assert_int_eq(claim(A, "X", &generation), ST_OK);
}
END_TEST

START_TEST(a_cut_link_comes_back)
{
    ssi_sim_cut(sim, A, B);
    RUN_UNTIL(joined_calls == 4);
    ck_assert_uint_eq(left_calls, 2);
    RUN_UNTIL(ssi_mode(member[A]) == SSI_MODE_STABLE);
}
END_TEST

/* [S4] A link that the operator of either side has deactivated: as one that was lost, until he has
 * activated it; claims stand. _i: which side. */
START_TEST(a_deactivated_link_stays_down)
{
    const char *name = _i ? "M0" : "M1";
    struct ssi *here = member[_i ? B : A];
    struct ssi_view view;
    u64 generation;
    ck_assert_int_eq(claim(A, "X", &generation), ST_OK);
    ck_assert_int_eq(ssi_link_activate(here, name, NULL), ST_EXIST);
    ck_assert_int_eq(ssi_link_deactivate(here, name, NULL), ST_OK);
    ck_assert_int_eq(ssi_member_state(here, name), SSI_UNKNOWN);
    ck_assert_int_eq(ssi_link_deactivate(here, name, NULL), ST_EXIST);
    RUN_UNTIL(ssi_mode(member[A]) == SSI_MODE_SAFE && ssi_mode(member[B]) == SSI_MODE_SAFE);
    sim_passes(sim, 60000);
    ck_assert_uint_eq(joined_calls, 2);
    ck_assert_int_eq(ssi_mode(member[A]), SSI_MODE_SAFE);
    ck_assert_int_eq(ssi_mode(member[B]), SSI_MODE_SAFE);
    ck_assert_int_eq(set_down(A, "M1"), ST_REFUSED);
    ssi_query(here, &view);
    ck_assert(view.slots[_i ? A : B].inactive);
    ck_assert_int_eq(claim(B, "X", &generation), ST_REFUSED);
    ck_assert_int_eq(ssi_link_activate(here, name, NULL), ST_OK);
    RUN_UNTIL(ssi_mode(member[A]) == SSI_MODE_STABLE && ssi_mode(member[B]) == SSI_MODE_STABLE);
    ck_assert_uint_eq(joined_calls, 4);
    ck_assert_int_eq(claim(B, "X", &generation), ST_EXIST); /* A has had it all the time */
}
END_TEST

START_TEST(links_that_cannot_be_deactivated)
{
    ck_assert_int_eq(ssi_link_deactivate(member[A], "M0", NULL), ST_NOENT); /* itself */
    ck_assert_int_eq(ssi_link_deactivate(member[A], "MOON", NULL), ST_NOENT);
    ck_assert_int_eq(ssi_link_activate(member[A], "MOON", NULL), ST_NOENT);
}
END_TEST

/* A stall shorter than the silence limit is nobody's business; nor does traffic go silent. */
START_TEST(a_short_stall_is_not_noticed)
{
    ssi_sim_stall(sim, A, B, true);
    sim_passes(sim, 5000);
    ssi_sim_stall(sim, A, B, false);
    sim_passes(sim, 15000);
    ck_assert_uint_eq(left_calls, 0);
}
END_TEST

/* On another host nobody can tell: the claims stand until the operator speaks. */
START_TEST(a_dead_member_elsewhere_waits_for_the_operator)
{
    u64 generation;
    char owner[SSI_NAME_BYTES];
    ck_assert_int_eq(claim(B, "GUEST", &generation), ST_OK);
    ck_assert_int_eq(set_down(A, "M1"), ST_REFUSED); /* connected */
    ssi_sim_crash(sim, B);
    RUN_UNTIL(ssi_mode(member[A]) == SSI_MODE_SAFE);
    ck_assert_int_eq(set_down(A, "M1"), ST_REFUSED); /* its heartbeat is fresh */
    sim_passes(sim, 30000);
    ck_assert_int_eq(ssi_mode(member[A]), SSI_MODE_SAFE);
    RUN_UNTIL(ssi_claim_find(member[A], 1, "GUEST", owner, &generation) == ST_OK);
    ck_assert_int_eq(set_down(A, "M1"), ST_OK);
    ck_assert_int_eq(ssi_mode(member[A]), SSI_MODE_STABLE);
    ck_assert_int_eq(last_left, SSI_LEFT_DOWN);
    ck_assert_int_eq(claim(A, "GUEST", &generation), ST_OK);
    ck_assert_int_eq(set_down(A, "M1"), ST_EXIST);
    ck_assert_int_eq(set_down(A, "M9"), ST_NOENT);
}
END_TEST

/* [S1] Whoever was declared down learns it from the PDR and owns nothing any more. */
START_TEST(a_member_declared_down_is_expelled)
{
    struct ssi_pdr pdr = {0};
    u64 generation, unused;
    ck_assert_int_eq(claim(B, "GUEST", &generation), ST_OK);
    ck_assert(ssi_sim_pdr_look(sim, &pdr)); /* as an operator elsewhere would, by force */
    u64 before = pdr.id;
    pdr.rows[B].state = SSI_DOWN;
    pdr.rows[B].down_reason = DOWN_DECLARED;
    ssi_claims_drop(&pdr, B);
    pdr.id++;
    pdr.seq++;
    ssi_pdr_block_encode(&pdr, before, ssi_sim_pdr(sim) + PDR_BLOCK_AT(pdr.seq));
    ssi_pdr_fini(&pdr);
    int rc = ssi_move_claim(member[B], 1, "GUEST", generation, "M0", &unused, NULL);
    ck_assert_int_ne(rc, ST_OK);
    RUN_UNTIL(expelled_calls == 1);
    ck_assert_int_eq(ssi_member_state(member[B], "M1"), SSI_ISOLATED);
    ck_assert_int_eq(claim(B, "GUEST", &generation), ST_REFUSED);
    RUN_UNTIL(ssi_member_state(member[A], "M1") == SSI_DOWN);
    ck_assert_int_eq(ssi_mode(member[A]), SSI_MODE_STABLE);
}
END_TEST

/* The owner was the source when the destination died: the guest must not go with it. */
START_TEST(a_claim_is_not_moved_to_a_process_that_ended)
{
    char owner[SSI_NAME_BYTES];
    u64 generation, now, moved = 0;
    start(C, 0); /* on the host of A, so that A can tell */
    RUN_UNTIL(ssi_member_state(member[A], "M2") == SSI_JOINED);
    ck_assert_int_eq(claim(A, "GUEST", &generation), ST_OK);
    ssi_sim_crash(sim, C); /* and nobody has noticed yet */
    ck_assert_int_eq(ssi_member_state(member[A], "M2"), SSI_JOINED);
    int rc;
    while ((rc = ssi_move_claim(member[A], 1, "GUEST", generation, "M2", &moved, NULL)) ==
           ST_BUSY)
        ssi_sim_step(sim);
    ck_assert_int_eq(rc, ST_REFUSED);
    ck_assert_int_eq(ssi_claim_find(member[A], 1, "GUEST", owner, &now), ST_OK);
    ck_assert_str_eq(owner, "M0");
    ck_assert_uint_eq(now, generation);
}
END_TEST

START_TEST(an_orderly_leave_is_seen)
{
    u64 generation;
    ck_assert_int_eq(claim(B, "GUEST", &generation), ST_OK);
    ssi_leave(member[B], done, (void *)(uintptr_t)B);
    RUN_UNTIL(ended[B] == 2 && ssi_member_state(member[A], "M1") == SSI_DOWN);
    ck_assert_int_eq(status[B], ST_OK);
    ck_assert_int_eq(last_left, SSI_LEFT_ORDERLY);
    ck_assert_int_eq(ssi_mode(member[A]), SSI_MODE_STABLE);
    ck_assert_int_eq(claim(A, "GUEST", &generation), ST_OK);
    ended[B] = 0;
    ssi_join(member[B], done, (void *)(uintptr_t)B); /* the same object again */
    RUN_UNTIL(ended[B]);
    ck_assert_int_eq(status[B], ST_OK);
}
END_TEST

static bool owned_by(unsigned slot, const char *name, const char *member_name)
{
    char owner[SSI_NAME_BYTES] = "";
    u64 generation;
    int rc;
    while ((rc = ssi_claim_find(member[slot], 1, name, owner, &generation)) == ST_BUSY)
        ssi_sim_step(sim);
    return rc == ST_OK && !strcmp(owner, member_name);
}

/* While a service does not know what it was given the claims stand, and none comes. */
START_TEST(claims_are_dropped_when_services_know)
{
    u64 given, kept, moved;
    ck_assert_int_eq(claim(A, "GIVEN", &given), ST_OK);
    ck_assert_int_eq(claim(A, "KEPT", &kept), ST_OK);
    int rc;
    while ((rc = ssi_move_claim(member[A], 1, "GIVEN", given, "M1", &moved, NULL)) == ST_BUSY)
        ssi_sim_step(sim);
    ck_assert_int_eq(rc, ST_OK);
    leaves_ready = false;
    ssi_leave(member[B], done, (void *)(uintptr_t)B);
    RUN_UNTIL(leaving_calls >= 3);
    ck_assert_int_eq(ended[B], 1);
    ck_assert(owned_by(B, "GIVEN", "M1"));
    while ((rc = ssi_move_claim(member[A], 1, "KEPT", kept, "M1", &moved, NULL)) == ST_BUSY)
        ssi_sim_step(sim);
    ck_assert_int_eq(rc, ST_REFUSED);
    leaves_ready = true;
    RUN_UNTIL(ended[B] == 2);
    ck_assert_int_eq(status[B], ST_OK);
    ck_assert(!owned_by(A, "GIVEN", "M1") && owned_by(A, "KEPT", "M0"));
}
END_TEST

/* A service that never knows keeps nobody for ever: it ends as by a crash, its claims stand. */
START_TEST(a_service_that_never_knows)
{
    u64 generation;
    ck_assert_int_eq(claim(B, "GUEST", &generation), ST_OK);
    leaves_ready = false;
    ssi_leave(member[B], done, (void *)(uintptr_t)B);
    RUN_UNTIL(ended[B] == 2);
    ck_assert_int_eq(status[B], ST_BUSY);
    ck_assert(owned_by(A, "GUEST", "M1"));
}
END_TEST

/* It could not write that it leaves when it began: it does so before services are asked. */
START_TEST(a_leave_without_the_pdr_at_first)
{
    u64 kept, moved;
    int rc;
    ck_assert_int_eq(claim(A, "KEPT", &kept), ST_OK);
    leaves_ready = false;
    ssi_sim_pdr_cut(sim, B, true);
    ssi_leave(member[B], done, (void *)(uintptr_t)B);
    RUN_UNTIL(ssi_member_state(member[B], "M1") == SSI_LEAVING);
    ck_assert_uint_eq(leaving_calls, 0);
    ssi_sim_pdr_cut(sim, B, false);
    RUN_UNTIL(leaving_calls);
    while ((rc = ssi_move_claim(member[A], 1, "KEPT", kept, "M1", &moved, NULL)) == ST_BUSY)
        ssi_sim_step(sim);
    ck_assert_int_eq(rc, ST_REFUSED);
    leaves_ready = true;
    RUN_UNTIL(ended[B] == 2);
    ck_assert_int_eq(status[B], ST_OK);
}
END_TEST

/* All of a cluster on several hosts died: REPAIR brings one member up alone and Isolated; there the
 * operator declares the others down, and then it can join. */
START_TEST(repair_is_up_alone)
{
    u64 generation;
    ck_assert_int_eq(claim(B, "GUEST", &generation), ST_OK);
    ssi_sim_crash(sim, A);
    ssi_sim_crash(sim, B);
    start(A, 0);
    ck_assert_int_eq(status[A], ST_TIMEOUT); /* B is Joined in the PDR and cannot be reached */
    ck_assert_int_eq(ssi_member_state(member[A], "M0"), SSI_ISOLATED);
    ssi_sim_crash(sim, A);
    repair = true;
    start(A, 0);
    ck_assert_int_eq(status[A], ST_OK);
    ck_assert_int_eq(ssi_mode(member[A]), SSI_MODE_ISOLATED);
    ck_assert_int_eq(ssi_member_state(member[A], "M0"), SSI_ISOLATED);
    RUN_UNTIL(ssi_member_state(member[A], "M1") == SSI_UNKNOWN);
    ck_assert_int_eq(claim(A, "GUEST", &generation), ST_EXIST); /* B may run for all we know */
    ck_assert_int_eq(claim(A, "MAINT", &generation), ST_OK);
    repair = false;
    start(C, 2);
    ck_assert_int_eq(status[C], ST_REFUSED); /* A is up by REPAIR */
    ssi_sim_crash(sim, C);
    RUN_UNTIL(set_down(A, "M1") == ST_OK);
    ck_assert_int_eq(claim(A, "GUEST", &generation), ST_OK);
    ssi_leave(member[A], done, (void *)(uintptr_t)A);
    RUN_UNTIL(ended[A] == 2);
    ck_assert_int_eq(status[A], ST_OK);
    ssi_sim_crash(sim, A);
    start(B, 1);
    start(A, 0);
    ck_assert_int_eq(status[A], ST_OK);
    RUN_UNTIL(ssi_mode(member[A]) == SSI_MODE_STABLE && ssi_mode(member[B]) == SSI_MODE_STABLE);
    ck_assert_uint_eq(ssi_sim_errors(sim), 0);
}
END_TEST

/* _i: whether the other member runs on the same host. */
START_TEST(repair_is_refused_while_another_is_up)
{
    ssi_sim_crash(sim, A);
    sim_passes(sim, 30000); /* its own last heartbeat is old: it may start on another host */
    repair = true;
    start(A, _i ? 1 : 0);
    ck_assert_int_eq(status[A], ST_REFUSED);
    ck_assert_int_eq(ssi_member_state(member[A], "M0"), SSI_ISOLATED);
    RUN_UNTIL(ssi_mode(member[B]) == SSI_MODE_STABLE);
}
END_TEST

/* A cross-check fails: the joiner is Isolated, the others go on, and it may try again. */
START_TEST(a_refused_joiner_is_isolated)
{
    veto = true;
    start(C, 2);
    ck_assert_int_eq(status[C], ST_REFUSED);
    ck_assert_int_eq(ssi_member_state(member[C], "M2"), SSI_ISOLATED);
    ck_assert_int_eq(ssi_mode(member[C]), SSI_MODE_ISOLATED);
    RUN_UNTIL(ssi_mode(member[A]) == SSI_MODE_STABLE && ssi_mode(member[B]) == SSI_MODE_STABLE);
    ck_assert_int_eq(ssi_member_state(member[A], "M2"), SSI_DOWN);
    veto = false;
    ssi_join(member[C], done, (void *)(uintptr_t)C);
    RUN_UNTIL(ended[C] == 2);
    ck_assert_int_eq(status[C], ST_OK);
    RUN_UNTIL(ssi_mode(member[A]) == SSI_MODE_STABLE && ssi_mode(member[C]) == SSI_MODE_STABLE);
    ck_assert_uint_eq(ssi_sim_errors(sim), 0);
}
END_TEST

/* The operator's statement for a member that starts: slot C is `name`'s. */
static void start_as(const char *name, int want)
{
    struct ssi_config config;
    struct cause cause;
    ssi_sim_config(&config, C, 3);
    memcpy(config.slots[C], name, strlen(name) + 1);
    memcpy(config.member, config.slots[C], sizeof config.member);
    member[C] = ssi_sim_start(sim, &config, 2, &cause);
    ck_assert_ptr_nonnull(member[C]);
    ended[C] = 0;
    ssi_join(member[C], done, (void *)(uintptr_t)C);
    RUN_UNTIL(ended[C]);
    ck_assert_int_eq(status[C], want);
}

static int slot_set(unsigned slot, const char *name)
{
    int rc;
    do {
        rc = ssi_slot_set(member[A], slot, name, NULL);
    } while (rc == ST_BUSY);
    return rc;
}

/* [L1] [L2] A slot is given to another member, and taken away, while the others run. */
START_TEST(slots_change_while_members_run)
{
    struct ssi_view view;
    ck_assert_int_eq(slot_set(A, "N0"), ST_REFUSED); /* itself */
    ck_assert_int_eq(slot_set(B, "N1"), ST_REFUSED); /* Joined */
    ck_assert_int_eq(slot_set(C, "M1"), ST_REFUSED); /* in another slot */
    ck_assert_int_eq(slot_set(C, "lower"), ST_INVAL);
    ck_assert_int_eq(slot_set(SSI_SLOTS_MAX, "N9"), ST_INVAL);
    ck_assert_int_eq(slot_set(C, "M2"), ST_EXIST);
    ck_assert_int_eq(slot_set(C, ""), ST_OK);
    ck_assert_int_eq(ssi_member_state(member[A], "M2"), SSI_DOWN);
    start_as("M2", ST_REFUSED); /* its statement is out of date */
    ssi_sim_crash(sim, C);
    ck_assert_int_eq(slot_set(C, "N2"), ST_OK);
    start_as("N2", ST_OK); /* B may have read nothing of it yet */
    RUN_UNTIL(ssi_mode(member[A]) == SSI_MODE_STABLE && ssi_mode(member[B]) == SSI_MODE_STABLE);
    for (unsigned i = 0; i < 3; i++) {
        ssi_query(member[i], &view);
        ck_assert_str_eq(view.slots[C].name, "N2");
        ck_assert_int_eq(view.slots[C].state, SSI_JOINED);
    }
    ck_assert_uint_eq(ssi_sim_errors(sim), 0);
}
END_TEST

static unsigned went[4], n_went;

static void on_go(void *ctx)
{
    went[n_went++ % 4] = (unsigned)(uintptr_t)ctx;
}

/* [H1] [H3] Held while a member is joining; gone on with in order, though the join is refused. */
START_TEST(requests_wait_for_the_end_of_a_transition)
{
    struct ssi_held held[3];
    struct ssi_config config;
    struct cause cause;
    for (unsigned i = 0; i < 3; i++)
        held[i] = (struct ssi_held){.go = on_go, .ctx = (void *)(uintptr_t)(i + 1)};
    n_went = 0;
    ck_assert_int_eq(ssi_hold(member[A], &held[0]), ST_NOENT);
    ssi_sim_config(&config, C, 3);
    member[C] = ssi_sim_start(sim, &config, 2, &cause);
    ssi_register_service(member[C], &service, NULL);
    ended[C] = 0;
    veto = true;
    ssi_join(member[C], done, (void *)(uintptr_t)C);
    RUN_UNTIL(ssi_mode(member[A]) == SSI_MODE_IN_FLUX);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(ssi_hold(member[A], &held[i]), ST_OK);
    ssi_hold_drop(member[A], &held[1]);
    ssi_hold_drop(member[A], &held[1]);
    ck_assert_uint_eq(ssi_held(member[A]), 2);
    ck_assert_uint_eq(n_went, 0); /* [H2] not from inside */
    RUN_UNTIL(ssi_mode(member[A]) == SSI_MODE_STABLE);
    RUN_UNTIL(n_went == 2);
    ck_assert(ended[C] && status[C] == ST_REFUSED);
    ck_assert(went[0] == 1 && went[1] == 3);
    sim_passes(sim, 1000);
    ck_assert_uint_eq(n_went, 2);
    ck_assert_uint_eq(ssi_held(member[A]), 0);
}
END_TEST

/* Two that have lost each other are Suspended; who is in touch with both sees that, and nobody
 * grants anything. It heals without an operator. */
START_TEST(a_third_member_sees_who_is_suspended)
{
    char holder[SSI_HOLDER_BYTES];
    u64 generation;
    start(C, 2);
    RUN_UNTIL(joined_calls == 6 && ssi_mode(member[C]) == SSI_MODE_STABLE);
    ssi_sim_stall(sim, A, B, true);
    RUN_UNTIL(ssi_member_state(member[C], "M0") == SSI_SUSPENDED &&
              ssi_member_state(member[C], "M1") == SSI_SUSPENDED);
    ck_assert_int_eq(ssi_member_state(member[A], "M0"), SSI_SUSPENDED);
    ck_assert_int_eq(ssi_member_state(member[C], "M2"), SSI_JOINED);
    ck_assert_int_eq(ssi_mode(member[C]), SSI_MODE_SAFE);
    ck_assert_int_eq(claim(C, "X", &generation), ST_REFUSED);
    ssi_holder(member[C], holder);
    ck_assert_str_eq(holder, "M0 has lost contact with another system");
    ck_assert_int_eq(ssi_send(member[A], "M2", 1, 1, "x", 1), ST_OK);
    ssi_sim_stall(sim, A, B, false);
    for (unsigned i = 0; i < 3; i++)
        RUN_UNTIL(ssi_mode(member[i]) == SSI_MODE_STABLE);
    ck_assert_int_eq(ssi_member_state(member[C], "M0"), SSI_JOINED);
    ck_assert_uint_eq(ssi_sim_errors(sim), 0);
}
END_TEST

/* Leaving while joining gives the join up; both callbacks come. */
START_TEST(a_leave_gives_a_join_up)
{
    struct ssi_config config;
    struct cause cause;
    ssi_sim_config(&config, 2, 3);
    struct ssi *c = ssi_sim_start(sim, &config, 2, &cause);
    ended[2] = 0;
    ssi_join(c, done, (void *)(uintptr_t)2);
    sim_passes(sim, 40);
    ssi_leave(c, done, (void *)(uintptr_t)2);
    RUN_UNTIL(ended[2] == 2);
    RUN_UNTIL(ssi_mode(member[A]) == SSI_MODE_STABLE);
    ck_assert_int_eq(ssi_member_state(member[A], "M2"), SSI_DOWN);
}
END_TEST

START_TEST(bad_configurations_are_refused)
{
    struct ssi_config config;
    struct cause cause;
    ssi_sim_config(&config, 0, 2);
    ck_assert_int_eq(ssi_config_check(&config, &cause), ST_OK);
    strcpy(config.slots[1], "M0");
    ck_assert_int_eq(ssi_config_check(&config, &cause), ST_CONFIG);
    strcpy(config.slots[1], "lower");
    ck_assert_int_eq(ssi_config_check(&config, &cause), ST_CONFIG);
    ssi_sim_config(&config, 0, 2);
    config.slot = 1;
    ck_assert_int_eq(ssi_config_check(&config, &cause), ST_CONFIG);
    config.slot = 99;
    ck_assert_int_eq(ssi_config_check(&config, &cause), ST_CONFIG);
    ssi_sim_config(&config, 0, 2);
    config.silence_ms = 1;
    ck_assert_int_eq(ssi_config_check(&config, &cause), ST_CONFIG);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_member");
    TCase *tc = tcase_create("stories");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, silence_makes_safe_and_heals);
    tcase_add_test(tc, a_cut_link_comes_back);
    tcase_add_loop_test(tc, a_deactivated_link_stays_down, 0, 2);
    tcase_add_test(tc, links_that_cannot_be_deactivated);
    tcase_add_test(tc, a_short_stall_is_not_noticed);
    tcase_add_test(tc, a_dead_member_elsewhere_waits_for_the_operator);
    tcase_add_test(tc, a_member_declared_down_is_expelled);
    tcase_add_test(tc, a_claim_is_not_moved_to_a_process_that_ended);
    tcase_add_test(tc, an_orderly_leave_is_seen);
    tcase_add_test(tc, claims_are_dropped_when_services_know);
    tcase_add_test(tc, a_service_that_never_knows);
    tcase_add_test(tc, a_leave_without_the_pdr_at_first);
    tcase_add_test(tc, repair_is_up_alone);
    tcase_add_loop_test(tc, repair_is_refused_while_another_is_up, 0, 2);
    tcase_add_test(tc, a_refused_joiner_is_isolated);
    tcase_add_test(tc, slots_change_while_members_run);
    tcase_add_test(tc, requests_wait_for_the_end_of_a_transition);
    tcase_add_test(tc, a_third_member_sees_who_is_suspended);
    tcase_add_test(tc, a_leave_gives_a_join_up);
    tcase_add_test(tc, bad_configurations_are_refused);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
