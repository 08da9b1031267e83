/* A ring of chunks: free, with the worker, finished. The ring itself is the loop thread's. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_pages.h"

#include <stdlib.h>

#include "mem/base/ergo.h"

bool lgr_slots_init(struct lgr_slots *s, const struct lgr_ports *ports, struct rlobk *r,
                    void (*run)(struct lgr_job *job), void (*wake)(void *arg))
{
    *s = (struct lgr_slots){.r = r, .wake = wake};
    for (unsigned i = 0; i < LGR_SLOTS; i++) {
        s->slot[i] = (struct lgr_slot){.job = {NULL, run}, .r = r};
        s->slot[i].buffer = malloc(sizeof *s->slot[i].buffer);
        if (!s->slot[i].buffer)
            return false;
        s->slot[i].buffer->slots = s;
        s->slot[i].buffer->away = false;
        s->allocated++;
    }
    s->worker = lgr_worker_create(ports, wake, r);
    return s->worker != NULL;
}

void lgr_slots_fini(struct lgr_slots *s)
{
    lgr_worker_destroy(s->worker);
    s->worker = NULL;
    for (; s->allocated; s->allocated--) {
        struct lgr_buffer *b = s->slot[s->allocated - 1].buffer;
        b->slots = NULL;
        if (!b->away)
            free(b);
    }
    s->count = s->ready = 0;
}

struct lgr_slot *lgr_slots_free(struct lgr_slots *s)
{
    struct lgr_slot *slot = &s->slot[(s->head + s->count) % LGR_SLOTS];
    return s->count < s->allocated && !slot->buffer->away ? slot : NULL;
}

void lgr_buffer_lend(struct lgr_buffer *b)
{
    b->away = true;
}

void lgr_buffer_back(void *buffer)
{
    struct lgr_buffer *b = buffer;
    b->away = false;
    if (b->slots)
        b->slots->wake(b->slots->r);
    else
        free(b);
}

void lgr_slots_submit(struct lgr_slots *s)
{
    struct lgr_slot *slot = lgr_slots_free(s);
    PRE(slot);
    s->count++;
    lgr_worker_submit(s->worker, &slot->job);
}

void lgr_slots_run(struct lgr_slots *s)
{
    struct lgr_slot *slot = lgr_slots_free(s);
    PRE(slot && s->ready == s->count);
    slot->job.run(&slot->job);
    s->count++;
    s->ready++;
}

struct lgr_slot *lgr_slots_ready(struct lgr_slots *s)
{
    if (!s->count)
        return NULL;
    struct lgr_slot *slot = &s->slot[s->head];
    if (!s->ready) {
        struct lgr_job *job = lgr_worker_take(s->worker);
        ERGO(!job || job == &slot->job);
        s->ready = job != NULL;
    }
    return s->ready ? slot : NULL;
}

void lgr_slots_release(struct lgr_slots *s)
{
    PRE(s->ready && s->count);
    s->ready--;
    s->count--;
    s->head = (s->head + 1) % LGR_SLOTS;
}
