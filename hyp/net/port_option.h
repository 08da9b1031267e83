/* What a grant, COUPLE or NICDEF says of a port of a virtual network: PORTTYPE, VLAN, PROMISCUOUS,
 * PQUPLINKTX. What it does not say the network's defaults do. Plain data; any thread. */
#ifndef ENDICOTT_HYP_NET_PORT_OPTION_H
#define ENDICOTT_HYP_NET_PORT_OPTION_H

#include "io/net/lan.h"

#define VLAN_TEXT_BYTES 44

enum port_priority { PORT_PRIORITY_UNTOLD, PORT_LOW, PORT_NORMAL, PORT_HIGH };

struct port_option {
    bool has_type, has_vlans, has_promiscuous;
    enum lan_port_type type;
    bool promiscuous;
    enum port_priority priority; /* of its frames on an uplink; kept */
    struct vlan_set vlans;
};

/** Take the option that word `at` of `n` begins. Returns how many words it has; 0: none of these
 *  begins here; -1: it does, and word *bad is not what it should be (n: it is missing). */
int port_option_take(struct port_option *o, const char *const *words, unsigned n, unsigned at,
                     unsigned *bad);
/** Is there anything in it? */
bool port_option_any(const struct port_option *o);

/** Take numbers and ranges ("10", "20-30") of VLANs from word `at` on. Returns how many words they
 *  are. */
unsigned vlan_words(struct vlan_set *set, const char *const *words, unsigned n, unsigned at);
/** Number of a VLAN, 1 to VLAN_ID_MAX. */
bool vlan_number(const char *word, u16 *vlan);
unsigned vlan_count(const struct vlan_set *set);
/** The lowest, 0: there is none. */
u16 vlan_first(const struct vlan_set *set);
/** Is all of `part` in `whole`? */
bool vlan_within(const struct vlan_set *part, const struct vlan_set *whole);
/** "0010 0020-0030" of those from *at on, as many as have room; "NONE". *at is where the next line
 *  begins, 0: all were in this one. Returns out. */
const char *vlan_line(const struct vlan_set *set, u16 *at, char out[VLAN_TEXT_BYTES]);

#endif
