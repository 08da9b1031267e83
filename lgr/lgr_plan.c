/* The planner: another pass, quiesce now, or give up. It predicts how long the guest would stand
 * still, from what it has dirtied and the rate measured end to end, before it is stopped.
 * Source of the rules: VMRELOCATE of z/VM (several passes, a cap of about 8, MAXQUIESCE and
 * MAXTOTAL end a relocation with the guest running at the source); iterative pre-copy. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#define QUIESCE_AIM_NS 5e6   /* stop when the rest is predicted to move within */
#define QUIESCE_FIXED_NS 1e6 /* of every quiesce: state, verification, the PDR */
#define PASSES_MAX 8         /* while the guest runs; two more follow */
#define PASSES_BEFORE_STALL 2
#define PROGRESS_TENTHS 9 /* no progress: 9/10 of the previous pass are dirty again */
#define MARGIN_TENTHS 8   /* of MAXQUIESCE, when nothing forces a decision */
#define RATE_DEFAULT 0.2  /* bytes per ns until measured */
#define NS_PER_S 1e9

_Static_assert(PASSES_MAX + 2 <= LGR_PASSES_MAX, "passes are written down");

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

enum lgr_decision lgr_decide(const struct lgr_plan *p)
{
    double ns = lgr_plan_quiesce_ns(p);
    bool stalled = p->passes_done >= PASSES_BEFORE_STALL &&
                   p->remaining * 10 >= p->previous * PROGRESS_TENTHS;
    if (p->immediate || p->passes_done >= PASSES_MAX)
        return decide_now(p, ns);
    if (ns > (double)p->total_left_ns)
        return LGR_ANOTHER_PASS; /* while MAXTOTAL lasts; the guest is not stopped in vain */
    if (ns <= QUIESCE_AIM_NS + QUIESCE_FIXED_NS || 2 * ns > (double)p->total_left_ns)
        return within_maxquiesce(p, ns, 10) ? LGR_QUIESCE_NOW : LGR_ANOTHER_PASS;
    return stalled && within_maxquiesce(p, ns, MARGIN_TENTHS) ? LGR_QUIESCE_NOW
                                                              : LGR_ANOTHER_PASS;
}
