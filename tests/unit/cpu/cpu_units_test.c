/* Relocated between units of operation: an interruptible instruction, or one that ends with
 * condition code 3 and is branched back to, is executed a unit at a time, and after each the
 * CPU and its storage go to the other of two configurations, by the codec. What comes of it is
 * what comes of it without. PoP chapter 5, "Interruptible Instructions", and the instructions'
 * own descriptions. */
#include <check.h>
#include <stdlib.h>

#include "tests/lib/cpu_harness.h"

#define TO 0x100000u
#define FROM 0x200000u
#define TABLE 0x80000u
#define UNITS_MAX 1000
#define TAG_SET 1
#define LC_PGM_CODE 0x8e

/* `at` 0: the program, until the byte behind it. MVCL and CLCL are interrupted; the others are
 * followed by BRC 1 back to them. */
static const struct units_case {
    const char *name, *hex;
    u64 gr0, gr1, to, to_len, from, from_len;
    bool alike; /* the first operand is the second */
    unsigned units;
} cases[] = {
    {"MVCL", "0e24", 0, 0, TO, 0x50000, FROM, 0x5a040000, false, 4},
    {"CLCL", "0f24", 0, 0, TO, 0x50000, FROM, 0x00050000, true, 4},
    {"MVCLE", "a824004ba714fffe", 0, 0, TO, 0x50000, FROM, 0x40000, false, 4},
    {"CLCLE", "a924004ba714fffe", 0, 0, TO, 0x50000, FROM, 0x50000, true, 4},
    {"MVCLU", "eb24004b008ea714fffd", 0, 0, TO, 0x50000, FROM, 0x40000, false, 4},
    {"CLCLU", "eb24004b008fa714fffd", 0, 0, TO, 0x50000, FROM, 0x50000, true, 4},
    {"CUSE", "b2570024a714fffe", 0x40, 0, TO, 0x50000, FROM, 0x50000, false, 4},
    {"CU12", "b2a70024a714fffe", 0, 0, TO, 0x80000, FROM, 0x38000, false, 2},
    {"TRE", "b2a50024a714fffe", 0xff, 0, TO, 0x50000, TABLE, 0, false, 4},
    {"MVST", "b2550024a714fffe", 0x00, 0, TO, 0, FROM, 0, false, 4},
    {"CLST", "b25d0024a714fffe", 0x00, 0, TO, 0, FROM, 0, true, 4},
    {"SRST", "b25e0024a714fffe", 0x00, 0, FROM + 0x60000, 0, FROM, 0, false, 4},
    {"CKSM", "b2410024a714fffe", 0, 0, 0x77, 0, FROM, 0x50001, false, 4},
};

static struct cpu_harness here, there;

static void setup(void)
{
    harness_init(&here, "max", 1);
    harness_init(&there, "max", 1);
}

static void teardown(void)
{
    harness_fini(&here);
    harness_fini(&there);
}

/* ASCII and digits, the 0 that ends strings at the end. */
static void begin(struct cpu_harness *h, const struct units_case *c)
{
    u8 *base = h->st->base;
    harness_reset(h);
    for (unsigned i = 0; i < 0x60000; i++) {
        base[FROM + i] = (u8)(0x21 + i * 7 % 89);
        base[TO + i] = c->alike ? base[FROM + i] : (u8)(base[FROM + i] ^ 0x80);
    }
    base[FROM + 0x50000] = 0;
    base[TO + 0x50000] = c->alike ? 0 : 1;
    for (unsigned i = 0; i < 256; i++)
        base[TABLE + i] = (u8)(i ^ 0x33);
    u64 *gr = h->cpu->gr;
    gr[0] = c->gr0;
    gr[1] = c->gr1;
    gr[2] = c->to;
    gr[3] = c->to_len;
    gr[4] = c->from;
    gr[5] = c->from_len;
    cpu_psw_set(h->cpu, HARNESS_PSW64, HARNESS_CODE);
    harness_put(h, HARNESS_CODE, c->hex);
}

static u64 behind(const struct units_case *c)
{
    return HARNESS_CODE + strlen(c->hex) / 2;
}

/* CPU and storage of one configuration go to the other, which remembers nothing. */
static void hop(struct cpu_harness *from, struct cpu_harness *to)
{
    struct codec_out out;
    struct codec_in in, block;
    struct codec_row row;
    struct cause cause;
    codec_out_init(&out);
    cpu_set_save(from->set, &out, TAG_SET);
    codec_in_init(&in, out.data, out.len);
    ck_assert(codec_next(&in, &row) && row.tag == TAG_SET && codec_open(&row, &block));
    ck_assert_int_eq(cpu_set_restore(to->set, &block, &cause), ST_OK);
    codec_out_fini(&out);
    memcpy(to->st->base, from->st->base, HARNESS_STORAGE);
    memset(from->st->base, 0xa5, HARNESS_STORAGE);
    memset(from->cpu->gr, 0xa5, sizeof from->cpu->gr);
}

/* Executes to the end, hopping after each step or not; in the end the CPU is in `*at`. Returns
 * how often it hopped in the middle of the instruction. */
static unsigned execute(const struct units_case *c, struct cpu_harness **at, bool hopping)
{
    struct cpu_harness *other = *at == &here ? &there : &here;
    unsigned middle = 0;
    for (unsigned n = 0; harness_psw_addr(*at) != behind(c); n++) {
        ck_assert_uint_lt(n, UNITS_MAX);
        cpu_run((*at)->cpu, 1);
        ck_assert_msg(harness_psw_addr(*at) != HARNESS_PGM, "%s: interruption %llx", c->name,
                      (unsigned long long)harness_load(*at, LC_PGM_CODE, 2));
        if (!hopping)
            continue;
        bool again = harness_psw_addr(*at) == HARNESS_CODE;
        middle += again;
        hop(*at, other);
        struct cpu_harness *was = *at;
        *at = other;
        other = was;
    }
    return middle;
}

START_TEST(hops_between_units)
{
    const struct units_case *c = &cases[_i];
    static u8 storage[HARNESS_STORAGE];
    struct cpu_harness *at = &here;
    u64 gr[16];
    begin(&here, c);
    execute(c, &at, false);
    unsigned cc = harness_cc(at);
    memcpy(gr, at->cpu->gr, sizeof gr);
    memcpy(storage, at->st->base, sizeof storage);
    begin(&here, c);
    unsigned middle = execute(c, &at, true);
    ck_assert_msg(middle >= c->units, "%s: %u hops in the middle", c->name, middle);
    ck_assert_msg(harness_cc(at) == cc && cc != 3, "%s: condition code %u, not %u", c->name,
                  harness_cc(at), cc);
    ck_assert_msg(memcmp(gr, at->cpu->gr, sizeof gr) == 0, "%s: registers", c->name);
    ck_assert_msg(memcmp(storage + TABLE, at->st->base + TABLE, sizeof storage - TABLE) == 0,
                  "%s: storage", c->name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu_units");
    TCase *tc = tcase_create("units");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, hops_between_units, 0, sizeof cases / sizeof *cases);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
