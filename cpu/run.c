/* The run loop: requests, interruptions, then threaded code until it stops.
 * Guarantees: interruptions and requests are looked at between stretches of at most
 * RUN_SLICE_INSNS instructions; psw.addr is current whenever threaded code is not running. */
#include "cpu/insn/insn.h"
#include "cpu/event/observe.h"
#include "cpu/event/per.h"
#include "cpu/jit/lockstep.h"

#define RUN_SLICE_INSNS 4096
#define LOCKSTEP_SLICE_LEAST 61
#define LOCKSTEP_SLICE_SPREAD 797
#define STEP_BUDGET_INSNS 16 /* smaller budgets are executed exactly, one by one */
#define PGM_STREAK_MAX 16
#define CLOCK_STREAK_MAX 16
/* What cpu_mode_changed derives anything from. */
#define PSW_DERIVED                                                                            \
    (PSW_PER | PSW_DAT | PSW_KEY | PSW_AS | 8ull << PSW_PM_SHIFT | PSW_EA | PSW_BA)

void code_set_owner(struct cpu *c);
void code_clear_owner(struct cpu *c);

void cpu_mode_changed(struct cpu *c)
{
    c->amask = c->psw.mask & PSW_EA   ? ~0ull
               : c->psw.mask & PSW_BA ? 0x7fffffffull
                                      : 0xffffffull;
    c->access_key = (u8)((c->psw.mask & PSW_KEY) >> PSW_KEY_SHIFT << 4);
    cpu_jit_mode(c);
    per_select(c);
    cpu_select_spaces(c);
}

void cpu_load_psw(struct cpu *c, u64 mask, u64 addr)
{
    c->cc = (u8)(mask >> PSW_CC_SHIFT & 3);
    c->psw.mask = mask & ~(3ull << PSW_CC_SHIFT);
    c->psw.addr = addr;
    c->psws |= mask;
    cpu_mode_changed(c);
}

void cpu_replace_psw(struct cpu *c, u64 mask, u64 addr)
{
    u64 changed = (c->psw.mask ^ mask) & PSW_DERIVED;
    if (changed) {
        cpu_load_psw(c, mask, addr);
        return;
    }
    c->cc = (u8)(mask >> PSW_CC_SHIFT & 3);
    c->psw.mask = mask & ~(3ull << PSW_CC_SHIFT);
    c->psw.addr = addr;
    c->psws |= mask;
}

/* One instruction of a page that is not entered among the decoded ones (cpu_override_page). It is
 * never hot: what comes next in its slot is another. */
static const struct dinsn *slot_step(struct cpu *c, int *rc)
{
    u8 insn[6];
    const struct dinsn *d = NULL;
    *rc = code_step_fetch(c, insn, &d);
    if (*rc)
        return NULL;
    *jit_heat(c, d) = UINT8_MAX;
    return d;
}

/* Instructions executed when threaded code has stopped. */
static u64 executed_now(const struct cpu *c)
{
    return cpu_instructions(c) + (u64)(c->slice - c->n);
}

/* Nothing but the instruction that failed has been executed since the last interruption. */
static bool program_stuck(const struct cpu *c)
{
    return executed_now(c) - c->pgm_streak_insns <= 1;
}

/* A program interruption without the run loop, which counts those that lead nowhere. */
static int program_interruption(struct cpu *c, int code)
{
    if (unlikely(program_stuck(c)))
        return code;
    if (unlikely(cpu_program_interruption(c, (unsigned)code)))
        return CPU_PGM_LOOP;
    c->pgm_streak = 0;
    c->pgm_streak_insns = executed_now(c);
    return CPU_PSW_LOADED;
}

/* What the run loop looks at between stretches: is there nothing to do? */
static bool nothing_due(struct cpu *c)
{
    return !(c->psw.mask & PSW_WAIT) && !c->watch &&
           !atomic_load_explicit(&c->requests, memory_order_relaxed) &&
           c->state == CPU_STATE_OPERATING && !cpu_interruption_pending(c);
}

/* Go on at psw.addr, or return to the run loop with rc. */
static int go_on(struct cpu *c, int rc)
{
    if (rc > 0)
        rc = program_interruption(c, rc);
    if (c->set->count > 1)
        atomic_thread_fence(memory_order_seq_cst); /* most of these serialize */
    if ((rc == CPU_PSW_LOADED || rc == CPU_RESYNC || rc == CPU_AGAIN) && nothing_due(c))
        return cpu_branch_slow(c, c->n);
    return rc;
}

int cpu_stop(struct cpu *c, const struct dinsn *d, long n, int rc, unsigned length)
{
    c->n = n;
    if (rc == CPU_TAKEN)
        return rc;
    if (rc != CPU_PSW_LOADED) {
        u64 ia = cpu_slot_address(c, d);
        c->ilc = (u8)length;
        c->psw.addr = (rc == CPU_AGAIN || cpu_rc_waits(rc) ? ia : ia + length) & c->amask;
    }
    if (n <= 0 || unlikely(cpu_rc_waits(rc)) || unlikely(c->watch) ||
        unlikely(c->lockstep != NULL))
        return rc;
    return go_on(c, rc);
}

const struct dinsn *cpu_find_slot(struct cpu *c, int *rc)
{
    u64 addr = c->psw.addr;
    u64 page_addr = addr & ~(u64)(FRAME_BYTES - 1);
    if (unlikely(addr & 1)) {
        c->ilc = 2; /* unpredictable; the address follows it */
        c->psw.addr = (addr + 2) & c->amask;
        *rc = PGM_SPECIFICATION;
        return NULL;
    }
    struct tlb_code_entry *e = &c->ispace->code[tlb_code_index(addr)];
    if (unlikely(e->tag != page_addr)) {
        *rc = cpu_translate(c, c->ispace, addr, TLB_INSTRUCTION);
        if (*rc) {
            c->ilc = 2; /* unpredictable; the address for suppression follows it */
            c->psw.addr = (addr + 2) & c->amask;
            return NULL;
        }
        if (unlikely(cpu_override_page(c, page_addr)))
            return slot_step(c, rc);
        struct code_page *page = code_page_get(c, c->scratch);
        e = tlb_code_slot(c->ispace, addr);
        e->tag = page_addr;
        e->page = page;
    }
    struct code_page *page = e->page;
    cpu_set_code_page(c, page, page_addr);
    return &page->slot[(addr & (FRAME_BYTES - 1)) >> 1];
}

int cpu_branch_slow(struct cpu *c, long n)
{
    c->n = n;
    if (n <= 0 || unlikely(c->jit_stops))
        return CPU_BUDGET;
    int rc = 0;
    const struct dinsn *d = cpu_find_slot(c, &rc);
    if (!d)
        return rc;
    if (unlikely(--*jit_heat(c, d) == 0))
        d = jit_hot(c, d);
#ifdef ENDICOTT_LOOP_DISPATCH
    c->stop = d;
    return 0;
#else
    return d->run(c, d, n);
#endif
}

#ifdef ENDICOTT_LOOP_DISPATCH
/* Three loads of the CPU's own words per instruction: not worth a sanitizer's time. */
__attribute__((no_sanitize("thread"))) static int loop_dispatch(struct cpu *c)
{
    int rc;
    do
        rc = jit_call(c, c->stop, c->n, c->stop->run);
    while (rc == 0);
    return rc;
}
#endif

#ifndef ENDICOTT_LOOP_DISPATCH
static int branch_slow(struct cpu *c, const struct dinsn *d, long n)
{
    (void)d;
    return cpu_branch_slow(c, n);
}
#endif

/* Let another CPU of the set have its turn, then run in lockstep. */
static int exec_lockstep(struct cpu *c, long n)
{
    lockstep_release(c);
    lockstep_take(c);
    return lockstep_slice(c, n);
}

/* Run threaded code from psw.addr. */
static int exec_slice(struct cpu *c, long n)
{
    if (unlikely(c->lockstep != NULL))
        return exec_lockstep(c, n);
#ifndef ENDICOTT_LOOP_DISPATCH
    if (c->jit)
        return jit_call(c, NULL, n, branch_slow);
#endif
    int rc = cpu_branch_slow(c, n);
#ifdef ENDICOTT_LOOP_DISPATCH
    if (rc == 0)
        rc = loop_dispatch(c);
#endif
    return rc;
}

int cpu_run_slot(struct cpu *c, const struct dinsn *d)
{
    int rc = d->run(c, d, 1);
#ifdef ENDICOTT_LOOP_DISPATCH
    if (rc == 0)
        rc = c->stop->run(c, c->stop, c->n);
#endif
    return rc;
}

/* In a page that leads nowhere else. */
int cpu_step(struct cpu *c, u8 insn[6])
{
    const struct dinsn *d;
    c->n = 1;
    TRY(code_step_fetch(c, insn, &d));
    return c->watch ? per_step(c, d, insn) : cpu_run_slot(c, d);
}

/* Program interruption; true when it cannot get out of its own handler. */
static bool program_check(struct cpu *c, unsigned code)
{
    if (cpu_program_interruption(c, code))
        return true;
    c->pgm_streak = program_stuck(c) ? c->pgm_streak + 1 : 0;
    c->pgm_streak_insns = c->insns;
    return c->pgm_streak > PGM_STREAK_MAX;
}

static bool wait_enabled(const struct cpu *c)
{
    return (c->psw.mask & (PSW_IO | PSW_EXT | PSW_MCHK)) != 0;
}

/* All that is pending and enabled. False when it does not end: a clock stays pending, and the
 * external new PSW is enabled for it. Chapter 6, "Interruption Priorities", calls it a string of
 * interruptions that only the operator can end; who runs the CPU must get it back for that. */
static bool take_interruptions(struct cpu *c)
{
    c->clock_streak = 0;
    while (!observe_due(c) && cpu_take_interruption(c))
        if (c->clock_streak > CLOCK_STREAK_MAX)
            return false;
    return true;
}

/* Everything between stretches. Returns an exit reason, or -1 to run on. */
static int between(struct cpu *c, long budget)
{
    u32 requests = atomic_exchange(&c->requests, 0);
    if (requests) {
        cpu_do_flushes(c, requests);
        cpu_carry_out_orders(c, requests);
    }
    if (requests & REQ_EXIT)
        return CPU_EXIT_REQUEST;
    if (c->state == CPU_STATE_STOPPED)
        return CPU_EXIT_STOPPED;
    if (c->state == CPU_STATE_CHECK_STOP)
        return CPU_EXIT_CHECK_STOP;
    if (!take_interruptions(c))
        return CPU_EXIT_EXT_LOOP;
    if (unlikely(observe_due(c)))
        return CPU_EXIT_OBSERVED;
    if (c->state != CPU_STATE_OPERATING)
        return c->state == CPU_STATE_STOPPED ? CPU_EXIT_STOPPED : CPU_EXIT_CHECK_STOP;
    if (c->psw.mask & PSW_WAIT)
        return wait_enabled(c) ? CPU_EXIT_WAIT : CPU_EXIT_DISABLED_WAIT;
    if (unlikely(c->watch || c->lockstep) && storage_ration_owed(c->st))
        return CPU_EXIT_RATIONED; /* cpu_store_begins has not refused it */
    return budget <= 0 ? (int)CPU_EXIT_BUDGET : -1;
}

/* In lockstep half of the lengths are short and differ, so that budgets end everywhere inside
 * regions; behind others stores meet frames that are held already. */
static long slice_most(const struct cpu *c)
{
    if (likely(c->lockstep == NULL))
        return RUN_SLICE_INSNS;
    u64 n = cpu_instructions(c) % (2u * LOCKSTEP_SLICE_SPREAD);
    return n < LOCKSTEP_SLICE_SPREAD ? RUN_SLICE_INSNS
                                     : LOCKSTEP_SLICE_LEAST + (long)n - LOCKSTEP_SLICE_SPREAD;
}

static enum cpu_exit run_loop(struct cpu *c, long budget)
{
    for (;;) {
        int why = between(c, budget);
        if (why >= 0)
            return (enum cpu_exit)why;
        long most = slice_most(c), slice = budget < most ? budget : most;
        u8 insn[6];
        int rc;
        c->slice = slice;
        if (budget <= STEP_BUDGET_INSNS || c->watch) {
            c->slice = slice = 1;
            rc = cpu_step(c, insn);
        } else {
            rc = exec_slice(c, slice);
        }
        cpu_bear_settle(c);
        u64 executed = (u64)(slice - c->n);
        atomic_store_explicit(&c->insns, cpu_instructions(c) + executed, memory_order_relaxed);
        budget -= (long)executed;
        c->slice = c->n; /* is in insns now */
        if (unlikely(cpu_rc_waits(rc)))
            return rc == CPU_ABSENT ? CPU_EXIT_ABSENT : CPU_EXIT_RATIONED;
        if (rc > 0) {
            if (program_check(c, (unsigned)rc))
                return CPU_EXIT_PGM_LOOP;
            budget -= executed == 0; /* never spin without spending anything */
        } else if (rc == CPU_ICPT) {
            return CPU_EXIT_INTERCEPT;
        } else if (rc == CPU_PGM_LOOP) {
            return CPU_EXIT_PGM_LOOP;
        }
    }
}

enum cpu_exit cpu_run(struct cpu *c, long budget)
{
    atomic_store(&c->in_run, 1);
    code_set_owner(c);
    if (c->lockstep)
        lockstep_take(c);
    enum cpu_exit why = run_loop(c, budget);
    if (c->lockstep)
        lockstep_release(c);
    code_clear_owner(c);
    atomic_store(&c->in_run, 0);
    return why;
}
