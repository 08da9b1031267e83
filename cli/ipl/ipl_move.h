/* ipl --relocate-every N[,TIMES], for tests: every N instructions, at most TIMES times, the
 * machine's state goes through the codec of relocation into a machine made anew, which goes on.
 * What has no row in a state table, or is not derived from those that have, is lost then. */
#ifndef ENDICOTT_CLI_IPL_MOVE_H
#define ENDICOTT_CLI_IPL_MOVE_H

#include "cli/ipl/ipl_net.h"
#include "hyp/vm.h"

struct ipl_move {
    long insns;            /* 0: never */
    unsigned long times;   /* left */
    u64 last;              /* vm_instructions at the last move */
    struct ipl_nets *nets; /* that go along */
};

/** Parse "997" or "1,500"; 0, or -1. */
int ipl_move_parse(const char *text, struct ipl_move *move);
/** [loop] Between two turns of a deterministic host: move *vm if it is time. False when the
 *  machine cannot be made anew; the log says why. */
bool ipl_move_turn(struct ipl_move *move, struct vm_host *host, struct vm **vm);

#endif
