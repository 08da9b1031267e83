/* LOCK and UNLOCK, keys and status, CP's files, and what INDICATE counts: pages, cards, lines.
 * Run alone: tests/run unit/hyp_lock_test */
#include "tests/lib/cp_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hyp/cp/cp_internal.h"

#define HAS(text, part) ck_assert_msg(strstr(text, part) != NULL, "%s lacks %s", text, part)

static char folder[64];

static void setup(void)
{
    strcpy(folder, "/tmp/hyp_lock_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    cp_world_setup();
    host_page_reads = 0;
    on(0, "", "LOGON OPERATOR OPER");
    on(0, "", "LOGON GUEST PASS");
}

static void teardown(void)
{
    char command[96];
    cp_world_teardown();
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static struct vm *guest(void)
{
    return cp_user_vm(cp_user_find(cps[0], "GUEST"));
}

/* Real pages: 0 and 1 are where the prefix is (page 2), and the other way round. */
START_TEST(locks)
{
    ck_assert_str_eq(oper("LOCK GUEST 0 0"), "COMMAND COMPLETE");
    ck_assert_uint_eq(guest()->locked[0], 1u << 2);
    ck_assert_str_eq(oper("UNLOCK GUEST 0 0"), "COMMAND COMPLETE");
    ck_assert_uint_eq(guest()->locked[0], 0);
    ck_assert_str_eq(oper("LOCK USERID GUEST 1 3"), "COMMAND COMPLETE");
    ck_assert_uint_eq(guest()->locked[0], 1u << 3 | 1u << 0 | 1u << 1);
    ck_assert_str_eq(oper("LOCK GUEST 12 14 MAP"),
                     "VIRTPAGE REALPAGE|00000012 --------|00000013 --------|00000014 --------|"
                     "COMMAND COMPLETE");
    ck_assert_uint_eq(guest()->locked[0] >> 18, 7);
    HAS(oper("INDICATE USER GUEST"), "LOCKEDREAL=6  RESVD=0|");
    HAS(oper("INDICATE SPACES USER GUEST"), "Locked=6|");
    ck_assert_str_eq(oper("UNLOCK GUEST 0 20"), "COMMAND COMPLETE");
    HAS(oper("INDICATE USER GUEST"), "LOCKEDREAL=0  RESVD=0|");
}
END_TEST

START_TEST(locks_refused)
{
    REFUSED(oper("LOCK"), 20, "HCPLGA020E");
    REFUSED(oper("LOCK NOBODY 0 0"), 45, "HCPCQU045E NOBODY");
    REFUSED(oper("LOCK GUEST 0"), 26, "HCPCMD026E");
    REFUSED(oper("LOCK GUEST X 0"), 2, "HCPCMD002E Invalid operand - X");
    REFUSED(oper("LOCK GUEST 5 4"), 2, "HCPCMD002E Invalid operand - 4");
    REFUSED(oper("LOCK GUEST 0 4000"), 160, "HCPCPV160E 4000 exceeds storage");
    REFUSED(oper("LOCK GUEST 0 0 PAM"), 3, "HCPCMD003E Invalid option - PAM");
    REFUSED(oper("LOCK GUEST 0 1FFF MAP"), 13, "HCPCMD013E");
    REFUSED(oper("LOCK GUEST 100 3FFF"), 600,
            "HCPCPV600E Pages of GUEST not locked from 00000100 on: too much");
    REFUSED(oper("UNLOCK GUEST 0 0 MAP"), 3, "HCPCMD003E");
    REFUSED(on(0, "GUEST", "LOCK GUEST 0 0"), 1, "HCPCMD001E");
}
END_TEST

/* CP's disk is the cluster's folder; the directory is not shown. */
START_TEST(files)
{
    struct system_config *config = (struct system_config *)(uintptr_t)cps[0]->config;
    snprintf(config->path, sizeof config->path, "%s/system.config", folder);
    snprintf(cps[0]->directory_path, sizeof cps[0]->directory_path, "%s/user.direct", folder);
    FILE *out = fopen(config->path, "w");
    ck_assert_ptr_nonnull(out);
    fputs("/* one */\n\nSSI TWO\n", out);
    fclose(out);
    ck_assert_str_eq(oper("CPLISTFILE"),
                     "SYSTEM   CONFIG   A1|MEMBERA  CNF      A1|USER     DIRECT   A1");
    ck_assert_str_eq(oper("CPLIST S* * A"), "SYSTEM   CONFIG   A1");
    REFUSED(oper("CPLISTFILE * * B"), 6706, "HCPCPF6706E File * * B not found");
    REFUSED(oper("CPLISTFILE * * A MORE"), 3, "HCPCMD003E");
    ck_assert_str_eq(oper("CPTYPE SYSTEM CONFIG"), "/* one */||SSI TWO");
    REFUSED(oper("CPTYPE USER DIRECT A"), 600, "HCPCPF600E USER DIRECT is not shown");
    REFUSED(oper("CPTYPE SYSTEM NOTHING"), 6706, "HCPCPF6706E File SYSTEM NOTHING * not found");
    REFUSED(oper("CPTYPE SYSTEM"), 26, "HCPCMD026E");
    ck_assert_int_eq(unlink(config->path), 0);
    REFUSED(oper("CPTYPE SYSTEM CONFIG"), 601, "HCPCPF601E SYSTEM CONFIG cannot be read: ");
    char disks[256];
    snprintf(config->dir, sizeof config->dir, "%s", folder);
    snprintf(disks, sizeof disks,
             "Label  Userid   Vdev Mode Stat Vol-ID Rdev Type   StartLoc     EndLoc|"
             "------ -------- ---- A    R/O  ------ ---- FOLDER %s",
             folder);
    ck_assert_str_eq(oper("QUERY CPDISKS"), disks);
    REFUSED(oper("QUERY CPDISKS A"), 3, "HCPCMD003E Invalid option - A");
    REFUSED(on(0, "GUEST", "QUERY CPDISKS"), 3, "HCPCQV003E");
    REFUSED(on(0, "GUEST", "CPTYPE SYSTEM CONFIG"), 1, "HCPCMD001E");
}
END_TEST

START_TEST(keys_and_status)
{
    ck_assert_str_eq(on(0, "GUEST", "DISPLAY K0-2FFF"),
                     "R00000000 TO 00001FFF  KEY = 06|R00002000 TO 00002FFF  KEY = F0");
    ck_assert_str_eq(on(0, "GUEST", "DISPLAY K5000.1"), "R00005000 TO 00005FFF  KEY = F0");
    REFUSED(on(0, "GUEST", "DISPLAY K4000000"), 160, "HCPDIS160E K4000000 exceeds storage");
    REFUSED(on(0, "GUEST", "DISPLAY K0-FFFFFFFFF"), 2, "HCPCMD002E");
    HAS(on(0, "GUEST", "DISPLAY T0.10"), "V00000000  ");
    ck_assert_str_eq(on(0, "GUEST", "STORE STATUS"), "STORE COMPLETE");
    ck_assert_uint_eq(guest()->storage[0x400], 0x5a);
    REFUSED(on(0, "GUEST", "STORE STATUS NOW"), 3, "HCPCMD003E");
    REFUSED(on(0, "GUEST", "CPU 05 STORE STATUS"), 163, "HCPDIS163E CPU 05 is not defined");
}
END_TEST

/* The devices of a NIC are an OSA's. */
START_TEST(virtual_osa)
{
    REFUSED(on(0, "GUEST", "QUERY VIRTUAL OSA"), 40, "HCPQVD040E Device OSA does not exist");
    on(0, "GUEST", "DEFINE NIC 600 TYPE QDIO");
    ck_assert_int_eq(resp.rc, 0);
    const char *text = on(0, "GUEST", "QUERY VIRTUAL OSA");
    HAS(text, "OSA  0600 ON NIC  0600  UNIT 000 SUBCHANNEL = ");
    HAS(text, "|     0602 DEVTYPE OSA        QDIO-ELIGIBLE  QIOASSIST NOT AVAILABLE");
    ck_assert_uint_eq(resp.line_count, 6);
    HAS(on(0, "GUEST", "QUERY VIRTUAL 601"), "OSA  0601 ON NIC  0600  UNIT 001 SUBCHANNEL = ");
    REFUSED(on(0, "GUEST", "QUERY VIRTUAL 603"), 40, "HCPQVD040E Device 0603 does not exist");
    on(0, "GUEST", "DETACH NIC 600");
}
END_TEST

static void punch(u16 vdev, unsigned records)
{
    struct spool_device *dev = spool_device_find(fake_spool, "GUEST", vdev);
    while (records--)
        ck_assert_int_eq(
            spool_device_sink(dev, vdev, vdev == 0xe ? 0x09 : 0x41, (const u8 *)"\xc1\xc2", 2),
            ST_OK);
}

/* Cards and lines of a user, also of devices that are gone; spool pages; pages that came back. */
START_TEST(counts)
{
    HAS(oper("INDICATE USER GUEST"), "RDR=000000 PRT=000000 PCH=000000");
    punch(0xd, 3);
    punch(0xe, 500);
    HAS(oper("INDICATE USER GUEST"), "RDR=000000 PRT=000500 PCH=000003");
    struct reader_counts *read = spool_device_read(spool_device_find(fake_spool, "GUEST", 0xc));
    atomic_fetch_add(&read->cards, 7);
    atomic_fetch_add(&read->pages, 2);
    guest()->page_reads = 9;
    const char *text = oper("INDICATE USER GUEST EXP");
    HAS(text, "Spool: Reads=2 Writes=3|");
    HAS(text, "Private paging: Reads=9 Writes=0|");
    HAS(text, "Rdr=7 Prt=500 Pch=3 IO=0");
    HAS(oper("INDICATE USER GUEST"), "READS=9  WRITES=0|");
    spool_device_remove(fake_spool, "GUEST", 0xc);
    spool_device_remove(fake_spool, "GUEST", 0xd);
    HAS(oper("INDICATE USER GUEST"), "RDR=000007 PRT=000500 PCH=000003");
    oper("INDICATE LOAD");
    pass_time(60000);
    oper("INDICATE LOAD");
    host_page_reads = 1200;
    pass_time(60000);
    HAS(oper("INDICATE LOAD"), "|PAGING-20/SEC|");
    pass_time(60000);
    HAS(oper("INDICATE LOAD"), "|PAGING-0/SEC|");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_lock");
    TCase *tc = tcase_create("commands");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, locks);
    tcase_add_test(tc, locks_refused);
    tcase_add_test(tc, files);
    tcase_add_test(tc, keys_and_status);
    tcase_add_test(tc, virtual_osa);
    tcase_add_test(tc, counts);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
