/* memspin: rewrites memory in a loop, checks what it wrote before, prints a heartbeat.
 * It shows that a guest's memory is intact and how long it stood still while it was relocated. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, PAGE_WORDS = PAGE_BYTES / 8, HEARTBEAT_MS = 100 };

struct spin {
    uint64_t *memory;
    size_t pages;
    uint64_t pass;
    uint64_t verified;
    uint64_t bad;
    uint64_t heartbeats;
    int64_t start_ms;
    int64_t last_ms;
    int64_t gap_max_ms;
    int64_t stop_ms; /* 0: only a line on standard input stops it */
    int stdin_open;
};

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* What a word of a page holds after a pass: all differ, so that no page passes for another. */
static uint64_t pattern(uint64_t pass, size_t page, size_t word)
{
    uint64_t x = pass * 0x9E3779B97F4A7C15u ^ (uint64_t)page * 0xC2B2AE3D27D4EB4Fu;

    x ^= x >> 29;
    return x + word * 0x165667B19E3779F9u;
}

static int page_holds(const struct spin *s, size_t page, uint64_t pass)
{
    const uint64_t *p = s->memory + page * PAGE_WORDS;
    uint64_t base = pattern(pass, page, 0), differs = 0;

    for (size_t i = 0; i < PAGE_WORDS; i++)
        differs |= p[i] ^ (base + i * 0x165667B19E3779F9u);
    return differs == 0;
}

static void page_write(struct spin *s, size_t page, uint64_t pass)
{
    uint64_t *p = s->memory + page * PAGE_WORDS;
    uint64_t base = pattern(pass, page, 0);

    for (size_t i = 0; i < PAGE_WORDS; i++)
        p[i] = base + i * 0x165667B19E3779F9u;
}

/* Before the first pass memory is zero. */
static int page_is_zero(const struct spin *s, size_t page)
{
    static const uint64_t zero[PAGE_WORDS];

    return memcmp(s->memory + page * PAGE_WORDS, zero, PAGE_BYTES) == 0;
}

static void page_step(struct spin *s, size_t page)
{
    int good = s->pass == 0 ? page_is_zero(s, page) : page_holds(s, page, s->pass);

    if (good) {
        s->verified++;
    } else {
        s->bad++;
        printf("BAD page=%zu pass=%llu\n", page, (unsigned long long)s->pass);
    }
    page_write(s, page, s->pass + 1);
}

/* A line (or the end) of standard input asks it to stop; an input that cannot be read does not. */
static int asked_to_stop(struct spin *s)
{
    struct pollfd pfd = {.fd = STDIN_FILENO, .events = POLLIN};
    char line[256];

    if (!s->stdin_open || poll(&pfd, 1, 0) <= 0 || !(pfd.revents & (POLLIN | POLLHUP)))
        return 0;
    if (read(STDIN_FILENO, line, sizeof line) > 0)
        return 1;
    s->stdin_open = 0;
    return 0;
}

/* Returns 1 when it is time to stop. */
static int heartbeat(struct spin *s)
{
    int64_t now = now_ms(), gap = now - s->last_ms;

    if (gap < HEARTBEAT_MS)
        return 0;
    if (gap > s->gap_max_ms)
        s->gap_max_ms = gap;
    s->last_ms = now;
    s->heartbeats++;
    printf("HB n=%llu t=%lld gap=%lld maxgap=%lld ok=%llu bad=%llu\n",
           (unsigned long long)s->heartbeats, (long long)(now - s->start_ms), (long long)gap,
           (long long)s->gap_max_ms, (unsigned long long)s->verified,
           (unsigned long long)s->bad);
    return asked_to_stop(s) || (s->stop_ms != 0 && now >= s->stop_ms);
}

static void spin(struct spin *s)
{
    for (;; s->pass++) {
        for (size_t page = 0; page < s->pages; page++) {
            page_step(s, page);
            if (heartbeat(s)) {
                s->pass++;
                return;
            }
        }
    }
}

static int usage(void)
{
    fputs("usage: memspin [-m MEGABYTES] [-n SECONDS]   (a line on stdin stops it)\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    struct spin s = {.stdin_open = 1};
    size_t megabytes = 64;
    long seconds = 0;
    int opt;

    while ((opt = getopt(argc, argv, "m:n:")) != -1) {
        if (opt == 'm')
            megabytes = strtoul(optarg, NULL, 10);
        else if (opt == 'n')
            seconds = strtol(optarg, NULL, 10);
        else
            return usage();
    }
    if (megabytes == 0 || optind != argc)
        return usage();
    setvbuf(stdout, NULL, _IOLBF, 0);
    s.pages = megabytes * (1u << 20) / PAGE_BYTES;
    s.memory = mmap(NULL, s.pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s.memory == MAP_FAILED) {
        fprintf(stderr, "memspin: %zu MB: %s\n", megabytes, strerror(errno));
        return 1;
    }
    s.start_ms = s.last_ms = now_ms();
    s.stop_ms = seconds > 0 ? s.start_ms + seconds * 1000 : 0;
    printf("MEMSPIN START mb=%zu pages=%zu pid=%d\n", megabytes, s.pages, (int)getpid());
    spin(&s);
    printf("MEMSPIN DONE ok=%llu bad=%llu passes=%llu heartbeats=%llu maxgap=%lld\n",
           (unsigned long long)s.verified, (unsigned long long)s.bad,
           (unsigned long long)s.pass, (unsigned long long)s.heartbeats,
           (long long)s.gap_max_ms);
    return s.bad != 0;
}
