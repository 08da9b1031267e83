/* lgr_guest: work of a guest that is relocated, and the longest time in which it did none, for tests/bench/lgr.
 * idle USECS: sleeps for so long, again and again; write MIB: stores into every page, round and round; sort MIB: fills an
 * array and sorts it, round and round. Each looks at the TOD clock all the while and keeps the largest gap in storage;
 * nothing is printed but the answer to a line on standard input, "GAP MICROSECONDS WORK" and
 * the latest gaps that are not small, each as begin and length in microseconds of the TOD clock; then all begins anew. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum {
    PAGE_BYTES = 4096,
    LOOK_STEPS = 1024,
    LOOK_BYTES = 65536,
    TAIL_US = 10000,
    STACK = 64,
    LATEST = 40,
    SMALL_US = 500
};

struct shared {
    volatile uint64_t gap, work; /* TOD units: 1/4096 microsecond */
    volatile unsigned turn;      /* counts what was asked */
    volatile unsigned gaps;      /* that were not small; of the latest: */
    volatile uint64_t began[LATEST], lasted[LATEST];
};

static struct shared *shared;
static uint64_t last;
static unsigned turn;

static uint64_t tod(void)
{
    uint64_t t;
    __asm__ volatile("stckf %0" : "=Q"(t) : : "cc");
    return t;
}

/* Now, and `less` of the time since the last look was meant to be spent. */
static void look(uint64_t less)
{
    uint64_t now = tod(), gap = now - last;

    last = now;
    if (turn != shared->turn) {
        turn = shared->turn;
        shared->gap = shared->gaps = 0;
    } else if (gap > less) {
        gap -= less;
        if (gap > shared->gap)
            shared->gap = gap;
        if (gap >= SMALL_US << 12) {
            shared->began[shared->gaps % LATEST] = now - gap;
            shared->lasted[shared->gaps++ % LATEST] = gap;
        }
    }
    shared->work++;
}

static void idle(unsigned micros)
{
    const struct timespec nap = {0, micros * 1000L};

    for (;;) {
        nanosleep(&nap, NULL);
        look((uint64_t)micros << 12);
    }
}

static void *storage(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        exit(1);
    memset(p, 1, bytes);
    return p;
}

static void write_pages(size_t bytes)
{
    char *p = storage(bytes);

    for (uint64_t round = 1;; round++)
        for (size_t at = 0; at < bytes; at += PAGE_BYTES) {
            *(volatile uint64_t *)(p + at + (round & 511) * 8) = round;
            if (at % LOOK_BYTES == 0)
                look(0);
        }
}

/* Quicksort by hand, so that it looks at the clock on its way. */
static void sort(uint32_t *a, size_t n)
{
    size_t lows[STACK], highs[STACK], top = 0, steps = 0, lo, hi, i, j;

    lows[top] = 0;
    highs[top++] = n - 1;
    while (top) {
        lo = lows[--top];
        hi = highs[top];
        while (lo < hi) {
            uint32_t pivot = a[lo + (hi - lo) / 2];

            for (i = lo, j = hi;; i++, j--) {
                for (; a[i] < pivot; i++)
                    if (++steps % LOOK_STEPS == 0)
                        look(0);
                while (a[j] > pivot)
                    j--;
                if (i >= j)
                    break;
                uint32_t t = a[i];
                a[i] = a[j];
                a[j] = t;
            }
            if (j - lo < hi - j) { /* the longer part waits */
                lows[top] = j + 1;
                highs[top++] = hi;
                hi = j;
            } else {
                lows[top] = lo;
                highs[top++] = j;
                lo = j + 1;
            }
        }
    }
}

static void sort_for_ever(size_t bytes)
{
    uint32_t *a = storage(bytes), x = 1;
    size_t n = bytes / sizeof *a;

    for (;;) {
        for (size_t i = 0; i < n; i++) {
            x = x * 1664525u + 1013904223u;
            a[i] = x;
            if (i % LOOK_STEPS == 0)
                look(0);
        }
        sort(a, n);
    }
}

static void work(const char *what, unsigned long n)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    last = tod();
    if (!strcmp(what, "idle"))
        idle((unsigned)n);
    else if (!strcmp(what, "write"))
        write_pages(n << 20);
    else
        sort_for_ever(n << 20);
}

int main(int argc, char **argv)
{
    char line[80];

    if (argc != 3)
        return 1;
    shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    if (fork() == 0)
        work(argv[1], strtoul(argv[2], NULL, 10));
    while (!shared->work) /* its storage is there */
        usleep(TAIL_US);
    printf("WORK-BEGINS\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) && line[0] != 'q') {
        printf("GAP %llu %llu", (unsigned long long)shared->gap >> 12,
               (unsigned long long)shared->work);
        for (unsigned i = 0; i < LATEST && i < shared->gaps; i++)
            printf(" %llu %llu", (unsigned long long)shared->began[i] >> 12,
                   (unsigned long long)shared->lasted[i] >> 12);
        printf("\n");
        fflush(stdout);
        usleep(TAIL_US); /* the console's work is over then */
        shared->turn++;
    }
    return 0;
}
