/* Observing a CPU from outside: see observe.h.
 * Guarantees: [O1] an instruction is told once it has been executed, an intercepted one behind
 * what the interception did; [O2] one that an exception keeps from being executed is not told,
 * the interruption is; [O3] between two looks there is one instruction and one interruption at
 * most, the interruption behind it. */
#include "cpu/event/observe.h"

#include "cpu/event/per.h"
#include "cpu/insn/control.h"

#define LC_EXT_CODE 0x86
#define LC_SVC_CODE 0x8a
#define LC_PGM_CODE 0x8e
#define LC_IO_ID 0xb8

void cpu_observe(struct cpu *c, unsigned events)
{
    c->observe = (u16)events;
    c->observed = (struct cpu_observed){0};
    cpu_registers_changed(c);
}

bool cpu_observed_take(struct cpu *c, struct cpu_observed *out)
{
    if (!observe_due(c))
        return false;
    *out = c->observed;
    c->observed.seen = 0;
    return true;
}

void observe_begin(struct cpu *c, const u8 *insn)
{
    struct cpu_observed *o = &c->observed;
    *o = (struct cpu_observed){
        .mask = c->psw.mask, .addr = c->psw.addr, .length = (u8)isa_length(insn[0])};
    memcpy(o->text, insn, sizeof o->text);
    o->executing = true;
}

void observe_end(struct cpu *c, bool branched)
{
    struct cpu_observed *o = &c->observed;
    o->executing = false;
    o->seen |= CPU_SEEN_INSN;
    o->cc = c->cc;
    if (o->stores)
        o->seen |= CPU_SEEN_STORE;
    if (branched) {
        o->seen |= CPU_SEEN_BRANCH;
        o->target = c->psw.addr;
    }
}

void observe_store(struct cpu *c, u64 ea, u64 len)
{
    struct cpu_observed *o = &c->observed;
    u64 last = ea + len - 1;
    if (!o->executing || !(c->observe & CPU_SEEN_STORE))
        return;
    struct cpu_observed_store *s = o->stores ? &o->store[o->stores - 1] : NULL;
    if (s && ea == s->last + 1)
        s->last = last;
    else if (o->stores < CPU_OBSERVED_STORES)
        o->store[o->stores++] = (struct cpu_observed_store){ea, last};
}

static unsigned interruption_kind(unsigned old_at)
{
    switch (old_at) {
    case 0x120: return CPU_SEEN_RESTART;
    case 0x130: return CPU_SEEN_EXT;
    case 0x140: return CPU_SEEN_SVC;
    case 0x150: return CPU_SEEN_PGM;
    case 0x160: return CPU_SEEN_MCK;
    default: return CPU_SEEN_IO;
    }
}

static u32 interruption_code(const u8 *lc, unsigned kind)
{
    switch (kind) {
    case CPU_SEEN_EXT: return be16_load(lc + LC_EXT_CODE);
    case CPU_SEEN_SVC: return be16_load(lc + LC_SVC_CODE);
    case CPU_SEEN_PGM: return be16_load(lc + LC_PGM_CODE);
    case CPU_SEEN_IO: return be32_load(lc + LC_IO_ID);
    default: return 0;
    }
}

void observe_interruption(struct cpu *c, const u8 *lc, unsigned old_at)
{
    struct cpu_observed *o = &c->observed;
    unsigned kind = interruption_kind(old_at);
    if (kind == CPU_SEEN_SVC)
        observe_end(c, false); /* SUPERVISOR CALL has done all it does */
    if (o->seen & CPU_SEEN_INTERRUPTIONS)
        return; /* an invalid new PSW: what led there is told */
    o->seen |= kind;
    o->code = interruption_code(lc, kind);
    o->old_mask = be64_load(lc + old_at);
    o->old_addr = be64_load(lc + old_at + 8);
    o->new_mask = c->psw.mask;
    o->new_addr = c->psw.addr;
}

void observe_failing(struct cpu *c, unsigned code)
{
    c->observed.failing = code == PGM_PER ? c->per.address : (c->psw.addr - c->ilc) & c->amask;
}

void observe_forget(struct cpu *c)
{
    c->observed.seen = 0;
    c->observed.executing = false;
}
