/* Float and double: arithmetic, square roots, fused multiply and add, conversions, comparisons with
 * NaNs, rounding modes, exceptions. NaNs are never printed by their bits: the host's differ. */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "programs.h"

static void mix_double(uint64_t *sum, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    mix(sum, isnan(v) ? 0x7ff8 : bits);
}

static void mix_float(uint64_t *sum, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    mix(sum, isnan(v) ? 0x7fc0 : bits);
}

static double random_double(uint64_t *seed)
{
    uint64_t v = next_random(seed), exponent = 1023 - 60 + (next_random(seed) >> 20) % 120;
    double d;
    v = (v & 0x800fffffffffffffu) | exponent << 52;
    memcpy(&d, &v, sizeof d);
    return d;
}

static void one(double a, double b, double c, uint64_t *sum)
{
    float x = (float)a, y = (float)b;
    mix_double(sum, a + b);
    mix_double(sum, a - b * c);
    mix_double(sum, a / b);
    mix_double(sum, sqrt(fabs(a)));
    mix_double(sum, fma(a, b, c));
    mix_double(sum, fma(a, b, -c));
    mix_float(sum, x * y + (float)c);
    mix_float(sum, x / y);
    mix_float(sum, sqrtf(fabsf(x)));
    mix_float(sum, fmaf(x, y, (float)c));
    mix_double(sum, (double)x * (double)y);
    mix(sum, (a < b) + 2u * (a <= b) + 4u * (a == b) + 8u * (a > c) + 16u * (a != c));
    mix_double(sum, copysign(a, b) + fmax(a, c) - fmin(b, c));
}

static void integers(double a, uint64_t *sum)
{
    double small = fmod(fabs(a), 9e18), less = fmod(fabs(a), 2e9);
    mix(sum, (uint64_t)(int64_t)(a < 0 ? -small : small));
    mix(sum, (uint64_t)(small * 2));
    mix(sum, (uint64_t)(int64_t)(int32_t)(a < 0 ? -less : less));
    mix(sum, (uint32_t)(less * 2));
    mix(sum, (uint64_t)(float)less);
    mix_double(sum, (double)(uint64_t)(small * 2));
    mix_float(sum, (float)(int64_t)small);
    mix_float(sum, (float)(uint64_t)small);
    mix_double(sum, (double)(int32_t)less + (double)(uint32_t)less);
    mix_double(sum, floor(a) + ceil(a) * 2 + trunc(a) * 4 + rint(a) * 8 + round(a) * 16);
    mix(sum, (uint64_t)lrint(less) + (uint64_t)llround(less));
    int exponent;
    mix_double(sum, frexp(a, &exponent) + ldexp(a, -3));
    mix(sum, (uint64_t)(int64_t)exponent);
}

static void special(void)
{
    static volatile double zero = 0, one_ = 1, huge = DBL_MAX, tiny = DBL_MIN;
    double inf = one_ / zero, nan = zero / zero;
    printf("special %f %f %d %d %d %d\n", inf, -inf, isnan(nan), nan == nan, isinf(huge * 2),
           tiny / 4 > 0);
    printf("order %d %d %d %d\n", nan < inf, isless(nan, inf), isunordered(nan, inf),
           signbit(-zero) != 0);
    feclearexcept(FE_ALL_EXCEPT);
    volatile double r = one_ / 3;
    printf("inexact %d", fetestexcept(FE_ALL_EXCEPT) == FE_INEXACT);
    feclearexcept(FE_ALL_EXCEPT);
    r = one_ / zero;
    printf(" divzero %d", fetestexcept(FE_ALL_EXCEPT) == FE_DIVBYZERO);
    feclearexcept(FE_ALL_EXCEPT);
    r = huge * 2;
    printf(" overflow %d", fetestexcept(FE_ALL_EXCEPT) == (FE_OVERFLOW | FE_INEXACT));
    feclearexcept(FE_ALL_EXCEPT);
    r = tiny / 3;
    printf(" underflow %d", fetestexcept(FE_ALL_EXCEPT) == (FE_UNDERFLOW | FE_INEXACT));
    feclearexcept(FE_ALL_EXCEPT);
    r = sqrt(-one_);
    printf(" invalid %d\n", fetestexcept(FE_INVALID) != 0);
    (void)r;
}

static void modes(void)
{
    static const int modes_[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    for (unsigned i = 0; i < 4; i++) {
        volatile double a = 1, b = 3, c = -1;
        fesetround(modes_[i]);
        volatile double x = a / b, y = c / b, z = rint(a * 2.5), w = rint(c * 2.5);
        volatile float f = (float)(a / b);
        fesetround(FE_TONEAREST);
        printf("mode %u %a %a %a %g %g\n", i, x, y, (double)f, z, w);
    }
}

void program_floats(void)
{
    uint64_t seed = 77, sum = SUM_START;
    for (unsigned i = 0; i < 2000; i++) {
        double a = random_double(&seed), b = random_double(&seed), c = random_double(&seed);
        one(a, b, c, &sum);
        integers(a, &sum);
    }
    printf("random %016llx\n", (unsigned long long)sum);
    special();
    modes();
}
