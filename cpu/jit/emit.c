/* Emission of a region: entry, blocks, and the instructions that compute.
 * Values are made in the destination's host register, or in RAX; a second operand from storage or
 * a wide constant is in RDX; RCX belongs to emit_reg.c and emit_mem.c. */
#include "cpu/jit/emit_internal.h"

static const struct jit_insn *current(const struct jit_cx *x)
{
    return &x->insn[x->cur];
}

/* Register g, extended, into `to`. */
void emit_extended(struct jit_cx *x, u8 ext, bool w, unsigned g, unsigned to)
{
    struct x64 *a = &x->a;
    if (ext == X_64 || ext == X_REV64) {
        reg_get64(x, g, to);
        if (ext == X_REV64)
            x64_bswap(a, true, to);
        return;
    }
    unsigned from = reg_use32(x, g, to);
    switch (ext) {
    case X_S32: x64_rr(a, w, w ? A_MOVSXD : A_MOV, to, from); break;
    case X_S16: x64_rr(a, w, A_MOVSX16, to, from); break;
    case X_U16: x64_rr(a, false, A_MOVZX16, to, from); break;
    case X_S8:
        if (w)
            x64_rr(a, true, A_MOVSX8, to, from);
        else
            x64_rr8(a, A_MOVSX8, to, from);
        break;
    case X_U8: x64_rr8(a, A_MOVZX8, to, from); break;
    default:
        if (from != to || x->host[g] != HOST_NONE) /* else it has just been loaded */
            x64_rr(a, false, A_MOV, to, from);
        if (ext == X_U31)
            x64_gi(a, false, G_AND, to, 0x7fffffff);
        if (ext == X_REV32)
            x64_bswap(a, false, to);
    }
}

/* ---- operands ---- */

struct second emit_second(struct jit_cx *x, u8 src)
{
    const struct jit_insn *i = current(x);
    const struct lowering *lo = i->lo;
    bool w = lo->width == 64;
    if (src == S_MEM || src == S_REL) {
        mem_fetch(x, mem_begin(x), lo->ext, w, RDX);
        return (struct second){SECOND_HOST, 0, RDX};
    }
    if (jit_src_const(src)) {
        s64 v = jit_const(&i->d, src);
        if (!w || v == (s32)v)
            return (struct second){SECOND_IMM, (s32)v, 0};
        x64_mov_i(&x->a, RDX, (u64)v);
        return (struct second){SECOND_HOST, 0, RDX};
    }
    unsigned g = jit_reg(&i->d, src);
    if (lo->ext == X_32 || lo->ext == X_64)
        return (struct second){SECOND_GUEST, 0, g};
    emit_extended(x, lo->ext, w, g, RDX);
    return (struct second){SECOND_HOST, 0, RDX};
}

void emit_second_op(struct jit_cx *x, bool w, enum x64_group1 g, unsigned host, struct second b)
{
    unsigned op = (unsigned)g << 3 | 3;
    if (b.kind == SECOND_IMM)
        x64_gi(&x->a, w, g, host, b.imm);
    else if (b.kind == SECOND_GUEST)
        reg_op(x, w, op, host, b.reg);
    else
        x64_rr(&x->a, w, op, host, b.reg);
}

static void second_mul(struct jit_cx *x, bool w, unsigned host, struct second b)
{
    if (b.kind == SECOND_IMM)
        x64_imul_i(&x->a, w, host, host, b.imm);
    else if (b.kind == SECOND_GUEST)
        reg_op(x, w, A_IMUL, host, b.reg);
    else
        x64_rr(&x->a, w, A_IMUL, host, b.reg);
}

/* The host register in which dst = a op b is made, holding a. */
unsigned emit_first(struct jit_cx *x, unsigned dst, unsigned ra, struct second b)
{
    bool w = current(x)->lo->width == 64;
    bool b_is_dst = b.kind == SECOND_GUEST && b.reg == dst && ra != dst;
    unsigned host = b_is_dst ? (unsigned)RAX : reg_def(x, w, dst, RAX);
    if (dst != ra || host == RAX)
        reg_get(x, w, ra, host);
    return host;
}

/* ---- instructions ---- */

static void emit_mov(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    const struct lowering *lo = i->lo;
    bool w = lo->width == 64;
    unsigned dst = i->d.r1;
    if (lo->b == S_MEM || lo->b == S_REL) {
        /* the old value must survive a fault: it does, the load is the last to write */
        unsigned begun = mem_begin(x);
        unsigned to = reg_def(x, w, dst, RAX);
        mem_fetch(x, begun, lo->ext, w, to);
        reg_done(x, w, dst, to);
        if (w && ext_zeroes(lo->ext))
            reg_zero_high(x, dst);
        return;
    }
    if (jit_src_const(lo->b)) {
        s64 v = jit_const(&i->d, lo->b);
        if (x->host[dst] == HOST_NONE && (!w || v == (s32)v)) {
            x64_mov_mem_i(&x->a, w, home(dst), (s32)v);
            return;
        }
        unsigned to = reg_def(x, w, dst, RAX);
        x64_mov_i(&x->a, to, w ? (u64)v : (u32)v);
        reg_done(x, w, dst, to);
        if (w && (u64)v == (u32)v)
            reg_zero_high(x, dst);
        return;
    }
    unsigned src = jit_reg(&i->d, lo->b);
    if (src == dst && lo->ext == (w ? X_64 : X_32))
        return;
    if (x->host[dst] == HOST_NONE && lo->ext == (w ? X_64 : X_32)) {
        reg_done(x, w, dst, reg_use(x, w, src, RAX));
        return;
    }
    unsigned to = reg_def(x, w, dst, RAX);
    bool zero_high = w && (ext_zeroes(lo->ext) || (lo->ext == X_64 && x->zero_high >> src & 1));
    emit_extended(x, lo->ext, w, src, to);
    reg_done(x, w, dst, to);
    if (zero_high)
        reg_zero_high(x, dst);
}

/* A sum into a third register, by one LEA: nobody asks for its condition code. */
static bool sum_elsewhere(struct jit_cx *x, struct second b)
{
    const struct jit_insn *i = current(x);
    bool w = i->lo->width == 64;
    unsigned ra = jit_reg(&i->d, i->lo->a);
    bool guest = b.kind == SECOND_GUEST;
    if (i->lo->op != OP_ADD || ra == i->d.r1 || x->host[i->d.r1] == HOST_NONE ||
        x->host[ra] == HOST_NONE || (guest && x->host[b.reg] == HOST_NONE) || cc_wanted(x))
        return false;
    unsigned from = reg_use(x, w, ra, RAX);
    unsigned index = guest                   ? reg_use(x, w, b.reg, RDX)
                     : b.kind == SECOND_HOST ? b.reg
                                             : X64_NO_INDEX;
    unsigned to = reg_def(x, w, i->d.r1, RAX);
    x64_rm(&x->a, w, A_LEA, to, x64_idx(from, index, 0, b.kind == SECOND_IMM ? b.imm : 0));
    reg_done(x, w, i->d.r1, to);
    return true;
}

static void emit_alu(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    const struct lowering *lo = i->lo;
    bool w = lo->width == 64;
    struct second b = emit_second(x, lo->b);
    if (sum_elsewhere(x, b)) {
        if (lo->cc != CCK_NONE)
            cc_set(x);
        return;
    }
    bool sum = lo->op == OP_ADD || lo->op == OP_SUB;
    cc_keep_second(x, b);
    unsigned host = emit_first(x, i->d.r1, jit_reg(&i->d, lo->a), b);
    if (sum)
        cc_keep_first(x, host);
    static const u8 group[] = {
        [OP_ADD] = G_ADD, [OP_SUB] = G_SUB, [OP_AND] = G_AND, [OP_OR] = G_OR, [OP_XOR] = G_XOR};
    if (lo->op == OP_MUL)
        second_mul(x, w, host, b);
    else
        emit_second_op(x, w, (enum x64_group1)group[lo->op], host, b);
    reg_done(x, w, i->d.r1, host);
    if (!sum)
        cc_keep_first(x, host);
    if (lo->cc != CCK_NONE)
        cc_set(x);
}

static void emit_cmp(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    const struct lowering *lo = i->lo;
    bool w = lo->width == 64;
    unsigned host = RAX;
    struct second b;
    if (lo->a == S_MEM) {
        mem_fetch(x, mem_begin(x), lo->ext, w, RAX);
        cc_keep(x, RAX);
        b = emit_second(x, lo->b);
    } else {
        b = emit_second(x, lo->b);
        if (lo->b == S_MEM)
            cc_keep(x, b.reg);
        unsigned g = jit_reg(&i->d, lo->a);
        host = w ? reg_use64(x, g, RAX) : reg_use32(x, g, RAX);
    }
    cc_keep_first(x, host);
    if (b.kind != SECOND_IMM)
        cc_keep_second(x, b);
    if (b.kind == SECOND_IMM && b.imm == 0)
        x64_rr(&x->a, w, A_TEST, host, host);
    else
        emit_second_op(x, w, G_CMP, host, b);
    cc_set(x);
}

static void emit_test(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = i->lo->width == 64;
    emit_mov(x);
    bool there = x->host[i->d.r1] == HOST_NONE && (i->lo->b == S_MEM || i->lo->b == S_REL);
    unsigned host = there ? RAX : reg_use(x, w, i->d.r1, RAX); /* it has just been stored */
    cc_keep_first(x, host);
    x64_rr(&x->a, w, A_TEST, host, host);
    cc_set(x);
}

static void emit_neg(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = i->lo->width == 64;
    unsigned to = reg_def(x, w, i->d.r1, RAX);
    if (i->lo->ext != (w ? X_64 : X_32))
        emit_extended(x, i->lo->ext, w, i->d.r2, to);
    else if (to == RAX || i->d.r1 != i->d.r2)
        reg_get(x, w, i->d.r2, to);
    x64_g3(&x->a, w, N_NEG, to);
    reg_done(x, w, i->d.r1, to);
    cc_set(x);
}

static void emit_la(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    if (!i->amode64) { /* the high half stays */
        mem_address_into(x, i, RAX);
        reg_done32(x, i->d.r1, RAX);
        return;
    }
    unsigned to = reg_def64(x, i->d.r1, RAX);
    mem_address_into(x, i, to);
    reg_done64(x, i->d.r1, to);
}

static void emit_insert(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = i->lo->width == 64;
    struct x64 *a = &x->a;
    s64 v = jit_const(&i->d, i->lo->b);
    u64 field = jit_field(i->lo->b);
    unsigned to = reg_def(x, w, i->d.r1, RAX);
    if (to == RAX)
        reg_get(x, w, i->d.r1, RAX);
    if (w) {
        x64_mov_i(a, RDX, ~field);
        x64_rr(a, true, A_AND, to, RDX);
        x64_mov_i(a, RDX, (u64)v);
        x64_rr(a, true, A_OR, to, RDX);
    } else {
        x64_gi(a, false, G_AND, to, (s32)~field);
        x64_gi(a, false, G_OR, to, (s32)v);
    }
    reg_done(x, w, i->d.r1, to);
}

static void emit_ic(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    mem_fetch(x, mem_begin(x), i->lo->ext, false, RDX);
    unsigned to = reg_def32(x, i->d.r1, RAX);
    if (to == RAX)
        reg_get32(x, i->d.r1, RAX);
    x64_gi(&x->a, false, G_AND, to, -(1 << 8 * ext_size(i->lo->ext)));
    x64_rr(&x->a, false, A_OR, to, RDX);
    reg_done32(x, i->d.r1, to);
}

/* And, or of an immediate with a field; the condition code is that of the field. */
static void emit_field(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = i->lo->width == 64, and = i->lo->op == OP_FAND;
    struct x64 *a = &x->a;
    u64 field = jit_field(i->lo->b), v = (u64)jit_const(&i->d, i->lo->b);
    u64 operand = and? v | ~field : v;
    unsigned to = reg_def(x, w, i->d.r1, RAX);
    if (to == RAX)
        reg_get(x, w, i->d.r1, RAX);
    if (w) {
        x64_mov_i(a, RDX, operand);
        x64_rr(a, true, and? A_AND : A_OR, to, RDX);
    } else {
        x64_gi(a, false, and? G_AND : G_OR, to, (s32)(u32)operand);
    }
    if (cc_wanted(x)) {
        x64_mov_i(a, RDX, field);
        x64_rr(a, w, A_TEST, RDX, to);
    }
    reg_done(x, w, i->d.r1, to);
    cc_set(x);
}

#define MASK_ANY 4u /* needs the condition code itself */

/* Mask of the branch that takes the flags of the current instruction as they are, or 0. */
static unsigned next_branch_mask(const struct jit_cx *x)
{
    const struct jit_insn *next = cc_next_user(x);
    if (!next)
        return 0;
    u8 op = next->lo->op;
    return op == OP_LOC ? next->d.r3 : op == OP_BC || op == OP_BCR ? next->d.r1 : MASK_ANY;
}

static void emit_tm(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    u64 m = (u64)jit_const(&i->d, i->lo->b);
    unsigned mask = next_branch_mask(x);
    bool many = (m & (m - 1)) != 0, ones = many && (mask == 1 || mask == 14);
    if (many &&
        (region_cc_need(x, x->cur) != CC_DEAD || (mask && mask != 8 && mask != 7 && !ones))) {
        emit_tm_many(x, mask);
        return;
    }
    unsigned of = RAX;
    bool w = i->lo->width == 64;
    if (i->lo->a == S_MEM)
        mem_fetch(x, mem_begin(x), X_U8, false, RAX);
    else if (ones)
        reg_get(x, w, i->d.r1, RAX);
    else
        of = reg_use(x, w, i->d.r1, RAX);
    if (ones)
        x64_g3(a, true, N_NOT, RAX);
    if (m <= 0x7fffffff) {
        x64_test_i(a, false, of, (s32)m);
    } else {
        x64_mov_i(a, RDX, m);
        x64_rr(a, true, A_TEST, RDX, of);
    }
    cc_set(x);
    x->cc.inverted = ones;
}

/* ---- shifts ---- */

/* By a constant. */
static void shift_const(struct jit_cx *x, unsigned n)
{
    const struct jit_insn *i = current(x);
    const struct lowering *lo = i->lo;
    bool w = lo->width == 64;
    static const u8 kind[] = {
        [OP_SHL] = S_SHL, [OP_SHR] = S_SHR, [OP_SAR] = S_SAR, [OP_ROL] = S_ROL};
    unsigned from = jit_reg(&i->d, lo->a), to = reg_def(x, w, i->d.r1, RAX);
    if (to == RAX || from != i->d.r1)
        reg_get(x, w, from, to);
    if (!w && n > 31 && lo->op != OP_ROL) {
        if (lo->op == OP_SAR)
            x64_shift_i(&x->a, false, S_SAR, to, 31);
        else
            x64_mov_i(&x->a, to, 0);
    } else if (n & (w ? 63 : 31)) {
        x64_shift_i(&x->a, w, (enum x64_shift)kind[lo->op], to, n & (w ? 63 : 31));
    }
    reg_done(x, w, i->d.r1, to);
}

static void shift_variable(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    const struct lowering *lo = i->lo;
    bool w = lo->width == 64;
    unsigned from = jit_reg(&i->d, lo->a);
    struct x64 *a = &x->a;
    reg_get32(x, i->d.b2, RDX);
    if (i->d.d2)
        x64_gi(a, false, G_ADD, RDX, i->d.d2);
    reg_get(x, w, from, RAX);
    if (lo->op == OP_ROL) {
        x64_rr(a, false, A_MOV, RCX, RDX);
        x64_shift_cl(a, w, S_ROL, RAX);
    } else {
        if (!w && lo->op == OP_SAR)
            x64_rr(a, true, A_MOVSXD, RAX, RAX);
        x64_shiftx(a, true,
                   lo->op == OP_SHL   ? S_SHL
                   : lo->op == OP_SHR ? S_SHR
                                      : S_SAR,
                   RAX, RAX, RDX);
    }
    reg_done(x, w, i->d.r1, RAX);
}

static void emit_shift(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = i->lo->width == 64;
    if (i->d.b2 >= ZERO_REG)
        shift_const(x, (unsigned)i->d.d2 & 63);
    else
        shift_variable(x);
    if (i->lo->cc == CCK_NONE)
        return;
    if (cc_wanted(x)) {
        unsigned host = w ? reg_use64(x, i->d.r1, RAX) : reg_use32(x, i->d.r1, RAX);
        x64_rr(&x->a, w, A_TEST, host, host);
    }
    cc_set(x);
}

u64 emit_bit_range(unsigned from, unsigned to)
{
    u64 head = ~0ull >> from, tail = ~0ull << (63 - to);
    return from <= to ? head & tail : head | tail;
}

void emit_and_mask(struct x64 *a, unsigned to, u64 mask)
{
    if (mask == ~0ull)
        return;
    if (mask == 0xffffffff) {
        x64_rr(a, false, A_MOV, to, to);
    } else if (mask == 0xff) {
        x64_rr8(a, A_MOVZX8, to, to);
    } else if (mask <= 0x7fffffff) {
        x64_gi(a, false, G_AND, to, (s32)mask);
    } else if ((s64)mask == (s32)mask) {
        x64_gi(a, true, G_AND, to, (s32)mask);
    } else if (mask <= 0xffffffff) {
        x64_gi(a, false, G_AND, to, (s32)(u32)mask);
    } else {
        x64_mov_i(a, RDX, mask);
        x64_rr(a, true, A_AND, to, RDX);
    }
}

/* Is the mask all ones from bit `low` to bit `high` (from the right)? */
static bool mask_range(u64 mask, unsigned *low, unsigned *high)
{
    *low = (unsigned)__builtin_ctzll(mask);
    *high = 63u - (unsigned)__builtin_clzll(mask);
    return ((mask >> *low) & ((mask >> *low) + 1)) == 0;
}

/* By shifts what would take a constant of 64 bits: what is selected is the left of the source, all
 * of it from some bit on, or its low half. */
static bool rotate_by_shifts(struct x64 *a, unsigned to, unsigned src, unsigned n, u64 mask)
{
    unsigned low, high;
    bool range = mask_range(mask, &low, &high);
    bool right = low == 0 && high == n - 1, left = low == n && high == 63;
    bool half = low == n && high - low == 31;
    if (!range || n == 0 || !(right || left || half))
        return false;
    if (half)
        x64_rr(a, false, A_MOV, to, src);
    else if (to != src)
        x64_rr(a, true, A_MOV, to, src);
    x64_shift_i(a, true, right ? S_SHR : S_SHL, to, right ? 64 - n : n);
    return true;
}

void emit_rotate_and(struct x64 *a, unsigned to, unsigned src, unsigned n, u64 mask)
{
    if (rotate_by_shifts(a, to, src, n, mask))
        return;
    if (n)
        x64_rorx(a, true, to, src, 64 - n);
    else if (to != src)
        x64_rr(a, true, A_MOV, to, src);
    emit_and_mask(a, to, mask);
}

void emit_test_mask(struct x64 *a, bool w, unsigned host, u64 mask)
{
    unsigned low, high;
    bool range = mask_range(mask, &low, &high);
    if (mask == (w ? ~0ull : 0xffffffff)) {
        x64_rr(a, w, A_TEST, host, host);
    } else if (mask <= 0x7fffffff || !w) {
        x64_test_i(a, false, host, (s32)(u32)mask);
    } else if (range && (low == 0 || high == 63)) {
        x64_rr(a, true, A_MOV, RDX, host);
        x64_shift_i(a, true, low ? S_SHR : S_SHL, RDX, low ? low : 63 - high);
    } else {
        x64_mov_i(a, RDX, mask);
        x64_rr(a, true, A_TEST, RDX, host);
    }
}

/* RISBG: bits i3..i4 of r2 rotated left by i5, into r1 or zeros. */
static void emit_risbg(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    bool zero = i->d.b2 & 0x80;
    u64 mask = insn_selected(i);
    unsigned src = reg_use(x, !low_half(insn_rotated(i)), i->d.r2, RAX);
    bool in_place = zero && i->d.r1 != i->d.r2;
    unsigned host = in_place ? reg_def64(x, i->d.r1, RAX) : (unsigned)RAX;
    emit_rotate_and(a, host, src, (unsigned)i->d.imm & 63, mask);
    if (!zero && mask != ~0ull) {
        x64_mov_i(a, RDX, ~mask);
        reg_op(x, true, A_AND, RDX, i->d.r1);
        x64_rr(a, true, A_OR, RAX, RDX);
    }
    bool zero_high = low_half(mask) && (zero || x->zero_high >> i->d.r1 & 1);
    reg_done64(x, i->d.r1, host);
    if (zero_high)
        reg_zero_high(x, i->d.r1);
    if (i->lo->cc == CCK_NONE)
        return;
    if (cc_wanted(x))
        x64_rr(a, true, A_TEST, host, host);
    cc_set(x);
}

/* ... as a conditional move, when one host condition tells. */
static bool emit_loc_move(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = i->lo->width == 64;
    unsigned dst = i->d.r1, from;
    enum x64_cond cond;
    if (i->lo->b == S_MEM || i->d.r3 == 15 || !cc_one_cond(x, i->d.r3, &cond))
        return false;
    unsigned to = reg_def(x, w, dst, RAX);
    if (to == RAX)
        reg_get(x, w, dst, RAX);
    if (jit_src_const(i->lo->b)) {
        x64_mov_i(&x->a, RDX, w ? (u64)jit_const(&i->d, i->lo->b) : (u32)i->d.imm);
        from = RDX;
    } else {
        from = reg_use(x, w, i->d.r2, RDX);
    }
    x64_cmov(&x->a, w, cond, to, from);
    if (x->cc.of && x->cc.of->lo->cc == CCK_TM)
        x->cc.fresh = false; /* they answer the one question they were made for */
    reg_done(x, w, dst, to);
    return true;
}

/* LOAD ON CONDITION: around the move when the condition does not hold. */
static void emit_loc(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = i->lo->width == 64;
    unsigned dst = i->d.r1;
    unsigned mask = i->d.r3;
    if (mask == 0)
        return;
    reg_widen_keep_flags(x, i->reads64);
    if (!w)
        (void)reg_def32(x, dst, RAX);
    if (emit_loc_move(x))
        return;
    struct jumps taken = {.count = 0}, not = {.count = 0};
    if (mask != 15)
        cc_branch(x, mask ^ 15, &not, &taken);
    for (unsigned k = 0; k < taken.count; k++)
        x64_patch(&x->a, taken.at[k], x->a.at);
    x->cc.fresh = false;
    unsigned to = reg_def(x, w, dst, RAX);
    if (jit_src_const(i->lo->b))
        x64_mov_i(&x->a, to, w ? (u64)jit_const(&i->d, i->lo->b) : (u32)i->d.imm);
    else if (i->lo->b == S_MEM)
        mem_load(x, mem_address(x, i), i->lo->ext, w, to);
    else
        reg_get(x, w, i->d.r2, to);
    reg_done(x, w, dst, to);
    for (unsigned k = 0; k < not .count; k++)
        x64_patch(&x->a, not .at[k], x->a.at);
}

static void emit_one(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    if (!i->lo) {
        emit_fn(x);
        return;
    }
    if (i->lo->op < OP_BC && !i->cc_use && i->lo->op != OP_STORE)
        reg_widen(x, i->reads64);
    if (i->cc_def)
        x->insn[x->cur].cc_keeps = region_cc_keeps(x, x->cur);
    switch (i->lo->op) {
    case OP_MOV: emit_mov(x); break;
    case OP_ADD:
    case OP_SUB:
    case OP_AND:
    case OP_OR:
    case OP_XOR:
    case OP_MUL: emit_alu(x); break;
    case OP_CMP: emit_cmp(x); break;
    case OP_TEST: emit_test(x); break;
    case OP_NEG: emit_neg(x); break;
    case OP_SHL:
    case OP_SHR:
    case OP_SAR:
    case OP_ROL: emit_shift(x); break;
    case OP_LA: emit_la(x); break;
    case OP_STORE: emit_store(x); break;
    case OP_INSERT: emit_insert(x); break;
    case OP_IC: emit_ic(x); break;
    case OP_FAND:
    case OP_FOR: emit_field(x); break;
    case OP_TM: emit_tm(x); break;
    case OP_LM:
    case OP_STM: emit_multiple(x); break;
    case OP_RISBG: emit_risbg(x); break;
    case OP_MVC:
    case OP_CLC:
    case OP_COMBINE: emit_ss(x); break;
    case OP_LOC: emit_loc(x); break;
    default:
        if (i->lo->op >= OP_BC)
            emit_branch(x);
        else if (i->lo->op >= OP_ADC)
            emit_more(x);
        else
            emit_fp(x);
    }
}

/* Instructions from i on to the end of the block. Flags last as long as nothing follows but
 * branches, moves on condition, and constants. */
static void emit_from(struct jit_cx *x, const struct jit_block *b, unsigned i)
{
    x->fpc_known = false;
    for (; i < b->first + (unsigned)b->count; i++, x->done++) {
        x->cur = i;
        bool uses = x->insn[i].lo && (x->insn[i].cc_use);
        if (!uses && !cc_keeps_flags(&x->insn[i]))
            x->cc.fresh = false;
        emit_one(x);
    }
}

void emit_instructions(struct jit_cx *x, unsigned block)
{
    emit_from(x, &x->block[block], x->block[block].first);
}

static void emit_end(struct jit_cx *x, const struct jit_block *b)
{
    const struct jit_insn *last = region_last(x, b);
    if (!last->lo || last->lo->op < OP_BC) {
        emit_count(x, H_N, x->done);
        emit_fall(x);
    }
}

static void emit_block(struct jit_cx *x, unsigned k)
{
    struct jit_block *b = &x->block[k];
    x->cur_block = k;
    b->at = x->a.at;
    reg_enter_block(x, k);
    x->done = 0;
    emit_from(x, b, b->first);
    b->cc_out = x->cc;
    b->cc_out.fresh = false;
    b->bear_out = x->bear;
    emit_end(x, b);
}

bool emit_rest(struct jit_cx *x)
{
    const struct jit_block *b = &x->block[x->cur_block];
    u8 *at = x->a.at;
    unsigned stubs = x->stubs, fixes = x->fixes, exits = x->exits, cur = x->cur;
    unsigned done = x->done;
    x->no_windows = true;
    x->fp_cached = x->fp_dirty = 0; /* all is in memory */
    emit_from(x, b, x->cur);
    bool same = x->cc.in_memory == b->cc_out.in_memory && x->cc.of == b->cc_out.of &&
                x->cc.maybe == b->cc_out.maybe;
    if (same)
        emit_end(x, b);
    x->no_windows = false;
    if (!same) {
        x->a.at = at;
        x->stubs = stubs;
        x->fixes = fixes;
        x->exits = exits;
        x->cur = cur;
        x->done = done;
    }
    return same;
}

/* What is known of condition code and breaking event where a block begins. */
static void block_known(struct jit_cx *x, unsigned k)
{
    cc_is_in_memory(x);
    x->cc.maybe = x->block[k].cc_maybe;
    x->bear = -1;
    if (x->block[k].preds != 1 || k == x->entry_block)
        return;
    for (unsigned p = 0; p < k; p++) {
        const struct jit_block *b = &x->block[p];
        if (b->fall != (int)k && b->taken != (int)k)
            continue;
        x->cc = b->cc_out;
        x->bear = b->taken == (int)k ? x->insn[b->first + b->count - 1].at : b->bear_out;
        if (region_crosses(x, b, (int)k))
            x->bear = -1;
    }
}

/* Other regions of this mode come in behind the first part (link.c). */
void emit_entry(struct jit_cx *x, u64 addr)
{
    struct x64 *a = &x->a;
    x->cur = x->cur_block = 0;
    x->fp_cached = x->fp_dirty = 0;
    x64_cmp8_mem(a, x64_at(RDI, (s32)offsetof(struct cpu, jit_mode)), x->mode);
    stub_new(x, STUB_MODE, x64_jcc(a, CC_NE));
    x64_rm(a, true, A_LEA, H_CPU, x64_at(RDI, CPU_BIAS));
    x64_rr(a, true, A_MOV, H_N, RDX);
    x->linked = a->at;
    x64_rr(a, true, A_TEST, H_N, H_N);
    stub_new(x, STUB_SPENT, x64_jcc(a, CC_LE));
    if (addr != ADDR_ANY) {
        x64_mov_i(a, RAX, addr);
        x64_rm(a, true, A_CMP, RAX, CPU_AT(ia_page));
        stub_new(x, STUB_MOVED, x64_jcc(a, CC_NE));
    }
    if (x->fpc_sure)
        stub_new(x, STUB_FPC, fpc_compare(x));
    anchors_begin(x);
}

void emit_entry_load(struct jit_cx *x)
{
    reg_enter_block(x, x->entry_block);
    reg_load(x, x->block[x->entry_block].needed);
    fp_reload(x, x->fp_cached);
}

void emit_region(struct jit_cx *x, insn_run *before)
{
    x->fixes = x->exits = 0;
    x->before = before;
    x->entry_block = (unsigned)x->slot_block[x->entry_slot];
    emit_entry(x, ADDR_ANY);
    way_in_ask(x, x->block[x->entry_block].anchors_in);
    emit_entry_load(x);
    if (x->entry_block)
        emit_jump_block(x, x->entry_block);
    for (unsigned k = 0; k < x->blocks && !x->a.full; k++) {
        if (x->block[k].skipped && k != x->entry_block)
            continue;
        block_known(x, k);
        x->block[k].open = x->bear < 0 && (x->cc.in_memory || !x->block[k].cc_live_in);
        emit_block(x, k);
    }
    stubs_emit_warm(x);
    struct x64 hot = x->a;
    x->a = x->cold;
    stubs_emit(x);
    x->cold = x->a;
    x->a = hot;
    for (unsigned k = 0; k < x->fixes; k++)
        x64_patch(&x->a, x->fix[k].from, x->block[x->fix[k].block].at);
}
