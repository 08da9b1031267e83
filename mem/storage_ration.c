/* Rationing of first stores: tokens that frames take when they become dirty, see storage.h.
 * Guarantees: between two calls of storage_ration_start not more frames become dirty by stores that
 * can wait than tokens were given; each frame takes one, whichever CPU comes first. */
#include "mem/storage.h"

void storage_ration_start(struct storage *st, u64 tokens)
{
    atomic_store(&st->ration.tokens, (s64)tokens);
    atomic_store(&st->ration.on, true);
}

void storage_ration_add(struct storage *st, u64 tokens)
{
    atomic_fetch_add(&st->ration.tokens, (s64)tokens);
}

void storage_ration_stop(struct storage *st)
{
    atomic_store(&st->ration.on, false);
}

bool storage_ration_short(const struct storage *st)
{
    return atomic_load(&st->ration.on) &&
           atomic_load(&st->ration.tokens) < STORAGE_RATION_LEAST;
}

bool storage_ration_owed(const struct storage *st)
{
    return storage_rationed(st) && atomic_load(&st->ration.tokens) < 0;
}

bool storage_ration_take(struct storage *st)
{
    s64 tokens = atomic_load(&st->ration.tokens);
    while (tokens > 0)
        if (atomic_compare_exchange_weak(&st->ration.tokens, &tokens, tokens - 1)) {
            atomic_fetch_add(&st->ration.taken, 1);
            return true;
        }
    atomic_fetch_add(&st->ration.refused, 1);
    return false;
}

void storage_ration_return(struct storage *st)
{
    atomic_fetch_add(&st->ration.tokens, 1);
    atomic_fetch_sub(&st->ration.taken, 1);
}

void storage_ration_owe(struct storage *st)
{
    atomic_fetch_sub(&st->ration.tokens, 1);
    atomic_fetch_add(&st->ration.taken, 1);
}
