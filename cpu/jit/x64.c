/* Encodings of x86-64 instructions. */
#include "cpu/jit/x64.h"

#define REX 0x40u
#define REX_W 8u

void x64_byte(struct x64 *a, unsigned b)
{
    if (a->at == a->end) {
        a->full = true;
        return;
    }
    *a->at++ = (u8)b;
}

void x64_u32(struct x64 *a, u32 v)
{
    if (a->end - a->at < 4) {
        a->full = true;
        return;
    }
    memcpy(a->at, &v, 4);
    a->at += 4;
}

static void rex(struct x64 *a, unsigned bits, bool always)
{
    if (bits || always)
        x64_byte(a, REX | bits);
}

static void modrm_rr(struct x64 *a, unsigned reg, unsigned rm)
{
    x64_byte(a, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static bool fits8(s32 v)
{
    return v == (s8)v;
}

/* ---- most instructions: behind one look at the room, by way of a pointer that stays in a
 * register; translating spends a third of its instructions here ---- */

#define INSN_BYTES_MAX 15

/* Where an instruction goes, or NULL: full. */
static inline u8 *begin(struct x64 *a)
{
    if (likely(a->end - a->at >= INSN_BYTES_MAX))
        return a->at;
    a->full = true;
    return NULL;
}

/* The opcode after prefixes and REX. A mandatory prefix stands in bits 16-23 (0xf30fbd). */
static inline u8 *put_opcode(u8 *p, unsigned rex_bits, bool always, unsigned op)
{
    if (unlikely(op >> 16 && op >> 16 != 0x0f))
        *p++ = (u8)(op >> 16);
    if (rex_bits || always)
        *p++ = (u8)(REX | rex_bits);
    if ((op & 0xffff00) == 0x0f3800) {
        *p++ = 0x0f;
        *p++ = 0x38;
    } else if (op & 0xff00) {
        *p++ = (u8)(op >> 8);
    }
    *p++ = (u8)op;
    return p;
}

static inline u8 *put_mem(u8 *p, unsigned reg, struct x64_mem m)
{
    bool sib = m.index != X64_NO_INDEX || (m.base & 7) == RSP;
    unsigned mod = m.disp == 0 && (m.base & 7) != RBP ? 0 : fits8(m.disp) ? 1 : 2;
    *p++ = (u8)(mod << 6 | (reg & 7) << 3 | (sib ? 4u : m.base & 7u));
    if (sib)
        *p++ = (u8)((unsigned)m.scale << 6 | (m.index & 7u) << 3 | (m.base & 7u));
    memcpy(p, &m.disp, sizeof m.disp); /* as much as counts */
    return p + (mod == 2 ? 4 : mod);
}

static void modrm_mem(struct x64 *a, unsigned reg, struct x64_mem m)
{
    u8 *p = begin(a);
    if (p)
        a->at = put_mem(p, reg, m);
}

static inline unsigned rex_rr(bool w, unsigned reg, unsigned rm)
{
    return (w ? REX_W : 0) | (reg >> 3 & 1) << 2 | (rm >> 3 & 1);
}

static inline unsigned rex_mem(bool w, unsigned reg, struct x64_mem m)
{
    return (w ? REX_W : 0) | (reg >> 3 & 1) << 2 |
           (m.index == X64_NO_INDEX ? 0 : (m.index >> 3 & 1u) << 1) | (m.base >> 3 & 1u);
}

static inline void insn_rr(struct x64 *a, unsigned rex_bits, bool always, unsigned op,
                           unsigned reg, unsigned rm)
{
    u8 *p = begin(a);
    if (!p)
        return;
    p = put_opcode(p, rex_bits, always, op);
    *p++ = (u8)(0xc0 | (reg & 7) << 3 | (rm & 7));
    a->at = p;
}

static inline void insn_mem(struct x64 *a, unsigned rex_bits, bool always, unsigned op,
                            unsigned reg, struct x64_mem m)
{
    u8 *p = begin(a);
    if (p)
        a->at = put_mem(put_opcode(p, rex_bits, always, op), reg, m);
}

/* An opcode of one byte and what follows it, REX in front when there is one, as one number. */
static inline void insn_short(struct x64 *a, unsigned rex_bits, u64 bytes, unsigned count)
{
    u8 *p = begin(a);
    if (!p)
        return;
    if (rex_bits)
        bytes = bytes << 8 | REX | rex_bits;
    memcpy(p, &bytes, sizeof bytes); /* as much as counts */
    a->at = p + count + (rex_bits != 0);
}

void x64_rr(struct x64 *a, bool w, unsigned op, unsigned reg, unsigned rm)
{
    unsigned modrm = 0xc0 | (reg & 7) << 3 | (rm & 7);
    if (op < 0x100)
        insn_short(a, rex_rr(w, reg, rm), op | modrm << 8, 2);
    else
        insn_rr(a, rex_rr(w, reg, rm), false, op, reg, rm);
}

/* A field of the CPU, mostly. */
static inline void insn_field(struct x64 *a, unsigned rex_bits, unsigned op, unsigned reg,
                              struct x64_mem m)
{
    unsigned wide = !fits8(m.disp), modrm = 0x40u << wide | (reg & 7) << 3 | (m.base & 7u);
    insn_short(a, rex_bits, op | modrm << 8 | (u64)(u32)m.disp << 16, wide ? 6 : 3);
}

void x64_rm(struct x64 *a, bool w, unsigned op, unsigned reg, struct x64_mem m)
{
    if (op < 0x100 && m.disp && m.index == X64_NO_INDEX && (m.base & 7) != RSP)
        insn_field(a, rex_rr(w, reg, m.base), op, reg, m);
    else
        insn_mem(a, rex_mem(w, reg, m), false, op, reg, m);
}

void x64_rm16(struct x64 *a, unsigned op, unsigned reg, struct x64_mem m)
{
    x64_byte(a, 0x66);
    x64_rm(a, false, op, reg, m);
}

void x64_rm8(struct x64 *a, unsigned op, unsigned reg, struct x64_mem m)
{
    insn_mem(a, rex_mem(false, reg, m), true, op, reg, m);
}

void x64_rr8(struct x64 *a, unsigned op, unsigned reg, unsigned rm)
{
    insn_rr(a, rex_rr(false, reg, rm), true, op, reg, rm);
}

void x64_gi(struct x64 *a, bool w, enum x64_group1 g, unsigned rm, s32 imm)
{
    x64_rr(a, w, fits8(imm) ? 0x83 : 0x81, g, rm);
    if (fits8(imm))
        x64_byte(a, (u8)imm);
    else
        x64_u32(a, (u32)imm);
}

void x64_gi_mem(struct x64 *a, bool w, enum x64_group1 g, struct x64_mem m, s32 imm)
{
    x64_rm(a, w, fits8(imm) ? 0x83 : 0x81, g, m);
    if (fits8(imm))
        x64_byte(a, (u8)imm);
    else
        x64_u32(a, (u32)imm);
}

void x64_cmp8_mem(struct x64 *a, struct x64_mem m, u8 imm)
{
    x64_rm(a, false, 0x80, G_CMP, m);
    x64_byte(a, imm);
}

void x64_test8_mem(struct x64 *a, struct x64_mem m, u8 imm)
{
    x64_rm(a, false, 0xf6, 0, m);
    x64_byte(a, imm);
}

void x64_mov8_mem(struct x64 *a, struct x64_mem m, u8 imm)
{
    x64_rm(a, false, 0xc6, 0, m);
    x64_byte(a, imm);
}

void x64_mov_mem_i(struct x64 *a, bool w, struct x64_mem m, s32 imm)
{
    x64_rm(a, w, 0xc7, 0, m);
    x64_u32(a, (u32)imm);
}

void x64_test_i(struct x64 *a, bool w, unsigned rm, s32 imm)
{
    x64_rr(a, w, 0xf7, 0, rm);
    x64_u32(a, (u32)imm);
}

void x64_mov_i(struct x64 *a, unsigned reg, u64 value)
{
    if (value <= 0xffffffffu) {
        rex(a, reg >> 3 & 1, false);
        x64_byte(a, 0xb8 | (reg & 7));
        x64_u32(a, (u32)value);
    } else if ((s64)value == (s32)value) {
        x64_rr(a, true, 0xc7, 0, reg);
        x64_u32(a, (u32)value);
    } else {
        rex(a, REX_W | (reg >> 3 & 1), true);
        x64_byte(a, 0xb8 | (reg & 7));
        x64_u32(a, (u32)value);
        x64_u32(a, (u32)(value >> 32));
    }
}

void x64_shift_i(struct x64 *a, bool w, enum x64_shift s, unsigned rm, unsigned count)
{
    x64_rr(a, w, 0xc1, s, rm);
    x64_byte(a, count);
}

void x64_shift_cl(struct x64 *a, bool w, enum x64_shift s, unsigned rm)
{
    x64_rr(a, w, 0xd3, s, rm);
}

/* Three-byte VEX. map: 2 = 0F38, 3 = 0F3A; pp: 0 none, 1 66, 2 F3, 3 F2. */
static inline u8 *put_vex(u8 *p, unsigned map, bool w, unsigned pp, unsigned reg, unsigned vvvv,
                          unsigned rm)
{
    *p++ = 0xc4;
    *p++ = (u8)((reg >> 3 & 1 ? 0 : 0x80u) | 0x40u | (rm >> 3 & 1 ? 0 : 0x20u) | map);
    *p++ = (u8)((w ? 0x80u : 0) | (~vvvv & 15) << 3 | pp);
    return p;
}

static void vex(struct x64 *a, unsigned map, bool w, unsigned pp, unsigned reg, unsigned vvvv,
                unsigned rm)
{
    u8 *p = begin(a);
    if (p)
        a->at = put_vex(p, map, w, pp, reg, vvvv, rm);
}

void x64_rorx(struct x64 *a, bool w, unsigned dst, unsigned src, unsigned count)
{
    u8 *p = begin(a);
    if (!p)
        return;
    p = put_vex(p, 3, w, 3, dst, 0, src);
    *p++ = 0xf0;
    *p++ = (u8)(0xc0 | (dst & 7) << 3 | (src & 7));
    *p++ = (u8)count;
    a->at = p;
}

void x64_shiftx(struct x64 *a, bool w, enum x64_shift s, unsigned dst, unsigned src,
                unsigned count)
{
    vex(a, 2, w, s == S_SHL ? 1 : s == S_SHR ? 3 : 2, dst, count, src);
    x64_byte(a, 0xf7);
    modrm_rr(a, dst, src);
}

void x64_andn(struct x64 *a, bool w, unsigned dst, unsigned x, unsigned y)
{
    vex(a, 2, w, 0, dst, x, y);
    x64_byte(a, 0xf2);
    modrm_rr(a, dst, y);
}

void x64_g3(struct x64 *a, bool w, enum x64_group3 g, unsigned rm)
{
    x64_rr(a, w, 0xf7, g, rm);
}

void x64_imul_i(struct x64 *a, bool w, unsigned dst, unsigned src, s32 imm)
{
    x64_rr(a, w, fits8(imm) ? 0x6b : 0x69, dst, src);
    if (fits8(imm))
        x64_byte(a, (u8)imm);
    else
        x64_u32(a, (u32)imm);
}

void x64_bswap(struct x64 *a, bool w, unsigned reg)
{
    rex(a, (w ? REX_W : 0) | (reg >> 3 & 1), false);
    x64_byte(a, 0x0f);
    x64_byte(a, 0xc8 | (reg & 7));
}

void x64_setcc(struct x64 *a, enum x64_cond cc, unsigned reg)
{
    x64_rr8(a, 0x0f90u | cc, 0, reg);
}

void x64_cmov(struct x64 *a, bool w, enum x64_cond cc, unsigned dst, unsigned src)
{
    x64_rr(a, w, 0x0f40u | cc, dst, src);
}

u8 *x64_jcc(struct x64 *a, enum x64_cond cc)
{
    x64_byte(a, 0x0f);
    x64_byte(a, 0x80 | cc);
    u8 *where = a->at;
    x64_u32(a, 0);
    return where;
}

u8 *x64_jmp(struct x64 *a)
{
    x64_byte(a, 0xe9);
    u8 *where = a->at;
    x64_u32(a, 0);
    return where;
}

void x64_patch(struct x64 *a, u8 *where, const u8 *target)
{
    if (a->full)
        return;
    u32 rel = (u32)(target - (where + 4));
    memcpy(where, &rel, sizeof rel);
}

/* Distance from behind a five-byte jump here to `target`, when it fits. */
static bool reach(const struct x64 *a, const void *target, s32 *rel)
{
    s64 dist = (s64)(uintptr_t)target - (s64)(uintptr_t)(a->run + x64_used(a) + 5);
    *rel = (s32)dist;
    return dist == (s32)dist;
}

void x64_jmp_to(struct x64 *a, const void *target)
{
    s32 rel;
    if (reach(a, target, &rel)) {
        x64_byte(a, 0xe9);
        x64_u32(a, (u32)rel);
        return;
    }
    x64_mov_i(a, RAX, (u64)(uintptr_t)target);
    x64_rr(a, false, 0xff, 4, RAX);
}

void x64_call_to(struct x64 *a, const void *target)
{
    s32 rel;
    if (reach(a, target, &rel)) {
        x64_byte(a, 0xe8);
        x64_u32(a, (u32)rel);
        return;
    }
    x64_mov_i(a, RAX, (u64)(uintptr_t)target);
    x64_rr(a, false, 0xff, 2, RAX);
}

void x64_jmp_mem(struct x64 *a, struct x64_mem m)
{
    x64_rm(a, false, 0xff, 4, m);
}

void x64_ret(struct x64 *a)
{
    x64_byte(a, 0xc3);
}

void x64_sse_rr(struct x64 *a, unsigned prefix, bool w, unsigned op, unsigned reg, unsigned rm)
{
    if (prefix)
        x64_byte(a, prefix);
    x64_rr(a, w, op, reg, rm);
}

void x64_sse_rm(struct x64 *a, unsigned prefix, bool w, unsigned op, unsigned reg,
                struct x64_mem m)
{
    if (prefix)
        x64_byte(a, prefix);
    x64_rm(a, w, op, reg, m);
}

void x64_sse3a(struct x64 *a, unsigned op, unsigned reg, unsigned rm, unsigned imm)
{
    x64_byte(a, 0x66);
    rex(a, rex_rr(false, reg, rm), false);
    x64_byte(a, 0x0f);
    x64_byte(a, 0x3a);
    x64_byte(a, op);
    modrm_rr(a, reg, rm);
    x64_byte(a, imm);
}

void x64_fma(struct x64 *a, bool w, unsigned op, unsigned dst, unsigned v, unsigned rm)
{
    vex(a, 2, w, 1, dst, v, rm);
    x64_byte(a, op);
    modrm_rr(a, dst, rm);
}

void x64_vscalar(struct x64 *a, bool wide, unsigned op, unsigned dst, unsigned v, unsigned rm)
{
    vex(a, 1, false, wide ? 3 : 2, dst, v, rm);
    x64_byte(a, op & 0xff);
    modrm_rr(a, dst, rm);
}

/* VEX prefix and opcode; `bits`: inverted R, X, B. */
static void vector_opcode(struct x64 *a, bool wide, unsigned op, unsigned bits, unsigned v)
{
    unsigned prefix = op >> 16, pp = prefix == 0x66 ? 1 : prefix == 0xf3 ? 2 : 3;
    x64_byte(a, 0xc4);
    x64_byte(a, bits | (op >> 8 & 0xff));
    x64_byte(a, (~v & 15) << 3 | (wide ? 4u : 0) | pp);
    x64_byte(a, op & 0xff);
}

void x64_vector(struct x64 *a, bool wide, unsigned op, unsigned reg, unsigned v,
                struct x64_mem m)
{
    unsigned rxb = rex_mem(false, reg, m);
    vector_opcode(a, wide, op, ~rxb << 5 & 0xe0, v);
    modrm_mem(a, reg, m);
}

void x64_vector_rr(struct x64 *a, bool wide, unsigned op, unsigned reg, unsigned v, unsigned rm)
{
    vector_opcode(a, wide, op, ~rex_rr(false, reg, rm) << 5 & 0xe0, v);
    modrm_rr(a, reg, rm);
}

void x64_vmovdqu(struct x64 *a, bool wide, bool store, unsigned reg, struct x64_mem m)
{
    x64_vector(a, wide, store ? V_STORE : V_LOAD, reg, 0, m);
}

void x64_push(struct x64 *a, unsigned reg)
{
    rex(a, reg >> 3 & 1, false);
    x64_byte(a, 0x50 | (reg & 7));
}

void x64_pop(struct x64 *a, unsigned reg)
{
    rex(a, reg >> 3 & 1, false);
    x64_byte(a, 0x58 | (reg & 7));
}

void x64_vzero(struct x64 *a, unsigned reg)
{
    x64_vector_rr(a, false, V_XOR, reg, reg, reg);
}

void x64_vzeroupper(struct x64 *a)
{
    x64_byte(a, 0xc5);
    x64_byte(a, 0xf8);
    x64_byte(a, 0x77);
}

void x64_call_c(struct x64 *a, const void *target)
{
    x64_rm(a, true, A_LEA, RSP, x64_at(RSP, -8));
    x64_call_to(a, target);
    x64_rm(a, true, A_LEA, RSP, x64_at(RSP, 8));
}
