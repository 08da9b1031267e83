/* Histories of a simulated cluster in which guests are relocated while everything goes wrong: real
 * lgr on real ssi (lgr_world.h), the faults of sim_faults.h and those of a relocation. From a seed,
 * in virtual time; what must hold is looked at after every event. */
#ifndef ENDICOTT_TESTS_LIB_LGR_HISTORY_H
#define ENDICOTT_TESTS_LIB_LGR_HISTORY_H

#include "tests/lib/lgr_world.h"
#include "tests/lib/sim_faults.h"

/** Counts over all histories; add up. */
struct lgr_history_sum {
    u64 histories, events, joins, leaves, crashes, expelled, partitions, one_way, slow, frozen;
    u64 pdr_faults, pdr_cuts, flips, hurt, logons, moves, resumed, doubts, told_twice,
        other_code;
    u64 asked;    /* CP exits */
    u64 code[12]; /* how relocations ended, at the source */
};

/** One history; what does not hold goes to `fault_fd`, and the process ends, or, when that is 0,
 *  fails the test. It depends on nothing but the seed and the plant. */
void lgr_history_run(u64 seed, enum world_plant plant, bool verbose, int fault_fd,
                     struct lgr_history_sum *sum);
/** The same in a process of its own. False: `fault` says what did not hold, or how it died. */
bool lgr_history_holds(u64 seed, enum world_plant plant, char fault[256]);
/** One line of counts, on standard error. */
void lgr_history_say(const struct lgr_history_sum *sum);

#endif
