/* The engine of relocation without CP: guests come through a table of functions, so that a
 * whole cluster with fake guests runs in one process (tests/unit/lgr/lgr_sim_test.c). */
#ifndef ENDICOTT_LGR_LGR_CORE_H
#define ENDICOTT_LGR_LGR_CORE_H

#include "hyp/arch.h"
#include "lgr/lgr.h"
#include "mem/area.h"
#include "mem/base/codec.h"
#include "mem/storage.h"

#define LGR_CLAIM_KIND 1 /* of user ids; CP_CLAIM_USERID */
#define LGR_CPUS_MAX 64

#define LGR_DISKS_MAX 64
#define LGR_SEGMENTS_MAX 16
#define LGR_NICS_MAX 32
#define LGR_TERMINALS_MAX 8 /* members that terminals of one guest are on */
#define LGR_NIC_NEED_BYTES 40
#define LGR_IDENTITY_BYTES 16

struct lgr_reasons;

#define LGR_OBSTACLES_MAX 16
#define LGR_OBSTACLE_BYTES 64

/** What is in the way, of one kind: pieces of messages. What does not fit in is not told. */
struct lgr_obstacles {
    unsigned count;
    char text[LGR_OBSTACLES_MAX][LGR_OBSTACLE_BYTES];
};
void lgr_obstacle(struct lgr_obstacles *to, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/** A minidisk of the guest: the destination must have its volume, too. */
struct lgr_disk {
    u16 vdev, type; /* 0x3390 */
    bool write;
    char volid[7];
    u64 units, identity; /* of the volume */
    u64 first, count;    /* the minidisk on it */
};

/** A virtual disk in storage that nobody else has: its blocks go with storage (lgr_space.h). */
#define LGR_VDISKS_MAX 32
#define LGR_BLOCK_BYTES 512u
struct lgr_vdisk {
    u16 vdev, owner_vdev;
    u8 mode; /* enum link_mode that was asked for */
    bool write;
    char owner[LGR_NAME_BYTES];
    u64 blocks;
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
    u64 touched_bytes; /* host memory it needs at least, with its virtual disks */
    u64 locked_bytes;  /* of its storage, not paged out */
    u32 cpus;
    u64 entry_digest; /* of the directory entry */
    struct arch arch; /* what it was given of the machine and of CP */
    struct lgr_disk disk[LGR_DISKS_MAX];
    u32 disks;
    struct lgr_vdisk vdisk[LGR_VDISKS_MAX]; /* in order of device number */
    u32 vdisks;
    struct lgr_segment segment[LGR_SEGMENTS_MAX]; /* what it has loaded */
    u32 segments;
    struct lgr_nic nic[LGR_NICS_MAX];
    u32 nics;
    char terminal[LGR_TERMINALS_MAX][LGR_NAME_BYTES]; /* members that one of its is on */
    u32 terminals;
    /* the source's side only */
    bool relocatable, identity, ending, in_domain;
    bool is_operator;                 /* of the system */
    struct lgr_obstacles bad_segment; /* "NAME is restricted" */
    struct lgr_obstacles bad_path;    /* "LINUX2": who is at its other end */
    struct lgr_obstacles bad_device;  /* "0400 (T-disk)" */
    struct lgr_obstacles bad_cpu;     /* "01 (dedicated)" */
    struct lgr_obstacles bad_vdisk;   /* "0204 is linked by TWO, too" */
};

/** Memory of a member: its real storage and its paging space, which is the host's. */
struct lgr_room {
    u64 real_bytes, real_free_bytes;
    u64 paging_bytes, paging_free_bytes; /* 0: there is none */
};

/** Who wants processors of this member's host, as far as it knows: CPUs that do not rest and have
 *  not for some time. All 0: not known. */
struct lgr_crowd {
    unsigned others;     /* of other guests of the member */
    unsigned own;        /* of the guest that is asked for */
    unsigned processors; /* of the host, that this process may use */
};

/** What the destination is for such a guest. */
struct lgr_here {
    bool ending;    /* it is shutting down */
    bool known;     /* in its directory */
    bool logged_on; /* or arriving by another relocation */
    u64 entry_digest;
    u64 storage_max_bytes;
    struct arch arch;                 /* what this member offers */
    struct lgr_obstacles bad_disk;    /* whose volume it cannot give */
    struct lgr_obstacles bad_nic;     /* whose switch it cannot give */
    struct lgr_obstacles bad_vdisk;   /* of whose name somebody here has one */
    struct lgr_obstacles no_terminal; /* members of terminals that it does not reach */
    struct lgr_obstacles no_segment;  /* it has not, or another one */
};

/** What a CP exit is asked about. */
enum lgr_exit { LGR_EXIT_ELIGIBLE, LGR_EXIT_RESTART }; /* 1230, 1231 */
struct lgr_exit_facts {
    const struct lgr_guest_info *info;
    const char *from, *to, *by;
    bool source, test;
    unsigned force;
};

/** Guests of one member. `guest` is the table's own handle, good until depart or gone. */
struct lgr_guests {
    void *(*find)(void *ctx, const char *user); /* logged on here; NULL = not */
    void (*info)(void *ctx, void *guest, const char *to, struct lgr_guest_info *out);
    u64 (*claim)(void *ctx, void *guest);
    struct storage *(*storage)(void *ctx, void *guest);
    /* The i-th virtual disk, in the order of lgr_guest_info; NULL: no more. NULL here: none. */
    struct area *(*area)(void *ctx, void *guest, unsigned i);
    u64 (*epoch)(void *ctx, void *guest, u64 *set); /* as vm_epoch */
    void (*stores_go_on)(void *ctx, void *guest);   /* as vm_stores_go_on */
    /* A CPU of it waits for the answer of a CP command: until then it cannot be stopped. */
    bool (*waits)(void *ctx, void *guest);
    bool (*quiesce)(void *ctx, void *guest);
    void (*unquiesce)(void *ctx, void *guest);
    /* While it runs: what of the state can go ahead; save then has the rest, unless early_end has
     * said that the guest stays. */
    void (*save_early)(void *ctx, void *guest, struct codec_out *out);
    void (*early_end)(void *ctx, void *guest);
    /* Quiesced. It goes to a host whose clock is so much ahead of ours; NULL: it is kept. Not
     * ST_OK, with cause: a disk of the host failed; it is to go on here. */
    int (*save)(void *ctx, void *guest, const s64 *ahead_ns, struct codec_out *out,
                struct cause *cause);
    /* Destination. arrive: a machine that is quiesced and that no command sees. */
    void (*here)(void *ctx, const struct lgr_guest_info *info, struct lgr_here *out);
    void (*room)(void *ctx, struct lgr_room *out);
    /* Either side; `guest` may be NULL. NULL here: nobody wants any. */
    void (*crowd)(void *ctx, const void *guest, struct lgr_crowd *out);
    int (*arrive)(void *ctx, const struct lgr_guest_info *info, void **guest,
                  struct cause *cause);
    int (*restore_early)(void *ctx, void *guest, struct codec_in *in, struct cause *cause);
    int (*restore)(void *ctx, void *guest, struct codec_in *in, struct cause *cause);
    /* It is ours now: it runs as soon as it can, and lgr_guest_runs is called, maybe inside. */
    void (*run)(void *ctx, void *guest, u64 generation);
    /* Source: it is the destination's, give up what that one waits for. Quick; depart follows. */
    void (*let_go)(void *ctx, void *guest);
    /* Either side: the guest is not here any more, the claim is not ours to free. */
    void (*depart)(void *ctx, void *guest);
    /* CP exits; NULL: there are none. active: is one to be asked? begin: it is; `done` is called
     * once, on the loop, never from inside, with LGR_COMPLETED = go on, _EXIT_REJECTED or
     * _EXIT_INVALID and why. The facts are gone then. NULL: it cannot be asked. forget: `done` is
     * not called. */
    bool (*exit_active)(void *ctx, enum lgr_exit point);
    void *(*exit_begin)(void *ctx, enum lgr_exit point, const struct lgr_exit_facts *facts,
                        void (*done)(void *arg, enum lgr_code code, const char *text),
                        void *arg);
    void (*exit_forget)(void *ctx, void *run);
};

struct lgr_options {
    bool test, synchronous, immediate;
    unsigned force;
    u64 maxtotal_ms, maxquiesce_ms;
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
int lgr_modify(struct lgr *lgr, const char *user, u64 maxtotal_ms, u64 maxquiesce_ms);
/** The guest is being reset, or is logging off (then the handle dies after this; false: it may be
 *  another member's already). */
void lgr_guest_reset(struct lgr *lgr, const char *user);
bool lgr_guest_gone(struct lgr *lgr, const char *user);
/** A guest that was to run (struct lgr_guests) does. */
void lgr_guest_runs(struct lgr *lgr, const char *user);
/** A user of this name has logged on here by itself. */
void lgr_guest_logon(struct lgr *lgr, const char *user);
/** "10 SEC", "1500 MSEC", "NOLIMIT". */
const char *lgr_limit_text(u64 ms, char out[LGR_LIMIT_TEXT_BYTES]);
bool lgr_core_status(const struct lgr *lgr, unsigned i, struct lgr_view *out);

#endif
