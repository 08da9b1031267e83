/* Trace-table entries: which instructions make them, their formats in the three addressing modes,
 * the checks of their place. PoP chapter 4, "Tracing". */
#include <check.h>

#include "cpu/event/trace.h"
#include "tests/lib/cpu_harness.h"

#define TABLE 0x40000u
#define CODE HARNESS_CODE
#define PSW24 0ull
#define FAR 0x0000123456789abcull

static struct cpu_harness h;

static void setup(void)
{
    harness_init(&h, "max", 1);
}

static void teardown(void)
{
    harness_fini(&h);
}

/* Trace with these bits of CR12 from TABLE on, in the mode of `mask`. */
static void trace(u64 controls, u64 mask)
{
    cpu_cr(h.cpu)[12] = TABLE | controls;
    cpu_psw_set(h.cpu, mask, CODE);
    harness_store(&h, TABLE, 8, 0);
    harness_store(&h, TABLE + 8, 8, 0);
    harness_store(&h, TABLE + 16, 8, 0);
}

/* The entry has these words, and CR12 is behind it. */
static void entry(unsigned words, const u32 *want)
{
    ck_assert_uint_eq(cpu_cr(h.cpu)[12] & 0x3ffffffffffffffcull, TABLE + 4 * words);
    for (unsigned i = 0; i < words; i++)
        ck_assert_uint_eq(harness_load(&h, TABLE + 4 * i, 4), want[i]);
}
#define ENTRY(...) entry(sizeof((u32[]){__VA_ARGS__}) / sizeof(u32), (const u32[]){__VA_ARGS__})

static void no_entry(void)
{
    ck_assert_uint_eq(cpu_cr(h.cpu)[12] & 0x3ffffffffffffffcull, TABLE);
}

/* ---- branches ---- */

START_TEST(branch_formats)
{
    u64 *gr = cpu_gr(h.cpu);
    gr[2] = 0xff023456;
    trace(CR12_BRANCH_TRACE, PSW24);
    ck_assert_int_eq(harness_insn(&h, "0512"), 0);
    ENTRY(0x00023456);
    trace(CR12_BRANCH_TRACE, HARNESS_PSW31);
    ck_assert_int_eq(harness_insn(&h, "0d12"), 0);
    ENTRY(0xff023456);
    gr[2] = 0x7f023456;
    trace(CR12_BRANCH_TRACE, HARNESS_PSW64);
    ck_assert_int_eq(harness_insn(&h, "0d12"), 0);
    ENTRY(0xff023456);
    ck_assert_uint_eq(gr[1], CODE + 2);
    gr[2] = 0x80000000;
    trace(CR12_BRANCH_TRACE, HARNESS_PSW64);
    ck_assert_int_eq(harness_insn(&h, "0d12"), 0);
    ENTRY(0x52c00000, 0, 0x80000000);
    gr[2] = FAR;
    trace(CR12_BRANCH_TRACE, HARNESS_PSW64);
    ck_assert_int_eq(harness_insn(&h, "0d12"), 0);
    ENTRY(0x52c00000, 0x1234, 0x56789abc);
}
END_TEST

/* Only BALR and BASR that branch, and not the relative or storage forms. */
START_TEST(branch_selection)
{
    trace(CR12_BRANCH_TRACE, HARNESS_PSW64);
    cpu_gr(h.cpu)[2] = CODE;
    ck_assert_int_eq(harness_insn(&h, "0d10"), 0);
    ck_assert_int_eq(harness_insn(&h, "0510"), 0);
    ck_assert_int_eq(harness_insn(&h, "07f2"), 0);
    ck_assert_int_eq(harness_insn(&h, "4d10 2000"), 0);
    ck_assert_int_eq(harness_insn(&h, "a715 0008"), 0);
    no_entry();
    trace(0, HARNESS_PSW64);
    ck_assert_int_eq(harness_insn(&h, "0d12"), 0);
    no_entry();
    harness_put(&h, HARNESS_DATA, "0d12"); /* under EXECUTE */
    cpu_gr(h.cpu)[3] = HARNESS_DATA;
    trace(CR12_BRANCH_TRACE, HARNESS_PSW64);
    ck_assert_int_eq(harness_insn(&h, "4400 3000"), 0);
    ENTRY(0x80000000 | CODE);
}
END_TEST

/* Many branches at once: the run loop notices CR12. */
START_TEST(branch_run)
{
    trace(CR12_BRANCH_TRACE, HARNESS_PSW64);
    cpu_gr(h.cpu)[2] = CODE;
    harness_put(&h, CODE, "0d12");
    ck_assert_int_eq(cpu_run(h.cpu, 100), CPU_EXIT_BUDGET);
    ck_assert_uint_eq(cpu_cr(h.cpu)[12] & 0xfffff, TABLE + 400);
}
END_TEST

START_TEST(mode_switching)
{
    u64 *gr = cpu_gr(h.cpu), both = CR12_BRANCH_TRACE | CR12_MODE_TRACE;
    gr[2] = 0x80030000;
    trace(CR12_MODE_TRACE, HARNESS_PSW64);
    ck_assert_int_eq(harness_insn(&h, "0c12"), 0); /* bassm to 31 bits */
    ENTRY(0x51200000, CODE + 2);
    trace(both, HARNESS_PSW64);
    ck_assert_int_eq(harness_insn(&h, "0c12"), 0);
    ENTRY(0x51a00000, 0x80030000);
    trace(both, HARNESS_PSW64);
    ck_assert_int_eq(harness_insn(&h, "0b12"), 0); /* bsm is no traced branch */
    ENTRY(0x51200000, CODE + 2);
    gr[2] = 0x30001;
    trace(both, HARNESS_PSW31);
    ck_assert_int_eq(harness_insn(&h, "0c12"), 0);
    ENTRY(0x51b00000, 0x30000);
    gr[2] = FAR | 1;
    trace(both, HARNESS_PSW31);
    ck_assert_int_eq(harness_insn(&h, "0c12"), 0);
    ENTRY(0x52f00000, 0x1234, 0x56789abc);
    trace(both, HARNESS_PSW64);
    ck_assert_int_eq(harness_insn(&h, "0c12"), 0); /* stays in the mode: a branch */
    ENTRY(0x52c00000, 0x1234, 0x56789abc);
    trace(CR12_MODE_TRACE, HARNESS_PSW64);
    ck_assert_int_eq(harness_insn(&h, "010d"), 0); /* sam31 */
    ENTRY(0x51200000, CODE + 2);
    trace(CR12_MODE_TRACE, HARNESS_PSW31);
    ck_assert_int_eq(harness_insn(&h, "010e"), 0); /* sam64 */
    ENTRY(0x51300000, 0x80000000 | (CODE + 2));
    trace(CR12_MODE_TRACE, HARNESS_PSW31);
    ck_assert_int_eq(harness_insn(&h, "010c"), 0);
    no_entry();
    trace(CR12_MODE_TRACE, HARNESS_PSW64);
    ck_assert_int_eq(trace_mode_switch(h.cpu, PSW_BA, FAR), 0);
    ENTRY(0x52600000, 0x1234, 0x56789abc);
}
END_TEST

/* ---- spaces ---- */

START_TEST(space_entries)
{
    u64 key5 = 5ull << PSW_KEY_SHIFT;
    trace(CR12_ASN_TRACE, HARNESS_PSW64 | key5);
    ck_assert_int_eq(trace_set_secondary(h.cpu, 0x4711, true), 0);
    ENTRY(0x10014711);
    trace(CR12_ASN_TRACE, HARNESS_PSW31 | key5 | PSW_PROB);
    ck_assert_int_eq(trace_program_call(h.cpu, 0x54321, false, 0x1000), 0);
    ENTRY(0x21554321, 0x80001001);
    trace(CR12_ASN_TRACE, HARNESS_PSW64 | key5);
    ck_assert_int_eq(trace_program_call(h.cpu, 0x54321, false, 0x1000), 0);
    ENTRY(0x22554321, 0, 0x1000);
    trace(CR12_ASN_TRACE, HARNESS_PSW31 | key5);
    ck_assert_int_eq(trace_program_call(h.cpu, 0x12354321, true, 0x1000), 0);
    ENTRY(0x22580000, 0x80001000, 0x12354321);
    trace(CR12_ASN_TRACE, HARNESS_PSW64 | key5);
    ck_assert_int_eq(trace_program_call(h.cpu, 0x12354321, true, 0x1000), 0);
    ENTRY(0x225b0000, 0x1000, 0x12354321);
    trace(CR12_ASN_TRACE, HARNESS_PSW64 | key5);
    ck_assert_int_eq(trace_program_call(h.cpu, 0x12354321, true, FAR), 0);
    ENTRY(0x235f0000, 0x1234, 0x56789abc, 0x12354321);
    trace(CR12_ASN_TRACE, HARNESS_PSW31 | key5);
    ck_assert_int_eq(trace_program_transfer(h.cpu, 0x4711, 0x80001001, false), 0);
    ENTRY(0x31504711, 0x80001001);
    trace(CR12_ASN_TRACE, HARNESS_PSW64 | key5);
    ck_assert_int_eq(trace_program_transfer(h.cpu, 0x4711, 0x1001, true), 0);
    ENTRY(0x31594711, 0x1001);
    trace(CR12_ASN_TRACE, HARNESS_PSW64 | key5);
    ck_assert_int_eq(trace_program_transfer(h.cpu, 0x4711, FAR, false), 0);
    ENTRY(0x325c4711, 0x1234, 0x56789abc);
}
END_TEST

START_TEST(return_entries)
{
    u64 key5 = 5ull << PSW_KEY_SHIFT;
    trace(CR12_ASN_TRACE, HARNESS_PSW31 | key5);
    ck_assert_int_eq(
        trace_program_return(h.cpu, 0x4711, HARNESS_PSW31 | PSW_PROB, 0x2000, 0x1000), 0);
    ENTRY(0x32504711, 0x80002001, 0x80001000);
    trace(CR12_ASN_TRACE, HARNESS_PSW64 | key5);
    ck_assert_int_eq(trace_program_return(h.cpu, 0x4711, PSW24, 0x2000, FAR), 0);
    ENTRY(0x33534711, 0x2000, 0x1234, 0x56789abc);
    trace(CR12_ASN_TRACE, HARNESS_PSW31 | key5);
    ck_assert_int_eq(trace_program_return(h.cpu, 0x4711, HARNESS_PSW64, FAR, 0x1000), 0);
    ENTRY(0x335c4711, 0x1234, 0x56789abc, 0x80001000);
    trace(CR12_ASN_TRACE, HARNESS_PSW64 | key5);
    ck_assert_int_eq(trace_program_return(h.cpu, 0x4711, HARNESS_PSW64, FAR, FAR), 0);
    ENTRY(0x345f4711, 0x1234, 0x56789abc, 0x1234, 0x56789abc);
    trace(CR12_BRANCH_TRACE, HARNESS_PSW64);
    ck_assert_int_eq(trace_subspace(h.cpu, 0x01000007, FAR), 0);
    ENTRY(0x42000007, 0x1234, 0x56789abc);
    trace(CR12_BRANCH_TRACE, HARNESS_PSW31);
    ck_assert_int_eq(trace_subspace(h.cpu, 0x01000007, 0x80004000), 0);
    ENTRY(0x41800007, 0x80004000);
    trace(0, HARNESS_PSW64);
    ck_assert_int_eq(trace_subspace(h.cpu, 7, FAR), 0);
    ck_assert_int_eq(trace_set_secondary(h.cpu, 7, false), 0);
    no_entry();
}
END_TEST

/* ---- explicit ---- */

START_TEST(explicit_entries)
{
    u64 *gr = cpu_gr(h.cpu);
    gr[2] = FAR;
    gr[3] = 0x33;
    gr[4] = HARNESS_DATA;
    harness_store(&h, HARNESS_DATA, 4, 0x12345678);
    h.now_tod = 0xd123456789abcdefull;
    trace(CR12_EXPLICIT_TRACE, HARNESS_PSW64);
    ck_assert_int_eq(harness_insn(&h, "9923 4000"), 0);
    ENTRY(0x71004567, 0x89abcdef, 0x12345678, 0x56789abc, 0x33);
    trace(CR12_EXPLICIT_TRACE, HARNESS_PSW64);
    ck_assert_int_eq(harness_insn(&h, "eb23 4000 000f"), 0);
    ENTRY(0x7180d123, 0x456789ab, 0xcdf00000, 0x12345678, 0x1234, 0x56789abc, 0, 0x33);
    cpu_cr(h.cpu)[0] |= CR_BIT(32); /* the TOD clock as STCKF gives it: not unique */
    for (unsigned i = 0; i < 2; i++) {
        trace(CR12_EXPLICIT_TRACE, HARNESS_PSW64);
        ck_assert_int_eq(harness_insn(&h, "9923 4000"), 0);
        ENTRY(0x71004567, 0x89abcdf1, 0x12345678, 0x56789abc, 0x33);
    }
    harness_store(&h, HARNESS_DATA, 4, 0x82345678); /* bit 0: not this time */
    trace(CR12_EXPLICIT_TRACE, HARNESS_PSW64);
    ck_assert_int_eq(harness_insn(&h, "9923 4000"), 0);
    no_entry();
    ck_assert_int_eq(harness_insn(&h, "9923 4002"), PGM_SPECIFICATION);
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 4);
}
END_TEST

/* ---- where the entry goes ---- */

START_TEST(table_limits)
{
    u64 *gr = cpu_gr(h.cpu), *cr = cpu_cr(h.cpu);
    gr[1] = 0x55;
    gr[2] = FAR;
    trace(CR12_BRANCH_TRACE, HARNESS_PSW64);
    cr[12] = CR12_BRANCH_TRACE | (TABLE + 0xff0); /* ends before the end: fits */
    ck_assert_int_eq(harness_insn(&h, "0d12"), 0);
    gr[1] = 0x55;
    cpu_psw_set(h.cpu, HARNESS_PSW64, CODE);
    ck_assert_int_eq(harness_insn(&h, "0d12"), PGM_TRACE_TABLE); /* would reach it */
    ck_assert_uint_eq(harness_old_addr(&h), CODE);               /* nullified */
    ck_assert_uint_eq(harness_old_ilc(&h), 2);
    ck_assert_uint_eq(gr[1], 0x55);
    ck_assert_uint_eq(cr[12], CR12_BRANCH_TRACE | (TABLE + 0xffc));
    cr[12] = CR12_BRANCH_TRACE | HARNESS_STORAGE;
    ck_assert_int_eq(harness_insn(&h, "0d12"), PGM_ADDRESSING);
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 2);
    cr[12] = CR12_BRANCH_TRACE | 0x1000;
    cr[0] |= CR0_LAP;
    ck_assert_int_eq(harness_insn(&h, "0d12"), PGM_PROTECTION);
    ck_assert_uint_eq(harness_load(&h, 0xa8, 8) & ~0xfffull, 0x1000);
    cr[12] = CR12_BRANCH_TRACE | 0x1200; /* not protected */
    ck_assert_int_eq(harness_insn(&h, "0d12"), 0);
    ck_assert_uint_eq(harness_load(&h, 0x1200, 4), 0x52c00000);
    h.cpu->prefix = 0x50000; /* a real address */
    cr[12] = CR12_BRANCH_TRACE | 0x600;
    ck_assert_int_eq(trace_branch(h.cpu, HARNESS_PSW64, FAR), 0);
    ck_assert_uint_eq(harness_load(&h, 0x50600, 4), 0x52c00000);
    ck_assert_uint_eq(cr[12], CR12_BRANCH_TRACE | 0x60c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu_trace");
    TCase *t = tcase_create("entries");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, branch_formats);
    tcase_add_test(t, branch_selection);
    tcase_add_test(t, branch_run);
    tcase_add_test(t, mode_switching);
    tcase_add_test(t, space_entries);
    tcase_add_test(t, return_entries);
    tcase_add_test(t, explicit_entries);
    tcase_add_test(t, table_limits);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
