/* Leaving the cluster in order, driven from ssi_tick.
 *
 *   LEAVE_START  nobody else in transition: own row Leaving, LEAVING to all -> LEAVE_WAIT
 *   LEAVE_WAIT   all have answered, and no service waits for what it was given: own row Down, own
 *                claims dropped in one write, LEFT to all
 *   deadline     goes on without the others; without the PDR it ends as a crash would */
#include "ssi/ssi_internal.h"

void ssi_close_all(struct ssi *ssi, bool flush, enum ssi_event event)
{
    const struct ssi_ports *ports = ssi->ports;
    ssi_job_forget(ssi);
    for (unsigned i = 0; i < SSI_LINKS_MAX; i++)
        if (ssi->links[i])
            ssi_link_drop(ssi, ssi->links[i], flush);
    if (ssi->listening)
        ports->listen_stop(ports->ctx);
    if (ssi->life)
        ports->life_drop(ports->ctx, ssi->cfg.slot);
    ssi->listening = ssi->life = ssi->expelled = ssi->alone = false;
    ssi_event(ssi, ssi->cfg.slot, event, "");
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        if (i != ssi->cfg.slot)
            ssi_event(ssi, i, SSI_EV_APART, "");
}

static void leave_finish(struct ssi *ssi, int status, const struct cause *cause)
{
    bool member = ssi->own_state == SSI_LEAVING;
    struct cause copy = *cause;
    copy.status = status;
    ssi_close_all(ssi, true, SSI_EV_CLOSED);
    if (member && status == ST_OK)
        ssi_say(ssi, MSG_PLM1713I, ssi->cfg.member, ssi->cfg.cluster);
    ssi->phase = JOIN_IDLE;
    ssi_done_cb done = ssi->leave_done;
    ssi->leave_done = NULL;
    if (done)
        done(ssi->leave_ctx, status, &copy);
}

static void tell_all(struct ssi *ssi, enum wire_type type)
{
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        struct ssi_link *link = ssi->members[i].link;
        if (link && link->state == LINK_READY)
            ssi_link_send(ssi, link, type, 0, 0, NULL, 0);
    }
}

/* Up by REPAIR: the row is all that others know of. */
static int leave_alone(struct ssi *ssi)
{
    int rc = ssi_pdr_begin(ssi, ssi->cfg.pdr_lock_ms, &ssi->obstacle);
    if (rc)
        return rc;
    if (ssi_pdr_own_is(ssi, SSI_ISOLATED)) {
        ssi_row_down(ssi, ssi->cfg.slot, DOWN_LEFT);
        rc = ssi_pdr_commit(ssi, &ssi->obstacle);
    }
    ssi_pdr_end(ssi);
    return rc;
}

static void leave_start(struct ssi *ssi, u64 now)
{
    bool late = now >= ssi->phase_deadline_ms;
    if (!ssi_joined(ssi)) { /* Down or Isolated: nothing to tell anybody */
        int alone = ssi->alone ? leave_alone(ssi) : ST_OK;
        if (alone == ST_OK || late)
            leave_finish(ssi, alone, &ssi->obstacle);
        return;
    }
    int rc = ssi_pdr_begin(ssi, 0, &ssi->obstacle);
    if (rc == ST_OK) {
        if (!ssi_pdr_own_is(ssi, SSI_JOINED)) {
            ssi->expelled = true;
            rc = ST_BUSY;
        } else if (ssi_transition_slot(ssi) >= 0 && !late) {
            ssi_rows_bury(ssi, NULL);
            rc = ST_BUSY;
        } else {
            ssi_pdr_own(ssi)->state = SSI_LEAVING;
            rc = ssi_pdr_commit(ssi, &ssi->obstacle);
        }
        ssi_pdr_end(ssi);
    }
    if (rc && !late)
        return;
    ssi_event(ssi, ssi->cfg.slot, SSI_EV_LEAVE, "");
    ssi->leave_ok = 0;
    tell_all(ssi, WIRE_LEAVING);
    ssi->phase = LEAVE_WAIT;
    ssi->phase_deadline_ms = now + ssi->cfg.leave_ms;
}

static bool all_answered(const struct ssi *ssi)
{
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        const struct ssi_link *link = ssi->members[i].link;
        if (link && link->state == LINK_READY && !(ssi->leave_ok >> i & 1))
            return false;
    }
    return true;
}

/* It was due when the leave began, and could not be written then: from here on nobody moves a claim
 * to us. */
static int row_leaving(struct ssi *ssi)
{
    int rc = ssi_pdr_begin(ssi, 0, &ssi->obstacle);
    if (rc)
        return rc;
    if (ssi_pdr_own_is(ssi, SSI_JOINED)) {
        ssi_pdr_own(ssi)->state = SSI_LEAVING;
        rc = ssi_pdr_commit(ssi, &ssi->obstacle);
    }
    ssi_pdr_end(ssi);
    return rc;
}

/* Services learn from the PDR what they were given while it still says so. */
static bool services_ready(struct ssi *ssi)
{
    bool ready = true;
    for (unsigned i = 0; i < ssi->n_services; i++)
        if (ssi->services[i].svc->leaving &&
            !ssi->services[i].svc->leaving(ssi->services[i].ctx))
            ready = false;
    return ready;
}

static int row_down(struct ssi *ssi)
{
    int rc = ssi_pdr_begin(ssi, 0, &ssi->obstacle);
    if (rc)
        return rc;
    const struct pdr_row *row = ssi_pdr_own(ssi);
    if (row->incarnation == ssi->incarnation && row->state != SSI_DOWN) {
        ssi_row_down(ssi, ssi->cfg.slot, DOWN_LEFT);
        rc = ssi_pdr_commit(ssi, &ssi->obstacle);
    }
    ssi_pdr_end(ssi);
    return rc;
}

static void leave_wait(struct ssi *ssi, u64 now)
{
    bool late = now >= ssi->phase_deadline_ms;
    if (!late && !all_answered(ssi))
        return;
    int rc = row_leaving(ssi);
    if (rc == ST_OK && !services_ready(ssi))
        rc = cause_set(&ssi->obstacle, ST_BUSY, "what was given to it is not known");
    if (rc == ST_OK)
        rc = row_down(ssi);
    if (rc && now < ssi->phase_deadline_ms + ssi->cfg.leave_ms)
        return;
    if (rc == ST_OK)
        tell_all(ssi, WIRE_LEFT);
    leave_finish(ssi, rc, &ssi->obstacle);
}

void ssi_leave_step(struct ssi *ssi, u64 now)
{
    if (now < ssi->phase_next_ms || (ssi->phase != LEAVE_START && ssi->phase != LEAVE_WAIT))
        return;
    ssi->phase_next_ms = now + SSI_RETRY_MS / 10;
    if (ssi->phase == LEAVE_START)
        leave_start(ssi, now);
    else
        leave_wait(ssi, now);
}

void ssi_leave(struct ssi *ssi, ssi_done_cb done, void *ctx)
{
    PRE(done && !ssi->leave_done);
    ssi->leave_done = done;
    ssi->leave_ctx = ctx;
    ssi->phase_next_ms = ssi_now(ssi);
    if (ssi->phase != JOIN_IDLE) /* a join is under way: its next step gives it up */
        return;
    ssi->phase = LEAVE_START;
    ssi->obstacle = (struct cause){0};
    ssi->phase_deadline_ms = ssi_now(ssi) + ssi->cfg.leave_ms;
}
