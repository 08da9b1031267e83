/* Program linkage: PC, PT, PR, BAKR and the linkage stack byte by byte, subspaces.
 * Rules: PoP chapter 5, "Program Linkage", "Linkage-Stack Operations"; chapter 10. */
#include <check.h>
#include <stdlib.h>

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

static struct cpu_harness h;
static u64 *gr, *cr;
static u32 *ar;

static void aste_put(u32 asn, u32 ax, u64 asce)
{
    harness_store(&h, ASTE(asn), 4, AUTHORITY);
    harness_store(&h, ASTE(asn) + 4, 4, ax << 16 | 0x10);
    harness_store(&h, ASTE(asn) + 8, 8, asce);
    harness_store(&h, ASTE(asn) + 16, 4, UNIT_LIST);
    harness_store(&h, ASTE(asn) + 20, 4, 0x11110000 + asn);
    harness_store(&h, ASTE(asn) + 24, 4, 0x80000000u | LINKAGE_TABLE);
    harness_store(&h, ASTE(asn) + 44, 4, 0x22220000 + asn);
}

/* Both spaces are 1:1, but that B has FRAME_B at DATA. */
static void build_spaces(void)
{
    harness_store(&h, SEG_A, 8, PAGES_A);
    harness_store(&h, SEG_B, 8, PAGES_B);
    for (unsigned i = 0; i < 256; i++) {
        harness_store(&h, PAGES_A + 8 * i, 8, (u64)i << 12);
        harness_store(&h, PAGES_B + 8 * i, 8, (u64)i << 12);
    }
    harness_store(&h, PAGES_B + 8 * (DATA >> 12), 8, FRAME_B);
    cr[1] = cr[7] = cr[13] = SEG_A;
    harness_store(&h, FIRST_TABLE, 4, SECOND_TABLE);
    harness_store(&h, FIRST_TABLE + 4, 4, 0x80000000u);
    for (unsigned i = 0; i < 64; i++)
        harness_store(&h, ASTE(i), 4, 0x80000000u);
    aste_put(ASN_A, 2, SEG_A);
    aste_put(ASN_B, 3, SEG_B);
    cr[14] = 0x80000u | FIRST_TABLE >> 12;
    cr[2] = DUCT;
    cr[3] = 0x80800000u | ASN_A;
    cr[4] = 2u << 16 | ASN_A;
    cr[5] = ASTE(ASN_A);
    cr[8] = 0x00770000;
}

static void section_put(u32 at, unsigned room, u64 back, u64 forward)
{
    harness_store(&h, at, 8, back);
    harness_store(&h, at + 8, 8, 0x0907000000000000ull | (u64)room << 32);
    harness_store(&h, at + 16 + room, 8, forward);
    harness_store(&h, at + 24 + room, 8, 0x0a07000000000000ull);
}

static void entry_put(unsigned index, u64 address_word, u32 mask_asn, u32 ekm, u32 bits,
                      u32 aste)
{
    u32 at = ENTRY_TABLE + 32 * index;
    harness_store(&h, at, 8, address_word);
    harness_store(&h, at + 8, 4, mask_asn);
    harness_store(&h, at + 12, 4, ekm);
    harness_store(&h, at + 16, 4, bits);
    harness_store(&h, at + 20, 4, aste);
    harness_store(&h, at + 24, 8, 0xaaaabbbbccccddddull);
}

static void psw(u64 extra)
{
    cpu_psw_set(h.cpu, HARNESS_PSW64 | PSW_DAT | extra, HARNESS_CODE);
}

static void setup(void)
{
    harness_init(&h, "max", 1);
    gr = cpu_gr(h.cpu);
    cr = cpu_cr(h.cpu);
    ar = cpu_ar(h.cpu);
    build_spaces();
    harness_store(&h, LINKAGE_TABLE, 4, ENTRY_TABLE | 1); /* 8 entries */
    for (unsigned i = 1; i < 32; i++)
        harness_store(&h, LINKAGE_TABLE + 4 * i, 4, 0x80000000u);
    section_put(STACK, TRAILER - STACK - 16, 0, 0);
    cr[15] = STACK + 8;
    for (unsigned i = 0; i < 16; i++) {
        gr[i] = 0x1111111100000000ull * (i & 1) + 0x1000 * i;
        ar[i] = 0x90000000u + i;
    }
    gr[1] = DATA;
    psw(0);
}

static void teardown(void)
{
    harness_fini(&h);
}

static int run(const char *hex)
{
    cpu_registers_changed(h.cpu);
    return harness_insn(&h, hex);
}

static u64 mask_now(void)
{
    u64 mask, addr;
    cpu_psw_get(h.cpu, &mask, &addr);
    return mask;
}

#define NEXT (HARNESS_CODE + 4u)
#define FIRST (STACK + 16u) /* first state entry */

/* ---- the stack ---- */

static void state_registers(u32 at)
{
    for (unsigned i = 0; i < 16; i++) {
        ck_assert_uint_eq(harness_load(&h, at + 8 * i, 8), gr[i]);
        ck_assert_uint_eq(harness_load(&h, at + 224 + 4 * i, 4), ar[i]);
    }
}

START_TEST(bakr_layout)
{
    u64 mask = HARNESS_PSW64 | PSW_DAT | 2ull << PSW_CC_SHIFT | 5ull << PSW_PM_SHIFT |
               (u64)AS_AR << PSW_AS_SHIFT | PSW_PROB | 4ull << PSW_KEY_SHIFT;
    cpu_psw_set(h.cpu, mask, HARNESS_CODE);
    gr[3] = 0x30000;
    ck_assert_int_eq(run("b2400003"), 0); /* bakr 0,3 */
    ck_assert_uint_eq(harness_psw_addr(&h), 0x30000);
    state_registers(FIRST);
    ck_assert_uint_eq(harness_load(&h, FIRST + 128, 8), 0x8080000500770005ull);
    ck_assert_uint_eq(harness_load(&h, FIRST + 136, 8), mask);
    ck_assert_uint_eq(harness_load(&h, FIRST + 144, 8), 0x30001);
    ck_assert_uint_eq(harness_load(&h, FIRST + 152, 8), 0);
    ck_assert_uint_eq(harness_load(&h, FIRST + 168, 8), NEXT);
    unsigned left = TRAILER - STACK - 16 - STATE;
    ck_assert_uint_eq(harness_load(&h, FIRST + 288, 8),
                      0x0c07000000000000ull | (u64)left << 32);
    ck_assert_uint_eq(harness_load(&h, STACK + 8 + 4, 2), STATE);
    ck_assert_uint_eq(cr[15], FIRST + 288);
}
END_TEST

START_TEST(bakr_addresses)
{
    static const struct {
        u64 r1, address;
        u64 mode;
    } back[] = {
        {0x123456789abcdef1ull, 0x123456789abcdef0ull, HARNESS_PSW64},
        {0x1111111182345678ull, 0x02345678, PSW_BA},
        {0x1111111112345678ull, 0x345678, 0},
    };
    for (unsigned i = 0; i < 3; i++) {
        u32 at = FIRST + i * STATE;
        gr[4] = back[i].r1;
        ck_assert_int_eq(run("b2400040"), 0); /* no branch */
        ck_assert_uint_eq(harness_psw_addr(&h), NEXT);
        ck_assert_uint_eq(harness_load(&h, at + 136, 8), PSW_DAT | back[i].mode);
        ck_assert_uint_eq(harness_load(&h, at + 168, 8), back[i].address);
        ck_assert_uint_eq(harness_load(&h, at + 144, 8), NEXT | 1);
    }
    cpu_psw_set(h.cpu, PSW_BA | PSW_DAT, HARNESS_CODE);
    gr[4] = 0xffffffff00030000ull;
    ck_assert_int_eq(run("b2400004"), 0);
    ck_assert_uint_eq(harness_load(&h, FIRST + 3 * STATE + 144, 8), 0x80030000u);
    ck_assert_uint_eq(harness_load(&h, FIRST + 3 * STATE + 136, 8), PSW_DAT | PSW_BA);
    ck_assert_uint_eq(harness_psw_addr(&h), 0x30000);
    psw((u64)AS_SECONDARY << PSW_AS_SHIFT);
    ck_assert_int_eq(run("b2400040"), PGM_SPECIAL_OPERATION);
    psw((u64)AS_HOME << PSW_AS_SHIFT);
    ck_assert_int_eq(run("b2400040"), PGM_SPECIAL_OPERATION);
    cpu_psw_set(h.cpu, HARNESS_PSW64, HARNESS_CODE);
    ck_assert_int_eq(run("b2400040"), PGM_SPECIAL_OPERATION);
}
END_TEST

START_TEST(pr_restores)
{
    u64 old_gr[16];
    u32 old_ar[16];
    gr[3] = 0x30000;
    psw(6ull << PSW_KEY_SHIFT | 1ull << PSW_CC_SHIFT);
    ck_assert_int_eq(run("b2400003"), 0);
    memcpy(old_gr, gr, sizeof old_gr);
    memcpy(old_ar, ar, sizeof old_ar);
    memset(gr, 0x55, sizeof old_gr);
    memset(ar, 0, sizeof old_ar);
    cr[3] = 0xffff0000u | ASN_A;
    psw((u64)AS_AR << PSW_AS_SHIFT);
    ck_assert_int_eq(run("0101"), 0);
    for (unsigned i = 0; i < 16; i++) {
        bool back = i >= 2 && i <= 14;
        ck_assert_uint_eq(gr[i], back ? old_gr[i] : 0x5555555555555555ull);
        ck_assert_uint_eq(ar[i], back ? old_ar[i] : 0);
    }
    ck_assert_uint_eq(harness_psw_addr(&h), NEXT);
    ck_assert_uint_eq(mask_now(),
                      HARNESS_PSW64 | PSW_DAT | 6ull << PSW_KEY_SHIFT | 1ull << PSW_CC_SHIFT);
    ck_assert_uint_eq(cr[15], STACK + 8);
    ck_assert_uint_eq(cr[3] >> 16, 0xffff); /* a branch entry leaves them */
    ck_assert_uint_eq(harness_load(&h, STACK + 12, 2), 0);
    ck_assert_int_eq(run("0101"), PGM_STACK_EMPTY);
}
END_TEST

/* An entry that cannot be stored whole leaves stack and registers as they were. */
START_TEST(push_nullified)
{
    u32 header = 0x41000u - 16 - 32; /* the entry crosses into page 0x41 */
    section_put(header, 4 * STATE, 0, 0);
    cr[15] = header + 8;
    harness_store(&h, PAGES_A + 8 * 0x41, 8, 0x41400);
    u64 descriptor = harness_load(&h, header + 8, 8), first = harness_load(&h, header + 16, 8);
    ck_assert_int_eq(run("b2400003"), PGM_PAGE_TRANSLATION);
    ck_assert_uint_eq(harness_load(&h, 0xa8, 8) & ~0xc00ull, 0x41003);
    ck_assert_uint_eq(harness_load(&h, 0xa0, 1), 0);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE);
    harness_store(&h, PAGES_A + 8 * 0x41, 8, 0x41200); /* DAT protection */
    ck_assert_int_eq(run("b2400003"), PGM_PROTECTION);
    ck_assert_uint_eq(harness_load(&h, header + 8, 8), descriptor);
    ck_assert_uint_eq(harness_load(&h, header + 16, 8), first);
    ck_assert_uint_eq(cr[15], header + 8);
    harness_store(&h, PAGES_A + 8 * 0x41, 8, 0x41000);
    storage_key_set(h.st, 0x41000, 0x98); /* keys do not matter */
    psw(4ull << PSW_KEY_SHIFT);
    storage_key_set(h.st, HARNESS_CODE, 0x40);
    gr[3] = 0x30000;
    ck_assert_int_eq(run("b2400003"), 0);
    state_registers(header + 16);
}
END_TEST

/* PR that meets a page fault or a protected entry before it changes nothing either. */
START_TEST(pop_nullified)
{
    u64 saved[16];
    gr[3] = 0x30000;
    u32 header = 0x41000u - 16; /* only the header is in page 0x40 */
    section_put(header, 4 * STATE, 0, 0);
    cr[15] = header + 8;
    ck_assert_int_eq(run("b2400003"), 0);
    u64 top = cr[15];
    memset(gr, 0x77, sizeof saved);
    memcpy(saved, gr, sizeof saved);
    psw(0);
    harness_store(&h, PAGES_A + 8 * 0x40, 8, 0x40200);
    ck_assert_int_eq(run("0101"), PGM_PROTECTION);
    harness_store(&h, PAGES_A + 8 * 0x40, 8, 0x40400);
    ck_assert_int_eq(run("0101"), PGM_PAGE_TRANSLATION);
    harness_store(&h, PAGES_A + 8 * 0x41, 8, 0x41400);
    ck_assert_int_eq(run("0101"), PGM_PAGE_TRANSLATION);
    ck_assert_int_eq(memcmp(gr, saved, sizeof saved), 0);
    ck_assert_uint_eq(cr[15], top);
    harness_store(&h, PAGES_A + 8 * 0x40, 8, 0x40000);
    harness_store(&h, PAGES_A + 8 * 0x41, 8, 0x41000);
    ck_assert_int_eq(run("0101"), 0);
    ck_assert_uint_eq(gr[3], 0x30000);
}
END_TEST

START_TEST(sections)
{
    section_put(STACK, STATE + 8, 0, (STACK2 + 8) | 1);
    section_put(STACK2, 2 * STATE, 0, 0);
    ck_assert_int_eq(run("b2400040"), 0);
    u64 last = cr[15];
    ck_assert_int_eq(run("b2400040"), 0);
    ck_assert_uint_eq(cr[15], STACK2 + 16 + 288);
    ck_assert_uint_eq(harness_load(&h, STACK2, 8), last | 1);
    ck_assert_uint_eq(harness_load(&h, STACK2 + 8, 8), 0x0907025001280000ull);
    ck_assert_uint_eq(harness_load(&h, last, 8), 0x0c07000800000000ull);
    ck_assert_int_eq(run("b2400040"), 0);
    ck_assert_int_eq(run("b2400040"), PGM_STACK_FULL);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(run("0101"), 0);
    ck_assert_uint_eq(cr[15], STACK + 8);
    /* both sections are left: PR has gone back over the header of the second */
    ck_assert_uint_eq(harness_load(&h, STACK2 + 8, 8), 0x0907025000000000ull);
}
END_TEST

START_TEST(stack_exceptions)
{
    section_put(STACK, 8, 0, 0);
    ck_assert_int_eq(run("b2400040"), PGM_STACK_FULL);
    harness_store(&h, STACK + 10, 2, 12); /* not a multiple of 8 */
    ck_assert_int_eq(run("b2400040"), PGM_STACK_SPECIFICATION);
    section_put(STACK, 8, 0, (STACK2 + 8) | 1);
    section_put(STACK2, STATE - 8, 0, 0);
    ck_assert_int_eq(run("b2400040"), PGM_STACK_SPECIFICATION);
    ck_assert_uint_eq(cr[15], STACK + 8);
    section_put(STACK2, STATE, 0, 0);
    ck_assert_int_eq(run("b2400040"), 0);
    harness_store(&h, cr[15], 1, 0x8c); /* unstack suppression: of the entry, */
    ck_assert_int_eq(run("0101"), PGM_STACK_OPERATION);
    ck_assert_int_eq(run("b24a0040"), 0); /* esta does not mind */
    harness_store(&h, cr[15], 1, 0x0a);   /* a trailer */
    ck_assert_int_eq(run("0101"), PGM_STACK_TYPE);
    ck_assert_int_eq(run("b2490044"), PGM_STACK_TYPE);
    cr[15] = STACK2 + 8;
    harness_store(&h, STACK2, 8, (STACK + 8) | 1); /* a header before a header */
    ck_assert_int_eq(run("0101"), PGM_STACK_SPECIFICATION);
    harness_store(&h, STACK2 + 8, 1, 0x89); /* of the header */
    ck_assert_int_eq(run("0101"), PGM_STACK_OPERATION);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE);
    ck_assert_uint_eq(harness_old_ilc(&h), 2);
    ck_assert_int_eq(run("b2470040"), PGM_STACK_SPECIFICATION); /* msta: not suppressed by it */
}
END_TEST

START_TEST(extraction)
{
    u64 was = gr[9];
    ck_assert_int_eq(run("b2400040"), 0);
    memset(gr, 0, 16 * sizeof *gr);
    memset(ar, 0, 16 * sizeof *ar);
    gr[8] = 0xeeeeeeee00000000ull;
    ck_assert_int_eq(run("b249008a"), 0); /* ereg 8,10 */
    ck_assert_uint_eq(gr[8], 0xeeeeeeee00008000ull);
    ck_assert_uint_eq(gr[9], 0x9000);
    ck_assert_uint_eq(ar[9], 0x90000009u);
    ck_assert_uint_eq(gr[11] | ar[11] | gr[7] | ar[7], 0);
    ck_assert_int_eq(run("b90e0099"), 0); /* eregg 9,9 */
    ck_assert_uint_eq(gr[9], was);
    ck_assert_int_eq(run("b90e00f0"), 0); /* eregg 15,0 */
    ck_assert_uint_eq(gr[15], 0x111111110000f000ull);
    ck_assert_uint_eq(ar[15], 0x9000000fu);
    ck_assert_uint_eq(ar[0], 0x90000000u);
    ck_assert_uint_eq(gr[14] | gr[1], 0);
    gr[2] = 0xffffffff12345678ull;
    gr[3] = 0x9abcdef0;
    ck_assert_int_eq(run("b2470020"), 0); /* msta 2 */
    ck_assert_uint_eq(harness_load(&h, FIRST + 152, 8), 0x123456789abcdef0ull);
    ck_assert_int_eq(run("b2470010"), PGM_SPECIFICATION);
    gr[0] = 3;
    ck_assert_int_eq(run("b24a0040"), 0); /* esta 4,0 */
    ck_assert_uint_eq(gr[4] << 32 | gr[5], 0x123456789abcdef0ull);
    ck_assert_uint_eq(harness_cc(&h), 0);
    gr[0] = 0;
    ck_assert_int_eq(run("b24a0040"), 0);
    ck_assert_uint_eq(gr[4] << 32 | gr[5], 0x8080000500770005ull);
    gr[0] = 0xff04;
    ck_assert_int_eq(run("b24a0040"), 0);
    ck_assert_uint_eq(gr[4], PSW_DAT); /* 24-bit mode: bits 32 and 63 of register 4 were zero */
    ck_assert_uint_eq(gr[5], 0x4000);
    gr[0] = 1;
    gr[4] = gr[5] = 0;
    ck_assert_int_eq(run("b24a0040"), 0);
    ck_assert_uint_eq(gr[4], 0x04080000);
    ck_assert_uint_eq(gr[5], 0x4000);
    gr[0] = 2;
    ck_assert_int_eq(run("b24a0040"), 0);
    ck_assert_uint_eq(gr[5], NEXT | 1);
    gr[0] = 6;
    ck_assert_int_eq(run("b24a0040"), PGM_SPECIFICATION);
    psw((u64)AS_HOME << PSW_AS_SHIFT);
    gr[0] = 0;
    ck_assert_int_eq(run("b24a0040"), 0);
    psw((u64)AS_SECONDARY << PSW_AS_SHIFT);
    ck_assert_int_eq(run("b24a0040"), PGM_SPECIAL_OPERATION);
    ck_assert_int_eq(run("b2490044"), PGM_SPECIAL_OPERATION);
}
END_TEST

/* ---- PROGRAM CALL ---- */

START_TEST(pc_basic)
{
    entry_put(2, 0x30001ull, 0x00800000, 0x00010000, 0x40000000, 0);
    gr[2] = 2;
    ck_assert_int_eq(run("b2182000"), 0);
    ck_assert_uint_eq(harness_psw_addr(&h), 0x30000);
    ck_assert_uint_eq(gr[14], NEXT);
    ck_assert_uint_eq(gr[3] & 0xffffffff, 0x80800005);
    ck_assert_uint_eq(gr[3] >> 32, 0x11111111);
    ck_assert_uint_eq(gr[4], 0xaaaabbbbccccddddull);
    ck_assert_uint_eq(cr[3], 0x80810005);
    ck_assert_uint_eq(mask_now(), HARNESS_PSW64 | PSW_DAT | PSW_PROB);
    ck_assert_int_eq(run("b2182000"), 0); /* from the problem state: by key 8 */
    ck_assert_uint_eq(gr[14], NEXT | 1);
    cr[3] = 0xff7f0000u;
    ck_assert_int_eq(run("b2182000"), PGM_PRIVILEGED);
    psw((u64)AS_AR << PSW_AS_SHIFT);
    ck_assert_int_eq(run("b2182000"), PGM_SPECIAL_OPERATION);
    cpu_psw_set(h.cpu, PSW_BA | PSW_DAT, HARNESS_CODE);
    ck_assert_int_eq(run("b2182000"), PGM_SPECIAL_OPERATION); /* into the 64-bit mode */
    entry_put(2, 0x30000ull, 0, 0, 0, 0);                     /* from 31 to 24 */
    gr[14] = gr[4] = ~0ull;
    ck_assert_int_eq(run("b2182000"), 0);
    ck_assert_uint_eq(mask_now(), PSW_DAT);
    ck_assert_uint_eq(gr[14], 0xffffffff80010004ull);
    ck_assert_uint_eq(gr[4], 0xffffffffccccddddull);
    entry_put(2, 0x01000000ull, 0, 0, 0, 0);
    ck_assert_int_eq(run("b2182000"), PGM_PC_TRANSLATION_SPEC);
    entry_put(2, 0x81000000ull, 0, 0, 0, 0);
    ck_assert_int_eq(run("b2182000"), 0);
    ck_assert_uint_eq(mask_now(), PSW_DAT | PSW_BA);
}
END_TEST

START_TEST(pc_tables)
{
    gr[2] = 8; /* beyond the entry table */
    harness_store(&h, 0xa8, 8, ~0ull);
    ck_assert_int_eq(run("b2182000"), PGM_EX_TRANSLATION);
    ck_assert_uint_eq(harness_load(&h, 0xa8, 8), 0xffffffff00000008ull);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE);
    gr[2] = 0xfff00102; /* linkage index 1: invalid */
    ck_assert_int_eq(run("b2182000"), PGM_LX_TRANSLATION);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), 0x102);
    gr[2] = 0x2002; /* beyond the linkage table */
    ck_assert_int_eq(run("b2182000"), PGM_LX_TRANSLATION);
    gr[2] = 2;
    harness_store(&h, LINKAGE_TABLE, 4, 0x7fff0000);
    ck_assert_int_eq(run("b2182000"), PGM_ADDRESSING);
    harness_store(&h, ASTE(ASN_A) + 24, 4, LINKAGE_TABLE);
    ck_assert_int_eq(run("b2182000"), PGM_SPECIAL_OPERATION);
    psw((u64)AS_HOME << PSW_AS_SHIFT);
    ck_assert_int_eq(run("b2182000"), PGM_SPECIAL_OPERATION);
}
END_TEST

START_TEST(pc_stacking)
{
    /* stacking, 64-bit, K M E C, key 9, EAX 1234, key mask 0440 */
    entry_put(3, 0x30001ull, 0x80000000, 0x04400000, 0xde901234u, 0);
    gr[2] = 3;
    psw(3ull << PSW_CC_SHIFT);
    ck_assert_int_eq(run("b2182000"), 0);
    ck_assert_uint_eq(mask_now(), HARNESS_PSW64 | PSW_DAT | PSW_PROB | 9ull << PSW_KEY_SHIFT |
                                      (u64)AS_AR << PSW_AS_SHIFT | 3ull << PSW_CC_SHIFT);
    ck_assert_uint_eq(cr[3], 0x04400005);
    ck_assert_uint_eq(cr[8], 0x12340000);
    ck_assert_uint_eq(gr[4], 0xaaaabbbbccccddddull);
    ck_assert_uint_eq(gr[3], 0x1111111100003000ull); /* not of the stacking PC */
    ck_assert_uint_eq(harness_load(&h, FIRST + 8 * 4, 8), 0x4000);
    ck_assert_uint_eq(harness_load(&h, FIRST + 128, 8), 0x8080000500770005ull);
    ck_assert_uint_eq(harness_load(&h, FIRST + 144, 8), 0x80000003ull);
    ck_assert_uint_eq(harness_load(&h, FIRST + 168, 8), NEXT);
    ck_assert_uint_eq(harness_load(&h, FIRST + 288, 1), 0x0d);
    gr[0] = 2;
    psw(0);
    ck_assert_int_eq(run("b24a0060"), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    ck_assert_uint_eq(gr[7] & 0xffffffff, 0x80000003);
    ck_assert_int_eq(run("0101"), 0);
    ck_assert_uint_eq(cr[3], 0x80800005);
    ck_assert_uint_eq(cr[8], 0x00770000);
    ck_assert_uint_eq(harness_psw_addr(&h), NEXT);
    /* from 31-bit mode to 24-bit; the key mask is ORed, everything else stays */
    entry_put(3, 0x30000ull, 0, 0x00010000, 0x80000000u, 0);
    cpu_psw_set(h.cpu, PSW_BA | PSW_DAT, HARNESS_CODE);
    ck_assert_int_eq(run("b2182000"), 0);
    ck_assert_uint_eq(mask_now(), PSW_DAT);
    ck_assert_uint_eq(cr[3], 0x80810005);
    ck_assert_uint_eq(harness_load(&h, FIRST + 136, 8), PSW_DAT | PSW_BA);
    ck_assert_uint_eq(harness_load(&h, FIRST + 148, 4), 3);
    cr[15] = STACK + 8;
    section_put(STACK, 8, 0, 0);
    u64 link = gr[4] = 0x4444;
    psw(0);
    ck_assert_int_eq(run("b2182000"), PGM_STACK_FULL);
    ck_assert_uint_eq(gr[4], link);
    ck_assert_uint_eq(cr[3], 0x80810005);
}
END_TEST

START_TEST(pc_space_switch)
{
    entry_put(4, 0x30000ull, 0x80000000 | ASN_B, 0, 0xc0000000u, ASTE(ASN_B));
    gr[2] = 4;
    ck_assert_int_eq(run("b2182000"), 0);
    ck_assert_uint_eq(cr[1], SEG_B);
    ck_assert_uint_eq(cr[7], SEG_A);
    ck_assert_uint_eq(cr[4], 3u << 16 | ASN_B);
    ck_assert_uint_eq(cr[5], ASTE(ASN_B));
    ck_assert_uint_eq(cr[3] & 0xffff, ASN_A);
    ck_assert_uint_eq(harness_load(&h, FIRST + 144, 4), ASN_B << 16 | 6);
    harness_store(&h, FRAME_B, 8, 0xb);
    ck_assert_int_eq(run("e32010000004"), 0);
    ck_assert_uint_eq(gr[2], 0xb);
    ck_assert_int_eq(run("0101"), 0); /* back: secondary is the primary again */
    ck_assert_uint_eq(cr[1], SEG_A);
    ck_assert_uint_eq(cr[7], SEG_A);
    ck_assert_uint_eq(cr[4], 2u << 16 | ASN_A);
    ck_assert_uint_eq(cr[5], ASTE(ASN_A));
    entry_put(4, 0x30000ull, 0x80000000 | ASN_B, 0, 0xc1000000u, ASTE(ASN_B)); /* S */
    ck_assert_int_eq(run("b2182000"), 0);
    ck_assert_uint_eq(cr[7], SEG_B);
    ck_assert_uint_eq(cr[3] & 0xffff, ASN_B);
}
END_TEST

START_TEST(pc_space_exceptions)
{
    entry_put(4, 0x30000ull, 0x80000000 | ASN_B, 0, 0x40000000u, ASTE(ASN_B));
    gr[2] = 4;
    harness_store(&h, ASTE(ASN_B), 4, 0x80000000u);
    ck_assert_int_eq(run("b2182000"), PGM_ASX_TRANSLATION);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), ASN_B);
    cr[14] &= ~0x80000ull;
    ck_assert_int_eq(run("b2182000"), PGM_SPECIAL_OPERATION);
    cr[14] |= 0x80000;
    aste_put(ASN_B, 3, SEG_B | 0x40); /* space-switch event, after completion */
    ck_assert_int_eq(run("b2182000"), PGM_SPACE_SWITCH);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), ASN_A);
    ck_assert_uint_eq(harness_old_addr(&h), 0x30000);
    ck_assert_uint_eq(harness_old_ilc(&h), 4);
    ck_assert_uint_eq(cr[4] & 0xffff, ASN_B);
    ck_assert_uint_eq(cr[1], SEG_B | 0x40);
    gr[3] = 0xffff0000u | ASN_A; /* pt back: the old space has the bit */
    gr[14] = HARNESS_CODE;
    harness_store(&h, AUTHORITY, 1, 0x02); /* AX 3: primary */
    ck_assert_int_eq(run("b228003e"), PGM_SPACE_SWITCH);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), 0x80000000u | ASN_B);
}
END_TEST

/* ---- PROGRAM TRANSFER, PROGRAM RETURN with space switching ---- */

START_TEST(pt)
{
    gr[3] = 0x00800000u | ASN_A;
    gr[14] = 0x30001;
    ck_assert_int_eq(run("b228003e"), 0);
    ck_assert_uint_eq(cr[3], 0x00800005);
    ck_assert_uint_eq(mask_now(), HARNESS_PSW64 | PSW_DAT | PSW_PROB);
    gr[14] = 0x30000; /* to the supervisor state */
    ck_assert_int_eq(run("b228003e"), PGM_PRIVILEGED);
    gr[14] = 0x30001;
    gr[3] = 0xffff0000u | ASN_B;
    ck_assert_int_eq(run("b228003e"), PGM_PRIMARY_AUTHORITY);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), ASN_B);
    harness_store(&h, AUTHORITY, 1, 0x08); /* AX 2: primary */
    ck_assert_int_eq(run("b228003e"), 0);
    ck_assert_uint_eq(cr[1], SEG_B);
    ck_assert_uint_eq(cr[7], SEG_B);
    ck_assert_uint_eq(cr[3], 0x00800000u | ASN_B);
    ck_assert_uint_eq(cr[4], 3u << 16 | ASN_B);
    gr[3] = 7; /* invalid */
    ck_assert_int_eq(run("b228003e"), PGM_ASX_TRANSLATION);
    gr[3] = 0x47;
    ck_assert_int_eq(run("b228003e"), PGM_AFX_TRANSLATION);
    gr[3] = 0x47;
    cr[14] = 0x80000u | 0x7ffff;
    ck_assert_int_eq(run("b228003e"), PGM_ADDRESSING);
    cpu_psw_set(h.cpu, PSW_BA | PSW_DAT, HARNESS_CODE);
    gr[3] = ASN_B;
    gr[14] = 0x01000000; /* not a 24-bit address */
    ck_assert_int_eq(run("b228003e"), PGM_SPECIFICATION);
    gr[14] = 0x81000000u;
    ck_assert_int_eq(run("b228003e"), 0);
    ck_assert_uint_eq(mask_now(), PSW_DAT | PSW_BA);
    psw((u64)AS_AR << PSW_AS_SHIFT);
    ck_assert_int_eq(run("b228003e"), PGM_SPECIAL_OPERATION);
}
END_TEST

/* Returning into a space whose secondary space it may not use. */
START_TEST(pr_authority)
{
    entry_put(4, 0x30000ull, 0x80000000 | ASN_B, 0, 0xc0000000u, ASTE(ASN_B));
    cr[3] = 0x80800000u | ASN_B;
    cr[7] = SEG_B;
    gr[2] = 4;
    ck_assert_int_eq(run("b2182000"), 0);
    u64 top = cr[15];
    ck_assert_int_eq(run("0101"), PGM_SECONDARY_AUTHORITY);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), ASN_B);
    ck_assert_uint_eq(cr[15], top);
    ck_assert_uint_eq(cr[1], SEG_B);
    ck_assert_uint_eq(harness_load(&h, STACK + 12, 2), STATE);
    cr[14] &= ~0x80000ull;
    ck_assert_int_eq(run("0101"), PGM_SPECIAL_OPERATION);
    cr[14] |= 0x80000;
    harness_store(&h, AUTHORITY, 1, 0x04); /* AX 2: secondary */
    ck_assert_int_eq(run("0101"), 0);
    ck_assert_uint_eq(cr[1], SEG_A);
    ck_assert_uint_eq(cr[7], SEG_B);
    ck_assert_uint_eq(cr[3], 0x80800000u | ASN_B);
}
END_TEST

START_TEST(pr_invalid_psw)
{
    gr[3] = 0x30000;
    ck_assert_int_eq(run("b2400003"), 0);
    harness_store(&h, FIRST + 136, 8, HARNESS_PSW64 | PSW_DAT | 0x8000000000000000ull);
    ck_assert_int_eq(run("0101"), PGM_SPECIFICATION);
    ck_assert_uint_eq(harness_old_ilc(&h), 0);
    ck_assert_uint_eq(cr[15], STACK + 8); /* completed */
}
END_TEST

START_TEST(set_secondary)
{
    gr[2] = ASN_B;
    ck_assert_int_eq(run("b2250020"), PGM_SECONDARY_AUTHORITY);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), ASN_B);
    harness_store(&h, AUTHORITY, 1, 0x04);
    ck_assert_int_eq(run("b2250020"), 0);
    ck_assert_uint_eq(cr[7], SEG_B);
    ck_assert_uint_eq(cr[3] & 0xffff, ASN_B);
    ck_assert_int_eq(run("b2260070"), 0); /* epar */
    ck_assert_uint_eq(gr[7] & 0xffffffff, ASN_A);
    ck_assert_int_eq(run("b2270070"), 0); /* esar */
    ck_assert_uint_eq(gr[7] & 0xffffffff, ASN_B);
    gr[7] = 0x5678;
    ck_assert_int_eq(run("b99d0070"), 0); /* esea */
    ck_assert_uint_eq(gr[7], 0x775678);
    ck_assert_uint_eq(cr[8], 0x56780000);
    gr[2] = ASN_A;
    ck_assert_int_eq(run("b2250020"), 0);
    ck_assert_uint_eq(cr[7], SEG_A);
}
END_TEST

/* SAC into and out of the home space. */
START_TEST(home_event)
{
    ck_assert_int_eq(run("b2190300"), PGM_SPECIAL_OPERATION);
    cr[0] |= CR0_SECONDARY_CTL;
    ck_assert_int_eq(run("b2190300"), 0);
    ck_assert_int_eq(run("b2190000"), 0);
    cr[13] |= 0x40;
    ck_assert_int_eq(run("b2190300"), PGM_SPACE_SWITCH);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), ASN_A);
    ck_assert_uint_eq(harness_old_addr(&h), NEXT);
    ck_assert_uint_eq(harness_load(&h, 0x150, 8) & PSW_AS, PSW_AS);
    psw((u64)AS_HOME << PSW_AS_SHIFT);
    ck_assert_int_eq(run("b2790000"), PGM_SPACE_SWITCH);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), 0x80000000u);
    ck_assert_int_eq(run("b2790300"), 0);
}
END_TEST

/* ---- ASN and LX reuse ---- */

static void reuse_on(void)
{
    cr[0] |= REUSE;
    cr[3] |= 0x22220005ull << 32;
    cr[4] |= 0x22220005ull << 32;
    harness_store(&h, ASTE(ASN_A) + 24, 4, 0x80000000u | LINKAGE_TABLE);
    harness_store(&h, LINKAGE_TABLE, 4, LINKAGE_SECOND);
    harness_store(&h, LINKAGE_SECOND, 8, (u64)(ENTRY_TABLE | 1) << 32);
    harness_store(&h, LINKAGE_SECOND + 8, 8, (u64)(ENTRY_TABLE | 1) << 32 | 0x12121212);
    harness_store(&h, LINKAGE_SECOND + 16, 8, 0x80000000ull << 32);
}

START_TEST(reuse_numbers)
{
    reuse_on();
    entry_put(3, 0x30000ull, 0x80000000, 0, 0xc0000000u, 0);
    gr[2] = 3;
    ck_assert_int_eq(run("b2182000"), 0);
    ck_assert_uint_eq(harness_load(&h, FIRST + 148, 4), 0x80000003u);
    ck_assert_uint_eq(harness_load(&h, FIRST + 176, 8), 0x2222000522220005ull);
    gr[2] = 0x103; /* second index 1 wants its sequence number in register 15 */
    ck_assert_int_eq(run("b2182000"), PGM_LSTE_SEQUENCE);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), 0x103);
    gr[15] = 0x1212121200000000ull;
    ck_assert_int_eq(run("b2182000"), 0);
    gr[2] = 0x203;
    ck_assert_int_eq(run("b2182000"), PGM_LSX_TRANSLATION);
    gr[2] = 0x2003;
    ck_assert_int_eq(run("b2182000"), PGM_LFX_TRANSLATION);
    gr[2] = 0x180003; /* first index beyond the table, bit 44 on */
    ck_assert_int_eq(run("b2182000"), PGM_LFX_TRANSLATION);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), 0x180003);
    harness_store(&h, ASTE(ASN_A) + 24, 4, 0x80000001u | LINKAGE_TABLE);
    harness_store(&h, LINKAGE_TABLE + 256, 4, LINKAGE_SECOND);
    ck_assert_int_eq(run("b2182000"), 0);
    ck_assert_uint_eq(harness_load(&h, cr[15] - 288 + 148, 4), 0x80080003u);
    gr[0] = 5;
    ck_assert_int_eq(run("b24a0060"), 0); /* esta: the left halves */
    ck_assert_uint_eq(gr[6] >> 32, 0x22220005);
    ck_assert_uint_eq(gr[6] & 0xffffffff, 0x6000);
    entry_put(3, 0x30000ull, 0x80000000, 0, 0x40000000u, 0);
    ck_assert_int_eq(run("b2182000"), 0); /* basic: the instance goes into register 3 */
    ck_assert_uint_eq(gr[3], 0x2222000580800005ull);
}
END_TEST

START_TEST(reuse_instances)
{
    reuse_on();
    harness_store(&h, AUTHORITY, 1, 0x0f); /* AX 2 and 3: both */
    entry_put(3, 0x30000ull, 0x80000000 | ASN_B, 0, 0xc0000000u, ASTE(ASN_B));
    gr[2] = 3;
    ck_assert_int_eq(run("b2182000"), 0);
    ck_assert_uint_eq(cr[4] >> 32, 0x22220006);
    ck_assert_uint_eq(cr[3] >> 32, 0x22220005);
    harness_store(&h, ASTE(ASN_A) + 44, 4, 0x22220099);
    ck_assert_int_eq(run("0101"), PGM_ASTE_INSTANCE);
    ck_assert_uint_eq(harness_load(&h, 0xa0, 1), 0x20);
    harness_store(&h, ASTE(ASN_A) + 44, 4, 0x22220005);
    ck_assert_int_eq(run("0101"), 0);
    ck_assert_uint_eq(cr[4] >> 32, 0x22220005);
    gr[2] = 0x2222000700000000ull | ASN_B;
    ck_assert_int_eq(run("b99f0020"), PGM_ASTE_INSTANCE); /* ssair */
    ck_assert_uint_eq(harness_load(&h, 0xa0, 1), 0x10);
    gr[2] = 0x2222000600000000ull | ASN_B;
    ck_assert_int_eq(run("b99f0020"), 0);
    ck_assert_uint_eq(cr[3] >> 32, 0x22220006);
    ck_assert_int_eq(run("b99b0070"), 0); /* esair */
    ck_assert_uint_eq(gr[7], 0x2222000600000006ull);
    ck_assert_int_eq(run("b99a0070"), 0); /* epair */
    ck_assert_uint_eq(gr[7], 0x2222000500000005ull);
    harness_store(&h, ASTE(ASN_B) + 4, 4, 3u << 16 | 0x11); /* reusable */
    ck_assert_int_eq(run("b2250020"), PGM_SPECIAL_OPERATION);
    gr[14] = 0x30001;
    ck_assert_int_eq(run("b228002e"), PGM_SPECIAL_OPERATION);
    gr[2] |= 0xffff0000;
    ck_assert_int_eq(run("b99e002e"), 0); /* pti, which puts us into the problem state */
    ck_assert_uint_eq(cr[4], 0x2222000600000000ull | 3u << 16 | ASN_B);
    ck_assert_uint_eq(cr[3] >> 32, 0x22220006);
    harness_store(&h, ASTE(ASN_A) + 4, 4, 2u << 16 | 0x12); /* controlled */
    gr[2] = 0x22220005ffff0005ull;
    ck_assert_int_eq(run("b99e002e"), PGM_SPECIAL_OPERATION);
    ck_assert_int_eq(run("b99f0020"), PGM_SPECIAL_OPERATION);
    harness_store(&h, ASTE(ASN_A) + 4, 4, 2u << 16 | 0x10);
    gr[2] = 0x22220006ffff0005ull;
    ck_assert_int_eq(run("b99e002e"), PGM_ASTE_INSTANCE);
    ck_assert_uint_eq(harness_load(&h, 0xa0, 1), 0x20);
}
END_TEST

/* ---- authority and subspaces ---- */

START_TEST(bsa)
{
    gr[4] = 0x00800080; /* key mask, key 8 */
    gr[5] = 0x30000;
    ck_assert_int_eq(run("b25a0045"), 0);
    ck_assert_uint_eq(mask_now(), HARNESS_PSW64 | PSW_DAT | PSW_PROB | 8ull << PSW_KEY_SHIFT);
    ck_assert_uint_eq(harness_psw_addr(&h), 0x30000);
    ck_assert_uint_eq(cr[3], 0x00800005);
    ck_assert_uint_eq(harness_load(&h, DUCT + 20, 4), 0x80800008);
    ck_assert_uint_eq(harness_load(&h, DUCT + 32, 8), NEXT);
    storage_key_set(h.st, HARNESS_CODE, 0x80);
    ck_assert_int_eq(run("b25a0045"), PGM_SPECIAL_OPERATION); /* already reduced */
    ck_assert_int_eq(run("b25a0060"), 0);
    ck_assert_uint_eq(mask_now(), HARNESS_PSW64 | PSW_DAT);
    ck_assert_uint_eq(gr[6], NEXT);
    ck_assert_uint_eq(cr[3], 0x80800005);
    ck_assert_uint_eq(harness_load(&h, DUCT + 20, 4), 0x80800000);
    ck_assert_int_eq(run("b25a0060"), PGM_SPECIAL_OPERATION);
    psw(PSW_PROB);
    gr[4] = 0x00800070;
    ck_assert_int_eq(run("b25a0045"), PGM_PRIVILEGED);
    cpu_psw_set(h.cpu, PSW_BA | PSW_PROB, HARNESS_CODE); /* DAT does not matter */
    gr[4] = 0x00800080;
    gr[5] = 0x30000; /* into the 24-bit mode */
    ck_assert_int_eq(run("b25a0045"), 0);
    ck_assert_uint_eq(mask_now(), PSW_PROB | 8ull << PSW_KEY_SHIFT);
    ck_assert_uint_eq(harness_load(&h, DUCT + 32, 8), 0x80000000u | NEXT);
    ck_assert_uint_eq(harness_load(&h, DUCT + 20, 4), 0x80800009);
    ck_assert_int_eq(run("b25a0000"), 0);
    ck_assert_uint_eq(mask_now(), PSW_BA | PSW_PROB);
    cr[0] |= CR0_LAP;
    cr[2] = 0x80;
    ck_assert_int_eq(run("b25a0045"), PGM_PROTECTION);
}
END_TEST

#define BASE 8u
#define SUB 9u

static void group_put(void)
{
    aste_put(BASE, 2, SEG_A | 0x200);
    aste_put(SUB, 0, SEG_B | 0x200);
    harness_store(&h, ASTE(BASE), 4, AUTHORITY | 1);
    harness_store(&h, DUCT, 4, ASTE(BASE));
    harness_store(&h, DUCT + 16, 4, UNIT_LIST);
    harness_store(&h, UNIT_LIST + 32, 4, 0x00040000);
    harness_store(&h, UNIT_LIST + 40, 8, (u64)ASTE(SUB) << 32 | (0x11110000 + SUB));
    cr[1] = cr[7] = SEG_A | 0x200;
    cr[4] = 2u << 16 | BASE;
    cr[5] = ASTE(BASE);
    gr[5] = 0x30000;
}

START_TEST(bsg)
{
    group_put();
    cr[1] |= 0x40; /* kept: it belongs to the group */
    cr[3] = ASN_B;
    ar[5] = 0x00050002; /* the sequence number does not count here */
    ck_assert_int_eq(run("b2580065"), 0);
    ck_assert_uint_eq(cr[1], SEG_B | 0x240);
    ck_assert_uint_eq(cr[7], cr[1]);
    ck_assert_uint_eq(cr[3] & 0xffff, BASE);
    ck_assert_uint_eq(gr[6], NEXT);
    ck_assert_uint_eq(harness_psw_addr(&h), 0x30000);
    ck_assert_uint_eq(harness_load(&h, DUCT + 4, 4), 0x80000000u | ASTE(SUB));
    ck_assert_uint_eq(harness_load(&h, DUCT + 12, 4), 0x11110000 + SUB);
    ar[5] = 0;
    ck_assert_int_eq(run("b2580065"), 0);
    ck_assert_uint_eq(cr[1], SEG_A | 0x200);
    ck_assert_uint_eq(harness_load(&h, DUCT + 4, 4), ASTE(SUB));
    ar[5] = 1; /* the last subspace */
    ck_assert_int_eq(run("b2580065"), 0);
    ck_assert_uint_eq(cr[1], SEG_B | 0x200);
    ck_assert_uint_eq(harness_load(&h, DUCT + 4, 4), 0x80000000u | ASTE(SUB));
    harness_store(&h, ASTE(SUB) + 20, 4, 1);
    ck_assert_int_eq(run("b2580065"), PGM_ASTE_SEQUENCE);
    ck_assert_uint_eq(harness_load(&h, 0xa0, 1), 5);
    ar[5] = 2;
    ck_assert_int_eq(run("b2580065"), PGM_ASTE_SEQUENCE);
    harness_store(&h, ASTE(SUB), 4, 0x80000000u);
    ck_assert_int_eq(run("b2580065"), PGM_ASTE_VALIDITY);
    aste_put(SUB, 0, SEG_B); /* not of the group */
    ck_assert_int_eq(run("b2580065"), PGM_SPECIAL_OPERATION);
    ar[5] = 4;
    ar[5] = 0x02000000;
    ck_assert_int_eq(run("b2580065"), PGM_ALET_SPECIFICATION);
    harness_store(&h, DUCT + 4, 4, 0);
    ar[5] = 1;
    ck_assert_int_eq(run("b2580065"), PGM_SPECIAL_OPERATION);
    cr[5] = ASTE(ASN_A); /* the primary space is not the base space */
    ck_assert_int_eq(run("b2580065"), PGM_SPECIAL_OPERATION);
}
END_TEST

/* A dispatchable unit that runs in a subspace gets that when it comes to its base space. */
START_TEST(subspace_replacement)
{
    group_put();
    harness_store(&h, DUCT + 4, 4, 0x80000000u | ASTE(SUB));
    harness_store(&h, DUCT + 12, 4, 0x11110000 + SUB);
    cr[1] = cr[7] = SEG_A;
    cr[4] = 2u << 16 | ASN_A;
    cr[5] = ASTE(ASN_A);
    harness_store(&h, AUTHORITY, 1, 0x0c);
    gr[3] = 0xffff0000u | BASE;
    gr[2] = BASE;
    ck_assert_int_eq(run("b2250020"), 0); /* ssar */
    ck_assert_uint_eq(cr[7], SEG_B | 0x200);
    ck_assert_int_eq(run("b2280035"), 0); /* pt */
    ck_assert_uint_eq(cr[1], SEG_B | 0x200);
    ck_assert_uint_eq(cr[5], ASTE(BASE));
    cr[4] = 2u << 16 | ASN_A;
    harness_store(&h, DUCT + 12, 4, 1);
    harness_store(&h, 0xa0, 1, 0xff);
    ck_assert_int_eq(run("b2280035"), PGM_ASTE_SEQUENCE);
    ck_assert_uint_eq(harness_load(&h, 0xa0, 1), 0);
    harness_store(&h, ASTE(SUB), 4, 0x80000000u);
    ck_assert_int_eq(run("b2280035"), PGM_ASTE_VALIDITY);
}
END_TEST

/* ---- LASP, TAR ---- */

static int lasp(u64 parameters, const char *hex)
{
    harness_store(&h, DATA, 8, parameters);
    return run(hex);
}

#define LASP_0 "e50010000000"
#define LASP_1 "e50010000001"
#define LASP_2 "e50010000002"
#define LASP_4 "e50010000004"

START_TEST(load_parameters)
{
    ck_assert_int_eq(lasp(0x1234000500990005ull, LASP_0), 0); /* PKM only */
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(cr[3], 0x12340005);
    ck_assert_uint_eq(cr[4], 2u << 16 | ASN_A);
    ck_assert_int_eq(lasp(0x1234000500990005ull, LASP_2), 0);
    ck_assert_uint_eq(cr[4], 0x990005);
    cr[1] = 0x555000; /* forced translation repairs it */
    cr[1] = SEG_A | 0x800;
    ck_assert_int_eq(lasp(0x1234000500990005ull, LASP_4), 0);
    ck_assert_uint_eq(cr[1], SEG_A);
    ck_assert_uint_eq(cr[4], 2u << 16 | ASN_A);
    ck_assert_int_eq(lasp(0x1234000600990005ull, LASP_0), 0); /* not authorized */
    ck_assert_uint_eq(harness_cc(&h), 2);
    ck_assert_int_eq(lasp(0x1234000600990005ull, LASP_1), 0); /* not asked */
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(cr[7], SEG_B);
    ck_assert_uint_eq(cr[3], 0x12340006);
    cr[7] = SEG_A;
    ck_assert_int_eq(lasp(0x1234000600990005ull, LASP_1), 0); /* as it was */
    ck_assert_uint_eq(cr[7], SEG_A);
    ck_assert_int_eq(lasp(0x1234000700990005ull, LASP_0), 0);
    ck_assert_uint_eq(harness_cc(&h), 2);
    ck_assert_int_eq(lasp(0x1234000500990007ull, LASP_0), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    ck_assert_int_eq(lasp(0x1234000600990006ull, LASP_0), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(cr[1], SEG_B);
    ck_assert_uint_eq(cr[7], SEG_B);
    ck_assert_uint_eq(cr[5], ASTE(ASN_B));
    psw(0);
    gr[1] = 0x50000;
    harness_store(&h, 0x50000, 8, 0x1234000500990005ull);
    cr[1] |= 0x40;
    ck_assert_int_eq(run(LASP_0), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
    ck_assert_int_eq(run("e50010040000"), PGM_SPECIFICATION);
    cr[14] &= ~0x80000ull;
    ck_assert_int_eq(run(LASP_0), PGM_SPECIAL_OPERATION);
    psw(PSW_PROB);
    ck_assert_int_eq(run(LASP_0), PGM_PRIVILEGED);
}
END_TEST

START_TEST(load_parameters_reuse)
{
    reuse_on();
    harness_store(&h, DATA + 8, 8, 0x2222000600990006ull);
    ck_assert_int_eq(lasp(0x2222000512340005ull, LASP_1), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_uint_eq(cr[1], SEG_B);
    ck_assert_uint_eq(cr[7], SEG_A);
    ck_assert_uint_eq(cr[3], 0x2222000512340005ull);
    ck_assert_uint_eq(cr[4], 0x2222000600030006ull);
    harness_store(&h, FRAME_B + 8, 8, 0x2222009900990006ull);
    harness_store(&h, FRAME_B, 8, 0x2222000512340005ull);
    ck_assert_int_eq(run("e50010000005"), 0); /* another instance */
    ck_assert_uint_eq(harness_cc(&h), 1);
    harness_store(&h, FRAME_B + 8, 8, 0x2222000600990006ull);
    harness_store(&h, FRAME_B, 8, 0x2222009912340005ull);
    ck_assert_int_eq(run("e50010000005"), 0);
    ck_assert_uint_eq(harness_cc(&h), 2);
}
END_TEST

START_TEST(test_access)
{
    static const struct {
        u32 alet;
        unsigned cc;
    } cases[] = {{0, 0},          {1, 3},          {0x00040002, 1}, {0x01040002, 2},
                 {0x00040003, 3}, {0x02000002, 3}, {0x00050002, 3}};
    group_put();
    harness_store(&h, UNIT_LIST + 48, 4, 0x80000000u);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ar[0] = cases[i].alet;
        ck_assert_int_eq(run("b24c0002"), 0); /* access register 0 counts here */
        ck_assert_uint_eq(harness_cc(&h), cases[i].cc);
    }
    harness_store(&h, UNIT_LIST + 32, 4, 0x01040009); /* private: EAX 9 */
    ar[0] = 0x00040002;
    gr[2] = 0x00080000;
    ck_assert_int_eq(run("b24c0002"), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
    gr[2] = 0x00090000;
    ck_assert_int_eq(run("b24c0002"), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    cr[2] = 0x7fffffc0;
    ck_assert_int_eq(run("b24c0002"), PGM_ADDRESSING);
}
END_TEST

/* Under EXECUTE the length is that of the EXECUTE, and the return address is behind it. */
START_TEST(under_execute)
{
    harness_put(&h, DATA, "b2400040");
    ck_assert_int_eq(run("44001000"), 0);
    ck_assert_uint_eq(harness_load(&h, FIRST + 144, 8), NEXT | 1);
    section_put(STACK, 8, 0, 0);
    cr[15] = STACK + 8;
    ck_assert_int_eq(run("44001000"), PGM_STACK_FULL);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE);
    aste_put(ASN_B, 3, SEG_B | 0x40);
    entry_put(4, 0x30000ull, 0x80000000 | ASN_B, 0, 0x40000000u, ASTE(ASN_B));
    harness_put(&h, DATA, "b2180004");
    ck_assert_int_eq(run("c60000008000"), PGM_SPACE_SWITCH); /* exrl */
    ck_assert_uint_eq(harness_old_ilc(&h), 6);
    ck_assert_uint_eq(gr[14], HARNESS_CODE + 6);
}
END_TEST

/* A trace entry that does not fit nullifies; a stack that is full leaves CR12 as it was. */
START_TEST(traced)
{
    entry_put(3, 0x30000ull, 0x80000000, 0, 0xc0000000u, 0);
    gr[2] = 3;
    cr[12] = 0x136ffc | 2; /* ASN tracing, four bytes left */
    u64 top = cr[15];
    ck_assert_int_eq(run("b2182000"), PGM_TRACE_TABLE);
    ck_assert_uint_eq(cr[15], top);
    cr[12] = 0x136000 | 2;
    ck_assert_int_eq(run("b2182000"), 0);
    ck_assert_uint_gt(cr[12], 0x136002);
    ck_assert_uint_eq(harness_load(&h, 0x136000, 1), 0x22);
    u64 cr12 = cr[12];
    section_put(STACK, 8, 0, 0);
    cr[15] = STACK + 8;
    ck_assert_int_eq(run("b2182000"), PGM_STACK_FULL);
    ck_assert_uint_eq(cr[12], cr12);
}
END_TEST

static void add_tests(TCase *tc)
{
    tcase_add_test(tc, bakr_layout);
    tcase_add_test(tc, bakr_addresses);
    tcase_add_test(tc, pr_restores);
    tcase_add_test(tc, push_nullified);
    tcase_add_test(tc, pop_nullified);
    tcase_add_test(tc, sections);
    tcase_add_test(tc, stack_exceptions);
    tcase_add_test(tc, extraction);
    tcase_add_test(tc, pc_basic);
    tcase_add_test(tc, pc_tables);
    tcase_add_test(tc, pc_stacking);
    tcase_add_test(tc, pc_space_switch);
    tcase_add_test(tc, pc_space_exceptions);
    tcase_add_test(tc, pt);
    tcase_add_test(tc, pr_authority);
    tcase_add_test(tc, pr_invalid_psw);
    tcase_add_test(tc, set_secondary);
    tcase_add_test(tc, home_event);
    tcase_add_test(tc, reuse_numbers);
    tcase_add_test(tc, reuse_instances);
    tcase_add_test(tc, bsa);
    tcase_add_test(tc, bsg);
    tcase_add_test(tc, subspace_replacement);
    tcase_add_test(tc, load_parameters);
    tcase_add_test(tc, load_parameters_reuse);
    tcase_add_test(tc, test_access);
    tcase_add_test(tc, under_execute);
    tcase_add_test(tc, traced);
}

int main(void)
{
    Suite *suite = suite_create("cpu_linkage");
    TCase *tc = tcase_create("linkage");
    tcase_add_checked_fixture(tc, setup, teardown);
    add_tests(tc);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
