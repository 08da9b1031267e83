/* Mutexes that know their place in the order of docs/locking.md. Sanitizer builds define
 * ENDICOTT_LOCK_ORDER: a thread that takes one out of turn, or waits with another held, aborts.
 * In others these functions are the mutex and nothing else. A new kind: a row of lock_order.def. */
#ifndef ENDICOTT_MEM_BASE_LOCK_H
#define ENDICOTT_MEM_BASE_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#define LOCK_BIT(kind) (1ull << LOCK_##kind)

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

/* What the calling thread owes to others: how many locks it has, and who is to be woken when it
 * has none. Who is woken would else run into the locks of who wakes him, and sleep again. */
#define LOCK_SIGNALS_MAX 4u
struct lock_signals {
    unsigned locks, count;
    pthread_cond_t *cond[LOCK_SIGNALS_MAX];
};
extern _Thread_local struct lock_signals lock_signals;

/** Wake who waits for the condition when this thread gives back the last of its locks; at once
 *  when it has none. The condition stays until then. */
void lock_signal(pthread_cond_t *cond);
void lock_signal_all(void);

static inline void lock_take(struct lock *lock)
{
    LOCK_ORDER_(take, lock);
    pthread_mutex_lock(&lock->mutex);
    lock_signals.locks++;
}

/** False when another thread has it: for who may not wait. */
static inline bool lock_try(struct lock *lock)
{
    if (pthread_mutex_trylock(&lock->mutex))
        return false;
    LOCK_ORDER_(take, lock);
    lock_signals.locks++;
    return true;
}

/** The thread is about to take another lock: those to be woken wait until that is given back. */
static inline void lock_drop_and_go_on(struct lock *lock)
{
    LOCK_ORDER_(drop, lock);
    lock_signals.locks--;
    pthread_mutex_unlock(&lock->mutex);
}

static inline void lock_drop(struct lock *lock)
{
    lock_drop_and_go_on(lock);
    if (lock_signals.count && !lock_signals.locks)
        lock_signal_all();
}

/** Wait for a condition with the lock, and no other, held; [L4] of docs/locking.md. */
static inline void lock_wait(pthread_cond_t *cond, struct lock *lock)
{
    LOCK_ORDER_(wait, lock);
    lock_signal_all();
    pthread_cond_wait(cond, &lock->mutex);
}

/** The same until a time of the condition's clock. Returns 0 or ETIMEDOUT. */
static inline int lock_wait_until(pthread_cond_t *cond, struct lock *lock,
                                  const struct timespec *until)
{
    LOCK_ORDER_(wait, lock);
    lock_signal_all();
    return pthread_cond_timedwait(cond, &lock->mutex, until);
}

#endif
