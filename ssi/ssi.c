/* A member's life and clock, and the queries.
 * Everything that takes time is driven from ssi_tick; everything that happens comes in through
 * ssi_conn_*. */
#include "ssi/ssi_internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define COMPLAINT_PERIOD_MS 60000

struct ssi *ssi_create(const struct ssi_config *config, const struct ssi_ports *ports,
                       struct cause *cause)
{
    if (ssi_config_check(config, cause))
        return NULL;
    struct ssi *ssi = calloc(1, sizeof *ssi);
    if (!ssi || !ssi_pdr_open(ssi)) {
        if (ssi)
            ssi_pdr_close(ssi);
        free(ssi);
        cause_set(cause, ST_NOMEM, "out of memory");
        return NULL;
    }
    ssi->cfg = *config;
    ssi->ports = ports;
    ssi->digest = ssi_config_digest(config);
    ssi->mode = SSI_MODE_ISOLATED;
    ssi->changes_end = &ssi->changes;
    ssi->last_tick_ms = ssi_now(ssi);
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        memcpy(ssi->members[i].name, config->slots[i], SSI_NAME_BYTES);
        ssi->members[i].state = config->slots[i][0] ? SSI_DOWN : SSI_AVAILABLE;
    }
    return ssi;
}

void ssi_destroy(struct ssi *ssi)
{
    PRE(!ssi->in_tick);
    const struct ssi_ports *ports = ssi->ports;
    for (unsigned i = 0; i < SSI_LINKS_MAX; i++)
        if (ssi->links[i])
            ssi_link_drop(ssi, ssi->links[i], false);
    ssi_link_reap(ssi);
    if (ssi->job.out)
        ports->pdr_wait(ports->ctx, UINT_MAX);
    ssi_job_close(ssi);
    if (ssi->listening)
        ports->listen_stop(ports->ctx);
    if (ssi->life)
        ports->life_drop(ports->ctx, ssi->cfg.slot);
    while (ssi->held) {
        ERGO(ssi->held->held); /* else its owner has used its memory for something else */
        ssi_hold_drop(ssi, ssi->held);
    }
    ssi_pdr_close(ssi);
    free(ssi);
}

int ssi_register_service(struct ssi *ssi, const struct ssi_service *service, void *ctx)
{
    PRE(!ssi_may_change(ssi) && ssi->phase == JOIN_IDLE);
    if (!service->id || !service->name)
        return ST_INVAL;
    for (unsigned i = 0; i < ssi->n_services; i++)
        if (ssi->services[i].svc->id == service->id)
            return ST_EXIST;
    if (ssi->n_services == SSI_SERVICES_MAX)
        return ST_LIMIT;
    ssi->services[ssi->n_services].svc = service;
    ssi->services[ssi->n_services++].ctx = ctx;
    return ST_OK;
}

void ssi_set_events(struct ssi *ssi, const struct ssi_events *events, void *ctx)
{
    ssi->events = events;
    ssi->events_ctx = ctx;
}

bool ssi_may_complain(struct ssi *ssi)
{
    if (ssi->complaints < SSI_COMPLAINTS_PER_MIN_MAX) {
        ssi->complaints++;
        return true;
    }
    ssi->complaints_held++;
    return false;
}

static void complaints_renew(struct ssi *ssi, u64 now)
{
    if (now < ssi->complaint_minute_ms + COMPLAINT_PERIOD_MS)
        return;
    if (ssi->complaints_held)
        ssi_say(ssi, MSG_PLM1709I, ssi->complaints_held);
    ssi->complaint_minute_ms = now;
    ssi->complaints = ssi->complaints_held = 0;
}

/* We slept (stopped, swapped, busy): what the others sent meanwhile is still to be read. */
static void forgive_sleep(struct ssi *ssi, u64 now)
{
    u64 gap = now - ssi->last_tick_ms;
    ssi->last_tick_ms = now;
    if (gap < SSI_STALL_MS)
        return;
    for (unsigned i = 0; i < SSI_LINKS_MAX; i++) {
        if (!ssi->links[i])
            continue;
        ssi->links[i]->rx_ms += gap;
        ssi->links[i]->deadline_ms += gap;
    }
}

void ssi_beat_send(struct ssi *ssi)
{
    u8 beat[9];
    be64_store(beat, ssi->ports->wall_ms(ssi->ports->ctx));
    beat[8] = (u8)ssi->own_state;
    struct ssi_iov iov = {beat, sizeof beat};
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        struct ssi_link *link = ssi->members[i].link;
        if (link && link->state == LINK_READY)
            ssi_link_beat(ssi, link, &iov);
    }
}

static void beat(struct ssi *ssi, u64 now)
{
    if (now < ssi->next_beat_ms || (ssi->own_state != SSI_JOINING && !ssi_may_change(ssi)))
        return;
    ssi->next_beat_ms = now + ssi->cfg.heartbeat_ms;
    ssi_beat_send(ssi);
    u64 last = ssi->members[ssi->cfg.slot].pdr_beat_seen_ms;
    if (!last || now >= last + ssi->cfg.pdr_beat_ms)
        ssi->job.want_beat = true;
}

void ssi_tick(struct ssi *ssi)
{
    PRE(!ssi->in_tick);
    ssi->in_tick = true;
    u64 now = ssi_now(ssi);
    forgive_sleep(ssi, now);
    ssi_link_reap(ssi);
    complaints_renew(ssi, now);
    ssi_link_timeouts(ssi, now);
    beat(ssi, now);
    ssi_join_step(ssi, now);
    ssi_leave_step(ssi, now);
    ssi_member_poll(ssi, now);
    ssi_job_taken(ssi);
    ssi_job_turn(ssi);
    if (ssi->expelled)
        ssi_event(ssi, ssi->cfg.slot, SSI_EV_DECLARED_DOWN,
                  "another system has declared it Down");
    ssi_mode_update(ssi);
    ssi_hold_go(ssi);
    ssi->in_tick = false;
}

int ssi_slot_find(const struct ssi *ssi, const char *member)
{
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        if (ssi_slot_used(ssi, i) && strcmp(ssi->members[i].name, member) == 0)
            return (int)i;
    return -1;
}

static bool connected(const struct ssi *ssi, unsigned slot)
{
    const struct ssi_link *link = ssi->members[slot].link;
    if (slot == ssi->cfg.slot)
        return ssi_joined(ssi);
    return link && link->state == LINK_READY;
}

void ssi_query(const struct ssi *ssi, struct ssi_view *view)
{
    memset(view, 0, sizeof *view);
    memcpy(view->cluster, ssi->cfg.cluster, sizeof view->cluster);
    memcpy(view->member, ssi->cfg.member, sizeof view->member);
    memcpy(view->listen, ssi->addr, sizeof view->listen);
    memcpy(view->pdr_path, ssi->cfg.pdr_path, sizeof view->pdr_path);
    view->own_slot = ssi->cfg.slot;
    view->mode = ssi->mode;
    view->own_state = ssi->own_state;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        const struct ssi_member *m = &ssi->members[i];
        struct ssi_slot_view *slot = &view->slots[i];
        memcpy(slot->name, m->name, sizeof slot->name);
        slot->state = m->state;
        slot->connected = connected(ssi, i);
        slot->inactive = m->inactive;
        slot->pdr_heartbeat_ms = m->pdr_beat_ms;
        slot->received_heartbeat_ms = m->rx_beat_ms;
    }
}

unsigned ssi_members(const struct ssi *ssi, char names[SSI_SLOTS_MAX][SSI_NAME_BYTES])
{
    unsigned n = 0;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        if (i != ssi->cfg.slot && connected(ssi, i))
            memcpy(names[n++], ssi->members[i].name, SSI_NAME_BYTES);
    return n;
}

const char *ssi_member_name(const struct ssi *ssi)
{
    return ssi->cfg.member;
}

enum ssi_state ssi_member_state(const struct ssi *ssi, const char *member)
{
    int slot = ssi_slot_find(ssi, member);
    return slot < 0 ? SSI_DOWN : ssi->members[slot].state;
}

enum ssi_mode ssi_mode(const struct ssi *ssi)
{
    return ssi->mode;
}
