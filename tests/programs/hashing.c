/* Hashing: SHA-256, CRC-32 with a table, SipHash-2-4, a hash table with strings. */
#include <stdlib.h>
#include <string.h>

#include "programs.h"

static uint32_t rotate_right(uint32_t v, unsigned n)
{
    return v >> n | v << (32 - n);
}

/* The fractional parts of cube and square roots of primes, found with integers. */
static uint32_t root_bits(unsigned prime, unsigned power)
{
    unsigned __int128 target = (unsigned __int128)prime << 32 * power;
    uint64_t root = 0;
    for (int bit = 36; bit >= 0; bit--) {
        uint64_t trial = root | 1ull << bit;
        unsigned __int128 product = (unsigned __int128)trial * trial;
        if (power == 3)
            product *= trial;
        if (product <= target)
            root = trial;
    }
    return (uint32_t)root;
}

static void sha256_block(uint32_t *h, const uint32_t *k, const uint8_t *block)
{
    uint32_t w[64], s[8];
    for (unsigned i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (unsigned i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (rotate_right(a, 7) ^ rotate_right(a, 18) ^ a >> 3) +
               (rotate_right(b, 17) ^ rotate_right(b, 19) ^ b >> 10);
    }
    memcpy(s, h, sizeof s);
    for (unsigned i = 0; i < 64; i++) {
        uint32_t e = s[4], a = s[0];
        uint32_t t1 = s[7] + (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) +
                      ((e & s[5]) ^ (~e & s[6])) + k[i] + w[i];
        uint32_t t2 = (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) +
                      ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (unsigned i = 0; i < 8; i++)
        h[i] += s[i];
}

static void sha256(const char *text, size_t repeat)
{
    uint32_t h[8], k[64];
    uint8_t block[64] = {0};
    size_t length = strlen(text) * repeat, used = 0, count = 0;
    for (unsigned prime = 2; count < 64; prime++) {
        unsigned d = 2;
        while (d * d <= prime && prime % d)
            d++;
        if (d * d <= prime)
            continue;
        if (count < 8)
            h[count] = root_bits(prime, 2);
        k[count++] = root_bits(prime, 3);
    }
    for (size_t i = 0; i < length; i++) {
        block[used++] = (uint8_t)text[i % strlen(text)];
        if (used == 64) {
            sha256_block(h, k, block);
            memset(block, 0, used);
            used = 0;
        }
    }
    block[used] = 0x80;
    if (used >= 56) {
        sha256_block(h, k, block);
        memset(block, 0, sizeof block);
    }
    for (unsigned i = 0; i < 8; i++)
        block[63 - i] = (uint8_t)(length * 8 >> 8 * i);
    sha256_block(h, k, block);
    printf("sha256");
    for (unsigned i = 0; i < 8; i++)
        printf(" %08x", h[i]);
    printf("\n");
}

static void crc32(void)
{
    uint32_t table[256], crc = ~0u;
    uint64_t seed = 4711;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t v = i;
        for (unsigned k = 0; k < 8; k++)
            v = v & 1 ? v >> 1 ^ 0xedb88320u : v >> 1;
        table[i] = v;
    }
    for (unsigned i = 0; i < 50000; i++)
        crc = table[(crc ^ (uint8_t)next_random(&seed)) & 0xff] ^ crc >> 8;
    printf("crc32 %08x\n", ~crc);
}

static uint64_t rotate_left(uint64_t v, unsigned n)
{
    return v << n | v >> (64 - n);
}

static void sip_round(uint64_t *v)
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate_left(v[1], 13) ^ v[0];
    v[3] = rotate_left(v[3], 16) ^ v[2];
    v[0] = rotate_left(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate_left(v[1], 17) ^ v[2];
    v[3] = rotate_left(v[3], 21) ^ v[0];
    v[2] = rotate_left(v[2], 32);
}

static void siphash(void)
{
    uint64_t v[4] = {1, 2, 3, 4};
    for (uint64_t i = 0; i < 3000; i++) {
        v[3] ^= i;
        sip_round(v);
        sip_round(v);
        v[0] ^= i;
    }
    printf("siphash %016llx\n", (unsigned long long)(v[0] ^ v[1] ^ v[2] ^ v[3]));
}

struct entry {
    struct entry *next;
    char *key;
    unsigned count;
};

static void table(void)
{
    static struct entry *buckets[97];
    uint64_t seed = 31, sum = SUM_START;
    unsigned distinct = 0;
    for (unsigned i = 0; i < 4000; i++) {
        char key[16];
        unsigned h = 0;
        snprintf(key, sizeof key, "k%u", (unsigned)(next_random(&seed) % 1009));
        for (const char *p = key; *p; p++)
            h = h * 31 + (unsigned)*p;
        struct entry **at = &buckets[h % 97];
        while (*at && strcmp((*at)->key, key))
            at = &(*at)->next;
        if (!*at) {
            *at = calloc(1, sizeof **at);
            (*at)->key = strdup(key);
            distinct++;
        }
        (*at)->count++;
    }
    for (unsigned i = 0; i < 97; i++)
        for (struct entry *e = buckets[i], *next; e; e = next) {
            next = e->next;
            mix(&sum, e->count * 31ull + strlen(e->key));
            free(e->key);
            free(e);
        }
    printf("table %u %016llx\n", distinct, (unsigned long long)sum);
}

void program_hashing(void)
{
    sha256("abc", 1);
    sha256("The quick brown fox jumps over the lazy dog. ", 100);
    crc32();
    siphash();
    table();
}
