/* Program-event recording (PoP chapter 4): what happened to the instruction being watched.
 * For cpu/ only; all on the CPU's own thread. */
#ifndef ENDICOTT_CPU_EVENT_PER_H
#define ENDICOTT_CPU_EVENT_PER_H

#include "cpu/cpu_internal.h"

/* PER code, real 150 (and the masks in CR9 bits 32-39). */
#define PER_BRANCH 0x80u
#define PER_FETCH 0x40u
#define PER_STORE 0x20u
#define PER_KEY 0x10u
#define PER_STORE_REAL 0x08u /* always together with PER_STORE */
#define PER_ZERO 0x04u
#define PER_NULLIFY 0x01u /* together with PER_FETCH: the instruction was not executed */

/** Recompute c->watch from the PSW and the control registers; before spaces are selected. */
void per_select(struct cpu *c);
/** Execute the instruction `d`, whose text is `insn`, watched. Returns as a body does, or
 *  PGM_PER when it completed and events are to be reported. */
int per_step(struct cpu *c, const struct dinsn *d, const u8 *insn);
/** The target of an EXECUTE at `ia` is about to run; PGM_PER when that nullifies the EXECUTE. */
int per_execute_target(struct cpu *c, u64 ia, const u8 *text);
/** [ea, ea+len) is being stored into in a watched space through base register b (16: none).
 *  `certain` is false when the instruction may still end without storing. */
void per_stored(struct cpu *c, const struct tlb_space *sp, unsigned b, u64 ea, u64 len,
                bool certain);
/** Storage has been accessed in a watched space through base register b: was its address made
 *  from a register that is zero? */
void per_addressed(struct cpu *c, const struct tlb_space *sp, unsigned b);
/** The key of the frame at `abs` has been set. */
void per_key_set(struct cpu *c, u64 abs);
/** Store without an event: monitor counters, trap save area of the CPU's own doing. */
int per_put_unwatched(struct cpu *c, struct tlb_space *sp, u64 ea, const void *src, u64 len);
/** Store for STURA and STURG, whose event has a mask of its own. */
int per_put_real(struct cpu *c, struct tlb_space *sp, u64 real, const void *src, u64 len);
/** An instruction that does not end as a taken branch has branched to `target`. */
void per_branched(struct cpu *c, u64 target);
/** Should the instruction being interrupted be nullified for its fetching? */
static inline bool per_nullifies(const struct cpu *c)
{
    return (c->per.code & PER_NULLIFY) != 0;
}
/** Take the events for a program interruption with `code` into the prefix area at `lc`; returns
 *  the code with the PER bit when there are any. */
unsigned per_take(struct cpu *c, u8 *lc, unsigned code, bool completed);
/** An intercepted instruction has been completed: report its events. */
void per_finish(struct cpu *c);
/** Forget events: the instruction will be executed again from the beginning. */
void per_forget(struct cpu *c);

#endif
