/* The condition code while code is emitted.
 * Host flags are used at once by a branch that follows. Otherwise the condition code is stored
 * into c->cc, or, when only out-of-line code may ask and the operands stay where they are, not at
 * all: then whoever asks makes the flags again (cc_again). region_cc_need decides.
 * RCX and RDX are scratch. */
#include "cpu/jit/emit_internal.h"

static struct x64_mem cc_home(void)
{
    return CPU_AT(cc);
}

static u64 tm_mask(const struct jit_insn *i)
{
    return (u64)jit_const(&i->d, i->lo->b);
}

/* cc = 2 * high + low, each a flag; flags are kept. */
static void store_two(struct jit_cx *x, enum x64_cond two, enum x64_cond one)
{
    struct x64 *a = &x->a;
    x64_setcc(a, two, RCX);
    x64_setcc(a, one, RDX);
    x64_rm(a, false, A_LEA, RCX, x64_idx(RDX, RCX, 1, 0));
    x64_rm8(a, A_MOV8_STORE, RCX, cc_home());
}

/* Store what the flags say; flags are kept. */
static void store_flags(struct jit_cx *x, const struct jit_insn *i)
{
    struct x64 *a = &x->a;
    switch (i->lo->cc) {
    case CCK_SIGNED: store_two(x, CC_G, CC_L); break;
    case CCK_UNSIGNED: store_two(x, CC_A, CC_B); break;
    case CCK_CARRY: store_two(x, CC_B, CC_NE); break;
    case CCK_BORROW:
    case CCK_BORROW2: store_two(x, CC_AE, CC_NE); break;
    case CCK_LOGIC:
        x64_setcc(a, CC_NE, RCX);
        x64_rm8(a, A_MOV8_STORE, RCX, cc_home());
        break;
    case CCK_ARITH: {
        store_two(x, CC_G, CC_L);
        struct jit_stub *s = stub_new(x, STUB_CC3, x64_jcc(a, CC_O));
        s->back = a->at;
        break;
    }
    case CCK_FP: {
        store_two(x, CC_A, CC_B);
        struct jit_stub *s = stub_new(x, STUB_CC3, x64_jcc(a, CC_P));
        s->back = a->at;
        break;
    }
    default: /* TM of one bit: 0 or 3 */
        x64_setcc(a, CC_NE, RCX);
        x64_rm(a, false, A_LEA, RCX, x64_idx(RCX, RCX, 1, 0));
        x64_rm8(a, A_MOV8_STORE, RCX, cc_home());
        break;
    }
}

/* ... in a stub, where no further stub can be made. */
static void store_flags_stub(struct jit_cx *x, const struct jit_insn *i)
{
    struct x64 *a = &x->a;
    bool fp = i->lo->cc == CCK_FP;
    if (i->lo->cc != CCK_ARITH && !fp) {
        store_flags(x, i);
        return;
    }
    store_two(x, fp ? CC_A : CC_G, fp ? CC_B : CC_L);
    u8 *no = x64_jcc(a, fp ? CC_NP : CC_NO);
    x64_mov8_mem(a, cc_home(), 3);
    x64_patch(a, no, a->at);
}

/* Second operand of a comparison or sum with the register in `host`. */
static void op_second(struct jit_cx *x, const struct jit_insn *i, enum x64_group1 g,
                      unsigned host)
{
    const struct lowering *lo = i->lo;
    bool w = lo->width == 64;
    if (jit_src_const(lo->b)) {
        s64 v = jit_const(&i->d, lo->b);
        if (!w || v == (s32)v) {
            x64_gi(&x->a, w, g, host, (s32)v);
            return;
        }
        x64_mov_i(&x->a, RDX, (u64)v);
        x64_rr(&x->a, w, (unsigned)g << 3 | 3, host, RDX);
        return;
    }
    unsigned b = jit_reg(&i->d, lo->b);
    if (w && lo->ext == X_S32) {
        reg_get32(x, b, RDX);
        x64_rr(&x->a, true, A_MOVSXD, RDX, RDX);
        x64_rr(&x->a, w, (unsigned)g << 3 | 3, host, RDX);
    } else if (w && lo->ext == X_U32) {
        reg_get32(x, b, RDX);
        x64_rr(&x->a, w, (unsigned)g << 3 | 3, host, RDX);
    } else {
        reg_op(x, w, (unsigned)g << 3 | 3, host, b);
    }
}

static struct x64_mem kept_in(unsigned cell)
{
    struct x64_mem m = CPU_AT(jit_kept);
    m.disp += (s32)(sizeof(u64) * cell);
    return m;
}

void cc_keep(struct jit_cx *x, unsigned host)
{
    const struct jit_insn *i = &x->insn[x->cur];
    if (i->cc_kept)
        x64_rm(&x->a, true, A_MOV_STORE, host, kept_in(i->cc_kept - 1u));
}

void cc_keep_first(struct jit_cx *x, unsigned host)
{
    if (x->insn[x->cur].cc_keeps & CC_KEEPS_FIRST)
        x64_rm(&x->a, true, A_MOV_STORE, host, kept_in(JIT_KEPT));
}

void cc_keep_second(struct jit_cx *x, struct second b)
{
    bool w = x->insn[x->cur].lo->width == 64;
    if (!(x->insn[x->cur].cc_keeps & CC_KEEPS_SECOND))
        return;
    unsigned host = b.kind == SECOND_GUEST ? reg_use(x, w, b.reg, RDX) : b.reg;
    x64_rm(&x->a, true, A_MOV_STORE, host, kept_in(JIT_KEPT + 1));
}

/* Where operands are kept: */
struct kept {
    bool first, second;
    struct x64_mem at[2];
};

static struct kept kept_of(const struct jit_insn *i)
{
    struct kept k = {.first = i->cc_keeps & CC_KEEPS_FIRST,
                     .second = i->cc_keeps & CC_KEEPS_SECOND,
                     .at = {kept_in(JIT_KEPT), kept_in(JIT_KEPT + 1)}};
    if (!i->cc_kept)
        return k;
    bool first = i->lo->a == S_MEM;
    k.at[!first] = kept_in(i->cc_kept - 1u);
    *(first ? &k.first : &k.second) = true;
    return k;
}

static void again_second(struct jit_cx *x, const struct jit_insn *i, const struct kept *k,
                         enum x64_group1 g, unsigned host)
{
    if (k->second)
        x64_rm(&x->a, i->lo->width == 64, (unsigned)g << 3 | 3, host, k->at[1]);
    else
        op_second(x, i, g, host);
}

/* All of the registers that are still what they were. */
static void widen_there(struct jit_cx *x, const struct jit_insn *i, const struct kept *k)
{
    const struct lowering *lo = i->lo;
    unsigned a = lo->op == OP_CMP ? jit_reg(&i->d, lo->a) : i->d.r1, b = jit_reg(&i->d, lo->b);
    unsigned there =
        (k->first || a >= ZERO_REG ? 0 : 1u << a) | (k->second || b >= ZERO_REG ? 0 : 1u << b);
    reg_widen(x, (i->reads64 | i->writes64) & (u16)there);
}

/* The flags of an instruction that keeps something. */
static void again_kept(struct jit_cx *x, const struct jit_insn *i)
{
    const struct lowering *lo = i->lo;
    struct kept k = kept_of(i);
    bool w = lo->width == 64, compares = lo->op == OP_CMP, add = lo->op == OP_ADD;
    unsigned a = compares ? jit_reg(&i->d, lo->a) : i->d.r1;
    if (!compares && (lo->cc == CCK_LOGIC || lo->cc == CCK_SIGNED)) {
        x64_gi_mem(&x->a, w, G_CMP, k.at[0], 0);
        return;
    }
    widen_there(x, i, &k);
    unsigned host = compares && !k.first ? reg_use(x, w, a, RCX) : (unsigned)RCX;
    if (k.first)
        x64_rm(&x->a, true, A_MOV, RCX, k.at[0]);
    else if (!compares) {
        reg_get(x, w, a, RCX);
        again_second(x, i, &k, add ? G_SUB : G_ADD, RCX);
    }
    again_second(x, i, &k, compares ? G_CMP : add ? G_ADD : G_SUB, host);
}

/* The flags of instruction i once more, from its operands or its result. Uses rcx, rdx. */
void cc_again(struct jit_cx *x, const struct jit_insn *i)
{
    const struct lowering *lo = i->lo;
    struct x64 *a = &x->a;
    bool w = lo->width == 64;
    if (lo->op >= OP_ADC && lo->op < OP_BC)
        return; /* nobody will look at it: region_cc_need */
    if (lo->cc == CCK_FP) {
        fp_cc_again(x, i);
        return;
    }
    if (i->cc_keeps || i->cc_kept) {
        again_kept(x, i);
        return;
    }
    reg_widen(x, i->reads64 | i->writes64);
    if (lo->op == OP_CMP) {
        unsigned g = jit_reg(&i->d, lo->a);
        op_second(x, i, G_CMP, w ? reg_use64(x, g, RCX) : reg_use32(x, g, RCX));
        return;
    }
    if (lo->op == OP_TM) {
        unsigned g = jit_reg(&i->d, lo->a);
        unsigned h = w ? reg_use64(x, g, RCX) : reg_use32(x, g, RCX);
        if (w) {
            x64_mov_i(a, RDX, tm_mask(i));
            x64_rr(a, true, A_TEST, RDX, h);
        } else {
            x64_test_i(a, false, h, (s32)tm_mask(i));
        }
        return;
    }
    if (lo->op == OP_FAND || lo->op == OP_FOR) {
        unsigned h = w ? reg_use64(x, i->d.r1, RCX) : reg_use32(x, i->d.r1, RCX);
        x64_mov_i(a, RDX, jit_field(lo->b));
        x64_rr(a, w, A_TEST, RDX, h);
        return;
    }
    if (lo->cc == CCK_SIGNED || lo->cc == CCK_LOGIC) {
        unsigned h = w ? reg_use64(x, i->d.r1, RCX) : reg_use32(x, i->d.r1, RCX);
        x64_rr(a, w, A_TEST, h, h);
        return;
    }
    /* a sum: first operand = result -+ second, then the operation again */
    bool add = lo->op == OP_ADD;
    if (w)
        reg_get64(x, i->d.r1, RCX);
    else
        reg_get32(x, i->d.r1, RCX);
    op_second(x, i, add ? G_SUB : G_ADD, RCX);
    op_second(x, i, add ? G_ADD : G_SUB, RCX);
}

void cc_carry_again(struct jit_cx *x, const struct jit_insn *i)
{
    struct kept k = kept_of(i);
    bool w = i->lo->width == 64, add = i->lo->op == OP_ADD;
    if ((!add && i->lo->op != OP_SUB) || k.first) {
        cc_again(x, i);
        return;
    }
    widen_there(x, i, &k);
    if (add) { /* the sum is below what was added */
        again_second(x, i, &k, G_CMP, reg_use(x, w, i->d.r1, RCX));
    } else {
        reg_get(x, w, i->d.r1, RCX);
        again_second(x, i, &k, G_ADD, RCX);
    }
}

void cc_is_in_memory(struct jit_cx *x)
{
    x->cc = (struct cc_now){.in_memory = true};
}

bool cc_keeps_flags(const struct jit_insn *i)
{
    return i->lo && i->lo->op == OP_MOV && jit_src_const(i->lo->b);
}

const struct jit_insn *cc_next_user(const struct jit_cx *x)
{
    const struct jit_block *b = &x->block[x->cur_block];
    for (unsigned n = x->cur + 1; n < b->first + (unsigned)b->count; n++) {
        const struct jit_insn *i = &x->insn[n];
        if (!cc_keeps_flags(i))
            return i->lo && i->cc_use ? i : NULL;
    }
    return NULL;
}

bool cc_wanted(const struct jit_cx *x)
{
    return cc_next_user(x) || region_cc_need(x, x->cur) != CC_DEAD;
}

void cc_set(struct jit_cx *x)
{
    const struct jit_insn *i = &x->insn[x->cur];
    enum cc_need need = region_cc_need(x, x->cur);
    if (need == CC_MEMORY)
        store_flags(x, i);
    else if (need == CC_MARK)
        x64_mov8_mem(&x->a, cc_home(), (u8)(CC_MARK_FIRST + i->cc_mark - 1));
    else if (need == CC_STUBS && i->lo->cc == CCK_FP)
        fp_cc_keep(x);
    x->cc = (struct cc_now){.in_memory = need == CC_MEMORY, .fresh = true, .of = i};
}

/* What SAHF makes of each condition code: sign, zero, carry; overflow in the byte below. */
#define SF 0x8000ull
#define ZF 0x4000ull
#define CF 0x0100ull
#define OF 0x0001ull
static u64 flags_table(u8 kind)
{
    switch (kind) {
    case CCK_SIGNED:
    case CCK_ARITH: return ZF | SF << 16 | OF << 48;
    case CCK_UNSIGNED: return ZF | CF << 16;
    case CCK_CARRY: return ZF | (ZF | CF) << 32 | CF << 48;
    case CCK_BORROW:
    case CCK_BORROW2: return (ZF | CF) | CF << 16 | ZF << 32;
    default: return ZF;
    }
}

void cc_flags(struct jit_cx *x, u8 kind)
{
    struct x64 *a = &x->a;
    x64_rm(a, false, A_MOVZX8, RCX, cc_home());
    x64_shift_i(a, false, S_SHL, RCX, 4);
    x64_mov_i(a, RDX, flags_table(kind));
    x64_shiftx(a, true, S_SHR, RAX, RDX, RCX);
    x64_byte(a, 0x04); /* add al, 0x7f: overflow when al is 1 */
    x64_byte(a, 0x7f);
    x64_byte(a, 0x9e); /* sahf, which leaves overflow */
}

/* c->cc may be one of these marks: then what it stands for. */
static void marks_to_memory(struct jit_cx *x, u16 marks)
{
    struct x64 *a = &x->a;
    u16 lo = x->lo;
    for (unsigned k = 0; k < x->marks; k++) {
        if (!(marks >> k & 1))
            continue;
        const struct jit_insn *of = &x->insn[x->marked[k]];
        x64_cmp8_mem(a, cc_home(), (u8)(CC_MARK_FIRST + k));
        u8 *other = x64_jcc(a, CC_NE);
        cc_again(x, of);
        store_flags_stub(x, of);
        x64_patch(a, other, a->at);
        x->lo = lo; /* wide only there */
    }
}

void cc_store_now(struct jit_cx *x, const struct cc_now *cc)
{
    if (cc->in_memory) {
        marks_to_memory(x, cc->maybe);
        return;
    }
    cc_again(x, cc->of);
    store_flags_stub(x, cc->of);
}

void cc_settle(struct jit_cx *x, unsigned b)
{
    if (cc_settled(x, b))
        return;
    cc_store_now(x, &x->cc);
    cc_is_in_memory(x);
}

void cc_to_memory(struct jit_cx *x)
{
    if (x->cc.in_memory) {
        marks_to_memory(x, x->cc.maybe);
    } else {
        if (!x->cc.fresh)
            cc_again(x, x->cc.of);
        store_flags(x, x->cc.of);
    }
    cc_is_in_memory(x);
}

/* ---- branches ---- */

/* mask & 14 of a comparison, as a host condition. */
static enum x64_cond cond_of(unsigned mask, bool is_signed)
{
    switch (mask & 14) {
    case 8: return CC_E;
    case 4: return is_signed ? CC_L : CC_B;
    case 2: return is_signed ? CC_G : CC_A;
    case 12: return is_signed ? CC_LE : CC_BE;
    case 10: return is_signed ? CC_GE : CC_AE;
    default: return CC_NE;
    }
}

enum x64_cond cc_compare_cond(unsigned mask, bool is_signed)
{
    return cond_of(mask, is_signed);
}

enum how { HOW_COND, HOW_ALWAYS, HOW_NEVER, HOW_OVERFLOW, HOW_UNORDERED, HOW_MEMORY };

static enum how how_logic(unsigned mask, unsigned zero, unsigned not_zero, enum x64_cond *cond)
{
    bool z = mask & zero, n = mask & not_zero;
    *cond = z ? CC_E : CC_NE;
    return z && n ? HOW_ALWAYS : !z && !n ? HOW_NEVER : HOW_COND;
}

static enum how how_compare(unsigned mask, bool is_signed, enum x64_cond *cond)
{
    if ((mask & 14) == 14)
        return HOW_ALWAYS;
    if ((mask & 14) == 0)
        return HOW_NEVER;
    *cond = cond_of(mask, is_signed);
    return HOW_COND;
}

static enum how how_carry(unsigned mask, enum x64_cond *cond)
{
    switch (mask) {
    case 12: *cond = CC_AE; return HOW_COND;
    case 3: *cond = CC_B; return HOW_COND;
    case 10: *cond = CC_E; return HOW_COND;
    case 5: *cond = CC_NE; return HOW_COND;
    default: return HOW_MEMORY;
    }
}

/* The same as how_carry with the carry the other way round. */
static enum how how_borrow2(unsigned mask, enum x64_cond *cond)
{
    enum how how = how_carry(mask, cond);
    if (*cond == CC_AE || *cond == CC_B)
        *cond ^= 1;
    return how;
}

/* Condition code 0 cannot be: 1 borrow, 2 zero, 3 neither. */
static enum how how_borrow(unsigned mask, enum x64_cond *cond)
{
    static const enum x64_cond of[8] = {
        [4] = CC_B, [2] = CC_E, [1] = CC_A, [6] = CC_BE, [3] = CC_AE, [5] = CC_NE};
    *cond = of[mask & 7];
    return (mask & 7) == 7 ? HOW_ALWAYS : (mask & 7) == 0 ? HOW_NEVER : HOW_COND;
}

/* Can the sum overflow to zero? Not when what is added is a constant other than the least. */
static bool zero_overflow(const struct jit_insn *i)
{
    return !jit_src_const(i->lo->b) || i->d.imm == INT32_MIN;
}

static enum how how_arith(const struct jit_insn *i, unsigned mask, enum x64_cond *cond)
{
    if ((mask & 15) == 1 || (mask & 15) == 14) {
        *cond = mask & 1 ? CC_O : CC_NO;
        return HOW_COND;
    }
    enum how how = how_compare(mask, true, cond);
    if ((mask == 8 || mask == 7) && !zero_overflow(i))
        return HOW_COND;
    return how == HOW_COND ? HOW_OVERFLOW : HOW_MEMORY;
}

/* Unordered is both "below" and "equal" to the host, and the parity flag. */
static enum how how_fp(unsigned mask, enum x64_cond *cond)
{
    if ((mask & 14) == 14 || (mask & 14) == 0) {
        *cond = mask & 1 ? CC_P : CC_NP;
        return HOW_COND;
    }
    *cond = cond_of(mask, false);
    bool host_takes = *cond == CC_E || *cond == CC_B || *cond == CC_BE;
    return host_takes == (mask & 1) ? HOW_COND : HOW_UNORDERED;
}

static enum how how_of(const struct jit_insn *i, bool inverted, unsigned mask,
                       enum x64_cond *cond)
{
    switch (i->lo->cc) {
    case CCK_SIGNED: return how_compare(mask, true, cond);
    case CCK_UNSIGNED: return how_compare(mask, false, cond);
    case CCK_LOGIC: return how_logic(mask, 8, 4, cond);
    case CCK_CARRY: return how_carry(mask, cond);
    case CCK_BORROW: return how_borrow(mask, cond);
    case CCK_BORROW2: return how_borrow2(mask, cond);
    case CCK_ARITH: return how_arith(i, mask, cond);
    case CCK_FP: return how_fp(mask, cond);
    default: return inverted ? how_logic(mask, 1, 8, cond) : how_logic(mask, 8, 1, cond);
    }
}

static void add_jump(struct jumps *j, u8 *at)
{
    j->at[j->count++] = at;
}

/* c->cc against the mask: carry when it is selected. */
static void test_memory(struct jit_cx *x, unsigned mask)
{
    struct x64 *a = &x->a;
    unsigned bits = (mask >> 3 & 1) | (mask >> 1 & 2) | (mask << 1 & 4) | (mask << 3 & 8);
    x64_rm(a, false, A_MOVZX8, RCX, cc_home());
    x64_mov_i(a, RDX, bits);
    x64_rr(a, false, 0x0fa3, RCX, RDX); /* bt edx, ecx */
}

static void branch_memory(struct jit_cx *x, unsigned mask, struct jumps *taken)
{
    test_memory(x, mask);
    add_jump(taken, x64_jcc(&x->a, CC_B));
}

bool cc_one_cond(struct jit_cx *x, unsigned mask, enum x64_cond *cond)
{
    const struct jit_insn *i = x->cc.of;
    enum how how = i && (x->cc.fresh || !x->cc.in_memory)
                       ? how_of(i, x->cc.fresh && x->cc.inverted, mask, cond)
                       : HOW_MEMORY;
    if (how == HOW_COND && !x->cc.fresh)
        cc_again(x, i);
    if (how == HOW_MEMORY) {
        cc_to_memory(x);
        test_memory(x, mask);
        *cond = CC_B;
    }
    return how == HOW_COND || how == HOW_MEMORY;
}

bool cc_cond_again(const struct jit_cx *x, unsigned mask, u16 writes, enum x64_cond *cond)
{
    const struct jit_insn *i = x->cc.of;
    bool again = false;
    if (!i || i + 1 != &x->insn[x->cur] || i->lo->cc == CCK_FP || i->cc_keeps || i->cc_kept)
        return false;
    u16 operands = cc_operands(i, &again);
    bool bit = i->lo->op != OP_TM || __builtin_popcountll(tm_mask(i)) == 1;
    return again && bit && !(operands & writes) && how_of(i, false, mask, cond) == HOW_COND;
}

void cc_branch(struct jit_cx *x, unsigned mask, struct jumps *taken, struct jumps * not )
{
    struct x64 *a = &x->a;
    const struct jit_insn *i = x->cc.of;
    enum x64_cond cond = CC_E;
    enum how how = i && (x->cc.fresh || !x->cc.in_memory)
                       ? how_of(i, x->cc.fresh && x->cc.inverted, mask, &cond)
                       : HOW_MEMORY;
    if (how == HOW_MEMORY) {
        if (!x->cc.in_memory || x->cc.maybe)
            cc_to_memory(x);
        branch_memory(x, mask, taken);
        return;
    }
    if (!x->cc.fresh && how != HOW_ALWAYS && how != HOW_NEVER)
        cc_again(x, i);
    if (how == HOW_OVERFLOW)
        add_jump(mask & 1 ? taken : not, x64_jcc(a, CC_O));
    if (how == HOW_UNORDERED)
        add_jump(mask & 1 ? taken : not, x64_jcc(a, CC_P));
    if (how != HOW_ALWAYS && how != HOW_NEVER)
        add_jump(taken, x64_jcc(a, cond));
    if (how == HOW_ALWAYS)
        add_jump(taken, x64_jmp(a));
}
