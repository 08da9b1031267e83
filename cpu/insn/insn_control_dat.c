/* Translation by instruction, real storage, and invalidating table entries: bodies that the
 * control chapter calls (PoP chapter 10). An entry is invalidated by an interlocked update of
 * one byte, then every CPU forgets what it had translated through it. */
#include "cpu/linkage/art.h"
#include "cpu/insn/control.h"
#include "cpu/event/per.h"
#include "mem/dat.h"

#define PTE_INVALID_BYTE 6 /* bit 53 of the entry */
#define PTE_INVALID_BIT 0x04u
#define PTE_PROTECT_BYTE 6 /* bit 54 */
#define PTE_PROTECT_BIT 0x02u
#define TABLE_INVALID_BYTE 7 /* bit 58 */
#define TABLE_INVALID_BIT 0x20u
#define PTO_MASK 0xfffffffffffff800ull
#define TABLE_MASK 0xfffffffffffff000ull
#define IDTE_CLEAR_BY_ASCE 0x800u /* R2 bit 52 */
#define M4_LOCAL 1u
#define PAGE_ENTRIES 256u
#define TABLE_ENTRIES 2048u
#define PAGE_INDEX_BITS 0xff000ull   /* of a virtual address: bits 44-51 */
#define IDTE_MUST_BE_ZERO 0xff000ull /* R2 bits 44-51 */
#define CRDTE_PAGE 0u                /* type of table in bits 59-61 */
#define CRDTE_TABLE 4u               /* segment and region tables: and their DT in 60-61 */
#define ASCE_REAL_SPACE 0x20u
#define LPTEA_PROTECT 4u     /* with the address of an entry that designates a frame */
#define PAGES_BY_MAIL_MAX 8u /* more at a time: the other CPUs purge everything */
#define TEID_FETCH 0x800u
#define CSP_PURGE 3u /* of the second operand address: purge the TLB, the ALB */

void control_walk(const struct cpu *c, u64 asce, struct dat_walk *walk)
{
    *walk = (struct dat_walk){
        .asce = asce,
        .prefix = c->prefix,
        .edat1 = (c->cr[0] & CR0_EDAT) && has_facility(c, FAC_EDAT1),
        .edat2 = (c->cr[0] & CR0_EDAT) && has_facility(c, FAC_EDAT2),
        .iep = (c->cr[0] & CR0_IEP) && has_facility(c, FAC_IEP),
        .iep_installed = has_facility(c, FAC_IEP),
    };
}

int control_translate(struct cpu *c, unsigned b, u64 va, struct dat_result *found)
{
    struct dat_walk walk;
    u64 asce;
    bool fetch_only;
    TRY(art_current_asce(c, b, &asce, &fetch_only));
    control_walk(c, asce, &walk);
    c->teid = (va & ~(u64)(FRAME_BYTES - 1)) | (c->psw.mask & PSW_AS) >> PSW_AS_SHIFT;
    if (has_facility(c, FAC_AEFSI))
        c->teid |= TEID_FETCH;
    c->exc_ar = 0;
    return cpu_operand_blame(c, b, dat_translate(c->st, &walk, va, found));
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
    u64 asce;
    bool fetch_only;
    int rc = art_current_asce(c, d->b2, &asce, &fetch_only);
    if (rc)
        return art_exception(rc) ? result_exception(c, d->r1, rc) : rc;
    control_walk(c, asce, &walk);
    rc = dat_translate(c->st, &walk, ea_x(c, d), &found);
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
    struct dat_result found;
    u64 va = ea_2(c, d), to = ea_1(c, d);
    if (!(c->psw.mask & PSW_DAT))
        return PGM_SPECIAL_OPERATION;
    if (to & 7)
        return PGM_SPECIFICATION;
    TRY(control_translate(c, d->b2, va, &found));
    return store_u64(c, to, d->r2, found.real);
}

/* The ASCE that M4 of LPTEA selects. */
static int selected_asce(struct cpu *c, unsigned m4, unsigned r2, u64 *asce)
{
    static const u8 cr_of[4] = {1, 1, 7, 13};
    bool fetch_only;
    if (m4 == 4)
        return art_current_asce(c, r2, asce, &fetch_only);
    if (m4 == 1)
        return art_asce(c, r2, asce, &fetch_only);
    *asce = c->cr[cr_of[m4]];
    return 0;
}

int dat_load_page_entry_address(struct cpu *c, const struct dinsn *d)
{
    struct dat_walk walk;
    struct dat_result found;
    u64 asce;
    if (d->b2 > 4)
        return PGM_SPECIFICATION;
    int rc = selected_asce(c, d->b2, d->r2, &asce);
    if (rc) {
        if (!art_exception(rc))
            return rc;
        c->gr[d->r1] = (u64)rc;
        c->cc = 3;
        return 0;
    }
    control_walk(c, asce, &walk);
    if (asce & ASCE_REAL_SPACE)
        return PGM_SPECIAL_OPERATION;
    rc = dat_page_entry(c->st, &walk, reg_addr(c, d->r2), &found);
    if (rc == PGM_ADDRESSING || rc == PGM_TRANSLATION_SPEC)
        return rc;
    bool has_entry = found.pte_abs != DAT_NO_ENTRY;
    if (rc && !has_entry) {
        c->gr[d->r1] = (u64)rc;
        c->cc = 3;
    } else if (rc || found.page_bytes != FRAME_BYTES) {
        u64 entry = dat_real_to_abs(found.pte_abs, c->prefix);
        c->gr[d->r1] = entry | found.level | (rc == 0 && found.protect ? LPTEA_PROTECT : 0);
        c->cc = 2;
    } else {
        c->gr[d->r1] = found.real;
        c->cc = found.protect;
    }
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
    return per_put_real(c, cpu_space_real(c), addr, buf, len);
}

/* ---- invalidating ---- */

/* Entries of one table, at real addresses, from `first` on; the index wraps at `size`. */
struct entries {
    u64 table;
    unsigned first, count, size;
};

/* Host address of a table entry that is to be changed: low-address and key protection apply. */
static int entry_find(struct cpu *c, const struct entries *e, unsigned i, u8 **entry)
{
    u64 real = e->table + 8ull * ((e->first + i) % e->size);
    TRY(cpu_translate(c, cpu_space_real(c), real, TLB_STORE));
    *entry = c->st->base + c->scratch;
    return 0;
}

/* Set one bit of each, interlocked. All must be accessible before the first is changed. */
static int entries_invalidate(struct cpu *c, const struct entries *e, unsigned byte, u8 bit)
{
    u8 *entry;
    for (unsigned i = 0; i < e->count; i++)
        TRY(entry_find(c, e, i, &entry));
    for (unsigned i = 0; i < e->count; i++) {
        TRY(entry_find(c, e, i, &entry));
        __atomic_fetch_or(entry + byte, bit, __ATOMIC_SEQ_CST);
        access_interlocked_done(c, entry, 8);
    }
    return 0;
}

static bool local_only(const struct cpu *c, const struct dinsn *d)
{
    return (d->b2 & M4_LOCAL) && has_facility(c, FAC_TLBL);
}

/* Forget `count` pages from va on. */
static void pages_purge(struct cpu *c, u64 va, unsigned count, bool local)
{
    for (unsigned i = 0; i < count; i++)
        cpu_purge_page(c, va + (u64)i * FRAME_BYTES);
    if (local)
        return;
    if (count > PAGES_BY_MAIL_MAX) {
        cpu_broadcast_purge(c);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        cpu_broadcast_purge_page(c, va + (u64)i * FRAME_BYTES);
}

static void tlb_purge_all(struct cpu *c, bool local)
{
    cpu_purge_tlb(c);
    if (!local)
        cpu_broadcast_purge(c);
}

/* A range leaves its registers as one entry after another would: the page index behind the
 * last one, the count below zero. */
static void range_registers_set(struct cpu *c, const struct dinsn *d, unsigned count)
{
    u64 next = c->gr[d->r2] + (u64)count * FRAME_BYTES;
    c->gr[d->r2] = (c->gr[d->r2] & ~PAGE_INDEX_BITS) | (next & PAGE_INDEX_BITS);
    c->gr[d->r3] |= 0xff;
}

int dat_invalidate_page(struct cpu *c, const struct dinsn *d)
{
    u64 va = c->gr[d->r2];
    bool range = d->r3 && has_facility(c, FAC_IPTERNG);
    struct entries e = {
        .table = c->gr[d->r1] & PTO_MASK,
        .first = (unsigned)(va >> FRAME_SHIFT) & (PAGE_ENTRIES - 1),
        .count = 1 + (range ? (unsigned)c->gr[d->r3] & 0xff : 0),
        .size = PAGE_ENTRIES,
    };
    if (e.first + e.count > PAGE_ENTRIES)
        return PGM_SPECIFICATION;
    TRY(entries_invalidate(c, &e, PTE_INVALID_BYTE, PTE_INVALID_BIT));
    if (range)
        range_registers_set(c, d, e.count);
    pages_purge(c, va, e.count, local_only(c, d));
    return 0;
}

int dat_reset_protection(struct cpu *c, const struct dinsn *d)
{
    u64 va = c->gr[d->r2];
    u8 *entry;
    struct entries e = {
        .table = c->gr[d->r1] & PTO_MASK,
        .first = (unsigned)(va >> FRAME_SHIFT) & (PAGE_ENTRIES - 1),
        .count = 1,
        .size = PAGE_ENTRIES,
    };
    TRY(entry_find(c, &e, 0, &entry));
    __atomic_fetch_and(entry + PTE_PROTECT_BYTE, (u8)~PTE_PROTECT_BIT, __ATOMIC_SEQ_CST);
    access_interlocked_done(c, entry, 8);
    pages_purge(c, va, 1, local_only(c, d));
    return 0;
}

int dat_invalidate_table(struct cpu *c, const struct dinsn *d)
{
    u64 operand = c->gr[d->r2], table = c->gr[d->r1];
    unsigned level = (unsigned)(table >> 2) & 3;
    if (operand & IDTE_MUST_BE_ZERO)
        return PGM_SPECIFICATION;
    if (operand & IDTE_CLEAR_BY_ASCE) {
        cpu_purge_asce(c, c->gr[d->r3]);
        if (!local_only(c, d))
            cpu_broadcast_purge(c);
        return CPU_RESYNC;
    }
    struct entries e = {
        .table = table & TABLE_MASK,
        .first = (unsigned)(operand >> (20 + 11 * level)) & (TABLE_ENTRIES - 1),
        .count = ((unsigned)operand & (TABLE_ENTRIES - 1)) + 1,
        .size = TABLE_ENTRIES,
    };
    TRY(entries_invalidate(c, &e, TABLE_INVALID_BYTE, TABLE_INVALID_BIT));
    tlb_purge_all(c, local_only(c, d));
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

/* ---- COMPARE AND REPLACE DAT TABLE ENTRY ---- */

/* The entry that a table origin with its type, bits 59-61, and a virtual address designate. */
static int entry_designated(u64 origin, u64 va, struct entries *e)
{
    unsigned type = (unsigned)(origin >> 2) & 7, level = type & 3;
    *e = (struct entries){.table = origin & PTO_MASK, .count = 1, .size = PAGE_ENTRIES};
    if (type == CRDTE_PAGE) {
        e->first = (unsigned)(va >> FRAME_SHIFT) & (PAGE_ENTRIES - 1);
        return 0;
    }
    if (!(type & CRDTE_TABLE))
        return PGM_SPECIFICATION;
    e->table = origin & TABLE_MASK;
    e->size = TABLE_ENTRIES;
    e->first = (unsigned)(va >> (20 + 11 * level)) & (TABLE_ENTRIES - 1);
    return 0;
}

int dat_compare_and_replace(struct cpu *c, const struct dinsn *d)
{
    struct entries e;
    u8 *entry;
    u64 old = 0;
    if ((d->r1 | d->r2) & 1)
        return PGM_SPECIFICATION;
    TRY(entry_designated(c->gr[d->r2], c->gr[d->r2 + 1], &e));
    TRY(entry_find(c, &e, 0, &entry));
    bool equal = swap_word(entry, 8, c->gr[d->r1], c->gr[d->r1 + 1], &old);
    c->cc = !equal;
    if (!equal) {
        c->gr[d->r1] = old;
        return 0;
    }
    access_interlocked_done(c, entry, 8);
    tlb_purge_all(c, local_only(c, d));
    return CPU_RESYNC;
}
