/* The planner: another pass, a governed one, quiesce now, or give up. It predicts how long the
 * guest would stand still from what it has dirtied, what sending a frame has taken end to end, and
 * what a quiesce costs besides, before the guest is stopped. A guest that dirties more than
 * GOVERN_TENTHS of a pass while it is sent is governed: each pass then leaves that part of the one
 * before, whatever the guest does, so passes get as short as is wanted.
 * Source of the rules: VMRELOCATE of z/VM (several passes, MAXQUIESCE and MAXTOTAL end a relocation
 * with the guest running at the source); iterative pre-copy. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

/* Of sending what is left, or half of what a quiesce costs besides: more passes gain nothing. */
#define QUIESCE_WISH_NS 2e6
#define QUIESCE_FIXED_NS 1.5e6 /* of every quiesce until it has been measured */
#define FIXED_NS_LEAST 2e5
#define FIXED_NS_MOST 1e9
#define PASSES_MAX 20          /* while the guest runs; four more may follow */
#define GOVERN_TENTHS 3        /* of a pass that the guest may dirty while it is sent */
#define GOVERN_FRAMES 64       /* that it always may */
#define GOVERNED_NS_MAX 10e9   /* longer than this only for MAXQUIESCE */
#define PROGRESS_TENTHS 9      /* no progress: 9/10 of the previous pass are dirty again ... */
#define PASSES_BEFORE_STALL 3  /* ... after so many governed ones */
#define MARGIN_TENTHS 8        /* of MAXQUIESCE, when nothing forces a decision */
#define FRAME_NS_DEFAULT 20480 /* until measured: 200 MB/s */
#define SAMPLE_FRAMES 256      /* of a pass whose pace counts */
#define NS_PER_MS 1e6
#define MARKS_PER_FRAME 16 /* zeros cost so much less */

_Static_assert(PASSES_MAX + 4 <= LGR_PASSES_MAX, "passes are written down");

u64 lgr_plan_tokens(u64 frames)
{
    return GOVERN_FRAMES + frames * GOVERN_TENTHS / 10;
}

double lgr_plan_pace(double ns_per_frame, const struct lgr_pass *pass)
{
    u64 frames = pass->pages + (pass->equals + pass->zeros) / MARKS_PER_FRAME;
    if (frames < SAMPLE_FRAMES || pass->ns <= pass->spared_ns)
        return ns_per_frame;
    double now = (double)(pass->ns - pass->spared_ns) / (double)frames;
    return ns_per_frame > 0 ? (ns_per_frame + now) / 2 : now;
}

static double send_ns(u64 frames, double ns_per_frame)
{
    return (double)frames * (ns_per_frame > 0 ? ns_per_frame : FRAME_NS_DEFAULT);
}

u64 lgr_plan_fixed_ns(u64 fixed_ns, const struct lgr_view *done, double ns_per_frame)
{
    double rest = (double)done->quiesce_ns;
    for (unsigned i = 0; i < done->pass_count; i++)
        if (done->passes[i].quiesced)
            rest -= send_ns(done->passes[i].pages, ns_per_frame);
    rest = rest > FIXED_NS_LEAST ? rest : FIXED_NS_LEAST;
    rest = rest < FIXED_NS_MOST ? rest : FIXED_NS_MOST;
    return fixed_ns ? (u64)(((double)fixed_ns + rest) / 2) : (u64)rest;
}

double lgr_plan_quiesce_ns(const struct lgr_plan *p)
{
    return (p->fixed_ns ? (double)p->fixed_ns : QUIESCE_FIXED_NS) +
           send_ns(p->remaining, p->ns_per_frame);
}

static bool within_maxquiesce(const struct lgr_plan *p, double ns, unsigned tenths)
{
    return p->maxquiesce_ms == LGR_NOLIMIT ||
           ns <= (double)p->maxquiesce_ms * NS_PER_MS / 10 * tenths;
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
    return p->remaining * 10 > p->previous * tenths;
}

/* The last of the passes, or governing is of no use: the stores cannot wait. */
static bool no_more_passes(const struct lgr_plan *p)
{
    return p->passes_done >= PASSES_MAX ||
           (p->governed >= PASSES_BEFORE_STALL && dirty_again(p, PROGRESS_TENTHS));
}

/* Not now. A guest that is governed stays so: how much it would dirty is not known any more. */
static enum lgr_decision next_pass(const struct lgr_plan *p)
{
    bool govern = p->governed || (dirty_again(p, GOVERN_TENTHS) && !p->in_vain);
    return govern ? LGR_GOVERN_PASS : LGR_ANOTHER_PASS;
}

/* The length of a pass that costs no more than a quiesce does anyhow. */
static bool is_small(const struct lgr_plan *p)
{
    double wish = (double)p->fixed_ns / 2;
    return send_ns(p->remaining, p->ns_per_frame) <=
           (wish > QUIESCE_WISH_NS ? wish : QUIESCE_WISH_NS);
}

bool lgr_plan_time_for_pass(const struct lgr_plan *p)
{
    return is_small(p) && 3 * lgr_plan_quiesce_ns(p) <= (double)p->total_left_ns;
}

enum lgr_decision lgr_decide(const struct lgr_plan *p)
{
    double ns = lgr_plan_quiesce_ns(p);
    if (p->immediate || no_more_passes(p))
        return decide_now(p, ns);
    if (ns > (double)p->total_left_ns || !within_maxquiesce(p, ns, 10))
        return next_pass(p); /* while MAXTOTAL lasts; the guest is not stopped in vain */
    bool hurry = 2 * ns > (double)p->total_left_ns;
    bool enough =
        (double)p->governed_ns > GOVERNED_NS_MAX && within_maxquiesce(p, ns, MARGIN_TENTHS);
    return is_small(p) || hurry || enough ? LGR_QUIESCE_NOW : next_pass(p);
}
