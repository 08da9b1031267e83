/* Floating-point support and conversions: loads and stores, signs, the floating-point control
 * register, other precisions, integers. Support instructions check only which registers they
 * name (DXC 1); the others are BFP instructions (DXC 2, by their row). */
#include "cpu/bfp/bfp_host.h"
#include "cpu/bfp/insn_bfp.h"

/* 78 LE LOAD (short) */
INSN_FAST(le)
{
    NEED_AFP(d->r1);
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    fpr_short_set(c, d->r1, v);
    return 0;
}

/* 68 LD LOAD (long) */
INSN_FAST(ld)
{
    NEED_AFP(d->r1);
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    fpr_long_set(c, d->r1, v);
    return 0;
}

/* ED64 LEY LOAD (short) */
INSN_FAST(ley)
{
    NEED_AFP(d->r1);
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    fpr_short_set(c, d->r1, v);
    return 0;
}

/* ED65 LDY LOAD (long) */
INSN_FAST(ldy)
{
    NEED_AFP(d->r1);
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    fpr_long_set(c, d->r1, v);
    return 0;
}

/* 70 STE STORE (short) */
INSN_FAST(ste)
{
    NEED_AFP(d->r1);
    return store_u32(c, ea_x(c, d), d->b2, fpr_short(c, d->r1));
}

/* 60 STD STORE (long) */
INSN_FAST(std)
{
    NEED_AFP(d->r1);
    return store_u64(c, ea_x(c, d), d->b2, fpr_long(c, d->r1));
}

/* ED66 STEY STORE (short) */
INSN_FAST(stey)
{
    NEED_AFP(d->r1);
    return store_u32(c, ea_x(c, d), d->b2, fpr_short(c, d->r1));
}

/* ED67 STDY STORE (long) */
INSN_FAST(stdy)
{
    NEED_AFP(d->r1);
    return store_u64(c, ea_x(c, d), d->b2, fpr_long(c, d->r1));
}

/* 38 LER LOAD (short) */
INSN_FAST(ler)
{
    NEED_AFP(d->r1 | d->r2);
    fpr_short_set(c, d->r1, fpr_short(c, d->r2));
    return 0;
}

/* 28 LDR LOAD (long) */
INSN_FAST(ldr)
{
    NEED_AFP(d->r1 | d->r2);
    fpr_long_set(c, d->r1, fpr_long(c, d->r2));
    return 0;
}

/* B365 LXR LOAD (extended) */
INSN(lxr)
{
    NEED_PAIR(d->r1 | d->r2);
    NEED_AFP(d->r1 | d->r2);
    fpr_set(c, &bfp_extended, d->r1, fpr_extended(c, d->r2));
    return 0;
}

/* B374 LZER LOAD ZERO (short) */
INSN(lzer)
{
    NEED_AFP(d->r1);
    fpr_short_set(c, d->r1, 0);
    return 0;
}

/* B375 LZDR LOAD ZERO (long) */
INSN_FAST(lzdr)
{
    NEED_AFP(d->r1);
    fpr_long_set(c, d->r1, 0);
    return 0;
}

/* B376 LZXR LOAD ZERO (extended) */
INSN(lzxr)
{
    NEED_PAIR(d->r1);
    NEED_AFP(d->r1);
    fpr_set(c, &bfp_extended, d->r1, 0);
    return 0;
}

/* B3C1 LDGR LOAD FPR FROM GR */
INSN_FAST(ldgr)
{
    NEED_AFP(d->r1);
    fpr_long_set(c, d->r1, c->gr[d->r2]);
    return 0;
}

/* B3CD LGDR LOAD GR FROM FPR */
INSN_FAST(lgdr)
{
    NEED_AFP(d->r2);
    c->gr[d->r1] = fpr_long(c, d->r2);
    return 0;
}

/* B372 CPSDR COPY SIGN (long) */
INSN(cpsdr)
{
    NEED_AFP(d->r1 | d->r2 | d->r3);
    u64 sign = 1ull << 63;
    fpr_long_set(c, d->r1, (fpr_long(c, d->r2) & ~sign) | (fpr_long(c, d->r3) & sign));
    return 0;
}

/* B373 LCDFR LOAD COMPLEMENT (long) */
INSN(lcdfr)
{
    NEED_AFP(d->r1 | d->r2);
    fpr_long_set(c, d->r1, fpr_long(c, d->r2) ^ 1ull << 63);
    return 0;
}

/* B371 LNDFR LOAD NEGATIVE (long) */
INSN(lndfr)
{
    NEED_AFP(d->r1 | d->r2);
    fpr_long_set(c, d->r1, fpr_long(c, d->r2) | 1ull << 63);
    return 0;
}

/* B370 LPDFR LOAD POSITIVE (long) */
INSN(lpdfr)
{
    NEED_AFP(d->r1 | d->r2);
    fpr_long_set(c, d->r1, fpr_long(c, d->r2) & ~(1ull << 63));
    return 0;
}

/* HFP LOAD LENGTHENED to extended: a low-order part of zero, with the sign and a characteristic
 * less by 14; a zero fraction makes a true zero. */
static int hfp_extend(struct cpu *c, unsigned r1, u64 v)
{
    u64 sign = v & 1ull << 63, fraction = v & ~0ull >> 8;
    u64 low = sign | (((v >> 56) - 14) & 0x7f) << 56;
    fpr_long_set(c, r1, fraction == 0 ? sign : v);
    fpr_long_set(c, r1 + 2, fraction == 0 ? sign : low);
    return 0;
}

/* B324 LDER LOAD LENGTHENED (short to long HFP) */
INSN(lder)
{
    NEED_AFP(d->r1 | d->r2);
    fpr_long_set(c, d->r1, (u64)fpr_short(c, d->r2) << 32);
    return 0;
}

/* ED24 LDE LOAD LENGTHENED (short to long HFP) */
INSN(lde)
{
    NEED_AFP(d->r1);
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    fpr_long_set(c, d->r1, (u64)v << 32);
    return 0;
}

/* B325 LXDR LOAD LENGTHENED (long to extended HFP) */
INSN(lxdr)
{
    NEED_PAIR(d->r1);
    NEED_AFP(d->r1 | d->r2);
    return hfp_extend(c, d->r1, fpr_long(c, d->r2));
}

/* ED25 LXD LOAD LENGTHENED (long to extended HFP) */
INSN(lxd)
{
    NEED_PAIR(d->r1);
    NEED_AFP(d->r1);
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    return hfp_extend(c, d->r1, v);
}

/* B326 LXER LOAD LENGTHENED (short to extended HFP) */
INSN(lxer)
{
    NEED_PAIR(d->r1);
    NEED_AFP(d->r1 | d->r2);
    return hfp_extend(c, d->r1, (u64)fpr_short(c, d->r2) << 32);
}

/* ED26 LXE LOAD LENGTHENED (short to extended HFP) */
INSN(lxe)
{
    NEED_PAIR(d->r1);
    NEED_AFP(d->r1);
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    return hfp_extend(c, d->r1, (u64)v << 32);
}

/* Whether `v` may be put into the FPC: bits of facilities that are not there must be zero. */
static bool fpc_valid(const struct cpu *c, u32 v)
{
    u32 allowed = FPC_MASKS | (FPC_MASKS >> 8) | 0xff00u | 3;
    if (has_fp_extension(c))
        allowed |= 0x04040000u | FPC_BFP_MODE; /* quantum exception, third bit of the mode */
    if (facility_has(c->set->facilities, FAC_FPSE)) /* it has the DFP-rounding facility */
        allowed |= FPC_DFP_MODE;
    u32 mode = v & FPC_BFP_MODE;
    return !(v & ~allowed) && (mode < 4 || mode == BFP_RFS);
}

static int fpc_load(struct cpu *c, u32 v)
{
    if (!fpc_valid(c, v))
        return PGM_SPECIFICATION;
    c->fpc = v;
    return 0;
}

/* Load the FPC, keep its flags, and raise the exception they stand for when `v` enables it. */
static int fpc_load_and_signal(struct cpu *c, u32 v)
{
    if (!fpc_valid(c, v))
        return PGM_SPECIFICATION;
    u32 flags = c->fpc & FPC_FLAGS;
    u32 enabled = (flags >> 16) & (v >> 24);
    c->fpc = v | flags;
    if (enabled == 0)
        return 0;
    if (enabled & BFP_INVALID)
        enabled = BFP_INVALID;
    else if (enabled & BFP_DIVZERO)
        enabled = BFP_DIVZERO;
    else if (enabled & BFP_OVERFLOW)
        enabled &= BFP_OVERFLOW | BFP_INEXACT;
    else if (enabled & BFP_UNDERFLOW)
        enabled &= BFP_UNDERFLOW | BFP_INEXACT;
    else if (enabled & BFP_INEXACT)
        enabled = BFP_INEXACT;
    return insn_data_exception(c, (u8)(enabled | 3)); /* 3: simulated */
}

/* B384 SFPC SET FPC */
INSN(sfpc)
{
    return fpc_load(c, gr32(c, d->r1));
}

/* B385 SFASR SET FPC AND SIGNAL; as to AFP control it counts as decimal floating point */
INSN(sfasr)
{
    if (!(c->cr[0] & CR0_AFP))
        return insn_data_exception(c, DXC_DFP_INSTRUCTION);
    return fpc_load_and_signal(c, gr32(c, d->r1));
}

/* B38C EFPC EXTRACT FPC */
INSN(efpc)
{
    gr32_set(c, d->r1, c->fpc);
    return 0;
}

/* B29C STFPC STORE FPC */
INSN(stfpc)
{
    return store_u32(c, ea_b(c, d), d->b2, c->fpc);
}

/* B29D LFPC LOAD FPC */
INSN(lfpc)
{
    u32 v;
    TRY(load_u32(c, ea_b(c, d), d->b2, &v));
    return fpc_load(c, v);
}

/* B2BD LFAS LOAD FPC AND SIGNAL */
INSN(lfas)
{
    u32 v;
    if (!(c->cr[0] & CR0_AFP))
        return insn_data_exception(c, DXC_DFP_INSTRUCTION);
    TRY(load_u32(c, ea_b(c, d), d->b2, &v));
    return fpc_load_and_signal(c, v);
}

/* B299 SRNM SET BFP ROUNDING MODE (2 bit) */
INSN(srnm)
{
    c->fpc = (c->fpc & ~FPC_BFP_MODE) | (ea_b(c, d) & 3);
    return 0;
}

/* B2B8 SRNMB SET BFP ROUNDING MODE (3 bit) */
INSN(srnmb)
{
    u32 mode = ea_b(c, d) & 0xff;
    if (mode > 3 && mode != BFP_RFS)
        return PGM_SPECIFICATION;
    c->fpc = (c->fpc & ~FPC_BFP_MODE) | mode;
    return 0;
}

/* B2B9 SRNMT SET DFP ROUNDING MODE */
INSN(srnmt)
{
    if (!(c->cr[0] & CR0_AFP))
        return insn_data_exception(c, DXC_DFP_INSTRUCTION);
    c->fpc = (c->fpc & ~FPC_DFP_MODE) | (u32)(ea_b(c, d) & 7) << 4;
    return 0;
}

static int lengthen(struct cpu *c, const struct bfp_format *f, const struct bfp_format *src,
                    unsigned r1, u64 v)
{
    struct bfp_env e = fpc_env(c);
    u128 r = bfp_lengthen(&e, f, src, v);
    return fpr_deliver(c, &e, f, r1, r);
}

static inline int lengthen_to_long(struct cpu *c, unsigned r1, u32 v)
{
    if (unlikely(!bfp_host_normal32(v, 1)))
        return lengthen(c, &bfp_long, &bfp_short, r1, v);
    u64 magnitude = ((u64)(v & 0x7fffffffu) << 29) + ((1023ull - 127) << 52);
    fpr_long_set(c, r1, (u64)(v >> 31) << 63 | magnitude);
    return 0;
}

/* B304 LDEBR LOAD LENGTHENED (short to long BFP) */
INSN(ldebr)
{
    return lengthen_to_long(c, d->r1, fpr_short(c, d->r2));
}

/* ED04 LDEB LOAD LENGTHENED (short to long BFP) */
INSN(ldeb)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    return lengthen_to_long(c, d->r1, v);
}

/* B305 LXDBR LOAD LENGTHENED (long to extended BFP) */
INSN(lxdbr)
{
    NEED_PAIR(d->r1);
    return lengthen(c, &bfp_extended, &bfp_long, d->r1, fpr_long(c, d->r2));
}

/* ED05 LXDB LOAD LENGTHENED (long to extended BFP) */
INSN(lxdb)
{
    NEED_PAIR(d->r1);
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    return lengthen(c, &bfp_extended, &bfp_long, d->r1, v);
}

/* B306 LXEBR LOAD LENGTHENED (short to extended BFP) */
INSN(lxebr)
{
    NEED_PAIR(d->r1);
    return lengthen(c, &bfp_extended, &bfp_short, d->r1, fpr_short(c, d->r2));
}

/* ED06 LXEB LOAD LENGTHENED (short to extended BFP) */
INSN(lxeb)
{
    NEED_PAIR(d->r1);
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    return lengthen(c, &bfp_extended, &bfp_short, d->r1, v);
}

/* Rounding mode (M3) and inexact suppression (M4). Without the floating-point extension
 * facility there is no M4, and no M3 either in instructions that did not have one before. */
static int modifiers(const struct cpu *c, const struct dinsn *d, bool m3_from_start,
                     struct bfp_env *e)
{
    *e = fpc_env(c);
    bool extension = has_fp_extension(c);
    e->xxc = extension && (d->b2 & 4);
    unsigned m3 = extension || m3_from_start ? d->r3 : 0;
    return m_field_mode(c, m3, e->mode, &e->mode) ? 0 : PGM_SPECIFICATION;
}

static int load_rounded(struct cpu *c, const struct dinsn *d, const struct bfp_format *f,
                        const struct bfp_format *src)
{
    struct bfp_env e;
    TRY(modifiers(c, d, false, &e));
    u128 v = bfp_shorten(&e, f, src, fpr_get(c, src, d->r2));
    bool wrapped = e.dxc & (BFP_OVERFLOW | BFP_UNDERFLOW);
    return fpr_deliver(c, &e, wrapped ? src : f, d->r1, v);
}

/* B344 LEDBR LOAD ROUNDED (long to short BFP) */
INSN(ledbr)
{
    u32 v;
    if (unlikely((d->r3 | d->b2) != 0 || !bfp_host_narrow(&c->fpc, fpr_long(c, d->r2), &v)))
        return load_rounded(c, d, &bfp_short, &bfp_long);
    fpr_short_set(c, d->r1, v);
    return 0;
}

/* B345 LDXBR LOAD ROUNDED (extended to long BFP) */
INSN(ldxbr)
{
    NEED_PAIR(d->r1 | d->r2);
    return load_rounded(c, d, &bfp_long, &bfp_extended);
}

/* B346 LEXBR LOAD ROUNDED (extended to short BFP) */
INSN(lexbr)
{
    NEED_PAIR(d->r1 | d->r2);
    return load_rounded(c, d, &bfp_short, &bfp_extended);
}

static int load_integer(struct cpu *c, const struct dinsn *d, const struct bfp_format *f)
{
    struct bfp_env e;
    TRY(modifiers(c, d, true, &e));
    u128 v = bfp_to_integral(&e, f, fpr_get(c, f, d->r2));
    return fpr_deliver(c, &e, f, d->r1, v);
}

/* B357 FIEBR LOAD FP INTEGER (short BFP) */
INSN(fiebr)
{
    return load_integer(c, d, &bfp_short);
}

/* B35F FIDBR LOAD FP INTEGER (long BFP) */
INSN(fidbr)
{
    u64 a = fpr_long(c, d->r2), v;
    if (c->fpc & FPC_MASKS || d->r3 > 7 || !bfp_host_integral(a, d->r3, &v))
        return load_integer(c, d, &bfp_long);
    if (v != a && !(has_fp_extension(c) && (d->b2 & 4)))
        c->fpc |= FPC_INEXACT;
    fpr_long_set(c, d->r1, v);
    return 0;
}

/* B347 FIXBR LOAD FP INTEGER (extended BFP) */
INSN(fixbr)
{
    NEED_PAIR(d->r1 | d->r2);
    return load_integer(c, d, &bfp_extended);
}

static int from_integer(struct cpu *c, const struct dinsn *d, const struct bfp_format *f,
                        bool negative, u64 magnitude)
{
    struct bfp_env e;
    TRY(modifiers(c, d, false, &e));
    u128 v = bfp_from_fixed(&e, f, negative, magnitude);
    return fpr_deliver(c, &e, f, d->r1, v);
}

static int from_fixed(struct cpu *c, const struct dinsn *d, const struct bfp_format *f,
                      s64 value)
{
    return from_integer(c, d, f, value < 0, value < 0 ? -(u64)value : (u64)value);
}

/* Integers that a long number holds exactly, with no modifiers. */
static inline bool exact_long(struct cpu *c, const struct dinsn *d, s64 value)
{
    double v = (double)value;
    if (d->r3 != 0 || (u64)value + (1ull << 53) > 1ull << 54)
        return false;
    memcpy(&c->vr[d->r1][0], &v, sizeof v);
    return true;
}

/* B394 CEFBR CONVERT FROM FIXED (32 to short BFP) */
INSN(cefbr)
{
    return from_fixed(c, d, &bfp_short, (s32)gr32(c, d->r2));
}

/* B395 CDFBR CONVERT FROM FIXED (32 to long BFP) */
INSN(cdfbr)
{
    if (likely(exact_long(c, d, (s32)gr32(c, d->r2))))
        return 0;
    return from_fixed(c, d, &bfp_long, (s32)gr32(c, d->r2));
}

/* B396 CXFBR CONVERT FROM FIXED (32 to extended BFP) */
INSN(cxfbr)
{
    NEED_PAIR(d->r1);
    return from_fixed(c, d, &bfp_extended, (s32)gr32(c, d->r2));
}

/* B3A4 CEGBR CONVERT FROM FIXED (64 to short BFP) */
INSN(cegbr)
{
    return from_fixed(c, d, &bfp_short, (s64)c->gr[d->r2]);
}

/* B3A5 CDGBR CONVERT FROM FIXED (64 to long BFP) */
INSN(cdgbr)
{
    if (likely(exact_long(c, d, (s64)c->gr[d->r2])))
        return 0;
    return from_fixed(c, d, &bfp_long, (s64)c->gr[d->r2]);
}

/* B3A6 CXGBR CONVERT FROM FIXED (64 to extended BFP) */
INSN(cxgbr)
{
    NEED_PAIR(d->r1);
    return from_fixed(c, d, &bfp_extended, (s64)c->gr[d->r2]);
}

/* B390 CELFBR CONVERT FROM LOGICAL (32 to short BFP) */
INSN(celfbr)
{
    return from_integer(c, d, &bfp_short, false, gr32(c, d->r2));
}

/* B391 CDLFBR CONVERT FROM LOGICAL (32 to long BFP) */
INSN(cdlfbr)
{
    return from_integer(c, d, &bfp_long, false, gr32(c, d->r2));
}

/* B392 CXLFBR CONVERT FROM LOGICAL (32 to extended BFP) */
INSN(cxlfbr)
{
    NEED_PAIR(d->r1);
    return from_integer(c, d, &bfp_extended, false, gr32(c, d->r2));
}

/* B3A0 CELGBR CONVERT FROM LOGICAL (64 to short BFP) */
INSN(celgbr)
{
    return from_integer(c, d, &bfp_short, false, c->gr[d->r2]);
}

/* B3A1 CDLGBR CONVERT FROM LOGICAL (64 to long BFP) */
INSN(cdlgbr)
{
    return from_integer(c, d, &bfp_long, false, c->gr[d->r2]);
}

/* B3A2 CXLGBR CONVERT FROM LOGICAL (64 to extended BFP) */
INSN(cxlgbr)
{
    NEED_PAIR(d->r1);
    return from_integer(c, d, &bfp_extended, false, c->gr[d->r2]);
}

/* Into bits 32-63 or all of general register r1. */
static int to_integer(struct cpu *c, const struct dinsn *d, const struct bfp_format *f,
                      unsigned width, bool is_signed)
{
    struct bfp_env e;
    u8 cc;
    TRY(modifiers(c, d, true, &e));
    u64 v = bfp_to_fixed(&e, f, fpr_get(c, f, d->r2), width, is_signed, &cc);
    if (bfp_suppressed(&e))
        return insn_data_exception(c, e.dxc);
    if (width == 32)
        gr32_set(c, d->r1, (u32)v);
    else
        c->gr[d->r1] = v;
    c->cc = cc;
    return fpc_finish(c, &e);
}

/* Truncation (M3 5) of a long number well within range, with no trap to fear: by the host. */
static inline bool truncate_long(struct cpu *c, const struct dinsn *d, double limit, s64 *out)
{
    double v = bfp_host_double(fpr_long(c, d->r2));
    if (d->r3 != 5 || d->b2 != 0 || (c->fpc & FPC_MASKS) || !(v < limit && v > -limit))
        return false;
    *out = (s64)v;
    if ((double)*out != v)
        c->fpc |= FPC_INEXACT;
    c->cc = (u8)((v > 0) * 2 + (v < 0));
    return true;
}

/* Bodies of conversions that have no short cut; a pair is needed for extended. */
#define TO_INTEGER(mn, format, width, is_signed)                                               \
    INSN(mn)                                                                                   \
    {                                                                                          \
        if ((format).bits == 128)                                                              \
            NEED_PAIR(d->r2);                                                                  \
        return to_integer(c, d, &(format), width, is_signed);                                  \
    }

/* B398 CFEBR CONVERT TO FIXED (short BFP to 32) */
TO_INTEGER(cfebr, bfp_short, 32, true)

/* B399 CFDBR CONVERT TO FIXED (long BFP to 32) */
INSN(cfdbr)
{
    s64 v;
    if (likely(truncate_long(c, d, 0x1p31, &v))) {
        gr32_set(c, d->r1, (u32)v);
        return 0;
    }
    return to_integer(c, d, &bfp_long, 32, true);
}

/* B39A CFXBR CONVERT TO FIXED (extended BFP to 32) */
TO_INTEGER(cfxbr, bfp_extended, 32, true)

/* B3A8 CGEBR CONVERT TO FIXED (short BFP to 64) */
TO_INTEGER(cgebr, bfp_short, 64, true)

/* B3A9 CGDBR CONVERT TO FIXED (long BFP to 64) */
INSN(cgdbr)
{
    s64 v;
    if (likely(truncate_long(c, d, 0x1p53, &v))) {
        c->gr[d->r1] = (u64)v;
        return 0;
    }
    return to_integer(c, d, &bfp_long, 64, true);
}

/* B3AA CGXBR CONVERT TO FIXED (extended BFP to 64) */
TO_INTEGER(cgxbr, bfp_extended, 64, true)

/* B39C CLFEBR CONVERT TO LOGICAL (short BFP to 32) */
TO_INTEGER(clfebr, bfp_short, 32, false)

/* B39D CLFDBR CONVERT TO LOGICAL (long BFP to 32) */
TO_INTEGER(clfdbr, bfp_long, 32, false)

/* B39E CLFXBR CONVERT TO LOGICAL (extended BFP to 32) */
TO_INTEGER(clfxbr, bfp_extended, 32, false)

/* B3AC CLGEBR CONVERT TO LOGICAL (short BFP to 64) */
TO_INTEGER(clgebr, bfp_short, 64, false)

/* B3AD CLGDBR CONVERT TO LOGICAL (long BFP to 64) */
TO_INTEGER(clgdbr, bfp_long, 64, false)

/* B3AE CLGXBR CONVERT TO LOGICAL (extended BFP to 64) */
TO_INTEGER(clgxbr, bfp_extended, 64, false)

#define CHAPTER_DEF "cpu/isa/isa_bfp2.def"
#define CHAPTER_NAME isa_bfp2
#include "cpu/insn/insn_chapter.h"
