/* Binary floating point on the host's SSE unit.
 * Taken only where it cannot be told from cpu/bfp/bfp.c. The region computes; anything unusual
 * goes out of line and there mostly to the instruction's body, which starts from the old state:
 * - the result must be a normal number clear of the edge of tininess. Then no operand was a NaN
 *   or infinite; a zero is looked at more closely out of line;
 * - the FPC must have no mask on and round to nearest: looked at once in a block, for nothing but
 *   a body can change it, and the way back from a body looks again;
 *   busy regions made when it is so and its inexact flag is on look where they are entered and
 *   behind bodies, and nowhere else (fpc_sure): arithmetic leaves it so;
 * - inexact: nothing to do once the FPC's flag is on; else MXCSR tells. It is sticky there and
 *   never reset by translated code: what it tells wrongly the body sets right, and clears it.
 * Registers are in memory. A copy of a long one is kept in XMM3 and up till the end of the block
 * (fp_cached), to be loaded again behind every call. Copies of busy ones (fp_flow.c) go from block
 * to block, and their registers are stored only where somebody may look: a call, a way out, a
 * short operand (fp_dirty).
 * XMM0: first operand, then the result; XMM1: second operand; XMM2: third operand, or zero.
 * The condition code of a result is that of its comparison with zero, and that of a comparison
 * is what the host compares: both are in XMM0 and XMM1 then. */
#include <stddef.h>

#include "cpu/bfp/bfp_host.h"
#include "cpu/jit/emit_internal.h"

enum { XMM0, XMM1, XMM2, XMM_CACHE };

/* opcodes; the prefix tells short from long */
#define A_MOVS 0x0f10
#define A_MOVS_STORE 0x0f11
#define A_UCOMIS 0x0f2e
#define A_MOVAPS 0x0f28
#define A_CVTSI2S 0x0f2a
#define A_CVTTS2SI 0x0f2c
#define A_CVTS2SI 0x0f2d
#define A_SQRTS 0x0f51
#define A_ADDS 0x0f58
#define A_MULS 0x0f59
#define A_CVTS2S 0x0f5a
#define A_SUBS 0x0f5c
#define A_DIVS 0x0f5e
#define A_MOVQ_FROM 0x0f7e
#define A_PXOR 0x0fef
#define A_STMXCSR 0x0fae /* /3 */
#define A_BT_GROUP 0x0fba
#define A_FMADD213 0xa9
#define A_FMSUB213 0xab
#define A_PEXTRD 0x16
#define A_ROUNDS 0x0a /* and 0x0b */

#define M3_TRUNCATE 5u
#define EXPONENT_MAX_32 0xff000000u /* of what the sign was shifted out of; 64: upper half */
#define EXPONENT_MAX_64 0xffe00000u

static const struct jit_insn *current(const struct jit_cx *x)
{
    return &x->insn[x->cur];
}

static unsigned scalar(bool wide)
{
    return wide ? 0xf2 : 0xf3;
}

/** Operands are long? */
static bool is_wide(const struct jit_insn *i)
{
    return i->lo->ext == X_64;
}

static struct x64_mem fpr(unsigned n, bool wide)
{
    return cpu_at(offsetof(struct cpu, vr) + n * sizeof((struct cpu *)0)->vr[0] +
                  (wide ? 0 : 4));
}

static bool cacheable(unsigned n, bool wide)
{
    return wide && n < FP_COPIES;
}

void fp_write_back(struct jit_cx *x, u16 dirty)
{
    for (unsigned of = dirty; of; of &= of - 1) {
        unsigned n = (unsigned)__builtin_ctz(of);
        x64_sse_rm(&x->a, scalar(true), false, A_MOVS_STORE, XMM_CACHE + n, fpr(n, true));
    }
}

/* Memory has to know these. */
static void settle_memory(struct jit_cx *x, u16 which)
{
    fp_write_back(x, x->fp_dirty & which);
    x->fp_dirty &= (u16)~which;
}

/* ---- the same by common code ---- */

void fp_common(struct x64 *a, bool load)
{
    for (unsigned n = 0; n < FP_COPIES; n++) {
        x64_rr(a, false, A_BT_GROUP, 4, RCX); /* bt */
        x64_byte(a, n);
        u8 *not = x64_jcc(a, CC_AE);
        x64_sse_rm(a, scalar(true), false, load ? A_MOVS : A_MOVS_STORE, XMM_CACHE + n,
                   fpr(n, true));
        x64_patch(a, not, a->at);
    }
    x64_ret(a);
}

static void move_common(struct jit_cx *x, enum jit_common kind, u16 which)
{
    x64_mov_i(&x->a, RCX, which);
    x64_call_to(&x->a, x->jit->common[kind]);
}

static bool few(u16 which)
{
    return __builtin_popcount(which) <= 1;
}

void fp_reload_common(struct jit_cx *x, u16 cached)
{
    if (few(cached))
        fp_reload(x, cached);
    else
        move_common(x, COMMON_FP_LOAD, cached);
}

void fp_write_back_common(struct jit_cx *x, u16 dirty)
{
    if (few(dirty))
        fp_write_back(x, dirty);
    else
        move_common(x, COMMON_FP_STORE, dirty);
}

void fp_settle(struct jit_cx *x, unsigned b)
{
    u16 in = x->block[b].fp_in, missing = (u16)(in & ~x->fp_cached);
    settle_memory(x, (u16)~x->block[b].fp_dirty_in);
    fp_reload(x, missing);
    x->fp_cached |= in;
}

bool fp_settled(const struct jit_cx *x, unsigned b)
{
    return !(x->fp_dirty & ~x->block[b].fp_dirty_in) && !(x->block[b].fp_in & ~x->fp_cached);
}

static bool has_copy(const struct jit_cx *x, unsigned n, bool wide)
{
    return cacheable(n, wide) && (x->fp_cached >> n & 1);
}

/* Where the register's number is: its copy, made when there is none, or `xmm`. */
static unsigned use(struct jit_cx *x, unsigned n, bool wide, unsigned xmm)
{
    unsigned to = cacheable(n, wide) ? XMM_CACHE + n : xmm;
    if (!wide)
        settle_memory(x, (u16)(1u << n));
    if (to == xmm || !(x->fp_cached >> n & 1))
        x64_sse_rm(&x->a, scalar(wide), false, A_MOVS, to, fpr(n, wide));
    if (to != xmm)
        x->fp_cached |= (u16)(1u << n);
    return to;
}

static void get(struct jit_cx *x, unsigned n, bool wide, unsigned xmm)
{
    unsigned from = use(x, n, wide, xmm);
    if (from != xmm)
        x64_sse_rr(&x->a, 0, false, A_MOVAPS, xmm, from);
}

/* The register is written: the copy is what counts, or void. Is memory to be written, too? */
static bool renew(struct jit_cx *x, unsigned n, bool wide)
{
    u16 bit = (u16)(1u << n);
    if (!wide)
        settle_memory(x, bit); /* the other half stays */
    bool copy = cacheable(n, wide), lazy = copy && (x->fp_resident & bit);
    x->fp_cached = copy ? x->fp_cached | bit : x->fp_cached & (u16)~bit;
    x->fp_dirty = lazy ? x->fp_dirty | bit : x->fp_dirty & (u16)~bit;
    return !lazy;
}

/* XMM0 to the register. */
static void put(struct jit_cx *x, unsigned n, bool wide)
{
    if (renew(x, n, wide))
        x64_sse_rm(&x->a, scalar(wide), false, A_MOVS_STORE, XMM0, fpr(n, wide));
    if (cacheable(n, wide))
        x64_sse_rr(&x->a, 0, false, A_MOVAPS, XMM_CACHE + n, XMM0);
}

/* A general register to it. */
static void put_general(struct jit_cx *x, unsigned n, bool wide, unsigned from)
{
    if (renew(x, n, wide))
        x64_rm(&x->a, wide, A_MOV_STORE, from, fpr(n, wide));
    if (cacheable(n, wide))
        x64_sse_rr(&x->a, 0x66, true, A_MOVQ, XMM_CACHE + n, from);
}

/* The register's number, as it is, in a general one. */
static void get_general(struct jit_cx *x, unsigned n, bool wide, unsigned to)
{
    if (has_copy(x, n, wide)) {
        x64_sse_rr(&x->a, 0x66, true, A_MOVQ_FROM, XMM_CACHE + n, to);
        return;
    }
    settle_memory(x, (u16)(1u << n));
    x64_rm(&x->a, wide, A_MOV, to, fpr(n, wide));
}

void fp_reload(struct jit_cx *x, u16 cached)
{
    for (unsigned of = cached; of; of &= of - 1) {
        unsigned n = (unsigned)__builtin_ctz(of);
        x64_sse_rm(&x->a, scalar(true), false, A_MOVS, XMM_CACHE + n, fpr(n, true));
    }
}

/* Second operand: register r2 or storage. */
static unsigned use_second(struct jit_cx *x, unsigned xmm)
{
    const struct jit_insn *i = current(x);
    bool wide = is_wide(i);
    if (i->lo->b != S_MEM)
        return use(x, i->d.r2, wide, xmm);
    if (wide) {
        mem_fetch(x, mem_begin(x), X_FP64, true, xmm);
        return xmm;
    }
    mem_fetch(x, mem_begin(x), X_U32, false, RAX);
    x64_sse_rr(&x->a, 0x66, false, A_MOVQ, xmm, RAX);
    return xmm;
}

static void get_second(struct jit_cx *x, unsigned xmm)
{
    unsigned from = use_second(x, xmm);
    if (from != xmm)
        x64_sse_rr(&x->a, 0, false, A_MOVAPS, xmm, from);
}

static void zero(struct jit_cx *x, unsigned xmm)
{
    x64_sse_rr(&x->a, 0x66, false, A_PXOR, xmm, xmm);
}

static void fp_compare(struct jit_cx *x, const struct jit_insn *i)
{
    x64_sse_rr(&x->a, is_wide(i) ? 0x66 : 0, false, A_UCOMIS, XMM0, XMM1);
}

/* ---- checks ---- */

/* eax = upper part of the number in XMM0 without its sign, less `low`. */
static void upper(struct jit_cx *x, bool wide, u32 low)
{
    struct x64 *a = &x->a;
    if (wide)
        x64_sse3a(a, A_PEXTRD, XMM0, RAX, 1);
    else
        x64_sse_rr(a, 0x66, false, A_MOVQ_FROM, XMM0, RAX);
    x64_rm(a, false, A_LEA, RAX, x64_idx(RAX, RAX, 0, -(s32)low));
}

/* Out of line unless the result is normal, with an exponent field of 2 or more. */
static u8 *check_normal(struct jit_cx *x, bool wide)
{
    u32 low = wide ? 2u << 21 : 2u << 24;
    upper(x, wide, low);
    x64_gi(&x->a, false, G_CMP, RAX, (s32)((wide ? EXPONENT_MAX_64 : EXPONENT_MAX_32) - low));
    return x64_jcc(&x->a, CC_AE);
}

/* Out of line when it is a NaN or infinite. */
static u8 *check_finite(struct jit_cx *x, bool wide)
{
    upper(x, wide, 0);
    x64_gi(&x->a, false, G_CMP, RAX, (s32)(wide ? EXPONENT_MAX_64 : EXPONENT_MAX_32));
    return x64_jcc(&x->a, CC_AE);
}

static struct jit_stub *odd(struct jit_cx *x, u8 *from)
{
    struct jit_stub *s = stub_new(x, STUB_FP, from);
    s->mid = x->a.at;
    return s;
}

u8 *fpc_compare(struct jit_cx *x)
{
    struct x64 *a = &x->a;
    x64_rm(a, false, A_MOV, RAX, CPU_AT(fpc));
    x64_gi(a, false, G_AND, RAX, (s32)(BFP_HOST_NEVER | BFP_HOST_INEXACT));
    x64_gi(a, false, G_CMP, RAX, BFP_HOST_INEXACT);
    return x64_jcc(a, CC_NE);
}

/* The FPC must allow the short cut; all other checks have been made. */
static void check_fpc(struct jit_cx *x, struct jit_stub *s)
{
    struct x64 *a = &x->a;
    s->whole_fpc = !x->fpc_known && !x->fpc_sure;
    if (x->fpc_sure) {
        s->inexact = NULL;
    } else if (x->fpc_known) {
        x64_test8_mem(a, cpu_at(offsetof(struct cpu, fpc) + 2), BFP_HOST_INEXACT >> 16);
        s->inexact = x64_jcc(a, CC_E);
    } else {
        s->inexact = fpc_compare(x);
    }
    s->exact = a->at;
    x->fpc_known = true;
}

static void finish(struct jit_cx *x, struct jit_stub *s)
{
    s->back = x->a.at;
    s->lo_after = x->lo;
    s->fp_cached = x->fp_cached;
}

/* ---- condition codes ---- */

/* That of the number in XMM0. */
static void set_cc_of_result(struct jit_cx *x)
{
    if (cc_wanted(x)) {
        zero(x, XMM1);
        fp_compare(x, current(x));
    }
    cc_set(x);
}

void fp_cc_keep(struct jit_cx *x)
{
    x64_sse_rm(&x->a, 0xf2, false, A_MOVS_STORE, XMM0, CPU_AT(jit_fp[0]));
    x64_sse_rm(&x->a, 0xf2, false, A_MOVS_STORE, XMM1, CPU_AT(jit_fp[1]));
}

void fp_cc_again(struct jit_cx *x, const struct jit_insn *i)
{
    x64_sse_rm(&x->a, 0xf2, false, A_MOVS, XMM0, CPU_AT(jit_fp[0]));
    x64_sse_rm(&x->a, is_wide(i) ? 0x66 : 0, false, A_UCOMIS, XMM0, CPU_AT(jit_fp[1]));
}

const u64 fp_cc_wide[4] = {0, 0xbffull << 52, 0x3ffull << 52, 0x7ff8ull << 48};
const u64 fp_cc_narrow[4] = {0, 0xbf800000, 0x3f800000, 0x7fc00000};

/* A body has set the condition code: numbers that compare with zero accordingly. */
static void cc_from_memory(struct jit_cx *x, const struct jit_insn *i)
{
    struct x64 *a = &x->a;
    x64_rm(a, false, A_MOVZX8, RAX, CPU_AT(cc));
    x64_mov_i(a, RDX, (u64)(uintptr_t)(is_wide(i) ? fp_cc_wide : fp_cc_narrow));
    x64_sse_rm(a, 0xf2, false, A_MOVS, XMM0, x64_idx(RDX, RAX, 3, 0));
    zero(x, XMM1);
    fp_cc_keep(x);
    fp_compare(x, i);
}

/* ---- instructions ---- */

static void emit_arith(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    static const u16 op[] = {
        [OP_FADD] = A_ADDS, [OP_FSUB] = A_SUBS, [OP_FMUL] = A_MULS, [OP_FDIV] = A_DIVS};
    bool wide = is_wide(i);
    unsigned second = use_second(x, XMM1), first = use(x, i->d.r1, wide, XMM0);
    x64_vscalar(&x->a, wide, op[i->lo->op], XMM0, first, second);
    struct jit_stub *s = odd(x, check_normal(x, wide));
    check_fpc(x, s);
    put(x, i->d.r1, wide);
    if (i->lo->cc != CCK_NONE)
        set_cc_of_result(x);
    finish(x, s);
}

static void emit_root(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool wide = is_wide(i);
    get_second(x, XMM0);
    x64_sse_rr(&x->a, scalar(wide), false, A_SQRTS, XMM0, XMM0);
    struct jit_stub *s = odd(x, check_normal(x, wide));
    check_fpc(x, s);
    put(x, i->d.r1, wide);
    finish(x, s);
}

/* r3 * second + r1, or - r1 */
static void emit_fma(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool wide = is_wide(i);
    unsigned second = use_second(x, XMM1), first = use(x, i->d.r1, wide, XMM2);
    get(x, i->d.r3, wide, XMM0);
    x64_fma(&x->a, wide, i->lo->op == OP_FMA ? A_FMADD213 : A_FMSUB213, XMM0, second, first);
    struct jit_stub *s = odd(x, check_normal(x, wide));
    check_fpc(x, s);
    put(x, i->d.r1, wide);
    finish(x, s);
}

/* Short to long, and the long product of short numbers: always exact. */
static void emit_lengthen(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    get_second(x, XMM0);
    x64_sse_rr(&x->a, scalar(false), false, A_CVTS2S, XMM0, XMM0);
    if (i->lo->op == OP_FMULD) {
        get(x, i->d.r1, false, XMM1);
        x64_sse_rr(&x->a, scalar(false), false, A_CVTS2S, XMM1, XMM1);
        x64_sse_rr(&x->a, scalar(true), false, A_MULS, XMM0, XMM1);
    }
    struct jit_stub *s = odd(x, check_finite(x, true));
    put(x, i->d.r1, true);
    finish(x, s);
}

static void emit_shorten(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    get(x, i->d.r2, true, XMM0);
    x64_sse_rr(&x->a, scalar(true), false, A_CVTS2S, XMM0, XMM0);
    struct jit_stub *s = odd(x, check_normal(x, false));
    check_fpc(x, s);
    put(x, i->d.r1, false);
    finish(x, s);
}

static void emit_compare(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    get_second(x, XMM1);
    get(x, i->d.r1, is_wide(i), XMM0);
    fp_compare(x, i);
    struct jit_stub *s = odd(x, x64_jcc(&x->a, CC_P));
    cc_set(x);
    finish(x, s);
}

static void emit_load_test(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    get(x, i->d.r2, is_wide(i), XMM0);
    zero(x, XMM1);
    fp_compare(x, i);
    struct jit_stub *s = odd(x, x64_jcc(&x->a, CC_P));
    if (i->d.r1 != i->d.r2)
        put(x, i->d.r1, is_wide(i));
    cc_set(x);
    finish(x, s);
}

/* Complement, set or reset the sign; condition code 3 for NaNs. */
static void emit_sign(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    bool wide = is_wide(i);
    unsigned bts = i->lo->op == OP_FCOMPL ? 7 : i->lo->op == OP_FNEG ? 5 : 6;
    get_general(x, i->d.r2, wide, RAX);
    x64_rr(a, wide, A_BT_GROUP, bts, RAX);
    x64_byte(a, wide ? 63 : 31);
    if (i->lo->cc == CCK_NONE) {
        put_general(x, i->d.r1, wide, RAX);
        return;
    }
    x64_sse_rr(a, 0x66, wide, A_MOVQ, XMM0, RAX);
    zero(x, XMM1);
    fp_compare(x, i);
    struct jit_stub *s = odd(x, x64_jcc(a, CC_P));
    put(x, i->d.r1, wide);
    cc_set(x);
    finish(x, s);
}

/* A long one from storage. */
static void load_long(struct jit_cx *x, unsigned n)
{
    unsigned to = cacheable(n, true) ? XMM_CACHE + n : XMM0;
    mem_fetch(x, mem_begin(x), X_FP64, true, to);
    if (renew(x, n, true))
        x64_sse_rm(&x->a, scalar(true), false, A_MOVS_STORE, to, fpr(n, true));
}

static void emit_load(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool wide = is_wide(i);
    unsigned from = RAX;
    if (wide && i->lo->b == S_MEM) {
        load_long(x, i->d.r1);
        return;
    }
    if (i->lo->b == S_F2) {
        get(x, i->d.r2, wide, XMM0);
        put(x, i->d.r1, wide);
        return;
    }
    if (i->lo->b == S_MEM)
        mem_fetch(x, mem_begin(x), X_U32, false, RAX);
    else
        from = reg_use64(x, i->d.r2, RAX);
    put_general(x, i->d.r1, wide, from);
}

static void emit_zero(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool wide = is_wide(i);
    if (renew(x, i->d.r1, wide))
        x64_mov_mem_i(&x->a, wide, fpr(i->d.r1, wide), 0);
    if (cacheable(i->d.r1, wide))
        zero(x, XMM_CACHE + i->d.r1);
}

static void emit_store_fp(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool wide = is_wide(i);
    unsigned begun = mem_begin(x);
    bool open = mem_is_open(x, i);
    struct x64_mem m = open ? mem_open(x, i, begun) : mem_operand(x, begun, wide ? 8 : 4, true);
    if (has_copy(x, i->d.r1, wide)) {
        x64_vector(&x->a, false, V_SHUFFLEB, XMM1, XMM_CACHE + i->d.r1, CPU_AT(jit_reverse));
        x64_vector(&x->a, false, V_STOREQ, XMM1, 0, m);
    } else {
        get_general(x, i->d.r1, wide, RDX);
        x64_rm(&x->a, wide, A_MOVBE_STORE, RDX, m);
    }
    if (!open)
        mem_done(x);
}

static void emit_to_gr(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    unsigned to = reg_def64(x, i->d.r1, RAX);
    get_general(x, i->d.r2, true, to);
    reg_done64(x, i->d.r1, to);
}

/* From an integer: ext X_S32, X_U32 or X_64, to long (OP_FFROM) or short. */
static void emit_from_fixed(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    bool long_result = i->lo->op == OP_FFROM, w = i->lo->ext != X_S32;
    bool unasked = x->fpc_sure || (long_result && i->lo->ext != X_64); /* always exact */
    unsigned from = RAX;
    if (i->lo->ext == X_64)
        from = reg_use64(x, i->d.r2, RAX);
    else if (i->lo->ext == X_S32)
        from = reg_use32(x, i->d.r2, RAX);
    else
        reg_get32(x, i->d.r2, RAX);
    zero(x, XMM0);
    x64_sse_rr(a, scalar(long_result), w, A_CVTSI2S, XMM0, from);
    if (unasked) {
        put(x, i->d.r1, long_result);
        return;
    }
    struct jit_stub *s = odd(x, NULL);
    check_fpc(x, s);
    put(x, i->d.r1, long_result);
    finish(x, s);
}

/* To a signed integer of lo->width bits; the host says 100..0 when it does not fit. */
static void emit_to_fixed(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    bool wide = is_wide(i), w = i->lo->width == 64;
    get(x, i->d.r2, wide, XMM0);
    x64_sse_rr(a, scalar(wide), w, i->d.r3 == M3_TRUNCATE ? A_CVTTS2SI : A_CVTS2SI, RDX, XMM0);
    x64_gi(a, w, G_CMP, RDX, 1);
    struct jit_stub *s = odd(x, x64_jcc(a, CC_O));
    check_fpc(x, s);
    if (w)
        reg_done64(x, i->d.r1, RDX);
    else
        reg_done32(x, i->d.r1, RDX);
    set_cc_of_result(x);
    finish(x, s);
}

/* Round to an integer in the same format. */
static void emit_integer(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    static const u8 mode[8] = {0, 0, 0, 0, 0, 3, 2, 1};
    bool wide = is_wide(i);
    get(x, i->d.r2, wide, XMM0);
    x64_sse3a(&x->a, A_ROUNDS | wide, XMM0, XMM0, mode[i->d.r3]);
    struct jit_stub *s = odd(x, check_finite(x, wide));
    check_fpc(x, s);
    put(x, i->d.r1, wide);
    finish(x, s);
}

void emit_fp(struct jit_cx *x)
{
    switch (current(x)->lo->op) {
    case OP_FADD:
    case OP_FSUB:
    case OP_FMUL:
    case OP_FDIV: emit_arith(x); break;
    case OP_FSQRT: emit_root(x); break;
    case OP_FMA:
    case OP_FMS: emit_fma(x); break;
    case OP_FLONG:
    case OP_FMULD: emit_lengthen(x); break;
    case OP_FSHORT: emit_shorten(x); break;
    case OP_FCMP: emit_compare(x); break;
    case OP_FTEST: emit_load_test(x); break;
    case OP_FCOMPL:
    case OP_FNEG:
    case OP_FPOS: emit_sign(x); break;
    case OP_FLOAD: emit_load(x); break;
    case OP_FZERO: emit_zero(x); break;
    case OP_FSTORE: emit_store_fp(x); break;
    case OP_FTOGR: emit_to_gr(x); break;
    case OP_FFROM:
    case OP_FFROMS: emit_from_fixed(x); break;
    case OP_FTO: emit_to_fixed(x); break;
    default: emit_integer(x); break;
    }
}

/* ---- which, and when ---- */

static bool moves_only(u8 op)
{
    return op >= OP_FLOAD && op <= OP_FTOGR;
}

bool fp_may_call(const struct jit_insn *i)
{
    u8 op = i->lo->op;
    bool plain_sign = op >= OP_FCOMPL && op <= OP_FPOS && i->lo->cc == CCK_NONE;
    bool exact = op == OP_FFROM && i->lo->ext != X_64;
    return !moves_only(op) && !plain_sign && !exact;
}

/* ---- regions that rely on the FPC ---- */

#define SURE_WEIGHT_MIN 2 /* looking at the entry costs as much as the first of these */

bool fpc_well(const struct cpu *c)
{
    return (c->fpc & (BFP_HOST_NEVER | BFP_HOST_INEXACT)) == BFP_HOST_INEXACT;
}

/* Does it look at the FPC? */
static bool asks_fpc(const struct jit_insn *i)
{
    if (!i->lo || i->lo->op < OP_FADD || i->lo->op > OP_FINT || !fp_may_call(i))
        return false;
    u8 op = i->lo->op;
    return op != OP_FLONG && op != OP_FMULD && (op < OP_FCMP || op > OP_FPOS);
}

void fpc_decide(struct jit_cx *x)
{
    u64 weight = 0;
    x->fpc_sure = x->fpc_waits = false;
    if (!x->whole || jit_unfit(x->jit, &x->page->slot[x->entry_slot])->fpc)
        return;
    for (unsigned k = 0; k < x->blocks; k++) {
        const struct jit_block *b = &x->block[k];
        for (unsigned i = b->first; i < b->first + (unsigned)b->count; i++)
            weight += asks_fpc(&x->insn[i]) ? block_unit(b) : 0;
    }
    x->fpc_sure = weight >= SURE_WEIGHT_MIN && fpc_well(x->c);
    x->fpc_waits = weight >= SURE_WEIGHT_MIN && !x->fpc_sure;
}

static bool rounding_fits(const struct jit_insn *i)
{
    unsigned m3 = i->d.r3;
    return i->d.b2 == 0 && (m3 == 0 || (m3 >= 4 && m3 <= 7));
}

bool fp_fits(const struct jit_insn *i, u8 mode)
{
    if (!(mode & JIT_MODE_AFP))
        return false;
    switch (i->lo->op) {
    case OP_FSHORT:
    case OP_FFROM:
    case OP_FFROMS: return i->d.r3 == 0 && i->d.b2 == 0;
    case OP_FTO: return rounding_fits(i) && i->d.r3 < 6;
    case OP_FINT: return rounding_fits(i);
    case OP_FMA:
    case OP_FMS: return __builtin_cpu_supports("fma");
    default: return true;
    }
}

/* ---- out of line ---- */

/* Flags: is register n zero? XMM2 is zero. */
static void compare_zero(struct jit_cx *x, bool wide, unsigned n)
{
    unsigned prefix = wide ? 0x66 : 0;
    if (has_copy(x, n, wide))
        x64_sse_rr(&x->a, prefix, false, A_UCOMIS, XMM2, XMM_CACHE + n);
    else
        x64_sse_rm(&x->a, prefix, false, A_UCOMIS, XMM2, fpr(n, wide));
}

/* Go on at s->mid when the equal flag is set. */
static void accept_if_equal(struct jit_cx *x, const struct jit_stub *s)
{
    x64_patch(&x->a, x64_jcc(&x->a, CC_E), s->mid);
}

/* A result that is zero because an operand was. */
static void accept_zero(struct jit_cx *x, const struct jit_stub *s)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    u8 op = i->lo->op;
    bool wide = is_wide(i), wide_result = wide && op != OP_FSHORT;
    x64_sse_rr(a, 0x66, wide_result, A_MOVQ_FROM, XMM0, RAX);
    x64_rr(a, wide_result, A_ADD, RAX, RAX);
    if (op <= OP_FSUB || op == OP_FSQRT) {
        accept_if_equal(x, s);
        return;
    }
    u8 *not_zero = x64_jcc(a, CC_NE), *sum = NULL;
    zero(x, XMM2);
    if (op == OP_FMA || op == OP_FMS) {
        compare_zero(x, wide, i->d.r1);
        sum = x64_jcc(a, CC_NE);
    }
    compare_zero(x, wide, op == OP_FSHORT ? i->d.r2 : sum ? i->d.r3 : i->d.r1);
    accept_if_equal(x, s);
    if (op == OP_FMUL || sum) {
        if (i->lo->b == S_MEM)
            x64_sse_rr(a, wide ? 0x66 : 0, false, A_UCOMIS, XMM2, XMM1);
        else
            compare_zero(x, wide, i->d.r2);
        accept_if_equal(x, s);
    }
    x64_patch(a, not_zero, a->at);
    if (sum)
        x64_patch(a, sum, a->at);
}

/* The FPC does not have its inexact flag on, or something that needs the body. */
static void fpc_odd(struct jit_cx *x, const struct jit_stub *s)
{
    struct x64 *a = &x->a;
    u8 *never = NULL;
    if (s->whole_fpc) {
        x64_test_i(a, false, RAX, (s32)BFP_HOST_NEVER);
        never = x64_jcc(a, CC_NE);
    }
    x64_rm(a, false, A_STMXCSR, 3, CPU_AT(scratch));
    x64_test8_mem(a, CPU_AT(scratch), BFP_MXCSR_INEXACT);
    x64_patch(a, x64_jcc(a, CC_E), s->exact);
    if (never)
        x64_patch(a, never, a->at);
}

void fp_stub(struct jit_cx *x, const struct jit_stub *s)
{
    struct x64 *a = &x->a;
    const struct jit_insn *i = current(x);
    u8 *body = NULL;
    if (s->from && i->lo->op <= OP_FSHORT)
        accept_zero(x, s);
    if (s->inexact) {
        if (s->from)
            body = x64_jmp(a);
        x64_patch(a, s->inexact, a->at);
        fpc_odd(x, s);
        if (body)
            x64_patch(a, body, a->at);
    }
    stub_call_body(x, s);
    if (s->whole_fpc) {
        x64_rm(a, false, 0xf7, 0, CPU_AT(fpc));
        x64_u32(a, BFP_HOST_NEVER);
        u8 *well = x64_jcc(a, CC_E);
        stub_leave_next(x);
        x64_patch(a, well, a->at);
    }
    stub_restore(x, s);
    if (i->lo->cc == CCK_FP)
        cc_from_memory(x, i);
}
