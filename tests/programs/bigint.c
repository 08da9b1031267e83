/* Big integers in limbs: factorials, Fibonacci, powers modulo; division of 128 bits. */
#include <string.h>

#include "programs.h"

#define LIMBS 80u

struct big {
    uint32_t limb[LIMBS];
};

static void multiply_by(struct big *a, uint32_t n)
{
    uint64_t carry = 0;
    for (unsigned i = 0; i < LIMBS; i++) {
        carry += (uint64_t)a->limb[i] * n;
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static uint32_t divide_by(struct big *a, uint32_t n)
{
    uint64_t rest = 0;
    for (unsigned i = LIMBS; i-- > 0;) {
        rest = rest << 32 | a->limb[i];
        a->limb[i] = (uint32_t)(rest / n);
        rest %= n;
    }
    return (uint32_t)rest;
}

static void add_to(struct big *a, const struct big *b)
{
    unsigned carry = 0;
    for (unsigned i = 0; i < LIMBS; i++) {
        uint32_t sum;
        unsigned c1 = __builtin_add_overflow(a->limb[i], b->limb[i], &sum);
        unsigned c2 = __builtin_add_overflow(sum, carry, &sum);
        a->limb[i] = sum;
        carry = c1 | c2;
    }
}

static void print_decimal(const char *what, struct big a)
{
    char digits[450], *p = digits + sizeof digits;
    *--p = 0;
    while (p > digits)
        *--p = (char)('0' + divide_by(&a, 10));
    while (*p == '0' && p[1])
        p++;
    printf("%s %s\n", what, p);
}

static uint64_t power_modulo(uint64_t base, uint64_t exponent, uint64_t modulus)
{
    uint64_t result = 1;
    for (base %= modulus; exponent; exponent >>= 1) {
        if (exponent & 1)
            result = (uint64_t)((unsigned __int128)result * base % modulus);
        base = (uint64_t)((unsigned __int128)base * base % modulus);
    }
    return result;
}

static void wide_division(void)
{
    uint64_t seed = 99, sum = SUM_START;
    for (unsigned i = 0; i < 500; i++) {
        unsigned __int128 a = (unsigned __int128)next_random(&seed) << 64 | next_random(&seed);
        unsigned __int128 b =
            (unsigned __int128)(next_random(&seed) >> (i & 63)) << (i & 31) | 1;
        __int128 c = (__int128)a, d = (__int128)(b >> 1 | 1) * (i & 1 ? -1 : 1);
        mix(&sum, (uint64_t)(a / b));
        mix(&sum, (uint64_t)(a % b >> 3));
        mix(&sum, (uint64_t)(c / d >> 64));
        mix(&sum, (uint64_t)(c % d));
    }
    printf("wide %016llx\n", (unsigned long long)sum);
}

void program_bigint(void)
{
    struct big a = {{1}}, b = {{0}}, t;
    for (uint32_t n = 2; n <= 200; n++)
        multiply_by(&a, n);
    print_decimal("200!", a);
    memset(&a, 0, sizeof a);
    a.limb[0] = 1;
    for (unsigned n = 0; n < 1000; n++) {
        t = a;
        add_to(&a, &b);
        b = t;
    }
    print_decimal("fib", b);
    printf("pow %llu %llu\n",
           (unsigned long long)power_modulo(3, 0xfffffffffffffff0u, 0xffffffffffffffc5u),
           (unsigned long long)power_modulo(7, 1000000007, 998244353));
    wide_division();
}
