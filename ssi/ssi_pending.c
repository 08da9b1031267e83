/* Releases that could not be written: remembered, and carried out with the next write that
 * succeeds. A release only ever gives back what this member holds, so it may come late. */
#include "ssi/ssi_internal.h"

#include <stdlib.h>

#define PENDING_OPS 16 /* room left in a block for the change that takes the releases along */

void ssi_pending_add(struct ssi *ssi, const struct ssi_pending *pending)
{
    if (ssi->n_pending == SSI_PENDING_MAX)
        return;
    if (ssi->n_pending == ssi->room_pending) {
        unsigned room = ssi->room_pending ? ssi->room_pending * 2 : 64;
        struct ssi_pending *more = realloc(ssi->pending, room * sizeof *more);
        if (!more)
            return; /* what it names stays ours until we leave */
        ssi->pending = more;
        ssi->room_pending = room;
    }
    ssi->pending[ssi->n_pending++] = *pending;
}

struct ssi_pending *ssi_pending_share(struct ssi *ssi, u16 kind, const char *name)
{
    for (unsigned i = 0; i < ssi->n_pending; i++) {
        struct ssi_pending *p = &ssi->pending[i];
        if (p->share && p->kind == kind && strcmp(p->name, name) == 0)
            return p;
    }
    return NULL;
}

void ssi_pending_forget(struct ssi *ssi, struct ssi_pending *pending)
{
    *pending = ssi->pending[--ssi->n_pending];
}

static void apply(struct ssi *ssi, const struct ssi_pending *p)
{
    struct ssi_pdr *pdr = ssi->pdr;
    unsigned self = ssi->cfg.slot;
    struct pdr_claim *claim = p->share ? ssi_share_row(pdr, p->kind, p->name, self)
                                       : ssi_claim_row(pdr, p->kind, p->name);
    if (!claim || claim->owner != self || (!p->share && claim->generation != p->generation))
        return;
    struct pdr_claim lower = *claim;
    lower.mode &= p->mode;
    if (!lower.mode)
        ssi_claim_remove(pdr, claim);
    else if (lower.mode != claim->mode)
        ssi_claim_put(pdr, &lower);
}

unsigned ssi_pending_apply(struct ssi *ssi, unsigned ops_max)
{
    unsigned n = 0;
    for (; n < ssi->n_pending && ssi->pdr->n_ops + PENDING_OPS < ops_max; n++)
        apply(ssi, &ssi->pending[n]);
    return n;
}

void ssi_pending_done(struct ssi *ssi, unsigned n)
{
    ssi->n_pending -= n;
    if (n)
        memmove(ssi->pending, ssi->pending + n, ssi->n_pending * sizeof *ssi->pending);
}
