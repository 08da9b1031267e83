/* Joining the cluster, driven from ssi_tick.
 *
 *   START  life lock held, listening          -> TURN
 *   TURN   nobody else in transition: own row Joining, own stale claims dropped -> LINKS
 *   TURN   REPAIR: no other member shows a sign of life: own row Isolated, `done`
 *   LINKS  a link AGREED to every Joined row: own row Joined (the commit point), JOINED sent
 *   any    deadline, final refusal            -> own row Down, own state Isolated, `done` with the
 *          cause
 *
 * A link lost in LINKS is tried again until the deadline; a refusal or a veto is final. */
#include "ssi/ssi_internal.h"

int ssi_transition_slot(const struct ssi *ssi)
{
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        u8 state = ssi->pdr->rows[i].state;
        if (i != ssi->cfg.slot &&
            (state == SSI_JOINING || state == SSI_LEAVING || state == SSI_ISOLATED))
            return (int)i;
    }
    return -1;
}

void ssi_join_link_failed(struct ssi *ssi, int status, const char *why)
{
    if (ssi->refused)
        return;
    cause_set(&ssi->obstacle, status, "%s", why);
    ssi->refused = status == ST_REFUSED;
}

static void join_final(struct ssi *ssi, int status)
{
    ssi->obstacle.status = status;
    ssi->refused = true;
}

/* What a user of the system can do about it. */
static const char *mend_text(int status)
{
    switch (status) {
    case ST_REFUSED:
        return "correct what the message says, here or at the other system, and start it again";
    case ST_CONFIG: return "correct the SSI statement or its PDR_VOLUME, and start it again";
    case ST_EXIST: return "end the other instance of it";
    case ST_TIMEOUT:
        return "get the system that is waited for joined or Down (SET SSI name DOWN); with none "
               "up, start it with --repair";
    default: return "make the PDR readable and writable for it, and start it again";
    }
}

/* The row becomes Down: this member holds nothing, and nobody waits for it. */
static void row_give_up(struct ssi *ssi)
{
    if (ssi->own_state != SSI_JOINING ||
        ssi_pdr_begin(ssi, ssi->cfg.pdr_lock_ms, NULL) != ST_OK)
        return;
    if (ssi_pdr_own_is(ssi, SSI_JOINING)) {
        ssi_row_down(ssi, ssi->cfg.slot, DOWN_LEFT);
        ssi_pdr_commit(ssi, NULL);
    }
    ssi_pdr_end(ssi);
}

void ssi_join_refuse(struct ssi *ssi)
{
    row_give_up(ssi);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        if (ssi->members[i].link)
            ssi_refuse(ssi, ssi->members[i].link, REASON_GIVEN_UP, "");
    struct cause cause = ssi->obstacle;
    ssi_say(ssi, MSG_PLM1700E, ssi->cfg.member, ssi->cfg.cluster, cause.text);
    ssi_close_all(ssi, true, SSI_EV_REFUSED);
    if (!ssi->leave_done)
        ssi_say(ssi, MSG_PLM1716I, ssi->cfg.member, mend_text(cause.status));
    ssi_done_cb done = ssi->join_done;
    ssi->join_done = NULL;
    ssi->phase = ssi->leave_done ? LEAVE_START : JOIN_IDLE;
    if (done)
        done(ssi->join_ctx, cause.status, &cause);
}

static void join_start(struct ssi *ssi)
{
    const struct ssi_ports *ports = ssi->ports;
    struct cause *cause = &ssi->obstacle;
    int rc = ssi->life ? ST_OK : ports->life_hold(ports->ctx, ssi->cfg.slot, cause);
    ssi->life = rc == ST_OK;
    if (rc == ST_OK && !ssi->listening) {
        rc = ports->listen(ports->ctx, ssi->cfg.listen, ssi->cfg.advertise, ssi->addr, cause);
        ssi->listening = rc == ST_OK;
    }
    if (rc && rc != ST_BUSY)
        join_final(ssi, rc);
    if (rc)
        return;
    ssi->incarnation = ports->random(ports->ctx) | 1;
    ssi->phase = JOIN_TURN;
}

/* Is this slot ours to take? The life lock says so on one host; elsewhere the heartbeat
 * must. */
static int slot_free(struct ssi *ssi, struct cause *cause)
{
    const struct ssi_ports *ports = ssi->ports;
    const struct pdr_row *row = ssi_pdr_own(ssi);
    if (row->name[0] == 0 || row->state == SSI_DOWN)
        return ST_OK;
    if (row->host_id == ports->host_id(ports->ctx))
        return ST_OK;
    if (!ssi_pdr_beats_read(ssi))
        return cause_set(cause, ST_IO, "the PDR heartbeats cannot be read");
    u64 beat = ssi->members[ssi->cfg.slot].pdr_beat_ms, wall = ports->wall_ms(ports->ctx);
    u64 age = wall > beat ? wall - beat : beat - wall;
    if (beat && age < ssi->cfg.silence_ms + 3 * (u64)ssi->cfg.pdr_beat_ms)
        return cause_set(cause, ST_EXIST, "%s seems to run on another host", row->name);
    return ST_OK;
}

/* Bury our own former life at once, not only when it is our turn: others wait for that row. */
static int own_past(struct ssi *ssi, struct cause *cause)
{
    const struct pdr_row *row = ssi_pdr_own(ssi);
    int rc = slot_free(ssi, cause);
    if (rc || row->state == SSI_DOWN || row->incarnation == ssi->incarnation)
        return rc;
    ssi_row_down(ssi, ssi->cfg.slot, DOWN_WENT);
    return ssi_pdr_commit(ssi, cause);
}

static void row_enter(struct ssi *ssi, enum ssi_state state)
{
    struct pdr_row *row = ssi_pdr_own(ssi);
    ssi_claims_drop(ssi->pdr, ssi->cfg.slot);
    memset(row, 0, sizeof *row);
    memcpy(row->name, ssi->cfg.member, sizeof row->name);
    memcpy(row->addr, ssi->addr, sizeof row->addr);
    row->state = (u8)state;
    row->incarnation = ssi->incarnation;
    row->host_id = ssi->ports->host_id(ssi->ports->ctx);
    row->since_ms = ssi->ports->wall_ms(ssi->ports->ctx);
}

/* A row that says Joining and whose heartbeat stands still owns nothing: it may be passed over,
 * for its own commit will find its row changed. */
static void transition_wait(struct ssi *ssi, unsigned slot, u64 now)
{
    const struct ssi_member *m = &ssi->members[slot];
    struct pdr_row *row = &ssi->pdr->rows[slot];
    bool read = ssi_pdr_beats_read(ssi);
    cause_set(&ssi->obstacle, ST_TIMEOUT, "waiting for system %s, which is %s", row->name,
              ssi_state_name(row->state));
    if (row->state == SSI_ISOLATED) {
        cause_set(&ssi->obstacle, ST_REFUSED,
                  "system %s is up by REPAIR and is to be shut down first", row->name);
        ssi->refused = true;
    }
    u64 still = ssi->cfg.silence_ms + 3 * (u64)ssi->cfg.pdr_beat_ms;
    if (!read || row->state != SSI_JOINING || now < m->pdr_beat_seen_ms + still)
        return;
    ssi_row_down(ssi, slot, DOWN_UNDETERMINED);
    ssi_pdr_commit(ssi, &ssi->obstacle);
}

/* REPAIR: is no other member up? Its process on this host is known; elsewhere its PDR heartbeat is
 * watched for as long as it takes to be sure that it stands still. */
static bool repair_alone(struct ssi *ssi, u64 now)
{
    const struct ssi_ports *ports = ssi->ports;
    const u64 watch_ms = 3 * (u64)ssi->cfg.pdr_beat_ms;
    if (!ssi_pdr_beats_read(ssi))
        return false;
    if (!ssi->repair_from_ms)
        ssi->repair_from_ms = ssi_now(ssi);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        const struct pdr_row *row = &ssi->pdr->rows[i];
        u64 seen = ssi->members[i].pdr_beat_seen_ms;
        if (i == ssi->cfg.slot || !row->name[0] || row->state == SSI_DOWN)
            continue;
        bool here = row->host_id == ports->host_id(ports->ctx); /* and alive: not buried */
        ssi->refused = here || seen > ssi->repair_from_ms;
        cause_set(&ssi->obstacle, ssi->refused ? ST_REFUSED : ST_TIMEOUT,
                  ssi->refused ? "REPAIR is for when no other system is up, and %s is"
                               : "watching whether system %s is up",
                  row->name);
        if (ssi->refused || now < ssi->repair_from_ms + watch_ms)
            return false;
    }
    return true;
}

static void repair_finish(struct ssi *ssi, u64 now)
{
    ssi->alone = true;
    ssi->phase = ssi->leave_done ? LEAVE_START : JOIN_IDLE;
    ssi->next_beat_ms = ssi->next_poll_ms = now;
    ssi_event(ssi, ssi->cfg.slot, SSI_EV_ALONE, "");
    ssi_say(ssi, MSG_PLM1711W, ssi->cfg.member, ssi->cfg.cluster);
    ssi_done_cb done = ssi->join_done;
    ssi->join_done = NULL;
    if (done)
        done(ssi->join_ctx, ST_OK, &ssi->obstacle);
}

static void turn_taken(struct ssi *ssi, u64 now)
{
    ssi_event(ssi, ssi->cfg.slot, SSI_EV_ENTER, "");
    ssi_pdr_beat_write(ssi);
    ssi->phase = JOIN_LINKS;
    ssi->phase_next_ms = now;
}

/* PDR locked. ST_BUSY: not our turn, or ssi->refused. */
static int turn_take(struct ssi *ssi, u64 now, struct cause *cause)
{
    int rc = own_past(ssi, cause);
    if (rc == ST_OK)
        rc = ssi_rows_bury(ssi, cause);
    if (rc)
        return rc;
    if (ssi->cfg.repair && !repair_alone(ssi, now))
        return ST_BUSY;
    if (!ssi->cfg.repair && ssi_transition_slot(ssi) >= 0) {
        transition_wait(ssi, (unsigned)ssi_transition_slot(ssi), now);
        return ST_BUSY;
    }
    rc = ssi_slots_agree(ssi, cause);
    if (rc)
        return rc;
    row_enter(ssi, ssi->cfg.repair ? SSI_ISOLATED : SSI_JOINING);
    return ssi_pdr_commit(ssi, cause);
}

static void join_turn(struct ssi *ssi, u64 now)
{
    struct cause *cause = &ssi->obstacle;
    int rc = ssi_pdr_begin(ssi, 0, cause);
    bool locked = rc == ST_OK;
    if (locked) {
        rc = turn_take(ssi, now, cause);
        ssi_pdr_end(ssi);
    }
    if (rc == ST_BUSY)
        return;
    if (rc)
        join_final(ssi, rc == ST_LOST ? ST_IO : rc);
    else if (ssi->cfg.repair)
        repair_finish(ssi, now);
    else
        turn_taken(ssi, now);
}

/* Link to every Joined row; true when all have agreed. The lock is held. */
static bool join_connect(struct ssi *ssi, u64 now)
{
    bool all = true;
    for (unsigned i = 0; i < SSI_SLOTS_MAX && ssi->pdr_valid; i++) {
        struct ssi_member *m = &ssi->members[i];
        const struct pdr_row *row = &ssi->pdr->rows[i];
        if (i == ssi->cfg.slot || row->state != SSI_JOINED)
            continue;
        if (strcmp(row->name, ssi->members[i].name) != 0) { /* changed since our turn */
            cause_set(&ssi->obstacle, ST_REFUSED, "slot %u is %s in the cluster and %s here",
                      i + 1, row->name,
                      ssi_slot_used(ssi, i) ? ssi->members[i].name : "AVAILABLE");
            ssi->refused = true;
            return false;
        }
        m->incarnation = row->incarnation;
        if (m->link && m->link->peer_incarnation != row->incarnation)
            ssi_link_drop(ssi, m->link, false);
        if (!m->link && now >= m->next_heal_ms) {
            m->next_heal_ms = now + SSI_RETRY_MS;
            ssi_link_connect(ssi, i, row->addr, PURPOSE_JOIN, row->incarnation);
        }
        all = all && m->link && m->link->state == LINK_AGREED;
    }
    return all && ssi->pdr_valid;
}

static void join_finish(struct ssi *ssi, u64 now)
{
    ssi->phase = JOIN_IDLE;
    ssi->next_beat_ms = ssi->next_poll_ms = now;
    ssi_event(ssi, ssi->cfg.slot, SSI_EV_COMMIT, "");
    ssi_say(ssi, MSG_PLM1699I, ssi->cfg.member, ssi->cfg.cluster);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        struct ssi_link *link = ssi->members[i].link;
        if (!link || link->state != LINK_AGREED)
            continue;
        ssi_link_send(ssi, link, WIRE_JOINED, 0, 0, NULL, 0);
        ssi_link_state(ssi, link, LINK_READY);
        ssi_member_ready(ssi, i);
    }
    ssi_mode_update(ssi);
    ssi_done_cb done = ssi->join_done;
    ssi->join_done = NULL;
    if (ssi->leave_done)
        ssi->phase = LEAVE_START;
    if (done)
        done(ssi->join_ctx, ST_OK, &ssi->obstacle);
}

static void join_links(struct ssi *ssi, u64 now)
{
    if (ssi_pdr_begin(ssi, 0, &ssi->obstacle) != ST_OK)
        return;
    bool joined = ssi_pdr_own_is(ssi, SSI_JOINED); /* a write in doubt took place after all */
    if (!joined && !ssi_pdr_own_is(ssi, SSI_JOINING)) {
        ssi->phase = JOIN_TURN; /* passed over: once more from the start */
    } else if (!joined && ssi_rows_bury(ssi, &ssi->obstacle) == ST_OK &&
               ssi_transition_slot(ssi) < 0 && join_connect(ssi, now)) {
        struct pdr_row *row = ssi_pdr_own(ssi);
        row->state = SSI_JOINED;
        row->since_ms = ssi->ports->wall_ms(ssi->ports->ctx);
        int rc = ssi_pdr_commit(ssi, &ssi->obstacle);
        joined = rc == ST_OK;
        if (rc == ST_IO)
            join_final(ssi, rc);
    }
    ssi_pdr_end(ssi);
    if (joined)
        join_finish(ssi, now);
}

static void step(struct ssi *ssi, u64 now)
{
    if (ssi->phase == JOIN_START)
        join_start(ssi);
    if (ssi->phase == JOIN_TURN && !ssi->refused)
        join_turn(ssi, now);
    else if (ssi->phase == JOIN_LINKS && !ssi->refused)
        join_links(ssi, now);
}

void ssi_join_step(struct ssi *ssi, u64 now)
{
    if (ssi->phase != JOIN_START && ssi->phase != JOIN_TURN && ssi->phase != JOIN_LINKS)
        return;
    if (!ssi->refused && ssi->leave_done) {
        cause_set(&ssi->obstacle, ST_REFUSED, "the join was given up");
        ssi->refused = true;
    }
    if (!ssi->refused && now >= ssi->phase_next_ms) {
        ssi->phase_next_ms = now + (ssi->phase == JOIN_LINKS ? 1 : SSI_RETRY_MS);
        step(ssi, now);
    }
    if (!ssi->refused && ssi->join_done && now >= ssi->phase_deadline_ms) {
        if (ssi->obstacle.text[0] == 0)
            cause_set(&ssi->obstacle, ST_TIMEOUT, "no answer in time");
        join_final(ssi, ST_TIMEOUT);
    }
    if (ssi->refused)
        ssi_join_refuse(ssi);
}

void ssi_join(struct ssi *ssi, ssi_done_cb done, void *ctx)
{
    PRE(done && ssi->phase == JOIN_IDLE && !ssi_may_change(ssi));
    ssi->join_done = done;
    ssi->join_ctx = ctx;
    ssi->refused = false;
    ssi->obstacle = (struct cause){0};
    ssi->phase = JOIN_START;
    ssi->phase_next_ms = ssi_now(ssi);
    ssi->phase_deadline_ms = ssi_now(ssi) + ssi->cfg.join_ms;
    ssi->repair_from_ms = 0;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        struct ssi_member *m = &ssi->members[i];
        m->next_heal_ms = m->pdr_beat_seen_ms = 0;
    }
}
