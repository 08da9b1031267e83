/* Architecture descriptions: what two members have in common, for every pair of models and levels
 * of CP; what one lacks is named in full; what goes over the wire comes back; what is damaged is
 * refused. Run alone: tests/run unit/hyp_arch_test */
#include <check.h>
#include <stdlib.h>

#include "hyp/arch.h"

#define TAG 7
#define MODELS 21

static struct arch all(unsigned model, unsigned level)
{
    struct arch a;
    arch_of(cpu_model_at(model), level, &a);
    return a;
}

static bool feature(const struct arch *a, unsigned n)
{
    return a->features[n / 8] & 0x80u >> n % 8;
}

/* Every pair of models: order does not matter, both sides have what is left, nothing is lost that
 * both have, the older model is shown, and facilities still stand on those that they need. */
START_TEST(common_of_every_pair)
{
    ck_assert_ptr_null(cpu_model_at(MODELS));
    for (unsigned k = 0; k < MODELS; k++)
        for (unsigned level = 1; level <= CP_LEVEL; level++) {
            struct arch a = all((unsigned)_i, CP_LEVEL), b = all(k, level), ab = a, ba = b;
            struct facility_gap gap;
            arch_common(&ab, &b);
            arch_common(&ba, &a);
            ck_assert(arch_same(&ab, &ba));
            ck_assert(arch_within(&ab, &a) && arch_within(&ab, &b));
            for (unsigned i = 0; i < FACILITY_BITS; i++)
                ck_assert(facility_has(ab.facilities, i) ==
                          (facility_has(a.facilities, i) && facility_has(b.facilities, i)));
            for (unsigned i = 0; i < ARCH_FEATURE_BYTES * 8; i++)
                ck_assert(feature(&ab, i) == (feature(&a, i) && feature(&b, i)));
            ck_assert_ptr_eq(ab.model, cpu_model_at((unsigned)_i < k ? (unsigned)_i : k));
            ck_assert(!facility_gap_find(ab.facilities, &gap));
        }
}
END_TEST

/* Bits named in "13-14, 45; CP: ...": put into `list`. */
static void named(const char *text, u8 *list)
{
    while (*text >= '0' && *text <= '9') {
        char *end;
        unsigned long first = strtoul(text, &end, 10), last = first;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        for (unsigned long i = first; i <= last; i++)
            list[i / 8] |= (u8)(0x80u >> i % 8);
        text = *end == ',' ? end + 2 : end;
    }
}

/* All that is lacking is named, whatever goes on one line. */
START_TEST(what_is_lacking_is_named)
{
    for (unsigned k = 0; k < MODELS; k++)
        for (size_t room = 20; room < 300; room = room * 2 + 1) {
            struct arch a = all((unsigned)_i, CP_LEVEL), b = all(k, CP_LEVEL);
            u8 got[FACILITY_BYTES] = {0};
            char text[300];
            unsigned next = 0;
            do {
                arch_beyond_text(&a, &b, &next, text, room);
                ck_assert_uint_lt(strlen(text), room);
                named(text, got);
            } while (next);
            for (unsigned i = 0; i < FACILITY_BYTES; i++)
                ck_assert_uint_eq(got[i], a.facilities[i] & ~b.facilities[i]);
            ck_assert(arch_within(&a, &b) == !*arch_beyond_text(&a, &b, &next, text, room));
        }
}
END_TEST

START_TEST(text)
{
    struct arch z196 = all(8, CP_LEVEL), z10 = all(6, CP_LEVEL), old = all(6, 1);
    char line[ARCH_TEXT_BYTES];
    unsigned next = 0;
    ck_assert_str_eq(z196.model->name, "z196");
    ck_assert_str_eq(z10.model->name, "z10");
    ck_assert_str_eq(arch_beyond_text(&z196, &z10, &next, line, sizeof line),
                     "13-14, 36-37, 45, 47, 52, 66, 75");
    ck_assert_str_eq(arch_beyond_text(&z10, &z196, &next, line, sizeof line), "");
    arch_beyond_text(&z10, &old, &next, line, sizeof line);
    ck_assert_msg(!strncmp(line, "249; CP: collaborative memory management, ESSA", 46), "%s",
                  line);
    ck_assert_msg(strstr(line, "DIAGNOSE X'250', "), "%s", line);
    ck_assert_uint_eq(next, 0);
}
END_TEST

/* A level of CP is what it brought and all before; functions without a row are always there. */
START_TEST(levels_of_cp)
{
    static const struct {
        u16 code;
        u8 level;
    } codes[] = {{0x08, 1}, {0x250, 2}, {0x44, 1}, {0x26c, 2}, {0x308, 1}};
    for (unsigned level = 1; level <= CP_LEVEL; level++) {
        struct arch a = all(8, level);
        for (size_t i = 0; i < ARRAY_LEN(codes); i++)
            ck_assert(arch_diag(&a, codes[i].code) == (codes[i].level <= level));
        ck_assert(facility_has(a.facilities, FAC_CMM) == (level > 1));
        struct arch newest = all(8, CP_LEVEL);
        ck_assert(arch_within(&a, &newest));
    }
}
END_TEST

static bool read_back(const struct codec_out *out, size_t len, struct arch *to)
{
    struct codec_in in;
    struct codec_row row;
    codec_in_init(&in, out->data, len);
    return codec_next(&in, &row) && row.tag == TAG && arch_get(&row, cpu_model_find("max"), to);
}

START_TEST(over_the_wire)
{
    struct arch a = all((unsigned)_i, 1 + (unsigned)_i % CP_LEVEL), b;
    struct codec_out out;
    codec_out_init(&out);
    arch_put(&out, TAG, &a);
    ck_assert(read_back(&out, out.len, &b));
    ck_assert(arch_same(&a, &b));
    for (size_t n = 0; n < out.len; n++)
        ck_assert(!read_back(&out, n, &b));
    for (size_t bit = 0; bit < out.len * 8; bit++) { /* whatever comes has a model */
        out.data[bit / 8] ^= (u8)(1u << bit % 8);
        if (read_back(&out, out.len, &b))
            ck_assert_ptr_nonnull(b.model);
        out.data[bit / 8] ^= (u8)(1u << bit % 8);
    }
    codec_out_fini(&out);
}
END_TEST

/* Of a newer release: its model is shown as the newest here, its features stay and are named. */
START_TEST(newer_release)
{
    struct cpu_model z99 = *cpu_model_find("z16");
    struct arch a = all(8, CP_LEVEL), b, own = a;
    struct codec_out out;
    char line[64];
    unsigned next = 0;
    strcpy(z99.name, "z99");
    a.model = &z99;
    a.features[ARCH_FEATURE_BYTES - 1] |= 1;
    codec_out_init(&out);
    arch_put(&out, TAG, &a);
    ck_assert(read_back(&out, out.len, &b));
    ck_assert_str_eq(b.model->name, "max");
    ck_assert_str_eq(arch_beyond_text(&b, &own, &next, line, sizeof line), "CP: feature 127");
    arch_common(&b, &own);
    ck_assert(arch_same(&b, &own));
    codec_out_fini(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_arch");
    TCase *tc = tcase_create("descriptions");
    suite_add_tcase(suite, tc);
    tcase_add_loop_test(tc, common_of_every_pair, 0, MODELS);
    tcase_add_loop_test(tc, what_is_lacking_is_named, 0, MODELS);
    tcase_add_test(tc, text);
    tcase_add_test(tc, levels_of_cp);
    tcase_add_loop_test(tc, over_the_wire, 0, MODELS);
    tcase_add_test(tc, newer_release);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
