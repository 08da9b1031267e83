/* PERFORM LOCKED OPERATION: 6 operations in 4 operand sizes.
 * The lock serves all program-lock tokens of the set at once; it is held only while the storage
 * operands are compared and replaced, never while an operand is translated (it is a leaf). All
 * operands are found first, so that an access exception changes nothing.
 * Source: Principles of Operation chapter 7, "PERFORM LOCKED OPERATION". */
#include "cpu/insn/operand.h"

#define PLO_CODES 24u
#define PLO_RESERVED 0xfffffe00u /* of GR0; X'100' is the test bit */
#define PLO_STORES_MAX 4

enum plo_operation { PLO_CL, PLO_CS, PLO_DCS, PLO_CSST, PLO_CSDST, PLO_CSTST };
enum plo_size { PLO_WORD, PLO_LIST_8, PLO_REGISTER_8, PLO_LIST_16 };

/* Where a value of 16 bytes ends in the parameter list: smaller ones are right-aligned. */
enum plo_field { PLO_OP1C = 16, PLO_OP1R = 32, PLO_OP3C = 48, PLO_OP3R = 64 };

/** One execution. op[0] is operand 2, op[1..3] are operands 4, 6 and 8. */
struct plo {
    enum plo_operation operation;
    enum plo_size size;
    unsigned len;    /* bytes of an operand */
    unsigned r1, r3; /* register operands */
    u64 list;        /* parameter list, or operand 4 */
    unsigned b4;
    unsigned count; /* of storage operands */
    u8 *op[PLO_STORES_MAX];
    u8 value[PLO_STORES_MAX][16]; /* replacement of each */
    u8 compare[2][16];            /* comparison values of operands 1 and 3 */
};

static bool plo_in_registers(const struct plo *o)
{
    return o->size == PLO_WORD || o->size == PLO_REGISTER_8;
}

/** Value of general register r, or of the parameter-list field that ends at `end`. */
static int plo_value(struct cpu *c, const struct plo *o, bool in_register, unsigned r,
                     unsigned end, u8 *value)
{
    if (!in_register)
        return access_fetch(c, (o->list + end - o->len) & c->amask, o->b4, value, o->len);
    if (o->len == 4)
        be32_store(value, gr32(c, r));
    else
        be64_store(value, c->gr[r]);
    return 0;
}

static int plo_value_set(struct cpu *c, const struct plo *o, unsigned r, unsigned end,
                         const u8 *value)
{
    if (!plo_in_registers(o))
        return access_put(c, (o->list + end - o->len) & c->amask, o->b4, value, o->len);
    if (o->len == 4)
        gr32_set(c, r, be32_load(value));
    else
        c->gr[r] = be64_load(value);
    return 0;
}

/** Find a storage operand: for update, but COMPARE AND LOAD fetches only. */
static int plo_operand(struct cpu *c, struct plo *o, u64 ea, unsigned b)
{
    const u8 *fetched;
    u8 **op = &o->op[o->count];
    if (ea & (o->len - 1))
        return PGM_SPECIFICATION;
    if (o->operation == PLO_CL) {
        TRY(access_host_fetch(c, ea, b, o->len, &fetched));
        *op = (u8 *)(uintptr_t)fetched;
    } else {
        TRY(access_interlocked(c, ea, b, o->len, op));
    }
    o->count++;
    return 0;
}

static bool ar_mode(const struct cpu *c)
{
    return (c->psw.mask & (PSW_DAT | PSW_AS)) == (PSW_DAT | (u64)AS_AR << PSW_AS_SHIFT);
}

static void ar_set(struct cpu *c, unsigned r, u32 alet)
{
    c->ar[r] = alet;
    cpu_select_spaces(c);
}

/** Operand 4, 6 or 8 whose address the parameter list holds at `offset`, behind its ALET. */
static int plo_listed(struct cpu *c, struct plo *o, unsigned offset)
{
    u64 ea;
    u32 alet;
    TRY(load_u64(c, (o->list + offset) & c->amask, o->b4, &ea));
    if (ar_mode(c)) {
        TRY(load_u32(c, (o->list + offset - 4) & c->amask, o->b4, &alet));
        ar_set(c, o->r3, alet);
    }
    return plo_operand(c, o, ea & c->amask, o->r3);
}

/** Operand 4 where it is not always listed. */
static int plo_operand4(struct cpu *c, struct plo *o)
{
    return plo_in_registers(o) ? plo_operand(c, o, o->list, o->b4) : plo_listed(c, o, 72);
}

/** Fetch all values and find all operands. */
static int plo_prepare(struct cpu *c, struct plo *o)
{
    bool regs = plo_in_registers(o);
    TRY(plo_value(c, o, regs, o->r1, PLO_OP1C, o->compare[0]));
    if (o->operation != PLO_CL)
        TRY(plo_value(c, o, regs, o->r1 + 1, PLO_OP1R, o->value[0]));
    switch (o->operation) {
    case PLO_CL: return plo_operand4(c, o);
    case PLO_CS: return 0;
    case PLO_DCS:
        TRY(plo_value(c, o, regs, o->r3, PLO_OP3C, o->compare[1]));
        TRY(plo_value(c, o, regs, o->r3 + 1, PLO_OP3R, o->value[1]));
        return plo_operand4(c, o);
    case PLO_CSST:
        TRY(plo_value(c, o, regs, o->r3, PLO_OP3R, o->value[1]));
        return plo_operand4(c, o);
    default: break;
    }
    unsigned stores = o->operation == PLO_CSDST ? 2 : 3;
    for (unsigned i = 0; i < stores; i++) {
        TRY(plo_value(c, o, false, 0, PLO_OP3R + 32 * i, o->value[i + 1]));
        TRY(plo_listed(c, o, 72 + 32 * i));
    }
    return 0;
}

static bool plo_equal(const struct plo *o, unsigned i)
{
    return memcmp(o->op[i], o->compare[i], o->len) == 0;
}

/** Store an operand so that other CPUs see all of it or nothing, as far as the size allows. */
static void plo_store(u8 *p, const u8 *value, unsigned len)
{
    if (len == 4) {
        u32 word;
        memcpy(&word, value, 4);
        __atomic_store_n((u32 *)(void *)p, word, __ATOMIC_RELEASE);
        return;
    }
    for (unsigned i = 0; i < len; i += 8) {
        u64 doubleword;
        memcpy(&doubleword, value + i, 8);
        __atomic_store_n((u64 *)(void *)(p + i), doubleword, __ATOMIC_RELEASE);
    }
}

/** Compare and replace; on a mismatch the operand's value is in o->compare. */
static unsigned plo_locked(struct plo *o)
{
    if (!plo_equal(o, 0)) {
        memcpy(o->compare[0], o->op[0], o->len);
        return 1;
    }
    if (o->operation == PLO_CL) {
        memcpy(o->value[1], o->op[1], o->len);
        return 0;
    }
    if (o->operation == PLO_DCS && !plo_equal(o, 1)) {
        memcpy(o->compare[1], o->op[1], o->len);
        return 2;
    }
    for (unsigned i = o->count; i-- > 0;)
        plo_store(o->op[i], o->value[i], o->len);
    return 0;
}

/** Put back what was loaded: the comparison value that failed, or operand 3 of CL. */
static int plo_finish(struct cpu *c, const struct plo *o, unsigned cc)
{
    if (cc == 1)
        return plo_value_set(c, o, o->r1, PLO_OP1C, o->compare[0]);
    if (cc == 2)
        return plo_value_set(c, o, o->r3, PLO_OP3C, o->compare[1]);
    if (o->operation == PLO_CL)
        return plo_value_set(c, o, o->r3, PLO_OP3C, o->value[1]);
    return 0;
}

/** Fields of the parameter list that may be stored must be accessible beforehand. */
static int plo_probe(struct cpu *c, const struct plo *o)
{
    if (plo_in_registers(o))
        return 0;
    u64 len = o->operation == PLO_CL || o->operation == PLO_DCS ? PLO_OP3C : PLO_OP1C;
    return operand_probe(c, o->list, o->b4, len, TLB_STORE);
}

/** True when addresses of operands stand in the parameter list. */
static bool plo_lists_operands(const struct plo *o)
{
    return o->operation >= PLO_CSDST || (!plo_in_registers(o) && o->operation != PLO_CS);
}

/** Register numbers and alignment that the function code asks for. */
static bool plo_specified(const struct cpu *c, const struct plo *o)
{
    bool regs = plo_in_registers(o);
    if (regs && o->operation != PLO_CL && (o->r1 & 1))
        return false;
    if (regs && o->operation == PLO_DCS && (o->r3 & 1))
        return false;
    if (ar_mode(c) && o->r3 == 0 && plo_lists_operands(o))
        return false;
    bool listed = !regs || o->operation >= PLO_CSDST;
    return !listed || !(o->list & 7);
}

/** All operands; access register R3 is as it was when one of them is not accessible. */
static int plo_find(struct cpu *c, struct plo *o, u64 ea2, unsigned b2)
{
    u32 alet = c->ar[o->r3];
    int rc = plo_operand(c, o, ea2, b2);
    if (rc == 0)
        rc = plo_prepare(c, o);
    if (rc == 0)
        rc = plo_probe(c, o);
    if (rc != 0 && c->ar[o->r3] != alet)
        ar_set(c, o->r3, alet);
    return rc;
}

/* EE PLO PERFORM LOCKED OPERATION */
INSN(plo)
{
    static const u8 lengths[4] = {4, 8, 8, 16};
    unsigned code = c->gr[0] & 0xff;
    if (gr32(c, 0) & PLO_RESERVED)
        return PGM_SPECIFICATION;
    if (c->gr[0] & 0x100) {
        c->cc = code < PLO_CODES ? 0 : 3;
        return 0;
    }
    if (code >= PLO_CODES)
        return PGM_SPECIFICATION;
    struct plo o = {.operation = code / 4,
                    .size = code % 4,
                    .len = lengths[code % 4],
                    .r1 = d->r1,
                    .r3 = d->r3,
                    .list = ea_2(c, d),
                    .b4 = d->b2};
    if (!plo_specified(c, &o))
        return PGM_SPECIFICATION;
    TRY(plo_find(c, &o, ea_1(c, d), d->r2));
    lock_take(&c->set->lock);
    unsigned cc = plo_locked(&o);
    lock_drop(&c->set->lock);
    for (unsigned i = 0; i < o.count && o.operation != PLO_CL; i++)
        access_interlocked_done(c, o.op[i], o.len);
    TRY(plo_finish(c, &o, cc));
    c->cc = (u8)cc;
    return 0;
}

#define CHAPTER_DEF "cpu/isa/isa_plo.def"
#define CHAPTER_NAME isa_plo
#include "cpu/insn/insn_chapter.h"
