/* Decimal instructions against exact integers (tests/lib/decimal_model.py): lengths 1 to 16,
 * overlapping operands, invalid digits and signs, overflow masked and not, a page boundary or
 * the end of storage inside an operand. DECIMAL_MODEL_SEED and DECIMAL_MODEL_COUNT ask for
 * others. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/cpu_harness.h"
#include "tests/lib/model.h"

#define SEED_DEFAULT "1"
#define COUNT_DEFAULT "23000"
#define TIMEOUT_S 120
#define WINDOW_BYTES 96u
#define HALF_BYTES 48u
#define PAGE_BOUNDARY (HARNESS_DATA + 0x1000u)
#define LC_DXC 0x93u
#define DXC_BEFORE 0x55u
#define NO_MARK 0x7777u /* offset in general register 1 that only EDMK changes */

struct vector {
    char insn[16];
    char before[2 * WINDOW_BYTES + 1], after[2 * WINDOW_BYTES + 1];
    unsigned mask, ends, cc, cc_after;
    unsigned long g3, g3_after, mark;
    int pgm;
};

static struct cpu_harness h;

static bool parse(const char *line, struct vector *v)
{
    return sscanf(line, "%15s %x %u %u %lx %192s %d %u %lx %lx %192s", v->insn, &v->mask,
                  &v->ends, &v->cc, &v->g3, v->before, &v->pgm, &v->cc_after, &v->g3_after,
                  &v->mark, v->after) == 11;
}

/* Bytes of the window that exist. */
static unsigned there(const struct vector *v)
{
    return v->ends ? HALF_BYTES : WINDOW_BYTES;
}

static u64 window_at(const struct vector *v)
{
    return (v->ends ? HARNESS_STORAGE : PAGE_BOUNDARY) - HALF_BYTES;
}

static void put(struct vector *v)
{
    v->before[2 * there(v)] = v->after[2 * there(v)] = 0;
    harness_put(&h, window_at(v), v->before);
    harness_store(&h, LC_DXC, 1, DXC_BEFORE);
    h.cpu->gr[3] = v->g3;
    h.cpu->gr[5] = window_at(v);
    h.cpu->gr[1] = window_at(v) + NO_MARK;
    u64 mask = HARNESS_PSW64 | (u64)v->cc << PSW_CC_SHIFT | (u64)v->mask << PSW_PM_SHIFT;
    cpu_psw_set(h.cpu, mask, HARNESS_CODE);
}

static void window_get(const struct vector *v, char *text)
{
    u8 bytes[WINDOW_BYTES];
    ck_assert(storage_read(h.st, window_at(v), bytes, there(v)));
    for (unsigned i = 0; i < there(v); i++)
        sprintf(text + 2 * i, "%02x", bytes[i]);
}

static bool agrees(const char *line)
{
    struct vector v = {0};
    char window[2 * WINDOW_BYTES + 1] = "";
    ck_assert_msg(parse(line, &v), "not a vector: %s", line);
    put(&v);
    int pgm = harness_insn(&h, v.insn);
    unsigned cc = harness_cc(&h);
    if (pgm)
        cc = harness_load(&h, 0x150, 8) >> PSW_CC_SHIFT & 3;
    window_get(&v, window);
    u64 dxc = harness_load(&h, LC_DXC, 1);
    if (pgm == v.pgm && cc == v.cc_after && h.cpu->gr[3] == v.g3_after &&
        h.cpu->gr[1] == window_at(&v) + v.mark && !strcmp(window, v.after) &&
        dxc == (pgm == PGM_DATA ? 0 : DXC_BEFORE))
        return true;
    fprintf(stderr, "%s\n before  %s\n wanted  %s pgm %d cc %u g3 %lx\n", v.insn, v.before,
            v.after, v.pgm, v.cc_after, v.g3_after);
    fprintf(stderr, " got     %s pgm %d cc %u g3 %lx dxc %lx\n", window, pgm, cc, h.cpu->gr[3],
            dxc);
    return false;
}

START_TEST(instructions_agree_with_the_model)
{
    harness_init(&h, "max", 1);
    model_compare("decimal_model.py", "DECIMAL_MODEL", SEED_DEFAULT, COUNT_DEFAULT, agrees);
    harness_fini(&h);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu_decimal_model");
    TCase *tc = tcase_create("model");
    tcase_set_timeout(tc, TIMEOUT_S);
    tcase_add_test(tc, instructions_agree_with_the_model);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
