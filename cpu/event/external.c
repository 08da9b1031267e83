/* External interruptions (PoP chapter 6): sources, subclass masks in CR0, priority.
 * Guarantees: each source waits independently of the others until the CPU is enabled for it; of
 * several the one that stands first in enum ext_source comes first. Clock comparator and CPU timer
 * stay pending as long as their condition holds. */
#include "cpu/insn/control.h"

enum lowcore {
    LC_EXT_PARM = 0x80,
    LC_EXT_CPU_ADDR = 0x84,
    LC_EXT_CODE = 0x86,
    LC_EXT_OLD = 0x130,
    LC_EXT_NEW = 0x1b0,
    LC_EXT_PARM64 = 0x11b8,
};

/* Subclass masks in CR0. */
#define CR0_MALFUNCTION CR_BIT(48)
#define CR0_EMERGENCY CR_BIT(49)
#define CR0_EXTERNAL_CALL CR_BIT(50)
#define CR0_SYNC_CHECK CR_BIT(51)
#define CR0_SERVICE CR_BIT(54)
#define CR0_INTERRUPT_KEY CR_BIT(57)
#define CR0_MEASUREMENT_ALERT CR_BIT(58)
#define CR0_TIMING_ALERT CR_BIT(59)
#define CR0_IUCV CR_BIT(62)
#define CR0_VMCF CR_BIT(63)

/* Sources in the order of priority. */
enum ext_source {
    EXT_NONE,
    EXT_INTERRUPT_KEY,
    EXT_MALFUNCTION,
    EXT_EMERGENCY,
    EXT_CALL,
    EXT_SYNC_CHECK,
    EXT_CKC,
    EXT_CPUTM,
    EXT_TIMING_ALERT,
    EXT_MEASUREMENT_ALERT,
    EXT_SERVICE,
    EXT_SERVICE_OTHER,
    EXT_IUCV,
    EXT_VMCF,
};

/* Interruption codes of those that do not come through cpu_external. */
enum ext_code {
    CODE_INTERRUPT_KEY = 0x0040,
    CODE_CKC = 0x1004,
    CODE_CPUTM = 0x1005,
    CODE_MALFUNCTION = 0x1200,
    CODE_EMERGENCY = 0x1201,
    CODE_CALL = 0x1202,
    CODE_SERVICE = 0x2401, /* or what else its subclass mask is for: the ports know */
};

struct ext_interruption {
    u16 code;
    u16 cpu_addr;
    bool has_parm, has_parm64;
    u32 parm;
    u64 parm64;
};

/* ---- those that come through cpu_external ---- */

/* By index of ext_other_*: code (0: any other) and mask. */
static const struct {
    enum ext_source source;
    u16 code;
    u64 mask;
} others[EXT_OTHERS] = {
    {EXT_SERVICE_OTHER, 0, CR0_SERVICE},
    {EXT_SYNC_CHECK, 0x1003, CR0_SYNC_CHECK},
    {EXT_TIMING_ALERT, 0x1406, CR0_TIMING_ALERT},
    {EXT_MEASUREMENT_ALERT, 0x1407, CR0_MEASUREMENT_ALERT},
    {EXT_IUCV, 0x4000, CR0_IUCV},
    {EXT_VMCF, 0x4001, CR0_VMCF},
};

static u32 other_pend(unsigned i)
{
    return i ? 1u << (i + PEND_OTHERS_SHIFT) : PEND_EXTERNAL_OTHER;
}

static unsigned other_index(u16 code)
{
    unsigned i = EXT_OTHERS - 1;
    while (i && others[i].code != code)
        i--;
    return i;
}

/* The index of a source in `others`, EXT_OTHERS when it is not there. */
static unsigned other_of(enum ext_source source)
{
    unsigned i = 0;
    while (i < EXT_OTHERS && others[i].source != source)
        i++;
    return i;
}

void cpu_interrupt_key(struct cpu *c)
{
    atomic_fetch_or(&c->pending, PEND_INTERRUPT_KEY);
    c->ports->wake(c->ports_ctx, c->addr);
}

void cpu_external(struct cpu *c, u16 code, u32 parm, u64 parm64)
{
    unsigned i = other_index(code);
    lock_take(&c->set->lock);
    c->ext_other_code[i] = code;
    c->ext_other_parm[i] = parm;
    c->ext_other_parm64[i] = parm64;
    atomic_fetch_or(&c->pending, other_pend(i));
    lock_drop(&c->set->lock);
    c->ports->wake(c->ports_ctx, c->addr);
}

/* ---- which comes first ---- */

/* The enabled source of highest priority among those with a bit in `pending`. */
static enum ext_source find_flagged(const struct cpu *c, u32 pending)
{
    u64 cr0 = c->cr[0];
    enum ext_source first = EXT_NONE;
    if ((pending & PEND_INTERRUPT_KEY) && (cr0 & CR0_INTERRUPT_KEY))
        return EXT_INTERRUPT_KEY;
    if ((pending & PEND_MALFUNCTION) && (cr0 & CR0_MALFUNCTION))
        return EXT_MALFUNCTION;
    if ((pending & PEND_EMERGENCY) && (cr0 & CR0_EMERGENCY))
        return EXT_EMERGENCY;
    if ((pending & PEND_EXTERNAL_CALL) && (cr0 & CR0_EXTERNAL_CALL))
        return EXT_CALL;
    for (unsigned i = 0; i < EXT_OTHERS; i++)
        if ((pending & other_pend(i)) && (cr0 & others[i].mask) &&
            (first == EXT_NONE || others[i].source < first))
            first = others[i].source;
    return first;
}

static enum ext_source find_timer(struct cpu *c)
{
    unsigned due = cpu_timers_due(c);
    return due & TIMER_COMPARATOR ? EXT_CKC : due & TIMER_CPU ? EXT_CPUTM : EXT_NONE;
}

static enum ext_source earlier(enum ext_source a, enum ext_source b)
{
    return a == EXT_NONE || (b != EXT_NONE && b < a) ? b : a;
}

/* The enabled source of highest priority. */
static enum ext_source ext_find(struct cpu *c)
{
    u32 pending = atomic_load(&c->pending);
    if (!(c->psw.mask & PSW_EXT))
        return EXT_NONE;
    enum ext_source found = pending ? find_flagged(c, pending) : EXT_NONE;
    if (found != EXT_NONE && found < EXT_CKC)
        return found;
    found = earlier(found, find_timer(c));
    if (atomic_load(&c->set->service_pending) && (c->cr[0] & CR0_SERVICE))
        found = earlier(found, EXT_SERVICE);
    return found;
}

bool external_service_enabled(const struct cpu *c)
{
    return (c->psw.mask & PSW_EXT) && (c->cr[0] & CR0_SERVICE);
}

bool external_enabled(struct cpu *c)
{
    return ext_find(c) != EXT_NONE;
}

unsigned external_pending(struct cpu *c, u16 codes[CPU_EXTERNALS_MAX])
{
    static const struct {
        u32 flag;
        u16 code;
    } own[] = {{PEND_INTERRUPT_KEY, CODE_INTERRUPT_KEY},
               {PEND_MALFUNCTION, CODE_MALFUNCTION},
               {PEND_EMERGENCY, CODE_EMERGENCY},
               {PEND_EXTERNAL_CALL, CODE_CALL}};
    _Static_assert(ARRAY_LEN(own) + EXT_OTHERS + 3 <= CPU_EXTERNALS_MAX, "all have room");
    u32 pending = atomic_load(&c->pending);
    unsigned n = 0, due = cpu_timers_due(c);
    for (unsigned i = 0; i < ARRAY_LEN(own); i++)
        if (pending & own[i].flag)
            codes[n++] = own[i].code;
    if (due & TIMER_COMPARATOR)
        codes[n++] = CODE_CKC;
    if (due & TIMER_CPU)
        codes[n++] = CODE_CPUTM;
    if (atomic_load(&c->set->service_pending))
        codes[n++] = CODE_SERVICE;
    lock_take(&c->set->lock);
    for (unsigned i = 0; i < EXT_OTHERS; i++)
        if (pending & other_pend(i))
            codes[n++] = c->ext_other_code[i];
    lock_drop(&c->set->lock);
    return n;
}

/* ---- taking one ---- */

/* One of several CPUs that wait in *from; the flag stays while others do. */
static u16 sender_take(struct cpu *c, _Atomic u64 *from, u32 flag)
{
    u64 all = atomic_load(from);
    unsigned first = all ? (unsigned)__builtin_ctzll(all) : 0;
    all &= ~(1ull << first);
    atomic_store(from, all);
    if (!all)
        atomic_fetch_and(&c->pending, ~flag);
    return (u16)first;
}

/* The service signal belongs to all CPUs: the first to ask the ports gets it. */
static bool service_take(struct cpu *c, struct ext_interruption *e)
{
    struct cpu_service found = {0};
    if (!atomic_exchange(&c->set->service_pending, 0) || !c->ports->take_service ||
        !c->ports->take_service(c->ports_ctx, &found))
        return false;
    *e = (struct ext_interruption){.code = found.code,
                                   .cpu_addr = found.subcode,
                                   .has_parm = true,
                                   .has_parm64 = found.wide,
                                   .parm = found.parm,
                                   .parm64 = found.parm64};
    return true;
}

static bool other_take_locked(struct cpu *c, unsigned i, struct ext_interruption *e)
{
    if (i == EXT_OTHERS)
        return false;
    atomic_fetch_and(&c->pending, ~other_pend(i));
    *e = (struct ext_interruption){.code = c->ext_other_code[i],
                                   .has_parm = true,
                                   .has_parm64 = i == 0,
                                   .parm = c->ext_other_parm[i],
                                   .parm64 = c->ext_other_parm64[i]};
    return true;
}

/* Dequeue a source of this CPU alone. Caller holds set->lock. */
static bool ext_dequeue_locked(struct cpu *c, enum ext_source source,
                               struct ext_interruption *e)
{
    *e = (struct ext_interruption){0};
    switch (source) {
    case EXT_INTERRUPT_KEY:
        atomic_fetch_and(&c->pending, ~PEND_INTERRUPT_KEY);
        e->code = CODE_INTERRUPT_KEY;
        return true;
    case EXT_MALFUNCTION:
        e->code = CODE_MALFUNCTION;
        e->cpu_addr = sender_take(c, &c->malfunction_from, PEND_MALFUNCTION);
        return true;
    case EXT_EMERGENCY:
        e->code = CODE_EMERGENCY;
        e->cpu_addr = sender_take(c, &c->emergency_from, PEND_EMERGENCY);
        return true;
    case EXT_CALL:
        e->code = CODE_CALL;
        e->cpu_addr = (u16)atomic_load(&c->external_call_from);
        atomic_fetch_and(&c->pending, ~PEND_EXTERNAL_CALL);
        return true;
    case EXT_CKC: /* these two stay pending */
        c->clock_streak++;
        e->code = CODE_CKC;
        return true;
    case EXT_CPUTM:
        c->clock_streak++;
        e->code = CODE_CPUTM;
        return true;
    default: return other_take_locked(c, other_of(source), e);
    }
}

/* Dequeue `source`; false when another CPU was first. */
static bool ext_dequeue(struct cpu *c, enum ext_source source, struct ext_interruption *e)
{
    if (source == EXT_SERVICE)
        return service_take(c, e);
    lock_take(&c->set->lock);
    bool mine = ext_dequeue_locked(c, source, e);
    lock_drop(&c->set->lock);
    if (mine && (source == EXT_VMCF || source == EXT_IUCV) && c->ports->take_message)
        return c->ports->take_message(c->ports_ctx, c->addr, e->code);
    return mine;
}

static void present(struct cpu *c, const struct ext_interruption *e)
{
    u8 block[8];
    be32_store(block, e->parm);
    be16_store(block + 4, e->cpu_addr);
    be16_store(block + 6, e->code);
    if (e->has_parm)
        storage_write(c->st, c->prefix + LC_EXT_PARM, block, 8);
    else
        storage_write(c->st, c->prefix + LC_EXT_CPU_ADDR, block + 4, 4);
    be64_store(block, e->parm64);
    if (e->has_parm64)
        storage_write(c->st, c->prefix + LC_EXT_PARM64, block, 8);
    cpu_interruption_psws(c, LC_EXT_OLD, LC_EXT_NEW);
}

bool external_take(struct cpu *c)
{
    struct ext_interruption e;
    enum ext_source source = ext_find(c);
    if (source == EXT_NONE || !ext_dequeue(c, source, &e))
        return false;
    present(c, &e);
    return true;
}

void cpu_external_now(struct cpu *c, u16 code, u16 subcode, u64 parm64)
{
    PRE(!atomic_load(&c->in_run) && external_service_enabled(c));
    present(c, &(struct ext_interruption){.code = code,
                                          .cpu_addr = subcode,
                                          .has_parm = true,
                                          .has_parm64 = true,
                                          .parm64 = parm64});
}
