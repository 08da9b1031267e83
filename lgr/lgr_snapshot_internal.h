/* Inside snapshots: what is under way. Internal to lgr. */
#ifndef ENDICOTT_LGR_LGR_SNAPSHOT_INTERNAL_H
#define ENDICOTT_LGR_LGR_SNAPSHOT_INTERNAL_H

#include <limits.h>

#include "hyp/snapshot/snapshot_save.h"
#include "lgr/lgr_cmd.h"
#include "lgr/lgr_internal.h"
#include "lgr/lgr_snapshot.h"

/** What others have a hold of while this system may end: its owner, or NULL from then on. */
struct snapshot_anchor {
    _Atomic u32 holds;
    struct lgr_snapshots *owner; /* loop thread */
};
void snapshot_anchor_drop(struct snapshot_anchor *anchor);

struct snapshot_save;
struct snapshot_restore;

/** Created by lgr_snapshots_create, destroyed by lgr_snapshots_destroy. */
struct lgr_snapshots {
    struct lgr_cmd cmd; /* ctx of lgr_cp_guests */
    struct cp *cp;
    const struct lgr_ports *ports;
    char folder[PATH_MAX];
    struct snapshot_save *saves;
    struct snapshot_restore *restores;
    struct snapshot_anchor *anchor;
};

/** What a command says. */
struct snapshot_order {
    char user[LGR_NAME_BYTES];
    char path[PATH_MAX];
    bool suspend, compress, replace, verify, info;
    unsigned force; /* SNAPSHOT_FORCE_, LGR_FORCE_ */
};
#define SNAPSHOT_FORCE_ENTRY 0x100u
#define SNAPSHOT_FORCE_DISKS 0x200u
#define SNAPSHOT_FORCE_CLOCK 0x400u

/** Each: CP_LATER, or the number of a message. */
int snapshot_save_begin(struct lgr_snapshots *s, struct cp_request *req,
                        const struct snapshot_order *order);
int snapshot_restore_begin(struct lgr_snapshots *s, struct cp_request *req,
                           const struct snapshot_order *order);
/** A guest's session ends here. */
void snapshot_saves_gone(struct lgr_snapshots *s, struct cp_user *user);
/** This system ends. */
void snapshot_saves_drop(struct lgr_snapshots *s);
void snapshot_restores_drop(struct lgr_snapshots *s);

/** A message's line for who issued the command, and for the operator. */
void snapshot_tell(struct lgr_snapshots *s, struct cp_request *req, const char *line);
/** Reasons below a message; returns its number. */
int snapshot_reasons(struct cp_request *req, int number, const struct lgr_reasons *reasons);

/* --- lgr_snapshot_disk.c: disks that a guest writes to are not in its snapshot --- */
/** Its volumes are as nobody will change them who does not write to them. Not while it runs. */
int snapshot_disks_rest(struct cp *cp, struct cp_user *user, struct cause *cause);
/** How each was left, as rows. What it wrote is with the host. */
void snapshot_disks_save(struct cp *cp, struct cp_user *user, struct codec_out *out);
/** Reasons: disks that are not as they were left. */
void snapshot_disks_check(struct cp *cp, const char *user, const struct snapshot_info *info,
                          struct lgr_reasons *out);

/** Wall clock, nanoseconds since 1970. */
u64 snapshot_wall_ns(void);

#endif
