/* Space of temporary disks, and volumes of tape drives, of two members: kept apart by the shares of
 * the cluster, where no lock on a file does it; and given back, space that is cleared not before it
 * is. The other member is what stands in the table of shares.
 * Run alone: tests/run unit/hyp_link_space_test
 * waits: for space that is being cleared */
#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/cp_images.h"
#include "tests/lib/cp_world_links.h"

#define HAS_READ 1
#define HAS_WRITE 2
#define HAS_EXCLUSIVE 8

static char devices[512];
static struct cause cause;

static void begin(const char *config)
{
    struct alloc_map map = {.count = 1, .extent = {{ALLOC_TDSK, 1, 29}}};
    char path[128];
    struct image *img;
    images_begin();
    image_make("one", IMAGE_CKD, 30, "TMP001");
    snprintf(path, sizeof path, "%s/one", images_dir);
    ck_assert_int_eq(image_open(path, 0, &img, &cause), ST_OK);
    ck_assert_int_eq(alloc_map_write(img, &map, "TMP001", &cause), ST_OK);
    image_unref(img);
    snprintf(devices, sizeof devices, "300 3390 %s/one\n582 3480 %s/reel.aws\n", images_dir,
             images_dir);
    snprintf(path, sizeof path, "%s/reel.aws", images_dir);
    FILE *reel = fopen(path, "w"); /* a blank volume */
    ck_assert_ptr_nonnull(reel);
    fclose(reel);
    cp_world_users = "USER TWO PW 64M 64M G\n";
    cp_world_devices = devices;
    cp_world_config = config;
    cp_world_setup();
    on(0, "", "LOGON OPERATOR OPER");
    on(0, "", "LOGON TWO PW");
    cp_world_links();
}

static void setup(void)
{
    begin("CP_OWNED SLOT 1 TMP001\n");
}

static void setup_clearing(void)
{
    begin("CP_OWNED SLOT 1 TMP001\nFEATURES ENABLE CLEAR_TDISK\n");
}

static void teardown(void)
{
    cp_world_links_end();
    images_end();
}

/* The share of so many units from there on; NULL: none is held. */
static struct fake_share *share(u64 first, u64 count)
{
    for (struct fake_share *s = fake_shares; s < fake_shares + FAKE_SHARES_MAX; s++)
        if ((s->bits[0] || s->bits[1]) && s->part.first == first && s->part.count == count)
            return s;
    return NULL;
}

static u64 first_of(u16 vdev)
{
    const struct vlink *l = link_find(cp_rdevs(cps[0]), "TWO", vdev);
    ck_assert_ptr_nonnull(l);
    return l->extent.first;
}

START_TEST(space_is_one_members)
{
    on(0, "TWO", "DEFINE T3390 401 5");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_uint_eq(first_of(0x401), 1);
    struct fake_share *s = share(1, 5);
    ck_assert_ptr_nonnull(s);
    ck_assert_uint_eq(s->bits[0], HAS_WRITE);
    struct fake_share other = *s;
    on(0, "TWO", "DETACH 401");
    ck_assert_ptr_null(share(1, 5));
    other.bits[0] = 0; /* what the other member has there now overlaps two places */
    other.bits[1] = HAS_WRITE;
    other.part.first = 4;
    snprintf(other.name, sizeof other.name, "other");
    fake_shares[FAKE_SHARES_MAX - 1] = other;
    on(0, "TWO", "DEFINE T3390 402 5");
    ck_assert_int_eq(resp.rc, 0);
    ck_assert_uint_eq(first_of(0x402), 11);
    on(0, "TWO", "DEFINE T3390 403 25");
    ck_assert_int_ne(resp.rc, 0); /* no room beside it */
    fake_shares[FAKE_SHARES_MAX - 1].bits[1] = 0;
    on(0, "TWO", "LOGOFF");
    ck_assert_uint_eq(fake_shares_held(), 0);
}
END_TEST

START_TEST(what_is_cleared_is_kept_until_then)
{
    on(0, "TWO", "DEFINE T3390 401 5");
    image_fill(image_of(0, "TWO", 0x401), 3, 0xaa);
    on(0, "TWO", "DETACH 401");
    /* the thread may have ended; nobody has looked, so it is still ours */
    ck_assert_ptr_nonnull(share(1, 5));
    while (tdisk_clearings(cp_rdevs(cps[0]), NULL))
        sched_yield();
    ck_assert_ptr_null(share(1, 5));
    ck_assert_uint_eq(fake_shares_held(), 0);
}
END_TEST

START_TEST(a_tape_is_one_members)
{
    on(0, "OPERATOR", "ATTACH 582 TWO 181");
    ck_assert_int_eq(resp.rc, 0);
    struct fake_share *s = share(0, 1);
    ck_assert_ptr_nonnull(s);
    ck_assert_uint_eq(s->bits[0], HAS_WRITE | HAS_EXCLUSIVE);
    struct fake_share other = *s;
    on(0, "OPERATOR", "DETACH 582 TWO");
    ck_assert_ptr_null(share(0, 1));
    other.bits[0] = 0;
    other.bits[1] = HAS_READ;
    *s = other;
    ck_assert_ptr_nonnull(
        strstr(on(0, "OPERATOR", "ATTACH 582 TWO 181"), "system MEMBERB has its volume"));
    ck_assert_int_ne(resp.rc, 0);
    ck_assert_ptr_nonnull(strstr(on(0, "OPERATOR", "ATTACH 582 TWO 181 R/O"), "ATTACHED"));
    ck_assert_uint_eq(s->bits[0], HAS_READ | 4);
    on(0, "OPERATOR", "DETACH 582 TWO");
    s->bits[1] = 0;
    ck_assert_uint_eq(fake_shares_held(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_link_space");
    TCase *tc = tcase_create("space");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, space_is_one_members);
    tcase_add_test(tc, a_tape_is_one_members);
    suite_add_tcase(suite, tc);
    tc = tcase_create("clearing");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup_clearing, teardown);
    tcase_add_test(tc, what_is_cleared_is_kept_until_then);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
