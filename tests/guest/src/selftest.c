/* selftest: exercises libc and the machine below it; what it prints is the same on any host.
 * The oracle test compares a guest with the same program built for this host. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

/* The compiler must not do at build time what the machine is to do. */
#define OPAQUE(type, value) (*(volatile type *)&(type){value})

static uint64_t fnv(uint64_t h, const void *data, size_t bytes)
{
    const unsigned char *p = data;

    while (bytes--)
        h = (h ^ *p++) * 0x100000001B3ull;
    return h;
}

/* --- integers --- */

static void test_integers(void)
{
    static const int64_t values[] = {0,         1,         -1,        2,           7,
                                     -7,        100,       INT32_MAX, INT32_MIN,   UINT32_MAX,
                                     INT64_MAX, INT64_MIN, 1ll << 40, -(3ll << 33)};
    enum { COUNT = sizeof values / sizeof *values };

    for (int i = 0; i < COUNT; i++) {
        int64_t a = OPAQUE(int64_t, values[i]);

        for (int j = 0; j < COUNT; j++) {
            int64_t b = OPAQUE(int64_t, values[j]);
            uint64_t u = (uint64_t)a, v = (uint64_t)b;
            unsigned __int128 wide = (unsigned __int128)u * v;
            int64_t sum, product;
            int over = __builtin_add_overflow(a, b, &sum);
            uint64_t h = 0xcbf29ce484222325ull;
            uint64_t q = v ? u / v : 0, r = v ? u % v : 0;
            int64_t sq = b && !(a == INT64_MIN && b == -1) ? a / b : 0;
            uint64_t row[8];

            over |= __builtin_mul_overflow(a, b, &product) << 1;
            row[0] = (uint64_t)wide;
            row[1] = (uint64_t)(wide >> 64);
            row[2] = q ^ r << 1;
            row[3] = (uint64_t)sq;
            row[4] = u << (v & 63) | u >> (-v & 63);
            row[5] = (uint64_t)(a >> (v & 63));
            row[6] = (uint64_t)sum ^ (uint64_t)product;
            row[7] = (uint64_t)over << 8 | (uint64_t)(a < b) << 1 | (uint64_t)(u < v);
            for (int k = 0; k < 8; k++)
                h = (h ^ row[k]) * 0x100000001B3ull;
            printf("int %d %d %016" PRIx64 "\n", i, j, h);
        }
        printf("bits %d clz=%d ctz=%d pop=%d swap=%016" PRIx64 "\n", i,
               a ? __builtin_clzll((uint64_t)a) : 64, a ? __builtin_ctzll((uint64_t)a) : 64,
               __builtin_popcountll((uint64_t)a), __builtin_bswap64((uint64_t)a));
    }
}

static void test_wide(void)
{
    unsigned __int128 x = 1, y;

    for (int i = 1; i <= 30; i++) {
        x = x * (unsigned)i * 1000003u + (unsigned)i;
        y = x / (((unsigned __int128)i << 62) + 12345);
        printf("wide %d %016" PRIx64 "%016" PRIx64 " %016" PRIx64 "\n", i, (uint64_t)(x >> 64),
               (uint64_t)x, (uint64_t)y);
    }
}

/* --- floating point --- */

static const double doubles[] = {
    0.0, -0.0, 1.0, -1.5, 0.1,           1e300, -1e-300, 4.9e-324, 1e16,        3.5,
    2.5, -2.5, 1e9, 0.3,  123456789.125, 1e-10, 1e308,   1.0 / 3,  2147483648., -4e18};
enum { DOUBLES = sizeof doubles / sizeof *doubles };

static void print_double(const char *what, double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof bits);
    if (isnan(d))
        printf(" %s=nan", what);
    else
        printf(" %s=%016" PRIx64, what, bits);
}

static void test_double_pairs(void)
{
    for (int i = 0; i < DOUBLES; i++) {
        for (int j = 0; j < DOUBLES; j += 3) {
            double a = OPAQUE(double, doubles[i]), b = OPAQUE(double, doubles[j]);

            printf("fp %d %d", i, j);
            print_double("add", a + b);
            print_double("sub", a - b);
            print_double("mul", a * b);
            print_double("div", a / b);
            print_double("fma", fma(a, b, 1.25));
            print_double("fmod", fmod(a, b));
            printf(" cmp=%d%d%d\n", a<b, a == b, a> b);
        }
    }
}

static void test_double_single(void)
{
    for (int i = 0; i < DOUBLES; i++) {
        double a = OPAQUE(double, doubles[i]);
        float f = (float)a;
        uint32_t bits;

        memcpy(&bits, &f, sizeof bits);
        printf("fp1 %d", i);
        print_double("sqrt", sqrt(a));
        print_double("rint", rint(a));
        print_double("floor", floor(a));
        print_double("ceil", ceil(a));
        print_double("trunc", trunc(a));
        print_double("round", round(a));
        printf(" float=%08" PRIx32, bits);
        if (fabs(a) < 9e18)
            printf(" long=%" PRId64, (int64_t)a);
        if (fabs(a) < 2e9)
            printf(" int=%d", (int)a);
        printf(" class=%d%d%d\n", isnormal(a) != 0, isfinite(a) != 0, signbit(a) != 0);
        printf("fmt %d [%g] [%.17g] [%a] [%12.4f] [%-14.3e] [%+.0f]\n", i, a, a, a,
               fabs(a) < 1e20 ? a : 1.0, a, fabs(a) < 1e20 ? a : 2.0);
    }
}

static void test_strtod(void)
{
    static const char *const texts[] = {"3.14159265358979",
                                        "1e-320",
                                        "0x1.8p3",
                                        "-1e400",
                                        "2.2250738585072011e-308",
                                        "inf",
                                        "9007199254740993",
                                        "0.1e1junk",
                                        "  +12.5",
                                        "1e23",
                                        "-.5e-5"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *end;
        double d;
        long n;

        errno = 0;
        d = strtod(texts[i], &end);
        printf("strtod %zu rest=[%s] range=%d", i, end, errno == ERANGE);
        print_double("value", d);
        errno = 0;
        n = strtol(texts[i], &end, 0);
        printf(" strtol=%ld rest=[%s]\n", n, end);
    }
}

static void test_math_library(void)
{
    for (int i = 1; i <= 12; i++) {
        double x = OPAQUE(double, i * 0.37);

        printf("libm %d %.10f %.10f %.10f %.10f %.10f %.10f\n", i, sin(x), cos(x), exp(x),
               log(x), pow(x, 1.7), atan2(x, 2));
    }
}

/* --- strings, memory, sorting --- */

static void test_strings(void)
{
    static char a[5000], b[5000];
    uint64_t h = 0xcbf29ce484222325ull;

    for (int len = 0; len < 600; len += 7) {
        for (int i = 0; i < len; i++)
            a[i] = (char)('a' + (i * 7 + len) % 26);
        a[len] = 0;
        memset(b, '#', sizeof b);
        memcpy(b + len % 9, a, (size_t)len + 1);
        h = fnv(h, b, 700);
        memmove(b + 3, b, 600);
        h = fnv(h, b, 700);
        h = (h ^ strlen(a)) * 31 + (uint64_t)(strchr(a, 'q') ? strchr(a, 'q') - a : -1);
        h = h * 31 + (uint64_t)(strcmp(a, b) < 0) + (uint64_t)(memcmp(a, b + 3, 50) > 0);
        h = h * 31 + (uint64_t)(strstr(a, "hov") ? strstr(a, "hov") - a : -1);
        h = h * 31 + strspn(a, "abcdefghijklm") + strcspn(a, "xyz");
        printf("str %d %016" PRIx64 "\n", len, h);
    }
    snprintf(a, sizeof a, "%-8s|%08.3f|%+d|%#x|%o|%c|%s|%5.2s|%*d", "left", 3.14159, 42, 48879u,
             511u, 'Z', "text", "abcdef", 9, -17);
    printf("printf %s\n", a);
    strcpy(b, "one,two;three four");
    for (char *save, *token = strtok_r(b, ",; ", &save); token;
         token = strtok_r(NULL, ",; ", &save))
        printf("token %s\n", token);
}

static int compare_int(const void *l, const void *r)
{
    int a = *(const int *)l, b = *(const int *)r;

    return (a > b) - (a < b);
}

static void test_sort(void)
{
    enum { COUNT = 5000 };
    int *v = malloc(COUNT * sizeof *v);
    uint32_t x = 12345;

    for (int i = 0; i < COUNT; i++) {
        x = x * 1103515245u + 12345u;
        v[i] = (int)(x >> 4) - (1 << 26);
    }
    qsort(v, COUNT, sizeof *v, compare_int);
    for (int i = 0; i < COUNT; i += 500)
        printf("sorted %d %d\n", i, v[i]);
    for (int i = 1; i < COUNT; i++)
        if (v[i - 1] > v[i])
            printf("sort is wrong at %d\n", i);
    printf("found %d\n", bsearch(&v[1234], v, COUNT, sizeof *v, compare_int) != NULL);
    free(v);
}

static void test_allocation(void)
{
    enum { SLOTS = 64 };
    unsigned char *slot[SLOTS] = {0};
    size_t size[SLOTS] = {0};
    uint32_t x = 99;
    unsigned bad = 0;

    for (int i = 0; i < 4000; i++) {
        unsigned s = (x = x * 1664525u + 1013904223u) >> 26;
        size_t n = 1 + (x >> 8) % (i % 50 == 0 ? 300000 : 3000);

        for (size_t k = 0; k < size[s]; k += 101)
            bad += slot[s][k] != (unsigned char)(s + size[s]);
        slot[s] = realloc(slot[s], n);
        size[s] = n;
        memset(slot[s], (int)(s + n), n);
    }
    for (int s = 0; s < SLOTS; s++)
        free(slot[s]);
    printf("alloc bad=%u\n", bad);
}

/* --- control flow: setjmp, signals, faults --- */

static sigjmp_buf jump;
static volatile sig_atomic_t signals_seen;

static void test_setjmp(void)
{
    static jmp_buf env;
    volatile int count = 0;
    volatile double kept = 1.5;

    if (setjmp(env) < 5) {
        count++;
        kept *= 2;
        longjmp(env, count);
    }
    printf("setjmp count=%d kept=%g\n", count, kept);
}

static void count_signal(int number)
{
    signals_seen += number;
}

static void leave_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    siglongjmp(jump, number * 1000 + info->si_code);
}

static void test_signals(void)
{
    struct sigaction action = {.sa_handler = count_signal};
    sigset_t set, old;
    struct itimerval timer = {.it_value = {.tv_usec = 2000}};

    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    for (int i = 0; i < 10; i++)
        raise(SIGUSR1);
    printf("signals usr1=%d\n", signals_seen == 10 * SIGUSR1);
    signals_seen = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, &old);
    setitimer(ITIMER_REAL, &timer, NULL);
    while (!signals_seen)
        sigsuspend(&old);
    sigprocmask(SIG_SETMASK, &old, NULL);
    printf("signals alarm=%d\n", signals_seen == SIGALRM);
}

static void catch_fault(const char *what, int number, void (*provoke)(void *), void *argument)
{
    struct sigaction action = {.sa_sigaction = leave_fault, .sa_flags = SA_SIGINFO}, before;
    int code;

    sigaction(number, &action, &before);
    if ((code = sigsetjmp(jump, 1)) == 0) {
        provoke(argument);
        printf("fault %s: none\n", what);
    } else {
        printf("fault %s: signal=%d code=%d\n", what, code / 1000 == number, code % 1000);
    }
    sigaction(number, &before, NULL);
}

static void provoke_store(void *p)
{
    *(volatile int *)p = 1;
}

static void provoke_fetch(void *p)
{
    int x = *(volatile int *)p;

    (void)x;
}

/* A store that crosses into the protected page must leave the first page as it was. */
static void provoke_crossing(void *p)
{
    memset(p, 0x77, OPAQUE(size_t, 200));
}

static void test_faults(void)
{
    unsigned char *p =
        mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(p, 0x11, 3 * 4096);
    mprotect(p + 4096, 4096, PROT_READ);
    munmap(p + 8192, 4096);
    catch_fault("store to read-only", SIGSEGV, provoke_store, p + 4096);
    catch_fault("fetch of read-only", SIGSEGV, provoke_fetch, p + 4096);
    catch_fault("fetch of unmapped", SIGSEGV, provoke_fetch, p + 8192);
    catch_fault("store to unmapped", SIGSEGV, provoke_store, p + 8192);
    catch_fault("crossing store", SIGSEGV, provoke_crossing, p + 4096 - 100);
    printf("protected page untouched=%d\n", p[4096] == 0x11 && p[4095 + 100] == 0x11);
    munmap(p, 2 * 4096);
}

/* --- processes, pipes, threads --- */

static void test_pipes(void)
{
    int fd[2], status;
    char text[64] = "";
    pid_t pid;

    fflush(stdout);
    if (pipe(fd) != 0 || (pid = fork()) < 0) {
        printf("pipe or fork failed\n");
        return;
    }
    if (pid == 0) {
        close(fd[0]);
        for (int i = 0; i < 10; i++)
            if (dprintf(fd[1], "%d,", i * i) < 0)
                _exit(1);
        _exit(42);
    }
    close(fd[1]);
    for (size_t n = 0; n < sizeof text - 1;) {
        ssize_t got = read(fd[0], text + n, sizeof text - 1 - n);

        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fd[0]);
    waitpid(pid, &status, 0);
    printf("child said %s status=%d\n", text, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void test_copy_on_write(void)
{
    enum { BYTES = 1 << 20 };
    unsigned char *p = malloc(BYTES);
    uint64_t h;
    int status;
    pid_t pid;

    memset(p, 3, BYTES);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        memset(p, 9, BYTES);
        _exit(p[BYTES / 2] == 9 ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    h = fnv(0, p, BYTES);
    printf("copy on write child=%d parent=%016" PRIx64 "\n", WEXITSTATUS(status), h);
    free(p);
}

enum { THREADS = 4, ROUNDS = 20000 };

struct shared {
    atomic_uint_fast64_t added;
    atomic_uint_fast32_t swapped;
    atomic_uint_fast16_t small;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t guarded;
    int turn;
};

static void *thread_body(void *argument)
{
    struct shared *s = argument;

    for (int i = 0; i < ROUNDS; i++) {
        uint_fast32_t seen = atomic_load(&s->swapped);

        atomic_fetch_add(&s->added, (uint64_t)i);
        while (!atomic_compare_exchange_weak(&s->swapped, &seen, seen * 3 + 1))
            ;
        atomic_fetch_xor(&s->small, 0x8001);
        pthread_mutex_lock(&s->lock);
        s->guarded += 7;
        pthread_mutex_unlock(&s->lock);
    }
    return (void *)(uintptr_t)0x1234;
}

static void *thread_pong(void *argument)
{
    struct shared *s = argument;

    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < 50; i++) {
        while (s->turn != 1)
            pthread_cond_wait(&s->changed, &s->lock);
        s->turn = 0;
        pthread_cond_signal(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void test_threads(void)
{
    static struct shared s = {.lock = PTHREAD_MUTEX_INITIALIZER,
                              .changed = PTHREAD_COND_INITIALIZER};
    pthread_t thread[THREADS];
    uint_fast32_t expected = 0;
    int wrong = 0;

    for (int i = 0; i < THREADS; i++)
        wrong += pthread_create(&thread[i], NULL, thread_body, &s) != 0;
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;

        pthread_join(thread[i], &result);
        wrong += result != (void *)(uintptr_t)0x1234;
    }
    for (int i = 0; i < THREADS * ROUNDS; i++)
        expected = expected * 3 + 1;
    printf("threads wrong=%d added=%" PRIu64 " swapped=%d small=%04x guarded=%" PRIu64 "\n",
           wrong, (uint64_t)atomic_load(&s.added), atomic_load(&s.swapped) == expected,
           (unsigned)atomic_load(&s.small), s.guarded);
    wrong = pthread_create(&thread[0], NULL, thread_pong, &s);
    pthread_mutex_lock(&s.lock);
    for (int i = 0; i < 50; i++) {
        s.turn = 1;
        pthread_cond_signal(&s.changed);
        while (s.turn != 0)
            pthread_cond_wait(&s.changed, &s.lock);
    }
    pthread_mutex_unlock(&s.lock);
    pthread_join(thread[0], NULL);
    printf("ping-pong wrong=%d turn=%d\n", wrong, s.turn);
}

/* --- time and files --- */

static void test_time(void)
{
    struct timespec a, b, nap = {.tv_nsec = 3000000};
    struct tm tm;
    time_t t = 951782400 + 86399;
    char text[64];
    int back = 0;

    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 0; i < 2000; i++) {
        clock_gettime(CLOCK_MONOTONIC, &b);
        back += b.tv_sec < a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec < a.tv_nsec);
        a = b;
    }
    nanosleep(&nap, NULL);
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("clock backwards=%d slept=%d\n", back,
           (b.tv_sec - a.tv_sec) * 1000000000ll + b.tv_nsec - a.tv_nsec >= 3000000);
    gmtime_r(&t, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %j %w", &tm);
    printf("time %s back=%d\n", text, timegm(&tm) == t);
}

static void test_files(void)
{
    FILE *f = tmpfile();
    uint64_t h = 0;
    char line[80];
    int lines = 0;

    if (f == NULL) {
        printf("file none\n");
        return;
    }
    for (int i = 0; i < 3000; i++)
        fprintf(f, "line %d of the file %x\n", i, i * 77);
    rewind(f);
    while (fgets(line, sizeof line, f)) {
        h = fnv(h, line, strlen(line));
        lines++;
    }
    fseek(f, -20, SEEK_END);
    printf("file lines=%d hash=%016" PRIx64 " tail=[%.10s]\n", lines, h,
           fgets(line, 80, f) ? line : "");
    fclose(f);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("SELFTEST START\n");
    test_integers();
    test_wide();
    test_double_pairs();
    test_double_single();
    test_strtod();
    test_math_library();
    test_strings();
    test_sort();
    test_allocation();
    test_setjmp();
    test_signals();
    test_faults();
    test_pipes();
    test_copy_on_write();
    test_threads();
    test_time();
    test_files();
    printf("SELFTEST DONE\n");
    return 0;
}
