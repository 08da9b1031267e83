/* Virtual machines and the processors that run them.
 * struct vm_host: the processor threads of one member and what all its virtual machines share.
 * struct vm: storage, CPUs, channel subsystem, SCLP of one guest, from logon to logoff.
 * Threads: functions marked [loop] only on the member's loop thread; the others from any. */
#ifndef ENDICOTT_HYP_VM_H
#define ENDICOTT_HYP_VM_H

#include "cpu/model.h"
#include "hyp/arch.h"
#include "hyp/dispatch/share.h"
#include "hyp/spool/spool.h"
#include "hyp/vm_asks.h"
#include "hyp/vm_needs.h"
#include "io/net/osa.h"
#include "io/tape/tape.h"
#include "io/unitrec/unitrec.h"
#include "io/unitrec/unitrec_file.h"
#include "mem/base/codec.h"
#include "mem/storage.h"

#define VM_NAME_BYTES 9
#define VM_PROCESSORS_MAX 32
#define VM_DET_NS_PER_INSN 5ull /* of deterministic time */
#define VM_DISPLAYS_MAX 16
#define VM_NAMESAVE_MAX 16

struct vm_host;
struct image;

/** What a host needs: a way to the loop thread, and the clock. */
struct vm_host_ports {
    void *ctx;
    /** Run fn(arg) on the loop thread, soon; in order of posting. Any thread. */
    void (*post)(void *ctx, void (*fn)(void *arg), void *arg);
};

struct ssi_held;

/** Told on the loop thread. */
struct vm_host_events {
    void *ctx;
    /** A virtual machine reports by itself (vm_needs.h); PSW as far as it matters. */
    void (*event)(void *ctx, struct vm *vm, enum vm_event event, u64 psw_mask, u64 psw_addr);
    /** DIAGNOSE X'08': run `command` for the guest and answer with vm_diag8_done, now or
     *  later. */
    void (*command)(void *ctx, struct vm *vm, const char *command, void *token);
    /** IPL the machine again from the files it came from; NULL: it came from none. */
    int (*reload)(void *ctx, struct vm *vm);
    /** DIAGNOSE X'288': as cp_timebomb; NULL: there is no such thing. */
    bool (*timebomb)(void *ctx, struct vm *vm, u32 seconds, const char *command, bool conceal);
    /** DIAGNOSE X'68': its user is to get special messages (SET SMSG ON); may be NULL. */
    void (*smsg)(void *ctx, struct vm *vm);
    /** DIAGNOSE X'5C' and X'270', X'E4': as cp_settings, cp_minidisk; NULL: nobody answers. */
    void (*settings)(void *ctx, struct vm *vm, struct vm_settings *out);
    enum vm_minidisk_result (*minidisk)(void *ctx, struct vm *vm, struct vm_minidisk *io);
    /** DIAGNOSE X'26C': the adapter with this device; false: there is none. NULL: likewise. */
    bool (*nic)(void *ctx, struct vm *vm, u16 vdev, struct vm_nic_place *out);
    /** It wrote to a 3270 display, or reads its console: the terminal is to look. Any thread. */
    void (*display)(void *ctx, struct vm *vm);
    /** A line that vm_console_line had no room for can come again, to a machine that was
     *  restored in place of this one, too. [loop], may be NULL. */
    void (*typed_room)(void *ctx, struct vm *vm);
    /** A request of a guest for what the whole cluster must know of, as ssi_hold; NULL:
     * ST_NOENT. */
    int (*hold)(void *ctx, struct ssi_held *held);
    /** A trap of TRACE; when this returns the CPU goes on, unless it was stopped. */
    void (*traced)(void *ctx, struct vm *vm, const struct vm_traced *what);
};

struct vm_host_config {
    unsigned processors; /* threads */
    /* threads of one machine's device work, at most; 0: as the host has processors */
    unsigned io_threads;
    u8 processor_type[VM_PROCESSORS_MAX]; /* cpu_type.def */
    char system[VM_NAME_BYTES];           /* member name, for STSI */
    u32 cpu_serial;                       /* 24 bits */
    bool deterministic;     /* one thread (the caller of vm_host_run), time from instructions */
    u64 seed;               /* seconds added to the start of the deterministic clock */
    bool own_clock;         /* in deterministic mode: the host's clocks all the same (tests) */
    unsigned idle_slack_ms; /* dispatch_slack */
    const struct cpu_model *model; /* of the member's processors */
    const char *segment_folder;    /* NULL: saved segments cannot be */
    const char *spool_folder;      /* NULL: spool files are kept in memory */
    enum spool_start spool_start;
    unsigned spool_slot; /* of the cluster, from 1 on; 0: there is none */
};

struct vm_host *vm_host_create(const struct vm_host_config *config,
                               const struct vm_host_ports *ports,
                               const struct vm_host_events *events, struct cause *cause);
/** After every vm is destroyed: stops the threads. */
void vm_host_destroy(struct vm_host *host);

enum vm_personality {
    VM_UNDER_CP, /* STSI 3.2.2, DIAGNOSE codes of CP, 3215 console, reader, punch, printer */
    VM_LPAR,     /* STSI 2.2.2, SCLP consoles only */
};

#define VM_DISKS_MAX 1024
#define VM_TAPES_MAX 16

/** A disk of the machine from its start on; the caller keeps the image while a machine may
 *  be made of this configuration, the device has a reference of its own. */
struct vm_disk {
    u16 devno;
    struct image *image;
};

#define VM_ALIASES_MAX 256

/** Another device number of a 3390: of that at `base`, or if 0 of any on its control unit. */
struct vm_alias {
    u16 devno, base;
};

/** A tape drive and where its volumes come from, or NULL; the drive holds it too. */
struct vm_tape {
    u16 devno;
    enum tape_type type;
    struct tape_loader *loader;
};

#define VM_NETS_MAX 16

/** A network adapter (OSA): three devices from `config.devno` on, not coupled. */
struct vm_net {
    struct osa_config config;
};

#define VM_CTCAS_MAX 16

/** A channel-to-channel adapter, not coupled. */
struct vm_ctca {
    u16 devno;
    u8 type; /* enum ctca_type */
};

#define VM_UNITREC_MAX 32

enum vm_unitrec_kind { VM_READER, VM_PUNCH, VM_PRINTER };

/** A unit record device with host files of the caller's: a deck for a reader (several rows
 *  of one number: one behind the other), where a punch or printer puts what comes. */
struct vm_unitrec {
    u16 devno;
    enum vm_unitrec_kind kind;
    enum printer_type printer;
    struct spool_data deck;
    struct unitrec_file *file;
};

#define VM_SPOOLED_MAX 24

/** A unit record device whose files are CP's. */
struct vm_spooled {
    enum vm_unitrec_kind kind;
    u16 vdev; /* 0: none */
    enum printer_type printer;
    char classes[9]; /* "" = * for a reader, else A */
};

#define VM_IUCV_MAX 32

/** IUCV: whom it may connect with, or ANY; ALLOW: everybody may with it. */
struct vm_iucv {
    char name[VM_NAME_BYTES];
    bool priority;
    u16 limit; /* MSGLIMIT; 0: as the program says */
};

struct vm_config {
    char name[VM_NAME_BYTES]; /* user id */
    enum vm_personality personality;
    u64 storage_bytes;
    u64 storage_max_bytes;
    u64 standby_bytes;  /* behind storage_bytes, brought in by the guest */
    u64 reserved_bytes; /* shown: nothing is there */
    unsigned cpus;
    unsigned cpus_max; /* addresses that may ever be: 0 to this - 1; less than cpus: as many */
    u8 cpu_type[VM_CPUS_MAX]; /* by address; see cpu_type.def */
    bool has_cpuid;
    u32 cpuid;                     /* serial number of its CPUs; without it the host's */
    const struct cpu_model *model; /* of the machine; what the guest sees: vm_arch */
    enum cpu_engine engine;
    bool count_bodies;                 /* see vm_bodies */
    u16 console_vdev;                  /* 0 = none; UNDER_CP only */
    bool console_3270;                 /* it is a 3270 display, not a 3215 (CONMODE 3270) */
    u16 display_vdev[VM_DISPLAYS_MAX]; /* further 3270 displays; 0 = none */
    struct vm_spooled spooled[VM_SPOOLED_MAX];
    struct vm_disk disk[VM_DISKS_MAX];
    unsigned disks;
    struct vm_alias alias[VM_ALIASES_MAX];
    unsigned aliases;
    struct vm_tape tape[VM_TAPES_MAX];
    unsigned tapes;
    struct vm_net net[VM_NETS_MAX];
    unsigned nets;
    struct vm_ctca ctca[VM_CTCAS_MAX];
    unsigned ctcas;
    struct vm_unitrec unitrec[VM_UNITREC_MAX];
    unsigned unitrecs;
    struct share share;     /* all zero: the default */
    bool quickdsp, applmon; /* OPTION */
    u32 privclass;          /* CP_CLASS bits: which DIAGNOSE codes it may issue (diag.def) */
    char namesave[VM_NAMESAVE_MAX][VM_NAME_BYTES]; /* restricted segments it may load */
    unsigned namesaves;
    struct vm_iucv iucv[VM_IUCV_MAX]; /* its IUCV statements */
    unsigned iucvs;
    unsigned maxconn; /* OPTION; 0: the default */
    /** Guest output; any thread. NULL: `console` below gets it. */
    void (*output)(void *ctx, const char *text, size_t len);
    void *output_ctx;
    struct console *console; /* gets output and gives input; may be NULL with `output` */
};

/** [loop] A machine that is reset and stopped. Copies config. */
int vm_create(struct vm_host *host, const struct vm_config *config, struct vm **out,
              struct cause *cause);
/** [loop] Stop it, free everything. */
void vm_destroy(struct vm *vm);
const char *vm_name(const struct vm *vm);
struct vm_host *vm_host_of(const struct vm *vm);
/** [loop] The i-th saved segment or system that the machine has, and why it cannot move with it, or
 *  NULL. False: it has no more. */
bool vm_segment_get(const struct vm *vm, unsigned i, struct vm_segment *out, const char **why);
const struct vm_config *vm_configuration(const struct vm *vm);
struct storage *vm_storage(struct vm *vm);
/** What of its storage is awaited comes from now on (storage_source_go); page faults end. */
void vm_storage_go(struct vm *vm);
/** [loop] What the guest can find out about the machine: all of it, until it is fenced. */
const struct arch *vm_arch(const struct vm *vm);
/** [loop] Fence it from now on; `arch` is within the machine's. The guest may be running. */
void vm_set_arch(struct vm *vm, const struct arch *arch);
/** [loop] The same before vm_restore, which then brings nothing beyond that. */
void vm_set_arch_firm(struct vm *vm, const struct arch *arch);

/**
 * [loop] Hold: when this returns no CPU of the machine is executing and no interception of it
 * is being handled; none will until the matching vm_release. Nests.
 */
void vm_hold(struct vm *vm);
/** The same, unless a CPU is still at an instruction or in an interception of it when so many
 *  seconds have passed: then false, and nothing is held. For who must not hang with it. */
bool vm_hold_within(struct vm *vm, unsigned seconds);
void vm_release(struct vm *vm);
bool vm_held(const struct vm *vm);

/** [loop] Operator functions; the machine may be running. */
int vm_begin(struct vm *vm, int cpu);
int vm_stop(struct vm *vm, int cpu);
int vm_system_reset(struct vm *vm, bool clear);
enum vm_state vm_state(struct vm *vm);
u64 vm_instructions(const struct vm *vm);
/** Calls of instruction bodies by translated code, as cpu_set_bodies gives them; the machine is
 *  held or has ended. */
void vm_bodies(const struct vm *vm, void (*cb)(void *ctx, const char *mnemonic, u64 calls),
               void *ctx);
/** [loop] What it is doing, for who has waited in vain: for each CPU where it is, its PSW, masks
 *  and what is pending; subchannels that do something. Text is valid during the call of `line`.
 *  False: a CPU does not leave its processor, so that there was nothing to see but where CPUs
 *  are, and the machine cannot be ended either. */
bool vm_report(struct vm *vm, void (*line)(void *ctx, const char *text), void *ctx);
/** Its CPUs, for figures of the engines; held or stopped while it is used. */
struct cpu_set *vm_cpus(struct vm *vm);
u64 vm_resident_bytes(const struct vm *vm);
/** Host processor time used, nanoseconds: inside cpu_run, and including interceptions. */
void vm_times(const struct vm *vm, u64 *virt_ns, u64 *total_ns);

/** [loop] IPL from a virtual device: reset, read, start CPU 0. */
int vm_ipl_device(struct vm *vm, u16 devno, bool clear, const char *loadparm, const char *parm,
                  struct cause *cause);
/**
 * [loop] Load files and start CPU 0: `kernel` is a Linux image (then initrd and append are put
 * where it looks for them) or an ELF64-s390 program. Storage is cleared first. ST_CONFIG with
 * the file named when something is wrong with it, ST_LIMIT when it does not fit.
 */
int vm_ipl_kernel(struct vm *vm, const char *kernel, const char *initrd, const char *append,
                  struct cause *cause);
/** [loop] A raw image at absolute 0 with an 8-byte IPL PSW. */
int vm_ipl_image(struct vm *vm, const char *image, struct cause *cause);

/** A line (UTF-8, no newline) typed at the machine's console. ST_INVAL: longer than it takes;
 *  ST_LIMIT: there is no room, the event `typed_room` comes when there is. [loop] */
int vm_console_line(struct vm *vm, const char *text, size_t len);
/** Raw bytes for the SCLP ASCII console. */
int vm_console_bytes(struct vm *vm, const char *text, size_t len);
/** The 3270 display that is the console of a machine under CP; NULL: it is a 3215. [loop] */
struct con3270;
struct con3270 *vm_console_display(struct vm *vm);
/** The display at a device number, or NULL. [loop] */
struct con3270 *vm_display(struct vm *vm, u16 devno);
/** Put a 3270 display in the place of the 3215, or back: TERMINAL CONMODE. [loop] */
int vm_console_mode(struct vm *vm, bool display, struct cause *cause);
/** Does the guest wait for a line (a read of its 3215 is under way)? Any thread. */
bool vm_console_reading(struct vm *vm);
/** ST_REFUSED when the guest does not listen. */
int vm_signal_quiesce(struct vm *vm);
/** [loop] The member's spool. */
struct spool *vm_host_spool(struct vm_host *host);
/** [loop] Put a file into `userid`'s virtual reader, logged on or not. `id` may be NULL. */
int vm_host_punch(struct vm_host *host, const char *userid, const char *origin,
                  const char *name, const char *type, const void *bytes, size_t len, u16 *id,
                  struct cause *cause);

/** [loop] Reset and clear, then other sizes of storage. */
int vm_define_storage(struct vm *vm, const struct vm_sizes *sizes, struct cause *cause);
/** [loop] One more CPU at the next address; the guest runs on and is told. */
int vm_define_cpu(struct vm *vm, u8 type, struct cause *cause);
/** [loop] A CPU of this address, which is not defined; those before it that are not stay so. */
int vm_define_cpu_at(struct vm *vm, unsigned addr, u8 type, struct cause *cause);
/** [loop] Reset and clear; the last CPU goes (not CPU 0), or that of this address. */
void vm_detach_cpu(struct vm *vm);
void vm_detach_cpu_at(struct vm *vm, unsigned addr);
/** [loop] Reset and clear, then this size and number of CPUs. The machine keeps its devices and
 *  what is in its reader. */
int vm_reconfigure(struct vm *vm, u64 storage_bytes, unsigned cpus, struct cause *cause);

/** [loop] Answer of a DIAGNOSE X'08': lines as CP made them, and the return code. */
void vm_diag8_done(struct vm *vm, void *token, int rc, char *const *lines, unsigned count);

/* ---- for relocation; all [loop] ---- */

/**
 * Begin a change-recording epoch: frames stored into since the last one are added to `set`
 * (storage_bitmap_bytes). Holds the machine for the moment. Returns the number of frames.
 */
u64 vm_epoch(struct vm *vm, u64 *set);
/** Quiesce: hold the CPUs, stop device work. False (and nothing held) when something of the
 *  guest cannot stop now: a CP command it waits for, or it is quiesced; try again. */
bool vm_quiesce(struct vm *vm);
/** A CPU waits for the loop thread, as for the answer of a CP command: vm_quiesce will say no. Any
 *  thread. */
bool vm_waits_for_cp(struct vm *vm);
/** Its storage has tokens for stores again, or is not rationed any more: CPUs whose stores wait go
 *  on. */
void vm_stores_go_on(struct vm *vm);
/** Undo vm_quiesce: the guest goes on here. */
void vm_unquiesce(struct vm *vm);
/** Quiesced: it goes on neither here nor elsewhere, and is destroyed next. What it has is given
 *  back as at logoff, not taken for what has moved. */
void vm_abandon(struct vm *vm);
/** All state but storage bytes; the machine is quiesced. Not ST_OK: as css_save. */
int vm_save(struct vm *vm, struct codec_out *out, struct cause *cause)
    __attribute__((warn_unused_result));
/** While the machine runs: what of its state can go ahead, keys and usage of its frames. Again: all
 *  anew. Forgotten by vm_early_end, vm_unquiesce and vm_save. [loop] */
void vm_save_early(struct vm *vm, struct codec_out *out);
void vm_early_end(struct vm *vm);
/** As vm_save, without what vm_save_early has told and what has not changed since. */
int vm_save_rest(struct vm *vm, struct codec_out *out, struct cause *cause)
    __attribute__((warn_unused_result));
/** A machine that is quiesced and has not run yet: its CPUs are made ready to begin without delay,
 *  as far as that takes little memory. [loop] */
void vm_warm(struct vm *vm);
/** What vm_save_early has written; before vm_restore. ST_PROTO, ST_NOMEM. [loop] */
int vm_restore_early(struct vm *vm, struct codec_in *in, struct cause *cause);
/** Into a machine made by vm_create with the same configuration, quiesced, never started. */
int vm_restore(struct vm *vm, struct codec_in *in, struct cause *cause);

/** The table CP's commands use (vm_needs.h); its `host` argument is a struct vm_host. */
const struct vm_ops *vm_host_ops(void);
/** Directory values that vm_ops.create needs beyond the entry: system configuration. */
struct system_config;
void vm_host_set_config(struct vm_host *host, const struct system_config *config);

/* ---- deterministic and single-machine running ---- */

/** Deterministic mode: this thread is the only processor and does the device work as well. One
 *  turn (a slice of one CPU, some device jobs, or a jump of time to the next deadline); false
 *  when nothing can run before something comes from outside. */
bool vm_host_run(struct vm_host *host);
/** Deterministic mode: instructions that a CPU executes at a time; 0 = what is good. */
void vm_host_slice(struct vm_host *host, long insns);

#endif
