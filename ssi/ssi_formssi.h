/* A PDR looked at, made and judged from outside, without being a member: z/VM's FORMSSI.
 * Blocking; any thread; nothing is kept between calls. */
#ifndef ENDICOTT_SSI_SSI_FORMSSI_H
#define ENDICOTT_SSI_SSI_FORMSSI_H

#include "ssi/ssi_pdr.h"

/** One slot of a PDR. */
struct formssi_slot {
    char name[SSI_NAME_BYTES]; /* "": never used */
    enum ssi_state state;
    enum pdr_down down_reason;
    char addr[SSI_ADDR_BYTES];
    int pid;      /* process of this host that holds the life lock; 0: none */
    u64 beat_ms;  /* last heartbeat, since 1970; 0: none of this incarnation */
    u64 since_ms; /* of its state */
    unsigned claims, shares;
};

struct formssi_view {
    char cluster[SSI_NAME_BYTES];
    unsigned version;
    u64 seq;               /* number of the last change */
    u64 checkpoint_seq[2]; /* 0: that checkpoint is damaged */
    bool gap;              /* changes are missing */
    bool consistent;       /* read under the lock */
    int lock_pid;          /* holder of the lock: 0 nobody, -1 not a process of this host */
    bool passes;           /* an NBD export: who stands still with the lock is passed over, */
    unsigned lock_slot;    /* ... and whose it is */
    struct formssi_slot slots[SSI_SLOTS_MAX];
};

/** Read it. ST_NOENT no such file, ST_CONFIG not a PDR, empty or of a newer version, ST_PROTO
 * damaged, ST_IO, ST_PERM. */
int formssi_look(const char *path, struct formssi_view *view, struct cause *cause);

/** Make a new one for `cluster`. ST_EXIST there is one and `force` is not said; ST_BUSY somebody
 * uses it (a lock on this host, a heartbeat not older than `quiet_ms`), whatever is said. */
int formssi_create(const char *path, const char *cluster, bool force, u64 quiet_ms,
                   struct cause *cause);

#endif
