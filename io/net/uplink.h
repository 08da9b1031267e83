/* Where a network in memory meets the outside: a user-mode TCP/IP stack (libslirp) that needs no
 * privileges. Each uplink has a thread of its own; senders never wait for it. */
#ifndef ENDICOTT_IO_NET_UPLINK_H
#define ENDICOTT_IO_NET_UPLINK_H

#include "io/net/lan.h"

#define UPLINK_WORDS_MAX 160

struct uplink;

/**
 * Open an uplink of `lan`, which outlives it. `spec`:
 *   slirp[,net=A.B.C.D/N][,hostfwd=[tcp|udp:][HOSTADDR:]PORT:GUESTPORT]...[,restrict]
 * (hostfwd also as QEMU has it: tcp:HOSTADDR:PORT-GUESTADDR:GUESTPORT). Host ports are those of
 * 127.0.0.1 unless an address is given. ST_INVAL for a bad one, ST_BUSY for a port in use,
 * ST_REFUSED when the program was built without what it needs; with cause.
 */
int uplink_open(struct lan *lan, const char *spec, struct uplink **out, struct cause *cause);
/** Its thread has ended when this returns. */
void uplink_close(struct uplink *up);
/** What it is, in words: "slirp 10.0.2.0/24, host port 2222 to guest 22". */
void uplink_words(const struct uplink *up, char out[UPLINK_WORDS_MAX]);

#endif
