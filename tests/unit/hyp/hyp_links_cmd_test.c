/* CPHX, HALT, GIVE, REDEFINE, ACTIVATE and DEACTIVATE ISLINK, ENABLE and DISABLE: what they do,
 * and what is refused. Run alone: tests/run unit/hyp_links_cmd_test */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/cp_world.h"

static void setup(void)
{
    cp_world_users = "USER OTHER PASS 64M 64M BG\n";
    cp_world_devices = "0480 3490 *\n0481 3490 *\n";
    cp_world_config = "ACTIVATE ISLINK 0E01 NODE MEMBERB\nACTIVATE ISLINK 0E02\n";
    cp_world_setup();
    oper("LOGON OPERATOR OPER");
    on(0, "", "LOGON GUEST PASS");
    on(0, "", "LOGON OTHER PASS");
}

static struct vm *vm_of(const char *userid)
{
    return cp_user_vm(cp_user_find(cps[0], userid));
}

/* --- CPHX --- */

static struct cp_response waiting;

static void begin(const char *userid, const char *command)
{
    cp_response_init(&waiting);
    ck_assert_int_eq(cp_command(cps[0], userid, command, &waiting), CP_PENDING);
}

START_TEST(cphx_ends_what_waits)
{
    begin("GUEST", "SLEEP 30 SEC");
    REFUSED(on(0, "OTHER", "CPHX GUEST"), 3, "HCPCMD003E");
    ck_assert(!waiting.done);
    ck_assert_str_eq(oper("CPHX GUEST"), "1 command(s) of GUEST halted");
    ck_assert(waiting.done);
    ck_assert_int_eq(waiting.rc, 601);
    ck_assert_str_eq(waiting.lines[0], "HCPCPX601E SLEEP was halted by CPHX");
    cp_response_fini(&waiting);
    REFUSED(oper("CPHX GUEST"), 600, "HCPCPX600E No command of GUEST can be halted");
    pass_time(60000);
    begin("GUEST", "SLEEP 30 SEC");
    ck_assert_str_eq(on(0, "GUEST", "CPHX"), "1 command(s) of GUEST halted");
    ck_assert(waiting.done);
    cp_response_fini(&waiting);
    REFUSED(on(0, "GUEST", "CPHX OPERATOR"), 3, "HCPCMD003E");
}
END_TEST

/* What was sent to another member ends there, and its own answer comes back. */
START_TEST(cphx_reaches_other_members)
{
    begin("OPERATOR", "AT MEMBERB CMD SLEEP 30 SEC");
    is(oper("CPHX"), "1 command(s) of OPERATOR halted");
    ck_assert(waiting.done);
    ck_assert_int_eq(waiting.rc, 601);
    ck_assert_str_eq(waiting.lines[0], "HCPCPX601E SLEEP was halted by CPHX");
    cp_response_fini(&waiting);
    pass_time(CP_REMOTE_HALT_TIMEOUT_MS);
}
END_TEST

START_TEST(cphx_does_not_wait_for_members)
{
    link_deaf = true;
    begin("OPERATOR", "QUERY NAMES AT ALL");
    oper("CPHX");
    pass_time(CP_REMOTE_HALT_TIMEOUT_MS);
    ck_assert(waiting.done);
    ck_assert_int_eq(waiting.rc, 1851);
    bool here = false, halted = false;
    for (unsigned i = 0; i < waiting.line_count; i++) {
        here |= strstr(waiting.lines[i], "OPERATOR - L0001") != NULL;
        halted |= strstr(waiting.lines[i], "halted by CPHX") != NULL;
    }
    ck_assert(here && halted);
    cp_response_fini(&waiting);
    pass_time(600000);
}
END_TEST

/* --- devices --- */

START_TEST(halt_a_device)
{
    ck_assert_str_eq(oper("HALT 480"), "Device 0480 is not active");
    oper("ATTACH 480 GUEST 181");
    ck_assert_str_eq(oper("HALT 480"), "Device 0480 is not active");
    vm_of("GUEST")->busy = 0x181;
    ck_assert_str_eq(oper("HALT 480"), "HALT was initiated to device 0480");
    ck_assert_uint_eq(vm_of("GUEST")->busy, 0);
    REFUSED(oper("HALT 999"), 40, "HCPATR040E Device 999 does not exist");
    REFUSED(oper("HALT"), 21, "HCPATR021E");
    REFUSED(on(0, "GUEST", "HALT 480"), 1, "HCPCMD001E");
}
END_TEST

START_TEST(give_a_tape)
{
    oper("ATTACH 480 OTHER 181");
    ck_assert_str_eq(on(0, "OTHER", "GIVE 480 TO GUEST"), "TAPE 0480 GIVEN TO GUEST 0181");
    ck_assert(console_has(0, "GUEST", "^TAPE 0181 GIVEN BY OTHER$"));
    ck_assert_ptr_nonnull(strstr(oper("QUERY 480"), "TAPE 0480 ATTACHED TO GUEST    0181"));
    ck_assert_uint_eq(vm_of("OTHER")->device_count, 0);
    ck_assert_uint_eq(vm_of("GUEST")->devices[0], 0x181);
    REFUSED(on(0, "OTHER", "GIVE 480 GUEST"), 121,
            "HCPDTR121E TAPE 0480 not attached to OTHER");
    oper("ATTACH 481 OTHER 181");
    REFUSED(on(0, "OTHER", "GIVE 481 GUEST"), 128, "HCPATR128E");
    ck_assert_uint_eq(vm_of("OTHER")->device_count, 1);
    ck_assert_str_eq(on(0, "OTHER", "GIVE 481 GUEST AS 182 R/O"),
                     "TAPE 0481 GIVEN TO GUEST 0182 R/O");
    REFUSED(on(0, "OTHER", "GIVE 481 NOBODY"), 45, "HCPCMD045E NOBODY");
    REFUSED(on(0, "OTHER", "GIVE 481"), 20, "HCPLGA020E");
    REFUSED(on(0, "OTHER", "GIVE 499 GUEST"), 40, "HCPATR040E");
    REFUSED(on(0, "OTHER", "GIVE 481 GUEST SIDEWAYS"), 3, "HCPCMD003E");
    REFUSED(on(0, "GUEST", "GIVE 481 OTHER"), 1, "HCPCMD001E");
}
END_TEST

START_TEST(rewind_a_tape)
{
    oper("ATTACH 480 GUEST 181");
    is(on(0, "GUEST", "REWIND 181"), "REWIND COMPLETE");
    ck_assert_uint_eq(vm_of("GUEST")->rewinds, 1);
    REFUSED(on(0, "GUEST", "REWIND 182"), 40, "HCPQVD040E Device 182 does not exist");
    REFUSED(on(0, "GUEST", "REWIND"), 22, "HCPDEF022E");
    REFUSED(on(0, "GUEST", "REWIND TAPE"), 22, "HCPDEF022E");
    REFUSED(on(0, "GUEST", "REWIND 181 182"), 3, "HCPCMD003E");
}
END_TEST

START_TEST(redefine_a_disk_and_a_tape)
{
    on(0, "GUEST", "DEFINE VFB-512 200 BLK 64");
    ck_assert_str_eq(on(0, "GUEST", "REDEFINE 200 AS 300"), "DASD 0300 DEFINED");
    ck_assert_uint_eq(vm_of("GUEST")->device_count, 1);
    ck_assert_uint_eq(vm_of("GUEST")->devices[0], 0x300);
    REFUSED(on(0, "GUEST", "QUERY VIRTUAL 200"), 40, "HCPQVD040E");
    ck_assert_ptr_nonnull(strstr(on(0, "GUEST", "QUERY VIRTUAL 300"), "DASD 0300 9336"));
    oper("ATTACH 480 GUEST 181");
    ck_assert_str_eq(on(0, "GUEST", "REDEF DEVICE 181 182"), "TAPE 0182 DEFINED");
    ck_assert_ptr_nonnull(strstr(oper("QUERY 480"), "ATTACHED TO GUEST    0182"));
    ck_assert_str_eq(oper("DETACH 480 GUEST"), "TAPE 0480 DETACHED GUEST 0182");
    REFUSED(on(0, "GUEST", "REDEFINE 300 300"), 92, "HCPDEF092E");
    REFUSED(on(0, "GUEST", "REDEFINE 999 301"), 40, "HCPDTV040E Device 999 does not exist");
    REFUSED(on(0, "GUEST", "REDEFINE 300"), 22, "HCPDEF022E");
}
END_TEST

/* --- cluster --- */

START_TEST(links)
{
    ck_assert_str_eq(
        oper("QUERY ISLINK NODE MEMBERB"),
        "Node MEMBERB  Link TCP [::1]:4711  State: Up|"
        "     Bytes Sent: 1010  Bytes Received: 2020|"
        "     Protocol: 2  TLS: Yes|"
        "     Control [::1]:4711  TLS_AES_256_GCM_SHA384|"
        "             Sent: 10  Received: 20  Waiting: 0  Last Received: 300 ms ago|"
        "     Bulk 1  [::1]:4712  TLS_AES_256_GCM_SHA384|"
        "             Sent: 1000  Received: 2000  Waiting: 500  Last Received: 7 ms ago");
    REFUSED(oper("QUERY ISLINK NODE MOON"), 600, "HCPLNK600E There is no link to MOON");
    REFUSED(oper("QUERY ISLINK NODE MEMBERA"), 600, "HCPLNK600E");
    REFUSED(oper("QUERY ISLINK MEMBERB NOW"), 3, "HCPCMD003E");
    REFUSED(oper("ACTIVATE ISLINK NODE MEMBERB"), 601,
            "HCPLNK601E The link to MEMBERB is active");
    link_up = false; /* lost: it heals by itself */
    ck_assert_str_eq(oper("ACTIVATE ISLINK MEMBERB"),
                     "Link to MEMBERB: activation is under way");
    link_up = true;
    ck_assert_str_eq(oper("DEACTIVE ISLINK MEMBERB"), "Link to MEMBERB: deactivated");
    ck_assert(!link_up);
    ck_assert_ptr_nonnull(strstr(oper("QUERY ISLINK"), "State: Inactive"));
    REFUSED(oper("DEACTIVATE ISLINK NODE MEMBERB"), 602,
            "HCPLNK602E The link to MEMBERB is as it was: that of MEMBERB is so");
    ck_assert_str_eq(oper("ACTIVATE ISLINK NODE MEMBERB"),
                     "Link to MEMBERB: activation is under way");
    ck_assert(link_up);
    REFUSED(on(0, "GUEST", "DEACTIVATE ISLINK MEMBERB"), 1, "HCPCMD001E");
    REFUSED(oper("DEACTIVATE ISLINK NODE MOON"), 600, "HCPLNK600E There is no link to MOON");
    REFUSED(oper("ACTIVATE ISLINK MEMBERA"), 600, "HCPLNK600E");
    REFUSED(oper("ACTIVATE ISLINK 0E01"), 601, "HCPLNK601E The link to MEMBERB is active");
    REFUSED(oper("ACTIVATE ISLINK E02"), 603,
            "HCPLNK603E Device E02 has no NODE in system.config; name the member");
    REFUSED(oper("ACTIVATE ISLINK 0E03"), 600, "HCPLNK600E There is no link to 0E03");
    REFUSED(oper("ACTIVATE ISLINK"), 26, "HCPCMD026E");
}
END_TEST

START_TEST(terminals)
{
    ck_assert(cp_terminals_enabled(cps[0]));
    ck_assert_str_eq(oper("DISABLE ALL"), "COMMAND COMPLETE");
    ck_assert(!cp_terminals_enabled(cps[0]));
    ck_assert_str_eq(oper("ENABLE TERMINALS"), "COMMAND COMPLETE");
    ck_assert(cp_terminals_enabled(cps[0]));
    REFUSED(oper("DISABLE 0900"), 40, "HCPATR040E Device 0900 does not exist");
    REFUSED(oper("ENABLE"), 26, "HCPCMD026E");
    REFUSED(on(0, "GUEST", "DISABLE ALL"), 1, "HCPCMD001E");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_links_cmd");
    TCase *tc = tcase_create("commands");
    tcase_add_checked_fixture(tc, setup, cp_world_teardown);
    tcase_add_test(tc, cphx_ends_what_waits);
    tcase_add_test(tc, cphx_reaches_other_members);
    tcase_add_test(tc, cphx_does_not_wait_for_members);
    tcase_add_test(tc, halt_a_device);
    tcase_add_test(tc, give_a_tape);
    tcase_add_test(tc, rewind_a_tape);
    tcase_add_test(tc, redefine_a_disk_and_a_tape);
    tcase_add_test(tc, links);
    tcase_add_test(tc, terminals);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
