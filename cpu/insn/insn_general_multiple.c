/* Several registers, bytes under mask, on condition, access registers.
 * Principles of Operation, chapter 7 "General Instructions"; rows in isa_general_multiple.def. */
#include "cpu/insn/insn_general.h"

#define REGS 16
#define MASK_BYTES 4

enum multiple_half { multiple_low, multiple_high };

/* Bytes of an operand that is read whole: inside one page where it lies, else a copy in `buf`. */
static inline int operand_fetch(struct cpu *c, u64 ea, unsigned b, unsigned len, u8 *buf,
                                const u8 **p)
{
    *p = tlb_fetch(c->space[b], ea, len);
    if (likely(*p != NULL))
        return 0;
    *p = buf;
    return access_fetch(c, ea, b, buf, len);
}

static inline int load_multiple(struct cpu *c, const struct dinsn *d, enum multiple_half half)
{
    u8 buf[REGS * 4];
    const u8 *p;
    unsigned n = ((d->r3 - d->r1) & 15) + 1;
    TRY(operand_fetch(c, ea_b(c, d), d->b2, n * 4, buf, &p));
    for (unsigned i = 0; i < n; i++) {
        if (half == multiple_high)
            gr_high_set(c, (d->r1 + i) & 15, be32_load(p + 4 * i));
        else
            gr32_set(c, (d->r1 + i) & 15, be32_load(p + 4 * i));
    }
    return 0;
}

static inline int load_multiple_64(struct cpu *c, const struct dinsn *d)
{
    u8 buf[REGS * 8];
    const u8 *p;
    unsigned n = ((d->r3 - d->r1) & 15) + 1;
    TRY(operand_fetch(c, ea_b(c, d), d->b2, n * 8, buf, &p));
    for (unsigned i = 0; i < n; i++)
        c->gr[(d->r1 + i) & 15] = be64_load(p + 8 * i);
    return 0;
}

/* Where a store of `len` bytes may go at once, or `buf`, to be put by operand_put. */
static inline u8 *operand_target(struct cpu *c, u64 ea, unsigned b, unsigned len, u8 *buf)
{
    u8 *p = tlb_store(c->space[b], ea, len);
    return likely(p != NULL) ? p : buf;
}

static inline int store_multiple(struct cpu *c, const struct dinsn *d, unsigned shift)
{
    u8 buf[REGS * 4];
    u64 ea = ea_b(c, d);
    unsigned n = ((d->r3 - d->r1) & 15) + 1;
    u8 *p = operand_target(c, ea, d->b2, n * 4, buf);
    for (unsigned i = 0; i < n; i++)
        be32_store(p + 4 * i, (u32)(c->gr[(d->r1 + i) & 15] >> shift));
    return p == buf ? access_put(c, ea, d->b2, buf, n * 4) : 0;
}

static inline int store_multiple_64(struct cpu *c, const struct dinsn *d)
{
    u8 buf[REGS * 8];
    u64 ea = ea_b(c, d);
    unsigned n = ((d->r3 - d->r1) & 15) + 1;
    u8 *p = operand_target(c, ea, d->b2, n * 8, buf);
    for (unsigned i = 0; i < n; i++)
        be64_store(p + 8 * i, c->gr[(d->r1 + i) & 15]);
    return p == buf ? access_put(c, ea, d->b2, buf, n * 8) : 0;
}

/* The mask (m3) as a mask of bits in a word. */
static inline u32 mask_bits(unsigned m)
{
    return (m & 8 ? 0xff000000u : 0) | (m & 4 ? 0xff0000u : 0) | (m & 2 ? 0xff00u : 0) |
           (m & 1 ? 0xffu : 0);
}

/* Spread `n` storage bytes over the bytes that the mask selects. With mask zero access
 * exceptions are recognised for one byte. */
static inline int masked_fetch(struct cpu *c, const struct dinsn *d, u32 *out)
{
    u8 buf[MASK_BYTES];
    const u8 *p;
    unsigned n = (unsigned)__builtin_popcount(d->r3);
    TRY(operand_fetch(c, ea_b(c, d), d->b2, n ? n : 1, buf, &p));
    u32 v = 0;
    for (unsigned i = 0; i < MASK_BYTES; i++)
        if (d->r3 & (8u >> i))
            v |= (u32)*p++ << (24 - 8 * i);
    *out = v;
    return 0;
}

static inline int insert_under_mask(struct cpu *c, const struct dinsn *d, unsigned shift)
{
    u32 v;
    TRY(masked_fetch(c, d, &v));
    u32 bits = mask_bits(d->r3);
    c->gr[d->r1] = (c->gr[d->r1] & ~((u64)bits << shift)) | (u64)v << shift;
    u32 leftmost = 0x80u << (bits ? 24 - 8 * (__builtin_clz(bits) / 8) : 0);
    c->cc = v == 0 ? 0 : v & leftmost ? 1 : 2;
    return 0;
}

static inline int compare_under_mask(struct cpu *c, const struct dinsn *d, unsigned shift)
{
    u32 v;
    TRY(masked_fetch(c, d, &v));
    cc_unsigned(c, (u32)(c->gr[d->r1] >> shift) & mask_bits(d->r3), v);
    return 0;
}

static inline int store_under_mask(struct cpu *c, const struct dinsn *d, unsigned shift)
{
    u8 buf[MASK_BYTES];
    u64 ea = ea_b(c, d);
    u32 v = (u32)(c->gr[d->r1] >> shift);
    unsigned n = 0;
    for (unsigned i = 0; i < MASK_BYTES; i++)
        if (d->r3 & (8u >> i))
            buf[n++] = (u8)(v >> (24 - 8 * i));
    if (n == 0)
        return 0;
    u8 *p = tlb_store(c->space[d->b2], ea, n);
    if (unlikely(p == NULL))
        return access_put(c, ea, d->b2, buf, n);
    memcpy(p, buf, n);
    return 0;
}

static inline void access_registers_changed(struct cpu *c)
{
    if ((c->psw.mask & PSW_AS) >> PSW_AS_SHIFT == AS_AR)
        cpu_select_spaces(c);
}

static inline int load_access_multiple(struct cpu *c, const struct dinsn *d)
{
    u8 buf[REGS * 4];
    const u8 *p;
    u64 ea = ea_b(c, d);
    unsigned n = ((d->r3 - d->r1) & 15) + 1;
    if (ea & 3)
        return PGM_SPECIFICATION;
    TRY(operand_fetch(c, ea, d->b2, n * 4, buf, &p));
    for (unsigned i = 0; i < n; i++)
        c->ar[(d->r1 + i) & 15] = be32_load(p + 4 * i);
    access_registers_changed(c);
    return 0;
}

static inline int store_access_multiple(struct cpu *c, const struct dinsn *d)
{
    u8 buf[REGS * 4];
    u64 ea = ea_b(c, d);
    unsigned n = ((d->r3 - d->r1) & 15) + 1;
    if (ea & 3)
        return PGM_SPECIFICATION;
    u8 *p = operand_target(c, ea, d->b2, n * 4, buf);
    for (unsigned i = 0; i < n; i++)
        be32_store(p + 4 * i, c->ar[(d->r1 + i) & 15]);
    return p == buf ? access_put(c, ea, d->b2, buf, n * 4) : 0;
}

/* ---- load and store multiple ---- */

/* 98 LM: load multiple (32) */
INSN(lm)
{
    return load_multiple(c, d, multiple_low);
}

/* EB98 LMY: load multiple (32) */
INSN(lmy)
{
    return load_multiple(c, d, multiple_low);
}

/* EB96 LMH: load multiple high */
INSN(lmh)
{
    return load_multiple(c, d, multiple_high);
}

/* EB04 LMG: load multiple (64) */
INSN(lmg)
{
    return load_multiple_64(c, d);
}

/* 90 STM: store multiple (32) */
INSN(stm)
{
    return store_multiple(c, d, 0);
}

/* EB90 STMY: store multiple (32) */
INSN(stmy)
{
    return store_multiple(c, d, 0);
}

/* EB26 STMH: store multiple high */
INSN(stmh)
{
    return store_multiple(c, d, 32);
}

/* EB24 STMG: store multiple (64) */
INSN(stmg)
{
    return store_multiple_64(c, d);
}

/* EF LMD: load multiple disjoint */
INSN(lmd)
{
    u8 high[REGS * 4], low[REGS * 4];
    unsigned n = ((d->r3 - d->r1) & 15) + 1;
    TRY(access_fetch(c, ea_1(c, d), d->r2, high, n * 4));
    TRY(access_fetch(c, ea_2(c, d), d->b2, low, n * 4));
    for (unsigned i = 0; i < n; i++)
        c->gr[(d->r1 + i) & 15] = (u64)be32_load(high + 4 * i) << 32 | be32_load(low + 4 * i);
    return 0;
}

/* ---- characters under mask ---- */

/* BF ICM: insert characters under mask (low) */
INSN(icm)
{
    return insert_under_mask(c, d, 0);
}

/* EB81 ICMY: insert characters under mask (low) */
INSN(icmy)
{
    return insert_under_mask(c, d, 0);
}

/* EB80 ICMH: insert characters under mask (high) */
INSN(icmh)
{
    return insert_under_mask(c, d, 32);
}

/* BE STCM: store characters under mask (low) */
INSN(stcm)
{
    return store_under_mask(c, d, 0);
}

/* EB2D STCMY: store characters under mask (low) */
INSN(stcmy)
{
    return store_under_mask(c, d, 0);
}

/* EB2C STCMH: store characters under mask (high) */
INSN(stcmh)
{
    return store_under_mask(c, d, 32);
}

/* BD CLM: compare logical characters under mask (low) */
INSN(clm)
{
    return compare_under_mask(c, d, 0);
}

/* EB21 CLMY: compare logical characters under mask (low) */
INSN(clmy)
{
    return compare_under_mask(c, d, 0);
}

/* EB20 CLMH: compare logical characters under mask (high) */
INSN(clmh)
{
    return compare_under_mask(c, d, 32);
}

/* ---- load and store on condition, select ---- */

/* B9F2 LOCR: load on condition (32) */
INSN_FAST(locr)
{
    if (condition_holds(c, d->r3))
        gr32_set(c, d->r1, gr32(c, d->r2));
    return 0;
}

/* B9E2 LOCGR: load on condition (64) */
INSN_FAST(locgr)
{
    if (condition_holds(c, d->r3))
        c->gr[d->r1] = c->gr[d->r2];
    return 0;
}

/* EBF2 LOC: load on condition (32) */
INSN_FAST(loc)
{
    if (!condition_holds(c, d->r3))
        return 0;
    u32 v;
    TRY(load_u32(c, ea_b(c, d), d->b2, &v));
    gr32_set(c, d->r1, v);
    return 0;
}

/* EBE2 LOCG: load on condition (64) */
INSN_FAST(locg)
{
    if (!condition_holds(c, d->r3))
        return 0;
    u64 v;
    TRY(load_u64(c, ea_b(c, d), d->b2, &v));
    c->gr[d->r1] = v;
    return 0;
}

/* EBF3 STOC: store on condition (32) */
INSN_FAST(stoc)
{
    if (!condition_holds(c, d->r3))
        return 0;
    return store_u32(c, ea_b(c, d), d->b2, gr32(c, d->r1));
}

/* EBE3 STOCG: store on condition (64) */
INSN_FAST(stocg)
{
    if (!condition_holds(c, d->r3))
        return 0;
    return store_u64(c, ea_b(c, d), d->b2, c->gr[d->r1]);
}

/* B9E0 LOCFHR: load high on condition */
INSN_FAST(locfhr)
{
    if (condition_holds(c, d->r3))
        gr_high_set(c, d->r1, gr_high(c, d->r2));
    return 0;
}

/* EBE0 LOCFH: load high on condition */
INSN_FAST(locfh)
{
    if (!condition_holds(c, d->r3))
        return 0;
    u32 v;
    TRY(load_u32(c, ea_b(c, d), d->b2, &v));
    gr_high_set(c, d->r1, v);
    return 0;
}

/* EBE1 STOCFH: store high on condition */
INSN_FAST(stocfh)
{
    if (!condition_holds(c, d->r3))
        return 0;
    return store_u32(c, ea_b(c, d), d->b2, gr_high(c, d->r1));
}

/* EC42 LOCHI: load halfword immediate on condition (32) */
INSN_FAST(lochi)
{
    if (condition_holds(c, d->r3))
        gr32_set(c, d->r1, (u32)d->imm);
    return 0;
}

/* EC46 LOCGHI: load halfword immediate on condition (64) */
INSN_FAST(locghi)
{
    if (condition_holds(c, d->r3))
        c->gr[d->r1] = (u64)(s64)d->imm;
    return 0;
}

/* EC4E LOCHHI: load halfword high immediate on condition */
INSN_FAST(lochhi)
{
    if (condition_holds(c, d->r3))
        gr_high_set(c, d->r1, (u32)d->imm);
    return 0;
}

/* B9F0 SELR: select (32) */
INSN_FAST(selr)
{
    gr32_set(c, d->r1, gr32(c, condition_holds(c, d->b2) ? d->r2 : d->r3));
    return 0;
}

/* B9E3 SELGR: select (64) */
INSN_FAST(selgr)
{
    c->gr[d->r1] = c->gr[condition_holds(c, d->b2) ? d->r2 : d->r3];
    return 0;
}

/* B9C0 SELFHR: select high */
INSN_FAST(selfhr)
{
    gr_high_set(c, d->r1, gr_high(c, condition_holds(c, d->b2) ? d->r2 : d->r3));
    return 0;
}

/* ---- access registers ---- */

/* 9A LAM: load access multiple */
INSN(lam)
{
    return load_access_multiple(c, d);
}

/* EB9A LAMY: load access multiple */
INSN(lamy)
{
    return load_access_multiple(c, d);
}

/* 9B STAM: store access multiple */
INSN(stam)
{
    return store_access_multiple(c, d);
}

/* EB9B STAMY: store access multiple */
INSN(stamy)
{
    return store_access_multiple(c, d);
}

/* B24F EAR: extract access */
INSN_FAST(ear)
{
    gr32_set(c, d->r1, c->ar[d->r2]);
    return 0;
}

/* B24E SAR: set access */
INSN(sar)
{
    c->ar[d->r1] = gr32(c, d->r2);
    access_registers_changed(c);
    return 0;
}

/* B24D CPYA: copy access */
INSN(cpya)
{
    c->ar[d->r1] = c->ar[d->r2];
    access_registers_changed(c);
    return 0;
}

#define CHAPTER_DEF "cpu/isa/isa_general_multiple.def"
#define CHAPTER_NAME isa_general_multiple
#include "cpu/insn/insn_chapter.h"
