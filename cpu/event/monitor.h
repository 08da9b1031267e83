/* MONITOR CALL and the enhanced-monitor facility. For cpu/ only. */
#ifndef ENDICOTT_CPU_EVENT_MONITOR_H
#define ENDICOTT_CPU_EVENT_MONITOR_H

#include "cpu/cpu_internal.h"

/** MONITOR CALL of class 0-15 with a monitor code: 0 (masked, or counted) or PGM_MONITOR with
 *  class and code noted. */
int monitor_call(struct cpu *c, unsigned monitor_class, u64 code);

#endif
