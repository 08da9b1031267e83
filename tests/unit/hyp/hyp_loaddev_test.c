/* LOADDEV of the directory, SET and QUERY LOADDEV, and that it goes along with a relocation.
 * Run alone: tests/run unit/hyp_loaddev_test */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp_move.h"
#include "tests/lib/cp_world.h"

static const char users[] =
    "USER SCSI PW 64M 64M G\n LOADDEV PORTNAME 50050763 00C18154\n"
    " LOADDEV LUN 57190000 BOOTPROG 3 BR_LBA 1234\n"
    " LOADDEV SCPDATA 'root=/dev/sda1 Quiet'\n LOADDEV SCPDATA HEX 4081\n";

#define OF_DIRECTORY                                                                           \
    "PORTNAME 50050763 00C18154    LUN  57190000 00000000    BOOTPROG 3|"                      \
    "BR_LBA   00001234 00000000|SCPDATA|  0000   root=/dev/sda1 Quiet a"
#define NOTHING                                                                                \
    "PORTNAME 00000000 00000000    LUN  00000000 00000000    BOOTPROG 0|"                      \
    "BR_LBA   00000000 00000000"

static void setup(void)
{
    cp_world_users = users;
    cp_world_setup();
    on(0, "", "LOGON SCSI PW");
    on(0, "", "LOGON GUEST PASS");
}

static void teardown(void)
{
    cp_world_teardown();
    cp_world_users = "";
}

START_TEST(of_the_directory)
{
    ck_assert_str_eq(on(0, "SCSI", "QUERY LOADDEV"), OF_DIRECTORY);
    ck_assert_str_eq(on(0, "GUEST", "QUERY LOADDEV"), NOTHING);
}
END_TEST

START_TEST(set_and_cleared)
{
    ck_assert_str_eq(
        on(0, "GUEST", "SET LOADDEV PORT 10050763 0503C5AE LUN 1022400D00000000 BOOT 7"), "");
    ck_assert_str_eq(on(0, "GUEST", "SET LOADDEV SCPDATA 'Some Data'"), "");
    ck_assert_str_eq(on(0, "GUEST", "SET LOADDEV SCPDATA APPEND  and more"), "");
    ck_assert_str_eq(on(0, "GUEST", "QUERY LOADDEV"),
                     "PORTNAME 10050763 0503C5AE    LUN  1022400D 00000000    BOOTPROG 7|"
                     "BR_LBA   00000000 00000000|SCPDATA|  0000   Some Dataand more");
    on(0, "GUEST", "SET LOADDEV SCPDATA HEX C1C2 C3");
    ck_assert_ptr_nonnull(strstr(on(0, "GUEST", "QUERY LOADDEV"), "|  0000   ABC"));
    ck_assert_str_eq(on(0, "GUEST", "SET LOADDEV CLEAR BOOT 1"), "");
    ck_assert_ptr_nonnull(strstr(on(0, "GUEST", "QUERY LOADDEV"), "00000000    BOOTPROG 1"));
    on(0, "GUEST", "SET LOADDEV CLEAR");
    ck_assert_str_eq(on(0, "GUEST", "QUERY LOADDEV"), NOTHING);
}
END_TEST

/* What is refused has changed nothing. */
static const struct {
    const char *command;
    int rc;
} bad[] = {
    {"SET LOADDEV", 26},
    {"SET LOADDEV FROB 1", 3},
    {"SET LOADDEV BOOT 1 PORTNAME", 26},
    {"SET LOADDEV BOOT 1 PORTNAME XYZ", 3},
    {"SET LOADDEV BOOT 1 LUN 11112222333344445", 3},
    {"SET LOADDEV BOOT 31", 3},
    {"SET LOADDEV BOOT 1 SCPDATA", 26},
    {"SET LOADDEV BOOT 1 SCPDATA 'open", 3},
    {"SET LOADDEV BOOT 1 SCPDATA HEX C1C", 3},
    {"SET LOADDEV BOOT 1 SCPDATA HEX GG", 3},
    {"SET LOADDEV CLEAR FROB", 3},
    {"QUERY LOADDEV ALL", 3},
};

START_TEST(refused)
{
    on(0, "SCSI", bad[_i].command);
    ck_assert_int_eq(resp.rc, bad[_i].rc);
    ck_assert_str_eq(on(0, "SCSI", "QUERY LOADDEV"), OF_DIRECTORY);
}
END_TEST

START_TEST(it_relocates)
{
    on(0, "SCSI", "SET LOADDEV BOOT 9");
    struct cp_user *arrived = moves("SCSI");
    const char *text = on(1, "SCSI", "QUERY LOADDEV");
    ck_assert_ptr_nonnull(strstr(text, "BOOTPROG 9|"));
    ck_assert_ptr_nonnull(strstr(text, "root=/dev/sda1 Quiet a"));
    cp_user_depart(arrived);
}
END_TEST

/* Statements that cannot be, with their places. */
static const struct {
    const char *statement, *cause;
} statements[] = {
    {"LOADDEV", "d:2:9: expected an operand of LOADDEV, found end of statement"},
    {"LOADDEV BOOTPROG 31", "d:2:19: expected a number from 0 to 30, found 31"},
    {"LOADDEV SCPDATA 'open", "d:2:18: expected a text"},
    {"LOADDEV SCPDATA HEX C", "d:2:18: expected a text"},
    {"LOADDEV PORTNAME XYZ", "d:2:19: expected a hexadecimal number"},
};

START_TEST(statements_that_cannot_be)
{
    struct directory *dir;
    struct cause cause = {0};
    char text[256];
    snprintf(text, sizeof text, "USER A PW\n %s\n", statements[_i].statement);
    ck_assert_int_eq(directory_parse("d", text, "MEMBERA", &dir, &cause), ST_CONFIG);
    ck_assert_msg(!strncmp(cause.text, statements[_i].cause, strlen(statements[_i].cause)),
                  "%s", cause.text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_loaddev");
    TCase *tc = tcase_create("loaddev");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, of_the_directory);
    tcase_add_test(tc, set_and_cleared);
    tcase_add_loop_test(tc, refused, 0, (int)ARRAY_LEN(bad));
    tcase_add_test(tc, it_relocates);
    tcase_add_loop_test(tc, statements_that_cannot_be, 0, (int)ARRAY_LEN(statements));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
