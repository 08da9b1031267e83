/* The host of virtual machines: its clocks, its life, and running without processor threads. */
#include <stdlib.h>
#include <time.h>

#include "hyp/io_worker.h"
#include "hyp/segment/segment.h"
#include "hyp/spool/spool.h"
#include "hyp/vm_clock.h"
#include "hyp/vm_internal.h"
#include "io/net/ctc.h"
#include "mem/base/ergo.h"

#define TOD_UNITS_PER_US 4096ull
#define TOD_1970_S 2208988800ull /* seconds from 1900 to 1970 */
#define DET_JOBS_PER_TURN 16
#define DET_START_NS (1700000000ull * 1000000000ull)

u64 host_clock_ns(clockid_t id)
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

bool host_counts_time(const struct vm_host *host)
{
    return host->config.deterministic && !host->config.own_clock;
}

u64 host_now_ns(const struct vm_host *host)
{
    if (host_counts_time(host))
        return det_insns(host) * VM_DET_NS_PER_INSN + host->det_ns;
    return host_clock_ns(CLOCK_MONOTONIC);
}

/* 64-bit TOD: bit 51 is one microsecond, so 4096 units each. */
static u64 tod_from_unix_ns(u64 ns)
{
    return (ns / 1000 + TOD_1970_S * 1000000ull) * TOD_UNITS_PER_US +
           ns % 1000 * TOD_UNITS_PER_US / 1000;
}

u64 vm_host_wall_ns(const struct vm_host *host)
{
    return host_clock_ns(CLOCK_REALTIME) + (u64)host->clock_ahead_ns;
}

s64 vm_clock_ahead_ns(const struct vm *vm)
{
    return vm->clock_ahead_ns;
}

void vm_clock_set_ahead_ns(struct vm *vm, s64 ns)
{
    vm->clock_ahead_ns = ns;
}

u64 host_tod(const struct vm *vm)
{
    if (host_counts_time(vm->host))
        return tod_from_unix_ns(DET_START_NS + vm->host->config.seed * 1000000000ull +
                                host_now_ns(vm->host));
    return tod_from_unix_ns(vm_host_wall_ns(vm->host) - (u64)vm->clock_ahead_ns);
}

u64 host_tod_brought(const struct vm *vm)
{
    if (host_counts_time(vm->host))
        return 0;
    return (u64)((__int128)vm->clock_ahead_ns * (s64)TOD_UNITS_PER_US / 1000);
}

/* ---- running on the caller's thread ---- */

static bool poll_device_work(struct vm_host *host)
{
    bool any = false;
    for (struct vm *vm = host->vms; vm; vm = vm->next)
        any |= io_worker_poll(vm->worker, DET_JOBS_PER_TURN);
    return any;
}

void vm_host_slice(struct vm_host *host, long insns)
{
    host->slice_insns = insns ? insns : VM_SLICE_INSNS;
}

bool vm_host_run(struct vm_host *host)
{
    struct processor *p = &host->processor[0];
    bool busy = poll_device_work(host);
    lock_take(&host->lock);
    p->asleep = false;
    dispatch_expire_locked(p);
    struct vcpu *v = processor_pick_locked(p);
    u64 at = processor_soonest_locked(host);
    if (v) {
        dispatch_process(p, v);
        busy = true;
    } else if (!busy && at != ~0ull) { /* idle: time jumps to the next deadline */
        u64 now = host_now_ns(host);
        host->det_ns += at > now ? at - now : 1; /* own_clock: counts for nothing */
        busy = true;
    }
    p->asleep = !busy; /* until somebody, an uplink's thread perhaps, calls it */
    p->wakes_ns = ~0ull;
    lock_drop(&host->lock);
    return busy;
}

/* ---- life ---- */

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
    host->slice_insns = VM_SLICE_INSNS;
    const char *ahead = getenv("ENDICOTT_TEST_CLOCK_MS");
    host->clock_ahead_ns = ahead ? strtoll(ahead, NULL, 10) * 1000000 : 0;
    host->slack_ns = config->deterministic ? 0 : config->idle_slack_ms * 1000000ull;
    host->ports = *ports;
    host->events = *events;
    if (spool_create(config->spool_folder, config->spool_start, config->spool_slot,
                     &host->spool, cause)) {
        free(host);
        return NULL;
    }
    host->segments = segments_create(config->segment_folder);
    if (!host->segments) {
        spool_destroy(host->spool);
        free(host);
        cause_set(cause, ST_NOMEM, "no memory for saved segments");
        return NULL;
    }
    host->ctcs = ctc_hub_create();
    host->config.spool_folder = host->config.segment_folder = NULL; /* the caller's */
    lock_init(&host->lock, LOCK_HOST);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&host->released, &attr);
    pthread_condattr_destroy(&attr);
    if (host->ctcs && processors_create(host, cause) == ST_OK)
        return host;
    if (!host->ctcs)
        cause_set(cause, ST_NOMEM, "no memory for channel-to-channel adapters");
    vm_host_destroy(host);
    return NULL;
}

void vm_host_destroy(struct vm_host *host)
{
    if (!host)
        return;
    PRE(!host->vms);
    processors_destroy(host);
    ctc_hub_destroy(host->ctcs);
    segments_destroy(host->segments);
    spool_destroy(host->spool);
    pthread_cond_destroy(&host->released);
    lock_fini(&host->lock);
    free(host);
}
