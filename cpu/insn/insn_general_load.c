/* Loads and stores, one operand at a time; addresses.
 * Principles of Operation, chapter 7 "General Instructions"; rows in isa_general_load.def. */
#include "cpu/insn/insn_general.h"

int general_load_rel_slow(struct cpu *c, u64 ea, unsigned len)
{
    u8 buf[8] = {0};
    TRY(access_fetch_space(c, c->ispace, ea, buf + 8 - len, len));
    c->scratch = be64_load(buf);
    return 0;
}

static __attribute__((noinline)) int store_rel_slow(struct cpu *c, u64 ea, unsigned len, u64 v)
{
    u8 buf[8];
    be64_store(buf, v);
    return access_put_space(c, c->ispace, ea, buf + 8 - len, len);
}

/* Store into a relative operand of 2, 4 or 8 bytes, which must be aligned. */
static inline int store_rel(struct cpu *c, const struct dinsn *d, unsigned len, u64 v)
{
    u64 ea = ea_rel(c, d);
    if (unlikely(ea & (len - 1)))
        return PGM_SPECIFICATION;
    u8 *p = tlb_store(c->ispace, ea, len);
    if (unlikely(p == NULL))
        return store_rel_slow(c, ea, len, v);
    if (len == 8)
        be64_store(p, v);
    else if (len == 4)
        be32_store(p, (u32)v);
    else
        be16_store(p, (u16)v);
    return 0;
}

/* An address into a register: bits 0-31 stay as they are outside the 64-bit mode. */
static inline void address_set(struct cpu *c, unsigned r, u64 ea)
{
    if (likely(c->amask >> 32 != 0))
        c->gr[r] = ea;
    else
        gr32_set(c, r, (u32)ea);
}

/* LOAD ADDRESS EXTENDED: the access register says which space the address belongs to. */
static void load_address_extended(struct cpu *c, const struct dinsn *d)
{
    unsigned as = (c->psw.mask & PSW_AS) >> PSW_AS_SHIFT;
    u64 ea = ea_x(c, d);
    u32 alet = as == AS_SECONDARY ? 1 : as == AS_HOME ? 2 : 0;
    if (as == AS_AR && d->b2 < 16)
        alet = c->ar[d->b2];
    address_set(c, d->r1, ea);
    c->ar[d->r1] = alet;
    if (as == AS_AR)
        cpu_select_spaces(c);
}

/* ---- loads from storage ---- */

/* 58 L: load (32) */
INSN_FAST(l)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    gr32_set(c, d->r1, v);
    return 0;
}

/* E358 LY: load (32) */
INSN_FAST(ly)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    gr32_set(c, d->r1, v);
    return 0;
}

/* E304 LG: load (64) */
INSN_FAST(lg)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = v;
    return 0;
}

/* E314 LGF: load (64 from 32) */
INSN_FAST(lgf)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = (u64)(s32)v;
    return 0;
}

/* 48 LH: load halfword (32) */
INSN_FAST(lh)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    gr32_set(c, d->r1, (u32)(s16)v);
    return 0;
}

/* E378 LHY: load halfword (32) */
INSN_FAST(lhy)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    gr32_set(c, d->r1, (u32)(s16)v);
    return 0;
}

/* E315 LGH: load halfword (64) */
INSN_FAST(lgh)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = (u64)(s16)v;
    return 0;
}

/* E376 LB: load byte (32) */
INSN_FAST(lb)
{
    u8 v;
    TRY(load_u8(c, ea_x(c, d), d->b2, &v));
    gr32_set(c, d->r1, (u32)(s8)v);
    return 0;
}

/* E377 LGB: load byte (64) */
INSN_FAST(lgb)
{
    u8 v;
    TRY(load_u8(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = (u64)(s8)v;
    return 0;
}

/* E316 LLGF: load logical (64 from 32) */
INSN_FAST(llgf)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = v;
    return 0;
}

/* E317 LLGT: load logical thirty one bits */
INSN_FAST(llgt)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = v & 0x7fffffff;
    return 0;
}

/* E390 LLGC: load logical character (64) */
INSN_FAST(llgc)
{
    u8 v;
    TRY(load_u8(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = v;
    return 0;
}

/* E394 LLC: load logical character (32) */
INSN_FAST(llc)
{
    u8 v;
    TRY(load_u8(c, ea_x(c, d), d->b2, &v));
    gr32_set(c, d->r1, v);
    return 0;
}

/* E391 LLGH: load logical halfword (64) */
INSN_FAST(llgh)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = v;
    return 0;
}

/* E395 LLH: load logical halfword (32) */
INSN_FAST(llh)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    gr32_set(c, d->r1, v);
    return 0;
}

/* E31E LRV: load reversed (32) */
INSN_FAST(lrv)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    gr32_set(c, d->r1, __builtin_bswap32(v));
    return 0;
}

/* E30F LRVG: load reversed (64) */
INSN_FAST(lrvg)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = __builtin_bswap64(v);
    return 0;
}

/* E31F LRVH: load reversed (16) */
INSN_FAST(lrvh)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = (c->gr[d->r1] & ~0xffffull) | __builtin_bswap16(v);
    return 0;
}

/* 43 IC: insert character */
INSN_FAST(ic)
{
    u8 v;
    TRY(load_u8(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = (c->gr[d->r1] & ~0xffull) | v;
    return 0;
}

/* E373 ICY: insert character */
INSN_FAST(icy)
{
    u8 v;
    TRY(load_u8(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = (c->gr[d->r1] & ~0xffull) | v;
    return 0;
}

/* E3C0 LBH: load byte high */
INSN_FAST(lbh)
{
    u8 v;
    TRY(load_u8(c, ea_x(c, d), d->b2, &v));
    gr_high_set(c, d->r1, (u32)(s8)v);
    return 0;
}

/* E3C4 LHH: load halfword high */
INSN_FAST(lhh)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    gr_high_set(c, d->r1, (u32)(s16)v);
    return 0;
}

/* E3CA LFH: load high */
INSN_FAST(lfh)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    gr_high_set(c, d->r1, v);
    return 0;
}

/* E3C2 LLCH: load logical character high */
INSN_FAST(llch)
{
    u8 v;
    TRY(load_u8(c, ea_x(c, d), d->b2, &v));
    gr_high_set(c, d->r1, v);
    return 0;
}

/* E3C6 LLHH: load logical halfword high */
INSN_FAST(llhh)
{
    u16 v;
    TRY(load_u16(c, ea_x(c, d), d->b2, &v));
    gr_high_set(c, d->r1, v);
    return 0;
}

/* E39F LAT: load and trap (32) */
INSN(lat)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    gr32_set(c, d->r1, v);
    if (unlikely(v == 0))
        return insn_data_exception(c, DXC_TRAP);
    return 0;
}

/* E385 LGAT: load and trap (64) */
INSN(lgat)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = v;
    if (unlikely(v == 0))
        return insn_data_exception(c, DXC_TRAP);
    return 0;
}

/* E3C8 LFHAT: load high and trap */
INSN(lfhat)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    gr_high_set(c, d->r1, v);
    if (unlikely(v == 0))
        return insn_data_exception(c, DXC_TRAP);
    return 0;
}

/* E39D LLGFAT: load logical and trap */
INSN(llgfat)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = v;
    if (unlikely(v == 0))
        return insn_data_exception(c, DXC_TRAP);
    return 0;
}

/* E39C LLGTAT: load logical thirty one bits and trap */
INSN(llgtat)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    v &= 0x7fffffff;
    c->gr[d->r1] = v;
    if (unlikely(v == 0))
        return insn_data_exception(c, DXC_TRAP);
    return 0;
}

/* E33B LZRF: load and zero rightmost byte (32) */
INSN_FAST(lzrf)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    gr32_set(c, d->r1, v & ~0xffu);
    return 0;
}

/* E32A LZRG: load and zero rightmost byte (64) */
INSN_FAST(lzrg)
{
    u64 v;
    TRY(load_u64(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = v & ~0xffull;
    return 0;
}

/* E33A LLZRGF: load logical and zero rightmost byte */
INSN_FAST(llzrgf)
{
    u32 v;
    TRY(load_u32(c, ea_x(c, d), d->b2, &v));
    c->gr[d->r1] = v & ~0xffu;
    return 0;
}

/* ---- relative loads and stores ---- */

/* C4D LRL: load relative long (32) */
INSN_FAST(lrl)
{
    u32 v;
    TRY(load_rel_u32(c, d, &v));
    gr32_set(c, d->r1, v);
    return 0;
}

/* C48 LGRL: load relative long (64) */
INSN_FAST(lgrl)
{
    u64 v;
    TRY(load_rel_u64(c, d, &v));
    c->gr[d->r1] = v;
    return 0;
}

/* C4C LGFRL: load relative long (64 from 32) */
INSN_FAST(lgfrl)
{
    u32 v;
    TRY(load_rel_u32(c, d, &v));
    c->gr[d->r1] = (u64)(s32)v;
    return 0;
}

/* C45 LHRL: load halfword relative long (32) */
INSN_FAST(lhrl)
{
    u16 v;
    TRY(load_rel_u16(c, d, &v));
    gr32_set(c, d->r1, (u32)(s16)v);
    return 0;
}

/* C44 LGHRL: load halfword relative long (64) */
INSN_FAST(lghrl)
{
    u16 v;
    TRY(load_rel_u16(c, d, &v));
    c->gr[d->r1] = (u64)(s16)v;
    return 0;
}

/* C4E LLGFRL: load logical relative long */
INSN_FAST(llgfrl)
{
    u32 v;
    TRY(load_rel_u32(c, d, &v));
    c->gr[d->r1] = v;
    return 0;
}

/* C42 LLHRL: load logical halfword relative long (32) */
INSN_FAST(llhrl)
{
    u16 v;
    TRY(load_rel_u16(c, d, &v));
    gr32_set(c, d->r1, v);
    return 0;
}

/* C46 LLGHRL: load logical halfword relative long (64) */
INSN_FAST(llghrl)
{
    u16 v;
    TRY(load_rel_u16(c, d, &v));
    c->gr[d->r1] = v;
    return 0;
}

/* C4F STRL: store relative long (32) */
INSN_FAST(strl)
{
    return store_rel(c, d, 4, gr32(c, d->r1));
}

/* C4B STGRL: store relative long (64) */
INSN_FAST(stgrl)
{
    return store_rel(c, d, 8, c->gr[d->r1]);
}

/* C47 STHRL: store halfword relative long */
INSN_FAST(sthrl)
{
    return store_rel(c, d, 2, (u16)c->gr[d->r1]);
}

/* ---- addresses ---- */

/* 41 LA: load address */
INSN_FAST(la)
{
    address_set(c, d->r1, ea_x(c, d));
    return 0;
}

/* E371 LAY: load address */
INSN_FAST(lay)
{
    address_set(c, d->r1, ea_x(c, d));
    return 0;
}

/* C00 LARL: load address relative long */
INSN_FAST(larl)
{
    address_set(c, d->r1, ea_rel(c, d));
    return 0;
}

/* 51 LAE: load address extended */
INSN(lae)
{
    load_address_extended(c, d);
    return 0;
}

/* E375 LAEY: load address extended */
INSN(laey)
{
    load_address_extended(c, d);
    return 0;
}

/* ---- stores ---- */

/* 50 ST: store (32) */
INSN_FAST(st)
{
    return store_u32(c, ea_x(c, d), d->b2, gr32(c, d->r1));
}

/* E350 STY: store (32) */
INSN_FAST(sty)
{
    return store_u32(c, ea_x(c, d), d->b2, gr32(c, d->r1));
}

/* E324 STG: store (64) */
INSN_FAST(stg)
{
    return store_u64(c, ea_x(c, d), d->b2, c->gr[d->r1]);
}

/* 40 STH: store halfword */
INSN_FAST(sth)
{
    return store_u16(c, ea_x(c, d), d->b2, (u16)c->gr[d->r1]);
}

/* E370 STHY: store halfword */
INSN_FAST(sthy)
{
    return store_u16(c, ea_x(c, d), d->b2, (u16)c->gr[d->r1]);
}

/* 42 STC: store character */
INSN_FAST(stc)
{
    return store_u8(c, ea_x(c, d), d->b2, (u8)c->gr[d->r1]);
}

/* E372 STCY: store character */
INSN_FAST(stcy)
{
    return store_u8(c, ea_x(c, d), d->b2, (u8)c->gr[d->r1]);
}

/* E33E STRV: store reversed (32) */
INSN_FAST(strv)
{
    return store_u32(c, ea_x(c, d), d->b2, __builtin_bswap32(gr32(c, d->r1)));
}

/* E32F STRVG: store reversed (64) */
INSN_FAST(strvg)
{
    return store_u64(c, ea_x(c, d), d->b2, __builtin_bswap64(c->gr[d->r1]));
}

/* E33F STRVH: store reversed (16) */
INSN_FAST(strvh)
{
    return store_u16(c, ea_x(c, d), d->b2, __builtin_bswap16((u16)c->gr[d->r1]));
}

/* E3C3 STCH: store character high */
INSN_FAST(stch)
{
    return store_u8(c, ea_x(c, d), d->b2, (u8)gr_high(c, d->r1));
}

/* E3C7 STHH: store halfword high */
INSN_FAST(sthh)
{
    return store_u16(c, ea_x(c, d), d->b2, (u16)gr_high(c, d->r1));
}

/* E3CB STFH: store high */
INSN_FAST(stfh)
{
    return store_u32(c, ea_x(c, d), d->b2, gr_high(c, d->r1));
}

/* 92 MVI: move (immediate) */
INSN_FAST(mvi)
{
    return store_u8(c, ea_b(c, d), d->b2, d->r1);
}

/* EB52 MVIY: move (immediate) */
INSN_FAST(mviy)
{
    return store_u8(c, ea_b(c, d), d->b2, d->r1);
}

/* E544 MVHHI: move (16 from 16) */
INSN_FAST(mvhhi)
{
    return store_u16(c, ea_sil(c, d), d->b2, d->ss.d2);
}

/* E54C MVHI: move (32 from 16) */
INSN_FAST(mvhi)
{
    return store_u32(c, ea_sil(c, d), d->b2, (u32)(s16)d->ss.d2);
}

/* E548 MVGHI: move (64 from 16) */
INSN_FAST(mvghi)
{
    return store_u64(c, ea_sil(c, d), d->b2, (u64)(s16)d->ss.d2);
}

#define CHAPTER_DEF "cpu/isa/isa_general_load.def"
#define CHAPTER_NAME isa_general_load
#include "cpu/insn/insn_chapter.h"
