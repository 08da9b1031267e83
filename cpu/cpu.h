/* The CPUs of one configuration, and running them.
 * cpu_run executes guest instructions until something belongs to somebody else, and says why it
 * came back, as SIE would. It knows neither channels nor CP: instructions of those are returned
 * as interceptions with their operands decoded. */
#ifndef ENDICOTT_CPU_CPU_H
#define ENDICOTT_CPU_CPU_H

#include "cpu/model.h"
#include "cpu/ports.h"
#include "mem/base/codec.h"
#include "mem/base/status.h"
#include "mem/storage.h"

#define CPUS_MAX 64

struct cpu;
struct cpu_set; /* the CPUs of one configuration and what they share */

enum cpu_exit {
    CPU_EXIT_BUDGET,        /* the instruction budget is spent */
    CPU_EXIT_REQUEST,       /* cpu_request_exit was called */
    CPU_EXIT_WAIT,          /* enabled wait, nothing pending; see cpu_wait_left */
    CPU_EXIT_DISABLED_WAIT, /* wait with no interruption class enabled */
    CPU_EXIT_STOPPED,       /* stopped state */
    CPU_EXIT_CHECK_STOP,    /* check-stop state */
    CPU_EXIT_PGM_LOOP,      /* a program interruption cannot leave its own handler */
    CPU_EXIT_EXT_LOOP,      /* a clock interrupts again before any instruction */
    CPU_EXIT_INTERCEPT,     /* see cpu_intercept */
    CPU_EXIT_OBSERVED,      /* see cpu_observe */
    CPU_EXIT_RATIONED, /* an instruction waits for a token to store (storage_ration_short) */
    CPU_EXIT_ABSENT,   /* an instruction needs storage that is on its way, see cpu_absence */
};

enum cpu_icpt_kind {
    ICPT_IO,    /* I/O instruction B2xx: SSCH, TSCH, ... (op says which) */
    ICPT_DIAG,  /* DIAGNOSE: code in ea */
    ICPT_SERVC, /* SERVICE CALL: r1 command, r2 SCCB */
    ICPT_STSI,  /* STORE SYSTEM INFORMATION: level 3 or machine data; ea is the SYSIB */
    ICPT_STHYI, /* STORE HYPERVISOR INFORMATION */
    ICPT_IUCV,  /* B2F0 */
};

/** An instruction for somebody else; the PSW already points behind it. */
struct cpu_icpt {
    enum cpu_icpt_kind kind;
    u16 op;        /* opcode, two bytes */
    u8 r1, r2, r3; /* register numbers as the format has them */
    u8 ar;         /* access register number for ea (base register; 16 = base 0) */
    u64 ea;        /* effective address of the storage operand, or DIAGNOSE code */
};

/** Create `count` stopped CPUs over `st`. ports and ctx must outlive the set. */
int cpu_set_create(struct cpu_set **out, struct storage *st, const struct cpu_model *model,
                   unsigned count, const struct cpu_ports *ports, void *ctx,
                   struct cause *cause);
void cpu_set_destroy(struct cpu_set *set);
unsigned cpu_set_count(const struct cpu_set *set);
struct cpu *cpu_set_get(struct cpu_set *set, unsigned cpu_addr);
unsigned cpu_addr(const struct cpu *cpu);
/** Fence the guest to a facility list (FACILITY_BYTES), some of the machine's; no CPU is running.
 *  What it has found out so far it may still believe. */
void cpu_set_facilities(struct cpu_set *set, const u8 *facilities);
const u8 *cpu_set_facilities_of(const struct cpu_set *set);
/** State that is restored from here on brings no facilities beyond those it is fenced to, which
 *  are left out; else they must be the machine's. */
void cpu_set_firm(struct cpu_set *set);
/** The machine's model, and the one that STIDP shows; that of the machine unless it was set. */
const struct cpu_model *cpu_set_model(const struct cpu_set *set);
void cpu_set_seen(struct cpu_set *set, const struct cpu_model *model);

/** Choose the engine, before the CPUs run. ST_INVAL when this host cannot, ST_NOMEM; then they
 *  have what they had. */
int cpu_set_engine(struct cpu_set *set, enum cpu_engine engine, struct cause *cause);
/** The engine that is the best here. */
enum cpu_engine cpu_engine_default(void);

/** From now on count what translated code calls bodies of instructions for; before the CPUs run.
 *  ST_NOMEM. */
int cpu_set_count_bodies(struct cpu_set *set);
/** The counts, CPU by CPU: a mnemonic may come again. The CPUs are held or ended. */
typedef void cpu_bodies_cb(void *ctx, const char *mnemonic, u64 calls);
void cpu_set_bodies(const struct cpu_set *set, cpu_bodies_cb *cb, void *ctx);

/* -- running: one thread at a time per CPU -- */

/** Execute about `budget` instructions at most. Call only while no other thread runs `cpu`. */
enum cpu_exit cpu_run(struct cpu *cpu, long budget);
/** The interception behind CPU_EXIT_INTERCEPT; valid until the next cpu_run. */
const struct cpu_icpt *cpu_intercept(const struct cpu *cpu);
/** Finish an intercepted instruction with a condition code. */
void cpu_finish_cc(struct cpu *cpu, unsigned cc);
/** Finish it with a program interruption instead (suppressing: PSW stays behind it). */
void cpu_finish_pgm(struct cpu *cpu, unsigned pgm_code);
/** Make it execute again at the next cpu_run (the condition is not settled yet). */
void cpu_finish_again(struct cpu *cpu);
/** TOD units until a waiting CPU must run again; ~0 when only an event can wake it. */
u64 cpu_wait_left(struct cpu *cpu);
/** The CPU was made to wait for so many TOD units in which it could have run: its CPU timer has not
 *  run. Outside cpu_run only. */
void cpu_waited(struct cpu *cpu, u64 tod);
/** Give back the host's memory of what is derived: decoded and translated code, which are made
 *  again when they are executed. Outside cpu_run only. */
void cpu_trim(struct cpu *cpu);
/** Has a program in problem state run since this was asked last? Outside cpu_run only. */
bool cpu_programs_ran(struct cpu *cpu);
/** True when the CPU has work: operating and not waiting, or an enabled interruption pending. */
bool cpu_runnable(struct cpu *cpu);

/** True while an enabled wait goes on: no interruption, and no such request (cpu_requests_pending)
 *  either. Outside cpu_run, on the thread that it runs on. */
bool cpu_waits(struct cpu *cpu);

/** Interruptions that wait for a CPU, whether it is enabled for them or not. */
#define CPU_EXTERNALS_MAX 16
struct cpu_pending {
    bool enabled;      /* for one of them */
    u8 io;             /* subclasses, 0x80 = ISC 0 */
    u64 machine_check; /* conditions, as in the machine-check-interruption code */
    unsigned externals;
    u16 external[CPU_EXTERNALS_MAX]; /* interruption codes; clocks only if CR0 has their mask */
};
/** Outside cpu_run. */
void cpu_pending_get(struct cpu *cpu, struct cpu_pending *out);

/* -- observing: what a CPU does, instruction by instruction; nothing the program sees -- */

enum cpu_seen {
    CPU_SEEN_INSN = 1 << 0, /* an instruction was executed */
    CPU_SEEN_BRANCH = 1 << 1,
    CPU_SEEN_STORE = 1 << 2,
    CPU_SEEN_SVC = 1 << 3, /* interruptions */
    CPU_SEEN_PGM = 1 << 4,
    CPU_SEEN_EXT = 1 << 5,
    CPU_SEEN_IO = 1 << 6,
    CPU_SEEN_MCK = 1 << 7,
    CPU_SEEN_RESTART = 1 << 8,
};
#define CPU_SEEN_INTERRUPTIONS                                                                 \
    (CPU_SEEN_SVC | CPU_SEEN_PGM | CPU_SEEN_EXT | CPU_SEEN_IO | CPU_SEEN_MCK | CPU_SEEN_RESTART)
#define CPU_OBSERVED_STORES 2 /* places that an instruction stores into, which are not one */

/** What was seen between two looks: an instruction, then an interruption. */
struct cpu_observed {
    unsigned seen; /* CPU_SEEN_* */
    bool executing;
    u8 text[6], length, cc; /* INSN: at mask, addr; the condition code behind it */
    u8 stores;
    u64 mask, addr;
    u64 target; /* BRANCH */
    struct cpu_observed_store {
        u64 first, last;
    } store[CPU_OBSERVED_STORES]; /* STORE */
    u32 code;                     /* interruption code; I/O: subsystem identification word */
    u64 failing;                  /* PGM: the instruction that it is about */
    u64 old_mask, old_addr, new_mask, new_addr;
};

/** End cpu_run with CPU_EXIT_OBSERVED behind each of these events; 0: none. The CPU is held. */
void cpu_observe(struct cpu *cpu, unsigned events);
/** What was observed since; false: nothing. Between two cpu_run. */
bool cpu_observed_take(struct cpu *cpu, struct cpu_observed *out);

/* -- requests from any thread -- */

/** Make cpu_run return CPU_EXIT_REQUEST soon (sticky until it does). */
void cpu_request_exit(struct cpu *cpu);
/** A CPU that has not run yet will soon, and then without delay: the host gives memory now that its
 *  first instructions need, some 6 MB. */
void cpu_warm(struct cpu *cpu);
/** True when some request waits for the CPU, but for what cpu_run does before anything else: it
 *  should leave the processor. */
bool cpu_requests_pending(struct cpu *cpu);
/** Drop all store translations before the next instruction: a change-recording epoch began. */
void cpu_request_flush_stores(struct cpu *cpu);
/** True when all such requests have been carried out or the CPU is outside cpu_run. */
bool cpu_requests_done(struct cpu *cpu);

/** The set of ISCs with pending I/O interruptions is now `isc_mask` (bit 0 = 0x80). */
void cpu_set_io_pending(struct cpu_set *set, u8 isc_mask);
/** A service-signal external interruption (2401) is pending; taken through the ports. */
void cpu_set_service_signal(struct cpu_set *set);
/** A channel report is pending (machine check, subclass CRP). */
void cpu_set_crw_pending(struct cpu_set *set);
/** A machine check: what real 232 (MCIC) and the locations that go with it will say. */
struct cpu_machine_check {
    u64 mcic;            /* conditions; validity bits are added, but bits 24 and 26 as given */
    u64 invalid;         /* validity bits to be withheld: what is lost */
    u64 failing_storage; /* absolute address, with bit 24 */
    u32 external_damage; /* code, with bit 26 */
};
/** Make it pending: warnings and channel reports for any CPU, other conditions for `cpu`. */
void cpu_machine_check(struct cpu *cpu, const struct cpu_machine_check *what);
/** External interruption key (0040). */
void cpu_interrupt_key(struct cpu *cpu);
/** Another external interruption with code and parameter: 1003 TOD-clock sync check, 1406 timing
 *  alert, 1407 measurement alert, 4000 IUCV, 4001 VMCF; others (2603) by the service-signal mask.
 *  One of each waits independently. */
void cpu_external(struct cpu *cpu, u16 code, u32 parm, u64 parm64);

/* -- storage that is on its way (storage_source.h) -- */

/** Who is told when an operand is not there yet: the CPU leaves cpu_run with CPU_EXIT_ABSENT before
 *  the instruction has changed anything (or at an interruptible one's point of progress) when the
 *  PSW, masked by `select`, is `compare`, the CPU is enabled for service signals and storage at the
 *  operand is awaited. Otherwise, and for instructions themselves, it waits for the host. */
struct cpu_absence {
    bool on;
    u64 select, compare;
};
/** Derived state; the CPU is not in cpu_run. */
void cpu_absence_set(struct cpu *cpu, const struct cpu_absence *when);
/** Absolute address of the storage, behind CPU_EXIT_ABSENT. */
u64 cpu_absent_at(const struct cpu *cpu);
/** An external interruption that the CPU is enabled for is taken at once; it is not in cpu_run. */
void cpu_external_now(struct cpu *cpu, u16 code, u16 subcode, u64 parm64);

/* -- the configuration; the CPUs of the set are held and stay so (configure.c) -- */

/** One more CPU, stopped and reset, at the next address. */
int cpu_set_add(struct cpu_set *set, struct cause *cause);
/** The last CPU goes. */
void cpu_set_remove_last(struct cpu_set *set);
/** Another storage size: storage is cleared, decoded code and translations are gone. All or
 *  nothing. */
int cpu_set_resize_storage(struct cpu_set *set, u64 bytes, struct cause *cause);

/* -- configured or in standby, while they run; any thread -- */

/** A CPU in standby is not operational: SIGP finds nobody. CPU 0 always is configured. */
bool cpu_set_configured(const struct cpu_set *set, unsigned cpu_addr);
/** Bit n (from the right) is one when CPU n is in standby. */
u64 cpu_set_standby(const struct cpu_set *set);
/** Bring it in, or out: then it is reset and stopped. */
void cpu_set_configure(struct cpu_set *set, unsigned cpu_addr, bool on);
/** Does the program want vertical polarization (PERFORM TOPOLOGY FUNCTION)? */
bool cpu_set_vertical(const struct cpu_set *set);
/** All CPUs drop their translations before their next instructions. */
void cpu_set_purge(struct cpu_set *set);

/* -- resets, orders, state; the CPUs concerned must not be in cpu_run -- */

/** Initial CPU reset of all, clearing registers too when `clear`; all end stopped. */
void cpu_set_reset(struct cpu_set *set, bool clear);
/** The CPUs' part of a load-normal reset for CPU `cpu_addr`: initial CPU reset of it, CPU reset of
 *  the others; or, when `clear`, of a modified-clear reset: clear reset of all CPUs. */
void cpu_set_reset_for(struct cpu_set *set, unsigned cpu_addr, bool clear);
/** Load the IPL PSW from absolute 0 (8-byte ESA format) and put the CPU into operation. */
int cpu_ipl_psw(struct cpu *cpu, struct cause *cause);
void cpu_start(struct cpu *cpu);    /* stopped -> operating */
void cpu_stop_now(struct cpu *cpu); /* operating -> stopped; ask with cpu_request_exit first */
bool cpu_stopped(const struct cpu *cpu);
/** What SIGP STORE STATUS stores from real X'1200' on, into 512 bytes; the rest of them stays. */
void cpu_status(struct cpu *cpu, u8 *area);
/** And back: the registers, prefix and PSW of it, not its clocks; the CPU is stopped and stays so.
 *  ST_INVAL, and nothing has changed: the prefix area is not in storage. */
int cpu_load_status(struct cpu *cpu, const u8 *area, struct cause *cause);
/** PSW restart, as SYSTEM RESTART: stores and loads the restart PSWs. */
void cpu_restart(struct cpu *cpu);

/* Registers, for loaders, interceptions, DISPLAY and STORE. Pointers live as long as the CPU. */
u64 *cpu_gr(struct cpu *cpu); /* 16 general registers */
u64 *cpu_cr(struct cpu *cpu); /* 16 control registers; call cpu_registers_changed after */
u32 *cpu_ar(struct cpu *cpu); /* 16 access registers */
u64 *cpu_fpr(struct cpu *cpu, unsigned n); /* floating-point register n */
void cpu_psw_get(const struct cpu *cpu, u64 *mask, u64 *addr);
/** Set the PSW; the mask is z/Architecture format; takes effect at the next cpu_run. */
void cpu_psw_set(struct cpu *cpu, u64 mask, u64 addr);
u64 cpu_prefix(const struct cpu *cpu);
void cpu_registers_changed(struct cpu *cpu);
/** Instructions executed so far. */
u64 cpu_instructions(const struct cpu *cpu);
/** The guest's TOD offset against the ports' clock as it is now, in TOD units. */
void cpu_set_epoch(struct cpu_set *set, u64 epoch_tod);
u64 cpu_get_epoch(const struct cpu_set *set);
/** Six hexadecimal digits of the CPU identification (STIDP); before the CPUs run. */
void cpu_set_serial(struct cpu_set *set, u32 serial);
u32 cpu_set_serial_of(const struct cpu_set *set);
/** The CPU identification is that of a logical partition, not of a virtual machine. */
void cpu_set_lpar(struct cpu_set *set);

/**
 * Storage as the CPU sees it now, for interceptions: logical addresses through current DAT, keys
 * included. Return 0, or the program-interruption code to pass to cpu_finish_pgm (the
 * translation-exception identification is kept for it). All or nothing.
 */
int cpu_read_logical(struct cpu *cpu, u64 ea, unsigned ar, void *dst, u64 len);
int cpu_write_logical(struct cpu *cpu, u64 ea, unsigned ar, const void *src, u64 len);
/** Check that cpu_write_logical would succeed. */
int cpu_probe_logical(struct cpu *cpu, u64 ea, unsigned ar, u64 len);
/** Real to absolute (prefixing). */
u64 cpu_real_to_abs(const struct cpu *cpu, u64 real);

/** All relocatable CPU state (cpu_state.def), as one block per CPU. */
void cpu_set_save(struct cpu_set *set, struct codec_out *out, u16 tag);
int cpu_set_restore(struct cpu_set *set, struct codec_in *in, struct cause *cause);

#endif
