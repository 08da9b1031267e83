/* What unit tests of io share that have threads: device work on threads of its own, and waiting for
 * an event that has no descriptor. Everything static. */
#ifndef ENDICOTT_TESTS_UNIT_IO_THREADS_H
#define ENDICOTT_TESTS_UNIT_IO_THREADS_H

#include <poll.h>
#include <pthread.h>
#include <sched.h>

#include "tests/unit/io/io_fixture.h"

#define PATIENCE_MS 200000u /* a limit for hangs, not a measure */
#define LOOK_MS 2u

/** Look again and again; too long: it never comes. */
#define UNTIL(condition)                                                                       \
    do {                                                                                       \
        unsigned ms_ = 0;                                                                      \
        while (!(condition)) {                                                                 \
            ck_assert_msg(ms_ < PATIENCE_MS, "never: " #condition);                            \
            poll(NULL, 0, LOOK_MS);                                                            \
            ms_ += LOOK_MS;                                                                    \
        }                                                                                      \
    } while (0)

struct thread_job {
    void (*fn)(void *);
    void *arg;
};

static _Atomic unsigned thread_jobs; /* that have not ended */

static UNUSED void *thread_job_main(void *arg)
{
    struct thread_job job = *(struct thread_job *)arg;
    free(arg);
    job.fn(job.arg);
    thread_jobs--;
    return NULL;
}

/** `run` of struct io_ports: each piece of device work has a thread. */
static UNUSED void run_thread(void *ctx, void (*fn)(void *), void *arg)
{
    pthread_t thread;
    struct thread_job *job = malloc(sizeof *job);
    (void)ctx;
    *job = (struct thread_job){fn, arg};
    thread_jobs++;
    ck_assert_int_eq(pthread_create(&thread, NULL, thread_job_main, job), 0);
    pthread_detach(thread);
}

static UNUSED void thread_jobs_end(void)
{
    while (thread_jobs)
        sched_yield();
}

#endif
