/* DIRMAINT's allocation: AUTOV, AUTOR and AUTOG by extent.control, and what of a volume is used and
 * free. Run alone: tests/run unit/hyp_extent_test */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/cp/cp_internal.h"
#include "io/image/image.h"
#include "tests/lib/cp_world.h"

static char folder[64], path[96], device[160];

static const char base[] = "IDENTITY OPERATOR OPER 32M 64M ABCDEFG\n CONSOLE 9 3215\n"
                           "USER ONE PASS 64M\n MDISK 191 3390 1 10 VOL001\n"
                           "USER TWO PASS 64M\n MDISK 200 3390 100 10 VOL001\n";
static const char control[] = "* where minidisks go\n:REGIONS.\n"
                              "SMALL VOL001 1 20 3390 * a comment?\n"
                              "BIG VOL001 50 END 3390-09\n"
                              "BLOCKS VOL001 200 210 FB-512\n"
                              "AWAY VOL009 1 100 3390\n"
                              "AWAYEND VOL009 1 END\n"
                              "BADVOL TOOLONG7 1 2\nBADFIRST VOL001 X 2\nBADLAST VOL001 5 4\n"
                              "BADTYPE VOL001 1 2 DISK\n:END.\n:GROUPS.\n"
                              "POOL (ALLOCATE LINEAR) SMALL\nPOOL BIG\n"
                              "LOST SMALL NOWHERE\nROT (ALLOCATE ROTATING) SMALL\n:END.\n";

static void write_file(const char *name, const char *text)
{
    char file[128];
    snprintf(file, sizeof file, "%s/%s", folder, name);
    FILE *f = fopen(file, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void setup(void)
{
    char file[128];
    struct cause cause;
    const struct image_create what = {
        .format = IMAGE_CCKD, .cylinders = 300, .volume = "VOL001"};
    strcpy(folder, "/tmp/hyp_extent.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/user.direct", folder);
    write_file("user.direct", base);
    write_file("extent.control", control);
    snprintf(file, sizeof file, "%s/vol001", folder);
    ck_assert_msg(image_create(file, &what, &cause) == ST_OK, "%s", cause.text);
    snprintf(device, sizeof device, "200 3390 %s\n", file);
    cp_world_devices = device;
    cp_world_setup();
    for (int i = 0; i < 2; i++) {
        cp_set_directory_file(cps[i], path);
        ck_assert_msg(!cp_directory_load(cps[i], &cause), "%s", cause.text);
    }
    on(0, "", "LOGON OPERATOR OPER");
}

static void teardown(void)
{
    char command[128];
    cp_world_teardown();
    cp_world_devices = "";
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* The MDISK statements of TWO. */
static const char *disks(void)
{
    static char out[512];
    const char *text = oper("DIRM FOR TWO REVIEW");
    out[0] = 0;
    for (const char *p = text; (p = strstr(p, "| MDISK ")); p++)
        snprintf(out + strlen(out), sizeof out - strlen(out), "%.*s;", (int)strcspn(p + 8, "|"),
                 p + 8);
    return out;
}

static void well(const char *command)
{
    const char *text = oper(command);
    ck_assert_msg(resp.rc == 0, "%s: %s", command, text);
}

static const struct {
    const char *operands, *disk;
} places[] = {
    {"AUTOV 10 VOL001 MR", "201 3390 11 10 VOL001 MR"},
    {"AUTOV 90 VOL001", "201 3390 110 90 VOL001"},
    {"AUTOR 10 SMALL MR PW ALL", "201 3390 11 10 VOL001 MR ALL"},
    {"AUTOR 60 BIG", "201 3390 110 60 VOL001"},
    {"AUTOG 10 POOL", "201 3390 11 10 VOL001"},
    {"AUTOG 11 POOL", "201 3390 50 11 VOL001"},
    {"AUTOG 51 POOL", "201 3390 110 51 VOL001"},
};

START_TEST(places_that_are_found)
{
    char command[128], want[256];
    snprintf(command, sizeof command, "DIRM FOR TWO AMDISK 201 3390 %s", places[_i].operands);
    well(command);
    snprintf(want, sizeof want, "200 3390 100 10 VOL001;%s;", places[_i].disk);
    ck_assert_str_eq(disks(), want);
}
END_TEST

/* What one has got the next one does not get. */
START_TEST(one_after_another)
{
    well("DIRM FOR TWO AMDISK 201 3390 AUTOG 6 POOL");
    well("DIRM FOR TWO AMDISK 202 3390 AUTOG 6 POOL");
    well("DIRM FOR TWO AMDISK 203 3390 AUTOG 4 POOL");
    ck_assert_str_eq(disks(), "200 3390 100 10 VOL001;201 3390 11 6 VOL001;"
                              "202 3390 50 6 VOL001;203 3390 17 4 VOL001;");
}
END_TEST

static const struct {
    const char *operands, *why;
} refusals[] = {
    {"3390 AUTOR 11 SMALL", "the region has no such gap"},
    {"3390 AUTOR 300 SMALL", "the region is smaller"},
    {"3390 AUTOR 1 MOON", "extent.control has no region MOON"},
    {"3390 AUTOR 1 BLOCKS", "the region is of another type"},
    {"3390 AUTOR 1 AWAY", "volume VOL009 is in no volume list"},
    {"3390 AUTOR 1 AWAYEND", "the volume is not online here"},
    {"3390 AUTOR LOTS SMALL", "a size is a number"},
    {"3390 AUTOG 200 POOL", "the group has no such gap"},
    {"3390 AUTOG 1 MOON", "extent.control has no group MOON"},
    {"3390 AUTOG 200 LOST", "extent.control has no region NOWHERE"},
    {"3390 AUTOG 1 ROT", "extent.control:17:15: expected LINEAR), found ROTATING)"},
    {"3390 AUTOR 1 BADVOL", "extent.control:8:8: expected a volume identifier"},
    {"3390 AUTOR 1 BADFIRST", "extent.control:9:17: expected the first"},
    {"3390 AUTOR 1 BADLAST", "extent.control:10:18: expected the last"},
    {"3390 AUTOR 1 BADTYPE", "extent.control:11:20: expected a type of device"},
    {"3390 AUTOV 1 VOL009", "the volume is not online here"},
};

START_TEST(places_that_are_not_found)
{
    char command[128], flat[1024];
    snprintf(command, sizeof command, "DIRM FOR TWO AMDISK 201 %s", refusals[_i].operands);
    const char *text = oper(command);
    ck_assert_int_eq(resp.rc, 600);
    size_t n = 0; /* long messages are folded, with the number in front of each line */
    for (const char *p = text; *p && n < sizeof flat - 1; p++) {
        if (!strncmp(p, "|HCPDRM600E ", 12)) {
            flat[n++] = ' ';
            p += 11;
        } else {
            flat[n++] = *p;
        }
    }
    flat[n] = 0;
    ck_assert_msg(strstr(flat, refusals[_i].why) != NULL, "%s", flat);
    ck_assert_str_eq(disks(), "200 3390 100 10 VOL001;");
}
END_TEST

/* A minidisk over the whole volume takes all of it, unless it is excluded. */
START_TEST(excluded_minidisks)
{
    char text[1024];
    well("DIRM FOR ONE AMDISK 123 3390 0 END VOL001");
    oper("DIRM FOR TWO AMDISK 201 3390 AUTOR 5 SMALL");
    ck_assert_int_eq(resp.rc, 600);
    snprintf(text, sizeof text, "%s:EXCLUDE.\nONE 123\n:END.\n", control);
    write_file("extent.control", text);
    well("DIRM FOR TWO AMDISK 201 3390 AUTOR 5 SMALL");
    ck_assert_str_eq(disks(), "200 3390 100 10 VOL001;201 3390 11 5 VOL001;");
    snprintf(text, sizeof text, "%s:EXCLUDE.\nONE XYZ\n:END.\n", control);
    write_file("extent.control", text);
    oper("DIRM FOR TWO AMDISK 202 3390 AUTOR 2 SMALL");
    ck_assert_int_eq(resp.rc, 600);
}
END_TEST

/* Without the file there are no regions; AUTOV needs none. */
START_TEST(no_extent_control)
{
    char file[128];
    snprintf(file, sizeof file, "%s/extent.control", folder);
    unlink(file);
    oper("DIRM FOR TWO AMDISK 201 3390 AUTOR 5 SMALL");
    ck_assert_int_eq(resp.rc, 600);
    well("DIRM FOR TWO AMDISK 201 3390 AUTOV 5 VOL001");
}
END_TEST

START_TEST(used_and_free)
{
    ck_assert_str_eq(oper("DIRM USEDEXT VOL001"),
                     "VOLUME      START        END       SIZE  OWNER    VDEV|"
                     "VOL001          1         10         10  ONE      0191|"
                     "VOL001        100        109         10  TWO      0200");
    ck_assert_str_eq(oper("DIRM FREEXT VOL001"),
                     "VOLUME      START        END       SIZE  |"
                     "VOL001         11         99         89           |"
                     "VOL001        110        299        190           ");
    oper("DIRM FREEXT VOL009");
    ck_assert_int_eq(resp.rc, 600);
    REFUSED(oper("DIRM FREEXT"), 26, "HCPCMD026E");
    on(0, "", "LOGON ONE PASS");
    on(0, "ONE", "DIRM USEDEXT VOL001");
    ck_assert_int_eq(resp.rc, 603);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_extent");
    TCase *tc = tcase_create("extents");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, places_that_are_found, 0, (int)ARRAY_LEN(places));
    tcase_add_test(tc, one_after_another);
    tcase_add_loop_test(tc, places_that_are_not_found, 0, (int)ARRAY_LEN(refusals));
    tcase_add_test(tc, excluded_minidisks);
    tcase_add_test(tc, no_extent_control);
    tcase_add_test(tc, used_and_free);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
