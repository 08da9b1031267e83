/* Every row that the translator lowers does what its body does: random registers, storage and
 * condition codes, interpreted and translated, alone and among other instructions, with operands
 * that cross pages, are missing, protected, or code. JIT_LOWER_SEQUENCES=n tries more sequences a
 * row, JIT_LOWER_ROW=mnemonic one row alone. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/jit/jit_internal.h"
#include "tests/lib/jit_twins.h"

#define SEQUENCES 40 /* a row */
#define STATES 10    /* a sequence */
#define REPORTS_MAX 2

struct low_row {
    const char *mnemonic;
    bool branch, a_rel, b_rel, asks; /* asks: for the condition code */
    const struct isa_entry *row;
};

static struct low_row rows[] = {
#define L(mn, op, width, dst, a, b, ext, cc)                                                   \
    {.mnemonic = #mn,                                                                          \
     .branch = false,                                                                          \
     .a_rel = #a[0] == 'R' && #a[1] == 'E',                                                    \
     .b_rel = #b[0] == 'R' && #b[1] == 'E'},
#include "cpu/jit/lower.def"
#undef L
};

static const struct {
    const char *mnemonic;
    u8 op, sub;
} opcodes[] = {
#define I(op, sub, fmt, mn, title, fac, flags) {#mn, op, sub},
#include "cpu/isa/isa.def"
#undef I
};

/* ---- encoding ---- */

static void put_opcode(u8 *text, u8 op, u8 sub)
{
    text[0] = op;
    switch (isa_sub_kind(op)) {
    case ISA_SUB_NIBBLE: text[1] = (u8)((text[1] & 0xf0) | sub); break;
    case ISA_SUB_BYTE1: text[1] = sub; break;
    case ISA_SUB_BYTE5: text[5] = sub; break;
    default: break;
    }
}

static bool asks_cc(const char *mnemonic)
{
    static const char *const asking[] = {"brc",    "bc",    "locr", "locgr", "lochi",
                                         "locghi", "loc",   "selr", "stoc",  "ipm",
                                         "alcr",   "alcgr", "slbr", "slbgr"};
    bool found = false;
    for (unsigned i = 0; i < ARRAY_LEN(asking); i++)
        found |= strcmp(asking[i], mnemonic) == 0;
    return found;
}

static void rows_find(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        for (unsigned k = 0; k < ARRAY_LEN(opcodes); k++)
            if (strcmp(rows[i].mnemonic, opcodes[k].mnemonic) == 0) {
                u8 text[6] = {0};
                put_opcode(text, opcodes[k].op, opcodes[k].sub);
                rows[i].row = isa_find(text);
                rows[i].branch = (rows[i].row->flags & IF_BRANCH) != 0;
                rows[i].asks = asks_cc(rows[i].mnemonic);
            }
}

static bool has_index(u8 format)
{
    return format == FMT_RX || format == FMT_RXY || format == FMT_RX_M || format == FMT_RXE ||
           format == FMT_RXY_M || format == FMT_RXF;
}

static bool has_base(u8 format)
{
    return has_index(format) || format == FMT_RS || format == FMT_RS_M || format == FMT_RSY ||
           format == FMT_RSY_M || format == FMT_S || format == FMT_SI || format == FMT_SIY ||
           format == FMT_SIL || format == FMT_RIS || format == FMT_RRS || format == FMT_SS_L ||
           format == FMT_SS_LL || format == FMT_SS_RR || format == FMT_SSF ||
           format == FMT_SIY_D || format == FMT_RSL || format == FMT_SS_LI;
}

static bool has_long_displacement(u8 format)
{
    return format == FMT_RXY || format == FMT_RSY || format == FMT_RSY_M || format == FMT_SIY ||
           format == FMT_RXY_M || format == FMT_SIY_D;
}

static bool has_r1_first(u8 format)
{
    return format != FMT_SI && format != FMT_SIL && format != FMT_SIY && format != FMT_S &&
           format != FMT_I && format != FMT_RRF && format != FMT_SS_L;
}

static bool relative_16(u8 format)
{
    return format == FMT_RI_M || format == FMT_RI_REL || format == FMT_RSI ||
           format == FMT_RIE_B || format == FMT_RIE_C || format == FMT_RIE_E;
}

static bool relative_32(u8 format)
{
    return format == FMT_RIL_M || format == FMT_RIL_REL;
}

/* Bases are 12 and 13, index registers seldom there, displacements seldom far. */
static void shape_storage(struct twins *t, u8 *p, u8 format)
{
    if (!twins_percent(t, 8))
        p[2] = (u8)((p[2] & 0x0f) | (12 + twins_below(t, 2)) << 4);
    if (has_index(format) && twins_percent(t, 60))
        p[1] &= 0xf0;
    if (has_long_displacement(format) && !twins_percent(t, 10))
        p[4] = twins_percent(t, 20) ? 0xff : 0;
}

/* The second operand is often the first, or begins near it. */
static void shape_ss(struct twins *t, u8 *p)
{
    if (twins_percent(t, 30))
        p[1] = (u8)twins_below(t, 40);
    if (twins_percent(t, 60))
        memcpy(p + 4, p + 2, 2);
    if (twins_percent(t, 50))
        p[5] = (u8)(p[3] + twins_below(t, 64) - 32);
}

/* A relative operand is data, or a target behind here: an instruction, or out of the page. */
static void shape_relative(struct twins *t, u8 *p, const struct low_row *r, unsigned ia)
{
    s64 target = TWIN_DATA + 0xfa0 + (s64)twins_below(t, 0x70) * 2;
    if (r->branch)
        target = twins_percent(t, 80) ? -1 : TWIN_LANDING + (s64)twins_below(t, 0x700) * 2;
    s64 half = (target - (s64)ia) / 2;
    if (!relative_16(r->row->format) && twins_percent(t, 5))
        half = (s32)twins_random(t);
    else if (target < 0)
        half = 0; /* later: see link_branches */
    if (relative_16(r->row->format)) {
        if (half != (s16)half)
            half = 0;
        p[2] = (u8)(half >> 8), p[3] = (u8)half;
    } else {
        be32_store(p + 2, (u32)half);
    }
}

/* Registers 0 to 3, so that instructions meet. */
static void shape_registers(u8 *p, u8 format)
{
    bool last = format == FMT_RRE || format == FMT_RRF || format == FMT_RRD;
    if (last)
        p[3] &= 0x33;
    else
        p[1] &= has_index(format) ? 0x3f : format == FMT_RR ? 0x33 : 0xff;
    if (format == FMT_RXF || format == FMT_RRD)
        p[format == FMT_RXF ? 4 : 2] &= 0x3f;
}

static void make_insn(struct twins *t, struct twin_code *c, const struct low_row *r)
{
    unsigned at = c->bytes, len = isa_length(r->row->op);
    u8 p[8];
    be64_store(p, twins_random(t));
    if (has_base(r->row->format))
        shape_storage(t, p, r->row->format);
    if (r->row->format == FMT_SS_L)
        shape_ss(t, p);
    if (r->row->op == 0xd5 && twins_percent(t, 70)) /* CLC of 1, 2, 4, 8 bytes */
        p[1] = (u8)((1u << twins_below(t, 4)) - 1);
    if (twins_percent(t, 50))
        shape_registers(p, r->row->format);
    if (has_r1_first(r->row->format) && len > 2 && (p[1] >> 4 == 12 || p[1] >> 4 == 13) &&
        !twins_percent(t, 10))
        p[1] ^= 0x40;
    if (r->a_rel || r->b_rel || relative_16(r->row->format) ||
        (relative_32(r->row->format) && r->branch))
        shape_relative(t, p, r, c->at + at);
    put_opcode(p, r->row->op, r->row->sub);
    memcpy(c->text + at, p, len);
    c->offset[c->insns] = at;
    c->row[c->insns++] = r->row;
    c->bytes += len;
}

/* Branches whose displacement was left open go to some instruction behind them. */
static void link_branches(struct twins *t, struct twin_code *c)
{
    for (unsigned i = 0; i + 1 < c->insns; i++) {
        u8 *p = c->text + c->offset[i];
        u8 format = c->row[i]->format;
        unsigned to = i + 1 + (unsigned)twins_below(t, c->insns - i - 1);
        u32 half = (c->offset[to] - c->offset[i]) / 2;
        if (relative_16(format) && be16_load(p + 2) == 0)
            p[2] = (u8)(half >> 8), p[3] = (u8)half;
        else if (relative_32(format) && be32_load(p + 2) == 0)
            be32_store(p + 2, half);
    }
}

/* Those that ask for the condition code often: they follow one another in real code too. */
static const struct low_row *some_row(struct twins *t)
{
    bool asks = twins_percent(t, 35);
    const struct low_row *r;
    do
        r = &rows[twins_below(t, ARRAY_LEN(rows))];
    while (asks && !r->asks);
    return r;
}

/* Any row, or one that stands near `r` in the table: most likely of the same kind. */
static const struct low_row *row_beside(struct twins *t, const struct low_row *r)
{
    if (twins_percent(t, 60))
        return some_row(t);
    unsigned i = (unsigned)(r - rows), from = i < 20 ? 0 : i - 20;
    return &rows[(from + twins_below(t, 41)) % ARRAY_LEN(rows)];
}

static const struct low_row *named_row(const char *mnemonic)
{
    unsigned i = 0;
    while (strcmp(rows[i].mnemonic, mnemonic) != 0)
        i++;
    return &rows[i];
}

/* `r` among `before` and `after` others, a branch on condition often behind it. */
static void make_code(struct twins *t, struct twin_code *c, const struct low_row *r,
                      unsigned before, unsigned after)
{
    memset(c, 0, sizeof *c);
    c->at = TWIN_CODE + (unsigned)twins_below(t, 0x700) * 2;
    for (unsigned i = 0; i < before; i++)
        make_insn(t, c, row_beside(t, r));
    c->test = c->insns;
    make_insn(t, c, r);
    if (twins_percent(t, 40))
        make_insn(t, c, named_row("brc"));
    for (unsigned i = 0; i < after; i++)
        make_insn(t, c, row_beside(t, r));
    c->offset[c->insns] = c->bytes;
    c->row[c->insns] = isa_find((const u8 *)"\x0a\0\0\0\0");
    c->insns++;
    c->text[c->bytes] = 0x0a;
    c->text[c->bytes + 1] = 0;
    c->bytes += 2;
    link_branches(t, c);
}

/* ---- states ---- */

static u64 some_value(struct twins *t)
{
    static const u64 special[] = {0,
                                  1,
                                  2,
                                  ~0ull,
                                  ~1ull,
                                  0x7fffffff,
                                  0x80000000,
                                  0xffffffff,
                                  1ull << 63,
                                  ~0ull >> 1,
                                  0xffffffff80000000,
                                  0x100000000,
                                  0x7fffffff00000000,
                                  0xffffffff00000001};
    switch (twins_below(t, 4)) {
    case 0: return special[twins_below(t, ARRAY_LEN(special))];
    case 1: return twins_below(t, 64);
    case 2: return twins_random(t) >> twins_below(t, 64);
    default: return twins_random(t);
    }
}

/* Floating-point numbers, short ones on the left: zeros, infinities, NaNs quiet and signalling,
 * the ends of the normal and of the tiny ones, small integers, halves, and noise. */
static u64 some_number(struct twins *t)
{
    static const u64 ends[] = {0,
                               0x7ff0000000000000,
                               0x7ff8000000000000,
                               0x7ff4000000000123,
                               0x7ff0000000000001,
                               0x0010000000000000,
                               0x000fffffffffffff,
                               0x0000000000000001,
                               0x0020000000000000,
                               0x7fefffffffffffff,
                               0x3ff0000000000000,
                               0x3fefffffffffffff,
                               0x41dfffffffc00000,
                               0x41e0000000000000,
                               0x43e0000000000000,
                               0x433fffffffffffff,
                               0x47efffffe0000000,
                               0x47effffff0000000,
                               0x3810000000000000,
                               0x380fffffffffffff,
                               0x7f80000000000000,
                               0x7fc0000012345678,
                               0x7fa00001ffffffff,
                               0x0080000000000000,
                               0x007fffff00000000,
                               0x0000000100000000,
                               0x7f7fffff00000000,
                               0x4f00000000000000,
                               0x5f000000ffffffff};
    u64 sign = twins_below(t, 2) << 63;
    switch (twins_below(t, 6)) {
    case 0: return sign | ends[twins_below(t, ARRAY_LEN(ends))];
    case 1: {
        double v = (double)twins_below(t, 64) / 4;
        u64 bits;
        memcpy(&bits, &v, sizeof bits);
        return sign | bits;
    }
    case 2: {
        float v = (float)twins_below(t, 64) / 4;
        u32 bits;
        memcpy(&bits, &v, sizeof bits);
        return sign | (u64)bits << 32 | (u32)twins_random(t);
    }
    case 3: return sign | (0x3fe0ull + twins_below(t, 64)) << 48 | twins_random(t) >> 16;
    case 4: return sign | (0x3f00ull + twins_below(t, 256)) << 48 | twins_random(t) >> 16;
    default: return twins_random(t);
    }
}

/* Mostly as programs have it: nothing masked, to nearest, inexact seen or not. */
static u32 some_fpc(struct twins *t)
{
    static const u8 modes[] = {0, 0, 1, 2, 3, 7};
    u32 flags = (u32)twins_below(t, 32) << 19;
    switch (twins_below(t, 5)) {
    case 0:
    case 1: return flags | 0x00080000;
    case 2: return flags & ~0x00080000u;
    case 3: return flags | modes[twins_below(t, ARRAY_LEN(modes))];
    default: return flags | (u32)twins_below(t, 32) << 27;
    }
}

/* Where an operand may lie. */
static u64 some_address(struct twins *t, const struct twin_code *c)
{
    u64 page = FRAME_BYTES;
    switch (twins_below(t, 12)) {
    case 0: return TWIN_DATA + page - 1 - twins_below(t, 16); /* crosses, well */
    case 1: return TWIN_PROTECTED - 1 - twins_below(t, 16);   /* into the protected page */
    case 2: return TWIN_PROTECTED + twins_below(t, page - 256);
    case 3: return TWIN_MISSING - twins_below(t, 20); /* nothing there */
    case 4: return TWIN_MISSING + twins_random(t) % (1ull << 40);
    case 5: return c->at - twins_below(t, 40); /* before or in the code */
    case 6: return c->at + twins_below(t, 2 * c->bytes + 80);
    case 7: return twins_percent(t, 30) ? 0x1000 + twins_below(t, 0x800) : TWIN_DATA;
    case 8: return TWIN_DATA + twins_below(t, 2 * page - 200);
    default: return TWIN_DATA + (twins_below(t, 2 * page - 200) & ~15ull);
    }
}

static u64 some_target(struct twins *t, const struct twin_code *c)
{
    unsigned i = c->test + 1 + (unsigned)twins_below(t, c->insns - c->test - 1);
    switch (twins_below(t, 8)) {
    case 0: return TWIN_LANDING + twins_below(t, 0xfff);
    case 1: return TWIN_LANDING + (twins_below(t, 0xfff) & ~1ull);
    case 2: return TWIN_MISSING;
    default: return c->at + c->offset[i];
    }
}

/* Base and index of the instruction under test give the address that is wanted. */
static void aim(struct twins *t, const struct twin_code *c, struct twin_state *s)
{
    const struct isa_entry *row = c->row[c->test];
    struct dinsn d = {0};
    isa_decode(&d, (enum isa_format)row->format, c->text + c->offset[c->test]);
    bool branch = (row->flags & IF_BRANCH) != 0;
    if (branch && (row->format == FMT_RR_M || row->format == FMT_RR || row->format == FMT_RRE))
        s->gr[d.r2] = some_target(t, c);
    if (!has_base(row->format) || d.b2 > 15)
        return;
    if (row->format == FMT_SS_L) {
        u64 first = some_address(t, c);
        s->gr[d.r2 & 15] = first - d.ss.d1;
        u64 second =
            twins_percent(t, 40) ? some_address(t, c) : first + twins_below(t, 80) - 40;
        if (d.b2 != d.r2)
            s->gr[d.b2] = second - d.ss.d2;
        return;
    }
    u64 to = branch ? some_target(t, c) : some_address(t, c);
    if (row->format == FMT_SIL)
        to -= d.ss.d1;
    else
        to -= (u64)(s64)d.d2;
    if (has_index(row->format) && d.r2 < 16 && d.r2 != d.b2) {
        s->gr[d.r2] = twins_below(t, 100);
        to -= s->gr[d.r2];
    }
    s->gr[d.b2] = to;
}

/* What addresses of 31 and 24 bits do not have of their registers. */
static void add_noise(struct twins *t, struct twin_state *s)
{
    u64 bits = s->psw_mask & PSW_EA ? 0 : s->psw_mask & PSW_BA ? ~0ull << 31 : ~0ull << 24;
    for (unsigned i = 0; i < 16; i++)
        s->gr[i] ^= twins_random(t) & bits;
}

static void make_state(struct twins *t, const struct twin_code *c, struct twin_state *s,
                       u64 mode)
{
    for (unsigned i = 0; i < 16; i++) {
        s->gr[i] = some_value(t);
        s->fpr[i] = some_number(t);
        s->ar[i] = 0;
    }
    s->fpc = some_fpc(t);
    s->gr[12] = some_address(t, c) - twins_below(t, 1024);
    s->gr[13] = TWIN_DATA + twins_below(t, 256) * 8;
    aim(t, c, s);
    s->psw_mask = mode | (u64)twins_below(t, 4) << PSW_CC_SHIFT |
                  (twins_percent(t, 60) ? 3ull << PSW_KEY_SHIFT : 0);
    if (!(c->row[c->test]->flags & IF_PRIV))
        s->psw_mask |= PSW_PROB;
    if (twins_percent(t, 60))
        add_noise(t, s);
    if (twins_percent(t, 6))
        s->psw_mask |= twins_below(t, 16) << PSW_PM_SHIFT;
}

/* ---- tests ---- */

static unsigned number(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);
    return text ? (unsigned)atoi(text) : otherwise;
}

static unsigned try_sequence(struct twins *t, const struct low_row *r, u64 mode, bool report)
{
    struct twin_code c;
    struct twin_state s;
    bool alone = twins_percent(t, 30);
    make_code(t, &c, r, alone ? 0 : (unsigned)twins_below(t, 6),
              alone ? 0 : (unsigned)twins_below(t, 8));
    twins_code(t, &c);
    unsigned bad = 0;
    for (unsigned k = 0; k < STATES; k++) {
        if (twins_percent(t, 15))
            twins_purge(t);
        if (twins_percent(t, 5))
            twins_data(t);
        make_state(t, &c, &s, mode);
        if (!twins_run(t, &c, &s, report && bad == 0)) {
            bad++;
            if (report && bad == 1)
                fprintf(stderr, "^ %s\n\n", r->mnemonic);
        }
    }
    return bad;
}

static void try_rows(enum cpu_engine engine, unsigned cpus, u64 mode)
{
    struct twins t;
    const char *only = getenv("JIT_LOWER_ROW");
    unsigned sequences = number("JIT_LOWER_SEQUENCES", SEQUENCES), failed = 0;
    rows_find();
    twins_init(&t, engine, cpus);
    t.seed += number("JIT_LOWER_SEED", 0);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (only && strcmp(only, rows[i].mnemonic) != 0)
            continue;
        unsigned reports = 0;
        for (unsigned k = 0; k < sequences; k++)
            reports += try_sequence(&t, &rows[i], mode, reports < REPORTS_MAX) != 0;
        if (reports)
            fprintf(stderr, "%s: %u of %u sequences differ\n", rows[i].mnemonic, reports,
                    sequences);
        failed += reports != 0;
    }
    if (getenv("JIT_LOWER_STATS"))
        fprintf(stderr, "ran %llu, check-stops %llu, regions %llu\n", (unsigned long long)t.ran,
                (unsigned long long)t.stopped, (unsigned long long)t.b.cpu->jit->stats.regions);
    ck_assert_msg(failed == 0, "%u rows differ", failed);
    ck_assert_uint_gt(t.ran, t.spent * 4);
    ck_assert_uint_gt(t.b.cpu->jit->stats.regions, only ? 0 : t.ran / STATES / 2);
    twins_fini(&t);
}

START_TEST(first)
{
    try_rows(CPU_ENGINE_JIT_FIRST, 1, HARNESS_PSW64);
}
END_TEST

START_TEST(single)
{
    try_rows(CPU_ENGINE_JIT_SINGLE, 1, HARNESS_PSW64);
}
END_TEST

START_TEST(interlocked)
{
    try_rows(CPU_ENGINE_JIT_FIRST, 2, HARNESS_PSW64);
}
END_TEST

START_TEST(mode_31)
{
    try_rows(CPU_ENGINE_JIT_FIRST, 1, HARNESS_PSW31);
}
END_TEST

START_TEST(mode_24)
{
    try_rows(CPU_ENGINE_JIT_FIRST, 1, 0);
}
END_TEST

/* Updates that were translated while there was one CPU are not interlocked. */
START_TEST(another_cpu)
{
    struct twins t;
    struct twin_code c = {.at = TWIN_CODE, .bytes = 8, .insns = 2};
    struct twin_state s = {.psw_mask = HARNESS_PSW64};
    memcpy(c.text, "\xeb\x01\xc0\x00\x00\x6a\x0a\x00", 8); /* ASI 0(12),1; SVC 0 */
    c.offset[1] = 6;
    s.gr[12] = TWIN_DATA;
    twins_init(&t, CPU_ENGINE_JIT_FIRST, 1);
    twins_code(&t, &c);
    ck_assert(twins_run(&t, &c, &s, true));
    ck_assert_uint_gt(t.b.cpu->jit->region_count, 0);
    ck_assert_int_eq(cpu_set_add(t.b.set, NULL), ST_OK);
    ck_assert_uint_eq(t.b.cpu->jit->region_count, 0);
    ck_assert(twins_run(&t, &c, &s, true));
    ck_assert_uint_gt(t.b.cpu->jit->region_count, 0);
    twins_fini(&t);
}
END_TEST

static void find_cvd(void *ctx, const char *mnemonic, u64 calls)
{
    if (strcmp(mnemonic, "cvd") == 0)
        *(u64 *)ctx += calls;
}

/* --stats tells how often which row's body was called. */
START_TEST(bodies_counted)
{
    struct twins t;
    struct twin_code c = {.at = TWIN_CODE, .bytes = 6, .insns = 2};
    struct twin_state s = {.psw_mask = HARNESS_PSW64};
    u64 calls = 0;
    memcpy(c.text, "\x4e\x10\xc0\x00\x0a\x00", 6); /* CVD 1,0(12); SVC 0 */
    c.offset[1] = 4;
    s.gr[12] = TWIN_DATA;
    twins_init(&t, CPU_ENGINE_JIT_FIRST, 1);
    ck_assert_int_eq(cpu_set_count_bodies(t.b.set), ST_OK);
    twins_code(&t, &c);
    ck_assert(twins_run(&t, &c, &s, true));
    ck_assert(twins_run(&t, &c, &s, true));
    cpu_set_bodies(t.b.set, find_cvd, &calls);
    ck_assert_uint_eq(calls, 2);
    twins_fini(&t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("jit_lower");
    TCase *t = tcase_create("rows");
    tcase_set_timeout(t, 170);
    tcase_add_test(t, first);
    tcase_add_test(t, single);
    tcase_add_test(t, interlocked);
    tcase_add_test(t, mode_31);
    tcase_add_test(t, mode_24);
    tcase_add_test(t, another_cpu);
    tcase_add_test(t, bodies_counted);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
