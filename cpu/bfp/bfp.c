/* Binary floating point: formats, unpacking, rounding and packing, NaNs, inspection.
 * Rounding is where overflow, underflow and inexact are decided; see bfp_pack. */
#include "cpu/bfp/bfp_internal.h"

const struct bfp_format bfp_short = {32, 24, 127, 192, 0};
const struct bfp_format bfp_long = {64, 53, 1023, 1536, 512};
const struct bfp_format bfp_extended = {128, 113, 16383, 24576, 8192};

static unsigned clz128(u128 v)
{
    u64 high = (u64)(v >> 64);
    return (unsigned)(high != 0 ? __builtin_clzll(high) : 64 + __builtin_clzll((u64)v));
}

static u128 fraction_mask(const struct bfp_format *f)
{
    return ((u128)1 << (f->precision - 1)) - 1;
}

static u32 exponent_all_ones(const struct bfp_format *f)
{
    return (u32)f->emax * 2 + 1;
}

static u32 exponent_field(const struct bfp_format *f, u128 v)
{
    return (u32)(v >> (f->precision - 1)) & exponent_all_ones(f);
}

static u128 quiet_bit(const struct bfp_format *f)
{
    return (u128)1 << (f->precision - 2);
}

static bool is_nan(const struct bfp_format *f, u128 v)
{
    return exponent_field(f, v) == exponent_all_ones(f) && (v & fraction_mask(f)) != 0;
}

static bool is_snan(const struct bfp_format *f, u128 v)
{
    return is_nan(f, v) && !(v & quiet_bit(f));
}

void bfp_normalize(struct bfp_num *x)
{
    if (x->hi == 0) {
        x->hi = x->lo;
        x->lo = 0;
        x->exp -= 128;
    }
    if (x->hi == 0) {
        x->cls = BFP_ZERO;
        return;
    }
    unsigned shift = clz128(x->hi);
    if (shift != 0) {
        x->hi = x->hi << shift | x->lo >> (128 - shift);
        x->lo <<= shift;
        x->exp -= (s32)shift;
    }
}

struct bfp_num bfp_unpack(const struct bfp_format *f, u128 v)
{
    struct bfp_num x = {.sign = v >> (f->bits - 1) & 1};
    u32 field = exponent_field(f, v);
    u128 fraction = v & fraction_mask(f);
    if (field == exponent_all_ones(f)) {
        x.cls = fraction == 0 ? BFP_INF : v & quiet_bit(f) ? BFP_QNAN : BFP_SNAN;
        return x;
    }
    if (field != 0)
        fraction |= (u128)1 << (f->precision - 1);
    x.cls = BFP_FINITE;
    x.exp = (s32)(field != 0 ? field : 1) - f->emax;
    x.hi = fraction << (128 - f->precision);
    bfp_normalize(&x);
    return x;
}

struct bfp_rounded bfp_round_bits(const struct bfp_num *x, int keep, enum bfp_mode mode)
{
    u128 kept = 0;
    bool half = false, rest = true;
    if (keep >= 0) {
        u128 low = keep == 0 ? x->hi : x->hi << keep;
        kept = keep == 0 ? 0 : x->hi >> (128 - keep);
        half = low >> 127;
        rest = (low << 1 | x->lo) != 0;
    }
    bool inexact = half || rest, up = false;
    switch (mode) {
    case BFP_RNE: up = half && (rest || (kept & 1)); break;
    case BFP_RNA: up = half; break;
    case BFP_RP: up = inexact && !x->sign; break;
    case BFP_RM: up = inexact && x->sign; break;
    case BFP_RFS: up = inexact && !(kept & 1); break;
    case BFP_RZ: break;
    }
    return (struct bfp_rounded){kept + up, inexact, up};
}

/* Assemble sign, exponent and a significand of f->precision bits (less: a subnormal at emin).
 * A carry out of the significand moves into the exponent by itself. */
static u128 assemble(const struct bfp_format *f, bool sign, s32 exp, u128 kept)
{
    u128 v = ((u128)(u32)(exp + f->emax - 1) << (f->precision - 1)) + kept;
    return sign ? v | bfp_sign_bit(f) : v;
}

u128 bfp_pack_inf(const struct bfp_format *f, bool sign)
{
    return (u128)exponent_all_ones(f) << (f->precision - 1) | (sign ? bfp_sign_bit(f) : 0);
}

u128 bfp_default_nan(const struct bfp_format *f)
{
    return bfp_pack_inf(f, false) | quiet_bit(f);
}

void bfp_invalid(struct bfp_env *e)
{
    if (e->masks & BFP_INVALID)
        e->dxc = BFP_INVALID;
    else
        e->flags |= BFP_INVALID;
}

void bfp_inexact(struct bfp_env *e, bool up)
{
    if (e->xxc)
        return;
    if (e->masks & BFP_INEXACT)
        e->dxc = (u8)(BFP_INEXACT | (up ? BFP_INCREMENTED : 0));
    else
        e->flags |= BFP_INEXACT;
}

/* Trapped overflow or underflow: rounded to the precision of `f`, exponent adjusted. */
static u128 pack_wrapped(struct bfp_env *e, const struct bfp_format *f, const struct bfp_num *x,
                         const struct bfp_rounded *r, u8 exception)
{
    const struct bfp_format *to = e->wrap != NULL ? e->wrap : f;
    s32 alpha = e->wrap != NULL ? to->alpha_lr : f->alpha;
    s32 exp = x->exp + (exception == BFP_OVERFLOW ? -alpha : alpha);
    e->dxc = exception;
    if (r->inexact)
        e->dxc |= (u8)(BFP_INEXACT | (r->up ? BFP_INCREMENTED : 0));
    return assemble(to, x->sign, exp, r->kept << (to->precision - f->precision));
}

static u128 pack_overflow(struct bfp_env *e, const struct bfp_format *f, bool sign)
{
    bool to_inf = e->mode == BFP_RNE || e->mode == BFP_RNA || (e->mode == BFP_RP && !sign) ||
                  (e->mode == BFP_RM && sign);
    e->flags |= BFP_OVERFLOW;
    bfp_inexact(e, to_inf);
    u128 inf = bfp_pack_inf(f, sign);
    return to_inf ? inf : inf - 1;
}

u128 bfp_pack(struct bfp_env *e, const struct bfp_format *f, const struct bfp_num *x)
{
    if (x->cls == BFP_ZERO)
        return x->sign ? bfp_sign_bit(f) : 0;
    if (x->cls == BFP_INF)
        return bfp_pack_inf(f, x->sign);
    s32 emin = 1 - f->emax;
    bool tiny = x->exp < emin;
    struct bfp_rounded r = bfp_round_bits(x, f->precision, e->mode);
    bool over = x->exp + (s32)(r.kept >> f->precision) > f->emax;
    if (tiny && (e->masks & BFP_UNDERFLOW))
        return pack_wrapped(e, f, x, &r, BFP_UNDERFLOW);
    if (over && (e->masks & BFP_OVERFLOW))
        return pack_wrapped(e, f, x, &r, BFP_OVERFLOW);
    if (over)
        return pack_overflow(e, f, x->sign);
    if (tiny)
        r = bfp_round_bits(x, f->precision - (emin - x->exp), e->mode);
    if (r.inexact) {
        if (tiny)
            e->flags |= BFP_UNDERFLOW;
        bfp_inexact(e, r.up);
    }
    return assemble(f, x->sign, tiny ? emin : x->exp, r.kept);
}

u128 bfp_quiet(struct bfp_env *e, const struct bfp_format *f, u128 a)
{
    if (!is_snan(f, a))
        return a;
    bfp_invalid(e);
    return a | quiet_bit(f);
}

bool bfp_nan2(struct bfp_env *e, const struct bfp_format *f, u128 a, u128 b, u128 *r)
{
    if (is_snan(f, a))
        *r = bfp_quiet(e, f, a);
    else if (is_snan(f, b))
        *r = bfp_quiet(e, f, b);
    else if (is_nan(f, a))
        *r = a;
    else if (is_nan(f, b))
        *r = b;
    else
        return false;
    return true;
}

u8 bfp_cc(const struct bfp_format *f, u128 a)
{
    if (is_nan(f, a))
        return 3;
    if ((a & (bfp_sign_bit(f) - 1)) == 0)
        return 0;
    return a & bfp_sign_bit(f) ? 1 : 2;
}

u32 bfp_data_class(const struct bfp_format *f, u128 a)
{
    u32 field = exponent_field(f, a);
    bool fraction = (a & fraction_mask(f)) != 0;
    unsigned pair; /* 0 zero, 1 normal, 2 subnormal, 3 infinity, 4 QNaN, 5 SNaN */
    if (field == 0)
        pair = fraction ? 2 : 0;
    else if (field != exponent_all_ones(f))
        pair = 1;
    else if (!fraction)
        pair = 3;
    else
        pair = a & quiet_bit(f) ? 4 : 5;
    return 0x800u >> (2 * pair + (a & bfp_sign_bit(f) ? 1 : 0));
}
