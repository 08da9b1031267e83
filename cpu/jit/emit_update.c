/* Interlocked updates. On one CPU nobody is to be interlocked against, and a plain sequence will
 * do; when another is added, cpu_set_add voids what was translated.
 * The body decides where alignment is missing or the frame holds decoded instructions. */
#include "cpu/jit/emit_internal.h"

#define LOCK 0xf0
#define A_CMPXCHG 0x0fb1

static const struct jit_insn *current(const struct jit_cx *x)
{
    return &x->insn[x->cur];
}

static bool interlock(const struct jit_cx *x)
{
    return x->c->set->count > 1;
}

/* rcx = host address of the operand, aligned. */
static void target(struct jit_cx *x, unsigned size, bool must_align)
{
    unsigned ea = mem_address(x, current(x));
    if (must_align) {
        x64_test_i(&x->a, false, ea, (s32)size - 1);
        slow_if(x, CC_NE);
    }
    mem_host(x, ea, size, true);
    x64_rr(&x->a, true, A_ADD, RCX, ea);
}

static void compare_exchange(struct jit_cx *x, bool w, unsigned desired, struct x64_mem m)
{
    if (interlock(x))
        x64_byte(&x->a, LOCK);
    x64_rm(&x->a, w, A_CMPXCHG, desired, m);
}

/* And, or, exclusive or of an immediate into a byte. */
static void emit_byte(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    u8 code = i->row->op == 0xeb ? i->row->sub & 0x0f : i->row->op & 0x0f;
    enum x64_group1 g = code == 4 ? G_AND : code == 6 ? G_OR : G_XOR;
    target(x, 1, false);
    if (interlock(x))
        x64_byte(&x->a, LOCK);
    x64_rm(&x->a, false, 0x80, g, x64_at(RCX, 0));
    x64_byte(&x->a, (u8)jit_const(&i->d, i->lo->b));
    cc_set(x);
    mem_done(x);
}

/* host = host op operand; the flags are those of the condition code. */
static void combine(struct jit_cx *x, bool w, unsigned host)
{
    const struct jit_insn *i = current(x);
    switch (i->lo->op) {
    case OP_UPADD: x64_gi(&x->a, w, G_ADD, host, (s32)jit_const(&i->d, i->lo->b)); break;
    case OP_LAADD: reg_op(x, w, A_ADD, host, i->d.r3); break;
    case OP_LAAND: reg_op(x, w, A_AND, host, i->d.r3); break;
    case OP_LAOR: reg_op(x, w, A_OR, host, i->d.r3); break;
    default: reg_op(x, w, A_XOR, host, i->d.r3); break;
    }
}

/* rax = the old value; the storage operand at rcx is updated; flags. */
static void update_plain(struct jit_cx *x, bool w)
{
    struct x64 *a = &x->a;
    x64_rm(a, w, A_MOVBE, RAX, x64_at(RCX, 0));
    x64_rr(a, w, A_MOV, RDX, RAX);
    combine(x, w, RDX);
    x64_rm(a, w, A_MOVBE_STORE, RDX, x64_at(RCX, 0));
}

static void update_interlocked(struct jit_cx *x, bool w)
{
    struct x64 *a = &x->a;
    x64_rm(a, w, A_MOV, RAX, x64_at(RCX, 0));
    const u8 *again = a->at;
    x64_rr(a, w, A_MOV, RDX, RAX);
    x64_bswap(a, w, RDX);
    combine(x, w, RDX);
    x64_bswap(a, w, RDX);
    compare_exchange(x, w, RDX, x64_at(RCX, 0));
    x64_patch(a, x64_jcc(a, CC_NE), again);
    x64_bswap(a, w, RAX);
    x64_rr(a, w, A_MOV, RDX, RAX);
    combine(x, w, RDX);
}

/* ADD IMMEDIATE to storage, and LOAD AND ADD and its like, which give the old value. */
static void emit_word(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    bool w = i->lo->width == 64, gives = i->lo->dst == S_R1;
    target(x, w ? 8 : 4, gives || interlock(x));
    if (interlock(x))
        update_interlocked(x, w);
    else
        update_plain(x, w);
    if (gives)
        reg_done(x, w, i->d.r1, RAX);
    cc_set(x);
    mem_done(x);
}

/* When they are equal rax stays, and so does r1. */
static void emit_swap(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    bool w = i->lo->width == 64;
    target(x, w ? 8 : 4, true);
    reg_get(x, w, i->d.r3, RDX);
    x64_bswap(a, w, RDX);
    reg_get(x, w, i->d.r1, RAX);
    x64_bswap(a, w, RAX);
    compare_exchange(x, w, RDX, x64_at(RCX, 0));
    x64_bswap(a, w, RAX);
    reg_done(x, w, i->d.r1, RAX);
    cc_set(x);
    mem_done(x);
}

/* Low halves of r and r + 1 as one number, by way of memory; rcx is kept. */
static void pair_get(struct jit_cx *x, unsigned r, unsigned to)
{
    struct x64 *a = &x->a;
    x64_rm(a, false, A_MOV_STORE, reg_use32(x, r, to), x64_at(RSP, -4));
    x64_rm(a, false, A_MOV_STORE, reg_use32(x, r + 1, to), x64_at(RSP, -8));
    x64_rm(a, true, A_MOV, to, x64_at(RSP, -8));
    x64_bswap(a, true, to);
}

static void emit_swap_pair(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    target(x, 8, true);
    pair_get(x, i->d.r3, RDX);
    pair_get(x, i->d.r1, RAX);
    compare_exchange(x, true, RDX, x64_at(RCX, 0));
    x64_bswap(a, true, RAX);
    reg_done32(x, i->d.r1 + 1u, RAX);
    x64_rorx(a, true, RAX, RAX, 32);
    reg_done32(x, i->d.r1, RAX);
    cc_set(x);
    mem_done(x);
}

static void emit_test_and_set(struct jit_cx *x)
{
    struct x64 *a = &x->a;
    target(x, 1, false);
    x64_mov_i(a, RAX, 0xff);
    x64_rm8(a, 0x86, RAX, x64_at(RCX, 0)); /* xchg, which locks */
    x64_gi(a, false, G_AND, RAX, 0x80);
    cc_set(x);
    mem_done(x);
}

#define RED_ZONE(n) x64_at(RSP, -8 * (n))

/* Sixteen bytes want rbx too, and the address elsewhere: they are put aside below the stack. */
static void emit_swap_quad(struct jit_cx *x)
{
    const struct jit_insn *i = current(x);
    struct x64 *a = &x->a;
    target(x, 16, true);
    for (unsigned k = 0; k < 2; k++)
        x64_rm(a, true, A_MOVBE_STORE, reg_use64(x, i->d.r3 + k, RDX), RED_ZONE(3 + (int)k));
    reg_get64(x, i->d.r1, RAX);
    x64_bswap(a, true, RAX);
    reg_get64(x, i->d.r1 + 1u, RDX);
    x64_bswap(a, true, RDX);
    x64_rm(a, true, A_MOV_STORE, RBX, RED_ZONE(1));
    x64_rm(a, true, A_MOV_STORE, RSI, RED_ZONE(2));
    x64_rr(a, true, A_MOV, RSI, RCX);
    x64_rm(a, true, A_MOV, RBX, RED_ZONE(3));
    x64_rm(a, true, A_MOV, RCX, RED_ZONE(4));
    if (interlock(x))
        x64_byte(a, LOCK);
    x64_rm(a, true, 0x0fc7, 1, x64_at(RSI, 0)); /* cmpxchg16b */
    x64_rm(a, true, A_MOV, RBX, RED_ZONE(1));
    x64_rm(a, true, A_MOV, RSI, RED_ZONE(2));
    x64_bswap(a, true, RAX);
    x64_bswap(a, true, RDX);
    reg_done64(x, i->d.r1, RAX);
    reg_done64(x, i->d.r1 + 1u, RDX);
    cc_set(x);
    mem_done(x);
}

void emit_update(struct jit_cx *x)
{
    switch (current(x)->lo->op) {
    case OP_UPD: emit_byte(x); break;
    case OP_CS: emit_swap(x); break;
    case OP_CDS: emit_swap_pair(x); break;
    case OP_CDSG: emit_swap_quad(x); break;
    case OP_TS: emit_test_and_set(x); break;
    default: emit_word(x); break;
    }
}
