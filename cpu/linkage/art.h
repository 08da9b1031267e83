/* Access-register translation (PoP chapter 5, "Access-Register Translation"): from an ALET through
 * the access list of the dispatchable unit or of the primary space to an ASTE. For cpu/ only.
 * All return 0 or a program-interruption code; an exception names no register yet unless said. */
#ifndef ENDICOTT_CPU_LINKAGE_ART_H
#define ENDICOTT_CPU_LINKAGE_ART_H

#include "cpu/linkage/asn.h"

#define ALET_PRIMARY_LIST 0x01000000u /* the list of the primary space, not of the unit */

/** What an ALET other than 0 and 1 leads to. */
struct art_result {
    struct aste aste;
    bool fetch_only;
};

/** Translate `alet` with extended authorization index `eax`. `special`: as BRANCH IN SUBSPACE
 *  GROUP does it, without sequence number of the entry and without authorization. */
int art_translate(struct cpu *c, u32 alet, u16 eax, bool special, struct art_result *out);
/** True for the exceptions that LRA, TPROT and TAR turn into a condition code. */
bool art_exception(int code);
/** The ASCE that base register b has in the access-register mode; the exception names it. */
int art_asce(struct cpu *c, unsigned b, u64 *asce, bool *fetch_only);
/** The space of base register b in the access-register mode, for an access key. */
int art_space(struct cpu *c, unsigned b, u8 key, struct tlb_space **sp);
/** The ASCE that base register b has in the current mode; DAT on or off. */
int art_current_asce(struct cpu *c, unsigned b, u64 *asce, bool *fetch_only);
/** TEST ACCESS: the condition code for an ALET and an extended authorization index. */
int art_test(struct cpu *c, u32 alet, u16 eax);

#endif
