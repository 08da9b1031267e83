/* Slack of machines that idle: how late, when together; and the dispatcher with it: a machine that
 * ticks is woken late, not one whose programs run, and what comes for one CPU ends it for all.
 * [I1], [I2] of hyp/dispatch/slack.c, [D9] of dispatch.c.
 * Run alone: tests/run unit/hyp_slack_test */
#include <check.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/dispatch/slack.h"
#include "hyp/vm_internal.h"
#include "tests/lib/ipled_machine.h"

#define MS 1000000ull
#define MAX_MS 50u
#define CODE_AT 0x400
#define COUNT_AT 0x910
#define NOTES_MAX 16
#define ROUNDS 24

/* ---- how late ---- */

START_TEST(a_part_of_the_quiet_time)
{
    const u64 maxima[] = {10 * MS, 100 * MS, 500 * MS, 1000 * MS};
    for (size_t i = 0; i < ARRAY_LEN(maxima); i++) {
        u64 before = 0;
        for (u64 quiet = 0; quiet < 64000 * MS; quiet += 777777) {
            u64 slack = slack_for(quiet, maxima[i]);
            ck_assert_uint_le(slack, quiet / SLACK_PART);
            ck_assert_uint_le(slack, maxima[i]);
            ck_assert_uint_ge(slack, before); /* it does not shrink */
            before = slack;
        }
        ck_assert_uint_eq(before, maxima[i]);
    }
    ck_assert_uint_eq(slack_for(~0ull, 0), 0);
    ck_assert_uint_eq(slack_for(SLACK_PART * SLACK_NS_MIN - 1, SLACK_NS_MIN), 0);
}
END_TEST

/* Never early, late by the slack at most; whose slack is half another's is there, too. */
START_TEST(woken_together)
{
    for (u64 due = 12345678901ull; due < 12345678901ull + 300 * MS; due += 333331) {
        for (u64 slack = 500 * MS; slack >= SLACK_NS_MIN; slack /= 2) {
            u64 at = slack_until(due, slack), half = slack_until(at - slack / 4, slack / 2);
            ck_assert_uint_ge(at, due);
            ck_assert_uint_le(at, due + slack);
            ck_assert_uint_eq(slack_until(due + (at - due) / 2, slack), at);
            ck_assert_uint_eq(half, at);
        }
        ck_assert_uint_eq(slack_until(due, 0), due);
    }
    ck_assert_uint_eq(slack_until(~0ull, MS), ~0ull);
}
END_TEST

/* ---- machines ---- */

static struct {
    void (*fn)(void *arg);
    void *arg;
} notes[NOTES_MAX];
static unsigned note_count;

static void post(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    ck_assert_uint_lt(note_count, NOTES_MAX);
    notes[note_count].fn = fn;
    notes[note_count++].arg = arg;
}

/* In a millisecond; count at X'910' + 8 * the CPU's address, which is in register 9; wait. */
static const u8 ticking[] = {
    0xeb, 0x00, 0x0a, 0x30, 0x00, 0x2f, /* LCTLG 0,0,X'A30' */
    0xb2, 0x05, 0x0a, 0x00,             /* STCK X'A00' */
    0xe3, 0x10, 0x0a, 0x00, 0x00, 0x04, /* LG 1,X'A00' */
    0xe3, 0x10, 0x0a, 0x08, 0x00, 0x08, /* AG 1,X'A08' */
    0xe3, 0x19, 0x09, 0x80, 0x00, 0x24, /* STG 1,X'980'(9) */
    0xb2, 0x06, 0x99, 0x80,             /* SCKC X'980'(9) */
    0xa7, 0x8b, 0x00, 0x01,             /* AGHI 8,1 */
    0xe3, 0x89, 0x09, 0x10, 0x00, 0x24, /* STG 8,X'910'(9) */
    0xb2, 0xb2, 0x0a, 0x20,             /* LPSWE X'A20' */
};
static const u8 psw[] = {0x00, 0x08, 0, 0, 0x80, 0, CODE_AT >> 8, CODE_AT & 0xff};
static const u8 to_ticking[] = {0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, CODE_AT >> 8, 0};
static const u8 to_program[] = {0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0xc0};
static const u8 data[0x38] = {
    [0x0d] = 0x3e, [0x0e] = 0x80,                               /* A08: 1 ms */
    [0x20] = 0x01, [0x21] = 0x02, [0x23] = 0x01, [0x24] = 0x80, /* A20: enabled wait */
    [0x36] = 0x08,                                              /* A30: CR0 */
};
static const struct ipled_piece ticks[] = {{0, psw, sizeof psw},
                                           {0x1b0, to_ticking, sizeof to_ticking},
                                           {CODE_AT, ticking, sizeof ticking},
                                           {0xa00, data, sizeof data},
                                           {0, NULL, 0}};

/* The same, but that each tick has a program in problem state call the supervisor. */
static const u8 dispatching[] = {0xb2, 0xb2, 0x0a, 0x80}; /* LPSWE X'A80' */
static const u8 problem[] = {0, 1, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0x90}; /* A80 */
static const u8 calling[] = {0x0a, 0x00}; /* A90: SVC 0 */
static const struct ipled_piece programs[] = {{0, psw, sizeof psw},
                                              {0x1b0, to_program, sizeof to_program},
                                              {0x1c0, to_ticking, sizeof to_ticking},
                                              {CODE_AT, ticking, sizeof ticking},
                                              {0x4c0, dispatching, sizeof dispatching},
                                              {0xa00, data, sizeof data},
                                              {0xa80, problem, sizeof problem},
                                              {0xa90, calling, sizeof calling},
                                              {0, NULL, 0}};

static struct vm_host *host;
static struct vm *vm;
static const struct vm_host_events events;

static void make(const struct ipled_piece *pieces, unsigned cpus, unsigned slack_ms)
{
    const struct vm_host_config hc = {.processors = 2, .idle_slack_ms = slack_ms};
    note_count = 0;
    ipled_machine(hc, post, &events, cpus, pieces, &host, &vm);
    vm_hold(vm);
    for (unsigned i = 1; i < cpus; i++) {
        cpu_gr(vm->vcpu[i].cpu)[9] = 8 * i;
        cpu_psw_set(vm->vcpu[i].cpu, 0x0000000180000000ull, CODE_AT);
        cpu_start(vm->vcpu[i].cpu);
        vcpu_wake(&vm->vcpu[i]);
    }
    vm_release(vm);
}

static void teardown(void)
{
    vm_destroy(vm);
    for (unsigned i = 0; i < note_count; i++)
        notes[i].fn(notes[i].arg);
    vm_host_destroy(host);
}

static u64 ticked(unsigned cpu)
{
    u8 b[8];
    ck_assert(storage_read(vm_storage(vm), COUNT_AT + 8 * cpu, b, sizeof b));
    return be64_load(b);
}

/* [P1] of processor.c: somebody is awake, or wakes by himself before anybody's timer is late. */
static void covered_locked(void)
{
    u64 wakes = ~0ull;
    for (unsigned i = 0; i < host->processors; i++) {
        const struct processor *p = &host->processor[i];
        if (!p->asleep)
            return;
        wakes = p->wakes_ns < wakes ? p->wakes_ns : wakes;
    }
    ck_assert_uint_le(wakes, processor_soonest_locked(host));
}

/* How late CPU i is to be woken; ~0: it is not idle. Never more than [I1] allows. What it is at
 * the next look may be something else. */
static u64 late_by(unsigned i)
{
    const struct vcpu *v = &vm->vcpu[i];
    u64 late = ~0ull;
    lock_take(&host->lock);
    covered_locked();
    if (v->place == VCPU_IDLE) {
        late = v->deadline_ns - v->wanted_ns;
        u64 quiet = host_now_ns(host) - vm->stirred_ns;
        ck_assert_msg(late <= quiet / SLACK_PART && late <= host->slack_ns,
                      "%llu ns late after %llu", (unsigned long long)late,
                      (unsigned long long)quiet);
        if (late)
            ck_assert_uint_eq(v->deadline_ns % (SLACK_NS_MIN / 8), 0);
    }
    lock_drop(&host->lock);
    return late;
}

static void until_late(unsigned i, u64 ns)
{
    u64 late;
    do {
        usleep(500);
        late = late_by(i);
    } while (late == ~0ull || late < ns);
}

/* Its timers are exact, or it runs, at each look until it has ticked so often. */
static void exact_for(unsigned i, u64 times)
{
    for (u64 from = ticked(i); ticked(i) < from + times; usleep(500)) {
        u64 late = late_by(i);
        ck_assert(late == 0 || late == ~0ull);
    }
}

/* It becomes later by and by; what comes for one CPU makes the other's timer exact at once. */
START_TEST(who_ticks_is_woken_late)
{
    make(ticks, 2, MAX_MS);
    until_late(0, 10 * MS);
    until_late(1, 30 * MS);
    for (unsigned k = 0; k < 4; k++) {
        until_late(0, 6 * MS);
        vcpu_wake(&vm->vcpu[1]); /* an event */
        late_by(0);
        late_by(1);
    }
    until_late(0, 6 * MS);
    dispatch_quickdsp(vm, true);
    exact_for(0, 400);
    dispatch_quickdsp(vm, false);
    until_late(0, 6 * MS);
    dispatch_slack(host, 0);
    exact_for(0, 400);
    dispatch_slack(host, 20);
    ck_assert_uint_eq(dispatch_slack_ms(host), 20);
    until_late(0, 10 * MS);
}
END_TEST

/* ---- what ends it, at any moment ---- */

/* As if nothing had happened for so long that there is all the slack. */
static void quiet(void)
{
    lock_take(&host->lock);
    vm->stirred_ns = host_now_ns(host) - 2 * MAX_MS * MS * SLACK_PART;
    lock_drop(&host->lock);
}

static void end_quickdsp(bool on)
{
    dispatch_quickdsp(vm, on);
}

static void end_srm(bool on)
{
    dispatch_slack(host, on ? 0 : MAX_MS);
}

static void end_event(bool on)
{
    if (on)
        vcpu_wake(&vm->vcpu[1]);
}

/* After an event the quiet time begins anew: late_by sees to what it allows. */
static const struct {
    void (*end)(bool on);
    bool none; /* there is no slack until `end(false)` */
} ways[] = {{end_quickdsp, true}, {end_srm, true}, {end_event, false}};

/* Which of its places CPU 0 is at when slack ends: late, exact, running, or on the way from one to
 * another; `how` makes the moments differ from round to round. */
static void some_moment(unsigned how)
{
    u64 from = ticked(0);
    if (how % 3 == 0)
        until_late(0, SLACK_NS_MIN);
    else if (how % 3 == 1)
        while (ticked(0) == from)
            usleep(200);
    for (unsigned n = how % 64; n; n--)
        sched_yield();
}

/* Setting QUICKDSP or the SRM value, or an event, reaches a CPU that sleeps late, one that is about
 * to, and one that runs alike: from then on no timer is late, and nobody sleeps beyond one. */
START_TEST(ends_at_any_moment)
{
    make(ticks, 2, MAX_MS);
    for (unsigned round = 0; round < ROUNDS; round++) {
        quiet();
        some_moment(round);
        ways[_i].end(true);
        for (unsigned look = 0; look < 20; look++)
            for (unsigned i = 0; i < 2; i++) {
                u64 late = late_by(i);
                ck_assert_msg(!ways[_i].none || late == 0 || late == ~0ull,
                              "CPU %u late by %llu ns", i, (unsigned long long)late);
            }
        ways[_i].end(false);
    }
}
END_TEST

/* With all the slack there is, what was decoded and translated is dropped, once; the machine ticks
 * on. When something comes that is over. */
START_TEST(trimmed_once)
{
    make(ticks, 1, 10);
    struct vcpu *v = &vm->vcpu[0];
    for (bool trimmed = false; !trimmed; usleep(500)) {
        lock_take(&host->lock);
        trimmed = v->trimmed;
        ck_assert(!trimmed || host_now_ns(host) - vm->stirred_ns >= 10 * MS * SLACK_PART);
        lock_drop(&host->lock);
    }
    for (u64 from = ticked(0); ticked(0) < from + 20; usleep(500))
        ;
    vcpu_wake(v);
    lock_take(&host->lock);
    bool still = v->trimmed && host_now_ns(host) - vm->stirred_ns < 10 * MS * SLACK_PART;
    lock_drop(&host->lock);
    ck_assert(!still);
}
END_TEST

/* Programs have timers of their own: nobody wakes them late. */
START_TEST(whose_programs_run_is_not)
{
    make(programs, 1, MAX_MS);
    exact_for(0, 600);
}
END_TEST

START_TEST(not_in_deterministic_mode)
{
    const struct vm_host_config hc = {.deterministic = true, .idle_slack_ms = MAX_MS};
    ipled_machine(hc, post, &events, 1, ticks, &host, &vm);
    ck_assert_uint_eq(dispatch_slack_ms(host), 0);
    dispatch_slack(host, MAX_MS);
    ck_assert_uint_eq(dispatch_slack_ms(host), 0);
    while (ticked(0) < 2000)
        ck_assert(vm_host_run(host));
    ck_assert(!vm->late);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_slack");
    TCase *pure = tcase_create("slack"), *tc = tcase_create("dispatcher");
    tcase_add_test(pure, a_part_of_the_quiet_time);
    tcase_add_test(pure, woken_together);
    suite_add_tcase(suite, pure);
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, NULL, teardown);
    tcase_add_test(tc, who_ticks_is_woken_late);
    tcase_add_loop_test(tc, ends_at_any_moment, 0, ARRAY_LEN(ways));
    tcase_add_test(tc, trimmed_once);
    tcase_add_test(tc, whose_programs_run_is_not);
    tcase_add_test(tc, not_in_deterministic_mode);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
