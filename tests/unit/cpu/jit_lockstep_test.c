/* Lockstep: what agrees runs as it does alone; one wrong byte of translated code, in a register's
 * value or in what is stored, ends the program with status 1. */
#include <check.h>
#include <stdlib.h>

#include "cpu/jit/lockstep_internal.h"
#include "tests/lib/cpu_harness.h"

#define ROUNDS 100u
#define BUDGET 1000
#define DIFFERENCE_STATUS 1

/* LGHI 1,100; loop: AHI 2,X'777'; MVHI 0(3),X'5A5A'; BRCT 1,loop; J here */
static const char program[] = "a7190064 a72a0777 e54c30005a5a a716fffb a7f40000";

static struct cpu_harness h;

static void setup(void)
{
    harness_init(&h, "zEC12", 1);
    if (jit_supported())
        ck_assert_int_eq(cpu_set_engine(h.set, CPU_ENGINE_LOCKSTEP, NULL), ST_OK);
    harness_put(&h, HARNESS_CODE, program);
}

static void setup_some(void)
{
    harness_init(&h, "zEC12", 1);
    if (jit_supported())
        ck_assert_int_eq(cpu_set_engine(h.set, CPU_ENGINE_LOCKSTEP_SOME, NULL), ST_OK);
    harness_put(&h, HARNESS_CODE, program);
}

static void teardown(void)
{
    harness_fini(&h);
}

static void run(void)
{
    cpu_psw_set(h.cpu, HARNESS_PSW64, HARNESS_CODE);
    cpu_gr(h.cpu)[2] = 0;
    cpu_gr(h.cpu)[3] = HARNESS_DATA;
    ck_assert_int_eq(cpu_run(h.cpu, BUDGET), CPU_EXIT_BUDGET);
}

/* The program computes what it should, and most of it was compared. */
START_TEST(agrees)
{
    run();
    ck_assert_uint_eq(cpu_gr(h.cpu)[2], ROUNDS * 0x777);
    ck_assert_uint_eq(harness_load(&h, HARNESS_DATA, 4), 0x5a5a);
    if (!jit_supported())
        return;
    struct lockstep_stats s = lockstep_stats(h.cpu);
    ck_assert_uint_gt(s.stretches, 1);
    ck_assert_uint_ge(s.insns, 3 * ROUNDS);
    ck_assert_uint_gt(s.frames, 0);
    ck_assert_uint_gt(s.stretches, s.cold);
}
END_TEST

/* In every translation, those that others have taken the place of, too. */
static void damage(const void *pattern, size_t len)
{
    struct jit *j = h.cpu->jit;
    u8 *from = j->rw, *end = from + j->used, *at;
    unsigned found = 0;
    for (; (at = memmem(from, (size_t)(end - from), pattern, len)) != NULL; from = at + len) {
        at[len - 1] ^= 1;
        if (len == 4)
            at[0] ^= 1;
        found++;
    }
    ck_assert_uint_gt(found, 0);
}

/* AHI adds something else. */
START_TEST(wrong_register)
{
    static const u8 immediate[] = {0x77, 0x07, 0, 0};
    if (!jit_supported())
        exit(DIFFERENCE_STATUS);
    run();
    damage(immediate, sizeof immediate);
    run();
}
END_TEST

/* MVHI stores something else, when its page has a translation. */
START_TEST(wrong_store)
{
    static const u8 immediate[] = {0, 0, 0x5a, 0x5a};
    if (!jit_supported())
        exit(DIFFERENCE_STATUS);
    run();
    damage(immediate, sizeof immediate);
    run();
}
END_TEST

/* A store into the page of the program itself, behind it: both engines see it, nothing loops. */
START_TEST(store_near_code)
{
    cpu_psw_set(h.cpu, HARNESS_PSW64, HARNESS_CODE);
    cpu_gr(h.cpu)[2] = 0;
    cpu_gr(h.cpu)[3] = HARNESS_CODE + 0x800;
    ck_assert_int_eq(cpu_run(h.cpu, BUDGET), CPU_EXIT_BUDGET);
    ck_assert_uint_eq(cpu_gr(h.cpu)[2], ROUNDS * 0x777);
    ck_assert_uint_eq(harness_load(&h, HARNESS_CODE + 0x800, 4), 0x5a5a);
}
END_TEST

/* STCK twice in a loop: the interpreter gets the values that translated code got. */
START_TEST(clock_is_read_once)
{
    /* LGHI 1,9; loop: STCK 0(3); STCK 8(3); BRCT 1,loop; J here */
    harness_put(&h, HARNESS_CODE, "a7190009 b2053000 b2053008 a716fffc a7f40000");
    cpu_psw_set(h.cpu, HARNESS_PSW64, HARNESS_CODE);
    cpu_gr(h.cpu)[3] = HARNESS_DATA;
    ck_assert_int_eq(cpu_run(h.cpu, BUDGET), CPU_EXIT_BUDGET);
    ck_assert_uint_lt(harness_load(&h, HARNESS_DATA, 8), harness_load(&h, HARNESS_DATA + 8, 8));
}
END_TEST

/* The budget ends a stretch at a backward branch, where the condition code of AHI is current
 * although the loop sets it again before anybody asks, and its operand is gone. */
START_TEST(condition_code_of_a_loop)
{
    /* LGHI 1,600; loop: AHI 2,1; LHI 2,0; LR 4,2; BRCT 1,loop; AR 8,8; J here */
    harness_put(&h, HARNESS_CODE, "a7190258 a72a0001 a7280000 1842 a716fffb 1a88 a7f40000");
    cpu_psw_set(h.cpu, HARNESS_PSW64, HARNESS_CODE);
    ck_assert_int_eq(cpu_run(h.cpu, BUDGET), CPU_EXIT_BUDGET);
    ck_assert_uint_eq(harness_cc(&h), 2); /* of AHI: the loop is not over */
}
END_TEST

/* An instruction that only the interpreter executes stores into a page; then translated code
 * reads that page, stores into it and is rewound there too. */
START_TEST(store_between_stretches)
{
    /* LGHI 1,9; loop: ISKE 5,3; STG 1,X'FFC'(3) (two pages); A 6,X'FFC'(3); ST 6,X'FF0'(3);
     * BRCT 1,loop; J here */
    harness_put(&h, HARNESS_CODE,
                "a7190009 b2290053 e3103ffc0024 5a603ff0 50603ff0 a716fff7 a7f40000");
    cpu_gr(h.cpu)[3] = HARNESS_DATA;
    cpu_psw_set(h.cpu, HARNESS_PSW64, HARNESS_CODE);
    ck_assert_int_eq(cpu_run(h.cpu, BUDGET), CPU_EXIT_BUDGET);
    ck_assert_uint_eq(harness_load(&h, HARNESS_DATA + 0xffc, 8), 1);
}
END_TEST

/* What was equal often runs as it does alone, and most of it is not compared any more. */
START_TEST(some_is_enough)
{
    for (unsigned i = 0; i < 4 * LOCKSTEP_SURE_TIMES; i++) {
        run();
        ck_assert_uint_eq(cpu_gr(h.cpu)[2], ROUNDS * 0x777);
    }
    if (!jit_supported())
        return;
    struct lockstep_stats s = lockstep_stats(h.cpu);
    ck_assert_uint_gt(s.stretches, LOCKSTEP_SURE_TIMES);
    ck_assert_uint_gt(s.unseen, s.insns);
}
END_TEST

/* It is compared now and then all the same. */
START_TEST(wrong_after_all)
{
    static const u8 immediate[] = {0x77, 0x07, 0, 0};
    if (!jit_supported())
        exit(DIFFERENCE_STATUS);
    for (unsigned i = 0; i < 4 * LOCKSTEP_SURE_TIMES; i++)
        run();
    damage(immediate, sizeof immediate);
    for (unsigned i = 0; i < 2 * LOCKSTEP_SURE_EVERY; i++)
        run();
}
END_TEST

static Suite *lockstep_suite(void)
{
    Suite *s = suite_create("jit_lockstep");
    TCase *t = tcase_create("lockstep");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, agrees);
    tcase_add_exit_test(t, wrong_register, DIFFERENCE_STATUS);
    tcase_add_exit_test(t, wrong_store, DIFFERENCE_STATUS);
    tcase_add_test(t, store_near_code);
    tcase_add_test(t, clock_is_read_once);
    tcase_add_test(t, condition_code_of_a_loop);
    tcase_add_test(t, store_between_stretches);
    suite_add_tcase(s, t);
    t = tcase_create("of some");
    tcase_add_checked_fixture(t, setup_some, teardown);
    tcase_add_test(t, some_is_enough);
    tcase_add_exit_test(t, wrong_after_all, DIFFERENCE_STATUS);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    SRunner *r = srunner_create(lockstep_suite());
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
