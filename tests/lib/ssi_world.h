/* A simulated cluster in which everything happens: joins, leaves, crashes, partitions, one-way
 * loss, slow links, frozen processes, a PDR with faults or out of reach, slots, claims, moves,
 * links to disks, held requests. From a seed, in virtual time; what must hold is looked at after
 * every event. */
#ifndef ENDICOTT_TESTS_LIB_SSI_WORLD_H
#define ENDICOTT_TESTS_LIB_SSI_WORLD_H

#include "mem/base/bytes.h"

/** Faults planted to see that the checks find them. */
enum ssi_world_plant {
    PLANT_NOTHING,
    PLANT_LYING_DISK, /* PDR writes that say they are done and are not */
    PLANT_HELD_TWICE, /* a held request is answered a second time */
    PLANT_HELD_LOST,  /* a held request is forgotten */
    PLANT_NO_HEAL,    /* one way of a link stays dead after all others have healed */
    PLANT_LINK_DEAF,  /* a link is given whatever others have */
    PLANT_LINK_LEFT,  /* a link that has gone stays in the PDR */
};

/** Counts over all histories; add up. */
struct ssi_world_sum {
    u64 histories, events, joins, refused, leaves, crashes, expelled, partitions, one_way, slow;
    u64 pdr_faults, pdr_cuts, claims, claims_refused, moves, doubts, held, dropped, declared;
    u64 repairs, slots, frozen, links, links_refused, links_moved, asked;
};

/** One history. False: `fault` says what did not hold, and when; it depends on nothing but the seed
 * and the plant. */
bool ssi_world_run(u64 seed, enum ssi_world_plant plant, bool verbose,
                   struct ssi_world_sum *sum, char fault[256]);

#endif
