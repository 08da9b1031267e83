/* A machine that runs on processor threads while the loop thread looks at it, stops it, resets it
 * and takes epochs: for make tsan, and [D1], [D2] of hyp/dispatch/dispatch.c.
 * Run alone: tests/run unit/hyp_threads_test */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/vm.h"
#include "tests/lib/ipled_machine.h"

#define NOTES_MAX 64
#define ROUNDS 50
#define LOOP_AT 0x400

struct note {
    void (*fn)(void *arg);
    void *arg;
};

static struct note notes[NOTES_MAX];
static unsigned note_count;
static pthread_mutex_t notes_lock = PTHREAD_MUTEX_INITIALIZER;
static struct vm_host *host;
static struct vm *vm;

static void post(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    pthread_mutex_lock(&notes_lock);
    ck_assert_uint_lt(note_count, NOTES_MAX);
    notes[note_count++] = (struct note){fn, arg};
    pthread_mutex_unlock(&notes_lock);
}

static void deliver(void)
{
    struct note got[NOTES_MAX];
    pthread_mutex_lock(&notes_lock);
    unsigned n = note_count;
    memcpy(got, notes, n * sizeof *got);
    note_count = 0;
    pthread_mutex_unlock(&notes_lock);
    for (unsigned i = 0; i < n; i++)
        got[i].fn(got[i].arg);
}

/* ST 0,X'800'; J back to it */
static const u8 psw[] = {0x00, 0x08, 0, 0, 0x80, 0, LOOP_AT >> 8, LOOP_AT & 0xff};
static const u8 loop[] = {0x50, 0x00, 0x08, 0x00, 0xa7, 0xf4, 0xff, 0xfe};
static const struct ipled_piece pieces[] = {
    {0, psw, sizeof psw}, {LOOP_AT, loop, sizeof loop}, {0, NULL, 0}};

static void setup(void)
{
    const struct vm_host_events events = {0};
    ipled_machine((struct vm_host_config){.processors = 2}, post, &events, 2, pieces, &host,
                  &vm);
}

static void teardown(void)
{
    vm_destroy(vm);
    deliver();
    vm_host_destroy(host);
}

static void runs_on(void)
{
    u64 before = vm_instructions(vm);
    while (vm_instructions(vm) == before)
        sched_yield();
}

START_TEST(looking_at_a_running_machine)
{
    u64 virt, total;
    for (int i = 0; i < ROUNDS; i++) {
        runs_on();
        ck_assert_int_eq(vm_state(vm), VM_RUNNING);
        vm_times(vm, &virt, &total);
        ck_assert_uint_le(virt, total);
    }
}
END_TEST

START_TEST(a_held_machine_stands_still)
{
    u64 *set = calloc(1, storage_bitmap_bytes(vm_storage(vm)));
    for (int i = 0; i < ROUNDS; i++) {
        runs_on();
        vm_hold(vm);
        u64 insns = vm_instructions(vm);
        sched_yield();
        ck_assert_uint_eq(vm_instructions(vm), insns);
        vm_release(vm);
        vm_epoch(vm, set);
    }
    ck_assert(set[0] & 1); /* what the loop stores into */
    free(set);
}
END_TEST

START_TEST(stop_begin_and_reset)
{
    for (int i = 0; i < ROUNDS; i++) {
        runs_on();
        ck_assert_int_eq(vm_stop(vm, -1), ST_OK);
        ck_assert_int_eq(vm_state(vm), VM_STOPPED);
        ck_assert_int_eq(vm_begin(vm, -1), ST_OK);
        deliver();
    }
    ck_assert_int_eq(vm_system_reset(vm, true), ST_OK);
    ck_assert_int_eq(vm_state(vm), VM_CP_WAIT);
    ipled_pieces(vm, pieces);
    runs_on();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hyp_threads");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, looking_at_a_running_machine);
    tcase_add_test(t, a_held_machine_stands_still);
    tcase_add_test(t, stop_begin_and_reset);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
