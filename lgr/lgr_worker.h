/* A thread of one relocation that works on pages, so that the loop thread does not. Jobs are
 * carried out in order; finished ones are taken by the loop thread, in order. */
#ifndef ENDICOTT_LGR_LGR_WORKER_H
#define ENDICOTT_LGR_LGR_WORKER_H

#include "lgr/lgr.h"

struct lgr_worker;

struct lgr_job {
    struct lgr_job *next;
    void (*run)(
        struct lgr_job *job); /* on the thread; looks at nothing that is not the job's */
};

/** `wake` is called on the loop thread when jobs have finished; maybe without reason, never after
 *  lgr_worker_destroy. Without ports->post there is no thread: lgr_worker_submit does the work.
 *  NULL: no memory, or no thread. Functions are for the loop thread. */
struct lgr_worker *lgr_worker_create(const struct lgr_ports *ports, void (*wake)(void *arg),
                                     void *arg);
/** Jobs that have not begun are forgotten, the one under way is waited for. NULL is nothing. */
void lgr_worker_destroy(struct lgr_worker *w);
void lgr_worker_submit(struct lgr_worker *w, struct lgr_job *job);
/** The oldest job, when it has finished; NULL: none. Its memory is the caller's again. */
struct lgr_job *lgr_worker_take(struct lgr_worker *w);
/** Jobs submitted and not taken. */
unsigned lgr_worker_pending(const struct lgr_worker *w);
/** Wait until the oldest job has finished; returns at once when there is none. */
void lgr_worker_wait(struct lgr_worker *w);

#endif
