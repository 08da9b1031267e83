/* Reading and writing the PDR through the ports: begin (lock, read) ... commit ... end.
 * Guarantees: after a failed commit it is known, by reading back under the lock, whether the
 * write took place; if even that fails the answer is ST_LOST and nothing else. */
#include "ssi/ssi_internal.h"

static u64 copy_offset(unsigned copy)
{
    return PDR_COPY_AT + (u64)copy * PDR_COPY_BYTES;
}

static void pdr_complain(struct ssi *ssi, const struct cause *cause)
{
    if (!ssi->pdr_failing)
        ssi_say(ssi, MSG_PLM1707E, ssi->cfg.pdr_path, cause->text);
    ssi->pdr_failing = true;
}

static void pdr_well(struct ssi *ssi)
{
    if (ssi->pdr_failing)
        ssi_say(ssi, MSG_PLM1708I, ssi->cfg.pdr_path);
    ssi->pdr_failing = false;
}

static int pdr_read(struct ssi *ssi, u64 offset, void *data, size_t len, struct cause *cause)
{
    size_t got = 0;
    int rc = ssi->ports->pdr_read(ssi->ports->ctx, offset, data, len, &got, cause);
    if (rc == ST_OK && got < len)
        memset((u8 *)data + got, 0, len - got);
    return rc;
}

static int pdr_write(struct ssi *ssi, u64 offset, size_t len, struct cause *cause)
{
    return ssi->ports->pdr_write(ssi->ports->ctx, offset, ssi->pdr_io, len, true, cause);
}

/* The whole file is written once, so that no later write needs new space. */
static int pdr_create(struct ssi *ssi, struct cause *cause)
{
    memset(ssi->pdr_io, 0, PDR_COPY_BYTES);
    int rc = pdr_write(ssi, 0, PDR_COPY_AT, cause);
    for (unsigned copy = 0; copy < 2 && rc == ST_OK; copy++)
        rc = pdr_write(ssi, copy_offset(copy), PDR_COPY_BYTES, cause);
    if (rc)
        return rc;
    memset(ssi->pdr, 0, sizeof *ssi->pdr);
    memcpy(ssi->pdr->cluster, ssi->cfg.cluster, sizeof ssi->pdr->cluster);
    ssi->pdr->seq = 1;
    size_t len = ssi_pdr_encode(ssi->pdr, ssi->pdr_io);
    rc = pdr_write(ssi, copy_offset(0), len, cause);
    ssi->pdr_valid = rc == ST_OK;
    ssi->pdr_copy = 0;
    if (rc == ST_OK)
        ssi_say(ssi, MSG_PLM1714I, ssi->cfg.cluster, ssi->cfg.pdr_path);
    return rc;
}

/* Take copy `copy`, whose header is at `head`, if its claims are whole. */
static int pdr_take(struct ssi *ssi, unsigned copy, const u8 *head, bool *good,
                    struct cause *cause)
{
    struct ssi_pdr *next = ssi->scratch;
    ssi_pdr_decode_header(next, head);
    *good = true;
    if (ssi->pdr_valid && copy == ssi->pdr_copy && next->seq == ssi->pdr->seq &&
        next->header_crc == ssi->pdr->header_crc)
        return ST_OK;
    size_t len = (size_t)next->n_claims * PDR_CLAIM_BYTES;
    int rc = pdr_read(ssi, copy_offset(copy) + PDR_HEADER_BYTES, ssi->pdr_io, len, cause);
    if (rc)
        return rc;
    *good = ssi_pdr_decode_claims(next, ssi->pdr_io);
    if (*good) {
        ssi->scratch = ssi->pdr;
        ssi->pdr = next;
        ssi->pdr_copy = copy;
    }
    return ST_OK;
}

static int pdr_check(struct ssi *ssi, struct cause *cause)
{
    if (strcmp(ssi->pdr->cluster, ssi->cfg.cluster) != 0)
        return cause_set(cause, ST_CONFIG, "%s is the PDR of SSI cluster %s, not of %s",
                         ssi->cfg.pdr_path, ssi->pdr->cluster, ssi->cfg.cluster);
    if (ssi->pdr->seq < ssi->pdr_seq_seen)
        return cause_set(cause, ST_PROTO, "the PDR is older than what was read before");
    ssi->pdr_seq_seen = ssi->pdr->seq;
    ssi->pdr_valid = true;
    return ST_OK;
}

/* Read both headers, take the newest copy that is whole. */
static int pdr_load(struct ssi *ssi, struct cause *cause)
{
    u8 head[2][PDR_HEADER_BYTES];
    enum pdr_header kind[2];
    u64 seq[2] = {0, 0};
    for (unsigned i = 0; i < 2; i++) {
        int rc = pdr_read(ssi, copy_offset(i), head[i], PDR_HEADER_BYTES, cause);
        if (rc)
            return rc;
        kind[i] = ssi_pdr_decode_header(ssi->scratch, head[i]);
        seq[i] = kind[i] == PDR_HEADER_GOOD ? ssi->scratch->seq : 0;
    }
    if (kind[0] != PDR_HEADER_GOOD && kind[1] == PDR_HEADER_BLANK && !ssi->pdr_seq_seen)
        return pdr_create(ssi, cause);
    unsigned newest = seq[1] > seq[0];
    for (unsigned i = 0; i < 2; i++) {
        unsigned copy = newest ^ i;
        bool good = false;
        if (kind[copy] != PDR_HEADER_GOOD)
            continue;
        int rc = pdr_take(ssi, copy, head[copy], &good, cause);
        if (rc)
            return rc;
        if (good)
            return pdr_check(ssi, cause);
    }
    return cause_set(cause, ST_PROTO, "both copies of the PDR are damaged");
}

int ssi_pdr_begin(struct ssi *ssi, unsigned wait_ms, struct cause *cause)
{
    PRE(!ssi->pdr_locked);
    struct cause local = {0};
    int rc = ssi->ports->pdr_lock(ssi->ports->ctx, wait_ms, &local);
    if (rc == ST_OK) {
        rc = pdr_load(ssi, &local);
        ssi->pdr_locked = rc == ST_OK;
        if (rc) {
            ssi->pdr_valid = false;
            ssi->ports->pdr_unlock(ssi->ports->ctx);
        }
    }
    if (rc == ST_OK)
        return ST_OK;
    if (rc != ST_BUSY && rc != ST_CONFIG)
        pdr_complain(ssi, &local);
    return cause_set(cause, rc == ST_BUSY || rc == ST_CONFIG ? rc : ST_IO, "%s", local.text);
}

static void pending_apply(struct ssi *ssi)
{
    for (unsigned i = 0; i < ssi->n_pending; i++) {
        const struct ssi_pending *p = &ssi->pending[i];
        struct pdr_claim *claim = ssi_claim_row(ssi->pdr, p->kind, p->name);
        if (claim && claim->owner == ssi->cfg.slot && claim->generation == p->generation)
            *claim = ssi->pdr->claims[--ssi->pdr->n_claims];
    }
}

/* The write failed: did it take place all the same? */
static int commit_doubt(struct ssi *ssi, struct cause *cause)
{
    u64 seq = ssi->pdr->seq;
    u32 crc = ssi->pdr->header_crc;
    struct cause local = {0};
    ssi->pdr_valid = false;
    if (pdr_load(ssi, &local) != ST_OK)
        return ST_LOST;
    if (ssi->pdr->seq == seq && ssi->pdr->header_crc == crc)
        return ST_OK;
    cause->status = ST_IO;
    return ST_IO;
}

int ssi_pdr_commit(struct ssi *ssi, struct cause *cause)
{
    PRE(ssi->pdr_locked && ssi->pdr_valid);
    struct cause local = {0};
    unsigned copy = ssi->pdr_copy ^ 1;
    pending_apply(ssi);
    ssi->pdr->seq++;
    size_t len = ssi_pdr_encode(ssi->pdr, ssi->pdr_io);
    int rc = pdr_write(ssi, copy_offset(copy), len, &local);
    if (rc) {
        pdr_complain(ssi, &local);
        rc = commit_doubt(ssi, &local);
        if (rc)
            return cause_set(cause, rc, "%s", local.text);
    } else {
        ssi->pdr_copy = copy;
        pdr_well(ssi);
    }
    ssi->pdr_seq_seen = ssi->pdr->seq;
    ssi->n_pending = 0;
    return ST_OK;
}

void ssi_pdr_end(struct ssi *ssi)
{
    PRE(ssi->pdr_locked);
    ssi->pdr_locked = false;
    ssi->ports->pdr_unlock(ssi->ports->ctx);
}

struct pdr_row *ssi_pdr_own(struct ssi *ssi)
{
    return &ssi->pdr->rows[ssi->cfg.slot];
}

bool ssi_pdr_own_is(struct ssi *ssi, enum ssi_state state)
{
    const struct pdr_row *row = ssi_pdr_own(ssi);
    return row->incarnation == ssi->incarnation && row->state == state;
}

void ssi_pdr_beat_write(struct ssi *ssi)
{
    u8 sector[PDR_BEAT_BYTES];
    struct cause cause = {0};
    const struct ssi_ports *ports = ssi->ports;
    struct ssi_member *self = &ssi->members[ssi->cfg.slot];
    u64 wall_ms = ports->wall_ms(ports->ctx);
    ssi_pdr_beat_encode(sector, ssi->cfg.slot, ssi->incarnation, wall_ms);
    if (ports->pdr_write(ports->ctx, (u64)ssi->cfg.slot * PDR_BEAT_BYTES, sector, sizeof sector,
                         false, &cause) != ST_OK) {
        pdr_complain(ssi, &cause);
        return;
    }
    self->pdr_beat_ms = self->rx_beat_ms = wall_ms;
    self->pdr_beat_seen_ms = ssi_now(ssi);
}

bool ssi_pdr_beats_read(struct ssi *ssi)
{
    u8 sectors[SSI_SLOTS_MAX * PDR_BEAT_BYTES];
    if (pdr_read(ssi, 0, sectors, sizeof sectors, NULL) != ST_OK)
        return false;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        struct ssi_member *m = &ssi->members[i];
        u64 beat = ssi_pdr_beat_decode(sectors + (size_t)i * PDR_BEAT_BYTES, i,
                                       ssi->pdr->rows[i].incarnation);
        if (beat != m->pdr_beat_ms || !m->pdr_beat_seen_ms)
            m->pdr_beat_seen_ms = ssi_now(ssi);
        m->pdr_beat_ms = beat;
    }
    return true;
}

void ssi_pending_add(struct ssi *ssi, u16 kind, const char *name, u64 generation)
{
    if (ssi->n_pending == SSI_PENDING_MAX)
        return;
    struct ssi_pending *p = &ssi->pending[ssi->n_pending++];
    *p = (struct ssi_pending){.kind = kind, .generation = generation};
    memcpy(p->name, name, strlen(name));
}

void ssi_pending_flush(struct ssi *ssi)
{
    if (!ssi->n_pending || ssi_pdr_begin(ssi, 0, NULL) != ST_OK)
        return;
    ssi_pdr_commit(ssi, NULL);
    ssi_pdr_end(ssi);
}
