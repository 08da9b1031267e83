/* The order of locks, as a thread takes them. What a thread holds, and whom it is to wake when it
 * holds nothing any more, is its own: nothing is allocated and nothing is shared. */
#include "mem/base/lock.h"

#include <stdio.h>

#include "mem/base/bytes.h"
#include "mem/base/ergo.h"

static const struct {
    const char *name;
    u64 may_be_held;
} kinds[] = {
#define LOCK(kind, name, held) [LOCK_##kind] = {name, held},
#include "mem/base/lock_order.def"
#undef LOCK
};

static _Thread_local u64 held; /* a bit of each kind */
_Static_assert(LOCK_KINDS <= 64, "a bit for each");

_Thread_local struct lock_signals lock_signals;

void lock_signal(pthread_cond_t *cond)
{
    struct lock_signals *s = &lock_signals;
    if (s->locks && s->count < LOCK_SIGNALS_MAX)
        s->cond[s->count++] = cond;
    else
        pthread_cond_signal(cond);
}

void lock_signal_all(void)
{
    struct lock_signals *s = &lock_signals;
    while (s->count)
        pthread_cond_signal(s->cond[--s->count]);
}

static const char *name_of(u64 bits)
{
    return bits ? kinds[__builtin_ctzll(bits)].name : "nothing";
}

static void wrong(const char *what, enum lock_kind kind, u64 bits)
{
    char text[128];
    snprintf(text, sizeof text, "%s is %s while %s is held", kinds[kind].name, what,
             name_of(bits));
    ergo_fail("lock order", text, __FILE__, __LINE__);
}

void lock_order_take(enum lock_kind kind)
{
    u64 bad = held & ~kinds[kind].may_be_held;
    if (bad)
        wrong("taken", kind, bad);
    held |= 1ull << kind;
}

void lock_order_drop(enum lock_kind kind)
{
    if (!(held & 1ull << kind))
        wrong("given back", kind, held);
    held &= ~(1ull << kind);
}

void lock_order_wait(enum lock_kind kind)
{
    if (held != 1ull << kind)
        wrong("waited with", kind, held & ~(1ull << kind));
}
