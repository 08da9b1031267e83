/* Dynamic address translation over tables built in storage: every level, every exception.
 * Rules: PoP chapter 3, "Translation Tables", "Translation Process". */
#include <check.h>
#include <stdlib.h>

#include "mem/dat.h"

#define STORAGE_BYTES (4ull << 20)
#define R1_TABLE 0x100000u
#define R2_TABLE 0x104000u
#define R3_TABLE 0x108000u
#define SEG_TABLE 0x10c000u
#define PAGE_TABLE 0x110000u
#define FRAME 0x123000u

#define DT_R1 0xcu
#define DT_R2 0x8u
#define DT_R3 0x4u
#define FULL 3u /* table length: four blocks */
#define INVALID 0x20u
#define PTE_INVALID 0x400u

/* A virtual address with a different index at each level. */
#define RFX 5ull
#define RSX 600ull
#define RTX 1100ull
#define SX 1700ull
#define PX 200ull
#define VA (RFX << 53 | RSX << 42 | RTX << 31 | SX << 20 | PX << 12 | 0x345)

static struct storage *st;
static struct dat_walk dat;
static struct dat_result found;

static void put(u64 abs, u64 v)
{
    be64_store(st->base + abs, v);
}

static void setup(void)
{
    ck_assert_int_eq(storage_create(&st, STORAGE_BYTES, NULL), 0);
    put(R1_TABLE + RFX * 8, R2_TABLE | DT_R1 | FULL);
    put(R2_TABLE + RSX * 8, R3_TABLE | DT_R2 | FULL);
    put(R3_TABLE + RTX * 8, SEG_TABLE | DT_R3 | FULL);
    put(SEG_TABLE + SX * 8, PAGE_TABLE);
    put(PAGE_TABLE + PX * 8, FRAME);
    dat = (struct dat_walk){.asce = R1_TABLE | DT_R1 | FULL, .edat1 = true};
}

static void teardown(void)
{
    storage_destroy(st);
}

static int walk(u64 va)
{
    return dat_translate(st, &dat, va, &found);
}

static const struct {
    u64 entry;
    u64 next;
    u64 bits;
    int exception;
} levels[] = {
    {R1_TABLE + RFX * 8, R2_TABLE, DT_R1, 0x39},
    {R2_TABLE + RSX * 8, R3_TABLE, DT_R2, 0x3a},
    {R3_TABLE + RTX * 8, SEG_TABLE, DT_R3, 0x3b},
    {SEG_TABLE + SX * 8, PAGE_TABLE, 0, 0x10},
};

START_TEST(five_levels)
{
    ck_assert_int_eq(walk(VA), 0);
    ck_assert_uint_eq(found.real, FRAME | 0x345);
    ck_assert_uint_eq(found.page_bytes, 4096);
    ck_assert_uint_eq(found.pte_abs, PAGE_TABLE + PX * 8);
    ck_assert(!found.protect && !found.no_execute);
}
END_TEST

START_TEST(shorter_designations)
{
    u64 va = VA & ((1ull << 53) - 1);
    dat.asce = R2_TABLE | DT_R2 | FULL;
    ck_assert_int_eq(walk(va), 0);
    ck_assert_int_eq(walk(VA), 0x38);
    dat.asce = R3_TABLE | DT_R3 | FULL;
    ck_assert_int_eq(walk(va), 0x38);
    ck_assert_int_eq(walk(va & ((1ull << 42) - 1)), 0);
    dat.asce = SEG_TABLE | FULL;
    ck_assert_int_eq(walk(1ull << 31), 0x38);
    ck_assert_int_eq(walk(va & ((1ull << 31) - 1)), 0);
    ck_assert_uint_eq(found.real, FRAME | 0x345);
}
END_TEST

START_TEST(invalid_entries)
{
    put(levels[_i].entry, levels[_i].next | levels[_i].bits | FULL | INVALID);
    ck_assert_int_eq(walk(VA), levels[_i].exception);
    ck_assert_uint_eq(found.pte_abs, levels[_i].entry);
}
END_TEST

START_TEST(type_mismatch)
{
    put(levels[_i].entry, levels[_i].next | (levels[_i].bits ^ 4) | FULL);
    ck_assert_int_eq(walk(VA), 0x12);
}
END_TEST

/* The table length and offset of an entry bound the index into the next table. */
START_TEST(table_length_and_offset)
{
    static const u64 block[4] = {RFX >> 9, RSX >> 9, RTX >> 9, SX >> 9};
    if (_i == 0) {
        dat.asce = R1_TABLE | DT_R1; /* length 0: index 5 is in the first block */
        ck_assert_int_eq(walk(VA), 0);
        ck_assert_int_eq(walk(VA | 1ull << 63), 0x39);
        ck_assert_uint_eq(found.pte_abs, DAT_NO_ENTRY);
        return;
    }
    u64 entry = levels[_i - 1].next | levels[_i - 1].bits;
    put(levels[_i - 1].entry, entry | (block[_i] - 1));
    ck_assert_int_eq(walk(VA), levels[_i].exception);
    ck_assert_uint_eq(found.pte_abs, DAT_NO_ENTRY);
    put(levels[_i - 1].entry, entry | block[_i] << 6 | FULL);
    ck_assert_int_eq(walk(VA), 0);
    if (block[_i] < 3) {
        put(levels[_i - 1].entry, entry | (block[_i] + 1) << 6 | FULL);
        ck_assert_int_eq(walk(VA), levels[_i].exception);
    }
}
END_TEST

START_TEST(tables_outside_storage)
{
    put(levels[_i].entry, STORAGE_BYTES | levels[_i].bits | FULL);
    ck_assert_int_eq(walk(VA), 0x05);
    dat.asce = STORAGE_BYTES | DT_R1 | FULL;
    ck_assert_int_eq(walk(VA), 0x05);
}
END_TEST

START_TEST(page_entries)
{
    put(PAGE_TABLE + PX * 8, FRAME | PTE_INVALID);
    ck_assert_int_eq(walk(VA), 0x11);
    ck_assert_uint_eq(found.pte_abs, PAGE_TABLE + PX * 8);
    put(PAGE_TABLE + PX * 8, FRAME | 0x800);
    ck_assert_int_eq(walk(VA), 0x12);
    put(PAGE_TABLE + PX * 8, FRAME | 0x800 | PTE_INVALID);
    ck_assert_int_eq(walk(VA), 0x11);
    put(PAGE_TABLE + PX * 8, FRAME | 0x200);
    ck_assert_int_eq(walk(VA), 0);
    ck_assert(found.protect);
    put(PAGE_TABLE + PX * 8, FRAME | 0x100);
    ck_assert_int_eq(walk(VA), 0);
    ck_assert(!found.no_execute);
    dat.iep = true;
    ck_assert_int_eq(walk(VA), 0);
    ck_assert(found.no_execute);
}
END_TEST

/* Region protection counts with EDAT only, segment protection always. */
START_TEST(protection_on_the_way)
{
    put(levels[_i].entry, levels[_i].next | levels[_i].bits | FULL | 0x200);
    ck_assert_int_eq(walk(VA), 0);
    ck_assert(found.protect);
    dat.edat1 = false;
    ck_assert_int_eq(walk(VA), 0);
    ck_assert_int_eq(found.protect, levels[_i].bits == 0);
}
END_TEST

START_TEST(common_segment_in_private_space)
{
    put(SEG_TABLE + SX * 8, PAGE_TABLE | 0x10);
    ck_assert_int_eq(walk(VA), 0);
    dat.asce |= 0x100;
    ck_assert_int_eq(walk(VA), 0x12);
}
END_TEST

/* With EDAT-2 the common-region bit counts too, of an entry for a table as of one for a frame. */
START_TEST(common_region_in_private_space)
{
    put(R3_TABLE + RTX * 8, SEG_TABLE | DT_R3 | FULL | 0x10);
    dat.asce |= 0x100;
    ck_assert_int_eq(walk(VA), 0);
    dat.edat2 = true;
    ck_assert_int_eq(walk(VA), 0x12);
    dat.asce &= ~0x100ull;
    ck_assert_int_eq(walk(VA), 0);
}
END_TEST

/* Bit 55 of a page-table entry must be zero unless EDAT-1 or execution protection uses it. */
START_TEST(page_entry_bit_55)
{
    put(PAGE_TABLE + PX * 8, FRAME | 0x100);
    dat.edat1 = false;
    ck_assert_int_eq(walk(VA), 0x12);
    dat.iep_installed = true;
    ck_assert_int_eq(walk(VA), 0);
    ck_assert(!found.no_execute);
    dat.iep = true;
    ck_assert_int_eq(walk(VA), 0);
    ck_assert(found.no_execute);
}
END_TEST

START_TEST(access_control_bits)
{
    put(SEG_TABLE + SX * 8, 0x200000u | 0x400u | 0x5800u);
    ck_assert_int_eq(walk(VA), 0);
    ck_assert(!found.has_acc);
    put(SEG_TABLE + SX * 8, 0x200000u | 0x400u | 0x10000u | 0x5800u);
    ck_assert_int_eq(walk(VA), 0);
    ck_assert(found.has_acc);
    ck_assert_uint_eq(found.acc, 0x58);
    ck_assert_uint_eq(found.real, 0x200000u | (VA & 0xfffff));
}
END_TEST

START_TEST(real_space)
{
    dat.asce = 0x20;
    ck_assert_int_eq(walk(VA), 0);
    ck_assert_uint_eq(found.real, VA);
}
END_TEST

START_TEST(large_frames)
{
    put(SEG_TABLE + SX * 8, 0x200000u | 0x400u | 0x200u);
    ck_assert_int_eq(walk(VA), 0);
    ck_assert_uint_eq(found.real, 0x200000u | (VA & 0xfffff));
    ck_assert_uint_eq(found.page_bytes, 1u << 20);
    ck_assert(found.protect);
    dat.edat1 = false; /* then bit 53 means nothing */
    put(0x200000 + PX * 8, FRAME);
    ck_assert_int_eq(walk(VA), 0);
    ck_assert_uint_eq(found.page_bytes, 4096);
    dat.edat1 = dat.edat2 = true;
    put(R3_TABLE + RTX * 8, DT_R3 | 0x400u);
    ck_assert_int_eq(walk(VA), 0);
    ck_assert_uint_eq(found.real, VA & 0x7fffffff);
    ck_assert_uint_eq(found.page_bytes, 1ull << 31);
}
END_TEST

/* The address of a large frame is absolute: prefixing applied to the result gives it back. */
START_TEST(large_frame_under_prefix)
{
    dat.prefix = 0x200000;
    put(SEG_TABLE + SX * 8, 0x200000u | 0x400u);
    u64 va = VA & ~0xfffffull;
    ck_assert_int_eq(walk(va | 0x10), 0);
    ck_assert_uint_eq(dat_real_to_abs(found.real, dat.prefix), 0x200010);
}
END_TEST

START_TEST(page_entry_address)
{
    put(PAGE_TABLE + PX * 8, FRAME | PTE_INVALID);
    ck_assert_int_eq(dat_page_entry(st, &dat, VA, &found), 0);
    ck_assert_uint_eq(found.pte_abs, PAGE_TABLE + PX * 8);
}
END_TEST

START_TEST(prefixing)
{
    ck_assert_uint_eq(dat_real_to_abs(0x1234, 0x8000), 0x9234);
    ck_assert_uint_eq(dat_real_to_abs(0x9234, 0x8000), 0x1234);
    ck_assert_uint_eq(dat_real_to_abs(0x2234, 0x8000), 0x2234);
    ck_assert_uint_eq(dat_real_to_abs(0x1234, 0), 0x1234);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("mem_dat");
    TCase *t = tcase_create("walk");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, five_levels);
    tcase_add_test(t, shorter_designations);
    tcase_add_loop_test(t, invalid_entries, 0, 4);
    tcase_add_loop_test(t, type_mismatch, 0, 4);
    tcase_add_loop_test(t, table_length_and_offset, 0, 4);
    tcase_add_loop_test(t, tables_outside_storage, 0, 4);
    tcase_add_test(t, page_entries);
    tcase_add_loop_test(t, protection_on_the_way, 0, 4);
    tcase_add_test(t, common_segment_in_private_space);
    tcase_add_test(t, common_region_in_private_space);
    tcase_add_test(t, page_entry_bit_55);
    tcase_add_test(t, access_control_bits);
    tcase_add_test(t, real_space);
    tcase_add_test(t, large_frames);
    tcase_add_test(t, large_frame_under_prefix);
    tcase_add_test(t, page_entry_address);
    tcase_add_test(t, prefixing);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
