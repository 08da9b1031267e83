/* ASN translation, authorization and subspace replacement.
 * Guarantees: nothing is changed but by asn_store and, when all has succeeded, by
 * asn_set_secondary; tables outside storage end in an addressing exception.
 * Sources: PoP chapter 3, "ASN Translation"; chapter 5, "Subspace-Group Tables". */
#include "cpu/linkage/asn.h"

#include "cpu/insn/control.h"
#include "cpu/event/trace.h"
#include "mem/dat.h"

#define REAL31 0x7fffffffu
#define CR14_FIRST_TABLE 0x7ffffu /* in units of 4096 bytes */
#define ENTRY_INVALID 0x80000000u
#define AFTE_ORIGIN 0x7fffffc0u
#define AUTHORITY_ORIGIN 0x7ffffffcu

/* Dispatchable-unit control table. */
#define DUCT_BASE 0x7fffffc0u   /* word 0: base-ASTE origin */
#define DUCT_ACTIVE 0x80000000u /* word 1: subspace active */
#define DUCT_SUBSPACE 0x7fffffc0u

bool asn_reuse(const struct cpu *c)
{
    return (c->cr[0] & CR0_ASN_LX_REUSE) && has_facility(c, FAC_ASNLX);
}

static u32 word_fetch(const u8 *p)
{
    u32 raw = __atomic_load_n((const u32 *)(const void *)p, __ATOMIC_RELAXED);
    return BE32(raw);
}

/* Two words at once: an entry of the linkage second table is fetched as a doubleword. */
static void doubleword_fetch(const u8 *p, u32 *words)
{
    u64 raw = __atomic_load_n((const u64 *)(const void *)p, __ATOMIC_RELAXED);
    words[0] = (u32)(BE64(raw) >> 32);
    words[1] = (u32)BE64(raw);
}

int asn_words(struct cpu *c, u32 real, u32 *words, unsigned count)
{
    u64 abs = dat_real_to_abs(real, c->prefix);
    const u8 *p = storage_host(c->st, abs, 4ull * count);
    if (!p)
        return PGM_ADDRESSING;
    storage_key_reference(c->st, abs);
    for (unsigned i = 0; i < count; i += 2)
        if (count - i >= 2 && ((abs + 4 * i) & 7) == 0)
            doubleword_fetch(p + 4 * i, words + i);
        else
            for (unsigned k = i; k < count && k < i + 2; k++)
                words[k] = word_fetch(p + 4 * k);
    return 0;
}

int asn_entry(struct cpu *c, u32 origin, struct aste *out)
{
    out->origin = origin;
    return asn_words(c, origin, out->word, ASTE_WORDS);
}

/* An exception that stores the ASN at real 172. */
static int asn_exception(struct cpu *c, int code, u16 asn)
{
    c->teid = asn;
    return code;
}

int asn_translate(struct cpu *c, u16 asn, struct aste *out)
{
    u32 first, table = (u32)(c->cr[14] & CR14_FIRST_TABLE) << 12;
    TRY(asn_words(c, (table + (asn >> 6) * 4u) & REAL31, &first, 1));
    if (first & ENTRY_INVALID)
        return asn_exception(c, PGM_AFX_TRANSLATION, asn);
    TRY(asn_entry(c, ((first & AFTE_ORIGIN) + (asn & 63u) * 64u) & REAL31, out));
    return aste_invalid(out) ? asn_exception(c, PGM_ASX_TRANSLATION, asn) : 0;
}

int asn_authorized(struct cpu *c, const struct aste *a, u16 ax, u8 authority, bool *yes)
{
    u32 real = ((a->word[0] & AUTHORITY_ORIGIN) + (ax >> 2)) & REAL31;
    u64 abs = dat_real_to_abs(real, c->prefix);
    *yes = false;
    if (ax >> 4 > (a->word[1] >> 4 & 0xfff))
        return 0;
    if (!storage_holds(c->st, abs, 1))
        return PGM_ADDRESSING;
    *yes = c->st->base[abs] & authority >> (ax & 3) * 2;
    return 0;
}

/* ---- subspace groups ---- */

/* An ASTE-validity or ASTE-sequence exception of subspace replacement names no register. */
static int subspace_exception(struct cpu *c, int code)
{
    c->exc_ar = 0;
    return code;
}

int asn_space(struct cpu *c, const struct aste *a, u64 *asce)
{
    const u64 kept = ASCE_SPACE_SWITCH | ASCE_STORAGE_EVENT;
    u32 duct[4];
    struct aste sub;
    *asce = aste_asce(a);
    if (!(*asce & ASCE_SUBSPACE_GROUP))
        return 0;
    TRY(asn_words(c, (u32)c->cr[2] & CR2_DUCT, duct, 4));
    if (!(duct[1] & DUCT_ACTIVE) || a->origin != (duct[0] & DUCT_BASE))
        return 0;
    TRY(asn_entry(c, duct[1] & DUCT_SUBSPACE, &sub));
    if (aste_invalid(&sub))
        return subspace_exception(c, PGM_ASTE_VALIDITY);
    if (aste_sequence(&sub) != duct[3])
        return subspace_exception(c, PGM_ASTE_SEQUENCE);
    *asce = (*asce & kept) | (aste_asce(&sub) & ~kept);
    return 0;
}

int asn_store_check(struct cpu *c, u32 real)
{
    if (!storage_holds(c->st, dat_real_to_abs(real, c->prefix), 4))
        return PGM_ADDRESSING;
    if (!(c->cr[0] & CR0_LAP) || (real & ~0x11ffu))
        return 0;
    c->teid = real & ~(FRAME_BYTES - 1);
    c->exc_ar = 0;
    return PGM_PROTECTION;
}

void asn_store(struct cpu *c, u32 real, u32 v)
{
    u8 word[4];
    be32_store(word, v);
    storage_write(c->st, dat_real_to_abs(real, c->prefix), word, sizeof word);
}

/* ---- SET SECONDARY ASN ---- */

/* The space and instance of an ASN that is not the primary one. */
static int secondary_find(struct cpu *c, u16 asn, u32 number, bool instance, u64 *asce,
                          u32 *found)
{
    struct aste a;
    bool yes;
    TRY(asn_translate(c, asn, &a));
    if (!instance && asn_reuse(c) && aste_reusable(&a))
        return PGM_SPECIAL_OPERATION;
    if (instance && aste_controlled(&a) && problem_state(c))
        return PGM_SPECIAL_OPERATION;
    *found = aste_instance(&a);
    if (instance && number != *found) {
        c->exc_ar = INSTANCE_SECONDARY;
        return PGM_ASTE_INSTANCE;
    }
    TRY(asn_authorized(c, &a, (u16)(c->cr[4] >> 16), AUTHORITY_SECONDARY, &yes));
    if (!yes)
        return asn_exception(c, PGM_SECONDARY_AUTHORITY, asn);
    return asn_space(c, &a, asce);
}

int asn_set_secondary(struct cpu *c, u16 asn, u32 number, bool instance)
{
    u64 asce = c->cr[1];
    u32 found = (u32)(c->cr[4] >> 32);
    if (!(c->psw.mask & PSW_DAT) || !(c->cr[14] & CR14_ASN_TRANSLATION))
        return PGM_SPECIAL_OPERATION;
    if (asn != primary_asn(c))
        TRY(secondary_find(c, asn, number, instance, &asce, &found));
    TRY(trace_set_secondary(c, asn, instance));
    c->cr[3] = (c->cr[3] & ~0xffffull) | asn;
    if (instance || asn_reuse(c))
        c->cr[3] = (u64)found << 32 | (u32)c->cr[3];
    c->cr[7] = asce;
    cpu_mode_changed(c);
    return CPU_RESYNC;
}
