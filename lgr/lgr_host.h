/* Memory and processors of the host as this process may use them: the kernel's own figures and,
 * when there are some, the limits of the control group. Text is parsed apart, for tests. */
#ifndef ENDICOTT_LGR_LGR_HOST_H
#define ENDICOTT_LGR_LGR_HOST_H

#include "lgr/lgr_core.h"

/** Of /proc/meminfo: all four fields; what it does not tell is 0. */
void lgr_host_meminfo(const char *text, struct lgr_room *out);
/** Less, when a control group has so little left: its limit, its use, and what of that is cache the
 *  kernel takes back (bytes). Limit ~0: none. */
void lgr_host_limit(u64 limit, u64 used, u64 cache, struct lgr_room *out);
/** Processors that this process may use. */
unsigned lgr_host_processors(void);
/** Of this host now, into real_bytes, real_free_bytes, paging_bytes, paging_free_bytes. */
void lgr_host_room(struct lgr_room *out);

#endif
