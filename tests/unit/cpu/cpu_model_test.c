/* Processor models: what is offered is what the machine has and is here; facilities stand on the
 * facilities they need, in every list and in every intersection of lists (relocation domains). */
#include <check.h>
#include <stdlib.h>

#include "cpu/model.h"

static unsigned count(void)
{
    unsigned n = 0;
    while (cpu_model_at(n))
        n++;
    return n;
}

START_TEST(models_are_found_by_name_and_type)
{
    ck_assert_str_eq(cpu_model_find("z10")->name, "z10");
    ck_assert_str_eq(cpu_model_find("2817")->name, "z196");
    ck_assert_str_eq(cpu_model_find("Z114")->name, "z114");
    ck_assert_str_eq(cpu_model_find("3931")->name, "z16");
    ck_assert_str_eq(cpu_model_find("Z15t02")->name, "z15T02");
    ck_assert_ptr_null(cpu_model_find("z17"));
    ck_assert_ptr_null(cpu_model_find("z1"));
    ck_assert_ptr_null(cpu_model_find(""));
    for (unsigned i = 0; i < count(); i++)
        ck_assert_ptr_nonnull(strstr(cpu_model_names(), cpu_model_at(i)->name));
}
END_TEST

/* Names and machine types are unique, "max" apart, which borrows one. */
START_TEST(models_differ)
{
    for (unsigned i = 0; i < count(); i++)
        for (unsigned k = 0; k < i; k++) {
            const struct cpu_model *a = cpu_model_at(i), *b = cpu_model_at(k);
            ck_assert_str_ne(a->name, b->name);
            ck_assert(a->machine_type != b->machine_type || a->generation == GEN_MAX);
        }
}
END_TEST

START_TEST(offers_are_of_the_machine_and_here)
{
    u8 offered[FACILITY_BYTES], machine[FACILITY_BYTES], here[FACILITY_BYTES];
    cpu_model_facilities(cpu_model_find("max"), here);
    for (unsigned i = 0; i < count(); i++) {
        const struct cpu_model *m = cpu_model_at(i);
        cpu_model_facilities(m, offered);
        cpu_model_machine_facilities(m, machine);
        for (unsigned b = 0; b < FACILITY_BYTES; b++)
            ck_assert_msg(offered[b] == (machine[b] & here[b]), "%s: byte %u", m->name, b);
    }
}
END_TEST

START_TEST(facilities_have_titles_once)
{
    static const unsigned bits[] = {
#define FAC(id, bit, since, here, title) bit,
#include "cpu/facility.def"
#undef FAC
    };
    for (unsigned i = 0; i < ARRAY_LEN(bits); i++) {
        ck_assert_uint_lt(bits[i], FACILITY_BITS);
        ck_assert(i == 0 || bits[i] > bits[i - 1]);
        ck_assert_ptr_nonnull(facility_title(bits[i]));
    }
    ck_assert_ptr_null(facility_title(255));
}
END_TEST

/* What each generation brought: bits that its machines have and those before have not. */
START_TEST(generations_bring_what_they_brought)
{
    static const struct {
        const char *before, *name;
        u8 bits[8];
    } steps[] = {
        {"z900", "z990", {3, 17, 19, 20, 22}},   {"z990", "z9", {7, 21, 25, 27, 41, 42, 248}},
        {"z9", "z10", {8, 11, 26, 33, 34, 35}},  {"z10", "z196", {14, 36, 37, 45, 47, 52}},
        {"z196", "zEC12", {49, 50, 51, 73, 78}}, {"zEC12", "z13", {53, 80, 129}},
        {"z13", "z14", {58, 130, 133, 134}},     {"z14", "z15", {61, 148, 150, 151}},
        {"z15", "z16", {165, 192, 193, 194}},
    };
    u8 old[FACILITY_BYTES], new[FACILITY_BYTES];
    cpu_model_machine_facilities(cpu_model_find(steps[_i].before), old);
    cpu_model_machine_facilities(cpu_model_find(steps[_i].name), new);
    for (unsigned i = 0; i < ARRAY_LEN(steps[_i].bits) && steps[_i].bits[i]; i++) {
        ck_assert_msg(facility_has(new, steps[_i].bits[i]), "%u", steps[_i].bits[i]);
        ck_assert_msg(!facility_has(old, steps[_i].bits[i]), "%u", steps[_i].bits[i]);
    }
    for (unsigned b = 0; b < FACILITY_BYTES; b++)
        ck_assert_uint_eq(old[b] & ~new[b], 0);
}
END_TEST

static void assert_no_gap(const char *name, const char *other, const u8 *list)
{
    struct facility_gap gap;
    if (facility_gap_find(list, &gap))
        ck_abort_msg("%s%s: facility %u needs %u", name, other, gap.bit, gap.needed);
}

START_TEST(facilities_stand_on_others)
{
    u8 a[FACILITY_BYTES], b[FACILITY_BYTES];
    for (unsigned i = 0; i < count(); i++) {
        cpu_model_machine_facilities(cpu_model_at(i), a);
        assert_no_gap(cpu_model_at(i)->name, " (machine)", a);
        cpu_model_facilities(cpu_model_at(i), a);
        assert_no_gap(cpu_model_at(i)->name, "", a);
        for (unsigned k = 0; k < count(); k++) {
            cpu_model_facilities(cpu_model_at(k), b);
            for (unsigned n = 0; n < FACILITY_BYTES; n++)
                b[n] &= a[n];
            assert_no_gap(cpu_model_at(i)->name, cpu_model_at(k)->name, b);
        }
    }
}
END_TEST

/* A list that somebody made: each row of facility_needs.def is found when it is broken. */
START_TEST(gaps_are_found)
{
    static const struct facility_gap rows[] = {
#define NEEDS(id, needed) {FAC_##id, FAC_##needed},
#include "cpu/facility_needs.def"
#undef NEEDS
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct facility_gap gap;
        u8 list[FACILITY_BYTES];
        memset(list, 0xff, sizeof list);
        ck_assert(!facility_gap_find(list, &gap));
        list[rows[i].needed / 8] &= (u8) ~(0x80u >> rows[i].needed % 8);
        ck_assert(facility_gap_find(list, &gap));
        ck_assert_uint_eq(gap.needed, rows[i].needed);
        memset(list, 0, sizeof list);
        ck_assert(!facility_gap_find(list, &gap));
    }
    u8 list[FACILITY_BYTES] = {[4] = 0x80}; /* CSST without STFLE */
    struct facility_gap gap;
    ck_assert(facility_gap_find(list, &gap));
    ck_assert_uint_eq(gap.bit, FAC_CSST);
    ck_assert_uint_eq(gap.needed, FAC_STFLE);
}
END_TEST

/* The default is the newest of the complete ones; none is complete without its vectors. */
START_TEST(default_is_newest_complete)
{
    const struct cpu_model *d = cpu_model_default();
    ck_assert(cpu_model_complete(d) && d->generation < GEN_MAX);
    ck_assert(cpu_model_offers(d, FAC_Z196)); /* Debian's userland */
    for (unsigned i = 0; i < count(); i++) {
        const struct cpu_model *m = cpu_model_at(i);
        if (m->generation < GEN_MAX)
            ck_assert(m->generation <= d->generation || !cpu_model_complete(m));
        if (m->generation >= GEN_Z13)
            ck_assert(cpu_model_offers(m, FAC_VX) || !cpu_model_complete(m));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu_model");
    TCase *tc = tcase_create("models");
    tcase_add_test(tc, models_are_found_by_name_and_type);
    tcase_add_test(tc, models_differ);
    tcase_add_test(tc, offers_are_of_the_machine_and_here);
    tcase_add_test(tc, facilities_have_titles_once);
    tcase_add_loop_test(tc, generations_bring_what_they_brought, 0, 9);
    tcase_add_test(tc, facilities_stand_on_others);
    tcase_add_test(tc, gaps_are_found);
    tcase_add_test(tc, default_is_newest_complete);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
