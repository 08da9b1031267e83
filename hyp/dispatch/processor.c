/* Real processors: threads that look for work in the pool of their type, sleep when there is none,
 * and can be varied offline or dedicated to one virtual CPU.
 * Guarantees: [P1] while a deadline is near, one thread that sleeps wakes by itself no later than
 * that; the others sleep until they are called; a deadline that comes while all look busy is
 * seen at the end of a slice; [P2] a CPU that waits has a processor of its pool awake, or each
 * of them is busy; [P3] one processor of the first one's type is always online and dedicated to
 * nobody. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "hyp/vm_internal.h"
#include "mem/base/ergo.h"

#define LOAD_SMOOTH_NS 20e9 /* what INDICATE LOAD shows is of about the last 20 seconds */

/* ---- how busy ---- */

/* The processor was as busy as `busy` says until now. */
static void load_settle(struct processor *p)
{
    u64 now = host_now_ns(p->host);
    double old = exp(-(double)(now - p->load_ns) / LOAD_SMOOTH_NS);
    p->load = p->load * old + (p->busy ? 1 - old : 0);
    p->busy_ns += p->busy ? now - p->load_ns : 0;
    p->load_ns = now;
}

u64 processor_busy_ns(struct processor *p)
{
    load_settle(p);
    return p->busy_ns;
}

static void busy_set(struct processor *p, bool busy)
{
    load_settle(p);
    p->busy = busy;
}

/* ---- pools ---- */

/* Processors that any CPU of a type may use. */
static bool shared(const struct processor *p)
{
    return p->online && !p->dedicated;
}

static void pools_settle_locked(struct vm_host *host)
{
    unsigned n[CPU_POOLS] = {0};
    for (unsigned i = 0; i < host->processors; i++)
        n[host->processor[i].type] += shared(&host->processor[i]);
    for (unsigned i = 0; i < CPU_POOLS; i++)
        rq_processors(&host->pool[i], n[i]);
    dispatch_requeue_locked(host);
    processor_cover_locked(host);
}

unsigned processor_pool_locked(const struct vm_host *host, const struct vcpu *v)
{
    unsigned type = v->vm->config.cpu_type[v->addr];
    return host->pool[type].processors ? type : host->processor[0].type;
}

bool processor_suits_locked(const struct processor *p, const struct vcpu *v)
{
    if (v->dedicated)
        return v->dedicated == p;
    return shared(p) && processor_pool_locked(p->host, v) == p->type;
}

void processor_undedicate_locked(struct vcpu *v)
{
    if (!v->dedicated)
        return;
    v->dedicated->dedicated = NULL;
    v->dedicated = NULL;
    pools_settle_locked(v->vm->host);
}

/* How many of a type everybody may use. */
static unsigned shared_of_type(const struct vm_host *host, u8 type)
{
    return host->pool[type].processors;
}

/* The one to be dedicated to a CPU: not the first, and not the last of its pool [P3]. */
static struct processor *spare_locked(struct vm_host *host, const struct vcpu *v)
{
    unsigned pool = processor_pool_locked(host, v);
    for (unsigned i = host->processors; i-- > 1 && shared_of_type(host, (u8)pool) > 1;)
        if (shared(&host->processor[i]) && host->processor[i].type == pool)
            return &host->processor[i];
    return NULL;
}

/* Who runs there or waits elsewhere goes where he belongs now. */
static void resettle_locked(struct processor *p, const struct vcpu *v)
{
    if (p->runs)
        cpu_request_exit(p->runs->cpu);
    if (v && v->on && v->on != p)
        cpu_request_exit(v->cpu);
    pools_settle_locked(p->host);
}

int processor_dedicate(struct vcpu *v, bool on, struct cause *cause)
{
    struct vm_host *host = v->vm->host;
    int rc = ST_OK;
    lock_take(&host->lock);
    struct processor *spare = on && !v->dedicated ? spare_locked(host, v) : NULL;
    if (on == (v->dedicated != NULL)) {
        rc = cause_set(cause, ST_REFUSED, "CPU %02X is%s dedicated", v->addr,
                       on ? " already" : " not");
    } else if (on && !spare) {
        rc = cause_set(cause, ST_LIMIT, "no processor of its type can be spared");
    } else if (on) {
        spare->dedicated = v;
        v->dedicated = spare;
        resettle_locked(spare, v);
    } else {
        processor_undedicate_locked(v);
    }
    lock_drop(&host->lock);
    return rc;
}

static int vary_check(struct vm_host *host, unsigned addr, bool online, struct cause *cause)
{
    if (addr >= host->processors)
        return cause_set(cause, ST_NOENT, "processor %02X does not exist", addr);
    const struct processor *p = &host->processor[addr];
    if (p->online == online)
        return cause_set(cause, ST_REFUSED, "processor %02X is %s already", addr,
                         online ? "online" : "offline");
    if (p->dedicated)
        return cause_set(cause, ST_REFUSED, "processor %02X is dedicated", addr);
    if (!online && p->type == host->processor[0].type && shared_of_type(host, p->type) == 1)
        return cause_set(cause, ST_REFUSED, "processor %02X is the last of the primary type",
                         addr);
    return ST_OK;
}

int processor_vary(struct vm_host *host, unsigned addr, bool online, struct cause *cause)
{
    lock_take(&host->lock);
    int rc = vary_check(host, addr, online, cause);
    if (rc == ST_OK) {
        struct processor *p = &host->processor[addr];
        p->online = online;
        lock_signal(&p->wake); /* it sleeps otherwise from now on */
        resettle_locked(p, NULL);
    }
    lock_drop(&host->lock);
    return rc;
}

bool processor_info(struct vm_host *host, unsigned i, struct vm_processor_info *out)
{
    if (i >= host->processors)
        return false;
    struct processor *p = &host->processor[i];
    lock_take(&host->lock);
    load_settle(p);
    *out = (struct vm_processor_info){.addr = p->addr,
                                      .type = p->type,
                                      .online = p->online,
                                      .load = p->load,
                                      .dedicated = ""};
    if (p->dedicated) {
        out->dedicated = p->dedicated->vm->config.name;
        out->dedicated_cpu = p->dedicated->addr;
    }
    lock_drop(&host->lock);
    return true;
}

/* ---- sleeping and waking ---- */

u64 processor_soonest_locked(struct vm_host *host)
{
    u64 soonest = host->timers ? host->timers->deadline_ns : ~0ull;
    u64 now = host_now_ns(host);
    for (unsigned i = 0; i < CPU_POOLS; i++) {
        u64 due = host->pool[i].processors ? rq_due(&host->pool[i], now) : ~0ull;
        soonest = due < soonest ? due : soonest;
    }
    return soonest;
}

static void nothing(void *arg)
{
    (void)arg;
}

/* Without threads it is the loop that sleeps (vm_host_run). */
static void call(struct processor *p)
{
    p->asleep = false;
    if (p->host->config.deterministic)
        p->host->ports.post(p->host->ports.ctx, nothing, NULL);
    else
        lock_signal(&p->wake);
}

/* The one that sleeps longest among those that sleep and may take the CPU (NULL: any). */
static struct processor *sleeper_locked(struct vm_host *host, const struct vcpu *v)
{
    struct processor *found = NULL;
    for (unsigned i = 0; i < host->processors; i++) {
        struct processor *p = &host->processor[i];
        if (!p->asleep || !p->online || (v && !processor_suits_locked(p, v)))
            continue;
        if (!found || p->wakes_ns > found->wakes_ns)
            found = p;
    }
    return found;
}

/* QUICKDSP: who is in front of the user that need not wait ends his slice now. */
static void overtake_locked(const struct vcpu *v)
{
    const struct vm_host *host = v->vm->host;
    for (unsigned i = 0; i < host->processors; i++) {
        const struct processor *p = &host->processor[i];
        if (!p->runs || p->runs->vm->quickdsp || !processor_suits_locked(p, v))
            continue;
        cpu_request_exit(p->runs->cpu);
        return;
    }
}

/* Who does device work while his CPU waits has time for this one. */
static bool end_attempt_locked(const struct vcpu *v)
{
    const struct vm_host *host = v->vm->host;
    for (unsigned i = 0; i < host->processors; i++) {
        const struct processor *p = &host->processor[i];
        if (!atomic_load(&p->attempts) || !p->runs || !processor_suits_locked(p, v))
            continue;
        cpu_request_exit(p->runs->cpu);
        return true;
    }
    return false;
}

void processor_call_locked(const struct vcpu *v)
{
    struct processor *p = sleeper_locked(v->vm->host, v);
    if (p)
        call(p);
    else if (!end_attempt_locked(v) && v->vm->quickdsp)
        overtake_locked(v);
}

/* When one of those that sleep, but for `but`, wakes by itself. */
static u64 covered_locked(const struct vm_host *host, const struct processor *but)
{
    u64 at = ~0ull;
    for (unsigned i = 0; i < host->processors; i++) {
        const struct processor *p = &host->processor[i];
        if (p != but && p->asleep && p->online && p->wakes_ns < at)
            at = p->wakes_ns;
    }
    return at;
}

void processor_cover_locked(struct vm_host *host)
{
    struct processor *p = sleeper_locked(host, NULL);
    if (p && processor_soonest_locked(host) < covered_locked(host, NULL))
        call(p);
}

static void sleep_locked(struct processor *p)
{
    struct vm_host *host = p->host;
    u64 at = p->online ? processor_soonest_locked(host) : ~0ull;
    p->wakes_ns = at < covered_locked(host, p) ? at : ~0ull; /* [P1] */
    p->asleep = true;
    p->sleeps++;
    busy_set(p, false);
    if (p->wakes_ns == ~0ull) {
        lock_wait(&p->wake, &host->lock);
    } else {
        struct timespec t = {.tv_sec = (time_t)(at / 1000000000ull),
                             .tv_nsec = (long)(at % 1000000000ull)};
        lock_wait_until(&p->wake, &host->lock, &t);
    }
    p->asleep = false;
    busy_set(p, true);
}

/* ---- working ---- */

static struct vcpu *take_locked(struct processor *p)
{
    struct vcpu *own = p->dedicated;
    if (!p->online)
        return NULL;
    if (own)
        return own->place == VCPU_QUEUED && !own->vm->hold ? own : NULL;
    struct rq_cpu *c = rq_pick(&p->host->pool[p->type], host_now_ns(p->host));
    return c ? (struct vcpu *)((u8 *)c - offsetof(struct vcpu, rq)) : NULL;
}

/* Somebody else for what is left in the pool [P2], and for deadlines when this may take long. */
static void others_locked(struct processor *p, const struct vcpu *v)
{
    struct vm_host *host = p->host;
    struct processor *other = sleeper_locked(host, v);
    if (!v->dedicated && other && rq_ready(&host->pool[p->type], host_now_ns(host)))
        call(other);
    if (v->last_exit == CPU_EXIT_BUDGET)
        processor_cover_locked(host);
}

struct vcpu *processor_pick_locked(struct processor *p)
{
    struct vcpu *v = take_locked(p);
    if (!v)
        return NULL;
    v->place = VCPU_RUNNING;
    v->woken = false;
    v->on = p;
    v->turn.shared = !p->dedicated;
    p->runs = v;
    others_locked(p, v);
    return v;
}

static void *processor_thread(void *arg)
{
    struct processor *p = arg;
    struct vm_host *host = p->host;
    lock_take(&host->lock);
    while (!host->stopping) {
        dispatch_expire_locked(p);
        struct vcpu *v = processor_pick_locked(p);
        if (v)
            dispatch_process(p, v);
        else
            sleep_locked(p);
    }
    lock_drop(&host->lock);
    return NULL;
}

/* ---- life ---- */

static int thread_start(struct processor *p, struct cause *cause)
{
    int err = pthread_create(&p->thread, NULL, processor_thread, p);
    if (err)
        return cause_set(cause, ST_LIMIT, "processor thread %u: %s", p->addr, strerror(err));
    p->started = true;
    return ST_OK;
}

int processors_create(struct vm_host *host, struct cause *cause)
{
    int rc = ST_OK;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    host->processors = host->config.processors ? host->config.processors : 1;
    for (unsigned i = 0; i < host->processors; i++) {
        struct processor *p = &host->processor[i];
        *p = (struct processor){.host = host, .addr = i, .online = true, .busy = true};
        p->type = host->config.processor_type[i];
        p->load_ns = host_now_ns(host);
        pthread_cond_init(&p->wake, &attr);
    }
    pthread_condattr_destroy(&attr);
    lock_take(&host->lock);
    pools_settle_locked(host);
    lock_drop(&host->lock);
    for (unsigned i = 0; i < host->processors && rc == ST_OK; i++)
        if (!host->config.deterministic)
            rc = thread_start(&host->processor[i], cause);
    return rc;
}

void processors_destroy(struct vm_host *host)
{
    lock_take(&host->lock);
    host->stopping = true;
    for (unsigned i = 0; i < host->processors; i++)
        call(&host->processor[i]);
    lock_drop(&host->lock);
    for (unsigned i = 0; i < host->processors; i++) {
        if (host->processor[i].started)
            pthread_join(host->processor[i].thread, NULL);
        pthread_cond_destroy(&host->processor[i].wake);
    }
}
