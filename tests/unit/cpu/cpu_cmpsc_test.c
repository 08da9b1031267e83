/* COMPRESSION CALL against an encoder and decoder of the test's own: random trees are written as
 * compression and expansion dictionaries, all symbol sizes and both formats of sibling descriptors;
 * text goes through by the rules of the tree, not of its entries. Then the edges: condition codes,
 * partial completion, resuming at any bit, exceptions with registers at the last whole symbol. */
#include "tests/lib/cpu_body.h"

#define DICT 0x20000u
#define TEXT 0x50003u
#define PACKED 0x70005u
#define OUT 0x90007u
#define TEXT_BYTES_MAX 24000u
#define NODES_MAX 8192u
#define NONE 0xffffu
#define SYMBOL_TEXT_MAX 300u

/* A node of the tree; its place in the array is its index in both dictionaries. */
struct node {
    bool used;
    u8 own[5]; /* characters it adds */
    unsigned count, length, kids, in_parent;
    u16 parent, first;
};

static struct body_bench b;
static struct node nodes[NODES_MAX];
static unsigned limit, next_free, cdss;
static bool format1;
static u8 text[TEXT_BYTES_MAX], expected[2 * TEXT_BYTES_MAX];

static void setup(void)
{
    body_setup(&b);
}

static void teardown(void)
{
    body_teardown(&b);
}

static u8 *at(u64 abs)
{
    return b.st->base + abs;
}

static u8 *entry(unsigned index)
{
    return at(DICT + 8ull * index);
}

static u8 *expansion(unsigned index)
{
    return at(DICT + 8ull * (limit + index));
}

/* -- the tree -- */

static unsigned siblings_room(void)
{
    return format1 ? 14 : 7;
}

static u16 node_kid(const struct node *n, unsigned k)
{
    unsigned rest = k - n->in_parent;
    if (k < n->in_parent)
        return (u16)(n->first + k);
    return (u16)(n->first + k + 1 + rest / siblings_room());
}

static unsigned entries_for(const struct node *n)
{
    unsigned rest = n->kids - n->in_parent, room = siblings_room();
    return n->kids + (rest + room - 1) / room;
}

static void node_add(unsigned index, u16 parent, u8 first, unsigned more)
{
    struct node *n = &nodes[index];
    *n = (struct node){.used = true, .parent = parent, .count = 1 + more};
    n->length = n->count + (parent == NONE ? 0 : nodes[parent].length);
    n->own[0] = first;
    for (unsigned i = 1; i <= more; i++)
        n->own[i] = (u8)('a' + body_below(&b, 2));
}

/* Give a node children; first characters differ. */
static void node_grow(unsigned index)
{
    struct node *n = &nodes[index];
    static const unsigned sizes[] = {1, 2, 4, 5, 6, 11, 12, 13, 19, 20, 26, 40};
    n->kids = n->count > 2 ? 1 : sizes[body_below(&b, ARRAY_LEN(sizes))];
    unsigned room = n->kids == 1 ? 1 : 5 - (n->count - 1);
    n->in_parent = n->kids < room ? n->kids : room;
    n->first = (u16)next_free;
    if (next_free + entries_for(n) > limit) {
        n->kids = 0;
        return;
    }
    next_free += entries_for(n);
    u8 start = (u8)('a' + body_below(&b, 4));
    for (unsigned k = 0; k < n->kids; k++)
        node_add(node_kid(n, k), (u16)index, (u8)(start + k), (unsigned)body_below(&b, 5));
}

static void tree_make(void)
{
    limit = 256u << cdss;
    next_free = 256;
    memset(nodes, 0, sizeof nodes);
    for (unsigned i = 0; i < 256; i++)
        node_add(i, NONE, (u8)i, 0);
    for (unsigned i = 'a'; i < limit && next_free < limit - 40; i = i == 255 ? 256 : i + 1)
        if (nodes[i].used && nodes[i].length < 100 && (i < 'h' || body_below(&b, 2)))
            node_grow(i);
}

/* -- its dictionaries -- */

static bool examined(unsigned index)
{
    return nodes[index].kids > 0 || nodes[index].count > 1;
}

static void character_write(unsigned index)
{
    const struct node *n = &nodes[index];
    unsigned more = n->kids > n->in_parent, sd = siblings_room();
    u64 e = (u64)(n->in_parent + more) << 61 | (u64)n->first << 40;
    for (unsigned k = 0; k < n->in_parent; k++)
        e |= (u64)examined(node_kid(n, k)) << (60 - k);
    for (unsigned y = 0; y < 2; y++) {
        unsigned k = n->in_parent + sd - 2 + y;
        if (k < n->kids)
            e |= (u64)examined(node_kid(n, k)) << (55 - y);
    }
    e |= (u64)(n->count - 1) << 53;
    be64_store(entry(index), e);
    memcpy(entry(index) + 3, n->own + 1, n->count - 1);
    for (unsigned k = 0; k < n->in_parent; k++)
        entry(index)[3 + n->count - 1 + k] = nodes[node_kid(n, k)].own[0];
}

static void siblings_write(unsigned index)
{
    const struct node *n = &nodes[index];
    unsigned room = siblings_room();
    for (unsigned k = n->in_parent; k < n->kids; k += room) {
        unsigned here = n->kids - k < room ? n->kids - k : room, sd = node_kid(n, k) - 1u;
        bool more = n->kids - k > room;
        unsigned known = format1 ? 12 : 5, count = more ? (format1 ? 15 : 0) : here;
        u16 head = (u16)(count << (format1 ? 12 : 13));
        u8 chars[14] = {0};
        for (unsigned i = 0; i < here; i++) {
            chars[i] = nodes[node_kid(n, k + i)].own[0];
            if (i < known && examined(node_kid(n, k + i)))
                head |= (u16)(1u << ((format1 ? 11 : 12) - i));
        }
        be16_store(entry(sd), head);
        memcpy(entry(sd) + (format1 ? 2 : 1), chars, format1 ? 6 : 7);
        if (format1)
            memcpy(expansion(sd), chars + 6, 8);
    }
}

static unsigned node_text(unsigned index, u8 *out)
{
    const struct node *n = &nodes[index];
    for (unsigned i = index; i != NONE; i = nodes[i].parent)
        memcpy(out + nodes[i].length - nodes[i].count, nodes[i].own, nodes[i].count);
    return n->length;
}

static void expansion_write(unsigned index)
{
    const struct node *n = &nodes[index];
    u8 all[SYMBOL_TEXT_MAX], *e = expansion(index);
    node_text(index, all);
    memset(e, 0, 8);
    if (n->length <= 7 && (n->parent == NONE || body_below(&b, 2))) {
        e[0] = (u8)n->length;
        memcpy(e + 1, all, n->length);
        return;
    }
    be16_store(e, (u16)(n->count << 13 | n->parent));
    memcpy(e + 2, n->own, n->count);
    e[7] = (u8)(n->length - n->count);
}

static void dictionaries_write(void)
{
    memset(at(DICT), 0, 0x20000);
    for (unsigned i = 0; i < limit; i++)
        if (nodes[i].used) {
            character_write(i);
            expansion_write(i);
        }
    for (unsigned i = 0; i < limit; i++)
        if (nodes[i].used)
            siblings_write(i);
}

/* -- compressing by the tree -- */

static bool begins(unsigned kid, const u8 *p, unsigned left)
{
    return nodes[kid].count <= left && !memcmp(p, nodes[kid].own, nodes[kid].count);
}

static unsigned longest(const u8 *p, unsigned left)
{
    unsigned index = p[0];
    for (;;) {
        const struct node *n = &nodes[index];
        unsigned k = 0;
        while (k < n->kids && !begins(node_kid(n, k), p + n->length, left - n->length))
            k++;
        if (k == n->kids)
            return index;
        index = node_kid(n, k);
    }
}

static void bits_put(u8 *p, unsigned bit, unsigned n, unsigned v)
{
    for (unsigned i = 0; i < n; i++, bit++) {
        u8 mask = (u8)(0x80 >> bit % 8);
        p[bit / 8] = v >> (n - 1 - i) & 1 ? p[bit / 8] | mask : p[bit / 8] & (u8)~mask;
    }
}

/* Compress `len` bytes of text behind `bit` into `expected`; the bit behind the last symbol. */
static unsigned model_compress(unsigned len, unsigned bit, const u16 *translated)
{
    for (unsigned i = 0; i < len; bit += 8 + cdss) {
        unsigned index = longest(text + i, len - i);
        bits_put(expected, bit, 8 + cdss, translated ? translated[index] : index);
        i += nodes[index].length;
    }
    return bit;
}

static void text_make(unsigned len)
{
    for (unsigned i = 0; i < len;) {
        u8 all[SYMBOL_TEXT_MAX];
        unsigned index = (unsigned)body_below(&b, limit), n = 1;
        all[0] = (u8)('a' + body_below(&b, 10));
        if (nodes[index].used && body_below(&b, 4))
            n = node_text(index, all);
        n = n < len - i ? n : len - i;
        memcpy(text + i, all, n);
        i += n;
    }
}

/* -- running -- */

/* Registers: first operand in 2 and 3, second in 4 and 5. */
static struct dinsn operands(u64 ea1, u64 len1, u64 ea2, u64 len2, unsigned bit, bool expand)
{
    u64 *gr = b.c->gr;
    gr[0] = cdss << 12 | (expand ? 0x100 : 0) | (format1 ? 0x200 : 0);
    gr[1] = (expand ? DICT + 8 * limit : DICT) | bit;
    gr[2] = ea1;
    gr[3] = len1;
    gr[4] = ea2;
    gr[5] = len2;
    return (struct dinsn){.r1 = 2, .r2 = 4};
}

static void tree_of_case(unsigned i)
{
    cdss = i / 2 % 5 + 1;
    format1 = i & 1;
    b.seed += i;
    tree_make();
    dictionaries_write();
}

START_TEST(there_and_back)
{
    tree_of_case((unsigned)_i);
    unsigned len = 1 + (unsigned)body_below(&b, _i < 10 ? TEXT_BYTES_MAX : 300);
    unsigned bit = (unsigned)body_below(&b, 8);
    text_make(len);
    memcpy(at(TEXT), text, len);
    for (unsigned i = 0; i < sizeof expected; i++)
        at(PACKED)[i] = expected[i] = (u8)body_random(&b);
    unsigned end = model_compress(len, bit, NULL), room = (end + 7) / 8;
    ck_assert_int_eq(body_run_all(&b, "cmpsc", operands(PACKED, room, TEXT, len, bit, false)),
                     0);
    ck_assert_uint_eq(b.c->cc, 0);
    ck_assert_uint_eq(b.c->gr[4], TEXT + len);
    ck_assert_uint_eq(b.c->gr[5], 0);
    ck_assert_uint_eq(b.c->gr[2], PACKED + end / 8);
    ck_assert_uint_eq(b.c->gr[3], room - end / 8);
    ck_assert_uint_eq(b.c->gr[1], DICT | end % 8);
    ck_assert(!memcmp(at(PACKED), expected, sizeof expected));
    memset(at(OUT), 0xee, len + 8);
    ck_assert_int_eq(body_run_all(&b, "cmpsc", operands(OUT, len + 3, PACKED, room, bit, true)),
                     0);
    ck_assert_uint_eq(b.c->cc, 0);
    ck_assert_uint_eq(b.c->gr[2], OUT + len);
    ck_assert_uint_eq(b.c->gr[3], 3);
    ck_assert_uint_eq(b.c->gr[4], PACKED + end / 8);
    ck_assert(!memcmp(at(OUT), text, len));
    ck_assert_uint_eq(*at(OUT + len), 0xee);
}
END_TEST

/* Given room little by little: condition code 1, nothing lost, nothing twice. */
START_TEST(room_comes_in_pieces)
{
    tree_of_case((unsigned)_i);
    unsigned len = 1000;
    text_make(len);
    memcpy(at(TEXT), text, len);
    memset(expected, 0, sizeof expected);
    memset(at(PACKED), 0, sizeof expected);
    unsigned end = model_compress(len, 0, NULL), room = (end + 7) / 8;
    struct dinsn d = operands(PACKED, 0, TEXT, len, 0, false);
    for (u64 given = 0;;) {
        ck_assert_int_eq(body_run_all(&b, "cmpsc", d), 0);
        if (b.c->cc == 0)
            break;
        ck_assert_uint_eq(b.c->cc, 1);
        ck_assert_uint_lt(b.c->gr[3] * 8, (b.c->gr[1] & 7) + 8 + cdss);
        u64 more = 1 + body_below(&b, 5);
        more = more < room - given ? more : room - given;
        given += more;
        b.c->gr[3] += more;
    }
    ck_assert(!memcmp(at(PACKED), expected, room));
    d = operands(OUT, 0, PACKED, room, 0, true);
    for (unsigned given = 0; given <= len;) {
        ck_assert_int_eq(body_run_all(&b, "cmpsc", d), 0);
        if (b.c->cc == 0)
            break;
        ck_assert_uint_eq(b.c->cc, 1);
        b.c->gr[3]++;
        given++;
    }
    ck_assert_uint_eq(b.c->gr[2], OUT + len);
    ck_assert(!memcmp(at(OUT), text, len));
}
END_TEST

/* Outside the 64-bit mode only bits 32-63 count and change. */
START_TEST(bits_0_to_31_stay)
{
    const u64 high = 0x123456789ull << 28 & ~0xffffffffull;
    tree_of_case(4);
    text_make(500);
    memcpy(at(TEXT), text, 500);
    unsigned end = model_compress(500, 0, NULL), room = (end + 7) / 8;
    body_mode(&b, _i ? PSW_BA : 0);
    struct dinsn d = operands(PACKED, room, TEXT, 500, 0, false);
    for (unsigned r = 0; r < 6; r++)
        b.c->gr[r] |= high | (!_i && r != 0 && r != 3 && r != 5 ? 0xff000000u : 0);
    ck_assert_int_eq(body_run_all(&b, "cmpsc", d), 0);
    for (unsigned r = 0; r < 6; r++)
        ck_assert_uint_eq(b.c->gr[r] >> 32, high >> 32);
    ck_assert_uint_eq(b.c->gr[2] & 0xffffff, PACKED + end / 8);
    ck_assert(!memcmp(at(PACKED), expected, end / 8));
}
END_TEST

START_TEST(symbols_are_translated)
{
    static u16 table[NODES_MAX];
    tree_of_case(5); /* 11 bits: a table fits behind the dictionaries */
    for (unsigned i = 0; i < limit; i++)
        be16_store(at(DICT + 0x8000 + 2 * i), table[i] = (u16)(i ^ 0x155));
    text_make(2000);
    memcpy(at(TEXT), text, 2000);
    memset(expected, 0, sizeof expected);
    memset(at(PACKED), 0, sizeof expected);
    unsigned end = model_compress(2000, 3, table);
    struct dinsn d = operands(PACKED, 9000, TEXT, 2000, 3, false);
    b.c->gr[0] |= 0x10000;
    b.c->gr[1] |= 0x8000 / 128 << 3;
    ck_assert_int_eq(body_run_all(&b, "cmpsc", d), 0);
    ck_assert_uint_eq(b.c->gr[1], DICT | 0x8000 / 128 << 3 | end % 8);
    ck_assert(!memcmp(at(PACKED), expected, sizeof expected));
}
END_TEST

/* -- edges -- */

static void entry_set(unsigned index, u64 compression, u64 expanding)
{
    be64_store(entry(index), compression);
    be64_store(expansion(index), expanding);
}

/* Two children that begin alike: the second is tried when the rest of the first does not fit. */
START_TEST(children_that_begin_alike)
{
    static const struct {
        const char *in;
        u16 symbols[3];
    } cases[] = {
        {"abc", {0x100}}, {"abd", {0x101}}, {"ab", {'a', 'b'}},     {"abx", {'a', 'b', 'x'}},
        {"az", {0x102}},  {"a", {'a'}},     {"abcz", {0x100, 'z'}},
    };
    cdss = 1;
    limit = 512;
    format1 = false;
    memset(at(DICT), 0, 0x2000);
    entry_set('a', 3ull << 61 | 7ull << 58 | 0x100ull << 40 | 0x62627a0000ull, 0);
    entry_set(0x100, 1ull << 53 | (u64)'c' << 32, 0);
    entry_set(0x101, 1ull << 53 | (u64)'d' << 32, 0);
    unsigned n = 0, len = (unsigned)strlen(cases[_i].in);
    memset(expected, 0, 8);
    memset(at(PACKED), 0, 8);
    for (; n < 3 && cases[_i].symbols[n]; n++)
        bits_put(expected, 9 * n, 9, cases[_i].symbols[n]);
    memcpy(at(TEXT), cases[_i].in, len);
    ck_assert_int_eq(body_run(&b, "cmpsc", operands(PACKED, 8, TEXT, len, 0, false)), 0);
    ck_assert_uint_eq(b.c->cc, 0);
    ck_assert(!memcmp(at(PACKED), expected, 8));
    ck_assert_uint_eq(b.c->gr[3], 8 - 9 * n / 8);
}
END_TEST

START_TEST(specification)
{
    tree_of_case(0);
    struct dinsn d = operands(PACKED, 10, TEXT, 10, 0, false);
    ck_assert_int_eq(body_run(&b, "cmpsc", (struct dinsn){.r1 = 3, .r2 = 4}),
                     PGM_SPECIFICATION);
    ck_assert_int_eq(body_run(&b, "cmpsc", (struct dinsn){.r1 = 2, .r2 = 5}),
                     PGM_SPECIFICATION);
    b.c->gr[0] = 0;
    ck_assert_int_eq(body_run(&b, "cmpsc", d), PGM_SPECIFICATION);
    b.c->gr[0] = 6 << 12;
    ck_assert_int_eq(body_run(&b, "cmpsc", d), PGM_SPECIFICATION);
    ck_assert_uint_eq(b.c->gr[5], 10);
}
END_TEST

/* Dictionaries that break the rules; text "ax", or the symbol X'100' to expand. */
START_TEST(data_exceptions)
{
    static const struct {
        bool expand;
        u64 alphabet, other;
    } cases[] = {
        {false, 7ull << 61, 0},              /* count 7 */
        {false, 6ull << 61 | 1ull << 53, 0}, /* 6 with an extension */
        {false, 1ull << 61 | 1ull << 60 | 0x100ull << 40 | 'x' * (1ull << 32), 5ull << 53},
        {false, 1ull << 61 | 0x1fffull << 40, 0}, /* beyond the end */
        {false, 6ull << 61 | 0x100ull << 40, 0},  /* endless siblings */
        {true, 0, 0},                             /* no characters */
        {true, 0, 6ull << 61},                    /* 6 in a chain */
        {true, 0, 1ull << 61 | 0x100ull << 48},   /* endless chain */
    };
    cdss = 1;
    limit = 512;
    format1 = false;
    memset(at(DICT), 0, 0x2000);
    entry_set('a', cases[_i].alphabet, 0);
    for (unsigned i = 0x100; i < 0x200; i++)
        entry_set(i, cases[_i].other, cases[_i].other);
    memcpy(at(TEXT), "bax", 3);
    memcpy(at(PACKED), "\x31\x40\x00", 3); /* 9 bits each: 'b', X'100' */
    be64_store(expansion('b'), 0x0162ull << 48);
    struct dinsn d = cases[_i].expand ? operands(OUT, 99, PACKED, 4, 0, true)
                                      : operands(OUT, 99, TEXT, 3, 0, false);
    ck_assert_int_eq(body_run(&b, "cmpsc", d), PGM_DATA);
    ck_assert_uint_eq(b.c->gr[5], cases[_i].expand ? 3 : 2); /* behind 'b' */
    ck_assert_uint_eq(b.c->gr[1] & 7, 1);
}
END_TEST

/* Storage ends in the middle of an operand or of the dictionary. */
START_TEST(storage_ends)
{
    const u64 end = BODY_STORAGE_BYTES;
    tree_of_case(8);
    text_make(400);
    memcpy(at(TEXT), text, 400);
    memset(expected, 0, sizeof expected);
    unsigned all = model_compress(400, 0, NULL);
    memset(at(end - 64), 0, 64);
    ck_assert_int_eq(body_run(&b, "cmpsc", operands(end - 51, 999, TEXT, 400, 0, false)),
                     PGM_ADDRESSING);
    u64 done = (b.c->gr[2] - (end - 51)) * 8 + (b.c->gr[1] & 7);
    ck_assert_uint_gt(done + 8 + cdss, 51 * 8);
    ck_assert_uint_eq(done % (8 + cdss), 0);
    ck_assert_uint_eq(b.c->gr[4] + b.c->gr[5], TEXT + 400);
    ck_assert(!memcmp(at(end - 51), expected, done / 8));
    memcpy(at(PACKED), expected, all / 8 + 1);
    ck_assert_int_eq(body_run(&b, "cmpsc", operands(end - 51, 999, PACKED, 400, 0, true)),
                     PGM_ADDRESSING);
    ck_assert_uint_le(b.c->gr[2], end);
    ck_assert(!memcmp(at(end - 51), text, b.c->gr[2] - (end - 51)));
    memcpy(at(end - 20), text, 20);
    ck_assert_int_eq(body_run(&b, "cmpsc", operands(OUT, 999, end - 20, 400, 0, false)),
                     PGM_ADDRESSING);
    struct dinsn d = operands(OUT, 999, TEXT, 400, 0, false);
    b.c->gr[1] = end;
    ck_assert_int_eq(body_run(&b, "cmpsc", d), PGM_ADDRESSING);
    ck_assert_uint_eq(b.c->gr[5], 400);
}
END_TEST

/* A destination in a frame that holds decoded instructions. */
START_TEST(into_code)
{
    tree_of_case(3);
    text_make(300);
    memcpy(at(TEXT), text, 300);
    memset(expected, 0, sizeof expected);
    memset(at(PACKED), 0, 1000);
    unsigned end = model_compress(300, 0, NULL);
    body_mark_code(&b, PACKED & ~0xfffu, true);
    ck_assert_int_eq(body_run_all(&b, "cmpsc", operands(PACKED, 999, TEXT, 300, 0, false)), 0);
    ck_assert(!memcmp(at(PACKED), expected, end / 8 + 1));
    body_mark_code(&b, PACKED & ~0xfffu, false);
}
END_TEST

/* -- zero padding: to the next multiple of 256 bytes when the operand reaches it -- */

static unsigned zeros_from(u64 from)
{
    unsigned n = 0;
    while (*at(from + n) == 0)
        n++;
    return n;
}

/* What is behind the end of the first operand after `d`; `_i` expansion. */
START_TEST(padding)
{
    tree_of_case(3);
    text_make(300);
    memcpy(at(TEXT), text, 300);
    memset(expected, 0, sizeof expected);
    unsigned end = model_compress(300, 0, NULL), packed = end / 8 + (end % 8 != 0);
    memcpy(at(PACKED), expected, packed);
    u64 from = _i ? OUT + 300 : OUT + packed, to = (from + 255) & ~255ull;
    for (unsigned less = 0; less < 2; less++)
        for (unsigned on = 0; on < 2; on++) {
            memset(at(OUT), 0xff, 1024);
            u64 len = to - OUT - less;
            struct dinsn d = _i ? operands(OUT, len, PACKED, packed, 0, true)
                                : operands(OUT, len, TEXT, 300, 0, false);
            b.c->gr[0] |= on ? 0x20000 : 0;
            ck_assert_int_eq(body_run_all(&b, "cmpsc", d), 0);
            ck_assert_uint_eq(b.c->cc, 0);
            ck_assert_uint_eq(b.c->gr[2], _i ? OUT + 300 : OUT + end / 8); /* not counted */
            ck_assert_uint_eq(b.c->gr[3], OUT + len - b.c->gr[2]);
            ck_assert_uint_eq(zeros_from(from), on && !less ? to - from : 0);
        }
}
END_TEST

/* Nothing is padded on a machine without the enhancement, nor where storage ends. */
START_TEST(padding_left_out)
{
    tree_of_case(3);
    memset(at(OUT), 0xff, 1024);
    memcpy(at(TEXT), "a", 1);
    b.c->set->facilities[47 / 8] &= (u8) ~(0x80 >> 47 % 8);
    struct dinsn d = operands(OUT, 1000, TEXT, 1, 0, false);
    b.c->gr[0] |= 0x20000;
    ck_assert_int_eq(body_run_all(&b, "cmpsc", d), 0);
    ck_assert_uint_eq(zeros_from(OUT + 2), 0);
    b.c->set->facilities[47 / 8] |= 0x80 >> 47 % 8;
    d = operands(BODY_STORAGE_BYTES + 5, 1000, TEXT, 0, 0, false);
    b.c->gr[0] |= 0x20000;
    ck_assert_int_eq(body_run_all(&b, "cmpsc", d), 0);
    ck_assert_uint_eq(b.c->cc, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu_cmpsc");
    TCase *tc = tcase_create("cmpsc");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, there_and_back, 0, 200);
    tcase_add_loop_test(tc, room_comes_in_pieces, 0, 10);
    tcase_add_loop_test(tc, bits_0_to_31_stay, 0, 2);
    tcase_add_test(tc, symbols_are_translated);
    tcase_add_loop_test(tc, children_that_begin_alike, 0, 7);
    tcase_add_test(tc, specification);
    tcase_add_loop_test(tc, data_exceptions, 0, 8);
    tcase_add_test(tc, storage_ends);
    tcase_add_test(tc, into_code);
    tcase_add_loop_test(tc, padding, 0, 2);
    tcase_add_test(tc, padding_left_out);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
