/* The engine of relocation without CP: guests come through a table of functions, so that a
 * whole cluster with fake guests runs in one process (tests/unit/lgr/lgr_sim_test.c). */
#ifndef ENDICOTT_LGR_LGR_CORE_H
#define ENDICOTT_LGR_LGR_CORE_H

#include "lgr/lgr.h"
#include "mem/base/codec.h"
#include "mem/storage.h"

#define LGR_CLAIM_KIND 1 /* of user ids; CP_CLAIM_USERID */
#define LGR_FACILITY_BYTES 32
#define LGR_CPUS_MAX 64

#define LGR_DISKS_MAX 64
#define LGR_SEGMENTS_MAX 16
#define LGR_NICS_MAX 32
#define LGR_NIC_NEED_BYTES 40
#define LGR_IDENTITY_BYTES 16

struct lgr_reasons;

/** A minidisk of the guest: the destination must have its volume, too. */
struct lgr_disk {
    u16 vdev, type; /* 0x3390 */
    bool write;
    char volid[7];
    u64 units, identity; /* of the volume */
    u64 first, count;    /* the minidisk on it */
};

/** A saved segment or system: the destination must have the same saving. */
struct lgr_segment {
    char name[LGR_NAME_BYTES];
    u8 identity[LGR_IDENTITY_BYTES];
};

/** A network adapter that is coupled: the destination must have a virtual switch of that name, and
 *  let the user couple with it as it was. */
struct lgr_nic {
    u16 vdev;
    char lan[LGR_NAME_BYTES];
    u8 need[LGR_NIC_NEED_BYTES]; /* what its port may; CP's to read */
};

/** What a guest is; filled by the source, compared by the destination. Plain value. */
struct lgr_guest_info {
    char user[LGR_NAME_BYTES];
    char domain[LGR_NAME_BYTES];
    u64 storage_bytes;
    u64 touched_bytes; /* host memory it needs at least */
    u32 cpus;
    u64 entry_digest; /* of the directory entry */
    u8 facilities[LGR_FACILITY_BYTES];
    struct lgr_disk disk[LGR_DISKS_MAX];
    u32 disks;
    struct lgr_segment segment[LGR_SEGMENTS_MAX]; /* what it has loaded */
    u32 segments;
    struct lgr_nic nic[LGR_NICS_MAX];
    u32 nics;
    /* the source's side only */
    bool disconnected, relocatable, identity, ending, traced, in_domain;
    char bad_segment[LGR_TEXT_BYTES / 2]; /* "NAME is restricted": it cannot move; "" = none */
    char bad_device[LGR_TEXT_BYTES / 4];  /* a device that cannot move; "" = none */
};

/** What the destination is for such a guest. */
struct lgr_here {
    bool known;     /* in its directory */
    bool logged_on; /* or arriving by another relocation */
    u64 entry_digest;
    u64 storage_max_bytes, memory_free_bytes;
    u8 facilities[LGR_FACILITY_BYTES];
    char bad_disk[LGR_TEXT_BYTES / 4]; /* a disk whose volume it cannot give; "" = none */
    char bad_nic[LGR_TEXT_BYTES / 4];  /* an adapter whose switch it cannot give; "" = none */
    char no_segment[LGR_NAME_BYTES]; /* a segment that it has not, or another one; "" = none */
};

/** Guests of one member. `guest` is the table's own handle, good until depart or gone. */
struct lgr_guests {
    void *(*find)(void *ctx, const char *user); /* logged on here; NULL = not */
    void (*info)(void *ctx, void *guest, const char *to, struct lgr_guest_info *out);
    u64 (*claim)(void *ctx, void *guest);
    struct storage *(*storage)(void *ctx, void *guest);
    u64 (*epoch)(void *ctx, void *guest, u64 *set);             /* as vm_epoch */
    void (*throttle)(void *ctx, void *guest, unsigned percent); /* of processor time taken */
    bool (*quiesce)(void *ctx, void *guest);
    void (*unquiesce)(void *ctx, void *guest);
    /* Quiesced. Not ST_OK, with cause: a disk of the host failed; it is to go on here. */
    int (*save)(void *ctx, void *guest, struct codec_out *out, struct cause *cause);
    /* Destination. arrive: a machine that is quiesced and that no command sees. */
    void (*here)(void *ctx, const struct lgr_guest_info *info, struct lgr_here *out);
    int (*arrive)(void *ctx, const struct lgr_guest_info *info, void **guest,
                  struct cause *cause);
    int (*restore)(void *ctx, void *guest, struct codec_in *in, struct cause *cause);
    void (*run)(void *ctx, void *guest, u64 generation); /* it is ours now */
    /* Either side: the guest is not here any more, the claim is not ours to free. */
    void (*depart)(void *ctx, void *guest);
};

struct lgr_options {
    bool test, synchronous, immediate;
    unsigned force;
    u32 maxtotal_s, maxquiesce_s;
};

/** Told about a relocation that was started here; `reasons` non-NULL and not empty: refused. */
struct lgr_watch {
    void (*started)(void *ctx,
                    const struct lgr_view *view); /* it is eligible; not for a test */
    void (*ended)(void *ctx, const struct lgr_view *view, const struct lgr_reasons *reasons);
    void *ctx;
};

struct ssi;

/** `verify`: before READY the source compares all of storage with what it has sent, and fails
 *  the relocation when change recording missed a store. For tests; it costs quiesce time. */
int lgr_core_create(struct ssi *ssi, const struct lgr_ports *ports,
                    const struct lgr_guests *guests, void *guests_ctx, bool verify,
                    struct lgr **out, struct cause *cause);
void lgr_core_stop(struct lgr *lgr);
void lgr_core_destroy(struct lgr *lgr);

/** Begin TEST or MOVE of a logged-on guest. ST_NOENT not logged on, ST_BUSY it is being
 *  relocated, ST_LIMIT, ST_NOMEM; otherwise `watch` (copied) is told, maybe from inside. */
int lgr_start(struct lgr *lgr, const char *user, const char *to, const char *by,
              const struct lgr_options *options, const struct lgr_watch *watch,
              struct cause *cause);
/** ST_NOENT none in progress; ST_BUSY it is past the point of no return. */
int lgr_cancel(struct lgr *lgr, const char *user, enum lgr_code code, const char *text);
/** ST_NOENT none in progress (outgoing). */
int lgr_modify(struct lgr *lgr, const char *user, u32 maxtotal_s, u32 maxquiesce_s);
/** The guest is being reset, or is logging off (then the handle dies after this). */
void lgr_guest_reset(struct lgr *lgr, const char *user);
void lgr_guest_gone(struct lgr *lgr, const char *user);
/** A user of this name has logged on here by itself. */
void lgr_guest_logon(struct lgr *lgr, const char *user);
bool lgr_core_status(const struct lgr *lgr, unsigned i, struct lgr_view *out);

#endif
