/* A destination that is short of memory has the source wait (HOLD), and go on (GO_ON) when it has
 * twice as much as it was short of. The guest runs at the source meanwhile, not governed. After
 * HOLD_MS_MAX the destination gives the relocation up; a source that hears nothing does, too.
 * Once the guest stands still nothing is held: little is left to come by then. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#define LOOK_BYTES (16u << 20) /* of storage that has come, between two looks */
#define HOLD_POLL_MS 50
#define HOLD_MS_MAX 10000
#define FREE_TIMES 2

static bool short_of_memory(struct lgr *lgr, unsigned times)
{
    struct lgr_room room = {0};
    lgr->guests->room(lgr->guests_ctx, &room);
    return lgr_room_short(&room, times);
}

/* How long it has been held, until now, in the view. */
static void held_account(struct rlobk *r)
{
    u64 now = lgr_now(r->lgr);
    if (r->hold.on)
        r->v.held_ns += now - r->hold.since_ns;
    r->hold.since_ns = now;
}

static void hold(struct rlobk *r, bool on)
{
    held_account(r);
    r->hold.on = on;
    r->v.holds += on;
}

/* --- destination --- */

void dest_hold_look(struct rlobk *r, size_t bytes)
{
    r->hold.unseen += bytes;
    if (r->hold.unseen < LOOK_BYTES || r->hold.on || r->quiesced)
        return;
    r->hold.unseen = 0;
    if (!short_of_memory(r->lgr, 1) || rlo_send(r, LGR_MSG_HOLD, NULL))
        return;
    hold(r, true);
    r->hold.began_ns = lgr_now(r->lgr);
    rlo_timer(r, TIMER_HOLD, HOLD_POLL_MS);
}

void dest_hold_tick(struct rlobk *r)
{
    if (!r->hold.on || r->state != RLO_D_MEMORY)
        return;
    held_account(r);
    if (!short_of_memory(r->lgr, FREE_TIMES)) {
        hold(r, false);
        rlo_send(r, LGR_MSG_GO_ON, NULL);
    } else if (lgr_now(r->lgr) - r->hold.began_ns > HOLD_MS_MAX * 1000000ull) {
        dest_fail(r, LGR_NOT_ELIGIBLE, "%s has been short of memory for %u seconds",
                  ssi_member_name(r->lgr->ssi), HOLD_MS_MAX / 1000);
    } else {
        rlo_timer(r, TIMER_HOLD, HOLD_POLL_MS);
    }
}

/* --- source --- */

/* What is on its way arrives all the same. */
void source_hold(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)v;
    (void)data;
    (void)len;
    if (r->quiesced || r->hold.on)
        return;
    hold(r, true);
    govern_end(r);
    if (r->state == RLO_S_PASS)
        rlo_timer(r, TIMER_REPLY, LGR_REPLY_MS);
}

void source_go_on(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)v;
    (void)data;
    (void)len;
    if (!r->hold.on)
        return;
    hold(r, false);
    if (r->state != RLO_S_PASS)
        return;
    rlo_timer_stop(r, TIMER_REPLY);
    rlo_turn_soon(r);
}

bool source_held(struct rlobk *r)
{
    return r->hold.on && !r->quiesced;
}
