/* TRE, TROO..TRTT, TRTE and the Unicode conversions: a character at a time, at most
 * CHARACTERS_MAX of them in one execution (then condition code 3). Registers show what is done
 * however the instruction ends, so an access exception loses nothing. */
#include "cpu/insn/operand.h"

#define CHARACTERS_MAX 4096u

/** Source and destination, as processing goes on; operand 1 is the destination. */
struct conversion {
    u64 ea1, ea2, len1, len2;
    unsigned b1, b2;
    bool checked;  /* well-formedness checking (M3) */
    unsigned used; /* source bytes of the character decoded last */
    u32 character;
};

static int load_character(struct cpu *c, u64 ea, unsigned b, unsigned size, u32 *v)
{
    u8 one = 0;
    u16 two = 0;
    int rc = size == 1 ? load_u8(c, ea, b, &one) : load_u16(c, ea, b, &two);
    *v = size == 1 ? one : two;
    return rc;
}

static int store_character(struct cpu *c, u64 ea, unsigned b, unsigned size, u32 v)
{
    return size == 1 ? store_u8(c, ea, b, (u8)v) : store_u16(c, ea, b, (u16)v);
}

/* B2A5 TRE TRANSLATE EXTENDED: test byte in GR0, table at (r2) */
INSN(tre)
{
    unsigned r1 = d->r1;
    u8 test = (u8)c->gr[0], table[256];
    if (r1 & 1)
        return PGM_SPECIFICATION;
    u64 ea = reg_addr(c, r1), len = reg_len(c, r1 + 1), start = len;
    TRY(access_fetch(c, reg_addr(c, d->r2), d->r2, table, sizeof table));
    int rc = 0;
    u8 byte = 0, cc = 0;
    while (len > 0 && cc == 0 && rc == 0) {
        if (start - len >= CHARACTERS_MAX) {
            cc = 3;
        } else if ((rc = load_u8(c, ea, r1, &byte)) == 0 && byte == test) {
            cc = 1;
        } else if (rc == 0 && (rc = store_u8(c, ea, r1, table[byte])) == 0) {
            ea = (ea + 1) & c->amask;
            len--;
        }
    }
    reg_addr_set(c, r1, ea);
    reg_len_set(c, r1 + 1, len);
    TRY(rc);
    c->cc = cc;
    return 0;
}

/** One character; *end when the test character came out of the table. */
static int translate_one(struct cpu *c, struct conversion *o, unsigned from, unsigned to,
                         bool test, bool *end)
{
    u32 in, out;
    TRY(load_character(c, o->ea2, o->b2, from, &in));
    u64 entry = (c->gr[1] & c->amask & ~7ull) + (u64)in * to;
    TRY(load_character(c, entry & c->amask, 1, to, &out));
    *end = test && out == (to == 1 ? (u8)c->gr[0] : (u16)c->gr[0]);
    if (*end)
        return 0;
    TRY(store_character(c, o->ea1, o->b1, to, out));
    o->ea1 = (o->ea1 + to) & c->amask;
    o->ea2 = (o->ea2 + from) & c->amask;
    o->len2 -= from;
    return 0;
}

/** TROO..TRTT; the length in r1 + 1 is that of the source. */
static int translate_sizes(struct cpu *c, const struct dinsn *d, unsigned from, unsigned to)
{
    unsigned r1 = d->r1, r2 = d->r2;
    bool test = !(d->r3 & 1) || !facility_has(c->set->facilities, FAC_ETF2E), end = false;
    struct conversion o = {.ea1 = reg_addr(c, r1), .ea2 = reg_addr(c, r2), .b1 = r1, .b2 = r2};
    if (r1 & 1)
        return PGM_SPECIFICATION;
    o.len2 = reg_len(c, r1 + 1);
    if (o.len2 & (from - 1))
        return PGM_SPECIFICATION;
    int rc = 0;
    for (unsigned n = 0; n < CHARACTERS_MAX && o.len2 > 0 && !end && rc == 0; n++)
        rc = translate_one(c, &o, from, to, test, &end);
    reg_addr_set(c, r1, o.ea1);
    reg_len_set(c, r1 + 1, o.len2);
    reg_addr_set(c, r2, o.ea2);
    TRY(rc);
    c->cc = end ? 1 : o.len2 > 0 ? 3 : 0;
    return 0;
}

/* B993 TROO TRANSLATE ONE TO ONE */
INSN(troo)
{
    return translate_sizes(c, d, 1, 1);
}

/* B992 TROT TRANSLATE ONE TO TWO */
INSN(trot)
{
    return translate_sizes(c, d, 1, 2);
}

/* B991 TRTO TRANSLATE TWO TO ONE */
INSN(trto)
{
    return translate_sizes(c, d, 2, 1);
}

/* B990 TRTT TRANSLATE TWO TO TWO */
INSN(trtt)
{
    return translate_sizes(c, d, 2, 2);
}

/** Function code of the argument at ea; M3 says sizes and whether arguments are limited. */
static int function_code(struct cpu *c, u64 ea, unsigned r1, unsigned m3, u32 *code)
{
    unsigned from = m3 & 8 ? 2 : 1, to = m3 & 4 ? 2 : 1;
    u32 argument;
    TRY(load_character(c, ea, r1, from, &argument));
    *code = 0;
    if (from == 2 && (m3 & 2) && argument > 255)
        return 0;
    u64 entry = (c->gr[1] & c->amask & ~7ull) + (u64)argument * to;
    return load_character(c, entry & c->amask, 1, to, code);
}

/** TRTE and TRTRE: `forward` or backward from the address in r1. */
static int test_extended(struct cpu *c, const struct dinsn *d, bool forward)
{
    unsigned r1 = d->r1, r2 = d->r2, m3 = d->r3, from = m3 & 8 ? 2 : 1;
    if (r1 & 1)
        return PGM_SPECIFICATION;
    u64 ea = reg_addr(c, r1), len = reg_len(c, r1 + 1);
    u32 code = 0;
    int rc = 0;
    if (len & (from - 1))
        return PGM_SPECIFICATION;
    for (unsigned n = 0; n < CHARACTERS_MAX && len > 0; n++) {
        rc = function_code(c, ea, r1, m3, &code);
        if (rc != 0 || code != 0)
            break;
        ea = (forward ? ea + from : ea - from) & c->amask;
        len -= from;
    }
    reg_addr_set(c, r1, ea);
    reg_len_set(c, r1 + 1, len);
    TRY(rc);
    c->cc = code != 0 ? 1 : len > 0 ? 3 : 0;
    if (c->cc != 3 && r2 != r1 && r2 != r1 + 1)
        reg_len_set(c, r2, code);
    return 0;
}

/* B9BF TRTE TRANSLATE AND TEST EXTENDED */
INSN(trte)
{
    return test_extended(c, d, true);
}

/* B9BD TRTRE TRANSLATE AND TEST REVERSE EXTENDED */
INSN(trtre)
{
    return test_extended(c, d, false);
}

/* -- Unicode -- */

/* What decoding and encoding return besides a program interruption. */
#define SOURCE_ENDS (-1)       /* condition code 0: no whole character is left */
#define DESTINATION_ENDS (-2)  /* 1 */
#define CHARACTER_INVALID (-3) /* 2 */

typedef int decode_fn(struct cpu *c, struct conversion *o);
typedef int encode_fn(struct cpu *c, struct conversion *o);

/** Bytes of the UTF-8 character that starts with `first`; 0 when none does. */
static unsigned utf8_length(u8 first, bool checked)
{
    if (first < 0x80)
        return 1;
    if (first < (checked ? 0xc2 : 0xc0))
        return 0;
    if (first < 0xe0)
        return 2;
    if (first < 0xf0)
        return 3;
    return first < (checked ? 0xf5 : 0xf8) ? 4 : 0;
}

/** Continuation bytes are ones, and the shortest form of a character that exists was used. */
static bool utf8_well_formed(const u8 *p, unsigned n, u32 character)
{
    static const u32 least[5] = {0, 0, 0x80, 0x800, 0x10000};
    for (unsigned i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return false;
    }
    return character >= least[n] && character <= 0x10ffff &&
           (character < 0xd800 || character > 0xdfff);
}

static int decode_utf8(struct cpu *c, struct conversion *o)
{
    u8 p[4];
    TRY(load_u8(c, o->ea2, o->b2, &p[0]));
    unsigned n = utf8_length(p[0], o->checked);
    if (n == 0)
        return CHARACTER_INVALID;
    if (o->len2 < n)
        return SOURCE_ENDS;
    u32 v = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (unsigned i = 1; i < n; i++) {
        TRY(load_u8(c, (o->ea2 + i) & c->amask, o->b2, &p[i]));
        v = v << 6 | (p[i] & 0x3f);
    }
    if (o->checked && !utf8_well_formed(p, n, v))
        return CHARACTER_INVALID;
    o->used = n;
    o->character = v;
    return 0;
}

static int decode_utf16(struct cpu *c, struct conversion *o)
{
    u16 first, second;
    if (o->len2 < 2)
        return SOURCE_ENDS;
    TRY(load_u16(c, o->ea2, o->b2, &first));
    o->used = 2;
    o->character = first;
    if ((first & 0xfc00) != 0xd800)
        return 0;
    if (o->len2 < 4)
        return SOURCE_ENDS;
    TRY(load_u16(c, (o->ea2 + 2) & c->amask, o->b2, &second));
    if (o->checked && (second & 0xfc00) != 0xdc00)
        return CHARACTER_INVALID;
    o->used = 4;
    o->character = ((first >> 6 & 0xfu) + 1) << 16 | (first & 0x3fu) << 10 | (second & 0x3ffu);
    return 0;
}

static int decode_utf32(struct cpu *c, struct conversion *o)
{
    if (o->len2 < 4)
        return SOURCE_ENDS;
    TRY(load_u32(c, o->ea2, o->b2, &o->character));
    o->used = 4;
    bool high_surrogate = o->character >= 0xd800 && o->character <= 0xdbff;
    return high_surrogate || o->character > 0x10ffff ? CHARACTER_INVALID : 0;
}

/** Put the bytes of one character and step over them. */
static int encoded(struct cpu *c, struct conversion *o, const u8 *p, unsigned n)
{
    if (o->len1 < n)
        return DESTINATION_ENDS;
    u8 *dst = tlb_store(c->space[o->b1], o->ea1, n);
    if (likely(dst != NULL))
        memcpy(dst, p, n);
    else
        TRY(access_put(c, o->ea1, o->b1, p, n));
    o->ea1 = (o->ea1 + n) & c->amask;
    o->len1 -= n;
    return 0;
}

static int encode_utf8(struct cpu *c, struct conversion *o)
{
    u32 v = o->character;
    unsigned n = v < 0x80 ? 1 : v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;
    u8 p[4];
    if (n == 1) {
        p[0] = (u8)v;
        return encoded(c, o, p, 1);
    }
    for (unsigned i = n - 1; i > 0; i--, v >>= 6)
        p[i] = (u8)(0x80 | (v & 0x3f));
    p[0] = (u8)(0xf00u >> n | v);
    return encoded(c, o, p, n);
}

static int encode_utf16(struct cpu *c, struct conversion *o)
{
    u32 v = o->character;
    u8 p[4];
    if (v < 0x10000) {
        be16_store(p, (u16)v);
        return encoded(c, o, p, 2);
    }
    be16_store(p, (u16)(0xd800 | (((v >> 16) - 1) & 0xf) << 6 | (v >> 10 & 0x3f)));
    be16_store(p + 2, (u16)(0xdc00 | (v & 0x3ff)));
    return encoded(c, o, p, 4);
}

static int encode_utf32(struct cpu *c, struct conversion *o)
{
    u8 p[4];
    be32_store(p, o->character);
    return encoded(c, o, p, 4);
}

static int convert(struct cpu *c, const struct dinsn *d, decode_fn *decode, encode_fn *encode)
{
    unsigned r1 = d->r1, r2 = d->r2;
    if ((r1 | r2) & 1)
        return PGM_SPECIFICATION;
    struct conversion o = {
        .ea1 = reg_addr(c, r1),
        .ea2 = reg_addr(c, r2),
        .b1 = r1,
        .b2 = r2,
        .len1 = reg_len(c, r1 + 1),
        .len2 = reg_len(c, r2 + 1),
        .checked = (d->r3 & 1) && facility_has(c->set->facilities, FAC_ETF3E),
    };
    int rc = 0;
    for (unsigned n = 0; n < CHARACTERS_MAX && rc == 0; n++) {
        rc = o.len2 == 0 ? SOURCE_ENDS : decode(c, &o);
        if (rc == 0)
            rc = encode(c, &o);
        if (rc == 0) {
            o.ea2 = (o.ea2 + o.used) & c->amask;
            o.len2 -= o.used;
        }
    }
    reg_addr_set(c, r1, o.ea1);
    reg_len_set(c, r1 + 1, o.len1);
    reg_addr_set(c, r2, o.ea2);
    reg_len_set(c, r2 + 1, o.len2);
    if (rc > 0)
        return rc;
    c->cc = rc == 0 ? 3 : (u8)(-rc - 1);
    return 0;
}

/* B2A6 CU21 CONVERT UTF-16 TO UTF-8 (CUUTF) */
INSN(cu21)
{
    return convert(c, d, decode_utf16, encode_utf8);
}

/* B2A7 CU12 CONVERT UTF-8 TO UTF-16 (CUTFU) */
INSN(cu12)
{
    return convert(c, d, decode_utf8, encode_utf16);
}

/* B9B0 CU14 CONVERT UTF-8 TO UTF-32 */
INSN(cu14)
{
    return convert(c, d, decode_utf8, encode_utf32);
}

/* B9B1 CU24 CONVERT UTF-16 TO UTF-32 */
INSN(cu24)
{
    return convert(c, d, decode_utf16, encode_utf32);
}

/* B9B2 CU41 CONVERT UTF-32 TO UTF-8 */
INSN(cu41)
{
    return convert(c, d, decode_utf32, encode_utf8);
}

/* B9B3 CU42 CONVERT UTF-32 TO UTF-16 */
INSN(cu42)
{
    return convert(c, d, decode_utf32, encode_utf16);
}

#define CHAPTER_DEF "cpu/isa/isa_string_translate.def"
#define CHAPTER_NAME isa_string_translate
#include "cpu/insn/insn_chapter.h"
