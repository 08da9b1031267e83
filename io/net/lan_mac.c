/* Which port of a network has which station address: what stations tell of, and (VNIC
 * characteristics) what is learnt from the frames that they send.
 * Guarantees: an address is one port's; it goes to another one when that one may take it: a machine
 * that was relocated, a station here from a peer, by what its port permits, or when it was learnt
 * and has not been seen for as long as its port said. */
#include <stdlib.h>
#include <time.h>

#include "io/net/lan_internal.h"

static u64 now_ms(const struct lan *lan)
{
    struct timespec ts;
    if (lan->now_ms)
        return lan->now_ms(lan->now_arg);
    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
    return (u64)ts.tv_sec * 1000u + (u64)ts.tv_nsec / 1000000u;
}

void lan_clock(struct lan *lan, u64 (*now)(void *arg), void *arg)
{
    lock_take(&lan->lock);
    lan->now_ms = now;
    lan->now_arg = arg;
    lock_drop(&lan->lock);
}

static struct mac_entry **bucket_of(struct lan *lan, const u8 *mac)
{
    return &lan->bucket[(mac[3] ^ mac[4] ^ mac[5]) % BUCKETS];
}

/** The link to the entry of an address, or to the end of its bucket. */
static struct mac_entry **mac_find(struct lan *lan, const u8 *mac)
{
    struct mac_entry **at = bucket_of(lan, mac);
    while (*at && memcmp((*at)->mac, mac, MAC_BYTES) != 0)
        at = &(*at)->next;
    return at;
}

static void entry_remove(struct mac_entry **at)
{
    struct mac_entry *e = *at;
    *at = e->next;
    e->port->learnt -= e->learnt;
    free(e);
}

/** From now on it is this port's, told of or learnt. */
static void entry_move(struct mac_entry *e, struct lan_port *port, bool learnt)
{
    e->port->learnt -= e->learnt;
    e->port = port;
    e->learnt = learnt;
    e->seen_ms = now_ms(port->lan);
    port->learnt += learnt;
}

static bool too_old(const struct mac_entry *e)
{
    return e->learnt &&
           now_ms(e->port->lan) - e->seen_ms >= (u64)e->port->traits.learning_s * 1000u;
}

struct lan_port *lan_mac_port_locked(struct lan *lan, const u8 *mac)
{
    struct mac_entry **at = mac_find(lan, mac);
    if (*at && too_old(*at))
        entry_remove(at);
    else if (*at)
        return (*at)->port;
    return NULL;
}

bool lan_mac_allowed(const struct lan_port *port, const u8 *mac)
{
    return !port->rules.protect || !memcmp(mac, port->rules.own, MAC_BYTES);
}

void lan_stations_changed(const struct lan_port *port)
{
    if (port->role == LAN_STATION)
        lan_stations_tell(port->lan);
}

void lan_stations_tell(struct lan *lan)
{
    lock_take(&lan->watching);
    if (lan->changed)
        lan->changed(lan->changed_arg);
    lock_drop(&lan->watching);
}

static bool goes(const struct mac_entry *e, enum lan_mac_which which)
{
    switch (which) {
    case LAN_MAC_LEARNT: return e->learnt;
    case LAN_MAC_FORBIDDEN: return !lan_mac_allowed(e->port, e->mac);
    default: return true;
    }
}

void lan_mac_clear_locked(struct lan_port *port, enum lan_mac_which which)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct mac_entry **at = &port->lan->bucket[i]; *at;) {
            if ((*at)->port == port && goes(*at, which))
                entry_remove(at);
            else
                at = &(*at)->next;
        }
}

/** A station that is here is not elsewhere any more, or soon. */
static bool gives_way(const struct lan_port *port, const struct lan_port *had)
{
    return port->role == LAN_STATION && had->role == LAN_PEER;
}

/* --- what stations tell of -------------------------------------------------------------------- */

/** Another port has the address, or this one has learnt it: may it have it by telling of it? */
static bool may_take(const struct lan_port *port, const struct mac_entry *e, bool take)
{
    return take || e->port == port || gives_way(port, e->port) || e->port->traits.yields_set ||
           too_old(e);
}

/** `from_station`: who had it before was one. */
static int mac_enter(struct lan_port *port, const u8 *mac, bool take, bool *from_station)
{
    struct lan *lan = port->lan;
    struct mac_entry *fresh = malloc(sizeof *fresh);
    *from_station = false;
    if (!fresh)
        return ST_NOMEM;
    lock_take(&lan->lock);
    struct mac_entry **at = mac_find(lan, mac);
    int rc = !lan_mac_allowed(port, mac)         ? ST_REFUSED
             : !*at || may_take(port, *at, take) ? ST_OK
                                                 : ST_EXIST;
    if (rc == ST_OK && !*at) {
        *fresh = (struct mac_entry){.port = port};
        memcpy(fresh->mac, mac, MAC_BYTES);
        *at = fresh;
        fresh = NULL;
    } else if (rc == ST_OK) {
        *from_station = (*at)->port->role == LAN_STATION;
        entry_move(*at, port, false);
    }
    lock_drop(&lan->lock);
    free(fresh);
    lan_stations_changed(port);
    return rc;
}

int lan_mac_add(struct lan_port *port, const u8 mac[MAC_BYTES])
{
    bool ignored;
    return mac_enter(port, mac, false, &ignored);
}

int lan_mac_take(struct lan_port *port, const u8 mac[MAC_BYTES])
{
    bool ignored;
    return mac_enter(port, mac, true, &ignored);
}

bool lan_mac_elsewhere(struct lan_port *port, const u8 mac[MAC_BYTES], bool news)
{
    bool taken;
    lock_take(&port->lan->lock);
    bool unowned = !lan_mac_port_locked(port->lan, mac);
    lock_drop(&port->lan->lock);
    return (unowned || news) && mac_enter(port, mac, false, &taken) == ST_OK && taken;
}

int lan_mac_remove(struct lan_port *port, const u8 mac[MAC_BYTES])
{
    struct lan *lan = port->lan;
    lock_take(&lan->lock);
    struct mac_entry **at = mac_find(lan, mac);
    bool own = *at && (*at)->port == port;
    if (own)
        entry_remove(at);
    lock_drop(&lan->lock);
    if (!own)
        return ST_NOENT;
    lan_stations_changed(port);
    return ST_OK;
}

void lan_mac_clear(struct lan_port *port)
{
    lock_take(&port->lan->lock);
    lan_mac_clear_locked(port, LAN_MAC_ALL);
    lock_drop(&port->lan->lock);
    lan_stations_changed(port);
}

size_t lan_stations(struct lan *lan, u8 (*mac)[MAC_BYTES], size_t max)
{
    size_t n = 0;
    lock_take(&lan->lock);
    for (unsigned i = 0; i < BUCKETS; i++)
        for (const struct mac_entry *e = lan->bucket[i]; e && n < max; e = e->next)
            if (e->port->role == LAN_STATION && !too_old(e))
                memcpy(mac[n++], e->mac, MAC_BYTES);
    lock_drop(&lan->lock);
    return n;
}

void lan_observe_stations(struct lan *lan, void (*changed)(void *arg), void *arg)
{
    lock_take(&lan->watching);
    lan->changed = changed;
    lan->changed_arg = arg;
    lock_drop(&lan->watching);
}

/* --- what is learnt --------------------------------------------------------------------------- */

static bool learn_new(struct lan_port *port, struct mac_entry **at, const u8 *mac)
{
    struct mac_entry *fresh = port->learnt < LAN_LEARNT_MAX ? malloc(sizeof *fresh) : NULL;
    if (!fresh)
        return false;
    *fresh = (struct mac_entry){.port = port, .learnt = true, .seen_ms = now_ms(port->lan)};
    memcpy(fresh->mac, mac, MAC_BYTES);
    *at = fresh;
    port->learnt++;
    return true;
}

bool lan_mac_learn_locked(struct lan_port *port, const u8 *mac)
{
    struct lan *lan = port->lan;
    if (!port->traits.learning || mac_is_group(mac))
        return false;
    struct mac_entry **at = mac_find(lan, mac), *e = *at;
    if (!e)
        return learn_new(port, at, mac);
    if (e->port == port) {
        e->seen_ms = now_ms(lan);
        return false;
    }
    if (port->learnt == LAN_LEARNT_MAX ||
        !(gives_way(port, e->port) || e->port->traits.yields_learning || too_old(e)))
        return false;
    entry_move(e, port, true);
    return true;
}

void lan_port_traits(struct lan_port *port, const struct lan_traits *traits)
{
    lock_take(&port->lan->lock);
    port->traits = *traits;
    if (!traits->learning)
        lan_mac_clear_locked(port, LAN_MAC_LEARNT);
    lock_drop(&port->lan->lock);
    lan_stations_changed(port);
}
