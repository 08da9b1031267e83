/* What this member thinks of the others, and why: PDR rows, links, life locks.
 *
 * Invariants:
 * [S1] A claim has one owner: claims change only inside one PDR write under the PDR lock, by a
 *      member whose own row still says Joined (or Leaving; Isolated, up by REPAIR) in its
 *      incarnation.
 * [S2] Claims of a member are dropped only when its row becomes Down in the same write, or by
 *      itself; and its row becomes Down by another's hand only if its process is known to be
 *      gone from this host, or an operator says so (SET SSI DOWN, REPAIR), or it had
 *      not joined.
 * [S3] `told` is TOLD_JOINED exactly while the link is READY: services send and receive only
 *      then.
 * [S4] A member that the PDR shows Joined and to which there is no ready link is Unknown, this one
 *      is Suspended, says so to all, and the mode is Safe there, too: no new claims.
 * States change by the rows of ssi_states.def alone (ssi_event). */
#include "ssi/ssi_internal.h"

void ssi_member_ready(struct ssi *ssi, unsigned slot)
{
    struct ssi_member *m = &ssi->members[slot];
    struct ssi_link *link = m->link;
    PRE(link && link->state == LINK_READY);
    m->incarnation = link->peer_incarnation;
    m->rx_beat_ms = ssi->ports->wall_ms(ssi->ports->ctx);
    link->rx_ms = ssi_now(ssi);
    if (link->purpose == PURPOSE_HEAL)
        ssi_say(ssi, MSG_PLM1702I, m->name);
    ssi_event(ssi, slot, SSI_EV_LINK_UP, "");
    if (ssi->own_state == SSI_SUSPENDED) /* by another one, which this one does not know yet */
        ssi_beat_send(ssi);
}

void ssi_member_gone(struct ssi *ssi, unsigned slot, enum ssi_left how)
{
    struct ssi_member *m = &ssi->members[slot];
    if (m->told == TOLD_NOTHING || (how == SSI_LEFT_LOST && m->told != TOLD_JOINED))
        return;
    m->told = how == SSI_LEFT_LOST ? TOLD_LOST : TOLD_NOTHING;
    for (unsigned i = 0; i < ssi->n_services; i++)
        if (ssi->services[i].svc->member_left)
            ssi->services[i].svc->member_left(ssi->services[i].ctx, m->name, how);
}

static bool link_ready(const struct ssi_member *m)
{
    return m->link && m->link->state == LINK_READY;
}

/* What row and link of a member say together. */
static enum ssi_event row_event(const struct ssi_member *m, const struct pdr_row *row)
{
    bool mine = m->link && m->link->peer_incarnation == row->incarnation;
    bool talking = mine && m->link->purpose == PURPOSE_JOIN && m->link->state >= LINK_EXCHANGE;
    switch (row->state) {
    case SSI_JOINED:
        if (mine && link_ready(m))
            return SSI_EV_ROW_TOUCH;
        return talking ? SSI_EV_ROW_TALKING : SSI_EV_ROW_UNREACHED;
    case SSI_LEAVING: return mine && link_ready(m) ? SSI_EV_ROW_LEAVING : SSI_EV_ROW_UNREACHED;
    case SSI_JOINING: return SSI_EV_ROW_JOINING;
    case SSI_ISOLATED: return SSI_EV_ROW_ISOLATED;
    default: return SSI_EV_ROW_DOWN;
    }
}

void ssi_member_settle(struct ssi *ssi, unsigned slot, const char *why)
{
    struct ssi_member *m = &ssi->members[slot];
    struct pdr_row row = ssi->rows[slot];
    if (m->told != TOLD_NOTHING && m->incarnation != row.incarnation)
        ssi_event(ssi, slot, SSI_EV_LIFE_OVER, "");
    m->incarnation = row.incarnation;
    ssi_event(ssi, slot, row_event(m, &row), why);
}

unsigned ssi_row_down(struct ssi *ssi, unsigned slot, u8 reason)
{
    PRE(ssi->pdr_locked);
    struct pdr_row *row = &ssi->pdr->rows[slot];
    row->state = SSI_DOWN;
    row->down_reason = reason;
    row->since_ms = ssi->ports->wall_ms(ssi->ports->ctx);
    return ssi_claims_drop(ssi->pdr, slot);
}

bool ssi_row_dead(struct ssi *ssi, unsigned slot)
{
    const struct pdr_row *row = &ssi->pdr->rows[slot];
    const struct ssi_ports *ports = ssi->ports;
    return slot != ssi->cfg.slot && row->name[0] && row->state != SSI_DOWN &&
           row->host_id == ports->host_id(ports->ctx) && !ports->life_held(ports->ctx, slot);
}

u32 ssi_links_ready(const struct ssi *ssi)
{
    u32 ready = 0;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        ready |= (u32)link_ready(&ssi->members[i]) << i;
    return ready;
}

int ssi_rows_bury(struct ssi *ssi, struct cause *cause)
{
    return ssi_rows_bury_but(ssi, ssi_links_ready(ssi), cause);
}

int ssi_rows_bury_but(struct ssi *ssi, u32 ready, struct cause *cause)
{
    unsigned dropped[SSI_SLOTS_MAX] = {0};
    unsigned buried = 0;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        if (ready >> i & 1 || !ssi_row_dead(ssi, i))
            continue;
        dropped[i] = ssi_row_down(ssi, i, DOWN_WENT);
        buried |= 1u << i;
    }
    if (!buried)
        return ST_OK;
    int rc = ssi_pdr_commit(ssi, cause);
    for (unsigned i = 0; i < SSI_SLOTS_MAX && rc == ST_OK; i++)
        if (buried >> i & 1)
            ssi_pdr_say(ssi, MSG_PLM1703W, ssi->pdr->rows[i].name, dropped[i]);
    return rc;
}

/* Without the PDR nothing is certain but that the link is gone. */
static void settle_blind(struct ssi *ssi, unsigned slot, const char *why)
{
    if (!link_ready(&ssi->members[slot]))
        ssi_event(ssi, slot, SSI_EV_LINK_LOST, why);
}

bool ssi_may_change(const struct ssi *ssi)
{
    return ssi_active(ssi) || ssi->alone;
}

bool ssi_pdr_own_active(struct ssi *ssi)
{
    return ssi->alone ? ssi_pdr_own_is(ssi, SSI_ISOLATED)
                      : ssi_pdr_own_is(ssi, SSI_JOINED) || ssi_pdr_own_is(ssi, SSI_LEAVING);
}

void ssi_member_look(struct ssi *ssi, unsigned slot, const char *why)
{
    if (!ssi_active(ssi))
        return;
    if (ssi_pdr_begin(ssi, ssi->cfg.pdr_lock_ms, NULL) != ST_OK) {
        settle_blind(ssi, slot, why);
        return;
    }
    if (!ssi_pdr_own_active(ssi))
        ssi->expelled = true;
    else
        ssi_rows_bury(ssi, NULL);
    bool valid = ssi->pdr_valid;
    ssi_pdr_end(ssi);
    if (!valid) {
        settle_blind(ssi, slot, why);
        return;
    }
    ssi_slots_sync(ssi);
    if (!ssi->expelled && ssi_slot_used(ssi, slot))
        ssi_member_settle(ssi, slot, why);
}

void ssi_expelled(struct ssi *ssi, const char *why)
{
    struct cause cause;
    cause_set(&cause, ST_LOST, "%s", why);
    ssi_say(ssi, MSG_PLM1704E, ssi->cfg.member, ssi->cfg.cluster, why);
    ssi_job_forget(ssi);
    ssi->expelled = ssi->alone = false;
    for (unsigned i = 0; i < SSI_LINKS_MAX; i++)
        if (ssi->links[i])
            ssi_link_drop(ssi, ssi->links[i], false);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        if (i != ssi->cfg.slot)
            ssi_event(ssi, i, SSI_EV_SHUT_OUT, why);
    if (ssi->events && ssi->events->expelled)
        ssi->events->expelled(ssi->events_ctx, &cause);
}

static void heal(struct ssi *ssi, u64 now)
{
    for (unsigned i = ssi->cfg.slot + 1; i < SSI_SLOTS_MAX; i++) {
        struct ssi_member *m = &ssi->members[i];
        const struct pdr_row *row = &ssi->rows[i];
        if (m->state != SSI_UNKNOWN || m->link || m->inactive || now < m->next_heal_ms ||
            row->state != SSI_JOINED || !ssi_joined(ssi))
            continue;
        m->next_heal_ms = now + SSI_HEAL_MS;
        ssi_link_connect(ssi, i, row->addr, PURPOSE_HEAL, row->incarnation);
    }
}

void ssi_member_poll(struct ssi *ssi, u64 now)
{
    if (now < ssi->next_poll_ms || !ssi_may_change(ssi))
        return;
    ssi->next_poll_ms =
        now + (ssi->mode == SSI_MODE_STABLE ? ssi->cfg.pdr_beat_ms : SSI_RETRY_MS);
    ssi->job.want_look = true;
}

void ssi_member_looked(struct ssi *ssi, u64 now)
{
    if (!ssi->rows_valid || !ssi_may_change(ssi))
        return;
    ssi_slots_sync(ssi);
    for (unsigned i = 0; !ssi->expelled && i < SSI_SLOTS_MAX; i++) {
        if (i == ssi->cfg.slot || !ssi_slot_used(ssi, i) || !ssi->rows_valid)
            continue;
        if (ssi->job.events[i] != ssi->members[i].events) /* once more, soon */
            ssi->next_poll_ms = now;
        else
            ssi_member_settle(ssi, i, "the PDR shows it joined, but there is no link");
    }
    if (!ssi->expelled && ssi->rows_valid)
        heal(ssi, now);
}

/* Signs of life that forbid SET SSI DOWN; NULL when there are none. */
static const char *sign_of_life(struct ssi *ssi, unsigned slot)
{
    const struct ssi_member *m = &ssi->members[slot];
    const struct pdr_row *row = &ssi->pdr->rows[slot];
    const struct ssi_ports *ports = ssi->ports;
    if (link_ready(m))
        return "it is connected";
    if (row->host_id == ports->host_id(ports->ctx) && ports->life_held(ports->ctx, slot))
        return "its process runs on this host";
    if (!ssi_pdr_beats_read(ssi))
        return "its PDR heartbeat cannot be read";
    if (m->pdr_beat_ms && ssi_now(ssi) < m->pdr_beat_seen_ms + 3 * ssi->cfg.pdr_beat_ms)
        return "its PDR heartbeat advances; try again later";
    return NULL;
}

int ssi_set_down(struct ssi *ssi, const char *member, struct cause *cause)
{
    int slot = ssi_slot_find(ssi, member);
    if (slot < 0)
        return cause_set(cause, ST_NOENT, "%s is not a system of this cluster", member);
    if (slot == (int)ssi->cfg.slot || !ssi_may_change(ssi))
        return cause_set(cause, ST_REFUSED, "this system is %s",
                         ssi_state_name(ssi->own_state));
    int rc = ssi_pdr_begin(ssi, ssi->cfg.pdr_lock_ms, cause);
    if (rc)
        return rc;
    const char *sign = sign_of_life(ssi, (unsigned)slot);
    if (!ssi_pdr_own_active(ssi)) {
        ssi->expelled = true;
        rc = cause_set(cause, ST_LOST, "this system was declared Down itself");
    } else if (ssi->pdr->rows[slot].state == SSI_DOWN) {
        rc = cause_set(cause, ST_EXIST, "%s is Down already", member);
    } else if (sign) {
        rc = cause_set(cause, ST_REFUSED, "%s shows a sign of life: %s", member, sign);
    } else {
        unsigned n = ssi_row_down(ssi, (unsigned)slot, DOWN_DECLARED);
        rc = ssi_pdr_commit(ssi, cause);
        if (rc == ST_OK)
            ssi_say(ssi, MSG_PLM1710I, member, n);
    }
    ssi_pdr_end(ssi);
    if (rc == ST_OK)
        ssi_member_settle(ssi, (unsigned)slot, "it was declared Down");
    return rc;
}

/* The slot of another member by its name; negative: a status. */
static int other_slot(struct ssi *ssi, const char *member, struct cause *cause)
{
    int slot = ssi_slot_find(ssi, member);
    if (slot < 0 || slot == (int)ssi->cfg.slot)
        return cause_set(cause, ST_NOENT, "%s is not another system of this cluster", member);
    if (!ssi_joined(ssi))
        return cause_set(cause, ST_REFUSED, "this system is %s",
                         ssi_state_name(ssi->own_state));
    return slot;
}

int ssi_link_deactivate(struct ssi *ssi, const char *member, struct cause *cause)
{
    int slot = other_slot(ssi, member, cause);
    if (slot < 0)
        return slot;
    struct ssi_member *m = &ssi->members[slot];
    if (m->inactive)
        return cause_set(cause, ST_EXIST, "the link to %s is inactive already", member);
    m->inactive = true;
    if (m->link)
        ssi_link_fail(ssi, m->link, ST_LOST, "its link was deactivated here");
    return ST_OK;
}

int ssi_link_activate(struct ssi *ssi, const char *member, struct cause *cause)
{
    int slot = other_slot(ssi, member, cause);
    if (slot < 0)
        return slot;
    struct ssi_member *m = &ssi->members[slot];
    if (!m->inactive)
        return cause_set(cause, ST_EXIST, "the link to %s has not been deactivated", member);
    m->inactive = false;
    m->next_heal_ms = ssi_now(ssi);
    return ST_OK;
}
