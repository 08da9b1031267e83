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
    ck_assert_str_eq(dumped("VMDUMP"), name);
    ck_assert_uint_eq(last_dump.what.ranges, 0);
    ck_assert(!last_dump.what.segments);
    ck_assert_str_eq(last_dump.text, "VMDUMP of LINUX1 on MEMBERA, TO LINUX1 FORMAT - ");
    dumped("VMDUMP 1234-3456 10000.20 -FFF");
    expect_range(0, 0x1000, 0x3fff);
    expect_range(1, 0x10000, 0x10fff);
    expect_range(2, 0, 0xfff);
    dumped("VMDUMP 1000:END 2000.END 5678");
    expect_range(0, 0x1000, (512u << 20) - 1);
    expect_range(1, 0x2000, (512u << 20) - 1);
    expect_range(2, 0x5000, 0x5fff);
    file_there("LINUX1.0001", true);
    file_there("LINUX1.0002.GUEST", true);
    file_there("LINUX10.0003", true);
    snprintf(name, sizeof name, "LINUX1 dumped to %s/LINUX1.0003.GUEST", folder);
    ck_assert_str_eq(dumped("VMDUMP TO GUEST FORMAT LINUX DSS *It is  a Test"), name);
    ck_assert(last_dump.what.segments);
    ck_assert_str_eq(last_dump.text,
                     "VMDUMP of LINUX1 on MEMBERA, TO GUEST FORMAT LINUX *It is  a Test");
    file_there("LINUX1.0001", false);
    file_there("LINUX1.0002.GUEST", false);
    file_there("LINUX10.0003", false);
    dumped("VMDUMP TO * FORMAT TO");
    ck_assert_ptr_nonnull(strstr(last_dump.text, "TO LINUX1 FORMAT TO"));
    dumped("VMDUMP TO SYSTEM");
    ck_assert_ptr_nonnull(strstr(last_dump.text, "TO OPERATOR"));
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
    REFUSED(on(0, "LINUX1", "VMDUMP"), 441, "HCPVMD441E LINUX1 has 16 dumps");
    file_there("LINUX1.0005", false);
    snprintf(path, sizeof path, "LINUX1 dumped to %s/LINUX1.0005", folder);
    ck_assert_str_eq(dumped("VMDUMP"), path);
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
