/* Dynamic address translation: walking region, segment and page tables (PoP chapter 3).
 * Pure functions over guest storage; the TLB and key checks are elsewhere. */
#ifndef ENDICOTT_MEM_DAT_H
#define ENDICOTT_MEM_DAT_H

#include "mem/storage.h"

/** What a successful walk found. */
struct dat_result {
    u64 real;        /* real address; of a large frame too (absolute in the table, but here
                        prefixing has been undone: apply it as to any real address) */
    bool protect;    /* DAT protection anywhere on the way (with EDAT: also region/segment) */
    bool no_execute; /* instruction-execution protection */
    bool has_acc;    /* a large frame with valid access-control bits: `acc` counts, no key */
    u8 acc;          /* ACC and F as in a storage key */
    u8 level;        /* of the table that ended the walk: 3-1 region first to third, 0 segment
                        or page */
    u64 page_bytes;  /* 4096, or 1 MiB / 2 GiB with EDAT */
    u64 pte_abs;     /* absolute address of the entry that ended the walk, also when it was
                        invalid; DAT_NO_ENTRY when a table is too short or does not exist */
};
#define DAT_NO_ENTRY (~0ull)

struct dat_walk {
    u64 asce;
    u64 prefix; /* of the CPU, for real-to-absolute of table addresses */
    bool edat1, edat2;
    bool iep;           /* installed and enabled */
    bool iep_installed; /* then, and with EDAT-1, bit 55 of a page-table entry may be one */
};

/** Translate `va`. Returns 0, or the program-interruption code (0x10, 0x11, 0x12, 0x38..0x3b,
 *  0x05 when a table entry lies outside storage). */
int dat_translate(struct storage *st, const struct dat_walk *walk, u64 va,
                  struct dat_result *out);

/** The same without looking at the page-table entry: pte_abs is its absolute, real its real
 *  address; for a large frame and a real space the result is that of dat_translate. */
int dat_page_entry(struct storage *st, const struct dat_walk *walk, u64 va,
                   struct dat_result *out);

/** Real to absolute by prefixing: swaps the 8 KiB blocks at 0 and at `prefix`. */
static inline u64 dat_real_to_abs(u64 real, u64 prefix)
{
    u64 block = real & ~0x1fffull;
    if (block == 0)
        return real | prefix;
    if (block == prefix)
        return real & 0x1fff;
    return real;
}

#endif
