/* The dispatcher: a processor takes the virtual CPU that is next by share (run_queue.c), runs it
 * for a slice, and puts it back.
 * Guarantees: [D1] a CPU is on one processor at most; [D2] a wake that comes while a CPU runs is
 * not lost (woken); [D3] an idle machine uses no processor: threads sleep until work or the next
 * deadline; [D4] a CPU that is blocked belongs to the loop thread from dispatch_block on: it may
 * run elsewhere, or be gone, before its processor has returned; [D5] a CPU whose store waits for a
 * token (mem/storage.h) uses no processor until there are some, a wake comes, or a timer of it is
 * due: interruptions are taken, then the instruction is tried again; [D7] the CPU timer of a
 * CPU that could run does not run while CP has it wait: for a processor, for its limit, for an
 * answer; [D8] who yields is behind the others of its machine, and whom it yields to before them;
 * [D9] timers of a CPU are told in time, or with the slack that slack.h gives a machine whose CPUs
 * all do nothing but tick; what else comes, for any of them, ends that at once.
 * [D6] is in rest.c. Lock: host->lock, below the css and sclp locks, above nothing. */
#include <sys/resource.h>
#include <time.h>

#include "hyp/dispatch/slack.h"
#include "hyp/vm_internal.h"
#include "mem/base/ergo.h"

#define ICPTS_PER_SLICE_MAX 64
#define TOD_UNITS_PER_US 4096ull
#define NAP_NS 100000ull /* of a CPU that spins for a lock whose holder waits for CP */

/* ---- run queue and timers; host->lock held ---- */

static void list_remove_locked(struct vcpu **list, struct vcpu *v)
{
    while (*list && *list != v)
        list = &(*list)->next;
    if (*list)
        *list = v->next;
    v->next = NULL;
}

static void timer_insert_locked(struct vm_host *host, struct vcpu *v, u64 deadline_ns)
{
    v->deadline_ns = deadline_ns;
    if (deadline_ns == ~0ull)
        return;
    struct vcpu **at = &host->timers;
    while (*at && (*at)->deadline_ns <= deadline_ns)
        at = &(*at)->next;
    v->next = *at;
    *at = v;
}

static u64 slack_locked(const struct vm *vm, u64 now_ns)
{
    return vm->quickdsp ? 0 : slack_for(now_ns - vm->stirred_ns, vm->host->slack_ns);
}

/* Until a wake, or some time after its timers are due [D9]. */
static void idle_locked(struct vm_host *host, struct vcpu *v, u64 deadline_ns)
{
    v->place = VCPU_IDLE;
    v->rest_ns = host_now_ns(host);
    v->wanted_ns = deadline_ns;
    u64 at = slack_until(deadline_ns, slack_locked(v->vm, v->rest_ns));
    v->vm->late |= at != deadline_ns;
    timer_insert_locked(host, v, at);
}

/* With all the slack there is, a CPU keeps nothing that it can make again: once. */
static bool trims_locked(struct vcpu *v)
{
    const struct vm_host *host = v->vm->host;
    if (v->trimmed || !v->vm->late || slack_locked(v->vm, host_now_ns(host)) < host->slack_ns)
        return false;
    v->trimmed = true;
    return true;
}

/* The machine does something: from now on its timers are told in time [D9]. */
static void stirred_locked(struct vm *vm)
{
    struct vm_host *host = vm->host;
    vm->stirred_ns = host_now_ns(host);
    if (!vm->late)
        return;
    vm->late = false;
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++) {
        struct vcpu *v = &vm->vcpu[i];
        v->trimmed = false;
        if (v->place != VCPU_IDLE || v->deadline_ns == v->wanted_ns)
            continue;
        list_remove_locked(&host->timers, v);
        timer_insert_locked(host, v, v->wanted_ns);
    }
    processor_cover_locked(host);
}

static void queue_locked(struct vm_host *host, struct vcpu *v)
{
    v->place = VCPU_QUEUED;
    if (!v->dedicated)
        rq_put(&v->vm->user[processor_pool_locked(host, v)], &v->rq);
}

/* Into the run queue. `self`: the processor that will look for work next, NULL: none will. */
static void runnable_locked(struct vm_host *host, struct vcpu *v, const struct processor *self)
{
    queue_locked(host, v);
    if (!self || !processor_suits_locked(self, v))
        processor_call_locked(v);
}

/* Its store waits for a token [D5]. */
static void slow_locked(struct vm_host *host, struct vcpu *v, u64 deadline_ns)
{
    v->place = VCPU_SLOWED;
    v->slowed_ns = host_now_ns(host);
    timer_insert_locked(host, v, deadline_ns);
}

static void unidle_locked(struct vcpu *v, const struct processor *self)
{
    struct vm_host *host = v->vm->host;
    list_remove_locked(&host->timers, v);
    v->deadline_ns = ~0ull;
    if (v->place == VCPU_IDLE) {
        v->ready_ns = host_now_ns(host);
        if (v->ready_ns - v->rest_ns >= TRANSACTION_REST_NS)
            v->begun_ns = v->ready_ns;
    } else if (v->place == VCPU_SLOWED) {
        atomic_fetch_add(&v->vm->st->ration.waited_ns, host_now_ns(host) - v->slowed_ns);
    }
    runnable_locked(host, v, self);
}

static void wake_locked(struct vcpu *v)
{
    stirred_locked(v->vm);
    if (v->place == VCPU_IDLE || v->place == VCPU_SLOWED)
        unidle_locked(v, NULL);
    else
        v->woken = true;
}

void vcpu_wake(struct vcpu *v)
{
    lock_take(&v->vm->host->lock);
    wake_locked(v);
    lock_drop(&v->vm->host->lock);
}

bool dispatch_idle(const struct vcpu *v, enum cpu_exit *why)
{
    struct vm_host *host = v->vm->host;
    lock_take(&host->lock);
    bool idle = v->place == VCPU_IDLE;
    *why = v->last_exit;
    lock_drop(&host->lock);
    return idle;
}

void dispatch_expire_locked(struct processor *p)
{
    struct vm_host *host = p->host;
    u64 now = host_now_ns(host);
    while (host->timers && host->timers->deadline_ns <= now)
        unidle_locked(host->timers, p);
}

void dispatch_requeue_locked(struct vm_host *host)
{
    for (struct vm *vm = host->vms; vm; vm = vm->next)
        for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++) {
            struct vcpu *v = &vm->vcpu[i];
            if (v->place != VCPU_QUEUED)
                continue;
            rq_remove(&v->rq);
            queue_locked(host, v);
            processor_call_locked(v);
        }
}

/* ---- time ---- */

/* What CP had the CPU wait since it could run is not in its CPU timer [D7]. */
static void waited_locked(struct vcpu *v)
{
    u64 now = host_now_ns(v->vm->host);
    cpu_waited(v->cpu, (now - v->ready_ns) * TOD_UNITS_PER_US / 1000);
    v->ready_ns = now;
}

void dispatch_settle(struct vm *vm)
{
    lock_take(&vm->host->lock);
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
        if (vm->vcpu[i].place != VCPU_IDLE)
            waited_locked(&vm->vcpu[i]);
    lock_drop(&vm->host->lock);
}

/* Processor time of this thread: what the host gives to others is not in it. */
static u64 used_until_now(const struct vcpu *v)
{
    return host_counts_time(v->vm->host) ? cpu_instructions(v->cpu) * VM_DET_NS_PER_INSN
                                         : host_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void turn_begin(struct vcpu *v)
{
    v->turn.icpt_ns = 0;
    v->turn.began_ns = used_until_now(v);
}

/* What this thread has waited for that the host had paged out. */
static u64 page_reads(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) ? 0 : (u64)usage.ru_majflt;
}

/* What it has cost is told; without the lock. */
static void turn_end(struct vcpu *v)
{
    u64 used = used_until_now(v) - v->turn.began_ns, icpt = v->turn.icpt_ns;
    u64 reads = page_reads();
    if (reads != v->on->page_reads) {
        atomic_fetch_add(&v->vm->page_reads, reads - v->on->page_reads);
        v->on->page_reads = reads;
    }
    atomic_fetch_add(&v->virt_ns, used > icpt ? used - icpt : 0);
    atomic_fetch_add(&v->total_ns, used);
    v->turn.used_ns = used;
}

/* The CPU gives its processor back, on whose thread this is. */
static void leave_locked(struct vcpu *v)
{
    u64 used = v->turn.used_ns;
    if (v->turn.shared)
        rq_ran(&v->rq, used, host_now_ns(v->vm->host));
    v->on->runs = NULL;
    v->on = NULL;
    v->ready_ns = host_now_ns(v->vm->host);
}

static u64 deadline_ns_of(struct vcpu *v)
{
    u64 left = cpu_wait_left(v->cpu);
    if (left == ~0ull)
        return ~0ull;
    u64 ns = left ? left / TOD_UNITS_PER_US * 1000 + 1000 : 0;
    return host_now_ns(v->vm->host) + ns;
}

/* ---- running one CPU ---- */

static void put_back_locked(struct processor *p, struct vcpu *v, enum cpu_exit why,
                            u64 deadline)
{
    struct vm_host *host = v->vm->host;
    v->last_exit = why;
    bool woken = v->woken, nap = v->nap;
    v->woken = v->nap = false;
    leave_locked(v);
    if (v->turn.worked)
        stirred_locked(v->vm);
    if (nap && !woken)
        idle_locked(host, v, host_now_ns(host) + NAP_NS);
    else if (why == CPU_EXIT_RATIONED && !woken && storage_ration_short(v->vm->st))
        slow_locked(host, v, deadline);
    else if (why == CPU_EXIT_BUDGET || why == CPU_EXIT_REQUEST || why == CPU_EXIT_INTERCEPT ||
             why == CPU_EXIT_OBSERVED || why == CPU_EXIT_ABSENT || woken ||
             cpu_runnable(v->cpu)) {
        runnable_locked(host, v, p);
    } else {
        idle_locked(host, v, deadline);
    }
}

/* Since instruction `from`: more than what a tick takes of a kernel that has nothing to do? */
static bool worked(struct vcpu *v, enum cpu_exit why, unsigned icpts, u64 from)
{
    bool programs = cpu_programs_ran(v->cpu);
    return programs || why != CPU_EXIT_WAIT || icpts ||
           cpu_instructions(v->cpu) - from > QUIET_INSNS_MAX;
}

/* It will wait soon when it has something left to execute then. */
static bool goes_on(const struct vcpu *v, unsigned icpts)
{
    unsigned max = v->starts.left ? 2 * ICPTS_PER_SLICE_MAX : ICPTS_PER_SLICE_MAX;
    return icpts < max && !cpu_requests_pending(v->cpu);
}

/* cpu_run, and what the CPU has started while it waits (attempt.c). */
static enum cpu_exit run(struct vcpu *v, long slice, unsigned *icpts)
{
    enum cpu_exit why;
    do
        why = cpu_run(v->cpu, attempt_budget(v, slice));
    while (v->starts.open && attempt_after(v, why) && ++*icpts < ICPTS_PER_SLICE_MAX);
    return why;
}

/* Until the slice is used or something else is to be done; false: it is blocked, and belongs to
 * others by now [D4]. */
static bool turn(struct vcpu *v, enum cpu_exit *why)
{
    unsigned icpts = 0;
    u64 from = cpu_instructions(v->cpu);
    long slice = v->vm->host->slice_insns;
    turn_begin(v);
    if (v->turn.trims)
        cpu_trim(v->cpu);
    do {
        *why = run(v, slice, &icpts);
        v->turn.worked = worked(v, *why, icpts, from);
        if (*why == CPU_EXIT_ABSENT) {
            pfault_begin(v);
            continue;
        }
        if (*why != CPU_EXIT_INTERCEPT && *why != CPU_EXIT_OBSERVED)
            return true;
        u64 start = host_clock_ns(CLOCK_MONOTONIC);
        if (*why == CPU_EXIT_OBSERVED ? !trace_look(v) : !icpt_handle(v))
            return false;
        v->turn.icpt_ns += host_clock_ns(CLOCK_MONOTONIC) - start;
    } while (goes_on(v, ++icpts));
    attempt_end(v);
    return true;
}

void dispatch_process(struct processor *p, struct vcpu *v)
{
    struct vm_host *host = p->host;
    struct event_note *note = NULL;
    enum cpu_exit why, before = v->last_exit;
    u64 deadline = ~0ull;
    waited_locked(v);
    v->turn.trims = trims_locked(v);
    lock_drop(&host->lock);
    bool ours = turn(v, &why);
    if (ours)
        turn_end(v);
    if (ours && (why == CPU_EXIT_WAIT || why == CPU_EXIT_RATIONED))
        deadline = deadline_ns_of(v);
    lock_take(&host->lock);
    if (ours) {
        put_back_locked(p, v, why, deadline);
        note = rest_note_locked(v, why, before);
    }
    pthread_cond_broadcast(&host->released);
    if (note) { /* the loop thread sees the machine as it is now, or finds it gone */
        lock_drop(&host->lock);
        event_post(host, note);
        lock_take(&host->lock);
    }
}

/* ---- holding ---- */

static bool any_running_locked(const struct vm *vm)
{
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
        if (vm->vcpu[i].place == VCPU_RUNNING)
            return true;
    return false;
}

/* Held or not any more: its CPUs that wait are none, or want processors. */
static void hold_settle_locked(struct vm *vm)
{
    for (unsigned i = 0; i < CPU_POOLS; i++)
        rq_hold(&vm->user[i], vm->hold);
    for (unsigned i = 0; i < cpu_set_count(vm->cpus) && !vm->hold; i++)
        if (vm->vcpu[i].place == VCPU_QUEUED)
            processor_call_locked(&vm->vcpu[i]);
}

/* Until none runs, or that time of CLOCK_MONOTONIC. */
static bool none_runs_locked(struct vm *vm, const struct timespec *until)
{
    struct vm_host *host = vm->host;
    int rc = 0;
    while (!rc && any_running_locked(vm)) {
        for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
            if (vm->vcpu[i].place == VCPU_RUNNING)
                cpu_request_exit(vm->vcpu[i].cpu);
        if (until)
            rc = lock_wait_until(&host->released, &host->lock, until);
        else
            lock_wait(&host->released, &host->lock);
    }
    return !any_running_locked(vm);
}

static bool hold(struct vm *vm, const struct timespec *until)
{
    struct vm_host *host = vm->host;
    lock_take(&host->lock);
    vm->hold++;
    hold_settle_locked(vm);
    bool held = host->config.deterministic || none_runs_locked(vm, until);
    if (!held) {
        vm->hold--;
        hold_settle_locked(vm);
    }
    lock_drop(&host->lock);
    return held;
}

void vm_hold(struct vm *vm)
{
    (void)hold(vm, NULL);
}

bool vm_hold_within(struct vm *vm, unsigned seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += seconds;
    return hold(vm, &until);
}

void vm_release(struct vm *vm)
{
    lock_take(&vm->host->lock);
    PRE(vm->hold > 0);
    vm->hold--;
    hold_settle_locked(vm);
    lock_drop(&vm->host->lock);
}

void vm_stores_go_on(struct vm *vm)
{
    lock_take(&vm->host->lock);
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
        if (vm->vcpu[i].place == VCPU_SLOWED && !storage_ration_short(vm->st))
            unidle_locked(&vm->vcpu[i], NULL);
    lock_drop(&vm->host->lock);
}

bool vm_held(const struct vm *vm)
{
    return vm->hold > 0;
}

void dispatch_block(struct vcpu *v)
{
    turn_end(v);
    lock_take(&v->vm->host->lock);
    PRE(v->place == VCPU_RUNNING);
    leave_locked(v);
    v->place = VCPU_BLOCKED;
    v->last_exit = CPU_EXIT_INTERCEPT;
    lock_drop(&v->vm->host->lock);
}

bool dispatch_blocked(const struct vcpu *v)
{
    lock_take(&v->vm->host->lock);
    bool blocked = v->place == VCPU_BLOCKED;
    lock_drop(&v->vm->host->lock);
    return blocked;
}

void dispatch_unblock(struct vcpu *v)
{
    lock_take(&v->vm->host->lock);
    PRE(v->place == VCPU_BLOCKED);
    v->woken = false;
    stirred_locked(v->vm);
    runnable_locked(v->vm->host, v, NULL);
    lock_drop(&v->vm->host->lock);
}

/* When that one waits for CP, v takes a nap: the loop thread needs a processor of the host more
 * than a CPU that spins. */
void dispatch_yield_to(struct vcpu *v, u64 addr)
{
    if (addr >= cpu_set_count(v->vm->cpus))
        return;
    struct vcpu *to = &v->vm->vcpu[addr];
    lock_take(&v->vm->host->lock);
    v->nap = to->place == VCPU_BLOCKED;
    rq_prefer(&to->rq);
    lock_drop(&v->vm->host->lock);
}

/* ---- shares, and what there is to see ---- */

void dispatch_share(struct vm *vm, const struct share *share)
{
    lock_take(&vm->host->lock);
    vm->config.share = *share;
    for (unsigned i = 0; i < CPU_POOLS; i++)
        rq_set_share(&vm->user[i], share);
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
        if (vm->vcpu[i].place == VCPU_QUEUED) /* its limit may have been a lower one */
            processor_call_locked(&vm->vcpu[i]);
    lock_drop(&vm->host->lock);
}

void dispatch_quickdsp(struct vm *vm, bool on)
{
    lock_take(&vm->host->lock);
    vm->quickdsp = on;
    stirred_locked(vm);
    lock_drop(&vm->host->lock);
}

void dispatch_slack(struct vm_host *host, unsigned ms)
{
    PRE(ms <= VM_IDLE_SLACK_MS_MAX);
    lock_take(&host->lock);
    host->slack_ns = host->config.deterministic ? 0 : ms * 1000000ull;
    for (struct vm *vm = host->vms; vm; vm = vm->next)
        stirred_locked(vm);
    lock_drop(&host->lock);
}

unsigned dispatch_slack_ms(struct vm_host *host)
{
    lock_take(&host->lock);
    u64 ns = host->slack_ns;
    lock_drop(&host->lock);
    return (unsigned)(ns / 1000000);
}

static bool limited_locked(const struct vm *vm)
{
    u64 now = host_now_ns(vm->host);
    for (unsigned i = 0; i < CPU_POOLS; i++)
        if (rq_limited(&vm->user[i], now))
            return true;
    return false;
}

bool dispatch_limited(const struct vm *vm)
{
    lock_take(&vm->host->lock);
    bool limited = limited_locked(vm);
    lock_drop(&vm->host->lock);
    return limited;
}

void dispatch_cpu_info(const struct vcpu *v, struct vm_cpu_info *out)
{
    static const enum vm_cpu_place places[] = {[VCPU_IDLE] = VM_CPU_RESTS,
                                               [VCPU_QUEUED] = VM_CPU_READY,
                                               [VCPU_RUNNING] = VM_CPU_RUNS,
                                               [VCPU_BLOCKED] = VM_CPU_IN_CP,
                                               [VCPU_SLOWED] = VM_CPU_LIMITED};
    struct vm_host *host = v->vm->host;
    lock_take(&host->lock);
    u64 now = host_now_ns(host);
    out->place = places[v->place];
    if (v->place == VCPU_QUEUED && v->rq.queued && rq_limited(v->rq.user, now))
        out->place = VM_CPU_LIMITED;
    out->processor = v->on ? v->on->addr : 0;
    out->rests_ns = v->place == VCPU_IDLE ? now - v->rest_ns : 0;
    out->wakes_ns =
        v->place != VCPU_IDLE || v->deadline_ns == ~0ull ? ~0ull : v->deadline_ns - now;
    out->transaction_ns = now - out->rests_ns - v->begun_ns;
    lock_drop(&host->lock);
}

/* ---- coming and going ---- */

void dispatch_join(struct vm *vm)
{
    struct vm_host *host = vm->host;
    lock_take(&host->lock);
    for (unsigned i = 0; i < CPU_POOLS; i++)
        rq_user_init(&vm->user[i], &host->pool[i], &vm->config.share);
    vm->quickdsp = vm->config.quickdsp;
    vm->next = host->vms;
    host->vms = vm;
    lock_drop(&host->lock);
}

static void retire_locked(struct vcpu *v)
{
    rq_remove(&v->rq);
    list_remove_locked(&v->vm->host->timers, v);
    processor_undedicate_locked(v);
}

void dispatch_retire(struct vcpu *v)
{
    lock_take(&v->vm->host->lock);
    v->place = VCPU_BLOCKED; /* a late wake changes nothing */
    retire_locked(v);
    lock_drop(&v->vm->host->lock);
}

void dispatch_forget(struct vm *vm)
{
    struct vm_host *host = vm->host;
    lock_take(&host->lock);
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
        retire_locked(&vm->vcpu[i]);
    struct vm **at = &host->vms;
    while (*at && *at != vm)
        at = &(*at)->next;
    if (*at)
        *at = vm->next;
    lock_drop(&host->lock);
}
