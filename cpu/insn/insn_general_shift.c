/* Shifts and rotates.
 * Principles of Operation, chapter 7 "General Instructions"; rows in isa_general_shift.def. */
#include "cpu/insn/insn_general.h"

static inline void right_s32(struct cpu *c, unsigned r, s32 v, unsigned n)
{
    v = v >> (n < 31 ? n : 31);
    gr32_set(c, r, (u32)v);
    cc_signed(c, v, 0);
}

/* Condition code of a signed shift to the left. */
static inline int shifted(struct cpu *c, s64 v, bool overflow)
{
    if (unlikely(overflow))
        return fixed_overflow(c);
    cc_signed(c, v, 0);
    return 0;
}

/* The sign stays; true when a bit unlike it was lost, that is: when v * 2^n does not fit. */
static inline bool left_signed(s64 v, unsigned n, u64 *out)
{
    u64 sign = 1ull << 63;
    *out = ((u64)v & sign) | ((u64)v << n & ~sign);
    return (s64)((u64)v << n) >> n != v;
}

static inline int left_s32(struct cpu *c, unsigned r, s32 v, unsigned n)
{
    u32 sign = 1u << 31;
    u32 moved = (u32)((u64)(u32)v << n);
    u32 out = ((u32)v & sign) | (moved & ~sign);
    gr32_set(c, r, out);
    bool fits = n < 32 ? (s32)moved >> n == v : v == 0;
    return shifted(c, (s32)out, !fits);
}

static inline u64 rotate_left(u64 v, unsigned n)
{
    return v << n | v >> (-n & 63);
}

/* Bits from..to, wrapping around. */
static inline u64 bit_range(unsigned from, unsigned to)
{
    u64 head = ~0ull >> from, tail = ~0ull << (63 - to);
    return from <= to ? head & tail : head | tail;
}

/* The selected bits of r2 rotated, in r1 or, with the zero bit of i4, in zeros. `within` limits
 * what may be selected and what is affected. */
static inline u64 rotate_insert(struct cpu *c, const struct dinsn *d, u64 within)
{
    u64 mask = bit_range(d->r3 & 63, d->b2 & 63) & within;
    u64 v = rotate_left(c->gr[d->r2], d->imm & 63) & mask;
    return v | (d->b2 & 0x80 ? c->gr[d->r1] & ~within : c->gr[d->r1] & ~mask);
}

/* RISBHG and RISBLG: bit numbers count within the word. */
static inline void insert_word(struct cpu *c, const struct dinsn *d, bool high)
{
    unsigned base = high ? 0 : 32;
    u64 within = high ? ~0ull << 32 : 0xffffffffull;
    u64 mask = bit_range(base + (d->r3 & 31), base + (d->b2 & 31)) & within;
    u64 v = rotate_left(c->gr[d->r2], d->imm & 63) & mask;
    c->gr[d->r1] = v | (c->gr[d->r1] & (d->b2 & 0x80 ? ~within : ~mask));
}

/* The condition code tells of the selected bits; with the test bit of i3 nothing changes. */
static inline void rotate_result(struct cpu *c, const struct dinsn *d, u64 v, u64 mask)
{
    if (!(d->r3 & 0x80))
        c->gr[d->r1] = v;
    c->cc = (v & mask) != 0;
}

/* ---- shifts ---- */

/* 88 SRL: shift right single logical (32) */
INSN_FAST(srl)
{
    unsigned n = (unsigned)ea_b(c, d) & 63;
    gr32_set(c, d->r1, (u32)((u64)gr32(c, d->r1) >> n));
    return 0;
}

/* 89 SLL: shift left single logical (32) */
INSN_FAST(sll)
{
    unsigned n = (unsigned)ea_b(c, d) & 63;
    gr32_set(c, d->r1, (u32)((u64)gr32(c, d->r1) << n));
    return 0;
}

/* 8A SRA: shift right single (32) */
INSN_FAST(sra)
{
    unsigned n = (unsigned)ea_b(c, d) & 63;
    right_s32(c, d->r1, (s32)c->gr[d->r1], n);
    return 0;
}

/* 8B SLA: shift left single (32) */
INSN_FAST(sla)
{
    unsigned n = (unsigned)ea_b(c, d) & 63;
    return left_s32(c, d->r1, (s32)c->gr[d->r1], n);
}

/* EBDE SRLK: shift right single logical (32, distinct) */
INSN_FAST(srlk)
{
    unsigned n = (unsigned)ea_b(c, d) & 63;
    gr32_set(c, d->r1, (u32)((u64)gr32(c, d->r3) >> n));
    return 0;
}

/* EBDF SLLK: shift left single logical (32, distinct) */
INSN_FAST(sllk)
{
    unsigned n = (unsigned)ea_b(c, d) & 63;
    gr32_set(c, d->r1, (u32)((u64)gr32(c, d->r3) << n));
    return 0;
}

/* EBDC SRAK: shift right single (32, distinct) */
INSN_FAST(srak)
{
    unsigned n = (unsigned)ea_b(c, d) & 63;
    right_s32(c, d->r1, (s32)c->gr[d->r3], n);
    return 0;
}

/* EBDD SLAK: shift left single (32, distinct) */
INSN_FAST(slak)
{
    unsigned n = (unsigned)ea_b(c, d) & 63;
    return left_s32(c, d->r1, (s32)c->gr[d->r3], n);
}

/* EB0C SRLG: shift right single logical (64) */
INSN_FAST(srlg)
{
    unsigned n = (unsigned)ea_b(c, d) & 63;
    c->gr[d->r1] = c->gr[d->r3] >> n;
    return 0;
}

/* EB0D SLLG: shift left single logical (64) */
INSN_FAST(sllg)
{
    unsigned n = (unsigned)ea_b(c, d) & 63;
    c->gr[d->r1] = c->gr[d->r3] << n;
    return 0;
}

/* EB0A SRAG: shift right single (64) */
INSN_FAST(srag)
{
    unsigned n = (unsigned)ea_b(c, d) & 63;
    s64 v = (s64)c->gr[d->r3] >> n;
    c->gr[d->r1] = (u64)v;
    cc_signed(c, v, 0);
    return 0;
}

/* EB0B SLAG: shift left single (64) */
INSN_FAST(slag)
{
    unsigned n = (unsigned)ea_b(c, d) & 63;
    u64 v;
    bool overflow = left_signed((s64)c->gr[d->r3], n, &v);
    c->gr[d->r1] = v;
    return shifted(c, (s64)v, overflow);
}

/* 8C SRDL: shift right double logical */
INSN_FAST(srdl)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    unsigned n = (unsigned)ea_b(c, d) & 63;
    pair32_set(c, d->r1, pair32(c, d->r1) >> n);
    return 0;
}

/* 8D SLDL: shift left double logical */
INSN_FAST(sldl)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    unsigned n = (unsigned)ea_b(c, d) & 63;
    pair32_set(c, d->r1, pair32(c, d->r1) << n);
    return 0;
}

/* 8E SRDA: shift right double */
INSN_FAST(srda)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    unsigned n = (unsigned)ea_b(c, d) & 63;
    s64 v = (s64)pair32(c, d->r1) >> n;
    pair32_set(c, d->r1, (u64)v);
    cc_signed(c, v, 0);
    return 0;
}

/* 8F SLDA: shift left double */
INSN_FAST(slda)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    unsigned n = (unsigned)ea_b(c, d) & 63;
    u64 v;
    bool overflow = left_signed((s64)pair32(c, d->r1), n, &v);
    pair32_set(c, d->r1, v);
    return shifted(c, (s64)v, overflow);
}

/* ---- rotates ---- */

/* EB1D RLL: rotate left single logical (32) */
INSN_FAST(rll)
{
    unsigned n = (unsigned)ea_b(c, d) & 31;
    u32 v = gr32(c, d->r3);
    gr32_set(c, d->r1, v << n | v >> (-n & 31));
    return 0;
}

/* EB1C RLLG: rotate left single logical (64) */
INSN_FAST(rllg)
{
    unsigned n = (unsigned)ea_b(c, d) & 63;
    c->gr[d->r1] = rotate_left(c->gr[d->r3], n);
    return 0;
}

/* EC55 RISBG: rotate then insert selected bits */
INSN_FAST(risbg)
{
    u64 v = rotate_insert(c, d, ~0ull);
    c->gr[d->r1] = v;
    cc_signed(c, (s64)v, 0);
    return 0;
}

/* EC59 RISBGN: rotate then insert selected bits, no cc */
INSN_FAST(risbgn)
{
    u64 v = rotate_insert(c, d, ~0ull);
    c->gr[d->r1] = v;
    return 0;
}

/* EC5D RISBHG: rotate then insert selected bits high */
INSN_FAST(risbhg)
{
    insert_word(c, d, true);
    return 0;
}

/* EC51 RISBLG: rotate then insert selected bits low */
INSN_FAST(risblg)
{
    insert_word(c, d, false);
    return 0;
}

/* EC54 RNSBG: rotate then and selected bits */
INSN_FAST(rnsbg)
{
    u64 mask = bit_range(d->r3 & 63, d->b2 & 63);
    u64 v = rotate_left(c->gr[d->r2], d->imm & 63);
    rotate_result(c, d, c->gr[d->r1] & (v | ~mask), mask);
    return 0;
}

/* EC56 ROSBG: rotate then or selected bits */
INSN_FAST(rosbg)
{
    u64 mask = bit_range(d->r3 & 63, d->b2 & 63);
    u64 v = rotate_left(c->gr[d->r2], d->imm & 63);
    rotate_result(c, d, c->gr[d->r1] | (v & mask), mask);
    return 0;
}

/* EC57 RXSBG: rotate then exclusive or selected bits */
INSN_FAST(rxsbg)
{
    u64 mask = bit_range(d->r3 & 63, d->b2 & 63);
    u64 v = rotate_left(c->gr[d->r2], d->imm & 63);
    rotate_result(c, d, c->gr[d->r1] ^ (v & mask), mask);
    return 0;
}

#define CHAPTER_DEF "cpu/isa/isa_general_shift.def"
#define CHAPTER_NAME isa_general_shift
#include "cpu/insn/insn_chapter.h"
