/* Translation by instruction, real storage, and invalidating table entries: bodies that the
 * control chapter calls (PoP chapter 10). An entry is invalidated by an interlocked update of
 * one byte, then every CPU forgets what it had translated through it. */
#include "cpu/insn/control.h"
#include "mem/dat.h"

#define PTE_INVALID_BYTE 6 /* bit 53 of the entry */
#define PTE_INVALID_BIT 0x04u
#define TABLE_INVALID_BYTE 7 /* bit 58 */
#define TABLE_INVALID_BIT 0x20u
#define PTO_MASK 0xfffffffffffff800ull
#define TABLE_MASK 0xfffffffffffff000ull
#define IDTE_CLEAR_BY_ASCE 0x800u /* R2 bit 52 */
#define M4_LOCAL 1u
#define PAGE_INDEX_MAX 255u
#define TABLE_INDEX_MAX 2047u
#define CSP_PURGE 1u /* of the second operand address: purge the TLB */

void control_walk(const struct cpu *c, u64 asce, struct dat_walk *walk)
{
    *walk = (struct dat_walk){
        .asce = asce,
        .prefix = c->prefix,
        .edat1 = (c->cr[0] & CR0_EDAT) && has_facility(c, FAC_EDAT1),
        .edat2 = (c->cr[0] & CR0_EDAT) && has_facility(c, 78),
        .iep = (c->cr[0] & CR0_IEP) && has_facility(c, 130),
    };
}

u64 control_asce(const struct cpu *c, unsigned b)
{
    switch ((c->psw.mask & PSW_AS) >> PSW_AS_SHIFT) {
    case AS_AR: return b > 0 && b < 16 && c->ar[b] == 1 ? c->cr[7] : c->cr[1];
    case AS_SECONDARY: return c->cr[7];
    case AS_HOME: return c->cr[13];
    default: return c->cr[1];
    }
}

/* ---- LOAD REAL ADDRESS and its like ---- */

static void result_set(struct cpu *c, unsigned r, u64 v, bool wide)
{
    if (wide)
        c->gr[r] = v;
    else
        gr32_set(c, r, (u32)v);
}

/* Condition code 3: the exception code instead of an address. */
static int result_exception(struct cpu *c, unsigned r, int code)
{
    gr32_set(c, r, 0x80000000u | (u32)code);
    c->cc = 3;
    return 0;
}

int dat_load_real_address(struct cpu *c, const struct dinsn *d, bool wide)
{
    struct dat_walk walk;
    struct dat_result found;
    control_walk(c, control_asce(c, d->b2), &walk);
    int rc = dat_translate(c->st, &walk, ea_x(c, d), &found);
    wide |= amode64(c);
    if (rc == PGM_ADDRESSING || rc == PGM_TRANSLATION_SPEC)
        return rc;
    if (rc == 0) {
        if (!wide && found.real >> 31)
            return PGM_SPECIAL_OPERATION;
        result_set(c, d->r1, found.real, wide);
        c->cc = 0;
        return 0;
    }
    u64 entry = dat_real_to_abs(found.pte_abs, c->prefix);
    bool has_entry = (rc == PGM_SEGMENT_TRANSLATION || rc == PGM_PAGE_TRANSLATION) &&
                     found.pte_abs != DAT_NO_ENTRY && (wide || entry >> 31 == 0);
    if (!has_entry)
        return result_exception(c, d->r1, rc);
    result_set(c, d->r1, entry, wide);
    c->cc = rc == PGM_SEGMENT_TRANSLATION ? 1 : 2;
    return 0;
}

int dat_store_real_address(struct cpu *c, const struct dinsn *d)
{
    struct dat_walk walk;
    struct dat_result found;
    u64 va = ea_2(c, d), to = ea_1(c, d);
    if (!(c->psw.mask & PSW_DAT))
        return PGM_SPECIAL_OPERATION;
    if (to & 7)
        return PGM_SPECIFICATION;
    control_walk(c, control_asce(c, d->b2), &walk);
    int rc = dat_translate(c->st, &walk, va, &found);
    if (rc) {
        c->teid = (va & ~(u64)(FRAME_BYTES - 1)) | (c->psw.mask & PSW_AS) >> PSW_AS_SHIFT;
        c->exc_ar = 0;
        return rc;
    }
    return store_u64(c, to, d->r2, found.real);
}

int dat_load_page_entry_address(struct cpu *c, const struct dinsn *d)
{
    static const u8 cr_of[5] = {1, 1, 7, 13, 1};
    struct dat_walk walk;
    struct dat_result found;
    unsigned m4 = d->b2;
    if (m4 > 4)
        return PGM_SPECIFICATION;
    u64 asce = m4 == 4 || m4 == 1 ? control_asce(c, d->r2) : c->cr[cr_of[m4]];
    control_walk(c, asce, &walk);
    int rc = dat_page_entry(c->st, &walk, reg_addr(c, d->r2), &found);
    if (rc == PGM_ADDRESSING || rc == PGM_TRANSLATION_SPEC)
        return rc;
    if (rc == PGM_SEGMENT_TRANSLATION && found.pte_abs != DAT_NO_ENTRY) {
        c->gr[d->r1] = dat_real_to_abs(found.pte_abs, c->prefix);
        c->cc = 1;
        return 0;
    }
    if (rc)
        return result_exception(c, d->r1, rc);
    bool page = found.page_bytes == FRAME_BYTES && found.pte_abs != DAT_NO_ENTRY;
    c->gr[d->r1] = page ? found.real : dat_real_to_abs(found.pte_abs, c->prefix);
    c->cc = page ? 0 : 1;
    return 0;
}

/* ---- real storage ---- */

int dat_load_using_real(struct cpu *c, const struct dinsn *d, unsigned len)
{
    u8 buf[8];
    u64 addr = reg_addr(c, d->r2);
    if (addr & (len - 1))
        return PGM_SPECIFICATION;
    TRY(access_fetch_space(c, cpu_space_real(c), addr, buf, len));
    if (len == 8)
        c->gr[d->r1] = be64_load(buf);
    else
        gr32_set(c, d->r1, be32_load(buf));
    return 0;
}

int dat_store_using_real(struct cpu *c, const struct dinsn *d, unsigned len)
{
    u8 buf[8];
    u64 addr = reg_addr(c, d->r2);
    if (addr & (len - 1))
        return PGM_SPECIFICATION;
    if (len == 8)
        be64_store(buf, c->gr[d->r1]);
    else
        be32_store(buf, gr32(c, d->r1));
    return access_put_space(c, cpu_space_real(c), addr, buf, len);
}

/* ---- invalidating ---- */

/* Set one bit of a table entry at a real address, interlocked. */
static int entry_invalidate(struct cpu *c, u64 real, unsigned byte, u8 bit)
{
    u64 abs = dat_real_to_abs(real, c->prefix);
    u8 *entry = storage_host(c->st, abs, 8);
    if (!entry)
        return PGM_ADDRESSING;
    storage_mark_frame(c->st, abs);
    __atomic_fetch_or(entry + byte, bit, __ATOMIC_SEQ_CST);
    access_interlocked_done(c, entry, 8);
    return 0;
}

/* All entries must be in storage before the first is changed. */
static int entries_invalidate(struct cpu *c, u64 first, unsigned count, unsigned byte, u8 bit)
{
    for (unsigned i = 0; i < count; i++)
        if (!storage_holds(c->st, dat_real_to_abs(first + 8 * i, c->prefix), 8))
            return PGM_ADDRESSING;
    for (unsigned i = 0; i < count; i++)
        TRY(entry_invalidate(c, first + 8 * i, byte, bit));
    return 0;
}

static bool local_only(const struct cpu *c, const struct dinsn *d)
{
    return (d->b2 & M4_LOCAL) && has_facility(c, FAC_TLBL);
}

int dat_invalidate_page(struct cpu *c, const struct dinsn *d)
{
    u64 va = c->gr[d->r2];
    unsigned index = (unsigned)(va >> FRAME_SHIFT) & PAGE_INDEX_MAX;
    unsigned more = 0;
    if (d->r3 && has_facility(c, FAC_IPTERNG))
        more = (unsigned)c->gr[d->r3] & 0xff;
    if (index + more > PAGE_INDEX_MAX)
        return PGM_SPECIFICATION;
    u64 first = (c->gr[d->r1] & PTO_MASK) + 8ull * index;
    TRY(entries_invalidate(c, first, more + 1, PTE_INVALID_BYTE, PTE_INVALID_BIT));
    for (unsigned i = 0; i <= more; i++) {
        cpu_purge_page(c, va + (u64)i * FRAME_BYTES);
        if (!local_only(c, d))
            cpu_broadcast_purge_page(c, va + (u64)i * FRAME_BYTES);
    }
    return 0;
}

int dat_invalidate_table(struct cpu *c, const struct dinsn *d)
{
    u64 operand = c->gr[d->r2], table = c->gr[d->r1];
    if (operand & IDTE_CLEAR_BY_ASCE) {
        cpu_purge_asce(c, c->gr[d->r3]);
    } else {
        unsigned level = (unsigned)(table >> 2) & 3;
        unsigned index = (unsigned)(operand >> (20 + 11 * level)) & TABLE_INDEX_MAX;
        unsigned more = (unsigned)operand & TABLE_INDEX_MAX;
        if (index + more > TABLE_INDEX_MAX)
            return PGM_SPECIFICATION;
        u64 first = (table & TABLE_MASK) + 8ull * index;
        TRY(entries_invalidate(c, first, more + 1, TABLE_INVALID_BYTE, TABLE_INVALID_BIT));
        cpu_purge_tlb(c);
    }
    if (!local_only(c, d))
        cpu_broadcast_purge(c);
    return CPU_RESYNC;
}

/* ---- COMPARE AND SWAP AND PURGE ---- */

/* Interlocked compare and swap of a big-endian word; *old is what was there. */
static bool swap_word(u8 *p, unsigned len, u64 expected, u64 new_value, u64 *old)
{
    if (len == 8) {
        u64 was = BE64(expected);
        bool ok = __atomic_compare_exchange_n((u64 *)(void *)p, &was, BE64(new_value), false,
                                              __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        *old = BE64(was);
        return ok;
    }
    u32 was = BE32((u32)expected);
    bool ok = __atomic_compare_exchange_n((u32 *)(void *)p, &was, BE32((u32)new_value), false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    *old = BE32(was);
    return ok;
}

int dat_swap_and_purge(struct cpu *c, const struct dinsn *d, unsigned len)
{
    u8 *p;
    u64 old = 0, flags = c->gr[d->r2];
    if (d->r1 & 1)
        return PGM_SPECIFICATION;
    TRY(access_interlocked(c, flags & ~(u64)(len - 1) & c->amask, d->r2, len, &p));
    bool equal = swap_word(p, len, c->gr[d->r1], c->gr[d->r1 + 1], &old);
    c->cc = !equal;
    if (!equal) {
        result_set(c, d->r1, old, len == 8);
        return 0;
    }
    access_interlocked_done(c, p, len);
    if (flags & CSP_PURGE) {
        cpu_purge_tlb(c);
        cpu_broadcast_purge(c);
    }
    return CPU_RESYNC;
}
