/* TRACE of a machine that runs: which instructions and interruptions are told, in z/VM's form and
 * before the machine does anything behind them; where it stops; what the program does not see.
 * Run alone: tests/run unit/hyp_trace_test */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hyp/vm_internal.h"
#include "tests/lib/ipled_machine.h"

#define WAIT_AT 0x500
#define ALL .last = ~0ull, .into_last = ~0ull

static struct vm_host *host;
static struct vm *vm;
static char told[4096];
static u64 stored_when_told;

static void add(const char *line)
{
    strncat(told, line, sizeof told - strlen(told) - 2);
    strcat(told, "|");
}

static void on_traced(void *ctx, struct vm *of, const struct vm_traced *what)
{
    u8 word[4];
    (void)ctx;
    ck_assert_ptr_eq(of, vm);
    storage_read(vm_storage(vm), 0x900, word, 4);
    stored_when_told = be32_load(word);
    if (what->show & 1)
        add(what->insn);
    if (what->show & 2)
        add(what->interruption);
    if (what->stopped)
        add("stopped");
}

static void setup(void)
{
    static const u8 ipl[] = {0x00, 0x08, 0, 0, 0x80, 0, 0x04, 0x00};
    static const u8 svc_new[] = {0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x04, 0x0a};
    static const u8 pgm_new[] = {0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x04, 0x20};
    static const u8 code[] = {0xa7, 0x38, 0x00, 0x01, /* 400 LHI 3,1 */
                              0x50, 0x30, 0x09, 0x00, /* 404 ST 3,X'900' */
                              0x0a, 0x05,             /* 408 SVC 5 */
                              0xa7, 0xf4, 0x00, 0x03, /* 40A J 410 */
                              0x07, 0x00,             /* 40E */
                              0x00, 0x00,             /* 410 operation exception */
                              0x07, 0x00};
    static const u8 handler[] = {0xa7, 0x46, 0xff, 0xf0, /* 420 BRCT 4,400: round again */
                                 0xb2, 0xb2, 0x05, 0x00};
    static const u8 wait[16] = {0, 0x02, 0, 1, 0x80};
    const struct ipled_piece pieces[] = {{0, ipl, sizeof ipl},
                                         {0x1c0, svc_new, sizeof svc_new},
                                         {0x1d0, pgm_new, sizeof pgm_new},
                                         {0x400, code, sizeof code},
                                         {0x420, handler, sizeof handler},
                                         {WAIT_AT, wait, sizeof wait},
                                         {0, NULL, 0}};
    const struct vm_host_events events = {.traced = on_traced};
    told[0] = 0;
    ipled_machine((struct vm_host_config){.deterministic = true}, ipled_at_once, &events, 1,
                  pieces, &host, &vm);
    cpu_gr(vm->vcpu[0].cpu)[4] = 1; /* once */
}

static void teardown(void)
{
    vm_destroy(vm);
    vm_host_destroy(host);
}

static void run(void)
{
    while (vm_host_run(host))
        ;
}

static void trace(const struct vm_trap *traps, unsigned count)
{
    ck_assert_int_eq(vm_trace(vm, traps, count), ST_OK);
}

static bool at_the_end(void)
{
    return vm->vcpu[0].last_exit == CPU_EXIT_DISABLED_WAIT;
}

START_TEST(every_instruction)
{
    const struct vm_trap t = {VM_TRAP_INSN, 1, ALL, .run = true};
    trace(&t, 1);
    run();
    ck_assert_str_eq(told, " -> 00000400  LHI     A7380001   CC 0|"
                           " -> 00000404  ST      50300900 >> 00000900    CC 0|"
                           " -> 00000408  SVC     0A05   CC 0|"
                           " -> 0000040A  BRC     A7F40003 -> 00000410    CC 0|"
                           " -> 00000420  BRCT    A746FFF0   CC 0|"
                           " -> 00000424  LPSWE   B2B20500 -> 00000000    CC 0|");
    ck_assert(at_the_end());
}
END_TEST

START_TEST(interruptions)
{
    const struct vm_trap t[] = {{VM_TRAP_SVC, 1, .last = 0xffff, .run = true},
                                {VM_TRAP_PROG, 2, .last = 0xffff, .run = true}};
    trace(t, 2);
    run();
    ck_assert_str_eq(told, " *** 00000408  SVC   0005 -> 0000040A|"
                           " *** 00000410  PROG  0001 -> 00000420|");
    u8 code[2];
    storage_read(vm_storage(vm), 0x8e, code, 2);
    ck_assert_uint_eq(be16_load(code), 1); /* no PER event for the program */
}
END_TEST

START_TEST(codes_and_ranges)
{
    const struct vm_trap t[] = {
        {VM_TRAP_SVC, 1, .first = 6, .last = 0xff, .run = true},
        {VM_TRAP_STORE, 2, .last = ~0ull, .into_first = 0x903, .into_last = 0x910, .run = true},
        {VM_TRAP_STORE, 3, .last = ~0ull, .into_first = 0x904, .into_last = 0x910, .run = true},
        {VM_TRAP_BRANCH, 4, .last = ~0ull, .into_first = 0x410, .into_last = 0x410,
         .run = true},
        {VM_TRAP_INSN, 5, .last = ~0ull, .mnemonic = "LHI", .run = true},
        {VM_TRAP_INSN, 6, .first = 0x424, .last = 0x424, .run = true, .silent = true}};
    trace(t, ARRAY_LEN(t));
    run();
    ck_assert_str_eq(told, " -> 00000400  LHI     A7380001   CC 0|"
                           " -> 00000404  ST      50300900 >> 00000900    CC 0|"
                           " -> 0000040A  BRC     A7F40003 -> 00000410    CC 0|");
}
END_TEST

START_TEST(it_stops_before_anything_else_happens)
{
    const struct vm_trap t = {VM_TRAP_INSN, 1, .first = 0x400, .last = 0x407};
    trace(&t, 1);
    run();
    ck_assert_str_eq(told, " -> 00000400  LHI     A7380001   CC 0|stopped|");
    ck_assert_uint_eq(stored_when_told, 0);
    ck_assert_int_eq(vm_state(vm), VM_STOPPED);
    told[0] = 0;
    vm_begin(vm, -1);
    run();
    ck_assert_str_eq(told, " -> 00000404  ST      50300900 >> 00000900    CC 0|stopped|");
    ck_assert_uint_eq(stored_when_told, 1);
    told[0] = 0;
    trace(NULL, 0);
    vm_begin(vm, -1);
    run();
    ck_assert_str_eq(told, "");
    ck_assert(at_the_end());
}
END_TEST

/* Four rounds; the BRCT is told by its third, then by every second. */
START_TEST(skip_pass_step_stop)
{
    const struct vm_trap t = {VM_TRAP_INSN, 1,         .first = 0x404, .last = 0x404,
                              .skip = 2,    .pass = 1, .stop = 2};
    cpu_gr(vm->vcpu[0].cpu)[4] = 6;
    trace(&t, 1);
    run(); /* rounds 1, 2 skipped, 3 passed, 4 told, 5 passed, 6 told and stopped */
    ck_assert_str_eq(told, " -> 00000404  ST      50300900 >> 00000900    CC 0|"
                           " -> 00000404  ST      50300900 >> 00000900    CC 0|stopped|");
    ck_assert_uint_eq(cpu_gr(vm->vcpu[0].cpu)[4], 1);
}
END_TEST

/* TRACE DELETE of one before it: what a trap has skipped stays skipped. */
START_TEST(counters_outlive_the_traps_before)
{
    const struct vm_trap t[] = {{VM_TRAP_INSN, 1, .first = 0x40a, .last = 0x40a},
                                {VM_TRAP_INSN, 2, .first = 0x404, .last = 0x404, .skip = 2}};
    cpu_gr(vm->vcpu[0].cpu)[4] = 6;
    trace(t, 2);
    run(); /* round 1: skipped once, and the first trap stops it */
    ck_assert_uint_eq(cpu_gr(vm->vcpu[0].cpu)[4], 6);
    trace(t + 1, 1);
    vm_begin(vm, -1);
    run(); /* round 2 skipped, 3 told */
    ck_assert_uint_eq(cpu_gr(vm->vcpu[0].cpu)[4], 4);
}
END_TEST

START_TEST(counting)
{
    const struct vm_trap t = {VM_TRAP_INSN, 1, ALL};
    trace(&t, 1);
    vm_trace_count(vm, true);
    run();
    ck_assert_str_eq(told, "");
    ck_assert(at_the_end());
    ck_assert_uint_eq(vm_trace_count(vm, false), 6);
}
END_TEST

/* A reset while a hit is on its way would be for a machine that has gone; and traps stay. */
START_TEST(traps_stay_over_a_reset)
{
    const struct vm_trap t = {VM_TRAP_INSN, 1, .first = 0x400, .last = 0x400};
    trace(&t, 1);
    run();
    vm_system_reset(vm, false);
    told[0] = 0;
    cpu_psw_set(vm->vcpu[0].cpu, 0x0000000180000000, 0x400);
    vm->ipled = true;
    vm->vcpu[0].parked = true;
    vm_begin(vm, -1);
    run();
    ck_assert_str_eq(told, " -> 00000400  LHI     A7380001   CC 0|stopped|");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_trace");
    TCase *tc = tcase_create("trace");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, every_instruction);
    tcase_add_test(tc, interruptions);
    tcase_add_test(tc, codes_and_ranges);
    tcase_add_test(tc, it_stops_before_anything_else_happens);
    tcase_add_test(tc, skip_pass_step_stop);
    tcase_add_test(tc, counters_outlive_the_traps_before);
    tcase_add_test(tc, counting);
    tcase_add_test(tc, traps_stay_over_a_reset);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
