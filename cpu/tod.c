/* The TOD clock: episodes of steering, the epoch index.
 * Guarantees: with rates that do not change the clock goes on without a step from one episode to
 * the next; it never stands still, as no rate reaches 2**-11. Whoever fetches the clock while it
 * is changed sees it before or after, nothing between. */
#include "cpu/tod.h"

#define RATE_SHIFT 44
#define INDEX_BITS 72

static s128 sign_extended(u128 v)
{
    return (s128)(v << (128 - INDEX_BITS)) >> (128 - INDEX_BITS);
}

static s128 steered(u64 start, u64 physical, s64 rate)
{
    return (s128)(s64)(physical - start) * rate >> RATE_SHIFT;
}

s128 tod_offset_at(const struct tod_clock *k, u64 physical)
{
    s128 offset;
    u32 seq;
    do {
        while ((seq = atomic_load(&k->seq)) & 1) {}
        offset = (s128)((u128)atomic_load(&k->base_beyond) << 64 | atomic_load(&k->base));
        offset += steered(atomic_load(&k->start), physical, atomic_load(&k->rate));
    } while (atomic_load(&k->seq) != seq);
    return sign_extended((u128)offset);
}

u128 tod_at(const struct tod_clock *k, u64 physical)
{
    u128 v = (u128)tod_offset_at(k, physical) + physical;
    return v << (128 - INDEX_BITS) >> (128 - INDEX_BITS);
}

struct tod_episode *tod_turn(struct tod_clock *k, u64 physical)
{
    s128 offset = tod_offset_at(k, physical);
    k->old = k->new;
    k->new.start = physical;
    k->new.base = offset;
    return &k->new;
}

void tod_change(struct tod_clock *k)
{
    k->new.base = sign_extended((u128)k->new.base);
    u128 base = (u128)k->new.base;
    atomic_fetch_add(&k->seq, 1);
    atomic_store(&k->start, k->new.start);
    atomic_store(&k->base, (u64)base);
    atomic_store(&k->base_beyond, (u64)(base >> 64));
    atomic_store(&k->rate, (s64)k->new.fine + k->new.gross);
    atomic_fetch_add(&k->seq, 1);
}

/* ---- state ---- */

static void wide_save(s128 v, u64 *words)
{
    words[0] = (u64)((u128)v >> 64);
    words[1] = (u64)v;
}

static s128 wide_restore(const u64 *words)
{
    return sign_extended((u128)words[0] << 64 | words[1]);
}

static void episode_save(const struct tod_episode *e, u64 *words)
{
    words[0] = e->start;
    wide_save(e->base, words + 1);
    words[3] = (u64)(u32)e->fine << 32 | (u32)e->gross;
}

static void episode_restore(struct tod_episode *e, const u64 *words)
{
    *e = (struct tod_episode){.start = words[0],
                              .base = wide_restore(words + 1),
                              .fine = (s32)(words[3] >> 32),
                              .gross = (s32)words[3]};
}

void tod_save(const struct tod_clock *k, u64 words[TOD_STATE_WORDS])
{
    episode_save(&k->new, words);
    episode_save(&k->old, words + 4);
    wide_save(k->user, words + 8);
}

void tod_restore(struct tod_clock *k, const u64 words[TOD_STATE_WORDS])
{
    episode_restore(&k->new, words);
    episode_restore(&k->old, words + 4);
    k->user = wide_restore(words + 8);
    tod_change(k);
}
