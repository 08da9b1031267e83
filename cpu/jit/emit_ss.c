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
#define SHARED_BYTES_MAX 128u
#define GUESS_INSNS 12u /* how far back the base of an EX is looked for */

#define A_AND_STORE 0x21
#define A_OR_STORE 0x09
#define A_XOR_STORE 0x31
#define A_CMP_STORED 0x39 /* storage with a register */

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

/* Is the target where it was when this was translated? Another one may be any instruction: control
 * leaves behind it. */
static void check_target(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    if (i->ex_at == NOT_EXECUTED || i->row->format != FMT_RX)
        return;
    mem_base_index(x, i->ex.b2, i->ex.r2, i->ex.d2, RAX);
    x64_rm(&x->a, true, A_SUB, RAX, CPU_AT(ia_page));
    x64_gi(&x->a, true, G_CMP, RAX, i->ex_at);
    slow_if(x, CC_NE);
    x->open[x->opens - 1]->other = true;
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
    if (mem_is_open(x, i)) {
        unsigned begun = mem_begin(x);
        x64_rm(&x->a, true, A_LEA, RAX, mem_open(x, i, begun));
        return;
    }
    operand(x, i->d.r2, i->d.ss.d1, length(i), store);
}

/* rax = host address of the first, rcx = that of the second. What a window or an anchor serves
 * comes first: it is open behind the instruction, whether the second is there or not, and may call
 * what loses c->scratch. */
static void operands(struct jit_cx *x, bool store)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    if (mem_is_open(x, i)) {
        first_operand(x, store);
        x64_rm(a, true, A_MOV_STORE, RAX, CPU_AT(scratch));
        operand(x, i->d.b2, i->d.ss.d2, length(i), false);
        x64_rr(a, true, A_MOV, RCX, RAX);
        x64_rm(a, true, A_MOV, RAX, CPU_AT(scratch));
        return;
    }
    operand(x, i->d.b2, i->d.ss.d2, length(i), false);
    x64_rm(a, true, A_MOV_STORE, RAX, CPU_AT(scratch));
    first_operand(x, store);
    x64_rm(a, true, A_MOV, RCX, CPU_AT(scratch));
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

/* At most 15 bytes: one unit, or two that may overlap, both loaded before one is stored. */
static void move_short(struct x64 *a, unsigned len)
{
    unsigned unit = unit_of(len);
    s32 last = (s32)(len - unit);
    emit_load_unit(a, unit, x64_at(RCX, 0), RDX);
    if (last)
        emit_load_unit(a, unit, x64_at(RCX, last), RCX);
    emit_store_unit(a, unit, x64_at(RAX, 0), RDX);
    if (last)
        emit_store_unit(a, unit, x64_at(RAX, last), RCX);
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

/* ---- loops of nothing but MVC of 256 bytes, as memcpy has: many pieces at once, all but the last,
 * which goes the usual way ---- */

#define PIECE_BYTES 256
#define PIECES_MIN 4

/* The branch of a loop that moves a piece, advances both operands and counts; or NULL. */
static const struct jit_insn *moving_loop(const struct jit_cx *x)
{
    const struct jit_insn *i = current(x), *last;
    const struct jit_block *b = &x->block[x->cur_block];
    u16 bases = (u16)(1u << i->d.r2 | 1u << i->d.b2), advanced = 0;
    last = region_last(x, b);
    if (b->taken != (int)x->cur_block || last->lo->op != OP_BRCT || last->lo->width != 64 ||
        length(i) != PIECE_BYTES || !i->amode64 || i->ex_at != NOT_EXECUTED)
        return NULL;
    for (const struct jit_insn *k = &x->insn[b->first]; k < last; k++) {
        if (k == i || (k->lo && k->lo->op == OP_NOP))
            continue;
        bool step = k->lo && k->lo->op == OP_LA && k->lo->b == S_MEM && k->index >= ZERO_REG &&
                    k->base == k->d.r1 && k->disp == PIECE_BYTES;
        if (!step || (advanced >> k->d.r1 & 1))
            return NULL;
        advanced |= (u16)(1u << k->d.r1);
    }
    bool two = i->d.r2 != i->d.b2 && i->d.r2 < ZERO_REG && i->d.b2 < ZERO_REG;
    return two && advanced == bases && !(bases >> last->d.r1 & 1) ? last : NULL;
}

/* Register g += rax, or -= rax. */
static void step_register(struct jit_cx *x, unsigned g, bool add)
{
    unsigned to = reg_def64(x, g, RDX);
    if (to == RDX)
        reg_get64(x, g, RDX);
    x64_rr(&x->a, true, add ? A_ADD : A_SUB, to, RAX);
    reg_done64(x, g, to);
}

static void emit_pieces(struct jit_cx *x, const struct jit_insn *last)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    s32 insns = x->block[x->cur_block].count;
    if (x->bear >= 0)
        return;
    reg_widen(x, (u16)(i->reads64 | 1u << last->d.r1));
    reg_get64(x, last->d.r1, RDX);
    x64_gi(a, true, G_SUB, RDX, 1);
    x64_gi(a, true, G_CMP, RDX, PIECES_MIN);
    u8 *few = x64_jcc(a, CC_B);
    x64_mov_mem_i(a, true, CPU_AT(scratch), insns);
    mem_base_disp(x, i->d.b2, i->d.ss.d2, RCX);
    mem_base_disp(x, i->d.r2, i->d.ss.d1, RAX);
    fp_write_back(x, x->fp_dirty);
    call_common(x, COMMON_PIECES);
    fp_reload(x, x->fp_cached);
    x64_rr(a, true, A_TEST, RAX, RAX);
    u8 *none = x64_jcc(a, CC_E);
    x64_imul_i(a, true, RCX, RAX, insns);
    x64_rr(a, true, A_SUB, H_N, RCX);
    step_register(x, last->d.r1, false);
    x64_shift_i(a, true, S_SHL, RAX, 8);
    step_register(x, i->d.r2, true);
    step_register(x, i->d.b2, true);
    x->bear = last->at; /* it was taken */
    emit_bear(x);
    x64_patch(a, few, a->at);
    x64_patch(a, none, a->at);
}

static void emit_mvc(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    unsigned len = length(i), dist = distance(i);
    const struct jit_insn *loop = moving_loop(x);
    if (loop)
        emit_pieces(x, loop);
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

/* rdx = an operand as a number. */
static void number(struct jit_cx *x, unsigned base, s32 disp, unsigned len)
{
    mem_base_disp(x, base, disp, RAX);
    mem_host(x, RAX, len, false);
    load_number(&x->a, len, x64_idx(RCX, RAX, 0, 0));
}

static void compare_numbers(struct jit_cx *x, unsigned len)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    if (mem_is_open(x, i)) { /* see operands */
        unsigned begun = mem_begin(x);
        load_number(a, len, mem_open(x, i, begun));
        x64_rm(a, true, A_MOV_STORE, RDX, CPU_AT(scratch));
        number(x, i->d.b2, i->d.ss.d2, len);
        x64_rm(a, true, A_CMP_STORED, RDX, CPU_AT(scratch));
        return;
    }
    number(x, i->d.b2, i->d.ss.d2, len);
    x64_rm(a, true, A_MOV_STORE, RDX, CPU_AT(scratch));
    number(x, i->d.r2, i->d.ss.d1, len);
    x64_rm(a, true, A_CMP, RDX, CPU_AT(scratch));
}

static void emit_clc(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    unsigned len = length(i);
    if (is_unit(len)) {
        compare_numbers(x, len);
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
    emit_store_unit(a, unit, x64_at(RAX, 0), RDX);
    if (len > unit)
        emit_store_unit(a, unit, x64_at(RAX, (s32)(len - unit)), RDX);
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

/* Of instructions that store only what has no other operand: else the page would be noted as
 * changed before it is known that the other can be fetched. */
unsigned ss_bytes(const struct jit_insn *i)
{
    if (variable(i) || i->ex_at != NOT_EXECUTED)
        return 0;
    bool clears = i->does->op == 0xd7 && same_operand(i);
    return (i->lo->op == OP_CLC || clears) && length(i) <= SHARED_BYTES_MAX ? length(i) : 0;
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
