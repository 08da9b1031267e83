/* Machine checks (PoP chapter 11): conditions pending for one CPU or floating, the interruption
 * with its register save areas, the check-stop state.
 * Guarantees: an exigent condition (system damage, instruction-processing damage) that meets a CPU
 * disabled for machine checks check-stops it; repressible ones wait for their subclass mask in
 * CR14. All enabled conditions that are pending come with one interruption. A CPU that enters the
 * check-stop state sends a malfunction alert to each other CPU of the configuration. */
#include "cpu/insn/control.h"

#define MCIC_BIT(n) CR_BIT(n)
#define MCIC_SYSTEM_DAMAGE MCIC_BIT(0)
#define MCIC_PROCESSING_DAMAGE MCIC_BIT(1)
#define MCIC_SYSTEM_RECOVERY MCIC_BIT(2)
#define MCIC_TIMING_DAMAGE MCIC_BIT(4)
#define MCIC_EXTERNAL_DAMAGE MCIC_BIT(5)
#define MCIC_DEGRADATION MCIC_BIT(7)
#define MCIC_WARNING MCIC_BIT(8)
#define MCIC_CHANNEL_REPORT MCIC_BIT(9)
#define MCIC_SERVICE_PROCESSOR MCIC_BIT(10)
#define MCIC_CHANNEL_SUBSYSTEM MCIC_BIT(11)
#define MCIC_FAILING_ADDRESS MCIC_BIT(24)
#define MCIC_VECTOR_VALID MCIC_BIT(25)
#define MCIC_DAMAGE_CODE MCIC_BIT(26)
#define MCIC_EXIGENT (MCIC_SYSTEM_DAMAGE | MCIC_PROCESSING_DAMAGE)
#define MCIC_LOCAL                                                                             \
    (MCIC_EXIGENT | MCIC_SYSTEM_RECOVERY | MCIC_TIMING_DAMAGE | MCIC_EXTERNAL_DAMAGE |         \
     MCIC_DEGRADATION | MCIC_SERVICE_PROCESSOR | MCIC_CHANNEL_SUBSYSTEM)
/* Backed up; storage and key errors; delayed access exception: they tell about damage. */
#define MCIC_ABOUT_DAMAGE                                                                      \
    (MCIC_BIT(14) | MCIC_BIT(16) | MCIC_BIT(17) | MCIC_BIT(18) | MCIC_BIT(19) |                \
     MCIC_FAILING_ADDRESS | MCIC_BIT(32) | MCIC_BIT(34))
/* Bits 20-23 PSW, 27 FPRs, 28 GRs, 29 CRs, 31 storage, 33 ARs, 42 TODPR, 43 FPC, 46, 47 timers. */
#define MCIC_VALID 0x00000f1d40330000ull

#define CR14_CHANNEL_REPORT CR_BIT(35)
#define CR14_RECOVERY CR_BIT(36)
#define CR14_DEGRADATION CR_BIT(37)
#define CR14_EXTERNAL_DAMAGE CR_BIT(38)
#define CR14_WARNING CR_BIT(39)

enum lowcore {
    LC_ARCH_MODE = 0xa3,
    LC_MCK_CODE = 0xe8,
    LC_EXTERNAL_DAMAGE = 0xf4,
    LC_FAILING_ADDRESS = 0xf8,
    LC_MCK_OLD = 0x160,
    LC_MCK_NEW = 0x1e0,
    LC_EXTENDED_AREA = 0x11c0, /* machine-check extended save area designation */
    LC_SAVE_AREA = 0x1200,
};
#define EXTENDED_AREA_ORIGIN (~0x3ffull)
#define VECTOR_AREA_BYTES 512u

/* ---- what is pending ---- */

void cpu_machine_check(struct cpu *c, const struct cpu_machine_check *what)
{
    struct cpu_set *set = c->set;
    lock_take(&set->lock);
    c->mck_conditions |= what->mcic & (MCIC_LOCAL | MCIC_ABOUT_DAMAGE | MCIC_DAMAGE_CODE);
    c->mck_invalid |= what->invalid & MCIC_VALID;
    if (what->mcic & MCIC_FAILING_ADDRESS)
        c->mck_failing = what->failing_storage;
    if (what->mcic & MCIC_DAMAGE_CODE)
        c->mck_damage_code = what->external_damage;
    if (c->mck_conditions & MCIC_LOCAL)
        atomic_fetch_or(&c->pending, PEND_MACHINE_CHECK);
    lock_drop(&set->lock);
    if (what->mcic & MCIC_WARNING)
        atomic_store(&set->warning_pending, 1);
    if (what->mcic & MCIC_CHANNEL_REPORT)
        atomic_store(&set->crw_pending, 1);
    for (unsigned i = 0; i < set->count; i++)
        set->ports->wake(set->ports_ctx, i);
}

static u64 floating_pending(const struct cpu_set *set)
{
    return (atomic_load(&set->crw_pending) ? MCIC_CHANNEL_REPORT : 0) |
           (atomic_load(&set->warning_pending) ? MCIC_WARNING : 0);
}

static u64 local_pending(const struct cpu *c)
{
    return atomic_load(&c->pending) & PEND_MACHINE_CHECK ? c->mck_conditions & MCIC_LOCAL : 0;
}

/* The subclasses that CR14 lets through. */
static u64 subclasses_enabled(const struct cpu *c)
{
    u64 masks = c->cr[14], on = MCIC_EXIGENT;
    on |= masks & CR14_CHANNEL_REPORT ? MCIC_CHANNEL_REPORT : 0;
    on |= masks & CR14_RECOVERY ? MCIC_SYSTEM_RECOVERY : 0;
    on |= masks & CR14_DEGRADATION ? MCIC_DEGRADATION : 0;
    on |= masks & CR14_WARNING ? MCIC_WARNING : 0;
    if (masks & CR14_EXTERNAL_DAMAGE)
        on |= MCIC_EXTERNAL_DAMAGE | MCIC_TIMING_DAMAGE | MCIC_SERVICE_PROCESSOR |
              MCIC_CHANNEL_SUBSYSTEM;
    return on;
}

u64 machine_check_pending(const struct cpu *c)
{
    return local_pending(c) | floating_pending(c->set);
}

bool machine_check_enabled(struct cpu *c)
{
    return (c->psw.mask & PSW_MCHK) && (machine_check_pending(c) & subclasses_enabled(c));
}

/* ---- the interruption ---- */

/** What one interruption presents. */
struct presented {
    u64 mcic;
    u64 failing;
    u32 damage_code;
};

/* Floating conditions go to the CPU that clears the flag. */
static u64 floating_take(struct cpu *c, u64 enabled)
{
    u64 taken = 0;
    if ((enabled & MCIC_CHANNEL_REPORT) && atomic_exchange(&c->set->crw_pending, 0))
        taken |= MCIC_CHANNEL_REPORT;
    if ((enabled & MCIC_WARNING) && atomic_exchange(&c->set->warning_pending, 0))
        taken |= MCIC_WARNING;
    return taken;
}

/* Own conditions, with what belongs to them. set->lock held. */
static u64 local_take_locked(struct cpu *c, u64 enabled)
{
    u64 taken = c->mck_conditions & MCIC_LOCAL & enabled;
    if (taken & (MCIC_EXIGENT | MCIC_SYSTEM_RECOVERY))
        taken |= c->mck_conditions & MCIC_ABOUT_DAMAGE;
    if (taken & MCIC_EXTERNAL_DAMAGE)
        taken |= c->mck_conditions & MCIC_DAMAGE_CODE;
    c->mck_conditions &= ~taken;
    if (!(c->mck_conditions & MCIC_LOCAL))
        atomic_fetch_and(&c->pending, ~PEND_MACHINE_CHECK);
    return taken;
}

static bool dequeue(struct cpu *c, struct presented *p)
{
    u64 enabled = subclasses_enabled(c);
    lock_take(&c->set->lock);
    u64 local = local_take_locked(c, enabled);
    p->mcic = local | floating_take(c, enabled);
    p->failing = c->mck_failing;
    p->damage_code = c->mck_damage_code;
    if (p->mcic) {
        p->mcic |= MCIC_VALID & ~(local ? c->mck_invalid : 0);
        c->mck_invalid = local ? 0 : c->mck_invalid;
    }
    lock_drop(&c->set->lock);
    return p->mcic != 0;
}

/* Vector registers go where real 4544 says, when there are any; true when they were stored. */
static bool store_extended(struct cpu *c)
{
    u8 word[8], area[VECTOR_AREA_BYTES];
    if (!has_facility(c, FAC_VX) ||
        !storage_read(c->st, c->prefix + LC_EXTENDED_AREA, word, sizeof word))
        return false;
    u64 origin = be64_load(word) & EXTENDED_AREA_ORIGIN;
    for (unsigned i = 0; i < 32; i++) {
        be64_store(area + 16 * i, c->vr[i][0]);
        be64_store(area + 16 * i + 8, c->vr[i][1]);
    }
    return origin && storage_write(c->st, origin, area, sizeof area);
}

static void lowcore_store(struct cpu *c, u64 real, u64 v, unsigned len)
{
    u8 bytes[8];
    be64_store(bytes, v);
    storage_write(c->st, c->prefix + real, bytes + 8 - len, len);
}

bool machine_check_take(struct cpu *c)
{
    struct presented p;
    if (!machine_check_enabled(c) || !dequeue(c, &p))
        return false;
    cpu_store_registers(c, c->prefix + LC_SAVE_AREA);
    if (store_extended(c))
        p.mcic |= MCIC_VECTOR_VALID;
    lowcore_store(c, LC_ARCH_MODE, 1, 1);
    lowcore_store(c, LC_MCK_CODE, p.mcic, 8);
    if (p.mcic & MCIC_DAMAGE_CODE)
        lowcore_store(c, LC_EXTERNAL_DAMAGE, p.damage_code, 4);
    if (p.mcic & MCIC_FAILING_ADDRESS)
        lowcore_store(c, LC_FAILING_ADDRESS, p.failing, 8);
    cpu_interruption_psws(c, LC_MCK_OLD, LC_MCK_NEW);
    return true;
}

/* ---- check-stop ---- */

void cpu_check_stop(struct cpu *c)
{
    struct cpu_set *set = c->set;
    cpu_timer_run(c, false);
    c->state = CPU_STATE_CHECK_STOP;
    lock_take(&set->lock);
    for (unsigned i = 0; i < set->count; i++)
        if (set->cpus[i] != c) {
            atomic_fetch_or(&set->cpus[i]->malfunction_from, 1ull << c->addr);
            atomic_fetch_or(&set->cpus[i]->pending, PEND_MALFUNCTION);
        }
    lock_drop(&set->lock);
    for (unsigned i = 0; i < set->count; i++)
        if (set->cpus[i] != c)
            set->ports->wake(set->ports_ctx, i);
}

bool machine_check_fatal(struct cpu *c)
{
    if (!(local_pending(c) & MCIC_EXIGENT) || (c->psw.mask & PSW_MCHK))
        return false;
    cpu_check_stop(c);
    return true;
}

void cpu_machine_check_reset(struct cpu *c)
{
    c->mck_conditions = c->mck_invalid = c->mck_failing = 0;
    c->mck_damage_code = 0;
    atomic_store(&c->malfunction_from, 0);
}
