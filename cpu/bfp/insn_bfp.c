/* Binary floating-point arithmetic: add, subtract, multiply, divide, square root, multiply and
 * add, compare, load and test, load with sign, test data class, divide to integer. */
#include "cpu/bfp/bfp_host.h"
#include "cpu/bfp/insn_bfp.h"

enum arith { ARITH_ADD, ARITH_SUB, ARITH_MUL, ARITH_DIV };

/* The exact way of the four operations; add and subtract set the condition code. */
static __attribute__((noinline)) int arith_exact(struct cpu *c, const struct bfp_format *f,
                                                 enum arith op, unsigned r1, u64 second)
{
    struct bfp_env e = fpc_env(c);
    u128 a = fpr_get(c, f, r1), v;
    switch (op) {
    case ARITH_ADD: v = bfp_add(&e, f, a, second); return fpr_deliver_cc(c, &e, f, r1, v);
    case ARITH_SUB: v = bfp_sub(&e, f, a, second); return fpr_deliver_cc(c, &e, f, r1, v);
    case ARITH_MUL: v = bfp_mul(&e, f, f, a, second); break;
    default: v = bfp_div(&e, f, a, second); break;
    }
    return fpr_deliver(c, &e, f, r1, v);
}

static int arith_extended(struct cpu *c, const struct dinsn *d, enum arith op)
{
    NEED_PAIR(d->r1 | d->r2);
    const struct bfp_format *f = &bfp_extended;
    struct bfp_env e = fpc_env(c);
    u128 a = fpr_extended(c, d->r1), b = fpr_extended(c, d->r2), v;
    switch (op) {
    case ARITH_ADD: v = bfp_add(&e, f, a, b); return fpr_deliver_cc(c, &e, f, d->r1, v);
    case ARITH_SUB: v = bfp_sub(&e, f, a, b); return fpr_deliver_cc(c, &e, f, d->r1, v);
    case ARITH_MUL: v = bfp_mul(&e, f, f, a, b); break;
    default: v = bfp_div(&e, f, a, b); break;
    }
    return fpr_deliver(c, &e, f, d->r1, v);
}

/* Condition code of a result that is not a NaN. */
static inline void cc_of_short(struct cpu *c, u32 v)
{
    c->cc = (u8)(v << 1 == 0 ? 0 : 2 - (v >> 31));
}

static inline void cc_of_long(struct cpu *c, u64 v)
{
    c->cc = (u8)(v << 1 == 0 ? 0 : 2 - (v >> 63));
}

/* One operation in short and long: by the host when that is the same, else exactly. */
#define ARITH(name, op, set_cc)                                                                \
    static inline __attribute__((always_inline)) int name##_short(struct cpu *c, unsigned r1,  \
                                                                  u32 second)                  \
    {                                                                                          \
        u32 v;                                                                                 \
        if (unlikely(!bfp_host_##name##32(&c->fpc, fpr_short(c, r1), second, &v)))             \
            return arith_exact(c, &bfp_short, op, r1, second);                                 \
        fpr_short_set(c, r1, v);                                                               \
        if (set_cc)                                                                            \
            cc_of_short(c, v);                                                                 \
        return 0;                                                                              \
    }                                                                                          \
    static inline                                                                              \
        __attribute__((always_inline)) int name##_long(struct cpu *c, unsigned r1, u64 second) \
    {                                                                                          \
        u64 v;                                                                                 \
        if (unlikely(!bfp_host_##name##64(&c->fpc, fpr_long(c, r1), second, &v)))              \
            return arith_exact(c, &bfp_long, op, r1, second);                                  \
        fpr_long_set(c, r1, v);                                                                \
        if (set_cc)                                                                            \
            cc_of_long(c, v);                                                                  \
        return 0;                                                                              \
    }

ARITH(add, ARITH_ADD, true)
ARITH(sub, ARITH_SUB, true)
ARITH(mul, ARITH_MUL, false)
ARITH(div, ARITH_DIV, false)

/* Bodies with the second operand in a register or in storage. */
#define BODY_SHORT(mn, fn)                                                                     \
    INSN_FAST(mn)                                                                              \
    {                                                                                          \
        return fn(c, d->r1, fpr_short(c, d->r2));                                              \
    }
#define BODY_SHORT_X(mn, fn)                                                                   \
    INSN_FAST(mn)                                                                              \
    {                                                                                          \
        u32 v;                                                                                 \
        TRY(load_u32(c, ea_x(c, d), d->b2, &v));                                               \
        return fn(c, d->r1, v);                                                                \
    }
#define BODY_LONG(mn, fn)                                                                      \
    INSN_FAST(mn)                                                                              \
    {                                                                                          \
        return fn(c, d->r1, fpr_long(c, d->r2));                                               \
    }
#define BODY_LONG_X(mn, fn)                                                                    \
    INSN_FAST(mn)                                                                              \
    {                                                                                          \
        u64 v;                                                                                 \
        TRY(load_u64(c, ea_x(c, d), d->b2, &v));                                               \
        return fn(c, d->r1, v);                                                                \
    }

/* B30A AEBR ADD (short BFP) */
BODY_SHORT(aebr, add_short)

/* ED0A AEB ADD (short BFP) */
BODY_SHORT_X(aeb, add_short)

/* B31A ADBR ADD (long BFP) */
BODY_LONG(adbr, add_long)

/* ED1A ADB ADD (long BFP) */
BODY_LONG_X(adb, add_long)

/* B34A AXBR ADD (extended BFP) */
INSN(axbr)
{
    return arith_extended(c, d, ARITH_ADD);
}

/* B30B SEBR SUBTRACT (short BFP) */
BODY_SHORT(sebr, sub_short)

/* ED0B SEB SUBTRACT (short BFP) */
BODY_SHORT_X(seb, sub_short)

/* B31B SDBR SUBTRACT (long BFP) */
BODY_LONG(sdbr, sub_long)

/* ED1B SDB SUBTRACT (long BFP) */
BODY_LONG_X(sdb, sub_long)

/* B34B SXBR SUBTRACT (extended BFP) */
INSN(sxbr)
{
    return arith_extended(c, d, ARITH_SUB);
}

/* B317 MEEBR MULTIPLY (short BFP) */
BODY_SHORT(meebr, mul_short)

/* ED17 MEEB MULTIPLY (short BFP) */
BODY_SHORT_X(meeb, mul_short)

/* B31C MDBR MULTIPLY (long BFP) */
BODY_LONG(mdbr, mul_long)

/* ED1C MDB MULTIPLY (long BFP) */
BODY_LONG_X(mdb, mul_long)

/* B34C MXBR MULTIPLY (extended BFP) */
INSN(mxbr)
{
    return arith_extended(c, d, ARITH_MUL);
}

/* B30D DEBR DIVIDE (short BFP) */
BODY_SHORT(debr, div_short)

/* ED0D DEB DIVIDE (short BFP) */
BODY_SHORT_X(deb, div_short)

/* B31D DDBR DIVIDE (long BFP) */
BODY_LONG(ddbr, div_long)

/* ED1D DDB DIVIDE (long BFP) */
BODY_LONG_X(ddb, div_long)

/* B34D DXBR DIVIDE (extended BFP) */
INSN(dxbr)
{
    return arith_extended(c, d, ARITH_DIV);
}

/* Product of two shorter operands: always exact, but for NaNs. */
static int multiply_lengthening(struct cpu *c, const struct bfp_format *f,
                                const struct bfp_format *src, unsigned r1, u64 second)
{
    struct bfp_env e = fpc_env(c);
    u128 v = bfp_mul(&e, f, src, fpr_get(c, src, r1), second);
    return fpr_deliver(c, &e, f, r1, v);
}

static inline int multiply_to_long(struct cpu *c, unsigned r1, u32 second)
{
    u32 first = fpr_short(c, r1);
    if (unlikely(!bfp_host_normal32(first, 1) || !bfp_host_normal32(second, 1)))
        return multiply_lengthening(c, &bfp_long, &bfp_short, r1, second);
    double product = (double)bfp_host_float(first) * (double)bfp_host_float(second);
    memcpy(&c->vr[r1][0], &product, sizeof product);
    return 0;
}

static inline int multiply_to_extended(struct cpu *c, unsigned r1, u64 second)
{
    NEED_PAIR(r1);
    return multiply_lengthening(c, &bfp_extended, &bfp_long, r1, second);
}

/* B30C MDEBR MULTIPLY (short to long BFP) */
BODY_SHORT(mdebr, multiply_to_long)

/* ED0C MDEB MULTIPLY (short to long BFP) */
BODY_SHORT_X(mdeb, multiply_to_long)

/* B307 MXDBR MULTIPLY (long to extended BFP) */
BODY_LONG(mxdbr, multiply_to_extended)

/* ED07 MXDB MULTIPLY (long to extended BFP) */
BODY_LONG_X(mxdb, multiply_to_extended)

/* The exact way of third * second +- first. */
static __attribute__((noinline)) int mul_add_exact(struct cpu *c, const struct bfp_format *f,
                                                   const struct dinsn *d, u64 second,
                                                   bool subtract)
{
    struct bfp_env e = fpc_env(c);
    u128 v = bfp_mul_add(&e, f, fpr_get(c, f, d->r1), second, fpr_get(c, f, d->r3), subtract);
    return fpr_deliver(c, &e, f, d->r1, v);
}

#define MUL_ADD(name, host, subtract)                                                          \
    static inline int name##_short(struct cpu *c, const struct dinsn *d, u32 second)           \
    {                                                                                          \
        u32 v;                                                                                 \
        if (unlikely(!bfp_host_##host##32(&c->fpc, fpr_short(c, d->r3), second,                \
                                          fpr_short(c, d->r1), &v)))                           \
            return mul_add_exact(c, &bfp_short, d, second, subtract);                          \
        fpr_short_set(c, d->r1, v);                                                            \
        return 0;                                                                              \
    }                                                                                          \
    static inline int name##_long(struct cpu *c, const struct dinsn *d, u64 second)            \
    {                                                                                          \
        u64 v;                                                                                 \
        if (unlikely(!bfp_host_##host##64(&c->fpc, fpr_long(c, d->r3), second,                 \
                                          fpr_long(c, d->r1), &v)))                            \
            return mul_add_exact(c, &bfp_long, d, second, subtract);                           \
        fpr_long_set(c, d->r1, v);                                                             \
        return 0;                                                                              \
    }

MUL_ADD(mul_add, fma, false)
MUL_ADD(mul_sub, fms, true)

/* B30E MAEBR MULTIPLY AND ADD (short BFP) */
INSN(maebr)
{
    return mul_add_short(c, d, fpr_short(c, d->r2));
}

/* ED0E MAEB MULTIPLY AND ADD (short BFP) */
INSN(maeb)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    return mul_add_short(c, d, v);
}

/* B30F MSEBR MULTIPLY AND SUBTRACT (short BFP) */
INSN(msebr)
{
    return mul_sub_short(c, d, fpr_short(c, d->r2));
}

/* ED0F MSEB MULTIPLY AND SUBTRACT (short BFP) */
INSN(mseb)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    return mul_sub_short(c, d, v);
}

/* B31E MADBR MULTIPLY AND ADD (long BFP) */
INSN(madbr)
{
    return mul_add_long(c, d, fpr_long(c, d->r2));
}

/* ED1E MADB MULTIPLY AND ADD (long BFP) */
INSN(madb)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    return mul_add_long(c, d, v);
}

/* B31F MSDBR MULTIPLY AND SUBTRACT (long BFP) */
INSN(msdbr)
{
    return mul_sub_long(c, d, fpr_long(c, d->r2));
}

/* ED1F MSDB MULTIPLY AND SUBTRACT (long BFP) */
INSN(msdb)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    return mul_sub_long(c, d, v);
}

/* Square root into r1. */
static int root_exact(struct cpu *c, const struct bfp_format *f, unsigned r1, u128 second)
{
    struct bfp_env e = fpc_env(c);
    u128 v = bfp_sqrt(&e, f, second);
    return fpr_deliver(c, &e, f, r1, v);
}

static int root_short(struct cpu *c, unsigned r1, u32 second)
{
    u32 v;
    if (!bfp_host_sqrt32(&c->fpc, second, &v))
        return root_exact(c, &bfp_short, r1, second);
    fpr_short_set(c, r1, v);
    return 0;
}

static int root_long(struct cpu *c, unsigned r1, u64 second)
{
    u64 v;
    if (!bfp_host_sqrt64(&c->fpc, second, &v))
        return root_exact(c, &bfp_long, r1, second);
    fpr_long_set(c, r1, v);
    return 0;
}

/* B314 SQEBR SQUARE ROOT (short BFP) */
BODY_SHORT(sqebr, root_short)

/* ED14 SQEB SQUARE ROOT (short BFP) */
BODY_SHORT_X(sqeb, root_short)

/* B315 SQDBR SQUARE ROOT (long BFP) */
BODY_LONG(sqdbr, root_long)

/* ED15 SQDB SQUARE ROOT (long BFP) */
BODY_LONG_X(sqdb, root_long)

/* B316 SQXBR SQUARE ROOT (extended BFP) */
INSN(sqxbr)
{
    NEED_PAIR(d->r1 | d->r2);
    return root_exact(c, &bfp_extended, d->r1, fpr_extended(c, d->r2));
}

/* Comparison that meets a NaN, or extended operands. */
static __attribute__((noinline)) int compare_exact(struct cpu *c, const struct bfp_format *f,
                                                   unsigned r1, u128 second, bool signal)
{
    struct bfp_env e = fpc_env(c);
    u8 cc = bfp_compare(&e, f, fpr_get(c, f, r1), second, signal);
    if (!bfp_suppressed(&e))
        c->cc = cc;
    return fpc_finish(c, &e);
}

static inline int compare32(struct cpu *c, unsigned r1, u32 second, bool signal)
{
    float a = bfp_host_float(fpr_short(c, r1)), b = bfp_host_float(second);
    if (unlikely(__builtin_isunordered(a, b)))
        return compare_exact(c, &bfp_short, r1, second, signal);
    c->cc = (u8)((a > b) * 2 + (a < b));
    return 0;
}

static inline int compare64(struct cpu *c, unsigned r1, u64 second, bool signal)
{
    double a = bfp_host_double(fpr_long(c, r1)), b = bfp_host_double(second);
    if (unlikely(__builtin_isunordered(a, b)))
        return compare_exact(c, &bfp_long, r1, second, signal);
    c->cc = (u8)((a > b) * 2 + (a < b));
    return 0;
}

static inline int compare_short(struct cpu *c, unsigned r1, u32 second)
{
    return compare32(c, r1, second, false);
}

static inline int compare_long(struct cpu *c, unsigned r1, u64 second)
{
    return compare64(c, r1, second, false);
}

static inline int signal_short(struct cpu *c, unsigned r1, u32 second)
{
    return compare32(c, r1, second, true);
}

static inline int signal_long(struct cpu *c, unsigned r1, u64 second)
{
    return compare64(c, r1, second, true);
}

/* B309 CEBR COMPARE (short BFP) */
BODY_SHORT(cebr, compare_short)

/* ED09 CEB COMPARE (short BFP) */
BODY_SHORT_X(ceb, compare_short)

/* B319 CDBR COMPARE (long BFP) */
BODY_LONG(cdbr, compare_long)

/* ED19 CDB COMPARE (long BFP) */
BODY_LONG_X(cdb, compare_long)

/* B349 CXBR COMPARE (extended BFP) */
INSN(cxbr)
{
    NEED_PAIR(d->r1 | d->r2);
    return compare_exact(c, &bfp_extended, d->r1, fpr_extended(c, d->r2), false);
}

/* B308 KEBR COMPARE AND SIGNAL (short BFP) */
BODY_SHORT(kebr, signal_short)

/* ED08 KEB COMPARE AND SIGNAL (short BFP) */
BODY_SHORT_X(keb, signal_short)

/* B318 KDBR COMPARE AND SIGNAL (long BFP) */
BODY_LONG(kdbr, signal_long)

/* ED18 KDB COMPARE AND SIGNAL (long BFP) */
BODY_LONG_X(kdb, signal_long)

/* B348 KXBR COMPARE AND SIGNAL (extended BFP) */
INSN(kxbr)
{
    NEED_PAIR(d->r1 | d->r2);
    return compare_exact(c, &bfp_extended, d->r1, fpr_extended(c, d->r2), true);
}

static int load_and_test(struct cpu *c, const struct dinsn *d, const struct bfp_format *f)
{
    struct bfp_env e = fpc_env(c);
    u128 v = bfp_quiet(&e, f, fpr_get(c, f, d->r2));
    return fpr_deliver_cc(c, &e, f, d->r1, v);
}

/* Load with the sign bit cleared by `keep` and inverted by `flip`; NaNs are like numbers. */
static int load_sign(struct cpu *c, const struct dinsn *d, const struct bfp_format *f,
                     bool keep, bool flip)
{
    u128 v = fpr_get(c, f, d->r2), sign = bfp_sign_bit(f);
    if (!keep)
        v &= ~sign;
    if (flip)
        v ^= sign;
    fpr_set(c, f, d->r1, v);
    c->cc = bfp_cc(f, v);
    return 0;
}

/* B302 LTEBR LOAD AND TEST (short BFP) */
INSN(ltebr)
{
    return load_and_test(c, d, &bfp_short);
}

/* B303 LCEBR LOAD COMPLEMENT (short BFP) */
INSN(lcebr)
{
    return load_sign(c, d, &bfp_short, true, true);
}

/* B301 LNEBR LOAD NEGATIVE (short BFP) */
INSN(lnebr)
{
    return load_sign(c, d, &bfp_short, false, true);
}

/* B300 LPEBR LOAD POSITIVE (short BFP) */
INSN(lpebr)
{
    return load_sign(c, d, &bfp_short, false, false);
}

/* B312 LTDBR LOAD AND TEST (long BFP) */
INSN(ltdbr)
{
    return load_and_test(c, d, &bfp_long);
}

/* B313 LCDBR LOAD COMPLEMENT (long BFP) */
INSN(lcdbr)
{
    return load_sign(c, d, &bfp_long, true, true);
}

/* B311 LNDBR LOAD NEGATIVE (long BFP) */
INSN(lndbr)
{
    return load_sign(c, d, &bfp_long, false, true);
}

/* B310 LPDBR LOAD POSITIVE (long BFP) */
INSN(lpdbr)
{
    return load_sign(c, d, &bfp_long, false, false);
}

/* B342 LTXBR LOAD AND TEST (extended BFP) */
INSN(ltxbr)
{
    NEED_PAIR(d->r1 | d->r2);
    return load_and_test(c, d, &bfp_extended);
}

/* B343 LCXBR LOAD COMPLEMENT (extended BFP) */
INSN(lcxbr)
{
    NEED_PAIR(d->r1 | d->r2);
    return load_sign(c, d, &bfp_extended, true, true);
}

/* B341 LNXBR LOAD NEGATIVE (extended BFP) */
INSN(lnxbr)
{
    NEED_PAIR(d->r1 | d->r2);
    return load_sign(c, d, &bfp_extended, false, true);
}

/* B340 LPXBR LOAD POSITIVE (extended BFP) */
INSN(lpxbr)
{
    NEED_PAIR(d->r1 | d->r2);
    return load_sign(c, d, &bfp_extended, false, false);
}

/* The second-operand address selects the classes that give condition code 1. */
static int test_data_class(struct cpu *c, const struct dinsn *d, const struct bfp_format *f)
{
    c->cc = (ea_x(c, d) & bfp_data_class(f, fpr_get(c, f, d->r1))) != 0;
    return 0;
}

/* ED10 TCEB TEST DATA CLASS (short BFP) */
INSN(tceb)
{
    return test_data_class(c, d, &bfp_short);
}

/* ED11 TCDB TEST DATA CLASS (long BFP) */
INSN(tcdb)
{
    return test_data_class(c, d, &bfp_long);
}

/* ED12 TCXB TEST DATA CLASS (extended BFP) */
INSN(tcxb)
{
    NEED_PAIR(d->r1);
    return test_data_class(c, d, &bfp_extended);
}

/* Remainder to r1, quotient to r3. */
static int divide_to_integer(struct cpu *c, const struct dinsn *d, const struct bfp_format *f)
{
    struct bfp_env e = fpc_env(c);
    enum bfp_mode final;
    u128 n;
    u8 cc;
    if (d->r1 == d->r2 || d->r1 == d->r3 || d->r2 == d->r3 ||
        !m_field_mode(c, d->b2 & 15, e.mode, &final))
        return PGM_SPECIFICATION;
    u128 r = bfp_divide_to_integer(&e, f, final, fpr_get(c, f, d->r1), fpr_get(c, f, d->r2), &n,
                                   &cc);
    if (!bfp_suppressed(&e)) {
        c->cc = cc;
        fpr_set(c, f, d->r3, n);
    }
    return fpr_deliver(c, &e, f, d->r1, r);
}

/* B353 DIEBR DIVIDE TO INTEGER (short BFP) */
INSN(diebr)
{
    return divide_to_integer(c, d, &bfp_short);
}

/* B35B DIDBR DIVIDE TO INTEGER (long BFP) */
INSN(didbr)
{
    return divide_to_integer(c, d, &bfp_long);
}

#define CHAPTER_DEF "cpu/isa/isa_bfp.def"
#define CHAPTER_NAME isa_bfp
#include "cpu/insn/insn_chapter.h"
