/* The clock that TOD clocks of machines go by: the host's, less what a machine has brought along
 * from a host with another one. Its guest sees the time that has passed, not the difference of two
 * clocks. It goes along with a relocation (lgr/lgr_cp.c) and with nothing else. */
#ifndef ENDICOTT_HYP_VM_CLOCK_H
#define ENDICOTT_HYP_VM_CLOCK_H

#include "mem/base/bytes.h"

struct vm;
struct vm_host;

/** The host's clock, nanoseconds since 1970, where time is not counted from instructions. With
 *  ENDICOTT_TEST_CLOCK_MS in the environment as if it were so much ahead: tests, where one host
 *  stands for several. Any thread. */
u64 vm_host_wall_ns(const struct vm_host *host);
/** Nanoseconds by which it is ahead of the clock that this machine goes by; 0 unless it has come
 *  from another host. */
s64 vm_clock_ahead_ns(const struct vm *vm);
/** The machine is quiesced, and has been since it is here. [loop] */
void vm_clock_set_ahead_ns(struct vm *vm, s64 ns);

#endif
