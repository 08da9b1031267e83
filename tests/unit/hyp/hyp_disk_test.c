/* Minidisks and real devices by CP's commands: links in every mode, their messages, passwords, what
 * another member keeps us from, devices attached, detached, varied, defined; and the directory and
 * hardware statements they come from. Run alone: tests/run unit/hyp_disk_test
 * waits: for what the host writes to its disk */
#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/rdev/rdev.h"
#include "hyp/cp_move.h"
#include "io/image/track.h"
#include "tests/lib/cp_images.h"

static char devices[1024];
static struct cause cause;

static const char users[] =
    "USER OWNER PW 64M 64M G\n MDISK 200 3390 1 10 VOL001 MR ALL WPASS MPASS\n"
    " MDISK 201 3390 11 10 VOL001 W RPASS\n MDISK 202 FB-512 0 END FBA001 MR ALL ALL ALL\n"
    " MDISK 203 3390 5 1 NOVOL MR\n MDISK 204 FB-512 V-DISK 100 MR ALL ALL ALL\n"
    " MDISK 205 3390 T-DISK 3\n MDISK 206 3390 20 10 VOL001 MR\n"
    " MDISK 207 9336 5 10 VOL001 MR\n SPECIAL 20 3270\n"
    "USER TWO PW 64M 64M G\n LINK OWNER 200 200 MR\n LINK OWNER 999 998 RR\n"
    " DEDICATE 181 580\n DEDICATE 182 581\n"
    "USER THREE PW 64M 64M G\n LINK TWO 200 300 RR\n OPTION LNKNOPAS LNKSTABL LNKEXCLU\n"
    "USER MOVER PW 64M 64M G\n MDISK 200 3390 1 5 VOL001 MR\n MDISK 201 3390 6 5 VOL001 RR\n"
    "USER FIVE PW 64M 64M G\n OPTION LNKS\n MDISK 500 3390 21 1 VOL001 MWV\n"
    "USER ASKS PW 64M 64M G\n OPTION DEVINFO\n"
    "USER FLASH PW 64M 64M BG\n MDISK 600 3390 1 2 VOL001 MR\n MDISK 601 3390 11 2 VOL001 MR\n"
    "USER FULL PW 64M 64M G\n MDISK 123 3390 0 END VOL001 MW\n MDISK 124 3390 DEVNO 201 MR\n";

static void setup(void)
{
    images_begin();
    image_make("one", IMAGE_CKD, 22, "VOL001");
    image_make("two", IMAGE_CCKD, 50, "VOL002");
    image_make("fba", IMAGE_FBA_RAW, 1000, NULL);
    image_make("left", IMAGE_CKD, 2, "VOL003");
    image_make("right", IMAGE_CCKD, 2, "VOL003");
    snprintf(devices, sizeof devices,
             "200 3390 %s/one\n201 3390 %s/two\n300 9336 %s/fba volid=FBA001\n580 3490 *\n"
             "203 3390 %s/left mirror=%s/right\n",
             images_dir, images_dir, images_dir, images_dir, images_dir);
    cp_world_users = users;
    cp_world_devices = devices;
    cp_world_setup();
    on(0, "", "LOGON OPERATOR OPER");
}

static void logon(int member, const char *user)
{
    char command[64];
    snprintf(command, sizeof command, "LOGON %s PW", user);
    on(member, "", command);
    ck_assert_int_eq(resp.rc, 0);
}

/* --- what DIAGNOSE X'E4' asks --- */

static enum vm_minidisk_result asked(const char *userid, const char *whose, u16 vdev,
                                     bool directory, struct vm_minidisk *m)
{
    *m = (struct vm_minidisk){.vdev = vdev, .directory = directory};
    strcpy(m->user, whose);
    return cp_minidisk(cps[0], userid, m);
}

START_TEST(where_minidisks_are)
{
    struct vm_minidisk m;
    logon(0, "TWO");
    ck_assert_int_eq(asked("TWO", "", 0x200, false, &m), VM_MINIDISK_FOUND);
    ck_assert_str_eq(m.volid, "VOL001");
    ck_assert_uint_eq(m.rdev, 0x200);
    ck_assert_uint_eq(m.start, 1);
    ck_assert_uint_eq(m.count, 10);
    ck_assert_str_eq(m.owner, "OWNER");
    ck_assert_int_eq(asked("TWO", "TWO", 0x999, false, &m), VM_MINIDISK_NO_DEVICE);
    ck_assert_int_eq(asked("TWO", "TWO", 0x181, false, &m), VM_MINIDISK_NO_DISK); /* a tape */
    ck_assert_int_eq(asked("TWO", "OWNER", 0x200, true, &m), VM_MINIDISK_NOT_ALLOWED);
    ck_assert_int_eq(asked("NOBODY", "", 0x200, true, &m), VM_MINIDISK_NO_USER);
}
END_TEST

/* OPTION DEVINFO: those of others, too, also of who is not logged on. */
START_TEST(where_minidisks_of_others_are)
{
    struct vm_minidisk m;
    logon(0, "ASKS");
    ck_assert_int_eq(asked("ASKS", "OWNER", 0x200, false, &m), VM_MINIDISK_NO_USER);
    ck_assert_int_eq(asked("ASKS", "NOBODY", 0x200, true, &m), VM_MINIDISK_NO_USER);
    ck_assert_int_eq(asked("ASKS", "OWNER", 0x201, true, &m), VM_MINIDISK_FOUND);
    ck_assert_uint_eq(m.start, 11);
    ck_assert(!m.full_pack);
    ck_assert_int_eq(asked("ASKS", "OWNER", 0x203, true, &m), VM_MINIDISK_FOUND);
    ck_assert_uint_eq(m.rdev, 0); /* its volume is not here */
    ck_assert_str_eq(m.volid, "NOVOL");
    ck_assert_int_eq(asked("ASKS", "OWNER", 0x204, true, &m), VM_MINIDISK_NO_DISK);
    ck_assert_int_eq(asked("ASKS", "OWNER", 0x299, true, &m), VM_MINIDISK_NO_DEVICE);
    ck_assert_int_eq(asked("ASKS", "FULL", 0x123, true, &m), VM_MINIDISK_FOUND);
    ck_assert(m.full_pack);
    ck_assert_uint_eq(m.count, 22);
    ck_assert_int_eq(asked("ASKS", "FULL", 0x124, true, &m), VM_MINIDISK_FOUND);
    ck_assert(m.by_devno);
    ck_assert_uint_eq(m.rdev, 0x201);
}
END_TEST

/* --- at logon --- */

START_TEST(disks_of_the_directory)
{
    logon(0, "OWNER");
    is(on(0, "OWNER", "QUERY VIRTUAL DASD"),
       "DASD 0200 3390 VOL001 R/W         10 CYL ON DASD  0200 SUBCHANNEL = 0000|"
       "DASD 0201 3390 VOL001 R/W         10 CYL ON DASD  0200 SUBCHANNEL = 0001|"
       "DASD 0202 9336 FBA001 R/W       1000 BLK ON DASD  0300 SUBCHANNEL = 0002|"
       "DASD 0204 9336 (VDSK) R/W        100 BLK ON DASD  VDSK SUBCHANNEL = 0003|"
       "DASD 0205 3390 (TEMP) R/W          3 CYL ON DASD  TEMP SUBCHANNEL = 0004");
    ck_assert(console_has(0, "OWNER",
                          "^HCPLNM108E OWNER 0203 not linked; volid NOVOL not "
                          "mounted$"));
    ck_assert(console_has(0, "OWNER",
                          "^HCPLNM119E OWNER 0206 not linked; .*22 cylinders of "
                          "volume VOL001"));
    ck_assert(console_has(0, "OWNER",
                          "^HCPLNM119E OWNER 0207 not linked; volume VOL001 is a "
                          "3390"));
    is(on(0, "OWNER", "QUERY MDISK 201 LOCATION"),
       "TargetID Tdev OwnerID  Odev Dtype Vol-ID Rdev   StartLoc       Size|"
       "OWNER    0201 OWNER    0201 3390  VOL001 0200         11         10");
    logon(0, "TWO");
    ck_assert(console_has(0, "TWO", "^HCPLNM102E DASD 0200 forced R/O; R/W by OWNER$"));
    ck_assert(console_has(0, "TWO", "^HCPLNM107E OWNER 0999 not linked; not in CP directory$"));
    ck_assert(console_has(0, "TWO", "^HCPATR120E TWO 0182 not attached; "));
    is(on(0, "TWO", "QUERY VIRTUAL 181"), "TAPE 0181 ON DEV  0580 3490 R/W SUBCHANNEL = 0001");
    logon(0, "THREE"); /* a link to a link */
    is(on(0, "THREE", "QUERY LINKS 300"),
       "OWNER    0200 R/W, THREE    0300 R/O, TWO      0200 R/O");
    is(oper("QUERY DASD"), "DASD 0200 CP SYSTEM VOL001    4|DASD 0300 CP SYSTEM FBA001    1");
    const char *system = oper("QUERY SYSTEM 200");
    ck_assert_ptr_nonnull(strstr(system, "DASD 0200 CP SYSTEM VOL001    4|"));
    ck_assert_ptr_nonnull(strstr(system, "THREE    0300 R/O"));
    ck_assert_ptr_nonnull(strstr(oper("QUERY SYSTEM VOL001"), "OWNER    0200 R/W"));
    REFUSED(oper("QUERY SYSTEM"), 26, "HCPCMD026E");
    REFUSED(oper("QUERY SYSTEM NIX"), 40, "HCPQRD040E Device NIX does not exist");
    REFUSED(oper("QUERY SYSTEM VOL001 NOW"), 3, "HCPCMD003E Invalid option - NOW");
    on(0, "OWNER", "LOGOFF");
    is(oper("QUERY 200"), "DASD 0200 CP SYSTEM VOL001    2");
}
END_TEST

/* --- LINK --- */

/* What each mode gets when somebody has the disk so; 1 = read, 2 = write, else a message. */
static const char *const had[] = {"", "RR", "W", "SR", "SW", "SM", "ER", "EW"};
static const struct {
    const char *mode;
    int gets[ARRAY_LEN(had)];
} modes[] = {{"R", {1, 1, 105, 1, 105, 105, 104, 105}},
             {"RR", {1, 1, 1, 1, 1, 1, 104, 105}},
             {"W", {2, 104, 105, 104, 105, 105, 104, 105}},
             {"WR", {2, 101, 102, 101, 102, 102, 104, 105}},
             {"M", {2, 2, 105, 104, 105, 105, 104, 105}},
             {"MR", {2, 2, 102, 101, 102, 102, 104, 105}},
             {"MW", {2, 2, 2, 104, 105, 105, 104, 105}},
             {"SR", {1, 1, 105, 1, 105, 105, 104, 105}},
             {"SW", {2, 104, 105, 104, 105, 105, 104, 105}},
             {"SM", {2, 2, 105, 104, 105, 105, 104, 105}},
             {"ER", {1, 104, 105, 104, 105, 105, 104, 105}},
             {"EM", {2, 104, 105, 104, 105, 105, 104, 105}},
             {"EW", {2, 104, 105, 104, 105, 105, 104, 105}}};

static int linked(const char *mode)
{
    char command[64];
    snprintf(command, sizeof command, "LINK OWNER 200 400 %s", mode);
    on(0, "THREE", command);
    int rc = resp.rc;
    on(0, "THREE", "QUERY VIRTUAL 400");
    bool there = resp.rc == 0, write = there && strstr(resp.lines[0], "R/W");
    ck_assert_int_eq(there, rc == 0 || (rc >= 101 && rc <= 103));
    if (rc)
        return rc;
    on(0, "THREE", "DETACH 400");
    ck_assert_str_eq(resp.lines[0], "DASD 0400 DETACHED");
    return write ? 2 : 1;
}

START_TEST(each_mode)
{
    logon(0, "THREE");
    on(0, "THREE", "DETACH 300");
    for (size_t k = 0; k < ARRAY_LEN(had); k++) {
        char command[64];
        snprintf(command, sizeof command, "LINK OWNER 200 300 %s", had[k]);
        if (*had[k])
            is(on(0, "THREE", command), "");
        int got = linked(modes[_i].mode);
        ck_assert_msg(got == modes[_i].gets[k], "%s when one has it %s: %d", modes[_i].mode,
                      had[k], got);
        on(0, "THREE", "DETACH 400");
        on(0, "THREE", "DETACH 300");
    }
}
END_TEST

/* A stable link keeps writers of the other member away, too, and shares with others that are
 * stable; nobody gets one where somebody writes. */
START_TEST(stable_on_members)
{
    logon(0, "THREE");
    logon(1, "FIVE");
    on(0, "THREE", "DETACH 300");
    is(on(0, "THREE", "LINK OWNER 200 300 SR"), "");
    is(on(1, "FIVE", "LINK OWNER 200 300 SR"), "");
    REFUSED(on(1, "FIVE", "LINK OWNER 200 301 M MPASS"), 104, "HCPLNM104E");
    on(1, "FIVE", "DETACH 300");
    REFUSED(on(1, "FIVE", "LINK OWNER 200 301 MW MPASS"), 105,
            "HCPLNM105E OWNER 0200 not linked; R/W by another system");
    on(0, "THREE", "DETACH 300");
    is(on(1, "FIVE", "LINK OWNER 200 301 MW MPASS"), "");
    REFUSED(on(0, "THREE", "LINK OWNER 200 300 SR"), 105, "HCPLNM105E");
    REFUSED(on(0, "THREE", "LINK OWNER 200 300 ER"), 105, "HCPLNM105E");
    is(on(0, "THREE", "LINK OWNER 200 300 RR"), "");
    on(1, "FIVE", "DETACH 301");
    is(on(0, "THREE", "LINK OWNER 200 301 SM"), "DASD 0301 LINKED R/W; R/O BY THREE");
    REFUSED(on(1, "FIVE", "LINK OWNER 200 301 M MPASS"), 105, "HCPLNM105E");
}
END_TEST

/* Stable and exclusive modes want an option; it is no password. */
START_TEST(stable_options)
{
    logon(0, "TWO");
    REFUSED(on(0, "TWO", "LINK OWNER 200 300 SR ALL"), 298,
            "HCPLNM298E OWNER 0200 not linked; request denied");
    REFUSED(on(0, "TWO", "LINK OWNER 200 300 EW MPASS"), 298, "HCPLNM298E");
    logon(0, "FIVE");
    REFUSED(on(0, "FIVE", "LINK OWNER 200 300 ER"), 298, "HCPLNM298E");
    REFUSED(on(0, "FIVE", "LINK OWNER 201 300 SM WRONG"), 113, "HCPLNM113E");
    REFUSED(on(0, "FIVE", "LINK OWNER 201 300 SR WRONG"), 114, "HCPLNM114E");
    is(on(0, "FIVE", "LINK OWNER 201 300 SR RPASS"), "");
    is(on(0, "FIVE", "QUERY VIRTUAL 500"),
       "DASD 0500 3390 VOL001 R/W          1 CYL ON DASD  0200 SUBCHANNEL = 0000");
}
END_TEST

START_TEST(passwords)
{
    logon(0, "OWNER");
    logon(0, "TWO");
    REFUSED(on(0, "TWO", "LINK OWNER 201 300 RR"), 114,
            "HCPLNM114E OWNER 0201 not linked; mode or password incorrect");
    REFUSED(on(0, "TWO", "LINK OWNER 201 300 RR WRONG"), 114, "HCPLNM114E");
    REFUSED(on(0, "TWO", "LINK OWNER 201 300 W RPASS"), 112, "HCPLNM112E");
    REFUSED(on(0, "TWO", "LINK OWNER 201 300 MW RPASS"), 113, "HCPLNM113E");
    is(on(0, "TWO", "LINK TO OWNER 201 AS 300 RR PASS= RPASS"),
       "DASD 0300 LINKED R/O; R/W BY OWNER");
    is(on(0, "TWO", "LINK OWNER 200 301 MW MPASS"),
       "DASD 0301 LINKED R/W; R/W BY OWNER; R/O BY TWO");
    REFUSED(on(0, "TWO", "LINK OWNER 200 301 RR"), 110,
            "HCPLNM110E OWNER 0200 not linked; 0301 already defined");
    REFUSED(on(0, "TWO", "LINK NOBODY 200 301"), 53, "HCPLNM053E NOBODY not in CP directory");
    REFUSED(on(0, "TWO", "LINK OWNER"), 22, "HCPLNM022E");
    REFUSED(on(0, "TWO", "LINK OWNER 200 302 RR ALL MORE"), 3, "HCPCMD003E");
}
END_TEST

/* A full-pack minidisk overlaps all others: who has it to write keeps them from it, and both can
 * only have it by MW. */
START_TEST(overlapping_extents)
{
    logon(0, "FULL");
    logon(0, "OWNER");
    ck_assert(console_has(0, "OWNER", "^HCPLNM102E DASD 0200 forced R/O; R/W by FULL$"));
    ck_assert(console_has(0, "OWNER", "^HCPLNM105E OWNER 0201 not linked; R/W by FULL$"));
    is(on(0, "OWNER", "QUERY LINKS 200"), "FULL     0123 R/W, OWNER    0200 R/O");
    is(on(0, "FULL", "QUERY VIRTUAL 124"),
       "DASD 0124 3390 VOL002 R/W         50 CYL ON DASD  0201 SUBCHANNEL = 0001");
    REFUSED(oper("ATTACH 201 FULL 500"), 124, "HCPATR124E DASD 0201 in use by 1 users");
}
END_TEST

/* The other member has what is locked: never two writers of an extent. */
START_TEST(another_member)
{
    logon(0, "OWNER");
    logon(1,
          "THREE"); /* reads what OWNER writes on the first member: a file with fixed places */
    is(on(1, "THREE", "QUERY VIRTUAL DASD"),
       "DASD 0300 3390 VOL001 R/O         10 CYL ON DASD  0200 SUBCHANNEL = 0000");
    REFUSED(on(1, "THREE", "LINK OWNER 200 301 M"), 105,
            "HCPLNM105E OWNER 0200 not linked; R/W by another system");
    REFUSED(on(1, "THREE", "LINK OWNER 200 301 MW"), 105, "HCPLNM105E");
    on(1, "THREE", "LINK OWNER 200 301 MR");
    ck_assert_int_eq(resp.rc, 102);
    ck_assert_str_eq(resp.lines[0], "HCPLNM102E DASD 0301 forced R/O; R/W by another system");
    on(0, "OWNER", "LOGOFF");
    is(on(1, "THREE", "LINK OWNER 200 302 M"), "DASD 0302 LINKED R/W; R/O BY 2 USERS");
    logon(0, "OWNER");
    ck_assert(
        console_has(0, "OWNER", "^HCPLNM102E DASD 0200 forced R/O; R/W by another system"));
    is(on(0, "OWNER", "QUERY VIRTUAL 201"),
       "DASD 0201 3390 VOL001 R/W         10 CYL ON DASD  0200 SUBCHANNEL = 0001");
}
END_TEST

START_TEST(virtual_disks)
{
    logon(0, "OWNER");
    logon(0, "TWO");
    is(on(0, "TWO", "LINK OWNER 204 400 RR"), "DASD 0400 LINKED R/O; R/W BY OWNER");
    on(0, "OWNER", "LOGOFF"); /* it lives as long as somebody has it */
    is(on(0, "TWO", "QUERY LINKS 400"), "TWO      0400 R/O");
    is(on(0, "TWO", "DEFINE VFB-512 AS 401 BLK 64"), "DASD 0401 DEFINED");
    ck_assert_ptr_nonnull(
        strstr(oper("QUERY VDISK"), "TWO      0401 9336 (VDSK) R/W         64 BLK"));
    ck_assert_ptr_null(strstr(oper("QUERY VDISK TWO"), "OWNER"));
    ck_assert_ptr_nonnull(
        strstr(oper("QUERY VDISK SYSLIM"), "VDISK SYSTEM LIMIT IS INFINITE, "));
    is(oper("QUERY VDISK USERLIM"), "VDISK USER   LIMIT IS INFINITE");
    REFUSED(oper("QUERY VDISK NIX"), 45, "HCPCQU045E NIX not logged on");
    is(on(0, "TWO", "DEFINE T3390 402 5"), "DASD 0402 DEFINED");
    is(on(0, "TWO", "DEFINE GRAF 403"), "GRAF 0403 DEFINED");
    REFUSED(on(0, "TWO", "DEFINE T3390 402 5"), 92, "HCPDEF092E");
    REFUSED(on(0, "TWO", "DEFINE T3390 404 0"), 26, "HCPCMD026E");
    REFUSED(on(0, "TWO", "DEFINE FROB 404"), 3, "HCPCMD003E");
    REFUSED(on(0, "TWO", "DEFINE GRAF XYZ"), 22, "HCPDEF022E");
    is(on(0, "TWO", "RESET 402"), "DEV 0402 RESET");
    ck_assert_uint_eq(cp_user_vm(cp_user_find(cps[0], "TWO"))->device_resets, 1);
    is(on(0, "TWO", "READY 402"), "");
    ck_assert_uint_eq(cp_user_vm(cp_user_find(cps[0], "TWO"))->device_ends, 1);
    REFUSED(on(0, "TWO", "READY 999"), 40, "HCPDTV040E Device 999 does not exist");
    REFUSED(on(0, "TWO", "READY"), 22, "HCPDEF022E");
    REFUSED(on(0, "TWO", "READY 402 NOW"), 3, "HCPCMD003E");
    REFUSED(on(0, "TWO", "RESET 999"), 40, "HCPDTV040E Device 999 does not exist");
    REFUSED(on(0, "TWO", "RESET"), 22, "HCPDEF022E");
    is(on(0, "TWO", "DETACH 402"), "DASD 0402 DETACHED");
    REFUSED(on(0, "TWO", "DETACH 402"), 40, "HCPDTV040E Device 0402 does not exist");
    ck_assert_int_eq(system("ls /tmp/endicott-tdisk-* 2>/dev/null") != 0,
                     1); /* no names left */
}
END_TEST

/* --- real devices --- */

/* Each device has one path, that of its class, which no device that is online loses; a path that is
 * offline keeps its devices so. */
START_TEST(channel_paths)
{
    ck_assert_str_eq(oper("QUERY PATHS TO 200"),
                     "Device 0200, Status ONLINE| CHPIDs to Device 0200 (PIM)  : 20|"
                     "  Physically Available (PAM)  : +|  Online               (LPM)  : +|"
                     "          Legend         + Yes - No");
    REFUSED(oper("QUERY PATHS TO 102"), 40, "HCPQPA040E Device 0102 does not exist");
    REFUSED(oper("QUERY PATHS TO"), 26, "HCPCMD026E");
    REFUSED(oper("QUERY PATHS TO MOON"), 21, "HCPATR021E");
    ck_assert_str_eq(oper("QUERY CHPID 20"), "Path 20 online to devices 0200 0201 0203 0300");
    REFUSED(oper("QUERY CHPID 21"), 846, "HCPQPA846E Invalid channel path identifier");
    REFUSED(oper("QUERY CHPID XYZ"), 846, "HCPQPA846E");
    REFUSED(oper("QUERY CHPID"), 26, "HCPCMD026E");
    REFUSED(oper("QUERY CHPID 20 PCHID"), 3, "HCPQPV003E Invalid option - PCHID");
    ck_assert_str_eq(oper("QUERY CHPIDV"), "One path CHPID Virtualization is off");
    REFUSED(oper("QUERY CHPIDV NOBODY"), 45, "HCPCQU045E NOBODY");
    REFUSED(oper("VARY OFF PATH 20 FROM 200"), 601, "HCPVPA601E Path 20 not varied offline");
    REFUSED(oper("VARY OFF PATH 14 FROM 200"), 600,
            "HCPVPA600E Path 14 is no path to device 0200");
    REFUSED(oper("VARY OFF PATH 20 TO 200"), 2, "HCPCMD002E Invalid operand - TO");
    REFUSED(oper("VARY OFF PATH 20"), 26, "HCPCMD026E");
    ck_assert_str_eq(
        oper("VARY ON PATH 20 TO 200-201"),
        "Path 20 varied online to device 0200|Path 20 varied online to device 0201");
    REFUSED(oper("VARY OFF CHPID 20"), 601,
            "HCPVPA601E Path 20 not varied offline; it is the only path to device 0200");
    REFUSED(oper("VARY OFF CHPID 14"), 601, "HCPVPA601E");
    oper("VARY OFF 580");
    ck_assert_str_eq(oper("VARY OFF CHPID 14"), "CHPID 14 varied offline");
    ck_assert_str_eq(oper("QUERY CHPID 14"), "Path 14 offline to devices 0580");
    ck_assert_ptr_nonnull(strstr(oper("QUERY PATHS 580"),
                                 "OFFLINE| CHPIDs to Device 0580 (PIM)  : "
                                 "14|"));
    ck_assert_ptr_nonnull(strstr(oper("QUERY PATHS 580"), "(LPM)  : -|"));
    ck_assert_ptr_nonnull(strstr(oper("VARY ON 580"),
                                 "HCPCPN126E Device 0580 not varied online; "
                                 "its channel path is offline"));
    REFUSED(oper("VARY ON PATH 14 TO 580"), 602, "HCPVPA602E CHPID 14 is offline");
    ck_assert_str_eq(oper("VARY ON CHPID 14"), "CHPID 14 varied online");
    ck_assert_ptr_nonnull(strstr(oper("VARY ON 580"), "0580 varied online|"));
    logon(0, "OWNER");
    REFUSED(on(0, "OWNER", "QUERY CHPID 20"), 3, "HCPCQV003E Invalid option - CHPID");
}
END_TEST

START_TEST(attach_detach_vary)
{
    logon(0, "OWNER");
    is(oper("QUERY DASD FREE"), "DASD 0201 VOL002 , DASD 0203 VOL003 ");
    is(oper("ATTACH 201 OWNER 500"), "DASD 0201 ATTACHED TO OWNER 0500");
    is(oper("QUERY DASD ATTACHED"), "DASD 0201 ATTACHED TO OWNER    0500 R/W VOL002");
    is(on(0, "OWNER", "QUERY VIRTUAL 500"),
       "DASD 0500 ON DASD  0201 VOL002 R/W SUBCHANNEL = 0005");
    REFUSED(oper("ATTACH 201 OWNER 501"), 122,
            "HCPATR122E DASD 0201 already attached to OWNER");
    REFUSED(oper("ATTACH 200 OWNER 501"), 123, "HCPATR123E DASD 0200 belongs to the system");
    REFUSED(oper("ATTACH 999 OWNER"), 40, "HCPATR040E Device 0999 does not exist");
    REFUSED(oper("ATTACH 580 NOBODY"), 45, "HCPCMD045E");
    REFUSED(oper("ATTACH 580 OWNER 200"), 128, "HCPATR128E");
    ck_assert_ptr_nonnull(strstr(oper("VARY OFF 201 580"), "HCPCPN124E Device 0201 not varied "
                                                           "offline; in use by OWNER|0580 "
                                                           "varied offline|2 device(s)"));
    is(oper("QUERY 580"), "TAPE 0580 OFFLINE");
    ck_assert_int_eq(resp.rc, 0);
    REFUSED(oper("ATTACH 580 OWNER"), 46, "HCPATR046E TAPE 0580 is offline");
    is(oper("VARY ON 580"),
       "0580 varied online|1 device(s) specified; 1 device(s) successfully varied online");
    is(oper("DETACH 201 FROM OWNER"), "DASD 0201 DETACHED OWNER 0500");
    is(oper("ATTACH 201 SYSTEM"), "DASD 0201 ATTACHED TO SYSTEM VOL002");
    is(oper("DETACH 201 SYSTEM"), "DASD 0201 DETACHED SYSTEM VOL002");
    REFUSED(oper("DETACH 201 OWNER"), 121, "HCPDTR121E DASD 0201 not attached to OWNER");
    REFUSED(oper("DETACH 200 SYSTEM"), 124, "HCPATR124E");
    REFUSED(on(0, "OWNER", "ATTACH 201 OWNER"), 1, "HCPCMD001E");
    REFUSED(on(0, "OWNER", "DETACH 201 FROM OWNER"), 3, "HCPCMD003E");
    REFUSED(on(0, "OWNER", "QUERY DASD"), 3, "HCPCQV003E");
    is(oper("ATTACH 201 OWNER 500 R/O"), "DASD 0201 ATTACHED TO OWNER 0500 R/O");
    on(0, "OWNER", "LOGOFF");
    is(oper("QUERY 201"), "DASD 0201 VOL002");
    is(oper("QUERY TAPES FREE"), "TAPE 0580 FREE   ");
    is(oper("QUERY TAPES"), "An active TAPE was not found.");
}
END_TEST

/* --- relocation --- */

static unsigned went;

static void goes(struct cp_user *user, void *arg)
{
    ck_assert_ptr_eq(arg, &went);
    ck_assert_str_eq(cp_user_id(user), "MOVER");
    went++;
}

static struct cp_user *arrives(struct codec_out *out)
{
    struct codec_in none, in;
    struct cp_user *user;
    codec_in_init(&none, "", 0);
    codec_in_init(&in, out->data, out->len);
    ck_assert_msg(cp_user_arrive(cps[1], "MOVER", &none, &user, &cause) == ST_OK, "%s",
                  cause.text);
    ck_assert_msg(cp_user_restore_devices(user, &in, &cause) == ST_OK, "%s", cause.text);
    return user;
}

/* [D2] The destination opens a disk when the guest is its own and the source has closed it, not
 * before; meanwhile it can neither read nor write, and the source can do both. */
START_TEST(hand_over)
{
    struct codec_out out;
    u8 track[IMAGE_TRACK_BYTES_MAX];
    u32 len;
    went = 0;
    logon(0, "MOVER");
    struct cp_user *here = cp_user_find(cps[0], "MOVER");
    link_set_cache(link_find(cp_rdevs(cps[0]), "MOVER", 0x201), false); /* SET MDCACHE MDISK */
    codec_out_init(&out);
    cp_user_save_devices(here, &out);
    struct cp_user *there = arrives(&out);
    codec_out_fini(&out);
    ck_assert(link_find(cp_rdevs(cps[1]), "MOVER", 0x200)->cache &&
              !link_find(cp_rdevs(cps[1]), "MOVER", 0x201)->cache);
    ck_assert(image_offline(image_of(1, "MOVER", 0x200)) &&
              image_offline(image_of(1, "MOVER", 0x201)));
    ck_assert_int_eq(image_read_track(image_of(1, "MOVER", 0x200), 0, track, &len, &cause),
                     ST_BUSY);
    ck_assert_int_eq(image_read_track(image_of(0, "MOVER", 0x200), 0, track, &len, &cause),
                     ST_OK);
    cp_user_set_claim(there, 7);
    cp_user_go(there, goes, &went);
    pass_time(100);
    ck_assert_uint_eq(went, 0);
    ck_assert_int_eq(image_write_track(image_of(0, "MOVER", 0x200), 0, track, len, &cause),
                     ST_OK);
    ck_assert_int_eq(image_write_track(image_of(1, "MOVER", 0x200), 0, track, len, &cause),
                     ST_BUSY);
    cp_user_let_go(here); /* its machine is still there */
    pass_time(20);
    ck_assert_uint_eq(went, 1);
    ck_assert_int_eq(image_read_track(image_of(0, "MOVER", 0x200), 0, track, &len, &cause),
                     ST_BUSY);
    ck_assert_int_eq(image_write_track(image_of(1, "MOVER", 0x200), 0, track, len, &cause),
                     ST_OK);
    cp_user_depart(here);
    pass_time(20);
    ck_assert_uint_eq(went, 1);
    ck_assert_int_eq(image_write_track(image_of(1, "MOVER", 0x200), 0, track, len, &cause),
                     ST_OK);
    ck_assert_int_eq(image_write_track(image_of(1, "MOVER", 0x201), 0, track, len, &cause),
                     ST_PERM);
    cp_user_depart(there);
}
END_TEST

/* [V1] A virtual disk that is on its way is nobody else's, here and there; one that another user
 * has does not move. */
START_TEST(virtual_disks_on_their_way)
{
    struct vlink *l;
    logon(0, "OWNER");
    logon(0, "TWO");
    struct rdevs *r = cp_rdevs(cps[0]), *other = cp_rdevs(cps[1]);
    const struct vlink *own = link_virtual(r, "OWNER", 0);
    ck_assert_uint_eq(own->vdev, 0x204);
    ck_assert_ptr_null(link_virtual(r, "OWNER", 1));
    ck_assert_str_eq(link_virtual_other(r, own), "");
    is(on(0, "TWO", "LINK OWNER 204 400 RR"), "DASD 0400 LINKED R/O; R/W BY OWNER");
    ck_assert_str_eq(link_virtual_other(r, own), "TWO");
    ck_assert_ptr_eq(link_find(r, "TWO", 0x400)->area, own->area);
    is(on(0, "TWO", "DETACH 400"), "DASD 0400 DETACHED");
    links_moving(r, "OWNER", true);
    REFUSED(on(0, "TWO", "LINK OWNER 204 400 RR"), 119,
            "HCPLNM119E OWNER 0204 not linked; OWNER, who has it, is being relocated");
    links_moving(r, "OWNER", false);
    is(on(0, "TWO", "LINK OWNER 204 400 RR"), "DASD 0400 LINKED R/O; R/W BY OWNER");

    const struct dir_mdisk m = {
        .vdev = 0x204, .type = 0x9336, .kind = DIR_MDISK_VIRTUAL, .count = 100};
    const struct link_request q = {"OWNER", 0x204, "OWNER", &m, LINK_MR};
    const struct window_extent all = {0, 100};
    ck_assert_int_eq(link_arriving(other, &q, NULL, all, true, &l, &cause), ST_OK);
    logon(1, "THREE");
    REFUSED(on(1, "THREE", "LINK OWNER 204 400 RR"), 119, "HCPLNM119E");
    ck_assert_int_eq(links_activate(other, "OWNER", &cause), ST_OK);
    is(on(1, "THREE", "LINK OWNER 204 400 RR"), "DASD 0400 LINKED R/O; R/W BY OWNER");
    ck_assert_str_eq(link_virtual_user(other, "OWNER", 0x204, "OWNER"), "");
    link_drop(other, l);
    ck_assert_str_eq(link_virtual_user(other, "OWNER", 0x204, "OWNER"), "THREE");
    ck_assert_int_eq(link_arriving(other, &q, NULL, all, true, &l, &cause), ST_EXIST);
}
END_TEST

/* The source keeps the guest: what arrived goes without a trace, also while it waits. */
START_TEST(arrived_in_vain)
{
    struct codec_out out;
    went = 0;
    logon(0, "MOVER");
    codec_out_init(&out);
    cp_user_save_devices(cp_user_find(cps[0], "MOVER"), &out);
    struct cp_user *there = arrives(&out);
    cp_user_go(there, goes, &went);
    cp_user_depart(there);
    pass_time(100);
    ck_assert_uint_eq(went, 0);
    ck_assert_ptr_null(link_next(cp_rdevs(cps[1]), "", NULL));

    /* damaged rows, and a volume that is not there any more */
    struct codec_in none, in;
    codec_in_init(&none, "", 0);
    for (size_t cut = 0; cut <= out.len; cut++) {
        ck_assert_int_eq(cp_user_arrive(cps[1], "MOVER", &none, &there, &cause), ST_OK);
        if (cut == out.len)
            break;
        out.data[cut] ^= 0x55;
        codec_in_init(&in, out.data, out.len);
        (void)cp_user_restore_devices(there, &in, &cause);
        out.data[cut] ^= 0x55;
        cp_user_depart(there);
    }
    rdev_find(cp_rdevs(cps[1]), 0x200)->identity++;
    codec_in_init(&in, out.data, out.len);
    ck_assert_int_eq(cp_user_restore_devices(there, &in, &cause), ST_NOENT);
    cp_user_depart(there);
    codec_out_fini(&out);
}
END_TEST

/* --- files that are refused --- */

START_TEST(devices_that_are_refused)
{
    static const struct {
        const char *line, *cause;
    } bad[] = {
        {"200 3390 %s/none\n", "h:3: device 0200: %s/none: No such file or directory"},
        {"200 9336 %s/one\n", "h:3: device 0200: %s/one: expected a 9336, found a 3390"},
        {"200 3390 %s/none,ro\n", "%s/none,ro: No such file or directory"},
    };
    char line[256], text[512], want[256];
    struct system_config config = {0};
    struct rdevs *r;
    strcpy(config.hardware.path, "h");
    snprintf(line, sizeof line, bad[_i].line, images_dir);
    snprintf(text, sizeof text, "CPUMODEL z196\nMAINSIZE 64\n%s", line);
    ck_assert_int_eq(config_parse_hardware(&config.hardware, "h", text, &cause), ST_OK);
    ck_assert_int_eq(rdevs_create(&config, &r, &cause), ST_CONFIG);
    snprintf(want, sizeof want, bad[_i].cause, images_dir);
    ck_assert_msg(strstr(cause.text, want) != NULL, "got %s", cause.text);
    free(config.hardware.devices);
}
END_TEST

/* A volume on two files: severed and copied by the operator, while nobody uses it and while it is
 * attached. */
START_TEST(duplex)
{
    is(oper("QUERY DUPLEX"), "DASD 0203 VOL003 SIMPLEX SECONDARY FAILED"); /* not copied yet */
    logon(0, "TWO");
    oper("ATTACH 203 TWO 500");
    while (strstr(oper("QUERY DUPLEX 203"), "PENDING"))
        sched_yield();
    is(oper("QUERY DUPLEX 203"), "DASD 0203 VOL003 DUPLEX");
    is(oper("DUPLEX SUSPEND 203 PRIMARY"), "DASD 0203 VOL003 SIMPLEX PRIMARY SUSPENDED");
    REFUSED(oper("DUPLEX SUSPEND 203 SECONDARY"), 128, "HCPDUP128E DASD 0203 not changed; ");
    oper("DETACH 203 TWO");
    is(oper("QUERY DUPLEX"), "DASD 0203 VOL003 SIMPLEX PRIMARY SUSPENDED");
    oper("ATTACH 203 TWO 500");
    is(oper("QUERY DUPLEX"), "DASD 0203 VOL003 SIMPLEX PRIMARY SUSPENDED");
    on(0, "OPERATOR", "DUPLEX RESUME 203");
    ck_assert_int_eq(resp.rc, 0);
    while (strstr(oper("QUERY DUPLEX 203"), "PENDING"))
        sched_yield();
    is(oper("QUERY DUPLEX 203"), "DASD 0203 VOL003 DUPLEX");
    REFUSED(oper("DUPLEX RESUME 203"), 128, "HCPDUP128E DASD 0203 not changed; ");
    oper("DETACH 203 TWO"); /* while nobody has it */
    oper("DUPLEX SUSPEND 203 SECONDARY");
    oper("DUPLEX RESUME 203");
    ck_assert_int_eq(resp.rc, 0);
    while (strstr(oper("QUERY DUPLEX 203"), "PENDING"))
        sched_yield();
    is(oper("QUERY DUPLEX 203"), "DASD 0203 VOL003 DUPLEX");
    pass_time(1000);
    struct image *img;
    struct cause why;
    char path[96];
    snprintf(path, sizeof path, "%s/right", images_dir);
    ck_assert_int_eq(image_open(path, 0, &img, &why), ST_OK); /* nobody keeps it */
    image_unref(img);
    REFUSED(oper("DUPLEX RESUME 200"), 40, "HCPDUP040E Device 200 does not exist, or is not a");
    REFUSED(oper("QUERY DUPLEX 999"), 40, "HCPDUP040E");
    REFUSED(oper("DUPLEX SUSPEND 203"), 26, "HCPCMD026E");
    REFUSED(oper("DUPLEX SUSPEND 203 BOTH"), 3, "HCPCMD003E");
    REFUSED(oper("DUPLEX"), 26, "HCPCMD026E");
    REFUSED(oper("DUPLEX OFF 203"), 3, "HCPCMD003E");
    REFUSED(oper("DUPLEX RESUME DISK"), 22, "HCPDUP022E");
    on(0, "TWO", "DUPLEX RESUME 203");
    ck_assert_int_eq(resp.rc, 1); /* not for class G */
}
END_TEST

/* The answer of a FLASHCOPY of FLASH that takes a while. */
static const char *flashcopy(const char *operands)
{
    static char text[256];
    struct cp_response later;
    char command[96];
    cp_response_init(&later);
    snprintf(command, sizeof command, "FLASHCOPY %s", operands);
    ck_assert_int_eq(cp_command(cps[0], "FLASH", command, &later), CP_PENDING);
    while (!later.done)
        ck_assert(run_notes());
    ck_assert_uint_eq(later.line_count, 1);
    snprintf(text, sizeof text, "%s", later.lines[0]);
    cp_response_fini(&later);
    return text;
}

/* Cylinders, and blocks; nothing beside them, and not what others write. */
START_TEST(flashcopies)
{
    logon(0, "FLASH");
    struct image *from = image_of(0, "FLASH", 0x600), *to = image_of(0, "FLASH", 0x601);
    for (u32 t = 0; t < 2 * TRACK_HEADS_3390; t++) {
        image_fill(from, t, (u8)(t + 1));
        image_fill(to, t, 0xee);
    }
    ck_assert_str_eq(flashcopy("600 1 END TO 601 1 1"),
                     "Command complete: FLASHCOPY 0600 1 1 TO 0601 1 1");
    ck_assert_uint_eq(image_byte(to, 14), 0xee);
    ck_assert_uint_eq(image_byte(to, 15), 16);
    ck_assert_uint_eq(image_byte(to, 29), 30);
    ck_assert_str_eq(flashcopy("600 ALL 601 ALL"),
                     "Command complete: FLASHCOPY 0600 0 1 TO 0601 0 1");
    ck_assert_uint_eq(image_byte(to, 0), 1);
    on(0, "FLASH", "DEFINE VFB-512 700 BLK 300");
    on(0, "FLASH", "DEFINE VFB-512 701 BLK 400");
    image_fill(image_of(0, "FLASH", 0x700), 299, 7);
    ck_assert_str_eq(flashcopy("700 100 299 TO 701 150 349"),
                     "Command complete: FLASHCOPY 0700 100 299 TO 0701 150 349");
    ck_assert_uint_eq(image_byte(image_of(0, "FLASH", 0x701), 349), 7);
    ck_assert_uint_eq(image_byte(image_of(0, "FLASH", 0x701), 350), 0);
    REFUSED(on(0, "FLASH", "FLASHCOPY 700 ALL TO 701 ALL"), 600, "HCPABS600E");
    REFUSED(on(0, "FLASH", "FLASHCOPY 600 ALL TO 701 0 1"), 600, "HCPABS600E");
    REFUSED(on(0, "FLASH", "FLASHCOPY 600 0 0 TO 601 1 1"), 600, "HCPABS600E");
    REFUSED(on(0, "FLASH", "FLASHCOPY 600 0 0 TO 600 0 0"), 600, "HCPABS600E");
    REFUSED(on(0, "FLASH", "FLASHCOPY 600 0 2 TO 601 0 2"), 2,
            "HCPCMD002E Invalid operand - 2");
    REFUSED(on(0, "FLASH", "FLASHCOPY 600 0"), 26, "HCPCMD026E");
    REFUSED(on(0, "FLASH", "FLASHCOPY 602 ALL TO 601 ALL"), 40, "HCPQVD040E");
    REFUSED(on(0, "FLASH", "FLASHCOPY 600 ALL TO 601 ALL NOW"), 3, "HCPCMD003E");
    logon(0, "OWNER"); /* its 200 is written by nobody else: it gets it read-only */
    on(0, "FLASH", "DETACH 600");
    on(0, "OWNER", "LINK * 200 300 MW MPASS");
    on(0, "FLASH", "LINK OWNER 200 600 RR");
    const char *text = on(0, "FLASH", "FLASHCOPY 600 0 1 TO 601 ALL");
    ck_assert_ptr_nonnull(strstr(text, "somebody else writes"));
    ck_assert_int_eq(resp.rc, 600);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("disks");
    tcase_add_checked_fixture(tc, setup, images_end);
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, where_minidisks_are);
    tcase_add_test(tc, where_minidisks_of_others_are);
    tcase_add_test(tc, disks_of_the_directory);
    tcase_add_test(tc, stable_on_members);
    tcase_add_test(tc, duplex);
    tcase_add_test(tc, flashcopies);
    tcase_add_test(tc, stable_options);
    tcase_add_loop_test(tc, each_mode, 0, ARRAY_LEN(modes));
    tcase_add_test(tc, passwords);
    tcase_add_test(tc, overlapping_extents);
    tcase_add_test(tc, another_member);
    tcase_add_test(tc, virtual_disks);
    tcase_add_test(tc, virtual_disks_on_their_way);
    tcase_add_test(tc, channel_paths);
    tcase_add_test(tc, attach_detach_vary);
    tcase_add_test(tc, hand_over);
    tcase_add_test(tc, arrived_in_vain);
    tcase_add_loop_test(tc, devices_that_are_refused, 0, 3);
    Suite *s = suite_create("hyp_disk");
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
