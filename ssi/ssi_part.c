/* Shares of parts: of a volume its extents. A part is a name like any other, so that members of a
 * release which knows nothing of parts agree with this one about the same part; which units it has
 * stands beside the name, in the field where a claim has its generation. Who asks for a part looks
 * at all shares of the kind under the PDR lock; [S1] thus holds for units, too.
 * What is in a name is the label and a hash of whole, first unit and count: with the units that
 * stand beside it whoever knows `whole` can tell whether it is of that. */
#include "ssi/ssi_internal.h"

#include <stdio.h>

#define LABEL_CHARS 6

static u64 mix(u64 h, u64 v)
{
    for (unsigned i = 0; i < 8; i++, v >>= 8)
        h = (h ^ (v & 0xff)) * 0x100000001b3u; /* FNV-1a */
    return h;
}

void ssi_part_name(const struct ssi_part *part, char out[SSI_CLAIM_NAME_BYTES])
{
    u64 h = mix(mix(mix(0xcbf29ce484222325u, part->whole), part->first), part->count);
    snprintf(out, SSI_CLAIM_NAME_BYTES, "%.*s.%016llx", LABEL_CHARS, part->label,
             (unsigned long long)h);
}

u64 ssi_part_pack(const struct ssi_part *part)
{
    if (part->first > UINT32_MAX || part->count > UINT32_MAX)
        return 0;
    return part->first << 32 | part->count;
}

/* The same label, or one of them has none. */
static bool same_label(const char *name, const char *label)
{
    size_t n = strcspn(name, ".");
    return !n || !*label || (n == strnlen(label, LABEL_CHARS) && memcmp(name, label, n) == 0);
}

static bool is_against(const struct pdr_claim *share, const struct ssi_part *part)
{
    struct ssi_part other = {.label = "",
                             .whole = part->whole,
                             .first = share->generation >> 32,
                             .count = (u32)share->generation};
    char name[SSI_CLAIM_NAME_BYTES];
    if (!share->generation || other.first >= part->first + part->count ||
        part->first >= other.first + other.count || !same_label(share->name, part->label))
        return false;
    ssi_part_name(&other, name);
    return strcmp(share->name + strcspn(share->name, "."), name) == 0;
}

const struct pdr_claim *ssi_part_against(const struct ssi_pdr *pdr, u16 kind,
                                         const struct ssi_part *part, unsigned owner, u8 refuse)
{
    char name[SSI_CLAIM_NAME_BYTES];
    ssi_part_name(part, name);
    for (u32 i = 0; i < pdr->n_claims; i++) {
        const struct pdr_claim *share = &pdr->claims[i];
        if ((share->mode & refuse) && share->kind == kind && share->owner != owner &&
            (strcmp(share->name, name) == 0 || is_against(share, part)))
            return share;
    }
    return NULL;
}
