/* Waiting without sleep for what comes in some microseconds: going to sleep and being woken takes
 * two system calls and twice the time. A thread spins only when what it waited for came that soon
 * several times running, so an idle host stays idle and a busy one is not kept from its work.
 * One struct for all threads that wait for the same thing; under their lock, but spin_until. */
#ifndef ENDICOTT_MEM_BASE_SPIN_H
#define ENDICOTT_MEM_BASE_SPIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "mem/base/bytes.h"

#define SPIN_NS_MAX 20000u
#define SPIN_AFTER 16u /* so many short waits running, and none that was not */
#define SPIN_LOOKS 64u

struct spin {
    bool allowed; /* the host has another processor for the one who is waited for */
    bool busy;    /* a thread spins: one is enough */
    unsigned soon;
    u64 since_ns;
};

static inline u64 spin_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * 1000000000ull + (u64)now.tv_nsec;
}

static inline void spin_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/** There is nothing to do. True: spin, else sleep. */
static inline bool spin_begin(struct spin *s)
{
    s->since_ns = spin_now_ns();
    if (s->busy || !s->allowed || s->soon < SPIN_AFTER)
        return false;
    s->busy = true;
    return true;
}

/** Until *word is not `was`, or SPIN_NS_MAX is over. */
static inline void spin_until(const atomic_uint *word, unsigned was)
{
    u64 end = spin_now_ns() + SPIN_NS_MAX;
    do
        for (unsigned i = 0; i < SPIN_LOOKS; i++) {
            if (atomic_load_explicit(word, memory_order_relaxed) != was)
                return;
            spin_pause();
        }
    while (spin_now_ns() < end);
}

/** The spinning is over. */
static inline void spin_end(struct spin *s)
{
    s->busy = false;
}

/** Something came for who waited since spin_begin. */
static inline void spin_came(struct spin *s)
{
    if (!s->since_ns)
        return;
    bool soon = spin_now_ns() - s->since_ns <= SPIN_NS_MAX;
    s->soon = soon ? s->soon + (s->soon < SPIN_AFTER) : 0;
    s->since_ns = 0;
}

#endif
