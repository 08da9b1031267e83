/* Snapshots of guests: SNAPSHOT SAVE, RESTORE, INFO of CP. A snapshot is a relocation whose link
 * is a file: guests, eligibility and state are those of lgr. Also for a member without a cluster.
 * Loop thread. docs/snapshots.md. */
#ifndef ENDICOTT_LGR_LGR_SNAPSHOT_H
#define ENDICOTT_LGR_LGR_SNAPSHOT_H

#include "lgr/lgr.h"

struct lgr_snapshots;

/** Registers SNAPSHOT. `ports` outlives the snapshots. `lgr` NULL: there is no cluster. `folder`:
 *  where names without a folder are, made when it is needed. */
int lgr_snapshots_create(struct cp *cp, struct lgr *lgr, const struct lgr_ports *ports,
                         const char *folder, struct lgr_snapshots **out, struct cause *cause);
/** Before cp_destroy: what is under way ends, and nothing is left of it. */
void lgr_snapshots_stop(struct lgr_snapshots *s);
/** After cp_destroy. */
void lgr_snapshots_destroy(struct lgr_snapshots *s);

#endif
