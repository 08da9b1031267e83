/* Bodies of the decimal chapters against schoolbook arithmetic on digits, and known results. */
#include "tests/lib/cpu_body.h"

#define ROUNDS 20000
#define DIGITS 64
#define OP1 0x10ff8u /* near a page boundary */
#define OP2 0x20ff4u

static struct body_bench bench;

static void setup(void)
{
    body_setup(&bench);
}

static void teardown(void)
{
    body_teardown(&bench);
}

static u64 below(u64 limit)
{
    return body_below(&bench, limit);
}

/** Digits, digit[0] the lowest. */
struct number {
    u8 digit[DIGITS];
    bool negative;
};

static bool is_zero(const struct number *v)
{
    for (unsigned i = 0; i < DIGITS; i++)
        if (v->digit[i])
            return false;
    return true;
}

static int compare(const struct number *a, const struct number *b)
{
    for (unsigned i = DIGITS; i-- > 0;)
        if (a->digit[i] != b->digit[i])
            return a->digit[i] < b->digit[i] ? -1 : 1;
    return 0;
}

/** a + b, or a - b when `subtract` (a not below b), of magnitudes. */
static struct number add(const struct number *a, const struct number *b, bool subtract)
{
    struct number sum = {.negative = a->negative};
    int carry = 0;
    for (unsigned i = 0; i < DIGITS; i++) {
        int v = a->digit[i] + (subtract ? -b->digit[i] : b->digit[i]) + carry;
        carry = v < 0 ? -1 : v / 10;
        sum.digit[i] = (u8)((v + 10) % 10);
    }
    return sum;
}

static struct number add_signed(const struct number *a, const struct number *b)
{
    if (a->negative == b->negative)
        return add(a, b, false);
    return compare(a, b) >= 0 ? add(a, b, true) : add(b, a, true);
}

/** Up to `digits` random digits; sometimes few. */
static struct number random_number(unsigned digits)
{
    struct number v = {.negative = below(2)};
    unsigned n = below(3) ? digits : (unsigned)below(digits + 1);
    for (unsigned i = 0; i < n; i++)
        v.digit[i] = below(8) ? (u8)below(10) : 9;
    if (below(16) == 0)
        memset(v.digit, 0, sizeof v.digit);
    return v;
}

static void pack(u64 abs, unsigned len, const struct number *v, u8 sign)
{
    u8 *p = bench.st->base + abs;
    for (unsigned i = 0; i < len; i++) {
        unsigned at = len - 1 - i;
        u8 low = at == 0 ? sign : v->digit[2 * at - 1];
        p[i] = (u8)(v->digit[2 * at] << 4 | low);
    }
}

static u8 random_sign(bool negative)
{
    static const u8 plus[] = {0xa, 0xc, 0xe, 0xf}, minus[] = {0xb, 0xd};
    return negative ? minus[below(2)] : plus[below(4)];
}

static u8 preferred(bool negative)
{
    return negative ? 0xd : 0xc;
}

static struct dinsn ss_ll(unsigned len1, unsigned len2)
{
    bench.c->gr[2] = OP1;
    bench.c->gr[3] = OP2;
    return (struct dinsn){.r1 = (u8)(len1 - 1), .r3 = (u8)(len2 - 1), .r2 = 2, .b2 = 3};
}

/** Expect `v` in the first operand, with overflow, condition code and interruption as due. */
static void ck_result(int rc, unsigned len, struct number v)
{
    struct number kept = v;
    memset(kept.digit + 2 * len - 1, 0, DIGITS - (2 * len - 1));
    bool overflow = compare(&kept, &v) != 0;
    u8 want[16];
    if (is_zero(&v))
        kept.negative = false;
    pack(0x1000, len, &kept, preferred(kept.negative));
    memcpy(want, bench.st->base + 0x1000, len);
    ck_assert_mem_eq(bench.st->base + OP1, want, len);
    ck_assert_uint_eq(bench.c->cc, overflow ? 3 : is_zero(&v) ? 0 : kept.negative ? 1 : 2);
    bool enabled = bench.c->psw.mask & (4ull << PSW_PM_SHIFT);
    ck_assert_int_eq(rc, overflow && enabled ? PGM_DECIMAL_OVERFLOW : 0);
}

START_TEST(adds_and_subtracts)
{
    static const char *const names[] = {"ap", "sp", "zap", "cp"};
    const char *mn = names[_i];
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned len1 = 1 + (unsigned)below(16), len2 = 1 + (unsigned)below(16);
        struct number a = random_number(2 * len1 - 1), b = random_number(2 * len2 - 1);
        pack(OP1, len1, &a, random_sign(a.negative));
        pack(OP2, len2, &b, random_sign(b.negative));
        body_mode(&bench, PSW_EA | PSW_BA | (below(2) ? 4ull << PSW_PM_SHIFT : 0));
        int rc = body_run(&bench, mn, ss_ll(len1, len2));
        if (_i == 1 || _i == 3)
            b.negative = !b.negative;
        struct number sum = _i == 2 ? b : add_signed(&a, &b);
        if (_i < 3) {
            ck_result(rc, len1, sum);
        } else {
            ck_assert_int_eq(rc, 0);
            ck_assert_uint_eq(bench.c->cc, is_zero(&sum) ? 0 : sum.negative ? 1 : 2);
        }
    }
}
END_TEST

static struct number multiply(const struct number *a, const struct number *b)
{
    struct number product = {.negative = a->negative != b->negative};
    for (unsigned i = 0; i < 32; i++) {
        unsigned carry = 0;
        for (unsigned k = 0; k < 32; k++) {
            unsigned v = product.digit[i + k] + (unsigned)a->digit[i] * b->digit[k] + carry;
            product.digit[i + k] = (u8)(v % 10);
            carry = v / 10;
        }
    }
    return product;
}

START_TEST(multiplies)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned len2 = 1 + (unsigned)below(8), len1 = len2 + 1 + (unsigned)below(16 - len2);
        struct number a = random_number(2 * (len1 - len2) - 1), b = random_number(2 * len2 - 1);
        u8 want[16];
        struct number product = multiply(&a, &b);
        pack(0x1000, len1, &product, preferred(product.negative));
        memcpy(want, bench.st->base + 0x1000, len1);
        pack(OP1, len1, &a, random_sign(a.negative));
        pack(OP2, len2, &b, random_sign(b.negative));
        ck_assert_int_eq(body_run(&bench, "mp", ss_ll(len1, len2)), 0);
        ck_assert_mem_eq(bench.st->base + OP1, want, len1);
    }
    ck_assert_int_eq(body_run(&bench, "mp", ss_ll(16, 9)), PGM_SPECIFICATION);
    ck_assert_int_eq(body_run(&bench, "mp", ss_ll(4, 4)), PGM_SPECIFICATION);
    memset(bench.st->base + OP1, 0x1c, 16);
    ck_assert_int_eq(body_run(&bench, "mp", ss_ll(5, 1)), PGM_DATA);
}
END_TEST

/* quotient * divisor + remainder gives the dividend back, remainder below divisor. */
START_TEST(divides)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned len2 = 1 + (unsigned)below(8), len1 = len2 + 1 + (unsigned)below(16 - len2);
        struct number q = random_number(2 * (len1 - len2) - 1), b = random_number(2 * len2 - 1),
                      r;
        u8 want[16];
        memset(b.digit + 1, 0, 5 * (size_t)below(2)); /* short ones too */
        if (is_zero(&b))
            b.digit[0] = 7;
        r = b;
        r.digit[0] = 0;
        if (compare(&r, &b) >= 0 || below(2))
            memset(r.digit, 0, sizeof r.digit);
        struct number a = multiply(&q, &b);
        a = add(&a, &r, false);
        r.negative = a.negative;
        pack(0x1000, len1 - len2, &q, preferred(a.negative != b.negative));
        pack(0x1000 + len1 - len2, len2, &r, preferred(a.negative));
        memcpy(want, bench.st->base + 0x1000, len1);
        pack(OP1, len1, &a, random_sign(a.negative));
        pack(OP2, len2, &b, random_sign(b.negative));
        ck_assert_int_eq(body_run(&bench, "dp", ss_ll(len1, len2)), 0);
        ck_assert_mem_eq(bench.st->base + OP1, want, len1);
    }
}
END_TEST

START_TEST(divide_exceptions)
{
    struct number big = {{0, 0, 0, 0, 1}, false}, one = {{1}, false}, zero = {{0}, false};
    pack(OP1, 3, &big, 0xc);
    pack(OP2, 1, &zero, 0xc);
    ck_assert_int_eq(body_run(&bench, "dp", ss_ll(3, 1)), PGM_DECIMAL_DIVIDE);
    pack(OP2, 1, &one, 0xc);
    ck_assert_int_eq(body_run(&bench, "dp", ss_ll(3, 1)), PGM_DECIMAL_DIVIDE);
    bench.st->base[OP2] = 0x11;
    ck_assert_int_eq(body_run(&bench, "dp", ss_ll(3, 1)), PGM_DATA);
    ck_assert_int_eq(body_run(&bench, "dp", ss_ll(3, 3)), PGM_SPECIFICATION);
}
END_TEST

START_TEST(shifts_and_rounds)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned len = 1 + (unsigned)below(16), digit = (unsigned)below(10);
        int shift = (int)below(64) - 32;
        struct number a = random_number(2 * len - 1), v = {.negative = a.negative};
        pack(OP1, len, &a, random_sign(a.negative));
        for (unsigned i = 0; i < 32; i++) {
            int to = (int)i + shift;
            if (to >= 0 && to < DIGITS)
                v.digit[to] = a.digit[i];
        }
        unsigned last = shift < 0 && -shift <= DIGITS ? a.digit[-shift - 1] : 0;
        if (shift < 0 && last + digit >= 10) {
            struct number one = {{1}, a.negative};
            v = add(&v, &one, false);
        }
        struct dinsn d = ss_ll(len, digit + 1);
        d.b2 = 4;
        d.ss.d2 = 5;
        bench.c->gr[4] = (u64)(s64)shift - 5 + 64 * below(3);
        body_mode(&bench, PSW_EA | PSW_BA | (below(2) ? 4ull << PSW_PM_SHIFT : 0));
        ck_result(body_run(&bench, "srp", d), len, v);
    }
    ck_assert_int_eq(body_run(&bench, "srp", ss_ll(3, 11)), PGM_DATA);
}
END_TEST

START_TEST(invalid_digits_and_signs)
{
    static const char *const names[] = {"ap", "sp", "zap", "cp", "mp", "dp"};
    struct number zero = {{0}, false};
    for (unsigned k = 0; k < ARRAY_LEN(names); k++) {
        pack(OP1, 8, &zero, 0xc);
        bench.st->base[OP2] = 0x1a;
        bench.st->base[OP2 + 1] = 0x1c;
        bench.c->cc = 3;
        ck_assert_int_eq(body_run(&bench, names[k], ss_ll(8, 2)), PGM_DATA);
        bench.st->base[OP2] = 0x11;
        bench.st->base[OP2 + 1] = 0x19;
        ck_assert_int_eq(body_run(&bench, names[k], ss_ll(8, 2)), PGM_DATA);
        ck_assert_uint_eq(bench.c->cc, 3);
    }
}
END_TEST

START_TEST(converts_binary)
{
    struct dinsn d = {.r1 = 1, .r2 = 16, .b2 = 3};
    bench.c->gr[3] = OP2;
    for (unsigned round = 0; round < ROUNDS; round++) {
        s64 v = (s64)body_random(&bench) >> below(64), rest = v;
        struct number n = {.negative = v < 0};
        u8 want[16];
        for (unsigned i = 0; rest != 0; i++, rest /= 10)
            n.digit[i] = (u8)(rest % 10 < 0 ? -(rest % 10) : rest % 10);
        pack(0x1000, 16, &n, preferred(n.negative));
        memcpy(want, bench.st->base + 0x1000, 16);
        bench.c->gr[1] = (u64)v;
        ck_assert_int_eq(body_run(&bench, "cvdg", d), 0);
        ck_assert_mem_eq(bench.st->base + OP2, want, 16);
        bench.c->gr[1] = 0;
        ck_assert_int_eq(body_run(&bench, "cvbg", d), 0);
        ck_assert_uint_eq(bench.c->gr[1], (u64)v);
        if (v != (s32)v)
            continue;
        bench.c->gr[1] = (u64)v ^ 0x5555555500000000ull;
        ck_assert_int_eq(body_run(&bench, "cvd", d), 0);
        ck_assert_mem_eq(bench.st->base + OP2, want + 8, 8);
        bench.c->gr[1] = 0x5555555500000000ull;
        ck_assert_int_eq(body_run(&bench, "cvby", d), 0);
        ck_assert_uint_eq(bench.c->gr[1], 0x5555555500000000ull | (u32)v);
    }
    be64_store(bench.st->base + OP2, 0x000002147483648cull);
    ck_assert_int_eq(body_run(&bench, "cvb", d), PGM_FIXED_DIVIDE);
    ck_assert_uint_eq((u32)bench.c->gr[1], 0x80000000u);
}
END_TEST

START_TEST(test_decimal)
{
    static const struct {
        u8 bytes[2];
        u8 cc;
    } cases[] = {{{0x12, 0x3c}, 0}, {{0x12, 0x34}, 1}, {{0x1a, 0x3c}, 2}, {{0x12, 0xa0}, 3}};
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        memcpy(bench.st->base + OP1, cases[i].bytes, 2);
        bench.c->gr[2] = OP1;
        ck_assert_int_eq(body_run(&bench, "tp", (struct dinsn){.r1 = 1, .b2 = 2}), 0);
        ck_assert_uint_eq(bench.c->cc, cases[i].cc);
    }
}
END_TEST

/** PACK, UNPK, MVO as the Principles of Operation describe overlapping operands. */
static void pack_reference(unsigned kind, u8 *p1, unsigned len1, const u8 *p2, unsigned len2)
{
    u8 low = p1[len1 - 1] & 0xf;
    int i2 = (int)len2 - 1;
#define NEXT (i2 >= 0 ? p2[i2--] : 0)
    if (kind < 2) {
        u8 byte = NEXT;
        p1[len1 - 1] = (u8)(byte << 4 | byte >> 4);
    }
    for (int i = (int)len1 - (kind < 2 ? 2 : 1); i >= 0; i--) {
        u8 byte = NEXT;
        if (kind == 0) {
            u8 high = NEXT;
            p1[i] = (u8)(high << 4 | (byte & 0xf));
        } else if (kind == 1) {
            p1[i] = 0xf0 | (byte & 0xf);
            if (i-- > 0)
                p1[i] = 0xf0 | byte >> 4;
        } else {
            p1[i] = (u8)(byte << 4 | low);
            low = byte >> 4;
        }
    }
#undef NEXT
}

START_TEST(packs_with_overlap)
{
    static const char *const names[] = {"pack", "unpk", "mvo"};
    u8 want[64];
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned len1 = 1 + (unsigned)below(16), len2 = 1 + (unsigned)below(16);
        u64 at1 = below(48), at2 = below(48);
        for (unsigned i = 0; i < sizeof want; i++)
            want[i] = bench.st->base[OP1 - 24 + i] = (u8)below(256);
        pack_reference((unsigned)_i, want + at1, len1, want + at2, len2);
        struct dinsn d = ss_ll(len1, len2);
        bench.c->gr[2] = OP1 - 24 + at1;
        bench.c->gr[3] = OP1 - 24 + at2;
        ck_assert_int_eq(body_run(&bench, names[_i], d), 0);
        ck_assert_mem_eq(bench.st->base + OP1 - 24, want, sizeof want);
    }
}
END_TEST

START_TEST(packs_characters)
{
    static const u8 packed[16] = {[13] = 0x12, [14] = 0x34, [15] = 0x5c};
    u8 *base = bench.st->base;
    struct dinsn d = {.r1 = 4, .r2 = 2, .b2 = 3};
    bench.c->gr[2] = OP1;
    bench.c->gr[3] = OP2;
    memcpy(base + OP2, "12345", 5);
    ck_assert_int_eq(body_run(&bench, "pka", d), 0);
    ck_assert_mem_eq(base + OP1, packed, 16);
    memcpy(base + OP2, "\0001\0002\0003\0004\0005", 10);
    d.r1 = 9;
    memset(base + OP1, 0xff, 16);
    ck_assert_int_eq(body_run(&bench, "pku", d), 0);
    ck_assert_mem_eq(base + OP1, packed, 16);
    memcpy(base + OP2, packed, 16);
    base[OP2 + 15] = 0x5d;
    ck_assert_int_eq(body_run(&bench, "unpku", d), 0);
    ck_assert_mem_eq(base + OP1, "\0001\0002\0003\0004\0005", 10);
    ck_assert_uint_eq(bench.c->cc, 1);
    d.r1 = 31;
    base[OP2 + 15] = 0x57;
    ck_assert_int_eq(body_run(&bench, "unpka", d), 0);
    ck_assert_mem_eq(base + OP1, "00000000000000000000000000012345", 32);
    ck_assert_uint_eq(bench.c->cc, 3);
    d.r1 = 32;
    ck_assert_int_eq(body_run(&bench, "unpka", d), PGM_SPECIFICATION);
    ck_assert_int_eq(body_run(&bench, "pka", d), PGM_SPECIFICATION);
    d.r1 = 8;
    ck_assert_int_eq(body_run(&bench, "pku", d), PGM_SPECIFICATION);
}
END_TEST

/* The examples of the Principles of Operation, appendix A ("EDIT"). */
START_TEST(edits)
{
    static const u8 pattern[] = {0x40, 0x20, 0x20, 0x6b, 0x20, 0x20, 0x21,
                                 0x4b, 0x20, 0x20, 0x40, 0xc3, 0xd9};
    static const struct {
        u8 source[4];
        u8 want[13];
        u8 cc, mark;
    } cases[] = {
        {{0x02, 0x57, 0x42, 0x6c},
         {0x40, 0x40, 0xf2, 0x6b, 0xf5, 0xf7, 0xf4, 0x4b, 0xf2, 0xf6, 0x40, 0x40, 0x40},
         2,
         2},
        {{0x00, 0x00, 0x02, 0x6d},
         {0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x4b, 0xf2, 0xf6, 0x40, 0xc3, 0xd9},
         1,
         0},
        {{0x00, 0x00, 0x00, 0x0c},
         {0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x4b, 0xf0, 0xf0, 0x40, 0x40, 0x40},
         0,
         0},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        memcpy(bench.st->base + OP1, pattern, sizeof pattern);
        memcpy(bench.st->base + OP2, cases[i].source, 4);
        struct dinsn d = {.r1 = sizeof pattern - 1, .r2 = 2, .b2 = 3};
        bench.c->gr[1] = 0x77;
        bench.c->gr[2] = OP1;
        bench.c->gr[3] = OP2;
        ck_assert_int_eq(body_run(&bench, "edmk", d), 0);
        ck_assert_mem_eq(bench.st->base + OP1, cases[i].want, sizeof pattern);
        ck_assert_uint_eq(bench.c->cc, cases[i].cc);
        ck_assert_uint_eq(bench.c->gr[1], cases[i].mark ? OP1 + cases[i].mark : 0x77);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu_decimal");
    TCase *tc = tcase_create("decimal");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, adds_and_subtracts, 0, 4);
    tcase_add_test(tc, multiplies);
    tcase_add_test(tc, divides);
    tcase_add_test(tc, divide_exceptions);
    tcase_add_test(tc, shifts_and_rounds);
    tcase_add_test(tc, invalid_digits_and_signs);
    tcase_add_test(tc, converts_binary);
    tcase_add_test(tc, test_decimal);
    tcase_add_loop_test(tc, packs_with_overlap, 0, 3);
    tcase_add_test(tc, packs_characters);
    tcase_add_test(tc, edits);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
