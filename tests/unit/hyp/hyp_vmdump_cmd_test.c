/* VMDUMP as a command, over fake machines: operands, the file's name, who waits for what, how many
 * dumps a user may have.
 * Run alone: tests/run unit/hyp_vmdump_cmd_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/lib/cp_world.h"

static char folder[64];

static void setup(void)
{
    strcpy(folder, "/tmp/hyp_vmdump_cmd.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    cp_world_setup();
    cp_set_dump_folder(cps[0], folder);
    on(0, "", "LOGON OPERATOR OPER");
    on(0, "", "LOGON LINUX1 SECRET NOIPL");
}

static void teardown(void)
{
    cp_world_teardown();
    ck_assert_int_eq(rmdir(folder), 0);
}

static void begun(const char *text)
{
    cp_response_fini(&resp);
    cp_command(cps[0], "LINUX1", text, &resp);
    ck_assert_msg(!resp.done && last_dump.done, "%s: %s", text,
                  resp.line_count ? resp.lines[0] : "");
}

/* The command waits until the dump is written. */
static const char *dumped(const char *text)
{
    begun(text);
    cp_world_dumped(ST_OK);
    ck_assert(resp.done);
    ck_assert_int_eq(resp.rc, 0);
    return resp.lines[0];
}

static void expect_range(unsigned i, u64 first, u64 last)
{
    ck_assert_uint_gt(last_dump.what.ranges, i);
    ck_assert_uint_eq(last_dump.what.range[i].first, first);
    ck_assert_uint_eq(last_dump.what.range[i].last, last);
}

static void file_there(const char *name, bool there)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (there)
        fclose(fopen(path, "w"));
    else
        ck_assert_int_eq(unlink(path), 0);
}

START_TEST(operands)
{
    char name[160];
    snprintf(name, sizeof name, "LINUX1 dumped to %s/LINUX1.0001", folder);
    ck_assert_str_eq(dumped("VMDUMP HOSTFILE"), name);
    ck_assert_uint_eq(last_dump.what.ranges, 0);
    ck_assert(!last_dump.what.segments);
    ck_assert_str_eq(last_dump.text, "VMDUMP of LINUX1 on MEMBERA, TO LINUX1 FORMAT - ");
    dumped("VMDUMP HOSTFILE 1234-3456 10000.20 -FFF");
    expect_range(0, 0x1000, 0x3fff);
    expect_range(1, 0x10000, 0x10fff);
    expect_range(2, 0, 0xfff);
    dumped("VMDUMP HOSTFILE 1000:END 2000.END 5678");
    expect_range(0, 0x1000, (512u << 20) - 1);
    expect_range(1, 0x2000, (512u << 20) - 1);
    expect_range(2, 0x5000, 0x5fff);
    file_there("LINUX1.0001", true);
    file_there("LINUX1.0002.GUEST", true);
    file_there("LINUX10.0003", true);
    snprintf(name, sizeof name, "LINUX1 dumped to %s/LINUX1.0003.GUEST", folder);
    ck_assert_str_eq(dumped("VMDUMP HOSTFILE TO GUEST FORMAT LINUX DSS *It is  a Test"), name);
    ck_assert(last_dump.what.segments);
    ck_assert_str_eq(last_dump.text,
                     "VMDUMP of LINUX1 on MEMBERA, TO GUEST FORMAT LINUX *It is  a Test");
    file_there("LINUX1.0001", false);
    file_there("LINUX1.0002.GUEST", false);
    file_there("LINUX10.0003", false);
    dumped("VMDUMP HOSTFILE TO * FORMAT TO");
    ck_assert_ptr_nonnull(strstr(last_dump.text, "TO LINUX1 FORMAT TO"));
    dumped("VMDUMP HOSTFILE TO SYSTEM");
    ck_assert_ptr_nonnull(strstr(last_dump.text, "TO OPERATOR"));
}
END_TEST

/* Without HOSTFILE: a file of class V in a reader, whose pages are those that were written. */
START_TEST(spool_file)
{
    u8 page[2 * SPOOL_PAGE_BYTES] = {0xe2, 0xd9}, got[sizeof page];
    struct spool_data data;
    struct cause cause;
    for (unsigned i = 0; i < 2; i++) {
        begun(i ? "VMDUMP TO GUEST FORMAT LINUX DSS *It is  a Test" : "VMDUMP");
        ck_assert(last_dump.what.spool);
        ck_assert_uint_eq(last_dump.what.bytes_max, SPOOL_DATA_BYTES_MAX);
        FILE *f = fopen(last_dump.path, "w");
        ck_assert_uint_eq(fwrite(page, sizeof page, 1, f), 1);
        fclose(f);
        cp_world_dumped(ST_OK);
        ck_assert_int_eq(resp.rc, 0);
        ck_assert_ptr_nonnull(
            strstr(resp.lines[0], i ? " SENT TO   GUEST " : "SENT FROM LINUX1"));
        ck_assert_ptr_nonnull(strstr(resp.lines[0], " RECS 0002 CPY  001 V NOHOLD NOKEEP"));
        ck_assert_int_eq(access(last_dump.path, F_OK), -1);
    }
    ck_assert_str_eq(last_dump.text,
                     "VMDUMP of LINUX1 on MEMBERA, TO GUEST FORMAT LINUX *It is  a Test");
    ck_assert_ptr_nonnull(
        strstr(on(0, "OPERATOR", "QUERY RDR GUEST ALL"), "V DMP 00000002 001"));
    struct spool_file *file = spool_next(fake_spool, NULL);
    while (strcmp(spool_desc(file)->owner, "GUEST") || spool_desc(file)->class_ != 'V')
        file = spool_next(fake_spool, file);
    ck_assert_int_eq(spool_load(fake_spool, file, &data, &cause), ST_OK);
    ck_assert(data.dump);
    memcpy(got, data.page, sizeof got);
    ck_assert_mem_eq(got, page, sizeof page);
    spool_data_fini(&data);
    ck_assert_int_eq(spool_transfer(fake_spool, file, "GUEST", SPOOL_PRT, &cause), ST_INVAL);
    begun("VMDUMP"); /* nothing was written: the host fails */
    cp_world_dumped(ST_OK);
    ck_assert_int_eq(resp.rc, 440);
}
END_TEST

START_TEST(operands_refused)
{
    REFUSED(on(0, "LINUX1", "VMDUMP WHAT"), 3, "HCPCMD003E Invalid option - WHAT");
    REFUSED(on(0, "LINUX1", "VMDUMP 2000-1000"), 2, "HCPCMD002E Invalid operand - 2000-1000");
    REFUSED(on(0, "LINUX1", "VMDUMP 2000.0"), 2, "HCPCMD002E Invalid operand - 2000.0");
    REFUSED(on(0, "LINUX1", "VMDUMP 0-20000000"), 160, "HCPVMD160E 0-20000000 exceeds storage");
    REFUSED(on(0, "LINUX1", "VMDUMP FFFFFFFF0.20"), 160, "HCPVMD160E");
    REFUSED(on(0, "LINUX1", "VMDUMP 0-1 2-3 4-5 6-7"), 3, "HCPCMD003E Invalid option - 6-7");
    REFUSED(on(0, "LINUX1", "VMDUMP TO"), 26, "HCPCMD026E");
    REFUSED(on(0, "LINUX1", "VMDUMP TO NOBODY"), 53, "HCPVMD053E NOBODY not in CP directory");
    REFUSED(on(0, "LINUX1", "VMDUMP FORMAT"), 26, "HCPCMD026E");
    char text[160];
    memset(text, 'x', sizeof text);
    memcpy(text, "VMDUMP *", 8);
    text[8 + 101] = 0;
    REFUSED(on(0, "LINUX1", text), 2, "HCPCMD002E Invalid operand - *dumpid");
    ck_assert_ptr_null(last_dump.done);
}
END_TEST

/* CPHX, LOGOFF and the end of CP end the dump, and the command once. */
START_TEST(ended)
{
    begun("VMDUMP");
    cp_world_dumped(ST_IO);
    ck_assert_int_eq(resp.rc, 440);
    begun("VMDUMP");
    struct cp_response other = {0};
    cp_command(cps[0], "LINUX1", "CPHX", &other);
    ck_assert_ptr_null(last_dump.done);
    ck_assert(resp.done);
    ck_assert_int_eq(resp.rc, 440);
    ck_assert_str_eq(resp.lines[0],
                     "HCPVMD440E The virtual machine was not dumped: it was ended");
    cp_response_fini(&other);
    begun("VMDUMP");
    cp_command(cps[0], "LINUX1", "LOGOFF", &other);
    ck_assert_ptr_null(last_dump.done);
    cp_response_fini(&other);
    on(0, "", "LOGON LINUX1 SECRET NOIPL");
    begun("VMDUMP"); /* teardown */
}
END_TEST

START_TEST(quota)
{
    char name[32], path[160];
    for (unsigned i = 1; i <= 16; i++) {
        snprintf(name, sizeof name, "LINUX1.%04u%s", i, i % 2 ? "" : ".GUEST");
        file_there(name, true);
    }
    REFUSED(on(0, "LINUX1", "VMDUMP HOSTFILE"), 441, "HCPVMD441E LINUX1 has 16 dumps");
    file_there("LINUX1.0005", false);
    snprintf(path, sizeof path, "LINUX1 dumped to %s/LINUX1.0005", folder);
    ck_assert_str_eq(dumped("VMDUMP HOSTFILE"), path);
    for (unsigned i = 1; i <= 16; i++) {
        snprintf(name, sizeof name, "LINUX1.%04u%s", i, i % 2 ? "" : ".GUEST");
        if (i != 5)
            file_there(name, false);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_vmdump_cmd");
    TCase *tc = tcase_create("commands");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, operands);
    tcase_add_test(tc, spool_file);
    tcase_add_test(tc, operands_refused);
    tcase_add_test(tc, ended);
    tcase_add_test(tc, quota);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
