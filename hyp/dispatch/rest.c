/* What it means for a machine that one of its CPUs has come to rest, and how the loop thread is
 * told. Guarantees: [D6] whoever comes to rest last, it is told that none runs, once. */
#include <stdlib.h>

#include "hyp/vm_internal.h"
#include "mem/base/log.h"

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

static bool loops(enum cpu_exit why)
{
    return why == CPU_EXIT_PGM_LOOP || why == CPU_EXIT_EXT_LOOP;
}

/* In a loop of interruptions it goes on looping, and is told of all the same. A CPU that was
 * woken in vain has nothing new to tell, but when the others came to rest meanwhile it is the
 * last [D6]. */
struct event_note *rest_note_locked(struct vcpu *v, enum cpu_exit why, enum cpu_exit before)
{
    struct event_note *note = NULL;
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

void event_post(struct vm_host *host, struct event_note *note)
{
    host->ports.post(host->ports.ctx, event_deliver, note);
}
