/* Slots: which member may be in which. The PDR has the say while any member is up (names of its
 * rows); the SSI statement of the first one that starts is written there, later ones must agree.
 * Guarantees: [L1] a slot changes in one PDR write, and only while its member is Down; [L2] members
 * that run take the change over from their next reading, before anything else that it says of the
 * slot. */
#include "ssi/ssi_internal.h"

static const char *shown(const char *name)
{
    return name[0] ? name : "AVAILABLE";
}

/* Is any other member up, or on its way? */
static bool others_up(const struct ssi *ssi)
{
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        if (i != ssi->cfg.slot && ssi->pdr->rows[i].state != SSI_DOWN)
            return true;
    return false;
}

static void row_name(struct pdr_row *row, const char *name)
{
    memset(row, 0, sizeof *row);
    memcpy(row->name, name, strlen(name));
}

int ssi_slots_agree(struct ssi *ssi, struct cause *cause)
{
    bool up = others_up(ssi);
    PRE(ssi->pdr_locked);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        const char *here = ssi->cfg.slots[i];
        struct pdr_row *row = &ssi->pdr->rows[i];
        bool mends = ssi->cfg.repair && i != ssi->cfg.slot; /* REPAIR: they are not up */
        if (!strcmp(row->name, here) || (up && mends))
            continue;
        if (up)
            return cause_set(cause, ST_REFUSED,
                             "slot %u is %s in the cluster and %s in the SSI statement of %s",
                             i + 1, shown(row->name), shown(here), ssi->cfg.member);
        if (i != ssi->cfg.slot) /* the own row is written next */
            row_name(row, here);
    }
    return ST_OK;
}

/* The slot is another's now, or nobody's. */
static void slot_take(struct ssi *ssi, unsigned slot, const char *name)
{
    struct ssi_member *m = &ssi->members[slot];
    if (m->state != SSI_DOWN && m->state != SSI_AVAILABLE)
        ssi_event(ssi, slot, SSI_EV_ROW_DOWN, "");
    if (m->link)
        ssi_link_drop(ssi, m->link, false);
    if (m->name[0] && name[0] == 0)
        ssi_event(ssi, slot, SSI_EV_UNNAMED, "");
    *m = (struct ssi_member){.state = m->state};
    memcpy(m->name, name, SSI_NAME_BYTES);
    if (name[0])
        ssi_event(ssi, slot, SSI_EV_NAMED, "");
    ssi_say(ssi, MSG_PLM1718I, slot + 1, ssi->cfg.cluster, shown(name));
}

void ssi_slots_sync(struct ssi *ssi)
{
    bool changed = false;
    for (unsigned i = 0; i < SSI_SLOTS_MAX && ssi->rows_valid; i++) {
        char name[SSI_NAME_BYTES];
        memcpy(name, ssi->rows[i].name, sizeof name);
        if (i == ssi->cfg.slot || !strcmp(name, ssi->members[i].name))
            continue;
        slot_take(ssi, i, name);
        changed = true;
    }
    if (changed && ssi->events && ssi->events->slots_changed)
        ssi->events->slots_changed(ssi->events_ctx);
}

static int slot_check(struct ssi *ssi, unsigned slot, const char *name, struct cause *cause)
{
    const struct pdr_row *rows = ssi->pdr->rows;
    if (!ssi_pdr_own_active(ssi)) {
        ssi->expelled = true;
        return cause_set(cause, ST_LOST, "this system was declared Down itself");
    }
    if (!strcmp(rows[slot].name, name))
        return cause_set(cause, ST_EXIST, "slot %u is %s already", slot + 1, shown(name));
    if (rows[slot].state != SSI_DOWN)
        return cause_set(cause, ST_REFUSED, "slot %u holds %s, which is %s", slot + 1,
                         rows[slot].name, ssi_state_name((enum ssi_state)rows[slot].state));
    for (unsigned i = 0; i < SSI_SLOTS_MAX && name[0]; i++)
        if (!strcmp(rows[i].name, name))
            return cause_set(cause, ST_REFUSED, "%s is in slot %u", name, i + 1);
    return ST_OK;
}

int ssi_slot_set(struct ssi *ssi, unsigned slot, const char *name, struct cause *cause)
{
    if (slot >= SSI_SLOTS_MAX || (name[0] && !ssi_name_ok(name)))
        return cause_set(cause, ST_INVAL, "slots are 1 to %u, names have 1 to 8 characters",
                         SSI_SLOTS_MAX);
    if (slot == ssi->cfg.slot || !ssi_may_change(ssi))
        return cause_set(cause, ST_REFUSED, "this system is %s%s",
                         ssi_state_name(ssi->own_state),
                         slot == ssi->cfg.slot ? " in that slot" : "");
    int rc = ssi_pdr_begin(ssi, ssi->cfg.pdr_lock_ms, cause);
    if (rc)
        return rc;
    rc = slot_check(ssi, slot, name, cause);
    if (rc == ST_OK) {
        row_name(&ssi->pdr->rows[slot], name);
        rc = ssi_pdr_commit(ssi, cause);
    }
    ssi_pdr_end(ssi);
    if (rc == ST_OK)
        ssi_slots_sync(ssi);
    return rc;
}
