/* The network in memory. A send looks for its receivers under the lock, pins them and delivers
 * without it, so that senders do not wait for each other and a receiver may send in its turn. */
#include <stdlib.h>

#include "io/net/lan_internal.h"
#include "mem/base/ergo.h"

#define RECEIVERS 64u /* found in one look; a network of more is looked through again */

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

static struct lan_port *port_add(struct lan *lan, enum lan_role role,
                                 const struct lan_port_ops *ops, void *arg, bool muted)
{
    struct lan_port *port = calloc(1, sizeof *port);
    if (!port)
        return NULL;
    port->muted = muted;
    port->lan = lan;
    port->ops = ops;
    port->arg = arg;
    port->role = role;
    port->rules.type = role == LAN_STATION ? LAN_ACCESS : LAN_TRUNK;
    port->rules.promiscuous = true;
    if (role != LAN_STATION)
        memset(&port->rules.allowed, 0xff, sizeof port->rules.allowed);
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

struct lan_port *lan_port_add(struct lan *lan, enum lan_role role,
                              const struct lan_port_ops *ops, void *arg)
{
    return port_add(lan, role, ops, arg, false);
}

struct lan_port *lan_port_add_muted(struct lan *lan, enum lan_role role,
                                    const struct lan_port_ops *ops, void *arg)
{
    return port_add(lan, role, ops, arg, true);
}

void lan_port_leave(struct lan_port *port)
{
    if (!port)
        return;
    struct lan *lan = port->lan;
    lock_take(&lan->lock);
    port->leaving = true;
    lan_mac_clear_locked(port, LAN_MAC_ALL);
    port->bridge = LAN_BRIDGE_NONE;
    lan_bridge_elect_locked(lan);
    while (port->pins)
        lock_wait(&lan->unpinned, &lan->lock);
    lock_drop(&lan->lock);
}

void lan_port_remove(struct lan_port *port)
{
    if (!port)
        return;
    struct lan *lan = port->lan;
    lan_port_leave(port);
    lock_take(&lan->lock);
    struct lan_port **at = &lan->port;
    while (*at != port)
        at = &(*at)->next;
    *at = port->next;
    lan->ports--;
    lock_drop(&lan->lock);
    lan_stations_changed(port);
    free(port);
}

void lan_port_promiscuous(struct lan_port *port, bool on)
{
    lock_take(&port->lan->lock);
    port->promiscuous = on;
    lock_drop(&port->lan->lock);
}

void lan_port_isolate(struct lan_port *port, enum lan_isolation isolation)
{
    lock_take(&port->lan->lock);
    port->isolation = isolation;
    lock_drop(&port->lan->lock);
}

void lan_port_rules(struct lan_port *port, const struct lan_rules *rules)
{
    lock_take(&port->lan->lock);
    port->rules = *rules;
    if (port->role != LAN_PEER)
        port->role = rules->uplink ? LAN_UPLINK : LAN_STATION;
    lan_mac_clear_locked(port, LAN_MAC_FORBIDDEN);
    lan_bridge_elect_locked(port->lan);
    lock_drop(&port->lan->lock);
    lan_stations_tell(port->lan);
}

void lan_set_options(struct lan *lan, const struct lan_options *options)
{
    lock_take(&lan->lock);
    lan->options = *options;
    lock_drop(&lan->lock);
}

/* --- a frame on its way ---------------------------------------------------------------------- */

#define NO_VLAN 0u /* of a network that knows none */

/** A frame as it was sent, and once in the other form: with the tag of its VLAN, or without. */
struct frame {
    const u8 *bytes;
    size_t len;
    bool tagged; /* `bytes` has a tag */
    u16 vlan;
    bool apart;       /* its receiver is a station that must not hear it */
    bool up;          /* VEPA: it is for no station yet */
    enum lan_role of; /* what has sent it, here or elsewhere */
    const struct lan_port
        *origin; /* VEPA: the station whose frame has come back; NULL: it is none */
};

static u16 tag_of(const u8 *frame)
{
    return be16_load(frame + ETHER_HEADER_BYTES) & 0xfff;
}

/** Which VLAN a frame is in that this port sends; false: the port may not send it. Lock held. */
static bool admit(const struct lan_port *from, struct frame *f)
{
    const struct lan_options *o = &from->lan->options;
    f->tagged = be16_load(f->bytes + 2 * MAC_BYTES) == ETHER_TYPE_VLAN;
    f->vlan = NO_VLAN;
    if (!lan_mac_allowed(from, f->bytes + MAC_BYTES))
        return false;
    if (!o->vlan_aware)
        return true;
    /* A tag of number 0 is a priority, and the frame one without a VLAN. */
    u16 told = f->tagged ? tag_of(f->bytes) : 0;
    if (from->rules.type == LAN_ACCESS) {
        f->vlan = told ? 0 : from->rules.vlan;
        return f->vlan != 0;
    }
    f->vlan = told ? told : o->native;
    return f->vlan != 0 && vlan_has(&from->rules.allowed, f->vlan);
}

/** Is this port in the VLAN of a frame? */
static bool in_vlan(const struct lan_port *port, u16 vlan)
{
    if (vlan == NO_VLAN)
        return true;
    return port->rules.type == LAN_ACCESS ? port->rules.vlan == vlan
                                          : vlan_has(&port->rules.allowed, vlan);
}

/** Are its sender, here or elsewhere, and this port two stations of an isolated network, or is
 *  one of them isolated by itself? */
static bool apart(const struct frame *f, const struct lan_port *from, const struct lan_port *to)
{
    bool isolated = from->lan->options.isolated || from->isolation || to->isolation;
    return isolated && f->of == LAN_STATION && to->role == LAN_STATION;
}

/** Does a station get what is for an address that nobody has told of? */
static bool floods(const struct lan_port *port, const struct frame *f)
{
    const struct lan_traits *t = &port->traits;
    return port == port->lan->bridge || (t->flooding && port->rules.promiscuous &&
                                         !(t->flooding_from_outside && f->of == LAN_STATION));
}

bool lan_takes_strangers(struct lan *lan)
{
    lock_take(&lan->lock);
    bool any = lan->bridge != NULL;
    for (const struct lan_port *p = lan->port; p && !any; p = p->next)
        any = p->role == LAN_STATION && p->traits.flooding && p->rules.promiscuous;
    lock_drop(&lan->lock);
    return any;
}

/** Is one of them a bridge port, and must the other not be seen by any? */
static bool hidden(const struct lan_port *a, const struct lan_port *b)
{
    return (a->traits.bridge_invisible && b->bridge != LAN_BRIDGE_NONE) ||
           (b->traits.bridge_invisible && a->bridge != LAN_BRIDGE_NONE);
}

static bool silent(const struct lan_port *port)
{
    return port->muted || (port->role == LAN_UPLINK && port->lan->uplinks_muted);
}

/** Is a frame of `from` for this port, whose receiver is `to` (NULL: a group, or nobody)? An
 *  observer gets a copy even where stations do not hear each other. */
static bool wants(const struct lan_port *port, const struct lan_port *from,
                  const struct lan_port *to, const struct frame *f)
{
    if (port == from || port == f->origin || port->leaving || silent(port) ||
        !in_vlan(port, f->vlan))
        return false;
    if (f->up)
        return port->role != LAN_STATION && (!f->apart || from->isolation == LAN_FORWARD);
    if (port->promiscuous && port->rules.promiscuous)
        return true;
    if (apart(f, from, port) || hidden(from, port))
        return false;
    if (mac_is_group(f->bytes) || port == to)
        return true;
    if (f->apart && from->isolation == LAN_FORWARD)
        return port->role == LAN_UPLINK;
    return !to && (port->role != LAN_STATION || floods(port, f));
}

/** Does this port get the frame with its tag? */
static bool wants_tag(const struct lan_port *port, const struct frame *f)
{
    if (f->vlan == NO_VLAN)
        return f->tagged;
    return port->rules.type == LAN_TRUNK && f->vlan != port->lan->options.native;
}

/** Receivers of a frame, pinned. */
struct receivers {
    struct lan_port *port[RECEIVERS];
    bool tag[RECEIVERS];
    unsigned n;
    u64 below; /* those that are older are not looked at yet */
};

/** The port that has told of the frame's receiver, if it is in its VLAN; NULL: nobody. */
static struct lan_port *receiver_of(struct lan *lan, const struct frame *f)
{
    struct lan_port *to = mac_is_group(f->bytes) ? NULL : lan_mac_port_locked(lan, f->bytes);
    return to && in_vlan(to, f->vlan) ? to : NULL;
}

/** VEPA: the station that has sent what an uplink sends back. Lock held. */
static const struct lan_port *origin_of(struct lan *lan, const struct frame *f)
{
    struct lan_port *port = lan->options.vepa && f->of == LAN_UPLINK
                                ? lan_mac_port_locked(lan, f->bytes + MAC_BYTES)
                                : NULL;
    return port && port->role == LAN_STATION ? port : NULL;
}

/** Pin the next of them; false: the port may not send this frame. */
static bool pin_receivers(struct lan_port *from, struct frame *f, struct receivers *r)
{
    struct lan *lan = from->lan;
    r->n = 0;
    lock_take(&lan->lock);
    bool may = admit(from, f), learnt = may && lan_mac_learn_locked(from, f->bytes + MAC_BYTES);
    struct lan_port *to = may ? receiver_of(lan, f) : NULL;
    f->apart = to && apart(f, from, to);
    f->up = lan->options.vepa && f->of == LAN_STATION;
    f->origin = origin_of(lan, f);
    for (struct lan_port *port = lan->port; may && port && r->n < RECEIVERS;
         port = port->next) {
        if (port->id >= r->below)
            continue;
        r->below = port->id;
        if (!wants(port, from, to, f))
            continue;
        port->pins++;
        r->tag[r->n] = wants_tag(port, f);
        r->port[r->n++] = port;
    }
    lock_drop(&lan->lock);
    if (learnt)
        lan_stations_changed(from);
    return may;
}

static void unpin(struct lan *lan, const struct receivers *r)
{
    if (!r->n)
        return;
    lock_take(&lan->lock);
    bool awaited = false;
    for (unsigned i = 0; i < r->n; i++)
        awaited |= --r->port[i]->pins == 0 && r->port[i]->leaving;
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

void lan_mute_uplinks(struct lan *lan, bool on)
{
    lan->uplinks_muted = on;
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

static void hand_over(struct lan_port *port, enum lan_role of, const u8 *frame, size_t len)
{
    bool taken = port->ops->deliver_of ? port->ops->deliver_of(port->arg, of, frame, len)
                                       : port->ops->deliver(port->arg, frame, len);
    if (taken) {
        port->received++;
        port->received_bytes += len;
    } else {
        port->dropped++;
    }
    show(port, frame, len, taken ? LAN_TO_PORT : LAN_NO_ROOM);
}

/** The frame in its other form, for those who get it so. */
static void hand_over_changed(const struct frame *f, const struct receivers *r)
{
    u8 other[LAN_FRAME_MAX];
    size_t len = f->tagged ? f->len - VLAN_TAG_BYTES : f->len + VLAN_TAG_BYTES;
    size_t behind = 2 * MAC_BYTES + (f->tagged ? VLAN_TAG_BYTES : 0);
    size_t at = 2 * MAC_BYTES + (f->tagged ? 0 : VLAN_TAG_BYTES);
    bool fits = len <= sizeof other;
    if (fits) {
        memcpy(other, f->bytes, 2 * MAC_BYTES);
        memcpy(other + at, f->bytes + behind, f->len - behind);
    }
    if (!f->tagged) {
        be16_store(other + 2 * MAC_BYTES, ETHER_TYPE_VLAN);
        be16_store(other + ETHER_HEADER_BYTES, f->vlan);
    }
    for (unsigned i = 0; i < r->n; i++) {
        if (r->tag[i] == f->tagged)
            continue;
        if (fits)
            hand_over(r->port[i], f->of, other, len);
        else
            r->port[i]->dropped++;
    }
}

/** To all that were found. */
static void hand_over_all(const struct frame *f, const struct receivers *r)
{
    bool changed = false;
    for (unsigned i = 0; i < r->n; i++) {
        changed |= r->tag[i] != f->tagged;
        if (r->tag[i] == f->tagged)
            hand_over(r->port[i], f->of, f->bytes, f->len);
    }
    if (changed)
        hand_over_changed(f, r);
}

/** Is it a frame, with all of its tag? */
static bool well_formed(const u8 *frame, size_t len)
{
    if (len < ETHER_HEADER_BYTES || len > LAN_FRAME_MAX)
        return false;
    return be16_load(frame + 2 * MAC_BYTES) != ETHER_TYPE_VLAN ||
           len >= ETHER_HEADER_BYTES + VLAN_TAG_BYTES;
}

static void count_sent(struct lan_port *port, const struct frame *f)
{
    if (f->apart) {
        port->discarded++;
        return;
    }
    port->frames++;
    port->bytes += f->len;
}

void lan_send(struct lan_port *port, const u8 *frame, size_t len)
{
    lan_send_of(port, port->role, frame, len);
}

void lan_send_of(struct lan_port *port, enum lan_role from, const u8 *frame, size_t len)
{
    struct frame f = {.bytes = frame, .len = len, .of = from};
    struct receivers r;
    r.below = UINT64_MAX;
    if (!well_formed(frame, len)) {
        port->malformed++;
        return;
    }
    if (silent(port))
        return;
    if (!pin_receivers(port, &f, &r)) {
        port->discarded++;
        return;
    }
    count_sent(port, &f);
    show(port, frame, len, LAN_FROM_PORT);
    do {
        hand_over_all(&f, &r);
        unpin(port->lan, &r);
    } while (r.n == RECEIVERS && pin_receivers(port, &f, &r));
    if (port->lan->bridge_news)
        lan_bridge_tell(port->lan);
}

void lan_port_counts(struct lan_port *port, struct lan_counts *out)
{
    *out = (struct lan_counts){.frames = port->frames,
                               .bytes = port->bytes,
                               .received = port->received,
                               .received_bytes = port->received_bytes,
                               .dropped = port->dropped,
                               .discarded = port->discarded,
                               .malformed = port->malformed};
}

void lan_uplink_counts(struct lan *lan, struct lan_counts *out)
{
    *out = (struct lan_counts){0};
    lock_take(&lan->lock);
    for (struct lan_port *port = lan->port; port; port = port->next) {
        struct lan_counts c;
        if (port->role != LAN_UPLINK)
            continue;
        lan_port_counts(port, &c);
        out->frames += c.frames;
        out->bytes += c.bytes;
        out->received += c.received;
        out->received_bytes += c.received_bytes;
        out->dropped += c.dropped;
        out->discarded += c.discarded;
        out->malformed += c.malformed;
    }
    lock_drop(&lan->lock);
}
