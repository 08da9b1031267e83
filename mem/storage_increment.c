/* Storage increments that come and go while CPUs run: SCLP's assign and unassign storage.
 * Guarantees: an absent increment is outside storage (storage_holds); one that comes holds zeros
 * and zero keys, and a relocation learns of that: the frames it had are marked as changed. */
#include "mem/base/ergo.h"
#include "mem/storage_source.h"

u64 storage_increments(const struct storage *st)
{
    return (st->size + st->increment_bytes - 1) / st->increment_bytes;
}

bool storage_increment_present(const struct storage *st, u64 increment)
{
    u64 word = atomic_load_explicit(&st->absent[increment / 64], memory_order_relaxed);
    return !(word >> (increment % 64) & 1);
}

bool storage_present(const struct storage *st, u64 abs, u64 len)
{
    u64 last = len ? (abs + len - 1) / st->increment_bytes : abs / st->increment_bytes;
    for (u64 i = abs / st->increment_bytes; i <= last; i++)
        if (!storage_increment_present(st, i))
            return false;
    return !st->awaited || storage_awaited_need((struct storage *)st, abs, len);
}

static void clear_increment(struct storage *st, u64 increment)
{
    u64 at = increment * st->increment_bytes;
    u64 len = st->size - at < st->increment_bytes ? st->size - at : st->increment_bytes;
    storage_release(st, at, len);
    for (u64 abs = at; abs < at + len; abs += FRAME_BYTES) {
        if (storage_key_get(st, abs))
            storage_key_set(st, abs, 0);
        if (storage_usage_get(st, abs))
            storage_usage_set(st, abs, STORAGE_STABLE);
    }
}

void storage_increment_set(struct storage *st, u64 increment, bool present)
{
    PRE(increment < storage_increments(st));
    u64 bit = 1ull << increment % 64;
    if (present == storage_increment_present(st, increment))
        return;
    if (present) {
        clear_increment(st, increment);
        atomic_fetch_and(&st->absent[increment / 64], ~bit);
        atomic_fetch_sub(&st->absent_count, 1);
    } else {
        atomic_fetch_add(&st->absent_count, 1);
        atomic_fetch_or(&st->absent[increment / 64], bit);
    }
}
