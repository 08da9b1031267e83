/* Interruptions: storing the old PSW and the codes, loading the new PSW (PoP chapter 6). External
 * ones are in external.c, machine checks in machine_check.c.
 * Guarantees: an interruption is taken whole; a new PSW that is invalid leads to the early
 * specification exception, and when the program new PSW itself is invalid to the check-stop
 * state. Assigned storage lies in the two frames at the prefix; SET PREFIX has checked them. */
#include "cpu/insn/control.h"
#include "cpu/event/observe.h"
#include "cpu/event/per.h"

#define PSW_UNASSIGNED 0xb80800fe7fffffffull

/* Assigned storage locations (PoP chapter 3, "Assigned Storage Locations"). */
enum lowcore {
    LC_SVC_ILC = 0x88,
    LC_PGM_ILC = 0x8c,
    LC_DATA_CODE = 0x90,
    LC_MONITOR_CLASS = 0x94,
    LC_EXC_ACCESS_ID = 0xa0,
    LC_OP_ACCESS_ID = 0xa2,
    LC_TEID = 0xa8,
    LC_MONITOR_CODE = 0xb0,
    LC_IO_SUBSYSTEM_ID = 0xb8,
    LC_IO_PARM = 0xbc,
    LC_IO_ID_WORD = 0xc0,
    LC_BEAR = 0x110,
    LC_RST_OLD = 0x120,
    LC_SVC_OLD = 0x140,
    LC_PGM_OLD = 0x150,
    LC_IO_OLD = 0x170,
    LC_RST_NEW = 0x1a0,
    LC_SVC_NEW = 0x1c0,
    LC_PGM_NEW = 0x1d0,
    LC_IO_NEW = 0x1f0,
};

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
    cpu_replace_psw(c, mask, addr);
    if (unlikely(c->watch & WATCH_OBSERVED))
        observe_interruption(c, lc, old_at);
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

void cpu_interruption_psws(struct cpu *c, unsigned old_at, unsigned new_at)
{
    early_exception(c, psw_exchange(c, old_at, new_at));
}

int cpu_introduce_psw(struct cpu *c, u64 mask, u64 addr)
{
    cpu_replace_psw(c, mask, addr);
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
#define COMPLETES_N false
#define COMPLETES_S false
#define COMPLETES_C true

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

/* Has the instruction been executed all the same? */
static bool pgm_completes(unsigned code)
{
    switch (code) {
#define PGM(id, value, ending, title)                                                          \
    case value:                                                                                \
        return COMPLETES_##ending;
#include "cpu/pgm.def"
#undef PGM
    default: return false;
    }
}

static bool pgm_has_teid(unsigned code)
{
    return code == PGM_PROTECTION || code == PGM_SEGMENT_TRANSLATION ||
           code == PGM_PAGE_TRANSLATION || (code >= PGM_ASCE_TYPE && code <= PGM_REGION_THIRD);
}

/* An ASN or a PC number, at real 172; real 168-171 stay as they are. */
static bool pgm_has_number(unsigned code)
{
    return code == PGM_SPACE_SWITCH || code == PGM_LSTE_SEQUENCE ||
           (code >= PGM_AFX_TRANSLATION && code <= PGM_LSX_TRANSLATION);
}

static bool pgm_has_access_id(unsigned code)
{
    return pgm_has_teid(code) || code == PGM_ASTE_INSTANCE ||
           (code >= PGM_ALET_SPECIFICATION && code <= PGM_EXTENDED_AUTHORITY);
}

static void pgm_store_details(struct cpu *c, u8 *lc, unsigned code)
{
    if (pgm_has_teid(code))
        be64_store(lc + LC_TEID, c->teid);
    if (pgm_has_number(code))
        be32_store(lc + LC_TEID + 4, (u32)c->teid);
    if (pgm_has_access_id(code))
        lc[LC_EXC_ACCESS_ID] = c->exc_ar;
    if (code == PGM_PAGE_TRANSLATION)
        lc[LC_OP_ACCESS_ID] = c->op_access_id;
    c->op_access_id = 0; /* zero unless MOVE PAGE sets it anew */
    if (code == PGM_DATA)
        be32_store(lc + LC_DATA_CODE, c->dxc);
    if (code == PGM_MONITOR) {
        be16_store(lc + LC_MONITOR_CLASS, c->monitor_class);
        be64_store(lc + LC_MONITOR_CODE, c->monitor_code);
    }
}

int cpu_program_interruption(struct cpu *c, unsigned code)
{
    bool nullified = pgm_nullifies(code) || per_nullifies(c);
    if (unlikely(c->watch & WATCH_OBSERVED))
        observe_failing(c, code);
    if (nullified)
        c->psw.addr = (c->psw.addr - c->ilc) & c->amask;
    u8 *lc = lowcore_begin(c);
    lc[LC_PGM_ILC] = 0;
    lc[LC_PGM_ILC + 1] = c->ilc;
    be16_store(lc + LC_PGM_ILC + 2, (u16)per_take(c, lc, code, pgm_completes(code)));
    pgm_store_details(c, lc, code);
    cpu_bear_settle(c);
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

/* ---- I/O, and which comes first ---- */

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
    return io_enabled_mask(c) || machine_check_enabled(c) || external_enabled(c);
}

void cpu_pending_get(struct cpu *c, struct cpu_pending *out)
{
    *out = (struct cpu_pending){.enabled = cpu_interruption_pending(c),
                                .io = (u8)atomic_load(&c->set->io_pending),
                                .machine_check = machine_check_pending(c)};
    out->externals = external_pending(c, out->external);
}

bool cpu_take_interruption(struct cpu *c)
{
    if (c->state != CPU_STATE_OPERATING || machine_check_fatal(c) ||
        !(c->psw.mask & (PSW_IO | PSW_EXT | PSW_MCHK)))
        return false;
    return machine_check_take(c) || external_take(c) || take_io(c);
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
        cpu_breaking_event(c, 1);
        per_forget(c);
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
