/* Claims and shares in memory: a dense array, and an index by kind and name.
 * Every change by ssi_claim_put, _remove and ssi_claims_drop is noted in `ops` for the next
 * block of the file. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "mem/base/ergo.h"
#include "ssi/ssi_pdr.h"

#include <stdlib.h>

static u32 *bucket_of(const struct ssi_pdr *pdr, u16 kind, const char *name)
{
    u32 hash = (2166136261u ^ kind) * 16777619u; /* FNV-1a */
    for (; *name; name++)
        hash = (hash ^ (u8)*name) * 16777619u;
    return (u32 *)&pdr->bucket[(hash ^ hash >> 16) & (PDR_BUCKETS - 1)];
}

static bool same_name(const struct pdr_claim *claim, u16 kind, const char *name)
{
    return claim->kind == kind && strcmp(claim->name, name) == 0;
}

struct pdr_claim *ssi_claim_row(const struct ssi_pdr *pdr, u16 kind, const char *name)
{
    for (u32 i = *bucket_of(pdr, kind, name); i; i = pdr->next[i - 1])
        if (!pdr->claims[i - 1].mode && same_name(&pdr->claims[i - 1], kind, name))
            return &pdr->claims[i - 1];
    return NULL;
}

struct pdr_claim *ssi_share_row(const struct ssi_pdr *pdr, u16 kind, const char *name,
                                unsigned owner)
{
    for (u32 i = *bucket_of(pdr, kind, name); i; i = pdr->next[i - 1]) {
        struct pdr_claim *claim = &pdr->claims[i - 1];
        if (claim->mode && claim->owner == owner && same_name(claim, kind, name))
            return claim;
    }
    return NULL;
}

const struct pdr_claim *ssi_share_against(const struct ssi_pdr *pdr, u16 kind, const char *name,
                                          unsigned owner, u8 refuse)
{
    for (u32 i = *bucket_of(pdr, kind, name); i; i = pdr->next[i - 1]) {
        const struct pdr_claim *claim = &pdr->claims[i - 1];
        if ((claim->mode & refuse) && claim->owner != owner && same_name(claim, kind, name))
            return claim;
    }
    return NULL;
}

static struct pdr_claim *same_key(const struct ssi_pdr *pdr, const struct pdr_claim *claim)
{
    return claim->mode ? ssi_share_row(pdr, claim->kind, claim->name, claim->owner)
                       : ssi_claim_row(pdr, claim->kind, claim->name);
}

static bool table_grow(struct ssi_pdr *pdr)
{
    u32 room = pdr->room ? pdr->room * 2 : 64;
    struct pdr_claim *claims = realloc(pdr->claims, room * sizeof *claims);
    if (claims)
        pdr->claims = claims;
    u32 *next = claims ? realloc(pdr->next, room * sizeof *next) : NULL;
    if (!next)
        return false;
    pdr->next = next;
    pdr->room = room;
    return true;
}

static int table_put(struct ssi_pdr *pdr, const struct pdr_claim *claim)
{
    struct pdr_claim *there = same_key(pdr, claim);
    if (there) {
        *there = *claim;
        return ST_OK;
    }
    if (pdr->n_claims == SSI_CLAIMS_MAX)
        return ST_LIMIT;
    if (pdr->n_claims == pdr->room && !table_grow(pdr))
        return ST_NOMEM;
    u32 *bucket = bucket_of(pdr, claim->kind, claim->name);
    pdr->claims[pdr->n_claims] = *claim;
    pdr->next[pdr->n_claims] = *bucket;
    *bucket = ++pdr->n_claims;
    return ST_OK;
}

/* Where the chain points to entry `i`. */
static u32 *link_to(struct ssi_pdr *pdr, u32 i)
{
    u32 *link = bucket_of(pdr, pdr->claims[i].kind, pdr->claims[i].name);
    while (*link != i + 1)
        link = &pdr->next[*link - 1];
    return link;
}

static void table_remove(struct ssi_pdr *pdr, u32 i)
{
    u32 last = pdr->n_claims - 1;
    *link_to(pdr, i) = pdr->next[i];
    if (i != last) {
        *link_to(pdr, last) = i + 1;
        pdr->claims[i] = pdr->claims[last];
        pdr->next[i] = pdr->next[last];
    }
    pdr->n_claims = last;
}

static unsigned table_drop(struct ssi_pdr *pdr, unsigned slot)
{
    u32 n = pdr->n_claims;
    for (u32 i = n; i-- > 0;)
        if (pdr->claims[i].owner == slot)
            table_remove(pdr, i);
    return n - pdr->n_claims;
}

int ssi_pdr_op_apply(struct ssi_pdr *pdr, const struct pdr_op *op)
{
    struct pdr_claim *there;
    switch (op->code) {
    case PDR_OP_PUT: return table_put(pdr, &op->claim);
    case PDR_OP_DROP: table_drop(pdr, op->claim.owner); return ST_OK;
    case PDR_OP_REMOVE:
        there = same_key(pdr, &op->claim);
        if (there)
            table_remove(pdr, (u32)(there - pdr->claims));
        return ST_OK;
    }
    return ST_PROTO;
}

static void note(struct ssi_pdr *pdr, enum pdr_op_code code, const struct pdr_claim *claim)
{
    PRE(pdr->n_ops < PDR_OPS_MAX);
    pdr->ops[pdr->n_ops++] = (struct pdr_op){code, *claim};
}

int ssi_claim_put(struct ssi_pdr *pdr, const struct pdr_claim *claim)
{
    int rc = table_put(pdr, claim);
    if (rc == ST_OK)
        note(pdr, PDR_OP_PUT, claim);
    return rc;
}

void ssi_claim_remove(struct ssi_pdr *pdr, const struct pdr_claim *claim)
{
    note(pdr, PDR_OP_REMOVE, claim);
    ssi_pdr_op_apply(pdr, &pdr->ops[pdr->n_ops - 1]);
}

unsigned ssi_claims_drop(struct ssi_pdr *pdr, unsigned slot)
{
    unsigned n = table_drop(pdr, slot);
    if (n)
        note(pdr, PDR_OP_DROP, &(struct pdr_claim){.owner = (u8)slot});
    return n;
}

void ssi_claims_clear(struct ssi_pdr *pdr)
{
    memset(pdr->bucket, 0, sizeof pdr->bucket);
    pdr->n_claims = pdr->n_ops = 0;
}

void ssi_pdr_fini(struct ssi_pdr *pdr)
{
    free(pdr->claims);
    free(pdr->next);
    memset(pdr, 0, sizeof *pdr);
}
