/* Program-event recording and the breaking-event address: PoP chapter 4, "Program-Event
 * Recording" and "Breaking-Event-Address Recording". */
#include <check.h>

#include "cpu/insn/control.h"
#include "cpu/event/per.h"
#include "tests/lib/cpu_harness.h"

#define CR9_BRANCH (0x80ull << 24)
#define CR9_FETCH (0x40ull << 24)
#define CR9_STORE (0x20ull << 24)
#define CR9_KEY (0x10ull << 24)
#define CR9_STORE_REAL (0x08ull << 24)
#define CR9_ZERO (0x04ull << 24)
#define CR9_NULLIFY (0x01ull << 24)
#define CR9_BRANCH_ADDRESS 0x00800000ull
#define CR9_STORE_SPACE 0x00200000ull
#define CODE HARNESS_CODE
#define DATA HARNESS_DATA

static struct cpu_harness h;
static u64 mask; /* PSW to run with */

static void setup(void)
{
    harness_init(&h, "max", 1);
    harness_store(&h, 0x1d0, 8, HARNESS_PSW64 | PSW_WAIT);
    harness_store(&h, 0x1c0, 8, HARNESS_PSW64 | PSW_WAIT);
    mask = HARNESS_PSW64;
}

static void teardown(void)
{
    harness_fini(&h);
}

/* Watch for events over [from, to] with the PER bit of the PSW on. */
static void watch(u64 cr9, u64 from, u64 to)
{
    cpu_cr(h.cpu)[9] = cr9;
    cpu_cr(h.cpu)[10] = from;
    cpu_cr(h.cpu)[11] = to;
    mask = HARNESS_PSW64 | PSW_PER;
    harness_store(&h, 0x96, 2, 0);
    harness_store(&h, 0xa1, 1, 0xff);
}

/* Run what stands at CODE until the program new PSW's wait. */
static void run(void)
{
    harness_store(&h, 0x8c, 4, 0);
    cpu_psw_set(h.cpu, mask, CODE);
    ck_assert_int_eq(cpu_run(h.cpu, 1000), CPU_EXIT_DISABLED_WAIT);
}

static unsigned pgm_code(void)
{
    return (unsigned)harness_load(&h, 0x8e, 2);
}

static unsigned per_code(void)
{
    return (unsigned)harness_load(&h, 0x96, 1);
}

static unsigned atmid(void)
{
    return (unsigned)harness_load(&h, 0x97, 1);
}

static u64 per_address(void)
{
    return harness_load(&h, 0x98, 8);
}

static u64 breaking(void)
{
    return harness_load(&h, 0x110, 8);
}

/* ---- breaking-event address ---- */

START_TEST(breaking_of_branches)
{
    ck_assert_uint_eq(h.cpu->bear, 1);                      /* initial CPU reset */
    harness_put(&h, CODE, "a7f4 0004 0000 0000 0700 0000"); /* j .+8; nopr; 0000 */
    run();
    ck_assert_uint_eq(pgm_code(), PGM_OPERATION);
    ck_assert_uint_eq(breaking(), CODE);
    harness_put(&h, CODE, "0700 a774 0004 0000"); /* jne, not taken: nothing changes */
    run();
    ck_assert_uint_eq(breaking(), CODE);
    /* to the next page, on through its end: the branch is still the last one */
    harness_put(&h, CODE, "0700 a7f4 07fd");
    harness_put(&h, CODE + 0xffc, "0700 0700 0700 0000");
    run();
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 0x1004);
    ck_assert_uint_eq(breaking(), CODE + 2);
}
END_TEST

START_TEST(breaking_of_odd_target)
{
    harness_put(&h, CODE, "0700 07f1");
    cpu_gr(h.cpu)[1] = CODE + 0x101;
    run();
    ck_assert_uint_eq(pgm_code(), PGM_SPECIFICATION);
    ck_assert_uint_eq(breaking(), CODE + 2);
}
END_TEST

/* Under EXECUTE it is the EXECUTE's address; LPSWE too, also when its PSW is an early exception. */
START_TEST(breaking_of_execute_and_lpswe)
{
    cpu_gr(h.cpu)[1] = DATA;
    cpu_gr(h.cpu)[2] = CODE + 0x100;
    harness_put(&h, DATA, "07f2");
    harness_put(&h, CODE, "0700 4400 1000");
    run();
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 0x102);
    ck_assert_uint_eq(breaking(), CODE + 2);
    harness_store(&h, DATA + 8, 8, HARNESS_PSW64);
    harness_store(&h, DATA + 16, 8, CODE + 0x200);
    harness_put(&h, CODE, "0700 0700 b2b2 1008");
    run();
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 0x202);
    ck_assert_uint_eq(breaking(), CODE + 4);
    harness_store(&h, DATA + 8, 8, HARNESS_PSW64 | PSW_BIT(12));
    harness_put(&h, CODE, "b2b2 1008");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_SPECIFICATION);
    ck_assert_uint_eq(harness_old_ilc(&h), 0);
    ck_assert_uint_eq(breaking(), CODE);
    harness_store(&h, DATA + 8, 8, HARNESS_PSW64);
    harness_put(&h, DATA, "b2b2 1008");
    harness_put(&h, CODE, "0700 4400 1000");
    run();
    ck_assert_uint_eq(breaking(), CODE + 2);
}
END_TEST

/* BEAR enhancement: LPSWEY is no breaking event; LBEAR and STBEAR; store status. */
START_TEST(breaking_enhancement)
{
    cpu_gr(h.cpu)[1] = DATA;
    harness_store(&h, DATA, 8, 0x123456789abcdef1ull);
    harness_store(&h, DATA + 8, 8, HARNESS_PSW64);
    harness_store(&h, DATA + 16, 8, CODE + 0x200);
    harness_put(&h, CODE, "a7f4 0004 0000 0000 b201 1020 b200 1000 eb00 1008 0071");
    run();
    ck_assert_uint_eq(harness_load(&h, DATA + 0x20, 8), CODE);
    ck_assert_uint_eq(breaking(), 0x123456789abcdef1ull);
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 0x202);
    cpu_store_status(h.cpu, 0x1200);
    ck_assert_uint_eq(harness_load(&h, 0x1338, 8), 0x123456789abcdef1ull);
    harness_put(&h, CODE, "b200 1004");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_SPECIFICATION);
    harness_put(&h, CODE, "b201 1004");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_SPECIFICATION);
    harness_put(&h, CODE, "eb00 100c 0071");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_SPECIFICATION);
    harness_put(&h, CODE, "b200 1000");
    mask |= PSW_PROB;
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PRIVILEGED);
}
END_TEST

/* ---- instruction fetching ---- */

START_TEST(fetch_alone)
{
    watch(CR9_FETCH, CODE + 4, CODE + 5);
    harness_put(&h, CODE, "0700 0700 a718 0001 0000");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(per_code(), PER_FETCH);
    ck_assert_uint_eq(atmid(), 0xe0);
    ck_assert_uint_eq(per_address(), CODE + 4);
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 8);
    ck_assert_uint_eq(harness_old_ilc(&h), 4);
    ck_assert_uint_eq(harness_load(&h, 0xa1, 1), 0);
    ck_assert_uint_eq(cpu_gr(h.cpu)[1], 1); /* it was executed */
}
END_TEST

/* The first byte counts; an area that wraps takes in both ends. */
START_TEST(fetch_area)
{
    harness_put(&h, CODE, "a718 0001 0000");
    watch(CR9_FETCH, CODE + 2, CODE + 3);
    run();
    ck_assert_uint_eq(pgm_code(), PGM_OPERATION);
    watch(CR9_FETCH, CODE + 6, CODE - 1);
    run();
    ck_assert_uint_eq(pgm_code(), PGM_OPERATION);
    watch(CR9_FETCH, CODE + 6, CODE);
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    watch(CR9_FETCH, 0, ~0ull);
    mask = HARNESS_PSW64; /* the PSW does not ask for it */
    run();
    ck_assert_uint_eq(pgm_code(), PGM_OPERATION);
}
END_TEST

START_TEST(fetch_with_exception)
{
    watch(CR9_FETCH, 0, ~0ull);
    harness_put(&h, CODE, "0000");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER | PGM_OPERATION);
    ck_assert_uint_eq(per_code(), PER_FETCH);
    ck_assert_uint_eq(per_address(), CODE);
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 2);
    /* an instruction that cannot be fetched is none */
    cpu_gr(h.cpu)[1] = 1ull << 40;
    watch(CR9_BRANCH | CR9_FETCH, 0x1000, 1ull << 50);
    harness_put(&h, CODE, "07f1");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(per_code(), PER_BRANCH | PER_FETCH);
    watch(CR9_FETCH, 1ull << 40, 1ull << 50);
    run();
    ck_assert_uint_eq(pgm_code(), PGM_ADDRESSING);
}
END_TEST

START_TEST(fetch_of_execute)
{
    harness_put(&h, DATA, "1a22");
    cpu_gr(h.cpu)[1] = DATA;
    cpu_gr(h.cpu)[2] = 3;
    watch(CR9_FETCH, DATA, DATA);
    harness_put(&h, CODE, "4400 1000 0000");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(per_address(), CODE); /* the EXECUTE's */
    ck_assert_uint_eq(harness_old_ilc(&h), 4);
    ck_assert_uint_eq(cpu_gr(h.cpu)[2], 6);
    watch(CR9_FETCH | CR9_NULLIFY, DATA, DATA);
    run();
    ck_assert_uint_eq(per_code(), PER_FETCH | PER_NULLIFY);
    ck_assert_uint_eq(harness_old_addr(&h), CODE);
    ck_assert_uint_eq(cpu_gr(h.cpu)[2], 6);
}
END_TEST

START_TEST(fetch_nullified)
{
    watch(CR9_FETCH | CR9_NULLIFY, CODE + 2, CODE + 2);
    harness_put(&h, CODE, "0700 a718 0001");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(per_code(), PER_FETCH | PER_NULLIFY);
    ck_assert_uint_eq(per_address(), CODE + 2);
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 2);
    ck_assert_uint_eq(cpu_gr(h.cpu)[1], 0);
    watch(CR9_NULLIFY, 0, ~0ull); /* no event of its own */
    harness_put(&h, CODE, "0000");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_OPERATION);
}
END_TEST

/* ---- successful branching ---- */

START_TEST(branch_taken)
{
    watch(CR9_BRANCH, 0, 0);
    harness_put(&h, CODE, "a774 0010 a784 0010 0000"); /* cc 0: jne no, je yes */
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(per_code(), PER_BRANCH);
    ck_assert_uint_eq(per_address(), CODE + 4);
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 0x24);
    ck_assert_uint_eq(breaking(), CODE + 4);
    watch(CR9_BRANCH | CR9_BRANCH_ADDRESS, CODE + 0x25, CODE + 0x30);
    harness_put(&h, CODE + 0x24, "0000");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_OPERATION);
    watch(CR9_BRANCH | CR9_BRANCH_ADDRESS, CODE + 0x24, CODE + 0x24);
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
}
END_TEST

/* ---- storage alteration ---- */

START_TEST(store_in_area)
{
    cpu_gr(h.cpu)[1] = DATA;
    harness_put(&h, CODE, "9201 1007 9201 1010 0000"); /* mvi 7(1),1; mvi 16(1),1 */
    watch(CR9_STORE, DATA + 8, DATA + 0x10);
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(per_code(), PER_STORE);
    ck_assert_uint_eq(per_address(), CODE + 4);
    ck_assert_uint_eq(harness_load(&h, DATA + 0x10, 1), 1);
    /* operands that only touch the area, at either end */
    harness_put(&h, CODE, "e310 1001 0024 0000");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    harness_put(&h, CODE, "e310 1010 0024 0000");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    harness_put(&h, CODE, "e310 1011 0024 0000");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_OPERATION);
    harness_put(&h, CODE, "d2ff 1100 1000 0000"); /* fetched only */
    run();
    ck_assert_uint_eq(pgm_code(), PGM_OPERATION);
    harness_put(&h, CODE, "d7ff 1000 1000 0000");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    harness_put(&h, CODE, "ba02 1008 0000"); /* cs */
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    watch(CR9_FETCH | CR9_STORE, DATA + 8, CODE); /* the area wraps */
    harness_put(&h, CODE, "9201 1007 0000");
    run();
    ck_assert_uint_eq(per_code(), PER_FETCH);
    harness_put(&h, CODE, "9201 1008 0000");
    run();
    ck_assert_uint_eq(per_code(), PER_FETCH | PER_STORE);
}
END_TEST

/* Translations made before the events were asked for do not hide a store, nor later ones. */
START_TEST(store_after_fast_ones)
{
    cpu_gr(h.cpu)[1] = DATA;
    cpu_cr(h.cpu)[9] = CR9_STORE;
    cpu_cr(h.cpu)[10] = DATA;
    cpu_cr(h.cpu)[11] = DATA;
    harness_store(&h, CODE + 0x100, 1, 0x40); /* PER for STOSM */
    harness_put(&h, CODE, "9201 1000 9202 1000 ad40 1010 9203 1001 9204 1000 0000");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(per_address(), CODE + 16);
}
END_TEST

/* A store that is nullified or suppressed has not happened. */
START_TEST(store_not_made)
{
    cpu_gr(h.cpu)[1] = HARNESS_STORAGE - 4;
    watch(CR9_STORE, 0, ~0ull);
    harness_put(&h, CODE, "e310 1000 0024");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_ADDRESSING);
    harness_put(&h, CODE, "d20f 1000 2000");
    cpu_gr(h.cpu)[2] = DATA;
    run();
    ck_assert_uint_eq(pgm_code(), PGM_ADDRESSING);
}
END_TEST

/* MVCL into storage that ends: what was moved is reported with the exception. */
START_TEST(store_by_units)
{
    u64 *gr = cpu_gr(h.cpu);
    gr[2] = HARNESS_STORAGE - 0x2000;
    gr[3] = 0x4000;
    gr[4] = DATA;
    gr[5] = 0;
    watch(CR9_STORE, HARNESS_STORAGE - 0x2000, HARNESS_STORAGE - 0x1fff);
    harness_put(&h, CODE, "0e24 0000");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER | PGM_ADDRESSING);
    ck_assert_uint_eq(per_code(), PER_STORE);
    ck_assert_uint_eq(gr[2], HARNESS_STORAGE);
    ck_assert_uint_eq(gr[3], 0x2000);
}
END_TEST

/* MVCL of many units: reported after the unit that stored there, the PSW at the MVCL itself; what
 * it fetches anew to go on with is fetched again. CLCLE ends with condition code 3 instead. */
START_TEST(units_of_operation)
{
    u64 *gr = cpu_gr(h.cpu);
    gr[2] = 0x100000;
    gr[3] = 0x30000;
    gr[4] = DATA;
    gr[5] = 0;
    watch(CR9_STORE, 0x100000, 0x100000);
    harness_put(&h, CODE, "0e24 0000");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(harness_old_addr(&h), CODE);
    ck_assert_uint_eq(harness_old_ilc(&h), 2);
    ck_assert_uint_gt(gr[2], 0x100000);
    ck_assert_uint_lt(gr[2], 0x130000);
    ck_assert_uint_eq(gr[3], 0x130000 - gr[2]);
    run(); /* the rest stores elsewhere */
    ck_assert_uint_eq(pgm_code(), PGM_OPERATION);
    ck_assert_uint_eq(gr[3], 0);
    gr[2] = gr[4] = 0x100000;
    gr[3] = gr[5] = 0x30000;
    watch(CR9_FETCH, CODE, CODE);
    harness_put(&h, CODE, "a924 0000 0000"); /* clcle */
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 4);
    ck_assert_uint_eq(harness_load(&h, 0x150, 8) >> PSW_CC_SHIFT & 3, 3);
    ck_assert_uint_lt(gr[3], 0x30000);
}
END_TEST

START_TEST(store_using_real)
{
    cpu_gr(h.cpu)[1] = DATA;
    harness_put(&h, CODE, "b246 0021 b925 0021 0000"); /* stura 2,1; sturg */
    watch(CR9_STORE, 0, ~0ull);
    run();
    ck_assert_uint_eq(pgm_code(), PGM_OPERATION); /* real addresses: not a storage alteration */
    watch(CR9_STORE_REAL, 0, ~0ull);
    run();
    ck_assert_uint_eq(pgm_code(), PGM_OPERATION);
    watch(CR9_STORE | CR9_STORE_REAL, 0x10, 0x10); /* wherever it is */
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(per_code(), PER_STORE | PER_STORE_REAL);
    ck_assert_uint_eq(per_address(), CODE);
}
END_TEST

/* With DAT: which space, and only marked spaces when CR9 bit 42 says so. A segment table at
 * 0x30000 maps the first megabyte onto itself. */
START_TEST(store_space)
{
    for (u64 page = 0; page < 256; page++)
        harness_store(&h, 0x38000 + 8 * page, 8, page << 12);
    harness_store(&h, 0x30000, 8, 0x38000);
    for (unsigned i = 1; i < 4; i++)
        harness_store(&h, 0x30000 + 8 * i, 8, 0x20);
    u64 *cr = cpu_cr(h.cpu);
    cr[1] = 0x30000;
    cr[7] = 0x30000 | 0x80;
    cpu_gr(h.cpu)[1] = DATA;
    harness_put(&h, CODE, "9201 1000 0000");
    watch(CR9_STORE, DATA, DATA);
    mask = HARNESS_PSW64 | PSW_PER | PSW_DAT;
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(atmid(), 0xf0);
    watch(CR9_STORE | CR9_STORE_SPACE, DATA, DATA);
    mask = HARNESS_PSW64 | PSW_PER | PSW_DAT;
    run();
    ck_assert_uint_eq(pgm_code(), PGM_OPERATION);
    mask = HARNESS_PSW64 | PSW_PER | PSW_DAT | (u64)AS_SECONDARY << PSW_AS_SHIFT;
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(atmid(), 0xf8 | 2);
    watch(CR9_STORE, DATA, DATA); /* AR mode: which access register */
    mask = HARNESS_PSW64 | PSW_PER | PSW_DAT | (u64)AS_AR << PSW_AS_SHIFT;
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(atmid(), 0xf4);
    ck_assert_uint_eq(harness_load(&h, 0xa1, 1), 1);
    watch(CR9_STORE | CR9_STORE_SPACE, DATA, DATA); /* DAT off: no space to look at */
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(atmid(), 0xe0);
}
END_TEST

/* ---- together with interruptions ---- */

/* SVC: its interruption first; the program old PSW is the SVC new PSW. */
START_TEST(with_supervisor_call)
{
    watch(CR9_FETCH, CODE, CODE);
    harness_put(&h, CODE, "0a2a");
    run();
    ck_assert_uint_eq(harness_load(&h, 0x88, 4), 2u << 16 | 0x2a);
    ck_assert_uint_eq(harness_load(&h, 0x148, 8), CODE + 2);
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(harness_old_addr(&h), HARNESS_SVC);
    ck_assert_uint_eq(harness_load(&h, 0x150, 8), HARNESS_PSW64 | PSW_WAIT);
    ck_assert_uint_eq(harness_old_ilc(&h), 2);
    ck_assert_uint_eq(per_address(), CODE);
}
END_TEST

/* LPSWE that turns PER off is still watched; one with an early exception reports both. */
START_TEST(with_lpswe)
{
    harness_store(&h, DATA, 8, HARNESS_PSW64);
    harness_store(&h, DATA + 8, 8, CODE + 0x40);
    cpu_gr(h.cpu)[1] = DATA;
    watch(CR9_FETCH | CR9_BRANCH, CODE, CODE);
    harness_put(&h, CODE, "b2b2 1000");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(per_code(), PER_FETCH); /* no branch in the sense of PER */
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 0x40);
    ck_assert_uint_eq(harness_load(&h, 0x150, 8), HARNESS_PSW64);
    harness_store(&h, DATA, 8, HARNESS_PSW64 | PSW_BIT(12));
    watch(CR9_FETCH, CODE, CODE);
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER | PGM_SPECIFICATION);
    ck_assert_uint_eq(per_address(), CODE);
}
END_TEST

/* A program interruption comes before an external one that is pending as well. */
START_TEST(before_external)
{
    watch(CR9_FETCH, CODE + 4, CODE + 4);
    cpu_cr(h.cpu)[0] |= 0x40;
    harness_store(&h, 0x1b8, 8, 0x1d000);
    harness_store(&h, 0x1b0, 8, HARNESS_PSW64 | PSW_WAIT);
    cpu_interrupt_key(h.cpu);
    cpu_gr(h.cpu)[1] = DATA;
    harness_put(&h, CODE, "0700 0700 ad01 1000 0000"); /* stosm: external enabled */
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 8);
    ck_assert_uint_eq(harness_load(&h, 0x86, 2), 0);
}
END_TEST

/* An intercepted instruction reports when it is finished, not before. */
START_TEST(with_interception)
{
    watch(CR9_FETCH, CODE, CODE);
    harness_put(&h, CODE, "8300 0044 0000");
    cpu_psw_set(h.cpu, mask, CODE);
    ck_assert_int_eq(cpu_run(h.cpu, 100), CPU_EXIT_INTERCEPT);
    cpu_finish_cc(h.cpu, 2);
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 4);
    ck_assert_uint_eq(harness_load(&h, 0x150, 8),
                      HARNESS_PSW64 | PSW_PER | 2ull << PSW_CC_SHIFT);
    watch(CR9_FETCH, CODE, CODE);
    cpu_psw_set(h.cpu, mask, CODE);
    ck_assert_int_eq(cpu_run(h.cpu, 100), CPU_EXIT_INTERCEPT);
    cpu_finish_pgm(h.cpu, PGM_SPECIFICATION);
    ck_assert_uint_eq(pgm_code(), PGM_PER | PGM_SPECIFICATION);
    watch(CR9_STORE, DATA, DATA); /* what is stored for it counts */
    cpu_psw_set(h.cpu, mask, CODE);
    ck_assert_int_eq(cpu_run(h.cpu, 100), CPU_EXIT_INTERCEPT);
    ck_assert_int_eq(cpu_write_logical(h.cpu, DATA, 16, "abcd", 4), 0);
    cpu_finish_cc(h.cpu, 0);
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(per_code(), PER_STORE);
    watch(CR9_FETCH, CODE, CODE); /* done again: nothing yet */
    cpu_psw_set(h.cpu, mask, CODE);
    harness_store(&h, 0x8c, 4, 0);
    ck_assert_int_eq(cpu_run(h.cpu, 100), CPU_EXIT_INTERCEPT);
    cpu_finish_again(h.cpu);
    ck_assert_uint_eq(pgm_code(), 0);
    ck_assert_uint_eq(harness_psw_addr(&h), CODE);
}
END_TEST

/* An instruction that crosses pages is one event at its first byte. */
START_TEST(crossing_pages)
{
    watch(CR9_FETCH, CODE + 0xffe, CODE + 0xffe);
    harness_put(&h, CODE, "a7f4 07ff");
    harness_put(&h, CODE + 0xffe, "a718 0007 0000");
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 0x1002);
    ck_assert_uint_eq(cpu_gr(h.cpu)[1], 7);
}
END_TEST

/* SAC into the home space: a PER event makes it a space-switch event, as PoP chapter 6 has it. */
START_TEST(with_space_switch)
{
    u64 *cr = cpu_cr(h.cpu);
    cr[0] |= CR0_SECONDARY_CTL;
    cr[1] = cr[7] = cr[13] = 0x20; /* real space */
    cr[4] = 0x1234;
    harness_put(&h, CODE, "b219 0300 b219 0000 0000");
    watch(CR9_FETCH, CODE, CODE);
    mask |= PSW_DAT;
    run();
    ck_assert_uint_eq(pgm_code(), PGM_PER | PGM_SPACE_SWITCH);
    ck_assert_uint_eq(harness_load(&h, 0xac, 4), 0x1234);
    ck_assert_uint_eq(harness_old_addr(&h), CODE + 4);
    watch(CR9_FETCH, 0, 0); /* none: no event */
    mask |= PSW_DAT;
    run();
    ck_assert_uint_eq(pgm_code(), PGM_OPERATION);
}
END_TEST

/* ---- zero-address detection ---- */

/* The events of one instruction, without a program interruption of its own; 0 when none. */
static unsigned events(const char *hex)
{
    harness_store(&h, 0x96, 2, 0);
    harness_put(&h, CODE, "00000000000000000000");
    harness_put(&h, CODE, hex);
    run();
    if (pgm_code() == PGM_OPERATION)
        return 0;
    ck_assert_uint_eq(pgm_code(), PGM_PER);
    ck_assert_uint_eq(per_address(), CODE);
    return per_code();
}

/* A base that is zero; an index that is when there is no base; base and index that make zero. */
START_TEST(zero_base_and_index)
{
    u64 *gr = cpu_gr(h.cpu);
    watch(CR9_ZERO, 1, 0);
    gr[2] = 0;
    gr[3] = DATA;
    gr[4] = -(u64)DATA;
    ck_assert_uint_eq(events("5810 2100"), PER_ZERO); /* l 1,256(2) */
    ck_assert_uint_eq(events("5810 3100"), 0);
    ck_assert_uint_eq(events("5810 0100"), 0); /* no base */
    ck_assert_uint_eq(events("5812 0100"), PER_ZERO);
    ck_assert_uint_eq(events("5812 3100"), 0); /* the index alone is zero, there is a base */
    ck_assert_uint_eq(events("5813 2100"), PER_ZERO);
    ck_assert_uint_eq(events("5814 3100"), PER_ZERO); /* their sum is zero */
    ck_assert_uint_eq(events("e310 2100 0004"), PER_ZERO);
    ck_assert_uint_eq(events("4110 2100"), 0); /* la: no access */
    ck_assert_uint_eq(events("8910 2001"), 0); /* sll */
    ck_assert_uint_eq(events("d200 3000 2100"), PER_ZERO);
    ck_assert_uint_eq(events("9825 2100"), PER_ZERO);
}
END_TEST

/* Registers that hold addresses; in the 31-bit mode 31 bits count. */
START_TEST(zero_register)
{
    u64 *gr = cpu_gr(h.cpu);
    watch(CR9_ZERO, 1, 0);
    gr[2] = DATA;
    gr[3] = 0;
    gr[4] = 0;
    gr[5] = 0;
    ck_assert_uint_eq(events("0e24"), 0); /* mvcl with lengths zero */
    gr[3] = gr[5] = 8;
    ck_assert_uint_eq(events("0e24"), PER_ZERO);
    gr[2] = 0xffffffff80000000ull;
    mask = HARNESS_PSW31 | PSW_PER;
    ck_assert_uint_eq(events("5810 2100"), PER_ZERO);
    mask = HARNESS_PSW64;
    gr[2] = 0;
    ck_assert_uint_eq(events("5810 2100"), 0); /* PER off */
}
END_TEST

/* Together with a storage-alteration event only that one is told; under EXECUTE; not when the
 * instruction is suppressed; not on machines before the zEC12. */
START_TEST(zero_with_others)
{
    u64 *gr = cpu_gr(h.cpu);
    gr[2] = 0;
    gr[3] = DATA;
    watch(CR9_ZERO | CR9_STORE, 0, ~0ull);
    ck_assert_uint_eq(events("5010 2f00"), PER_STORE);
    watch(CR9_ZERO | CR9_STORE, DATA, DATA + 7);
    ck_assert_uint_eq(events("5010 2f00"), PER_ZERO); /* not in the area */
    ck_assert_uint_eq(events("d200 3000 2f00"), PER_STORE);
    watch(CR9_ZERO, 1, 0);
    harness_put(&h, DATA, "5812 0100");
    ck_assert_uint_eq(events("4400 3000"), PER_ZERO);
    gr[2] = 0;
    harness_put(&h, CODE, "4f10 2100"); /* cvb of no number: data exception */
    harness_store(&h, 0x100, 8, ~0ull);
    run();
    ck_assert_uint_eq(pgm_code(), PGM_DATA);
    harness_fini(&h);
    harness_init(&h, "z196", 1);
    harness_store(&h, 0x1d0, 8, HARNESS_PSW64 | PSW_WAIT);
    watch(CR9_ZERO | CR9_KEY, 0, ~0ull);
    ck_assert_uint_eq(events("5810 2100"), 0);
    ck_assert_uint_eq(events("b22b 0023"), 0);
}
END_TEST

/* ---- storage-key alteration ---- */

START_TEST(key_altered)
{
    u64 *gr = cpu_gr(h.cpu);
    watch(CR9_KEY, DATA + 0x800, DATA + 0x900);
    gr[1] = 0x30;
    gr[2] = DATA;
    gr[3] = DATA + 0x1000;
    ck_assert_uint_eq(events("b22b 0012"), PER_KEY); /* sske */
    ck_assert_uint_eq(events("b22b 0013"), 0);       /* the next frame */
    ck_assert_uint_eq(events("b22a 0012"), 0);       /* rrbe */
    ck_assert_uint_eq(events("b22b 6012"), 0);       /* conditional: stays as it is */
    ck_assert_uint_eq(events("b229 0012"), 0);       /* iske */
    gr[1] = 0x20040;
    ck_assert_uint_eq(events("b9af 0012"), PER_KEY); /* pfmf */
    ck_assert_uint_eq(storage_key_get(h.st, DATA), 0x40);
    mask = HARNESS_PSW64;
    ck_assert_uint_eq(events("b9af 0012"), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu_per");
    TCase *t = tcase_create("per");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, breaking_of_branches);
    tcase_add_test(t, breaking_of_odd_target);
    tcase_add_test(t, breaking_of_execute_and_lpswe);
    tcase_add_test(t, breaking_enhancement);
    tcase_add_test(t, fetch_alone);
    tcase_add_test(t, fetch_area);
    tcase_add_test(t, fetch_with_exception);
    tcase_add_test(t, fetch_of_execute);
    tcase_add_test(t, fetch_nullified);
    tcase_add_test(t, branch_taken);
    tcase_add_test(t, store_in_area);
    tcase_add_test(t, store_after_fast_ones);
    tcase_add_test(t, store_not_made);
    tcase_add_test(t, store_by_units);
    tcase_add_test(t, units_of_operation);
    tcase_add_test(t, store_using_real);
    tcase_add_test(t, store_space);
    tcase_add_test(t, with_supervisor_call);
    tcase_add_test(t, with_lpswe);
    tcase_add_test(t, before_external);
    tcase_add_test(t, with_interception);
    tcase_add_test(t, crossing_pages);
    tcase_add_test(t, with_space_switch);
    tcase_add_test(t, zero_base_and_index);
    tcase_add_test(t, zero_register);
    tcase_add_test(t, zero_with_others);
    tcase_add_test(t, key_altered);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
