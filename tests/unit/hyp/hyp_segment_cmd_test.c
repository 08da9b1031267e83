/* DEFSEG, DEFSYS, SAVESEG, SAVESYS, QUERY NSS, PURGE NSS and IPL by name as commands, over fake
 * machines: operands, what is refused and by which message, the lines of QUERY.
 * Run alone: tests/run unit/hyp_segment_cmd_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/cp_world.h"

static void setup(void)
{
    cp_world_users = "USER NAMED SECRET 32M 64M G\n CONSOLE 9 3215\n NAMESAVE OTHER SYS\n"
                     " IPL SYS PARM hello\n"
                     "USER OLDER SECRET 32M 64M EG\n MACHINE XA\n CONSOLE 9 3215\n";
    cp_world_setup();
    on(0, "", "LOGON OPERATOR OPER");
    on(0, "", "LOGON LINUX1 SECRET NOIPL");
}

START_TEST(defined_and_shown)
{
    ck_assert_str_eq(on(0, "OPERATOR", "QUERY NSS"), "NO NSS FILES");
    ck_assert_str_eq(on(0, "OPERATOR",
                        "DEFSYS SYS 0-D EW 20 SR MINSIZE=256K PARMREGS=0-13 "
                        "MACHMODE ESA,XA VMGROUP RSTD"),
                     "HCPNSD440I Named saved system SYS was successfully defined");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_str_eq(on(0, "OPERATOR", "DEFSEG SEG 1000-10FF SN"),
                     "HCPNSD440I Saved segment SEG was successfully defined");
    ck_assert_str_eq(
        on(0, "OPERATOR", "QUERY NSS MAP"),
        "FILE FILENAME FILETYPE MINSIZE  BEGPAG ENDPAG TYPE CL #USERS PARMREGS VMGROUP|"
        "0001 SYS      NSS      0000256K 00000  0000D  EW   S  00000  00-13    YES|"
        "                                00020  00020  SR  |"
        "0002 SEG      DCSS     N/A      01000  010FF  SN   S  00000  N/A      N/A");
    ck_assert_str_eq(on(0, "OPERATOR", "SAVESYS SYS"),
                     "HCPNSS440I Named Saved System (NSS) SYS was successfully saved in fileid "
                     "0001.");
    ck_assert_ptr_nonnull(strstr(on(0, "OPERATOR", "QUERY NSS NAME SYS"), "EW   R  00000"));
    ck_assert_ptr_null(strstr(on(0, "OPERATOR", "QUERY NSS NAME SYS"), "SEG"));
    REFUSED(on(0, "OPERATOR", "SAVESYS SEG"), 435, "HCPNSS435E Named saved system SEG");
    ck_assert_str_eq(on(0, "OPERATOR", "SAVESEG SEG"),
                     "HCPNSS440I Saved segment SEG was successfully saved in fileid 0002.");
    ck_assert_str_eq(on(0, "OPERATOR", "PURGE NSS NAME SYS"), "0000001 FILE  PURGED");
    REFUSED(on(0, "OPERATOR", "PURGE NSS SYS"), 435, "HCPNSS435E Saved segment SYS");
}
END_TEST

START_TEST(operands_refused)
{
    REFUSED(on(0, "OPERATOR", "DEFSYS"), 26, "HCPCMD026E");
    REFUSED(on(0, "OPERATOR", "DEFSYS SYS"), 26, "HCPCMD026E");
    REFUSED(on(0, "OPERATOR", "DEFSYS SYS 0-D"), 26, "HCPCMD026E");
    REFUSED(on(0, "OPERATOR", "DEFSYS SYS 0-D QQ"), 2, "HCPCMD002E Invalid operand - QQ");
    REFUSED(on(0, "OPERATOR", "DEFSYS SYS G-D EW"), 2, "HCPCMD002E Invalid operand - G-D");
    REFUSED(on(0, "OPERATOR", "DEFSYS SYS 0-D EW MINSIZE=X"), 2,
            "HCPCMD002E Invalid operand - MINSIZE=X");
    REFUSED(on(0, "OPERATOR", "DEFSYS SYS 0-D EW PARMREGS=13-0"), 2, "HCPCMD002E");
    REFUSED(on(0, "OPERATOR", "DEFSYS SYS 0-D EW PARMREGS=0-16"), 2, "HCPCMD002E");
    REFUSED(on(0, "OPERATOR", "DEFSYS SYS 0-D EW MACHMODE"), 26, "HCPCMD026E");
    REFUSED(on(0, "OPERATOR", "DEFSYS SYS 0-D EW MACHMODE ESA,370"), 2,
            "HCPCMD002E Invalid operand - ESA,370");
    REFUSED(on(0, "OPERATOR", "DEFSYS SYS RSTD"), 454, "HCPNSD454E Named saved system SYS");
    REFUSED(on(0, "OPERATOR", "DEFSEG SEG 0-D EW VMGROUP"), 2,
            "HCPCMD002E Invalid operand - VMGROUP");
    REFUSED(on(0, "OPERATOR", "SAVESYS SYS"), 435, "HCPNSS435E Named saved system SYS");
    REFUSED(on(0, "OPERATOR", "SAVESYS"), 26, "HCPCMD026E");
    REFUSED(on(0, "LINUX1", "DEFSYS SYS 0-D EW"), 1, "HCPCMD001E");
    on(0, "OPERATOR", "DEFSYS SYS 0-D EW");
    REFUSED(on(0, "OPERATOR", "SAVESEG SYS"), 435, "HCPNSS435E Saved segment SYS");
}
END_TEST

/* LOADNSHR, SECURE, SPACE: shown by QUERY NSS ATTRIBUTES. */
START_TEST(attributes)
{
    REFUSED(on(0, "OPERATOR", "DEFSEG ONE 100-1FF SR LOADNSHR RSTD"), 13,
            "HCPCMD013E Conflicting option - RSTD");
    REFUSED(on(0, "OPERATOR", "DEFSEG ONE 100-1FF SC LOADNSHR"), 13,
            "HCPCMD013E Conflicting option - SC");
    REFUSED(on(0, "OPERATOR", "DEFSEG ONE 100-1FF SR SPACE"), 26, "HCPCMD026E");
    REFUSED(on(0, "OPERATOR", "DEFSEG ONE 100-1FF SR SPACE TOOLONGNAME"), 2, "HCPCMD002E");
    REFUSED(on(0, "OPERATOR", "DEFSYS ONE 100-1FF SR LOADNSHR"), 2, "HCPCMD002E");
    on(0, "OPERATOR", "DEFSEG ONE 100-1FF SR LOADNSHR SECURE");
    on(0, "OPERATOR", "DEFSEG TWO 200-210 SR SECURE SPACE ALL RSTD");
    on(0, "OPERATOR", "DEFSEG THREE 300 EW");
    ck_assert_str_eq(on(0, "OPERATOR", "QUERY NSS ATTRIBUTES"),
                     "FILE FILENAME FILETYPE CL ATTRIBUTES|"
                     "0001 ONE      DCSS     S  LOADNSHR SECURE|"
                     "0002 TWO      DCSS-M   S  SECURE|"
                     "0003 THREE    DCSS     S");
    ck_assert_ptr_nonnull(strstr(on(0, "OPERATOR", "QUERY NSS NAME TWO"), "TWO      DCSS-M"));
}
END_TEST

/* While a segment is saved CP answers others; CPHX and LOGOFF end it, which is told once. */
START_TEST(others_go_on_while_one_saves)
{
    static struct cp_response slow; /* until teardown */
    on(0, "OPERATOR", "DEFSEG SEG 100-FFFF SR");
    last_save.later = true;
    ck_assert_int_eq(cp_command(cps[0], "OPERATOR", "SAVESEG SEG", &slow), CP_PENDING);
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "QUERY USERID"), "LINUX1"));
    ck_assert_ptr_nonnull(strstr(on(0, "OPERATOR", "QUERY NSS"), "SR   S  00000"));
    REFUSED(on(0, "OPERATOR", "SAVESEG SEG"), 454, "HCPNSD454E Saved segment SEG");
    ck_assert(!slow.done);
    cp_world_saved(ST_OK);
    ck_assert(slow.done);
    ck_assert_str_eq(slow.lines[0],
                     "HCPNSS440I Saved segment SEG was successfully saved in fileid 0001.");
    ck_assert_int_eq(slow.rc, 0);
    cp_response_fini(&slow);
    on(0, "OPERATOR", "DEFSEG TWO 100-FFFF SR");
    slow = (struct cp_response){0};
    ck_assert_int_eq(cp_command(cps[0], "OPERATOR", "SAVESEG TWO", &slow), CP_PENDING);
    on(0, "OPERATOR", "CPHX");
    ck_assert(slow.done);
    ck_assert_int_eq(slow.rc, 454);
    ck_assert_ptr_nonnull(strstr(slow.lines[0], "TWO"));
    ck_assert_ptr_nonnull(strstr(slow.lines[0], "it was ended"));
    cp_response_fini(&slow);
    slow = (struct cp_response){0};
    ck_assert_int_eq(cp_command(cps[0], "OPERATOR", "SAVESEG TWO", &slow), CP_PENDING);
    on(0, "OPERATOR", "LOGOFF");
    ck_assert(slow.done);
    cp_response_fini(&slow);
    on(0, "", "LOGON OPERATOR OPER");
    ck_assert_int_eq(cp_command(cps[0], "OPERATOR", "SAVESEG TWO", &slow), CP_PENDING);
} /* teardown ends it */
END_TEST

static void saved(const char *operands)
{
    char text[160];
    snprintf(text, sizeof text, "DEFSYS SYS 0-D EW %s", operands);
    on(0, "OPERATOR", text);
    ck_assert_int_eq(resp.rc, 0);
    on(0, "OPERATOR", "SAVESYS SYS");
    ck_assert_int_eq(resp.rc, 0);
}

START_TEST(who_may_ipl)
{
    REFUSED(on(0, "LINUX1", "IPL SYS"), 440, "HCPIPL440E Named saved system SYS");
    on(0, "OPERATOR", "DEFSEG SEG 0-D EW");
    on(0, "OPERATOR", "SAVESEG SEG");
    REFUSED(on(0, "LINUX1", "IPL SEG"), 440, "HCPIPL440E Named saved system SEG");
    on(0, "OPERATOR", "DEFSYS SYS 0-D EW");
    REFUSED(on(0, "LINUX1", "IPL SYS"), 440, "HCPIPL440E"); /* not saved */
    saved("MINSIZE=513M");
    REFUSED(on(0, "LINUX1", "IPL SYS"), 454,
            "HCPIPL454E Named saved system SYS needs 513M of storage, the virtual machine has "
            "512M");
    saved("MINSIZE=512M");
    ck_assert_str_eq(on(0, "LINUX1", "IPL SYS"), "");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "INDICATE USER"), "IPLSYS=SYS"));
    saved("RSTD");
    REFUSED(on(0, "LINUX1", "IPL SYS"), 449,
            "HCPIPL449E You are not authorized to use named saved system SYS");
    on(0, "", "LOGON NAMED SECRET NOIPL");
    on(0, "NAMED", "IPL SYS");
    ck_assert_int_eq(resp.rc, 0);
    REFUSED(
        on(0, "NAMED", "IPL SYS PARM X"), 455,
        "HCPIPL455E A PARM of 1 characters is too long for named saved system SYS, which takes 0");
    saved("PARMREGS=3-4");
    on(0, "LINUX1", "IPL SYS PARM 12345678");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_str_eq(last_parm, "12345678");
    REFUSED(on(0, "LINUX1", "IPL SYS PARM 123456789"), 455,
            "HCPIPL455E A PARM of 9 characters");
    on(0, "OPERATOR", "DEFSYS SYS 0-D EW MACHMODE XA");
    REFUSED(on(0, "OPERATOR", "SAVESYS SYS"), 453,
            "HCPNSS453E Named saved system SYS is not for ESA");
    on(0, "", "LOGON OLDER SECRET");
    on(0, "OLDER", "SAVESYS SYS");
    ck_assert_int_eq(resp.rc, 0);
    on(0, "OLDER", "IPL SYS");
    ck_assert_int_eq(resp.rc, 0);
    REFUSED(on(0, "LINUX1", "IPL SYS"), 453,
            "HCPIPL453E Named saved system SYS is not for ESA");
}
END_TEST

/* The IPL statement of the directory is refused in the same words, on the console. */
START_TEST(of_the_directory)
{
    on(0, "", "LOGON NAMED SECRET");
    ck_assert(console_has(0, "NAMED", "^HCPIPL440E Named saved system SYS does not exist$"));
    on(0, "NAMED", "LOGOFF");
    saved("RSTD PARMREGS=0-3");
    on(0, "", "LOGON NAMED SECRET");
    ck_assert_uint_eq(cp_user_vm(cp_user_find(cps[0], "NAMED"))->ipls, 1);
    ck_assert_str_eq(last_parm, "hello");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_segment_cmd");
    TCase *tc = tcase_create("commands");
    tcase_add_checked_fixture(tc, setup, cp_world_teardown);
    tcase_add_test(tc, defined_and_shown);
    tcase_add_test(tc, operands_refused);
    tcase_add_test(tc, attributes);
    tcase_add_test(tc, others_go_on_while_one_saves);
    tcase_add_test(tc, who_may_ipl);
    tcase_add_test(tc, of_the_directory);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
