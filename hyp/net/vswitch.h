/* The virtual networks of a member: virtual switches, which belong to SYSTEM, and guest LANs. What
 * they are, who may couple with them, and what a port may that somebody couples.
 * Loop thread, but for the networks themselves (io/net/lan.h). */
#ifndef ENDICOTT_HYP_NET_VSWITCH_H
#define ENDICOTT_HYP_NET_VSWITCH_H

#include "hyp/directory.h"
#include "hyp/net/ivl.h"
#include "hyp/net/mac_pool.h"
#include "hyp/net/port_option.h"
#include "hyp/rdev/rdev.h"
#include "io/net/capture.h"
#include "io/net/uplink.h"

#define VSWITCHES_MAX 256u /* with guest LANs */
#define VSWITCH_GRANTS_MAX 4096u
#define VSWITCH_PORT_MAX 2048u /* port numbers are 1 to this */
#define VSWITCH_CONNECTIONS_MAX 1024u
#define VSWITCH_UPLINK_BYTES 512
#define VSWITCH_CAPTURES_MAX 4u
#define VSWITCH_RDEVS_MAX 3u
#define VSWITCH_WHY_BYTES 96
#define NET_NAME_TEXT_BYTES 40
#define NET_SYSTEM "SYSTEM"

enum net_switchable { NET_UNSPECIFIED, NET_OFF, NET_ON };

/** Who may couple: a user, or (port not 0) a user with one port number. */
struct net_grant {
    char userid[DIR_NAME_BYTES];
    u16 port;
    struct port_option option;
};

/** A capture; NULL: none. */
struct vswitch_capture {
    struct capture *capture;
    bool file; /* started by SET VSWITCH, which ends it */
};

/** An OSA of RDEV: the uplink that it is, or why it is none. */
struct vswitch_link {
    u16 rdev;
    struct uplink *uplink;
    char why[VSWITCH_WHY_BYTES];
};

/** What is outside: a specification ("": nothing), or OSAs in the order in which they are taken, or
 *  the adapter of a user ("": none). */
struct vswitch_outside {
    char spec[VSWITCH_UPLINK_BYTES];
    u16 rdev[VSWITCH_RDEVS_MAX];
    unsigned rdevs;
    char nic_user[DIR_NAME_BYTES];
    u16 nic_vdev;
};

struct vswitches;

/** Located by its member's list. Commands change what needs no memory; vswitch_apply makes it
 *  count. */
struct vswitch {
    struct vswitch *next;
    char owner[DIR_NAME_BYTES], name[DIR_NAME_BYTES];
    bool guest_lan;    /* else a virtual switch */
    bool hipersockets; /* guest LAN: of HiperSockets */
    bool ip;           /* transport IP, else ETHERNET */
    bool transient, restricted, port_based, disconnected, accounting, gvrp;
    bool vlan_aware, vlan_counters;
    u16 default_vlan; /* of access ports whose grant has none; 0: none */
    u16 native_vlan;  /* 0: none */
    enum lan_port_type default_type;
    bool isolated, vepa;
    enum net_switchable mac_protect;
    u16 ip_timeout_min, queue_storage_mb;
    unsigned connections_max; /* 0: INFINITE */
    unsigned frame_kib;       /* HiperSockets: largest frame */
    u8 mac[MAC_BYTES];        /* its own */
    struct lan *lan;
    struct vswitch_outside outside;
    struct vswitch_link link[VSWITCH_RDEVS_MAX]; /* of outside.rdev */
    struct uplink *uplink; /* the one in use, of `link` or by itself; NULL: none */
    bool uplink_up;        /* as the operator was told */
    struct vswitch_capture capture[VSWITCH_CAPTURES_MAX];
    unsigned in_use; /* slot whose uplink it is, as the operator was told, from 1; 0: none */
    char bridge_owner[DIR_NAME_BYTES], bridge_name[DIR_NAME_BYTES]; /* BRIDGEPORT; "": none */
    bool bridge_off;                                                /* DISCONNECT */
    struct lan_join *bridge; /* with that LAN; NULL: not connected */
    struct ivl *ivl;         /* what it is part of with other members; NULL: it is alone */
    struct net_grant *grant; /* in the order of user ids and port numbers */
    unsigned grants;
    unsigned coupled; /* adapters; nic.c counts them */
};

/** None yet; prefixes as mac_pool_create has them, `events` are told when an uplink changes. NULL
 *  without host memory. */
struct vswitches *vswitches_create(u32 prefix, u32 user_prefix,
                                   const struct uplink_events *events);
/** In a cluster: virtual switches made from here on are parts of networks over members, and so are
 *  the LANs of HiperSockets of SYSTEM that are at no bridge port. */
void vswitches_cluster(struct vswitches *all, struct ivls *ivls);
/** Nothing is coupled any more. */
void vswitches_destroy(struct vswitches *all);
struct mac_pool *vswitches_macs(struct vswitches *all);
const struct uplink_events *vswitches_events(const struct vswitches *all);

/** How many guest LANs of a kind may be (SET VMLAN LIMIT), ~0 without a limit; and what is set for
 *  adapters of the whole system. */
struct net_limits {
    unsigned persistent_max, transient_max;
    bool mac_protect;
    bool directory_grants; /* DNA: a NICDEF with options of a port is a grant */
};
struct net_limits *vswitches_limits(struct vswitches *all);
unsigned vswitches_count(const struct vswitches *all, bool transient);

/** A network as in `like`: owner, name and all that is set, with what is outside. ST_EXIST,
 *  ST_LIMIT, ST_NOMEM, or as uplink_open; OSAs that cannot be used say so in `link`. */
int vswitch_define(struct vswitches *all, const struct vswitch *like, struct vswitch **out,
                   struct cause *cause);
/** Nothing is coupled with it any more. */
void vswitch_remove(struct vswitches *all, struct vswitch *sw);
struct vswitch *vswitch_find(const struct vswitches *all, const char *owner, const char *name);
/** The one behind `sw` in the order of owners and names, the first for NULL; NULL: no more. */
struct vswitch *vswitch_next(const struct vswitches *all, const struct vswitch *sw);
/** "VSWITCH SYSTEM VSW1", "LAN LINUX1 PRIVATE". Returns out. */
const char *vswitch_text(const struct vswitch *sw, char out[NET_NAME_TEXT_BYTES]);
/** What a new virtual switch, or guest LAN, is unless something else is said. */
void vswitch_defaults(struct vswitch *sw, bool guest_lan);

/** What is set counts for its frames from now on. */
void vswitch_apply(struct vswitch *sw);
/** The real devices of the member, which outlive `all`; NULL: none. */
void vswitches_rdevs(struct vswitches *all, struct rdevs *rdevs);
struct rdevs *vswitches_real(const struct vswitches *all);
/** Its bridge port as it is set from now on: connected when that LAN is there, and again when it
 *  is defined later. ST_NOMEM: it is not. */
int vswitch_bridge(struct vswitches *all, struct vswitch *sw);
/** What those have to have in common, besides the name, that are one network over members. */
u8 vswitch_ivl_kind(const struct vswitch *sw);
/** Whose network over members this one is part of: its own, or of a LAN of SYSTEM the switch that
 *  has it at its bridge port, where stations hear each other. NULL: it is of this member alone. */
const struct vswitch *vswitch_over(const struct vswitches *all, const struct vswitch *sw);
/** The virtual switch that has this LAN at its bridge port; NULL: none. */
struct vswitch *vswitch_bridged(const struct vswitches *all, const char *owner,
                                const char *name);
/** Its own address from now on: MACPREFIX and `id`. False: it is in use here. */
bool vswitch_set_mac(struct vswitches *all, struct vswitch *sw, u32 id);

/* --- vswitch_uplink.c: what is outside ------------------------------------------------------- */

/** DISCONNECT takes uplinks off, CONNECT puts on what is outside now. Status of uplink_open for a
 *  specification: it has none then. OSAs that cannot be used say so in `link`. */
int vswitch_uplink(struct vswitches *all, struct vswitch *sw, bool connect,
                   struct cause *cause);
/** Take all off, before the switch goes. */
void vswitch_uplinks_close(struct vswitches *all, struct vswitch *sw);
/** The next OSA that leads somewhere is in use from now on; false: there is no other. */
bool vswitch_switch_over(struct vswitch *sw);
/** Is the uplink in use, or whether it leads somewhere, not what it should be? */
bool vswitch_uplink_stale(const struct vswitch *sw);
/** It is as it should be from now on: of OSAs the one in use stays until it leads nowhere, then the
 *  first that does is. */
void vswitch_uplink_changed(struct vswitch *sw);
/** What is outside, in words: "OSA 0A00, slirp 10.0.2.0/24". Returns out. */
const char *vswitch_uplink_words(const struct vswitch *sw, char out[UPLINK_WORDS_MAX]);
/** The adapter that is its uplink is coupled, or is not. */
void vswitch_nic_uplink(struct vswitch *sw, bool coupled);
/** Is this adapter its uplink? */
bool vswitch_is_uplink(const struct vswitch *sw, const char *userid, u16 vdev);

/* --- who may -------------------------------------------------------------------------------- */

/** The grant of a user (port 0) or of a port number (userid NULL: whoever it is for). */
struct net_grant *vswitch_grant_find(const struct vswitch *sw, const char *userid, u16 port);
/** Add one, or change its options. ST_EXIST: the port number is another user's; ST_LIMIT,
 *  ST_NOMEM. */
int vswitch_grant(struct vswitch *sw, const struct net_grant *grant);
/** False: it is not there. */
bool vswitch_revoke(struct vswitch *sw, const char *userid, u16 port);
/** Has the user a grant of any kind, or need none? */
bool vswitch_granted(const struct vswitch *sw, const char *userid);

/** What somebody wants to couple. */
struct net_applicant {
    const char *userid;
    u16 port;                         /* wanted; 0: any */
    const struct port_option *option; /* of its NICDEF, NULL: none */
    bool authorized;                  /* by its NICDEF */
};

/** What it may. ST_REFUSED: it may not couple; the cause tells why. */
int vswitch_rules(const struct vswitch *sw, const struct net_applicant *who,
                  struct lan_rules *out, struct cause *cause);

#endif
