/* What somebody outside wants to know of each instruction and interruption: CP's TRACE.
 * While anything is asked for, the run loop executes one instruction at a time through per_step
 * and ends with CPU_EXIT_OBSERVED behind each that has done it. Nothing of this is seen by the
 * program. All on the CPU's own thread, but for cpu_observe, which wants it held. */
#ifndef ENDICOTT_CPU_EVENT_OBSERVE_H
#define ENDICOTT_CPU_EVENT_OBSERVE_H

#include "cpu/cpu_internal.h"

/** The instruction at psw.addr is about to be executed. */
void observe_begin(struct cpu *c, const u8 *insn);
/** It has been executed, or is left to others; it has branched or not. */
void observe_end(struct cpu *c, bool branched);
/** It stores into [ea, ea+len) in a watched space. */
void observe_store(struct cpu *c, u64 ea, u64 len);
/** PSWs were exchanged for an interruption; `old_at`: where the old one went. */
void observe_interruption(struct cpu *c, const u8 *lc, unsigned old_at);
/** A program interruption with `code` begins: the PSW points behind the instruction it is about,
 *  but of PER alone. */
void observe_failing(struct cpu *c, unsigned code);
/** The instruction will be executed again from the beginning. */
void observe_forget(struct cpu *c);
/** Is there something to tell? */
static inline bool observe_due(const struct cpu *c)
{
    return (c->observed.seen & c->observe) != 0;
}

#endif
