/* A local network in the host's memory: ports that give Ethernet frames to each other, as a
 * virtual switch does. Adapters of guests are ports, and so is an uplink to the outside.
 * Frames are delivered on the thread that sends them; nobody waits. Any thread may call. */
#ifndef ENDICOTT_IO_NET_LAN_H
#define ENDICOTT_IO_NET_LAN_H

#include "mem/base/bytes.h"
#include "mem/base/status.h"

#define MAC_BYTES 6
#define ETHER_HEADER_BYTES 14
#define ETHER_TYPE_VLAN 0x8100
#define LAN_FRAME_MAX (65535u + ETHER_HEADER_BYTES + 4u) /* with a VLAN tag */
#define LAN_PORTS_MAX 1024u
#define LAN_LABEL_BYTES 24
#define VLAN_TAG_BYTES 4u
#define VLAN_ID_MAX 4094u
#define LAN_LEARNT_MAX 4096u /* addresses that a port learns */
#define LAN_BRIDGE_SECONDARIES_MAX 4u

struct lan;
struct lan_port;
struct lan_watch;
struct lan_join;

/** Where frames go whose receiver no port has told of: to all but stations. LAN_PEER: the network
 *  elsewhere; its stations' addresses give way to those of stations here. */
enum lan_role { LAN_STATION, LAN_UPLINK, LAN_PEER };

/** What a port is to its network; `arg` of lan_port_add comes first. No lock is held. */
struct lan_port_ops {
    /** A frame for this port (Ethernet header first, no check sequence); false: it was dropped.
     *  The bytes are the caller's. */
    bool (*deliver)(void *arg, const u8 *frame, size_t len);
    /** Instead of that, for a port that must know what sends. NULL: it need not. */
    bool (*deliver_of)(void *arg, enum lan_role from, const u8 *frame, size_t len);
    /** It has become the active bridge port, or is that no more; at once, or with the next frame
     *  when a port has gone. May be NULL. */
    void (*bridge_changed)(void *arg);
};

/** Stations that are isolated send to uplinks and get from uplinks only. LAN_FORWARD: what is for
 *  another station goes to uplinks, too, which may send it back; LAN_ISOLATED: it is dropped. */
enum lan_isolation { LAN_OPEN, LAN_FORWARD, LAN_ISOLATED };

struct lan_counts {
    u64 frames, bytes;            /* that the port sent */
    u64 received, received_bytes; /* that it took */
    u64 dropped;                  /* that it had no room for */
    u64 discarded;                /* that it sent and may not */
    u64 malformed;                /* that it sent and that are none */
};

/** VLANs by number, a bit each. */
struct vlan_set {
    u8 bits[(VLAN_ID_MAX + 1) / 8 + 1];
};

static inline bool vlan_has(const struct vlan_set *set, u16 vlan)
{
    return vlan <= VLAN_ID_MAX && set->bits[vlan / 8] & 0x80 >> vlan % 8;
}

static inline void vlan_put(struct vlan_set *set, u16 vlan, bool on)
{
    u8 bit = (u8)(0x80 >> vlan % 8);
    if (vlan && vlan <= VLAN_ID_MAX)
        set->bits[vlan / 8] = (u8)(on ? set->bits[vlan / 8] | bit : set->bits[vlan / 8] & ~bit);
}

/** How a port meets VLANs. An access port is in one and knows no tags: what it sends with one is
 *  discarded. A trunk port sends and gets tags; frames without are in the native VLAN. */
enum lan_port_type { LAN_ACCESS, LAN_TRUNK };

/** What a port may. VLANs count on a network that knows them (lan_set_options). */
struct lan_rules {
    enum lan_port_type type;
    u16 vlan;                /* LAN_ACCESS: 0: none, and nothing passes */
    struct vlan_set allowed; /* LAN_TRUNK: the native one, too */
    bool promiscuous;        /* it may see what is for others of its VLANs; else it is not the
                              * active bridge port, and flooding does not count */
    bool protect;            /* it sends from `own` only, and receives for no other */
    bool uplink;             /* of a station: it is one, as long as this says so */
    u8 own[MAC_BYTES];
    /* Of the adapter behind it; the network does not look at these. */
    u8 layer;      /* 2 or 3: its program is on this one, or gets no connection; 0: any */
    u16 frame_kib; /* HiperSockets: the network's largest frame; 0: the adapter's own */
};

struct lan_options {
    bool vlan_aware; /* false: tags are part of the frame, and pass */
    u16 native;      /* of trunk ports; 0: none, frames without a tag are discarded */
    bool isolated;   /* nothing from station to station but what an observer may see */
    /* What a station sends goes up, whoever it is for; what an uplink sends back goes where it
     * would, but not to who has sent it (a virtual Ethernet port aggregator, IEEE 802.1Qbg). */
    bool vepa;
};

/** A network without ports; NULL without host memory. */
struct lan *lan_create(void);
/** All ports have gone. */
void lan_destroy(struct lan *lan);

/** What a station gets besides frames for the addresses it tells of, and what becomes of these
 *  (VNIC characteristics). */
struct lan_traits {
    bool flooding;              /* what is for an address that nobody has */
    bool flooding_from_outside; /* that, of uplinks and peers only */
    bool learning;              /* what is for an address that it has sent from of late */
    u32 learning_s;        /* learnt addresses that are not seen for so long are forgotten */
    bool yields_set;       /* another station that tells of an address of its gets it */
    bool yields_learning;  /* and one that learns and sends from it */
    bool bridge_invisible; /* bridge ports get nothing from it, and it nothing from them */
};

/** A bridge port: behind it there are stations that the network does not know. */
enum lan_bridge { LAN_BRIDGE_NONE, LAN_BRIDGE_PRIMARY, LAN_BRIDGE_SECONDARY };

/** At any time; frames that are on their way do not matter. A new network knows no VLANs. */
void lan_set_options(struct lan *lan, const struct lan_options *options);
/** The sum over its uplinks. */
void lan_uplink_counts(struct lan *lan, struct lan_counts *out);
/** Addresses that stations have told of, `max` at most; returns how many. */
size_t lan_stations(struct lan *lan, u8 (*mac)[MAC_BYTES], size_t max);
/** Does any station get what is for an address that nobody has told of? */
bool lan_takes_strangers(struct lan *lan);
/** Have `changed` called when either is another. Any thread, perhaps with locks of adapters held;
 *  it takes no lock but one that posts. NULL: no more. */
void lan_observe_stations(struct lan *lan, void (*changed)(void *arg), void *arg);

/** Two networks become one: what is sent on one and is for somebody behind the other, for a group
 *  or for nobody that is known, goes there, too. They outlive it, and are not joined in a ring.
 *  NULL: no memory, or no room for a port. */
struct lan_join *lan_join(struct lan *a, struct lan *b);
/** They are two again. NULL does nothing. */
void lan_part(struct lan_join *join);

/** A port; `arg` outlives it. An uplink is a trunk port of all VLANs, a station is in none and may
 *  be promiscuous, until it gets rules. NULL: no memory, or LAN_PORTS_MAX are there. */
struct lan_port *lan_port_add(struct lan *lan, enum lan_role role,
                              const struct lan_port_ops *ops, void *arg);
/** Take it away; when this returns `deliver` runs no more. Not from within `deliver`. */
void lan_port_remove(struct lan_port *port);

/** From now on; addresses that it may not have any more it loses. */
void lan_port_rules(struct lan_port *port, const struct lan_rules *rules);

/** Frames for this address go to this port. ST_EXIST: another port has it, ST_REFUSED: the rules of
 *  this one forbid it, ST_NOMEM. */
int lan_mac_add(struct lan_port *port, const u8 mac[MAC_BYTES]);
/** The same for an address that another port may have: it goes over to this one. A machine that was
 *  relocated has one port where it was and one where it is; the one that goes on takes. */
int lan_mac_take(struct lan_port *port, const u8 mac[MAC_BYTES]);
/** The same for a LAN_PEER. `news`: it has come there just now, so a station here that yields has
 *  it no more; else only if nobody has it. True: a station had it; its observer is not told. */
bool lan_mac_elsewhere(struct lan_port *port, const u8 mac[MAC_BYTES], bool news);
/** ST_NOENT: this port has no such address. */
int lan_mac_remove(struct lan_port *port, const u8 mac[MAC_BYTES]);
void lan_mac_clear(struct lan_port *port);
/** The port would see all frames (or no more); it does as far as its rules permit. */
void lan_port_promiscuous(struct lan_port *port, bool on);

void lan_port_isolate(struct lan_port *port, enum lan_isolation isolation);

/** Without `learning` it forgets what it has learnt. */
void lan_port_traits(struct lan_port *port, const struct lan_traits *traits);
/** Milliseconds by which learnt addresses grow old; the host's clock unless told. */
void lan_clock(struct lan *lan, u64 (*now_ms)(void *arg), void *arg);
/** Give a station a role. ST_REFUSED: it may not be promiscuous; ST_EXIST: another one is primary;
 *  ST_LIMIT: enough are secondary. Call lan_port_bridge_tell without locks then. */
int lan_port_bridge(struct lan_port *port, enum lan_bridge role);
/** Is it the one that gets what nobody has told of? */
bool lan_port_bridge_active(struct lan_port *port);
/** Tell all ports of its network what lan_port_bridge has made of them. No lock is held. */
void lan_port_bridge_tell(struct lan_port *port);

/** Send a frame from a port: to the port that has told of its receiver, else to uplinks; to all
 *  others when the receiver is a group. Frames shorter than a header are counted and dropped. */
void lan_send(struct lan_port *port, const u8 *frame, size_t len);
/** The same for a port that hands on what a station or an uplink elsewhere has sent. */
void lan_send_of(struct lan_port *port, enum lan_role from, const u8 *frame, size_t len);
void lan_port_counts(struct lan_port *port, struct lan_counts *out);

/** What a port is called in captures: "LINUX1.0600", "slirp". "" unless told. */
void lan_port_label(struct lan_port *port, const char *label);
/** Ascending from 1 on a network, never given twice. */
u64 lan_port_number(const struct lan_port *port);
/** A muted port sends nothing and gets nothing: an uplink that is not the one in use. */
void lan_port_mute(struct lan_port *port, bool on);
/** All uplinks of a network, besides: the one in use is elsewhere. */
void lan_mute_uplinks(struct lan *lan, bool on);

/* --- who looks on (captures) --- */

enum lan_way { LAN_FROM_PORT, LAN_TO_PORT, LAN_NO_ROOM /* or the port did not want it */ };

/** A frame at one port. Valid during the call. */
struct lan_sight {
    const u8 *frame;
    size_t len;
    u64 port;
    const char *label;
    enum lan_way way;
};

/** See each frame: once where it comes from, and at each port that it goes to. `see` comes on the
 *  senders' threads, one at a time, and does not wait. NULL: no memory. */
struct lan_watch *lan_watch_add(struct lan *lan,
                                void (*see)(void *arg, const struct lan_sight *sight),
                                void *arg);
/** When this returns `see` runs no more. Not from within `see`. */
void lan_watch_remove(struct lan_watch *watch);

static inline bool mac_is_group(const u8 mac[MAC_BYTES])
{
    return mac[0] & 1;
}

static inline bool mac_is_broadcast(const u8 mac[MAC_BYTES])
{
    return (mac[0] & mac[1] & mac[2] & mac[3] & mac[4] & mac[5]) == 0xff;
}

#endif
