/* Interruptions: old PSW, instruction-length code, codes and parameters as stored; masks and
 * priorities; early exceptions; orders between CPUs. Rules: PoP chapter 6; SIGP: chapter 4. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/cpu_harness.h"

#define EXT_HANDLER 0x1e200u
#define IO_HANDLER 0x1e300u
#define MCK_HANDLER 0x1e400u
#define RST_HANDLER 0x1e500u
#define ENABLED (HARNESS_PSW64 | PSW_IO | PSW_EXT | PSW_MCHK)
#define BUDGET_INSNS 8
#define PREFIX_2 0x30000u

static struct cpu_harness h;
static struct cpu_ports ports;
static unsigned io_queue; /* ISC mask */
static u32 service_parm;

static bool take_io(void *ctx, u8 isc_mask, struct cpu_io_interruption *out)
{
    struct cpu_harness *harness = ctx;
    unsigned found = io_queue & isc_mask;
    if (!found)
        return false;
    unsigned isc = 1u << (31 - __builtin_clz(found));
    io_queue &= ~isc;
    cpu_set_io_pending(harness->set, (u8)io_queue);
    *out = (struct cpu_io_interruption){0x00010000u | isc, 0xcafe0000u | isc, isc << 20};
    return true;
}

static bool take_service(void *ctx, struct cpu_service *out)
{
    (void)ctx;
    *out = (struct cpu_service){.code = 0x2401, .parm = service_parm};
    service_parm = 0;
    return out->parm != 0;
}

static void new_psw(u64 at, u64 addr)
{
    harness_store(&h, at, 8, HARNESS_PSW64);
    harness_store(&h, at + 8, 8, addr);
}

static void setup(void)
{
    harness_init(&h, "z10", 2);
    ports = *h.cpu->ports;
    ports.take_io = take_io;
    ports.take_service = take_service;
    h.set->ports = &ports;
    for (unsigned i = 0; i < 2; i++)
        cpu_set_get(h.set, i)->ports = &ports;
    io_queue = 0;
    service_parm = 0;
    new_psw(0x1a0, RST_HANDLER);
    new_psw(0x1b0, EXT_HANDLER);
    new_psw(0x1e0, MCK_HANDLER);
    new_psw(0x1f0, IO_HANDLER);
    cpu_cr(h.cpu)[0] |= 0xffff;
    cpu_cr(h.cpu)[6] = 0xff000000;
    cpu_cr(h.cpu)[14] |= 0x10000000;
    h.cpu->ckc = ~0ull;
    cpu_timer_set(h.cpu, 1ull << 62);
    harness_put(&h, HARNESS_CODE, "0700 0700 0700 0700 0700 0700 0700 0700 0700 0700 0700");
}

static void teardown(void)
{
    harness_fini(&h);
}

static bool take(u64 mask)
{
    cpu_psw_set(h.cpu, mask, HARNESS_CODE);
    bool pending = cpu_interruption_pending(h.cpu);
    bool taken = cpu_take_interruption(h.cpu);
    ck_assert_int_eq(pending, taken);
    return taken;
}

static unsigned ext_code(void)
{
    return (unsigned)harness_load(&h, 0x86, 2);
}

/* ---- program ---- */

START_TEST(suppressed_and_nullified)
{
    ck_assert_int_eq(harness_insn(&h, "b20a 0000 0000"), 0);
    ck_assert_int_eq(harness_insn(&h, "0000"), PGM_OPERATION);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE + 2);
    ck_assert_uint_eq(harness_old_ilc(&h), 2);
    cpu_gr(h.cpu)[1] = 1ull << 40;
    ck_assert_int_eq(harness_insn(&h, "e310 1000 0004"), PGM_ADDRESSING);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE + 6);
    ck_assert_uint_eq(harness_old_ilc(&h), 6);
    cpu_psw_set(h.cpu, HARNESS_PSW64, HARNESS_CODE + 6);
    h.cpu->ilc = 6;
    h.cpu->teid = 0x7000;
    h.cpu->exc_ar = 3;
    h.cpu->bear = 0x4444;
    ck_assert_int_eq(cpu_program_interruption(h.cpu, PGM_PAGE_TRANSLATION), 0);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE);
    ck_assert_uint_eq(harness_load(&h, 0x8c, 4), 6u << 16 | 0x11);
    ck_assert_uint_eq(harness_load(&h, 0xa8, 8), 0x7000);
    ck_assert_uint_eq(harness_load(&h, 0xa0, 1), 3);
    ck_assert_uint_eq(harness_load(&h, 0x110, 8), 0x4444);
}
END_TEST

/* An odd instruction address is found late: the PSW is in place, and its address has been stepped
 * on by the length code that is stored. */
START_TEST(odd_instruction_address)
{
    cpu_gr(h.cpu)[1] = HARNESS_DATA + 1;
    ck_assert_int_eq(harness_insns(&h, "07f1", 2), PGM_SPECIFICATION);
    ck_assert_uint_eq(harness_old_addr(&h) - harness_old_ilc(&h), HARNESS_DATA + 1);
    harness_store(&h, HARNESS_DATA, 8, HARNESS_PSW64 | 3ull << PSW_CC_SHIFT);
    harness_store(&h, HARNESS_DATA + 8, 8, 0x12345);
    cpu_gr(h.cpu)[1] = HARNESS_DATA;
    harness_put(&h, HARNESS_CODE, "b2b2 1000");
    cpu_psw_set(h.cpu, HARNESS_PSW64, HARNESS_CODE);
    harness_store(&h, 0x1d0, 8, HARNESS_PSW64 | PSW_WAIT);
    cpu_run(h.cpu, 1000); /* not step by step */
    ck_assert_uint_eq(harness_load(&h, 0x8e, 2), PGM_SPECIFICATION);
    ck_assert_uint_eq(harness_old_addr(&h) - harness_old_ilc(&h), 0x12345);
    ck_assert_uint_eq(harness_load(&h, 0x150, 8), HARNESS_PSW64 | 3ull << PSW_CC_SHIFT);
}
END_TEST

START_TEST(data_and_monitor)
{
    h.cpu->dxc = 0x42;
    cpu_program_interruption(h.cpu, PGM_DATA);
    ck_assert_uint_eq(harness_load(&h, 0x90, 4), 0x42);
    h.cpu->monitor_class = 7;
    h.cpu->monitor_code = 0x123456789aull;
    cpu_program_interruption(h.cpu, PGM_MONITOR);
    ck_assert_uint_eq(harness_load(&h, 0x94, 2), 7);
    ck_assert_uint_eq(harness_load(&h, 0xb0, 8), 0x123456789aull);
}
END_TEST

START_TEST(supervisor_call)
{
    h.cpu->cc = 2;
    harness_insn(&h, "0a2a");
    ck_assert_uint_eq(harness_psw_addr(&h), HARNESS_SVC);
    ck_assert_uint_eq(harness_load(&h, 0x88, 4), 2u << 16 | 0x2a);
    ck_assert_uint_eq(harness_load(&h, 0x148, 8), HARNESS_CODE + 2);
    ck_assert_uint_eq(harness_load(&h, 0x140, 8), HARNESS_PSW64 | 2ull << PSW_CC_SHIFT);
}
END_TEST

/* LPSWE of an invalid PSW: the PSW is loaded, then the exception with ILC 0. */
START_TEST(early_exception)
{
    static const struct {
        u64 mask, addr;
    } bad[] = {
        {PSW_EA, 0x1000},
        {HARNESS_PSW64 | PSW_BIT(12), 0x1000},
        {HARNESS_PSW64 | PSW_BIT(0), 0x1000},
        {HARNESS_PSW64 | 1, 0x1000},
        {PSW_BA, 0x80000000u},
        {0, 0x1000000},
    };
    cpu_gr(h.cpu)[1] = HARNESS_DATA;
    harness_store(&h, HARNESS_DATA, 8, bad[_i].mask);
    harness_store(&h, HARNESS_DATA + 8, 8, bad[_i].addr);
    ck_assert_int_eq(harness_insn(&h, "b2b2 1000"), PGM_SPECIFICATION);
    ck_assert_uint_eq(harness_old_ilc(&h), 0);
    ck_assert_uint_eq(harness_load(&h, 0x150, 8), bad[_i].mask);
    ck_assert_uint_eq(harness_old_addr(&h), bad[_i].addr);
}
END_TEST

START_TEST(invalid_program_new_psw)
{
    harness_store(&h, 0x1d0, 8, 1);
    harness_put(&h, HARNESS_CODE, "0000");
    cpu_psw_set(h.cpu, HARNESS_PSW64, HARNESS_CODE);
    ck_assert_int_eq(cpu_run(h.cpu, 100), CPU_EXIT_PGM_LOOP);
    ck_assert_int_eq(cpu_run(h.cpu, 100), CPU_EXIT_CHECK_STOP);
}
END_TEST

START_TEST(handler_that_faults)
{
    harness_put(&h, HARNESS_PGM, "0000");
    harness_put(&h, HARNESS_CODE, "0000");
    cpu_psw_set(h.cpu, HARNESS_PSW64, HARNESS_CODE);
    ck_assert_int_eq(cpu_run(h.cpu, 10000), CPU_EXIT_PGM_LOOP);
}
END_TEST

/* ---- external ---- */

START_TEST(external_sources)
{
    struct cpu *c = h.cpu;
    ck_assert(!take(ENABLED));
    cpu_interrupt_key(c);
    ck_assert(!take(HARNESS_PSW64));
    ck_assert(take(ENABLED));
    ck_assert_uint_eq(ext_code(), 0x0040);
    ck_assert_uint_eq(harness_load(&h, 0x130, 8), ENABLED);
    ck_assert_uint_eq(harness_load(&h, 0x138, 8), HARNESS_CODE);
    ck_assert_uint_eq(harness_psw_addr(&h), EXT_HANDLER);
    c->ckc = cpu_guest_tod(c) - 1;
    ck_assert(take(ENABLED) && ext_code() == 0x1004);
    ck_assert(take(ENABLED)); /* stays pending */
    c->ckc = cpu_guest_tod(c);
    ck_assert(!take(ENABLED)); /* must be passed, not reached */
    cpu_timer_set(c, (u64)-1);
    ck_assert(take(ENABLED) && ext_code() == 0x1005);
    cpu_timer_set(c, 100);
    service_parm = 0x12345678;
    cpu_set_service_signal(h.set);
    ck_assert(take(ENABLED) && ext_code() == 0x2401);
    ck_assert_uint_eq(harness_load(&h, 0x80, 4), 0x12345678);
    cpu_external(c, 0x2603, 0x11, 0x2222222222ull);
    ck_assert(take(ENABLED) && ext_code() == 0x2603);
    ck_assert_uint_eq(harness_load(&h, 0x80, 4), 0x11);
    ck_assert_uint_eq(harness_load(&h, 0x11b8, 8), 0x2222222222ull);
    ck_assert(!take(ENABLED));
}
END_TEST

/* Clocks stay pending: a handler that is enabled for them never gets to its first instruction, and
 * the caller gets the CPU back. Once the clock is put on, the handler goes on. */
START_TEST(external_loop)
{
    struct cpu *c = h.cpu;
    u64 far = ~0ull;
    harness_store(&h, 0x1b0, 8, ENABLED);
    harness_put(&h, HARNESS_CODE, "a7f40000"); /* j . */
    harness_put(&h, EXT_HANDLER, "a7f40000");
    c->ckc = _i ? far : cpu_guest_tod(c) - 1;
    cpu_timer_set(c, _i ? (u64)-1 : far >> 1);
    cpu_psw_set(c, ENABLED, HARNESS_CODE);
    ck_assert_int_eq(cpu_run(c, 100), CPU_EXIT_EXT_LOOP);
    ck_assert_int_eq(cpu_run(c, 100), CPU_EXIT_EXT_LOOP);
    ck_assert_uint_eq(harness_psw_addr(&h), EXT_HANDLER);
    c->ckc = far;
    cpu_timer_set(c, far >> 1);
    ck_assert_int_eq(cpu_run(c, 100), CPU_EXIT_BUDGET);
    ck_assert_uint_eq(harness_psw_addr(&h), EXT_HANDLER);
}
END_TEST

START_TEST(external_submasks)
{
    u64 cr0 = cpu_cr(h.cpu)[0];
    cpu_interrupt_key(h.cpu);
    cpu_cr(h.cpu)[0] = cr0 & ~0x40ull;
    ck_assert(!take(ENABLED));
    cpu_cr(h.cpu)[0] = cr0;
    ck_assert(take(ENABLED));
    h.cpu->ckc = 0;
    cpu_cr(h.cpu)[0] = cr0 & ~0x800ull;
    ck_assert(!take(ENABLED));
}
END_TEST

START_TEST(cpu_timer_runs_while_operating)
{
    cpu_timer_set(h.cpu, 1000);
    h.now_tod += 400;
    ck_assert_uint_eq(cpu_timer_get(h.cpu), 600);
    cpu_timer_run(h.cpu, false);
    h.now_tod += 400;
    ck_assert_uint_eq(cpu_timer_get(h.cpu), 600);
    cpu_timer_run(h.cpu, true);
    h.now_tod += 601;
    ck_assert(take(ENABLED) && ext_code() == 0x1005);
}
END_TEST

/* ---- I/O and machine check ---- */

START_TEST(io_by_isc)
{
    io_queue = 0x90;
    cpu_set_io_pending(h.set, 0x90);
    cpu_cr(h.cpu)[6] = 0x10000000;
    ck_assert(take(ENABLED));
    ck_assert_uint_eq(harness_load(&h, 0xb8, 4), 0x00010010);
    ck_assert_uint_eq(harness_load(&h, 0xbc, 4), 0xcafe0010);
    ck_assert_uint_eq(harness_load(&h, 0xc0, 4), 0x01000000);
    ck_assert_uint_eq(harness_load(&h, 0x178, 8), HARNESS_CODE);
    ck_assert_uint_eq(harness_psw_addr(&h), IO_HANDLER);
    ck_assert(!take(ENABLED));
    cpu_cr(h.cpu)[6] = 0x80000000;
    ck_assert(take(ENABLED));
    ck_assert(!take(ENABLED));
}
END_TEST

START_TEST(channel_report)
{
    cpu_set_crw_pending(h.set);
    io_queue = 0x80;
    cpu_set_io_pending(h.set, 0x80);
    cpu_gr(h.cpu)[5] = 0x5555;
    ck_assert(take(ENABLED));
    ck_assert_uint_eq(harness_psw_addr(&h), MCK_HANDLER);
    ck_assert_uint_eq(harness_load(&h, 0xe8, 8) >> 54 & 1, 1); /* bit 9 */
    ck_assert_uint_eq(harness_load(&h, 0x1280 + 5 * 8, 8), 0x5555);
    ck_assert_uint_eq(harness_load(&h, 0x168, 8), HARNESS_CODE);
    ck_assert_uint_eq(harness_load(&h, 0x1308, 8), 0); /* no PSW in the save areas */
    ck_assert_uint_eq(harness_load(&h, 0x160, 8), ENABLED);
    ck_assert(take(ENABLED));
    ck_assert_uint_eq(harness_psw_addr(&h), IO_HANDLER);
}
END_TEST

START_TEST(restart)
{
    cpu_stop_now(h.cpu);
    cpu_restart(h.cpu);
    cpu_psw_set(h.cpu, HARNESS_PSW64, 0x4000);
    harness_put(&h, RST_HANDLER, "0700 0700 0700 0700 0700 0700 0700 0700");
    ck_assert_int_eq(cpu_run(h.cpu, 2), CPU_EXIT_BUDGET);
    ck_assert_uint_eq(harness_load(&h, 0x128, 8), 0x4000);
    ck_assert_uint_eq(harness_psw_addr(&h), RST_HANDLER + 4);
}
END_TEST

/* ---- SIGP: order in D2, address in R3 = 3, parameter in R1|1 = 5, status in R1 = 4 ---- */

static unsigned sigp(unsigned order, unsigned target, u64 parm)
{
    char hex[16];
    cpu_gr(h.cpu)[3] = target;
    cpu_gr(h.cpu)[4] = 0;
    cpu_gr(h.cpu)[5] = parm;
    snprintf(hex, sizeof hex, "ae43 %04x", order);
    ck_assert_int_eq(harness_insn(&h, hex), 0);
    return harness_cc(&h);
}

static u64 status(void)
{
    return cpu_gr(h.cpu)[4];
}

START_TEST(sigp_start_stop)
{
    struct cpu *other = cpu_set_get(h.set, 1);
    ck_assert_uint_eq(sigp(0x01, 7, 0), 3);
    ck_assert_uint_eq(sigp(0x01, 1, 0), 1);
    ck_assert_uint_eq(status(), 0x40);
    ck_assert_uint_eq(sigp(0x0d, 1, PREFIX_2), 0);
    ck_assert_uint_eq(cpu_prefix(other), PREFIX_2);
    new_psw(PREFIX_2 + 0x1a0, HARNESS_DATA);
    harness_put(&h, HARNESS_DATA, "0700 0700 0700 0700 0700 0700 0700 0700");
    ck_assert_uint_eq(sigp(0x06, 1, 0), 0);
    ck_assert_uint_eq(sigp(0x01, 1, 0), 2); /* busy until it has started */
    ck_assert_int_eq(cpu_run(other, 1), CPU_EXIT_BUDGET);
    ck_assert_uint_eq(other->psw.addr, HARNESS_DATA + 2);
    ck_assert_uint_eq(sigp(0x01, 1, 0), 0);
    ck_assert_uint_eq(sigp(0x0d, 1, 0), 1);
    ck_assert_uint_eq(status(), 0x200);
    cpu_gr(other)[9] = 0x99;
    ck_assert_uint_eq(sigp(0x09, 1, 0), 0);
    ck_assert_int_eq(cpu_run(other, 1), CPU_EXIT_STOPPED);
    ck_assert_uint_eq(harness_load(&h, 0x1280 + 9 * 8, 8), 0x99);
    ck_assert_uint_eq(harness_load(&h, 0x1308, 8), HARNESS_DATA + 2);
    ck_assert_uint_eq(harness_load(&h, 0x1318, 4), PREFIX_2);
    ck_assert_uint_eq(sigp(0x0e, 1, 0x40000), 0);
    ck_assert_uint_eq(harness_load(&h, 0x40080 + 9 * 8, 8), 0x99);
    ck_assert_uint_eq(sigp(0x0e, 1, 0x7ffffe00), 1);
    ck_assert_uint_eq(status(), 0x100);
}
END_TEST

START_TEST(sigp_resets)
{
    struct cpu *other = cpu_set_get(h.set, 1);
    cpu_gr(other)[2] = 22;
    other->prefix = PREFIX_2;
    cpu_start(other);
    ck_assert_uint_eq(sigp(0x03, 1, 0), 0);
    ck_assert_uint_eq(sigp(0x0b, 1, 0), 0);
    ck_assert_int_eq(cpu_run(other, 1), CPU_EXIT_STOPPED);
    ck_assert_uint_eq(other->prefix, 0);
    ck_assert_uint_eq(cpu_gr(other)[2], 22);
    ck_assert_uint_eq(other->cr[0], 0xe0);
    ck_assert_uint_eq(other->cr[14], 0xc2000000u);
    ck_assert_uint_eq(atomic_load(&other->pending), 0);
}
END_TEST

START_TEST(sigp_signals)
{
    struct cpu *other = cpu_set_get(h.set, 1);
    new_psw(0x1b0, EXT_HANDLER);
    other->cr[0] = 0xe0 | 0x4000 | 0x2000;
    cpu_psw_set(other, HARNESS_PSW64 | PSW_EXT, HARNESS_CODE);
    cpu_start(other);
    ck_assert_uint_eq(sigp(0x02, 1, 0), 0);
    ck_assert_uint_eq(sigp(0x02, 1, 0), 1);
    ck_assert_uint_eq(status(), 0x80);
    ck_assert_uint_eq(sigp(0x03, 1, 0), 0);
    ck_assert_uint_eq(sigp(0x03, 1, 0), 0);
    ck_assert(cpu_take_interruption(other));
    ck_assert_uint_eq(ext_code(), 0x1201);
    ck_assert_uint_eq(harness_load(&h, 0x84, 2), 0);
    cpu_psw_set(other, HARNESS_PSW64 | PSW_EXT, HARNESS_CODE);
    ck_assert(cpu_take_interruption(other));
    ck_assert_uint_eq(ext_code(), 0x1202);
    cpu_psw_set(other, HARNESS_PSW64 | PSW_EXT, HARNESS_CODE);
    ck_assert(!cpu_take_interruption(other));
}
END_TEST

START_TEST(sigp_other_orders)
{
    ck_assert_uint_eq(sigp(0x7f, 1, 0), 1);
    ck_assert_uint_eq(status(), 0x02);
    ck_assert_uint_eq(sigp(0x12, 0, 1), 1);
    ck_assert_uint_eq(status(), 0x100);
    ck_assert_uint_eq(sigp(0x15, 1, 0), 1);
    ck_assert_uint_eq(status(), 0x400);
    ck_assert_uint_eq(sigp(0x15, 0, 0), 0);
    ck_assert_uint_eq(sigp(0x05, 0, 0), 0);
    ck_assert_int_eq(cpu_run(h.cpu, 1), CPU_EXIT_STOPPED);
}
END_TEST

/* The CPU in the check-stop state: refuses what it cannot do, is never busy, can be reset. */
START_TEST(sigp_check_stop)
{
    static const struct {
        unsigned order;
        u32 status;
    } refused[] = {{0x01, 0x10},  {0x02, 0x10}, {0x03, 0x10}, {0x04, 0x10},
                   {0x05, 0x10},  {0x06, 0x10}, {0x09, 0x10}, {0x0d, 0x210},
                   {0x0e, 0x210}, {0x13, 0x10}, {0x7f, 0x02}};
    struct cpu *other = cpu_set_get(h.set, 1);
    other->state = CPU_STATE_CHECK_STOP;
    for (unsigned i = 0; i < ARRAY_LEN(refused); i++) {
        ck_assert_uint_eq(sigp(refused[i].order, 1, 0x30000), 1);
        ck_assert_uint_eq(status(), refused[i].status);
    }
    ck_assert_uint_eq(sigp(0x0e, 1, 0x7ffffe00), 1);
    ck_assert_uint_eq(status(), 0x310);
    ck_assert_uint_eq(sigp(0x0c, 1, 0), 0);
    ck_assert_int_eq(cpu_run(other, 1), CPU_EXIT_STOPPED);
    ck_assert_uint_eq(sigp(0x01, 1, 0), 1);
    ck_assert_uint_eq(status(), 0x40);
}
END_TEST

/* While an order is outstanding: busy to all but resets and what is no order. */
START_TEST(sigp_busy)
{
    static const u8 busy[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x09, 0x0d, 0x0e, 0x13};
    struct cpu *other = cpu_set_get(h.set, 1);
    ck_assert_uint_eq(sigp(0x04, 1, 0), 0);
    for (unsigned i = 0; i < ARRAY_LEN(busy); i++) {
        ck_assert_uint_eq(sigp(busy[i], 1, 0), 2);
        ck_assert_uint_eq(status(), 0);
    }
    ck_assert_uint_eq(sigp(0x16, 1, 0), 1);
    ck_assert_uint_eq(status(), 0x02);
    ck_assert_uint_eq(sigp(0x15, 1, 0), 1);
    ck_assert_uint_eq(status(), 0x400);
    ck_assert_uint_eq(sigp(0x0c, 1, 0), 0);
    ck_assert_uint_eq(sigp(0x0b, 1, 0), 0);
    cpu_run(other, 1); /* the resets, then the start */
    ck_assert_uint_eq(sigp(0x01, 1, 0), 0);
}
END_TEST

/* Conditional emergency signal: kept back from a CPU that runs enabled in another space. */
START_TEST(sigp_conditional)
{
    static const struct {
        u64 mask, addr;
        unsigned asn, cc;
    } cases[] = {
        {HARNESS_PSW64 | PSW_IO | PSW_EXT, 0x1000, 7, 1},
        {HARNESS_PSW64 | PSW_IO | PSW_EXT, 0x1000, 5, 0}, /* primary */
        {HARNESS_PSW64 | PSW_IO | PSW_EXT, 0x1000, 6, 0}, /* secondary */
        {HARNESS_PSW64 | PSW_IO, 0x1000, 7, 0},
        {HARNESS_PSW64 | PSW_EXT, 0x1000, 7, 0},
        {HARNESS_PSW64 | PSW_IO | PSW_EXT | PSW_WAIT, 0x1000, 7, 0},
        {HARNESS_PSW64 | PSW_IO | PSW_EXT | PSW_WAIT, 0, 5, 1},
    };
    struct cpu *other = cpu_set_get(h.set, 1);
    other->cr[4] = 5;
    other->cr[3] = 6;
    cpu_psw_set(other, cases[_i].mask, cases[_i].addr);
    cpu_start(other);
    ck_assert_uint_eq(sigp(0x13, 1, cases[_i].asn), cases[_i].cc);
    ck_assert_uint_eq(status(), cases[_i].cc ? 0x200 : 0);
    ck_assert_uint_eq(atomic_load(&other->pending), cases[_i].cc ? 0 : PEND_EMERGENCY);
    ck_assert_uint_eq(sigp(0x12, 0, 0), 1); /* set architecture while it runs */
    ck_assert_uint_eq(status(), 0x200);
    cpu_stop_now(other);
    ck_assert_uint_eq(sigp(0x13, 1, 7), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu_interrupt");
    TCase *t = tcase_create("interruptions and orders");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, suppressed_and_nullified);
    tcase_add_test(t, odd_instruction_address);
    tcase_add_test(t, data_and_monitor);
    tcase_add_test(t, supervisor_call);
    tcase_add_loop_test(t, early_exception, 0, 6);
    tcase_add_test(t, invalid_program_new_psw);
    tcase_add_test(t, handler_that_faults);
    tcase_add_test(t, external_sources);
    tcase_add_loop_test(t, external_loop, 0, 2);
    tcase_add_test(t, external_submasks);
    tcase_add_test(t, cpu_timer_runs_while_operating);
    tcase_add_test(t, io_by_isc);
    tcase_add_test(t, channel_report);
    tcase_add_test(t, restart);
    tcase_add_test(t, sigp_start_stop);
    tcase_add_test(t, sigp_resets);
    tcase_add_test(t, sigp_signals);
    tcase_add_test(t, sigp_other_orders);
    tcase_add_test(t, sigp_check_stop);
    tcase_add_test(t, sigp_busy);
    tcase_add_loop_test(t, sigp_conditional, 0, 7);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
