/* Mutexes that know their place in the order of docs/locking.md. Sanitizer builds define
 * ENDICOTT_LOCK_ORDER: a thread that takes one out of turn, or waits with another held, aborts.
 * In others these functions are the mutex and nothing else. A new kind: a row of lock_order.def. */
#ifndef ENDICOTT_MEM_BASE_LOCK_H
#define ENDICOTT_MEM_BASE_LOCK_H

#include <pthread.h>
#include <time.h>

#define LOCK_BIT(kind) (1u << LOCK_##kind)

enum lock_kind {
#define LOCK(kind, name, held) LOCK_##kind,
#include "mem/base/lock_order.def"
#undef LOCK
    LOCK_KINDS
};

struct lock {
    pthread_mutex_t mutex;
    enum lock_kind kind;
};

/** What the calling thread holds: aborts unless a lock of this kind may be taken, given back, or
 * waited with. Any thread. */
void lock_order_take(enum lock_kind kind);
void lock_order_drop(enum lock_kind kind);
void lock_order_wait(enum lock_kind kind);

#ifdef ENDICOTT_LOCK_ORDER
#define LOCK_ORDER_(what, lock) lock_order_##what((lock)->kind)
#else
#define LOCK_ORDER_(what, lock) ((void)0)
#endif

static inline void lock_init(struct lock *lock, enum lock_kind kind)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
#ifdef PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP /* held for a microsecond: looks some times first */
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
    pthread_mutex_init(&lock->mutex, &attr);
    pthread_mutexattr_destroy(&attr);
    lock->kind = kind;
}

static inline void lock_fini(struct lock *lock)
{
    pthread_mutex_destroy(&lock->mutex);
}

static inline void lock_take(struct lock *lock)
{
    LOCK_ORDER_(take, lock);
    pthread_mutex_lock(&lock->mutex);
}

static inline void lock_drop(struct lock *lock)
{
    LOCK_ORDER_(drop, lock);
    pthread_mutex_unlock(&lock->mutex);
}

/** Wait for a condition with the lock, and no other, held; [L4] of docs/locking.md. */
static inline void lock_wait(pthread_cond_t *cond, struct lock *lock)
{
    LOCK_ORDER_(wait, lock);
    pthread_cond_wait(cond, &lock->mutex);
}

/** The same until a time of the condition's clock. Returns 0 or ETIMEDOUT. */
static inline int lock_wait_until(pthread_cond_t *cond, struct lock *lock,
                                  const struct timespec *until)
{
    LOCK_ORDER_(wait, lock);
    return pthread_cond_timedwait(cond, &lock->mutex, until);
}

#endif
