/* ipl --ration-stores SEED[,TURNS], for tests: before each turn of a CPU, at most TURNS times, the
 * machine's first stores into frames are given 0 to STORAGE_RATION_LEAST tokens, and half of the
 * times all frames are clean again, as at the begin of a pass of a relocation; turns have lengths
 * by chance. An instruction that does something before its store is refused does it twice then. */
#ifndef ENDICOTT_CLI_IPL_RATION_H
#define ENDICOTT_CLI_IPL_RATION_H

#include "hyp/vm.h"

struct ipl_ration {
    u64 random;          /* 0: never; the state of what comes by chance */
    unsigned long turns; /* left */
    u64 *set;            /* what the epochs have collected; of no interest */
};

/** Parse "7" or "7,500"; 0, or -1. */
int ipl_ration_parse(const char *text, struct ipl_ration *ration);
/** [loop] Before a turn of a deterministic host. False when there is no memory. */
bool ipl_ration_turn(struct ipl_ration *ration, struct vm_host *host, struct vm *vm);
/** Stores that had to wait. Any thread. */
u64 ipl_ration_refused(struct vm *vm);
void ipl_ration_fini(struct ipl_ration *ration);

#endif
