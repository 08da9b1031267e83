/* Networks over members; the rules stand in ivl.h. Messages, all big-endian:
 *   STATE   name 8, flags 1 (SEEK: tell me yours; UPLINK: it leads somewhere; STRANGERS: what
 *           nobody has told of is for stations here, too), addresses 6 each
 *   FRAMES  name 8, then for each frame its length 4 (with OF_STATION) and its bytes
 *   DOWN    name 8: the switch is no more
 * Bytes of names are below X'80'; their first bits are the network's kind, byte 0 its lowest. */
#include "hyp/net/ivl.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "mem/base/ergo.h"
#include "mem/base/lock.h"

#define BUCKETS 256u
#define NAME_BYTES 8u
#define FLAG_SEEK 1u
#define FLAG_UPLINK 2u
#define FLAG_STRANGERS 4u
#define HEAD_BYTES (NAME_BYTES + 1u)
#define LENGTH_BYTES 4u
#define OF_STATION 0x80000000u /* with the length: a station has sent it, no uplink */
#define NOBODY IVL_SLOTS_MAX

/** An address that a member has told of. Located by ivl->bucket[]. */
struct remote {
    struct remote *next;
    u8 mac[MAC_BYTES];
    u8 slot;
    bool listed;
    bool news; /* the network has not been told of it */
    u64 stamp; /* when it was first told */
};

struct queued {
    struct queued *next;
    u32 len;
    bool of_station;
    char name[NAME_BYTES];
    u8 bytes[];
};

/** A member. `queue` and its figures are under all->lock. */
struct peer {
    bool there;
    struct queued *first, **last;
    u32 frames, bytes;
};

/** What a member has of a switch. */
struct holding {
    bool has, uplink, strangers;
};

/** Located by all->first; made by ivl_add, freed by ivl_remove. */
struct ivl {
    struct ivl *next;
    struct ivls *all;
    struct lan *lan;
    struct lan_port *port;
    char name[NAME_BYTES];
    bool up;                               /* the own uplink leads somewhere */
    _Atomic bool vepa;                     /* stations' frames go to the uplink in use */
    _Atomic bool moved;                    /* addresses of the own stations came or went */
    _Atomic unsigned in_use;               /* the slot whose uplink it is */
    struct holding holding[IVL_SLOTS_MAX]; /* all->lock */
    struct remote *bucket[BUCKETS];        /* all->lock */
    unsigned remotes[IVL_SLOTS_MAX];
    _Atomic u64 sent, received, dropped;
};

/** Located by its owner; `lock` guards queues, who has which switch, and addresses. */
struct ivls {
    struct lock lock;
    struct ivl_ports ports;
    unsigned slot;
    struct ivl *first;
    struct peer peer[IVL_SLOTS_MAX];
    u64 stamp;
};

/* --- addresses ------------------------------------------------------------------------------- */

static struct remote **bucket_of(struct ivl *ivl, const u8 *mac)
{
    return &ivl->bucket[(mac[3] ^ mac[4] ^ mac[5]) % BUCKETS];
}

/** The slot that has an address, by [N3]; NOBODY. */
static unsigned whose_locked(struct ivl *ivl, const u8 *mac)
{
    const struct remote *best = NULL;
    for (const struct remote *r = *bucket_of(ivl, mac); r; r = r->next)
        if (!memcmp(r->mac, mac, MAC_BYTES) && (!best || r->stamp > best->stamp))
            best = r;
    return best ? best->slot : NOBODY;
}

static void list_locked(struct ivl *ivl, unsigned slot, const u8 *mac)
{
    struct remote **at = bucket_of(ivl, mac), *r;
    for (r = *at; r; r = r->next)
        if (r->slot == slot && !memcmp(r->mac, mac, MAC_BYTES))
            break;
    if (!r && ivl->remotes[slot] < IVL_MACS_MAX && (r = calloc(1, sizeof *r)) != NULL) {
        memcpy(r->mac, mac, MAC_BYTES);
        r->slot = (u8)slot;
        r->news = true;
        r->stamp = ++ivl->all->stamp;
        r->next = *at;
        *at = r;
        ivl->remotes[slot]++;
    }
    if (r)
        r->listed = true;
}

/** What a member had and has no more goes, and the network forgets it. */
static void sweep_locked(struct ivl *ivl, unsigned slot)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct remote **at = &ivl->bucket[i]; *at;) {
            struct remote *r = *at;
            if (r->slot != slot || r->listed) {
                at = &r->next;
                continue;
            }
            *at = r->next;
            if (whose_locked(ivl, r->mac) == NOBODY)
                lan_mac_remove(ivl->port, r->mac);
            ivl->remotes[slot]--;
            free(r);
        }
}

static void unlist_locked(struct ivl *ivl, unsigned slot)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct remote *r = ivl->bucket[i]; r; r = r->next)
            r->listed &= r->slot != slot;
}

/** The network sends to us what is for members. A station of its own has its address itself; one
 *  behind a bridge port that is with a member now is not ours to tell of any more. */
static void register_locked(struct ivl *ivl)
{
    bool taken = false;
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct remote *r = ivl->bucket[i]; r; r = r->next) {
            taken |= lan_mac_elsewhere(ivl->port, r->mac, r->news);
            r->news = false;
        }
    if (taken && !atomic_exchange(&ivl->moved, true))
        ivl->all->ports.wakeup(ivl->all->ports.wakeup_ctx);
}

static void forget_locked(struct ivl *ivl, unsigned slot)
{
    ivl->holding[slot] = (struct holding){0};
    unlist_locked(ivl, slot);
    sweep_locked(ivl, slot);
}

/* --- whose uplink it is ---------------------------------------------------------------------- */

/** [N2] */
static void choose_locked(struct ivl *ivl)
{
    unsigned in_use = NOBODY;
    for (unsigned i = IVL_SLOTS_MAX; i-- > 0;)
        if (i == ivl->all->slot ? ivl->up : ivl->holding[i].has && ivl->holding[i].uplink)
            in_use = i;
    if (ivl->in_use != in_use)
        ivl->all->ports.wakeup(ivl->all->ports.wakeup_ctx);
    ivl->in_use = in_use;
    lan_mute_uplinks(ivl->lan, in_use != ivl->all->slot && in_use != NOBODY);
}

/* --- frames to members ----------------------------------------------------------------------- */

static bool put_locked(struct ivl *ivl, unsigned slot, bool of_station, const u8 *frame,
                       size_t len)
{
    struct peer *p = &ivl->all->peer[slot];
    bool room = p->frames < IVL_QUEUE_FRAMES && p->bytes + len <= IVL_QUEUE_BYTES;
    struct queued *q = room ? malloc(sizeof *q + len) : NULL;
    if (!q) {
        ivl->dropped++;
        return false;
    }
    q->next = NULL;
    q->len = (u32)len;
    q->of_station = of_station;
    memcpy(q->name, ivl->name, NAME_BYTES);
    memcpy(q->bytes, frame, len);
    *p->last = q;
    p->last = &q->next;
    p->frames++;
    p->bytes += (u32)len;
    ivl->sent++;
    return true;
}

static bool reaches_locked(const struct ivl *ivl, unsigned slot)
{
    return slot < IVL_SLOTS_MAX && ivl->holding[slot].has && ivl->all->peer[slot].there;
}

/** On the thread of a sender of this member. */
static bool deliver_of(void *arg, enum lan_role from, const u8 *frame, size_t len)
{
    struct ivl *ivl = arg;
    struct ivls *all = ivl->all;
    bool up = ivl->vepa && from == LAN_STATION;
    bool group = mac_is_group(frame) && !up, taken = true, any = false;
    lock_take(&all->lock);
    unsigned only = group || up ? NOBODY : whose_locked(ivl, frame);
    bool stranger = !group && !up && only == NOBODY;
    if (stranger || up)
        only = ivl->in_use;
    for (unsigned i = 0; i < IVL_SLOTS_MAX; i++) {
        bool here = group || i == only || (stranger && ivl->holding[i].strangers);
        if (!here || !reaches_locked(ivl, i))
            continue;
        any = true;
        taken &= put_locked(ivl, i, from == LAN_STATION, frame, len);
    }
    lock_drop(&all->lock);
    if (any)
        all->ports.wakeup(all->ports.wakeup_ctx);
    return taken;
}

static const struct lan_port_ops port_ops = {.deliver_of = deliver_of};

static void queue_drop_locked(struct peer *p)
{
    while (p->first) {
        struct queued *q = p->first;
        p->first = q->next;
        free(q);
    }
    p->last = &p->first;
    p->frames = p->bytes = 0;
}

/** As many frames of one switch as a message takes, from the queue's head. */
static struct queued *batch_take(struct ivls *all, struct peer *p, size_t *bytes)
{
    lock_take(&all->lock);
    struct queued *first = p->first, **at = &p->first;
    *bytes = 0;
    while (*at && !memcmp((*at)->name, first->name, NAME_BYTES) &&
           (!*bytes || *bytes + LENGTH_BYTES + (*at)->len <= IVL_BATCH_BYTES)) {
        *bytes += LENGTH_BYTES + (*at)->len;
        p->frames--;
        p->bytes -= (*at)->len;
        at = &(*at)->next;
    }
    p->first = *at;
    *at = NULL;
    if (!p->first)
        p->last = &p->first;
    lock_drop(&all->lock);
    return first;
}

static bool batch_send(struct ivls *all, unsigned slot)
{
    size_t bytes, at = NAME_BYTES;
    struct queued *q = batch_take(all, &all->peer[slot], &bytes);
    if (!q)
        return false;
    u8 *message = malloc(NAME_BYTES + bytes);
    if (message)
        memcpy(message, q->name, NAME_BYTES);
    while (q) {
        struct queued *next = q->next;
        if (message) {
            be32_store(message + at, q->len | (q->of_station ? OF_STATION : 0));
            memcpy(message + at + LENGTH_BYTES, q->bytes, q->len);
        }
        at += LENGTH_BYTES + q->len;
        free(q);
        q = next;
    }
    if (message)
        all->ports.send(all->ports.ctx, slot, IVL_FRAMES, message, at);
    free(message);
    return true;
}

/* --- what members tell each other ------------------------------------------------------------ */

/** To one member, or with NOBODY to all. */
static void tell_state(struct ivl *ivl, unsigned to, unsigned flags)
{
    struct ivls *all = ivl->all;
    u8 *message = malloc(HEAD_BYTES + IVL_MACS_MAX * MAC_BYTES);
    if (!message)
        return;
    memcpy(message, ivl->name, NAME_BYTES);
    message[NAME_BYTES] = (u8)(flags | (ivl->up ? FLAG_UPLINK : 0) |
                               (lan_takes_strangers(ivl->lan) ? FLAG_STRANGERS : 0));
    size_t n = lan_stations(ivl->lan, (u8(*)[MAC_BYTES])(message + HEAD_BYTES), IVL_MACS_MAX);
    for (unsigned i = 0; i < IVL_SLOTS_MAX; i++)
        if (all->peer[i].there && (to == NOBODY || to == i))
            all->ports.send(all->ports.ctx, i, IVL_STATE, message, HEAD_BYTES + n * MAC_BYTES);
    free(message);
}

static struct ivl *find(struct ivls *all, const u8 *name)
{
    struct ivl *ivl = all->first;
    while (ivl && memcmp(ivl->name, name, NAME_BYTES) != 0)
        ivl = ivl->next;
    return ivl;
}

static void on_state(struct ivl *ivl, unsigned slot, const u8 *data, size_t len)
{
    unsigned flags = data[NAME_BYTES];
    lock_take(&ivl->all->lock);
    ivl->holding[slot] =
        (struct holding){true, (flags & FLAG_UPLINK) != 0, (flags & FLAG_STRANGERS) != 0};
    unlist_locked(ivl, slot);
    for (size_t at = HEAD_BYTES; at + MAC_BYTES <= len; at += MAC_BYTES)
        if (!mac_is_group(data + at))
            list_locked(ivl, slot, data + at);
    sweep_locked(ivl, slot);
    register_locked(ivl);
    choose_locked(ivl);
    lock_drop(&ivl->all->lock);
    if (flags & FLAG_SEEK)
        tell_state(ivl, slot, 0);
}

static void on_down(struct ivl *ivl, unsigned slot)
{
    lock_take(&ivl->all->lock);
    forget_locked(ivl, slot);
    choose_locked(ivl);
    lock_drop(&ivl->all->lock);
}

/** [N1]: our port sends them, so they do not come back to it. What comes from an uplink that is not
 *  the one in use, as we see it, is not for us [N2]. */
static void on_frames(struct ivl *ivl, unsigned slot, const u8 *data, size_t len)
{
    for (size_t at = NAME_BYTES; len - at > LENGTH_BYTES;) {
        u32 head = be32_load(data + at);
        size_t bytes = head & ~OF_STATION;
        enum lan_role of = head & OF_STATION ? LAN_STATION : LAN_UPLINK;
        at += LENGTH_BYTES;
        if (bytes > len - at)
            return;
        if (of == LAN_STATION || slot == ivl->in_use)
            lan_send_of(ivl->port, of, data + at, bytes);
        ivl->received++;
        at += bytes;
    }
}

void ivls_receive(struct ivls *all, unsigned slot, u16 type, const void *data, size_t len)
{
    if (slot >= IVL_SLOTS_MAX || slot == all->slot || !all->peer[slot].there ||
        len < NAME_BYTES)
        return;
    struct ivl *ivl = find(all, data);
    if (ivl && type == IVL_STATE && len >= HEAD_BYTES)
        on_state(ivl, slot, data, len);
    else if (ivl && type == IVL_FRAMES)
        on_frames(ivl, slot, data, len);
    else if (ivl && type == IVL_DOWN)
        on_down(ivl, slot);
}

void ivls_member(struct ivls *all, unsigned slot, bool there)
{
    if (slot >= IVL_SLOTS_MAX || slot == all->slot)
        return;
    lock_take(&all->lock);
    all->peer[slot].there = there;
    queue_drop_locked(&all->peer[slot]);
    for (struct ivl *ivl = all->first; ivl; ivl = ivl->next) {
        forget_locked(ivl, slot);
        choose_locked(ivl);
    }
    lock_drop(&all->lock);
    for (struct ivl *ivl = all->first; there && ivl; ivl = ivl->next)
        tell_state(ivl, slot, FLAG_SEEK);
}

void ivls_poll(struct ivls *all)
{
    for (struct ivl *ivl = all->first; ivl; ivl = ivl->next) {
        if (!atomic_exchange(&ivl->moved, false))
            continue;
        tell_state(ivl, NOBODY, 0);
        lock_take(&all->lock);
        register_locked(ivl); /* one that left here may be with a member */
        lock_drop(&all->lock);
    }
    for (unsigned i = 0; i < IVL_SLOTS_MAX; i++)
        while (all->peer[i].there && all->ports.room(all->ports.ctx, i) && batch_send(all, i))
            ;
}

/* --- life ------------------------------------------------------------------------------------ */

/** Any thread, perhaps with locks of adapters held. */
static void stations_changed(void *arg)
{
    struct ivl *ivl = arg;
    if (!atomic_exchange(&ivl->moved, true))
        ivl->all->ports.wakeup(ivl->all->ports.wakeup_ctx);
}

struct ivls *ivls_create(unsigned slot, const struct ivl_ports *ports)
{
    struct ivls *all = calloc(1, sizeof *all);
    if (!all)
        return NULL;
    lock_init(&all->lock, LOCK_IVL);
    all->ports = *ports;
    all->slot = slot;
    for (unsigned i = 0; i < IVL_SLOTS_MAX; i++)
        all->peer[i].last = &all->peer[i].first;
    return all;
}

void ivls_destroy(struct ivls *all)
{
    if (!all)
        return;
    PRE(!all->first);
    for (unsigned i = 0; i < IVL_SLOTS_MAX; i++)
        queue_drop_locked(&all->peer[i]);
    lock_fini(&all->lock);
    free(all);
}

struct ivl *ivl_add(struct ivls *all, const char *name, u8 kind, struct lan *lan)
{
    struct ivl *ivl = calloc(1, sizeof *ivl);
    if (!ivl)
        return NULL;
    ivl->all = all;
    ivl->lan = lan;
    ivl->in_use = NOBODY;
    memcpy(ivl->name, name, strnlen(name, NAME_BYTES));
    for (unsigned i = 0; i < NAME_BYTES; i++)
        ivl->name[i] |= (char)(kind >> i & 1 ? 0x80 : 0);
    ivl->port = lan_port_add(lan, LAN_PEER, &port_ops, ivl);
    if (!ivl->port) {
        free(ivl);
        return NULL;
    }
    lan_port_label(ivl->port, "SSI");
    lock_take(&all->lock);
    ivl->next = all->first;
    all->first = ivl;
    choose_locked(ivl);
    lock_drop(&all->lock);
    lan_observe_stations(lan, stations_changed, ivl);
    tell_state(ivl, NOBODY, FLAG_SEEK);
    return ivl;
}

void ivl_remove(struct ivl *ivl)
{
    if (!ivl)
        return;
    struct ivls *all = ivl->all;
    lan_observe_stations(ivl->lan, NULL, NULL);
    lan_port_remove(ivl->port);
    lan_mute_uplinks(ivl->lan, false);
    lock_take(&all->lock);
    struct ivl **at = &all->first;
    while (*at != ivl)
        at = &(*at)->next;
    *at = ivl->next;
    for (unsigned i = 0; i < BUCKETS; i++)
        while (ivl->bucket[i]) {
            struct remote *r = ivl->bucket[i];
            ivl->bucket[i] = r->next;
            free(r);
        }
    lock_drop(&all->lock);
    for (unsigned i = 0; i < IVL_SLOTS_MAX; i++)
        if (all->peer[i].there)
            all->ports.send(all->ports.ctx, i, IVL_DOWN, ivl->name, NAME_BYTES);
    free(ivl);
}

void ivl_uplink(struct ivl *ivl, bool up)
{
    bool changed = ivl->up != up;
    lock_take(&ivl->all->lock);
    ivl->up = up;
    choose_locked(ivl);
    lock_drop(&ivl->all->lock);
    if (changed)
        tell_state(ivl, NOBODY, 0);
}

void ivl_vepa(struct ivl *ivl, bool on)
{
    ivl->vepa = on;
}

void ivl_info(struct ivl *ivl, struct ivl_info *out)
{
    *out = (struct ivl_info){.in_use = ivl->in_use,
                             .own = ivl->in_use == ivl->all->slot,
                             .sent = ivl->sent,
                             .received = ivl->received,
                             .dropped = ivl->dropped};
    for (unsigned i = 0; i < IVL_SLOTS_MAX; i++)
        out->members += ivl->holding[i].has && ivl->all->peer[i].there;
}
