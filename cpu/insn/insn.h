/* Writing instruction bodies. Each chapter file includes this, defines INSN(mn) bodies with one
 * line above them (opcode, mnemonic, title), and ends with CHAPTER-building includes:
 *
 *     #define CHAPTER_DEF "cpu/isa_xxx.def"
 *     #define CHAPTER_NAME isa_xxx
 *     #include "cpu/insn/insn_chapter.h"
 *
 * which makes a dispatching function of every row and the chapter's table. */
#ifndef ENDICOTT_CPU_INSN_H
#define ENDICOTT_CPU_INSN_H

#include "cpu/access.h"

/** A small body without escaping locals: inlined into the threaded dispatch. */
#define INSN_FAST(mn)                                                                          \
    static inline                                                                              \
        __attribute__((always_inline)) int insn_##mn(struct cpu *c, const struct dinsn *d)
/** Any other body. Locals may escape; it is called, never inlined (tail dispatch needs that). */
#define INSN(mn)                                                                               \
    static __attribute__((noinline)) int insn_##mn(struct cpu *c, const struct dinsn *d)
#define UNUSED_D (void)d
#define UNUSED_C (void)c

/** Address of the executing instruction (of the target under EXECUTE). */
static inline u64 insn_ia(const struct cpu *c, const struct dinsn *d)
{
    if (unlikely(c->ex_active))
        return c->ex_target_ia;
    return cpu_slot_address(c, d);
}

/** Address of the next sequential instruction; `len` of this one. Not masked. */
static inline u64 insn_next_ia(const struct cpu *c, const struct dinsn *d, unsigned len)
{
    if (unlikely(c->ex_active))
        return c->ex_next;
    return cpu_slot_address(c, d) + len;
}

/** Address of the executing instruction, of the EXECUTE when it runs under one. */
static inline u64 insn_break_ia(const struct cpu *c, const struct dinsn *d)
{
    if (unlikely(c->ex_active))
        return (c->ex_next - c->ilc) & c->amask;
    return cpu_slot_address(c, d);
}

/** D(X,B) of RX, RXY, RXE. */
static inline u64 ea_x(const struct cpu *c, const struct dinsn *d)
{
    return (c->gr[d->r2] + c->gr[d->b2] + (u64)(s64)d->d2) & c->amask;
}

/** D(B) of RS, RSY, S, SI, SIY, RIS, RRS, RSL. */
static inline u64 ea_b(const struct cpu *c, const struct dinsn *d)
{
    return (c->gr[d->b2] + (u64)(s64)d->d2) & c->amask;
}

/** First operand of SS, SSE, SSF (base in r2). */
static inline u64 ea_1(const struct cpu *c, const struct dinsn *d)
{
    return (c->gr[d->r2] + d->ss.d1) & c->amask;
}

/** Second operand of SS, SSE, SSF; of SIL: use ea_sil. */
static inline u64 ea_2(const struct cpu *c, const struct dinsn *d)
{
    return (c->gr[d->b2] + d->ss.d2) & c->amask;
}

/** First operand of SIL (the immediate is in ss.d2). */
static inline u64 ea_sil(const struct cpu *c, const struct dinsn *d)
{
    return (c->gr[d->b2] + d->ss.d1) & c->amask;
}

/** Relative operand: imm signed halfwords from this instruction. */
static inline u64 ea_rel(const struct cpu *c, const struct dinsn *d)
{
    return (insn_ia(c, d) + 2 * (u64)(s64)d->imm) & c->amask;
}

/** Bits 32-63 of a general register. */
static inline u32 gr32(const struct cpu *c, unsigned r)
{
    return (u32)c->gr[r];
}

static inline void gr32_set(struct cpu *c, unsigned r, u32 v)
{
    c->gr[r] = (c->gr[r] & 0xffffffff00000000ull) | v;
}

/** Bits 0-31. */
static inline u32 gr_high(const struct cpu *c, unsigned r)
{
    return (u32)(c->gr[r] >> 32);
}

static inline void gr_high_set(struct cpu *c, unsigned r, u32 v)
{
    c->gr[r] = (u64)v << 32 | (u32)c->gr[r];
}

/** Set the condition code by comparing. */
static inline void cc_signed(struct cpu *c, s64 a, s64 b)
{
    c->cc = (u8)((a > b) * 2 + (a < b));
}

static inline void cc_unsigned(struct cpu *c, u64 a, u64 b)
{
    c->cc = (u8)((a > b) * 2 + (a < b));
}

/** Fixed-point overflow: condition code 3 set; interrupt when the program mask says so. */
static inline int fixed_overflow(struct cpu *c)
{
    c->cc = 3;
    return c->psw.mask & (8ull << PSW_PM_SHIFT) ? PGM_FIXED_OVERFLOW : 0;
}

/** Branch to `target` (masked by the addressing mode here). */
static inline int take_branch(struct cpu *c, u64 target)
{
    c->psw.addr = target & c->amask;
    return CPU_TAKEN;
}

/** Raise a data exception with its code in FPC and at real 147 (PoP, "Data Exception"). */
int insn_data_exception(struct cpu *c, u8 dxc);

#endif
