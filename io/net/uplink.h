/* Where a network in memory meets the outside: a user-mode TCP/IP stack that needs no privileges, a
 * tap device, a VDE switch, a socket to another emulator. One row of uplink.def for each kind. Each
 * uplink has a thread of its own; senders never wait for it. */
#ifndef ENDICOTT_IO_NET_UPLINK_H
#define ENDICOTT_IO_NET_UPLINK_H

#include "io/net/lan.h"

#define UPLINK_WORDS_MAX 320

struct uplink;

/** Who is told; on the uplink's thread, no lock held. */
struct uplink_events {
    void *ctx;
    /** The link has gone, or is back: uplink_is_up and uplink_words tell. */
    void (*changed)(void *ctx);
};

/**
 * Open an uplink of `lan`, which outlives it. `spec` is of a kind in uplink.def; docs/osa.md has
 * the forms of each. `events` may be NULL. ST_INVAL for a bad one, ST_BUSY for a port or device in
 * use, ST_NOENT for a device that is not there, ST_PERM, ST_REFUSED when the
 * program was built without what it needs; with cause.
 */
int uplink_open(struct lan *lan, const char *spec, const struct uplink_events *events,
                struct uplink **out, struct cause *cause);
/** Is it of a kind that is known? ST_INVAL with cause; what stands behind the name is not looked
 *  at. */
int uplink_check(const char *spec, struct cause *cause);
/** Its thread has ended when this returns. */
void uplink_close(struct uplink *up);
/** Does it lead anywhere now? Any thread. */
bool uplink_is_up(const struct uplink *up);
/** What it is, in words: "slirp 10.0.2.0/24, host port 2222 to guest 22". Any thread. */
void uplink_words(struct uplink *up, char out[UPLINK_WORDS_MAX]);
/** Its port on the network. */
struct lan_port *uplink_port(struct uplink *up);

#endif
