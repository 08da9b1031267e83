/* Shares: who is next on a pool of processors.
 * Guarantees: [Q1] while the same users contend, each gets its portion, but for a slice; [Q2] a
 * user gets no portion it cannot use: what its CPUs or its limit leave goes to the others by their
 * shares; [Q3] sleeping, or being held, saves up no claim; [Q4] a hard limit is kept whoever is
 * idle, but for LIMIT_BURST_NS and a slice, a soft one while another who is below his can run.
 * Absolute shares come first, relative ones divide what they leave (at least 1 per cent). */
#include "hyp/dispatch/run_queue.h"

#include "mem/base/ergo.h"

#define ABSOLUTE_SUM_MAX 0.99 /* where relative shares want something, too */
#define PORTION_MIN 1e-6
#define LIMIT_BURST_NS 10000000u /* an idle user may have used so much less than its limit */

/* ---- portions ---- */

struct sums {
    double absolute, relative; /* of those that contend */
};

static struct sums sums_of(const struct run_queue *q)
{
    struct sums s = {0, 0};
    for (const struct rq_user *u = q->contenders; u; u = u->next)
        *(u->share.least.absolute ? &s.absolute : &s.relative) += u->share.least.n;
    s.absolute /= SHARE_ABSOLUTE_MAX;
    return s;
}

/* What relative shares divide. */
static double remainder_of(const struct sums *s)
{
    double most = s->relative > 0 ? ABSOLUTE_SUM_MAX : 1;
    return 1 - (s->absolute < most ? s->absolute : most);
}

static double claim_of(const struct rq_user *u, const struct sums *s)
{
    const struct share_value *v = &u->share.least;
    double most = s->relative > 0 ? ABSOLUTE_SUM_MAX : 1;
    double absolute = (double)v->n / SHARE_ABSOLUTE_MAX;
    if (!v->absolute)
        return remainder_of(s) * v->n / s->relative;
    return s->absolute > most ? absolute * most / s->absolute : absolute;
}

/* A relative maximum is what that would be as a share, among those that contend. */
static double limit_of(const struct rq_user *u, const struct sums *s)
{
    const struct share_value *v = &u->share.most;
    if (u->share.limit == SHARE_NOLIMIT)
        return 1;
    if (v->absolute)
        return (double)v->n / SHARE_ABSOLUTE_MAX;
    double others = s->relative - (u->share.least.absolute ? 0 : u->share.least.n);
    return remainder_of(s) * v->n / (others + v->n);
}

/* The most it can use: a processor for each CPU. */
static double usable(const struct rq_user *u)
{
    double n = u->runnable, all = u->queue->processors;
    return n < all ? n / all : 1;
}

/* The claims of those whose portion is still open (below 0). */
static double open_claims(const struct run_queue *q, const struct sums *s)
{
    double claims = 0;
    for (const struct rq_user *u = q->contenders; u; u = u->next)
        claims += u->portion < 0 ? claim_of(u, s) : 0;
    return claims;
}

/* Who would get as much as it can use gets that, and takes no part any more [Q2]. */
static bool close_full(struct run_queue *q, const struct sums *s, double unit, double *left,
                       bool limited)
{
    bool any = false;
    for (struct rq_user *u = q->contenders; u; u = u->next) {
        double cap = usable(u);
        cap = limited && u->most < cap ? u->most : cap;
        if (u->portion >= 0 || claim_of(u, s) * unit < cap)
            continue;
        u->portion = cap;
        *left -= cap;
        any = true;
    }
    return any;
}

/* Divide `left` among those that are open by their claims. What is over. */
static double divide(struct run_queue *q, const struct sums *s, double left, bool limited)
{
    double claims = open_claims(q, s);
    while (claims > 0 && left > 0 && close_full(q, s, left / claims, &left, limited))
        claims = open_claims(q, s);
    if (!(claims > 0))
        return left;
    for (struct rq_user *u = q->contenders; u; u = u->next)
        if (u->portion < 0)
            u->portion = left > 0 ? claim_of(u, s) * left / claims : 0;
    return 0;
}

/* Soft limits give way when something is over. */
static void divide_rest(struct run_queue *q, const struct sums *s, double left)
{
    for (struct rq_user *u = q->contenders; u; u = u->next)
        if (u->share.limit == SHARE_LIMITSOFT && u->portion < usable(u)) {
            left += u->portion;
            u->portion = -1;
        }
    divide(q, s, left, false);
}

static void portions_settle(struct run_queue *q)
{
    if (!q->changed && !q->stale)
        return;
    struct sums s = sums_of(q);
    for (struct rq_user *u = q->contenders; u; u = u->next) {
        u->portion = -1;
        u->most = limit_of(u, &s);
        u->counted = u->runnable;
    }
    q->changed = 0;
    q->stale = false;
    double left = divide(q, &s, 1, true);
    if (left > PORTION_MIN)
        divide_rest(q, &s, left);
    for (struct rq_user *u = q->contenders; u; u = u->next)
        if (u->portion < PORTION_MIN)
            u->portion = PORTION_MIN;
}

void rq_processors(struct run_queue *q, unsigned n)
{
    q->processors = n;
    q->stale = true;
}

void rq_set_share(struct rq_user *u, const struct share *share)
{
    u->share = *share;
    u->due_ns = 0;
    u->queue->stale = true;
}

void rq_user_init(struct rq_user *u, struct run_queue *q, const struct share *share)
{
    *u = (struct rq_user){.queue = q, .share = *share, .portion = PORTION_MIN, .most = 1};
}

/* ---- who contends ---- */

static void contend(struct rq_user *u)
{
    struct run_queue *q = u->queue;
    bool does = u->runnable && !u->held;
    if (does == u->contends)
        return;
    u->contends = does;
    q->stale = true;
    if (does) {
        u->counted = u->runnable;
        u->next = q->contenders;
        q->contenders = u;
        u->vtime = u->vtime > q->vclock ? u->vtime : q->vclock; /* [Q3] */
        return;
    }
    struct rq_user **at = &q->contenders;
    while (*at != u)
        at = &(*at)->next;
    *at = u->next;
}

/* One CPU more or less that can run. A CPU that gives its processor back and waits again leaves
 * everything as it was: hence `changed`. */
static void runnable_add(struct rq_user *u, int n)
{
    bool before = u->contends && u->counted != u->runnable;
    u->runnable = (unsigned)((int)u->runnable + n);
    u->queue->changed += (u->contends && u->counted != u->runnable) - (unsigned)before;
    contend(u);
}

void rq_hold(struct rq_user *u, bool held)
{
    u->held = held;
    contend(u);
}

/* ---- the queue ---- */

static bool over(const struct rq_user *u, u64 now_ns)
{
    return u->due_ns > now_ns;
}

void rq_put(struct rq_user *u, struct rq_cpu *c)
{
    PRE(!c->queued);
    *c = (struct rq_cpu){.user = u, .queued = true};
    if (u->first)
        u->last->next = c;
    else
        u->first = c;
    u->last = c;
    runnable_add(u, 1);
}

static void unlink_cpu(struct rq_cpu *c)
{
    struct rq_user *u = c->user;
    struct rq_cpu *before = NULL;
    for (struct rq_cpu *at = u->first; at != c; at = at->next)
        before = at;
    *(before ? &before->next : &u->first) = c->next;
    if (u->last == c)
        u->last = before;
    c->next = NULL;
    c->queued = false;
}

void rq_remove(struct rq_cpu *c)
{
    if (!c->queued)
        return;
    unlink_cpu(c);
    runnable_add(c->user, -1);
}

void rq_prefer(struct rq_cpu *c)
{
    struct rq_user *u = c->user;
    if (!c->queued || u->first == c)
        return;
    unlink_cpu(c);
    c->queued = true;
    c->next = u->first;
    u->first = c;
}

/* The user that is next: of those within their limits, else of those with a soft one. */
static struct rq_user *next_user(const struct run_queue *q, u64 now_ns)
{
    struct rq_user *best = NULL;
    for (struct rq_user *u = q->contenders; u; u = u->next) {
        bool late = over(u, now_ns);
        if (!u->first || (late && u->share.limit == SHARE_LIMITHARD))
            continue;
        bool best_late = best && over(best, now_ns);
        if (!best || late < best_late || (late == best_late && u->vtime < best->vtime))
            best = u;
    }
    return best;
}

static void vclock_settle(struct run_queue *q, u64 now_ns)
{
    u64 least = ~0ull;
    for (const struct rq_user *u = q->contenders; u; u = u->next)
        if (u->vtime < least && !over(u, now_ns))
            least = u->vtime;
    if (least != ~0ull && least > q->vclock)
        q->vclock = least;
}

struct rq_cpu *rq_pick(struct run_queue *q, u64 now_ns)
{
    struct rq_user *u = next_user(q, now_ns);
    if (!u)
        return NULL;
    vclock_settle(q, now_ns);
    struct rq_cpu *c = u->first;
    unlink_cpu(c);
    return c;
}

/* Limits are kept by a bucket that leaks at the rate of the limit. */
static void limit_charge(struct rq_user *u, u64 used_ns, u64 now_ns)
{
    if (u->share.limit == SHARE_NOLIMIT)
        return;
    u64 from = now_ns > LIMIT_BURST_NS ? now_ns - LIMIT_BURST_NS : 0;
    double rate = u->most * u->queue->processors;
    u->due_ns = u->due_ns > from ? u->due_ns : from;
    u->due_ns += (u64)((double)used_ns / (rate > PORTION_MIN ? rate : PORTION_MIN));
}

void rq_ran(struct rq_cpu *c, u64 used_ns, u64 now_ns)
{
    struct rq_user *u = c->user;
    if (u->contends) {
        portions_settle(u->queue);
        u->vtime += (u64)((double)used_ns / u->portion);
    }
    limit_charge(u, used_ns, now_ns);
    runnable_add(u, -1);
}

bool rq_ready(struct run_queue *q, u64 now_ns)
{
    return next_user(q, now_ns);
}

bool rq_limited(const struct rq_user *u, u64 now_ns)
{
    return u->first && u->share.limit == SHARE_LIMITHARD && over(u, now_ns);
}

u64 rq_due(struct run_queue *q, u64 now_ns)
{
    u64 due = ~0ull;
    for (const struct rq_user *u = q->contenders; u; u = u->next)
        if (rq_limited(u, now_ns) && u->due_ns < due)
            due = u->due_ns;
    return due;
}
