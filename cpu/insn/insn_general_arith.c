/* Binary addition and subtraction: signed, logical, with carry, in high words.
 * Principles of Operation, chapter 7 "General Instructions"; rows in isa_general_arith.def. */
#include "cpu/insn/insn_general.h"

static inline void add_u32(struct cpu *c, unsigned r, u32 a, u32 b)
{
    gr32_set(c, r, add_cc32(c, a, b));
}

static inline void add_u64(struct cpu *c, unsigned r, u64 a, u64 b)
{
    c->gr[r] = add_cc64(c, a, b);
}

static inline void sub_u32(struct cpu *c, unsigned r, u32 a, u32 b)
{
    gr32_set(c, r, sub_cc32(c, a, b));
}

static inline void sub_u64(struct cpu *c, unsigned r, u64 a, u64 b)
{
    c->gr[r] = sub_cc64(c, a, b);
}

/* Carry in and out are bit 1 of the condition code. */
static inline void add_carry32(struct cpu *c, unsigned r, u32 b)
{
    u64 v = (u64)gr32(c, r) + b + (c->cc >> 1);
    gr32_set(c, r, (u32)v);
    c->cc = (u8)((v >> 32) << 1 | ((u32)v != 0));
}

static inline void add_carry64(struct cpu *c, unsigned r, u64 b)
{
    u128 v = (u128)c->gr[r] + b + (c->cc >> 1);
    c->gr[r] = (u64)v;
    c->cc = (u8)((u8)(v >> 64) << 1 | ((u64)v != 0));
}

static inline void sub_borrow32(struct cpu *c, unsigned r, u32 b)
{
    u64 v = (u64)gr32(c, r) - b - (1 - (c->cc >> 1));
    gr32_set(c, r, (u32)v);
    c->cc = (u8)((v >> 63 ^ 1) << 1 | ((u32)v != 0));
}

static inline void sub_borrow64(struct cpu *c, unsigned r, u64 b)
{
    u128 v = (u128)c->gr[r] - b - (1 - (c->cc >> 1));
    c->gr[r] = (u64)v;
    c->cc = (u8)((v >> 127 ? 0 : 2) | ((u64)v != 0));
}

static inline int add_high(struct cpu *c, unsigned r, s32 a, s32 b)
{
    gr_high_set(c, r, (u32)a + (u32)b);
    return sum_s32(c, a, b);
}

static inline int sub_high(struct cpu *c, unsigned r, s32 a, s32 b)
{
    gr_high_set(c, r, (u32)a - (u32)b);
    return difference_s32(c, a, b);
}

/* ---- signed addition and subtraction ---- */

/* 1A AR: add (32) */
INSN_FAST(ar)
{
    return add_s32(c, d->r1, (s32)c->gr[d->r1], (s32)c->gr[d->r2]);
}

/* B908 AGR: add (64) */
INSN_FAST(agr)
{
    return add_s64(c, d->r1, (s64)c->gr[d->r1], (s64)c->gr[d->r2]);
}

/* B918 AGFR: add (64 from 32) */
INSN_FAST(agfr)
{
    return add_s64(c, d->r1, (s64)c->gr[d->r1], (s32)c->gr[d->r2]);
}

/* 5A A: add (32) */
INSN_FAST(a)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    return add_s32(c, d->r1, (s32)c->gr[d->r1], (s32)v);
}

/* E35A AY: add (32) */
INSN_FAST(ay)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    return add_s32(c, d->r1, (s32)c->gr[d->r1], (s32)v);
}

/* E308 AG: add (64) */
INSN_FAST(ag)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    return add_s64(c, d->r1, (s64)c->gr[d->r1], (s64)v);
}

/* E318 AGF: add (64 from 32) */
INSN_FAST(agf)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    return add_s64(c, d->r1, (s64)c->gr[d->r1], (s32)v);
}

/* 4A AH: add (halfword) */
INSN_FAST(ah)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    return add_s32(c, d->r1, (s32)c->gr[d->r1], (s16)v);
}

/* E37A AHY: add (halfword) */
INSN_FAST(ahy)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    return add_s32(c, d->r1, (s32)c->gr[d->r1], (s16)v);
}

/* E338 AGH: add (64 from 16) */
INSN_FAST(agh)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    return add_s64(c, d->r1, (s64)c->gr[d->r1], (s16)v);
}

/* 1B SR: subtract (32) */
INSN_FAST(sr)
{
    return sub_s32(c, d->r1, (s32)c->gr[d->r1], (s32)c->gr[d->r2]);
}

/* B909 SGR: subtract (64) */
INSN_FAST(sgr)
{
    return sub_s64(c, d->r1, (s64)c->gr[d->r1], (s64)c->gr[d->r2]);
}

/* B919 SGFR: subtract (64 from 32) */
INSN_FAST(sgfr)
{
    return sub_s64(c, d->r1, (s64)c->gr[d->r1], (s32)c->gr[d->r2]);
}

/* 5B S: subtract (32) */
INSN_FAST(s)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    return sub_s32(c, d->r1, (s32)c->gr[d->r1], (s32)v);
}

/* E35B SY: subtract (32) */
INSN_FAST(sy)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    return sub_s32(c, d->r1, (s32)c->gr[d->r1], (s32)v);
}

/* E309 SG: subtract (64) */
INSN_FAST(sg)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    return sub_s64(c, d->r1, (s64)c->gr[d->r1], (s64)v);
}

/* E319 SGF: subtract (64 from 32) */
INSN_FAST(sgf)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    return sub_s64(c, d->r1, (s64)c->gr[d->r1], (s32)v);
}

/* 4B SH: subtract (halfword) */
INSN_FAST(sh)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    return sub_s32(c, d->r1, (s32)c->gr[d->r1], (s16)v);
}

/* E37B SHY: subtract (halfword) */
INSN_FAST(shy)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    return sub_s32(c, d->r1, (s32)c->gr[d->r1], (s16)v);
}

/* E339 SGH: subtract (64 from 16) */
INSN_FAST(sgh)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    return sub_s64(c, d->r1, (s64)c->gr[d->r1], (s16)v);
}

/* A7A AHI: add (halfword immediate, 32) */
INSN_FAST(ahi)
{
    return add_s32(c, d->r1, (s32)c->gr[d->r1], d->imm);
}

/* A7B AGHI: add (halfword immediate, 64) */
INSN_FAST(aghi)
{
    return add_s64(c, d->r1, (s64)c->gr[d->r1], d->imm);
}

/* C29 AFI: add (immediate, 32) */
INSN_FAST(afi)
{
    return add_s32(c, d->r1, (s32)c->gr[d->r1], d->imm);
}

/* C28 AGFI: add (immediate, 64 from 32) */
INSN_FAST(agfi)
{
    return add_s64(c, d->r1, (s64)c->gr[d->r1], d->imm);
}

/* B9F8 ARK: add (32, distinct) */
INSN_FAST(ark)
{
    return add_s32(c, d->r1, (s32)c->gr[d->r2], (s32)c->gr[d->r3]);
}

/* B9E8 AGRK: add (64, distinct) */
INSN_FAST(agrk)
{
    return add_s64(c, d->r1, (s64)c->gr[d->r2], (s64)c->gr[d->r3]);
}

/* B9F9 SRK: subtract (32, distinct) */
INSN_FAST(srk)
{
    return sub_s32(c, d->r1, (s32)c->gr[d->r2], (s32)c->gr[d->r3]);
}

/* B9E9 SGRK: subtract (64, distinct) */
INSN_FAST(sgrk)
{
    return sub_s64(c, d->r1, (s64)c->gr[d->r2], (s64)c->gr[d->r3]);
}

/* ECD8 AHIK: add immediate (32, distinct) */
INSN_FAST(ahik)
{
    return add_s32(c, d->r1, (s32)c->gr[d->r3], d->imm);
}

/* ECD9 AGHIK: add immediate (64, distinct) */
INSN_FAST(aghik)
{
    return add_s64(c, d->r1, (s64)c->gr[d->r3], d->imm);
}

/* ---- logical addition and subtraction ---- */

/* 1E ALR: add logical (32) */
INSN_FAST(alr)
{
    add_u32(c, d->r1, gr32(c, d->r1), gr32(c, d->r2));
    return 0;
}

/* B90A ALGR: add logical (64) */
INSN_FAST(algr)
{
    add_u64(c, d->r1, c->gr[d->r1], c->gr[d->r2]);
    return 0;
}

/* B91A ALGFR: add logical (64 from 32) */
INSN_FAST(algfr)
{
    add_u64(c, d->r1, c->gr[d->r1], gr32(c, d->r2));
    return 0;
}

/* 5E AL: add logical (32) */
INSN_FAST(al)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    add_u32(c, d->r1, gr32(c, d->r1), v);
    return 0;
}

/* E35E ALY: add logical (32) */
INSN_FAST(aly)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    add_u32(c, d->r1, gr32(c, d->r1), v);
    return 0;
}

/* E30A ALG: add logical (64) */
INSN_FAST(alg)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    add_u64(c, d->r1, c->gr[d->r1], v);
    return 0;
}

/* E31A ALGF: add logical (64 from 32) */
INSN_FAST(algf)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    add_u64(c, d->r1, c->gr[d->r1], v);
    return 0;
}

/* 1F SLR: subtract logical (32) */
INSN_FAST(slr)
{
    sub_u32(c, d->r1, gr32(c, d->r1), gr32(c, d->r2));
    return 0;
}

/* B90B SLGR: subtract logical (64) */
INSN_FAST(slgr)
{
    sub_u64(c, d->r1, c->gr[d->r1], c->gr[d->r2]);
    return 0;
}

/* B91B SLGFR: subtract logical (64 from 32) */
INSN_FAST(slgfr)
{
    sub_u64(c, d->r1, c->gr[d->r1], gr32(c, d->r2));
    return 0;
}

/* 5F SL: subtract logical (32) */
INSN_FAST(sl)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    sub_u32(c, d->r1, gr32(c, d->r1), v);
    return 0;
}

/* E35F SLY: subtract logical (32) */
INSN_FAST(sly)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    sub_u32(c, d->r1, gr32(c, d->r1), v);
    return 0;
}

/* E30B SLG: subtract logical (64) */
INSN_FAST(slg)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    sub_u64(c, d->r1, c->gr[d->r1], v);
    return 0;
}

/* E31B SLGF: subtract logical (64 from 32) */
INSN_FAST(slgf)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    sub_u64(c, d->r1, c->gr[d->r1], v);
    return 0;
}

/* C2B ALFI: add logical immediate (32) */
INSN_FAST(alfi)
{
    add_u32(c, d->r1, gr32(c, d->r1), (u32)d->imm);
    return 0;
}

/* C2A ALGFI: add logical immediate (64 from 32) */
INSN_FAST(algfi)
{
    add_u64(c, d->r1, c->gr[d->r1], (u32)d->imm);
    return 0;
}

/* C25 SLFI: subtract logical immediate (32) */
INSN_FAST(slfi)
{
    sub_u32(c, d->r1, gr32(c, d->r1), (u32)d->imm);
    return 0;
}

/* C24 SLGFI: subtract logical immediate (64 from 32) */
INSN_FAST(slgfi)
{
    sub_u64(c, d->r1, c->gr[d->r1], (u32)d->imm);
    return 0;
}

/* B9FA ALRK: add logical (32, distinct) */
INSN_FAST(alrk)
{
    add_u32(c, d->r1, gr32(c, d->r2), gr32(c, d->r3));
    return 0;
}

/* B9EA ALGRK: add logical (64, distinct) */
INSN_FAST(algrk)
{
    add_u64(c, d->r1, c->gr[d->r2], c->gr[d->r3]);
    return 0;
}

/* B9FB SLRK: subtract logical (32, distinct) */
INSN_FAST(slrk)
{
    sub_u32(c, d->r1, gr32(c, d->r2), gr32(c, d->r3));
    return 0;
}

/* B9EB SLGRK: subtract logical (64, distinct) */
INSN_FAST(slgrk)
{
    sub_u64(c, d->r1, c->gr[d->r2], c->gr[d->r3]);
    return 0;
}

/* ECDA ALHSIK: add logical with signed immediate (32, distinct) */
INSN_FAST(alhsik)
{
    add_u32(c, d->r1, gr32(c, d->r3), (u32)d->imm);
    return 0;
}

/* ECDB ALGHSIK: add logical with signed immediate (64, distinct) */
INSN_FAST(alghsik)
{
    add_u64(c, d->r1, c->gr[d->r3], (u64)(s64)d->imm);
    return 0;
}

/* B998 ALCR: add logical with carry (32) */
INSN_FAST(alcr)
{
    add_carry32(c, d->r1, gr32(c, d->r2));
    return 0;
}

/* E398 ALC: add logical with carry (32) */
INSN_FAST(alc)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    add_carry32(c, d->r1, v);
    return 0;
}

/* B988 ALCGR: add logical with carry (64) */
INSN_FAST(alcgr)
{
    add_carry64(c, d->r1, c->gr[d->r2]);
    return 0;
}

/* E388 ALCG: add logical with carry (64) */
INSN_FAST(alcg)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    add_carry64(c, d->r1, v);
    return 0;
}

/* B999 SLBR: subtract logical with borrow (32) */
INSN_FAST(slbr)
{
    sub_borrow32(c, d->r1, gr32(c, d->r2));
    return 0;
}

/* E399 SLB: subtract logical with borrow (32) */
INSN_FAST(slb)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    sub_borrow32(c, d->r1, v);
    return 0;
}

/* B989 SLBGR: subtract logical with borrow (64) */
INSN_FAST(slbgr)
{
    sub_borrow64(c, d->r1, c->gr[d->r2]);
    return 0;
}

/* E389 SLBG: subtract logical with borrow (64) */
INSN_FAST(slbg)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    sub_borrow64(c, d->r1, v);
    return 0;
}

/* ---- high words (bits 0-31) ---- */

/* B9C8 AHHHR: add high (high) */
INSN_FAST(ahhhr)
{
    return add_high(c, d->r1, (s32)gr_high(c, d->r2), (s32)gr_high(c, d->r3));
}

/* B9D8 AHHLR: add high (low) */
INSN_FAST(ahhlr)
{
    return add_high(c, d->r1, (s32)gr_high(c, d->r2), (s32)gr32(c, d->r3));
}

/* B9C9 SHHHR: subtract high (high) */
INSN_FAST(shhhr)
{
    return sub_high(c, d->r1, (s32)gr_high(c, d->r2), (s32)gr_high(c, d->r3));
}

/* B9D9 SHHLR: subtract high (low) */
INSN_FAST(shhlr)
{
    return sub_high(c, d->r1, (s32)gr_high(c, d->r2), (s32)gr32(c, d->r3));
}

/* CC8 AIH: add immediate high */
INSN_FAST(aih)
{
    return add_high(c, d->r1, (s32)gr_high(c, d->r1), d->imm);
}

/* B9CA ALHHHR: add logical high (high) */
INSN_FAST(alhhhr)
{
    gr_high_set(c, d->r1, add_cc32(c, gr_high(c, d->r2), gr_high(c, d->r3)));
    return 0;
}

/* B9DA ALHHLR: add logical high (low) */
INSN_FAST(alhhlr)
{
    gr_high_set(c, d->r1, add_cc32(c, gr_high(c, d->r2), gr32(c, d->r3)));
    return 0;
}

/* B9CB SLHHHR: subtract logical high (high) */
INSN_FAST(slhhhr)
{
    gr_high_set(c, d->r1, sub_cc32(c, gr_high(c, d->r2), gr_high(c, d->r3)));
    return 0;
}

/* B9DB SLHHLR: subtract logical high (low) */
INSN_FAST(slhhlr)
{
    gr_high_set(c, d->r1, sub_cc32(c, gr_high(c, d->r2), gr32(c, d->r3)));
    return 0;
}

/* CCA ALSIH: add logical with signed immediate high */
INSN_FAST(alsih)
{
    gr_high_set(c, d->r1, add_cc32(c, gr_high(c, d->r1), (u32)d->imm));
    return 0;
}

/* CCB ALSIHN: add logical with signed immediate high, no cc */
INSN_FAST(alsihn)
{
    gr_high_set(c, d->r1, gr_high(c, d->r1) + (u32)d->imm);
    return 0;
}

#define CHAPTER_DEF "cpu/isa/isa_general_arith.def"
#define CHAPTER_NAME isa_general_arith
#include "cpu/insn/insn_chapter.h"
