/* Commands about processors and shares: SET and QUERY SHARE and QUICKDSP, QUERY PROCESSORS, VARY
 * PROCESSOR, DEDICATE, INDICATE; who may use them, and that settings go along with a session.
 * Run alone: tests/run unit/hyp_processor_cmd_test */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hyp/cp_move.h"
#include "tests/lib/cp_world.h"

static void setup(void)
{
    cp_world_users = "USER SHARED PASS 64M 64M G\n SHARE ABSOLUTE 12.5% 40% LIMITHARD\n"
                     " OPTION QUICKDSP\n"
                     "USER OWNER PASS 64M 64M G\n CPU 0 CPUID ABCDEF DEDICATE\n"
                     "USER NEVERS PASS 64M 64M G\n OPTION NODEDICATE\n";
    cp_world_setup();
    oper("LOGON OPERATOR OPER");
    oper("XAUTOLOG SHARED");
}

static struct vm *vm_of(const char *userid)
{
    return cp_user_vm(cp_user_find(cps[0], userid));
}

START_TEST(share_of_the_directory_and_another)
{
    ck_assert_str_eq(oper("QUERY SHARE SHARED"),
                     "USER SHARED  : ABSOLUTE SHARE = 12.5%|"
                     "               MAXIMUM SHARE = LIMITHARD ABSOLUTE 40%");
    ck_assert_str_eq(oper("SET SHARE SHARED REL 300"),
                     "USER SHARED  : RELATIVE SHARE = 300|"
                     "               MAXIMUM SHARE = NOLIMIT");
    ck_assert_uint_eq(vm_of("SHARED")->share.least.n, 300);
    ck_assert_int_eq(vm_of("SHARED")->share.limit, SHARE_NOLIMIT);
    oper("SET SHARE SHARED RELATIVE 100 ABSOLUTE 50% LIMITSOFT");
    ck_assert_int_eq(vm_of("SHARED")->share.limit, SHARE_LIMITSOFT);
    ck_assert_uint_eq(vm_of("SHARED")->share.most.n, 500);
    oper("SET SHARE SHARED INITIAL");
    ck_assert(vm_of("SHARED")->share.least.absolute && vm_of("SHARED")->share.least.n == 125);
}
END_TEST

START_TEST(share_refused)
{
    REFUSED(oper("SET SHARE"), 26, "HCPCMD026E");
    REFUSED(oper("SET SHARE NOBODY REL 1"), 45, "HCPCQU045E NOBODY");
    REFUSED(oper("SET SHARE SHARED"), 26, "HCPCMD026E");
    REFUSED(oper("SET SHARE SHARED REL 10001"), 2, "HCPCMD002E Invalid operand - 10001");
    REFUSED(oper("SET SHARE SHARED ABS 5% 10% SOMETIMES"), 2, "HCPCMD002E");
    REFUSED(oper("QUERY SHARE SHARED NOW"), 3, "HCPCMD003E");
    ck_assert_uint_eq(cp_user_find(cps[0], "SHARED") != NULL, 1);
    ck_assert_str_eq(oper("QUERY SHARE SHARED"),
                     "USER SHARED  : ABSOLUTE SHARE = 12.5%|"
                     "               MAXIMUM SHARE = LIMITHARD ABSOLUTE 40%");
    REFUSED(on(0, "SHARED", "SET SHARE SHARED REL 10000"), 3, "HCPCSE003E");
    REFUSED(on(0, "SHARED", "QUERY SHARE SHARED"), 3, "HCPCQV003E");
    REFUSED(on(0, "SHARED", "VARY OFF PROCESSOR 1"), 1, "HCPCMD001E");
    REFUSED(on(0, "SHARED", "DEDICATE SHARED ALL"), 1, "HCPCMD001E");
}
END_TEST

START_TEST(quickdsp)
{
    ck_assert_str_eq(oper("QUERY QUICKDSP SHARED"), "USER SHARED  : QUICKDSP = ON");
    ck_assert_str_eq(oper("SET QUICKDSP SHARED OFF"), "");
    ck_assert(!vm_of("SHARED")->quickdsp);
    ck_assert_str_eq(oper("SET QUICKDSP SHARED ON"), "");
    ck_assert(vm_of("SHARED")->quickdsp);
    ck_assert_str_eq(oper("QUERY QUICKDSP *"), "USER OPERATOR: QUICKDSP = OFF");
    REFUSED(oper("SET QUICKDSP SHARED MAYBE"), 2, "HCPCMD002E");
}
END_TEST

START_TEST(settings_go_along_with_the_session)
{
    struct codec_out out;
    struct codec_in in;
    struct cp_user *user = cp_user_find(cps[0], "SHARED");
    oper("SET SHARE SHARED ABS 30% 60% LIMITSOFT");
    oper("SET RESERVED SHARED 2M");
    codec_out_init(&out);
    cp_user_save(user, &out);
    oper("SET SHARE SHARED INITIAL");
    oper("SET QUICKDSP SHARED OFF");
    oper("SET RESERVED SHARED OFF");
    codec_in_init(&in, out.data, out.len);
    ck_assert_int_eq(cp_user_restore(user, &in, &(struct cause){0}), ST_OK);
    codec_out_fini(&out);
    ck_assert_str_eq(oper("QUERY SHARE SHARED"),
                     "USER SHARED  : ABSOLUTE SHARE = 30%|"
                     "               MAXIMUM SHARE = LIMITSOFT ABSOLUTE 60%");
    ck_assert_uint_eq(vm_of("SHARED")->share.least.n, 300);
    ck_assert(vm_of("SHARED")->quickdsp);
    ck_assert_uint_eq(vm_of("SHARED")->kept_bytes, 2 << 20);
}
END_TEST

START_TEST(reserved)
{
    ck_assert_str_eq(oper("QUERY RESERVED"), "No users have reserved frames");
    ck_assert_ptr_nonnull(
        strstr(oper("SET RESERVED SHARED 100"), "USER SHARED  : RESERVED = 100  RESIDENT = "));
    ck_assert_uint_eq(vm_of("SHARED")->kept_bytes, 100 * 4096);
    ck_assert_ptr_nonnull(strstr(oper("QUERY RESERVED"), "USER SHARED  : RESERVED = 100"));
    ck_assert_ptr_nonnull(strstr(oper("QUERY RESERVED SHARED"), "RESERVED = 100 "));
    ck_assert_ptr_nonnull(strstr(oper("SET RESERVED SHARED 1M"), "RESERVED = 256 "));
    ck_assert_ptr_nonnull(strstr(on(0, "SHARED", "INDICATE USER"), "RESVD=256"));
    REFUSED(oper("SET RESERVED SHARED 64G"), 600, "HCPRSV600E Frames of SHARED not reserved");
    REFUSED(oper("SET RESERVED SHARED"), 26, "HCPCMD026E");
    REFUSED(oper("SET RESERVED SHARED MANY"), 2, "HCPCMD002E Invalid operand - MANY");
    REFUSED(oper("SET RESERVED SHARED 1K"), 2, "HCPCMD002E Invalid operand - 1K");
    REFUSED(oper("SET RESERVED NOBODY 1M"), 45, "HCPCQU045E");
    REFUSED(oper("QUERY RESERVED NOBODY"), 45, "HCPCQU045E");
    ck_assert_ptr_nonnull(strstr(oper("SET RESERVED SHARED OFF"), "RESERVED = 0 "));
    ck_assert_str_eq(oper("QUERY RESERVED"), "No users have reserved frames");
}
END_TEST

START_TEST(processors)
{
    ck_assert_str_eq(oper("QUERY CPUS"), "PROCESSOR 00 MASTER CP|PROCESSOR 01 ALTERNATE CP|"
                                         "PROCESSOR 02 ALTERNATE IFL");
    ck_assert_str_eq(oper("VARY OFFLINE PROCESSOR 01"), "PROCESSOR 01 varied offline");
    ck_assert_str_eq(oper("QUERY PROCESSORS"), "PROCESSOR 00 MASTER CP|PROCESSOR 01 STANDBY CP|"
                                               "PROCESSOR 02 ALTERNATE IFL");
    ck_assert_str_eq(oper("VARY ON PROC 1"), "PROCESSOR 01 varied online");
    REFUSED(oper("VARY OFF PROCESSOR 0"), 416, "HCPSYS416E VARY not performed");
    REFUSED(oper("VARY OFF PROCESSOR"), 26, "HCPCMD026E");
    REFUSED(oper("VARY OFF PROCESSOR XY"), 2, "HCPCMD002E");
}
END_TEST

START_TEST(dedicated)
{
    ck_assert_str_eq(oper("DEDICATE SHARED CPU 0"), "CPU 00 of SHARED dedicated");
    ck_assert(vm_of("SHARED")->dedicated);
    ck_assert_str_eq(oper("UNDEDICATE USER SHARED ALL"), "CPU 00 of SHARED undedicated");
    ck_assert(!vm_of("SHARED")->dedicated);
    REFUSED(oper("DEDICATE SHARED CPU 7"), 416, "HCPSYS416E DEDICATE not performed");
    REFUSED(oper("DEDICATE NOBODY ALL"), 45, "HCPCQU045E");
    REFUSED(oper("DEDICATE SHARED"), 26, "HCPCMD026E");
}
END_TEST

/* What the directory says of processors and serial numbers. */
START_TEST(of_the_directory)
{
    oper("XAUTOLOG OWNER");
    ck_assert(vm_of("OWNER")->dedicated);
    ck_assert_str_eq(on(0, "OWNER", "QUERY VIRTUAL CPUS"),
                     "CPU 00  ID  FFABCDEF28178000 (BASE) STOPPED CP   CPUAFF ON");
    oper("XAUTOLOG NEVERS");
    REFUSED(oper("DEDICATE NEVERS ALL"), 416,
            "HCPSYS416E DEDICATE not performed--the directory");
    ck_assert(!vm_of("NEVERS")->dedicated);
    ck_assert(!vm_of("SHARED")->dedicated);
}
END_TEST

/* Lines, order and widths that tools parse. */
START_TEST(indicate)
{
    ck_assert_str_eq(oper("INDICATE"),
                     "AVGPROC-033% 03|"
                     "MDC READS-000000/SEC WRITES-000000/SEC HIT RATIO-000%|"
                     "PAGING-0/SEC|"
                     "Q0-00001(00000)                           DORMANT-00000|"
                     "Q1-00001(00000)           E1-00000(00000)|"
                     "Q2-00000(00000) EXPAN-001 E2-00000(00000)|"
                     "Q3-00000(00000) EXPAN-001 E3-00000(00000)||"
                     "PROC 0000-100% CP   HZ     PROC 0001-000% CP   HZ|"
                     "PROC 0002-000% IFL  HZ|"
                     "LIMITED-00000");
    const char *user = oper("IND USER SHARED");
    ck_assert_ptr_nonnull(strstr(user, "USERID=SHARED   MACH=ESA STOR=64M VIRT=V XSTORE=NONE|"
                                       "IPLSYS=NONE     DEVNUM=0000"));
    ck_assert_ptr_nonnull(
        strstr(user, "CPU 00: CTIME=00:00 VTIME=000:00 TTIME=000:00 IO=000000|"
                     "        RDR=000000 PRT=000000 PCH=000000 TYPE=CP   CPUAFFIN=ON"));
    ck_assert_ptr_nonnull(strstr(oper("IND Q"), "SHARED        Q0 PS  00000128/00000128"));
    ck_assert_ptr_nonnull(
        strstr(oper("IND Q EXP"), "SHARED        Q0 PS  00000128/00000128 CP   TRANS="));
    REFUSED(oper("IND Q FROB"), 3, "HCPCMD003E Invalid option - FROB");
    REFUSED(oper("IND Q EXP FROB"), 3, "HCPCMD003E Invalid option - FROB");
    ck_assert_str_eq(oper("IND ACTIVE 5 MIN"),
                     "00002 USERS, 00002 ACTIVE, 00002 IN DISPATCH LIST");
    ck_assert_str_eq(oper("IND PAGING"), "No users in page wait");
    REFUSED(oper("IND ACTIVE 0"), 2, "HCPCMD002E");
    REFUSED(oper("IND FROB"), 3, "HCPCMD003E");
    REFUSED(on(0, "SHARED", "IND QUEUES"), 3, "HCPCMD003E");
    REFUSED(on(0, "SHARED", "IND USER OPERATOR"), 3, "HCPCMD003E");
    ck_assert_ptr_nonnull(strstr(on(0, "SHARED", "IND USER"), "USERID=SHARED"));
    ck_assert_ptr_nonnull(strstr(on(0, "SHARED", "IND LOAD"), "AVGPROC-033% 03|"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_processor_cmd");
    TCase *tc = tcase_create("commands");
    tcase_add_checked_fixture(tc, setup, cp_world_teardown);
    tcase_add_test(tc, share_of_the_directory_and_another);
    tcase_add_test(tc, share_refused);
    tcase_add_test(tc, quickdsp);
    tcase_add_test(tc, settings_go_along_with_the_session);
    tcase_add_test(tc, reserved);
    tcase_add_test(tc, processors);
    tcase_add_test(tc, dedicated);
    tcase_add_test(tc, of_the_directory);
    tcase_add_test(tc, indicate);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
