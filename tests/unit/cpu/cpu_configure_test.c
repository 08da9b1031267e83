/* CPUs that come, go and wait in standby; storage of another size, increments that come and go.
 * Rules: PoP chapter 4, "CPU States"; what derived state must not keep. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/cpu_harness.h"

static struct cpu_harness h;

static void setup(void)
{
    harness_init(&h, "z196", 2);
}

static void teardown(void)
{
    harness_fini(&h);
}

static unsigned sigp(unsigned order, unsigned target)
{
    char hex[16];
    cpu_gr(h.cpu)[3] = target;
    cpu_gr(h.cpu)[4] = cpu_gr(h.cpu)[5] = 0;
    snprintf(hex, sizeof hex, "ae43 %04x", order);
    ck_assert_int_eq(harness_insn(&h, hex), 0);
    return harness_cc(&h);
}

/* In standby a CPU is not operational to any order; it was reset on its way. */
START_TEST(standby)
{
    static const u8 orders[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
                                0x0b, 0x0c, 0x0d, 0x15, 0x7f};
    struct cpu *other = cpu_set_get(h.set, 1);
    cpu_start(other);
    other->prefix = 0x2000;
    ck_assert(cpu_set_configured(h.set, 1));
    cpu_set_configure(h.set, 1, false);
    ck_assert(!cpu_set_configured(h.set, 1) && !cpu_set_configured(h.set, 2));
    ck_assert_uint_eq(cpu_set_standby(h.set), 2);
    for (unsigned i = 0; i < ARRAY_LEN(orders); i++)
        ck_assert_uint_eq(sigp(orders[i], 1), 3);
    ck_assert_int_eq(cpu_run(other, 10), CPU_EXIT_STOPPED);
    ck_assert_uint_eq(other->prefix, 0);
    cpu_set_configure(h.set, 1, true);
    ck_assert_uint_eq(sigp(0x01, 1), 1);
    ck_assert_uint_eq(cpu_gr(h.cpu)[4], 0x40);
}
END_TEST

START_TEST(add_and_remove)
{
    ck_assert_uint_eq(sigp(0x01, 2), 3);
    ck_assert_int_eq(cpu_set_add(h.set, NULL), ST_OK);
    struct cpu *third = cpu_set_get(h.set, 2);
    ck_assert_ptr_nonnull(third);
    ck_assert_uint_eq(sigp(0x01, 2), 1);
    cpu_psw_set(third, HARNESS_PSW64, HARNESS_CODE);
    cpu_start(third);
    harness_put(&h, HARNESS_CODE, "a7f4 0000");
    ck_assert_int_eq(cpu_run(third, 100), CPU_EXIT_BUDGET); /* decodes what stands there */
    ck_assert_uint_gt(atomic_load(&h.st->code[HARNESS_CODE >> FRAME_SHIFT]), 0);
    cpu_set_remove_last(h.set);
    ck_assert_uint_eq(cpu_set_count(h.set), 2);
    ck_assert_uint_eq(sigp(0x01, 2), 3);
    /* stores into its frames are told to those that are left */
    ck_assert_int_eq(harness_insn(&h, "0700"), 0);
    ck_assert_int_eq(harness_insn(&h, "0000"), PGM_OPERATION);
    while (cpu_set_count(h.set) < CPUS_MAX)
        ck_assert_int_eq(cpu_set_add(h.set, NULL), ST_OK);
    ck_assert_int_eq(cpu_set_add(h.set, NULL), ST_LIMIT);
}
END_TEST

/* After another size everything is zero, nothing decoded is left, the new end is the end. */
START_TEST(resize)
{
    ck_assert_int_eq(harness_insn(&h, "0700"), 0);
    ck_assert_int_eq(cpu_set_resize_storage(h.set, 3 << 19, NULL), ST_INVAL);
    ck_assert_uint_eq(h.st->size, HARNESS_STORAGE);
    ck_assert_int_eq(cpu_set_resize_storage(h.set, 8 << 20, NULL), ST_OK);
    for (unsigned i = 0; i < cpu_set_count(h.set);
         i++) /* what translated code adds to addresses */
        ck_assert_ptr_eq(cpu_set_get(h.set, i)->storage, h.st->base);
    ck_assert_uint_eq(harness_load(&h, HARNESS_CODE, 8), 0);
    harness_reset(&h);
    cpu_gr(h.cpu)[1] = 7 << 20;
    ck_assert_int_eq(harness_insn(&h, "5010 1000"), 0);
    ck_assert_int_eq(cpu_set_resize_storage(h.set, 1 << 20, NULL), ST_OK);
    harness_reset(&h);
    cpu_gr(h.cpu)[1] = 7 << 20;
    ck_assert_int_eq(harness_insn(&h, "5010 1000"), PGM_ADDRESSING);
}
END_TEST

/* An increment that goes is an addressing exception, and comes back with zeros and key zero. */
START_TEST(increments)
{
    u64 at = 2 << 20;
    cpu_gr(h.cpu)[1] = at;
    harness_store(&h, at, 8, 0x1234);
    ck_assert_int_eq(harness_insn(&h, "5820 1000"), 0);
    storage_key_set(h.st, at, 0x30);
    storage_increment_set(h.st, 2, false);
    cpu_set_purge(h.set);
    ck_assert_int_eq(harness_insn(&h, "5820 1000"), PGM_ADDRESSING);
    ck_assert_int_eq(harness_insn(&h, "5020 1000"), PGM_ADDRESSING);
    ck_assert(!storage_holds(h.st, at - 4, 8) && !storage_holds(h.st, at + (1 << 20) - 1, 2));
    ck_assert(storage_holds(h.st, at - 8, 8) && storage_holds(h.st, at + (1 << 20), 8));
    storage_increment_set(h.st, 2, true);
    ck_assert_int_eq(harness_insn(&h, "5820 1000"), 0);
    ck_assert_uint_eq(harness_load(&h, at, 8), 0);
    ck_assert_uint_eq(storage_key_get(h.st, at) & 0xf8, 0);
    ck_assert(storage_frame_touched(h.st, at >> FRAME_SHIFT)); /* so that it is sent */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu_configure");
    TCase *t = tcase_create("configuration");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, standby);
    tcase_add_test(t, add_and_remove);
    tcase_add_test(t, resize);
    tcase_add_test(t, increments);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
