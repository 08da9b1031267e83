/* The histories of lgr_history.h. Checked after every event, beside what lgr_world.h checks:
 *
 * [I1] A guest runs on one member at most, and only where the PDR says that it belongs.
 * [I2] When no relocation of it is under way, it runs where it belongs, unless its owner crashed.
 * [I3] It resumes with storage, keys and state as quiesced (lgr_world.c).
 * [I4] The PDR gives it to another member only while that one holds all of it, verified (READY).
 * [I5] Who has said READY and gives up does not own it.
 * [I6] No guest resumes where a CP exit has kept it, or has not answered (lgr_world.c).
 * [T]  Both sides tell the same of a finished relocation: that it moved, or that it did not.
 * And in the end, when all faults are over, all is at rest without anybody doing anything. */
#include "tests/lib/lgr_history.h"

#include <sys/wait.h>
#include <unistd.h>

#define CHAOS_MS 8000     /* of virtual time */
#define CALM_MS_MAX 90000 /* until all is at rest: an answer may be waited for */
#define SMALL_BYTES (64u << 10)
#define TOLD_MAX 1024

/* What the sides have told of one relocation; -1 = nothing yet. */
struct told {
    u64 id;
    char from[LGR_NAME_BYTES];
    int code[2]; /* source, destination */
};

/* What the last event left behind. */
struct before {
    u64 life[MEMBERS_MAX];
    int owner[USERS];
    bool ready[MEMBERS_MAX][USERS], doubt[MEMBERS_MAX][USERS];
};

struct history {
    struct world *w;
    struct sim_faults faults;
    struct before before;
    struct told told[TOLD_MAX];
    unsigned n_told, seen[MEMBERS_MAX]; /* of each one's list of finished relocations */
    struct lgr_history_sum sum;
};

/* --- what must hold --- */

static bool involved(const struct actor *a, unsigned u)
{
    for (const struct rlobk *r = a->lgr ? a->lgr->active : NULL; r; r = r->next)
        if (!strcmp(r->v.user, users[u]))
            return true;
    return false;
}

static bool is_in(const struct actor *a, unsigned u, enum rlo_state state)
{
    for (const struct rlobk *r = a->lgr ? a->lgr->active : NULL; r; r = r->next)
        if (r->state == state && !strcmp(r->v.user, users[u]))
            return true;
    return false;
}

static void look(struct history *h)
{
    struct before *b = &h->before;
    for (unsigned s = 0; s < h->w->n; s++) {
        b->life[s] = h->w->actors[s].lgr ? h->w->actors[s].life : 0;
        for (unsigned u = 0; u < USERS; u++) {
            bool doubt = is_in(&h->w->actors[s], u, RLO_S_DOUBT);
            h->sum.doubts += doubt && !b->doubt[s][u];
            b->doubt[s][u] = doubt;
            b->ready[s][u] = is_in(&h->w->actors[s], u, RLO_D_READY);
        }
    }
    for (unsigned u = 0; u < USERS; u++)
        b->owner[u] = pdr_owner(h->w, u);
}

static bool under_way(struct world *w, unsigned u)
{
    for (unsigned s = 0; s < w->n; s++)
        if (involved(&w->actors[s], u))
            return true;
    return false;
}

/* [I2] */
static void check_running(struct world *w, unsigned u)
{
    if (!w->alive[u] || under_way(w, u))
        return;
    int owner = pdr_owner(w, u);
    CHECK(w, owner >= 0 && running(w, (unsigned)owner, u) && "[I2] a guest runs nowhere");
}

/* [I4], [I5] */
static void check_ownership(struct history *h, unsigned u)
{
    struct world *w = h->w;
    const struct before *b = &h->before;
    int was = b->owner[u], is = pdr_owner(w, u);
    bool same = is >= 0 && b->life[is] && b->life[is] == w->actors[is].life;
    if (is != was && is >= 0 && was >= 0 && same)
        CHECK(w, b->ready[is][u] && "[I4] given to a member that was not READY");
    for (unsigned s = 0; s < w->n; s++)
        if (b->ready[s][u] && b->life[s] == w->actors[s].life && w->actors[s].joined &&
            !is_in(&w->actors[s], u, RLO_D_READY) && !is_in(&w->actors[s], u, RLO_D_DISKS))
            CHECK(w, (is != (int)s || running(w, s, u)) && "[I5] the owner gave it up");
}

static struct told *told_of(struct history *h, const struct lgr_view *v)
{
    for (unsigned i = 0; i < h->n_told; i++)
        if (h->told[i].id == v->id && !strcmp(h->told[i].from, v->from))
            return &h->told[i];
    CHECK(h->w, h->n_told < TOLD_MAX);
    struct told *t = &h->told[h->n_told++];
    *t = (struct told){.id = v->id, .code = {-1, -1}};
    memcpy(t->from, v->from, sizeof t->from);
    return t;
}

/* A source that went away, or whose guest did, while the PDR had not answered does not know; nor
 * does a destination that others have declared down, or that left without the PDR. */
static bool does_not_know(struct world *w, const struct actor *a, const struct lgr_view *v)
{
    bool unknown = strstr(v->text, LGR_NOT_KNOWN) != NULL;
    if (!v->incoming)
        return unknown || v->code == LGR_GUEST_GONE || strstr(v->text, "nobody owns");
    CHECK(w, !unknown || a->blind || pdr_expelled(w, a->slot));
    return unknown;
}

/* [T] */
static void check_told(struct history *h, const struct actor *a, const struct lgr_view *v)
{
    struct told *t = told_of(h, v);
    if (getenv("LGR_SIM_VERBOSE"))
        fprintf(stderr, "%8llu    %s %s to %s, %s: %02u %s\n",
                (unsigned long long)ssi_sim_now_ms(h->w->sim), v->user, v->from, v->to,
                v->incoming ? "destination" : "source", v->code, v->text);
    if (!v->incoming)
        h->sum.code[v->code < 12 ? v->code : LGR_INTERNAL]++;
    CHECK(h->w, t->code[v->incoming] < 0);
    t->code[v->incoming] = does_not_know(h->w, a, v) ? -2 : v->code;
    if (t->code[0] < 0 || t->code[1] < 0)
        return;
    h->sum.told_twice++;
    h->sum.other_code += t->code[0] != t->code[1];
    CHECK(h->w, (!t->code[0]) == (!t->code[1]) && "[T] the sides tell different outcomes");
}

static void check_history(void *ctx)
{
    struct history *h = ctx;
    for (unsigned s = 0; s < h->w->n; s++) {
        const struct lgr *lgr = h->w->actors[s].lgr;
        if (!lgr || h->before.life[s] != h->w->actors[s].life)
            h->seen[s] = 0;
        while (lgr && h->seen[s] != lgr->history_next) {
            check_told(h, &h->w->actors[s], &lgr->history[h->seen[s]]);
            h->seen[s] = (h->seen[s] + 1) % LGR_HISTORY_MAX;
        }
    }
}

static void check(struct history *h)
{
    check_runners(h->w);
    CHECK(h->w, ssi_sim_errors(h->w->sim) == 0);
    check_history(h);
    for (unsigned u = 0; u < USERS; u++) {
        check_running(h->w, u);
        check_ownership(h, u);
    }
    look(h);
}

/* --- what members and operators do --- */

static void set_down(struct world *w, const struct actor *a, unsigned target)
{
    char name[SSI_NAME_BYTES] = {'M', (char)('0' + target)};
    if (!ssi_sim_member(w->sim, target))
        ssi_set_down(ssi_sim_member(w->sim, a->slot), name, NULL);
}

static void act_on(struct history *h, struct actor *a, unsigned u)
{
    struct world *w = h->w;
    const struct lgr_options o = {.immediate = pick(w, 4) == 0,
                                  .maxtotal_ms = pick(w, 3) ? 0 : 300 * (1 + pick(w, 4)),
                                  .maxquiesce_ms = pick(w, 3) ? 10000 : 100};
    a->lgr->pace_mb_s = pick(w, 3) == 0; /* MB a second, or as fast as it goes */
    switch (pick(w, 40)) {
    case 0 ... 7: user_logon(a, u); break;
    case 8 ... 27: user_move(a, u, (unsigned)pick(w, w->n), &o); break;
    case 28 ... 29: lgr_cancel(a->lgr, users[u], LGR_CANCELLED, "canceled"); break;
    case 30: lgr_modify(a->lgr, users[u], LGR_NOLIMIT, 100 + pick(w, 2000)); break;
    case 31: lgr_guest_reset(a->lgr, users[u]); break;
    case 32: user_logoff(a, u); break;
    case 36: a->exit[pick(w, 2)].active ^= w->exits; break;
    case 33 ... 34: set_down(w, a, (unsigned)pick(w, w->n)); break;
    case 35:
        if (pick(w, 3) == 0) {
            actor_leave(a);
            h->sum.leaves++;
        }
        break;
    default: break;
    }
}

static void act(struct history *h)
{
    struct world *w = h->w;
    struct actor *a = &w->actors[pick(w, w->n)];
    unsigned u = (unsigned)pick(w, USERS);
    if (!ssi_sim_member(w->sim, a->slot)) {
        if (w->calm || pick(w, 5) == 0)
            actor_start(a);
        return;
    }
    if (a->joined && !w->calm && !ssi_sim_is_frozen(w->sim, a->slot))
        act_on(h, a, u);
}

static void calamity(struct history *h)
{
    struct world *w = h->w;
    sim_faults_strike(&h->faults);
    if (pick(w, 60) == 0) {
        ssi_sim_flip(w->sim, (unsigned)pick(w, w->n), (unsigned)pick(w, w->n));
        h->sum.flips++;
    }
    if (w->plant == PLANT_LYING_DISK && pick(w, 10) == 0)
        ssi_sim_pdr_fault(w->sim, SIM_FAULT_LIE, 1);
}

/* In the middle of it, and without a PDR for a while as often as not. */
static void destination_leaves(struct history *h, unsigned to)
{
    struct actor *a = &h->w->actors[to];
    if (!a->joined)
        return;
    if (pick(h->w, 2))
        ssi_sim_pdr_cut(h->w->sim, to, true);
    actor_leave(a);
    h->sum.leaves++;
}

/* A relocation whose guest stands still is hurt on purpose: chance hardly meets that time. */
static void hurt(struct history *h, struct actor *a, const struct rlobk *r)
{
    struct world *w = h->w;
    const unsigned to = (unsigned)(r->v.to[1] - '0');
    const char *user = users[r->v.user[5] - '1'];
    switch (pick(w, 17)) {
    case 0:
        ssi_sim_crash(w->sim, pick(w, 2) ? a->slot : to);
        h->faults.crashes++;
        break;
    case 1 ... 2: ssi_sim_cut(w->sim, a->slot, to); break;
    case 3: ssi_sim_stall(w->sim, a->slot, to, true); break;
    case 4: ssi_sim_stall_way(w->sim, pick(w, 2) ? a->slot : to, to, true); break;
    case 5: ssi_sim_freeze(w->sim, pick(w, 2) ? a->slot : to, true); break;
    case 6 ... 7: ssi_sim_pdr_fault(w->sim, SIM_FAULT_GONE, 1); break;
    case 8: ssi_sim_pdr_fault(w->sim, (enum ssi_sim_fault)(1 + pick(w, 6)), 1); break;
    case 9: ssi_sim_pdr_cut(w->sim, pick(w, 2) ? a->slot : to, true); break;
    case 10: ssi_sim_flip(w->sim, a->slot, to); break;
    case 11: lgr_cancel(a->lgr, user, LGR_CANCELLED, "canceled"); break;
    case 12: lgr_guest_reset(a->lgr, user); break;
    case 13: ssi_sim_pdr_hold(w->sim, pick(w, 13000)); break;
    case 14 ... 15: destination_leaves(h, to); break;
    default: user_logoff(a, (unsigned)(user[5] - '1')); break;
    }
    h->sum.hurt++;
}

static void hurt_one(struct history *h)
{
    struct world *w = h->w;
    for (unsigned s = 0; s < w->n; s++) {
        struct actor *a = &w->actors[s];
        if (!a->lgr || ssi_sim_is_frozen(w->sim, s))
            continue;
        for (const struct rlobk *r = a->lgr->active; r; r = r->next)
            if (!r->v.incoming && r->quiesced && pick(w, 80) == 0) {
                hurt(h, a, r);
                return;
            }
    }
}

/* --- a history --- */

static void step(struct history *h)
{
    struct world *w = h->w;
    world_step(w);
    h->sum.events++;
    check(h);
    if (!w->calm)
        hurt_one(h);
    bury_dead(w);
    check(h);
    if (ssi_sim_now_ms(w->sim) < w->next_op_ms)
        return;
    w->next_op_ms = ssi_sim_now_ms(w->sim) + pick(w, 60);
    act(h);
    bury_dead(w);
    check(h);
    if (!w->calm)
        calamity(h);
    bury_dead(w);
    check(h);
}

static void calm(struct history *h)
{
    struct world *w = h->w;
    u64 until = ssi_sim_now_ms(w->sim) + CALM_MS_MAX;
    w->calm = true;
    sim_faults_heal(&h->faults);
    while (world_unrest(w) && ssi_sim_now_ms(w->sim) < until)
        step(h);
    world_check_calm(w);
}

static void add_up(struct lgr_history_sum *to, const struct history *h)
{
    struct lgr_history_sum now = h->sum;
    const struct sim_faults *f = &h->faults;
    const u64 *from = (const u64 *)&now;
    now.histories = 1;
    now.crashes = f->crashes;
    now.partitions = f->partitions;
    now.one_way = f->one_way;
    now.slow = f->slow;
    now.frozen = f->frozen;
    now.pdr_faults = f->pdr_faults;
    now.pdr_cuts = f->pdr_cuts;
    now.moves = h->w->moves;
    now.resumed = h->w->resumed;
    now.joins = h->w->joins;
    now.expelled = h->w->expelled;
    now.logons = h->w->logons;
    now.asked = h->w->exits_asked;
    for (size_t i = 0; i < sizeof now / sizeof *from; i++)
        ((u64 *)to)[i] += from[i];
}

void lgr_history_run(u64 seed, enum world_plant plant, bool verbose, int fault_fd,
                     struct lgr_history_sum *sum)
{
    struct history *h = calloc(1, sizeof *h);
    struct world *w = h->w = world_create(seed, 2);
    w->n = 2 + (unsigned)pick(w, 2) + (unsigned)pick(w, 2);
    for (unsigned s = 0; s < w->n; s++)
        w->actors[s] = (struct actor){.world = w, .slot = s};
    w->store_bytes = SMALL_BYTES;
    w->brisk = true;
    w->apart = pick(w, 2);
    w->unchecked = pick(w, 4) == 0;
    w->smooth = pick(w, 2);
    w->exits = pick(w, 2);
    w->plant = plant;
    w->fault_fd = fault_fd;
    w->last_words = check_history;
    w->last_ctx = h;
    ssi_sim_verbose(w->sim, verbose);
    h->faults = (struct sim_faults){.sim = w->sim, .n = w->n};
    look(h);
    while (ssi_sim_now_ms(w->sim) < CHAOS_MS)
        step(h);
    calm(h);
    add_up(sum, h);
    world_destroy(w);
    free(h);
}

static void in_child(u64 seed, enum world_plant plant, int fd)
{
    struct lgr_history_sum sum = {0};
    if (!freopen("/dev/null", "w", stderr))
        _exit(3);
    lgr_history_run(seed, plant, false, fd, &sum);
    _exit(0);
}

bool lgr_history_holds(u64 seed, enum world_plant plant, char fault[256])
{
    int fd[2], status = 0;
    ck_assert(pipe(fd) == 0);
    pid_t child = fork();
    ck_assert(child >= 0);
    if (!child)
        in_child(seed, plant, fd[1]);
    close(fd[1]);
    ssize_t n = read(fd[0], fault, 255);
    close(fd[0]);
    ck_assert(waitpid(child, &status, 0) == child);
    fault[n > 0 ? n : 0] = 0;
    if (n <= 0 && status)
        snprintf(fault, 256, "%s %d", WIFSIGNALED(status) ? "assertion: signal" : "exit status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return !status;
}

void lgr_history_say(const struct lgr_history_sum *sum)
{
    static const char *const names[] = {
        "histories",        "events",          "joins",         "leaves",       "crashes",
        "expelled",         "partitions",      "one-way",       "slow",         "frozen",
        "PDR faults",       "PDR cuts",        "bytes flipped", "hurt",         "logons",
        "relocations",      "resumed",         "in doubt",      "told by both", "other code",
        "exits asked",      "completed",       "cancelled",     "CPHX",         "link lost",
        "over MAXTOTAL",    "over MAXQUIESCE", "not eligible",  "guest gone",   "internal",
        "rejected by exit", "code 10",         "exit failed"};
    const u64 *counts = (const u64 *)sum;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        fprintf(stderr, "%s%llu %s", i ? ", " : "", (unsigned long long)counts[i], names[i]);
    fprintf(stderr, "\n");
}
