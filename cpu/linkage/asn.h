/* ASN translation and authorization, and the ASN-second-table entry that access registers and
 * subspaces lead to as well (PoP chapter 3, "ASN Translation", "ASN Authorization"; chapter 5,
 * "Subspace-Group Facility"). For cpu/ only. Tables lie at real addresses of 31 bits.
 * All return 0 or a program-interruption code, with teid or exc_ar as it stores them. */
#ifndef ENDICOTT_CPU_LINKAGE_ASN_H
#define ENDICOTT_CPU_LINKAGE_ASN_H

#include "cpu/cpu_internal.h"

#define ASTE_WORDS 16

/* Control registers. */
#define CR0_ASN_LX_REUSE CR_BIT(44)
#define CR14_ASN_TRANSLATION CR_BIT(44)
#define CR2_DUCT 0x7fffffc0u /* dispatchable-unit-control-table origin */
#define CR5_ASTE 0x7fffffc0u /* primary-ASTE origin */

/* ASCE bits that mean something here. */
#define ASCE_SUBSPACE_GROUP 0x200u
#define ASCE_STORAGE_EVENT 0x80u
#define ASCE_SPACE_SWITCH 0x40u

/* Authority-table entries: two bits for each authorization index. */
#define AUTHORITY_PRIMARY 0x80u
#define AUTHORITY_SECONDARY 0x40u

/* Exception access identification of an ASTE-instance exception. */
#define INSTANCE_PRIMARY 0x20u
#define INSTANCE_SECONDARY 0x10u

/** An ASN-second-table entry, and where it stands. */
struct aste {
    u32 origin;
    u32 word[ASTE_WORDS];
};

static inline bool aste_invalid(const struct aste *a)
{
    return a->word[0] >> 31;
}

/** Base space of a subspace group. */
static inline bool aste_base_space(const struct aste *a)
{
    return a->word[0] & 1;
}

static inline u16 aste_ax(const struct aste *a)
{
    return (u16)(a->word[1] >> 16);
}

static inline bool aste_controlled(const struct aste *a)
{
    return a->word[1] & 2;
}

static inline bool aste_reusable(const struct aste *a)
{
    return a->word[1] & 1;
}

static inline u64 aste_asce(const struct aste *a)
{
    return (u64)a->word[2] << 32 | a->word[3];
}

static inline u32 aste_sequence(const struct aste *a)
{
    return a->word[5];
}

/** Linkage-table designation, or linkage-first-table designation. */
static inline u32 aste_linkage(const struct aste *a)
{
    return a->word[6];
}

static inline u32 aste_instance(const struct aste *a)
{
    return a->word[11];
}

static inline u16 primary_asn(const struct cpu *c)
{
    return (u16)c->cr[4];
}

static inline u16 secondary_asn(const struct cpu *c)
{
    return (u16)c->cr[3];
}

/** True when ASN-and-LX reuse is installed and enabled. */
bool asn_reuse(const struct cpu *c);
/** `count` words at a real address, each fetched at once; addressing exception. */
int asn_words(struct cpu *c, u32 real, u32 *words, unsigned count);
/** The entry at a real address, valid or not. */
int asn_entry(struct cpu *c, u32 origin, struct aste *out);
/** The entry of an ASN: AFX and ASX translation exceptions. */
int asn_translate(struct cpu *c, u16 asn, struct aste *out);
/** May authorization index `ax` use the space? `authority` is AUTHORITY_*; addressing only. */
int asn_authorized(struct cpu *c, const struct aste *a, u16 ax, u8 authority, bool *yes);
/** The ASCE of an entry found by its ASN, after subspace replacement. */
int asn_space(struct cpu *c, const struct aste *a, u64 *asce);
/** Store a word of a control block at a real address (dispatchable-unit control table). */
int asn_store_check(struct cpu *c, u32 real);
void asn_store(struct cpu *c, u32 real, u32 v);
/** SSAR and SSAIR: ASN and, with instance, its instance number. */
int asn_set_secondary(struct cpu *c, u16 asn, u32 number, bool instance);

#endif
