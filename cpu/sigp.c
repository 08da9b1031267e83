/* SIGNAL PROCESSOR: orders between the CPUs of a configuration (PoP chapter 4, "CPU Signaling
 * and Response").
 * Guarantees: [S1] an order that changes a CPU's state is carried out by that CPU's own thread
 * (cpu_carry_out_orders); until then the CPU is busy to every order that needs its state.
 * [S2] SET PREFIX and the store-status orders act at once, on a stopped CPU without orders
 * outstanding: its thread leaves its registers alone. set->lock makes both one step. */
#include "cpu/insn/control.h"

enum sigp_order {
    SIGP_SENSE = 0x01,
    SIGP_EXTERNAL_CALL = 0x02,
    SIGP_EMERGENCY_SIGNAL = 0x03,
    SIGP_START = 0x04,
    SIGP_STOP = 0x05,
    SIGP_RESTART = 0x06,
    SIGP_STOP_STORE_STATUS = 0x09,
    SIGP_INITIAL_CPU_RESET = 0x0b,
    SIGP_CPU_RESET = 0x0c,
    SIGP_SET_PREFIX = 0x0d,
    SIGP_STORE_STATUS = 0x0e,
    SIGP_SET_ARCHITECTURE = 0x12,
    SIGP_CONDITIONAL_EMERGENCY = 0x13,
    SIGP_SENSE_RUNNING = 0x15,
    SIGP_ADDITIONAL_STATUS = 0x17,
};
/* Not here, so invalid: set multithreading (16), which comes with a facility that no model
 * offers. */

/* Status bits, bits 32-63 of the status register. */
#define STATUS_NOT_RUNNING 0x400u
#define STATUS_INCORRECT_STATE 0x200u
#define STATUS_INVALID_PARAMETER 0x100u
#define STATUS_EXTERNAL_CALL 0x80u
#define STATUS_STOPPED 0x40u
#define STATUS_CHECK_STOP 0x10u
#define STATUS_INVALID_ORDER 0x02u

enum { SIGP_ACCEPTED, SIGP_STATUS, SIGP_BUSY, SIGP_NOT_OPERATIONAL };

#define STATUS_AREA_BYTES 512u
#define ADDITIONAL_BYTES 512u /* the vector registers; on a boundary of 1024 */
#define PREFIX_BITS 0x7fffe000u
#define FPC_BITS 0xf8f8ff77u
#define STORE_STATUS_ABS 0x1200u /* absolute, not real: the prefix does not matter */
#define ARCH_MODE_ABS 0xa3u

/** One order on its way. */
struct sigp {
    struct cpu *from;
    struct cpu *to;
    u64 parm;   /* of most orders bits 32-63 count */
    u32 status; /* out, with SIGP_STATUS */
    u32 kick;   /* out: requests to make of the addressed CPU */
};

void cpu_kick(struct cpu *target, u32 requests)
{
    atomic_fetch_or(&target->orders, requests & ORDERS_ALL);
    atomic_fetch_or(&target->requests, requests);
    target->ports->wake(target->ports_ctx, target->addr);
}

/* ---- store status ---- */

static void fill_registers(struct cpu *c, u8 *area)
{
    for (unsigned i = 0; i < 16; i++) {
        be64_store(area + 8 * i, c->vr[i][0]);
        be64_store(area + 0x80 + 8 * i, c->gr[i]);
        be32_store(area + 0x140 + 4 * i, c->ar[i]);
        be64_store(area + 0x180 + 8 * i, c->cr[i]);
    }
    be32_store(area + 0x11c, c->fpc);
    be32_store(area + 0x124, c->todpr);
    be64_store(area + 0x128, cpu_timer_get(c));
    be64_store(area + 0x130, c->ckc >> 8);
    if (facility_has(c->set->facilities, FAC_BEARE))
        be64_store(area + 0x138, c->bear);
}

void cpu_store_registers(struct cpu *c, u64 abs)
{
    u8 area[STATUS_AREA_BYTES];
    if (!storage_read(c->st, abs, area, sizeof area))
        return;
    fill_registers(c, area);
    storage_write(c->st, abs, area, sizeof area);
}

void cpu_status(struct cpu *c, u8 *area)
{
    fill_registers(c, area);
    be64_store(area + 0x100, psw_mask(c));
    be64_store(area + 0x108, c->psw.addr);
    be32_store(area + 0x118, c->prefix);
}

int cpu_load_status(struct cpu *c, const u8 *area, struct cause *cause)
{
    u32 prefix = be32_load(area + 0x118), fpc = be32_load(area + 0x11c);
    if (prefix & ~PREFIX_BITS || !storage_holds(c->st, prefix, 2 * FRAME_BYTES))
        return cause_set(cause, ST_INVAL, "prefix X'%08X' is not in storage", prefix);
    if (fpc & ~FPC_BITS || ((fpc & 7) >= 4 && (fpc & 7) != 7))
        return cause_set(cause, ST_INVAL, "X'%08X' in the FPC register", fpc);
    for (unsigned i = 0; i < 16; i++) {
        c->vr[i][0] = be64_load(area + 8 * i);
        c->gr[i] = be64_load(area + 0x80 + 8 * i);
        c->ar[i] = be32_load(area + 0x140 + 4 * i);
        c->cr[i] = be64_load(area + 0x180 + 8 * i);
    }
    c->fpc = fpc;
    c->todpr = be32_load(area + 0x124) & 0xffff;
    c->prefix = prefix;
    cpu_psw_set(c, be64_load(area + 0x100), be64_load(area + 0x108));
    cpu_registers_changed(c);
    return ST_OK;
}

void cpu_store_status(struct cpu *c, u64 abs)
{
    u8 area[STATUS_AREA_BYTES];
    if (!storage_read(c->st, abs, area, sizeof area))
        return;
    cpu_status(c, area);
    storage_write(c->st, abs, area, sizeof area);
}

/* ---- carrying out, on the addressed CPU's thread ---- */

static void do_reset(struct cpu *c, bool initial)
{
    cpu_set_operating(c, false);
    atomic_store(&c->pending, 0);
    atomic_store(&c->emergency_from, 0);
    cpu_machine_check_reset(c);
    cpu_reset_registers(c, initial, false);
    c->pgm_streak = 0;
    cpu_registers_changed(c);
}

static void do_stop(struct cpu *c, bool store_status)
{
    if (c->state == CPU_STATE_OPERATING)
        cpu_set_operating(c, false);
    if (!store_status)
        return;
    cpu_store_status(c, STORE_STATUS_ABS);
    u8 arch_mode = 1;
    storage_write(c->st, ARCH_MODE_ABS, &arch_mode, 1);
    atomic_store(&c->store_status_done, 1);
}

void cpu_carry_out_orders(struct cpu *c, u32 requests)
{
    (void)requests; /* they only ring: cpu->orders says what is to be done, once */
    if (!atomic_load(&c->orders))
        return;
    lock_take(&c->set->lock);
    u32 orders = atomic_load(&c->orders);
    if (orders & (REQ_RESET | REQ_INITIAL_RESET))
        do_reset(c, (orders & REQ_INITIAL_RESET) != 0);
    if (orders & (REQ_STOP | REQ_STOP_STATUS))
        do_stop(c, (orders & REQ_STOP_STATUS) != 0);
    if ((orders & REQ_START) && c->state == CPU_STATE_STOPPED)
        cpu_set_operating(c, true);
    if ((orders & REQ_RESTART) && c->state != CPU_STATE_CHECK_STOP)
        cpu_restart_interruption(c);
    atomic_fetch_and(&c->orders, ~orders);
    lock_drop(&c->set->lock);
}

/* ---- accepting, on the issuing CPU's thread, under set->lock ---- */

static int with_status(struct sigp *s, u32 status)
{
    s->status = status;
    return SIGP_STATUS;
}

static int order_sense(struct sigp *s)
{
    u32 status = 0;
    if (s->to->state == CPU_STATE_STOPPED)
        status |= STATUS_STOPPED;
    if (s->to->state == CPU_STATE_CHECK_STOP)
        status |= STATUS_CHECK_STOP;
    if (atomic_load(&s->to->pending) & PEND_EXTERNAL_CALL)
        status |= STATUS_EXTERNAL_CALL;
    return status ? with_status(s, status) : SIGP_ACCEPTED;
}

static bool check_stopped(const struct sigp *s)
{
    return s->to->state == CPU_STATE_CHECK_STOP;
}

static int order_external_call(struct sigp *s)
{
    if (check_stopped(s))
        return with_status(s, STATUS_CHECK_STOP);
    if (atomic_load(&s->to->pending) & PEND_EXTERNAL_CALL)
        return with_status(s, STATUS_EXTERNAL_CALL);
    atomic_store(&s->to->external_call_from, s->from->addr);
    atomic_fetch_or(&s->to->pending, PEND_EXTERNAL_CALL);
    s->kick = REQ_RECHECK;
    return SIGP_ACCEPTED;
}

static int order_emergency(struct sigp *s)
{
    if (check_stopped(s))
        return with_status(s, STATUS_CHECK_STOP);
    atomic_fetch_or(&s->to->emergency_from, 1ull << s->from->addr);
    atomic_fetch_or(&s->to->pending, PEND_EMERGENCY);
    s->kick = REQ_RECHECK;
    return SIGP_ACCEPTED;
}

/* The signal is made pending unless the CPU runs enabled in some other address space. */
static int order_conditional_emergency(struct sigp *s)
{
    const struct cpu *to = s->to;
    u64 enabled = PSW_IO | PSW_EXT, mask = to->psw.mask;
    u64 asn = s->parm & 0xffff;
    bool uses = asn == (to->cr[4] & 0xffff) || asn == (to->cr[3] & 0xffff);
    if (to->state == CPU_STATE_STOPPED || (mask & enabled) != enabled ||
        ((mask & PSW_WAIT) && to->psw.addr != 0) || (!(mask & PSW_WAIT) && uses))
        return order_emergency(s);
    return with_status(s, STATUS_INCORRECT_STATE);
}

/* Why an order that needs a stopped CPU and an area of storage cannot be done; all that holds. */
static u32 stopped_status(const struct sigp *s, u64 abs, u64 len)
{
    u32 status = storage_holds(s->to->st, abs, len) ? 0 : STATUS_INVALID_PARAMETER;
    if (s->to->state != CPU_STATE_STOPPED)
        status |= STATUS_INCORRECT_STATE;
    return status | (check_stopped(s) ? STATUS_CHECK_STOP : 0);
}

static int order_set_prefix(struct sigp *s)
{
    u32 prefix = (u32)s->parm & PREFIX_BITS;
    u32 status = stopped_status(s, prefix, 2 * FRAME_BYTES);
    if (status)
        return with_status(s, status);
    s->to->prefix = prefix;
    s->kick = REQ_FLUSH_TLB;
    return SIGP_ACCEPTED;
}

static int order_store_status(struct sigp *s)
{
    u64 abs = s->parm & 0x7ffffe00u;
    u32 status = stopped_status(s, abs, STATUS_AREA_BYTES);
    if (status)
        return with_status(s, status);
    cpu_store_status(s->to, abs);
    return SIGP_ACCEPTED;
}

static int order_additional_status(struct sigp *s)
{
    u8 area[ADDITIONAL_BYTES];
    u64 abs = s->parm & ~0x3ffull;
    u32 status = stopped_status(s, abs, sizeof area);
    if (status)
        return with_status(s, status);
    for (unsigned i = 0; i < 32; i++) {
        be64_store(area + 16 * i, s->to->vr[i][0]);
        be64_store(area + 16 * i + 8, s->to->vr[i][1]);
    }
    storage_write(s->to->st, abs, area, sizeof area);
    return SIGP_ACCEPTED;
}

/* We are in the z/Architecture mode from the start and stay there, as the
 * configuration-z/Architecture-architectural-mode facility has it. */
static int order_set_architecture(struct sigp *s)
{
    for (unsigned i = 0; i < s->from->set->count; i++) {
        const struct cpu *other = s->from->set->cpus[i];
        if (other != s->from && other->state == CPU_STATE_OPERATING)
            return with_status(s, STATUS_INCORRECT_STATE);
    }
    return with_status(s, STATUS_INVALID_PARAMETER);
}

static int order_kick(struct sigp *s, u32 request)
{
    if (check_stopped(s) && !(request & (REQ_RESET | REQ_INITIAL_RESET)))
        return with_status(s, STATUS_CHECK_STOP);
    atomic_fetch_or(&s->to->orders, request); /* busy from now on */
    s->kick = request;
    return SIGP_ACCEPTED;
}

static int order_sense_running(struct sigp *s)
{
    if (s->to == s->from || atomic_load(&s->to->in_run))
        return SIGP_ACCEPTED;
    return with_status(s, STATUS_NOT_RUNNING);
}

static bool order_assigned(unsigned order)
{
    return (order >= SIGP_SENSE && order <= SIGP_RESTART) || order == SIGP_STOP_STORE_STATUS ||
           (order >= SIGP_INITIAL_CPU_RESET && order <= SIGP_STORE_STATUS) ||
           order == SIGP_CONDITIONAL_EMERGENCY || order == SIGP_ADDITIONAL_STATUS;
}

/* Orders that need a CPU without orders outstanding. */
static int order_locked(struct sigp *s, unsigned order)
{
    switch (order) {
    case SIGP_SENSE: return order_sense(s);
    case SIGP_EXTERNAL_CALL: return order_external_call(s);
    case SIGP_EMERGENCY_SIGNAL: return order_emergency(s);
    case SIGP_START: return order_kick(s, REQ_START);
    case SIGP_STOP: return order_kick(s, REQ_STOP);
    case SIGP_RESTART: return order_kick(s, REQ_RESTART);
    case SIGP_STOP_STORE_STATUS: return order_kick(s, REQ_STOP_STATUS);
    case SIGP_INITIAL_CPU_RESET: return order_kick(s, REQ_INITIAL_RESET);
    case SIGP_CPU_RESET: return order_kick(s, REQ_RESET);
    case SIGP_SET_PREFIX: return order_set_prefix(s);
    case SIGP_STORE_STATUS: return order_store_status(s);
    case SIGP_ADDITIONAL_STATUS: return order_additional_status(s);
    case SIGP_CONDITIONAL_EMERGENCY: return order_conditional_emergency(s);
    default: return with_status(s, STATUS_INVALID_ORDER);
    }
}

/* Is the CPU still at an earlier order? Resets are taken all the same, and what is no order is
 * told to be none. A CPU in the check-stop state is not busy. */
static bool order_busy(const struct sigp *s, unsigned order)
{
    if (!(atomic_load(&s->to->orders) & ORDERS_ALL) || check_stopped(s))
        return false;
    return order_assigned(order) && order != SIGP_INITIAL_CPU_RESET && order != SIGP_CPU_RESET;
}

static int order_dispatch(struct sigp *s, unsigned order)
{
    if (order == SIGP_SET_ARCHITECTURE)
        return order_set_architecture(s);
    if (order == SIGP_SENSE_RUNNING && facility_has(s->from->set->facilities, FAC_SRS))
        return order_sense_running(s);
    if (order == SIGP_ADDITIONAL_STATUS && !facility_has(s->from->set->facilities, FAC_VX))
        return with_status(s, STATUS_INVALID_ORDER);
    if (order_busy(s, order))
        return SIGP_BUSY;
    return order_locked(s, order);
}

int sigp_execute(struct cpu *c, const struct dinsn *d)
{
    unsigned order = (unsigned)ea_b(c, d) & 0xff;
    unsigned address = (unsigned)c->gr[d->r3] & 0xffff;
    struct sigp s = {.from = c, .parm = c->gr[d->r1 | 1]};
    s.to = cpu_set_get(c->set, order == SIGP_SET_ARCHITECTURE ? c->addr : address);
    if (!s.to || !cpu_set_configured(c->set, s.to->addr)) {
        c->cc = SIGP_NOT_OPERATIONAL;
        return 0;
    }
    lock_take(&c->set->lock);
    c->cc = (u8)order_dispatch(&s, order);
    atomic_fetch_or(&s.to->requests, s.kick); /* before a third CPU can start this one */
    lock_drop(&c->set->lock);
    if (c->cc == SIGP_STATUS)
        gr32_set(c, d->r1, s.status);
    if (s.kick)
        s.to->ports->wake(s.to->ports_ctx, s.to->addr);
    return s.to == c || c->cc == SIGP_BUSY ? CPU_RESYNC : 0;
}
