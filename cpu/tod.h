/* The TOD clock of a configuration as a function of the physical clock (PoP chapter 4, "TOD-Clock
 * Steering"). struct tod_clock - Located by: struct cpu_set. Serialised by: changes by set->lock
 * and seq; fetches take no lock. */
#ifndef ENDICOTT_CPU_TOD_H
#define ENDICOTT_CPU_TOD_H

#include <stdatomic.h>

#include "mem/base/bytes.h"

#define TOD_STATE_WORDS 10 /* doublewords of saved state */

/** From `start` on: TOD clock = physical clock + base + (physical - start) * rates / 2**44. */
struct tod_episode {
    u64 start;
    s128 base; /* 72 bits with its sign: epoch index and 64 bits */
    s32 fine, gross;
};

struct tod_clock {
    _Atomic u32 seq;                      /* odd while what follows is changed */
    _Atomic u64 start, base, base_beyond; /* of the new episode; base in two parts */
    _Atomic s64 rate;                     /* fine and gross */
    _Atomic u64 last; /* physical clock of the last STCK, STCKE value given */
    struct tod_episode old, new;
    s128 user; /* user-specified difference, a part of the base offset */
};

/** Bits 56-63 epoch index, 64-127 TOD clock, when the physical clock shows `physical`. */
u128 tod_at(const struct tod_clock *k, u64 physical);
/** The same less the physical clock. */
s128 tod_offset_at(const struct tod_clock *k, u64 physical);
/** The new episode becomes the old one; one with the same rates begins, and ends tod_change. */
struct tod_episode *tod_turn(struct tod_clock *k, u64 physical);
/** What was changed in k->new is valid from now on. */
void tod_change(struct tod_clock *k);
void tod_save(const struct tod_clock *k, u64 words[TOD_STATE_WORDS]);
void tod_restore(struct tod_clock *k, const u64 words[TOD_STATE_WORDS]);

#endif
