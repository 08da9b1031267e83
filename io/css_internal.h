/* The inside of the channel subsystem: subchannels, SCSW and ORB bits, the shared helpers.
 * For io/ and its unit tests only. */
#ifndef ENDICOTT_IO_CSS_INTERNAL_H
#define ENDICOTT_IO_CSS_INTERNAL_H

#include "io/css.h"
#include "mem/base/lock.h"

/* SCSW word 0. */
#define SCSW_CC 0x03000000u        /* deferred condition code */
#define SCSW_CC_STATUS 0x01000000u /* 1: the device had status of its own */
#define SCSW_L 0x04000000u         /* ESW format 0 logout */
#define SCSW_ORB 0xf8f80000u       /* the fields taken over from the ORB: key S . F P I A U */
#define SCSW_Z 0x00040000u         /* zero condition code */
#define SCSW_E 0x00020000u         /* extended control: the ECW holds sense data */
#define SCSW_N 0x00010000u         /* path not operational */
#define FC_START 0x00004000u
#define FC_HALT 0x00002000u
#define FC_CLEAR 0x00001000u
#define FC_ANY 0x00007000u
#define AC_RESUME 0x00000800u
#define AC_START 0x00000400u
#define AC_HALT 0x00000200u
#define AC_CLEAR 0x00000100u
#define AC_SUBCHANNEL 0x00000080u
#define AC_DEVICE 0x00000040u
#define AC_SUSPENDED 0x00000020u
#define AC_ANY 0x00000fe0u
#define SC_ALERT 0x00000010u
#define SC_INTERMEDIATE 0x00000008u
#define SC_PRIMARY 0x00000004u
#define SC_SECONDARY 0x00000002u
#define SC_PENDING 0x00000001u
#define SC_ANY 0x0000001fu

/* Subchannel status. */
#define SS_PCI 0x80
#define SS_INCORRECT_LENGTH 0x40
#define SS_PROGRAM_CHECK 0x20
#define SS_PROTECTION_CHECK 0x10
#define SS_DATA_CHECK 0x08
#define SS_CONTROL_CHECK 0x04
#define SS_INTERFACE_CHECK 0x02
#define SS_CHAINING_CHECK 0x01
#define SS_CHECKS 0x3f

/* ORB word 1. */
#define ORB_KEY 0xf0000000u
#define ORB_S 0x08000000u /* suspend control */
#define ORB_F 0x00800000u /* format-1 CCWs */
#define ORB_U 0x00080000u /* suppress suspended interruption */
#define ORB_B 0x00040000u /* channel-program type: transport mode */
#define ORB_H 0x00020000u /* format-2 IDAWs */
#define ORB_T 0x00010000u /* 2K blocks for format-2 IDAWs */
#define ORB_P 0x00400000u /* CCWs may be fetched before their time: never done */
#define ORB_I 0x00200000u /* initial-status interruption */
#define ORB_A 0x00100000u /* address-limit checking */
#define ORB_LPM 0x0000ff00u
#define ORB_L 0x00000080u /* incorrect-length suppression */
#define ORB_D 0x00000040u /* MIDAWs allowed */
#define ORB_RESERVED 0x0404003eu
#define ORB_X 0x00000001u
#define ORB_PRIORITY_RESERVED 0x00ff00ffu /* of word 3: priorities of css and control unit */

/* PMCW word 1, byte 0 and 1. */
#define PMCW_ISC 0x38
#define PMCW_E 0x80
#define PMCW_LM 0x60
#define PMCW_LM_ABOVE 0x20 /* data addresses are at the limit or above */
#define PMCW_LM_BELOW 0x40 /* below it */
#define PMCW_MM 0x18
#define PMCW_MM_BLOCK 0x10   /* measurement block */
#define PMCW_MM_CONNECT 0x08 /* device-connect time */
#define PMCW_D 0x04
#define PMCW_T 0x02
#define PMCW_V 0x01
/* PMCW byte 27. */
#define PMCW_F 0x04
#define PMCW_X 0x02
#define PMCW_S 0x01

#define CRWS_MAX 64
#define CRW_SOLICITED 0x40000000u
#define CRW_OVERFLOW 0x20000000u
#define CRW_CHAINED 0x10000000u
#define CRW_RSC_SUBCHANNEL 0x03000000u
#define CRW_RSC_PATH 0x04000000u
#define CRW_RSC_CSS 0x0b000000u
#define CRW_ERC_INIT 0x00020000u
#define CRW_ERC_IPI 0x00040000u   /* installed parameters initialized: came or went */
#define CRW_ERC_ERROR 0x00060000u /* permanent error, not initialized: not usable */

#define EVENTS_MAX 32
/* Of store event information: content code << 24 | operation << 16 | CHPID. */
#define EVENT_LINK 1u
#define LINK_DEGRADED 1u
#define LINK_STOPPED 2u
#define EVENT_CHP_CONFIG 8u
#define EVENT_CONFIGURE 0u
#define EVENT_DECONFIGURE 1u

/* Subchannel logout (ESW format 0, word 0). */
#define LOGOUT_MB_PROGRAM 0x20000000u
#define LOGOUT_MB_PROTECTION 0x08000000u
#define LOGOUT_LPUM_VALID 0x00004000u

#define EMW_WORDS 8

#define MARK_PCI 0x01   /* the PCI of the command was told, should it begin again */
#define MARK_RESET 0x02 /* its channel path was reset under it */
#define MARK_TAKEN                                                                             \
    0x04 /* the command waits with data taken: PCIs in its data chain were told */

/** Everything of a css itself that relocates; one row each in io_state.def, no padding. */
struct css_state {
    u64 mb_origin;  /* of format-0 measurement blocks */
    u32 limit;      /* of address-limit checking */
    u8 mb_key;      /* 0xK0 */
    u8 schm;        /* 2: measurement blocks, 1: device-connect times */
    u8 sets;        /* the guest has enabled subchannel sets */
    u8 lost_events; /* of store event information */
    u8 standby[32]; /* CHPIDs that are not configured, bit 0 of byte 0 first */
    u8 adapter;     /* subclasses with a pending adapter interruption (0x80 = ISC 0) */
    u8 zero[7];
};

/** Everything of a subchannel that relocates; one row each in io_state.def, no padding. */
struct sub_state {
    u64 mba;            /* measurement block address (format 1) */
    u64 queue_order;    /* place among pending interruptions, 0: not queued */
    u64 tod_start;      /* the start function was accepted */
    u64 tod_begin;      /* its first command began */
    u64 tod_wait;       /* the device waits for the host since then */
    u64 waited;         /* TOD units that it waited before */
    u32 emw[EMW_WORDS]; /* extended-measurement word of the last start function */
    u32 logout;         /* subchannel logout, 0: none */
    u32 intparm;
    u32 scsw0;
    u32 scsw_ccw;
    u32 orb_flags; /* word 1 of the ORB of the start function */
    u32 next_ccw;  /* the channel program goes on here */
    u16 devno;
    u16 scsw_count;
    u16 mbi;
    u8 scsw_ds, scsw_ss;
    u8 pmcw_mode;  /* E, LM, MM, D of word 1 */
    u8 pmcw_chars; /* F X S of word 6 */
    u8 isc;        /* 0-7 */
    u8 lpm, pnom, lpum, pom;
    u8 active;      /* the device has a channel program: in progress, suspended, or busy with
                     * others (start pending again); without a function: cancelled, to be told */
    u8 waiting;     /* its command waits for the host */
    u8 chained;     /* the next CCW was chained to */
    u8 previous;    /* command code before it */
    u8 unsolicited; /* device status still to be presented */
    u8 sense_bytes; /* sense data held for a basic sense */
    u8 ecw_bytes;   /* concurrent sense in the IRB of the pending status */
    u8 sense[SENSE_BYTES_MAX];
    u8 accepted; /* the first command of the start function was */
    u8 marks;    /* MARK_* of the channel program */
};

/** Located by css->sub[]; created and reused by css_attach, freed by css_destroy; css->lock. */
struct subchannel {
    struct sub_state s;
    struct css *css;
    const struct dev_ops *ops; /* NULL: no device, V is zero */
    void *dev;
    struct subchannel *next; /* in css->queue */
    u16 number;
    u8 ssid;
    bool scheduled;                    /* a job of ports->run will look at it */
    bool executing;                    /* one thread is in chan_run; owns the channel program */
    bool again;                        /* another thread wanted to be, meanwhile */
    bool kicked;                       /* css_device_ready came */
    const struct css_attempt *attempt; /* the thread that executes may not wait for the host */
    bool elsewhere;                    /* it would have to: the rest is for another thread */
    u8 failed_attempts,
        skip_attempts; /* of late, at most ATTEMPTS_BACKOFF; starts until the next */
    bool detaching;
    unsigned signals;                  /* processors that are in SIGNAL ADAPTER for it */
    bool restored;                     /* css_restore has had it */
    const struct css_program *foreign; /* CP runs a program (css_program.c) */
};

struct sub_set {
    struct subchannel **sub;
    u32 count, room; /* numbers below count were ever in use */
    u32 lowest_free; /* no number below it is free */
    u32 *by_devno;   /* schid, 0: none; made with the first device */
};

struct css {
    struct css_state s;
    struct storage *storage;
    const struct io_ports *ports;
    void *ctx;
    struct lock lock;
    pthread_cond_t idle; /* an executor ended */
    struct sub_set set[CSS_SETS];
    u32 event[EVENTS_MAX];
    u32 event_count;
    struct subchannel *head[8], *tail[8];
    u8 pending;     /* ISC mask */
    u8 adapter_had; /* subclasses whose last interruption was an adapter's */
    u64 queue_order;
    u32 crw[CRWS_MAX];
    u32 crw_count;
    unsigned refs;      /* owner, and one per scheduled job */
    unsigned executing; /* threads in chan_run and in SIGNAL ADAPTER */
    bool quiesced, dead;
};

/** One command in execution: what dev_io_* work on. Lives on the executor's stack. */
struct dev_io {
    struct css *css;
    struct subchannel *sub;
    struct storage *storage; /* of the program and its data: the guest's, or CP's */
    u32 command_addr;        /* of the CCW with the command */
    u32 ccw_addr;            /* of the CCW in effect (the last data-chained one) */
    u32 next_ccw;            /* the CCW after it */
    u32 data_addr;
    u32 count;    /* of the first CCW */
    u32 residual; /* of the CCW in effect */
    u64 list;     /* next IDAW or MIDAW */
    u64 block;    /* absolute address of the next byte */
    u32 block_left;
    u8 command, flags;
    bool first;       /* no IDAW used yet in this CCW */
    bool block_skip;  /* MIDAW skip */
    bool midaw_last;  /* the MIDAW in effect was the last */
    bool backward;    /* READ BACKWARD: addresses go down */
    bool transferred; /* the device asked for data: not an immediate operation */
    bool more;        /* the device had more than the count */
    u8 ss;
};

static inline bool sub_has_device(const struct subchannel *sub)
{
    return sub && sub->ops && !sub->detaching;
}

static inline u32 sub_schid(const struct subchannel *sub)
{
    return SCHID_ONE | (u32)sub->ssid << SCHID_SET_SHIFT | sub->number;
}

static inline bool sub_enabled(const struct subchannel *sub)
{
    return sub->s.pmcw_mode & PMCW_E;
}

/* css.c */
/** The subchannel of an identification word; NULL: cc 3. Lock held. */
struct subchannel *css_sub_locked(struct css *css, u32 schid);
/** The subchannel of a device (CSS_DEVICE), or NULL. Lock held. */
struct subchannel *css_device_locked(struct css *css, u32 device);
/** The first subchannel at or behind *at, and *at behind it; NULL: no more. Start with 0. */
struct subchannel *css_next_locked(struct css *css, u32 *at);
void css_crw_locked(struct css *css, u32 crw);
/** Tell of a subchannel: one report, or two chained ones once subchannel sets are enabled. */
void css_crw_sub_locked(const struct subchannel *sub);

/* css_path.c */
/** CHPID of path 0-7 of a device. */
u8 path_chpid(const struct subchannel *sub, unsigned path);
/** Paths installed, and those available of them (PIM, PAM). */
u8 path_installed(const struct subchannel *sub);
u8 path_available_locked(const struct subchannel *sub);
/** Choose a path for the start function into s.lpum; false: none is left. */
bool path_choose_locked(struct subchannel *sub);

/* css_measure.c */
/** SSCH or RSCH was accepted; the first command began; the device waits (or went on); the start
 *  function ended or was suspended: counts and times of a subchannel that is measured. */
void measure_start_locked(struct subchannel *sub);
void measure_begin_locked(struct subchannel *sub);
void measure_wait_locked(struct subchannel *sub, bool waits);
void measure_end_locked(struct subchannel *sub);

/* css_int.c */
void css_enqueue_locked(struct subchannel *sub);
void css_dequeue_locked(struct subchannel *sub);
void css_notify_locked(struct css *css);
/** Present kept unsolicited status if the subchannel can take it. */
void css_present_locked(struct subchannel *sub);

/* chan.c */
void chan_schedule(struct subchannel *sub);
/** The subchannel is to be looked at, by who calls: with css_attempt or css_attempt_not. False:
 *  somebody will anyhow. Lock held. */
bool chan_claim_locked(struct subchannel *sub);
/** Is it worth an attempt? Lock held. */
bool chan_attempt_pays_locked(struct subchannel *sub);
/** What ports->run runs. */
void chan_run(void *arg);
/** Execute on this thread until it ends or waits (for IPL). */
bool chan_execute(struct subchannel *sub, unsigned long steps);
/** No other thread works in the subchannel, in which none does now, until the end; true: somebody
 *  wanted something of it meanwhile, and it is to be scheduled. */
void chan_turn_begin_locked(struct subchannel *sub);
bool chan_turn_end_locked(struct subchannel *sub);
/** And a user less, who has the lock: it is given back, and the last one frees all. Those to be
 *  woken wait until the thread gives back the lock that it takes next. */
void css_unref_locked(struct css *css);

/* ccw.c */
enum ccw_step {
    CCW_STEP_NEXT,
    CCW_STEP_WAIT,
    CCW_STEP_ELSEWHERE, /* sub->attempt, and it would wait for the host: once more, without */
    CCW_STEP_BUSY,
    CCW_STEP_REFUSED, /* the first command was answered with busy and other status */
    CCW_STEP_SUSPEND,
    CCW_STEP_END,
};
/** Fetch and perform one command; `unit_status` is what the device gave. Lock not held. */
enum ccw_step ccw_step(struct dev_io *io, struct subchannel *sub, u8 *unit_status);
/** Fetch the CCW at `addr` into io; false: io->ss has the check. */
bool ccw_fetch(struct dev_io *io, u32 addr, bool data_chained);
/** PCI of the CCW that data chaining has come to. */
void ccw_chain_pci(struct dev_io *io);

/* ccw_data.c */
void ccw_data_begin(struct dev_io *io);
/** Copy with the ORB key's protection; false: io->ss has the check. */
bool ccw_fetch_bytes(struct dev_io *io, u64 abs, void *p, u32 len);

#endif
