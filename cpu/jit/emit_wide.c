/* Products of twice the width, and division: register pairs, r1 even.
 * The host's instructions give what the guest's do, in rdx and rax; where the host would raise a
 * divide error, or the quotient does not fit, the body takes over. */
#include "cpu/jit/emit_internal.h"

static const struct jit_insn *current(const struct jit_cx *x)
{
    return &x->insn[x->cur];
}

static void pair_done(struct jit_cx *x, bool w, unsigned high, unsigned low)
{
    const struct jit_insn *i = current(x);
    reg_done(x, w, i->d.r1, high);
    reg_done(x, w, i->d.r1 + 1u, low);
}

/* Second operand in a host register other than rax and rdx. */
static unsigned factor(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    const struct lowering *lo = i->lo;
    bool w = lo->width == 64;
    if (lo->b == S_MEM) {
        mem_load(x, mem_address(x, i), lo->ext, w, RAX);
        x64_rr(&x->a, true, A_MOV, RCX, RAX);
        return RCX;
    }
    unsigned g = jit_reg(&i->d, lo->b);
    if (lo->ext == X_32 || lo->ext == X_64)
        return reg_use(x, w, g, RCX);
    emit_extended(x, lo->ext, w, g, RCX);
    return RCX;
}

static void emit_product(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = i->lo->width == 64;
    unsigned by = factor(x);
    reg_get(x, w, i->lo->a == S_R2 ? i->d.r2 : i->d.r1 + 1u, RAX);
    x64_g3(&x->a, w, i->lo->op == OP_WMULS ? N_IMUL : N_MUL, by);
    pair_done(x, w, RDX, RAX);
}

/* The quotient fits when the high part is below the divisor, which is not zero then. */
static void emit_divide_logical(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = i->lo->width == 64;
    unsigned by = factor(x);
    reg_get(x, w, i->d.r1, RDX);
    x64_rr(&x->a, w, A_CMP, RDX, by);
    slow_if(x, CC_AE);
    reg_get(x, w, i->d.r1 + 1u, RAX);
    x64_g3(&x->a, w, N_DIV, by);
    pair_done(x, w, RDX, RAX);
    mem_done(x);
}

/* The divisor in rcx is neither 0 nor -1; rdx is lost. */
static void divisor_check(struct jit_cx *x)
{
    x64_rm(&x->a, true, A_LEA, RDX, x64_at(RCX, 1));
    x64_gi(&x->a, true, G_CMP, RDX, 1);
    slow_if(x, CC_BE);
}

static void divide_signed(struct jit_cx *x)
{
    x64_byte(&x->a, 0x48);
    x64_byte(&x->a, 0x99); /* cqo */
    x64_g3(&x->a, true, N_IDIV, RCX);
}

static void emit_divide_single(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    unsigned by = factor(x);
    if (by != RCX)
        x64_rr(&x->a, true, A_MOV, RCX, by);
    divisor_check(x);
    reg_get64(x, i->d.r1 + 1u, RAX);
    divide_signed(x);
    pair_done(x, true, RDX, RAX);
    mem_done(x);
}

/* 32 from 64 bits, by a 64-bit division; then the quotient must fit. */
static void emit_divide_pair(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    unsigned by = factor(x);
    x64_rr(a, true, A_MOVSXD, RCX, by);
    divisor_check(x);
    reg_get32(x, i->d.r1, RAX);
    x64_shift_i(a, true, S_SHL, RAX, 32);
    reg_get32(x, i->d.r1 + 1u, RDX);
    x64_rr(a, true, A_OR, RAX, RDX);
    divide_signed(x);
    x64_rr(a, true, A_MOVSXD, RCX, RAX);
    x64_rr(a, true, A_CMP, RCX, RAX);
    slow_if(x, CC_NE);
    pair_done(x, false, RDX, RAX);
    mem_done(x);
}

void emit_wide(struct jit_cx *x)
{
    switch (current(x)->lo->op) {
    case OP_WMUL:
    case OP_WMULS: emit_product(x); break;
    case OP_WDIV: emit_divide_logical(x); break;
    case OP_WDIVS: emit_divide_pair(x); break;
    default: emit_divide_single(x); break;
    }
}
