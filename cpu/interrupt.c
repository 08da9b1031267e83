/* Interruptions: storing the old PSW and the codes, loading the new PSW (PoP chapter 6).
 * Guarantees: an interruption is taken whole; a new PSW that is invalid leads to the early
 * specification exception, and when the program new PSW itself is invalid to the check-stop
 * state. Assigned storage lies in the two frames at the prefix; SET PREFIX has checked them. */
#include "cpu/insn/control.h"

#define PSW_UNASSIGNED 0xb80800fe7fffffffull

/* Assigned storage locations (PoP chapter 3, "Assigned Storage Locations"). */
enum lowcore {
    LC_EXT_PARM = 0x80,
    LC_EXT_CPU_ADDR = 0x84,
    LC_EXT_CODE = 0x86,
    LC_SVC_ILC = 0x88,
    LC_PGM_ILC = 0x8c,
    LC_DATA_CODE = 0x90,
    LC_MONITOR_CLASS = 0x94,
    LC_EXC_ACCESS_ID = 0xa0,
    LC_OP_ACCESS_ID = 0xa2,
    LC_ARCH_MODE = 0xa3,
    LC_TEID = 0xa8,
    LC_MONITOR_CODE = 0xb0,
    LC_IO_SUBSYSTEM_ID = 0xb8,
    LC_IO_PARM = 0xbc,
    LC_IO_ID_WORD = 0xc0,
    LC_MCK_CODE = 0xe8,
    LC_BEAR = 0x110,
    LC_RST_OLD = 0x120,
    LC_EXT_OLD = 0x130,
    LC_SVC_OLD = 0x140,
    LC_PGM_OLD = 0x150,
    LC_MCK_OLD = 0x160,
    LC_IO_OLD = 0x170,
    LC_RST_NEW = 0x1a0,
    LC_EXT_NEW = 0x1b0,
    LC_SVC_NEW = 0x1c0,
    LC_PGM_NEW = 0x1d0,
    LC_MCK_NEW = 0x1e0,
    LC_IO_NEW = 0x1f0,
    LC_EXT_PARM64 = 0x11b8,
    LC_SAVE_AREA = 0x1200,
};

#define CR14_CHANNEL_REPORT CR_BIT(35)
#define MCIC_CHANNEL_REPORT 0x00400f1d40330000ull /* and everything stored valid */

/* Subclass masks in CR0. */
#define CR0_EMERGENCY CR_BIT(49)
#define CR0_EXTERNAL_CALL CR_BIT(50)
#define CR0_CKC CR_BIT(52)
#define CR0_CPUTM CR_BIT(53)
#define CR0_SERVICE CR_BIT(54)
#define CR0_INTERRUPT_KEY CR_BIT(57)
#define CR0_MEASUREMENT_ALERT CR_BIT(58)
#define CR0_TIMING_ALERT CR_BIT(59)
#define CR0_IUCV CR_BIT(62)
#define CR0_VMCF CR_BIT(63)

bool cpu_psw_valid(u64 mask, u64 addr)
{
    if (mask & PSW_UNASSIGNED)
        return false;
    if (mask & PSW_EA)
        return (mask & PSW_BA) != 0;
    return addr >> (mask & PSW_BA ? 31 : 24) == 0;
}

/* ---- storing and loading ---- */

/* The first frame of the prefix area, about to be stored into. */
static u8 *lowcore_begin(struct cpu *c)
{
    storage_mark_frame(c->st, c->prefix);
    return c->st->base + c->prefix;
}

static void lowcore_end(struct cpu *c)
{
    if (unlikely(
            atomic_load_explicit(&c->st->code[c->prefix >> FRAME_SHIFT], memory_order_relaxed)))
        storage_code_stored(c->st, c->prefix, 512);
}

/* Exchange PSWs; false when the new one is invalid. */
static bool psw_exchange(struct cpu *c, unsigned old_at, unsigned new_at)
{
    u8 *lc = lowcore_begin(c);
    be64_store(lc + old_at, psw_mask(c));
    be64_store(lc + old_at + 8, c->psw.addr);
    lowcore_end(c);
    u64 mask = be64_load(lc + new_at), addr = be64_load(lc + new_at + 8);
    cpu_load_psw(c, mask, addr);
    return cpu_psw_valid(mask, addr);
}

/* Early exception recognition after any PSW but the program new PSW was introduced. */
static void early_exception(struct cpu *c, bool valid)
{
    if (likely(valid))
        return;
    c->ilc = 0;
    cpu_program_interruption(c, PGM_SPECIFICATION);
}

int cpu_introduce_psw(struct cpu *c, u64 mask, u64 addr)
{
    cpu_load_psw(c, mask, addr);
    early_exception(c, cpu_psw_valid(mask, addr));
    return CPU_PSW_LOADED;
}

void cpu_set_operating(struct cpu *c, bool operating)
{
    c->state = operating ? CPU_STATE_OPERATING : CPU_STATE_STOPPED;
    cpu_timer_run(c, operating);
}

/* ---- program and supervisor call ---- */

#define ENDING_N true
#define ENDING_S false
#define ENDING_C false

/* Does the old PSW point at the instruction instead of behind it? */
static bool pgm_nullifies(unsigned code)
{
    switch (code) {
#define PGM(id, value, ending, title)                                                          \
    case value:                                                                                \
        return ENDING_##ending;
#include "cpu/pgm.def"
#undef PGM
    default: return false;
    }
}

static bool pgm_has_teid(unsigned code)
{
    return code == PGM_PROTECTION || code == PGM_SPACE_SWITCH ||
           code == PGM_SEGMENT_TRANSLATION || code == PGM_PAGE_TRANSLATION ||
           (code >= PGM_ASCE_TYPE && code <= PGM_REGION_THIRD) ||
           (code >= PGM_AFX_TRANSLATION && code <= PGM_SECONDARY_AUTHORITY);
}

static bool pgm_has_access_id(unsigned code)
{
    if (pgm_has_teid(code))
        return code < PGM_SPACE_SWITCH || code >= PGM_ASCE_TYPE;
    return code >= PGM_ALET_SPECIFICATION && code <= PGM_EXTENDED_AUTHORITY;
}

static void pgm_store_details(struct cpu *c, u8 *lc, unsigned code)
{
    if (pgm_has_teid(code))
        be64_store(lc + LC_TEID, c->teid);
    if (pgm_has_access_id(code)) {
        lc[LC_EXC_ACCESS_ID] = c->exc_ar;
        lc[LC_OP_ACCESS_ID] = c->op_access_id;
    }
    if (code == PGM_DATA)
        be32_store(lc + LC_DATA_CODE, c->dxc);
    if (code == PGM_MONITOR) {
        be16_store(lc + LC_MONITOR_CLASS, c->monitor_class);
        be64_store(lc + LC_MONITOR_CODE, c->monitor_code);
    }
}

int cpu_program_interruption(struct cpu *c, unsigned code)
{
    if (pgm_nullifies(code))
        c->psw.addr = (c->psw.addr - c->ilc) & c->amask;
    u8 *lc = lowcore_begin(c);
    lc[LC_PGM_ILC] = 0;
    lc[LC_PGM_ILC + 1] = c->ilc;
    be16_store(lc + LC_PGM_ILC + 2, (u16)code);
    pgm_store_details(c, lc, code);
    be64_store(lc + LC_BEAR, c->bear);
    if (psw_exchange(c, LC_PGM_OLD, LC_PGM_NEW))
        return 0;
    cpu_timer_run(c, false);
    c->state = CPU_STATE_CHECK_STOP;
    return 1;
}

int cpu_svc_interruption(struct cpu *c, u8 number)
{
    u8 *lc = lowcore_begin(c);
    lc[LC_SVC_ILC] = 0;
    lc[LC_SVC_ILC + 1] = c->ilc;
    be16_store(lc + LC_SVC_ILC + 2, number);
    early_exception(c, psw_exchange(c, LC_SVC_OLD, LC_SVC_NEW));
    return CPU_PSW_LOADED;
}

void cpu_restart_interruption(struct cpu *c)
{
    cpu_set_operating(c, true);
    early_exception(c, psw_exchange(c, LC_RST_OLD, LC_RST_NEW));
}

/* ---- external ---- */

/* Sources in the order of priority. */
enum ext_source {
    EXT_NONE,
    EXT_INTERRUPT_KEY,
    EXT_EMERGENCY,
    EXT_CALL,
    EXT_CKC,
    EXT_CPUTM,
    EXT_SERVICE,
    EXT_OTHER,
};

struct ext_interruption {
    u16 code;
    u16 cpu_addr;
    bool has_parm;
    u32 parm;
    u64 parm64;
};

/* Subclass mask of the codes that come through cpu_external. */
static u64 ext_other_mask(u16 code)
{
    switch (code) {
    case 0x4000: return CR0_IUCV;
    case 0x4001: return CR0_VMCF;
    case 0x1406: return CR0_TIMING_ALERT;
    case 0x1407: return CR0_MEASUREMENT_ALERT;
    default: return CR0_SERVICE;
    }
}

static bool ext_timer_due(struct cpu *c, enum ext_source *source)
{
    if (!(c->cr[0] & (CR0_CKC | CR0_CPUTM)))
        return false;
    if ((c->cr[0] & CR0_CKC) && c->ckc < cpu_guest_tod(c)) {
        *source = EXT_CKC;
        return true;
    }
    *source = EXT_CPUTM;
    return (c->cr[0] & CR0_CPUTM) && (s64)cpu_timer_get(c) < 0;
}

/* The enabled source of highest priority. */
static enum ext_source ext_find(struct cpu *c)
{
    enum ext_source timer;
    u32 pending = atomic_load(&c->pending);
    u64 cr0 = c->cr[0];
    if (!(c->psw.mask & PSW_EXT))
        return EXT_NONE;
    if ((pending & PEND_INTERRUPT_KEY) && (cr0 & CR0_INTERRUPT_KEY))
        return EXT_INTERRUPT_KEY;
    if ((pending & PEND_EMERGENCY) && (cr0 & CR0_EMERGENCY))
        return EXT_EMERGENCY;
    if ((pending & PEND_EXTERNAL_CALL) && (cr0 & CR0_EXTERNAL_CALL))
        return EXT_CALL;
    if (ext_timer_due(c, &timer))
        return timer;
    if (atomic_load(&c->set->service_pending) && (cr0 & CR0_SERVICE))
        return EXT_SERVICE;
    if ((pending & PEND_EXTERNAL_OTHER) && (cr0 & ext_other_mask(c->ext_other_code)))
        return EXT_OTHER;
    return EXT_NONE;
}

/* Take one emergency signal; the flag stays while others wait. */
static void emergency_take(struct cpu *c, struct ext_interruption *e)
{
    u64 from = atomic_load(&c->emergency_from);
    unsigned first = from ? (unsigned)__builtin_ctzll(from) : 0;
    from &= ~(1ull << first);
    atomic_store(&c->emergency_from, from);
    if (!from)
        atomic_fetch_and(&c->pending, ~PEND_EMERGENCY);
    *e = (struct ext_interruption){.code = 0x1201, .cpu_addr = (u16)first};
}

/* The service signal belongs to all CPUs: the first to ask the ports gets it. */
static bool service_take(struct cpu *c, struct ext_interruption *e)
{
    *e = (struct ext_interruption){.code = 0x2401, .has_parm = true};
    return atomic_exchange(&c->set->service_pending, 0) && c->ports->take_service &&
           c->ports->take_service(c->ports_ctx, &e->parm);
}

/* Dequeue a source of this CPU alone. Caller holds set->lock. */
static bool ext_dequeue_locked(struct cpu *c, enum ext_source source,
                               struct ext_interruption *e)
{
    *e = (struct ext_interruption){0};
    switch (source) {
    case EXT_INTERRUPT_KEY:
        atomic_fetch_and(&c->pending, ~PEND_INTERRUPT_KEY);
        e->code = 0x0040;
        break;
    case EXT_EMERGENCY: emergency_take(c, e); break;
    case EXT_CALL:
        e->code = 0x1202;
        e->cpu_addr = (u16)atomic_load(&c->external_call_from);
        atomic_fetch_and(&c->pending, ~PEND_EXTERNAL_CALL);
        break;
    case EXT_CKC: e->code = 0x1004; break;
    case EXT_CPUTM: e->code = 0x1005; break;
    case EXT_OTHER:
        atomic_fetch_and(&c->pending, ~PEND_EXTERNAL_OTHER);
        e->code = c->ext_other_code;
        e->has_parm = true;
        e->parm = c->ext_other_parm;
        e->parm64 = c->ext_other_parm64;
        break;
    default: return false;
    }
    return true;
}

/* Dequeue `source`; false when another CPU was first. */
static bool ext_dequeue(struct cpu *c, enum ext_source source, struct ext_interruption *e)
{
    if (source == EXT_SERVICE)
        return service_take(c, e);
    pthread_mutex_lock(&c->set->lock);
    bool mine = ext_dequeue_locked(c, source, e);
    pthread_mutex_unlock(&c->set->lock);
    return mine;
}

static bool take_external(struct cpu *c)
{
    struct ext_interruption e;
    enum ext_source source = ext_find(c);
    if (source == EXT_NONE || !ext_dequeue(c, source, &e))
        return false;
    u8 *lc = lowcore_begin(c);
    if (e.has_parm)
        be32_store(lc + LC_EXT_PARM, e.parm);
    be16_store(lc + LC_EXT_CPU_ADDR, e.cpu_addr);
    be16_store(lc + LC_EXT_CODE, e.code);
    if (source == EXT_OTHER) {
        u8 parm64[8];
        be64_store(parm64, e.parm64);
        storage_write(c->st, c->prefix + LC_EXT_PARM64, parm64, sizeof parm64);
    }
    early_exception(c, psw_exchange(c, LC_EXT_OLD, LC_EXT_NEW));
    return true;
}

/* ---- machine check and I/O ---- */

static bool mck_enabled(struct cpu *c)
{
    return (c->psw.mask & PSW_MCHK) && (c->cr[14] & CR14_CHANNEL_REPORT) &&
           atomic_load(&c->set->crw_pending);
}

static bool take_machine_check(struct cpu *c)
{
    if (!mck_enabled(c) || !atomic_exchange(&c->set->crw_pending, 0))
        return false;
    cpu_store_status(c, c->prefix + LC_SAVE_AREA);
    u8 *lc = lowcore_begin(c);
    lc[LC_ARCH_MODE] = 1;
    be64_store(lc + LC_MCK_CODE, MCIC_CHANNEL_REPORT);
    early_exception(c, psw_exchange(c, LC_MCK_OLD, LC_MCK_NEW));
    return true;
}

static u8 io_enabled_mask(struct cpu *c)
{
    if (!(c->psw.mask & PSW_IO))
        return 0;
    return (u8)(c->cr[6] >> 24) & (u8)atomic_load(&c->set->io_pending);
}

static bool take_io(struct cpu *c)
{
    struct cpu_io_interruption io;
    u8 mask = io_enabled_mask(c);
    if (!mask || !c->ports->take_io(c->ports_ctx, mask, &io))
        return false;
    u8 *lc = lowcore_begin(c);
    be32_store(lc + LC_IO_SUBSYSTEM_ID, io.subsystem_id);
    be32_store(lc + LC_IO_PARM, io.parm);
    be32_store(lc + LC_IO_ID_WORD, io.id_word);
    early_exception(c, psw_exchange(c, LC_IO_OLD, LC_IO_NEW));
    return true;
}

bool cpu_interruption_pending(struct cpu *c)
{
    if (!(c->psw.mask & (PSW_IO | PSW_EXT | PSW_MCHK)))
        return false;
    return io_enabled_mask(c) || mck_enabled(c) || ext_find(c) != EXT_NONE;
}

bool cpu_take_interruption(struct cpu *c)
{
    if (c->state != CPU_STATE_OPERATING || !(c->psw.mask & (PSW_IO | PSW_EXT | PSW_MCHK)))
        return false;
    return take_machine_check(c) || take_external(c) || take_io(c);
}

/* ---- resets ---- */

void cpu_reset_registers(struct cpu *c, bool initial, bool clear)
{
    if (initial) {
        c->psw = (struct psw){0};
        c->cc = 0;
        c->prefix = 0;
        c->fpc = 0;
        c->todpr = 0;
        c->ckc = 0;
        c->bear = 1;
        c->gbea_pp = 0;
        cpu_timer_set(c, 0);
        memset(c->cr, 0, sizeof c->cr);
        c->cr[0] = 0xe0;
        c->cr[14] = 0xc2000000u;
    }
    if (clear) {
        memset(c->gr, 0, sizeof c->gr);
        memset(c->ar, 0, sizeof c->ar);
        memset(c->vr, 0, sizeof c->vr);
    }
}
