/* QUERY SECUSER, OBSERVER, BYUSER, SIGNALS, LOGMSG, and what sets them: words of the answers, who
 * may ask about whom, bad operands. Run alone: tests/run unit/hyp_query_user_test */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/cp_world.h"

static void setup(void)
{
    cp_world_users = "USER SECOND PW 64M 64M G\nUSER BYTHEM PW 64M 64M G\n LOGONBY SECOND\n"
                     "USER FIRST PW 64M 64M G\n CONSOLE 009 3215 T SECOND\n";
    cp_world_setup();
    oper("LOGON OPERATOR OPER");
    on(0, "", "LOGON GUEST PASS");
}

#define HAS(text, part) ck_assert_msg(strstr(text, part) != NULL, "%s lacks %s", text, part)
#define IS(answer, text) ck_assert_str_eq(answer, text)

START_TEST(secondary_users)
{
    IS(oper("QUERY SECUSER"), "SECUSER IS UNDEFINED");
    on(0, "", "LOGON FIRST PW");
    IS(on(0, "FIRST", "Q SEC"), "SECUSER SECOND IS NOT LOGGED ON");
    on(0, "", "LOGON SECOND PW");
    IS(on(0, "FIRST", "Q SECUSER *"), "SECUSER SECOND IS LOGGED ON");
    on(0, "SECOND", "DISCONNECT");
    IS(oper("Q SECUSER FIRST"), "FIRST: SECUSER SECOND IS DISCONNECTED");
    IS(oper("Q SECUSER ALL"), "FIRST: SECUSER SECOND IS DISCONNECTED");
    REFUSED(on(0, "FIRST", "Q SECUSER GUEST"), 3, "HCPCQV003E Invalid option - GUEST");
    REFUSED(on(0, "FIRST", "Q SECUSER ALL"), 3, "HCPCQV003E Invalid option - ALL");
    REFUSED(oper("Q SECUSER NOBODY"), 45, "HCPCMD045E NOBODY not logged on");
    REFUSED(oper("Q SECUSER FIRST X"), 3, "HCPCMD003E Invalid option - X");
}
END_TEST

/* OFF, RESET and * for oneself and, for classes A and C, for others; another's is given up. */
START_TEST(set_and_reset)
{
    on(0, "", "LOGON FIRST PW");
    on(0, "", "LOGON SECOND PW");
    IS(on(0, "FIRST", "SET SECUSER OFF"), "");
    IS(on(0, "FIRST", "Q SECUSER"), "SECUSER IS UNDEFINED");
    IS(on(0, "FIRST", "SET SECUSER RESET"), "");
    IS(on(0, "FIRST", "Q SECUSER"), "SECUSER SECOND IS LOGGED ON");
    IS(on(0, "SECOND", "SET SECUSER FIRST OFF"), "");
    IS(on(0, "FIRST", "Q SECUSER"), "SECUSER IS UNDEFINED");
    REFUSED(on(0, "SECOND", "SET SECUSER FIRST SECOND"), 3,
            "HCPCSE003E Invalid option - FIRST");
    IS(oper("SET SECUSER FIRST *"), "");
    IS(on(0, "FIRST", "Q SECUSER"), "SECUSER OPERATOR IS LOGGED ON");
    IS(oper("SET OBSERVER FIRST GUEST"), "");
    IS(on(0, "FIRST", "Q OBSERVER"), "OBSERVER GUEST IS LOGGED ON");
    IS(oper("Q OBS ALL"), "FIRST: OBSERVER GUEST IS LOGGED ON");
    REFUSED(oper("SET SECUSER FIRST NOBODY"), 53, "HCPAUT053E NOBODY not in CP directory");
    REFUSED(oper("SET SECUSER NOBODY OFF"), 45, "HCPCMD045E NOBODY not logged on");
    REFUSED(oper("SET SECUSER FIRST OFF NOW"), 3, "HCPCMD003E Invalid option - NOW");
    IS(on(0, "FIRST", "Q SECUSER"), "SECUSER OPERATOR IS LOGGED ON"); /* as it was */
}
END_TEST

START_TEST(logged_on_by)
{
    on(0, "", "LOGON SECOND PW");
    on(0, "", "LOGON BYTHEM BY SECOND PW");
    IS(on(0, "BYTHEM", "QUERY BYUSER"), "The BYUSER for BYTHEM is SECOND");
    IS(oper("Q BYUSER SECOND"), "There is currently no BYUSER for SECOND");
    IS(oper("Q BYUSER BYTHEM"), "The BYUSER for BYTHEM is SECOND");
    REFUSED(on(0, "SECOND", "Q BYUSER BYTHEM"), 3, "HCPCQV003E Invalid option - BYTHEM");
    on(0, "BYTHEM", "DISCONNECT");
    IS(oper("Q BYUSER BYTHEM"), "The BYUSER for BYTHEM is SECOND");
    on(0, "", "LOGON BYTHEM PW");
    IS(on(0, "BYTHEM", "Q BYUSER *"), "There is currently no BYUSER for BYTHEM");
    REFUSED(oper("Q BYUSER NOBODY"), 45, "HCPCMD045E NOBODY not logged on");
}
END_TEST

START_TEST(signals)
{
    HAS(oper("QUERY SIGNALS GUEST"), "Userid    Signal    Signal Status   By         Remaining|"
                                     "GUEST     SHUTDOWN  Not enabled     -                 -");
    ck_assert_ptr_null(strstr(oper("QUERY SIGNALS ALL"), "GUEST"));
    ck_assert_ptr_null(strstr(oper("QUERY SIGNALS SHUTDOWN ALL"), "GUEST"));
    IS(oper("Q SIGNAL SHUTDOWNTIME"), "System default shutdown signal timeout: 30 seconds");
    IS(oper("SET SIGNAL SHUTDOWNTIME 7"), "");
    IS(oper("Q SIGNALS SHUTDOWNTIME"), "System default shutdown signal timeout: 7 seconds");
    REFUSED(oper("SET SIGNAL SHUTDOWNTIME 99999"), 2, "HCPCMD002E Invalid operand - 99999");
    REFUSED(oper("SET SIGNAL SHUTDOWNTIME"), 26, "HCPCMD026E Operand missing or invalid");
    REFUSED(oper("SET SIGNAL SHUTDOWN 7"), 3, "HCPCSE003E Invalid option - SHUTDOWN");
    REFUSED(oper("Q SIGNALS NOBODY"), 45, "HCPCMD045E NOBODY not logged on");
    REFUSED(on(0, "GUEST", "Q SIGNALS"), 3, "HCPCQV003E Invalid option - SIGNALS");
}
END_TEST

START_TEST(log_message)
{
    IS(oper("QUERY LOGMSG"), "There is no logmsg data");
    IS(oper("SET LOGMSG 2 See you on Monday"), "");
    IS(oper("SET LOGMSG 1 Closed on Sunday"), "");
    HAS(on(0, "GUEST", "Q LOG"), "LOGMSG - ");
    HAS(on(0, "GUEST", "Q LOG"), "|* Closed on Sunday|* See you on Monday");
    HAS(on(0, "", "LOGON SECOND PW"), "|* Closed on Sunday|* See you on Monday|FILES:");
    IS(oper("SET LOGMSG 1"), "");
    ck_assert_ptr_null(strstr(oper("Q LOGMSG"), "Sunday"));
    IS(oper("SET LOGMSG NULL"), "");
    IS(oper("QUERY LOGMSG"), "There is no logmsg data");
    REFUSED(oper("SET LOGMSG 21 x"), 2, "HCPCMD002E Invalid operand - 21");
    REFUSED(oper("SET LOGMSG"), 26, "HCPCMD026E Operand missing or invalid");
    REFUSED(on(0, "GUEST", "SET LOGMSG 1 x"), 3, "HCPCSE003E Invalid option - LOGMSG");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("queries about users");
    TCase *tc = tcase_create("query_user");
    tcase_add_checked_fixture(tc, setup, cp_world_teardown);
    tcase_add_test(tc, secondary_users);
    tcase_add_test(tc, set_and_reset);
    tcase_add_test(tc, logged_on_by);
    tcase_add_test(tc, signals);
    tcase_add_test(tc, log_message);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
