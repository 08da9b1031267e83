/* ESSA, collaborative memory management: orders, states, what they do to a machine's reset and
 * state. Rules: Linux's page-states.c, KVM and its unit tests (the manual has no ESSA). */
#include <check.h>
#include <stdio.h>

#include "cpu/insn/control.h"
#include "tests/lib/cpu_harness.h"

#define BLOCK 0x200000u
#define FRESH 0x300000u /* never stored into */
#define STABLE 0x0u
#define UNUSED 0x4u
#define POTENTIALLY 0x8u
#define VOLATILE 0xcu
#define ZERO 0x3u
#define NO_DAT 0x20u

static struct cpu_harness h;

static void setup(void)
{
    harness_init(&h, "max", 1);
    harness_store(&h, BLOCK, 8, 1);
}

static void teardown(void)
{
    harness_fini(&h);
}

/* ESSA 1,2,order: the state before. */
static u64 essa(u64 block, unsigned order)
{
    char hex[16];
    snprintf(hex, sizeof hex, "b9ab%x012", order);
    cpu_gr(h.cpu)[2] = block;
    cpu_gr(h.cpu)[1] = ~0ull;
    ck_assert_int_eq(harness_insn(&h, hex), 0);
    return cpu_gr(h.cpu)[1];
}

START_TEST(resident_block)
{
    static const unsigned after[] = {VOLATILE,    STABLE, UNUSED, VOLATILE,
                                     POTENTIALLY, STABLE, STABLE};
    ck_assert_uint_eq(essa(BLOCK, 0), STABLE);
    for (unsigned order = 0; order < ARRAY_LEN(after); order++) {
        essa(BLOCK, 3);
        ck_assert_uint_eq(essa(BLOCK + 0xfff, order), VOLATILE); /* the state before */
        ck_assert_uint_eq(essa(BLOCK, 0), after[order]);
    }
    ck_assert_uint_eq(essa(BLOCK + 0x1000, 0) & ~ZERO, STABLE); /* of the one block */
    ck_assert_uint_eq(harness_load(&h, BLOCK, 8), 1);
}
END_TEST

/* Content is logically zero until the first store. */
START_TEST(block_without_content)
{
    ck_assert_uint_eq(essa(FRESH, 0), STABLE | ZERO);
    essa(FRESH, 4);
    ck_assert_uint_eq(essa(FRESH, 6), VOLATILE | ZERO); /* potentially volatile would be kept */
    ck_assert_uint_eq(essa(FRESH, 5), VOLATILE | ZERO); /* stable if resident: it is not */
    ck_assert_uint_eq(essa(FRESH, 0), STABLE);          /* made resident */
    ck_assert_uint_eq(storage_key_get(h.st, FRESH), 0);
}
END_TEST

/* Has the block become dirty since the last call? */
static bool dirty_since(void)
{
    static u64 set[HARNESS_STORAGE / FRAME_BYTES / 64 + 1];
    u64 frame = BLOCK >> FRAME_SHIFT;
    memset(set, 0, sizeof set);
    storage_epoch(h.st, set);
    return set[frame / 64] >> frame % 64 & 1;
}

/* What a relocation has not sent of it comes when it is used again. */
START_TEST(used_again_is_dirty)
{
    static const unsigned orders[] = {1, 3, 4, 5, 6, 7}; /* all that end in another state */
    dirty_since();
    for (unsigned i = 0; i < ARRAY_LEN(orders); i++) {
        essa(BLOCK, 2);
        ck_assert(!dirty_since());
        essa(BLOCK, 2);
        essa(BLOCK, 0);
        ck_assert(!dirty_since());
        essa(BLOCK, orders[i]);
        ck_assert(dirty_since());
    }
    essa(BLOCK, 2);
    storage_usage_reset(h.st);
    ck_assert(dirty_since());
}
END_TEST

START_TEST(no_translate)
{
    essa(BLOCK, 7);
    ck_assert_uint_eq(essa(BLOCK, 2), STABLE | NO_DAT);
    ck_assert_uint_eq(essa(BLOCK, 0), UNUSED | NO_DAT);
    essa(BLOCK, 1);
    ck_assert_uint_eq(essa(BLOCK, 0), STABLE);
    cpu_gr(h.cpu)[2] = BLOCK;
    ck_assert_int_eq(harness_insn(&h, "b9ab8012"), PGM_SPECIFICATION);
    harness_fini(&h);
    harness_init(&h, "z196", 1);
    cpu_gr(h.cpu)[2] = BLOCK;
    ck_assert_int_eq(harness_insn(&h, "b9ab7012"), PGM_SPECIFICATION);
    ck_assert_int_eq(harness_insn(&h, "b9ab6012"), 0);
}
END_TEST

START_TEST(refused)
{
    cpu_gr(h.cpu)[2] = HARNESS_STORAGE;
    ck_assert_int_eq(harness_insn(&h, "b9ab1012"), PGM_ADDRESSING);
    cpu_psw_set(h.cpu, HARNESS_PSW64 | PSW_PROB, HARNESS_CODE);
    cpu_gr(h.cpu)[2] = BLOCK;
    ck_assert_int_eq(harness_insn(&h, "b9ab1012"), PGM_PRIVILEGED);
    harness_fini(&h);
    harness_init(&h, "z990", 1);
    ck_assert_int_eq(harness_insn(&h, "b9ab0012"), PGM_OPERATION);
}
END_TEST

/* A real address: prefixing applies. Resets make all blocks stable. */
START_TEST(prefixed_and_reset)
{
    h.cpu->prefix = 0x8000;
    cpu_registers_changed(h.cpu);
    essa(0x1000, 2);
    ck_assert_uint_eq(storage_usage_get(h.st, 0x9000), STORAGE_UNUSED);
    storage_usage_reset(h.st);
    ck_assert_uint_eq(storage_usage_get(h.st, 0x9000), STORAGE_STABLE);
    storage_usage_set(h.st, BLOCK, STORAGE_VOLATILE | STORAGE_NO_DAT);
    storage_clear(h.st);
    ck_assert_uint_eq(storage_usage_get(h.st, BLOCK), STORAGE_STABLE);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu_essa");
    TCase *t = tcase_create("ESSA");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, resident_block);
    tcase_add_test(t, block_without_content);
    tcase_add_test(t, no_translate);
    tcase_add_test(t, used_again_is_dirty);
    tcase_add_test(t, refused);
    tcase_add_test(t, prefixed_and_reset);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
