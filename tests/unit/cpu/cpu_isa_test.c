/* The instruction table: every row is found and decoded, its disassembly is objdump's, and no
 * model promises a facility without rows. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cpu/cpu_internal.h"

#define VARIANTS 40
#define STRIDE 8
#define REPORTS_MAX 3000
#define ROWS_MAX 2000
#define OBJDUMP "s390x-linux-gnu-objdump"

static const struct isa_chapter *const chapters[] = {
#define CHAPTER(name) &name,
#define I(op, sub, fmt, mn, title, fac, flags)
#include "cpu/isa/isa.def"
#undef I
};

static const struct isa_entry *all[ROWS_MAX];
static unsigned all_count;

static void collect(void)
{
    all_count = 0;
    for (unsigned i = 0; i < ARRAY_LEN(chapters); i++)
        for (unsigned k = 0; k < chapters[i]->count; k++)
            all[all_count++] = &chapters[i]->entries[k];
}

static u32 seed = 1;

static u8 any_byte(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (u8)(seed >> 24);
}

/* Fields that the format does not use are zero, or objdump takes it for something else. */
static void clear_unused(u8 *insn, enum isa_format format)
{
    switch (format) {
    case FMT_RRE_0: insn[3] = 0;     /* fall through */
    case FMT_RRE_1: insn[3] &= 0xf0; /* fall through */
    case FMT_RRE:
    case FMT_IE: insn[2] = 0; break;
    case FMT_RRD: insn[2] &= 0xf0; break;
    case FMT_RXE: insn[4] = 0; break;
    case FMT_RIE_A:
    case FMT_RIE_B:
    case FMT_RRS: insn[4] &= 0xf0; break;
    case FMT_RXF: insn[4] &= 0xf0; break;
    case FMT_RRF: insn[2] &= insn[0] == 0xb3 && insn[1] != 0x72 ? 0xff : 0xf0; break;
    case FMT_SMI: insn[1] &= 0xf0; break;
    case FMT_RSL:
        insn[1] &= 0xf0;
        insn[4] = 0;
        break;
    case FMT_RIE_D:
    case FMT_RIE_E:
    case FMT_RIE_G: insn[4] = 0; break;
    default: break;
    }
    if (format == FMT_RIE_A)
        insn[1] &= 0xf0;
    if (format == FMT_SIY_D)
        insn[1] = 0;
    if (insn[0] == 0xb9 && (insn[1] == 0xb2 || insn[1] == 0xb3))
        insn[2] = 0; /* cu41, cu42 */
    if ((insn[0] >= 0x88 && insn[0] <= 0x8f) || insn[0] == 0x04)
        insn[1] &= 0xf0;
}

static void make(u8 *insn, const struct isa_entry *e)
{
    insn[0] = e->op;
    for (unsigned i = 1; i < 6; i++)
        insn[i] = any_byte();
    if (isa_sub_kind(e->op) == ISA_SUB_BYTE1)
        insn[1] = e->sub;
    clear_unused(insn, (enum isa_format)e->format);
    switch (isa_sub_kind(e->op)) {
    case ISA_SUB_NIBBLE: insn[1] = (u8)((insn[1] & 0xf0) | e->sub); break;
    case ISA_SUB_BYTE1: insn[1] = e->sub; break;
    case ISA_SUB_BYTE5: insn[5] = e->sub; break;
    default: break;
    }
}

START_TEST(every_row_is_found)
{
    collect();
    ck_assert_uint_gt(all_count, 600);
    for (unsigned i = 0; i < all_count; i++) {
        u8 insn[6];
        make(insn, all[i]);
        ck_assert_msg(isa_find(insn) == all[i], "%s is not found", all[i]->mnemonic);
        ck_assert_msg(all[i]->format < FMT_COUNT && all[i]->run && all[i]->body, "%s",
                      all[i]->mnemonic);
        ck_assert_msg(all[i]->sub < 16 || isa_sub_kind(all[i]->op) != ISA_SUB_NIBBLE, "%s",
                      all[i]->mnemonic);
    }
}
END_TEST

START_TEST(unknown_opcodes_are_not_found)
{
    ck_assert_ptr_null(isa_find((const u8[6]){0x00, 0x00}));
    ck_assert_ptr_null(isa_find((const u8[6]){0xb2, 0xfe}));
    ck_assert_ptr_null(isa_find((const u8[6]){0xe3, 0, 0, 0, 0, 0xff}));
}
END_TEST

/* Base and index register 0 are register 16; displacements of 20 bits are signed. */
START_TEST(decoding_fills_fields)
{
    struct dinsn d;
    isa_decode(&d, FMT_RXY, (const u8[6]){0xe3, 0x10, 0x0f, 0xff, 0xff, 0x04});
    ck_assert_int_eq(d.r1, 1);
    ck_assert_int_eq(d.r2, 16);
    ck_assert_int_eq(d.b2, 16);
    ck_assert_int_eq(d.d2, -1);
    isa_decode(&d, FMT_RX, (const u8[6]){0x58, 0x12, 0x3f, 0xff});
    ck_assert_int_eq(d.r2, 2);
    ck_assert_int_eq(d.b2, 3);
    ck_assert_int_eq(d.d2, 0xfff);
    isa_decode(&d, FMT_SS_L, (const u8[6]){0xd2, 0xff, 0x10, 0x02, 0x0f, 0xff});
    ck_assert_int_eq(d.r1, 255);
    ck_assert_int_eq(d.r2, 1);
    ck_assert_int_eq(d.b2, 16);
    ck_assert_int_eq(d.ss.d1, 2);
    ck_assert_int_eq(d.ss.d2, 0xfff);
    isa_decode(&d, FMT_RIE_F, (const u8[6]){0xec, 0x12, 3, 0x85, 6, 0x55});
    ck_assert_int_eq(d.r3, 3);
    ck_assert_int_eq(d.b2, 0x85);
    ck_assert_int_eq(d.imm, 6);
}
END_TEST

/* Text and address of a line of objdump; NULL when it is something else. */
static char *objdump_text(char *line, unsigned *addr)
{
    char *p = strchr(line, ':');
    if (*line != ' ' || !p || sscanf(line, "%x:", addr) != 1)
        return NULL;
    p += strspn(p, ": \t");
    p[strcspn(p, "\n")] = 0;
    for (size_t n = strlen(p); n && (p[n - 1] == ' ' || p[n - 1] == '\t'); n--)
        p[n - 1] = 0;
    return p;
}

/* Each row several times, STRIDE bytes apart; the rest is NOPR 0. */
static unsigned write_sample(const char *path, u8 *image)
{
    unsigned len = all_count * VARIANTS * STRIDE;
    for (unsigned i = 0; i < len; i += 2)
        memcpy(image + i, "\x07\x00", 2);
    for (unsigned i = 0; i < all_count * VARIANTS; i++) {
        u8 insn[6];
        make(insn, all[i % all_count]);
        memcpy(image + i * STRIDE, insn, isa_length(insn[0]));
    }
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(image, 1, len, file), len);
    fclose(file);
    return len;
}

/* Binutils has no names for these. */
static bool unknown_to_objdump(const char *text)
{
    static const char *const names[] = {"chsc\t", "servc\t", "iucv\t", "sthyi\t", "essa\t"};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (!strncmp(text, names[i], strlen(names[i])))
            return true;
    return false;
}

/* objdump 2.40 loses the end of the operand of NOP that has an index and no base. */
static bool cut_short(const char *mine, const char *theirs)
{
    size_t n = strlen(theirs);
    return !strncmp(mine, "nop\t", 4) && !strncmp(mine, theirs, n) &&
           !strcmp(mine + n, ",%r0)");
}

/* Rule for extended mnemonics: the mask is part of the name wherever binutils has a name for it
 * (suffix_all, suffix_compare, put_branch in cpu/disasm.c), else it is an operand. */
START_TEST(disassembly_is_that_of_objdump)
{
    static u8 image[ROWS_MAX * VARIANTS * STRIDE];
    char path[] = "/tmp/isaXXXXXX", command[200], line[300], mine[100];
    unsigned wrong = 0, at, seen = 0;
    ck_assert_msg(system("command -v " OBJDUMP " > /dev/null 2>&1") == 0, "no " OBJDUMP);
    collect();
    close(mkstemp(path));
    unsigned len = write_sample(path, image);
    snprintf(command, sizeof command,
             OBJDUMP " -D -z -b binary -m s390:64-bit --no-show-raw-insn %s", path);
    FILE *pipe = popen(command, "r");
    while (fgets(line, sizeof line, pipe)) {
        char *theirs = objdump_text(line, &at);
        if (!theirs || at % STRIDE || at >= len)
            continue;
        seen++;
        isa_disassemble(image + at, at, mine, sizeof mine);
        if (!strncmp(theirs, ".long", 5) && unknown_to_objdump(mine))
            continue;
        if (cut_short(mine, theirs))
            continue;
        if (strcmp(mine, theirs) != 0 && wrong++ < REPORTS_MAX)
            fprintf(stderr, "%02x%02x..%02x: %s -- objdump: %s\n", image[at], image[at + 1],
                    image[at + 5], mine, theirs);
    }
    pclose(pipe);
    unlink(path);
    ck_assert_uint_eq(seen, all_count * VARIANTS);
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

static bool has_row(unsigned facility)
{
    for (unsigned i = 0; i < all_count; i++)
        if (all[i]->facility == facility)
            return true;
    return false;
}

/* Facilities made of instructions; the others are functions of existing ones. */
START_TEST(models_promise_what_is_there)
{
    static const unsigned of_instructions[] = {
        FAC_IDTE,  FAC_STFLE, FAC_ETF2, FAC_LD,  FAC_EI,   FAC_ETF3,    FAC_STCKF, FAC_PARSE,
        FAC_MVCOS, FAC_ECPUT, FAC_CSST, FAC_GIE, FAC_XE,   FAC_SETPROG, FAC_FPSE,  FAC_FPE,
        FAC_Z196,  FAC_DFP,   FAC_PFPO, FAC_MSA, FAC_MSA3, FAC_MSA4,    FAC_HFPMA, FAC_ZEC12};
    collect();
    for (unsigned m = 0; cpu_model_at(m); m++)
        for (unsigned i = 0; i < ARRAY_LEN(of_instructions); i++)
            if (cpu_model_offers(cpu_model_at(m), of_instructions[i]))
                ck_assert_msg(has_row(of_instructions[i]), "%s: facility %u",
                              cpu_model_at(m)->name, of_instructions[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu_isa");
    TCase *tc = tcase_create("isa");
    tcase_add_test(tc, every_row_is_found);
    tcase_add_test(tc, unknown_opcodes_are_not_found);
    tcase_add_test(tc, decoding_fills_fields);
    tcase_add_test(tc, disassembly_is_that_of_objdump);
    tcase_add_test(tc, models_promise_what_is_there);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
