/* Common code that translated storage-to-storage instructions call (enum jit_common): one copy
 * for all regions, before them. And moves of many pieces of 256 bytes, for loops of these. */
#include "cpu/insn/operand.h"
#include "cpu/jit/emit_internal.h"
#include "mem/base/copy.h"

#define XMM0 0u
#define XMM_LAST 1u
#define WIDE_BYTES 32u
#define HALF_BYTES 16u

void emit_load_unit(struct x64 *a, unsigned unit, struct x64_mem m, unsigned to)
{
    unsigned op = unit >= 4 ? A_MOV : unit == 2 ? A_MOVZX16 : A_MOVZX8;
    x64_rm(a, unit == 8, op, to, m);
}

void emit_store_unit(struct x64 *a, unsigned unit, struct x64_mem m, unsigned from)
{
    if (unit == 1)
        x64_rm8(a, A_MOV8_STORE, from, m);
    else if (unit == 2)
        x64_rm16(a, A_MOV_STORE, from, m);
    else
        x64_rm(a, unit == 8, A_MOV_STORE, from, m);
}

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
    emit_load_unit(a, bytes, x64_at(RCX, 0), RBX);
    emit_load_unit(a, bytes, x64_idx(RCX, RDX, 0, last), RCX);
    emit_store_unit(a, bytes, x64_at(RAX, 0), RBX);
    emit_store_unit(a, bytes, x64_idx(RAX, RDX, 0, last), RCX);
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
    emit_load_unit(a, 1, x64_at(RCX, 0), RBX);
    emit_store_unit(a, 1, x64_at(RAX, 0), RBX);
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

/* ---- many pieces ---- */

#define PIECE_BYTES 256u
#define PIECES_MAX 256u /* at a time, some microseconds */

static bool repeats_source(const u8 *to, const u8 *from, u64 len)
{
    return (uintptr_t)to - (uintptr_t)from - 1 < len - 1;
}

/* Bytes from ea on, at most `len`, that the TLB has and the host has behind one another. */
static u64 in_a_row(const struct tlb_entry *entries, u64 ea, u64 len)
{
    u64 page = ea & ~(u64)(FRAME_BYTES - 1), bytes = page_room(ea);
    const struct tlb_entry *e = &entries[tlb_index(ea)];
    u64 addend = e->addend;
    if (e->tag != page)
        return 0;
    for (; bytes < len; bytes += FRAME_BYTES) {
        e = &entries[tlb_index(ea + bytes)];
        if (e->tag != ea + bytes || e->addend != addend)
            break;
    }
    return min_u64(bytes, len);
}

/* Whole pieces that stand in a row on both sides; 0: look closer. */
static u64 pieces_in_a_row(const struct cpu *c, u64 to, u64 from, u64 pieces)
{
    const struct tlb_space *sp = c->space[0];
    u64 room_to = in_a_row(sp->store, to, pieces * PIECE_BYTES);
    u64 n = in_a_row(sp->fetch, from, room_to) / PIECE_BYTES, len = n * PIECE_BYTES;
    if (n == 0)
        return 0;
    u8 *d = tlb_store(sp, to, 1);
    const u8 *s = tlb_fetch(sp, from, 1);
    if (repeats_source(d, s, len))
        return 0;
    copy_bytes(d, s, len);
    return n;
}

/* One piece, in as many stretches as pages tell. */
static u64 piece_across(const struct cpu *c, u64 to, u64 from)
{
    const struct tlb_space *sp = c->space[0];
    unsigned d1 = (unsigned)min_u64(page_room(to), PIECE_BYTES), d2 = PIECE_BYTES - d1;
    unsigned s1 = (unsigned)min_u64(page_room(from), PIECE_BYTES), s2 = PIECE_BYTES - s1;
    u8 *d[2] = {tlb_store(sp, to, d1), d2 ? tlb_store(sp, to + d1, d2) : NULL};
    const u8 *s[2] = {tlb_fetch(sp, from, s1), s2 ? tlb_fetch(sp, from + s1, s2) : NULL};
    if (!d[0] || !s[0] || (d2 && !d[1]) || (s2 && !s[1]))
        return 0;
    for (unsigned at = 0, len; at < PIECE_BYTES; at += len) {
        unsigned to_page = at < d1 ? d1 : PIECE_BYTES, from_page = at < s1 ? s1 : PIECE_BYTES;
        len = (to_page < from_page ? to_page : from_page) - at;
        move_forward(at < d1 ? d[0] + at : d[1] + (at - d1),
                     at < s1 ? s[0] + at : s[1] + (at - s1), len);
    }
    return 1;
}

u64 jit_move_pieces(struct cpu *c, u64 to, u64 from, u64 pieces, long n)
{
    u64 left = n > 0 ? ((u64)n - 1) / c->scratch : 0; /* a block may overdraw the budget */
    u64 most = min_u64(min_u64(pieces, PIECES_MAX), left), done = 0;
    while (done < most) {
        u64 k = pieces_in_a_row(c, to, from, most - done);
        if (k == 0)
            k = piece_across(c, to, from);
        if (k == 0)
            break;
        done += k;
        to += k * PIECE_BYTES;
        from += k * PIECE_BYTES;
    }
    return done;
}

/* What a C function may change is kept; the stack is as at a function's entry. */
static void common_pieces(struct x64 *a)
{
    static const u8 kept[] = {RSI, RDI, R8, R9, R10, R11};
    for (unsigned k = 0; k < ARRAY_LEN(kept); k++)
        x64_push(a, kept[k]);
    cpu_pointer(a);
    x64_rr(a, true, A_MOV, RSI, RAX);
    x64_rr(a, true, A_MOV, R8, H_N);
    x64_rr(a, true, A_MOV, RAX, RCX);
    x64_rr(a, true, A_MOV, RCX, RDX);
    x64_rr(a, true, A_MOV, RDX, RAX);
    x64_call_to(a, (const void *)(uintptr_t)jit_move_pieces);
    for (unsigned k = ARRAY_LEN(kept); k-- > 0;)
        x64_pop(a, kept[k]);
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
    case COMMON_XOR: common_combine(a, A_XOR); break;
    case COMMON_FP_STORE:
    case COMMON_FP_LOAD: fp_common(a, kind == COMMON_FP_LOAD); break;
    case COMMON_PIECES: common_pieces(a); break;
    default: emit_common_slow(a, kind); break;
    }
}
