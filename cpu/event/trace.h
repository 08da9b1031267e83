/* Tracing (PoP chapter 4): entries of the trace table at the real address in CR12.
 * For cpu/ only. Each function forms one entry when CR12 asks for it, stores it and steps CR12 on,
 * or returns a program-interruption code having changed nothing: 0004 low-address protection,
 * 0005 addressing, 0016 when the entry would reach the end of its 4 KiB block. So it is called
 * when nothing else can fail any more, before anything of the instruction is changed; psw.mask
 * and the registers are still the old ones. */
#ifndef ENDICOTT_CPU_EVENT_TRACE_H
#define ENDICOTT_CPU_EVENT_TRACE_H

#include "cpu/cpu_internal.h"

#define CR12_BRANCH_TRACE CR_BIT(0)
#define CR12_MODE_TRACE CR_BIT(1)
#define CR12_ASN_TRACE CR_BIT(62)
#define CR12_EXPLICIT_TRACE CR_BIT(63)

/** Branch entry, if branch tracing is on: a branch to `target` in the addressing mode of the PSW
 *  bits PSW_EA, PSW_BA of `mode`. BAKR, BALR, BASR, BASSM, TRAP. */
int trace_branch(struct cpu *c, u64 mode, u64 target);
/** The same for the instruction `text` if it is a BALR or BASR that branches; else 0. Those two
 *  are small and often executed, so they are looked at from outside (per.c). */
int trace_branch_insn(struct cpu *c, const u8 *text);
/** BASSM (`branch_traced`) and BSM to the address `target` as it stands in the register: a mode
 *  switch, mode-switching-branch or branch entry, or none. `next`: the next sequential address. */
int trace_branch_set_mode(struct cpu *c, u64 target, u64 next, bool branch_traced);
/** The same for RP: to `target` in the addressing mode of the PSW bits of `mode`. */
int trace_resume(struct cpu *c, u64 mode, u64 target, u64 next);
/** Mode-switch entry, if mode tracing is on and the 64-bit mode is entered or left: SAM24, SAM31,
 *  SAM64, PC, PR, TRAP. `next` is the next sequential address. */
int trace_mode_switch(struct cpu *c, u64 new_mode, u64 next);
/** BSG entry, if branch tracing is on: `alet` of the new space, `target` as R2 has it. */
int trace_subspace(struct cpu *c, u32 alet, u64 target);
/** SSAR and SSAIR (`instance`), if ASN tracing is on. */
int trace_set_secondary(struct cpu *c, u16 sasn, bool instance);
/** PC: `number` is the PC number, 32 bits of it when `wide` (bit 44 of the operand address was one
 *  and ASN-and-LX reuse is on); `next` the return address. */
int trace_program_call(struct cpu *c, u32 number, bool wide, u64 next);
/** PR: PASN, PSW mask and address being restored; `next` the next sequential address. */
int trace_program_return(struct cpu *c, u16 pasn, u64 mask, u64 addr, u64 next);
/** PT and PTI (`instance`): the new PASN and the contents of R2. */
int trace_program_transfer(struct cpu *c, u16 pasn, u64 r2, bool instance);
/** TRACE (width 4) and TRACG (8) of the registers r1 to r3, with the operand word. */
int trace_explicit(struct cpu *c, unsigned r1, unsigned r3, u32 operand, unsigned width);

#endif
