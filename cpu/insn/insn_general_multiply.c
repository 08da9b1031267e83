/* Binary multiplication and division.
 * Principles of Operation, chapter 7 "General Instructions"; rows in isa_general_multiply.def. */
#include "cpu/insn/insn_general.h"

static inline int mul_s32(struct cpu *c, unsigned r, s32 a, s32 b)
{
    s64 v = (s64)a * b;
    gr32_set(c, r, (u32)v);
    if (unlikely(v != (s32)v))
        return fixed_overflow(c);
    cc_signed(c, v, 0);
    return 0;
}

static inline int mul_s64(struct cpu *c, unsigned r, s64 a, s64 b)
{
    s128 v = (s128)a * b;
    c->gr[r] = (u64)v;
    if (unlikely(v != (s64)v))
        return fixed_overflow(c);
    cc_signed(c, (s64)v, 0);
    return 0;
}

static inline int divide_s32(struct cpu *c, unsigned r, s32 by)
{
    s64 v = (s64)pair32(c, r);
    if (by == 0 || (by == -1 && v == INT64_MIN))
        return PGM_FIXED_DIVIDE;
    s64 q = v / by;
    if (q != (s32)q)
        return PGM_FIXED_DIVIDE;
    pair32_set(c, r, (u64)(u32)(v % by) << 32 | (u32)q);
    return 0;
}

static inline int divide_u32(struct cpu *c, unsigned r, u32 by)
{
    u64 v = pair32(c, r);
    if (by == 0 || v / by > UINT32_MAX)
        return PGM_FIXED_DIVIDE;
    pair32_set(c, r, v % by << 32 | v / by);
    return 0;
}

static inline int divide_s64(struct cpu *c, unsigned r, s64 by)
{
    s64 v = (s64)c->gr[r + 1];
    if (by == 0 || (by == -1 && v == INT64_MIN))
        return PGM_FIXED_DIVIDE;
    c->gr[r] = (u64)(v % by);
    c->gr[r + 1] = (u64)(v / by);
    return 0;
}

static inline int divide_u64(struct cpu *c, unsigned r, u64 by)
{
    u128 v = (u128)c->gr[r] << 64 | c->gr[r + 1];
    if (c->gr[r] >= by) /* the quotient needs more than 64 bits, or by is zero */
        return PGM_FIXED_DIVIDE;
    c->gr[r] = (u64)(v % by);
    c->gr[r + 1] = (u64)(v / by);
    return 0;
}

/* ---- multiplication ---- */

/* 1C MR: multiply (64 from 32) */
INSN_FAST(mr)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    pair32_set(c, d->r1, (u64)((s64)(s32)c->gr[d->r1 + 1] * (s32)c->gr[d->r2]));
    return 0;
}

/* 5C M: multiply (64 from 32) */
INSN_FAST(m)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    pair32_set(c, d->r1, (u64)((s64)(s32)c->gr[d->r1 + 1] * (s32)v));
    return 0;
}

/* E35C MFY: multiply (64 from 32) */
INSN_FAST(mfy)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    pair32_set(c, d->r1, (u64)((s64)(s32)c->gr[d->r1 + 1] * (s32)v));
    return 0;
}

/* B996 MLR: multiply logical (64 from 32) */
INSN_FAST(mlr)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    pair32_set(c, d->r1, (u64)gr32(c, d->r1 + 1) * gr32(c, d->r2));
    return 0;
}

/* E396 ML: multiply logical (64 from 32) */
INSN_FAST(ml)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    pair32_set(c, d->r1, (u64)gr32(c, d->r1 + 1) * v);
    return 0;
}

/* B986 MLGR: multiply logical (128 from 64) */
INSN_FAST(mlgr)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    pair64_set(c, d->r1, (u128)c->gr[d->r1 + 1] * c->gr[d->r2]);
    return 0;
}

/* E386 MLG: multiply logical (128 from 64) */
INSN_FAST(mlg)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    pair64_set(c, d->r1, (u128)c->gr[d->r1 + 1] * v);
    return 0;
}

/* E384 MG: multiply (128 from 64) */
INSN_FAST(mg)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    pair64_set(c, d->r1, (u128)((s128)(s64)c->gr[d->r1 + 1] * (s64)v));
    return 0;
}

/* B9EC MGRK: multiply (128 from 64, distinct) */
INSN_FAST(mgrk)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    pair64_set(c, d->r1, (u128)((s128)(s64)c->gr[d->r2] * (s64)c->gr[d->r3]));
    return 0;
}

/* 4C MH: multiply halfword */
INSN_FAST(mh)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    gr32_set(c, d->r1, gr32(c, d->r1) * (u32)(s16)v);
    return 0;
}

/* E37C MHY: multiply halfword */
INSN_FAST(mhy)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    gr32_set(c, d->r1, gr32(c, d->r1) * (u32)(s16)v);
    return 0;
}

/* E33C MGH: multiply halfword (64) */
INSN_FAST(mgh)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] *= (u64)(s16)v;
    return 0;
}

/* A7C MHI: multiply halfword immediate (32) */
INSN_FAST(mhi)
{
    gr32_set(c, d->r1, gr32(c, d->r1) * (u32)d->imm);
    return 0;
}

/* A7D MGHI: multiply halfword immediate (64) */
INSN_FAST(mghi)
{
    c->gr[d->r1] *= (u64)(s64)d->imm;
    return 0;
}

/* B252 MSR: multiply single (32) */
INSN_FAST(msr)
{
    gr32_set(c, d->r1, gr32(c, d->r1) * (u32)c->gr[d->r2]);
    return 0;
}

/* 71 MS: multiply single (32) */
INSN_FAST(ms)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    gr32_set(c, d->r1, gr32(c, d->r1) * v);
    return 0;
}

/* E351 MSY: multiply single (32) */
INSN_FAST(msy)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    gr32_set(c, d->r1, gr32(c, d->r1) * v);
    return 0;
}

/* B90C MSGR: multiply single (64) */
INSN_FAST(msgr)
{
    c->gr[d->r1] *= c->gr[d->r2];
    return 0;
}

/* B91C MSGFR: multiply single (64 from 32) */
INSN_FAST(msgfr)
{
    c->gr[d->r1] *= (u64)(s32)c->gr[d->r2];
    return 0;
}

/* E30C MSG: multiply single (64) */
INSN_FAST(msg)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] *= v;
    return 0;
}

/* E31C MSGF: multiply single (64 from 32) */
INSN_FAST(msgf)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] *= (u64)(s32)v;
    return 0;
}

/* C21 MSFI: multiply single immediate (32) */
INSN_FAST(msfi)
{
    gr32_set(c, d->r1, gr32(c, d->r1) * (u32)d->imm);
    return 0;
}

/* C20 MSGFI: multiply single immediate (64) */
INSN_FAST(msgfi)
{
    c->gr[d->r1] *= (u64)(s64)d->imm;
    return 0;
}

/* B9FD MSRKC: multiply single (32, distinct, cc) */
INSN_FAST(msrkc)
{
    return mul_s32(c, d->r1, (s32)c->gr[d->r2], (s32)c->gr[d->r3]);
}

/* B9ED MSGRKC: multiply single (64, distinct, cc) */
INSN_FAST(msgrkc)
{
    return mul_s64(c, d->r1, (s64)c->gr[d->r2], (s64)c->gr[d->r3]);
}

/* E353 MSC: multiply single (32, cc) */
INSN_FAST(msc)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    return mul_s32(c, d->r1, (s32)c->gr[d->r1], (s32)v);
}

/* E383 MSGC: multiply single (64, cc) */
INSN_FAST(msgc)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    return mul_s64(c, d->r1, (s64)c->gr[d->r1], (s64)v);
}

/* ---- division: remainder into r1, quotient into r1 + 1 ---- */

/* 1D DR: divide (32 from 64) */
INSN_FAST(dr)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    return divide_s32(c, d->r1, (s32)c->gr[d->r2]);
}

/* 5D D: divide (32 from 64) */
INSN_FAST(d)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    return divide_s32(c, d->r1, (s32)v);
}

/* B997 DLR: divide logical (32 from 64) */
INSN_FAST(dlr)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    return divide_u32(c, d->r1, gr32(c, d->r2));
}

/* E397 DL: divide logical (32 from 64) */
INSN_FAST(dl)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    return divide_u32(c, d->r1, v);
}

/* B987 DLGR: divide logical (64 from 128) */
INSN_FAST(dlgr)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    return divide_u64(c, d->r1, c->gr[d->r2]);
}

/* E387 DLG: divide logical (64 from 128) */
INSN_FAST(dlg)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    return divide_u64(c, d->r1, v);
}

/* B90D DSGR: divide single (64) */
INSN_FAST(dsgr)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    return divide_s64(c, d->r1, (s64)c->gr[d->r2]);
}

/* B91D DSGFR: divide single (64 from 32) */
INSN_FAST(dsgfr)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    return divide_s64(c, d->r1, (s32)c->gr[d->r2]);
}

/* E30D DSG: divide single (64) */
INSN_FAST(dsg)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    return divide_s64(c, d->r1, (s64)v);
}

/* E31D DSGF: divide single (64 from 32) */
INSN_FAST(dsgf)
{
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    return divide_s64(c, d->r1, (s32)v);
}

#define CHAPTER_DEF "cpu/isa/isa_general_multiply.def"
#define CHAPTER_NAME isa_general_multiply
#include "cpu/insn/insn_chapter.h"
