/* COMPARE AND FORM CODEWORD, UPDATE TREE: merging strings by replacement selection.
 * CFC compares two records a unit at a time and makes of the first difference a codeword, which
 * orders like the records; UPT takes a node from the leaf of a tree of such codewords towards the
 * root. Units are 2 and 6 bytes, nodes 8 and 16, outside and in the 64-bit mode. Registers show
 * what is done after each unit of operation; CFC executes again after UNITS_MAX of them.
 * Source: Principles of Operation chapter 7 and appendix A, "Sorting Instructions". */
#include "cpu/insn/operand.h"

#define UNITS_MAX 2048u
#define SPACE_CFC 1u /* access register of both records */
#define SPACE_UPT 4u /* of the tree */

/** Put a value into all of a register that the addressing mode counts. */
static void mode_set(struct cpu *c, unsigned r, u64 v)
{
    reg_len_set(c, r, v);
}

static u64 sign_bit(const struct cpu *c)
{
    return amode64(c) ? 1ull << 63 : 1ull << 31;
}

/** The next unit of the record at GR r, as a number; `size` bytes. */
static int unit_load(struct cpu *c, unsigned r, u64 index, unsigned size, u64 *unit)
{
    u8 bytes[8] = {0};
    TRY(access_fetch(c, (reg_addr(c, r) + index) & c->amask, SPACE_CFC, bytes + 8 - size,
                     size));
    *unit = be64_load(bytes);
    return 0;
}

/* The records differ: GR1 designates the one that comes first, GR2 gets the codeword. */
static void codeword_form(struct cpu *c, u64 unit1, u64 unit3, bool descending, unsigned size)
{
    bool in_order = (unit1 < unit3) != descending;
    u64 higher = unit1 > unit3 ? unit1 : unit3, lower = unit1 > unit3 ? unit3 : unit1;
    u64 mask = (1ull << 8 * size) - 1;
    u64 word = reg_len(c, 2) << 8 * size | (descending ? lower : ~higher & mask);
    mode_set(c, 2, word);
    if (!in_order) {
        u64 first = reg_len(c, 3);
        mode_set(c, 3, reg_len(c, 1));
        mode_set(c, 1, first);
    }
    c->cc = in_order ? 1 : 2;
}

/* B21A CFC COMPARE AND FORM CODEWORD: records at GR1 and GR3, index in GR2 */
INSN(cfc)
{
    unsigned size = amode64(c) ? 6 : 2;
    u64 operand = ea_b(c, d), limit = operand & 0x7ffe, unit1, unit3;
    if ((c->gr[1] | c->gr[2] | c->gr[3]) & 1)
        return PGM_SPECIFICATION;
    for (unsigned n = 0; n < UNITS_MAX; n++) {
        u64 index = c->gr[2] & 0xffff;
        if (index > limit) {
            mode_set(c, 2, reg_len(c, 3) | sign_bit(c));
            c->cc = 0;
            return 0;
        }
        TRY(unit_load(c, 1, index, size, &unit1));
        TRY(unit_load(c, 3, index, size, &unit3));
        mode_set(c, 2, reg_len(c, 2) + size);
        if (unit1 != unit3) {
            codeword_form(c, unit1, unit3, operand & 1, size);
            return 0;
        }
    }
    return CPU_AGAIN;
}

/** Exchange GR0 and GR1 with the node; its values have been fetched. */
static int tree_exchange(struct cpu *c, u64 ea, u64 code, u64 data)
{
    u8 bytes[16];
    unsigned half = amode64(c) ? 8 : 4;
    if (half == 8) {
        be64_store(bytes, c->gr[0]);
        be64_store(bytes + 8, c->gr[1]);
    } else {
        be32_store(bytes, gr32(c, 0));
        be32_store(bytes + 4, gr32(c, 1));
    }
    TRY(access_put(c, ea, SPACE_UPT, bytes, 2 * half));
    mode_set(c, 0, code);
    mode_set(c, 1, data);
    return 0;
}

static int tree_load(struct cpu *c, u64 ea, u64 *code, u64 *data)
{
    u8 bytes[16];
    unsigned half = amode64(c) ? 8 : 4;
    TRY(access_fetch(c, ea, SPACE_UPT, bytes, 2 * half));
    *code = half == 8 ? be64_load(bytes) : be32_load(bytes);
    *data = half == 8 ? be64_load(bytes + 8) : be32_load(bytes + 4);
    return 0;
}

/* 0102 UPT UPDATE TREE: codeword and data in GR0 and GR1, tree at GR4, node index in GR5 */
INSN(upt)
{
    UNUSED_D;
    u64 entry_bytes = amode64(c) ? 16 : 8, code, data;
    if ((c->gr[4] | c->gr[5]) & (entry_bytes - 1))
        return PGM_SPECIFICATION;
    for (;;) { /* the index is halved each time */
        u64 index = reg_len(c, 5) >> 1 & ~(entry_bytes - 1);
        u64 ea = (reg_addr(c, 4) + index) & c->amask;
        if (index == 0 || (c->gr[0] & sign_bit(c))) {
            mode_set(c, 5, index);
            c->cc = index == 0 ? 1 : 3;
            return 0;
        }
        TRY(tree_load(c, ea, &code, &data));
        if (code > reg_len(c, 0))
            TRY(tree_exchange(c, ea, code, data));
        else if (code == reg_len(c, 0)) {
            mode_set(c, 2, code);
            mode_set(c, 3, data);
            mode_set(c, 5, index);
            c->cc = 0;
            return 0;
        }
        mode_set(c, 5, index);
    }
}

#define CHAPTER_DEF "cpu/isa/isa_sort.def"
#define CHAPTER_NAME isa_sort
#include "cpu/insn/insn_chapter.h"
