/* Binary comparison, signed and logical, and its traps.
 * Principles of Operation, chapter 7 "General Instructions"; rows in isa_general_compare.def. */
#include "cpu/insn/insn_general.h"

static inline int trap_if(struct cpu *c, const struct dinsn *d, unsigned found)
{
    return d->r3 & found ? insn_data_exception(c, DXC_TRAP) : 0;
}

/* ---- signed comparison ---- */

/* 19 CR: compare (32) */
INSN_FAST(cr)
{
    cc_signed(c, (s32)c->gr[d->r1], (s32)c->gr[d->r2]);
    return 0;
}

/* B920 CGR: compare (64) */
INSN_FAST(cgr)
{
    cc_signed(c, (s64)c->gr[d->r1], (s64)c->gr[d->r2]);
    return 0;
}

/* B930 CGFR: compare (64 from 32) */
INSN_FAST(cgfr)
{
    cc_signed(c, (s64)c->gr[d->r1], (s32)c->gr[d->r2]);
    return 0;
}

/* 59 C: compare (32) */
INSN_FAST(c)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    cc_signed(c, (s32)c->gr[d->r1], (s32)v);
    return 0;
}

/* E359 CY: compare (32) */
INSN_FAST(cy)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    cc_signed(c, (s32)c->gr[d->r1], (s32)v);
    return 0;
}

/* E320 CG: compare (64) */
INSN_FAST(cg)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    cc_signed(c, (s64)c->gr[d->r1], (s64)v);
    return 0;
}

/* E330 CGF: compare (64 from 32) */
INSN_FAST(cgf)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    cc_signed(c, (s64)c->gr[d->r1], (s32)v);
    return 0;
}

/* 49 CH: compare halfword (32) */
INSN_FAST(ch)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    cc_signed(c, (s32)c->gr[d->r1], (s16)v);
    return 0;
}

/* E379 CHY: compare halfword (32) */
INSN_FAST(chy)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    cc_signed(c, (s32)c->gr[d->r1], (s16)v);
    return 0;
}

/* E334 CGH: compare halfword (64) */
INSN_FAST(cgh)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    cc_signed(c, (s64)c->gr[d->r1], (s16)v);
    return 0;
}

/* A7E CHI: compare halfword immediate (32) */
INSN_FAST(chi)
{
    cc_signed(c, (s32)c->gr[d->r1], d->imm);
    return 0;
}

/* A7F CGHI: compare halfword immediate (64) */
INSN_FAST(cghi)
{
    cc_signed(c, (s64)c->gr[d->r1], d->imm);
    return 0;
}

/* C2D CFI: compare immediate (32) */
INSN_FAST(cfi)
{
    cc_signed(c, (s32)c->gr[d->r1], d->imm);
    return 0;
}

/* C2C CGFI: compare immediate (64 from 32) */
INSN_FAST(cgfi)
{
    cc_signed(c, (s64)c->gr[d->r1], d->imm);
    return 0;
}

/* E554 CHHSI: compare halfword immediate (16) */
INSN_FAST(chhsi)
{
    u16 v;
    TRY(load_u16(c, ea_sil(c, d), d->b2, &v));
    cc_signed(c, (s16)v, (s16)d->ss.d2);
    return 0;
}

/* E55C CHSI: compare halfword immediate (32, storage) */
INSN_FAST(chsi)
{
    u32 v;
    TRY(load_u32(c, ea_sil(c, d), d->b2, &v));
    cc_signed(c, (s32)v, (s16)d->ss.d2);
    return 0;
}

/* E558 CGHSI: compare halfword immediate (64, storage) */
INSN_FAST(cghsi)
{
    u64 v;
    TRY(load_u64(c, ea_sil(c, d), d->b2, &v));
    cc_signed(c, (s64)v, (s16)d->ss.d2);
    return 0;
}

/* C6D CRL: compare relative long (32) */
INSN_FAST(crl)
{
    u32 v;
    TRY(load_rel_u32(c, d, &v));
    cc_signed(c, (s32)c->gr[d->r1], (s32)v);
    return 0;
}

/* C68 CGRL: compare relative long (64) */
INSN_FAST(cgrl)
{
    u64 v;
    TRY(load_rel_u64(c, d, &v));
    cc_signed(c, (s64)c->gr[d->r1], (s64)v);
    return 0;
}

/* C6C CGFRL: compare relative long (64 from 32) */
INSN_FAST(cgfrl)
{
    u32 v;
    TRY(load_rel_u32(c, d, &v));
    cc_signed(c, (s64)c->gr[d->r1], (s32)v);
    return 0;
}

/* C65 CHRL: compare halfword relative long (32) */
INSN_FAST(chrl)
{
    u16 v;
    TRY(load_rel_u16(c, d, &v));
    cc_signed(c, (s32)c->gr[d->r1], (s16)v);
    return 0;
}

/* C64 CGHRL: compare halfword relative long (64) */
INSN_FAST(cghrl)
{
    u16 v;
    TRY(load_rel_u16(c, d, &v));
    cc_signed(c, (s64)c->gr[d->r1], (s16)v);
    return 0;
}

/* B9CD CHHR: compare high (high) */
INSN_FAST(chhr)
{
    cc_signed(c, (s32)gr_high(c, d->r1), (s32)gr_high(c, d->r2));
    return 0;
}

/* B9DD CHLR: compare high (low) */
INSN_FAST(chlr)
{
    cc_signed(c, (s32)gr_high(c, d->r1), (s32)gr32(c, d->r2));
    return 0;
}

/* E3CD CHF: compare high */
INSN_FAST(chf)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    cc_signed(c, (s32)gr_high(c, d->r1), (s32)v);
    return 0;
}

/* CCD CIH: compare immediate high */
INSN_FAST(cih)
{
    cc_signed(c, (s32)gr_high(c, d->r1), d->imm);
    return 0;
}

/* ---- logical comparison ---- */

/* 15 CLR: compare logical (32) */
INSN_FAST(clr)
{
    cc_unsigned(c, gr32(c, d->r1), gr32(c, d->r2));
    return 0;
}

/* B921 CLGR: compare logical (64) */
INSN_FAST(clgr)
{
    cc_unsigned(c, c->gr[d->r1], c->gr[d->r2]);
    return 0;
}

/* B931 CLGFR: compare logical (64 from 32) */
INSN_FAST(clgfr)
{
    cc_unsigned(c, c->gr[d->r1], gr32(c, d->r2));
    return 0;
}

/* 55 CL: compare logical (32) */
INSN_FAST(cl)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    cc_unsigned(c, gr32(c, d->r1), v);
    return 0;
}

/* E355 CLY: compare logical (32) */
INSN_FAST(cly)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    cc_unsigned(c, gr32(c, d->r1), v);
    return 0;
}

/* E321 CLG: compare logical (64) */
INSN_FAST(clg)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    cc_unsigned(c, c->gr[d->r1], v);
    return 0;
}

/* E331 CLGF: compare logical (64 from 32) */
INSN_FAST(clgf)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    cc_unsigned(c, c->gr[d->r1], v);
    return 0;
}

/* 95 CLI: compare logical (immediate) */
INSN_FAST(cli)
{
    u8 v;
    TRY(load_u8(c, ea_b(c, d), d->b2, &v));
    cc_unsigned(c, v, d->r1);
    return 0;
}

/* EB55 CLIY: compare logical (immediate) */
INSN_FAST(cliy)
{
    u8 v;
    TRY(load_u8(c, ea_b(c, d), d->b2, &v));
    cc_unsigned(c, v, d->r1);
    return 0;
}

/* C2F CLFI: compare logical immediate (32) */
INSN_FAST(clfi)
{
    cc_unsigned(c, gr32(c, d->r1), (u32)d->imm);
    return 0;
}

/* C2E CLGFI: compare logical immediate (64 from 32) */
INSN_FAST(clgfi)
{
    cc_unsigned(c, c->gr[d->r1], (u32)d->imm);
    return 0;
}

/* E555 CLHHSI: compare logical immediate (16, storage) */
INSN_FAST(clhhsi)
{
    u16 v;
    TRY(load_u16(c, ea_sil(c, d), d->b2, &v));
    cc_unsigned(c, v, d->ss.d2);
    return 0;
}

/* E55D CLFHSI: compare logical immediate (32, storage) */
INSN_FAST(clfhsi)
{
    u32 v;
    TRY(load_u32(c, ea_sil(c, d), d->b2, &v));
    cc_unsigned(c, v, d->ss.d2);
    return 0;
}

/* E559 CLGHSI: compare logical immediate (64, storage) */
INSN_FAST(clghsi)
{
    u64 v;
    TRY(load_u64(c, ea_sil(c, d), d->b2, &v));
    cc_unsigned(c, v, d->ss.d2);
    return 0;
}

/* C6F CLRL: compare logical relative long (32) */
INSN_FAST(clrl)
{
    u32 v;
    TRY(load_rel_u32(c, d, &v));
    cc_unsigned(c, gr32(c, d->r1), v);
    return 0;
}

/* C6A CLGRL: compare logical relative long (64) */
INSN_FAST(clgrl)
{
    u64 v;
    TRY(load_rel_u64(c, d, &v));
    cc_unsigned(c, c->gr[d->r1], v);
    return 0;
}

/* C6E CLGFRL: compare logical relative long (64 from 32) */
INSN_FAST(clgfrl)
{
    u32 v;
    TRY(load_rel_u32(c, d, &v));
    cc_unsigned(c, c->gr[d->r1], v);
    return 0;
}

/* C67 CLHRL: compare logical relative long (32 from 16) */
INSN_FAST(clhrl)
{
    u16 v;
    TRY(load_rel_u16(c, d, &v));
    cc_unsigned(c, gr32(c, d->r1), v);
    return 0;
}

/* C66 CLGHRL: compare logical relative long (64 from 16) */
INSN_FAST(clghrl)
{
    u16 v;
    TRY(load_rel_u16(c, d, &v));
    cc_unsigned(c, c->gr[d->r1], v);
    return 0;
}

/* B9CF CLHHR: compare logical high (high) */
INSN_FAST(clhhr)
{
    cc_unsigned(c, gr_high(c, d->r1), gr_high(c, d->r2));
    return 0;
}

/* B9DF CLHLR: compare logical high (low) */
INSN_FAST(clhlr)
{
    cc_unsigned(c, gr_high(c, d->r1), gr32(c, d->r2));
    return 0;
}

/* E3CF CLHF: compare logical high */
INSN_FAST(clhf)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    cc_unsigned(c, gr_high(c, d->r1), v);
    return 0;
}

/* CCF CLIH: compare logical immediate high */
INSN_FAST(clih)
{
    cc_unsigned(c, gr_high(c, d->r1), (u32)d->imm);
    return 0;
}

/* ---- compare and trap ---- */

/* B972 CRT: compare and trap (32) */
INSN(crt)
{
    return trap_if(c, d, compare_signed((s32)c->gr[d->r1], (s32)c->gr[d->r2]));
}

/* B960 CGRT: compare and trap (64) */
INSN(cgrt)
{
    return trap_if(c, d, compare_signed((s64)c->gr[d->r1], (s64)c->gr[d->r2]));
}

/* EC72 CIT: compare immediate and trap (32) */
INSN(cit)
{
    return trap_if(c, d, compare_signed((s32)c->gr[d->r1], d->imm));
}

/* EC70 CGIT: compare immediate and trap (64) */
INSN(cgit)
{
    return trap_if(c, d, compare_signed((s64)c->gr[d->r1], d->imm));
}

/* B973 CLRT: compare logical and trap (32) */
INSN(clrt)
{
    return trap_if(c, d, compare_unsigned(gr32(c, d->r1), gr32(c, d->r2)));
}

/* B961 CLGRT: compare logical and trap (64) */
INSN(clgrt)
{
    return trap_if(c, d, compare_unsigned(c->gr[d->r1], c->gr[d->r2]));
}

/* EC73 CLFIT: compare logical immediate and trap (32) */
INSN(clfit)
{
    return trap_if(c, d, compare_unsigned(gr32(c, d->r1), (u16)d->imm));
}

/* EC71 CLGIT: compare logical immediate and trap (64) */
INSN(clgit)
{
    return trap_if(c, d, compare_unsigned(c->gr[d->r1], (u16)d->imm));
}

/* EB23 CLT: compare logical and trap (32, storage) */
INSN(clt)
{
    u32 v;
    TRY(load_u32(c, ea_b(c, d), d->b2, &v));
    return trap_if(c, d, compare_unsigned(gr32(c, d->r1), v));
}

/* EB2B CLGT: compare logical and trap (64, storage) */
INSN(clgt)
{
    u64 v;
    TRY(load_u64(c, ea_b(c, d), d->b2, &v));
    return trap_if(c, d, compare_unsigned(c->gr[d->r1], v));
}

#define CHAPTER_DEF "cpu/isa/isa_general_compare.def"
#define CHAPTER_NAME isa_general_compare
#include "cpu/insn/insn_chapter.h"
