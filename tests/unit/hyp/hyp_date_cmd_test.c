/* DATEFORMAT: of the system, of the directory, SET and QUERY; where dates are shown in answers, and
 * that it goes along with a relocation. Run alone: tests/run unit/hyp_date_cmd_test */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp_move.h"
#include "tests/lib/cp_world.h"

static const char users[] = "USER ISO PW 64M 64M G\n DATEFORMAT ISODATE\n CONSOLE 9 3215\n"
                            " SPOOL C 2540 READER *\n"
                            "USER FULL PW 64M 64M G\n DATEFORMAT FULL\n"
                            "USER SYS PW 64M 64M G\n DATEFORMAT SYSDEFAULT\n";

static void setup(void)
{
    cp_world_users = users;
    cp_world_setup();
    on(0, "", "LOGON OPERATOR OPER");
    on(0, "", "LOGON ISO PW");
    on(0, "", "LOGON FULL PW");
    on(0, "", "LOGON SYS PW");
}

static void teardown(void)
{
    cp_world_teardown();
    cp_world_users = "";
}

static void like(const char *text, const char *pattern)
{
    regex_t re;
    ck_assert_int_eq(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_msg(!regexec(&re, text, 0, NULL, 0), "\"%s\" is not like %s", text, pattern);
    regfree(&re);
}

#define SHORT "[0-9]{2}/[0-9]{2}/[0-9]{2}"
#define FULL SHORT "[0-9]{2}"
#define ISO "[0-9]{4}-[0-9]{2}-[0-9]{2}"
#define TIME_IS "^TIME IS [0-9:]{8} UTC [A-Z]+ "

START_TEST(at_logon)
{
    like(on(0, "ISO", "QUERY TIME"), TIME_IS ISO "\\|");
    like(on(0, "FULL", "QUERY TIME"), TIME_IS FULL "\\|");
    like(on(0, "SYS", "QUERY TIME"), TIME_IS SHORT "\\|");
    ck_assert(console_has(0, "ISO", "^LOGON AT .* " ISO "$"));
    ck_assert(console_has(0, "SYS", "^LOGON AT .* " SHORT "$"));
    like(on(0, "ISO", "QUERY CPLEVEL"), "IPL at " ISO " ");
    like(on(0, "ISO", "DISCONNECT"), " " ISO "$");
    like(on(0, "FULL", "LOGOFF"), "LOGOFF AT .* " FULL "$");
}
END_TEST

START_TEST(set_and_query)
{
    ck_assert_str_eq(on(0, "ISO", "QUERY DATEFORMAT"), "USER DATE FORMAT: ISODATE");
    ck_assert_str_eq(on(0, "ISO", "SET DATEFORMAT FULLDATE"), "");
    ck_assert_str_eq(on(0, "ISO", "Q DATEF USER"), "USER DATE FORMAT: FULLDATE");
    like(on(0, "ISO", "QUERY TIME"), TIME_IS FULL "\\|");
    like(on(0, "ISO", "QUERY TIME SHORTDATE"), TIME_IS SHORT "\\|");
    like(on(0, "ISO", "QUERY TIME ISODATE"), TIME_IS ISO "\\|");
    like(on(0, "ISO", "QUERY TIME VMDATE"), TIME_IS FULL "\\|");
    on(0, "ISO", "SET DATEFORMAT SYSDEFAULT");
    ck_assert_str_eq(on(0, "ISO", "QUERY DATEFORMAT"), "USER DATE FORMAT: SHORTDATE");
    REFUSED(on(0, "ISO", "SET DATEFORMAT"), 26, "HCPCMD026E");
    REFUSED(on(0, "ISO", "SET DATEFORMAT LONG"), 3, "HCPCSE003E Invalid option - LONG");
    REFUSED(on(0, "ISO", "QUERY DATEFORMAT ALL"), 3, "HCPCQV003E Invalid option - ALL");
    REFUSED(on(0, "ISO", "QUERY TIME LONG"), 3, "HCPCQV003E Invalid option - LONG");
}
END_TEST

/* The system's is that of all who have not chosen; class A sets it. */
START_TEST(of_the_system)
{
    REFUSED(on(0, "ISO", "SET DATEFORMAT SYSTEM FULLDATE"), 3, "HCPCSE003E");
    ck_assert_str_eq(oper("QUERY DATEFORMAT SYSTEM"), "SYSTEM DATE FORMAT: SHORTDATE");
    ck_assert_str_eq(oper("SET DATEFORMAT SYSTEM ISODATE"), "");
    ck_assert_str_eq(oper("QUERY DATEFORMAT SYSTEM"), "SYSTEM DATE FORMAT: ISODATE");
    like(on(0, "SYS", "QUERY TIME"), TIME_IS ISO "\\|");
    like(on(0, "FULL", "QUERY TIME"), TIME_IS FULL "\\|");
    REFUSED(oper("SET DATEFORMAT SYSTEM"), 26, "HCPCMD026E");
    REFUSED(oper("SET DATEFORMAT SYSTEM SYSDEFAULT"), 3, "HCPCSE003E");
}
END_TEST

START_TEST(of_spool_files)
{
    on(0, "", "LOGON LINUX1 SECRET");
    like(on(0, "LINUX1", "QUERY RDR ALL"), "\\|.* [0-9]{2}/[0-9]{2} [0-9:]{8} ");
    on(0, "LINUX1", "SET DATEFORMAT ISODATE");
    like(on(0, "LINUX1", "QUERY RDR ALL"), "\\|.* " ISO " [0-9:]{8} ");
    like(on(0, "LINUX1", "QUERY RDR ALL SHORTDATE"), "\\|.* [0-9]{2}/[0-9]{2} [0-9:]{8} ");
    like(on(0, "LINUX1", "QUERY RDR ALL FULLDATE"), "\\|.* " FULL " [0-9:]{8} ");
    like(on(0, "LINUX1", "QUERY RDR ALL VMDATE"), "\\|.* " ISO " [0-9:]{8} ");
}
END_TEST

START_TEST(it_relocates)
{
    on(0, "SYS", "SET DATEFORMAT ISODATE");
    struct cp_user *arrived = moves("SYS");
    like(on(1, "SYS", "QUERY TIME"), TIME_IS ISO "\\|");
    cp_user_depart(arrived);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_date_cmd");
    TCase *tc = tcase_create("dates");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, at_logon);
    tcase_add_test(tc, set_and_query);
    tcase_add_test(tc, of_the_system);
    tcase_add_test(tc, of_spool_files);
    tcase_add_test(tc, it_relocates);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
