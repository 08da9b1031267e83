/* Reading and writing the PDR through the ports: begin (lock, follow) ... commit ... end.
 * Guarantees: after a failed commit it is known, by reading back under the lock, whether the
 * write took place; if even that fails the answer is ST_LOST and nothing else. What is written
 * when, and why that is enough: [P1] to [P4] in ssi_pdr.c. */
#include "ssi/ssi_internal.h"

#include <stdlib.h>
#include <zlib.h>

#define CHUNK_CLAIMS 1024
#define IO_BYTES (CHUNK_CLAIMS * PDR_CLAIM_BYTES)
_Static_assert(IO_BYTES >= PDR_BLOCK_BYTES && IO_BYTES >= PDR_HEADER_BYTES,
               "one buffer for all");

bool ssi_pdr_open(struct ssi *ssi)
{
    ssi->pdr = calloc(1, sizeof *ssi->pdr);
    ssi->pdr_io = malloc(IO_BYTES);
    return ssi->pdr && ssi->pdr_io;
}

void ssi_pdr_close(struct ssi *ssi)
{
    if (ssi->pdr)
        ssi_pdr_fini(ssi->pdr);
    free(ssi->pdr);
    free(ssi->pdr_io);
    free(ssi->pending);
}

void ssi_pdr_say_text(struct ssi *ssi, const char *line)
{
    if (!ssi->job.out)
        ssi->ports->operator_message(ssi->ports->ctx, line);
    else if (ssi->n_said < SSI_SAID_LINES)
        memcpy(ssi->said[ssi->n_said++], line, MSG_LINE_BYTES);
}

/* The address comes last, and once: it may be longer than a line. */
static void pdr_complain(struct ssi *ssi, const struct cause *cause)
{
    bool named = strstr(cause->text, ssi->cfg.pdr_path);
    if (!ssi->pdr_failing)
        ssi_pdr_say(ssi, MSG_PLM1707E, named ? "" : ssi->cfg.pdr_path, named ? "" : ": ",
                    cause->text);
    ssi->pdr_failing = true;
}

static void pdr_well(struct ssi *ssi)
{
    if (ssi->pdr_failing)
        ssi_pdr_say(ssi, MSG_PLM1708I, ssi->cfg.pdr_path);
    ssi->pdr_failing = false;
}

static int pdr_read(void *ctx, u64 offset, void *data, size_t len, struct cause *cause)
{
    struct ssi *ssi = ctx;
    size_t got = 0;
    int rc = ssi->ports->pdr_read(ssi->ports->ctx, offset, data, len, &got, cause);
    if (rc == ST_OK && got < len)
        memset((u8 *)data + got, 0, len - got);
    return rc;
}

static int pdr_write(struct ssi *ssi, u64 offset, size_t len, bool durable, struct cause *cause)
{
    return ssi->ports->pdr_write(ssi->ports->ctx, offset, ssi->pdr_io, len, durable, cause);
}

static int claims_write(struct ssi *ssi, unsigned copy, u32 *crc, struct cause *cause)
{
    const struct ssi_pdr *pdr = ssi->pdr;
    uLong sum = crc32(0, NULL, 0);
    for (u32 from = 0; from < pdr->n_claims; from += CHUNK_CLAIMS) {
        u32 n = pdr->n_claims - from < CHUNK_CLAIMS ? pdr->n_claims - from : CHUNK_CLAIMS;
        for (u32 i = 0; i < n; i++)
            ssi_pdr_claim_encode(&pdr->claims[from + i],
                                 ssi->pdr_io + (size_t)i * PDR_CLAIM_BYTES);
        size_t len = (size_t)n * PDR_CLAIM_BYTES;
        sum = crc32(sum, ssi->pdr_io, (uInt)len);
        int rc = pdr_write(ssi, PDR_CLAIMS_AT(copy) + (u64)from * PDR_CLAIM_BYTES, len, false,
                           cause);
        if (rc)
            return rc;
    }
    *crc = (u32)sum;
    return ST_OK;
}

/* What is in memory, and in the file as checkpoint and changes, as checkpoint `copy`. [P2] */
static int checkpoint_write(struct ssi *ssi, unsigned copy, struct cause *cause)
{
    struct ssi_pdr *pdr = ssi->pdr;
    u32 crc = 0;
    PRE(!pdr->n_ops);
    int rc = claims_write(ssi, copy, &crc, cause);
    if (rc == ST_OK) {
        ssi_pdr_header_encode(pdr, crc, ssi->pdr_io);
        rc = pdr_write(ssi, PDR_HEADER_AT(copy), PDR_HEADER_BYTES, true, cause);
    }
    if (rc) {
        ssi->pdr_valid = pdr->valid = false; /* what that header is now is to be read */
        return rc;
    }
    memcpy(pdr->heads[copy], ssi->pdr_io, PDR_HEADER_BYTES);
    pdr->head[copy] = PDR_HEADER_GOOD;
    pdr->head_seq[copy] = pdr->seq;
    pdr->head_id[copy] = pdr->id;
    return ST_OK;
}

static u64 new_id(struct ssi *ssi)
{
    return ssi->ports->random(ssi->ports->ctx) | 1;
}

/* Both checkpoints, the one that `first` names before the other. */
static int checkpoints_write(struct ssi *ssi, unsigned first, struct cause *cause)
{
    const struct ssi_ports *ports = ssi->ports;
    struct ssi_pdr *pdr = ssi->pdr;
    pdr->id = new_id(ssi);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        ssi_pdr_row_encode(&pdr->rows[i], pdr->row_bytes[i]);
    int rc = ports->pdr_reserve(ports->ctx, PDR_FILE_BYTES, cause);
    if (rc == ST_OK)
        rc = checkpoint_write(ssi, first, cause);
    if (rc == ST_OK)
        rc = checkpoint_write(ssi, first ^ 1, cause);
    pdr->valid = rc == ST_OK;
    return rc;
}

/* An empty file is made a PDR, unless somebody has one under that name and works with it. */
static int pdr_create(struct ssi *ssi, struct cause *cause)
{
    struct ssi_pdr *pdr = ssi->pdr;
    u8 beats[SSI_SLOTS_MAX * PDR_BEAT_BYTES];
    int rc = pdr_read(ssi, 0, beats, sizeof beats, cause);
    if (rc)
        return rc;
    if (ssi->pdr_seq_seen || beats[0] || memcmp(beats, beats + 1, sizeof beats - 1) != 0)
        return cause_set(cause, ST_PROTO,
                         "the PDR is empty or cut off, and systems have used it");
    ssi_pdr_fini(pdr);
    memcpy(pdr->cluster, ssi->cfg.cluster, sizeof pdr->cluster);
    pdr->seq = 1;
    rc = checkpoints_write(ssi, 0, cause);
    if (rc == ST_OK)
        ssi_pdr_say(ssi, MSG_PLM1714I, ssi->cfg.cluster, ssi->cfg.pdr_path);
    return rc;
}

static bool beat_fresh(struct ssi *ssi, u64 beat_ms)
{
    u64 wall = ssi->ports->wall_ms(ssi->ports->ctx);
    u64 age = wall > beat_ms ? wall - beat_ms : beat_ms - wall;
    return beat_ms && age < ssi->cfg.silence_ms + 3 * (u64)ssi->cfg.pdr_beat_ms;
}

/* A member, other than this one, whose row says that it may run and which shows it; or -1. */
static int running_slot(struct ssi *ssi)
{
    u64 beats[SSI_SLOTS_MAX];
    bool known = ssi_pdr_beats_load(ssi, beats);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        if (i != ssi->cfg.slot && ssi->pdr->rows[i].state != SSI_DOWN &&
            !ssi_row_dead(ssi, i) && (!known || beat_fresh(ssi, beats[i])))
            return (int)i;
    return -1;
}

/* Does anybody write heartbeats, whatever the rows say? */
static bool anybody_beats(struct ssi *ssi)
{
    u8 sectors[SSI_SLOTS_MAX][PDR_BEAT_BYTES];
    if (pdr_read(ssi, 0, sectors, sizeof sectors, NULL) != ST_OK)
        return true;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        if (i != ssi->cfg.slot && beat_fresh(ssi, ssi_pdr_beat_any(sectors[i], i)))
            return true;
    return false;
}

/* Version 1 becomes version 2 when nobody runs who knows version 1 only. Its newer copy stays what
 * it is until the other header is of version 2. */
static int pdr_convert(struct ssi *ssi, struct cause *cause)
{
    struct ssi_pdr *pdr = ssi->pdr;
    int running = running_slot(ssi);
    if (running >= 0)
        return cause_set(
            cause, ST_CONFIG,
            "%s is of version %u, and %s may run with a release that knows no other; "
            "end it first, or start this system with that release",
            ssi->cfg.pdr_path, PDR_VERSION_OLD, pdr->rows[running].name);
    unsigned older = pdr->head_seq[1] < pdr->head_seq[0];
    pdr->seq++;
    int rc = checkpoints_write(ssi, older, cause);
    if (rc == ST_OK)
        ssi_pdr_say(ssi, MSG_PLM1714I, ssi->cfg.cluster, ssi->cfg.pdr_path);
    return rc;
}

static int pdr_check(struct ssi *ssi, struct cause *cause)
{
    const struct ssi_pdr *pdr = ssi->pdr;
    if (strcmp(pdr->cluster, ssi->cfg.cluster) != 0)
        return cause_set(cause, ST_CONFIG, "%s is the PDR of SSI cluster %s, not of %s",
                         ssi->cfg.pdr_path, pdr->cluster, ssi->cfg.cluster);
    if (pdr->seq < ssi->pdr_seq_seen)
        return cause_set(cause, ST_PROTO, "the PDR is older than what was read before");
    return ST_OK;
}

/* Changes that follow nothing: the host ended in the middle, and all members with it [P4]; or a
 * block between is damaged. */
static int gap_close(struct ssi *ssi, struct cause *cause)
{
    if (anybody_beats(ssi) || running_slot(ssi) >= 0 || !ssi->pdr_outside)
        return cause_set(cause, ST_PROTO, "the PDR is damaged: a change is missing");
    ssi->pdr->seq += PDR_BLOCKS; /* past all that follow nothing */
    int rc = checkpoints_write(ssi, ssi->pdr->head_seq[1] < ssi->pdr->head_seq[0], cause);
    ssi->pdr->gap = rc != ST_OK;
    return rc;
}

/* After so many changes, or so long after the first of them: a disk that does not write back what
 * it has taken is found out by then. */
static bool checkpoint_due(struct ssi *ssi, u64 newest)
{
    u64 behind = ssi->pdr->seq - newest, now = ssi_now(ssi);
    if (!behind || newest != ssi->pdr_checkpoint_seq) {
        ssi->pdr_checkpoint_seq = newest;
        ssi->pdr_checkpoint_ms = now;
    }
    return behind >= PDR_CHECKPOINT_BLOCKS ||
           (behind && now - ssi->pdr_checkpoint_ms >= PDR_CHECKPOINT_MS);
}

/* A checkpoint that is damaged or missing, or due. */
static int checkpoint_care(struct ssi *ssi, struct cause *cause)
{
    const struct ssi_pdr *pdr = ssi->pdr;
    unsigned older = pdr->head_seq[1] < pdr->head_seq[0];
    for (unsigned i = 0; i < 2; i++)
        if (pdr->head[i] != PDR_HEADER_GOOD)
            return checkpoint_write(ssi, i, cause);
    if (!checkpoint_due(ssi, pdr->head_seq[older ^ 1]))
        return ST_OK;
    struct cause local = {0};
    int rc = checkpoint_write(ssi, older, &local);
    if (rc == ST_OK)
        return ST_OK;
    pdr_complain(ssi, &local);
    return ssi_pdr_follow(ssi->pdr, &(struct pdr_file){ssi, pdr_read}, cause);
}

/* A file that ends early has lost changes, and reads as if they had not been. */
static int whole_length(struct ssi *ssi, struct cause *cause)
{
    const struct ssi_ports *ports = ssi->ports;
    size_t got = 0;
    u8 last;
    int rc = ports->pdr_read(ports->ctx, PDR_FILE_BYTES - 1, &last, 1, &got, cause);
    if (rc || got)
        return rc;
    return cause_set(cause, ST_PROTO, "the PDR is truncated: it should have %llu bytes",
                     (unsigned long long)PDR_FILE_BYTES);
}

static int pdr_load(struct ssi *ssi, struct cause *cause)
{
    const struct pdr_file file = {ssi, pdr_read};
    struct ssi_pdr *pdr = ssi->pdr;
    bool anew = !pdr->valid;
    ssi->pdr_valid = false;
    int rc = ssi_pdr_follow(pdr, &file, cause);
    if (rc == ST_CONFIG) {
        struct cause what = *cause;
        return cause_set(cause, rc, "PDR %s: %s", ssi->cfg.pdr_path, what.text);
    }
    if (rc == ST_OK && pdr->found != PDR_FOUND_NOTHING)
        rc = pdr_check(ssi, cause);
    if (rc == ST_OK && pdr->found == PDR_FOUND_GOOD && anew)
        rc = whole_length(ssi, cause);
    if (rc == ST_OK && pdr->found == PDR_FOUND_NOTHING)
        rc = pdr_create(ssi, cause);
    else if (rc == ST_OK && pdr->found == PDR_FOUND_OLD)
        rc = pdr_convert(ssi, cause);
    else if (rc == ST_OK && pdr->gap)
        rc = gap_close(ssi, cause);
    if (rc == ST_OK)
        rc = checkpoint_care(ssi, cause);
    if (rc) {
        pdr->valid = false;
        return rc;
    }
    pdr->found = PDR_FOUND_GOOD;
    ssi->pdr_seq_seen = pdr->seq;
    ssi->pdr_valid = true;
    return ST_OK;
}

int ssi_pdr_begin(struct ssi *ssi, unsigned wait_ms, struct cause *cause)
{
    if (!ssi_job_idle(ssi, wait_ms))
        return cause_set(cause, ST_BUSY, "the PDR's disk does not answer");
    ssi->pdr_outside = ssi->own_state == SSI_DOWN;
    int rc = ssi_pdr_enter(ssi, wait_ms, cause);
    if (rc == ST_OK)
        ssi_pdr_rows_take(ssi);
    return rc;
}

/* Another life has taken the slot while this one could not be seen: as if it had been declared
 * Down, for that one drops the claims. */
static void slot_lost(struct ssi *ssi)
{
    if (ssi->job.out)
        ssi->job.expelled = true;
    else if (ssi_may_change(ssi))
        ssi->expelled = true;
}

int ssi_pdr_enter(struct ssi *ssi, unsigned wait_ms, struct cause *cause)
{
    PRE(!ssi->pdr_locked);
    struct cause local = {0};
    int rc = ssi->ports->pdr_lock(ssi->ports->ctx, wait_ms, &local);
    if (rc == ST_OK) {
        rc = pdr_load(ssi, &local);
        ssi->pdr_locked = rc == ST_OK;
        if (rc)
            ssi->ports->pdr_unlock(ssi->ports->ctx);
    }
    if (rc == ST_OK)
        return ST_OK;
    if (rc == ST_LOST) {
        slot_lost(ssi);
        return cause_set(cause, rc, "%s", local.text);
    }
    if (rc != ST_BUSY && rc != ST_CONFIG)
        pdr_complain(ssi, &local);
    return cause_set(cause, rc == ST_BUSY || rc == ST_CONFIG ? rc : ST_IO, "%s", local.text);
}

/* The write failed: did it take place all the same? Then it is written once more, for where it
 * was read from may have been memory only. */
static int commit_doubt(struct ssi *ssi, bool durable, struct cause *cause)
{
    u64 seq = ssi->pdr->seq, id = ssi->pdr->id;
    struct cause local = {0};
    ssi->pdr->valid = false;
    ssi->pdr->n_ops = 0;
    if (pdr_load(ssi, &local) != ST_OK)
        return ST_LOST;
    if (ssi->pdr->seq == seq && ssi->pdr->id == id) {
        if (pdr_read(ssi, PDR_BLOCK_AT(seq), ssi->pdr_io, PDR_BLOCK_BYTES, &local) == ST_OK &&
            pdr_write(ssi, PDR_BLOCK_AT(seq), PDR_BLOCK_BYTES, durable, &local) == ST_OK)
            return ST_OK;
        ssi->pdr_valid = ssi->pdr->valid = false;
        return ST_LOST;
    }
    cause->status = ST_IO;
    return ST_IO;
}

static bool rows_changed(struct ssi_pdr *pdr)
{
    u8 row[PDR_ROW_BYTES];
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        ssi_pdr_row_encode(&pdr->rows[i], row);
        if (memcmp(row, pdr->row_bytes[i], PDR_ROW_BYTES) != 0)
            return true;
    }
    return false;
}

static void committed(struct ssi *ssi, unsigned pending)
{
    struct ssi_pdr *pdr = ssi->pdr;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        ssi_pdr_row_encode(&pdr->rows[i], pdr->row_bytes[i]);
    pdr->n_ops = 0;
    ssi->pdr_seq_seen = pdr->seq;
    ssi_pending_done(ssi, pending);
}

int ssi_pdr_commit(struct ssi *ssi, struct cause *cause)
{
    PRE(ssi->pdr_locked && ssi->pdr_valid);
    struct ssi_pdr *pdr = ssi->pdr;
    struct cause local = {0};
    bool rows = rows_changed(pdr);
    unsigned ops_max = rows ? PDR_OPS_ROWS_MAX : PDR_OPS_MAX;
    unsigned pending = ssi_pending_apply(ssi, ops_max);
    PRE(pdr->n_ops <= ops_max);
    if (!pdr->n_ops && !rows) {
        ssi_pending_done(ssi, pending);
        return ST_OK;
    }
    u64 newest = pdr->head_seq[pdr->head_seq[1] > pdr->head_seq[0]];
    bool durable = ssi_pdr_abroad(pdr, ssi->ports->host_id(ssi->ports->ctx));
    u64 before = pdr->id;
    pdr->seq++;
    pdr->id = new_id(ssi);
    size_t len = ssi_pdr_block_encode(pdr, before, ssi->pdr_io);
    int rc = cause_set(&local, ST_IO, "its checkpoints cannot be written");
    if (pdr->seq - newest < PDR_BLOCKS)
        rc = pdr_write(ssi, PDR_BLOCK_AT(pdr->seq), len, durable, &local);
    if (rc) {
        pdr_complain(ssi, &local);
        rc = commit_doubt(ssi, durable, &local);
        if (rc)
            return cause_set(cause, rc, "%s", local.text);
        ssi_pending_done(ssi, pending);
        return ST_OK;
    }
    committed(ssi, pending);
    pdr_well(ssi);
    return ST_OK;
}

void ssi_pdr_rows_take(struct ssi *ssi)
{
    ssi->rows_valid = ssi->pdr_valid;
    if (ssi->pdr_valid)
        memcpy(ssi->rows, ssi->pdr->rows, sizeof ssi->rows);
}

void ssi_pdr_end(struct ssi *ssi)
{
    ssi_pdr_exit(ssi);
    ssi_pdr_rows_take(ssi);
}

void ssi_pdr_exit(struct ssi *ssi)
{
    PRE(ssi->pdr_locked);
    struct ssi_pdr *pdr = ssi->pdr;
    ssi->pdr_locked = false;
    if (pdr->n_ops ||
        (ssi->pdr_valid && rows_changed(pdr))) { /* what was changed was given up */
        pdr->n_ops = 0;
        pdr->valid = ssi->pdr_valid = false;
    }
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

u64 ssi_pdr_beat_put(struct ssi *ssi, u64 incarnation)
{
    u8 sector[PDR_BEAT_BYTES];
    struct cause cause = {0};
    const struct ssi_ports *ports = ssi->ports;
    u64 wall_ms = ports->wall_ms(ports->ctx);
    ssi_pdr_beat_encode(sector, ssi->cfg.slot, incarnation, wall_ms);
    if (ports->pdr_write(ports->ctx, (u64)ssi->cfg.slot * PDR_BEAT_BYTES, sector, sizeof sector,
                         false, &cause) == ST_OK)
        return wall_ms;
    pdr_complain(ssi, &cause);
    return 0;
}

void ssi_pdr_beat_write(struct ssi *ssi)
{
    struct ssi_member *self = &ssi->members[ssi->cfg.slot];
    u64 wall_ms = ssi_job_idle(ssi, 0) ? ssi_pdr_beat_put(ssi, ssi->incarnation) : 0;
    if (!wall_ms)
        return;
    self->pdr_beat_ms = self->rx_beat_ms = wall_ms;
    self->pdr_beat_seen_ms = ssi_now(ssi);
}

bool ssi_pdr_beats_load(struct ssi *ssi, u64 beats[SSI_SLOTS_MAX])
{
    u8 sectors[SSI_SLOTS_MAX * PDR_BEAT_BYTES];
    if (pdr_read(ssi, 0, sectors, sizeof sectors, NULL) != ST_OK)
        return false;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        beats[i] = ssi_pdr_beat_decode(sectors + (size_t)i * PDR_BEAT_BYTES, i,
                                       ssi->pdr->rows[i].incarnation);
    return true;
}

void ssi_pdr_beats_take(struct ssi *ssi, const u64 beats[SSI_SLOTS_MAX])
{
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        struct ssi_member *m = &ssi->members[i];
        if (beats[i] != m->pdr_beat_ms || !m->pdr_beat_seen_ms)
            m->pdr_beat_seen_ms = ssi_now(ssi);
        m->pdr_beat_ms = beats[i];
    }
}

bool ssi_pdr_beats_read(struct ssi *ssi)
{
    u64 beats[SSI_SLOTS_MAX];
    if (!ssi_pdr_beats_load(ssi, beats))
        return false;
    ssi_pdr_beats_take(ssi, beats);
    return true;
}
