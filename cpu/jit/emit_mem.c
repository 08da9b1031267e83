/* Storage operands: effective address, look-up in the TLB, load and store.
 * The look-up is that of mem/tlb.h: one compare with the page of the operand's last byte.
 * RAX: address; RCX, RDX: scratch, then RCX = what is to be added to the address. */
#include "cpu/jit/emit_internal.h"

#define LOW_PROTECTED_BYTES 512
#define DISP_SPAN (1 << 20) /* what displacements and lengths add at most */
_Static_assert(sizeof(struct tlb_entry) == 16, "scaled by shifting");
_Static_assert(offsetof(struct tlb_entry, tag) == 0 && offsetof(struct tlb_entry, addend) == 8,
               "emitted code relies on it");

unsigned ext_size(u8 ext)
{
    switch (ext) {
    case X_S8:
    case X_U8: return 1;
    case X_S16:
    case X_U16:
    case X_REV16: return 2;
    case X_64:
    case X_FP64:
    case X_REV64: return 8;
    default: return 4;
    }
}

static bool amode64(const struct jit_cx *x)
{
    return (x->mode & JIT_MODE_AMODE) == JIT_MODE_64;
}

void mem_amode(struct jit_cx *x, unsigned to)
{
    if (!amode64(x))
        x64_gi(&x->a, false, G_AND, to,
               (x->mode & JIT_MODE_AMODE) == JIT_MODE_31 ? 0x7fffffff : 0xffffff);
}

/* base + index + disp into `to`; both are general registers or ZERO_REG. */
static void ea_into(struct jit_cx *x, unsigned to, unsigned base, unsigned index, s32 disp)
{
    if (base >= ZERO_REG && index < ZERO_REG) {
        base = index;
        index = ZERO_REG;
    }
    if (base >= ZERO_REG) {
        x64_mov_i(&x->a, to, (u64)(s64)disp);
        mem_amode(x, to);
        return;
    }
    bool w = amode64(x);
    unsigned hb = reg_use(x, w, base, RAX);
    unsigned hi = index < ZERO_REG ? reg_use(x, w, index, RDX) : X64_NO_INDEX;
    if (disp || hi != X64_NO_INDEX || !w)
        x64_rm(&x->a, w, A_LEA, to, x64_idx(hb, hi, 0, disp));
    else if (hb != to)
        x64_rr(&x->a, true, A_MOV, to, hb);
    mem_amode(x, to);
}

/* The distance is of 33 bits. */
void mem_address_relative(struct jit_cx *x, const struct jit_insn *i, unsigned to)
{
    x64_mov_i(&x->a, to, (u64)i->rel);
    x64_rm(&x->a, true, A_ADD, to, CPU_AT(ia_page));
    mem_amode(x, to);
}

void mem_address_into(struct jit_cx *x, const struct jit_insn *i, unsigned to)
{
    if (i->lo->b == S_REL) {
        mem_address_relative(x, i, to);
        return;
    }
    ea_into(x, to, i->base, i->index, i->disp);
}

void mem_address_base(struct jit_cx *x, const struct jit_insn *i, unsigned to)
{
    ea_into(x, to, i->base, ZERO_REG, i->disp);
}

unsigned mem_address(struct jit_cx *x, const struct jit_insn *i)
{
    if (i->lo->b != S_REL && i->disp == 0 && amode64(x)) { /* a resident base needs no copy */
        unsigned only = i->index >= ZERO_REG ? i->base : i->base >= ZERO_REG ? i->index : 16;
        if (only < ZERO_REG && x->host[only] != HOST_NONE)
            return reg_use64(x, only, RAX);
    }
    mem_address_into(x, i, RAX);
    return RAX;
}

static struct x64_mem space_of(const struct jit_insn *i)
{
    if (i->lo->b == S_REL)
        return CPU_AT(ispace);
    return CPU_AT(space[0]);
}

static s32 entries_at(bool store)
{
    return store ? (s32)offsetof(struct tlb_space, store)
                 : (s32)offsetof(struct tlb_space, fetch);
}

/* Is the operand in page 0, whatever registers hold? */
static bool in_page_0(const struct jit_insn *i, unsigned size)
{
    return i->base >= ZERO_REG && i->index >= ZERO_REG && i->lo->b != S_REL && size &&
           i->disp >= 0 && i->disp + (s32)size <= (s32)FRAME_BYTES;
}

/* By an entry for page 0, whether that is prefixed or not. */
static u8 *page_0_look(struct jit_cx *x, s32 entry)
{
    struct x64 *a = &x->a;
    x64_rm(a, true, A_MOV, RCX, CPU_AT(space[0]));
    x64_rm(a, true, A_MOV, RDX, x64_at(RCX, entry));
    x64_gi(a, true, G_AND, RDX, ~(s32)TLB_PREFIXED);
    u8 *miss = x64_jcc(a, CC_NE);
    x64_rm(a, true, A_MOV, RCX, x64_at(RCX, entry + 8));
    return miss;
}

struct x64_mem mem_addend(const struct jit_cx *x, s32 at)
{
    return x->mode & JIT_MODE_REAL ? CPU_AT(storage) : x64_at(RCX, at + 8);
}

bool mem_near(const struct jit_cx *x, s32 *storage)
{
    u64 at = (u64)(uintptr_t)x->c->storage;
    *storage = (s32)at;
    return (x->mode & JIT_MODE_REAL) && at + DISP_SPAN <= INT32_MAX;
}

/* The page is compared with the entry at rcx + `at`; the displacement of the jump taken on a miss
 * is returned. */
static u8 *tlb_compare(struct jit_cx *x, const struct jit_insn *i, unsigned ea, unsigned size,
                       s32 at)
{
    struct x64 *a = &x->a;
    x64_rorx(a, false, RCX, ea, TLB_INDEX_SHIFT);
    x64_gi(a, false, G_AND, RCX, TLB_INDEX_MASK);
    x64_rm(a, true, A_ADD, RCX, space_of(i));
    if (size > 1) {
        x64_rm(a, true, A_LEA, RDX, x64_at(ea, (s32)size - 1));
    } else if (size == 0) {
        mem_length(x, RDX);
        x64_rr(a, true, A_ADD, RDX, ea);
    } else {
        x64_rr(a, true, A_MOV, RDX, ea);
    }
    x64_gi(a, true, G_AND, RDX, -(s32)FRAME_BYTES);
    x64_rm(a, true, A_CMP, RDX, x64_at(RCX, at));
    return x64_jcc(a, CC_NE);
}

/* Where the operand is, and the jump taken when it is not in the TLB. */
static struct x64_mem tlb_look(struct jit_cx *x, const struct jit_insn *i, unsigned ea,
                               unsigned size, s32 at, u8 **miss)
{
    s32 storage;
    *miss = tlb_compare(x, i, ea, size, at);
    if (mem_near(x, &storage))
        return x64_at(ea, storage);
    x64_rm(&x->a, true, A_MOV, RCX, mem_addend(x, at));
    return x64_idx(RCX, ea, 0, 0);
}

/* The value in `to`, loaded big-endian without its extension, is extended. */
static void extend(struct x64 *a, u8 ext, bool w, unsigned to)
{
    switch (ext) {
    case X_S32:
        if (w)
            x64_rr(a, true, A_MOVSXD, to, to);
        break;
    case X_U31: x64_gi(a, false, G_AND, to, 0x7fffffff); break;
    case X_S8: x64_rr8(a, A_MOVSX8, to, to); break;
    case X_S16: x64_rr(a, w, A_MOVSX16, to, to); break;
    default: break;
    }
}

static void load_host(struct x64 *a, u8 ext, bool w, unsigned to, struct x64_mem m)
{
    switch (ext) {
    case X_U8: x64_rm(a, false, A_MOVZX8, to, m); break;
    case X_S8: x64_rm(a, w, A_MOVSX8, to, m); break;
    case X_REV16: x64_rm(a, false, A_MOVZX16, to, m); break;
    case X_U16:
    case X_S16:
        x64_rm(a, false, A_MOVZX16, to, m);
        x64_byte(a, 0x66);
        x64_shift_i(a, false, S_ROL, to, 8);
        if (ext == X_S16)
            x64_rr(a, w, A_MOVSX16, to, to);
        break;
    case X_64: x64_rm(a, true, A_MOVBE, to, m); break;
    case X_FP64:
        x64_vector(a, false, V_LOADQ, to, 0, m);
        x64_vector(a, false, V_SHUFFLEB, to, to, CPU_AT(jit_reverse));
        break;
    case X_REV64: x64_rm(a, true, A_MOV, to, m); break;
    case X_REV32: x64_rm(a, false, A_MOV, to, m); break;
    default:
        x64_rm(a, false, A_MOVBE, to, m);
        extend(a, ext, w, to);
        break;
    }
}

/** What a slow load left in rax (the operand as a number) becomes the operand in `to`. */
void mem_extend_slow(struct jit_cx *x, u8 ext, bool w, unsigned to)
{
    struct x64 *a = &x->a;
    switch (ext) {
    case X_S8:
        x64_rr8(a, A_MOVSX8, RAX, RAX);
        if (w)
            x64_rr(a, true, A_MOVSX8, RAX, RAX);
        break;
    case X_S16: x64_rr(a, w, A_MOVSX16, RAX, RAX); break;
    case X_REV16:
        x64_byte(a, 0x66);
        x64_shift_i(a, false, S_ROL, RAX, 8);
        break;
    case X_REV32: x64_bswap(a, false, RAX); break;
    case X_REV64: x64_bswap(a, true, RAX); break;
    case X_FP64: x64_sse_rr(a, 0x66, true, A_MOVQ, to, RAX); return;
    default: extend(a, ext, w, RAX); break;
    }
    if (to != RAX)
        x64_rr(a, true, A_MOV, to, RAX);
}

void mem_load(struct jit_cx *x, unsigned ea, u8 ext, bool w, unsigned to)
{
    const struct jit_insn *i = &x->insn[x->cur];
    unsigned size = ext_size(ext);
    u8 *miss;
    struct x64_mem m = x64_idx(RCX, ea, 0, 0);
    if (in_page_0(i, size))
        miss = page_0_look(x, entries_at(false));
    else
        m = tlb_look(x, i, ea, size, entries_at(false), &miss);
    struct jit_stub *s = stub_new(x, STUB_LOAD, miss);
    s->reg = (u8)ea;
    s->to = (s32)to;
    s->size = (u8)size;
    s->ext = ext;
    s->width = w ? 64 : 32;
    s->base = i->base;
    load_host(&x->a, ext, w, to, m);
    s->back = x->a.at;
    s->fp_cached = x->fp_cached;
}

void mem_fetch(struct jit_cx *x, unsigned begun, u8 ext, bool w, unsigned to)
{
    const struct jit_insn *i = &x->insn[x->cur];
    if (mem_is_open(x, i))
        load_host(&x->a, ext, w, to, mem_open(x, i, begun));
    else
        mem_load(x, begun, ext, w, to);
}

void mem_base_disp(struct jit_cx *x, unsigned base, s32 disp, unsigned to)
{
    ea_into(x, to, base, ZERO_REG, disp);
}

void mem_base_index(struct jit_cx *x, unsigned base, unsigned index, s32 disp, unsigned to)
{
    ea_into(x, to, base, index, disp);
}

void mem_length(struct jit_cx *x, unsigned to)
{
    unsigned from = reg_use32(x, x->insn[x->cur].length_reg, to);
    x64_rr8(&x->a, A_MOVZX8, to, from);
}

/* While low-address protection is on the entry for stores into page 0 stands elsewhere: they must
 * lie behind what is protected. */
static bool stores_low(const struct jit_cx *x, const struct jit_insn *i)
{
    return (x->c->cr[0] & CR0_LAP) && i->disp >= LOW_PROTECTED_BYTES;
}

struct x64_mem mem_operand(struct jit_cx *x, unsigned ea, unsigned size, bool store)
{
    const struct jit_insn *i = &x->insn[x->cur];
    s32 low = stores_low(x, i) ? (s32)offsetof(struct tlb_space, low[0]) : entries_at(true);
    u8 *miss;
    struct x64_mem m = x64_idx(RCX, ea, 0, 0);
    if (store && in_page_0(i, size))
        miss = page_0_look(x, low);
    else
        m = tlb_look(x, i, ea, size, entries_at(store), &miss);
    x->open[x->opens++] = stub_new(x, STUB_BODY, miss);
    return m;
}

void mem_host(struct jit_cx *x, unsigned ea, unsigned size, bool store)
{
    struct x64_mem m = mem_operand(x, ea, size, store);
    if (m.index == X64_NO_INDEX)
        x64_rm(&x->a, true, A_MOV, RCX, CPU_AT(storage));
}

void slow_if(struct jit_cx *x, enum x64_cond cond)
{
    ERGO(x->opens < ARRAY_LEN(x->open));
    x->open[x->opens++] = stub_new(x, STUB_BODY, x64_jcc(&x->a, cond));
}

void mem_done(struct jit_cx *x)
{
    while (x->opens) {
        struct jit_stub *s = x->open[--x->opens];
        s->back = x->a.at;
        s->fp_cached = x->fp_cached;
        s->lo_after = x->lo;
        s->flags = x->insn[x->cur].cc_def && cc_next_user(x);
    }
}

static u64 swapped(u64 v, unsigned size)
{
    return size == 1   ? (u8)v
           : size == 2 ? __builtin_bswap16((u16)v)
           : size == 4 ? __builtin_bswap32((u32)v)
                       : __builtin_bswap64(v);
}

static void store_const(struct x64 *a, struct x64_mem m, unsigned size, s64 value)
{
    u64 v = swapped((u64)value, size);
    switch (size) {
    case 1: x64_mov8_mem(a, m, (u8)v); break;
    case 2:
        x64_rm16(a, 0xc7, 0, m);
        x64_byte(a, v & 0xff);
        x64_byte(a, v >> 8);
        break;
    case 4: x64_mov_mem_i(a, false, m, (s32)v); break;
    default: x64_mov_i(a, RDX, v); x64_rm(a, true, A_MOV_STORE, RDX, m);
    }
}

static void store_host(struct x64 *a, u8 ext, unsigned from, struct x64_mem m)
{
    switch (ext) {
    case X_U8: x64_rm8(a, A_MOV8_STORE, from, m); break;
    case X_U16: x64_rm16(a, A_MOVBE_STORE, from, m); break;
    case X_REV16: x64_rm16(a, A_MOV_STORE, from, m); break;
    case X_64: x64_rm(a, true, A_MOVBE_STORE, from, m); break;
    case X_REV64: x64_rm(a, true, A_MOV_STORE, from, m); break;
    case X_REV32: x64_rm(a, false, A_MOV_STORE, from, m); break;
    default: x64_rm(a, false, A_MOVBE_STORE, from, m); break;
    }
}

void emit_store(struct jit_cx *x)
{
    const struct jit_insn *i = &x->insn[x->cur];
    const struct lowering *lo = i->lo;
    unsigned size = ext_size(lo->ext);
    if (lo->ext == X_64 || lo->ext == X_REV64)
        reg_widen(x, i->reads64);
    unsigned begun = mem_begin(x);
    bool open = mem_is_open(x, i);
    struct x64_mem m = open ? mem_open(x, i, begun) : mem_operand(x, begun, size, true);
    if (jit_src_const(lo->a)) {
        store_const(&x->a, m, size, jit_const(&i->d, lo->a));
    } else {
        unsigned from = size == 8 ? reg_use64(x, i->d.r1, RDX) : reg_use32(x, i->d.r1, RDX);
        store_host(&x->a, lo->ext, from, m);
    }
    if (!open)
        mem_done(x);
}

/* Where the whole operand is in the host's storage. */
static struct x64_mem multiple_address(struct jit_cx *x, const struct jit_insn *i,
                                       unsigned bytes, bool store)
{
    unsigned begun = mem_begin(x);
    if (mem_is_open(x, i)) {
        struct x64_mem m = mem_open(x, i, begun);
        if (!i->anchor)
            return m;
        x64_rm(&x->a, true, A_LEA, RCX, m); /* registers may be loaded */
        return x64_at(RCX, 0);
    }
    mem_host(x, begun, bytes, store);
    x64_rr(&x->a, true, A_ADD, RCX, begun);
    return x64_at(RCX, 0);
}

void emit_multiple(struct jit_cx *x)
{
    const struct jit_insn *i = &x->insn[x->cur];
    bool w = i->lo->width == 64, store = i->lo->op == OP_STM;
    unsigned each = w ? 8 : 4, count = ((i->d.r3 - i->d.r1) & 15u) + 1;
    for (unsigned k = 0; k < count && !w && !store; k++)
        reg_def32(x, (i->d.r1 + k) & 15, RAX);
    reg_widen(x, i->reads64);
    struct x64_mem m = multiple_address(x, i, each * count, store);
    for (unsigned k = 0; k < count; k++) {
        unsigned g = (i->d.r1 + k) & 15;
        if (store) {
            unsigned from = w ? reg_use64(x, g, RAX) : reg_use32(x, g, RAX);
            x64_rm(&x->a, w, A_MOVBE_STORE, from, m);
        } else {
            unsigned to = reg_def64(x, g, RAX);
            x64_rm(&x->a, w, A_MOVBE, to, m);
            if (w)
                reg_done64(x, g, to);
            else
                reg_done32(x, g, to);
        }
        m.disp += (s32)each;
    }
    if (!mem_is_open(x, i))
        mem_done(x);
}
