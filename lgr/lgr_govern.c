/* The dirty governor: while it is on, first stores of the guest into frames are rationed
 * (mem/storage.h). Tokens are given for what the pass sends, so that the frames dirtied in a pass
 * are a part of those sent in it: the bound is kept by counting, at any speed of the link.
 * Fetches, and stores into frames that are dirty already, run as ever. When the link stands still
 * the guest is given, bit by bit, what the pass will grant anyhow: it runs slowly, but it runs. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#define GOVERN_TICK_MS 20
#define GOVERN_STALL_TICKS 5    /* without a grant: the link stands still */
#define GOVERN_STALL_FRAMES 128 /* what is advanced then */

static u64 count(const _Atomic u64 *value)
{
    return atomic_load(value);
}

/* What it has cost until now, into the view. */
static void account(struct rlobk *r)
{
    const struct storage_ration *ration = &r->st->ration;
    u64 now = lgr_now(r->lgr);
    if (r->govern.on)
        r->v.governed.ns += now - r->govern.since_ns;
    r->govern.since_ns = now;
    r->v.governed.waits = count(&ration->refused) - r->govern.before.waits;
    r->v.governed.waited_ns = count(&ration->waited_ns) - r->govern.before.waited_ns;
    r->v.governed.dirtied = count(&ration->taken) - r->govern.before.dirtied;
}

static void grant(struct rlobk *r, u64 frames)
{
    r->govern.granted += frames;
    r->tally.allowed = r->govern.granted;
    storage_ration_add(r->st, frames);
    r->lgr->guests->stores_go_on(r->lgr->guests_ctx, r->guest);
}

void govern_pass(struct rlobk *r)
{
    const struct storage_ration *ration = &r->st->ration;
    if (!r->govern.passes++)
        r->govern.before = (struct lgr_governed){
            0, count(&ration->refused), count(&ration->waited_ns), count(&ration->taken)};
    account(r);
    r->govern.on = true;
    r->govern.granted = r->govern.idle_ticks = 0;
    r->govern.pass_refused = count(&ration->refused);
    r->tally.governed = true;
    storage_ration_start(r->st, 0);
    grant(r, lgr_plan_tokens(0));
    rlo_timer(r, TIMER_GOVERN, GOVERN_TICK_MS);
}

/* For what has left this member; what waits for the link does not count yet. */
void govern_sent(struct rlobk *r)
{
    u64 sent = r->tally.pages + r->tally.zeros + r->tally.equals;
    u64 waits = ssi_backlog(r->lgr->ssi, rlo_peer(r), LGR_SSI_SERVICE) / FRAME_BYTES;
    u64 due = lgr_plan_tokens(sent > waits ? sent - waits : 0);
    if (!r->govern.on || due <= r->govern.granted)
        return;
    grant(r, due - r->govern.granted);
    r->govern.idle_ticks = 0;
}

void govern_tick(struct rlobk *r)
{
    if (!r->govern.on)
        return;
    account(r);
    rlo_timer(r, TIMER_GOVERN, GOVERN_TICK_MS);
    r->govern.idle_ticks++;
    govern_sent(r);
    if (r->govern.idle_ticks < GOVERN_STALL_TICKS)
        return;
    grant(r, GOVERN_STALL_FRAMES);
    r->govern.idle_ticks = 0;
}

void govern_collect(struct rlobk *r)
{
    if (r->govern.on)
        storage_ration_start(r->st, 0);
}

void govern_account(struct rlobk *r, u64 dirtied)
{
    struct lgr_pass *pass = r->v.pass_count ? &r->v.passes[r->v.pass_count - 1] : NULL;
    if (!pass || pass->quiesced)
        return;
    pass->dirtied = dirtied;
    if (!pass->governed)
        return;
    pass->allowed = r->govern.granted;
    pass->waits = count(&r->st->ration.refused) - r->govern.pass_refused;
    account(r);
}

void govern_end(struct rlobk *r)
{
    if (!r->govern.on || !r->guest)
        return;
    account(r);
    r->govern.on = false;
    rlo_timer_stop(r, TIMER_GOVERN);
    storage_ration_stop(r->st);
    r->lgr->guests->stores_go_on(r->lgr->guests_ctx, r->guest);
}
