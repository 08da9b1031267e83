/* Interlocked updates: host atomics on big-endian storage.
 * Principles of Operation, chapter 7 "General Instructions"; rows in isa_general_interlock.def. */
#include "cpu/insn/insn_general.h"

/* An operand that is updated: valid for host atomics. `slow`: its frame may hold decoded
 * instructions, whose holders must be told. */
struct target {
    u8 *p;
    bool slow;
};

enum update { UPDATE_ADD, UPDATE_AND, UPDATE_OR, UPDATE_XOR };

static inline int target_find(struct cpu *c, u64 ea, unsigned b, unsigned len, struct target *t)
{
    t->p = tlb_store(c->space[b], ea, len);
    t->slow = t->p == NULL;
    return likely(!t->slow) ? 0 : access_interlocked(c, ea, b, len, &t->p);
}

static inline void target_done(struct cpu *c, const struct target *t, unsigned len)
{
    if (unlikely(t->slow))
        access_interlocked_done(c, t->p, len);
}

/* A comparison failed: somebody may be waited for who waits for us. */
static inline int swap_failed(struct cpu *c)
{
    c->cc = 1;
    return atomic_load_explicit(&c->requests, memory_order_relaxed) ? CPU_RESYNC : 0;
}

static inline bool host_swap32(u8 *p, u32 *expected, u32 desired)
{
    u32 want = BE32(*expected);
    bool done = __atomic_compare_exchange_n((u32 *)(void *)p, &want, BE32(desired), false,
                                            __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    *expected = BE32(want);
    return done;
}

static inline bool host_swap64(u8 *p, u64 *expected, u64 desired)
{
    u64 want = BE64(*expected);
    bool done = __atomic_compare_exchange_n((u64 *)(void *)p, &want, BE64(desired), false,
                                            __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    *expected = BE64(want);
    return done;
}

/* Sixteen bytes in storage order, as two big-endian doublewords. */
static inline u128 host_quad(u64 high, u64 low)
{
    u64 words[2] = {BE64(high), BE64(low)};
    u128 v;
    memcpy(&v, words, sizeof v);
    return v;
}

/* An x86 host needs -mcx16, which the Makefile gives this file. */
static bool host_swap128(u8 *p, u128 *expected, u128 desired)
{
    u128 old = __sync_val_compare_and_swap((u128 *)(void *)p, *expected, desired);
    bool done = old == *expected;
    *expected = old;
    return done;
}

/* Quadword moves as one access: aligned vector moves are, on every host with AVX. */
typedef u64 quad __attribute__((vector_size(16), may_alias));

static int compare_swap32(struct cpu *c, const struct dinsn *d)
{
    struct target t;
    u64 ea = ea_b(c, d);
    if (ea & 3)
        return PGM_SPECIFICATION;
    TRY(target_find(c, ea, d->b2, 4, &t));
    u32 expected = gr32(c, d->r1);
    bool done = host_swap32(t.p, &expected, gr32(c, d->r3));
    target_done(c, &t, 4);
    c->cc = 0;
    if (done)
        return 0;
    gr32_set(c, d->r1, expected);
    return swap_failed(c);
}

static int compare_swap64(struct cpu *c, const struct dinsn *d)
{
    struct target t;
    u64 ea = ea_b(c, d);
    if (ea & 7)
        return PGM_SPECIFICATION;
    TRY(target_find(c, ea, d->b2, 8, &t));
    u64 expected = c->gr[d->r1];
    bool done = host_swap64(t.p, &expected, c->gr[d->r3]);
    target_done(c, &t, 8);
    c->cc = 0;
    if (done)
        return 0;
    c->gr[d->r1] = expected;
    return swap_failed(c);
}

static int compare_double32(struct cpu *c, const struct dinsn *d)
{
    struct target t;
    u64 ea = ea_b(c, d);
    if ((d->r1 | d->r3) & 1 || ea & 7)
        return PGM_SPECIFICATION;
    TRY(target_find(c, ea, d->b2, 8, &t));
    u64 expected = pair32(c, d->r1);
    bool done = host_swap64(t.p, &expected, pair32(c, d->r3));
    target_done(c, &t, 8);
    c->cc = 0;
    if (done)
        return 0;
    pair32_set(c, d->r1, expected);
    return swap_failed(c);
}

static void quad_to_pair(struct cpu *c, unsigned r, u128 v)
{
    u8 bytes[16];
    memcpy(bytes, &v, sizeof bytes);
    c->gr[r] = be64_load(bytes);
    c->gr[r + 1] = be64_load(bytes + 8);
}

static int compare_double64(struct cpu *c, const struct dinsn *d)
{
    struct target t;
    u64 ea = ea_b(c, d);
    if ((d->r1 | d->r3) & 1 || ea & 15)
        return PGM_SPECIFICATION;
    TRY(target_find(c, ea, d->b2, 16, &t));
    u128 expected = host_quad(c->gr[d->r1], c->gr[d->r1 + 1]);
    bool done = host_swap128(t.p, &expected, host_quad(c->gr[d->r3], c->gr[d->r3 + 1]));
    target_done(c, &t, 16);
    c->cc = 0;
    if (done)
        return 0;
    quad_to_pair(c, d->r1, expected);
    return swap_failed(c);
}

/* The comparison of CSST by function code; the parameter list starts with the replacement. */
static bool store_swap(struct cpu *c, unsigned fc, unsigned r, u8 *p, const u8 *list)
{
    if (fc == 0) {
        u32 expected = gr32(c, r);
        bool done = host_swap32(p, &expected, be32_load(list));
        gr32_set(c, r, expected);
        return done;
    }
    if (fc == 1)
        return host_swap64(p, &c->gr[r], be64_load(list));
    u128 expected = host_quad(c->gr[r], c->gr[r + 1]);
    bool done = host_swap128(p, &expected, host_quad(be64_load(list), be64_load(list + 8)));
    quad_to_pair(c, r, expected);
    return done;
}

/* Function code in bits 56-63 and store characteristic in bits 48-55 of register 0; register 1
 * designates the parameter list. */
static int compare_swap_store(struct cpu *c, const struct dinsn *d)
{
    struct target t;
    u8 list[32];
    u64 ea1 = ea_1(c, d), ea2 = ea_2(c, d);
    unsigned fc = c->gr[0] & 0xff, sc = c->gr[0] >> 8 & 0xff;
    bool second = facility_has(c->set->facilities, FAC_CSST2);
    if (fc > (second ? 2 : 1) || sc > (second ? 4 : 3) || (fc == 2 && (d->r1 & 1)))
        return PGM_SPECIFICATION;
    unsigned size = 4u << fc, store = 1u << sc;
    if (ea1 & (size - 1) || ea2 & (store - 1))
        return PGM_SPECIFICATION;
    TRY(access_fetch(c, c->gr[1] & c->amask & ~15ull, 1, list, sizeof list));
    TRY(access_probe(c, ea2, d->b2, store, TLB_STORE));
    TRY(target_find(c, ea1, d->r2, size, &t));
    bool done = store_swap(c, fc, d->r1, t.p, list);
    target_done(c, &t, size);
    c->cc = !done;
    return done ? access_put(c, ea2, d->b2, list + 16, store) : 0;
}

static int load_quadword(struct cpu *c, const struct dinsn *d)
{
    u64 ea = ea_x(c, d);
    const u8 *p;
    if ((d->r1 & 1) || (ea & 15))
        return PGM_SPECIFICATION;
    TRY(access_host_fetch(c, ea, d->b2, 16, &p));
    quad v = *(const volatile quad *)(const void *)p;
    c->gr[d->r1] = BE64(v[0]);
    c->gr[d->r1 + 1] = BE64(v[1]);
    return 0;
}

static int store_quadword(struct cpu *c, const struct dinsn *d)
{
    struct target t;
    u64 ea = ea_x(c, d);
    if ((d->r1 & 1) || (ea & 15))
        return PGM_SPECIFICATION;
    TRY(target_find(c, ea, d->b2, 16, &t));
    quad v = {BE64(c->gr[d->r1]), BE64(c->gr[d->r1 + 1])};
    *(volatile quad *)(void *)t.p = v;
    target_done(c, &t, 16);
    return 0;
}

/* One operand of LOAD PAIR DISJOINT, atomically. */
static u64 disjoint_load(const u8 *p, unsigned len)
{
    if (len == 4)
        return BE32(__atomic_load_n((const u32 *)(const void *)p, __ATOMIC_SEQ_CST));
    return BE64(__atomic_load_n((const u64 *)(const void *)p, __ATOMIC_SEQ_CST));
}

/* Condition code 0 promises that both were there at one time: the first is read again. */
static int load_pair_disjoint(struct cpu *c, const struct dinsn *d, unsigned len)
{
    const u8 *p1, *p2;
    u64 ea1 = ea_1(c, d), ea2 = ea_2(c, d);
    if ((d->r1 & 1) || ((ea1 | ea2) & (len - 1)))
        return PGM_SPECIFICATION;
    TRY(access_host_fetch(c, ea1, d->r2, len, &p1));
    TRY(access_host_fetch(c, ea2, d->b2, len, &p2));
    u64 v1 = disjoint_load(p1, len), v2 = disjoint_load(p2, len);
    c->cc = disjoint_load(p1, len) == v1 ? 0 : 3;
    if (len == 4) {
        gr32_set(c, d->r1, (u32)v1);
        gr32_set(c, d->r1 + 1, (u32)v2);
    } else {
        c->gr[d->r1] = v1;
        c->gr[d->r1 + 1] = v2;
    }
    return 0;
}

static inline u64 updated(enum update how, u64 old, u64 v)
{
    switch (how) {
    case UPDATE_ADD: return old + v;
    case UPDATE_AND: return old & v;
    case UPDATE_OR: return old | v;
    default: return old ^ v;
    }
}

/* Update an aligned word, interlocked; `old` is what was there. */
static inline int interlocked32(struct cpu *c, u64 ea, unsigned b, enum update how, u32 v,
                                u32 *old)
{
    struct target t;
    if (ea & 3)
        return PGM_SPECIFICATION;
    TRY(target_find(c, ea, b, 4, &t));
    *old = be32_load(t.p);
    while (!host_swap32(t.p, old, (u32)updated(how, *old, v)))
        ;
    target_done(c, &t, 4);
    return 0;
}

static inline int interlocked64(struct cpu *c, u64 ea, unsigned b, enum update how, u64 v,
                                u64 *old)
{
    struct target t;
    if (ea & 7)
        return PGM_SPECIFICATION;
    TRY(target_find(c, ea, b, 8, &t));
    *old = be64_load(t.p);
    while (!host_swap64(t.p, old, updated(how, *old, v)))
        ;
    target_done(c, &t, 8);
    return 0;
}

/* ADD IMMEDIATE to storage is interlocked when the operand is aligned. */
static inline int storage_add32(struct cpu *c, u64 ea, unsigned b, u32 v, u32 *old)
{
    if (likely((ea & 3) == 0))
        return interlocked32(c, ea, b, UPDATE_ADD, v, old);
    TRY(load_u32(c, ea, b, old));
    return store_u32(c, ea, b, *old + v);
}

static inline int storage_add64(struct cpu *c, u64 ea, unsigned b, u64 v, u64 *old)
{
    if (likely((ea & 7) == 0))
        return interlocked64(c, ea, b, UPDATE_ADD, v, old);
    TRY(load_u64(c, ea, b, old));
    return store_u64(c, ea, b, *old + v);
}

static inline u8 byte_update(const struct cpu *c, u8 *p, enum update how, u8 v)
{
    if (c->set->count == 1) /* nobody to be interlocked against */
        return *p = (u8)updated(how, *p, v);
    switch (how) {
    case UPDATE_AND: return __atomic_and_fetch(p, v, __ATOMIC_SEQ_CST);
    case UPDATE_OR: return __atomic_or_fetch(p, v, __ATOMIC_SEQ_CST);
    default: return __atomic_xor_fetch(p, v, __ATOMIC_SEQ_CST);
    }
}

static __attribute__((noinline)) int update_byte_slow(struct cpu *c, const struct dinsn *d,
                                                      enum update how)
{
    struct target t;
    TRY(target_find(c, ea_b(c, d), d->b2, 1, &t));
    c->cc = byte_update(c, t.p, how, d->r1) != 0;
    target_done(c, &t, 1);
    return 0;
}

/* AND, OR, EXCLUSIVE OR of an immediate into a byte of storage. */
static inline int update_byte(struct cpu *c, const struct dinsn *d, enum update how)
{
    u8 *p = tlb_store(c->space[d->b2], ea_b(c, d), 1);
    if (unlikely(p == NULL))
        return update_byte_slow(c, d, how);
    c->cc = byte_update(c, p, how, d->r1) != 0;
    return 0;
}

/* ---- compare and swap ---- */

/* BA CS: compare and swap (32) */
INSN(cs)
{
    return compare_swap32(c, d);
}

/* EB14 CSY: compare and swap (32) */
INSN(csy)
{
    return compare_swap32(c, d);
}

/* EB30 CSG: compare and swap (64) */
INSN(csg)
{
    return compare_swap64(c, d);
}

/* BB CDS: compare double and swap (32) */
INSN(cds)
{
    return compare_double32(c, d);
}

/* EB31 CDSY: compare double and swap (32) */
INSN(cdsy)
{
    return compare_double32(c, d);
}

/* EB3E CDSG: compare double and swap (64) */
INSN(cdsg)
{
    return compare_double64(c, d);
}

/* C82 CSST: compare and swap and store */
INSN(csst)
{
    return compare_swap_store(c, d);
}

/* 93 TS: test and set */
INSN(ts)
{
    struct target t;
    TRY(target_find(c, ea_b(c, d), d->b2, 1, &t));
    u8 old = __atomic_exchange_n(t.p, 0xff, __ATOMIC_SEQ_CST);
    target_done(c, &t, 1);
    c->cc = old >> 7;
    return 0;
}

/* ---- quadwords and pairs ---- */

/* E38F LPQ: load pair from quadword */
INSN(lpq)
{
    return load_quadword(c, d);
}

/* E38E STPQ: store pair to quadword */
INSN(stpq)
{
    return store_quadword(c, d);
}

/* C84 LPD: load pair disjoint (32) */
INSN(lpd)
{
    return load_pair_disjoint(c, d, 4);
}

/* C85 LPDG: load pair disjoint (64) */
INSN(lpdg)
{
    return load_pair_disjoint(c, d, 8);
}

/* ---- load and add, and, or, exclusive or ---- */

/* EBF8 LAA: load and add (32) */
INSN(laa)
{
    u32 old, v = gr32(c, d->r3);
    TRY(interlocked32(c, ea_b(c, d), d->b2, UPDATE_ADD, v, &old));
    gr32_set(c, d->r1, old);
    return sum_s32(c, (s32)old, (s32)v);
}

/* EBE8 LAAG: load and add (64) */
INSN(laag)
{
    u64 old, v = c->gr[d->r3];
    TRY(interlocked64(c, ea_b(c, d), d->b2, UPDATE_ADD, v, &old));
    c->gr[d->r1] = old;
    return sum_s64(c, (s64)old, (s64)v);
}

/* EBFA LAAL: load and add logical (32) */
INSN(laal)
{
    u32 old, v = gr32(c, d->r3);
    TRY(interlocked32(c, ea_b(c, d), d->b2, UPDATE_ADD, v, &old));
    gr32_set(c, d->r1, old);
    add_cc32(c, old, v);
    return 0;
}

/* EBEA LAALG: load and add logical (64) */
INSN(laalg)
{
    u64 old, v = c->gr[d->r3];
    TRY(interlocked64(c, ea_b(c, d), d->b2, UPDATE_ADD, v, &old));
    c->gr[d->r1] = old;
    add_cc64(c, old, v);
    return 0;
}

/* EBF4 LAN: load and and (32) */
INSN(lan)
{
    u32 old, v = gr32(c, d->r3);
    TRY(interlocked32(c, ea_b(c, d), d->b2, UPDATE_AND, v, &old));
    gr32_set(c, d->r1, old);
    c->cc = (old & v) != 0;
    return 0;
}

/* EBE4 LANG: load and and (64) */
INSN(lang)
{
    u64 old, v = c->gr[d->r3];
    TRY(interlocked64(c, ea_b(c, d), d->b2, UPDATE_AND, v, &old));
    c->gr[d->r1] = old;
    c->cc = (old & v) != 0;
    return 0;
}

/* EBF6 LAO: load and or (32) */
INSN(lao)
{
    u32 old, v = gr32(c, d->r3);
    TRY(interlocked32(c, ea_b(c, d), d->b2, UPDATE_OR, v, &old));
    gr32_set(c, d->r1, old);
    c->cc = (old | v) != 0;
    return 0;
}

/* EBE6 LAOG: load and or (64) */
INSN(laog)
{
    u64 old, v = c->gr[d->r3];
    TRY(interlocked64(c, ea_b(c, d), d->b2, UPDATE_OR, v, &old));
    c->gr[d->r1] = old;
    c->cc = (old | v) != 0;
    return 0;
}

/* EBF7 LAX: load and exclusive or (32) */
INSN(lax)
{
    u32 old, v = gr32(c, d->r3);
    TRY(interlocked32(c, ea_b(c, d), d->b2, UPDATE_XOR, v, &old));
    gr32_set(c, d->r1, old);
    c->cc = (old ^ v) != 0;
    return 0;
}

/* EBE7 LAXG: load and exclusive or (64) */
INSN(laxg)
{
    u64 old, v = c->gr[d->r3];
    TRY(interlocked64(c, ea_b(c, d), d->b2, UPDATE_XOR, v, &old));
    c->gr[d->r1] = old;
    c->cc = (old ^ v) != 0;
    return 0;
}

/* ---- immediate operand and storage ---- */

/* 94 NI: and (immediate) */
INSN_FAST(ni)
{
    return update_byte(c, d, UPDATE_AND);
}

/* EB54 NIY: and (immediate) */
INSN_FAST(niy)
{
    return update_byte(c, d, UPDATE_AND);
}

/* 96 OI: or (immediate) */
INSN_FAST(oi)
{
    return update_byte(c, d, UPDATE_OR);
}

/* EB56 OIY: or (immediate) */
INSN_FAST(oiy)
{
    return update_byte(c, d, UPDATE_OR);
}

/* 97 XI: exclusive or (immediate) */
INSN_FAST(xi)
{
    return update_byte(c, d, UPDATE_XOR);
}

/* EB57 XIY: exclusive or (immediate) */
INSN_FAST(xiy)
{
    return update_byte(c, d, UPDATE_XOR);
}

/* EB6A ASI: add immediate (32, storage) */
INSN(asi)
{
    u32 old, v = (u32)(s8)d->r1;
    TRY(storage_add32(c, ea_b(c, d), d->b2, v, &old));
    return sum_s32(c, (s32)old, (s32)v);
}

/* EB7A AGSI: add immediate (64, storage) */
INSN(agsi)
{
    u64 old, v = (u64)(s8)d->r1;
    TRY(storage_add64(c, ea_b(c, d), d->b2, v, &old));
    return sum_s64(c, (s64)old, (s64)v);
}

/* EB6E ALSI: add logical with signed immediate (32, storage) */
INSN(alsi)
{
    u32 old, v = (u32)(s8)d->r1;
    TRY(storage_add32(c, ea_b(c, d), d->b2, v, &old));
    add_cc32(c, old, v);
    return 0;
}

/* EB7E ALGSI: add logical with signed immediate (64, storage) */
INSN(algsi)
{
    u64 old, v = (u64)(s8)d->r1;
    TRY(storage_add64(c, ea_b(c, d), d->b2, v, &old));
    add_cc64(c, old, v);
    return 0;
}

#define CHAPTER_DEF "cpu/isa/isa_general_interlock.def"
#define CHAPTER_NAME isa_general_interlock
#include "cpu/insn/insn_chapter.h"
