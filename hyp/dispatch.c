/* The dispatcher: processor threads take the virtual CPU that is due, run it for a slice, and
 * put it back. Fair by share: the CPU with the least weighted time runs first.
 * Guarantees: [D1] a CPU is on one processor at most; [D2] a wake that comes while a CPU runs is
 * not lost (woken); [D3] an idle machine uses no processor: threads sleep until work or the next
 * deadline; [D4] a CPU that is blocked belongs to the loop thread from dispatch_block on: it may
 * run elsewhere, or be gone, before its processor has returned; [D5] a throttled CPU has had at
 * most its share of the time since it was last idle, but for one slice; [D6] whoever comes to
 * rest last, it is told that none runs. Lock: host->lock, below the css and sclp locks, above
 * nothing. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "hyp/io_worker.h"
#include "hyp/spool/spool.h"
#include "hyp/vm_internal.h"
#include "mem/base/ergo.h"
#include "mem/base/log.h"

#define SLICE_INSNS 400000 /* about 2 ms */
#define THROTTLED_SLICE_INSNS 100000
#define THROTTLED_SLICE_NS_MAX 2000000ull /* what a slice counts at most */
#define THROTTLED_NS_MIN 500000ull        /* a shorter rest waits for the next slice */
#define SHARE_DEFAULT 100
#define ICPTS_PER_SLICE_MAX 64
#define TOD_UNITS_PER_US 4096ull
#define TOD_1970_S 2208988800ull /* seconds from 1900 to 1970 */
#define NAP_NS 100000ull         /* of a CPU that spins for a lock whose holder waits for CP */
#define DET_NS_PER_INSN 5ull
#define DET_JOBS_PER_TURN 16
#define DET_START_NS (1700000000ull * 1000000000ull)

static u64 clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (u64)t.tv_sec * 1000000000ull + (u64)t.tv_nsec;
}

static u64 det_insns(const struct vm_host *host)
{
    u64 sum = 0;
    for (const struct vm *vm = host->vms; vm; vm = vm->next)
        sum += vm_instructions(vm);
    return sum;
}

static bool counts_time(const struct vm_host *host)
{
    return host->config.deterministic && !host->config.own_clock;
}

u64 host_now_ns(const struct vm_host *host)
{
    if (counts_time(host))
        return det_insns(host) * DET_NS_PER_INSN + host->det_ns;
    return clock_ns(CLOCK_MONOTONIC);
}

/* 64-bit TOD: bit 51 is one microsecond, so 4096 units each. */
static u64 tod_from_unix_ns(u64 ns)
{
    return (ns / 1000 + TOD_1970_S * 1000000ull) * TOD_UNITS_PER_US +
           ns % 1000 * TOD_UNITS_PER_US / 1000;
}

u64 host_tod(const struct vm *vm)
{
    if (counts_time(vm->host))
        return tod_from_unix_ns(DET_START_NS + vm->host->config.seed * 1000000000ull +
                                host_now_ns(vm->host));
    return tod_from_unix_ns(clock_ns(CLOCK_REALTIME));
}

/* ---- run queue and timers; host->lock held ---- */

static void queue_insert_locked(struct vm_host *host, struct vcpu *v)
{
    if (v->vtime < host->vclock)
        v->vtime = host->vclock; /* sleeping saves up no claim */
    struct vcpu **at = &host->queue;
    while (*at && (*at)->vtime <= v->vtime)
        at = &(*at)->next;
    v->next = *at;
    *at = v;
    v->place = VCPU_QUEUED;
    pthread_cond_signal(&host->work);
}

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
    if (*at == host->timers)
        pthread_cond_signal(&host->work);
    *at = v;
}

static void idle_locked(struct vm_host *host, struct vcpu *v, u64 deadline_ns)
{
    v->place = VCPU_IDLE;
    timer_insert_locked(host, v, deadline_ns);
}

/* Into the run queue; a throttled CPU that has not given back yet what it has used: later [D5]. */
static void runnable_locked(struct vm_host *host, struct vcpu *v)
{
    if (v->vm->throttle && v->due_ns > host_now_ns(host) + THROTTLED_NS_MIN) {
        v->place = VCPU_SLOWED;
        timer_insert_locked(host, v, v->due_ns);
    } else {
        queue_insert_locked(host, v);
    }
}

/* A slice has been used: the CPU is due again when the share taken away has passed as well. */
static void charge_locked(struct vm_host *host, struct vcpu *v)
{
    u64 used = v->slice_ns < THROTTLED_SLICE_NS_MAX ? v->slice_ns : THROTTLED_SLICE_NS_MAX;
    if (!v->vm->throttle)
        return;
    u64 began = host_now_ns(host) - used;
    v->due_ns = (v->due_ns > began ? v->due_ns : began) + used * 100 / (100 - v->vm->throttle);
}

static void unidle_locked(struct vm_host *host, struct vcpu *v)
{
    list_remove_locked(&host->timers, v);
    v->deadline_ns = ~0ull;
    runnable_locked(host, v);
}

static void wake_locked(struct vcpu *v)
{
    if (v->place == VCPU_IDLE)
        unidle_locked(v->vm->host, v);
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

static void expire_locked(struct vm_host *host)
{
    u64 now = host_now_ns(host);
    while (host->timers && host->timers->deadline_ns <= now)
        unidle_locked(host, host->timers);
}

/* ---- running one CPU ---- */

struct event_note {
    struct vm *vm;
    enum vm_event event;
    u64 mask, addr;
};

static void event_deliver(void *arg)
{
    struct event_note *note = arg;
    struct vm_host *host = note->vm->dead ? NULL : note->vm->host; /* may be gone with it */
    if (host && host->events.event)
        host->events.event(host->events.ctx, note->vm, note->event, note->mask, note->addr);
    vm_note_done(note->vm);
    free(note);
}

static struct event_note *note_of(struct vm *vm, enum vm_event event, u64 mask, u64 addr)
{
    struct event_note *note = malloc(sizeof *note);
    if (!note) {
        log_line("%s: an event of the virtual machine is lost: no memory", vm->config.name);
        return NULL;
    }
    *note = (struct event_note){vm, event, mask, addr};
    atomic_fetch_add(&vm->notes, 1);
    return note;
}

void vm_post_event(struct vm *vm, enum vm_event event, u64 mask, u64 addr)
{
    struct event_note *note = note_of(vm, event, mask, addr);
    if (note)
        vm->host->ports.post(vm->host->ports.ctx, event_deliver, note);
}

static bool all_stopped(const struct vm *vm)
{
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
        if (!cpu_stopped(vm->vcpu[i].cpu))
            return false;
    return true;
}

/* When no CPU runs or waits enabled: the first that waits disabled; else NULL. */
static struct vcpu *waits_disabled_locked(struct vm *vm)
{
    struct vcpu *found = NULL;
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++) {
        struct vcpu *v = &vm->vcpu[i];
        if (cpu_stopped(v->cpu))
            continue;
        if (v->place != VCPU_IDLE || v->last_exit != CPU_EXIT_DISABLED_WAIT)
            return NULL;
        if (!found)
            found = v;
    }
    return found;
}

/* No CPU runs any more, and one waits disabled or all are stopped. */
static bool none_runs_locked(struct vm *vm)
{
    return all_stopped(vm) || waits_disabled_locked(vm);
}

static struct event_note *stop_note_locked(struct vcpu *v)
{
    u64 mask, addr;
    struct vm *vm = v->vm;
    if (v->parked || !vm->ipled) /* by the STOP command */
        return NULL;
    bool all = all_stopped(vm);
    struct vcpu *of = all ? v : waits_disabled_locked(vm);
    if (!of)
        return NULL;
    cpu_psw_get(of->cpu, &mask, &addr);
    return note_of(vm, all ? VM_EVENT_STOPPED : VM_EVENT_NONE_RUNS, mask, addr);
}

/* What a CPU that ended in a final state means for the machine; NULL when nothing. */
static struct event_note *end_note_locked(struct vcpu *v, enum cpu_exit why)
{
    u64 mask, addr;
    cpu_psw_get(v->cpu, &mask, &addr);
    switch (why) {
    case CPU_EXIT_DISABLED_WAIT: return note_of(v->vm, VM_EVENT_DISABLED_WAIT, mask, addr);
    case CPU_EXIT_PGM_LOOP: return note_of(v->vm, VM_EVENT_PGM_LOOP, mask, addr);
    case CPU_EXIT_EXT_LOOP: return note_of(v->vm, VM_EVENT_EXT_LOOP, mask, addr);
    case CPU_EXIT_CHECK_STOP: return note_of(v->vm, VM_EVENT_CHECKSTOP, mask, addr);
    case CPU_EXIT_STOPPED: return stop_note_locked(v);
    default: return NULL;
    }
}

static u64 deadline_ns_of(struct vcpu *v)
{
    u64 left = cpu_wait_left(v->cpu);
    if (left == ~0ull)
        return ~0ull;
    u64 ns = left ? left / TOD_UNITS_PER_US * 1000 + 1000 : 0;
    return host_now_ns(v->vm->host) + ns;
}

/* One slice on this processor. */
static enum cpu_exit run_slice(struct vcpu *v, long slice)
{
    bool det = counts_time(v->vm->host);
    u64 start = det ? cpu_instructions(v->cpu) : clock_ns(CLOCK_MONOTONIC);
    enum cpu_exit why = cpu_run(v->cpu, slice);
    u64 spent = det ? (cpu_instructions(v->cpu) - start) * DET_NS_PER_INSN
                    : clock_ns(CLOCK_MONOTONIC) - start;
    v->slice_ns += spent;
    atomic_fetch_add(&v->virt_ns, spent);
    atomic_fetch_add(&v->total_ns, spent);
    v->vtime += spent * SHARE_DEFAULT / (v->vm->config.share ? v->vm->config.share : 1);
    return why;
}

static void put_back_locked(struct vcpu *v, enum cpu_exit why, u64 deadline)
{
    struct vm_host *host = v->vm->host;
    v->last_exit = why;
    bool woken = v->woken, nap = v->nap;
    v->woken = v->nap = false;
    charge_locked(host, v);
    if (nap && !woken)
        idle_locked(host, v, host_now_ns(host) + NAP_NS);
    else if (why == CPU_EXIT_BUDGET || why == CPU_EXIT_REQUEST || why == CPU_EXIT_INTERCEPT ||
             woken || cpu_runnable(v->cpu)) {
        runnable_locked(host, v);
    } else {
        idle_locked(host, v, deadline);
    }
}

static bool loops(enum cpu_exit why)
{
    return why == CPU_EXIT_PGM_LOOP || why == CPU_EXIT_EXT_LOOP;
}

/* Back it goes; what there is to tell then. In a loop of interruptions it goes on looping, and
 * is told of all the same. A CPU that was woken in vain has nothing new to tell, but when the
 * others came to rest meanwhile it is the last [D6]. */
static struct event_note *leave_locked(struct vcpu *v, enum cpu_exit why, u64 deadline)
{
    struct event_note *note = NULL;
    enum cpu_exit before = v->last_exit;
    put_back_locked(v, why, deadline);
    bool idle = v->place == VCPU_IDLE, rest = idle && none_runs_locked(v->vm);
    if (why != before && (idle || loops(why)))
        note = end_note_locked(v, why);
    else if (why != before)
        v->last_exit = CPU_EXIT_BUDGET; /* woken meanwhile: told when it comes to rest */
    else if (rest && !v->vm->rest_told)
        note = stop_note_locked(v);
    v->vm->rest_told = rest && (note || v->vm->rest_told);
    return note;
}

static void process(struct vm_host *host, struct vcpu *v)
{
    struct event_note *note = NULL;
    enum cpu_exit why;
    bool blocked = false;
    unsigned icpts = 0;
    u64 deadline = ~0ull;
    long slice = host->slice_insns;
    if (v->vm->throttle && slice > THROTTLED_SLICE_INSNS)
        slice = THROTTLED_SLICE_INSNS;
    v->slice_ns = 0;
    lock_drop(&host->lock);
    do {
        why = run_slice(v, slice);
        if (why == CPU_EXIT_INTERCEPT) {
            u64 start = clock_ns(CLOCK_MONOTONIC);
            blocked = !icpt_handle(v); /* when it is, v belongs to others by now [D4] */
            if (!blocked)
                atomic_fetch_add(&v->total_ns, clock_ns(CLOCK_MONOTONIC) - start);
        }
    } while (why == CPU_EXIT_INTERCEPT && !blocked && ++icpts < ICPTS_PER_SLICE_MAX &&
             !cpu_requests_pending(v->cpu));
    if (why == CPU_EXIT_WAIT)
        deadline = deadline_ns_of(v);
    lock_take(&host->lock);
    host->running--;
    if (!blocked)
        note = leave_locked(v, why, deadline);
    pthread_cond_broadcast(&host->released);
    if (note) { /* the loop thread sees the machine as it is now, or finds it gone */
        lock_drop(&host->lock);
        host->ports.post(host->ports.ctx, event_deliver, note);
        lock_take(&host->lock);
    }
}

/* Next CPU whose machine is not held; NULL when there is none. */
static struct vcpu *pick_locked(struct vm_host *host)
{
    for (struct vcpu **at = &host->queue; *at; at = &(*at)->next) {
        struct vcpu *v = *at;
        if (v->vm->hold)
            continue;
        *at = v->next;
        v->next = NULL;
        v->place = VCPU_RUNNING;
        v->woken = false;
        host->vclock = v->vtime;
        host->running++;
        return v;
    }
    return NULL;
}

static void sleep_locked(struct vm_host *host)
{
    if (!host->timers) {
        lock_wait(&host->work, &host->lock);
        return;
    }
    u64 at = host->timers->deadline_ns;
    struct timespec t = {.tv_sec = (time_t)(at / 1000000000ull),
                         .tv_nsec = (long)(at % 1000000000ull)};
    lock_wait_until(&host->work, &host->lock, &t);
}

static void *processor(void *arg)
{
    struct vm_host *host = arg;
    lock_take(&host->lock);
    while (!host->stopping) {
        expire_locked(host);
        struct vcpu *v = pick_locked(host);
        if (v)
            process(host, v);
        else
            sleep_locked(host);
    }
    lock_drop(&host->lock);
    return NULL;
}

static bool poll_device_work(struct vm_host *host)
{
    bool any = false;
    for (struct vm *vm = host->vms; vm; vm = vm->next)
        any |= io_worker_poll(vm->worker, DET_JOBS_PER_TURN);
    return any;
}

void vm_host_slice(struct vm_host *host, long insns)
{
    host->slice_insns = insns ? insns : SLICE_INSNS;
}

bool vm_host_run(struct vm_host *host)
{
    bool busy = poll_device_work(host);
    lock_take(&host->lock);
    expire_locked(host);
    struct vcpu *v = pick_locked(host);
    if (v) {
        process(host, v);
        busy = true;
    } else if (!busy && host->timers) { /* idle: time jumps to the next deadline */
        u64 now = host_now_ns(host), at = host->timers->deadline_ns;
        host->det_ns += at > now ? at - now : 1; /* own_clock: counts for nothing */
        busy = true;
    }
    lock_drop(&host->lock);
    return busy;
}

/* ---- holding ---- */

static bool any_running_locked(const struct vm *vm)
{
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
        if (vm->vcpu[i].place == VCPU_RUNNING)
            return true;
    return false;
}

void vm_hold(struct vm *vm)
{
    struct vm_host *host = vm->host;
    lock_take(&host->lock);
    vm->hold++;
    if (!host->config.deterministic)
        while (any_running_locked(vm)) {
            for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
                if (vm->vcpu[i].place == VCPU_RUNNING)
                    cpu_request_exit(vm->vcpu[i].cpu);
            lock_wait(&host->released, &host->lock);
        }
    lock_drop(&host->lock);
}

void vm_release(struct vm *vm)
{
    lock_take(&vm->host->lock);
    PRE(vm->hold > 0);
    if (--vm->hold == 0)
        pthread_cond_broadcast(&vm->host->work);
    lock_drop(&vm->host->lock);
}

void vm_throttle(struct vm *vm, unsigned percent)
{
    struct vm_host *host = vm->host;
    PRE(percent <= VM_THROTTLE_MAX);
    lock_take(&host->lock);
    vm->throttle = percent;
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++) {
        struct vcpu *v = &vm->vcpu[i];
        v->due_ns = 0;
        if (v->place == VCPU_SLOWED)
            unidle_locked(host, v);
    }
    lock_drop(&host->lock);
}

bool vm_held(const struct vm *vm)
{
    return vm->hold > 0;
}

void dispatch_block(struct vcpu *v)
{
    lock_take(&v->vm->host->lock);
    PRE(v->place == VCPU_RUNNING);
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
    runnable_locked(v->vm->host, v);
    lock_drop(&v->vm->host->lock);
}

void dispatch_yield_to(struct vcpu *v, u64 addr)
{
    if (addr >= cpu_set_count(v->vm->cpus))
        return;
    const struct vcpu *to = &v->vm->vcpu[addr];
    lock_take(&v->vm->host->lock);
    v->nap = to->place == VCPU_BLOCKED;
    lock_drop(&v->vm->host->lock);
}

void dispatch_retire(struct vcpu *v)
{
    struct vm_host *host = v->vm->host;
    lock_take(&host->lock);
    list_remove_locked(&host->queue, v);
    list_remove_locked(&host->timers, v);
    v->place = VCPU_BLOCKED; /* a late wake changes nothing */
    lock_drop(&host->lock);
}

void dispatch_forget(struct vm *vm)
{
    struct vm_host *host = vm->host;
    lock_take(&host->lock);
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++) {
        list_remove_locked(&host->queue, &vm->vcpu[i]);
        list_remove_locked(&host->timers, &vm->vcpu[i]);
    }
    struct vm **at = &host->vms;
    while (*at && *at != vm)
        at = &(*at)->next;
    if (*at)
        *at = vm->next;
    lock_drop(&host->lock);
}

/* ---- life of a host ---- */

static int threads_start(struct vm_host *host, struct cause *cause)
{
    for (unsigned i = 0; i < host->config.processors; i++) {
        int err = pthread_create(&host->threads[i], NULL, processor, host);
        if (err)
            return cause_set(cause, ST_LIMIT, "processor thread %u: %s", i, strerror(err));
        host->thread_count++;
    }
    return ST_OK;
}

struct vm_host *vm_host_create(const struct vm_host_config *config,
                               const struct vm_host_ports *ports,
                               const struct vm_host_events *events, struct cause *cause)
{
    struct vm_host *host = calloc(1, sizeof *host);
    if (!host || config->processors > VM_PROCESSORS_MAX) {
        free(host);
        cause_set(cause, ST_LIMIT, "%u processors: at most %d", config->processors,
                  VM_PROCESSORS_MAX);
        return NULL;
    }
    host->config = *config;
    host->slice_insns = SLICE_INSNS;
    host->ports = *ports;
    host->events = *events;
    if (spool_create(config->spool_folder, &host->spool, cause)) {
        free(host);
        return NULL;
    }
    host->config.spool_folder = NULL; /* the caller's */
    lock_init(&host->lock, LOCK_HOST);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&host->work, &attr);
    pthread_cond_init(&host->released, &attr);
    pthread_condattr_destroy(&attr);
    if (!config->deterministic && threads_start(host, cause) != ST_OK) {
        vm_host_destroy(host);
        return NULL;
    }
    return host;
}

void vm_host_destroy(struct vm_host *host)
{
    if (!host)
        return;
    PRE(!host->vms);
    lock_take(&host->lock);
    host->stopping = true;
    pthread_cond_broadcast(&host->work);
    lock_drop(&host->lock);
    for (unsigned i = 0; i < host->thread_count; i++)
        pthread_join(host->threads[i], NULL);
    spool_destroy(host->spool);
    pthread_cond_destroy(&host->work);
    pthread_cond_destroy(&host->released);
    lock_fini(&host->lock);
    free(host);
}
