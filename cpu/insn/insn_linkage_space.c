/* Authority, subspaces and address-space parameters: BSA, BSG, LASP (PoP chapter 10). What they
 * keep stands in the dispatchable-unit control table, at the real address in CR2. */
#include "cpu/linkage/art.h"
#include "cpu/insn/insn_linkage.h"

/* Dispatchable-unit control table: words, and their bits. */
enum duct_word {
    DUCT_BASE,
    DUCT_SUBSPACE,
    DUCT_SEQUENCE = 3,
    DUCT_AUTHORITY = 5,
    DUCT_RETURN = 8, /* two words */
    DUCT_WORDS = 10,
};
#define DUCT_ORIGIN 0x7fffffc0u
#define DUCT_ACTIVE 0x80000000u
#define DUCT_REDUCED 8u
#define DUCT_PROBLEM 1u

/* Fetch the table; with `stores` it must be open for that too. */
static int duct_fetch(struct cpu *c, u32 *duct)
{
    u32 real = (u32)c->cr[2] & CR2_DUCT;
    TRY(asn_store_check(c, real));
    return asn_words(c, real, duct, DUCT_WORDS);
}

static void duct_store(struct cpu *c, enum duct_word word, u32 v)
{
    asn_store(c, ((u32)c->cr[2] & CR2_DUCT) + 4u * word, v);
}

/* A branch address in a register: outside the 64-bit mode bit 32 selects the 31-bit mode. */
static void branch_target(const struct cpu *c, u64 v, struct linkage_target *to)
{
    to->addr = v;
    if (to->mask & PSW_EA)
        return;
    (void)c;
    to->mask = (to->mask & ~PSW_BA) | (v & AMODE_31 ? PSW_BA : 0);
    to->addr = v & (v & AMODE_31 ? 0x7fffffffu : 0xffffffu);
}

static void link_set(struct cpu *c, unsigned r1, u64 next)
{
    if (r1 == 0)
        return;
    if (amode64(c))
        c->gr[r1] = next;
    else
        gr32_set(c, r1, (u32)linkage_address(c, next));
}

/* ---- BRANCH AND SET AUTHORITY ---- */

/* From base authority: keep where and who we are, go on with less. */
static int authority_reduce(struct cpu *c, const struct dinsn *d, u64 next)
{
    struct linkage_target to = {.mask = psw_mask(c)};
    u64 link = linkage_address(c, next), key = c->gr[d->r1] >> 4 & 15;
    u32 pkm = (u32)c->cr[3] & 0xffff0000u;
    if (d->r2 == 0)
        return PGM_SPECIAL_OPERATION;
    if (!key_permitted(c, (unsigned)key))
        return PGM_PRIVILEGED;
    branch_target(c, c->gr[d->r2], &to);
    TRY(trace_branch(c, to.mask & AMODE_BITS, to.addr));
    duct_store(c, DUCT_AUTHORITY,
               pkm | c->access_key | DUCT_REDUCED | (problem_state(c) ? DUCT_PROBLEM : 0));
    duct_store(c, DUCT_RETURN, (u32)(link >> 32));
    duct_store(c, DUCT_RETURN + 1, (u32)link);
    c->cr[3] &= ~0xffff0000ull | (c->gr[d->r1] & 0xffff0000u);
    to.mask = (to.mask & ~PSW_KEY) | key << PSW_KEY_SHIFT | PSW_PROB;
    return linkage_finish(c, d, 4, &to);
}

/* Back to base authority, as the table says. */
static int authority_restore(struct cpu *c, const struct dinsn *d, const u32 *duct, u64 next)
{
    u32 who = duct[DUCT_AUTHORITY];
    u64 back = (u64)duct[DUCT_RETURN] << 32 | duct[DUCT_RETURN + 1];
    struct linkage_target to = {.mask = psw_mask(c) & ~(PSW_KEY | PSW_PROB), .addr = back};
    if (d->r2)
        return PGM_SPECIAL_OPERATION;
    if (!amode64(c)) {
        to.mask = (to.mask & ~PSW_BA) | (back & AMODE_31 ? PSW_BA : 0);
        to.addr = back & 0x7fffffffu;
    }
    TRY(trace_branch(c, to.mask & AMODE_BITS, to.addr));
    link_set(c, d->r1, next);
    duct_store(c, DUCT_AUTHORITY, who & ~DUCT_REDUCED);
    c->cr[3] = (c->cr[3] & ~0xffff0000ull) | (who & 0xffff0000u);
    to.mask |= (u64)(who >> 4 & 15) << PSW_KEY_SHIFT | (who & DUCT_PROBLEM ? PSW_PROB : 0);
    return linkage_finish(c, d, 4, &to);
}

int linkage_branch_authority(struct cpu *c, const struct dinsn *d)
{
    u32 duct[DUCT_WORDS];
    u64 next = insn_next_ia(c, d, 4) & c->amask;
    TRY(duct_fetch(c, duct));
    if (duct[DUCT_AUTHORITY] & DUCT_REDUCED)
        return authority_restore(c, d, duct, next);
    return authority_reduce(c, d, next);
}

/* ---- BRANCH IN SUBSPACE GROUP ---- */

static int subspace_exception(struct cpu *c, unsigned r2, int code)
{
    c->exc_ar = (u8)r2;
    return code;
}

/* ALET 1: the subspace that had control last. */
static int subspace_last(struct cpu *c, unsigned r2, const u32 *duct, struct aste *a)
{
    u32 origin = duct[DUCT_SUBSPACE] & DUCT_ORIGIN;
    if (origin == 0)
        return PGM_SPECIAL_OPERATION;
    TRY(asn_entry(c, origin, a));
    if (aste_invalid(a))
        return subspace_exception(c, r2, PGM_ASTE_VALIDITY);
    if (aste_sequence(a) != duct[DUCT_SEQUENCE])
        return subspace_exception(c, r2, PGM_ASTE_SEQUENCE);
    return 0;
}

/* Any other ALET: a subspace of this group, or its base space. */
static int subspace_listed(struct cpu *c, u32 alet, unsigned r2, const u32 *duct,
                           struct aste *a)
{
    struct art_result found;
    int rc = art_translate(c, alet, 0, true, &found);
    if (rc)
        return subspace_exception(c, r2, rc);
    *a = found.aste;
    if (a->origin == (duct[DUCT_BASE] & DUCT_ORIGIN))
        return 0;
    if (!(aste_asce(a) & ASCE_SUBSPACE_GROUP) || aste_base_space(a))
        return PGM_SPECIAL_OPERATION;
    return 0;
}

static int subspace_find(struct cpu *c, u32 alet, unsigned r2, const u32 *duct, struct aste *a)
{
    if (alet == 0)
        return asn_entry(c, duct[DUCT_BASE] & DUCT_ORIGIN, a);
    return alet == 1 ? subspace_last(c, r2, duct, a) : subspace_listed(c, alet, r2, duct, a);
}

/* Note in the table where the dispatchable unit is. */
static void subspace_note(struct cpu *c, u32 alet, const u32 *duct, const struct aste *a,
                          bool base)
{
    if (base) {
        duct_store(c, DUCT_SUBSPACE, duct[DUCT_SUBSPACE] & ~DUCT_ACTIVE);
    } else if (alet == 1) {
        duct_store(c, DUCT_SUBSPACE, duct[DUCT_SUBSPACE] | DUCT_ACTIVE);
    } else {
        duct_store(c, DUCT_SUBSPACE, DUCT_ACTIVE | a->origin);
        duct_store(c, DUCT_SEQUENCE, aste_sequence(a));
    }
}

int linkage_branch_subspace(struct cpu *c, const struct dinsn *d)
{
    const u64 kept = ASCE_SPACE_SWITCH | ASCE_STORAGE_EVENT;
    u32 duct[DUCT_WORDS], alet = d->r2 ? c->ar[d->r2] : 0;
    u64 target = c->gr[d->r2], next = insn_next_ia(c, d, 4) & c->amask;
    struct linkage_target to = {.mask = psw_mask(c)};
    struct aste a;
    if (!(c->psw.mask & PSW_DAT))
        return PGM_SPECIAL_OPERATION;
    TRY(duct_fetch(c, duct));
    if (((u32)c->cr[5] & CR5_ASTE) != (duct[DUCT_BASE] & DUCT_ORIGIN))
        return PGM_SPECIAL_OPERATION;
    TRY(subspace_find(c, alet, d->r2, duct, &a));
    branch_target(c, target, &to);
    TRY(trace_subspace(c, alet, target));
    bool base = alet != 1 && a.origin == (duct[DUCT_BASE] & DUCT_ORIGIN);
    c->cr[1] = base ? aste_asce(&a) : (c->cr[1] & kept) | (aste_asce(&a) & ~kept);
    link_set(c, d->r1, next);
    linkage_secondary_is_primary(c, false);
    subspace_note(c, alet, duct, &a, base);
    return linkage_finish(c, d, 4, &to);
}

/* ---- LOAD ADDRESS SPACE PARAMETERS ---- */

/* Second-operand address. */
#define LASP_TRANSLATE 4u    /* translate ASNs even if they do not change */
#define LASP_USE_AX 2u       /* the authorization index of the first operand */
#define LASP_NO_AUTHORITY 1u /* do not test secondary authority */

/** The first operand. */
struct parameters {
    u32 secondary_instance, primary_instance;
    u16 pkm, sasn, ax, pasn;
};

static int parameters_fetch(struct cpu *c, const struct dinsn *d, struct parameters *p)
{
    u8 buf[16];
    u64 ea = ea_1(c, d);
    bool reuse = asn_reuse(c);
    if (ea & 7)
        return PGM_SPECIFICATION;
    TRY(access_fetch(c, ea, d->r2, buf, reuse ? 16 : 8));
    const u8 *first = reuse ? buf + 4 : buf, *second = reuse ? buf + 12 : buf + 4;
    *p = (struct parameters){.pkm = be16_load(first),
                             .sasn = be16_load(first + 2),
                             .ax = be16_load(second),
                             .pasn = be16_load(second + 2)};
    p->secondary_instance = reuse ? be32_load(buf) : 0;
    p->primary_instance = reuse ? be32_load(buf + 8) : 0;
    return 0;
}

/* Exceptions that LASP turns into a condition code. */
static bool not_available(int code)
{
    return code == PGM_AFX_TRANSLATION || code == PGM_ASX_TRANSLATION ||
           code == PGM_ASTE_VALIDITY || code == PGM_ASTE_SEQUENCE || code == PGM_ASTE_INSTANCE;
}

static int space_translate(struct cpu *c, u16 asn, u32 instance, struct aste *a, u64 *asce)
{
    TRY(asn_translate(c, asn, a));
    if (asn_reuse(c) && instance != aste_instance(a))
        return PGM_ASTE_INSTANCE;
    return asn_space(c, a, asce);
}

/* The new primary space; *cc 1 or 3 when it cannot be. */
static int primary_find(struct cpu *c, const struct parameters *p, u64 how,
                        struct linkage_space *s, u8 *cc)
{
    struct aste a;
    u64 asce;
    if (!(how & LASP_TRANSLATE) && p->pasn == primary_asn(c)) {
        *s = (struct linkage_space){c->cr[1], p->pasn, (u16)(c->cr[4] >> 16),
                                    (u32)(c->cr[4] >> 32), (u32)c->cr[5]};
    } else {
        int rc = space_translate(c, p->pasn, p->primary_instance, &a, &asce);
        *cc = rc ? 1 : (c->cr[1] | asce) & ASCE_SPACE_SWITCH ? 3 : 0;
        if (rc)
            return not_available(rc) ? 0 : rc;
        *s = linkage_space_of(&a, p->pasn, asce);
    }
    if (how & LASP_USE_AX)
        s->ax = p->ax;
    return 0;
}

/* The new secondary space; *cc 2 when it cannot be. */
static int secondary_find(struct cpu *c, const struct parameters *p, u64 how,
                          const struct linkage_space *primary, u64 *asce, u32 *instance, u8 *cc)
{
    const u64 as_it_is = LASP_NO_AUTHORITY;
    struct aste a;
    bool yes = true;
    *asce = primary->asce;
    *instance = primary->instance;
    if (p->sasn == primary->asn)
        return 0;
    *asce = c->cr[7];
    *instance = (u32)(c->cr[3] >> 32);
    if ((how & (LASP_TRANSLATE | LASP_NO_AUTHORITY)) == as_it_is && p->sasn == secondary_asn(c))
        return 0;
    int rc = space_translate(c, p->sasn, p->secondary_instance, &a, asce);
    *instance = rc ? 0 : aste_instance(&a);
    if (rc == 0 && !(how & LASP_NO_AUTHORITY))
        TRY(asn_authorized(c, &a, primary->ax, AUTHORITY_SECONDARY, &yes));
    *cc = rc || !yes ? 2 : 0;
    return rc && !not_available(rc) ? rc : 0;
}

int linkage_load_parameters(struct cpu *c, const struct dinsn *d)
{
    struct parameters p;
    struct linkage_space primary;
    u64 how = ea_2(c, d), secondary;
    u32 instance;
    u8 cc = 0;
    if (!(c->cr[14] & CR14_ASN_TRANSLATION))
        return PGM_SPECIAL_OPERATION;
    TRY(parameters_fetch(c, d, &p));
    TRY(primary_find(c, &p, how, &primary, &cc));
    if (cc == 0)
        TRY(secondary_find(c, &p, how, &primary, &secondary, &instance, &cc));
    c->cc = cc;
    if (cc)
        return 0;
    linkage_primary_set(c, &primary, false);
    c->cr[7] = secondary;
    c->cr[3] = (c->cr[3] & ~0xffffffffull) | (u32)p.pkm << 16 | p.sasn;
    if (asn_reuse(c))
        c->cr[3] = (u64)instance << 32 | (u32)c->cr[3];
    cpu_mode_changed(c);
    return CPU_RESYNC;
}
