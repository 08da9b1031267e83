/* How far the destination's clock is ahead of the source's. The guest's TOD clock is its host's
 * plus an offset: the difference is taken out of it when it moves (hyp/vm_clock.h), so that the
 * guest sees the time that has passed and nothing else.
 * A question is OFFER or SKELETON, whose answer tells when the one came and the other went, as the
 * clock of the destination has it (as in NTP, RFC 5905 chapter 8). What the way there and the way
 * back differ in is the error, half the round trip at most: of several answers the quickest counts.
 * Members on one host have one clock, and one of an older release tells none: the difference is 0,
 * and the guest's clock still never goes back. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

u64 lgr_wall(const struct lgr *lgr)
{
    return lgr->ports->wall_ns ? lgr->ports->wall_ns(lgr->ports->ctx) : 0;
}

void lgr_clock_asked(struct rlobk *r, u16 type)
{
    if ((type == LGR_MSG_OFFER || type == LGR_MSG_SKELETON) && !r->clock.asked_ns)
        r->clock.asked_ns = lgr_wall(r->lgr);
}

void lgr_clock_told(struct rlobk *r, const struct lgr_values *v)
{
    u64 there = v->clock_in - r->clock.asked_ns; /* and the difference */
    u64 back = lgr_wall(r->lgr) - v->clock_out;  /* less it */
    u64 round = there + back;
    bool asked = r->clock.asked_ns;
    if (!v->clock_out)
        return;
    r->clock.asked_ns = 0;
    if (!asked || round > LGR_CLOCK_ROUND_NS_MAX || ssi_same_host(r->lgr->ssi, r->v.to) ||
        (r->clock.known && round >= r->clock.round_ns))
        return;
    r->clock.known = true;
    r->clock.round_ns = round;
    r->clock.ahead_ns = (s64)(there - back) / 2;
}
