/* lgrsoak: what must not notice that its machine is relocated, all at the same time, one
 * thread each: memory that is rewritten and checked, a disk that is written and read back, or
 * files of a file system that are and whose digests are kept, a TCP connection whose answers are
 * waited for, and the clocks. lgrsoak [-m MiB] [-d DEVICE] [-f DIRECTORY] [-n ADDRESS:PORT]
 * [-w MILLISECONDS between two turns of a thread]; a line "SOAK HB n=..." twice a second; a line
 * on standard input ends it with "SOAK DONE". bad= counts everything that was not as it must be;
 * what it was is told. lgrsoak -s PORT answers each connection with what comes. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/fs.h>

enum { PAGE_BYTES = 4096, PAGE_WORDS = PAGE_BYTES / 8, BLOCK_BYTES = 16384, LINE_BYTES = 64 };
enum { BLOCKS_MAX = 256, HEARTBEAT_MS = 500, BAD_TOLD_MAX = 20 };
enum { FILES = 24, FILE_BYTES = 48 * 1024 };

static atomic_ulong memory_passes, disk_blocks, net_lines, clock_looks, bad;
static atomic_int over;
static useconds_t pause_us;

static void turn_ends(void)
{
    if (pause_us && !over)
        usleep(pause_us);
}

static void tell_bad(const char *what, uint64_t is, uint64_t wanted)
{
    if (atomic_fetch_add(&bad, 1) < BAD_TOLD_MAX)
        printf("SOAK BAD %s: %016llx, not %016llx\n", what, (unsigned long long)is,
               (unsigned long long)wanted);
}

/* Differs for every word of every page or block, and with what it was written by. */
static uint64_t pattern(uint64_t pass, uint64_t place)
{
    uint64_t x = pass * 0x9E3779B97F4A7C15u ^ place * 0xC2B2AE3D27D4EB4Fu;

    return x ^ x >> 29;
}

static void fill(uint64_t *words, size_t n, uint64_t pass, uint64_t place)
{
    for (size_t i = 0; i < n; i++)
        words[i] = pattern(pass, place + i);
}

static void check(const char *what, const uint64_t *words, size_t n, uint64_t pass,
                  uint64_t place)
{
    for (size_t i = 0; i < n; i++)
        if (words[i] != pattern(pass, place + i)) {
            tell_bad(what, words[i], pattern(pass, place + i));
            return;
        }
}

static void *memory(void *arg)
{
    size_t pages = *(size_t *)arg * ((1u << 20) / PAGE_BYTES);
    uint64_t *p = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        tell_bad("memory", 0, pages);
        return NULL;
    }
    for (uint64_t pass = 1; !over; pass++) {
        for (size_t page = 0; page < pages && !over; page++) {
            if (pass > 1)
                check("memory", p + page * PAGE_WORDS, PAGE_WORDS, pass - 1, page * PAGE_WORDS);
            fill(p + page * PAGE_WORDS, PAGE_WORDS, pass, page * PAGE_WORDS);
        }
        atomic_fetch_add(&memory_passes, 1);
        turn_ends();
    }
    return NULL;
}

/* Blocks in another order than theirs, written past all caches, read back, and an old one,
 * too. */
static void *disk(void *arg)
{
    static uint64_t pass_of[BLOCKS_MAX];
    uint64_t bytes = 0, *block = NULL;
    int fd = open(arg, O_RDWR | O_DIRECT | O_SYNC);

    if (fd < 0 || ioctl(fd, BLKGETSIZE64, &bytes) ||
        posix_memalign((void **)&block, PAGE_BYTES, BLOCK_BYTES)) {
        tell_bad("disk cannot be opened", bytes, 0);
        return NULL;
    }
    uint64_t blocks = bytes / BLOCK_BYTES < BLOCKS_MAX ? bytes / BLOCK_BYTES : BLOCKS_MAX;
    for (uint64_t n = 1; !over && blocks; n++) {
        uint64_t at = pattern(n, 1) % blocks, old = pattern(n, 2) % blocks;
        fill(block, BLOCK_BYTES / 8, n, at);
        if (pwrite(fd, block, BLOCK_BYTES, (off_t)(at * BLOCK_BYTES)) != BLOCK_BYTES)
            tell_bad("disk write", n, at);
        pass_of[at] = n;
        for (int i = 0; i < 2; i++, at = old) {
            if (!pass_of[at])
                break;
            memset(block, 0, BLOCK_BYTES);
            if (pread(fd, block, BLOCK_BYTES, (off_t)(at * BLOCK_BYTES)) != BLOCK_BYTES)
                tell_bad("disk read", n, at);
            check("disk", block, BLOCK_BYTES / 8, pass_of[at], at);
        }
        atomic_fetch_add(&disk_blocks, 1);
        turn_ends();
    }
    close(fd);
    return NULL;
}

static uint64_t digest(const uint64_t *words, size_t bytes)
{
    uint64_t sum = bytes;

    for (size_t i = 0; i < bytes / 8; i++)
        sum = (sum ^ words[i]) * 0x100000001B3u;
    return sum;
}

/* All of the file, written and on the disk; 0: it could not be. */
static int file_written(const char *name, const uint64_t *words, size_t bytes)
{
    int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0644), right;

    right = fd >= 0 && write(fd, words, bytes) == (ssize_t)bytes && !fsync(fd);
    if (fd >= 0)
        close(fd);
    return right;
}

/* Read from the disk, not from what is cached of it. */
static int file_read(const char *name, uint64_t *words, size_t bytes)
{
    int fd = open(name, O_RDONLY), right;

    right = fd >= 0 && !posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) &&
            read(fd, words, bytes) == (ssize_t)bytes;
    if (fd >= 0)
        close(fd);
    return right;
}

/* Files of many sizes under names that come again; each turn one is written, or renamed over
 * another's, and another one is what it was. */
static void *files(void *arg)
{
    static uint64_t words[FILE_BYTES / 8], sum[FILES];
    static size_t bytes[FILES];
    char name[256], fresh[256];

    snprintf(fresh, sizeof fresh, "%s/new", (char *)arg);
    for (uint64_t n = 1; !over; n++) {
        unsigned at = pattern(n, 3) % FILES, old = pattern(n, 4) % FILES;
        size_t size = 8 + pattern(n, 5) % (FILE_BYTES / 8 - 1) * 8;
        snprintf(name, sizeof name, "%s/f%u", (char *)arg, at);
        fill(words, size / 8, n, at);
        if (!file_written(n & 1 ? name : fresh, words, size) ||
            (!(n & 1) && rename(fresh, name)))
            tell_bad("file write", n, at);
        bytes[at] = size;
        sum[at] = digest(words, size);
        snprintf(name, sizeof name, "%s/f%u", (char *)arg, old);
        memset(words, 0, sizeof words);
        if (bytes[old] && !file_read(name, words, bytes[old]))
            tell_bad("file read", n, old);
        if (bytes[old] && digest(words, bytes[old]) != sum[old])
            tell_bad("file", digest(words, bytes[old]), sum[old]);
        atomic_fetch_add(&disk_blocks, 1);
        turn_ends();
    }
    return NULL;
}

/* One connection for all the time; each line comes back as it was. */
static void *net(void *arg)
{
    char *port = strchr(arg, ':'), out[LINE_BYTES + 1], in[LINE_BYTES];
    struct sockaddr_in to = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    *port++ = 0;
    to.sin_port = htons((uint16_t)atoi(port));
    inet_pton(AF_INET, arg, &to.sin_addr);
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) {
        tell_bad("connection", 0, 1);
        return NULL;
    }
    for (uint64_t n = 1; !over; n++) {
        size_t got = 0;
        snprintf(out, sizeof out, "%-20llu%*s\n", (unsigned long long)n, LINE_BYTES - 21, "");
        if (write(fd, out, LINE_BYTES) != LINE_BYTES) {
            tell_bad("connection lost", n, 0);
            break;
        }
        while (got < LINE_BYTES) {
            ssize_t more = read(fd, in + got, LINE_BYTES - got);
            if (more <= 0)
                break;
            got += (size_t)more;
        }
        if (got != LINE_BYTES || memcmp(in, out, LINE_BYTES)) {
            tell_bad("echo", got, n);
            break;
        }
        atomic_fetch_add(&net_lines, 1);
        turn_ends();
    }
    close(fd);
    return NULL;
}

static void *answer(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buf[4096];
    ssize_t got;

    while ((got = read(fd, buf, sizeof buf)) > 0)
        for (ssize_t put = 0, more; put < got; put += more)
            if ((more = write(fd, buf + put, (size_t)(got - put))) <= 0)
                got = 0;
    close(fd);
    return NULL;
}

static int serve(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 8))
        return 1;
    puts("SOAK SERVES");
    fflush(stdout);
    for (;;) {
        pthread_t thread;
        int client = accept(fd, NULL, NULL);
        if (client < 0 || pthread_create(&thread, NULL, answer, (void *)(intptr_t)client))
            return 1;
        pthread_detach(thread);
    }
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *clocks(void *arg)
{
    uint64_t real = 0, mono = 0;

    (void)arg;
    while (!over) {
        uint64_t r = now_ns(CLOCK_REALTIME), m = now_ns(CLOCK_MONOTONIC);
        if (r < real || m < mono)
            tell_bad("a clock stepped back", r < real ? r : m, r < real ? real : mono);
        real = r;
        mono = m;
        atomic_fetch_add(&clock_looks, 1);
        usleep(pause_us ? pause_us : 1000);
    }
    return NULL;
}

static void say(const char *what, unsigned n)
{
    printf("SOAK %s n=%u mem=%lu disk=%lu net=%lu clock=%lu bad=%lu\n", what, n, memory_passes,
           disk_blocks, net_lines, clock_looks, bad);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    pthread_t thread[5];
    size_t megabytes = 8;
    char *device = NULL, *server = NULL, *directory = NULL;
    unsigned started = 0, n = 0;
    struct pollfd in = {0, POLLIN, 0};
    int option;

    while ((option = getopt(argc, argv, "m:d:f:n:s:w:")) != -1) {
        if (option == 'm')
            megabytes = (size_t)atoi(optarg);
        else if (option == 'd')
            device = optarg;
        else if (option == 'f')
            directory = optarg;
        else if (option == 's')
            return serve(atoi(optarg));
        else if (option == 'w')
            pause_us = (useconds_t)atoi(optarg) * 1000;
        else if (option == 'n' && strchr(optarg, ':'))
            server = optarg;
        else
            return 2;
    }
    pthread_create(&thread[started++], NULL, memory, &megabytes);
    pthread_create(&thread[started++], NULL, clocks, NULL);
    if (device)
        pthread_create(&thread[started++], NULL, disk, device);
    if (directory)
        pthread_create(&thread[started++], NULL, files, directory);
    if (server)
        pthread_create(&thread[started++], NULL, net, server);
    while (poll(&in, 1, HEARTBEAT_MS) == 0)
        say("HB", ++n);
    over = 1;
    for (unsigned i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    say("DONE", ++n);
    return bad != 0;
}
