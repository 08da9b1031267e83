/* A CPU with two address spaces and what program linkage needs: DUCT, ASN tables, linkage and entry
 * table, authority table, a linkage stack of one section. One world at a time. */
#ifndef ENDICOTT_TESTS_LIB_LINKAGE_WORLD_H
#define ENDICOTT_TESTS_LIB_LINKAGE_WORLD_H

#include <check.h>

#include "tests/lib/cpu_harness.h"

#define SEG_A 0x100000u
#define PAGES_A 0x101000u
#define SEG_B 0x102000u
#define PAGES_B 0x103000u
#define FRAME_B 0x120000u
#define DUCT 0x110000u
#define UNIT_LIST 0x111000u
#define FIRST_TABLE 0x130000u
#define SECOND_TABLE 0x131000u
#define ASTE(asn) (SECOND_TABLE + 64u * (asn))
#define LINKAGE_TABLE 0x132000u
#define LINKAGE_SECOND 0x132800u
#define ENTRY_TABLE 0x133000u
#define AUTHORITY 0x134000u
#define STACK 0x40000u  /* header entry; its descriptor is at + 8 */
#define STACK2 0x48000u /* another section */
#define TRAILER 0x41008u
#define DATA HARNESS_DATA
#define STATE 296u
#define ASN_A 5u
#define ASN_B 6u
#define REUSE 0x80000ull
#define NEXT (HARNESS_CODE + 4u)
#define FIRST (STACK + 16u) /* first state entry */

extern struct cpu_harness h;
extern u64 *gr, *cr; /* of its CPU */
extern u32 *ar;

/** DAT on in space A, ASN_A and ASN_B valid, everything else of the first 64 ASNs invalid. */
void linkage_setup(void);
void linkage_teardown(void);
/** A valid second-table entry: authority index, designation of its space. */
void aste_put(u32 asn, u32 ax, u64 asce);
/** A section of the stack with `room` bytes between its header and its trailer entry. */
void section_put(u32 at, unsigned room, u64 back, u64 forward);
/** Entry `index` of the entry table. */
void entry_put(unsigned index, u64 address_word, u32 mask_asn, u32 ekm, u32 bits, u32 aste);
/** The 64-bit mode with DAT and `extra`; the next instruction is that of linkage_run. */
void linkage_psw(u64 extra);
/** One instruction; 0 or the program-interruption code. */
int linkage_run(const char *hex);
u64 linkage_psw_mask(void);

#endif
