/* Inside the CPU: registers, run state, translations, decoded instructions.
 * struct cpu - Located by: struct cpu_set. Created by cpu_set_create, destroyed with the set.
 * Serialised by: owned by the one thread inside cpu_run; other threads use the atomic words at
 * the end only. Relocatable members have a row in cpu_state.def; everything else is derived. */
#ifndef ENDICOTT_CPU_CPU_INTERNAL_H
#define ENDICOTT_CPU_CPU_INTERNAL_H

#include <stdatomic.h>

#include "cpu/cpu.h"
#include "cpu/isa.h"
#include "cpu/psw.h"
#include "cpu/request.h"
#include "cpu/event/watch.h"
#include "cpu/tod.h"
#include "mem/base/ergo.h"
#include "mem/base/lock.h"
#include "mem/tlb.h"

/* Results of a body below zero. */
#define CPU_TAKEN (-1)       /* psw.addr holds the branch target */
#define CPU_RESYNC (-2)      /* completed; look at PSW, control registers, interruptions */
#define CPU_ICPT (-3)        /* cpu->icpt is filled; completed by cpu_finish_* */
#define CPU_BUDGET (-4)      /* run loop only: psw.addr is current, the budget is spent */
#define CPU_AGAIN (-5)       /* psw.addr points at the instruction itself: partial completion */
#define CPU_PSW_LOADED (-6)  /* the body has set the whole PSW; look at everything again */
#define CPU_JIT_STOPPED (-7) /* lockstep only: translated code was left for c->stop */
#define CPU_PGM_LOOP (-8)    /* run loop only: a program interruption led into check-stop */
/* Above all program-interruption codes: a store has to wait (storage_ration.c). As an access
 * exception it has changed nothing, or an interruptible instruction is at its point of progress;
 * psw.addr points at the instruction. */
#define CPU_RATIONED 0x10000
#define CPU_ABSENT 0x20000 /* the same, of an operand that is on its way (cpu_absence) */

/** Is the instruction to be executed again, from its address on, once it need not wait? */
static inline bool cpu_rc_waits(int rc)
{
    return rc >= CPU_RATIONED;
}

/** One decoded instruction: 16 bytes, so that a slot address is its halfword offset times 16. */
struct dinsn {
    insn_run *run;
    u8 r1, r2, r3, b2;
    union {
        s32 d2;
        s32 imm;
        struct {
            u16 d1, d2;
        } ss;
    };
};
_Static_assert(sizeof(struct dinsn) == 16, "slot arithmetic relies on 16 bytes");

/* Decoded instructions of one absolute frame: a slot per halfword, then three sentinels. */
#define CODE_SLOTS (FRAME_BYTES / 2)
#define CODE_SLOTS_ALL (CODE_SLOTS + 3)
#define CODE_PAGES_MAX 8192 /* decoded frames per CPU; 32 KiB each */
/* The instruction of a decoded frame that goes on in the next page: its slot has the operands, and
 * code_run_cross for a handler, which compares what stands behind the page's end. */
struct code_cross {
    insn_run *run;    /* its own handler */
    u16 slot;         /* 0: none */
    u32 behind, mask; /* its text in the next page, be32_load; which bits of that are its own */
};
struct code_page {
    struct dinsn slot[CODE_SLOTS_ALL];
    u64 abs;          /* frame address, or CODE_ABS_NONE */
    unsigned stores;  /* stores into the frame since something was last decoded */
    unsigned decoded; /* slots decoded since the frame was taken */
    struct code_cross cross;
    struct jit_region *jit;    /* what is translated of it */
    bool profiled;             /* something was learnt of it for translations (cpu/jit/jit.c) */
    u64 open[CODE_SLOTS / 64]; /* slots where a translation may have a way in (jit/way_in.c) */
};
#define CODE_ABS_NONE (~0ull)

/* A target of EXECUTE with its second byte modified, and what it decodes to. */
#define EX_TARGETS 16u
struct ex_target {
    u64 text;
    const struct isa_entry *entry;
    struct dinsn d;
};

#define JIT_ANCHOR_CELLS 16384u
#define JIT_KEPT 16
#define JIT_ANCHORS 32u /* base registers of a region whose host address is kept */

enum cpu_state { CPU_STATE_STOPPED, CPU_STATE_OPERATING, CPU_STATE_CHECK_STOP };

#define JIT_HEAT_ENTRIES 16384 /* a power of two */

struct cpu {
    /* hot: what bodies touch, and what translated code reaches with a displacement of one byte
     * (CPU_BIAS): up to space[0] */
    u64 gr[17];               /* general registers; [16] is always zero */
    struct psw psw;           /* addr is current only between instructions of the run loop */
    u64 amask;                /* effective-address mask of the addressing mode */
    struct tlb_space *ispace; /* instruction space */
    char *code_base;          /* slot[0] of the code page that is executing */
    u64 ia_page;              /* logical address of that page */
    u8 *storage;              /* host address of real storage without prefixing; of st */
    u64 scratch;              /* results of slow accesses (so that no local escapes) */
    /* the last taken branch, while its page is executing; see cpu_bear_settle */
    const struct dinsn *bear_slot;
    u8 cc;
    u8 ilc;           /* bytes of the instruction that stopped */
    u8 access_key;    /* PSW key in bits 0-3, as in a storage key */
    u8 dxc;           /* of the data exception being raised */
    bool ex_active;   /* the body runs under EXECUTE */
    u8 watch;         /* WATCH_*; derived from the PSW and control registers */
    u8 jit_mode;      /* JIT_MODE_*; what translated code depends on, derived likewise */
    bool jit_broken;  /* a region of the executing page is void: leave it */
    bool jit_stops;   /* lockstep: the way out of translated code ends the stretch */
    bool cannot_wait; /* a store that is missing would be something else than one that waits */
    u32 fpc;
    struct tlb_space *space[17]; /* data space by base register (AR mode); else all the same */
    u64 jit_fp[2]; /* translated code: two numbers whose comparison is the condition code */
    u64 vr[32][2]; /* vector registers; [n][0] is floating-point register n */
    u64 cr[16];
    u32 ar[16];
    u32 prefix;
    u32 todpr;      /* TOD programmable register */
    u64 ckc;        /* clock comparator */
    u64 cputm_base; /* CPU timer = cputm_base - (host TOD now - cputm_start) */
    u64 cputm_start;
    bool cputm_running;
    u64 bear;                /* breaking-event address; current when bear_slot is NULL */
    u64 gbea_pp;             /* program parameter (LPP) */
    u64 ex_next;             /* under EXECUTE: address of the instruction behind it */
    u64 ex_target_ia;        /* under EXECUTE: address of the target instruction */
    struct dinsn ex_slot[4]; /* the target of EXECUTE, decoded */
    const struct isa_entry *ex_entry;
    struct ex_target ex_cache[EX_TARGETS]; /* by target address */

    struct per_events per;
    struct cpu_absence absence; /* derived */
    u64 absent_at;              /* behind CPU_ABSENT */

    /* of the program interruption being raised */
    u64 teid;  /* translation-exception identification */
    u8 exc_ar; /* exception access identification */
    u16 monitor_class;
    u64 monitor_code;
    u8 op_access_id; /* operand access identification */

    _Atomic(enum cpu_state) state; /* written by its own thread, or while held */
    struct cpu_icpt icpt;
    u64 again_addr; /* address of the intercepted instruction */
    u8 again_cc;
    long n;                   /* what is left of the budget when the threaded code stopped */
    long slice;               /* what it had when it began */
    const struct dinsn *stop; /* slot at which it stopped (loop dispatch: next slot) */
    _Atomic u64 insns;        /* executed before the current stretch; read by anyone */
    unsigned pgm_streak;      /* program interruptions without progress */
    u64 pgm_streak_insns;     /* insns at the last one */
    unsigned clock_streak;    /* by clock comparator and CPU timer, since an instruction */
    u64 psws;                 /* masks loaded since cpu_programs_ran, all together */

    unsigned addr; /* CPU address */
    struct cpu_set *set;
    struct storage *st;
    const struct cpu_ports *ports;
    void *ports_ctx;

    /* derived: translations and decoded instructions */
    struct tlb *tlb;
    struct code_cache *code;
    struct jit *jit;           /* NULL: the interpreter alone */
    struct lockstep *lockstep; /* NULL: no engine is compared with another */

    /* words other threads may touch */
    _Atomic u32 requests;
    _Atomic u32 in_run; /* 1 while a thread is inside cpu_run */
    _Atomic u32 pending;
    _Atomic u64 emergency_from; /* one bit per CPU address */
    _Atomic u32 external_call_from;
    _Atomic u32 store_status_done;
    _Atomic u32 orders;    /* REQ_STOP .. REQ_INITIAL_RESET accepted, not yet carried out */
    struct lock mail_lock; /* leaf; guards mail and mail_count */
    struct cpu_mail mail[MAIL_ENTRIES_MAX];
    unsigned mail_count;
    u16 ext_other_code[EXT_OTHERS]; /* guarded by set->lock, as what follows */
    u32 ext_other_parm[EXT_OTHERS];
    u64 ext_other_parm64[EXT_OTHERS];
    u64 mck_conditions; /* pending: bits of the machine-check-interruption code */
    u64 mck_invalid;    /* validity bits to withhold */
    u64 mck_failing;    /* failing-storage address */
    u32 mck_damage_code;
    _Atomic u64 malfunction_from; /* one bit per CPU address */

    u8 heat[JIT_HEAT_ENTRIES]; /* executions of branch targets; see jit_heat */

    /* anchors of regions, jit/anchor.c: one cell in front with the epoch of the space they were
     * set in, as its base */
    struct jit_anchor_now {
        u64 base, host; /* value of a base register, and its host address; or ... */
        u64 room;       /* of a page: where it begins, what is added, what is covered */
    } jit_anchor[JIT_ANCHOR_CELLS];
    u64 jit_reverse
        [2]; /* which byte each of a vector register is to be: the first eight reversed */
    u64 jit_kept[JIT_KEPT + 2];   /* of what set a condition code (cpu/jit/cc_flow.c) */
    u64 jit_asked[3];             /* of the anchor that was not found last */
    struct cpu_observed observed; /* observe.h */
    u16 observe;                  /* CPU_SEEN_*: what is asked for */
};

/** What the CPUs of one configuration share. lock is a leaf lock (docs/locking.md). */
struct cpu_set {
    struct cpu *cpus[CPUS_MAX];
    unsigned count;
    struct storage *st;
    const struct cpu_model *model; /* of the machine: what can be offered at most */
    const struct cpu_model *seen;  /* that the guest is told of */
    u8 facilities[FACILITY_BYTES];
    bool firm;     /* state that is restored brings no further facilities */
    u32 serial;    /* six hexadecimal digits of the CPU identification */
    u8 id_version; /* version code of the CPU identification */
    const struct cpu_ports *ports;
    void *ports_ctx;
    struct lock lock;
    struct tod_clock clock;
    _Atomic u32 io_pending;      /* ISC mask, bit 0 = 0x80 */
    _Atomic u32 service_pending; /* ask ports->take_service for the parameter */
    _Atomic u32 crw_pending;
    _Atomic u32 warning_pending;
    _Atomic u32 topology; /* polarization, change report pending; see configure.c */
    _Atomic u64 standby;  /* one bit per CPU address: defined, not configured */
    enum cpu_engine engine;
    struct cpu_lockstep *lockstep; /* shared by its CPUs; cpu/jit/lockstep.c */
};

/* cpu->jit_mode. */
#define JIT_MODE_AMODE 3u
#define JIT_MODE_24 0u
#define JIT_MODE_31 1u
#define JIT_MODE_64 3u
#define JIT_MODE_AR 4u        /* access-register mode */
#define JIT_MODE_AFP 8u       /* CR0 bit 45 */
#define JIT_MODE_OVERFLOW 16u /* fixed-point overflow interrupts */
#define JIT_MODE_REAL 32u     /* DAT is off */

/** Full PSW mask with the condition code in place. */
static inline u64 psw_mask(const struct cpu *c)
{
    return c->psw.mask | (u64)c->cc << PSW_CC_SHIFT;
}

static inline u64 cpu_guest_tod_at(const struct cpu *c, u64 physical)
{
    const struct tod_clock *k = &c->set->clock;
    if (atomic_load_explicit(&k->rate, memory_order_relaxed))
        return (u64)tod_at(k, physical);
    return physical + atomic_load_explicit(&k->base, memory_order_relaxed);
}

static inline u64 cpu_guest_tod(const struct cpu *c)
{
    return cpu_guest_tod_at(c, c->ports->tod(c->ports_ctx));
}

/** Access-register mode: base registers select spaces. */
static inline bool cpu_ar_mode(const struct cpu *c)
{
    return (c->psw.mask & (PSW_DAT | PSW_AS)) == (PSW_DAT | (u64)AS_AR << PSW_AS_SHIFT);
}

/** Derive c->jit_mode from the PSW and CR0. */
static inline void cpu_jit_mode(struct cpu *c)
{
    unsigned mode = c->amask >> 32 ? JIT_MODE_64 : c->amask >> 24 ? JIT_MODE_31 : JIT_MODE_24;
    c->jit_mode = (u8)(mode | (cpu_ar_mode(c) ? JIT_MODE_AR : 0) |
                       (c->cr[0] & CR0_AFP ? JIT_MODE_AFP : 0) |
                       (c->psw.mask & 8ull << PSW_PM_SHIFT ? JIT_MODE_OVERFLOW : 0) |
                       (c->psw.mask & PSW_DAT ? 0 : JIT_MODE_REAL));
}

/* -- cpu.c -- */
struct cpu *cpu_create(struct cpu_set *set, unsigned address);
void cpu_destroy(struct cpu *c);

/* -- run.c -- */
/** Execute the one decoded instruction of the step page; result as of a body or CPU_BUDGET. */
int cpu_run_slot(struct cpu *c, const struct dinsn *d);
/** An instruction that ends threaded code: PSW and budget are noted. When nothing is due between
 *  two instructions a program interruption is taken and execution goes on with the new PSW, else
 *  rc is returned to the run loop. */
int cpu_stop(struct cpu *c, const struct dinsn *d, long n, int rc, unsigned length);
/** The slot for psw.addr, whose page becomes the executing one; NULL: *rc is what stops us. */
const struct dinsn *cpu_find_slot(struct cpu *c, int *rc);
/** Execute exactly one instruction, fetched and decoded anew into `insn`. */
int cpu_step(struct cpu *c, u8 insn[6]);
/** A taken branch that leaves the page, meets an odd address, or finds the budget spent. */
int cpu_branch_slow(struct cpu *c, long n);
/** Address of the instruction in a slot of the executing page; not masked. */
static inline u64 cpu_slot_address(const struct cpu *c, const struct dinsn *d)
{
    return c->ia_page + ((uintptr_t)d - (uintptr_t)c->code_base) / (sizeof *d / 2);
}
/** Make c->bear current. A taken branch only notes its slot, which is an address as long as its
 *  page is the executing one: this comes before another page and before anyone asks. */
static inline void cpu_bear_settle(struct cpu *c)
{
    if (c->bear_slot) {
        c->bear = cpu_slot_address(c, c->bear_slot);
        c->bear_slot = NULL;
    }
}
/** A breaking event by the instruction at `ia` that is no taken branch (LPSWE). */
static inline void cpu_breaking_event(struct cpu *c, u64 ia)
{
    c->bear_slot = NULL;
    c->bear = ia;
}
/** Make `page` the executing one, at logical page address `ia_page`. */
static inline void cpu_set_code_page(struct cpu *c, struct code_page *page, u64 ia_page)
{
    cpu_bear_settle(c);
    c->code_base = (char *)page->slot;
    c->ia_page = ia_page;
}
/** Recompute everything derived from PSW and control registers (amask, spaces, key). */
void cpu_mode_changed(struct cpu *c);
/** Split a full mask into psw.mask and cc; calls cpu_mode_changed. */
void cpu_load_psw(struct cpu *c, u64 mask, u64 addr);
/** The same when no control register has changed since the last one: what a new PSW leaves as it
 *  was is not derived again. */
void cpu_replace_psw(struct cpu *c, u64 mask, u64 addr);

/* -- code.c -- decoded instructions */
int code_cache_create(struct cpu *c);
/** Have the memory that decoding will need first. */
void code_cache_warm(struct cpu *c);
void code_cache_destroy(struct cpu *c);
/** Be told of stores into frames with decoded code; code_cache_create has asked already. */
void code_observe(struct cpu *c);
/** Room for another number of frames, made before it is needed; then take it, empty. */
void *code_frames_create(u64 frames);
void code_frames_destroy(void *frames_map, u64 frames);
void code_frames_take(struct cpu *c, void *frames_map, u64 frames);
/** The page holding decoded instructions of the frame at `abs` (allocated when new). */
struct code_page *code_page_get(struct cpu *c, u64 abs);
/** Forget everything decoded from [abs, abs+len) (own thread). */
void code_invalidate(struct cpu *c, u64 abs, u64 len);
void code_flush(struct cpu *c);
/** The same for a CPU that is stopped and will start anew: nothing is kept. */
void code_forget(struct cpu *c);
/** After code_forget: its memory goes back to the host. */
void code_trim(struct cpu *c);
/** A page whose slots all lead back to the run loop; for single steps and crossing insns. */
struct code_page *code_step_page(struct cpu *c);
/** Fetch the instruction at psw.addr anew and decode it into the step page, which becomes the
 *  executing one. 0, or a program-interruption code with ilc and psw.addr as it wants them. */
int code_step_fetch(struct cpu *c, u8 insn[6], const struct dinsn **d);
/** Decode what stands at `slot` of `page` and make it runnable. */
void code_decode_slot(struct cpu *c, struct code_page *page, unsigned slot);
/** Handlers of slots that hold no instruction. */
insn_run code_run_decode, code_run_page_end, code_run_resync, code_run_cross, code_run_mixed;
/** Its slot `slot`, to be decoded into; the one used before leads back to the loop again. */
struct dinsn *code_step_slot(struct cpu *c, unsigned slot);

/* -- access.c -- slow paths of storage access; 0 or a program-interruption code */
/** Translate for `kind` and enter it into the TLB when the rules allow; checks keys. Returns
 *  0 with c->scratch = absolute address, or a program-interruption code (teid set). */
int cpu_translate(struct cpu *c, struct tlb_space *space, u64 va, enum tlb_kind kind);
/** An instruction is going to store into the frame at `abs`, and all checks have passed: record it.
 *  0, or CPU_RATIONED and nothing is recorded. */
int cpu_store_begins(struct cpu *c, u64 abs);
/** Instructions of this logical page are to be checked each by itself: the fetch-protection
 *  override that lets them be fetched ends inside the page. */
bool cpu_override_page(const struct cpu *c, u64 page);
/** Select spaces for the current mode; see cpu_mode_changed. */
void cpu_select_spaces(struct cpu *c);
/** The space of an ASCE with DAT on, for a given access key (bits 0-3 of a key byte). */
struct tlb_space *cpu_space_of(struct cpu *c, u64 asce, u8 key);
/** The same where the access-list entry allows fetching only. */
struct tlb_space *cpu_space_fetch_only(struct cpu *c, u64 asce, u8 key);
/** Make c->space[b] the space of base register b: access-register translation, when it is due.
 *  Whoever looks at c->space[b] for more than a TLB entry calls this first. */
int cpu_operand_space(struct cpu *c, unsigned b);
/** In the access-register mode an exception names the access register: put b there when `rc` is
 *  one; returns rc. */
int cpu_operand_blame(struct cpu *c, unsigned b, int rc);
/** True when operands of b1 and b2 are known to lie in the same space. */
bool cpu_same_space(const struct cpu *c, unsigned b1, unsigned b2);
/** The real space (DAT off) for the current key. */
struct tlb_space *cpu_space_real(struct cpu *c);
/** Which space `sp` is, as in bits 62-63 of the translation-exception identification. */
unsigned access_space_id(const struct cpu *c, const struct tlb_space *sp);
/** Purge: all, one page in all spaces, or one ASCE; this CPU only. */
void cpu_purge_tlb(struct cpu *c);
void cpu_purge_page(struct cpu *c, u64 va);
void cpu_purge_asce(struct cpu *c, u64 asce);
/** Make all other CPUs of the set purge their TLBs and wait until they have or are not running;
 *  requests of others to this one are carried out while waiting. */
void cpu_broadcast_purge(struct cpu *c);
/** The same for one logical page. */
void cpu_broadcast_purge_page(struct cpu *c, u64 va);
/** Leave mail for `target`; any thread. */
void cpu_mail_put(struct cpu *target, enum cpu_mail_kind kind, u64 addr, u64 len);
/** Mail to all others, and wait as above. */
void cpu_mail_broadcast(struct cpu *c, enum cpu_mail_kind kind, u64 addr, u64 len);
/** Drop store translations into the frame at `abs` (own thread). */
void cpu_guard_frame(struct cpu *c, u64 abs);
/** Carry out flush requests found in c->requests (own thread). */
void cpu_do_flushes(struct cpu *c, u32 requests);

/* -- interrupt.c -- */
/** Take a program interruption with `code`; psw.addr is behind the instruction, c->ilc set.
 *  Returns 0, or 1 when the program new PSW is itself invalid: the CPU is check-stopped. */
int cpu_program_interruption(struct cpu *c, unsigned code);
/** SUPERVISOR CALL interruption, called by the body of SVC, which has put the address of the
 *  next instruction into psw.addr and set ilc. Returns CPU_PSW_LOADED. */
int cpu_svc_interruption(struct cpu *c, u8 number);
/** Take the pending interruption of highest priority that is enabled, if any; true when taken. */
bool cpu_take_interruption(struct cpu *c);
/** True when some enabled interruption is pending. */
bool cpu_interruption_pending(struct cpu *c);
/** Act on REQ_STOP .. REQ_INITIAL_RESET. */
void cpu_carry_out_orders(struct cpu *c, u32 requests);
/** Registers of initial CPU reset / clear. */
void cpu_reset_registers(struct cpu *c, bool initial, bool clear);

/* -- machine_check.c -- */
/** Forget machine checks and malfunction alerts that are pending for this CPU. */
void cpu_machine_check_reset(struct cpu *c);

/* -- timing.c -- */
/** The least that STCK may give now: the guest TOD, or one more than it last gave if greater. */
u64 cpu_tod_next(struct cpu *c);
/** For a trace entry: as STCK gives it, or as STCKF when CR0 bit 32 asks for that. */
u64 cpu_tod_for_trace(struct cpu *c);
u64 cpu_timer_get(struct cpu *c);
void cpu_timer_set(struct cpu *c, u64 value);
/** Has the TOD clock passed the clock comparator? */
bool cpu_comparator_due(struct cpu *c);
/** Which timers are due of those that CR0 lets interrupt; the clock is read once at most. */
#define TIMER_COMPARATOR 1u
#define TIMER_CPU 2u
unsigned cpu_timers_due(struct cpu *c);
/** Start (entering operation) or stop the CPU timer. */
void cpu_timer_run(struct cpu *c, bool running);

/* -- sigp.c -- */
void cpu_kick(struct cpu *target, u32 requests); /* set requests and wake */

#endif
