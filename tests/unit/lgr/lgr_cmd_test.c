/* VMRELOCATE as it is typed: operands, defaults and what is wrong with them; answers, on whatever
 * member the guest is; MODIFY, CANCEL and CPHX while it is under way. CP with fake machines
 * (tests/lib/cp_world.h) over relocation with fake guests (tests/lib/lgr_world.h): MEMBERA is M0.
 * Run alone: tests/run unit/lgr_cmd_test */
#include "tests/lib/lgr_cmd_world.h"

static void setup(void)
{
    relocations_setup(false);
}

static bool has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fprintf(stderr, "no \"%s\" in: %s\n", part, text);
    return strstr(text, part);
}

/* An operand that is missing, wrong, given twice, or that another one excludes. */
static const struct {
    const char *operands;
    int rc;
    const char *text;
} bad[] = {
    {"", 26, "HCPCMD026E"},
    {"MOVE", 26, "HCPCMD026E"},
    {"MOVE USER", 26, "HCPCMD026E"},
    {"MOVE LINUX1", 26, "HCPCMD026E"},
    {"MOVE LINUX1 TO", 26, "HCPCMD026E"},
    {"MOVE LINUX1234 M0", 2, "HCPCMD002E Invalid operand - LINUX1234"},
    {"MOVE LINUX1 TO MEMBERABC", 2, "HCPCMD002E Invalid operand - MEMBERABC"},
    {"MOVE LINUX1 M0 SIDEWAYS", 3, "HCPCMD003E Invalid option - SIDEWAYS"},
    {"MOVE LINUX1 M0 SYNC ASYNC", 13, "HCPCMD013E Conflicting option - ASYNC"},
    {"MOVE LINUX1 M0 ASYNC SYNC", 13, "HCPCMD013E Conflicting option - SYNC"},
    {"MOVE LINUX1 M0 IMMEDIATE IMMEDIATE", 13, "HCPCMD013E"},
    {"MOVE LINUX1 M0 MAXT", 26, "HCPCMD026E"},
    {"MOVE LINUX1 M0 MAX 5 SEC", 3, "HCPCMD003E Invalid option - MAX"},
    {"MOVE LINUX1 M0 MAXTOTAL 5", 26, "HCPCMD026E"},
    {"MOVE LINUX1 M0 MAXTOTAL 0 SEC", 2, "HCPCMD002E Invalid operand - 0"},
    {"MOVE LINUX1 M0 MAXTOTAL -1 SEC", 2, "HCPCMD002E Invalid operand - -1"},
    {"MOVE LINUX1 M0 MAXTOTAL 1.5 SEC", 2, "HCPCMD002E Invalid operand - 1.5"},
    {"MOVE LINUX1 M0 MAXTOTAL 100000000 SEC", 2, "HCPCMD002E"},
    {"MOVE LINUX1 M0 MAXTOTAL 99999999999999999999999 SEC", 2, "HCPCMD002E"},
    {"MOVE LINUX1 M0 MAXTOTAL 5 MIN", 2, "HCPCMD002E Invalid operand - MIN"},
    {"MOVE LINUX1 M0 MAXTOTAL 5 SEC MAXTOTAL NOLIMIT", 13, "HCPCMD013E"},
    {"MOVE LINUX1 M0 FORCE", 26, "HCPCMD026E"},
    {"MOVE LINUX1 M0 FORCE ASYNC", 26, "HCPCMD026E"},
    {"MOVE LINUX1 M0 FORCE STORAGE STORAGE", 13, "HCPCMD013E"},
    {"MOVE LINUX1 M0 FORCE STORAGE FORCE DOMAIN", 13, "HCPCMD013E"},
    {"TEST LINUX1 M0 IMMEDIATE", 3, "HCPCMD003E Invalid option - IMMEDIATE"},
    {"LINUX1 M0 FORCE STORAGE", 3, "HCPCMD003E Invalid option - FORCE"},
    {"MOVE NOBODY M0", 45, "HCPRLU045E NOBODY not logged on"},
    {"CANCEL", 26, "HCPCMD026E"},
    {"CANCEL LINUX1 NOW", 3, "HCPCMD003E Invalid option - NOW"},
    {"CANCEL LINUX1", 1926, "HCPRLU1926E"},
    {"MODIFY LINUX1", 26, "HCPCMD026E"},
    {"MODIFY LINUX1 ASYNC", 3, "HCPCMD003E Invalid option - ASYNC"},
    {"MODIFY LINUX1 MAXQ 5", 26, "HCPCMD026E"},
    {"MODIFY LINUX1 MAXQ NOLIMIT MAXQ NOLIMIT", 13, "HCPCMD013E"},
    {"MODIFY LINUX1 MAXQ 5 SEC", 1926, "HCPRLU1926E"},
    {"STATUS SIDEWAYS", 2, "HCPCMD002E Invalid operand - SIDEWAYS"},
    {"STATUS USER", 26, "HCPCMD026E"},
    {"STATUS INCOMING OUTGOING", 13, "HCPCMD013E Conflicting option - OUTGOING"},
    {"STATUS USER LINUX1", 1926, "HCPRLU1926E"},
};

START_TEST(bad_operands)
{
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
        for (int member = 0; member < 2; member++) {
            char command[128];
            snprintf(command, sizeof command, "VMRELOCATE %s", bad[i].operands);
            if (member)
                on(1, "", "LOGON OPERATOR OPER");
            const char *got = on(member, "OPERATOR", command);
            ck_assert_msg(!strncmp(got, bad[i].text, strlen(bad[i].text)), "%s: %s", command,
                          got);
            ck_assert_msg(resp.rc == bad[i].rc, "%s: %d", command, resp.rc);
        }
    on(1, "LINUX1", "VMRELOCATE LINUX1 M0"); /* class A only */
    ck_assert_int_ne(resp.rc, 0);
}
END_TEST

/* What each way of writing it comes to: options in any order, shortest forms, defaults. */
START_TEST(operands_and_defaults)
{
    static const struct {
        const char *operands, *details;
    } good[] = {
        {"MOVE LINUX1 M0", "SYNCHRONOUS MAXTOTAL NOLIMIT MAXQUIESCE 10 SEC|"},
        {"MOVE USER LINUX1 TO M0 IMMEDIATE",
         "SYNCHRONOUS IMMEDIATE MAXTOTAL NOLIMIT MAXQUIESCE NOLIMIT|"},
        {"MOVE LINUX1 M0 MAXQ 7 SEC IMMEDIATE SYNC",
         "SYNCHRONOUS IMMEDIATE MAXTOTAL NOLIMIT MAXQUIESCE 7 SEC|"},
        {"move user linux1 m0 maxt 99999999 sec maxq 1500 msec",
         "SYNCHRONOUS MAXTOTAL 99999999 SEC MAXQUIESCE 1500 MSEC|"},
        {"MOVE LINUX1 TO M0 FORCE STORAGE ARCHITECTURE DOMAIN IMMEDIATE MAXTOTAL 9 SEC",
         "IMMEDIATE MAXTOTAL 9 SEC MAXQUIESCE NOLIMIT|  FORCE ARCHITECTURE DOMAIN STORAGE|"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(good); i++) {
        char command[128];
        snprintf(command, sizeof command, "VMRELO %s", good[i].operands);
        begin(0, command);
        const char *got = oper("VMRELOCATE STATUS USER LINUX1 DETAILS");
        ck_assert_msg(has(got, good[i].details), "%s", command);
        ck_assert(has(oper("VMRELOCATE CANCEL LINUX1"), "has been canceled"));
        ck_assert(has(ended(), "RC=0000-01"));
    }
}
END_TEST

/* Typed on the member where the guest is, and on the other one: the same answers. */
START_TEST(answers_are_the_same_everywhere)
{
    on(1, "", "LOGON OPERATOR OPER");
    for (int member = 0; member < 2; member++) {
        begin(member, "VMRELOCATE LINUX1 M0");
        ck_assert_str_eq(ended(), "User LINUX1 is eligible for relocation to M0");
        begin(member, "VMRELOCATE MOVE LINUX1 TO M0");
        ck_assert_str_eq(on(member, "OPERATOR", "VMRELOCATE STATUS USER LINUX1"),
                         "User     From     To       By       Elapsed  Status|"
                         "LINUX1   M1       M0       OPERATOR 00:00:00 Eligibility");
        ck_assert(has(on(member, "OPERATOR", "VMRELOCATE MOVE LINUX1 M0"), "HCPRLU1925E"));
        is(on(member, "OPERATOR", "VMRELOCATE MODIFY LINUX1 MAXTOTAL 50 MSEC"),
           "Limits of the relocation of LINUX1 have been changed");
        ck_assert(has(on(member, "OPERATOR", "VMRELOCATE STATUS USER LINUX1 DETAILS"),
                      "MAXTOTAL 50 MSEC MAXQUIESCE 10 SEC"));
        is(on(member, "OPERATOR", "VMRELOCATE CANCEL USER LINUX1"),
           "Relocation of LINUX1 has been canceled");
        ck_assert(has(ended(), "HCPRLX1937E Relocation of LINUX1 to M0 has ended, "
                               "RC=0000-01: canceled by OPERATOR"));
        CHECK(w, running(w, 1, 0));
    }
}
END_TEST

START_TEST(status_is_about_this_member)
{
    is(oper("VMRELOCATE STATUS"), "No relocation is in progress");
    begin(0, "VMRELOCATE MOVE LINUX1 M0 MAXQUIESCE NOLIMIT");
    while (!w->actors[0].lgr->active)
        world_step(w);
    ck_assert(has(oper("VMRELOCATE STATUS"), "LINUX1   M1       M0       OPERATOR"));
    ck_assert(has(oper("VMRELOCATE STATUS INCOMING"), "LINUX1"));
    is(oper("VMRELOCATE STATUS OUTGOING"), "No relocation is in progress");
    const char *all = oper("AT ALL CMD VMRELOCATE STATUS ALL");
    ck_assert(has(all, "MEMBERA : LINUX1") && has(all, "MEMBERB : LINUX1"));
    ck_assert(has(ended(), "User LINUX1 has been relocated from M1 to M0"));
    CHECK(w, running(w, 0, 0));
}
END_TEST

/* What the rules of capacity found, the latest check first, and how long the destination, short of
 * memory, has had its source wait; both sides, while it is under way and afterwards. */
START_TEST(details_tell_of_memory)
{
    char said[8192];
    struct fake *g = &w->actors[1].guest[0];
    for (u64 at = 0; at < g->st->size; at += FRAME_BYTES) {
        u64 value = at * 6364136223846793005ull + 1;
        storage_write(g->st, at, &value, 8);
    }
    begin(0, "VMRELOCATE MOVE LINUX1 M0 FORCE STORAGE");
    while (!w->actors[0].lgr->active)
        world_step(w);
    w->room.paging_bytes = w->room.real_bytes;
    w->room.paging_free_bytes = 1u << 19; /* less than all of it */
    struct rlobk *r = w->actors[0].lgr->active;
    r->v.holds = 1; /* as dest_hold_look does; lgr_fit_test has the rest */
    r->hold.on = true;
    r->hold.since_ns = lgr_now(w->actors[0].lgr) - 1500000000;
    snprintf(said, sizeof said, "%s", oper("VMRELOCATE STATUS USER LINUX1 DETAILS"));
    ck_assert(has(said, "|  Fit 0: now 1M, maximum 1M of 2048M; pageable 1M of 0M; X'00'"));
    ck_assert(has(said, "|  The destination had no memory 1 times, 1500.0 ms"));
    r->hold.on = false;
    r->v.held_ns = 1500000000;
    ck_assert(has(ended(), "has been relocated"));
    snprintf(said, sizeof said, "%s", oper("VMRELOCATE STATUS DETAILS"));
    ck_assert(has(said, "pageable 1M of 0M; X'80' forced|"));
    ck_assert(has(said, "|  Fit 0: now 1M, maximum 1M of 2048M; pageable 1M of 0M; X'00'"));
    ck_assert(has(said, "|  The destination had no memory 1 times, 1500.0 ms"));
    on(1, "", "LOGON OPERATOR OPER");
    ck_assert(has(on(1, "OPERATOR", "VMRELOCATE STATUS DETAILS"),
                  "pageable 1M of 0M; X'80' forced|"));
}
END_TEST

/* Both sides remember what has ended, the latest first, and so many of them. */
START_TEST(history)
{
    is(oper("QUERY RELOCATION HISTORY"), "No relocation has ended");
    REFUSED(oper("QUERY RELOCATION"), 26, "HCPCMD026E");
    REFUSED(oper("QUERY RELOCATION FUTURE"), 2, "HCPCMD002E Invalid operand - FUTURE");
    REFUSED(oper("QUERY RELOCATION HISTORY USER"), 26, "HCPCMD026E");
    begin(0, "VMRELOCATE MOVE LINUX1 M0 MAXTOTAL 9 SEC");
    while (!w->actors[0].lgr->active)
        world_step(w);
    oper("VMRELOCATE CANCEL LINUX1");
    ended();
    begin(0, "VMRELOCATE MOVE LINUX1 M0");
    ck_assert(has(ended(), "has been relocated"));
    for (int member = 0; member < 2; member++) {
        const char *got = on(member, "OPERATOR", "QUERY RELOC HIST");
        ck_assert_ptr_nonnull(strstr(got, member ? "OPERATOR Out 0" : "OPERATOR In  0"));
        ck_assert(has(got, "   00|LINUX1 ") && !strcmp(got + strlen(got) - 2, "01"));
        is(on(member, "OPERATOR", "QUERY RELOC HIST USER LINUX2"), "No relocation has ended");
        got = on(member, "OPERATOR", "QUERY RELOC HISTORY DETAILS");
        ck_assert(has(got, "SYNCHRONOUS MAXTOTAL 9 SEC MAXQUIESCE 10 SEC"));
        ck_assert(has(got, "Ended with code 01: canceled by OPERATOR"));
        ck_assert(has(got, "Pass "));
        if (member)
            on(1, "", "LOGON OPERATOR OPER");
    }
    is(oper("QUERY RELOCATION HISTORY OUTGOING"), "No relocation has ended");
    ck_assert(has(oper("QUERY RELOCATION HISTORY INCOMING"), "LINUX1"));
    for (unsigned i = 0; i < LGR_HISTORY_MAX + 2; i++) {
        unsigned here = running(w, 0, 0) ? 0 : 1;
        const struct lgr_options o = {.immediate = true};
        CHECK(w, user_move(&w->actors[here], 0, !here, &o) == ST_OK);
        while (w->actors[0].lgr->active || w->actors[1].lgr->active)
            world_step(w);
    }
    oper("QUERY RELOCATION HISTORY");
    ck_assert_uint_eq(resp.line_count, 1 + LGR_HISTORY_MAX);
}
END_TEST

static void no_news(void *ctx)
{
    (void)ctx;
}

static void tells(struct event_reader *r, enum event_id id, const char *system, unsigned code)
{
    struct event event;
    u64 missed;
    ck_assert(events_read(r, &event, &missed));
    ck_assert_int_eq(event.id, id);
    ck_assert_str_eq(event.user, "LINUX1");
    ck_assert_str_eq(event.system, system);
    ck_assert_uint_eq(event.code, code);
}

/* Each side tells of its own: that it has begun, and how it has ended; a TEST tells nothing. */
START_TEST(events)
{
    struct event_reader *to = events_subscribe(cp_events(cps[0]), 0, no_news, NULL);
    struct event_reader *from = events_subscribe(cp_events(cps[1]), 0, no_news, NULL);
    struct event none;
    u64 missed;
    begin(0, "VMRELOCATE TEST LINUX1 M0");
    ended();
    begin(0, "VMRELOCATE MOVE LINUX1 M0");
    while (!w->actors[0].lgr->active)
        world_step(w);
    oper("VMRELOCATE CANCEL LINUX1");
    ended();
    while (w->actors[0].lgr->active)
        world_step(w);
    tells(from, EVENT_OUT_STARTED, "M0", LGR_ACTIVE);
    tells(from, EVENT_OUT_ENDED, "M0", LGR_CANCELLED);
    tells(to, EVENT_IN_STARTED, "M1", LGR_ACTIVE);
    tells(to, EVENT_IN_ENDED, "M1", LGR_CANCELLED);
    begin(0, "VMRELOCATE MOVE LINUX1 M0");
    ended();
    tells(from, EVENT_OUT_STARTED, "M0", LGR_ACTIVE);
    tells(from, EVENT_OUT_DONE, "M0", LGR_COMPLETED);
    tells(to, EVENT_IN_STARTED, "M1", LGR_ACTIVE);
    tells(to, EVENT_IN_DONE, "M1", LGR_COMPLETED);
    ck_assert(!events_read(from, &none, &missed) && !events_read(to, &none, &missed));
    events_unsubscribe(from);
    events_unsubscribe(to);
}
END_TEST

/* The command is halted where it was typed, the relocation where the guest is. */
START_TEST(cphx_ends_the_relocation)
{
    begin(0, "VMRELOCATE MOVE LINUX1 M0");
    while (!w->actors[0].lgr->active)
        world_step(w);
    is(oper("CPHX"), "1 command(s) of OPERATOR halted");
    ck_assert(has(ended(), "RC=0000-02: halted by CPHX"));
    begin(0, "AT MEMBERB CMD VMRELOCATE MOVE LINUX1 M0");
    is(oper("CPHX"), "1 command(s) of OPERATOR halted");
    ck_assert(has(ended(), "RC=0000-02: halted by CPHX"));
    CHECK(w, running(w, 1, 0) && w->actors[1].lgr->active == NULL);
}
END_TEST

/* Typed at a console while the command that was typed before has not ended: both are answered
 * there, and other commands meanwhile. */
START_TEST(cphx_is_typed)
{
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(cp_console_input(cps[0], "OPERATOR",
                                          i ? "#CP VMRELOCATE MOVE LINUX1 M0 SYNCHRONOUS"
                                            : "#cp vmrelocate move linux1 m0"),
                         ST_OK);
        while (!w->actors[0].lgr->active)
            world_step(w);
        ck_assert(console_has(0, "OPERATOR", "^Relocation of LINUX1 from M1 to M0 started$") ||
                  !i);
        cp_console_input(cps[0], "OPERATOR", "#CP QUERY USERID");
        ck_assert(console_has(0, "OPERATOR", "^OPERATOR AT MEMBERA$"));
        cp_console_input(cps[0], "OPERATOR", i ? "#CP CPHX OPERATOR" : "#CP CPHX");
        ck_assert(console_has(0, "OPERATOR", "^1 command.s. of OPERATOR halted$"));
        while (w->actors[0].lgr->active || w->actors[1].lgr->active)
            world_step(w);
        ck_assert(console_has(0, "OPERATOR",
                              "^HCPRLX1937E Relocation of LINUX1 to M0 has ended, "
                              "RC=0000-02: halted by CPHX$"));
        CHECK(w, running(w, 1, 0));
    }
    struct lgr_view v;
    ck_assert(lgr_core_status(w->actors[1].lgr, 0, &v) && v.code == LGR_CPHX);
    ck_assert(lgr_core_status(w->actors[1].lgr, 1, &v) && v.code == LGR_CPHX);
}
END_TEST

/* A guest that has issued it by itself cannot be moved before it is answered: it would wait for
 * itself. It may TEST, and ask for it without waiting; so may who types it for the guest. */
START_TEST(a_guest_does_not_wait_for_itself)
{
    w->waits = true;
    cp_response_init(&move);
    cp_command_as(cps[1], "LINUX1", CP_CLASS('A'), "VMRELOCATE MOVE LINUX1 M0", &move);
    ck_assert(move.done && move.rc == 1938);
    ck_assert_str_eq(ended(), "HCPRLU1938E LINUX1 cannot wait for its own relocation; "
                              "use ASYNCHRONOUS");
    ck_assert_ptr_null(w->actors[1].lgr->active);
    cp_response_init(&move);
    cp_command_as(cps[1], "LINUX1", CP_CLASS('A'), "VMRELOCATE TEST LINUX1 M0", &move);
    ck_assert_str_eq(ended(), "User LINUX1 is eligible for relocation to M0");
    cp_response_init(&move);
    cp_command_as(cps[1], "LINUX1", CP_CLASS('A'), "VMRELOCATE MOVE LINUX1 M0 ASYNC", &move);
    ck_assert_str_eq(ended(), "Relocation of LINUX1 from M1 to M0 started");
    while (w->actors[1].lgr->active)
        world_step(w);
    CHECK(w, running(w, 0, 0));
}
END_TEST

/* What is asynchronous ends at the console of who typed it, on that member. */
START_TEST(news_come_to_who_asked)
{
    on(1, "", "LOGON OPERATOR OPER");
    begin(0, "VMRELOCATE MOVE LINUX1 M0 ASYNCHRONOUS");
    ck_assert_str_eq(ended(), "Relocation of LINUX1 from M1 to M0 started");
    while (w->actors[1].lgr->active)
        world_step(w);
    ck_assert(console_has(0, "OPERATOR", "^User LINUX1 has been relocated from M1 to M0$"));
    ck_assert(!console_has(1, "OPERATOR", "LINUX1 has been relocated"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lgr_cmd");
    TCase *tc = tcase_create("cmd");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, bad_operands);
    tcase_add_test(tc, operands_and_defaults);
    tcase_add_test(tc, answers_are_the_same_everywhere);
    tcase_add_test(tc, status_is_about_this_member);
    tcase_add_test(tc, history);
    tcase_add_test(tc, events);
    tcase_add_test(tc, cphx_ends_the_relocation);
    tcase_add_test(tc, cphx_is_typed);
    tcase_add_test(tc, a_guest_does_not_wait_for_itself);
    tcase_add_test(tc, details_tell_of_memory);
    tcase_add_test(tc, news_come_to_who_asked);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
