/* COMPRESSION CALL: strings to dictionary indexes (symbols of 9-13 bits) and back.
 * One symbol at a time; registers stand behind the last whole symbol however the instruction ends,
 * so an access exception nullifies the rest only. After UNIT_SYMBOLS symbols: condition code 3.
 * Bits of the first operand on either side of a symbol stay as they are. Zero padding (the CMPSC
 * enhancement) goes from the first byte without a symbol to the next multiple of PADDING_BYTES, if
 * the first operand reaches that far, at the end with condition code 0 or 1. A dictionary that
 * breaks its rules gives a data exception, DXC 0, or what it says; the work for one symbol is
 * bounded by SYMBOL_BYTES_MAX and CHAIN_ENTRIES_MAX.
 * Source: Principles of Operation chapter 7, and "Data Compression" SA22-7208. */
#include "cpu/insn/control.h"

#define UNIT_SYMBOLS 256u      /* a hostile dictionary makes each of them long */
#define SYMBOL_BYTES_MAX 260u  /* of text, of one symbol */
#define CHAIN_ENTRIES_MAX 127u /* of the expansion dictionary, for one symbol */
#define CHILDREN_MAX 260u      /* of one parent */
#define PADDING_BYTES 256u     /* the manual leaves it to the model */
#define ENTRY_BYTES 8u
#define ALPHABET 256u

/* General register 0 */
#define GR0_EXPAND 0x100u
#define GR0_FORMAT1 0x200u
#define GR0_TRANSLATE 0x10000u
#define GR0_ZERO_PADDING 0x20000u

/* What a symbol ended with, besides a program interruption. */
#define SOURCE_ENDS (-1)      /* condition code 0 */
#define DESTINATION_ENDS (-2) /* 1 */

struct cmpsc {
    u64 ea1, len1, ea2, len2;
    unsigned b1, b2;
    u64 dictionary, table; /* of entries; of translated symbols, 0 = none */
    unsigned bits;         /* of a symbol */
    unsigned bit;          /* number of the bit where the next symbol of compressed data is */
    u16 index_max;
    bool format1;
};

/** A character entry of the compression dictionary, taken apart. */
struct character {
    unsigned children, extensions; /* characters of each kind in this entry */
    bool more;                     /* a sibling descriptor goes on with children */
    u8 examine;                    /* bit per child, leftmost first */
    u8 examine_y; /* bits 0 and 1: for the last two children of the first sibling descriptor */
    u16 first;    /* index of the first child */
    u8 raw[ENTRY_BYTES];
};
#define CHARACTERS_AT 3 /* in raw: extensions, then children */

/** The character found to go on with. */
struct step {
    bool found, leaf;
    u16 index;
    struct character entry; /* unless it is a leaf */
};

/** A dictionary entry; `from` counts entries before index 0 of the dictionary that is meant. */
static int entry_load(struct cpu *c, const struct cmpsc *o, u32 from, u32 index, u8 *raw)
{
    u64 v;
    if (index > o->index_max)
        return insn_data_exception(c, 0);
    TRY(load_u64(c, (o->dictionary + (u64)ENTRY_BYTES * (from + index)) & c->amask, o->b2, &v));
    be64_store(raw, v);
    return 0;
}

/* -- compression -- */

static int character_load(struct cpu *c, const struct cmpsc *o, u32 index, struct character *e)
{
    TRY(entry_load(c, o, 0, index, e->raw));
    unsigned count = e->raw[0] >> 5, room;
    e->extensions = count > 1 ? e->raw[1] >> 5 & 1 : e->raw[1] >> 5;
    e->examine = (u8)(e->raw[0] << 3);
    e->examine_y = count > 1 ? e->raw[1] & 0xc0 : 0;
    e->first = be16_load(e->raw + 1) & 0x1fff;
    room = 5 - e->extensions;
    if (e->extensions > 4 || (count > 1 && count > room + 1) ||
        (count && e->first > o->index_max))
        return insn_data_exception(c, 0);
    e->more = count > room;
    e->children = e->more ? room : count;
    return 0;
}

/** A child whose first character fits: see whether the others do. `done`: source bytes before. */
static int child_try(struct cpu *c, const struct cmpsc *o, u32 index, bool examine, u64 done,
                     struct step *s)
{
    u8 text[5] = {0};
    if (index > o->index_max)
        return insn_data_exception(c, 0);
    s->index = (u16)index;
    s->leaf = s->found = !examine;
    if (!examine)
        return 0;
    TRY(character_load(c, o, index, &s->entry));
    unsigned n = s->entry.extensions;
    if (o->len2 - done < 1 + n)
        return 0;
    if (n)
        TRY(access_fetch(c, (o->ea2 + done + 1) & c->amask, o->b2, text, n));
    s->found = memcmp(text, s->entry.raw + CHARACTERS_AT, n) == 0;
    return 0;
}

/** A sibling descriptor: its characters and examine bits; *more when another one follows. */
static int siblings_load(struct cpu *c, const struct cmpsc *o, u32 index, unsigned *count,
                         u16 *examine, bool *more, u8 *text)
{
    u8 raw[ENTRY_BYTES];
    TRY(entry_load(c, o, 0, index, raw));
    unsigned n = raw[0] >> (o->format1 ? 4 : 5), room = o->format1 ? 14 : 7;
    *more = o->format1 ? n == 15 : n == 0;
    *count = *more ? room : n;
    if (*count == 0)
        return insn_data_exception(c, 0);
    if (!o->format1) {
        *examine = (u16)(raw[0] << 11);
        memcpy(text, raw + 1, 7);
        return 0;
    }
    *examine = (u16)(be16_load(raw) << 4);
    memcpy(text, raw + 2, 6);
    return *count > 6 ? entry_load(c, o, o->index_max + 1u, index, text + 6) : 0;
}

/** Look for `next` among the children in sibling descriptors. */
static int sibling_find(struct cpu *c, const struct cmpsc *o, const struct character *parent,
                        u8 next, u64 done, struct step *s)
{
    u32 index = (u32)parent->first + parent->children;
    unsigned known = o->format1 ? 12 : 5, count;
    u16 examine, rest = (u16)(parent->examine_y << 8) >> known;
    bool more = true;
    u8 text[14];
    for (unsigned seen = parent->children; more; seen += count) {
        if (seen > CHILDREN_MAX)
            return insn_data_exception(c, 0);
        TRY(siblings_load(c, o, index, &count, &examine, &more, text));
        examine |= rest;
        for (unsigned i = 0; i < count; i++)
            if (text[i] == next)
                return child_try(c, o, index + 1 + i, examine & 0x8000u >> i, done, s);
        index += count + 1;
        rest = (u16)(0xffff >> known);
    }
    return 0;
}

/* Children of the same first character stand together at the beginning: when the rest of one does
 * not fit, the next is tried as long as only such ones have been met. */
static int child_find(struct cpu *c, const struct cmpsc *o, const struct character *parent,
                      u8 next, u64 done, struct step *s)
{
    bool same = true;
    s->found = false;
    for (unsigned i = 0; i < parent->children; i++) {
        if (parent->raw[CHARACTERS_AT + parent->extensions + i] != next) {
            same = false;
            continue;
        }
        TRY(child_try(c, o, (u32)parent->first + i, parent->examine & 0x80u >> i, done, s));
        if (s->found || !same || i + 1 == parent->children)
            return 0;
    }
    return parent->more ? sibling_find(c, o, parent, next, done, s) : 0;
}

/** The longest string of the dictionary that the source begins with: its index and length. */
static int string_match(struct cpu *c, const struct cmpsc *o, u16 *index, u64 *length)
{
    u8 byte;
    struct step s = {.found = true};
    TRY(load_u8(c, o->ea2, o->b2, &byte));
    s.index = byte;
    u64 done = 1;
    TRY(character_load(c, o, byte, &s.entry));
    while (s.entry.children > 0 && done < o->len2) {
        const struct character parent = s.entry;
        u16 last = s.index;
        TRY(load_u8(c, (o->ea2 + done) & c->amask, o->b2, &byte));
        TRY(child_find(c, o, &parent, byte, done, &s));
        if (!s.found) {
            s.index = last;
            break;
        }
        done += 1 + (s.leaf ? 0 : s.entry.extensions);
        if (done > SYMBOL_BYTES_MAX)
            return insn_data_exception(c, 0);
        if (s.leaf)
            break;
    }
    *index = s.index;
    *length = done;
    return 0;
}

/** Bytes that the next symbol of compressed data touches. */
static unsigned symbol_span(const struct cmpsc *o)
{
    return (o->bit + o->bits + 7) / 8;
}

static int symbol_put(struct cpu *c, const struct cmpsc *o, u16 symbol)
{
    u8 bytes[4] = {0};
    unsigned n = symbol_span(o), shift = 32 - o->bit - o->bits;
    TRY(operand_probe(c, o->ea1, o->b1, n, TLB_STORE));
    TRY(access_fetch(c, o->ea1, o->b1, bytes, n));
    u32 mask = ((1u << o->bits) - 1) << shift;
    be32_store(bytes, (be32_load(bytes) & ~mask) | ((u32)symbol << shift & mask));
    return access_put(c, o->ea1, o->b1, bytes, n);
}

/** Step over a symbol of compressed data. */
static void symbol_pass(const struct cpu *c, struct cmpsc *o, u64 *ea, u64 *len)
{
    unsigned end = o->bit + o->bits;
    *ea = (*ea + end / 8) & c->amask;
    *len -= end / 8;
    o->bit = end % 8;
}

static int compress_one(struct cpu *c, struct cmpsc *o)
{
    u16 symbol = 0;
    u64 length = 0;
    if (o->len2 == 0)
        return SOURCE_ENDS;
    if (o->len1 < symbol_span(o))
        return DESTINATION_ENDS;
    TRY(string_match(c, o, &symbol, &length));
    if (o->table)
        TRY(load_u16(c, (o->table + 2ull * symbol) & c->amask, o->b2, &symbol));
    TRY(symbol_put(c, o, symbol));
    o->ea2 = (o->ea2 + length) & c->amask;
    o->len2 -= length;
    symbol_pass(c, o, &o->ea1, &o->len1);
    return 0;
}

/* -- expansion -- */

static int symbol_get(struct cpu *c, const struct cmpsc *o, u16 *symbol)
{
    u8 bytes[4] = {0};
    TRY(access_fetch(c, o->ea2, o->b2, bytes, symbol_span(o)));
    *symbol = (u16)(be32_load(bytes) >> (32 - o->bit - o->bits) & ((1u << o->bits) - 1));
    return 0;
}

/** Characters of a symbol, last ones first; its length is known from the first entry. */
static int symbol_expand(struct cpu *c, const struct cmpsc *o, u16 symbol, u8 *text,
                         unsigned *length)
{
    u8 raw[ENTRY_BYTES];
    *length = 0;
    for (unsigned n = 0; n < CHAIN_ENTRIES_MAX; n++) {
        TRY(entry_load(c, o, 0, symbol, raw));
        unsigned part = raw[0] >> 5, whole = raw[0] & 7, offset = raw[7];
        if (part == 0) {
            memcpy(text, raw + 1, whole);
            *length = *length ? *length : whole;
            return whole ? 0 : insn_data_exception(c, 0);
        }
        if (part > 5)
            break;
        memcpy(text + offset, raw + 2, part);
        *length = *length ? *length : offset + part;
        symbol = be16_load(raw) & 0x1fff;
    }
    return insn_data_exception(c, 0);
}

static int expand_one(struct cpu *c, struct cmpsc *o)
{
    u8 text[SYMBOL_BYTES_MAX] = {0};
    unsigned length = 1;
    u16 symbol;
    if (o->len2 < symbol_span(o))
        return SOURCE_ENDS;
    if (o->len1 == 0)
        return DESTINATION_ENDS;
    TRY(symbol_get(c, o, &symbol));
    text[0] = (u8)symbol;
    if (symbol >= ALPHABET)
        TRY(symbol_expand(c, o, symbol, text, &length));
    if (o->len1 < length)
        return DESTINATION_ENDS;
    TRY(access_put(c, o->ea1, o->b1, text, length));
    o->ea1 = (o->ea1 + length) & c->amask;
    o->len1 -= length;
    symbol_pass(c, o, &o->ea2, &o->len2);
    return 0;
}

/* -- both -- */

static struct cmpsc cmpsc_operands(const struct cpu *c, const struct dinsn *d, unsigned cdss)
{
    u64 gr1 = c->gr[1];
    u64 dictionary = gr1 & c->amask & ~(u64)(FRAME_BYTES - 1);
    return (struct cmpsc){
        .ea1 = reg_addr(c, d->r1),
        .len1 = reg_len(c, d->r1 + 1u),
        .ea2 = reg_addr(c, d->r2),
        .len2 = reg_len(c, d->r2 + 1u),
        .b1 = d->r1,
        .b2 = d->r2,
        .dictionary = dictionary,
        .table = c->gr[0] & GR0_TRANSLATE ? dictionary + (gr1 >> 3 & 0x1ff) * 128 : 0,
        .bits = cdss + 8,
        .bit = gr1 & 7,
        .index_max = (u16)((1u << (cdss + 8)) - 1),
        .format1 = c->gr[0] & GR0_FORMAT1};
}

/* Padding is no part of the result: registers stay, and where it would fail it is left out. */
static void zero_pad(struct cpu *c, const struct cmpsc *o, bool expand)
{
    static const u8 zeros[PADDING_BYTES];
    unsigned begun = !expand && o->bit; /* a byte that holds the beginning of a symbol */
    u64 ea = (o->ea1 + begun) & c->amask;
    unsigned n = (unsigned)(-ea & (PADDING_BYTES - 1));
    c->cannot_wait = true;
    if (n && o->len1 >= n + begun && operand_probe(c, ea, o->b1, n, TLB_STORE) == 0)
        (void)access_put(c, ea, o->b1, zeros, n);
    c->cannot_wait = false;
}

/* B263 CMPSC COMPRESSION CALL: function in GR0, dictionary and bit number in GR1 */
INSN(cmpsc)
{
    unsigned cdss = c->gr[0] >> 12 & 15;
    if ((d->r1 | d->r2) & 1 || cdss < 1 || cdss > 5)
        return PGM_SPECIFICATION;
    struct cmpsc o = cmpsc_operands(c, d, cdss);
    bool expand = c->gr[0] & GR0_EXPAND;
    int rc = 0;
    for (unsigned n = 0; n < UNIT_SYMBOLS && rc == 0; n++)
        rc = expand ? expand_one(c, &o) : compress_one(c, &o);
    reg_addr_set(c, d->r1, o.ea1);
    reg_len_set(c, d->r1 + 1u, o.len1);
    reg_addr_set(c, d->r2, o.ea2);
    reg_len_set(c, d->r2 + 1u, o.len2);
    c->gr[1] = (c->gr[1] & ~7ull) | o.bit;
    if (rc > 0)
        return rc;
    if (rc < 0 && (c->gr[0] & GR0_ZERO_PADDING) && has_facility(c, FAC_CMPSCE))
        zero_pad(c, &o, expand);
    c->cc = rc == 0 ? 3 : (u8)(-rc - 1);
    return 0;
}

#define CHAPTER_DEF "cpu/isa/isa_cmpsc.def"
#define CHAPTER_NAME isa_cmpsc
#include "cpu/insn/insn_chapter.h"
