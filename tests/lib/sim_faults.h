/* What goes wrong in simulated clusters, at random: one list of faults for every kind of history
 * (ssi_world.h, lgr_history.h), with counts of what has been done. */
#ifndef ENDICOTT_TESTS_LIB_SIM_FAULTS_H
#define ENDICOTT_TESTS_LIB_SIM_FAULTS_H

#include "ssi/ssi_sim.h"

struct sim_faults {
    struct ssi_sim *sim;
    unsigned n;         /* members, in slots 0 to n - 1 */
    u64 pdr_trouble_ms; /* until when a member could not write its heartbeat */
    u64 crashes, partitions, one_way, slow, pdr_faults, pdr_cuts, frozen;
};

/** Perhaps a fault, perhaps the end of some. Members that die are left to the caller. */
void sim_faults_strike(struct sim_faults *f);
/** Network, PDR and processes are as they should be again; what has died stays dead. */
void sim_faults_heal(struct sim_faults *f);

#endif
