/* Bodies of the string chapters against plain byte-by-byte references: random operands with
 * overlaps, page crossings, a missing second page, frames that hold decoded instructions. */
#include "tests/lib/cpu_body.h"

#define ROUNDS 20000
#define AREA_BYTES (4 * FRAME_BYTES)
#define AREA (BODY_STORAGE_BYTES - AREA_BYTES) /* the last frames of storage */

static struct body_bench bench;
static u8 expected[AREA_BYTES + 2 * FRAME_BYTES];

static void setup(void)
{
    body_setup(&bench);
}

static void teardown(void)
{
    body_teardown(&bench);
}

static u64 below(u64 limit)
{
    return body_below(&bench, limit);
}

/** Random bytes of a small alphabet in the area and in `expected`. */
static void fill(unsigned alphabet)
{
    u8 *p = bench.st->base + AREA;
    for (unsigned i = 0; i < AREA_BYTES; i++)
        p[i] = (u8)below(alphabet);
    memcpy(expected, p, AREA_BYTES);
}

static void ck_area(const char *what)
{
    const u8 *p = bench.st->base + AREA;
    for (unsigned i = 0; i < AREA_BYTES; i++)
        if (p[i] != expected[i])
            ck_abort_msg("%s: byte %u is %02x, not %02x", what, i, p[i], expected[i]);
}

/** An address of the area, often near a page boundary. */
static u64 place(void)
{
    if (below(2))
        return AREA + below(AREA_BYTES);
    return AREA + FRAME_BYTES * (1 + below(4)) - 1 - below(300);
}

static bool missing(u64 ea, u64 len)
{
    return ea + len > BODY_STORAGE_BYTES;
}

/** Base registers 1 and 2 hold the addresses of an SS instruction of length len. */
static struct dinsn ss(u64 ea1, u64 ea2, unsigned len)
{
    struct dinsn d = {.r1 = (u8)(len - 1), .r2 = 1, .b2 = 2};
    d.ss.d1 = (u16)below(100);
    d.ss.d2 = (u16)below(100);
    bench.c->gr[1] = ea1 - d.ss.d1;
    bench.c->gr[2] = ea2 - d.ss.d2;
    return d;
}

static u8 combined(const char *mn, u8 a, u8 b)
{
    switch (mn[0] == 'm' ? mn[2] : mn[0]) {
    case 'c': return b;                       /* mvc */
    case 'z': return (a & 0x0f) | (b & 0xf0); /* mvz */
    case 'n': return mn[0] == 'n' ? a & b : (u8)((a & 0xf0) | (b & 0x0f));
    case 'o': return a | b;
    default: return a ^ b;
    }
}

START_TEST(combines_left_to_right)
{
    static const char *const names[] = {"mvc", "mvn", "mvz", "nc", "oc", "xc"};
    const char *mn = names[_i];
    for (unsigned round = 0; round < ROUNDS / 4; round++) {
        unsigned len = 1 + (unsigned)below(256), any = 0;
        u64 ea1 = place(), ea2 = below(3) ? place() : ea1 + below(20) - 10;
        if (round % 16 == 0)
            fill(256);
        memcpy(expected, bench.st->base + AREA, AREA_BYTES);
        body_mark_code(&bench, AREA + FRAME_BYTES, round & 1);
        bench.c->cc = 3;
        if (missing(ea1, len) || missing(ea2, len)) {
            ck_assert_int_eq(body_run(&bench, mn, ss(ea1, ea2, len)), PGM_ADDRESSING);
            ck_area(mn);
            ck_assert_uint_eq(bench.c->cc, 3);
            continue;
        }
        for (unsigned i = 0; i < len; i++)
            any |= expected[ea1 - AREA + i] =
                combined(mn, expected[ea1 - AREA + i], expected[ea2 - AREA + i]);
        ck_assert_int_eq(body_run(&bench, mn, ss(ea1, ea2, len)), 0);
        ck_area(mn);
        ck_assert_uint_eq(bench.c->cc, mn[0] == 'm' ? 3 : any != 0);
    }
}
END_TEST

START_TEST(clc_compares)
{
    fill(2);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned len = 1 + (unsigned)below(16), i = 0;
        u64 ea1 = place(), ea2 = place();
        if (missing(ea1, len) || missing(ea2, len))
            continue;
        const u8 *a = expected + (ea1 - AREA), *b = expected + (ea2 - AREA);
        while (i < len - 1 && a[i] == b[i])
            i++;
        ck_assert_int_eq(body_run(&bench, "clc", ss(ea1, ea2, len)), 0);
        ck_assert_uint_eq(bench.c->cc, a[i] == b[i] ? 0 : a[i] < b[i] ? 1 : 2);
    }
}
END_TEST

START_TEST(tr_translates)
{
    for (unsigned round = 0; round < ROUNDS / 8; round++) {
        unsigned len = 1 + (unsigned)below(256);
        u64 ea1 = place(), ea2 = place();
        if (missing(ea1, len) || missing(ea2, 256))
            continue;
        fill(256);
        body_mark_code(&bench, AREA + FRAME_BYTES, round & 1);
        for (unsigned i = 0; i < len; i++)
            expected[ea1 - AREA + i] = expected[ea2 - AREA + expected[ea1 - AREA + i]];
        ck_assert_int_eq(body_run(&bench, "tr", ss(ea1, ea2, len)), 0);
        ck_area("tr");
    }
}
END_TEST

/* Only the table bytes that are used are accessed. */
START_TEST(tr_with_missing_table_end)
{
    u64 table = BODY_STORAGE_BYTES - 16;
    fill(16);
    ck_assert_int_eq(body_run(&bench, "tr", ss(AREA, table, 256)), 0);
    memcpy(expected, bench.st->base + AREA, AREA_BYTES);
    bench.st->base[AREA + 99] = expected[99] = 16;
    ck_assert_int_eq(body_run(&bench, "tr", ss(AREA + 1, table, 99)), PGM_ADDRESSING);
    ck_area("tr");
}
END_TEST

START_TEST(trt_finds)
{
    bool reverse = _i;
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned len = 1 + (unsigned)below(256), i;
        u64 ea1 = AREA + 256 + below(2 * FRAME_BYTES),
            table = AREA + 3 * FRAME_BYTES - below(300);
        if (round % 64 == 0)
            fill(256);
        memset(bench.st->base + table, 0, 256);
        bench.st->base[table + below(256)] = (u8)(1 + below(255));
        const u8 *p = bench.st->base + ea1, *t = bench.st->base + table;
        for (i = 0; i < len && t[reverse ? *(p - i) : p[i]] == 0;)
            i++;
        struct dinsn d = ss(ea1, table, len);
        d.r2 = 3;
        bench.c->gr[3] = bench.c->gr[1];
        d.b2 = 4;
        bench.c->gr[4] = bench.c->gr[2];
        bench.c->gr[1] = bench.c->gr[2] = 0x1111111122222222ull;
        ck_assert_int_eq(body_run(&bench, reverse ? "trtr" : "trt", d), 0);
        ck_assert_uint_eq(bench.c->cc, i == len ? 0 : i == len - 1 ? 2 : 1);
        if (i < len) {
            ck_assert_uint_eq(bench.c->gr[1], reverse ? ea1 - i : ea1 + i);
            ck_assert_uint_eq(bench.c->gr[2],
                              0x1111111122222200ull | t[reverse ? *(p - i) : p[i]]);
        } else {
            ck_assert_uint_eq(bench.c->gr[1], 0x1111111122222222ull);
        }
    }
}
END_TEST

START_TEST(mvcin_reverses)
{
    for (unsigned round = 0; round < 500; round++) {
        unsigned len = 1 + (unsigned)below(256);
        u64 ea1 = AREA + below(FRAME_BYTES), ea2 = AREA + 3 * FRAME_BYTES - 150 + below(300);
        fill(256);
        for (unsigned i = 0; i < len; i++)
            expected[ea1 - AREA + i] = expected[ea2 - AREA - i];
        ck_assert_int_eq(body_run(&bench, "mvcin", ss(ea1, ea2, len)), 0);
        ck_area("mvcin");
    }
}
END_TEST

/* -- long operands: register pairs 2 and 4 -- */

struct operands {
    u64 ea1, len1, ea2, len2;
    u16 pad;
};

static struct dinsn pairs(const struct operands *o, const char *mn)
{
    u64 *gr = bench.c->gr;
    bool is_long = strcmp(mn, "mvcl") == 0 || strcmp(mn, "clcl") == 0;
    gr[2] = o->ea1;
    gr[3] = o->len1;
    gr[4] = o->ea2;
    gr[5] = o->len2 | (is_long ? (u64)(o->pad & 0xff) << 24 : 0);
    gr[6] = o->pad;
    return (struct dinsn){.r1 = 2, .r2 = 4, .r3 = 4, .b2 = is_long ? 16 : 6};
}

/** Pad byte i of an operand. */
static u8 pad_at(const struct operands *o, unsigned step, u64 i)
{
    return step == 2 && i % 2 == 0 ? (u8)(o->pad >> 8) : (u8)o->pad;
}

START_TEST(moves_with_padding)
{
    static const char *const names[] = {"mvcl", "mvcle", "mvclu"};
    const char *mn = names[_i];
    unsigned step = _i == 2 ? 2 : 1;
    for (unsigned round = 0; round < 1500; round++) {
        struct operands o = {AREA + 1 + below(3000), below(4500), AREA + 9000 + below(3000),
                             below(4300), (u16)below(65536)};
        o.len1 &= ~(u64)(step - 1);
        o.len2 = below(4) ? o.len2 & ~(u64)(step - 1) : o.len1 & 0xfff;
        fill(256);
        body_mark_code(&bench, AREA + FRAME_BYTES, round & 1);
        for (u64 i = 0; i < o.len1; i++)
            expected[o.ea1 - AREA + i] =
                i < o.len2 ? expected[o.ea2 - AREA + i] : pad_at(&o, step, i);
        ck_assert_int_eq(body_run_all(&bench, mn, pairs(&o, mn)), 0);
        ck_area(mn);
        u64 moved = o.len1 < o.len2 ? o.len1 : o.len2;
        ck_assert_uint_eq(bench.c->cc, o.len1 == o.len2 ? 0 : o.len1 < o.len2 ? 1 : 2);
        ck_assert_uint_eq(bench.c->gr[2], o.ea1 + o.len1);
        ck_assert_uint_eq(bench.c->gr[3], 0);
        ck_assert_uint_eq(bench.c->gr[4], o.ea2 + moved);
        ck_assert_uint_eq(bench.c->gr[5] & 0xffffff, o.len2 - moved);
    }
}
END_TEST

START_TEST(mvcl_destructive_overlap)
{
    struct operands o = {AREA + 8, 100, AREA, 100, 0};
    fill(256);
    ck_assert_int_eq(body_run(&bench, "mvcl", pairs(&o, "mvcl")), 0);
    ck_assert_uint_eq(bench.c->cc, 3);
    ck_area("mvcl");
    o.len2 = 8; /* ends before the first operand begins: no overlap */
    ck_assert_int_eq(body_run(&bench, "mvcl", pairs(&o, "mvcl")), 0);
    ck_assert_uint_eq(bench.c->cc, 2);
    struct operands left = {AREA, 100, AREA + 8, 100, 0};
    memcpy(expected, bench.st->base + AREA, AREA_BYTES);
    memmove(expected, expected + 8, 100);
    ck_assert_int_eq(body_run(&bench, "mvcl", pairs(&left, "mvcl")), 0);
    ck_assert_uint_eq(bench.c->cc, 0);
    ck_area("mvcl");
}
END_TEST

/* An access exception in the middle: registers show what is done. */
START_TEST(mvcl_progress_before_exception)
{
    struct operands o = {AREA, 8192, BODY_STORAGE_BYTES - 1000, 8192, 0x55};
    fill(256);
    memcpy(expected, expected + AREA_BYTES - 1000, 1000);
    ck_assert_int_eq(body_run(&bench, "mvcl", pairs(&o, "mvcl")), PGM_ADDRESSING);
    ck_area("mvcl");
    ck_assert_uint_eq(bench.c->gr[2], AREA + 1000);
    ck_assert_uint_eq(bench.c->gr[3], 7192);
    ck_assert_uint_eq(bench.c->gr[4], BODY_STORAGE_BYTES);
    ck_assert_uint_eq(bench.c->gr[5], 0x55000000 | 7192);
    ck_assert_int_eq(body_run(&bench, "mvcl", (struct dinsn){.r1 = 3, .r2 = 4}),
                     PGM_SPECIFICATION);
}
END_TEST

/* Outside the 64-bit mode bits 0-31 stay; the 24-bit mode wraps at 16 MiB. */
START_TEST(mvcle_register_bits)
{
    u64 *gr = bench.c->gr;
    body_mode(&bench, PSW_BA);
    struct operands o = {0xaaaaaaaa80000000ull | AREA, 0xbbbbbbbb00000010ull,
                         0xcccccccc80000000ull | (AREA + 256), 0xdddddddd00000010ull, 0};
    ck_assert_int_eq(body_run(&bench, "mvcle", pairs(&o, "mvcle")), 0);
    ck_assert_uint_eq(bench.c->cc, 0);
    ck_assert_uint_eq(gr[2] & ~0x80000000ull, 0xaaaaaaaa00000000ull | (AREA + 16));
    ck_assert_uint_eq(gr[3], 0xbbbbbbbb00000000ull);
    ck_assert_uint_eq(gr[4] & ~0x80000000ull, 0xcccccccc00000000ull | (AREA + 272));
    ck_assert_uint_eq(gr[5], 0xdddddddd00000000ull);
}
END_TEST

/** Reference of the padded comparisons: index of the unequal character, or the end. */
static u64 compare_reference(const struct operands *o, unsigned step, u8 *cc)
{
    u64 longer = o->len1 > o->len2 ? o->len1 : o->len2;
    *cc = 0;
    for (u64 i = 0; i < longer; i++) {
        u8 a = i < o->len1 ? expected[o->ea1 - AREA + i] : pad_at(o, step, i);
        u8 b = i < o->len2 ? expected[o->ea2 - AREA + i] : pad_at(o, step, i);
        if (a != b) {
            *cc = a < b ? 1 : 2;
            return i & ~(u64)(step - 1);
        }
    }
    return longer;
}

START_TEST(compares_with_padding)
{
    static const char *const names[] = {"clcl", "clcle", "clclu"};
    const char *mn = names[_i];
    unsigned step = _i == 2 ? 2 : 1;
    for (unsigned round = 0; round < ROUNDS / 4; round++) {
        struct operands o = {AREA + 3900 + below(200), below(700), AREA + 8100 + below(90),
                             below(700), 0};
        u8 cc;
        if (round % 64 == 0)
            fill(256);
        o.len1 &= ~(u64)(step - 1);
        o.len2 &= ~(u64)(step - 1);
        if (below(4) == 0)
            o.len1 = o.len2;
        memset(bench.st->base + o.ea1, 0, 800);
        memset(bench.st->base + o.ea2, 0, 800);
        if (below(4))
            bench.st->base[(below(2) ? o.ea1 : o.ea2) + below(700)] = 1;
        memcpy(expected, bench.st->base + AREA, AREA_BYTES);
        u64 at = compare_reference(&o, step, &cc);
        ck_assert_int_eq(body_run_all(&bench, mn, pairs(&o, mn)), 0);
        ck_assert_uint_eq(bench.c->cc, cc);
        u64 at1 = at < o.len1 ? at : o.len1, at2 = at < o.len2 ? at : o.len2;
        ck_assert_uint_eq(bench.c->gr[2], o.ea1 + at1);
        ck_assert_uint_eq(bench.c->gr[3], o.len1 - at1);
        ck_assert_uint_eq(bench.c->gr[4], o.ea2 + at2);
        ck_assert_uint_eq(bench.c->gr[5], o.len2 - at2);
    }
}
END_TEST

/* -- strings -- */

START_TEST(clst_compares)
{
    struct dinsn d = {.r1 = 2, .r2 = 4};
    for (unsigned round = 0; round < ROUNDS; round++) {
        u64 ea1 = AREA + 4000 + below(100), ea2 = AREA + 8100 + below(100), i = 0;
        if (round % 64 == 0)
            fill(256);
        memset(bench.st->base + ea1, 7, 300);
        memset(bench.st->base + ea2, 7, 300);
        bench.st->base[ea1 + below(300)] = (u8)below(9);
        bench.st->base[ea1 + 200 + below(2)] = 5;
        bench.st->base[ea2 + 200 + below(2)] = 5;
        const u8 *a = bench.st->base + ea1, *b = bench.st->base + ea2;
        while (a[i] == b[i] && a[i] != 5)
            i++;
        bench.c->gr[0] = 5;
        bench.c->gr[2] = ea1;
        bench.c->gr[4] = ea2;
        ck_assert_int_eq(body_run_all(&bench, "clst", d), 0);
        u8 cc = a[i] == b[i] ? 0 : a[i] == 5 || (b[i] != 5 && a[i] < b[i]) ? 1 : 2;
        ck_assert_uint_eq(bench.c->cc, cc);
        ck_assert_uint_eq(bench.c->gr[2], cc ? ea1 + i : ea1);
        ck_assert_uint_eq(bench.c->gr[4], cc ? ea2 + i : ea2);
    }
    bench.c->gr[0] = 0x100;
    ck_assert_int_eq(body_run(&bench, "clst", d), PGM_SPECIFICATION);
}
END_TEST

START_TEST(mvst_moves)
{
    struct dinsn d = {.r1 = 2, .r2 = 4};
    for (unsigned round = 0; round < 1000; round++) {
        u64 ea1 = AREA + below(4000), ea2 = AREA + 8100 + below(100), n = below(300);
        fill(255);
        body_mark_code(&bench, AREA, round & 1);
        bench.st->base[ea2 + n] = expected[ea2 - AREA + n] = 255;
        memcpy(expected + (ea1 - AREA), expected + (ea2 - AREA), n + 1);
        bench.c->gr[0] = 255;
        bench.c->gr[2] = ea1;
        bench.c->gr[4] = ea2;
        ck_assert_int_eq(body_run_all(&bench, "mvst", d), 0);
        ck_area("mvst");
        ck_assert_uint_eq(bench.c->cc, 1);
        ck_assert_uint_eq(bench.c->gr[2], ea1 + n);
        ck_assert_uint_eq(bench.c->gr[4], ea2);
    }
}
END_TEST

START_TEST(srst_searches)
{
    struct dinsn d = {.r1 = 2, .r2 = 4};
    fill(255);
    for (unsigned round = 0; round < ROUNDS; round++) {
        u64 from = AREA + below(6000), len = below(5000), at = below(6000);
        memset(bench.st->base + AREA, 1, AREA_BYTES);
        bench.st->base[from + at] = 255;
        bench.c->gr[0] = 255;
        bench.c->gr[2] = from + len;
        bench.c->gr[4] = from;
        ck_assert_int_eq(body_run_all(&bench, "srst", d), 0);
        ck_assert_uint_eq(bench.c->cc, at < len ? 1 : 2);
        ck_assert_uint_eq(bench.c->gr[2], from + (at < len ? at : len));
        ck_assert_uint_eq(bench.c->gr[4], from);
    }
}
END_TEST

START_TEST(cuse_finds)
{
    u64 *gr = bench.c->gr;
    u8 *base = bench.st->base;
    memcpy(base + AREA, "abcdefgh", 8);
    memcpy(base + AREA + 4096, "xbcxefgx", 8);
    struct operands o = {AREA, 8, AREA + 4096, 8, 0};
    struct dinsn d = pairs(&o, "cuse");
    gr[0] = 3;
    gr[1] = 0;
    ck_assert_int_eq(body_run_all(&bench, "cuse", d), 0);
    ck_assert_uint_eq(bench.c->cc, 0);
    ck_assert_uint_eq(gr[2], AREA + 4);
    ck_assert_uint_eq(gr[3], 4);
    ck_assert_uint_eq(gr[5], 4);
    d = pairs(&o, "cuse");
    gr[0] = 4;
    ck_assert_int_eq(body_run_all(&bench, "cuse", d), 0);
    ck_assert_uint_eq(bench.c->cc, 2);
    ck_assert_uint_eq(gr[2], AREA + 8);
    o.len1 = o.len2 = 7;
    d = pairs(&o, "cuse");
    ck_assert_int_eq(body_run_all(&bench, "cuse", d), 0);
    ck_assert_uint_eq(bench.c->cc, 1);
    ck_assert_uint_eq(gr[4], AREA + 4096 + 4);
    ck_assert_uint_eq(gr[5], 3);
}
END_TEST

START_TEST(cksm_sums)
{
    struct dinsn d = {.r1 = 1, .r2 = 4};
    for (unsigned round = 0; round < ROUNDS / 8; round++) {
        u64 ea = AREA + below(5000), len = below(6000), sum = (u32)body_random(&bench);
        if (round % 64 == 0)
            fill(256);
        bench.c->gr[1] = 0x1234567800000000ull | sum;
        bench.c->gr[4] = ea;
        bench.c->gr[5] = len;
        for (u64 i = 0; i < len; i += 4) {
            u8 word[4] = {0};
            memcpy(word, bench.st->base + ea + i, len - i < 4 ? len - i : 4);
            sum += be32_load(word);
            sum = (sum >> 32) + (u32)sum;
        }
        ck_assert_int_eq(body_run_all(&bench, "cksm", d), 0);
        ck_assert_uint_eq(bench.c->gr[1], 0x1234567800000000ull | sum);
        ck_assert_uint_eq(bench.c->gr[4], ea + len);
        ck_assert_uint_eq(bench.c->gr[5], 0);
    }
}
END_TEST

START_TEST(mvpg_moves)
{
    struct dinsn d = {.r1 = 2, .r2 = 4};
    fill(256);
    bench.c->gr[0] = 0;
    bench.c->gr[2] = AREA + 123;
    bench.c->gr[4] = AREA + FRAME_BYTES + 456;
    memcpy(expected, expected + FRAME_BYTES, FRAME_BYTES);
    ck_assert_int_eq(body_run(&bench, "mvpg", d), 0);
    ck_area("mvpg");
    ck_assert_uint_eq(bench.c->cc, 0);
    bench.c->gr[4] = BODY_STORAGE_BYTES;
    ck_assert_int_eq(body_run(&bench, "mvpg", d), PGM_ADDRESSING);
    bench.c->gr[0] = 0xc00;
    ck_assert_int_eq(body_run(&bench, "mvpg", d), PGM_SPECIFICATION);
}
END_TEST

/* -- Unicode: all six conversions in a ring give back what went in -- */

static u64 convert(const char *mn, u64 to, u64 from, u64 len, unsigned m3)
{
    struct operands o = {to, 0x1000, from, len, 0};
    struct dinsn d = pairs(&o, mn);
    d.r3 = (u8)m3;
    ck_assert_int_eq(body_run_all(&bench, mn, d), 0);
    ck_assert_uint_eq(bench.c->cc, 0);
    ck_assert_uint_eq(bench.c->gr[5], 0);
    return bench.c->gr[2] - to;
}

START_TEST(unicode_ring)
{
    u64 p32 = AREA, p8 = AREA + 0x1001, p16 = AREA + 0x2001, back = AREA + 0x3000;
    for (unsigned round = 0; round < 200; round++) {
        u64 len = 4 * below(200);
        static const u32 limits[] = {0x80, 0x800, 0xd800, 0x110000};
        for (u64 i = 0; i < len; i += 4) {
            u32 v = (u32)below(limits[below(4)]);
            be32_store(bench.st->base + p32 + i, v >= 0xd800 && v <= 0xdfff ? 0x20ac : v);
        }
        u64 len8 = convert("cu41", p8, p32, len, 0);
        u64 len16 = convert("cu12", p16, p8, len8, 1);
        ck_assert_uint_eq(convert("cu24", back, p16, len16, 1), len);
        ck_assert_mem_eq(bench.st->base + back, bench.st->base + p32, len);
        ck_assert_uint_eq(convert("cu21", back, p16, len16, 0), len8);
        ck_assert_mem_eq(bench.st->base + back, bench.st->base + p8, len8);
        ck_assert_uint_eq(convert("cu14", back, p8, len8, 1), len);
        ck_assert_mem_eq(bench.st->base + back, bench.st->base + p32, len);
        ck_assert_uint_eq(convert("cu42", back, p32, len, 0), len16);
        ck_assert_mem_eq(bench.st->base + back, bench.st->base + p16, len16);
    }
}
END_TEST

START_TEST(unicode_condition_codes)
{
    static const u8 bad[] = {'a', 0xc0, 0x80, 'b', 0xe2, 0x82};
    struct operands o = {AREA + 4096, 100, AREA, 6, 0};
    memcpy(bench.st->base + AREA, bad, sizeof bad);
    struct dinsn d = pairs(&o, "cu12");
    d.r3 = 1;
    ck_assert_int_eq(body_run_all(&bench, "cu12", d), 0);
    ck_assert_uint_eq(bench.c->cc, 2); /* overlong form */
    ck_assert_uint_eq(bench.c->gr[4], AREA + 1);
    d = pairs(&o, "cu12");
    ck_assert_int_eq(body_run_all(&bench, "cu12", d), 0);
    ck_assert_uint_eq(bench.c->cc, 0); /* not checked; an incomplete character is left */
    ck_assert_uint_eq(bench.c->gr[5], 2);
    o.len1 = 3;
    d = pairs(&o, "cu12");
    ck_assert_int_eq(body_run_all(&bench, "cu12", d), 0);
    ck_assert_uint_eq(bench.c->cc, 1); /* no room for a second character */
    ck_assert_uint_eq(bench.c->gr[3], 1);
}
END_TEST

START_TEST(translates_sizes)
{
    static const char *const names[] = {"troo", "trot", "trto", "trtt"};
    const char *mn = names[_i];
    unsigned from = _i < 2 ? 1 : 2, to = _i & 1 ? 2 : 1;
    u64 table = BODY_STORAGE_BYTES / 2, to_ea = AREA, from_ea = AREA + 8001;
    struct dinsn d = {.r1 = 2, .r2 = 4};
    for (unsigned i = 0; i < 0x20000; i++)
        bench.st->base[table + i] = (u8)(body_random(&bench) >> 32 | 1);
    fill(256);
    u8 out[2] = {0}, *source = bench.st->base + from_ea;
    memset(source + 40 * from, 0x77, from);
    bench.c->gr[0] = 0;
    unsigned in = from == 1 ? 0x77 : 0x7777;
    memcpy(bench.st->base + table + in * to, out, to);
    bench.c->gr[1] = table;
    bench.c->gr[2] = to_ea;
    bench.c->gr[3] = 100u * from;
    bench.c->gr[4] = from_ea;
    ck_assert_int_eq(body_run_all(&bench, mn, d), 0);
    ck_assert_uint_eq(bench.c->cc, 1);
    u64 done = (bench.c->gr[2] - to_ea) / to;
    ck_assert_uint_le(done, 40);
    ck_assert_uint_eq(bench.c->gr[3], (100 - done) * from);
    ck_assert_uint_eq(bench.c->gr[4], from_ea + done * from);
    for (u64 i = 0; i < done; i++) {
        unsigned v = from == 1 ? source[i] : be16_load(source + 2 * i);
        ck_assert_mem_eq(bench.st->base + to_ea + i * to, bench.st->base + table + v * to, to);
    }
}
END_TEST

/* -- PLO -- */

/** Parameter list at AREA; op2 at AREA+0x200, op4.. 0x40 apart behind it. */
static int plo(unsigned code)
{
    u64 list = AREA, op2 = AREA + 0x200;
    struct dinsn d = {.r1 = 2, .r3 = 4, .r2 = 6, .b2 = 7};
    bool list_form = code & 1 || code >= 16;
    bench.c->gr[0] = code;
    bench.c->gr[6] = op2;
    bench.c->gr[7] = list_form ? list : op2 + 0x40;
    for (unsigned i = 0; i < 3; i++)
        be64_store(bench.st->base + list + 72 + 32 * i, op2 + 0x40 + 0x40 * i);
    return body_run(&bench, "plo", d);
}

static void plo_fill(unsigned code, u8 op2)
{
    u8 *list = bench.st->base + AREA;
    memset(list, 0, 0x400);
    for (unsigned i = 0; i < 4; i++)
        memset(list + i * 16, (int)(0x11 * (i + 1)), 16); /* op1c op1r op3c op3r */
    memset(list + 80, 0x55, 16);
    memset(list + 112, 0x66, 16);
    memset(list + 0x200, op2, 16);
    memset(list + 0x240, 0x33, 16);
    bench.c->gr[2] = 0x1111111111111111ull;
    bench.c->gr[3] = 0x2222222222222222ull;
    bench.c->gr[4] = code / 4 == 2 ? 0x3333333333333333ull : 0x4444444444444444ull;
    bench.c->gr[5] = 0x4444444444444444ull;
}

START_TEST(plo_codes)
{
    static const u8 lengths[4] = {4, 8, 8, 16};
    unsigned code = (unsigned)_i, len = lengths[code % 4], operation = code / 4;
    const u8 *op = bench.st->base + AREA + 0x200;
    bool regs = code % 2 == 0;
    plo_fill(code, 0x99);
    ck_assert_int_eq(plo(code), 0);
    ck_assert_uint_eq(bench.c->cc, 1);
    ck_assert_uint_eq(op[0], 0x99);
    ck_assert_uint_eq(regs ? bench.c->gr[2] & 0xff : bench.st->base[AREA + 16 - len], 0x99);
    plo_fill(code, 0x11);
    ck_assert_int_eq(plo(code), 0);
    ck_assert_uint_eq(bench.c->cc, 0);
    ck_assert_uint_eq(op[0], operation == 0 ? 0x11 : 0x22);
    ck_assert_uint_eq(op[len - 1], operation == 0 ? 0x11 : 0x22);
    ck_assert_uint_eq(op[len], len == 16 ? 0 : 0x11);
    if (operation >= 2)
        ck_assert_uint_eq(op[0x40 + len - 1], 0x44);
    if (operation >= 4)
        ck_assert_uint_eq(op[0x80 + len - 1], 0x55);
    if (operation >= 5)
        ck_assert_uint_eq(op[0xc0 + len - 1], 0x66);
    if (operation == 0)
        ck_assert_uint_eq(regs ? bench.c->gr[4] & 0xff : bench.st->base[AREA + 47], 0x33);
}
END_TEST

START_TEST(plo_test_bit_and_specification)
{
    plo_fill(0, 0x11);
    ck_assert_int_eq(plo(0x100 | 23), 0);
    ck_assert_uint_eq(bench.c->cc, 0);
    ck_assert_int_eq(plo(0x100 | 24), 0);
    ck_assert_uint_eq(bench.c->cc, 3);
    ck_assert_int_eq(plo(24), PGM_SPECIFICATION);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu_string");
    TCase *tc = tcase_create("string");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, combines_left_to_right, 0, 6);
    tcase_add_test(tc, clc_compares);
    tcase_add_test(tc, tr_translates);
    tcase_add_test(tc, tr_with_missing_table_end);
    tcase_add_loop_test(tc, trt_finds, 0, 2);
    tcase_add_test(tc, mvcin_reverses);
    tcase_add_loop_test(tc, moves_with_padding, 0, 3);
    tcase_add_test(tc, mvcl_destructive_overlap);
    tcase_add_test(tc, mvcl_progress_before_exception);
    tcase_add_test(tc, mvcle_register_bits);
    tcase_add_loop_test(tc, compares_with_padding, 0, 3);
    tcase_add_test(tc, clst_compares);
    tcase_add_test(tc, mvst_moves);
    tcase_add_test(tc, srst_searches);
    tcase_add_test(tc, cuse_finds);
    tcase_add_test(tc, cksm_sums);
    tcase_add_test(tc, mvpg_moves);
    tcase_add_test(tc, unicode_ring);
    tcase_add_test(tc, unicode_condition_codes);
    tcase_add_loop_test(tc, translates_sizes, 0, 4);
    tcase_add_loop_test(tc, plo_codes, 0, 24);
    tcase_add_test(tc, plo_test_bit_and_specification);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
