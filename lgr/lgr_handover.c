/* Stage 7: who owns the guest. The one thing that must never go wrong (DESIGN.md section 8).
 * [I1] never on two members: the source stays quiesced from before READY until the PDR says
 *      "not moved" (source_stay) or for ever (source_moved); the destination runs only after it
 *      has read its own name in the PDR (dest_resolve).
 * [I4] ssi_move_claim is called here and nowhere else. [I5] a destination that is READY discards
 *      only when the PDR shows that the claim was not moved to it and cannot be any more. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#include <stdlib.h>

/* Source: the guest belongs to the destination now; nothing of it may run here. */
static void source_let_go(struct rlobk *r)
{
    struct lgr *lgr = r->lgr;
    void *guest = r->guest;
    rlo_pages_stop(r);
    r->guest = NULL;
    r->quiesced = false;
    rlo_timer_stop(r, TIMER_TOTAL);
    rlo_timer_stop(r, TIMER_QUIESCE);
    rlo_timer_stop(r, TIMER_TURN);
    if (guest)
        lgr->guests->depart(lgr->guests_ctx, guest);
    rlo_at(r, LGR_AT_S_GONE);
}

static void source_moved(struct rlobk *r, u64 generation)
{
    const struct lgr_values v = {.generation = generation};
    r->claim = generation;
    r->moved_ns = lgr_now(r->lgr);
    rlo_at(r, LGR_AT_S_MOVED);
    r->v.quiesce_ns = r->moved_ns - r->quiesce_ns;
    rlo_go(r, RLO_S_MOVED);
    if (r->guest) /* before the destination is told, so that it need not wait */
        r->lgr->guests->let_go(r->lgr->guests_ctx, r->guest);
    rlo_at(r, LGR_AT_S_DISKS);
    bool sent = rlo_send(r, LGR_MSG_COMMIT, &v) == ST_OK;
    rlo_at(r, LGR_AT_S_COMMIT);
    source_let_go(r); /* takes its time: storage is given back */
    if (sent && !r->link_lost)
        rlo_timer(r, TIMER_REPLY, LGR_RESUMED_WAIT_MS);
    else
        rlo_end(r, LGR_COMPLETED, "%s", ""); /* the destination finds it in the PDR */
}

/* Another member writes the PDR: until when is it waited for? MAXQUIESCE goes on, too. */
static bool source_waits(struct rlobk *r)
{
    u64 now = lgr_now(r->lgr);
    if (!r->locked_ns)
        r->locked_ns = now;
    if (now - r->locked_ns >= LGR_LOCKED_MS * 1000000ull)
        return false;
    rlo_timer_stop(r, TIMER_REPLY); /* it has come */
    rlo_timer(r, TIMER_TURN, LGR_LOCKED_POLL_MS);
    return true;
}

/* THE POINT OF NO RETURN. The destination holds and has verified everything. */
static void source_move(struct rlobk *r)
{
    struct cause cause = {0};
    u64 generation = 0;
    PRE(r->quiesced && r->guest && r->state == RLO_S_VERIFY);
    int rc = ssi_move_claim(r->lgr->ssi, LGR_CLAIM_KIND, r->v.user, r->claim, r->v.to,
                            &generation, &cause);
    if (rc == ST_OK) {
        source_moved(r, generation);
    } else if (rc == ST_LOST) {
        rlo_go(r, RLO_S_DOUBT);
        rlo_timer(r, TIMER_TURN, LGR_DOUBT_POLL_MS);
    } else if (rc != ST_BUSY || !source_waits(r)) { /* certainly not moved */
        source_stay(r, LGR_INTERNAL, "ownership cannot be moved: %s", cause.text);
    }
}

void source_hand_over(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)data;
    (void)len;
    rlo_at(r, LGR_AT_S_READY);
    if (v->digest == r->digest && r->rechecked)
        source_move(r);
    else
        source_stay(r, LGR_INTERNAL,
                    r->rechecked ? "%s has verified another storage" : "%s owes its verdict",
                    r->v.to);
}

/* READY has come, and the PDR was locked. */
void source_hand_again(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    (void)v;
    (void)data;
    (void)len;
    if (r->locked_ns)
        source_move(r);
}

/* In doubt: the PDR knows. Until it answers, the guest stands still here. */
void source_resolve(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    char owner[SSI_NAME_BYTES] = "";
    u64 generation = 0;
    (void)v;
    (void)data;
    (void)len;
    int rc = ssi_claim_find(r->lgr->ssi, LGR_CLAIM_KIND, r->v.user, owner, &generation);
    if (rc != ST_OK && rc != ST_NOENT) {
        rlo_timer(r, TIMER_TURN, LGR_DOUBT_POLL_MS);
    } else if (rc ==
               ST_NOENT) { /* it went there, and that member is gone; or we are expelled */
        source_let_go(r);
        rlo_end(r, LGR_INTERNAL, "nobody owns %s any more", r->v.user);
    } else if (!strcmp(owner, ssi_member_name(r->lgr->ssi))) {
        rlo_go(r, RLO_S_VERIFY);
        source_stay(r, LGR_INTERNAL, "ownership was not moved: the PDR could not be written");
    } else {
        source_moved(r, generation);
    }
}

/* The destination runs the guest. Its clock is ours when it lies between COMMIT and now. */
void source_resumed(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    u64 now = lgr_now(r->lgr), resumed = now;
    rlo_at(r, LGR_AT_S_RESUMED);
    (void)data;
    (void)len;
    if (r->state == RLO_S_MOVED && v->resumed_ns >= r->moved_ns && v->resumed_ns <= now)
        resumed = v->resumed_ns;
    r->v.quiesce_ns = resumed - r->quiesce_ns;
    r->lgr->fixed_ns = lgr_plan_fixed_ns(r->lgr->fixed_ns, &r->v, r->ns_per_frame);
    source_let_go(r);
    rlo_end(r, LGR_COMPLETED, "%s", "");
}

void source_link_lost(struct rlobk *r)
{
    r->link_lost = true;
    if (rlo_may_cancel(r))
        source_stay(r, LGR_LINK_LOST, "the connection with %s is lost", r->v.to);
    else if (r->state == RLO_S_MOVED)
        rlo_end(r, LGR_COMPLETED, "%s", "");
}

void source_answer_unknown(struct lgr *lgr, const char *from, const struct lgr_head *head,
                           u16 type)
{
    u8 bytes[LGR_HEAD_BYTES];
    struct codec_out out;
    const struct lgr_head h = {head->id, LGR_WIRE_VERSION, 7, 0};
    const struct lgr_values v = {.code = LGR_LINK_LOST, .text = "it has ended at the source"};
    if (type != LGR_MSG_ASK)
        return;
    lgr_head_store(bytes, &h);
    codec_out_init(&out);
    lgr_values_put(&out, LGR_MSG_ABORT, &v);
    const struct ssi_iov iov[2] = {{bytes, sizeof bytes}, {out.data, out.len}};
    ssi_send_vec(lgr->ssi, from, LGR_SSI_SERVICE, LGR_MSG_ABORT, iov, 2);
    codec_out_fini(&out);
}

/* --- destination --- */

/* [I1] The PDR names us: the guest runs here, and nowhere else. */
static void dest_run(struct rlobk *r, u64 generation)
{
    struct lgr *lgr = r->lgr;
    void *guest = r->guest;
    r->guest = NULL;
    r->claim = generation;
    rlo_at(r, LGR_AT_D_OWNER);
    rlo_go(r, RLO_D_DISKS);
    rlo_timer_stop(r, TIMER_TURN);
    lgr->guests->run(lgr->guests_ctx, guest, generation);
}

void dest_runs(struct rlobk *r)
{
    rlo_at(r, LGR_AT_D_RUNS);
    const struct lgr_values v = {.resumed_ns = lgr_now(r->lgr)};
    r->v.quiesce_ns = v.resumed_ns - r->quiesce_ns;
    rlo_send(r, LGR_MSG_RESUMED, &v);
    rlo_end(r, LGR_COMPLETED, "%s", "");
}

void dest_commit(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    rlo_at(r, LGR_AT_D_COMMIT);
    dest_resolve(r, v, data, len);
}

void dest_abort_ready(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    r->aborted = true;
    dest_resolve(r, v, data, len);
}

/* This member's claims have been dropped, that of the guest with them if it was handed over. */
static void dest_unknown(struct rlobk *r)
{
    dest_discard(r, LGR_INTERNAL, "%s: " LGR_NOT_KNOWN, ssi_member_name(r->lgr->ssi));
}

/* It belongs to the source still, which may have given up without our having heard. Then it knows
 * nothing of it, and says so; if not, it keeps silent. */
static void dest_wait(struct rlobk *r, bool ask)
{
    if (ask && !r->link_lost)
        rlo_send(r, LGR_MSG_ASK, NULL);
    rlo_timer(r, TIMER_TURN, r->link_lost ? LGR_DOUBT_POLL_MS : LGR_READY_POLL_MS);
}

void dest_resolve(struct rlobk *r, const struct lgr_values *v, const u8 *data, size_t len)
{
    char owner[SSI_NAME_BYTES] = "";
    u64 generation = 0;
    (void)v;
    (void)data;
    (void)len;
    PRE(r->state == RLO_D_READY && r->restored);
    struct ssi *ssi = r->lgr->ssi;
    int rc = ssi_claim_find(ssi, LGR_CLAIM_KIND, r->v.user, owner, &generation);
    bool still = rc == ST_OK && !strcmp(owner, r->v.from) && generation == r->claim;
    bool over = r->aborted || r->lgr->leaving; /* the source cannot hand it over any more */
    if (rc == ST_OK && !strcmp(owner, ssi_member_name(ssi)) && generation > r->claim)
        dest_run(r, generation);
    else if (rc == ST_NOENT && !ssi_counts(ssi) && !r->lgr->settled)
        dest_unknown(r);
    else if ((rc != ST_OK && rc != ST_NOENT) || (still && !over))
        dest_wait(r, still);
    else
        dest_discard(r, r->link_lost ? LGR_LINK_LOST : LGR_CANCELLED,
                     "%s has kept the guest, or is gone with it", r->v.from);
}

/* What has been handed over to a member that leaves is its own while the PDR says so, and logged
 * off with it; what has not been is the source's, for no claim can be moved here any more [I5]. */
bool dest_settle_all(struct lgr *lgr)
{
    bool all = true;
    lgr->leaving = true;
    for (struct rlobk *r = lgr->active, *next; r; r = next) {
        next = r->next;
        if (r->state != RLO_D_READY)
            continue;
        dest_resolve(r, NULL, NULL, 0);
        all = all && r->state != RLO_D_READY;
    }
    lgr->settled = lgr->settled || all;
    return lgr->settled;
}

void dest_ends(struct rlobk *r)
{
    if (r->state == RLO_D_DISKS)
        rlo_end(r, LGR_COMPLETED, "%s", "");
    else if (rlo_may_cancel(r))
        dest_fail(r, LGR_INTERNAL, "%s is ending", ssi_member_name(r->lgr->ssi));
    else if (r->lgr->settled)
        dest_discard(r, LGR_INTERNAL, "%s is ending", ssi_member_name(r->lgr->ssi));
    else
        dest_unknown(r);
}

void dest_link_lost(struct rlobk *r, bool down)
{
    (void)down;
    r->link_lost = true;
    if (r->state == RLO_D_READY)
        dest_resolve(r, NULL, NULL, 0);
    else if (r->state != RLO_D_DISKS)
        dest_discard(r, LGR_LINK_LOST, "the connection with %s is lost", r->v.from);
}

void dest_link_back(struct rlobk *r)
{
    r->link_lost = false;
    if (r->state == RLO_D_READY)
        rlo_send(r, LGR_MSG_ASK, NULL);
}
