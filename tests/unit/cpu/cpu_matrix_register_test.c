/* The instruction matrix, registers and boundaries: specification exceptions for odd registers of
 * pairs, invalid floating-point pairs, modifiers and operands off their boundary; addresses cut to
 * the addressing mode; one register in two roles does what two registers of equal contents do. */
#include <check.h>
#include <stdio.h>
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

static const char *const field_names[] = {"", "r1", "r2", "r3"};

/* ---- specification exceptions ---- */

/* Numbers that cannot begin a pair: odd general registers; floating-point registers with the
 * third bit from the left one. */
static bool begins_pair(char kind, unsigned number)
{
    return kind == 'e' ? !(number & 1) : !(number & 2);
}

START_TEST(test_pairs)
{
    struct mx_row row;
    for (unsigned i = 0; mx_next(&m, &i, &row);)
        for (unsigned n = 1; n <= 3; n++) {
            char kind = mx_register_kind(&row, n), when[64];
            if ((kind != 'e' && kind != 'x') || mx_excused(&row, "pair"))
                continue;
            for (unsigned number = 0; number < 16; number++) {
                struct mx_case k;
                if (begins_pair(kind, number))
                    continue;
                mx_case_init(&m, &k, &row);
                mx_field_set(&k, field_names[n], number);
                snprintf(when, sizeof when, "r%u = %u", n, number);
                mx_refused(&m, &k, PGM_SPECIFICATION, when);
            }
        }
    ck_assert_uint_eq(m.complaints, 0);
}
END_TEST

START_TEST(test_boundaries)
{
    struct mx_row row;
    for (unsigned i = 0; mx_next(&m, &i, &row);)
        for (unsigned o = 0; o < row.operand_count; o++)
            for (unsigned off = 1; off < row.operand[o].align; off += off < 16 ? 1 : off) {
                struct mx_case k;
                char when[64];
                if (row.operand[o].cut || mx_excused(&row, "align"))
                    continue;
                mx_case_init(&m, &k, &row);
                k.ea[o] += off;
                snprintf(when, sizeof when, "operand %u, %u off its boundary", o + 1, off);
                mx_refused(&m, &k, PGM_SPECIFICATION, when);
            }
    ck_assert_uint_eq(m.complaints, 0);
}
END_TEST

START_TEST(test_modifiers)
{
    struct mx_row row;
    for (unsigned i = 0; mx_next(&m, &i, &row);)
        for (unsigned n = 3; n <= 4; n++) {
            unsigned valid = mx_modifier_valid(&row, n);
            for (unsigned v = 0; valid && v < 16; v++) {
                struct mx_case k;
                struct mx_state s;
                char when[64];
                mx_case_init(&m, &k, &row);
                mx_field_set(&k, n == 4 ? "m4" : mx_has_field(&row, "m3") ? "m3" : "r3", v);
                snprintf(when, sizeof when, "m%u = %u", n, v);
                if (!(valid >> v & 1)) {
                    mx_refused(&m, &k, PGM_SPECIFICATION, when);
                } else {
                    mx_do(&m, &k, &s);
                    if (s.pgm)
                        mx_complain(&m, &row, "%s: program interruption %x", when, s.pgm);
                }
            }
        }
    ck_assert_uint_eq(m.complaints, 0);
}
END_TEST

/* ---- addressing modes ---- */

static bool holds_address(const struct mx_case *k, unsigned r)
{
    for (unsigned i = 0; i < k->row->operand_count; i++)
        if (mx_address_register(k, i) == r)
            return true;
    return mx_field_get(k, "x2") == r && r;
}

/* An address register that held `was`: bits 0-31 stay; those between them and the address stay or
 * become zero; the rest is as with a clean one. */
static bool address_form(const struct mx_case *k, u64 was, u64 is, u64 clean)
{
    u64 mask = mx_amask(k), between = ~mask & 0xffffffff;
    if (((is ^ clean) & mask) || is >> 32 != was >> 32)
        return false;
    return (is & between) == (was & between) || !(is & between);
}

static void compare_dirty(const struct mx_case *k, const struct mx_state *clean,
                          const struct mx_state *dirty, const char *mode)
{
    if (dirty->pgm != clean->pgm || dirty->mask != clean->mask || dirty->addr != clean->addr)
        mx_complain(&m, k->row, "%s, high bits: program interruption %x, PSW %llx %llx", mode,
                    dirty->pgm, (unsigned long long)dirty->mask,
                    (unsigned long long)dirty->addr);
    for (unsigned r = 0; r < 16; r++) {
        u64 is = dirty->gr[r], want = clean->gr[r];
        if (holds_address(k, r) ? !address_form(k, k->gr[r], is, want) : is != want)
            mx_complain(&m, k->row, "%s, high bits: gr%u %llx, clean %llx", mode, r,
                        (unsigned long long)is, (unsigned long long)want);
    }
}

/* Chapter 5, "Address Generation": only the bits of the addressing mode count, in base and index
 * registers and in those that hold addresses. */
START_TEST(test_dirty)
{
    static const struct {
        const char *name;
        u64 mask;
    } modes[] = {{"24-bit", 0}, {"31-bit", PSW_BA}};
    struct mx_row row;
    for (unsigned i = 0; mx_next(&m, &i, &row);)
        for (unsigned n = 0; n < ARRAY_LEN(modes) && !mx_excused(&row, "dirty"); n++) {
            struct mx_case k;
            struct mx_state clean, dirty;
            static u8 after[MX_SEEN];
            mx_case_init(&m, &k, &row);
            k.mask = (k.mask & ~(PSW_EA | PSW_BA)) | modes[n].mask;
            mx_do(&m, &k, &clean);
            mx_storage_get(&m, after);
            k.dirt = 0xfedcba98f6543210ull;
            if (mx_field_get(&k, "x2"))
                k.gr[mx_field_get(&k, "x2")] |= k.dirt & ~mx_amask(&k);
            mx_do(&m, &k, &dirty);
            compare_dirty(&k, &clean, &dirty, modes[n].name);
            if (mx_storage_differs(&m, after) && !mx_excused(&row, "same"))
                mx_complain(&m, &row, "%s, high bits: other storage", modes[n].name);
        }
    ck_assert_uint_eq(m.complaints, 0);
}
END_TEST

/* The modes differ in nothing but addresses and lengths in registers: low halves, condition code
 * and storage are the same. */
static void compare_modes(const struct mx_case *k, const struct mx_state *s,
                          const struct mx_case *wide_k, const struct mx_state *wide)
{
    const char *mode = k->mask & PSW_BA ? "31-bit" : "24-bit";
    if (s->pgm != wide->pgm || s->addr != wide->addr ||
        ((s->mask ^ wide->mask) & 3ull << PSW_CC_SHIFT))
        mx_complain(&m, k->row, "%s mode: program interruption %x, PSW %llx %llx", mode, s->pgm,
                    (unsigned long long)s->mask, (unsigned long long)s->addr);
    for (unsigned r = 0; r < 16; r++) {
        bool unchanged = s->gr[r] == k->gr[r] && wide->gr[r] == wide_k->gr[r];
        if (!unchanged && (u32)s->gr[r] != (u32)wide->gr[r])
            mx_complain(&m, k->row, "%s mode: gr%u %llx, %llx", mode, r,
                        (unsigned long long)s->gr[r], (unsigned long long)wide->gr[r]);
    }
}

START_TEST(test_modes)
{
    static const u64 masks[] = {PSW_BA, 0};
    struct mx_row row;
    for (unsigned i = 0; mx_next(&m, &i, &row);) {
        static u8 after[MX_SEEN];
        struct mx_case k, wide_k;
        struct mx_state s, wide;
        mx_case_init(&m, &wide_k, &row);
        mx_do(&m, &wide_k, &wide);
        mx_storage_get(&m, after);
        for (unsigned n = 0; n < ARRAY_LEN(masks) && !mx_excused(&row, "modes"); n++) {
            mx_case_init(&m, &k, &row);
            k.mask = (k.mask & ~(PSW_EA | PSW_BA)) | masks[n];
            mx_do(&m, &k, &s);
            compare_modes(&k, &s, &wide_k, &wide);
            if (mx_storage_differs(&m, after) && !mx_excused(&row, "same"))
                mx_complain(&m, &row, "mode %u: other storage", n);
        }
    }
    ck_assert_uint_eq(m.complaints, 0);
}
END_TEST

/* ---- one register in two roles ---- */

/* A field that names a register, and how many registers that means. */
struct role {
    const char *name;
    bool floating, address;
    bool range; /* the first of several: which one it is says how many */
    unsigned number, count;
};

static bool names_range(const struct mx_row *row)
{
    for (unsigned i = 0; i < row->operand_count; i++)
        if (row->operand[i].rule == 'R')
            return true;
    return false;
}

static unsigned roles_of(const struct mx_case *k, struct role *roles)
{
    static const char *const bases[] = {"b1", "b2", "b4", "x2"};
    unsigned n = 0;
    for (unsigned i = 1; i <= 3; i++) {
        char kind = mx_register_kind(k->row, i);
        unsigned r = (unsigned)mx_field_get(k, field_names[i]);
        if (!kind || !strchr("gefx", kind) || (i == 3 && names_range(k->row)))
            continue;
        bool floating = kind == 'f' || kind == 'x';
        roles[n++] = (struct role){.name = field_names[i],
                                   .floating = floating,
                                   .address = !floating && holds_address(k, r),
                                   .range = names_range(k->row),
                                   .number = r,
                                   .count = kind == 'e' || kind == 'x' ? 2 : 1};
    }
    for (unsigned i = 0; i < ARRAY_LEN(bases); i++)
        if (mx_field_get(k, bases[i]))
            roles[n++] = (struct role){.name = bases[i],
                                       .address = true,
                                       .number = (unsigned)mx_field_get(k, bases[i]),
                                       .count = 1};
    return n;
}

/* Register `half` of a role: the second of a pair is the next, or the next but one. */
static unsigned member(const struct role *p, unsigned half)
{
    return p->number + half * (p->floating ? 2 : 1);
}

static u64 *file_of(struct mx_case *k, const struct role *p)
{
    return p->floating ? k->fpr : k->gr;
}

static const u64 *results_of(const struct mx_state *s, const struct role *p)
{
    return p->floating ? s->fpr : s->gr;
}

struct alias {
    const struct role *p, *q;
    unsigned half; /* q's first register is p's first or second */
};

/* Registers of both roles get equal contents, those of the role that addresses if one does. */
static void make_equal(struct mx_case *k, const struct alias *a)
{
    u64 *file = file_of(k, a->p);
    for (unsigned i = 0; i < a->q->count && a->half + i < a->p->count; i++) {
        unsigned p = member(a->p, a->half + i), q = member(a->q, i);
        if (a->q->address && !(a->half + i > 0 && a->p->address))
            file[p] = file[q];
        else
            file[q] = file[p];
    }
}

/* What register p should hold after the run with one register for both. */
static bool alias_result(const struct mx_case *k, const struct mx_state *two,
                         const struct alias *a, unsigned p, unsigned q, u64 *want)
{
    u64 was = a->p->floating ? k->fpr[p] : k->gr[p];
    u64 vp = results_of(two, a->p)[p], vq = results_of(two, a->q)[q];
    *want = vp != was ? vp : vq;
    return vp == was || vq == was || vp == vq;
}

static void compare_alias(const struct mx_case *k, const struct mx_state *two,
                          const struct mx_state *one, const struct alias *a, const char *what)
{
    struct mx_state want = *two;
    u64 *file = a->p->floating ? want.fpr : want.gr;
    char text[64];
    for (unsigned i = 0; i < a->q->count && a->half + i < a->p->count; i++) {
        unsigned p = member(a->p, a->half + i), q = member(a->q, i);
        u64 v;
        if (!alias_result(k, two, a, p, q, &v))
            mx_complain(&m, k->row, "%s: both are results", what);
        file[p] = v;
        file[q] = a->p->floating ? k->fpr[q] : k->gr[q];
    }
    if (one->pgm != two->pgm || one->mask != two->mask || one->addr != two->addr)
        mx_complain(&m, k->row, "%s: program interruption %x, PSW %llx %llx; %x, %llx %llx",
                    what, one->pgm, (unsigned long long)one->mask,
                    (unsigned long long)one->addr, two->pgm, (unsigned long long)two->mask,
                    (unsigned long long)two->addr);
    else if (*mx_registers_differ(&want, one, text))
        mx_complain(&m, k->row, "%s: %s", what, text);
}

static void try_alias(const struct mx_row *row, const struct alias *a)
{
    struct mx_case k;
    struct mx_state two, one;
    static u8 after[MX_SEEN];
    char what[64];
    mx_case_init(&m, &k, row);
    mx_link(&k);
    make_equal(&k, a);
    mx_apply(&m, &k);
    mx_run(&m, &k, &two);
    mx_storage_get(&m, after);
    mx_field_set(&k, a->q->name, member(a->p, a->half));
    mx_apply(&m, &k);
    mx_run(&m, &k, &one);
    snprintf(what, sizeof what, "%s = %s%s", a->q->name, a->p->name, a->half ? " + 1" : "");
    compare_alias(&k, &two, &one, a, what);
    memcpy(after + k.ia, m.before + k.ia, 6);
    if (mx_storage_differs(&m, after) && !mx_excused(row, "same"))
        mx_complain(&m, row, "%s: other storage", what);
}

START_TEST(test_alias)
{
    struct mx_row row;
    for (unsigned i = 0; mx_next(&m, &i, &row);) {
        struct role roles[8];
        struct mx_case k;
        mx_case_init(&m, &k, &row);
        unsigned n = mx_excused(&row, "alias") ? 0 : roles_of(&k, roles);
        for (unsigned p = 0; p < n; p++)
            for (unsigned q = 0; q < n; q++)
                for (unsigned half = 0; half < roles[p].count; half++) {
                    struct alias a = {&roles[p], &roles[q], half};
                    if (p != q && !roles[q].range && roles[p].floating == roles[q].floating &&
                        roles[q].count + half <= roles[p].count)
                        try_alias(&row, &a);
                }
    }
    ck_assert_uint_eq(m.complaints, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu_matrix_register");
    TCase *tc = tcase_create("register");
    tcase_add_checked_fixture(tc, create, destroy);
    tcase_add_test(tc, test_pairs);
    tcase_add_test(tc, test_boundaries);
    tcase_add_test(tc, test_modifiers);
    tcase_add_test(tc, test_dirty);
    tcase_add_test(tc, test_modes);
    tcase_add_test(tc, test_alias);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
