/* Captures of virtual switches, for commands and the control socket. Internal to hyp/. Loop
 * thread. */
#ifndef ENDICOTT_HYP_NET_NET_CAPTURE_H
#define ENDICOTT_HYP_NET_NET_CAPTURE_H

#include "hyp/cp/cp_net.h"
#include "io/net/capture.h"

/** PORT n, USERID userid, MAC address into a filter; false: there is no such thing. */
bool net_capture_filter(struct cp *cp, const struct vswitch *sw, const char *what,
                        const char *value, struct capture_filter *out);
/** To a descriptor, which is its own from then on, also on failure. */
int net_capture_to(struct cp *cp, struct vswitch *sw, const struct capture_filter *filter,
                   int fd, const char *where, struct cause *cause);
/** Those that have ended go; the operator hears why. */
void net_captures_poll(struct cp *cp, struct vswitch *sw);
/** SET VSWITCH name CAPTURE ... */
int net_set_capture(struct cp_request *req, struct cp_net_words *w, struct vswitch *sw);
/** Of QUERY VSWITCH. */
void net_capture_rows(struct cp_request *req, const struct vswitch *sw);

#endif
