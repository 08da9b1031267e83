/* Page-fault interruptions: a program that has given a token is told that an operand is on its
 * way, before the instruction has changed anything, and that it has come; in the states of the PSW
 * it has named and no others; loads, stores, operands across chunks, loops that are translated;
 * what waits goes with the machine. Run alone: tests/run unit/hyp_pfault_test */
#define STORAGE_BYTES (16u << 20)
#include "tests/lib/diag_machine.h"

#include <sched.h>
#include <stdatomic.h>

#include "mem/storage_source.h"

#define HANDLER_AT 0x500
#define LOG_AT 0x3000u
#define LOG_BYTES 32u
#define TOKEN_AT 0x1800
#define TOKEN 0x1122334455667788ull
#define PROGRAM_MASK 0x0101000180000000ull /* external interruptions, problem state */
#define PROBLEM (1ull << 48)
#define CR0_SERVICE_SIGNALS 0x200u
#define CHUNKS (STORAGE_BYTES / STORAGE_CHUNK_BYTES)
#define FIRST STORAGE_CHUNK_BYTES /* the first address that is awaited */
#define LOG_REGISTER 8

/* Chunks come when the test lets them. */
static _Atomic bool open_now;
static const struct pfault wants = {true, TOKEN_AT, PROBLEM, PROBLEM};

static bool fill(void *ctx, u64 abs, u64 len, u8 *to)
{
    (void)ctx;
    while (!atomic_load(&open_now))
        sched_yield();
    for (u64 i = 0; i < len; i += FRAME_BYTES)
        be64_store(to + i, (abs + i) >> 12);
    return true;
}

static void nothing(void *ctx)
{
    (void)ctx;
}

/* Logs subcode, token and old PSW; behind an initial interruption waits, behind a completion goes
 * back to where the last initial one came from. */
static const u8 handler[] = {
    0xd2, 0x07, 0x80, 0x00,      0x91, 0xb8, /* MVC 0(8,8),0x1b8(9): the token */
    0xd2, 0x01, 0x80, 0x08,      0x00, 0x84, /* MVC 8(2,8),0x84: subcode */
    0xd2, 0x0f, 0x80, 0x10,      0x01, 0x30, /* MVC 16(16,8),0x130: old PSW */
    0xa7, 0x8b, 0x00, LOG_BYTES,             /* AGHI 8,32 */
    0x91, 0x80, 0x00, 0x85,                  /* TM 0x85,0x80 */
    0xa7, 0x14, 0x00, 0x07,                  /* JO the completion */
    0xd2, 0x0f, 0x06, 0x00,      0x01, 0x30, /* MVC 0x600(16),0x130 */
    0xb2, 0xb2, 0x06, 0x10,                  /* LPSWE 0x610 */
    0xb2, 0xb2, 0x06, 0x00,                  /* LPSWE 0x600 */
};

static void psw_put(u64 at, u64 mask, u64 addr)
{
    u8 psw[16];
    be64_store(psw, mask);
    be64_store(psw + 8, addr);
    put(at, psw, sizeof psw);
}

/* `program` ends with SVC, which ends the run. */
static void begins(const u8 *program, size_t len, const struct pfault *with)
{
    const struct storage_source from = {fill, nothing, nothing, NULL};
    const u64 chunks = (1ull << CHUNKS) - 2;
    u8 word[8];
    load(0);
    put(CODE_AT, program, len);
    put(HANDLER_AT, handler, sizeof handler);
    psw_put(0x1b0, 0x0000000180000000ull, HANDLER_AT);
    psw_put(0x610, 0x0102000180000000ull, 0);
    psw_put(0x1c0, WAIT_MASK, ENDED);
    be64_store(word, TOKEN);
    put(TOKEN_AT, word, sizeof word);
    atomic_store(&open_now, false);
    ck_assert_int_eq(storage_source_begin(vm_storage(vm), &from, &chunks, NULL), ST_OK);
    cpu_psw_set(vm->vcpu[0].cpu, PROGRAM_MASK, CODE_AT);
    cpu_cr(vm->vcpu[0].cpu)[0] |= CR0_SERVICE_SIGNALS;
    *gr(LOG_REGISTER) = LOG_AT;
    *gr(9) = 0x1000;
    *gr(2) = FIRST;
    pfault_set(&vm->vcpu[0], with);
    vm_storage_go(vm);
}
#define BEGINS(with, ...)                                                                      \
    begins((const u8[]){__VA_ARGS__, 0x0a, 0x00}, sizeof(const u8[]){__VA_ARGS__, 0x0a, 0x00}, \
           with)

/* Until it waits, or has ended. */
static void until(enum vm_state state)
{
    while (vm_state(vm) != state) {
        vm_host_run(host);
        run_notes();
        sched_yield();
    }
}

static void ends(void)
{
    u64 mask, addr;
    until(VM_DISABLED_WAIT);
    cpu_psw_get(vm->vcpu[0].cpu, &mask, &addr);
    ck_assert_uint_eq(addr, ENDED);
}

static unsigned logged(void)
{
    return (unsigned)(*gr(LOG_REGISTER) - LOG_AT) / LOG_BYTES;
}

static void log_is(unsigned n, u64 token, unsigned subcode)
{
    ck_assert_uint_lt(n, logged());
    ck_assert_uint_eq(be64_load(got(LOG_AT + n * LOG_BYTES)), token);
    ck_assert_uint_eq(be16_load(got(LOG_AT + n * LOG_BYTES + 8)), subcode);
}

#define LG_3_FROM_2 0xe3, 0x30, 0x20, 0x00, 0x00, 0x04

START_TEST(told_and_told_again)
{
    BEGINS(&wants, LG_3_FROM_2);
    until(VM_ENABLED_WAIT);
    ck_assert_uint_eq(logged(), 1);
    log_is(0, TOKEN, 0x0600);
    ck_assert_uint_eq(be64_load(got(LOG_AT + 24)), CODE_AT); /* nullified */
    ck_assert_uint_eq(*gr(3), 0);
    atomic_store(&open_now, true);
    ends();
    ck_assert_uint_eq(logged(), 2);
    log_is(1, TOKEN, 0x0680);
    ck_assert_uint_eq(*gr(3), FIRST >> 12);
    ck_assert_uint_eq(atomic_load(&vm->page_faults.count), 0);
}
END_TEST

/* Who does not want to be told waits for the host. */
START_TEST(not_told)
{
    struct pfault with = wants;
    u64 mask = PROGRAM_MASK;
    with.set = _i != 0;
    if (_i == 1)
        mask &= ~PROBLEM;
    if (_i == 2)
        mask &= ~(1ull << 56);
    BEGINS(&with, LG_3_FROM_2);
    if (_i == 3)
        cpu_cr(vm->vcpu[0].cpu)[0] &= ~(u64)CR0_SERVICE_SIGNALS;
    cpu_psw_set(vm->vcpu[0].cpu, mask, CODE_AT);
    atomic_store(&open_now, true);
    ends();
    ck_assert_uint_eq(logged(), 0);
    ck_assert_uint_eq(*gr(3), FIRST >> 12);
}
END_TEST

/* MVC of 16 bytes to the last 8 of chunk 0 and the first 8 of chunk 1: nothing is stored yet. */
START_TEST(nothing_is_half_done)
{
    static const u8 old[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    BEGINS(&wants, 0xd2, 0x0f, 0x50, 0x00, 0x04, 0x80);
    *gr(5) = FIRST - 8;
    put(FIRST - 8, old, sizeof old);
    until(VM_ENABLED_WAIT);
    ck_assert_mem_eq(got(FIRST - 8), old, sizeof old);
    atomic_store(&open_now, true);
    ends();
    ck_assert_uint_eq(logged(), 2);
    ck_assert_mem_eq(got(FIRST - 8), got(0x480), 8);
    ck_assert_mem_eq(got(FIRST), got(0x488), 8);
}
END_TEST

/* A loop over all of storage, which is translated: each chunk is told of when it is not there. */
START_TEST(in_a_loop)
{
    u64 sum = 0, pages = (CHUNKS - 1) * (u64)(STORAGE_CHUNK_BYTES / FRAME_BYTES);
    BEGINS(&wants, 0xe3, 0x60, 0x20, 0x00, 0x00, 0x08, /* AG 6,0(2) */
           0xe3, 0x60, 0x20, 0x08, 0x00, 0x24,         /* STG 6,8(2) */
           0xa7, 0x2b, 0x10, 0x00,                     /* AGHI 2,4096 */
           0xa7, 0x77, 0xff, 0xf8);                    /* BRCTG 7 */
    *gr(7) = pages;
    until(VM_ENABLED_WAIT);
    atomic_store(&open_now, true);
    ends();
    for (u64 i = 0; i < pages; i++) {
        u64 at = FIRST + i * FRAME_BYTES;
        sum += at >> 12;
        ck_assert_uint_eq(be64_load(got(at + 8)), sum);
    }
    ck_assert_uint_eq(*gr(6), sum);
    ck_assert_uint_eq(logged() % 2, 0);
    ck_assert_uint_ge(logged(), 2);
    for (unsigned i = 0; i < logged(); i++)
        log_is(i, TOKEN, i % 2 ? 0x0680 : 0x0600);
}
END_TEST

static void *opens_when_told(void *arg)
{
    (void)arg;
    while (!atomic_load(&vm->page_faults.count))
        sched_yield();
    atomic_store(&open_now, true);
    return NULL;
}

/* The same token twice: the second time the program has not waited, and the host is waited for. */
START_TEST(who_does_not_wait)
{
    pthread_t thread;
    static const u8 back[] = {0xb2, 0xb2, 0x01, 0x30}; /* LPSWE of the old PSW */
    BEGINS(&wants, LG_3_FROM_2);
    put(HANDLER_AT + 22, back, sizeof back); /* for all interruptions, behind the log */
    ck_assert_int_eq(pthread_create(&thread, NULL, opens_when_told, NULL), 0);
    ends();
    pthread_join(thread, NULL);
    ck_assert_uint_eq(*gr(3), FIRST >> 12);
    log_is(0, TOKEN, 0x0600);
}
END_TEST

START_TEST(cancelled)
{
    BEGINS(&wants, LG_3_FROM_2);
    until(VM_ENABLED_WAIT);
    vm_hold(vm);
    pfault_set(&vm->vcpu[0], &(struct pfault){0});
    vm_release(vm);
    atomic_store(&open_now, true);
    ck_assert(storage_source_all(vm_storage(vm)));
    vm_host_run(host);
    ck_assert_uint_eq(logged(), 1);
    ck_assert_int_eq(vm_state(vm), VM_ENABLED_WAIT);
    ck_assert_uint_eq(atomic_load(&vm->page_faults.count), 0);
}
END_TEST

/* What waits here is told where the machine goes on. */
START_TEST(goes_with_the_machine)
{
    struct cause cause = {0};
    struct codec_out out;
    struct codec_in in;
    struct vm *first, *second;
    BEGINS(&wants, LG_3_FROM_2);
    until(VM_ENABLED_WAIT);
    ck_assert(vm_quiesce(vm));
    codec_out_init(&out);
    ck_assert_int_eq(vm_save(vm, &out, &cause), ST_OK);
    atomic_store(&open_now, true);
    ck_assert(storage_source_all(vm_storage(vm)));
    first = vm;
    struct vm_host *first_host = host;
    machine(CLASS_ALL, false);
    second = vm;
    for (u64 at = 0; at < STORAGE_BYTES; at += FRAME_BYTES)
        put(at, storage_host(vm_storage(first), at, FRAME_BYTES), FRAME_BYTES);
    codec_in_init(&in, out.data, out.len);
    vm_hold(vm);
    ck_assert_msg(vm_restore(vm, &in, &cause) == ST_OK, "%s", cause.text);
    vm_unquiesce(vm);
    ends();
    ck_assert_uint_eq(logged(), 2);
    log_is(1, TOKEN, 0x0680);
    ck_assert_uint_eq(*gr(3), FIRST >> 12);
    ck_assert(vm->vcpu[0].pfault.set);
    codec_out_fini(&out);
    vm_destroy(second);
    run_notes();
    vm_host_destroy(host);
    vm = first;
    host = first_host;
    vm_unquiesce(vm);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("page faults");
    TCase *tc = tcase_create("pfault");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, told_and_told_again);
    tcase_add_loop_test(tc, not_told, 0, 4);
    tcase_add_test(tc, nothing_is_half_done);
    tcase_add_test(tc, in_a_loop);
    tcase_add_test(tc, who_does_not_wait);
    tcase_add_test(tc, cancelled);
    tcase_add_test(tc, goes_with_the_machine);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
