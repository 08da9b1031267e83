/* The CPUs of one configuration: creation, resets, the registers' public face, state rows.
 * Save and restore are generated from cpu_state.def; the reader refuses unknown mandatory rows. */
#include "cpu/cpu_internal.h"

#include <stdlib.h>

#include "cpu/access.h"
#include "cpu/event/observe.h"
#include "cpu/event/per.h"
#include "cpu/jit/lockstep.h"
#include "mem/base/large.h"
#include "mem/dat.h"

#define STATE_VERSION 1
#define TAG_CPU 0x8100
#define TAG_SET_TOD 0x8102
#define TAG_SET_SERVICE 0x8103
#define TAG_SET_CRW 0x8104
#define TAG_SET_FACILITIES 0x8105
#define TAG_SET_WARNING 0x8106
#define TAG_SET_STANDBY 0x8107
#define TAG_SET_CLOCK 0x8108
#define TAG_SET_TOPOLOGY 0x8109
#define REQ_ORDERS                                                                             \
    (REQ_STOP | REQ_STOP_STATUS | REQ_START | REQ_RESTART | REQ_RESET | REQ_INITIAL_RESET)

/* Version codes of the CPU identification: under CP, and of all machines outside it. */
#define STIDP_VERSION_VM 0xffu
#define STIDP_VERSION_LPAR 0u

_Static_assert(sizeof(((struct cpu *)0)->state) == 4, "state row is u32");

void cpu_destroy(struct cpu *c)
{
    if (!c)
        return;
    code_cache_destroy(c);
    lockstep_destroy(c);
    jit_destroy(c);
    lock_fini(&c->mail_lock);
    large_unmap(c->tlb, sizeof *c->tlb);
    free(c);
}

static int engine_create(struct cpu *c, enum cpu_engine engine, struct cause *cause)
{
    int rc = ST_OK;
    if (engine != CPU_ENGINE_INTERP && !c->jit)
        rc = jit_create(c, engine, cause);
    if (rc == ST_OK && engine >= CPU_ENGINE_LOCKSTEP && !c->lockstep)
        rc = lockstep_create(c, engine == CPU_ENGINE_LOCKSTEP_SOME);
    return rc;
}

struct cpu *cpu_create(struct cpu_set *set, unsigned address)
{
    struct cpu *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->set = set;
    c->st = set->st;
    c->storage = set->st->base;
    c->ports = set->ports;
    c->ports_ctx = set->ports_ctx;
    c->addr = address;
    lock_init(&c->mail_lock, LOCK_MAIL);
    c->tlb = large_map(sizeof *c->tlb, false);
    if (!c->tlb || code_cache_create(c) != ST_OK ||
        engine_create(c, set->engine, NULL) != ST_OK) {
        cpu_destroy(c);
        return NULL;
    }
    return c;
}

void cpu_warm(struct cpu *c)
{
    code_cache_warm(c);
    large_touch(c->tlb, sizeof *c->tlb);
}

int cpu_set_create(struct cpu_set **out, struct storage *st, const struct cpu_model *model,
                   unsigned count, const struct cpu_ports *ports, void *ctx,
                   struct cause *cause)
{
    if (count == 0 || count > CPUS_MAX)
        return cause_set(cause, ST_INVAL, "%u CPUs: 1 to %d are possible", count, CPUS_MAX);
    struct cpu_set *set = calloc(1, sizeof *set);
    if (!set)
        return cause_set(cause, ST_NOMEM, "no memory for CPUs");
    set->st = st;
    set->model = set->seen = model;
    cpu_model_facilities(model, set->facilities);
    set->id_version = STIDP_VERSION_VM;
    set->ports = ports;
    set->ports_ctx = ctx;
    lock_init(&set->lock, LOCK_CPU_SET);
    for (set->count = 0; set->count < count; set->count++) {
        set->cpus[set->count] = cpu_create(set, set->count);
        if (!set->cpus[set->count]) {
            cause_set(cause, ST_NOMEM, "no memory for CPU %u", set->count);
            cpu_set_destroy(set);
            return ST_NOMEM;
        }
    }
    cpu_set_reset(set, true);
    *out = set;
    return ST_OK;
}

void cpu_set_destroy(struct cpu_set *set)
{
    if (!set)
        return;
    for (unsigned i = 0; i < set->count; i++)
        cpu_destroy(set->cpus[i]);
    lockstep_set_destroy(set);
    lock_fini(&set->lock);
    free(set);
}

unsigned cpu_set_count(const struct cpu_set *set)
{
    return set->count;
}

struct cpu *cpu_set_get(struct cpu_set *set, unsigned address)
{
    return address < set->count ? set->cpus[address] : NULL;
}

int cpu_set_engine(struct cpu_set *set, enum cpu_engine engine, struct cause *cause)
{
    int rc = ST_OK;
    for (unsigned i = 0; i < set->count && rc == ST_OK; i++)
        rc = engine_create(set->cpus[i], engine, cause);
    if (rc == ST_OK)
        set->engine = engine;
    for (unsigned i = 0; i < set->count && set->engine == CPU_ENGINE_INTERP; i++) {
        code_forget(set->cpus[i]);
        jit_destroy(set->cpus[i]);
    }
    return rc;
}

enum cpu_engine cpu_engine_default(void)
{
    return jit_supported() ? CPU_ENGINE_JIT : CPU_ENGINE_INTERP;
}

unsigned cpu_addr(const struct cpu *c)
{
    return c->addr;
}

void cpu_set_facilities(struct cpu_set *set, const u8 *facilities)
{
    memcpy(set->facilities, facilities, sizeof set->facilities);
    for (unsigned i = 0; i < set->count; i++) { /* what was decoded and translated by others */
        cpu_registers_changed(set->cpus[i]);
        cpu_purge_tlb(set->cpus[i]);
        code_flush(set->cpus[i]);
    }
}

const u8 *cpu_set_facilities_of(const struct cpu_set *set)
{
    return set->facilities;
}

void cpu_set_firm(struct cpu_set *set)
{
    set->firm = true;
}

void cpu_set_seen(struct cpu_set *set, const struct cpu_model *model)
{
    set->seen = model;
}

const struct cpu_model *cpu_set_model(const struct cpu_set *set)
{
    return set->model;
}

/* ---- interceptions ---- */

const struct cpu_icpt *cpu_intercept(const struct cpu *c)
{
    return &c->icpt;
}

void cpu_finish_cc(struct cpu *c, unsigned cc)
{
    c->cc = (u8)(cc & 3);
    c->observed.cc = c->cc;
    per_finish(c);
}

void cpu_finish_pgm(struct cpu *c, unsigned pgm_code)
{
    cpu_program_interruption(c, pgm_code);
}

void cpu_finish_again(struct cpu *c)
{
    per_forget(c);
    observe_forget(c);
    c->psw.addr = c->again_addr;
    c->cc = c->again_cc;
}

void cpu_trim(struct cpu *c)
{
    if (c->lockstep)
        return;
    code_forget(c);
    jit_trim(c);
    code_trim(c);
}

bool cpu_programs_ran(struct cpu *c)
{
    bool ran = ((c->psws | c->psw.mask) & PSW_PROB) != 0;
    c->psws = 0;
    return ran;
}

bool cpu_runnable(struct cpu *c)
{
    if (atomic_load(&c->requests))
        return true;
    if (c->state != CPU_STATE_OPERATING)
        return false;
    return !(c->psw.mask & PSW_WAIT) || cpu_interruption_pending(c);
}

/* ---- requests ---- */

void cpu_request_exit(struct cpu *c)
{
    atomic_fetch_or(&c->requests, REQ_EXIT);
}

bool cpu_requests_pending(struct cpu *c)
{
    return (atomic_load(&c->requests) & ~REQ_FLUSHES) != 0;
}

bool cpu_waits(struct cpu *c)
{
    return !cpu_requests_pending(c) && c->state == CPU_STATE_OPERATING &&
           c->psw.mask & PSW_WAIT && !cpu_interruption_pending(c);
}

void cpu_request_flush_stores(struct cpu *c)
{
    atomic_fetch_or(&c->requests, REQ_FLUSH_STORES);
}

bool cpu_requests_done(struct cpu *c)
{
    return !(atomic_load(&c->requests) & REQ_FLUSH_STORES) || !atomic_load(&c->in_run);
}

static void wake_all(struct cpu_set *set)
{
    for (unsigned i = 0; i < set->count; i++)
        set->ports->wake(set->ports_ctx, i);
}

void cpu_set_io_pending(struct cpu_set *set, u8 isc_mask)
{
    u32 old = atomic_exchange(&set->io_pending, isc_mask);
    if (isc_mask & ~old)
        wake_all(set);
}

void cpu_set_service_signal(struct cpu_set *set)
{
    atomic_store(&set->service_pending, 1);
    wake_all(set);
}

void cpu_set_crw_pending(struct cpu_set *set)
{
    atomic_store(&set->crw_pending, 1);
    wake_all(set);
}

/* ---- resets and registers ---- */

static void set_forget(struct cpu_set *set)
{
    atomic_store(&set->io_pending, 0);
    atomic_store(&set->service_pending, 0);
    atomic_store(&set->crw_pending, 0);
    atomic_store(&set->warning_pending, 0);
    atomic_store(&set->topology, 0); /* horizontal, nothing to report */
}

static void reset_one(struct cpu *c, bool initial, bool clear)
{
    atomic_fetch_and(&c->requests, REQ_FLUSHES); /* what is derived may still be stale */
    atomic_store(&c->orders, 0);
    atomic_store(&c->pending, 0);
    atomic_store(&c->emergency_from, 0);
    cpu_machine_check_reset(c);
    cpu_reset_registers(c, initial, clear);
    c->state = CPU_STATE_STOPPED;
    c->pgm_streak = 0;
    cpu_timer_run(c, false);
    cpu_registers_changed(c);
}

void cpu_set_reset(struct cpu_set *set, bool clear)
{
    set_forget(set);
    for (unsigned i = 0; i < set->count; i++)
        reset_one(set->cpus[i], true, clear);
}

void cpu_set_reset_for(struct cpu_set *set, unsigned address, bool clear)
{
    set_forget(set);
    for (unsigned i = 0; i < set->count; i++)
        reset_one(set->cpus[i], clear || i == address, clear);
}

int cpu_ipl_psw(struct cpu *c, struct cause *cause)
{
    u32 w0 = be32_load(c->st->base), w1 = be32_load(c->st->base + 4);
    if (!(w0 & 0x00080000u))
        return cause_set(cause, ST_INVAL, "IPL PSW %08X %08X has bit 12 zero", w0, w1);
    u64 mask = (u64)(w0 & ~0x00080000u) << 32 | (w1 & 0x80000000u);
    cpu_load_psw(c, mask, w1 & 0x7fffffffu);
    cpu_start(c);
    return ST_OK;
}

void cpu_start(struct cpu *c)
{
    c->state = CPU_STATE_OPERATING;
    cpu_timer_run(c, true);
}

void cpu_stop_now(struct cpu *c)
{
    c->state = CPU_STATE_STOPPED;
    cpu_timer_run(c, false);
}

bool cpu_stopped(const struct cpu *c)
{
    return c->state == CPU_STATE_STOPPED;
}

void cpu_restart(struct cpu *c)
{
    cpu_kick(c, REQ_RESTART);
}

u64 *cpu_gr(struct cpu *c)
{
    return c->gr;
}

u64 *cpu_cr(struct cpu *c)
{
    return c->cr;
}

u32 *cpu_ar(struct cpu *c)
{
    return c->ar;
}

u64 *cpu_fpr(struct cpu *c, unsigned n)
{
    return &c->vr[n & 15][0];
}

void cpu_psw_get(const struct cpu *c, u64 *mask, u64 *addr)
{
    *mask = psw_mask(c);
    *addr = c->psw.addr;
}

void cpu_psw_set(struct cpu *c, u64 mask, u64 addr)
{
    cpu_load_psw(c, mask, addr);
}

u64 cpu_prefix(const struct cpu *c)
{
    return c->prefix;
}

void cpu_registers_changed(struct cpu *c)
{
    tlb_purge(c->tlb);
    cpu_mode_changed(c);
}

u64 cpu_instructions(const struct cpu *c)
{
    return atomic_load_explicit(&c->insns, memory_order_relaxed);
}

void cpu_set_epoch(struct cpu_set *set, u64 epoch_tod)
{
    set->clock.new.base = (s64)epoch_tod;
    tod_change(&set->clock);
}

u64 cpu_get_epoch(const struct cpu_set *set)
{
    return (u64)tod_offset_at(&set->clock, set->ports->tod(set->ports_ctx));
}

void cpu_set_serial(struct cpu_set *set, u32 serial)
{
    set->serial = serial & 0xffffffu;
}

u32 cpu_set_serial_of(const struct cpu_set *set)
{
    return set->serial;
}

void cpu_set_lpar(struct cpu_set *set)
{
    set->id_version = STIDP_VERSION_LPAR;
}

/* Outside cpu_run another CPU's purge does not wait for us: be inside for the moment, with what
 * has been asked of us done, so that no translation is used after it was given up. */
static void access_begin(struct cpu *c)
{
    atomic_store(&c->in_run, 1);
    c->cannot_wait = true; /* half of the instruction is done */
    if (c->lockstep)
        lockstep_take(c);
    u32 flushes = atomic_fetch_and(&c->requests, ~REQ_FLUSHES) & REQ_FLUSHES;
    if (flushes)
        cpu_do_flushes(c, flushes);
}

static int access_end(struct cpu *c, int rc)
{
    if (c->lockstep)
        lockstep_release(c);
    c->cannot_wait = false;
    atomic_store(&c->in_run, 0);
    return rc;
}

int cpu_read_logical(struct cpu *c, u64 ea, unsigned ar, void *dst, u64 len)
{
    access_begin(c);
    return access_end(c, access_fetch(c, ea, ar, dst, len));
}

int cpu_write_logical(struct cpu *c, u64 ea, unsigned ar, const void *src, u64 len)
{
    access_begin(c);
    return access_end(c, access_put(c, ea, ar, src, len));
}

int cpu_probe_logical(struct cpu *c, u64 ea, unsigned ar, u64 len)
{
    access_begin(c);
    return access_end(c, access_probe(c, ea, ar, len, TLB_STORE));
}

u64 cpu_real_to_abs(const struct cpu *c, u64 real)
{
    return dat_real_to_abs(real, c->prefix);
}

/* ---- state rows ---- */

static void cpu_save(struct cpu *c, struct codec_out *out)
{
    cpu_timer_set(c, cpu_timer_get(c));
    codec_begin(out, TAG_CPU, STATE_VERSION);
#define S(tag, type, count, member, title)                                                     \
    codec_put_array(out, tag, (const void *)&c->member, sizeof(type), count);
#include "cpu/cpu_state.def"
#undef S
    codec_end(out);
}

static bool cpu_restore_row(struct cpu *c, const struct codec_row *row)
{
    switch (row->tag) {
#define S(tag, type, count, member, title)                                                     \
    case tag:                                                                                  \
        return codec_get_array(row, (void *)&c->member, sizeof(type), count);
#include "cpu/cpu_state.def"
#undef S
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

static bool cpu_restore(struct cpu *c, struct codec_in *in)
{
    struct codec_row row;
    while (codec_next(in, &row))
        if (!cpu_restore_row(c, &row))
            return false;
    if (in->failed || c->state > CPU_STATE_CHECK_STOP || c->prefix & 0x80001fffu ||
        !storage_holds(c->st, c->prefix, 0x2000))
        return false;
    c->psw.mask &= ~(3ull << PSW_CC_SHIFT);
    c->cc &= 3;
    c->gr[16] = 0;
    atomic_fetch_and(&c->orders, REQ_ORDERS);
    atomic_store(&c->requests, atomic_load(&c->orders));
    return true;
}

void cpu_set_save(struct cpu_set *set, struct codec_out *out, u16 tag)
{
    codec_begin(out, tag, STATE_VERSION);
    u64 clock[TOD_STATE_WORDS];
    tod_save(&set->clock, clock);
    codec_put_array(out, TAG_SET_CLOCK, clock, 8, TOD_STATE_WORDS);
    codec_put_u64(out, TAG_SET_TOD, cpu_tod_next(set->cpus[0]));
    codec_put_u32(out, TAG_SET_SERVICE, atomic_load(&set->service_pending));
    codec_put_u32(out, TAG_SET_CRW, atomic_load(&set->crw_pending));
    codec_put_u32(out, TAG_SET_WARNING, atomic_load(&set->warning_pending));
    codec_put_u32(out, TAG_SET_TOPOLOGY, atomic_load(&set->topology));
    codec_put_u64(out, TAG_SET_STANDBY, atomic_load(&set->standby));
    codec_put_bytes(out, TAG_SET_FACILITIES, set->facilities, sizeof set->facilities);
    for (unsigned i = 0; i < set->count; i++)
        cpu_save(set->cpus[i], out);
    codec_end(out);
}

/* The guest's TOD clock goes on from where it was and never goes back. */
static void clock_catch_up(struct cpu_set *set, u64 tod_then)
{
    u64 now = cpu_guest_tod(set->cpus[0]);
    if (now < tod_then) {
        set->clock.new.base += tod_then - now;
        tod_change(&set->clock);
    }
}

static bool clock_restore(struct cpu_set *set, const struct codec_row *row)
{
    u64 clock[TOD_STATE_WORDS];
    if (!codec_get_array(row, clock, 8, TOD_STATE_WORDS))
        return false;
    tod_restore(&set->clock, clock);
    return true;
}

static bool facilities_restore(struct cpu_set *set, const struct codec_row *row)
{
    u8 list[FACILITY_BYTES];
    if (!codec_get_array(row, list, 1, sizeof list))
        return false;
    for (unsigned i = 0; i < sizeof list; i++)
        set->facilities[i] = set->firm ? set->facilities[i] & list[i] : list[i];
    return true;
}

static bool set_restore_row(struct cpu_set *set, const struct codec_row *row, u64 *tod)
{
    u32 v = 0;
    bool ok = true;
    switch (row->tag) {
    case TAG_SET_CLOCK: return clock_restore(set, row);
    case TAG_SET_TOD: return codec_get_u64(row, tod);
    case TAG_SET_SERVICE:
        ok = codec_get_u32(row, &v);
        atomic_store(&set->service_pending, v != 0);
        return ok;
    case TAG_SET_CRW:
        ok = codec_get_u32(row, &v);
        atomic_store(&set->crw_pending, v);
        return ok;
    case TAG_SET_WARNING:
        ok = codec_get_u32(row, &v);
        atomic_store(&set->warning_pending, v != 0);
        return ok;
    case TAG_SET_TOPOLOGY:
        ok = codec_get_u32(row, &v);
        atomic_store(&set->topology, v);
        return ok;
    case TAG_SET_STANDBY: {
        u64 standby = 0;
        ok = codec_get_u64(row, &standby) && !(standby & 1);
        atomic_store(&set->standby, standby);
        return ok;
    }
    case TAG_SET_FACILITIES: return facilities_restore(set, row);
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

int cpu_set_restore(struct cpu_set *set, struct codec_in *in, struct cause *cause)
{
    struct codec_row row;
    struct codec_in block;
    unsigned next = 0;
    u64 tod = 0;
    while (codec_next(in, &row)) {
        bool ok = row.tag == TAG_CPU ? next < set->count && codec_open(&row, &block) &&
                                           cpu_restore(set->cpus[next++], &block)
                                     : set_restore_row(set, &row, &tod);
        if (!ok)
            return cause_set(cause, ST_PROTO, "CPU state: row X'%04X' is not acceptable",
                             row.tag);
    }
    u8 offered[FACILITY_BYTES];
    cpu_model_facilities(set->model, offered);
    for (unsigned i = 0; i < sizeof set->facilities; i++)
        if (set->facilities[i] & ~offered[i])
            return cause_set(cause, ST_PROTO, "CPU state: facilities that %s has not",
                             set->model->name);
    if (in->failed || next != set->count)
        return cause_set(cause, ST_PROTO, "CPU state: %u CPUs of %u", next, set->count);
    clock_catch_up(set, tod);
    for (unsigned i = 0; i < set->count; i++) {
        struct cpu *c = set->cpus[i];
        cpu_timer_set(c, c->cputm_base);
        c->cputm_running = c->state == CPU_STATE_OPERATING;
        cpu_registers_changed(c);
        code_flush(c);
    }
    return ST_OK;
}
