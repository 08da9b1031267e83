/* Images behind a network block device server: while it is away every request fails and says so;
 * when it is back they go on, with what was written before. nbdkit is the server. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/image/image_internal.h"

#define BLOCKS 1000u

static char dir[64], uri[200];
static struct cause cause;

static void shell(const char *form)
{
    char command[600];
    snprintf(command, sizeof command, form, dir, dir, dir);
    ck_assert_msg(system(command) == 0, "%s", command);
}

static void serve(void)
{
    shell("nbdkit -U %s/socket -P %s/pid file %s/blocks");
}

static void end_server(void)
{
    shell(
        "kill -9 $(cat %s/pid) && while kill -0 $(cat %s/pid) 2>/dev/null; do :; done; cd %s");
    shell("rm -f %s/socket %s/pid %s/none");
}

static void setup(void)
{
    snprintf(dir, sizeof dir, "%s", "/tmp/io_nbd_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(uri, sizeof uri, "nbd+unix:///?socket=%s/socket", dir);
    shell("head -c 512000 /dev/zero >%s/blocks");
}

static void teardown(void)
{
    shell("[ ! -e %s/pid ] || kill -9 $(cat %s/pid); rm -rf %s");
}

static int move(struct image *img, bool write, u64 block, u8 byte)
{
    u8 buf[IMAGE_BLOCK_BYTES];
    memset(buf, byte, sizeof buf);
    if (write)
        return image_write_blocks(img, block, 1, buf, &cause);
    int rc = image_read_blocks(img, block, 1, buf, &cause);
    for (u32 i = 0; rc == ST_OK && i < sizeof buf; i++)
        ck_assert_uint_eq(buf[i], byte);
    return rc;
}

START_TEST(a_server_goes_and_comes)
{
    struct image *img;
    serve();
    ck_assert_msg(image_open(uri, 0, &img, &cause) == ST_OK, "%s", cause.text);
    ck_assert_uint_eq(image_geometry(img)->blocks, BLOCKS);
    ck_assert_int_eq(move(img, true, 7, 0x17), ST_OK);
    ck_assert_int_eq(image_sync(img, &cause), ST_OK);
    end_server();
    ck_assert_int_eq(move(img, true, 7, 0x18), ST_IO);
    ck_assert_int_eq(move(img, false, 7, 0), ST_IO);
    ck_assert_int_eq(image_sync(img, &cause), ST_LOST); /* not there: nothing is lost yet */
    ck_assert_ptr_nonnull(strstr(cause.text, "socket"));
    serve();
    ck_assert_int_eq(move(img, false, 7, 0x17), ST_OK);
    ck_assert_int_eq(move(img, true, 999, 0x19), ST_OK);
    ck_assert_int_eq(image_sync(img, &cause), ST_OK);
    image_unref(img);
    end_server();
    shell("[ $(tail -c 512 %s/blocks | tr -d '\\031' | wc -c) = 0 ]");
}
END_TEST

START_TEST(nothing_to_connect_to)
{
    struct image *img = NULL;
    ck_assert_int_eq(image_open(uri, 0, &img, &cause), ST_CONFIG);
    ck_assert_ptr_null(img);
    ck_assert_int_eq(image_open("nbd://127.0.0.1:1/x", IMAGE_READ_ONLY, &img, &cause),
                     ST_CONFIG);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("nbd");
    TCase *tc = tcase_create("nbd");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_server_goes_and_comes);
    tcase_add_test(tc, nothing_to_connect_to);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
