/* Floating-point registers, the FPC, and delivery of binary floating-point results: what the two
 * floating-point chapters share. A short value is in the leftmost 32 bits of its register; an
 * extended value is in registers n and n + 2. */
#ifndef ENDICOTT_CPU_BFP_INSN_BFP_H
#define ENDICOTT_CPU_BFP_INSN_BFP_H

#include "cpu/bfp/bfp.h"
#include "cpu/insn/insn.h"

#define DXC_AFP_REGISTER 1
#define DXC_BFP_INSTRUCTION 2
#define DXC_DFP_INSTRUCTION 3

#define FPC_MASKS 0xf8000000u
#define FPC_FLAGS 0x00ff0000u
#define FPC_FLAGS_SHIFT 16
#define FPC_INEXACT 0x00080000u
#define FPC_DFP_MODE 0x00000070u
#define FPC_BFP_MODE 0x00000007u

/** Return from the body: register not one of the original four, and the others are disabled. */
#define NEED_AFP(r)                                                                            \
    do {                                                                                       \
        if (unlikely(((r)&9) != 0 && !(c->cr[0] & CR0_AFP)))                                   \
            return insn_data_exception(c, DXC_AFP_REGISTER);                                   \
    } while (0)

/** Return from the body: register does not start a pair. */
#define NEED_PAIR(r)                                                                           \
    do {                                                                                       \
        if (unlikely((r)&2))                                                                   \
            return PGM_SPECIFICATION;                                                          \
    } while (0)

static inline u32 fpr_short(const struct cpu *c, unsigned n)
{
    return (u32)(c->vr[n][0] >> 32);
}

static inline void fpr_short_set(struct cpu *c, unsigned n, u32 v)
{
    c->vr[n][0] = (u64)v << 32 | (u32)c->vr[n][0];
}

static inline u64 fpr_long(const struct cpu *c, unsigned n)
{
    return c->vr[n][0];
}

static inline void fpr_long_set(struct cpu *c, unsigned n, u64 v)
{
    c->vr[n][0] = v;
}

static inline u128 fpr_extended(const struct cpu *c, unsigned n)
{
    return (u128)c->vr[n][0] << 64 | c->vr[n + 2][0];
}

static inline u128 fpr_get(const struct cpu *c, const struct bfp_format *f, unsigned n)
{
    return f->bits == 32   ? fpr_short(c, n)
           : f->bits == 64 ? fpr_long(c, n)
                           : fpr_extended(c, n);
}

static inline void fpr_set(struct cpu *c, const struct bfp_format *f, unsigned n, u128 v)
{
    if (f->bits == 32) {
        fpr_short_set(c, n, (u32)v);
        return;
    }
    fpr_long_set(c, n, (u64)(f->bits == 64 ? v : v >> 64));
    if (f->bits == 128)
        fpr_long_set(c, n + 2, (u64)v);
}

static inline struct bfp_env fpc_env(const struct cpu *c)
{
    struct bfp_env e;
    bfp_env_init(&e, c->fpc);
    return e;
}

static inline bool bfp_suppressed(const struct bfp_env *e)
{
    return e->dxc & BFP_SUPPRESSING;
}

/** End of an operation that is not suppressed: flags, then the trap if there is one. */
static inline int fpc_finish(struct cpu *c, const struct bfp_env *e)
{
    c->fpc |= (u32)e->flags << FPC_FLAGS_SHIFT;
    return e->dxc != 0 ? insn_data_exception(c, e->dxc) : 0;
}

/** Deliver result `v` to register `r1`, unless the operation is suppressed. */
static inline int fpr_deliver(struct cpu *c, const struct bfp_env *e,
                              const struct bfp_format *f, unsigned r1, u128 v)
{
    if (bfp_suppressed(e))
        return insn_data_exception(c, e->dxc);
    fpr_set(c, f, r1, v);
    return fpc_finish(c, e);
}

/** The same with the condition code that tells about the result. */
static inline int fpr_deliver_cc(struct cpu *c, const struct bfp_env *e,
                                 const struct bfp_format *f, unsigned r1, u128 v)
{
    if (!bfp_suppressed(e))
        c->cc = bfp_cc(f, v);
    return fpr_deliver(c, e, f, r1, v);
}

static inline bool has_fp_extension(const struct cpu *c)
{
    return facility_has(c->set->facilities, FAC_FPE);
}

/** Rounding mode of an M field whose value is `m`; false when there is none. RFS needs the
 *  floating-point extension facility. 0 keeps `current`. */
static inline bool m_field_mode(const struct cpu *c, unsigned m, enum bfp_mode current,
                                enum bfp_mode *mode)
{
    static const u8 modes[8] = {0, BFP_RNA, 0, BFP_RFS, BFP_RNE, BFP_RZ, BFP_RP, BFP_RM};
    if (m > 7 || m == 2 || (m == 3 && !has_fp_extension(c)))
        return false;
    *mode = m == 0 ? current : (enum bfp_mode)modes[m];
    return true;
}

#endif
