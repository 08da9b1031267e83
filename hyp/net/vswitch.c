/* Virtual switches: their list, grants, and the addresses that a member gives. */
#include "hyp/net/vswitch.h"

#include <stdlib.h>
#include <string.h>

#include "mem/base/ergo.h"

/** Located by cp->nets; made and ended with CP. */
struct vswitches {
    struct vswitch *first;
    struct uplink_events events;
    unsigned count;
    u32 prefix, last; /* of addresses: first half, second half of the last one given */
    u8 (*mac)[MAC_BYTES];
    unsigned macs;
};

struct vswitches *vswitches_create(u32 prefix, const struct uplink_events *events)
{
    struct vswitches *all = calloc(1, sizeof *all);
    if (!all)
        return NULL;
    all->prefix = prefix;
    all->events = *events;
    all->mac = calloc(MACS_MAX, sizeof *all->mac);
    if (all->mac)
        return all;
    free(all);
    return NULL;
}

static void switch_free(struct vswitch *sw)
{
    uplink_close(sw->uplink);
    lan_destroy(sw->lan);
    free(sw->grant);
    free(sw);
}

void vswitches_destroy(struct vswitches *all)
{
    if (!all)
        return;
    while (all->first)
        vswitch_remove(all, all->first);
    free(all->mac);
    free(all);
}

struct vswitch *vswitch_find(const struct vswitches *all, const char *name)
{
    struct vswitch *sw = all->first;
    while (sw && strcmp(sw->name, name) != 0)
        sw = sw->next;
    return sw;
}

struct vswitch *vswitch_next(const struct vswitches *all, const struct vswitch *sw)
{
    return sw ? sw->next : all->first;
}

/* The network and what it is connected with. */
static int switch_open(struct vswitches *all, struct vswitch *sw, const char *uplink,
                       struct cause *cause)
{
    sw->lan = lan_create();
    sw->grant = calloc(VSWITCH_GRANTS_MAX, sizeof *sw->grant);
    if (!sw->lan || !sw->grant)
        return cause_set(cause, ST_NOMEM, "no memory for a virtual switch");
    int rc = uplink ? uplink_open(sw->lan, uplink, &all->events, &sw->uplink, cause) : ST_OK;
    if (rc)
        return rc;
    sw->uplink_up = uplink && uplink_is_up(sw->uplink);
    return vswitch_mac_take(all, sw->mac) ? ST_OK
                                          : cause_set(cause, ST_LIMIT, "no address is left");
}

int vswitch_define(struct vswitches *all, const char *name, const char *uplink,
                   struct vswitch **out, struct cause *cause)
{
    if (vswitch_find(all, name))
        return cause_set(cause, ST_EXIST, "VSWITCH SYSTEM %s exists", name);
    if (all->count == VSWITCHES_MAX)
        return cause_set(cause, ST_LIMIT, "%u virtual switches are possible", VSWITCHES_MAX);
    struct vswitch *sw = calloc(1, sizeof *sw);
    if (!sw)
        return cause_set(cause, ST_NOMEM, "no memory for a virtual switch");
    strncpy(sw->name, name, sizeof sw->name - 1);
    int rc = switch_open(all, sw, uplink, cause);
    if (rc) {
        switch_free(sw);
        return rc;
    }
    struct vswitch **at = &all->first;
    while (*at && strcmp((*at)->name, name) < 0)
        at = &(*at)->next;
    sw->next = *at;
    *at = sw;
    all->count++;
    *out = sw;
    return ST_OK;
}

void vswitch_remove(struct vswitches *all, struct vswitch *sw)
{
    struct vswitch **at = &all->first;
    PRE(!sw->coupled);
    while (*at != sw)
        at = &(*at)->next;
    *at = sw->next;
    all->count--;
    vswitch_mac_give(all, sw->mac);
    switch_free(sw);
}

/* --- who may -------------------------------------------------------------------------------- */

static unsigned grant_find(const struct vswitch *sw, const char *userid)
{
    unsigned i = 0;
    while (i < sw->grants && strcmp(sw->grant[i], userid) != 0)
        i++;
    return i;
}

bool vswitch_granted(const struct vswitch *sw, const char *userid)
{
    return grant_find(sw, userid) < sw->grants;
}

int vswitch_grant(struct vswitch *sw, const char *userid)
{
    if (vswitch_granted(sw, userid))
        return ST_EXIST;
    if (sw->grants == VSWITCH_GRANTS_MAX)
        return ST_LIMIT;
    strncpy(sw->grant[sw->grants++], userid, DIR_NAME_BYTES - 1);
    return ST_OK;
}

bool vswitch_revoke(struct vswitch *sw, const char *userid)
{
    unsigned i = grant_find(sw, userid);
    if (i == sw->grants)
        return false;
    memmove(sw->grant[i], sw->grant[i + 1], (--sw->grants - i) * sizeof sw->grant[0]);
    memset(sw->grant[sw->grants], 0, sizeof sw->grant[0]);
    return true;
}

/* --- addresses ------------------------------------------------------------------------------ */

static unsigned mac_find(const struct vswitches *all, const u8 *mac)
{
    unsigned i = 0;
    while (i < all->macs && memcmp(all->mac[i], mac, MAC_BYTES) != 0)
        i++;
    return i;
}

bool vswitch_mac_take_this(struct vswitches *all, const u8 mac[MAC_BYTES])
{
    if (all->macs == MACS_MAX || mac_find(all, mac) < all->macs)
        return false;
    memcpy(all->mac[all->macs++], mac, MAC_BYTES);
    return true;
}

bool vswitch_mac_take(struct vswitches *all, u8 mac[MAC_BYTES])
{
    for (unsigned tries = 0; tries <= MACS_MAX; tries++) {
        u8 raw[8];
        all->last = all->last % 0xffffff + 1;
        be64_store(raw, (u64)all->prefix << 24 | all->last);
        memcpy(mac, raw + 2, MAC_BYTES);
        if (vswitch_mac_take_this(all, mac))
            return true;
    }
    return false;
}

void vswitch_mac_give(struct vswitches *all, const u8 mac[MAC_BYTES])
{
    unsigned i = mac_find(all, mac);
    if (i == all->macs)
        return;
    memcpy(all->mac[i], all->mac[all->macs - 1], MAC_BYTES);
    all->macs--;
}
