/* Instructions beyond moves and sums: carries, absolute values, shifts of pairs, bits selected by
 * rotation, tests of several bits, conditional moves with storage, access registers, traps.
 * Those whose body may have to take over ask slow_if before they change anything. */
#include "cpu/jit/emit_internal.h"

static const struct jit_insn *current(const struct jit_cx *x)
{
    return &x->insn[x->cur];
}

static bool wide(const struct jit_cx *x)
{
    return current(x)->lo->width == 64;
}

/* ---- with carry ---- */

#define COMPLEMENT_CARRY 0xf5

/* Can the carry flag be had from flags, those there are or made again? */
static bool carry_known(const struct jit_cx *x)
{
    const struct jit_insn *of = x->cc.of;
    if (!of || (!x->cc.fresh && x->cc.in_memory) || current(x)->lo->b != S_R2)
        return false;
    u8 kind = of->lo->cc;
    return kind == CCK_CARRY || kind == CCK_BORROW || kind == CCK_BORROW2 ||
           kind == CCK_UNSIGNED;
}

/* The carry flag, carry or borrow in, from flags. */
static void carry_in(struct jit_cx *x, bool add)
{
    struct x64 *a = &x->a;
    u8 kind = x->cc.of->lo->cc;
    if (!x->cc.fresh && kind == CCK_UNSIGNED)
        cc_again(x, x->cc.of);
    else if (!x->cc.fresh)
        cc_carry_again(x, x->cc.of);
    if (kind == CCK_UNSIGNED) { /* "high" is a carry */
        x64_setcc(a, add ? CC_A : CC_BE, RCX);
        x64_rr8(a, 0xf6, N_NEG, RCX);
    } else if (add != (kind == CCK_CARRY)) {
        x64_byte(a, COMPLEMENT_CARRY);
    }
}

static void carry_from_memory(struct jit_cx *x, bool add)
{
    x64_rm(&x->a, false, A_MOVZX8, RCX, CPU_AT(cc));
    if (!add)
        x64_gi(&x->a, false, G_XOR, RCX, 2);
    x64_shift_i(&x->a, false, S_SHR, RCX, 2); /* carry: bit 1 */
}

static void emit_carry(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = wide(x), add = i->lo->op == OP_ADC;
    reg_widen_keep_flags(x, i->reads64);
    bool there = carry_known(x);
    if (there)
        carry_in(x, add);
    else
        cc_to_memory(x);
    struct second b = emit_second(x, i->lo->b);
    if (!there)
        carry_from_memory(x, add);
    unsigned host = emit_first(x, i->d.r1, i->d.r1, b);
    emit_second_op(x, w, add ? G_ADC : G_SBB, host, b);
    reg_done(x, w, i->d.r1, host);
    cc_set(x);
}

/* ---- load positive and negative ---- */

/* -|v| never overflows; |v| is its complement, with the flags of a difference. */
static void emit_abs(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    bool w = wide(x);
    emit_extended(x, i->lo->ext, w, i->d.r2, RAX);
    x64_rr(a, w, A_MOV, RDX, RAX);
    x64_g3(a, w, N_NEG, RDX);
    x64_cmov(a, w, CC_NS, RDX, RAX);
    if (i->lo->op == OP_ABS)
        x64_g3(a, w, N_NEG, RDX);
    else
        x64_rr(a, w, A_TEST, RDX, RDX);
    reg_done(x, w, i->d.r1, RDX);
    cc_set(x);
}

/* ---- shifts ---- */

/* By a constant; the body takes over when bits unlike the sign are lost. */
static void emit_sla(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    bool w = wide(x);
    unsigned n = (unsigned)i->d.d2 & 63, from = jit_reg(&i->d, i->lo->a);
    emit_extended(x, w ? X_64 : X_S32, true, from, RAX);
    x64_rr(a, true, A_MOV, RDX, RAX);
    x64_shift_i(a, true, S_SHL, RAX, n);
    if (w) {
        x64_rr(a, true, A_MOV, RCX, RAX);
        x64_shift_i(a, true, S_SAR, RCX, n);
        x64_rr(a, true, A_CMP, RCX, RDX);
    } else {
        x64_rr(a, true, A_MOVSXD, RCX, RAX);
        x64_rr(a, true, A_CMP, RCX, RAX);
    }
    slow_if(x, CC_NE);
    reg_done(x, w, i->d.r1, RAX);
    x64_rr(a, w, A_TEST, RAX, RAX);
    cc_set(x);
    mem_done(x);
}

/* rax = low halves of r1 and r1 + 1 as one number. */
static void pair_get(struct jit_cx *x, unsigned r1)
{
    reg_get32(x, r1, RAX);
    x64_shift_i(&x->a, true, S_SHL, RAX, 32);
    reg_get32(x, r1 + 1, RDX);
    x64_rr(&x->a, true, A_OR, RAX, RDX);
}

/* ... and back; flags are kept. */
static void pair_put(struct jit_cx *x, unsigned r1)
{
    reg_done32(x, r1 + 1, RAX);
    x64_rorx(&x->a, true, RAX, RAX, 32);
    reg_done32(x, r1, RAX);
}

static void emit_shift_pair(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    u8 op = i->lo->op;
    enum x64_shift kind = op == OP_SHLD ? S_SHL : op == OP_SHRD ? S_SHR : S_SAR;
    pair_get(x, i->d.r1);
    if (i->d.b2 >= ZERO_REG) {
        if (i->d.d2 & 63)
            x64_shift_i(&x->a, true, kind, RAX, (unsigned)i->d.d2 & 63);
    } else {
        reg_get32(x, i->d.b2, RDX);
        x64_gi(&x->a, false, G_ADD, RDX, i->d.d2);
        x64_shiftx(&x->a, true, kind, RAX, RAX, RDX);
    }
    if (i->lo->cc != CCK_NONE)
        x64_rr(&x->a, true, A_TEST, RAX, RAX);
    pair_put(x, i->d.r1);
    if (i->lo->cc != CCK_NONE)
        cc_set(x);
}

/* ---- bits ---- */

/* The number of zeros to the left, and the operand without its leftmost one. */
static void emit_flogr(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    reg_get64(x, i->d.r2, RDX);
    x64_rr(a, true, A_LZCNT, RAX, RDX);
    x64_mov_i(a, RCX, 1ull << 63);
    x64_shiftx(a, true, S_SHR, RCX, RCX, RAX);
    x64_andn(a, true, RDX, RCX, RDX);
    reg_done64(x, i->d.r1, RAX);
    reg_done64(x, i->d.r1 + 1u, RDX);
    x64_mov_i(a, RCX, 64);
    x64_rr(a, false, A_CMP, RCX, RAX); /* equal: no one; else greater, condition code 2 */
    cc_set(x);
}

/* rax = its bits, by the byte: pairs, fours, eights. */
static void count_bytes(struct x64 *a)
{
    static const u64 mask[] = {0x5555555555555555, 0x3333333333333333, 0x0f0f0f0f0f0f0f0f};
    for (unsigned k = 0; k < ARRAY_LEN(mask); k++) {
        x64_rr(a, true, A_MOV, RDX, RAX);
        x64_shift_i(a, true, S_SHR, RDX, 1u << k);
        x64_mov_i(a, RCX, mask[k]);
        x64_rr(a, true, A_AND, RDX, RCX);
        x64_rr(a, true, A_AND, RAX, RCX);
        x64_rr(a, true, A_ADD, RAX, RDX);
    }
}

static void emit_popcnt(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    reg_get64(x, i->d.r2, RAX);
    if (i->d.r3 & 8)
        x64_rr(&x->a, true, A_POPCNT, RAX, RAX);
    else
        count_bytes(&x->a);
    x64_rr(&x->a, true, A_TEST, RAX, RAX);
    reg_done64(x, i->d.r1, RAX);
    cc_set(x);
}

/* What is not selected may be anything. */
static void rotated(struct jit_cx *x, const struct jit_insn *i)
{
    unsigned n = (unsigned)i->d.imm & 63;
    unsigned src = reg_use(x, !low_half(insn_rotated(i)), i->d.r2, RAX);
    if (n)
        x64_rorx(&x->a, true, RAX, src, 64 - n);
    else if (src != RAX)
        x64_rr(&x->a, true, A_MOV, RAX, src);
}

/* The condition code is that of the selected bits; with bit 0 of i3 nothing else changes. */
static void emit_rsbg(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    u64 mask = insn_selected(i);
    bool w = !low_half(mask);
    unsigned op = i->row->sub == 0x54 ? A_AND : i->row->sub == 0x56 ? A_OR : A_XOR;
    if (op != A_AND) {
        unsigned src = reg_use(x, !low_half(insn_rotated(i)), i->d.r2, RAX);
        emit_rotate_and(a, RAX, src, (unsigned)i->d.imm & 63, mask);
    } else {
        rotated(x, i);
    }
    if (op == A_AND && mask != ~0ull) {
        x64_mov_i(a, RDX, w ? ~mask : (u32)~mask);
        x64_rr(a, w, A_OR, RAX, RDX);
    }
    unsigned to = RAX;
    if (i->d.r3 & 0x80) {
        reg_op(x, w, op, RAX, i->d.r1);
    } else {
        to = reg_def(x, w, i->d.r1, RCX);
        if (to == RCX)
            reg_get(x, w, i->d.r1, RCX);
        x64_rr(a, w, op, to, RAX);
        reg_done(x, w, i->d.r1, to);
    }
    if (cc_wanted(x))
        emit_test_mask(a, w, to, mask);
    cc_set(x);
}

/* RISBLG: bit numbers count within the low half, which is all that changes. */
static void emit_risbl(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    u32 mask = (u32)insn_selected(i);
    rotated(x, i);
    if (mask != ~0u)
        x64_gi(a, false, G_AND, RAX, (s32)mask);
    if (!(i->d.b2 & 0x80) && mask != ~0u) {
        reg_get32(x, i->d.r1, RDX);
        x64_gi(a, false, G_AND, RDX, (s32)~mask);
        x64_rr(a, false, A_OR, RAX, RDX);
    }
    reg_done32(x, i->d.r1, RAX);
}

/* XIHF; the condition code is that of the high half. */
static void emit_fxor(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    x64_mov_i(a, RAX, (u64)jit_const(&i->d, i->lo->b));
    reg_op(x, true, A_XOR, RAX, i->d.r1);
    x64_rorx(a, true, RDX, RAX, 32);
    x64_rr(a, false, A_TEST, RDX, RDX);
    reg_done64(x, i->d.r1, RAX);
    cc_set(x);
}

/* ---- test under mask ---- */

/* rax = the bits that are tested, to the right. */
static void tested_bits(struct jit_cx *x, unsigned m)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    u8 src = i->lo->b;
    unsigned shift = src == S_I48 ? 48 : src == S_I32 ? 32 : src == S_I16 ? 16 : 0;
    if (i->lo->a == S_MEM)
        mem_fetch(x, mem_begin(x), X_U8, false, RAX);
    else if (shift)
        x64_rorx(a, shift > 16, RAX, reg_use(x, shift > 16, i->d.r1, RAX), shift);
    else
        reg_get32(x, i->d.r1, RAX);
    x64_gi(a, false, G_AND, RAX, (s32)m);
}

/* Of bits in a register, mixed ones tell by the leftmost. cc = some + (leftmost) + all; in storage
 * some + 2 * all. */
static void tested_cc(struct jit_cx *x, unsigned m)
{
    struct x64 *a = &x->a;
    bool storage = current(x)->lo->a == S_MEM;
    x64_mov_i(a, RCX, 0);
    x64_mov_i(a, RDX, 0);
    x64_gi(a, false, G_CMP, RAX, (s32)m);
    x64_setcc(a, CC_E, RDX);
    x64_rr(a, false, A_TEST, RAX, RAX);
    x64_setcc(a, CC_NE, RCX);
    x64_rm(a, false, A_LEA, RCX, x64_idx(RCX, RDX, storage ? 1 : 0, 0));
    if (!storage) {
        x64_gi(a, false, G_CMP, RAX, (s32)(1u << (31 - __builtin_clz(m)))); /* borrow: zero */
        x64_gi(a, false, G_SBB, RCX, -1);
    }
    x64_rm8(a, A_MOV8_STORE, RCX, CPU_AT(cc));
}

void emit_tm_many(struct jit_cx *x, unsigned mask)
{
    const struct jit_insn *i = current(x);
    bool ones = mask == 1 || mask == 14, fresh = ones || mask == 8 || mask == 7;
    unsigned m = i->lo->a == S_MEM ? i->d.r1 : (u16)i->d.imm;
    tested_bits(x, m);
    tested_cc(x, m);
    if (ones)
        x64_gi(&x->a, false, G_CMP, RAX, (s32)m);
    else if (fresh)
        x64_rr(&x->a, false, A_TEST, RAX, RAX);
    cc_is_in_memory(x);
    if (fresh)
        x->cc = (struct cc_now){.in_memory = true, .inverted = ones, .fresh = true, .of = i};
}

/* ---- on condition ---- */

/* Jumps when `mask` does not hold; registers that are read are wide before. */
static struct jumps unless(struct jit_cx *x, unsigned mask)
{
    struct jumps holds = {.count = 0}, fails = {.count = 0};
    reg_widen_keep_flags(x, current(x)->reads64);
    if (mask != 15)
        cc_branch(x, mask ^ 15, &fails, &holds);
    for (unsigned k = 0; k < holds.count; k++)
        x64_patch(&x->a, holds.at[k], x->a.at);
    x->cc.fresh = false;
    return fails;
}

static void arrive(struct jit_cx *x, const struct jumps *j)
{
    for (unsigned k = 0; k < j->count; k++)
        x64_patch(&x->a, j->at[k], x->a.at);
}

static void emit_stoc(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = wide(x);
    if (i->d.r3 == 0)
        return;
    struct jumps fails = unless(x, i->d.r3);
    unsigned ea = mem_address(x, i);
    struct x64_mem m = mem_operand(x, ea, w ? 8 : 4, true);
    unsigned from = reg_use(x, w, i->d.r1, RDX);
    x64_rm(&x->a, w, A_MOVBE_STORE, from, m);
    mem_done(x);
    arrive(x, &fails);
}

static void emit_sel(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = wide(x);
    reg_widen_keep_flags(x, i->reads64);
    reg_get(x, w, i->d.r3, RAX);
    if (i->d.b2 != 0) {
        struct jumps fails = unless(x, i->d.b2);
        reg_get(x, w, i->d.r2, RAX);
        arrive(x, &fails);
    }
    reg_done(x, w, i->d.r1, RAX);
}

/* ---- program mask, access registers ---- */

static void emit_ipm(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    cc_to_memory(x);
    x64_rm(a, false, A_MOVZX8, RAX, CPU_AT(cc));
    x64_shift_i(a, false, S_SHL, RAX, 28);
    _Static_assert(PSW_PM == 0xfull << 40, "low half of byte 5");
    x64_rm(a, false, A_MOVZX8, RDX, cpu_at(offsetof(struct cpu, psw.mask) + 5));
    x64_gi(a, false, G_AND, RDX, 15);
    x64_shift_i(a, false, S_SHL, RDX, 24);
    x64_rr(a, false, A_OR, RAX, RDX);
    x64_mov_i(a, RDX, 0x00ffffff);
    reg_op(x, false, A_AND, RDX, i->d.r1);
    x64_rr(a, false, A_OR, RAX, RDX);
    reg_done32(x, i->d.r1, RAX);
}

static struct x64_mem access_register(unsigned r)
{
    return cpu_at(offsetof(struct cpu, ar) + 4 * r);
}

/* Not in the access-register mode: nothing follows from another value. */
static void emit_access(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    switch (i->lo->op) {
    case OP_ARGET:
        x64_rm(a, false, A_MOV, RAX, access_register(i->d.r2));
        reg_done32(x, i->d.r1, RAX);
        break;
    case OP_ARSET:
        x64_rm(a, false, A_MOV_STORE, reg_use32(x, i->d.r2, RAX), access_register(i->d.r1));
        break;
    default:
        x64_rm(a, false, A_MOV, RAX, access_register(i->d.r2));
        x64_rm(a, false, A_MOV_STORE, RAX, access_register(i->d.r1));
        break;
    }
}

static void emit_access_multiple(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    bool store = i->lo->op == OP_STAM;
    unsigned count = ((i->d.r3 - i->d.r1) & 15u) + 1, ea = mem_address(x, i);
    x64_test_i(a, false, ea, 3);
    slow_if(x, CC_NE);
    mem_host(x, ea, 4 * count, store);
    x64_rr(a, true, A_ADD, RCX, ea);
    for (unsigned k = 0; k < count; k++) {
        struct x64_mem m = x64_at(RCX, (s32)(4 * k)), r = access_register((i->d.r1 + k) & 15);
        x64_rm(a, false, store ? A_MOV : A_MOVBE, RDX, store ? r : m);
        x64_rm(a, false, store ? A_MOVBE_STORE : A_MOV_STORE, RDX, store ? m : r);
    }
    mem_done(x);
}

/* ---- others ---- */

static void emit_dec(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = wide(x);
    unsigned to = reg_def(x, w, i->d.r1, RAX);
    if (to == RAX)
        reg_get(x, w, i->d.r1, RAX);
    x64_gi(&x->a, w, G_SUB, to, 1);
    reg_done(x, w, i->d.r1, to);
}

/* LOAD AND TRAP: so does it, when zero is loaded. */
static void emit_lat(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    mem_load(x, mem_address(x, i), i->lo->ext, wide(x), RAX);
    x64_rr(&x->a, wide(x), A_TEST, RAX, RAX);
    slow_if(x, CC_E);
    reg_done(x, wide(x), i->d.r1, RAX);
    mem_done(x);
}

/* BCR 15,0: what was stored before is visible, and requests are met. */
static void emit_sync(struct jit_cx *x)
{
    x64_byte(&x->a, 0xf0); /* lock */
    x64_gi_mem(&x->a, false, G_OR, x64_at(RSP, 0), 0);
    x64_gi_mem(&x->a, false, G_CMP, CPU_AT(requests), 0);
    slow_if(x, CC_NE);
    mem_done(x);
}

/* STORE THEN AND SYSTEM MASK: nothing can be due then that was not before. */
static void emit_stnsm(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    struct x64_mem mask = cpu_at(offsetof(struct cpu, psw.mask) + 7);
    _Static_assert(PSW_PROB == 1ull << 48, "bit 0 of byte 6");
    x64_test8_mem(a, cpu_at(offsetof(struct cpu, psw.mask) + 6), 1);
    slow_if(x, CC_NE); /* a privileged-operation exception */
    unsigned ea = mem_address(x, i);
    mem_host(x, ea, 1, true);
    x64_rm(a, false, A_MOVZX8, RDX, mask);
    x64_rm8(a, A_MOV8_STORE, RDX, x64_idx(RCX, ea, 0, 0));
    x64_rm(a, false, 0x80, G_AND, mask);
    x64_byte(a, i->d.r1);
    mem_done(x);
}

/* COMPARE AND TRAP: the body traps. */
static void emit_trap(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = wide(x);
    unsigned mask = i->d.r3 & 14;
    struct second b = emit_second(x, i->lo->b);
    if (mask == 0)
        return;
    unsigned host = reg_use(x, w, i->d.r1, RAX);
    emit_second_op(x, w, G_CMP, host, b);
    if (mask == 14) /* always */
        x64_rr(&x->a, false, A_CMP, RAX, RAX);
    slow_if(x, mask == 14 ? CC_E : cc_compare_cond(mask, i->lo->cc == CCK_SIGNED));
    mem_done(x);
}

/* ---- products of twice the width, and division: register pairs, r1 even ----
 * The host's instructions give what the guest's do, in rdx and rax; where the host would raise a
 * divide error, or the quotient does not fit, the body takes over. */

static void wide_done(struct jit_cx *x, bool w, unsigned high, unsigned low)
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
    wide_done(x, w, RDX, RAX);
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
    wide_done(x, w, RDX, RAX);
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
    wide_done(x, true, RDX, RAX);
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
    wide_done(x, false, RDX, RAX);
    mem_done(x);
}

static void emit_pairs(struct jit_cx *x)
{
    switch (current(x)->lo->op) {
    case OP_WMUL:
    case OP_WMULS: emit_product(x); break;
    case OP_WDIV: emit_divide_logical(x); break;
    case OP_WDIVS: emit_divide_pair(x); break;
    default: emit_divide_single(x); break;
    }
}

/* ---- */

void emit_more(struct jit_cx *x)
{
    switch (current(x)->lo->op) {
    case OP_ADC:
    case OP_SBB: emit_carry(x); break;
    case OP_ABS:
    case OP_NABS: emit_abs(x); break;
    case OP_SLA: emit_sla(x); break;
    case OP_SHLD:
    case OP_SHRD:
    case OP_SARD: emit_shift_pair(x); break;
    case OP_FLOGR: emit_flogr(x); break;
    case OP_POPC: emit_popcnt(x); break;
    case OP_RSBG: emit_rsbg(x); break;
    case OP_RISBL: emit_risbl(x); break;
    case OP_FXOR: emit_fxor(x); break;
    case OP_STOC: emit_stoc(x); break;
    case OP_STNSM: emit_stnsm(x); break;
    case OP_SEL: emit_sel(x); break;
    case OP_IPM: emit_ipm(x); break;
    case OP_ARGET:
    case OP_ARSET:
    case OP_ARCPY: emit_access(x); break;
    case OP_LAM:
    case OP_STAM: emit_access_multiple(x); break;
    case OP_NOP: break;
    case OP_SYNC: emit_sync(x); break;
    case OP_DEC: emit_dec(x); break;
    case OP_TRAP: emit_trap(x); break;
    case OP_LAT: emit_lat(x); break;
    case OP_WMUL:
    case OP_WMULS:
    case OP_WDIV:
    case OP_WDIVS:
    case OP_DSG: emit_pairs(x); break;
    case OP_ICM:
    case OP_STCM:
    case OP_CLM:
    case OP_HMOV:
    case OP_HADD:
    case OP_HSUB:
    case OP_HCMP:
    case OP_HST:
    case OP_RISBH: emit_part(x); break;
    default: emit_update(x); break;
    }
}
