/* Inside hyp: the virtual machine block, virtual CPUs and the dispatcher.
 * struct vm - Located by: struct vm_host's list, the user's session. Created at logon, destroyed
 * at logoff. Serialised by: host->lock for dispatching members, the loop thread for the rest. */
#ifndef ENDICOTT_HYP_VM_INTERNAL_H
#define ENDICOTT_HYP_VM_INTERNAL_H

#include "hyp/console.h"
#include "hyp/diag/diag_block.h"
#include "hyp/dispatch/dispatch.h"
#include "hyp/iucv/iucv_remote.h"
#include "hyp/vm.h"
#include "hyp/vmcf.h"
#include "io/con3215.h"
#include "io/con3270.h"
#include "io/dasd/dasd.h"
#include "io/css.h"
#include "io/sclp.h"
#include "io/unitrec/unitrec.h"
#include "mem/base/lock.h"
#include "mem/storage_lock.h"

#define EXT_CP 0x2603 /* external interruptions of CP: ends of block I/O, page faults */

#define VM_STATUS_AT 0x1200 /* in absolute storage: what SIGP stores of a CPU */
#define IPL_BLOCK_BYTES 200 /* IPL parameter block of a channel-attached device */
#define VM_PARM_BYTES_MAX 64
#define VM_FRAME_MAPS 2 /* keys, usage */

/* Rows of a machine's state that vm_frames.c makes. */
#define VM_TAG_KEYS 0x9004
#define VM_TAG_USAGE 0x1008 /* who does not know it takes all frames for stable */
#define VM_TAG_KEYS_CHANGED 0x900a
#define VM_TAG_USAGE_CHANGED 0x900b
#define VM_TAG_FRAMES_SUM 0x900c

/** A saved segment that is loaded. */
struct vm_loaded {
    struct vm_segment seg; /* ranges 0: none */
    bool exclusive;        /* a copy of the machine's own */
};

struct iucv;

struct vm {
    struct vm_host *host;
    struct vm *next; /* host list */
    struct vm_config config;
    struct arch arch;   /* read by its CPUs; changed while it is held */
    bool arch_firm;     /* vm_set_arch_firm */
    s64 clock_ahead_ns; /* vm_clock.h; read by its CPUs, changed while it is quiesced or held */
    struct storage *st;
    struct cpu_set *cpus;
    struct css *css;
    struct sclp *sclp;
    struct io_worker *worker;        /* does the device work */
    _Atomic bool typed_waits;        /* a line that the console had no room for */
    struct con3215 *console_dev;     /* one of these two, or none */
    struct con3270 *console_display; /* CONMODE 3270 */
    struct vcpu vcpu[VM_CPUS_MAX];
    struct rq_user user[CPU_POOLS]; /* guarded by host->lock */
    bool quickdsp;                  /* guarded by host->lock */
    unsigned hold;                  /* guarded by host->lock: > 0 = dispatch none of its CPUs */
    u64 stirred_ns; /* guarded by host->lock: since then its timers alone have woken it */
    bool late;      /* guarded by host->lock: some CPU is to be woken later than it wants */
    bool ipled;
    bool quiesced;
    bool reported_stop; /* the end of running has been told */
    bool rest_told;     /* no CPU runs, and that has been told; guarded by host->lock */
    bool shutdown_signalled;
    _Atomic u32 last_console; /* the SCLP console written to last: it gets typed lines */
    bool dead;                /* destroyed; memory waits for posted notes [loop] */
    _Atomic u32 notes;        /* posted to the loop thread and not delivered yet */
    _Atomic u32 blocked;      /* CPUs in VCPU_BLOCKED */
    u64 created_ns;           /* CLOCK_MONOTONIC */
    u64 resets; /* what CP answers to a CPU before a reset is not for it any more */
    _Atomic u64 io_count, page_reads;
    struct storage_locks locks;    /* LOCK [loop] */
    u8 ipl_block[IPL_BLOCK_BYTES]; /* DIAGNOSE X'308'; guarded by host->lock */
    bool has_ipl_block;
    struct block_io block;              /* DIAGNOSE X'250' */
    struct pfault_requests page_faults; /* DIAGNOSE X'258' */
    struct vmcf vmcf;                   /* DIAGNOSE X'68' */
    struct iucv *iucv; /* NULL: it has declared no buffer; set with host->lock held [loop] */
    struct vm_loaded segment[VM_SEGMENTS_MAX]; /* [loop] */
    struct vm_still *still;     /* why it stands still; NULL: it does not [loop] */
    u64 vtod;                   /* deterministic mode: TOD offset */
    u64 undefined;              /* CPUs that were detached, with others behind them [loop] */
    bool autocr;                /* of its 3215 [loop] */
    struct vm_tracing *tracing; /* trace.c; NULL: it was never traced */
    /* keys and usage as the destination has them before the quiesce; as they have come [loop] */
    u8 *told[VM_FRAME_MAPS];
    u64 told_bytes; /* of each; 0: nothing was sent early */
    u64 told_sum;   /* over both */
    u8 *told_block; /* blocks (STORAGE_BLOCK_FRAMES) of which something was told: 1 */
};

struct vm_host {
    struct vm_host_config config;
    struct vm_host_ports ports;
    struct vm_host_events events;
    s64 clock_ahead_ns; /* vm_host_wall_ns */
    const struct system_config *system;
    struct spool *spool;        /* [loop] */
    struct segments *segments;  /* [loop] */
    struct ctc_hub *ctcs;       /* of channel-to-channel adapters */
    struct iucv_wire iucv_wire; /* to other members [loop] */
    u32 iucv_links;             /* the last one [loop] */
    struct lock lock;           /* dispatcher; see docs/locking.md */
    pthread_cond_t released;    /* a CPU left a processor */
    struct run_queue pool[CPU_POOLS];
    struct vcpu *timers; /* idle and slowed CPUs by deadline */
    struct vm *vms;
    bool stopping;
    struct processor processor[VM_PROCESSORS_MAX];
    unsigned processors;
    u64 slack_ns; /* dispatch_slack; guarded by lock */
    u64 det_ns;   /* deterministic time skipped while idle */
    long slice_insns;
};

/* -- dispatch/host.c -- */
/** Is time counted from instructions? */
bool host_counts_time(const struct vm_host *host);
/** Time for deadlines and intervals. */
u64 host_now_ns(const struct vm_host *host);
/** Host TOD clock of the host (deterministic: derived from instructions). */
u64 host_tod(const struct vm *vm);
/** By what the host's own is ahead of that, in units of the TOD clock (vm_clock.h). */
u64 host_tod_brought(const struct vm *vm);
u64 host_clock_ns(clockid_t id);

/** Tell the loop thread something about a machine. */
void vm_post_event(struct vm *vm, enum vm_event event, u64 mask, u64 addr);

/* -- vm_frames.c -- */
/** What of the frames has come: bytes of runs; the sum was right; nothing but what comes early. */
struct vm_frames {
    u64 whole[VM_FRAME_MAPS];
    bool summed, early;
};
/** Keys and usage: whole, or what has changed behind vm_save_early. */
void vm_frames_save(struct vm *vm, struct codec_out *out);
bool vm_frames_restore(struct vm *vm, const struct codec_row *row, struct vm_frames *got);
bool vm_frames_complete(const struct vm *vm, const struct vm_frames *got);

/** Pass typed lines on to the console device [loop]. */
void vm_console_poll_input(struct vm *vm);
/** A note was delivered; frees a dead machine with the last one. */
void vm_note_done(struct vm *vm);

/* -- vm_size.c -- */
void vcpu_init(struct vm *vm, unsigned i);
/** Are the sizes multiples of the increment? */
int vm_standby_check(const struct storage *st, u64 bytes, u64 standby, struct cause *cause);
/** Standby storage as after a clear reset: all of it is in standby. */
void vm_standby_reset(struct vm *vm);
/** A relocated machine has this much of its storage behind the first element. */
void vm_standby_restored(struct vm *vm, u64 standby);

/** Block I/O under way has ended; the machine is held [loop]. */
void vm_settle_blocks(struct vm *vm);
/** Is there a CPU of this address? */
bool vm_cpu_defined(const struct vm *vm, unsigned addr);
unsigned vm_cpus_defined(const struct vm *vm);
/** A relocated machine has none of these. False: they cannot be missing. */
bool vm_undefined_restored(struct vm *vm, u64 undefined);

/* -- vm_arch.c; [loop], the machine is quiesced -- */
/** Rows of a block with what the guest sees of the machine, and the serial number of its CPUs. */
void vm_arch_save(const struct vm *vm, struct codec_out *out);
int vm_arch_restore(struct vm *vm, struct codec_in *in, struct cause *cause);

/* -- vm_dump.c -- */
int vm_op_disk_copy(struct vm *vm, const struct vm_copy *what, vm_done *done, void *ctx,
                    struct cause *cause);
int vm_op_dump(struct vm *vm, const struct vm_dump *what, vm_done *done, void *ctx,
               struct cause *cause);

/* -- segment/vm_segment.c; [loop] -- */
/** Load it, again if it is loaded: ST_NOENT, ST_EXIST (something else is there), ST_LIMIT, ST_PERM
 *  (restricted). */
int vm_segment_load(struct vm *vm, const char *name, bool exclusive, struct cause *cause);
/** False: it is not loaded. */
bool vm_segment_purge(struct vm *vm, const char *name);
/** All of them; the machine is held, its devices are reset. */
void vm_segments_purge(struct vm *vm);
const struct vm_segment *vm_segment_loaded(struct vm *vm, const char *name);
/** Saved under the name, loaded or not. */
const struct vm_segment *vm_segment_known(struct vm *vm, const char *name);
/** Is it for everybody, or named by the machine's NAMESAVE? */
bool vm_segment_allowed(const struct vm *vm, const struct vm_segment *seg);
/** And may it have a copy of its own: it is within the maximum of storage, or has LOADNSHR,
 *  or named by NAMESAVE? */
bool vm_segment_alone(const struct vm *vm, const struct vm_segment *seg);
/** IPL a saved system: reset, or reset that clears; its pages, and its CPU's state in CPU 0; PARM
 *  into its PARMREGS. ST_NOENT, ST_EXIST, ST_LIMIT, ST_INVAL: the machine is reset. */
int vm_ipl_system(struct vm *vm, const char *name, bool clear, const char *parm,
                  struct cause *cause);
/* -- segment/vm_segment_state.c -- */
/** A block for each that is loaded. */
void vm_segments_save(const struct vm *vm, u16 tag, struct codec_out *out);
/** One of them, before the keys of storage. ST_PROTO, ST_NOENT: that saving is not here. */
int vm_segment_restore(struct vm *vm, struct codec_in *block, struct cause *cause);
int vm_op_segment_define(void *host, const struct vm_segment *what, struct cause *cause);
int vm_op_segment_save(struct vm *vm, const char *name, bool system, vm_done *done, void *ctx,
                       struct cause *cause);
bool vm_op_segment_find(void *host, const char *name, struct vm_segment *out);
bool vm_op_segment_defined(void *ctx, const char *name, struct vm_segment *out);
bool vm_op_segment_forget(void *host, const char *name);
bool vm_op_segment_row(void *host, unsigned i, struct vm_segment *out, unsigned *users);

/* -- ipl.c -- */
/** PARM text in EBCDIC into general registers, four characters each, zeros behind it. */
void ipl_parm_put(struct cpu *cpu, const char *parm, unsigned first, unsigned count);
/** The machine has been IPLed: CPU `addr` is operating; let the dispatcher have it. */
void vm_started(struct vm *vm, unsigned addr);

/* -- vm.c -- */
/** Parts of every reset: channel subsystem and SCLP, before the CPUs; the machine's own state,
 *  behind them. Held. */
void vm_reset_channels(struct vm *vm);
void vm_reset_ended(struct vm *vm);

enum vm_state vcpu_state(const struct vcpu *v);

int vm_console_create(struct vm *vm, bool announce, struct cause *cause);

/* -- vm_devices.c: see vm_needs.h -- */
int vm_disk_attach(struct vm *vm, u16 vdev, struct image *img, bool announce,
                   struct cause *cause);
int vm_tape_rewind(struct vm *vm, u16 vdev, struct cause *cause);
int vm_tape_attach(struct vm *vm, u16 vdev, u16 type, struct tape_loader *loader, bool announce,
                   struct cause *cause);
int vm_unit_attach(struct vm *vm, enum vm_unit unit, u16 vdev, bool announce,
                   struct cause *cause);
int vm_nic_attach(struct vm *vm, u16 vdev, const u8 mac[6], const struct vm_nic_kind *kind,
                  bool announce, struct cause *cause);
int vm_nic_couple(struct vm *vm, u16 vdev, struct lan *lan, const struct lan_rules *rules,
                  struct cause *cause);
bool vm_nic_rules(struct vm *vm, u16 vdev, const struct lan_rules *rules);
bool vm_nic_info(struct vm *vm, u16 vdev, struct vm_nic_info *out);
bool vm_nic_ip(struct vm *vm, u16 vdev, unsigned i, u8 ip[16]);
bool vm_nic_address(struct vm *vm, u16 vdev, bool group, unsigned i, u8 mac[6]);
int vm_ctca_attach(struct vm *vm, u16 vdev, u8 type, bool announce, struct cause *cause);
struct ctca *vm_ctca(struct vm *vm, u16 vdev);
void vm_ctca_set_remote(struct vm *vm, u16 vdev, struct ctc_remote *remote);
int vm_device_detach(struct vm *vm, u16 vdev, bool announce, struct cause *cause);
int vm_device_reset(struct vm *vm, u16 vdev, struct cause *cause);
/** The device has device end to tell. ST_NOENT. */
int vm_device_end(struct vm *vm, u16 vdev, struct cause *cause);
int vm_device_subchannel(struct vm *vm, u16 vdev);
bool vm_device_row(struct vm *vm, unsigned i, struct vm_device_row *out);

/* -- icpt.c -- */
/** Handle an interception on the processor thread; false: the CPU is blocked now. */
bool icpt_handle(struct vcpu *v);
/* -- icpt_diag.c -- */
bool icpt_diag(struct vcpu *v, const struct cpu_icpt *icpt);
/** The CPU waits for the loop thread, which gets one note about it. */
void vcpu_block(struct vcpu *v);
/** A CP command in the name of a guest whose CPU is blocked, like DIAGNOSE X'08' without a
 *  response buffer; the register gets 0, or `failed` [loop]. */
void diag8_command(struct vcpu *v, const char *command, unsigned r, u32 failed);
/** Reset: CPUs that wait for CP wait no longer; held [loop]. */
void diag8_abandon(struct vm *vm);
/* -- trace.c -- */
/** The CPU was seen doing something that may be traced; false: it is blocked now. */
bool trace_look(struct vcpu *v);
/** Its CPUs, one of which may be new, are observed as the traps want it; held. */
void trace_apply(struct vm *vm);
/** Are traps set? */
bool trace_any(const struct vm *vm);
/** What has been counted, and `live` for each trap behind it, as rows; none when nothing is traced.
 *  The traps themselves are CP's. */
void trace_save(const struct vm *vm, u16 count, u16 live, struct codec_out *out);
bool trace_restore_count(struct vm *vm, const struct codec_row *row);
bool trace_restore_live(struct vm *vm, const struct codec_row *row);
/** See vm_needs.h [loop]. */
int vm_trace(struct vm *vm, const struct vm_trap *traps, unsigned count);
u64 vm_trace_count(struct vm *vm, bool on);
/* -- diag308.c -- */
/** The machine was IPLed from a device: make its IPL parameter block; held. */
void ipl_block_make(struct vm *vm, u16 devno, const char *loadparm, const char *parm);
/** Let the SCLP tell the block's load parameter; no CPU runs. */
void ipl_block_loadparm(struct vm *vm);
/** Can this be an IPL parameter block? */
bool ipl_block_valid(const u8 *block);
/* -- spool/vm_spool.c -- */
/** Make a device and its end in the spool; `announce` tells the guest. */
int vm_spooled_attach(struct vm *vm, const struct vm_spooled *row, bool announce,
                      struct cause *cause);
/** The spooled device of that number; with 0 a free place. NULL: none. */
const struct vm_spooled *vm_spooled_find(const struct vm *vm, u16 vdev);
/** The machine's devices are gone: what was being written is closed; a machine that has moved
 *  takes nothing along. */
void vm_spool_end(struct vm *vm);
/* -- stsi.c -- */
void icpt_stsi(struct vcpu *v, const struct cpu_icpt *icpt);
/* -- topology.c -- */
/** SYSIB 15.1.`nesting` into a block of zeros; false: there is none. */
bool topology_sysib(const struct vm *vm, unsigned nesting, u8 *block);

#endif
