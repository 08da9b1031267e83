/* The planner: another pass, quiesce now, slow the guest down, or give up. It predicts how long the
 * guest would stand still, from what it has dirtied and the rate measured end to end, before it
 * is stopped. A guest that would stand still for too long and does not get nearer to less has
 * processor time taken away, step by step, until passes shrink.
 * Source of the rules: VMRELOCATE of z/VM (several passes, a cap of about 8, MAXQUIESCE and
 * MAXTOTAL end a relocation with the guest running at the source); iterative pre-copy. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#define QUIESCE_AIM_NS 5e6   /* stop when the rest is predicted to move within */
#define QUIESCE_FIXED_NS 1e6 /* of every quiesce: state, verification, the PDR */
#define PASSES_MAX 8         /* while the guest runs; two more follow */
#define PASSES_SLOWED_MAX 20 /* the same, of a throttled guest */
#define PASSES_BEFORE_STALL 2
#define CONVERGING_TENTHS 5 /* of the previous pass: with more dirty again it is slowed down */
#define PROGRESS_TENTHS 9   /* no progress: 9/10 of the previous pass are dirty again */
#define MARGIN_TENTHS 8     /* of MAXQUIESCE, when nothing forces a decision */
#define RATE_DEFAULT 0.2    /* bytes per ns until measured */
#define NS_PER_S 1e9

_Static_assert(PASSES_SLOWED_MAX + 2 <= LGR_PASSES_MAX, "passes are written down");

static const u8 throttle_steps[] = {20, 40, 60, 80, 90, 95, 99};

unsigned lgr_throttle_next(unsigned percent)
{
    unsigned i = 0;
    while (i < ARRAY_LEN(throttle_steps) - 1 && throttle_steps[i] <= percent)
        i++;
    return throttle_steps[i];
}

double lgr_plan_quiesce_ns(const struct lgr_plan *p)
{
    double rate = p->bytes_per_ns > 0 ? p->bytes_per_ns : RATE_DEFAULT;
    return QUIESCE_FIXED_NS + (double)p->remaining * FRAME_BYTES / rate;
}

static bool within_maxquiesce(const struct lgr_plan *p, double ns, unsigned tenths)
{
    return p->maxquiesce_s == LGR_NOLIMIT || ns <= p->maxquiesce_s * NS_PER_S / 10 * tenths;
}

/* It is now or never: the limits themselves decide, without a margin. */
static enum lgr_decision decide_now(const struct lgr_plan *p, double ns)
{
    if (!within_maxquiesce(p, ns, 10))
        return LGR_OVER_MAXQUIESCE;
    return ns <= (double)p->total_left_ns ? LGR_QUIESCE_NOW : LGR_OVER_MAXTOTAL;
}

/* So many tenths of the previous pass, or more, are dirty again. */
static bool dirty_again(const struct lgr_plan *p, unsigned tenths)
{
    return p->passes_done >= PASSES_BEFORE_STALL && p->remaining * 10 >= p->previous * tenths;
}

static bool slowest(const struct lgr_plan *p)
{
    return lgr_throttle_next(p->throttle) == p->throttle;
}

/* Not now: does one more pass help enough by itself? */
static enum lgr_decision another_pass(const struct lgr_plan *p)
{
    return dirty_again(p, CONVERGING_TENTHS) && !slowest(p) ? LGR_SLOW_DOWN : LGR_ANOTHER_PASS;
}

/* The last of the passes, or it is as slow as can be and that is of no use. */
static bool no_more_passes(const struct lgr_plan *p)
{
    return p->passes_done >= (p->throttle ? PASSES_SLOWED_MAX : PASSES_MAX) ||
           (slowest(p) && dirty_again(p, PROGRESS_TENTHS));
}

enum lgr_decision lgr_decide(const struct lgr_plan *p)
{
    double ns = lgr_plan_quiesce_ns(p);
    if (p->immediate)
        return decide_now(p, ns);
    if (no_more_passes(p)) {
        enum lgr_decision now = decide_now(p, ns);
        return now == LGR_OVER_MAXQUIESCE && !p->throttle ? LGR_SLOW_DOWN : now;
    }
    if (ns > (double)p->total_left_ns)
        return another_pass(p); /* while MAXTOTAL lasts; the guest is not stopped in vain */
    if (!within_maxquiesce(p, ns, MARGIN_TENTHS))
        return 2 * ns > (double)p->total_left_ns && within_maxquiesce(p, ns, 10)
                   ? LGR_QUIESCE_NOW
                   : another_pass(p);
    bool small = ns <= QUIESCE_AIM_NS + QUIESCE_FIXED_NS;
    return small || 2 * ns > (double)p->total_left_ns || dirty_again(p, PROGRESS_TENTHS)
               ? LGR_QUIESCE_NOW
               : LGR_ANOTHER_PASS;
}
