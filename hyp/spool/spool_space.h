/* Spool space: how many pages spool files take, of which CP-owned volume. A volume's SPOL space is
 * a limit and an account: the records themselves are in the folder of the spool. Without such
 * volumes there is no limit. [P1] What a file takes is in its spool_pages, and nowhere else but in
 * the sums here. Sinks of devices take pages; the rest is for the loop thread. */
#ifndef ENDICOTT_HYP_SPOOL_SPOOL_SPACE_H
#define ENDICOTT_HYP_SPOOL_SPOOL_SPACE_H

#include "mem/base/bytes.h"
#include "mem/base/lock.h"

#define SPOOL_SLOTS_MAX 255u
#define SPOOL_PARTS_MAX 8u
#define SPOOL_NEARLY_FULL 90u /* per cent: the operator is told */

/** Pages by volume; slot 0: on none. Begins as zeros. */
struct spool_pages {
    unsigned parts;
    struct {
        u8 slot;
        u32 pages;
    } part[SPOOL_PARTS_MAX];
};

struct spool_volume {
    u32 pages; /* that it has; 0: none */
    u32 used;
    bool drained; /* no new ones */
};

struct spool_space {
    struct lock lock;
    struct spool_volume volume[SPOOL_SLOTS_MAX + 1]; /* by slot of the CP-owned list */
    unsigned last;                                   /* the slot that was taken of last */
    bool nearly_told, full_told;
};

void spool_space_init(struct spool_space *s);
void spool_space_fini(struct spool_space *s);
/** A volume has so many pages for spool files now. What it has in use stays. */
void spool_space_set(struct spool_space *s, unsigned slot, u32 pages, bool drained);
/** Take pages for a file, which goes on where its last ones are. False: there are not so many. */
bool spool_space_take(struct spool_space *s, struct spool_pages *of, u32 count);
/** For a file that is there already: on no volume, if none has room. */
void spool_space_have(struct spool_space *s, struct spool_pages *of, u32 count);
/** What of a file is on no volume goes to one, as far as there is room. */
void spool_space_settle(struct spool_space *s, struct spool_pages *of);
/** All its pages are free again. */
void spool_space_give(struct spool_space *s, struct spool_pages *of);
void spool_space_get(struct spool_space *s, unsigned slot, struct spool_volume *out);

#endif
