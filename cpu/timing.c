/* Timing: TOD clock, clock comparator, CPU timer (PoP chapter 4, "Timing").
 * Guarantees: what STCK or STCKE gives is greater than what any CPU of the set got before, as
 * long as nobody sets the clock, whatever the host's clock does; STCKF never falls behind them.
 * The CPU timer runs only while its CPU is operating and not made to wait for a processor, and is
 * not touched by setting the clock.
 * The guest's TOD clock follows the host's, the physical clock, by offset and rates (tod.c). */
#include "cpu/insn/control.h"

#define CR0_COMPARATOR_SIGN CR_BIT(10)
#define CR0_TRACE_TOD CR_BIT(32)

/* ---- CPU timer ---- */

static u64 host_tod(const struct cpu *c)
{
    return c->ports->tod(c->ports_ctx);
}

/* In host TOD: SET CLOCK, here or on another CPU, does not move the timer. */
static u64 cpu_timer_at(const struct cpu *c, u64 physical)
{
    return c->cputm_running ? c->cputm_base - (physical - c->cputm_start) : c->cputm_base;
}

u64 cpu_timer_get(struct cpu *c)
{
    return cpu_timer_at(c, c->cputm_running ? host_tod(c) : 0);
}

void cpu_timer_set(struct cpu *c, u64 value)
{
    c->cputm_base = value;
    c->cputm_start = host_tod(c);
}

void cpu_timer_run(struct cpu *c, bool running)
{
    if (running == c->cputm_running)
        return;
    cpu_timer_set(c, cpu_timer_get(c));
    c->cputm_running = running;
}

/* One unit less: the timer never goes up by what rounding adds. */
void cpu_waited(struct cpu *c, u64 tod)
{
    if (c->cputm_running && tod)
        c->cputm_start += tod - 1;
}

/* ---- clock comparator ---- */

/* With the multiple-epoch facility CR0 may ask for a signed comparison. */
static bool comparator_signed(const struct cpu *c)
{
    return (c->cr[0] & CR0_COMPARATOR_SIGN) && has_facility(c, FAC_MEPOCH);
}

static bool comparator_due(const struct cpu *c, u64 now)
{
    return comparator_signed(c) ? (s64)c->ckc < (s64)now : c->ckc < now;
}

bool cpu_comparator_due(struct cpu *c)
{
    return comparator_due(c, cpu_guest_tod(c));
}

unsigned cpu_timers_due(struct cpu *c)
{
    unsigned due = 0;
    if (!(c->cr[0] & (CR0_CKC | CR0_CPUTM)))
        return 0;
    u64 physical = host_tod(c);
    if ((c->cr[0] & CR0_CKC) && comparator_due(c, cpu_guest_tod_at(c, physical)))
        due |= TIMER_COMPARATOR;
    if ((c->cr[0] & CR0_CPUTM) && (s64)cpu_timer_at(c, physical) < 0)
        due |= TIMER_CPU;
    return due;
}

/* TOD units until the comparator is due; ~0: it will not be. */
static u64 comparator_left(struct cpu *c)
{
    u64 last = comparator_signed(c) ? ~0ull >> 1 : ~0ull;
    u64 now = cpu_guest_tod(c);
    if (comparator_due(c, now))
        return 0;
    return c->ckc == last ? ~0ull : c->ckc - now;
}

u64 cpu_wait_left(struct cpu *c)
{
    u64 left = ~0ull;
    if (!(c->psw.mask & PSW_EXT))
        return left;
    if (c->cr[0] & CR0_CKC)
        left = comparator_left(c);
    if (c->cr[0] & CR0_CPUTM) {
        s64 timer = (s64)cpu_timer_get(c);
        u64 until = timer < 0 ? 0 : (u64)timer;
        left = until < left ? until : left;
    }
    return left;
}

/* ---- TOD clock ---- */

/* The least physical clock whose TOD clock is greater than any given by STCK before. The order
 * is kept there, so that setting the clock needs no reset here that another CPU's execution
 * could overtake; a clock that is steered may show one value for two of the physical clock. */
static u64 physical_next(struct cpu *c, u64 last)
{
    u64 physical = host_tod(c);
    u64 step = atomic_load(&c->set->clock.rate) ? 2 : 1;
    return physical >= last + step ? physical : last + step;
}

static u128 tod_unique(struct cpu *c)
{
    struct tod_clock *k = &c->set->clock;
    u64 next, last = atomic_load(&k->last);
    do
        next = physical_next(c, last);
    while (!atomic_compare_exchange_weak(&k->last, &last, next));
    return tod_at(k, next);
}

u64 cpu_tod_next(struct cpu *c)
{
    struct tod_clock *k = &c->set->clock;
    return (u64)tod_at(k, physical_next(c, atomic_load(&k->last)));
}

u64 cpu_tod_for_trace(struct cpu *c)
{
    bool fast = (c->cr[0] & CR0_TRACE_TOD) && has_facility(c, FAC_STCKF);
    return fast ? cpu_tod_next(c) : (u64)tod_unique(c);
}

/* From where on a change holds: what STCK has given came before. */
u64 timing_physical(struct cpu *c)
{
    u64 physical = host_tod(c), last = atomic_load(&c->set->clock.last);
    return physical > last ? physical : last;
}

/* CPUs that sleep until their clock comparator have to look again. */
void timing_changed(struct cpu *c)
{
    for (unsigned i = 0; i < c->set->count; i++)
        if (i != c->addr)
            c->ports->wake(c->ports_ctx, i);
}

int timing_store_clock(struct cpu *c, u64 ea, unsigned b, bool fast)
{
    TRY(access_probe(c, ea, b, 8, TLB_STORE));
    TRY(store_u64(c, ea, b, fast ? cpu_tod_next(c) : (u64)tod_unique(c)));
    c->cc = 0;
    return 0;
}

int timing_store_clock_extended(struct cpu *c, u64 ea, unsigned b)
{
    u8 v[16] = {0};
    u128 tod = tod_unique(c);
    if (has_facility(c, FAC_MEPOCH))
        v[0] = (u8)(tod >> 64); /* epoch index */
    be64_store(v + 1, (u64)tod);
    v[13] = 1; /* bits 72-111 are never all zero while the clock runs */
    be16_store(v + 14, (u16)c->todpr);
    TRY(access_put(c, ea, b, v, sizeof v));
    c->cc = 0;
    return 0;
}

/* Aligned doubleword operand of the privileged timing instructions. */
static int fetch_aligned(struct cpu *c, u64 ea, unsigned b, u64 *v)
{
    if (ea & 7)
        return PGM_SPECIFICATION;
    return load_u64(c, ea, b, v);
}

static int store_aligned(struct cpu *c, u64 ea, unsigned b, u64 v)
{
    if (ea & 7)
        return PGM_SPECIFICATION;
    return store_u64(c, ea, b, v);
}

/* To `v`, the epoch index to zero. */
static void clock_set(struct cpu *c, u64 v)
{
    struct tod_clock *k = &c->set->clock;
    lock_take(&c->set->lock);
    u64 physical = host_tod(c);
    k->new.start = physical;
    k->new.base = (s128)v - physical;
    tod_change(k);
    lock_drop(&c->set->lock);
    timing_changed(c);
}

int timing_set_clock(struct cpu *c, u64 ea, unsigned b)
{
    u64 v;
    TRY(fetch_aligned(c, ea, b, &v));
    clock_set(c, v);
    c->cc = 0;
    return CPU_RESYNC;
}

int timing_set_comparator(struct cpu *c, u64 ea, unsigned b)
{
    TRY(fetch_aligned(c, ea, b, &c->scratch));
    c->ckc = c->scratch;
    return CPU_RESYNC;
}

int timing_store_comparator(struct cpu *c, u64 ea, unsigned b)
{
    return store_aligned(c, ea, b, c->ckc);
}

int timing_set_timer(struct cpu *c, u64 ea, unsigned b)
{
    u64 v;
    TRY(fetch_aligned(c, ea, b, &v));
    cpu_timer_set(c, v);
    return CPU_RESYNC;
}

int timing_store_timer(struct cpu *c, u64 ea, unsigned b)
{
    return store_aligned(c, ea, b, cpu_timer_get(c));
}

int timing_set_programmable(struct cpu *c)
{
    if (gr32(c, 0) & 0xffff0000u)
        return PGM_SPECIFICATION;
    c->todpr = gr32(c, 0);
    return 0;
}

int timing_extract_cpu_time(struct cpu *c, const struct dinsn *d)
{
    u64 first, second, third;
    unsigned r3 = d->r1;
    TRY(load_u64(c, ea_1(c, d), d->r2, &first));
    TRY(load_u64(c, ea_2(c, d), d->b2, &second));
    TRY(load_u64(c, reg_addr(c, r3), r3, &third));
    c->gr[0] = first - cpu_timer_get(c);
    c->gr[1] = second;
    c->gr[r3] = third;
    return 0;
}
