/* Bodies of the floating-point instructions: registers and pairs, the FPC, condition codes,
 * suppression and completion of data exceptions, modifiers and what facilities change in them. */
#include <check.h>
#include <stdlib.h>

#include "cpu/bfp/insn_bfp.h"

#define I_TRAP 0x80000000u
#define Z_TRAP 0x40000000u
#define O_TRAP 0x20000000u

static struct cpu *cpu;

static void fresh_cpu(void)
{
    cpu = calloc(1, sizeof *cpu);
    cpu->set = calloc(1, sizeof *cpu->set);
    memset(cpu->set->facilities, 0xff, sizeof cpu->set->facilities);
    cpu->cr[0] = CR0_AFP;
    cpu->amask = ~0ull;
}

static void free_cpu(void)
{
    free(cpu->set);
    free(cpu);
}

static int execute(const char *mnemonic, struct dinsn d)
{
    const struct isa_chapter *chapters[] = {&isa_bfp, &isa_bfp2};
    for (unsigned k = 0; k < 2; k++)
        for (unsigned i = 0; i < chapters[k]->count; i++)
            if (strcmp(chapters[k]->entries[i].mnemonic, mnemonic) == 0)
                return chapters[k]->entries[i].body(cpu, &d);
    ck_abort_msg("no instruction %s", mnemonic);
}

START_TEST(body_results_and_codes)
{
    cpu->vr[1][0] = 0x3ff0000000000000ull;
    cpu->vr[2][0] = 0xc000000000000000ull;
    ck_assert_int_eq(execute("adbr", (struct dinsn){.r1 = 1, .r2 = 2}), 0);
    ck_assert_uint_eq(cpu->vr[1][0], 0xbff0000000000000ull);
    ck_assert_uint_eq(cpu->cc, 1);
    cpu->vr[3][0] = 0x3f80000012345678ull; /* short: the right half stays */
    ck_assert_int_eq(execute("aebr", (struct dinsn){.r1 = 3, .r2 = 3}), 0);
    ck_assert_uint_eq(cpu->vr[3][0], 0x4000000012345678ull);
    ck_assert_uint_eq(cpu->fpc, 0);
    ck_assert_int_eq(execute("axbr", (struct dinsn){.r1 = 2, .r2 = 0}), PGM_SPECIFICATION);
    cpu->vr[4][0] = 0x3fff000000000000ull; /* extended 1 in 4, 6 */
    cpu->vr[6][0] = 1;
    ck_assert_int_eq(execute("axbr", (struct dinsn){.r1 = 4, .r2 = 4}), 0);
    ck_assert_uint_eq(cpu->vr[4][0], 0x4000000000000000ull);
    ck_assert_uint_eq(cpu->vr[6][0], 1);
    ck_assert_uint_eq(cpu->cc, 2);
}
END_TEST

START_TEST(body_suppressed_and_completed)
{
    cpu->fpc = I_TRAP | Z_TRAP | O_TRAP;
    cpu->cc = 3;
    cpu->vr[0][0] = 0x3ff0000000000000ull;
    ck_assert_int_eq(execute("ddbr", (struct dinsn){.r1 = 0, .r2 = 1}), PGM_DATA);
    ck_assert_uint_eq(cpu->dxc, 0x40);
    ck_assert_uint_eq(cpu->vr[0][0], 0x3ff0000000000000ull);
    ck_assert_uint_eq(cpu->cc, 3);
    ck_assert_uint_eq(cpu->fpc, I_TRAP | Z_TRAP | O_TRAP | 0x4000);
    cpu->vr[0][0] = cpu->vr[1][0] = 0x7fe0000000000000ull;
    ck_assert_int_eq(execute("adbr", (struct dinsn){.r1 = 0, .r2 = 1}), PGM_DATA);
    ck_assert_uint_eq(cpu->dxc, 0x20);
    ck_assert_uint_eq(cpu->vr[0][0], 0x1ff0000000000000ull);
    ck_assert_uint_eq(cpu->cc, 2);
    cpu->vr[0][0] = 0x7ff0000000000001ull;
    ck_assert_int_eq(execute("kdbr", (struct dinsn){.r1 = 0, .r2 = 1}), PGM_DATA);
    ck_assert_uint_eq(cpu->dxc, 0x80);
    ck_assert_int_eq(execute("cgdbr", (struct dinsn){.r1 = 7, .r2 = 0, .r3 = 5}), PGM_DATA);
    ck_assert_uint_eq(cpu->gr[7], 0);
}
END_TEST

START_TEST(body_fpc)
{
    cpu->gr[5] = 0xf8fc0073;
    ck_assert_int_eq(execute("sfpc", (struct dinsn){.r1 = 5}), 0);
    ck_assert_uint_eq(cpu->fpc, 0xf8fc0073);
    for (unsigned mode = 4; mode < 7; mode++) {
        cpu->gr[5] = mode;
        ck_assert_int_eq(execute("sfpc", (struct dinsn){.r1 = 5}), PGM_SPECIFICATION);
    }
    cpu->gr[5] = 0x80;
    ck_assert_int_eq(execute("sfpc", (struct dinsn){.r1 = 5}), PGM_SPECIFICATION);
    ck_assert_int_eq(execute("srnmb", (struct dinsn){.b2 = 16, .d2 = 7}), 0);
    ck_assert_uint_eq(cpu->fpc & 7, 7);
    ck_assert_int_eq(execute("srnmb", (struct dinsn){.b2 = 16, .d2 = 5}), PGM_SPECIFICATION);
    ck_assert_int_eq(execute("srnm", (struct dinsn){.b2 = 16, .d2 = 6}), 0);
    ck_assert_uint_eq(cpu->fpc & 7, 2);
    ck_assert_int_eq(execute("srnmt", (struct dinsn){.b2 = 16, .d2 = 5}), 0);
    ck_assert_uint_eq(cpu->fpc & 0xff, 0x52);
    memset(cpu->set->facilities, 0, sizeof cpu->set->facilities); /* no FPE, no DFP */
    cpu->gr[5] = 7;
    ck_assert_int_eq(execute("sfpc", (struct dinsn){.r1 = 5}), PGM_SPECIFICATION);
    cpu->gr[5] = 0x10;
    ck_assert_int_eq(execute("sfpc", (struct dinsn){.r1 = 5}), PGM_SPECIFICATION);
    cpu->gr[5] = 3;
    ck_assert_int_eq(execute("sfpc", (struct dinsn){.r1 = 5}), 0);
    cpu->fpc = 0x00280001; /* overflow and inexact flags, both to be signalled */
    cpu->gr[5] = 0x28000002;
    ck_assert_int_eq(execute("sfasr", (struct dinsn){.r1 = 5}), PGM_DATA);
    ck_assert_uint_eq(cpu->dxc, 0x2b);
    ck_assert_uint_eq(cpu->fpc, 0x28282b02);
}
END_TEST

START_TEST(body_modifiers)
{
    cpu->vr[2][0] = 0x4004000000000000ull; /* 2.5 */
    ck_assert_int_eq(execute("fidbr", (struct dinsn){.r1 = 1, .r2 = 2, .r3 = 1, .b2 = 4}), 0);
    ck_assert_uint_eq(cpu->vr[1][0], 0x4008000000000000ull);
    ck_assert_uint_eq(cpu->fpc, 0);
    ck_assert_int_eq(execute("fidbr", (struct dinsn){.r1 = 1, .r2 = 2, .r3 = 2}),
                     PGM_SPECIFICATION);
    ck_assert_int_eq(execute("fidbr", (struct dinsn){.r1 = 1, .r2 = 2, .r3 = 3}), 0);
    ck_assert_uint_eq(cpu->fpc, FPC_INEXACT);
    cpu->gr[3] = 16777217;
    ck_assert_int_eq(execute("cegbr", (struct dinsn){.r1 = 1, .r2 = 3, .r3 = 6}), 0);
    ck_assert_uint_eq(cpu->vr[1][0] >> 32, 0x4b800001);
    memset(cpu->set->facilities, 0, sizeof cpu->set->facilities);
    ck_assert_int_eq(execute("cegbr", (struct dinsn){.r1 = 1, .r2 = 3, .r3 = 6}), 0);
    ck_assert_uint_eq(cpu->vr[1][0] >> 32, 0x4b800000); /* no M3 there */
    ck_assert_int_eq(execute("fidbr", (struct dinsn){.r1 = 1, .r2 = 2, .r3 = 3}),
                     PGM_SPECIFICATION);
    cpu->fpc = 0;
    ck_assert_int_eq(execute("cgdbr", (struct dinsn){.r1 = 1, .r2 = 2, .r3 = 5}), 0);
    ck_assert_uint_eq(cpu->gr[1], 2);
    ck_assert_uint_eq(cpu->cc, 2);
    ck_assert_uint_eq(cpu->fpc, FPC_INEXACT);
    ck_assert_int_eq(execute("diebr", (struct dinsn){.r1 = 1, .r2 = 1, .r3 = 2}),
                     PGM_SPECIFICATION);
}
END_TEST

START_TEST(body_additional_registers)
{
    cpu->cr[0] = 0;
    ck_assert_int_eq(execute("ldr", (struct dinsn){.r1 = 6, .r2 = 0}), 0);
    ck_assert_int_eq(execute("ldr", (struct dinsn){.r1 = 1, .r2 = 0}), PGM_DATA);
    ck_assert_uint_eq(cpu->dxc, DXC_AFP_REGISTER);
    ck_assert_int_eq(execute("ldr", (struct dinsn){.r1 = 0, .r2 = 8}), PGM_DATA);
    ck_assert_int_eq(execute("lzxr", (struct dinsn){.r1 = 4}), 0);
    ck_assert_int_eq(execute("lgdr", (struct dinsn){.r1 = 9, .r2 = 15}), PGM_DATA);
    ck_assert_int_eq(execute("srnmt", (struct dinsn){.b2 = 16}), PGM_DATA);
    ck_assert_uint_eq(cpu->dxc, DXC_DFP_INSTRUCTION);
}
END_TEST

START_TEST(body_signs)
{
    cpu->vr[1][0] = 0x7ff0000000000001ull;
    cpu->vr[2][0] = 0x8000000000000000ull;
    ck_assert_int_eq(execute("cpsdr", (struct dinsn){.r1 = 0, .r2 = 1, .r3 = 2}), 0);
    ck_assert_uint_eq(cpu->vr[0][0], 0xfff0000000000001ull);
    ck_assert_int_eq(execute("lcdbr", (struct dinsn){.r1 = 0, .r2 = 0}), 0); /* SNaN stays */
    ck_assert_uint_eq(cpu->vr[0][0], 0x7ff0000000000001ull);
    ck_assert_uint_eq(cpu->cc, 3);
    ck_assert_int_eq(execute("ltdbr", (struct dinsn){.r1 = 0, .r2 = 0}), 0);
    ck_assert_uint_eq(cpu->vr[0][0], 0x7ff8000000000001ull);
    ck_assert_uint_eq(cpu->fpc, 0x00800000);
    ck_assert_int_eq(execute("lndbr", (struct dinsn){.r1 = 0, .r2 = 2}), 0);
    ck_assert_uint_eq(cpu->vr[0][0], 1ull << 63);
    ck_assert_uint_eq(cpu->cc, 0);
    cpu->vr[1][0] = 0x4110000000000000ull; /* HFP 1, lengthened */
    ck_assert_int_eq(execute("lxdr", (struct dinsn){.r1 = 4, .r2 = 1}), 0);
    ck_assert_uint_eq(cpu->vr[6][0], 0x3300000000000000ull);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpu_bfp_body");
    TCase *b = tcase_create("bodies");
    tcase_add_checked_fixture(b, fresh_cpu, free_cpu);
    tcase_add_test(b, body_results_and_codes);
    tcase_add_test(b, body_suppressed_and_completed);
    tcase_add_test(b, body_fpc);
    tcase_add_test(b, body_modifiers);
    tcase_add_test(b, body_additional_registers);
    tcase_add_test(b, body_signs);
    suite_add_tcase(s, b);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
