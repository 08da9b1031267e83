/* The host's arithmetic as a short cut for short and long binary floating point.
 * Taken only where it cannot be told from cpu/bfp/bfp.c: rounding to nearest, no traps enabled,
 * operands normal or zero, result normal and not at the edge of tininess (the host detects that
 * after rounding), or an evident zero. Inexact is read from MXCSR, and not even that once the
 * FPC flag is on. Each function returns false when the exact way must be taken. */
#ifndef ENDICOTT_CPU_BFP_HOST_H
#define ENDICOTT_CPU_BFP_HOST_H

#include "mem/base/bytes.h"

#define BFP_HOST_NEVER 0xf8000007u   /* FPC: any mask, any rounding mode but to nearest */
#define BFP_HOST_INEXACT 0x00080000u /* FPC: the inexact flag */

/* Exponent fields 1 to all ones less one; for results from 2. The sign is shifted out. */
static inline bool bfp_host_normal32(u32 v, u32 least)
{
    return (v << 1) - (least << 24) < (255 - least) << 24;
}

static inline bool bfp_host_normal64(u64 v, u64 least)
{
    return (v << 1) - (least << 53) < (2047 - least) << 53;
}

static inline bool bfp_host_operand32(u32 v)
{
    return bfp_host_normal32(v, 1) || v << 1 == 0;
}

static inline bool bfp_host_operand64(u64 v)
{
    return bfp_host_normal64(v, 1) || v << 1 == 0;
}

static inline float bfp_host_float(u32 v)
{
    float x;
    memcpy(&x, &v, sizeof x);
    return x;
}

static inline double bfp_host_double(u64 v)
{
    double x;
    memcpy(&x, &v, sizeof x);
    return x;
}

#if defined(__SSE2__)
#include <immintrin.h>

#define BFP_MXCSR_DEFAULT 0x1f80u
#define BFP_MXCSR_FLAGS 0x3fu
#define BFP_MXCSR_INEXACT 0x20u
/* The operation must stay between reading and testing MXCSR. */
#define BFP_HOST_PIN(v) __asm__ volatile("" : "+x"(v) : : "memory")

static inline void bfp_host_watch(void)
{
    if (_mm_getcsr() & BFP_MXCSR_FLAGS)
        _mm_setcsr(BFP_MXCSR_DEFAULT);
}

static inline u32 bfp_host_inexact(void)
{
    return _mm_getcsr() & BFP_MXCSR_INEXACT ? BFP_HOST_INEXACT : 0;
}

static inline float bfp_host_root32(float x)
{
    return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
}

static inline double bfp_host_root64(double x)
{
    return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(x)));
}

/* bits of the result, from x (y, z); `zero` says when a zero is exact and has the right sign */
#define BFP_HOST_BODY(bits, real, expr, zero)                                                  \
    {                                                                                          \
        real r;                                                                                \
        u32 flags = 0;                                                                         \
        if (*fpc & BFP_HOST_INEXACT) {                                                         \
            r = (expr);                                                                        \
        } else {                                                                               \
            bfp_host_watch();                                                                  \
            BFP_HOST_PIN(x);                                                                   \
            r = (expr);                                                                        \
            BFP_HOST_PIN(r);                                                                   \
            flags = bfp_host_inexact();                                                        \
        }                                                                                      \
        memcpy(out, &r, sizeof r);                                                             \
        if (unlikely(!bfp_host_normal##bits(*out, 2)) && !(*out << 1 == 0 && (zero)))          \
            return false;                                                                      \
        *fpc |= flags;                                                                         \
        return true;                                                                           \
    }

#define BFP_HOST_BINARY(name, bits, real, expr, zero)                                          \
    static inline bool bfp_host_##name(u32 *fpc, u##bits a, u##bits b, u##bits *out)           \
    {                                                                                          \
        if (unlikely(*fpc & BFP_HOST_NEVER) || unlikely(!bfp_host_operand##bits(a)) ||         \
            unlikely(!bfp_host_operand##bits(b)))                                              \
            return false;                                                                      \
        real x = bfp_host_##real(a), y = bfp_host_##real(b);                                   \
        BFP_HOST_BODY(bits, real, expr, zero)                                                  \
    }

#define BFP_HOST_SQRT(name, bits, real)                                                        \
    static inline bool bfp_host_##name(u32 *fpc, u##bits a, u##bits *out)                      \
    {                                                                                          \
        if (unlikely(*fpc & BFP_HOST_NEVER) || !bfp_host_operand##bits(a) ||                   \
            a >> (bits - 1) != 0)                                                              \
            return false;                                                                      \
        real x = bfp_host_##real(a);                                                           \
        BFP_HOST_BODY(bits, real, bfp_host_root##bits(x), a == 0)                              \
    }

/* x * y + z; zero results are left to the exact way */
#define BFP_HOST_FMA(name, bits, real, expr)                                                   \
    static inline bool bfp_host_##name(u32 *fpc, u##bits a, u##bits b, u##bits third,          \
                                       u##bits *out)                                           \
    {                                                                                          \
        if (unlikely(*fpc & BFP_HOST_NEVER) || !bfp_host_operand##bits(a) ||                   \
            !bfp_host_operand##bits(b) || !bfp_host_operand##bits(third))                      \
            return false;                                                                      \
        real x = bfp_host_##real(a), y = bfp_host_##real(b), z = bfp_host_##real(third);       \
        BFP_HOST_BODY(bits, real, expr, false)                                                 \
    }

/** LOAD ROUNDED long to short. */
static inline bool bfp_host_narrow(u32 *fpc, u64 a, u32 *out)
{
    if (unlikely(*fpc & BFP_HOST_NEVER) || !bfp_host_operand64(a))
        return false;
    double x = bfp_host_double(a);
    BFP_HOST_BODY(32, float, (float)x, a << 1 == 0)
}
#else
#define BFP_HOST_BINARY(name, bits, real, expr, zero)                                          \
    static inline bool bfp_host_##name(u32 *fpc, u##bits a, u##bits b, u##bits *out)           \
    {                                                                                          \
        *out = a | b;                                                                          \
        return (void)fpc, false;                                                               \
    }
#define BFP_HOST_SQRT(name, bits, real)                                                        \
    static inline bool bfp_host_##name(u32 *fpc, u##bits a, u##bits *out)                      \
    {                                                                                          \
        *out = a;                                                                              \
        return (void)fpc, false;                                                               \
    }
#define BFP_HOST_FMA(name, bits, real, expr)                                                   \
    static inline bool bfp_host_##name(u32 *fpc, u##bits a, u##bits b, u##bits third,          \
                                       u##bits *out)                                           \
    {                                                                                          \
        *out = a | b | third;                                                                  \
        return (void)fpc, false;                                                               \
    }

static inline bool bfp_host_narrow(u32 *fpc, u64 a, u32 *out)
{
    *out = (u32)a;
    return (void)fpc, false;
}
#endif

BFP_HOST_BINARY(add32, 32, float, x + y, true)
BFP_HOST_BINARY(sub32, 32, float, x - y, true)
BFP_HOST_BINARY(mul32, 32, float, x *y, a << 1 == 0 || b << 1 == 0)
BFP_HOST_BINARY(div32, 32, float, x / y, a << 1 == 0)
BFP_HOST_BINARY(add64, 64, double, x + y, true)
BFP_HOST_BINARY(sub64, 64, double, x - y, true)
BFP_HOST_BINARY(mul64, 64, double, x *y, a << 1 == 0 || b << 1 == 0)
BFP_HOST_BINARY(div64, 64, double, x / y, a << 1 == 0)
BFP_HOST_SQRT(sqrt32, 32, float)
BFP_HOST_SQRT(sqrt64, 64, double)
BFP_HOST_FMA(fma32, 32, float, __builtin_fmaf(x, y, z))
BFP_HOST_FMA(fms32, 32, float, __builtin_fmaf(x, y, -z))
BFP_HOST_FMA(fma64, 64, double, __builtin_fma(x, y, z))
BFP_HOST_FMA(fms64, 64, double, __builtin_fma(x, y, -z))

/** Truncate (m3 5), or round up (6) or down (7), to an integer below 2^52 in magnitude. */
static inline bool bfp_host_integral(u64 a, unsigned m3, u64 *out)
{
    double x = bfp_host_double(a);
    if (m3 < 5 || !(__builtin_fabs(x) < 0x1p52))
        return false;
    double whole = (double)(s64)x;
    if (m3 == 6 && whole < x)
        whole += 1;
    if (m3 == 7 && whole > x)
        whole -= 1;
    memcpy(out, &whole, sizeof whole);
    *out = (*out & ~0ull >> 1) | (a & 1ull << 63); /* a zero keeps the sign */
    return true;
}

#endif
