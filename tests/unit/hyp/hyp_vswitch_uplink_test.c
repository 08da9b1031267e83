/* What is outside of a virtual switch: OSAs of the hardware file, of which one is in use and
 * another takes over, and the adapter of a user. Run alone:
 * tests/run unit/hyp_vswitch_uplink_test */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/cp_world.h"

static const u8 all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const u8 stranger[6] = {0x02, 0xee, 0, 0, 0, 1};
static char folder[] = "/tmp/uplink-XXXXXX", devices[512], path[2][40];

static void setup(void)
{
    strcpy(folder, "/tmp/uplink-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    for (unsigned i = 0; i < 2; i++)
        snprintf(path[i], sizeof path[i], "%s/%u", folder, i);
    snprintf(devices, sizeof devices,
             "0A00 OSA socket,listen=unix:%s\n0B00-0B02 OSA socket,listen=unix:%s\n"
             "0C00 OSA none,x\n0D00 OSA none\n",
             path[0], path[1]);
    cp_world_users = "USER ONE P 64M 64M G\nUSER TWO P 64M 64M G\nUSER THREE P 64M 64M G\n";
    cp_world_devices = devices;
    cp_world_config = "";
    cp_world_setup();
    oper("LOGON OPERATOR OPER");
    on(0, "", "LOGON ONE P");
    on(0, "", "LOGON TWO P");
    on(0, "", "LOGON THREE P");
}

static void teardown(void)
{
    cp_world_teardown();
    unlink(path[0]);
    unlink(path[1]);
    rmdir(folder);
}

static void done(const char *command)
{
    const char *text = oper(command);
    ck_assert_msg(!strcmp(text, "Command complete"), "%s: %s", command, text);
}

#define SAYS(command, text) ck_assert_ptr_nonnull(strstr(oper(command), text))
#define SAYS_NOT(command, text) ck_assert_ptr_null(strstr(oper(command), text))

static void coupled(const char *userid)
{
    char grant[64];
    snprintf(grant, sizeof grant, "SET VSWITCH SW GRANT %s", userid);
    done(grant);
    ck_assert_ptr_nonnull(strstr(on(0, userid, "DEFINE NIC 600"), "is created"));
    ck_assert_ptr_nonnull(strstr(on(0, userid, "COUPLE 600 TO SYSTEM SW"), "is connected"));
}

static bool hears(const char *to, const char *from, const u8 mac[6])
{
    nic_got(to, 0x600);
    nic_sends(from, 0x600, mac, 0);
    return nic_got(to, 0x600);
}

/* --- OSAs --- */

/* Who connects is somebody behind it. */
static int peer_comes(unsigned i)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(to.sun_path, path[i]);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void until(const char *text)
{
    do {
        sched_yield();
        cp_net_poll(cps[0]);
    } while (!strstr(oper("QUERY VSWITCH SW"), text));
}

/* The frame that ONE sends is read by this peer; the other one gets nothing of it. */
static void gets(int peer, int other)
{
    u8 frame[4 + 64], none;
    nic_sends("ONE", 0x600, stranger, 0);
    ck_assert_int_eq(recv(peer, frame, sizeof frame, MSG_WAITALL), (int)sizeof frame);
    ck_assert_mem_eq(frame + 4, stranger, 6);
    ck_assert_int_eq(recv(other, &none, 1, MSG_DONTWAIT), -1);
}

START_TEST(another_takes_over)
{
    ck_assert_str_eq(oper("DEFINE VSWITCH SW ETHERNET RDEV A00 0B00.P00"),
                     "VSWITCH SYSTEM SW is created");
    coupled("ONE");
    SAYS("QUERY VSWITCH SW", "State: Not connected|"
                             "    RDEV: 0A00.P00 VDEV: NONE Controller: NONE     NOT ACTIVE|");
    int second = peer_comes(1);
    until("0B00.P00 VDEV: NONE Controller: NONE     ACTIVE");
    SAYS("QUERY VSWITCH SW", "State: Ready");
    ck_assert(console_has(0, "OPERATOR", "HCPSWU2830I VSWITCH SYSTEM SW is ready: OSA 0B00"));
    int first = peer_comes(0);
    until("0A00.P00 VDEV: NONE Controller: NONE     BACKUP"); /* what works stays */
    gets(second, first);
    close(second);
    until("0A00.P00 VDEV: NONE Controller: NONE     ACTIVE");
    second = peer_comes(1);
    until("0B00.P00 VDEV: NONE Controller: NONE     BACKUP");
    gets(first, second);
    done("SET VSWITCH SW UPLINK SWITCHOVER");
    SAYS("QUERY VSWITCH SW", "0B00.P00 VDEV: NONE Controller: NONE     ACTIVE");
    gets(second, first);
    close(first);
    until("0A00.P00 VDEV: NONE Controller: NONE     NOT ACTIVE");
    REFUSED(oper("SET VSWITCH SW UPLINK SWITCHOVER"), 2781,
            "HCPSWU2781E VSWITCH SYSTEM SW not changed; no other OSA of it leads anywhere");
    close(second);
    until("State: Not connected");
    ck_assert(console_has(0, "OPERATOR", "HCPSWU2832E VSWITCH SYSTEM SW has no connection"));
}
END_TEST

START_TEST(an_osa_is_of_one_switch)
{
    ck_assert_str_eq(oper("QUERY OSA ATTACHED"), "An attached OSA was not found.");
    SAYS("QUERY OSA FREE", "OSA  0A00 FREE   , OSA  0A01 FREE");
    oper("DEFINE VSWITCH SW RDEV 0D00");
    SAYS("QUERY VSWITCH SW DETAILS", "ACTIVE|      no connection with the outside|");
    ck_assert_str_eq(oper("QUERY OSA"),
                     "OSA  0D00 ATTACHED TO SYSTEM   0D00 DEVTYPE OSA         CHPID 30 OSD"
                     "|OSA  0D01 ATTACHED TO SYSTEM   0D01 DEVTYPE OSA         CHPID 30 OSD"
                     "|OSA  0D02 ATTACHED TO SYSTEM   0D02 DEVTYPE OSA         CHPID 30 OSD");
    SAYS("QUERY 0D01", "OSA  0D01 ATTACHED TO SYSTEM");
    ck_assert_str_eq(oper("DEFINE VSWITCH TW RDEV 0D00"),
                     "HCPSWU2832E VSWITCH SYSTEM TW has no connection: OSA 0D00: it is in use"
                     "|VSWITCH SYSTEM TW is created");
    SAYS("QUERY VSWITCH TW", "NOT ACTIVE|      Error: it is in use");
    oper("VARY OFFLINE 0D01");
    SAYS("QUERY OSA", "OSA  0D01 ATTACHED"); /* it is in use */
    done("SET VSWITCH SW RDEV NONE");
    SAYS("QUERY VSWITCH SW", "State: Defined; no uplink");
    oper("VARY OFFLINE 0D01");
    SAYS("QUERY OSA OFFLINE", "OSA  0D01 OFFLINE");
    oper("SET VSWITCH TW CONNECT");
    SAYS("QUERY VSWITCH TW", "Error: not three that are online");
    oper("VARY ONLINE 0D01");
    done("SET VSWITCH TW CONNECT");
    SAYS("QUERY VSWITCH TW", "0D00.P00 VDEV: NONE Controller: NONE     ACTIVE");
    done("SET VSWITCH TW UPLINK none"); /* instead of it */
    SAYS("QUERY OSA FREE", "OSA  0D00 FREE");
    done("SET VSWITCH SW UPLINK RDEV 0D00");
    oper("DETACH VSWITCH SW");
    SAYS("QUERY OSA FREE", "OSA  0D00 FREE");
    REFUSED(oper("ATTACH 0D00 TO ONE"), 120,
            "HCPATR120E ONE 0D00 not attached; device 0D00 is of virtual");
}
END_TEST

/* One system.config is for all members: what is not there is told, and the switch is there. */
START_TEST(what_cannot_be_used_is_told)
{
    const char *text = oper("DEFINE VSWITCH SW RDEV 0E00 0A01 0C00");
    ck_assert_ptr_nonnull(strstr(text, "OSA 0E00: there is no such OSA|"));
    ck_assert_ptr_nonnull(strstr(text, "OSA 0A01: not three that are online"));
    ck_assert_ptr_nonnull(strstr(text, "OSA 0C00: none,x: none takes no options"));
    ck_assert_ptr_nonnull(strstr(text, "|VSWITCH SYSTEM SW is created"));
    ck_assert_int_eq(resp.rc, 0);
    SAYS("QUERY OSA FREE", "0C00 FREE"); /* it was given back */
    REFUSED(oper("SET VSWITCH SW RDEV"), 26, "HCPCMD026E");
    REFUSED(oper("SET VSWITCH SW RDEV A00 A00"), 3, "HCPCMD003E");
    REFUSED(oper("SET VSWITCH SW RDEV A00 B00 C00 D00"), 3, "HCPCMD003E");
    REFUSED(oper("SET VSWITCH SW RDEV A00.P01"), 3, "HCPCMD003E");
    REFUSED(oper("SET VSWITCH SW RDEV X"), 3, "HCPCMD003E");
    REFUSED(oper("DEFINE VSWITCH TW UPLINK SWITCHOVER"), 3, "HCPCMD003E");
    REFUSED(oper("QUERY OSA X"), 3, "HCPCQV003E");
}
END_TEST

/* --- the adapter of a user --- */

START_TEST(a_user_is_the_uplink)
{
    oper("DEFINE VSWITCH SW ETHERNET ISOLATION ON UPLINK NIC ONE 600");
    SAYS("QUERY VSWITCH SW", "State: Not connected|    NIC ONE 0600");
    coupled("ONE");
    coupled("TWO");
    coupled("THREE");
    ck_assert(console_has(0, "OPERATOR", "HCPSWU2830I VSWITCH SYSTEM SW is ready: NIC ONE"));
    SAYS("QUERY VSWITCH SW DETAILS", "State: Ready|    NIC ONE 0600|    Uplink Port Conn");
    ck_assert(!hears("THREE", "TWO", all)); /* isolated */
    ck_assert(hears("ONE", "TWO", all) && hears("TWO", "ONE", all));
    ck_assert(hears("ONE", "TWO", stranger) && !hears("THREE", "TWO", stranger));
    done("SET VSWITCH SW DISCONNECT"); /* a guest as others are */
    ck_assert(!hears("ONE", "TWO", all) && !hears("ONE", "TWO", stranger));
    done("SET VSWITCH SW CONNECT MACPROTECT ON");
    ck_assert(hears("TWO", "ONE", all)); /* it sends what others have sent */
    on(0, "ONE", "UNCOUPLE 600");
    ck_assert(
        console_has(0, "OPERATOR", "HCPSWU2832E VSWITCH SYSTEM SW has no connection: NIC"));
    SAYS("QUERY VSWITCH SW", "State: Not connected");
    on(0, "ONE", "COUPLE 600 TO SYSTEM SW");
    SAYS("QUERY VSWITCH SW", "State: Ready");
    on(0, "ONE", "LOGOFF");
    SAYS("QUERY VSWITCH SW", "State: Not connected");
    done("SET VSWITCH SW NOUPLINK");
    SAYS_NOT("QUERY VSWITCH SW", "NIC ONE");
    REFUSED(oper("SET VSWITCH SW UPLINK NIC TWO"), 26, "HCPCMD026E");
    REFUSED(oper("SET VSWITCH SW UPLINK NIC TWO X"), 3, "HCPCMD003E");
    REFUSED(oper("SET VSWITCH SW UPLINK NIC T.O 600"), 20, "HCPLGA020E");
}
END_TEST

/* It is in every VLAN, and gets tags. */
START_TEST(a_user_is_a_trunk)
{
    oper("DEFINE VSWITCH SW VLAN 5");
    coupled("ONE");
    done("SET VSWITCH SW GRANT TWO VLAN 20");
    on(0, "TWO", "DEFINE NIC 600");
    on(0, "TWO", "COUPLE 600 TO SYSTEM SW");
    ck_assert(!hears("ONE", "TWO", all));
    done("SET VSWITCH SW UPLINK NIC ONE 600");
    ck_assert(hears("ONE", "TWO", all) && !hears("TWO", "ONE", all));
    nic_sends("ONE", 0x600, all, 20);
    ck_assert(nic_got("TWO", 0x600));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_vswitch_uplink");
    TCase *tc = tcase_create("uplinks");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, another_takes_over);
    tcase_add_test(tc, an_osa_is_of_one_switch);
    tcase_add_test(tc, what_cannot_be_used_is_told);
    tcase_add_test(tc, a_user_is_the_uplink);
    tcase_add_test(tc, a_user_is_a_trunk);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
