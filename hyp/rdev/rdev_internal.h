/* The inside of hyp/rdev: the table and its lists. */
#ifndef ENDICOTT_HYP_RDEV_RDEV_INTERNAL_H
#define ENDICOTT_HYP_RDEV_RDEV_INTERNAL_H

#include "hyp/rdev/rdev.h"

/* Created with the member, destroyed behind all virtual machines. */
struct rdevs {
    const struct system_config *config;
    struct rdev *rdev; /* by number */
    unsigned count;
    struct vlink *links; /* by user, then number */
    struct {
        char volid[CONFIG_VOLID_BYTES]; /* "" = none */
        bool shared;
    } owned[CPOWNED_SLOTS_MAX + 1]; /* by slot */
    struct tdisk_clearer *clearer;  /* NULL: nothing was cleared yet */
    struct mdc *mdc;
    struct rdev_cluster cluster; /* share NULL: none */
    struct remote_link *remote;
    unsigned remotes;
};

/* cache.c */
/** Its window is to be cached, or not, as the link and its volume say. */
void link_apply_cache(struct vlink *l);

/* link.c */
/** Make its window and activate it. LINK_REFUSED: another program has it. */
enum link_result link_open(struct vlink *l, struct cause *cause);

/* link_virtual.c */
/** The virtual disk of the request, which is made when nobody has it: share, area, extent of `l`.
 *  `arrives`: it has to be made. ST_EXIST; ST_BUSY: it is being relocated; ST_NOMEM. */
int virtual_take(struct rdevs *r, const struct link_request *q, bool arrives, struct vlink *l,
                 struct cause *cause);

/* link_share.c */
/** Ask the cluster for what `l` is to have; `refuse`: bits that no other member may have. ST_EXIST:
 *  it has; the cause names it. Also where there is nothing to ask: ST_OK. */
int link_consent(struct rdevs *r, const struct vlink *l, u8 refuse, struct cause *cause);
/** What link_consent would ask for. */
unsigned link_wants(struct rdevs *r, const struct vlink *l, u8 refuse,
                    struct ssi_want wants[LINK_WANTS_MAX]);
/** What a whole disk counts as on other members: its volume is read by all, written by one; or, of
 *  files that one program writes or several read, that. */
enum link_mode link_real_mode(const struct vlink *l);
/** It has not got it, or has it no more. */
void link_release(struct rdevs *r, const struct vlink *l);
/** The other members are to know; before it is used. */
void link_tell(struct rdevs *r, struct vlink *l, bool gone);

/* rdev.c */
/** What struct rdev says of `identity`, as its file is now; 0: there is none. */
u64 rdev_identity(const struct system_config *config, const struct rdev *d);

/* owned.c */
void owned_init(struct rdevs *r);
bool owned_find(const struct rdevs *r, const char *volid);

/* tdisk.c */
/** Is there a volume with space for temporary disks of this type? */
bool tdisk_here(const struct rdevs *r, u16 type);
/** Find space and open it; LINK_NO_SPACE, or why it cannot be had. */
enum link_result tdisk_take(struct rdevs *r, u16 type, u64 count, struct vlink *l,
                            struct cause *cause);

/* tdisk_clear.c */
/** The link to one ends: clear its space if that is wanted. */
void tdisk_gone(struct rdevs *r, struct vlink *l);
/** What is clear by now is free. */
void tdisk_reap(struct rdevs *r);
/** Is part of it being cleared, or could not be? *end: behind that. */
bool tdisk_unclean(const struct rdevs *r, const struct rdev *d, struct window_extent x,
                   u64 *end);
/** How much of x is, in units of `unit` blocks or cylinders. */
u64 tdisk_unclean_units(const struct rdevs *r, const struct rdev *d, struct window_extent x,
                        u64 unit);
/** Wait some seconds until all is clear; what is not then stays as it is. */
void tdisk_destroy(struct rdevs *r);

#endif
