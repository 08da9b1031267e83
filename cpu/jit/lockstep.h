/* Lockstep: every stretch of translated code is executed again by the interpreter, from the same
 * state, and all that it has done is compared. A difference ends the program.
 * Serialised by: one CPU of a set at a time is inside; see lockstep_take. */
#ifndef ENDICOTT_CPU_LOCKSTEP_H
#define ENDICOTT_CPU_LOCKSTEP_H

#include "cpu/jit/jit.h"

/** The CPU, which has a translator, runs in lockstep from now on; with `some` what was equal often
 *  enough is compared now and then only. ST_NOMEM. */
int lockstep_create(struct cpu *c, bool some);
void lockstep_destroy(struct cpu *c);
/** What the CPUs of the set share; when the last of them is gone. */
void lockstep_set_destroy(struct cpu_set *set);

/** One CPU of the set at a time executes or stores for its guest; requests of others to this one
 *  are carried out while it waits. Not nested. */
void lockstep_take(struct cpu *c);
void lockstep_release(struct cpu *c);

/** As exec_slice of run.c: about n instructions from psw.addr. */
int lockstep_slice(struct cpu *c, long n);
/** A store translation has been entered: it may not outlive the stretch. */
void lockstep_store_entry(struct cpu *c, struct tlb_entry *e);
/** May an instruction be executed more than once from the same state, to the same effect? */
bool lockstep_repeatable(const struct isa_entry *row);

/** What was compared so far. */
struct lockstep_stats {
    u64 stretches; /* compared with the interpreter */
    u64 cold;      /* of them, begun without store translations */
    u64 insns;     /* instructions in them */
    u64 alone;     /* instructions executed by the interpreter only */
    u64 unseen;    /* ... and by translated code only */
    u64 frames;    /* frames stored into that were compared */
};
struct lockstep_stats lockstep_stats(const struct cpu *c);

#endif
