/* Dynamic address translation (PoP chapter 3, "Dynamic Address Translation").
 * Guarantees: reads guest tables only; every malformed table ends in the exception the
 * architecture names, never in an access outside storage. Table addresses are taken as real. */
#include "mem/dat.h"

#define PGM_ADDRESSING 0x05
#define PGM_SEGMENT 0x10
#define PGM_PAGE 0x11
#define PGM_TRANSLATION_SPEC 0x12
#define PGM_ASCE_TYPE 0x38
#define PGM_REGION_FIRST 0x39

/* ASCE */
#define ASCE_ORIGIN 0xfffffffffffff000ull
#define ASCE_PRIVATE 0x100u
#define ASCE_REAL_SPACE 0x20u

/* Region-, segment- and page-table entries */
#define ENTRY_ORIGIN 0xfffffffffffff000ull
#define STE_ORIGIN 0xfffffffffffff800ull
#define ENTRY_AV 0x10000u       /* bit 47: ACCF validity, of entries that designate a frame */
#define ENTRY_ACC_SHIFT 8       /* bits 48-52: ACC and F */
#define ENTRY_FORMAT 0x400u     /* bit 53: FC, the entry designates a frame */
#define ENTRY_PROTECT 0x200u    /* bit 54 */
#define ENTRY_NO_EXECUTE 0x100u /* bit 55, of entries that designate a frame */
#define ENTRY_INVALID 0x20u     /* bit 58 */
#define ENTRY_COMMON 0x10u      /* bit 59 */
#define PTE_ZERO 0x800u         /* bit 52 must be zero */
#define PTE_INVALID 0x400u      /* bit 53 */
#define PTE_BIT_55 0x100u       /* change-recording override, or execution protection */

#define LEVEL_SEGMENT 0
#define LEVEL_REGION_THIRD 1
#define LEVEL_REGION_FIRST 3
#define INDEX_MASK 0x7ffu
#define SEGMENT_BYTES (1ull << 20)
#define REGION_BYTES (1ull << 31)

/* What is known on the way down. */
struct dat_cursor {
    u64 table;            /* origin of the next table */
    unsigned first, last; /* blocks of 512 entries that exist: table offset and length */
    u64 entry;
};

/* Bits of the virtual address below the index of a table of this level. */
static unsigned level_shift(unsigned level)
{
    return 20 + 11 * level;
}

/* The translation exception of a table of this level. */
static int level_exception(unsigned level)
{
    return level == LEVEL_SEGMENT ? PGM_SEGMENT : PGM_REGION_FIRST + 3 - (int)level;
}

static bool entry_load(struct storage *st, const struct dat_walk *w, u64 real, u64 *abs,
                       u64 *entry)
{
    *abs = dat_real_to_abs(real, w->prefix);
    const u8 *p = storage_host(st, *abs, 8);
    if (!p)
        return false;
    u64 raw = __atomic_load_n((const u64 *)(const void *)p, __ATOMIC_RELAXED);
    *entry = BE64(raw);
    return true;
}

/* True when an entry of this level designates a frame itself. */
static bool is_frame(const struct dat_walk *w, unsigned level, u64 entry)
{
    if (!(entry & ENTRY_FORMAT))
        return false;
    return (level == LEVEL_SEGMENT && w->edat1) || (level == LEVEL_REGION_THIRD && w->edat2);
}

static int entry_check(const struct dat_walk *w, unsigned level, u64 entry)
{
    if (entry & ENTRY_INVALID)
        return level_exception(level);
    if ((entry >> 2 & 3) != level)
        return PGM_TRANSLATION_SPEC;
    bool common = level == LEVEL_SEGMENT || (level == LEVEL_REGION_THIRD && w->edat2);
    if (common && (entry & ENTRY_COMMON) && (w->asce & ASCE_PRIVATE))
        return PGM_TRANSLATION_SPEC;
    return 0;
}

/* Look up one region or segment table. */
static int table_step(struct storage *st, const struct dat_walk *w, u64 va, unsigned level,
                      struct dat_cursor *cur, struct dat_result *out)
{
    unsigned index = (unsigned)(va >> level_shift(level)) & INDEX_MASK;
    unsigned block = index >> 9;
    if (block < cur->first || block > cur->last)
        return level_exception(level);
    u64 abs, entry;
    if (!entry_load(st, w, cur->table + index * 8ull, &abs, &entry))
        return PGM_ADDRESSING;
    int rc = entry_check(w, level, entry);
    out->pte_abs = abs;
    out->level = (u8)level;
    if (rc)
        return rc;
    if ((level == LEVEL_SEGMENT || w->edat1) && (entry & ENTRY_PROTECT))
        out->protect = true;
    cur->entry = entry;
    cur->table = entry & (level == LEVEL_SEGMENT ? STE_ORIGIN : ENTRY_ORIGIN);
    cur->first = (unsigned)(entry >> 6 & 3);
    cur->last = (unsigned)(entry & 3);
    return 0;
}

/* The address is beyond what the highest table can hold. */
static bool beyond_tables(u64 va, unsigned top)
{
    return top < LEVEL_REGION_FIRST && va >> (level_shift(top) + 11) != 0;
}

/* A frame of 1 MiB or 2 GiB: its address is absolute, so prefixing is undone beforehand. */
static void large_frame(const struct dat_walk *w, u64 va, u64 entry, u64 bytes,
                        struct dat_result *out)
{
    out->real = dat_real_to_abs((entry & ~(bytes - 1)) | (va & (bytes - 1)), w->prefix);
    out->page_bytes = bytes;
    out->no_execute = w->iep && (entry & ENTRY_NO_EXECUTE);
    out->has_acc = (entry & ENTRY_AV) != 0;
    out->acc = (u8)(entry >> ENTRY_ACC_SHIFT) & (SKEY_ACC | SKEY_F);
}

/* Walk down to the page table, or to a large frame (page_bytes says so). */
static int walk_tables(struct storage *st, const struct dat_walk *w, u64 va,
                       struct dat_cursor *cur, struct dat_result *out)
{
    unsigned top = (unsigned)(w->asce >> 2 & 3);
    *out = (struct dat_result){.page_bytes = FRAME_BYTES, .pte_abs = DAT_NO_ENTRY};
    *cur = (struct dat_cursor){.table = w->asce & ASCE_ORIGIN, .last = (unsigned)(w->asce & 3)};
    if (beyond_tables(va, top))
        return PGM_ASCE_TYPE;
    for (unsigned level = top + 1; level-- > 0;) {
        out->pte_abs = DAT_NO_ENTRY;
        int rc = table_step(st, w, va, level, cur, out);
        if (rc)
            return rc;
        if (is_frame(w, level, cur->entry)) {
            u64 bytes = level == LEVEL_SEGMENT ? SEGMENT_BYTES : REGION_BYTES;
            large_frame(w, va, cur->entry, bytes, out);
            return 0;
        }
    }
    return 0;
}

static void real_space(u64 va, struct dat_result *out)
{
    *out = (struct dat_result){.real = va, .page_bytes = FRAME_BYTES, .pte_abs = DAT_NO_ENTRY};
}

int dat_page_entry(struct storage *st, const struct dat_walk *w, u64 va, struct dat_result *out)
{
    struct dat_cursor cur;
    if (w->asce & ASCE_REAL_SPACE) {
        real_space(va, out);
        return 0;
    }
    int rc = walk_tables(st, w, va, &cur, out);
    if (rc || out->page_bytes != FRAME_BYTES)
        return rc;
    out->real = cur.table + (va >> FRAME_SHIFT & 0xff) * 8;
    out->pte_abs = dat_real_to_abs(out->real, w->prefix);
    return 0;
}

int dat_translate(struct storage *st, const struct dat_walk *w, u64 va, struct dat_result *out)
{
    int rc = dat_page_entry(st, w, va, out);
    if (rc || (w->asce & ASCE_REAL_SPACE) || out->page_bytes != FRAME_BYTES)
        return rc;
    u64 pte;
    if (!entry_load(st, w, out->real, &out->pte_abs, &pte))
        return PGM_ADDRESSING;
    if (pte & PTE_INVALID)
        return PGM_PAGE;
    if (pte & (w->edat1 || w->iep_installed ? PTE_ZERO : PTE_ZERO | PTE_BIT_55))
        return PGM_TRANSLATION_SPEC;
    if (pte & ENTRY_PROTECT)
        out->protect = true;
    out->no_execute = w->iep && (pte & ENTRY_NO_EXECUTE);
    out->real = (pte & ENTRY_ORIGIN) | (va & (FRAME_BYTES - 1));
    return 0;
}
