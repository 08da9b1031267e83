/* MVC, CLC, NC, OC, XC, TR and their like: two storage operands of at most 256 bytes.
 * Both within a page of the TLB: host code, inlined. Otherwise both operands are probed first,
 * so that an access exception leaves storage as it was, then processed stretch by stretch. */
#include "cpu/insn/operand.h"

/* A store access that is allowed implies a fetch access that is: dat and keys both say so. */

/** Two operands of one length, as processing goes on. */
struct ss {
    u64 ea1, ea2;
    unsigned b1, b2;
    u64 len;
};

static struct ss ss_operands(const struct cpu *c, const struct dinsn *d)
{
    return (struct ss){ea_1(c, d), ea_2(c, d), d->r2, d->b2, d->r1 + 1u};
}

/** What of both operands lies before the next page of either. */
static u64 ss_stretch(const struct ss *o)
{
    return min_u64(o->len, min_u64(page_room(o->ea1), page_room(o->ea2)));
}

static void ss_advance(struct cpu *c, struct ss *o, u64 n)
{
    o->ea1 = (o->ea1 + n) & c->amask;
    o->ea2 = (o->ea2 + n) & c->amask;
    o->len -= n;
}

/** See that all of both operands may be accessed, unless the one stretch will tell. */
static int ss_probe(struct cpu *c, const struct ss *o)
{
    if (ss_stretch(o) == o->len)
        return 0;
    TRY(operand_probe(c, o->ea2, o->b2, o->len, TLB_FETCH));
    return operand_probe(c, o->ea1, o->b1, o->len, TLB_STORE);
}

enum combine {
    COMBINE_AND,
    COMBINE_OR,
    COMBINE_XOR,
    COMBINE_NUMERICS,
    COMBINE_ZONES,
    COMBINE_MOVE,
};

static inline __attribute__((always_inline)) u64 combine(enum combine op, u64 a, u64 b)
{
    const u64 numerics = 0x0f0f0f0f0f0f0f0full;
    switch (op) {
    case COMBINE_AND: return a & b;
    case COMBINE_OR: return a | b;
    case COMBINE_XOR: return a ^ b;
    case COMBINE_NUMERICS: return (a & ~numerics) | (b & numerics);
    case COMBINE_ZONES: return (a & numerics) | (b & ~numerics);
    default: return b;
    }
}

/** Left to right, as if byte by byte; returns the OR of the result bytes. */
static inline __attribute__((always_inline)) u64 combine_bytes(enum combine op, u8 *dst,
                                                               const u8 *src, size_t len)
{
    u64 any = 0, a, b;
    size_t i = 0, dist = (uintptr_t)dst - (uintptr_t)src;
    if (op == COMBINE_XOR && dist == 0) {
        memset(dst, 0, len);
        return 0;
    }
    if (op == COMBINE_MOVE) {
        move_forward(dst, src, len);
        return 0;
    }
    for (; i + 8 <= len && (dist == 0 || dist >= 8); i += 8) {
        memcpy(&a, dst + i, 8);
        memcpy(&b, src + i, 8);
        any |= a = combine(op, a, b);
        memcpy(dst + i, &a, 8);
    }
    for (; i < len; i++)
        any |= dst[i] = (u8)combine(op, dst[i], src[i]);
    return any;
}

/** The same for a frame that holds decoded instructions: in a buffer, then one store. */
static int combine_put(struct cpu *c, enum combine op, const struct ss *o, const u8 *src, u64 n,
                       u64 *any)
{
    const u8 *old;
    u8 result[256];
    TRY(stretch_fetch(c, o->ea1, o->b1, n, &old));
    u64 dist = (u64)((uintptr_t)old - (uintptr_t)src);
    for (u64 i = 0; i < n; i++) {
        u8 byte = dist > 0 && i >= dist ? result[i - dist] : src[i];
        *any |= result[i] = (u8)combine(op, old[i], byte);
    }
    return access_put(c, o->ea1, o->b1, result, n);
}

static __attribute__((noinline)) int combine_slow(struct cpu *c, const struct dinsn *d,
                                                  enum combine op)
{
    struct ss o = ss_operands(c, d);
    u64 any = 0;
    TRY(ss_probe(c, &o));
    while (o.len > 0) {
        u64 n = ss_stretch(&o);
        const u8 *src;
        u8 *dst;
        TRY(stretch_fetch(c, o.ea2, o.b2, n, &src));
        TRY(stretch_store(c, o.ea1, o.b1, n, &dst));
        if (dst != NULL)
            any |= combine_bytes(op, dst, src, n);
        else
            TRY(combine_put(c, op, &o, src, n, &any));
        ss_advance(c, &o, n);
    }
    if (op <= COMBINE_XOR)
        c->cc = any != 0;
    return 0;
}

/* D2 MVC MOVE */
INSN_FAST(mvc)
{
    unsigned len = d->r1 + 1u;
    u64 ea1 = ea_1(c, d), ea2 = ea_2(c, d);
    u8 *dst = tlb_store(c->space[d->r2], ea1, len);
    const u8 *src = tlb_fetch(c->space[d->b2], ea2, len);
    if (unlikely(dst == NULL || src == NULL))
        return combine_slow(c, d, COMBINE_MOVE);
    move_forward(dst, src, len);
    return 0;
}

static __attribute__((noinline)) int compare_slow(struct cpu *c, const struct dinsn *d)
{
    struct ss o = ss_operands(c, d);
    int order = 0;
    while (o.len > 0 && order == 0) {
        u64 n = ss_stretch(&o);
        const u8 *p1, *p2;
        TRY(stretch_fetch(c, o.ea1, o.b1, n, &p1));
        TRY(stretch_fetch(c, o.ea2, o.b2, n, &p2));
        order = memcmp(p1, p2, n);
        ss_advance(c, &o, n);
    }
    cc_signed(c, order, 0);
    return 0;
}

/* D5 CLC COMPARE LOGICAL */
INSN_FAST(clc)
{
    unsigned len = d->r1 + 1u;
    const u8 *p1 = tlb_fetch(c->space[d->r2], ea_1(c, d), len);
    const u8 *p2 = tlb_fetch(c->space[d->b2], ea_2(c, d), len);
    if (unlikely(p1 == NULL || p2 == NULL))
        return compare_slow(c, d);
    cc_signed(c, memcmp(p1, p2, len), 0);
    return 0;
}

/* -- bytewise combination of two operands into the first -- */

static inline __attribute__((always_inline)) int combine_ss(struct cpu *c,
                                                            const struct dinsn *d,
                                                            enum combine op)
{
    unsigned len = d->r1 + 1u;
    u64 ea1 = ea_1(c, d);
    u8 *dst = tlb_store(c->space[d->r2], ea1, len);
    const u8 *src = tlb_fetch(c->space[d->b2], ea_2(c, d), len);
    if (unlikely(dst == NULL || src == NULL))
        return combine_slow(c, d, op);
    u64 any = combine_bytes(op, dst, src, len);
    if (op <= COMBINE_XOR)
        c->cc = any != 0;
    return 0;
}

/* D1 MVN MOVE NUMERICS */
INSN_FAST(mvn)
{
    return combine_ss(c, d, COMBINE_NUMERICS);
}

/* D3 MVZ MOVE ZONES */
INSN_FAST(mvz)
{
    return combine_ss(c, d, COMBINE_ZONES);
}

/* D4 NC AND */
INSN_FAST(nc)
{
    return combine_ss(c, d, COMBINE_AND);
}

/* D6 OC OR */
INSN_FAST(oc)
{
    return combine_ss(c, d, COMBINE_OR);
}

/* D7 XC EXCLUSIVE OR */
INSN_FAST(xc)
{
    return combine_ss(c, d, COMBINE_XOR);
}

/* E8 MVCIN MOVE INVERSE: the second operand goes from its address to the left */
INSN(mvcin)
{
    u8 from[256], to[256];
    unsigned len = d->r1 + 1u;
    TRY(access_fetch(c, (ea_2(c, d) - d->r1) & c->amask, d->b2, from, len));
    for (unsigned i = 0; i < len; i++)
        to[i] = from[len - 1 - i];
    return access_put(c, ea_1(c, d), d->r2, to, len);
}

/* E50A MVCRL MOVE RIGHT TO LEFT: length code in GR0, byte by byte from the right */
INSN(mvcrl)
{
    struct ss o = {ea_1(c, d), ea_2(c, d), d->r2, d->b2, (c->gr[0] & 0xff) + 1};
    TRY(ss_probe(c, &o));
    for (u64 i = o.len; i-- > 0;) {
        u8 byte;
        TRY(load_u8(c, (o.ea2 + i) & c->amask, o.b2, &byte));
        TRY(store_u8(c, (o.ea1 + i) & c->amask, o.b1, byte));
    }
    return 0;
}

/* -- translation by a table of 256 bytes; only the bytes used are accessed -- */

/** Host address of the table when all of it lies in a page that may be fetched; else NULL. */
static const u8 *table_host(const struct cpu *c, u64 ea, unsigned b)
{
    return tlb_fetch(c->space[b], ea, 256);
}

/** Translate byte by byte; without `store` only see whether everything may be accessed. */
static int translate_slow(struct cpu *c, const struct ss *o, bool store)
{
    for (u64 i = 0; i < o->len; i++) {
        u64 ea = (o->ea1 + i) & c->amask;
        u8 byte, function;
        TRY(load_u8(c, ea, o->b1, &byte));
        TRY(load_u8(c, (o->ea2 + byte) & c->amask, o->b2, &function));
        if (store)
            TRY(store_u8(c, ea, o->b1, function));
    }
    return 0;
}

/* DC TR TRANSLATE */
INSN(tr)
{
    struct ss o = ss_operands(c, d);
    const u8 *table = table_host(c, o.ea2, o.b2);
    u8 *p = tlb_store(c->space[o.b1], o.ea1, (unsigned)o.len);
    if (likely(table != NULL && p != NULL)) {
        for (u64 i = 0; i < o.len; i++)
            p[i] = table[p[i]];
        return 0;
    }
    TRY(operand_probe(c, o.ea1, o.b1, o.len, TLB_STORE));
    TRY(translate_slow(c, &o, false));
    return translate_slow(c, &o, true);
}

/** TRT and TRTR found a function byte that is not zero, or the end of the operand. */
static int test_found(struct cpu *c, u64 ea, u8 function, bool last)
{
    c->cc = function == 0 ? 0 : last ? 2 : 1;
    if (function == 0)
        return 0;
    result_addr_set(c, 1, ea);
    c->gr[2] = (c->gr[2] & ~0xffull) | function;
    return 0;
}

/** Examine argument bytes in steps of +1 or -1. */
static int test_bytes(struct cpu *c, const struct ss *o, s64 step)
{
    u64 ea = o->ea1;
    u8 byte, function = 0;
    for (u64 left = o->len; left > 0; left--) {
        TRY(load_u8(c, ea, o->b1, &byte));
        TRY(load_u8(c, (o->ea2 + byte) & c->amask, o->b2, &function));
        if (function != 0)
            return test_found(c, ea, function, left == 1);
        ea = (ea + (u64)step) & c->amask;
    }
    return test_found(c, ea, 0, true);
}

/* DD TRT TRANSLATE AND TEST */
INSN(trt)
{
    struct ss o = ss_operands(c, d);
    const u8 *table = table_host(c, o.ea2, o.b2);
    const u8 *p = tlb_fetch(c->space[o.b1], o.ea1, (unsigned)o.len);
    if (unlikely(table == NULL || p == NULL))
        return test_bytes(c, &o, 1);
    for (u64 i = 0; i < o.len; i++) {
        if (table[p[i]] != 0)
            return test_found(c, o.ea1 + i, table[p[i]], i + 1 == o.len);
    }
    c->cc = 0;
    return 0;
}

/* D0 TRTR TRANSLATE AND TEST REVERSE */
INSN(trtr)
{
    struct ss o = ss_operands(c, d);
    return test_bytes(c, &o, -1);
}

#define CHAPTER_DEF "cpu/isa/isa_string.def"
#define CHAPTER_NAME isa_string
#include "cpu/insn/insn_chapter.h"
