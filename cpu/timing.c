/* Timing: TOD clock, clock comparator, CPU timer (PoP chapter 4, "Timing").
 * Guarantees: what STCK or STCKE gives is greater than what any CPU of the set got before, as
 * long as nobody sets the clock, whatever the host's clock does; STCKF never falls behind them.
 * The CPU timer runs only while its CPU is operating, and is not touched by setting the clock.
 * The guest's TOD clock is the host's plus the epoch of the set. */
#include "cpu/insn/control.h"

/* Function codes of PTFF. */
enum ptff_function {
    PTFF_QAF = 0x00,
    PTFF_QTO = 0x01,
    PTFF_QSI = 0x02,
    PTFF_QPT = 0x03,
    PTFF_ATO = 0x40,
    PTFF_STO = 0x41,
};

/* ---- CPU timer ---- */

static u64 host_tod(const struct cpu *c)
{
    return c->ports->tod(c->ports_ctx);
}

/* In host TOD: SET CLOCK, here or on another CPU, does not move the timer. */
u64 cpu_timer_get(struct cpu *c)
{
    if (!c->cputm_running)
        return c->cputm_base;
    return c->cputm_base - (host_tod(c) - c->cputm_start);
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

bool cpu_comparator_due(struct cpu *c)
{
    return c->ckc < cpu_guest_tod(c);
}

/* ---- TOD clock ---- */

/* A value greater than the last one given on any CPU. The order is kept in host TOD, so that
 * setting the clock needs no reset here that another CPU's execution could overtake. */
static u64 tod_unique(struct cpu *c)
{
    u64 host = host_tod(c), next;
    u64 last = atomic_load(&c->set->tod_last);
    do
        next = host > last ? host : last + 1;
    while (!atomic_compare_exchange_weak(&c->set->tod_last, &last, next));
    return next + atomic_load(&c->set->epoch_tod);
}

u64 cpu_tod_next(struct cpu *c)
{
    u64 host = host_tod(c), last = atomic_load(&c->set->tod_last);
    return (host > last ? host : last + 1) + atomic_load(&c->set->epoch_tod);
}

/* Change the epoch. CPUs that sleep until their clock comparator have to look again. */
static void epoch_set(struct cpu *c, u64 epoch)
{
    atomic_store(&c->set->epoch_tod, epoch);
    for (unsigned i = 0; i < c->set->count; i++)
        if (i != c->addr)
            c->ports->wake(c->ports_ctx, i);
}

int timing_store_clock(struct cpu *c, u64 ea, unsigned b, bool fast)
{
    TRY(access_probe(c, ea, b, 8, TLB_STORE));
    TRY(store_u64(c, ea, b, fast ? cpu_tod_next(c) : tod_unique(c)));
    c->cc = 0;
    return 0;
}

int timing_store_clock_extended(struct cpu *c, u64 ea, unsigned b)
{
    u8 v[16] = {0};
    be64_store(v + 1, tod_unique(c));
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

int timing_set_clock(struct cpu *c, u64 ea, unsigned b)
{
    u64 v;
    TRY(fetch_aligned(c, ea, b, &v));
    epoch_set(c, v - host_tod(c));
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

/* ---- PERFORM TIMING FACILITY FUNCTION ---- */

/* Parameter block of a query, built in `block`; returns its length, 0 for no query. */
static unsigned ptff_query(struct cpu *c, unsigned function, u8 *block)
{
    u64 epoch = atomic_load(&c->set->epoch_tod);
    memset(block, 0, 56);
    be64_store(block, host_tod(c));
    switch (function) {
    case PTFF_QAF:
        memset(block, 0, 16);
        block[0] = 0xf0; /* codes 0 to 3 */
        block[8] = 0xc0; /* codes 64 and 65 */
        return 16;
    case PTFF_QTO:
        be64_store(block + 16, epoch); /* logical TOD offset */
        be64_store(block + 24, epoch); /* TOD epoch difference */
        return 32;
    case PTFF_QSI: return 56;
    case PTFF_QPT: return 8;
    default: return 0;
    }
}

/* Adjust or set the TOD offset. */
static int ptff_control(struct cpu *c, unsigned function, u64 ea)
{
    u64 v;
    if (problem_state(c))
        return PGM_PRIVILEGED;
    TRY(load_u64(c, ea, 1, &v));
    epoch_set(c, function == PTFF_ATO ? atomic_load(&c->set->epoch_tod) + v : v);
    c->cc = 0;
    return CPU_RESYNC;
}

int timing_perform_function(struct cpu *c)
{
    u8 block[56];
    unsigned function = gr32(c, 0) & 0x7f;
    if (gr32(c, 0) & 0x80)
        return PGM_SPECIFICATION;
    u64 ea = reg_addr(c, 1);
    if (function == PTFF_ATO || function == PTFF_STO)
        return ptff_control(c, function, ea);
    unsigned len = ptff_query(c, function, block);
    if (len == 0) {
        c->cc = 3;
        return 0;
    }
    TRY(access_put(c, ea, 1, block, len));
    c->cc = 0;
    return 0;
}
