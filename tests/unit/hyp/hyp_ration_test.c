/* A machine whose stores are rationed: [D5] of hyp/dispatch/dispatch.c and CPU_RATIONED of cpu/, in
 * deterministic mode, by the interpreter and by translated code. What it stores tells whether each
 * instruction was executed once.
 * Run alone: tests/run unit/hyp_ration_test */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "hyp/vm_internal.h"
#include "tests/lib/ipled_machine.h"

#define CODE_AT 0x400
#define FIRST_PAGE 0x10u
#define PAGES 224u
#define INTERRUPTS_AT 0x900

static struct vm_host *host;
static struct vm *vm;
static u64 *set;

/* Enabled for external interruptions; new PSW of those: count, go back. */
static const u8 psw[] = {0x01, 0x08, 0, 0, 0x80, 0, CODE_AT >> 8, CODE_AT & 0xff};
static const u8 ext_new[] = {0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0};
static const u8 handler[] = {0xeb, 0x01, 0x09, 0x00, 0x00, 0x6a, /* ASI X'900',1 */
                             0xb2, 0xb2, 0x01, 0x30};            /* LPSWE X'130' */

/* R2 = 1, 2, 3 ... into the first word of one page after the other, for ever. */
static const u8 writer[] = {0xa7, 0x18, 0x10, 0x00,  /* LHI 1,X'1000' */
                            0x89, 0x10, 0x00, 0x04,  /* SLL 1,4 */
                            0xa7, 0x38, 0x00, PAGES, /* LHI 3,PAGES */
                            0xa7, 0x2a, 0x00, 0x01,  /* AHI 2,1 */
                            0x50, 0x20, 0x10, 0x00,  /* ST 2,0(,1) */
                            0xa7, 0x1a, 0x10, 0x00,  /* AHI 1,4096 */
                            0xa7, 0x36, 0xff, 0xfa,  /* BRCT 3,.-12 */
                            0xa7, 0xf4, 0xff, 0xf2}; /* J to the begin */

/* All these pages in one MVCL, for ever. */
static const u8 filler[] = {0xa7, 0x88, 0x10, 0x00,  /* LHI 8,X'1000' */
                            0x89, 0x80, 0x00, 0x04,  /* SLL 8,4 */
                            0xa7, 0x98, 0x0e, 0x00,  /* LHI 9,X'E00' */
                            0x89, 0x90, 0x00, 0x08,  /* SLL 9,8 */
                            0xa7, 0xa8, 0x00, 0x00,  /* LHI 10,0 */
                            0xa7, 0xb8, 0x00, 0x5a,  /* LHI 11,X'5A' */
                            0x89, 0xb0, 0x00, 0x18,  /* SLL 11,24 */
                            0x0e, 0x8a,              /* MVCL 8,10 */
                            0xa7, 0x2a, 0x00, 0x01,  /* AHI 2,1 */
                            0xa7, 0xf4, 0xff, 0xef}; /* J to the begin */

static const enum cpu_engine engines[] = {CPU_ENGINE_INTERP, CPU_ENGINE_JIT};

static bool machine(int engine, const u8 *code, size_t len)
{
    const struct ipled_piece pieces[] = {{0, psw, sizeof psw},
                                         {0x1b0, ext_new, sizeof ext_new},
                                         {0x500, handler, sizeof handler},
                                         {CODE_AT, code, len},
                                         {0, NULL, 0}};
    static const struct vm_host_events events;
    struct cause cause = {0};
    ipled_machine((struct vm_host_config){.deterministic = true}, ipled_at_once, &events, 1,
                  pieces, &host, &vm);
    set = calloc(1, storage_bitmap_bytes(vm->st));
    return cpu_set_engine(vm->cpus, engines[engine], &cause) ==
           ST_OK; /* else this host cannot */
}

static void teardown(void)
{
    free(set);
    vm_destroy(vm);
    vm_host_destroy(host);
}

static u64 round_number(void)
{
    return cpu_gr(vm->vcpu[0].cpu)[2] & 0xffffffff;
}

static void run_rounds(u64 n)
{
    for (u64 until = round_number() + n; round_number() < until;)
        ck_assert(vm_host_run(host));
}

/* A new epoch with so many tokens; what was dirty before is of no interest. */
static void epoch_with(u64 tokens)
{
    storage_ration_start(vm->st, 0);
    vm_epoch(vm, set);
    memset(set, 0, storage_bitmap_bytes(vm->st));
    storage_ration_start(vm->st, tokens);
    vm_stores_go_on(vm);
}

static void until_it_waits(void)
{
    while (vm->vcpu[0].place != VCPU_SLOWED)
        ck_assert(vm_host_run(host));
    u64 insns = vm_instructions(vm);
    vm_host_run(host);
    ck_assert_uint_eq(vm_instructions(vm), insns); /* [D5] */
}

static u64 dirtied(void)
{
    vm_epoch(vm, set);
    return storage_set_count(vm->st, set);
}

/* Page k has the number of a round that stored there: each AHI was executed once. */
static void check_pages(void)
{
    for (unsigned k = 0; k < PAGES; k++) {
        u32 value = be32_load(vm->st->base + (FIRST_PAGE + k) * FRAME_BYTES);
        ck_assert_msg(!value || (value - 1) % PAGES == k, "page %u has %u", k, value);
    }
}

START_TEST(so_many_pages_become_dirty_as_there_are_tokens)
{
    if (!machine(_i, writer, sizeof writer))
        return;
    run_rounds(200000);
    for (unsigned tokens = 8; tokens < PAGES; tokens += 37) {
        epoch_with(tokens);
        until_it_waits();
        u64 at = round_number();
        storage_ration_add(vm->st, 3); /* too few to go on for */
        vm_stores_go_on(vm);
        vm_host_run(host);
        ck_assert_uint_eq(round_number(), at);
        storage_ration_add(vm->st, 10);
        vm_stores_go_on(vm);
        until_it_waits();
        ck_assert_uint_eq(dirtied(), tokens + 13);
        check_pages();
    }
    ck_assert_uint_gt(atomic_load(&vm->st->ration.refused), 6);
    storage_ration_stop(vm->st);
    vm_stores_go_on(vm);
    run_rounds(3 * PAGES);
    ck_assert_uint_ge(dirtied(), PAGES);
    check_pages();
}
END_TEST

/* Rewriting and fetching are free: with tokens for all it writes it never waits. */
START_TEST(what_is_dirty_already_costs_nothing)
{
    if (!machine(_i, writer, sizeof writer))
        return;
    epoch_with(PAGES);
    run_rounds(20 * PAGES);
    ck_assert_uint_eq(atomic_load(&vm->st->ration.refused), 0);
    ck_assert_uint_eq(atomic_load(&vm->st->ration.taken), PAGES);
}
END_TEST

/* A wake takes it there: the interruption is taken, then the store waits again. What the
 * interruption stores is owed. */
START_TEST(interruptions_are_taken_while_it_waits)
{
    if (!machine(_i, writer, sizeof writer))
        return;
    run_rounds(1000);
    epoch_with(20);
    until_it_waits();
    for (unsigned n = 1; n <= 3; n++) {
        cpu_interrupt_key(vm->vcpu[0].cpu);
        vcpu_wake(&vm->vcpu[0]);
        until_it_waits();
        ck_assert_uint_eq(be32_load(vm->st->base + INTERRUPTS_AT), n);
    }
    ck_assert_int_eq((int)atomic_load(&vm->st->ration.tokens), -1);
    ck_assert_uint_eq(dirtied(), 21);
    check_pages();
}
END_TEST

/* What CP stores for an intercepted instruction (TSCH, SERVC) cannot wait: it is owed. */
START_TEST(stores_of_interceptions_are_owed)
{
    static const u8 word[4] = {1, 2, 3, 4};
    if (!machine(_i, writer, sizeof writer))
        return;
    run_rounds(1000);
    epoch_with(0);
    until_it_waits();
    ck_assert_int_eq(cpu_probe_logical(vm->vcpu[0].cpu, 0x8000, 16, 4), 0);
    ck_assert_int_eq(cpu_write_logical(vm->vcpu[0].cpu, 0x9000, 16, word, 4), 0);
    ck_assert_mem_eq(vm->st->base + 0x9000, word, 4);
    ck_assert_int_eq((int)atomic_load(&vm->st->ration.tokens), -2);
    storage_ration_add(vm->st, 12);
    vm_stores_go_on(vm);
    until_it_waits(); /* refused as before */
    ck_assert_uint_eq(dirtied(), 12);
}
END_TEST

/* Stopping, quiescing and a change of the ration reach a CPU that waits at once. */
START_TEST(who_waits_can_be_stopped)
{
    if (!machine(_i, writer, sizeof writer))
        return;
    run_rounds(1000);
    epoch_with(20);
    until_it_waits();
    ck_assert(vm_quiesce(vm));
    vm_unquiesce(vm);
    ck_assert_int_eq(vm_stop(vm, 0), ST_OK);
    vm_host_run(host);
    ck_assert(cpu_stopped(vm->vcpu[0].cpu));
    ck_assert_int_eq(vm_begin(vm, 0), ST_OK);
    until_it_waits();
    storage_ration_stop(vm->st);
    vm_stores_go_on(vm);
    ck_assert_int_eq(vm->vcpu[0].place, VCPU_QUEUED);
    run_rounds(PAGES);
    check_pages();
}
END_TEST

/* MVCL goes on where it was, page by page. */
START_TEST(an_interruptible_instruction_keeps_its_progress)
{
    if (!machine(_i, filler, sizeof filler))
        return;
    run_rounds(50);
    memset(vm->st->base + FIRST_PAGE * FRAME_BYTES, 0, PAGES * FRAME_BYTES);
    epoch_with(0);
    until_it_waits();
    u64 round = round_number(), given = 0;
    for (; round_number() < round + 2; given += 9) {
        storage_ration_add(vm->st, 9);
        vm_stores_go_on(vm);
        while (vm->vcpu[0].place != VCPU_SLOWED && round_number() < round + 2)
            ck_assert(vm_host_run(host));
        ck_assert_uint_le(dirtied(), given + 9);
        ck_assert_uint_lt(given, 3 * PAGES);
    }
    for (u64 at = 0; at < PAGES * FRAME_BYTES; at++)
        ck_assert_uint_eq(vm->st->base[FIRST_PAGE * FRAME_BYTES + at], 0x5a);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_ration");
    TCase *tc = tcase_create("ration");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, NULL, teardown);
    tcase_add_loop_test(tc, so_many_pages_become_dirty_as_there_are_tokens, 0, 2);
    tcase_add_loop_test(tc, what_is_dirty_already_costs_nothing, 0, 2);
    tcase_add_loop_test(tc, interruptions_are_taken_while_it_waits, 0, 2);
    tcase_add_loop_test(tc, stores_of_interceptions_are_owed, 0, 2);
    tcase_add_loop_test(tc, who_waits_can_be_stopped, 0, 2);
    tcase_add_loop_test(tc, an_interruptible_instruction_keeps_its_progress, 0, 2);
    suite_add_tcase(suite, tc);
    SRunner *sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
