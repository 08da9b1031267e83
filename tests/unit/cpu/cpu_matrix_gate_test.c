/* The instruction matrix, who may execute what: each row of the instruction tables completes in
 * its set-up (tests/lib/operand.def); it is an operation exception on every model without its
 * facility, directly and under EXECUTE; a privileged one in the problem state; needs AFP
 * registers if it is of floating point; and does the same as the target of EXECUTE. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/matrix.h"

static struct matrix m;

static void create(void)
{
    mx_create(&m);
}

static void destroy(void)
{
    mx_destroy(&m);
}

/* Program-interruption code that the set-up ends in: P=13. */
static unsigned expected_pgm(const struct mx_row *row)
{
    const char *p = strstr(row->setup, "P=");
    return p ? (unsigned)strtoul(p + 2, NULL, 16) : 0;
}

START_TEST(test_completes)
{
    struct mx_row row;
    for (unsigned i = 0; mx_next(&m, &i, &row);) {
        struct mx_case k;
        struct mx_state s;
        mx_case_init(&m, &k, &row);
        if (!mx_do(&m, &k, &s))
            mx_complain(&m, &row, "operands cannot be linked");
        else if (s.pgm != expected_pgm(&row))
            mx_complain(&m, &row, "program interruption %x, not %x", s.pgm, expected_pgm(&row));
        else if (s.intercepted != ((row.flags & IF_ICPT) != 0))
            mx_complain(&m, &row, "interception: %d", s.intercepted);
    }
    if (m.engine != CPU_ENGINE_INTERP) /* else it shows nothing of translated code */
        ck_assert_uint_eq(m.not_translated, 0);
    ck_assert_uint_eq(m.complaints, 0);
}
END_TEST

/* Facilities, "Facility Indications": an instruction of one that is not there is an operation
 * exception, which comes before all others (privileged operation too). */
START_TEST(test_operation)
{
    for (unsigned i = 0; i < mx_row_count(); i++) {
        struct mx_row row;
        struct mx_case k;
        mx_row_get(i, &row);
        for (unsigned at = 0; cpu_model_at(at); at++) {
            u8 list[FACILITY_BYTES];
            cpu_model_facilities(cpu_model_at(at), list);
            if (facility_has(list, row.facility))
                continue;
            cpu_set_facilities(m.set, list);
            mx_case_init(&m, &k, &row);
            k.mask |= PSW_PROB;
            for (k.execute = 0; k.execute <= 2; k.execute++)
                if (k.execute < 2 || facility_has(list, FAC_XE))
                    mx_refused(&m, &k, PGM_OPERATION, cpu_model_at(at)->name);
        }
    }
    ck_assert_uint_eq(m.complaints, 0);
}
END_TEST

/* Chapter 6, "Privileged-Operation Exception"; the semiprivileged ones without authority. */
START_TEST(test_privileged)
{
    struct mx_row row;
    for (unsigned i = 0; mx_next(&m, &i, &row);) {
        struct mx_case k;
        mx_case_init(&m, &k, &row);
        k.mask |= PSW_PROB;
        k.cr[0] &= ~CR0_EXTRACT_AUTH;
        k.cr[3] = 0; /* PSW-key mask */
        if (!(row.flags & IF_PRIV) && !mx_says(&row, "semiprivileged"))
            continue;
        for (k.execute = 0; k.execute <= 2; k.execute++)
            mx_refused(&m, &k, PGM_PRIVILEGED, "problem state");
    }
    ck_assert_uint_eq(m.complaints, 0);
}
END_TEST

/* ... and all others do in the problem state what they do in the supervisor state. */
START_TEST(test_problem_state)
{
    struct mx_row row;
    for (unsigned i = 0; mx_next(&m, &i, &row);) {
        struct mx_case k;
        struct mx_state super, problem;
        char text[64];
        u8 after[MX_SEEN];
        if ((row.flags & IF_PRIV) || mx_says(&row, "semiprivileged"))
            continue;
        mx_case_init(&m, &k, &row);
        mx_do(&m, &k, &super);
        mx_storage_get(&m, after);
        k.mask |= PSW_PROB;
        mx_do(&m, &k, &problem);
        if (mx_excused(&row, "problem") || mx_excused(&row, "same"))
            continue;
        if (super.pgm != problem.pgm || super.addr != problem.addr)
            mx_complain(&m, &row, "problem state: program interruption %x", problem.pgm);
        else if (super.mask != (problem.mask & ~PSW_PROB))
            mx_complain(&m, &row, "problem state: another PSW mask");
        else if (*mx_registers_differ(&super, &problem, text))
            mx_complain(&m, &row, "problem state: %s", text);
        else if (mx_storage_differs(&m, after))
            mx_complain(&m, &row, "problem state: other storage");
    }
    ck_assert_uint_eq(m.complaints, 0);
}
END_TEST

/* Chapter 9, "AFP-Register-Control Bit": data exception with DXC 2 for BFP instructions, DXC 1
 * for others that designate a register other than 0, 2, 4, 6. */
START_TEST(test_afp)
{
    struct mx_row row;
    for (unsigned i = 0; mx_next(&m, &i, &row);) {
        struct mx_case k;
        mx_case_init(&m, &k, &row);
        k.cr[0] &= ~CR0_AFP;
        bool floating = false;
        for (unsigned n = 1; n <= 3; n++)
            floating |= mx_register_kind(&row, n) == 'f' || mx_register_kind(&row, n) == 'x';
        if (!(row.flags & IF_BFP) && !floating)
            continue;
        mx_refused(&m, &k, PGM_DATA, "AFP registers off");
        unsigned dxc = mx_get(&m, 0x90) >> 32 & 0xff;
        if (dxc != (row.flags & IF_BFP ? 2 : 1))
            mx_complain(&m, &row, "DXC %x", dxc);
    }
    ck_assert_uint_eq(m.complaints, 0);
}
END_TEST

/* What the target of EXECUTE should have come to: `direct`, but for where it goes on. */
static void expect_executed(const struct mx_case *k, struct mx_state *direct)
{
    u64 behind = k->ia + k->row->length, next = MX_EXECUTE + mx_length(k);
    if (mx_says(k->row, "links"))
        direct->gr[mx_field_get(k, "r1")] += next - behind;
    direct->addr = direct->addr == behind  ? next
                   : direct->addr == k->ia ? MX_EXECUTE
                                           : direct->addr;
}

static void compare_executed(struct mx_case *k, struct mx_state direct, u8 *storage)
{
    struct mx_state s;
    char text[64];
    mx_do(&m, k, &s);
    expect_executed(k, &direct);
    memcpy(storage + MX_CODE, m.before + MX_CODE, FRAME_BYTES);
    if (s.pgm != direct.pgm || s.addr != direct.addr || s.mask != direct.mask)
        mx_complain(&m, k->row, "EXECUTE: program interruption %x, PSW %llx, not %llx", s.pgm,
                    (unsigned long long)s.addr, (unsigned long long)direct.addr);
    else if (*mx_registers_differ(&direct, &s, text))
        mx_complain(&m, k->row, "EXECUTE: %s", text);
    else if (mx_storage_differs(&m, storage))
        mx_complain(&m, k->row, "EXECUTE: other storage");
}

/* Chapter 7, EXECUTE: the target does what it does elsewhere; the target of EXECUTE or EXECUTE
 * RELATIVE LONG must be neither. */
START_TEST(test_execute)
{
    struct mx_row row;
    for (unsigned i = 0; mx_next(&m, &i, &row);) {
        struct mx_case k;
        struct mx_state direct;
        u8 after[MX_SEEN];
        mx_case_init(&m, &k, &row);
        mx_do(&m, &k, &direct);
        mx_storage_get(&m, after);
        for (k.execute = 1; k.execute <= 2; k.execute++)
            if (mx_excused(&row, "target"))
                mx_refused(&m, &k, PGM_EXECUTE, "as target");
            else if (!mx_excused(&row, "same"))
                compare_executed(&k, direct, after);
    }
    ck_assert_uint_eq(m.complaints, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu_matrix_gate");
    TCase *tc = tcase_create("gate");
    tcase_add_checked_fixture(tc, create, destroy);
    tcase_add_test(tc, test_completes);
    tcase_add_test(tc, test_operation);
    tcase_add_test(tc, test_privileged);
    tcase_add_test(tc, test_problem_state);
    tcase_add_test(tc, test_afp);
    tcase_add_test(tc, test_execute);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
