/* Parts of registers: bytes under mask, and high halves as operands of their own.
 * A high half that changes is made in eax and joined to the low half with the flags kept. */
#include "cpu/jit/emit_internal.h"

static const struct jit_insn *current(const struct jit_cx *x)
{
    return &x->insn[x->cur];
}

static bool wide(const struct jit_cx *x)
{
    return current(x)->lo->width == 64;
}

/* ---- characters under mask ---- */

/* Selected bytes are 1, 2 or 4 together (lowering_fits); `shift`: zeros to the right of them. */
static unsigned mask_bytes(unsigned mask, unsigned *shift)
{
    *shift = 8 * (unsigned)__builtin_ctz(mask);
    return (unsigned)__builtin_popcount(mask);
}

static void emit_icm(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    bool w = wide(x);
    unsigned shift, n = mask_bytes(i->d.r3, &shift);
    mem_load(x, mem_address(x, i), n == 1 ? X_U8 : n == 2 ? X_U16 : X_U32, false, RAX);
    x64_rr(a, false, A_MOV, RDX, RAX);
    if (n < 4)
        x64_shift_i(a, false, S_SHL, RDX, 32 - 8 * n); /* sign: its leftmost bit */
    if (!w && n == 4) {
        x64_rr(a, false, A_TEST, RAX, RAX);
        reg_done32(x, i->d.r1, RAX);
        cc_set(x);
        return;
    }
    u64 keep = ~((n == 4 ? 0xffffffffull : (1ull << 8 * n) - 1) << (shift + (w ? 32 : 0)));
    if (shift + (w ? 32 : 0))
        x64_shift_i(a, w, S_SHL, RAX, shift + (w ? 32 : 0));
    if (w)
        x64_mov_i(a, RCX, keep);
    else
        x64_mov_i(a, RCX, (u32)keep);
    reg_op(x, w, A_AND, RCX, i->d.r1);
    x64_rr(a, w, A_OR, RAX, RCX);
    x64_rr(a, false, A_TEST, RDX, RDX);
    reg_done(x, w, i->d.r1, RAX);
    cc_set(x);
}

static void emit_stcm(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    unsigned shift, n = mask_bytes(i->d.r3, &shift);
    shift += wide(x) ? 32 : 0;
    unsigned ea = mem_address(x, i);
    mem_host(x, ea, n, true);
    unsigned from = reg_use(x, wide(x), i->d.r1, RDX);
    if (shift) {
        x64_rorx(a, wide(x), RDX, from, shift);
        from = RDX;
    }
    struct x64_mem m = x64_idx(RCX, ea, 0, 0);
    if (n == 1)
        x64_rm8(a, A_MOV8_STORE, from, m);
    else if (n == 2)
        x64_rm16(a, A_MOVBE_STORE, from, m);
    else
        x64_rm(a, false, A_MOVBE_STORE, from, m);
    mem_done(x);
}

static void emit_clm(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    unsigned shift, n = mask_bytes(i->d.r3, &shift);
    shift += wide(x) ? 32 : 0;
    mem_load(x, mem_address(x, i), n == 1 ? X_U8 : n == 2 ? X_U16 : X_U32, false, RDX);
    reg_get(x, wide(x), i->d.r1, RAX);
    if (shift)
        x64_shift_i(a, wide(x), S_SHR, RAX, shift);
    if (n == 1)
        x64_rr8(a, A_MOVZX8, RAX, RAX);
    else if (n == 2)
        x64_rr(a, false, A_MOVZX16, RAX, RAX);
    x64_rr(a, false, A_CMP, RAX, RDX);
    cc_set(x);
}

/* ---- high halves ---- */

/* Flags are kept. */
static void high_get(struct jit_cx *x, unsigned g, unsigned to)
{
    if (x->host[g] != HOST_NONE && !(x->lo >> g & 1u))
        x64_rorx(&x->a, true, to, (unsigned)x->host[g], 32);
    else
        x64_rm(&x->a, false, A_MOV, to, home_high(g));
}

/* eax becomes the high half of r1. */
static void high_put(struct jit_cx *x)
{
    unsigned g = current(x)->d.r1;
    x64_rorx(&x->a, true, RAX, RAX, 32);
    reg_get32(x, g, RDX);
    x64_rm(&x->a, true, A_LEA, RAX, x64_idx(RAX, RDX, 0, 0));
    reg_done64(x, g, RAX);
}

static bool high_src(u8 src)
{
    return src == S_HR1 || src == S_HR2 || src == S_HR3;
}

/* eax = eax op b; storage has been loaded into edx. */
static void high_op(struct jit_cx *x, enum x64_group1 g)
{
    const struct jit_insn *i = current(x);
    unsigned op = (unsigned)g << 3 | 3, r = jit_reg(&i->d, i->lo->b);
    if (jit_src_const(i->lo->b)) {
        x64_gi(&x->a, false, g, RAX, i->d.imm);
    } else if (i->lo->b == S_MEM || high_src(i->lo->b)) {
        if (i->lo->b != S_MEM)
            high_get(x, r, RDX);
        x64_rr(&x->a, false, op, RAX, RDX);
    } else {
        reg_op(x, false, op, RAX, r);
    }
}

static void emit_hmov(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    mem_load(x, mem_address(x, i), i->lo->ext, false, RAX);
    high_put(x);
}

static void emit_hadd(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    high_get(x, jit_reg(&i->d, i->lo->a), RAX);
    high_op(x, i->lo->op == OP_HADD ? G_ADD : G_SUB);
    high_put(x);
    if (i->lo->cc != CCK_NONE)
        cc_set(x);
}

static void emit_hcmp(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    if (i->lo->b == S_MEM)
        mem_load(x, mem_address(x, i), X_U32, false, RDX);
    high_get(x, i->d.r1, RAX);
    high_op(x, G_CMP);
    cc_set(x);
}

static void emit_hstore(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    unsigned ea = mem_address(x, i), size = ext_size(i->lo->ext);
    struct x64_mem m = x64_idx(RCX, ea, 0, 0);
    mem_host(x, ea, size, true);
    high_get(x, i->d.r1, RDX);
    if (size == 1)
        x64_rm8(a, A_MOV8_STORE, RDX, m);
    else if (size == 2)
        x64_rm16(a, A_MOVBE_STORE, RDX, m);
    else
        x64_rm(a, false, A_MOVBE_STORE, RDX, m);
    mem_done(x);
}

/* RISBHG: bit numbers count within the high half; the low half stays. */
static void emit_risbh(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    u64 high = ~0ull << 32, mask = emit_bit_range(i->d.r3 & 31, i->d.b2 & 31) & high;
    x64_rorx(a, true, RAX, reg_use64(x, i->d.r2, RAX), -(unsigned)i->d.imm & 63);
    emit_and_mask(a, RAX, mask);
    x64_mov_i(a, RDX, i->d.b2 & 0x80 ? ~high : ~mask);
    reg_op(x, true, A_AND, RDX, i->d.r1);
    x64_rr(a, true, A_OR, RAX, RDX);
    reg_done64(x, i->d.r1, RAX);
}

void emit_part(struct jit_cx *x)
{
    switch (current(x)->lo->op) {
    case OP_ICM: emit_icm(x); break;
    case OP_STCM: emit_stcm(x); break;
    case OP_CLM: emit_clm(x); break;
    case OP_HMOV: emit_hmov(x); break;
    case OP_HADD:
    case OP_HSUB: emit_hadd(x); break;
    case OP_HCMP: emit_hcmp(x); break;
    case OP_HST: emit_hstore(x); break;
    default: emit_risbh(x); break;
    }
}
