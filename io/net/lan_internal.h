/* The inside of a network in memory. For io/net only. */
#ifndef ENDICOTT_IO_NET_LAN_INTERNAL_H
#define ENDICOTT_IO_NET_LAN_INTERNAL_H

#include "io/net/lan.h"
#include "mem/base/lock.h"

#define BUCKETS 256u

/** Located by lan->bucket[]; made and freed under lan->lock. */
struct mac_entry {
    struct mac_entry *next;
    struct lan_port *port;
    u64 seen_ms; /* learnt: when the port sent from it last */
    bool learnt; /* else the port has told of it */
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
    _Atomic enum lan_role role;
    enum lan_isolation isolation;
    bool promiscuous, leaving;
    _Atomic bool muted;
    struct lan_traits traits;
    unsigned learnt; /* addresses */
    enum lan_bridge bridge;
    u64 bridge_since;            /* ascending: who has its role longest */
    bool bridge_news;            /* it is to hear that it is the active one, or no more */
    char label[LAN_LABEL_BYTES]; /* lan->watching guards it */
    struct lan_rules rules;
    _Atomic u64 frames, bytes, received, received_bytes, dropped, discarded, malformed;
};

/** Located by lan->watch; made by lan_watch_add, freed by lan_watch_remove. */
struct lan_watch {
    struct lan *lan;
    struct lan_watch *next;
    void (*see)(void *arg, const struct lan_sight *sight);
    void *arg;
};

/** Located by its owner; `lock` guards the ports with their rules, and addresses, `watching` who
 *  looks on. */
struct lan {
    struct lock lock, watching;
    struct lan_watch *watch;
    _Atomic bool watched;
    _Atomic bool uplinks_muted;
    void (*changed)(void *arg); /* of stations' addresses; `watching` guards it */
    void *changed_arg;
    struct lan_options options;
    pthread_cond_t unpinned;
    struct lan_port *port;
    struct mac_entry *bucket[BUCKETS];
    struct lan_port *bridge;  /* the active bridge port; NULL: none */
    _Atomic bool bridge_news; /* some port has */
    u64 (*now_ms)(void *arg);
    void *now_arg;
    unsigned ports;
    u64 last_id, last_bridge;
};

/* --- lan.c --- */

/** A port that says and hears nothing until lan_port_mute; as lan_port_add. */
struct lan_port *lan_port_add_muted(struct lan *lan, enum lan_role role,
                                    const struct lan_port_ops *ops, void *arg);
/** When this returns `deliver` runs no more; it may still send. NULL does nothing. */
void lan_port_leave(struct lan_port *port);

/* --- lan_mac.c: who has which address; lan->lock held --- */

/** The port that has an address, NULL: nobody. What was learnt too long ago is forgotten. */
struct lan_port *lan_mac_port_locked(struct lan *lan, const u8 *mac);
/** Do the rules of a port let it have this address? */
bool lan_mac_allowed(const struct lan_port *port, const u8 *mac);
/** Its addresses go, or those that its rules do not permit, or those it has learnt. */
enum lan_mac_which { LAN_MAC_ALL, LAN_MAC_FORBIDDEN, LAN_MAC_LEARNT };
void lan_mac_clear_locked(struct lan_port *port, enum lan_mac_which which);
/** The port sends from an address: from now on it is the port's, if that learns and nobody minds.
 *  True: stations' addresses are others than before. */
bool lan_mac_learn_locked(struct lan_port *port, const u8 *mac);
/** Without the lock: `port` has others than before, perhaps. */
void lan_stations_changed(const struct lan_port *port);
/** The same, whatever port it was. */
void lan_stations_tell(struct lan *lan);

/* --- lan_bridge.c --- */

/** Choose the active one; lan->lock held. lan_bridge_tell tells them. */
void lan_bridge_elect_locked(struct lan *lan);
/** Each that has become active, or is no more, hears of it. No lock is held. */
void lan_bridge_tell(struct lan *lan);

#endif
