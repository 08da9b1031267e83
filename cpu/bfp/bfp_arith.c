/* Binary floating point: add, multiply, multiply and add, divide, square root, compare.
 * Every operation computes an exact (jammed) bfp_num and leaves rounding to bfp_pack. */
#include "cpu/bfp/bfp_internal.h"

/* Shift hi:lo right by n, keeping what falls out as a one in the last bit. */
static void shift_right_jam(struct bfp_num *x, u32 n)
{
    if (n >= 256) {
        x->hi = 0;
        x->lo = 1;
        return;
    }
    u128 lost = 0;
    if (n >= 128) {
        lost = x->lo;
        x->lo = x->hi;
        x->hi = 0;
        n -= 128;
    }
    if (n != 0) {
        lost |= x->lo << (128 - n);
        x->lo = x->lo >> n | x->hi << (128 - n);
        x->hi >>= n;
    }
    x->lo |= lost != 0;
}

/* |a| - |b|, the larger first. */
static struct bfp_num difference(struct bfp_num a, const struct bfp_num *b, enum bfp_mode mode)
{
    bool borrow = a.lo < b->lo;
    a.lo -= b->lo;
    a.hi -= b->hi + borrow;
    bfp_normalize(&a);
    if (a.cls == BFP_ZERO)
        a.sign = mode == BFP_RM;
    return a;
}

/* |a| + |b|, aligned. */
static struct bfp_num total(struct bfp_num a, const struct bfp_num *b)
{
    u128 lo = a.lo + b->lo;
    u128 high = a.hi + b->hi;
    bool carry = high < a.hi;
    u128 hi = high + (lo < a.lo);
    carry |= hi < high;
    if (carry) {
        lo = lo >> 1 | hi << 127 | (lo & 1);
        hi = hi >> 1 | (u128)1 << 127;
        a.exp++;
    }
    a.hi = hi;
    a.lo = lo;
    return a;
}

struct bfp_num bfp_sum(const struct bfp_num *a, const struct bfp_num *b, enum bfp_mode mode)
{
    const struct bfp_num *big = a, *small = b;
    if (a->exp < b->exp ||
        (a->exp == b->exp && (a->hi < b->hi || (a->hi == b->hi && a->lo < b->lo)))) {
        big = b;
        small = a;
    }
    struct bfp_num y = *small;
    shift_right_jam(&y, (u32)(big->exp - small->exp));
    return big->sign == small->sign ? total(*big, &y) : difference(*big, &y, mode);
}

/* Sum of numbers that are not NaNs; infinities of unlike sign are the caller's. */
static u128 add_numbers(struct bfp_env *e, const struct bfp_format *f, const struct bfp_num *a,
                        const struct bfp_num *b)
{
    if (a->cls == BFP_INF || b->cls == BFP_INF) {
        if (a->cls != b->cls || a->sign == b->sign)
            return bfp_pack_inf(f, a->cls == BFP_INF ? a->sign : b->sign);
        bfp_invalid(e);
        return bfp_default_nan(f);
    }
    if (a->cls == BFP_ZERO && b->cls == BFP_ZERO) {
        bool sign = a->sign == b->sign ? a->sign : e->mode == BFP_RM;
        return sign ? bfp_sign_bit(f) : 0;
    }
    if (a->cls == BFP_ZERO || b->cls == BFP_ZERO)
        return bfp_pack(e, f, a->cls == BFP_ZERO ? b : a);
    struct bfp_num sum = bfp_sum(a, b, e->mode);
    return bfp_pack(e, f, &sum);
}

u128 bfp_add(struct bfp_env *e, const struct bfp_format *f, u128 a, u128 b)
{
    u128 nan;
    if (bfp_nan2(e, f, a, b, &nan))
        return nan;
    struct bfp_num x = bfp_unpack(f, a), y = bfp_unpack(f, b);
    return add_numbers(e, f, &x, &y);
}

u128 bfp_sub(struct bfp_env *e, const struct bfp_format *f, u128 a, u128 b)
{
    u128 nan;
    if (bfp_nan2(e, f, a, b, &nan))
        return nan;
    struct bfp_num x = bfp_unpack(f, a), y = bfp_unpack(f, b);
    y.sign = !y.sign;
    return add_numbers(e, f, &x, &y);
}

/* Product of two finite numbers of at most 128 bits. */
static struct bfp_num product(const struct bfp_num *a, const struct bfp_num *b)
{
    u64 a1 = (u64)(a->hi >> 64), a0 = (u64)a->hi, b1 = (u64)(b->hi >> 64), b0 = (u64)b->hi;
    u128 low = (u128)a0 * b0;
    u128 mid1 = (u128)a1 * b0 + (low >> 64);
    u128 mid2 = (u128)a0 * b1 + (u64)mid1;
    struct bfp_num p = {
        .cls = BFP_FINITE, .sign = a->sign != b->sign, .exp = a->exp + b->exp + 1};
    p.hi = (u128)a1 * b1 + (mid1 >> 64) + (mid2 >> 64);
    p.lo = mid2 << 64 | (u64)low;
    bfp_normalize(&p);
    return p;
}

/* Product of numbers that are not NaNs; false when it is infinity times zero. */
static bool multiply(const struct bfp_num *a, const struct bfp_num *b, struct bfp_num *p)
{
    if (a->cls == BFP_FINITE && b->cls == BFP_FINITE) {
        *p = product(a, b);
        return true;
    }
    *p = (struct bfp_num){.cls = BFP_ZERO, .sign = a->sign != b->sign};
    if (a->cls != BFP_INF && b->cls != BFP_INF)
        return true;
    p->cls = BFP_INF;
    return a->cls != BFP_ZERO && b->cls != BFP_ZERO;
}

u128 bfp_mul(struct bfp_env *e, const struct bfp_format *f, const struct bfp_format *src,
             u128 a, u128 b)
{
    u128 nan;
    if (bfp_nan2(e, src, a, b, &nan))
        return bfp_lengthen(e, f, src, nan);
    struct bfp_num x = bfp_unpack(src, a), y = bfp_unpack(src, b), p;
    if (!multiply(&x, &y, &p)) {
        bfp_invalid(e);
        return bfp_default_nan(f);
    }
    return bfp_pack(e, f, &p);
}

/* NaN of multiply and add: second operand, third, first; but a signalling NaN before any quiet
 * one. */
static bool nan3(struct bfp_env *e, const struct bfp_format *f, u128 first, u128 second,
                 u128 third, u128 *r)
{
    struct bfp_num x = bfp_unpack(f, first), y = bfp_unpack(f, second),
                   z = bfp_unpack(f, third);
    bool quiet_product = y.cls != BFP_SNAN && z.cls != BFP_SNAN;
    if (x.cls == BFP_SNAN && quiet_product) {
        *r = bfp_quiet(e, f, first);
        return true;
    }
    if (bfp_nan2(e, f, second, third, r))
        return true;
    *r = first;
    return x.cls == BFP_QNAN;
}

u128 bfp_mul_add(struct bfp_env *e, const struct bfp_format *f, u128 first, u128 second,
                 u128 third, bool subtract)
{
    struct bfp_num x = bfp_unpack(f, first), y = bfp_unpack(f, second),
                   z = bfp_unpack(f, third);
    u128 nan;
    if ((y.cls == BFP_INF && z.cls == BFP_ZERO) || (y.cls == BFP_ZERO && z.cls == BFP_INF)) {
        bfp_invalid(e); /* whatever the first operand is */
        return bfp_default_nan(f);
    }
    if (nan3(e, f, first, second, third, &nan))
        return nan;
    struct bfp_num p;
    (void)multiply(&z, &y, &p);
    x.sign ^= subtract;
    return add_numbers(e, f, &p, &x);
}

/* Quotient of finite numbers, two bits more than the precision, remainder jammed. */
static struct bfp_num quotient(const struct bfp_format *f, const struct bfp_num *a,
                               const struct bfp_num *b)
{
    struct bfp_num q = {.cls = BFP_FINITE, .sign = a->sign != b->sign, .exp = a->exp - b->exp};
    u128 rest = a->hi >> 1, divisor = b->hi >> 1, bits = 0;
    if (rest < divisor) {
        rest <<= 1;
        q.exp--;
    }
    unsigned count = f->precision + 2u;
    for (unsigned i = 0; i < count; i++) {
        bits <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            bits |= 1;
        }
        rest <<= 1;
    }
    q.hi = bits << (128 - count);
    q.lo = rest != 0;
    return q;
}

u128 bfp_div(struct bfp_env *e, const struct bfp_format *f, u128 a, u128 b)
{
    u128 nan;
    if (bfp_nan2(e, f, a, b, &nan))
        return nan;
    struct bfp_num x = bfp_unpack(f, a), y = bfp_unpack(f, b);
    bool sign = x.sign != y.sign;
    if (x.cls == y.cls && x.cls != BFP_FINITE) { /* 0 / 0, infinity / infinity */
        bfp_invalid(e);
        return bfp_default_nan(f);
    }
    if (x.cls == BFP_INF)
        return bfp_pack_inf(f, sign);
    if (x.cls == BFP_ZERO || y.cls == BFP_INF)
        return sign ? bfp_sign_bit(f) : 0;
    if (y.cls == BFP_ZERO) {
        if (e->masks & BFP_DIVZERO)
            e->dxc = BFP_DIVZERO;
        else
            e->flags |= BFP_DIVZERO;
        return bfp_pack_inf(f, sign);
    }
    struct bfp_num q = quotient(f, &x, &y);
    return bfp_pack(e, f, &q);
}

/* Root of a positive finite number, digit by digit. */
static struct bfp_num root_of(const struct bfp_format *f, const struct bfp_num *a)
{
    bool odd = a->exp & 1;
    struct bfp_num r = {.cls = BFP_FINITE, .exp = (a->exp - odd) / 2};
    u128 radicand = odd ? a->hi : a->hi >> 1; /* two integer bits on the left */
    u128 rest = 0, root = 0;
    unsigned count = f->precision + 2u;
    for (unsigned i = 0; i < count; i++) {
        rest = rest << 2 | radicand >> 126;
        radicand <<= 2;
        u128 trial = root << 2 | 1;
        root <<= 1;
        if (rest >= trial) {
            rest -= trial;
            root |= 1;
        }
    }
    r.hi = root << (128 - count);
    r.lo = (rest | radicand) != 0;
    return r;
}

u128 bfp_sqrt(struct bfp_env *e, const struct bfp_format *f, u128 a)
{
    struct bfp_num x = bfp_unpack(f, a);
    if (x.cls == BFP_QNAN || x.cls == BFP_SNAN)
        return bfp_quiet(e, f, a);
    if (x.cls == BFP_ZERO || (x.cls == BFP_INF && !x.sign))
        return a;
    if (x.sign) {
        bfp_invalid(e);
        return bfp_default_nan(f);
    }
    struct bfp_num r = root_of(f, &x);
    return bfp_pack(e, f, &r);
}

u8 bfp_compare(struct bfp_env *e, const struct bfp_format *f, u128 a, u128 b, bool signal)
{
    struct bfp_num x = bfp_unpack(f, a), y = bfp_unpack(f, b);
    if (x.cls >= BFP_QNAN || y.cls >= BFP_QNAN) {
        if (signal || x.cls == BFP_SNAN || y.cls == BFP_SNAN)
            bfp_invalid(e);
        return 3;
    }
    if (x.cls == BFP_ZERO && y.cls == BFP_ZERO)
        return 0;
    if (x.sign != y.sign)
        return x.sign ? 1 : 2;
    if (a == b)
        return 0;
    return (a < b) != x.sign ? 1 : 2;
}
