/* TRACE of a virtual machine: which instructions and interruptions are told to CP, and whether the
 * machine stops there. The processor thread finds that a trap matches and leaves the CPU to the
 * loop thread, as DIAGNOSE X'08' does; CP shows the lines, and then the CPU goes on or is stopped.
 * Guarantees: [T1] a CPU does nothing behind what is told before CP has been told; [T2] traps
 * change only while the machine is held; their counters are guarded by host->lock.
 * Source: z/VM "CP Commands and Utilities Reference", TRACE: Command Responses. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/isa.h"
#include "hyp/vm_internal.h"

struct live_trap {
    struct vm_trap trap;
    unsigned skipped, passed, shown;
};

struct vm_tracing {
    struct live_trap trap[VM_TRAPS_MAX];
    unsigned traps;
    bool counting;
    u64 count;
};

/* A hit on its way to the loop thread. */
struct trace_note {
    struct vcpu *v;
    u64 resets;
    bool stop;
    struct vm_traced told;
};

static const struct trap_event {
    enum vm_trap_kind kind;
    unsigned seen;
} trap_events[] = {
    {VM_TRAP_INSN, CPU_SEEN_INSN},   {VM_TRAP_BRANCH, CPU_SEEN_BRANCH},
    {VM_TRAP_STORE, CPU_SEEN_STORE}, {VM_TRAP_SVC, CPU_SEEN_SVC},
    {VM_TRAP_PROG, CPU_SEEN_PGM},    {VM_TRAP_EXT, CPU_SEEN_EXT},
    {VM_TRAP_IO, CPU_SEEN_IO},
};

static unsigned seen_of(enum vm_trap_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(trap_events); i++)
        if (trap_events[i].kind == kind)
            return trap_events[i].seen;
    return 0;
}

/* ---- does a trap match? ---- */

/* I/O: the device number behind the subsystem identification word. */
static u32 device_of(struct vcpu *v, u32 schid)
{
    u8 schib[SCHIB_BYTES];
    return css_stsch(v->vm->css, schid, schib) == 0 ? be16_load(schib + 6) : 0;
}

static bool stores_into(const struct cpu_observed *o, u64 first, u64 last)
{
    for (unsigned i = 0; i < o->stores; i++)
        if (o->store[i].first <= last && o->store[i].last >= first)
            return true;
    return false;
}

static void mnemonic_of(const struct cpu_observed *o, char out[VM_MNEMONIC_BYTES])
{
    const struct isa_entry *e = isa_find(o->text);
    snprintf(out, VM_MNEMONIC_BYTES, "%s", e ? e->mnemonic : "????");
    for (char *p = out; *p; p++)
        *p = (char)toupper((unsigned char)*p);
}

static bool matches(const struct vm_trap *t, const struct cpu_observed *o, u32 code,
                    const char *mnemonic)
{
    if (!(o->seen & seen_of(t->kind)))
        return false;
    switch (t->kind) {
    case VM_TRAP_SVC:
    case VM_TRAP_PROG:
    case VM_TRAP_EXT:
    case VM_TRAP_IO: return code >= t->first && code <= t->last;
    default: break;
    }
    if (o->addr < t->first || o->addr > t->last)
        return false;
    if (t->kind == VM_TRAP_BRANCH)
        return o->target >= t->into_first && o->target <= t->into_last;
    if (t->kind == VM_TRAP_STORE)
        return stores_into(o, t->into_first, t->into_last);
    return !*t->mnemonic || !strcmp(t->mnemonic, mnemonic);
}

/* It has matched once more: is that told? */
static bool told_now(struct live_trap *t)
{
    if (t->skipped < t->trap.skip)
        return t->skipped++, false;
    if (t->passed < t->trap.pass)
        return t->passed++, false;
    t->passed = 0;
    t->shown++;
    return true;
}

static bool stops_now(const struct live_trap *t)
{
    const struct vm_trap *k = &t->trap;
    if (k->stop && t->shown == k->stop)
        return true;
    if (k->step)
        return t->shown % k->step == 0;
    return !k->run && !k->stop;
}

/* ---- what is told ---- */

static const char *address(u64 mask, u64 addr, char out[24])
{
    const char *quote = mask & 1ull << 58 ? "'" : " ";
    if (addr >> 32)
        snprintf(out, 24, "%08X_%08X%s", (unsigned)(addr >> 32), (unsigned)addr, quote);
    else
        snprintf(out, 24, "%08X%s", (unsigned)addr, quote);
    return out;
}

static void insn_line(const struct cpu_observed *o, const char *mnemonic,
                      char out[VM_TRACED_BYTES])
{
    char at[24], to[24], hex[16] = "", more[64] = "";
    for (unsigned i = 0; i < o->length; i++)
        snprintf(hex + 2 * i, sizeof hex - 2 * i, "%02X", o->text[i]);
    if (o->seen & CPU_SEEN_BRANCH)
        snprintf(more, sizeof more, " -> %s", address(o->mask, o->target, to));
    else if (o->seen & CPU_SEEN_STORE)
        snprintf(more, sizeof more, " >> %s", address(o->mask, o->store[0].first, to));
    snprintf(out, VM_TRACED_BYTES, " -> %s %-6s  %s%s   CC %u", address(o->mask, o->addr, at),
             mnemonic, hex, more, o->cc);
}

static void interruption_line(const struct cpu_observed *o, u32 code, char out[VM_TRACED_BYTES])
{
    char at[24], to[24];
    const char *name = o->seen & CPU_SEEN_SVC   ? "SVC "
                       : o->seen & CPU_SEEN_PGM ? "PROG"
                       : o->seen & CPU_SEEN_EXT ? "EXT "
                                                : "I/O ";
    u64 from = o->seen & CPU_SEEN_PGM   ? o->failing
               : o->seen & CPU_SEEN_SVC ? o->addr
                                        : o->old_addr;
    snprintf(out, VM_TRACED_BYTES, " *** %s %s  %04X -> %s", address(o->old_mask, from, at),
             name, code, address(o->new_mask, o->new_addr, to));
    for (size_t n = strlen(out); n && out[n - 1] == ' ';)
        out[--n] = 0;
}

static void tell(const struct live_trap *t, unsigned i, struct trace_note *note)
{
    const struct vm_trap *k = &t->trap;
    bool insn = seen_of(k->kind) & (CPU_SEEN_INSN | CPU_SEEN_BRANCH | CPU_SEEN_STORE);
    note->stop |= stops_now(t);
    note->told.traps |= 1u << i;
    if (!k->silent)
        note->told.show |= insn ? 1 : 2;
}

/* Which traps have something to tell of it; false: none. */
static bool look(struct vcpu *v, const struct cpu_observed *o, struct trace_note *note)
{
    struct vm_tracing *tracing = v->vm->tracing;
    char mnemonic[VM_MNEMONIC_BYTES] = "";
    u32 code = o->seen & CPU_SEEN_IO ? device_of(v, o->code) : o->code;
    if (o->seen & CPU_SEEN_INSN)
        mnemonic_of(o, mnemonic);
    lock_take(&v->vm->host->lock);
    for (unsigned i = 0; i < tracing->traps; i++) {
        struct live_trap *t = &tracing->trap[i];
        if (!matches(&t->trap, o, code, mnemonic))
            continue;
        tracing->count += tracing->counting;
        if (!tracing->counting && told_now(t))
            tell(t, i, note);
    }
    lock_drop(&v->vm->host->lock);
    if (note->told.show & 1)
        insn_line(o, mnemonic, note->told.insn);
    if (note->told.show & 2)
        interruption_line(o, code, note->told.interruption);
    return note->told.traps != 0;
}

/* ---- to the loop thread ---- */

static bool gone(const struct trace_note *note)
{
    return note->v->vm->dead || note->v->vm->resets != note->resets;
}

static void deliver(void *arg)
{
    struct trace_note *note = arg;
    struct vcpu *v = note->v;
    struct vm *vm = v->vm;
    const struct vm_host_events *events = gone(note) ? NULL : &vm->host->events;
    if (events && note->stop)
        vm_stop(vm, -1);
    note->told.stopped = note->stop;
    if (events && events->traced)
        events->traced(events->ctx, vm, &note->told);
    if (!gone(note)) {
        atomic_fetch_sub(&vm->blocked, 1);
        dispatch_unblock(v);
    }
    vm_note_done(vm);
    free(note);
}

bool trace_look(struct vcpu *v)
{
    struct cpu_observed seen;
    struct vm_host *host = v->vm->host;
    if (!cpu_observed_take(v->cpu, &seen) || !v->vm->tracing)
        return true;
    struct trace_note *note = calloc(1, sizeof *note);
    if (!note)
        return true;
    *note = (struct trace_note){.v = v, .resets = v->vm->resets};
    note->told.cpu = (u8)v->addr;
    if (!look(v, &seen, note)) {
        free(note);
        return true;
    }
    vcpu_block(v);
    host->ports.post(host->ports.ctx, deliver, note);
    return false;
}

/* ---- traps ---- */

void trace_apply(struct vm *vm)
{
    unsigned events = 0;
    for (unsigned i = 0; vm->tracing && i < vm->tracing->traps; i++)
        events |= seen_of(vm->tracing->trap[i].trap.kind);
    if (events & CPU_SEEN_INSN)
        events |= CPU_SEEN_STORE; /* its line says where it stores */
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
        cpu_observe(vm->vcpu[i].cpu, events);
}

bool trace_any(const struct vm *vm)
{
    return vm->tracing && vm->tracing->traps;
}

/* The traps in their new order; one that was there before goes on counting where it stood. */
static void set_traps(struct vm_tracing *t, const struct vm_trap *traps, unsigned count)
{
    struct live_trap was[VM_TRAPS_MAX];
    unsigned had = t->traps;
    memcpy(was, t->trap, sizeof was);
    for (unsigned i = 0; i < count; i++) {
        t->trap[i] = (struct live_trap){.trap = traps[i]};
        for (unsigned k = 0; k < had; k++)
            if (was[k].trap.id == traps[i].id)
                t->trap[i] = was[k];
        t->trap[i].trap = traps[i];
    }
    t->traps = count;
}

int vm_trace(struct vm *vm, const struct vm_trap *traps, unsigned count)
{
    struct vm_tracing *t = vm->tracing;
    if (count > VM_TRAPS_MAX)
        return ST_LIMIT;
    if (!t && count && !(t = calloc(1, sizeof *t)))
        return ST_NOMEM;
    vm_hold(vm);
    vm->tracing = t;
    if (t)
        set_traps(t, traps, count);
    trace_apply(vm);
    vm_release(vm);
    return ST_OK;
}

/* ---- relocation: what CP's traps do not say, how often each has matched ---- */

#define LIVE_NUMBERS 4u /* id, skipped, passed, shown */

void trace_save(const struct vm *vm, u16 count, u16 live, struct codec_out *out)
{
    const struct vm_tracing *t = vm->tracing;
    if (!trace_any(vm) && !(t && t->counting))
        return;
    const u64 counted[2] = {t->counting, t->count};
    codec_put_array(out, count, counted, 8, 2);
    for (unsigned i = 0; i < t->traps; i++) {
        const struct live_trap *l = &t->trap[i];
        const u64 v[LIVE_NUMBERS] = {l->trap.id, l->skipped, l->passed, l->shown};
        codec_put_array(out, live, v, 8, LIVE_NUMBERS);
    }
}

bool trace_restore_count(struct vm *vm, const struct codec_row *row)
{
    u64 v[2];
    if (!codec_get_array(row, v, 8, 2) || v[0] > 1 ||
        (!vm->tracing && !(vm->tracing = calloc(1, sizeof *vm->tracing))))
        return false;
    *vm->tracing = (struct vm_tracing){.counting = v[0], .count = v[1]};
    return true;
}

/* The trap itself comes with the session, under the same number. */
bool trace_restore_live(struct vm *vm, const struct codec_row *row)
{
    struct vm_tracing *t = vm->tracing;
    u64 v[LIVE_NUMBERS];
    if (!t || t->traps == VM_TRAPS_MAX || !codec_get_array(row, v, 8, LIVE_NUMBERS))
        return false;
    t->trap[t->traps++] = (struct live_trap){.trap = {.id = (unsigned)v[0]},
                                             .skipped = (unsigned)v[1],
                                             .passed = (unsigned)v[2],
                                             .shown = (unsigned)v[3]};
    return true;
}

u64 vm_trace_count(struct vm *vm, bool on)
{
    if (!vm->tracing)
        return 0;
    vm_hold(vm);
    u64 count = vm->tracing->count;
    vm->tracing->counting = on;
    if (on)
        vm->tracing->count = 0;
    vm_release(vm);
    return count;
}
