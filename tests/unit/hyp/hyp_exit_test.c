/* CP exits: programs that are asked, what becomes of their answers, programs that do not work; and
 * the commands that say which are called. Run alone: tests/run unit/hyp_exit_test */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hyp/exit/exit_internal.h"
#include "tests/lib/cp_world.h"

static char folder[] = "/tmp/exits.XXXXXX";
static struct exits *x;

static void setup(void)
{
    cp_world_setup();
    on(0, "", "LOGON OPERATOR OPER");
    strcpy(strrchr(folder, '.'), ".XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    x = cp_exits(cps[0]);
    snprintf(x->folder, sizeof x->folder, "%s", folder);
}

static void teardown(void)
{
    char command[64];
    cp_world_teardown();
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static void program(const char *name, int mode, const char *text)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    ck_assert_int_eq(chmod(path, (mode_t)mode), 0);
}

static struct exit_result said;
static unsigned answers;

static void done(void *arg, const struct exit_result *result)
{
    ck_assert_ptr_eq(arg, &said);
    said = *result;
    answers++;
}

static struct exit_run *ask(void)
{
    static const char facts[][EXIT_FACT_BYTES] = {"EXIT_USER=LINUX1", "EXIT_TO=MEMBERB"};
    said = (struct exit_result){.verdict = EXIT_FAILED};
    answers = 0;
    return exits_run(x, EXIT_LGR_ELIGIBLE, facts, 2, done, &said);
}

/* Until the thread's note has come. */
static void until(unsigned wanted)
{
    while (answers < wanted)
        if (!run_notes())
            poll(NULL, 0, 1);
}

static const char *answer(const char *names)
{
    char command[128];
    snprintf(command, sizeof command, "ASSOCIATE EXIT 1230 REPLACE ENABLE EPNAME %s", names);
    oper(command);
    ck_assert_ptr_nonnull(ask());
    ck_assert_uint_eq(answers, 0); /* never from inside */
    until(1);
    return said.text;
}

#define SAYS(names, what, line)                                                                \
    do {                                                                                       \
        ck_assert_str_eq(answer(names), line);                                                 \
        ck_assert_int_eq(said.verdict, what);                                                  \
    } while (0)

START_TEST(what_programs_answer)
{
    program("YES", 0755, "#!/bin/sh\necho talks anyway\n");
    program("NO", 0755,
            "#!/bin/sh\necho; echo \"$EXIT_USER not to $EXIT_TO\"; echo more\nexit 4\n");
    program("MUTE", 0755, "#!/bin/sh\nexit 1\n");
    program("ERROR", 0755, "#!/bin/sh\necho said on the other one >&2\nexit 125\n");
    SAYS("YES", EXIT_GO_ON, "");
    SAYS("NO", EXIT_REJECTED, "NO: LINUX1 not to MEMBERB");
    SAYS("MUTE", EXIT_REJECTED, "MUTE: exit status 1");
    SAYS("ERROR", EXIT_REJECTED, "ERROR: said on the other one");
    /* In their order, until one does not say "go on". */
    SAYS("YES YES", EXIT_GO_ON, "");
    SAYS("YES NO MUTE", EXIT_REJECTED, "NO: LINUX1 not to MEMBERB");
    SAYS("YES MUTE NO", EXIT_REJECTED, "MUTE: exit status 1");
}
END_TEST

/* An exit that is out of order lets nobody through. */
START_TEST(programs_that_do_not_work)
{
    program("SIGNAL", 0755, "#!/bin/sh\necho ouch\nkill -9 $$\n");
    program("STATUS", 0755, "#!/bin/sh\nexit 126\n");
    program("NOTFOUND", 0755, "#!/bin/sh\nno-such-program-here 2>/dev/null\n");
    program("PLAIN", 0644, "#!/bin/sh\nexit 0\n");
    program("NOTHING", 0755, "neither a script nor a program\n");
    SAYS("SIGNAL", EXIT_FAILED, "SIGNAL: ended by signal 9: ouch");
    SAYS("STATUS", EXIT_FAILED, "STATUS: exit status 126");
    SAYS("NOTFOUND", EXIT_FAILED, "NOTFOUND: exit status 127");
    SAYS("MISSING", EXIT_FAILED, "MISSING: No such file or directory");
    SAYS("PLAIN", EXIT_FAILED, "PLAIN: Permission denied");
    SAYS("NOTHING", EXIT_FAILED, "NOTHING: Exec format error");
}
END_TEST

/* Bytes that are no text, a line without end, megabytes: one printable line is told of it. */
START_TEST(garbage)
{
    program("BYTES", 0755, "#!/bin/sh\nprintf 'a\\033[2Jb\\377\\tc'\nexit 2\n");
    program("LONG", 0755, "#!/bin/sh\nhead -c 3000000 /dev/zero | tr '\\0' x\nexit 3\n");
    SAYS("BYTES", EXIT_REJECTED, "BYTES: a.[2Jb..c");
    answer("LONG");
    ck_assert_int_eq(said.verdict, EXIT_REJECTED);
    ck_assert_ptr_nonnull(strstr(said.text, "LONG: xxx"));
    ck_assert_uint_lt(strlen(said.text), EXIT_TEXT_BYTES);
}
END_TEST

/* Not gone, nor waiting for who waits for it. */
static bool lives(int pid)
{
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    bool there = file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1;
    if (file)
        fclose(file);
    return there && state != 'Z' && state != 'X';
}

/* What has not ended in time is killed, with what it has started. */
START_TEST(programs_that_hang)
{
    char path[96], want[64];
    int pid = 0;
    program("HANG", 0755, "#!/bin/sh\nsleep 1000 &\necho $! >\"$0.pid\"\nwait\n");
    snprintf(path, sizeof path, "%s/HANG.pid", folder);
    for (x->limit_ms = 200; !pid; x->limit_ms += 200) { /* until it got so far on a busy host */
        snprintf(want, sizeof want, "HANG: it has not ended in %u %s",
                 x->limit_ms < 1000 ? x->limit_ms : x->limit_ms / 1000,
                 x->limit_ms < 1000 ? "ms" : "seconds");
        SAYS("HANG", EXIT_FAILED, want);
        FILE *file = fopen(path, "r");
        if (file && fscanf(file, "%d", &pid) != 1)
            pid = 0;
        if (file)
            fclose(file);
    }
    while (lives(pid)) /* killed, with who has started it */
        poll(NULL, 0, 1);
    ck_assert_ptr_nonnull(strstr(oper("QUERY EXITS 1230"), "REJECTED 0 FAILED "));
    ck_assert_ptr_nonnull(strstr(oper("QUERY EXITS 1230"), "|  EPNAME HANG"));
}
END_TEST

/* What a program has started may go on, and keep its output open: that is not waited for. */
START_TEST(who_stays_behind_is_not_waited_for)
{
    program("LEAVES", 0755,
            "#!/bin/sh\nsleep 1000 &\necho $! >\"$0.pid\"\necho gone\nexit 9\n");
    SAYS("LEAVES", EXIT_REJECTED, "LEAVES: gone");
    char command[128];
    snprintf(command, sizeof command, "kill $(cat %s/LEAVES.pid)", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

/* Several at once; one is forgotten and killed; those left when the member ends tell nobody. */
START_TEST(forgotten)
{
    program("SLOW", 0755, "#!/bin/sh\nwhile [ ! -e \"$0.go\" ]; do sleep 0.01; done\nexit 5\n");
    oper("ASSOCIATE EXIT 1230 ENABLE EPNAME SLOW");
    struct exit_run *first = ask(), *second = ask();
    ck_assert(first && second && first != second);
    ck_assert_ptr_nonnull(strstr(oper("QUERY EXITS ALL"), "  2 running"));
    exits_forget(first);
    program("SLOW.go", 0644, "");
    until(1);
    ck_assert_str_eq(said.text, "SLOW: exit status 5");
    while (strstr(oper("QUERY EXITS ALL"), "running"))
        if (!run_notes())
            poll(NULL, 0, 1);
    ck_assert_uint_eq(answers, 1);
    char path[96];
    snprintf(path, sizeof path, "%s/SLOW.go", folder);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_ptr_nonnull(ask()); /* teardown finds it under way */
}
END_TEST

START_TEST(commands)
{
    program("A", 0755, "#!/bin/sh\n");
    program("B", 0755, "#!/bin/sh\n");
    REFUSED(oper("QUERY EXITS 1230"), 2752, "HCPEXI2752E CP exit 1230 has no entry points");
    is(oper("QUERY EXITS ALL"),
       "EXIT 1230 DISABLED CALLS 0 REJECTED 0 FAILED 0  VMRELOCATE eligibility checks|"
       "EXIT 1231 DISABLED CALLS 0 REJECTED 0 FAILED 0  VMRELOCATE destination restart");
    is(oper("ASSOCIATE EXIT 1230 EPNAME A"), "COMMAND COMPLETE");
    ck_assert(!exits_active(x, EXIT_LGR_ELIGIBLE)); /* DISABLE is the default */
    is(oper("ENABLE EXITS 1230"), "COMMAND COMPLETE");
    ck_assert(exits_active(x, EXIT_LGR_ELIGIBLE) && !exits_active(x, EXIT_LGR_RESTART));
    REFUSED(oper("ASSOC EXIT 1230 EPNAME B"), 1978, "HCPEXI1978E");
    is(oper("ASSOC EX 1230 EN PRECEDING EPN B"), "COMMAND COMPLETE");
    is(oper("ASSOC EX 1230 F EN EPN C"),
       "COMMAND COMPLETE|"
       "HCPEXI1977W CP exit 1230: exits/C cannot be called--No such file or directory");
    is(oper("QUERY EXITS 1230"),
       "EXIT 1230 ENABLED  CALLS 0 REJECTED 0 FAILED 0  VMRELOCATE eligibility checks|"
       "  EPNAME B|  EPNAME A|  EPNAME C  exits/C: No such file or directory");
    is(oper("DISABLE EXITS ALL"), "COMMAND COMPLETE");
    ck_assert(!exits_active(x, EXIT_LGR_ELIGIBLE));
    is(oper("ENABLE EXITS 1000-1FFF"), "COMMAND COMPLETE");
    ck_assert(exits_active(x, EXIT_LGR_ELIGIBLE) && !exits_active(x, EXIT_LGR_RESTART));
    is(oper("DISASSOC EXIT 1230"), "COMMAND COMPLETE");
    ck_assert(!exits_active(x, EXIT_LGR_ELIGIBLE));
    is(oper("ASSOCIATE EXIT 1231 REPLACE EPNAME A A A A A A A A"), "COMMAND COMPLETE");
    REFUSED(oper("ASSOCIATE EXIT 1231 F EPNAME A"), 1979,
            "HCPEXI1979E CP exit 1231 can have 8");
    REFUSED(oper("ASSOCIATE EXIT 1231 REP EPN A A A A A A A A A"), 1979, "HCPEXI1979E");
}
END_TEST

START_TEST(bad_commands)
{
    static const struct {
        const char *command;
        int rc;
        const char *text;
    } bad[] = {
        {"ASSOCIATE", 26, "HCPCMD026E"},
        {"ASSOCIATE MESSAGES", 3, "HCPCMD003E"},
        {"ASSOCIATE EXIT", 26, "HCPCMD026E"},
        {"ASSOCIATE EXIT 4711 EPNAME A", 1976, "HCPEXI1976E 4711 is not the number of"},
        {"ASSOCIATE EXIT XYZ EPNAME A", 1976, "HCPEXI1976E XYZ is not"},
        {"ASSOCIATE EXIT 1230", 26, "HCPCMD026E"},
        {"ASSOCIATE EXIT 1230 EPNAME", 26, "HCPCMD026E"},
        {"ASSOCIATE EXIT 1230 SIDEWAYS EPNAME A", 3, "HCPCMD003E Invalid option - SIDEWAYS"},
        {"ASSOCIATE EXIT 1230 REPLACE FOLLOWING EPNAME A", 13, "HCPCMD013E"},
        {"ASSOCIATE EXIT 1230 ENABLE DISABLE EPNAME A", 13, "HCPCMD013E"},
        {"ASSOCIATE EXIT 1230 EPNAME ../SH", 2, "HCPCMD002E Invalid operand - ../SH"},
        {"ASSOCIATE EXIT 1230 EPNAME /BIN/SH", 2, "HCPCMD002E Invalid operand - /BIN/SH"},
        {"ASSOCIATE EXIT 1230 EPNAME NINECHARS", 2, "HCPCMD002E"},
        {"ASSOCIATE EXIT 1230 EPNAME 1A", 2, "HCPCMD002E Invalid operand - 1A"},
        {"DISASSOCIATE EXIT", 26, "HCPCMD026E"},
        {"DISASSOCIATE EXIT 1230 1231", 3, "HCPCMD003E Invalid option - 1231"},
        {"ENABLE EXITS", 26, "HCPCMD026E"},
        {"ENABLE EXITS 4711", 1976, "HCPEXI1976E"},
        {"ENABLE EXITS 4711-4712", 1976, "HCPEXI1976E that range"},
        {"DISABLE EXITS 1230-", 1976, "HCPEXI1976E"},
        {"QUERY EXITS", 26, "HCPCMD026E"},
        {"QUERY EXITS 0", 1976, "HCPEXI1976E 0 is not"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        const char *got = oper(bad[i].command);
        ck_assert_msg(resp.rc == bad[i].rc && !strncmp(got, bad[i].text, strlen(bad[i].text)),
                      "%s: %d %s", bad[i].command, resp.rc, got);
    }
    ck_assert(!exits_active(x, EXIT_LGR_ELIGIBLE) && !exits_active(x, EXIT_LGR_RESTART));
    on(0, "", "LOGON LINUX1 SECRET"); /* class A only */
    on(0, "LINUX1", "ASSOCIATE EXIT 1230 EPNAME A");
    ck_assert_int_eq(resp.rc, 1);
    on(0, "LINUX1", "ENABLE EXITS ALL");
    ck_assert_int_ne(resp.rc, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_exit");
    TCase *tc = tcase_create("exit");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, what_programs_answer);
    tcase_add_test(tc, programs_that_do_not_work);
    tcase_add_test(tc, garbage);
    tcase_add_test(tc, programs_that_hang);
    tcase_add_test(tc, who_stays_behind_is_not_waited_for);
    tcase_add_test(tc, forgotten);
    tcase_add_test(tc, commands);
    tcase_add_test(tc, bad_commands);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
