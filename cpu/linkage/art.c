/* Access-register translation.
 * Guarantees: changes nothing. There is no table of past translations: the ALB is what
 * cpu_operand_space has noted in c->space, and every purge and every change of a register that
 * translation depends on empties it (cpu_select_spaces).
 * Source: PoP chapter 5, "Access-Register-Translation Process". */
#include "cpu/linkage/art.h"

#include "cpu/insn/control.h"

#define REAL31 0x7fffffffu
#define ALET_RESERVED 0xfe000000u
#define ALET_SEQUENCE 0x00ff0000u
#define ALET_ENTRY 0x0000ffffu
#define CONTROL_LIST 16u /* access-list designation in the DUCT and in the ASTE */
#define LIST_ORIGIN 0x7fffff80u
#define LIST_LENGTH 0x7fu /* in units of 8 entries, less one */
#define ALE_BYTES 16u

/* Access-list entry, word 0. */
#define ALE_INVALID 0x80000000u
#define ALE_FETCH_ONLY 0x02000000u
#define ALE_PRIVATE 0x01000000u
#define ALE_ASTE 0x7fffffc0u /* word 2 */

/* The access-list entry of an ALET. */
static int entry_find(struct cpu *c, u32 alet, u32 *ale)
{
    u32 block = alet & ALET_PRIMARY_LIST ? (u32)c->cr[5] & CR5_ASTE : (u32)c->cr[2] & CR2_DUCT;
    u32 list, entry = alet & ALET_ENTRY;
    if (alet & ALET_RESERVED)
        return PGM_ALET_SPECIFICATION;
    TRY(asn_words(c, block + CONTROL_LIST, &list, 1));
    if (entry >> 3 > (list & LIST_LENGTH))
        return PGM_ALEN_TRANSLATION;
    TRY(asn_words(c, ((list & LIST_ORIGIN) + entry * ALE_BYTES) & REAL31, ale, 4));
    return ale[0] & ALE_INVALID ? PGM_ALEN_TRANSLATION : 0;
}

/* A private entry is for its owner, or for whom the authority table of the space names. */
static int entry_authorize(struct cpu *c, const u32 *ale, const struct aste *a, u16 eax)
{
    bool yes;
    if (!(ale[0] & ALE_PRIVATE) || (u16)ale[0] == eax)
        return 0;
    TRY(asn_authorized(c, a, eax, AUTHORITY_SECONDARY, &yes));
    return yes ? 0 : PGM_EXTENDED_AUTHORITY;
}

int art_translate(struct cpu *c, u32 alet, u16 eax, bool special, struct art_result *out)
{
    u32 ale[4];
    TRY(entry_find(c, alet, ale));
    if (!special && ((ale[0] ^ alet) & ALET_SEQUENCE))
        return PGM_ALE_SEQUENCE;
    TRY(asn_entry(c, ale[2] & ALE_ASTE, &out->aste));
    if (aste_invalid(&out->aste))
        return PGM_ASTE_VALIDITY;
    if (aste_sequence(&out->aste) != ale[3])
        return PGM_ASTE_SEQUENCE;
    out->fetch_only = (ale[0] & ALE_FETCH_ONLY) != 0;
    return special ? 0 : entry_authorize(c, ale, &out->aste, eax);
}

bool art_exception(int code)
{
    return code >= PGM_ALET_SPECIFICATION && code <= PGM_EXTENDED_AUTHORITY;
}

int art_asce(struct cpu *c, unsigned b, u64 *asce, bool *fetch_only)
{
    struct art_result found;
    u32 alet = b > 0 && b < 16 ? c->ar[b] : 0;
    *fetch_only = false;
    *asce = c->cr[alet ? 7 : 1];
    if (alet <= 1)
        return 0;
    c->exc_ar = (u8)b;
    TRY(art_translate(c, alet, (u16)(c->cr[8] >> 16), false, &found));
    *asce = aste_asce(&found.aste);
    *fetch_only = found.fetch_only;
    return 0;
}

int art_space(struct cpu *c, unsigned b, u8 key, struct tlb_space **sp)
{
    u64 asce;
    bool fetch_only;
    TRY(art_asce(c, b, &asce, &fetch_only));
    *sp = fetch_only ? cpu_space_fetch_only(c, asce, key) : cpu_space_of(c, asce, key);
    return 0;
}

int art_current_asce(struct cpu *c, unsigned b, u64 *asce, bool *fetch_only)
{
    *fetch_only = false;
    switch ((c->psw.mask & PSW_AS) >> PSW_AS_SHIFT) {
    case AS_AR: return art_asce(c, b, asce, fetch_only);
    case AS_SECONDARY: *asce = c->cr[7]; return 0;
    case AS_HOME: *asce = c->cr[13]; return 0;
    default: *asce = c->cr[1]; return 0;
    }
}

int art_test(struct cpu *c, u32 alet, u16 eax)
{
    struct art_result found;
    if (alet <= 1) {
        c->cc = alet ? 3 : 0;
        return 0;
    }
    int rc = art_translate(c, alet, eax, false, &found);
    if (rc && !art_exception(rc))
        return rc;
    c->cc = rc ? 3 : alet & ALET_PRIMARY_LIST ? 2 : 1;
    return 0;
}
