/* PACK, UNPK, MVO and the forms for ASCII and Unicode; ED and EDMK.
 * PACK, UNPK and MVO go right to left, a byte at a time as the architecture describes it, so
 * that overlapping operands give the results it promises. */
#include "cpu/insn/operand.h"

#define PACKED_BYTES 16u /* the packed operand of PKA, PKU, UNPKA, UNPKU */

/** Operands of PACK, UNPK and MVO, to be taken byte by byte from the right. */
struct right {
    u64 ea1, ea2;
    unsigned b1, b2;
    unsigned left1, left2; /* bytes not yet stored or fetched */
};

/** The operands, after the first is known to be storable and the second fetchable. */
static int right_operands(struct cpu *c, const struct dinsn *d, struct right *o)
{
    *o = (struct right){ea_1(c, d), ea_2(c, d), d->r2, d->b2, d->r1 + 1u, d->r3 + 1u};
    TRY(operand_probe(c, o->ea2, o->b2, o->left2, TLB_FETCH));
    return operand_probe(c, o->ea1, o->b1, o->left1, TLB_STORE);
}

/** The next byte of the second operand; zero when it is exhausted. */
static int right_fetch(struct cpu *c, struct right *o, u8 *byte)
{
    *byte = 0;
    if (o->left2 == 0)
        return 0;
    o->left2--;
    return load_u8(c, (o->ea2 + o->left2) & c->amask, o->b2, byte);
}

static int right_store(struct cpu *c, struct right *o, u8 byte)
{
    o->left1--;
    return store_u8(c, (o->ea1 + o->left1) & c->amask, o->b1, byte);
}

/* F1 MVO MOVE WITH OFFSET */
INSN(mvo)
{
    struct right o;
    u8 byte, low;
    TRY(right_operands(c, d, &o));
    TRY(load_u8(c, (o.ea1 + o.left1 - 1) & c->amask, o.b1, &low));
    low &= 0xf;
    while (o.left1 > 0) {
        TRY(right_fetch(c, &o, &byte));
        TRY(right_store(c, &o, (u8)(byte << 4 | low)));
        low = byte >> 4;
    }
    return 0;
}

/* F2 PACK */
INSN(pack)
{
    struct right o;
    u8 low, high;
    TRY(right_operands(c, d, &o));
    TRY(right_fetch(c, &o, &low));
    TRY(right_store(c, &o, (u8)(low << 4 | low >> 4)));
    while (o.left1 > 0) {
        TRY(right_fetch(c, &o, &low));
        TRY(right_fetch(c, &o, &high));
        TRY(right_store(c, &o, (u8)(high << 4 | (low & 0xf))));
    }
    return 0;
}

/* F3 UNPK UNPACK */
INSN(unpk)
{
    struct right o;
    u8 byte;
    TRY(right_operands(c, d, &o));
    TRY(right_fetch(c, &o, &byte));
    TRY(right_store(c, &o, (u8)(byte << 4 | byte >> 4)));
    while (o.left1 > 0) {
        TRY(right_fetch(c, &o, &byte));
        TRY(right_store(c, &o, 0xf0 | (byte & 0xf)));
        if (o.left1 > 0)
            TRY(right_store(c, &o, 0xf0 | byte >> 4));
    }
    return 0;
}

/** Pack characters of `size` bytes into 31 digits and a plus sign. */
static int pack_characters(struct cpu *c, const struct dinsn *d, unsigned size)
{
    u8 from[64], to[PACKED_BYTES] = {[PACKED_BYTES - 1] = 0xc};
    unsigned len = d->r1 + 1u, count = len / size;
    if (count > 32 || len % size != 0)
        return PGM_SPECIFICATION;
    TRY(access_fetch(c, ea_2(c, d), d->b2, from, len));
    for (unsigned i = 0; i < count && i < 31; i++) {
        unsigned digit = from[len - 1 - i * size] & 0xf, nibble = i + 1;
        to[PACKED_BYTES - 1 - nibble / 2] |= (u8)(digit << (nibble % 2 * 4));
    }
    return access_put(c, ea_1(c, d), d->r2, to, sizeof to);
}

/* E9 PKA PACK ASCII */
INSN(pka)
{
    return pack_characters(c, d, 1);
}

/* E1 PKU PACK UNICODE */
INSN(pku)
{
    return pack_characters(c, d, 2);
}

/** Unpack 31 digits into characters of `size` bytes; the condition code tells the sign. */
static int unpack_characters(struct cpu *c, const struct dinsn *d, unsigned size)
{
    u8 from[PACKED_BYTES], to[64] = {0};
    unsigned len = d->r1 + 1u, count = len / size;
    if (count > 32 || len % size != 0)
        return PGM_SPECIFICATION;
    TRY(access_fetch(c, ea_2(c, d), d->b2, from, sizeof from));
    for (unsigned i = 0; i < count; i++) {
        unsigned nibble = i + 1, digit = 0;
        if (i < 31)
            digit = from[PACKED_BYTES - 1 - nibble / 2] >> (nibble % 2 * 4) & 0xf;
        to[len - 1 - i * size] = (u8)(0x30 | digit);
    }
    TRY(access_put(c, ea_1(c, d), d->r2, to, len));
    unsigned sign = from[PACKED_BYTES - 1] & 0xf;
    c->cc = sign < 10 ? 3 : sign == 0xb || sign == 0xd ? 1 : 0;
    return 0;
}

/* EA UNPKA UNPACK ASCII */
INSN(unpka)
{
    return unpack_characters(c, d, 1);
}

/* E2 UNPKU UNPACK UNICODE */
INSN(unpku)
{
    return unpack_characters(c, d, 2);
}

/* -- editing -- */

#define DIGIT_SELECTOR 0x20
#define SIGNIFICANCE_STARTER 0x21
#define FIELD_SEPARATOR 0x22

struct edit {
    u64 source; /* of the next source byte */
    unsigned b2;
    u8 byte; /* source byte whose right digit is next, when `right` */
    bool right;
    bool significant; /* significance indicator */
    bool nonzero;     /* in the field so far */
    bool marked;      /* this digit started significance */
    u8 fill;
};

/** Take the next source digit; *plus when a plus sign follows it. */
static int edit_digit(struct cpu *c, struct edit *e, unsigned *digit, bool *plus)
{
    *plus = false;
    if (e->right) {
        e->right = false;
        *digit = e->byte & 0xf;
        return 0;
    }
    TRY(load_u8(c, e->source, e->b2, &e->byte));
    e->source = (e->source + 1) & c->amask;
    *digit = e->byte >> 4;
    if (*digit > 9)
        return insn_data_exception(c, 0);
    unsigned right = e->byte & 0xf;
    e->right = right <= 9;
    *plus = right > 9 && right != 0xb && right != 0xd;
    return 0;
}

/** Replace one pattern byte by its result. */
static int edit_byte(struct cpu *c, struct edit *e, u8 *pattern)
{
    u8 kind = *pattern;
    unsigned digit;
    bool plus;
    e->marked = false;
    if (kind == FIELD_SEPARATOR) {
        *pattern = e->fill;
        e->significant = e->nonzero = false;
        return 0;
    }
    if (kind != DIGIT_SELECTOR && kind != SIGNIFICANCE_STARTER) {
        if (!e->significant)
            *pattern = e->fill;
        return 0;
    }
    TRY(edit_digit(c, e, &digit, &plus));
    e->marked = digit != 0 && !e->significant;
    *pattern = digit != 0 || e->significant ? (u8)(0xf0 | digit) : e->fill;
    e->nonzero |= digit != 0;
    e->significant |= digit != 0 || kind == SIGNIFICANCE_STARTER;
    if (plus)
        e->significant = false;
    return 0;
}

static int edit(struct cpu *c, const struct dinsn *d, bool mark)
{
    u8 pattern[256];
    u64 ea = ea_1(c, d), marked = 0;
    unsigned len = d->r1 + 1u;
    bool found = false;
    TRY(operand_probe(c, ea, d->r2, len, TLB_STORE));
    TRY(access_fetch(c, ea, d->r2, pattern, len));
    struct edit e = {.source = ea_2(c, d), .b2 = d->b2, .fill = pattern[0]};
    for (unsigned i = 0; i < len; i++) {
        TRY(edit_byte(c, &e, &pattern[i]));
        if (e.marked) {
            marked = (ea + i) & c->amask;
            found = true;
        }
    }
    TRY(access_put(c, ea, d->r2, pattern, len));
    c->cc = !e.nonzero ? 0 : e.significant ? 1 : 2;
    if (mark && found)
        result_addr_set(c, 1, marked);
    return 0;
}

/* DE ED EDIT */
INSN(ed)
{
    return edit(c, d, false);
}

/* DF EDMK EDIT AND MARK */
INSN(edmk)
{
    return edit(c, d, true);
}

#define CHAPTER_DEF "cpu/isa/isa_decimal_pack.def"
#define CHAPTER_NAME isa_decimal_pack
#include "cpu/insn/insn_chapter.h"
