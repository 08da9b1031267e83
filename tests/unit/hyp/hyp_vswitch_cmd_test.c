/* Virtual switches: DEFINE, SET, QUERY and DETACH VSWITCH, COUPLE, SET NIC, NICDEF; each rule shown
 * on frames between adapters of fake machines. Run alone: tests/run unit/hyp_vswitch_cmd_test */
#include <stdio.h>
#include <string.h>

#include "tests/lib/cp_world.h"

static const u8 all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* Does one's broadcast, with this tag, come to the other? */
static bool hears(const char *to, const char *from, u16 tag)
{
    nic_got(to, 0x600);
    nic_sends(from, 0x600, all, tag);
    return nic_got(to, 0x600);
}

static void nic(const char *userid)
{
    ck_assert_ptr_nonnull(strstr(on(0, userid, "DEFINE NIC 600"), "is created"));
}

static void couple(const char *userid)
{
    ck_assert_str_eq(on(0, userid, "COUPLE 600 TO SYSTEM SW"),
                     "NIC 0600 is connected to VSWITCH SYSTEM SW");
}

static void done(const char *command)
{
    const char *text = oper(command);
    ck_assert_msg(!strcmp(text, "Command complete"), "%s: %s", command, text);
}

static void setup(void)
{
    cp_world_users =
        "USER ONE P 64M 64M G\nUSER TWO P 64M 64M G\nUSER THREE P 64M 64M BG\n"
        "USER DIRA P 64M 64M G\n NICDEF 600 TYPE QDIO LAN SYSTEM SW PORTTYPE TRUNK VLAN 10 20-22\n"
        "USER DIRB P 64M 64M G\n NICDEF 600 TYPE QDIO LAN SYSTEM SW PORTNUMBER 7 PROMISCUOUS\n"
        " NICDEF 600 MACID 00BEEF CHPID 1A DEVICES 3\n NICDEF 700 TYPE IEDN\n";
    cp_world_devices = "";
    cp_world_config = "";
    cp_world_setup();
    oper("LOGON OPERATOR OPER");
    on(0, "", "LOGON ONE P");
    on(0, "", "LOGON TWO P");
    on(0, "", "LOGON THREE P");
    nic("ONE");
    nic("TWO");
    nic("THREE");
}

static void granted(const char *define)
{
    ck_assert_str_eq(oper(define), "VSWITCH SYSTEM SW is created");
    done("SET VSWITCH SW GRANT ONE");
    done("SET VSWITCH SW GRANT TWO");
    done("SET VSWITCH SW GRANT THREE");
    couple("ONE");
    couple("TWO");
    couple("THREE");
}

/* --- VLANs --- */

START_TEST(unaware_passes_tags)
{
    granted("DEFINE VSWITCH SW ETHERNET");
    ck_assert(hears("TWO", "ONE", 0) && hears("TWO", "ONE", 77));
    REFUSED(oper("SET VSWITCH SW GRANT ONE VLAN 10"), 2781, "HCPSWU2781E");
    REFUSED(oper("SET VSWITCH SW GRANT ONE PORTTYPE TRUNK"), 2781, "HCPSWU2781E");
    REFUSED(oper("SET VSWITCH SW PORTTYPE TRUNK"), 2781, "HCPSWU2781E");
    REFUSED(oper("SET VSWITCH SW VLANID 10 ADD 1"), 2781, "HCPSWU2781E");
}
END_TEST

START_TEST(aware_has_a_default)
{
    granted("DEFINE VSWITCH SW VLAN 5 NATIVE 1");
    ck_assert(hears("TWO", "ONE", 0));
    ck_assert(!hears("TWO", "ONE", 5));
    done("SET VSWITCH SW GRANT TWO VLAN 6"); /* counts at once */
    ck_assert(!hears("TWO", "ONE", 0) && hears("THREE", "ONE", 0));
    done("SET VSWITCH SW VLAN 6"); /* the default of the others */
    ck_assert(hears("TWO", "ONE", 0));
    done("SET VSWITCH SW VLAN UNAWARE");
    ck_assert(hears("TWO", "ONE", 5));
}
END_TEST

START_TEST(grants_have_vlans)
{
    oper("DEFINE VSWITCH SW VLAN AWARE NATIVE 1");
    done("SET VSWITCH SW GRANT ONE VLAN 10");
    done("SET VSWITCH SW GRANT TWO PORTTYPE TRUNK VLAN 10 20-22 30");
    done("SET VSWITCH SW GRANT THREE"); /* no VLAN, and there is no default */
    couple("ONE");
    couple("TWO");
    REFUSED(on(0, "THREE", "COUPLE 600 SYSTEM SW"), 6011, "HCPNIC6011E THREE has no VLAN");
    done("SET VSWITCH SW GRANT THREE VLAN 21");
    couple("THREE");
    ck_assert(!hears("THREE", "ONE", 0));
    ck_assert(hears("ONE", "TWO", 10) && hears("THREE", "TWO", 21));
    ck_assert(!hears("THREE", "TWO", 23) && !hears("THREE", "TWO", 0));
    ck_assert(hears("TWO", "ONE", 0) && hears("TWO", "THREE", 0));
    REFUSED(oper("SET VSWITCH SW GRANT ONE VLAN 10 11"), 2781, "HCPSWU2781E");
    REFUSED(oper("SET VSWITCH SW GRANT ONE VLAN"), 26, "HCPCMD026E");
    REFUSED(oper("SET VSWITCH SW GRANT ONE VLAN 4095"), 3, "HCPCMD003E");
    REFUSED(oper("SET VSWITCH SW GRANT ONE PORTTYPE ACCES"), 3, "HCPCMD003E");
    ck_assert(hears("TWO", "ONE", 0)); /* what was refused has changed nothing */
}
END_TEST

START_TEST(native_is_without_tag)
{
    oper("DEFINE VSWITCH SW VLAN 10 PORTTYPE TRUNK NATIVE 10");
    done("SET VSWITCH SW GRANT ONE VLAN 10 20");
    done("SET VSWITCH SW GRANT TWO PORTTYPE ACCESS VLAN 10");
    couple("ONE");
    couple("TWO");
    ck_assert(hears("TWO", "ONE", 0));
    done("SET VSWITCH SW NATIVE 20");
    ck_assert(!hears("TWO", "ONE", 0) && hears("TWO", "ONE", 10));
    done("SET VSWITCH SW NATIVE NONE");
    ck_assert(!hears("TWO", "ONE", 0));
}
END_TEST

START_TEST(losing_the_vlan_is_losing_the_port)
{
    granted("DEFINE VSWITCH SW VLAN 5");
    done("SET VSWITCH SW VLAN AWARE"); /* no default any more */
    ck_assert(console_has(0, "ONE", "NIC 0600 is disconnected from VSWITCH SYSTEM SW"));
    ck_assert_ptr_nonnull(strstr(on(0, "ONE", "QUERY NIC 600"), "LAN: *   None"));
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH SW"), "Connected: 0 "));
}
END_TEST

/* --- ports by number --- */

START_TEST(ports_have_numbers)
{
    oper("DEFINE VSWITCH SW PORTBASED VLAN 1");
    done("SET VSWITCH SW PORTNUMBER 3 USERID ONE VLAN 10");
    done("SET VSWITCH SW PORTNUMBER 5 USERID ONE VLAN 20");
    done("SET VSWITCH SW PORTNUMBER 4 USERID TWO PORTTYPE TRUNK");
    done("SET VSWITCH SW VLANID 20 ADD 3-4"); /* port 3 has 10, too: an access port is in one */
    REFUSED(on(0, "ONE", "COUPLE 600 SYSTEM SW PORTNUMBER 3"), 6011, "HCPNIC6011E");
    done("SET VSWITCH SW VLANID 10 REMOVE 3");
    const char *rows = oper("QUERY VSWITCH SW PORTNUMBER 4");
    ck_assert(strstr(rows, "Port: 0004 User: TWO ") && !strstr(rows, "Port: 0003"));
    rows = oper("QUERY VSWITCH SW VLANID 20");
    ck_assert(strstr(rows, "Port: 0003 User: ONE ") && strstr(rows, "Port: 0005"));
    ck_assert_ptr_null(strstr(oper("QUERY VSWITCH SW VLANID 10"), "Authorized userids"));
    REFUSED(oper("QUERY VSWITCH SW PORTNUMBER 0"), 3, "HCPCMD003E");
    REFUSED(oper("QUERY VSWITCH SW VLANID"), 26, "HCPCMD026E");
    REFUSED(on(0, "ONE", "COUPLE 600 SYSTEM SW PORTNUMBER 4"), 6011, "HCPNIC6011E");
    REFUSED(on(0, "ONE", "COUPLE 600 SYSTEM SW PORTNUMBER 2049"), 3, "HCPCMD003E");
    REFUSED(on(0, "THREE", "COUPLE 600 SYSTEM SW"), 6011, "HCPNIC6011E");
    couple("ONE"); /* its lowest: 3 */
    couple("TWO");
    ck_assert_ptr_nonnull(strstr(on(0, "ONE", "QUERY NIC 600 DETAILS"), "Port: 0003"));
    ck_assert(hears("ONE", "TWO", 20) && !hears("ONE", "TWO", 10));
    on(0, "ONE", "DEFINE NIC 700");
    REFUSED(on(0, "ONE", "COUPLE 700 SYSTEM SW PORTNUMBER 3"), 2783, "HCPNIC2783E");
    ck_assert_ptr_nonnull(strstr(on(0, "ONE", "COUPLE 700 SYSTEM SW"), "is connected"));
    ck_assert_ptr_nonnull(strstr(on(0, "ONE", "QUERY NIC 700 DETAILS"), "Port: 0005"));
    REFUSED(oper("SET VSWITCH SW PORTNUMBER 3 USERID TWO"), 2781, "HCPSWU2781E");
    REFUSED(oper("SET VSWITCH SW PORTNUMBER MODIFY 9 VLAN 1"), 2781, "HCPSWU2781E");
    REFUSED(oper("SET VSWITCH SW VLANID 20 ADD 8"), 2781, "HCPSWU2781E");
    REFUSED(oper("SET VSWITCH SW VLANID 20 ADD 4-3"), 3, "HCPCMD003E");
    done("SET VSWITCH SW PORTNUMBER MODIFY 3 VLAN 30");
    ck_assert(!hears("ONE", "TWO", 20));
    done("SET VSWITCH SW PORTNUMBER REMOVE 3");
    ck_assert(console_has(0, "ONE", "NIC 0600 is disconnected"));
    done("SET VSWITCH SW VLANID DELETE 20"); /* port 4 and 5 have none left */
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH SW"), "Connected: 0 "));
}
END_TEST

START_TEST(a_number_on_a_switch_of_users)
{
    granted("DEFINE VSWITCH SW");
    ck_assert_ptr_nonnull(strstr(on(0, "THREE", "QUERY NIC 600 DETAILS"), "Port: 0003"));
    on(0, "ONE", "UNCOUPLE 600");
    ck_assert_ptr_nonnull(
        strstr(on(0, "ONE", "COUPLE 600 SYSTEM SW PORTNUMBER 99"), "connected"));
    ck_assert_ptr_nonnull(strstr(on(0, "ONE", "QUERY NIC 600 DETAILS"), "Port: 0099"));
}
END_TEST

/* --- isolation, promiscuous, protection --- */

START_TEST(isolation)
{
    granted("DEFINE VSWITCH SW");
    ck_assert(hears("TWO", "ONE", 0));
    done("SET VSWITCH SW ISOLATION ON");
    ck_assert(!hears("TWO", "ONE", 0));
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH SW"), "Isolation Status: ON "));
    done("MODIFY VSWITCH SW ISOLATION OFF");
    ck_assert(hears("TWO", "ONE", 0));
}
END_TEST

START_TEST(seeing_all_needs_a_grant)
{
    granted("DEFINE VSWITCH SW");
    nic_promiscuous("THREE", 0x600, true);
    nic_sends("ONE", 0x600, nic_mac("TWO", 0x600), 0);
    ck_assert_uint_eq(nic_got("THREE", 0x600), 0);
    ck_assert_ptr_nonnull(
        strstr(on(0, "THREE", "QUERY NIC 600 DETAILS"), "Requested, not authorized"));
    done("SET VSWITCH SW GRANT THREE PROMISCUOUS");
    nic_sends("ONE", 0x600, nic_mac("TWO", 0x600), 0);
    ck_assert_uint_eq(nic_got("THREE", 0x600), 1);
    ck_assert_ptr_nonnull(strstr(on(0, "THREE", "QUERY NIC 600 DETAILS"), "Active"));
    done("SET VSWITCH SW GRANT THREE NOPROMISCUOUS");
    nic_sends("ONE", 0x600, nic_mac("TWO", 0x600), 0);
    ck_assert_uint_eq(nic_got("THREE", 0x600), 0);
}
END_TEST

START_TEST(protection_of_addresses)
{
    static const u8 other[6] = {2, 9, 9, 9, 9, 9};
    granted("DEFINE VSWITCH SW MACPROTECT ON");
    ck_assert_int_eq(nic_names("ONE", 0x600, other), ST_REFUSED);
    done("SET VSWITCH SW MACPROTECT UNSPECIFIED");
    ck_assert_int_eq(nic_names("ONE", 0x600, other), ST_OK);
    ck_assert(hears("TWO", "ONE", 0)); /* from that address */
    done("SET VMLAN MACPROTECT ON");   /* the switch says nothing, the system does */
    ck_assert(!hears("TWO", "ONE", 0));
    done("SET NIC USER ONE 600 MACPROTECT OFF"); /* the adapter goes before */
    ck_assert(hears("TWO", "ONE", 0));
    done("SET NIC USER ONE 600 MACPROTECT ON");
    ck_assert(!hears("TWO", "ONE", 0));
    REFUSED(on(0, "ONE", "SET NIC 600 MACPROTECT OFF"), 3, "HCPCMD003E");
    REFUSED(on(0, "ONE", "SET NIC USER TWO 600 MACPROTECT OFF"), 22, "HCPDEF022E");
    ck_assert_ptr_nonnull(strstr(on(0, "ONE", "QUERY NIC 600 DETAILS"), "MAC Protection: ON"));
}
END_TEST

/* --- operands --- */

START_TEST(operands_that_are_refused_or_do_nothing)
{
    static const char *const refused[] = {"TYPE IVL",
                                          "GLOBAL",
                                          "GROUP G1",
                                          "BRIDGEPORT RDEV 0B00",
                                          "NICDISTRIBUTION ON",
                                          "UPLINK GROUP G1",
                                          "UPLINK PATHMTUDISCOVERY ON"};
    static const char *const bad[] = {
        "NICDISTRIBUTION X", "VEPA X",         "ACCOUNTING X",      "VLAN 0",
        "VLAN 4095",         "NATIVE X",       "PORTTYPE BOTH",     "ISOLATION MAYBE",
        "MACPROTECT NO",     "QUEUESTORAGE 0", "QUEUESTORAGE 257M", "IPTIMEOUT 241",
        "FROBNICATE",        "MAXCONN 4",      "TYPE TOKEN"};
    static const char *const nothing[] = {
        "QUEUESTORAGE 16M", "IPTIMEOUT 10", "CONTROLLER *", "PRIQUEUING ON",   "PRIROUTER",
        "NONROUTER",        "GVRP",         "PORTNAME X",   "VLAN_COUNTERS ON"};
    char command[80];
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        snprintf(command, sizeof command, "DEFINE VSWITCH SW %s", refused[i]);
        REFUSED(oper(command), 99, "HCPCMD099E");
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(command, sizeof command, "DEFINE VSWITCH SW %s", bad[i]);
        REFUSED(oper(command), 3, "HCPCMD003E");
    }
    for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
        snprintf(command, sizeof command, "DEFINE VSWITCH SW %s", nothing[i]);
        ck_assert_msg(strstr(oper(command), "no effect here|VSWITCH SYSTEM SW is created"),
                      "%s", command);
        oper("DETACH VSWITCH SW");
    }
    REFUSED(oper("DEFINE VSWITCH SW VLAN"), 26, "HCPCMD026E");
    REFUSED(oper("SET VSWITCH SW ISOLATION ON"), 2782,
            "HCPSWU2782E VSWITCH SYSTEM SW does not");
    oper("DEFINE VSWITCH SW NOUPLINK RDEV NONE NOGROUP NOGVRP BRIDGEPORT NONE LOCAL TYPE QDIO");
    REFUSED(oper("SET VSWITCH SW"), 26, "HCPCMD026E");
    REFUSED(oper("SET VSWITCH SW PORTBASED"), 3, "HCPCMD003E");
    REFUSED(oper("SET VSWITCH SW COUNTERS CLEAR"), 99, "HCPCMD099E");
    REFUSED(oper("MODIFY VSWITCH SW IVLPORT CONNECT"), 99, "HCPCMD099E");
    done("SET VSWITCH SW NICDISTRIBUTION OFF VEPA OFF ACCOUNTING OFF");
    oper("MODIFY VSWITCH SW ACCOUNTING ON");
    ck_assert_str_eq(resp.lines[0], "ACCOUNTING has no effect here");
    oper("MODIFY VSWITCH SW CONTROLLER DTCVSW1");
    ck_assert_str_eq(resp.lines[0], "CONTROLLER has no effect here");
    REFUSED(oper("SET VSWITCH SW REVOKE ONE"), 6011, "HCPNIC6011E");
    REFUSED(oper("SET VSWITCH SW MACID"), 26, "HCPCMD026E");
    REFUSED(oper("SET VSWITCH SW MACID 1234567"), 3, "HCPCMD003E");
    REFUSED(oper("SET VSWITCH SW MACID 0"), 3, "HCPCMD003E");
    REFUSED(oper("SET VSWITCH SW MACID 12 X"), 3, "HCPCMD003E");
    REFUSED(oper("SET VSWITCH SW UPLINK warp"), 2781, "HCPSWU2781E");
    done("SET VSWITCH SW UPLINK NONE");
    done("SET VSWITCH SW DISCONNECT");
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH SW"), "State: Disconnected"));
    done("SET VSWITCH SW CONNECT");
    REFUSED(on(0, "ONE", "SET VSWITCH SW ISOLATION ON"), 3, "HCPCSE003E");
}
END_TEST

/* Guests do not hear each other but by what is behind an uplink; there is none here. */
START_TEST(vepa)
{
    granted("DEFINE VSWITCH SW ETHERNET VEPA ON");
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH SW"), "VEPA Status: ON"));
    ck_assert(!hears("TWO", "ONE", 0));
    REFUSED(oper("SET VSWITCH SW ISOLATION ON"), 2781,
            "HCPSWU2781E VSWITCH SYSTEM SW not changed; VEPA and ISOLATION exclude each other");
    done("SET VSWITCH SW VEPA OFF ISOLATION ON");
    done("SET VSWITCH SW VEPA OFF ISOLATION OFF");
    ck_assert(hears("TWO", "ONE", 0));
    done("SET VSWITCH SW VEPA ON");
    ck_assert(!hears("TWO", "ONE", 0));
    REFUSED(oper("DEFINE VSWITCH TW IP VEPA ON"), 2781,
            "HCPSWU2781E VSWITCH SYSTEM TW not changed; VEPA needs transport ETHERNET");
}
END_TEST

/* HiperSockets at a bridge port: one network with the switch, while it is connected. */
START_TEST(a_bridge_port)
{
    granted("DEFINE VSWITCH SW ETHERNET BRIDGEPORT LAN HIP");
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH SW"), "LAN SYSTEM HIP  State: Not conn"));
    oper("DEFINE LAN HIP OWNERID SYSTEM TYPE HIPERSOCKETS ETHERNET");
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH SW"), "LAN SYSTEM HIP  State: Connected"));
    ck_assert_ptr_nonnull(strstr(on(0, "THREE", "DEFINE NIC 700 TYPE HIPERS"), "is created"));
    ck_assert_ptr_nonnull(strstr(on(0, "THREE", "COUPLE 700 TO SYSTEM HIP"), "connected"));
    nic_got("ONE", 0x600);
    nic_sends("THREE", 0x700, all, 0);
    ck_assert(nic_got("ONE", 0x600));
    nic_got("THREE", 0x700);
    nic_sends("ONE", 0x600, all, 0);
    ck_assert(nic_got("THREE", 0x700));
    done("SET VSWITCH SW BRIDGEPORT DISCONNECT");
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH SW"), "State: Disconnected"));
    nic_sends("ONE", 0x600, all, 0);
    ck_assert(!nic_got("THREE", 0x700));
    done("MODIFY VSWITCH SW BRIDGEPORT CONNECT");
    nic_sends("ONE", 0x600, all, 0);
    ck_assert(nic_got("THREE", 0x700));
    oper("DEFINE VSWITCH TW ETHERNET");
    REFUSED(
        oper("SET VSWITCH TW BRIDGEPORT LAN SYSTEM HIP"), 2781,
        "HCPSWU2781E VSWITCH SYSTEM TW not changed; LAN SYSTEM HIP is at the bridge port of SW");
    oper("DEFINE LAN NET OWNERID SYSTEM TYPE QDIO");
    REFUSED(oper("SET VSWITCH TW BRIDGEPORT LAN NET"), 2781,
            "HCPSWU2781E VSWITCH SYSTEM TW not changed; LAN SYSTEM NET is not of HiperSockets");
    REFUSED(oper("SET VSWITCH TW BRIDGEPORT LAN"), 26, "HCPCMD026E");
    REFUSED(oper("SET VSWITCH TW BRIDGEPORT X"), 3, "HCPCMD003E");
    REFUSED(oper("DEFINE VSWITCH UW IP BRIDGEPORT LAN HIQ"), 2781,
            "HCPSWU2781E VSWITCH SYSTEM UW not changed; BRIDGEPORT needs transport ETHERNET");
    oper("DETACH LAN HIP OWNERID SYSTEM");
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH SW"), "State: Not connected"));
    oper("DEFINE LAN HIP OWNERID SYSTEM TYPE HIPERSOCKETS");
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH SW"), "State: Connected"));
    done("SET VSWITCH SW BRIDGEPORT NONE");
    ck_assert_ptr_null(strstr(oper("QUERY VSWITCH SW"), "Bridge Port"));
}
END_TEST

START_TEST(the_switch_has_an_address)
{
    oper("DEFINE VSWITCH SW");
    oper("DEFINE VSWITCH SX");
    done("SET VSWITCH SW MACID ABCDEF");
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH SW"), "-AB-CD-EF "));
    done("SET VSWITCH SW MACID ABCDEF"); /* it has that one */
    REFUSED(oper("SET VSWITCH SX MACID ABCDEF"), 2781, "HCPSWU2781E");
    done("SET VSWITCH SW MACID 10");
    done("SET VSWITCH SX MACID ABCDEF"); /* nobody has it any more */
    done("MODIFY VSWITCH SW MACID 11");
    oper("DETACH VSWITCH SX");
    done("SET VSWITCH SW MACID ABCDEF");
}
END_TEST

/* --- NICDEF --- */

START_TEST(nicdef_says_what_a_port_is)
{
    oper("DEFINE VSWITCH SW VLAN AWARE");
    done("SET VSWITCH SW GRANT ONE VLAN 21");
    couple("ONE");
    on(0, "", "LOGON DIRA P");
    ck_assert(console_has(0, "DIRA", "NIC 0600 is connected to VSWITCH SYSTEM SW"));
    ck_assert(hears("ONE", "DIRA", 21) && !hears("ONE", "DIRA", 20));
    ck_assert_ptr_nonnull(
        strstr(on(0, "DIRA", "QUERY NIC 600 DETAILS"), "VLAN: 0010 0020-0022"));
    done("SET VMLAN DNA DISABLE"); /* the directory is no grant any more */
    ck_assert(console_has(0, "DIRA", "NIC 0600 is disconnected"));
    REFUSED(on(0, "DIRA", "COUPLE 600 SYSTEM SW"), 6011, "HCPNIC6011E");
}
END_TEST

START_TEST(nicdef_with_all_operands)
{
    static const u8 mac[6] = {2, 0, 0, 0, 0xbe, 0xef};
    oper("DEFINE VSWITCH SW");
    on(0, "", "LOGON DIRB P");
    ck_assert(console_has(0, "DIRB", "NIC 0700 not created; adapters of types QDIO"));
    ck_assert_mem_eq(nic_mac("DIRB", 0x600), mac, 6);
    const char *text = on(0, "DIRB", "QUERY NIC 600 DETAILS");
    ck_assert_ptr_nonnull(strstr(text, "Port: 0007"));
    ck_assert_ptr_nonnull(strstr(text, "Promiscuous mode: Authorized"));
    /* With a number and options its NICDEF is the grant. */
    ck_assert_ptr_nonnull(strstr(text, "VSWITCH: SYSTEM SW"));
}
END_TEST

/* --- answers --- */

START_TEST(the_answer_of_query_vswitch)
{
    granted("DEFINE VSWITCH SW ETHERNET VLAN 5 NATIVE 1 MACPROTECT OFF");
    done("SET VSWITCH SW GRANT TWO PORTTYPE TRUNK VLAN 5 10-12 PROMISCUOUS");
    hears("TWO", "ONE", 0);
    const char *text = oper("QUERY VSWITCH SW ACCESS");
    ck_assert_str_eq(text,
                     "VSWITCH SYSTEM SW        Type: QDIO    Connected: 3    Maxconn: INFINITE"
                     "|  PERSISTENT  RESTRICTED    ETHERNET                   Accounting: OFF"
                     "|  USERBASED LOCAL"
                     "|  VLAN Aware  Default VLAN: 0005    Default Porttype: Access"
                     "|              Native  VLAN: 0001    VLAN Counters: OFF  GVRP: Disabled"
                     "|  MAC address: 02-00-01-00-00-04    MAC Protection: OFF"
                     "|  IPTimeout: 5         QueueStorage: 8"
                     "|  Isolation Status: OFF        VEPA Status: OFF"
                     "|  Authorized userids:"
                     "|    User: ONE       Porttype: Access  VLAN: 0005"
                     "|    User: THREE     Porttype: Access  VLAN: 0005"
                     "|    User: TWO       Promiscuous  Porttype: Trunk   VLAN: 0005 0010-0012"
                     "|  Uplink Port:|    State: Defined; no uplink");
    ck_assert_str_eq(on(0, "TWO", "QUERY VIRTUAL NIC 600 DETAILS"),
                     "Adapter 0600.P00 Type: QDIO      Name: any         Devices: 3"
                     "|  MAC: 02-00-01-00-00-02         VSWITCH: SYSTEM SW"
                     "|    RX Packets: 1          Discarded: 0          Errors: 0"
                     "|    TX Packets: 0          Discarded: 0          Errors: 0"
                     "|    RX Bytes: 68                   TX Bytes: 0"
                     "|    Device: 0602  Unit: 002   Role: DATA       Port: 0002"
                     "|    Porttype: Trunk|    VLAN: 0005 0010-0012"
                     "|    Promiscuous mode: Authorized  MAC Protection: OFF"
                     "|    Options: Ethernet Broadcast|      Unicast MAC Addresses:"
                     "|        02-00-01-00-00-02");
}
END_TEST

START_TEST(ip_addresses)
{
    granted("DEFINE VSWITCH SW IP VLAN 3");
    ck_assert(hears("TWO", "ONE", 0) && !hears("TWO", "ONE", 4));
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH SW"), "RESTRICTED    IP  "));
    ck_assert_ptr_nonnull(strstr(on(0, "TWO", "QUERY NIC DETAILS"),
                                 "      Unicast IP Addresses:"
                                 "|        10.1.2.3               MAC: 02-00-01-00-00-02"
                                 "|        fe80::1                MAC: 02-00-01-00-00-02"));
}
END_TEST

START_TEST(who_sees_what)
{
    granted("DEFINE VSWITCH SW");
    oper("DEFINE VSWITCH OTHER PORTBASED");
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH"), "SYSTEM OTHER"));
    ck_assert_ptr_null(strstr(on(0, "ONE", "QUERY VSWITCH ALL"), "SYSTEM OTHER"));
    const char *text = on(0, "ONE", "QUERY VSWITCH SYSTEM SW DETAILS");
    ck_assert_ptr_nonnull(strstr(text, "Adapter Owner: ONE "));
    ck_assert_ptr_null(strstr(text, "TWO"));
    REFUSED(on(0, "ONE", "QUERY VSWITCH OTHER"), 2782, "HCPSWU2782E");
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH SW DETAILS"), "Adapter Owner: TWO "));
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH OTHER"), "PORTBASED"));
    ck_assert_ptr_null(strstr(oper("QUERY VSWITCH ACTIVE"), "SYSTEM OTHER"));
    ck_assert_ptr_null(strstr(oper("QUERY VSWITCH USERID ONE"), "SYSTEM OTHER"));
    ck_assert_str_eq(oper("QUERY VSWITCH USERID OPERATOR"), "No virtual switches are defined.");
    done("SET VSWITCH SW GRANT TWO PROMISCUOUS");
    text = oper("QUERY VSWITCH SW PROMISCUOUS");
    ck_assert_ptr_nonnull(strstr(text, "TWO "));
    ck_assert_ptr_null(strstr(text, "ONE "));
    ck_assert_ptr_nonnull(strstr(oper("QUERY NIC USERID TWO ALL"), "Adapter 0600.P00"));
    oper("DETACH VSWITCH SW");
    ck_assert(console_has(0, "TWO", "NIC 0600 is disconnected from VSWITCH SYSTEM SW"));
}
END_TEST

/* Many VLANs are more than a line. */
START_TEST(long_sets)
{
    oper("DEFINE VSWITCH SW VLAN AWARE PORTTYPE TRUNK");
    done("SET VSWITCH SW GRANT ONE VLAN 1 3 5 7 9 11 13 15 17 19 21 23 25 27 29 31 33");
    couple("ONE");
    const char *text = oper("QUERY VSWITCH SW ACCESS");
    ck_assert_ptr_nonnull(strstr(text, "VLAN: 0001 0003 0005 0007 0009 0011 0013"));
    ck_assert_ptr_nonnull(strstr(text, "0033"));
    ck_assert_ptr_nonnull(strstr(on(0, "ONE", "QUERY NIC DETAILS"), "0033"));
    done("SET VSWITCH SW GRANT ONE VLAN 1-4094");
    ck_assert_ptr_nonnull(strstr(oper("QUERY VSWITCH SW ACCESS"), "VLAN: 0001-4094"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_vswitch_cmd");
    TCase *tc = tcase_create("commands");
    tcase_add_checked_fixture(tc, setup, cp_world_teardown);
    tcase_add_test(tc, unaware_passes_tags);
    tcase_add_test(tc, aware_has_a_default);
    tcase_add_test(tc, grants_have_vlans);
    tcase_add_test(tc, native_is_without_tag);
    tcase_add_test(tc, losing_the_vlan_is_losing_the_port);
    tcase_add_test(tc, ports_have_numbers);
    tcase_add_test(tc, a_number_on_a_switch_of_users);
    tcase_add_test(tc, isolation);
    tcase_add_test(tc, seeing_all_needs_a_grant);
    tcase_add_test(tc, protection_of_addresses);
    tcase_add_test(tc, operands_that_are_refused_or_do_nothing);
    tcase_add_test(tc, a_bridge_port);
    tcase_add_test(tc, vepa);
    tcase_add_test(tc, the_switch_has_an_address);
    tcase_add_test(tc, nicdef_says_what_a_port_is);
    tcase_add_test(tc, nicdef_with_all_operands);
    tcase_add_test(tc, the_answer_of_query_vswitch);
    tcase_add_test(tc, ip_addresses);
    tcase_add_test(tc, who_sees_what);
    tcase_add_test(tc, long_sets);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
