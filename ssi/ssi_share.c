/* Shares: what the users of each member hold of a name together, a mask of bits for each member.
 * Which bits stand in the way of which is the caller's business. [S1] holds for shares too: a bit
 * is set only under the PDR lock, when no other member's share has a bit that forbids it.
 * A member never holds less in the PDR than its caller believes: bits are taken away last. */
#include "ssi/ssi_internal.h"

/* What the caller believes that we hold: less than the PDR says while a release is pending. */
static u8 held(struct ssi *ssi, u16 kind, const char *name)
{
    const struct ssi_pending *pending = ssi_pending_share(ssi, kind, name);
    const struct pdr_claim *share = ssi_share_row(ssi->pdr, kind, name, ssi->cfg.slot);
    u8 mode = share ? share->mode : 0;
    return pending ? mode & pending->mode : mode;
}

static void lower_later(struct ssi *ssi, u16 kind, const char *name, u8 mode)
{
    struct ssi_pending *there = ssi_pending_share(ssi, kind, name);
    struct ssi_pending pending = {.kind = kind, .share = true, .mode = mode};
    memcpy(pending.name, name, strlen(name));
    if (there)
        *there = pending;
    else
        ssi_pending_add(ssi, &pending);
}

/* Write the share as `mode`; `had` is what the caller has until then. */
static int share_write(struct ssi *ssi, u16 kind, const char *name, u8 mode, u8 had,
                       struct cause *cause)
{
    struct ssi_pdr *pdr = ssi->pdr;
    struct pdr_claim *there = ssi_share_row(pdr, kind, name, ssi->cfg.slot);
    struct pdr_claim share = {.kind = kind, .owner = (u8)ssi->cfg.slot, .mode = mode};
    struct ssi_pending *pending = ssi_pending_share(ssi, kind, name);
    bool waits = pending != NULL;
    memcpy(share.name, name, strlen(name));
    int rc = ST_OK;
    if (there && there->mode == mode) {
        if (waits)
            ssi_pending_forget(ssi, pending);
        return ST_OK;
    }
    if (mode)
        rc = ssi_claim_put(pdr, &share);
    else if (there)
        ssi_claim_remove(pdr, there);
    if (rc == ST_LIMIT)
        return cause_set(cause, rc, "the PDR is full: %u claims", SSI_CLAIMS_MAX);
    if (rc)
        return cause_set(cause, rc, "out of memory");
    if (waits) /* what is written now is in its place */
        ssi_pending_forget(ssi, pending);
    rc = ssi_pdr_commit(ssi, cause);
    if (rc && (waits || rc == ST_LOST)) /* raised: back to what it was */
        lower_later(ssi, kind, name, had);
    return rc;
}

static int raise_locked(struct ssi *ssi, u16 kind, const char *name, u8 mode, u8 refuse,
                        struct cause *cause)
{
    unsigned self = ssi->cfg.slot;
    const struct pdr_claim *against = ssi_share_against(ssi->pdr, kind, name, self, refuse);
    if (against)
        return cause_set(cause, ST_EXIST, "%s", ssi->pdr->rows[against->owner].name);
    u8 had = held(ssi, kind, name);
    int rc = share_write(ssi, kind, name, mode | had, had, cause);
    if (rc == ST_LOST)
        return cause_set(cause, ST_IO, "the PDR cannot be written");
    if (rc || (mode | had) == mode)
        return rc;
    if (share_write(ssi, kind, name, mode, mode, NULL) != ST_OK)
        lower_later(ssi, kind, name, mode);
    return ST_OK;
}

/* Give bits back; when the PDR fails, later. */
static int lower(struct ssi *ssi, u16 kind, const char *name, u8 mode)
{
    int rc = ssi_claim_begin(ssi, NULL);
    if (rc == ST_OK) {
        rc = share_write(ssi, kind, name, mode, mode, NULL);
        ssi_pdr_end(ssi);
    }
    if (rc == ST_BUSY || rc == ST_IO || (rc == ST_LOST && !ssi->expelled))
        lower_later(ssi, kind, name, mode);
    return rc == ST_LOST && !ssi->expelled ? ST_IO : rc;
}

int ssi_share_set(struct ssi *ssi, u16 kind, const char *name, u8 mode, u8 refuse,
                  struct cause *cause)
{
    if (!ssi_claim_name_ok(name))
        return cause_set(cause, ST_INVAL, "a name of 1 to %u characters is needed",
                         SSI_CLAIM_NAME_BYTES - 1);
    u8 had = held(ssi, kind, name);
    if ((mode & ~had) == 0 && (mode != had || !refuse)) {
        int rc = mode == had ? ST_OK : lower(ssi, kind, name, mode);
        return rc ? cause_set(cause, rc, "the PDR cannot be written") : ST_OK;
    }
    int rc = ssi_claim_may(ssi, name, cause);
    if (rc == ST_OK)
        rc = ssi_claim_begin(ssi, cause);
    if (rc)
        return rc;
    rc = raise_locked(ssi, kind, name, mode, refuse, cause);
    ssi_pdr_end(ssi);
    return rc;
}

int ssi_share_each(struct ssi *ssi, u16 kind,
                   void (*fn)(void *ctx, const char *name, const char *owner, u8 mode),
                   void *ctx)
{
    int rc = ssi_pdr_begin(ssi, ssi->cfg.pdr_lock_ms, NULL);
    if (rc)
        return rc;
    for (u32 i = 0; i < ssi->pdr->n_claims; i++) {
        const struct pdr_claim *share = &ssi->pdr->claims[i];
        if (share->kind == kind && share->mode)
            fn(ctx, share->name, ssi->pdr->rows[share->owner].name, share->mode);
    }
    ssi_pdr_end(ssi);
    return ST_OK;
}
