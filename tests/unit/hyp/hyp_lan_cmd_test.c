/* Guest LANs, addresses of adapters, and adapters that move: DEFINE, SET, QUERY, DETACH LAN, SET
 * and QUERY VMLAN, SET NIC MACID, claims. Run alone: tests/run unit/hyp_lan_cmd_test */
#include <stdio.h>
#include <string.h>

#include "hyp/cp/cp_net.h"
#include "tests/lib/cp_world.h"

static const u8 all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static struct cause cause;

static bool hears(const char *to, const char *from)
{
    nic_got(to, 0x600);
    nic_sends(from, 0x600, all, 0);
    return nic_got(to, 0x600);
}

static void has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no <%s> in: %s", part, text);
}

static void hasnt(const char *text, const char *part)
{
    ck_assert_msg(!strstr(text, part), "<%s> in: %s", part, text);
}

static void setup_with(const char *config)
{
    cp_world_users =
        "USER ONE P 64M 64M G\nUSER TWO P 64M 64M G\n"
        "USER DIR P 64M 64M G\n NICDEF 600 TYPE QDIO LAN ONE NET MACID 00BEEF\n"
        "USER DIR2 P 64M 64M G\n NICDEF 600 LAN SYSTEM SW MACID 00BEEF\n"
        "USER HIP P 64M 64M G\n NICDEF 600 TYPE HIPERSOCKETS LAN * NET\n"
        "USER HIPER P 64M 64M G\n NICDEF 600 TYPE HIPERSOCKETS LAN SYSTEM HS\n"
        "USER MOVER P 64M 64M G\n NICDEF 700 LAN SYSTEM SW PORTNUMBER 9 PORTTYPE TRUNK VLAN 2 4\n";
    cp_world_devices = "";
    cp_world_config = config;
    cp_world_setup();
    cp_net_start(cps[0]);
    cp_net_start(cps[1]);
    oper("LOGON OPERATOR OPER");
    on(0, "", "LOGON ONE P");
    on(0, "", "LOGON TWO P");
    on(0, "ONE", "DEFINE NIC 600");
    on(0, "TWO", "DEFINE NIC 600");
}

static void setup(void)
{
    setup_with("");
}

/* --- guest LANs --- */

START_TEST(a_lan_of_ones_own)
{
    ck_assert_str_eq(on(0, "ONE", "DEFINE LAN NET TYPE QDIO ETHERNET"),
                     "LAN ONE NET is created");
    REFUSED(on(0, "ONE", "DEFINE LAN NET TYPE QDIO"), 2781,
            "HCPSWU2781E LAN ONE NET not changed");
    REFUSED(on(0, "ONE", "DEFINE LAN X OWNERID TWO TYPE QDIO"), 3, "HCPCMD003E");
    REFUSED(on(0, "ONE", "DEFINE LAN X TYPE QDIO PERSISTENT"), 3, "HCPCMD003E");
    ck_assert_str_eq(on(0, "ONE", "COUPLE 600 TO * NET"),
                     "NIC 0600 is connected to LAN ONE NET");
    ck_assert_str_eq(on(0, "TWO", "COUPLE 600 TO ONE NET"),
                     "NIC 0600 is connected to LAN ONE NET");
    ck_assert(hears("TWO", "ONE"));
    has(on(0, "TWO", "QUERY VIRTUAL NIC 600"), "         LAN: ONE NET");
    has(on(0, "TWO", "QUERY LAN"),
        "LAN ONE NET       Type: QDIO    Connected: 2    Maxconn: INFINITE"
        "|  TRANSIENT   UNRESTRICTED  ETHERNET ");
    REFUSED(on(0, "TWO", "DETACH LAN NET OWNERID ONE"), 3, "HCPCMD003E");
    ck_assert_str_eq(on(0, "ONE", "DETACH LAN NET"), "LAN ONE NET is destroyed");
    ck_assert(console_has(0, "TWO", "NIC 0600 is disconnected from LAN ONE NET"));
    ck_assert_str_eq(on(0, "TWO", "QUERY LAN"), "No guest LANs are defined.");
}
END_TEST

START_TEST(restricted)
{
    on(0, "ONE", "DEFINE LAN NET RESTRICTED TYPE QDIO IP");
    has(on(0, "ONE", "COUPLE 600 * NET"), "is connected"); /* its owner */
    REFUSED(on(0, "TWO", "COUPLE 600 ONE NET"), 6011, "HCPNIC6011E TWO is not authorized");
    ck_assert_str_eq(on(0, "TWO", "QUERY LAN ALL"), "No guest LANs are defined.");
    ck_assert_str_eq(on(0, "ONE", "SET LAN NET GRANT TWO"), "Command complete");
    has(on(0, "TWO", "COUPLE 600 ONE NET"), "is connected");
    has(on(0, "TWO", "QUERY LAN ALL"), "RESTRICTED    IP ");
    has(oper("QUERY LAN NET OWNERID ONE ACCESS"), "Authorized userids:|    TWO");
    REFUSED(on(0, "ONE", "SET LAN NET GRANT TWO VLAN 7"), 2781, "HCPSWU2781E");
    ck_assert_str_eq(on(0, "ONE", "SET LAN NET REVOKE TWO"), "Command complete");
    ck_assert(console_has(0, "TWO", "NIC 0600 is disconnected from LAN ONE NET"));
    ck_assert_str_eq(on(0, "ONE", "SET LAN NET ISOLATION ON"), "Command complete");
    has(on(0, "ONE", "QUERY LAN"), "Isolation Status: ON");
    REFUSED(on(0, "ONE", "SET LAN NET VLAN 3"), 3, "HCPCMD003E");
}
END_TEST

START_TEST(connections_have_a_limit)
{
    on(0, "ONE", "DEFINE LAN NET MAXCONN 1 TYPE QDIO");
    has(on(0, "ONE", "COUPLE 600 * NET"), "is connected");
    REFUSED(on(0, "TWO", "COUPLE 600 ONE NET"), 2783,
            "HCPNIC2783E NIC 0600 not changed; LAN ONE NET has 1");
    on(0, "ONE", "SET LAN NET MAXCONN INFINITE");
    has(on(0, "TWO", "COUPLE 600 ONE NET"), "is connected");
    REFUSED(on(0, "ONE", "SET LAN NET MAXCONN 1025"), 3, "HCPCMD003E");
}
END_TEST

/* A transient one lives as long as its owner is logged on, or something is coupled. */
START_TEST(transient)
{
    on(0, "ONE", "DEFINE LAN NET TYPE QDIO");
    on(0, "ONE", "DEFINE LAN EMPTY TYPE QDIO");
    on(0, "TWO", "COUPLE 600 ONE NET");
    on(0, "TWO", "UNCOUPLE 600");
    has(oper("QUERY LAN"), "LAN ONE NET"); /* the owner is there */
    on(0, "TWO", "COUPLE 600 ONE NET");
    on(0, "ONE", "LOGOFF");
    has(oper("QUERY LAN"), "LAN ONE NET");
    hasnt(oper("QUERY LAN"), "LAN ONE EMPTY");
    on(0, "TWO", "UNCOUPLE 600");
    ck_assert_str_eq(oper("QUERY LAN"), "No guest LANs are defined.");
}
END_TEST

/* That of somebody who is not logged on does not end with another's logoff. */
START_TEST(transient_of_others)
{
    oper("DEFINE LAN NET OWNERID HIP TYPE QDIO");
    on(0, "ONE", "LOGOFF");
    has(oper("QUERY LAN"), "LAN HIP NET");
    on(0, "", "LOGON HIP P");
    on(0, "HIP", "LOGOFF");
    ck_assert_str_eq(oper("QUERY LAN"), "No guest LANs are defined.");
}
END_TEST

START_TEST(persistent)
{
    oper("DEFINE LAN NET OWNERID SYSTEM TYPE QDIO");
    oper("DEFINE LAN NET OWNERID ONE TYPE QDIO PERSISTENT");
    on(0, "ONE", "LOGOFF");
    const char *text = oper("QUERY LAN");
    has(text, "LAN SYSTEM NET");
    has(text, "LAN ONE NET");
    oper("SET LAN NET OWNERID ONE TRANSIENT");
    on(0, "TWO", "COUPLE 600 ONE NET");
    on(0, "TWO", "UNCOUPLE 600");
    hasnt(oper("QUERY LAN"), "LAN ONE NET");
    REFUSED(oper("DEFINE VSWITCH NET"), 2781,
            "HCPSWU2781E VSWITCH SYSTEM NET not changed; LAN SYSTEM NET");
    REFUSED(oper("SET VSWITCH NET ISOLATION ON"), 2782, "HCPSWU2782E");
    has(on(0, "TWO", "COUPLE 600 SYSTEM NET"), "NIC 0600 is connected to LAN SYSTEM NET");
}
END_TEST

START_TEST(types_fit)
{
    ck_assert_str_eq(on(0, "ONE", "DEFINE LAN HIP MFS 40K"), "LAN ONE HIP is created");
    has(oper("QUERY LAN HIP OWNERID ONE"), "Type: HIPERS  Connected: 0    Maxconn: INFINITE"
                                           "|  TRANSIENT   UNRESTRICTED  MFS: 40K");
    REFUSED(on(0, "ONE", "COUPLE 600 * HIP"), 2783,
            "HCPNIC2783E NIC 0600 not changed; LAN ONE HIP is of type HIPERS");
    on(0, "ONE", "DEFINE LAN NET TYPE QDIO");
    on(0, "ONE", "DEFINE NIC 700 TYPE HIPERSOCKETS");
    has(on(0, "ONE", "COUPLE 700 * HIP"), "is connected");
    has(on(0, "ONE", "QUERY NIC 700"), "Adapter 0700.P00 Type: HIPERS ");
    on(0, "ONE", "UNCOUPLE 700");
    REFUSED(on(0, "ONE", "COUPLE 700 * NET"), 2783, "HCPNIC2783E");
    REFUSED(on(0, "ONE", "DEFINE LAN X MFS 17K"), 3, "HCPCMD003E");
    has(on(0, "ONE", "DEFINE LAN X ETHERNET TYPE HIPERSOCKETS"), "LAN ONE X is created");
    has(on(0, "ONE", "QUERY LAN X OWNERID *"), "UNRESTRICTED  ETHERNET MFS: 16K");
    on(0, "ONE", "DEFINE LAN Y ETHERNET");
    has(on(0, "ONE", "QUERY LAN Y OWNERID *"), "Type: QDIO");
    REFUSED(on(0, "ONE", "COUPLE 600 * NOWHERE"), 2782,
            "HCPSWU2782E LAN ONE NOWHERE does not exist");
    REFUSED(on(0, "ONE", "COUPLE 600 *"), 26, "HCPCMD026E");
    REFUSED(on(0, "ONE", "SET LAN NOWHERE GRANT TWO"), 2782, "HCPSWU2782E");
}
END_TEST

START_TEST(nicdef_of_a_guest_lan)
{
    on(0, "", "LOGON DIR P");
    ck_assert(console_has(0, "DIR", "NIC 0600 not connected; LAN ONE NET does not exist"));
    on(0, "DIR", "LOGOFF");
    on(0, "ONE", "DEFINE LAN NET TYPE QDIO");
    on(0, "", "LOGON DIR P");
    ck_assert(console_has(0, "DIR", "NIC 0600 is connected to LAN ONE NET"));
    on(0, "", "LOGON HIP P");
    ck_assert(console_has(0, "HIP", "NIC 0600 not connected; LAN HIP NET does not exist"));
}
END_TEST

/* --- what is set for all --- */

START_TEST(limits)
{
    ck_assert_str_eq(oper("SET VMLAN LIMIT TRANSIENT 1 LIMIT PERSISTENT 0"),
                     "Command complete");
    on(0, "ONE", "DEFINE LAN NET TYPE QDIO");
    REFUSED(on(0, "TWO", "DEFINE LAN NET TYPE QDIO"), 2781, "HCPSWU2781E");
    REFUSED(oper("DEFINE LAN NET OWNERID SYSTEM TYPE QDIO"), 2781, "HCPSWU2781E");
    REFUSED(oper("SET LAN NET OWNERID ONE PERSISTENT"), 2781, "HCPSWU2781E");
    has(oper("QUERY VMLAN"), "PERSISTENT Limit: 0         Current: 0"
                             "|  TRANSIENT  Limit: 1         Current: 1");
    REFUSED(oper("SET VMLAN LIMIT TRANSIENT"), 26, "HCPCMD026E");
    REFUSED(oper("SET VMLAN LIMIT SOME 3"), 3, "HCPCMD003E");
    REFUSED(on(0, "ONE", "SET VMLAN LIMIT TRANSIENT 9"), 3, "HCPCSE003E");
}
END_TEST

static void setup_config(void)
{
    setup_with("VMLAN MACPREFIX 02AB00 USERPREFIX 02CD00\n"
               "VMLAN LIMIT PERSISTENT 5 MACIDRANGE SYSTEM 000100-0001FF USER 000180-00018F\n"
               "DEFINE LAN BACK TYPE QDIO ETHERNET\nMODIFY LAN BACK GRANT TWO PROMISCUOUS\n"
               "DEFINE VSWITCH SW VLAN 4\n");
}

START_TEST(statements_of_system_config)
{
    static const u8 first[6] = {2, 0xab, 0, 0, 1, 2};
    ck_assert_mem_eq(nic_mac("ONE", 0x600), first, 6); /* 01 is the switch's, 00 the LAN's */
    has(oper("QUERY LAN BACK OWNERID SYSTEM ACCESS"), "    TWO       Promiscuous");
    const char *text = oper("QUERY VMLAN");
    has(text, "PERSISTENT Limit: 5 ");
    has(text, "MACADDR Prefix: 02AB00 USER Prefix: 02CD00");
    has(text, "MACIDRANGE SYSTEM: 000100-0001FF|             USER:   000180-00018F");
    ck_assert_str_eq(oper("SET VMLAN MACPREFIX 02EF00"), "Command complete");
    on(0, "ONE", "DEFINE NIC 700");
    ck_assert_uint_eq(nic_mac("ONE", 0x700)[1], 0xef);
    REFUSED(oper("SET VMLAN MACPREFIX 03EF00"), 3, "HCPCMD003E"); /* a group's */
    REFUSED(oper("SET VMLAN MACIDRANGE SYSTEM 000100-0001FF USER 0001F0-000200"), 3,
            "HCPCMD003E");
    REFUSED(oper("SET VMLAN MACIDRANGE SYSTEM 0001FF-000100"), 3, "HCPCMD003E");
}
END_TEST

/* What the user range has is not given to those who name nothing. */
START_TEST(ranges)
{
    char command[40];
    ck_assert_str_eq(oper("SET VMLAN MACIDRANGE SYSTEM 000010-000017 USER 000012-000013"),
                     "Command complete");
    for (unsigned i = 0; i < 6; i++) {
        snprintf(command, sizeof command, "DEFINE NIC %X", 0x700 + 16 * i);
        has(on(0, "ONE", command), "is created");
        u8 id = nic_mac("ONE", (u16)(0x700 + 16 * i))[5];
        ck_assert(id >= 0x10 && id <= 0x17 && id != 0x12 && id != 0x13);
    }
    REFUSED(on(0, "ONE", "DEFINE NIC 900"), 2783,
            "HCPNIC2783E NIC 0900 not changed; no network address");
    on(0, "ONE", "DETACH NIC 700");
    has(on(0, "ONE", "DEFINE NIC 900"), "is created");
    ck_assert_str_eq(on(0, "ONE", "SET NIC 710 MACID 000012"),
                     "NIC 0710 MAC address 02-00-00-00-00-12");
    REFUSED(on(0, "ONE", "SET NIC 720 MACID 000011"), 2783, "HCPNIC2783E");
    REFUSED(on(0, "ONE", "SET NIC 720 MACID 000012"), 2783,
            "HCPNIC2783E NIC 0720 not changed; 02-00-00-00-00-12 is in use");
    ck_assert_str_eq(oper("SET NIC USER ONE 720 MACID ABCDEF"),
                     "NIC 0720 MAC address 02-00-00-AB-CD-EF");
    REFUSED(on(0, "ONE", "SET NIC 720 MACID 1000000"), 3, "HCPCMD003E");
    REFUSED(on(0, "ONE", "SET NIC 777 MACID 000013"), 40, "HCPQVD040E");
}
END_TEST

/* --- addresses are the cluster's --- */

START_TEST(nobody_else_gets_an_address)
{
    on(0, "", "LOGON DIR P"); /* MACID 00BEEF of USERPREFIX */
    ck_assert_int_eq(mac_owner("02000000BEEF"), 0);
    on(1, "", "LOGON DIR2 P");
    ck_assert(
        console_has(1, "DIR2", "NIC 0600 not created; 02-00-00-00-BE-EF is in use on MEMBERA"));
    on(1, "DIR2", "DEFINE NIC 700");
    REFUSED(on(1, "DIR2", "SET NIC 700 MACID 00BEEF"), 2783, "HCPNIC2783E");
    on(0, "DIR", "LOGOFF");
    ck_assert_int_eq(mac_owner("02000000BEEF"), -1);
    has(on(1, "DIR2", "SET NIC 700 MACID 00BEEF"), "NIC 0700 MAC address 02-00-00-00-BE-EF");
}
END_TEST

/* A guest whose source died as it came: the claim was the source's, and is gone with it. */
START_TEST(claims_of_a_member_that_went)
{
    char name[13];
    const u8 *mac = nic_mac("ONE", 0x600);
    snprintf(name, sizeof name, "%02X%02X%02X%02X%02X%02X", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
    ck_assert_int_eq(mac_owner(name), 0);
    fake_cluster.mac_release((void *)0, name);
    cp_nics_reclaim(cps[0]);
    cp_nics_reclaim(cps[0]);
    pass_time(2000);
    ck_assert_int_eq(mac_owner(name), 0);
    fake_cluster.mac_follow((void *)0, name, "ONE"); /* somebody was faster */
    cp_nics_reclaim(cps[0]);
    pass_time(2000);
    ck_assert(console_has(0, "OPERATOR", "NIC 0600 of ONE: .* is in use on MEMBERB"));
    cp_nics_reclaim(cps[0]); /* which the end of CP cancels */
}
END_TEST

START_TEST(two_members_with_one_prefix)
{
    oper("SET VMLAN MACPREFIX 020033");
    on(1, "", "LOGON OPERATOR OPER");
    on(1, "OPERATOR", "SET VMLAN MACPREFIX 020033");
    on(1, "", "LOGON DIR2 P");
    on(0, "ONE", "DEFINE NIC 700");
    on(1, "DIR2", "DEFINE NIC 700");
    ck_assert_uint_eq(nic_mac("ONE", 0x700)[2], 0x33);
    ck_assert_uint_eq(nic_mac("DIR2", 0x700)[2], 0x33);
    ck_assert(memcmp(nic_mac("ONE", 0x700), nic_mac("DIR2", 0x700), 6) != 0);
}
END_TEST

/* --- adapters that move --- */

static struct cp_user *arrives(const char *userid, int want)
{
    struct codec_out out;
    struct codec_in none, in;
    struct cp_user *user;
    codec_out_init(&out);
    cp_user_save_devices(cp_user_find(cps[0], userid), &out);
    codec_in_init(&none, "", 0);
    ck_assert_int_eq(cp_user_arrive(cps[1], userid, &none, &user, &cause), ST_OK);
    codec_in_init(&in, out.data, out.len);
    ck_assert_int_eq(cp_user_restore_devices(user, &in, &cause), want);
    codec_out_fini(&out);
    return user;
}

static const char *lacks(const char *userid, const char *as)
{
    static char why[64];
    struct cp_nic_row row;
    why[0] = 0;
    ck_assert(cp_user_nic(cp_user_find(cps[0], userid), 0, &row));
    ck_assert(row.lan[0]);
    if (cp_nic_here(cps[1], as, row.lan, row.need, why, sizeof why))
        return "";
    return why;
}

static void both(const char *command)
{
    oper(command);
    on(1, "OPERATOR", command);
}

START_TEST(an_adapter_moves_with_what_it_was_told)
{
    on(1, "", "LOGON OPERATOR OPER");
    both("DEFINE VSWITCH SW VLAN 3");
    on(0, "", "LOGON MOVER P");
    oper("SET NIC USER MOVER 700 MACPROTECT ON");
    u8 mac[6];
    char name[13];
    memcpy(mac, nic_mac("MOVER", 0x700), 6);
    snprintf(name, sizeof name, "%02X%02X%02X%02X%02X%02X", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
    struct cp_user *user = arrives("MOVER", ST_OK);
    ck_assert_int_eq(mac_owner(name), 0);
    cp_user_depart(cp_user_find(cps[0], "MOVER"));
    ck_assert_int_eq(mac_owner(name), 1); /* nobody could get it in between */
    cp_user_set_claim(user, 77);
    ck_assert_mem_eq(nic_mac("MOVER", 0x700), mac, 6);
    const char *text = on(1, "MOVER", "QUERY NIC 700 DETAILS");
    has(text, "Port: 0009");
    has(text, "Porttype: Trunk|    VLAN: 0002 0004");
    has(text, "MAC Protection: ON");
    cp_user_depart(user);
}
END_TEST

/* Rows that are no adapter's are refused, and leave nothing behind. */
START_TEST(damaged_rows)
{
    struct codec_out out;
    struct codec_in none, in;
    struct cp_user *user;
    on(1, "", "LOGON OPERATOR OPER");
    both("DEFINE VSWITCH SW VLAN 3");
    on(0, "", "LOGON MOVER P");
    codec_out_init(&out);
    cp_user_save_devices(cp_user_find(cps[0], "MOVER"), &out);
    codec_in_init(&none, "", 0);
    for (size_t at = 0; at < out.len; at++)
        for (unsigned bits = 1; bits < 0x100; bits <<= 1) {
            out.data[at] ^= (u8)bits;
            ck_assert_int_eq(cp_user_arrive(cps[1], "MOVER", &none, &user, &cause), ST_OK);
            codec_in_init(&in, out.data, out.len);
            (void)cp_user_restore_devices(user, &in, &cause);
            cp_user_depart(user);
            out.data[at] ^= (u8)bits;
        }
    codec_out_fini(&out);
    struct cp_nic_row row;
    ck_assert(cp_user_nic(cp_user_find(cps[0], "MOVER"), 0, &row));
    for (size_t at = 0; at < sizeof row.need; at++)
        for (unsigned bits = 1; bits < 0x100; bits <<= 1) {
            char why[64];
            row.need[at] ^= (u8)bits;
            (void)cp_nic_here(cps[1], "MOVER", row.lan, row.need, why, sizeof why);
            row.need[at] ^= (u8)bits;
        }
    cp_user_depart(arrives("MOVER", ST_OK)); /* the address is free there */
}
END_TEST

START_TEST(what_the_other_member_lacks)
{
    on(1, "", "LOGON OPERATOR OPER");
    oper("DEFINE VSWITCH SW VLAN 3");
    oper("SET VSWITCH SW GRANT ONE PORTTYPE TRUNK VLAN 2 4-6 PROMISCUOUS");
    on(0, "ONE", "COUPLE 600 SYSTEM SW");
    ck_assert_str_eq(lacks("ONE", "ONE"), "VSWITCH SYSTEM SW");
    on(1, "OPERATOR", "DEFINE VSWITCH SW IP");
    ck_assert_str_eq(lacks("ONE", "ONE"), "VSWITCH SYSTEM SW: transport IP");
    on(1, "OPERATOR", "DETACH VSWITCH SW");
    on(1, "OPERATOR", "DEFINE VSWITCH SW");
    ck_assert_str_eq(lacks("ONE", "ONE"), "VSWITCH SYSTEM SW: VLAN unaware");
    on(1, "OPERATOR", "SET VSWITCH SW VLAN 3");
    ck_assert_str_eq(lacks("ONE", "ONE"), "VSWITCH SYSTEM SW"); /* no grant */
    on(1, "OPERATOR", "SET VSWITCH SW GRANT ONE VLAN 2");
    ck_assert_str_eq(lacks("ONE", "ONE"), "VSWITCH SYSTEM SW: PORTTYPE TRUNK");
    on(1, "OPERATOR", "SET VSWITCH SW GRANT ONE PORTTYPE TRUNK VLAN 2 4 6 8");
    ck_assert_str_eq(lacks("ONE", "ONE"), "VSWITCH SYSTEM SW: VLAN 0005");
    on(1, "OPERATOR", "SET VSWITCH SW GRANT ONE PORTTYPE TRUNK VLAN 1-8");
    ck_assert_str_eq(lacks("ONE", "ONE"), "VSWITCH SYSTEM SW: PROMISCUOUS");
    on(1, "OPERATOR", "SET VSWITCH SW GRANT ONE PROMISCUOUS PORTTYPE TRUNK VLAN 1-8");
    ck_assert_str_eq(lacks("ONE", "ONE"), "");
    oper("SET VSWITCH SW GRANT ONE PORTTYPE TRUNK VLAN 1 3 5 7 9 11 13 15 17 19");
    ck_assert_str_eq(lacks("ONE", "ONE"), "VSWITCH SYSTEM SW: VLANs"); /* compared as a whole */
    on(1, "OPERATOR", "SET VSWITCH SW GRANT ONE PORTTYPE TRUNK VLAN 1 3 5 7 9 11 13 15 17 19");
    ck_assert_str_eq(lacks("ONE", "ONE"), "");
    cp_user_depart(arrives("ONE", ST_OK));
    on(1, "OPERATOR", "SET VSWITCH SW REVOKE ONE");
    cp_user_depart(arrives("ONE", ST_REFUSED));
    on(1, "OPERATOR", "DETACH VSWITCH SW");
    cp_user_depart(arrives("ONE", ST_NOENT));
}
END_TEST

START_TEST(a_port_number_in_use_there)
{
    on(1, "", "LOGON OPERATOR OPER");
    both("DEFINE VSWITCH SW VLAN 3");
    on(0, "", "LOGON MOVER P");
    ck_assert_str_eq(lacks("MOVER", "MOVER"), "");
    on(1, "OPERATOR", "SET VSWITCH SW GRANT DIR2");
    on(1, "", "LOGON DIR2 P");
    ck_assert(console_has(1, "DIR2", "is connected to VSWITCH SYSTEM SW"));
    on(1, "DIR2", "UNCOUPLE 600");
    on(1, "DIR2", "COUPLE 600 SYSTEM SW PORTNUMBER 9");
    ck_assert_str_eq(lacks("MOVER", "MOVER"), "VSWITCH SYSTEM SW: port in use");
}
END_TEST

START_TEST(a_guest_lan_stays)
{
    struct cp_nic_row row;
    on(0, "ONE", "DEFINE LAN NET TYPE QDIO");
    on(0, "ONE", "COUPLE 600 * NET");
    ck_assert(cp_user_nic(cp_user_find(cps[0], "ONE"), 0, &row));
    ck_assert(row.guest_lan);
}
END_TEST

/* --- LANs of HiperSockets over members --- */

static struct ivls *ivls[2];

static bool port_send(void *ctx, unsigned slot, enum ivl_message type, const void *data,
                      size_t len)
{
    (void)ctx, (void)slot, (void)type, (void)data, (void)len;
    return false;
}

static bool port_room(void *ctx, unsigned slot)
{
    (void)ctx, (void)slot;
    return false;
}

static void wakeup(void *ctx)
{
    (void)ctx;
}

static void setup_members(void)
{
    const struct ivl_ports ports = {.send = port_send, .room = port_room, .wakeup = wakeup};
    setup_with("");
    for (unsigned i = 0; i < 2; i++) {
        ivls[i] = ivls_create(i, &ports);
        vswitches_cluster(cp_nets(cps[i]), ivls[i]);
    }
    on(1, "", "LOGON OPERATOR OPER");
}

static void teardown_members(void)
{
    cp_world_teardown();
    ivls_destroy(ivls[0]);
    ivls_destroy(ivls[1]);
}

static void there(const char *command)
{
    on(1, "OPERATOR", command);
}

START_TEST(hipersockets_move)
{
    oper("DEFINE LAN HS OWNERID SYSTEM MFS 24K");
    has(oper("QUERY LAN HS OWNERID SYSTEM"), "  SSI: with 0 other members|");
    on(0, "", "LOGON HIPER P");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), "LAN SYSTEM HS");
    cp_user_depart(arrives("HIPER", ST_NOENT));
    ck_assert_str_eq(cause.text, "LAN SYSTEM HS is not here");
    there("DEFINE VSWITCH HS IP");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), "LAN SYSTEM HS: type QDIO");
    there("DETACH VSWITCH HS");
    there("DEFINE LAN HS OWNERID SYSTEM TYPE QDIO");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), "LAN SYSTEM HS: type QDIO");
    there("DETACH LAN HS OWNERID SYSTEM");
    there("DEFINE LAN HS OWNERID SYSTEM TYPE HIPERSOCKETS ETHERNET");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), "LAN SYSTEM HS: transport ETHERNET");
    there("DETACH LAN HS OWNERID SYSTEM");
    there("DEFINE LAN HS OWNERID SYSTEM");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), "LAN SYSTEM HS: MFS");
    there("DETACH LAN HS OWNERID SYSTEM");
    there("DEFINE LAN HS OWNERID SYSTEM MFS 24K RESTRICTED");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), "LAN SYSTEM HS"); /* no grant */
    there("SET LAN HS OWNERID SYSTEM GRANT HIPER");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), "");
    struct cp_user *user = arrives("HIPER", ST_OK);
    cp_user_depart(cp_user_find(cps[0], "HIPER"));
    cp_user_set_claim(user, 77);
    has(on(1, "HIPER", "QUERY NIC 600"), "LAN: SYSTEM HS");
    cp_user_depart(user);
}
END_TEST

/* At a bridge port it has the switch for that, and only the switch. */
START_TEST(not_at_a_bridge_port)
{
    struct cp_nic_row row;
    const char *query = "QUERY LAN HS OWNERID SYSTEM";
    both("DEFINE LAN HS OWNERID SYSTEM TYPE HIPERSOCKETS ETHERNET");
    on(0, "", "LOGON HIPER P");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), "");
    there("DEFINE VSWITCH SW BRIDGEPORT LAN SYSTEM HS");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), "LAN SYSTEM HS: BRIDGEPORT");
    there("SET VSWITCH SW BRIDGEPORT DISCONNECT");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), "LAN SYSTEM HS: of one member");
    there("DETACH VSWITCH SW");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), "");
    oper("DEFINE VSWITCH SW BRIDGEPORT LAN SYSTEM HS");
    hasnt(oper(query), "SSI:");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), "LAN SYSTEM HS: BRIDGEPORT");
    there("DEFINE VSWITCH TW BRIDGEPORT LAN SYSTEM HS");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), "LAN SYSTEM HS: BRIDGEPORT");
    there("DETACH VSWITCH TW");
    there("DEFINE VSWITCH SW BRIDGEPORT LAN SYSTEM HS");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), ""); /* by the switch */
    there("SET VSWITCH SW BRIDGEPORT DISCONNECT");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), "LAN SYSTEM HS: of one member");
    there("SET VSWITCH SW BRIDGEPORT CONNECT ISOLATION ON");
    ck_assert_str_eq(lacks("HIPER", "HIPER"), "LAN SYSTEM HS: of one member");
    oper("SET VSWITCH SW VEPA ON");
    ck_assert(cp_user_nic(cp_user_find(cps[0], "HIPER"), 0, &row) && row.guest_lan);
    oper("SET VSWITCH SW VEPA OFF BRIDGEPORT DISCONNECT");
    ck_assert(cp_user_nic(cp_user_find(cps[0], "HIPER"), 0, &row) && row.guest_lan);
    oper("SET VSWITCH SW BRIDGEPORT LAN SYSTEM OTHER");
    has(oper(query), "SSI:");
    oper("SET VSWITCH SW BRIDGEPORT LAN SYSTEM HS");
    hasnt(oper(query), "SSI:");
    oper("SET VSWITCH SW BRIDGEPORT NONE");
    has(oper(query), "SSI:");
    oper("SET VSWITCH SW BRIDGEPORT LAN SYSTEM LATER");
    oper("DEFINE LAN LATER OWNERID SYSTEM TYPE HIPERSOCKETS ETHERNET");
    hasnt(oper("QUERY LAN LATER OWNERID SYSTEM"), "SSI:");
    oper("SET VSWITCH SW BRIDGEPORT LAN SYSTEM HS UPLINK warp"); /* no uplink, but a bridge */
    has(oper("QUERY LAN LATER OWNERID SYSTEM"), "SSI:");
    hasnt(oper(query), "SSI:");
}
END_TEST

/* Those of users, and QDIO, are of one member. */
START_TEST(other_lans_stay)
{
    struct cp_nic_row row;
    both("DEFINE LAN HS OWNERID ONE");
    both("DEFINE LAN NET OWNERID SYSTEM TYPE QDIO");
    on(0, "ONE", "DEFINE NIC 700 TYPE HIPERSOCKETS");
    has(on(0, "ONE", "COUPLE 700 ONE HS"), "is connected");
    has(on(0, "ONE", "COUPLE 600 SYSTEM NET"), "is connected");
    for (unsigned i = 0; i < 2; i++)
        ck_assert(cp_user_nic(cp_user_find(cps[0], "ONE"), i, &row) && row.guest_lan);
    hasnt(oper("QUERY LAN"), "SSI:");
    both("DEFINE VSWITCH SW IP");
    oper("SET VSWITCH SW GRANT TWO");
    on(0, "TWO", "COUPLE 600 SYSTEM SW");
    there("DETACH VSWITCH SW");
    there("DEFINE LAN SW OWNERID SYSTEM TYPE QDIO");
    ck_assert_str_eq(lacks("TWO", "TWO"), "VSWITCH SYSTEM SW: a guest LAN");
}
END_TEST

/* --- what is refused, by the number of its message --- */

static const struct {
    const char *userid, *command; /* by ONE, whose 600 is coupled, 700 not; or OPERATOR */
    int number;
    const char *begins;
} refusals[] = {
    {"ONE", "DEFINE NIC", 22, "HCPDEF022E"},
    {"ONE", "DEFINE NIC FFFE", 22, "HCPDEF022E"},
    {"ONE", "DEFINE NIC 800 TYPE", 26, "HCPCMD026E"},
    {"ONE", "DEFINE NIC 800 TYPE TOKENRING", 3, "HCPCMD003E"},
    {"ONE", "DEFINE NIC 800 DEVICES 4", 3, "HCPCMD003E"},
    {"ONE", "DEFINE NIC 800 CHPID 100", 3, "HCPCMD003E"},
    {"ONE", "DEFINE NIC 800 X", 3, "HCPCMD003E"},
    {"ONE", "DEFINE NIC 602", 2783, "HCPNIC2783E NIC 0602 not changed; "},
    {"ONE", "DETACH NIC 601", 40, "HCPQVD040E"},
    {"ONE", "DETACH NIC", 22, "HCPDEF022E"},
    {"ONE", "DETACH 601", 2786,
     "HCPNIC2786E Device 0601 is part of an adapter; use DETACH NIC 0600"},
    {"ONE", "COUPLE 600 TO * NET", 2784,
     "HCPNIC2784E NIC 0600 is already connected to LAN ONE NET"},
    {"ONE", "COUPLE 700 TO * NET PORTNUMBER", 26, "HCPCMD026E"},
    {"ONE", "COUPLE 700 TO * NET PORTNUMBER 0", 3, "HCPCMD003E"},
    {"ONE", "COUPLE 700 TO * NET X", 3, "HCPCMD003E"},
    {"ONE", "COUPLE 700 TO SYSTEM NET", 2782, "HCPSWU2782E VSWITCH SYSTEM NET does not exist"},
    {"ONE", "UNCOUPLE 700", 2785, "HCPNIC2785E NIC 0700 is not connected"},
    {"ONE", "UNCOUPLE 800", 40, "HCPQVD040E"},
    {"ONE", "QUERY NIC 800", 40, "HCPQVD040E"},
    {"ONE", "QUERY NIC 600 X", 3, "HCPCMD003E"},
    {"", "QUERY NIC USERID NOBODY", 45, "HCPCMD045E"},
    {"", "QUERY NIC USERID", 26, "HCPCMD026E"},
    {"ONE", "SET NIC 600 MACID 000077", 2783,
     "HCPNIC2783E NIC 0600 not changed; it is connected"},
    {"ONE", "SET NIC 600", 26, "HCPCMD026E"},
    {"ONE", "SET NIC 600 COLOR", 3, "HCPCMD003E"},
    {"ONE", "SET NIC 600 MACPROTECT ON", 3, "HCPCMD003E"},
    {"", "SET NIC USER NOBODY 600 MACPROTECT ON", 45, "HCPCMD045E"},
    {"", "SET NIC USER ONE 600 MACPROTECT MAYBE", 3, "HCPCMD003E"},
    {"ONE", "DEFINE LAN", 26, "HCPCMD026E"},
    {"ONE", "DEFINE LAN OTHER TYPE QDIO MAXCONN 0", 3, "HCPCMD003E"},
    {"ONE", "SET LAN NET", 26, "HCPCMD026E"},
    {"ONE", "SET LAN NET GRANT", 20, "HCPLGA020E"},
    {"ONE", "SET LAN NET REVOKE TWO", 6011,
     "HCPNIC6011E TWO is not authorized for LAN ONE NET"},
    {"ONE", "SET LAN NET TYPE QDIO", 3, "HCPCMD003E"},
    {"ONE", "DETACH LAN NOWHERE", 2782, "HCPSWU2782E"},
    {"ONE", "QUERY LAN NOWHERE", 2782, "HCPSWU2782E LAN SYSTEM NOWHERE does not exist"},
    {"", "MODIFY", 26, "HCPCMD026E"},
    {"", "MODIFY NETWORK X", 3, "HCPCMD003E"},
    {"", "DETACH VSWITCH NOWHERE", 2782, "HCPSWU2782E VSWITCH SYSTEM NOWHERE does not exist"},
    {"", "QUERY VSWITCH NOWHERE", 2782, "HCPSWU2782E VSWITCH SYSTEM NOWHERE does not exist"},
    {"", "QUERY VSWITCH USERID", 26, "HCPCMD026E"},
    {"", "QUERY VSWITCH NAME", 26, "HCPCMD026E"},
    {"", "QUERY VSWITCH NET DETAILS X", 3, "HCPCMD003E"},
    {"", "SET VMLAN DNA MAYBE", 3, "HCPCMD003E"},
    {"", "SET VMLAN MACPROTECT", 26, "HCPCMD026E"},
    {"", "SET VMLAN COLOR", 3, "HCPCMD003E"},
};

START_TEST(what_is_refused)
{
    const char *userid = *refusals[_i].userid ? refusals[_i].userid : "OPERATOR";
    on(0, "ONE", "DEFINE LAN NET TYPE QDIO");
    has(on(0, "ONE", "COUPLE 600 TO * NET"), "is connected");
    has(on(0, "ONE", "DEFINE NIC 700"), "is created");
    REFUSED(on(0, userid, refusals[_i].command), refusals[_i].number, refusals[_i].begins);
    has(on(0, "ONE", "QUERY NIC"), "LAN: ONE NET"); /* and nothing has changed */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_lan_cmd");
    TCase *tc = tcase_create("commands"), *config = tcase_create("system.config");
    tcase_add_checked_fixture(tc, setup, cp_world_teardown);
    tcase_add_test(tc, a_lan_of_ones_own);
    tcase_add_test(tc, restricted);
    tcase_add_test(tc, connections_have_a_limit);
    tcase_add_loop_test(tc, what_is_refused, 0, ARRAY_LEN(refusals));
    tcase_add_test(tc, transient);
    tcase_add_test(tc, transient_of_others);
    tcase_add_test(tc, persistent);
    tcase_add_test(tc, types_fit);
    tcase_add_test(tc, nicdef_of_a_guest_lan);
    tcase_add_test(tc, limits);
    tcase_add_test(tc, ranges);
    tcase_add_test(tc, nobody_else_gets_an_address);
    tcase_add_test(tc, claims_of_a_member_that_went);
    tcase_add_test(tc, two_members_with_one_prefix);
    tcase_add_test(tc, an_adapter_moves_with_what_it_was_told);
    tcase_add_test(tc, damaged_rows);
    tcase_add_test(tc, what_the_other_member_lacks);
    tcase_add_test(tc, a_port_number_in_use_there);
    tcase_add_test(tc, a_guest_lan_stays);
    suite_add_tcase(suite, tc);
    TCase *members = tcase_create("members");
    tcase_add_checked_fixture(members, setup_members, teardown_members);
    tcase_add_test(members, hipersockets_move);
    tcase_add_test(members, not_at_a_bridge_port);
    tcase_add_test(members, other_lans_stay);
    suite_add_tcase(suite, members);
    tcase_add_checked_fixture(config, setup_config, cp_world_teardown);
    tcase_add_test(config, statements_of_system_config);
    suite_add_tcase(suite, config);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
