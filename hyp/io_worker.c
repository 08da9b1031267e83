/* One thread and a queue of jobs; the thread is started by the first job.
 * Lock: worker->lock is a leaf, never held while a job runs. */
#include "hyp/io_worker.h"

#include <pthread.h>
#include <stdlib.h>

#include "mem/base/ergo.h"
#include "mem/base/lock.h"

struct io_job {
    struct io_job *next;
    void (*fn)(void *arg);
    void *arg;
};

struct io_worker {
    struct lock lock;
    pthread_cond_t work;
    struct io_job *first, **last;
    pthread_t thread;
    bool threaded, started, stopping;
};

struct io_worker *io_worker_create(bool threaded)
{
    struct io_worker *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->threaded = threaded;
    w->last = &w->first;
    lock_init(&w->lock, LOCK_WORKER);
    pthread_cond_init(&w->work, NULL);
    return w;
}

/* Take one job off the queue and run it; the lock is held on entry and exit. */
static bool run_one_locked(struct io_worker *w)
{
    struct io_job *job = w->first;
    if (!job)
        return false;
    w->first = job->next;
    if (!w->first)
        w->last = &w->first;
    lock_drop(&w->lock);
    job->fn(job->arg);
    free(job);
    lock_take(&w->lock);
    return true;
}

static void *worker_main(void *arg)
{
    struct io_worker *w = arg;
    lock_take(&w->lock);
    for (;;) {
        if (run_one_locked(w))
            continue;
        if (w->stopping)
            break;
        lock_wait(&w->work, &w->lock);
    }
    lock_drop(&w->lock);
    return NULL;
}

void io_worker_add(struct io_worker *w, void (*fn)(void *arg), void *arg)
{
    struct io_job *job = malloc(sizeof *job);
    if (!job)
        ergo_fail("POST", "memory for a device job", __FILE__, __LINE__);
    *job = (struct io_job){NULL, fn, arg};
    lock_take(&w->lock);
    *w->last = job;
    w->last = &job->next;
    if (w->threaded && !w->started)
        w->started = pthread_create(&w->thread, NULL, worker_main, w) == 0;
    pthread_cond_signal(&w->work);
    bool alone = w->threaded && !w->started; /* no thread to be had: do it here */
    while (alone && run_one_locked(w))
        ;
    lock_drop(&w->lock);
}

bool io_worker_poll(struct io_worker *w, unsigned max)
{
    bool any = false;
    lock_take(&w->lock);
    while (max-- && run_one_locked(w))
        any = true;
    lock_drop(&w->lock);
    return any;
}

void io_worker_destroy(struct io_worker *w)
{
    if (!w)
        return;
    lock_take(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->work);
    lock_drop(&w->lock);
    if (w->started)
        pthread_join(w->thread, NULL);
    lock_take(&w->lock);
    while (run_one_locked(w))
        ;
    lock_drop(&w->lock);
    pthread_cond_destroy(&w->work);
    lock_fini(&w->lock);
    free(w);
}
