/* A throttled machine: [D5] of hyp/dispatch/dispatch.c, in deterministic mode, where time is
 * counted from instructions and shares come out exactly.
 * Run alone: tests/run unit/hyp_throttle_test */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/vm_internal.h"
#include "tests/lib/ipled_machine.h"

#define LOOP_AT 0x400
#define NS_PER_INSN 5
#define RUN_NS 500000000ull

static struct vm_host *host;
static struct vm *vm;

/* J to itself */
static void setup(void)
{
    static const u8 psw[] = {0x00, 0x08, 0, 0, 0x80, 0, LOOP_AT >> 8, LOOP_AT & 0xff};
    static const u8 loop[] = {0xa7, 0xf4, 0x00, 0x00};
    const struct ipled_piece pieces[] = {
        {0, psw, sizeof psw}, {LOOP_AT, loop, sizeof loop}, {0, NULL, 0}};
    const struct vm_host_events events = {0};
    ipled_machine((struct vm_host_config){.deterministic = true}, ipled_at_once, &events, 1,
                  pieces, &host, &vm);
}

static void teardown(void)
{
    vm_destroy(vm);
    vm_host_destroy(host);
}

/* Per cent of the time that the machine's CPU has been executing while RUN_NS went by. */
static double busy_percent(void)
{
    u64 from = host_now_ns(host), insns = vm_instructions(vm);
    while (host_now_ns(host) - from < RUN_NS)
        ck_assert(vm_host_run(host));
    return 100.0 * (double)((vm_instructions(vm) - insns) * NS_PER_INSN) /
           (double)(host_now_ns(host) - from);
}

/* Every share from none to the most: what is left of the time, and all of it when given back. */
START_TEST(takes_its_share_of_the_time_and_gives_it_back)
{
    static const unsigned percents[] = {20, 0, 50, 99, 0};
    for (unsigned i = 0; i < ARRAY_LEN(percents); i++) {
        vm_throttle(vm, percents[i]);
        double left = 100.0 - percents[i], busy = busy_percent();
        ck_assert_msg(busy > left - 1 && busy < left + 1, "%u %% taken: busy for %.2f %%",
                      percents[i], busy);
    }
}
END_TEST

/* A CPU that rests when the share is given back goes on at once. */
START_TEST(giving_back_ends_the_rest)
{
    vm_throttle(vm, 99);
    while (vm->vcpu[0].place != VCPU_SLOWED)
        ck_assert(vm_host_run(host));
    u64 due = vm->vcpu[0].deadline_ns, insns = vm_instructions(vm);
    vcpu_wake(&vm->vcpu[0]); /* an interruption does not end it */
    ck_assert_int_eq(vm->vcpu[0].place, VCPU_SLOWED);
    vm_throttle(vm, 0);
    ck_assert(vm_host_run(host));
    ck_assert_uint_gt(vm_instructions(vm), insns);
    ck_assert_uint_lt(host_now_ns(host), due);
}
END_TEST

/* What a CPU has not used it need not rest for: idle time counts. */
START_TEST(idle_time_counts)
{
    vm_throttle(vm, 99);
    while (vm->vcpu[0].place != VCPU_SLOWED)
        ck_assert(vm_host_run(host));
    ck_assert_int_eq(vm_stop(vm, 0), ST_OK);
    u64 due = vm->vcpu[0].due_ns;
    while (vm_host_run(host) || host_now_ns(host) < due)
        host->det_ns += due; /* nothing runs: time goes on */
    ck_assert_int_eq(vm_begin(vm, 0), ST_OK);
    ck_assert_int_eq(vm->vcpu[0].place, VCPU_QUEUED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_throttle");
    TCase *tc = tcase_create("throttle");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, takes_its_share_of_the_time_and_gives_it_back);
    tcase_add_test(tc, giving_back_ends_the_rest);
    tcase_add_test(tc, idle_time_counts);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
