/* Reservation of disks that several systems have (hold.h). One lock for each group; members are
 * few. */
#include "io/image/hold.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "io/image/hold_file.h"
#include "mem/base/ergo.h"
#include "mem/base/lock.h"

#define LOOK_MS 10u /* after a lock that a program elsewhere has */
#define NS_PER_MS 1000000l
#define NS_PER_S 1000000000l

struct hold_group {
    struct lock lock;
    pthread_cond_t told; /* a watcher's call ended */
    pthread_cond_t look; /* somebody waits for a program elsewhere, or stop; CLOCK_MONOTONIC */
    struct hold *members;
    pthread_t looker; /* from the first such wait on */
    bool looks, stop;
    atomic_bool files; /* some member had one open once */
};

/** In group->members from hold_join to hold_leave; group->lock. */
struct hold {
    struct hold_group *group;
    struct hold *next;
    u64 first, count;
    u32 programs; /* under way */
    bool shut;    /* hold_gate */
    bool reserved;
    bool wants;  /* to reserve, as soon as nobody is in the way */
    bool counts; /* the program that wants to is one of `programs` */
    bool taking; /* by force, and who has it, or a program, is still in the way */
    bool waits;  /* something was refused: to be told */
    u32 calls;   /* of the watcher, under way */
    int fd;      /* between hold_open and hold_close, else -1: nobody elsewhere counts */
    enum hold_file file;
    bool wanting;   /* programs elsewhere are told not to begin */
    bool demanding; /* and who has it there is told to let it go */
    bool elsewhere; /* what was refused is in the way there */
    u32 losses;
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
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&g->look, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return g;
}

void hold_group_destroy(struct hold_group *g)
{
    if (!g)
        return;
    PRE(!g->members);
    if (g->looks) {
        lock_take(&g->lock);
        g->stop = true;
        pthread_cond_signal(&g->look);
        lock_drop(&g->lock);
        pthread_join(g->looker, NULL);
    }
    pthread_cond_destroy(&g->told);
    pthread_cond_destroy(&g->look);
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
    if (h->shut)
        return true;
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
    if (h->shut)
        return false;
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
    return h->waits && !h->elsewhere && h->fn && (h->wants ? reservable(h) : !closed(h));
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

/* ---- programs elsewhere ---- */

/** How it has to have its extent there. */
static enum hold_file due(const struct hold *h)
{
    return h->reserved ? HOLD_FILE_ALONE : busy(h) ? HOLD_FILE_SHARED : HOLD_FILE_FREE;
}

/** Would what was refused be refused again? */
static bool in_the_way(const struct hold *h)
{
    if (h->wants || h->reserved)
        return !hold_file_may(h->fd, h->first, h->count, HOLD_FILE_ALONE);
    return hold_file_wanted(h->fd, h->first, h->count) ||
           !hold_file_may(h->fd, h->first, h->count, HOLD_FILE_SHARED);
}

/** It has it alone there, and somebody may take it away. */
static bool had_there(const struct hold *h)
{
    return h->reserved && !h->taking && h->fd >= 0;
}

/** Is it taken? When it came here with a guest, it may have been before it was locked here. */
static bool is_taken(const struct hold *h)
{
    if (h->file == HOLD_FILE_ALONE)
        return hold_file_taken(h->fd, h->first, h->count);
    return !hold_file_may(h->fd, h->first, h->count, HOLD_FILE_SHARED);
}

/** How long from now on nothing need be looked after; 0: until somebody says so. */
static u32 rest_ms(const struct hold_group *g)
{
    u32 ms = 0;
    for (const struct hold *h = g->members; h; h = h->next) {
        if (h->elsewhere)
            return LOOK_MS;
        if (had_there(h))
            ms = HOLD_SEEN_MS;
    }
    return ms;
}

static void rest(struct hold_group *g)
{
    u32 ms = rest_ms(g); /* also for those who came while others were told, without the lock */
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms * NS_PER_MS;
    until.tv_sec += until.tv_nsec / NS_PER_S;
    until.tv_nsec %= NS_PER_S;
    if (ms)
        lock_wait_until(&g->look, &g->lock, &until);
    else if (!g->stop)
        lock_wait(&g->look, &g->lock);
}

static bool settle(struct hold *h);

/** It has it no more; a program of its that is under way goes on. */
static void lose(struct hold *h)
{
    h->reserved = h->taking = false;
    h->losses++;
    (void)settle(h);
}

/** Who wanted the same had said so first, and has it perhaps by now. */
static void say_again(const struct hold *h)
{
    if (h->wanting)
        hold_file_want(h->fd, h->first, h->count, true);
    if (h->demanding)
        hold_file_take(h->fd, h->first, h->count, true);
}

/** Somebody waits for a lock, or has one: look after it from time to time. */
static void *look(void *arg)
{
    struct hold_group *g = arg;
    lock_take(&g->lock);
    while (!g->stop) {
        for (struct hold *h = g->members; h; h = h->next) {
            if (had_there(h) && is_taken(h))
                lose(h);
            say_again(h);
            h->elsewhere = h->elsewhere && in_the_way(h);
        }
        tell(g);
        rest(g);
    }
    lock_drop(&g->lock);
    return NULL;
}

/** There is something to look after. False: it cannot be, for want of a thread. */
static bool look_after(struct hold_group *g)
{
    if (!g->looks)
        g->looks = pthread_create(&g->looker, NULL, look, g) == 0;
    pthread_cond_signal(&g->look);
    return g->looks;
}

/** Have the extent there as is due. False: it is in use there, and is looked for again. Less than
 *  before, or nothing, is had always. */
static bool settle(struct hold *h)
{
    enum hold_file how = due(h);
    if (h->fd < 0 || h->file == how)
        return true;
    bool begins = how == HOLD_FILE_SHARED && h->file == HOLD_FILE_FREE;
    if (!(begins && hold_file_wanted(h->fd, h->first, h->count)) &&
        hold_file_lock(h->fd, h->first, h->count, how)) {
        h->file = how;
        if (how == HOLD_FILE_ALONE)
            (void)look_after(h->group);
        return true;
    }
    h->elsewhere = look_after(h->group);
    return false;
}

/** Programs elsewhere would begin one after the other, and nobody could ever reserve; and who has
 *  it there would have it for ever. */
static void want(struct hold *h)
{
    bool wants = h->wants || h->taking;
    if (h->fd >= 0 && h->wanting != wants)
        hold_file_want(h->fd, h->first, h->count, wants);
    if (h->fd >= 0 && h->demanding != h->taking)
        hold_file_take(h->fd, h->first, h->count, h->taking);
    h->wanting = wants;
    h->demanding = h->taking;
}

void hold_open(struct hold *h, const char *path)
{
    lock_take(&h->group->lock);
    if (h->fd < 0)
        h->fd = hold_file_open(path);
    atomic_store(&h->group->files, true);
    (void)settle(h);
    lock_drop(&h->group->lock);
}

void hold_close(struct hold *h)
{
    lock_take(&h->group->lock);
    hold_file_close(h->fd);
    h->fd = -1;
    h->file = HOLD_FILE_FREE;
    h->elsewhere = h->wanting = h->demanding = false;
    tell(h->group);
    lock_drop(&h->group->lock);
}

void hold_gate(struct hold *h, bool shut)
{
    if (!h)
        return;
    lock_take(&h->group->lock);
    h->shut = shut;
    tell(h->group);
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
    h->fd = -1;
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
    hold_close(h);
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

/** Somebody elsewhere waits for the end of what is under way here: no more of them begin. */
static bool waited_for(struct hold *h)
{
    if (h->fd < 0 || h->file != HOLD_FILE_SHARED ||
        !hold_file_wanted(h->fd, h->first, h->count))
        return false;
    h->elsewhere = look_after(h->group);
    return true;
}

bool hold_begin(struct hold *h)
{
    if (!h)
        return true;
    lock_take(&h->group->lock);
    bool granted = !closed(h) && !waited_for(h);
    h->programs += granted;
    if (granted && !settle(h)) {
        h->programs--;
        granted = false;
    }
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
    (void)settle(h);
    tell(h->group);
    lock_drop(&h->group->lock);
}

/* ---- reservation ---- */

bool hold_reserve(struct hold *h, bool waiting)
{
    if (!h)
        return true;
    lock_take(&h->group->lock);
    bool had = h->reserved;
    h->reserved = had || reservable(h);
    h->wants = false;
    bool granted = h->reserved && settle(h);
    h->reserved = had || granted;
    h->wants = !h->reserved;
    h->counts = waiting;
    h->waits |= !granted;
    want(h);
    if (!granted) {
        (void)settle(h); /* the program that waits is not in the way */
        tell(h->group);  /* and another one may have waited for it */
    }
    lock_drop(&h->group->lock);
    return granted;
}

bool hold_keep(struct hold *h)
{
    if (!h)
        return true;
    lock_take(&h->group->lock);
    bool kept = h->reserved || reservable(h);
    h->reserved = kept;
    h->losses += !kept;
    (void)settle(h);
    lock_drop(&h->group->lock);
    return kept;
}

bool hold_steal(struct hold *h)
{
    if (!h)
        return true;
    lock_take(&h->group->lock);
    for (struct hold *o = h->group->members; o; o = o->next)
        if (overlap(o, h) && o->reserved) {
            lose(o);
            want(o);
        }
    bool had = h->reserved && !h->taking;
    h->reserved = true;
    h->wants = false;
    bool granted = settle(h);
    h->taking = !granted && !had;
    want(h);
    h->waits |= !granted;
    lock_drop(&h->group->lock);
    return granted;
}

void hold_release(struct hold *h)
{
    if (!h)
        return;
    lock_take(&h->group->lock);
    h->reserved = h->wants = h->taking = false;
    want(h);
    (void)settle(h);
    tell(h->group);
    lock_drop(&h->group->lock);
}

void hold_forget(struct hold *h)
{
    if (!h)
        return;
    lock_take(&h->group->lock);
    bool wanted = h->wants || h->taking;
    h->wants = h->elsewhere = false;
    if (h->taking) {
        h->reserved = h->taking = false;
        (void)settle(h);
    }
    want(h);
    if (wanted)
        tell(h->group);
    lock_drop(&h->group->lock);
}

bool hold_has_file(const struct hold *h)
{
    return h && atomic_load(&h->group->files);
}

u32 hold_losses(struct hold *h)
{
    if (!h)
        return 0;
    lock_take(&h->group->lock);
    u32 losses = h->losses;
    lock_drop(&h->group->lock);
    return losses;
}

enum hold_state hold_state(struct hold *h)
{
    if (!h)
        return HOLD_NONE;
    lock_take(&h->group->lock);
    enum hold_state state = h->reserved ? HOLD_HERE : HOLD_NONE;
    if (h->fd >= 0 && !hold_file_may(h->fd, h->first, h->count, HOLD_FILE_SHARED))
        state = HOLD_ELSEWHERE;
    for (const struct hold *o = h->group->members; o; o = o->next)
        if (overlap(o, h) && o->reserved)
            state = HOLD_ELSEWHERE;
    lock_drop(&h->group->lock);
    return state;
}
