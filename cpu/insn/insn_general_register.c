/* Loads between registers and from immediate operands, with and without test.
 * Principles of Operation, chapter 7 "General Instructions"; rows in isa_general_register.def. */
#include "cpu/insn/insn_general.h"

/* ---- register to register and immediate ---- */

/* 18 LR: load (32) */
INSN_FAST(lr)
{
    gr32_set(c, d->r1, gr32(c, d->r2));
    return 0;
}

/* B904 LGR: load (64) */
INSN_FAST(lgr)
{
    c->gr[d->r1] = c->gr[d->r2];
    return 0;
}

/* B914 LGFR: load (64 from 32) */
INSN_FAST(lgfr)
{
    c->gr[d->r1] = (u64)(s64)(s32)c->gr[d->r2];
    return 0;
}

/* B926 LBR: load byte (32) */
INSN_FAST(lbr)
{
    gr32_set(c, d->r1, (u32)(s8)c->gr[d->r2]);
    return 0;
}

/* B906 LGBR: load byte (64) */
INSN_FAST(lgbr)
{
    c->gr[d->r1] = (u64)(s8)c->gr[d->r2];
    return 0;
}

/* B927 LHR: load halfword (32) */
INSN_FAST(lhr)
{
    gr32_set(c, d->r1, (u32)(s16)c->gr[d->r2]);
    return 0;
}

/* B907 LGHR: load halfword (64) */
INSN_FAST(lghr)
{
    c->gr[d->r1] = (u64)(s16)c->gr[d->r2];
    return 0;
}

/* B994 LLCR: load logical character (32) */
INSN_FAST(llcr)
{
    gr32_set(c, d->r1, (u8)c->gr[d->r2]);
    return 0;
}

/* B984 LLGCR: load logical character (64) */
INSN_FAST(llgcr)
{
    c->gr[d->r1] = (u8)c->gr[d->r2];
    return 0;
}

/* B995 LLHR: load logical halfword (32) */
INSN_FAST(llhr)
{
    gr32_set(c, d->r1, (u16)c->gr[d->r2]);
    return 0;
}

/* B985 LLGHR: load logical halfword (64) */
INSN_FAST(llghr)
{
    c->gr[d->r1] = (u16)c->gr[d->r2];
    return 0;
}

/* B916 LLGFR: load logical (64 from 32) */
INSN_FAST(llgfr)
{
    c->gr[d->r1] = (u32)c->gr[d->r2];
    return 0;
}

/* B917 LLGTR: load logical thirty one bits */
INSN_FAST(llgtr)
{
    c->gr[d->r1] = c->gr[d->r2] & 0x7fffffff;
    return 0;
}

/* B91F LRVR: load reversed (32) */
INSN_FAST(lrvr)
{
    gr32_set(c, d->r1, __builtin_bswap32(gr32(c, d->r2)));
    return 0;
}

/* B90F LRVGR: load reversed (64) */
INSN_FAST(lrvgr)
{
    c->gr[d->r1] = __builtin_bswap64(c->gr[d->r2]);
    return 0;
}

/* A78 LHI: load halfword immediate (32) */
INSN_FAST(lhi)
{
    gr32_set(c, d->r1, (u32)d->imm);
    return 0;
}

/* A79 LGHI: load halfword immediate (64) */
INSN_FAST(lghi)
{
    c->gr[d->r1] = (u64)(s64)d->imm;
    return 0;
}

/* C01 LGFI: load immediate (64 from 32) */
INSN_FAST(lgfi)
{
    c->gr[d->r1] = (u64)(s64)d->imm;
    return 0;
}

/* A5C LLIHH: load logical immediate (high high) */
INSN_FAST(llihh)
{
    c->gr[d->r1] = (u64)(u16)d->imm << 48;
    return 0;
}

/* A5D LLIHL: load logical immediate (high low) */
INSN_FAST(llihl)
{
    c->gr[d->r1] = (u64)(u16)d->imm << 32;
    return 0;
}

/* A5E LLILH: load logical immediate (low high) */
INSN_FAST(llilh)
{
    c->gr[d->r1] = (u64)(u16)d->imm << 16;
    return 0;
}

/* A5F LLILL: load logical immediate (low low) */
INSN_FAST(llill)
{
    c->gr[d->r1] = (u64)(u16)d->imm;
    return 0;
}

/* C0E LLIHF: load logical immediate (high) */
INSN_FAST(llihf)
{
    c->gr[d->r1] = (u64)(u32)d->imm << 32;
    return 0;
}

/* C0F LLILF: load logical immediate (low) */
INSN_FAST(llilf)
{
    c->gr[d->r1] = (u32)d->imm;
    return 0;
}

/* A50 IIHH: insert immediate (high high) */
INSN_FAST(iihh)
{
    c->gr[d->r1] = (c->gr[d->r1] & ~(0xffffull << 48)) | (u64)(u16)d->imm << 48;
    return 0;
}

/* A51 IIHL: insert immediate (high low) */
INSN_FAST(iihl)
{
    c->gr[d->r1] = (c->gr[d->r1] & ~(0xffffull << 32)) | (u64)(u16)d->imm << 32;
    return 0;
}

/* A52 IILH: insert immediate (low high) */
INSN_FAST(iilh)
{
    c->gr[d->r1] = (c->gr[d->r1] & ~(0xffffull << 16)) | (u64)(u16)d->imm << 16;
    return 0;
}

/* A53 IILL: insert immediate (low low) */
INSN_FAST(iill)
{
    c->gr[d->r1] = (c->gr[d->r1] & ~(0xffffull << 0)) | (u64)(u16)d->imm << 0;
    return 0;
}

/* C08 IIHF: insert immediate (high) */
INSN_FAST(iihf)
{
    gr_high_set(c, d->r1, (u32)d->imm);
    return 0;
}

/* C09 IILF: insert immediate (low) */
INSN_FAST(iilf)
{
    gr32_set(c, d->r1, (u32)d->imm);
    return 0;
}

/* ---- load and test, complement, positive, negative ---- */

/* 12 LTR: load and test (32) */
INSN_FAST(ltr)
{
    u32 v = gr32(c, d->r2);
    gr32_set(c, d->r1, v);
    cc_signed(c, (s32)v, 0);
    return 0;
}

/* B902 LTGR: load and test (64) */
INSN_FAST(ltgr)
{
    u64 v = c->gr[d->r2];
    c->gr[d->r1] = v;
    cc_signed(c, (s64)v, 0);
    return 0;
}

/* B912 LTGFR: load and test (64 from 32) */
INSN_FAST(ltgfr)
{
    s64 v = (s32)c->gr[d->r2];
    c->gr[d->r1] = (u64)v;
    cc_signed(c, v, 0);
    return 0;
}

/* E312 LT: load and test (32) */
INSN_FAST(lt)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    gr32_set(c, d->r1, v);
    cc_signed(c, (s32)v, 0);
    return 0;
}

/* E302 LTG: load and test (64) */
INSN_FAST(ltg)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = v;
    cc_signed(c, (s64)v, 0);
    return 0;
}

/* E332 LTGF: load and test (64 from 32) */
INSN_FAST(ltgf)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = (u64)(s64)(s32)v;
    cc_signed(c, (s32)v, 0);
    return 0;
}

/* 13 LCR: load complement (32) */
INSN_FAST(lcr)
{
    return sub_s32(c, d->r1, 0, (s32)c->gr[d->r2]);
}

/* B903 LCGR: load complement (64) */
INSN_FAST(lcgr)
{
    return sub_s64(c, d->r1, 0, (s64)c->gr[d->r2]);
}

/* B913 LCGFR: load complement (64 from 32) */
INSN_FAST(lcgfr)
{
    return sub_s64(c, d->r1, 0, (s32)c->gr[d->r2]);
}

/* 10 LPR: load positive (32) */
INSN_FAST(lpr)
{
    s32 v = (s32)c->gr[d->r2];
    if (v < 0)
        return sub_s32(c, d->r1, 0, v);
    gr32_set(c, d->r1, (u32)v);
    cc_signed(c, v, 0);
    return 0;
}

/* B900 LPGR: load positive (64) */
INSN_FAST(lpgr)
{
    s64 v = (s64)c->gr[d->r2];
    if (v < 0)
        return sub_s64(c, d->r1, 0, v);
    c->gr[d->r1] = (u64)v;
    cc_signed(c, v, 0);
    return 0;
}

/* B910 LPGFR: load positive (64 from 32) */
INSN_FAST(lpgfr)
{
    s64 v = (s32)c->gr[d->r2];
    v = v < 0 ? -v : v;
    c->gr[d->r1] = (u64)v;
    cc_signed(c, v, 0);
    return 0;
}

/* 11 LNR: load negative (32) */
INSN_FAST(lnr)
{
    s64 v = (s32)c->gr[d->r2];
    v = v > 0 ? -v : v;
    gr32_set(c, d->r1, (u32)v);
    cc_signed(c, v, 0);
    return 0;
}

/* B901 LNGR: load negative (64) */
INSN_FAST(lngr)
{
    s64 v = (s64)c->gr[d->r2];
    v = v > 0 ? -v : v;
    c->gr[d->r1] = (u64)v;
    cc_signed(c, v, 0);
    return 0;
}

/* B911 LNGFR: load negative (64 from 32) */
INSN_FAST(lngfr)
{
    s64 v = (s32)c->gr[d->r2];
    v = v > 0 ? -v : v;
    c->gr[d->r1] = (u64)v;
    cc_signed(c, v, 0);
    return 0;
}

#define CHAPTER_DEF "cpu/isa/isa_general_register.def"
#define CHAPTER_NAME isa_general_register
#include "cpu/insn/insn_chapter.h"
