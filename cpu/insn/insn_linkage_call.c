/* PROGRAM CALL, PROGRAM TRANSFER and PROGRAM RETURN (PoP chapters 5 and 10). Each finds everything
 * it will set, stacks or unstacks as the last that may fail, then changes registers. */
#include "cpu/insn/insn_linkage.h"

#define REAL31 0x7fffffffu
#define TABLE_INVALID 0x80000000u
#define LINKAGE_ENABLED 0x80000000u /* subsystem-linkage control */
#define ASTE_LINKAGE 24u            /* byte of the (first-) table designation */
#define NUMBER_WIDE 0x80000u        /* bit 44 of the operand address */

/* Entry-table entry. */
#define E1_AMODE_31 0x80000000u
#define E1_PROBLEM 1u
#define E4_STACKING 0x80000000u
#define E4_AMODE_64 0x40000000u
#define E4_KEY 0x10000000u          /* K: replace the PSW key */
#define E4_MASK_REPLACED 0x8000000u /* M: entry key mask replaces the PSW-key mask */
#define E4_EAX 0x4000000u
#define E4_AR_MODE 0x2000000u
#define E4_SECONDARY_NEW 0x1000000u /* S: the secondary space is the new primary one */
#define E5_ASTE 0x7fffffc0u

/** A call on its way. */
struct call {
    u32 operand; /* PC number as the operand has it */
    u32 number;  /* without bit 44: as the linkage stack keeps it */
    bool wide;
    u32 entry[8];
    struct linkage_space space; /* when asn is not zero */
    u16 identity;               /* of the called space, second half */
};

/* ---- PC-number translation ---- */

static int number_exception(struct cpu *c, const struct call *call, int code)
{
    c->teid = call->operand;
    return code;
}

/* Linkage table: designation of the entry table. */
static int table_lookup(struct cpu *c, const struct call *call, u32 designation, u32 *table)
{
    u32 index = call->number >> 8;
    if (index >> 5 > (designation & 0x7f))
        return number_exception(c, call, PGM_LX_TRANSLATION);
    TRY(asn_words(c, ((designation & 0x7fffff80u) + index * 4) & REAL31, table, 1));
    return *table & TABLE_INVALID ? number_exception(c, call, PGM_LX_TRANSLATION) : 0;
}

/* Linkage first and second table, with ASN-and-LX reuse. */
static int tables_lookup(struct cpu *c, const struct call *call, u32 designation, u32 *table)
{
    u32 first = call->number >> 13, second = call->number >> 8 & 31, entry, found[2];
    if (call->wide && first >> 6 > (designation & 0xff))
        return number_exception(c, call, PGM_LFX_TRANSLATION);
    TRY(asn_words(c, ((designation & 0x7fffff00u) + first * 4) & REAL31, &entry, 1));
    if (entry & TABLE_INVALID)
        return number_exception(c, call, PGM_LFX_TRANSLATION);
    TRY(asn_words(c, ((entry & 0x7fffff00u) + second * 8) & REAL31, found, 2));
    if (found[0] & TABLE_INVALID)
        return number_exception(c, call, PGM_LSX_TRANSLATION);
    if (found[1] && found[1] != gr_high(c, 15))
        return number_exception(c, call, PGM_LSTE_SEQUENCE);
    *table = found[0];
    return 0;
}

/* The linkage-table designation of the primary space, which must have linkage enabled. */
static int designation_find(struct cpu *c, u32 *designation)
{
    TRY(asn_words(c, ((u32)c->cr[5] & CR5_ASTE) + ASTE_LINKAGE, designation, 1));
    return *designation & LINKAGE_ENABLED ? 0 : PGM_SPECIAL_OPERATION;
}

static int entry_find(struct cpu *c, u64 ea, struct call *call)
{
    u32 designation, table, index = ea & 0xff;
    bool reuse = asn_reuse(c);
    call->wide = reuse && (ea & NUMBER_WIDE);
    call->operand = call->wide ? (u32)ea : ea & 0xfffff;
    call->number = call->operand;
    if (call->wide)
        call->number = (call->operand >> 1 & 0x7ff80000u) | (call->operand & 0x7ffff);
    TRY(designation_find(c, &designation));
    TRY(reuse ? tables_lookup(c, call, designation, &table)
              : table_lookup(c, call, designation, &table));
    if (index >> 2 > (table & 0x3f))
        return number_exception(c, call, PGM_EX_TRANSLATION);
    return asn_words(c, ((table & 0x7fffffc0u) + index * 32) & REAL31, call->entry, 8);
}

static int entry_check(struct cpu *c, const u32 *e)
{
    bool wide = e[4] & E4_AMODE_64;
    if (!(e[4] & E4_STACKING) && (cpu_ar_mode(c) || wide != amode64(c)))
        return PGM_SPECIAL_OPERATION;
    if (!wide && !(e[1] & E1_AMODE_31) && (e[1] & 0x7f000000u))
        return PGM_PC_TRANSLATION_SPEC;
    if (problem_state(c) && !((u32)c->cr[3] & e[2] & 0xffff0000u))
        return PGM_PRIVILEGED;
    return 0;
}

/* The space of an entry that has an ASN; its ASTE is named by the entry. */
static int space_find(struct cpu *c, struct call *call)
{
    struct aste a;
    u64 asce;
    u16 asn = (u16)call->entry[2];
    call->space.asn = asn;
    if (asn == 0)
        return 0;
    if (!(c->cr[14] & CR14_ASN_TRANSLATION))
        return PGM_SPECIAL_OPERATION;
    TRY(asn_entry(c, call->entry[5] & E5_ASTE, &a));
    if (aste_invalid(&a)) {
        c->teid = asn;
        return PGM_ASX_TRANSLATION;
    }
    TRY(asn_space(c, &a, &asce));
    call->space = linkage_space_of(&a, asn, asce);
    call->identity = (u16)(asn_reuse(c) ? aste_instance(&a) : aste_sequence(&a));
    return 0;
}

/* ---- PROGRAM CALL ---- */

static struct linkage_target call_target(const struct cpu *c, const u32 *e)
{
    struct linkage_target to = {.mask = psw_mask(c) & ~(AMODE_BITS | PSW_PROB | PSW_AS)};
    if (e[4] & E4_AMODE_64) {
        to.mask |= AMODE_BITS;
        to.addr = (u64)e[0] << 32 | (e[1] & ~1u);
    } else {
        to.mask |= e[1] & E1_AMODE_31 ? PSW_BA : 0;
        to.addr = e[1] & 0x7ffffffeu;
    }
    if (e[1] & E1_PROBLEM)
        to.mask |= PSW_PROB;
    return to;
}

/* Basic: what is needed to come back goes into general registers 3 and 14. */
static void call_basic(struct cpu *c, const u32 *e, u64 next)
{
    u64 link = linkage_address(c, next) | problem_state(c);
    if (amode64(c))
        c->gr[14] = link;
    else
        gr32_set(c, 14, (u32)link);
    gr32_set(c, 3, ((u32)c->cr[3] & 0xffff0000u) | primary_asn(c));
    if (asn_reuse(c))
        gr_high_set(c, 3, (u32)(c->cr[4] >> 32));
    c->cr[3] |= e[3] & 0xffff0000u;
}

/* Stacking: everything goes into the linkage stack; the rest of the entry counts. */
static int call_stacking(struct cpu *c, const struct call *call, u64 next,
                         struct linkage_target *to)
{
    const u32 *e = call->entry;
    u8 image[LINKAGE_BYTES];
    linkage_image(c, image, c->psw.mask & AMODE_BITS, next);
    if (call->space.asn)
        be32_store(image + LINKAGE_CALL, (u32)call->space.asn << 16 | call->identity);
    be32_store(image + LINKAGE_CALL + 4, call->number | (e[4] & E4_AMODE_64 ? 0x80000000u : 0));
    TRY(linkage_push(c, image, LINKAGE_CALLED));
    if (e[4] & E4_KEY)
        to->mask = (to->mask & ~PSW_KEY) | (u64)(e[4] >> 20 & 15) << PSW_KEY_SHIFT;
    if (e[4] & E4_AR_MODE)
        to->mask |= (u64)AS_AR << PSW_AS_SHIFT;
    if (e[4] & E4_MASK_REPLACED)
        c->cr[3] &= ~0xffff0000ull;
    c->cr[3] |= e[3] & 0xffff0000u;
    if (e[4] & E4_EAX)
        c->cr[8] = (c->cr[8] & ~0xffff0000ull) | (u64)(u16)e[4] << 16;
    return 0;
}

/* The caller's primary space becomes the secondary one. */
static void call_spaces(struct cpu *c, const struct call *call, struct linkage_target *to)
{
    const u32 stays = E4_STACKING | E4_SECONDARY_NEW;
    linkage_secondary_is_primary(c, false);
    if (call->space.asn == 0)
        return;
    linkage_event(c, call->space.asce, to);
    linkage_primary_set(c, &call->space, false);
    if ((call->entry[4] & stays) == stays)
        linkage_secondary_is_primary(c, false);
}

static int call_trace(struct cpu *c, const struct call *call, u64 mode, u64 next)
{
    TRY(trace_program_call(c, call->operand, call->wide, next));
    return trace_mode_switch(c, mode, next);
}

int linkage_program_call(struct cpu *c, const struct dinsn *d)
{
    struct call call = {0};
    u64 cr12 = c->cr[12], next = insn_next_ia(c, d, 4) & c->amask;
    TRY(linkage_mode(c, true));
    TRY(entry_find(c, ea_b(c, d), &call));
    TRY(entry_check(c, call.entry));
    TRY(space_find(c, &call));
    struct linkage_target to = call_target(c, call.entry);
    int rc = call_trace(c, &call, to.mask, next);
    if (rc == 0 && (call.entry[4] & E4_STACKING))
        rc = call_stacking(c, &call, next, &to);
    if (rc) {
        c->cr[12] = cr12;
        return rc;
    }
    if (!(call.entry[4] & E4_STACKING))
        call_basic(c, call.entry, next);
    if (call.entry[4] & E4_AMODE_64)
        gr_high_set(c, 4, call.entry[6]);
    gr32_set(c, 4, call.entry[7]);
    call_spaces(c, &call, &to);
    return linkage_finish(c, d, 4, &to);
}

/* ---- PROGRAM TRANSFER ---- */

/* The space of an ASN that is not the primary one. */
static int transfer_space(struct cpu *c, u16 asn, u32 number, bool instance,
                          struct linkage_space *space)
{
    struct aste a;
    u64 asce;
    bool yes;
    if (!(c->cr[14] & CR14_ASN_TRANSLATION))
        return PGM_SPECIAL_OPERATION;
    TRY(asn_translate(c, asn, &a));
    if (!instance && asn_reuse(c) && aste_reusable(&a))
        return PGM_SPECIAL_OPERATION;
    if (instance && aste_controlled(&a) && problem_state(c))
        return PGM_SPECIAL_OPERATION;
    if (instance && number != aste_instance(&a)) {
        c->exc_ar = INSTANCE_PRIMARY;
        return PGM_ASTE_INSTANCE;
    }
    TRY(asn_authorized(c, &a, (u16)(c->cr[4] >> 16), AUTHORITY_PRIMARY, &yes));
    if (!yes) {
        c->teid = asn;
        return PGM_PRIMARY_AUTHORITY;
    }
    TRY(asn_space(c, &a, &asce));
    *space = linkage_space_of(&a, asn, asce);
    return 0;
}

/* Address, addressing mode and state from R2. */
static int transfer_target(struct cpu *c, u64 r2, struct linkage_target *to)
{
    to->mask = psw_mask(c) | (r2 & 1 ? PSW_PROB : 0);
    if (problem_state(c) && !(r2 & 1))
        return PGM_PRIVILEGED;
    to->addr = r2 & ~1ull;
    if (amode64(c))
        return 0;
    to->addr = r2 & 0x7ffffffeu;
    to->mask = (to->mask & ~PSW_BA) | (r2 & AMODE_31 ? PSW_BA : 0);
    return !(r2 & AMODE_31) && to->addr >> 24 ? PGM_SPECIFICATION : 0;
}

int linkage_program_transfer(struct cpu *c, const struct dinsn *d, bool instance)
{
    struct linkage_target to = {0};
    struct linkage_space space;
    u32 designation, r1 = gr32(c, d->r1);
    u16 asn = (u16)r1;
    bool switches = asn != primary_asn(c);
    if (!(c->psw.mask & PSW_DAT) || (c->psw.mask & PSW_AS))
        return PGM_SPECIAL_OPERATION;
    TRY(designation_find(c, &designation));
    TRY(transfer_target(c, c->gr[d->r2], &to));
    if (switches)
        TRY(transfer_space(c, asn, gr_high(c, d->r1), instance, &space));
    TRY(trace_program_transfer(c, asn, c->gr[d->r2], instance));
    if (switches) {
        linkage_event(c, space.asce, &to);
        linkage_primary_set(c, &space, instance);
    }
    c->cr[3] &= ~0xffff0000ull | (r1 & 0xffff0000u);
    linkage_secondary_is_primary(c, instance);
    return linkage_finish(c, d, 4, &to);
}

/* ---- PROGRAM RETURN ---- */

/** What an entry made by PC restores besides. */
struct restored {
    bool switches;
    struct linkage_space primary;
    u64 secondary; /* ASCE */
};

/* The ASTE of an ASN in an entry, whose instance must be that of the entry. */
static int restored_aste(struct cpu *c, u16 asn, u32 instance, u8 which, struct aste *a)
{
    if (!(c->cr[14] & CR14_ASN_TRANSLATION))
        return PGM_SPECIAL_OPERATION;
    TRY(asn_translate(c, asn, a));
    if (!asn_reuse(c) || instance == aste_instance(a))
        return 0;
    c->exc_ar = which;
    return PGM_ASTE_INSTANCE;
}

static int restored_primary(struct cpu *c, const u8 *image, struct restored *r)
{
    struct aste a;
    u64 asce;
    u16 asn = be16_load(image + LINKAGE_PASN);
    r->switches = asn != primary_asn(c);
    r->primary = (struct linkage_space){.asce = c->cr[1],
                                        .asn = asn,
                                        .ax = (u16)(c->cr[4] >> 16),
                                        .instance = be32_load(image + LINKAGE_PASTEIN),
                                        .aste = (u32)c->cr[5]};
    if (!r->switches)
        return 0;
    TRY(restored_aste(c, asn, r->primary.instance, INSTANCE_PRIMARY, &a));
    TRY(asn_space(c, &a, &asce));
    r->primary = linkage_space_of(&a, asn, asce);
    return 0;
}

static int restored_secondary(struct cpu *c, const u8 *image, struct restored *r)
{
    struct aste a;
    bool yes;
    u16 asn = be16_load(image + LINKAGE_SASN);
    r->secondary = r->primary.asce;
    if (asn == r->primary.asn)
        return 0;
    TRY(restored_aste(c, asn, be32_load(image + LINKAGE_SASTEIN), INSTANCE_SECONDARY, &a));
    TRY(asn_authorized(c, &a, r->primary.ax, AUTHORITY_SECONDARY, &yes));
    if (!yes) {
        c->teid = asn;
        return PGM_SECONDARY_AUTHORITY;
    }
    return asn_space(c, &a, &r->secondary);
}

static void spaces_restore(struct cpu *c, const u8 *image, const struct restored *r,
                           struct linkage_target *to)
{
    if (r->switches)
        linkage_event(c, r->primary.asce, to);
    linkage_primary_set(c, &r->primary, false);
    c->cr[7] = r->secondary;
    c->cr[3] = (c->cr[3] & ~0xffffffffull) | be32_load(image + LINKAGE_PKM);
    if (asn_reuse(c))
        c->cr[3] = (u64)be32_load(image + LINKAGE_SASTEIN) << 32 | (u32)c->cr[3];
    c->cr[8] = (c->cr[8] & ~0xffff0000ull) | (u64)be16_load(image + LINKAGE_EAX) << 16;
}

/* Registers 2 to 14 of both kinds. */
static void registers_restore(struct cpu *c, const u8 *image)
{
    for (unsigned r = 2; r <= 14; r++) {
        c->gr[r] = be64_load(image + LINKAGE_GR + 8 * r);
        c->ar[r] = be32_load(image + LINKAGE_AR + 4 * r);
    }
}

int linkage_program_return(struct cpu *c, const struct dinsn *d)
{
    struct linkage_entry e;
    struct restored r;
    u8 image[LINKAGE_BYTES];
    u64 cr12 = c->cr[12], next = insn_next_ia(c, d, 2) & c->amask;
    TRY(linkage_mode(c, true));
    TRY(linkage_current(c, true, &e));
    TRY(linkage_fetch(c, &e, 0, image, sizeof image));
    TRY(linkage_pop_check(c, &e));
    bool called = e.type == LINKAGE_CALLED;
    if (called) {
        TRY(restored_primary(c, image, &r));
        TRY(restored_secondary(c, image, &r));
    }
    struct linkage_target to = {.mask = be64_load(image + LINKAGE_PSW_MASK),
                                .addr = be64_load(image + LINKAGE_PSW_ADDR)};
    to.mask = (to.mask & ~PSW_PER) | (c->psw.mask & PSW_PER);
    if (called && (c->cr[12] & CR12_ASN_TRACE))
        TRY(trace_program_return(c, be16_load(image + LINKAGE_PASN), to.mask, to.addr, next));
    else
        TRY(trace_mode_switch(c, to.mask, next));
    int rc = linkage_pop(c, &e);
    if (rc) {
        c->cr[12] = cr12;
        return rc;
    }
    registers_restore(c, image);
    if (called)
        spaces_restore(c, image, &r, &to);
    return linkage_finish(c, d, 2, &to);
}
