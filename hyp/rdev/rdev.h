/* Real devices of a member: disks and tapes that are files of the host, and which of them CP
 * has, which a user has. And the links of virtual machines to disks: who reads and writes
 * what. [D1] Who may write what is decided here for one member, between members by the shares of
 * rdev_cluster, and once more by the locks of io/image/window.h. Located by: the member. Loop
 * thread. */
#ifndef ENDICOTT_HYP_RDEV_RDEV_H
#define ENDICOTT_HYP_RDEV_RDEV_H

#include "hyp/config.h"
#include "hyp/directory.h"
#include "hyp/rdev/link_mode.h"
#include "io/image/alloc_map.h"
#include "io/image/mdc.h"
#include "io/image/window.h"
#include "io/tape/tape_loader.h"
#include "mem/area.h"
#include "ssi/ssi.h"

enum rdev_class { RDEV_DASD, RDEV_TAPE, RDEV_GRAF, RDEV_UR, RDEV_OSA };
enum rdev_state { RDEV_OFFLINE, RDEV_FREE, RDEV_SYSTEM, RDEV_ATTACHED };

struct rdev {
    u16 devno, type; /* 0x3390 ... */
    enum rdev_class klass;
    enum rdev_state state;
    bool cp_owned; /* in CP_OWNED */
    bool read_only;
    char volid[7];                /* "" = no label */
    char path[CONFIG_PATH_BYTES]; /* "" = a drive without a volume */
    char user[9];                 /* RDEV_ATTACHED */
    u16 vdev;
    u64 units;              /* cylinders or blocks */
    u64 identity;           /* the same on members that have the same file, or the same EQID */
    struct share *share;    /* disks */
    struct alloc_map alloc; /* what CP may use of it */
    bool no_cache;          /* SET MDCACHE RDEV OFF */
    bool copied;            /* DUPLEX RESUME keeps its file open */
    bool drains_tdisk, drains_spool; /* DRAIN: nothing new is put there */
    const struct config_device *config;
};

/** A disk or tape drive that a virtual machine has. */
enum vlink_kind { VLINK_MDISK, VLINK_TEMP, VLINK_VIRTUAL, VLINK_DEDICATED, VLINK_TAPE };
struct vlink {
    struct vlink *next;
    char user[9];
    u16 vdev;
    char owner[9]; /* who has the MDISK in the directory */
    u16 owner_vdev;
    enum vlink_kind kind;
    enum link_mode mode; /* that was asked for */
    bool write;          /* what it got */
    bool cache;          /* it may be cached */
    bool gated;          /* members have not yet heard that it writes */
    struct rdev *rdev;   /* NULL: temporary, virtual */
    struct share *share;
    struct window_extent extent;
    struct area *area;        /* virtual: its blocks, which the share keeps */
    bool moving;              /* virtual: another member has it, or will soon; nobody gets it */
    struct image *img;        /* a window */
    struct tape_loader *tape; /* may be NULL: no volume */
};

struct rdevs;

/** Read labels, give volumes of CP_OWNED and USER_VOLUME_LIST to the system. Causes begin with
 *  `file:line:`. `config` outlives it. */
int rdevs_create(const struct system_config *config, struct rdevs **out, struct cause *cause);
void rdevs_destroy(struct rdevs *r);

/** By real device number, or NULL. */
struct rdev *rdev_find(struct rdevs *r, u16 devno);
/** A volume that the system has, by label. */
struct rdev *rdev_volume(struct rdevs *r, const char *volid);
/** The disk that another member calls so, if users can have it: the same file (or EQID),
 * size, label. */
struct rdev *rdev_equivalent(struct rdevs *r, const char *volid, u64 identity, u64 units);
struct rdev *rdev_at(struct rdevs *r, unsigned i);
/** Is this a member of a cluster? */
bool rdevs_in_ssi(const struct rdevs *r);
/** The label and what else is on it are read again (nobody has it); causes tell why not. */
int rdev_reread(struct rdevs *r, struct rdev *rdev, struct cause *cause);
/** ATTACH TO SYSTEM of a free disk, whose label no other volume of the system's has. */
void rdev_give_system(struct rdevs *r, struct rdev *rdev);

#define CPOWNED_SLOTS_MAX 255u
/** What volume a slot of the CP-owned list names; "" = none. */
const char *rdev_owned_slot(const struct rdevs *r, unsigned slot, bool *shared);
/** Change a slot ("" empties it). 0, or the slot that keeps it from that: one that has the volume
 *  already, or this one, whose volume the system has. */
unsigned rdev_own(struct rdevs *r, unsigned slot, const char *volid, bool shared);
/** The slot that has this volume; 0: none. */
unsigned rdev_slot(const struct rdevs *r, const struct rdev *rdev);
/** Is it CP's, with an allocation map, and may this member allocate there? */
bool rdev_may_allocate(const struct rdevs *r, const struct rdev *rdev);
/** The minidisk cache: of a link, of a volume, as a whole. Tracks are forgotten by `flush`; what is
 *  set lasts as long as the link, or the volume. */
void link_set_cache(struct vlink *l, bool on);
bool link_is_cached(const struct vlink *l);
void link_flush_cache(struct vlink *l);
void rdev_set_cache(struct rdevs *r, struct rdev *d, bool on);
void rdev_flush_cache(struct rdev *d);
struct mdc *rdevs_mdc(struct rdevs *r);
/** T-disk space in use of an extent of the volume's map, in its units; *high: behind the last. */
u64 tdisk_used(struct rdevs *r, const struct rdev *d, const struct alloc_extent *a, u64 *high);
/** How many T-disks that ended are being cleared (NULL: on all volumes). */
unsigned tdisk_clearings(struct rdevs *r, const struct rdev *d);
/** The volume leaves the system: what could not be cleared on it is not kept any more. */
void tdisk_forget(struct rdevs *r, const struct rdev *d);
/** Links of virtual machines to it. */
unsigned rdev_links(const struct rdevs *r, const struct rdev *rdev);
/** VARY ON: the label is read again. VARY OFF: ST_BUSY while somebody has it. */
int rdev_vary(struct rdevs *r, struct rdev *rdev, bool on, struct cause *cause);

#define LINK_USER_BYTES 24
/** Who else has (parts of) a disk; a name when it is one user: "LINUX2", "LINUX2 AT MEMBERB". */
struct link_others {
    unsigned readers, writers;
    char reader[LINK_USER_BYTES], writer[LINK_USER_BYTES];
    u8 has;         /* enum link_has, together, but of those that a share tells of */
    bool told;      /* of some of them by another member */
    bool elsewhere; /* another member, or another program, has it */
    char member[9]; /* "": that is not known */
};

enum link_result {
    LINK_DONE,
    LINK_REFUSED,     /* by what others have: struct link_others */
    LINK_NOT_MOUNTED, /* the volume is not here */
    LINK_BAD_EXTENT,  /* not on the volume, or of another type: cause */
    LINK_NO_SPACE,    /* for a temporary disk */
    LINK_FAILED,      /* host: cause */
};

struct link_request {
    const char *user;
    u16 vdev;
    const char *owner;
    const struct dir_mdisk *mdisk;
    enum link_mode mode;
};

/** Give a user a minidisk. The image is for its device, the link keeps a reference. */
enum link_result link_mdisk(struct rdevs *r, const struct link_request *q, struct vlink **out,
                            struct link_others *others, struct cause *cause);
#define LINK_WANTS_MAX 2
/** What link_mdisk will ask the cluster for first, as it looks now; kinds are the caller's. Returns
 *  how many; 0 also when it cannot be told. */
unsigned link_foresee(struct rdevs *r, const struct link_request *q,
                      struct ssi_want wants[LINK_WANTS_MAX]);
/** A minidisk of a user who arrives by relocation: extent of a volume, `write` as it was; or with
 * `rdev` NULL a virtual disk. It cannot be used before links_activate. */
int link_arriving(struct rdevs *r, const struct link_request *q, struct rdev *rdev,
                  struct window_extent extent, bool write, struct vlink **out,
                  struct cause *cause);
/** Must this member give up the volume before another may take over the link? A name or "". */
const char *link_in_the_way(struct rdevs *r, const struct rdev *rdev, const char *user,
                            struct window_extent extent, bool write);
/** A whole real device: it is attached to the user then. ST_BUSY (also: another member has part of
 *  it), ST_REFUSED, ST_IO ... with cause. */
int link_real(struct rdevs *r, struct rdev *rdev, const char *user, u16 vdev, bool read_only,
              struct vlink **out, struct cause *cause);
/** Virtual disks of a user: all of them are on their way to another member, or not any more. */
void links_moving(struct rdevs *r, const char *user, bool moving);
/** The i-th virtual disk of a user, in order of device number, or NULL. And who else has it: "" =
 *  nobody; the user itself, when it has it twice. */
struct vlink *link_virtual(struct rdevs *r, const char *user, unsigned i);
const char *link_virtual_other(struct rdevs *r, const struct vlink *l);
/** Who has a virtual disk of this name here, but for one user; "" = nobody. */
const char *link_virtual_user(struct rdevs *r, const char *owner, u16 owner_vdev,
                              const char *but);
/** Its device is gone. */
void link_drop(struct rdevs *r, struct vlink *l);
/** It is another number of the user's now, which is free. */
void link_renumber(struct rdevs *r, struct vlink *l, u16 vdev);
struct vlink *link_find(struct rdevs *r, const char *user, u16 vdev);
/** In order of device number; after NULL: the first of the user's ("" = of all). */
struct vlink *link_next(struct rdevs *r, const char *user, const struct vlink *after);
/** What other members keep from this one, and hear of it. */
struct rdev_cluster {
    void *ctx;
    /* As ssi_share_part, with bits of enum link_has; NULL: there is no cluster. */
    int (*share)(void *ctx, const struct ssi_part *part, u8 mode, u8 refuse,
                 struct cause *cause);
    /* As ssi_share_set, of a volume as a whole. */
    int (*share_volume)(void *ctx, const char *name, u8 mode, u8 refuse, struct cause *cause);
    /* A link to a minidisk or a volume has come, or is gone. True: one that writes waits, until
     * link_heard, for others to have stopped caching. */
    bool (*changed)(void *ctx, const struct vlink *l, bool gone);
    /* Has every member that may be up told all its links, and will it tell of the next one before
     * that writes? */
    bool (*in_touch)(void *ctx);
    /* Give back all bits but `mode`, without waiting: of a part, or (NULL) of a volume as a whole.
     * NULL: share does. */
    int (*lower)(void *ctx, const struct ssi_part *part, const char *name, u8 mode);
};
/** NULL: none any more. What links there are keeps; they have no shares yet. */
void rdevs_set_cluster(struct rdevs *r, const struct rdev_cluster *cluster);
/** Is it a minidisk, or a volume, that other members may have, too? */
bool link_is_shared(const struct rdevs *r, const struct vlink *l);
/** Ask the cluster for a link that is there already, from before there was one. ST_EXIST: another
 *  member has what its mode forbids; or as ssi_share_set. */
int link_join(struct rdevs *r, const struct vlink *l, struct cause *cause);

/** All members have heard of this link: it may be used. */
void link_heard(struct rdevs *r, const char *user, u16 vdev);
/** in_touch may have changed: which minidisks may be cached? */
void links_look(struct rdevs *r);

#define REMOTE_LINKS_MAX 65536u
/** A link on another member, as that has told. */
struct remote_link {
    struct remote_link *next;
    char member[9], user[9], volid[7];
    u16 vdev;
    u64 identity, units; /* of its volume, as in struct rdev */
    struct window_extent extent;
    enum link_mode mode;
    bool write;
};
/** Add, or in place of that device's; copied. False: no memory, or too many. */
bool remote_link_put(struct rdevs *r, const struct remote_link *like);
void remote_link_gone(struct rdevs *r, const char *member, const char *user, u16 vdev);
/** All of a member; "": all. */
void remote_links_forget(struct rdevs *r, const char *member);
/** In no order; after NULL: the first. */
const struct remote_link *remote_link_next(const struct rdevs *r,
                                           const struct remote_link *after);
/** The label other members are told of its volume: "" where a user has all of it and may write
 *  another one. */
const char *link_label(const struct vlink *l);
/** Has it the same minidisk, or part of it? */
bool remote_link_same_disk(const struct vlink *l, const struct remote_link *m);
/** Others that have the same minidisk or parts of it. */
bool link_same_disk(const struct vlink *a, const struct vlink *b);
/** What was written to the disks of a user is on the host's. ST_IO: a disk that failed, by name. */
int links_sync(struct rdevs *r, const char *user, struct cause *cause);
/** The same, soon: nobody waits. */
void links_flush_soon(struct rdevs *r, const char *user);
/** All links of a user can be used. ST_BUSY: try again, the other member is not done yet. */
int links_activate(struct rdevs *r, const char *user, struct cause *cause);
/** None of them can be used any more: another member may have what they were. Its devices have
 *  written everything. */
void links_let_go(struct rdevs *r, const char *user);

#endif
