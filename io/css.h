/* The channel subsystem of one virtual machine: subchannels, programs, I/O interruptions.
 * Principles of Operation chapters 13 to 17. Any thread may call; one mutex per css inside. */
#ifndef ENDICOTT_IO_CSS_H
#define ENDICOTT_IO_CSS_H

#include "io/device.h"
#include "io/ports.h"
#include "mem/base/bytes.h"
#include "mem/base/codec.h"
#include "mem/base/status.h"
#include "mem/storage.h"

struct css;
struct subchannel;
struct subchannel;

#define ORB_BYTES 32
#define ORB_SHORT_BYTES 12 /* one that is not extended */
#define SCHIB_BYTES 52
#define IRB_BYTES 96
#define CRW_BYTES 4
#define CHSC_BYTES 4096
#define CSS_SETS 4u
#define CSS_SUBCHANNELS_MAX 65536u /* in each subchannel set */
#define SCHID_ONE 0x00010000u      /* bit 15 of a subsystem-identification word is one */
#define SCHID_SET_SHIFT 17         /* bits 13 and 14: the subchannel set */

/** A device's place: its subchannel set (0 unless said otherwise) and its number in that. */
#define CSS_DEVICE(ssid, devno) ((u32)(ssid) << 16 | (devno))

/** CCW flags. */
#define CCW_CD 0x80
#define CCW_CC 0x40
#define CCW_SLI 0x20
#define CCW_SKIP 0x10
#define CCW_PCI 0x08
#define CCW_IDA 0x04
#define CCW_SUSPEND 0x02
#define CCW_MIDA 0x01

/** Instruction functions return a condition code 0-3, or minus a program-interruption code. */
#define CSS_PGM_ADDRESSING (-0x05)
#define CSS_PGM_SPECIFICATION (-0x06)
#define CSS_PGM_OPERAND (-0x15)

#define IO_INT_ADAPTER 0x80000000u /* of io_interruption.int_word: an adapter interruption */

/** An I/O interruption: what goes to real locations 184, 188 and 192. */
struct io_interruption {
    u32 schid;    /* subsystem-identification word */
    u32 parm;     /* interruption parameter */
    u32 int_word; /* I/O-interruption identification word: ISC in bits 2-4 */
};

/** A css over `storage`; `ports`, `ctx` and `storage` outlive it. NULL without host memory. */
struct css *css_create(struct storage *storage, const struct io_ports *ports, void *ctx);
/** The guest's storage. */
struct storage *css_storage(const struct css *css);
/** The guest's TOD clock; 0 when nobody has one. */
u64 css_tod(const struct css *css);
/** Whose it is, for messages. */
const char *css_owner(const struct css *css);
/** Ends all device work, calls every device's detach. */
void css_destroy(struct css *css);
/** I/O-system reset: cancels work, clears pending interruptions, disables all subchannels. */
void css_reset(struct css *css);

/**
 * Put a device at `device` (CSS_DEVICE), on the lowest free subchannel of its set. `announce`: tell
 * a running guest by channel report. `schid` (may be NULL) gets the identification word.
 * ST_EXIST, ST_LIMIT, ST_NOMEM with cause. On success css owns `dev` by ops->detach.
 */
int css_attach(struct css *css, u32 device, const struct dev_ops *ops, void *dev, bool announce,
               u32 *schid, struct cause *cause);
/** Take a device away: waits for its work, ends its channel program, calls ops->detach. */
int css_detach(struct css *css, u32 device, bool announce, struct cause *cause);
/** Reset a device alone: its channel program ends without a word, nothing stays pending; it
 *  stays enabled as the guest has it. ST_NOENT. */
int css_device_reset(struct css *css, u32 device, struct cause *cause);
/** The schid of a device, or 0. */
u32 css_find_devno(struct css *css, u32 device);
/** The device (and its type) at a place, or NULL. Valid until detached. */
void *css_find_device(struct css *css, u32 device, const struct dev_ops **ops);
/** Visit every device in schid order; stops when `visit` returns false. Not under the lock. */
void css_each(struct css *css,
              bool (*visit)(void *arg, u32 schid, u16 devno, const struct dev_ops *ops,
                            void *dev),
              void *arg);

/* Channel paths. A CHPID exists while a device is on it; it is configured unless put to standby. */
enum css_chp { CSS_CHP_ABSENT, CSS_CHP_STANDBY, CSS_CHP_CONFIGURED };
enum css_chp css_chp_state(struct css *css, u8 chpid);
/**
 * Configure a channel path or put it to standby. Devices go on over their other paths, those with
 * none left end with an interface-control check. `announce`: the guest did not ask for it and is
 * told by a channel report. False: it was in that state or is absent.
 */
bool css_chp_configure(struct css *css, u8 chpid, bool on, bool announce);
/** Ask the guest to configure (or give up) a path by itself: store event information, content code
 *  8. Nothing changes until it does. */
void css_chp_request(struct css *css, u8 chpid, bool on);
/** Tell the guest of a link incident: the link of a path is degraded (too many bit errors), or it
 *  stopped (signal lost). Store event information, content code 1; the path stays what it is. */
void css_link_incident(struct css *css, u8 chpid, bool stopped);

/** What the subchannel is doing, for DISPLAY and relocation checks. */
enum css_activity { CSS_IDLE, CSS_BUSY, CSS_WAITING, CSS_SUSPENDED, CSS_STATUS_PENDING };
enum css_activity css_activity(struct css *css, u32 schid);

/** True for an identification word that the instructions take: bit 15 is one, the others of the
 *  first half are zeros, but for the subchannel set once the guest enabled sets. */
bool css_schid_valid(struct css *css, u32 schid);

/* Instructions. The caller fetches and stores operands; `schid` is general register 1. */
int css_ssch(struct css *css, u32 schid, const u8 orb[ORB_BYTES]);
/**
 * The same for a processor that may have nothing to do for a while: cc 0 with *left not NULL: what
 * was started is left to the caller, who soon calls css_attempt or css_attempt_not, once; NULL: it
 * is done as css_ssch has it done.
 */
int css_ssch_left(struct css *css, u32 schid, const u8 orb[ORB_BYTES],
                  struct subchannel **left);
/** Of who executes without ever waiting for the host: `go_on` is asked before each command, with
 *  the css lock held, and neither locks nor waits. */
struct css_attempt {
    bool (*go_on)(void *arg);
    void *arg;
};
/** Execute what was left as far as that is possible so; false: the rest is left to ports->run. */
bool css_attempt(struct subchannel *sub, const struct css_attempt *attempt);
/** All of it is for ports->run. */
void css_attempt_not(struct subchannel *sub);
/** Does an ORB go on behind its first ORB_SHORT_BYTES? */
bool css_orb_extended(const u8 orb[ORB_SHORT_BYTES]);
/** `len` gets 64 or 96, the number of bytes of the IRB to store. cc 0 and 1 store it. */
int css_tsch(struct css *css, u32 schid, u8 irb[IRB_BYTES], size_t *len);
int css_stsch(struct css *css, u32 schid, u8 schib[SCHIB_BYTES]);
int css_msch(struct css *css, u32 schid, const u8 schib[SCHIB_BYTES]);
int css_hsch(struct css *css, u32 schid);
int css_csch(struct css *css, u32 schid);
int css_rsch(struct css *css, u32 schid);
int css_xsch(struct css *css, u32 schid);
/** cc 1: `out` holds a dequeued interruption; cc 0: none. `isc_mask` = leftmost byte of CR6. */
int css_tpi(struct css *css, u8 isc_mask, struct io_interruption *out);
/** cc 0: a CRW; cc 1: zeros. Both store. */
int css_stcrw(struct css *css, u8 crw[CRW_BYTES]);
/** The 4096-byte page holds request and response, in place; already probed for both. */
int css_chsc(struct css *css, u8 *page);
/** Reset Channel Path; `gr1`: CHPID in bits 56-63 of general register 1. */
int css_rchp(struct css *css, u64 gr1);
/** Set Address Limit; bits 32-47 of general register 1. */
int css_sal(struct css *css, u64 gr1);
/** Set Channel Monitor: general registers 1 (key, M, D) and 2 (measurement-block origin). */
int css_schm(struct css *css, u64 gr1, u64 gr2);
/** Signal Adapter: general registers 0 (function code), 1, 2 and 3 (queue masks). */
int css_siga(struct css *css, u32 function, u32 schid, u32 mask, u32 mask2);
/** Store Channel Path Status: 32 zero bytes in `status`, cc 0. */
int css_stcps(struct css *css, u8 status[32]);

/** Atomically take the interruption of the highest-priority ISC in `isc_mask`; false: none. */
bool css_take_interruption(struct css *css, u8 isc_mask, struct io_interruption *out);
/** ISCs with a pending interruption (0x80 = ISC 0). */
u8 css_pending(struct css *css);

/* For devices and the host side of devices; never with the device's own lock held. */
/** A command that answered DEV_WAIT can be started again. Harmless when none waits. */
void css_device_ready(struct css *css, u32 schid);
/** Unsolicited status (DS_ATTENTION, DS_DEVICE_END): alert status unless busy; a pending start
 *  function ends with it, if the device is one that does that (status_first); while a channel
 *  program runs it is kept and presented after it. */
void css_attention(struct css *css, u32 schid, u8 unit_status);

/** An adapter interruption of this subclass is pending; another one of it makes no difference. */
void css_adapter_interruption(struct css *css, u8 isc);

/**
 * CCW IPL: reset the css, read 24 bytes to absolute 0 with the implied read chained to the CCW
 * at absolute 8, store the subsystem-identification word at 184. Runs on this thread and
 * returns when it ended: ST_OK, with the IPL PSW at absolute 0; else a status with cause.
 */
int css_ipl(struct css *css, u16 devno, struct cause *cause);

/** A channel program that CP runs for the guest (css_program.c). */
struct css_program {
    struct storage *storage; /* where it and its data areas are */
    u32 orb_flags;           /* as in word 1 of an ORB: key, formats of CCWs and IDAWs */
    u32 ccw;
    u8 unit_status, channel_status, sense_bytes; /* how it ended */
    u16 residual;
    u32 ccw_end;
    u8 sense[SENSE_BYTES_MAX];
};
enum css_run { CSS_RUN_DONE, CSS_RUN_NO_DEVICE, CSS_RUN_BUSY };
/** Run it on this thread, without an interruption for the guest. CSS_RUN_BUSY: the device or its
 *  subchannel has something to do, or to tell, or the guest cleared it. No lock is held. */
enum css_run css_run(struct css *css, u32 device, struct css_program *p);

/** Stop starting device work and wait until none runs (waiting reads stay). Before save. */
void css_quiesce(struct css *css);
/** Undo css_quiesce; also after restore. Re-arms waiting commands. */
void css_resume(struct css *css);
/** One block `tag` with everything relocatable; the css is quiesced. Not ST_OK: a host's disk did
 *  not take what a program under way wrote, and the block is not there; the guest goes on here. */
int css_save(struct css *css, u16 tag, struct codec_out *out, struct cause *cause)
    __attribute__((warn_unused_result));
/** Into a css with the same devices attached, quiesced. Hostile input is refused with cause and
 *  leaves a css that only css_reset or css_destroy may be called on. */
int css_restore(struct css *css, struct codec_in *in, struct cause *cause);

#endif
