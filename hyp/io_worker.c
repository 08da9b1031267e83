/* A queue of jobs and a few threads, each started when a job comes and all others are busy. The
 * owner of the jobs sees to it that what must not run at the same time does not: the channel
 * subsystem has one job a subchannel. Lock: worker->lock is a leaf, never held while a job runs. */
#include "hyp/io_worker.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "mem/base/ergo.h"
#include "mem/base/lock.h"
#include "mem/base/spin.h"

#define IO_THREADS_MIN 4u /* a host disk that lets one wait needs no processor */
#define IO_THREADS_PER_PROCESSOR 2u
#define IO_THREADS_USUAL_MAX 16u

struct io_job {
    struct io_job *next;
    void (*fn)(void *arg);
    void *arg;
};

/* One of the threads; in the list of those that sleep, the last to fall asleep first, so that few
 * threads do most of the work. */
struct io_thread {
    struct io_worker *of;
    struct io_thread *next;
    pthread_cond_t wake;
    bool awake;
    pthread_t thread;
};

struct io_worker {
    struct lock lock;
    struct io_job *first, **last;
    unsigned queued;
    struct io_thread *asleep;
    unsigned started, threads_max;
    bool stopping;
    struct spin spin;
    atomic_uint posts; /* jobs that were ever queued */
    struct io_thread thread[IO_THREADS_MAX];
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
    w->spin.allowed = sysconf(_SC_NPROCESSORS_ONLN) > 1;
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

/* Until there may be a job. */
static void idle_locked(struct io_worker *w, struct io_thread *t)
{
    if (spin_begin(&w->spin)) {
        unsigned posts = w->posts;
        lock_drop(&w->lock);
        spin_until(&w->posts, posts);
        lock_take(&w->lock);
        spin_end(&w->spin);
        if (w->first || w->stopping)
            return;
    }
    t->awake = false;
    t->next = w->asleep;
    w->asleep = t;
    lock_drop(&w->lock); /* whom the last job wakes may have the next one */
    lock_take(&w->lock);
    while (!t->awake)
        lock_wait(&t->wake, &w->lock);
}

/* Takes one off the list; who gave the lock back signals it. NULL: none sleeps. */
static struct io_thread *rouse_locked(struct io_worker *w)
{
    struct io_thread *t = w->asleep;
    if (t) {
        w->asleep = t->next;
        t->awake = true;
    }
    return t;
}

static void *worker_main(void *arg)
{
    struct io_thread *t = arg;
    struct io_worker *w = t->of;
    lock_take(&w->lock);
    for (;;) {
        if (run_one_locked(w))
            continue;
        if (w->stopping)
            break;
        idle_locked(w, t);
    }
    lock_drop(&w->lock);
    return NULL;
}

static void start_thread_locked(struct io_worker *w)
{
    struct io_thread *t = &w->thread[w->started];
    t->of = w;
    pthread_cond_init(&t->wake, NULL);
    if (pthread_create(&t->thread, NULL, worker_main, t) == 0)
        w->started++;
    else
        pthread_cond_destroy(&t->wake);
}

/* Somebody for the job just queued: the thread that spins, one that sleeps and is to be signalled,
 * else a new one if there may be more. */
static struct io_thread *hand_out_locked(struct io_worker *w)
{
    if (w->queued <= w->spin.busy)
        return NULL;
    struct io_thread *t = rouse_locked(w);
    if (!t && w->started < w->threads_max)
        start_thread_locked(w);
    return t;
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
    w->posts++;
    spin_came(&w->spin);
    struct io_thread *t = hand_out_locked(w);
    bool alone = w->threads_max && !w->started; /* no thread to be had: do it here */
    while (alone && run_one_locked(w))
        ;
    lock_drop(&w->lock);
    if (t)
        pthread_cond_signal(&t->wake);
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
    for (struct io_thread *t; (t = rouse_locked(w)) != NULL;)
        pthread_cond_signal(&t->wake);
    lock_drop(&w->lock);
    for (unsigned i = 0; i < w->started; i++) {
        pthread_join(w->thread[i].thread, NULL);
        pthread_cond_destroy(&w->thread[i].wake);
    }
    lock_take(&w->lock);
    while (run_one_locked(w))
        ;
    lock_drop(&w->lock);
    lock_fini(&w->lock);
    free(w);
}
