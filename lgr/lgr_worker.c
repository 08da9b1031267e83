/* The thread, its queue, and the way back to the loop. lgr_worker->lock is a leaf; no job runs with
 * it held. A note that was posted and has not come yet owns the worker when it is destroyed. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_worker.h"

#include <pthread.h>
#include <stdlib.h>

#include "mem/base/ergo.h"
#include "mem/base/lock.h"

struct lgr_worker {
    const struct lgr_ports *ports;
    void (*wake)(void *arg);
    void *arg;
    unsigned pending; /* of the loop thread */
    pthread_t thread;
    struct lock lock;
    pthread_cond_t work, progress;
    struct lgr_job *queue, **queue_last; /* not begun */
    struct lgr_job *done, **done_last;   /* finished, not taken */
    bool noted;                          /* a note is on its way to the loop */
    bool stopping, abandoned;
};

static void put(struct lgr_job ***last, struct lgr_job *job)
{
    job->next = NULL;
    **last = job;
    *last = &job->next;
}

static struct lgr_job *get(struct lgr_job **first, struct lgr_job ***last)
{
    struct lgr_job *job = *first;
    if (!job)
        return NULL;
    *first = job->next;
    if (!*first)
        *last = first;
    return job;
}

static void worker_free(struct lgr_worker *w)
{
    pthread_cond_destroy(&w->work);
    pthread_cond_destroy(&w->progress);
    lock_fini(&w->lock);
    free(w);
}

static void note(void *arg)
{
    struct lgr_worker *w = arg;
    lock_take(&w->lock);
    w->noted = false;
    bool abandoned = w->abandoned;
    lock_drop(&w->lock);
    if (abandoned)
        worker_free(w);
    else
        w->wake(w->arg);
}

/* A job has finished; the loop is told once for all it has not taken. Lock held. */
static void finish_locked(struct lgr_worker *w, struct lgr_job *job)
{
    put(&w->done_last, job);
    pthread_cond_signal(&w->progress);
    if (w->noted || w->stopping)
        return;
    w->noted = true;
    lock_drop(&w->lock);
    w->ports->post(w->ports->ctx, note, w);
    lock_take(&w->lock);
}

static void *worker_main(void *arg)
{
    struct lgr_worker *w = arg;
    lock_take(&w->lock);
    while (!w->stopping) {
        struct lgr_job *job = get(&w->queue, &w->queue_last);
        if (!job) {
            lock_wait(&w->work, &w->lock);
            continue;
        }
        lock_drop(&w->lock);
        job->run(job);
        lock_take(&w->lock);
        finish_locked(w, job);
    }
    lock_drop(&w->lock);
    return NULL;
}

struct lgr_worker *lgr_worker_create(const struct lgr_ports *ports, void (*wake)(void *arg),
                                     void *arg)
{
    struct lgr_worker *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->ports = ports;
    w->wake = wake;
    w->arg = arg;
    w->queue_last = &w->queue;
    w->done_last = &w->done;
    lock_init(&w->lock, LOCK_RELOCATION);
    pthread_cond_init(&w->work, NULL);
    pthread_cond_init(&w->progress, NULL);
    if (!ports->post || pthread_create(&w->thread, NULL, worker_main, w) == 0)
        return w;
    worker_free(w);
    return NULL;
}

void lgr_worker_destroy(struct lgr_worker *w)
{
    if (!w)
        return;
    lock_take(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->work);
    lock_drop(&w->lock);
    if (w->ports->post)
        pthread_join(w->thread, NULL);
    lock_take(&w->lock);
    w->abandoned = true;
    bool noted = w->noted;
    lock_drop(&w->lock);
    if (!noted)
        worker_free(w);
}

void lgr_worker_submit(struct lgr_worker *w, struct lgr_job *job)
{
    w->pending++;
    if (!w->ports->post) {
        job->run(job);
        put(&w->done_last, job);
        return;
    }
    lock_take(&w->lock);
    put(&w->queue_last, job);
    pthread_cond_signal(&w->work);
    lock_drop(&w->lock);
}

struct lgr_job *lgr_worker_take(struct lgr_worker *w)
{
    lock_take(&w->lock);
    struct lgr_job *job = get(&w->done, &w->done_last);
    lock_drop(&w->lock);
    if (job)
        w->pending--;
    return job;
}

unsigned lgr_worker_pending(const struct lgr_worker *w)
{
    return w->pending;
}

void lgr_worker_wait(struct lgr_worker *w)
{
    lock_take(&w->lock);
    while (w->pending && !w->done)
        lock_wait(&w->progress, &w->lock);
    lock_drop(&w->lock);
}
