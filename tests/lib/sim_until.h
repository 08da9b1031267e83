/* Virtual time of a simulated cluster (ssi/ssi_sim.h) passes until something is so. */
#ifndef ENDICOTT_TESTS_LIB_SIM_UNTIL_H
#define ENDICOTT_TESTS_LIB_SIM_UNTIL_H

#include <check.h>

#include "ssi/ssi_sim.h"

/** Step `sim` until `cond`; it fails the test after `limit_ms` of virtual time. */
#define SIM_UNTIL(sim, limit_ms, cond)                                                         \
    do {                                                                                       \
        u64 until_ = ssi_sim_now_ms(sim) + (limit_ms);                                         \
        while (!(cond)) {                                                                      \
            ck_assert_msg(ssi_sim_now_ms(sim) < until_, "never: %s", #cond);                   \
            ssi_sim_step(sim);                                                                 \
        }                                                                                      \
    } while (0)

/** Step `sim` for `ms` of virtual time. */
static inline void sim_passes(struct ssi_sim *sim, u64 ms)
{
    for (u64 end = ssi_sim_now_ms(sim) + ms; ssi_sim_now_ms(sim) < end;)
        ssi_sim_step(sim);
}

#endif
