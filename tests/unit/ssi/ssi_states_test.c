/* The tables of ssi_states.def, walked: each row leads where it says, each pair without a row is
 * told as an internal error and changes nothing, each mode follows from the states. */
#include <check.h>
#include <stdlib.h>

#include "ssi/ssi_internal.h"
#include "ssi/ssi_sim.h"

enum { OWN, PEER };

static struct ssi_sim *sim;
static struct ssi *ssi;

static const enum ssi_state states[] = {
#define S(id, code, text) SSI_##id,
#include "ssi/ssi_states.def"
};
#define STATES (sizeof states / sizeof states[0])

static const struct {
    int which;
    enum ssi_state from;
    enum ssi_event event;
    enum ssi_state to;
    const char *text;
} rows[] = {
#define T(which, from, event, to, action)                                                      \
    {which, SSI_##from, SSI_EV_##event, SSI_##to, #which " " #from " " #event},
#include "ssi/ssi_states.def"
};
#define ROWS (sizeof rows / sizeof rows[0])

static void setup(void)
{
    struct ssi_config config;
    struct cause cause;
    sim = ssi_sim_create(1);
    ssi_sim_config(&config, 0, 3);
    ssi = ssi_sim_start(sim, &config, 0, &cause);
    ck_assert_ptr_nonnull(ssi);
}

static void teardown(void)
{
    ssi_sim_destroy(sim);
}

/* As it would be in that state; the rest of the cluster is Down. */
static void put(unsigned slot, enum ssi_state state)
{
    ssi->members[slot].state = state;
    if (slot == 0)
        ssi->own_state = state;
}

static void clear(void)
{
    for (unsigned i = 0; i < 3; i++) {
        put(i, SSI_DOWN);
        ssi->members[i].told = TOLD_NOTHING;
    }
    ssi->mode = SSI_MODE_ISOLATED;
    ssi->expelled = ssi->alone = ssi->let_go = false;
}

START_TEST(every_row_leads_where_it_says)
{
    for (unsigned i = 0; i < ROWS; i++) {
        unsigned slot = rows[i].which == OWN ? 0 : 1;
        unsigned errors = ssi_sim_errors(sim);
        clear();
        if (slot == 0 && rows[i].to == SSI_SUSPENDED) /* who this member is out of touch with */
            put(2, SSI_UNKNOWN);
        put(slot, rows[i].from);
        if (rows[i].from == SSI_JOINED && slot == 1)
            ssi->members[slot].told = TOLD_JOINED;
        ssi_event(ssi, slot, rows[i].event, "the test says so");
        ck_assert_msg(ssi->members[slot].state == rows[i].to, "%s leads to %s", rows[i].text,
                      ssi_state_name(ssi->members[slot].state));
        ck_assert_msg(ssi_sim_errors(sim) == errors, "%s", rows[i].text);
        if (slot == 0)
            ck_assert_msg(ssi->own_state == rows[i].to, "%s", rows[i].text);
        if (rows[i].to == SSI_UNKNOWN || rows[i].to == SSI_DOWN)
            ck_assert_msg(ssi->members[slot].told != TOLD_JOINED, "%s", rows[i].text);
    }
}
END_TEST

START_TEST(what_has_no_row_is_told_and_changes_nothing)
{
    unsigned without = 0;
    for (unsigned slot = 0; slot < 2; slot++)
        for (unsigned s = 0; s < STATES; s++)
            for (unsigned e = 0; e < SSI_EVENTS; e++) {
                enum ssi_state next;
                unsigned errors = ssi_sim_errors(sim);
                if (ssi_transition(slot == 0, states[s], (enum ssi_event)e, &next))
                    continue;
                clear();
                put(slot, states[s]);
                ssi_event(ssi, slot, (enum ssi_event)e, "");
                ck_assert_uint_eq(ssi_sim_errors(sim), errors + 1);
                ck_assert_int_eq(ssi->members[slot].state, states[s]);
                without++;
            }
    ck_assert_uint_eq(without + ROWS, 2 * STATES * SSI_EVENTS);
}
END_TEST

enum {
#define C(id, text) C_##id,
#include "ssi/ssi_states.def"
};

static void make_true(int condition)
{
    clear();
    if (condition != C_OUTSIDE)
        put(0, SSI_JOINED);
    if (condition == C_MOVING)
        put(1, SSI_LEAVING);
    if (condition == C_BROKEN)
        put(1, SSI_SUSPENDED);
}

START_TEST(every_mode_follows_from_the_states)
{
    static const struct {
        enum ssi_mode from;
        int condition;
        enum ssi_mode to;
    } modes[] = {
#define M(mode, condition, next, action) {SSI_MODE_##mode, C_##condition, SSI_MODE_##next},
#include "ssi/ssi_states.def"
    };
    ck_assert_uint_eq(sizeof modes / sizeof modes[0], 16);
    for (unsigned i = 0; i < 16; i++) {
        make_true(modes[i].condition);
        ssi->mode = modes[i].from;
        ssi_mode_update(ssi);
        ck_assert_int_eq(ssi->mode, modes[i].to);
        ck_assert_int_eq(ssi->let_go,
                         modes[i].from == SSI_MODE_IN_FLUX && modes[i].to != SSI_MODE_IN_FLUX);
    }
}
END_TEST

/* [S4] Out of touch with one member: Suspended, and Safe; in touch again: all is well. */
START_TEST(out_of_touch_is_suspended)
{
    char holder[SSI_HOLDER_BYTES];
    make_true(C_WHOLE);
    ssi_mode_update(ssi);
    ssi_holder(ssi, holder);
    ck_assert_str_eq(holder, "");
    ssi_event(ssi, 1, SSI_EV_ROW_UNREACHED, "");
    ck_assert_int_eq(ssi->own_state, SSI_SUSPENDED);
    ck_assert_int_eq(ssi->mode, SSI_MODE_SAFE);
    ssi_holder(ssi, holder);
    ck_assert_str_eq(holder, "contact with M1 is lost");
    ssi_event(ssi, 1, SSI_EV_ROW_DOWN, "");
    ck_assert_int_eq(ssi->own_state, SSI_JOINED);
    ck_assert_int_eq(ssi->mode, SSI_MODE_STABLE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_states");
    TCase *tc = tcase_create("tables");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, every_row_leads_where_it_says);
    tcase_add_test(tc, what_has_no_row_is_told_and_changes_nothing);
    tcase_add_test(tc, every_mode_follows_from_the_states);
    tcase_add_test(tc, out_of_touch_is_suspended);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
