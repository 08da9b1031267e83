/* Guest general registers while code is emitted.
 * A resident register is in one host register all through the region. At each point either all
 * 64 bits of it are valid there, or (x->lo) only the low half is, and the high half is in memory:
 * so a 32-bit result costs nothing, and a high half is fetched only when somebody asks for it.
 * Of some it is known (x->zero_high) that all 64 bits are valid and the high half is zero: a 32-bit
 * result leaves them so, since the host zeroes the rest of a register whose low half it writes.
 * Others are in memory. [R1] lo excludes hi_dirty and zero_high. [R2] What is made in the place of
 * a 32-bit result is made by host instructions of 32 bits. */
#include "cpu/jit/emit_internal.h"

static u16 bit(unsigned g)
{
    return g < 16 ? (u16)(1u << g) : 0;
}

static bool resident(const struct jit_cx *x, unsigned g)
{
    return g < 16 && x->host[g] != HOST_NONE;
}

struct x64_mem home(unsigned g)
{
    return cpu_at(offsetof(struct cpu, gr) + 8 * g);
}

struct x64_mem home_high(unsigned g)
{
    return cpu_at(offsetof(struct cpu, gr) + 8 * g + 4);
}

/* The high half joins the low half in the host register. Flags are lost; rcx is scratch. */
static void widen(struct jit_cx *x, unsigned g)
{
    unsigned h = (unsigned)x->host[g];
    if (!(x->lo & bit(g)))
        return;
    x->lo &= (u16)~bit(g);
    if (!(x->dirty & bit(g))) {
        x64_rm(&x->a, true, A_MOV, h, home(g));
        return;
    }
    x64_rr(&x->a, false, A_MOV, h, h);
    x64_rm(&x->a, false, A_MOV, RCX, home_high(g));
    x64_shift_i(&x->a, true, S_SHL, RCX, 32);
    x64_rr(&x->a, true, A_OR, h, RCX);
}

/* Only the low half stays in the host register; memory gets both by one store. Flags are kept. */
static void narrow(struct jit_cx *x, unsigned g)
{
    unsigned h = (unsigned)x->host[g];
    if (x->lo & bit(g))
        return;
    if (x->hi_dirty & bit(g)) {
        x64_rm(&x->a, true, A_MOV_STORE, h, home(g));
        x->dirty &= (u16)~bit(g);
    }
    x->hi_dirty &= (u16)~bit(g);
    x->zero_high &= (u16)~bit(g);
    x->lo |= bit(g);
}

unsigned reg_use64(struct jit_cx *x, unsigned g, unsigned scratch)
{
    if (resident(x, g)) {
        widen(x, g);
        return (unsigned)x->host[g];
    }
    reg_get64(x, g, scratch);
    return scratch;
}

unsigned reg_use32(struct jit_cx *x, unsigned g, unsigned scratch)
{
    if (resident(x, g))
        return (unsigned)x->host[g];
    reg_get32(x, g, scratch);
    return scratch;
}

void reg_get64(struct jit_cx *x, unsigned g, unsigned host)
{
    if (g >= ZERO_REG) {
        x64_mov_i(&x->a, host, 0);
    } else if (resident(x, g)) {
        widen(x, g);
        x64_rr(&x->a, true, A_MOV, host, (unsigned)x->host[g]);
    } else {
        x64_rm(&x->a, true, A_MOV, host, home(g));
    }
}

void reg_get32(struct jit_cx *x, unsigned g, unsigned host)
{
    if (g >= ZERO_REG)
        x64_mov_i(&x->a, host, 0);
    else if (resident(x, g))
        x64_rr(&x->a, false, A_MOV, host, (unsigned)x->host[g]);
    else
        x64_rm(&x->a, false, A_MOV, host, home(g));
}

unsigned reg_def64(struct jit_cx *x, unsigned g, unsigned scratch)
{
    return resident(x, g) ? (unsigned)x->host[g] : scratch;
}

unsigned reg_def32(struct jit_cx *x, unsigned g, unsigned scratch)
{
    if (!resident(x, g))
        return scratch;
    if (!(x->zero_high & bit(g)))
        narrow(x, g);
    return (unsigned)x->host[g];
}

void reg_done64(struct jit_cx *x, unsigned g, unsigned host)
{
    if (!resident(x, g)) {
        x64_rm(&x->a, true, A_MOV_STORE, host, home(g));
        return;
    }
    if (host != (unsigned)x->host[g])
        x64_rr(&x->a, true, A_MOV, (unsigned)x->host[g], host);
    x->lo &= (u16)~bit(g);
    x->zero_high &= (u16)~bit(g);
    x->hi_dirty |= bit(g);
    x->dirty |= bit(g);
}

void reg_zero_high(struct jit_cx *x, unsigned g)
{
    if (resident(x, g))
        x->zero_high |= bit(g);
}

void reg_done32(struct jit_cx *x, unsigned g, unsigned host)
{
    if (!resident(x, g)) {
        x64_rm(&x->a, false, A_MOV_STORE, host, home(g));
        return;
    }
    if (!(x->zero_high & bit(g)))
        narrow(x, g);
    if (host != (unsigned)x->host[g])
        x64_rr(&x->a, false, A_MOV, (unsigned)x->host[g], host);
    x->dirty |= bit(g);
}

unsigned reg_use(struct jit_cx *x, bool w, unsigned g, unsigned scratch)
{
    return w ? reg_use64(x, g, scratch) : reg_use32(x, g, scratch);
}

void reg_get(struct jit_cx *x, bool w, unsigned g, unsigned host)
{
    if (w)
        reg_get64(x, g, host);
    else
        reg_get32(x, g, host);
}

unsigned reg_def(struct jit_cx *x, bool w, unsigned g, unsigned scratch)
{
    return w ? reg_def64(x, g, scratch) : reg_def32(x, g, scratch);
}

void reg_done(struct jit_cx *x, bool w, unsigned g, unsigned host)
{
    if (w)
        reg_done64(x, g, host);
    else
        reg_done32(x, g, host);
}

void reg_op(struct jit_cx *x, bool w, unsigned op, unsigned host, unsigned g)
{
    if (resident(x, g)) {
        if (w)
            widen(x, g);
        x64_rr(&x->a, w, op, host, (unsigned)x->host[g]);
    } else {
        x64_rm(&x->a, w, op, host, home(g));
    }
}

void reg_widen(struct jit_cx *x, u16 which)
{
    for (unsigned of = which & x->resident & x->lo; of; of &= of - 1)
        widen(x, (unsigned)__builtin_ctz(of));
}

/* The same by way of memory, which keeps the flags; slower. */
void reg_widen_keep_flags(struct jit_cx *x, u16 which)
{
    for (unsigned g = 0; g < 16; g++) {
        if (!(which & bit(g)) || !resident(x, g) || !(x->lo & bit(g)))
            continue;
        x64_rm(&x->a, false, A_MOV_STORE, (unsigned)x->host[g], home(g));
        x64_rm(&x->a, true, A_MOV, (unsigned)x->host[g], home(g));
        x->lo &= (u16)~bit(g);
    }
}

static void general_write_back(struct jit_cx *x)
{
    for (unsigned of = x->dirty; of; of &= of - 1) {
        unsigned g = (unsigned)__builtin_ctz(of);
        x64_rm(&x->a, (x->hi_dirty & bit(g)) != 0, A_MOV_STORE, (unsigned)x->host[g], home(g));
    }
}

void reg_write_back(struct jit_cx *x)
{
    general_write_back(x);
    if (x->in_stubs)
        fp_write_back_common(x, x->fp_dirty);
    else
        fp_write_back(x, x->fp_dirty);
}

static bool caller_saved(unsigned host)
{
    return host == RSI || host == RDI || (host >= R8 && host <= R11);
}

void reg_load(struct jit_cx *x, u16 which)
{
    for (unsigned of = which & x->resident; of; of &= of - 1) {
        unsigned g = (unsigned)__builtin_ctz(of);
        x64_rm(&x->a, !(x->lo & bit(g)), A_MOV, (unsigned)x->host[g], home(g));
    }
}

void reg_reload(struct jit_cx *x, bool all)
{
    u16 which = 0;
    for (unsigned g = 0; g < 16; g++)
        if (resident(x, g) && (all || caller_saved((unsigned)x->host[g])))
            which |= bit(g);
    reg_load(x, which);
}

bool reg_settled(const struct jit_cx *x, unsigned b)
{
    return x->block[b].zone == x->zone && x->lo == x->block[b].low_in && fp_settled(x, b) &&
           cc_settled(x, b);
}

/* Registers of which the condition code is made when it is asked for: by its one setter, or by
 * those whose marks c->cc may hold. */
static u16 cc_needs(const struct jit_cx *x)
{
    bool again;
    u16 of = x->cc.in_memory ? 0 : cc_operands(x->cc.of, &again);
    for (unsigned k = 0; k < x->marks; k++)
        if (x->cc.in_memory && (x->cc.maybe >> k & 1))
            of |= cc_operands(&x->insn[x->marked[k]], &again);
    return of;
}

/* Into another zone: what is not in the same place there goes to memory, and comes from there when
 * it is needed, by the condition code too: a way back may leave before it is set again. */
static void zone_change(struct jit_cx *x, unsigned b)
{
    unsigned to = x->block[b].zone;
    u16 same = zone_same(x, x->zone, to), need = x->block[b].needed | cc_needs(x);
    u16 dirty = x->dirty;
    x->dirty &= (u16)~same;
    general_write_back(x);
    x->dirty = dirty & same;
    x->hi_dirty &= same;
    x->zero_high &= same;
    u16 lo = x->lo & same;
    zone_enter(x, to);
    x->lo = lo | (x->block[b].low_in & (u16)~same);
    reg_load(x, need & (u16)~same);
}

void reg_settle(struct jit_cx *x, unsigned b)
{
    cc_settle(x, b);
    if (x->block[b].zone != x->zone)
        zone_change(x, b);
    for (unsigned g = 0; g < 16; g++) {
        if (!(x->resident & bit(g)))
            continue;
        if (x->block[b].low_in & bit(g))
            narrow(x, g);
        else
            widen(x, g);
    }
    fp_settle(x, b);
}

void reg_enter_block(struct jit_cx *x, unsigned b)
{
    zone_enter(x, x->block[b].zone);
    x->lo = x->block[b].low_in;
    x->zero_high = 0;
    x->dirty = x->block[b].dirty_in;
    x->hi_dirty = x->dirty & (u16)~x->lo;
    x->fp_cached = x->block[b].fp_in;
    x->fp_dirty = x->block[b].fp_dirty_in;
}
