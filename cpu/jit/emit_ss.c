/* Storage-to-storage instructions of known length: MVC without a source that propagates, XC of an
 * operand with itself, and CLC of 1, 2, 4 or 8 bytes. Both operands are looked up before anything
 * is stored; a miss, or an overlap that propagates, is left to the body. */
#include <stddef.h>

#include "cpu/jit/emit_internal.h"

#define XMM0 0u
#define XMM_LAST 1u
#define WIDE_BYTES 32u
#define HALF_BYTES 16u

static const struct jit_insn *current(const struct jit_cx *x)
{
    return &x->insn[x->cur];
}

static unsigned length(const struct jit_insn *i)
{
    return i->d.r1 + 1u;
}

bool ss_fits(const struct jit_insn *i)
{
    bool same_base = i->d.r2 == i->d.b2;
    int dist = (int)i->d.ss.d1 - (int)i->d.ss.d2;
    if (i->lo->op == OP_CLC)
        return length(i) <= 8 && (length(i) & (length(i) - 1)) == 0;
    if (i->lo->op == OP_XC)
        return same_base && dist == 0;
    return !same_base || dist <= 0 || dist >= (int)length(i);
}

/* ---- moving: from rcx to rax. The destination may begin to the left of the source and reach
 * into it, so the last bytes are loaded first and the others in order. ---- */

static void move_vectors(struct x64 *a, unsigned len)
{
    bool wide = len >= WIDE_BYTES;
    unsigned unit = wide ? WIDE_BYTES : HALF_BYTES;
    s32 last = (s32)(len - unit);
    x64_vmovdqu(a, wide, false, XMM_LAST, x64_at(RCX, last));
    for (unsigned at = 0; at + unit < len; at += unit) {
        x64_vmovdqu(a, wide, false, XMM0, x64_at(RCX, (s32)at));
        x64_vmovdqu(a, wide, true, XMM0, x64_at(RAX, (s32)at));
    }
    x64_vmovdqu(a, wide, true, XMM_LAST, x64_at(RAX, last));
    if (wide)
        x64_vzeroupper(a);
}

/* The largest of 8, 4, 2, 1 that is no more than `len`. */
static unsigned unit_of(unsigned len)
{
    return len >= 8 ? 8 : len >= 4 ? 4 : len >= 2 ? 2 : 1;
}

static void load_unit(struct x64 *a, unsigned unit, unsigned at, unsigned to)
{
    unsigned op = unit >= 4 ? A_MOV : unit == 2 ? A_MOVZX16 : A_MOVZX8;
    x64_rm(a, unit == 8, op, to, x64_at(RCX, (s32)at));
}

static void store_unit(struct x64 *a, unsigned unit, unsigned at, unsigned from)
{
    struct x64_mem m = x64_at(RAX, (s32)at);
    if (unit == 1)
        x64_rm8(a, A_MOV8_STORE, from, m);
    else if (unit == 2)
        x64_rm16(a, A_MOV_STORE, from, m);
    else
        x64_rm(a, unit == 8, A_MOV_STORE, from, m);
}

/* At most 15 bytes: one unit, or two that may overlap, both loaded before one is stored. */
static void move_short(struct x64 *a, unsigned len)
{
    unsigned unit = unit_of(len);
    load_unit(a, unit, 0, RDX);
    if (len > unit)
        load_unit(a, unit, len - unit, RCX);
    store_unit(a, unit, 0, RDX);
    if (len > unit)
        store_unit(a, unit, len - unit, RCX);
}

/* Does the destination begin inside the source, behind its first byte? Then the body. */
static void check_overlap(struct jit_cx *x, unsigned len)
{
    struct x64 *a = &x->a;
    x64_rr(a, true, A_MOV, RDX, RAX);
    x64_rr(a, true, A_SUB, RDX, RCX);
    x64_gi(a, true, G_SUB, RDX, 1);
    x64_gi(a, true, G_CMP, RDX, (s32)len - 1);
    slow_if(x, CC_B);
}

void emit_mvc(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    unsigned len = length(i);
    mem_base_disp(x, i->d.b2, i->d.ss.d2, RAX);
    mem_host(x, RAX, len, false);
    x64_rr(a, true, A_ADD, RAX, RCX);
    x64_rm(a, true, A_MOV_STORE, RAX, CPU_AT(scratch));
    mem_base_disp(x, i->d.r2, i->d.ss.d1, RAX);
    mem_host(x, RAX, len, true);
    x64_rr(a, true, A_ADD, RAX, RCX);
    x64_rm(a, true, A_MOV, RCX, CPU_AT(scratch));
    if (len > 1)
        check_overlap(x, len);
    if (len >= HALF_BYTES)
        move_vectors(a, len);
    else
        move_short(a, len);
    mem_done(x);
}

/* ---- comparing 1, 2, 4 or 8 bytes, as big-endian numbers ---- */

static void load_number(struct x64 *a, unsigned len, struct x64_mem m)
{
    if (len >= 4) {
        x64_rm(a, len == 8, A_MOVBE, RDX, m);
        return;
    }
    x64_rm(a, false, len == 1 ? A_MOVZX8 : A_MOVZX16, RDX, m);
    if (len == 2) {
        x64_byte(a, 0x66);
        x64_shift_i(a, false, S_ROL, RDX, 8);
    }
}

void emit_clc(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    unsigned len = length(i);
    mem_base_disp(x, i->d.b2, i->d.ss.d2, RAX);
    mem_host(x, RAX, len, false);
    load_number(a, len, x64_idx(RCX, RAX, 0, 0));
    x64_rm(a, true, A_MOV_STORE, RDX, CPU_AT(scratch));
    mem_base_disp(x, i->d.r2, i->d.ss.d1, RAX);
    mem_host(x, RAX, len, false);
    load_number(a, len, x64_idx(RCX, RAX, 0, 0));
    x64_rm(a, true, A_CMP, RDX, CPU_AT(scratch));
    cc_set(x);
    mem_done(x);
}

/* ---- zeros to rax ---- */

static void clear_vectors(struct x64 *a, unsigned len)
{
    bool wide = len >= WIDE_BYTES;
    unsigned unit = wide ? WIDE_BYTES : HALF_BYTES;
    x64_vzero(a, XMM0);
    for (unsigned at = 0; at + unit < len; at += unit)
        x64_vmovdqu(a, wide, true, XMM0, x64_at(RAX, (s32)at));
    x64_vmovdqu(a, wide, true, XMM0, x64_at(RAX, (s32)(len - unit)));
    if (wide)
        x64_vzeroupper(a);
}

static void clear_short(struct x64 *a, unsigned len)
{
    unsigned unit = unit_of(len);
    x64_mov_i(a, RDX, 0);
    store_unit(a, unit, 0, RDX);
    if (len > unit)
        store_unit(a, unit, len - unit, RDX);
}

void emit_clear(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    unsigned len = length(i);
    mem_base_disp(x, i->d.r2, i->d.ss.d1, RAX);
    mem_host(x, RAX, len, true);
    x64_rr(a, true, A_ADD, RAX, RCX);
    if (len >= HALF_BYTES)
        clear_vectors(a, len);
    else
        clear_short(a, len);
    x64_mov8_mem(a, CPU_AT(cc), 0);
    cc_is_in_memory(x);
    mem_done(x);
}
