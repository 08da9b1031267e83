/* What the chapters of general instructions share: condition codes of sums, register pairs,
 * relative operands. Included by insn_general_*.c only. */
#ifndef ENDICOTT_CPU_INSN_GENERAL_H
#define ENDICOTT_CPU_INSN_GENERAL_H

#include "cpu/insn/insn.h"

#define DXC_TRAP 0xff /* compare-and-trap, load-and-trap */

/** True when the mask of a conditional instruction selects the condition code. */
static inline bool condition_holds(const struct cpu *c, unsigned mask)
{
    return (mask & (8u >> c->cc)) != 0;
}

/** Mask bit of a compare-and-branch or compare-and-trap: 8 equal, 4 low, 2 high. */
static inline unsigned compare_signed(s64 a, s64 b)
{
    return a == b ? 8 : a < b ? 4 : 2;
}

static inline unsigned compare_unsigned(u64 a, u64 b)
{
    return a == b ? 8 : a < b ? 4 : 2;
}

/* Condition code of a signed sum; the result is in its place already. */
static inline int sum_s32(struct cpu *c, s32 a, s32 b)
{
    s64 v = (s64)a + b;
    if (unlikely(v != (s32)v))
        return fixed_overflow(c);
    cc_signed(c, v, 0);
    return 0;
}

static inline int sum_s64(struct cpu *c, s64 a, s64 b)
{
    u64 v = (u64)a + (u64)b;
    if (unlikely((s64)((v ^ (u64)a) & (v ^ (u64)b)) < 0))
        return fixed_overflow(c);
    cc_signed(c, (s64)v, 0);
    return 0;
}

static inline int difference_s32(struct cpu *c, s32 a, s32 b)
{
    s64 v = (s64)a - b;
    if (unlikely(v != (s32)v))
        return fixed_overflow(c);
    cc_signed(c, v, 0);
    return 0;
}

static inline int difference_s64(struct cpu *c, s64 a, s64 b)
{
    u64 v = (u64)a - (u64)b;
    if (unlikely((s64)((u64)(a ^ b) & (v ^ (u64)a)) < 0))
        return fixed_overflow(c);
    cc_signed(c, (s64)v, 0);
    return 0;
}

/* Signed sums and differences into a register. */
static inline int add_s32(struct cpu *c, unsigned r, s32 a, s32 b)
{
    gr32_set(c, r, (u32)a + (u32)b);
    return sum_s32(c, a, b);
}

static inline int add_s64(struct cpu *c, unsigned r, s64 a, s64 b)
{
    c->gr[r] = (u64)a + (u64)b;
    return sum_s64(c, a, b);
}

static inline int sub_s32(struct cpu *c, unsigned r, s32 a, s32 b)
{
    gr32_set(c, r, (u32)a - (u32)b);
    return difference_s32(c, a, b);
}

static inline int sub_s64(struct cpu *c, unsigned r, s64 a, s64 b)
{
    c->gr[r] = (u64)a - (u64)b;
    return difference_s64(c, a, b);
}

/* Logical sums and differences; cc bit 1 is the carry (no borrow), bit 0 a nonzero result. */
static inline u32 add_cc32(struct cpu *c, u32 a, u32 b)
{
    u32 v = a + b;
    c->cc = (u8)((v < a) << 1 | (v != 0));
    return v;
}

static inline u64 add_cc64(struct cpu *c, u64 a, u64 b)
{
    u64 v = a + b;
    c->cc = (u8)((v < a) << 1 | (v != 0));
    return v;
}

static inline u32 sub_cc32(struct cpu *c, u32 a, u32 b)
{
    c->cc = (u8)((a >= b) << 1 | (a != b));
    return a - b;
}

static inline u64 sub_cc64(struct cpu *c, u64 a, u64 b)
{
    c->cc = (u8)((a >= b) << 1 | (a != b));
    return a - b;
}

/** Bits 32-63 of an even-odd pair as one number. */
static inline u64 pair32(const struct cpu *c, unsigned r)
{
    return (u64)gr32(c, r) << 32 | gr32(c, r + 1);
}

static inline void pair32_set(struct cpu *c, unsigned r, u64 v)
{
    gr32_set(c, r, (u32)(v >> 32));
    gr32_set(c, r + 1, (u32)v);
}

static inline void pair64_set(struct cpu *c, unsigned r, u128 v)
{
    c->gr[r] = (u64)(v >> 64);
    c->gr[r + 1] = (u64)v;
}

/** Fetch a relative operand, in the space instructions come from; result in c->scratch. */
int general_load_rel_slow(struct cpu *c, u64 ea, unsigned len);

static inline int load_rel_u16(struct cpu *c, const struct dinsn *d, u16 *out)
{
    u64 ea = ea_rel(c, d);
    const u8 *p = tlb_fetch(c->ispace, ea, 2);
    if (likely(p != NULL)) {
        *out = be16_load(p);
        return 0;
    }
    int rc = general_load_rel_slow(c, ea, 2);
    *out = (u16)c->scratch;
    return rc;
}

static inline int load_rel_u32(struct cpu *c, const struct dinsn *d, u32 *out)
{
    u64 ea = ea_rel(c, d);
    if (unlikely(ea & 3))
        return PGM_SPECIFICATION;
    const u8 *p = tlb_fetch(c->ispace, ea, 4);
    if (likely(p != NULL)) {
        *out = be32_load(p);
        return 0;
    }
    int rc = general_load_rel_slow(c, ea, 4);
    *out = (u32)c->scratch;
    return rc;
}

static inline int load_rel_u64(struct cpu *c, const struct dinsn *d, u64 *out)
{
    u64 ea = ea_rel(c, d);
    if (unlikely(ea & 7))
        return PGM_SPECIFICATION;
    const u8 *p = tlb_fetch(c->ispace, ea, 8);
    if (likely(p != NULL)) {
        *out = be64_load(p);
        return 0;
    }
    int rc = general_load_rel_slow(c, ea, 8);
    *out = c->scratch;
    return rc;
}

#endif
