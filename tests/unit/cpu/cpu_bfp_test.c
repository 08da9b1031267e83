/* Binary floating point: the exact implementation against the host's float, double (hardware) and
 * __float128 (libgcc) over boundary operands in four rounding modes, and exact cases by hand. */
#include <check.h>
#include <fenv.h>
#include <math.h>
#include <stdlib.h>

#include "cpu/bfp/bfp_host.h"
#include "cpu/bfp/bfp.h"

/* quadmath.h lies in gcc's own folder, where clang does not look; both find the library. */
__float128 fabsq(__float128), sqrtq(__float128), fmaq(__float128, __float128, __float128);
__float128 scalbnq(__float128, int);
int ilogbq(__float128);

static const int host_modes[4] = {FE_TONEAREST, FE_TOWARDZERO, FE_UPWARD, FE_DOWNWARD};
static const enum bfp_mode our_modes[4] = {BFP_RNE, BFP_RZ, BFP_RP, BFP_RM};

static const u32 short_values[] = {0,          1,          2,          0x00400000, 0x007fffff,
                                   0x00800000, 0x00800001, 0x00ffffff, 0x01000000, 0x0c000001,
                                   0x1f800000, 0x20000003, 0x3effffff, 0x3f000000, 0x3f7fffff,
                                   0x3f800000, 0x3f800001, 0x3fc00000, 0x40000000, 0x40490fdb,
                                   0x4b000001, 0x4b7fffff, 0x5f7fffff, 0x7effffff, 0x7f000000,
                                   0x7f7ffffe, 0x7f7fffff, 0x7f800000, 0x7fc00001, 0x7f800001};
#define SHORTS (2 * ARRAY_LEN(short_values))

/* Values of a wider format made of the same shapes: exponent spread, then the same fraction. */
static u128 value_at(const struct bfp_format *f, unsigned i)
{
    u32 s = short_values[i / 2];
    u128 sign = i & 1 ? bfp_sign_bit(f) : 0;
    if (f->bits == 32)
        return sign | s;
    u32 field = s >> 23;
    u32 top = (u32)f->emax * 2 + 1, wide = field;
    if (field > 0x20 && field < 0xe0)
        wide = (u32)((s32)field - 127 + f->emax);
    else if (field >= 0xe0)
        wide = top - (255 - field);
    u128 fraction = s & 0x7fffff;
    fraction = (fraction & 0xff) | (fraction >> 8) << (f->precision - 1 - 15);
    return sign | (u128)wide << (f->precision - 1) | fraction;
}

static u64 random_state;

static u64 random64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static u8 host_flags(void)
{
    int raised = fetestexcept(FE_ALL_EXCEPT);
    return (u8)((raised & FE_INVALID ? BFP_INVALID : 0) |
                (raised & FE_DIVBYZERO ? BFP_DIVZERO : 0) |
                (raised & FE_OVERFLOW ? BFP_OVERFLOW : 0) |
                (raised & FE_UNDERFLOW ? BFP_UNDERFLOW : 0) |
                (raised & FE_INEXACT ? BFP_INEXACT : 0));
}

/* Our NaN rules and tininess before rounding are not the host's: those are compared loosely. */
static bool agree(const struct bfp_format *f, u128 ours, u8 our_flags, u128 host, u8 flags)
{
    bool nan = bfp_cc(f, ours) == 3 && bfp_cc(f, host) == 3;
    u128 least = (u128)1 << (f->precision - 1);
    if (!nan && ours != host)
        return false;
    if ((ours & (bfp_sign_bit(f) - 1)) == least)
        return ((our_flags ^ flags) & ~BFP_UNDERFLOW) == 0;
    return our_flags == flags;
}

enum op { ADD, SUB, MUL, DIV, SQRT, FMA, FMS, OPS };

static u128 our_result(enum op op, struct bfp_env *e, const struct bfp_format *f, u128 a,
                       u128 b, u128 x)
{
    switch (op) {
    case ADD: return bfp_add(e, f, a, b);
    case SUB: return bfp_sub(e, f, a, b);
    case MUL: return bfp_mul(e, f, f, a, b);
    case DIV: return bfp_div(e, f, a, b);
    case SQRT: return bfp_sqrt(e, f, a);
    default: return bfp_mul_add(e, f, x, b, a, op == FMS);
    }
}

#define HOST_RESULT(name, real, bits, root, fused)                                             \
    static u128 name(enum op op, u128 av, u128 bv, u128 xv)                                    \
    {                                                                                          \
        u##bits av_ = (u##bits)av, bv_ = (u##bits)bv, xv_ = (u##bits)xv, out;                  \
        volatile real a, b, x, r;                                                              \
        memcpy((void *)&a, &av_, sizeof a);                                                    \
        memcpy((void *)&b, &bv_, sizeof b);                                                    \
        memcpy((void *)&x, &xv_, sizeof x);                                                    \
        feclearexcept(FE_ALL_EXCEPT);                                                          \
        switch (op) {                                                                          \
        case ADD: r = a + b; break;                                                            \
        case SUB: r = a - b; break;                                                            \
        case MUL: r = a * b; break;                                                            \
        case DIV: r = a / b; break;                                                            \
        case SQRT: r = root(a); break;                                                         \
        default: r = fused(a, b, op == FMS ? -x : x); break;                                   \
        }                                                                                      \
        memcpy(&out, (void *)&r, sizeof out);                                                  \
        return out;                                                                            \
    }

HOST_RESULT(host_short, float, 32, sqrtf, fmaf)
HOST_RESULT(host_long, double, 64, sqrt, fma)
HOST_RESULT(host_extended, __float128, 128, sqrtq, fmaq)

static void compare_op(enum op op, const struct bfp_format *f, unsigned mode, u128 a, u128 b,
                       u128 x)
{
    fesetround(host_modes[mode]);
    u128 host = (f->bits == 32   ? host_short
                 : f->bits == 64 ? host_long
                                 : host_extended)(op, a, b, x);
    u8 flags = host_flags();
    fesetround(FE_TONEAREST);
    struct bfp_env e;
    bfp_env_init(&e, (u32)our_modes[mode]);
    u128 ours = our_result(op, &e, f, a, b, x);
    ck_assert_msg(agree(f, ours, e.flags, host, flags),
                  "%u bits, op %d, mode %u: %016lx%016lx, %016lx%016lx, %016lx%016lx: "
                  "%016lx%016lx flags %02x, host %016lx%016lx flags %02x",
                  f->bits, op, mode, (u64)(a >> 64), (u64)a, (u64)(b >> 64), (u64)b,
                  (u64)(x >> 64), (u64)x, (u64)(ours >> 64), (u64)ours, e.flags,
                  (u64)(host >> 64), (u64)host, flags);
}

/* Infinity times zero plus a quiet NaN: invalid with us, unspecified in the standard. */
static bool unspecified(const struct bfp_format *f, u128 a, u128 b, u128 x)
{
    u128 inf = bfp_sign_bit(f) - ((u128)1 << (f->precision - 1));
    u128 m = (a | b) & (bfp_sign_bit(f) - 1), magnitude = bfp_sign_bit(f) - 1;
    return bfp_cc(f, x) == 3 && m == inf && ((a & magnitude) == 0 || (b & magnitude) == 0);
}

static void cross_products(const struct bfp_format *f)
{
    for (unsigned mode = 0; mode < 4; mode++)
        for (unsigned i = 0; i < SHORTS; i++)
            for (unsigned j = 0; j < SHORTS; j++)
                for (enum op op = ADD; op <= (j == 0 ? SQRT : DIV); op++)
                    if (f->bits != 128 || op != SQRT)
                        compare_op(op, f, mode, value_at(f, i), value_at(f, j), 0);
}

START_TEST(basic_operations_short)
{
    cross_products(&bfp_short);
}
END_TEST

START_TEST(basic_operations_long)
{
    cross_products(&bfp_long);
}
END_TEST

START_TEST(basic_operations_extended)
{
    cross_products(&bfp_extended);
}
END_TEST

/* Every third value of each: the whole cube would not find more. */
static void fused_cube(const struct bfp_format *f, unsigned modes)
{
    for (unsigned mode = 0; mode < modes; mode++)
        for (unsigned i = 0; i < SHORTS; i++)
            for (unsigned j = i % 2; j < SHORTS; j += 2)
                for (unsigned k = (i + j) % 3; k < SHORTS; k += 3)
                    for (enum op op = FMA; op <= FMS; op++) {
                        u128 a = value_at(f, i), b = value_at(f, j), x = value_at(f, k);
                        if (!unspecified(f, a, b, x))
                            compare_op(op, f, mode, a, b, x);
                    }
}

START_TEST(fused_operations)
{
    fused_cube(&bfp_short, 4);
    fused_cube(&bfp_long, 4);
}
END_TEST

/* Random significands, exponents close enough for the operands to meet. */
static u128 random_value(const struct bfp_format *f)
{
    u128 bits = (u128)random64() << 64 | random64();
    u32 field = (u32)f->emax - 40 + (u32)(random64() % 80);
    if (random64() % 8 == 0)
        field = (u32)(random64() % 3); /* at the lower edge */
    u128 fraction = bits & (((u128)1 << (f->precision - 1)) - 1);
    if (random64() % 4 == 0)
        fraction &= ~(u128)0 << (f->precision / 2);
    return (bits >> 127 ? bfp_sign_bit(f) : 0) | (u128)field << (f->precision - 1) | fraction;
}

/* sqrtq rounds less than correctly, so the root of extended is checked by its residual: nearest
 * means that |a - r * r| is at most r units in the last place. */
START_TEST(square_root_extended)
{
    random_state = 5;
    for (unsigned i = 0; i < 20000; i++) {
        u128 bits = random_value(&bfp_extended) & ~bfp_sign_bit(&bfp_extended);
        if (bits >> 112 == 0)
            continue;
        struct bfp_env e;
        bfp_env_init(&e, 0);
        u128 root = bfp_sqrt(&e, &bfp_extended, bits);
        if (bits >> 112 < 3) /* the residual of tiny operands is not representable: scale */
            bits += (u128)200 << 112, root += (u128)100 << 112;
        __float128 a, r;
        memcpy(&a, &bits, sizeof a);
        memcpy(&r, &root, sizeof r);
        __float128 unit = scalbnq(1, ilogbq(r) - 112), residual = fmaq(-r, r, a);
        ck_assert_msg(fabsq(residual) <= r * unit, "%016lx%016lx", (u64)(bits >> 64),
                      (u64)bits);
        ck_assert_uint_eq(e.flags, residual == 0 ? 0 : BFP_INEXACT);
    }
}
END_TEST

START_TEST(random_operands)
{
    const struct bfp_format *formats[] = {&bfp_short, &bfp_long, &bfp_extended};
    random_state = 0x9e3779b97f4a7c15ull;
    for (unsigned i = 0; i < 20000; i++)
        for (unsigned k = 0; k < 3; k++) {
            const struct bfp_format *f = formats[k];
            u128 a = random_value(f), b = random_value(f), x = random_value(f);
            for (enum op op = ADD; op < (k == 2 ? SQRT : OPS); op++)
                compare_op(op, f, i % 4, a, b, x);
        }
}
END_TEST

/* The short cut through the host agrees wherever it offers itself, flags included. */
START_TEST(host_short_cut)
{
    random_state = 1;
    for (unsigned i = 0; i < 200000; i++) {
        u64 a = (u64)random_value(&bfp_long), b = (u64)random_value(&bfp_long), v = 0;
        u64 x = (u64)random_value(&bfp_long);
        u32 fpc = i % 16 == 0 ? BFP_HOST_INEXACT : 0, before = fpc;
        enum op op = i % OPS;
        bool taken = op == ADD    ? bfp_host_add64(&fpc, a, b, &v)
                     : op == SUB  ? bfp_host_sub64(&fpc, a, b, &v)
                     : op == MUL  ? bfp_host_mul64(&fpc, a, b, &v)
                     : op == DIV  ? bfp_host_div64(&fpc, a, b, &v)
                     : op == SQRT ? bfp_host_sqrt64(&fpc, a, &v)
                     : op == FMA  ? bfp_host_fma64(&fpc, a, b, x, &v)
                                  : bfp_host_fms64(&fpc, a, b, x, &v);
        struct bfp_env e;
        bfp_env_init(&e, 0);
        u64 exact = (u64)our_result(op, &e, &bfp_long, a, b, x);
        if (taken) {
            ck_assert_uint_eq(v, exact);
            ck_assert_uint_eq(fpc, before | (u32)e.flags << 16);
        } else {
            ck_assert_uint_eq(fpc, before);
        }
    }
}
END_TEST

/* The same of LOAD ROUNDED and of LOAD FP INTEGER. */
START_TEST(host_short_cut_conversions)
{
    static const enum bfp_mode modes[8] = {[5] = BFP_RZ, [6] = BFP_RP, [7] = BFP_RM};
    random_state = 3;
    for (unsigned i = 0; i < 100000; i++) {
        u64 a = (u64)(i < SHORTS ? value_at(&bfp_long, i) : random_value(&bfp_long)), whole;
        u32 fpc = 0, narrow;
        struct bfp_env e;
        bfp_env_init(&e, 0);
        u32 exact = (u32)bfp_shorten(&e, &bfp_short, &bfp_long, a);
        if (bfp_host_narrow(&fpc, a, &narrow)) {
            ck_assert_uint_eq(narrow, exact);
            ck_assert_uint_eq(fpc, (u32)e.flags << 16);
        }
        e = (struct bfp_env){.mode = modes[5 + i % 3]};
        u64 integral = (u64)bfp_to_integral(&e, &bfp_long, a);
        if (bfp_host_integral(a, 5 + i % 3, &whole)) {
            ck_assert_uint_eq(whole, integral);
            ck_assert_uint_eq(whole != a, e.flags != 0);
        }
    }
}
END_TEST

/* Conversions between formats and to integers against the host. */
START_TEST(conversions_like_host)
{
    random_state = 7;
    for (unsigned i = 0; i < 60000; i++) {
        unsigned mode = i % 4;
        volatile double v;
        volatile float narrow;
        u64 bits = i < SHORTS ? (u64)value_at(&bfp_long, i) : (u64)random_value(&bfp_long);
        u32 host;
        memcpy((void *)&v, &bits, sizeof v);
        fesetround(host_modes[mode]);
        feclearexcept(FE_ALL_EXCEPT);
        narrow = (float)v;
        u8 flags = host_flags();
        memcpy(&host, (void *)&narrow, sizeof host);
        volatile double whole = nearbyint(v);
        feclearexcept(FE_ALL_EXCEPT);
        volatile s64 fixed = llrint(v);
        u8 fixed_flags = host_flags();
        fesetround(FE_TONEAREST);
        struct bfp_env e;
        bfp_env_init(&e, (u32)our_modes[mode]);
        u32 ours = (u32)bfp_shorten(&e, &bfp_short, &bfp_long, bits);
        ck_assert_msg(agree(&bfp_short, ours, e.flags, host, flags), "%016lx: %08x %08x", bits,
                      ours, host);
        bfp_env_init(&e, (u32)our_modes[mode]);
        u8 cc;
        s64 integer = (s64)bfp_to_fixed(&e, &bfp_long, bits, 64, true, &cc);
        if (!(fixed_flags & BFP_INVALID)) {
            ck_assert_int_eq(integer, fixed);
            ck_assert_uint_eq(e.flags, fixed_flags);
            u64 whole_bits;
            memcpy(&whole_bits, (void *)&whole, sizeof whole_bits);
            ck_assert_uint_eq((u64)bfp_to_integral(&e, &bfp_long, bits), whole_bits);
        } else {
            ck_assert_uint_eq(e.flags, BFP_INVALID | BFP_INEXACT);
            ck_assert_uint_eq(cc, 3);
        }
    }
}
END_TEST

#define I_TRAP 0x80000000u
#define Z_TRAP 0x40000000u
#define O_TRAP 0x20000000u
#define U_TRAP 0x10000000u
#define X_TRAP 0x08000000u

/* Principles of Operation, chapter 19, results of overflow, underflow and inexact, in short. */
static const struct exact_case {
    enum op op;
    u32 fpc;
    u32 a, b, result;
    u8 flags, dxc;
} exact_cases[] = {
    /* overflow by rounding mode */
    {MUL, 0, 0x7f7fffff, 0x40000000, 0x7f800000, 0x28, 0},
    {MUL, 1, 0x7f7fffff, 0x40000000, 0x7f7fffff, 0x28, 0},
    {MUL, 2, 0xff7fffff, 0x40000000, 0xff7fffff, 0x28, 0},
    {MUL, 3, 0xff7fffff, 0x40000000, 0xff800000, 0x28, 0},
    {MUL, 7, 0xff7fffff, 0x40000000, 0xff7fffff, 0x28, 0},
    /* overflow untrapped, inexact trapped: incremented to infinity or truncated */
    {MUL, X_TRAP, 0x7f7fffff, 0x40000000, 0x7f800000, 0x20, 0x0c},
    {MUL, X_TRAP | 1, 0x7f7fffff, 0x40000000, 0x7f7fffff, 0x20, 0x08},
    /* overflow trapped: exponent less by 192; exact, truncated, incremented */
    {MUL, O_TRAP, 0x7f7fffff, 0x40000000, 0x1fffffff, 0, 0x20},
    {MUL, O_TRAP, 0x7f000001, 0x7f000001, 0x5e800002, 0, 0x28},
    {MUL, O_TRAP | 2, 0x7f000001, 0x7f000001, 0x5e800003, 0, 0x2c},
    /* underflow untrapped: no flag when exact */
    {MUL, 0, 0x00800000, 0x3f000000, 0x00400000, 0, 0},
    {MUL, 0, 0x00800001, 0x3f000000, 0x00400000, 0x18, 0},
    {MUL, X_TRAP, 0x00800003, 0x3f000000, 0x00400002, 0x10, 0x0c},
    /* tiny before rounding, although the result is the least normal number */
    {MUL, 0, 0x00ffffff, 0x3f000000, 0x00800000, 0x18, 0},
    /* underflow trapped: exponent more by 192, even when exact */
    {MUL, U_TRAP, 0x00800000, 0x3f000000, 0x60000000, 0, 0x10},
    {MUL, U_TRAP, 0x00000001, 0x00000001, 0x0a800000, 0, 0x10},
    {MUL, U_TRAP, 0x00ffffff, 0x3effffff, 0x607ffffe, 0, 0x18},
    {MUL, U_TRAP | 2, 0x00ffffff, 0x3effffff, 0x607fffff, 0, 0x1c},
    /* division by zero and invalid */
    {DIV, 0, 0xbf800000, 0, 0xff800000, 0x40, 0},
    {DIV, Z_TRAP, 0xbf800000, 0, 0, 0, 0x40},
    {DIV, 0, 0, 0x80000000, 0x7fc00000, 0x80, 0},
    {DIV, I_TRAP, 0, 0, 0, 0, 0x80},
    {SUB, 0, 0x7f800000, 0x7f800000, 0x7fc00000, 0x80, 0},
    {SQRT, 0, 0xbf800000, 0, 0x7fc00000, 0x80, 0},
    {SQRT, 0, 0x80000000, 0, 0x80000000, 0, 0},
    /* inexact trapped */
    {ADD, X_TRAP, 0x3f800000, 0x33000000, 0x3f800000, 0, 0x08},
    {ADD, X_TRAP, 0x3f800001, 0x33800000, 0x3f800002, 0, 0x0c},
    {ADD, X_TRAP, 0x3f800000, 0x3f800000, 0x40000000, 0, 0},
    /* to prepare for shorter precision: the last digit becomes odd */
    {ADD, 7, 0x3f800000, 0x33000000, 0x3f800001, 0x08, 0},
    {ADD, 7, 0x3f800001, 0x33000000, 0x3f800001, 0x08, 0},
    /* exact zero */
    {SUB, 0, 0x3f800000, 0x3f800000, 0, 0, 0},
    {SUB, 3, 0x3f800000, 0x3f800000, 0x80000000, 0, 0},
    {SUB, 7, 0x3f800000, 0x3f800000, 0, 0, 0},
    /* NaNs: signalling first, then the first operand; quieted, payload and sign kept */
    {ADD, 0, 0x7fc00001, 0x7fc00002, 0x7fc00001, 0, 0},
    {ADD, 0, 0x7fc00001, 0xff800002, 0xffc00002, 0x80, 0},
    {ADD, 0, 0x7f800001, 0x7f800002, 0x7fc00001, 0x80, 0},
    {SUB, 0, 0x3f800000, 0x7fc00002, 0x7fc00002, 0, 0},
    {MUL, I_TRAP, 0x7f800001, 0x3f800000, 0, 0, 0x80},
};

START_TEST(traps_and_special_results)
{
    const struct exact_case *t = &exact_cases[_i];
    struct bfp_env e;
    bfp_env_init(&e, t->fpc);
    u32 v = (u32)our_result(t->op, &e, &bfp_short, t->a, t->b, 0);
    ck_assert_uint_eq(e.dxc, t->dxc);
    ck_assert_uint_eq(e.flags, t->flags);
    if (!(e.dxc & BFP_SUPPRESSING))
        ck_assert_msg(v == t->result, "%08x, not %08x", v, t->result);
}
END_TEST

/* Addend, multiplier (second), multiplicand (third). Sources of the order: QEMU (s_abc) and
 * s_mulAddF32.c of Hercules, which differ in the fourth case only: the first signals as well. */
START_TEST(nans_of_multiply_and_add)
{
    static const u32 cases[][4] = {
        {0x7fc00001, 0x7fc00002, 0x7fc00003, 0x7fc00002},
        {0x7fc00001, 0x7fc00002, 0x3f800000, 0x7fc00002},
        {0x7f800001, 0x7fc00002, 0x7fc00003, 0x7fc00001},
        {0x7f800001, 0x7f800002, 0x7fc00003, 0x7fc00002},
        {0x7fc00001, 0x00000000, 0x7f800000, 0x7fc00000},
        {0xff800000, 0x3f800000, 0x7f800000, 0x7fc00000},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct bfp_env e;
        bfp_env_init(&e, 0);
        u128 v = bfp_mul_add(&e, &bfp_short, cases[i][0], cases[i][1], cases[i][2], false);
        ck_assert_msg(v == cases[i][3], "case %u: %08x", i, (u32)v);
    }
}
END_TEST

START_TEST(rounding_to_integer)
{
    /* value, mode, integer, incremented */
    static const struct {
        double v;
        enum bfp_mode mode;
        s32 n;
        bool up;
    } cases[] = {
        {2.5, BFP_RNE, 2, false},   {3.5, BFP_RNE, 4, true},   {2.5, BFP_RNA, 3, true},
        {-2.5, BFP_RNA, -3, true},  {2.25, BFP_RNA, 2, false}, {2.5, BFP_RFS, 3, true},
        {3.5, BFP_RFS, 3, false},   {-2.5, BFP_RFS, -3, true}, {0.25, BFP_RFS, 1, true},
        {0.25, BFP_RP, 1, true},    {-0.25, BFP_RM, -1, true}, {0.5, BFP_RNE, 0, false},
        {0.5, BFP_RNA, 1, true},    {-7.9, BFP_RZ, -7, false}, {1e-300, BFP_RP, 1, true},
        {1e-300, BFP_RNA, 0, false}};
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        u64 bits;
        u8 cc;
        memcpy(&bits, &cases[i].v, sizeof bits);
        struct bfp_env e = {.mode = cases[i].mode, .masks = BFP_INEXACT};
        ck_assert_int_eq((s32)bfp_to_fixed(&e, &bfp_long, bits, 32, true, &cc), cases[i].n);
        ck_assert_uint_eq(e.dxc, cases[i].up ? 0x0c : 0x08);
        ck_assert_uint_eq(cc, cases[i].v < 0 ? 1 : 2);
        e = (struct bfp_env){.mode = cases[i].mode, .xxc = true};
        double whole = (double)cases[i].n;
        u64 expect, ours = (u64)bfp_to_integral(&e, &bfp_long, bits);
        memcpy(&expect, &whole, sizeof expect);
        ck_assert_uint_eq(ours << 1, expect << 1);
        ck_assert_uint_eq(ours >> 63, bits >> 63); /* a zero keeps the sign */
        ck_assert_uint_eq(e.flags, 0);
    }
}
END_TEST

START_TEST(limits_of_fixed)
{
    static const struct {
        double v;
        unsigned width;
        bool is_signed;
        u64 n;
        u8 cc;
    } cases[] = {{2147483647.0, 32, true, 0x7fffffff, 2},
                 {2147483647.5, 32, true, 0x7fffffff, 3},
                 {-2147483648.0, 32, true, 0x80000000, 1},
                 {-2147483648.5, 32, true, 0x80000000, 1},
                 {-2147483649.0, 32, true, 0x80000000, 3},
                 {4294967295.0, 32, false, 0xffffffff, 2},
                 {4294967296.0, 32, false, 0xffffffff, 3},
                 {-0.25, 32, false, 0, 1},
                 {-0.75, 32, false, 0, 3},
                 {0.0, 32, false, 0, 0},
                 {-0.0, 64, true, 0, 0},
                 {0x1p63, 64, true, ~0ull >> 1, 3},
                 {-0x1p63, 64, true, 1ull << 63, 1},
                 {0x1p63, 64, false, 1ull << 63, 2},
                 {0x1p64, 64, false, ~0ull, 3},
                 {INFINITY, 64, true, ~0ull >> 1, 3},
                 {-INFINITY, 64, true, 1ull << 63, 3},
                 {NAN, 32, true, 0x80000000, 3},
                 {NAN, 64, false, 0, 3}};
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        u64 bits;
        u8 cc;
        memcpy(&bits, &cases[i].v, sizeof bits);
        struct bfp_env e = {.mode = BFP_RNE};
        u64 n = bfp_to_fixed(&e, &bfp_long, bits, cases[i].width, cases[i].is_signed, &cc);
        ck_assert_msg(n == cases[i].n && cc == cases[i].cc, "case %u: %lx cc %u", i, n, cc);
        ck_assert_uint_eq(e.flags & BFP_INVALID, cc == 3 ? BFP_INVALID : 0);
    }
}
END_TEST

START_TEST(trapped_load_rounded_stays_long)
{
    struct bfp_env e;
    bfp_env_init(&e, O_TRAP); /* 2^200 * (1 + 2^-52): exponent less by 512 */
    ck_assert_uint_eq((u64)bfp_shorten(&e, &bfp_short, &bfp_long, 0x4c70000000000001ull),
                      0x2c70000000000000ull);
    ck_assert_uint_eq(e.dxc, 0x28);
    bfp_env_init(&e, U_TRAP | 2);
    ck_assert_uint_eq((u64)bfp_shorten(&e, &bfp_short, &bfp_long, 0x3370000000000001ull),
                      0x5370000020000000ull);
    ck_assert_uint_eq(e.dxc, 0x1c);
    bfp_env_init(&e, O_TRAP); /* 2^16000, extended: less by 8192 */
    u128 v = bfp_shorten(&e, &bfp_short, &bfp_extended, (u128)(16383 + 16000) << 112);
    ck_assert(v == (u128)(16383 + 16000 - 8192) << 112);
}
END_TEST

/* r = a - b * n exactly, and n the integer nearest to or below a / b: by fmodl and remquo. */
START_TEST(divide_to_integer_like_fmod)
{
    random_state = 99;
    for (unsigned i = 0; i < 20000; i++) {
        u64 a = (u64)random_value(&bfp_long), b = (u64)random_value(&bfp_long);
        double x = bfp_host_double(a), y = bfp_host_double(b);
        if (y == 0 || fabs(x / y) >= 0x1p53)
            continue;
        bool nearest = i & 1;
        struct bfp_env e;
        bfp_env_init(&e, 0);
        u128 n;
        u8 cc;
        u64 r = (u64)bfp_divide_to_integer(&e, &bfp_long, nearest ? BFP_RNE : BFP_RZ, a, b, &n,
                                           &cc);
        double expect = nearest ? remainder(x, y) : fmod(x, y);
        ck_assert_msg(bfp_host_double(r) == expect && r >> 63 == (u64)(signbit(expect) != 0),
                      "%016lx / %016lx: %016lx", a, b, r);
        ck_assert_uint_eq(cc, 0);
        ck_assert(fmaq((__float128)bfp_host_double((u64)n), -(__float128)y, x) == expect);
    }
}
END_TEST

START_TEST(divide_to_integer_special)
{
    static const struct {
        u32 a, b;
        enum bfp_mode mode;
        u32 r, n;
        u8 cc, flags;
    } cases[] = {
        /* 2^30 + 2^7 by 7: partial, the quotient cut to 24 digits */
        {0x4e800001, 0x40e00000, BFP_RNE, 0x42a00000, 0x4d124925, 2, 0},
        /* 1 by 2^24 upwards: remainder 1 - 2^24, exact; 1 by 2^26: it rounds */
        {0x3f800000, 0x4b800000, BFP_RP, 0xcb7fffff, 0x3f800000, 0, 0},
        {0x3f800000, 0x4c800000, BFP_RP, 0xcc800000, 0x3f800000, 0, 0x08},
        /* quotient 2^253: exponent less by 192 */
        {0x7f000000, 0x00800000, BFP_RNE, 0, 0x5e000000, 1, 0},
        {0x40000000, 0xff800000, BFP_RNE, 0x40000000, 0x80000000, 0, 0},
        {0xff800000, 0x40000000, BFP_RNE, 0x7fc00000, 0x7fc00000, 1, 0x80},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct bfp_env e;
        bfp_env_init(&e, 0);
        u128 n;
        u8 cc;
        u128 r = bfp_divide_to_integer(&e, &bfp_short, cases[i].mode, cases[i].a, cases[i].b,
                                       &n, &cc);
        ck_assert_msg(r == cases[i].r && n == cases[i].n && cc == cases[i].cc &&
                          e.flags == cases[i].flags,
                      "case %u: r %08x n %08x cc %u flags %02x", i, (u32)r, (u32)n, cc,
                      e.flags);
    }
}
END_TEST

START_TEST(data_classes)
{
    static const u32 classes[][2] = {
        {0, 0x800},        {0x80000000, 0x400}, {0x3f800000, 0x200}, {0xbf800000, 0x100},
        {1, 0x080},        {0x80000001, 0x040}, {0x7f800000, 0x020}, {0xff800000, 0x010},
        {0x7fc00000, 0x8}, {0xffc00000, 0x4},   {0x7f800001, 0x2},   {0xff800001, 0x1}};
    for (unsigned i = 0; i < ARRAY_LEN(classes); i++)
        ck_assert_uint_eq(bfp_data_class(&bfp_short, classes[i][0]), classes[i][1]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu_bfp");
    TCase *t = tcase_create("arithmetic");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, basic_operations_short);
    tcase_add_test(t, basic_operations_long);
    tcase_add_test(t, basic_operations_extended);
    tcase_add_test(t, fused_operations);
    tcase_add_test(t, square_root_extended);
    tcase_add_test(t, random_operands);
    tcase_add_test(t, host_short_cut);
    tcase_add_test(t, host_short_cut_conversions);
    tcase_add_test(t, conversions_like_host);
    tcase_add_loop_test(t, traps_and_special_results, 0, ARRAY_LEN(exact_cases));
    tcase_add_test(t, nans_of_multiply_and_add);
    tcase_add_test(t, rounding_to_integer);
    tcase_add_test(t, limits_of_fixed);
    tcase_add_test(t, trapped_load_rounded_stays_long);
    tcase_add_test(t, divide_to_integer_like_fmod);
    tcase_add_test(t, divide_to_integer_special);
    tcase_add_test(t, data_classes);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
