/* Members as processes on one PDR file: how long a join takes, how many claims a second all of
 * them together take and give back, and how long PAIRS links and detaches of shared disks take
 * them together, which must leave nothing behind. With "hosts" each member takes itself for one
 * on a host of its own; with "together" claims do not wait for each other (ssi_ask). Usage:
 * ssi_claims FOLDER MEMBERS SECONDS PAIRS [hosts] [together]; a line of JSON. */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ssi/ssi_formssi.h"
#include "ssi/ssi_uv.h"

#define MEMBERS_MAX 4
#define AT_ONCE 16      /* claims in one turn of the loop */
#define TOGETHER 100    /* claims that are asked for at a time */
#define KEPT 500        /* that each member holds all the while */
#define DISKS 400       /* that all of them link */
#define PAIRS_S_MAX 120 /* for all pairs */
#define READ 1
#define WRITE 2

/** What the processes tell each other; in memory that all of them map. */
struct board {
    atomic_uint joined, go, paired, stop;
    unsigned pairs; /* of each member */
    u64 refused[MEMBERS_MAX];
    double join_ms[MEMBERS_MAX];
    u64 claims[MEMBERS_MAX], busy[MEMBERS_MAX], failed[MEMBERS_MAX];
};

static struct {
    struct board *board;
    unsigned slot, members;
    struct ssi_uv *uv;
    uv_loop_t loop;
    uv_idle_t idle;
    u64 began_ns, number, pair;
    bool together;
    struct ssi_asked *asked;
    struct ssi_want wants[TOGETHER];
} me;

static void on_joined(void *ctx, int status, const struct cause *cause)
{
    (void)ctx;
    if (status) {
        fprintf(stderr, "ssi_claims: %s\n", cause->text);
        _exit(3);
    }
    me.board->join_ms[me.slot] = (double)(uv_hrtime() - me.began_ns) / 1e6;
    atomic_fetch_add(&me.board->joined, 1);
}

static bool one(u64 *generation)
{
    char name[SSI_CLAIM_NAME_BYTES];
    snprintf(name, sizeof name, "M%u.%llu", me.slot, (unsigned long long)me.number++);
    int rc = ssi_claim(ssi_uv_ssi(me.uv), 1, name, generation, NULL);
    if (rc == ST_OK && me.number > KEPT)
        rc = ssi_release(ssi_uv_ssi(me.uv), 1, name, *generation);
    me.board->busy[me.slot] += rc == ST_BUSY;
    me.board->failed[me.slot] += rc != ST_OK && rc != ST_BUSY;
    return rc == ST_OK;
}

static void on_idle(uv_idle_t *idle);

static void take_together(void *arg)
{
    struct ssi *ssi = ssi_uv_ssi(me.uv);
    struct ssi_asked *asked = me.asked;
    (void)arg;
    me.asked = NULL;
    for (unsigned i = 0; i < TOGETHER; i++) {
        u64 generation;
        int rc = ssi_claim(ssi, 1, me.wants[i].name, &generation, NULL);
        me.board->claims[me.slot] += rc == ST_OK;
        me.board->busy[me.slot] += rc == ST_BUSY;
        me.board->failed[me.slot] += rc != ST_OK && rc != ST_BUSY;
        if (rc == ST_OK)
            ssi_release_soon(ssi, 1, me.wants[i].name, generation);
    }
    ssi_asked_end(ssi, asked);
    uv_idle_start(&me.idle, on_idle);
}

static void ask_together(void)
{
    if (me.asked)
        return;
    for (unsigned i = 0; i < TOGETHER; i++) {
        me.wants[i] = (struct ssi_want){.kind = 1};
        snprintf(me.wants[i].name, sizeof me.wants[i].name, "M%u.%llu", me.slot,
                 (unsigned long long)me.number++);
    }
    me.asked = ssi_ask(ssi_uv_ssi(me.uv), me.wants, TOGETHER, take_together, NULL);
    uv_idle_stop(&me.idle); /* until the answer */
}

static int set(const char *name, u8 mode, u8 refuse)
{
    int rc;
    do {
        rc = ssi_share_set(ssi_uv_ssi(me.uv), 2, name, mode, refuse, NULL);
    } while (rc == ST_BUSY);
    return rc;
}

/* LINK in one of the modes, refused when another has written there first, and DETACH. */
static void one_pair(void)
{
    char name[SSI_CLAIM_NAME_BYTES];
    snprintf(name, sizeof name, "VOL%03u.100", (unsigned)(me.pair * 7 % DISKS));
    bool writes = me.pair++ % 3 == 0;
    int rc = set(name, writes ? READ | WRITE : READ, writes ? WRITE : 0);
    me.board->refused[me.slot] += rc == ST_EXIST;
    if (rc == ST_OK)
        rc = set(name, 0, 0);
    me.board->failed[me.slot] += rc != ST_OK && rc != ST_EXIST;
}

static void on_idle(uv_idle_t *idle)
{
    u64 generation;
    (void)idle;
    if (atomic_load(&me.board->stop))
        _exit(0);
    if (atomic_load(&me.board->go) == 2 && me.pair < me.board->pairs) {
        for (unsigned i = 0; i < AT_ONCE && me.pair < me.board->pairs; i++)
            one_pair();
        if (me.pair == me.board->pairs)
            atomic_fetch_add(&me.board->paired, 1);
        return;
    }
    if (atomic_load(&me.board->go) != 1) {
        poll(NULL, 0, 1);
        return;
    }
    if (me.together)
        ask_together();
    for (unsigned i = 0; !me.together && i < AT_ONCE; i++)
        me.board->claims[me.slot] += one(&generation);
}

static int member_run(const char *folder)
{
    struct ssi_config config;
    struct cause cause;
    ssi_config_init(&config);
    snprintf(config.cluster, sizeof config.cluster, "BENCH");
    for (unsigned i = 0; i < me.members; i++)
        snprintf(config.slots[i], sizeof config.slots[i], "M%u", i % MEMBERS_MAX);
    memcpy(config.member, config.slots[me.slot], sizeof config.member);
    config.slot = me.slot;
    snprintf(config.pdr_path, sizeof config.pdr_path, "%s/bench.pdr", folder);
    uv_loop_init(&me.loop);
    me.uv = ssi_uv_open(&me.loop, &config, NULL, NULL, &cause);
    if (!me.uv) {
        fprintf(stderr, "ssi_claims: %s\n", cause.text);
        return 3;
    }
    uv_idle_init(&me.loop, &me.idle);
    uv_idle_start(&me.idle, on_idle);
    me.began_ns = uv_hrtime();
    ssi_join(ssi_uv_ssi(me.uv), on_joined, NULL);
    uv_run(&me.loop, UV_RUN_DEFAULT);
    return 3;
}

/* One after the other, so that each join is one to a cluster that stands. */
static int members_start(const char *folder, bool hosts)
{
    for (me.slot = 0; me.slot < me.members; me.slot++) {
        pid_t pid = fork();
        if (pid < 0)
            return 3;
        if (pid == 0) {
            if (hosts)
                setenv("ENDICOTT_TEST_HOST", (char[]){(char)('0' + me.slot), 0}, 1);
            _exit(member_run(folder));
        }
        while (atomic_load(&me.board->joined) == me.slot) {
            if (waitpid(pid, NULL, WNOHANG) > 0)
                return 3;
            poll(NULL, 0, 1);
        }
    }
    return 0;
}

/* Shares that are still in the PDR, of members that are joined. */
static int shares_left(const char *folder, unsigned *left)
{
    static struct formssi_view view;
    char path[SSI_PATH_BYTES];
    struct cause cause;
    snprintf(path, sizeof path, "%s/bench.pdr", folder);
    int rc = formssi_look(path, &view, &cause);
    *left = 0;
    for (unsigned i = 0; i < me.members; i++)
        *left += view.slots[i].shares;
    return rc;
}

/* Seconds in which all members have done their pairs; negative: they have not. */
static double pairs_run(void)
{
    u64 from = uv_hrtime();
    atomic_store(&me.board->go, 2);
    while (atomic_load(&me.board->paired) < me.members) {
        if (uv_hrtime() - from > PAIRS_S_MAX * 1000000000ull)
            return -1;
        poll(NULL, 0, 1);
    }
    return (double)(uv_hrtime() - from) / 1e9;
}

static void tell(double claims_s, double pairs_s, unsigned left)
{
    u64 claims = 0, busy = 0, failed = 0, refused = 0;
    printf("{\"join_ms\": [");
    for (unsigned i = 0; i < me.members; i++) {
        claims += me.board->claims[i];
        busy += me.board->busy[i];
        failed += me.board->failed[i];
        refused += me.board->refused[i];
        printf("%s%.1f", i ? ", " : "", me.board->join_ms[i]);
    }
    printf("], \"claims_a_second\": %.0f, \"busy\": %llu, \"failed\": %llu, \"pairs\": %u, "
           "\"pairs_s\": %.2f, \"pairs_refused\": %llu, \"shares_left\": %u}\n",
           (double)claims / claims_s, (unsigned long long)busy, (unsigned long long)failed,
           me.board->pairs * me.members, pairs_s, (unsigned long long)refused, left);
}

int main(int argc, char **argv)
{
    if (argc < 5 || atoi(argv[2]) < 1 || atoi(argv[2]) > MEMBERS_MAX) {
        fprintf(stderr, "usage: ssi_claims FOLDER MEMBERS SECONDS PAIRS [hosts]\n");
        return 2;
    }
    unsigned left = 0;
    me.members = (unsigned)atoi(argv[2]);
    me.board =
        mmap(NULL, sizeof *me.board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (me.board == MAP_FAILED || !freopen("/dev/null", "w", stderr)) /* members' messages */
        return 3;
    me.board->pairs = (unsigned)atoi(argv[4]) / me.members;
    bool hosts = false;
    for (int i = 5; i < argc; i++) {
        hosts |= !strcmp(argv[i], "hosts");
        me.together |= !strcmp(argv[i], "together");
    }
    int status = members_start(argv[1], hosts);
    u64 from = uv_hrtime();
    if (status == 0) {
        atomic_store(&me.board->go, 1);
        poll(NULL, 0, (int)(atof(argv[3]) * 1000));
    }
    double claims_s = (double)(uv_hrtime() - from) / 1e9;
    double pairs_s = status == 0 && me.board->pairs ? pairs_run() : 0;
    if (pairs_s < 0 || (status == 0 && shares_left(argv[1], &left)))
        status = 1;
    atomic_store(&me.board->stop, 1);
    while (wait(NULL) > 0)
        ;
    tell(claims_s, pairs_s, left);
    return status;
}
