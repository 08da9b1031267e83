/* Code memory and what it was made from: never writable and executable at once, bounded, given up
 * as a whole when full; stores into code, by the code itself, from other pages and other CPUs, and
 * into data beside it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/jit/jit_internal.h"
#include "tests/lib/cpu_harness.h"

#define BUDGET 4000
#define SMALL_BYTES (JIT_REGION_BYTES_MAX + (16u << 10))
#define PAGE 0x1000u

static struct cpu_harness h;

static void setup_engine(enum cpu_engine engine)
{
    harness_init(&h, "zEC12", 2);
    if (jit_supported())
        ck_assert_int_eq(cpu_set_engine(h.set, engine, NULL), ST_OK);
}

static void setup(void)
{
    setup_engine(CPU_ENGINE_JIT_FIRST);
}

static void teardown(void)
{
    harness_fini(&h);
}

static struct cpu_engine_stats figures(void)
{
    struct cpu_engine_stats s;
    cpu_engine_stats(h.set, &s);
    return s;
}

static void run_cpu(struct cpu *c, u64 addr)
{
    cpu_psw_set(c, HARNESS_PSW64, addr);
    cpu_start(c);
    ck_assert_int_eq(cpu_run(c, BUDGET), CPU_EXIT_BUDGET);
}

static void run(u64 addr)
{
    run_cpu(h.cpu, addr);
}

/* [J3] No mapping of the process is writable and executable; ours are one of each kind. */
START_TEST(never_both)
{
    char line[512], rights[5];
    unsigned views = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof line, maps)) {
        ck_assert_int_eq(sscanf(line, "%*s %4s", rights), 1);
        ck_assert_msg(rights[1] != 'w' || rights[2] != 'x', "%s", line);
        views += strstr(line, "/dev/zero (deleted)") != NULL;
    }
    fclose(maps);
    if (jit_supported())
        ck_assert_uint_eq(views, 2 * 2); /* of two CPUs */
}
END_TEST

enum { PAGES = 24, INSNS = 200 };

/* Code that goes through many pages and counts what it does. */
static void many_pages_put(void)
{
    for (unsigned p = 0; p < PAGES; p++) { /* AHI 2,1; ST 2,0(3); XR 4,4 and so on; the next */
        u64 at = HARNESS_CODE + p * 2 * PAGE;
        for (unsigned i = 0; i < INSNS; i++)
            harness_put(&h, at + 10 * i, "a72a0001 50203000 1744");
        harness_put(&h, at + 2000, p + 1 < PAGES ? "c0f400000c18" : "07fe");
    }
    harness_put(&h, 0x7f000,
                "0d50 0de6 a716ffff a7f40000"); /* BASR 5,0; BASR 14,6; BRCT 1; J */
}

static void many_pages_run(void)
{
    cpu_gr(h.cpu)[6] = HARNESS_CODE;
    cpu_gr(h.cpu)[1] = 1;
    cpu_gr(h.cpu)[2] = 0;
    cpu_gr(h.cpu)[3] = 0x80000;
    cpu_psw_set(h.cpu, HARNESS_PSW64, 0x7f000);
    ck_assert_int_eq(cpu_run(h.cpu, 20000), CPU_EXIT_BUDGET);
    ck_assert_uint_eq(harness_load(&h, 0x80000, 4), PAGES * INSNS);
}

/* Code memory of two regions' room: many pages of code flush it again and again, and compute
 * what they should. */
START_TEST(bounded)
{
    if (!jit_supported())
        return;
    size_t bytes = h.cpu->jit->bytes;
    struct jit *j = h.cpu->jit;
    j->hot_end = j->cold_used = SMALL_BYTES;
    j->bytes = 2 * SMALL_BYTES;
    many_pages_put();
    for (unsigned r = 0; r < 40; r++)
        many_pages_run();
    struct cpu_engine_stats s = figures();
    ck_assert_uint_gt(s.regions, PAGES);
    ck_assert_uint_gt(s.flushes, 2);
    ck_assert_uint_le(j->used, SMALL_BYTES);
    ck_assert_uint_le(j->cold_used, j->bytes);
    j->bytes = bytes;
}
END_TEST

/* Bytes that are not zero in the whole pages of code memory behind the common code. */
static size_t in_code_memory(void)
{
    const struct jit *j = h.cpu->jit;
    size_t n = 0;
    size_t from = (j->floor + PAGE - 1) & ~(size_t)(PAGE - 1);
    for (size_t i = from; i < (j->used & ~(size_t)(PAGE - 1)); i++)
        n += j->rw[i] != 0;
    return n;
}

/* What was trimmed is made again when it is executed, as it was; a store into what was trimmed is
 * seen; the memory has gone back. */
START_TEST(trimmed)
{
    many_pages_put();
    for (unsigned k = 0; k < 3; k++) {
        for (unsigned r = 0; r < 3; r++)
            many_pages_run();
        struct cpu_engine_stats before = figures();
        size_t used = h.cpu->jit ? h.cpu->jit->used : 0;
        if (used)
            ck_assert_uint_gt(in_code_memory(), PAGE);
        cpu_trim(h.cpu);
        if (used) {
            h.cpu->jit->used = used; /* all of it is looked at */
            ck_assert_uint_eq(in_code_memory(), 0);
            h.cpu->jit->used = h.cpu->jit->floor;
        }
        many_pages_run();
        if (used)
            ck_assert_uint_ge(figures().regions, before.regions + PAGES);
    }
    cpu_trim(h.cpu);
    harness_put(&h, HARNESS_CODE, "a72a0002"); /* AHI 2,2, in storage only */
    cpu_gr(h.cpu)[6] = HARNESS_CODE;
    cpu_gr(h.cpu)[1] = 1;
    cpu_gr(h.cpu)[2] = 0;
    cpu_psw_set(h.cpu, HARNESS_PSW64, 0x7f000);
    ck_assert_int_eq(cpu_run(h.cpu, 20000), CPU_EXIT_BUDGET);
    ck_assert_uint_eq(harness_load(&h, 0x80000, 4), PAGES * INSNS + 1);
}
END_TEST

/* A store into the instruction behind it takes effect at once, though both are of one region. */
START_TEST(next_instruction)
{
    /* MVHHI 6(3),X'0009': the immediate of the LHI 2,1 behind it; J here */
    harness_put(&h, HARNESS_CODE, "e54430080009 a7280001 a7f40000");
    cpu_gr(h.cpu)[3] = HARNESS_CODE;
    run(HARNESS_CODE);
    ck_assert_uint_eq(cpu_gr(h.cpu)[2], 9);
}
END_TEST

/* A loop that changes an immediate of its own on each round. */
START_TEST(running_region)
{
    /* LHI 1,10; loop: LHI 2,0; AR 4,2; STH 1,6(3) (into LHI 2,...); BRCT 1,loop; J here */
    harness_put(&h, HARNESS_CODE, "a718000a a7280000 1a42 40103006 a716fffb a7f40000");
    cpu_gr(h.cpu)[3] = HARNESS_CODE;
    run(HARNESS_CODE);
    ck_assert_uint_eq((u32)cpu_gr(h.cpu)[4], 10 + 9 + 8 + 7 + 6 + 5 + 4 + 3 + 2);
}
END_TEST

/* Code of one page stores into another page's region, which runs before and after. */
START_TEST(other_page)
{
    harness_put(&h, HARNESS_CODE + PAGE, "a7280001 1a42 07fe"); /* LHI 2,1; AR 4,2; BR 14 */
    /* BASR 14,6; MVHHI 2(6),7; BASR 14,6; J here */
    harness_put(&h, HARNESS_CODE, "0de6 e54460020007 0de6 a7f40000");
    cpu_gr(h.cpu)[6] = HARNESS_CODE + PAGE;
    run(HARNESS_CODE);
    ck_assert_uint_eq((u32)cpu_gr(h.cpu)[4], 1 + 7);
    if (jit_supported())
        ck_assert_uint_ge(figures().invalidated, 1);
}
END_TEST

/* Another CPU stores into what this one has translated. */
START_TEST(other_cpu)
{
    struct cpu *other = cpu_set_get(h.set, 1);
    harness_put(&h, HARNESS_CODE, "a7280001 1a42 a7f40000");
    run(HARNESS_CODE);
    ck_assert_uint_eq((u32)cpu_gr(h.cpu)[4], 1);
    harness_put(&h, 0x40000, "e54430020007 a7f40000"); /* MVHHI 2(3),7 */
    cpu_gr(other)[3] = HARNESS_CODE;
    run_cpu(other, 0x40000);
    run(HARNESS_CODE);
    ck_assert_uint_eq((u32)cpu_gr(h.cpu)[4], 1 + 7);
}
END_TEST

/* Data on the page of the code, apart from it: stores void nothing, and one translation is made
 * anew, once, since its base register has no use for an anchor. */
START_TEST(data_beside_code)
{
    /* LHI 1,500; loop: ST 1,X'800'(3); BRCT 1,loop; J here */
    harness_put(&h, HARNESS_CODE, "a71801f4 50103800 a716fffe a7f40000");
    cpu_gr(h.cpu)[3] = HARNESS_CODE;
    run(HARNESS_CODE);
    ck_assert_uint_eq(harness_load(&h, HARNESS_CODE + 0x800, 4), 1);
    struct cpu_engine_stats s = figures();
    ck_assert_uint_eq(s.invalidated, 0);
    ck_assert_uint_le(s.regions, 4);
}
END_TEST

/* The engine that translates what was executed, at the second time. */
static void second_time(void)
{
    teardown();
    setup_engine(CPU_ENGINE_JIT);
    memset(h.cpu->heat, 1, JIT_HEAT_ENTRIES);
}

/* A path ends where another translation begins: what both lead to is translated once. */
START_TEST(other_translation)
{
    enum { BEFORE = 32 };
    if (!jit_supported())
        return;
    second_time();
    u64 second = HARNESS_CODE + 2 * BEFORE;
    for (unsigned i = 0; i < BEFORE; i++)
        harness_put(&h, HARNESS_CODE + 2 * i, "1a42"); /* AR 4,2 */
    harness_put(&h, second, "1a52 a7f40000");          /* AR 5,2; J here */
    cpu_gr(h.cpu)[2] = 1;
    for (unsigned k = 0; k < 2; k++) /* decoded, then translated */
        run(second);
    ck_assert_uint_eq(h.cpu->jit->stats.ends[JIT_TRANSLATED], 0);
    for (unsigned k = 0; k < 3; k++)
        run(HARNESS_CODE);
    ck_assert_uint_eq(h.cpu->jit->stats.ends[JIT_TRANSLATED], 1);
    ck_assert_uint_eq((u32)cpu_gr(h.cpu)[4], 3 * BEFORE);
    ck_assert_uint_eq((u32)cpu_gr(h.cpu)[5], 2 + 3);
}
END_TEST

/* A budget that is spent in a loop ends at the loop's head, also where a branch inside is taken at
 * every other round: no region begins at its target. */
START_TEST(spent_in_loop)
{
    if (!jit_supported())
        return;
    teardown();
    setup_engine(CPU_ENGINE_JIT);
    /* loop: AHI 2,1; TMLL 2,1; JE skip; AHI 3,1; skip: AHI 5,1; J loop */
    harness_put(&h, HARNESS_CODE, "a72a0001 a7210001 a7840004 a73a0001 a75a0001 a7f4fff6");
    cpu_psw_set(h.cpu, HARNESS_PSW64, HARNESS_CODE);
    cpu_start(h.cpu);
    ck_assert_int_eq(cpu_run(h.cpu, 4000000), CPU_EXIT_BUDGET);
    const struct jit *j = h.cpu->jit;
    ck_assert_uint_ge(j->region_count, 1);
    for (unsigned k = 0; k < j->region_count; k++)
        ck_assert_uint_eq(j->regions[k].entry, (HARNESS_CODE & (FRAME_BYTES - 1)) / 2);
}
END_TEST

/* Put what is at two places into translated code, each into a region of its own. */
static void translate_both(u64 first, u64 second)
{
    for (unsigned k = 0; k < 2; k++)
        run(second);
    for (unsigned k = 0; k < 3; k++)
        run(first);
    ck_assert_uint_ge(figures().links, 1);
    cpu_gr(h.cpu)[4] = cpu_gr(h.cpu)[5] = 0;
}

/* A region that leads straight into another goes to what is there now: changed code, code that
 * was translated again, and back. */
static void changes(u64 first, u64 second)
{
    harness_put(&h, second, "1a52 a7f40000"); /* AR 5,2; J here */
    cpu_gr(h.cpu)[2] = 1;
    translate_both(first, second);
    run(first);
    ck_assert_uint_eq((u32)cpu_gr(h.cpu)[5], 1);
    harness_put(&h, 0x40000, "d20130004000 a7f40000"); /* MVC 0(2,3),0(4) */
    harness_put(&h, 0x41000, "1b52 1a52");             /* SR 5,2; AR 5,2 */
    for (unsigned k = 0; k < 4; k++) {
        cpu_gr(h.cpu)[3] = second;
        cpu_gr(h.cpu)[4] = 0x41000 + (k & 1) * 2;
        run(0x40000);
        u64 links = figures().links;
        for (unsigned n = 0; n < 4; n++) {
            cpu_gr(h.cpu)[5] = 0;
            run(first);
            ck_assert_int_eq((s32)cpu_gr(h.cpu)[5], k & 1 ? 1 : -1);
        }
        ck_assert_uint_gt(figures().links, links);
    }
}

START_TEST(linked_in_page)
{
    if (!jit_supported())
        return;
    second_time();
    for (unsigned i = 0; i < 32; i++)
        harness_put(&h, HARNESS_CODE + 2 * i, "1a62"); /* AR 6,2 */
    changes(HARNESS_CODE, HARNESS_CODE + 64);
    ck_assert_uint_gt(figures().invalidated, 0);
}
END_TEST

START_TEST(linked_to_other_page)
{
    if (!jit_supported())
        return;
    second_time();
    harness_put(&h, HARNESS_CODE, "1a62 a7f407ff"); /* AR 6,2; J to the next page */
    changes(HARNESS_CODE, HARNESS_CODE + PAGE);
    ck_assert_uint_gt(figures().invalidated, 0);
}
END_TEST

/* Go to HARNESS_CODE + `at` by a branch, `rounds` for the loop there; what gr 4 was made. */
static s32 branch_to(u64 at, unsigned rounds)
{
    cpu_gr(h.cpu)[1] = rounds;
    cpu_gr(h.cpu)[4] = 0;
    cpu_gr(h.cpu)[6] = HARNESS_CODE + at;
    run(0x40000);
    return (s32)cpu_gr(h.cpu)[4];
}

/* A place inside a region that turns hot is entered there, by registers that only memory knows;
 * what is stored into the region ends that, too. */
START_TEST(entered_in_the_middle)
{
    if (!jit_supported())
        return;
    second_time();
    /* LHI 2,1; loop: AR 4,2; BRCT 1,loop; J here */
    harness_put(&h, HARNESS_CODE, "a7280001 1a42 a716ffff a7f40000");
    harness_put(&h, 0x40000, "07f6");
    harness_put(&h, 0x41000, "d20130004000 a7f40000"); /* MVC 0(2,3),0(4) */
    harness_put(&h, 0x42000, "1b42");                  /* SR 4,2 */
    for (unsigned k = 0; k < 4; k++)
        ck_assert_int_eq(branch_to(0, 1), 1);
    struct cpu_engine_stats s = figures();
    cpu_gr(h.cpu)[2] = 5;
    for (unsigned k = 0; k < 4; k++)
        ck_assert_int_eq(branch_to(4, 3), 15);
    ck_assert_uint_eq(figures().regions, s.regions);
    ck_assert_uint_eq(figures().ways_in, s.ways_in + 1);
    cpu_gr(h.cpu)[3] = HARNESS_CODE + 4;
    cpu_gr(h.cpu)[4] = 0x42000;
    run(0x41000);
    for (unsigned k = 0; k < 4; k++)
        ck_assert_int_eq(branch_to(4, 3), -15);
    for (unsigned k = 0; k < 4; k++)
        ck_assert_int_eq(branch_to(0, 2), -2);
}
END_TEST

static Suite *memory_suite(void)
{
    Suite *s = suite_create("jit_memory");
    TCase *t = tcase_create("memory");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, never_both);
    tcase_add_test(t, bounded);
    tcase_add_test(t, trimmed);
    tcase_add_test(t, next_instruction);
    tcase_add_test(t, running_region);
    tcase_add_test(t, other_page);
    tcase_add_test(t, other_cpu);
    tcase_add_test(t, data_beside_code);
    tcase_add_test(t, other_translation);
    tcase_add_test(t, spent_in_loop);
    tcase_add_test(t, linked_in_page);
    tcase_add_test(t, linked_to_other_page);
    tcase_add_test(t, entered_in_the_middle);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    SRunner *r = srunner_create(memory_suite());
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
