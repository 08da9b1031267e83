/* TRAP2 and TRAP4. For cpu/ only. */
#ifndef ENDICOTT_CPU_EVENT_TRAP_H
#define ENDICOTT_CPU_EVENT_TRAP_H

#include "cpu/cpu_internal.h"

/** What the instruction is, for the trap save area. */
struct trap {
    bool trap4;
    bool executed; /* by EXECUTE */
    u8 ilc;
    u64 operand; /* second-operand address of TRAP4 */
    u64 next;    /* next sequential address */
};

/** Save the state in the trap save area and go to the trap program: CPU_TAKEN, or a
 *  program-interruption code having changed nothing. */
int trap_take(struct cpu *c, const struct trap *t);

#endif
