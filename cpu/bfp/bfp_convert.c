/* Binary floating point: other precisions, integers, DIVIDE TO INTEGER. */
#include "cpu/bfp/bfp_internal.h"

/* A quiet NaN of another precision: the payload keeps its leftmost bits. */
static u128 convert_nan(const struct bfp_format *f, const struct bfp_format *src, u128 a)
{
    u128 fraction = a & (((u128)1 << (src->precision - 1)) - 1);
    int shift = f->precision - src->precision;
    fraction = shift >= 0 ? fraction << shift : fraction >> -shift;
    return bfp_pack_inf(f, a >> (src->bits - 1) & 1) | fraction;
}

u128 bfp_lengthen(struct bfp_env *e, const struct bfp_format *f, const struct bfp_format *src,
                  u128 a)
{
    struct bfp_num x = bfp_unpack(src, a);
    if (x.cls >= BFP_QNAN)
        return convert_nan(f, src, bfp_quiet(e, src, a));
    return bfp_pack(e, f, &x);
}

u128 bfp_shorten(struct bfp_env *e, const struct bfp_format *f, const struct bfp_format *src,
                 u128 a)
{
    e->wrap = src;
    return bfp_lengthen(e, f, src, a);
}

/* The exact value of an integer, as bits of `f` that are known to hold it. */
static u128 pack_integer(const struct bfp_format *f, bool sign, u128 value)
{
    struct bfp_env quiet = {.mode = BFP_RZ};
    struct bfp_num x = {.cls = BFP_FINITE, .sign = sign, .exp = 127, .hi = value};
    bfp_normalize(&x);
    return bfp_pack(&quiet, f, &x);
}

u128 bfp_to_integral(struct bfp_env *e, const struct bfp_format *f, u128 a)
{
    struct bfp_num x = bfp_unpack(f, a);
    if (x.cls >= BFP_QNAN)
        return bfp_quiet(e, f, a);
    if (x.cls != BFP_FINITE || x.exp >= f->precision - 1)
        return a;
    struct bfp_rounded r = bfp_round_bits(&x, x.exp + 1, e->mode);
    if (r.inexact)
        bfp_inexact(e, r.up);
    return pack_integer(f, x.sign, r.kept);
}

/* Invalid conversion: the nearest limit; a NaN counts as the most negative. */
static u64 out_of_range(struct bfp_env *e, bool low, unsigned width, bool is_signed, u8 *cc)
{
    *cc = 3;
    bfp_invalid(e);
    if (!(e->dxc & BFP_SUPPRESSING))
        bfp_inexact(e, false);
    u64 ones = ~(u64)0 >> (64 - width);
    u64 top = (u64)1 << (width - 1);
    if (is_signed)
        return low ? top : top - 1;
    return low ? 0 : ones;
}

u64 bfp_to_fixed(struct bfp_env *e, const struct bfp_format *f, u128 a, unsigned width,
                 bool is_signed, u8 *cc)
{
    struct bfp_num x = bfp_unpack(f, a);
    *cc = x.cls == BFP_ZERO ? 0 : x.sign ? 1 : 2;
    if (x.cls == BFP_ZERO)
        return 0;
    if (x.cls >= BFP_QNAN)
        return out_of_range(e, true, width, is_signed, cc);
    if (x.cls == BFP_INF || x.exp > 64)
        return out_of_range(e, x.sign, width, is_signed, cc);
    struct bfp_rounded r = bfp_round_bits(&x, x.exp + 1, e->mode);
    u128 limit = (u128)1 << (width - (is_signed ? 1 : 0)); /* first value too large */
    if (x.sign)
        limit = is_signed ? limit + 1 : 1;
    if (r.kept >= limit)
        return out_of_range(e, x.sign, width, is_signed, cc);
    if (r.inexact)
        bfp_inexact(e, r.up);
    u64 magnitude = (u64)r.kept;
    return (x.sign ? -magnitude : magnitude) & (~(u64)0 >> (64 - width));
}

u128 bfp_from_fixed(struct bfp_env *e, const struct bfp_format *f, bool negative, u64 magnitude)
{
    if (magnitude == 0)
        return 0;
    struct bfp_num x = {.cls = BFP_FINITE, .sign = negative, .exp = 127, .hi = magnitude};
    bfp_normalize(&x);
    return bfp_pack(e, f, &x);
}

/* The quotient of two finite numbers as far as DIVIDE TO INTEGER forms it. */
struct integer_quotient {
    u128 n;           /* digits */
    s32 shift;        /* weight of the last one: above zero for a large quotient */
    struct bfp_num r; /* |a| - |b| * n * 2^shift, exact; class zero when nothing is left */
    bool partial;
};

/* Digits of |a| / |b| down to the units, but at most the precision of `f`. */
static void divide_digits(const struct bfp_format *f, const struct bfp_num *a,
                          const struct bfp_num *b, struct integer_quotient *q)
{
    s32 exp = a->exp - b->exp;
    q->n = 0;
    q->shift = 0;
    q->partial = false;
    q->r = *a;
    q->r.sign = false;
    u128 rest = a->hi >> 1, divisor = b->hi >> 1;
    if (rest < divisor) {
        rest <<= 1;
        exp--;
    }
    if (exp < 0)
        return;
    s32 count = exp + 1 < f->precision ? exp + 1 : f->precision;
    q->shift = exp + 1 - count;
    for (s32 i = 0; i < count; i++) {
        q->n <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            q->n |= 1;
        }
        if (i + 1 < count)
            rest <<= 1;
    }
    /* rest is now |remainder| in units of 2^(b->exp + shift - 126) */
    q->r = (struct bfp_num){.cls = BFP_FINITE, .exp = b->exp + q->shift + 1, .hi = rest};
    bfp_normalize(&q->r);
    q->partial = q->shift > 0 && q->r.cls != BFP_ZERO;
}

/* Whether a final quotient is to be rounded away from zero: r against half of b decides. */
static bool round_quotient(const struct integer_quotient *q, const struct bfp_num *b, bool sign,
                           enum bfp_mode mode)
{
    if (q->r.cls == BFP_ZERO)
        return false;
    struct bfp_num half = *b; /* compare r with |b| / 2 */
    half.exp--;
    int order = q->r.exp != half.exp ? (q->r.exp > half.exp ? 1 : -1)
                                     : (q->r.hi > half.hi) - (q->r.hi < half.hi);
    /* the digits, then a half digit, then whether more follows */
    u128 digits = (q->n & 1) << 2 | (order >= 0 ? 2 : 0) | (order != 0);
    struct bfp_num x = {.sign = sign, .hi = digits << 125};
    return bfp_round_bits(&x, 1, mode).up;
}

/* Quotient bits; too large a quotient is returned with its exponent adjusted. */
static u128 pack_quotient(const struct bfp_format *f, const struct integer_quotient *q,
                          bool sign, bool *overflow)
{
    struct bfp_env quiet = {.mode = BFP_RZ, .masks = BFP_OVERFLOW};
    struct bfp_num x = {.cls = BFP_FINITE, .sign = sign, .exp = 127 + q->shift, .hi = q->n};
    bfp_normalize(&x);
    u128 v = bfp_pack(&quiet, f, &x);
    *overflow = quiet.dxc != 0;
    return v;
}

u128 bfp_divide_to_integer(struct bfp_env *e, const struct bfp_format *f, enum bfp_mode final,
                           u128 a, u128 b, u128 *n, u8 *cc)
{
    *cc = 1;
    if (bfp_nan2(e, f, a, b, n))
        return *n;
    struct bfp_num x = bfp_unpack(f, a), y = bfp_unpack(f, b);
    bool sign = x.sign != y.sign;
    if (x.cls == BFP_INF || y.cls == BFP_ZERO) {
        bfp_invalid(e);
        return *n = bfp_default_nan(f);
    }
    if (x.cls == BFP_ZERO || y.cls == BFP_INF) {
        *cc = 0;
        *n = sign ? bfp_sign_bit(f) : 0;
        return a;
    }
    struct integer_quotient q;
    divide_digits(f, &x, &y, &q);
    if (!q.partial && round_quotient(&q, &y, sign, final)) {
        struct bfp_num divisor = y;
        divisor.sign = true; /* r - |b| */
        q.n++;
        q.r = bfp_sum(&q.r, &divisor, BFP_RNE);
    }
    bool overflow;
    *n = pack_quotient(f, &q, sign, &overflow);
    *cc = (u8)((q.partial ? 2 : 0) + (overflow ? 1 : 0));
    q.r.sign = q.r.cls == BFP_ZERO ? x.sign : q.r.sign != x.sign;
    return bfp_pack(e, f, &q.r);
}
