/* RESUME PROGRAM: parameter list, fields of the PSW that are restored and those that stay, PSWs
 * that cannot be, tracing, home space, and the way back from TRAP. PoP chapter 10. */
#include <stdio.h>

#include "cpu/event/trace.h"
#include "tests/lib/linkage_world.h"

#define SAVED (DATA + 0x100u)
#define TABLE 0x50000u
#define SSE 0x40u /* space-switch-event control of an ASCE */
#define WIDE_PSW (HARNESS_PSW64 | 2ull << PSW_CC_SHIFT | 5ull << PSW_PM_SHIFT)
#define TARGET 0x30000u

/* RP 0(1) with a list behind it, gr1 at DATA: PSW at 0x100, access register at 0x120, general
 * register at 0x130, its high half at 0x140. */
static int resume(const char *flags)
{
    char hex[64];
    snprintf(hex, sizeof hex, "b2771000%s01000120013001400000", flags);
    gr[1] = DATA;
    return linkage_run(hex);
}

static void saved_psw(u64 mask, u64 addr)
{
    harness_store(&h, SAVED, 8, mask);
    harness_store(&h, SAVED + 8, 8, addr);
    harness_store(&h, SAVED + 0x20, 4, 0);
    harness_store(&h, SAVED + 0x30, 8, 0x0123456789abcdefull);
    harness_store(&h, SAVED + 0x40, 4, 0x55667788);
}

START_TEST(sixteen_byte_psw)
{
    saved_psw(~0ull << 40 & ~(3ull << PSW_AS_SHIFT) & ~(3ull << PSW_CC_SHIFT), TARGET);
    harness_store(&h, SAVED, 8,
                  harness_load(&h, SAVED, 8) | HARNESS_PSW64 | 0xfe00000000ull |
                      1ull << PSW_CC_SHIFT);
    harness_store(&h, SAVED + 0x20, 4, 0xabcd0123);
    u64 key = 4ull << PSW_KEY_SHIFT;
    linkage_psw(PSW_PROB | key);
    ck_assert_int_eq(resume("0006"), 0);
    /* bits 16-23, 31 and 32 only: system mask, key and state are the old ones */
    ck_assert_uint_eq(linkage_psw_mask(),
                      HARNESS_PSW64 | PSW_DAT | PSW_PROB | key | 1ull << PSW_CC_SHIFT | PSW_PM);
    ck_assert_uint_eq(harness_psw_addr(&h), TARGET);
    ck_assert_uint_eq(gr[1], 0x0123456789abcdefull);
    ck_assert_uint_eq(ar[1], 0xabcd0123);
    ck_assert_uint_eq(h.cpu->bear, HARNESS_CODE);
}
END_TEST

/* P zero: eight bytes, an address of 31 bits in any mode; bits 0-15 may be anything. */
START_TEST(eight_byte_psw)
{
    static const struct {
        u64 psw, mode;
        u32 addr;
    } c[] = {
        {0xffff0000ff123456ull, PSW_BA, 0x7f123456},
        {0x0008000000123456ull, 0, 0x123456},
        {0x00000001ff123456ull, HARNESS_PSW64, 0x7f123456},
    };
    for (unsigned i = 0; i < ARRAY_LEN(c); i++) {
        saved_psw(c[i].psw & ~(3ull << PSW_AS_SHIFT), 0);
        linkage_psw(0);
        ck_assert_int_eq(resume("0002"), 0);
        ck_assert_uint_eq(linkage_psw_mask(), PSW_DAT | c[i].mode);
        ck_assert_uint_eq(harness_psw_addr(&h), c[i].addr);
    }
}
END_TEST

/* R and D: four bytes, eight bytes, two times four; D alone means nothing. */
START_TEST(register_fields)
{
    saved_psw(WIDE_PSW, TARGET);
    linkage_psw(0);
    ck_assert_int_eq(resume("0004"), 0);
    ck_assert_uint_eq(gr[1], 0x01234567); /* bits 0-31 stay */
    linkage_psw(0);
    ck_assert_int_eq(resume("0005"), 0);
    ck_assert_uint_eq(gr[1], 0x01234567);
    linkage_psw(0);
    ck_assert_int_eq(resume("0006"), 0);
    ck_assert_uint_eq(gr[1], 0x0123456789abcdefull);
    linkage_psw(0);
    ck_assert_int_eq(resume("0007"), 0);
    ck_assert_uint_eq(gr[1], 0x5566778801234567ull);
    linkage_psw(0);
    gr[0] = 0xffffffff00000000ull; /* base zero: register 0 is restored */
    harness_store(&h, 0x800, 8, WIDE_PSW);
    harness_store(&h, 0x808, 8, TARGET);
    harness_store(&h, 0x810, 8, 0x7777777788888888ull);
    ck_assert_int_eq(linkage_run("b2770800"
                                 "0004000000100014"),
                     0);
    ck_assert_uint_eq(gr[0], 0xffffffff88888888ull);
    ck_assert_uint_eq(ar[0], 0x77777777);
}
END_TEST

/* Nothing has changed, and the old PSW is behind the instruction: no early exception. */
static void refused(const char *flags, int code)
{
    u64 before = linkage_psw_mask(), ar1 = ar[1];
    ck_assert_int_eq(resume(flags), code);
    ck_assert_uint_eq(harness_old_addr(&h), code == PGM_PAGE_TRANSLATION ? HARNESS_CODE : NEXT);
    ck_assert_uint_eq(harness_old_ilc(&h), 4);
    ck_assert_uint_eq(harness_load(&h, 0x150, 8), before);
    ck_assert_uint_eq((u32)gr[1], DATA);
    ck_assert_uint_eq(ar[1], ar1);
}

START_TEST(specification)
{
    static const struct {
        const char *flags;
        u64 mask, addr;
    } c[] = {
        {"0008", WIDE_PSW, TARGET},
        {"8006", WIDE_PSW, TARGET},
        {"0006", WIDE_PSW, TARGET + 1},
        {"0006", WIDE_PSW | 1, TARGET},
        {"0006", PSW_EA, TARGET},
        {"0006", PSW_BA, 0x80000000ull},
        {"0006", 0, 0x1000000},
        {"0002", 0x0000000001000000ull, 0},
        {"0002", 0x0000000100123456ull, 0},
        {"0002", 0x0000000080123457ull, 0},
    };
    for (unsigned i = 0; i < ARRAY_LEN(c); i++) {
        saved_psw(c[i].mask, c[i].addr);
        linkage_psw(3ull << PSW_CC_SHIFT);
        refused(c[i].flags, PGM_SPECIFICATION);
    }
}
END_TEST

/* The home space is not for the problem state, as long as DAT is on. */
START_TEST(home_space)
{
    cr[13] = SEG_A;
    saved_psw(WIDE_PSW | PSW_AS, TARGET);
    linkage_psw(PSW_PROB);
    refused("0006", PGM_PRIVILEGED);
    cpu_psw_set(h.cpu, HARNESS_PSW64 | PSW_PROB, HARNESS_CODE);
    ck_assert_int_eq(resume("0006"), 0);
    ck_assert_uint_eq(linkage_psw_mask() & PSW_AS, PSW_AS);
}
END_TEST

/* Entering or leaving it is an event when CR1 or CR13 says so; real 172 says what was left. */
START_TEST(home_space_event)
{
    u64 cr1 = cr[1];
    cr[13] = SEG_A | SSE;
    saved_psw(WIDE_PSW | PSW_AS, TARGET);
    linkage_psw(0);
    ck_assert_int_eq(resume("0006"), PGM_SPACE_SWITCH);
    ck_assert_uint_eq(harness_old_addr(&h), TARGET);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), (u16)cr[4]);
    ck_assert_uint_eq(gr[1], 0x0123456789abcdefull);
    saved_psw(WIDE_PSW, TARGET);
    linkage_psw(PSW_AS);
    ck_assert_int_eq(resume("0006"), PGM_SPACE_SWITCH);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), 0x80000000u);
    cr[1] = cr1 | SSE;
    cr[13] = SEG_A;
    saved_psw(WIDE_PSW | PSW_AS, TARGET);
    linkage_psw(0);
    ck_assert_int_eq(resume("0006"), PGM_SPACE_SWITCH);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), 0x80000000u | (u16)cr[4]);
    saved_psw(WIDE_PSW, TARGET); /* primary to primary: none */
    linkage_psw(0);
    ck_assert_int_eq(resume("0006"), 0);
}
END_TEST

static void unmap(u32 page, bool invalid)
{
    harness_store(&h, PAGES_A + 8 * (page >> 12), 8, page | (invalid ? 0x400 : 0));
}

/* Every field is fetched before anything changes. */
START_TEST(access_exceptions)
{
    static const char *lists[] = {
        "b2771000"
        "0006200001200130", /* PSW, access register, general register */
        "b2771000"
        "0006010020000130",
        "b2771000"
        "0006010001202000",
        "b2771000"
        "00070100012001302000",
    };
    saved_psw(WIDE_PSW, TARGET);
    unmap(DATA + 0x2000, true);
    for (unsigned i = 0; i < ARRAY_LEN(lists); i++) {
        linkage_psw(0);
        gr[1] = DATA;
        ck_assert_int_eq(linkage_run(lists[i]), PGM_PAGE_TRANSLATION);
        ck_assert_uint_eq(harness_old_addr(&h), HARNESS_CODE);
        ck_assert_uint_eq(harness_load(&h, 0xa8, 8) & ~0xfffull, DATA + 0x2000);
        ck_assert_uint_eq(gr[1], DATA);
    }
    unmap(DATA + 0x2000, false);
}
END_TEST

/* The list is behind the target of EXECUTE, not behind the EXECUTE. */
START_TEST(executed)
{
    saved_psw(WIDE_PSW, TARGET);
    harness_put(&h, DATA + 0x800,
                "b2771000"
                "0006010001200130");
    gr[1] = DATA;
    gr[5] = DATA + 0x800;
    linkage_psw(0);
    ck_assert_int_eq(linkage_run("44005000"), 0);
    ck_assert_uint_eq(harness_psw_addr(&h), TARGET);
    ck_assert_uint_eq(h.cpu->bear, HARNESS_CODE);
}
END_TEST

/* Offsets count from the operand in the space of access register B2, 16 bits without a sign. */
START_TEST(access_register_space)
{
    gr[1] = DATA - 0xf000;
    ar[1] = 1; /* secondary space */
    cr[7] = SEG_B;
    harness_store(&h, FRAME_B, 8, WIDE_PSW);
    harness_store(&h, FRAME_B + 8, 8, TARGET);
    linkage_psw((u64)AS_AR << PSW_AS_SHIFT);
    int rc = linkage_run("b2771000"
                         "0006f000f010f018");
    ck_assert_int_eq(rc, 0);
    ck_assert_uint_eq(harness_psw_addr(&h), TARGET);
}
END_TEST

static u64 traced(u64 controls, u64 from, u64 mask, u64 addr)
{
    saved_psw(mask, addr);
    cpu_psw_set(h.cpu, from | PSW_DAT, HARNESS_CODE);
    cr[12] = TABLE | controls;
    harness_store(&h, TABLE, 8, 0);
    ck_assert_int_eq(resume("0006"), 0);
    return harness_load(&h, TABLE, 8);
}

START_TEST(tracing)
{
    u64 branch = CR12_BRANCH_TRACE, mode = CR12_MODE_TRACE;
    ck_assert_uint_eq(traced(branch, HARNESS_PSW64, PSW_BA, 0x345678) >> 32, 0x80345678);
    ck_assert_uint_eq(traced(branch, HARNESS_PSW64, 0, 0x345678) >> 32, 0x00345678);
    ck_assert_uint_eq(traced(mode, HARNESS_PSW64, PSW_BA, TARGET),
                      0x5120000000000000ull | NEXT);
    ck_assert_uint_eq(traced(mode | branch, HARNESS_PSW64, PSW_BA, TARGET),
                      0x51a0000080000000ull | TARGET);
    ck_assert_uint_eq(traced(mode | branch, HARNESS_PSW31, HARNESS_PSW64, TARGET),
                      0x51b0000000000000ull | TARGET);
    ck_assert_uint_eq(traced(mode, HARNESS_PSW64, HARNESS_PSW64, TARGET), 0);
    cr[12] = (TABLE + 0xffc) | branch; /* no room: nothing restored */
    linkage_psw(0);
    saved_psw(WIDE_PSW, 0x123456780000ull);
    ck_assert_int_eq(resume("0006"), PGM_TRACE_TABLE);
    ck_assert_uint_eq(gr[1], DATA);
}
END_TEST

/* TRAP4 saves, the trap program resumes: everything is as it was behind the TRAP4. */
START_TEST(back_from_trap)
{
    cr[2] = DUCT;
    cr[13] = cr[1];
    harness_store(&h, DUCT + 44, 4, (DATA + 0x200) | 1);
    harness_store(&h, DATA + 0x200, 4, 0x00060000); /* long PSW, long registers */
    harness_store(&h, DATA + 0x20c, 4, DATA + 0x300);
    harness_store(&h, DATA + 0x214, 4, TARGET);
    linkage_psw(3ull << PSW_CC_SHIFT);
    u64 mask = linkage_psw_mask(), gr15 = gr[15];
    ck_assert_int_eq(linkage_run("b2ff0000"), 0);
    ck_assert_uint_eq(harness_psw_addr(&h), TARGET);
    ck_assert_uint_eq(gr[15], DATA + 0x200);
    gr[15] = DATA + 0x300; /* save area: PSW at 16, access register 15 at 12, gr15 at 152 */
    ar[15] = 0;
    ck_assert_int_eq(linkage_run("b277f000"
                                 "00060010000c0098"),
                     0);
    ck_assert_uint_eq(linkage_psw_mask(), mask);
    ck_assert_uint_eq(harness_psw_addr(&h), NEXT);
    ck_assert_uint_eq(gr[15], gr15);
    ck_assert_uint_eq(ar[15], 0x9000000f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu_resume");
    TCase *t = tcase_create("RESUME PROGRAM");
    tcase_add_checked_fixture(t, linkage_setup, linkage_teardown);
    tcase_add_test(t, sixteen_byte_psw);
    tcase_add_test(t, eight_byte_psw);
    tcase_add_test(t, register_fields);
    tcase_add_test(t, specification);
    tcase_add_test(t, home_space);
    tcase_add_test(t, home_space_event);
    tcase_add_test(t, access_exceptions);
    tcase_add_test(t, executed);
    tcase_add_test(t, access_register_space);
    tcase_add_test(t, tracing);
    tcase_add_test(t, back_from_trap);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
