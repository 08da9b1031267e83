/* A run queue that holds shares: which CPU is next on a pool of like processors.
 * Users (virtual machines) are ordered by the processor time they have had, divided by the portion
 * of the pool they are due; of one user's CPUs the one that has waited longest runs first.
 * Without locks, threads or clocks: the caller has the lock and says what time it is. */
#ifndef ENDICOTT_HYP_DISPATCH_RUN_QUEUE_H
#define ENDICOTT_HYP_DISPATCH_RUN_QUEUE_H

#include "hyp/dispatch/share.h"

struct run_queue;

/** A CPU as the queue sees it; part of something larger. */
struct rq_cpu {
    struct rq_cpu *next;
    struct rq_user *user; /* set by rq_put */
    bool queued;
};

/** A virtual machine in one queue. */
struct rq_user {
    struct run_queue *queue;
    struct share share;
    struct rq_user *next; /* those that contend */
    bool contends, held;
    struct rq_cpu *first, *last; /* CPUs that wait for a processor */
    unsigned runnable;           /* these, and those on a processor */
    unsigned counted;            /* what `portion` was made from */
    double portion;              /* of the pool, 0 to 1, while it contends */
    double most;                 /* of the pool by its limit; 1 = no limit */
    u64 vtime;                   /* processor time had, divided by portion */
    u64 due_ns;                  /* it has had what its limit allows until then */
};

struct run_queue {
    struct rq_user *contenders;
    unsigned processors;
    unsigned changed; /* contenders with counted != runnable */
    bool stale;       /* portions are to be made anew */
    u64 vclock;       /* least vtime of a contender; does not go back */
};

/** Another number of processors in the pool; 0: it has none. */
void rq_processors(struct run_queue *q, unsigned n);
void rq_user_init(struct rq_user *u, struct run_queue *q, const struct share *share);
/** From now on; what it has had before counts as it did. */
void rq_set_share(struct rq_user *u, const struct share *share);
/** A held user's CPUs stay where they are and none is picked; it has no claim meanwhile. */
void rq_hold(struct rq_user *u, bool held);

/** A CPU of this user waits for a processor from now on, behind the user's others. */
void rq_put(struct rq_user *u, struct rq_cpu *c);
/** Waits no more, if it did. */
void rq_remove(struct rq_cpu *c);
/** Before the user's others, if it waits. */
void rq_prefer(struct rq_cpu *c);
/** The next for a processor, taken out; NULL: none may run now. */
struct rq_cpu *rq_pick(struct run_queue *q, u64 now_ns);
/** A picked CPU gives its processor back, having used so much time. */
void rq_ran(struct rq_cpu *c, u64 used_ns, u64 now_ns);
/** Would rq_pick find one? */
bool rq_ready(struct run_queue *q, u64 now_ns);
/** Does it wait for its hard limit? */
bool rq_limited(const struct rq_user *u, u64 now_ns);
/** When the first that waits for its hard limit only may run; ~0: none does. */
u64 rq_due(struct run_queue *q, u64 now_ns);

#endif
