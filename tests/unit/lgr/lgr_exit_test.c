/* CP exits 1230 and 1231 of a relocation: what they keep from moving and how that is told, on both
 * sides; everything that can end the waiting for their answers; and real programs, from ASSOCIATE
 * EXIT to the answer of VMRELOCATE. CP with fake machines (tests/lib/cp_world.h) over relocation
 * with fake guests (tests/lib/lgr_world.h): MEMBERA is M0.
 * Run alone: tests/run unit/lgr_exit_test */
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hyp/exit/exit.h"
#include "tests/lib/lgr_cmd_world.h"

static void setup(void)
{
    relocations_setup(true);
}

static const char *answer_of(const char *command)
{
    begin(0, command);
    return ended();
}

static bool has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fprintf(stderr, "no \"%s\" in: %s\n", part, text);
    return strstr(text, part);
}

static void exits(unsigned slot, enum lgr_exit point, enum lgr_code code, unsigned ms)
{
    w->actors[slot].exit[point] = (struct fake_answer){true, code, ms};
}

/* How the latest relocation ended there; LGR_ACTIVE: there has been none. */
static unsigned code_at(unsigned slot)
{
    struct lgr_view v;
    return lgr_core_status(w->actors[slot].lgr, 0, &v) ? v.code : LGR_ACTIVE;
}

static void at_rest_on(unsigned slot)
{
    CHECK(w, running(w, slot, 0) && !w->actors[!slot].guest[0].here);
    for (unsigned s = 0; s < 2; s++) {
        CHECK(w, !w->actors[s].lgr->active && !w->actors[s].lgr->asked);
        for (unsigned i = 0; i < EXITS_MAX; i++)
            CHECK(w, !w->actors[s].exits[i].done);
    }
}

#define TEXT_1940                                                                              \
    "HCPRLH1940E User LINUX1 is not relocatable to M0 for the following reason(s):"

START_TEST(the_source_keeps_it)
{
    exits(1, LGR_EXIT_ELIGIBLE, LGR_EXIT_REJECTED, 5);
    for (unsigned i = 0; i < 2; i++) {
        const char *got = answer_of(i ? "VMRELOCATE MOVE LINUX1 M0" : "VMRELOCATE LINUX1 M0");
        ck_assert_str_eq(got,
                         TEXT_1940 "|HCPRLE1973E LINUX1: CP exit 1230 on M1 has rejected it: "
                                   "FAKE: not this one");
        at_rest_on(1);
    }
    ck_assert_uint_eq(code_at(1), LGR_EXIT_REJECTED);
    ck_assert_uint_eq(code_at(0), LGR_ACTIVE); /* it has heard of an offer, no more */
    exits(1, LGR_EXIT_ELIGIBLE, LGR_EXIT_INVALID, 5);
    ck_assert(has(answer_of("VMRELOCATE MOVE LINUX1 M0"),
                  "HCPRLE1974E LINUX1: CP exit 1230 on M1 does not work: FAKE: not this one"));
    ck_assert_uint_eq(code_at(1), LGR_EXIT_INVALID);
    at_rest_on(1);
}
END_TEST

START_TEST(the_destination_does)
{
    exits(0, LGR_EXIT_ELIGIBLE, LGR_EXIT_REJECTED, 5);
    for (unsigned i = 0; i < 2; i++)
        ck_assert_str_eq(answer_of(i ? "VMRELOCATE MOVE LINUX1 M0" : "VMRELOCATE LINUX1 M0"),
                         TEXT_1940 "|HCPRLE1973E LINUX1: CP exit 1230 on M0 has rejected it: "
                                   "FAKE: not this one");
    ck_assert_uint_eq(code_at(1), LGR_EXIT_REJECTED);
    at_rest_on(1);
    exits(0, LGR_EXIT_ELIGIBLE, LGR_EXIT_INVALID, 5);
    ck_assert(has(answer_of("VMRELOCATE MOVE LINUX1 M0"), "HCPRLE1974E LINUX1: CP exit 1230"));
    ck_assert_uint_eq(code_at(1), LGR_EXIT_INVALID);
    at_rest_on(1);
}
END_TEST

/* No reason hides another: those of both sides' rules and exits are told; a rule makes it code 06,
 * though an exit says more. */
START_TEST(every_reason_is_told)
{
    exits(0, LGR_EXIT_ELIGIBLE, LGR_EXIT_REJECTED, 5);
    exits(1, LGR_EXIT_ELIGIBLE, LGR_EXIT_INVALID, 5);
    const char *got = answer_of("VMRELOCATE MOVE LINUX1 M0");
    ck_assert(has(got, "|HCPRLE1973E LINUX1: CP exit 1230 on M0"));
    ck_assert(has(got, "|HCPRLE1974E LINUX1: CP exit 1230 on M1"));
    ck_assert_uint_eq(code_at(1), LGR_EXIT_INVALID); /* what this member's own has said */
    w->room.real_free_bytes = 0;
    got = answer_of("VMRELOCATE MOVE LINUX1 M0");
    ck_assert(has(got, "|HCPRLE1946E") && has(got, "|HCPRLE1973E") && has(got, "|HCPRLE1974E"));
    ck_assert_uint_eq(code_at(1), LGR_NOT_ELIGIBLE);
    at_rest_on(1);
}
END_TEST

/* The guest stands still, everything is there: it goes on where it was. */
START_TEST(it_may_not_restart)
{
    for (unsigned i = 0; i < 2; i++) {
        enum lgr_code code = i ? LGR_EXIT_INVALID : LGR_EXIT_REJECTED;
        char want[128];
        exits(0, LGR_EXIT_RESTART, code, 5);
        snprintf(want, sizeof want,
                 "HCPRLX1937E Relocation of LINUX1 to M0 has ended, RC=0000-%02u: "
                 "M0: CP exit 1231: FAKE: not this one",
                 code);
        ck_assert(has(answer_of("VMRELOCATE MOVE LINUX1 M0"), want));
        ck_assert_uint_eq(code_at(0), code);
        ck_assert_uint_eq(code_at(1), code);
        at_rest_on(1);
    }
}
END_TEST

START_TEST(they_let_it_through)
{
    for (unsigned i = 0; i < 4; i++)
        exits(i / 2, (enum lgr_exit)(i % 2), LGR_COMPLETED, 20);
    is(answer_of("VMRELOCATE TEST LINUX1 M0"), "User LINUX1 is eligible for relocation to M0");
    ck_assert_uint_eq(w->exits_asked, 2);
    begin(0, "VMRELOCATE MOVE LINUX1 M0");
    while (!w->actors[1].lgr->active || w->actors[1].lgr->active->state != RLO_S_EXIT)
        world_step(w);
    ck_assert(has(oper("VMRELOCATE STATUS USER LINUX1"), "OPERATOR 00:00:00 CP exit"));
    while (!w->actors[0].lgr->active || w->actors[0].lgr->active->state != RLO_D_EXIT)
        world_step(w);
    ck_assert(has(oper("VMRELOCATE STATUS USER LINUX1"), "OPERATOR 00:00:00 CP exit"));
    ck_assert(has(ended(), "User LINUX1 has been relocated from M1 to M0"));
    ck_assert_uint_eq(w->exits_asked, 5); /* 1231 on the destination only */
    at_rest_on(0);
}
END_TEST

/* --- what ends the waiting ------------------------------------------------------------------- */

/* Which answer is waited for: the source's, the destination's, and that of the restart. */
enum wait { WAITS_SOURCE, WAITS_OFFER, WAITS_RESTART, WAITS };

static bool waits(enum wait wait)
{
    const struct rlobk *s = w->actors[1].lgr->active, *d = w->actors[0].lgr->active;
    if (wait == WAITS_SOURCE)
        return s && s->state == RLO_S_EXIT && s->exit;
    if (wait == WAITS_OFFER)
        return w->actors[0].lgr->asked;
    return d && d->state == RLO_D_EXIT && d->exit;
}

enum blow {
    CANCEL,
    CPHX,
    TOTAL,
    QUIESCE,
    MODIFY,
    RESET,
    LOGOFF,
    LOGON_THERE,
    CUT,
    STOP,
    BLOWS
};

static void strike(enum blow blow)
{
    struct actor *d = &w->actors[0], *s = &w->actors[1];
    switch (blow) {
    case CANCEL: oper("VMRELOCATE CANCEL LINUX1"); break;
    case CPHX: oper("CPHX"); break;
    case MODIFY: oper("VMRELOCATE MODIFY LINUX1 MAXTOTAL 1 MSEC"); break;
    case RESET: lgr_guest_reset(s->lgr, users[0]); break;
    case LOGOFF: user_logoff(s, 0); break;
    case LOGON_THERE: lgr_guest_logon(d->lgr, users[0]); break;
    case CUT: ssi_sim_cut(w->sim, 0, 1); break;
    case STOP: lgr_core_stop(d->lgr); break;
    default: break; /* limits come by themselves */
    }
}

/* Not all of them reach it: MAXQUIESCE while it runs, a logon there before there is a block. */
static unsigned code_of(enum wait wait, enum blow blow)
{
    static const u8 codes[BLOWS] = {[CANCEL] = LGR_CANCELLED,  [CPHX] = LGR_CPHX,
                                    [TOTAL] = LGR_MAXTOTAL,    [QUIESCE] = LGR_MAXQUIESCE,
                                    [MODIFY] = LGR_MAXTOTAL,   [RESET] = LGR_GUEST_GONE,
                                    [LOGOFF] = LGR_GUEST_GONE, [LOGON_THERE] = LGR_INTERNAL,
                                    [CUT] = LGR_LINK_LOST,     [STOP] = LGR_INTERNAL};
    bool early = wait != WAITS_RESTART;
    if (early && (blow == QUIESCE || blow == LOGON_THERE || (blow == STOP)))
        return LGR_ACTIVE;
    return codes[blow];
}

START_TEST(what_ends_the_waiting)
{
    enum wait wait = (enum wait)(_i / BLOWS);
    enum blow blow = (enum blow)(_i % BLOWS);
    unsigned want = code_of(wait, blow);
    if (want == LGR_ACTIVE)
        return;
    exits(wait == WAITS_SOURCE, wait == WAITS_RESTART ? LGR_EXIT_RESTART : LGR_EXIT_ELIGIBLE,
          LGR_COMPLETED, 9000);
    begin(0, blow == TOTAL     ? "VMRELOCATE MOVE LINUX1 M0 MAXTOTAL 3 SEC"
             : blow == QUIESCE ? "VMRELOCATE MOVE LINUX1 M0 MAXQUIESCE 3 SEC"
                               : "VMRELOCATE MOVE LINUX1 M0 MAXQUIESCE 20 SEC");
    while (!waits(wait))
        world_step(w);
    strike(blow);
    ended();
    ck_assert_uint_eq(code_at(1), want);
    for (unsigned i = 0; i < 4000; i++) /* the answer would have come meanwhile */
        world_step(w);
    if (blow == LOGOFF)
        CHECK(w, !w->actors[0].guest[0].here && !w->actors[1].guest[0].here);
    else
        at_rest_on(1);
    if (blow == STOP || blow == LOGOFF)
        return;
    w->actors[0].exit[0].active = w->actors[0].exit[1].active = w->actors[1].exit[0].active =
        false;
    while (blow == CUT && (ssi_mode(ssi_sim_member(w->sim, 0)) != SSI_MODE_STABLE ||
                           ssi_mode(ssi_sim_member(w->sim, 1)) != SSI_MODE_STABLE))
        world_step(w);
    for (unsigned i = 0; i < 5 && running(w, 1, 0); i++) /* another one may write to the PDR */
        answer_of("VMRELOCATE MOVE LINUX1 M0");
    at_rest_on(0);
}
END_TEST

/* --- real programs --------------------------------------------------------------------------- */

static char folder[] = "/tmp/exits.XXXXXX";
static struct lgr_guests with_programs[2];

static bool real_active(void *ctx, enum lgr_exit point)
{
    return lgr_exit_active(&cmds[((struct actor *)ctx)->slot], point);
}

static void *real_begin(void *ctx, enum lgr_exit point, const struct lgr_exit_facts *facts,
                        void (*done)(void *arg, enum lgr_code code, const char *text),
                        void *arg)
{
    return lgr_exit_begin(&cmds[((struct actor *)ctx)->slot], point, facts, done, arg);
}

static void real_setup(void)
{
    char path[CONFIG_PATH_BYTES];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/exits", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    cp_world_folder = folder;
    setup();
    for (unsigned s = 0; s < 2; s++) {
        struct lgr *lgr = w->actors[s].lgr;
        with_programs[s] = *lgr->guests;
        with_programs[s].exit_active = real_active;
        with_programs[s].exit_begin = real_begin;
        with_programs[s].exit_forget = lgr_exit_forget;
        lgr->guests = &with_programs[s];
    }
}

static void real_teardown(void)
{
    char command[64];
    teardown();
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static void program(const char *name, const char *text)
{
    char path[96];
    snprintf(path, sizeof path, "%s/exits/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "#!/bin/sh\n%s", text);
    fclose(file);
    ck_assert_int_eq(chmod(path, 0755), 0);
}

static bool programs_run(void)
{
    struct exit_info info;
    for (unsigned i = 0; i < 2 * EXIT_POINTS; i++) {
        exits_info(cp_exits(cps[i % 2]), (enum exit_point)(i / 2), &info);
        if (info.running)
            return true;
    }
    return false;
}

/* Virtual time stands still while a program runs. */
static const char *real_answer_of(const char *command)
{
    begin(0, command);
    while (!move.done)
        if (!programs_run())
            world_step(w);
        else if (!run_notes())
            poll(NULL, 0, 1);
    return text_of_move();
}

START_TEST(programs_are_asked)
{
    program("FACTS",
            "env | grep ^EXIT_ | sort | tr '\\n' ' ' >>\"$0.out\"; echo >>\"$0.out\"\n");
    program("NOTTODAY", "[ \"$EXIT_USER\" != LINUX1 ] || { echo not today; exit 4; }\n");
    on(1, "OPERATOR", "ASSOCIATE EXIT 1230 ENABLE EPNAME FACTS");
    oper("ASSOCIATE EXIT 1230 ENABLE EPNAME FACTS");
    oper("ASSOCIATE EXIT 1231 ENABLE EPNAME FACTS NOTTODAY");
    is(real_answer_of("VMRELOCATE TEST LINUX1 M0"),
       "User LINUX1 is eligible for relocation to M0");
    ck_assert(has(real_answer_of("VMRELOCATE MOVE LINUX1 M0"),
                  "RC=0000-09: M0: CP exit 1231: NOTTODAY: not today"));
    at_rest_on(1);
    is(oper("QUERY EXITS 1231"),
       "EXIT 1231 ENABLED  CALLS 1 REJECTED 1 FAILED 0  VMRELOCATE destination restart|"
       "  EPNAME FACTS|  EPNAME NOTTODAY");
    oper("DISABLE EXITS 1231");
    ck_assert(has(real_answer_of("VMRELOCATE MOVE LINUX1 M0"), "has been relocated"));
    at_rest_on(0);

    char path[96], line[512];
    static const char *const want[] = {
        "EXIT_ACTION=TEST EXIT_BY=OPERATOR EXIT_CPUS=1 EXIT_DISKS=0 EXIT_DOMAIN= EXIT_FORCE= "
        "EXIT_FROM=M1 EXIT_NICS=0 EXIT_POINT=1230 EXIT_SIDE=DESTINATION EXIT_STORAGE_MB=1 "
        "EXIT_TO=M0 EXIT_TOUCHED_MB=",
        "EXIT_ACTION=TEST EXIT_BY=OPERATOR EXIT_CPUS=1 EXIT_DISKS=0 EXIT_DOMAIN= EXIT_FORCE= "
        "EXIT_FROM=M1 EXIT_NICS=0 EXIT_POINT=1230 EXIT_SIDE=SOURCE",
        "EXIT_ACTION=MOVE",
        "EXIT_ACTION=MOVE",
        "EXIT_ACTION=MOVE EXIT_BY=OPERATOR EXIT_CPUS=1 EXIT_DISKS=0 EXIT_DOMAIN= EXIT_FORCE= "
        "EXIT_FROM=M1 EXIT_NICS=0 EXIT_POINT=1231 EXIT_SIDE=DESTINATION",
    };
    snprintf(path, sizeof path, "%s/exits/FACTS.out", folder);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    for (unsigned i = 0; i < ARRAY_LEN(want); i++)
        ck_assert(fgets(line, sizeof line, file) && has(line, want[i]));
    fclose(file);
}
END_TEST

/* It is enabled and cannot be called: nobody gets through until it can be. */
START_TEST(a_program_that_is_missing)
{
    ck_assert(has(on(1, "OPERATOR", "ASSOCIATE EXIT 1230 ENABLE EPNAME GONE"), "HCPEXI1977W"));
    ck_assert(has(real_answer_of("VMRELOCATE MOVE LINUX1 M0"),
                  "HCPRLE1974E LINUX1: CP exit 1230 on M1 does not work: "
                  "GONE: No such file or directory"));
    ck_assert_uint_eq(code_at(1), LGR_EXIT_INVALID);
    at_rest_on(1);
    program("GONE", "exit 0\n");
    ck_assert(has(real_answer_of("VMRELOCATE MOVE LINUX1 M0"), "has been relocated"));
}
END_TEST

/* One that hangs is killed when its relocation is given up. */
START_TEST(a_program_that_is_not_waited_for)
{
    program("HANG", "while :; do sleep 0.01; done\n");
    oper("ASSOCIATE EXIT 1230 ENABLE EPNAME HANG");
    begin(0, "VMRELOCATE MOVE LINUX1 M0");
    while (!programs_run())
        world_step(w);
    ssi_sim_cut(w->sim, 0, 1);
    while (programs_run())
        if (!run_notes())
            world_step(w);
    ended();
    ck_assert_uint_eq(code_at(1), LGR_LINK_LOST);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lgr_exit");
    TCase *tc = tcase_create("exit");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_source_keeps_it);
    tcase_add_test(tc, the_destination_does);
    tcase_add_test(tc, every_reason_is_told);
    tcase_add_test(tc, it_may_not_restart);
    tcase_add_test(tc, they_let_it_through);
    tcase_add_loop_test(tc, what_ends_the_waiting, 0, WAITS * BLOWS);
    suite_add_tcase(suite, tc);
    tc = tcase_create("programs");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, real_setup, real_teardown);
    tcase_add_test(tc, programs_are_asked);
    tcase_add_test(tc, a_program_that_is_missing);
    tcase_add_test(tc, a_program_that_is_not_waited_for);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
