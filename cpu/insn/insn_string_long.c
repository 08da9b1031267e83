/* MVCL, MVCLE, CLCL, CLST, SRST, CKSM and their like: operands of any length.
 * One execution does at most UNIT_BYTES, page by page, and keeps the registers at what is done:
 * MVCL and CLCL then execute again (CPU_AGAIN, so that interruptions can come in), the others
 * end with condition code 3. An access exception in the middle of a move or comparison with
 * lengths leaves the registers at what is done. */
#include "cpu/insn/operand.h"
#include "mem/base/copy.h"

/** Two operands with a length each, as processing goes on. */
struct pair {
    u64 ea1, ea2, len1, len2;
    unsigned b1, b2;
};

/* -- moving with padding -- */

static int move_stretch(struct cpu *c, const struct pair *o, u64 n)
{
    const u8 *src;
    u8 *dst;
    TRY(stretch_fetch(c, o->ea2, o->b2, n, &src));
    TRY(stretch_store(c, o->ea1, o->b1, n, &dst));
    if (likely(dst != NULL)) {
        copy_bytes(dst, src, n);
        return 0;
    }
    u8 bytes[FRAME_BYTES];
    memcpy(bytes, src, n);
    return access_put(c, o->ea1, o->b1, bytes, n);
}

/** Two bytes that lie in two pages, of either operand. */
static int move_crossing(struct cpu *c, const struct pair *o)
{
    u8 bytes[2];
    TRY(access_fetch(c, o->ea2, o->b2, bytes, 2));
    return access_put(c, o->ea1, o->b1, bytes, 2);
}

static void pad_bytes(u8 *p, u16 pad, u64 n)
{
    if (pad >> 8 == (pad & 0xff)) {
        memset(p, pad & 0xff, n);
        return;
    }
    for (u64 i = 0; i + 2 <= n; i += 2)
        be16_store(p + i, pad);
}

static int pad_stretch(struct cpu *c, const struct pair *o, u16 pad, u64 n)
{
    u8 *dst = NULL;
    u8 bytes[FRAME_BYTES];
    if (n <= page_room(o->ea1))
        TRY(stretch_store(c, o->ea1, o->b1, n, &dst));
    pad_bytes(dst != NULL ? dst : bytes, pad, n);
    return dst != NULL ? 0 : access_put(c, o->ea1, o->b1, bytes, n);
}

/** Fill the first operand from the second and then with pad; `step` bytes a character. */
static int move_padded(struct cpu *c, struct pair *o, u16 pad, unsigned step)
{
    u64 left = min_u64(o->len1, UNIT_BYTES);
    while (left > 0) {
        u64 n = min_u64(left, page_room(o->ea1));
        bool padding = o->len2 == 0;
        if (!padding)
            n = min_u64(n, min_u64(o->len2, page_room(o->ea2)));
        n &= ~(u64)(step - 1);
        bool crossing = n == 0;
        if (crossing)
            n = step;
        if (padding)
            TRY(pad_stretch(c, o, pad, n));
        else
            TRY(crossing ? move_crossing(c, o) : move_stretch(c, o, n));
        o->ea1 = (o->ea1 + n) & c->amask;
        o->len1 -= n;
        left -= n;
        if (!padding) {
            o->ea2 = (o->ea2 + n) & c->amask;
            o->len2 -= n;
        }
    }
    return 0;
}

/** The operands of MVCL and CLCL: 24-bit lengths. */
static struct pair pair_of_long(const struct cpu *c, unsigned r1, unsigned r2)
{
    return (struct pair){reg_addr(c, r1),
                         reg_addr(c, r2),
                         c->gr[r1 + 1] & 0xffffff,
                         c->gr[r2 + 1] & 0xffffff,
                         r1,
                         r2};
}

static void len24_set(struct cpu *c, unsigned r, u64 len)
{
    c->gr[r] = (c->gr[r] & ~0xffffffull) | len;
}

static void pair_to_long(struct cpu *c, const struct pair *o)
{
    reg_addr_set(c, o->b2, o->ea2);
    len24_set(c, o->b2 + 1, o->len2);
    reg_addr_set(c, o->b1, o->ea1);
    len24_set(c, o->b1 + 1, o->len1);
}

/** The operands of the extended forms. */
static struct pair pair_of(const struct cpu *c, unsigned r1, unsigned r2)
{
    return (struct pair){
        reg_addr(c, r1), reg_addr(c, r2), reg_len(c, r1 + 1), reg_len(c, r2 + 1), r1, r2};
}

static void pair_to(struct cpu *c, const struct pair *o)
{
    reg_addr_set(c, o->b2, o->ea2);
    reg_len_set(c, o->b2 + 1, o->len2);
    reg_addr_set(c, o->b1, o->ea1);
    reg_len_set(c, o->b1 + 1, o->len1);
}

/** A byte of the first operand would be a source after something has been moved into it. */
static bool overlaps_destructively(const struct cpu *c, const struct pair *o)
{
    u64 moved = min_u64(o->len1, o->len2), dist = (o->ea1 - o->ea2) & c->amask;
    return cpu_same_space(c, o->b1, o->b2) && dist > 0 && dist < moved;
}

/* 0E MVCL MOVE LONG */
INSN(mvcl)
{
    unsigned r1 = d->r1, r2 = d->r2;
    if ((r1 | r2) & 1)
        return PGM_SPECIFICATION;
    struct pair o = pair_of_long(c, r1, r2);
    if (overlaps_destructively(c, &o)) {
        c->cc = 3;
        return 0;
    }
    unsigned cc = o.len1 == o.len2 ? 0 : o.len1 < o.len2 ? 1 : 2;
    u16 pad = (u16)((c->gr[r2 + 1] >> 24 & 0xff) * 0x0101);
    int rc = move_padded(c, &o, pad, 1);
    pair_to_long(c, &o);
    TRY(rc);
    if (o.len1 > 0)
        return CPU_AGAIN;
    c->cc = (u8)cc;
    return 0;
}

static int move_extended(struct cpu *c, const struct dinsn *d, u16 pad, unsigned step)
{
    unsigned r1 = d->r1, r3 = d->r3;
    if ((r1 | r3) & 1)
        return PGM_SPECIFICATION;
    struct pair o = pair_of(c, r1, r3);
    if ((o.len1 | o.len2) & (step - 1))
        return PGM_SPECIFICATION;
    unsigned cc = o.len1 == o.len2 ? 0 : o.len1 < o.len2 ? 1 : 2;
    int rc = move_padded(c, &o, pad, step);
    pair_to(c, &o);
    TRY(rc);
    c->cc = o.len1 > 0 ? 3 : (u8)cc;
    return 0;
}

/* A8 MVCLE MOVE LONG EXTENDED */
INSN(mvcle)
{
    return move_extended(c, d, (u16)((ea_b(c, d) & 0xff) * 0x0101), 1);
}

/* EB8E MVCLU MOVE LONG UNICODE */
INSN(mvclu)
{
    return move_extended(c, d, (u16)ea_b(c, d), 2);
}

/* -- comparing with padding -- */

/** n bytes of an operand: in storage, or the padding when it is exhausted. */
static int compare_source(struct cpu *c, u64 ea, unsigned b, u64 len, u64 n, u8 *buf,
                          const u8 **p)
{
    *p = buf;
    if (len == 0)
        return 0;
    if (n <= page_room(ea))
        return stretch_fetch(c, ea, b, n, p);
    return access_fetch(c, ea, b, buf, n);
}

/** Characters to compare at a time: within a page of both, within the padding. */
static u64 compare_size(const struct pair *o, u64 left, unsigned step, size_t pad_room)
{
    u64 n = left;
    n = min_u64(n, o->len1 > 0 ? min_u64(o->len1, page_room(o->ea1)) : pad_room);
    n = min_u64(n, o->len2 > 0 ? min_u64(o->len2, page_room(o->ea2)) : pad_room);
    n &= ~(u64)(step - 1);
    return n > 0 ? n : step;
}

static void compare_advance(const struct cpu *c, u64 *ea, u64 *len, u64 n)
{
    if (*len > 0) {
        *ea = (*ea + n) & c->amask;
        *len -= n;
    }
}

/** Compare until unequal, exhausted, or UNIT_BYTES are done; *cc 0, 1 or 2. */
static int compare_padded(struct cpu *c, struct pair *o, u16 pad, unsigned step, u8 *cc)
{
    u8 buf1[256], buf2[256];
    const u8 *p1, *p2;
    *cc = 0;
    if (o->len1 != o->len2) {
        pad_bytes(buf1, pad, sizeof buf1);
        pad_bytes(buf2, pad, sizeof buf2);
    }
    for (u64 left = UNIT_BYTES; left > 0 && (o->len1 | o->len2) > 0;) {
        u64 n = compare_size(o, left, step, sizeof buf1);
        TRY(compare_source(c, o->ea1, o->b1, o->len1, n, buf1, &p1));
        TRY(compare_source(c, o->ea2, o->b2, o->len2, n, buf2, &p2));
        u64 same = mismatch(p1, p2, n);
        if (same < n) {
            /* Without padding both buffers are unused: equal lengths end together. */
            /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
            *cc = p1[same] < p2[same] ? 1 : 2;
            same &= ~(u64)(step - 1);
            left = 0;
        } else {
            left -= n;
        }
        compare_advance(c, &o->ea1, &o->len1, same);
        compare_advance(c, &o->ea2, &o->len2, same);
        if (o->len1 == 0 || o->len2 == 0) {
            pad_bytes(buf1, pad, 2);
            pad_bytes(buf2, pad, 2);
        }
    }
    return 0;
}

/* 0F CLCL COMPARE LOGICAL LONG */
INSN(clcl)
{
    unsigned r1 = d->r1, r2 = d->r2;
    if ((r1 | r2) & 1)
        return PGM_SPECIFICATION;
    struct pair o = pair_of_long(c, r1, r2);
    u8 cc;
    int rc = compare_padded(c, &o, (u16)((c->gr[r2 + 1] >> 24 & 0xff) * 0x0101), 1, &cc);
    pair_to_long(c, &o);
    TRY(rc);
    if (cc == 0 && (o.len1 | o.len2) > 0)
        return CPU_AGAIN;
    c->cc = cc;
    return 0;
}

static int compare_extended(struct cpu *c, const struct dinsn *d, u16 pad, unsigned step)
{
    unsigned r1 = d->r1, r3 = d->r3;
    if ((r1 | r3) & 1)
        return PGM_SPECIFICATION;
    struct pair o = pair_of(c, r1, r3);
    u8 cc;
    if ((o.len1 | o.len2) & (step - 1))
        return PGM_SPECIFICATION;
    int rc = compare_padded(c, &o, pad, step, &cc);
    pair_to(c, &o);
    TRY(rc);
    c->cc = cc == 0 && (o.len1 | o.len2) > 0 ? 3 : cc;
    return 0;
}

/* A9 CLCLE COMPARE LOGICAL LONG EXTENDED */
INSN(clcle)
{
    return compare_extended(c, d, (u16)((ea_b(c, d) & 0xff) * 0x0101), 1);
}

/* EB8F CLCLU COMPARE LOGICAL LONG UNICODE */
INSN(clclu)
{
    return compare_extended(c, d, (u16)ea_b(c, d), 2);
}

/* -- strings with an ending character -- */

/* B25D CLST COMPARE LOGICAL STRING: ending character in GR0 */
INSN(clst)
{
    u64 ea1 = reg_addr(c, d->r1), ea2 = reg_addr(c, d->r2);
    u8 end = (u8)c->gr[0];
    if (gr32(c, 0) > 0xff)
        return PGM_SPECIFICATION;
    for (u64 done = 0; done < UNIT_BYTES;) {
        u64 n = min_u64(page_room(ea1), page_room(ea2));
        const u8 *p1, *p2;
        TRY(stretch_fetch(c, ea1, d->r1, 1, &p1));
        TRY(stretch_fetch(c, ea2, d->r2, 1, &p2));
        const u8 *ended = memchr(p1, end, n);
        u64 limit = ended != NULL ? (u64)(ended - p1) : n;
        u64 same = mismatch(p1, p2, limit);
        ea1 = (ea1 + same) & c->amask;
        ea2 = (ea2 + same) & c->amask;
        done += same;
        if (same == n)
            continue;
        u8 last1 = p1[same], last2 = p2[same];
        if (last1 == last2) {
            c->cc = 0;
            return 0;
        }
        c->cc = last1 == end || (last2 != end && last1 < last2) ? 1 : 2;
        reg_addr_set(c, d->r1, ea1);
        reg_addr_set(c, d->r2, ea2);
        return 0;
    }
    reg_addr_set(c, d->r1, ea1);
    reg_addr_set(c, d->r2, ea2);
    c->cc = 3;
    return 0;
}

/* B255 MVST MOVE STRING: through the ending character in GR0 */
INSN(mvst)
{
    unsigned r1 = d->r1, r2 = d->r2;
    u64 ea1 = reg_addr(c, r1), ea2 = reg_addr(c, r2);
    if (gr32(c, 0) > 0xff)
        return PGM_SPECIFICATION;
    for (u64 done = 0; done < UNIT_BYTES;) {
        struct pair o = {ea1, ea2, 0, 0, r1, r2};
        u64 n = min_u64(page_room(ea1), page_room(ea2));
        const u8 *src;
        TRY(stretch_fetch(c, ea2, r2, 1, &src));
        const u8 *ended = memchr(src, (u8)c->gr[0], n);
        if (ended != NULL)
            n = (u64)(ended - src) + 1;
        TRY(move_stretch(c, &o, n));
        if (ended != NULL) {
            reg_addr_set(c, r1, (ea1 + n - 1) & c->amask);
            c->cc = 1;
            return 0;
        }
        ea1 = (ea1 + n) & c->amask;
        ea2 = (ea2 + n) & c->amask;
        done += n;
    }
    reg_addr_set(c, r1, ea1);
    reg_addr_set(c, r2, ea2);
    c->cc = 3;
    return 0;
}

/* B25E SRST SEARCH STRING: for the character in GR0, from (r2) to before (r1) */
INSN(srst)
{
    u64 ea = reg_addr(c, d->r2), end = reg_addr(c, d->r1);
    if (gr32(c, 0) > 0xff)
        return PGM_SPECIFICATION;
    for (u64 done = 0; done < UNIT_BYTES;) {
        u64 n = min_u64(page_room(ea), (end - ea) & c->amask);
        const u8 *p;
        if (n == 0) {
            c->cc = 2;
            return 0;
        }
        TRY(stretch_fetch(c, ea, d->r2, n, &p));
        const u8 *found = memchr(p, (u8)c->gr[0], n);
        if (found != NULL) {
            reg_addr_set(c, d->r1, ea + (u64)(found - p));
            c->cc = 1;
            return 0;
        }
        ea = (ea + n) & c->amask;
        done += n;
    }
    reg_addr_set(c, d->r2, ea);
    c->cc = 3;
    return 0;
}

/* B9BE SRSTU SEARCH STRING UNICODE: two-byte characters */
INSN(srstu)
{
    u64 ea = reg_addr(c, d->r2), end = reg_addr(c, d->r1);
    u16 wanted = (u16)c->gr[0], found;
    if (gr32(c, 0) > 0xffff)
        return PGM_SPECIFICATION;
    end = (end + ((end ^ ea) & 1)) & c->amask;
    for (u64 done = 0; done < FRAME_BYTES; done += 2) {
        if (ea == end) {
            c->cc = 2;
            return 0;
        }
        TRY(load_u16(c, ea, d->r2, &found));
        if (found == wanted) {
            reg_addr_set(c, d->r1, ea);
            c->cc = 1;
            return 0;
        }
        ea = (ea + 2) & c->amask;
    }
    reg_addr_set(c, d->r2, ea);
    c->cc = 3;
    return 0;
}

/* -- the rest -- */

/** Lengths of CUSE are signed; negative ones count as zero. */
static u64 signed_len(const struct cpu *c, unsigned r)
{
    s64 len = amode64(c) ? (s64)c->gr[r] : (s32)gr32(c, r);
    return len > 0 ? (u64)len : 0;
}

/** Load the next byte of an operand of CUSE and step over it; the pad when it is exhausted. */
static int substring_next(struct cpu *c, u64 *ea, unsigned b, u64 *len, u8 pad, u8 *byte)
{
    *byte = pad;
    if (*len == 0)
        return 0;
    TRY(load_u8(c, *ea, b, byte));
    *ea = (*ea + 1) & c->amask;
    *len -= 1;
    return 0;
}

/* B257 CUSE COMPARE UNTIL SUBSTRING EQUAL: substring length in GR0, pad in GR1 */
INSN(cuse)
{
    unsigned r1 = d->r1, r2 = d->r2, wanted = c->gr[0] & 0xff, equal = 0;
    if ((r1 | r2) & 1)
        return PGM_SPECIFICATION;
    struct pair o = {
        reg_addr(c, r1), reg_addr(c, r2), signed_len(c, r1 + 1), signed_len(c, r2 + 1), r1, r2};
    struct pair start = o; /* where the equal bytes begin, or where comparing has come to */
    for (u64 done = 0; equal < wanted && done < FRAME_BYTES && (o.len1 | o.len2) > 0; done++) {
        u8 byte1, byte2, pad = (u8)c->gr[1];
        TRY(substring_next(c, &o.ea1, r1, &o.len1, pad, &byte1));
        TRY(substring_next(c, &o.ea2, r2, &o.len2, pad, &byte2));
        equal = byte1 == byte2 ? equal + 1 : 0;
        if (equal == 0)
            start = o;
    }
    pair_to(c, &start);
    c->cc = equal == wanted ? 0 : (o.len1 | o.len2) > 0 ? 3 : equal > 0 ? 1 : 2;
    return 0;
}

/** The space of operand register r, with the access key of GR0 when `keyed`. */
static int page_space(struct cpu *c, unsigned r, bool keyed, struct tlb_space **space)
{
    TRY(cpu_operand_space(c, r));
    *space = c->space[r];
    u8 key = (u8)(c->gr[0] & 0xf0), own = c->access_key;
    if (!keyed)
        return 0;
    if ((*space)->dat) {
        *space = (*space)->fetch_only ? cpu_space_fetch_only(c, (*space)->asce, key)
                                      : cpu_space_of(c, (*space)->asce, key);
        return 0;
    }
    c->access_key = key;
    *space = cpu_space_real(c);
    c->access_key = own;
    return 0;
}

#define TEID_MOVE_PAGE 4u /* of a translation exception: the operand access id is there */

static bool is_translation(int rc)
{
    return rc == PGM_SEGMENT_TRANSLATION || rc == PGM_PAGE_TRANSLATION ||
           (rc >= PGM_ASCE_TYPE && rc <= PGM_REGION_THIRD);
}

/** Fetch or store failed: a condition code when it may be one, else the exception. */
static int page_missing(struct cpu *c, const struct dinsn *d, int rc, u8 cc)
{
    if (rc == PGM_PAGE_TRANSLATION && (c->gr[0] & 0x100)) {
        c->cc = cc;
        return 0;
    }
    if (is_translation(rc)) {
        c->op_access_id = (u8)(d->r1 << 4 | d->r2);
        c->teid |= TEID_MOVE_PAGE;
    }
    return rc;
}

/* B254 MVPG MOVE PAGE: GR0 bits 52, 53 say whose key is in 56-59; 55 asks for cc 1 and 2 */
INSN(mvpg)
{
    const u64 frame = ~(u64)(FRAME_BYTES - 1);
    u64 gr0 = c->gr[0];
    bool key1 = gr0 & 0x800, key2 = gr0 & 0x400;
    u8 page[FRAME_BYTES];
    if ((gr0 & 0xf000) || (key1 && key2))
        return PGM_SPECIFICATION;
    if ((key1 || key2) && (c->psw.mask & PSW_PROB) &&
        !(c->cr[3] >> 16 & 0x8000u >> (gr0 >> 4 & 0xf)))
        return PGM_PRIVILEGED;
    u64 to = reg_addr(c, d->r1) & frame, from = reg_addr(c, d->r2) & frame;
    if (!key1 && !key2) {
        const u8 *src = tlb_fetch(c->space[d->r2], from, FRAME_BYTES);
        u8 *dst = tlb_store(c->space[d->r1], to, FRAME_BYTES);
        if (src != NULL && dst != NULL) {
            copy_bytes(dst, src, FRAME_BYTES);
            c->cc = 0;
            return 0;
        }
    }
    struct tlb_space *to_space, *from_space;
    TRY(page_space(c, d->r2, key2, &from_space));
    int rc = access_fetch_space(c, from_space, from, page, FRAME_BYTES);
    if (rc != 0)
        return page_missing(c, d, cpu_operand_blame(c, d->r2, rc), 2);
    TRY(page_space(c, d->r1, key1, &to_space));
    rc = access_put_space(c, to_space, to, page, FRAME_BYTES);
    if (rc != 0)
        return page_missing(c, d, cpu_operand_blame(c, d->r1, rc), 1);
    c->cc = 0;
    return 0;
}

/** Sum of the whole words of [p, p+n); carries are left to the caller. */
static u64 words_sum(const u8 *p, u64 n)
{
    u64 sum = 0;
    for (; n >= 8; p += 8, n -= 8) {
        u64 two = be64_load(p);
        sum += (two >> 32) + (u32)two;
    }
    return n >= 4 ? sum + be32_load(p) : sum;
}

/** Add the next words of the second operand, or its last 1-3 bytes with zeros behind them. */
static int checksum_step(struct cpu *c, struct pair *o, u64 *sum)
{
    u64 n = min_u64(o->len2, page_room(o->ea2));
    const u8 *p;
    if (n >= 4) {
        n &= ~3ull;
        TRY(stretch_fetch(c, o->ea2, o->b2, n, &p));
        *sum += words_sum(p, n);
    } else {
        u8 word[4] = {0};
        n = min_u64(o->len2, 4);
        TRY(access_fetch(c, o->ea2, o->b2, word, n));
        *sum += be32_load(word);
    }
    o->ea2 = (o->ea2 + n) & c->amask;
    o->len2 -= n;
    return 0;
}

/* B241 CKSM CHECKSUM: ones' complement sum of words */
INSN(cksm)
{
    unsigned r1 = d->r1, r2 = d->r2;
    if (r2 & 1)
        return PGM_SPECIFICATION;
    struct pair o = {0, reg_addr(c, r2), 0, reg_len(c, r2 + 1), r1, r2};
    u64 sum = gr32(c, r1), before = o.len2;
    int rc = 0;
    while (o.len2 > 0 && before - o.len2 < UNIT_BYTES && rc == 0)
        rc = checksum_step(c, &o, &sum);
    while (sum >> 32)
        sum = (sum >> 32) + (u32)sum;
    reg_addr_set(c, r2, o.ea2);
    reg_len_set(c, r2 + 1, o.len2);
    gr32_set(c, r1, (u32)sum);
    TRY(rc);
    c->cc = o.len2 > 0 ? 3 : 0;
    return 0;
}

#define CHAPTER_DEF "cpu/isa/isa_string_long.def"
#define CHAPTER_NAME isa_string_long
#include "cpu/insn/insn_chapter.h"
