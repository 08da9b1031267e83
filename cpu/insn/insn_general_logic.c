/* Boolean operations, tests under mask, finding and counting bits.
 * Principles of Operation, chapter 7 "General Instructions"; rows in isa_general_logic.def. */
#include "cpu/insn/insn_general.h"

static inline void logic32(struct cpu *c, unsigned r, u32 v)
{
    gr32_set(c, r, v);
    c->cc = v != 0;
}

static inline void logic64(struct cpu *c, unsigned r, u64 v)
{
    c->gr[r] = v;
    c->cc = v != 0;
}

static inline void and_halfword(struct cpu *c, unsigned r, u16 v, unsigned shift)
{
    c->gr[r] &= (u64)v << shift | ~(0xffffull << shift);
    c->cc = (c->gr[r] >> shift & 0xffff) != 0;
}

static inline void or_halfword(struct cpu *c, unsigned r, u16 v, unsigned shift)
{
    c->gr[r] |= (u64)v << shift;
    c->cc = (c->gr[r] >> shift & 0xffff) != 0;
}

static inline void test_bits(struct cpu *c, u8 v, u8 mask)
{
    v &= mask;
    c->cc = v == 0 ? 0 : v == mask ? 3 : 1;
}

/* Mixed bits give 1 or 2 by the leftmost selected one. */
static inline void test_halfword(struct cpu *c, u16 v, u16 mask)
{
    v &= mask;
    if (v == 0)
        c->cc = 0;
    else if (v == mask)
        c->cc = 3;
    else
        c->cc = v > (mask & ~v) ? 2 : 1;
}

/* Counts per byte, or of the register when the mask says so (miscellaneous instructions 3). */
static int population_count(struct cpu *c, const struct dinsn *d)
{
    u64 v = c->gr[d->r2];
    if ((d->r3 & 8) && facility_has(c->set->facilities, FAC_MIE3)) {
        v = (u64)__builtin_popcountll(v);
    } else {
        v -= v >> 1 & 0x5555555555555555ull;
        v = (v & 0x3333333333333333ull) + (v >> 2 & 0x3333333333333333ull);
        v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0full;
    }
    c->gr[d->r1] = v;
    c->cc = v != 0;
    return 0;
}

/* ---- and ---- */

/* 14 NR: and (32) */
INSN_FAST(nr)
{
    logic32(c, d->r1, gr32(c, d->r1) & gr32(c, d->r2));
    return 0;
}

/* B980 NGR: and (64) */
INSN_FAST(ngr)
{
    logic64(c, d->r1, c->gr[d->r1] & c->gr[d->r2]);
    return 0;
}

/* B9F4 NRK: and (32, distinct) */
INSN_FAST(nrk)
{
    logic32(c, d->r1, gr32(c, d->r2) & gr32(c, d->r3));
    return 0;
}

/* B9E4 NGRK: and (64, distinct) */
INSN_FAST(ngrk)
{
    logic64(c, d->r1, c->gr[d->r2] & c->gr[d->r3]);
    return 0;
}

/* 54 N: and (32) */
INSN_FAST(n)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    logic32(c, d->r1, gr32(c, d->r1) & v);
    return 0;
}

/* E354 NY: and (32) */
INSN_FAST(ny)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    logic32(c, d->r1, gr32(c, d->r1) & v);
    return 0;
}

/* E380 NG: and (64) */
INSN_FAST(ng)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    logic64(c, d->r1, c->gr[d->r1] & v);
    return 0;
}

/* A54 NIHH: and immediate (high high) */
INSN_FAST(nihh)
{
    and_halfword(c, d->r1, (u16)d->imm, 48);
    return 0;
}

/* A55 NIHL: and immediate (high low) */
INSN_FAST(nihl)
{
    and_halfword(c, d->r1, (u16)d->imm, 32);
    return 0;
}

/* A56 NILH: and immediate (low high) */
INSN_FAST(nilh)
{
    and_halfword(c, d->r1, (u16)d->imm, 16);
    return 0;
}

/* A57 NILL: and immediate (low low) */
INSN_FAST(nill)
{
    and_halfword(c, d->r1, (u16)d->imm, 0);
    return 0;
}

/* C0A NIHF: and immediate (high) */
INSN_FAST(nihf)
{
    u32 v = gr_high(c, d->r1) & (u32)d->imm;
    gr_high_set(c, d->r1, v);
    c->cc = v != 0;
    return 0;
}

/* C0B NILF: and immediate (low) */
INSN_FAST(nilf)
{
    logic32(c, d->r1, gr32(c, d->r1) & (u32)d->imm);
    return 0;
}

/* ---- or ---- */

/* 16 OR: or (32) */
INSN_FAST(or)
{
    logic32(c, d->r1, gr32(c, d->r1) | gr32(c, d->r2));
    return 0;
}

/* B981 OGR: or (64) */
INSN_FAST(ogr)
{
    logic64(c, d->r1, c->gr[d->r1] | c->gr[d->r2]);
    return 0;
}

/* B9F6 ORK: or (32, distinct) */
INSN_FAST(ork)
{
    logic32(c, d->r1, gr32(c, d->r2) | gr32(c, d->r3));
    return 0;
}

/* B9E6 OGRK: or (64, distinct) */
INSN_FAST(ogrk)
{
    logic64(c, d->r1, c->gr[d->r2] | c->gr[d->r3]);
    return 0;
}

/* 56 O: or (32) */
INSN_FAST(o)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    logic32(c, d->r1, gr32(c, d->r1) | v);
    return 0;
}

/* E356 OY: or (32) */
INSN_FAST(oy)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    logic32(c, d->r1, gr32(c, d->r1) | v);
    return 0;
}

/* E381 OG: or (64) */
INSN_FAST(og)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    logic64(c, d->r1, c->gr[d->r1] | v);
    return 0;
}

/* A58 OIHH: or immediate (high high) */
INSN_FAST(oihh)
{
    or_halfword(c, d->r1, (u16)d->imm, 48);
    return 0;
}

/* A59 OIHL: or immediate (high low) */
INSN_FAST(oihl)
{
    or_halfword(c, d->r1, (u16)d->imm, 32);
    return 0;
}

/* A5A OILH: or immediate (low high) */
INSN_FAST(oilh)
{
    or_halfword(c, d->r1, (u16)d->imm, 16);
    return 0;
}

/* A5B OILL: or immediate (low low) */
INSN_FAST(oill)
{
    or_halfword(c, d->r1, (u16)d->imm, 0);
    return 0;
}

/* C0C OIHF: or immediate (high) */
INSN_FAST(oihf)
{
    u32 v = gr_high(c, d->r1) | (u32)d->imm;
    gr_high_set(c, d->r1, v);
    c->cc = v != 0;
    return 0;
}

/* C0D OILF: or immediate (low) */
INSN_FAST(oilf)
{
    logic32(c, d->r1, gr32(c, d->r1) | (u32)d->imm);
    return 0;
}

/* ---- exclusive or ---- */

/* 17 XR: exclusive or (32) */
INSN_FAST(xr)
{
    logic32(c, d->r1, gr32(c, d->r1) ^ gr32(c, d->r2));
    return 0;
}

/* B982 XGR: exclusive or (64) */
INSN_FAST(xgr)
{
    logic64(c, d->r1, c->gr[d->r1] ^ c->gr[d->r2]);
    return 0;
}

/* B9F7 XRK: exclusive or (32, distinct) */
INSN_FAST(xrk)
{
    logic32(c, d->r1, gr32(c, d->r2) ^ gr32(c, d->r3));
    return 0;
}

/* B9E7 XGRK: exclusive or (64, distinct) */
INSN_FAST(xgrk)
{
    logic64(c, d->r1, c->gr[d->r2] ^ c->gr[d->r3]);
    return 0;
}

/* 57 X: exclusive or (32) */
INSN_FAST(x)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    logic32(c, d->r1, gr32(c, d->r1) ^ v);
    return 0;
}

/* E357 XY: exclusive or (32) */
INSN_FAST(xy)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    logic32(c, d->r1, gr32(c, d->r1) ^ v);
    return 0;
}

/* E382 XG: exclusive or (64) */
INSN_FAST(xg)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    logic64(c, d->r1, c->gr[d->r1] ^ v);
    return 0;
}

/* C06 XIHF: exclusive or immediate (high) */
INSN_FAST(xihf)
{
    u32 v = gr_high(c, d->r1) ^ (u32)d->imm;
    gr_high_set(c, d->r1, v);
    c->cc = v != 0;
    return 0;
}

/* C07 XILF: exclusive or immediate (low) */
INSN_FAST(xilf)
{
    logic32(c, d->r1, gr32(c, d->r1) ^ (u32)d->imm);
    return 0;
}

/* ---- with complement ---- */

/* B9F5 NCRK: and with complement (32) */
INSN_FAST(ncrk)
{
    logic32(c, d->r1, gr32(c, d->r2) & ~gr32(c, d->r3));
    return 0;
}

/* B9E5 NCGRK: and with complement (64) */
INSN_FAST(ncgrk)
{
    logic64(c, d->r1, c->gr[d->r2] & ~c->gr[d->r3]);
    return 0;
}

/* B975 OCRK: or with complement (32) */
INSN_FAST(ocrk)
{
    logic32(c, d->r1, gr32(c, d->r2) | ~gr32(c, d->r3));
    return 0;
}

/* B965 OCGRK: or with complement (64) */
INSN_FAST(ocgrk)
{
    logic64(c, d->r1, c->gr[d->r2] | ~c->gr[d->r3]);
    return 0;
}

/* B974 NNRK: nand (32) */
INSN_FAST(nnrk)
{
    logic32(c, d->r1, ~(gr32(c, d->r2) & gr32(c, d->r3)));
    return 0;
}

/* B964 NNGRK: nand (64) */
INSN_FAST(nngrk)
{
    logic64(c, d->r1, ~(c->gr[d->r2] & c->gr[d->r3]));
    return 0;
}

/* B976 NORK: nor (32) */
INSN_FAST(nork)
{
    logic32(c, d->r1, ~(gr32(c, d->r2) | gr32(c, d->r3)));
    return 0;
}

/* B966 NOGRK: nor (64) */
INSN_FAST(nogrk)
{
    logic64(c, d->r1, ~(c->gr[d->r2] | c->gr[d->r3]));
    return 0;
}

/* B977 NXRK: not exclusive or (32) */
INSN_FAST(nxrk)
{
    logic32(c, d->r1, ~(gr32(c, d->r2) ^ gr32(c, d->r3)));
    return 0;
}

/* B967 NXGRK: not exclusive or (64) */
INSN_FAST(nxgrk)
{
    logic64(c, d->r1, ~(c->gr[d->r2] ^ c->gr[d->r3]));
    return 0;
}

/* ---- test under mask, find, count ---- */

/* 91 TM: test under mask */
INSN_FAST(tm)
{
    u8 v;
    TRY(load_u8(c, ea_b(c, d), d->b2, &v));
    test_bits(c, v, d->r1);
    return 0;
}

/* EB51 TMY: test under mask */
INSN_FAST(tmy)
{
    u8 v;
    TRY(load_u8(c, ea_b(c, d), d->b2, &v));
    test_bits(c, v, d->r1);
    return 0;
}

/* A72 TMHH: test under mask (high high) */
INSN_FAST(tmhh)
{
    test_halfword(c, (u16)(c->gr[d->r1] >> 48), (u16)d->imm);
    return 0;
}

/* A73 TMHL: test under mask (high low) */
INSN_FAST(tmhl)
{
    test_halfword(c, (u16)(c->gr[d->r1] >> 32), (u16)d->imm);
    return 0;
}

/* A70 TMLH: test under mask (low high) */
INSN_FAST(tmlh)
{
    test_halfword(c, (u16)(c->gr[d->r1] >> 16), (u16)d->imm);
    return 0;
}

/* A71 TMLL: test under mask (low low) */
INSN_FAST(tmll)
{
    test_halfword(c, (u16)c->gr[d->r1], (u16)d->imm);
    return 0;
}

/* B983 FLOGR: find leftmost one */
INSN_FAST(flogr)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    u64 v = c->gr[d->r2];
    unsigned n = v ? (unsigned)__builtin_clzll(v) : 64;
    c->gr[d->r1] = n;
    c->gr[d->r1 + 1] = v ? v & ~(1ull << 63 >> n) : 0;
    c->cc = v ? 2 : 0;
    return 0;
}

/* B9E1 POPCNT: population count */
INSN(popcnt)
{
    return population_count(c, d);
}

#define CHAPTER_DEF "cpu/isa/isa_general_logic.def"
#define CHAPTER_NAME isa_general_logic
#include "cpu/insn/insn_chapter.h"
