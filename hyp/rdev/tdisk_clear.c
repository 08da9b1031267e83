/* Space of temporary disks that ended, which CLEAR_TDISK has overwritten: a queue, and one thread
 * that works it off. Guarantees: [T2] an entry of the queue is nobody's space, and its window keeps
 * the locks on the file, until it is clear; one whose clearing failed stays until its volume leaves
 * the system. The thread has no other lock while it takes the queue's, nor that one while it
 * writes. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/rdev/rdev_internal.h"
#include "mem/base/lock.h"
#include "mem/base/log.h"

#define CLEAR_AT_END_SECONDS_MAX 10 /* that the end of the member waits for the queue */

enum clearing_state { CLEARING_WAITS, CLEARING_DONE, CLEARING_FAILED };

struct tdisk_clearing {
    struct tdisk_clearing *next;
    struct rdev *rdev;
    struct window_extent extent;
    struct image *img; /* NULL: done */
    atomic_int state;
};

/** Created with its first entry, destroyed with struct rdevs. The list changes on the loop thread
 *  and with the lock; the other thread sets states. */
struct tdisk_clearer {
    struct lock lock;
    pthread_cond_t changed; /* the list, a state, `stop` */
    struct tdisk_clearing *list;
    pthread_t thread;
    bool running;
    atomic_bool stop;
};

static struct tdisk_clearing *first_waiting(const struct tdisk_clearer *q)
{
    struct tdisk_clearing *c = q->list;
    while (c && atomic_load(&c->state) != CLEARING_WAITS)
        c = c->next;
    return c;
}

static void clear(struct tdisk_clearer *q, struct tdisk_clearing *c)
{
    struct cause cause = {0};
    int rc = window_erase(c->img, &q->stop, &cause);
    if (rc)
        log_line("T-disk space of device %04X was not cleared and is kept: %s", c->rdev->devno,
                 cause.text);
    if (atomic_load(&q->stop))
        return; /* perhaps not to the end */
    if (rc == ST_OK) {
        image_unref(c->img);
        c->img = NULL;
    }
    atomic_store(&c->state, rc ? CLEARING_FAILED : CLEARING_DONE);
}

static void *work(void *arg)
{
    struct tdisk_clearer *q = arg;
    lock_take(&q->lock);
    while (!atomic_load(&q->stop)) {
        struct tdisk_clearing *c = first_waiting(q);
        if (!c) {
            lock_wait(&q->changed, &q->lock);
            continue;
        }
        lock_drop(&q->lock);
        clear(q, c);
        lock_take(&q->lock);
        pthread_cond_broadcast(&q->changed);
    }
    lock_drop(&q->lock);
    return NULL;
}

static struct tdisk_clearer *clearer_create(void)
{
    struct tdisk_clearer *q = calloc(1, sizeof *q);
    pthread_condattr_t attr;
    if (!q)
        return NULL;
    lock_init(&q->lock, LOCK_CLEARER);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->changed, &attr);
    pthread_condattr_destroy(&attr);
    return q;
}

/** Without a thread the entries wait: the next one tries again. */
static void run(struct tdisk_clearer *q)
{
    if (!q->running && pthread_create(&q->thread, NULL, work, q) == 0)
        q->running = true;
    else if (!q->running)
        log_line("T-disk space is not cleared yet: no thread");
}

void tdisk_gone(struct rdevs *r, struct vlink *l)
{
    if (!r->config->features.clear_tdisk || !l->rdev || !l->img || image_offline(l->img))
        return;
    struct tdisk_clearing *c = calloc(1, sizeof *c);
    if (!r->clearer)
        r->clearer = clearer_create();
    if (!c || !r->clearer) {
        free(c);
        log_line("T-disk space of device %04X was not cleared: no memory", l->rdev->devno);
        return;
    }
    c->rdev = l->rdev;
    c->extent = l->extent;
    c->img = image_ref(l->img);
    lock_take(&r->clearer->lock);
    struct tdisk_clearing **end = &r->clearer->list;
    while (*end)
        end = &(*end)->next;
    *end = c;
    pthread_cond_broadcast(&r->clearer->changed);
    lock_drop(&r->clearer->lock);
    run(r->clearer);
}

/** Those that are done go; of `d` those that failed, too. */
static void reap(struct rdevs *r, const struct rdev *d)
{
    struct tdisk_clearing *gone = NULL, *c;
    if (!r->clearer)
        return;
    lock_take(&r->clearer->lock);
    for (struct tdisk_clearing **at = &r->clearer->list; (c = *at) != NULL;) {
        int state = atomic_load(&c->state);
        if (state == CLEARING_DONE || (state == CLEARING_FAILED && c->rdev == d)) {
            *at = c->next;
            c->next = gone;
            gone = c;
        } else {
            at = &c->next;
        }
    }
    lock_drop(&r->clearer->lock);
    while ((c = gone) != NULL) {
        const struct vlink was = {.kind = VLINK_TEMP, .rdev = c->rdev, .extent = c->extent};
        gone = c->next;
        image_unref(c->img);
        link_release(r, &was);
        free(c);
    }
}

void tdisk_reap(struct rdevs *r)
{
    reap(r, NULL);
}

void tdisk_forget(struct rdevs *r, const struct rdev *d)
{
    reap(r, d);
}

static void wait_for_queue(struct tdisk_clearer *q)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CLEAR_AT_END_SECONDS_MAX;
    lock_take(&q->lock);
    while (q->running && first_waiting(q) &&
           lock_wait_until(&q->changed, &q->lock, &until) == 0)
        ;
    atomic_store(&q->stop, true);
    pthread_cond_broadcast(&q->changed);
    lock_drop(&q->lock);
}

void tdisk_destroy(struct rdevs *r)
{
    struct tdisk_clearer *q = r->clearer;
    struct tdisk_clearing *c;
    if (!q)
        return;
    wait_for_queue(q);
    if (q->running)
        pthread_join(q->thread, NULL);
    while ((c = q->list) != NULL) {
        q->list = c->next;
        if (atomic_load(&c->state) == CLEARING_WAITS)
            log_line("T-disk space of device %04X was not cleared: the system ends",
                     c->rdev->devno);
        image_unref(c->img);
        free(c);
    }
    pthread_cond_destroy(&q->changed);
    lock_fini(&q->lock);
    free(q);
    r->clearer = NULL;
}

unsigned tdisk_clearings(struct rdevs *r, const struct rdev *d)
{
    unsigned n = 0;
    tdisk_reap(r);
    for (const struct tdisk_clearing *c = r->clearer ? r->clearer->list : NULL; c; c = c->next)
        n += (!d || c->rdev == d) && atomic_load(&c->state) == CLEARING_WAITS;
    return n;
}

static bool meets(const struct tdisk_clearing *c, const struct rdev *d, struct window_extent x)
{
    return c->rdev == d && c->extent.first < x.first + x.count &&
           x.first < c->extent.first + c->extent.count;
}

bool tdisk_unclean(const struct rdevs *r, const struct rdev *d, struct window_extent x,
                   u64 *end)
{
    for (const struct tdisk_clearing *c = r->clearer ? r->clearer->list : NULL; c; c = c->next)
        if (meets(c, d, x))
            return *end = c->extent.first + c->extent.count, true;
    return false;
}

u64 tdisk_unclean_units(const struct rdevs *r, const struct rdev *d, struct window_extent x,
                        u64 unit)
{
    u64 units = 0;
    for (const struct tdisk_clearing *c = r->clearer ? r->clearer->list : NULL; c; c = c->next)
        units += meets(c, d, x) ? (c->extent.count + unit - 1) / unit : 0;
    return units;
}
