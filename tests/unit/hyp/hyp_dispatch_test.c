/* The dispatcher with real virtual CPUs: shares on processor threads, the lock holder that gets the
 * processor, the CPU timer of a CPU that waits, and how often processors wake for a timer.
 * [D7], [D8] of hyp/dispatch/dispatch.c, [P1] of processor.c.
 * Run alone: tests/run unit/hyp_dispatch_test */
#include <check.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/vm_internal.h"
#include "tests/lib/ipled_machine.h"

#define CODE_AT 0x400
#define OTHER_AT 0x480
#define S_NS 1000000000ull
#define SHARES_INSNS 2400000000ull
#define STALL_NS 20e6 /* what the host may be away in the last slice, charged to its guest */
#define STRETCHES_MAX 100
#define VMS_MAX 4
#define NOTES_MAX 64

/* Notes of processor threads wait until the end: nothing here depends on them. */
static struct {
    void (*fn)(void *arg);
    void *arg;
} notes[NOTES_MAX];
static unsigned note_count;
static pthread_mutex_t notes_lock = PTHREAD_MUTEX_INITIALIZER;

static void post(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    pthread_mutex_lock(&notes_lock);
    ck_assert_uint_lt(note_count, NOTES_MAX);
    notes[note_count].fn = fn;
    notes[note_count++].arg = arg;
    pthread_mutex_unlock(&notes_lock);
}

static struct vm_host *host;
static struct vm *vms[VMS_MAX];
static unsigned vm_count;
static const struct vm_host_events events;

static void setup(void)
{
    vm_count = note_count = 0;
}

static void teardown(void)
{
    for (unsigned i = 0; i < vm_count; i++)
        vm_destroy(vms[i]);
    for (unsigned i = 0; i < note_count; i++)
        notes[i].fn(notes[i].arg);
    vm_host_destroy(host);
}

/* The first machine makes the host. */
static struct vm *machine(struct vm_host_config hc, unsigned cpus, struct share share,
                          const struct ipled_piece *pieces)
{
    if (vm_count)
        vms[vm_count] = ipled_another(host, cpus, share, pieces);
    else
        ipled_machine(hc, post, &events, cpus, pieces, &host, &vms[0]);
    return vms[vm_count++];
}

static const struct vm_host_config deterministic = {.deterministic = true};
static const u8 psw[] = {0x00, 0x08, 0, 0, 0x80, 0, CODE_AT >> 8, CODE_AT & 0xff};

static u64 stored(struct vm *vm, u64 abs)
{
    u8 b[8];
    ck_assert(storage_read(vm_storage(vm), abs, b, sizeof b));
    return be64_load(b);
}

static void run_for(u64 ns)
{
    for (u64 from = host_now_ns(host); host_now_ns(host) - from < ns;)
        ck_assert(vm_host_run(host));
}

/* ---- shares on threads ---- */

/* AGHI 1,1; J back to it */
static const u8 count_up[] = {0xa7, 0x1b, 0x00, 0x01, 0xa7, 0xf4, 0xff, 0xfe};
static const struct ipled_piece counting[] = {
    {0, psw, sizeof psw}, {CODE_AT, count_up, sizeof count_up}, {0, NULL, 0}};

static u64 work(void)
{
    u64 sum = 0;
    for (unsigned i = 0; i < vm_count; i++)
        sum += vm_instructions(vms[i]);
    return sum;
}

/* Until `insns` more are executed; then how far the guest that is furthest off is from its share of
 * the processor time, as a part of it, but for STALL_NS, and from its share of the work. */
static void shares_measure(u64 insns, double *time_off, double *work_off)
{
    u64 done[4], used[4], virt, all = 0, time = 0, from = work();
    for (unsigned i = 0; i < 4; i++) {
        done[i] = vm_instructions(vms[i]);
        vm_times(vms[i], &virt, &used[i]);
    }
    while (work() - from < insns)
        usleep(10000);
    for (unsigned i = 0; i < 4; i++) {
        u64 before = used[i];
        vm_times(vms[i], &virt, &used[i]);
        used[i] -= before;
        done[i] = vm_instructions(vms[i]) - done[i];
        time += used[i];
        all += done[i];
    }
    *time_off = *work_off = 0;
    for (unsigned i = 0; i < 4; i++) {
        double due = (i + 1) / 10.0 * (double)time, share = (i + 1) / 10.0 * (double)all;
        *time_off = fmax(*time_off, (fabs((double)used[i] - due) - STALL_NS) / due);
        *work_off = fmax(*work_off, fabs((double)done[i] - share) / share);
    }
}

/* Four guests on two processors have processor time as 1 : 2 : 3 : 4, within 3 per cent, and get
 * work done like that. A host that is busy itself takes threads away in the middle of slices, so
 * one stretch of several must show it; none does when the dispatcher is wrong. */
START_TEST(four_guests_on_two_processors)
{
    double time_off = 1, work_off = 1;
    for (unsigned i = 0; i < 4; i++)
        machine((struct vm_host_config){.processors = 2}, 1,
                (struct share){.least = {.n = 100 * (i + 1)}}, counting);
    for (unsigned k = 0; k < STRETCHES_MAX && (time_off >= .03 || work_off >= .2); k++)
        shares_measure(SHARES_INSNS, &time_off, &work_off);
    ck_assert_msg(time_off < .03 && work_off < .2, "time %.4f off, work %.4f", time_off,
                  work_off);
}
END_TEST

/* ---- processors ---- */

/* Where the machine's CPU is now; -1: on none. */
static int runs_on(struct vm *vm)
{
    lock_take(&host->lock);
    int at = vm->vcpu[0].on ? (int)vm->vcpu[0].on->addr : -1;
    lock_drop(&host->lock);
    return at;
}

/* Once it has come there the machine is on that processor and no other. */
static void stays_on(struct vm *vm, int processor)
{
    while (runs_on(vm) != processor)
        sched_yield();
    for (unsigned seen = 0; seen < 20; sched_yield()) {
        int at = runs_on(vm);
        ck_assert_msg(at == -1 || at == processor, "on %d, not on %d", at, processor);
        seen += at == processor;
    }
}

static void vary(unsigned processor, bool online, int status)
{
    struct cause cause;
    ck_assert_int_eq(processor_vary(host, processor, online, &cause), status);
}

static void dedicate(struct vm *vm, bool on, int status)
{
    struct cause cause;
    ck_assert_int_eq(processor_dedicate(&vm->vcpu[0], on, &cause), status);
}

START_TEST(varied_offline)
{
    const struct vm_host_config two = {.processors = 2};
    for (unsigned i = 0; i < 2; i++)
        machine(two, 1, SHARE_DEFAULT, counting);
    vary(1, true, ST_REFUSED);
    vary(1, false, ST_OK);
    stays_on(vms[0], 0);
    stays_on(vms[1], 0);
    vary(1, false, ST_REFUSED);
    vary(0, false, ST_REFUSED); /* the last one */
    vary(2, false, ST_NOENT);
    vary(1, true, ST_OK);
    while (runs_on(vms[0]) != 1 && runs_on(vms[1]) != 1)
        sched_yield();
    vary(0, false, ST_OK);
    stays_on(vms[0], 1);
    stays_on(vms[1], 1);
}
END_TEST

START_TEST(a_processor_of_its_own)
{
    const struct vm_host_config two = {.processors = 2};
    for (unsigned i = 0; i < 3; i++)
        machine(two, 1, SHARE_DEFAULT, counting);
    dedicate(vms[0], false, ST_REFUSED);
    dedicate(vms[0], true, ST_OK);
    stays_on(vms[0], 1);
    stays_on(vms[1], 0);
    stays_on(vms[2], 0);
    dedicate(vms[0], true, ST_REFUSED);
    dedicate(vms[1], true, ST_LIMIT); /* the last that the others have */
    vary(1, false, ST_REFUSED);
    vm_hold(vms[0]);
    u64 insns = vm_instructions(vms[0]);
    sched_yield();
    ck_assert_uint_eq(vm_instructions(vms[0]), insns);
    vm_release(vms[0]);
    stays_on(vms[0], 1);
    dedicate(vms[0], false, ST_OK);
    while (runs_on(vms[1]) != 1 && runs_on(vms[2]) != 1)
        sched_yield();
    dedicate(vms[2], true, ST_OK); /* and its machine ends: the processor is everybody's */
    vm_destroy(vms[--vm_count]);
    while (runs_on(vms[0]) != 1 && runs_on(vms[1]) != 1)
        sched_yield();
}
END_TEST

/* CPUs run on processors of their type while there are any. */
START_TEST(types_of_processors)
{
    const struct vm_host_config mixed = {.processors = 2, .processor_type = {0, 3}};
    machine(mixed, 1, SHARE_DEFAULT, counting);
    struct vm *ifl = machine(mixed, 1, SHARE_DEFAULT, counting);
    lock_take(&host->lock);
    ifl->config.cpu_type[0] = 3;
    lock_drop(&host->lock);
    stays_on(vms[0], 0);
    stays_on(ifl, 1);
    vary(1, false, ST_OK);
    stays_on(ifl, 0);
    vary(0, false, ST_REFUSED); /* the last of the primary type */
    vary(1, true, ST_OK);
    stays_on(ifl, 1);
    stays_on(vms[0], 0);
}
END_TEST

/* ---- locks ---- */

/* Each CPU (register 9: its address + 1) takes the lock at X'800', works, counts at X'810', gives
 * the lock back and works on without it. Who finds it taken 1000 times yields. */
static const u8 locking[] = {
    0xa7, 0x18, 0x00, 0x00,             /* 400 again: LHI 1,0 */
    0x18, 0x29,                         /* 404 LR 2,9 */
    0xa7, 0x48, 0x03, 0xe8,             /* 406 LHI 4,1000 */
    0xba, 0x12, 0x08, 0x00,             /* 40A spin: CS 1,2,LOCK */
    0xa7, 0x84, 0x00, 0x0d,             /* 40E JE got */
    0x18, 0x51,                         /* 412 LR 5,1 */
    0xa7, 0x18, 0x00, 0x00,             /* 414 LHI 1,0 */
    0xa7, 0x46, 0xff, 0xf9,             /* 418 BRCT 4,spin */
    0xa7, 0x5a, 0xff, 0xff,             /* 41C AHI 5,-1: address of the holder */
    0x83, 0x50, 0x00, 0x9c,             /* 420 DIAG 5,0,X'9C' */
    0xa7, 0xf4, 0xff, 0xee,             /* 424 J again */
    0xa7, 0x68, 0x26, 0xf5,             /* 428 got: LHI 6,9973 */
    0xa7, 0x66, 0x00, 0x00,             /* 42C BRCT 6,* */
    0xe3, 0x70, 0x08, 0x10, 0x00, 0x04, /* 430 LG 7,COUNT */
    0xa7, 0x7b, 0x00, 0x01,             /* 436 AGHI 7,1 */
    0xe3, 0x70, 0x08, 0x10, 0x00, 0x24, /* 43A STG 7,COUNT */
    0xa7, 0x38, 0x00, 0x00,             /* 440 LHI 3,0 */
    0x50, 0x30, 0x08, 0x00,             /* 444 ST 3,LOCK */
    0xa7, 0x68, 0x17, 0xf3,             /* 448 LHI 6,6131 */
    0xa7, 0x66, 0x00, 0x00,             /* 44C BRCT 6,* */
    0xa7, 0xf4, 0xff, 0xd8,             /* 450 J again */
};
static const struct ipled_piece locks[] = {
    {0, psw, sizeof psw}, {CODE_AT, locking, sizeof locking}, {0, NULL, 0}};
#define DIAG_AT 0x420
#define COUNT_AT 0x810

/* The other CPUs begin where the first one does. */
static void start_all(struct vm *vm, unsigned cpus)
{
    vm_hold(vm);
    for (unsigned i = 0; i < cpus; i++) {
        cpu_gr(vm->vcpu[i].cpu)[9] = i + 1;
        cpu_psw_set(vm->vcpu[i].cpu, 0x0000000080000000ull, CODE_AT);
        cpu_start(vm->vcpu[i].cpu);
        vcpu_wake(&vm->vcpu[i]);
    }
    vm_release(vm);
}

/* What `cpus` CPUs count on one processor in 0.2 s; `diag`: the code they yield with. */
static u64 counted(unsigned cpus, u16 diag)
{
    u8 code[2] = {(u8)(diag >> 8), (u8)diag};
    struct vm *vm = machine(deterministic, cpus, SHARE_DEFAULT, locks);
    storage_write(vm_storage(vm), DIAG_AT + 2, code, sizeof code);
    start_all(vm, cpus);
    run_for(S_NS / 5);
    u64 count = stored(vm, COUNT_AT);
    vm_destroy(vm);
    vm_host_destroy(host);
    vm_count = 0;
    return count;
}

/* A guest with four CPUs that contend for a lock on one processor loses at most 15 per cent of what
 * one CPU does alone; time is counted in instructions. */
START_TEST(contention_costs_little)
{
    u64 alone = counted(1, 0x9c), directed = counted(4, 0x9c), undirected = counted(4, 0x44);
    ck_assert_msg(directed >= alone * 85 / 100, "%llu of %llu", (unsigned long long)directed,
                  (unsigned long long)alone);
    ck_assert_msg(undirected >= alone * 85 / 100, "%llu of %llu",
                  (unsigned long long)undirected, (unsigned long long)alone);
    ck_assert_msg(directed >= undirected, "%llu directed, %llu not",
                  (unsigned long long)directed, (unsigned long long)undirected);
    machine(deterministic, 1, SHARE_DEFAULT, locks); /* for the end of it */
}
END_TEST

/* ---- time ---- */

/* STPT X'900'; STCK X'908'; J back */
static const u8 clocks[] = {0xb2, 0x09, 0x09, 0x00, 0xb2, 0x05,
                            0x09, 0x08, 0xa7, 0xf4, 0xff, 0xfc};
static const struct ipled_piece telling[] = {
    {0, psw, sizeof psw}, {CODE_AT, clocks, sizeof clocks}, {0, NULL, 0}};

/* [D7] Three guests on one processor: each one's CPU timer runs a third of the time, which is what
 * Linux takes the rest of for stolen. */
START_TEST(the_timer_of_a_cpu_that_waits_stands_still)
{
    for (unsigned i = 0; i < 3; i++)
        machine(deterministic, 1, SHARE_DEFAULT, telling);
    run_for(S_NS / 20);
    u64 timer = stored(vms[0], 0x900), tod = stored(vms[0], 0x908);
    u64 insns = vm_instructions(vms[0]);
    run_for(S_NS / 10);
    double ran = (double)(timer - stored(vms[0], 0x900));
    double went = (double)(stored(vms[0], 0x908) - tod);
    double executed = (double)(vm_instructions(vms[0]) - insns) * VM_DET_NS_PER_INSN *
                      4.096; /* in TOD units */
    ck_assert_msg(ran > went * .32 && ran < went * .35, "%.3f", ran / went);
    ck_assert_msg(ran > executed * .97 && ran < executed * 1.03, "%.3f", ran / executed);
}
END_TEST

/* The clock comparator in a millisecond; count at X'910'; wait. */
static const u8 ticking[] = {
    0xeb, 0x00, 0x09, 0x30, 0x00, 0x2f, /* LCTLG 0,0,X'930' */
    0xb2, 0x05, 0x09, 0x00,             /* STCK X'900' */
    0xe3, 0x10, 0x09, 0x00, 0x00, 0x04, /* LG 1,X'900' */
    0xe3, 0x10, 0x09, 0x08, 0x00, 0x08, /* AG 1,X'908' */
    0xe3, 0x10, 0x09, 0x00, 0x00, 0x24, /* STG 1,X'900' */
    0xb2, 0x06, 0x09, 0x00,             /* SCKC X'900' */
    0xa7, 0x8b, 0x00, 0x01,             /* AGHI 8,1 */
    0xe3, 0x80, 0x09, 0x10, 0x00, 0x24, /* STG 8,X'910' */
    0xb2, 0xb2, 0x09, 0x20,             /* LPSWE X'920' */
};
static const u8 tick_psws[] = {0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0};
static const u8 tick_data[0x38] = {
    [0x0d] = 0x3e, [0x0e] = 0x80,                               /* 908: 1 ms */
    [0x20] = 0x01, [0x21] = 0x02, [0x23] = 0x01, [0x24] = 0x80, /* 920: enabled wait */
    [0x36] = 0x08,                                              /* 930: CR0 */
};
static const struct ipled_piece ticks[] = {{0, psw, sizeof psw},
                                           {0x1b0, tick_psws, sizeof tick_psws},
                                           {CODE_AT, ticking, sizeof ticking},
                                           {0x900, tick_data, sizeof tick_data},
                                           {0, NULL, 0}};

static u64 sleeps(void)
{
    u64 sum = 0;
    lock_take(&host->lock);
    for (unsigned i = 0; i < host->processors; i++)
        sum += host->processor[i].sleeps;
    lock_drop(&host->lock);
    return sum;
}

/* [P1] However many processors sleep, a timer wakes one. Where the host keeps them waiting one may
 * sleep twice for a tick now and then: a stretch of several must show it. */
START_TEST(a_timer_wakes_one_processor)
{
    struct vm *vm = machine((struct vm_host_config){.processors = 4}, 1, SHARE_DEFAULT, ticks);
    u64 n = 2, went = 1;
    while (stored(vm, 0x910) < 10)
        usleep(1000);
    for (unsigned k = 0; k < STRETCHES_MAX && n > went + went / 10; k++) {
        u64 from = sleeps(), ticked = stored(vm, 0x910);
        while (stored(vm, 0x910) < ticked + 500)
            usleep(1000);
        n = sleeps() - from;
        went = stored(vm, 0x910) - ticked;
    }
    ck_assert_msg(n <= went + went / 10, "%llu times for %llu ticks", (unsigned long long)n,
                  (unsigned long long)went);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_dispatch");
    TCase *tc = tcase_create("dispatch");
    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, four_guests_on_two_processors);
    tcase_add_test(tc, varied_offline);
    tcase_add_test(tc, a_processor_of_its_own);
    tcase_add_test(tc, types_of_processors);
    tcase_add_test(tc, contention_costs_little);
    tcase_add_test(tc, the_timer_of_a_cpu_that_waits_stands_still);
    tcase_add_test(tc, a_timer_wakes_one_processor);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
