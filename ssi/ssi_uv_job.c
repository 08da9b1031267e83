/* The thread of the PDR: one piece of work at a time, made on the loop, whose end is reported
 * there. The thread is made with the first one, and ends with the member. */
#include "ssi/ssi_uv_internal.h"

#include <limits.h>
#include <time.h>

static void thread_main(void *arg)
{
    struct ssi_uv_job *job = &((struct ssi_uv *)arg)->job;
    lock_take(&job->lock);
    while (!job->quit) {
        if (job->state != UV_JOB_GIVEN) {
            lock_wait(&job->changed, &job->lock);
            continue;
        }
        lock_drop(&job->lock);
        job->work(job->arg);
        lock_take(&job->lock);
        job->state = UV_JOB_ENDED;
        pthread_cond_broadcast(&job->changed);
        uv_async_send(&job->async);
    }
    lock_drop(&job->lock);
}

/* The loop has taken notice. */
static void ended(struct ssi_uv *uv)
{
    uv->job.state = UV_JOB_NONE;
    if (uv->job.close_file)
        ssi_uv_pdr_close(uv);
    uv->job.close_file = false;
}

static void on_async(uv_async_t *async)
{
    struct ssi_uv *uv = async->data;
    lock_take(&uv->job.lock);
    bool over = uv->job.state == UV_JOB_ENDED;
    if (over)
        ended(uv);
    lock_drop(&uv->job.lock);
    if (over && uv->ssi)
        ssi_pdr_worked(uv->ssi);
}

static void port_pdr_work(void *ctx, void (*work)(void *arg), void *arg)
{
    struct ssi_uv *uv = ctx;
    struct ssi_uv_job *job = &uv->job;
    lock_take(&job->lock);
    ERGO(job->state == UV_JOB_NONE);
    job->work = work;
    job->arg = arg;
    if (!job->thread_there)
        job->thread_there = uv_thread_create(&job->thread, thread_main, uv) == 0;
    bool threaded = job->thread_there;
    if (threaded)
        job->state = UV_JOB_GIVEN;
    pthread_cond_broadcast(&job->changed);
    lock_drop(&job->lock);
    if (threaded)
        return;
    work(arg); /* no thread is to be had: a slow disk is felt */
    job->state = UV_JOB_ENDED;
    uv_async_send(&job->async);
}

static bool port_pdr_wait(void *ctx, unsigned wait_ms)
{
    struct ssi_uv *uv = ctx;
    struct ssi_uv_job *job = &uv->job;
    struct timespec until;
    bool late = false;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    lock_take(&job->lock);
    while (job->state == UV_JOB_GIVEN && !late) {
        if (wait_ms == UINT_MAX)
            lock_wait(&job->changed, &job->lock);
        else
            late = !wait_ms || lock_wait_until(&job->changed, &job->lock, &until) != 0;
    }
    bool over = job->state != UV_JOB_GIVEN;
    if (over)
        ended(uv);
    lock_drop(&job->lock);
    return over;
}

bool ssi_uv_job_out(struct ssi_uv *uv)
{
    lock_take(&uv->job.lock);
    bool out = uv->job.state == UV_JOB_GIVEN;
    lock_drop(&uv->job.lock);
    return out;
}

void ssi_uv_job_ports(struct ssi_ports *ports)
{
    ports->pdr_work = port_pdr_work;
    ports->pdr_wait = port_pdr_wait;
}

bool ssi_uv_job_open(struct ssi_uv *uv)
{
    struct ssi_uv_job *job = &uv->job;
    pthread_condattr_t attr;
    if (uv_async_init(uv->loop, &job->async, on_async) != 0)
        return false;
    job->async.data = uv;
    lock_init(&job->lock, LOCK_PUMP);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&job->changed, &attr);
    pthread_condattr_destroy(&attr);
    return true;
}

void ssi_uv_job_close(struct ssi_uv *uv)
{
    struct ssi_uv_job *job = &uv->job;
    lock_take(&job->lock);
    job->quit = true;
    pthread_cond_broadcast(&job->changed);
    lock_drop(&job->lock);
    if (job->thread_there)
        uv_thread_join(&job->thread);
    pthread_cond_destroy(&job->changed);
    lock_fini(&job->lock);
}
