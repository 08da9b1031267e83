/* The linkage stack byte by byte: BAKR, PR, extraction, PROGRAM CALL.
 * Rules: PoP chapter 5, "Program Linkage", "Linkage-Stack Operations"; chapter 10. */
#include <check.h>
#include <stdlib.h>

#include "tests/lib/linkage_world.h"

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
    ck_assert_int_eq(linkage_run("b2400003"), 0); /* bakr 0,3 */
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
        ck_assert_int_eq(linkage_run("b2400040"), 0); /* no branch */
        ck_assert_uint_eq(harness_psw_addr(&h), NEXT);
        ck_assert_uint_eq(harness_load(&h, at + 136, 8), PSW_DAT | back[i].mode);
        ck_assert_uint_eq(harness_load(&h, at + 168, 8), back[i].address);
        ck_assert_uint_eq(harness_load(&h, at + 144, 8), NEXT | 1);
    }
    cpu_psw_set(h.cpu, PSW_BA | PSW_DAT, HARNESS_CODE);
    gr[4] = 0xffffffff00030000ull;
    ck_assert_int_eq(linkage_run("b2400004"), 0);
    ck_assert_uint_eq(harness_load(&h, FIRST + 3 * STATE + 144, 8), 0x80030000u);
    ck_assert_uint_eq(harness_load(&h, FIRST + 3 * STATE + 136, 8), PSW_DAT | PSW_BA);
    ck_assert_uint_eq(harness_psw_addr(&h), 0x30000);
    linkage_psw((u64)AS_SECONDARY << PSW_AS_SHIFT);
    ck_assert_int_eq(linkage_run("b2400040"), PGM_SPECIAL_OPERATION);
    linkage_psw((u64)AS_HOME << PSW_AS_SHIFT);
    ck_assert_int_eq(linkage_run("b2400040"), PGM_SPECIAL_OPERATION);
    cpu_psw_set(h.cpu, HARNESS_PSW64, HARNESS_CODE);
    ck_assert_int_eq(linkage_run("b2400040"), PGM_SPECIAL_OPERATION);
}
END_TEST

START_TEST(pr_restores)
{
    u64 old_gr[16];
    u32 old_ar[16];
    gr[3] = 0x30000;
    linkage_psw(6ull << PSW_KEY_SHIFT | 1ull << PSW_CC_SHIFT);
    ck_assert_int_eq(linkage_run("b2400003"), 0);
    memcpy(old_gr, gr, sizeof old_gr);
    memcpy(old_ar, ar, sizeof old_ar);
    memset(gr, 0x55, sizeof old_gr);
    memset(ar, 0, sizeof old_ar);
    cr[3] = 0xffff0000u | ASN_A;
    linkage_psw((u64)AS_AR << PSW_AS_SHIFT);
    ck_assert_int_eq(linkage_run("0101"), 0);
    for (unsigned i = 0; i < 16; i++) {
        bool back = i >= 2 && i <= 14;
        ck_assert_uint_eq(gr[i], back ? old_gr[i] : 0x5555555555555555ull);
        ck_assert_uint_eq(ar[i], back ? old_ar[i] : 0);
    }
    ck_assert_uint_eq(harness_psw_addr(&h), NEXT);
    ck_assert_uint_eq(linkage_psw_mask(),
                      HARNESS_PSW64 | PSW_DAT | 6ull << PSW_KEY_SHIFT | 1ull << PSW_CC_SHIFT);
    ck_assert_uint_eq(cr[15], STACK + 8);
    ck_assert_uint_eq(cr[3] >> 16, 0xffff); /* a branch entry leaves them */
    ck_assert_uint_eq(harness_load(&h, STACK + 12, 2), 0);
    ck_assert_int_eq(linkage_run("0101"), PGM_STACK_EMPTY);
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
    ck_assert_int_eq(linkage_run("b2400003"), PGM_PAGE_TRANSLATION);
    ck_assert_uint_eq(harness_load(&h, 0xa8, 8) & ~0xc00ull, 0x41003);
    ck_assert_uint_eq(harness_load(&h, 0xa0, 1), 0);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE);
    harness_store(&h, PAGES_A + 8 * 0x41, 8, 0x41200); /* DAT protection */
    ck_assert_int_eq(linkage_run("b2400003"), PGM_PROTECTION);
    ck_assert_uint_eq(harness_load(&h, header + 8, 8), descriptor);
    ck_assert_uint_eq(harness_load(&h, header + 16, 8), first);
    ck_assert_uint_eq(cr[15], header + 8);
    harness_store(&h, PAGES_A + 8 * 0x41, 8, 0x41000);
    storage_key_set(h.st, 0x41000, 0x98); /* keys do not matter */
    linkage_psw(4ull << PSW_KEY_SHIFT);
    storage_key_set(h.st, HARNESS_CODE, 0x40);
    gr[3] = 0x30000;
    ck_assert_int_eq(linkage_run("b2400003"), 0);
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
    ck_assert_int_eq(linkage_run("b2400003"), 0);
    u64 top = cr[15];
    memset(gr, 0x77, sizeof saved);
    memcpy(saved, gr, sizeof saved);
    linkage_psw(0);
    harness_store(&h, PAGES_A + 8 * 0x40, 8, 0x40200);
    ck_assert_int_eq(linkage_run("0101"), PGM_PROTECTION);
    harness_store(&h, PAGES_A + 8 * 0x40, 8, 0x40400);
    ck_assert_int_eq(linkage_run("0101"), PGM_PAGE_TRANSLATION);
    harness_store(&h, PAGES_A + 8 * 0x41, 8, 0x41400);
    ck_assert_int_eq(linkage_run("0101"), PGM_PAGE_TRANSLATION);
    ck_assert_int_eq(memcmp(gr, saved, sizeof saved), 0);
    ck_assert_uint_eq(cr[15], top);
    harness_store(&h, PAGES_A + 8 * 0x40, 8, 0x40000);
    harness_store(&h, PAGES_A + 8 * 0x41, 8, 0x41000);
    ck_assert_int_eq(linkage_run("0101"), 0);
    ck_assert_uint_eq(gr[3], 0x30000);
}
END_TEST

START_TEST(sections)
{
    section_put(STACK, STATE + 8, 0, (STACK2 + 8) | 1);
    section_put(STACK2, 2 * STATE, 0, 0);
    ck_assert_int_eq(linkage_run("b2400040"), 0);
    u64 last = cr[15];
    ck_assert_int_eq(linkage_run("b2400040"), 0);
    ck_assert_uint_eq(cr[15], STACK2 + 16 + 288);
    ck_assert_uint_eq(harness_load(&h, STACK2, 8), last | 1);
    ck_assert_uint_eq(harness_load(&h, STACK2 + 8, 8), 0x0907025001280000ull);
    ck_assert_uint_eq(harness_load(&h, last, 8), 0x0c07000800000000ull);
    ck_assert_int_eq(linkage_run("b2400040"), 0);
    ck_assert_int_eq(linkage_run("b2400040"), PGM_STACK_FULL);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(linkage_run("0101"), 0);
    ck_assert_uint_eq(cr[15], STACK + 8);
    /* both sections are left: PR has gone back over the header of the second */
    ck_assert_uint_eq(harness_load(&h, STACK2 + 8, 8), 0x0907025000000000ull);
}
END_TEST

START_TEST(stack_exceptions)
{
    section_put(STACK, 8, 0, 0);
    ck_assert_int_eq(linkage_run("b2400040"), PGM_STACK_FULL);
    harness_store(&h, STACK + 10, 2, 12); /* not a multiple of 8 */
    ck_assert_int_eq(linkage_run("b2400040"), PGM_STACK_SPECIFICATION);
    section_put(STACK, 8, 0, (STACK2 + 8) | 1);
    section_put(STACK2, STATE - 8, 0, 0);
    ck_assert_int_eq(linkage_run("b2400040"), PGM_STACK_SPECIFICATION);
    ck_assert_uint_eq(cr[15], STACK + 8);
    section_put(STACK2, STATE, 0, 0);
    ck_assert_int_eq(linkage_run("b2400040"), 0);
    harness_store(&h, cr[15], 1, 0x8c); /* unstack suppression: of the entry, */
    ck_assert_int_eq(linkage_run("0101"), PGM_STACK_OPERATION);
    ck_assert_int_eq(linkage_run("b24a0040"), 0); /* esta does not mind */
    harness_store(&h, cr[15], 1, 0x0a);           /* a trailer */
    ck_assert_int_eq(linkage_run("0101"), PGM_STACK_TYPE);
    ck_assert_int_eq(linkage_run("b2490044"), PGM_STACK_TYPE);
    cr[15] = STACK2 + 8;
    harness_store(&h, STACK2, 8, (STACK + 8) | 1); /* a header before a header */
    ck_assert_int_eq(linkage_run("0101"), PGM_STACK_SPECIFICATION);
    harness_store(&h, STACK2 + 8, 1, 0x89); /* of the header */
    ck_assert_int_eq(linkage_run("0101"), PGM_STACK_OPERATION);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE);
    ck_assert_uint_eq(harness_old_ilc(&h), 2);
    ck_assert_int_eq(linkage_run("b2470040"),
                     PGM_STACK_SPECIFICATION); /* msta: not suppressed by it */
}
END_TEST

START_TEST(extraction)
{
    u64 was = gr[9];
    ck_assert_int_eq(linkage_run("b2400040"), 0);
    memset(gr, 0, 16 * sizeof *gr);
    memset(ar, 0, 16 * sizeof *ar);
    gr[8] = 0xeeeeeeee00000000ull;
    ck_assert_int_eq(linkage_run("b249008a"), 0); /* ereg 8,10 */
    ck_assert_uint_eq(gr[8], 0xeeeeeeee00008000ull);
    ck_assert_uint_eq(gr[9], 0x9000);
    ck_assert_uint_eq(ar[9], 0x90000009u);
    ck_assert_uint_eq(gr[11] | ar[11] | gr[7] | ar[7], 0);
    ck_assert_int_eq(linkage_run("b90e0099"), 0); /* eregg 9,9 */
    ck_assert_uint_eq(gr[9], was);
    ck_assert_int_eq(linkage_run("b90e00f0"), 0); /* eregg 15,0 */
    ck_assert_uint_eq(gr[15], 0x111111110000f000ull);
    ck_assert_uint_eq(ar[15], 0x9000000fu);
    ck_assert_uint_eq(ar[0], 0x90000000u);
    ck_assert_uint_eq(gr[14] | gr[1], 0);
    gr[2] = 0xffffffff12345678ull;
    gr[3] = 0x9abcdef0;
    ck_assert_int_eq(linkage_run("b2470020"), 0); /* msta 2 */
    ck_assert_uint_eq(harness_load(&h, FIRST + 152, 8), 0x123456789abcdef0ull);
    ck_assert_int_eq(linkage_run("b2470010"), PGM_SPECIFICATION);
    gr[0] = 3;
    ck_assert_int_eq(linkage_run("b24a0040"), 0); /* esta 4,0 */
    ck_assert_uint_eq(gr[4] << 32 | gr[5], 0x123456789abcdef0ull);
    ck_assert_uint_eq(harness_cc(&h), 0);
    gr[0] = 0;
    ck_assert_int_eq(linkage_run("b24a0040"), 0);
    ck_assert_uint_eq(gr[4] << 32 | gr[5], 0x8080000500770005ull);
    gr[0] = 0xff04;
    ck_assert_int_eq(linkage_run("b24a0040"), 0);
    ck_assert_uint_eq(gr[4], PSW_DAT); /* 24-bit mode: bits 32 and 63 of register 4 were zero */
    ck_assert_uint_eq(gr[5], 0x4000);
    gr[0] = 1;
    gr[4] = gr[5] = 0;
    ck_assert_int_eq(linkage_run("b24a0040"), 0);
    ck_assert_uint_eq(gr[4], 0x04080000);
    ck_assert_uint_eq(gr[5], 0x4000);
    gr[0] = 2;
    ck_assert_int_eq(linkage_run("b24a0040"), 0);
    ck_assert_uint_eq(gr[5], NEXT | 1);
    gr[0] = 6;
    ck_assert_int_eq(linkage_run("b24a0040"), PGM_SPECIFICATION);
    linkage_psw((u64)AS_HOME << PSW_AS_SHIFT);
    gr[0] = 0;
    ck_assert_int_eq(linkage_run("b24a0040"), 0);
    linkage_psw((u64)AS_SECONDARY << PSW_AS_SHIFT);
    ck_assert_int_eq(linkage_run("b24a0040"), PGM_SPECIAL_OPERATION);
    ck_assert_int_eq(linkage_run("b2490044"), PGM_SPECIAL_OPERATION);
}
END_TEST

/* ---- PROGRAM CALL ---- */

START_TEST(pc_basic)
{
    entry_put(2, 0x30001ull, 0x00800000, 0x00010000, 0x40000000, 0);
    gr[2] = 2;
    ck_assert_int_eq(linkage_run("b2182000"), 0);
    ck_assert_uint_eq(harness_psw_addr(&h), 0x30000);
    ck_assert_uint_eq(gr[14], NEXT);
    ck_assert_uint_eq(gr[3] & 0xffffffff, 0x80800005);
    ck_assert_uint_eq(gr[3] >> 32, 0x11111111);
    ck_assert_uint_eq(gr[4], 0xaaaabbbbccccddddull);
    ck_assert_uint_eq(cr[3], 0x80810005);
    ck_assert_uint_eq(linkage_psw_mask(), HARNESS_PSW64 | PSW_DAT | PSW_PROB);
    ck_assert_int_eq(linkage_run("b2182000"), 0); /* from the problem state: by key 8 */
    ck_assert_uint_eq(gr[14], NEXT | 1);
    cr[3] = 0xff7f0000u;
    ck_assert_int_eq(linkage_run("b2182000"), PGM_PRIVILEGED);
    linkage_psw((u64)AS_AR << PSW_AS_SHIFT);
    ck_assert_int_eq(linkage_run("b2182000"), PGM_SPECIAL_OPERATION);
    cpu_psw_set(h.cpu, PSW_BA | PSW_DAT, HARNESS_CODE);
    ck_assert_int_eq(linkage_run("b2182000"), PGM_SPECIAL_OPERATION); /* into the 64-bit mode */
    entry_put(2, 0x30000ull, 0, 0, 0, 0);                             /* from 31 to 24 */
    gr[14] = gr[4] = ~0ull;
    ck_assert_int_eq(linkage_run("b2182000"), 0);
    ck_assert_uint_eq(linkage_psw_mask(), PSW_DAT);
    ck_assert_uint_eq(gr[14], 0xffffffff80010004ull);
    ck_assert_uint_eq(gr[4], 0xffffffffccccddddull);
    entry_put(2, 0x01000000ull, 0, 0, 0, 0);
    ck_assert_int_eq(linkage_run("b2182000"), PGM_PC_TRANSLATION_SPEC);
    entry_put(2, 0x81000000ull, 0, 0, 0, 0);
    ck_assert_int_eq(linkage_run("b2182000"), 0);
    ck_assert_uint_eq(linkage_psw_mask(), PSW_DAT | PSW_BA);
}
END_TEST

START_TEST(pc_tables)
{
    gr[2] = 8; /* beyond the entry table */
    harness_store(&h, 0xa8, 8, ~0ull);
    ck_assert_int_eq(linkage_run("b2182000"), PGM_EX_TRANSLATION);
    ck_assert_uint_eq(harness_load(&h, 0xa8, 8), 0xffffffff00000008ull);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE);
    gr[2] = 0xfff00102; /* linkage index 1: invalid */
    ck_assert_int_eq(linkage_run("b2182000"), PGM_LX_TRANSLATION);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), 0x102);
    gr[2] = 0x2002; /* beyond the linkage table */
    ck_assert_int_eq(linkage_run("b2182000"), PGM_LX_TRANSLATION);
    gr[2] = 2;
    harness_store(&h, LINKAGE_TABLE, 4, 0x7fff0000);
    ck_assert_int_eq(linkage_run("b2182000"), PGM_ADDRESSING);
    harness_store(&h, ASTE(ASN_A) + 24, 4, LINKAGE_TABLE);
    ck_assert_int_eq(linkage_run("b2182000"), PGM_SPECIAL_OPERATION);
    linkage_psw((u64)AS_HOME << PSW_AS_SHIFT);
    ck_assert_int_eq(linkage_run("b2182000"), PGM_SPECIAL_OPERATION);
}
END_TEST

START_TEST(pc_stacking)
{
    /* stacking, 64-bit, K M E C, key 9, EAX 1234, key mask 0440 */
    entry_put(3, 0x30001ull, 0x80000000, 0x04400000, 0xde901234u, 0);
    gr[2] = 3;
    linkage_psw(3ull << PSW_CC_SHIFT);
    ck_assert_int_eq(linkage_run("b2182000"), 0);
    ck_assert_uint_eq(linkage_psw_mask(),
                      HARNESS_PSW64 | PSW_DAT | PSW_PROB | 9ull << PSW_KEY_SHIFT |
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
    linkage_psw(0);
    ck_assert_int_eq(linkage_run("b24a0060"), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    ck_assert_uint_eq(gr[7] & 0xffffffff, 0x80000003);
    ck_assert_int_eq(linkage_run("0101"), 0);
    ck_assert_uint_eq(cr[3], 0x80800005);
    ck_assert_uint_eq(cr[8], 0x00770000);
    ck_assert_uint_eq(harness_psw_addr(&h), NEXT);
    /* from 31-bit mode to 24-bit; the key mask is ORed, everything else stays */
    entry_put(3, 0x30000ull, 0, 0x00010000, 0x80000000u, 0);
    cpu_psw_set(h.cpu, PSW_BA | PSW_DAT, HARNESS_CODE);
    ck_assert_int_eq(linkage_run("b2182000"), 0);
    ck_assert_uint_eq(linkage_psw_mask(), PSW_DAT);
    ck_assert_uint_eq(cr[3], 0x80810005);
    ck_assert_uint_eq(harness_load(&h, FIRST + 136, 8), PSW_DAT | PSW_BA);
    ck_assert_uint_eq(harness_load(&h, FIRST + 148, 4), 3);
    cr[15] = STACK + 8;
    section_put(STACK, 8, 0, 0);
    u64 link = gr[4] = 0x4444;
    linkage_psw(0);
    ck_assert_int_eq(linkage_run("b2182000"), PGM_STACK_FULL);
    ck_assert_uint_eq(gr[4], link);
    ck_assert_uint_eq(cr[3], 0x80810005);
}
END_TEST

START_TEST(pc_space_switch)
{
    entry_put(4, 0x30000ull, 0x80000000 | ASN_B, 0, 0xc0000000u, ASTE(ASN_B));
    gr[2] = 4;
    ck_assert_int_eq(linkage_run("b2182000"), 0);
    ck_assert_uint_eq(cr[1], SEG_B);
    ck_assert_uint_eq(cr[7], SEG_A);
    ck_assert_uint_eq(cr[4], 3u << 16 | ASN_B);
    ck_assert_uint_eq(cr[5], ASTE(ASN_B));
    ck_assert_uint_eq(cr[3] & 0xffff, ASN_A);
    ck_assert_uint_eq(harness_load(&h, FIRST + 144, 4), ASN_B << 16 | 6);
    harness_store(&h, FRAME_B, 8, 0xb);
    ck_assert_int_eq(linkage_run("e32010000004"), 0);
    ck_assert_uint_eq(gr[2], 0xb);
    ck_assert_int_eq(linkage_run("0101"), 0); /* back: secondary is the primary again */
    ck_assert_uint_eq(cr[1], SEG_A);
    ck_assert_uint_eq(cr[7], SEG_A);
    ck_assert_uint_eq(cr[4], 2u << 16 | ASN_A);
    ck_assert_uint_eq(cr[5], ASTE(ASN_A));
    entry_put(4, 0x30000ull, 0x80000000 | ASN_B, 0, 0xc1000000u, ASTE(ASN_B)); /* S */
    ck_assert_int_eq(linkage_run("b2182000"), 0);
    ck_assert_uint_eq(cr[7], SEG_B);
    ck_assert_uint_eq(cr[3] & 0xffff, ASN_B);
}
END_TEST

START_TEST(pc_space_exceptions)
{
    entry_put(4, 0x30000ull, 0x80000000 | ASN_B, 0, 0x40000000u, ASTE(ASN_B));
    gr[2] = 4;
    harness_store(&h, ASTE(ASN_B), 4, 0x80000000u);
    ck_assert_int_eq(linkage_run("b2182000"), PGM_ASX_TRANSLATION);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), ASN_B);
    cr[14] &= ~0x80000ull;
    ck_assert_int_eq(linkage_run("b2182000"), PGM_SPECIAL_OPERATION);
    cr[14] |= 0x80000;
    aste_put(ASN_B, 3, SEG_B | 0x40); /* space-switch event, after completion */
    ck_assert_int_eq(linkage_run("b2182000"), PGM_SPACE_SWITCH);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), ASN_A);
    ck_assert_uint_eq(harness_old_addr(&h), 0x30000);
    ck_assert_uint_eq(harness_old_ilc(&h), 4);
    ck_assert_uint_eq(cr[4] & 0xffff, ASN_B);
    ck_assert_uint_eq(cr[1], SEG_B | 0x40);
    gr[3] = 0xffff0000u | ASN_A; /* pt back: the old space has the bit */
    gr[14] = HARNESS_CODE;
    harness_store(&h, AUTHORITY, 1, 0x02); /* AX 3: primary */
    ck_assert_int_eq(linkage_run("b228003e"), PGM_SPACE_SWITCH);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), 0x80000000u | ASN_B);
}
END_TEST

/* Under EXECUTE the length is that of the EXECUTE, and the return address is behind it. */
START_TEST(under_execute)
{
    harness_put(&h, DATA, "b2400040");
    ck_assert_int_eq(linkage_run("44001000"), 0);
    ck_assert_uint_eq(harness_load(&h, FIRST + 144, 8), NEXT | 1);
    section_put(STACK, 8, 0, 0);
    cr[15] = STACK + 8;
    ck_assert_int_eq(linkage_run("44001000"), PGM_STACK_FULL);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE);
    aste_put(ASN_B, 3, SEG_B | 0x40);
    entry_put(4, 0x30000ull, 0x80000000 | ASN_B, 0, 0x40000000u, ASTE(ASN_B));
    harness_put(&h, DATA, "b2180004");
    ck_assert_int_eq(linkage_run("c60000008000"), PGM_SPACE_SWITCH); /* exrl */
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
    ck_assert_int_eq(linkage_run("b2182000"), PGM_TRACE_TABLE);
    ck_assert_uint_eq(cr[15], top);
    cr[12] = 0x136000 | 2;
    ck_assert_int_eq(linkage_run("b2182000"), 0);
    ck_assert_uint_gt(cr[12], 0x136002);
    ck_assert_uint_eq(harness_load(&h, 0x136000, 1), 0x22);
    u64 cr12 = cr[12];
    section_put(STACK, 8, 0, 0);
    cr[15] = STACK + 8;
    ck_assert_int_eq(linkage_run("b2182000"), PGM_STACK_FULL);
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
    tcase_add_test(tc, under_execute);
    tcase_add_test(tc, traced);
}

int main(void)
{
    Suite *suite = suite_create("cpu_linkage");
    TCase *tc = tcase_create("linkage");
    tcase_add_checked_fixture(tc, linkage_setup, linkage_teardown);
    add_tests(tc);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
