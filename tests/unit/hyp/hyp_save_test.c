/* A machine is saved for another member, with a spool file that is open; keys and usage that go
 * ahead of it. Run alone: tests/run unit/hyp_save_test */
#include <check.h>
#include <stdlib.h>

#include "hyp/spool/spool_device.h"
#include "hyp/vm_internal.h"
#include "tests/lib/ipled_machine.h"

#define PRINTER 0x00e
#define WRITE_AND_SPACE 0x09

static const u8 ipl[] = {0x00, 0x08, 0, 0, 0x80, 0, 0x04, 0x00};
static const u8 loop[] = {0xa7, 0xf4, 0x00, 0x00}; /* J *+0 */
static const struct ipled_piece pieces[] = {
    {0, ipl, sizeof ipl}, {0x400, loop, sizeof loop}, {0, NULL, 0}};
static struct vm_host *host;
static struct vm *vm;
static const struct vm_host_events events;

static void setup(void)
{
    ipled_machine((struct vm_host_config){.deterministic = true}, ipled_at_once, &events, 1,
                  pieces, &host, &vm);
}

static void teardown(void)
{
    vm_destroy(vm);
    vm_host_destroy(host);
}

static int save(void)
{
    struct cause cause = {0};
    struct codec_out out;
    codec_out_init(&out);
    ck_assert(vm_quiesce(vm));
    int rc = vm_save(vm, &out, &cause);
    vm_unquiesce(vm);
    codec_out_fini(&out);
    return rc;
}

/* An open file goes along (unit/hyp_spool_share_test); to take the machine's state ends nothing. */
START_TEST(open_spool_file)
{
    struct spool_device *dev =
        spool_device_create(host->spool, vm->config.name, SPOOL_DEV_PRT, PRINTER, 'A');
    ck_assert_ptr_nonnull(dev);
    ck_assert_int_eq(save(), ST_OK);
    ck_assert_int_eq(spool_device_sink(dev, PRINTER, WRITE_AND_SPACE, (const u8 *)"x", 1),
                     ST_OK);
    ck_assert_int_eq(save(), ST_OK);
    u16 id;
    ck_assert(spool_device_open(dev, &id));
    spool_device_purge(dev);
    ck_assert(!spool_device_open(dev, &id));
    ck_assert_int_eq(save(), ST_OK);
}
END_TEST

/* A machine that has been moved to; what has gone, in three parts. */
static struct vm *there;
static struct codec_out early, rest;

static void early_setup(void)
{
    setup();
    there = ipled_another(host, 1, SHARE_DEFAULT, pieces);
    vm_system_reset(there, true);
    ck_assert(vm_quiesce(there));
    codec_out_init(&early);
    codec_out_init(&rest);
}

static void early_teardown(void)
{
    codec_out_fini(&early);
    codec_out_fini(&rest);
    vm_destroy(there);
    teardown();
}

static int restore(const struct codec_out *out,
                   int fn(struct vm *, struct codec_in *, struct cause *))
{
    struct cause cause = {0};
    struct codec_in in;
    codec_in_init(&in, out->data, out->len);
    return fn(there, &in, &cause);
}

static void save_rest(void)
{
    struct cause cause = {0};
    ck_assert(vm_quiesce(vm));
    ck_assert_int_eq(vm_save_rest(vm, &rest, &cause), ST_OK);
}

static void set(struct vm *of, u64 frame, u8 key, u8 usage)
{
    storage_key_set(of->st, frame << FRAME_SHIFT, key);
    storage_usage_set(of->st, frame << FRAME_SHIFT, usage);
}

static void ck_same(void)
{
    for (u64 f = 0; f < vm->st->frames; f++) {
        u64 abs = f << FRAME_SHIFT;
        ck_assert_uint_eq(storage_key_get(there->st, abs), storage_key_get(vm->st, abs));
        ck_assert_uint_eq(storage_usage_get(there->st, abs), storage_usage_get(vm->st, abs));
    }
}

/* Every second frame changes behind it; what restoring touches meanwhile is put right. */
START_TEST(early_keys)
{
    for (u64 f = 0; f < vm->st->frames; f++)
        set(vm, f, (u8)(f << 1), f % 3);
    vm_save_early(vm, &early);
    ck_assert_int_eq(restore(&early, vm_restore_early), ST_OK);
    ck_same();
    for (u64 f = 1; f < vm->st->frames; f += 2)
        set(vm, f, (u8)(0xf0 - 2 * f), f % 5 ? 0 : 2);
    for (u64 f = 100; f < 140; f++) /* a run, and frames that are zero then */
        set(vm, f, f < 120 ? 0x46 : 0, 0);
    save_rest();
    for (u64 f = 7; f < there->st->frames; f += 9)
        set(there, f, 0x66, 1);
    ck_assert_int_eq(restore(&rest, vm_restore), ST_OK);
    ck_same();
    vm_unquiesce(vm);
}
END_TEST

/* Little goes behind it when little has changed. */
START_TEST(early_is_not_told_twice)
{
    struct cause cause = {0};
    for (u64 f = 0; f < vm->st->frames; f++)
        set(vm, f, (u8)(f << 1), f % 3);
    vm_save_early(vm, &early);
    set(vm, 17, 0x50, 1);
    save_rest();
    size_t behind = rest.len;
    codec_out_fini(&rest);
    codec_out_init(&rest);
    ck_assert_int_eq(vm_save(vm, &rest, &cause), ST_OK); /* whole: nothing is remembered */
    ck_assert_uint_gt(rest.len, behind + 2 * 5 * 250);
    ck_assert_int_eq(restore(&rest, vm_restore), ST_OK);
    ck_same();
    vm_unquiesce(vm);
}
END_TEST

/* A byte that was lost on the way, changes of what has not come, and runs that are too long. */
START_TEST(early_damaged)
{
    set(vm, 20, 0x30, 0);
    vm_save_early(vm, &early);
    set(vm, 21, 0x30, 0);
    save_rest();
    ck_assert_int_eq(restore(&rest, vm_restore), ST_PROTO);
    early.data[10] ^= 0x10; /* the first run's key */
    ck_assert_int_eq(restore(&early, vm_restore_early), ST_OK);
    ck_assert_int_eq(restore(&rest, vm_restore), ST_PROTO);
    early.len -= 5;
    ck_assert_int_eq(restore(&early, vm_restore_early), ST_PROTO);
    early.len += 5;
    be32_store(early.data + 6, 0xfffffff0u); /* the first run */
    ck_assert_int_eq(restore(&early, vm_restore_early), ST_PROTO);
    ck_assert_uint_eq(there->told_bytes, 0);
    vm_unquiesce(vm);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_save");
    TCase *tc = tcase_create("open");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, open_spool_file);
    suite_add_tcase(suite, tc);
    tc = tcase_create("early");
    tcase_add_checked_fixture(tc, early_setup, early_teardown);
    tcase_add_test(tc, early_keys);
    tcase_add_test(tc, early_is_not_told_twice);
    tcase_add_test(tc, early_damaged);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
