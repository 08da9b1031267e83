/* Storage-to-storage instructions: MVC, CLC, NC, OC, XC, by themselves or as the target of EX and
 * EXRL in the same page. Both operands are looked up before anything is stored; one that crosses
 * a page or is missing in the TLB is left to the body. What is short or simple is emitted in
 * line, the rest calls common code.
 * [S1] A target's bytes count among those the region was made from, so that a store into them
 * ends the region as one into its own code does; EX compares the address. */
#include <stddef.h>

#include "cpu/insn/insn.h"
#include "cpu/jit/emit_internal.h"

#define XMM0 0u
#define XMM_LAST 1u
#define WIDE_BYTES 32u
#define HALF_BYTES 16u
#define SHORT_BYTES 8u
#define SS_BYTES 6u
#define GUESS_INSNS 12u /* how far back the base of an EX is looked for */

#define A_AND_STORE 0x21
#define A_OR_STORE 0x09
#define A_XOR_STORE 0x31

static const struct jit_insn *current(const struct jit_cx *x)
{
    return &x->insn[x->cur];
}

static bool variable(const struct jit_insn *i)
{
    return i->length_reg != NO_REG;
}

/* In bytes; 0: a register tells. */
static unsigned length(const struct jit_insn *i)
{
    return variable(i) ? 0 : i->d.r1 + 1u;
}

static void call_common(struct jit_cx *x, enum jit_common kind)
{
    x64_call_to(&x->a, x->jit->common[kind]);
}

/* ---- the target of EXECUTE ---- */

/* What register g probably holds at the instruction that comes next. */
static u64 register_guess(const struct jit_cx *x, unsigned g)
{
    for (unsigned n = 0; n < GUESS_INSNS && n < x->insns; n++) {
        const struct jit_insn *i = &x->insn[x->insns - 1 - n];
        u64 page = x->pages[i->page].addr;
        if (!i->lo || !(i->writes >> g & 1))
            continue;
        if (i->lo->op == OP_LA && i->lo->b == S_REL)
            return page + (u64)i->rel;
        if (i->lo->op == OP_BAS)
            return page + i->slot * 2u + i->len;
    }
    return g < ZERO_REG ? x->c->gr[g] : 0;
}

/* Where the target is, from the start of the page of the EXECUTE on. */
static u64 target_at(const struct jit_cx *x, const struct jit_insn *i)
{
    if (i->row->format != FMT_RX)
        return (u64)((s64)i->slot * 2 + 2 * (s64)i->d.imm);
    u64 at = register_guess(x, i->d.b2) + register_guess(x, i->d.r2) + (u64)(s64)i->d.d2;
    return (at & x->c->amask) - x->pages[i->page].addr;
}

void ss_execute(const struct jit_cx *x, struct jit_insn *i)
{
    bool ex = i->row->op == 0x44, exrl = i->row->op == 0xc6 && i->row->sub == 0;
    if (!ex && !exrl)
        return;
    const struct jit_page *p = &x->pages[i->page];
    u64 at = target_at(x, i);
    if (at > FRAME_BYTES - SS_BYTES || (at & 1) || p->addr == 0)
        return;
    const u8 *text = x->c->st->base + p->page->abs + at;
    const struct isa_entry *row = isa_find(text);
    if (!row || row->format != FMT_SS_L || !jit_lowering(row) || (i->d.r1 && text[1]))
        return;
    i->ex = i->d;
    i->ex_at = (u16)at;
    i->does = row;
    i->length_reg = i->ex.r1 ? i->ex.r1 : NO_REG;
    isa_decode(&i->d, (enum isa_format)row->format, text);
}

/* Is the target where it was when this was translated? */
static void check_target(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    if (i->ex_at == NOT_EXECUTED || i->row->format != FMT_RX)
        return;
    mem_base_index(x, i->ex.b2, i->ex.r2, i->ex.d2, RAX);
    x64_rm(&x->a, true, A_SUB, RAX, CPU_AT(ia_page));
    x64_gi(&x->a, true, G_CMP, RAX, i->ex_at);
    slow_if(x, CC_NE);
}

/* ---- operands ---- */

/* rax = host address of an operand. */
static void operand(struct jit_cx *x, unsigned base, s32 disp, unsigned bytes, bool store)
{
    mem_base_disp(x, base, disp, RAX);
    mem_host(x, RAX, bytes, store);
    x64_rr(&x->a, true, A_ADD, RAX, RCX);
}

static void first_operand(struct jit_cx *x, bool store)
{
    const struct jit_insn *i = current(x);
    operand(x, i->d.r2, i->d.ss.d1, length(i), store);
}

/* rax = host address of the first, rcx = that of the second. */
static void operands(struct jit_cx *x, bool store)
{
    const struct jit_insn *i = current(x);
    operand(x, i->d.b2, i->d.ss.d2, length(i), false);
    x64_rm(&x->a, true, A_MOV_STORE, RAX, CPU_AT(scratch));
    first_operand(x, store);
    x64_rm(&x->a, true, A_MOV, RCX, CPU_AT(scratch));
}

/* edx = length code, for common code. */
static void length_code(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    if (variable(i))
        mem_length(x, RDX);
    else
        x64_mov_i(&x->a, RDX, i->d.r1);
}

/* How far the first operand begins behind the second; 0 also when nobody knows now. */
static unsigned distance(const struct jit_insn *i)
{
    bool behind = i->d.r2 == i->d.b2 && i->d.ss.d1 > i->d.ss.d2;
    return behind ? (unsigned)i->d.ss.d1 - i->d.ss.d2 : 0;
}

static bool same_operand(const struct jit_insn *i)
{
    return i->d.r2 == i->d.b2 && i->d.ss.d1 == i->d.ss.d2;
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

static void load_unit(struct x64 *a, unsigned unit, struct x64_mem m, unsigned to)
{
    unsigned op = unit >= 4 ? A_MOV : unit == 2 ? A_MOVZX16 : A_MOVZX8;
    x64_rm(a, unit == 8, op, to, m);
}

static void store_unit(struct x64 *a, unsigned unit, struct x64_mem m, unsigned from)
{
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
    s32 last = (s32)(len - unit);
    load_unit(a, unit, x64_at(RCX, 0), RDX);
    if (last)
        load_unit(a, unit, x64_at(RCX, last), RCX);
    store_unit(a, unit, x64_at(RAX, 0), RDX);
    if (last)
        store_unit(a, unit, x64_at(RAX, last), RCX);
}

/* Does the destination begin inside the source, behind its first byte? Then the body. */
static void check_overlap(struct jit_cx *x, unsigned len)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    if (len == 1 || i->d.r2 == i->d.b2)
        return; /* or it is known that it does not */
    x64_rr(a, true, A_MOV, RDX, RAX);
    x64_rr(a, true, A_SUB, RDX, RCX);
    x64_gi(a, true, G_SUB, RDX, 1);
    x64_gi(a, true, G_CMP, RDX, (s32)len - 1);
    slow_if(x, CC_B);
}

/* A pattern of 1, 2, 4 or 8 bytes, at rax, is repeated behind it: `len` bytes, 8 or more. */
static void repeat_pattern(struct x64 *a, unsigned pattern, unsigned len)
{
    static const unsigned broadcast[] = {
        [1] = V_BROADCASTB, [2] = V_BROADCASTW, [4] = V_BROADCASTD, [8] = V_BROADCASTQ};
    bool wide = len >= WIDE_BYTES;
    unsigned unit = wide ? WIDE_BYTES : len >= HALF_BYTES ? HALF_BYTES : SHORT_BYTES;
    unsigned store = unit == SHORT_BYTES ? V_STOREQ : V_STORE;
    s32 first = (s32)pattern;
    x64_vector(a, wide, broadcast[pattern], XMM0, 0, x64_at(RAX, 0));
    for (unsigned at = 0; at + unit < len; at += unit)
        x64_vector(a, wide, store, XMM0, 0, x64_at(RAX, first + (s32)at));
    x64_vector(a, wide, store, XMM0, 0, x64_at(RAX, first + (s32)(len - unit)));
    if (wide)
        x64_vzeroupper(a);
}

/* Is it a pattern that is repeated a whole number of times? Who may store may fetch: one look at
 * the page of both is enough. */
static bool repeats(const struct jit_insn *i)
{
    unsigned dist = distance(i), len = length(i);
    return dist && dist <= SHORT_BYTES && (dist & (dist - 1)) == 0 && len >= SHORT_BYTES &&
           len % dist == 0;
}

static void emit_mvc(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    unsigned len = length(i), dist = distance(i);
    if (repeats(i)) {
        operand(x, i->d.b2, i->d.ss.d2, dist + len, true);
        repeat_pattern(&x->a, dist, len);
        return;
    }
    operands(x, true);
    if (variable(i) || (dist && dist < len)) {
        length_code(x);
        call_common(x, COMMON_MOVE);
        return;
    }
    check_overlap(x, len);
    if (len >= HALF_BYTES)
        move_vectors(&x->a, len);
    else
        move_short(&x->a, len);
}

/* ---- comparing; 1, 2, 4 or 8 bytes as big-endian numbers ---- */

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

static bool is_unit(unsigned len)
{
    return len && len <= SHORT_BYTES && (len & (len - 1)) == 0;
}

static void emit_clc(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    unsigned len = length(i);
    if (is_unit(len)) {
        mem_base_disp(x, i->d.b2, i->d.ss.d2, RAX);
        mem_host(x, RAX, len, false);
        load_number(a, len, x64_idx(RCX, RAX, 0, 0));
        x64_rm(a, true, A_MOV_STORE, RDX, CPU_AT(scratch));
        mem_base_disp(x, i->d.r2, i->d.ss.d1, RAX);
        mem_host(x, RAX, len, false);
        load_number(a, len, x64_idx(RCX, RAX, 0, 0));
        x64_rm(a, true, A_CMP, RDX, CPU_AT(scratch));
    } else {
        operands(x, false);
        length_code(x);
        call_common(x, COMMON_COMPARE);
    }
    cc_set(x);
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
    store_unit(a, unit, x64_at(RAX, 0), RDX);
    if (len > unit)
        store_unit(a, unit, x64_at(RAX, (s32)(len - unit)), RDX);
}

static void emit_clear(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    unsigned len = length(i);
    first_operand(x, true);
    if (variable(i)) {
        length_code(x);
        x64_vzero(a, XMM0);
        call_common(x, COMMON_FILL);
    } else if (len >= HALF_BYTES) {
        clear_vectors(a, len);
    } else {
        clear_short(a, len);
    }
    x64_mov8_mem(a, CPU_AT(cc), 0);
    cc_is_in_memory(x);
}

/* ---- and, or, exclusive or ---- */

static void emit_combine(struct jit_cx *x)
{
    static const u16 store[] = {A_AND_STORE, A_OR_STORE, A_XOR_STORE};
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    unsigned len = length(i), kind = i->does->op == 0xd4 ? 0 : i->does->op == 0xd6 ? 1 : 2;
    if (kind == 2 && same_operand(i)) {
        emit_clear(x);
        return;
    }
    operands(x, true);
    if (len >= 4 && is_unit(len) && !(distance(i) && distance(i) < len)) {
        check_overlap(x, len);
        x64_rm(a, len == 8, A_MOV, RDX, x64_at(RCX, 0));
        x64_rm(a, len == 8, store[kind], RDX, x64_at(RAX, 0));
    } else {
        length_code(x);
        call_common(x, COMMON_AND + kind);
    }
    cc_set(x);
}

void emit_ss(struct jit_cx *x)
{
    check_target(x);
    switch (current(x)->lo->op) {
    case OP_MVC: emit_mvc(x); break;
    case OP_CLC: emit_clc(x); break;
    default: emit_combine(x); break;
    }
    mem_done(x);
}

/* ---- common code ---- */

static void arrive(struct x64 *a, u8 *from)
{
    x64_patch(a, from, a->at);
}

static void jump_back(struct x64 *a, enum x64_cond cond, const u8 *to)
{
    x64_patch(a, x64_jcc(a, cond), to);
}

/* rax and rcx go on by `n`, rdx is left; the flags are those of what is left. */
static void advance(struct x64 *a, s32 n)
{
    x64_gi(a, true, G_ADD, RAX, n);
    x64_gi(a, true, G_ADD, RCX, n);
    x64_gi(a, true, G_SUB, RDX, n);
}

/* 32 bytes and more. */
static void fill_long(struct x64 *a)
{
    x64_gi(a, true, G_SUB, RDX, (s32)WIDE_BYTES - 1);
    x64_vmovdqu(a, true, true, XMM0, x64_idx(RAX, RDX, 0, 0));
    const u8 *again = a->at;
    x64_vmovdqu(a, true, true, XMM0, x64_at(RAX, 0));
    x64_gi(a, true, G_ADD, RAX, (s32)WIDE_BYTES);
    x64_gi(a, true, G_SUB, RDX, (s32)WIDE_BYTES);
    jump_back(a, CC_G, again);
    x64_vzeroupper(a);
    x64_ret(a);
}

static void fill_unit(struct x64 *a, unsigned op, unsigned bytes)
{
    x64_gi(a, false, G_CMP, RDX, (s32)bytes - 1);
    u8 *fewer = x64_jcc(a, CC_B);
    x64_vector(a, false, op, XMM0, 0, x64_at(RAX, 0));
    x64_vector(a, false, op, XMM0, 0, x64_idx(RAX, RDX, 0, 1 - (s32)bytes));
    x64_vzeroupper(a);
    x64_ret(a);
    arrive(a, fewer);
}

static void common_fill(struct x64 *a)
{
    x64_gi(a, false, G_CMP, RDX, (s32)WIDE_BYTES - 1);
    u8 *fewer = x64_jcc(a, CC_B);
    fill_long(a);
    arrive(a, fewer);
    fill_unit(a, V_STORE, HALF_BYTES);
    fill_unit(a, V_STOREQ, 8);
    fill_unit(a, V_STORED, 4);
    x64_vector_rr(a, false, V_STORED, XMM0, 0, RCX);
    x64_vzeroupper(a);
    x64_rm8(a, A_MOV8_STORE, RCX, x64_at(RAX, 0));
    x64_rm8(a, A_MOV8_STORE, RCX, x64_idx(RAX, RDX, 0, 0));
    x64_shift_i(a, false, S_SHR, RDX, 1);
    x64_rm8(a, A_MOV8_STORE, RCX, x64_idx(RAX, RDX, 0, 0));
    x64_ret(a);
}

/* The source is repeated: byte by byte, but for the common case of one byte. */
static void move_repeat(struct x64 *a)
{
    x64_rr(a, true, A_TEST, RBX, RBX); /* distance less one */
    u8 *other = x64_jcc(a, CC_NE);
    x64_vector(a, true, V_BROADCASTB, XMM0, 0, x64_at(RCX, 0));
    x64_pop(a, RBX);
    common_fill(a);
    arrive(a, other);
    const u8 *again = a->at;
    x64_rm(a, false, A_MOVZX8, RBX, x64_at(RCX, 0));
    x64_rm8(a, A_MOV8_STORE, RBX, x64_at(RAX, 0));
    advance(a, 1);
    jump_back(a, CC_NS, again);
    x64_pop(a, RBX);
    x64_ret(a);
}

/* `bytes` to twice as many: two units that may overlap, both loaded before one is stored. */
static void move_unit(struct x64 *a, unsigned bytes)
{
    s32 last = 1 - (s32)bytes;
    x64_gi(a, false, G_CMP, RDX, (s32)bytes - 1);
    u8 *fewer = x64_jcc(a, CC_B);
    load_unit(a, bytes, x64_at(RCX, 0), RBX);
    load_unit(a, bytes, x64_idx(RCX, RDX, 0, last), RCX);
    store_unit(a, bytes, x64_at(RAX, 0), RBX);
    store_unit(a, bytes, x64_idx(RAX, RDX, 0, last), RCX);
    x64_pop(a, RBX);
    x64_ret(a);
    arrive(a, fewer);
}

static void move_half(struct x64 *a)
{
    s32 last = 1 - (s32)HALF_BYTES;
    x64_gi(a, false, G_CMP, RDX, (s32)HALF_BYTES - 1);
    u8 *fewer = x64_jcc(a, CC_B);
    x64_vmovdqu(a, false, false, XMM0, x64_at(RCX, 0));
    x64_vmovdqu(a, false, false, XMM_LAST, x64_idx(RCX, RDX, 0, last));
    x64_vmovdqu(a, false, true, XMM0, x64_at(RAX, 0));
    x64_vmovdqu(a, false, true, XMM_LAST, x64_idx(RAX, RDX, 0, last));
    x64_pop(a, RBX);
    x64_ret(a);
    arrive(a, fewer);
}

/* 32 bytes and more: the last are loaded first, the others in order (see above). */
static void move_long(struct x64 *a)
{
    x64_gi(a, true, G_SUB, RDX, (s32)WIDE_BYTES - 1);
    x64_vmovdqu(a, true, false, XMM_LAST, x64_idx(RCX, RDX, 0, 0));
    x64_rm(a, true, A_LEA, RBX, x64_idx(RAX, RDX, 0, 0));
    x64_rr(a, true, A_TEST, RDX, RDX);
    u8 *only = x64_jcc(a, CC_E);
    const u8 *again = a->at;
    x64_vmovdqu(a, true, false, XMM0, x64_at(RCX, 0));
    x64_vmovdqu(a, true, true, XMM0, x64_at(RAX, 0));
    advance(a, (s32)WIDE_BYTES);
    jump_back(a, CC_G, again);
    arrive(a, only);
    x64_vmovdqu(a, true, true, XMM_LAST, x64_at(RBX, 0));
    x64_pop(a, RBX);
    x64_vzeroupper(a);
    x64_ret(a);
}

static void common_move(struct x64 *a)
{
    x64_push(a, RBX);
    x64_rr(a, true, A_MOV, RBX, RAX);
    x64_rr(a, true, A_SUB, RBX, RCX);
    x64_gi(a, true, G_SUB, RBX, 1);
    x64_rr(a, true, A_CMP, RBX, RDX);
    u8 *repeats_source = x64_jcc(a, CC_B);
    x64_gi(a, false, G_CMP, RDX, (s32)WIDE_BYTES - 1);
    u8 *fewer = x64_jcc(a, CC_B);
    move_long(a);
    arrive(a, fewer);
    move_half(a);
    move_unit(a, 8);
    move_unit(a, 4);
    move_unit(a, 2);
    load_unit(a, 1, x64_at(RCX, 0), RBX);
    store_unit(a, 1, x64_at(RAX, 0), RBX);
    x64_pop(a, RBX);
    x64_ret(a);
    arrive(a, repeats_source);
    move_repeat(a);
}

/* Units of 4 or 8 bytes differ when ebx does from the storage at rcx: as big-endian numbers. */
static void compare_unit(struct x64 *a, bool w, struct x64_mem one, struct x64_mem other)
{
    x64_rm(a, w, A_MOVBE, RBX, one);
    x64_rm(a, w, A_MOVBE, RCX, other);
    x64_rr(a, w, A_CMP, RBX, RCX);
}

static void compare_end(struct x64 *a)
{
    x64_pop(a, RBX);
    x64_ret(a);
}

/* 4 or 8 bytes to twice as many; further to the left nothing differs where the last unit begins. */
static void compare_units(struct x64 *a, unsigned bytes)
{
    bool w = bytes == 8;
    s32 last = 1 - (s32)bytes;
    x64_gi(a, false, G_CMP, RDX, (s32)bytes - 1);
    u8 *fewer = x64_jcc(a, CC_B);
    x64_rm(a, w, A_MOV, RBX, x64_at(RAX, 0));
    x64_rm(a, w, A_CMP, RBX, x64_at(RCX, 0));
    u8 *differs = x64_jcc(a, CC_NE);
    compare_unit(a, w, x64_idx(RAX, RDX, 0, last), x64_idx(RCX, RDX, 0, last));
    compare_end(a);
    arrive(a, differs);
    compare_unit(a, w, x64_at(RAX, 0), x64_at(RCX, 0));
    compare_end(a);
    arrive(a, fewer);
}

/* ebx = -1 when vectors at rax and rcx are equal, else a bit 0 for each byte that differs. */
static void compare_vectors(struct x64 *a, bool wide)
{
    x64_vmovdqu(a, wide, false, XMM0, x64_at(RAX, 0));
    x64_vector(a, wide, V_CMPEQB, XMM0, XMM0, x64_at(RCX, 0));
    x64_vector_rr(a, wide, V_MOVMSKB, RBX, 0, XMM0);
    x64_gi(a, false, G_CMP, RBX, wide ? -1 : 0xffff);
}

/* The first byte that differs decides. */
static void compare_found(struct x64 *a, bool wide)
{
    if (wide)
        x64_vzeroupper(a);
    x64_g3(a, false, N_NOT, RBX);
    x64_rr(a, false, A_TZCNT, RBX, RBX);
    x64_rm(a, false, A_MOVZX8, RAX, x64_idx(RAX, RBX, 0, 0));
    x64_rm8(a, A_CMP8, RAX, x64_idx(RCX, RBX, 0, 0));
    compare_end(a);
}

/* One vector to any number of them, in a loop; the last may overlap what is known to be equal. */
static void compare_long(struct x64 *a, bool wide)
{
    s32 bytes = wide ? (s32)WIDE_BYTES : (s32)HALF_BYTES;
    x64_gi(a, false, G_CMP, RDX, bytes - 1);
    u8 *fewer = x64_jcc(a, CC_B);
    const u8 *again = a->at;
    compare_vectors(a, wide);
    u8 *differs = x64_jcc(a, CC_NE);
    advance(a, bytes);
    x64_gi(a, true, G_CMP, RDX, bytes - 1);
    jump_back(a, CC_GE, again);
    x64_rm(a, true, A_LEA, RAX, x64_idx(RAX, RDX, 0, 1 - bytes));
    x64_rm(a, true, A_LEA, RCX, x64_idx(RCX, RDX, 0, 1 - bytes));
    compare_vectors(a, wide);
    u8 *differs_last = x64_jcc(a, CC_NE);
    if (wide)
        x64_vzeroupper(a);
    compare_end(a);
    arrive(a, differs);
    arrive(a, differs_last);
    compare_found(a, wide);
    arrive(a, fewer);
}

static void common_compare(struct x64 *a)
{
    x64_push(a, RBX);
    compare_long(a, true);
    compare_long(a, false);
    compare_units(a, 8);
    compare_units(a, 4);
    const u8 *again = a->at; /* up to 3 bytes */
    x64_rm(a, false, A_MOVZX8, RBX, x64_at(RAX, 0));
    x64_rm8(a, A_CMP8, RBX, x64_at(RCX, 0));
    u8 *differs = x64_jcc(a, CC_NE);
    advance(a, 1);
    jump_back(a, CC_NS, again);
    x64_rr(a, false, A_CMP, RBX, RBX);
    arrive(a, differs);
    compare_end(a);
}

/* Eight bytes at a time where the operands do not overlap so that bytes pass on, else one. */
static void common_combine(struct x64 *a, unsigned op)
{
    x64_push(a, RBX);
    x64_push(a, RSI);
    x64_mov_i(a, RSI, 0);
    x64_rr(a, true, A_MOV, RBX, RAX);
    x64_rr(a, true, A_SUB, RBX, RCX);
    x64_gi(a, true, G_SUB, RBX, 1);
    x64_rr(a, true, A_CMP, RBX, RDX);
    u8 *passes_on = x64_jcc(a, CC_B);
    const u8 *again = a->at;
    x64_gi(a, true, G_CMP, RDX, 7);
    u8 *fewer = x64_jcc(a, CC_L);
    x64_rm(a, true, A_MOV, RBX, x64_at(RCX, 0));
    x64_rm(a, true, op, RBX, x64_at(RAX, 0));
    x64_rm(a, true, A_MOV_STORE, RBX, x64_at(RAX, 0));
    x64_rr(a, true, A_OR, RSI, RBX);
    advance(a, 8);
    jump_back(a, CC_NS, again);
    u8 *done = x64_jmp(a);
    arrive(a, passes_on);
    arrive(a, fewer);
    again = a->at;
    x64_rm(a, false, A_MOVZX8, RBX, x64_at(RCX, 0));
    x64_rm8(a, op - 1, RBX, x64_at(RAX, 0));
    x64_rm8(a, A_MOV8_STORE, RBX, x64_at(RAX, 0));
    x64_rr(a, true, A_OR, RSI, RBX);
    advance(a, 1);
    jump_back(a, CC_NS, again);
    arrive(a, done);
    x64_rr(a, true, A_TEST, RSI, RSI);
    x64_pop(a, RSI);
    x64_pop(a, RBX);
    x64_ret(a);
}

void emit_common(struct x64 *a, enum jit_common kind)
{
    switch (kind) {
    case COMMON_MOVE: common_move(a); break;
    case COMMON_COMPARE: common_compare(a); break;
    case COMMON_FILL: common_fill(a); break;
    case COMMON_AND: common_combine(a, A_AND); break;
    case COMMON_OR: common_combine(a, A_OR); break;
    default: common_combine(a, A_XOR); break;
    }
}
