/* The Inter-User Communication Vehicle: programs of virtual machines, and CP's services, send
 * each other messages over paths. The instruction (B2F0) is carried out on the loop thread
 * while its CPU is blocked; all paths and messages belong to that thread. What waits to be
 * presented, and for which CPUs, is guarded by host->lock. A machine that has never declared a
 * buffer has none of this.
 * Source: VM/SP System Programmer's Guide (SC19-6203); z/VM CP Programming Services. */
#ifndef ENDICOTT_HYP_IUCV_IUCV_H
#define ENDICOTT_HYP_IUCV_IUCV_H

#include "mem/base/codec.h"

struct vm;
struct vcpu;
struct cpu_icpt;
struct iucv;

#define IUCV_CONNECTIONS 64 /* without OPTION MAXCONN */

/** The instruction; true: it is finished, false: the CPU is blocked. Processor thread. */
bool icpt_iucv(struct vcpu *v, const struct cpu_icpt *k);
/** An interruption 4000 is about to be presented: what it is about goes into the buffer of that
 *  CPU.  False: there is none for it any more. Processor thread of that CPU. */
bool iucv_take(struct vm *vm, unsigned cpu);
/** Reset, or the end of the machine: its paths are severed. The machine is held [loop]. */
void iucv_end(struct vm *vm);

#endif
