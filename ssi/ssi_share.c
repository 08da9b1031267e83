/* Shares: what the users of each member hold of a name together, a mask of bits for each member.
 * Which bits stand in the way of which is the caller's business. [S1] holds for shares too: a bit
 * is set only under the PDR lock, when no other member's share has a bit that forbids it.
 * A member never holds less in the PDR than its caller believes: bits are taken away last. */
#include "ssi/ssi_internal.h"

/* Which share: of a name, or of a part, whose name it is then. */
struct share {
    u16 kind;
    const char *name;
    const struct ssi_part *part; /* NULL: none */
};

/* What the caller believes that we hold: less than the PDR says while a release is pending. */
static u8 held(struct ssi *ssi, const struct share *s)
{
    const struct ssi_pending *pending = ssi_pending_share(ssi, s->kind, s->name);
    const struct pdr_claim *share = ssi_share_row(ssi->pdr, s->kind, s->name, ssi->cfg.slot);
    u8 mode = share ? share->mode : 0;
    return pending ? mode & pending->mode : mode;
}

void ssi_share_lower_later(struct ssi *ssi, u16 kind, const char *name, u8 mode)
{
    struct ssi_pending *there = ssi_pending_share(ssi, kind, name);
    struct ssi_pending pending = {.kind = kind, .share = true, .mode = mode};
    memcpy(pending.name, name, strlen(name));
    if (there)
        *there = pending;
    else
        ssi_pending_add(ssi, &pending);
}

static void lower_later(struct ssi *ssi, const struct share *s, u8 mode)
{
    ssi_share_lower_later(ssi, s->kind, s->name, mode);
}

/* The share as `mode` in the table; what waited for the PDR is in it then. */
static int share_put(struct ssi *ssi, const struct share *s, u8 mode, struct cause *cause)
{
    struct ssi_pdr *pdr = ssi->pdr;
    struct pdr_claim *there = ssi_share_row(pdr, s->kind, s->name, ssi->cfg.slot);
    struct pdr_claim share = {.kind = s->kind,
                              .owner = (u8)ssi->cfg.slot,
                              .mode = mode,
                              .generation = s->part ? ssi_part_pack(s->part) : 0};
    struct ssi_pending *pending = ssi_pending_share(ssi, s->kind, s->name);
    memcpy(share.name, s->name, strlen(s->name));
    int rc = ST_OK;
    if (there && there->mode == mode)
        rc = ST_OK;
    else if (mode)
        rc = ssi_claim_put(pdr, &share);
    else if (there)
        ssi_claim_remove(pdr, there);
    if (rc == ST_LIMIT)
        return cause_set(cause, rc, "the PDR is full: %u claims", SSI_CLAIMS_MAX);
    if (rc)
        return cause_set(cause, rc, "out of memory");
    if (pending)
        ssi_pending_forget(ssi, pending);
    return ST_OK;
}

/* Write the share as `mode`; `had` is what the caller has until then. */
static int share_write(struct ssi *ssi, const struct share *s, u8 mode, u8 had,
                       struct cause *cause)
{
    bool waits = ssi_pending_share(ssi, s->kind, s->name) != NULL;
    int rc = share_put(ssi, s, mode, cause);
    if (rc)
        return rc;
    rc = ssi_pdr_commit(ssi, cause);
    if (rc && (waits || rc == ST_LOST)) /* raised: back to what it was */
        lower_later(ssi, s, had);
    return rc;
}

static const struct pdr_claim *against(struct ssi *ssi, const struct share *s, u8 refuse)
{
    unsigned self = ssi->cfg.slot;
    return s->part ? ssi_part_against(ssi->pdr, s->kind, s->part, self, refuse)
                   : ssi_share_against(ssi->pdr, s->kind, s->name, self, refuse);
}

int ssi_share_add(struct ssi *ssi, const struct ssi_want *want, u8 *had, struct cause *cause)
{
    const struct ssi_part *part = want->part.count ? &want->part : NULL;
    const struct share s = {want->kind, want->name, part};
    const struct pdr_claim *other = against(ssi, &s, want->refuse);
    if (other)
        return cause_set(cause, ST_EXIST, "%s", ssi->pdr->rows[other->owner].name);
    *had = held(ssi, &s);
    return share_put(ssi, &s, *had | want->mode, cause);
}

void ssi_share_lower_to(struct ssi *ssi, u16 kind, const char *name, u8 mode)
{
    struct pdr_claim *there = ssi_share_row(ssi->pdr, kind, name, ssi->cfg.slot);
    struct ssi_pending *pending = ssi_pending_share(ssi, kind, name);
    if (pending)
        ssi_pending_forget(ssi, pending);
    if (!there || !(there->mode & ~mode))
        return;
    struct pdr_claim lower = *there;
    lower.mode &= mode;
    if (lower.mode)
        ssi_claim_put(ssi->pdr, &lower); /* it is there: it takes its place */
    else
        ssi_claim_remove(ssi->pdr, there);
}

static int raise_locked(struct ssi *ssi, const struct share *s, u8 mode, u8 refuse,
                        struct cause *cause)
{
    const struct pdr_claim *other = against(ssi, s, refuse);
    if (other)
        return cause_set(cause, ST_EXIST, "%s", ssi->pdr->rows[other->owner].name);
    u8 had = held(ssi, s);
    int rc = share_write(ssi, s, mode | had, had, cause);
    if (rc == ST_LOST)
        return cause_set(cause, ST_IO, "the PDR cannot be written");
    if (rc || (mode | had) == mode)
        return rc;
    if (share_write(ssi, s, mode, mode, NULL) != ST_OK)
        lower_later(ssi, s, mode);
    return ST_OK;
}

/* Give bits back; when the PDR fails, later. */
static int lower(struct ssi *ssi, const struct share *s, u8 mode)
{
    int rc = ssi_claim_begin(ssi, NULL);
    if (rc == ST_OK) {
        rc = share_write(ssi, s, mode, mode, NULL);
        ssi_pdr_end(ssi);
    }
    if (rc == ST_BUSY || rc == ST_IO || (rc == ST_LOST && !ssi->expelled))
        ssi_share_lower(ssi, s->kind, s->name, NULL, mode);
    return rc == ST_LOST && !ssi->expelled ? ST_IO : rc;
}

/* What waits for a job is carried out, so that what we have is what the PDR says. */
static int settle(struct ssi *ssi, struct cause *cause)
{
    if (!ssi_job_idle(ssi, ssi->cfg.pdr_lock_ms))
        return cause_set(cause, ST_BUSY, "the PDR's disk does not answer");
    if (!ssi->changes)
        return ST_OK;
    int rc = ssi_claim_begin(ssi, cause);
    if (rc == ST_OK)
        ssi_pdr_end(ssi);
    return rc;
}

static int share_set(struct ssi *ssi, const struct share *s, u8 mode, u8 refuse,
                     struct cause *cause)
{
    if (!ssi_claim_name_ok(s->name))
        return cause_set(cause, ST_INVAL, "a name of 1 to %u characters is needed",
                         SSI_CLAIM_NAME_BYTES - 1);
    const struct ssi_change *asked = ssi_asked_share(ssi, s->kind, s->name, mode, refuse);
    if (asked)
        return asked->status ? cause_set(cause, asked->status, "%s", asked->cause.text) : ST_OK;
    int rc = settle(ssi, cause);
    if (rc)
        return rc;
    ssi_asked_void(ssi, s->kind, s->name);
    u8 had = held(ssi, s);
    if ((mode & ~had) == 0 && (mode != had || !refuse)) {
        rc = mode == had ? ST_OK : lower(ssi, s, mode);
        return rc ? cause_set(cause, rc, "the PDR cannot be written") : ST_OK;
    }
    rc = ssi_claim_may(ssi, s->name, cause);
    if (rc == ST_OK)
        rc = ssi_claim_begin(ssi, cause);
    if (rc)
        return rc;
    rc = raise_locked(ssi, s, mode, refuse, cause);
    ssi_pdr_end(ssi);
    return rc;
}

int ssi_share_set(struct ssi *ssi, u16 kind, const char *name, u8 mode, u8 refuse,
                  struct cause *cause)
{
    return share_set(ssi, &(struct share){kind, name, NULL}, mode, refuse, cause);
}

int ssi_share_part(struct ssi *ssi, u16 kind, const struct ssi_part *part, u8 mode, u8 refuse,
                   struct cause *cause)
{
    char name[SSI_CLAIM_NAME_BYTES];
    u64 end;
    if (!part->count || __builtin_add_overflow(part->first, part->count, &end))
        return cause_set(cause, ST_INVAL, "a part of 1 unit or more is needed");
    ssi_part_name(part, name);
    return share_set(ssi, &(struct share){kind, name, part}, mode, refuse, cause);
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
