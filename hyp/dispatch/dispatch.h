/* Inside hyp: virtual CPUs, the real processors they run on, and the dispatcher between them.
 * Everything here is guarded by host->lock unless it says otherwise; docs/dispatcher.md. */
#ifndef ENDICOTT_HYP_DISPATCH_DISPATCH_H
#define ENDICOTT_HYP_DISPATCH_DISPATCH_H

#include <pthread.h>
#include <stdatomic.h>

#include "cpu/cpu.h"
#include "hyp/dispatch/run_queue.h"
#include "hyp/pfault.h"
#include "hyp/vm_needs.h"

#define TRANSACTION_REST_NS 300000000ull /* who rests so long has ended a transaction */
#define CPU_POOLS 8 /* processors by the code of their type (cpu_type.def) */

struct vm_host;
struct processor;

enum vcpu_place {
    VCPU_IDLE,    /* not runnable; woken by an event or its deadline */
    VCPU_QUEUED,  /* in a run queue, or ready for the processor that is dedicated to it */
    VCPU_RUNNING, /* on a processor */
    VCPU_BLOCKED, /* waits for CP (DIAGNOSE X'08') */
    VCPU_SLOWED,  /* its store waits for a token; woken by an event or its deadline, too */
};

/* A virtual CPU. Part of its struct vm. */
struct vcpu {
    struct vm *vm;
    struct cpu *cpu;
    unsigned addr;
    /* guarded by host->lock */
    enum vcpu_place place;
    bool trimmed;    /* since its machine was stirred */
    bool woken;      /* an event came while it was running */
    bool nap;        /* it spins in vain: leave it for a moment */
    u64 deadline_ns; /* monotonic; ~0 = none (IDLE, SLOWED only) */
    u64 wanted_ns;   /* the same as its timers have it: deadline_ns less slack */
    u64 slowed_ns;   /* SLOWED: since when */
    u64 ready_ns;    /* since when it could run and does not [D7] */
    u64 rest_ns;     /* when it came to rest last */
    u64 begun_ns;    /* when it ended a rest of at least TRANSACTION_REST_NS last */
    enum cpu_exit last_exit;
    bool parked;       /* stopped by the operator, BEGIN starts it again [loop] */
    struct vcpu *next; /* list of CPUs with a deadline */
    struct rq_cpu rq;
    struct processor *on;        /* RUNNING: there */
    struct processor *dedicated; /* runs there and nowhere else; NULL: shares the others */
    struct {
        u64 began_ns, used_ns; /* processor time: of the thread then, of the turn */
        u64 icpt_ns;           /* of these, of CP */
        bool shared;           /* from a run queue */
        bool worked;           /* it did more than a tick takes */
        bool trims;            /* what it has derived is dropped first */
    } turn;                    /* on a processor; that thread's own */
    struct {
        struct subchannel *left; /* SSCH has left it to this CPU; NULL outside its turns */
        bool open;               /* it has started something, and not waited since */
        unsigned soon;           /* starts, one after the other, with a wait soon behind them */
        u64 at_insns;            /* when it started something last, in its instructions */
    } starts;                    /* that thread's own */
    struct pfault pfault; /* the running thread's, or the loop thread's while it is held */
    /* written by the running thread, read by anyone */
    _Atomic u64 virt_ns, total_ns;
};

/* A real processor: a thread of this process. Located by: host->processor. Lives with the host. */
struct processor {
    struct vm_host *host;
    unsigned addr;
    u8 type; /* cpu_type.def */
    pthread_t thread;
    pthread_cond_t wake;
    bool started, online;
    bool asleep;
    u64 wakes_ns;           /* asleep: by itself, then; ~0 = when it is woken */
    struct vcpu *dedicated; /* the only CPU it runs */
    struct vcpu *runs;
    atomic_bool attempts; /* its thread does device work of that one, which waits; set locked */
    u64 sleeps;           /* how often it had nothing to do */
    double load;          /* portion of the time it was busy, 0 to 1, of late */
    u64 load_ns;          /* up to when `load` is told */
    u64 busy_ns;          /* in all, up to then */
    u64 page_reads; /* that this thread has waited for, up to its last turn [the thread] */
    bool busy;
};

/* -- dispatch.c -- */
void vcpu_wake(struct vcpu *v);
/** Is the CPU in no queue and on no processor? Then *why it stopped running. */
bool dispatch_idle(const struct vcpu *v, enum cpu_exit *why);
/** This processor leaves the CPU to CP; touch neither afterwards [D4]. */
void dispatch_block(struct vcpu *v);
/** Does the CPU wait for CP? Stays so until the loop thread unblocks it [loop]. */
bool dispatch_blocked(const struct vcpu *v);
/** CP has answered: the CPU may run again. */
void dispatch_unblock(struct vcpu *v);
/** DIAGNOSE X'9C' by `v`, which is about to leave its processor: it would rather have CPU `addr`
 *  of its machine run [D8]. */
void dispatch_yield_to(struct vcpu *v, u64 addr);
/** For vm_needs.h: where it is, and since when. */
struct vm_cpu_info;
void dispatch_cpu_info(const struct vcpu *v, struct vm_cpu_info *out);
/** Does it wait for the end of what its limit allows? */
bool dispatch_limited(const struct vm *vm);
/** SET SHARE, SET QUICKDSP. */
void dispatch_share(struct vm *vm, const struct share *share);
void dispatch_quickdsp(struct vm *vm, bool on);
/** SET IDLESLACK: machines that idle are woken for their timers at most so late; 0: in time. */
void dispatch_slack(struct vm_host *host, unsigned ms);
unsigned dispatch_slack_ms(struct vm_host *host);
/** Take a held machine out of every list. */
void dispatch_forget(struct vm *vm);
/** A CPU that is about to go: in no list, and nobody wakes it any more. Its machine is held. */
void dispatch_retire(struct vcpu *v);
/** CPU timers of a held machine as of now: what its CPUs have waited is not in them [D7]. */
void dispatch_settle(struct vm *vm);
/** A machine comes: its shares, in every pool. */
void dispatch_join(struct vm *vm);

/* Between dispatch.c and processor.c, with host->lock held. */
/** Runs one slice of a CPU that processor_pick_locked gave; drops the lock meanwhile. */
void dispatch_process(struct processor *p, struct vcpu *v);
/** CPUs whose deadlines have passed become runnable. */
void dispatch_expire_locked(struct processor *p);
/** CPUs that wait go to the pools that are theirs now. */
void dispatch_requeue_locked(struct vm_host *host);

/* -- attempt.c: on the CPU's processor, without the lock; docs/adr/0003-attempts.md -- */
/** SSCH; its condition code, or as css_ssch. */
int attempt_ssch(struct vcpu *v, u32 schid, const u8 *orb);
/** How many instructions until attempt_after is to be asked; `slice`: nothing was left. */
long attempt_budget(const struct vcpu *v, long slice);
/** starts.open, and cpu_run has ended: may execute what was left. True: the CPU may go on. */
bool attempt_after(struct vcpu *v, enum cpu_exit why);
/** The turn ends: what was left is handed on. */
void attempt_end(struct vcpu *v);

/* -- rest.c: what it means that a CPU has come to rest -- */
struct event_note;
/** What a CPU that ended with `why`, before it with `before`, is to tell; NULL: nothing. */
struct event_note *rest_note_locked(struct vcpu *v, enum cpu_exit why, enum cpu_exit before);
/** Post it, without the lock. */
void event_post(struct vm_host *host, struct event_note *note);

/* -- processor.c, with host->lock held unless it says otherwise -- */
/** Without the lock, before and after everything else. `cause` for what it refuses. */
int processors_create(struct vm_host *host, struct cause *cause);
void processors_destroy(struct vm_host *host);
/** Where a CPU waits: the pool of its type, or of the first processor's if there is none. */
unsigned processor_pool_locked(const struct vm_host *host, const struct vcpu *v);
/** The next for this processor, which runs now; NULL: there is none. */
struct vcpu *processor_pick_locked(struct processor *p);
/** Will this processor take the CPU by itself when it looks for work? */
bool processor_suits_locked(const struct processor *p, const struct vcpu *v);
/** A CPU waits: wake a processor for it. */
void processor_call_locked(const struct vcpu *v);
/** A deadline came nearer: somebody is to be awake by then. */
void processor_cover_locked(struct vm_host *host);
/** The next deadline of a CPU, or end of waiting for a limit; ~0: none. */
u64 processor_soonest_locked(struct vm_host *host);
/** For vm_needs.h, without the lock. */
/** Time it was busy, in all; host->lock held. */
u64 processor_busy_ns(struct processor *p);
struct vm_processor_info;
bool processor_info(struct vm_host *host, unsigned i, struct vm_processor_info *out);
int processor_vary(struct vm_host *host, unsigned addr, bool online, struct cause *cause);
int processor_dedicate(struct vcpu *v, bool on, struct cause *cause);
/** Its processor, if it has one to itself, is everybody's again. */
void processor_undedicate_locked(struct vcpu *v);

#endif
