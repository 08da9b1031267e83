/* A queue of jobs and a few threads, each started when a job comes and all others are busy. The
 * owner of the jobs sees to it that what must not run at the same time does not: the channel
 * subsystem has one job a subchannel. Lock: worker->lock is a leaf, never held while a job runs. */
#include "hyp/io_worker.h"

#include <pthread.h>
#include <stdlib.h>

#include "mem/base/ergo.h"
#include "mem/base/lock.h"

#define IO_THREADS_MIN 4u /* a host disk that lets one wait needs no processor */
#define IO_THREADS_PER_PROCESSOR 2u
#define IO_THREADS_USUAL_MAX 16u

struct io_job {
    struct io_job *next;
    void (*fn)(void *arg);
    void *arg;
};

struct io_worker {
    struct lock lock;
    pthread_cond_t work;
    struct io_job *first, **last;
    unsigned queued;
    unsigned sleeping; /* threads that wait for `work` */
    unsigned started, threads_max;
    bool stopping;
    pthread_t thread[IO_THREADS_MAX];
};

unsigned io_worker_threads(long processors)
{
    unsigned threads =
        processors > 0 ? (unsigned)processors * IO_THREADS_PER_PROCESSOR : IO_THREADS_MIN;
    if (threads > IO_THREADS_USUAL_MAX)
        return IO_THREADS_USUAL_MAX;
    return threads < IO_THREADS_MIN ? IO_THREADS_MIN : threads;
}

struct io_worker *io_worker_create(unsigned threads)
{
    struct io_worker *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->threads_max = threads < IO_THREADS_MAX ? threads : IO_THREADS_MAX;
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
    w->queued--;
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
        w->sleeping++;
        lock_wait(&w->work, &w->lock);
        w->sleeping--;
    }
    lock_drop(&w->lock);
    return NULL;
}

/* Somebody for the job just queued: a thread that sleeps, else a new one if there may be more. */
static void hand_out_locked(struct io_worker *w)
{
    if (w->sleeping)
        pthread_cond_signal(&w->work);
    if (w->queued > w->sleeping && w->started < w->threads_max &&
        pthread_create(&w->thread[w->started], NULL, worker_main, w) == 0)
        w->started++;
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
    w->queued++;
    hand_out_locked(w);
    bool alone = w->threads_max && !w->started; /* no thread to be had: do it here */
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
    pthread_cond_broadcast(&w->work);
    lock_drop(&w->lock);
    for (unsigned i = 0; i < w->started; i++)
        pthread_join(w->thread[i], NULL);
    lock_take(&w->lock);
    while (run_one_locked(w))
        ;
    lock_drop(&w->lock);
    pthread_cond_destroy(&w->work);
    lock_fini(&w->lock);
    free(w);
}
