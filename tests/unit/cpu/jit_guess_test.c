/* Where calls of what a register points to lead: busy regions follow what was seen, several places,
 * and what a frame's earlier program did gives way. */
#include <check.h>
#include <stdlib.h>

#include "cpu/jit/jit_internal.h"
#include "tests/lib/cpu_harness.h"

#define BUDGET 60000
#define PAGE 0x1000u
#define CALLEE_BYTES 0x100u
#define ROUND_INSNS 7 /* call, two in what is called, exchange of registers, branch */

static struct cpu_harness h;

static void setup(void)
{
    harness_init(&h, "zEC12", 1);
    if (jit_supported())
        ck_assert_int_eq(cpu_set_engine(h.set, CPU_ENGINE_JIT_FIRST, NULL), ST_OK);
}

static void teardown(void)
{
    harness_fini(&h);
}

static u64 callee(unsigned n)
{
    return HARNESS_CODE + PAGE + n * CALLEE_BYTES;
}

/* A loop that calls the callees a and b by turns, each of which counts in register 2. */
static void calls(unsigned a, unsigned b)
{
    harness_put(&h, callee(a), "a72b0001 07fe");
    harness_put(&h, callee(b), "a72b0001 07fe");
    /* BASR 14,6; LGR 8,6; LGR 6,7; LGR 7,8; J to the beginning */
    harness_put(&h, HARNESS_CODE, "0de6 b9040086 b9040067 b9040078 a7f4fff9");
    cpu_gr(h.cpu)[2] = 0;
    cpu_gr(h.cpu)[6] = callee(a);
    cpu_gr(h.cpu)[7] = callee(b);
    cpu_psw_set(h.cpu, HARNESS_PSW64, HARNESS_CODE);
    cpu_start(h.cpu);
    ck_assert_int_eq(cpu_run(h.cpu, BUDGET), CPU_EXIT_BUDGET);
    ck_assert_uint_ge(cpu_gr(h.cpu)[2], BUDGET / ROUND_INSNS - 1);
}

static bool known(unsigned n)
{
    u64 to[JIT_GUESS_TARGETS];
    const struct tlb_code_entry *e = &h.cpu->ispace->code[tlb_code_index(HARNESS_CODE)];
    unsigned count = jit_guesses(h.cpu->jit, ((struct code_page *)e->page)->slot, to);
    ck_assert_uint_le(count, JIT_GUESS_TARGETS);
    for (unsigned k = 0; k < count; k++)
        if (to[k] == callee(n))
            return true;
    return false;
}

/* Once both are known control stays in one region: nothing is counted, nothing made anew. */
START_TEST(two_callees)
{
    if (!jit_supported())
        return;
    calls(0, 1);
    ck_assert(known(0));
    ck_assert(known(1));
    u64 regions = h.cpu->jit->stats.regions;
    calls(0, 1);
    ck_assert_uint_le(h.cpu->jit->stats.regions, regions + 2);
}
END_TEST

START_TEST(others_give_way)
{
    if (!jit_supported())
        return;
    for (unsigned n = 0; n < 8; n += 2) {
        calls(n, n + 1);
        ck_assert_msg(known(n) && known(n + 1), "callees from %u on", n);
    }
    ck_assert(!known(0));
}
END_TEST

/* A store into the branch's granule: another program is there now, of which nothing is known. */
START_TEST(other_program)
{
    if (!jit_supported())
        return;
    calls(0, 1);
    ck_assert(known(0));
    harness_put(&h, 0x40000, "e54430000de6 a7f40000"); /* MVHHI 0(3),X'0DE6'; J here */
    cpu_gr(h.cpu)[3] = HARNESS_CODE;
    cpu_psw_set(h.cpu, HARNESS_PSW64, 0x40000);
    ck_assert_int_eq(cpu_run(h.cpu, 100), CPU_EXIT_BUDGET);
    ck_assert(!known(0));
    ck_assert(!known(1));
    calls(1, 2);
    ck_assert(known(2));
}
END_TEST

static Suite *guess_suite(void)
{
    Suite *s = suite_create("jit_guess");
    TCase *t = tcase_create("guess");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, two_callees);
    tcase_add_test(t, others_give_way);
    tcase_add_test(t, other_program);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    SRunner *r = srunner_create(guess_suite());
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
