/* A machine with 4T of storage: created, saved, restored and reset at the cost of what it uses.
 * tsan: no, a host process under TSan has not that many addresses */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "hyp/vm.h"
#include "tests/lib/ipled_machine.h"

#define STORAGE_BYTES (4ull << 40)
#define TOP (STORAGE_BYTES - 1)
#define MIDDLE (1ull << 41)
#define HOST_BYTES_MAX (128ull << 20)
#define STATE_BYTES_MAX (64u << 10)
#define SECONDS_MAX 5 /* of processor time: going through 2^30 frames takes longer */

static struct vm_host *host;
static struct vm *here, *there;

static struct vm *machine(const char *name)
{
    struct cause cause = {0};
    struct vm *vm = NULL;
    struct vm_config vc = {.personality = VM_UNDER_CP,
                           .storage_bytes = STORAGE_BYTES,
                           .cpus = 1,
                           .model = cpu_model_default()};
    snprintf(vc.name, sizeof vc.name, "%s", name);
    ck_assert_int_eq(vm_create(host, &vc, &vm, &cause), ST_OK);
    return vm;
}

static void setup(void)
{
    struct cause cause = {0};
    const struct vm_host_config hc = {.processors = 1, .model = cpu_model_default()};
    const struct vm_host_ports ports = {NULL, ipled_at_once};
    const struct vm_host_events events = {0};
    host = vm_host_create(&hc, &ports, &events, &cause);
    ck_assert_ptr_nonnull(host);
    here = machine("HERE");
    there = machine("THERE");
}

static void teardown(void)
{
    vm_destroy(here);
    vm_destroy(there);
    vm_host_destroy(host);
}

static void expect_small(clock_t since)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    ck_assert_uint_lt((u64)usage.ru_maxrss << 10, HOST_BYTES_MAX);
    ck_assert_int_le(clock() - since, SECONDS_MAX * CLOCKS_PER_SEC);
}

START_TEST(state)
{
    struct cause cause = {0};
    struct codec_out out;
    struct codec_in in;
    clock_t start = clock();
    ck_assert(storage_write(vm_storage(here), TOP, "x", 1));
    storage_key_set(vm_storage(here), MIDDLE, 0x38);
    ck_assert(storage_write(vm_storage(there), 0, "y", 1)); /* its key is to be zero again */
    storage_usage_set(vm_storage(here), MIDDLE, STORAGE_VOLATILE);
    storage_usage_set(vm_storage(here), TOP, STORAGE_UNUSED | STORAGE_NO_DAT);
    storage_usage_set(vm_storage(there), 0, STORAGE_UNUSED); /* is to be stable */
    ck_assert(vm_quiesce(here) && vm_quiesce(there));
    codec_out_init(&out);
    ck_assert_int_eq(vm_save(here, &out, NULL), ST_OK);
    ck_assert_uint_lt(out.len, STATE_BYTES_MAX);
    codec_in_init(&in, out.data, out.len);
    ck_assert_int_eq(vm_restore(there, &in, &cause), ST_OK);
    ck_assert_uint_eq(storage_key_get(vm_storage(there), TOP), SKEY_R | SKEY_C);
    ck_assert_uint_eq(storage_key_get(vm_storage(there), MIDDLE), 0x38);
    ck_assert_uint_eq(storage_key_get(vm_storage(there), 0), 0);
    ck_assert_uint_eq(storage_usage_get(vm_storage(there), MIDDLE), STORAGE_VOLATILE);
    ck_assert_uint_eq(storage_usage_get(vm_storage(there), TOP),
                      STORAGE_UNUSED | STORAGE_NO_DAT);
    ck_assert_uint_eq(storage_usage_get(vm_storage(there), 0), STORAGE_STABLE);
    codec_out_fini(&out);
    vm_unquiesce(here);
    vm_unquiesce(there);
    expect_small(start);
}
END_TEST

START_TEST(reset_and_look)
{
    clock_t start = clock();
    ck_assert(storage_write(vm_storage(here), TOP, "x", 1));
    ck_assert_uint_ge(vm_resident_bytes(here), FRAME_BYTES);
    ck_assert_uint_lt(vm_resident_bytes(here), HOST_BYTES_MAX);
    storage_usage_set(vm_storage(here), TOP, STORAGE_UNUSED);
    ck_assert_int_eq(vm_system_reset(here, false),
                     ST_OK); /* of the subsystem: all are stable */
    ck_assert_uint_eq(storage_usage_get(vm_storage(here), TOP), STORAGE_STABLE);
    ck_assert_int_eq(vm_system_reset(here, true), ST_OK);
    ck_assert_uint_eq(vm_resident_bytes(here), 0);
    expect_small(start);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hyp_storage");
    TCase *t = tcase_create("4T");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, state);
    tcase_add_test(t, reset_and_look);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
