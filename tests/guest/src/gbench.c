/* gbench: small benchmarks for the guest, each prints `BENCH name seconds checksum`.
 * The work is fixed, so that checksums of all hosts and machines must agree. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile uint64_t sink;

static uint64_t rng_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* --- integer --- */

static uint64_t bench_intloop(unsigned scale)
{
    uint64_t a = 1, b = 2, c = 3;

    for (uint64_t i = 0; i < 2000000ull * scale; i++) {
        a = a * 6364136223846793005ull + i;
        b ^= a >> 17;
        c += (b << 3) - (a & 0xFFFF);
        if (c & 64)
            b += i / 7;
    }
    return a ^ b ^ c;
}

static int compare_u32(const void *l, const void *r)
{
    uint32_t a = *(const uint32_t *)l, b = *(const uint32_t *)r;

    return a < b ? -1 : a > b;
}

static uint64_t bench_sort(unsigned scale)
{
    enum { COUNT = 60000 };
    uint32_t *v = malloc(COUNT * sizeof *v);
    uint64_t rng = 88172645463325252ull, sum = 0;

    for (unsigned round = 0; round < scale; round++) {
        for (int i = 0; i < COUNT; i++)
            v[i] = (uint32_t)rng_next(&rng);
        qsort(v, COUNT, sizeof *v, compare_u32);
        for (int i = 0; i < COUNT; i += 97)
            sum = sum * 31 + v[i];
    }
    free(v);
    return sum;
}

/* --- hashing: SHA-256 and CRC-32 --- */

static const uint32_t sha_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
    0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
    0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
    0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
    0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
    0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

static uint32_t ror32(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static void sha_schedule(uint32_t w[64], const uint8_t *p)
{
    for (int i = 0; i < 16; i++, p += 4)
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = ror32(w[i - 15], 7) ^ ror32(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = ror32(w[i - 2], 17) ^ ror32(w[i - 2], 19) ^ w[i - 2] >> 10;

        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
}

static void sha_block(uint32_t h[8], const uint8_t *p)
{
    uint32_t w[64], s[8];

    sha_schedule(w, p);
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t e1 = ror32(s[4], 6) ^ ror32(s[4], 11) ^ ror32(s[4], 25);
        uint32_t t1 = s[7] + e1 + ((s[4] & s[5]) ^ (~s[4] & s[6])) + sha_k[i] + w[i];
        uint32_t e0 = ror32(s[0], 2) ^ ror32(s[0], 13) ^ ror32(s[0], 22);
        uint32_t t2 = e0 + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        h[i] += s[i];
}

static uint32_t crc32_table(uint32_t table[256])
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;

        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ 0xEDB88320u : c >> 1;
        table[i] = c;
    }
    return 0xFFFFFFFFu;
}

static uint64_t bench_hash(unsigned scale)
{
    enum { BYTES = 65536 };
    uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint32_t table[256], crc = crc32_table(table);
    uint8_t *data = malloc(BYTES);

    for (int i = 0; i < BYTES; i++)
        data[i] = (uint8_t)(i * 7 + (i >> 8));
    for (unsigned round = 0; round < 8 * scale; round++) {
        for (int i = 0; i < BYTES; i += 64)
            sha_block(h, data + i);
        for (int i = 0; i < BYTES; i++)
            crc = table[(crc ^ data[i]) & 255] ^ crc >> 8;
    }
    free(data);
    return ((uint64_t)h[0] << 32 | h[7]) ^ crc;
}

/* --- recursion --- */

static __attribute__((noinline)) uint64_t fib(unsigned n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static __attribute__((noinline)) uint64_t ackermann(uint64_t m, uint64_t n)
{
    if (m == 0)
        return n + 1;
    return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

static uint64_t bench_recursion(unsigned scale)
{
    uint64_t sum = 0;

    for (unsigned round = 0; round < 6 * scale; round++)
        sum = sum * 3 + fib(24 + (round & 1)) + ackermann(2, 200 + (round & 3));
    return sum;
}

/* --- storage --- */

static uint64_t bench_memcpy(unsigned scale)
{
    enum { BYTES = 1 << 20 };
    uint8_t *a = malloc(BYTES), *b = malloc(BYTES);
    uint64_t sum = 0;

    for (int i = 0; i < BYTES; i++)
        a[i] = (uint8_t)(i ^ i >> 9);
    for (unsigned round = 0; round < 40 * scale; round++) {
        size_t off = round % 61;

        memcpy(b + off, a, BYTES - off);
        memmove(a + 3, b, BYTES - 64);
        memset(b + 1000, (int)round, 5000);
        sum = sum * 5 + a[(round * 7919u) % BYTES] + (uint64_t)(memcmp(a, b, 64) != 0);
    }
    free(a);
    free(b);
    return sum;
}

static uint64_t bench_pagefault(unsigned scale)
{
    enum { PAGES = 512 };
    uint64_t sum = 0;

    for (unsigned round = 0; round < 20 * scale; round++) {
        uint8_t *p = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED)
            exit(1);
        madvise(p, PAGES * 4096, MADV_NOHUGEPAGE);
        for (int i = 0; i < PAGES; i++)
            p[i * 4096] = (uint8_t)(i + round);
        for (int i = 0; i < PAGES; i += 5)
            sum += p[i * 4096];
        munmap(p, PAGES * 4096);
    }
    return sum;
}

/* --- storage-to-storage instructions ---
 * On s390x the instruction itself, elsewhere what it does in C. */

#ifdef __s390x__
#define SS_INSN(name, text)                                                                    \
    static void name(uint8_t *a, const uint8_t *b)                                             \
    {                                                                                          \
        __asm__ volatile(text : : "a"(a), "a"(b) : "cc", "memory");                            \
    }
SS_INSN(move_16, "mvc 0(16,%0),0(%1)")
SS_INSN(move_100, "mvc 0(100,%0),0(%1)")
SS_INSN(move_256, "mvc 0(256,%0),0(%1)")
SS_INSN(spread_80, "mvc 1(80,%0),0(%0)")
SS_INSN(clear_24, "xc 0(24,%0),0(%0)")
SS_INSN(clear_200, "xc 0(200,%0),0(%0)")
SS_INSN(mix_64, "xc 0(64,%0),0(%1)")
SS_INSN(translate_128, "tr 0(128,%0),0(%1)")

static unsigned compare_80(const uint8_t *a, const uint8_t *b)
{
    unsigned cc;

    __asm__ volatile("clc 0(80,%1),0(%2)\n\tipm %0"
                     : "=d"(cc)
                     : "a"(a), "a"(b)
                     : "cc", "memory");
    return cc >> 28 & 3;
}

/* by EXECUTE, as libraries do; len is 1 to 256 */
static void move_any(uint8_t *a, const uint8_t *b, uint64_t len)
{
    __asm__ volatile("bras 1,0f\n\tmvc 0(1,%0),0(%1)\n0:\tex %2,0(1)"
                     :
                     : "a"(a), "a"(b), "a"(len - 1)
                     : "1", "memory");
}

static unsigned compare_any(const uint8_t *a, const uint8_t *b, uint64_t len)
{
    unsigned cc;

    __asm__ volatile("bras 1,0f\n\tclc 0(1,%1),0(%2)\n0:\tex %3,0(1)\n\tipm %0"
                     : "=d"(cc)
                     : "a"(a), "a"(b), "a"(len - 1)
                     : "1", "cc", "memory");
    return cc >> 28 & 3;
}

static void move_long(uint8_t *a, const uint8_t *b, uint64_t len)
{
    register uint8_t *to __asm__("2") = a;
    register uint64_t to_len __asm__("3") = len;
    register const uint8_t *from __asm__("4") = b;
    register uint64_t from_len __asm__("5") = len;

    __asm__ volatile("mvcl 2,4"
                     : "+d"(to), "+d"(to_len), "+d"(from), "+d"(from_len)
                     :
                     : "cc", "memory");
}

static uint32_t checksum(const uint8_t *a, uint64_t len)
{
    register const uint8_t *from __asm__("2") = a;
    register uint64_t left __asm__("3") = len;
    uint64_t sum = 0;

    __asm__ volatile("0:\tcksm %0,2\n\tjo 0b"
                     : "+d"(sum), "+d"(from), "+d"(left)
                     :
                     : "cc", "memory");
    return (uint32_t)sum;
}

static uint64_t scan(const uint8_t *a, const uint8_t *table) /* of 200 bytes */
{
    register const uint8_t *found __asm__("1") = a + 200;
    register uint64_t function __asm__("2") = 0;

    __asm__ volatile("trt 0(200,%2),0(%3)"
                     : "+d"(found), "+d"(function)
                     : "a"(a), "a"(table)
                     : "cc", "memory");
    return (uint64_t)(found - a) * 256 + (function & 255);
}
#else
static void move_any(uint8_t *a, const uint8_t *b, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++)
        a[i] = b[i];
}

static unsigned compare_any(const uint8_t *a, const uint8_t *b, uint64_t len)
{
    int order = memcmp(a, b, len);

    return order == 0 ? 0 : order < 0 ? 1 : 2;
}

static void mix(uint8_t *a, const uint8_t *b, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++)
        a[i] ^= b[i];
}

#define move_16(a, b) move_any(a, b, 16)
#define move_100(a, b) move_any(a, b, 100)
#define move_256(a, b) move_any(a, b, 256)
#define spread_80(a, b) move_any((a) + 1, a, 80)
#define clear_24(a, b) mix(a, a, 24)
#define clear_200(a, b) mix(a, a, 200)
#define mix_64(a, b) mix(a, b, 64)
#define compare_80(a, b) compare_any(a, b, 80)
#define move_long(a, b, len) move_any(a, b, len)

static void translate_128(uint8_t *a, const uint8_t *table)
{
    for (int i = 0; i < 128; i++)
        a[i] = table[a[i]];
}

static uint32_t checksum(const uint8_t *a, uint64_t len)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < len; i += 4) {
        sum += (uint32_t)a[i] << 24 | (uint32_t)a[i + 1] << 16 | (uint32_t)a[i + 2] << 8 |
               a[i + 3];
        sum = (sum & 0xFFFFFFFFu) + (sum >> 32);
    }
    return (uint32_t)sum;
}

static uint64_t scan(const uint8_t *a, const uint8_t *table)
{
    for (uint64_t i = 0; i < 200; i++)
        if (table[a[i]] != 0)
            return i * 256 + table[a[i]];
    return 200 * 256;
}
#endif

static uint8_t *text(unsigned seed)
{
    enum { BYTES = 16384 };
    uint8_t *p = malloc(BYTES);

    for (unsigned i = 0; i < BYTES; i++)
        p[i] = (uint8_t)(i * 11 + (i >> 7) + seed);
    return p;
}

static uint64_t digest(uint8_t *a, uint8_t *b)
{
    uint64_t sum = 0;

    for (int i = 0; i < 16384; i += 13)
        sum = sum * 31 + a[i] + (uint64_t)b[i] * 3;
    free(a);
    free(b);
    return sum;
}

static uint64_t bench_move(unsigned scale)
{
    uint8_t *a = text(1), *b = text(2);

    for (unsigned i = 0; i < 30000 * scale; i++) {
        unsigned at = i * 37 % 15000;

        move_16(a + at, b + i % 91);
        move_100(b + at, a + i % 97);
        move_256(a + i % 8000, b + 8000 + i % 89);
        spread_80(b + i % 7000, b);
        move_any(a + at, b + i % 83, 1 + i % 256);
    }
    return digest(a, b);
}

static uint64_t bench_compare(unsigned scale)
{
    uint8_t *a = text(3), *b = text(3);
    uint64_t sum = 0;

    for (unsigned i = 0; i < 30000 * scale; i++) {
        unsigned at = i * 29 % 15000;

        b[at + i % 80] ^= (uint8_t)(i & 64);
        sum = sum * 5 + compare_80(a + at, b + at);
        sum = sum * 5 + compare_80(a + at + 80, b + at + 80);
        sum = sum * 5 + compare_any(a + at / 2, b + at / 2, 1 + i % 256);
        b[at + i % 80] = a[at + i % 80];
    }
    return sum + digest(a, b);
}

static uint64_t bench_clear(unsigned scale)
{
    uint8_t *a = text(4), *b = text(5);

    for (unsigned i = 0; i < 40000 * scale; i++) {
        clear_24(a + i * 41 % 15000, a);
        clear_200(b + i * 43 % 8000, b);
        mix_64(b + i % 12000, a + i % 79);
        a[i % 16000] = (uint8_t)i;
    }
    return digest(a, b);
}

static uint64_t bench_translate(unsigned scale)
{
    uint8_t *a = text(6), *b = text(7), table[256], stop[256] = {0};
    uint64_t sum = 0;

    for (unsigned i = 0; i < 256; i++)
        table[i] = (uint8_t)(i * 5 + 1);
    stop[77] = 9;
    for (unsigned i = 0; i < 10000 * scale; i++) {
        translate_128(a + i * 17 % 16000, table);
        sum = sum * 3 + scan(b + i % 16000, stop);
    }
    return sum + digest(a, b);
}

static uint64_t bench_longmove(unsigned scale)
{
    uint8_t *a = text(8), *b = text(9);
    uint64_t sum = 0;

    for (unsigned i = 0; i < 5000 * scale; i++) {
        move_long(a + i % 4000, b + i % 3000, 6000);
        sum = sum * 3 + checksum(a + i % 5000, 4000);
        b[i % 16000]++;
    }
    return sum + digest(a, b);
}

/* --- kernel --- */

static uint64_t bench_syscall(unsigned scale)
{
    uint64_t sum = 0;
    long parent = syscall(SYS_getppid);

    for (unsigned i = 0; i < 20000 * scale; i++)
        sum += (uint64_t)(syscall(SYS_getppid) - parent) + 3;
    return sum;
}

static uint64_t bench_fork(unsigned scale)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < 150 * scale; i++) {
        int status;
        pid_t pid = fork();

        if (pid == 0)
            _exit((int)(i % 100));
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            exit(1);
        sum = sum * 7 + (uint64_t)WEXITSTATUS(status);
    }
    return sum;
}

static uint64_t bench_pipe(unsigned scale)
{
    int there[2], back[2];
    uint64_t value = 1;
    pid_t pid;

    if (pipe(there) != 0 || pipe(back) != 0 || (pid = fork()) < 0)
        exit(1);
    if (pid == 0) {
        close(there[1]);
        while (read(there[0], &value, sizeof value) == sizeof value) {
            value = value * 25214903917ull + 11;
            if (write(back[1], &value, sizeof value) != sizeof value)
                _exit(1);
        }
        _exit(0);
    }
    for (unsigned i = 0; i < 1000 * scale; i++)
        if (write(there[1], &value, sizeof value) != sizeof value ||
            read(back[0], &value, sizeof value) != sizeof value)
            exit(1);
    close(there[1]);
    waitpid(pid, NULL, 0);
    return value;
}

/* --- floating point --- */

static double matrix_sum(unsigned seed)
{
    enum { N = 48 };
    static double a[N][N], b[N][N], c[N][N];
    double sum = 0;

    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (i * 31 + j + (int)seed) % 17 * 0.5;
            b[i][j] = (i + j * 13) % 19 * 0.25;
        }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double s = 0;

            for (int k = 0; k < N; k++)
                s += a[i][k] * b[k][j];
            c[i][j] = s;
        }
    for (int i = 0; i < N; i++)
        sum += c[i][(i * 7) % N];
    return sum;
}

/* Two bodies around a heavy one, by plain Euler steps; no square root but Newton's own. */
static double orbit_sum(unsigned steps)
{
    double x = 1, y = 0, vx = 0, vy = 1, dt = 0.001;

    for (unsigned i = 0; i < steps; i++) {
        double r2 = x * x + y * y, r = r2;

        for (int k = 0; k < 6; k++)
            r = 0.5 * (r + r2 / r);
        vx -= x / (r2 * r) * dt;
        vy -= y / (r2 * r) * dt;
        x += vx * dt;
        y += vy * dt;
    }
    return x * 1000 + y;
}

static uint64_t bench_float(unsigned scale)
{
    uint64_t sum = 0;

    for (unsigned round = 0; round < 10 * scale; round++) {
        double d = matrix_sum(round) + orbit_sum(4000);
        uint64_t bits;

        memcpy(&bits, &d, sizeof bits);
        sum = sum * 3 + bits;
    }
    return sum;
}

/* --- the list --- */

static const struct bench {
    const char *name;
    uint64_t (*run)(unsigned scale);
} benches[] = {
    {"intloop", bench_intloop},     {"sort", bench_sort},
    {"hash", bench_hash},           {"recursion", bench_recursion},
    {"memcpy", bench_memcpy},       {"syscall", bench_syscall},
    {"pagefault", bench_pagefault}, {"fork", bench_fork},
    {"pipe", bench_pipe},           {"float", bench_float},
    {"move", bench_move},           {"compare", bench_compare},
    {"clear", bench_clear},         {"translate", bench_translate},
    {"longmove", bench_longmove},
};

static void run(const struct bench *bench, unsigned scale)
{
    struct timespec from, to;
    uint64_t sum;

    fflush(stdout);
    clock_gettime(CLOCK_MONOTONIC, &from);
    sum = bench->run(scale);
    clock_gettime(CLOCK_MONOTONIC, &to);
    sink = sum;
    printf("BENCH %s %.3f %016llx\n", bench->name,
           (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9,
           (unsigned long long)sum);
}

int main(int argc, char **argv)
{
    unsigned scale = 10;
    int opt, failed = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    while ((opt = getopt(argc, argv, "s:")) != -1) {
        if (opt != 's' || (scale = (unsigned)strtoul(optarg, NULL, 10)) == 0) {
            fputs("usage: gbench [-s SCALE] [NAME...]\n", stderr);
            return 2;
        }
    }
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++) {
        int wanted = optind == argc;

        for (int a = optind; a < argc; a++)
            wanted |= strcmp(argv[a], benches[i].name) == 0;
        if (wanted)
            run(&benches[i], scale);
    }
    for (int a = optind; a < argc; a++) {
        int known = 0;

        for (size_t i = 0; i < sizeof benches / sizeof *benches; i++)
            known |= strcmp(argv[a], benches[i].name) == 0;
        if (!known) {
            fprintf(stderr, "gbench: no benchmark '%s'\n", argv[a]);
            failed = 2;
        }
    }
    return failed;
}
