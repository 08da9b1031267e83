/* Virtual networks and the network adapters of users: between hyp/net and the rest of CP. Internal
 * to hyp/. Loop thread. */
#ifndef ENDICOTT_HYP_CP_CP_NET_H
#define ENDICOTT_HYP_CP_CP_NET_H

#include "hyp/cp/cp_internal.h"
#include "hyp/net/ivl_ssi.h"
#include "hyp/net/vswitch.h"

#define CP_NIC_DEVICES 3u

/** A virtual adapter. Located by user->nics; ends with its session or DETACH NIC. */
struct cp_nic {
    struct cp_nic *next;
    u16 vdev; /* and the two behind it */
    bool hipersockets;
    bool authorized;           /* its NICDEF says what its port is, and is a grant */
    u16 port_wanted;           /* of NICDEF, COUPLE; 0: any */
    struct port_option option; /* of NICDEF */
    enum net_switchable protect;
    u8 mac[MAC_BYTES];
    struct vswitch *sw;     /* NULL: not coupled */
    u16 port;               /* number of its port there */
    struct lan_rules rules; /* what it may there */
};

/* --- hyp/net/nic.c ------------------------------------------------------------------------- */
/** The networks of the member; NULL without host memory. */
struct vswitches *cp_nets(struct cp *cp);
/** A network has news: cp_net_poll will be called. Any thread, perhaps with locks of adapters held;
 *  `ctx` is the CP. */
void cp_net_news(void *ctx);
/** The operator hears what is outside of a virtual switch, and whether it leads anywhere. */
void cp_net_tell_uplink(struct cp *cp, const struct vswitch *sw);
/** All networks go; nobody is logged on. */
void cp_net_fini(struct cp *cp);
/** The adapter that has this device; NULL: none. */
struct cp_nic *cp_nic_at(struct cp_user *user, u16 vdev);
/** A new adapter as in `like`; `has_mac`: with its address, else one is taken. */
int cp_nic_create(struct cp_user *user, const struct cp_nic *like, bool has_mac, bool announce,
                  struct cp_nic **out, struct cause *cause);
/** `machine`: its devices go, too. */
void cp_nic_destroy(struct cp_user *user, struct cp_nic *nic, bool machine);
/** Another address for an adapter that is not coupled: its devices are made anew. On failure it has
 *  gone. */
int cp_nic_set_mac(struct cp_user *user, struct cp_nic *nic, const u8 mac[MAC_BYTES],
                   struct cause *cause);
/** ST_REFUSED: it may not, ST_EXIST: the port number is in use, ST_LIMIT: there are as many
 *  connections as may be. */
int cp_nic_couple(struct cp_user *user, struct cp_nic *nic, struct vswitch *sw,
                  struct cause *cause);
void cp_nic_uncouple(struct cp_user *user, struct cp_nic *nic);
/** What is set, or who may, has changed: it counts for all that are coupled; who may no more is
 *  taken off and told. */
void cp_net_refresh(struct cp *cp, struct vswitch *sw);
/** Take off all adapters (of `userid`; NULL: of everybody) and tell them. */
void cp_net_take_off(struct cp *cp, struct vswitch *sw, const char *userid);
/** A member has gone, and with it its claims on addresses, also of adapters that were on their way
 *  here: soon they are claimed here, again and again until that is possible. */
void cp_nics_reclaim(struct cp *cp);
/** The machine is gone, or (`moved`) is on another member. */
void cp_nics_end(struct cp_user *user, bool moved);

/* --- hyp/net/nic_logon.c ------------------------------------------------------------------- */
/** NICDEF statements of the user's entry; what fails goes to its console. */
void cp_nics_logon(struct cp_user *user);
/** Rows of the adapters, and one that arrives, coupled as it was. ST_NOENT: no such network here,
 *  ST_REFUSED: it may not, ST_EXIST: the address or a device is in use. */
void cp_nics_save(struct cp_user *user, u16 tag, struct codec_out *out);
int cp_nic_restore(struct cp_user *user, const struct codec_row *row, struct cause *cause);

/* --- commands ------------------------------------------------------------------------------ */
#define CP_NET_WORDS_MAX 128u

/** The operands that are left. */
struct cp_net_words {
    const char *word[CP_NET_WORDS_MAX];
    unsigned n, at;
};
/** 0, or the number of a message. */
int cp_net_words(struct cp_request *req, struct cp_net_words *w);
/** The word at which one is, and on; NULL behind the last. */
const char *cp_net_next(struct cp_net_words *w);
/** A device number that has room for an adapter's devices. */
bool cp_nic_vdev(const char *word, u16 *vdev);

/** QUERY [VIRTUAL] NIC; `word` is the operand behind it, NULL: all. */
int cp_nic_query(struct cp_request *req, struct cp_user *user, const char *word);
/** Counters and addresses of an adapter, for QUERY ... DETAILS. */
void cp_nic_details(struct cp_request *req, struct cp_user *user, const struct cp_nic *nic,
                    const char *indent);
/** DEFINE, DETACH, SET behind their first operand. */
int cp_define_vswitch(struct cp_request *req);
int cp_define_lan(struct cp_request *req);
int cp_define_nic(struct cp_request *req, struct cp_user *user);
int cp_detach_vswitch(struct cp_request *req);
int cp_detach_lan(struct cp_request *req);
int cp_detach_nic(struct cp_request *req, struct cp_user *user);

#endif
