/* Claims: names that have one owner in the cluster. Every change is one PDR write under the
 * lock. Guarantees [S1]: see ssi_member.c; a generation is never given out twice. */
#include "ssi/ssi_internal.h"

bool ssi_claim_name_ok(const char *name)
{
    size_t len = strnlen(name, SSI_CLAIM_NAME_BYTES);
    return len > 0 && len < SSI_CLAIM_NAME_BYTES;
}

int ssi_claim_outside(const struct ssi *ssi, struct cause *cause)
{
    return cause_set(cause, ST_REFUSED, "this system is %s in SSI cluster %s",
                     ssi_state_name(ssi->own_state), ssi->cfg.cluster);
}

int ssi_claim_begin(struct ssi *ssi, struct cause *cause)
{
    if (!ssi_may_change(ssi))
        return ssi_claim_outside(ssi, cause);
    int rc = ssi_pdr_begin(ssi, ssi->cfg.pdr_lock_ms, cause);
    if (rc)
        return rc;
    if (ssi_pdr_own_active(ssi)) {
        ssi_changes_now(ssi);
        if (ssi->pdr_valid)
            return ST_OK;
        ssi_pdr_end(ssi);
        return cause_set(cause, ST_IO, "the PDR cannot be written");
    }
    ssi->expelled = true;
    ssi_pdr_end(ssi);
    return cause_set(cause, ST_LOST, "this system was declared Down by another one");
}

void ssi_release_later(struct ssi *ssi, u16 kind, const char *name, u64 generation)
{
    struct ssi_pending pending = {.kind = kind, .generation = generation};
    memcpy(pending.name, name, strlen(name));
    ssi_pending_add(ssi, &pending);
}

static bool is_pending(const struct ssi *ssi, const struct pdr_claim *claim)
{
    for (unsigned i = 0; i < ssi->n_pending; i++)
        if (!ssi->pending[i].share && ssi->pending[i].generation == claim->generation)
            return claim->owner == ssi->cfg.slot;
    return false;
}

int ssi_claim_put_new(struct ssi *ssi, u16 kind, const char *name, u64 *generation,
                      struct cause *cause)
{
    struct ssi_pdr *pdr = ssi->pdr;
    const struct pdr_claim *there = ssi_claim_row(pdr, kind, name);
    if (there && !is_pending(ssi, there))
        return cause_set(cause, ST_EXIST, "%s", pdr->rows[there->owner].name);
    u64 got = pdr->generation + 1;
    struct pdr_claim claim = {.kind = kind, .owner = (u8)ssi->cfg.slot, .generation = got};
    memcpy(claim.name, name, strlen(name));
    int rc = ssi_claim_put(pdr, &claim);
    if (rc == ST_LIMIT)
        return cause_set(cause, rc, "the PDR is full: %u claims", SSI_CLAIMS_MAX);
    if (rc)
        return cause_set(cause, rc, "out of memory");
    pdr->generation = *generation = got;
    return ST_OK;
}

static int claim_add(struct ssi *ssi, u16 kind, const char *name, u64 *generation,
                     struct cause *cause)
{
    u64 got = 0;
    int rc = ssi_claim_put_new(ssi, kind, name, &got, cause);
    if (rc)
        return rc;
    rc = ssi_pdr_commit(ssi, cause);
    if (rc == ST_LOST) { /* it may stand in the PDR: undo it when that can be written again */
        ssi_release_later(ssi, kind, name, got);
        rc = cause_set(cause, ST_IO, "the PDR cannot be written");
    }
    if (rc == ST_OK)
        *generation = got;
    return rc;
}

int ssi_claim_may(struct ssi *ssi, const char *name, struct cause *cause)
{
    if (!ssi_claim_name_ok(name))
        return cause_set(cause, ST_INVAL, "a name of 1 to %u characters is needed",
                         SSI_CLAIM_NAME_BYTES - 1);
    char holder[SSI_HOLDER_BYTES];
    ssi_holder(ssi, holder);
    if (ssi_joined(ssi) && ssi->mode == SSI_MODE_SAFE)
        return cause_set(cause, ST_REFUSED, "SSI cluster %s is in Safe mode: %s",
                         ssi->cfg.cluster, holder);
    if (ssi->own_state == SSI_LEAVING)
        return cause_set(cause, ST_REFUSED, "this system is leaving SSI cluster %s",
                         ssi->cfg.cluster);
    if (ssi->n_pending == SSI_PENDING_MAX)
        return cause_set(cause, ST_LIMIT, "the PDR cannot be written");
    return ST_OK;
}

int ssi_claim(struct ssi *ssi, u16 kind, const char *name, u64 *generation, struct cause *cause)
{
    const struct ssi_change *asked = ssi_asked_claim(ssi, kind, name);
    if (asked) {
        *generation = asked->generation;
        return asked->status ? cause_set(cause, asked->status, "%s", asked->cause.text) : ST_OK;
    }
    int rc = ssi_claim_may(ssi, name, cause);
    if (rc == ST_OK)
        rc = ssi_claim_begin(ssi, cause);
    if (rc)
        return rc;
    rc = claim_add(ssi, kind, name, generation, cause);
    ssi_pdr_end(ssi);
    return rc;
}

int ssi_claim_out(struct ssi *ssi, u16 kind, const char *name, u64 generation)
{
    const struct pdr_claim *claim = ssi_claim_row(ssi->pdr, kind, name);
    if (!claim || claim->owner != ssi->cfg.slot || claim->generation != generation)
        return ST_NOENT;
    ssi_claim_remove(ssi->pdr, claim);
    return ST_OK;
}

int ssi_release(struct ssi *ssi, u16 kind, const char *name, u64 generation)
{
    if (!ssi_claim_name_ok(name))
        return ST_INVAL;
    int rc = ssi_claim_begin(ssi, NULL);
    if (rc == ST_OK) {
        rc = ssi_claim_out(ssi, kind, name, generation);
        if (rc == ST_OK)
            rc = ssi_pdr_commit(ssi, NULL);
        ssi_pdr_end(ssi);
    }
    if (rc == ST_BUSY || rc == ST_IO || (rc == ST_LOST && !ssi->expelled))
        ssi_release_soon(ssi, kind, name, generation);
    return rc == ST_LOST && !ssi->expelled ? ST_IO : rc;
}

/* The destination died while its name was being written. We still hold the PDR lock, so it has
 * never read that it owns the name: taking it back harms nobody. */
static int move_undo_locked(struct ssi *ssi, struct pdr_claim claim, unsigned to,
                            u64 generation, struct cause *cause)
{
    claim.owner = (u8)ssi->cfg.slot;
    claim.generation = generation; /* nobody has seen the other one */
    int rc = ssi_claim_put(ssi->pdr, &claim);
    ERGO(rc == ST_OK); /* it is there: it takes its place */
    rc = ssi_pdr_commit(ssi, cause);
    if (rc != ST_OK)
        return ST_LOST;
    return cause_set(cause, ST_REFUSED, "%s has ended", ssi->members[to].name);
}

static int move_locked(struct ssi *ssi, const struct pdr_claim *there, unsigned to,
                       u64 generation, u64 *new_generation, struct cause *cause)
{
    if (!there || there->owner != ssi->cfg.slot || there->generation != generation)
        return cause_set(cause, ST_NOENT, "this system does not own the name any more");
    const struct pdr_row *row = &ssi->pdr->rows[to];
    if (row->state != SSI_JOINED || row->incarnation != ssi->members[to].incarnation)
        return cause_set(cause, ST_REFUSED, "%s is not joined", ssi->members[to].name);
    if (ssi_row_dead(ssi, to))
        return cause_set(cause, ST_REFUSED, "%s has ended", ssi->members[to].name);
    u64 got = ++ssi->pdr->generation;
    struct pdr_claim claim = *there;
    claim.owner = (u8)to;
    claim.generation = got;
    int rc = ssi_claim_put(ssi->pdr, &claim);
    ERGO(rc == ST_OK); /* it is there: it takes its place */
    rc = ssi_pdr_commit(ssi, cause);
    if (rc == ST_OK && ssi_row_dead(ssi, to))
        return move_undo_locked(ssi, claim, to, generation, cause);
    if (rc == ST_OK)
        *new_generation = got;
    return rc;
}

int ssi_move_claim(struct ssi *ssi, u16 kind, const char *name, u64 generation,
                   const char *to_member, u64 *new_generation, struct cause *cause)
{
    int to = ssi_slot_find(ssi, to_member);
    if (!ssi_claim_name_ok(name) || to < 0 || to == (int)ssi->cfg.slot)
        return cause_set(cause, ST_INVAL, "%s is no other system of this cluster", to_member);
    const struct ssi_member *m = &ssi->members[to];
    if (m->told != TOLD_JOINED || !m->link || m->link->state != LINK_READY)
        return cause_set(cause, ST_REFUSED, "%s is not joined", to_member);
    int rc = ssi_claim_begin(ssi, cause);
    if (rc == ST_LOST) /* declared down: not moved, and the claim is gone */
        return cause_set(cause, ST_REFUSED, "this system was declared Down by another one");
    if (rc)
        return rc;
    const struct pdr_claim *claim = ssi_claim_row(ssi->pdr, kind, name);
    rc = move_locked(ssi, claim, (unsigned)to, generation, new_generation, cause);
    ssi_pdr_end(ssi);
    return rc;
}

int ssi_claim_find(struct ssi *ssi, u16 kind, const char *name, char owner[SSI_NAME_BYTES],
                   u64 *generation)
{
    int rc = ssi_pdr_begin(ssi, ssi->cfg.pdr_lock_ms, NULL);
    if (rc)
        return rc;
    const struct pdr_claim *claim = ssi_claim_row(ssi->pdr, kind, name);
    bool unused = claim && claim->owner == ssi->cfg.slot &&
                  ssi_asked_has(ssi, kind, name, claim->generation);
    rc = claim && !unused ? ST_OK : ST_NOENT;
    if (ssi_active(ssi) && !ssi_pdr_own_active(ssi))
        ssi->expelled = true;
    if (rc == ST_OK) {
        memcpy(owner, ssi->pdr->rows[claim->owner].name, SSI_NAME_BYTES);
        *generation = claim->generation;
    }
    ssi_pdr_end(ssi);
    return rc;
}

bool ssi_counts(const struct ssi *ssi)
{
    return ssi_active(ssi) && !ssi->expelled;
}

int ssi_claim_each(struct ssi *ssi, u16 kind,
                   void (*fn)(void *ctx, const char *name, const char *owner, u64 generation),
                   void *ctx)
{
    int rc = ssi_pdr_begin(ssi, ssi->cfg.pdr_lock_ms, NULL);
    if (rc)
        return rc;
    for (u32 i = 0; i < ssi->pdr->n_claims; i++) {
        const struct pdr_claim *claim = &ssi->pdr->claims[i];
        if (claim->kind == kind && !claim->mode)
            fn(ctx, claim->name, ssi->pdr->rows[claim->owner].name, claim->generation);
    }
    ssi_pdr_end(ssi);
    return ST_OK;
}
