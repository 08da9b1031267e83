/* Which process of which host, so that another process of that host can tell that it has ended.
 * Any thread; nothing is kept. */
#ifndef ENDICOTT_SSI_SSI_PROCESS_H
#define ENDICOTT_SSI_SSI_PROCESS_H

#include "mem/base/bytes.h"

/** A process, never the same as another one: its host since the last start of that, its namespaces
 *  (PID, time) there, its number, when it began (clock ticks since the host's start). */
struct ssi_process {
    u64 host_id, space, pid, start;
};

/** A number for this host since its last start; never the same elsewhere. */
u64 ssi_host_id(void);

void ssi_process_self(struct ssi_process *out);

/** Is it known that the process has ended? False where that cannot be told: another host, another
 *  PID namespace, a process number that is in use again by one that cannot be looked at. */
bool ssi_process_gone(const struct ssi_process *process);

/** Its number here; -1: it is not one of this host and PID namespace. */
int ssi_process_here(const struct ssi_process *process);

#endif
