/* Just-in-time translation to x86-64, seen from the rest of cpu/.
 * Translated code is one more kind of slot handler: it has the signature of insn_run, is entered
 * through slot->run and leaves by jumping to another slot's run, or straight into the translation
 * that stands there (cpu/jit/link.c).
 * Serialised by: the thread that runs the CPU; everything here is per CPU. */
#ifndef ENDICOTT_CPU_JIT_H
#define ENDICOTT_CPU_JIT_H

#include "cpu/cpu_internal.h"

/** Can this host execute what would be emitted? */
bool jit_supported(void);
/** Give the CPU a translator; ST_NOMEM or ST_UNSUP when it cannot have one. */
int jit_create(struct cpu *c, enum cpu_engine engine, struct cause *cause);
void jit_destroy(struct cpu *c);
/** A taken branch has led to `d` often enough: translate from here on when that is possible.
 *  Returns the slot to go on with, which is `d`. */
const struct dinsn *jit_hot(struct cpu *c, const struct dinsn *d);
/** Bytes [from, from + len) of the page's frame change: what was translated of them is void. */
void jit_invalidate(struct cpu *c, struct code_page *page, unsigned from, unsigned len);
/** The page loses its frame: forget all its translations (slots are reset by the caller). */
void jit_forget_page(struct cpu *c, struct code_page *page);
/** Forget all translations; the CPU is not running. */
void jit_forget(struct cpu *c);
/** The same, and their memory goes back to the host. */
void jit_trim(struct cpu *c);
/** Count calls of bodies from now on. */
int jit_bodies_create(struct cpu *c);
/** The region that begins at `d` and was made for the mode the CPU is in, or NULL. */
struct jit_region;
const struct jit_region *jit_region_at(const struct cpu *c, const struct dinsn *d);
/** Is this handler translated code? */
bool jit_is_code(const struct cpu *c, insn_run *run);
/** run(c, d, n), with the registers that translated code uses saved. */
int jit_call(struct cpu *c, const struct dinsn *d, long n, insn_run *run);

/** Executions of a branch target before it is translated; times a branch target is counted. */
static inline u8 *jit_heat(struct cpu *c, const struct dinsn *d)
{
    return &c->heat[((uintptr_t)d >> 4) & (JIT_HEAT_ENTRIES - 1)];
}

#endif
