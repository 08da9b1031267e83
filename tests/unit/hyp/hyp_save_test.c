/* What keeps a machine from being saved for another member, when it came behind the last check of
 * eligibility. Run alone: tests/run unit/hyp_save_test */
#include <check.h>
#include <stdlib.h>

#include "hyp/spool/spool_device.h"
#include "hyp/vm_internal.h"
#include "tests/lib/ipled_machine.h"

#define PRINTER 0x00e
#define WRITE_AND_SPACE 0x09

static struct vm_host *host;
static struct vm *vm;
static const struct vm_host_events events;

static void setup(void)
{
    static const u8 ipl[] = {0x00, 0x08, 0, 0, 0x80, 0, 0x04, 0x00};
    static const u8 loop[] = {0xa7, 0xf4, 0x00, 0x00}; /* J *+0 */
    static const struct ipled_piece pieces[] = {
        {0, ipl, sizeof ipl}, {0x400, loop, sizeof loop}, {0, NULL, 0}};
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

/* A printer's records stay where they are: they would go with the machine that departs. */
START_TEST(open_spool_file)
{
    struct spool_device *dev =
        spool_device_create(host->spool, vm->config.name, SPOOL_DEV_PRT, PRINTER, 'A');
    ck_assert_ptr_nonnull(dev);
    ck_assert_int_eq(save(), ST_OK);
    ck_assert_int_eq(spool_device_sink(dev, PRINTER, WRITE_AND_SPACE, (const u8 *)"x", 1),
                     ST_OK);
    ck_assert_int_eq(save(), ST_REFUSED);
    spool_device_purge(dev);
    ck_assert_int_eq(save(), ST_OK);
}
END_TEST

START_TEST(trace_traps)
{
    const struct vm_trap svc = {.id = 1, .kind = VM_TRAP_SVC, .last = 0xffff};
    ck_assert_int_eq(vm_trace(vm, &svc, 1), ST_OK);
    ck_assert_int_eq(save(), ST_REFUSED);
    ck_assert_int_eq(vm_trace(vm, NULL, 0), ST_OK);
    ck_assert_int_eq(save(), ST_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_save");
    TCase *tc = tcase_create("refused");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, open_spool_file);
    tcase_add_test(tc, trace_traps);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
