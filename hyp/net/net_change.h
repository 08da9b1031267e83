/* Operands that set what a virtual network is: DEFINE and SET of VSWITCH and LAN. A copy is changed
 * and checked; only then the network becomes what it says. Internal to hyp/net. Loop thread. */
#ifndef ENDICOTT_HYP_NET_NET_CHANGE_H
#define ENDICOTT_HYP_NET_NET_CHANGE_H

#include "hyp/cp/cp_net.h"

struct net_change {
    struct cp_request *req;
    struct cp_net_words *w;
    bool define;
    struct vswitch to; /* what it will be */
    bool reconnect;    /* its uplink is taken off or put on */
    bool switch_over;  /* another OSA is to be in use */
    bool rebridge;     /* its bridge port is */
    bool typed;        /* TYPE was there */
};

/** DEFINE VSWITCH and LAN: begin with the words of the command, the defaults and the name.
 *  0, or the number of a message. */
int net_define_begin(struct net_change *c, struct cp_request *req, struct cp_net_words *w,
                     bool guest_lan);
/** What has been set is checked, and made: *sw. 0, or the number of a message. */
int net_define_end(struct net_change *c, struct vswitch **sw);
/** Take the attribute that `word` begins, with its values. 0, or the number of a message. */
int net_attribute(struct net_change *c, const char *word);
/** Lines about OSAs that cannot be used. */
void net_links_tell(struct cp_request *req, const struct vswitch *sw);
/** Does what is set fit together? 0, or the number of a message. */
int net_change_check(struct net_change *c);
/** The words about a port behind a grant, up to the end. 0, or the number of a message. */
int net_port_options(struct cp_request *req, struct cp_net_words *w, const struct vswitch *sw,
                     struct port_option *out);
/** The rest of the command from this word on, as it was typed. */
const char *net_raw(const struct cp_request *req, const char *word);
/** The virtual switch that a word names; NULL after a message. */
struct vswitch *net_switch_named(struct cp_request *req, const char *word, int *rc);
/** GRANT userid [option] ..., REVOKE userid */
int net_grant(struct cp_request *req, struct cp_net_words *w, struct vswitch *sw);
int net_revoke(struct cp_request *req, struct cp_net_words *w, struct vswitch *sw);

#endif
