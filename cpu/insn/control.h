/* Shared by the control chapter, interruptions, timing and SIGP. For cpu/ only.
 * Functions that are bodies of instructions return what a body returns (see isa.h). */
#ifndef ENDICOTT_CPU_CONTROL_H
#define ENDICOTT_CPU_CONTROL_H

#include "cpu/insn/operand.h"

#define ORDERS_ALL                                                                             \
    (REQ_STOP | REQ_STOP_STATUS | REQ_START | REQ_RESTART | REQ_RESET | REQ_INITIAL_RESET)

/* -- PSW -- */
/** False when introducing this PSW is an early specification exception. */
bool cpu_psw_valid(u64 mask, u64 addr);
/** Load a PSW for LPSW, LPSWE: takes the early exception (ILC 0). Returns CPU_PSW_LOADED. */
int cpu_introduce_psw(struct cpu *c, u64 mask, u64 addr);
/** Restart interruption. */
void cpu_restart_interruption(struct cpu *c);
/** Put the CPU into the operating or the stopped state. */
void cpu_set_operating(struct cpu *c, bool operating);
/** Store the status of `c` as the 512-byte area at absolute `abs` (inside storage). */
void cpu_store_status(struct cpu *c, u64 abs);
/** The same without PSW and prefix: the register save areas of a machine check. */
void cpu_store_registers(struct cpu *c, u64 abs);
/** Store the PSW at real `old_at`, introduce the one at `new_at`: the end of an interruption. */
void cpu_interruption_psws(struct cpu *c, unsigned old_at, unsigned new_at);

/* -- external.c -- */
/** Is an external interruption pending that the CPU is enabled for? */
bool external_enabled(struct cpu *c);
/** For the service signal and what else its subclass mask is for. */
bool external_service_enabled(const struct cpu *c);
bool external_take(struct cpu *c);
/** Codes of all that are pending; how many. */
unsigned external_pending(struct cpu *c, u16 codes[CPU_EXTERNALS_MAX]);

/* -- machine_check.c -- */
/** Is a machine check pending that the CPU is enabled for? */
bool machine_check_enabled(struct cpu *c);
bool machine_check_take(struct cpu *c);
/** Conditions that are pending. */
u64 machine_check_pending(const struct cpu *c);
/** An exigent condition meets a disabled CPU: it is in the check-stop state now. */
bool machine_check_fatal(struct cpu *c);
/** Enter the check-stop state; the other CPUs get a malfunction alert. No lock held. */
void cpu_check_stop(struct cpu *c);

static inline bool problem_state(const struct cpu *c)
{
    return (c->psw.mask & PSW_PROB) != 0;
}

/** True when the problem state may use access key `key` (0-15): PSW-key mask, CR3. */
static inline bool key_permitted(const struct cpu *c, unsigned key)
{
    return !problem_state(c) || (c->cr[3] >> 16 & (0x8000u >> (key & 15)));
}

static inline bool has_facility(const struct cpu *c, unsigned bit)
{
    return facility_has(c->set->facilities, bit);
}

/* -- timing.c: bodies -- */
int timing_store_clock(struct cpu *c, u64 ea, unsigned b, bool fast);
int timing_store_clock_extended(struct cpu *c, u64 ea, unsigned b);
int timing_set_clock(struct cpu *c, u64 ea, unsigned b);
int timing_set_comparator(struct cpu *c, u64 ea, unsigned b);
int timing_store_comparator(struct cpu *c, u64 ea, unsigned b);
int timing_set_timer(struct cpu *c, u64 ea, unsigned b);
int timing_store_timer(struct cpu *c, u64 ea, unsigned b);
int timing_set_programmable(struct cpu *c);
int timing_perform_function(struct cpu *c); /* ptff.c */
int timing_extract_cpu_time(struct cpu *c, const struct dinsn *d);

/** The physical clock, not less than where STCK has got: changes of the TOD clock begin here. */
u64 timing_physical(struct cpu *c);
/** The TOD clock was changed: whoever waits for it has to look again. */
void timing_changed(struct cpu *c);

/* -- configure.c -- */
/** PERFORM TOPOLOGY FUNCTION. */
int topology_perform(struct cpu *c, unsigned r1);

/* -- sigp.c -- */
int sigp_execute(struct cpu *c, const struct dinsn *d);

/* -- insn_control_keys.c: bodies -- */
int keys_insert(struct cpu *c, const struct dinsn *d);
int keys_insert_virtual(struct cpu *c, const struct dinsn *d);
int keys_set(struct cpu *c, const struct dinsn *d);
int keys_reset_reference(struct cpu *c, const struct dinsn *d);
int keys_reset_reference_multiple(struct cpu *c, const struct dinsn *d);
int keys_insert_reference_multiple(struct cpu *c, const struct dinsn *d);
int keys_test_block(struct cpu *c, const struct dinsn *d);
int keys_frame_management(struct cpu *c, const struct dinsn *d);
int keys_test_protection(struct cpu *c, const struct dinsn *d);

/* -- insn_control_essa.c: body -- */
int storage_attributes(struct cpu *c, const struct dinsn *d);

/* -- insn_control_dat.c: bodies -- */
struct dat_walk;
struct dat_result;
void control_walk(const struct cpu *c, u64 asce, struct dat_walk *walk);
/** Translate `va` as base register b says, DAT on or off; an exception has its TEID. */
int control_translate(struct cpu *c, unsigned b, u64 va, struct dat_result *found);
int dat_load_real_address(struct cpu *c, const struct dinsn *d, bool wide);
int dat_store_real_address(struct cpu *c, const struct dinsn *d);
int dat_load_page_entry_address(struct cpu *c, const struct dinsn *d);
int dat_load_using_real(struct cpu *c, const struct dinsn *d, unsigned len);
int dat_store_using_real(struct cpu *c, const struct dinsn *d, unsigned len);
int dat_invalidate_page(struct cpu *c, const struct dinsn *d);
int dat_reset_protection(struct cpu *c, const struct dinsn *d);
int dat_invalidate_table(struct cpu *c, const struct dinsn *d);
int dat_compare_and_replace(struct cpu *c, const struct dinsn *d);
int dat_swap_and_purge(struct cpu *c, const struct dinsn *d, unsigned len);

/* -- insn_control_move.c: bodies -- */
int move_with_specifications(struct cpu *c, const struct dinsn *d);
int move_primary_secondary(struct cpu *c, const struct dinsn *d, bool to_primary);
int move_with_key(struct cpu *c, const struct dinsn *d);
int move_with_one_key(struct cpu *c, const struct dinsn *d, bool key_is_source);

#endif
