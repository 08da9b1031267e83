/* How late a machine that idles is woken for its timers: pure, no locks, no clock. */
#ifndef ENDICOTT_HYP_DISPATCH_SLACK_H
#define ENDICOTT_HYP_DISPATCH_SLACK_H

#include "mem/base/bytes.h"

#define SLACK_PART 32           /* at most 1/32 of the time that the machine has been quiet */
#define SLACK_NS_MIN 5000000ull /* less saves no tick of 4 ms */
#define QUIET_INSNS_MAX 50000u  /* a turn of more instructions is work */

/** By how much a timer of a machine that has been quiet for `quiet_ns` may be late: `max_ns`, a
 *  multiple of 1 ms, or a half, quarter ... of it; 0: not at all. */
u64 slack_for(u64 quiet_ns, u64 max_ns);
/** When to wake for a timer that is due at `due_ns`: not before, `slack_ns` later at most, and at
 *  an instant that is one for all whose slack is this, or twice, four times ... it. */
u64 slack_until(u64 due_ns, u64 slack_ns);

#endif
