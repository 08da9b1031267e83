/* The minidisk cache by CP's commands: what is cached by default, by MINIOPT and by SET MDCACHE;
 * its size; figures of INDICATE LOAD; two members with one volume.
 * Run alone: tests/run unit/hyp_mdcache_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/rdev/rdev.h"
#include "io/image/track.h"
#include "tests/lib/cp_images.h"

static char devices[512];

static const char users[] =
    "USER ONE PW 64M 64M BG\n MDISK 200 3390 1 10 VOL001 MR ALL ALL ALL\n"
    " MDISK 201 3390 11 5 VOL001 MR\n MINIOPT NOCACHE\n MDISK 202 3390 T-DISK 2\n"
    "USER TWO PW 64M 64M G\n LINK ONE 200 200 RR\n MDISK 300 3390 16 4 VOL001 MR\n"
    "USER FULL PW 64M 64M G\n MDISK 123 3390 0 END VOL001 MW\n";

static void setup(void)
{
    images_begin();
    image_make("one", IMAGE_CKD, 20, "VOL001");
    snprintf(devices, sizeof devices, "300 3390 %s/one\n", images_dir);
    cp_world_users = users;
    cp_world_devices = devices;
    cp_world_setup();
    on(0, "", "LOGON OPERATOR OPER");
    on(0, "", "LOGON ONE PW");
}

static const char *load_line(void)
{
    static char line[100];
    const char *at = strstr(oper("INDICATE LOAD"), "MDC ");
    ck_assert_ptr_nonnull(at);
    snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "|"), at);
    return line;
}

START_TEST(what_is_cached)
{
    is(oper("QUERY MDCACHE"),
       "Minidisk cache ON for system|Storage MDC min=0M max=128M, usage=0%, bias=1.00");
    is(on(0, "ONE", "QUERY MDCACHE MDISK 200"), "Minidisk cache ON for ONE 0200");
    is(on(0, "ONE", "QUERY MDCACHE MDISK 201"), "Minidisk cache OFF for ONE 0201");
    is(on(0, "ONE", "QUERY MDCACHE MDISK 202"), "Minidisk cache INELIGIBLE for ONE 0202");
    on(0, "", "LOGON TWO PW");
    is(oper("QUERY MDCACHE MDISK TWO 200"), "Minidisk cache ON for TWO 0200");
    on(0, "ONE", "DETACH 200"); /* nobody here keeps other members from writing it now */
    is(oper("QUERY MDCACHE MDISK TWO 200"), "Minidisk cache INELIGIBLE for TWO 0200");
    on(1, "", "LOGON FULL PW");
    REFUSED(on(0, "TWO", "QUERY MDCACHE MDISK ONE 201"), 3, "HCPCMD003E");
    REFUSED(on(0, "TWO", "QUERY MDCACHE SYSTEM"), 3, "HCPCQV003E");
    REFUSED(oper("QUERY MDCACHE MDISK TWO 999"), 40, "HCPQVD040E");
    REFUSED(oper("QUERY MDCACHE FROB"), 3, "HCPCQV003E");
    REFUSED(oper("QUERY MDCACHE RDEV 999"), 40, "HCPQRD040E");
}
END_TEST

START_TEST(set)
{
    is(oper("SET MDCACHE MDISK OFF ONE 200"), "Command complete");
    is(on(0, "ONE", "QUERY MDCACHE MDISK 200"), "Minidisk cache OFF for ONE 0200");
    is(on(0, "ONE", "SET MDCACHE MDISK ON 200"), "Command complete");
    is(on(0, "ONE", "QUERY MDCACHE MDISK 200"), "Minidisk cache ON for ONE 0200");
    is(oper("SET MDCACHE RDEV OFF 300"), "Command complete");
    is(oper("QUERY MDCACHE RDEV 300"), "Minidisk cache OFF for DASD 0300");
    is(on(0, "ONE", "QUERY MDCACHE MDISK 200"), "Minidisk cache INELIGIBLE for ONE 0200");
    is(oper("SET MDCACHE RDEV ON 300"), "Command complete");
    is(oper("SET MDCACHE STORAGE 16M 64M"), "Storage MDC min=16M max=64M, usage=0%, bias=1.00");
    is(oper("QUERY MDCACHE STORAGE"), "Storage MDC min=16M max=64M, usage=0%, bias=1.00");
    is(oper("SET MDCACHE SYSTEM OFF"), "Minidisk cache OFF for system");
    is(oper("SET MDCACHE SYSTEM ON"), "Minidisk cache ON for system");
    REFUSED(oper("SET MDCACHE STORAGE 64M 16M"), 2, "HCPCMD002E");
    REFUSED(oper("SET MDCACHE STORAGE 64M"), 26, "HCPCMD026E");
    REFUSED(oper("SET MDCACHE STORAGE X Y"), 2, "HCPCMD002E");
    REFUSED(oper("SET MDCACHE SYSTEM FLUSH"), 3, "HCPCMD003E");
    REFUSED(oper("SET MDCACHE SYSTEM"), 26, "HCPCMD026E");
    REFUSED(oper("SET MDCACHE MDISK ON ONE XYZZY"), 2, "HCPCMD002E");
    REFUSED(oper("SET MDCACHE RDEV ON 999"), 40, "HCPQRD040E");
    REFUSED(oper("SET MDCACHE FROB"), 3, "HCPCMD003E");
    REFUSED(oper("SET MDCACHE"), 26, "HCPCMD026E");
    on(0, "", "LOGON TWO PW");
    REFUSED(on(0, "TWO", "SET MDCACHE SYSTEM OFF"), 3, "HCPCSE003E");
}
END_TEST

START_TEST(figures)
{
    struct image *img = image_of(0, "ONE", 0x200);
    ck_assert_str_eq(load_line(), "MDC READS-000000/SEC WRITES-000000/SEC HIT RATIO-000%");
    pass_time(10000);
    for (u32 t = 0; t < 100; t++)
        image_fill(img, t, 1);
    for (u32 n = 0; n < 10; n++)
        for (u32 t = 0; t < 100; t++)
            ck_assert_uint_eq(image_byte(img, t), 1);
    ck_assert_str_eq(load_line(), "MDC READS-000100/SEC WRITES-000010/SEC HIT RATIO-090%");
    oper("SET MDCACHE STORAGE 0M 1M");
    ck_assert_ptr_null(strstr(oper("QUERY MDCACHE"), "usage=0%"));
    oper("SET MDCACHE MDISK FLUSH ONE 200");
    ck_assert_ptr_nonnull(strstr(oper("QUERY MDCACHE"), "usage=0%"));
    pass_time(30000);
    load_line(); /* what came up to here is over */
    pass_time(1000);
    for (u32 n = 0; n < 4; n++)
        image_byte(img, n / 2);
    ck_assert_str_eq(load_line(), "MDC READS-000004/SEC WRITES-000000/SEC HIT RATIO-050%");
}
END_TEST

/* A guest that arrives, goes, is changed elsewhere and comes back finds what was written last. */
START_TEST(members)
{
    image_fill(image_of(0, "ONE", 0x200), 5, 1);
    ck_assert_uint_eq(image_byte(image_of(0, "ONE", 0x200), 5), 1);
    ck_assert_uint_eq(image_byte(image_of(0, "ONE", 0x200), 5), 1);
    on(0, "ONE", "LOGOFF");
    on(1, "", "LOGON ONE PW");
    ck_assert_uint_eq(image_byte(image_of(1, "ONE", 0x200), 5), 1);
    image_fill(image_of(1, "ONE", 0x200), 5, 2);
    on(0, "", "LOGON TWO PW"); /* reads it while the other member writes */
    ck_assert_uint_eq(image_byte(image_of(0, "TWO", 0x200), 5), 2);
    image_fill(image_of(1, "ONE", 0x200), 5, 3);
    ck_assert_uint_eq(image_byte(image_of(0, "TWO", 0x200), 5), 3);
    on(1, "ONE", "LOGOFF");
    on(0, "", "LOGON ONE PW");
    ck_assert_uint_eq(image_byte(image_of(0, "ONE", 0x200), 5), 3);
    ck_assert_uint_eq(image_byte(image_of(0, "TWO", 0x200), 5), 3);
    image_fill(image_of(0, "ONE", 0x200), 5, 4);
    ck_assert_uint_eq(image_byte(image_of(0, "TWO", 0x200), 5), 4);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hyp_mdcache");
    TCase *t = tcase_create("mdcache");
    tcase_add_checked_fixture(t, setup, images_end);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_is_cached);
    tcase_add_test(t, set);
    tcase_add_test(t, figures);
    tcase_add_test(t, members);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
