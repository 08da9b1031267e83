/* General instructions, one at a time: results, condition codes, exceptions and what they leave
 * alone. Registers 1 to 3 and one doubleword of storage at 0(%r10) go in and come out. */
#include <check.h>
#include <stdlib.h>

#include "tests/lib/cpu_harness.h"

#define ANY 9 /* condition code not looked at; 1 goes in */
#define F 0xffffffffull
#define HI(x) ((u64)(x) << 32)

struct insn_case {
    const char *hex;
    u64 in[3], storage;
    int pgm;
    unsigned cc;
    u64 out[3], storage_after;
};

static struct cpu_harness h;

static void setup(void)
{
    harness_init(&h, "z196", 1);
    for (unsigned i = 0; i < 4; i++) /* everything has rows; all of it is tested */
        h.set->facilities[4 + i] = 0xff;
}

static void teardown(void)
{
    harness_fini(&h);
}

static void run_case(const struct insn_case *t)
{
    harness_reset(&h);
    h.cpu->cc = 1;
    for (unsigned i = 0; i < 3; i++)
        h.cpu->gr[1 + i] = t->in[i];
    h.cpu->gr[10] = HARNESS_DATA;
    harness_store(&h, HARNESS_DATA, 8, t->storage);
    int pgm = harness_insn(&h, t->hex);
    ck_assert_msg(pgm == t->pgm, "%s: program interruption %x, not %x", t->hex, pgm, t->pgm);
    if (t->cc != ANY && !pgm)
        ck_assert_msg(harness_cc(&h) == t->cc, "%s: cc %u", t->hex, harness_cc(&h));
    for (unsigned i = 0; i < 3; i++)
        ck_assert_msg(h.cpu->gr[1 + i] == t->out[i], "%s: gr%u is %llx", t->hex, 1 + i,
                      (unsigned long long)h.cpu->gr[1 + i]);
    u64 after = harness_load(&h, HARNESS_DATA, 8);
    ck_assert_msg(after == t->storage_after, "%s: storage is %llx", t->hex,
                  (unsigned long long)after);
}

static void run_cases(const struct insn_case *t, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        run_case(&t[i]);
}

/* AR keeps the high half; overflow gives 3; the interruption only with the mask on. */
START_TEST(addition)
{
    static const struct insn_case t[] = {
        {"1a12", {HI(7) | 5, HI(9) | 6, 0}, 0, 0, 2, {HI(7) | 11, HI(9) | 6, 0}, 0},
        {"1a12", {0x7fffffff, 1, 0}, 0, 0, 3, {0x80000000, 1, 0}, 0},
        {"1a12", {0x80000000, F, 0}, 0, 0, 3, {0x7fffffff, F, 0}, 0},
        {"b9080012", {~0ull >> 1, 1, 0}, 0, 0, 3, {1ull << 63, 1, 0}, 0},
        {"b9180012", {5, F, 0}, 0, 0, 2, {4, F, 0}, 0},
        {"5a10a004", {1, 0, 0}, F, 0, 0, {0, 0, 0}, F},
        {"a71affff", {0, 0, 0}, 0, 0, 1, {F, 0, 0}, 0},
        {"a71bffff", {0, 0, 0}, 0, 0, 1, {~0ull, 0, 0}, 0},
        {"c219ffffffff", {1, 0, 0}, 0, 0, 0, {0, 0, 0}, 0},
        {"1e12", {F, 1, 0}, 0, 0, 2, {0, 1, 0}, 0},
        {"1e12", {F, 2, 0}, 0, 0, 3, {1, 2, 0}, 0},
        {"1e12", {1, 2, 0}, 0, 0, 1, {3, 2, 0}, 0},
        {"1f12", {1, 1, 0}, 0, 0, 2, {0, 1, 0}, 0},
        {"1f12", {1, 2, 0}, 0, 0, 1, {F, 2, 0}, 0},
        {"1f12", {2, 1, 0}, 0, 0, 3, {1, 1, 0}, 0},
        {"b91b0012", {0, F, 0}, 0, 0, 1, {~F + 1, F, 0}, 0},
        {"b9980012", {F, 0, 0}, 0, 0, 1, {F, 0, 0}, 0}, /* cc 1: no carry in */
        {"b9990012", {5, 4, 0}, 0, 0, 2, {0, 4, 0}, 0}, /* cc 1: borrow in */
        {"b9990012", {4, 4, 0}, 0, 0, 1, {F, 4, 0}, 0},
        {"b9890012", {0, 0, 0}, 0, 0, 1, {~0ull, 0, 0}, 0},
        {"b9f83012", {HI(1), 2, 3}, 0, 0, 2, {HI(1) | 5, 2, 3}, 0},
        {"b9e91032", {10, 3, 4}, 0, 0, 1, {10, 3, ~0ull - 6}, 0}, /* 3 = gr2 - gr1 */
        {"eb01a000007a", {0, 0, 0}, ~0ull >> 1, 0, 3, {0, 0, 0}, 1ull << 63},
        {"ebffa004006a", {0, 0, 0}, 1, 0, 0, {0, 0, 0}, 0},
        {"ebffa004006e", {0, 0, 0}, 0, 0, 1, {0, 0, 0}, F},
        {"b9c83012", {5, HI(1), HI(2)}, 0, 0, 2, {HI(3) | 5, HI(1), HI(2)}, 0},
        {"b9d83012", {5, HI(1), 2}, 0, 0, 2, {HI(3) | 5, HI(1), 2}, 0},
        {"cc1bfffffffe", {HI(1) | 3, 0, 0}, 0, 0, 1, {HI(F) | 3, 0, 0}, 0},
    };
    run_cases(t, ARRAY_LEN(t));
}
END_TEST

START_TEST(fixed_overflow_interrupts_when_masked_in)
{
    harness_reset(&h);
    h.cpu->gr[1] = 0x7fffffff;
    h.cpu->gr[2] = 1;
    h.cpu->gr[3] = 0x08000000;
    ck_assert_int_eq(harness_insns(&h, "0430 1a12", 2), PGM_FIXED_OVERFLOW);
    ck_assert_uint_eq(h.cpu->gr[1], 0x80000000); /* completed */
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE + 4);
    ck_assert_uint_eq(harness_old_ilc(&h), 2);
}
END_TEST

START_TEST(multiplication_and_division)
{
    static const struct insn_case t[] = {
        {"1c23", {0, 0, F}, 0, 0, ANY, {0, 0, 1}, 0}, /* -1 * -1 */
        {"1c13", {1, 2, 3}, 0, PGM_SPECIFICATION, 0, {1, 2, 3}, 0},
        {"b9960023", {0, HI(1), F}, 0, 0, ANY, {0, HI(1) | 0xfffffffe, 1}, 0},
        {"b9860023", {0, 0, ~0ull}, 0, 0, ANY, {0, ~0ull - 1, 1}, 0},
        {"a71cfffe", {3, 0, 0}, 0, 0, ANY, {0xfffffffa, 0, 0}, 0},
        {"a71dfffe", {3, 0, 0}, 0, 0, ANY, {~0ull - 5, 0, 0}, 0},
        {"1d21", {7, F, 0xffffff9c}, 0, 0, ANY, {7, 0xfffffffe, 0xfffffff2}, 0}, /* -100 / 7 */
        {"1d21", {0, 0, 5}, 0, PGM_FIXED_DIVIDE, 0, {0, 0, 5}, 0},
        {"1d21", {1, 0, 0x80000000}, 0, PGM_FIXED_DIVIDE, 0, {1, 0, 0x80000000}, 0},
        {"1d21", {F, 0x80000000, 0}, 0, PGM_FIXED_DIVIDE, 0, {F, 0x80000000, 0}, 0},
        {"1d21", {F, 0, 0x80000000}, 0, 0, ANY, {F, 0, 0x80000000}, 0}, /* 2^31 / -1 fits */
        {"b9970021", {16, 1, 0}, 0, 0, ANY, {16, 0, 0x10000000}, 0},
        {"b9970021", {1, 1, 0}, 0, PGM_FIXED_DIVIDE, 0, {1, 1, 0}, 0},
        {"b9870021", {16, 1, 5}, 0, 0, ANY, {16, 5, 1ull << 60}, 0},
        {"b9870021", {1, 1, 5}, 0, PGM_FIXED_DIVIDE, 0, {1, 1, 5}, 0},
        {"b90d0021", {~0ull, 9, 1ull << 63}, 0, PGM_FIXED_DIVIDE, 0, {~0ull, 9, 1ull << 63}, 0},
        {"b91d0021", {HI(5) | 3, 9, 100}, 0, 0, ANY, {HI(5) | 3, 1, 33}, 0},
    };
    run_cases(t, ARRAY_LEN(t));
}
END_TEST

START_TEST(shifts_and_rotates)
{
    static const struct insn_case t[] = {
        {"8910001f", {HI(5) | 3, 0, 0}, 0, 0, 1, {HI(5) | 0x80000000, 0, 0}, 0},
        {"89100020", {HI(5) | 3, 0, 0}, 0, 0, 1, {HI(5), 0, 0}, 0},
        {"8810003f", {F, 0, 0}, 0, 0, 1, {0, 0, 0}, 0},
        {"8a100020", {0x80000000, 0, 0}, 0, 0, 1, {F, 0, 0}, 0},
        {"8b100001", {0x40000000, 0, 0}, 0, 0, 3, {0, 0, 0}, 0},
        {"8b100001", {0xc0000000, 0, 0}, 0, 0, 1, {0x80000000, 0, 0}, 0},
        {"8b10001f", {F, 0, 0}, 0, 0, 1, {0x80000000, 0, 0}, 0},
        {"8b100020", {F, 0, 0}, 0, 0, 3, {0x80000000, 0, 0}, 0},
        {"8b10003f", {0, 0, 0}, 0, 0, 0, {0, 0, 0}, 0},
        {"8b10003f", {1, 0, 0}, 0, 0, 3, {0, 0, 0}, 0},
        {"eb120001000b", {0, 1ull << 62, 0}, 0, 0, 3, {0, 1ull << 62, 0}, 0},
        {"eb12003f000b", {0, ~0ull, 0}, 0, 0, 1, {1ull << 63, ~0ull, 0}, 0},
        {"eb12003f000a", {0, 1ull << 63, 0}, 0, 0, 1, {~0ull, 1ull << 63, 0}, 0},
        {"8d200020", {0, 1, 2}, 0, 0, 1, {0, 2, 0}, 0},
        {"8d100020", {0, 1, 2}, 0, PGM_SPECIFICATION, 0, {0, 1, 2}, 0},
        {"8e200004", {0, 0x80000000, 0}, 0, 0, 1, {0, 0xf8000000, 0}, 0},
        {"8f200001", {0, 0x40000000, 0}, 0, 0, 3, {0, 0, 0}, 0},
        {"eb120004001d", {HI(1), 0x80000001, 0}, 0, 0, 1, {HI(1) | 0x18, 0x80000001, 0}, 0},
        {"eb120004001c", {0, 1ull << 63 | 1, 0}, 0, 0, 1, {0x18, 1ull << 63 | 1, 0}, 0},
        {"ec12383b0455", {~0ull, 0x1234, 0}, 0, 0, 1, {~0xf0ull | 0x40, 0x1234, 0}, 0},
        {"ec1238bf0055", {~0ull, 0x1234, 0}, 0, 0, 2, {0x34, 0x1234, 0}, 0},
        {"ec123c030055", {0, ~0ull, 0}, 0, 0, 1, {0xf00000000000000full, ~0ull, 0}, 0},
        {"ec12b83f0054", {0xff, 0x0f, 0}, 0, 0, 1, {0xff, 0x0f, 0}, 0},
        {"ec12383f0054", {0xff, 0x0f, 0}, 0, 0, 1, {0x0f, 0x0f, 0}, 0},
        {"ec12383f0057", {0x0f, 0x0f, 0}, 0, 0, 0, {0, 0x0f, 0}, 0},
        {"ec12009f205d", {0x55, 0xabcd, 0}, 0, 0, 1, {HI(0xabcd) | 0x55, 0xabcd, 0}, 0},
        {"ec12109f2051",
         {HI(5) | F, HI(0x12345678), 0},
         0,
         0,
         1,
         {HI(5) | 0x5678, HI(0x12345678), 0},
         0},
        {"b9830023", {0, 9, 0}, 0, 0, 0, {0, 64, 0}, 0},
        {"b9830021", {0x0f, 9, 9}, 0, 0, 2, {0x0f, 60, 7}, 0},
        {"b9830012", {0, 9, 9}, 0, PGM_SPECIFICATION, 0, {0, 9, 9}, 0},
        {"b9e10012", {0, 0xff0301ull, 0}, 0, 0, 1, {0x080201, 0xff0301, 0}, 0},
    };
    run_cases(t, ARRAY_LEN(t));
}
END_TEST

START_TEST(logic_and_tests)
{
    static const struct insn_case t[] = {
        {"1412", {HI(3) | 6, 3, 0}, 0, 0, 1, {HI(3) | 2, 3, 0}, 0},
        {"1712", {HI(3) | 6, 6, 0}, 0, 0, 0, {HI(3), 6, 0}, 0},
        {"a514fff0", {~0ull, 0, 0}, 0, 0, 1, {~0ull & ~(0xfull << 48), 0, 0}, 0},
        {"a5170000", {F, 0, 0}, 0, 0, 0, {F & ~0xffffull, 0, 0}, 0},
        {"a5198000", {0, 0, 0}, 0, 0, 1, {HI(0x8000), 0, 0}, 0},
        {"c01bffff0000", {~0ull, 0, 0}, 0, 0, 1, {HI(F) | 0xffff0000, 0, 0}, 0},
        {"c01a00000000", {~0ull, 0, 0}, 0, 0, 0, {F, 0, 0}, 0},
        {"9180a000", {0, 0, 0}, 0x80ull << 56, 0, 3, {0, 0, 0}, 0x80ull << 56},
        {"9181a000", {0, 0, 0}, 0x80ull << 56, 0, 1, {0, 0, 0}, 0x80ull << 56},
        {"9100a000", {0, 0, 0}, ~0ull, 0, 0, {0, 0, 0}, ~0ull},
        {"a711c000", {0x8000, 0, 0}, 0, 0, 2, {0x8000, 0, 0}, 0},
        {"a711c000", {0x4000, 0, 0}, 0, 0, 1, {0x4000, 0, 0}, 0},
        {"a7128000", {1ull << 63, 0, 0}, 0, 0, 3, {1ull << 63, 0, 0}, 0},
        {"960fa001", {0, 0, 0}, 0, 0, 1, {0, 0, 0}, 0x0full << 48},
        {"9400a000", {0, 0, 0}, ~0ull, 0, 0, {0, 0, 0}, ~0ull >> 8},
        {"97ffa007", {0, 0, 0}, 0xff, 0, 0, {0, 0, 0}, 0},
        {"b9f41023", {6, 0, 3}, 0, 0, 1, {6, 2, 3}, 0},
    };
    run_cases(t, ARRAY_LEN(t));
}
END_TEST

START_TEST(loads_and_stores)
{
    static const struct insn_case t[] = {
        {"5810a000", {HI(9), 0, 0}, HI(5) | 6, 0, 1, {HI(9) | 5, 0, 0}, HI(5) | 6},
        {"e310a0000014", {0, 0, 0}, HI(F), 0, 1, {~0ull, 0, 0}, HI(F)},
        {"e310a0000017", {0, 0, 0}, HI(F), 0, 1, {0x7fffffff, 0, 0}, HI(F)},
        {"e310a0000076",
         {HI(9), 0, 0},
         0x80ull << 56,
         0,
         1,
         {HI(9) | 0xffffff80, 0, 0},
         0x80ull << 56},
        {"4310a000",
         {~0ull, 0, 0},
         0x12ull << 56,
         0,
         1,
         {~0xffull | 0x12, 0, 0},
         0x12ull << 56},
        {"e31030000004", {1, 0, 4 << 20}, 5, PGM_ADDRESSING, 0, {1, 0, 4 << 20}, 5},
        {"bf15a000",
         {~0ull, 0, 0},
         0x1280ull << 48,
         0,
         2,
         {(~0ull & ~0xff00ffull) | 0x120080, 0, 0},
         0x1280ull << 48},
        {"bf17a000", {0, 0, 0}, 0x800000ull << 40, 0, 1, {0x800000, 0, 0}, 0x800000ull << 40},
        {"bf10a000", {5, 0, 0}, ~0ull, 0, 0, {5, 0, 0}, ~0ull},
        {"be15a001", {0x11223344, 0, 0}, 0, 0, 1, {0x11223344, 0, 0}, 0x2244ull << 40},
        {"eb18a0000080", {0, 0, 0}, 0x55ull << 56, 0, 2, {0x55ull << 56, 0, 0}, 0x55ull << 56},
        {"bd1fa000", {5, 0, 0}, HI(6), 0, 1, {5, 0, 0}, HI(6)},
    };
    run_cases(t, ARRAY_LEN(t));
}
END_TEST

START_TEST(multiples_and_conditional_loads)
{
    static const struct insn_case t[] = {
        {"9823a000", {0, HI(1), HI(2)}, HI(5) | 6, 0, 1, {0, HI(1) | 5, HI(2) | 6}, HI(5) | 6},
        {"eb23a0000096", {0, 1, 2}, HI(5) | 6, 0, 1, {0, HI(5) | 1, HI(6) | 2}, HI(5) | 6},
        {"eb23a0000026", {0, HI(3) | 1, HI(4)}, 0, 0, 1, {0, HI(3) | 1, HI(4)}, HI(3) | 4},
        {"ef12a000a004", {0, 0, 0}, HI(5) | 6, 0, 1, {HI(5) | 6, HI(6), 0}, HI(5) | 6},
        {"9023a000", {0, HI(1) | 3, 4}, 0, 0, 1, {0, HI(1) | 3, 4}, HI(3) | 4},
        {"e310a000001f",
         {~0ull, 0, 0},
         0x1234ull << 48,
         0,
         1,
         {~0xffffull | 0x3412, 0, 0},
         0x1234ull << 48},
        {"e310a000002f",
         {0x0102030405060708, 0, 0},
         0,
         0,
         1,
         {0x0102030405060708, 0, 0},
         0x0807060504030201},
        {"e310a0000039", {5, 0, 0}, 0x0002ull << 48, 0, 2, {3, 0, 0}, 0x0002ull << 48},
        {"e54ca004fffe", {0, 0, 0}, 0, 0, 1, {0, 0, 0}, 0xfffffffe},
        {"e548a000fffe", {0, 0, 0}, 0, 0, 1, {0, 0, 0}, ~0ull - 1},
        {"b9f24012", {1, 2, 0}, 0, 0, 1, {2, 2, 0}, 0}, /* cc 1, mask 4 */
        {"b9f28012", {1, 2, 0}, 0, 0, 1, {1, 2, 0}, 0},
        {"eb18f00000f2", {1, 2, 0}, 0, 0, 1, {1, 2, 0}, 0}, /* not selected: not accessed */
        {"c41d00000001", {1, 0, 0}, 0, PGM_SPECIFICATION, 0, {1, 0, 0}, 0},
        {"c41800008000", {1, 0, 0}, HI(7) | 8, 0, 1, {HI(7) | 8, 0, 0}, HI(7) | 8},
        {"c41f00008002", {HI(1) | 9, 0, 0}, 0, 0, 1, {HI(1) | 9, 0, 0}, 9},
        {"b9020012", {0, 1ull << 63, 0}, 0, 0, 1, {1ull << 63, 1ull << 63, 0}, 0},
        {"1312", {HI(1), 0x80000000, 0}, 0, 0, 3, {HI(1) | 0x80000000, 0x80000000, 0}, 0},
        {"1012", {0, F, 0}, 0, 0, 2, {1, F, 0}, 0},
        {"1112", {0, 5, 0}, 0, 0, 1, {0xfffffffb, 5, 0}, 0},
        {"b9110012", {0, 5, 0}, 0, 0, 1, {~0ull - 4, 5, 0}, 0},
    };
    run_cases(t, ARRAY_LEN(t));
}
END_TEST

START_TEST(comparison)
{
    static const struct insn_case t[] = {
        {"1912", {F, 1, 0}, 0, 0, 1, {F, 1, 0}, 0},
        {"1512", {F, 1, 0}, 0, 0, 2, {F, 1, 0}, 0},
        {"b9200012", {1ull << 63, 0, 0}, 0, 0, 1, {1ull << 63, 0, 0}, 0},
        {"b9300012", {~0ull, F, 0}, 0, 0, 0, {~0ull, F, 0}, 0},
        {"a71effff", {F, 0, 0}, 0, 0, 0, {F, 0, 0}, 0},
        {"c21f80000000", {1, 0, 0}, 0, 0, 1, {1, 0, 0}, 0},
        {"c21d80000000", {1, 0, 0}, 0, 0, 2, {1, 0, 0}, 0},
        {"95ffa000", {0, 0, 0}, 0xfeull << 56, 0, 1, {0, 0, 0}, 0xfeull << 56},
        {"e554a000ffff", {0, 0, 0}, 0, 0, 2, {0, 0, 0}, 0},
        {"e555a000ffff", {0, 0, 0}, 0, 0, 1, {0, 0, 0}, 0},
        {"e559a0000001", {0, 0, 0}, 1, 0, 0, {0, 0, 0}, 1},
        {"b9dd0012", {HI(F), 1, 0}, 0, 0, 1, {HI(F), 1, 0}, 0},
        {"cc1f00000001", {HI(F), 0, 0}, 0, 0, 2, {HI(F), 0, 0}, 0},
        {"b9728012", {5, 5, 0}, 0, PGM_DATA, 0, {5, 5, 0}, 0},
        {"b9724012", {5, 5, 0}, 0, 0, 1, {5, 5, 0}, 0},
        {"ec10fffe8073", {0xfffe, 0, 0}, 0, PGM_DATA, 0, {0xfffe, 0, 0}, 0},
    };
    run_cases(t, ARRAY_LEN(t));
    run_case(&t[13]);
    ck_assert_uint_eq(h.cpu->fpc >> 8 & 0xff, 0xff);
    ck_assert_uint_eq(harness_load(&h, 0x93, 1), 0xff);
}
END_TEST

START_TEST(interlocked_updates)
{
    static const struct insn_case t[] = {
        {"ba12a000", {5, 7, 0}, HI(5), 0, 0, {5, 7, 0}, HI(7)},
        {"ba12a000", {HI(1) | 5, 7, 0}, HI(6), 0, 1, {HI(1) | 6, 7, 0}, HI(6)},
        {"ba12a002", {5, 7, 0}, HI(5), PGM_SPECIFICATION, 0, {5, 7, 0}, HI(5)},
        {"eb12a0000030", {~5ull, 7, 0}, ~5ull, 0, 0, {~5ull, 7, 0}, 7},
        {"bb12a000", {0, 0, 0}, 1, PGM_SPECIFICATION, 0, {0, 0, 0}, 1},
        {"bb22a000", {0, 1, 2}, HI(1) | 2, 0, 0, {0, 1, 2}, HI(1) | 2},
        {"9300a000", {0, 0, 0}, 0x7full << 56, 0, 0, {0, 0, 0}, 0xffull << 56},
        {"eb12a00000f8", {HI(1), 7, 0}, HI(5), 0, 2, {HI(1) | 5, 7, 0}, HI(12)},
        {"eb12a00000f8", {0, 1, 0}, HI(0x7fffffff), 0, 3, {0x7fffffff, 1, 0}, HI(0x80000000)},
        {"eb12a00000ea", {0, 1, 0}, ~0ull, 0, 2, {~0ull, 1, 0}, 0},
        {"eb12a00000e4", {0, 6, 0}, 3, 0, 1, {3, 6, 0}, 2},
        {"eb12a00000e7", {0, 3, 0}, 3, 0, 0, {3, 3, 0}, 0},
        {"eb12a00400e7", {0, 3, 0}, 3, PGM_SPECIFICATION, 0, {0, 3, 0}, 3},
        {"c824a000a004", {0, 0, 0}, HI(5) | 6, 0, 0, {0, 5, 6}, HI(5) | 6},
        {"e320a008008f", {0, 1, 2}, 0, PGM_SPECIFICATION, 0, {0, 1, 2}, 0},
    };
    run_cases(t, ARRAY_LEN(t));
}
END_TEST

START_TEST(quadwords)
{
    harness_reset(&h);
    h.cpu->gr[10] = HARNESS_DATA;
    h.cpu->gr[2] = 0x0102030405060708;
    h.cpu->gr[3] = 0x1112131415161718;
    ck_assert_int_eq(harness_insn(&h, "e320a000008e"), 0);
    ck_assert_uint_eq(harness_load(&h, HARNESS_DATA + 8, 8), 0x1112131415161718);
    ck_assert_int_eq(harness_insn(&h, "e340a000008f"), 0);
    ck_assert_uint_eq(h.cpu->gr[4], 0x0102030405060708);
    ck_assert_uint_eq(h.cpu->gr[5], 0x1112131415161718);
    h.cpu->gr[6] = 1;
    h.cpu->gr[7] = 2;
    ck_assert_int_eq(harness_insn(&h, "eb26a000003e"), 0); /* CDSG 2,6 */
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(harness_load(&h, HARNESS_DATA, 8), 1);
    ck_assert_int_eq(harness_insn(&h, "eb26a000003e"), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    ck_assert_uint_eq(h.cpu->gr[3], 2);
}
END_TEST

/* CSST: 64-bit comparison, 16-byte store. */
START_TEST(compare_and_swap_and_store)
{
    harness_reset(&h);
    h.cpu->gr[0] = 0x0401;
    h.cpu->gr[1] = HARNESS_DATA + 0x100;
    h.cpu->gr[3] = 7;
    h.cpu->gr[10] = HARNESS_DATA;
    harness_store(&h, HARNESS_DATA, 8, 7);
    harness_store(&h, HARNESS_DATA + 0x100, 8, 9);
    harness_store(&h, HARNESS_DATA + 0x110, 8, 11);
    harness_store(&h, HARNESS_DATA + 0x118, 8, 13);
    ck_assert_int_eq(harness_insn(&h, "c832a000a020"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(harness_load(&h, HARNESS_DATA, 8), 9);
    ck_assert_uint_eq(harness_load(&h, HARNESS_DATA + 0x20, 8), 11);
    ck_assert_uint_eq(harness_load(&h, HARNESS_DATA + 0x28, 8), 13);
    ck_assert_int_eq(harness_insn(&h, "c832a000a020"), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    ck_assert_uint_eq(h.cpu->gr[3], 9);
    h.cpu->gr[0] = 0x0003;
    ck_assert_int_eq(harness_insn(&h, "c832a000a020"), PGM_SPECIFICATION);
}
END_TEST

static u64 branch(const char *hex)
{
    ck_assert_int_eq(harness_insn(&h, hex), 0);
    return harness_psw_addr(&h) - HARNESS_CODE;
}

START_TEST(branches)
{
    harness_reset(&h);
    h.cpu->cc = 2;
    h.cpu->gr[10] = HARNESS_DATA;
    ck_assert_uint_eq(branch("a7240010"), 0x20);
    ck_assert_uint_eq(branch("a7d40010"), 4);
    ck_assert_uint_eq(branch("47f0a000"), HARNESS_DATA - HARNESS_CODE);
    ck_assert_uint_eq(branch("07fa"), HARNESS_DATA - HARNESS_CODE);
    ck_assert_uint_eq(branch("07f0"), 2);
    ck_assert_uint_eq(branch("07e0"), 2);
    ck_assert_uint_eq(branch("0dea"), HARNESS_DATA - HARNESS_CODE);
    ck_assert_uint_eq(h.cpu->gr[14], HARNESS_CODE + 2);
    ck_assert_uint_eq(branch("c0e500000100"), 0x200);
    ck_assert_uint_eq(h.cpu->gr[14], HARNESS_CODE + 6);
    h.cpu->gr[1] = HI(5) | 1;
    ck_assert_uint_eq(branch("a7160010"), 4);
    ck_assert_uint_eq(h.cpu->gr[1], HI(5));
    ck_assert_uint_eq(branch("a7160010"), 0x20);
    ck_assert_uint_eq(h.cpu->gr[1], HI(5) | F);
    h.cpu->gr[1] = 5, h.cpu->gr[2] = 3, h.cpu->gr[3] = 8;
    ck_assert_uint_eq(branch("84120010"), 4); /* BRXH: 8 > 8 */
    ck_assert_uint_eq(branch("84120010"), 0x20);
    h.cpu->gr[3] = 2; /* odd: increment and comparand; and the sum itself is the comparand */
    ck_assert_uint_eq(branch("84330010"), 0x20);
    h.cpu->gr[1] = 1, h.cpu->gr[2] = ~0ull;
    ck_assert_uint_eq(branch("ec1200102076"), 0x20); /* CRJ high: 1 > -1 */
    ck_assert_uint_eq(branch("ec1200102077"), 6);
    ck_assert_uint_eq(branch("ec120010ff7e"), 0x20); /* CIJ high, -1 */
    ck_assert_uint_eq(branch("ec140010ff7d"), 0x20); /* CLGIJ low, 255 */
    ck_assert_uint_eq(branch("ec12a00020e4"), HARNESS_DATA - HARNESS_CODE);
    ck_assert_uint_eq(h.cpu->cc, 2);
}
END_TEST

/* Link information and addresses in the 24-bit and 31-bit modes; mode switches. */
START_TEST(addressing_modes)
{
    harness_reset(&h);
    h.cpu->gr[1] = ~0ull;
    h.cpu->gr[10] = 0x181000000ull | HARNESS_DATA;
    cpu_psw_set(h.cpu, PSW_BA | 2ull << PSW_CC_SHIFT, HARNESS_CODE);
    ck_assert_int_eq(harness_insn(&h, "4110a000"), 0);
    ck_assert_uint_eq(h.cpu->gr[1], HI(F) | 0x01020000);
    ck_assert_int_eq(harness_insn(&h, "0d10"), 0);
    ck_assert_uint_eq(h.cpu->gr[1], HI(F) | 0x80000000 | (HARNESS_CODE + 2));
    cpu_psw_set(h.cpu, 2ull << PSW_CC_SHIFT, HARNESS_CODE);
    ck_assert_int_eq(harness_insn(&h, "4110a000"), 0);
    ck_assert_uint_eq(h.cpu->gr[1], HI(F) | HARNESS_DATA);
    ck_assert_int_eq(harness_insn(&h, "4510a000"), 0);
    ck_assert_uint_eq(h.cpu->gr[1], HI(F) | 0xa0000000 | (HARNESS_CODE + 4));
    ck_assert_uint_eq(harness_psw_addr(&h), HARNESS_DATA);
    h.cpu->gr[2] = HARNESS_DATA | 1;
    ck_assert_int_eq(harness_insn(&h, "0c12"), 0); /* BASSM into the 64-bit mode */
    ck_assert_uint_eq(h.cpu->gr[1], HI(F) | (HARNESS_CODE + 2));
    ck_assert_uint_eq(harness_psw_addr(&h), HARNESS_DATA);
    ck_assert_uint_eq(h.cpu->amask, ~0ull);
    h.cpu->gr[2] = 0x80000000 | HARNESS_DATA;
    ck_assert_int_eq(harness_insn(&h, "0b12"), 0); /* BSM into the 31-bit mode */
    ck_assert_uint_eq(h.cpu->gr[1] & 1, 1);
    ck_assert_uint_eq(h.cpu->amask, 0x7fffffff);
}
END_TEST

START_TEST(execute_target)
{
    harness_reset(&h);
    h.cpu->gr[1] = 0x12;
    h.cpu->gr[2] = 5;
    h.cpu->gr[10] = HARNESS_DATA;
    harness_put(&h, HARNESS_DATA, "1a00 4400a000 0a00 a7f40010 0d30 9100a003");
    ck_assert_int_eq(harness_insn(&h, "4410a000"), 0); /* AR 1,2 */
    ck_assert_uint_eq(h.cpu->gr[1], 0x17);
    ck_assert_uint_eq(harness_psw_addr(&h), HARNESS_CODE + 4);
    ck_assert_int_eq(harness_insn(&h, "4400a002"), PGM_EXECUTE);
    ck_assert_uint_eq(harness_old_ilc(&h), 4);
    ck_assert_int_eq(harness_insn(&h, "4400a001"), PGM_SPECIFICATION);
    ck_assert_int_eq(harness_insn(&h, "c60000008000"), 0);
    ck_assert_int_eq(harness_insn(&h, "4400a008"), 0); /* J: from the target's address */
    ck_assert_uint_eq(harness_psw_addr(&h), HARNESS_DATA + 8 + 0x20);
    ck_assert_int_eq(harness_insn(&h, "4400a00c"), 0); /* BASR 3,0: behind the EXECUTE */
    ck_assert_uint_eq(h.cpu->gr[3], HARNESS_CODE + 4);
    ck_assert_int_eq(harness_insn(&h, "c60000008006"), 0); /* EXRL of BASR 3,0 */
    ck_assert_uint_eq(h.cpu->gr[3], HARNESS_CODE + 6);
    h.cpu->gr[1] = 0x2a;
    harness_insn(&h, "4410a006");
    ck_assert_uint_eq(harness_psw_addr(&h), HARNESS_SVC);
    ck_assert_uint_eq(harness_load(&h, 0x88, 4), 0x0004002a);
    ck_assert_uint_eq(harness_load(&h, 0x148, 8), HARNESS_CODE + 4);
}
END_TEST

START_TEST(program_mask_and_monitor_call)
{
    harness_reset(&h);
    h.cpu->gr[1] = 0x35000000;
    ck_assert_int_eq(harness_insn(&h, "0410"), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
    h.cpu->gr[2] = ~0ull;
    ck_assert_int_eq(harness_insn(&h, "b2220020"), 0);
    ck_assert_uint_eq(h.cpu->gr[2], HI(F) | 0x35ffffff);
    ck_assert_int_eq(harness_insn(&h, "af050123"), 0);
    ck_assert_int_eq(harness_insn(&h, "af150123"), PGM_SPECIFICATION);
    cpu_cr(h.cpu)[8] = 0x0400; /* class 5 */
    ck_assert_int_eq(harness_insn(&h, "af050123"), PGM_MONITOR);
    ck_assert_uint_eq(harness_load(&h, 0x94, 2), 5);
    ck_assert_uint_eq(harness_load(&h, 0xb0, 8), 0x123);
}
END_TEST

/* Multiple registers wrap around; operands cross pages; a failed store changes nothing. */
START_TEST(multiple_across_pages)
{
    harness_reset(&h);
    h.cpu->gr[10] = HARNESS_DATA + 0xff8;
    h.cpu->gr[15] = 0x1111, h.cpu->gr[0] = 0x2222, h.cpu->gr[1] = 0x3333;
    ck_assert_int_eq(harness_insn(&h, "ebf1a0000024"), 0);
    ck_assert_uint_eq(harness_load(&h, HARNESS_DATA + 0xff8, 8), 0x1111);
    ck_assert_uint_eq(harness_load(&h, HARNESS_DATA + 0x1008, 8), 0x3333);
    ck_assert_int_eq(harness_insn(&h, "eb23a0080004"), 0);
    ck_assert_uint_eq(h.cpu->gr[2], 0x2222);
    h.cpu->gr[10] = HARNESS_STORAGE - 8;
    h.cpu->gr[4] = 5;
    harness_store(&h, HARNESS_STORAGE - 8, 8, 0);
    ck_assert_int_eq(harness_insn(&h, "eb45a0000024"), PGM_ADDRESSING);
    ck_assert_uint_eq(harness_load(&h, HARNESS_STORAGE - 8, 8), 0);
    ck_assert_int_eq(harness_insn(&h, "eb45a0000004"), PGM_ADDRESSING);
    ck_assert_uint_eq(h.cpu->gr[4], 5);
}
END_TEST

START_TEST(access_registers)
{
    harness_reset(&h);
    h.cpu->gr[1] = HI(5) | 0x1234;
    h.cpu->gr[10] = HARNESS_DATA;
    ck_assert_int_eq(harness_insns(&h, "b24e0021 b24d0032 b24f0043", 3), 0);
    ck_assert_uint_eq(h.cpu->ar[3], 0x1234);
    ck_assert_uint_eq(h.cpu->gr[4], 0x1234);
    ck_assert_int_eq(harness_insn(&h, "9b23a000"), 0);
    ck_assert_uint_eq(harness_load(&h, HARNESS_DATA + 4, 4), 0x1234);
    ck_assert_int_eq(harness_insn(&h, "9b23a001"), PGM_SPECIFICATION);
    ck_assert_int_eq(harness_insn(&h, "9a56a000"), 0);
    ck_assert_uint_eq(h.cpu->ar[6], 0x1234);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu_general");
    TCase *tc = tcase_create("general");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, addition);
    tcase_add_test(tc, fixed_overflow_interrupts_when_masked_in);
    tcase_add_test(tc, multiplication_and_division);
    tcase_add_test(tc, shifts_and_rotates);
    tcase_add_test(tc, logic_and_tests);
    tcase_add_test(tc, loads_and_stores);
    tcase_add_test(tc, multiples_and_conditional_loads);
    tcase_add_test(tc, comparison);
    tcase_add_test(tc, interlocked_updates);
    tcase_add_test(tc, quadwords);
    tcase_add_test(tc, compare_and_swap_and_store);
    tcase_add_test(tc, branches);
    tcase_add_test(tc, addressing_modes);
    tcase_add_test(tc, execute_target);
    tcase_add_test(tc, program_mask_and_monitor_call);
    tcase_add_test(tc, multiple_across_pages);
    tcase_add_test(tc, access_registers);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
