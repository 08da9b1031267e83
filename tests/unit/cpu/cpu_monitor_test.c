/* MONITOR CALL with its masks and the enhanced-monitor counters (PoP chapters 6 and 7); TRAP2 and
 * TRAP4 with the trap control block and save area (chapter 10). */
#include <check.h>

#include "tests/lib/cpu_harness.h"

#define CODE HARNESS_CODE
#define DATA HARNESS_DATA
#define TABLES                                                                                 \
    0x30000u /* segment table, one page table: the first megabyte, each page onto itself */
#define PAGES (TABLES + 0x8000)
#define ARRAY 0x50000u
#define DUCT 0x52000u
#define BLOCK 0x53000u
#define SAVE 0x54000u
#define TRAP_PROGRAM 0x55000u

static struct cpu_harness h;

static void setup(void)
{
    harness_init(&h, "max", 1);
    for (u64 page = 0; page < 256; page++)
        harness_store(&h, PAGES + 8 * page, 8, page << 12);
    harness_store(&h, TABLES, 8, PAGES);
    for (unsigned i = 1; i < 4; i++)
        harness_store(&h, TABLES + 8 * i, 8, 0x20);
    cpu_cr(h.cpu)[1] = TABLES;
    cpu_cr(h.cpu)[13] = TABLES | 0x80; /* another space, the same pages */
    cpu_registers_changed(h.cpu);
}

static void teardown(void)
{
    harness_fini(&h);
}

static void page_invalid(u64 addr, bool invalid)
{
    harness_store(&h, PAGES + 8 * (addr >> 12), 8, addr | (invalid ? 0x400 : 0));
    cpu_registers_changed(h.cpu);
}

/* ---- monitor call ---- */

START_TEST(monitor_masks)
{
    ck_assert_int_eq(harness_insn(&h, "af05 0123"), 0);
    cpu_cr(h.cpu)[8] = 0x8000u >> 5;
    cpu_gr(h.cpu)[1] = 0x123456789a000000ull;
    ck_assert_int_eq(harness_insn(&h, "af05 1123"), PGM_MONITOR);
    ck_assert_uint_eq(harness_load(&h, 0x94, 2), 5);
    ck_assert_uint_eq(harness_load(&h, 0xb0, 8), 0x123456789a000123ull);
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 4); /* completed */
    ck_assert_int_eq(harness_insn(&h, "af06 1123"), 0);
    ck_assert_int_eq(harness_insn(&h, "af15 1123"), PGM_SPECIFICATION);
}
END_TEST

/* Class 5 counts: 10 counters, the halfwords first, then the words. */
static void counting(void)
{
    cpu_cr(h.cpu)[8] = 0x8000u >> 5 | (0x8000ull >> 5) << 16;
    harness_store(&h, 0x100, 8, ARRAY | 5); /* the last three bits are ignored */
    harness_store(&h, 0x108, 4, 10);
    harness_store(&h, 0x10c, 4, 0);
}

static unsigned low(unsigned i)
{
    return (unsigned)harness_load(&h, ARRAY + 2 * i, 2);
}

static unsigned high(unsigned i)
{
    return (unsigned)harness_load(&h, ARRAY + 20 + 4 * i, 4);
}

START_TEST(monitor_counts)
{
    counting();
    ck_assert_int_eq(harness_insn(&h, "af05 0009"), 0);
    ck_assert_int_eq(harness_insn(&h, "af05 0009"), 0);
    ck_assert_uint_eq(low(9), 2);
    ck_assert_uint_eq(high(9), 0);
    harness_store(&h, ARRAY + 4, 2, 0xffff);
    harness_store(&h, ARRAY + 28, 4, 0x1234);
    ck_assert_int_eq(harness_insn(&h, "af05 0002"), 0);
    ck_assert_uint_eq(low(2), 0);
    ck_assert_uint_eq(high(2), 0x1235);
    ck_assert_uint_eq(harness_load(&h, 0x10c, 4), 0);
    ck_assert_int_eq(harness_insn(&h, "af05 000a"), 0); /* beyond the array */
    ck_assert_uint_eq(harness_load(&h, 0x10c, 4), 1);
    cpu_cr(h.cpu)[8] &= ~0xffffull; /* the monitor mask still decides */
    ck_assert_int_eq(harness_insn(&h, "af05 0009"), 0);
    ck_assert_uint_eq(low(9), 2);
    cpu_cr(h.cpu)[8] = 0x8000u >> 5;
    ck_assert_int_eq(harness_insn(&h, "af05 0009"), PGM_MONITOR);
}
END_TEST

/* A counter that cannot be reached counts as an exception; no half of an update is made. */
START_TEST(monitor_counts_exceptions)
{
    counting();
    page_invalid(ARRAY, true);
    ck_assert_int_eq(harness_insn(&h, "af05 0002"), 0);
    ck_assert_uint_eq(harness_load(&h, 0x10c, 4), 1);
    page_invalid(ARRAY, false);
    harness_store(&h, 0x100, 8,
                  ARRAY + 0xff8); /* low counters here, high ones in the next page */
    harness_store(&h, 0x108, 4, 4);
    harness_store(&h, ARRAY + 0xffa, 2, 0xffff);
    page_invalid(ARRAY + 0x1000, true);
    ck_assert_int_eq(harness_insn(&h, "af05 0001"), 0);
    ck_assert_uint_eq(harness_load(&h, 0x10c, 4), 2);
    ck_assert_uint_eq(harness_load(&h, ARRAY + 0xffa, 2), 0xffff);
    page_invalid(ARRAY + 0x1000, false);
    harness_store(&h, PAGES + 8 * (ARRAY >> 12), 8, ARRAY | 0x200); /* protected */
    cpu_registers_changed(h.cpu);
    ck_assert_int_eq(harness_insn(&h, "af05 0001"), 0);
    ck_assert_uint_eq(harness_load(&h, 0x10c, 4), 3);
    ck_assert_uint_eq(harness_load(&h, ARRAY + 0x1004, 4), 0);
}
END_TEST

START_TEST(monitor_without_facility)
{
    harness_fini(&h);
    harness_init(&h, "z10", 1);
    counting();
    ck_assert_int_eq(harness_insn(&h, "af05 0009"), PGM_MONITOR);
}
END_TEST

/* ---- trap ---- */

/* Traps enabled; the block's first word is `control`. */
static void traps(u32 control, u64 mask)
{
    cpu_cr(h.cpu)[2] = DUCT;
    harness_store(&h, DUCT + 44, 4, BLOCK | 1);
    harness_store(&h, BLOCK, 4, control);
    harness_store(&h, BLOCK + 12, 4, SAVE);
    harness_store(&h, BLOCK + 20, 4, TRAP_PROGRAM);
    cpu_psw_set(h.cpu, mask | PSW_DAT, CODE);
    for (unsigned i = 0; i < 16; i++)
        cpu_gr(h.cpu)[i] = 0x0101010100000000ull * i + i;
    cpu_ar(h.cpu)[15] = 0;
}

START_TEST(trap_in_64_bit_mode)
{
    u64 mask;
    u64 addr;
    traps(0x00060000, HARNESS_PSW64 | 2ull << PSW_CC_SHIFT);
    cpu_gr(h.cpu)[1] = 0x180000000;
    ck_assert_int_eq(harness_insn(&h, "b2ff 1123"), 0);
    cpu_psw_get(h.cpu, &mask, &addr);
    ck_assert_uint_eq(addr, TRAP_PROGRAM);
    ck_assert_uint_eq(mask, HARNESS_PSW31 | PSW_DAT | 2ull << PSW_CC_SHIFT);
    ck_assert_uint_eq(cpu_gr(h.cpu)[15], BLOCK);
    ck_assert_uint_eq(h.cpu->bear, CODE);
    ck_assert_uint_eq(harness_load(&h, SAVE, 8), 0x4004000000000000ull);
    ck_assert_uint_eq(harness_load(&h, SAVE + 8, 8), 0x0000012300000000ull);
    ck_assert_uint_eq(harness_load(&h, SAVE + 16, 8),
                      HARNESS_PSW64 | PSW_DAT | 2ull << PSW_CC_SHIFT);
    ck_assert_uint_eq(harness_load(&h, SAVE + 24, 8), CODE + 4);
    ck_assert_uint_eq(harness_load(&h, SAVE + 32 + 8 * 15, 8), 0x0f0f0f0f0000000full);
}
END_TEST

/* 31-bit mode, short formats, under EXECUTE; the save area crosses pages. */
START_TEST(trap_short)
{
    traps(0, HARNESS_PSW31);
    harness_store(&h, BLOCK + 12, 4, SAVE + 0xfe8);
    harness_put(&h, DATA, "01ff");
    cpu_gr(h.cpu)[1] = DATA;
    ck_assert_int_eq(harness_insn(&h, "4400 1000"), 0);
    ck_assert_uint_eq(harness_psw_addr(&h), TRAP_PROGRAM);
    ck_assert_uint_eq(cpu_gr(h.cpu)[15], 0x0f0f0f0f00000000ull | BLOCK);
    u64 at = SAVE + 0xfe8;
    ck_assert_uint_eq(harness_load(&h, at, 8), 0x8004000000000000ull);
    ck_assert_uint_eq(harness_load(&h, at + 16, 8), 0x0408000080000000ull | (CODE + 4));
    ck_assert_uint_eq(harness_load(&h, at + 24, 8), 0);
    ck_assert_uint_eq(harness_load(&h, at + 32 + 4 * 14, 8), 0x0000000e0000000full);
    ck_assert_uint_eq(harness_load(&h, at + 96, 8), 0);
    ck_assert_uint_eq(h.cpu->bear, CODE);
}
END_TEST

START_TEST(trap_refused)
{
    traps(0x00060000, HARNESS_PSW64);
    harness_store(&h, DUCT + 44, 4, BLOCK); /* not enabled */
    ck_assert_int_eq(harness_insn(&h, "01ff"), PGM_SPECIAL_OPERATION);
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 2);
    traps(0x00060000, HARNESS_PSW64);
    cpu_psw_set(h.cpu, HARNESS_PSW64, CODE); /* DAT off */
    ck_assert_int_eq(harness_insn(&h, "01ff"), PGM_SPECIAL_OPERATION);
    traps(0x00060000, HARNESS_PSW64 | (u64)AS_HOME << PSW_AS_SHIFT);
    ck_assert_int_eq(harness_insn(&h, "01ff"), PGM_SPECIAL_OPERATION);
    traps(0x00020000, HARNESS_PSW64); /* 64-bit mode without the long PSW */
    ck_assert_int_eq(harness_insn(&h, "01ff"), PGM_SPECIAL_OPERATION);
    traps(0x00060000, HARNESS_PSW64);
    harness_store(&h, BLOCK + 12, 4, SAVE + 0xfe8);
    page_invalid(SAVE + 0x1000, true); /* nullified: nothing has been stored */
    ck_assert_int_eq(harness_insn(&h, "01ff"), PGM_PAGE_TRANSLATION);
    ck_assert_uint_eq(harness_old_addr(&h), CODE);
    ck_assert_uint_eq(harness_load(&h, SAVE + 0xfe8, 8), 0);
    ck_assert_uint_eq(harness_load(&h, 0xa8, 8) & ~0xc00ull, (SAVE + 0x1000) | AS_HOME);
    page_invalid(SAVE + 0x1000, false);
    cpu_cr(h.cpu)[2] = HARNESS_STORAGE;
    ck_assert_int_eq(harness_insn(&h, "01ff"), PGM_ADDRESSING);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu_monitor");
    TCase *t = tcase_create("monitor call and trap");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, monitor_masks);
    tcase_add_test(t, monitor_counts);
    tcase_add_test(t, monitor_counts_exceptions);
    tcase_add_test(t, monitor_without_facility);
    tcase_add_test(t, trap_in_64_bit_mode);
    tcase_add_test(t, trap_short);
    tcase_add_test(t, trap_refused);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
