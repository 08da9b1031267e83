/* What is done with the PDR beside the loop, so that a slow disk stalls nobody: one job at a time
 * takes the lock once, carries out all changes that wait (group commit), looks at the rows and the
 * heartbeats, and writes the own one. What came in meanwhile is the next job's.
 *
 * [T1] While a job is out the PDR, and all that struct ssi keeps of it, is the job's. The loop
 *      waits for its end (ssi_job_idle, bounded) before it touches any of that: so does
 *      everything that begins with ssi_pdr_begin. The loop itself knows `rows`.
 * [T2] Changes are carried out in the order in which they were asked for, also those that do not
 *      wait (ssi_claim_begin carries out what waits first).
 * [T3] Nobody is told before what he is told is in the PDR as [P4] says; and from the loop only.
 * [T4] A job acts for the life that began it: its incarnation is what the own row must have. */
#include "ssi/ssi_internal.h"

#include <stdlib.h>

/* --- in the job --- */

static bool still_active(struct ssi *ssi)
{
    const struct ssi_job *job = &ssi->job;
    const struct pdr_row *row = ssi_pdr_own(ssi);
    bool state = job->alone ? row->state == SSI_ISOLATED
                            : row->state == SSI_JOINED || row->state == SSI_LEAVING;
    return state && row->incarnation == job->incarnation;
}

static void pending_write(struct ssi *ssi)
{
    int rc = ST_OK;
    for (unsigned i = 0; i < PDR_CHECKPOINT_BLOCKS / 2 && ssi->n_pending && rc == ST_OK; i++)
        rc = ssi->pdr_valid ? ssi_pdr_commit(ssi, NULL) : ST_IO;
}

static void locked_work(struct ssi *ssi)
{
    struct ssi_job *job = &ssi->job;
    struct cause cause;
    if (!still_active(ssi)) {
        job->expelled = true;
        cause_set(&cause, ST_LOST, "this system was declared Down by another one");
        ssi_changes_fail(ssi, job->list, &cause);
        return;
    }
    ssi_changes_run(ssi, job->list);
    pending_write(ssi);
    if (job->look && ssi->pdr_valid)
        ssi_rows_bury_but(ssi, job->ready, NULL);
}

static void work(void *arg)
{
    struct ssi *ssi = arg;
    struct ssi_job *job = &ssi->job;
    struct cause cause = {0};
    if (job->beat)
        job->beat_ms = ssi_pdr_beat_put(ssi, job->incarnation);
    if (!job->look && !job->list && !ssi->n_pending)
        return;
    if (ssi_pdr_enter(ssi, job->list ? ssi->cfg.pdr_lock_ms : 0, &cause) != ST_OK) {
        ssi_changes_fail(ssi, job->list, &cause);
        return;
    }
    locked_work(ssi);
    job->looked = job->look && ssi->pdr_valid;
    job->beats_known = job->looked && ssi_pdr_beats_load(ssi, job->beats);
    ssi_pdr_exit(ssi);
}

/* --- on the loop --- */

/* Releases that could not be written are tried again from tick to tick. */
static void go(struct ssi *ssi, bool turn)
{
    struct ssi_job *job = &ssi->job;
    const struct ssi_ports *ports = ssi->ports;
    bool active = ssi_may_change(ssi);
    bool due =
        job->want_beat ||
        (active && (job->want_look || ssi->changes || (turn && !job->out && ssi->n_pending)));
    if (job->out || job->over || !due || (!ports->pdr_work && !turn))
        return;
    *job = (struct ssi_job){.out = true,
                            .look = active && job->want_look,
                            .beat = job->want_beat,
                            .alone = ssi->alone,
                            .incarnation = ssi->incarnation,
                            .ready = ssi_links_ready(ssi),
                            .gives = active && ssi_owes(ssi),
                            .list = active ? ssi->changes : NULL};
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        job->events[i] = ssi->members[i].events;
    if (active) {
        ssi->changes = NULL;
        ssi->changes_end = &ssi->changes;
    }
    ssi->pdr_outside = false;
    if (ports->pdr_work) {
        ports->pdr_work(ports->ctx, work, ssi);
        return;
    }
    work(ssi);
    ssi_pdr_worked(ssi);
}

void ssi_job_go(struct ssi *ssi)
{
    go(ssi, false);
}

void ssi_job_turn(struct ssi *ssi)
{
    go(ssi, true);
}

/* The job's work has ended: the PDR is the loop's again. */
static void take(struct ssi *ssi)
{
    struct ssi_job *job = &ssi->job;
    PRE(job->out);
    job->out = job->gives = false;
    job->over = true;
    for (unsigned i = 0; i < ssi->n_said; i++)
        ssi->ports->operator_message(ssi->ports->ctx, ssi->said[i]);
    ssi->n_said = 0;
    if (job->forget) {
        ssi->n_pending = 0;
        job->looked = job->expelled = false;
        job->beat_ms = 0;
    } else {
        ssi_pdr_rows_take(ssi);
    }
    ssi->expelled |= job->expelled;
    ssi_changes_answered(ssi, job->list);
    job->list = NULL;
}

bool ssi_job_idle(struct ssi *ssi, unsigned wait_ms)
{
    if (!ssi->job.out)
        return true;
    if (!ssi->ports->pdr_wait(ssi->ports->ctx, wait_ms))
        return false;
    take(ssi);
    return true;
}

void ssi_job_taken(struct ssi *ssi)
{
    struct ssi_job *job = &ssi->job;
    struct ssi_member *self = &ssi->members[ssi->cfg.slot];
    if (job->over) {
        job->over = false;
        if (job->beat_ms) {
            self->pdr_beat_ms = self->rx_beat_ms = job->beat_ms;
            self->pdr_beat_seen_ms = ssi_now(ssi);
        }
        if (job->beats_known)
            ssi_pdr_beats_take(ssi, job->beats);
        if (job->looked)
            ssi_member_looked(ssi, ssi_now(ssi));
    }
    ssi_changes_tell(ssi);
}

void ssi_pdr_worked(struct ssi *ssi)
{
    if (ssi->job.out)
        take(ssi);
    ssi_job_taken(ssi);
    ssi_job_go(ssi);
}

void ssi_job_forget(struct ssi *ssi)
{
    struct ssi_job *job = &ssi->job;
    struct cause cause;
    bool idle = ssi_job_idle(ssi, ssi->cfg.pdr_lock_ms);
    job->over = job->want_look = job->want_beat = false;
    job->forget = !idle;
    if (idle)
        ssi->n_pending = 0;
    struct ssi_change *list = ssi->changes;
    ssi->changes = NULL;
    ssi->changes_end = &ssi->changes;
    cause_set(&cause, ST_REFUSED, "this system is not joined any more");
    for (struct ssi_change *c = list; c; c = c->next) {
        c->status = cause.status;
        c->cause = cause;
    }
    ssi_changes_answered(ssi, list);
    ssi_asked_void(ssi, 0, NULL);
}
