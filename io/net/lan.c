/* The network in memory. A send looks for its receivers under the lock, pins them and delivers
 * without it, so that senders do not wait for each other and a receiver may send in its turn. */
#include "io/net/lan.h"

#include <stdlib.h>

#include "mem/base/ergo.h"
#include "mem/base/lock.h"

#define BUCKETS 256u
#define RECEIVERS 64u /* found in one look; a network of more is looked through again */

/** Located by lan->bucket[]; made and freed under lan->lock. */
struct mac_entry {
    struct mac_entry *next;
    struct lan_port *port;
    u8 mac[MAC_BYTES];
};

/** Located by its owner and lan->port; made by lan_port_add, freed by lan_port_remove. */
struct lan_port {
    struct lan *lan;
    struct lan_port *next;
    const struct lan_port_ops *ops;
    void *arg;
    u64 id; /* ascending: the order in `next`, newest first */
    unsigned pins;
    enum lan_role role;
    bool promiscuous, leaving;
    _Atomic bool muted;
    char label[LAN_LABEL_BYTES]; /* lan->watching guards it */
    _Atomic u64 frames, bytes, received, dropped, malformed;
};

/** Located by lan->watch; made by lan_watch_add, freed by lan_watch_remove. */
struct lan_watch {
    struct lan *lan;
    struct lan_watch *next;
    void (*see)(void *arg, const struct lan_sight *sight);
    void *arg;
};

/** Located by its owner; `lock` guards the ports and addresses, `watching` who looks on. */
struct lan {
    struct lock lock, watching;
    struct lan_watch *watch;
    _Atomic bool watched;
    pthread_cond_t unpinned;
    struct lan_port *port;
    struct mac_entry *bucket[BUCKETS];
    unsigned ports;
    u64 last_id;
};

struct lan *lan_create(void)
{
    struct lan *lan = calloc(1, sizeof *lan);
    if (!lan)
        return NULL;
    lock_init(&lan->lock, LOCK_LAN);
    lock_init(&lan->watching, LOCK_WATCHING);
    pthread_cond_init(&lan->unpinned, NULL);
    return lan;
}

void lan_destroy(struct lan *lan)
{
    if (!lan)
        return;
    PRE(!lan->port && !lan->watch);
    pthread_cond_destroy(&lan->unpinned);
    lock_fini(&lan->lock);
    lock_fini(&lan->watching);
    free(lan);
}

struct lan_port *lan_port_add(struct lan *lan, enum lan_role role,
                              const struct lan_port_ops *ops, void *arg)
{
    struct lan_port *port = calloc(1, sizeof *port);
    if (!port)
        return NULL;
    port->lan = lan;
    port->ops = ops;
    port->arg = arg;
    port->role = role;
    lock_take(&lan->lock);
    bool room = lan->ports < LAN_PORTS_MAX;
    if (room) {
        port->id = ++lan->last_id;
        port->next = lan->port;
        lan->port = port;
        lan->ports++;
    }
    lock_drop(&lan->lock);
    if (room)
        return port;
    free(port);
    return NULL;
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

static void mac_clear_locked(struct lan_port *port)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct mac_entry **at = &port->lan->bucket[i]; *at;) {
            struct mac_entry *e = *at;
            if (e->port != port) {
                at = &e->next;
                continue;
            }
            *at = e->next;
            free(e);
        }
}

void lan_port_remove(struct lan_port *port)
{
    if (!port)
        return;
    struct lan *lan = port->lan;
    lock_take(&lan->lock);
    port->leaving = true;
    mac_clear_locked(port);
    while (port->pins)
        lock_wait(&lan->unpinned, &lan->lock);
    struct lan_port **at = &lan->port;
    while (*at != port)
        at = &(*at)->next;
    *at = port->next;
    lan->ports--;
    lock_drop(&lan->lock);
    free(port);
}

static int mac_enter(struct lan_port *port, const u8 *mac, bool take)
{
    struct lan *lan = port->lan;
    struct mac_entry *fresh = malloc(sizeof *fresh);
    if (!fresh)
        return ST_NOMEM;
    lock_take(&lan->lock);
    struct mac_entry **at = mac_find(lan, mac);
    int rc = !*at ? ST_OK : ST_EXIST;
    if (rc == ST_OK) {
        *fresh = (struct mac_entry){.port = port};
        memcpy(fresh->mac, mac, MAC_BYTES);
        *at = fresh;
    } else {
        if (take)
            (*at)->port = port;
        if ((*at)->port == port)
            rc = ST_OK;
        free(fresh);
    }
    lock_drop(&lan->lock);
    return rc;
}

int lan_mac_add(struct lan_port *port, const u8 mac[MAC_BYTES])
{
    return mac_enter(port, mac, false);
}

int lan_mac_take(struct lan_port *port, const u8 mac[MAC_BYTES])
{
    return mac_enter(port, mac, true);
}

int lan_mac_remove(struct lan_port *port, const u8 mac[MAC_BYTES])
{
    struct lan *lan = port->lan;
    lock_take(&lan->lock);
    struct mac_entry **at = mac_find(lan, mac), *e = *at;
    bool own = e && e->port == port;
    if (own)
        *at = e->next;
    lock_drop(&lan->lock);
    if (!own)
        return ST_NOENT;
    free(e);
    return ST_OK;
}

void lan_mac_clear(struct lan_port *port)
{
    lock_take(&port->lan->lock);
    mac_clear_locked(port);
    lock_drop(&port->lan->lock);
}

void lan_port_promiscuous(struct lan_port *port, bool on)
{
    lock_take(&port->lan->lock);
    port->promiscuous = on;
    lock_drop(&port->lan->lock);
}

/** Is a frame of `from` for this port, whose receiver is `to` (NULL: a group, or nobody)? */
static bool wants(const struct lan_port *port, const struct lan_port *from,
                  const struct lan_port *to, bool group)
{
    if (port == from || port->leaving || port->muted)
        return false;
    return group || port == to || port->promiscuous || (!to && port->role == LAN_UPLINK);
}

/** Pin the receivers that are older than `*below`; `*below` gets the id of the last one looked
 *  at. Returns how many. */
static unsigned pin_receivers(struct lan_port *from, const u8 *mac, struct lan_port **found,
                              u64 *below)
{
    struct lan *lan = from->lan;
    unsigned n = 0;
    bool group = mac_is_group(mac);
    lock_take(&lan->lock);
    struct mac_entry *e = group ? NULL : *mac_find(lan, mac);
    for (struct lan_port *port = lan->port; port && n < RECEIVERS; port = port->next) {
        if (port->id >= *below)
            continue;
        *below = port->id;
        if (!wants(port, from, e ? e->port : NULL, group))
            continue;
        port->pins++;
        found[n++] = port;
    }
    lock_drop(&lan->lock);
    return n;
}

static void unpin(struct lan *lan, struct lan_port **found, unsigned n)
{
    lock_take(&lan->lock);
    bool awaited = false;
    for (unsigned i = 0; i < n; i++)
        awaited |= --found[i]->pins == 0 && found[i]->leaving;
    if (awaited)
        pthread_cond_broadcast(&lan->unpinned);
    lock_drop(&lan->lock);
}

/* --- who looks on ---------------------------------------------------------------------------- */

void lan_port_label(struct lan_port *port, const char *label)
{
    lock_take(&port->lan->watching);
    strncpy(port->label, label, sizeof port->label - 1);
    lock_drop(&port->lan->watching);
}

u64 lan_port_number(const struct lan_port *port)
{
    return port->id;
}

void lan_port_mute(struct lan_port *port, bool on)
{
    port->muted = on;
}

struct lan_watch *lan_watch_add(struct lan *lan,
                                void (*see)(void *arg, const struct lan_sight *sight),
                                void *arg)
{
    struct lan_watch *w = malloc(sizeof *w);
    if (!w)
        return NULL;
    lock_take(&lan->watching);
    *w = (struct lan_watch){lan, lan->watch, see, arg};
    lan->watch = w;
    lan->watched = true;
    lock_drop(&lan->watching);
    return w;
}

void lan_watch_remove(struct lan_watch *watch)
{
    if (!watch)
        return;
    struct lan *lan = watch->lan;
    lock_take(&lan->watching);
    struct lan_watch **at = &lan->watch;
    while (*at != watch)
        at = &(*at)->next;
    *at = watch->next;
    lan->watched = lan->watch != NULL;
    lock_drop(&lan->watching);
    free(watch);
}

static void show(struct lan_port *port, const u8 *frame, size_t len, enum lan_way way)
{
    struct lan *lan = port->lan;
    if (!lan->watched)
        return;
    lock_take(&lan->watching);
    const struct lan_sight sight = {frame, len, port->id, port->label, way};
    for (const struct lan_watch *w = lan->watch; w; w = w->next)
        w->see(w->arg, &sight);
    lock_drop(&lan->watching);
}

static void hand_over(struct lan_port *port, const u8 *frame, size_t len)
{
    bool taken = port->ops->deliver(port->arg, frame, len);
    if (taken)
        port->received++;
    else
        port->dropped++;
    show(port, frame, len, taken ? LAN_TO_PORT : LAN_NO_ROOM);
}

void lan_send(struct lan_port *port, const u8 *frame, size_t len)
{
    if (len < ETHER_HEADER_BYTES || len > LAN_FRAME_MAX) {
        port->malformed++;
        return;
    }
    if (port->muted)
        return;
    port->frames++;
    port->bytes += len;
    show(port, frame, len, LAN_FROM_PORT);
    struct lan_port *found[RECEIVERS];
    u64 below = UINT64_MAX;
    unsigned n;
    do {
        n = pin_receivers(port, frame, found, &below);
        for (unsigned i = 0; i < n; i++)
            hand_over(found[i], frame, len);
        unpin(port->lan, found, n);
    } while (n == RECEIVERS);
}

void lan_port_counts(struct lan_port *port, struct lan_counts *out)
{
    *out = (struct lan_counts){port->frames, port->bytes, port->received, port->dropped,
                               port->malformed};
}
