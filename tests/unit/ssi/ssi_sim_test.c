/* Simulated clusters: joins, leaves, crashes, cuts, stalls, PDR faults, at random from a seed.
 * Replay: SSI_SIM_SEED=n (one seed), SSI_SIM_RUNS=n (how many), SSI_SIM_VERBOSE=1.
 * tsan: no, one thread does it all: quarter hours in which there is nothing to race */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "ssi/ssi_sim.h"

#define MEMBERS_MAX 4
#define NAMES 6
#define KIND 1
#define CHAOS_MS 120000
#define CALM_MS 90000
#define RUNS_DEFAULT 30

enum hold { HOLD_NONE, HOLD_RUN, HOLD_DOUBT };

struct world;

/* One member as hyp and lgr would use it: what it believes it owns, and so runs. */
struct actor {
    struct world *world;
    unsigned slot;
    bool joined, joining, leaving, restart;
    enum hold hold[NAMES];
    u64 generation[NAMES];
    bool expecting[NAMES]; /* destination: has the state and said READY */
    bool linked[MEMBERS_MAX];
    u32 next_in[MEMBERS_MAX], next_out[MEMBERS_MAX];
};

struct world {
    struct ssi_sim *sim;
    u64 seed;
    unsigned n;
    bool one_host, calm;
    u64 last_generation, next_op_ms;
    struct actor actors[MEMBERS_MAX];
    unsigned claims, moves, doubts, joins, crashes;
};

#define CHECK(w, cond)                                                                         \
    ck_assert_msg(cond, "SSI_SIM_SEED=%llu at %llu ms: %s", (unsigned long long)(w)->seed,     \
                  (unsigned long long)ssi_sim_now_ms((w)->sim), #cond)

static const char *names[NAMES] = {"LINUX1", "LINUX2", "LINUX3", "LINUX4", "LINUX5", "LINUX6"};

static unsigned slot_of(const char *member)
{
    return (unsigned)(member[1] - '0');
}

static u64 pick(struct world *w, u64 n)
{
    return n ? ssi_sim_random(w->sim) % n : 0;
}

static void lose_all(struct actor *a)
{
    memset(a->hold, 0, sizeof a->hold);
    memset(a->expecting, 0, sizeof a->expecting);
}

/* --- service and events --- */

static int on_check(void *ctx, const char *member, const void *data, size_t len,
                    struct cause *cause)
{
    struct actor *a = ctx;
    (void)member;
    (void)cause;
    CHECK(a->world, len == 7 && be16_load(data) == 5);
    return ST_OK;
}

static void on_export(void *ctx, struct codec_out *out)
{
    (void)ctx;
    codec_put_u8(out, 5, 42);
}

static void on_joined(void *ctx, const char *member)
{
    struct actor *a = ctx;
    unsigned from = slot_of(member);
    CHECK(a->world, !a->linked[from]); /* [S3] */
    a->linked[from] = true;
    a->next_in[from] = a->next_out[from] = 0;
}

static void on_left(void *ctx, const char *member, enum ssi_left how)
{
    struct actor *a = ctx;
    CHECK(a->world, a->linked[slot_of(member)] || how != SSI_LEFT_LOST);
    a->linked[slot_of(member)] = false;
}

static void on_receive(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    struct actor *a = ctx;
    (void)type;
    CHECK(a->world, a->linked[slot_of(from)] && len >= 4);
    CHECK(a->world, be32_load(data) == a->next_in[slot_of(from)]++); /* in order, none lost */
}

static const struct ssi_service service = {.id = 3,
                                           .name = "SIM",
                                           .export_join = on_export,
                                           .check_join = on_check,
                                           .member_joined = on_joined,
                                           .member_left = on_left,
                                           .receive = on_receive};

static void on_expelled(void *ctx, const struct cause *cause)
{
    struct actor *a = ctx;
    (void)cause;
    lose_all(a);
    a->joined = false;
    a->restart = true;
}

static const struct ssi_events events = {.expelled = on_expelled};

static void join_done(void *ctx, int status, const struct cause *cause)
{
    struct actor *a = ctx;
    (void)cause;
    a->joining = false;
    a->joined = status == ST_OK;
    a->world->joins += a->joined;
    a->restart = !a->joined;
}

static void leave_done(void *ctx, int status, const struct cause *cause)
{
    struct actor *a = ctx;
    (void)status;
    (void)cause;
    a->leaving = a->joined = false;
    a->restart = true; /* end the process */
}

/* --- invariants --- */

static void pdr_newest(struct world *w, struct ssi_pdr *pdr)
{
    const u8 *file = ssi_sim_pdr(w->sim);
    static struct ssi_pdr one;
    pdr->seq = 0;
    for (unsigned i = 0; i < 2; i++) {
        const u8 *copy = file + PDR_COPY_AT + (size_t)i * PDR_COPY_BYTES;
        if (ssi_pdr_decode_header(&one, copy) == PDR_HEADER_GOOD && one.seq > pdr->seq &&
            ssi_pdr_decode_claims(&one, copy + PDR_HEADER_BYTES))
            *pdr = one;
    }
}

/* One runner at most for each name, and the PDR says it is that one. */
static void check_claims(struct world *w)
{
    static struct ssi_pdr pdr;
    pdr_newest(w, &pdr);
    for (unsigned k = 0; k < NAMES; k++) {
        int runner = -1, owner = -1;
        for (u32 i = 0; i < pdr.n_claims; i++) {
            if (strcmp(pdr.claims[i].name, names[k]) != 0)
                continue;
            CHECK(w, owner == -1); /* [S1] */
            owner = pdr.claims[i].owner;
        }
        for (unsigned s = 0; s < w->n; s++) {
            if (w->actors[s].hold[k] != HOLD_RUN)
                continue;
            CHECK(w, runner == -1); /* [I1] */
            runner = (int)s;
        }
        CHECK(w, runner == -1 || runner == owner);
    }
}

/* --- what actors do --- */

static void act_start(struct world *w, struct actor *a)
{
    struct ssi_config config;
    struct cause cause;
    ssi_sim_config(&config, a->slot, w->n);
    struct ssi *ssi = ssi_sim_start(w->sim, &config, w->one_host ? 0 : a->slot, &cause);
    CHECK(w, ssi != NULL);
    lose_all(a);
    memset(a->linked, 0, sizeof a->linked);
    a->joining = true;
    a->joined = a->leaving = a->restart = false;
    CHECK(w, ssi_register_service(ssi, &service, a) == ST_OK);
    ssi_set_events(ssi, &events, a);
    ssi_join(ssi, join_done, a);
}

static void act_dead(struct actor *a)
{
    lose_all(a);
    memset(a->linked, 0, sizeof a->linked);
    a->joined = a->joining = a->leaving = a->restart = false;
}

static void act_claim(struct world *w, struct actor *a, struct ssi *ssi, unsigned k)
{
    u64 generation;
    struct cause cause;
    if (a->hold[k] == HOLD_RUN) {
        a->hold[k] = HOLD_NONE;
        ssi_release(ssi, KIND, names[k], a->generation[k]);
    } else if (a->hold[k] == HOLD_NONE && !a->expecting[k] &&
               ssi_claim(ssi, KIND, names[k], &generation, &cause) == ST_OK) {
        CHECK(w, generation > w->last_generation);
        a->hold[k] = HOLD_RUN;
        a->generation[k] = w->last_generation = generation;
        w->claims++;
    }
}

static void act_move(struct world *w, struct actor *a, struct ssi *ssi, unsigned k)
{
    struct actor *to = &w->actors[pick(w, w->n)];
    u64 generation, again;
    char name[SSI_NAME_BYTES] = {'M', (char)('0' + to->slot)};
    if (a->hold[k] != HOLD_RUN || to == a || !to->joined)
        return;
    to->expecting[k] = true;
    int rc = ssi_move_claim(ssi, KIND, names[k], a->generation[k], name, &generation, NULL);
    if (rc == ST_OK) {
        CHECK(w, generation > w->last_generation);
        w->last_generation = generation;
        a->hold[k] = HOLD_NONE;
        w->moves++;
        rc = ssi_move_claim(ssi, KIND, names[k], a->generation[k], name, &again, NULL);
        CHECK(w, rc != ST_OK); /* one winner */
    } else if (rc == ST_LOST) {
        a->hold[k] = HOLD_DOUBT;
        w->doubts++;
    }
}

/* Those who cannot know ask the PDR. */
static void act_find(struct actor *a, struct ssi *ssi, unsigned k)
{
    char owner[SSI_NAME_BYTES] = "";
    u64 generation = 0;
    if (!a->expecting[k] && a->hold[k] != HOLD_DOUBT)
        return;
    int rc = ssi_claim_find(ssi, KIND, names[k], owner, &generation);
    if (rc != ST_OK && rc != ST_NOENT)
        return;
    bool mine = rc == ST_OK && slot_of(owner) == a->slot;
    a->hold[k] = mine ? HOLD_RUN : HOLD_NONE;
    a->generation[k] = generation;
    a->expecting[k] = false;
}

static void act_send(struct actor *a, struct ssi *ssi, unsigned to)
{
    static u8 data[5000];
    char name[SSI_NAME_BYTES] = {'M', (char)('0' + to)};
    if (to == a->slot)
        return;
    be32_store(data, a->next_out[to]);
    int rc = ssi_send(ssi, name, 3, 1, data, 4 + pick(a->world, sizeof data - 4));
    CHECK(a->world, (rc == ST_OK) == a->linked[to]);
    a->next_out[to] += rc == ST_OK;
}

static void act(struct world *w, unsigned slot)
{
    struct actor *a = &w->actors[slot];
    struct ssi *ssi = ssi_sim_member(w->sim, a->slot);
    unsigned k = (unsigned)pick(w, NAMES);
    if (!ssi) {
        if (w->calm || pick(w, 10) == 0)
            act_start(w, a);
        return;
    }
    if (!a->joined || a->leaving)
        return;
    char other[SSI_NAME_BYTES] = {'M', (char)('0' + pick(w, w->n))};
    switch (pick(w, 40)) {
    case 0:
        if (w->calm)
            break;
        for (k = 0; k < NAMES; k++)
            if (a->hold[k] == HOLD_RUN)
                act_claim(w, a, ssi, k);
        lose_all(a);
        a->leaving = true;
        ssi_leave(ssi, leave_done, a);
        break;
    case 1: ssi_set_down(ssi, other, NULL); break;
    case 31:
        if (!w->calm)
            ssi_link_deactivate(ssi, other, NULL);
        break;
    case 32 ... 34: ssi_link_activate(ssi, other, NULL); break;
    case 2 ... 12: act_claim(w, a, ssi, k); break;
    case 13 ... 22: act_move(w, a, ssi, k); break;
    case 23 ... 30: act_find(a, ssi, k); break;
    default: act_send(a, ssi, (unsigned)pick(w, w->n)); break;
    }
}

static void calamity(struct world *w)
{
    unsigned a = (unsigned)pick(w, w->n), b = (unsigned)pick(w, w->n);
    switch (pick(w, 120)) {
    case 0 ... 1:
        ssi_sim_crash(w->sim, a);
        w->crashes++;
        break;
    case 2 ... 4:
        if (a != b)
            ssi_sim_cut(w->sim, a, b);
        break;
    case 5 ... 6:
        if (a != b)
            ssi_sim_stall(w->sim, a, b, true);
        break;
    case 7 ... 12: ssi_sim_stall(w->sim, a, b, false); break;
    case 13 ... 17:
        ssi_sim_pdr_fault(w->sim, (enum ssi_sim_fault)(1 + pick(w, 5)),
                          1 + (unsigned)pick(w, 2));
        break;
    default: break;
    }
}

static void world_step(struct world *w)
{
    ssi_sim_step(w->sim);
    CHECK(w, ssi_sim_errors(w->sim) == 0);
    for (unsigned s = 0; s < w->n; s++) {
        struct actor *a = &w->actors[s];
        if (a->restart)
            ssi_sim_crash(w->sim, s);
        if (!ssi_sim_member(w->sim, s))
            act_dead(a);
    }
    if (ssi_sim_now_ms(w->sim) < w->next_op_ms)
        return;
    w->next_op_ms = ssi_sim_now_ms(w->sim) + pick(w, 100);
    act(w, (unsigned)pick(w, w->n));
    for (unsigned s = 0; s < w->n; s++) /* one may have died in a write */
        if (!ssi_sim_member(w->sim, s))
            act_dead(&w->actors[s]);
    if (!w->calm)
        calamity(w);
    for (unsigned s = 0; s < w->n; s++)
        if (!ssi_sim_member(w->sim, s))
            act_dead(&w->actors[s]);
    check_claims(w);
}

/* After a calm while everybody is joined with everybody, and every owner runs. */
static void check_calm(struct world *w)
{
    static struct ssi_pdr pdr;
    for (unsigned s = 0; s < w->n; s++) {
        struct ssi *ssi = ssi_sim_member(w->sim, s);
        CHECK(w, ssi != NULL && w->actors[s].joined);
        CHECK(w, ssi_mode(ssi) == SSI_MODE_STABLE);
        for (unsigned t = 0; t < w->n; t++)
            CHECK(w, t == s || w->actors[s].linked[t]);
    }
    pdr_newest(w, &pdr);
    for (u32 i = 0; i < pdr.n_claims; i++) {
        unsigned k = (unsigned)(pdr.claims[i].name[5] - '1');
        const struct actor *a = &w->actors[pdr.claims[i].owner];
        CHECK(w, a->hold[k] == HOLD_RUN || a->expecting[k]); /* [I2] */
    }
}

static void world_run(u64 seed, struct world *sum)
{
    struct world *w = calloc(1, sizeof *w);
    w->seed = seed;
    w->sim = ssi_sim_create(seed);
    ck_assert(w->sim != NULL);
    ssi_sim_verbose(w->sim, getenv("SSI_SIM_VERBOSE") != NULL);
    w->n = 2 + (unsigned)pick(w, MEMBERS_MAX - 1);
    w->one_host = pick(w, 2);
    for (unsigned s = 0; s < w->n; s++) {
        w->actors[s].world = w;
        w->actors[s].slot = s;
    }
    while (ssi_sim_now_ms(w->sim) < CHAOS_MS)
        world_step(w);
    w->calm = true;
    ssi_sim_pdr_fault(w->sim, SIM_FAULT_NONE, 0);
    for (unsigned a = 0; a < w->n; a++)
        for (unsigned b = 0; b < w->n; b++)
            ssi_sim_stall(w->sim, a, b, false);
    while (ssi_sim_now_ms(w->sim) < CHAOS_MS + CALM_MS)
        world_step(w);
    check_calm(w);
    sum->claims += w->claims;
    sum->moves += w->moves;
    sum->doubts += w->doubts;
    sum->joins += w->joins;
    sum->crashes += w->crashes;
    ssi_sim_destroy(w->sim);
    free(w);
}

START_TEST(clusters_survive_chaos)
{
    struct world sum = {0};
    const char *one = getenv("SSI_SIM_SEED"), *runs = getenv("SSI_SIM_RUNS");
    u64 first = one ? strtoull(one, NULL, 0) : 1;
    u64 n = one ? 1 : runs ? strtoull(runs, NULL, 0) : RUNS_DEFAULT;
    for (u64 seed = first; seed < first + n; seed++)
        world_run(seed, &sum);
    fprintf(stderr, "%llu runs: %u joins, %u crashes, %u claims, %u moves, %u in doubt\n",
            (unsigned long long)n, sum.joins, sum.crashes, sum.claims, sum.moves, sum.doubts);
    ck_assert(one || (sum.moves > n && sum.doubts > 0 && sum.crashes > n));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ssi_sim");
    TCase *tc = tcase_create("chaos");
    tcase_set_timeout(tc, 600);
    tcase_add_test(tc, clusters_survive_chaos);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
