/* What CP's commands need of virtual machines: one table of functions, so that the command
 * layer is built and tested without processors. All calls come from the loop thread; calls that
 * look into a running machine stop it for as long as they need. (hyp/vm.h implements this.) */
#ifndef ENDICOTT_HYP_VM_NEEDS_H
#define ENDICOTT_HYP_VM_NEEDS_H

#include "io/image/copy.h"
#include "mem/base/bytes.h"
#include "mem/base/status.h"

struct arch;
struct share;
struct vm;
struct cp;
struct console;
struct dir_entry;
struct image;
struct tape_loader;
struct ctca;
struct ctc_remote;
struct ctc_hub;
struct spool;
struct lan;
struct lan_rules;
struct iucv_wire;

#define VM_CPUS_MAX 64
#define VM_SLICE_INSNS 400000 /* a CPU has a processor for so many: about 2 ms */

/* How late a machine that idles may be woken for its timers: what is good, bounds. */
#define VM_IDLE_SLACK_MS 500
#define VM_IDLE_SLACK_MS_MIN 10
#define VM_IDLE_SLACK_MS_MAX 1000

/** What a virtual CPU, or the machine as a whole, is doing. */
enum vm_state {
    VM_CP_WAIT, /* nothing IPLed, or reset: CP READ */
    VM_RUNNING,
    VM_ENABLED_WAIT, /* idle */
    VM_STOPPED,      /* by STOP, attention with RUN OFF, or a SIGP */
    VM_DISABLED_WAIT,
    VM_CHECKSTOP,
};

#define VM_SEGMENT_RANGES_MAX 16
#define VM_SEGMENTS_MAX 16             /* that a machine has loaded */
#define VM_SEGMENT_REACH (16ull << 30) /* they end below this address */

#define VM_STATUS_BYTES 512 /* of a CPU, as SIGP STORE STATUS has it */
#define VM_IDENTITY_BYTES 16

/** A saved segment (DEFSEG, DIAGNOSE X'64') or saved system (DEFSYS, IPL by name). */
struct vm_segment {
    char name[9];
    bool saved;                /* else only defined: class S */
    bool purged;               /* nobody can load it any more, who has it keeps it: class P */
    bool system;               /* a saved system: a CPU's state is saved with it */
    bool restricted;           /* for users with a NAMESAVE statement only: class R */
    bool vmgroup;              /* VMGROUP: shown */
    bool loadnshr;             /* anybody may load a copy of its own: LOADNSHR */
    bool secure;               /* SECURE: shown */
    char space[9];             /* the segment space that it is a member of, or "" */
    u8 machmode;               /* bits of enum dir_machine; 0: any */
    u8 parm_first, parm_count; /* general registers that get IPL's PARM; 0: none */
    u64 minsize;               /* bytes of storage that a machine must have */
    u64 serial;                /* of this saving, on this member */
    u8 identity[VM_IDENTITY_BYTES]; /* of this saving, everywhere */
    unsigned ranges;
    struct {
        u64 start, end; /* first and last address */
        u32 type;       /* enum segment_type of hyp/segment/segment.h */
    } range[VM_SEGMENT_RANGES_MAX];
};

#define VM_DUMP_RANGES_MAX 3

/** VMDUMP. Pointers are valid during the call only. */
struct vm_dump {
    const char *path;
    const char *text; /* kept in the file's first page */
    unsigned ranges;  /* 0: all of storage */
    struct {
        u64 first, last;
    } range[VM_DUMP_RANGES_MAX];
    bool segments; /* saved segments behind storage, too */
    bool spool;    /* pages of a spool file, at most so many bytes; else for zgetdump */
    u64 bytes_max;
};

/** FLASHCOPY: images, and which part of them. */
struct vm_copy {
    struct image *from, *to;
    struct image_part part;
};

/** The end of what takes a while. */
typedef void vm_done(void *ctx, int status, const struct cause *cause);

/** DEFINE STORAGE, in bytes. */
struct vm_sizes {
    u64 storage;
    u64 standby;  /* behind it: the guest brings it in */
    u64 reserved; /* may become one of the two by another DEFINE */
};

struct vm_info {
    enum vm_state state; /* of the machine: RUNNING when any CPU runs or waits enabled */
    u64 storage_bytes, storage_max_bytes, resident_bytes;
    u64 standby_bytes, reserved_bytes, increment_bytes;
    u64 kept_bytes;   /* SET RESERVED: not paged out by the host */
    u64 locked_pages; /* LOCK: likewise */
    u64 page_reads;   /* that its CPUs have waited for: the host had paged them out */
    unsigned cpu_count;
    u64 virt_ns, total_ns; /* processor time: guest only, guest and CP */
    u64 io_count;
    bool ipled;
    bool quiesced; /* for a relocation */
    bool listens;  /* for a signal to shut down */
    bool limited;  /* it waits because it has had what its share allows */
};

/** Where the dispatcher has a virtual CPU. */
enum vm_cpu_place {
    VM_CPU_RESTS, /* it waits or is stopped */
    VM_CPU_READY, /* for a processor */
    VM_CPU_RUNS,
    VM_CPU_LIMITED, /* for its limit, or slowed down */
    VM_CPU_IN_CP,   /* for the answer to a command */
};

struct vm_cpu_info {
    u8 addr;
    u8 type; /* cpu_type.def */
    bool base;
    u32 serial; /* of its identification, six digits */
    enum vm_state state;
    u64 virt_ns, total_ns;
    enum vm_cpu_place place;
    unsigned processor; /* it runs there */
    u64 rests_ns;       /* for so long, when it does */
    u64 wakes_ns; /* then: until its clocks wake it (overdue: negative); ~0: they do not */
    u64 transaction_ns; /* since it last rested for a while */
};

/** A real processor. */
struct vm_processor_info {
    unsigned addr;
    u8 type; /* cpu_type.def */
    bool online;
    double load;           /* of late, 0 to 1 */
    const char *dedicated; /* to this user; "" = to nobody; valid during the call's turn only */
    unsigned dedicated_cpu;
};

enum vm_reg { VM_REG_GR, VM_REG_CR, VM_REG_AR, VM_REG_FPR };
enum vm_space { VM_SPACE_REAL, VM_SPACE_ABS, VM_SPACE_VIRT };

/** IPL operands. Pointers are valid during the call only. */
struct vm_ipl {
    bool is_name; /* named saved system */
    u16 devno;
    const char *name;
    const char *parm;     /* PARM text as typed, NULL = none */
    const char *loadparm; /* NULL = none */
    bool clear, stop;
};

enum vm_system { VM_SYSTEM_CLEAR, VM_SYSTEM_RESET, VM_SYSTEM_RESTART };

/** Devices that are not files of the host. */
enum vm_unit {
    VM_UNIT_CONSOLE,
    VM_UNIT_READER,
    VM_UNIT_PUNCH,
    VM_UNIT_PRINTER, /* 1403 */
    VM_UNIT_PRINTER_3203,
    VM_UNIT_PRINTER_3211,
    VM_UNIT_DISPLAY
};

/** A virtual device of QUERY VIRTUAL, one response line each; `text` is its tail after vdev. */
struct vm_device_row {
    u16 devno;
    enum vm_unit unit;
    char klass[5]; /* "CONS", "RDR", "PUN", "PRT", "GRAF" */
    char text[96];
};

/** What kind of network adapter. */
struct vm_nic_kind {
    bool hipersockets; /* else an OSA */
};

/** Frames of a network adapter since it was coupled, and what its program has done with it. */
struct vm_nic_info {
    u64 received, received_bytes;
    u64 no_room; /* for it, and the program gave no buffer */
    u64 sent, sent_bytes;
    u64 discarded; /* sent and not permitted */
    u64 errors;    /* sent and no frame */
    bool started, promiscuous;
    u8 layer; /* 0: the program has not said */
};

/** A machine check to be made: see struct cpu_machine_check. */
struct vm_machine_check {
    u64 mcic;
    u64 failing_storage;
    u32 external_damage;
};

/** What becomes of a channel path: its link, the path itself, or a wish that the guest
 *  configures it or gives it up. */
enum vm_path_event {
    VM_LINK_DEGRADED,
    VM_LINK_STOPPED,
    VM_PATH_LOST,
    VM_PATH_BACK,
    VM_PATH_CONFIGURE,
    VM_PATH_DECONFIGURE
};

#define VM_TRAPS_MAX 32
#define VM_MNEMONIC_BYTES 10
#define VM_TRACED_BYTES 128

enum vm_trap_kind {
    VM_TRAP_INSN,
    VM_TRAP_BRANCH,
    VM_TRAP_STORE,
    VM_TRAP_SVC,
    VM_TRAP_PROG,
    VM_TRAP_EXT,
    VM_TRAP_IO
};

/** TRACE: what is told, and whether the machine stops there. */
struct vm_trap {
    enum vm_trap_kind kind;
    unsigned id;               /* never the same for two of a machine */
    u64 first, last;           /* addresses of instructions; of interruptions codes, devices */
    u64 into_first, into_last; /* where is branched or stored to */
    char mnemonic[VM_MNEMONIC_BYTES]; /* INSN: only these; "" = all */
    bool run;                         /* RUN: it does not stop */
    bool silent;                      /* NOTERMINAL */
    unsigned skip, pass;              /* so many are not told, at first; between two */
    unsigned step, stop;              /* stop at every n-th that is told; at the n-th alone */
};

/** What a CPU has done. */
struct vm_traced {
    u8 cpu;
    bool stopped;  /* the machine is stopped now */
    u32 traps;     /* bit i: the i-th trap, from the right */
    unsigned show; /* 1: insn, 2: interruption */
    char insn[VM_TRACED_BYTES], interruption[VM_TRACED_BYTES];
};

struct vm_ops {
    /* --- life: a machine exists from logon to logoff ------------------------------------- */
    int (*create)(void *host, const struct dir_entry *entry, struct console *console,
                  struct vm **out, struct cause *cause);
    void (*destroy)(struct vm *vm); /* system reset, storage and devices given back */

    /* --- running ------------------------------------------------------------------------- */
    int (*ipl)(struct vm *vm, const struct vm_ipl *ipl, struct cause *cause);
    int (*system)(struct vm *vm, enum vm_system what, struct cause *cause);
    /* Start and stop: cpu -1 = all. */
    int (*begin)(struct vm *vm, int cpu);
    int (*stop)(struct vm *vm, int cpu);
    int (*attention)(struct vm *vm, u16 vdev, struct cause *cause); /* ATTN, REQUEST */
    /* TERMINAL CONMODE: the console is a 3270 display, or a 3215. And what is it? */
    int (*conmode)(struct vm *vm, bool display, struct cause *cause);
    bool (*conmode_display)(struct vm *vm);
    void (*autocr)(struct vm *vm, bool on);                        /* TERMINAL AUTOCR */
    int (*external)(struct vm *vm, u16 code, struct cause *cause); /* EXTERNAL */
    int (*smsg)(struct vm *vm, const char *from,
                const char *text); /* enum vmcf_sent (vmcf.h) */
    /* The same by IUCV to *MSG; enum iucv_service_class (iucv_service.h). */
    int (*iucv_message)(struct vm *vm, int kind, const char *from, const char *text);
    /* IUCV over members (iucv_remote.h): the way there, what has come, one that is gone. */
    void (*iucv_wire)(void *host, const struct iucv_wire *wire);
    void (*iucv_receive)(void *host, const char *member, const void *data, size_t len);
    void (*iucv_lost)(void *host, const char *member);
    /* Machine check for one CPU; ST_NOENT: it is not there. */
    int (*machine_check)(struct vm *vm, u8 cpu, const struct vm_machine_check *what);
    /* Tell the guest of a channel path; ST_NOENT: it has none of that CHPID. */
    int (*path_event)(struct vm *vm, u8 chpid, enum vm_path_event what);
    /* Ask the guest to shut down; ST_REFUSED when it does not listen for the signal. */
    int (*signal_shutdown)(struct vm *vm, unsigned within_s, struct cause *cause);

    /* --- looking and changing ------------------------------------------------------------ */
    void (*info)(struct vm *vm, struct vm_info *out);
    bool (*cpu_info)(struct vm *vm, unsigned i, struct vm_cpu_info *out); /* i-th, by address */
    /* What the guest can find out about the machine; fence it to that from now on. */
    const struct arch *(*arch)(const struct vm *vm);
    void (*set_arch)(struct vm *vm, const struct arch *arch);
    /* The TOD clocks of the system and of the machine. */
    void (*tod)(struct vm *vm, u64 *system, u64 *own);
    /* A reset; then its clock is so far ahead of the system's. */
    int (*set_tod)(struct vm *vm, u64 delta);
    /* ST_NOENT: no such CPU. n 0-15. */
    int (*reg_get)(struct vm *vm, u8 cpu, enum vm_reg kind, unsigned n, u64 *value);
    int (*reg_put)(struct vm *vm, u8 cpu, enum vm_reg kind, unsigned n, u64 value);
    int (*psw_get)(struct vm *vm, u8 cpu, u64 *mask, u64 *addr);
    int (*psw_put)(struct vm *vm, u8 cpu, u64 mask, u64 addr);
    int (*prefix_get)(struct vm *vm, u8 cpu, u64 *prefix);
    /* ST_LIMIT: outside storage; ST_NOENT: not translatable. */
    int (*storage_get)(struct vm *vm, u8 cpu, enum vm_space space, u64 addr, void *out,
                       size_t len);
    int (*storage_put)(struct vm *vm, u8 cpu, enum vm_space space, u64 addr, const void *in,
                       size_t len);
    int (*storage_key)(struct vm *vm, u8 cpu, u64 real, u8 *key); /* ST_LIMIT */
    int (*store_status)(struct vm *vm, u8 cpu); /* where SIGP stop and store status does it */
    bool (*device_row)(struct vm *vm, unsigned i, struct vm_device_row *out);

    /* --- devices that come and go; `announce`: the guest is told -------------------------- */
    /* The device takes a reference of its own to `img`, to `file`. */
    int (*disk_attach)(struct vm *vm, u16 vdev, struct image *img, bool announce,
                       struct cause *cause);
    /* type 0x3480, 0x3490 or 0x3590; loader NULL: no volume. */
    int (*tape_attach)(struct vm *vm, u16 vdev, u16 type, struct tape_loader *loader,
                       bool announce, struct cause *cause);
    /* ST_NOENT: no such drive; ST_BUSY: its program runs, ST_REFUSED: it has no volume. */
    int (*tape_rewind)(struct vm *vm, u16 vdev, struct cause *cause);
    /* ST_LIMIT: no more of this kind; ST_EXIST. */
    int (*unit_attach)(struct vm *vm, enum vm_unit unit, u16 vdev, bool announce,
                       struct cause *cause);
    /* A network adapter (OSA) from `vdev` on, not coupled; couple it with a network, NULL: with
     * none any more; what it has moved, false: there is no adapter. */
    int (*nic_attach)(struct vm *vm, u16 vdev, const u8 mac[6], const struct vm_nic_kind *kind,
                      bool announce, struct cause *cause);
    int (*nic_couple)(struct vm *vm, u16 vdev, struct lan *lan, const struct lan_rules *rules,
                      struct cause *cause);
    /* What it may there from now on; false: there is no adapter. */
    bool (*nic_rules)(struct vm *vm, u16 vdev, const struct lan_rules *rules);
    bool (*nic_info)(struct vm *vm, u16 vdev, struct vm_nic_info *out);
    /* The i-th address that the program receives for, of a group or its own; false: no more. */
    bool (*nic_address)(struct vm *vm, u16 vdev, bool group, unsigned i, u8 mac[6]);
    /* The i-th IP address of a program on layer 3, IPv4 as ::ffff:a.b.c.d; false: no more. */
    bool (*nic_ip)(struct vm *vm, u16 vdev, unsigned i, u8 ip[16]);
    /* A channel-to-channel adapter (enum ctca_type), not coupled; the one at `vdev` (NULL: none),
     * whose side the caller couples; its commands go to another member from here on, or no more
     * (NULL). */
    int (*ctca_attach)(struct vm *vm, u16 vdev, u8 type, bool announce, struct cause *cause);
    struct ctca *(*ctca)(struct vm *vm, u16 vdev);
    void (*ctca_set_remote)(struct vm *vm, u16 vdev, struct ctc_remote *remote);
    int (*device_detach)(struct vm *vm, u16 vdev, bool announce, struct cause *cause);
    /* Its channel program ends, nothing stays pending; ST_NOENT. */
    int (*device_reset)(struct vm *vm, u16 vdev, struct cause *cause);
    int (*device_end)(struct vm *vm, u16 vdev, struct cause *cause); /* READY; ST_NOENT */
    bool (*device_halt)(struct vm *vm, u16 vdev); /* HALT; false: it is not active */
    int (*subchannel)(struct vm *vm, u16 vdev);   /* its number, or -1 */
    bool (*device_busy)(struct vm *vm, u16 vdev); /* it carries out a channel program */

    /* --- configuration: reset first where the architecture says so ------------------------ */
    /* Clears. */
    int (*define_storage)(struct vm *vm, const struct vm_sizes *sizes, struct cause *cause);
    /* SET RESERVED: the first bytes stay in the host's memory; ST_LIMIT. */
    int (*reserve)(struct vm *vm, u64 bytes, struct cause *cause);
    /* LOCK, UNLOCK: pages of absolute storage, from number `first` on; ST_LIMIT, ST_NOMEM. */
    int (*lock_pages)(struct vm *vm, u64 first, u64 pages, bool on, struct cause *cause);
    u64 (*page_reads)(void *host); /* of all of this member that had been paged out */
    int (*define_cpu)(struct vm *vm, u8 addr, u8 type, struct cause *cause); /* no reset */
    int (*detach_cpu)(struct vm *vm, u8 addr, struct cause *cause);          /* clears */

    /* --- processors ----------------------------------------------------------------------- */
    bool (*processor)(void *host, unsigned i, struct vm_processor_info *out);
    int (*vary)(void *host, unsigned processor, bool online, struct cause *cause);
    /* A processor of its own for a CPU, or none any more. */
    int (*dedicate)(struct vm *vm, u8 cpu, bool on, struct cause *cause);
    void (*share)(struct vm *vm, const struct share *share);
    void (*quickdsp)(struct vm *vm, bool on);
    /* CP_CLASS bits: which DIAGNOSE codes it may issue from now on. */
    void (*privclass)(struct vm *vm, u32 classes);
    void (*slack)(void *host, unsigned ms); /* of machines that idle; 0: none */
    unsigned (*slack_ms)(void *host);

    /* --- TRACE ---------------------------------------------------------------------------- */
    /* These traps and no others; a trap that was there keeps its counts. */
    int (*trace)(struct vm *vm, const struct vm_trap *traps, unsigned count);
    /* Count matches from now on, instead of telling them, or no more: how many there were. */
    u64 (*trace_count)(struct vm *vm, bool on);

    /* What the machine stands still for, one thing at a time. `done` comes later, unless the call
     * fails (ST_BUSY: not now; else its own reasons); still_stop ends it, as a reset and the end of
     * the machine do: ST_REFUSED. */
    void (*still_stop)(struct vm *vm);
    /* VMDUMP into a new file. ST_EXIST, ST_IO. */
    int (*dump)(struct vm *vm, const struct vm_dump *what, vm_done *done, void *ctx,
                struct cause *cause);

    /* FLASHCOPY; of images that the machine has, whose references it takes. ST_REFUSED, ST_IO. */
    int (*disk_copy)(struct vm *vm, const struct vm_copy *what, vm_done *done, void *ctx,
                     struct cause *cause);

    /* --- saved segments and systems ------------------------------------------------------- */
    int (*segment_define)(void *host, const struct vm_segment *what, struct cause *cause);
    /* Out of the machine's storage, which stands still for it; system: with the state of its base
     * CPU. ST_NOENT: nothing like that is defined (any more); ST_IO. */
    int (*segment_save)(struct vm *vm, const char *name, bool system, vm_done *done, void *ctx,
                        struct cause *cause);
    /* The saved one, or else what is defined; false: no such name. */
    bool (*segment_find)(void *host, const char *name, struct vm_segment *out);
    /* What is defined, and not saved yet. */
    bool (*segment_defined)(void *host, const char *name, struct vm_segment *out);
    bool (*segment_forget)(void *host, const char *name);
    /* The i-th of all, those that are only defined or purged, too; and how many have it. */
    bool (*segment_row)(void *host, unsigned i, struct vm_segment *out, unsigned *users);

    struct spool *(*spool)(void *host); /* the member's (spool/spool.h) */
    /* What the sides of its adapters share. */
    struct ctc_hub *(*ctc_hub)(void *host);
};

#define VM_TIMEBOMB_BYTES_MAX 240 /* commands of DIAGNOSE X'288' */

/** Address of the disabled wait that says "I have shut down as the signal asked me to". */
#define QUIESCE_PSW_ADDR 0xfff

/** What a virtual machine tells CP by itself; cp_vm_event, loop thread. */
enum vm_event {
    VM_EVENT_DISABLED_WAIT, /* psw given: HCPGIR450W, CP READ */
    VM_EVENT_PGM_LOOP,      /* HCPGIR453W */
    VM_EVENT_EXT_LOOP,      /* HCPGIR452W */
    VM_EVENT_CHECKSTOP,
    VM_EVENT_STOPPED,   /* a SIGP stopped the last CPU */
    VM_EVENT_NONE_RUNS, /* the last that ran has stopped; psw of one that waits disabled */
    VM_EVENT_RESET,     /* the guest or CP reset it (lgr cancels) */
};

#endif
