/* How fast changed pages go from one member to another: two processes, the real ssi and lgr, a guest
 * that is nothing but storage. Between passes all of it is changed, which is not counted.
 * Usage: lgr_pages [-m MB] [-k KEYS] [-s STREAMS] [noise|text|sparse|same]...; a line for each: the
 * median of three passes, GB/s of storage, of the link, processor time of both sides per GB.
 * ENDICOTT_LGR_MB_S paces it, as in a member. `plain` first: one processor is left to each side. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lgr/lgr_internal.h"
#include "ssi/ssi_uv.h"

#define PASSES 3 /* what changes as a whole each time is given up soon */
#define USER "BENCH"

enum change { NOISE, TEXT, SPARSE, SAME, CHANGES };
static const char *const change_name[CHANGES] = {"noise", "text", "sparse", "same"};

struct sample {
    u64 ns, cpu_ns[2];
};

static struct {
    uv_loop_t loop;
    struct ssi_uv *uv;
    struct lgr *lgr;
    struct storage *st;
    enum change change;
    u64 bytes, claim;
    unsigned pass; /* begun */
    u64 round;
    pid_t peer;
    struct sample at[PASSES + 3];  /* when pass i was begun, or the last one acknowledged */
    struct sample gap[PASSES + 3]; /* spent on changing storage before it */
    struct lgr_view view;
    bool going, ended;
    uv_async_t async;
    struct lgr_ports ports;
} me;

/* --- time --- */

static u64 now_ns(void *ctx)
{
    (void)ctx;
    return uv_hrtime();
}

static u64 clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

static u64 cpu_ns(void *ctx)
{
    (void)ctx;
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static struct sample sample_now(void)
{
    clockid_t peer;
    clock_getcpuclockid(me.peer, &peer);
    return (struct sample){uv_hrtime(), {clock_ns(CLOCK_PROCESS_CPUTIME_ID), clock_ns(peer)}};
}

struct timer {
    uv_timer_t uv;
    struct timer *next;
    u64 id;
    void (*fire)(void *arg);
    void *arg;
};
static struct timer *timers;

static void timer_free(uv_handle_t *handle)
{
    free(handle);
}

static void timer_cancel(void *ctx, u64 id)
{
    (void)ctx;
    for (struct timer **at = &timers; *at; at = &(*at)->next)
        if ((*at)->id == id) {
            struct timer *t = *at;
            *at = t->next;
            uv_close((uv_handle_t *)&t->uv, timer_free);
            return;
        }
}

static void timer_fired(uv_timer_t *uv)
{
    const struct timer t = *(struct timer *)uv;
    timer_cancel(NULL, t.id);
    t.fire(t.arg);
}

static u64 timer_start(void *ctx, u64 delay_ms, void (*fire)(void *arg), void *arg)
{
    static u64 last;
    struct timer *t = calloc(1, sizeof *t);
    (void)ctx;
    *t = (struct timer){.next = timers, .id = ++last, .fire = fire, .arg = arg};
    timers = t;
    uv_timer_init(&me.loop, &t->uv);
    uv_timer_start(&t->uv, timer_fired, delay_ms, 0);
    return t->id;
}

/* --- the way to the loop: one note of each worker is under way at most --- */

static pthread_mutex_t note_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    void (*fn)(void *arg);
    void *arg;
} note[64];
static unsigned notes;

static void post(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    pthread_mutex_lock(&note_lock);
    note[notes].fn = fn;
    note[notes++].arg = arg;
    pthread_mutex_unlock(&note_lock);
    uv_async_send(&me.async);
}

static void posted(uv_async_t *async)
{
    (void)async;
    for (;;) {
        pthread_mutex_lock(&note_lock);
        bool any = notes != 0;
        void (*fn)(void *arg) = any ? note[--notes].fn : NULL;
        void *arg = any ? note[notes].arg : NULL;
        pthread_mutex_unlock(&note_lock);
        if (!any)
            return;
        fn(arg);
    }
}

/* --- the guest --- */

static void change_page(u64 *p, enum change change, u64 round, u64 seed)
{
    static const char words[] = "the quick brown fox jumps over the lazy dog; storage pages ";
    char *text = (char *)p;
    if (change == SPARSE)
        p[seed % 512] += round;
    if (change == NOISE)
        for (unsigned i = 0; i < FRAME_BYTES / 8; i++)
            p[i] = seed = seed * 6364136223846793005ull + round;
    for (unsigned i = 0; change == TEXT && i < FRAME_BYTES; i += 8) {
        seed = seed * 6364136223846793005ull + round;
        memcpy(text + i, words + (seed >> 33) % (sizeof words - 8), 8);
    }
}

static void change_all(bool first)
{
    me.round++;
    for (u64 f = 0; f < me.st->frames; f++) {
        u64 *p = (u64 *)(void *)(me.st->base + (f << FRAME_SHIFT));
        change_page(p, first && me.change != TEXT ? NOISE : me.change, me.round, f * 7919);
        storage_mark_frame(me.st, f << FRAME_SHIFT);
    }
}

static void *guest_find(void *ctx, const char *user)
{
    (void)ctx;
    return me.st && !strcmp(user, USER) ? me.st : NULL;
}

static void guest_info(void *ctx, void *guest, const char *to, struct lgr_guest_info *out)
{
    (void)ctx;
    (void)guest;
    (void)to;
    snprintf(out->user, sizeof out->user, "%s", USER);
    out->storage_bytes = me.bytes;
    out->cpus = 1;
    out->relocatable = out->in_domain = true;
}

static u64 guest_claim(void *ctx, void *guest)
{
    (void)ctx;
    (void)guest;
    return me.claim;
}

static struct storage *guest_storage(void *ctx, void *guest)
{
    (void)ctx;
    return guest;
}

static void cancel(void *arg)
{
    (void)arg;
    lgr_cancel(me.lgr, USER, LGR_CANCELLED, "measured");
}

static u64 guest_epoch(void *ctx, void *guest, u64 *set)
{
    (void)ctx;
    me.at[me.pass] = sample_now();
    if (me.pass)
        change_all(false);
    u64 moved = storage_epoch(guest, set);
    struct sample now = sample_now(), *gap = &me.gap[me.pass], *at = &me.at[me.pass];
    *gap = (struct sample){now.ns - at->ns,
                           {now.cpu_ns[0] - at->cpu_ns[0], now.cpu_ns[1] - at->cpu_ns[1]}};
    if (me.pass++ == PASSES + 1)
        timer_start(NULL, 0, cancel, NULL);
    return moved;
}

static void guest_stores_go_on(void *ctx, void *guest)
{
    (void)ctx;
    (void)guest;
}

static bool guest_quiesce(void *ctx, void *guest)
{
    (void)ctx;
    (void)guest;
    return false; /* it is to be sent again and again */
}

static void guest_here(void *ctx, const struct lgr_guest_info *info, struct lgr_here *out)
{
    (void)ctx;
    (void)info;
    *out = (struct lgr_here){.known = true};
    out->storage_max_bytes = 1ull << 40;
}

static void guest_room(void *ctx, struct lgr_room *out)
{
    (void)ctx;
    *out = (struct lgr_room){.real_bytes = 1ull << 40, .real_free_bytes = 1ull << 40};
}

static int guest_arrive(void *ctx, const struct lgr_guest_info *info, void **guest,
                        struct cause *cause)
{
    (void)ctx;
    int rc = storage_create(&me.st, info->storage_bytes, cause);
    *guest = me.st;
    return rc;
}

static void guest_depart(void *ctx, void *guest)
{
    (void)ctx;
    storage_destroy(guest);
    me.st = NULL;
}

static const struct lgr_guests guests = {.find = guest_find,
                                         .info = guest_info,
                                         .claim = guest_claim,
                                         .storage = guest_storage,
                                         .epoch = guest_epoch,
                                         .stores_go_on = guest_stores_go_on,
                                         .quiesce = guest_quiesce,
                                         .here = guest_here,
                                         .room = guest_room,
                                         .arrive = guest_arrive,
                                         .depart = guest_depart};

/* --- members --- */

static void quit(const char *what)
{
    fprintf(stderr, "lgr_pages: %s\n", what);
    exit(3);
}

static void on_joined(void *ctx, int status, const struct cause *cause)
{
    (void)ctx;
    if (status)
        quit(cause->text);
    me.going = true;
}

static void member_open(const char *folder, const char *keys, unsigned streams, unsigned slot)
{
    struct ssi_config config;
    struct cause cause;
    const char *pace = getenv("ENDICOTT_LGR_MB_S");
    ssi_config_init(&config);
    snprintf(config.cluster, sizeof config.cluster, "BENCH");
    for (unsigned i = 0; i < 2; i++)
        snprintf(config.slots[i], sizeof config.slots[i], "M%u", i);
    memcpy(config.member, config.slots[slot], sizeof config.member);
    config.slot = slot;
    config.streams = streams;
    snprintf(config.listen, sizeof config.listen, "127.0.0.1:0");
    snprintf(config.pdr_path, sizeof config.pdr_path, "%s/bench.pdr", folder);
    snprintf(config.keys_dir, sizeof config.keys_dir, "%s", keys);
    uv_loop_init(&me.loop);
    uv_async_init(&me.loop, &me.async, posted);
    me.ports = (struct lgr_ports){.now_ns = now_ns,
                                  .timer_start = timer_start,
                                  .timer_cancel = timer_cancel,
                                  .post = post,
                                  .cpu_ns = cpu_ns};
    me.uv = ssi_uv_open(&me.loop, &config, NULL, NULL, &cause);
    if (!me.uv || lgr_core_create(ssi_uv_ssi(me.uv), &me.ports, &guests, NULL, false, &me.lgr,
                                  &cause) != ST_OK)
        quit(cause.text);
    me.lgr->pace_mb_s = pace ? (u32)atoi(pace) : 0;
    ssi_join(ssi_uv_ssi(me.uv), on_joined, NULL);
    while (!me.going)
        uv_run(&me.loop, UV_RUN_ONCE);
}

static void ended(void *ctx, const struct lgr_view *view, const struct lgr_reasons *reasons)
{
    (void)ctx;
    me.view = *view;
    me.ended = true;
    if (reasons->count || me.pass < PASSES + 2)
        quit(reasons->count ? reasons->line[0] : view->text);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The most that a process has had in memory, and more than the guest. */
static u64 overhead_kb(pid_t pid)
{
    char path[64], line[128];
    u64 kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, "VmHWM:", 6))
            kb = strtoull(line + 6, NULL, 10);
    if (file)
        fclose(file);
    return kb > me.bytes / 1024 ? kb - me.bytes / 1024 : 0;
}

/* Passes 2 to 6: the first one also makes pages at the other side. */
static void tell(void)
{
    double rate[PASSES], link[PASSES], cpu[2][PASSES];
    const struct lgr_pass *p = NULL;
    for (unsigned i = 0; i < PASSES; i++) {
        const struct sample *from = &me.at[i + 1], *gap = &me.gap[i + 1], *to = &me.at[i + 2];
        double ns = (double)(to->ns - from->ns - gap->ns), gb = (double)me.bytes / 1e9;
        p = &me.view.passes[i + 1];
        rate[i] = (double)me.bytes / ns;
        link[i] = (double)p->bytes / ns;
        for (unsigned k = 0; k < 2; k++)
            cpu[k][i] = (double)(to->cpu_ns[k] - from->cpu_ns[k] - gap->cpu_ns[k]) / 1e9 / gb;
    }
    qsort(rate, PASSES, sizeof *rate, by_size);
    qsort(link, PASSES, sizeof *link, by_size);
    qsort(cpu[0], PASSES, sizeof *cpu[0], by_size);
    qsort(cpu[1], PASSES, sizeof *cpu[1], by_size);
    printf(
        "%-6s %5.2f GB/s of storage (%.2f to %.2f), %5.2f on the link; processor s/GB: source "
        "%.2f, destination %.2f; last pass: %llu raw, %llu delta, %llu lz4, %llu equal; beside "
        "the guest %llu and %llu MB\n",
        change_name[me.change], rate[PASSES / 2], rate[0], rate[PASSES - 1], link[PASSES / 2],
        cpu[0][PASSES / 2], cpu[1][PASSES / 2], (unsigned long long)p->raws,
        (unsigned long long)p->deltas, (unsigned long long)p->lz4s,
        (unsigned long long)p->equals, (unsigned long long)overhead_kb(getpid()) / 1024,
        (unsigned long long)overhead_kb(me.peer) / 1024);
}

static void measure(enum change change)
{
    static const struct lgr_watch watch = {.ended = ended};
    const struct lgr_options options = {.maxquiesce_ms = 1};
    struct cause cause;
    me.change = change;
    me.pass = 0;
    me.ended = false;
    if (storage_create(&me.st, me.bytes, &cause) != ST_OK)
        quit(cause.text);
    change_all(true);
    if (ssi_claim(ssi_uv_ssi(me.uv), LGR_CLAIM_KIND, USER, &me.claim, &cause) != ST_OK ||
        lgr_start(me.lgr, USER, "M1", "BENCH", &options, &watch, &cause) != ST_OK)
        quit(cause.text);
    while (!me.ended)
        uv_run(&me.loop, UV_RUN_ONCE);
    ssi_release(ssi_uv_ssi(me.uv), LGR_CLAIM_KIND, USER, me.claim);
    storage_destroy(me.st);
    me.st = NULL;
    tell();
}

static pid_t other_side(const char *folder, const char *keys, unsigned streams)
{
    int up[2];
    char byte = 0;
    if (pipe(up) != 0)
        quit("pipe");
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        member_open(folder, keys, streams, 1);
        if (write(up[1], &byte, 1) != 1)
            quit("pipe");
        uv_run(&me.loop, UV_RUN_DEFAULT);
        exit(3);
    }
    close(up[1]);
    if (pid < 0 || read(up[0], &byte, 1) != 1)
        quit("the other side does not come up");
    close(up[0]);
    return pid;
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/lgr_pages.XXXXXX", path[64];
    const char *keys = "";
    unsigned streams = 2;
    me.bytes = 256u << 20;
    for (int c; (c = getopt(argc, argv, "m:k:s:")) != -1;) {
        if (c == 'm')
            me.bytes = strtoull(optarg, NULL, 0) << 20;
        else if (c == 'k')
            keys = optarg;
        else if (c == 's')
            streams = (unsigned)atoi(optarg);
        else
            return 2;
    }
    if (!mkdtemp(folder))
        quit("no folder for the PDR");
    me.peer = other_side(folder, keys, streams);
    member_open(folder, keys, streams, 0);
    for (unsigned i = 0; i < CHANGES; i++)
        for (int k = optind; k < argc || (k == optind && optind == argc); k++)
            if (optind == argc || !strcmp(argv[k], change_name[i]))
                measure((enum change)i);
    kill(me.peer, SIGKILL);
    waitpid(me.peer, NULL, 0);
    snprintf(path, sizeof path, "%s/bench.pdr", folder);
    unlink(path);
    rmdir(folder);
    return 0;
}
