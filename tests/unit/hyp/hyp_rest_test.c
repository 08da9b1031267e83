/* A machine of which no CPU runs any more is told of, whoever came to rest last: a CPU that was
 * woken in its disabled wait for nothing is on its way back when the other one stops.
 * Run alone: tests/run unit/hyp_rest_test */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/vm_internal.h"
#include "tests/lib/ipled_machine.h"

#define FLAG_AT 0x900
#define TURNS_MAX 1000

static struct vm_host *host;
static struct vm *vm;
static unsigned told[VM_EVENT_RESET + 1];

static void on_event(void *ctx, struct vm *of, enum vm_event event, u64 mask, u64 addr)
{
    (void)ctx;
    (void)of;
    (void)mask;
    ck_assert_uint_eq(addr, 0);
    told[event]++;
}

/* CPU 0 restarts CPU 1 and waits disabled; CPU 1 stops itself when the flag is set. */
static void setup(void)
{
    static const u8 ipl[] = {0x00, 0x08, 0, 0, 0x80, 0, 0x04, 0x00};
    static const u8 restart[] = {0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x06, 0x00};
    static const u8 cpu0[] = {0xa7, 0x38, 0x00, 0x01,  /* LHI 3,1 */
                              0xae, 0x13, 0x00, 0x06,  /* SIGP 1,3,restart */
                              0xa7, 0x24, 0xff, 0xfe,  /* JH back, busy */
                              0xb2, 0xb2, 0x05, 0x00}; /* LPSWE X'500' */
    static const u8 wait[16] = {0, 0x02, 0, 1, 0x80};
    static const u8 cpu1[] = {0x58, 0x10, 0x09, 0x00,  /* L 1,flag */
                              0x12, 0x11,              /* LTR 1,1 */
                              0xa7, 0x84, 0xff, 0xfd,  /* JZ back */
                              0xa7, 0x38, 0x00, 0x01,  /* LHI 3,1 */
                              0xae, 0x13, 0x00, 0x05,  /* SIGP 1,3,stop */
                              0xa7, 0xf4, 0x00, 0x00}; /* J to itself */
    const struct ipled_piece pieces[] = {
        {0, ipl, sizeof ipl},       {0x1a0, restart, sizeof restart},
        {0x400, cpu0, sizeof cpu0}, {0x500, wait, sizeof wait},
        {0x600, cpu1, sizeof cpu1}, {0, NULL, 0}};
    const struct vm_host_events events = {.event = on_event};
    ipled_machine((struct vm_host_config){.deterministic = true}, ipled_at_once, &events, 2,
                  pieces, &host, &vm);
}

static void teardown(void)
{
    vm_destroy(vm);
    vm_host_destroy(host);
}

static void run_until_waiting(void)
{
    while (vm->vcpu[0].place != VCPU_IDLE || cpu_stopped(vm->vcpu[1].cpu))
        ck_assert(vm_host_run(host));
    ck_assert_uint_eq(told[VM_EVENT_DISABLED_WAIT], 1);
}

static void set_flag(void)
{
    static const u8 one[4] = {0, 0, 0, 1};
    storage_write(vm_storage(vm), FLAG_AT, one, sizeof one);
}

static void run_to_rest(void)
{
    unsigned turns = 0;
    while (vm->vcpu[0].place != VCPU_IDLE || vm->vcpu[1].place != VCPU_IDLE)
        ck_assert(vm_host_run(host) && ++turns < TURNS_MAX);
}

START_TEST(the_last_that_stops_tells)
{
    run_until_waiting();
    set_flag();
    run_to_rest();
    ck_assert_uint_eq(told[VM_EVENT_NONE_RUNS], 1);
}
END_TEST

START_TEST(a_cpu_woken_in_vain_tells_when_it_is_the_last)
{
    run_until_waiting();
    set_flag();
    vcpu_wake(&vm->vcpu[0]);
    while (vm->vcpu[1].place != VCPU_IDLE) {
        rq_prefer(&vm->vcpu[1].rq); /* CPU 0 is dispatched after it */
        ck_assert(vm_host_run(host));
    }
    ck_assert_int_eq(vm->vcpu[0].place, VCPU_QUEUED);
    ck_assert_uint_eq(told[VM_EVENT_NONE_RUNS], 0);
    run_to_rest();
    ck_assert_uint_eq(told[VM_EVENT_NONE_RUNS], 1);
}
END_TEST

/* Once is enough, however often a CPU is woken. */
START_TEST(rest_is_told_once)
{
    run_until_waiting();
    set_flag();
    run_to_rest();
    for (unsigned i = 0; i < 10; i++) {
        vcpu_wake(&vm->vcpu[i % 2]);
        run_to_rest();
    }
    ck_assert_uint_eq(told[VM_EVENT_NONE_RUNS], 1);
    ck_assert_uint_eq(told[VM_EVENT_DISABLED_WAIT], 1);
    ck_assert_uint_eq(told[VM_EVENT_STOPPED], 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_rest");
    TCase *tc = tcase_create("rest");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_last_that_stops_tells);
    tcase_add_test(tc, a_cpu_woken_in_vain_tells_when_it_is_the_last);
    tcase_add_test(tc, rest_is_told_once);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
