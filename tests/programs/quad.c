/* Quadruple precision: long double here, __float128 on the host; printed by its bits. The host's
 * sqrtq is not correctly rounded, so there the roots are the known ones. */
#include <math.h>
#include <string.h>

#include "programs.h"

#ifdef __s390x__
typedef long double quad;
#else
typedef __float128 quad;
#endif
#define ROOTS 200u

static void bits_of(quad v, uint64_t *high, uint64_t *low)
{
    unsigned __int128 bits;
    memcpy(&bits, &v, sizeof bits);
    *high = (uint64_t)(bits >> 64);
    *low = (uint64_t)bits;
}

static void show(const char *what, quad v)
{
    uint64_t high, low;
    bits_of(v, &high, &low);
    printf("%s %016llx%016llx\n", what, (unsigned long long)high, (unsigned long long)low);
}

static quad random_quad(uint64_t *seed)
{
    unsigned __int128 bits = (unsigned __int128)next_random(seed) << 64 | next_random(seed);
    quad v;
    bits &= ~((unsigned __int128)0x7fff << 112);
    bits |= (unsigned __int128)(16383 - 80 + (next_random(seed) >> 30) % 160) << 112;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static void mix_quad(uint64_t *sum, quad v)
{
    uint64_t high, low;
    bits_of(v, &high, &low);
    mix(sum, high);
    mix(sum, low);
}

/* e and pi by series. */
static void series(void)
{
    quad e = 1, term = 1, pi = 0, power = 1;
    for (int n = 1; n < 40; n++) {
        term /= n;
        e += term;
    }
    for (int k = 0; k < 30; k++) {
        int n = 8 * k;
        pi += ((quad)4 / (n + 1) - (quad)2 / (n + 4) - (quad)1 / (n + 5) - (quad)1 / (n + 6)) /
              power;
        power *= 16;
    }
    show("e", e);
    show("pi", pi);
}

/* The root of 2, and of squares that are exact. */
#ifdef __s390x__
static void roots(void)
{
    uint64_t seed = 17;
    unsigned right = 0;
    volatile quad two = 2;
    for (unsigned i = 0; i < ROOTS; i++) {
        volatile quad v = (quad)(next_random(&seed) >> 9) / (1u << i % 31), square = v * v;
        right += sqrtl(square) == v;
    }
    show("root", sqrtl(two));
    printf("roots %u\n", right);
}
#else
static void roots(void)
{
    printf("root 3fff6a09e667f3bcc908b2fb1366ea95\nroots %u\n", ROOTS);
}
#endif

void program_quad(void)
{
    uint64_t seed = 5, sum = SUM_START;
    series();
    roots();
    for (unsigned i = 0; i < 500; i++) {
        quad a = random_quad(&seed), b = random_quad(&seed);
        mix_quad(&sum, a + b);
        mix_quad(&sum, a - b);
        mix_quad(&sum, a * b);
        mix_quad(&sum, a / b);
        mix(&sum, (a < b) + 2u * (a == b) + 4u * (a > b));
        double d = (double)a;
        float f = (float)b;
        mix_quad(&sum, (quad)d + (quad)f);
        mix_quad(&sum, (quad)(int64_t)next_random(&seed) + (quad)(uint64_t)next_random(&seed));
    }
    printf("random %016llx\n", (unsigned long long)sum);
}
