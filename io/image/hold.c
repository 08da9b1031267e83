/* Reservation of disks that several systems have (hold.h). One lock for each group; members are
 * few. */
#include "io/image/hold.h"

#include <pthread.h>
#include <stdlib.h>

#include "mem/base/ergo.h"
#include "mem/base/lock.h"

struct hold_group {
    struct lock lock;
    pthread_cond_t told; /* a watcher's call ended */
    struct hold *members;
};

/** In group->members from hold_join to hold_leave; group->lock. */
struct hold {
    struct hold_group *group;
    struct hold *next;
    u64 first, count;
    u32 programs; /* under way */
    bool reserved;
    bool wants;  /* to reserve, as soon as nobody is in the way */
    bool counts; /* the program that wants to is one of `programs` */
    bool waits;  /* something was refused: to be told */
    u32 calls;   /* of the watcher, under way */
    void (*fn)(void *arg);
    void *arg;
};

struct hold_group *hold_group_create(void)
{
    struct hold_group *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    lock_init(&g->lock, LOCK_HOLD);
    pthread_cond_init(&g->told, NULL);
    return g;
}

void hold_group_destroy(struct hold_group *g)
{
    if (!g)
        return;
    PRE(!g->members);
    pthread_cond_destroy(&g->told);
    lock_fini(&g->lock);
    free(g);
}

static bool overlap(const struct hold *a, const struct hold *b)
{
    return a != b && a->first < b->first + b->count && b->first < a->first + a->count;
}

/** Another one has the extent, or wants it first. */
static bool closed(const struct hold *h)
{
    for (const struct hold *o = h->group->members; o; o = o->next)
        if (overlap(o, h) && (o->reserved || (o->wants && !h->reserved)))
            return true;
    return false;
}

/** Programs that are under way, but for the one that waits to reserve. */
static u32 busy(const struct hold *h)
{
    return h->programs - (h->wants && h->counts);
}

/** Nobody else has it or is at work; of two who want it the one who joined last comes first. */
static bool reservable(const struct hold *h)
{
    bool before = true;
    for (const struct hold *o = h->group->members; o; o = o->next) {
        before = before && o != h;
        if (overlap(o, h) && (o->reserved || busy(o) || (before && o->wants)))
            return false;
    }
    return true;
}

/* ---- telling ---- */

static bool can_go_on(const struct hold *h)
{
    return h->waits && h->fn && (h->wants ? reservable(h) : !closed(h));
}

/** Everybody who waited and need not any more is told, one after the other. */
static void tell(struct hold_group *g)
{
    for (struct hold *o = g->members; o;) {
        if (!can_go_on(o)) {
            o = o->next;
            continue;
        }
        void (*fn)(void *) = o->fn;
        void *arg = o->arg;
        o->waits = false;
        o->calls++;
        lock_drop(&g->lock);
        fn(arg);
        lock_take(&g->lock);
        o->calls--; /* it did not leave: hold_watch waits for that */
        pthread_cond_broadcast(&g->told);
        o = g->members; /* the list may be another one */
    }
}

void hold_watch(struct hold *h, void (*fn)(void *arg), void *arg)
{
    if (!h)
        return;
    lock_take(&h->group->lock);
    h->fn = fn;
    h->arg = arg;
    while (!fn && h->calls)
        lock_wait(&h->group->told, &h->group->lock);
    lock_drop(&h->group->lock);
}

/* ---- members ---- */

struct hold *hold_join(struct hold_group *g, u64 first, u64 count)
{
    struct hold *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->group = g;
    h->first = first;
    h->count = count;
    lock_take(&g->lock);
    h->next = g->members;
    g->members = h;
    lock_drop(&g->lock);
    return h;
}

void hold_leave(struct hold *h)
{
    if (!h)
        return;
    struct hold_group *g = h->group;
    hold_watch(h, NULL, NULL);
    lock_take(&g->lock);
    struct hold **at = &g->members;
    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    tell(g);
    lock_drop(&g->lock);
    free(h);
}

/* ---- programs ---- */

bool hold_begin(struct hold *h)
{
    if (!h)
        return true;
    lock_take(&h->group->lock);
    bool granted = !closed(h);
    h->programs += granted;
    h->waits |= !granted;
    lock_drop(&h->group->lock);
    return granted;
}

void hold_end(struct hold *h)
{
    if (!h)
        return;
    lock_take(&h->group->lock);
    PRE(h->programs);
    h->programs--;
    tell(h->group);
    lock_drop(&h->group->lock);
}

/* ---- reservation ---- */

bool hold_reserve(struct hold *h, bool waiting)
{
    if (!h)
        return true;
    lock_take(&h->group->lock);
    bool granted = h->reserved || reservable(h);
    h->wants = !granted;
    h->counts = waiting;
    h->waits |= !granted;
    h->reserved = granted;
    if (!granted)
        tell(h->group); /* another one may have waited for the program that waits now */
    lock_drop(&h->group->lock);
    return granted;
}

void hold_steal(struct hold *h)
{
    if (!h)
        return;
    lock_take(&h->group->lock);
    for (struct hold *o = h->group->members; o; o = o->next)
        if (overlap(o, h))
            o->reserved = false;
    h->reserved = true;
    h->wants = false;
    lock_drop(&h->group->lock);
}

void hold_release(struct hold *h)
{
    if (!h)
        return;
    lock_take(&h->group->lock);
    h->reserved = h->wants = false;
    tell(h->group);
    lock_drop(&h->group->lock);
}

void hold_forget(struct hold *h)
{
    if (!h)
        return;
    lock_take(&h->group->lock);
    bool wanted = h->wants;
    h->wants = false;
    if (wanted)
        tell(h->group);
    lock_drop(&h->group->lock);
}

enum hold_state hold_state(struct hold *h)
{
    if (!h)
        return HOLD_NONE;
    lock_take(&h->group->lock);
    enum hold_state state = h->reserved ? HOLD_HERE : HOLD_NONE;
    for (const struct hold *o = h->group->members; o; o = o->next)
        if (overlap(o, h) && o->reserved)
            state = HOLD_ELSEWHERE;
    lock_drop(&h->group->lock);
    return state;
}
