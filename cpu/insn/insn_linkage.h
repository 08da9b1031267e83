/* Shared by the linkage chapter. For cpu/insn only; functions return what a body returns. */
#ifndef ENDICOTT_CPU_INSN_LINKAGE_H
#define ENDICOTT_CPU_INSN_LINKAGE_H

#include "cpu/linkage/asn.h"
#include "cpu/insn/control.h"
#include "cpu/linkage/linkage.h"
#include "cpu/event/trace.h"

#define AMODE_BITS (PSW_EA | PSW_BA)
#define AMODE_31 0x80000000u /* bit 32 of an address in a register */

/** What the instruction sets when all has succeeded. */
struct linkage_target {
    u64 mask, addr;
    bool switches;  /* to another primary space */
    bool event;     /* and a space-switch event follows; with PER events it does anyway */
    u32 event_word; /* real 172 of that */
};

/** The primary space as the control registers describe it. */
struct linkage_space {
    u64 asce;
    u16 asn, ax;
    u32 instance;
    u32 aste; /* origin */
};

/** The breaking event and the new PSW, then the space-switch event. `len`: of the instruction. */
int linkage_finish(struct cpu *c, const struct dinsn *d, unsigned len,
                   const struct linkage_target *to);
/** The primary space is about to change: note the event, when CR1 or the new ASCE wants it. */
void linkage_event(const struct cpu *c, u64 new_asce, struct linkage_target *to);
/** The space of an ASTE found by ASN `asn`, its ASCE already replaced. */
struct linkage_space linkage_space_of(const struct aste *a, u16 asn, u64 asce);
/** Make it the primary space; its instance counts with ASN-and-LX reuse, or if `instance`. */
void linkage_primary_set(struct cpu *c, const struct linkage_space *s, bool instance);
/** Make the primary space the secondary one too. */
void linkage_secondary_is_primary(struct cpu *c, bool instance);
/** An instruction address as it is kept in a register: 31-bit mode by bit 32. */
u64 linkage_address(const struct cpu *c, u64 addr);

/* -- insn_linkage_call.c: bodies -- */
int linkage_program_call(struct cpu *c, const struct dinsn *d);
int linkage_program_transfer(struct cpu *c, const struct dinsn *d, bool instance);
int linkage_program_return(struct cpu *c, const struct dinsn *d);

/* -- insn_linkage_resume.c: body -- */
int linkage_resume_program(struct cpu *c, const struct dinsn *d);

/* -- insn_linkage_space.c: bodies -- */
int linkage_branch_authority(struct cpu *c, const struct dinsn *d);
int linkage_branch_subspace(struct cpu *c, const struct dinsn *d);
int linkage_load_parameters(struct cpu *c, const struct dinsn *d);

#endif
