/* Integers of all widths: shifts, rotations, counts, reversals, overflow, bit-fields. */
#include <string.h>

#include "programs.h"

struct fields {
    unsigned a : 3, b : 7, c : 22;
    signed d : 5, e : 11;
    uint64_t f : 40, g : 24;
};

static void unary(uint64_t v, uint64_t *sum)
{
    mix(sum, (uint64_t)__builtin_popcountll(v));
    mix(sum, v ? (uint64_t)__builtin_clzll(v) * 100 + (uint64_t)__builtin_ctzll(v) : 7);
    mix(sum, (uint64_t)__builtin_ffs((int)v) + (uint64_t)__builtin_parityll(v));
    mix(sum,
        __builtin_bswap64(v) ^ __builtin_bswap32((uint32_t)v) ^ __builtin_bswap16((uint16_t)v));
    mix(sum, (uint64_t)(int64_t)(int8_t)v + (uint64_t)(int64_t)(int16_t)v);
    mix(sum, (uint64_t)(int64_t)(int32_t)v + (uint8_t)v + (uint16_t)v);
    mix(sum, (v & 0x00ff00ff00ff00ffu) | (v >> 20 & 0xfff) << 3);
    mix(sum, (uint64_t)(v > 5 ? v * 10 : v << 63 | v >> 1));
}

static void binary(uint64_t v, uint64_t w, uint64_t *sum)
{
    unsigned n = w & 63, m = w & 31;
    int64_t product;
    int32_t small;
    mix(sum, v << n | v >> ((64 - n) & 63));
    mix(sum, (uint32_t)v << m | (uint32_t)v >> ((32 - m) & 31));
    mix(sum, (uint64_t)((int64_t)v >> n) ^ (uint64_t)(int64_t)((int32_t)v >> m));
    mix(sum, (uint64_t)__builtin_mul_overflow((int64_t)v, (int64_t)w >> 20, &product));
    mix(sum, (uint64_t)product);
    mix(sum, (uint64_t)__builtin_sub_overflow((int32_t)v, (int32_t)w, &small));
    mix(sum, (uint64_t)(int64_t)small);
    mix(sum, (uint64_t)((int64_t)v / (int64_t)(w >> 7 | 1)) + (uint64_t)((int64_t)v % 1000));
    mix(sum, v / (w >> 40 | 1) + (uint32_t)v % ((uint32_t)w | 1));
    mix(sum, (uint64_t)((unsigned __int128)v * w >> 64) +
                 (uint64_t)((__int128)(int64_t)v * (int64_t)w >> 64));
    mix(sum, (v & ~w) + (v | ~w) * 2 + (~(v & w)) * 3 + (~(v ^ w)) * 5);
    mix(sum, (v < w) + 2u * ((int64_t)v < (int64_t)w) + 4u * ((uint32_t)v < (uint32_t)w));
}

static void bit_fields(uint64_t *seed, uint64_t *sum)
{
    struct fields f;
    memset(&f, 0, sizeof f);
    for (unsigned i = 0; i < 100; i++) {
        uint64_t v = next_random(seed);
        f.a = v & 7;
        f.b += v >> 3 & 0x7f;
        f.c ^= (unsigned)(v >> 10) & 0x3fffff;
        f.d = (int)(v >> 32 & 0xf) - 8;
        f.e = (int)(v >> 36 & 0x3ff) - 512;
        f.f = (f.f + v) & 0xffffffffffu;
        f.g = (f.g * 3 + (v >> 20)) & 0xffffff;
        mix(sum, f.a + f.b * 8ull + f.c * 1024ull);
        mix(sum, (uint64_t)(int64_t)(f.d * 2048 + f.e) ^ f.f ^ (uint64_t)f.g << 40);
    }
}

void program_bits(void)
{
    uint64_t seed = 1, sum = SUM_START;
    static const uint64_t edges[] = {0,          1,          0x7f,       0x80,
                                     0x7fffffff, 0x80000000, 0xffffffff, 1ull << 32,
                                     INT64_MAX,  1ull << 63, ~0ull};
    for (unsigned i = 0; i < 11; i++)
        unary(edges[i], &sum);
    printf("edges %016llx\n", (unsigned long long)sum);
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t v = next_random(&seed) >> (i & 63), w = next_random(&seed);
        unary(v, &sum);
        binary(v, w, &sum);
    }
    printf("random %016llx\n", (unsigned long long)sum);
    bit_fields(&seed, &sum);
    printf("fields %016llx\n", (unsigned long long)sum);
}
