/* Guests that compute beside a relocation keep their processors. A pass of a guest that runs takes
 * a processor on either side for as long as it lasts: reading, encoding, sending, receiving,
 * storing. Where other guests want those processors, here or at the destination, such a pass goes
 * only as fast as SHARE of the processors can carry it: what it has taken is measured, and nothing
 * is sent until that is SHARE of the time gone. Where processors are left, or nobody else computes,
 * it goes at full speed. So does what keeps the moved guest itself waiting (governed passes, the
 * quiesce), what IMMEDIATE or a MAXTOTAL of which a quarter is gone hurry, and everything after a
 * pass that was spared in vain: its guest dirties faster than so little time can carry.
 * The planner goes by passes without what they waited here (lgr_plan.c). */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#define SHARE 0.05              /* of the processors; what is no pass takes as much again */
#define LOOK_NS 2000000u        /* who computes may have changed, and what has been taken */
#define MAXTOTAL_PARTS 4        /* in the first of which there is time to spare others */
#define VAIN_TENTHS 3           /* of a spared pass that are dirty again */
#define DEBT_NS_MAX 1000000000u /* no single wait is longer */

static u64 loop_ns(const struct rlobk *r)
{
    return r->lgr->ports->cpu_ns(r->lgr->ports->ctx);
}

void lgr_crowd_here(struct lgr *lgr, const void *guest, struct lgr_crowd *out)
{
    *out = (struct lgr_crowd){0};
    if (lgr->guests->crowd)
        lgr->guests->crowd(lgr->guests_ctx, guest, out);
}

/* Do those, the moved guest and our own thread want more processors than there are? */
static bool too_many(const struct lgr_crowd *c, unsigned ours)
{
    return c->others && c->others + c->own + ours > c->processors;
}

bool lgr_crowded(const struct lgr_crowd *here, const struct lgr_crowd *there, bool one_host)
{
    struct lgr_crowd both = *here;
    both.others += there->others;
    return one_host ? too_many(&both, 2) : too_many(here, 1) || too_many(there, 1);
}

/* Is it a pass that nobody waits for? */
static bool leisure(const struct rlobk *r)
{
    u64 gone_ms = (lgr_now(r->lgr) - r->start_ns) / 1000000;
    bool early = r->v.maxtotal_ms == LGR_NOLIMIT || gone_ms < r->v.maxtotal_ms / MAXTOTAL_PARTS;
    return r->lgr->spare && r->lgr->ports->cpu_ns && early && !r->v.immediate &&
           !r->spare.vain && !r->govern.on && !r->tally.quiesced;
}

static unsigned processors(const struct rlobk *r, const struct lgr_crowd *here, bool one_host)
{
    unsigned there = r->spare.there.processors, n = here->processors;
    if (!one_host && there && there < n)
        n = there;
    return n ? n : 1;
}

void spare_pass(struct rlobk *r)
{
    r->spare.debt_ns = 0;
    r->spare.looked_ns = r->spare.wait_ns = 0;
    r->spare.on = false;
}

/* What has been taken since the last look is owed, and the time since is paid. */
static void account(struct rlobk *r, u64 now, u64 taken_ns, double of)
{
    double debt = (double)r->spare.debt_ns + (double)(taken_ns - r->spare.taken_ns) / of -
                  (double)(now - r->spare.looked_ns);
    if (debt < 0)
        debt = 0;
    r->spare.debt_ns = debt > DEBT_NS_MAX ? DEBT_NS_MAX : (u64)debt;
}

void spare_look(struct rlobk *r)
{
    u64 now = lgr_now(r->lgr);
    if (r->spare.wait_ns)
        r->tally.spared_ns += now - r->spare.wait_ns;
    r->spare.wait_ns = 0;
    if (!leisure(r)) {
        spare_pass(r);
        return;
    }
    if (r->spare.looked_ns && now - r->spare.looked_ns < LOOK_NS)
        return;
    struct lgr_crowd here;
    bool one_host = ssi_same_host(r->lgr->ssi, rlo_peer(r)), was_on = r->spare.on;
    u64 taken_ns = loop_ns(r) + r->tally.cpu_ns;
    lgr_crowd_here(r->lgr, r->guest, &here);
    r->spare.on = lgr_crowded(&here, &r->spare.there, one_host);
    if (!r->spare.on)
        r->spare.debt_ns = 0;
    else if (was_on)
        account(r, now, taken_ns, SHARE * processors(r, &here, one_host) / (one_host ? 2 : 1));
    r->spare.looked_ns = now;
    r->spare.taken_ns = taken_ns;
}

u64 spare_ahead_ms(const struct rlobk *r)
{
    u64 gone = r->spare.debt_ns ? lgr_now(r->lgr) - r->spare.looked_ns : 0;
    return r->spare.debt_ns > gone ? (r->spare.debt_ns - gone + 999999) / 1000000 : 0;
}

bool spare_waits(struct rlobk *r)
{
    bool wait = spare_ahead_ms(r);
    if (wait && !r->spare.wait_ns)
        r->spare.wait_ns = lgr_now(r->lgr);
    return wait;
}

bool spare_in_vain(struct rlobk *r, const struct lgr_pass *pass, u64 dirtied)
{
    u64 frames = pass->pages + pass->zeros + pass->equals;
    bool vain = pass->spared_ns && dirtied * 10 > frames * VAIN_TENTHS;
    r->spare.vain |= vain;
    return vain;
}
