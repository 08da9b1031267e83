/* SIGNAL PROCESSOR: every order to CPUs in every state, its condition code and status. PoP
 * chapter 4,
 * "CPU Signaling and Response". Orders that do something are carried out in insn/sigp_orders. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/cpu_harness.h"

#define PARM 0x30000u
#define AREA 0x40000u

/* Condition code and status in one: 0 accepted, 2 busy, 3 not operational, else cc 1. */
#define ST(bits) (0x10000u | (bits))
#define BUSY 2u

enum target { STOPPED, OPERATING, CHECK_STOP, TARGET_BUSY, TARGETS };

static const struct {
    unsigned order, parm;
    u32 want[TARGETS];
} rows[] = {
    {0x01, 0, {ST(0x40), 0, ST(0x10), BUSY}},                    /* sense */
    {0x02, 0, {0, 0, ST(0x10), BUSY}},                           /* external call */
    {0x03, 0, {0, 0, ST(0x10), BUSY}},                           /* emergency signal */
    {0x04, 0, {0, 0, ST(0x10), BUSY}},                           /* start */
    {0x05, 0, {0, 0, ST(0x10), BUSY}},                           /* stop */
    {0x06, 0, {0, 0, ST(0x10), BUSY}},                           /* restart */
    {0x09, 0, {0, 0, ST(0x10), BUSY}},                           /* stop and store status */
    {0x0b, 0, {0, 0, 0, 0}},                                     /* initial CPU reset */
    {0x0c, 0, {0, 0, 0, 0}},                                     /* CPU reset */
    {0x0d, PARM, {0, ST(0x200), ST(0x210), BUSY}},               /* set prefix */
    {0x0d, 0x7fffe000, {ST(0x100), ST(0x300), ST(0x310), BUSY}}, /* no storage there */
    {0x0e, AREA, {0, ST(0x200), ST(0x210), BUSY}},               /* store status */
    {0x12, 0, {ST(0x100), ST(0x200), ST(0x100), ST(0x100)}},     /* set architecture: all */
    {0x12, 1, {ST(0x100), ST(0x200), ST(0x100), ST(0x100)}}, /* modes, in this one for ever */
    {0x12, 2, {ST(0x100), ST(0x200), ST(0x100), ST(0x100)}},
    {0x13, 5, {0, 0, ST(0x10), BUSY}},                       /* conditional emergency */
    {0x15, 0, {ST(0x400), ST(0x400), ST(0x400), ST(0x400)}}, /* sense running: no thread */
    {0x00, 0, {ST(2), ST(2), ST(2), ST(2)}},                 /* no orders */
    {0x07, 0, {ST(2), ST(2), ST(2), ST(2)}},
    {0x08, 0, {ST(2), ST(2), ST(2), ST(2)}},
    {0x0a, 0, {ST(2), ST(2), ST(2), ST(2)}},
    {0x16, 0, {ST(2), ST(2), ST(2), ST(2)}},    /* set multithreading */
    {0x17, AREA, {ST(2), ST(2), ST(2), ST(2)}}, /* without vectors */
    {0xff, 0, {ST(2), ST(2), ST(2), ST(2)}},
};

static struct cpu_harness h;
static struct cpu *other;

static void setup(void)
{
    harness_init(&h, "z14", 3);
    other = cpu_set_get(h.set, 1);
}

static void teardown(void)
{
    harness_fini(&h);
}

static void put_into(enum target state)
{
    if (state == OPERATING)
        cpu_start(other);
    if (state == CHECK_STOP)
        other->state = CPU_STATE_CHECK_STOP;
    if (state == TARGET_BUSY)
        atomic_store(&other->orders, REQ_RESTART);
}

/* In the form of `want`; R4 bits 0-31 stay, and bits 32-63 unless status is stored. */
static u32 sigp(unsigned order, unsigned address, u64 parm)
{
    char hex[16];
    u64 *gr = cpu_gr(h.cpu);
    gr[3] = address;
    gr[4] = 0x1234567855555555ull;
    gr[5] = parm;
    snprintf(hex, sizeof hex, "ae43 %04x", order);
    ck_assert_int_eq(harness_insn(&h, hex), 0);
    ck_assert_uint_eq(gr[4] >> 32, 0x12345678);
    if (harness_cc(&h) != 1)
        ck_assert_uint_eq((u32)gr[4], 0x55555555);
    return harness_cc(&h) == 1 ? ST((u32)gr[4]) : harness_cc(&h);
}

START_TEST(orders_and_states)
{
    for (unsigned state = 0; state < TARGETS; state++) {
        teardown();
        setup();
        put_into(state);
        u32 got = sigp(rows[_i].order, 1, rows[_i].parm);
        ck_assert_msg(got == rows[_i].want[state], "order %02x, state %u: %x", rows[_i].order,
                      state, got);
        u32 nobody = rows[_i].order == 0x12 ? rows[_i].want[state] : 3;
        ck_assert_uint_eq(sigp(rows[_i].order, 9, rows[_i].parm), nobody);
    }
}
END_TEST

/* What is pending: a second external call, and what SENSE tells of one. */
START_TEST(pending_external_call)
{
    ck_assert_uint_eq(sigp(2, 1, 0), 0);
    ck_assert_uint_eq(sigp(2, 1, 0), ST(0x80));
    ck_assert_uint_eq(sigp(1, 1, 0), ST(0xc0));
    cpu_start(other);
    ck_assert_uint_eq(sigp(1, 1, 0), ST(0x80));
    ck_assert_uint_eq(sigp(3, 1, 0), 0); /* emergency signals are not in the way */
}
END_TEST

/* Conditional emergency signal: refused when the CPU runs enabled in other address spaces, or
 * waits at address 0. */
START_TEST(conditional_emergency)
{
    static const struct {
        u64 mask, addr;
        unsigned asn;
        u32 want;
    } cases[] = {
        {PSW_IO | PSW_EXT, 0x1000, 7, ST(0x200)},
        {PSW_IO | PSW_EXT, 0x1000, 5, 0}, /* primary */
        {PSW_IO | PSW_EXT, 0x1000, 6, 0}, /* secondary */
        {PSW_IO, 0x1000, 7, 0},
        {PSW_EXT, 0x1000, 7, 0},
        {PSW_IO | PSW_EXT | PSW_WAIT, 0, 5, ST(0x200)},
        {PSW_IO | PSW_EXT | PSW_WAIT, 8, 7, 0},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        cpu_cr(other)[4] = 5;
        cpu_cr(other)[3] = 6;
        cpu_psw_set(other, HARNESS_PSW64 | cases[i].mask, cases[i].addr);
        cpu_start(other);
        ck_assert_msg(sigp(0x13, 1, cases[i].asn) == cases[i].want, "case %u", i);
    }
}
END_TEST

/* Store additional status comes with the vector facility: 512 bytes on a boundary of 1024. */
START_TEST(additional_status)
{
    h.set->facilities[FAC_VX / 8] |= 0x80u >> FAC_VX % 8;
    for (unsigned i = 0; i < 32; i++)
        for (unsigned k = 0; k < 2; k++)
            other->vr[i][k] = i << 8 | k;
    ck_assert_uint_eq(sigp(0x17, 1, AREA + 0x3ff), 0);
    for (unsigned i = 0; i < 64; i++)
        ck_assert_uint_eq(harness_load(&h, AREA + 8 * i, 8), (i / 2) << 8 | (i & 1));
    ck_assert_uint_eq(harness_load(&h, AREA + 512, 8), 0);
    ck_assert_uint_eq(sigp(0x17, 1, HARNESS_STORAGE), ST(0x100));
    ck_assert_uint_eq(sigp(0x17, 1, AREA | 1ull << 40), ST(0x100)); /* all 64 bits count */
    cpu_start(other);
    ck_assert_uint_eq(sigp(0x17, 1, AREA), ST(0x200));
    atomic_store(&other->orders, REQ_RESTART);
    ck_assert_uint_eq(sigp(0x17, 1, AREA), BUSY);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu_sigp");
    TCase *t = tcase_create("sigp");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, orders_and_states, 0, ARRAY_LEN(rows));
    tcase_add_test(t, pending_external_call);
    tcase_add_test(t, conditional_emergency);
    tcase_add_test(t, additional_status);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
