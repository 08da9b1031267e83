/* CP commands over a fake virtual machine layer and a cluster of two in one process: response
 * shapes, abbreviations, privilege classes, single logon, AT, time limits.
 * Run alone: tests/run unit/hyp_cmd_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp_move.h"
#include "tests/lib/cp_world.h"

/* --- tests ---------- */

START_TEST(logon)
{
    REFUSED(on(0, "", "LOGON LINUX1 WRONG"), 50,
            "HCPLGA050E LOGON unsuccessful--incorrect userid and/or password");
    REFUSED(on(0, "", "LOGON NOBODY X"), 50, "HCPLGA050E LOGON unsuccessful--incorrect userid");
    REFUSED(on(0, "", "L NEVER NOLOG"), 50, "HCPLGA050E");
    REFUSED(on(0, "", "LOGON"), 20, "HCPLGA020E Userid missing or invalid");
    ck_assert_str_eq(on(0, "", "logon linux1 secret"),
                     "Endicott CP Version 0 Release 1.0, Service Level 0001 (64-bit)|"
                     "There is no logmsg data|FILES: 0003 RDR,   NO PRT,   NO PUN|"
                     "LOGON AT 17:13:22 UTC FRIDAY 02/26/16");
    ck_assert_int_eq(resp.rc, 0);
    struct cp_user *u = cp_user_find(cps[0], "LINUX1");
    ck_assert_uint_eq(cp_user_vm(u)->ipls, 1);
    ck_assert_str_eq(last_parm, "ro");
    ck_assert(!cp_user_cp_read(u));
    ck_assert(cp_user_claim(u) != 0);
    REFUSED(on(0, "", "LOGON LINUX1 SECRET"), 54, "HCPLGA054E Already logged on L0001");
    REFUSED(on(1, "", "LOGON LINUX1 SECRET"), 54, "HCPLGA054E Already logged on AT MEMBERA");
    ck_assert_str_eq(on(0, "LINUX1", "DISC"), "DISCONNECT AT 17:13:22 UTC FRIDAY 02/26/16");
    ck_assert_ptr_nonnull(strstr(on(0, "", "LOGON LINUX1 SECRET"), "|RECONNECTED AT 17:13:22"));
    ck_assert_uint_eq(cp_user_vm(cp_user_find(cps[0], "LINUX1"))->ipls, 1);
    ck_assert_str_eq(on(0, "LINUX1", "LOGOFF"),
                     "CONNECT= 00:00:00 VIRTCPU= 000:00.09 TOTCPU= 000:00.14|"
                     "LOGOFF AT 17:13:22 UTC FRIDAY 02/26/16");
    ck_assert_ptr_null(cp_user_find(cps[0], "LINUX1"));
    on(1, "", "LOGON LINUX1 SECRET NOIPL");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_uint_eq(cp_user_vm(cp_user_find(cps[1], "LINUX1"))->ipls, 0);
}
END_TEST

START_TEST(identity_logs_on_everywhere)
{
    on(0, "", "LOGON OPERATOR OPER");
    ck_assert_int_eq(resp.rc, 0);
    on(1, "", "LOGON OPERATOR OPER");
    ck_assert_int_eq(resp.rc, 0);
}
END_TEST

START_TEST(commands_of_the_directory)
{
    on(0, "", "LOGON LINUX1 SECRET");
    ck_assert(console_has(0, "LINUX1", "^LINUX1   AT MEMBERA$"));
    pass_time(2000); /* SLEEP ends when nobody waits for it */
    on(0, "LINUX1", "LOGOFF");
    on(0, "", "LOGON LINUX1 SECRET");
    on(0, "LINUX1", "LOGOFF"); /* before SLEEP ends */
    pass_time(2000);
    on(0, "", "LOGON SHORT");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_ptr_null(cp_user_find(cps[0], "SHORT"));
    cp_poll_consoles(cps[0]);
}
END_TEST

START_TEST(classes_and_unknown_commands)
{
    on(0, "", "LOGON GUEST PASS");
    REFUSED(on(0, "GUEST", "FROB 1"), 1, "HCPCMD001E Unknown CP command: FROB");
    REFUSED(on(0, "GUEST", "FORCE LINUX1"), 1, "HCPCMD001E Unknown CP command: FORCE");
    REFUSED(on(0, "GUEST", "SHUTDOWN"), 1, "HCPCMD001E Unknown CP command: SHUTDOWN");
    REFUSED(on(0, "GUEST", "AT MEMBERB CMD SHUTDOWN"), 1, "HCPCMD001E Unknown CP command");
    REFUSED(on(0, "GUEST", "CP CP CP FORCE LINUX1"), 1, "HCPCMD001E Unknown CP command: FORCE");
    REFUSED(on(0, "GUEST", "QUERY SSI"), 3, "HCPCQV003E Invalid option - SSI");
    REFUSED(on(0, "GUEST", "QUERY FROB"), 3, "HCPCQV003E Invalid option - FROB");
    REFUSED(on(0, "GUEST", "QUERY"), 26, "HCPCMD026E Operand missing or invalid");
    REFUSED(on(0, "GUEST", "SET FROB ON"), 3, "HCPCSE003E Invalid option - FROB");
    REFUSED(on(0, "NOBODY", "QUERY NAMES"), 3, "HCPCQV003E");
    REFUSED(on(0, "NOBODY", "DISC"), 1, "HCPCMD001E");
    REFUSED(oper("BEGIN"), 45, "HCPCMD045E OPERATOR not logged on");
    ck_assert_str_eq(on(0, "GUEST", "   "), "");
    ck_assert_int_eq(resp.rc, 0);
}
END_TEST

START_TEST(abbreviations)
{
    static const struct {
        const char *word, *name;
        bool fits;
    } rows[] = {
        {"Q", "Query", true},          {"QUE", "Query", true},        {"QUERY", "Query", true},
        {"QX", "Query", false},        {"QUERYX", "Query", false},    {"LOG", "LOGOff", false},
        {"LOGO", "LOGOff", true},      {"logoff", "LOGOff", true},    {"", "Query", false},
        {"XAUTOLO", "XAUTOLOg", true}, {"XAUTOL", "XAUTOLOg", false}, {"FORC", "FORCE", false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        ck_assert_msg(cp_abbrev(rows[i].word, rows[i].name) == rows[i].fits, "%s",
                      rows[i].word);
    on(0, "", "L GUEST PASS");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_str_eq(on(0, "GUEST", "q userid"), "GUEST    AT MEMBERA");
    ck_assert_str_eq(on(0, "GUEST", "q n"), "GUEST    - L0001");
    ck_assert_ptr_nonnull(strstr(on(0, "GUEST", "Q T"),
                                 "TIME IS 17:13:22 UTC FRIDAY 02/26/16|"
                                 "CONNECT= 00:00:00 VIRTCPU= 000:00.09"));
}
END_TEST

START_TEST(autolog_and_force)
{
    on(0, "", "LOGON OPERATOR OPER");
    ck_assert_str_eq(oper("XAUTOLOG LINUX1"), "Command accepted");
    ck_assert(console_has(0, "OPERATOR",
                          "^AUTO LOGON   \\*\\*\\*       LINUX1   USERS = 2 +BY "
                          "OPERATOR$"));
    REFUSED(oper("XAUTOLOG LINUX1"), 54, "HCPAUT054E LINUX1 already logged on DSC");
    REFUSED(on(1, "OPERATOR", "XAUTOLOG LINUX1"), 54,
            "HCPAUT054E LINUX1 already logged on "
            "MEMBERA");
    REFUSED(oper("XAUTOLOG NOBODY"), 53, "HCPAUT053E NOBODY not in CP directory");
    REFUSED(oper("XAUTOLOG NEVER"), 61, "HCPAUT061E");
    on(0, "", "LOGON GUEST PASS");
    REFUSED(on(0, "GUEST", "XAUTOLOG OPERATOR"), 61, "HCPAUT061E");
    ck_assert_str_eq(oper("Q NAMES"), "OPERATOR - L0001, LINUX1   - DSC  , GUEST    - L0002");
    ck_assert_str_eq(oper("Q LINUX1"), "LINUX1   - DSC");
    REFUSED(oper("Q NEVER"), 45, "HCPCQU045E NEVER not logged on");
    ck_assert_str_eq(oper("FORCE LINUX1"),
                     "USER DSC LOGOFF AS  LINUX1   USERS = 2    FORCED BY OPERATOR");
    REFUSED(oper("FORCE LINUX1"), 45, "HCPFOR045E LINUX1 not logged on");
    ck_assert_str_eq(on(0, "GUEST", "XAUTOLOG LINUX1"),
                     "Command accepted"); /* XAUTOLOG GUEST */
    reader_empty = true;
    oper("FORCE LINUX1");
    oper("XAUTOLOG LINUX1");
    ck_assert(console_has(0, "LINUX1", "^HCPIPL408E IPL failed--the reader is empty$"));
    ck_assert(cp_user_cp_read(cp_user_find(cps[0], "LINUX1")));
}
END_TEST

START_TEST(machine_commands)
{
    on(0, "", "LOGON LINUX1 SECRET NOIPL");
    ck_assert_str_eq(on(0, "LINUX1", "IPL 00C CLEAR PARM Root=/dev/ram0  x"),
                     "Storage cleared - system reset.");
    ck_assert_str_eq(last_parm, "Root=/dev/ram0  x");
    REFUSED(on(0, "LINUX1", "IPL FFF"), 40, "HCPQVD040E Device FFF does not exist");
    REFUSED(on(0, "LINUX1", "IPL"), 22, "HCPIPL022E");
    REFUSED(on(0, "LINUX1", "I CMS"), 440, "HCPIPL440E Named saved system CMS does not exist");
    REFUSED(on(0, "LINUX1", "I C FROB"), 3, "HCPCMD003E Invalid option - FROB");
    ck_assert_str_eq(on(0, "LINUX1", "SYSTEM CLEAR"), "Storage cleared - system reset.");
    ck_assert(cp_user_cp_read(cp_user_find(cps[0], "LINUX1")));
    ck_assert_str_eq(on(0, "LINUX1", "B"), "");
    ck_assert(!cp_user_cp_read(cp_user_find(cps[0], "LINUX1")));
    ck_assert_str_eq(on(0, "LINUX1", "STOP CPU ALL"), "");
    ck_assert_str_eq(on(0, "LINUX1", "DEF STOR 1G"), "STORAGE = 1G|Storage cleared - system "
                                                     "reset.");
    ck_assert_str_eq(on(0, "LINUX1", "Q V STOR"), "STORAGE = 1G");
    REFUSED(on(0, "LINUX1", "DEF STOR 3G"), 94, "HCPDST094E");
    ck_assert_str_eq(on(0, "LINUX1", "DEF STOR 1G STANDBY 512M"),
                     "STORAGE = 1G|Storage cleared - system reset.");
    ck_assert_str_eq(on(0, "LINUX1", "Q V STOR"),
                     "STORAGE = 1G  MAX = 2G  INC = 1M  STANDBY = 512M  RESERVED = 0");
    REFUSED(on(0, "LINUX1", "DEF STOR 1G STANDBY 2G"), 94, "HCPDST094E");
    REFUSED(on(0, "LINUX1", "DEF STOR 1G STANDBY"), 2, "HCPCMD002E");
    ck_assert_str_eq(on(0, "LINUX1", "DEF STOR 1G RESERVED 512M STANDBY 256M"),
                     "STORAGE = 1G|Storage cleared - system reset.");
    ck_assert_str_eq(on(0, "LINUX1", "Q V STOR"),
                     "STORAGE = 1G  MAX = 2G  INC = 1M  STANDBY = 256M  RESERVED = 512M");
    REFUSED(on(0, "LINUX1", "DEF STOR 1G RESERVED 1025M"), 94, "HCPDST094E");
    REFUSED(on(0, "LINUX1", "DEF STOR 1G STANDBY 1G RESERVED 1M"), 94, "HCPDST094E");
    REFUSED(on(0, "LINUX1", "DEF STOR 1G RESERVED"), 2,
            "HCPCMD002E Invalid operand - RESERVED");
    REFUSED(on(0, "LINUX1", "DEF STOR 1G RESERVED 5K"), 94, "HCPDST094E");
    REFUSED(on(0, "LINUX1", "DEF STOR 1G SPARE 1G"), 3, "HCPCMD003E");
    ck_assert_str_eq(on(0, "LINUX1", "DEF STOR 1G STANDBY 0"),
                     "STORAGE = 1G|Storage cleared - system reset.");
    REFUSED(on(0, "LINUX1", "DET 260C"), 40, "HCPDTV040E Device 260C does not exist");
    REFUSED(on(0, "LINUX1", "Q V FFFF"), 40, "HCPQVD040E Device FFFF does not exist");
    ck_assert_str_eq(on(0, "LINUX1", "Q V 00C"), "RDR  000C CL * NOCONT NOHOLD");
    REFUSED(on(0, "LINUX1", "Q V OSA"), 40, "HCPQVD040E");
    on(0, "LINUX1", "ATTN");
    ck_assert_uint_eq(cp_user_vm(cp_user_find(cps[0], "LINUX1"))->attentions, 1);
}
END_TEST

START_TEST(cpus_defined)
{
    on(0, "", "LOGON LINUX1 SECRET NOIPL");
    ck_assert_str_eq(on(0, "LINUX1", "DEFINE CPU 1"), "CPU 01 defined");
    REFUSED(on(0, "LINUX1", "DEFINE CPU 2 TYPE ZAP"), 3, "HCPCMD003E");
    REFUSED(on(0, "LINUX1", "DEFINE CPU 2 TYPE"), 3, "HCPCMD003E");
    REFUSED(on(0, "LINUX1", "DEFINE CPU 2 TYPE IFL IFL"), 3, "HCPCMD003E");
    ck_assert_str_eq(on(0, "LINUX1", "DEFINE CPU 2 TYPE ZIIP"), "CPU 02 defined");
    REFUSED(on(0, "LINUX1", "DEFINE CPU 1"), 1453, "HCPCPU1453E");
    REFUSED(on(0, "LINUX1", "DEFINE CPU"), 26, "HCPCMD026E");
    REFUSED(on(0, "LINUX1", "DEFINE CPU TYPE ZIIP"), 26, "HCPCMD026E");
    REFUSED(on(0, "LINUX1", "DEFINE CPU 3 9-"), 2, "HCPCMD002E Invalid operand - 9-");
    ck_assert_str_eq(on(0, "LINUX1", "Q V CPUS"),
                     "CPU 00  ID  FF0A000128178000 (BASE) STOPPED CP   CPUAFF ON|"
                     "CPU 01  ID  FF1A000128178000 STOPPED CP   CPUAFF ON|"
                     "CPU 02  ID  FF2A000128178000 STOPPED ZIIP CPUAFF ON");
    REFUSED(on(0, "LINUX1", "DET CPU 0"), 1456,
            "HCPCPU1456E The base CPU 00 cannot be detached.");
    ck_assert_str_eq(on(0, "LINUX1", "DETACH CPU ALL"), "CPU 02 detached|CPU 01 detached|"
                                                        "Storage cleared - system reset.");
    REFUSED(on(0, "LINUX1", "DETACH CPU ALL"), 1456, "HCPCPU1456E The base CPU 00");
    ck_assert_str_eq(on(0, "LINUX1", "DEFINE CPU 3 1-2"),
                     "CPU 01 defined|CPU 02 defined|CPU 03 defined");
    REFUSED(on(0, "LINUX1", "DEFINE CPU 4"), 1458,
            "HCPCPU1458E CPU not defined--the directory");
}
END_TEST

START_TEST(set_mcheck)
{
    on(0, "", "LOGON LINUX1 SECRET NOIPL");
    const struct vm_machine_check *m = &cp_user_vm(cp_user_find(cps[0], "LINUX1"))->mcheck;
    ck_assert_str_eq(on(0, "LINUX1", "SET MCHECK WARNING"), "");
    ck_assert_uint_eq(m->mcic, 1ull << 55);
    ck_assert_str_eq(on(0, "LINUX1", "SET MCH CPU 0 PROC AT 12345000"), "");
    ck_assert_uint_eq(m->mcic, 1ull << 62 | 1ull << 47 | 1ull << 39);
    ck_assert_uint_eq(m->failing_storage, 0x12345000);
    on(0, "LINUX1", "SET MCH REC AT 5000");
    ck_assert_uint_eq(m->mcic, 1ull << 61 | 1ull << 46 | 1ull << 39);
    on(0, "LINUX1", "SET MCH EXT CODE 800000");
    ck_assert_uint_eq(m->mcic, 1ull << 58 | 1ull << 37);
    ck_assert_uint_eq(m->external_damage, 0x800000);
    const enum vm_path_event *event = &cp_user_vm(cp_user_find(cps[0], "LINUX1"))->path_event;
    ck_assert_str_eq(on(0, "LINUX1", "SET MCHECK LINK 20 STOPPED"), "");
    ck_assert_int_eq(*event, VM_LINK_STOPPED);
    ck_assert_str_eq(on(0, "LINUX1", "SET MCHECK PATH 20 LOST"), "");
    ck_assert_int_eq(*event, VM_PATH_LOST);
    on(0, "LINUX1", "SET MCHECK PATH 20 DEC");
    ck_assert_int_eq(*event, VM_PATH_DECONFIGURE);
    REFUSED(on(0, "LINUX1", "SET MCHECK PATH 21 LOST"), 2, "HCPCMD002E");
    REFUSED(on(0, "LINUX1", "SET MCHECK PATH 20 STOPPED"), 3, "HCPCMD003E");
    REFUSED(on(0, "LINUX1", "SET MCHECK LINK 20"), 26, "HCPCMD026E");
    REFUSED(on(0, "LINUX1", "SET MCHECK LINK 100 DEG"), 2, "HCPCMD002E");
    REFUSED(on(0, "LINUX1", "SET MCHECK LINK 20 DEG NOW"), 3, "HCPCMD003E");
    REFUSED(on(0, "LINUX1", "SET MCHECK"), 26, "HCPCMD026E");
    REFUSED(on(0, "LINUX1", "SET MCHECK FROB"), 3, "HCPCMD003E");
    REFUSED(on(0, "LINUX1", "SET MCHECK WARN AT 5"), 3, "HCPCMD003E");
    REFUSED(on(0, "LINUX1", "SET MCHECK SYS AT"), 2, "HCPCMD002E");
    REFUSED(on(0, "LINUX1", "SET MCHECK CPU 7 SYS"), 163, "HCPDIS163E CPU 07");
}
END_TEST

START_TEST(display_and_store)
{
    on(0, "", "LOGON LINUX1 SECRET NOIPL");
    ck_assert_str_eq(on(0, "LINUX1", "STORE G3 12345678 ABC"), "STORE COMPLETE");
    ck_assert_str_eq(on(0, "LINUX1", "D G3-4"), "GPR  3 =  0000000012345678  0000000000000ABC");
    on(0, "LINUX1", "D G");
    ck_assert_uint_eq(resp.line_count, 8);
    ck_assert_str_eq(on(0, "LINUX1", "D X1"), "ECR  1 =  0000000000000001");
    on(0, "LINUX1", "STORE PSW 07020001 80000000 00000000 00012340");
    ck_assert_str_eq(on(0, "LINUX1", "D PSW"), "PSW = 07020001 80000000 00000000 00012340");
    on(0, "LINUX1", "STORE PSW 5678");
    ck_assert_str_eq(on(0, "LINUX1", "D P"), "PSW = 07020001 80000000 00000000 00005678");
    ck_assert_str_eq(on(0, "LINUX1", "D PREFIX"), "PREFIX = 00002000");
    ck_assert_str_eq(on(0, "LINUX1", "STORE 100 C8C5D3D3 D6404040"), "STORE COMPLETE");
    ck_assert_str_eq(on(0, "LINUX1", "STORE S108 F1F2"), "STORE COMPLETE");
    ck_assert_str_eq(on(0, "LINUX1", "D 100.8"),
                     "V00000100  C8C5D3D3 D6404040 F1F20000 00000000  *HELLO   12......*");
    on(0, "LINUX1", "D R100-11F");
    ck_assert_uint_eq(resp.line_count, 2);
    ck_assert(resp.lines[1][0] == 'R');
    REFUSED(on(0, "LINUX1", "D 10000000"), 160, "HCPDIS160E");
    REFUSED(on(0, "LINUX1", "D QQ"), 4, "HCPDIS004E");
    REFUSED(on(0, "LINUX1", "D CPU 9 G"), 163, "HCPDIS163E");
    REFUSED(on(0, "LINUX1", "STORE G3"), 26, "HCPCMD026E");
    REFUSED(on(0, "LINUX1", "STORE G3 XYZ"), 4, "HCPDIS004E");
}
END_TEST

START_TEST(queries)
{
    on(0, "", "LOGON LINUX1 SECRET");
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "Q CPLEVEL"), "|IPL at 02/26/16 17:13:22"));
    ck_assert_uint_eq(resp.line_count, 3);
    ck_assert_ptr_nonnull(
        strstr(on(0, "LINUX1", "Q SET"), "MSG ON , WNG ON , EMSG ON , ACNT OFF, RUN ON "));
    on(0, "LINUX1", "SET RUN OFF");
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "Q SET"), "RUN OFF"));
    ck_assert_str_eq(on(0, "LINUX1", "Q FILES"), "FILES: 0003 RDR,   NO PRT,   NO PUN");
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "Q RDR ALL"), "ORIGINID FILE CLASS RECORDS"));
    ck_assert_uint_eq(resp.line_count, 4);
    ck_assert_str_eq(on(0, "LINUX1", "CHANGE RDR ALL KEEP NOHOLD"), "0000003 FILES CHANGED");
    ck_assert(spool_desc(spool_next(fake_spool, NULL))->keep);
    on(0, "LINUX1", "CHANGE RDR ALL NONSENSE");
    ck_assert_int_eq(resp.rc, 2);
    ck_assert_str_eq(on(0, "LINUX1", "PURGE RDR ALL"), "0000003 FILES PURGED");
    ck_assert_str_eq(on(0, "LINUX1", "Q RDR"), "NO RDR FILES");
    ck_assert_str_eq(oper("Q PROC"), "PROCESSOR 00 MASTER CP|PROCESSOR 01 ALTERNATE CP|"
                                     "PROCESSOR 02 ALTERNATE IFL");
    ck_assert_str_eq(oper("Q STOR"),
                     "STORAGE = 2G CONFIGURED = 2G INC = 1M STANDBY = 0  RESERVED = 0");
    ck_assert_str_eq(oper("Q SSI"),
                     "SSI Name: CLU|SSI Mode: Stable|Cross-System Timeouts: Enabled|"
                     "SSI Persistent Data Record (PDR) device: COM001 on ----|"
                     "SLOT SYSTEMID STATE     PDR HEARTBEAT     RECEIVED HEARTBEAT|"
                     "   1 MEMBERA  Joined    02/26/16 17:13:22 02/26/16 17:13:22|"
                     "   2 MEMBERB  Joined    02/26/16 17:13:22 02/26/16 17:13:22|"
                     "   3 -------- Available");
    ck_assert_str_eq(oper("Q RELODOMAIN"), "DOMAIN SSI      MEMBERS: MEMBERA MEMBERB|"
                                           "DOMAIN MEMBERA  MEMBERS: MEMBERA|"
                                           "DOMAIN MEMBERB  MEMBERS: MEMBERB");
    ck_assert_str_eq(oper("Q RELODOMAIN MEMBERB"), "DOMAIN MEMBERB  MEMBERS: MEMBERB");
    REFUSED(oper("Q RELODOMAIN NONE"), 1821, "HCPRLS1821E Relocation domain NONE");
    ck_assert_str_eq(oper("Q CPOWNED"), "Slot  Vol-ID Rdev  Type   Status");
    ck_assert_ptr_nonnull(strstr(oper("COMMANDS"), "DIAG308"));
    cp_set_cluster(cps[0], NULL, NULL);
    ck_assert_str_eq(oper("Q SSI"), "This system is not a member of an SSI cluster.");
    cp_set_cluster(cps[0], &fake_cluster, (void *)0);
    on(0, "LINUX1", "TERM MORE 50 10 HOLD OFF LINEND %");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "Q TERM"), "LINEND % "));
    REFUSED(on(0, "LINUX1", "TERM MORE X"), 2, "HCPCMD002E Invalid operand - X");
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "Q PRIV"), "Currently: G"));
    ck_assert_ptr_nonnull(strstr(on(0, "LINUX1", "HELP QUERY SSI"), "QUERY SSI"));
    ck_assert_ptr_nonnull(
        strstr(on(0, "LINUX1", "HELP HCP045E"), "HCPCQU045E ... not logged on"));
    REFUSED(on(0, "LINUX1", "HELP FROB"), 1, "HCPHLP001E");
    ck_assert_ptr_null(strstr(on(0, "LINUX1", "COMMANDS"), "SHUTDOWN"));
    ck_assert_ptr_nonnull(strstr(oper("COMMANDS"), "SHUTDOWN"));
}
END_TEST

START_TEST(messages_cross_members)
{
    on(0, "", "LOGON OPERATOR OPER");
    on(1, "", "LOGON LINUX1 SECRET");
    ck_assert_str_eq(oper("MSG LINUX1 Hello  there"), "");
    ck_assert(console_has(1, "LINUX1", "^ 17:13:22  \\* MSG FROM OPERATOR: Hello  there$"));
    oper("WNG LINUX1 AT MEMBERB beware");
    ck_assert(console_has(1, "LINUX1", "\\* WNG FROM OPERATOR: beware$"));
    on(1, "LINUX1", "SET MSG OFF");
    REFUSED(oper("M LINUX1 again"), 57, "HCPMFS057E LINUX1 not receiving");
    REFUSED(oper("M GUEST x"), 45, "HCPMFS045E GUEST not logged on");
    REFUSED(oper("M LINUX1"), 20, "HCPMFS020E Message text missing");
    ck_assert_str_eq(on(1, "LINUX1", "M OP AT MEMBERA done"), "");
    ck_assert(console_has(0, "OPERATOR", "MSG FROM LINUX1  : done$"));
}
END_TEST

START_TEST(at_and_names_of_all)
{
    on(0, "", "LOGON OPERATOR OPER");
    on(1, "", "LOGON LINUX1 SECRET");
    ck_assert_str_eq(oper("AT MEMBERB CMD Q USERID"), "OPERATOR AT MEMBERB");
    ck_assert_str_eq(oper("AT MEMBERA CMD Q USERID"), "OPERATOR AT MEMBERA");
    ck_assert_str_eq(oper("Q NAMES"), "OPERATOR - L0001, LINUX1   - SSI  ");
    ck_assert_str_eq(oper("Q LINUX1"), "LINUX1   - SSI");
    ck_assert_str_eq(oper("Q NAMES AT MEMBERB"), "LINUX1   - L0001");
    ck_assert_str_eq(oper("Q NAMES AT ALL"),
                     "MEMBERA : OPERATOR - L0001|MEMBERB : LINUX1   - L0001");
    REFUSED(oper("AT MEMBERB CMD FROB"), 1, "HCPCMD001E Unknown CP command: FROB");
    REFUSED(oper("AT MEMBERX CMD Q T"), 1850, "HCPATC1850E MEMBERX is not a member");
    REFUSED(oper("AT MEMBERB CMD AT MEMBERA CMD Q T"), 1851, "HCPATC1851E");
    ck_assert_ptr_nonnull(strstr(oper("FORCE LINUX1"), "FORCED BY OPERATOR"));
    ck_assert_ptr_null(cp_user_find(cps[1], "LINUX1"));
}
END_TEST

static void count_done(struct cp_response *r, void *ctx)
{
    (void)r;
    ++*(int *)ctx;
}

START_TEST(silence_and_loss_end_requests)
{
    int done = 0;
    struct cp_response late;
    link_deaf = true;
    for (int round = 0; round < 2; round++) {
        cp_response_init(&late);
        late.done_cb = count_done;
        late.done_ctx = &done;
        ck_assert_int_eq(cp_command(cps[0], "OPERATOR", "Q NAMES AT ALL", &late), CP_PENDING);
        ck_assert_int_eq(done, round);
        if (round)
            cp_remote_lost(cps[0], "MEMBERB");
        else
            pass_time(CP_REMOTE_TIMEOUT_MS);
        ck_assert_int_eq(done, round + 1);
        ck_assert_int_eq(late.rc, 1851);
        ck_assert_str_eq(late.messages[0].id, "HCPATC1851E");
        cp_response_fini(&late);
    }
    link_up = false;
    REFUSED(oper("AT MEMBERB CMD Q T"), 1850, "HCPATC1850E");
    static const u8 garbage[] = {0x80, 1, 0xff, 0xff, 0xff, 0xff, 1, 2, 3};
    for (size_t n = 0; n <= sizeof garbage; n++)
        for (u16 type = 0; type < 4; type++)
            cp_remote_receive(cps[0], "MEMBERB", type, garbage, n);
}
END_TEST

START_TEST(deferred_and_registered)
{
    int done = 0;
    struct cp_response late;
    cp_response_init(&late);
    late.done_cb = count_done;
    late.done_ctx = &done;
    ck_assert_int_eq(cp_command(cps[0], "OPERATOR", "SLEEP 5 SEC", &late), CP_PENDING);
    pass_time(4999);
    ck_assert_int_eq(done, 0);
    pass_time(1);
    ck_assert_int_eq(done, 1);
    ck_assert_int_eq(late.rc, 0);
    cp_response_fini(&late);
}
END_TEST

static int vmrelocate(struct cp_request *req, void *ctx)
{
    const char *a = cp_operand(req);
    ++*(int *)ctx;
    cp_line(req, "%s by %s rest %s", a ? a : "none", cp_request_userid(req),
            cp_operand_rest(req));
    return 1926;
}

START_TEST(registered_command)
{
    static const struct cp_cmd_row row = {"VMRELOcate", CP_CLASS('A'), "VMRELOCATE ..."};
    static const struct cp_cmd_row query = {"VMRELOcate", CP_CLASS_ANY, "..."};
    int calls = 0;
    ck_assert_int_eq(cp_register_command(cps[0], NULL, &row, vmrelocate, &calls), ST_OK);
    ck_assert_int_eq(cp_register_command(cps[0], NULL, &row, vmrelocate, &calls), ST_EXIST);
    ck_assert_int_eq(cp_register_command(cps[0], "QUERY", &query, vmrelocate, &calls), ST_OK);
    ck_assert_str_eq(oper("vmrelo move User x"), "MOVE by OPERATOR rest User x");
    ck_assert_int_eq(resp.rc, 1926);
    oper("Q VMRELO");
    ck_assert_int_eq(calls, 2);
    on(0, "", "LOGON GUEST PASS");
    REFUSED(on(0, "GUEST", "VMRELOCATE MOVE X"), 1, "HCPCMD001E");
    ck_assert_ptr_nonnull(strstr(oper("HELP VMRELO"), "class A"));
}
END_TEST

START_TEST(console_input_and_cp_read)
{
    char typed[32];
    on(0, "", "LOGON LINUX1 SECRET");
    struct cp_user *u = cp_user_find(cps[0], "LINUX1");
    ck_assert_int_eq(cp_console_input(cps[0], "LINUX1", "ls"), ST_OK);
    ck_assert_int_eq(console_input_take(cp_user_console(u), typed, sizeof typed), 2);
    cp_console_input(cps[0], "LINUX1", "#CP QUERY USERID#Q V STOR");
    ck_assert(console_has(0, "LINUX1", "^LINUX1   AT MEMBERA$"));
    ck_assert(console_has(0, "LINUX1", "^STORAGE = 512M$"));
    ck_assert_int_eq(console_input_take(cp_user_console(u), typed, sizeof typed), -1);
    cp_vm_event(cps[0], "LINUX1", VM_EVENT_DISABLED_WAIT, 0x0002000180000000, 0xdead);
    ck_assert(console_has(0, "LINUX1",
                          "^HCPGIR450W CP entered; disabled wait PSW 00020001 "
                          "80000000 00000000 0000DEAD$"));
    ck_assert(cp_user_cp_read(u));
    cp_console_input(cps[0], "LINUX1", "frob");
    ck_assert(console_has(0, "LINUX1", "^HCPCMD001E Unknown CP command: FROB$"));
    cp_console_input(cps[0], "LINUX1", "begin");
    ck_assert(!cp_user_cp_read(u));
    cp_console_input(cps[0], "LINUX1", "#cp logoff");
    ck_assert_ptr_null(cp_user_find(cps[0], "LINUX1"));
    ck_assert_int_eq(cp_console_input(cps[0], "LINUX1", "x"), ST_NOENT);
}
END_TEST

START_TEST(signal_and_shutdown)
{
    on(0, "", "LOGON OPERATOR OPER");
    oper("XAUTOLOG LINUX1");
    REFUSED(oper("SIGNAL SHUTDOWN LINUX1"), 2112, "HCPSIG2112E");
    struct vm *vm = cp_user_vm(cp_user_find(cps[0], "LINUX1"));
    vm->listens = true;
    ck_assert_str_eq(oper("SIGNAL SHUTDOWN LINUX1 WITHIN 10"), "");
    REFUSED(oper("SIGNAL SHUTDOWN LINUX1"), 2115, "HCPSIG2115E");
    pass_time(10000);
    ck_assert(
        console_has(0, "OPERATOR", "^HCPSIG2114I User LINUX1 did not terminate within 10"));
    oper("SIGNAL SHUT LINUX1 WITHIN 10");
    cp_vm_event(cps[0], "LINUX1", VM_EVENT_DISABLED_WAIT, 0, QUIESCE_PSW_ADDR);
    ck_assert(console_has(0, "OPERATOR",
                          "^HCPSIG2113I User LINUX1 has reported successful "
                          "termination$"));
    ck_assert_ptr_null(cp_user_find(cps[0], "LINUX1"));
    oper("XAUTOLOG LINUX1");
    cp_user_vm(cp_user_find(cps[0], "LINUX1"))->listens = true;
    ck_assert_str_eq(oper("SHUTDOWN WITHIN 20"), "SYSTEM SHUTDOWN STARTED");
    pass_time(0);
    ck_assert_int_eq(shutdowns, 0);
    REFUSED(oper("XAUTOLOG GUEST"), 962, "HCPWRP962E");
    cp_vm_event(cps[0], "LINUX1", VM_EVENT_DISABLED_WAIT, 0, QUIESCE_PSW_ADDR);
    pass_time(0);
    ck_assert_int_eq(shutdowns, 1);
    ck_assert_ptr_null(cp_user_next(cps[0], NULL));
}
END_TEST

/* What is on the operator's console when it is logged off. */
static void operator_goes(void *ctx, struct cp_user *user, enum cp_user_event event)
{
    int *deaf = ctx;
    if (event != CP_USER_LOGOFF || strcmp(cp_user_id(user), "OPERATOR") != 0)
        return;
    ck_assert(console_has(0, "OPERATOR", "^HCPWRP961W"));
    *deaf += console_has(0, "OPERATOR", "^HCPSIG2114I User LINUX1 did not .* 20 seconds");
    *deaf += console_has(0, "OPERATOR", "^HCPSIG2114I User GUEST did not .* 20 seconds");
}

static void listener(const char *userid)
{
    char command[32];
    snprintf(command, sizeof command, "XAUTOLOG %s", userid);
    oper(command);
    cp_user_vm(cp_user_find(cps[0], userid))->listens = true;
}

/* SHUTDOWN ends who does not end by itself, when its time is over, and tells of each; whoever was
 * signalled before and given longer is ended with the others. */
START_TEST(shutdown_ends_the_deaf)
{
    int deaf = 0;
    on(0, "", "LOGON OPERATOR OPER");
    cp_observe_users(cps[0], operator_goes, &deaf);
    listener("LINUX1");
    listener("GUEST");
    oper("SIGNAL SHUTDOWN GUEST WITHIN 600");
    ck_assert_str_eq(oper("SHUTDOWN WITHIN 20"), "SYSTEM SHUTDOWN STARTED");
    REFUSED(oper("SHUTDOWN WITHIN 10"), 962, "HCPWRP962E");
    pass_time(19999);
    ck_assert_int_eq(shutdowns, 0);
    pass_time(1);
    ck_assert_int_eq(shutdowns, 1);
    ck_assert_ptr_null(cp_user_next(cps[0], NULL));
    ck_assert_int_eq(deaf, 2);
}
END_TEST

static void went(struct cp_user *user, void *arg)
{
    (void)user;
    *(bool *)arg = true;
}

static struct cp_user *arrives(const char *userid)
{
    struct cp_user *user = NULL;
    struct codec_in none;
    struct cause cause;
    codec_in_init(&none, "", 0);
    int rc = cp_user_arrive(cps[0], userid, &none, &user, &cause);
    ck_assert_msg((rc == ST_OK) == (user != NULL), "%s", cause.text);
    ck_assert(user || !strcmp(cause.text, "MEMBERA is shutting down"));
    return user;
}

/* Machines of relocations that are under way stay theirs to end: one is given up, one turns out to
 * be ours after everybody has been logged off, and goes at once. None comes any more. */
START_TEST(shutdown_leaves_arrivals_to_their_relocations)
{
    bool runs = false;
    on(0, "", "LOGON OPERATOR OPER");
    struct cp_user *given_up = arrives("GUEST"), *ours = arrives("LINUX1");
    oper("SHUTDOWN IMMEDIATE");
    ck_assert_ptr_null(arrives("SHORT"));
    pass_time(0);
    ck_assert_int_eq(shutdowns, 1);
    ck_assert_str_eq(cp_user_id(given_up), "GUEST");
    ck_assert_str_eq(cp_user_id(ours), "LINUX1");
    cp_user_depart(given_up);
    cp_user_set_claim(ours, 5);
    cp_user_go(ours, went, &runs);
    ck_assert(!runs);
    ck_assert_ptr_null(cp_user_next(cps[0], NULL));
}
END_TEST

/* However the last guest that is waited for goes, the wait is over. */
START_TEST(shutdown_waits_no_longer)
{
    on(0, "", "LOGON OPERATOR OPER");
    listener("LINUX1");
    listener("GUEST");
    oper("SHUTDOWN WITHIN 20");
    cp_user_vm(cp_user_find(cps[0], "GUEST"))->state = VM_DISABLED_WAIT;
    cp_vm_event(cps[0], "GUEST", VM_EVENT_DISABLED_WAIT, 0, 0xbad);
    ck_assert_ptr_null(cp_user_find(cps[0], "GUEST"));
    pass_time(0);
    ck_assert_int_eq(shutdowns, 0);
    on(0, "LINUX1", "LOGOFF");
    pass_time(0);
    ck_assert_int_eq(shutdowns, 1);
    pass_time(60000);
    ck_assert_int_eq(shutdowns, 1);
}
END_TEST

/* A disabled wait reports success at X'FFF' only. */
START_TEST(signalled_guest_fails)
{
    on(0, "", "LOGON OPERATOR OPER");
    listener("LINUX1");
    oper("SIGNAL SHUTDOWN LINUX1 WITHIN 10");
    cp_user_vm(cp_user_find(cps[0], "LINUX1"))->state = VM_DISABLED_WAIT;
    cp_vm_event(cps[0], "LINUX1", VM_EVENT_DISABLED_WAIT, 0, 0xbad);
    ck_assert_ptr_nonnull(cp_user_find(cps[0], "LINUX1"));
    pass_time(10000);
    ck_assert(!console_has(0, "OPERATOR", "^HCPSIG2113I"));
    ck_assert(console_has(0, "OPERATOR", "^HCPSIG2114I User LINUX1"));
}
END_TEST

START_TEST(session_moves)
{
    struct codec_out out;
    struct codec_in in;
    struct cause cause;
    struct cp_user *there;
    on(0, "", "LOGON LINUX1 SECRET");
    on(0, "LINUX1", "SET SMSG ON");
    struct cp_user *here = cp_user_find(cps[0], "LINUX1");
    console_write(cp_user_console(here), "guest# ", 7);
    codec_out_init(&out);
    cp_user_save(here, &out);
    codec_in_init(&in, out.data, out.len);
    ck_assert_int_eq(cp_user_arrive(cps[1], "LINUX1", &in, &there, &cause), ST_OK);
    ck_assert_ptr_null(cp_user_find(cps[1], "LINUX1")); /* not before the claim */
    REFUSED(on(1, "", "LOGON LINUX1 SECRET"), 54, "HCPLGA054E");
    claims[0].owner = 1;
    claims[0].generation = ++generations;
    cp_user_depart(here);
    ck_assert_ptr_null(cp_user_find(cps[0], "LINUX1"));
    ck_assert(claims[0].generation != 0);
    cp_user_set_claim(there, claims[0].generation);
    ck_assert_ptr_eq(cp_user_find(cps[1], "LINUX1"), there);
    ck_assert(console_has(1, "LINUX1", "^LOGON AT 17:13:22"));
    ck_assert_ptr_nonnull(strstr(on(1, "LINUX1", "Q SET"), "SMSG ON "));
    in.failed = false;
    for (size_t cut = 0; cut < out.len; cut += 7) {
        struct cp_user *broken = NULL;
        codec_in_init(&in, out.data, cut);
        if (!cp_user_arrive(cps[0], "LINUX1", &in, &broken, &cause))
            cp_user_depart(broken);
    }
    codec_out_fini(&out);
    on(1, "LINUX1", "LOGOFF");
    ck_assert(claims[0].generation == 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hyp_cmd");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, cp_world_setup, cp_world_teardown);
    tcase_add_test(t, logon);
    tcase_add_test(t, identity_logs_on_everywhere);
    tcase_add_test(t, commands_of_the_directory);
    tcase_add_test(t, classes_and_unknown_commands);
    tcase_add_test(t, abbreviations);
    tcase_add_test(t, autolog_and_force);
    tcase_add_test(t, machine_commands);
    tcase_add_test(t, cpus_defined);
    tcase_add_test(t, set_mcheck);
    tcase_add_test(t, display_and_store);
    tcase_add_test(t, queries);
    tcase_add_test(t, messages_cross_members);
    tcase_add_test(t, at_and_names_of_all);
    tcase_add_test(t, silence_and_loss_end_requests);
    tcase_add_test(t, deferred_and_registered);
    tcase_add_test(t, registered_command);
    tcase_add_test(t, console_input_and_cp_read);
    tcase_add_test(t, signal_and_shutdown);
    tcase_add_test(t, shutdown_ends_the_deaf);
    tcase_add_test(t, shutdown_leaves_arrivals_to_their_relocations);
    tcase_add_test(t, shutdown_waits_no_longer);
    tcase_add_test(t, signalled_guest_fails);
    tcase_add_test(t, session_moves);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
