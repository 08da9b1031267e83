/* Members as processes on one PDR file: how long a join takes, and how many claims a second all of
 * them together take and give back. Usage: ssi_claims FOLDER MEMBERS SECONDS; a line of JSON. */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ssi/ssi_uv.h"

#define MEMBERS_MAX 4
#define AT_ONCE 16 /* claims in one turn of the loop */
#define KEPT 500   /* that each member holds all the while */

/** What the processes tell each other; in memory that all of them map. */
struct board {
    atomic_uint joined, go, stop;
    double join_ms[MEMBERS_MAX];
    u64 claims[MEMBERS_MAX], busy[MEMBERS_MAX], failed[MEMBERS_MAX];
};

static struct {
    struct board *board;
    unsigned slot, members;
    struct ssi_uv *uv;
    uv_loop_t loop;
    uv_idle_t idle;
    u64 began_ns, number;
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

static void on_idle(uv_idle_t *idle)
{
    u64 generation;
    (void)idle;
    if (atomic_load(&me.board->stop))
        _exit(0);
    if (!atomic_load(&me.board->go)) {
        poll(NULL, 0, 1);
        return;
    }
    for (unsigned i = 0; i < AT_ONCE; i++)
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
static int members_start(const char *folder)
{
    for (me.slot = 0; me.slot < me.members; me.slot++) {
        pid_t pid = fork();
        if (pid < 0)
            return 3;
        if (pid == 0)
            _exit(member_run(folder));
        while (atomic_load(&me.board->joined) == me.slot) {
            if (waitpid(pid, NULL, WNOHANG) > 0)
                return 3;
            poll(NULL, 0, 1);
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 4 || atoi(argv[2]) < 1 || atoi(argv[2]) > MEMBERS_MAX) {
        fprintf(stderr, "usage: ssi_claims FOLDER MEMBERS SECONDS\n");
        return 2;
    }
    double seconds = atof(argv[3]);
    me.members = (unsigned)atoi(argv[2]);
    me.board =
        mmap(NULL, sizeof *me.board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    freopen("/dev/null", "w", stderr); /* the members' messages */
    int status = me.board == MAP_FAILED ? 3 : members_start(argv[1]);
    u64 claims = 0, busy = 0, failed = 0, from = uv_hrtime();
    if (status == 0) {
        atomic_store(&me.board->go, 1);
        poll(NULL, 0, (int)(seconds * 1000));
    }
    atomic_store(&me.board->stop, 1);
    double took = (double)(uv_hrtime() - from) / 1e9;
    while (wait(NULL) > 0)
        ;
    for (unsigned i = 0; i < me.members; i++) {
        claims += me.board->claims[i];
        busy += me.board->busy[i];
        failed += me.board->failed[i];
    }
    printf("{\"join_ms\": [");
    for (unsigned i = 0; i < me.members; i++)
        printf("%s%.1f", i ? ", " : "", me.board->join_ms[i]);
    printf("], \"claims_a_second\": %.0f, \"busy\": %llu, \"failed\": %llu}\n",
           (double)claims / took, (unsigned long long)busy, (unsigned long long)failed);
    return status;
}
