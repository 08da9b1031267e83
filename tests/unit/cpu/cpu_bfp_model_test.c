/* Binary floating-point instructions against an exact model (tests/lib/bfp_model.py): random and
 * boundary operands, every rounding mode, mask and modifier; results, flags, DXC, condition code
 * and what must not change, bit for bit. BFP_MODEL_SEED and BFP_MODEL_COUNT ask for others. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/cpu_harness.h"
#include "tests/lib/model.h"

#define SEED_DEFAULT "1"
#define COUNT_DEFAULT "16000"
#define TIMEOUT_S 120

/* Registers of a vector, in the order of its text. */
struct registers {
    unsigned fpc, cc;
    unsigned long f0, f1, f2, f4, f6, g3;
};

struct vector {
    char insn[16];
    struct registers before, after;
    unsigned long g2, memory[2];
    int pgm;
};

static struct cpu_harness h;

static bool parse(const char *line, struct vector *v)
{
    struct registers *b = &v->before, *a = &v->after;
    return sscanf(line,
                  "%15s %x %x %lx %lx %lx %lx %lx %lx %lx %16lx%16lx"
                  " %d %x %x %lx %lx %lx %lx %lx %lx",
                  v->insn, &b->fpc, &b->cc, &b->f0, &b->f1, &b->f2, &b->f4, &b->f6, &b->g3,
                  &v->g2, &v->memory[0], &v->memory[1], &v->pgm, &a->fpc, &a->cc, &a->f0,
                  &a->f1, &a->f2, &a->f4, &a->f6, &a->g3) == 21;
}

static void put(const struct vector *v)
{
    struct cpu *c = h.cpu;
    c->fpc = v->before.fpc;
    c->vr[0][0] = v->before.f0;
    c->vr[1][0] = v->before.f1;
    c->vr[2][0] = v->before.f2;
    c->vr[4][0] = v->before.f4;
    c->vr[6][0] = v->before.f6;
    c->gr[2] = v->g2;
    c->gr[3] = v->before.g3;
    c->gr[5] = HARNESS_DATA;
    harness_store(&h, HARNESS_DATA, 8, v->memory[0]);
    harness_store(&h, HARNESS_DATA + 8, 8, v->memory[1]);
    cpu_psw_set(c, HARNESS_PSW64 | (u64)v->before.cc << PSW_CC_SHIFT, HARNESS_CODE);
}

/* After a program interruption the condition code is that of the old PSW. */
static struct registers got(int pgm)
{
    struct cpu *c = h.cpu;
    unsigned cc = harness_cc(&h);
    if (pgm)
        cc = harness_load(&h, 0x150, 8) >> PSW_CC_SHIFT & 3;
    return (struct registers){c->fpc,      cc,          c->vr[0][0], c->vr[1][0],
                              c->vr[2][0], c->vr[4][0], c->vr[6][0], c->gr[3]};
}

static void show(const char *what, int pgm, const struct registers *r)
{
    fprintf(stderr, "  %-6s pgm %d fpc %08x cc %u f0 %016lx %016lx f1 %016lx g3 %lx\n", what,
            pgm, r->fpc, r->cc, r->f0, r->f2, r->f1, r->g3);
}

static bool agrees(const char *line)
{
    struct vector v = {0};
    ck_assert_msg(parse(line, &v), "not a vector: %s", line);
    put(&v);
    int pgm = harness_insn(&h, v.insn);
    struct registers r = got(pgm);
    if (pgm == v.pgm && !memcmp(&r, &v.after, sizeof r))
        return true;
    char text[64];
    u8 bytes[6];
    storage_read(h.st, HARNESS_CODE, bytes, sizeof bytes);
    isa_disassemble(bytes, HARNESS_CODE, text, sizeof text);
    fprintf(stderr, "%s\n  %s", text, line);
    show("before", 0, &v.before);
    show("wanted", v.pgm, &v.after);
    show("got", pgm, &r);
    return false;
}

START_TEST(instructions_agree_with_the_model)
{
    harness_init(&h, "max", 1);
    model_compare("bfp_model.py", "BFP_MODEL", SEED_DEFAULT, COUNT_DEFAULT, agrees);
    harness_fini(&h);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu_bfp_model");
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
