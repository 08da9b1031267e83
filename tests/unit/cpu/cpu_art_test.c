/* Access-register translation through real access lists, exception by exception. Rules: PoP
 * chapter 5, "Access-Register Translation"; chapter 6, "Exception Access Identification". */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/cpu_harness.h"

#define SEG_TABLE 0x100000u
#define PAGE_TABLE 0x101000u
#define SEG_TABLE_2 0x102000u
#define PAGE_TABLE_2 0x103000u
#define FRAME_2 0x120000u
#define DUCT 0x110000u
#define PRIMARY_ASTE 0x110040u
#define SPACE_ASTE 0x110080u
#define UNIT_LIST 0x111000u
#define PRIMARY_LIST 0x112000u
#define AUTHORITY 0x113000u
#define DATA HARNESS_DATA
#define ALET 0x00050002u
#define ALET_P 0x01060003u
#define ASCE_2 SEG_TABLE_2

static struct cpu_harness h;
static u64 *gr, *cr;
static u32 *ar;

/* The primary space is 1:1; another has FRAME_2 at DATA. */
static void build_spaces(void)
{
    harness_store(&h, SEG_TABLE, 8, PAGE_TABLE);
    harness_store(&h, SEG_TABLE_2, 8, PAGE_TABLE_2);
    for (unsigned i = 0; i < 256; i++) {
        harness_store(&h, PAGE_TABLE + 8 * i, 8, (u64)i << 12);
        harness_store(&h, PAGE_TABLE_2 + 8 * i, 8, 0x400);
    }
    harness_store(&h, PAGE_TABLE_2 + 8 * (DATA >> 12), 8, FRAME_2);
    cr[1] = cr[7] = cr[13] = SEG_TABLE;
}

static void entry_put(u32 list, u32 alet, u32 word0)
{
    u32 at = list + (alet & 0xffff) * 16;
    harness_store(&h, at, 4, word0 | (alet & 0xff0000));
    harness_store(&h, at + 8, 4, SPACE_ASTE);
    harness_store(&h, at + 12, 4, 0x1234);
}

static void setup(void)
{
    harness_init(&h, "max", 2);
    gr = cpu_gr(h.cpu);
    cr = cpu_cr(h.cpu);
    ar = cpu_ar(h.cpu);
    build_spaces();
    for (u32 list = UNIT_LIST; list <= PRIMARY_LIST; list += PRIMARY_LIST - UNIT_LIST)
        for (unsigned i = 0; i < 16; i++)
            harness_store(&h, list + 16 * i, 4, 0x80000000u);
    harness_store(&h, DUCT + 16, 4, UNIT_LIST | 1); /* 16 entries */
    harness_store(&h, PRIMARY_ASTE + 16, 4, PRIMARY_LIST);
    entry_put(UNIT_LIST, ALET, 0);
    entry_put(PRIMARY_LIST, ALET_P, 0);
    harness_store(&h, SPACE_ASTE, 4, AUTHORITY);
    harness_store(&h, SPACE_ASTE + 4, 4, 0); /* four bytes: indexes 0 to 15 */
    harness_store(&h, SPACE_ASTE + 8, 8, ASCE_2);
    harness_store(&h, SPACE_ASTE + 20, 4, 0x1234);
    cr[2] = DUCT;
    cr[5] = PRIMARY_ASTE;
    cpu_psw_set(h.cpu, HARNESS_PSW64 | PSW_DAT | (u64)AS_AR << PSW_AS_SHIFT, HARNESS_CODE);
    harness_store(&h, FRAME_2, 8, 0x2222);
    harness_store(&h, DATA, 8, 0x1111);
    gr[1] = DATA;
    ar[1] = ALET;
    cpu_registers_changed(h.cpu);
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

#define LG_2_1 "e32010000004" /* lg 2,0(1) */
#define STG_2_1 "e32010000024"

START_TEST(both_lists)
{
    ck_assert_int_eq(run(LG_2_1), 0);
    ck_assert_uint_eq(gr[2], 0x2222);
    ar[1] = ALET_P;
    ck_assert_int_eq(run(LG_2_1), 0);
    ck_assert_uint_eq(gr[2], 0x2222);
    ar[1] = 0;
    ck_assert_int_eq(run(LG_2_1), 0);
    ck_assert_uint_eq(gr[2], 0x1111);
    ar[1] = 1;
    cr[7] = ASCE_2;
    ck_assert_int_eq(run(LG_2_1), 0);
    ck_assert_uint_eq(gr[2], 0x2222);
    ar[1] = ALET;
    gr[2] = 0x5555;
    ck_assert_int_eq(run(STG_2_1), 0);
    ck_assert_uint_eq(harness_load(&h, FRAME_2, 8), 0x5555);
    ck_assert_uint_eq(harness_load(&h, DATA, 8), 0x1111);
}
END_TEST

/* An exception names the register, nullifies (28 suppresses) and has changed nothing. */
static void refused(const char *hex, int code, unsigned reg)
{
    u64 old = gr[2];
    harness_store(&h, 0xa0, 1, 0xff);
    ck_assert_int_eq(run(hex), code);
    ck_assert_uint_eq(harness_load(&h, 0xa0, 1), reg);
    ck_assert_uint_eq(gr[2], old);
    unsigned behind = code == PGM_ALET_SPECIFICATION || code == PGM_PROTECTION ? 6 : 0;
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE + behind);
    ck_assert_uint_eq(harness_old_ilc(&h), 6);
}

START_TEST(each_exception)
{
    ar[1] = 0x02000002;
    refused(LG_2_1, PGM_ALET_SPECIFICATION, 1);
    ar[1] = 0x00050010; /* beyond the list */
    refused(LG_2_1, PGM_ALEN_TRANSLATION, 1);
    ar[1] = 0x00050004; /* invalid entry */
    refused(LG_2_1, PGM_ALEN_TRANSLATION, 1);
    ar[1] = 0x01060008; /* the primary list has 8 entries */
    refused(LG_2_1, PGM_ALEN_TRANSLATION, 1);
    ar[1] = ALET ^ 0x10000;
    refused(LG_2_1, PGM_ALE_SEQUENCE, 1);
    ar[1] = ALET;
    harness_store(&h, SPACE_ASTE + 20, 4, 0x1235);
    refused(LG_2_1, PGM_ASTE_SEQUENCE, 1);
    harness_store(&h, SPACE_ASTE, 4, AUTHORITY | 0x80000000u);
    refused(LG_2_1, PGM_ASTE_VALIDITY, 1);
    harness_store(&h, UNIT_LIST + 2 * 16 + 8, 4, 0x7fffffc0);
    ck_assert_int_eq(run(LG_2_1), PGM_ADDRESSING);
    cr[2] = 0x7fffffc0;
    ck_assert_int_eq(run(LG_2_1), PGM_ADDRESSING);
}
END_TEST

/* A private entry: its owner, then the secondary bit of the authority table within its length. */
START_TEST(authority)
{
    entry_put(UNIT_LIST, ALET, 0x01000007);
    cr[8] = 7u << 16;
    ck_assert_int_eq(run(LG_2_1), 0);
    cr[8] = 5u << 16;
    refused(LG_2_1, PGM_EXTENDED_AUTHORITY, 1);
    harness_store(&h, AUTHORITY + 1, 1, 0x20); /* index 5: primary */
    refused(LG_2_1, PGM_EXTENDED_AUTHORITY, 1);
    harness_store(&h, AUTHORITY + 1, 1, 0x10); /* secondary */
    ck_assert_int_eq(run(LG_2_1), 0);
    harness_store(&h, AUTHORITY + 4, 1, 0xff);
    cr[8] = 16u << 16; /* beyond the table */
    refused(LG_2_1, PGM_EXTENDED_AUTHORITY, 1);
    harness_store(&h, SPACE_ASTE + 4, 4, 0x10);
    ck_assert_int_eq(run(LG_2_1), 0);
}
END_TEST

START_TEST(fetch_only)
{
    entry_put(UNIT_LIST, ALET, 0x02000000);
    ck_assert_int_eq(run(LG_2_1), 0);
    refused(STG_2_1, PGM_PROTECTION, 1);
    ck_assert_uint_eq(harness_load(&h, 0xa8, 8) & ~0xc00ull, DATA | 0xd);
    ck_assert_uint_eq(harness_load(&h, FRAME_2, 8), 0x2222);
    ar[1] = ALET_P; /* the same space by an entry that allows storing */
    ck_assert_int_eq(run(STG_2_1), 0);
    ar[1] = ALET;
    refused(STG_2_1, PGM_PROTECTION, 1);
}
END_TEST

/* A page fault names the register; TEID bits 62-63 say that one counts. */
START_TEST(page_fault)
{
    gr[3] = 0x30000;
    ar[3] = ALET;
    refused("e32030100004", PGM_PAGE_TRANSLATION, 3);
    ck_assert_uint_eq(harness_load(&h, 0xa8, 8) & ~0xc00ull, 0x30001);
    gr[3] = DATA + 0xffc; /* the second page is missing */
    refused("e32030000024", PGM_PAGE_TRANSLATION, 3);
    ck_assert_uint_eq(harness_load(&h, FRAME_2 + 0xff8, 8), 0);
}
END_TEST

/* Registers that are not used may hold anything; base 0 is the primary space. */
START_TEST(unused_registers)
{
    for (unsigned i = 2; i < 16; i++)
        ar[i] = 0xffffffffu;
    ar[0] = 0xffffffffu;
    ck_assert_int_eq(run(LG_2_1), 0);
    harness_store(&h, 0x600, 8, 0x77);
    ck_assert_int_eq(run("e32006000004"), 0); /* lg 2,0x600 */
    ck_assert_uint_eq(gr[2], 0x77);
}
END_TEST

/* MVC between two spaces; MVCL by two access-list entries does not overlap, though both designate
 * one space. */
START_TEST(two_spaces)
{
    gr[3] = DATA;
    ar[3] = 0;
    ck_assert_int_eq(run("d20710003000"), 0);
    ck_assert_uint_eq(harness_load(&h, FRAME_2, 8), 0x1111);
    gr[4] = DATA + 4;
    gr[6] = DATA;
    gr[5] = gr[7] = 8;
    ar[4] = ALET;
    ar[6] = ALET_P;
    ck_assert_int_eq(run("0e46"), 0);
    ck_assert_uint_ne(harness_cc(&h), 3);
    gr[4] = DATA + 4;
    gr[6] = DATA;
    gr[5] = gr[7] = 8; /* the same when both have been used: lg 2,0(4), lg 2,0(6) */
    ck_assert_int_eq(harness_insns(&h, "e32040000004 e32060000004 0e46", 3), 0);
    ck_assert_uint_ne(harness_cc(&h), 3);
    ck_assert_uint_eq(gr[5], 0);
    gr[4] = DATA + 4;
    gr[6] = DATA;
    gr[5] = gr[7] = 8;
    ar[6] = ALET;
    ck_assert_int_eq(run("0e46"), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
}
END_TEST

/* Loading a register takes effect at once; so do control registers and PALB. */
START_TEST(lookaside)
{
    ck_assert_int_eq(harness_insns(&h, LG_2_1, 1), 0);
    gr[3] = 0;
    ck_assert_int_eq(harness_insns(&h, "b24e0013" LG_2_1, 2), 0); /* sar 1,3 */
    ck_assert_uint_eq(gr[2], 0x1111);
    gr[3] = ALET;
    ck_assert_int_eq(harness_insns(&h, "b24e0013" LG_2_1, 2), 0);
    ck_assert_uint_eq(gr[2], 0x2222);
    harness_store(&h, UNIT_LIST + 2 * 16, 4, 0x80050000u);
    ck_assert_int_eq(harness_insns(&h, "b2480000" LG_2_1, 2), PGM_ALEN_TRANSLATION);
}
END_TEST

/* CSP with bit 62 purges the ALBs of all CPUs. */
START_TEST(purge_by_csp)
{
    struct cpu *other = cpu_set_get(h.set, 1);
    u8 buf[8];
    memcpy(cpu_cr(other), cr, 16 * sizeof *cr);
    cpu_ar(other)[1] = ALET;
    cpu_psw_set(other, HARNESS_PSW64 | PSW_DAT | (u64)AS_AR << PSW_AS_SHIFT, HARNESS_CODE);
    ck_assert_int_eq(cpu_read_logical(other, DATA, 1, buf, 8), 0);
    harness_store(&h, UNIT_LIST + 2 * 16, 4, 0x80050000u);
    ck_assert_int_eq(cpu_read_logical(other, DATA, 1, buf, 8), 0);
    gr[4] = gr[5] = 0;
    gr[6] = DATA + 0x12;
    ar[6] = 0;
    ck_assert_int_eq(run("b2500046"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_int_eq(cpu_read_logical(other, DATA, 1, buf, 8), PGM_ALEN_TRANSLATION);
}
END_TEST

/* Fifteen registers may designate fifteen spaces at once. */
START_TEST(many_spaces)
{
    for (u32 i = 1; i < 16; i++) {
        u32 aste = 0x114000 + 64 * i, alet = i;
        entry_put(UNIT_LIST, alet, 0);
        harness_store(&h, UNIT_LIST + 16 * i + 8, 4, aste);
        harness_store(&h, aste + 8, 8, ASCE_2 | (i & 3) << 6 | i >> 2 << 10);
        harness_store(&h, aste + 20, 4, 0x1234);
        ar[i] = alet == 1 ? 0 : alet;
        gr[i] = DATA;
    }
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 2; i < 16; i++) {
            char hex[16];
            snprintf(hex, sizeof hex, "d2071000%x000", i);
            ar[1] = 0;
            harness_store(&h, DATA, 8, 0);
            ck_assert_int_eq(harness_insns(&h, hex, 1), 0);
            ck_assert_uint_eq(harness_load(&h, DATA, 8), 0x2222);
        }
}
END_TEST

/* LRA and TPROT answer with a condition code what would be an exception. */
START_TEST(inquiries)
{
    ck_assert_int_eq(run("b1201000"), 0);
    ck_assert_uint_eq(gr[2], FRAME_2);
    ck_assert_uint_eq(harness_cc(&h), 0);
    ck_assert_int_eq(run("e50110000000"), 0);
    ck_assert_uint_eq(harness_cc(&h), 0);
    entry_put(UNIT_LIST, ALET, 0x02000000);
    ck_assert_int_eq(run("e50110000000"), 0);
    ck_assert_uint_eq(harness_cc(&h), 1);
    ar[1] = 0x00050004;
    ck_assert_int_eq(run("b1201000"), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
    ck_assert_uint_eq(gr[2] & 0xffffffff, 0x80000029);
    ck_assert_int_eq(run("e50110000000"), 0);
    ck_assert_uint_eq(harness_cc(&h), 3);
    gr[3] = DATA;
    ar[3] = 0;
    refused("e50230001000", PGM_ALEN_TRANSLATION, 1); /* strag */
    gr[2] = 0;
    ar[2] = ALET;
    gr[2] = DATA;
    cr[0] |= CR0_EXTRACT_AUTH;
    storage_key_set(h.st, FRAME_2, 0x38);
    ck_assert_int_eq(run("b2230042"), 0); /* ivsk 4,2 */
    ck_assert_uint_eq(gr[4] & 0xff, 0x38);
}
END_TEST

/* MVCOS selects an access register in the primary mode too; MVCK goes by the registers. */
START_TEST(moves)
{
    cpu_psw_set(h.cpu, HARNESS_PSW64 | PSW_DAT, HARNESS_CODE);
    gr[0] = 0x41; /* second operand: access register */
    gr[3] = DATA + 8;
    gr[4] = 8;
    ck_assert_int_eq(run("c84030001000"), 0);
    ck_assert_uint_eq(harness_load(&h, DATA + 8, 8), 0x2222);
    ar[1] = ALET ^ 0x10000;
    refused("c84030001000", PGM_ALE_SEQUENCE, 1);
    ar[1] = ALET;
    cpu_psw_set(h.cpu, HARNESS_PSW64 | PSW_DAT | (u64)AS_AR << PSW_AS_SHIFT, HARNESS_CODE);
    storage_key_set(h.st, FRAME_2, 0x38);
    gr[5] = 0x30;
    ar[3] = 0;
    harness_store(&h, DATA + 8, 8, 0);
    ck_assert_int_eq(run("d94530001000"), 0); /* mvck 0(4,3),0(1),5 */
    ck_assert_uint_eq(harness_load(&h, DATA + 8, 8), 0x2222);
    gr[5] = 0x40;
    refused("d94530001000", PGM_PROTECTION, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu_art");
    TCase *tc = tcase_create("art");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, both_lists);
    tcase_add_test(tc, each_exception);
    tcase_add_test(tc, authority);
    tcase_add_test(tc, fetch_only);
    tcase_add_test(tc, page_fault);
    tcase_add_test(tc, unused_registers);
    tcase_add_test(tc, two_spaces);
    tcase_add_test(tc, lookaside);
    tcase_add_test(tc, purge_by_csp);
    tcase_add_test(tc, many_spaces);
    tcase_add_test(tc, inquiries);
    tcase_add_test(tc, moves);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
