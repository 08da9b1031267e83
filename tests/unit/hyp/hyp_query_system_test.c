/* QUERY of the system: what there is none of, scheduler, frames, volumes, clocks, spaces, records;
 * INDICATE SPACES, I/O, USER EXP. Headings and figures, and who is refused what.
 * Run alone: tests/run unit/hyp_query_system_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/cp_world.h"

static void setup(void)
{
    cp_world_users = "USER CLOCK PW 64M 64M G\n OPTION TODENABLE\n";
    cp_world_setup();
    oper("LOGON OPERATOR OPER");
    on(0, "", "LOGON GUEST PASS");
}

#define HAS(text, part) ck_assert_msg(strstr(text, part) != NULL, "%s lacks %s", text, part)

START_TEST(nothing_of_each_kind)
{
    static const struct {
        const char *command, *answer;
    } rows[] = {
#define N(subject, words, answer) {"QUERY " subject, answer},
#include "hyp/cp/cp_nothing.def"
#undef N
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ck_assert_msg(!strcmp(oper(rows[i].command), rows[i].answer), "%s", rows[i].command);
        ck_assert_int_eq(resp.rc, 0);
    }
    ck_assert_str_eq(oper("q vsw details"), "No virtual switches are defined.");
    ck_assert_str_eq(oper("q port group all active details"), "No port groups are defined.");
    ck_assert_str_eq(on(0, "GUEST", "Q LAN ALL ACCESS"), "No guest LANs are defined.");
    REFUSED(oper("QUERY FCP B000"), 40, "HCPQRD040E Device B000 does not exist");
    REFUSED(oper("QUERY FCP SIDEWAYS"), 3, "HCPCQV003E Invalid option - SIDEWAYS");
    REFUSED(oper("QUERY DUMP ALL"), 3, "HCPCQV003E Invalid option - ALL");
    REFUSED(on(0, "GUEST", "QUERY FCP"), 3, "HCPCQV003E Invalid option - FCP");
}
END_TEST

/* May users of class G issue it? */
static bool of_guests(const char *prefix, const char *command)
{
    static const struct {
        const char *prefix, *name, *classes;
    } rows[] = {
#define R(prefix, name, classes, handler, help) {prefix, name, classes},
#include "hyp/cp/cp_cmd.def"
#undef R
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!strcmp(rows[i].prefix, prefix) && !strcasecmp(rows[i].name, command))
            return strpbrk(rows[i].classes, "G*");
    ck_abort_msg("%s is no command", command);
    return false;
}

/* Commands and operands of SET about what no member has: each row of the table is refused, and a
 * word that is none of its own is told. */
START_TEST(absent_of_each_kind)
{
    static const struct {
        const char *prefix, *command, *words, *reason;
    } rows[] = {
#define A(prefix, command, words, reason) {prefix, command, words, reason},
#include "hyp/cp/cp_absent.def"
#undef A
    };
    char command[64];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *set = *rows[i].prefix ? "SET " : "";
        snprintf(command, sizeof command, "%s%s", set, rows[i].command);
        REFUSED(oper(command), 26, "HCPCMD026E");
        bool any = *rows[i].words == '*';
        const char *word = any ? "GUEST" : *rows[i].words == '#' ? "0181" : rows[i].words;
        snprintf(command, sizeof command, "%s%s %.*s", set, rows[i].command,
                 (int)strcspn(word, " "), word);
        const char *text = oper(command);
        HAS(text, rows[i].reason);
        REFUSED(text, 600, "HCPABS600E");
        snprintf(command, sizeof command, "%s%s %%", set, rows[i].command);
        REFUSED(oper(command), 2, "HCPCMD002E Invalid operand - %");
        if (!of_guests(rows[i].prefix, rows[i].command))
            REFUSED(on(0, "GUEST", command), *set ? 3 : 1, *set ? "HCPCSE003E" : "HCPCMD001E");
    }
    ck_assert_str_eq(oper("QUERY GRAF"), "An active GRAF was not found.");
    ck_assert_str_eq(oper("QUERY GRAF OFFLINE"), "An offline GRAF was not found.");
    ck_assert_str_eq(oper("QUERY DASD OFFLINE"), "An offline DASD was not found.");
    ck_assert_str_eq(oper("QUERY TAPES ATTACHED"), "An attached TAPE was not found.");
    ck_assert_str_eq(oper("QUERY DASD FREE"), "A free DASD was not found.");
    ck_assert_str_eq(on(0, "GUEST", "QUERY VIRTUAL XSTORE"), "XSTORE = none");
    REFUSED(on(0, "GUEST", "DEFINE STORAGE"), 26, "HCPCMD026E");
    REFUSED(on(0, "GUEST", "TAG"), 26, "HCPCMD026E");
}
END_TEST

/* No QUERY takes a word that means nothing. */
START_TEST(operands_too_many)
{
    static const char *const names[][2] = {
#define R(prefix, name, classes, handler, help) {prefix, name},
#include "hyp/cp/cp_cmd.def"
#undef R
    };
    char command[64];
    unsigned n = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i][0], "QUERY") || !strcmp(names[i][1], "PFnn"))
            continue;
        snprintf(command, sizeof command, "QUERY %s %%X%%", names[i][1]);
        oper(command);
        ck_assert_msg(resp.rc != 0, "%s", command);
        n++;
    }
    ck_assert_uint_gt(n, 80);
}
END_TEST

START_TEST(frames_and_scheduler)
{
    const char *text = oper("QUERY FRAMES");
    HAS(text, "All Frames:|  Configured=524288  Real=524288  Usable=524288  Offline=0|");
    HAS(text, "GlobalClearedAvail=524032|"); /* each of two machines has 128 frames */
    HAS(text, "Above-2G Frames:|  Configured=0  Real=0|Below-2G Frames:|  Configured=524288");
    HAS(oper("QUERY SRM"), "DISPATCHING MINOR TIMESLICE = 400000 INSTRUCTIONS|");
    HAS(oper("QUERY SRM"), "LIMITHARD METHOD: CONSUMPTION|POLARIZATION: HORIZONTAL|");
    HAS(oper("QUERY SRM"), "IDLESLACK : 500 MILLISECONDS");
    ck_assert_str_eq(oper("SET SRM IDLESLACK 40"), "");
    HAS(oper("QUERY SRM"), "IDLESLACK : 40 MILLISECONDS");
    ck_assert_str_eq(oper("SET SRM IDLESLACK OFF"), "");
    HAS(oper("QUERY SRM"), "IDLESLACK : OFF");
    REFUSED(oper("SET SRM IDLESLACK 1001"), 2, "HCPCMD002E");
    REFUSED(oper("SET SRM IDLESLACK 9"), 2, "HCPCMD002E");
    REFUSED(oper("SET SRM IDLESLACK"), 26, "HCPCMD026E");
    REFUSED(oper("SET SRM"), 26, "HCPCMD026E");
    REFUSED(oper("SET SRM LDUBUF 100"), 3, "HCPCQV003E Invalid option - LDUBUF");
    REFUSED(oper("SET SRM IDLESLACK 40 MORE"), 3, "HCPCMD003E");
    ck_assert_str_eq(oper("QUERY REORDER GUEST"), "USER GUEST   : REORDER = OFF");
    REFUSED(oper("QUERY REORDER NOBODY"), 45, "HCPCQU045E");
    REFUSED(oper("QUERY REORDER"), 26, "HCPCMD026E");
    HAS(oper("QUERY PROC TOPOLOGY"), "NESTING LEVEL: 01 ID: 01|PROCESSOR 00 MASTER CP|");
    REFUSED(oper("QUERY PROC SIDEWAYS"), 3, "HCPCQV003E");
}
END_TEST

START_TEST(volumes)
{
    HAS(oper("QUERY ALLOC PAGE"),
        "VOLID  RDEV      START        END  PAGES IN USE   PAGE USED|");
    ck_assert_str_eq(oper("QUERY ALLOC"), "No CP-owned volumes are online.");
    REFUSED(oper("QUERY ALLOC MOON"), 3, "HCPCQV003E Invalid option - MOON");
    HAS(oper("QUERY VMLAN"), "MACADDR Prefix: 020001 USER Prefix: 020000|");
}
END_TEST

START_TEST(clocks)
{
    struct vm *guest = cp_user_vm(cp_user_find(cps[0], "GUEST"));
    ck_assert_str_eq(on(0, "GUEST", "QUERY VTOD"),
                     "System TOD: 2015-12-15 13:24:57 (D000000000000000)|"
                     "User TOD:   2015-12-15 13:24:57 (D000000000000000)|"
                     "Delta:      0000000000000000");
    ck_assert_str_eq(on(0, "GUEST", "QUERY VTOD SYNC"),
                     "System TOD: 2015-12-15 13:24:57 (D000000000000000)");
    guest->epoch = 4096000000; /* a second later */
    ck_assert_str_eq(oper("QUERY VTOD SYNC FOR GUEST"),
                     "System TOD: 2015-12-15 13:24:57 (D000000000000000)|"
                     "User TOD:   2015-12-15 13:24:58 (D0000000F4240000)|"
                     "Delta:      00000000F4240000|Synchronized with:|GUEST   ");
    REFUSED(on(0, "GUEST", "QUERY VTOD FOR OPERATOR"), 3, "HCPCQV003E");
    REFUSED(oper("QUERY VTOD FOR NOBODY"), 45, "HCPCQU045E NOBODY");
    REFUSED(oper("QUERY VTOD FOR"), 20, "HCPLGA020E");
}
END_TEST

START_TEST(spaces)
{
    HAS(on(0, "GUEST", "QUERY SPACES"),
        "ASIT             STORAGE P/S ACC SPACE IDENTIFICATION|");
    HAS(on(0, "GUEST", "QUERY SPACES"), "     64M PRV R/W GUEST:BASE");
    HAS(oper("QUERY SPACES OWNED GUEST"), "GUEST:BASE");
    REFUSED(on(0, "GUEST", "QUERY SPACES OWNED OPERATOR"), 3, "HCPCQV003E");
    const char *text = on(0, "GUEST", "INDICATE SPACES");
    HAS(text, "Spaceid=GUEST:BASE                        Owned size=64M PRIVATE|"
              "Pages: Main=128 Xstore=--- Dasd=0 Locked=0|       Instan=128|Private paging:|");
    HAS(oper("INDICATE SPACES SPACE GUEST:BASE"), "Spaceid=GUEST:BASE");
    HAS(oper("INDICATE SPACES USER GUEST"), "Spaceid=GUEST:BASE");
    REFUSED(oper("INDICATE SPACES SPACE GUEST:MOON"), 3, "HCPCMD003E");
    REFUSED(on(0, "GUEST", "IND SPACES USER OPERATOR"), 3, "HCPCMD003E");
}
END_TEST

START_TEST(expanded_and_io)
{
    const char *text = oper("INDICATE USER GUEST EXP");
    HAS(text, "Userid=GUEST    Mach=ESA V=V Attached xstore=---|Iplsys=NONE Devnum=1|");
    HAS(text, "Owned spaces: Number=1 Owned size=64M|Pages: Main=128 Xstore=---");
    HAS(text, "CPU 00: Ctime=0 00:00:00 Vtime=0 00:00:00 Ttime=0 00:00:00|");
    HAS(on(0, "GUEST", "IND USER EXP"), "Userid=GUEST ");
    REFUSED(oper("IND USER GUEST LONG"), 3, "HCPCMD003E Invalid option - LONG");
    ck_assert_str_eq(oper("INDICATE I/O"), "No users in I/O wait");
    oper("FOR GUEST CMD DEFINE VFB-512 200 BLK 64");
    cp_user_vm(cp_user_find(cps[0], "GUEST"))->busy = 0x200;
    ck_assert_str_eq(oper("INDICATE I/O"), "GUEST    0000");
    ck_assert_str_eq(oper("IND MULTITHREAD"), "The Multithreading Facility is not installed.");
    REFUSED(on(0, "GUEST", "IND I/O"), 3, "HCPCMD003E");
}
END_TEST

START_TEST(records)
{
    HAS(oper("QUERY RECORDING"),
        "RECORDING    COUNT    LMT USERID   COMMUNICATION|EREP     OFF");
    REFUSED(oper("RECORDING ACCOUNT ON"), 99, "HCPCMD099E Recording is not available yet");
    ck_assert_str_eq(oper("RECORDING ACCOUNT OFF"), "");
    REFUSED(oper("RECORDING"), 26, "HCPCMD026E");
    REFUSED(oper("RECORDING MUSIC ON"), 2, "HCPCMD002E Invalid operand - MUSIC");
    REFUSED(on(0, "GUEST", "RECORDING ACCOUNT ON"), 1, "HCPCMD001E");
}
END_TEST

/* SET VTOD: one's own with OPTION TODENABLE, anybody's with class B; the machine is reset. */
START_TEST(clocks_are_set)
{
    on(0, "", "LOGON CLOCK PW");
    on(0, "", "LOGON LINUX1 SECRET");
    struct vm *own = cp_user_vm(cp_user_find(cps[0], "CLOCK"));
    struct vm *other = cp_user_vm(cp_user_find(cps[0], "LINUX1"));
    ck_assert_str_eq(on(0, "CLOCK", "SET VTOD 02/26/2016 17:13:25"), "");
    ck_assert_uint_eq(own->resets, 1);
    ck_assert_ptr_nonnull(strstr(on(0, "CLOCK", "QUERY VTOD"), "2016-02-26 17:13:25"));
    ck_assert_str_eq(on(0, "CLOCK", "SET VTOD 2000-01-31 00:00"), "");
    ck_assert_ptr_nonnull(strstr(on(0, "CLOCK", "QUERY VTOD"), "2000-01-31 00:00:00"));
    ck_assert_str_eq(oper("SET VTOD FOR LINUX1 FROMUSER CLOCK"), "");
    ck_assert_uint_eq(other->epoch, own->epoch);
    ck_assert_str_eq(on(0, "CLOCK", "SET VTOD SYSTEM"), "");
    ck_assert_uint_eq(own->epoch, 0);
    ck_assert_uint_ne(other->epoch, 0);
    REFUSED(on(0, "LINUX1", "SET VTOD SYSTEM"), 3, "HCPCSE003E Invalid option - VTOD");
    REFUSED(on(0, "CLOCK", "SET VTOD FOR LINUX1 SYSTEM"), 3, "HCPCSE003E");
    REFUSED(oper("SET VTOD FOR NOBODY SYSTEM"), 45, "HCPCQU045E NOBODY");
    REFUSED(oper("SET VTOD FOR LINUX1 FROMUSER NOBODY"), 45, "HCPCQU045E NOBODY");
    REFUSED(on(0, "CLOCK", "SET VTOD"), 26, "HCPCMD026E");
    REFUSED(on(0, "CLOCK", "SET VTOD 02/26/2016"), 26, "HCPCMD026E");
    REFUSED(on(0, "CLOCK", "SET VTOD 02/30/2016 10:00"), 3, "HCPCSE003E");
    REFUSED(on(0, "CLOCK", "SET VTOD 2016-02-26 25:00:00"), 3, "HCPCSE003E");
    REFUSED(on(0, "CLOCK", "SET VTOD 1969-02-26 10:00:00"), 3, "HCPCSE003E");
    REFUSED(on(0, "CLOCK", "SET VTOD 2016-02-26x 10:00:00"), 3, "HCPCSE003E");
    ck_assert_uint_eq(own->resets, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_query_system");
    TCase *tc = tcase_create("queries");
    tcase_add_checked_fixture(tc, setup, cp_world_teardown);
    tcase_add_test(tc, nothing_of_each_kind);
    tcase_add_test(tc, absent_of_each_kind);
    tcase_add_test(tc, operands_too_many);
    tcase_add_test(tc, frames_and_scheduler);
    tcase_add_test(tc, volumes);
    tcase_add_test(tc, clocks);
    tcase_add_test(tc, clocks_are_set);
    tcase_add_test(tc, spaces);
    tcase_add_test(tc, expanded_and_io);
    tcase_add_test(tc, records);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
