/* The virtual switches of a member: networks that adapters of guests are coupled with, and who may.
 * Loop thread, but for the networks themselves (io/net/lan.h). */
#ifndef ENDICOTT_HYP_NET_VSWITCH_H
#define ENDICOTT_HYP_NET_VSWITCH_H

#include "hyp/directory.h"
#include "io/net/uplink.h"

#define VSWITCHES_MAX 64u
#define VSWITCH_GRANTS_MAX 1024u
#define MACS_MAX 16384u /* that one member gives */

struct vswitches;

/** Located by its member's list. Read-only for others. */
struct vswitch {
    struct vswitch *next;
    char name[DIR_NAME_BYTES];
    struct lan *lan;
    struct uplink *uplink; /* NULL: none */
    bool uplink_up;        /* as the operator was told */
    u8 mac[MAC_BYTES];     /* its own */
    char (*grant)[DIR_NAME_BYTES];
    unsigned grants;
    unsigned coupled; /* adapters; the commands count them */
};

/** None yet; `prefix` is the first half of addresses that this member gives (VMLAN MACPREFIX).
 *  `events` are told when an uplink changes. NULL without host memory. */
struct vswitches *vswitches_create(u32 prefix, const struct uplink_events *events);
/** Nothing is coupled any more. */
void vswitches_destroy(struct vswitches *all);

/** A switch; `uplink` as uplink_open has it, NULL for none. ST_EXIST, ST_LIMIT, ST_NOMEM, or as
 *  uplink_open. */
int vswitch_define(struct vswitches *all, const char *name, const char *uplink,
                   struct vswitch **out, struct cause *cause);
/** Nothing is coupled with it any more. */
void vswitch_remove(struct vswitches *all, struct vswitch *sw);
struct vswitch *vswitch_find(const struct vswitches *all, const char *name);
/** The one behind `sw` in the order of names, the first for NULL; NULL: no more. */
struct vswitch *vswitch_next(const struct vswitches *all, const struct vswitch *sw);

/** May this user couple with it? */
bool vswitch_granted(const struct vswitch *sw, const char *userid);
/** ST_EXIST: it may already; ST_LIMIT, ST_NOMEM. */
int vswitch_grant(struct vswitch *sw, const char *userid);
/** False: it might not. */
bool vswitch_revoke(struct vswitch *sw, const char *userid);

/** An address that this member has not given; the caller gives it back. False: none is left. */
bool vswitch_mac_take(struct vswitches *all, u8 mac[MAC_BYTES]);
/** A certain address (NICDEF MACID, an adapter that arrives). False: it is in use here. */
bool vswitch_mac_take_this(struct vswitches *all, const u8 mac[MAC_BYTES]);
void vswitch_mac_give(struct vswitches *all, const u8 mac[MAC_BYTES]);

#endif
