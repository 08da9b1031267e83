/* Who may log on: passwords, LOGON BY, the wait after failed attempts, a terminal that is lost,
 * what USER and OPTION set for a session.
 * Run alone: tests/run unit/hyp_logon_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_internal.h"
#include "hyp/cp_terminal.h"
#include "hyp/password.h"
#include "tests/lib/cp_world.h"

#define BAD "HCPLGA050E LOGON unsuccessful--incorrect userid and/or password"
#define WELL "Endicott CP"

static char more_users[1024];

static void setup(void)
{
    char hash[DIR_PASSWORD_BYTES];
    struct cause cause;
    ck_assert_int_eq(directory_hash("hidden", "sha512", hash, &cause), ST_OK);
    snprintf(
        more_users, sizeof more_users,
        "USER HASHED %s\nUSER SHARED LBYONLY 1M 1M G 50 OFF ! ? ON\n LOGONBY GUEST HASHED NEVER\n"
        " OPTION CONCEAL\nUSER ROBOT AUTOONLY\n LOGONBY GUEST\nUSER BOTH OWN\n LOGONBY FREE\n"
        "USER FREE NOPASS\n",
        hash);
    cp_world_users = more_users;
    cp_world_setup();
}

static void teardown(void)
{
    cp_world_teardown();
    cp_world_users = "";
}

/* Of the response to the command, the first line. */
static void answers(const char *command, const char *start)
{
    const char *text = on(0, "", command);
    ck_assert_msg(!strncmp(text, start, strlen(start)), "%s: %s", command, text);
}

START_TEST(hashed)
{
    answers("LOGON HASHED WRONG", BAD);
    answers("LOGON HASHED hidden", WELL);
}
END_TEST

START_TEST(logon_by)
{
    answers("LOGON SHARED PASS", BAD);
    answers("LOGON SHARED BY GUEST WRONG", BAD);
    answers("LOGON SHARED BY GUEST PASS", WELL);
    ck_assert_ptr_nonnull(cp_user_find(cps[0], "SHARED"));
    ck_assert_ptr_null(cp_user_find(cps[0], "GUEST"));
    on(0, "SHARED", "DISC");
    answers("LOGON SHARED BY HASHED HIDDEN HERE", WELL);
    on(0, "SHARED", "LOGOFF");
}
END_TEST

/* By one who is not named, who may not log on, who has no password; to one who may not be. */
START_TEST(logon_by_refused)
{
    answers("LOGON SHARED BY LINUX1 SECRET", BAD);
    answers("LOGON SHARED BY NEVER NOLOG", BAD);
    answers("LOGON ROBOT BY GUEST PASS", BAD);
    answers("LOGON BOTH BY FREE X", BAD);
    answers("LOGON NOBODY BY GUEST PASS", BAD);
    answers("LOGON LINUX1 BY GUEST PASS", BAD);
    answers("LOGON SHARED BY", "HCPLGA020E");
    answers("LOGON SHARED BY GUEST X Y", "HCPCMD003E");
    ck_assert_uint_eq(cps[0]->user_count, 0);
}
END_TEST

/* A response that comes later. */
static int pending(const char *command, struct cp_response *late)
{
    cp_response_init(late);
    return cp_command(cps[0], "", command, late);
}

START_TEST(three_failures_delay)
{
    struct cp_response late;
    on(0, "", "LOGON OPERATOR OPER");
    for (int i = 0; i < 3; i++)
        answers("LOGON LINUX1 WRONG", BAD);
    ck_assert(console_has(0, "OPERATOR", "^3 LOGONS OF LINUX1 HAVE FAILED$"));
    answers("LOGON GUEST PASS", WELL); /* others do not wait */
    ck_assert_int_eq(pending("LOGON LINUX1 WRONG", &late), CP_PENDING);
    pass_time(CP_LOGON_WAIT_MS - 1);
    ck_assert(!late.done);
    pass_time(1);
    ck_assert(late.done && late.rc == 50);
    cp_response_fini(&late);
    ck_assert_int_eq(pending("LOGON LINUX1 SECRET", &late), CP_PENDING);
    ck_assert_ptr_null(cp_user_find(cps[0], "LINUX1"));
    pass_time(CP_LOGON_WAIT_MS);
    ck_assert(late.done && late.rc == 0);
    ck_assert_ptr_nonnull(cp_user_find(cps[0], "LINUX1"));
    cp_response_fini(&late);
    on(0, "LINUX1", "LOGOFF"); /* the right one has ended it */
    answers("LOGON LINUX1 SECRET", WELL);
}
END_TEST

/* Many at a time are looked at one after another, and only so many. */
START_TEST(attempts_wait_in_line)
{
    struct cp_response late[12];
    for (int i = 0; i < 3; i++)
        answers("LOGON LINUX1 WRONG", BAD);
    for (int i = 0; i < 12; i++)
        ck_assert_int_eq(pending("LOGON LINUX1 WRONG", &late[i]), CP_PENDING);
    answers("LOGON LINUX1 SECRET", "HCPLGA092E LOGON unsuccessful--too many attempts");
    for (int i = 0; i < 12; i++) {
        pass_time(CP_LOGON_WAIT_MS);
        ck_assert_int_eq(late[i].done, 1);
        ck_assert_int_eq(i < 11 && late[i + 1].done, 0);
        cp_response_fini(&late[i]);
    }
}
END_TEST

/* Unknown users wait as well, and nothing of what was typed is told. */
START_TEST(failures_are_forgotten)
{
    struct cp_response late;
    on(0, "", "LOGON OPERATOR OPER");
    for (int i = 0; i < 3; i++)
        answers("LOGON SESAME X", BAD);
    ck_assert(!console_has(0, "OPERATOR", "SESAME"));
    ck_assert_int_eq(pending("LOGON SESAME X", &late), CP_PENDING);
    pass_time(CP_LOGON_WAIT_MS);
    cp_response_fini(&late);
    pass_time(CP_LOGON_FORGET_MS + 1);
    answers("LOGON SESAME X", BAD);
}
END_TEST

/* CP ends while one waits. */
START_TEST(ends_while_one_waits)
{
    static struct cp_response late;
    for (int i = 0; i < 3; i++)
        answers("LOGON LINUX1 WRONG", BAD);
    ck_assert_int_eq(pending("LOGON LINUX1 SECRET", &late), CP_PENDING);
}
END_TEST

/* DISCONNECT_TIMEOUT: after the loss of a terminal, not after DISCONNECT; a logon ends it. */
START_TEST(lost_terminal)
{
    struct system_config *config = (struct system_config *)cp_config(cps[0]);
    config->features.logoff_timeout_s = 60;
    on(0, "", "LOGON OPERATOR OPER");
    on(0, "", "LOGON GUEST PASS");
    cp_terminal_lost(cps[0], "GUEST");
    ck_assert(console_has(0, "OPERATOR", "DISCONNECT GUEST +USERS = 2 FORCED BY SYSTEM"));
    pass_time(59999);
    answers("LOGON GUEST PASS", WELL);
    pass_time(60001);
    ck_assert_ptr_nonnull(cp_user_find(cps[0], "GUEST"));
    on(0, "GUEST", "DISC");
    cp_terminal_lost(cps[0], "GUEST"); /* it is gone already */
    pass_time(60001);
    ck_assert_ptr_nonnull(cp_user_find(cps[0], "GUEST"));
    answers("LOGON GUEST PASS", WELL);
    cp_terminal_lost(cps[0], "GUEST");
    pass_time(60000);
    ck_assert_ptr_null(cp_user_find(cps[0], "GUEST"));
    ck_assert(console_has(0, "OPERATOR", "LOGOFF AS  GUEST +USERS = 1 +FORCED BY SYSTEM"));
    config->features.logoff_timeout_s = 0;
    on(0, "", "LOGON GUEST PASS");
    cp_terminal_lost(cps[0], "GUEST");
    pass_time(100000000);
    ck_assert_ptr_nonnull(cp_user_find(cps[0], "GUEST"));
}
END_TEST

START_TEST(session_of_the_entry)
{
    answers("LOGON SHARED BY GUEST PASS", WELL);
    const struct cp_user *u = cp_user_find(cps[0], "SHARED");
    ck_assert_int_eq(u->terminal.linend, 0);
    ck_assert_int_eq(u->terminal.linedel, '!');
    ck_assert_int_eq(u->terminal.chardel, '?');
    ck_assert_int_eq(u->terminal.escape, '"');
    ck_assert(u->settings & CP_SET_CONCEAL);
    answers("LOGON GUEST PASS", WELL);
    u = cp_user_find(cps[0], "GUEST");
    ck_assert(u->terminal.linend == '#' && !(u->settings & CP_SET_CONCEAL));
}
END_TEST

static const struct {
    const char *typed, *shown;
} echoes[] = {
    {"SILENTLY LINK A 200 300 RR pw1", "SILENTLY LINK A 200 300 RR XXX"},
    {"SEND CP GUEST LINK A 200 300 RR pw1", "SEND CP GUEST LINK A 200 300 RR XXX"},
    {"SEND GUEST AT MEMBERB LOGON A pw1", "SEND GUEST AT MEMBERB LOGON A XXX"},
    {"CPU ALL LINK A 200 300 pw1", "CPU ALL LINK A 200 300 XXX"},
    {"SET PF3 IMMED LINK A 200 300 RR pw1", "SET PF3 IMMED LINK A 200 300 RR XXX"},
    {"SET MSG OFF", "SET MSG OFF"},
    {"TRACE SVC CMD LINK A 200 300 RR pw1", "TRACE SVC CMD LINK A 200 300 RR XXX"},
    {"TRACE SVC 1 RUN", "TRACE SVC 1 RUN"},
    {"DIRM FOR A AMDISK 300 FB-512 V-DISK 9 MR pw1 pw2",
     "DIRM FOR A AMDISK 300 FB-512 V-DISK 9 MR XXX XXX"},
    {"DIRM AMDISK 300 3390 1 9 VOL001 MR PW pw1", "DIRM AMDISK 300 3390 1 9 VOL001 MR PW XXX"},
    {"LOGON LINUX1 SECRET HERE", "LOGON LINUX1 XXXXXX HERE"},
    {"l linux1 by guest pass noipl", "l linux1 by guest XXXX noipl"},
    {"AUTOLOG LINUX1 SECRET", "AUTOLOG LINUX1 XXXXXX"},
    {"AUTOLOG LINUX1", "AUTOLOG LINUX1"},
    {"LINK GUEST 191 291 MR WORD", "LINK GUEST 191 291 MR XXXX"},
    {"link to guest 191 as 291 w pass= word", "link to guest 191 as 291 w pass= XXXX"},
    {"LINK GUEST 191 291 RR", "LINK GUEST 191 291 RR"},
    {"LINK GUEST 191 291 WORD", "LINK GUEST 191 291 XXXX"},
    {"DIRM FOR LINUX1 PW NEW", "DIRM FOR LINUX1 PW XXX"},
    {"DIRMAINT ADD A LIKE B PW NEW", "DIRMAINT ADD A LIKE B PW XXX"},
    {"DIRM FOR A AMDISK 191 3390 1 10 VOL001 MR PW R W",
     "DIRM FOR A AMDISK 191 3390 1 10 VOL001 MR PW X X"},
    {"DIRM FOR A AMDISK 191 3390 1 10 VOL001 MR R W",
     "DIRM FOR A AMDISK 191 3390 1 10 VOL001 MR X X"},
    {"DIRM FOR A STORAGE 1G", "DIRM FOR A STORAGE 1G"},
    {"CP AT MEMBERB CMD FOR X CMD LOGON A PASSWORD",
     "CP AT MEMBERB CMD FOR X CMD LOGON A XXXXXXXX"},
    {"Q TIME#LINK A 1 2 R PW#MSG OP SECRET", "Q TIME#LINK A 1 2 R XX#MSG OP SECRET"},
    {"#CP LINK A 1 2 R PW", "#CP LINK A 1 2 R XX"},
};

/* Consoles are kept, spooled and logged. */
START_TEST(no_password_on_a_console)
{
    char want[128] = "^", *to = want + 1;
    answers("LOGON GUEST PASS", WELL);
    ck_assert_int_eq(cp_console_input(cps[0], "GUEST", echoes[_i].typed), ST_OK);
    for (const char *p = echoes[_i].shown; *p; p++)
        *to++ = *p == '#' ? '.' : *p; /* nothing else means anything to a regular expression */
    strcpy(to, "$");
    ck_assert_msg(console_has(0, "GUEST", want), "%s", want);
    if (strcmp(echoes[_i].typed, echoes[_i].shown))
        ck_assert(!console_has(0, "GUEST", echoes[_i].typed));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hyp_logon");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, hashed);
    tcase_add_test(t, logon_by);
    tcase_add_test(t, logon_by_refused);
    tcase_add_test(t, three_failures_delay);
    tcase_add_test(t, attempts_wait_in_line);
    tcase_add_test(t, failures_are_forgotten);
    tcase_add_test(t, ends_while_one_waits);
    tcase_add_test(t, lost_terminal);
    tcase_add_test(t, session_of_the_entry);
    tcase_add_loop_test(t, no_password_on_a_console, 0, (int)ARRAY_LEN(echoes));
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
